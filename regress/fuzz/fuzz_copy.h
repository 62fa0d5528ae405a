/* Copies in memory of their own, so that a read behind the end of a text is found. */
#pragma once

#include "base/base.h"

#include <stdlib.h>

/* free() its p. */
static inline struct slice copy_of(struct slice s)
{
    char *copy = malloc(s.n + (s.n == 0));

    CC_ASSERT(copy != NULL);
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    return slice_make(copy, s.n);
}
