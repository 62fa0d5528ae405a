/* router.cors: lists of text outside of lists of structs, and where the policy is said to be from.
 */
#include "config_fixture.h"

static void test_defaults(void **state)
{
    struct config_fixture *f = *state;

    load_ok(f, NULL, NULL);
    assert_true(f->config->router.cors.enabled);
    assert_false(f->config->router.cors.allow_credentials);
    assert_int_equal(f->config->router.cors.n_allow_origins, 1);
    assert_text(f->config->router.cors.allow_origins[0], "*");
    assert_value(f->config, "router.cors.allowOrigins", "[\"*\"]");
    assert_int_equal(f->config->router.cors.n_allow_methods, 6);
    assert_text(f->config->router.cors.allow_methods[5], "OPTIONS");
    assert_int_equal(f->config->router.cors.n_allow_headers, 7);
    assert_text(f->config->router.cors.allow_headers[6], "Internal-Key");
    assert_int_equal(f->config->router.cors.n_expose_headers, 0);
    assert_null(f->config->router.cors.place.source);
}

static void test_file_replaces_lists(void **state)
{
    struct config_fixture *f = *state;

    load_ok(f,
            "router:\n  cors:\n    allowOrigins:\n      - https://a.example\n"
            "      - \"https://*.b.example\"\n    allowMethods: []\n    allowCredentials: true\n",
            NULL);
    assert_int_equal(f->config->router.cors.n_allow_origins, 2);
    assert_text(f->config->router.cors.allow_origins[1], "https://*.b.example");
    assert_int_equal(f->config->router.cors.n_allow_methods, 0);
    assert_int_equal(f->config->router.cors.n_allow_headers, 7);
    assert_true(f->config->router.cors.allow_credentials);
    assert_int_equal(f->config->router.cors.place.line, 4);
    load_ok(f, "router: {cors: {enabled: false}}\n", NULL);
    assert_false(f->config->router.cors.enabled);
    assert_int_equal(f->config->router.cors.place.line, 1);
}

static void test_environment(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {
        "CC_ROUTER_CORS_ALLOWORIGINS=https://a.example, https://b.example",
        "CC_ROUTER_CORS_EXPOSEHEADERS=x-a", "CC_ROUTER_CORS_ALLOWHEADERS=", NULL};

    load_ok(f, "router: {cors: {allowOrigins: [https://c.example]}}\n", environment);
    assert_int_equal(f->config->router.cors.n_allow_origins, 2);
    assert_text(f->config->router.cors.allow_origins[1], "https://b.example");
    assert_int_equal(f->config->router.cors.n_expose_headers, 1);
    assert_int_equal(f->config->router.cors.n_allow_headers, 0);
    assert_string_equal(f->config->router.cors.place.source->name, "CC_ROUTER_CORS_ALLOWORIGINS");
}

static void test_findings(void **state)
{
    struct config_fixture *f = *state;

    assert_int_equal(load(f,
                          "router:\n  cors:\n    allowOrigins: \"*\"\n    allowMethods: [\"\"]\n"
                          "    exposeHeaders: [[x]]\n    maxAge: 7\n    allowOrigin: [x]\n",
                          NULL),
                     CC_EINVAL);
    assert_finding(f->diag, 0, CC3002, 3, "router.cors.allowOrigins", "");
    assert_finding(f->diag, 1, CC3003, 4, "router.cors.allowMethods", "");
    assert_finding(f->diag, 2, CC3002, 5, "router.cors.exposeHeaders", "");
    assert_finding(f->diag, 3, CC3001, 6, "router.cors.maxAge", "");
    assert_finding(f->diag, 4, CC3001, 7, "router.cors.allowOrigin", "router.cors.allowOrigins");
}

#define T(name) cmocka_unit_test_setup_teardown(name, config_fixture_setup, config_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_defaults),
        T(test_file_replaces_lists),
        T(test_environment),
        T(test_findings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
