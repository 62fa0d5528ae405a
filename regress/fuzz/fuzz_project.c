/* A hostile project: a zip of one, or api.yaml, the OpenAPI document and the deployments in one
 * input, cut at lines "%%". Whatever it says, what comes out must be findings, or a model that both
 * programs can use: the agent reads its snapshot, HAProxy's files can be rendered.
 *
 * With CC_FUZZ_ACCEPTED=DIRECTORY in the environment, the rendered files of each project that was
 * accepted are left there, so that run-fuzz.sh can ask HAProxy. */
#include "crypto/crypto.h"
#include "gateway/mock.h"
#include "gateway/path.h"
#include "gateway/route.h"
#include "gateway/snapshot.h"
#include "generator/project_internal.h"
#include "generator/project_unit.h"
#include "generator/render.h"
#include "generator/review.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text up to the next "\n%%\n"; *rest is what follows. */
static struct slice next_part(struct slice *rest)
{
    for (size_t i = 0; i + 4 <= rest->n; i++) {
        if (memcmp(rest->p + i, "\n%%\n", 4) == 0) {
            struct slice part = slice_first(*rest, i + 1);

            *rest = slice_from(*rest, i + 4);
            return part;
        }
    }
    struct slice all = *rest;

    *rest = SLICE("");
    return all;
}

/* Parts that are empty are files that are not there. */
static struct project_source *source_of_parts(struct slice rest, struct arena *arena)
{
    static const char *const names[] = {"api.yaml", "Definitions/swagger.yaml",
                                        "deployment_environments.yaml"};
    static const size_t sorted[] = {1, 0, 2};
    struct project_source *s = arena_alloc(arena, sizeof(*s));
    struct project_file *files = arena_array(arena, 3, sizeof(*files));
    struct slice parts[3];

    CC_ASSERT(s != NULL && files != NULL);
    for (size_t i = 0; i < 3; i++)
        parts[i] = next_part(&rest);
    *s = (struct project_source){.path = "fuzz", .files = files};
    for (size_t i = 0; i < 3; i++) {
        const char *name = names[sorted[i]];
        struct slice bytes = parts[sorted[i]];

        if (bytes.n > 0)
            files[s->n_files++] =
                (struct project_file){.path = slice_of(name), .name = name, .bytes = bytes};
    }
    return s;
}

static void check_cluster(const struct gw_model *model, const struct gw_cluster *c)
{
    if (c == NULL)
        return;
    CC_ASSERT(c >= model->clusters && c < model->clusters + model->n_clusters);
    CC_ASSERT(c->n_endpoints > 0);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        const struct gw_endpoint *e = &c->endpoints[i];

        CC_ASSERT(e->host.n > 0 && !slice_has_control(e->host) && slice_find(e->host, ' ') < 0);
        CC_ASSERT(e->port >= 1 && e->port <= 65535);
        CC_ASSERT(slice_eq(e->path, c->endpoints[0].path));
        CC_ASSERT(!slice_has_control(e->path) && !slice_ends(e->path, SLICE("/")));
        /* what a name of HAProxy's server can be (invalid_char() of its configuration parser) */
        CC_ASSERT(gw_cluster_one_host(c) || slice_find(e->host, ':') < 0);
    }
    CC_ASSERT(!slice_has_control(c->options.health_path));
}

static void check_flows(const struct gw_model *model, const struct gw_operation *o)
{
    CC_ASSERT(!slice_has_control(o->tier) && o->n_interceptors <= 2);
    for (size_t i = 0; i < o->n_interceptors; i++) {
        CC_ASSERT(o->interceptors[i].cluster != NULL);
        CC_ASSERT(o->n_interceptors == 1 || o->interceptors[i].response == (i == 1));
        CC_ASSERT(o->interceptors[i].cluster->endpoints[0].path.n == 0);
        check_cluster(model, o->interceptors[i].cluster);
    }
}

static void check_operation(const struct gw_operation *o)
{
    CC_ASSERT(!(o->open && o->closed));
    CC_ASSERT(o->n_requirements == 0 || !(o->open || o->closed));
    for (size_t i = 0; i < o->n_requirements; i++) {
        CC_ASSERT(o->requirements[i].n_needs > 0);
        for (size_t k = 0; k < o->requirements[i].needs[0].n_scopes; k++) {
            struct slice scope = o->requirements[i].needs[0].scopes[k];

            CC_ASSERT(scope.n > 0 && !slice_has_control(scope) && slice_find(scope, ' ') < 0 &&
                      slice_find(scope, '"') < 0);
        }
    }
}

/* What the reader of snapshots and HAProxy's configuration take for granted. */
static void check_answers(const struct gw_operation *o)
{
    for (size_t i = 0; i < o->n_answers; i++) {
        const struct gw_mock_answer *a = &o->answers[i];

        CC_ASSERT(gw_mock_code_fault(a->code) == NULL && gw_mock_answer_fault(a) == NULL);
        for (size_t h = 0; h < a->n_headers; h++) {
            CC_ASSERT(gw_mock_header_name_fault(a->headers[h].name) == NULL);
            CC_ASSERT(gw_mock_header_value_fault(a->headers[h].value) == NULL);
        }
        for (size_t c = 0; c < a->n_contents; c++) {
            CC_ASSERT(gw_mock_media_type_fault(a->contents[c].media_type) == NULL);
            for (size_t e = 0; e < a->contents[c].n_examples; e++) {
                CC_ASSERT(!slice_has_control(a->contents[c].examples[e].name));
                CC_ASSERT(gw_mock_body_fault(a->contents[c].examples[e].body) == NULL);
            }
        }
    }
}

static void check_model(const struct gw_model *model)
{
    for (size_t i = 0; i < model->n_apis; i++) {
        const struct gw_api *api = &model->apis[i];

        CC_ASSERT(api->name.n > 0 && !slice_has_control(api->name));
        CC_ASSERT(api->version.n > 0 && !slice_has_control(api->version));
        CC_ASSERT(api->id.n > 0 && !slice_has_control(api->id));
        CC_ASSERT(api->auth_header.n > 0 && !slice_has_control(api->auth_header));
        CC_ASSERT(api->n_resources > 0);
        CC_ASSERT(gw_base_path_fault(api->base_path) == NULL);
        CC_ASSERT((api->production != NULL || api->sandbox != NULL) == !api->mock);
        check_cluster(model, api->production);
        check_cluster(model, api->sandbox);
        CC_ASSERT(!slice_has_control(api->tier));
        for (size_t k = 0; k < api->n_named; k++) {
            CC_ASSERT(api->named[k].cluster != NULL && api->named[k].name.n > 0);
            check_cluster(model, api->named[k].cluster);
        }
        for (size_t k = 0; k < api->n_resources; k++) {
            const struct gw_resource *r = &api->resources[k];

            CC_ASSERT(gw_template_fault(r->template) == NULL && r->n_operations > 0);
            check_cluster(model, r->production);
            check_cluster(model, r->sandbox);
            for (size_t o = 0; o < r->n_operations; o++) {
                CC_ASSERT(o == 0 || r->operations[o].method > r->operations[o - 1].method);
                check_operation(&r->operations[o]);
                check_flows(model, &r->operations[o]);
                check_answers(&r->operations[o]);
                CC_ASSERT(api->mock || r->operations[o].n_answers == 0);
            }
        }
    }
}

/* Reviewers look at whatever could be read, also when it cannot be built. */
static void check_review(const struct project *p, const struct gw_model *model)
{
    struct project_docs docs = {"fuzz", p->api_doc, p->openapi};
    struct review r = {p->build->config, model,      &docs,   1,
                       p->build->arena,  diag_new(), {false}, CC_OK};

    if (r.diag == NULL)
        return;
    lint_projects(&r);
    audit_projects(&r);
    diag_free(&r.diag);
}

static void check_snapshot(const struct gw_model *model, struct diag *diag)
{
    struct gw_snapshot *read = NULL;
    struct buf b;
    int rc;

    buf_init(&b, GW_SNAPSHOT_MAX_BYTES);
    rc = gw_snapshot_write(model, &b);
    if (rc == CC_OK)
        rc = gw_snapshot_read(&read, buf_slice(&b), "gateway.json", diag);
    if (rc != CC_OK && rc != CC_ETOOBIG) {
        diag_print(diag, stderr, false);
        abort();
    }
    gw_snapshot_unref(&read);
    buf_free(&b);
}

static void leave_accepted(const struct render_output *files, const char *directory,
                           struct arena *arena)
{
    for (size_t i = 0; i < files->n_files; i++) {
        struct slice path =
            arena_printf(arena, "%s/%" PRIslice, directory, SLICE_ARG(files->files[i].name));
        char *end = strrchr(path.p, '/');

        CC_ASSERT(files->files[i].symlink_to == NULL);
        *end = '\0';
        CC_ASSERT(file_mkdirs(path.p, 0755) == CC_OK);
        *end = '/';
        CC_ASSERT(file_write_atomic(path.p, files->files[i].text, 0644) == CC_OK);
    }
}

static void check_rendered(struct gw_model *model, const struct config *config, struct arena *arena,
                           struct diag *diag)
{
    static unsigned accepted;
    const char *root = getenv("CC_FUZZ_ACCEPTED");
    struct slice directory = arena_printf(arena, "%s/%u", root != NULL ? root : "/gw", ++accepted);
    struct render_output files;
    int rc;

    model->generation = 1;
    model->haproxy_generation = 1;
    rc = render_haproxy(&files, model, config, directory.p, NULL, arena, diag);
    if (rc == CC_OK && root != NULL)
        leave_accepted(&files, directory.p, arena);
    /* too many headers are refused here; what cannot be quoted has been, where it was read */
    CC_ASSERT(rc == CC_OK || rc == CC_EREFUSED);
}

/* Defaults, and nothing that a file must be there for. */
static const struct config *settings(void)
{
    static const struct config_override overrides[] = {
        {SLICE_INIT("router.securedListenerPort"), SLICE_INIT("0")}};
    static struct arena *arena;
    static struct config *config;
    struct diag *diag;

    if (config != NULL)
        return config;
    arena = arena_new(4 << 20);
    diag = diag_new();
    CC_ASSERT(config_load(&config, NULL, NULL, overrides, 1, arena, diag) == CC_OK);
    diag_free(&diag);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config *config = settings();
    struct slice input = slice_make(data, size);
    struct project_build build = {
        .config = config, .arena = arena_new(512 << 20), .diag = diag_new(), .rc = CC_OK};
    /* a project is read by itself, and linked from what comes of that */
    struct project_build own = {
        .config = config, .arena = build.arena, .diag = diag_new(), .rc = CC_OK};
    struct project p = {.build = &own};
    struct gw_model model = {.n_apis = 0};
    struct buf unit;
    bool good = true;

    buf_init(&unit, PROJECT_UNIT_MAX);
    build.clusters = project_clusters_new(&build);
    own.clusters = project_clusters_new(&own);
    if (slice_starts(input, SLICE("PK")))
        good =
            project_source_from_zip(&p.source, input, "fuzz.zip", build.arena, own.diag) == CC_OK;
    else
        p.source = source_of_parts(input, build.arena);
    if (good) {
        project_read(&p);
        CC_ASSERT(own.rc == CC_OK && project_unit_write(&own, p.source, &unit) == CC_OK);
        CC_ASSERT(project_unit_link(&build, buf_slice(&unit), false) == CC_OK);
        project_finish_model(&build, &model);
        good = build.rc == CC_OK && diag_errors(build.diag) == 0 && model.n_apis > 0;
        if (good) {
            check_model(&model);
            check_snapshot(&model, build.diag);
            check_rendered(&model, config, build.arena, build.diag);
        }
        if (!p.api.other_kind)
            check_review(&p, good ? &model : NULL);
    }
    buf_free(&unit);
    diag_free(&own.diag);
    diag_free(&build.diag);
    arena_free(&build.arena);
    return 0;
}
