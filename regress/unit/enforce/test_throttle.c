/* Limits: which of them a request has, in which order, and what it is told. */
#include "throttle_fixture.h"

#include "alloc_count.h"

/* --- levels -------------------------------------------------------------------------------------
 */

static void test_each_level(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "2"), "A");
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900800");
    assert_true(slice_is(w.d.body,
                         "{\"error_message\":\"Message throttled out\",\"code\":\"900800\","
                         "\"error_description\":\"You have exceeded your quota\"}"));
    /* it is for all clients of the API, and for all its operations */
    assert_string_equal(ASK(.user = "bob", .path = "/pets/1.0/open", .nobody = true), "429 900800");
    close_world(&w);

    open_world(&w, NOTHING LEVEL("advancedPolicies", "OpTier", "2"), "");
    expect_limit(&w, (struct question){.path = "/t/acme/box/far", .ed = true}, 2, "429 900802");
    close_world(&w);

    open_world(
        &w, NO_APP "subscriptionPolicies: [{name: SubTier, requestCount: 2, timeUnit: day}]\n", "");
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900804");
    /* whoever the user is */
    assert_string_equal(ASK(.user = "bob"), "429 900804");
    close_world(&w);

    open_world(&w, NO_SUB LEVEL("applicationPolicies", "AppTier", "2"), "");
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900803");
    /* for each user */
    assert_string_equal(ASK(.user = "bob"), "200");
    assert_string_equal(ASK(.key = "slow"), "200");
    close_world(&w);

    open_world(&w,
               NOTHING "customPolicies: [{name: c, keyTemplate: \"$userId\", requestCount: 2,"
                       " timeUnit: day}]\n",
               "");
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900806");
    assert_string_equal(ASK(.user = "bob"), "200");
    close_world(&w);
}

/* A limit of each level, with its members in place of @. */
static const struct {
    const char *policies, *tier;
    struct question q;
    const char *refused;
} levels[] = {
    {NOTHING "advancedPolicies: [{name: A, @}]\n", "A", {.user = NULL}, "429 900800"},
    {NOTHING "advancedPolicies:\n  - name: A\n    unlimited: true\n    conditionGroups:\n"
             "      - {conditions: [{query: q}], @}\n",
     "A",
     {.query = "q"},
     "429 900800"},
    {NOTHING "advancedPolicies: [{name: OpTier, @}]\n",
     "",
     {.path = "/t/acme/box/far", .ed = true},
     "429 900802"},
    {NO_APP "subscriptionPolicies: [{name: SubTier, @}]\n", "", {.user = NULL}, "429 900804"},
    {NO_APP "subscriptionPolicies: [{name: Nobody, @}]\n",
     "",
     {.path = "/pets/1.0/open", .nobody = true},
     "429 900804"},
    {NO_SUB "applicationPolicies: [{name: AppTier, @}]\n", "", {.user = NULL}, "429 900803"},
    {NOTHING "customPolicies: [{name: c, keyTemplate: \"$userId\", @}]\n",
     "",
     {.user = NULL},
     "429 900806"},
};
enum { CONDITION_GROUP = 1 }; /* it has no modes of its own */

static void open_level(struct world *w, size_t i, const char *members)
{
    const char *at = strchr(levels[i].policies, '@');
    char policies[1024];

    snprintf(policies, sizeof(policies), "%.*s%s%s", (int)(at - levels[i].policies),
             levels[i].policies, members, at + 1);
    open_world(w, policies, levels[i].tier);
}

/* Spike arrest, bytes, and limits that do not refuse: at each level. */
static void test_kinds_at_each_level(void **state)
{
    static const char *const lenient[] = {
        "requestCount: 1, timeUnit: day, stopOnQuotaReach: false",
        "requestCount: 1, timeUnit: day, shadow: true",
        "requestCount: 9, timeUnit: day, burst: {requestCount: 1, timeUnit: hour}, shadow: true",
    };
    struct world w;

    (void)state;
    for (size_t i = 0; i < N(levels); i++) {
        struct question q = levels[i].q;

        open_level(&w, i,
                   "requestCount: 4, timeUnit: hour, burst: {requestCount: 2, timeUnit: minute}");
        expect_limit(&w, q, 2, levels[i].refused);
        assert_true(slice_contains(w.d.reason, SLICE("(burst)")));
        w.clock.now_mono_us += 59999999;
        assert_string_equal(ask(&w, q), levels[i].refused);
        w.clock.now_mono_us += 1;
        expect_limit(&w, q, 2, levels[i].refused);
        w.clock.now_mono_us += 60000000;
        assert_string_equal(ask(&w, q), levels[i].refused);
        assert_false(slice_contains(w.d.reason, SLICE("(burst)")));
        close_world(&w);

        open_level(&w, i, "bandwidth: 1KB, timeUnit: day");
        q.length = "1000";
        assert_string_equal(ask(&w, q), "200");
        q.length = "25";
        assert_string_equal(ask(&w, q), levels[i].refused);
        q.length = "24";
        assert_string_equal(ask(&w, q), "200");
        close_world(&w);

        q = levels[i].q;
        for (size_t k = 0; i != CONDITION_GROUP && k < N(lenient); k++) {
            open_level(&w, i, lenient[k]);
            assert_string_equal(ask(&w, q), "200");
            assert_int_equal(w.d.limits.over.n, 0);
            assert_string_equal(ask(&w, q), "200");
            assert_true(w.d.limits.over.n > 0);
            close_world(&w);
        }
    }
}

/* The tier of an API is in place of those of its operations. */
static void test_api_or_operation(void **state)
{
    static const char policies[] =
        NOTHING "advancedPolicies: [{name: A, requestCount: 3, timeUnit: day},"
                " {name: OpTier, requestCount: 1, timeUnit: day}]\n"
                "customPolicies: [{name: c, keyTemplate: \"$resourceKey\", requestCount: 9,"
                " timeUnit: day}]\n";
    struct question far = {.path = "/t/acme/box/far", .ed = true};
    struct world w;

    (void)state;
    open_world(&w, policies, "");
    expect_limit(&w, far, 1, "429 900802");
    w.apis[2].tier = SLICE("A");
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    expect_limit(&w, far, 3, "429 900800");
    /* and so it is for the key that custom policies see */
    assert_int_equal(used_of(&w, "custom:c:/t/acme/box/1/far:GET"), 1);
    assert_int_equal(used_of(&w, "custom:c:/t/acme/box:1"), 3);
    close_world(&w);
}

/* Deny rules, API, subscription, application, custom: the first that refuses is what is told, and
 * none of the others is used by it. */
static void test_order(void **state)
{
    static const char policies[] =
        "advancedPolicies: [{name: A, requestCount: 1, timeUnit: hour}]\n"
        "subscriptionPolicies: [{name: SubTier, requestCount: 2, timeUnit: hour}]\n"
        "applicationPolicies: [{name: AppTier, requestCount: 3, timeUnit: hour}]\n"
        "customPolicies: [{name: c, keyTemplate: \"$userId\", requestCount: 4, timeUnit: hour}]\n"
        "denyRules: [{ip: 192.0.2.9}]\n";
    struct world w;

    (void)state;
    open_world(&w, policies, "A");
    assert_string_equal(ASK(.ip = "192.0.2.9"), "403 900805");
    assert_true(slice_is(w.d.body, "{\"error_message\":\"Message blocked\",\"code\":\"900805\","
                                   "\"error_description\":\"You have been blocked from accessing "
                                   "the resource\"}"));
    assert_int_equal(w.d.limits.retry_after.n, 0);
    assert_string_equal(ASK(.ip = "192.0.2.8"), "200");
    for (int i = 0; i < 5; i++)
        assert_string_equal(ASK(.ip = "192.0.2.8"), "429 900800");
    assert_string_equal(ASK(.ip = "192.0.2.9"), "403 900805");
    /* what was refused used nothing: each has counted the one that passed */
    assert_int_equal(used_of(&w, "subscription:SubTier:2:/pets/1.0:1.0"), 1);
    assert_int_equal(used_of(&w, "application:AppTier:2:alice@carbon.super"), 1);
    /* one after the other, the next level is what refuses */
    counter_clear(w.counters, SLICE("advanced:A:/pets/1.0:1.0_default"));
    assert_string_equal(ASK(.ip = "192.0.2.8"), "200");
    counter_clear(w.counters, SLICE("advanced:A:/pets/1.0:1.0_default"));
    assert_string_equal(ASK(.ip = "192.0.2.8"), "429 900804");
    counter_clear(w.counters, SLICE("subscription:SubTier:2:/pets/1.0:1.0"));
    assert_string_equal(ASK(.ip = "192.0.2.8"), "200");
    counter_clear(w.counters, SLICE("advanced:A:/pets/1.0:1.0_default"));
    counter_clear(w.counters, SLICE("subscription:SubTier:2:/pets/1.0:1.0"));
    assert_string_equal(ASK(.ip = "192.0.2.8"), "429 900803");
    counter_clear(w.counters, SLICE("application:AppTier:2:alice@carbon.super"));
    assert_string_equal(ASK(.ip = "192.0.2.8"), "200");
    counter_clear(w.counters, SLICE("advanced:A:/pets/1.0:1.0_default"));
    assert_string_equal(ASK(.ip = "192.0.2.8"), "429 900806");
    close_world(&w);
}

static void test_refused_for_other_reasons(void **state)
{
    struct counter_row row;
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "2"), "A");
    assert_string_equal(ASK(.claims = "\"nbf\":1800000000"), "401 900901");
    assert_string_equal(ASK(.path = "/pets/1.0/asked"), "500 103500");
    assert_string_equal(ASK(.path = "/pets/1.0/none"), "404 404");
    assert_false(counter_find(w.counters, SLICE("advanced:A:/pets/1.0:1.0_default"),
                              counter_now(&w.clock.clock), &row));
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900800");
    close_world(&w);
}

static void test_without_credentials(void **state)
{
    struct world w;

    (void)state;
    open_world(
        &w, NO_APP "subscriptionPolicies: [{name: Nobody, requestCount: 2, timeUnit: day}]\n", "");
    expect_limit(&w, (struct question){.path = "/pets/1.0/open", .nobody = true}, 2, "429 900804");
    close_world(&w);
}

/* Nobody has to say who he is there, and nobody's limits are used when he does. */
static void test_open_with_a_token(void **state)
{
    struct world w;

    (void)state;
    open_world(&w,
               "applicationPolicies: [{name: AppTier, requestCount: 1, timeUnit: day}]\n"
               "subscriptionPolicies: [{name: SubTier, requestCount: 1, timeUnit: day},"
               " {name: Nobody, requestCount: 3, timeUnit: day}]\n"
               "denyRules: [{user: alice}]\n",
               "");
    expect_limit(&w, (struct question){.path = "/pets/1.0/open"}, 3, "429 900804");
    assert_string_equal(ASK(.user = NULL), "403 900805");
    assert_string_equal(ASK(.user = "bob"), "200");
    close_world(&w);
}

/* "/t/TENANT/": behind it is something, or it is no tenant. */
static void test_tenants(void **state)
{
    static const char *const paths[][2] = {{"/t/acme/box", "acme"},
                                           {"/t/acme", "carbon.super"},
                                           {"/tt/acme/box", "carbon.super"},
                                           {"/x/t/acme/box", "carbon.super"}};

    (void)state;
    for (size_t i = 0; i < N(paths); i++) {
        char path[64], key[64];
        struct world w;

        open_world(&w,
                   NOTHING "advancedPolicies: [{name: OpTier, unlimited: true}]\n"
                           "customPolicies: [{name: c, keyTemplate: $apiTenant, requestCount: 1,"
                           " timeUnit: day}]\n",
                   "");
        w.apis[2].base_path = slice_of(paths[i][0]);
        enforce_rules_unref(&w.rules);
        w.rules = fixture_rules(&w.f);
        snprintf(path, sizeof(path), "%s/far", paths[i][0]);
        snprintf(key, sizeof(key), "custom:c:%s", paths[i][1]);
        ASK(.path = path, .ed = true);
        used_of(&w, key);
        close_world(&w);
    }
}

static void test_that_only_logs(void **state)
{
    struct world w;

    (void)state;
    open_world(&w,
               NO_SUB "applicationPolicies: [{name: AppTier, requestCount: 1, timeUnit: day,"
                      " stopOnQuotaReach: false}]\n"
                      "customPolicies: [{name: c, keyTemplate: \"$userId\", requestCount: 2,"
                      " timeUnit: day, shadow: true}]\n",
               "");
    assert_string_equal(ASK(.user = NULL), "200");
    assert_int_equal(w.d.limits.over.n, 0);
    assert_string_equal(ASK(.user = NULL), "200");
    assert_true(slice_is(w.d.limits.over, "application AppTier"));
    assert_string_equal(ASK(.user = NULL), "200");
    assert_true(slice_is(w.d.limits.over, "application AppTier, custom c"));
    close_world(&w);

    /* a subscription whose own policy says so */
    open_world(&w,
               NO_APP "subscriptionPolicies: [{name: Bills, requestCount: 1, timeUnit: day},"
                      " {name: SubTier, unlimited: true}]\n",
               "");
    assert_string_equal(ASK(.key = "slow"), "200");
    assert_string_equal(ASK(.key = "slow"), "200");
    assert_true(slice_is(w.d.limits.over, "subscription Bills"));
    close_world(&w);
}

static void test_unknown_tier(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, NOTHING, "");
    assert_string_equal(ASK(.path = "/t/acme/box/far"), "503 102500"); /* of the operation */
    w.operation.tier = SLICE("");
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.path = "/t/acme/box/far"), "503 102500");
    assert_true(slice_contains(w.d.reason, SLICE("subscription tier 'Nowhere': no policy")));
    w.f.model.throttling.allow_unknown = true;
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.path = "/t/acme/box/far"), "200");
    close_world(&w);
}

static void test_off_and_without_counters(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "1"), "A");
    enforce_worker_count_in(w.worker, NULL);
    assert_string_equal(ASK(.user = NULL), "503 102500");
    assert_string_equal(ask_traced(&w, (struct question){.user = NULL}, &w.trace), "200");
    w.f.model.throttling.enabled = false;
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.user = NULL), "200");
    close_world(&w);
}

static void test_windows(void **state)
{
    struct world w;

    (void)state;
    open_world(&w,
               NOTHING "advancedPolicies: [{name: A, requestCount: 5, timeUnit: minute, burst:"
                       " {requestCount: 2, timeUnit: second}}]\n",
               "A");
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900800");
    assert_true(slice_contains(w.d.reason, SLICE("(burst)")));
    assert_true(slice_is(w.d.limits.retry_after, "Tue, 14 Nov 2023 22:13:21 GMT"));
    /* what is told is what refuses, not the quota of which three are left */
    assert_true(slice_is(w.d.limits.policy, "\"A (burst)\";q=2;w=1"));
    assert_true(slice_is(w.d.limits.state, "\"A (burst)\";r=0;t=1"));
    assert_true(slice_is(w.d.limits.limit, "2") && slice_is(w.d.limits.remaining, "0"));
    assert_true(slice_is(w.d.limits.reset, "1"));
    w.clock.now_mono_us += 1000000;
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900800");
    w.clock.now_mono_us += 1000000;
    assert_string_equal(ASK(.user = NULL), "200");
    assert_true(slice_is(w.d.limits.policy, "\"A\";q=5;w=60"));
    assert_string_equal(ASK(.user = NULL), "429 900800");
    assert_true(slice_is(w.d.limits.policy, "\"A\";q=5;w=60"));
    assert_false(slice_contains(w.d.reason, SLICE("(burst)")));
    w.clock.now_mono_us += 58000000;
    assert_string_equal(ASK(.user = NULL), "200");
    close_world(&w);
}

/* --- custom policies ----------------------------------------------------------------------------
 */

static const struct {
    const char *template;
    struct question q;
    const char *key;
} templates[] = {
    {"$userId", {.user = "bob"}, "bob@carbon.super"},
    {"$userId", {.user = "bob@carbon.super"}, "bob@carbon.super"},
    {"$userId", {.path = "/t/acme/box/far", .ed = true}, "alice@acme"},
    {"$apiContext", {.user = NULL}, "/pets/1.0"},
    {"$apiVersion", {.user = NULL}, "1.0"},
    {"$apiTenant:$appTenant", {.user = NULL}, "carbon.super:t"},
    {"$apiTenant:$appTenant", {.path = "/t/acme/box/far", .ed = true}, "acme:carbon.super"},
    {"$appId", {.user = NULL}, "2"},
    {"$appId", {.ed = true}, "-1"},
    {"$appId:$userId", {.path = "/pets/1.0/open", .nobody = true}, "0:anonymous@carbon.super"},
    {"$clientIp", {.ip = "192.0.2.9"}, "3221225993"},
    {"$clientIp", {.ip = "::ffff:192.0.2.9"}, "3221225993"},
    {"$clientIp", {.ip = "2001:db8::1"}, "42540766411282592856903984951653826561"},
    {"$resourceKey", {.user = NULL}, "/pets/1.0/1.0/pets/{id}:GET"},
    {"$customProperty.team", {.user = NULL}, "blue"},
    {"x-$apiVersion$apiVersion-y", {.user = NULL}, "x-1.01.0-y"},
};

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(templates); i++) {
        char policies[512], key[256];
        struct world w;

        snprintf(policies, sizeof(policies),
                 NO_APP "subscriptionPolicies: [{name: SubTier, unlimited: true}]\n"
                        "advancedPolicies: [{name: OpTier, unlimited: true}]\n"
                        "customPolicies: [{name: c, keyTemplate: \"%s\", requestCount: 1,"
                        " timeUnit: day}]\n",
                 templates[i].template);
        open_world(&w, policies, "");
        expect_limit(&w, templates[i].q, 1, "429 900806");
        snprintf(key, sizeof(key), "custom:c:%s", templates[i].key);
        used_of(&w, key);
        close_world(&w);
    }
}

static void test_custom_conditions(void **state)
{
    struct world w;

    (void)state;
    open_world(&w,
               NOTHING "customPolicies: [{name: c, keyTemplate: \"$apiContext\", requestCount: 1,"
                       " timeUnit: day, conditions: [{claim: role, value: admin}]}, {name: d,"
                       " keyTemplate: \"$customProperty.none\", requestCount: 1, timeUnit: day}]\n",
               "");
    for (int i = 0; i < 5; i++)
        assert_string_equal(ASK(.user = NULL), "200");
    expect_limit(&w, (struct question){.claims = "\"role\":\"admin\""}, 1, "429 900806");
    close_world(&w);
}

/* --- bytes --------------------------------------------------------------------------------------
 */

static void test_bytes(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, NO_SUB "applicationPolicies: [{name: AppTier, bandwidth: 1KB, timeUnit: day}]\n",
               "");
    assert_string_equal(ASK(.length = "1000"), "200");
    assert_string_equal(ASK(.length = "25"), "429 900803");
    assert_string_equal(ASK(.length = "24"), "200");
    assert_string_equal(ASK(.length = "1"), "429 900803");
    /* used up: then also requests without a body are refused */
    assert_string_equal(ASK(.length = "0"), "429 900803");
    assert_string_equal(ASK(.user = NULL), "429 900803");
    assert_true(slice_is(w.d.limits.retry_after, "Wed, 15 Nov 2023 22:13:20 GMT"));
    /* larger than it will ever be: there is no time to come back at */
    assert_string_equal(ASK(.length = "1025"), "429 900803");
    assert_int_equal(w.d.limits.retry_after.n, 0);
    w.clock.now_mono_us += INT64_C(86400000000);
    assert_string_equal(ASK(.user = NULL), "200");
    /* not said, or not to be believed */
    assert_string_equal(ASK(.encoding = "chunked"), "411 411");
    assert_string_equal(ASK(.length = "1", .encoding = "chunked"), "411 411");
    assert_string_equal(ASK(.length = "-1"), "411 411");
    assert_string_equal(ASK(.length = "18446744073709551616"), "411 411");
    /* another application has no such limit... */
    assert_string_equal(ASK(.ed = true, .encoding = "chunked"), "200");
    close_world(&w);
}

/* --- what is told -------------------------------------------------------------------------------
 */

static void test_headers(void **state)
{
    struct world w;

    (void)state;
    open_world(&w,
               NO_SUB "applicationPolicies: [{name: AppTier, requestCount: 3, timeUnit: minute}]\n"
                      "customPolicies: [{name: \"a\\\"b\\xe9\", keyTemplate: \"$userId\","
                      " requestCount: 2, timeUnit: hour}]\n",
               "");
    assert_string_equal(ASK(.user = NULL), "200");
    /* the tightest is the one that is used up first */
    assert_true(slice_is(w.d.limits.policy, "\"a\\\"b??\";q=2;w=3600"));
    assert_true(slice_is(w.d.limits.state, "\"a\\\"b??\";r=1;t=3600"));
    assert_true(slice_is(w.d.limits.limit, "2") && slice_is(w.d.limits.remaining, "1"));
    assert_true(slice_is(w.d.limits.reset, "3600"));
    assert_int_equal(w.d.limits.retry_after.n, 0);
    w.clock.now_mono_us += 1;
    assert_string_equal(ASK(.user = NULL), "200");
    w.clock.now_mono_us += 600000000 - 1;
    assert_string_equal(ASK(.user = NULL), "429 900806");
    assert_true(slice_is(w.d.limits.state, "\"a\\\"b??\";r=0;t=3000"));
    assert_true(slice_is(w.d.limits.retry_after, "Tue, 14 Nov 2023 23:03:20 GMT"));
    close_world(&w);

    open_world(
        &w, NO_SUB "applicationPolicies: [{name: AppTier, bandwidth: 1KB, timeUnit: month}]\n", "");
    assert_string_equal(ASK(.length = "24"), "200");
    assert_true(slice_is(w.d.limits.policy, "\"AppTier\";q=1024;qu=\"content-bytes\""));
    assert_true(slice_starts(w.d.limits.state, SLICE("\"AppTier\";r=1000;t=2592000")));
    w.f.model.throttling.standard_headers = w.f.model.throttling.legacy_headers = false;
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.length = "24"), "200");
    assert_true(w.d.limits.policy.n == 0 && w.d.limits.state.n == 0 && w.d.limits.limit.n == 0);
    assert_string_equal(ASK(.length = "1000"), "429 900803");
    assert_true(w.d.limits.retry_after.n > 0);
    close_world(&w);
}

/* A claim of an issuer that calls it otherwise; and what a policy starts to look at. */
static void test_claims_and_the_cache(void **state)
{
    static const struct gw_claim_mapping mapping = {SLICE_INIT("groups"), SLICE_INIT("role")};
    static const char policies[] =
        NOTHING "customPolicies: [{name: c, keyTemplate: \"$apiContext\", requestCount: 1,"
                " timeUnit: day, conditions: [{claim: role, value: admin}]}]\n";
    struct world w;

    (void)state;
    open_world(&w, NOTHING, "");
    assert_string_equal(ASK(.claims = "\"role\":\"admin\""), "200");
    read_policies(&w, policies);
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    expect_limit(&w, (struct question){.claims = "\"role\":\"admin\""}, 1, "429 900806");
    w.f.issuers[FIXTURE_RSA].claim_mappings = &mapping;
    w.f.issuers[FIXTURE_RSA].n_claim_mappings = 1;
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.claims = "\"role\":\"admin\""), "200");
    assert_string_equal(ASK(.claims = "\"groups\":[\"admin\"]"), "429 900806");
    close_world(&w);
}

static void test_trace(void **state)
{
    struct world w;
    size_t i = 0;

    (void)state;
    open_world(&w, NO_SUB LEVEL("applicationPolicies", "AppTier", "2") "denyRules: [{user: x}]\n",
               "");
    enforce_worker_count_in(w.worker, NULL);
    assert_string_equal(ask_traced(&w, (struct question){.user = NULL}, &w.trace), "200");
    while (i < w.trace.n && w.trace.steps[i].step != ENFORCE_STEP_DENIED)
        i++;
    assert_true(i + 1 < w.trace.n);
    assert_true(slice_is(w.trace.steps[i].text, "none of 1"));
    assert_int_equal(w.trace.steps[i + 1].step, ENFORCE_STEP_LIMITS);
    assert_true(slice_is(w.trace.steps[i + 1].text,
                         "'application:AppTier:2:alice@carbon.super' 2 requests a minute"));
    close_world(&w);
}

/* A decision without counters lists the limits; and when it is told what became of them, it is the
 * one that a gateway with these counters makes. */
static void limits_that_are_explained(void **state)
{
    struct counter_result told = {.refused = -1, .tightest = -1};
    const struct enforce_trace_limit *l;
    struct enforce_reply reply = {.bytes = slice_make(&told, sizeof(told))};
    struct question q = {.length = "12"};
    struct world w;

    (void)state;
    open_world(&w,
               "subscriptionPolicies: [{name: SubTier, bandwidth: 1KB, timeUnit: day, "
               "window: sliding}, {name: Bills, unlimited: true}]\n" LEVEL("applicationPolicies",
                                                                           "AppTier", "2"),
               "");
    enforce_worker_count_in(w.worker, NULL);
    assert_string_equal(ask_traced(&w, q, &w.trace), "200");
    assert_int_equal(w.trace.n_limits, 2);
    assert_int_equal(w.trace.limit_bytes, 12);
    l = w.trace.limits;
    assert_true(slice_is(l[0].policy->name, "SubTier"));
    assert_int_equal(l[0].rule.max, 1024);
    assert_int_equal(l[0].rule.unit, COUNTER_BYTES);
    assert_int_equal(l[0].rule.window, COUNTER_SLIDING);
    assert_true(slice_is(l[1].key, "application:AppTier:2:alice@carbon.super"));
    assert_int_equal(l[1].rule.max, 2);
    assert_int_equal(l[1].rule.window_ms, 60000);
    assert_false(l[1].cut);

    q.told = &reply;
    assert_string_equal(ask_traced(&w, q, &w.trace), "200");
    told = (struct counter_result){.refused = 1, .tightest = 1, .over = 2};
    told.state = (struct counter_state){.max = 2, .used = 2, .retry_us = 9000000};
    assert_string_equal(ask_traced(&w, q, &w.trace), "429 900803");
    assert_int_equal(w.trace.n_limits, 2);
    assert_int_equal(w.trace.cause.line, l[1].policy->origin.line);
    assert_true(slice_starts(w.trace.why, SLICE("above the limit of application policy AppTier")));
    assert_true(w.d.limits.retry_after.n > 0);

    /* nothing of another shape is taken for it, and without a trace nobody may count nothing */
    reply.bytes.n--;
    assert_string_equal(ask_traced(&w, q, &w.trace), "200");
    reply.bytes.n++;
    assert_string_equal(ask_traced(&w, q, NULL), "503 102500");
    close_world(&w);
}

/* An API that is also served without its version has one counter. */
static void test_default_version(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "2") "denyRules: [{api: /none}]\n", "A");
    w.apis[3] = w.apis[1];
    w.apis[1] = w.apis[0];
    w.apis[0].base_path = SLICE("/pets");
    w.f.model.n_apis = 4;
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.path = "/pets/pets/7"), "200");
    assert_string_equal(ASK(.path = "/pets/1.0/pets/7"), "200");
    assert_string_equal(ASK(.path = "/pets/pets/7"), "429 900800");
    close_world(&w);
}

/* Deny rules know such an API by both of its paths. */
static void test_default_version_denied(void **state)
{
    static const struct {
        const char *rule, *without, *with;
    } rules[] = {
        {"{api: /pets}", "403 900805", "200"},
        {"{api: /pets/1.0}", "403 900805", "403 900805"},
        {"{api: /pets, invert: true}", "200", "403 900805"},
        {"{api: /pets/1.0, invert: true}", "200", "200"},
        {"{api: /other, invert: true}", "403 900805", "403 900805"},
        {"{api: /other, invert: true}, {api: /pets/1.0}", "403 900805", "403 900805"},
    };

    (void)state;
    for (size_t i = 0; i < N(rules); i++) {
        char policies[512];
        struct world w;

        snprintf(policies, sizeof(policies), NOTHING "denyRules: [%s]\n", rules[i].rule);
        open_world(&w, policies, "");
        w.apis[3] = w.apis[1];
        w.apis[1] = w.apis[0];
        w.apis[0].base_path = SLICE("/pets");
        w.f.model.n_apis = 4;
        enforce_rules_unref(&w.rules);
        w.rules = fixture_rules(&w.f);
        if (strcmp(ASK(.path = "/pets/pets/7"), rules[i].without) != 0 ||
            strcmp(ASK(.path = "/pets/1.0/pets/7"), rules[i].with) != 0)
            fail_msg("%s: %s, %s", rules[i].rule, ASK(.path = "/pets/pets/7"),
                     ASK(.path = "/pets/1.0/pets/7"));
        close_world(&w);
    }
}

/* The keys have no virtual host in them: what has the same base path and version on two of them has
 * one counter, where it has the same policy. */
static void test_two_hosts(void **state)
{
    struct world w;

    (void)state;
    open_world(&w,
               NO_APP "advancedPolicies: [{name: A, requestCount: 3, timeUnit: day},"
                      " {name: B, requestCount: 1, timeUnit: day}]\n"
                      "subscriptionPolicies: [{name: SubTier, requestCount: 5, timeUnit: day}]\n"
                      "denyRules: [{api: /none}]\n",
               "A");
    w.apis[3] = w.apis[0];
    w.apis[3].vhost = SLICE("other.example");
    w.f.model.n_apis = 4;
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.host = "other.example"), "200");
    assert_true(slice_is(w.d.api->vhost, "other.example"));
    assert_string_equal(ASK(.host = "one.example"), "200");
    assert_true(slice_is(w.d.api->vhost, "*"));
    assert_string_equal(ASK(.host = "other.example"), "200");
    assert_string_equal(ASK(.host = "one.example"), "429 900800");
    assert_string_equal(ASK(.host = "other.example"), "429 900800");
    /* another policy is another counter; the subscription's is still one */
    w.apis[3].tier = SLICE("B");
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.host = "other.example"), "200");
    assert_string_equal(ASK(.host = "other.example"), "429 900800");
    w.apis[3].tier = SLICE("");
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    assert_string_equal(ASK(.host = "other.example"), "200");
    assert_string_equal(ASK(.host = "other.example"), "429 900804");
    close_world(&w);
}

/* Nothing is allocated for a token that is remembered, whatever its limits are. */
static void test_no_heap(void **state)
{
    static const char policies[] =
        "advancedPolicies:\n  - name: A\n    requestCount: 1000\n    timeUnit: day\n"
        "    conditionGroups:\n      - conditions: [{query: q, matches: \"a[0-9]+z$\"}]\n"
        "        requestCount: 9\n        timeUnit: day\n"
        "subscriptionPolicies: [{name: SubTier, requestCount: 1000, timeUnit: day}]\n"
        "applicationPolicies: [{name: AppTier, requestCount: 1000, timeUnit: day, window: "
        "sliding}]\n"
        "customPolicies: [{name: c, keyTemplate: \"$userId:$clientIp\", requestCount: 1000,"
        " timeUnit: day}]\n"
        "denyRules: [{ip: 10.0.0.1}, {application: \"a:b\"}, {user: c}]\n";
    struct enforce_header headers[HEADERS] = {{.count = 0}};
    struct enforce_request r = {.id = SLICE("id"),
                                .method = SLICE("GET"),
                                .path = SLICE("/pets/1.0/pets/7"),
                                .query = SLICE("q=a1b"),
                                .host = SLICE("h"),
                                .headers = headers,
                                .has_src = true};
    struct question q = {.user = NULL};
    char bearer[4096], *token;
    struct world w;
    size_t before;

    (void)state;
    open_world(&w, policies, "A");
    token = token_of(&w, &q);
    snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    set_header(&headers[AUTHORIZATION], bearer);
    assert_true(gw_address_parse(SLICE("192.0.2.9"), &r.src));
    for (int i = 0; i < 3; i++)
        enforce_decide(w.worker, w.rules, w.live, &r, &w.clock.clock, &w.d);
    alloc_count_start();
    before = alloc_made;
    for (int i = 0; i < 50; i++)
        enforce_decide(w.worker, w.rules, w.live, &r, &w.clock.clock, &w.d);
    assert_int_equal(w.d.verdict, ENFORCE_ALLOW);
    assert_int_equal(alloc_made, before);
    free(token);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_level),
        cmocka_unit_test(test_kinds_at_each_level),
        cmocka_unit_test(test_api_or_operation),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_refused_for_other_reasons),
        cmocka_unit_test(test_without_credentials),
        cmocka_unit_test(test_open_with_a_token),
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_that_only_logs),
        cmocka_unit_test(test_unknown_tier),
        cmocka_unit_test(test_off_and_without_counters),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_custom_conditions),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_claims_and_the_cache),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(limits_that_are_explained),
        cmocka_unit_test(test_default_version),
        cmocka_unit_test(test_default_version_denied),
        cmocka_unit_test(test_two_hosts),
        cmocka_unit_test(test_no_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
