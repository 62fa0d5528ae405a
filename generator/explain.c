#include "generator/explain.h"

#include "gateway/path.h"
#include "generator/agent_denials.h"
#include "revoke/revoke.h"

int explainer_open(struct explainer *e, struct view *view, int64_t now_s)
{
    /* no cache: each request is explained from the signature on */
    static const struct enforce_filters absent = {.absent = true};
    const struct enforce_options options = {.cache_entries = 0};
    int rc;

    e->view = view;
    e->rules = NULL;
    e->live = NULL;
    e->introspection = SLICE_NONE;
    e->revoked = NULL;
    e->agent = NULL;
    e->agent_heard = false;
    memset(e->replies, 0, sizeof(e->replies));
    e->worker = NULL;
    clock_fixed_init(&e->clock, now_s, 0);
    e->headers = arena_array(view->work.arena, view->model->n_headers, sizeof(*e->headers));
    if (e->headers == NULL)
        return CC_ENOMEM;
    rc = enforce_rules_new(&e->rules, view->snapshot, view->work.diag);
    if (rc == CC_OK)
        enforce_rules_leave_unsigned(e->rules); /* only the agent has the key */
    if (rc == CC_OK)
        rc = enforce_worker_new(&e->worker, &options);
    if (rc == CC_OK)
        enforce_worker_set_filters(e->worker, &absent);
    return rc;
}

void explainer_close(struct explainer *e)
{
    enforce_worker_free(&e->worker);
    revoked_free(&e->revoked);
    enforce_live_unref(&e->live);
    enforce_rules_unref(&e->rules);
}

struct slice explain_token_header(const struct explainer *e, const struct explain_request *request)
{
    char host_room[GW_HOST_MAX], path_room[GW_PATH_MAX];
    struct slice host, path;
    struct gw_route route = {.api = NULL};

    if (gw_host_normalize(request->host, host_room, &host) &&
        request->path.n <= sizeof(path_room) &&
        gw_path_normalize(request->path, path_room, &path) == GW_PATH_OK)
        gw_route_find(gw_snapshot_routes(e->view->snapshot), host, path, &route);
    return route.api != NULL ? route.api->auth_header : SLICE("authorization");
}

static const struct gw_cluster *find_cluster(const struct gw_model *model, struct slice name)
{
    for (size_t i = 0; i < model->n_clusters; i++) {
        if (slice_eq(model->clusters[i].name, name))
            return &model->clusters[i];
    }
    return NULL;
}

/* What HAProxy answers without asking the agent: the rule of haproxy-templates/cc.cfg.tmpl. */
static bool is_health(const struct gw_model *model, const struct explain_request *request)
{
    char room[GW_HOST_MAX];
    struct slice host;

    bool jwks = model->backend_jwt.header.n > 0 && gw_is_jwks_path(request->path);

    if ((!slice_is(request->path, "/health") && !jwks) ||
        (!slice_is(request->method, "GET") && !slice_is(request->method, "HEAD")))
        return false;
    return slice_is(model->system_host, "*") ||
           (gw_host_normalize(request->host, room, &host) && slice_eq(host, model->system_host));
}

/* Up to three lines of Prefer and of Accept are one to the agent: rules of cc.cfg.tmpl. */
static void join_lines(struct explainer *e, const struct explain_request *r)
{
    struct arena *arena = e->view->work.arena;
    const struct gw_model *m = e->view->model;

    for (size_t i = 0; i < m->n_headers; i++) {
        struct enforce_header *h = &e->headers[i];
        struct slice all = SLICE_NONE;

        if ((!slice_is(m->headers[i], "accept") && !slice_is(m->headers[i], "prefer")) ||
            h->count < 2 || h->count > 3)
            continue;
        for (size_t k = 0; k < r->n_headers; k++) {
            if (!slice_eq(r->headers[k].name, m->headers[i]))
                continue;
            all = all.p == NULL ? r->headers[k].value
                                : arena_printf(arena, "%" PRIslice ", %" PRIslice, SLICE_ARG(all),
                                               SLICE_ARG(r->headers[k].value));
            if (all.p == NULL)
                return; /* several lines as before, which are refused */
        }
        *h = (struct enforce_header){.value = all, .count = 1};
    }
}

static void run(struct explainer *e, const struct enforce_request *r, struct enforce_decision *out)
{
    enforce_decide_traced(e->worker, e->rules, e->live, r, &e->clock.clock, out, &e->trace);
}

/* Gives the engine what it would have been told, and lets it decide again from the beginning. */
static int run_again(struct explainer *e, struct enforce_request *r, enum enforce_wait what,
                     const struct enforce_key *key, struct slice told, struct enforce_decision *out)
{
    enum { COUNTS_S = 60 };
    int rc = enforce_reply_new(&e->replies[what], what, key, false, e->clock.now_wall_s + COUNTS_S,
                               told);

    if (rc != CC_OK)
        return rc;
    r->replies[what] = e->replies[what]; /* decide() gives it back */
    run(e, r, out);
    return CC_OK;
}

static int ask_agent(struct explainer *e, struct enforce_request *r, struct explanation *x)
{
    static const struct enforce_key any = {{0}}; /* the engine does not wait for it */
    struct counter_result result;
    int rc = agent_limits_ask(e->agent, &e->trace, &x->limits);

    x->live = rc == CC_OK;
    if (!x->live || !explain_is_agents(e, &x->limits))
        return rc;
    x->judged = true;
    explain_judge_limits(&e->trace, &x->limits, &result);
    return run_again(e, r, ENFORCE_WAIT_LIMITS, &any, slice_make(&result, sizeof(result)),
                     &x->decision);
}

/* As the agent does. */
static int decide(struct explainer *e, struct enforce_request *r, struct explanation *x)
{
    struct enforce_decision *out = &x->decision;
    int rc = CC_OK;

    r->patience = ENFORCE_MAY_WAIT;
    run(e, r, out);
    if (out->verdict == ENFORCE_PENDING && out->await.what == ENFORCE_WAIT_INTROSPECTION &&
        e->introspection.p != NULL) {
        const struct enforce_key key = out->await.key;

        rc = run_again(e, r, ENFORCE_WAIT_INTROSPECTION, &key, e->introspection, out);
    }
    if (rc == CC_OK && e->agent != NULL && e->trace.n_limits > 0)
        rc = ask_agent(e, r, x);
    for (size_t i = 0; i < ENFORCE_WAIT_COUNT; i++) {
        r->replies[i] = NULL;
        enforce_reply_unref(&e->replies[i]); /* what was read of it lies in the worker's arena */
    }
    return rc;
}

int explainer_ask_agent(struct explainer *e, const char *socket, struct agent_limits *limits)
{
    struct deny_list *denied = NULL;
    int rc;

    e->trace.n_limits = 0;
    e->agent = socket;
    rc = agent_limits_ask(socket, &e->trace, limits);
    if (rc == CC_OK)
        rc = agent_denials_ask(socket, &denied);
    return rc == CC_OK ? explainer_set_denied(e, denied) : rc;
}

int explain(struct explainer *e, const struct explain_request *request, struct explanation *out)
{
    const struct gw_model *model = e->view->model;
    struct enforce_request r = {
        .id = SLICE("explain"),
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .host = request->host,
        .headers = e->headers,
        .has_src = request->ip.n > 0,
        .certificate = request->certificate,
    };

    int rc;

    if (r.has_src)
        r.has_src = gw_address_parse(request->ip, &r.src);
    *out = (struct explanation){.request = request, .verdict = "health", .status = 200};
    e->trace.n = e->trace.n_limits = 0;
    if (is_health(model, request))
        return CC_OK;
    out->removed = explain_request_headers(request, model, e->headers);
    join_lines(e, request);
    rc = decide(e, &r, out);
    switch (out->decision.verdict) {
    case ENFORCE_ALLOW:
        out->verdict = "allow";
        out->status = 0;
        out->cluster = find_cluster(model, out->decision.backend);
        break;
    case ENFORCE_ANSWER:
        out->verdict = "answer";
        out->status = out->decision.status;
        break;
    case ENFORCE_READY:
        out->verdict = "ready";
        break;
    case ENFORCE_PENDING:
        out->verdict = "ask";
        out->status = 0;
        break;
    case ENFORCE_DENY:
        out->verdict = "deny";
        out->status = out->decision.status;
        break;
    }
    return rc;
}
