/* jwks_schedule: when a key set is fetched, and for how long it counts. Pure: times are given, in
 * microseconds of the monotonic clock.
 *
 *   - no two fetches begin within `interval`, whatever asks;
 *   - a good answer holds for max-age, not below `minimum_age` and not above `maximum_age`, and is
 *     then fetched again; a little earlier by chance, so that gateways do not all ask at once;
 *   - an unknown kid asks for a fetch as soon as `interval` allows;
 *   - after a failure it is tried again after `interval`, and the last answer counts for `stale`
 *     longer than it held. */
#pragma once

#include "base/base.h"

struct jwks_times {
    int64_t interval_us, minimum_age_us, maximum_age_us, stale_us;
};

struct jwks_schedule {
    bool in_flight, started; /* started: there was a fetch */
    bool wanted;
    int64_t last_us;    /* begin of the last fetch */
    int64_t refresh_us; /* fetch again then */
    int64_t until_us;   /* the set counts until then; 0: there is none */
};

/* No time of a schedule: later than any clock. */
#define JWKS_NEVER INT64_MAX

/* How long a set with this max-age (-1: none said) holds. */
int64_t jwks_age_us(const struct jwks_times *t, int64_t max_age_s);

/* When the next fetch is due; JWKS_NEVER while one is under way. Never before `last + interval`. */
int64_t jwks_schedule_due(const struct jwks_schedule *s, const struct jwks_times *t);

void jwks_schedule_want(struct jwks_schedule *s);
void jwks_schedule_start(struct jwks_schedule *s, int64_t now_us);
/* `chance` is any number. */
void jwks_schedule_success(struct jwks_schedule *s, const struct jwks_times *t, int64_t now_us,
                           int64_t max_age_s, uint32_t chance);
void jwks_schedule_failure(struct jwks_schedule *s);

/* A set that was saved: its server last said `ago_us` before now that it holds. False: it does not
 * count any more. The next fetch is due at once. */
bool jwks_schedule_restore(struct jwks_schedule *s, const struct jwks_times *t, int64_t now_us,
                           int64_t ago_us, int64_t max_age_s);
