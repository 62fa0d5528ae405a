/* filter: the steps of a decision that extensions make (cc_filter.h).
 *
 * The engine stays pure: whoever makes a worker gives it loaded extensions, each with the state
 * that belongs to that worker. The rules say which filters there must be, by name and in order: a
 * worker that has others refuses everything, so that no request goes past a filter because of a
 * forgotten option. */
#pragma once

#include "base/base.h"
#include "enforce/cc_filter.h"

enum { ENFORCE_MAX_FILTERS = 16 };

enum enforce_filter_position {
    ENFORCE_BEFORE_AUTHENTICATION = 1,
    ENFORCE_BEFORE_THROTTLING = 2, /* after authentication */
    ENFORCE_AFTER_THROTTLING = 3
};

struct enforce_filter {
    struct slice name; /* in enforcer.filters; lives as long as the worker */
    const struct cc_extension *extension;
    void *state;
    enum enforce_filter_position position;
    int64_t limit_us; /* of one call */
};

struct enforce_filters {
    struct enforce_filter items[ENFORCE_MAX_FILTERS]; /* by position, then as cc.yaml has them */
    size_t n;
    bool absent; /* there are none and nobody misses them: cc-gen explains what would happen without
                  */
};

/* Are these the filters that the model was built with, in the same order and positions? Says in
 * `why` (which may be NULL) how they differ. */
struct gw_model;
bool enforce_filters_fit(const struct enforce_filters *f, const struct gw_model *model,
                         struct buf *why);

/* The filters of this position, one after the other, over the attempt as it is. False: refused. */
struct attempt;
bool filter_run(struct attempt *a, enum enforce_filter_position position);

/* Are the worker's filters those of the rules? False: refused. */
bool filter_check(struct attempt *a);

/* What the filters asked for, as the decision's set_headers and remove_headers. False: refused. */
bool filter_finish(struct attempt *a);

/* A fact as extensions know it. */
struct cc_text filter_fact(const struct attempt *a, enum cc_fact fact);

/* The claims of the JWT for the backend, one JSON object, as the extension that makes them wants
 * them (settings->generator); the same when there is none. `token` is the payload of the caller's
 * token, or empty. NULL, or why there is no JWT. */
const char *filter_backend_claims(struct attempt *a, struct slice token, struct buf *claims);
/* What of the request its claims depend on, besides what they always do: a set of CC_FACT(). */
uint64_t filter_backend_facts(const struct attempt *a);

/* The claims of a token of this issuer, by its transformer. */
struct gw_issuer;
struct jwt_claim_hook;
struct filter_transform {
    struct attempt *a;
    const struct gw_issuer *issuer;
};
/* Fills in *hook, whose context is *room; returns it, or NULL when the issuer has no transformer.
 */
const struct jwt_claim_hook *filter_claim_hook(struct attempt *a, const struct gw_issuer *issuer,
                                               struct filter_transform *room,
                                               struct jwt_claim_hook *hook);
