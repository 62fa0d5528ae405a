/* diff_pair: which element of one list is which of another. Internal to diff. */
#pragma once

#include "base/base.h"

/* An element of each list; NULL: it has no counterpart. */
struct diff_pair {
    const void *before, *after;
};

/* The order of two elements: 0 when they are the same to a client. */
typedef int diff_order(const void *a, const void *b);

struct diff_list {
    const void *items;
    size_t n, size;
};

/* Pairs the elements that `first` calls equal, then among what is left those that `second` (may be
 * NULL) calls equal. The pairs come in the order of `first`, what is gone before what is new.
 * Sorts and merges: n log n. CC_ENOMEM. */
int diff_pair_up(struct diff_list before, struct diff_list after, diff_order *first,
                 diff_order *second, struct arena *arena, struct diff_pair **out, size_t *n);
