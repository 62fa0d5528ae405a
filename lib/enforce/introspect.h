/* introspect: tokens that are no JWTs, by what their issuer's server says (private to enforce; RFC
 * 7662).
 *
 * The engine does not ask: it waits for the reply (await.h), whose bytes are the server's answer.
 * What the server says is what a JWT's claims say, and is checked in the same way. */
#pragma once

#include "enforce/attempt.h"

/* Is it a token of the issuer that has introspection? A JWT has three parts, whoever issued it. */
bool introspect_applies(const struct attempt *a, struct slice token);

/* False: the decision has been made: it waits, or nobody could be asked (503). Else *fault says
 * what is wrong with the token, or out what it grants. */
bool introspect(struct attempt *a, struct slice token, enum jwt_fault *fault, struct grant *out);
