/* Any bytes as the certificates of authorities. Besides not crashing: what is written of each reads
 * back as that one alone, so that the files that HAProxy gets hold what was checked. */
#include "crypto/crypto.h"

#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct certificates list, again;
    unsigned line;
    int rc;

    CC_ASSERT(arena != NULL);
    rc = certificates_from_pem(&list, slice_make(data, size), arena, &line);
    CC_ASSERT(ERR_peek_error() == 0);
    CC_ASSERT(rc != CC_OK || (list.n > 0 && list.n <= CERTIFICATES_MAX));
    for (size_t i = 0; rc == CC_OK && i < list.n; i++) {
        CC_ASSERT(list.items[i].line > 0);
        CC_ASSERT(certificates_from_pem(&again, list.items[i].pem, arena, &line) == CC_OK);
        CC_ASSERT(again.n == 1 && slice_eq(again.items[0].pem, list.items[i].pem));
        CC_ASSERT(slice_eq(again.items[0].subject, list.items[i].subject));
    }
    arena_free(&arena);
    return 0;
}
