/* complaint: a fault that comes again and again is in the log when it comes first, and from then on
 * once a minute at most, with how often it came.
 *
 *     times = complaint_due(&r->refused, clock_mono_us(&clock_system));
 *     if (times > 0)
 *         log_error("redis refuses; %llu times since this was said last", ...);
 *
 * One thread's. All zero is one that never came. */
#pragma once

#include <stdint.h>

#define COMPLAINT_US (INT64_C(60) * 1000000)

struct complaint {
    int64_t quiet_until_us;
    uint64_t unsaid;
};

/* It came. 0: nothing is to be said; else how often it came since something was. */
static inline uint64_t complaint_due(struct complaint *c, int64_t now_us)
{
    uint64_t times = ++c->unsaid;

    if (now_us < c->quiet_until_us)
        return 0;
    c->quiet_until_us = now_us + COMPLAINT_US;
    c->unsaid = 0;
    return times;
}
