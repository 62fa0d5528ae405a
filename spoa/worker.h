/* worker: a thread with its own loop, its own connections and its own responder.
 *
 * The main thread talks to a worker by messages only: the functions below put one into the mailbox
 * and wake the loop. The mailbox's mutex guards it and orders memory: what the main thread wrote
 * before it posted a message (a new set of rules, say) is seen by the worker that takes it out.
 * ev_async is the wake-up and orders nothing. Neither side holds the mutex for longer than copying
 * a few words, so a worker never waits for work of the main thread. */
#pragma once

#include "spoa/link.h"

struct worker;

struct worker_options {
    struct responder *responder; /* the worker's thread uses it until worker_join() */
    _Atomic size_t *connections; /* of all workers */
    struct ev_loop *home;        /* the main thread's loop, and what wakes it when the worker */
    ev_async *home_wake;         /* has something to give back or has finished */
};

int worker_start(struct worker **out, const struct worker_options *options);

/* A connection for it. False when its mailbox is full; the socket then stays the caller's. */
bool worker_give(struct worker *w, int fd);

/* New rules; takes over the caller's reference. */
void worker_publish(struct worker *w, struct enforce_rules *rules);

/* The same for what feeders know. What it replaces the worker lets go by itself: key sets are freed
 * in no time, and what is larger somebody else holds too (live_hub.h). Then it wakes the main
 * thread. */
void worker_publish_live(struct worker *w, struct enforce_live *live);

/* What a decision waits for; takes over the caller's reference. Any thread. When the mailbox is
 * full the reply is lost, and who waits for it is refused at its deadline. */
void worker_deliver(struct worker *w, struct enforce_reply *reply);

/* Rules it no longer uses, to be released by the caller: freeing a large snapshot takes time that a
 * decision thread must not spend. NULL when there are none. */
struct enforce_rules *worker_collect(struct worker *w);

/* Finish what is in flight, then end. / End now. */
void worker_drain(struct worker *w);
void worker_stop(struct worker *w);
bool worker_finished(const struct worker *w);

/* Waits for the thread to end and frees the worker. Accepts a pointer to NULL. */
void worker_join(struct worker **w);

const struct counters *worker_counters(const struct worker *w);
