#include "enforce/deny_list.h"

#include "base/serial.h"

#include <stdatomic.h>
#include <stdlib.h>

struct deny_list {
    atomic_uint references;
    uint64_t serial;
    struct arena *arena;
    struct gw_deny_rule *rules;
    size_t n;
    struct deny_set *set;
};

static int copy(struct deny_list *l, const struct gw_deny_rule *rules, size_t n)
{
    size_t bytes = deny_set_bytes(n) + n * (sizeof(*rules) + 32) + 4096;

    for (size_t i = 0; i < n; i++)
        bytes += rules[i].value.n;
    l->arena = arena_new(bytes);
    l->rules = l->arena != NULL ? arena_array(l->arena, n, sizeof(*l->rules)) : NULL;
    if (l->rules == NULL)
        return CC_ENOMEM;
    for (; l->n < n; l->n++) {
        l->rules[l->n] = rules[l->n];
        l->rules[l->n].origin = PLACE_NONE;
        l->rules[l->n].value = arena_dup(l->arena, rules[l->n].value);
        if (l->rules[l->n].value.p == NULL)
            return CC_ENOMEM;
    }
    l->set = deny_set_new(l->rules, n, l->arena);
    return l->set != NULL ? CC_OK : CC_EINVAL;
}

int deny_list_new(struct deny_list **out, const struct gw_deny_rule *rules, size_t n)
{
    struct deny_list *l = calloc(1, sizeof(*l));
    int rc = CC_ENOMEM;

    if (l == NULL)
        return rc;
    atomic_init(&l->references, 1);
    l->serial = serial_next();
    rc = copy(l, rules, n);
    if (rc == CC_OK)
        *out = l;
    else
        deny_list_unref(&l);
    return rc;
}

struct deny_list *deny_list_ref(struct deny_list *l)
{
    /* Relaxed: who takes a reference holds one already, so nothing can be freed meanwhile. */
    atomic_fetch_add_explicit(&l->references, 1, memory_order_relaxed);
    return l;
}

void deny_list_unref(struct deny_list **pl)
{
    struct deny_list *l = *pl;

    *pl = NULL;
    /* Release: what this holder did comes before; acquire: the one that frees sees it all. */
    if (l == NULL || atomic_fetch_sub_explicit(&l->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&l->arena);
    free(l);
}

uint64_t deny_list_serial(const struct deny_list *l)
{
    return l->serial;
}

const struct deny_set *deny_list_set(const struct deny_list *l)
{
    return l->set;
}

size_t deny_list_count(const struct deny_list *l)
{
    return l->n;
}

const struct gw_deny_rule *deny_list_at(const struct deny_list *l, size_t i)
{
    return &l->rules[i];
}
