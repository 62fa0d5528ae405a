#include "enforce/cache.h"
#include "enforce/cors.h"
#include "enforce/reason.h"
#include "enforce/refuse.h"
#include "enforce/rules.h"
#include "enforce/trace.h"

#include <stdlib.h>

enum {
    /* Scratch for one token: its decoded parts, claims and scopes. A token has at most
     * JWT_MAX_BYTES; the most it can be blown up to is a list of empty scopes. */
    ARENA_MAX = 1 << 20,
    /* A normal path and the endpoint's path before it. */
    PATH_ROOM = 2 * GW_PATH_MAX
};

struct enforce_worker {
    struct arena *arena;
    struct cache *cache;   /* NULL: none */
    char issuers_hash[65]; /* of the rules under which the cache was filled */
    struct reason reason;
    struct refuse_room refusal;
    char host[GW_HOST_MAX];
    char path[GW_PATH_MAX];
    char backend_path[PATH_ROOM];
    /* Relaxed atomics: written by this worker only, read by whoever shows them. */
#define X(name, help) _Atomic uint64_t name;
    ENFORCE_COUNTERS(X)
#undef X
};

/* One decision on its way through the steps below. */
struct attempt {
    struct enforce_worker *w;
    const struct enforce_rules *rules;
    const struct enforce_request *request;
    const struct clock *clock;
    struct enforce_decision *out;
    struct slice host, path; /* normal forms */
    struct reason *reason;
    struct enforce_trace *trace; /* NULL: nobody asks */
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

int enforce_worker_new(struct enforce_worker **out, const struct enforce_options *options)
{
    struct enforce_worker *w = calloc(1, sizeof(*w));
    int rc = CC_ENOMEM;

    if (w == NULL)
        goto out;
    w->arena = arena_new(ARENA_MAX);
    if (w->arena == NULL)
        goto out;
    rc = CC_OK;
    if (options->cache_entries > 0)
        rc = cache_new(&w->cache, options->cache_entries, options->cache_bytes);
    if (rc != CC_OK)
        goto out;
    *out = w;
    w = NULL;
out:
    enforce_worker_free(&w);
    return rc;
}

void enforce_worker_free(struct enforce_worker **w)
{
    if (*w == NULL)
        return;
    cache_free(&(*w)->cache);
    arena_free(&(*w)->arena);
    free(*w);
    *w = NULL;
}

/* Steps. Each returns true when the decision goes on, and false when it has been made. */

/* The system resources: no API can take their place. HAProxy itself answers /health; what of it
 * gets here is another method or another spelling. */
static bool serve_system(struct attempt *a)
{
    struct slice host = a->rules->model->system_host;
    bool health = slice_is(a->path, "/health");
    enum gw_method method;

    if (!health && !slice_is(a->path, "/ready"))
        return true;
    if (!slice_is(host, "*") && !slice_eq(a->host, host))
        return true;
    TRACE_STEP(a->trace, SYSTEM, PLACE_NONE);
    TRACE_SAY(a->trace, "%" PRIslice " on the system host", SLICE_ARG(a->path));
    reason_add_str(a->reason, "system resource ");
    reason_add(a->reason, a->path);
    method = gw_method_parse(a->request->method);
    if (method != GW_GET && method != GW_HEAD) {
        refuse_method(a->out, &a->w->refusal, 1u << GW_GET | 1u << GW_HEAD);
    } else if (health) {
        refuse(a->out, REFUSE_NOT_FOUND);
    } else {
        a->out->verdict = ENFORCE_READY;
        a->out->status = 0;
        a->out->code = a->out->body = SLICE_NONE;
    }
    return false;
}

static bool normalize(struct attempt *a)
{
    const struct enforce_request *request = a->request;
    enum gw_path_fault fault = GW_PATH_TOO_LONG;

    TRACE_STEP(a->trace, HOST, PLACE_NONE);
    if (!gw_host_normalize(request->host, a->w->host, &a->host)) {
        reason_add_str(a->reason, "no usable Host header");
        refuse(a->out, REFUSE_BAD_REQUEST);
        return false;
    }
    TRACE_SAY(a->trace, "%" PRIslice, SLICE_ARG(a->host));
    TRACE_STEP(a->trace, PATH, PLACE_NONE);
    if (request->path.n <= sizeof(a->w->path))
        fault = gw_path_normalize(request->path, a->w->path, &a->path);
    if (fault != GW_PATH_OK) {
        reason_add_str(a->reason, gw_path_fault_text(fault));
        refuse_path(a->out, &a->w->refusal, fault);
        return false;
    }
    TRACE_SAY(a->trace, "%" PRIslice, SLICE_ARG(a->path));
    return true;
}

static bool refuse_route(struct attempt *a, const struct gw_route *route)
{
    if (route->api != NULL) {
        reason_add_str(a->reason, "no resource of the API matches the path");
        reason_add_place(a->reason, route->api->origin);
    } else {
        reason_add_str(a->reason, route->host_known ? "no API of this host has such a base path"
                                                    : "no API is on this host");
    }
    refuse(a->out, REFUSE_NOT_FOUND);
    return false;
}

/* A known path with another method; OPTIONS is answered for those that do not declare it. */
static bool refuse_operation(struct attempt *a, const struct gw_route *route, bool options)
{
    unsigned methods = gw_route_methods(route);

    if (options) {
        reason_add_str(a->reason, "OPTIONS, which the resource does not declare, is answered here");
        refuse_with_options(a->out, &a->w->refusal, methods);
    } else {
        reason_add_str(a->reason, "the resource does not declare this method");
        refuse_method(a->out, &a->w->refusal, methods);
    }
    reason_add_place(a->reason, route->resource->origin);
    return false;
}

/* A browser asks whether a page may send a request. The answer says what may be sent to this API,
 * not what this page asked for, so that it does not matter whether that is declared. */
static bool answer_preflight(struct attempt *a, const struct gw_route *route)
{
    a->out->api = route->api;
    a->out->resource = route->resource;
    TRACE_STEP(a->trace, CORS, route->api->cors_declared);
    TRACE_SAY(a->trace, "a preflight of an allowed origin");
    reason_add_str(a->reason, "CORS preflight, which is answered here");
    reason_add_place(a->reason, route->api->cors_declared);
    refuse_with_preflight(a->out);
    return false;
}

static bool find_operation(struct attempt *a)
{
    enum gw_method method = gw_method_parse(a->request->method);
    struct enforce_decision *out = a->out;
    struct gw_route route;
    bool found = gw_route_find(gw_snapshot_routes(a->rules->snapshot), a->host, a->path, &route);

    out->api = route.api;
    TRACE(route, a->trace, &route);
    if (!found)
        return refuse_route(a, &route);
    if (method == GW_OPTIONS && cors_is_preflight(a->rules, a->request, &route))
        return answer_preflight(a, &route);
    TRACE_STEP(a->trace, OPERATION, route.resource->origin);
    TRACE_SAY(a->trace, "%" PRIslice, SLICE_ARG(a->request->method));
    if (method != GW_METHOD_COUNT)
        out->operation = gw_route_operation(&route, method); /* may settle on another match */
    out->api = route.api;
    out->resource = route.resource;
    TRACE(operation, a->trace, out->operation);
    return out->operation != NULL || refuse_operation(a, &route, method == GW_OPTIONS);
}

static bool refuse_credential(struct attempt *a, enum refusal why, const char *text)
{
    reason_add(a->reason, a->out->api->auth_header);
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

/* credentials = "Bearer" 1*SP token (RFC 6750 2.1; RFC 9110 11.4: the scheme is case-insensitive).
 * Tabs are let pass for spaces; a second word is not. */
static bool find_token(struct attempt *a, struct slice *token)
{
    static const struct slice scheme = SLICE_INIT("Bearer");
    const struct enforce_header *h = rules_auth_header(a->rules, a->out->api, a->request);
    struct slice value;

    TRACE_STEP(a->trace, CREDENTIAL, a->out->operation->origin);
    if (h == NULL || (value = slice_trim(h->value)).n == 0)
        return refuse_credential(a, REFUSE_NO_CREDENTIAL, "the header is missing");
    if (h->count > 1) /* two parties could pick different ones */
        return refuse_credential(a, REFUSE_NOT_APPLICABLE, "the header is there more than once");
    if (!slice_eq_nocase(slice_first(value, scheme.n), scheme) ||
        (value.n > scheme.n && !is_blank(value.p[scheme.n])))
        return refuse_credential(a, REFUSE_NOT_BEARER, "the scheme is not Bearer");
    *token = slice_trim(slice_from(value, scheme.n));
    if (token->n == 0)
        return refuse_credential(a, REFUSE_NOT_APPLICABLE, "there is no token after Bearer");
    if (slice_find(*token, ' ') >= 0 || slice_find(*token, '\t') >= 0)
        return refuse_credential(a, REFUSE_NOT_APPLICABLE, "more than one word after Bearer");
    TRACE_SAY(a->trace, "Bearer, in the header %" PRIslice, SLICE_ARG(a->out->api->auth_header));
    return true;
}

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
        .nbf = claims->has_nbf ? claims->nbf : 0,
        .user = claims->sub,
        .app = claims->consumer_key,
        .keytype = claims->keytype,
        .scopes = slice_make(room, n),
    };
    return JWT_OK;
}

/* Everything about a token that does not depend on the time or the resource. *issuer is set as soon
 * as it is known. */
static enum jwt_fault verify(struct attempt *a, struct slice token, const struct gw_issuer **issuer,
                             struct grant *out)
{
    struct arena *arena = a->w->arena;
    const struct rules_issuer *by;
    struct jwt_claim_names names;
    struct jwt_claims claims;
    struct jwt jwt;
    struct slice iss;
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
    by = rules_find_issuer(a->rules, iss);
    if (by == NULL)
        return JWT_UNKNOWN_ISSUER;
    *issuer = by->issuer;
    TRACE(algorithm, a->trace, by->issuer, by->key, jwt.alg);
    fault = jwt_verify(&jwt, by->issuer->algorithms, by->key);
    TRACE(signature, a->trace, by->issuer, fault);
    if (fault != JWT_OK)
        return fault;
    names.consumer_key = by->issuer->consumer_key_claim;
    names.scope = by->issuer->scope_claim;
    TRACE_STEP(a->trace, CLAIMS, by->issuer->origin);
    fault = jwt_claims_parse(&jwt, &names, arena, &claims);
    if (fault != JWT_OK)
        return fault;
    TRACE(claims, a->trace, by->issuer, &claims);
    if (!claims.has_exp)
        return JWT_BAD_TIMES; /* a grant cannot say "for ever" */
    if (!audience_fits(by->issuer, &claims))
        return JWT_BAD_AUDIENCE;
    return pack_grant(&claims, arena, out);
}

static enum jwt_fault check_times(const struct grant *g, int64_t now_s, int64_t leeway_s)
{
    struct jwt_claims times = {
        .has_exp = true, .exp = g->exp, .has_nbf = g->nbf > 0, .nbf = g->nbf};

    return jwt_check_times(&times, now_s, leeway_s);
}

static bool refuse_fault(struct attempt *a, enum jwt_fault fault, const struct gw_issuer *issuer)
{
    reason_add_str(a->reason, jwt_fault_text(fault));
    reason_add_place(a->reason, issuer != NULL ? issuer->origin : a->out->operation->origin);
    refuse_token(a->out, fault);
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
    refuse_token(a->out, fault);
    return false;
}

/* From the token to what it grants, by the cache when it knows it. Only a token that is verified
 * and valid now is remembered: neither forged nor expired ones can push out others. */
static bool open_token(struct attempt *a, struct slice token, struct grant *g)
{
    struct cache *cache = a->w->cache;
    int64_t now_s = clock_wall_s(a->clock), leeway_s = a->rules->model->leeway_s;
    const struct gw_issuer *issuer = NULL;
    bool hit = cache != NULL && cache_find(cache, token, g);
    enum jwt_fault fault = JWT_OK;

    count(hit ? &a->w->cache_hits : &a->w->cache_misses, 1);
    if (!hit)
        fault = verify(a, token, &issuer, g);
    if (fault != JWT_OK)
        return refuse_fault(a, fault, issuer);
    a->out->user = g->user;
    a->out->app = g->app;
    a->out->keytype = g->keytype.p != NULL && g->keytype.n > 0 ? g->keytype : SLICE("PRODUCTION");
    TRACE(times, a->trace, g, now_s, leeway_s);
    fault = check_times(g, now_s, leeway_s);
    if (fault != JWT_OK) {
        if (hit && fault == JWT_EXPIRED)
            cache_drop(cache, token);
        return refuse_times(a, fault, g, now_s);
    }
    if (!hit && cache != NULL) {
        uint64_t before = cache_evictions(cache);

        cache_insert(cache, token, g, now_s - leeway_s);
        count(&a->w->cache_evictions, cache_evictions(cache) - before);
    }
    return true;
}

/* Is there one scope that both the requirement and the token have? */
static bool meets(const struct gw_requirement *requirement, const struct grant *g)
{
    struct slice rest = g->scopes, scope;

    if (requirement->n_scopes == 0)
        return true;
    while (grant_next_scope(&rest, &scope))
        for (size_t i = 0; i < requirement->n_scopes; i++)
            if (slice_eq(requirement->scopes[i], scope))
                return true;
    return false;
}

static bool check_scopes(struct attempt *a, const struct grant *g, struct place *met)
{
    const struct gw_operation *op = a->out->operation;

    *met = op->origin;
    TRACE(scopes, a->trace, op, g);
    if (op->n_requirements == 0)
        return true;
    for (size_t i = 0; i < op->n_requirements; i++) {
        *met = op->requirements[i].origin;
        if (meets(&op->requirements[i], g))
            return true;
    }
    reason_add_str(a->reason, "the token has none of the scopes that are required");
    reason_add_place(a->reason, op->requirements[0].origin);
    refuse_scope(a->out, &a->w->refusal, a->out->resource, op);
    return false;
}

static bool refuse_keytype(struct attempt *a, enum refusal why, const char *text)
{
    reason_add_str(a->reason, text);
    reason_add_place(a->reason, a->out->api->origin);
    refuse(a->out, why);
    return false;
}

/* The endpoints for the key type of the caller's token; those of the resource before the API's. No
 * token, as for an open operation, counts as one of production. */
static bool choose_cluster(struct attempt *a, const struct gw_cluster **out)
{
    const struct gw_resource *r = a->out->resource;
    const struct gw_api *api = a->out->api;
    struct slice keytype = a->out->keytype;

    if (keytype.n > 0) {
        TRACE_STEP(a->trace, KEY_TYPE, api->origin);
        TRACE_SAY(a->trace, "%" PRIslice, SLICE_ARG(keytype));
    }
    if (slice_is(keytype, "SANDBOX")) {
        *out = r->sandbox != NULL ? r->sandbox : api->sandbox;
        return *out != NULL ||
               refuse_keytype(a, REFUSE_SANDBOX,
                              "a SANDBOX token for an API without sandbox endpoint");
    }
    if (keytype.n > 0 && !slice_is(keytype, "PRODUCTION"))
        return refuse_keytype(a, REFUSE_KEY_TYPE, "keytype is neither PRODUCTION nor SANDBOX");
    *out = r->production != NULL ? r->production : api->production;
    return *out != NULL ||
           refuse_keytype(a, REFUSE_PRODUCTION,
                          keytype.n > 0
                              ? "a PRODUCTION token for an API without production endpoint"
                              : "open operation of an API without production endpoint");
}

/* Is the caller entitled to the operation? *by is the place in the configuration that says so. */
static bool authorize(struct attempt *a, struct place *by)
{
    const struct gw_operation *op = a->out->operation;
    struct slice token;
    struct grant grant;

    *by = op->origin;
    if (op->closed)
        return refuse_credential(a, REFUSE_NO_CREDENTIAL,
                                 "closed: only unsupported schemes protect it");
    if (op->open)
        return true;
    return find_token(a, &token) && open_token(a, token, &grant) && check_scopes(a, &grant, by);
}

/* The path the backend sees: the endpoint's path instead of the base path. */
static bool rewrite_path(struct attempt *a, struct slice endpoint_path, struct slice *out)
{
    struct slice base = a->out->api->base_path, rest = slice_from(a->path, base.n);
    char *room = a->w->backend_path;

    if (rest.p == NULL || !slice_starts(a->path, base) || (rest.n > 0 && rest.p[0] != '/')) {
        reason_add_str(a->reason, "internal error: the route is not below its API's base path");
        refuse(a->out, REFUSE_INTERNAL);
        return false;
    }
    if (endpoint_path.n == 0) {
        *out = rest.n > 0 ? rest : SLICE("/");
        return true;
    }
    if (endpoint_path.n > sizeof(a->w->backend_path) - rest.n) {
        reason_add_str(a->reason, "the path and the endpoint's path together are too long");
        reason_add_place(a->reason, a->out->api->origin);
        refuse(a->out, REFUSE_TOO_LONG);
        return false;
    }
    memcpy(room, endpoint_path.p, endpoint_path.n);
    if (rest.n > 0)
        memcpy(room + endpoint_path.n, rest.p, rest.n);
    *out = slice_make(room, endpoint_path.n + rest.n);
    return true;
}

/* The only place that allows. */
static bool forward(struct attempt *a, struct place by)
{
    struct enforce_decision *out = a->out;
    const struct gw_cluster *cluster;
    struct slice path;

    if (!choose_cluster(a, &cluster))
        return false;
    TRACE(backend, a->trace, cluster);
    if (!rewrite_path(a, cluster->endpoints[0].path, &path))
        return false;
    reason_add_str(a->reason, out->operation->open ? "allowed: open operation" : "allowed");
    reason_add_place(a->reason, by);
    out->status = 0;
    out->code = out->body = out->challenge = SLICE_NONE;
    out->backend = cluster->name;
    out->path = path;
    out->host = rules_cluster_host(a->rules, cluster);
    if (!a->rules->model->keep_auth_header)
        out->strip_header = out->api->auth_header;
    out->verdict = ENFORCE_ALLOW;
    return true;
}

/* Tokens verified under other issuers, keys or audiences are not verified any more. */
static void follow_issuers(struct enforce_worker *w, const struct enforce_rules *rules)
{
    if (memcmp(w->issuers_hash, rules->issuers_hash, sizeof(w->issuers_hash)) == 0)
        return;
    if (w->cache != NULL)
        cache_clear(w->cache);
    memcpy(w->issuers_hash, rules->issuers_hash, sizeof(w->issuers_hash));
}

void enforce_decide_traced(struct enforce_worker *w, struct enforce_rules *rules,
                           const struct enforce_request *request, const struct clock *clock,
                           struct enforce_decision *out, struct enforce_trace *trace)
{
    struct attempt a = {
        .w = w,
        .rules = rules,
        .request = request,
        .clock = clock,
        .out = out,
        .host = SLICE(""),
        .path = SLICE(""),
        .reason = &w->reason,
        .trace = trace,
    };
    struct place by = PLACE_NONE;

    *out = (struct enforce_decision){.verdict = ENFORCE_DENY};
    refuse(out, REFUSE_INTERNAL); /* what holds until a step says otherwise */
    reason_start(&w->reason);
    if (trace != NULL)
        trace_begin(trace);
    arena_reset(w->arena);
    follow_issuers(w, rules);

    if (normalize(&a) && serve_system(&a) && find_operation(&a) && authorize(&a, &by))
        forward(&a, by);

    cors_describe(rules, request, out);
    out->reason = reason_slice(&w->reason);
    TRACE(end, trace, out, &w->reason);
    count(&w->decisions, 1);
    if (out->verdict == ENFORCE_ALLOW)
        count(&w->allowed, 1);
    else if (out->verdict == ENFORCE_DENY)
        count(&w->denied, 1);
}

void enforce_decide(struct enforce_worker *w, struct enforce_rules *rules,
                    const struct enforce_request *request, const struct clock *clock,
                    struct enforce_decision *out)
{
    enforce_decide_traced(w, rules, request, clock, out, NULL);
}

void enforce_worker_counters(const struct enforce_worker *w, struct enforce_counters *out)
{
#define X(name, help) out->name = atomic_load_explicit(&w->name, memory_order_relaxed);
    ENFORCE_COUNTERS(X)
#undef X
}
