/* Collects what can be matched, checks it, and hands it sorted to the freezer. */
#include "gateway/path.h"
#include "gateway/route_table.h"

#include <stdio.h>
#include <stdlib.h>

/* Of a text that is refused, perhaps for its length, a message shows the beginning. */
enum { SHOWN_BYTES = 200 };

struct builder {
    const struct gw_model *model;
    struct diag *diag;
    struct arena *arena; /* entries and their shapes; freed when the table stands */
    struct route_entry *entries;
    size_t n;
};

struct place_text {
    char text[256];
};

static struct place_text place_text(struct place place)
{
    struct place_text out;

    if (place.source == NULL)
        snprintf(out.text, sizeof(out.text), "place unknown");
    else
        snprintf(out.text, sizeof(out.text), "%s:%u:%u", place.source->name, place.line, place.col);
    return out;
}

/* Base path and template as one shape; a final wildcard is left off. NULL text: no memory. */
static struct slice make_shape(struct arena *arena, struct slice base_path, struct slice template)
{
    char *p = arena_alloc(arena, base_path.n + template.n + 1);
    struct slice parts[2] = {base_path, template};
    size_t n = 0;

    if (p == NULL)
        return SLICE_NONE;
    if (slice_ends(template, SLICE("/*")))
        parts[1].n -= 2;
    for (size_t part = 0; part < 2; part++) {
        bool inside = false; /* of a parameter's braces */

        for (size_t i = 0; i < parts[part].n; i++) {
            char c = parts[part].p[i];

            if (c == '{')
                p[n++] = ROUTE_PARAMETER;
            else if (c == '/')
                p[n++] = ROUTE_SEPARATOR;
            else if (!inside && c != '}')
                p[n++] = c;
            inside = c == '{' || (inside && c != '}');
        }
    }
    return slice_make(p, n);
}

static int add_entry(struct builder *b, const struct gw_api *api, const struct gw_resource *r)
{
    struct route_entry *e = &b->entries[b->n];
    struct slice template = r != NULL ? r->template : SLICE("");

    e->host = api->vhost;
    e->shape = make_shape(b->arena, api->base_path, template);
    e->kind = r == NULL ? ROUTE_BASE : slice_ends(template, SLICE("/*")) ? ROUTE_WILD : ROUTE_EXACT;
    e->match = (struct gw_route_match){api, r};
    if (e->shape.p == NULL)
        return CC_ENOMEM;
    b->n++;
    return CC_OK;
}

static int add_resource(struct builder *b, const struct gw_api *api, const struct gw_resource *r)
{
    const char *fault = gw_template_fault(r->template);

    if (fault == NULL && api->base_path.n + r->template.n > GW_PATH_MAX)
        fault = "together with its base path it is longer than a request path can be";
    if (fault == NULL)
        return add_entry(b, api, r);
    diag_error(b->diag, CC2003, r->origin, "path \"%" PRIslice "\" cannot be served: %s",
               SLICE_ARG(slice_first(r->template, SHOWN_BYTES)), fault);
    return CC_OK;
}

static int add_api(struct builder *b, const struct gw_api *api)
{
    const char *fault = gw_vhost_fault(api->vhost);
    int rc;

    if (fault != NULL) {
        diag_error(b->diag, CC2108, api->origin, "virtual host \"%" PRIslice "\": %s",
                   SLICE_ARG(slice_first(api->vhost, SHOWN_BYTES)), fault);
        return CC_OK;
    }
    fault = gw_base_path_fault(api->base_path);
    if (fault != NULL) {
        diag_error(b->diag, CC2002, api->origin, "base path \"%" PRIslice "\": %s",
                   SLICE_ARG(slice_first(api->base_path, SHOWN_BYTES)), fault);
        return CC_OK;
    }
    rc = add_entry(b, api, NULL);
    for (size_t i = 0; rc == CC_OK && i < api->n_resources; i++)
        rc = add_resource(b, api, &api->resources[i]);
    return rc;
}

static int collect(struct builder *b)
{
    size_t n = 0;
    int rc = CC_OK;

    for (size_t i = 0; i < b->model->n_apis; i++)
        n += 1 + b->model->apis[i].n_resources;
    b->entries = arena_array(b->arena, n, sizeof(*b->entries));
    if (b->entries == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; rc == CC_OK && i < b->model->n_apis; i++)
        rc = add_api(b, &b->model->apis[i]);
    return rc;
}

/* Host, shape, kind; then the order of the model, which is the order of addresses. */
static int compare_entries(const void *left, const void *right)
{
    const struct route_entry *a = left, *b = right;
    int order = slice_cmp(a->host, b->host);

    if (order == 0)
        order = slice_cmp(a->shape, b->shape);
    if (order == 0)
        order = (int)a->kind - (int)b->kind;
    if (order == 0)
        order = (a->match.api > b->match.api) - (a->match.api < b->match.api);
    if (order == 0)
        order = (a->match.resource > b->match.resource) - (a->match.resource < b->match.resource);
    return order;
}

static bool same_requests(const struct route_entry *a, const struct route_entry *b)
{
    return a->kind == b->kind && slice_eq(a->shape, b->shape) && slice_eq(a->host, b->host);
}

static void report_base_path(struct builder *b, const struct gw_api *first,
                             const struct gw_api *second)
{
    struct slice base = second->base_path.n > 0 ? second->base_path : SLICE("/");

    diag_error(b->diag, CC2001, second->origin,
               "API \"%" PRIslice "\" version %" PRIslice " has base path %" PRIslice
               " on virtual host %" PRIslice ", which API \"%" PRIslice "\" version %" PRIslice
               " has already (%s)",
               SLICE_ARG(second->name), SLICE_ARG(second->version), SLICE_ARG(base),
               SLICE_ARG(second->vhost), SLICE_ARG(first->name), SLICE_ARG(first->version),
               place_text(first->origin).text);
}

static void report_operation(struct builder *b, const struct gw_route_match *first,
                             const struct gw_operation *other, const struct gw_route_match *second,
                             const struct gw_operation *op)
{
    diag_error(b->diag, CC2004, op->origin,
               "%s %" PRIslice "%" PRIslice " matches the same requests as %s %" PRIslice
               "%" PRIslice " (%s)",
               gw_method_name(op->method), SLICE_ARG(second->api->base_path),
               SLICE_ARG(second->resource->template), gw_method_name(op->method),
               SLICE_ARG(first->api->base_path), SLICE_ARG(first->resource->template),
               place_text(other->origin).text);
}

/* Entries of one shape may stand together as long as each method belongs to one of them. APIs that
 * share a base path are reported as such; their operations would only repeat it. */
static void check_methods(struct builder *b, const struct route_entry *run, size_t n)
{
    const struct gw_route_match *owner[GW_METHOD_COUNT] = {NULL};
    const struct gw_operation *owned[GW_METHOD_COUNT] = {NULL};

    for (size_t i = 0; i < n; i++) {
        const struct gw_route_match *m = &run[i].match;

        for (size_t k = 0; k < m->resource->n_operations; k++) {
            const struct gw_operation *op = &m->resource->operations[k];

            if (owner[op->method] == NULL) {
                owner[op->method] = m;
                owned[op->method] = op;
            } else if (owner[op->method]->api == m->api ||
                       !slice_eq(owner[op->method]->api->base_path, m->api->base_path)) {
                report_operation(b, owner[op->method], owned[op->method], m, op);
            }
        }
    }
}

static void check_collisions(struct builder *b)
{
    size_t end;

    for (size_t i = 0; i < b->n; i = end) {
        const struct route_entry *first = &b->entries[i];

        for (end = i + 1; end < b->n && same_requests(first, &b->entries[end]); end++) {
            if (first->kind == ROUTE_BASE)
                report_base_path(b, first->match.api, b->entries[end].match.api);
        }
        if (first->kind != ROUTE_BASE)
            check_methods(b, first, end - i);
    }
}

/* The entries, sorted, in an arena that is the caller's in any case. */
static int build(struct builder *b)
{
    size_t errors = diag_errors(b->diag);
    int rc;

    b->arena = arena_new(SIZE_MAX);
    rc = b->arena != NULL ? collect(b) : CC_ENOMEM;
    if (rc != CC_OK)
        return rc;
    qsort(b->entries, b->n, sizeof(*b->entries), compare_entries);
    check_collisions(b);
    return diag_errors(b->diag) > errors ? CC_EREFUSED : CC_OK;
}

int gw_route_check(const struct gw_model *model, struct diag *diag)
{
    struct builder b = {.model = model, .diag = diag};
    int rc = build(&b);

    arena_free(&b.arena);
    return rc;
}

int gw_route_table_new(struct gw_route_table **out, const struct gw_model *model, struct diag *diag)
{
    struct builder b = {.model = model, .diag = diag};
    struct gw_route_table *t = calloc(1, sizeof(*t));
    int rc = t != NULL ? build(&b) : CC_ENOMEM;

    if (rc != CC_OK)
        goto out;
    hash_key_random(&t->key);
    rc = route_freeze(t, b.entries, b.n, b.arena);
    if (rc != CC_OK)
        goto out;
    *out = t;
    t = NULL;
out:
    gw_route_table_free(&t);
    arena_free(&b.arena);
    return rc;
}

void gw_route_table_free(struct gw_route_table **t)
{
    if (t == NULL || *t == NULL)
        return;
    free((*t)->block);
    free(*t);
    *t = NULL;
}

size_t gw_route_table_bytes(const struct gw_route_table *t)
{
    return sizeof(*t) + t->block_bytes;
}
