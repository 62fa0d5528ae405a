#include "enforce/introspect.h"

#include "crypto/crypto.h"
#include "enforce/await_reply.h"
#include "enforce/revocation.h"
#include "enforce/token_grant.h"

enum { MAX_MAPPINGS = 64 };

bool introspect_applies(const struct attempt *a, struct slice token)
{
    size_t dots = 0;

    for (size_t i = 0; i < token.n; i++)
        dots += token.p[i] == '.';
    return a->rules->introspecting != NULL && dots != 2;
}

/* token68 of RFC 9110 11.2, which is what RFC 6750 2.1 calls b64token. Anything else is no token,
 * and nobody is asked about it. */
static bool is_token68(struct slice s)
{
    while (s.n > 1 && s.p[s.n - 1] == '=')
        s.n--;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr("-._~+/", s.p[i]) == NULL))
            return false;
    return s.n > 0;
}

/* One reply for one token of one server, and no way back from the key to the token. */
static bool make_key(struct attempt *a, const struct gw_issuer *issuer, struct slice token,
                     struct enforce_key *key)
{
    struct slice text = arena_printf(a->w->arena, "%" PRIslice " %" PRIslice,
                                     SLICE_ARG(issuer->introspection_url), SLICE_ARG(token));

    return text.p != NULL && crypto_sha256(text, key->bytes) == CC_OK;
}

static bool make_mappings(struct attempt *a, const struct gw_issuer *issuer,
                          struct jwt_claim_mappings *out)
{
    size_t n = issuer->n_claim_mappings < MAX_MAPPINGS ? issuer->n_claim_mappings : MAX_MAPPINGS;
    struct jwt_claim_mapping *list = arena_array(a->w->arena, n, sizeof(*list));

    if (list == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct jwt_claim_mapping){issuer->claim_mappings[i].remote,
                                             issuer->claim_mappings[i].local};
    *out = (struct jwt_claim_mappings){list, n};
    return true;
}

/* The server may leave out what we would only compare (RFC 7662 2.2); what it says must be right.
 */
static enum jwt_fault check_answer(const struct jwt_introspection *in,
                                   const struct gw_issuer *issuer)
{
    if (!in->active)
        return JWT_NOT_ACTIVE;
    if (in->token_type.n > 0 && !slice_eq_nocase(in->token_type, SLICE("Bearer")))
        return JWT_BAD_TOKEN_TYPE;
    if (in->claims.iss.n > 0 && !slice_eq(in->claims.iss, issuer->issuer))
        return JWT_BAD_ISSUER;
    return JWT_OK;
}

static enum jwt_fault read_answer(struct attempt *a, struct slice token,
                                  const struct enforce_reply *reply, struct grant *out)
{
    const struct rules_issuer *by = a->rules->introspecting;
    const struct gw_issuer *issuer = by->issuer;
    struct jwt_claim_names names = {.consumer_key = issuer->consumer_key_claim,
                                    .scope = issuer->scope_claim,
                                    .subscriptions = issuer->validate_subscription,
                                    /* what others call otherwise has been renamed by then */
                                    .extra = a->rules->throttle.claims,
                                    .n_extra = a->rules->throttle.n_claims};
    struct jwt_claim_mappings mappings;
    struct filter_transform transform;
    struct jwt_claim_hook hook;
    struct jwt_introspection in;
    enum jwt_fault fault;

    if (!make_mappings(a, issuer, &mappings))
        return JWT_INTERNAL;
    fault =
        jwt_introspection_parse(reply->bytes, &names, &mappings,
                                filter_claim_hook(a, issuer, &transform, &hook), a->w->arena, &in);
    if (fault == JWT_OK)
        fault = check_answer(&in, issuer);
    if (fault != JWT_OK)
        return fault;
    TRACE_STEP(a->trace, CLAIMS, issuer->origin);
    TRACE(claims, a->trace, issuer, &in.claims);
    if (!in.claims.has_exp) { /* then it holds for as long as the answer does */
        in.claims.has_exp = true;
        in.claims.exp = reply->until_s;
    }
    fault = token_grant(a, by, GW_ACCESS_TOKEN, &in.claims, 0, out);
    out->until = reply->until_s;
    if (fault == JWT_OK)
        revocation_note(a, in.claims.jti, token, out);
    return fault;
}

bool introspect(struct attempt *a, struct slice token, enum jwt_fault *fault, struct grant *out)
{
    const struct gw_issuer *issuer = a->rules->introspecting->issuer;
    struct enforce_await await = {.what = ENFORCE_WAIT_INTROSPECTION,
                                  .subject = (size_t)(a->rules->introspecting - a->rules->issuers),
                                  .question = token};
    const struct enforce_reply *reply;

    TRACE_STEP(a->trace, INTROSPECTION, issuer->origin);
    TRACE_SAY(a->trace, "the token is no JWT, so %" PRIslice " is asked",
              SLICE_ARG(issuer->introspection_url));
    *fault = JWT_NOT_THREE_PARTS;
    if (token.n > INTROSPECT_MAX_TOKEN || !is_token68(token))
        return true;
    *fault = JWT_INTERNAL;
    if (!make_key(a, issuer, token, &await.key))
        return true;
    reply = await_reply(a, &await);
    if (reply == NULL)
        return false;
    if (reply->failed) {
        reason_add_str(a->reason, "the introspection server is of no use: ");
        reason_add(a->reason, reply->bytes);
        reason_add_place(a->reason, issuer->origin);
        refuse(a->out, REFUSE_INTERNAL);
        return false;
    }
    *fault = read_answer(a, token, reply, out);
    return true;
}
