/* Any bytes as a key set on disk, and what of it would be used. */
#include "fetch/jwks_saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct slice url = SLICE_INIT("https://idp/jwks");
    struct arena *arena = arena_new(32 << 20);
    struct jwks_saved saved;
    struct jwks *set = NULL;

    CC_ASSERT(arena != NULL);
    if (jwks_saved_parse(slice_make(data, size), url, arena, &saved) == CC_OK) {
        CC_ASSERT(saved.fetched_s >= 0 && saved.max_age_s >= -1);
        if (jwks_parse(&set, saved.body, url, NULL) == CC_OK)
            CC_ASSERT(jwks_count(set) > 0);
    }
    jwks_unref(&set);
    arena_free(&arena);
    return 0;
}
