/* Any bytes as the PEM of a public key. Besides not crashing: what gets in is one of the five
 * kinds, and what is written of it reads back as the same key. */
#include "crypto/crypto.h"

#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct key *k = NULL, *again = NULL;
    struct buf pem;
    int rc;

    if (key_public_from_pem(&k, slice_make(data, size)) == CC_OK) {
        CC_ASSERT(!key_is_private(k));
        CC_ASSERT(key_kind_of(k) <= KEY_ED25519 && key_describe(k)[0] != '\0');
        CC_ASSERT(key_not_after(k) >= 0);
        buf_init(&pem, KEY_PEM_MAX_BYTES);
        CC_ASSERT(key_write_public(k, &pem) == CC_OK);
        rc = key_public_from_pem(&again, buf_slice(&pem));
        /* A modulus with factors of middle size is found weak by luck: OpenSSL's test picks random
         * bases, and only some of them share a factor with it. */
        CC_ASSERT(rc == CC_OK || (rc == CC_EWEAK && key_kind_of(k) == KEY_RSA));
        if (rc == CC_OK)
            CC_ASSERT(key_same(k, again) && key_kind_of(again) == key_kind_of(k));
        buf_free(&pem);
    } else {
        CC_ASSERT(k == NULL);
    }
    CC_ASSERT(ERR_peek_error() == 0);
    key_free(&again);
    key_free(&k);
    return 0;
}
