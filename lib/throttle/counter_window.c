#include "throttle/counter_internal.h"

/* Shape of a rule: all that its windows depend on but the quota. */

#define SHAPE_SLIDING (UINT64_C(1) << 63)
enum { SHAPE_MONTHS_AT = 56, SHAPE_MONTHS = 15 };
#define SHAPE_MS ((UINT64_C(1) << SHAPE_MONTHS_AT) - 1)

static const int64_t DAY_US = INT64_C(86400000000);

uint64_t shape_of(const struct counter_rule *rule)
{
    uint64_t length =
        rule->months > 0 ? (uint64_t)rule->months << SHAPE_MONTHS_AT : rule->window_ms;

    return length | (rule->window == COUNTER_SLIDING ? SHAPE_SLIDING : 0);
}

bool shape_is_sliding(uint64_t shape)
{
    return (shape & SHAPE_SLIDING) != 0;
}

bool shape_is_valid(uint64_t shape)
{
    uint64_t length = shape & ~SHAPE_SLIDING, months = length >> SHAPE_MONTHS_AT;

    if (months > 0)
        return months <= COUNTER_MAX_MONTHS && (length & SHAPE_MS) == 0;
    return length > 0 && length <= COUNTER_MAX_WINDOW_MS;
}

int64_t shape_length_us(uint64_t shape, int64_t wall_s)
{
    unsigned months = (unsigned)(shape >> SHAPE_MONTHS_AT) & SHAPE_MONTHS;

    if (months == 0)
        return (int64_t)(shape & SHAPE_MS) * 1000;
    if (shape_is_sliding(shape))
        return (int64_t)months * SLIDING_MONTH_DAYS * DAY_US;
    return (calendar_add_months(wall_s, months) - wall_s) * 1000000;
}

/* Sliding windows
 *
 * The quota is cut into k = min(max, CHUNKS) chunks of max/k, rounded so that they add up to max.
 * Of each chunk that has been used up, the time of its last request is kept; all of the chunk is
 * taken to be as young as that, and gives its quota back when that request is as old as the window
 * is long. So `used` is at least what was admitted within the window before now, for every now:
 * were more than max admitted in some stretch of that length, then so they were in the one that
 * ends with the last of these requests, which was only admitted because `used` said otherwise.
 *
 * What it costs: a request that is refused although an exact log would admit it waits for the rest
 * of its chunk. Who asks at r times the rate of the quota uses up a chunk in 1/(r k) of the window,
 * and is set back by that in each window: of twice its quota he gets 1/(1 + 1/2k), 99.2 %.
 *
 * Marks are in ticks, of a microsecond up to windows of 4 minutes, and of 2^-28 of longer ones:
 * rounded up when they are written, so that a chunk is only ever taken to be younger than it is. Of
 * two marks that are compared, none is older than two windows (the window closes when its latest
 * request is older than one, and each request expires what is due), so that 32 bits tell which is
 * the earlier. */

enum { TICK_BITS = 28 };

static int64_t sliding_length_us(uint64_t shape)
{
    return shape_length_us(shape, 0);
}

int64_t sliding_tick_us(uint64_t shape)
{
    return (sliding_length_us(shape) >> TICK_BITS) + 1;
}

static int64_t sliding_length_ticks(uint64_t shape)
{
    int64_t tick = sliding_tick_us(shape);

    return (sliding_length_us(shape) + tick - 1) / tick;
}

uint64_t sliding_chunks(uint64_t max)
{
    return max < CHUNKS ? max : CHUNKS;
}

/* All of the quota before chunk number i. */
static uint64_t sliding_before(uint64_t max, uint64_t i)
{
    return i * max / sliding_chunks(max);
}

uint64_t sliding_sum(uint64_t max, uint64_t head, uint64_t full)
{
    uint64_t k = sliding_chunks(max);

    if (max == 0)
        return 0;
    return head + full <= k
               ? sliding_before(max, head + full) - sliding_before(max, head)
               : max - (sliding_before(max, head) - sliding_before(max, head + full - k));
}

static void sliding_expire(struct counter_entry *e, const struct counter_marks *marks,
                           int64_t now_us)
{
    int64_t tick = sliding_tick_us(e->shape), length = sliding_length_ticks(e->shape);
    uint32_t now = (uint32_t)(uint64_t)(now_us / tick);

    while (e->full > 0 && (int32_t)(now - marks->tick[e->head]) >= length) {
        CC_ASSERT(e->max > 0); /* nothing is full of no quota: full <= sliding_chunks(max) */
        e->used -= sliding_sum(e->max, e->head, 1);
        e->head = (uint8_t)((e->head + 1u) % sliding_chunks(e->max));
        e->full--;
    }
}

/* Counts `cost`, which with `used` is at most max, as of at_us. */
static void sliding_use(struct counter_entry *e, struct counter_marks *marks, uint64_t cost)
{
    int64_t tick = sliding_tick_us(e->shape);
    uint32_t at = (uint32_t)(uint64_t)((e->at_us + tick - 1) / tick);
    uint64_t k = sliding_chunks(e->max);

    e->used += cost;
    for (uint64_t sum = sliding_sum(e->max, e->head, e->full); e->full < k; e->full++) {
        uint64_t next = (e->head + e->full) % k;

        sum += sliding_sum(e->max, next, 1);
        if (sum > e->used)
            return;
        marks->tick[next] = at;
    }
}

void window_close(struct counter_entry *e)
{
    e->used = 0;
    e->takes = 0;
    e->head = e->full = 0;
    e->end_us = 0;
}

void window_expire(struct counter_entry *e, struct counter_marks *marks, int64_t now_us)
{
    if (now_us >= e->end_us)
        window_close(e);
    else if (shape_is_sliding(e->shape))
        sliding_expire(e, marks, now_us);
    if (now_us >= e->burst_end_us) {
        e->burst_used = 0;
        e->burst_end_us = 0;
    }
}

/* The rule has changed while the window is open: what was used is kept, and taken to be as young as
 * the latest of it wherever its times are not known. */
static void window_reshape(struct counter_entry *e, struct counter_marks *marks,
                           const struct counter_rule *rule, struct counter_time now)
{
    uint64_t shape = shape_of(rule), used = e->used;
    bool was_fixed = !shape_is_sliding(e->shape);
    int64_t now_us = inner_us(now);
    int64_t at_us = was_fixed && shape_is_sliding(shape) && e->takes > 1 ? e->asked_us : e->at_us;

    if (was_fixed && shape == e->shape) {
        e->max = rule->max;
        return;
    }
    e->shape = shape;
    e->max = rule->max;
    e->head = e->full = 0;
    e->at_us = at_us;
    e->end_us = at_us + shape_length_us(shape, now.wall_s - (now_us - at_us) / 1000000);
    if (shape_is_sliding(shape)) {
        e->used = 0;
        sliding_use(e, marks, used < e->max ? used : e->max);
        e->used = used; /* more than the quota: until the window closes, or the quota is as large */
    }
    if (now_us >= e->end_us)
        window_close(e);
}

/* A quota of bytes has become one of requests: millions of the ones are none of the others, and who
 * sent them would be refused until the window ends. The other way there is nothing to do: so many
 * requests are that many bytes at least, or nearly. */
static void window_recount(struct counter_entry *e, struct counter_marks *marks)
{
    uint64_t requests = e->takes < e->used ? e->takes : e->used;

    e->used = 0;
    e->head = e->full = 0;
    if (shape_is_sliding(e->shape))
        sliding_use(e, marks, requests);
    else
        e->used = requests;
}

void window_refresh(struct counter_entry *e, struct counter_marks *marks,
                    const struct counter_rule *rule, struct counter_time now)
{
    window_expire(e, marks, inner_us(now));
    if (e->end_us != 0 && e->bytes && rule->unit == COUNTER_REQUESTS)
        window_recount(e, marks);
    if (e->max != rule->max || e->shape != shape_of(rule)) {
        if (e->end_us != 0)
            window_reshape(e, marks, rule, now);
        e->max = rule->max;
        e->shape = shape_of(rule);
    }
    e->bytes = rule->unit == COUNTER_BYTES;
    e->mode = (uint8_t)rule->mode;
    e->burst_max = rule->burst_max;
}

void window_use(struct counter_entry *e, struct counter_marks *marks,
                const struct counter_rule *rule, uint64_t cost, struct counter_time now)
{
    int64_t now_us = inner_us(now);

    /* Threads read the clock before they wait for the lock: another one may have been here with a
     * later time, which then is the time of this request too. */
    if (e->end_us == 0 || (shape_is_sliding(e->shape) && e->at_us < now_us))
        e->at_us = now_us;
    if (e->end_us == 0 || shape_is_sliding(e->shape))
        e->end_us = e->at_us + shape_length_us(e->shape, now.wall_s);
    if (shape_is_sliding(e->shape))
        sliding_use(e, marks, cost);
    else
        e->used += cost;
    if (e->takes < UINT32_MAX)
        e->takes++;
    if (rule->burst_max > 0) {
        if (e->burst_end_us == 0)
            e->burst_end_us = now_us + (int64_t)rule->burst_ms * 1000;
        e->burst_used++;
    }
}

/* From which moment on the oldest chunks are free whose quota makes `cost` fit. */
static int64_t sliding_retry_us(const struct counter_entry *e, const struct counter_marks *marks,
                                uint64_t cost, int64_t now_us)
{
    int64_t tick = sliding_tick_us(e->shape), length = sliding_length_ticks(e->shape);
    uint64_t k = sliding_chunks(e->max);

    for (uint64_t i = 1; i <= e->full; i++) {
        uint32_t mark = marks->tick[(e->head + i - 1) % k];

        if (e->used - sliding_sum(e->max, e->head, i) + cost <= e->max) {
            int64_t age = (int32_t)((uint32_t)(uint64_t)(now_us / tick) - mark);
            int64_t wait = (length - age) * tick - now_us % tick;

            return wait < e->end_us - now_us ? wait : e->end_us - now_us;
        }
    }
    return e->end_us - now_us;
}

int64_t window_retry_us(const struct counter_entry *e, const struct counter_marks *marks,
                        uint64_t cost, int64_t now_us)
{
    if (cost > e->max)
        return -1;
    if (e->used + cost <= e->max)
        return 0;
    return shape_is_sliding(e->shape) ? sliding_retry_us(e, marks, cost, now_us)
                                      : e->end_us - now_us;
}
