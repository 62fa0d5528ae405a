/* lint: operations that no request reaches. The gateway's own route table is asked, with one
 * request made for each path: what it answers is what the gateway will do. */
#include "generator/lint_internal.h"

#include "gateway/path.h"
#include "gateway/route.h"

enum {
    RESOURCES_MAX = 2000, /* of one API: pairs of them are compared */
    WILDCARD_DEPTH = 60   /* segments for a wildcard: more than paths with parameters have */
};

/* A text for a parameter that no literal is likely to be. */
static const char filler[] = "~cc~lint~";

/* A request path for a template below a base path; p == NULL when there is no room. */
static struct slice sample_path(struct review *r, struct slice base, struct slice template)
{
    struct slice result = SLICE_NONE;
    struct buf b;

    buf_init(&b, GW_PATH_MAX);
    buf_add(&b, base);
    while (template.n > 0) {
        ptrdiff_t open = slice_find(template, '{'), close = slice_find(template, '}');

        if (slice_is(template, "/*")) {
            for (unsigned i = 0; i < WILDCARD_DEPTH; i++)
                buf_printf(&b, "/%s", filler);
            break;
        }
        if (open == 0 && close > 0) {
            buf_add_str(&b, filler);
            template = slice_from(template, (size_t)close + 1);
        } else {
            buf_add_char(&b, template.p[0]);
            template = slice_from(template, 1);
        }
    }
    if (buf_error(&b) == CC_OK && b.n > 0) {
        result = arena_dup(r->arena, buf_slice(&b));
        if (result.p == NULL)
            r->rc = CC_ENOMEM;
    }
    buf_free(&b);
    return result;
}

/* A host that is on this virtual host. */
static struct slice sample_host(struct review *r, struct slice vhost)
{
    if (slice_is(vhost, "*"))
        return SLICE("host.invalid");
    if (slice_starts(vhost, SLICE("*.")))
        return arena_printf(r->arena, "%s%" PRIslice, "lint", SLICE_ARG(slice_from(vhost, 1)));
    return vhost;
}

/* Is the path one that the gateway answers by itself, before it looks at APIs? */
static bool is_system(const struct review *r, struct slice host, struct slice path)
{
    return slice_is(path, "/health") ||
           (slice_is(path, "/ready") && slice_eq(host, r->model->system_host)) ||
           (r->model->backend_jwt.header.n > 0 && gw_is_jwks_path(path) &&
            slice_eq(host, r->model->system_host));
}

static void check_reach(struct review *r, const struct gw_route_table *table,
                        const struct gw_api *api, const struct gw_resource *resource)
{
    struct slice host = sample_host(r, api->vhost);
    struct slice path = sample_path(r, api->base_path, resource->template);
    struct gw_route route;
    bool reached = false;

    if (path.p == NULL || host.p == NULL)
        return;
    if (is_system(r, host, path)) {
        diag_help(review_add(r, CC8010, resource->origin,
                             "requests to %" PRIslice " are answered by the gateway itself",
                             SLICE_ARG(path)),
                  "rename the path, or serve the API below another base path");
        return;
    }
    if (!gw_route_find(table, host, path, &route))
        route.n_matches = 0;
    for (size_t i = 0; i < route.n_matches; i++)
        reached = reached || route.matches[i].resource == resource;
    if (!reached)
        diag_help(review_add(r, CC8010, resource->origin, "no request reaches %.200s",
                             resource->template.p),
                  "another path comes first: literal before parameter before wildcard");
}

/* --- methods that a more exact path hides ---------------------------------------------------- */

/* Does each request for `exact` fit `general` too? Segment by segment: a parameter takes anything
 * that is one segment, a final wildcard anything. Segments with literal parts only fit themselves,
 * which misses pairs and never invents one. */
static bool covers(struct slice general, struct slice exact)
{
    struct slice g, e;

    while (slice_split(&general, '/', &g)) {
        bool parameter = g.n > 2 && g.p[0] == '{' && slice_find(g, '}') + 1 == (int)g.n;

        if (slice_is(g, "*") && general.p == NULL)
            return true;
        if (!slice_split(&exact, '/', &e) || slice_is(e, "*"))
            return false;
        if (parameter ? e.n == 0 : !slice_eq(g, e))
            return false;
    }
    return exact.p == NULL;
}

static unsigned methods_of(const struct gw_resource *resource)
{
    unsigned set = 0;

    for (size_t i = 0; i < resource->n_operations; i++)
        set |= 1u << resource->operations[i].method;
    return set;
}

static void name_methods(unsigned set, struct buf *out)
{
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        if ((set & (1u << m)) != 0)
            buf_printf(out, "%s%s", out->n > 0 ? ", " : "", gw_method_name((enum gw_method)m));
    }
}

static void check_hidden(struct review *r, const struct gw_api *api)
{
    for (size_t i = 0; i < api->n_resources && api->n_resources <= RESOURCES_MAX; i++) {
        const struct gw_resource *exact = &api->resources[i];

        for (size_t k = 0; k < api->n_resources; k++) {
            const struct gw_resource *general = &api->resources[k];
            unsigned hidden = methods_of(general) & ~methods_of(exact) & ~(1u << GW_OPTIONS);
            char room[100];
            struct buf names;

            if (i == k || hidden == 0 || !covers(general->template, exact->template) ||
                covers(exact->template, general->template))
                continue;
            buf_init_fixed(&names, room, sizeof(room));
            name_methods(hidden, &names);
            diag_help(review_add(r, CC8011, exact->origin,
                                 "%s %.200s is answered with 405, though %.200s has it", room,
                                 exact->template.p, general->template.p),
                      "declare it here too when that is not meant");
        }
    }
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

void lint_routes(struct review *r)
{
    struct gw_route_table *table = NULL;
    struct diag *unused = diag_new();
    int rc = unused != NULL ? gw_route_table_new(&table, r->model, unused) : CC_ENOMEM;

    /* a table that cannot be built has been told by the build of the model */
    for (size_t i = 0; rc == CC_OK && i < r->model->n_apis && r->rc == CC_OK; i++) {
        const struct gw_api *api = &r->model->apis[i];

        if (seen_before(r->model, i))
            continue;
        for (size_t k = 0; k < api->n_resources; k++)
            check_reach(r, table, api, &api->resources[k]);
        check_hidden(r, api);
    }
    if (rc == CC_ENOMEM)
        r->rc = rc;
    gw_route_table_free(&table);
    diag_free(&unused);
}
