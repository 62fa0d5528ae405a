/* revoker: who writes the table of revoked tokens (lib/revoke): the operator's file, which is
 * followed, and the admin socket; and the state file, in which it outlives a restart.
 *
 * Additions count at once, for all workers. What disappears from the file counts until the file has
 * been left alone for a second, so that one that is being written, or was truncated first, lets
 * nobody in.
 *
 * All calls are the main thread's; saving blocks on the disk. */
#pragma once

#include "config/config.h"
#include "revoke/revoke.h"
#include "spoa/admin.h"

#include <sys/stat.h>

struct redis_link;
struct revoker;

struct revoker_options {
    const char *file;            /* NULL: none; what is in it has been read already, */
    struct stat seen;            /* when it was this */
    const char *state_directory; /* NULL: nothing is saved */
    bool redis;                  /* it is shared by Redis, under names that begin with */
    struct slice prefix;
    bool without_redis; /* what is saved will do when Redis cannot be reached at the start */
    const struct clock *clock;
};

/* From cc.yaml; texts stay the config's. */
struct revoker_options revoker_settings(const struct config *config);

/* Adds what was saved to `table`, which outlives it, and makes it ready. Without its state there is
 * no agent: what went wrong has been logged. */
int revoker_new(struct revoker **out, struct revoked *table, const struct revoker_options *options);
void revoker_free(struct revoker **r);

/* Follows the file, drops what has expired, takes commands (`admin` may be NULL) and joins the link
 * (NULL: no Redis), until it is stopped. */
int revoker_start(struct revoker *r, struct ev_loop *loop, struct admin *admin,
                  struct redis_link *link);

/* No more: the loop is about to go, and the link has gone. */
void revoker_stop(struct revoker *r);

/* Looks at the file as if it had changed. */
void revoker_reload(struct revoker *r);

/* Is it known what is revoked? Until then tokens are refused. */
bool revoker_is_ready(const struct revoker *r);

#define REVOKER_COUNTERS(X)                                              \
    X(commands, "revocations and their withdrawals by the admin socket") \
    X(reads, "how often the file was read because it had changed")       \
    X(bad_reads, "of which something was wrong with it")                 \
    X(unsaved, "how often revocations could not be saved at once")       \
    X(bad_messages, "what came from Redis and is no revocation")

/* Adds " revoked_entries=..." to a line of counters. */
void revoker_report(const struct revoker *r, struct buf *out);
