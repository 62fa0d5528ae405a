#include "enforce/deny_set.h"

#include <stdlib.h>

struct deny_range {
    struct gw_address_range range;
    struct gw_address reach; /* the last address of all ranges below this one, itself included */
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
    struct deny_range *ranges; /* sorted by their first address; and a tree, see reach_of() */
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

/* The ranges from..to-1 are a tree: the one in the middle is on top, with those before and behind
 * it below. Sets what each of them reaches. */
static struct gw_address reach_of(struct deny_range *ranges, size_t from, size_t to)
{
    size_t middle = from + (to - from) / 2;
    struct deny_range *r = &ranges[middle];
    struct gw_address below;

    r->reach = r->range.last;
    if (from < middle) {
        below = reach_of(ranges, from, middle);
        r->reach = gw_address_cmp(&below, &r->reach) > 0 ? below : r->reach;
    }
    if (middle + 1 < to) {
        below = reach_of(ranges, middle + 1, to);
        r->reach = gw_address_cmp(&below, &r->reach) > 0 ? below : r->reach;
    }
    return r->reach;
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
    if (s->n_ranges > 0)
        reach_of(s->ranges, 0, s->n_ranges);
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

/* Of those that hold the one that begins last. Only what reaches the address is looked at: one wide
 * range among thousands does not make all of them be. */
static const struct gw_deny_rule *find_range(const struct deny_range *ranges, size_t from,
                                             size_t to, const struct gw_address *address,
                                             int64_t now_s)
{
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct deny_range *r = &ranges[middle];

        if (gw_address_cmp(&r->reach, address) < 0)
            return NULL;
        if (gw_address_cmp(&r->range.first, address) <= 0) {
            const struct gw_deny_rule *found = find_range(ranges, middle + 1, to, address, now_s);

            if (found != NULL)
                return found;
            if (gw_address_in(address, &r->range) && holds(r->rule, now_s))
                return r->rule;
        }
        to = middle;
    }
    return NULL;
}

const struct gw_deny_rule *deny_set_find_address(const struct deny_set *s,
                                                 const struct gw_address *address, int64_t now_s)
{
    const struct deny_list *list = &s->lists[GW_DENY_ADDRESS];
    const struct gw_deny_rule *found =
        address != NULL ? find_range(s->ranges, 0, s->n_ranges, address, now_s) : NULL;

    for (size_t i = 0; found == NULL && i < list->n_inverted; i++)
        if (holds(list->inverted[i], now_s) &&
            (address == NULL || !gw_address_in(address, &s->inverted[i])))
            found = list->inverted[i];
    return found;
}
