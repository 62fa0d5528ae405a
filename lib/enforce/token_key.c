#include "enforce/token_key.h"

/* Asks the feeder for a newer set; it decides whether it is time. */
static void ask_for(struct attempt *a, const struct live_jwks *live)
{
    a->out->fetch |= UINT64_C(1) << live->feed;
}

static enum jwt_fault unknown_kid(struct attempt *a, const struct live_jwks *live)
{
    ask_for(a, live);
    TRACE_SAY(a->trace, "; the key set has %zu keys, none with this kid", jwks_count(live->set));
    return JWT_UNKNOWN_KEY;
}

/* The only one, the one with the kid, or each of a few. A fault other than a signature that does
 * not match ends it. */
static enum jwt_fault try_keys(struct attempt *a, const struct jwt *jwt,
                               const struct rules_issuer *by,
                               const struct jwks_key *const keys[JWKS_MAX_TRIES], size_t n,
                               uint64_t *tag)
{
    enum jwt_fault fault = JWT_BAD_SIGNATURE;

    for (size_t i = 0; i < n && fault == JWT_BAD_SIGNATURE; i++) {
        TRACE(algorithm, a->trace, by->issuer, keys[i]->key, jwt->alg);
        fault = jwt_verify(jwt, by->issuer->algorithms & keys[i]->algorithms, keys[i]->key);
        TRACE(signature, a->trace, by->issuer, fault);
        if (fault == JWT_OK)
            *tag = keys[i]->tag;
    }
    return fault;
}

static enum jwt_fault verify_by_set(struct attempt *a, const struct jwt *jwt,
                                    const struct rules_issuer *by, const struct live_jwks *live,
                                    uint64_t *tag)
{
    const struct jwks_key *keys[JWKS_MAX_TRIES];
    bool kid_known;
    size_t n = jwks_find(live->set, jwt->kid, jwt->alg, keys, &kid_known);
    enum jwt_fault fault;

    if (jwt->kid.n > 0 && !kid_known)
        return unknown_kid(a, live);
    if (n > JWKS_MAX_TRIES)
        return JWT_KEY_NOT_NAMED;
    fault = n > 0 ? try_keys(a, jwt, by, keys, n, tag) : JWT_ALG_KEY_MISMATCH;
    /* without a kid, a new key shows only by what the old ones cannot verify */
    if (fault != JWT_OK && jwt->kid.n == 0)
        ask_for(a, live);
    return fault;
}

enum jwt_fault token_verify_signature(struct attempt *a, const struct jwt *jwt,
                                      const struct rules_issuer *by, uint64_t *tag)
{
    const struct gw_issuer *issuer = by->issuer;
    const struct live_jwks *live;
    enum jwt_fault fault;

    *tag = 0;
    if (by->key != NULL) {
        TRACE(algorithm, a->trace, issuer, by->key, jwt->alg);
        fault = jwt_verify(jwt, issuer->algorithms, by->key);
        TRACE(signature, a->trace, issuer, fault);
        return fault;
    }
    if (issuer->jwks_url.n == 0)
        return JWT_OPAQUE_ONLY;
    TRACE_STEP(a->trace, KEY, issuer->origin);
    TRACE_SAY(a->trace, "of the key set at %" PRIslice, SLICE_ARG(issuer->jwks_url));
    /* before a key is looked for: no token with another algorithm makes anybody fetch anything */
    if ((issuer->algorithms & 1u << jwt->alg) == 0)
        return JWT_ALG_NOT_ALLOWED;
    live = enforce_live_find_jwks(a->live, issuer->jwks_url);
    if (live == NULL)
        return JWT_KEYS_UNKNOWN;
    if (live->set == NULL)
        return live->state == LIVE_JWKS_FETCHING ? JWT_KEYS_FETCHING : JWT_NO_KEYS;
    return verify_by_set(a, jwt, by, live, tag);
}
