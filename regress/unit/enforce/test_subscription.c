/* Subscription validation: each row of the contract's tables, with and without the token cache. */
#include "store_fixture.h"
#include "two_workers.h"

#include "alloc_count.h"

/* rsa: validates. ed: validates, by the claim `client`. ec: does not. */
static void open_world(struct world *w, const char *status)
{
    world_init(w);
    memcpy(w->apis, fixture_apis, sizeof(w->apis));
    for (size_t i = 0; i < 3; i++)
        w->apis[i].status = SLICE("");
    w->apis[0].status = slice_of(status);
    w->apis[0].status_declared = (struct place)FIXTURE_AT(5);
    w->apis[0].sandbox = &fixture_clusters[2];
    w->f.model.apis = w->apis;
    w->f.issuers[FIXTURE_RSA].validate_subscription = true;
    w->f.issuers[FIXTURE_ED].validate_subscription = true;
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    world_start(w);
}

static char *sign(struct world *w, enum fixture_signer signer, const char *claims)
{
    char further[4096];

    snprintf(further, sizeof(further), "%s%s", claims[0] != '\0' ? "," : "", claims);
    return fixture_sign_claims(&w->f, signer, "u", further);
}

static void expect(struct world *w, enum fixture_signer signer, const char *claims, int status,
                   const char *code, const char *reason)
{
    struct bearer_request b;
    char *token = sign(w, signer, claims);

    bearer_request_init(&b, "/pets/1.0/pets/7", token);
    expect_each(w, &b.r.request, claims, status, code, reason);
    free(token);
}

#define DENIED "User is NOT authorized to access the Resource. API Subscription validation failed."

/* --- 2.3: which way is taken ---------------------------------------------------------------------
 */

#define STORE                                                                            \
    "applications:\n"                                                                    \
    "  - {uuid: app, id: 2, name: Shop, subName: alice, policy: Bytes, tenantDomain: t," \
    " attributes: {team: blue}}\n"                                                       \
    "  - {uuid: lone, id: 3, name: Lone}\n"                                              \
    "applicationPolicies: [{name: Bytes, quotaType: bandwidthVolume}]\n"                 \
    "subscriptionPolicies: [{name: Gold, stopOnQuotaReach: false}]\n"                    \
    "applicationKeyMappings:\n"                                                          \
    "  - {consumerKey: key, keyManager: rsa, applicationUUID: app}\n"                    \
    "  - {consumerKey: sand, keyManager: rsa, applicationUUID: app, keyType: SANDBOX}\n" \
    "  - {consumerKey: lone, keyManager: rsa, applicationUUID: lone}\n"                  \
    "  - {consumerKey: elsewhere, keyManager: other, applicationUUID: app}\n"

#define SUBSCRIBED(state)                                                          \
    STORE "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: Gold, " \
          "subscriptionState: " state "}]\n"

static void test_off(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, "");
    expect(&w, FIXTURE_EC, "\"consumerKey\":\"nobody\",\"subscribedAPIs\":[]", 200, "", "allowed");
    assert_int_equal(w.d.application.id, -1);
    assert_true(slice_is(w.d.application.name, "anon:ec"));
    assert_int_equal(w.d.application.uuid.n, 36);
    assert_true(slice_is(w.d.application.tier, "Unlimited"));
    assert_int_equal(w.d.application.subscription_tier.n, 0);
    assert_false(w.d.application.stop_on_quota_reach);
    assert_true(slice_is(w.d.keytype, "PRODUCTION"));
    close_world(&w);
}

static void test_self_contained(void **state)
{
#define APIS(list) "\"consumerKey\":\"key\",\"subscribedAPIs\":[" list "]"
#define PETS       "{\"name\":\"Pets\",\"version\":\"1.0\",\"subscriptionTier\":\"Gold\"}"
#define NOT_NAMED  "subscribedAPIs do not name the API"
    static const struct {
        const char *claims;
        int status;
    } cases[] = {
        {APIS(PETS), 200},
        {APIS("{\"name\":\"X\",\"version\":\"1.0\"}," PETS), 200},
        {APIS(""), 403},
        {APIS("{}"), 403},
        {APIS("{\"name\":\"Pets\",\"version\":\"1.1\"}"), 403},
        {APIS("{\"name\":\"Pets\"}"), 403},
        {APIS("{\"name\":\"pets\",\"version\":\"1.0\"}"), 403}, /* exactly */
        {APIS("{\"version\":\"1.0\"}"), 403},
        {APIS("{\"context\":\"/pets/1.0\",\"version\":\"1.0\"}"), 200},
        {APIS("{\"context\":\"/pets/1.0\",\"version\":\"2.0\"}"), 403},
        {APIS("{\"context\":\"/pets\",\"version\":\"1.0\"}"), 403},
        {APIS("{\"context\":\"\",\"version\":\"1.0\"}"), 403},
        /* the context of one API does not lend it the name of another */
        {APIS("{\"name\":\"Box\",\"context\":\"/pets/1.0\",\"version\":\"1.0\"}"), 403},
    };
    struct world w;

    (void)state;
    open_world(&w, "");
    fixture_set_store(&w.live,
                      SUBSCRIBED("UNBLOCKED")); /* not asked, though it would let all of them in */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect(&w, FIXTURE_RSA, cases[i].claims, cases[i].status,
               cases[i].status == 200 ? "" : "900908",
               cases[i].status == 200 ? "allowed" : NOT_NAMED "; cc.yaml:11:5");
        if (cases[i].status != 200)
            assert_true(slice_is(w.d.body, "{\"error_message\":\"Resource forbidden \",\"code\":"
                                           "\"900908\",\"error_description\":\"Resource forbidden "
                                           "\"}"));
    }
    expect(&w, FIXTURE_RSA, "\"subscribedAPIs\":7", 401, "900901", "wrong type");
    expect(&w, FIXTURE_RSA, "\"subscribedAPIs\":[],\"application\":{}", 401, "900901",
           "wrong type");
    close_world(&w);
}

/* 2.4: what is taken from the claims. */
static void test_claims(void **state)
{
    static const char claims[] =
        "\"keytype\":\"SANDBOX\",\"application\":{\"id\":2,\"uuid\":\"a990\",\"name\":\"ShopApp\","
        "\"tier\":\"10PerMin\",\"owner\":\"alice\",\"tierQuotaType\":\"bandwidthVolume\"},"
        "\"tierInfo\":{\"Gold\":{\"stopOnQuotaReach\":false}},\"subscribedAPIs\":["
        "{\"name\":\"Pets\",\"version\":\"1.0\",\"subscriptionTier\":\"Gold\","
        "\"subscriberTenantDomain\":\"carbon.super\"}]";
    const struct enforce_application *a;
    struct world w;

    (void)state;
    open_world(&w, "");
    expect(&w, FIXTURE_RSA, claims, 200, "", "allowed");
    a = &w.d.application;
    assert_true(a->id == 2 && slice_is(a->uuid, "a990") && slice_is(a->name, "ShopApp"));
    assert_true(slice_is(a->tier, "10PerMin") && slice_is(a->owner, "alice"));
    assert_true(slice_is(a->subscription_tier, "Gold") && slice_is(a->tenant, "carbon.super"));
    assert_true(!a->stop_on_quota_reach && a->bandwidth);
    assert_true(slice_is(w.d.keytype, "SANDBOX"));
    assert_true(slice_is(w.d.backend, "cc_b_000000000003"));
    /* without an application: known is only that it may */
    expect(&w, FIXTURE_RSA, APIS(PETS), 200, "", "allowed");
    assert_true(w.d.application.id == -1 && w.d.application.uuid.n == 0);
    assert_true(w.d.application.stop_on_quota_reach && !w.d.application.bandwidth);
    assert_true(slice_is(w.d.keytype, "PRODUCTION"));
    close_world(&w);
}

/* --- 3: the store
 * --------------------------------------------------------------------------------- */

static void test_store(void **state)
{
    const struct enforce_application *a;
    struct world w;

    (void)state;
    open_world(&w, "");
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"key\"", 403, "900908", "no subscription files");
    fixture_set_store(&w.live, STORE);
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"key\"", 403, "900908",
           "not subscribed to the API; subs.yaml:2:5");
    assert_true(slice_contains(w.d.body, SLICE(DENIED)));
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"key\"", 200, "", "allowed");
    a = &w.d.application;
    assert_true(a->id == 2 && slice_is(a->uuid, "app") && slice_is(a->name, "Shop"));
    assert_true(slice_is(a->tier, "Bytes") && slice_is(a->owner, "alice"));
    assert_true(slice_is(a->tenant, "t") && slice_is(a->subscription_tier, "Gold"));
    assert_true(!a->stop_on_quota_reach && a->bandwidth && a->n_attributes == 1);
    assert_true(slice_is(w.d.keytype, "PRODUCTION") && slice_is(w.d.app, "key"));
    /* any miss */
    expect(&w, FIXTURE_RSA, "", 403, "900908", "nor a consumer key");
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"\"", 403, "900908", "nor a consumer key");
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"none\"", 403, "900908", "no application has");
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"elsewhere\"", 403, "900908", "no application has");
    expect(&w, FIXTURE_RSA, "\"consumerKey\":\"lone\"", 403, "900908",
           "not subscribed to the API; subs.yaml:3:5");
    expect(&w, FIXTURE_ED, "\"client\":\"key\"", 403, "900908", "no application has");
    expect(&w, FIXTURE_RSA, "\"azp\":\"key\"", 200, "", "allowed");
    close_world(&w);
}

static void test_verdicts(void **state)
{
#define KEY  "\"consumerKey\":\"key\""
#define SAND "\"consumerKey\":\"sand\""
    static const struct {
        const char *store, *claims;
        int status;
        const char *code, *message;
    } cases[] = {
        {SUBSCRIBED("UNBLOCKED"), KEY, 200, "", ""},
        {SUBSCRIBED("TIER_UPDATE_PENDING"), KEY, 200, "", ""},
        {SUBSCRIBED("BLOCKED"), KEY, 403, "900907", "The requested API is temporarily blocked"},
        {SUBSCRIBED("BLOCKED"), SAND, 403, "900907", "The requested API is temporarily blocked"},
        {SUBSCRIBED("ON_HOLD"), KEY, 403, "900909", "The subscription to the API is inactive"},
        {SUBSCRIBED("REJECTED"), KEY, 403, "900909", "The subscription to the API is inactive"},
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), KEY, 403, "900907",
         "The requested API is temporarily blocked"},
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), SAND, 200, "", ""},
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), KEY ",\"keytype\":\"SANDBOX\"", 200, "", ""},
        /* the key type that chooses the endpoint counts: no way to production by a sandbox key */
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), SAND ",\"keytype\":\"PRODUCTION\"", 403, "900907",
         "The requested API is temporarily blocked"},
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), SAND ",\"keytype\":\"sandbox\"", 403, "900907", ""},
    };
    struct world w;

    (void)state;
    open_world(&w, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_set_store(&w.live, cases[i].store);
        expect(&w, FIXTURE_RSA, cases[i].claims, cases[i].status, cases[i].code, "");
        assert_true(slice_contains(w.d.body, slice_of(cases[i].message)));
        if (cases[i].status == 403)
            assert_true(slice_contains(w.d.body, SLICE(DENIED)));
    }
    close_world(&w);
}

/* The key type is the store's, unless the token says one. */
static void test_key_type(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, "");
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    expect(&w, FIXTURE_RSA, KEY, 200, "", "");
    assert_true(slice_is(w.d.backend, "cc_b_000000000001"));
    expect(&w, FIXTURE_RSA, SAND, 200, "", "");
    assert_true(slice_is(w.d.backend, "cc_b_000000000003"));
    expect(&w, FIXTURE_RSA, SAND ",\"keytype\":\"PRODUCTION\"", 200, "", "");
    assert_true(slice_is(w.d.backend, "cc_b_000000000001"));
    expect(&w, FIXTURE_RSA, KEY ",\"keytype\":\"SANDBOX\"", 200, "", "");
    assert_true(slice_is(w.d.backend, "cc_b_000000000003"));
    close_world(&w);
}

/* --- the API's life cycle
 * ------------------------------------------------------------------------- */

static void test_life_cycle(void **state)
{
    static const struct {
        const char *project, *store; /* states; "": none */
        bool blocked;
    } cases[] = {
        {"", "", false},
        {"CREATED", "", false},
        {"PUBLISHED", "", false},
        {"PROTOTYPED", "", false}, /* its operations are open by its project */
        {"DEPRECATED", "", false},
        {"RETIRED", "", false},
        {"BLOCKED", "", true},
        {"", "BLOCKED", true},
        {"PUBLISHED", "BLOCKED", true},
        {"BLOCKED", "PUBLISHED", false}, /* the store knows better */
        {"BLOCKED", "DEPRECATED", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        char store[4096];
        const char *why = cases[i].store[0] != '\0' ? "the API is BLOCKED; subs.yaml:"
                                                    : "the API is BLOCKED; pets/swagger.yaml:5";
        int status = cases[i].blocked ? 503 : 200;
        const char *code = cases[i].blocked ? "700700" : "";

        open_world(&w, cases[i].project);
        snprintf(store, sizeof(store), "%sapis: [{uuid: pets%s%s}]\n", SUBSCRIBED("UNBLOCKED"),
                 cases[i].store[0] != '\0' ? ", status: " : "", cases[i].store);
        fixture_set_store(&w.live, store);
        why = cases[i].blocked ? why : "allowed";
        expect(&w, FIXTURE_RSA, KEY, status, code, why);
        expect(&w, FIXTURE_RSA, APIS(PETS), status, code, why); /* whatever the token brings */
        expect(&w, FIXTURE_EC, KEY, status, code, why);         /* also without validation */
        assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/open", ""), status);
        /* who is not let in anyway does not learn of it; another API is not concerned */
        assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/pets/7", ""), 401);
        if (cases[i].blocked) {
            assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/open", ""), 503);
            assert_true(slice_is(
                w.d.body,
                "{\"error_message\":\"API blocked\",\"code\":\"700700\",\"error_description\":"
                "\"This API has been blocked temporarily. Please try again later or contact the "
                "system administrators.\"}"));
        }
        close_world(&w);
    }
}

/* The subscription comes before the API's status and before the scopes. */
static void test_order(void **state)
{
    struct world w;
    char *token;

    (void)state;
    open_world(&w, "BLOCKED");
    fixture_set_store(&w.live, SUBSCRIBED("ON_HOLD"));
    expect(&w, FIXTURE_RSA, KEY, 403, "900909", "");
    close_world(&w);

    open_world(&w, "");
    fixture_set_store(&w.live, SUBSCRIBED("BLOCKED"));
    token = sign(&w, FIXTURE_RSA, KEY); /* without the scopes of GET /pets */
    assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/pets", token), 403);
    assert_true(slice_is(w.d.code, "900907"));
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/pets", token), 403);
    assert_true(slice_is(w.d.code, "900910"));
    free(token);
    close_world(&w);
}

/* What changes in the store counts for the next request, of a remembered token, too. */
static void test_changes(void **state)
{
    struct world w;
    char *token;
    size_t made;

    (void)state;
    open_world(&w, "");
    token = sign(&w, FIXTURE_RSA, KEY);
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    assert_int_equal(ask_bearer(&w, w.cached, "/pets/1.0/pets/7", token), 200);
    fixture_set_store(&w.live, SUBSCRIBED("BLOCKED"));
    assert_int_equal(ask_bearer(&w, w.cached, "/pets/1.0/pets/7", token), 403);
    fixture_set_store(&w.live, NULL);
    assert_int_equal(ask_bearer(&w, w.cached, "/pets/1.0/pets/7", token), 403);
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    made = alloc_made;
    assert_int_equal(ask_bearer(&w, w.cached, "/pets/1.0/pets/7", token), 200);
    assert_int_equal(alloc_made, made); /* no heap */
    free(token);
    close_world(&w);
}

static void test_trace_steps(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, "BLOCKED");
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    expect(&w, FIXTURE_RSA, KEY, 503, "700700", "");
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_SUBSCRIPTION)->text,
                         "application 'Shop', by its PRODUCTION key, subscribed: UNBLOCKED, tier "
                         "'Gold'"));
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_STATUS)->text, "BLOCKED"));
    expect(&w, FIXTURE_RSA, APIS(PETS), 503, "700700", "");
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_SUBSCRIPTION)->text,
                         "by the token, application '', tier 'Gold'"));
    expect(&w, FIXTURE_EC, "", 503, "700700", "");
    assert_true(
        slice_contains(step_of(&w, ENFORCE_STEP_SUBSCRIPTION)->text, SLICE("not asked for")));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),        cmocka_unit_test(test_self_contained),
        cmocka_unit_test(test_claims),     cmocka_unit_test(test_store),
        cmocka_unit_test(test_verdicts),   cmocka_unit_test(test_key_type),
        cmocka_unit_test(test_life_cycle), cmocka_unit_test(test_order),
        cmocka_unit_test(test_changes),    cmocka_unit_test(test_trace_steps),
    };

    alloc_count_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
