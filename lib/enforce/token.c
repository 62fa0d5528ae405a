/* token: the OAuth 2 access token of a request. */
#include "enforce/token.h"

#include "enforce/introspect.h"
#include "enforce/revocation.h"
#include "enforce/subscription.h"
#include "enforce/token_grant.h"
#include "enforce/token_key.h"

bool token_refuse(struct attempt *a, enum refusal why, const char *text)
{
    return token_refuse_at(a, why, a->out->api->auth_header, text);
}

bool token_refuse_at(struct attempt *a, enum refusal why, struct slice where, const char *text)
{
    reason_add(a->reason, where);
    reason_add_str(a->reason, ": ");
    reason_add_str(a->reason, text);
    reason_add_place(a->reason, a->out->operation->origin);
    refuse(a->out, why);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The header is there, but not as one Bearer token. */
static enum credential_state malformed(struct attempt *a, enum refusal why, const char *text)
{
    token_refuse(a, why, text);
    return CREDENTIAL_REFUSED;
}

enum credential_state token_find(struct attempt *a, const struct gw_need *need, struct slice *token)
{
    static const struct slice scheme = SLICE_INIT("Bearer");
    const struct enforce_header *h = rules_auth_header(a->rules, a->out->api, a->request);
    struct slice value;

    (void)need; /* one token a request, whatever its scheme is called */
    TRACE_STEP(a->trace, CREDENTIAL, a->out->operation->origin);
    if (h == NULL || (value = slice_trim(h->value)).n == 0) {
        token_refuse(a, REFUSE_NO_CREDENTIAL, "the header is missing");
        return CREDENTIAL_ABSENT;
    }
    if (h->count > 1) /* two parties could pick different ones */
        return malformed(a, REFUSE_NOT_APPLICABLE, "the header is there more than once");
    if (!slice_eq_nocase(slice_first(value, scheme.n), scheme) ||
        (value.n > scheme.n && !is_blank(value.p[scheme.n])))
        return malformed(a, REFUSE_NOT_BEARER, "the scheme is not Bearer");
    *token = slice_trim(slice_from(value, scheme.n));
    if (token->n == 0)
        return malformed(a, REFUSE_NOT_APPLICABLE, "there is no token after Bearer");
    if (slice_find(*token, ' ') >= 0 || slice_find(*token, '\t') >= 0)
        return malformed(a, REFUSE_NOT_APPLICABLE, "more than one word after Bearer");
    TRACE_SAY(a->trace, "Bearer, in the header %" PRIslice, SLICE_ARG(a->out->api->auth_header));
    return CREDENTIAL_GOOD;
}

/* Everything about a token that does not depend on the time or the resource. *issuer is set as soon
 * as it is known. */
static enum jwt_fault verify(struct attempt *a, enum gw_token_type type, struct slice token,
                             const struct gw_issuer **issuer, struct grant *out)
{
    struct arena *arena = a->w->arena;
    const struct rules_issuer *by;
    struct slice extra[GW_CLAIMS_MAX];
    struct jwt_claim_names names;
    struct jwt_claims claims;
    struct filter_transform transform;
    struct jwt_claim_hook hook;
    struct jwt jwt;
    struct slice iss;
    uint64_t key;
    enum jwt_fault fault;

    TRACE_STEP(a->trace, TOKEN, a->out->operation->origin);
    fault = jwt_split(token, arena, &jwt);
    if (fault == JWT_OK) {
        TRACE_SAY(a->trace, "alg %s, kid '%" PRIslice "'", jwt_alg_name(jwt.alg),
                  SLICE_ARG(jwt.kid));
        fault = jwt_peek_issuer(&jwt, arena, &iss);
    }
    if (fault != JWT_OK)
        return fault;
    TRACE_STEP(a->trace, ISSUER, a->out->operation->origin);
    TRACE_SAY(a->trace, "iss '%" PRIslice "'", SLICE_ARG(slice_first(iss, 512)));
    by = rules_find_issuer(a->rules, iss, type);
    if (by == NULL)
        return JWT_UNKNOWN_ISSUER;
    *issuer = by->issuer;
    fault = token_verify_signature(a, &jwt, by, &key);
    if (fault != JWT_OK)
        return fault;
    names.consumer_key = by->issuer->consumer_key_claim;
    names.scope = by->issuer->scope_claim;
    names.subscriptions = by->issuer->validate_subscription || type != GW_ACCESS_TOKEN;
    names.restrictions = type == GW_API_KEY;
    token_name_claims(a, by, extra, &names);
    TRACE_STEP(a->trace, CLAIMS, by->issuer->origin);
    fault = jwt_claims_parse_changed(
        &jwt, &names, filter_claim_hook(a, by->issuer, &transform, &hook), arena, &claims);
    if (fault != JWT_OK)
        return fault;
    TRACE(claims, a->trace, by->issuer, &claims);
    fault = token_grant(a, by, type, &claims, key, out);
    if (fault == JWT_OK)
        revocation_note(a, claims.jti, slice_from(token, jwt.signing_input.n + 1), out);
    return fault;
}

static enum jwt_fault check_times(const struct grant *g, int64_t now_s, int64_t leeway_s)
{
    struct jwt_claims times = {
        .has_exp = true, .exp = g->exp, .has_nbf = g->nbf > 0, .nbf = g->nbf};

    return jwt_check_times(&times, now_s, leeway_s);
}

static bool refuse_fault(struct attempt *a, enum jwt_fault fault, enum gw_token_type type,
                         const struct gw_issuer *issuer)
{
    reason_add_str(a->reason, jwt_fault_text(fault));
    reason_add_place(a->reason, issuer != NULL ? issuer->origin : a->out->operation->origin);
    refuse_token(a->out, type, fault);
    return false;
}

static bool refuse_times(struct attempt *a, enum jwt_fault fault, const struct grant *g,
                         int64_t now_s)
{
    reason_add_str(a->reason, jwt_fault_text(fault));
    if (fault == JWT_EXPIRED) {
        reason_add_str(a->reason, ", ");
        reason_add_int(a->reason, now_s - g->exp);
        reason_add_str(a->reason, " s ago");
    } else if (fault == JWT_NOT_YET_VALID) {
        reason_add_str(a->reason, ", but in ");
        reason_add_int(a->reason, g->nbf - now_s);
        reason_add_str(a->reason, " s");
    }
    reason_add_place(a->reason, a->out->operation->origin);
    refuse_token(a->out, g->type, fault);
    return false;
}

/* Is the token remembered, the key that verified it still one of its issuer, and the word of the
 * introspection server still to be believed? */
static bool recall(struct attempt *a, struct slice token, int64_t now_s, struct grant *g)
{
    struct cache *cache = a->w->cache;

    if (cache == NULL || !cache_find(cache, token, g))
        return false;
    if ((g->key == 0 || enforce_live_has_key(a->live, g->key)) &&
        (g->until == 0 || now_s < g->until))
        return true;
    cache_drop(cache, token);
    return false;
}

bool token_open(struct attempt *a, const struct gw_need *need, struct slice token, struct grant *g)
{
    (void)need;
    return token_open_as(a, GW_ACCESS_TOKEN, token, g);
}

bool token_open_as(struct attempt *a, enum gw_token_type type, struct slice token, struct grant *g)
{
    struct cache *cache = a->w->cache;
    int64_t now_s = clock_wall_s(a->clock), leeway_s = a->rules->model->leeway_s;
    const struct gw_issuer *issuer = NULL;
    bool hit = recall(a, token, now_s, g);
    enum jwt_fault fault = JWT_OK;

    attempt_count(hit ? &a->w->cache_hits : &a->w->cache_misses, 1);
    if (!hit && type == GW_ACCESS_TOKEN && introspect_applies(a, token)) {
        issuer = a->rules->introspecting->issuer;
        if (!introspect(a, token, &fault, g))
            return false;
    } else if (!hit) {
        fault = verify(a, type, token, &issuer, g);
    } else if (g->type != type) {
        fault = JWT_OTHER_TYPE;
    }
    if (fault != JWT_OK)
        return refuse_fault(a, fault, type, issuer);
    a->out->user = g->user;
    a->out->app = g->app;
    a->out->keytype = g->keytype.p != NULL && g->keytype.n > 0 ? g->keytype : SLICE("PRODUCTION");
    if (!revocation_check(a, g))
        return false;
    TRACE(times, a->trace, g, now_s, leeway_s);
    fault = check_times(g, now_s, leeway_s);
    if (fault != JWT_OK) {
        if (hit && fault == JWT_EXPIRED)
            cache_drop(cache, token);
        return refuse_times(a, fault, g, now_s);
    }
    if (!hit && cache != NULL) {
        uint64_t before = cache_evictions(cache);

        g->number = cache_insert(cache, token, g, now_s - leeway_s);
        attempt_count(&a->w->cache_evictions, cache_evictions(cache) - before);
    }
    return true;
}
