/* Clocks that a test can replace.
 *
 * Wall time (seconds since 1970) is for token times and logs only; monotonic time is for
 * time-outs, intervals and limits. Code that decides takes a `struct clock *` instead of asking the
 * system, so that a test can stand at any moment and `explain --at` can ask about any other. */
#pragma once

#include "base/slice.h"

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

/* Wall time as people write it: "2030-01-01T00:00:00Z" (RFC 3339), or seconds since 1970.
 * CC_EPARSE; also before 1970 and after the year 9999. */
int clock_parse(struct slice text, int64_t *wall_s);

/* The same the other way: "2030-01-01T00:00:00Z". False: there is no such date, and it is the
 * number. */
enum { CLOCK_TEXT = 32 };
bool clock_text(int64_t wall_s, char room[CLOCK_TEXT]);
