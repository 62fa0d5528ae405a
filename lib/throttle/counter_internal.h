/* What the files of the counter share (private to throttle).
 *
 *     table -> shards -> 64 buckets of 16 places, and 16 shared entries
 *
 * A key's hash names one shard and two buckets in it; the key is in one of the two, in the emptier
 * one when it came. With two choices buckets fill so evenly (Azar et al., "Balanced Allocations",
 * 1999) that KEYS_PER_SHARD keys of 1024 places find room in practice always; a unit test fills
 * tables. */
#pragma once

#include "throttle/counter.h"

#include <pthread.h>

enum {
    WAYS = 16,
    BUCKETS = 64,
    PLACES = WAYS * BUCKETS,
    SHARED = 16, /* shapes of rules that newcomers without room may have at a time */
    ENTRIES = PLACES + SHARED,
    KEYS_PER_SHARD = 704,
    CHUNKS = 64,      /* marks of a sliding window */
    SMALL_SHARE = 16, /* a key that used at most this part of its quota may be forgotten */
    SLIDING_MONTH_DAYS = 31,
    NO_ROOM_RETRY_US = 1000000 /* when nobody knows how long it will take */
};

/* Added to the caller's time, so that what happened before the machine started (state files) has a
 * time above 0 too. */
#define EPOCH_US (INT64_C(1) << 52)

/* A window is open while the time is before end_us. A fixed one opened at at_us. A sliding one had
 * its latest request at at_us; `used` are those that have not expired, the older ones of them in
 * `full` chunks beginning with number `head`, whose times are in the entry's marks. */
struct counter_entry {
    uint64_t hash[2];
    uint64_t used, max;
    int64_t at_us, end_us;
    uint64_t shape; /* shape_of() the rule that at_us, end_us and the marks are by */
    uint32_t takes; /* admitted in the open window; stays at its largest value */
    uint8_t head, full;
    uint8_t mode, label_n;
    /* the second cache line */
    int64_t asked_us; /* admitted or not */
    uint64_t over;
    int64_t burst_end_us;
    uint32_t burst_used, burst_max;
    uint8_t bytes, cut, unused[6];
    char label[COUNTER_LABEL_BYTES];
};

_Static_assert(sizeof(struct counter_entry) == 192, "three cache lines");

struct counter_marks {
    uint32_t tick[CHUNKS];
};

struct counter_shard {
    _Alignas(64) pthread_mutex_t lock; /* guards all of the shard, its entries and its marks */
    struct counter_entry *entries;     /* ENTRIES: places, then the shared ones */
    struct counter_marks *marks;       /* one for each */
    uint32_t keys, n_shared;           /* places in use; shared entries that were ever used */
    uint32_t first_marked; /* counter_share: 1 + the first place to be told of; 0: none */
    uint64_t admitted, refused, passed, forgotten, shared;
    uint16_t tags[BUCKETS][WAYS]; /* 16 bits of the hash; 0: no entry */
};

struct counter_table {
    struct hash_key secret;
    struct counter_shard *shards;
    size_t n_shards;
    struct counter_entry *entries;
    struct counter_marks *marks;
    size_t entry_bytes, mark_bytes;
    struct counter_sharing *sharing; /* NULL: this gateway counts alone */
};

/* counter_table.c */

/* The time as entries have it. */
static inline int64_t inner_us(struct counter_time now)
{
    return now.mono_us + EPOCH_US;
}

void key_hash(const struct counter_table *t, struct slice key, uint64_t hash[2]);
struct counter_shard *shard_of(const struct counter_table *t, const uint64_t hash[2]);
void shard_lock(struct counter_shard *s);
void shard_unlock(struct counter_shard *s);

/* The entry of a key that has a place; NULL when it has none. */
struct counter_entry *shard_find(struct counter_shard *s, const uint64_t hash[2]);
struct counter_entry *shard_find_known(struct counter_shard *s, struct counter_known *known);

static inline struct counter_marks *marks_of(struct counter_shard *s, const struct counter_entry *e)
{
    return &s->marks[e - s->entries];
}

static inline bool entry_is_shared(const struct counter_shard *s, const struct counter_entry *e)
{
    return e >= s->entries + PLACES;
}

/* Does it hold anything that may not be forgotten without loss? */
static inline bool entry_is_open(const struct counter_entry *e, int64_t now_us)
{
    return now_us < e->end_us || now_us < e->burst_end_us;
}

/* A place for a newcomer, none of the n entries in `keep`: free, or what may be forgotten. NULL
 * when all is in use. Changes nothing. */
struct counter_entry *shard_room(struct counter_shard *s, const uint64_t hash[2], int64_t now_us,
                                 struct counter_entry *const *keep, size_t n);

/* Empties the place and makes it the key's. */
void shard_settle(struct counter_shard *s, struct counter_entry *e, const uint64_t hash[2],
                  struct slice key, int64_t now_us);

/* Frees a place. */
void shard_remove(struct counter_shard *s, struct counter_entry *e);

/* The entry that newcomers without room share under rules like this one, when it is open; else
 * NULL. A newcomer that finds room while it is open begins with what all of them have used: it may
 * have been one of them. */
struct counter_entry *shard_shared(struct counter_shard *s, const struct counter_rule *rule,
                                   int64_t now_us);

/* The same, made if need be out of one that is not open and none of the n in `keep`. NULL when
 * there is none left either. */
struct counter_entry *shard_claim(struct counter_shard *s, const struct counter_rule *rule,
                                  int64_t now_us, struct counter_entry *const *keep, size_t n);

/* counter_window.c: the arithmetic of windows. Calls are made with the lock held. */

uint64_t shape_of(const struct counter_rule *rule);
bool shape_is_sliding(uint64_t shape);
bool shape_is_valid(uint64_t shape);

/* How long a window is that opens at wall_s. */
int64_t shape_length_us(uint64_t shape, int64_t wall_s);

/* Brings an entry to `now`: windows that are over are closed, and what it holds is put into the
 * shape of the rule, should that have changed. */
void window_refresh(struct counter_entry *e, struct counter_marks *marks,
                    const struct counter_rule *rule, struct counter_time now);

/* The same for an entry whose rule is not at hand. */
void window_expire(struct counter_entry *e, struct counter_marks *marks, int64_t now_us);

/* Nothing is used of it. */
void window_close(struct counter_entry *e);

/* Uses `cost` of it; the caller has checked that there is so much, and refreshed it. */
void window_use(struct counter_entry *e, struct counter_marks *marks,
                const struct counter_rule *rule, uint64_t cost, struct counter_time now);

/* When so much will be free that `cost` fits, in microseconds from now, if nobody else asks; 0:
 * now. -1: never. */
int64_t window_retry_us(const struct counter_entry *e, const struct counter_marks *marks,
                        uint64_t cost, int64_t now_us);

/* What a sliding window is marked in: microseconds a tick. */
int64_t sliding_tick_us(uint64_t shape);
/* How many chunks a quota has, and how much the chunks from `head` on, `full` of them, are
 * together. */
uint64_t sliding_chunks(uint64_t max);
uint64_t sliding_sum(uint64_t max, uint64_t head, uint64_t full);

/* calendar.c: the same day of the month `months` later, or that month's last day, at the same time
 * of day, UTC; in seconds since 1970. */
int64_t calendar_add_months(int64_t wall_s, unsigned months);
