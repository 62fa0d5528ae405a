/* Throttling tiers, interceptors and named endpoints: what of several declarations counts, and what
 * is in the model. */
#include "test_project_fixture.h"

#include <string.h>

#define API                                                                                 \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n" \
    "  type: HTTP\n  endpointConfig:\n    production_endpoints:\n      url: http://backend/v2\n"
#define OAS   "openapi: 3.0.3\n"
#define ICPT  "x-wso2-request-interceptor: {serviceURL: \"http://icpt:9081\"}\n"
#define PATHS "paths:\n  /a:\n    get: {}\n    put: {}\n  /b:\n    get: {}\n"

static int build(struct fixture *f, const char *api, const char *openapi)
{
    fixture_open(f);
    f->config.router.cluster_timeout_s = 20;
    fixture_project(f);
    fixture_file(f, "api.yaml", api);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
    return fixture_build(f);
}

static void add_cluster(struct buf *b, const struct gw_cluster *c)
{
    const struct gw_endpoint *e = &c->endpoints[0];

    assert_int_equal(c->n_endpoints, 1);
    buf_printf(b, "%s://%" PRIslice ":%u%" PRIslice " %u/%u", e->tls ? "https" : "http",
               SLICE_ARG(e->host), e->port, SLICE_ARG(e->path), c->options.connect_ms,
               c->options.timeout_ms);
}

static void add_interceptors(struct buf *b, const struct gw_operation *op)
{
    for (size_t i = 0; i < op->n_interceptors; i++) {
        const struct gw_interceptor *x = &op->interceptors[i];

        buf_printf(b, " %s=", x->response ? "response" : "request");
        add_cluster(b, x->cluster);
        buf_printf(b, "%s%s%s%s%s%s%s", x->request_headers ? " rh" : "",
                   x->request_body ? " rb" : "", x->request_trailers ? " rt" : "",
                   x->response_headers ? " ah" : "", x->response_body ? " ab" : "",
                   x->response_trailers ? " at" : "", x->invocation_context ? " ic" : "");
    }
}

/* "[Gold]" and then "GET /a [tier@line] request=..." for each operation. */
static const char *model_text(const struct gw_model *m, char *room, size_t size)
{
    const struct gw_api *api = &m->apis[0];
    struct buf b;

    buf_init_fixed(&b, room, size);
    buf_printf(&b, "[%" PRIslice "]", SLICE_ARG(api->tier));
    for (size_t i = 0; i < api->n_named; i++) {
        buf_printf(&b, " %" PRIslice "=", SLICE_ARG(api->named[i].name));
        add_cluster(&b, api->named[i].cluster);
    }
    buf_add_str(&b, "\n");
    for (size_t i = 0; i < api->n_resources; i++) {
        for (size_t k = 0; k < api->resources[i].n_operations; k++) {
            const struct gw_operation *op = &api->resources[i].operations[k];

            buf_printf(&b, "%s %" PRIslice " [%" PRIslice "@%u]", gw_method_name(op->method),
                       SLICE_ARG(api->resources[i].template), SLICE_ARG(op->tier),
                       op->tier_declared.line);
            add_interceptors(&b, op);
            buf_add_str(&b, "\n");
        }
    }
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

struct model_case {
    const char *name, *api, *openapi, *model;
};

static void check_models(const struct model_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct fixture f;
        char room[4096];
        int rc = build(&f, cases[i].api, cases[i].openapi);

        if (rc != CC_OK || strcmp(model_text(f.model, room, sizeof(room)), cases[i].model) != 0) {
            print_error("case: %s\n", cases[i].name);
            diag_print(f.diag, stderr, false);
        }
        assert_int_equal(rc, CC_OK);
        assert_string_equal(model_text(f.model, room, sizeof(room)), cases[i].model);
        fixture_close(&f);
    }
}

static const struct model_case tiers[] = {
    {"none", API, OAS PATHS, "[]\nGET /a [@0]\nPUT /a [@0]\nGET /b [@0]\n"},
    {"of the API: the document before api.yaml, x-wso2- before x-",
     API "  apiThrottlingPolicy: 10KPerMin\n",
     OAS "x-throttling-tier: 10KPerMin\nx-wso2-throttling-tier: 20KPerMin\n" PATHS,
     "[20KPerMin]\nGET /a [@0]\nPUT /a [@0]\nGET /b [@0]\n"},
    {"of the API, by the other name", API "  apiThrottlingPolicy: 10KPerMin\n",
     OAS "x-throttling-tier: 10KPerMin\n" PATHS,
     "[10KPerMin]\nGET /a [@0]\nPUT /a [@0]\nGET /b [@0]\n"},
    {"of the API, in api.yaml", API "  apiThrottlingPolicy: 10KPerMin\n", OAS PATHS,
     "[10KPerMin]\nGET /a [@0]\nPUT /a [@0]\nGET /b [@0]\n"},
    {"Unlimited is none, and hides what is below it", API "  apiThrottlingPolicy: 10KPerMin\n",
     OAS "x-wso2-throttling-tier: Unlimited\n" PATHS,
     "[]\nGET /a [@0]\nPUT /a [@0]\nGET /b [@0]\n"},
    {"null and empty say nothing", API "  apiThrottlingPolicy: 10KPerMin\n",
     OAS "x-wso2-throttling-tier: \"\"\nx-throttling-tier:\n" PATHS,
     "[10KPerMin]\nGET /a [@0]\nPUT /a [@0]\nGET /b [@0]\n"},
    {"an operation before its path before api.yaml",
     API "  operations:\n    - {target: /a, verb: GET, throttlingPolicy: 10KPerMin}\n"
         "    - {target: /b, verb: GET, throttlingPolicy: 10KPerMin}\n"
         "    - {target: /a, verb: PUT, throttlingPolicy: 20KPerMin}\n",
     OAS "paths:\n  /a:\n    x-wso2-throttling-tier: 20KPerMin\n    get: {}\n"
         "    put: {x-throttling-tier: 50KPerMin}\n  /b: {get: {}, put: {}}\n",
     "[]\nGET /a [20KPerMin@4]\nPUT /a [50KPerMin@6]\nGET /b [10KPerMin@13]\nPUT /b [@0]\n"},
    {"Unlimited at an operation", API,
     OAS "paths:\n  /a:\n    x-wso2-throttling-tier: 20KPerMin\n    get: {x-throttling-tier: "
         "Unlimited}\n",
     "[]\nGET /a [@5]\n"},
    {"the tier of the API does not replace those of operations in the model", API,
     OAS "x-wso2-throttling-tier: 50KPerMin\npaths:\n  /a: {get: {x-throttling-tier: 10KPerMin}}\n",
     "[50KPerMin]\nGET /a [10KPerMin@4]\n"},
};

static void test_tiers(void **state)
{
    (void)state;
    check_models(tiers, sizeof(tiers) / sizeof(tiers[0]));
}

/* Which of both counts. */
static void test_effective_tier(void **state)
{
    const struct place here = {NULL, 3, 1}, there = {NULL, 9, 1};
    struct gw_api api = {.tier = SLICE(""), .tier_declared = here};
    struct gw_operation op = {.tier = SLICE("Gold"), .tier_declared = there};
    struct place declared;

    (void)state;
    assert_true(slice_is(gw_tier(&api, &op, &declared), "Gold"));
    assert_int_equal(declared.line, 9);
    api.tier = SLICE("All");
    assert_true(slice_is(gw_tier(&api, &op, &declared), "All"));
    assert_int_equal(declared.line, 3);
}

static const struct model_case interceptors[] = {
    {"of the document, with the time-outs of cc.yaml", API, OAS ICPT PATHS,
     "[]\nGET /a [@0] request=http://icpt:9081 0/20000\n"
     "PUT /a [@0] request=http://icpt:9081 0/20000\nGET /b [@0] request=http://icpt:9081 "
     "0/20000\n"},
    {"all that can be said", API,
     OAS "x-wso2-response-interceptor:\n  serviceURL: https://icpt\n  clusterTimeout: 3\n"
         "  requestTimeout: 4\n  includes: [request_headers, request_body, request_trailers,\n"
         "    response_headers, response_body, response_trailers, invocation_context]\n"
         "paths:\n  /a: {get: {}}\n",
     "[]\nGET /a [@0] response=https://icpt:443 3000/4000 rh rb rt ah ab at ic\n"},
    {"no scheme is http; the default connect time-out is none of its own", API,
     OAS "x-wso2-request-interceptor: {serviceURL: icpt, clusterTimeout: 20}\n"
         "paths:\n  /a: {get: {}}\n",
     "[]\nGET /a [@0] request=http://icpt:80 0/20000\n"},
    {"operation before path before document, as a whole, for each flow alone", API,
     OAS "x-wso2-request-interceptor: {serviceURL: \"http://d\", includes: [request_body]}\n"
         "x-wso2-response-interceptor: {serviceURL: \"http://e\"}\n"
         "paths:\n  /a:\n    x-wso2-request-interceptor: {serviceURL: \"http://p\"}\n"
         "    get: {}\n"
         "    put: {x-wso2-response-interceptor: {serviceURL: \"http://o\"}}\n"
         "  /b: {get: {x-wso2-request-interceptor: null}}\n",
     "[]\nGET /a [@0] request=http://p:80 0/20000 response=http://e:80 0/20000\n"
     "PUT /a [@0] request=http://p:80 0/20000 response=http://o:80 0/20000\n"
     "GET /b [@0] request=http://d:80 0/20000 rb response=http://e:80 0/20000\n"},
    {"HTTP/2 is for backends", API,
     OAS "x-wso2-http2-backend-enabled: true\n" ICPT "paths:\n  /a: {get: {}}\n",
     "[]\nGET /a [@0] request=http://icpt:9081 0/20000\n"},
    {"endpoints that an interceptor may choose", API,
     OAS ICPT "x-wso2-endpoints:\n  - green: {urls: [\"http://g/v2\"]}\n"
              "  - blue: {urls: [\"http://b/v2\"]}\npaths:\n  /a: {get: {}}\n",
     "[] blue=http://b:80/v2 0/0 green=http://g:80/v2 0/0\n"
     "GET /a [@0] request=http://icpt:9081 0/20000\n"},
    {"without one they are not kept", API,
     OAS "x-wso2-endpoints:\n  - green: {urls: [\"http://g/v2\"]}\npaths:\n  /a: {get: {}}\n",
     "[]\nGET /a [@0]\n"},
};

static void test_interceptors(void **state)
{
    (void)state;
    check_models(interceptors, sizeof(interceptors) / sizeof(interceptors[0]));
}

/* Only services that some operation calls get a backend in HAProxy. */
static void test_clusters(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(
        build(&f, API,
              OAS ICPT "paths:\n  /a:\n    x-wso2-request-interceptor: {serviceURL: \"http://p\"}\n"
                       "    get: {}\n    put: {}\n"),
        CC_OK);
    assert_int_equal(f.model->n_clusters, 2); /* the backend, http://p */
    for (size_t i = 0; i < 2; i++) {
        const struct gw_operation *op = &f.model->apis[0].resources[0].operations[i];

        assert_int_equal(op->n_interceptors, 1);
        /* one of the model's */
        assert_true(op->interceptors[0].cluster == &f.model->clusters[0] ||
                    op->interceptors[0].cluster == &f.model->clusters[1]);
        assert_string_equal(op->interceptors[0].cluster->endpoints[0].host.p, "p");
    }
    fixture_close(&f);
}

static const struct {
    const char *name, *openapi, *findings;
} faults[] = {
    {"no service", OAS "x-wso2-request-interceptor: {includes: []}\n" PATHS,
     "error CC1202 0/Definitions/swagger.yaml:2:29\n"},
    {"no map", OAS "x-wso2-request-interceptor: http://icpt\n" PATHS,
     "error CC1201 0/Definitions/swagger.yaml:2:29\n"},
    {"services that cannot be",
     OAS "x-wso2-request-interceptor: {serviceURL: \"ftp://icpt\"}\n"
         "x-wso2-response-interceptor: {serviceURL: \"http://a b\"}\n" PATHS,
     "error CC2005 0/Definitions/swagger.yaml:2:42\nerror CC2005 "
     "0/Definitions/swagger.yaml:3:43\n"},
    {"a line break in a service",
     OAS "x-wso2-request-interceptor: {serviceURL: \"http://a\\nserver b\"}\n" PATHS,
     "error CC1205 0/Definitions/swagger.yaml:2:42\n"},
    {"paths do not count, a slash is none",
     OAS "x-wso2-request-interceptor: {serviceURL: \"http://a/b\"}\n"
         "x-wso2-response-interceptor: {serviceURL: \"http://a/\"}\n" PATHS,
     "warning CC2601 0/Definitions/swagger.yaml:2:42\n"
     "warning CC1204 0/Definitions/swagger.yaml:2:29\n"},
    {"times that are none",
     OAS "x-wso2-request-interceptor: {serviceURL: \"http://a\", requestTimeout: 0,\n"
         "  clusterTimeout: fast}\n" PATHS,
     "error CC1201 0/Definitions/swagger.yaml:3:19\nerror CC1203 "
     "0/Definitions/swagger.yaml:2:70\n"},
    {"words and members that are none",
     OAS "x-wso2-request-interceptor: {serviceURL: \"http://a\", include: [],\n"
         "  includes: [request_bodies, response_body, request_headers, [x]]}\n" PATHS,
     "warning CC1206 0/Definitions/swagger.yaml:2:54\nerror CC2601 "
     "0/Definitions/swagger.yaml:3:14\n"
     "warning CC2601 0/Definitions/swagger.yaml:3:30\nerror CC1201 "
     "0/Definitions/swagger.yaml:3:62\n"},
    {"tiers of a wrong type", OAS "x-wso2-throttling-tier: [a]\n" PATHS,
     "error CC1201 0/Definitions/swagger.yaml:2:25\n"},
    {"a tier with a line break", OAS "x-throttling-tier: \"a\\nb\"\n" PATHS,
     "error CC1205 0/Definitions/swagger.yaml:2:20\n"},
    {"named endpoints that nobody refers to are read, too",
     OAS "x-wso2-endpoints:\n  - a: {urls: [\"http://a b\"]}\n  - b: {}\n  - c\n"
         "  - d: {urls: [\"http://d\"]}\n  - d: {urls: [\"http://e\"]}\n" PATHS,
     "error CC2005 0/Definitions/swagger.yaml:3:16\nerror CC1202 0/Definitions/swagger.yaml:4:8\n"
     "error CC1201 0/Definitions/swagger.yaml:5:5\nerror CC1003 0/Definitions/swagger.yaml:7:5\n"},
    {"named endpoints of a wrong type", OAS "x-wso2-endpoints: {a: {urls: [\"http://a\"]}}\n" PATHS,
     "error CC1201 0/Definitions/swagger.yaml:2:19\n"},
    {"a fault in named endpoints is told once, whoever refers to them",
     OAS "x-wso2-production-endpoints: \"#/x-wso2-endpoints/a\"\n"
         "x-wso2-sandbox-endpoints: \"#/x-wso2-endpoints/a\"\n"
         "x-wso2-endpoints:\n  - a: {urls: [\"http://a b\"]}\n" PATHS,
     "error CC2005 0/Definitions/swagger.yaml:5:16\n"},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct fixture f;
        char got[4096];
        int rc = build(&f, API, faults[i].openapi);

        fixture_findings(&f, got, sizeof(got));
        if (strcmp(got, faults[i].findings) != 0) {
            print_error("case: %s\n", faults[i].name);
            diag_print(f.diag, stderr, false);
        }
        assert_string_equal(got, faults[i].findings);
        assert_int_equal(rc, strstr(got, "error") ? CC_EREFUSED : CC_OK);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiers),        cmocka_unit_test(test_effective_tier),
        cmocka_unit_test(test_interceptors), cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
