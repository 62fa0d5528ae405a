/* internal_key: the key of a test console, a JWT with token_type InternalKey (private to enforce).
 *
 * Every operation takes one beside what its requirements say, if somebody signs such keys. It is
 * for the APIs in its subscribedAPIs, by context and version, and for no others. */
#pragma once

#include "enforce/credential.h"

/* May the request have one: is the header there? */
bool internal_key_is_there(const struct attempt *a);

enum credential_state internal_key_find(struct attempt *a, const struct gw_need *need,
                                        struct slice *text);
bool internal_key_open(struct attempt *a, const struct gw_need *need, struct slice text,
                       struct grant *out);
bool internal_key_admit(struct attempt *a, const struct grant *grant);
