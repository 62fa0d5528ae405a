/* cc.yaml's token services -> issuers; and --resolve, which also needs more than documents. */
#include "test_project_fixture.h"

#include "crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

static struct slice rs256[] = {SLICE_INIT("RS256"), SLICE_INIT("PS512")};
static struct slice es256[] = {SLICE_INIT("ES256")};
static struct slice unknown[] = {SLICE_INIT("RS265"), SLICE_INIT("HS256"), SLICE_INIT("none")};
static struct slice audiences[] = {SLICE_INIT("pets")};

/* A public key file in the fixture's directory; its path. */
static struct slice write_key(struct fixture *f, enum key_kind kind, const char *name)
{
    struct slice path = arena_printf(f->arena, "%s/%s", f->root, name);
    struct key *key = NULL;
    struct buf pem;

    buf_init(&pem, 8192);
    assert_int_equal(key_generate(&key, kind), CC_OK);
    assert_int_equal(key_write_public(key, &pem), CC_OK);
    assert_int_equal(file_write_atomic(path.p, slice_make(pem.p, pem.n), 0600), CC_OK);
    buf_free(&pem);
    key_free(&key);
    return path;
}

static void test_issuers(void **state)
{
    struct fixture f;
    struct config_token_service services[2] = {
        {.name = SLICE("rsa"),
         .issuer = SLICE("https://a"),
         .algorithms = rs256,
         .n_algorithms = 2,
         .audiences = audiences,
         .n_audiences = 1,
         .consumer_key_claim = SLICE("client"),
         .scope_claim = SLICE("scp")},
        {.name = SLICE("ec"), .issuer = SLICE("https://b"), .algorithms = es256, .n_algorithms = 1},
    };

    (void)state;
    fixture_open(&f);
    services[0].certificate_file_path = write_key(&f, KEY_RSA, "rsa.pem");
    services[1].certificate_file_path = write_key(&f, KEY_EC_P256, "ec.pem");
    f.config.security.token_service = services;
    f.config.security.n_token_service = 2;
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_issuers, 3); /* and the development issuer */
    assert_true(slice_is(f.model->issuers[0].name, "rsa"));
    assert_true(slice_is(f.model->issuers[0].issuer, "https://a"));
    assert_int_equal(f.model->issuers[0].algorithms, 1u << JWT_RS256 | 1u << JWT_PS512);
    assert_int_equal(f.model->issuers[0].n_audiences, 1);
    assert_true(slice_is(f.model->issuers[0].consumer_key_claim, "client"));
    assert_true(slice_is(f.model->issuers[0].scope_claim, "scp"));
    assert_true(slice_starts(f.model->issuers[0].pem, SLICE("-----BEGIN PUBLIC KEY-----")));
    assert_int_equal(f.model->issuers[1].algorithms, 1u << JWT_ES256);
    assert_true(slice_is(f.model->issuers[2].name, "test"));
    fixture_close(&f);
}

static void test_broken_issuers(void **state)
{
    struct fixture f;
    struct source yaml = {.name = "cc.yaml"};
    struct config_token_service services[] = {
        {.algorithms = rs256, .n_algorithms = 2}, /* 1: no file named */
        {.algorithms = rs256,
         .n_algorithms = 2,
         .certificate_file_path = SLICE("/nonexistent.pem")}, /* 2: no such file */
        {.algorithms = rs256, .n_algorithms = 2},             /* 3: no key in it */
        {.algorithms = rs256, .n_algorithms = 2},             /* 4: a key of another kind */
        {.algorithms = unknown, .n_algorithms = 3},           /* 5: three of them */
        {.algorithms = es256, .n_algorithms = 1},             /* 6: like 4 */
    };
    static struct slice access_token = SLICE_INIT("access_token");
    static const char *const issuers[] = {"a", "b", "c", "d", "e", "d"};
    struct slice junk;
    char got[1024];

    (void)state;
    fixture_open(&f);
    junk = arena_printf(f.arena, "%s/junk.pem", f.root);
    assert_int_equal(file_write_atomic(junk.p, SLICE("no key"), 0600), CC_OK);
    services[2].certificate_file_path = junk;
    services[3].certificate_file_path = write_key(&f, KEY_EC_P256, "ec.pem");
    services[4].certificate_file_path = services[3].certificate_file_path;
    services[5].certificate_file_path = services[3].certificate_file_path;
    for (unsigned i = 0; i < 6; i++) {
        services[i].name = services[i].issuer = slice_of(issuers[i]);
        services[i].signs = &access_token;
        services[i].n_signs = 1;
        services[i].origin = (struct place){&yaml, i + 1, 1};
    }
    f.config.security.token_service = services;
    f.config.security.n_token_service = 6;
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, got, sizeof(got)),
                        "error CC3021 cc.yaml:1:1\n"
                        "error CC1001 cc.yaml:2:1\n"
                        "error CC4001 cc.yaml:3:1\n"
                        "error CC4002 cc.yaml:4:1\n"
                        "error CC3003 cc.yaml:5:1\nerror CC3003 cc.yaml:5:1\n"
                        "error CC3003 cc.yaml:5:1\n"
                        "error CC3005 cc.yaml:6:1\n");
    fixture_close(&f);
}

/* Where the keys come from: a file, an alias, a key set; and claims that are renamed. */
static void test_sources(void **state)
{
    static struct slice mapping[] = {SLICE_INIT("groups=roles"), SLICE_INIT("mail=email")};
    struct fixture f;
    struct config_token_service services[] = {
        {.name = SLICE("set"),
         .issuer = SLICE("https://a"),
         .algorithms = rs256,
         .n_algorithms = 2,
         .jwks_url = SLICE("https://a.example/jwks?tenant=1"),
         .claim_mapping = mapping,
         .n_claim_mapping = 2,
         .validate_subscription = true},
        {.name = SLICE("alias"),
         .issuer = SLICE("https://b"),
         .algorithms = es256,
         .n_algorithms = 1,
         .certificate_alias = SLICE("idp_1.x")},
    };

    (void)state;
    fixture_open(&f);
    write_key(&f, KEY_EC_P256, "idp_1.x.crt");
    f.config.truststore = slice_of(f.root);
    f.config.security.token_service = services;
    f.config.security.n_token_service = 2;
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_true(slice_is(f.model->issuers[0].jwks_url, "https://a.example/jwks?tenant=1"));
    assert_int_equal(f.model->issuers[0].pem.n, 0);
    assert_int_equal(f.model->issuers[0].n_claim_mappings, 2);
    assert_true(slice_is(f.model->issuers[0].claim_mappings[1].remote, "mail"));
    assert_true(slice_is(f.model->issuers[0].claim_mappings[1].local, "email"));
    assert_true(f.model->issuers[0].validate_subscription);
    assert_int_equal(f.model->issuers[1].jwks_url.n, 0);
    assert_true(slice_starts(f.model->issuers[1].pem, SLICE("-----BEGIN PUBLIC KEY-----")));
    assert_false(f.model->issuers[1].validate_subscription);
    fixture_close(&f);
}

static void test_contradictions(void **state)
{
    static struct slice judged[] = {SLICE_INIT("expires=exp"), SLICE_INIT("a=b")};
    static struct slice twice[] = {SLICE_INIT("a=b"), SLICE_INIT("a=c"), SLICE_INIT("d=c")};
    static const struct {
        struct config_token_service t;
        bool store;
        const char *findings;
    } cases[] = {
        {{.jwks_url = SLICE_INIT("https://a/"), .certificate_file_path = SLICE_INIT("/c")},
         true,
         "error CC3020 cc.yaml:1:1\n"},
        {{.jwks_url = SLICE_INIT("https://a/"), .certificate_alias = SLICE_INIT("c")},
         true,
         "error CC3020 cc.yaml:1:1\n"},
        {{.certificate_file_path = SLICE_INIT("/c"), .certificate_alias = SLICE_INIT("c")},
         true,
         "error CC3020 cc.yaml:1:1\n"},
        {{.jwks_url = SLICE_INIT("http://a.example/jwks")}, true, "error CC3022 cc.yaml:1:1\n"},
        {{.certificate_alias = SLICE_INIT("both")}, false, "error CC3023 cc.yaml:1:1\n"},
        {{.certificate_alias = SLICE_INIT("both")}, true, "error CC3023 cc.yaml:1:1\n"},
        {{.certificate_alias = SLICE_INIT("none")}, true, "error CC3023 cc.yaml:1:1\n"},
        {{.certificate_alias = SLICE_INIT("../both")}, true, "error CC3023 cc.yaml:1:1\n"},
        {{.jwks_url = SLICE_INIT("https://a/"), .claim_mapping = judged, .n_claim_mapping = 2},
         true,
         "error CC3024 cc.yaml:1:1\n"},
        {{.jwks_url = SLICE_INIT("https://a/"), .claim_mapping = twice, .n_claim_mapping = 3},
         true,
         "error CC3024 cc.yaml:1:1\nerror CC3024 cc.yaml:1:1\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source yaml = {.name = "cc.yaml"};
        struct config_token_service t = cases[i].t;
        struct fixture f;
        char got[256];

        fixture_open(&f);
        write_key(&f, KEY_RSA, "both.pem");
        write_key(&f, KEY_RSA, "both.cer");
        t.name = t.issuer = SLICE("a");
        t.algorithms = rs256;
        t.n_algorithms = 2;
        t.origin = (struct place){&yaml, 1, 1};
        f.config.truststore = cases[i].store ? slice_of(f.root) : SLICE("");
        f.config.security.token_service = &t;
        f.config.security.n_token_service = 1;
        assert_int_equal(fixture_build(&f), CC_EREFUSED);
        assert_string_equal(fixture_findings(&f, got, sizeof(got)), cases[i].findings);
        fixture_close(&f);
    }
}

static void test_no_issuer(void **state)
{
    struct fixture f;
    char got[256];

    (void)state;
    fixture_open(&f);
    f.options.n_development_issuers = 0;
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_issuers, 0);
    assert_string_equal(fixture_findings(&f, got, sizeof(got)), "warning CC3006 :0:0\n");
    fixture_close(&f);
}

/* Two services with introspection, as a case wants them: what is found, and the second's header. */
static void introspect(struct fixture *f, const struct config_token_service *first,
                       const struct config_token_service *second, const char *expected)
{
    struct config_token_service services[2] = {*first, *second};
    size_t n = second->name.n > 0 ? 2 : 1;
    char got[512];

    for (size_t i = 0; i < n; i++) {
        services[i].algorithms = rs256;
        services[i].n_algorithms = 2;
    }
    services[0].issuer = SLICE("https://a");
    services[1].issuer = SLICE("https://b");
    fixture_open(f);
    f->options.n_development_issuers = 0;
    f->config.agent.processing_timeout_ms = 1000;
    f->config.security.token_service = services;
    f->config.security.n_token_service = n;
    fixture_build(f);
    assert_string_equal(fixture_findings(f, got, sizeof(got)), expected);
}

#define SERVICE(...)                                         \
    &(struct config_token_service)                           \
    {                                                        \
        .name = SLICE("x"), .introspection = { __VA_ARGS__ } \
    }
#define URL .url = SLICE("https://a/introspect")

static void test_introspection(void **state)
{
    static const struct config_token_service none = {.name = SLICE_INIT("")};
    const struct config_token_service *const bad[] = {
        SERVICE(.url = SLICE("http://a/introspect")),
        SERVICE(.url = SLICE("https://a/i#f")),
        SERVICE(URL, .client_id = SLICE("a")),
        SERVICE(URL, .client_secret_variable = SLICE("CC_TEST_SECRET")),
        SERVICE(URL, .client_id = SLICE("a"), .client_secret_variable = SLICE("CC_TEST_SECRET"),
                .client_secret_file = SLICE("/etc/hostname")),
    };
    const struct config_token_service *const unreadable[] = {
        SERVICE(URL, .client_id = SLICE("a"), .client_secret_variable = SLICE("CC_TEST_UNSET")),
        SERVICE(URL, .client_id = SLICE("a"), .client_secret_variable = SLICE("CC_TEST_EMPTY")),
        SERVICE(URL, .client_id = SLICE("a"), .client_secret_file = SLICE("/nonexistent")),
    };
    const struct config_token_service *good = SERVICE(
        URL, .client_id = SLICE("the gw"), .client_secret_variable = SLICE("CC_TEST_SECRET"));
    struct fixture f;

    (void)state;
    setenv("CC_TEST_SECRET", "a:b/\xc3\xa9", 1);
    setenv("CC_TEST_EMPTY", "", 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        introspect(&f, bad[i], &none, "error CC3050 :0:0\n");
        fixture_close(&f);
    }
    for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
        introspect(&f, unreadable[i], &none, "error CC3052 :0:0\n");
        fixture_close(&f);
    }
    introspect(&f, SERVICE(URL), good, "error CC3051 :0:0\n");
    fixture_close(&f);
    introspect(&f, good, &none, "");
    assert_int_equal(f.model->issuers[0].pem.n, 0);
    assert_true(slice_is(f.model->issuers[0].introspection_url, "https://a/introspect"));
    /* "the+gw:a%3Ab%2F%C3%A9" */
    assert_true(slice_is(f.model->issuers[0].introspection_authorization,
                         "Basic dGhlK2d3OmElM0FiJTJGJUMzJUE5"));
    fixture_close(&f);
}

static void test_filters(void **state)
{
    static struct slice good[] = {SLICE_INIT("X-User"), SLICE_INIT("x_level")};
    static struct slice bad[] = {SLICE_INIT("Host"), SLICE_INIT("x-cc-a"), SLICE_INIT("a b"),
                                 SLICE_INIT("content-length")};
    static struct slice odd[] = {SLICE_INIT("a'b"), SLICE_INIT("authorization")};
    struct config_filter filters[3] = {
        {.name = SLICE("late"), .position = 3, .set_headers = good, .n_set_headers = 2},
        {.name = SLICE("early"), .position = 1, .request_headers = good, .n_request_headers = 1},
        {.name = SLICE("late"), .position = 2},
    };
    struct config_token_service service = {.name = SLICE("x"),
                                           .issuer = SLICE("https://a"),
                                           .jwks_url = SLICE("https://a/jwks"),
                                           .algorithms = rs256,
                                           .n_algorithms = 1,
                                           .claim_transformer = SLICE("nobody")};
    struct fixture f;
    char got[512];

    (void)state;
    fixture_open(&f);
    f.config.filters = filters;
    f.config.n_filters = 2;
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_filters, 2);
    assert_true(slice_is(f.model->filters[0].name, "early"));
    assert_true(slice_is(f.model->filters[1].set_headers[0], "x-user"));
    assert_int_equal(f.model->n_headers, 1); /* HAProxy sends what it looks at */
    assert_true(slice_is(f.model->headers[0], "x-user"));
    fixture_close(&f);

    fixture_open(&f);
    f.config.filters = filters;
    f.config.n_filters = 3; /* one name twice */
    filters[0].set_headers = bad;
    filters[0].n_set_headers = 4;
    filters[1].request_headers = odd; /* what it may see, it may not always change */
    filters[1].n_request_headers = 2;
    filters[1].remove_headers = &odd[1];
    filters[1].n_remove_headers = 1;
    f.config.security.token_service = &service;
    f.config.security.n_token_service = 1;
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, got, sizeof(got)),
                        "error CC3060 :0:0\nerror CC3060 :0:0\nerror CC3060 :0:0\n"
                        "error CC3060 :0:0\nerror CC3060 :0:0\nerror CC3060 :0:0\n"
                        "error CC3060 :0:0\nerror CC3060 :0:0\n");
    fixture_close(&f);
}

static void test_resolve(void **state)
{
    struct fixture f;
    char got[256];

    (void)state;
    fixture_open(&f);
    f.options.resolve = true;
    fixture_project(&f);
    fixture_file(&f, "api.yaml",
                 "type: api\ndata: {name: A, version: 1, context: /a, type: HTTP}\n");
    /* RFC 6761 6.4: .invalid never resolves; asked once, although it is named twice */
    fixture_file(
        &f, "Definitions/swagger.yaml",
        "openapi: 3.0.3\nx-wso2-production-endpoints:\n"
        "  urls: [\"http://127.0.0.1\", \"http://pets.invalid\",\n"
        "    \"http://pets.invalid:81\"]\n"
        "paths: {/a: {get: {}, x-wso2-production-endpoints: {urls: [\"http://[::1]\"]}}}\n");
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, got, sizeof(got)),
                        "error CC2008 0/Definitions/swagger.yaml:3:30\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_issuers),   cmocka_unit_test(test_broken_issuers),
        cmocka_unit_test(test_sources),   cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_no_issuer), cmocka_unit_test(test_introspection),
        cmocka_unit_test(test_filters),   cmocka_unit_test(test_resolve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
