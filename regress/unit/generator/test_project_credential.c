/* Who the gateway is to endpoints: which declaration counts, and where its texts come from. */
#include "crypto/crypto.h"
#include "test_project_fixture.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n" \
    "  type: HTTP\n  endpointConfig:\n" /* 8 lines */
#define BOTH                                                                                 \
    HEAD "    production_endpoints: {url: \"https://p\"}\n    sandbox_endpoints: {url: \"https://s\"}\n"
#define SECURITY(more) BOTH "    endpoint_security:\n" more /* line 11 */
#define BASIC(user)    "{enabled: true, type: BASIC, username: " user ", password: pw}\n"
#define OAS            "openapi: 3.1.0\n"
#define PATHS          "paths: {/a: {get: {}}}\n"
#define EXTENSION(env, more) \
    "x-wso2-" env "-endpoints:\n  urls: [\"https://e\"]\n  securityConfig: " more "\n"
#define OWN(more)                                                       \
    "paths:\n  /a:\n    get: {}\n    x-wso2-production-endpoints:\n" more
#define DOC(line, col) "0/Definitions/swagger.yaml:" #line ":" #col "\n"
#define API(line, col) "0/api.yaml:" #line ":" #col "\n"

static const struct credential_case {
    const char *name, *api, *openapi;
    const char *findings;
    const char *production, *sandbox, *path; /* user names; path: production of /a */
} cases[] = {
    {"none", BOTH, OAS PATHS, "", "", "", ""},
    {"api.yaml, each environment",
     SECURITY("      production: " BASIC("a") "      sandbox: " BASIC("b")), OAS PATHS, "", "a",
     "b", ""},
    {"api.yaml, one environment", SECURITY("      sandbox: " BASIC("b")), OAS PATHS, "", "", "b",
     ""},
    {"keys of api.yaml in any case",
     SECURITY("      Production: {Enabled: true, TYPE: basic, userName: a, Password: 1}\n"),
     OAS PATHS, "", "a", "", ""},
    {"off, whatever the type",
     SECURITY("      production: {enabled: false, type: OAUTH, username: a, password: b}\n"
              "      sandbox: {type: BASIC, username: a, password: b}\n"),
     OAS PATHS, "", "", "", ""},
    {"of another type", SECURITY("      production: {enabled: true, type: OAUTH}\n"), OAS PATHS,
     "error CC2400 " API(12, 41), NULL, NULL, NULL},
    {"without type", SECURITY("      production: {enabled: true}\n"), OAS PATHS,
     "error CC1202 " API(12, 19), NULL, NULL, NULL},
    {"the document comes first", SECURITY("      production: " BASIC("a")),
     OAS PATHS EXTENSION("production", "{type: BASIC, username: x, password: y}"), "", "x", "", ""},
    {"and counts as enabled, unless it says no",
     SECURITY("      production: " BASIC("a")),
     OAS PATHS EXTENSION("production", "{enabled: false}"), "", "", "", ""},
    {"api.yaml holds for the document's endpoints", SECURITY("      production: " BASIC("a")),
     OAS "servers: [{url: \"https://d/v\"}]\n" PATHS, "", "a", "", ""},
    {"of another type, in the document", BOTH,
     OAS PATHS EXTENSION("production", "{type: DIGEST, username: x, password: y}"),
     "error CC2400 " DOC(5, 26), NULL, NULL, NULL},
    {"misspelt members", BOTH,
     OAS PATHS EXTENSION("production", "{type: BASIC, user: x, password: y}"),
     "warning CC1206 " DOC(5, 33) "error CC2401 " DOC(5, 19), NULL, NULL, NULL},
    {"no map", BOTH, OAS PATHS EXTENSION("production", "BASIC"), "error CC1201 " DOC(5, 19), NULL,
     NULL, NULL},
    {"by name, for both environments", BOTH,
     OAS PATHS "x-wso2-endpoints:\n"
               "  - n: {urls: [\"https://e\"], securityConfig: {type: BASIC, username: n, password: p}}\n"
               "x-wso2-production-endpoints: \"#/x-wso2-endpoints/n\"\n"
               "x-wso2-sandbox-endpoints: \"#/x-wso2-endpoints/n\"\n",
     "", "n", "n", ""},

    /* paths */
    {"a path has its own", SECURITY("      production: " BASIC("a")),
     OAS OWN("      urls: [\"https://e\"]\n"
             "      securityConfig: {type: BASIC, username: x, password: y}\n"),
     "", "a", "", "x"},
    {"or those of the API", SECURITY("      production: " BASIC("a")),
     OAS OWN("      urls: [\"https://p/other\"]\n"), "", "a", "", "a"},
    {"also on another host, which is told", SECURITY("      production: " BASIC("a")),
     OAS OWN("      urls: [\"https://p/v\", \"https://q/v\"]\n"),
     "warning CC2403 " DOC(6, 29), "a", "", "a"},
    {"or says that there are none", SECURITY("      production: " BASIC("a")),
     OAS OWN("      urls: [\"https://q\"]\n      securityConfig: {enabled: false}\n"), "", "a", "",
     ""},
    {"only the path has some", BOTH,
     OAS OWN("      urls: [\"https://q\"]\n"
             "      securityConfig: {type: BASIC, username: x, password: y}\n"),
     "", "", "", "x"},

    /* texts */
    {"an empty password", SECURITY("      production: {enabled: true, type: BASIC, username: a, password: \"\"}\n"),
     OAS PATHS, "warning CC2401 " API(12, 19), "a", "", ""},
    {"a colon", SECURITY("      production: " BASIC("\"a:b\"")), OAS PATHS,
     "error CC2401 " API(12, 19), NULL, NULL, NULL},
    {"no name", SECURITY("      production: " BASIC("\"\"")), OAS PATHS,
     "error CC2401 " API(12, 19), NULL, NULL, NULL},
    {"a line break", SECURITY("      production: " BASIC("\"a\\nb\"")), OAS PATHS,
     "error CC1205 " API(12, 19), NULL, NULL, NULL},
    {"neither name nor password", SECURITY("      production: {enabled: true, type: BASIC}\n"),
     OAS PATHS, "error CC2401 " API(12, 19), NULL, NULL, NULL},
    {"no password, as in the contract's sample", BOTH,
     OAS PATHS EXTENSION("production", "{type: basic, username: x}"),
     "warning CC2401 " DOC(5, 19), "x", "", ""},
    {"variables", SECURITY("      production: " BASIC("\"x$env{API_TEST_USER}y\"")), OAS PATHS, "",
     "xuy", "", ""},
    {"a variable that is not set", SECURITY("      production: " BASIC("\"$env{API_TEST_NONE}\"")),
     OAS PATHS, "error CC2402 " API(12, 19), NULL, NULL, NULL},
    {"a variable of somebody else", SECURITY("      production: " BASIC("\"$env{HOME}\"")), OAS PATHS,
     "error CC2402 " API(12, 19), NULL, NULL, NULL},
    {"a variable without end", SECURITY("      production: " BASIC("\"$env{API_TEST_USER\"")),
     OAS PATHS, "error CC2402 " API(12, 19), NULL, NULL, NULL},

    /* where they go */
    {"clear text",
     HEAD "    production_endpoints: [{url: \"http://p\"}, {url: \"http://127.0.0.1\"}]\n"
          "    endpoint_security: {production: " "{enabled: true, type: BASIC, username: a, password: b}}\n",
     OAS PATHS, "warning CC2404 " API(10, 37), "a", "", ""},
};

static const char *user_of(const struct gw_identity *c)
{
    static char room[64];

    snprintf(room, sizeof(room), "%.*s", c != NULL ? (int)c->user.n : 0,
             c != NULL ? c->user.p : "");
    return room;
}

static void check_case(const struct credential_case *c)
{
    struct fixture f;
    char room[1024];
    const char *found;

    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", c->api);
    fixture_file(&f, "Definitions/swagger.yaml", c->openapi);
    fixture_build(&f);
    found = fixture_findings(&f, room, sizeof(room));
    if (strcmp(found, c->findings) != 0)
        fail_msg("%s: findings\n%s", c->name, found);
    if (c->production != NULL) {
        const struct gw_api *api = &f.model->apis[0];

        assert_string_equal(user_of(api->production_identity), c->production);
        assert_string_equal(user_of(api->sandbox_identity), c->sandbox);
        assert_string_equal(user_of(api->resources[0].production_identity), c->path);
        assert_null(api->resources[0].sandbox_identity);
    }
    fixture_close(&f);
}

static void declarations(void **state)
{
    (void)state;
    assert_int_equal(setenv("API_TEST_USER", "u", 1), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_case(&cases[i]);
}

static void build_one(struct fixture *f, const char *user, const char *password)
{
    char api[2048];

    snprintf(api, sizeof(api), "%s    endpoint_security: {production: {enabled: true, type: BASIC, "
             "username: %s, password: %s}}\n", BOTH, user, password);
    fixture_open(f);
    fixture_project(f);
    fixture_file(f, "api.yaml", api);
    fixture_file(f, "Definitions/swagger.yaml", OAS PATHS);
    fixture_build(f);
}

/* RFC 7617 2 */
static void the_value_is_basic(void **state)
{
    struct fixture f;

    (void)state;
    build_one(&f, "Aladdin", "open sesame");
    assert_true(slice_is(f.model->identities[0].authorization,
                         "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_int_equal(f.model->n_identities, 1);
    fixture_close(&f);
}

/* The contract's variables, here of "Pets:1.0.0". */
static void the_environment_comes_first(void **state)
{
    char hex[41], name[128];
    struct fixture f;

    (void)state;
    assert_int_equal(crypto_sha1_hex(SLICE("Pets:1.0.0"), hex), CC_OK);
    snprintf(name, sizeof(name), "api_%s_prod_basic_username", hex);
    assert_int_equal(setenv(name, "Aladdin", 1), 0);
    build_one(&f, "a", "open sesame");
    assert_true(slice_is(f.model->identities[0].authorization,
                         "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    fixture_close(&f);
    assert_int_equal(unsetenv(name), 0);
}

/* They need nothing to stand above. */
static void the_environment_is_enough(void **state)
{
    static const char *const keys[] = {"username", "password"}, *const values[] = {"Aladdin", "open sesame"};
    char hex[41], names[2][128], room[256];
    struct fixture f;

    (void)state;
    assert_int_equal(crypto_sha1_hex(SLICE("Pets:1.0.0"), hex), CC_OK);
    for (size_t i = 0; i < 2; i++) {
        snprintf(names[i], sizeof(names[i]), "api_%s_prod_basic_%s", hex, keys[i]);
        assert_int_equal(setenv(names[i], values[i], 1), 0);
    }
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", BOTH);
    fixture_file(&f, "Definitions/swagger.yaml", OAS PATHS EXTENSION("production", "{type: BASIC}"));
    fixture_build(&f);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "");
    assert_true(slice_is(f.model->identities[0].authorization,
                         "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    fixture_close(&f);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(unsetenv(names[i]), 0);
}

static void lengths_are_bounded(void **state)
{
    char text[514];
    struct fixture f;
    char room[256];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[512] = '\0';
    build_one(&f, text, text);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "");
    assert_int_equal(f.model->identities[0].authorization.n, 6 + (512 + 1 + 512 + 2) / 3 * 4);
    fixture_close(&f);
    text[512] = 'x';
    text[513] = '\0';
    build_one(&f, "a", text);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "error CC2401 " API(11, 37));
    fixture_close(&f);
}

/* No finding shows a password: not in its words, nor in the line that it quotes. */
static void findings_hide_passwords(void **state)
{
    static const char *const lines[] = {
        "{enabled: true, type: OAUTH, password: s3cret}",
        "{enabled: true, type: BASIC, username: \"a:b\", password: s3cret}",
        "{enabled: true, type: BASIC, 'password': \"s3cret\", usernam: a}",
        "{enabled: true, type: BASIC, username: a, Password: [s3cret]}",
        "{enabled: true, type: BASIC, username: a, password: \"s3cret}",
        "{enabled: true, type: BASIC, username: a, password: \"s3cret\\n\"}",
        "{enabled: true, type: BASIC, username: a, password: \"$env{s3cret}\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char api[1024], *text = NULL;
        size_t n = 0;
        struct fixture f;
        FILE *out = open_memstream(&text, &n);

        snprintf(api, sizeof(api), "%s    endpoint_security: {production: %s}\n", BOTH, lines[i]);
        fixture_open(&f);
        fixture_project(&f);
        fixture_file(&f, "api.yaml", api);
        fixture_file(&f, "Definitions/swagger.yaml", OAS PATHS);
        assert_int_not_equal(fixture_build(&f), CC_OK);
        diag_print(f.diag, out, false);
        fclose(out);
        if (strstr(text, "s3cret") != NULL && i != 6) /* there it is the name of a variable */
            fail_msg("%s", text);
        assert_non_null(strstr(text, "assword"));
        free(text);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations),
        cmocka_unit_test(the_value_is_basic),
        cmocka_unit_test(the_environment_comes_first),
        cmocka_unit_test(the_environment_is_enough),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(findings_hide_passwords),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
