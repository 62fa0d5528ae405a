/* API keys and the store: which application a key stands for, and what is believed of it. Each case
 * is asked of a worker without cache, of one that fills it, and of one that finds it there. */
#include "store_fixture.h"
#include "two_workers.h"

static const struct gw_need key_need = {GW_KEY_IN_HEADER, SLICE_INIT("x-key"), NULL, 0,
                                        FIXTURE_AT(100)};
static const struct gw_requirement demands_key[] = {{&key_need, 1, FIXTURE_AT(101)}};
static const struct gw_operation operation = {
    .method = GW_GET, .requirements = demands_key, .n_requirements = 1, .origin = FIXTURE_AT(102)};
static const struct gw_resource resource = {.template = SLICE_INIT("/pets"),
                                            .operations = &operation,
                                            .n_operations = 1,
                                            .origin = FIXTURE_AT(103)};
static const struct slice headers[] = {SLICE_INIT("authorization"), SLICE_INIT("referer"),
                                       SLICE_INIT("x-key")};

/* ed signs keys whose subscriptions are asked for. */
static void open_world(struct world *w)
{
    world_init(w);
    w->apis[0] = fixture_apis[0];
    w->apis[0].status = SLICE("");
    w->apis[0].key_headers = SLICE(",x-key,");
    w->apis[0].sandbox = &fixture_clusters[2];
    w->apis[0].resources = &resource;
    w->apis[0].n_resources = 1;
    w->f.model.apis = w->apis;
    w->f.model.n_apis = 1;
    w->f.model.headers = headers;
    w->f.model.n_headers = 3;
    w->f.issuers[FIXTURE_ED].access_tokens = false;
    w->f.issuers[FIXTURE_ED].api_keys = true;
    w->f.issuers[FIXTURE_ED].validate_subscription = true;
    w->f.issuers[FIXTURE_ED].consumer_key_claim = SLICE("");
    world_start(w);
}

/* A request with an API key. */
struct key_request {
    struct fixture_request r;
    struct enforce_header headers[3];
};

static void key_request_init(struct key_request *k, const char *key)
{
    *k = (struct key_request){.headers[2] = {.value = slice_of(key), .count = 1}};
    fixture_request_init(&k->r, "GET", "h", "/pets/1.0/pets");
    k->r.request.headers = k->headers;
}

static int ask(struct world *w, struct enforce_worker *worker, const char *key)
{
    struct key_request k;

    key_request_init(&k, key);
    return world_decide(w, worker, &k.r.request);
}

static void expect(struct world *w, const char *claims, int status, const char *code,
                   const char *reason)
{
    struct key_request k;
    char further[2048], *key;

    snprintf(further, sizeof(further), ",\"token_type\":\"apiKey\"%s%s",
             claims[0] != '\0' ? "," : "", claims);
    key = fixture_sign_claims(&w->f, FIXTURE_ED, "u", further);
    key_request_init(&k, key);
    expect_each(w, &k.r.request, claims, status, code, reason);
    free(key);
}

#define STORE                                                                            \
    "applications:\n"                                                                    \
    "  - {uuid: app, id: 2, name: Shop, subName: alice, policy: Bytes, tenantDomain: t," \
    " attributes: {team: blue}}\n"                                                       \
    "  - {uuid: lone, id: 3, name: Lone}\n"                                              \
    "applicationPolicies: [{name: Bytes, quotaType: bandwidthVolume}]\n"                 \
    "subscriptionPolicies: [{name: Gold, stopOnQuotaReach: false}]\n"                    \
    "applicationKeyMappings:\n"                                                          \
    "  - {consumerKey: key, keyManager: ed, applicationUUID: app}\n"
#define SUBSCRIBED(state)                                                          \
    STORE "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: Gold, " \
          "subscriptionState: " state "}]\n"

#define APP(uuid) "\"application\":{\"id\":77,\"uuid\":\"" uuid "\"}"

/* All that is known of the application is the store's; of the key, its UUID counts. */
static void the_store_says_who(void **state)
{
    const struct enforce_application *a;
    struct world w;

    (void)state;
    open_world(&w);
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    expect(&w,
           "\"application\":{\"id\":1,\"uuid\":\"app\",\"name\":\"Mine\",\"tier\":\"Unlimited\","
           "\"owner\":\"mallory\"},\"tierInfo\":{\"Gold\":{\"stopOnQuotaReach\":true}}",
           200, "", "allowed");
    a = &w.d.application;
    assert_int_equal(a->id, 2);
    assert_true(slice_is(a->uuid, "app") && slice_is(a->name, "Shop"));
    assert_true(slice_is(a->tier, "Bytes") && slice_is(a->owner, "alice"));
    assert_true(slice_is(a->tenant, "t") && slice_is(a->subscription_tier, "Gold"));
    assert_true(!a->stop_on_quota_reach && a->bandwidth);
    assert_int_equal(a->n_attributes, 1);
    assert_true(slice_is(a->attributes[0].name, "team") &&
                slice_is(a->attributes[0].value, "blue"));
    assert_true(slice_is(w.d.keytype, "PRODUCTION") && slice_is(w.d.user, "u"));
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_SUBSCRIPTION)->text,
                         "application 'Shop', by the API key, subscribed: UNBLOCKED, tier 'Gold'"));
    close_world(&w);
}

static void any_miss_is_refused(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    expect(&w, APP("app"), 403, "900908", "no subscription files");
    fixture_set_store(&w.live, STORE);
    expect(&w, APP("app"), 403, "900908", "not subscribed to the API; subs.yaml:2:5");
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    expect(&w, APP("lone"), 403, "900908", "not subscribed to the API; subs.yaml:3:5");
    expect(&w, "", 403, "900908", "no such application as the API key names; cc.yaml:31:5");
    expect(&w, "\"application\":null", 403, "900908", "no such application");
    expect(&w, APP(""), 403, "900908", "no such application");
    expect(&w, APP("APP"), 403, "900908", "no such application");
    expect(&w, APP("app "), 403, "900908", "no such application");
    expect(&w, APP("other"), 403, "900908", "no such application");
    expect(&w, "\"application\":{\"id\":2,\"name\":\"Shop\"}", 403, "900908",
           "no such application");
    /* a key has no consumer key: what it says of one finds nobody */
    expect(&w, "\"consumerKey\":\"key\"", 403, "900908", "no such application");
    expect(&w, "\"azp\":\"key\"," APP("other"), 403, "900908", "no such application");
    /* what is no application is no key */
    expect(&w, "\"application\":\"app\"", 401, "900901", "");
    expect(&w, "\"application\":{\"uuid\":\"app\"}", 401, "900901", "");
    expect(&w, "\"application\":{\"id\":2,\"uuid\":7}", 401, "900901", "");
    close_world(&w);
}

static void states_count_by_the_keys_type(void **state)
{
#define SAND APP("app") ",\"keytype\":\"SANDBOX\""
    static const struct {
        const char *store, *claims;
        int status;
        const char *code;
    } cases[] = {
        {SUBSCRIBED("UNBLOCKED"), APP("app"), 200, ""},
        {SUBSCRIBED("TIER_UPDATE_PENDING"), APP("app"), 200, ""},
        {SUBSCRIBED("BLOCKED"), APP("app"), 403, "900907"},
        {SUBSCRIBED("BLOCKED"), SAND, 403, "900907"},
        {SUBSCRIBED("ON_HOLD"), APP("app"), 403, "900909"},
        {SUBSCRIBED("REJECTED"), APP("app"), 403, "900909"},
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), APP("app"), 403, "900907"},
        {SUBSCRIBED("PROD_ONLY_BLOCKED"), SAND, 200, ""},
    };
    struct world w;

    (void)state;
    open_world(&w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_set_store(&w.live, cases[i].store);
        expect(&w, cases[i].claims, cases[i].status, cases[i].code, "");
    }
    close_world(&w);
}

/* A key that is remembered is held to the store of the moment. */
static void changes_count_at_once(void **state)
{
    struct world w;
    char *key;

    (void)state;
    open_world(&w);
    key = fixture_sign_claims(&w.f, FIXTURE_ED, "u", ",\"token_type\":\"apiKey\"," APP("app"));
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    assert_int_equal(ask(&w, w.cached, key), 200);
    assert_int_equal(ask(&w, w.cached, key), 200);
    fixture_set_store(&w.live, SUBSCRIBED("BLOCKED"));
    assert_int_equal(ask(&w, w.cached, key), 403);
    fixture_set_store(&w.live, "applications: []\n");
    assert_int_equal(ask(&w, w.cached, key), 403);
    assert_true(slice_contains(w.d.reason, SLICE("no such application")));
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    assert_int_equal(ask(&w, w.cached, key), 200);
    fixture_set_store(&w.live, NULL);
    assert_int_equal(ask(&w, w.cached, key), 403);
    free(key);
    close_world(&w);
}

/* Subscriptions that the key brings are all that counts, whatever the store says. */
static void a_key_is_held_to_its_own(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    fixture_set_store(&w.live, SUBSCRIBED("UNBLOCKED"));
    expect(&w, APP("app") ",\"subscribedAPIs\":[]", 403, "900908", "do not name the API");
    expect(&w, APP("app") ",\"subscribedAPIs\":[{\"name\":\"Other\",\"version\":\"1.0\"}]", 403,
           "900908", "do not name the API");
    fixture_set_store(&w.live, SUBSCRIBED("BLOCKED"));
    expect(&w, APP("none") ",\"subscribedAPIs\":[{\"name\":\"Pets\",\"version\":\"1.0\"}]", 200, "",
           "allowed");
    assert_int_equal(w.d.application.id, 77);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_says_who),
        cmocka_unit_test(any_miss_is_refused),
        cmocka_unit_test(states_count_by_the_keys_type),
        cmocka_unit_test(changes_count_at_once),
        cmocka_unit_test(a_key_is_held_to_its_own),
    };

    return cmocka_run_group_tests_name("subscription_key", tests, NULL, NULL);
}
