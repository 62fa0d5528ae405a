/* token_grant: from the claims of a token, or what is said of it, to what it grants (private to
 * enforce). */
#pragma once

#include "enforce/attempt.h"

/* Checks what depends neither on the time nor on the resource: exp is there, and aud names us where
 * the issuer has audiences. `key` as in struct grant. All of *out lies in the worker's arena. */
enum jwt_fault token_grant(struct attempt *a, const struct rules_issuer *by,
                           enum gw_token_type type, const struct jwt_claims *claims, uint64_t key,
                           struct grant *out);

/* The claims that conditions of policies look at, by the names that the issuer has for them: into
 * `room`, and with it into *out. */
void token_name_claims(const struct attempt *a, const struct rules_issuer *by,
                       struct slice room[GW_CLAIMS_MAX], struct jwt_claim_names *out);
