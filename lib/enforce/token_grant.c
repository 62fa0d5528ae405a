#include "enforce/token_grant.h"

#include "enforce/subscription.h"

static bool audience_fits(const struct gw_issuer *issuer, const struct jwt_claims *claims)
{
    if (issuer->n_audiences == 0)
        return true;
    for (size_t i = 0; i < issuer->n_audiences; i++)
        for (size_t k = 0; k < claims->n_audiences; k++)
            if (slice_eq(issuer->audiences[i], claims->audiences[k]))
                return true;
    return false;
}

/* Neither before nbf nor before it was issued; 0: it does not say. */
static int64_t not_before(const struct jwt_claims *claims)
{
    int64_t nbf = claims->has_nbf ? claims->nbf : 0, iat = claims->has_iat ? claims->iat : 0;

    return nbf > iat ? nbf : iat;
}

static enum jwt_fault pack_grant(const struct jwt_claims *claims, struct arena *arena,
                                 struct grant *out)
{
    size_t n = 0;
    char *room, *p;

    for (size_t i = 0; i < claims->n_scopes; i++)
        n += grant_packed_size(claims->scopes[i]);
    room = p = arena_alloc(arena, n);
    if (room == NULL)
        return JWT_INTERNAL;
    for (size_t i = 0; i < claims->n_scopes; i++) {
        grant_pack_scope(p, claims->scopes[i]);
        p += grant_packed_size(claims->scopes[i]);
    }
    *out = (struct grant){
        .exp = claims->exp,
        .nbf = not_before(claims),
        .user = claims->sub,
        .app = claims->consumer_key,
        .keytype = claims->keytype,
        .scopes = slice_make(room, n),
    };
    return JWT_OK;
}

enum jwt_fault token_grant(struct attempt *a, const struct rules_issuer *by,
                           const struct jwt_claims *claims, uint64_t key, struct grant *out)
{
    struct arena *arena = a->w->arena;
    enum jwt_fault fault;

    if (!claims->has_exp)
        return JWT_BAD_TIMES; /* a grant cannot say "for ever" */
    if (!audience_fits(by->issuer, claims))
        return JWT_BAD_AUDIENCE;
    fault = pack_grant(claims, arena, out);
    if (fault == JWT_OK)
        fault = subscription_pack(&claims->subscriptions, arena, &out->subscriptions);
    out->issuer = (size_t)(by - a->rules->issuers);
    out->key = key;
    return fault;
}
