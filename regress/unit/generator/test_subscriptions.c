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

static const char tiers[] =
    "applications: [{uuid: a, id: 1, name: Shop, policy: Gld}, {uuid: b, id: 2, name: B, policy: "
    "Gld},\n  {uuid: c, id: 3, name: C, policy: Gold}, {uuid: d, id: 4, name: D}]\n"
    "applicationPolicies: [{name: Gld}, {name: Gold}]\n"
    "subscriptionPolicies: [{name: Gold}, {name: Known}]\n"
    "subscriptions:\n  - {applicationUUID: a, apiUUID: pets, policyId: Gold}\n"
    "  - {applicationUUID: b, apiUUID: pets, policyId: Known}\n"
    "  - {applicationUUID: c, apiUUID: pets}\n";

/* By level; each name once; as errors where the agent refuses their requests. */
static void test_tiers(void **state)
{
    static const struct gw_policy policies[] = {
        {.level = GW_LEVEL_SUBSCRIPTION, .name = SLICE_INIT("Known")},
        {.level = GW_LEVEL_APPLICATION, .name = SLICE_INIT("Gold")},
    };

    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        static const size_t errors[] = {2, 0, 0}, warnings[] = {0, 2, 0};
        struct arena *arena = arena_new(1 << 24);
        struct diag *diag = diag_new();
        const struct gw_api api = {.id = SLICE("pets")};
        const struct gw_issuer issuer = {.name = SLICE("login"), .validate_subscription = true};
        struct gw_model model = {.apis = &api, .n_apis = 1, .issuers = &issuer, .n_issuers = 1};
        struct config *config = NULL;
        struct subs *store = NULL;
        struct diag_view v;

        model.policies = policies;
        model.n_policies = 2;
        model.throttling.enabled = mode < 2;
        model.throttling.allow_unknown = mode == 1;
        assert_int_equal(config_load(&config, NULL, NULL, NULL, 0, arena, diag), CC_OK);
        assert_int_equal(subs_read_text(&store, slice_of(tiers), "f", arena, diag), CC_OK);
        assert_int_equal(subscriptions_check(store, config, &model, arena, diag), CC_OK);
        subs_unref(&store);
        assert_int_equal(diag_errors(diag), errors[mode]);
        assert_int_equal(diag_warnings(diag), warnings[mode]);
        if (mode == 0) {
            assert_true(diag_get(diag, 0, &v));
            assert_int_equal(v.code, CC3208);
            assert_true(slice_is(v.message, "no application policy has the name 'Gld'"));
            assert_true(slice_is(v.help, "did you mean Gold?"));
            assert_int_equal(v.place.line, 1);
            assert_true(diag_get(diag, 1, &v));
            assert_true(slice_is(v.message, "no subscription policy has the name 'Gold'"));
            assert_int_equal(v.place.line, 6);
        }
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
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
