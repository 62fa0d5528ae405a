#include "gateway/intern.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

void intern_free(struct intern *in)
{
    free(in->texts);
    free(in->slots);
    *in = (struct intern){.texts = NULL};
}

/* The slot that holds `s`, or the free one where it belongs. */
static size_t slot_of(const struct intern *in, struct slice s)
{
    size_t mask = in->n_slots - 1, at = (size_t)hash_slice(&in->key, s) & mask;

    while (in->slots[at] != 0 && !slice_eq(in->texts[in->slots[at] - 1], s))
        at = (at + 1) & mask;
    return at;
}

static int grow(struct intern *in)
{
    size_t n_slots = in->n_slots > 0 ? 2 * in->n_slots : FIRST_SLOTS;
    struct slice *texts = realloc(in->texts, n_slots / 2 * sizeof(*texts));
    uint32_t *slots;

    if (texts == NULL)
        return CC_ENOMEM;
    in->texts = texts;
    slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return CC_ENOMEM;
    free(in->slots);
    in->slots = slots;
    if (in->n_slots == 0)
        hash_key_random(&in->key);
    in->n_slots = n_slots;
    for (size_t i = 0; i < in->n; i++)
        in->slots[slot_of(in, in->texts[i])] = (uint32_t)i + 1;
    return CC_OK;
}

bool intern_find(const struct intern *in, struct slice s, uint32_t *number)
{
    size_t at;

    if (in->n_slots == 0)
        return false;
    at = slot_of(in, s);
    if (in->slots[at] == 0)
        return false;
    *number = in->slots[at] - 1;
    return true;
}

int intern_put(struct intern *in, struct slice s, struct arena *arena, uint32_t *number)
{
    if (intern_find(in, s, number))
        return CC_OK;
    if (in->n == UINT32_MAX - 1)
        return CC_EFULL;
    if (2 * (in->n + 1) > in->n_slots && grow(in) != CC_OK)
        return CC_ENOMEM;
    if (arena != NULL) {
        s = arena_dup(arena, s);
        if (s.p == NULL)
            return CC_EFULL;
    }
    *number = (uint32_t)in->n;
    in->texts[in->n++] = s;
    in->slots[slot_of(in, s)] = *number + 1;
    return CC_OK;
}
