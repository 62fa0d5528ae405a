/* revocation: is a token or an API key revoked? (private to enforce)
 *
 * For whatever has a jti: revocation_note() when it was verified, revocation_check() at each
 * request, be it remembered or not. */
#pragma once

#include "enforce/attempt.h"

/* Writes into the grant what a revocation would name: `jti`, or when it is empty `otherwise`: of a
 * JWT the text of its signature, of an opaque token all of it. */
void revocation_note(struct attempt *a, struct slice jti, struct slice otherwise, struct grant *g);

/* False: it is revoked, or what is revoked is not known yet; the refusal is in a->out. */
bool revocation_check(struct attempt *a, const struct grant *g);

/* Is it known what is revoked? Otherwise the refusal is in a->out. */
bool revocation_is_ready(struct attempt *a);
