/* introspector: the oracle for tokens that are no JWTs: it asks their issuer's server (RFC 7662).
 *
 * A thread of its own with libcurl's multi interface, so that TLS and a slow server are nobody's
 * business but its own. One question a token, however many workers ask; a bounded number of
 * questions under way and in the queue; answers are remembered in two tables that cannot push each
 * other's entries out: what is active, until it expires or grows too old, and what is not, briefly.
 *
 * When several questions in a row get no usable answer the server counts as failing: then one
 * question at a time finds out whether it is back, and all others are told at once that nobody
 * knows. A state that changes is a line in the log. Tokens and secrets never are. */
#pragma once

#include "config/config.h"
#include "fetch/http.h"
#include "spoa/oracle.h"

struct introspector;

struct introspector_options {
    struct http_limits limits;
    int64_t active_s;   /* how long an answer counts at most */
    int64_t inactive_s; /* the same for "not active"; 0: not at all */
    size_t calls, queued;
    const struct clock *clock;
};

/* From cc.yaml; texts stay the config's. */
struct introspector_options introspector_settings(const struct config *config);

/* Starts the thread. `postbox` outlives it. */
int introspector_new(struct introspector **out, const struct introspector_options *options,
                     struct postbox *postbox);
/* Ends the thread and what is under way. Accepts a pointer to NULL. */
void introspector_free(struct introspector **i);

struct oracle *introspector_oracle(struct introspector *i);

#define INTROSPECTOR_COUNTERS(X)                              \
    X(questions, "questions of workers")                      \
    X(joined, "of which were under way already")              \
    X(remembered, "of which were answered from memory")       \
    X(unasked, "of which were refused: too many, or failing") \
    X(calls, "requests to the server")                        \
    X(failures, "of which nothing usable came back")          \
    X(active, "tokens that were active")                      \
    X(inactive, "tokens that were not")

/* Adds "introspection_questions=..." to a log line; any thread. */
void introspector_report(struct introspector *i, struct buf *out);
