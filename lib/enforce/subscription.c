#include "enforce/subscription.h"

#include "enforce/live.h"
#include "enforce/subscription_pack.h"

static void set_anonymous(struct attempt *a, const struct rules_issuer *issuer)
{
    a->out->application = (struct enforce_application){
        .id = -1,
        .uuid = issuer->anonymous_uuid,
        .name = issuer->anonymous,
        .tier = SLICE("Unlimited"),
    };
}

/* --- a token that brings its subscriptions ------------------------------------------------------
 */

/* Name and version, as the contract says; one without a name is found by context and version. */
static bool is_for(const struct jwt_subscribed_api *subscribed, const struct gw_api *api)
{
    if (!slice_eq(subscribed->version, api->version))
        return false;
    if (subscribed->name.n > 0)
        return slice_eq(subscribed->name, api->name);
    return subscribed->context.n > 0 && slice_eq(subscribed->context, api->base_path);
}

static bool check_token(struct attempt *a, const struct rules_issuer *issuer, const struct grant *g)
{
    struct enforce_application *app = &a->out->application;
    struct slice rest = g->subscriptions;
    struct jwt_subscribed_api api;
    struct jwt_subscriptions s;
    size_t n = 0;

    subscription_unpack(&rest, &s);
    *app = (struct enforce_application){
        .id = s.has_application ? s.id : -1,
        .uuid = s.uuid,
        .name = s.name,
        .tier = s.tier,
        .owner = s.owner,
    };
    for (; subscription_next_api(&rest, &api); n++) {
        if (!is_for(&api, a->out->api))
            continue;
        app->subscription_tier = api.tier;
        app->tenant = api.tenant;
        app->stop_on_quota_reach = api.stop_on_quota_reach;
        app->bandwidth = api.bandwidth || s.bandwidth;
        TRACE_SAY(a->trace, "by the token, application '%" PRIslice "', tier '%" PRIslice "'",
                  SLICE_ARG(slice_first(s.name, 64)), SLICE_ARG(slice_first(api.tier, 64)));
        return true;
    }
    TRACE_SAY(a->trace, "the token's subscribedAPIs, %zu of them", n);
    return attempt_refuse(a, REFUSE_NOT_IN_TOKEN, "the token's subscribedAPIs do not name the API",
                          issuer->issuer->origin);
}

/* --- the store ----------------------------------------------------------------------------------
 */

static void set_application(struct attempt *a, const struct subs_application *from)
{
    a->out->application = (struct enforce_application){
        .id = from->id,
        .uuid = from->uuid,
        .name = from->name,
        .tier = from->policy->name,
        .owner = from->owner,
        .tenant = from->tenant,
        .attributes = from->attributes,
        .n_attributes = from->n_attributes,
        .bandwidth = from->policy->bandwidth,
    };
}

static bool check_state(struct attempt *a, const struct subs_subscription *s)
{
    switch (s->state) {
    case SUBS_UNBLOCKED:
    case SUBS_TIER_UPDATE_PENDING:
        return true;
    case SUBS_BLOCKED:
        return attempt_refuse(a, REFUSE_SUBSCRIPTION_BLOCKED, "the subscription is BLOCKED",
                              s->place);
    case SUBS_PROD_ONLY_BLOCKED:
        /* by the key type that chooses the endpoint, whoever says it */
        return slice_is(a->out->keytype, "SANDBOX") ||
               attempt_refuse(a, REFUSE_SUBSCRIPTION_BLOCKED,
                              "the subscription is PROD_ONLY_BLOCKED, and this is no SANDBOX token",
                              s->place);
    case SUBS_ON_HOLD:
        return attempt_refuse(a, REFUSE_SUBSCRIPTION_INACTIVE, "the subscription is ON_HOLD",
                              s->place);
    case SUBS_REJECTED:
        return attempt_refuse(a, REFUSE_SUBSCRIPTION_INACTIVE, "the subscription is REJECTED",
                              s->place);
    case SUBS_STATE_COUNT:
        break;
    }
    return attempt_refuse(a, REFUSE_INTERNAL, "internal error: a subscription without a state",
                          s->place);
}

static bool check_subscription(struct attempt *a, const struct subs *store,
                               const struct subs_application *application)
{
    struct subs_subscription s;

    if (!subs_find(store, application, a->out->api->id, &s))
        return attempt_refuse(a, REFUSE_NOT_SUBSCRIBED,
                              "the application is not subscribed to the API", application->place);
    TRACE_SAY(a->trace, ", subscribed: %s, tier '%" PRIslice "'", subs_state_name(s.state),
              SLICE_ARG(slice_first(s.policy->name, 64)));
    a->out->application.subscription_tier = s.policy->name;
    a->out->application.stop_on_quota_reach = s.policy->stop_on_quota_reach;
    a->out->application.bandwidth = a->out->application.bandwidth || s.policy->bandwidth;
    return check_state(a, &s);
}

/* The application that an API key names. */
static bool check_application(struct attempt *a, const struct subs *store,
                              const struct subs_application *application, struct place place)
{
    if (application == NULL)
        return attempt_refuse(a, REFUSE_NOT_SUBSCRIBED,
                              "there is no such application as the API key names", place);
    TRACE_SAY(a->trace, "application '%" PRIslice "', by the API key",
              SLICE_ARG(slice_first(application->name, 64)));
    set_application(a, application);
    return check_subscription(a, store, application);
}

static bool check_store(struct attempt *a, const struct rules_issuer *issuer, const struct grant *g)
{
    const struct subs *store = enforce_live_subs(a->live);
    struct place place = issuer->issuer->origin;
    struct subs_key key;

    if (store == NULL)
        return attempt_refuse(
            a, REFUSE_NOT_SUBSCRIBED,
            "the token has no subscribedAPIs, and there are no subscription files", place);
    if (g->type == GW_API_KEY)
        return check_application(a, store, subs_find_application(store, g->application), place);
    if (g->app.n == 0)
        return attempt_refuse(a, REFUSE_NOT_SUBSCRIBED,
                              "the token has neither subscribedAPIs nor a consumer key", place);
    if (!subs_find_key(store, g->app, issuer->issuer->name, &key))
        return attempt_refuse(a, REFUSE_NOT_SUBSCRIBED,
                              "no application has the token's consumer key for this key manager",
                              place);
    TRACE_SAY(a->trace, "application '%" PRIslice "', by its %s key",
              SLICE_ARG(slice_first(key.application->name, 64)),
              key.sandbox ? "SANDBOX" : "PRODUCTION");
    if (g->keytype.n == 0)
        a->out->keytype = key.sandbox ? SLICE("SANDBOX") : SLICE("PRODUCTION");
    set_application(a, key.application);
    return check_subscription(a, store, key.application);
}

/* ---------------------------------------------------------------------------------------------- */

bool subscription_check(struct attempt *a, const struct grant *g)
{
    const struct rules_issuer *issuer = &a->rules->issuers[g->issuer];
    bool subscribed = true;

    TRACE_STEP(a->trace, SUBSCRIPTION, issuer->issuer->origin);
    /* what an API key says itself, it is held to in any case */
    if (g->subscriptions.n > 0 &&
        (issuer->issuer->validate_subscription || g->type == GW_API_KEY)) {
        subscribed = check_token(a, issuer, g);
    } else if (!issuer->issuer->validate_subscription) {
        set_anonymous(a, issuer);
        TRACE_SAY(a->trace, "not asked for: validateSubscription is false");
    } else {
        subscribed = check_store(a, issuer, g);
    }
    a->out->application.claims = g->claims;
    return subscribed && subscription_check_status(a);
}

bool subscription_check_status(struct attempt *a)
{
    const struct gw_api *api = a->out->api;
    const struct subs *store = enforce_live_subs(a->live);
    const struct subs_api *known = store != NULL ? subs_find_api(store, api->id) : NULL;
    bool by_store = known != NULL && known->status.n > 0;
    struct slice status = by_store ? known->status : api->status;
    struct place place = by_store ? known->place : api->status_declared;

    if (!slice_is(status, "BLOCKED"))
        return true;
    TRACE_STEP(a->trace, STATUS, place);
    TRACE_SAY(a->trace, "BLOCKED");
    return attempt_refuse(a, REFUSE_API_BLOCKED, "the API is BLOCKED", place);
}
