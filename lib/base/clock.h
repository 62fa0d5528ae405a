/* Clocks that a test can replace.
 *
 * Wall time (seconds since 1970) is for token times and logs only; monotonic time is for
 * time-outs, intervals and limits. Code that decides takes a `struct clock *` instead of asking the
 * system, so that a test can stand at any moment and `explain --at` can ask about any other. */
#pragma once

#include <stdint.h>

struct clock {
    int64_t (*wall_s)(const struct clock *self);  /* seconds since 1970-01-01 UTC */
    int64_t (*mono_us)(const struct clock *self); /* microseconds since boot, asleep or not */
};

/* The system's clocks. */
extern const struct clock clock_system;

/* A clock that stands still at values the owner sets. */
struct clock_fixed {
    struct clock clock; /* pass &f->clock */
    int64_t now_wall_s;
    int64_t now_mono_us;
};

void clock_fixed_init(struct clock_fixed *f, int64_t wall_s, int64_t mono_us);

static inline int64_t clock_wall_s(const struct clock *c)
{
    return c->wall_s(c);
}

static inline int64_t clock_mono_us(const struct clock *c)
{
    return c->mono_us(c);
}
