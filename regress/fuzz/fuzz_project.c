/* A project of hostile documents: api.yaml, the OpenAPI document and the deployments in one input,
 * cut at lines "%%". Whatever they say, what comes out must be a model that both programs can use,
 * or findings. */
#include "crypto/crypto.h"
#include "gateway/mock.h"
#include "gateway/path.h"
#include "gateway/route.h"
#include "generator/project_internal.h"
#include "generator/review.h"

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

static struct doc *read_part(struct project *p, struct slice *rest, const char *name)
{
    struct slice part = next_part(rest);
    struct doc *doc = NULL;

    if (part.n == 0 || doc_read(&doc, part, name, p->build->arena, p->build->diag) != CC_OK ||
        doc->root->type != DOC_MAP)
        return NULL;
    return doc;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice retry_statuses[] = {SLICE("504")};
    struct config config = {.router = {.system_host = SLICE("localhost"),
                                       .upstream = {.max_route_timeout_s = 60,
                                                    .max_retries = 5,
                                                    .retry_statuses = retry_statuses,
                                                    .n_retry_statuses = 1}},
                            .security = {.auth_header = {SLICE("Authorization"), false}}};
    struct project_build build = {
        .config = &config, .arena = arena_new(32 << 20), .diag = diag_new(), .rc = CC_OK};
    struct project p = {.build = &build};
    struct slice rest = slice_make(data, size);
    struct gw_model model = {.n_apis = 0};

    build.clusters = project_clusters_new(&build);
    p.api_doc = read_part(&p, &rest, "api.yaml");
    if (p.api_doc != NULL)
        project_read_api(&p);
    p.openapi = read_part(&p, &rest, "swagger.yaml");
    p.deployments = read_part(&p, &rest, "deployment_environments.yaml");
    if (p.api_doc != NULL && !p.api.other_kind) {
        project_merge(&p);
        project_report_ignored(&p);
        project_finish_model(&build, &model);
        if (build.rc == CC_OK && diag_errors(build.diag) == 0)
            check_model(&model);
        check_review(&p, build.rc == CC_OK && diag_errors(build.diag) == 0 ? &model : NULL);
    }
    diag_free(&build.diag);
    arena_free(&build.arena);
    return 0;
}
