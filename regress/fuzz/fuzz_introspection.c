/* Any bytes as what an introspection server answers. */
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct jwt_claim_mapping renamed[] = {
        {SLICE_INIT("login"), SLICE_INIT("sub")}, {SLICE_INIT("sub"), SLICE_INIT("consumerKey")}};
    const struct jwt_claim_mappings mappings = {renamed, 2};
    const struct jwt_claim_names names = {
        .consumer_key = SLICE(""), .scope = SLICE("scp"), .subscriptions = true};
    struct arena *arena = arena_new(8 << 20);
    struct jwt_introspection in;
    enum jwt_fault fault;

    CC_ASSERT(arena != NULL);
    fault = jwt_introspection_parse(slice_make(data, size), &names, &mappings, NULL, arena, &in);
    if (fault != JWT_OK || !in.active) {
        CC_ASSERT(!in.active && in.claims.sub.n == 0 && in.claims.n_scopes == 0);
    } else {
        CC_ASSERT(!slice_has_control(in.token_type) && !slice_has_control(in.claims.sub));
        CC_ASSERT(!slice_has_control(in.claims.iss) && !slice_has_control(in.claims.consumer_key));
        CC_ASSERT(!in.claims.has_exp || in.claims.exp >= 0);
    }
    arena_free(&arena);
    return 0;
}
