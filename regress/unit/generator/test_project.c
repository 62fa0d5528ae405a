/* What good projects become. */
#include "test_project_fixture.h"

#include "crypto/crypto.h"

#include <string.h>

#define API(more) \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  type: HTTP\n" more
#define CONTEXT  "  context: /pets\n"
#define ENDPOINT "  endpointConfig:\n    production_endpoints:\n      url: http://backend:8080/v2\n"
#define OAS2     "swagger: \"2.0\"\n"
#define OAS3     "openapi: 3.1.0\n"
#define PATHS    "paths:\n  /a:\n    get: {}\n"

static void add_project(struct fixture *f, const char *api, const char *openapi)
{
    fixture_project(f);
    fixture_file(f, "api.yaml", api);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
}

static void build(struct fixture *f)
{
    int rc = fixture_build(f);

    if (rc != CC_OK)
        diag_print(f->diag, stderr, false);
    assert_int_equal(rc, CC_OK);
}

/* "https://host:port/path ..." of a cluster. */
static const char *cluster_text(const struct gw_cluster *c, char *room, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, room, size);
    buf_add_str(&b, "");
    for (size_t i = 0; c != NULL && i < c->n_endpoints; i++)
        buf_printf(&b, "%s%s://%" PRIslice ":%u%" PRIslice, i > 0 ? " " : "",
                   c->endpoints[i].tls ? "https" : "http", SLICE_ARG(c->endpoints[i].host),
                   c->endpoints[i].port, SLICE_ARG(c->endpoints[i].path));
    return room;
}

static const struct gw_operation *operation(const struct gw_api *api, const char *template,
                                            enum gw_method method)
{
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct gw_resource *r = &api->resources[i];

        for (size_t k = 0; slice_is(r->template, template) && k < r->n_operations; k++) {
            if (r->operations[k].method == method)
                return &r->operations[k];
        }
    }
    return NULL;
}

#define APIKEYS "api_key:apikey|query_key:apikey"

/* "open", "closed", or the alternatives: "a|b c" needs a, or one of b and c; "a&b" needs both. */
static const char *security_text(const struct gw_operation *o, char *room, size_t size)
{
    struct buf b;

    assert_non_null(o);
    assert_false(o->open && o->closed);
    if (o->open || o->closed) {
        assert_int_equal(o->n_requirements, 0);
        return o->open ? "open" : "closed";
    }
    buf_init_fixed(&b, room, size);
    buf_add_str(&b, "");
    for (size_t i = 0; i < o->n_requirements; i++) {
        buf_add_str(&b, i > 0 ? "|" : "");
        for (size_t n = 0; n < o->requirements[i].n_needs; n++) {
            const struct gw_need *need = &o->requirements[i].needs[n];

            buf_add_str(&b, n > 0 ? "&" : "");
            if (need->kind != GW_TOKEN)
                buf_printf(&b, "%s:%" PRIslice, gw_credential_name(need->kind),
                           SLICE_ARG(need->name));
            for (size_t k = 0; k < need->n_scopes; k++)
                buf_printf(&b, "%s%" PRIslice, k > 0 ? " " : "", SLICE_ARG(need->scopes[k]));
        }
    }
    return room;
}

/* --- base path and endpoints ------------------------------------------------------------------ */

struct merge_case {
    const char *api, *openapi;
    const char *base_path, *cluster;
};

static const struct merge_case merges[] = {
    /* api.yaml alone */
    {API(CONTEXT ENDPOINT), OAS3 PATHS, "/pets/1.0.0", "http://backend:8080/v2"},
    {API("  context: /pets/\n" ENDPOINT), OAS3 PATHS, "/pets/1.0.0", "http://backend:8080/v2"},
    {API("  context: /pets/1.0.0\n" ENDPOINT), OAS3 PATHS, "/pets/1.0.0", "http://backend:8080/v2"},
    {API("  context: /pets/x1.0.0\n" ENDPOINT), OAS3 PATHS, "/pets/x1.0.0/1.0.0",
     "http://backend:8080/v2"},
    {API("  context: /{version}/pets\n" ENDPOINT), OAS3 PATHS, "/1.0.0/pets",
     "http://backend:8080/v2"},
    {API(CONTEXT "  endpointConfig: {production_endpoints: [{url: \"https://b\"}, {url: c}]}\n"),
     OAS3 PATHS, "/pets/1.0.0", "https://b:443 http://c:80"},
    {API(CONTEXT "  endpointConfig: {production_endpoints: {url: \"http://b\"},\n"
                 "    production_failovers: [{url: \"http://c\"}]}\n"),
     OAS3 PATHS, "/pets/1.0.0", "http://b:80 http://c:80"},
    /* OpenAPI 2 */
    {API(CONTEXT ENDPOINT), OAS2 "host: h:81\nbasePath: /v3\n" PATHS, "/v3", "http://h:81/v3"},
    {API(CONTEXT), OAS2 "host: h\nschemes: [http, https]\nbasePath: /v3/\n" PATHS, "/v3",
     "https://h:443/v3"},
    {API(CONTEXT), OAS2 "host: h\n" PATHS, "/pets/1.0.0", "http://h:80"},
    {API(CONTEXT ENDPOINT), OAS2 "basePath: \"\"\n" PATHS, "/pets/1.0.0", "http://backend:8080/v2"},
    {API(CONTEXT ENDPOINT), OAS2 "basePath: /\n" PATHS, "", "http://backend:8080/v2"},
    /* OpenAPI 3 */
    {API(CONTEXT ENDPOINT), OAS3 "servers: [{url: /v4}, {url: \"\"}]\n" PATHS, "/pets/1.0.0",
     "http://backend:8080/v2"},
    {API(CONTEXT), OAS3 "servers: [{url: \"http://h/v4/\"}, {url: \"https://i/v4\"}]\n" PATHS,
     "/v4", "http://h:80/v4 https://i:443/v4"},
    {API(CONTEXT), OAS3 "servers: [{url: \"http://h/\"}]\n" PATHS, "/pets/1.0.0", "http://h:80"},
    {API(CONTEXT),
     OAS3
     "servers:\n  - url: \"{scheme}://{host}.com:{port}/{path}\"\n    variables: {scheme: "
     "{default: https}, host: {default: h}, port: {default: 8443}, path: {default: v5}}\n" PATHS,
     "/v5", "https://h.com:8443/v5"},
    {API(CONTEXT "  endpointConfig: {implementation_status: prototyped,\n"
                 "    production_endpoints: {url: \"http://b\"}}\n"),
     OAS3 "servers: [{url: \"http://h/v4\"}]\n" PATHS, "/pets/1.0.0", "http://b:80"},
    /* extensions */
    {API(CONTEXT ENDPOINT), OAS2 "x-wso2-basePath: /x\nhost: h\nbasePath: /v3\n" PATHS, "/x",
     "http://h:80/v3"},
    {API(CONTEXT ENDPOINT), OAS3 "x-wso2-basePath: /x/{version}/\n" PATHS, "/x/1.0.0",
     "http://backend:8080/v2"},
    {API(CONTEXT ENDPOINT),
     OAS3 "x-wso2-production-endpoints: {urls: [\"http://p/v9\", \"http://q/v9\"]}\n"
          "servers: [{url: \"http://h/v4\"}]\n" PATHS,
     "/v4", "http://p:80/v9 http://q:80/v9"},
    {API(CONTEXT),
     OAS3 "x-wso2-production-endpoints: \"#/x-wso2-endpoints/green\"\n"
          "x-wso2-endpoints: [{blue: {urls: [b]}}, {green: {urls: [g]}}]\n" PATHS,
     "/pets/1.0.0", "http://g:80"},
};

static void test_merge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
        struct fixture f;
        char room[256];

        fixture_open(&f);
        add_project(&f, merges[i].api, merges[i].openapi);
        build(&f);
        assert_int_equal(f.model->n_apis, 1);
        assert_string_equal(cluster_text(f.model->apis[0].production, room, sizeof(room)),
                            merges[i].cluster);
        if (!slice_is(f.model->apis[0].base_path, merges[i].base_path))
            print_error("case %zu: %.*s\n", i, SLICE_ARG(f.model->apis[0].base_path));
        assert_true(slice_is(f.model->apis[0].base_path, merges[i].base_path));
        fixture_close(&f);
    }
}

/* --- security --------------------------------------------------------------------------------- */

#define SCHEMES                                                                    \
    "components:\n  securitySchemes:\n"                                            \
    "    oauth: {type: oauth2, flows: {implicit: {scopes: {a: a, b: b, c: c}}}}\n" \
    "    jwt: {$ref: '#/x-jwt'}\n"                                                 \
    "    key: {type: apiKey, name: k, in: header}\n"                               \
    "    basic: {type: http, scheme: basic}\n"                                     \
    "x-jwt: {type: http, scheme: bearer}\n"
#define ROOT           "security: [{oauth: [a]}]\n"
#define GET(operation) "paths:\n  /a:\n    get: {" operation "}\n"

struct security_case {
    const char *api;     /* more of api.yaml's data */
    const char *openapi; /* without version and schemes */
    const char *expect;
};

static const struct security_case securities[] = {
    {"", GET(""), ""}, /* any valid token */
    {"", ROOT GET(""), "a"},
    {"", ROOT GET("security: [{oauth: [b, c]}]"), "b c"},
    {"", ROOT GET("security: [{oauth: [b]}, {oauth: [c]}]"), "b|c"},
    {"", ROOT GET("security: [{jwt: []}]"), ""},
    {"", GET("security: [{jwt: [role]}]"), "role"},
    /* what cannot be enforced makes it stricter */
    {"", ROOT GET("security: []"), "a"},
    {"", GET("security: []"), ""},
    {"", "security: []\n" GET(""), ""},
    {"", ROOT GET("security: [{}, {}]"), "a"},
    {"", ROOT GET("security: [{}, {oauth: [b]}]"), "b"},
    {"", GET("security: [{}, {oauth: [b]}]"), "b"},
    {"", GET("security: [{key: []}]"), "api_key:k"},
    {"", GET("security: [{key: []}, {}]"), "api_key:k"},
    {"", GET("security: [{key: []}, {oauth: [b]}]"), "api_key:k|b"},
    {"", GET("security: [{key: [], oauth: [b]}]"), "api_key:k&b"},
    {"", GET("security: [{jwt: [], oauth: [b]}]"), "&b"},
    {"", GET("security: [{jwt: [role], oauth: [b, c]}, {oauth: [a]}]"), "role&b c|a"},
    {"", GET("security: [{basic: []}, {basic: [], oauth: [b]}, {oauth: [c]}]"), "c"},
    {"", GET("security: [{missing: [b]}]"), "closed"},
    {"", "security: [{key: []}]\n" GET(""), "api_key:k"},
    {"", "security: [{basic: []}]\n" GET(""), "closed"},
    {"", "security: [{key: []}]\n" GET("security: [{oauth: [b]}]"), "b"},
    /* what opens */
    {"", ROOT GET("x-wso2-disable-security: true"), "open"},
    {"", ROOT GET("x-auth-type: None"), "open"},
    {"", ROOT GET("x-auth-type: none"), "a"},
    {"", ROOT GET("x-auth-type: Application"), "a"},
    {"", ROOT GET("x-wso2-disable-security: false, x-auth-type: None"), "open"},
    {"", "x-auth-type: None\n" ROOT GET(""), "a"},
    {"", "x-wso2-disable-security: true\n" ROOT GET(""), "open"},
    {"", "x-wso2-disable-security: true\n" ROOT GET("x-wso2-disable-security: false"), "a"},
    {"", ROOT "paths:\n  /a:\n    x-wso2-disable-security: true\n    get: {}\n", "open"},
    {"",
     ROOT "paths:\n  /a:\n    x-wso2-disable-security: true\n"
          "    get: {x-wso2-disable-security: false}\n",
     "a"},
    {"",
     "x-wso2-disable-security: true\n" ROOT
     "paths:\n  /a:\n    x-wso2-disable-security: false\n    get: {}\n",
     "a"},
    {"", ROOT "paths:\n  /a:\n    x-auth-type: None\n    get: {}\n", "a"},
    {"  lifeCycleStatus: PROTOTYPED\n", ROOT GET(""), "open"},
    {"  lifeCycleStatus: BLOCKED\n", ROOT GET(""), "a"},
    /* securityScheme of api.yaml */
    {"  securityScheme: [oauth2]\n", GET("security: [{key: []}]"), ""},
    {"  securityScheme: [oauth2]\n", GET("security: [{key: [], oauth: [b]}]"), "b"},
    {"  securityScheme: [oauth2]\n", GET("security: [{key: []}, {oauth: [b]}]"), "b"},
    {"  securityScheme: [oauth2]\n", GET("security: [{missing: []}]"), "closed"},
    {"  securityScheme: [oauth2, api_key]\n", GET("security: [{key: []}]"), "|" APIKEYS},
    {"  securityScheme: [oauth2, api_key]\n", GET("security: [{oauth: [b]}]"), "b|" APIKEYS},
    {"  securityScheme: [oauth2, api_key]\n", GET("security: [{missing: []}]"), APIKEYS},
    {"  securityScheme: [api_key]\n", GET("security: [{oauth: [b]}]"), APIKEYS},
    {"  securityScheme: [api_key]\n", GET(""), APIKEYS},
    {"  securityScheme: [api_key]\n", GET("x-wso2-disable-security: true"), "open"},
    {"  securityScheme: [mutualssl]\n", GET("security: [{key: []}]"), "api_key:k"},
};

static void test_security(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(securities) / sizeof(securities[0]); i++) {
        struct fixture f;
        char api[1024], openapi[1024], room[256];
        const char *got;

        fixture_open(&f);
        snprintf(api, sizeof(api), API(CONTEXT ENDPOINT) "%s", securities[i].api);
        snprintf(openapi, sizeof(openapi), OAS3 "%s" SCHEMES, securities[i].openapi);
        add_project(&f, api, openapi);
        build(&f);
        got = security_text(operation(&f.model->apis[0], "/a", GW_GET), room, sizeof(room));
        if (strcmp(got, securities[i].expect) != 0)
            print_error("%s%s", securities[i].api, securities[i].openapi);
        assert_string_equal(got, securities[i].expect);
        fixture_close(&f);
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static void test_resources(void **state)
{
    struct fixture f;
    const struct gw_api *api;
    char room[256];

    (void)state;
    fixture_open(&f);
    add_project(&f, API(CONTEXT ENDPOINT),
                OAS3 "paths:\n"
                     "  x-comment: not a path\n"
                     "  /a:\n"
                     "    trace: {}\n"
                     "    delete: {}\n"
                     "    get: {}\n"
                     "    head: {}\n"
                     "  /b:\n"
                     "    $ref: '#/components/pathItems/shared'\n"
                     "  /c/*:\n"
                     "    x-wso2-production-endpoints: {urls: [\"http://c/v7\"]}\n"
                     "    servers: [{url: \"http://d\"}]\n"
                     "    post: {}\n"
                     "  /d:\n"
                     "    servers: [{url: \"https://d\"}]\n"
                     "    put: {}\n"
                     "components: {pathItems: {shared: {$ref: '#/x-chain'}}}\n"
                     "x-chain: {options: {}, x-wso2-disable-security: true}\n");
    build(&f);
    api = &f.model->apis[0];
    assert_int_equal(api->n_resources, 4);
    assert_int_equal(api->resources[0].n_operations, 4);
    assert_int_equal(api->resources[0].operations[0].method, GW_GET);
    assert_int_equal(api->resources[0].operations[1].method, GW_HEAD);
    assert_int_equal(api->resources[0].operations[2].method, GW_DELETE);
    assert_int_equal(api->resources[0].operations[3].method, GW_TRACE);
    assert_int_equal(api->resources[0].operations[2].origin.line, 6);
    assert_int_equal(api->resources[0].operations[2].origin.col, 5);
    assert_int_equal(api->resources[0].origin.line, 4);
    assert_null(api->resources[0].production);
    assert_true(operation(api, "/b", GW_OPTIONS)->open);
    assert_string_equal(cluster_text(api->resources[2].production, room, sizeof(room)),
                        "http://c:80/v7");
    assert_string_equal(cluster_text(api->resources[3].production, room, sizeof(room)),
                        "https://d:443");
    assert_int_equal(f.model->n_clusters, 3);
    assert_in_range(api->resources[2].production - f.model->clusters, 0, 2);
    fixture_close(&f);
}

/* What is told of an API in each answer of the agent has room there. */
static void test_long_names(void **state)
{
    static const char *const keys[] = {"name", "version", "id"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t n = 512; n <= 513; n++) {
            char value[514], text[2048], found[256];
            struct fixture f;

            memset(value, 'x', n);
            value[n] = '\0';
            snprintf(text, sizeof(text),
                     "type: api\ndata:\n  name: %s\n  version: %s\n  id: %s\n  context: /a\n"
                     "  type: HTTP\n  endpointConfig: {production_endpoints: {url: b}}\n",
                     i == 0 ? value : "A", i == 1 ? value : "1", i == 2 ? value : "i");
            fixture_open(&f);
            add_project(&f, text, OAS3 "x-wso2-basePath: /a\n" PATHS);
            assert_int_equal(fixture_build(&f), n > 512 ? CC_EREFUSED : CC_OK);
            snprintf(text, sizeof(text), "error CC1203 0/api.yaml:%zu:%zu\n", 3 + i,
                     5 + strlen(keys[i]));
            assert_string_equal(fixture_findings(&f, found, sizeof(found)), n > 512 ? text : "");
            fixture_close(&f);
        }
    }
}

static void test_names(void **state)
{
    struct fixture f;
    char hex[41];

    (void)state;
    fixture_open(&f);
    /* 1.0 without quotes is text, not the number 1 */
    add_project(
        &f,
        "type: api\ndata: {name: A, version: 1.0, context: /a, type: HTTP, id: \"4711\",\n"
        "  authorizationHeader: X-Token, endpointConfig: {production_endpoints: {url: b}}}\n",
        OAS3 PATHS);
    add_project(
        &f,
        "type: api\ndata: {name: B, version: \"2\", context: /b, type: WEBHOOK,\n"
        "  authorizationHeader: X-Token, endpointConfig: {production_endpoints: {url: b}}}\n",
        OAS3 "info: {title: C, version: 3}\nx-wso2-auth-header: X-Other\n" PATHS);
    fixture_project(&f);
    fixture_file(
        &f, "api.json",
        "{\"type\":\"api\",\"data\":{\"Name\":\"C\",\"version\":\"1\",\"context\":\"/c\","
        "\"type\":\"HTTP\",\"endpointConfig\":{\"production_endpoints\":{\"url\":\"b\"}}}}");
    fixture_file(&f, "Definitions/swagger.json",
                 "{\"swagger\":\"2.0\",\"paths\":{\"/a\":{\"get\":{}}}}");
    build(&f);
    assert_int_equal(f.model->n_apis, 3);
    assert_true(slice_is(f.model->apis[0].id, "4711"));
    assert_true(slice_is(f.model->apis[0].version, "1.0"));
    assert_true(slice_is(f.model->apis[0].base_path, "/a/1.0"));
    assert_true(slice_is(f.model->apis[0].auth_header, "x-token"));
    assert_int_equal(crypto_sha1_hex(SLICE("B:2"), hex), CC_OK);
    assert_true(slice_is(f.model->apis[1].id, hex));
    assert_true(slice_is(f.model->apis[1].name, "B"));
    assert_true(slice_is(f.model->apis[1].auth_header, "x-other"));
    assert_true(slice_is(f.model->apis[2].name, "C"));
    assert_true(slice_is(f.model->apis[2].auth_header, "authorization"));
    /* the union, sorted */
    assert_int_equal(f.model->n_headers, 3);
    assert_true(slice_is(f.model->headers[0], "authorization"));
    assert_true(slice_is(f.model->headers[1], "x-other"));
    assert_true(slice_is(f.model->headers[2], "x-token"));
    fixture_close(&f);
}

/* Of an API that says nothing, the settings say it. */
static void test_header_of_the_settings(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.config.security.auth_header.authorization_header = SLICE("X-Login");
    add_project(&f, API("  context: /a\n  endpointConfig: {production_endpoints: {url: h}}\n"),
                OAS3 PATHS);
    add_project(&f,
                API("  context: /b\n  authorizationHeader: X-Token\n  endpointConfig: "
                    "{production_endpoints: {url: h}}\n"),
                OAS3 PATHS);
    build(&f);
    assert_true(slice_is(f.model->apis[0].auth_header, "x-login"));
    assert_true(slice_is(f.model->apis[1].auth_header, "x-token"));
    fixture_close(&f);
}

/* Equal endpoints share a cluster, whoever names them and however they are written. */
static void test_clusters(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    add_project(&f, API("  context: /b\n  endpointConfig: {production_endpoints: {url: h/v2}}\n"),
                OAS3 PATHS);
    add_project(&f, API("  context: /a\n"), OAS2 "host: H:80\nbasePath: /v2/\n" PATHS);
    add_project(&f, API("  context: /c\n"),
                OAS2 "host: h\nschemes: [https]\nbasePath: /v2\n"
                     "x-wso2-basePath: /c\n" PATHS);
    build(&f);
    assert_int_equal(f.model->n_apis, 3);
    assert_true(slice_is(f.model->apis[0].base_path, "/b/1.0.0"));
    assert_true(slice_is(f.model->apis[1].base_path, "/c"));
    assert_true(slice_is(f.model->apis[2].base_path, "/v2"));
    assert_int_equal(f.model->n_clusters, 2);
    assert_ptr_equal(f.model->apis[0].production, f.model->apis[2].production);
    assert_ptr_not_equal(f.model->apis[0].production, f.model->apis[1].production);
    /* sorted by name, and the names are of content alone: they never change */
    assert_true(slice_cmp(f.model->clusters[0].name, f.model->clusters[1].name) < 0);
    assert_true(slice_is(f.model->apis[0].production->name, "cc_b_389b4b87dcd8"));
    fixture_close(&f);
}

static void test_vhosts(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    add_project(&f, API(CONTEXT ENDPOINT), OAS3 PATHS);
    fixture_file(&f, "deployment_environments.yaml",
                 "data:\n  - {deploymentEnvironment: Staging}\n"
                 "  - {deploymentEnvironment: Default, deploymentVhost: \"*.Example.com\"}\n"
                 "  - {deploymentEnvironment: Default, deploymentVhost: stage.example.com}\n");
    add_project(&f, API(CONTEXT ENDPOINT), OAS3 PATHS);
    build(&f);
    assert_int_equal(f.model->n_apis, 3);
    assert_true(slice_is(f.model->apis[0].vhost, "*.example.com"));
    assert_true(slice_is(f.model->apis[1].vhost, "localhost"));
    assert_true(slice_is(f.model->apis[2].vhost, "stage.example.com"));
    fixture_close(&f);
}

/* However little memory there is: an error, or the whole model. */
static void test_memory(void **state)
{
    int rc = CC_ENOMEM;

    (void)state;
    for (size_t max = 1 << 10; rc != CC_OK; max += 512) {
        struct fixture f;

        fixture_open(&f);
        add_project(&f, API(CONTEXT ENDPOINT),
                    OAS3 ROOT
                    "servers: [{url: \"http://h:{p}/v\", variables: {p: {default: 1}}}]\n"
                    "paths:\n  /a:\n    servers: [{url: \"http://i\"}]\n    get: {}\n" SCHEMES);
        /* what was allocated for the directory's name stays alive */
        struct arena *small = arena_new(max), *large = f.arena;

        assert_non_null(small);
        f.arena = small;
        rc = fixture_build(&f);
        assert_true(rc == CC_OK || rc == CC_ENOMEM);
        f.arena = large;
        if (rc == CC_OK) {
            assert_int_equal(f.model->n_clusters, 2);
            assert_int_equal(f.model->apis[0].n_resources, 1);
        }
        fixture_close(&f);
        arena_free(&small);
        assert_true(max < (1 << 20));
    }
}

/* The files of the contract's own samples, when they are there. */
static void test_shared_samples(void **state)
{
    static const char *const samples[] = {
        "petstore_basic",   "cors_sample",     "http2_sample",    "interceptors_sample",
        "mock-impl-sample", "policies_sample", "security_sample", "endpoint_by_reference_sample",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct fixture f;
        struct slice text;
        char path[128];

        snprintf(path, sizeof(path), "../shared/data/openapi/%s.yaml", samples[i]);
        if (access(path, R_OK) != 0)
            continue;
        fixture_open(&f);
        assert_int_equal(file_read(f.arena, path, 1 << 20, &text), CC_OK);
        text = arena_dup(f.arena, text);
        add_project(&f, API(CONTEXT ENDPOINT), text.p);
        assert_int_equal(fixture_build(&f), CC_OK);
        fixture_close(&f);
    }
}

/* examples/petstore is without fault. */
static void test_example(void **state)
{
    struct fixture f;
    const struct gw_api *api;
    char room[64];

    (void)state;
    fixture_open(&f);
    f.dirs[f.n++] = "examples/petstore/";
    build(&f);
    assert_int_equal(diag_warnings(f.diag), 0);
    api = &f.model->apis[0];
    assert_true(slice_is(api->base_path, "/petstore/1.0.0"));
    assert_string_equal(cluster_text(api->production, room, sizeof(room)),
                        "http://127.0.0.1:8080/v2");
    assert_string_equal(security_text(operation(api, "/pets", GW_GET), room, sizeof(room)),
                        "read:pets");
    assert_string_equal(
        security_text(operation(api, "/pets/{petId}", GW_DELETE), room, sizeof(room)),
        "write:pets");
    assert_true(operation(api, "/opening-hours", GW_GET)->open);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_security),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_long_names), cmocka_unit_test(test_names),
        cmocka_unit_test(test_header_of_the_settings),
        cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_vhosts),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_shared_samples),
        cmocka_unit_test(test_example),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
