/* subscription_pack: the bytes in which a grant keeps a token's subscriptions (private to enforce).
 */
#pragma once

#include "enforce/subscription.h"

/* Takes the application off *rest: all of *out but apis and n_apis. */
void subscription_unpack(struct slice *rest, struct jwt_subscriptions *out);

/* Then the APIs, one by one; false when there is none left. */
bool subscription_next_api(struct slice *rest, struct jwt_subscribed_api *api);
