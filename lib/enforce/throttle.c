#include "enforce/throttle.h"

#include "enforce/throttle_count.h"
#include "enforce/throttle_key.h"
#include "enforce/throttle_match.h"
#include "enforce/throttle_tell.h"

_Static_assert(COUNTER_MAX_LIMITS >= 3 + GW_CUSTOM_MAX, "a request's limits are asked at once");

/* The limits of one request. */
struct limits {
    struct counter_limit list[COUNTER_MAX_LIMITS];
    const struct throttle_policy *policies[COUNTER_MAX_LIMITS];
    enum refusal refusals[COUNTER_MAX_LIMITS];
    size_t n;
    struct counter_rule no_stop; /* room for the rule of a subscription that is not stopped */
    bool needs_length;           /* one that refuses counts bytes */
};

/* --- deny rules ---------------------------------------------------------------------------------
 */

static const struct gw_deny_rule *find_user(const struct deny_set *set,
                                            const struct throttle_caller *c, int64_t now_s)
{
    const struct gw_deny_rule *rule = deny_set_find(set, GW_DENY_USER, c->user, now_s);

    /* A rule without a tenant is for all. Of an inverted one both forms of a name are meant. */
    if (rule == NULL || rule->invert) {
        const struct gw_deny_rule *other = deny_set_find(set, GW_DENY_USER, c->name, now_s);

        if (rule == NULL || other == NULL)
            return rule == NULL && other != NULL && !other->invert ? other : NULL;
        return other->invert ? rule : other;
    }
    return rule;
}

static const struct gw_deny_rule *find_deny_rule(struct attempt *a, const struct deny_set *set,
                                                 const struct throttle_caller *c, struct buf *keys)
{
    int64_t now_s = clock_wall_s(a->clock);
    const struct gw_deny_rule *rule = NULL;

    if (deny_set_has(set, GW_DENY_API)) {
        rule = deny_set_find(set, GW_DENY_API, a->out->api->base_path, now_s);
        /* also by the path with the version, when it is served without */
        if (rule == NULL || rule->invert)
            rule = deny_set_find(set, GW_DENY_API, c->api->context, now_s);
    }
    if (rule == NULL && deny_set_has(set, GW_DENY_APPLICATION))
        rule = deny_set_find(set, GW_DENY_APPLICATION, throttle_denied_application(c, keys), now_s);
    if (rule == NULL && deny_set_has(set, GW_DENY_USER))
        rule = find_user(set, c, now_s);
    if (rule == NULL && deny_set_has(set, GW_DENY_SUBSCRIPTION))
        rule =
            deny_set_find(set, GW_DENY_SUBSCRIPTION, throttle_denied_subscription(c, keys), now_s);
    if (rule == NULL && deny_set_has(set, GW_DENY_ADDRESS))
        rule = deny_set_find_address(set, a->request->has_src ? &a->request->src : NULL, now_s);
    return rule;
}

static bool check_deny_rules(struct attempt *a, const struct throttle_caller *c, struct buf *keys)
{
    const struct deny_list *live = enforce_live_denied(a->live);
    const struct gw_deny_rule *rule = NULL;

    if (a->rules->model->n_deny_rules == 0 && live == NULL)
        return true;
    TRACE_STEP(a->trace, DENIED, PLACE_NONE);
    if (a->rules->model->n_deny_rules > 0)
        rule = find_deny_rule(a, a->rules->throttle.deny, c, keys);
    if (rule == NULL && live != NULL)
        rule = find_deny_rule(a, deny_list_set(live), c, keys);
    if (buf_error(keys) != CC_OK)
        return attempt_refuse(a, REFUSE_INTERNAL, "what deny rules are compared with is too long",
                              PLACE_NONE);
    if (rule == NULL) {
        TRACE_SAY(a->trace, "none of %zu", a->rules->model->n_deny_rules);
        return true;
    }
    TRACE_SAY(a->trace, "%s%s '%" PRIslice "'", rule->invert ? "all but " : "",
              gw_denial_name(rule->kind), SLICE_ARG(slice_first(rule->value, 256)));
    attempt_count(&a->w->blocked, 1);
    return attempt_refuse(a, REFUSE_DENIED, "a deny rule matches", rule->origin);
}

/* --- which limits -------------------------------------------------------------------------------
 */

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

static void add_limit(struct attempt *a, struct limits *l, const struct throttle_policy *p,
                      const struct throttle_limit *limit, struct slice key, enum refusal why)
{
    struct buf text;
    char room[128];

    l->list[l->n] = (struct counter_limit){&limit->rule, key, NULL};
    l->policies[l->n] = p;
    l->refusals[l->n++] = why;
    l->needs_length = l->needs_length ||
                      (limit->rule.unit == COUNTER_BYTES && limit->rule.mode == COUNTER_ENFORCE);
    if (a->trace == NULL)
        return;
    buf_init_fixed(&text, room, sizeof(room));
    gw_quota_text(&p->policy->quota, &text);
    TRACE_SAY(a->trace, "%s'%" PRIslice "'", l->n > 1 ? "; " : "",
              SLICE_ARG(slice_first(key, 256)));
    if (p->policy->n_groups == 0)
        TRACE_SAY(a->trace, " %" PRIslice, SLICE_ARG(buf_slice(&text)));
    if (limit->rule.mode != COUNTER_ENFORCE)
        TRACE_SAY(a->trace, ", not refused");
}

static bool undecided(struct attempt *a, const struct gw_policy *p)
{
    return attempt_refuse(a, REFUSE_UNDECIDED, "a condition cannot be decided for this request",
                          p->origin);
}

/* The API's limit, or where it has none the operation's; of its groups the first that matches. */
static bool add_advanced(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                         struct limits *l)
{
    bool whole = a->out->api->tier.n > 0;
    const struct throttle_policy *p;
    const struct throttle_limit *limit;
    size_t group = 0;

    if (!find_policy(a, GW_LEVEL_API, whole ? a->out->api->tier : a->out->operation->tier, &p))
        return false;
    if (p == NULL)
        return true;
    for (; group < p->policy->n_groups; group++) {
        enum throttle_met met = throttle_match(a, &p->groups[group].conditions);

        if (met == THROTTLE_UNDECIDED)
            return undecided(a, p->policy);
        if (met == THROTTLE_MET)
            break;
    }
    limit = group < p->policy->n_groups ? &p->groups[group].limit : &p->limit;
    if (group == p->policy->n_groups)
        group = SIZE_MAX;
    if (!limit->counts)
        return true;
    add_limit(a, l, p, limit,
              whole ? throttle_api_key(c, p->policy, group, keys)
                    : throttle_resource_key(a, c, p->policy, group, keys),
              whole ? REFUSE_API_LIMIT : REFUSE_RESOURCE_LIMIT);
    return true;
}

static bool add_subscription(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                             struct limits *l)
{
    const struct throttle_policy *p;

    if (!find_policy(a, GW_LEVEL_SUBSCRIPTION, c->subscription_tier, &p))
        return false;
    if (p == NULL || !p->limit.counts)
        return true;
    add_limit(a, l, p, &p->limit, throttle_subscription_key(c, p->policy, keys),
              REFUSE_SUBSCRIPTION_LIMIT);
    if (c->stop || p->limit.rule.mode != COUNTER_ENFORCE)
        return true;
    /* who knows the subscription says that it goes on */
    l->no_stop = p->limit.rule;
    l->no_stop.mode = COUNTER_NO_STOP;
    l->list[l->n - 1].rule = &l->no_stop;
    return true;
}

static bool add_application(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                            struct limits *l)
{
    const struct throttle_policy *p;

    if (!find_policy(a, GW_LEVEL_APPLICATION, c->app_tier, &p))
        return false;
    if (p != NULL && p->limit.counts)
        add_limit(a, l, p, &p->limit, throttle_application_key(c, p->policy, keys),
                  REFUSE_APPLICATION_LIMIT);
    return true;
}

static bool add_custom(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                       struct limits *l)
{
    const struct throttle_rules *t = &a->rules->throttle;

    for (size_t i = 0; i < t->n_custom; i++) {
        const struct throttle_policy *p = &t->custom[i];
        enum throttle_met met = throttle_match(a, &p->conditions);
        struct slice key;

        if (met == THROTTLE_UNDECIDED)
            return undecided(a, p->policy);
        if (met == THROTTLE_MET && p->limit.counts &&
            throttle_custom_key(a, c, p->policy, keys, &key))
            add_limit(a, l, p, &p->limit, key, REFUSE_CUSTOM_LIMIT);
    }
    return true;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static const struct enforce_header *header(const struct attempt *a, size_t number)
{
    const struct enforce_header *h =
        a->request->headers != NULL && number < a->rules->model->n_headers
            ? &a->request->headers[number]
            : NULL;

    return h != NULL && h->count > 0 ? h : NULL;
}

/* The bytes of the body, as the client announces them. A limit that refuses cannot count what is
 * not announced. */
static bool read_length(struct attempt *a, const struct limits *l, uint64_t *bytes)
{
    const struct throttle_rules *t = &a->rules->throttle;
    const struct enforce_header *length, *encoding;

    *bytes = 0;
    if (!t->bytes)
        return true;
    length = header(a, t->length_header);
    encoding = header(a, t->encoding_header);
    if (length != NULL && encoding == NULL && slice_to_u64(length->value, bytes) == CC_OK &&
        *bytes <= COUNTER_MAX_QUOTA)
        return true;
    *bytes = 0;
    return (length == NULL && encoding == NULL) || !l->needs_length ||
           attempt_refuse(a, REFUSE_NO_LENGTH,
                          "a limit of bytes, and the request does not say how many it has",
                          PLACE_NONE);
}

/* Limits that are exceeded and let pass, by the names of their policies. */
static void tell_over(struct attempt *a, const struct limits *l, uint32_t over, struct buf *texts)
{
    size_t start = texts->n;

    for (size_t i = 0; i < l->n; i++) {
        if ((over & 1u << i) == 0 || l->list[i].rule->mode == COUNTER_ENFORCE)
            continue;
        if (texts->n > start)
            buf_add_str(texts, ", ");
        buf_add_str(texts, gw_level_name(l->policies[i]->policy->level));
        buf_add_char(texts, ' ');
        buf_add(texts, slice_first(l->policies[i]->policy->name, 64));
    }
    if (texts->n == start || buf_error(texts) != CC_OK)
        return;
    a->out->limits.over = slice_from(buf_slice(texts), start);
    attempt_count(&a->w->over, 1);
}

static bool refuse_limit(struct attempt *a, const struct limits *l, size_t at,
                         const struct counter_state *state)
{
    const struct gw_policy *p = l->policies[at]->policy;

    reason_add_str(a->reason, state->away
                                  ? "redis cannot be asked, and no part is left of the limit of "
                                  : "above the limit of ");
    reason_add_str(a->reason, gw_level_name(p->level));
    reason_add_str(a->reason, " policy ");
    reason_add(a->reason, slice_first(p->name, 64));
    reason_add_str(a->reason, state->burst ? " (burst)" : "");
    reason_add_str(a->reason, ", ");
    reason_add(a->reason, slice_first(l->list[at].key, 200));
    attempt_count(&a->w->throttled, 1);
    return attempt_refuse(a, l->refusals[at], "", p->origin);
}

/* For whoever asks why. */
static __attribute__((cold)) void list_limits(const struct attempt *a, const struct limits *l,
                                              uint64_t bytes)
{
    for (size_t i = 0; i < l->n; i++)
        trace_limit(a->trace, l->policies[i]->policy, &l->list[i]);
    a->trace->limit_bytes = bytes;
}

/* Nothing counts here. What became of the limits elsewhere comes with a request that is explained;
 * *known: it did. False after a refusal. */
static __attribute__((cold)) bool ask_nobody(struct attempt *a, const struct limits *l,
                                             struct counter_result *result, bool *known)
{
    const struct enforce_reply *reply = a->request->replies[ENFORCE_WAIT_LIMITS];

    *known = false;
    if (a->trace == NULL)
        return attempt_refuse(a, REFUSE_INTERNAL, "internal error: there is nothing to count with",
                              PLACE_NONE);
    if (reply == NULL || reply->failed || reply->bytes.n != sizeof(*result))
        return true;
    memcpy(result, reply->bytes.p, sizeof(*result));
    CC_ASSERT(result->refused < (int)l->n && result->tightest < (int)l->n);
    *known = true;
    return true;
}

static bool ask(struct attempt *a, const struct limits *l)
{
    struct counter_result result;
    struct buf texts;
    uint64_t bytes;
    bool known = true;
    size_t at;

    if (!read_length(a, l, &bytes))
        return false;
    if (a->trace != NULL)
        list_limits(a, l, bytes);
    if (a->w->counters != NULL ? !throttle_count(a, l->list, l->n, bytes, &result)
                               : !ask_nobody(a, l, &result, &known))
        return false;
    if (!known)
        return true;
    buf_init_fixed(&texts, a->w->throttle.texts, sizeof(a->w->throttle.texts));
    tell_over(a, l, result.over, &texts);
    if (result.tightest >= 0) {
        at = (size_t)result.tightest;
        throttle_tell(a, l->policies[at]->policy, l->list[at].rule, &result.state,
                      result.refused >= 0, &texts);
    }
    return result.refused < 0 || refuse_limit(a, l, (size_t)result.refused, &result.state);
}

bool throttle(struct attempt *a)
{
    struct throttle_caller caller;
    struct limits limits;
    struct buf keys;

    if (!a->rules->model->throttling.enabled)
        return true;
    limits.n = 0;
    limits.needs_length = false;
    buf_init_fixed(&keys, a->w->throttle.keys, sizeof(a->w->throttle.keys));
    throttle_describe(a, &keys, &caller);
    if (!check_deny_rules(a, &caller, &keys))
        return false;
    TRACE_STEP(a->trace, LIMITS, PLACE_NONE);
    if (!add_advanced(a, &caller, &keys, &limits) ||
        !add_subscription(a, &caller, &keys, &limits) ||
        !add_application(a, &caller, &keys, &limits) || !add_custom(a, &caller, &keys, &limits))
        return false;
    if (buf_error(&keys) != CC_OK)
        return attempt_refuse(a, REFUSE_INTERNAL, "the keys of its counters are too long",
                              PLACE_NONE);
    if (limits.n == 0) {
        TRACE_SAY(a->trace, "none");
        return true;
    }
    return ask(a, &limits);
}
