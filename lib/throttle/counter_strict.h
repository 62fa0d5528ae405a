/* counter_strict: limits that are exact over several gateways. A place that all can reach is asked
 * for each request, for all of its limits at once, and takes all or nothing, as counter_take()
 * does.
 *
 *     counter_strict_ask() -> asks ... the place ... verdicts -> counter_strict_told()
 *
 * There is no overshoot, and a request waits for the answer. The table knows besides what this
 * gateway has used: with it a place that has forgotten everything is told again (counter_share.h),
 * and requests that cannot be asked for, or whose answer does not come in time, are decided by
 * counter_take(), where each limit does as its rule's `away` says. What is used that way the place
 * is told of as soon as it can be.
 *
 * This module does no I/O. All calls may be made from all threads. */
#pragma once

#include "throttle/counter_share.h"

/* Does this table ask for each request? */
bool counter_is_strict(const struct counter_table *t);

/* One limit of a request. */
struct counter_ask {
    uint8_t name[COUNTER_NAME_BYTES];
    uint64_t max;           /* COUNTER_MAX_QUOTA: there is only a burst */
    uint64_t cost;          /* what it uses; 0 is refused, too, when nothing is left */
    uint64_t window, count; /* fixed: which one is open here, 0: not known; used of it here */
    uint64_t left_ms;       /* of that window */
    uint64_t length_ms;     /* of one that opens now */
    uint32_t burst_max, burst_ms;
    uint8_t sliding, enforced; /* what is not enforced refuses nothing, and uses nothing beyond */
    uint8_t unused[6];
};

/* What a request asks for, and the name of that: the same for the same limits and bytes. */
struct counter_question {
    uint64_t id[2];
    size_t n;
    struct counter_ask asks[COUNTER_MAX_LIMITS];
};

/* The question. False: it is not asked now, because nobody can be reached, or others have not told
 * yet what they have used. */
bool counter_strict_ask(struct counter_table *t, const struct counter_limit *limits, size_t n,
                        uint64_t bytes, struct counter_time now, struct counter_question *out);

/* Can the place be asked about one key, by an operator who looks? */
enum counter_asking {
    COUNTER_ASKS,
    COUNTER_ASKS_NOT,    /* nobody can be reached */
    COUNTER_ASKS_LATER,  /* others have not told yet what they have used */
    COUNTER_ASKS_UNKNOWN /* there is no rule to ask by */
};

/* What a request of `bytes` bytes would ask, of one limit. Changes nothing. `rule`: NULL is the one
 * that the key was asked by last, when it has an open window here. */
enum counter_asking counter_strict_look(struct counter_table *t, struct slice key,
                                        const struct counter_rule *rule, uint64_t bytes,
                                        struct counter_time now, struct counter_question *out);

/* What the place says to one ask. */
struct counter_verdict {
    enum counter_fit { COUNTER_FITS, COUNTER_FULL, COUNTER_BURST } fit;
    uint64_t window; /* fixed: which one is open, by its end in the place's time; 0: none */
    uint64_t total;  /* used of it by all, with this request if it was admitted */
    uint64_t own;    /* fixed: of which by this gateway */
    uint64_t left_ms, retry_ms;
};

/* Notes what came of it, and says so as counter_take() does. */
void counter_strict_told(struct counter_table *t, const struct counter_limit *limits, size_t n,
                         uint64_t bytes, struct counter_time now,
                         const struct counter_verdict *verdicts, struct counter_result *out);

/* Puts what the place says, which has changed nothing, in the place of what is known here: `look`
 * is what counter_look() says of the same key and rule. */
void counter_strict_seen(const struct counter_ask *ask, const struct counter_verdict *verdict,
                         struct counter_look *look);
