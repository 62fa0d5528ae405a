#include "generator/diff_internal.h"

enum { TEXT_BYTES = 64 << 10 };

/* What was added to `b`, in the arena; `b` is empty then. */
static struct slice take(struct differ *d, struct buf *b)
{
    struct slice text = SLICE_NONE;

    if (buf_error(b) == CC_OK)
        text = arena_dup(d->out->arena, b->n > 0 ? buf_slice(b) : SLICE(""));
    buf_free(b);
    return differ_text(d, text);
}

/* --- texts ------------------------------------------------------------------------------------ */

static struct slice quota_text(struct differ *d, const struct gw_quota *q)
{
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    gw_quota_text(q, &b);
    return take(d, &b);
}

static struct slice burst_text(struct differ *d, const struct gw_quota *q)
{
    return q->count > 0 ? quota_text(d, q) : SLICE("none");
}

static void add_conditions(struct buf *b, const struct gw_condition *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_add_str(b, i > 0 ? " and " : "");
        gw_condition_text(&list[i], b);
    }
}

static struct slice conditions_text(struct differ *d, const struct gw_policy *p)
{
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    add_conditions(&b, p->conditions, p->n_conditions);
    return p->n_conditions > 0 ? take(d, &b) : SLICE("none");
}

/* "50 requests a minute, burst 5 requests a second, if ip in 10.0.0.0/8" */
static struct slice group_text(struct differ *d, const struct gw_policy *p, size_t i)
{
    struct buf b;

    if (i >= p->n_groups)
        return SLICE("none");
    buf_init(&b, TEXT_BYTES);
    gw_quota_text(&p->groups[i].quota, &b);
    if (p->groups[i].burst.count > 0) {
        buf_add_str(&b, ", burst ");
        gw_quota_text(&p->groups[i].burst, &b);
    }
    buf_add_str(&b, ", if ");
    add_conditions(&b, p->groups[i].conditions, p->groups[i].n_conditions);
    return take(d, &b);
}

static struct slice policy_text(struct differ *d, const struct gw_policy *p)
{
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    gw_policy_text(p, &b);
    if (p->level == GW_LEVEL_CUSTOM)
        buf_printf(&b, ", by %" PRIslice, SLICE_ARG(p->key_template));
    if (p->n_conditions > 0)
        buf_add_str(&b, ", if ");
    add_conditions(&b, p->conditions, p->n_conditions);
    if (p->shadow || !p->stop)
        buf_printf(&b, "; above it: %s", gw_policy_above(p));
    return take(d, &b);
}

/* --- policies --------------------------------------------------------------------------------- */

static int by_policy(const void *a, const void *b)
{
    const struct gw_policy *x = a, *y = b;

    return x->level != y->level ? (x->level < y->level ? -1 : 1) : slice_cmp(x->name, y->name);
}

/* "subscription policy Gold" */
static struct slice policy_subject(struct differ *d, const struct gw_policy *p)
{
    return arena_printf(d->out->arena, "%s policy %" PRIslice, gw_level_name(p->level),
                        SLICE_ARG(p->name));
}

/* One member that has words of its own, when they differ. */
static void tell(struct differ *d, const struct gw_policy *p, struct slice subject,
                 const char *field, struct slice before, struct slice after)
{
    if (d->rc == CC_OK && !slice_eq(before, after))
        differ_changed(d, DIFF_LIMIT, subject, slice_of(field), before, after, p->origin);
}

static const char *window(const struct gw_policy *p)
{
    return p->sliding ? "sliding" : "fixed";
}

static const char *away(const struct gw_policy *p)
{
    return p->away == GW_AWAY_UNSET ? "as set for all" : gw_away_name(p->away);
}

/* The order of groups counts: the first that a request is in. */
static void compare_groups(struct differ *d, const struct gw_policy *before,
                           const struct gw_policy *after, struct slice subject)
{
    size_t n = before->n_groups > after->n_groups ? before->n_groups : after->n_groups;

    for (size_t i = 0; i < n && d->rc == CC_OK; i++) {
        struct slice field = arena_printf(d->out->arena, "condition group %zu", i + 1);
        struct slice was = group_text(d, before, i), is = group_text(d, after, i);

        if (d->rc == CC_OK && !slice_eq(was, is))
            differ_changed(d, DIFF_LIMIT, subject, differ_text(d, field), was, is,
                           i < after->n_groups ? after->groups[i].origin : after->origin);
    }
}

/* Lines of lists that are told of in words. */
static void note_places(struct differ *d, const struct gw_policy *before,
                        const struct gw_policy *after)
{
    for (size_t i = 0; i < snapshot_policy.n_fields; i++) {
        const struct snapshot_field *f = &snapshot_policy.fields[i];

        if (f->type == SNAPSHOT_LIST)
            d->moved = d->moved || diff_field_equal(f, before, after) == DIFF_MOVED;
    }
}

static void compare_policy(struct differ *d, const struct gw_policy *before,
                           const struct gw_policy *after)
{
    static const char *const special[] = {
        "count",          "period_s",     "months",          "bandwidth",  "burst_count",
        "burst_period_s", "burst_months", "burst_bandwidth", "sliding",    "stop",
        "shadow",         "away",         "groups",          "conditions", NULL};
    struct slice subject = policy_subject(d, after);

    tell(d, after, subject, "limit", quota_text(d, &before->quota), quota_text(d, &after->quota));
    tell(d, after, subject, "burst", burst_text(d, &before->burst), burst_text(d, &after->burst));
    tell(d, after, subject, "window", slice_of(window(before)), slice_of(window(after)));
    tell(d, after, subject, "above it", slice_of(gw_policy_above(before)),
         slice_of(gw_policy_above(after)));
    tell(d, after, subject, "away", slice_of(away(before)), slice_of(away(after)));
    tell(d, after, subject, "conditions", conditions_text(d, before), conditions_text(d, after));
    compare_groups(d, before, after, subject);
    note_places(d, before, after);
    differ_members(d, &snapshot_policy, before, after, special, DIFF_LIMIT, subject, after->origin);
}

static void add_policy(struct differ *d, enum diff_sort sort, const struct gw_policy *p)
{
    struct diff_change *change = differ_add(d, sort, DIFF_LIMIT, policy_subject(d, p), p->origin);

    if (change != NULL)
        *(sort == DIFF_ADDED ? &change->after : &change->before) = policy_text(d, p);
}

void differ_policies(struct differ *d, const struct gw_model *before, const struct gw_model *after)
{
    struct diff_list old = {before->policies, before->n_policies, sizeof(*before->policies)};
    struct diff_list new = {after->policies, after->n_policies, sizeof(*after->policies)};
    struct diff_pair *pairs;
    size_t n;

    if (d->rc == CC_OK)
        d->rc = diff_pair_up(old, new, by_policy, NULL, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++) {
        if (pairs[i].before == NULL)
            add_policy(d, DIFF_ADDED, pairs[i].after);
        else if (pairs[i].after == NULL)
            add_policy(d, DIFF_REMOVED, pairs[i].before);
        else
            compare_policy(d, pairs[i].before, pairs[i].after);
    }
}

/* --- deny rules ------------------------------------------------------------------------------- */

static void add_moment(struct buf *b, const char *word, int64_t at_s)
{
    char text[CLOCK_TEXT];

    if (at_s == 0)
        return;
    clock_text(at_s, text);
    buf_printf(b, "%s%s %s", b->n > 0 ? " " : "", word, text);
}

/* "from 2030-01-31T00:00:00Z until 2030-02-01T00:00:00Z", "always" */
static struct slice times_text(struct differ *d, const struct gw_deny_rule *r)
{
    struct buf b;

    if (r->from_s == 0 && r->until_s == 0)
        return SLICE("always");
    buf_init(&b, TEXT_BYTES);
    add_moment(&b, "from", r->from_s);
    add_moment(&b, "until", r->until_s);
    return take(d, &b);
}

static int by_deny_rule(const void *a, const void *b)
{
    const struct gw_deny_rule *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->invert != y->invert ? (y->invert ? -1 : 1) : slice_cmp(x->value, y->value);
}

static void compare_deny_rule(struct differ *d, const struct gw_deny_rule *before,
                              const struct gw_deny_rule *after)
{
    static const char *const special[] = {"from_s", "until_s", NULL};
    const struct gw_deny_rule *one = after != NULL ? after : before;
    struct slice subject =
        arena_printf(d->out->arena, "%s%s %" PRIslice, one->invert ? "all but " : "",
                     gw_denial_name(one->kind), SLICE_ARG(one->value));
    struct diff_change *change;

    if (before != NULL && after != NULL) {
        if (before->from_s != after->from_s || before->until_s != after->until_s)
            differ_changed(d, DIFF_DENIAL, subject, SLICE_NONE, times_text(d, before),
                           times_text(d, after), after->origin);
        differ_members(d, &snapshot_deny_rule, before, after, special, DIFF_DENIAL, subject,
                       after->origin);
        return;
    }
    change =
        differ_add(d, after != NULL ? DIFF_ADDED : DIFF_REMOVED, DIFF_DENIAL, subject, one->origin);
    if (change != NULL && (one->from_s > 0 || one->until_s > 0))
        *(after != NULL ? &change->after : &change->before) = times_text(d, one);
}

void differ_deny_rules(struct differ *d, const struct gw_model *before,
                       const struct gw_model *after)
{
    struct diff_list old = {before->deny_rules, before->n_deny_rules, sizeof(*before->deny_rules)};
    struct diff_list new = {after->deny_rules, after->n_deny_rules, sizeof(*after->deny_rules)};
    struct diff_pair *pairs;
    size_t n;

    if (d->rc == CC_OK)
        d->rc = diff_pair_up(old, new, by_deny_rule, NULL, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++)
        compare_deny_rule(d, pairs[i].before, pairs[i].after);
}

/* --- settings --------------------------------------------------------------------------------- */

static void tell_setting(struct differ *d, const char *name, struct slice before,
                         struct slice after)
{
    if (d->rc == CC_OK && !slice_eq(before, after))
        differ_changed(d, DIFF_SETTING, slice_of(name), SLICE_NONE, before, after, PLACE_NONE);
}

static struct slice headers_text(const struct gw_throttling *t)
{
    return t->standard_headers
               ? (t->legacy_headers ? SLICE("RateLimit, X-RateLimit") : SLICE("RateLimit"))
           : t->legacy_headers ? SLICE("X-RateLimit")
                               : SLICE("none");
}

static struct slice unknown_text(const struct gw_throttling *t)
{
    return t->allow_unknown ? SLICE("allow") : SLICE("deny");
}

static struct slice tier_text(const struct gw_throttling *t)
{
    return t->unauthenticated_tier.n > 0 ? t->unauthenticated_tier : SLICE("Unlimited");
}

void differ_throttling(struct differ *d, const struct gw_throttling *before,
                       const struct gw_throttling *after)
{
    tell_setting(d, "enforcer.throttling.unknownTier", unknown_text(before), unknown_text(after));
    tell_setting(d, "enforcer.throttling.headers", headers_text(before), headers_text(after));
    tell_setting(d, "enforcer.throttling.unauthenticatedTier", tier_text(before), tier_text(after));
}
