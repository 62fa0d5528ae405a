/* CORS settings: what becomes of them, and what is said about those that are doubtful or wrong. */
#include "test_project_fixture.h"

#include "gateway/cors.h"

#include <string.h>

#define API                                                                                      \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n"      \
    "  type: HTTP\n  endpointConfig:\n    production_endpoints:\n      url: http://b:80\n" /* 10 \
                                                                                            */
#define OAS "openapi: 3.0.3\npaths: {/a: {get: {}}}\n"                                     /* 2 */

static struct slice stars[] = {SLICE_INIT("*")};
static struct slice get_put[] = {SLICE_INIT("GET"), SLICE_INIT("put")};
static struct slice page[] = {SLICE_INIT("x-page")};

static const struct source cc_yaml = {.name = "cc.yaml"};

/* cc.yaml as it is without settings, but shorter. */
static void enable(struct fixture *f)
{
    f->config.router.cors.enabled = true;
    f->config.router.cors.allow_origins = stars;
    f->config.router.cors.n_allow_origins = 1;
    f->config.router.cors.allow_methods = get_put;
    f->config.router.cors.n_allow_methods = 2;
    f->config.router.cors.expose_headers = page;
    f->config.router.cors.n_expose_headers = 1;
    f->config.router.cors.place = (struct place){&cc_yaml, 3, 5};
}

static void add_project(struct fixture *f, const char *name, const char *api, const char *openapi)
{
    char text[4096];
    struct buf b;

    fixture_project(f);
    buf_init_fixed(&b, text, sizeof(text));
    buf_printf(&b, "%s", api);
    for (char *p = strstr(text, "Pets"); p != NULL && name != NULL; p = NULL)
        memcpy(p, name, 4);
    for (char *p = strstr(text, "/pets"); p != NULL && name != NULL; p = NULL)
        memcpy(p + 1, name, 4);
    fixture_file(f, "api.yaml", text);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
}

/* "origins|patterns|methods|headers|expose" with * and ! (credentials), and where it was declared.
 */
static const char *policy_text(const struct gw_api *api, char *room, size_t size)
{
    const struct gw_cors *c = api->cors;
    struct buf b;

    if (c == NULL)
        return "none";
    buf_init_fixed(&b, room, size);
    buf_printf(&b, "%s%s", c->any_origin ? "*" : "", c->credentials ? "!" : "");
    for (size_t i = 0; i < c->n_origins; i++)
        buf_printf(&b, "%s%" PRIslice, b.n > 0 ? " " : "", SLICE_ARG(c->origins[i]));
    buf_add_char(&b, '|');
    for (size_t i = 0; i < c->n_patterns; i++)
        buf_printf(&b, "%s%" PRIslice, i > 0 ? " " : "", SLICE_ARG(c->patterns[i]));
    buf_printf(&b, "|%" PRIslice "|%" PRIslice "|%" PRIslice "|", SLICE_ARG(c->methods),
               SLICE_ARG(c->headers), SLICE_ARG(c->expose));
    if (api->cors_declared.source != NULL) {
        const char *name = strrchr(api->cors_declared.source->name, '/');

        buf_printf(&b, "%s:%u", name != NULL ? name + 1 : api->cors_declared.source->name,
                   api->cors_declared.line);
    }
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

#define GLOBAL "*||GET, PUT||x-page|cc.yaml:3"

struct policy_case {
    bool off; /* router.cors.enabled: false */
    const char *name, *api, *openapi, *policy, *findings;
};

static const struct policy_case cases[] = {
    {false, "those of cc.yaml", API, OAS, GLOBAL, ""},
    {true, "none at all", API, OAS, "none", ""},
    {false, "of the document, nothing inherited", API,
     OAS "x-wso2-cors:\n  accessControlAllowOrigins: [https://b.example, https://a.example]\n",
     "https://a.example https://b.example|||||swagger.yaml:4", ""},
    {true, "with those of cc.yaml off", API,
     OAS "x-wso2-cors: {accessControlAllowOrigins: [\"*\"]}\n", "*|||||swagger.yaml:3", ""},
    {false, "everything", API,
     OAS "x-wso2-cors:\n  corsConfigurationEnabled: true\n"
         "  accessControlAllowOrigins: [\"https://*.a.example:8443\", \"https://a.example\", "
         "\"HTTPS://A.example:443\"]\n"
         "  accessControlAllowHeaders: [authorization, X-Tenant]\n"
         "  accessControlAllowMethods: [get, PATCH, QUERY]\n"
         "  accessControlExposeHeaders: [x-a, x-b]\n  accessControlAllowCredentials: true\n",
     "! https://a.example|https://*.a.example:8443|GET, PATCH, QUERY|authorization, X-Tenant|"
     "x-a, x-b|swagger.yaml:4",
     ""},
    {false, "the older spelling", API,
     OAS "x-wso2-cors:\n  access-control-allow-origins: [https://a.example]\n"
         "  access-control-allow-headers: [x-a]\n  access-control-allow-methods: [GET]\n"
         "  access-control-expose-headers: [x-b]\n  access-control-allow-credentials: true\n",
     "! https://a.example||GET|x-a|x-b|swagger.yaml:4", ""},
    {false, "the older spelling, disabled", API,
     OAS "x-wso2-cors: {cors-configuration-enabled: false, access-control-allow-origins: [x]}\n",
     GLOBAL, ""},
    {false, "disabled: those of cc.yaml", API,
     OAS "x-wso2-cors: {corsConfigurationEnabled: false, accessControlAllowOrigins: [\"*\"]}\n",
     GLOBAL, ""},
    {true, "disabled and off", API, OAS "x-wso2-cors: {corsConfigurationEnabled: false}\n", "none",
     ""},
    {false, "without a value it is none", API, OAS "x-wso2-cors:\n", GLOBAL, ""},
    {false, "of api.yaml",
     API "  corsConfiguration: {AccessControlAllowOrigins: [https://a.example]}\n", OAS,
     "https://a.example|||||api.yaml:11", ""},
    {false, "of api.yaml, as API Manager writes it",
     API "  corsConfiguration:\n    corsConfigurationEnabled: false\n"
         "    accessControlAllowOrigins: [\"*\"]\n",
     OAS, GLOBAL, ""},
    {false, "the document before api.yaml",
     API "  corsConfiguration: {accessControlAllowOrigins: [https://a.example]}\n",
     OAS "x-wso2-cors: {accessControlAllowOrigins: [https://b.example]}\n",
     "https://b.example|||||swagger.yaml:3", ""},
    {false, "any makes the others idle", API,
     OAS "x-wso2-cors: {accessControlAllowOrigins: [https://a.example, \"*\", "
         "\"https://*.b.example\"]}\n",
     "*|||||swagger.yaml:3", ""},

    /* doubtful */
    {false, "origins that no browser sends", API,
     OAS "x-wso2-cors:\n  accessControlAllowOrigins:\n    - test.com\n    - https://a.example/\n"
         "    - \"null\"\n    - https://b.example/x\n",
     "https://a.example/ https://b.example/x null test.com|||||swagger.yaml:4",
     "warning CC2301 0/Definitions/swagger.yaml:5:7\n"
     "warning CC2301 0/Definitions/swagger.yaml:6:7\n"
     "warning CC2301 0/Definitions/swagger.yaml:8:7\n"},
    {false, "any origin with credentials", API,
     OAS "x-wso2-cors: {accessControlAllowOrigins: [\"*\"], accessControlAllowCredentials: true}\n",
     "*!|||||swagger.yaml:3", "warning CC2302 0/Definitions/swagger.yaml:3:14\n"},
    {false, "null with credentials", API,
     OAS "x-wso2-cors: {accessControlAllowOrigins: [\"null\", https://a.example], "
         "accessControlAllowCredentials: true}\n",
     "! https://a.example null|||||swagger.yaml:3",
     "warning CC2302 0/Definitions/swagger.yaml:3:14\n"},
    {false, "no origin", API, OAS "x-wso2-cors: {accessControlAllowMethods: [GET]}\n",
     "||GET|||swagger.yaml:3", "warning CC2304 0/Definitions/swagger.yaml:3:14\n"},
    {false, "unknown members", API,
     OAS "x-wso2-cors:\n  accessControlAllowOrigin: [\"*\"]\n  accessControlMaxAge: 10\n"
         "  accessControlAllowOrigins: [\"*\"]\n",
     "*|||||swagger.yaml:4",
     "warning CC1206 0/Definitions/swagger.yaml:4:3\n"
     "warning CC1206 0/Definitions/swagger.yaml:5:3\n"},

    /* wrong */
    {false, "not a mapping", API, OAS "x-wso2-cors: true\n", NULL,
     "error CC1201 0/Definitions/swagger.yaml:3:14\n"},
    {false, "wrong types", API,
     OAS "x-wso2-cors:\n  corsConfigurationEnabled: yes please\n"
         "  accessControlAllowOrigins: \"*\"\n  accessControlAllowMethods: [[GET]]\n"
         "  accessControlAllowCredentials: 1\n",
     NULL,
     "error CC1201 0/Definitions/swagger.yaml:4:29\n"
     "error CC1201 0/Definitions/swagger.yaml:7:34\n"
     "error CC1201 0/Definitions/swagger.yaml:5:30\n"
     "error CC1201 0/Definitions/swagger.yaml:6:31\n"
     "warning CC2304 0/Definitions/swagger.yaml:4:3\n"},
    {false, "both spellings of one member", API,
     OAS "x-wso2-cors:\n  accessControlAllowOrigins: [https://a.example]\n"
         "  access-control-allow-origins: [https://b.example]\n",
     NULL, "error CC1003 0/Definitions/swagger.yaml:5:3\n"},
    {false, "other wildcards", API,
     OAS "x-wso2-cors:\n  accessControlAllowOrigins:\n    - https://*\n    - \"*.a.example\"\n"
         "    - https://a.*.example\n    - http://localhost:*\n    - https://*a.example\n",
     NULL,
     "error CC2301 0/Definitions/swagger.yaml:5:7\nerror CC2301 0/Definitions/swagger.yaml:6:7\n"
     "error CC2301 0/Definitions/swagger.yaml:7:7\nerror CC2301 0/Definitions/swagger.yaml:8:7\n"
     "error CC2301 0/Definitions/swagger.yaml:9:7\n"},
    {false, "what cannot be sent", API,
     OAS "x-wso2-cors:\n  accessControlAllowOrigins: [\"https://a b\", \"\", \"x\\r\\ny: z\"]\n"
         "  accessControlAllowMethods: [\"GET, POST\", \"\"]\n"
         "  accessControlAllowHeaders: [\"x-a: b\"]\n"
         "  accessControlExposeHeaders: [\"x\\ny\", \"%[src]\", \"{x\"]\n",
     NULL,
     "error CC1205 0/Definitions/swagger.yaml:4:50\n"
     "error CC1205 0/Definitions/swagger.yaml:7:32\n"
     "error CC2301 0/Definitions/swagger.yaml:4:31\n"
     "error CC2301 0/Definitions/swagger.yaml:4:46\n"
     "error CC2303 0/Definitions/swagger.yaml:5:31\n"
     "error CC2303 0/Definitions/swagger.yaml:5:44\n"
     "error CC2303 0/Definitions/swagger.yaml:6:31\n"
     "error CC2303 0/Definitions/swagger.yaml:7:40\n"
     "error CC2303 0/Definitions/swagger.yaml:7:50\n"},
};

static void policies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct policy_case *c = &cases[i];
        char room[1024];
        struct fixture f;
        int rc;

        fixture_open(&f);
        enable(&f);
        f.config.router.cors.enabled = !c->off;
        add_project(&f, NULL, c->api, c->openapi);
        rc = fixture_build(&f);
        if (strcmp(fixture_findings(&f, room, sizeof(room)), c->findings) != 0 ||
            rc != (c->policy != NULL ? CC_OK : CC_EREFUSED)) {
            diag_print(f.diag, stderr, false);
            fail_msg("%s: %s", c->name, room);
        }
        if (rc == CC_OK &&
            strcmp(policy_text(&f.model->apis[0], room, sizeof(room)), c->policy) != 0)
            fail_msg("%s: %s", c->name, room);
        fixture_close(&f);
    }
}

static void equal_policies_are_one(void **state)
{
    static const char a[] =
        OAS "x-wso2-cors: {accessControlAllowOrigins: [https://a, https://b]}\n";
    static const char b[] =
        OAS "x-wso2-cors: {access-control-allow-origins: [https://b, https://a, https://a]}\n";
    static const char c[] = OAS "x-wso2-cors: {accessControlAllowOrigins: [https://a]}\n";
    struct fixture f;

    (void)state;
    for (int round = 0; round < 2; round++) {
        fixture_open(&f);
        enable(&f);
        add_project(&f, "aaaa", API, round == 0 ? a : b);
        add_project(&f, "bbbb", API, round == 0 ? b : a);
        add_project(&f, "cccc", API, c);
        add_project(&f, "dddd", API, OAS);
        add_project(&f, "eeee", API, OAS);
        assert_int_equal(fixture_build(&f), CC_OK);
        assert_int_equal(f.model->n_cors, 3);
        assert_ptr_equal(f.model->apis[0].cors, f.model->apis[1].cors);
        assert_ptr_equal(f.model->apis[3].cors, f.model->apis[4].cors);
        for (size_t i = 0; i < 5; i++) {
            assert_true(f.model->apis[i].cors >= f.model->cors);
            assert_true(f.model->apis[i].cors < f.model->cors + 3);
        }
        /* the order does not depend on that of the projects */
        assert_int_equal(f.model->apis[0].cors - f.model->cors, 1);
        assert_int_equal(f.model->apis[2].cors - f.model->cors, 0);
        assert_int_equal(f.model->apis[3].cors - f.model->cors, 2);
        fixture_close(&f);
    }
}

static void headers_are_sent_when_they_are_needed(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    add_project(&f, NULL, API, OAS);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_headers, 1);
    assert_int_equal(f.model->n_cors, 0);
    fixture_close(&f);

    fixture_open(&f);
    enable(&f);
    add_project(&f, NULL, API, OAS);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_headers, 3);
    assert_true(slice_is(f.model->headers[0], "access-control-request-method"));
    assert_true(slice_is(f.model->headers[1], "authorization"));
    assert_true(slice_is(f.model->headers[2], "origin"));
    fixture_close(&f);
}

static void findings_of_cc_yaml_come_once(void **state)
{
    static struct slice wrong[] = {SLICE_INIT("https://*"), SLICE_INIT("test.com")};
    static struct slice method[] = {SLICE_INIT("GET POST")};
    struct fixture f;
    char room[512];

    (void)state;
    fixture_open(&f);
    enable(&f);
    f.config.router.cors.allow_origins = wrong;
    f.config.router.cors.n_allow_origins = 2;
    f.config.router.cors.allow_headers = method;
    f.config.router.cors.n_allow_headers = 1;
    add_project(&f, "aaaa", API, OAS);
    add_project(&f, "bbbb", API, OAS);
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)),
                        "error CC2301 cc.yaml:3:5\nwarning CC2301 cc.yaml:3:5\n"
                        "error CC2303 cc.yaml:3:5\n");
    fixture_close(&f);
}

static void limits(void **state)
{
    static const struct {
        const char *member, *before, *after; /* of a number of six digits */
        unsigned n;
        int rc;
    } rows[] = {
        {"accessControlAllowOrigins", "https://h", ".example", 1000, CC_OK},
        {"accessControlAllowOrigins", "https://h", ".example", 1001, CC_EREFUSED},
        {"accessControlAllowOrigins", "https://*.h", ".example", 100, CC_OK},
        {"accessControlAllowOrigins", "https://*.h", ".example", 101, CC_EREFUSED},
        /* n names of 6 bytes, and 2 between them */
        {"accessControlExposeHeaders", "", "", GW_CORS_EXPOSE_MAX / 8, CC_OK},
        {"accessControlExposeHeaders", "", "", GW_CORS_EXPOSE_MAX / 8 + 1, CC_EREFUSED},
        {"accessControlAllowHeaders", "", "", GW_CORS_LIST_MAX / 8, CC_OK},
        {"accessControlAllowHeaders", "", "", GW_CORS_LIST_MAX / 8 + 1, CC_EREFUSED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        struct buf text;

        buf_init(&text, 1 << 20);
        buf_printf(&text, OAS "x-wso2-cors:\n  %s:\n", rows[i].member);
        for (unsigned k = 0; k < rows[i].n; k++)
            buf_printf(&text, "    - \"%s%06u%s\"\n", rows[i].before, k, rows[i].after);
        fixture_open(&f);
        add_project(&f, NULL, API, text.p);
        if (fixture_build(&f) != rows[i].rc) {
            diag_print(f.diag, stderr, false);
            fail_msg("row %zu", i);
        }
        if (rows[i].rc == CC_OK && rows[i].n <= 1000 && rows[i].before[0] == 'h') {
            struct slice origin = rows[i].n == 100 ? SLICE("https://a.h000099.example")
                                                   : SLICE("https://h000999.example");

            assert_true(gw_cors_allows(f.model->apis[0].cors, origin));
        }
        fixture_close(&f);
        buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies),
        cmocka_unit_test(equal_policies_are_one),
        cmocka_unit_test(headers_are_sent_when_they_are_needed),
        cmocka_unit_test(findings_of_cc_yaml_come_once),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
