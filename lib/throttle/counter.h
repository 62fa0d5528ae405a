/* counter: how much of its limits each key has used. The one table that counts for throttling.
 *
 * A *rule* says how much (10 requests), in which time (a minute), and what happens beyond it. A
 * *key* says whose requests are counted together: policy and user, say, as one text. counter_take()
 * asks for one request on behalf of up to 16 keys at once, all or none: a request that one limit
 * refuses uses nothing of the others.
 *
 *     static const struct counter_rule ten = {.max = 10, .window_ms = 60000};
 *     struct counter_limit limits[] = {{&ten, SLICE("app:10PerMin:42:alice"), NULL}};
 *     struct counter_result result;
 *
 *     counter_take(table, limits, 1, 0, counter_now(&clock_system), &result);
 *     if (result.refused >= 0) ... 429, try again in result.state.retry_us
 *
 * Windows. A *fixed* window opens with the first request that finds none open, and closes its
 * length later; in it at most `max` are admitted. Two such windows may meet, so that shortly around
 * the seam up to twice `max` pass. A *sliding* window has no seam: in no stretch of time as long as
 * the window are more than `max` admitted, wherever it begins. It is told from 64 marks: up to
 * quotas of 64 as if each request were remembered, above that it errs to the strict side, and a key
 * that asks without end for twice its quota gets at least 99 % of what it would get then. Months
 * are calendar months in UTC from the moment the window opens, 31 January to 28 February; a sliding
 * month is 31 days. Time is monotonic and runs on while the machine sleeps; the wall clock is asked
 * only how long the month is that begins now. So no step of it opens or closes a window.
 *
 * Memory is taken once, by counter_table_new(), and never grows: see counter_table_bytes(). Keys
 * are found by a 128-bit keyed hash, whose secret nobody outside knows; the text is kept, cut to
 * COUNTER_LABEL_BYTES, for people only. When there is no room for a new key, in this order:
 *   1. the place of a key with no open window: nothing is lost, its count was over;
 *   2. of keys asked for once in their open window, then of those that used at most a sixteenth of
 *      their quota, the one idle for longest; what it had used is forgotten, at most that
 *      sixteenth or one request. A flood of keys thus only pushes out itself.
 *   3. no place: everything here is in use and stays. The newcomer then counts together with all
 *      other newcomers of this part of the table under rules of the same shape, as if they were one
 *      key: fewer are admitted than might be, never more (state.shared tells).
 * Keys at their limit, and keys in use, thus keep their place, whoever asks for how many others.
 *
 * Threads: all calls may be made from all threads. The table is cut into shards with a lock each;
 * counter_take() takes those of its keys in ascending order, holds them for well below a
 * microsecond, and makes no system call but to sleep for a lock whose holder the kernel has set
 * aside. No call but counter_table_new() and those of counter_state.h allocates. Rules and key
 * texts are the caller's and are not kept. */
#pragma once

#include "base/base.h"

enum {
    COUNTER_MAX_LIMITS = 16,  /* of one request */
    COUNTER_LABEL_BYTES = 88, /* of a key's text that are kept */
    COUNTER_MAX_MONTHS = 12,
    COUNTER_MIN_KEYS = 1024, /* the smallest table */
    COUNTER_MAX_KEYS = 1 << 26
};

#define COUNTER_MAX_QUOTA     (UINT64_C(1) << 53)        /* also exact in JSON and Lua */
#define COUNTER_MAX_WINDOW_MS (UINT64_C(366) * 86400000) /* a year */

enum counter_unit { COUNTER_REQUESTS, COUNTER_BYTES };
enum counter_window { COUNTER_FIXED, COUNTER_SLIDING };

/* What happens to a request beyond the limit. The last two let it pass without using quota, and
 * tell (counter_result.over): SHADOW is for trying a limit out, NO_STOP for quotas that are billed.
 */
enum counter_mode { COUNTER_ENFORCE, COUNTER_SHADOW, COUNTER_NO_STOP };

/* Of shared limits (counter_share.h), while nobody can be asked. LOCAL: each gateway counts by
 * itself, up to its part of the quota, max / gateways. DENY: refused. ALLOW: there is no limit. */
enum counter_away { COUNTER_AWAY_UNSET, COUNTER_AWAY_LOCAL, COUNTER_AWAY_DENY, COUNTER_AWAY_ALLOW };

/* Bounds: max up to COUNTER_MAX_QUOTA, window_ms 1 to COUNTER_MAX_WINDOW_MS unless months is set.
 * max 0 refuses everything. Other values are a broken program: cc-gen and the snapshot's reader
 * check. */
struct counter_rule {
    uint64_t max;       /* requests or bytes */
    uint64_t window_ms; /* not looked at when months > 0 */
    uint32_t months;    /* 1 to COUNTER_MAX_MONTHS; 0: window_ms counts */
    uint32_t burst_max; /* spike arrest: requests in burst_ms from the first one; 0: none */
    uint32_t burst_ms;
    enum counter_unit unit;
    enum counter_window window;
    enum counter_mode mode;
    enum counter_away away; /* UNSET: as for all */
};

/* What a key is found by, as long as the table lives: see counter_know(). */
struct counter_known {
    uint64_t hash[2];
    uint32_t place; /* where it was last; only a hint, which the table writes */
};

struct counter_limit {
    const struct counter_rule *rule;
    struct slice key;            /* policy and whom it is about; all different in one request */
    struct counter_known *known; /* of the key, from who has kept it; or NULL */
};

/* Both clocks at one moment. */
struct counter_time {
    int64_t mono_us, wall_s;
};

static inline struct counter_time counter_now(const struct clock *clock)
{
    return (struct counter_time){clock_mono_us(clock), clock_wall_s(clock)};
}

/* Where one limit stands. */
struct counter_state {
    uint64_t max, used, remaining; /* in the rule's unit, after the request */
    int64_t reset_us;              /* until all of the quota is free again; 0: it is */
    int64_t retry_us; /* until a request like this one fits, if nobody else asks; 0: now; -1: never,
                         it is larger than the quota */
    bool burst;       /* spike arrest is what is in the way */
    bool shared;      /* counted together with others, for want of room */
    bool away;        /* of a shared limit: it refuses because nobody can be asked */
    bool known;       /* the table has an entry of this key */
};

struct counter_result {
    int refused;  /* index of the first limit that refuses; -1: admitted */
    int tightest; /* index of the limit that `state` is of: the one that refused, else of those that
                     enforce the one that more requests like this one use up first; -1: none */
    uint32_t over; /* bit i: limits[i] is exceeded, whatever its mode */
    struct counter_state state;
};

struct counter_table;

/* A table with room for at least `keys` keys with open windows. CC_EINVAL out of bounds, CC_ENOMEM.
 */
int counter_table_new(struct counter_table **out, size_t keys);
void counter_table_free(struct counter_table **t);

/* What the table takes at most, ever. Pages are used as keys come; half of it is for sliding
 * windows, and stays untouched where there are none. */
size_t counter_table_bytes(const struct counter_table *t);

/* For who asks for the same key again and again: finding it is the larger part of the work. */
void counter_know(const struct counter_table *t, struct slice key, struct counter_known *out);

/* Asks for one request of `bytes` bytes (what limits in bytes count; 0 is free) on behalf of n
 * limits. */
void counter_take(struct counter_table *t, const struct counter_limit *limits, size_t n,
                  uint64_t bytes, struct counter_time now, struct counter_result *out);

/* Where the n limits stand, without asking for anything: states[i] is that of limits[i], with
 * retry_us of one request of `bytes` bytes. */
void counter_peek(struct counter_table *t, const struct counter_limit *limits, size_t n,
                  uint64_t bytes, struct counter_time now, struct counter_state *states);

/* Insight */

/* A key with an open window. */
struct counter_row {
    char label[COUNTER_LABEL_BYTES + 1]; /* the key's text, cut; printable ASCII or '?' */
    bool cut, sliding, bytes, shared;
    enum counter_mode mode; /* when it was asked for last */
    enum counter_away away; /* of a shared key; UNSET: the key is not shared */
    uint64_t max, used;
    uint64_t others;    /* used by other gateways, as far as is known here */
    uint64_t overshoot; /* of a shared key: by how much at most all gateways exceed its quota */
    uint64_t over;      /* requests that were beyond it, since it is in the table */
    uint32_t burst_max, burst_used;      /* of spike arrest at the moment; 0: it has none */
    int64_t reset_us, idle_us, burst_us; /* burst_us: until spike arrest begins anew */
};

enum { COUNTER_MAX_ROWS = 1000 };

/* Up to n <= COUNTER_MAX_ROWS keys whose text has `part` in it (none: all), those that used most of
 * their quota first. Returns how many. Looks at the whole table, a shard at a time. */
size_t counter_top(struct counter_table *t, struct slice part, struct counter_time now,
                   struct counter_row *rows, size_t n);

/* One key by its whole text. */
bool counter_find(struct counter_table *t, struct slice key, struct counter_time now,
                  struct counter_row *row);

/* How a request like this one would fare with one key. */
struct counter_look {
    struct counter_row row;     /* its label is filled when state.known, all else when `told` */
    struct counter_state state; /* by the rule that it was asked by last; else the one given */
    bool told;                  /* there is such a rule; if not, only state.shared tells */
    bool fits;                  /* it is not beyond the limit, whatever its mode */
    bool gateways, strict; /* several count together; and each request asks: counter_strict.h */
};

/* Looks at a key by its whole text, for a request of `bytes` bytes, and changes nothing. `rule` is
 * for a key that has no open window; NULL: it is not known. state.shared: newcomers to this part of
 * the table count together at the moment. With `strict` it tells what would be decided if nobody
 * could be asked. */
void counter_look(struct counter_table *t, struct slice key, const struct counter_rule *rule,
                  uint64_t bytes, struct counter_time now, struct counter_look *out);

/* Forgets what a key has used: it has its whole quota again. False when it is not there. */
bool counter_clear(struct counter_table *t, struct slice key);

/* Since creation; each is rising but `keys`. */
#define COUNTER_TOTALS(X)                                               \
    X(keys, "keys in the table")                                        \
    X(admitted, "requests admitted")                                    \
    X(refused, "requests refused")                                      \
    X(passed, "requests beyond a limit that does not enforce")          \
    X(forgotten, "idle keys forgotten in an open window, to make room") \
    X(shared, "requests counted together with others, because there was no room")

struct counter_totals {
#define X(name, help) uint64_t name;
    COUNTER_TOTALS(X)
#undef X
};

void counter_totals(struct counter_table *t, struct counter_totals *out);
