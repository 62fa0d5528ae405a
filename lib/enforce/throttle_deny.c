#include "enforce/throttle_deny.h"

#include "enforce/throttle_memo.h"

/* One list of rules, and whether any of them is about the caller at some time or other. */
struct search {
    const struct deny_set *set;
    int64_t now_s;
    bool touched;
};

static const struct gw_deny_rule *find_text(struct search *s, enum gw_denial kind,
                                            struct slice text)
{
    if (!deny_set_touches(s->set, kind, text))
        return NULL;
    s->touched = true;
    return deny_set_find(s->set, kind, text, s->now_s);
}

/* What has two names: a user, as a rule without a tenant is for all, and an API that is also served
 * without its version. What an inverted rule spares must be neither. */
static const struct gw_deny_rule *find_either(struct search *s, enum gw_denial kind,
                                              struct slice text, struct slice other_text)
{
    const struct gw_deny_rule *rule = find_text(s, kind, text), *other;

    if (rule != NULL && !rule->invert)
        return rule;
    other = find_text(s, kind, other_text);
    if (rule == NULL || other == NULL)
        return rule == NULL && other != NULL && !other->invert ? other : NULL;
    return other->invert ? rule : other;
}

static const struct gw_deny_rule *find_about_caller(struct search *s, const struct attempt *a,
                                                    const struct throttle_caller *c,
                                                    struct buf *keys)
{
    const struct gw_deny_rule *rule = NULL;

    if (deny_set_has(s->set, GW_DENY_API))
        rule = find_either(s, GW_DENY_API, a->out->api->base_path, c->api->context);
    if (rule == NULL && deny_set_has(s->set, GW_DENY_APPLICATION))
        rule = find_text(s, GW_DENY_APPLICATION, throttle_denied_application(c, keys));
    if (rule == NULL && deny_set_has(s->set, GW_DENY_USER))
        rule = find_either(s, GW_DENY_USER, c->user, c->name);
    if (rule == NULL && deny_set_has(s->set, GW_DENY_SUBSCRIPTION))
        rule = find_text(s, GW_DENY_SUBSCRIPTION, throttle_denied_subscription(c, keys));
    return rule;
}

/* *free: it is known that no rule is about the caller. Learned here when it is so. */
static const struct gw_deny_rule *find_rule(struct attempt *a, const struct deny_set *set,
                                            const struct throttle_caller *c, bool *free,
                                            struct buf *keys)
{
    struct search s = {set, clock_wall_s(a->clock), false};
    const struct gw_deny_rule *rule = NULL;

    if (!*free) {
        rule = find_about_caller(&s, a, c, keys);
        *free = !s.touched && buf_error(keys) == CC_OK;
    }
    if (rule == NULL && deny_set_has(set, GW_DENY_ADDRESS))
        rule = deny_set_find_address(set, a->request->has_src ? &a->request->src : NULL, s.now_s);
    return rule;
}

static const struct gw_deny_rule *find_in_snapshot(struct attempt *a,
                                                   const struct throttle_caller *c,
                                                   struct throttle_memo_entry *known,
                                                   struct buf *keys)
{
    bool free = known != NULL && known->free_of_rules;
    const struct gw_deny_rule *rule;

    if (a->rules->model->n_deny_rules == 0)
        return NULL;
    rule = find_rule(a, a->rules->throttle.deny, c, &free, keys);
    if (known != NULL)
        known->free_of_rules = free;
    return rule;
}

static const struct gw_deny_rule *find_in_list(struct attempt *a, const struct deny_list *list,
                                               const struct throttle_caller *c,
                                               struct throttle_memo_entry *known, struct buf *keys)
{
    bool free = known != NULL && known->free_of_list == deny_list_serial(list);
    const struct gw_deny_rule *rule = find_rule(a, deny_list_set(list), c, &free, keys);

    if (known != NULL && free)
        known->free_of_list = deny_list_serial(list);
    return rule;
}

static void say_none(struct attempt *a, const struct deny_list *live)
{
    size_t n = a->rules->model->n_deny_rules;

    if (live == NULL)
        TRACE_SAY(a->trace, "none of %zu", n);
    else
        TRACE_SAY(a->trace, "none of %zu, nor of %zu that were added by command", n,
                  deny_list_count(live));
}

bool throttle_deny_check(struct attempt *a, const struct throttle_caller *c,
                         struct throttle_memo_entry *known, struct buf *keys)
{
    const struct deny_list *live = enforce_live_denied(a->live);
    const struct gw_deny_rule *rule;
    bool by_command;

    if (a->rules->model->n_deny_rules == 0 && live == NULL)
        return true;
    TRACE_STEP(a->trace, DENIED, PLACE_NONE);
    rule = find_in_snapshot(a, c, known, keys);
    by_command = rule == NULL && live != NULL;
    if (by_command)
        rule = find_in_list(a, live, c, known, keys);
    if (buf_error(keys) != CC_OK)
        return attempt_refuse(a, REFUSE_INTERNAL, "what deny rules are compared with is too long",
                              PLACE_NONE);
    if (rule == NULL) {
        say_none(a, live);
        return true;
    }
    TRACE_SAY(a->trace, "%s%s '%" PRIslice "'", rule->invert ? "all but " : "",
              gw_denial_name(rule->kind), SLICE_ARG(slice_first(rule->value, 256)));
    attempt_count(&a->w->blocked, 1);
    return attempt_refuse(a, REFUSE_DENIED,
                          by_command ? "a deny rule that was added by command matches"
                                     : "a deny rule matches",
                          rule->origin);
}
