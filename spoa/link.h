/* link: the sockets of one worker's connections; it moves bytes between them and struct conn.
 *
 * Everything here runs on the worker's thread. Nothing blocks: sockets are non-blocking, a peer
 * that does not take its answers is not read from, and no link gets more than a few reads a loop
 * turn, so that one busy connection cannot starve the others. */
#pragma once

#include "spoa/conn.h"

#include <ev.h>

struct link;

struct link_set {
    struct ev_loop *loop;
    struct responder *responder;
    const struct clock *clock;
    struct counters *counters;
    _Atomic size_t *total; /* connections of all workers; the listener counts up, we count down */
    struct link *first;
    size_t n;
    bool draining;    /* the loop is left when the last link closes */
    ev_tstamp logged; /* when a peer's fault was last logged: once a second is enough */
};

/* Takes over the connected, non-blocking socket; closes it when memory is short. */
void link_set_add(struct link_set *set, int fd);

/* Answers what has arrived, says goodbye on each link once nothing of it waits, leaves the loop
 * when all are closed. */
void link_set_drain(struct link_set *set);

/* Closes all at once. */
void link_set_close(struct link_set *set);
