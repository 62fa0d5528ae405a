#include "enforce/throttle_tell.h"

#include <time.h>

enum { POLICY_SHOWN = 64, DAY_MS = 86400000 };

static struct slice since(const struct buf *b, size_t start)
{
    return buf_error(b) == CC_OK ? slice_from(buf_slice(b), start) : SLICE_NONE;
}

/* printf() would take longer than all the rest of it. */
static void add_parameter(struct buf *b, const char *name, uint64_t value)
{
    buf_add_str(b, name);
    buf_add_u64(b, value);
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A String of Structured Fields (RFC 9651 3.3.3): printable ASCII. */
static void add_string(struct buf *b, struct slice text)
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
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)at_s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL)
        return;
    buf_printf(b, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
               months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* draft-ietf-httpapi-ratelimit-headers: the quota, its unit unless it is requests, its window
 * unless that is a month, whose length differs; what remains of it, and for how long. */
static void tell_standard(struct enforce_limits *out, const struct gw_policy *p,
                          const struct counter_rule *rule, const struct counter_state *state,
                          struct buf *texts)
{
    size_t start = texts->n;

    add_string(texts, p->name);
    add_parameter(texts, ";q=", state->max);
    if (rule->unit == COUNTER_BYTES)
        buf_add_str(texts, ";qu=\"content-bytes\"");
    if (rule->months == 0)
        add_parameter(texts, ";w=", (rule->window_ms + 999) / 1000);
    out->policy = since(texts, start);
    start = texts->n;
    add_string(texts, p->name);
    add_parameter(texts, ";r=", state->remaining);
    add_parameter(texts, ";t=", seconds_up(state->reset_us));
    out->state = since(texts, start);
}

static struct slice number(struct buf *texts, uint64_t n)
{
    size_t start = texts->n;

    buf_add_u64(texts, n);
    return since(texts, start);
}

void throttle_tell(struct attempt *a, const struct gw_policy *p, const struct counter_rule *rule,
                   const struct counter_state *state, bool refused, struct buf *texts)
{
    const struct gw_throttling *settings = a->rules->throttle.settings;
    struct enforce_limits *out = &a->out->limits;
    size_t start = texts->n;

    if (refused && state->retry_us >= 0) {
        /* a request without a body fits at any time, and is refused until there is room again */
        int64_t wait_us = state->retry_us > 0 ? state->retry_us : state->reset_us;

        add_date(texts, clock_wall_s(a->clock) + (int64_t)seconds_up(wait_us));
        out->retry_after = since(texts, start);
    }
    if (rule->max == COUNTER_MAX_QUOTA) /* it has a burst alone, which is too short to plan with */
        return;
    if (settings->standard_headers)
        tell_standard(out, p, rule, state, texts);
    if (settings->legacy_headers) {
        out->limit = number(texts, state->max);
        out->remaining = number(texts, state->remaining);
        out->reset = number(texts, seconds_up(state->reset_us));
    }
}
