/* counting_ask: asks Redis for each request whether it is within its limits (counter_strict.h): the
 * oracle of ENFORCE_WAIT_LIMITS.
 *
 * A worker leaves its question in a fixed number of places and goes on; the main thread sends all
 * that lie there in one write, one script for each request, and puts the verdict into the worker's
 * postbox. What cannot be asked or is not answered is a failed reply: the limits then do as they
 * say for that. All keys of a request are in one slot of a cluster. */
#pragma once

#include "spoa/counting_errand.h"
#include "spoa/oracle.h"
#include "spoa/redis_link.h"

struct counting_ask;

struct counting_ask_options {
    struct slice prefix; /* of keys */
    const char *node;    /* of this gateway; outlives it */
    size_t places;       /* questions at once, 1 to COUNTING_ASK_MAX */
    struct postbox *postbox;
    /* Redis does not do it: the error. */
    void (*refused)(void *context, const redisReply *error);
    /* It has forgotten everything, or is another one. */
    void (*forgotten)(void *context);
    void *context;
};

enum { COUNTING_ASK_MAX = REDIS_UNDER_WAY / 2 };

int counting_ask_new(struct counting_ask **out, const struct counting_ask_options *options);
/* After the link and the workers. Accepts a pointer to NULL. */
void counting_ask_free(struct counting_ask **a);

/* The main thread's, as the next ones. */
void counting_ask_start(struct counting_ask *a, struct ev_loop *loop, struct redis_link *link);
void counting_ask_stop(struct counting_ask *a);
/* Who Redis says that it is; 0: not known. */
void counting_ask_know(struct counting_ask *a, long long epoch);

struct oracle *counting_ask_oracle(struct counting_ask *a);

/* What Redis would say to the question of the errand, which uses nothing. CC_OK: the errand is
 * under way. Main thread. */
int counting_ask_look(struct counting_ask *a, struct counting_errand *errand);

#define COUNTING_ASK_COUNTERS(X)                                \
    X(asked, "requests that it was asked for")                  \
    X(crowded, "requests that too many others were ahead of")   \
    X(failed, "of those asked for, requests without a verdict") \
    X(longest_us, "how long the longest verdict took, in microseconds")

/* Appends " ask_asked=..."; main thread. */
void counting_ask_report(struct counting_ask *a, struct buf *out);
