/* project: the order of work, and the finished model. */
#include "generator/project.h"

#include "gateway/route.h"
#include "generator/policy.h"
#include "generator/project_cache.h"
#include "generator/project_unit.h"

#include <stdlib.h>

/* What reading one project may take. */
#define SCRATCH_BYTES ((size_t)1 << 30)

void *project_alloc(struct project_build *build, size_t count, size_t size)
{
    void *p = arena_array(build->arena, count, size);

    if (p == NULL)
        build->rc = CC_ENOMEM;
    return p;
}

void *project_copy(struct project_build *build, const void *list, size_t count, size_t size)
{
    void *p = project_alloc(build, count, size);

    if (p != NULL && count > 0)
        memcpy(p, list, count * size);
    return p;
}

void *project_list_add(struct project_build *build, struct project_list *list, size_t size)
{
    if (list->n == list->cap) {
        /* the old array stays in the arena: at most as much again is lost */
        size_t cap = list->cap == 0 ? 8 : list->cap * 2;
        void *items = project_alloc(build, cap, size);

        if (items == NULL)
            return NULL;
        if (list->n > 0)
            memcpy(items, list->items, list->n * size);
        list->items = items;
        list->cap = cap;
    }
    return (char *)list->items + list->n++ * size;
}

struct slice project_lower(struct project_build *build, struct slice s)
{
    char *copy = project_alloc(build, s.n + 1, 1);

    if (copy == NULL)
        return SLICE_NONE;
    for (size_t i = 0; i < s.n; i++)
        copy[i] = ascii_lower(s.p[i]);
    return slice_make(copy, s.n);
}

bool project_text(struct project *p, const struct doc *doc, const struct doc_node *node,
                  const char *what, struct slice *out)
{
    struct slice text = SLICE_NONE;

    if (node == NULL || doc_text(doc, node, what, p->build->diag, &text) != CC_OK)
        return false;
    if (slice_has_control(text)) {
        diag_error(p->build->diag, CC1205, doc_place(doc, node),
                   "%s contains a line break or another control character", what);
        return false;
    }
    *out = text;
    return true;
}

void project_read(struct project *p)
{
    if (!project_read_api_file(p))
        return;
    if (p->api_doc != NULL)
        project_read_api(p);
    if (p->api.other_kind)
        return;
    project_read_documents(p);
    if (p->build->rc == CC_OK)
        project_read_certificates(p);
    if (p->build->rc == CC_OK)
        project_read_clients(p);
    if (p->build->rc == CC_OK)
        project_merge(p);
    if (p->build->rc == CC_OK && diag_errors(p->build->diag) == 0)
        project_report_certificates(p);
    if (p->build->rc == CC_OK)
        project_report_ignored(p);
}

/* Reads one project into a build of its own. *source: its files; NULL when it cannot be opened. */
static void read_project(struct project_build *own, const char *path, struct project_docs *docs,
                         struct project_source **source)
{
    struct project *p = project_alloc(own, 1, sizeof(*p));
    int rc;

    if (p == NULL)
        return;
    p->build = own;
    rc = project_source_open(&p->source, path, own->arena, own->diag);
    if (rc == CC_ENOMEM)
        own->rc = rc;
    if (rc != CC_OK)
        return;
    *source = p->source;
    project_read(p);
    /* of an API of another kind, nothing is looked at */
    if (docs != NULL && !p->api.other_kind) {
        docs->api = p->api_doc;
        docs->openapi = p->openapi;
    }
}

/* One project -> its unit in the arena of `build`. Whatever it takes to get there is in `scratch`.
 */
static int compile(struct project_build *build, const char *path, struct project_docs *docs,
                   struct arena *scratch, struct slice *unit)
{
    struct project_build own = {.config = build->config,
                                .options = build->options,
                                .arena = scratch,
                                .diag = diag_new(),
                                .global_cors = build->global_cors};
    struct project_source *source = NULL;
    struct buf bytes;

    buf_init(&bytes, PROJECT_UNIT_MAX);
    own.clusters = project_clusters_new(&own);
    if (own.diag == NULL)
        own.rc = CC_ENOMEM;
    if (own.rc == CC_OK)
        read_project(&own, path, docs, &source);
    if (own.rc == CC_OK)
        own.rc = project_unit_write(&own, source, &bytes);
    if (own.rc == CC_OK) {
        *unit = arena_dup(build->arena, buf_slice(&bytes));
        own.rc = unit->p != NULL ? CC_OK : CC_ENOMEM;
    }
    if (own.rc == CC_OK && build->options != NULL && build->options->cache != NULL)
        own.rc = project_cache_put(build->options->cache, path, source, *unit);
    buf_free(&bytes);
    diag_free(&own.diag);
    return own.rc;
}

static void add_project(struct project_build *build, const char *path, struct project_docs *docs,
                        struct arena *scratch)
{
    struct project_cache *cache = build->options != NULL ? build->options->cache : NULL;
    struct slice unit = SLICE_NONE;
    bool found = cache != NULL && project_cache_find(cache, path, scratch, &unit);
    int rc = CC_OK;

    if (!found)
        rc = compile(build, path, docs, docs != NULL ? build->arena : scratch, &unit);
    if (rc == CC_OK)
        rc = project_unit_link(build, unit, found);
    CC_ASSERT(rc != CC_EPARSE || found);
    build->rc = rc;
    arena_reset(scratch);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

/* In the order of their names: what comes first wins nothing by it. */
static void add_projects(struct project_build *build, const char *const *paths, size_t n)
{
    const struct project_options *options = build->options;
    const char *const **order = project_alloc(build, n, sizeof(*order));
    struct arena *scratch = arena_new(SCRATCH_BYTES);

    if (scratch == NULL)
        build->rc = CC_ENOMEM;
    for (size_t i = 0; order != NULL && i < n; i++)
        order[i] = &paths[i];
    if (order != NULL && n > 0)
        qsort(order, n, sizeof(*order), compare_paths);
    for (size_t i = 0; i < n && build->rc == CC_OK; i++) {
        struct project_docs *docs =
            options != NULL && options->docs != NULL ? &options->docs[order[i] - paths] : NULL;

        if (docs != NULL)
            *docs = (struct project_docs){.path = *order[i]};
        if (options != NULL && options->progress != NULL)
            options->progress(options->progress_context, i, n);
        add_project(build, *order[i], docs, scratch);
    }
    arena_free(&scratch);
}

static int compare_inputs(const void *a, const void *b)
{
    return slice_cmp(((const struct project_input *)a)->name,
                     ((const struct project_input *)b)->name);
}

static void finish_inputs(struct project_build *build)
{
    struct project_inputs *out = build->options != NULL ? build->options->inputs : NULL;

    if (build->inputs.n > 0)
        qsort(build->inputs.items, build->inputs.n, sizeof(struct project_input), compare_inputs);
    if (out != NULL)
        *out = (struct project_inputs){build->inputs.items, build->inputs.n};
}

static int compare_apis(const void *a, const void *b)
{
    const struct gw_api *x = a, *y = b;
    int order = slice_cmp(x->vhost, y->vhost);

    return order != 0 ? order : slice_cmp(x->base_path, y->base_path);
}

static int compare_slices(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return slice_cmp(*x, *y);
}

static bool takes_keys(const struct gw_api *api)
{
    return api->key_headers.n > 0 || api->n_key_params > 0;
}

/* The names in ",apikey,x-key," into `out`, unless it is NULL; how many. */
static size_t list_key_headers(const struct gw_api *api, struct slice *out)
{
    struct slice rest = api->key_headers, name;
    size_t n = 0;

    while (slice_split(&rest, ',', &name)) {
        if (name.n == 0)
            continue;
        if (out != NULL)
            out[n] = name;
        n++;
    }
    return n;
}

static size_t count_key_headers(const struct gw_model *model)
{
    size_t n = 0;

    for (size_t i = 0; i < model->n_apis; i++)
        n += list_key_headers(&model->apis[i], NULL);
    return n;
}

/* The union of the headers that decisions need: where each API looks for its token and keys, what
 * tells a page of another origin, how clients choose the answers of mock APIs, and what conditions
 * of policies look at. */
static void collect_headers(struct project_build *build, struct gw_model *model)
{
    static const struct slice cors[] = {SLICE_INIT("origin"),
                                        SLICE_INIT("access-control-request-method")};
    static const struct slice lengths[] = {SLICE_INIT("content-length"),
                                           SLICE_INIT("transfer-encoding")};
    static const struct slice mock[] = {SLICE_INIT("accept"), SLICE_INIT("prefer")};
    size_t all = 0, n = 0;
    size_t room = count_key_headers(model) + model->n_apis + 8 + GW_HEADERS_MAX +
                  project_filter_headers(model, NULL);
    struct slice *names;
    struct gw_condition_walk walk = {.policies = model->policies, .n = model->n_policies};
    const struct gw_condition *c;
    bool mocks = false, keys = false;

    names = project_alloc(build, room, sizeof(*names));
    if (names == NULL)
        return;
    all = project_filter_headers(model, names);
    for (size_t i = 0; i < model->n_apis; i++) {
        names[all++] = model->apis[i].auth_header;
        mocks = mocks || model->apis[i].mock;
        keys = keys || takes_keys(&model->apis[i]);
        all += list_key_headers(&model->apis[i], names + all);
    }
    names[all++] = model->internal_key_header;
    if (keys)
        names[all++] = SLICE("referer"); /* some keys are for certain pages only */
    for (size_t i = 0; i < 2 && mocks; i++)
        names[all++] = mock[i];
    for (size_t i = 0; i < 2 && model->n_cors > 0; i++)
        names[all++] = cors[i];
    while ((c = gw_condition_next(&walk)) != NULL && all < room)
        if (c->kind == GW_CONDITION_HEADER && !slice_is_among(c->name, names, all))
            names[all++] = c->name;
    for (size_t i = 0; i < 2 && gw_counts_bytes(model->policies, model->n_policies); i++)
        names[all++] = lengths[i];
    if (all > 0)
        qsort(names, all, sizeof(*names), compare_slices);
    for (size_t i = 0; i < all; i++) {
        if (names[i].n > 0 && (n == 0 || !slice_eq(names[i], names[n - 1])))
            names[n++] = names[i];
    }
    model->headers = names;
    model->n_headers = n;
}

/* The route table is the one judge of what collides. */
static void check_routes(struct project_build *build, const struct gw_model *model)
{
    if (gw_route_check(model, build->diag) == CC_ENOMEM)
        build->rc = CC_ENOMEM;
}

/* Nobody looks for what nobody can have signed. */
static void set_internal_key(struct project_build *build, struct gw_model *model)
{
    model->internal_key_header = SLICE("");
    for (size_t i = 0; i < model->n_issuers; i++)
        if (model->issuers[i].internal_keys)
            model->internal_key_header =
                project_lower(build, build->config->security.auth_header.test_console_header_name);
}

void project_finish_model(struct project_build *build, struct gw_model *model)
{
    model->system_host = project_lower(build, build->config->router.system_host);
    model->leeway_s = (int64_t)build->config->security.leeway_s;
    model->keep_auth_header = build->config->security.auth_header.enable_outbound_auth_header;
    model->apis = build->apis.items;
    model->n_apis = build->apis.n;
    if (build->apis.n > 0)
        qsort(build->apis.items, build->apis.n, sizeof(struct gw_api), compare_apis);
    project_check_settings(build);
    project_read_issuers(build, model);
    set_internal_key(build, model);
    policy_read(build, model);
    project_clusters_finish(build, model);
    project_cors_finish(build, model);
    project_credentials_finish(build, model);
    policy_check_tiers(build, model);
    project_certificates_finish(build, model);
    project_clients_finish(build, model);
    project_read_filters(build, model);
    collect_headers(build, model);
    project_read_backend_jwt(build, model);
    project_check_testkey(build);
    if (build->rc != CC_OK)
        return;
    check_routes(build, model);
    if (build->options != NULL && build->options->resolve)
        project_clusters_resolve(build, model);
}

/* Reads and links all projects. CC_EPARSE: the cache holds what is no unit, although its sum says
 * that it is what was written; the findings then mean nothing. */
static int build_model(struct gw_model **out, const char *const *paths, size_t n_paths,
                       const struct config *config, const struct project_options *options,
                       struct arena *arena, struct diag *diag)
{
    struct project_build build = {
        .config = config, .options = options, .arena = arena, .diag = diag, .rc = CC_OK};
    struct gw_model *model = project_alloc(&build, 1, sizeof(*model));

    build.clusters = project_clusters_new(&build);
    if (build.rc == CC_OK)
        project_read_global_cors(&build);
    if (build.rc == CC_OK)
        add_projects(&build, paths, n_paths);
    if (build.rc == CC_OK)
        project_finish_model(&build, model);
    finish_inputs(&build);
    *out = model;
    return build.rc;
}

int project_build_model(struct gw_model **out, const char *const *paths, size_t n_paths,
                        const struct config *config, const struct project_options *options,
                        struct arena *arena, struct diag *diag)
{
    static const struct project_options none;
    struct project_options without = options != NULL ? *options : none;
    struct gw_model *model = NULL;
    struct diag *own = diag_new();
    int rc =
        own != NULL ? build_model(&model, paths, n_paths, config, options, arena, own) : CC_ENOMEM;

    if (rc == CC_EPARSE) {
        project_cache_forget(without.cache);
        without.cache = NULL;
        diag_free(&own);
        own = diag_new();
        rc = own != NULL ? build_model(&model, paths, n_paths, config, &without, arena, own)
                         : CC_ENOMEM;
    }
    if (own != NULL)
        diag_move(diag, own);
    if (rc == CC_OK && diag_errors(own) > 0)
        rc = CC_EREFUSED;
    for (size_t i = 0; rc == CC_OK && i < model->n_apis; i++)
        CC_ASSERT(((model->apis[i].production != NULL || model->apis[i].sandbox != NULL) ==
                   !model->apis[i].mock) &&
                  model->apis[i].n_resources > 0);
    if (rc == CC_OK)
        *out = model;
    diag_free(&own);
    return rc;
}
