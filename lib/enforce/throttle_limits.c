#include "enforce/throttle_limits.h"

#include "enforce/throttle_match.h"

/* The policy of a tier; *out is NULL for one that is no limit. False after a refusal. */
static bool find_policy(struct attempt *a, enum gw_level level, struct slice tier,
                        const struct throttle_policy **out)
{
    const struct gw_model *m = a->rules->model;
    const struct gw_policy *p;

    *out = NULL;
    if (tier.n == 0 || slice_is(tier, "Unlimited"))
        return true;
    p = gw_policy_find(m, level, tier);
    if (p != NULL) {
        *out = &a->rules->throttle.policies[p - m->policies];
        return true;
    }
    TRACE_SAY(a->trace, "%s tier '%" PRIslice "': no policy defines it; ", gw_level_name(level),
              SLICE_ARG(slice_first(tier, 64)));
    if (m->throttling.allow_unknown)
        return true;
    reason_add_str(a->reason, gw_level_name(level));
    reason_add_str(a->reason, " tier '");
    reason_add(a->reason, slice_first(tier, 64));
    return attempt_refuse(a, REFUSE_INTERNAL, "': no policy defines it", a->out->api->origin);
}

void throttle_limits_add(struct throttle_limits *l, const struct throttle_limit *limit,
                         const struct counter_rule *rule, struct slice key,
                         struct counter_known *known, enum refusal why)
{
    l->list[l->n] = (struct counter_limit){rule, key, known};
    l->limits[l->n] = limit;
    l->refusals[l->n++] = why;
    l->needs_length =
        l->needs_length || (rule->unit == COUNTER_BYTES && rule->mode == COUNTER_ENFORCE);
}

/* The last one, for whoever asks why. */
static __attribute__((cold)) void say_limit(struct attempt *a, const struct throttle_limits *l)
{
    const struct counter_limit *last = &l->list[l->n - 1];
    const struct gw_policy *p = l->limits[l->n - 1]->policy;
    struct buf text;
    char room[128];

    buf_init_fixed(&text, room, sizeof(room));
    gw_quota_text(&p->quota, &text);
    TRACE_SAY(a->trace, "%s'%" PRIslice "'", l->n > 1 ? "; " : "",
              SLICE_ARG(slice_first(last->key, 256)));
    if (p->n_groups == 0)
        TRACE_SAY(a->trace, " %" PRIslice, SLICE_ARG(buf_slice(&text)));
    if (last->rule->mode != COUNTER_ENFORCE)
        TRACE_SAY(a->trace, ", not refused");
}

static void add(struct attempt *a, struct throttle_limits *l, const struct throttle_limit *limit,
                struct slice key, enum refusal why)
{
    throttle_limits_add(l, limit, &limit->rule, key, NULL, why);
    if (a->trace != NULL)
        say_limit(a, l);
}

static bool undecided(struct attempt *a, const struct gw_policy *p)
{
    return attempt_refuse(a, REFUSE_UNDECIDED, "a condition cannot be decided for this request",
                          p->origin);
}

static void add_advanced(struct attempt *a, const struct throttle_caller *c,
                         const struct throttle_policy *p, size_t group, struct buf *keys,
                         struct throttle_limits *l)
{
    const struct throttle_limit *limit = group == SIZE_MAX ? &p->limit : &p->groups[group].limit;

    if (!limit->counts)
        return;
    if (a->out->api->tier.n > 0)
        add(a, l, limit, throttle_api_key(c, p, group, keys), REFUSE_API_LIMIT);
    else
        add(a, l, limit, throttle_resource_key(a, c, p, group, keys), REFUSE_RESOURCE_LIMIT);
}

/* The first that matches. */
bool throttle_limits_by_group(struct attempt *a, const struct throttle_caller *c,
                              const struct throttle_policy *p, struct buf *keys,
                              struct throttle_limits *l)
{
    size_t group = 0, before = l->n;

    for (; group < p->policy->n_groups; group++) {
        enum throttle_met met = throttle_match(a, &p->groups[group].conditions);

        if (met == THROTTLE_UNDECIDED)
            return undecided(a, p->policy);
        if (met == THROTTLE_MET)
            break;
    }
    add_advanced(a, c, p, group < p->policy->n_groups ? group : SIZE_MAX, keys, l);
    l->grouped = p;
    l->n_grouped = l->n - before;
    return true;
}

/* The API's limit, or where it has none the operation's. */
static bool add_api(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                    struct throttle_limits *l)
{
    struct slice tier = a->out->api->tier.n > 0 ? a->out->api->tier : a->out->operation->tier;
    const struct throttle_policy *p;

    if (!find_policy(a, GW_LEVEL_API, tier, &p))
        return false;
    if (p != NULL && p->policy->n_groups > 0)
        return throttle_limits_by_group(a, c, p, keys, l);
    if (p != NULL)
        add_advanced(a, c, p, SIZE_MAX, keys, l);
    return true;
}

static bool add_subscription(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                             struct throttle_limits *l)
{
    const struct throttle_policy *p;

    if (!find_policy(a, GW_LEVEL_SUBSCRIPTION, c->subscription_tier, &p))
        return false;
    if (p == NULL || !p->limit.counts)
        return true;
    add(a, l, &p->limit, throttle_subscription_key(c, p, keys), REFUSE_SUBSCRIPTION_LIMIT);
    if (!c->stop) /* who knows the subscription says that it goes on */
        l->list[l->n - 1].rule = &p->unstopped;
    return true;
}

static bool add_application(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                            struct throttle_limits *l)
{
    const struct throttle_policy *p;

    if (!find_policy(a, GW_LEVEL_APPLICATION, c->app_tier, &p))
        return false;
    if (p != NULL && p->limit.counts)
        add(a, l, &p->limit, throttle_application_key(c, p, keys), REFUSE_APPLICATION_LIMIT);
    return true;
}

bool throttle_limits_of_caller(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                               struct throttle_limits *l)
{
    return add_api(a, c, keys, l) && add_subscription(a, c, keys, l) &&
           add_application(a, c, keys, l);
}

bool throttle_limits_custom(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                            struct throttle_limits *l)
{
    const struct throttle_rules *t = &a->rules->throttle;

    for (size_t i = 0; i < t->n_custom; i++) {
        const struct throttle_policy *p = &t->custom[i];
        enum throttle_met met = throttle_match(a, &p->conditions);
        struct slice key;

        if (met == THROTTLE_UNDECIDED)
            return undecided(a, p->policy);
        if (met == THROTTLE_MET && p->limit.counts && throttle_custom_key(a, c, p, keys, &key))
            add(a, l, &p->limit, key, REFUSE_CUSTOM_LIMIT);
    }
    return true;
}
