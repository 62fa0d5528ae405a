/* Broken and doubtful projects: every finding, with its exact place. */
#include "test_project_fixture.h"

#include <string.h>

/* The default documents, which give no finding; each case replaces what it is about. */
#define API_HEAD "type: api\nversion: v4.0.0\ndata:\n"                              /* 1 - 3 */
#define API_NAME "  name: Pets\n  version: 1.0.0\n  context: /pets\n  type: HTTP\n" /* 4 - 7 */
#define API_ENDPOINT                                                                              \
    "  endpointConfig:\n    production_endpoints:\n      url: http://backend:8080/v2\n" /* 8 - 10 \
                                                                                         */
#define API API_HEAD API_NAME API_ENDPOINT

#define OAS3  "openapi: 3.0.3\n"
#define OAS2  "swagger: \"2.0\"\n"
#define PATHS "paths:\n  /pets:\n    get: {}\n" /* three lines */
#define SCHEMES                                                                     \
    "components:\n"                                                                 \
    "  securitySchemes:\n"                                                          \
    "    oauth: {type: oauth2, flows: {implicit: {scopes: {read: r, write: w}}}}\n" \
    "    jwt: {type: http, scheme: Bearer}\n"                                       \
    "    oidc: {type: openIdConnect, openIdConnectUrl: https://x}\n"                \
    "    basic: {type: http, scheme: basic}\n"                                      \
    "    key: {type: apiKey, name: k, in: header}\n"

#define NONE "-" /* the file is not there */

struct broken_case {
    const char *name;
    const char *api, *openapi, *deployments; /* NULL: the default (no deployments) */
    const char *findings;
};

static const struct broken_case files[] = {
    {"the defaults", NULL, NULL, NULL, ""},
    {"nothing there", NONE, NONE, NULL, "error CC1101 0:0:0\n"},
    {"no document", NULL, NONE, NULL, "error CC1101 0:0:0\n"},
    {"both broken", "data: [", "openapi: \"3\n", NULL,
     "error CC1002 0/api.yaml:2:1\nerror CC1002 0/Definitions/swagger.yaml:1:10\n"},
    {"a broken api.yaml leaves the findings of the document", "\t",
     OAS3 "paths:\n  pets: {get: {}}\n", NULL,
     "error CC1002 0/api.yaml:1:1\nerror CC2003 0/Definitions/swagger.yaml:3:3\n"},
    {"not mappings", "[1]", "- 2", NULL,
     "error CC1201 0/api.yaml:1:1\nerror CC1201 0/Definitions/swagger.yaml:1:1\n"},
    {"empty files", "", "", NULL,
     "error CC1201 0/api.yaml:1:1\nerror CC1201 0/Definitions/swagger.yaml:1:1\n"},
};

static const struct broken_case api_yaml[] = {
    {"endpointConfig as text", API_HEAD API_NAME "  endpointConfig: '{}'\n", NULL, NULL,
     "error CC1201 0/api.yaml:8:19\n"},
    {"everything missing", "{}", NULL, NULL,
     "error CC1202 0/api.yaml:1:1\nerror CC1202 0/api.yaml:0:0\n"},
    {"empty data", API_HEAD "  {}", NULL, NULL,
     "error CC1202 0/api.yaml:4:3\nerror CC1202 0/api.yaml:4:3\nerror CC1202 0/api.yaml:4:3\n"
     "error CC1202 0/api.yaml:4:3\nerror CC2006 0/api.yaml:4:3\n"},
    {"wrong types",
     API_HEAD "  name: [Pets]\n  version: 1.0\n  context: {}\n  type: HTTP\n" API_ENDPOINT, NULL,
     NULL, "error CC1201 0/api.yaml:4:9\nerror CC1201 0/api.yaml:6:12\n"},
    {"empty texts",
     API_HEAD "  name: \"\"\n  version:\n  context: \" \"\n  type: HTTP\n" API_ENDPOINT, NULL, NULL,
     "error CC1202 0/api.yaml:4:9\nerror CC1202 0/api.yaml:5:11\nerror CC1202 0/api.yaml:6:12\n"},
    {"case does not count, and twice is once too often",
     API_HEAD "  NAME: Pets\n  Version: 1.0.0\n  context: /pets\n  type: http\n  Name: Dogs\n"
              "  ENDPOINTCONFIG: {Production_Endpoints: {URL: \"http://b\"}}\n",
     NULL, NULL, "error CC1003 0/api.yaml:8:3\n"},
    {"a misspelt key", API_HEAD API_NAME API_ENDPOINT "  lifecycleStatu: PROTOTYPED\n  mine: 1\n",
     NULL, NULL, "warning CC1206 0/api.yaml:11:3\n"},
    {"an API product", "type: api_product\ndata:\n" API_NAME API_ENDPOINT, NULL, NULL,
     "error CC1203 0/api.yaml:1:7\n"},
    {"another kind of API hides what follows from it",
     API_HEAD "  name: Pets\n  version: 1\n  context: pets\n  type: GRAPHQL\n", NONE, NULL,
     "error CC1204 0/api.yaml:7:9\n"},
    {"no kind of API",
     API_HEAD "  name: Pets\n  version: 1\n  context: /pets\n  type: HTPP\n" API_ENDPOINT, NULL,
     NULL, "error CC1203 0/api.yaml:7:9\n"},
    {"answers without a backend", API "  endpointImplementationType: INLINE\n", NULL, NULL,
     "error CC1204 0/api.yaml:11:31\n"},
    {"a line break in the name",
     API_HEAD "  name: \"Pets\\nuse_backend x\"\n  version: 1\n  context: /pets\n  type: "
              "HTTP\n" API_ENDPOINT,
     NULL, NULL, "error CC1205 0/api.yaml:4:9\n"},
    {"a prototype", API "  lifeCycleStatus: Prototyped\n", NULL, NULL,
     "warning CC2110 0/api.yaml:11:20\n"},
    {"schemes",
     API "  securityScheme: [oauth2, api_key, mutualssl, oauth_basic_auth_api_key_mandatory]\n",
     NULL, NULL, "warning CC2113 0/api.yaml:11:37\n"},
    {"API keys alone", API "  securityScheme: [api_key]\n", NULL, NULL, ""},
    {"schemes that would be missed", API "  securityScheme: [mutualssl_mandatory, oauth3]\n", NULL,
     NULL, "error CC1203 0/api.yaml:11:41\nerror CC2411 0/api.yaml:11:20\n"},
    {"context without slash",
     API_HEAD "  name: Pets\n  version: 1\n  context: pets\n  type: HTTP\n" API_ENDPOINT, NULL,
     NULL, "error CC2002 0/api.yaml:6:12\n"},
    {"tiers of api.yaml",
     API "  apiThrottlingPolicy: 10KPerMin\n"
         "  operations:\n"
         "    - {target: /pets, verb: GET, throttlingPolicy: 20KPerMin}\n"
         "    - {target: /none, verb: GET, throttlingPolicy: 20KPerMin}\n"
         "    - {target: /none, verb: PUT, throttlingPolicy: Unlimited}\n",
     NULL, NULL, "warning CC2602 0/api.yaml:14:7\n"},
    {"policies of operations, and of the API",
     API "  operations:\n"
         "    - {target: /pets, verb: GET, operationPolicies: {request: [{policyName: a}]}}\n"
         "    - operationPolicies: {response: [{policyName: b}, c], fault: []}\n"
         "  apiPolicies: {fault: [{policyName: d}]}\n",
     NULL, NULL,
     "error CC1204 0/api.yaml:14:25\nerror CC1204 0/api.yaml:12:64\n"
     "error CC1204 0/api.yaml:13:38\nerror CC1204 0/api.yaml:13:55\n"},
};

static const struct broken_case documents[] = {
    {"no version", NULL, PATHS, NULL, "error CC1202 0/Definitions/swagger.yaml:1:1\n"},
    {"versions to come", NULL, "openapi: 3.2.0\n" PATHS, NULL,
     "error CC1204 0/Definitions/swagger.yaml:1:10\n"},
    {"versions gone", NULL, "swagger: \"1.2\"\n" PATHS, NULL,
     "error CC1204 0/Definitions/swagger.yaml:1:10\n"},
    {"no paths", NULL, OAS3 "paths: {}\n", NULL, "error CC1202 0/Definitions/swagger.yaml:2:8\n"},
    {"no operations", NULL, OAS3 "paths:\n  x-a: 1\n  /a: {}\n", NULL,
     "warning CC1202 0/Definitions/swagger.yaml:4:3\n"
     "error CC1202 0/Definitions/swagger.yaml:3:3\n"},
    {"paths of the wrong type", NULL, OAS3 "paths: [/pets]\n", NULL,
     "error CC1201 0/Definitions/swagger.yaml:2:8\n"},
    {"paths that cannot match", NULL,
     OAS3 "paths:\n  /a/../b: {get: {}}\n  /a{: {get: {}}\n  /a/*/b: {get: {}}\n  /ok: {get: {}}\n",
     NULL,
     "error CC2003 0/Definitions/swagger.yaml:3:3\nerror CC2003 0/Definitions/swagger.yaml:4:3\n"
     "error CC2003 0/Definitions/swagger.yaml:5:3\n"},
    {"members of a path", NULL,
     OAS3
     "paths:\n  /a:\n    GET: {}\n    gte: {}\n    x-mine: {}\n    parameters: []\n    get: 1\n",
     NULL,
     "warning CC1206 0/Definitions/swagger.yaml:4:5\nwarning CC1206 "
     "0/Definitions/swagger.yaml:5:5\n"
     "error CC1201 0/Definitions/swagger.yaml:8:10\n"
     "warning CC1202 0/Definitions/swagger.yaml:3:3\n"},
    {"OpenAPI 2 has no trace", NULL, OAS2 "paths:\n  /a: {trace: {}, get: {}}\n", NULL,
     "warning CC1206 0/Definitions/swagger.yaml:3:8\n"},
    {"references that lead nowhere", NULL,
     OAS3 "paths:\n  /a: {$ref: '#/x-none'}\n  /b: {$ref: 'other.yaml#/b'}\n"
          "  /c: {$ref: '#/paths/~1c'}\n  /d: {$ref: '#/paths/~1e', get: {}}\n  /e: {get: {}}\n",
     NULL,
     "error CC1203 0/Definitions/swagger.yaml:3:14\nerror CC1204 0/Definitions/swagger.yaml:4:14\n"
     "error CC1203 0/Definitions/swagger.yaml:5:14\nerror CC1203 "
     "0/Definitions/swagger.yaml:6:29\n"},
    {"extensions: misspelt, misplaced, ignored, idle", NULL,
     OAS3 "x-wso2-bsaePath: /a\nx-wso2-label: a\nx-other: 1\nx-wso2-throttling-tier: Unlimited\n"
          "paths:\n  /a:\n    x-wso2-auth-header: X\n    x-wso2-throttling-tier: 10KPerMin\n"
          "    get: {x-wso2-disable-secruity: true, x-wso2-endpoints: [], x-throttling-tier: "
          "20KPerMin}\n",
     NULL,
     "warning CC1206 0/Definitions/swagger.yaml:2:1\n"
     "warning CC2600 0/Definitions/swagger.yaml:3:1\n"
     "warning CC1204 0/Definitions/swagger.yaml:8:5\n"
     "warning CC1206 0/Definitions/swagger.yaml:10:11\n"
     "warning CC1204 0/Definitions/swagger.yaml:10:42\n"},
    {"disable-security opens nothing when it is no boolean", NULL,
     OAS3 "paths:\n  /a:\n    get: {x-wso2-disable-security: \"yes\"}\n", NULL,
     "error CC1201 0/Definitions/swagger.yaml:4:36\n"},
    {"headers for tokens", NULL, OAS3 "x-wso2-auth-header: \"X Token\"\n" PATHS, NULL,
     "error CC1203 0/Definitions/swagger.yaml:2:21\n"},
    {"headers that never arrive", NULL, OAS3 "x-wso2-auth-header: X-WSO2-Token\n" PATHS, NULL,
     "error CC1203 0/Definitions/swagger.yaml:2:21\n"},
    {"headers with a line break", NULL, OAS3 "x-wso2-auth-header: \"a\\r\\nb\"\n" PATHS, NULL,
     "error CC1205 0/Definitions/swagger.yaml:2:21\n"},
    {"base paths", NULL, OAS3 "x-wso2-basePath: /a/../b\n" PATHS, NULL,
     "error CC2002 0/Definitions/swagger.yaml:2:18\n"},
    {"base path with a space", NULL, OAS2 "basePath: /a b\n" PATHS, NULL,
     "error CC2002 0/Definitions/swagger.yaml:2:11\n"},
};

static const struct broken_case endpoints[] = {
    {"none at all", API_HEAD API_NAME, NULL, NULL, "error CC2006 0/api.yaml:4:3\n"},
    {"sandbox alone", NULL, OAS3 "x-wso2-sandbox-endpoints: {urls: [\"http://b\"]}\n" PATHS, NULL,
     "warning CC2200 0/Definitions/swagger.yaml:2:27\n"},
    {"a bad URL in api.yaml",
     API_HEAD API_NAME "  endpointConfig:\n    production_endpoints:\n"
                       "      - url: http://b:99999\n      - {}\n      - url: [1]\n      - text\n",
     NULL, NULL,
     "error CC2005 0/api.yaml:10:14\nerror CC1202 0/api.yaml:11:9\n"
     "error CC1201 0/api.yaml:12:14\nerror CC1201 0/api.yaml:13:9\n"},
    {"a line break in a URL", NULL,
     OAS3 "x-wso2-production-endpoints:\n  urls: [\"http://b/\\n  server x 1.2.3.4\"]\n" PATHS,
     NULL, "error CC1205 0/Definitions/swagger.yaml:3:10\n"},
    {"paths that differ", NULL,
     OAS3 "x-wso2-production-endpoints:\n  urls: [\"http://b/v1\", \"http://c/v2\"]\n" PATHS, NULL,
     "warning CC2007 0/Definitions/swagger.yaml:3:25\n"},
    {"paths that differ, at a path", NULL,
     OAS3 "paths:\n  /a:\n    x-wso2-production-endpoints:\n"
          "      urls: [\"http://b/v1\", \"http://c/v2\"]\n    get: {}\n",
     NULL, "warning CC2007 0/Definitions/swagger.yaml:5:29\n"},
    {"the same twice", NULL,
     OAS3 "x-wso2-production-endpoints:\n  urls: [\"http://b\", \"http://B:80/\"]\n" PATHS, NULL,
     "warning CC2005 0/Definitions/swagger.yaml:3:22\n"},
    {"no urls", NULL, OAS3 "x-wso2-production-endpoints: {type: failover}\n" PATHS, NULL,
     "error CC1202 0/Definitions/swagger.yaml:2:30\n"},
    {"urls of the wrong type", NULL,
     OAS3 "x-wso2-production-endpoints: {urls: \"http://b\"}\n" PATHS, NULL,
     "error CC1201 0/Definitions/swagger.yaml:2:37\n"},
    {"an unknown name", NULL,
     OAS3 "x-wso2-production-endpoints: \"#/x-wso2-endpoints/bleu\"\n"
          "x-wso2-endpoints:\n  - blue: {urls: [\"http://b\"]}\n" PATHS,
     NULL, "error CC1203 0/Definitions/swagger.yaml:2:30\n"},
    {"no reference", NULL, OAS3 "x-wso2-production-endpoints: http://b\n" PATHS, NULL,
     "error CC1203 0/Definitions/swagger.yaml:2:30\n"},
    {"server variables", NULL,
     OAS3 "servers:\n  - url: http://b:{port}/v1\n  - {}\n  - url: \"http://{host}\"\n"
          "    variables: {host: {default: \"a b\"}}\n" PATHS,
     NULL,
     "error CC2005 0/Definitions/swagger.yaml:3:10\nerror CC1202 0/Definitions/swagger.yaml:4:5\n"
     "error CC2005 0/Definitions/swagger.yaml:5:10\n"},
    {"OpenAPI 2 hosts", NULL, OAS2 "host: http://b\n" PATHS, NULL,
     "error CC2005 0/Definitions/swagger.yaml:2:7\n"},
    {"OpenAPI 2 schemes", NULL, OAS2 "host: b\nschemes: [wss]\n" PATHS, NULL,
     "error CC1204 0/Definitions/swagger.yaml:3:10\n"},
};

static const struct broken_case security[] = {
    {"supported schemes give no finding", NULL,
     OAS3 "security: [{oauth: [read]}]\npaths:\n  /a:\n    get: {security: [{jwt: []}]}\n"
          "    put: {security: [{oidc: [anything]}]}\n" SCHEMES,
     NULL, ""},
    {"left out, because there is another", NULL,
     OAS3
     "paths:\n  /a:\n    get: {security: [{oauth: [read]}, {basic: []}, {outh: [read]}]}\n" SCHEMES,
     NULL,
     "warning CC2102 0/Definitions/swagger.yaml:4:40\nwarning CC2101 "
     "0/Definitions/swagger.yaml:4:53\n"},
    {"nothing left", NULL,
     OAS3 "paths:\n  /a:\n    get: {security: [{basic: []}]}\n    put: {security: [{none: []}]}\n"
          "    post: {security: [{oauth: [read], basic: []}]}\n" SCHEMES,
     NULL,
     /* in the order of methods: GET, POST, PUT */
     "warning CC2102 0/Definitions/swagger.yaml:4:23\nwarning CC2102 "
     "0/Definitions/swagger.yaml:6:39\n"
     "warning CC2101 0/Definitions/swagger.yaml:5:23\n"},
    {"open operations are not looked at", NULL,
     OAS3 "security: [{key: []}]\npaths:\n  /a:\n    x-wso2-disable-security: true\n"
          "    get: {security: [{basic: []}]}\n    put: {}\n" SCHEMES,
     NULL, ""},
    {"API keys that cannot be", NULL,
     OAS3 "paths:\n  /a:\n    get: {security: [{cookie: []}]}\n    put: {security: [{host: []}]}\n"
          "    post: {security: [{nameless: []}]}\n    delete: {security: [{key: [read]}]}\n"
          "components:\n  securitySchemes:\n"
          "    cookie: {type: apiKey, name: k, in: cookie}\n"
          "    host: {type: apiKey, name: Host, in: header}\n"
          "    nameless: {type: apiKey, in: query}\n"
          "    key: {type: apiKey, name: X-Key, in: header}\n",
     NULL,
     "warning CC2102 0/Definitions/swagger.yaml:4:23\n"
     "warning CC2102 0/Definitions/swagger.yaml:6:24\n"
     "warning CC2102 0/Definitions/swagger.yaml:5:23\n"
     "warning CC2102 0/Definitions/swagger.yaml:7:26\n"},
    {"API keys", NULL,
     OAS3 "security: [{key: []}, {oauth: [read], key: []}]\npaths: {/a: {get: {}}}\n" SCHEMES, NULL,
     ""},
    {"the document's security is told once", NULL,
     OAS3 "security: [{basic: []}]\npaths:\n  /a: {get: {}, put: {}, post: {}}\n" SCHEMES, NULL,
     "warning CC2102 0/Definitions/swagger.yaml:2:13\n"},
    {"nothing opens but the extension", NULL,
     OAS3
     "paths:\n  /a:\n    get: {security: []}\n    put: {security: [{}, {oauth: []}]}\n" SCHEMES,
     NULL,
     "warning CC2109 0/Definitions/swagger.yaml:4:21\nwarning CC2109 "
     "0/Definitions/swagger.yaml:5:22\n"},
    {"scopes", NULL,
     OAS3 "paths:\n  /a:\n    get: {security: [{oauth: [raed]}]}\n"
          "    put: {security: [{oauth: [\"read write\"]}]}\n"
          "    post: {security: [{oauth: read}]}\n    patch: {security: {oauth: []}}\n"
          "    delete: {security: [oauth]}\n" SCHEMES,
     NULL,
     "warning CC2107 0/Definitions/swagger.yaml:4:31\nerror CC1201 "
     "0/Definitions/swagger.yaml:6:31\n"
     "error CC1203 0/Definitions/swagger.yaml:5:31\nerror CC1201 0/Definitions/swagger.yaml:8:25\n"
     "error CC1201 0/Definitions/swagger.yaml:7:23\n"},
    {"schemes of a wrong type, used or not", NULL,
     OAS3 PATHS "components:\n  securitySchemes:\n    a: 1\n    b: {type: oauth2, flows: [x]}\n"
                "    c: {type: oauth2, flows: {implicit: x, x-mine: 1}}\n"
                "    d: {type: oauth2, flows: {implicit: {scopes: [read]}, password: }}\n    e:\n",
     NULL,
     "error CC1201 0/Definitions/swagger.yaml:7:8\nerror CC1201 0/Definitions/swagger.yaml:8:30\n"
     "error CC1201 0/Definitions/swagger.yaml:9:41\n"
     "error CC1201 0/Definitions/swagger.yaml:10:50\n"},
    {"a list of schemes", NULL, OAS3 PATHS "components:\n  securitySchemes: [1]\n", NULL,
     "error CC1201 0/Definitions/swagger.yaml:6:20\n"},
    {"components as a number", NULL, OAS3 PATHS "components: 5\n", NULL,
     "error CC1201 0/Definitions/swagger.yaml:5:13\n"},
    {"nothing in components", NULL, OAS3 PATHS "components:\n", NULL, ""},
    {"OpenAPI 2, definitions as text", NULL, OAS2 PATHS "securityDefinitions: x\n", NULL,
     "error CC1201 0/Definitions/swagger.yaml:5:22\n"},
    {"OpenAPI 2", NULL,
     OAS2
     "securityDefinitions:\n  oauth: {type: oauth2, scopes: {read: r}}\n  basic: {type: basic}\n"
     "paths:\n  /a:\n    get: {security: [{oauth: [read, write]}]}\n"
     "    put: {security: [{basic: []}]}\n",
     NULL,
     "warning CC2107 0/Definitions/swagger.yaml:7:37\nwarning CC2102 "
     "0/Definitions/swagger.yaml:8:23\n"},
};

#define DEPLOYED "type: deployment_environments\ndata:\n"

static const struct broken_case deployments[] = {
    {"broken", NULL, NULL, "data: [", "error CC1002 0/deployment_environments.yaml:2:1\n"},
    {"nowhere", NULL, NULL, DEPLOYED "  []\n", "error CC1202 0/deployment_environments.yaml:3:3\n"},
    {"no list", NULL, NULL, DEPLOYED "  a: 1\n",
     "error CC1201 0/deployment_environments.yaml:3:3\n"},
    {"unknown environments", NULL, NULL,
     DEPLOYED "  - deploymentEnvironment: Prod\n  - {}\n  - deploymentEnvironment: [a]\n",
     "error CC1203 0/deployment_environments.yaml:3:28\n"
     "error CC1202 0/deployment_environments.yaml:4:5\n"
     "error CC1201 0/deployment_environments.yaml:5:28\n"},
    {"virtual hosts", NULL, NULL,
     DEPLOYED "  - deploymentEnvironment: Default\n    deploymentVhost: a b\n"
              "  - deploymentEnvironment: Default\n    deploymentVhost: a.example.com:443\n"
              "  - deploymentEnvironment: Default\n    deploymentVhost: \"*.example.com\"\n"
              "  - deploymentEnvironment: Default\n    deploymentVhost: a.*.com\n",
     "error CC2108 0/deployment_environments.yaml:4:22\n"
     "error CC2108 0/deployment_environments.yaml:6:22\n"
     "error CC2108 0/deployment_environments.yaml:10:22\n"},
};

static void check_case(const struct broken_case *c)
{
    struct fixture f;
    char got[4096];
    int rc;

    fixture_open(&f);
    fixture_project(&f);
    if (c->api == NULL || strcmp(c->api, NONE) != 0)
        fixture_file(&f, "api.yaml", c->api ? c->api : API);
    if (c->openapi == NULL || strcmp(c->openapi, NONE) != 0)
        fixture_file(&f, "Definitions/swagger.yaml", c->openapi ? c->openapi : OAS3 PATHS);
    if (c->deployments != NULL)
        fixture_file(&f, "deployment_environments.yaml", c->deployments);
    rc = fixture_build(&f);
    fixture_findings(&f, got, sizeof(got));
    if (strcmp(got, c->findings) != 0) {
        print_error("case: %s\n", c->name);
        diag_print(f.diag, stderr, false);
    }
    assert_string_equal(got, c->findings);
    assert_int_equal(rc, strstr(c->findings, "error") ? CC_EREFUSED : CC_OK);
    fixture_close(&f);
}

#define TABLE_TEST(table)                                             \
    static void test_##table(void **state)                            \
    {                                                                 \
        (void)state;                                                  \
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) \
            check_case(&table[i]);                                    \
    }
TABLE_TEST(files)
TABLE_TEST(api_yaml)
TABLE_TEST(documents)
TABLE_TEST(endpoints)
TABLE_TEST(security)
TABLE_TEST(deployments)

/* The findings of all projects come in one run, and of all files of a project. */
static void test_all_projects(void **state)
{
    struct fixture f;
    char got[1024];

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", API_HEAD "  name: Pets\n");
    fixture_project(&f);
    fixture_file(&f, "api.json", "{\"type\":\"api\",");
    fixture_file(&f, "Definitions/swagger.json", "{\"openapi\":\"4\"}");
    fixture_project(&f);
    fixture_file(&f, "api.yaml", API);
    fixture_file(&f, "api.json", "{}");
    fixture_file(&f, "Definitions/swagger.yaml", OAS3 PATHS);
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    assert_string_equal(
        fixture_findings(&f, got, sizeof(got)),
        "error CC1202 0/api.yaml:4:3\nerror CC1202 0/api.yaml:4:3\n"
        "error CC1202 0/api.yaml:4:3\nerror CC1101 0:0:0\n"
        "error CC1002 1/api.json:2:1\nerror CC1204 1/Definitions/swagger.json:1:12\n"
        "error CC1102 2/api.json:0:0\n");
    fixture_close(&f);
}

/* Base paths collide over projects, and other errors do not hide it. */
static void test_collision(void **state)
{
    struct fixture f;
    char got[1024];

    (void)state;
    fixture_open(&f);
    for (int i = 0; i < 2; i++) {
        fixture_project(&f);
        fixture_file(&f, "api.yaml", API);
        fixture_file(&f, "Definitions/swagger.yaml",
                     i == 0 ? OAS3 PATHS : OAS3 "paths:\n  /a: {get: {security: 1}}\n");
    }
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    fixture_findings(&f, got, sizeof(got));
    assert_non_null(strstr(got, "error CC1201 1/Definitions/swagger.yaml:3:24\n"));
    assert_non_null(strstr(got, "error CC2001 "));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),        cmocka_unit_test(test_api_yaml),
        cmocka_unit_test(test_documents),    cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_security),     cmocka_unit_test(test_deployments),
        cmocka_unit_test(test_all_projects), cmocka_unit_test(test_collision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
