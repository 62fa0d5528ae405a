#include "spoa/jwks_schedule.h"

enum { EARLY_PARTS = 10 }; /* a refresh may come this part of its age earlier */

int64_t jwks_age_us(const struct jwks_times *t, int64_t max_age_s)
{
    int64_t age_us = max_age_s < 0 || max_age_s > t->maximum_age_us / 1000000 ? t->maximum_age_us
                                                                              : max_age_s * 1000000;

    return age_us < t->minimum_age_us ? t->minimum_age_us : age_us;
}

int64_t jwks_schedule_due(const struct jwks_schedule *s, const struct jwks_times *t)
{
    int64_t due_us = s->wanted ? 0 : s->refresh_us;

    if (s->in_flight)
        return JWKS_NEVER;
    if (!s->started)
        return 0;
    return due_us > s->last_us + t->interval_us ? due_us : s->last_us + t->interval_us;
}

void jwks_schedule_want(struct jwks_schedule *s)
{
    s->wanted = true;
}

void jwks_schedule_start(struct jwks_schedule *s, int64_t now_us)
{
    s->in_flight = s->started = true;
    s->wanted = false;
    s->last_us = now_us;
}

void jwks_schedule_success(struct jwks_schedule *s, const struct jwks_times *t, int64_t now_us,
                           int64_t max_age_s, uint32_t chance)
{
    int64_t age_us = jwks_age_us(t, max_age_s);

    s->in_flight = false;
    s->refresh_us = now_us + age_us - (int64_t)(chance % 1000) * (age_us / EARLY_PARTS) / 1000;
    s->until_us = now_us + age_us + t->stale_us;
}

void jwks_schedule_failure(struct jwks_schedule *s)
{
    s->in_flight = false;
    s->refresh_us = 0; /* as soon as the interval allows */
}

bool jwks_schedule_restore(struct jwks_schedule *s, const struct jwks_times *t, int64_t now_us,
                           int64_t ago_us, int64_t max_age_s)
{
    int64_t left_us = jwks_age_us(t, max_age_s) + t->stale_us - ago_us;

    if (ago_us < 0 || left_us <= 0)
        return false;
    s->until_us = now_us + left_us;
    return true;
}
