#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t system_wall_s(const struct clock *self)
{
    struct timespec t;

    (void)self;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

static int64_t system_mono_us(const struct clock *self)
{
    struct timespec t;

    (void)self;
    clock_gettime(CLOCK_BOOTTIME, &t); /* CLOCK_MONOTONIC stands still while the machine sleeps */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

const struct clock clock_system = {system_wall_s, system_mono_us};

bool clock_text(int64_t wall_s, char room[CLOCK_TEXT])
{
    time_t t = (time_t)wall_s;
    struct tm utc;

    if (gmtime_r(&t, &utc) != NULL && strftime(room, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
        return true;
    snprintf(room, CLOCK_TEXT, "%lld", (long long)wall_s);
    return false;
}

/* `clock` is the first member, so the pointers are the same. */
static int64_t fixed_wall_s(const struct clock *self)
{
    return ((const struct clock_fixed *)(const void *)self)->now_wall_s;
}

static int64_t fixed_mono_us(const struct clock *self)
{
    return ((const struct clock_fixed *)(const void *)self)->now_mono_us;
}

void clock_fixed_init(struct clock_fixed *f, int64_t wall_s, int64_t mono_us)
{
    *f = (struct clock_fixed){{fixed_wall_s, fixed_mono_us}, wall_s, mono_us};
}
