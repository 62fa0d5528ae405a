/* subscription: is the application of a token subscribed to the API, and is the API not blocked?
 * (private to enforce)
 *
 * An issuer with validate_subscription has its tokens' application looked up: in the token itself
 * when it has the claim subscribedAPIs, else in the store of the live state by the token's consumer
 * key and the issuer's name. Tokens of other issuers get an anonymous application. What a token
 * brings is remembered with it; what is asked of the store is asked for each request anew, so that
 * what changes there counts at once. */
#pragma once

#include "enforce/attempt.h"

/* Packs what a token brings for struct grant: nothing unless it has subscribedAPIs. */
enum jwt_fault subscription_pack(const struct jwt_subscriptions *s, struct arena *arena,
                                 struct slice *out);

/* Fills in out->application, and out->keytype when the token does not say one; then the API's
 * status. */
bool subscription_check(struct attempt *a, const struct grant *g);

/* Refuses when the API is blocked: by the store, or where the store does not say by its project. */
bool subscription_check_status(struct attempt *a);
