/* throttle_rules: policies and deny rules of a snapshot made ready to decide with (private to
 * enforce). Immutable, as the rules that they belong to. */
#pragma once

#include "enforce/deny_set.h"
#include "gateway/gateway.h"
#include "gateway/pattern.h"
#include "throttle/counter.h"

struct throttle_condition {
    const struct gw_condition *condition;
    struct gw_address_range range; /* of a condition on addresses */
    struct gw_pattern *pattern;    /* of GW_MATCH_PATTERN */
    size_t header;                 /* in model->headers */
    unsigned claim;                /* in throttle_rules.claims */
};

struct throttle_conditions {
    struct throttle_condition *list;
    size_t n;
};

/* Texts are made here once, rather than for each request. */
struct throttle_limit {
    const struct gw_policy *policy;
    bool counts; /* false: unlimited */
    struct counter_rule rule;
    struct slice told_policy; /* RateLimit-Policy; empty: the limit is not told of */
    struct slice told_name;   /* RateLimit begins with it */
    struct slice told_max;    /* X-RateLimit-Limit */
};

struct throttle_group {
    struct throttle_conditions conditions;
    struct throttle_limit limit;
};

/* A piece of a key template. */
struct throttle_piece {
    enum gw_variable variable;
    struct slice text; /* of GW_VARIABLE_NONE, or the name of a property */
};

struct throttle_policy {
    const struct gw_policy *policy;
    struct slice key_prefix; /* "LEVEL:NAME:" */
    struct throttle_piece *pieces;
    size_t n_pieces;
    struct counter_rule unstopped; /* of a subscription that goes on beyond its quota */
    struct throttle_limit limit;
    struct throttle_group *groups; /* as policy->groups */
    struct throttle_conditions conditions;
};

/* What an API is called in keys. */
struct throttle_api {
    struct slice context; /* base path; of an API that is served at several, the longest */
    struct slice tenant;
};

struct throttle_rules {
    const struct gw_throttling *settings;
    struct throttle_policy *policies; /* as model->policies */
    struct throttle_policy *custom;
    size_t n_custom;
    /* which of them apply, and by which keys, depends on the caller and his address alone */
    bool custom_of_caller;
    struct throttle_api *apis; /* as model->apis */
    struct deny_set *deny;
    struct slice claims[GW_CLAIMS_MAX]; /* that conditions look at, by their local names */
    size_t n_claims;
    bool bytes;                            /* some limit counts bytes */
    size_t length_header, encoding_header; /* in model->headers; n_headers: not there */
};

/* CC_EREFUSED after a CC6001; CC_ENOMEM. In `arena`, of which it takes throttle_rules_bytes(). */
size_t throttle_rules_bytes(const struct gw_model *m);
int throttle_rules_read(struct throttle_rules *out, const struct gw_model *m, struct arena *arena,
                        struct diag *diag);
/* What is not in the arena. */
void throttle_rules_free(struct throttle_rules *r, const struct gw_model *m);
