/* counter_request: the limits of one request, and where in the table they count (private to
 * throttle).
 */
#pragma once

#include "throttle/counter_share_internal.h"

/* One limit of a request, from its key's hash to what becomes of it. */
struct item {
    const struct counter_limit *limit;
    uint64_t hash[2];
    struct counter_shard *shard;
    struct counter_entry
        *entry; /* where it counts; NULL: nowhere, there is not even a shared one */
    struct counter_entry *start; /* newcomers: the shared entry it begins like; NULL: like new */
    uint64_t cost;
    bool newcomer; /* entry is still another key's, or vacant */
    bool shared;
    bool over, burst;
    bool passes;     /* although it is over: nobody can be asked, and then there is no limit */
    uint64_t others; /* used by other gateways */
    enum remote_verdict remote;
};

/* The entries that the request counts in: they must not make room for each other. */
struct request {
    struct item items[COUNTER_MAX_LIMITS];
    struct counter_entry *entries[COUNTER_MAX_LIMITS];
    struct counter_shard *shards[COUNTER_MAX_LIMITS]; /* ascending, each once */
    size_t n, n_shards;
    struct counter_sharing *sharing; /* or NULL */
    const struct counter_table *table;
    struct counter_time now;
    int64_t now_us;
    bool hurry;
};

/* Of the table; nothing is looked at yet. */
void request_init(struct request *q, const struct counter_table *t,
                  const struct counter_limit *limits, size_t n, uint64_t bytes,
                  struct counter_time now);
/* All shards of its keys. */
void request_lock(struct request *q);
void request_unlock(struct request *q);

/* Entries of the keys that have one, brought to now. */
void request_find(struct request *q);
/* Makes the place that was chosen for a newcomer its own. */
void request_settle(struct request *q, struct item *item);
struct counter_remote *request_remote(const struct request *q, const struct item *item);
