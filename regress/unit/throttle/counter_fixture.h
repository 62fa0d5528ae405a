/* What the tests of the counter share. */
#pragma once

#include "throttle/counter.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MS = 1000, SECOND = 1000000, MINUTE = 60 * SECOND };

/* A number of its own for each test: the same in each run, so that a failure can be repeated. */
struct dice {
    uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d, uint64_t below)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (d->state >> 16) % below;
}

static inline struct counter_time at_us(int64_t us)
{
    return (struct counter_time){us, 1700000000 + us / SECOND};
}

static inline struct counter_table *table_of(size_t keys)
{
    struct counter_table *t = NULL;

    assert_int_equal(counter_table_new(&t, keys), CC_OK);
    return t;
}

/* One request under one rule. */
static inline struct counter_result take(struct counter_table *t, const struct counter_rule *rule,
                                         const char *key, uint64_t bytes, struct counter_time now)
{
    const struct counter_limit limit = {rule, slice_of(key), NULL};
    struct counter_result result;

    counter_take(t, &limit, 1, bytes, now, &result);
    return result;
}

static inline bool admitted(struct counter_table *t, const struct counter_rule *rule,
                            const char *key, int64_t us)
{
    return take(t, rule, key, 0, at_us(us)).refused < 0;
}

/* How many of n requests at one moment are. */
static inline unsigned admitted_of(struct counter_table *t, const struct counter_rule *rule,
                                   const char *key, unsigned n, int64_t us)
{
    unsigned good = 0;

    while (n-- > 0)
        good += admitted(t, rule, key, us);
    return good;
}
