#include "generator/subscriptions.h"

#include "doc/doc.h"
#include "generator/policy.h"
#include "subs/subs_read.h"

int subscriptions_read(struct subs **out, const char *path, const struct config *config,
                       struct arena *arena, struct diag *diag)
{
    *out = NULL;
    if (path == NULL && config != NULL && config->subscriptions.n > 0)
        path = config->subscriptions.p;
    return path != NULL ? subs_read(out, path, arena, diag) : CC_OK;
}

/* The store's sources go with the store, and have no text: findings get copies. */
struct kept {
    const struct source *from;
    struct source source;
    struct kept *next;
};

struct checking {
    struct arena *arena;
    struct diag *diag;
    struct kept *kept;
    int rc;
};

static struct place keep(struct checking *c, struct place place)
{
    struct kept *k = c->kept;
    struct slice name;

    if (place.source == NULL)
        return place;
    while (k != NULL && k->from != place.source)
        k = k->next;
    if (k == NULL) {
        k = arena_alloc(c->arena, sizeof(*k));
        name = arena_dup(c->arena, slice_of(place.source->name));
        if (k == NULL || name.p == NULL) {
            c->rc = CC_ENOMEM;
            return PLACE_NONE;
        }
        *k = (struct kept){place.source, {.name = name.p}, c->kept};
        if (file_read(c->arena, name.p, DOC_MAX_BYTES, &k->source.text) != CC_OK)
            k->source.text = SLICE_NONE;
        c->kept = k;
    }
    place.source = &k->source;
    return place;
}

static bool is_served(const struct gw_model *model, struct slice uuid)
{
    for (size_t i = 0; i < model->n_apis; i++)
        if (slice_eq(model->apis[i].id, uuid))
            return true;
    return false;
}

/* Once an API, not once a subscription. */
static void check_apis(struct checking *c, const struct subs *store, const struct gw_model *model)
{
    struct subs_counts n;

    subs_count(store, &n);
    for (size_t i = 0; i < n.apis; i++) {
        const struct subs_api *api = subs_api_at(store, i);

        if (!is_served(model, api->uuid))
            diag_help(diag_warning(c->diag, CC3076, keep(c, api->place),
                                   "no project has the API '%" PRIslice "'", SLICE_ARG(api->uuid)),
                      "`cc-gen show apis` shows the ids of those that there are");
    }
}

static bool is_issuer(const struct gw_model *model, struct slice name)
{
    for (size_t i = 0; i < model->n_issuers; i++)
        if (slice_eq(model->issuers[i].name, name))
            return true;
    return false;
}

static void check_managers(struct checking *c, const struct subs *store,
                           const struct gw_model *model)
{
    struct slice last = SLICE_NONE;
    struct subs_counts n;
    struct subs_key key;

    subs_count(store, &n);
    for (size_t i = 0; i < n.keys; i++) {
        subs_key_at(store, i, &key);
        /* equal names are one text in the store */
        if (key.key_manager.p == last.p || is_issuer(model, key.key_manager))
            continue;
        last = key.key_manager;
        diag_warning(c->diag, CC3077, keep(c, key.place),
                     "no token service has the name '%" PRIslice "'", SLICE_ARG(key.key_manager));
    }
}

/* Tiers that no policy defines, each name once: what the agent does with their requests. */
struct tiers {
    struct checking *c;
    const struct gw_model *model;
    enum gw_level level;
    struct unknown_tier {
        struct slice name;
        struct unknown_tier *next;
    } * told;
};

static void check_tier(struct tiers *t, struct slice name, struct place place)
{
    bool refuses = !t->model->throttling.allow_unknown;
    struct unknown_tier *u = t->told;
    struct diag_item *item;
    const char *near;

    if (slice_is(name, "Unlimited") || gw_policy_find(t->model, t->level, name) != NULL)
        return;
    while (u != NULL && !slice_eq(u->name, name))
        u = u->next;
    if (u != NULL)
        return;
    u = arena_alloc(t->c->arena, sizeof(*u));
    if (u == NULL) {
        t->c->rc = CC_ENOMEM;
        return;
    }
    *u = (struct unknown_tier){name, t->told};
    t->told = u;
    item = diag_add(t->c->diag, refuses ? DIAG_ERROR : DIAG_WARNING, CC3208, keep(t->c, place),
                    "no %s policy has the name '%" PRIslice "'", gw_level_name(t->level),
                    SLICE_ARG(name));
    near = policy_nearest(t->model, t->level, name, t->c->arena);
    if (near != NULL)
        diag_help(item, "did you mean %s?", near);
    else
        diag_help(item, "its requests %s; `cc-gen show policies` lists those that there are",
                  refuses ? "are refused (enforcer.throttling.unknownTier)" : "have no such limit");
}

static void check_tiers(struct checking *c, const struct subs *store, const struct gw_model *model)
{
    struct tiers applications = {c, model, GW_LEVEL_APPLICATION, NULL};
    struct tiers subscriptions = {c, model, GW_LEVEL_SUBSCRIPTION, NULL};
    struct subs_subscription s;
    struct subs_counts n;

    subs_count(store, &n);
    for (size_t i = 0; i < n.applications; i++) {
        const struct subs_application *a = subs_application_at(store, i);

        check_tier(&applications, a->policy->name, a->place);
    }
    for (size_t i = 0; i < n.subscriptions; i++) {
        subs_at(store, i, &s);
        check_tier(&subscriptions, s.policy->name, s.place);
    }
}

int subscriptions_check(const struct subs *store, const struct config *config,
                        const struct gw_model *model, struct arena *arena, struct diag *diag)
{
    struct checking c = {.arena = arena, .diag = diag, .rc = CC_OK};
    const struct gw_issuer *validating = NULL;

    for (size_t i = 0; i < model->n_issuers && validating == NULL; i++)
        if (model->issuers[i].validate_subscription)
            validating = &model->issuers[i];
    if (store == NULL && validating != NULL)
        diag_help(diag_warning(diag, CC3079, validating->origin,
                               "of issuer '%" PRIslice
                               "' only tokens with subscribedAPIs are let in",
                               SLICE_ARG(validating->name)),
                  "name the subscription files in enforcer.subscriptions.path");
    if (store == NULL)
        return CC_OK;
    if (validating == NULL)
        diag_help(diag_warning(diag, CC3078, config_place(config, "enforcer.subscriptions.path"),
                               "no token service validates subscriptions"),
                  "write validateSubscription: true in one of enforcer.security.tokenService");
    check_apis(&c, store, model);
    check_managers(&c, store, model);
    if (model->throttling.enabled)
        check_tiers(&c, store, model);
    return c.rc;
}
