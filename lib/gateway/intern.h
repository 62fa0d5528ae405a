/* Interning: equal texts become one, numbered in the order of first appearance. Internal to the
 * snapshot: the writer numbers files with it, the reader stores each text once and finds clusters
 * by name. */
#pragma once

#include "base/base.h"

struct intern {
    struct hash_key key;
    struct slice *texts; /* [n] */
    uint32_t *slots;     /* number + 1; 0 = free */
    size_t n, n_slots;   /* n_slots: a power of two, at least twice n */
};

/* Zero memory is an empty set. */
void intern_free(struct intern *in);

/* The number of `s`, if it is there. */
bool intern_find(const struct intern *in, struct slice s, uint32_t *number);

/* The number of `s`, which is added when it is new: a copy in `arena`, or, when that is NULL, `s`
 * itself, which must outlive the set. CC_ENOMEM, CC_EFULL (the arena). */
int intern_put(struct intern *in, struct slice s, struct arena *arena, uint32_t *number);
