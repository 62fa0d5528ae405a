/* Which endpoints count by key type, and how they are treated. */
#include "test_project_fixture.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n" \
    "  type: HTTP\n"
#define CONFIG "  endpointConfig:\n" /* line 8 */
#define BOTH                                                      \
    HEAD CONFIG "    production_endpoints: {url: \"http://p\"}\n" \
                "    sandbox_endpoints: {url: \"http://s/x\"}\n"
#define OAS     "openapi: 3.1.0\n"
#define SERVERS "servers: [{url: \"http://d/v\"}]\n"
#define PATHS   "paths: {/a: {get: {}}}\n"
#define PROD(more)                                                                \
    OAS PATHS "x-wso2-production-endpoints:\n  urls: [\"http://b\"]\n" /* 3, 4 */ \
              "  advanceEndpointConfig:\n" more
#define DOC(line, col) "0/Definitions/swagger.yaml:" #line ":" #col "\n"

static const struct options_case {
    const char *name, *api, *openapi;
    const char *findings;
    const char *production, *sandbox; /* of the API */
} cases[] = {
    /* who counts */
    {"api.yaml has both", BOTH, OAS PATHS, "", "p", "s/x"},
    {"the document's servers take both away", BOTH, OAS SERVERS PATHS, "", "d/v", ""},
    {"not of a prototype", BOTH "    implementation_status: prototyped\n", OAS SERVERS PATHS, "",
     "p", "s/x"},
    {"extensions before servers", BOTH,
     OAS SERVERS PATHS "x-wso2-production-endpoints: {urls: [\"http://e\"]}\n"
                       "x-wso2-sandbox-endpoints: {urls: [\"http://f\"]}\n",
     "", "e", "f"},
    {"the production extension alone keeps the sandbox of api.yaml", BOTH,
     OAS PATHS "x-wso2-production-endpoints: {urls: [\"http://e\"]}\n", "", "e", "s/x"},
    {"the sandbox extension alone takes production away", BOTH,
     OAS PATHS "x-wso2-sandbox-endpoints: {urls: [\"http://f\"]}\n", "warning CC2200 " DOC(3, 27),
     "", "f"},
    {"also that of servers", HEAD,
     OAS SERVERS PATHS "x-wso2-sandbox-endpoints: {urls: [\"http://f\"]}\n",
     "warning CC2200 " DOC(4, 27), "", "f"},
    {"sandbox of api.yaml alone", HEAD CONFIG "    sandbox_endpoints: [{url: \"http://s\"}]\n",
     OAS PATHS, "", "", "s"},
    {"by name", HEAD,
     OAS PATHS "x-wso2-endpoints:\n  - blue: {urls: [\"http://blue\"], type: failover}\n"
               "x-wso2-sandbox-endpoints: \"#/x-wso2-endpoints/blue\"\n",
     "", "", "blue"},
    {"no endpoint", HEAD, OAS PATHS, "error CC2006 0/api.yaml:4:3\n", "", ""},
    {"a broken sandbox", HEAD, OAS PATHS "x-wso2-sandbox-endpoints: {}\n",
     "error CC1202 " DOC(3, 27), "", ""},
    {"credentials of the sandbox", BOTH "    endpoint_security: {sandbox: {enabled: true}}\n",
     OAS PATHS, "error CC1202 0/api.yaml:11:34\n", "", ""},
    {"credentials of a sandbox that is not there",
     BOTH "    endpoint_security: {sandbox: {enabled: true}}\n", OAS SERVERS PATHS, "", "d/v", ""},

    /* failover and load balancing */
    {"failover in api.yaml",
     HEAD CONFIG "    production_endpoints: {url: \"http://p\"}\n"
                 "    production_failovers: [{url: \"http://q\"}, {url: \"http://r\"}]\n"
                 "    sandbox_endpoints: [{url: \"http://s\"}, {url: \"http://t\"}]\n"
                 "    sandbox_failovers: [{url: \"http://u\"}]\n",
     OAS PATHS, "", "p q r failover", "s t u failover"},
    {"failover in the document", HEAD,
     OAS PATHS "x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\"], type: failover}\n"
               "x-wso2-sandbox-endpoints: {urls: [\"http://b\", \"http://c\"], type: http}\n",
     "", "b c failover", "b c"},
    {"a misspelt failover", HEAD,
     OAS PATHS
     "x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\"], type: faiolver}\n",
     "warning CC1203 " DOC(3, 69), "b c", ""},
    {"HTTP/2", HEAD,
     OAS PATHS "x-wso2-http2-backend-enabled: true\n"
               "x-wso2-production-endpoints: {urls: [\"http://b\"]}\n",
     "", "b http2", ""},
    {"HTTP/2, as text", HEAD, OAS SERVERS PATHS "x-wso2-http2-backend-enabled: \"yes\"\n",
     "error CC1201 " DOC(4, 31), "", ""},
    {"IPv6 alone", HEAD,
     OAS PATHS "x-wso2-production-endpoints: {urls: [\"http://[::1]:80\", \"https://[::1]\"]}\n",
     "", "::1 ::1", ""},
    {"IPv6 and others", HEAD,
     OAS PATHS "x-wso2-production-endpoints: {urls: [\"http://b\", \"http://[::1]\"]}\n",
     "error CC2201 " DOC(3, 50), "", ""},
    {"one host twice among others", HEAD,
     OAS PATHS "x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\", \"https://b\"]}\n",
     "error CC2201 " DOC(3, 62), "", ""},

    /* time-outs and retries */
    {"time-out", HEAD, PROD("    timeoutInMillis: 4500\n"), "", "b 4500ms", ""},
    {"time-out of 0", HEAD, PROD("    timeoutInMillis: 0\n"), "", "b", ""},
    {"time-out above the limit", HEAD, PROD("    timeoutInMillis: 60001\n"),
     "warning CC2202 " DOC(6, 22), "b 60000ms", ""},
    {"time-outs that are none", HEAD, PROD("    timeoutInMillis: -1\n"), "error CC1203 " DOC(6, 22),
     "", ""},
    {"time-out as text", HEAD, PROD("    timeoutInMillis: soon\n"), "error CC1201 " DOC(6, 22), "",
     ""},
    {"retries", HEAD, PROD("    retryConfig: {count: 2, statusCodes: [504, 502, 504]}\n"), "",
     "b 2x 502 504", ""},
    {"retries, statuses of cc.yaml", HEAD, PROD("    retryConfig: {count: 3}\n"), "", "b 3x 504",
     ""},
    {"retries of all methods", HEAD,
     PROD("    retryConfig: {count: 1, statusCodes: [503], nonIdempotentMethods: true}\n"), "",
     "b 1x unsafe 503", ""},
    {"retries that are off", HEAD, PROD("    retryConfig: {count: 0, statusCodes: [503]}\n"), "",
     "b", ""},
    {"too many retries", HEAD, PROD("    retryConfig: {count: 6, statusCodes: [429]}\n"),
     "warning CC2202 " DOC(6, 26), "b 5x 429", ""},
    {"statuses that HAProxy does not retry", HEAD,
     PROD("    retryConfig: {count: 1, statusCodes: [505, 503, 598]}\n"),
     "warning CC2203 " DOC(6, 43) "warning CC2203 " DOC(6, 53), "b 1x 503", ""},
    {"none that it does", HEAD, PROD("    retryConfig: {count: 1, statusCodes: [409]}\n"),
     "warning CC2203 " DOC(6, 43), "b 1x 504", ""},
    {"statuses that are none", HEAD, PROD("    retryConfig: {count: 1, statusCodes: [99, 5xx]}\n"),
     "error CC1203 " DOC(6, 43) "error CC1201 " DOC(6, 47), "", ""},
    {"options of the wrong type", HEAD, PROD("    retryConfig: 1\n    circuitBreakers: []\n"),
     "error CC1201 " DOC(6, 18) "error CC1201 " DOC(7, 22), "", ""},
    {"members that mean nothing", HEAD,
     PROD("    timeoutInMilis: 1\n    retryConfig: {count: 1, statuscodes: [1]}\n    x-mine: 1\n"),
     "warning CC1206 " DOC(6, 5) "warning CC1206 " DOC(7, 29), "b 1x 504", ""},
    {"config of api.yaml",
     HEAD CONFIG "    production_endpoints:\n"
                 "      - {url: \"http://p\", config: {actionDuration: \"3000\", retryTimeOut: 2,\n"
                 "         actionSelect: fault, suspendDuration: \"1\"}}\n"
                 "      - {url: \"http://q\", config: {actionDuration: \"9000\"}}\n"
                 "    sandbox_endpoints: {url: \"http://s\", config: {actionDuration: \"\"}}\n",
     OAS PATHS, "", "p q 3000ms 2x 504", "s"},
    {"config of api.yaml holds for the document's servers",
     HEAD CONFIG "    production_endpoints: {url: \"http://p\", config: {actionDuration: 70000}}\n",
     OAS SERVERS PATHS, "warning CC2202 0/api.yaml:9:70\n", "d/v 60000ms", ""},
    {"what the document says comes first",
     HEAD CONFIG "    production_endpoints:\n"
                 "      {url: \"http://p\", config: {actionDuration: 1, retryTimeOut: 1}}\n",
     PROD("    timeoutInMillis: 4500\n    retryConfig: {count: 0}\n"), "", "b 4500ms", ""},
    {"config of api.yaml that is no number",
     HEAD CONFIG "    production_endpoints: {url: \"http://p\", config: {actionDuration: 1s}}\n",
     OAS PATHS, "error CC1203 0/api.yaml:9:70\n", "", ""},

    /* limits and health */
    {"limits", HEAD,
     PROD("    circuitBreakers: {maxConnections: 7, maxRequests: 5, maxPendingRequests: 3}\n"), "",
     "b requests=5 connections=7 pending=3", ""},
    {"limits that are not set", HEAD,
     PROD("    circuitBreakers: {maxConnections: 0, maxRequests: -1, maxPendingRequests: 3}\n"), "",
     "b connections=1024 pending=3", ""},
    {"limits that HAProxy does not have", HEAD,
     PROD("    circuitBreakers: {maxRequests: 5, maxRetries: 3, maxConnectionPools: 10}\n"),
     "warning CC1204 " DOC(6, 51) "warning CC1204 " DOC(6, 74), "b requests=5", ""},
    {"a health check", HEAD, PROD("    healthCheck: {path: /up?x=%20, statusCodes: [204, 200]}\n"),
     "", "b health=/up?x=%20 200 204", ""},
    {"a health check anywhere", HEAD, PROD("    healthCheck: {}\n"), "error CC1202 " DOC(6, 18), "",
     ""},
    {"health checks that would be more", HEAD, PROD("    healthCheck: {path: \"/up HTTP/1.1\"}\n"),
     "error CC1203 " DOC(6, 25), "", ""},
    {"or another line", HEAD, PROD("    healthCheck: {path: \"/up\\n  server x\"}\n"),
     "error CC1205 " DOC(6, 25), "", ""},
    {"or nothing", HEAD, PROD("    healthCheck: {path: \"\"}\n"), "error CC1203 " DOC(6, 25), "",
     ""},
};

static void add_statuses(struct buf *b, const struct slice *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, " %" PRIslice, SLICE_ARG(texts[i]));
}

static void add_number(struct buf *b, const char *name, unsigned number)
{
    if (number > 0)
        buf_printf(b, " %s=%u", name, number);
}

/* Endpoints without scheme and port, then what is set. */
static const char *text_of(const struct gw_cluster *c, char room[256])
{
    struct buf b;

    buf_init_fixed(&b, room, 256);
    buf_add_str(&b, "");
    if (c == NULL)
        return room;
    for (size_t i = 0; i < c->n_endpoints; i++)
        buf_printf(&b, "%s%" PRIslice "%" PRIslice, i > 0 ? " " : "",
                   SLICE_ARG(c->endpoints[i].host), SLICE_ARG(c->endpoints[i].path));
    buf_add_str(&b, c->options.failover ? " failover" : "");
    buf_add_str(&b, c->options.http2 ? " http2" : "");
    if (c->options.timeout_ms > 0)
        buf_printf(&b, " %ums", c->options.timeout_ms);
    if (c->options.retry_count > 0)
        buf_printf(&b, " %ux", c->options.retry_count);
    buf_add_str(&b, c->options.retry_unsafe ? " unsafe" : "");
    add_statuses(&b, c->options.retry_statuses, c->options.n_retry_statuses);
    add_number(&b, "requests", c->options.max_requests);
    add_number(&b, "connections", c->options.max_connections);
    add_number(&b, "pending", c->options.max_pending);
    if (c->options.health_path.n > 0)
        buf_printf(&b, " health=%" PRIslice, SLICE_ARG(c->options.health_path));
    add_statuses(&b, c->options.health_statuses, c->options.n_health_statuses);
    return room;
}

/* Compares; all that differ are shown, not only the first. */
static bool same(const struct options_case *c, const char *what, const char *got,
                 const char *expected)
{
    if (strcmp(got, expected) == 0)
        return true;
    print_error("%s: %s is \"%s\", expected \"%s\"\n", c->name, what, got, expected);
    return false;
}

static bool try_case(const struct options_case *c)
{
    char got[1024], room[256];
    struct fixture f;
    bool good;
    int rc;

    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", c->api);
    fixture_file(&f, "Definitions/swagger.yaml", c->openapi);
    rc = fixture_build(&f);
    good = same(c, "findings", fixture_findings(&f, got, sizeof(got)), c->findings);
    if (!good)
        diag_print(f.diag, stderr, false);
    assert_int_equal(rc, strstr(got, "error") ? CC_EREFUSED : CC_OK);
    if (rc == CC_OK) {
        good = same(c, "production", text_of(f.model->apis[0].production, room), c->production) &&
               good;
        good = same(c, "sandbox", text_of(f.model->apis[0].sandbox, room), c->sandbox) && good;
    }
    fixture_close(&f);
    return good;
}

static void test_options(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        bad += !try_case(&cases[i]);
    assert_int_equal(bad, 0);
}

/* A path has endpoints of its own for each key type, with the API's time-out and retries where it
 * says nothing about them, but not with its limits. */
static void test_paths_inherit(void **state)
{
    static const char *const expected[][3] = {
        {"/a", "", ""},  {"/b", "c 4500ms 2x 503", ""},   {"/c", "c 100ms", "d 50ms"},
        {"/d", "", "d"}, {"/e", "f/v 4500ms 2x 503", ""},
    };
    char room[256];
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", HEAD);
    fixture_file(
        &f, "Definitions/swagger.yaml",
        OAS "x-wso2-production-endpoints:\n  urls: [\"http://b\"]\n"
            "  advanceEndpointConfig:\n    timeoutInMillis: 4500\n"
            "    retryConfig: {count: 2, statusCodes: [503]}\n"
            "    circuitBreakers: {maxRequests: 3}\n"
            "x-wso2-sandbox-endpoints: {urls: [\"http://s\"]}\n"
            "paths:\n"
            "  /a: {get: {}}\n"
            "  /b: {get: {}, x-wso2-production-endpoints: {urls: [\"http://c\"]}}\n"
            "  /c:\n    get: {}\n    x-wso2-production-endpoints:\n      urls: [\"http://c\"]\n"
            "      advanceEndpointConfig: {timeoutInMillis: 100, retryConfig: {count: 0}}\n"
            "    x-wso2-sandbox-endpoints:\n      urls: [\"http://d\"]\n"
            "      advanceEndpointConfig: {timeoutInMillis: 50}\n"
            "  /d: {get: {}, x-wso2-sandbox-endpoints: {urls: [\"http://d\"]}}\n"
            "  /e: {get: {}, servers: [{url: \"http://f/v\"}]}\n");
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_string_equal(text_of(f.model->apis[0].production, room), "b 4500ms 2x 503 requests=3");
    assert_string_equal(text_of(f.model->apis[0].sandbox, room), "s");
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const struct gw_resource *r = &f.model->apis[0].resources[i];

        assert_true(slice_is(r->template, expected[i][0]));
        assert_string_equal(text_of(r->production, room), expected[i][1]);
        assert_string_equal(text_of(r->sandbox, room), expected[i][2]);
    }
    fixture_close(&f);
}

/* Clusters are shared by those who say the same, and by nobody else. */
static void test_options_make_clusters(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", HEAD);
    fixture_file(
        &f, "Definitions/swagger.yaml",
        OAS
        "x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\"]}\n"
        "paths:\n"
        "  /a: {get: {}, x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\"]}}\n"
        "  /b: {get: {}, x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\"], type: "
        "failover}}\n"
        "  /c: {get: {}, x-wso2-production-endpoints: {urls: [\"http://b\", \"http://c\"],\n"
        "    advanceEndpointConfig: {timeoutInMillis: 10}}}\n"
        "  /d: {get: {}, x-wso2-sandbox-endpoints: {urls: [\"http://b\", \"http://c\"],\n"
        "    advanceEndpointConfig: {timeoutInMillis: 10}}}\n");
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_clusters, 3);
    assert_ptr_equal(f.model->apis[0].resources[0].production, f.model->apis[0].production);
    assert_ptr_equal(f.model->apis[0].resources[2].production,
                     f.model->apis[0].resources[3].sandbox);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_paths_inherit),
        cmocka_unit_test(test_options_make_clusters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
