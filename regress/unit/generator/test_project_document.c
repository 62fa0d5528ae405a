/* OpenAPI 2, 3.0 and 3.1: references, members of their own, servers; and what does not count here,
 * in documents and in api.yaml. Findings with their exact places. */
#include "test_project_fixture.h"

#include <string.h>

#define HEAD "type: api\nversion: v4.0.0\ndata:\n"                /* 1 - 3 */
#define NAME "  name: Pets\n  version: 1.0.0\n  context: /pets\n" /* 4 - 6 */
#define TYPE "  type: HTTP\n"                                     /* 7 */
#define ENDPOINT \
    "  endpointConfig:\n    production_endpoints: {url: \"http://backend\"}\n" /* 8, 9 */
#define API   HEAD NAME TYPE ENDPOINT
#define OAS30 "openapi: 3.0.3\n"
#define OAS31 "openapi: 3.1.0\n"
#define OAS2  "swagger: \"2.0\"\n"
#define PATHS "paths: {/a: {get: {}}}\n"
#define DOC   "Definitions/swagger.yaml"

struct document_case {
    const char *name;
    const char *api, *openapi; /* NULL: the default */
    const char *findings;
    const char *routes; /* "GET /a closed; ..."; NULL: not looked at */
};

static const char *routes_text(const struct gw_api *api, char *room, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, room, size);
    buf_add_str(&b, "");
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct gw_resource *r = &api->resources[i];

        for (size_t k = 0; k < r->n_operations; k++)
            buf_printf(&b, "%s%s %" PRIslice "%s", b.n > 0 ? "; " : "",
                       gw_method_name(r->operations[k].method), SLICE_ARG(r->template),
                       r->operations[k].closed ? " closed" : "");
    }
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

static const struct document_case references[] = {
    {"a chain of path items, with what may stand beside them", NULL,
     OAS31 "paths:\n  /a: {$ref: '#/components/pathItems/one', summary: s, description: d}\n"
           "components:\n  pathItems:\n    one: {$ref: '#/components/pathItems/two'}\n"
           "    two: {get: {}, put: {}}\n",
     "", "GET /a; PUT /a"},
    {"names with / and ~ and %", NULL,
     OAS30 "paths:\n  /a/{x}: {get: {}}\n  /b: {$ref: '#/paths/~1a~1%7Bx%7D'}\n", "",
     "GET /a/{x}; GET /b"},
    {"path items: a circle, itself, out of the document, to nothing, to no mapping", NULL,
     OAS30 "paths:\n  /a: {$ref: '#/x-c/d'}\n  /b: {$ref: '#/paths/~1b'}\n"
           "  /c: {$ref: 'https://a.example/b.yaml#/c'}\n  /d: {$ref: '#/x-c/none'}\n"
           "  /e: {$ref: '#/x-c/list'}\n  /f: {$ref: [1]}\n"
           "x-c: {d: {$ref: '#/x-c/e'}, e: {$ref: '#/x-c/d'}, list: []}\n",
     "error CC1203 0/" DOC ":3:14\nerror CC1203 0/" DOC ":4:14\nerror CC1204 0/" DOC ":5:14\n"
     "error CC1203 0/" DOC ":6:14\nerror CC1203 0/" DOC ":7:14\nerror CC1201 0/" DOC ":8:14\n",
     NULL},
    {"parameters decide nothing: warnings", NULL,
     OAS30 "paths:\n  /a/{x}:\n    parameters:\n      - {$ref: '#/components/parameters/x'}\n"
           "      - {$ref: '#/components/parameters/y'}\n"
           "    get:\n      parameters:\n        - {$ref: 'common.yaml#/x'}\n"
           "        - {$ref: '#/components/parameters/z'}\n"
           "components:\n  parameters:\n    x: {name: x, in: path}\n"
           "    z: {$ref: '#/components/parameters/z'}\n",
     "warning CC1203 0/" DOC ":6:16\nwarning CC1204 0/" DOC ":9:18\n"
     "warning CC1203 0/" DOC ":10:18\n",
     "GET /a/{x}"},
    {"a scheme by reference", NULL,
     OAS30 "security: [{a: [r]}]\n" PATHS "components:\n  securitySchemes:\n"
           "    a: {$ref: '#/components/securitySchemes/b'}\n"
           "    b: {type: oauth2, flows: {implicit: {scopes: {r: r}}}}\n",
     "", "GET /a"},
    {"schemes that lead nowhere close", NULL,
     OAS30 "security: [{a: []}]\n" PATHS "components:\n  securitySchemes:\n"
           "    a: {$ref: 'x.yaml#/a'}\n    b: {$ref: '#/components/securitySchemes/b'}\n",
     "warning CC1204 0/" DOC ":6:15\nwarning CC1203 0/" DOC ":7:15\n"
     "warning CC2101 0/" DOC ":2:13\n",
     "GET /a closed"},
};

static const struct document_case versions[] = {
    {"3.1: webhooks are no routes, and its other members are no fault", NULL,
     OAS31 "jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base\n"
           "webhooks: {new: {post: {}}}\npaths:\n  /a/{x}:\n"
           "    get: {parameters: [{name: x, in: path, schema: {type: [string, 'null']}}]}\n",
     "", "GET /a/{x}"},
    {"3.1 with webhooks alone", NULL, OAS31 "webhooks: {new: {post: {}}}\n",
     "error CC1202 0/" DOC ":0:0\n", NULL},
    {"TRACE from 3.0 on; CONNECT never", NULL, OAS30 "paths: {/a: {trace: {}, connect: {}}}\n",
     "warning CC1204 0/" DOC ":2:25\n", "TRACE /a"},
    {"OpenAPI 2: OPTIONS", NULL, OAS2 "paths: {/a: {options: {}, head: {}}}\n", "",
     "HEAD /a; OPTIONS /a"},
    {"servers of operations", NULL,
     OAS30 "paths:\n  /a:\n    servers: [{url: \"http://b\"}]\n"
           "    get: {servers: [{url: \"http://c\"}]}\n    put: {servers: [{url: \"http://c\"}]}\n",
     "warning CC1204 0/" DOC ":5:20\n", "GET /a; PUT /a"},
    {"relative servers are passed over", NULL, OAS30 "servers: [{url: /v1}, {url: \"\"}]\n" PATHS,
     "", "GET /a"},
};

static const struct document_case unused[] = {
    {"what every export has is no finding",
     HEAD NAME TYPE ENDPOINT "    sessionManagement: \"\"\n    algoCombo: "
                             "org.apache.synapse.endpoints.algorithms.RoundRobin\n"
                             "  lifeCycleStatus: PUBLISHED\n  transport: [http, https]\n"
                             "  responseCachingEnabled: false\n  enableSchemaValidation: false\n"
                             "  maxTps:\n  mediationPolicies: []\n  threatProtectionPolicies:\n"
                             "  revisionId: 0\n  organizationId: carbon.super\n",
     OAS30 "x-wso2-label: [Default]\nx-wso2-transports: [http, https]\n"
           "x-wso2-application-security: {security-types: [oauth2], optional: false}\n"
           "x-wso2-response-cache: {enabled: false, cacheTimeoutInSeconds: 300}\n"
           "x-wso2-pass-request-payload-to-enforcer: false\nx-auth-type: Application\n" PATHS,
     "", NULL},
    {"what asks for something is one",
     HEAD NAME TYPE ENDPOINT "    sessionManagement: soap\n    algoCombo: Random\n"
                             "  lifeCycleStatus: RETIRED\n  transport: [https]\n"
                             "  responseCachingEnabled: true\n  enableSchemaValidation: true\n"
                             "  maxTps: {production: 5}\n  mediationPolicies: [{name: a}]\n"
                             "  threatProtectionPolicies: {list: [a]}\n",
     NULL,
     "warning CC2600 0/api.yaml:12:20\nwarning CC2600 0/api.yaml:13:14\n"
     "warning CC2600 0/api.yaml:14:27\nwarning CC2600 0/api.yaml:15:27\n"
     "warning CC2600 0/api.yaml:16:11\nwarning CC2600 0/api.yaml:17:22\n"
     "warning CC2600 0/api.yaml:18:29\nwarning CC2600 0/api.yaml:10:24\n"
     "warning CC2600 0/api.yaml:11:16\n",
     NULL},
    {"in the document", NULL,
     OAS30 "x-wso2-label: [eu]\nx-wso2-transports: [https]\nx-wso2-mutual-ssl: Mandatory\n"
           "x-wso2-application-security: {optional: true}\nx-wso2-response-cache: {enabled: true}\n"
           "x-wso2-pass-request-payload-to-enforcer: true\nx-mediation-script: a.js\n"
           "x-auth-type: None\npaths: {/a: {x-auth-type: None, get: {x-auth-type: Any}}}\n",
     "warning CC2600 0/" DOC ":2:1\nwarning CC2600 0/" DOC ":3:1\nwarning CC2600 0/" DOC ":4:1\n"
     "warning CC2600 0/" DOC ":5:1\nwarning CC2600 0/" DOC ":6:1\nwarning CC2600 0/" DOC ":7:1\n"
     "warning CC2600 0/" DOC ":8:1\nwarning CC1204 0/" DOC ":9:1\nwarning CC1204 0/" DOC ":10:14\n",
     NULL},
    {"fields of a wrong type", HEAD NAME TYPE ENDPOINT "  revisionId: x\n  organizationId: [1]\n",
     NULL, "error CC1201 0/api.yaml:10:15\nerror CC1201 0/api.yaml:11:19\n", NULL},
    {"endpoints that are no URLs", HEAD NAME TYPE ENDPOINT "    endpoint_type: awslambda\n", NULL,
     "error CC1204 0/api.yaml:10:20\n", NULL},
    {"other kinds of API", HEAD NAME "  type: GRAPHQL\n" ENDPOINT, NULL,
     "error CC1204 0/api.yaml:7:9\n", NULL},
    {"another one, in lower case", HEAD NAME "  type: soap\n" ENDPOINT, NULL,
     "error CC1204 0/api.yaml:7:9\n", NULL},
    {"a comment that is none", HEAD NAME "  type: WS   // a websocket\n" ENDPOINT, NULL,
     "error CC1203 0/api.yaml:7:9\n", NULL},
};

static void check_cases(const struct document_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct document_case *c = &cases[i];
        struct fixture f;
        char got[4096];
        int rc;

        fixture_open(&f);
        fixture_project(&f);
        fixture_file(&f, "api.yaml", c->api != NULL ? c->api : API);
        fixture_file(&f, DOC, c->openapi != NULL ? c->openapi : OAS30 PATHS);
        rc = fixture_build(&f);
        fixture_findings(&f, got, sizeof(got));
        if (strcmp(got, c->findings) != 0) {
            print_error("case: %s\n", c->name);
            diag_print(f.diag, stderr, false);
        }
        assert_string_equal(got, c->findings);
        assert_int_equal(rc, strstr(got, "error") ? CC_EREFUSED : CC_OK);
        if (c->routes != NULL)
            assert_string_equal(routes_text(&f.model->apis[0], got, sizeof(got)), c->routes);
        fixture_close(&f);
    }
}

#define TABLE_TEST(table)                                       \
    static void test_##table(void **state)                      \
    {                                                           \
        (void)state;                                            \
        check_cases(table, sizeof(table) / sizeof((table)[0])); \
    }
TABLE_TEST(references)
TABLE_TEST(versions)
TABLE_TEST(unused)

/* A chain of 16 references is followed, one of 17 is not. */
static void test_long_chains(void **state)
{
    (void)state;
    for (unsigned length = 16; length <= 17; length++) {
        struct fixture f;
        struct buf text;

        fixture_open(&f);
        buf_init(&text, 1 << 12);
        buf_add_str(&text, OAS30 "paths:\n  /a: {$ref: '#/x-c/0'}\nx-c:\n");
        for (unsigned i = 0; i + 1 < length; i++)
            buf_printf(&text, "  \"%u\": {$ref: '#/x-c/%u'}\n", i, i + 1);
        buf_printf(&text, "  \"%u\": {get: {}}\n", length - 1);
        fixture_project(&f);
        fixture_file(&f, "api.yaml", API);
        fixture_file(&f, DOC, text.p);
        assert_int_equal(fixture_build(&f), length == 16 ? CC_OK : CC_EREFUSED);
        buf_free(&text);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_unused),
        cmocka_unit_test(test_long_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
