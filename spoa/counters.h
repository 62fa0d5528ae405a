/* counters: what happened on a worker's connections.
 *
 * One writer (the worker's thread), any number of readers. Relaxed atomics: a reader sees whole
 * values, maybe one behind, and nothing is ordered by them. */
#pragma once

#include "base/base.h"

#include <stdatomic.h>

#define COUNTERS(X)                                                        \
    X(connections, "connections taken")                                    \
    X(closed, "connections closed")                                        \
    X(hellos, "connections that said HELLO")                               \
    X(health_checks, "health checks answered")                             \
    X(notifies, "NOTIFY frames answered")                                  \
    X(errors, "NOTIFY frames answered with the verdict error")             \
    X(deferred, "NOTIFY frames whose answer had to wait")                  \
    X(deferred_overdue, "of which nothing came in time")                   \
    X(deferred_lost, "of which the connection closed before")              \
    X(crowded, "NOTIFY frames refused because too many wait")              \
    X(replies, "replies that a frame waited for")                          \
    X(replies_late, "replies that none waited for any more")               \
    X(earlier, "NOTIFY frames of a HAProxy that is not reloaded yet")      \
    X(protocol_errors, "connections closed because of what the peer sent") \
    X(timeouts, "connections closed because the peer was silent")

struct counters {
#define X(name, help) _Atomic uint64_t name;
    COUNTERS(X)
#undef X
};

/* Adds one; for the single writer, which is why no locked instruction is needed. */
static inline void counter_bump(_Atomic uint64_t *c)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static inline uint64_t counter_get(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}
