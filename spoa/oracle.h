/* oracle: somebody who finds out what decisions wait for, and how the reply gets back.
 *
 * A worker asks; the oracle, on threads of its own, finds out, and puts a struct enforce_reply into
 * the postbox. It may be asked for the same key by several workers, each of which wants a reply,
 * and should find it out once. It bounds how much it does at once and how much it lets queue: a
 * worker whose question is not taken refuses the request at once. */
#pragma once

#include "enforce/enforce.h"

#include <pthread.h>

struct oracle {
    /* Any worker's thread, which must not be kept: copies what it needs. ENFORCE_MAY_WAIT: a reply
     * will come, unless nobody can say anything; else why none will. */
    enum enforce_patience (*ask)(struct oracle *self, const struct enforce_await *await,
                                 struct enforce_rules *rules, size_t worker);
};

struct worker;

/* The workers' addresses. The server opens it when they run and closes it before they end. */
struct postbox {
    pthread_mutex_t lock; /* guards the rest */
    struct worker *const *workers;
    size_t n; /* 0: closed */
};

void postbox_init(struct postbox *p);
void postbox_open(struct postbox *p, struct worker *const *workers, size_t n);
void postbox_close(struct postbox *p);
void postbox_cleanup(struct postbox *p);

/* Any thread; takes over the reference. A closed postbox throws it away. */
void postbox_put(struct postbox *p, size_t worker, struct enforce_reply *reply);
