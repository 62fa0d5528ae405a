/* run_children: the programs that `cc-gen run` looks after.
 *
 * A child never outlives cc-gen: it is ended with it in the ordinary way, and by the kernel
 * (PR_SET_PDEATHSIG) when cc-gen is killed. Children are in process groups of their own, so that
 * Ctrl-C reaches only cc-gen, which then ends them in order. The caller has SIGCHLD and the ending
 * signals blocked and waits for them with sigtimedwait(). */
#pragma once

#include "base/base.h"

#include <signal.h>
#include <sys/types.h>

struct child {
    const char *name;        /* for messages */
    const char *const *argv; /* argv[0] is a path */
    pid_t pid;               /* 0 = not running */
    int status;              /* wait status once it has ended by itself */
};

/* Starts it, with stdin from /dev/null and its stdout on our stderr. CC_ECHILD after a line on
 * stderr. */
int child_start(struct child *c);

/* Collects children that have ended. The first one that did, or NULL. */
struct child *children_ended(struct child *children, size_t n);

/* Ends the running ones, the last first, each with SIGTERM, and with SIGKILL after `grace_ms` or at
 * the next ending signal. */
void children_stop(struct child *children, size_t n, int grace_ms);

/* Blocks SIGCHLD and those of SIGINT, SIGTERM, SIGHUP that are not ignored (nohup), into *waited.
 */
void children_block_signals(sigset_t *waited);

/* The next signal of `waited`, or 0 after timeout_ms. */
int children_wait_signal(const sigset_t *waited, int timeout_ms);
