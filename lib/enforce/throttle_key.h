/* throttle_key: whose requests are counted together (private to enforce). */
#pragma once

#include "enforce/attempt.h"

/* A request as keys see it. Texts are of the rules, the decision, or in the worker's room. */
struct throttle_caller {
    const struct throttle_api *api;
    struct slice version;
    struct slice user; /* NAME@TENANT */
    struct slice name; /* without the tenant */
    struct slice app_tenant;
    struct slice subscriber, app_name;
    struct slice keytype;
    struct slice certificate; /* alias of the client's, which takes the place of an application */
    int64_t app_id;
    struct slice app_tier, subscription_tier;
    bool stop; /* of the subscription's tier */
};

/* All but the user. */
void throttle_describe(const struct attempt *a, struct throttle_caller *out);

/* From here on texts are appended to `keys`, whose room never moves. */
void throttle_name_user(struct throttle_caller *c, struct buf *keys);

/* Each returns the key, which is behind what was in `keys` before. */
struct slice throttle_api_key(const struct throttle_caller *c, const struct throttle_policy *p,
                              size_t group, struct buf *keys);
struct slice throttle_resource_key(const struct attempt *a, const struct throttle_caller *c,
                                   const struct throttle_policy *p, size_t group, struct buf *keys);
struct slice throttle_subscription_key(const struct throttle_caller *c,
                                       const struct throttle_policy *p, struct buf *keys);
struct slice throttle_application_key(const struct throttle_caller *c,
                                      const struct throttle_policy *p, struct buf *keys);
/* False: the template has a property that the application does not have, so that the policy is not
 * about this request. */
bool throttle_custom_key(const struct attempt *a, const struct throttle_caller *c,
                         const struct throttle_policy *p, struct buf *keys, struct slice *key);

/* What deny rules are compared with. */
struct slice throttle_denied_application(const struct throttle_caller *c, struct buf *keys);
struct slice throttle_denied_subscription(const struct throttle_caller *c, struct buf *keys);
