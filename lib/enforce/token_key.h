/* token_key: which key of an issuer verifies a token (private to enforce).
 *
 * An issuer with a certificate or public key has that one: a kid is not looked at. An issuer with a
 * key set has the key that the token's kid names; a token without kid is tried with all keys that
 * fit its algorithm, when they are at most JWKS_MAX_TRIES. What the set cannot know, a kid that it
 * does not have or a token without kid that no key verifies, makes out->fetch ask for the set again;
 * the request itself is refused, and waits for nobody. */
#pragma once

#include "enforce/attempt.h"

/* Verifies the signature. *tag is set to that of the key of a set, to 0 for a key of the rules. */
enum jwt_fault token_verify_signature(struct attempt *a, const struct jwt *jwt,
                                      const struct rules_issuer *by, uint64_t *tag);
