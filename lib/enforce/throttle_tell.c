#include "enforce/throttle_tell.h"

#include <time.h>

enum { POLICY_SHOWN = 64, DAY_MS = 86400000 };

static struct slice since(const struct buf *b, size_t start)
{
    return buf_error(b) == CC_OK ? slice_from(buf_slice(b), start) : SLICE_NONE;
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A String of Structured Fields (RFC 9651 3.3.3): printable ASCII, as `behind` is. */
static void add_string(struct buf *b, struct slice text, const char *behind)
{
    size_t i = 0;

    text = slice_first(text, POLICY_SHOWN);
    buf_add_char(b, '"');
    while (i < text.n) {
        size_t start = i;
        char c;

        while (i < text.n && is_plain(text.p[i]))
            i++;
        buf_add(b, slice_make(text.p + start, i - start));
        if (i == text.n)
            break;
        c = text.p[i++];
        if (c == '"' || c == '\\')
            buf_add_char(b, '\\');
        else
            c = '?';
        buf_add_char(b, c);
    }
    buf_add_str(b, behind);
    buf_add_char(b, '"');
}

/* So that a client that waits as long is not too early. */
static uint64_t seconds_up(int64_t us)
{
    return us > 0 ? ((uint64_t)us + 999999) / 1000000 : 0;
}

/* IMF-fixdate (RFC 9110 5.6.7), without a locale. */
static void add_date(struct buf *b, int64_t at_s)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)at_s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL)
        return;
    buf_printf(b, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
               months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* draft-ietf-httpapi-ratelimit-headers: the quota, its unit unless it is requests, its window
 * unless that is a month, whose length differs. A limit that has a burst alone, which is too short
 * to plan with, is told of when it refuses. */
int throttle_tell_prepare(struct throttle_limit *limit, struct arena *arena)
{
    const struct counter_rule *rule = &limit->rule;
    char room[THROTTLE_TOLD_BYTES / 2];
    size_t name_n, max_at;
    struct buf b;

    if (!limit->counts || rule->max == COUNTER_MAX_QUOTA)
        return CC_OK;
    buf_init_fixed(&b, room, sizeof(room));
    add_string(&b, limit->policy->name, "");
    name_n = b.n;
    buf_add_str(&b, ";q=");
    max_at = b.n;
    buf_add_u64(&b, rule->max);
    limit->told_max = arena_dup(arena, slice_from(buf_slice(&b), max_at));
    if (rule->unit == COUNTER_BYTES)
        buf_add_str(&b, ";qu=\"content-bytes\"");
    if (rule->months == 0) {
        buf_add_str(&b, ";w=");
        buf_add_u64(&b, (rule->window_ms + 999) / 1000);
    }
    CC_ASSERT(buf_error(&b) == CC_OK);
    limit->told_policy = arena_dup(arena, buf_slice(&b));
    limit->told_name = slice_first(limit->told_policy, name_n);
    return limit->told_policy.p != NULL && limit->told_max.p != NULL ? CC_OK : CC_ENOMEM;
}

static struct slice number(struct buf *texts, uint64_t n)
{
    size_t start = texts->n;

    buf_add_u64(texts, n);
    return since(texts, start);
}

/* What remains of the quota, and for how long: of both kinds of headers in one text. */
static void tell_state(struct attempt *a, const struct throttle_limit *limit,
                       const struct counter_state *state, struct buf *texts)
{
    const struct gw_throttling *settings = a->rules->throttle.settings;
    struct enforce_limits *out = &a->out->limits;
    struct slice remaining, reset;
    size_t start = texts->n;

    buf_add(texts, limit->told_name);
    buf_add_str(texts, ";r=");
    remaining = number(texts, state->remaining);
    buf_add_str(texts, ";t=");
    reset = number(texts, seconds_up(state->reset_us));
    if (settings->standard_headers) {
        out->policy = limit->told_policy;
        out->state = since(texts, start);
    }
    if (settings->legacy_headers) {
        out->limit = limit->told_max;
        out->remaining = remaining;
        out->reset = reset;
    }
}

/* Spike arrest refuses, whatever is left of the quota: then that is the limit to tell of. */
static __attribute__((cold)) void tell_burst(struct attempt *a, const struct throttle_limit *limit,
                                             const struct counter_state *state, struct buf *texts)
{
    const struct gw_throttling *settings = a->rules->throttle.settings;
    struct enforce_limits *out = &a->out->limits;
    struct slice name, max, policy, reset;
    size_t start = texts->n;

    add_string(texts, limit->policy->name, " (burst)");
    name = since(texts, start);
    buf_add_str(texts, ";q=");
    max = number(texts, limit->rule.burst_max);
    buf_add_str(texts, ";w=");
    buf_add_u64(texts, (limit->rule.burst_ms + 999) / 1000);
    policy = since(texts, start);
    start = texts->n;
    buf_add(texts, name);
    buf_add_str(texts, ";r=0;t=");
    reset = number(texts, seconds_up(state->retry_us));
    if (settings->standard_headers) {
        out->policy = policy;
        out->state = since(texts, start);
    }
    if (settings->legacy_headers) {
        out->limit = max;
        out->remaining = SLICE("0");
        out->reset = reset;
    }
}

void throttle_tell(struct attempt *a, const struct throttle_limit *limit,
                   const struct counter_state *state, bool refused, struct buf *texts)
{
    size_t start = texts->n;

    if (refused && state->retry_us >= 0) {
        /* a request without a body fits at any time, and is refused until there is room again */
        int64_t wait_us = state->retry_us > 0 ? state->retry_us : state->reset_us;

        add_date(texts, clock_wall_s(a->clock) + (int64_t)seconds_up(wait_us));
        a->out->limits.retry_after = since(texts, start);
    }
    if (refused && state->burst)
        tell_burst(a, limit, state, texts);
    else if (limit->told_policy.n > 0)
        tell_state(a, limit, state, texts);
}
