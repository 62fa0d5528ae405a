#include "generator/diff_pair.h"

#include <stdlib.h>

struct orders {
    diff_order *first, *second;
};

/* Pointers to the elements of a list. */
struct pointers {
    const void **p;
    size_t n;
};

static int by_order(const void *a, const void *b, void *context)
{
    const struct orders *orders = context;
    const void *x = *(const void *const *)a, *y = *(const void *const *)b;
    int order = orders->first(x, y);

    if (order == 0 && orders->second != NULL)
        order = orders->second(x, y);
    /* Equal ones stay as they stood: qsort alone does not promise that. */
    return order != 0 ? order : x < y ? -1 : x > y;
}

static int by_pair(const void *a, const void *b, void *context)
{
    const struct orders *orders = context;
    const struct diff_pair *p = a, *q = b;
    int order = orders->first(p->after != NULL ? p->after : p->before,
                              q->after != NULL ? q->after : q->before);

    return order != 0 ? order : (p->after != NULL) - (q->after != NULL);
}

static int pointers_of(struct pointers *out, struct diff_list list, struct arena *arena)
{
    *out = (struct pointers){arena_array(arena, list.n, sizeof(*out->p)), list.n};
    if (out->p == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < list.n; i++)
        out->p[i] = (const char *)list.items + i * list.size;
    return CC_OK;
}

static void sort(struct pointers *list, diff_order *first, diff_order *second)
{
    struct orders orders = {first, second};

    if (list->n > 1)
        qsort_r(list->p, list->n, sizeof(*list->p), by_order, &orders);
}

/* Merges two lists that are sorted by `order`: equal elements become pairs, the others stay in the
 * lists. */
static void merge(struct pointers *a, struct pointers *b, diff_order *order,
                  struct diff_pair *pairs, size_t *n)
{
    size_t i = 0, j = 0, kept_a = 0, kept_b = 0;

    while (i < a->n || j < b->n) {
        int way = i == a->n ? 1 : j == b->n ? -1 : order(a->p[i], b->p[j]);

        if (way < 0)
            a->p[kept_a++] = a->p[i++];
        else if (way > 0)
            b->p[kept_b++] = b->p[j++];
        else
            pairs[(*n)++] = (struct diff_pair){a->p[i++], b->p[j++]};
    }
    a->n = kept_a;
    b->n = kept_b;
}

int diff_pair_up(struct diff_list before, struct diff_list after, diff_order *first,
                 diff_order *second, struct arena *arena, struct diff_pair **out, size_t *n)
{
    struct orders orders = {first, NULL};
    struct pointers a, b;
    struct diff_pair *pairs = arena_array(arena, before.n + after.n, sizeof(*pairs));

    *n = 0;
    *out = pairs;
    if (pairs == NULL || pointers_of(&a, before, arena) != CC_OK ||
        pointers_of(&b, after, arena) != CC_OK)
        return CC_ENOMEM;
    sort(&a, first, NULL);
    sort(&b, first, NULL);
    merge(&a, &b, first, pairs, n);
    if (second != NULL) {
        sort(&a, second, first);
        sort(&b, second, first);
        merge(&a, &b, second, pairs, n);
    }
    for (size_t i = 0; i < a.n; i++)
        pairs[(*n)++] = (struct diff_pair){a.p[i], NULL};
    for (size_t i = 0; i < b.n; i++)
        pairs[(*n)++] = (struct diff_pair){NULL, b.p[i]};
    if (*n > 1)
        qsort_r(pairs, *n, sizeof(*pairs), by_pair, &orders);
    return CC_OK;
}
