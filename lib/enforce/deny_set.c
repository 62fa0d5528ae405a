#include "enforce/deny_set.h"

#include <stdlib.h>

struct deny_range {
    struct gw_address_range range;
    struct gw_address reach; /* the last address of all ranges up to this one */
    const struct gw_deny_rule *rule;
};

struct deny_list {
    const struct gw_deny_rule **rules; /* sorted by value */
    size_t n;
    const struct gw_deny_rule **inverted;
    size_t n_inverted;
};

struct deny_set {
    struct deny_list lists[GW_DENY_COUNT]; /* that of addresses has only inverted ones */
    struct deny_range *ranges;             /* sorted by their first address */
    size_t n_ranges;
    struct gw_address_range *inverted; /* of lists[GW_DENY_ADDRESS].inverted */
};

size_t deny_set_bytes(size_t n)
{
    return sizeof(struct deny_set) + 4096 +
           n * (sizeof(struct deny_range) + sizeof(struct gw_address_range) + 2 * sizeof(void *));
}

static int by_value(const void *a, const void *b)
{
    const struct gw_deny_rule *const *x = a, *const *y = b;

    return slice_cmp((*x)->value, (*y)->value);
}

static int by_first(const void *a, const void *b)
{
    const struct deny_range *x = a, *y = b;

    return gw_address_cmp(&x->range.first, &y->range.first);
}

static bool add(struct deny_set *s, const struct gw_deny_rule *rule)
{
    struct deny_list *list = &s->lists[rule->kind];

    if (rule->kind == GW_DENY_ADDRESS && !rule->invert) {
        s->ranges[s->n_ranges].rule = rule;
        return gw_address_range_parse(rule->value, &s->ranges[s->n_ranges++].range) == NULL;
    }
    if (!rule->invert) {
        list->rules[list->n++] = rule;
        return true;
    }
    list->inverted[list->n_inverted++] = rule;
    return rule->kind != GW_DENY_ADDRESS ||
           gw_address_range_parse(rule->value, &s->inverted[list->n_inverted - 1]) == NULL;
}

/* Room for as many of each kind as there are. */
static bool make_room(struct deny_set *s, const struct gw_deny_rule *rules, size_t n,
                      struct arena *arena)
{
    size_t plain[GW_DENY_COUNT] = {0}, inverted[GW_DENY_COUNT] = {0};
    bool good = true;

    for (size_t i = 0; i < n; i++) {
        if ((unsigned)rules[i].kind >= GW_DENY_COUNT)
            return false;
        (rules[i].invert ? inverted : plain)[rules[i].kind]++;
    }
    for (size_t i = 0; i < GW_DENY_COUNT; i++) {
        s->lists[i].rules = arena_array(arena, i == GW_DENY_ADDRESS ? 0 : plain[i], sizeof(void *));
        s->lists[i].inverted = arena_array(arena, inverted[i], sizeof(void *));
        good = good && s->lists[i].rules != NULL && s->lists[i].inverted != NULL;
    }
    s->ranges = arena_array(arena, plain[GW_DENY_ADDRESS], sizeof(*s->ranges));
    s->inverted = arena_array(arena, inverted[GW_DENY_ADDRESS], sizeof(*s->inverted));
    return good && s->ranges != NULL && s->inverted != NULL;
}

struct deny_set *deny_set_new(const struct gw_deny_rule *rules, size_t n, struct arena *arena)
{
    struct deny_set *s = arena_alloc(arena, sizeof(*s));

    if (s == NULL || !make_room(s, rules, n, arena))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!add(s, &rules[i]))
            return NULL;
    for (size_t i = 0; i < GW_DENY_COUNT; i++)
        if (s->lists[i].n > 1)
            qsort(s->lists[i].rules, s->lists[i].n, sizeof(void *), by_value);
    if (s->n_ranges > 1)
        qsort(s->ranges, s->n_ranges, sizeof(*s->ranges), by_first);
    for (size_t i = 0; i < s->n_ranges; i++) {
        struct deny_range *r = &s->ranges[i];

        r->reach = r->range.last;
        if (i > 0 && gw_address_cmp(&s->ranges[i - 1].reach, &r->reach) > 0)
            r->reach = s->ranges[i - 1].reach;
    }
    return s;
}

bool deny_set_has(const struct deny_set *s, enum gw_denial kind)
{
    return s->lists[kind].n > 0 || s->lists[kind].n_inverted > 0 ||
           (kind == GW_DENY_ADDRESS && s->n_ranges > 0);
}

static bool holds(const struct gw_deny_rule *r, int64_t now_s)
{
    return (r->from_s == 0 || now_s >= r->from_s) && (r->until_s == 0 || now_s < r->until_s);
}

/* Number of the first plain rule that is not less. */
static size_t first_from(const struct deny_list *list, struct slice text)
{
    size_t from = 0, to = list->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (slice_cmp(list->rules[middle]->value, text) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct gw_deny_rule *deny_set_find(const struct deny_set *s, enum gw_denial kind,
                                         struct slice text, int64_t now_s)
{
    const struct deny_list *list = &s->lists[kind];

    for (size_t i = first_from(list, text); i < list->n && slice_eq(list->rules[i]->value, text);
         i++)
        if (holds(list->rules[i], now_s))
            return list->rules[i];
    for (size_t i = 0; i < list->n_inverted; i++)
        if (holds(list->inverted[i], now_s) && !slice_eq(list->inverted[i]->value, text))
            return list->inverted[i];
    return NULL;
}

bool deny_set_touches(const struct deny_set *s, enum gw_denial kind, struct slice text)
{
    const struct deny_list *list = &s->lists[kind];
    size_t i = first_from(list, text);

    return list->n_inverted > 0 || (i < list->n && slice_eq(list->rules[i]->value, text));
}

static const struct gw_deny_rule *find_range(const struct deny_set *s,
                                             const struct gw_address *address, int64_t now_s)
{
    size_t from = 0, to = s->n_ranges;

    while (from < to) { /* the first that begins behind it */
        size_t middle = from + (to - from) / 2;

        if (gw_address_cmp(&s->ranges[middle].range.first, address) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    while (from-- > 0 && gw_address_cmp(&s->ranges[from].reach, address) >= 0)
        if (gw_address_in(address, &s->ranges[from].range) && holds(s->ranges[from].rule, now_s))
            return s->ranges[from].rule;
    return NULL;
}

const struct gw_deny_rule *deny_set_find_address(const struct deny_set *s,
                                                 const struct gw_address *address, int64_t now_s)
{
    const struct deny_list *list = &s->lists[GW_DENY_ADDRESS];
    const struct gw_deny_rule *found = address != NULL ? find_range(s, address, now_s) : NULL;

    for (size_t i = 0; found == NULL && i < list->n_inverted; i++)
        if (holds(list->inverted[i], now_s) &&
            (address == NULL || !gw_address_in(address, &s->inverted[i])))
            found = list->inverted[i];
    return found;
}
