/* Any bytes as the operator's file of revoked tokens: no finding means that every line counts, and
 * what is in the table is found by its own id. */
#include "revoke/revoke_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct source source = {.name = "revoked"};
    struct diag *diag = diag_new();
    struct revoked *table = NULL;
    struct revoked_entry e;
    int rc;

    CC_ASSERT(diag != NULL && revoked_new(&table, 64) == CC_OK);
    rc = revoke_parse(slice_make(data, size), &source, table, 1000000000, diag);
    CC_ASSERT((rc == CC_OK) == (diag_errors(diag) == 0));
    for (size_t i = 0; i < revoked_places(table); i++) {
        if (!revoked_at(table, i, &e))
            continue;
        CC_ASSERT(revoked_id_valid(e.id) && !revoked_looks_like_token(e.id) && e.until_s > 0);
        CC_ASSERT(revoked_has(table, revoked_key(table, e.id)));
    }
    revoked_free(&table);
    diag_free(&diag);
    return 0;
}
