/* throttle_limits: which limits a request has (private to enforce). */
#pragma once

#include "enforce/throttle_key.h"
#include "throttle/counter.h"

/* The limits of one request, in the order in which they refuse. */
struct throttle_limits {
    struct counter_limit list[COUNTER_MAX_LIMITS];
    const struct throttle_limit *limits[COUNTER_MAX_LIMITS];
    enum refusal refusals[COUNTER_MAX_LIMITS];
    size_t n;
    /* a policy with groups, and how many of them it has added, at the beginning; NULL: there is
     * none */
    const struct throttle_policy *grouped;
    size_t n_grouped;
    bool needs_length; /* one that refuses counts bytes */
};

/* Appends one. `known` as in struct counter_limit. */
void throttle_limits_add(struct throttle_limits *l, const struct throttle_limit *limit,
                         const struct counter_rule *rule, struct slice key,
                         struct counter_known *known, enum refusal why);

/* Those of the API or the operation, the subscription, the application. But for a policy with
 * groups, they depend on nothing but the caller and the operation. False after a refusal. */
bool throttle_limits_of_caller(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                               struct throttle_limits *l);

/* Of such a policy the limit whose conditions this request meets. False after a refusal. */
bool throttle_limits_by_group(struct attempt *a, const struct throttle_caller *c,
                              const struct throttle_policy *p, struct buf *keys,
                              struct throttle_limits *l);

/* Those of custom policies. False after a refusal. */
bool throttle_limits_custom(struct attempt *a, const struct throttle_caller *c, struct buf *keys,
                            struct throttle_limits *l);
