/* output_rollback: another kept generation of an output directory becomes the current one.
 *
 * Generations never change, so that is one rename(2) of `current`, after it was made sure that the
 * generation is whole: its manifest, the sums of all its files, its snapshot, and HAProxy's opinion
 * about its configuration. Both halves carry their numbers with them: a snapshot names the HAProxy
 * generation that it belongs to, so /ready compares what was built together. Numbers only count up:
 * the next build takes one above all that are kept, never that of a generation rolled back from. */
#pragma once

#include "gateway/snapshot.h"
#include "generator/output.h"
#include "generator/render.h"

struct output_rollback {
    const char *directory;              /* absolute, in the arena */
    uint64_t from, to;                  /* equal: it is the current one already */
    bool haproxy_changed;               /* HAProxy must be reloaded */
    struct gw_snapshot *before, *after; /* before: NULL when it cannot be read */
    struct render_output haproxy_before, haproxy_after;
};

/* Switches to generation `wanted`; 0 = the one before the current one. Of `options`, directory,
 * haproxy and no_validate count. CC_OK; else the reason is in `diag` and nothing was switched:
 * CC_EREFUSED (CC7101 to CC7103, CC5001), and as output_build(). Free *out in any case. */
int output_rollback(struct output_rollback *out, const struct output_options *options,
                    uint64_t wanted, struct arena *arena, struct diag *diag);
void output_rollback_free(struct output_rollback *rollback);

/* What is current in a directory. */
struct output_state {
    const char *directory; /* absolute, in the arena */
    uint64_t generation, haproxy_generation;
    bool checked;                 /* by HAProxy, when it was built */
    struct gw_snapshot *snapshot; /* the caller's; NULL when there is a fault */
    const char *fault;            /* why it is not what was built, or NULL */
};

/* Looks at what is current: all that output_rollback() makes sure of but HAProxy's opinion. CC_OK
 * also with a fault; CC_ENOENT nothing was built; CC_EACCESS after a finding. Nothing is written.
 */
int output_inspect(struct output_state *out, const char *directory, struct arena *arena,
                   struct diag *diag);

struct output_kept {
    uint64_t generation, haproxy_generation; /* the latter 0: it is incomplete */
    int64_t built_s;                         /* when, in seconds since 1970 */
    bool current;
};

/* The generations that are kept, the newest first, in the arena. Nothing is written. */
int output_list(struct output_kept **out, size_t *n, const char *directory, struct arena *arena,
                struct diag *diag);
