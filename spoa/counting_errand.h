/* counting_errand: what a command of the admin socket asks Redis, and waits for.
 *
 *     counting_errand_new() -> Redis is asked -> counting_errand_wait(), and the command is called
 * again -> counting_errand_end()
 *
 * It waits for a bounded time. While one that came too late is still under way nobody else is sent:
 * a Redis that hangs costs a client that time once. All calls are the main thread's. */
#pragma once

#include "spoa/admin.h"
#include "throttle/counter_strict.h"

enum counting_errand_state {
    COUNTING_ERRAND_ASKS,
    COUNTING_ERRAND_ANSWERED,
    COUNTING_ERRAND_LATE,
    COUNTING_ERRAND_LOST /* or refused: what it came back with does not count */
};

struct counting_errands {
    struct ev_loop *loop;
    size_t n, n_late; /* of those that exist; of these that came too late */
};

struct counting_errand {
    struct admin_wait wait; /* first: converted back by a cast */
    struct counting_errands *all;
    enum counting_errand_state state;
    bool under_way; /* Redis has not answered */
    bool released;  /* no command wants to know */
    ev_timer timer;
    struct counter_question question;
    struct counter_verdict verdict;
    long long number; /* another answer than a verdict */
};

/* NULL: not now. */
struct counting_errand *counting_errand_new(struct counting_errands *all);

/* It could not be sent. */
void counting_errand_drop(struct counting_errand *e);

/* It is under way, and is too late after so long; the command returns true. */
void counting_errand_wait(struct counting_errand *e, struct admin_call *call, uint64_t ms);

/* From the callback of Redis: `good` when the answer has been read. */
void counting_errand_back(struct counting_errand *e, bool good);

/* The errand of a command that is called again, which ends its waiting; NULL at the first step. */
struct counting_errand *counting_errand_of(struct admin_call *call);

/* What it came to is not needed any more. */
void counting_errand_end(struct counting_errand *e);
