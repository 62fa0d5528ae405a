/* server: the main thread: accepts, deals connections out, handles signals, exchanges rules,
 * fetches key sets.
 *
 *     SIGHUP            load the snapshot and the subscriptions again (reload.h)
 *     SIGTERM, SIGINT   drain: stop listening, answer what is in flight, disconnect, end;
 *                       a second one ends at once
 *     SIGUSR1           log the counters
 *     the admin socket  commands (admin.h)
 *
 * It decides nothing itself and touches no connection after worker_give(). */
#pragma once

#include "spoa/counting.h"
#include "spoa/introspector.h"
#include "spoa/jwks_feeder.h"
#include "spoa/listener.h"
#include "spoa/oracle.h"
#include "spoa/redis_link.h"
#include "spoa/responder.h"
#include "spoa/revoker.h"
#include "subs/subs.h"

struct server_options {
    struct listener_options listener;
    struct responder *const *responders; /* one a worker; they outlive server_run() */
    size_t n_workers;
    const char *snapshot_path;   /* what SIGHUP loads; NULL: SIGHUP is ignored */
    struct enforce_rules *rules; /* what the responders start with; borrowed; or NULL */
    /* how the key sets of the rules' issuers are fetched, and where the responders say that they
     * want one; NULL: nothing is fetched */
    const struct jwks_feeder_options *jwks;
    struct jwks_wanted *wanted;
    /* what SIGHUP loads besides, and what the workers start with, borrowed; NULL: none */
    const char *subs_path;
    struct subs *subs;
    struct revoker *revoker; /* what it knows the responders know; borrowed; or NULL */
    const struct redis_link_options *redis; /* NULL: none */
    struct slice admin_path;                /* of the admin socket; empty: none */
    const char *state_directory; /* of deny rules that were added by command; NULL: not saved */
    /* opened while the workers run, for oracles; NULL: nobody is asked */
    struct postbox *postbox;
    const struct signer *signer;       /* the same; or NULL */
    struct introspector *introspector; /* whose counters are shown; or NULL */
    struct counting *counting;         /* borrowed; saved now and then; NULL: nothing is counted */
    const struct enforce_filters *filters; /* that the responders have; NULL: not looked at */
    uint64_t drain_timeout_s;
};

/* Raises the limit of open files to what the kernel allows. Before server_run(). */
void server_raise_limits(void);

/* Serves until a signal ends it. CC_OK after a signal; else why it could not start (logged). */
int server_run(const struct server_options *options);
