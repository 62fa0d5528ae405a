#include "enforce/answer.h"
#include "enforce/attempt.h"
#include "enforce/authorize.h"
#include "enforce/backend_jwt.h"
#include "enforce/cors.h"
#include "enforce/query.h"
#include "enforce/revocation.h"
#include "enforce/testkey_serve.h"
#include "enforce/throttle_memo.h"

#include <stdlib.h>

enum {
    /* Scratch for one token: its decoded parts, claims and scopes. A token has at most
     * JWT_MAX_BYTES; the most it can be blown up to is a list of empty scopes. */
    ARENA_MAX = 1 << 20
};

int enforce_worker_new(struct enforce_worker **out, const struct enforce_options *options)
{
    struct enforce_worker *w = calloc(1, sizeof(*w));
    int rc = CC_ENOMEM;

    if (w == NULL)
        goto out;
    w->arena = arena_new(ARENA_MAX);
    if (w->arena == NULL)
        goto out;
    w->patterns = gw_pattern_room_new();
    if (w->patterns == NULL)
        goto out;
    rc = CC_OK;
    if (options->cache_entries > 0)
        rc = cache_new(&w->cache, options->cache_entries, options->cache_bytes);
    if (rc == CC_OK && options->cache_entries > 0)
        rc = throttle_memo_new(&w->memo, options->cache_entries);
    if (rc != CC_OK)
        goto out;
    w->jwt_entries = options->cache_entries;
    w->jwt_bytes = options->cache_bytes;
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
    throttle_memo_free(&(*w)->memo);
    gw_pattern_room_free(&(*w)->patterns);
    backend_jwt_free(*w);
    arena_free(&(*w)->arena);
    free(*w);
    *w = NULL;
}

void enforce_worker_count_in(struct enforce_worker *w, struct counter_table *counters)
{
    if (w->counters != NULL && w->counters != counters)
        throttle_memo_clear(w->memo);
    w->counters = counters;
}

void enforce_worker_set_revoked(struct enforce_worker *w, const struct revoked *revoked)
{
    w->revocations = revoked;
}

void enforce_worker_set_testkey(struct enforce_worker *w, const struct enforce_testkey *testkey)
{
    w->testkey = testkey;
}

void enforce_worker_set_filters(struct enforce_worker *w, const struct enforce_filters *filters)
{
    w->filters = *filters;
}

/* Steps. Each returns true when the decision goes on, and false when it has been made. */

/* The system resources: no API can take their place. HAProxy itself answers /health and
 * the key set of the JWT for backends; what of them gets here is another method or another
 * spelling.
 */
static bool serve_system(struct attempt *a)
{
    struct slice host = a->rules->model->system_host;
    bool haproxys = slice_is(a->path, "/health") ||
                    (a->rules->jwt.settings != NULL && gw_is_jwks_path(a->path));
    bool testkey = a->w->testkey != NULL && slice_is(a->path, TESTKEY_PATH);
    enum gw_method method;

    if (!haproxys && !testkey && !slice_is(a->path, "/ready"))
        return true;
    if (!slice_is(host, "*") && !slice_eq(a->host, host))
        return true;
    TRACE_STEP(a->trace, SYSTEM, PLACE_NONE);
    TRACE_SAY(a->trace, "%" PRIslice " on the system host", SLICE_ARG(a->path));
    reason_add_str(a->reason, "system resource ");
    reason_add(a->reason, a->path);
    if (testkey) {
        reason_add_str(a->reason, ": ");
        testkey_serve(a);
        return false;
    }
    method = gw_method_parse(a->request->method);
    if (method != GW_GET && method != GW_HEAD) {
        refuse_method(a->out, a->refusal, 1u << GW_GET | 1u << GW_HEAD);
    } else if (haproxys) {
        refuse(a->out, REFUSE_NOT_FOUND);
    } else if (revocation_is_ready(a) && filter_check(a)) { /* else nothing would be let through */
        a->out->verdict = ENFORCE_READY;
        a->out->status = 0;
        a->out->code = a->out->body = a->out->content_type = SLICE_NONE;
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
        refuse_path(a->out, a->refusal, fault);
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
        refuse_with_options(a->out, a->refusal, methods);
    } else {
        reason_add_str(a->reason, "the resource does not declare this method");
        refuse_method(a->out, a->refusal, methods);
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

static bool refuse_keytype(struct attempt *a, enum refusal why, const char *text)
{
    return attempt_refuse(a, why, text, a->out->api->origin);
}

/* What a token says; an open operation has no token. */
static bool check_keytype(struct attempt *a)
{
    struct slice keytype = a->out->keytype;

    if (keytype.n == 0)
        return true;
    TRACE_STEP(a->trace, KEY_TYPE, a->out->api->origin);
    TRACE_SAY(a->trace, "%" PRIslice, SLICE_ARG(keytype));
    return slice_is(keytype, "SANDBOX") || slice_is(keytype, "PRODUCTION") ||
           refuse_keytype(a, REFUSE_KEY_TYPE, "keytype is neither PRODUCTION nor SANDBOX");
}

/* The endpoints for the key type of the caller's token; those of the resource before the API's.
 * Without one, as for an open operation: production, or sandbox where there is nothing else. */
static bool choose_cluster(struct attempt *a, const struct gw_cluster **out)
{
    const struct gw_resource *r = a->out->resource;
    const struct gw_api *api = a->out->api;
    struct slice keytype = a->out->keytype;

    if (a->routed != NULL) { /* with nobody's credentials: those are for the endpoints of the API */
        *out = a->routed;
        a->out->identity = NULL;
        return true;
    }
    if (slice_is(keytype, "SANDBOX") ||
        (keytype.n == 0 && r->production == NULL && api->production == NULL)) {
        *out = r->sandbox != NULL ? r->sandbox : api->sandbox;
        a->out->identity = r->sandbox != NULL ? r->sandbox_identity : api->sandbox_identity;
        return *out != NULL ||
               refuse_keytype(a, REFUSE_SANDBOX,
                              "a SANDBOX token for an API without sandbox endpoint");
    }
    *out = r->production != NULL ? r->production : api->production;
    a->out->identity = r->production != NULL ? r->production_identity : api->production_identity;
    return *out != NULL ||
           refuse_keytype(a, REFUSE_PRODUCTION,
                          "a PRODUCTION token for an API without production endpoint");
}

/* What an interceptor would change or refuse, the backend and the client would see unchanged: so
 * without it no request passes. The answer is the contract's for one that does not answer. */
static bool pass_interceptors(struct attempt *a)
{
    const struct gw_operation *op = a->out->operation;

    if (op->n_interceptors == 0)
        return true;
    TRACE(interceptors, a->trace, op);
    return attempt_refuse(a, REFUSE_INTERCEPTOR,
                          "it has an interceptor, and this version cannot call any",
                          op->interceptors[0].origin);
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
        return attempt_refuse(a, REFUSE_TOO_LONG,
                              "the path and the endpoint's path together are too long",
                              a->out->api->origin);
    }
    memcpy(room, endpoint_path.p, endpoint_path.n);
    if (rest.n > 0)
        memcpy(room + endpoint_path.n, rest.p, rest.n);
    *out = slice_make(room, endpoint_path.n + rest.n);
    return true;
}

/* API keys are for the gateway: no backend sees one, wherever the API takes them. */
static bool remove_keys(struct attempt *a)
{
    struct enforce_decision *out = a->out;
    const struct gw_api *api = out->api;
    struct slice query = a->request->query;

    if (query.n > sizeof(a->w->query) && api->n_key_params > 0) {
        reason_add_str(a->reason, "the query is too long");
        refuse(out, REFUSE_TOO_LONG);
        return false;
    }
    out->strip_keys = api->key_headers;
    if (api->n_key_params > 0)
        out->query_cut =
            query_cut(query, api->key_params, api->n_key_params, a->w->query, &out->query);
    return true;
}

/* Where it goes: the cluster and the path there. Once more after filters that may have chosen
 * another. */
static bool find_way(struct attempt *a, const struct gw_cluster **cluster, struct slice *path)
{
    return choose_cluster(a, cluster) && rewrite_path(a, (*cluster)->endpoints[0].path, path);
}

/* The only place that allows. */
static bool forward(struct attempt *a, struct place by)
{
    struct enforce_decision *out = a->out;
    const struct gw_cluster *cluster, *routed;
    struct slice path;

    if (!check_keytype(a))
        return false;
    if (out->api->mock)
        return pass_interceptors(a) && throttle(a) && filter_run(a, ENFORCE_AFTER_THROTTLING) &&
               answer_by_example(a);
    if (!choose_cluster(a, &cluster) || !pass_interceptors(a))
        return false;
    TRACE(backend, a->trace, cluster);
    /* throttling last: a request that is refused for another reason, or waits, uses no quota; but
     * for the filters that want to come after it */
    if (!rewrite_path(a, cluster->endpoints[0].path, &path) || !remove_keys(a) ||
        !backend_jwt_add(a) || !throttle(a))
        return false;
    routed = a->routed;
    if (!filter_run(a, ENFORCE_AFTER_THROTTLING) ||
        (a->routed != routed && !find_way(a, &cluster, &path)) || !filter_finish(a))
        return false;
    reason_add_str(a->reason, out->operation->open ? "allowed: open operation" : "allowed");
    reason_add_place(a->reason, by);
    out->status = 0;
    out->code = out->body = out->challenge = out->content_type = SLICE_NONE;
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
    if (w->cache != NULL)
        cache_use_rules(w->cache, rules->issuers_hash);
}

void enforce_decide_traced(struct enforce_worker *w, struct enforce_rules *rules,
                           const struct enforce_live *live, const struct enforce_request *request,
                           const struct clock *clock, struct enforce_decision *out,
                           struct enforce_trace *trace)
{
    struct attempt a = {
        .w = w,
        .rules = rules,
        .live = live,
        .request = request,
        .clock = clock,
        .out = out,
        .host = SLICE(""),
        .path = SLICE(""),
        .trace = trace,
    };
    struct place by = PLACE_NONE;

    *out = (struct enforce_decision){.verdict = ENFORCE_DENY, .soap = request->soap};
    refuse(out, REFUSE_INTERNAL); /* what holds until a step says otherwise */
    attempt_use_room(&a, &w->rooms[0]);
    reason_start(a.reason);
    if (trace != NULL)
        trace_begin(trace);
    arena_reset(w->arena);
    follow_issuers(w, rules);

    if (normalize(&a) && serve_system(&a) && filter_check(&a) && find_operation(&a) &&
        filter_run(&a, ENFORCE_BEFORE_AUTHENTICATION) && authorize(&a, &by) &&
        filter_run(&a, ENFORCE_BEFORE_THROTTLING))
        forward(&a, by);

    cors_describe(rules, request, out);
    out->reason = reason_slice(a.reason);
    TRACE(end, trace, out, a.reason);
    if (out->verdict == ENFORCE_PENDING) {
        attempt_count(&w->pending, 1); /* it counts when it is decided */
        return;
    }
    attempt_count(&w->decisions, 1);
    if (out->verdict == ENFORCE_ALLOW)
        attempt_count(&w->allowed, 1);
    else if (out->verdict == ENFORCE_ANSWER)
        attempt_count(&w->answered, 1);
    else if (out->verdict == ENFORCE_DENY)
        attempt_count(&w->denied, 1);
}

void enforce_decide(struct enforce_worker *w, struct enforce_rules *rules,
                    const struct enforce_live *live, const struct enforce_request *request,
                    const struct clock *clock, struct enforce_decision *out)
{
    enforce_decide_traced(w, rules, live, request, clock, out, NULL);
}

void enforce_worker_counters(const struct enforce_worker *w, struct enforce_counters *out)
{
#define X(name, help) out->name = atomic_load_explicit(&w->name, memory_order_relaxed);
    ENFORCE_COUNTERS(X)
#undef X
}
