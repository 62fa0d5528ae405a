#include "doc/doc_impl.h"

#include <stdlib.h>

enum { SLOTS_MIN = 64, ANCHORS_MIN = 16 };

/* The slot that holds `name`, or the free one where it belongs. The table is never full. */
static size_t find_slot(const struct doc_anchors *a, struct slice name)
{
    size_t i = (size_t)hash_slice(&a->key, name) & (a->n_slots - 1);

    while (a->slots[i] != 0 && !slice_eq(a->list[a->slots[i] - 1].name, name))
        i = (i + 1) & (a->n_slots - 1);
    return i;
}

static int grow_list(struct doc_anchors *a)
{
    size_t cap = a->cap == 0 ? ANCHORS_MIN : a->cap * 2;
    struct doc_anchor *list = reallocarray(a->list, cap, sizeof(*list));

    if (list == NULL)
        return CC_ENOMEM;
    a->list = list;
    a->cap = cap;
    return CC_OK;
}

static int grow_slots(struct doc_anchors *a)
{
    size_t n_slots = a->n_slots == 0 ? SLOTS_MIN : a->n_slots * 2;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));

    if (slots == NULL)
        return CC_ENOMEM;
    if (a->n_slots == 0)
        hash_key_random(&a->key);
    free(a->slots);
    a->slots = slots;
    a->n_slots = n_slots;
    for (size_t i = 0; i < a->n; i++) /* in order, so that the last definition stays */
        a->slots[find_slot(a, a->list[i].name)] = (uint32_t)i + 1;
    return CC_OK;
}

/* The number of anchors needs no limit of its own: each takes two bytes of a bounded text. */
int doc_anchors_add(struct doc_anchors *a, struct slice name, size_t *index)
{
    if (a->n == a->cap && grow_list(a) != CC_OK)
        return CC_ENOMEM;
    if (2 * (a->n + 1) > a->n_slots && grow_slots(a) != CC_OK)
        return CC_ENOMEM;
    a->list[a->n] = (struct doc_anchor){name, NULL, 0, 0};
    a->slots[find_slot(a, name)] = (uint32_t)a->n + 1;
    *index = a->n++;
    return CC_OK;
}

const struct doc_anchor *doc_anchors_find(const struct doc_anchors *a, struct slice name)
{
    uint32_t found = a->n_slots == 0 ? 0 : a->slots[find_slot(a, name)];

    return found == 0 ? NULL : &a->list[found - 1];
}

void doc_anchors_free(struct doc_anchors *a)
{
    free(a->list);
    free(a->slots);
    *a = (struct doc_anchors){0};
}
