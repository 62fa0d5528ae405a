/* status: what the agent says of itself, for the log (SIGUSR1) and the admin socket. The main
 * thread's. */
#pragma once

#include "spoa/admin.h"
#include "spoa/counting.h"
#include "spoa/introspector.h"
#include "spoa/jwks_feeder.h"
#include "spoa/redis_link.h"
#include "spoa/revoker.h"
#include "spoa/signer.h"
#include "spoa/worker.h"

/* Names of at most 32 filters with what is said about them. */
enum { STATUS_WHY_MAX = 4096 };

/* Everything is borrowed from the server. */
struct status {
    struct worker *const *workers;
    struct responder *const *responders;
    size_t n_workers;
    const struct jwks_feeder *feeder;      /* or NULL */
    struct introspector *introspector;     /* or NULL */
    const struct admin *admin;             /* or NULL */
    struct counting *counting;             /* or NULL */
    const struct revoker *revoker;         /* or NULL */
    const struct redis_link *redis;        /* or NULL */
    const struct signer *signer;           /* or NULL */
    const struct enforce_rules *rules;     /* or NULL */
    const struct enforce_filters *filters; /* of the workers; NULL: nobody asks for any */
    size_t connections, max_connections;
    int64_t uptime_us;
    bool draining;
};

/* Why these rules let nothing through: the filters that are loaded are others than were built.
 * False: they do. */
bool status_filters_differ(const struct enforce_filters *filters, const struct enforce_rules *rules,
                           struct buf *why);

/* "Name: value" lines. */
void status_info(const struct status *s, struct buf *out);

/* A line for each worker, then one for each other part that counts something. */
void status_counters(const struct status *s, struct buf *out);
/* The same, to the log. */
void status_log(const struct status *s);
