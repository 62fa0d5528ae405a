#include "enforce/credential.h"

void subject_take(const struct enforce_decision *out, struct subject *subject)
{
    *subject = (struct subject){out->user, out->app, out->keytype, out->application};
}

void subject_put(struct enforce_decision *out, const struct subject *subject)
{
    out->user = subject->user;
    out->app = subject->app;
    out->keytype = subject->keytype;
    out->application = subject->application;
}

static bool keep(struct slice *const *texts, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        if (texts[i]->n == 0)
            continue;
        *texts[i] = arena_dup(arena, *texts[i]);
        if (texts[i]->p == NULL)
            return false;
    }
    return true;
}

bool subject_keep(struct subject *subject, struct arena *arena)
{
    struct enforce_application *app = &subject->application;
    struct slice *const texts[] = {
        &subject->user, &subject->app, &subject->keytype,       &app->uuid,  &app->name, &app->tier,
        &app->owner,    &app->tenant,  &app->subscription_tier, &app->claims};

    return keep(texts, sizeof(texts) / sizeof(texts[0]), arena);
}

bool grant_keep(struct grant *grant, struct arena *arena)
{
#define X(name) &grant->name,
    struct slice *const texts[] = {GRANT_TEXTS(X)};
#undef X

    return keep(texts, sizeof(texts) / sizeof(texts[0]), arena);
}
