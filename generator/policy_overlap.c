/* Groups of one policy that are in each other's way: the first that a request is in counts, so a
 * group whose requests are all in an earlier one never does. */
#include "generator/policy_internal.h"

/* What two conditions on addresses have to do with each other. */
struct relation {
    bool subset;   /* all that meet a meet b */
    bool disjoint; /* none that meets a meets b */
};

static struct relation relate(const struct gw_address_range *a, bool not_a,
                              const struct gw_address_range *b, bool not_b)
{
    bool a_in_b = gw_address_in(&a->first, b) && gw_address_in(&a->last, b);
    bool b_in_a = gw_address_in(&b->first, a) && gw_address_in(&b->last, a);
    bool apart = gw_address_cmp(&a->last, &b->first) < 0 || gw_address_cmp(&b->last, &a->first) < 0;

    if (not_a && not_b)
        return (struct relation){b_in_a, false};
    if (not_a)
        return (struct relation){false, b_in_a};
    if (not_b)
        return (struct relation){apart, a_in_b};
    return (struct relation){a_in_b, apart};
}

static struct relation relate_addresses(const struct gw_condition *a, const struct gw_condition *b)
{
    struct gw_address_range x, y;

    if (gw_address_range_parse(a->value, &x) != NULL ||
        gw_address_range_parse(b->value, &y) != NULL)
        return (struct relation){false, false};
    return relate(&x, a->invert, &y, b->invert);
}

static bool same(const struct gw_condition *a, const struct gw_condition *b)
{
    return a->kind == b->kind && a->match == b->match && slice_eq(a->name, b->name) &&
           slice_eq(a->value, b->value);
}

/* Does whatever meets `a` meet `b`? What is said by texts is not thought about: only the same is
 * the same, and any value is one that is there. */
static bool implies(const struct gw_condition *a, const struct gw_condition *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == GW_CONDITION_ADDRESS)
        return relate_addresses(a, b).subset;
    if (a->invert == b->invert && same(a, b))
        return true;
    return slice_eq(a->name, b->name) &&
           ((!a->invert && !b->invert && b->match == GW_MATCH_PRESENT) ||
            (a->invert && b->invert && a->match == GW_MATCH_PRESENT));
}

static bool contradict(const struct gw_condition *a, const struct gw_condition *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == GW_CONDITION_ADDRESS)
        return relate_addresses(a, b).disjoint;
    return same(a, b) && a->invert != b->invert;
}

/* Are all requests of `later` in `earlier`? */
static bool is_covered(const struct gw_group *later, const struct gw_group *earlier)
{
    for (size_t i = 0; i < earlier->n_conditions; i++) {
        size_t k = 0;

        while (k < later->n_conditions && !implies(&later->conditions[k], &earlier->conditions[i]))
            k++;
        if (k == later->n_conditions)
            return false;
    }
    return earlier->n_conditions > 0;
}

/* Groups of a single condition on addresses each, which have some in common. */
static bool overlap(const struct gw_group *a, const struct gw_group *b)
{
    struct relation r;

    if (a->n_conditions != 1 || b->n_conditions != 1 ||
        a->conditions[0].kind != GW_CONDITION_ADDRESS ||
        b->conditions[0].kind != GW_CONDITION_ADDRESS)
        return false;
    r = relate_addresses(&a->conditions[0], &b->conditions[0]);
    return !r.disjoint && !r.subset;
}

static void check_inside(struct project_build *build, const struct gw_condition *list, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (contradict(&list[i], &list[k])) {
                diag_help(diag_error(build->diag, CC3207, list[i].origin,
                                     "no request meets this condition and the one on line %u",
                                     list[k].origin.line),
                          "all conditions of a list must be met; alternatives are groups of their "
                          "own");
                break;
            }
}

void policy_check_overlap(struct project_build *build, const struct gw_policy *p)
{
    check_inside(build, p->conditions, p->n_conditions);
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct gw_group *later = &p->groups[i];

        check_inside(build, later->conditions, later->n_conditions);
        for (size_t k = 0; k < i && later->n_conditions > 0; k++) {
            const struct gw_group *earlier = &p->groups[k];

            if (is_covered(later, earlier)) {
                diag_help(diag_error(build->diag, CC3207, later->origin,
                                     "no request gets to this condition group: all are in the one "
                                     "on line %u",
                                     earlier->origin.line),
                          "the first group that a request is in counts; put the narrower one "
                          "first");
                break;
            }
            if (!is_covered(earlier, later) && overlap(later, earlier))
                diag_help(diag_warning(build->diag, CC3211, later->origin,
                                       "some addresses are in this condition group and in the one "
                                       "on line %u",
                                       earlier->origin.line),
                          "for those the earlier one counts");
        }
    }
}
