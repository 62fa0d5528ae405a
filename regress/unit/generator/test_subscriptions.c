/* What cc-gen check says of subscription files that read well and have no effect. */
#include "generator/subscriptions.h"
#include "subs/subs_read.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FILES                                                           \
    "applications: [{uuid: a, id: 1, name: Shop}]\n"                    \
    "applicationKeyMappings:\n"                                         \
    "  - {consumerKey: k, keyManager: login, applicationUUID: a}\n"     \
    "  - {consumerKey: k, keyManager: elsewhere, applicationUUID: a}\n" \
    "  - {consumerKey: l, keyManager: elsewhere, applicationUUID: a}\n" \
    "subscriptions:\n"                                                  \
    "  - {applicationUUID: a, apiUUID: pets}\n"                         \
    "  - {applicationUUID: a, apiUUID: gone}\n"                         \
    "apis: [{uuid: pets}, {uuid: lost, status: BLOCKED}]\n"

static const struct {
    const char *files; /* NULL: none */
    bool validates;
    const char *findings;
} cases[] = {
    {NULL, false, ""},
    {NULL, true,
     "warning CC3079 -:0:0 of issuer 'login' only tokens with subscribedAPIs are let in\n"},
    {"", true, ""},
    {"", false, "warning CC3078 -:0:0 no token service validates subscriptions\n"},
    {FILES, true,
     "warning CC3076 f:8:5 no project has the API 'gone'\n"
     "warning CC3076 f:9:22 no project has the API 'lost'\n"
     "warning CC3077 f:4:5 no token service has the name 'elsewhere'\n"},
};

static void test_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(1 << 24);
        struct diag *diag = diag_new();
        const struct gw_api api = {.id = SLICE("pets")};
        const struct gw_issuer issuer = {.name = SLICE("login"),
                                         .validate_subscription = cases[i].validates};
        const struct gw_model model = {
            .apis = &api, .n_apis = 1, .issuers = &issuer, .n_issuers = 1};
        struct config *config = NULL;
        struct subs *store = NULL;
        struct diag_view v;
        struct buf found;

        assert_int_equal(config_load(&config, NULL, NULL, NULL, 0, arena, diag), CC_OK);
        if (cases[i].files != NULL)
            assert_int_equal(subs_read_text(&store, slice_of(cases[i].files), "f", arena, diag),
                             CC_OK);
        assert_int_equal(subscriptions_check(store, config, &model, arena, diag), CC_OK);
        subs_unref(&store); /* findings outlive it */
        buf_init(&found, 65536);
        for (size_t k = 0; diag_get(diag, k, &v); k++)
            buf_printf(&found, "%s %s %s:%u:%u %.*s\n", diag_severity_name(v.severity),
                       diag_code_name(v.code), v.place.source != NULL ? v.place.source->name : "-",
                       v.place.line, v.place.col, SLICE_ARG(v.message));
        assert_string_equal(found.p != NULL ? found.p : "", cases[i].findings);
        buf_free(&found);
        diag_free(&diag);
        arena_free(&arena);
    }
}

/* Neither the option nor the setting: there is no store, and that is no fault. */
static void test_none(void **state)
{
    struct arena *arena = arena_new(1 << 24);
    struct diag *diag = diag_new();
    struct config *config = NULL;
    struct subs *store = NULL;

    (void)state;
    assert_int_equal(config_load(&config, NULL, NULL, NULL, 0, arena, diag), CC_OK);
    assert_int_equal(subscriptions_read(&store, NULL, config, arena, diag), CC_OK);
    assert_null(store);
    assert_int_equal(subscriptions_read(&store, "/nonexistent/subs", config, arena, diag),
                     CC_EINVAL);
    assert_null(store);
    assert_int_equal(diag_errors(diag), 1);
    diag_free(&diag);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
