/* audit: what projects open. Settings: audit_settings.c, files: audit_files.c. */
#include "generator/audit_internal.h"

/* --- operations ------------------------------------------------------------------------------ */

static bool writes(enum gw_method m)
{
    return m == GW_POST || m == GW_PUT || m == GW_PATCH || m == GW_DELETE;
}

static bool demands_scope(const struct gw_operation *o)
{
    /* alternatives: one that any token meets is a way around the others */
    for (size_t i = 0; i < o->n_requirements; i++) {
        if (gw_requirement_any_token(&o->requirements[i]))
            return false;
    }
    return o->n_requirements > 0;
}

static void audit_operation(struct review *r, const struct gw_resource *resource,
                            const struct gw_operation *o)
{
    const char *method = gw_method_name(o->method);
    const char *path = resource->template.p;

    if (o->open && writes(o->method))
        diag_help(review_add(r, CC9002, o->origin, "%s %.200s needs no token", method, path),
                  "remove x-wso2-disable-security (or x-auth-type: None)");
    else if (o->open)
        diag_help(review_add(r, CC9001, o->origin, "%s %.200s needs no token", method, path),
                  "remove x-wso2-disable-security unless the data is for everybody");
    else if (o->closed)
        diag_help(review_add(r, CC9003, o->origin, "%s %.200s is refused whatever the token",
                             method, path),
                  "demand a scheme of type oauth2, openIdConnect or http bearer");
    else if (writes(o->method) && !demands_scope(o))
        diag_help(review_add(r, CC9017, o->origin, "any token may %s %.200s", method, path),
                  "demand a scope: security: [{SCHEME: [SCOPE]}]");
}

/* --- APIs ------------------------------------------------------------------------------------ */

static bool is_prototype(const struct review *r, const struct gw_api *api, struct place *place)
{
    for (size_t i = 0; i < r->n_projects; i++) {
        const struct doc *doc = r->projects[i].api;
        const struct doc_node *status;

        if (doc == NULL || !source_same(&doc->source, api->origin.source))
            continue;
        status = doc_get_nocase(doc_get_nocase(doc->root, "data"), "lifeCycleStatus");
        *place = doc_place(doc, status);
        return status != NULL && slice_eq_nocase(slice_trim(status->text), SLICE("PROTOTYPED"));
    }
    return false;
}

static void audit_scopes(struct review *r, const struct gw_api *api)
{
    bool any = false, needs_token = false;

    for (size_t i = 0; i < api->n_resources; i++) {
        for (size_t k = 0; k < api->resources[i].n_operations; k++) {
            const struct gw_operation *o = &api->resources[i].operations[k];

            needs_token = needs_token || !(o->open || o->closed);
            any = any || demands_scope(o);
        }
    }
    if (needs_token && !any)
        diag_help(review_add(r, CC9028, api->origin, "no operation of \"%.*s\" demands a scope",
                             (int)(api->name.n > 200 ? 200 : api->name.n), api->name.p),
                  "demand scopes, at least for writing");
}

static void audit_resources(struct review *r, const struct gw_api *api)
{
    struct place place = PLACE_NONE;
    /* a mock API is no less protected for being one */
    bool prototype = !api->mock && is_prototype(r, api, &place);

    if (prototype)
        diag_help(review_add(r, CC9004, place, "the API is open because it is a prototype"),
                  "write lifeCycleStatus: PUBLISHED");
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct gw_resource *resource = &api->resources[i];

        if (slice_is(resource->template, "/*"))
            diag_help(review_add(r, CC9016, resource->origin,
                                 "every path below %.*s is handed to the endpoint",
                                 (int)api->base_path.n, api->base_path.n ? api->base_path.p : ""),
                      "list the paths that are served");
        /* of a prototype, all operations are open for one reason, told above */
        for (size_t k = 0; k < resource->n_operations && !prototype; k++)
            audit_operation(r, resource, &resource->operations[k]);
    }
    audit_scopes(r, api);
}

static bool same_place(struct place a, struct place b)
{
    return source_same(a.source, b.source) && a.line == b.line && a.col == b.col;
}

static void audit_cors(struct review *r, size_t at)
{
    const struct gw_api *api = &r->model->apis[at];

    if (api->cors == NULL || !api->cors->any_origin)
        return;
    for (size_t i = 0; i < at; i++) { /* one declaration for many APIs is one finding */
        const struct gw_api *other = &r->model->apis[i];

        if (other->cors == api->cors && same_place(other->cors_declared, api->cors_declared))
            return;
    }
    if (api->cors->credentials)
        diag_help(
            review_add(r, CC9005, api->cors_declared, "CORS allows every origin, with credentials"),
            "list the origins, or do not allow credentials");
    else
        diag_help(review_add(r, CC9006, api->cors_declared, "CORS allows every origin"),
                  "list the origins (x-wso2-cors, or router.cors.allowOrigins of cc.yaml)");
}

static void audit_host(struct review *r, const struct gw_api *api)
{
    if (slice_is(api->vhost, "*"))
        diag_help(review_add(r, CC9018, api->origin, "\"%.*s\" answers on any host",
                             (int)(api->name.n > 200 ? 200 : api->name.n), api->name.p),
                  "name the virtual host in deployment_environments.yaml or in "
                  "adapter.vhostMapping of cc.yaml");
}

/* APIs on several virtual hosts, and default versions, share their resources: once is enough. */
static bool seen_before(const struct gw_model *model, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (model->apis[i].resources == model->apis[at].resources)
            return true;
    }
    return false;
}

/* --- endpoints ------------------------------------------------------------------------------- */

/* Not 127.example.com. */
static bool is_loopback_ipv4(struct slice host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false;
    return slice_starts(host, SLICE("127."));
}

bool audit_is_local(struct slice host)
{
    return slice_eq_nocase(host, SLICE("localhost")) || slice_is(host, "::1") ||
           is_loopback_ipv4(host);
}

static void audit_clusters(struct review *r)
{
    for (size_t i = 0; i < r->model->n_clusters; i++) {
        const struct gw_cluster *c = &r->model->clusters[i];

        for (size_t k = 0; k < c->n_endpoints; k++) {
            const struct gw_endpoint *e = &c->endpoints[k];

            if (!e->tls && !audit_is_local(e->host))
                diag_help(review_add(r, CC9007, e->origin, "requests to %.*s travel as plain text",
                                     (int)e->host.n, e->host.p),
                          "use https");
        }
    }
}

/* --- policies -------------------------------------------------------------------------------- */

/* Here and not in a build, whose findings are the same at all times. */
static void audit_deny_rules(struct review *r)
{
    int64_t now = clock_wall_s(&clock_system);

    for (size_t i = 0; i < r->model->n_deny_rules; i++) {
        const struct gw_deny_rule *rule = &r->model->deny_rules[i];

        if (rule->until_s > 0 && rule->until_s <= now)
            diag_help(review_add(r, CC9034, rule->origin,
                                 "the deny rule is over: %s%s \"%.*s\" may come again",
                                 rule->invert ? "who is not " : "", gw_denial_name(rule->kind),
                                 (int)(rule->value.n > 200 ? 200 : rule->value.n), rule->value.p),
                      "remove it, or give it another until");
    }
}

void audit_projects(struct review *r)
{
    for (size_t i = 0; i < r->n_projects && r->rc == CC_OK; i++)
        audit_documents(r, &r->projects[i]);
    if (r->model == NULL)
        return;
    for (size_t i = 0; i < r->model->n_apis; i++) {
        audit_host(r, &r->model->apis[i]);
        audit_cors(r, i);
        if (!seen_before(r->model, i))
            audit_resources(r, &r->model->apis[i]);
    }
    audit_clusters(r);
    audit_deny_rules(r);
}
