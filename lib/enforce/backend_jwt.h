/* backend_jwt: the JWT that tells the backend who calls (private to enforce).
 *
 * The last step of a decision that allows: nothing is signed for a request that is refused. One
 * signature takes as long as hundreds of decisions, so a JWT serves all requests of a token to an
 * API until it is about to expire. A worker remembers them by the number that its token cache gave
 * the token and by a fingerprint of all that the claims depend on besides: what was made for one
 * caller, API, application or subscription can never be sent for another, and when the token is
 * forgotten, because it is not valid any more or was pushed out, its JWTs are never found again. */
#pragma once

#include "enforce/attempt.h"

/* What the rules hold of it. */
int backend_jwt_prepare(struct enforce_rules *r, struct diag *diag);

/* Memory and state of a worker; nothing is allocated before the first rules that have a JWT. */
void backend_jwt_free(struct enforce_worker *w);

/* Adds the JWT to the decision when there is one to send: to requests with a credential. True: go
 * on; false: refused. */
bool backend_jwt_add(struct attempt *a);
