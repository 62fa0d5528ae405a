/* dispatch: NOTIFY -> struct enforce_request -> decision -> the ACK's variables.
 *
 * The responder of the real agent; one a worker. No heap, no system call, no lock.
 *
 * The message is the one that HAProxy's generated SPOE section sends (cc-request): named arguments,
 * looked up by name with their usual place as a hint. What is unknown is ignored, so that an older
 * agent serves a newer configuration; what is absent stays empty, and an empty value is never
 * enough to be allowed.
 *
 * HAProxy is reloaded after the agent, and its old processes live on for a while. Their requests,
 * which say what generation of HAProxy's configuration they come from, are decided by the rules
 * that belong to it: new rules may name clusters, and need headers, that they do not have. */
#pragma once

#include "spoa/jwks_wanted.h"
#include "spoa/oracle.h"
#include "spoa/responder.h"

struct dispatch;

/* How long the rules of the HAProxy generation before count: long enough for whoever reloads
 * HAProxy after the agent, short enough for a change that lets fewer in, should nobody do it. */
#define DISPATCH_EARLIER_US (INT64_C(600) * 1000000)

/* Takes over the reference to `rules`. What decisions want to have fetched goes to `wanted`, which
 * outlives the dispatch. */
int dispatch_new(struct dispatch **out, const struct enforce_options *options,
                 struct enforce_rules *rules, struct jwks_wanted *wanted);
void dispatch_free(struct dispatch **d);

/* Before the first request. */
void dispatch_set_testkey(struct dispatch *d, const struct enforce_testkey *testkey);
void dispatch_use_filters(struct dispatch *d, const struct enforce_filters *filters);

struct dispatch_waiting {
    struct defer_options defer;
    size_t worker; /* its number in the postbox */
    struct oracle
        *oracles[ENFORCE_WAIT_COUNT]; /* whom to ask for what; they outlive the dispatch */
};

/* From now on decisions may wait: the frame is kept, the oracle asked, and the request decided
 * again when its reply is there or its time is over. Without this, what would wait is refused. */
int dispatch_let_wait(struct dispatch *d, const struct dispatch_waiting *waiting);

/* See enforce_worker_count_in(). Before the first request. */
void dispatch_count_in(struct dispatch *d, struct counter_table *counters);

/* As enforce_worker_set_revoked(). */
void dispatch_set_revoked(struct dispatch *d, const struct revoked *revoked);

struct responder *dispatch_responder(struct dispatch *d);
