/* The contract line by line: what the other tests of the engine do not say by themselves. Each case
 * has the name that docs/compatibility.md calls it by. */
#include "store_fixture.h"

#include "revoke/revoke.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SCHEME(k, text, list, count)                      \
    {                                                     \
        k, SLICE_INIT(text), list, count, FIXTURE_AT(100) \
    }
static const struct slice scope_default[] = {SLICE_INIT("default")};
static const struct gw_need default_need = SCHEME(GW_TOKEN, "", scope_default, 1);
static const struct gw_need write_need = SCHEME(GW_TOKEN, "", fixture_write, 1);
static const struct gw_need any_need = SCHEME(GW_TOKEN, "", NULL, 0);
static const struct gw_need key_need = SCHEME(GW_KEY_IN_HEADER, "x-key", NULL, 0);

#define ONE(need)                   \
    {                               \
        &(need), 1, FIXTURE_AT(200) \
    }
static const struct gw_requirement demands_default[] = {ONE(default_need)};
static const struct gw_requirement demands_key[] = {ONE(key_need)};
static const struct gw_requirement demands_either[] = {ONE(any_need), ONE(key_need)};
static const struct gw_requirement write_or_any[] = {ONE(write_need), ONE(any_need)};
static const struct gw_requirement any_or_write[] = {ONE(any_need), ONE(write_need)};

#define RESOURCE(path, list)                                                                 \
    {                                                                                        \
        .template = SLICE_INIT(path),                                                        \
        .operations =                                                                        \
            &(const struct gw_operation){.method = GW_GET,                                   \
                                         .requirements = list,                               \
                                         .n_requirements = sizeof(list) / sizeof((list)[0]), \
                                         .origin = FIXTURE_AT(99)},                          \
        .n_operations = 1, .origin = FIXTURE_AT(98)                                          \
    }
static const struct gw_operation open_operation = {
    .method = GW_GET, .open = true, .origin = FIXTURE_AT(97)};
static const struct gw_resource resources[] = {
    RESOURCE("/any-or-write", any_or_write),
    RESOURCE("/default", demands_default),
    RESOURCE("/either", demands_either),
    RESOURCE("/key", demands_key),
    {.template = SLICE_INIT("/open"),
     .operations = &open_operation,
     .n_operations = 1,
     .origin = FIXTURE_AT(96)},
    RESOURCE("/write-or-any", write_or_any),
};
static const struct slice headers[] = {SLICE_INIT("authorization"), SLICE_INIT("referer"),
                                       SLICE_INIT("x-key"), SLICE_INIT("z-console")};
enum { AUTHORIZATION, REFERER, KEY, CONSOLE, HEADERS };

/* /k has both kinds of endpoints, /p production alone. */
static struct gw_api apis[] = {
    {.id = SLICE_INIT("k"),
     .name = SLICE_INIT("Keys"),
     .version = SLICE_INIT("1"),
     .base_path = SLICE_INIT("/k"),
     .production = &fixture_clusters[0],
     .sandbox = &fixture_clusters[1]},
    {.id = SLICE_INIT("p"),
     .name = SLICE_INIT("Production"),
     .version = SLICE_INIT("1"),
     .base_path = SLICE_INIT("/p"),
     .production = &fixture_clusters[0]},
};
#define TO_PRODUCTION "cc_b_000000000001"
#define TO_SANDBOX    "cc_b_000000000002"

struct world {
    struct fixture f;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct enforce_live *live;
    struct clock_fixed clock;
    struct enforce_decision d;
    char texts[HEADERS][4096];
};

/* rsa signs access tokens, ed API keys, ec internal keys. `validating`: subscriptions are asked
 * for. */
static void open_world(struct world *w, bool validating)
{
    const struct enforce_options cache = {64, 262144};

    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
    for (size_t i = 0; i < 2; i++) {
        apis[i].vhost = SLICE("*");
        apis[i].auth_header = SLICE("authorization");
        apis[i].key_headers = SLICE(",x-key,");
        apis[i].status = SLICE("");
        apis[i].resources = resources;
        apis[i].n_resources = sizeof(resources) / sizeof(resources[0]);
        apis[i].origin = (struct place)FIXTURE_AT(95);
    }
    w->f.model.apis = apis;
    w->f.model.n_apis = 2;
    w->f.model.headers = headers;
    w->f.model.n_headers = HEADERS;
    w->f.model.internal_key_header = SLICE("z-console");
    w->f.issuers[FIXTURE_RSA].validate_subscription = validating;
    w->f.issuers[FIXTURE_ED].access_tokens = false;
    w->f.issuers[FIXTURE_ED].api_keys = true;
    w->f.issuers[FIXTURE_ED].validate_subscription = validating;
    w->f.issuers[FIXTURE_EC].access_tokens = false;
    w->f.issuers[FIXTURE_EC].internal_keys = true;
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    w->rules = fixture_rules(&w->f);
    fixture_need(enforce_worker_new(&w->worker, &cache), "worker");
    clock_fixed_init(&w->clock, FIXTURE_NOW, 0);
}

static void close_world(struct world *w)
{
    enforce_live_unref(&w->live);
    enforce_worker_free(&w->worker);
    enforce_rules_unref(&w->rules);
    fixture_free(&w->f);
}

/* What is asked: claims of the credentials that come with it, NULL: none. */
struct question {
    const char *path, *token, *key, *console;
    const char *around; /* stands on both sides of the internal key */
};

static void add(struct world *w, struct enforce_header *header, size_t which,
                enum fixture_signer signer, const char *claims, const char *before,
                const char *after)
{
    char further[2048], *text;

    if (claims == NULL)
        return;
    snprintf(further, sizeof(further), "%s%s", claims[0] != '\0' ? "," : "", claims);
    text = fixture_sign_claims(&w->f, signer, "u", further);
    snprintf(w->texts[which], sizeof(w->texts[0]), "%s%s%s", before, text, after);
    *header = (struct enforce_header){.value = slice_of(w->texts[which]), .count = 1};
    free(text);
}

static int ask(struct world *w, const struct question *q)
{
    struct enforce_header values[HEADERS] = {{.count = 0}};
    struct enforce_request request = {.id = SLICE("id"),
                                      .method = SLICE("GET"),
                                      .host = SLICE("h"),
                                      .path = slice_of(q->path),
                                      .headers = values};
    const char *around = q->around != NULL ? q->around : "";

    add(w, &values[AUTHORIZATION], AUTHORIZATION, FIXTURE_RSA, q->token, "Bearer ", "");
    add(w, &values[KEY], KEY, FIXTURE_ED, q->key, "", "");
    add(w, &values[CONSOLE], CONSOLE, FIXTURE_EC, q->console, around, around);
    enforce_decide(w->worker, w->rules, w->live, &request, &w->clock.clock, &w->d);
    return w->d.verdict == ENFORCE_ALLOW ? 200 : w->d.status;
}

#define IS_KEY     "\"token_type\":\"apiKey\""
#define IS_CONSOLE "\"token_type\":\"InternalKey\""
#define FOR_K      ",\"subscribedAPIs\":[{\"context\":\"/k\",\"version\":\"1\"}]"
#define SANDBOX    ",\"keytype\":\"SANDBOX\""
#define STORE                                                        \
    "applications: [{uuid: app, id: 2, name: Shop, subName: ann}]\n" \
    "subscriptionPolicies: [{name: Gold}]\n"                         \
    "subscriptions: [{applicationUUID: app, apiUUID: k, policyId: Gold}]\n"

static const struct {
    const char *name;
    struct question q;
    bool validating;
    const char *expect; /* the code of a refusal, or where it goes */
} cases[] = {
    /* tokens */
    {"no scope claim: no scope", {"/k/default", .token = ""}, false, "900910"},
    {"the scope called default is one like others",
     {"/k/default", .token = "\"scope\":\"default\""},
     false,
     TO_PRODUCTION},
    {"cnf is not looked at",
     {"/k/either", .token = "\"cnf\":{\"x5t#S256\":\"AAAA\"}"},
     false,
     TO_PRODUCTION},
    {"nonce and at_hash are not looked at",
     {"/k/either", .token = "\"nonce\":\"n\",\"at_hash\":\"h\""},
     false,
     TO_PRODUCTION},
    /* scopes: the order of alternatives does not count */
    {"a scheme without scopes after one that is not met",
     {"/k/write-or-any", .token = "\"scope\":\"other\""},
     false,
     TO_PRODUCTION},
    {"a scheme without scopes before one that is not met",
     {"/k/any-or-write", .token = "\"scope\":\"other\""},
     false,
     TO_PRODUCTION},
    {"a key has no scopes to show", {"/k/key", .key = IS_KEY}, false, TO_PRODUCTION},
    /* the credential that lets in says where to */
    {"a key type without endpoint ends it",
     {"/p/either", .token = "\"keytype\":\"SANDBOX\"", .key = IS_KEY},
     false,
     "900901"},
    {"the same request without the token", {"/p/either", .key = IS_KEY}, false, TO_PRODUCTION},
    /* API keys */
    {"key type of an API key", {"/k/key", .key = IS_KEY SANDBOX}, false, TO_SANDBOX},
    {"an API key without key type", {"/k/key", .key = IS_KEY}, false, TO_PRODUCTION},
    {"an API key that is not valid yet",
     {"/k/key", .key = IS_KEY ",\"nbf\":1700000060"},
     false,
     "900901"},
    {"an API key's application in the store",
     {"/k/key", .key = IS_KEY ",\"application\":{\"id\":2,\"uuid\":\"app\"}"},
     true,
     TO_PRODUCTION},
    {"an API key's application, not subscribed",
     {"/p/key", .key = IS_KEY ",\"application\":{\"id\":2,\"uuid\":\"app\"}"},
     true,
     "900908"},
    {"an API key's application that is not there",
     {"/k/key", .key = IS_KEY ",\"application\":{\"id\":2,\"uuid\":\"other\"}"},
     true,
     "900908"},
    {"an API key without application", {"/k/key", .key = IS_KEY}, true, "900908"},
    {"an API key that brings its subscriptions is not asked about",
     {"/k/key", .key = IS_KEY ",\"subscribedAPIs\":[{\"name\":\"Keys\",\"version\":\"1\"}]"},
     true,
     TO_PRODUCTION},
    /* internal keys */
    {"blanks around an internal key",
     {"/k/key", .console = IS_CONSOLE FOR_K, .around = " "},
     false,
     TO_PRODUCTION},
    {"an internal key is not three parts",
     {"/k/key", .console = IS_CONSOLE FOR_K, .around = "."},
     false,
     "900901"},
    {"key type of an internal key",
     {"/k/key", .console = IS_CONSOLE SANDBOX FOR_K},
     false,
     TO_SANDBOX},
    {"an internal key of another API", {"/p/key", .console = IS_CONSOLE FOR_K}, false, "900908"},
    {"an internal key before a token",
     {"/k/either", .token = "\"keytype\":\"SANDBOX\"", .console = IS_CONSOLE FOR_K},
     false,
     TO_PRODUCTION},
};

static void test_cases(void **state)
{
    struct world worlds[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        open_world(&worlds[i], i == 1);
        fixture_set_store(&worlds[i].live, STORE);
    }
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) { /* and from the cache */
        size_t at = i % (sizeof(cases) / sizeof(cases[0]));
        struct world *w = &worlds[cases[at].validating];
        int status = ask(w, &cases[at].q);
        struct slice got = status == 200 ? w->d.backend : w->d.code;

        if (!slice_eq(got, slice_of(cases[at].expect)))
            fail_msg("%s: %.*s, \"%.*s\"", cases[at].name, SLICE_ARG(got), SLICE_ARG(w->d.reason));
        if (status != 200)
            assert_int_equal(status, slice_is(got, "900901") ? 401 : 403);
    }
    for (size_t i = 0; i < 2; i++)
        close_world(&worlds[i]);
}

/* --- on whose behalf ---------------------------------------------------------------------------
 */

static void expect_application(const struct world *w, int64_t id, const char *name,
                               const char *uuid, const char *tier, const char *subscription_tier)
{
    const struct enforce_application *a = &w->d.application;

    assert_int_equal(a->id, id);
    assert_true(slice_is(a->name, name) && slice_is(a->uuid, uuid));
    assert_true(slice_is(a->tier, tier));
    assert_true(slice_eq(slice_first(a->subscription_tier, 64), slice_of(subscription_tier)));
    assert_false(a->stop_on_quota_reach);
}

/* UUIDs: version 3 (MD5) of the name alone, without a name space, as Java makes them. */
static void applications_that_nobody_made(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, false);
    assert_int_equal(ask(&w, &(struct question){"/k/either", .token = ""}), 200);
    expect_application(&w, -1, "anon:rsa", "96df2404-36c0-397b-9781-7a5084c45d62", "Unlimited", "");
    assert_int_equal(ask(&w, &(struct question){"/k/key", .key = IS_KEY}), 200);
    expect_application(&w, -1, "anon:ed", "058325dc-c875-3060-ab7f-144bca6c0db5", "Unlimited", "");
    assert_int_equal(ask(&w, &(struct question){"/k/key", .console = IS_CONSOLE FOR_K}), 200);
    expect_application(&w, 0, "internal-key-app", "118fd1a4-73aa-3969-8c72-4f5cc06b1b0a",
                       "Unlimited", "Unlimited");
    assert_true(slice_is(w.d.user, "u"));
    assert_true(slice_is(w.d.application.owner, "internal-key-app"));
    assert_true(slice_is(w.d.keytype, "PRODUCTION"));
    close_world(&w);
}

static void a_blocked_api(void **state)
{
    static const struct question all[] = {
        {"/k/either", .token = ""},
        {"/k/key", .key = IS_KEY},
        {"/k/key", .console = IS_CONSOLE FOR_K},
        {.path = "/k/open"},
    };
    struct world w;

    (void)state;
    open_world(&w, false);
    fixture_set_store(&w.live, "apis: [{uuid: k, status: BLOCKED}]\n");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(ask(&w, &all[i]), 503);
        assert_true(slice_is(w.d.code, "700700"));
    }
    close_world(&w);
}

/* --- what is removed before the endpoint --------------------------------------------------------
 */

static void credentials_that_are_removed(void **state)
{
    static const struct question all[] = {
        {.path = "/k/open"},        {"/k/open", .token = "", .key = IS_KEY},
        {"/k/either", .token = ""}, /* the key's header, too, though there is none */
        {"/k/key", .key = IS_KEY},  {"/k/key", .console = IS_CONSOLE FOR_K},
    };
    struct world w;

    (void)state;
    open_world(&w, false);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(ask(&w, &all[i]), 200);
        assert_true(slice_is(w.d.strip_header, "authorization"));
        assert_true(slice_is(w.d.strip_keys, ",x-key,"));
    }
    close_world(&w);
}

/* --- revocation ---------------------------------------------------------------------------------
 */

/* Of each kind of credential; at once, also when it is remembered; nothing else is concerned. */
static void revoked_whatever_it_is(void **state)
{
    static const struct question all[] = {
        {"/k/either", .token = "\"jti\":\"one\""},
        {"/k/key", .key = IS_KEY ",\"jti\":\"one\""},
        {"/k/key", .console = IS_CONSOLE FOR_K ",\"jti\":\"one\""},
    };
    struct revoked *revoked = NULL;
    struct world w;

    (void)state;
    open_world(&w, false);
    fixture_need(revoked_new(&revoked, 16), "table");
    revoked_set_ready(revoked, true);
    enforce_worker_set_revoked(w.worker, revoked);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ask(&w, &all[i]), 200);
    revoked_add(revoked, SLICE("one"), FIXTURE_NOW + 3600, REVOKED_BY_STATE, FIXTURE_NOW);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask(&w, &all[i]), 401);
        assert_true(slice_is(w.d.code, "900901"));
    }
    assert_int_equal(ask(&w, &(struct question){"/k/either", .token = "\"jti\":\"two\""}), 200);
    close_world(&w);
    revoked_free(&revoked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(applications_that_nobody_made),
        cmocka_unit_test(a_blocked_api),
        cmocka_unit_test(credentials_that_are_removed),
        cmocka_unit_test(revoked_whatever_it_is),
    };

    return cmocka_run_group_tests_name("enforce/contract", tests, NULL, NULL);
}
