/* Any bytes as a subscription file. Besides not crashing: a store comes out exactly when there is no
 * finding, all that is in it is found by its own key, and what is named is there. */
#include "subs/subs_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct subs *s)
{
    struct subs_subscription sub, found;
    struct subs_key key, same;
    struct subs_counts n;

    subs_count(s, &n);
    for (size_t i = 0; i < n.applications; i++) {
        const struct subs_application *a = subs_application_at(s, i);

        CC_ASSERT(subs_find_application(s, a->uuid) == a);
        CC_ASSERT(a->uuid.n > 0 && a->name.n > 0 && a->policy != NULL && a->policy->name.n > 0);
        CC_ASSERT(!slice_has_control(a->name) && !slice_has_control(a->owner));
    }
    for (size_t i = 0; i < n.keys; i++) {
        subs_key_at(s, i, &key);
        CC_ASSERT(subs_find_key(s, key.consumer_key, key.key_manager, &same));
        CC_ASSERT(same.application == key.application && same.place.line == key.place.line);
        CC_ASSERT(subs_find_application(s, key.application->uuid) == key.application);
    }
    for (size_t i = 0; i < n.subscriptions; i++) {
        subs_at(s, i, &sub);
        CC_ASSERT(subs_find(s, sub.application, sub.api_uuid, &found));
        CC_ASSERT(found.place.line == sub.place.line && found.state == sub.state);
        CC_ASSERT(subs_find_api(s, sub.api_uuid) != NULL && sub.policy->name.n > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)256 << 20);
    struct diag *diag = diag_new();
    struct subs *s = NULL;
    int rc;

    CC_ASSERT(arena != NULL && diag != NULL);
    rc = subs_read_text(&s, slice_make(data, size), "fuzz", arena, diag);
    CC_ASSERT((rc == CC_OK) == (diag_errors(diag) == 0));
    CC_ASSERT((rc == CC_OK) == (s != NULL));
    if (s != NULL)
        check(s);
    subs_unref(&s);
    diag_free(&diag);
    arena_free(&arena);
    return 0;
}
