/* counting_redis: gateways share their counters through the one Redis of the agent (redis_link.h).
 *
 * Each round, and earlier when somebody is about to run out of lease, it tells Redis of the keys
 * that were asked for since, all in one write, and hands in what all gateways have used
 * (counter_share.h). No decision waits for it. A Redis that is down, slow, full, read-only or talks
 * nonsense is the same to the table: nobody can be reached. One that has forgotten everything is
 * told everything again.
 *
 * With share.strict each request asks (counting_ask.h), and the rounds tell what was used without
 * asking.
 *
 * Every key in Redis ends by itself, a day after its last use or with its window. All are in one
 * slot of a cluster ({tag}), so that a script may name several.
 *
 * All calls are the main thread's. */
#pragma once

#include "spoa/counting_ask.h"
#include "throttle/counter_share.h"

struct counting_redis;

struct counting_redis_options {
    struct slice prefix; /* of keys: gateways with the same one share */
    uint64_t round_ms;
    uint64_t hold_ms; /* how long others may need to be back after Redis was away */
    struct counter_share_options share; /* but `hurry` and `round_us` */
    size_t places;                      /* strict: questions at once */
    struct postbox *postbox;            /* strict: outlives it */
    uint64_t deadline_ms;               /* strict: how long a request waits */
};

/* Makes the table shared, before its first use; counts as away until it is started and up. The
 * table must outlive it. */
int counting_redis_new(struct counting_redis **out, struct counter_table *table,
                       const struct counting_redis_options *options);

/* Joins the link, which must not be started yet and be freed before. */
void counting_redis_start(struct counting_redis *r, struct ev_loop *loop, struct redis_link *link);

/* After the workers, which wake it; before the loop. */
void counting_redis_stop(struct counting_redis *r);
void counting_redis_free(struct counting_redis **r);

#define COUNTING_REDIS_COUNTERS(X)                               \
    X(rounds, "rounds in which Redis was told of something")     \
    X(keys_told, "keys that it was told of")                     \
    X(refused, "times that it refused to be told")               \
    X(forgotten, "times that it had forgotten everything")       \
    X(gateways_here, "gateways that told it something, of late") \
    X(last_us, "how long the last round took, in microseconds")  \
    X(longest_us, "how long the longest one took")

/* Whom decisions ask; NULL unless it is strict. */
struct oracle *counting_redis_oracle(struct counting_redis *r);

enum counting_cleared {
    COUNTING_CLEARED,
    COUNTING_CLEARED_NOT,  /* there was nothing */
    COUNTING_CLEARED_HERE, /* alone: Redis cannot be used */
    COUNTING_CLEARED_LATE, /* here, and perhaps in Redis, which does not answer in time */
    COUNTING_CLEARS        /* not yet: the command is to be called again */
};

/* A step of a command that gives a key its whole quota back, of what all gateways have used. */
enum counting_cleared counting_redis_clear(struct counting_redis *r, struct admin_call *call,
                                           struct slice key);

/* Who says where a key stands. */
#define COUNTING_SOURCES(X)                                                     \
    X(HERE, "")             /* this gateway, which decides by itself */         \
    X(REDIS, "decides")     /* Redis has been asked */                          \
    X(AWAY, "away")         /* this gateway, by `away`: Redis cannot be used */ \
    X(LATE, "late")         /* the same: it does not answer in time */          \
    X(HELD, "waits")        /* the same: others have not told yet */            \
    X(UNKNOWN, "not-asked") /* there is no rule to ask by */

enum counting_source {
#define X(name, word) COUNTING_BY_##name,
    COUNTING_SOURCES(X)
#undef X
        COUNTING_WAITS /* nobody yet: the command is to be called again */
};

/* A step of a command that looks at a key: as counter_look(), and where Redis decides, what it
 * says. */
enum counting_source counting_redis_look(struct counting_redis *r, struct admin_call *call,
                                         struct slice key, const struct counter_rule *rule,
                                         uint64_t bytes, struct counter_look *out);

/* Appends " share_up=1 share_rounds=..." */
void counting_redis_report(const struct counting_redis *r, struct buf *out);
