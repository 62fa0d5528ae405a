/* reload: a snapshot file -> rules, and subscription files -> a store; in the foreground at start,
 * in a thread of its own later.
 *
 * Reading and checking a large snapshot and parsing its keys takes time and blocks on the disk, so
 * neither a worker nor the main loop does it. A snapshot is taken whole or refused with its
 * findings in the log; the one in use then stays. The same holds for the subscriptions, whatever
 * became of the snapshot. */
#pragma once

#include "enforce/enforce.h"
#include "subs/subs.h"

#include <ev.h>

/* Reads, checks and prepares a snapshot. One reference is the caller's. Blocks. */
int rules_load(struct enforce_rules **out, const char *path, struct diag *diag);

struct reload;

/* What came of it. rules is NULL when the snapshot was refused; else the reference is the
 * receiver's. The findings are in the log already. */
struct reload_result {
    struct enforce_rules *rules;
    struct subs *subs; /* the same; also NULL when there are no files */
    int64_t took_ms;
};

/* `done` is called by the thread of `loop` after each load. The paths must outlive the reload;
 * `subs_path` may be NULL: no subscriptions. */
int reload_new(struct reload **out, struct ev_loop *loop, const char *path, const char *subs_path,
               void (*done)(void *context, struct reload_result result), void *context);

/* Waits for a load under way. Accepts a pointer to NULL. */
void reload_free(struct reload **r);

/* Starts a load. While one is under way it only notes that the file must be read once more. */
void reload_start(struct reload *r);
