#include "gateway/gateway.h"

static const char *const levels[] = {
#define X(name, word, list) word,
    GW_LEVELS(X)
#undef X
};

const char *gw_level_name(enum gw_level level)
{
    CC_ASSERT(level < GW_LEVEL_COUNT);
    return levels[level];
}

const char *gw_denial_name(enum gw_denial kind)
{
    static const char *const names[] = {
#define X(name, word) word,
        GW_DENIALS(X)
#undef X
    };

    CC_ASSERT(kind < GW_DENY_COUNT);
    return names[kind];
}

bool gw_denial_find(struct slice name, enum gw_denial *out)
{
    for (unsigned i = 0; i < GW_DENY_COUNT; i++)
        if (slice_is(name, gw_denial_name((enum gw_denial)i))) {
            *out = (enum gw_denial)i;
            return true;
        }
    return false;
}

const char *gw_denial_fault(enum gw_denial kind, struct slice value)
{
    switch (kind) {
    case GW_DENY_API:
        return value.p[0] == '/' ? NULL : "a base path begins with '/'";
    case GW_DENY_APPLICATION:
        return slice_find(value, ':') >= 0 ? NULL : "it is SUBSCRIBER:APPLICATION";
    case GW_DENY_SUBSCRIPTION:
        return value.p[0] == '/' && slice_find(value, ':') >= 0 &&
                       (slice_ends(value, SLICE(":PRODUCTION")) ||
                        slice_ends(value, SLICE(":SANDBOX")))
                   ? NULL
                   : "it is BASEPATH:VERSION:SUBSCRIBER-APPLICATION:PRODUCTION, or :SANDBOX";
    case GW_DENY_USER:
    case GW_DENY_ADDRESS:
    case GW_DENY_COUNT:
        break;
    }
    return NULL;
}

const char *gw_away_name(enum gw_away away)
{
    static const char *const names[] = {
#define X(name, word) word,
        GW_AWAYS(X)
#undef X
    };

    CC_ASSERT(away < GW_AWAY_COUNT);
    return names[away];
}

void gw_quota_text(const struct gw_quota *q, struct buf *out)
{
    static const struct {
        uint64_t seconds;
        const char *one, *many;
    } units[] = {{86400, " a day", "days"},
                 {3600, " an hour", "hours"},
                 {60, " a minute", "minutes"},
                 {1, " a second", "seconds"}};
    size_t i = 0;

    if (q->count == 0) {
        buf_add_str(out, "unlimited");
        return;
    }
    buf_add_u64(out, q->count);
    buf_add_str(out, q->bandwidth ? " byte" : " request");
    if (q->count != 1)
        buf_add_char(out, 's');
    if (q->months == 1)
        buf_add_str(out, " a month");
    else if (q->months > 0)
        buf_printf(out, " in %u months", q->months);
    if (q->months > 0)
        return;
    while (q->period_s % units[i].seconds != 0)
        i++;
    if (q->period_s == units[i].seconds)
        buf_add_str(out, units[i].one);
    else
        buf_printf(out, " in %llu %s", (unsigned long long)(q->period_s / units[i].seconds),
                   units[i].many);
}

void gw_condition_text(const struct gw_condition *c, struct buf *out)
{
    static const char *const kinds[] = {
#define X(name, word) word,
        GW_CONDITIONS(X)
#undef X
    };
    static const char *const signs[] = {
        [GW_MATCH_PRESENT] = "",
        [GW_MATCH_EQUAL] = " = ",
        [GW_MATCH_CONTAINS] = " contains ",
        [GW_MATCH_PATTERN] = " matches ",
    };
    bool range;

    buf_printf(out, "%s%s%s", c->invert ? "not " : "", kinds[c->kind], c->name.n > 0 ? " " : "");
    buf_add(out, c->name);
    /* a prefix, or first and last */
    range = c->kind == GW_CONDITION_ADDRESS &&
            (slice_find(c->value, '/') >= 0 || slice_find(c->value, '-') >= 0);
    buf_add_str(out, range ? " in " : signs[c->match]);
    buf_add(out, c->value);
}

const struct gw_condition *gw_condition_next(struct gw_condition_walk *w)
{
    for (; w->policy < w->n; w->policy++, w->group = w->condition = 0) {
        const struct gw_policy *p = &w->policies[w->policy];

        for (; w->group < p->n_groups; w->group++, w->condition = 0)
            if (w->condition < p->groups[w->group].n_conditions)
                return &p->groups[w->group].conditions[w->condition++];
        if (w->condition < p->n_conditions)
            return &p->conditions[w->condition++];
    }
    return NULL;
}

const char *gw_policy_above(const struct gw_policy *p)
{
    return p->shadow ? "logged (shadow)" : p->stop ? "refused" : "logged";
}

void gw_policy_text(const struct gw_policy *p, struct buf *out)
{
    gw_quota_text(&p->quota, out);
    if (p->burst.count > 0) {
        buf_add_str(out, ", burst ");
        gw_quota_text(&p->burst, out);
    }
    if (p->n_groups > 0)
        buf_printf(out, ", and %zu condition group%s", p->n_groups, p->n_groups == 1 ? "" : "s");
}

bool gw_counts_bytes(const struct gw_policy *policies, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct gw_policy *p = &policies[i];

        if (p->quota.bandwidth)
            return true;
        for (size_t k = 0; k < p->n_groups; k++)
            if (p->groups[k].quota.bandwidth)
                return true;
    }
    return false;
}

/* --- key templates -----------------------------------------------------------------------------
 */

static const struct slice variables[] = {
#define X(name, text) SLICE_INIT(text),
    GW_VARIABLES(X)
#undef X
};
static const struct slice property = SLICE_INIT("$customProperty.");

static bool is_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

/* Bytes of the variable that `s` begins with; 0: none. Names end where a word ends: $apiContext2 is
 * none. */
static size_t variable_at(struct slice s, enum gw_variable *variable, struct slice *name)
{
    for (size_t i = 0; i < GW_VARIABLE_COUNT; i++) {
        size_t n = variables[i].n;

        if (slice_starts(s, variables[i]) && (n == s.n || !is_word(s.p[n]) || s.p[n] == '-')) {
            *variable = (enum gw_variable)i;
            *name = SLICE("");
            return n;
        }
    }
    if (slice_starts(s, property)) {
        size_t n = property.n;

        while (n < s.n && is_word(s.p[n]))
            n++;
        *variable = GW_VARIABLE_PROPERTY;
        *name = slice_make(s.p + property.n, n - property.n);
        return n > property.n ? n : 0;
    }
    return 0;
}

bool gw_key_template_next(struct slice *rest, enum gw_variable *variable, struct slice *text)
{
    size_t n;

    if (rest->n == 0)
        return false;
    n = rest->p[0] == '$' ? variable_at(*rest, variable, text) : 0;
    if (n == 0) {
        n = 1;
        while (n < rest->n && rest->p[n] != '$')
            n++;
        *variable = GW_VARIABLE_NONE;
        *text = slice_first(*rest, n);
    }
    *rest = slice_from(*rest, n);
    return true;
}

const char *gw_key_template_fault(struct slice key_template)
{
    struct slice rest = key_template, text;
    enum gw_variable variable;
    bool any = false;

    if (key_template.n > GW_TEMPLATE_MAX)
        return "it is longer than 512 bytes";
    if (slice_has_control(key_template))
        return "it has a control character";
    while (gw_key_template_next(&rest, &variable, &text)) {
        if (variable == GW_VARIABLE_NONE && text.p[0] == '$')
            return "a '$' in it begins no variable";
        any = any || variable != GW_VARIABLE_NONE;
    }
    return any ? NULL : "it has no variable: all requests would share one counter";
}

/* -----------------------------------------------------------------------------------------------
 */

const struct gw_policy *gw_policy_find(const struct gw_model *m, enum gw_level level,
                                       struct slice name)
{
    size_t from = 0, to = m->n_policies;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct gw_policy *p = &m->policies[middle];
        int order = level != p->level ? (level < p->level ? -1 : 1) : slice_cmp(name, p->name);

        if (order == 0)
            return p;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
