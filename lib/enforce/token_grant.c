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
        .exp = claims->has_exp ? claims->exp : GRANT_FOREVER,
        .nbf = not_before(claims),
        .user = claims->sub,
        .app = claims->consumer_key,
        .keytype = claims->keytype,
        .scopes = slice_make(room, n),
        .application = claims->subscriptions.uuid,
        .permitted_ip = claims->permitted_ip,
        .permitted_referer = claims->permitted_referer,
    };
    return JWT_OK;
}

/* The claim that says what a token is for. */
static bool is_of_type(const struct jwt_claims *claims, enum gw_token_type type)
{
    static const struct slice names[GW_TOKEN_TYPE_COUNT] = {
        [GW_API_KEY] = SLICE_INIT("apiKey"),
        [GW_INTERNAL_KEY] = SLICE_INIT("InternalKey"),
    };
    struct slice said = claims->token_type;

    if (type != GW_ACCESS_TOKEN)
        return slice_eq(said, names[type]);
    /* in whatever case: better one token refused than a key taken for one */
    return !slice_eq_nocase(said, names[GW_API_KEY]) &&
           !slice_eq_nocase(said, names[GW_INTERNAL_KEY]);
}

/* Values of claims that conditions look at: the claim's number, one byte, and the text. */
static enum jwt_fault pack_claims(const struct jwt_claims *claims, struct arena *arena,
                                  struct slice *out)
{
    size_t n = 0;
    char *room, *p;

    for (size_t i = 0; i < claims->n_extra; i++) {
        if (claims->extra[i].text.n >= UINT16_MAX)
            return JWT_BAD_CLAIM;
        n += 3 + claims->extra[i].text.n;
    }
    room = p = arena_alloc(arena, n);
    if (room == NULL)
        return JWT_INTERNAL;
    for (size_t i = 0; i < claims->n_extra; i++) {
        struct slice text = claims->extra[i].text;
        size_t length = 1 + text.n;

        *p++ = (char)(unsigned char)(length >> 8);
        *p++ = (char)(unsigned char)(length & 0xff);
        *p++ = (char)(unsigned char)claims->extra[i].claim;
        if (text.n > 0)
            memcpy(p, text.p, text.n);
        p += text.n;
    }
    *out = slice_make(room, n);
    return JWT_OK;
}

void token_name_claims(const struct attempt *a, const struct rules_issuer *by,
                       struct slice room[GW_CLAIMS_MAX], struct jwt_claim_names *out)
{
    const struct throttle_rules *t = &a->rules->throttle;
    const struct gw_issuer *issuer = by->issuer;

    for (size_t i = 0; i < t->n_claims; i++) {
        room[i] = t->claims[i];
        for (size_t k = 0; k < issuer->n_claim_mappings; k++)
            if (slice_eq(issuer->claim_mappings[k].local, t->claims[i]))
                room[i] = issuer->claim_mappings[k].remote;
    }
    out->extra = room;
    out->n_extra = t->n_claims;
}

enum jwt_fault token_grant(struct attempt *a, const struct rules_issuer *by,
                           enum gw_token_type type, const struct jwt_claims *claims, uint64_t key,
                           struct grant *out)
{
    struct arena *arena = a->w->arena;
    enum jwt_fault fault;

    if (!is_of_type(claims, type))
        return JWT_OTHER_TYPE;
    if (!claims->has_exp && type != GW_API_KEY)
        return JWT_BAD_TIMES; /* only API keys may be made without an end */
    if (!audience_fits(by->issuer, claims))
        return JWT_BAD_AUDIENCE;
    fault = pack_grant(claims, arena, out);
    if (fault == JWT_OK)
        fault = subscription_pack(&claims->subscriptions, arena, &out->subscriptions);
    if (fault == JWT_OK)
        fault = pack_claims(claims, arena, &out->claims);
    out->issuer = (size_t)(by - a->rules->issuers);
    out->type = type;
    out->key = key;
    return fault;
}
