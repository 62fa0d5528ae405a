/* Deny rules and limits: which of them a request has, in which order, and what it is told. */
#include "fixture.h"

#include "enforce/throttle_match.h"
#include "enforce/trace.h"
#include "generator/policy.h"
#include "subs/subs_read.h"
#include "throttle/counter.h"

#include "alloc_count.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { AUTHORIZATION, LENGTH, ENCODING, X_A, X_TOKEN, HEADERS };

static const struct slice header_names[] = {
    SLICE_INIT("authorization"), SLICE_INIT("content-length"), SLICE_INIT("transfer-encoding"),
    SLICE_INIT("x-a"), SLICE_INIT("x-token")};

struct world {
    struct fixture f;
    struct gw_api apis[4];
    struct gw_resource resource;
    struct gw_operation operation;
    struct arena *arena;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct counter_table *counters;
    struct enforce_live *live;
    struct clock_fixed clock;
    struct enforce_decision d;
    struct enforce_trace trace;
};

static const char store[] =
    "applications:\n"
    "  - {uuid: app, id: 2, name: Shop, subName: alice, policy: AppTier, tenantDomain: t,"
    " attributes: {team: blue}}\n"
    "  - {uuid: slow, id: 3, name: Slow, subName: bob, policy: AppTier}\n"
    "applicationPolicies: [{name: AppTier}]\n"
    "subscriptionPolicies: [{name: SubTier}, {name: Bills, stopOnQuotaReach: false},"
    " {name: Nowhere}]\n"
    "applicationKeyMappings:\n"
    "  - {consumerKey: key, keyManager: rsa, applicationUUID: app}\n"
    "  - {consumerKey: slow, keyManager: rsa, applicationUUID: slow}\n"
    "subscriptions:\n"
    "  - {applicationUUID: app, apiUUID: pets, policyId: SubTier}\n"
    "  - {applicationUUID: slow, apiUUID: pets, policyId: Bills}\n"
    "  - {applicationUUID: app, apiUUID: box, policyId: Nowhere}\n";

static void read_policies(struct world *w, const char *yaml)
{
    struct config config = {.throttling = {.enabled = true}};
    static struct slice both[] = {SLICE_INIT("RateLimit"), SLICE_INIT("X-RateLimit")};
    struct diag *diag = diag_new();
    struct project_build build = {.config = &config, .arena = w->arena, .diag = diag};

    config.throttling.headers = both;
    config.throttling.n_headers = 2;
    config.throttling.unauthenticated_tier =
        strstr(yaml, "Nobody") != NULL ? SLICE("Nobody") : SLICE("Unlimited");
    policy_read_text(&build, slice_of(yaml), "policies.yaml", &w->f.model);
    if (build.rc != CC_OK || diag_errors(diag) > 0) {
        diag_print(diag, stderr, false);
        fail_msg("%s", yaml);
    }
    diag_free(&diag);
}

/* Pets has the tier `tier`; rsa validates subscriptions, ed does not. */
static void open_world(struct world *w, const char *policies, const char *tier)
{
    const struct enforce_options options = {.cache_entries = 64, .cache_bytes = 262144};
    struct arena *arena = arena_new(1 << 24);
    struct diag *diag = diag_new();
    struct subs *subs = NULL;

    *w = (struct world){.arena = arena_new(1 << 24)};
    fixture_init(&w->f);
    read_policies(w, policies);
    memcpy(w->apis, fixture_apis, 3 * sizeof(w->apis[0]));
    w->apis[0].tier = slice_of(tier);
    /* Box: its only operation has the tier, not the API */
    w->operation = fixture_far[0];
    w->operation.tier = SLICE("OpTier");
    w->resource = fixture_box_resources[0];
    w->resource.operations = &w->operation;
    w->apis[2].resources = &w->resource;
    w->apis[2].n_resources = 1;
    w->apis[2].production = &fixture_clusters[0];
    w->apis[2].base_path = SLICE("/t/acme/box");
    w->f.model.apis = w->apis;
    w->f.model.headers = header_names;
    w->f.model.n_headers = HEADERS;
    w->f.issuers[FIXTURE_RSA].validate_subscription = true;
    w->rules = fixture_rules(&w->f);
    fixture_need(subs_read_text(&subs, slice_of(store), "subs.yaml", arena, diag), "store");
    fixture_need(enforce_live_with_subs(&w->live, NULL, subs), "live");
    subs_unref(&subs);
    diag_free(&diag);
    arena_free(&arena);
    fixture_need(counter_table_new(&w->counters, COUNTER_MIN_KEYS), "counters");
    fixture_need(enforce_worker_new(&w->worker, &options), "worker");
    enforce_worker_count_in(w->worker, w->counters);
    clock_fixed_init(&w->clock, FIXTURE_NOW, 1000000);
}

static void close_world(struct world *w)
{
    enforce_live_unref(&w->live);
    enforce_worker_free(&w->worker);
    counter_table_free(&w->counters);
    enforce_rules_unref(&w->rules);
    fixture_free(&w->f);
    arena_free(&w->arena);
}

/* A request; what is not said: GET /pets/1.0/pets/7 of alice by the application Shop. */
struct question {
    const char *path, *query, *ip;
    const char *user, *key;
    const char *claims;   /* further ones: "\"role\":\"a\"" */
    bool ed;              /* of an issuer that does not validate */
    bool nobody;          /* no token */
    const char *lines[4]; /* of X-A */
    unsigned n_lines;     /* when there are more than are sent */
    const char *length, *encoding;
};

static char *token_of(struct world *w, const struct question *q)
{
    char payload[2048];

    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://%s\",\"exp\":1700000100,\"sub\":\"%s\",\"%s\":\"%s\"%s%s}",
             q->ed ? "ed" : "rsa", q->user != NULL ? q->user : "alice", q->ed ? "client" : "azp",
             q->key != NULL ? q->key : "key", q->claims != NULL ? "," : "",
             q->claims != NULL ? q->claims : "");
    return fixture_sign(&w->f, q->ed ? FIXTURE_ED : FIXTURE_RSA, q->ed ? JWT_EdDSA : JWT_RS256,
                        payload);
}

static void set_header(struct enforce_header *h, const char *value)
{
    if (value != NULL)
        *h = (struct enforce_header){.value = slice_of(value), .count = 1};
}

/* 200 or the status; "429 900803" as one text in `said`. */
static const char *ask_traced(struct world *w, struct question q, struct enforce_trace *trace)
{
    static char said[32];
    struct enforce_header headers[HEADERS] = {{.count = 0}};
    struct enforce_request r = {.id = SLICE("id"),
                                .method = SLICE("GET"),
                                .path = slice_of(q.path != NULL ? q.path : "/pets/1.0/pets/7"),
                                .query = slice_of(q.query != NULL ? q.query : ""),
                                .host = SLICE("h"),
                                .headers = headers};
    char *token = token_of(w, &q), bearer[4096];

    snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    free(token);
    set_header(&headers[AUTHORIZATION], q.nobody ? NULL : bearer);
    set_header(&headers[LENGTH], q.length);
    set_header(&headers[ENCODING], q.encoding);
    for (unsigned i = 0; i < 4 && q.lines[i] != NULL; i++) {
        if (i == 0)
            headers[X_A].value = slice_of(q.lines[i]);
        else if (i <= ENFORCE_MORE_LINES)
            headers[X_A].more[i - 1] = slice_of(q.lines[i]);
        headers[X_A].count++;
    }
    if (q.n_lines > 0)
        headers[X_A].count = q.n_lines;
    if (q.ip != NULL)
        r.has_src = gw_address_parse(slice_of(q.ip), &r.src);
    enforce_decide_traced(w->worker, w->rules, w->live, &r, &w->clock.clock, &w->d, trace);
    snprintf(said, sizeof(said), "%d%s%.*s", w->d.verdict == ENFORCE_ALLOW ? 200 : w->d.status,
             w->d.code.n > 0 ? " " : "", SLICE_ARG(w->d.code));
    return said;
}

static const char *ask(struct world *w, struct question q)
{
    return ask_traced(w, q, NULL);
}

#define ASK(...) ask(&w, (struct question){__VA_ARGS__})

/* Is the limit of `n` in force for requests like this: n pass, and no more? */
static void expect_limit(struct world *w, struct question q, unsigned n, const char *refused)
{
    for (unsigned i = 0; i < n; i++)
        assert_string_equal(ask(w, q), "200");
    assert_string_equal(ask(w, q), refused);
}

/* --- levels -------------------------------------------------------------------------------------
 */

#define LEVEL(list, name, n) list ": [{name: " name ", requestCount: " n ", timeUnit: minute}]\n"
#define NO_APP               "applicationPolicies: [{name: AppTier, unlimited: true}]\n"
#define NO_SUB \
    "subscriptionPolicies: [{name: SubTier, unlimited: true}, {name: Bills, unlimited: true}]\n"
#define NOTHING NO_APP NO_SUB

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
    struct counter_row row;
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
    assert_true(counter_find(w.counters, SLICE("subscription:SubTier:2:/pets/1.0:1.0"),
                             counter_now(&w.clock.clock), &row));
    assert_int_equal(row.used, 1);
    assert_true(counter_find(w.counters, SLICE("application:AppTier:2:alice@carbon.super"),
                             counter_now(&w.clock.clock), &row));
    assert_int_equal(row.used, 1);
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
    w.clock.now_mono_us += 1000000;
    expect_limit(&w, (struct question){.user = NULL}, 2, "429 900800");
    w.clock.now_mono_us += 1000000;
    expect_limit(&w, (struct question){.user = NULL}, 1, "429 900800");
    assert_false(slice_contains(w.d.reason, SLICE("(burst)")));
    w.clock.now_mono_us += 58000000;
    assert_string_equal(ASK(.user = NULL), "200");
    close_world(&w);
}

/* --- conditions ---------------------------------------------------------------------------------
 */

static const struct {
    const char *conditions;
    struct question in, out; /* in the group, whose limit is 1; and not, where it is 2 */
} conditions[] = {
    {"{ip: 192.0.2.9}", {.ip = "192.0.2.9"}, {.ip = "192.0.2.8"}},
    {"{ip: 192.0.2.9}", {.ip = "::ffff:192.0.2.9"}, {.ip = "::192.0.2.9"}},
    {"{ip: \"2001:db8::9\"}", {.ip = "2001:db8:0::9"}, {.ip = "2001:db8::8"}},
    {"{ip: 192.0.2.9, invert: true}", {.ip = "192.0.2.8"}, {.ip = "192.0.2.9"}},
    {"{ip: 192.0.2.9, invert: true}", {.ip = NULL}, {.ip = "192.0.2.9"}},
    {"{ip: 192.0.2.9}", {.ip = "192.0.2.9"}, {.ip = NULL}},
    {"{ipRange: 192.0.2.0/24}", {.ip = "192.0.2.255"}, {.ip = "192.0.3.0"}},
    {"{ipRange: 192.0.2.7-192.0.2.9}", {.ip = "192.0.2.7"}, {.ip = "192.0.2.6"}},
    {"{ipRange: \"2001:db8::/32\"}", {.ip = "2001:db8:ffff::1"}, {.ip = "192.0.2.1"}},
    {"{header: X-A}", {.lines = {""}}, {.ip = NULL}},
    {"{header: x-a, value: b}", {.lines = {"b"}}, {.lines = {"B"}}},
    {"{header: X-A, value: b}", {.lines = {" b\t"}}, {.lines = {"b, c"}}},
    {"{header: X-A, value: b}", {.lines = {"a", "c", "b"}}, {.lines = {"a", "c", "d"}}},
    {"{header: X-A, matches: b}", {.lines = {"abc"}}, {.lines = {"ac"}}},
    {"{header: X-A, matches: \"^a.c$\"}", {.lines = {"x", "abc"}}, {.lines = {"abcd"}}},
    {"{header: X-A, value: b, invert: true}", {.lines = {"a"}}, {.lines = {"a", "b"}}},
    {"{header: X-A, value: b, invert: true}", {.ip = NULL}, {.lines = {"b"}}},
    {"{query: q}", {.query = "a&q"}, {.query = "qq=1"}},
    {"{query: q, value: \"a b&\"}", {.query = "q=a+b%26"}, {.query = "q=a%2bb%26"}},
    {"{query: q, value: b}", {.query = "q=a&%71=b"}, {.query = "q=b&q=a"}},
    {"{query: \"q[]\", value: \"%\"}", {.query = "q%5B%5D=%"}, {.query = "q%5B%5D=%25%"}},
    {"{query: q, matches: \"[0-9]+\"}", {.query = "q=a7"}, {.query = "q=a"}},
    {"{query: q, invert: true}", {.query = "x"}, {.query = "q="}},
    {"{claim: role}", {.claims = "\"role\":{}"}, {.claims = "\"role\":null"}},
    {"{claim: role, value: admin}", {.claims = "\"role\":\"admin\""}, {.claims = "\"role\":\"a\""}},
    {"{claim: role, value: admin}",
     {.claims = "\"role\":[\"a\",\"admin\"]"},
     {.claims = "\"role\":[\"a\",\"b\"]"}},
    {"{claim: level, value: \"7\"}", {.claims = "\"level\":7"}, {.claims = "\"level\":\"07\""}},
    {"{claim: beta, value: \"true\"}", {.claims = "\"beta\":true"}, {.claims = "\"beta\":false"}},
    {"{claim: role, matches: \"^ad\"}", {.claims = "\"role\":[1,\"admin\"]"}, {.ip = NULL}},
    {"{claim: role, value: admin, invert: true}", {.ip = NULL}, {.claims = "\"role\":\"admin\""}},
    {"{claim: sub, value: alice}", {.ip = NULL}, {.user = "bob"}},
    {"{ip: 192.0.2.9}, {query: q}, {header: X-A}",
     {.ip = "192.0.2.9", .query = "q", .lines = {"1"}},
     {.ip = "192.0.2.9", .query = "q"}},
};

static void test_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(conditions); i++) {
        char policies[1024];
        struct world w;

        snprintf(policies, sizeof(policies),
                 NOTHING "advancedPolicies:\n  - name: A\n    requestCount: 2\n    timeUnit: day\n"
                         "    conditionGroups:\n      - conditions: [%s]\n"
                         "        requestCount: 1\n        timeUnit: day\n",
                 conditions[i].conditions);
        open_world(&w, policies, "A");
        for (int n = 0; n < 4; n++) {
            const char *in = n < 1 ? "200" : "429 900800", *out = n < 2 ? "200" : "429 900800";

            if (strcmp(ask(&w, conditions[i].in), in) != 0)
                fail_msg("%zu: %s: in: %s", i, conditions[i].conditions, ask(&w, conditions[i].in));
            if (strcmp(ask(&w, conditions[i].out), out) != 0)
                fail_msg("%zu: %s: out: %s", i, conditions[i].conditions,
                         ask(&w, conditions[i].out));
        }
        close_world(&w);
    }
}

static void test_groups(void **state)
{
    static const char policies[] =
        NOTHING "advancedPolicies:\n  - name: A\n    requestCount: 3\n    timeUnit: day\n"
                "    conditionGroups:\n"
                "      - {conditions: [{query: a}], requestCount: 1, timeUnit: day}\n"
                "      - {conditions: [{query: b}], requestCount: 2, timeUnit: day}\n"
                "      - {conditions: [{query: c}], unlimited: true}\n";
    struct world w;

    (void)state;
    open_world(&w, policies, "A");
    /* the first that matches, each counted by itself, and what is in none */
    expect_limit(&w, (struct question){.query = "a&b"}, 1, "429 900800");
    expect_limit(&w, (struct question){.query = "b"}, 2, "429 900800");
    expect_limit(&w, (struct question){.query = ""}, 3, "429 900800");
    for (int i = 0; i < 9; i++)
        assert_string_equal(ASK(.query = "c"), "200");
    close_world(&w);
}

/* Who sends what cannot be decided does not choose his limit by it. */
static void test_undecided(void **state)
{
    static const char header[] =
        NOTHING "advancedPolicies:\n  - name: A\n    unlimited: true\n    conditionGroups:\n"
                "      - {conditions: [{header: X-A, value: b}], unlimited: true}\n";
    static const char pattern[] =
        NOTHING "advancedPolicies:\n  - name: A\n    unlimited: true\n    conditionGroups:\n"
                "      - {conditions: [{query: q, matches: \"a*a*a*a*a*a*b$\", invert: true}],"
                " unlimited: true}\n";
    static char query[4100] = "q=";
    struct world w;

    (void)state;
    open_world(&w, header, "A");
    assert_string_equal(ASK(.lines = {"a", "a", "a"}), "200");
    assert_string_equal(ASK(.lines = {"a", "a", "a"}, .n_lines = 4), "400 400");
    assert_string_equal(ASK(.lines = {"a"}, .n_lines = 2), "400 400");
    close_world(&w);
    open_world(&w, pattern, "A");
    memset(query + 2, 'a', 4096);
    memcpy(query + 4090, "ba", 2);
    assert_string_equal(ASK(.query = query), "400 400");
    assert_string_equal(ASK(.query = "q=aab"), "200");
    close_world(&w);
}

static void test_queries(void **state)
{
    char room[8];
    struct slice value;
    bool fits;

    (void)state;
    assert_true(throttle_query(SLICE("a=1&b=%31+%zz"), SLICE("b"), room, 8, &value, &fits));
    assert_true(fits && slice_is(value, "1 %zz"));
    assert_true(throttle_query(SLICE("a=123456789"), SLICE("a"), room, 8, &value, &fits));
    assert_false(fits);
    assert_false(throttle_query(SLICE("ab=1"), SLICE("a"), room, 8, &value, &fits));
    assert_false(throttle_query(SLICE("%61%"), SLICE("a"), room, 8, &value, &fits));
    assert_false(throttle_query(SLICE(""), SLICE("a"), room, 8, &value, &fits));
    assert_true(throttle_query(SLICE("a"), SLICE("a"), room, 8, &value, &fits));
    assert_int_equal(value.n, 0);
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
        struct counter_row row;
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
        if (!counter_find(w.counters, slice_of(key), counter_now(&w.clock.clock), &row))
            fail_msg("%s: %.*s", key, SLICE_ARG(w.d.reason));
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

/* --- deny rules ---------------------------------------------------------------------------------
 */

static const struct {
    const char *rule;
    struct question denied, allowed;
} denials[] = {
    {"{api: /pets/1.0}", {.user = NULL}, {.path = "/t/acme/box/far", .ed = true}},
    {"{api: /pets/1.0, invert: true}", {.path = "/t/acme/box/far", .ed = true}, {.user = NULL}},
    {"{application: \"alice:Shop\"}", {.user = "bob"}, {.key = "slow"}},
    {"{application: \"alice:Shop\", invert: true}", {.key = "slow"}, {.user = NULL}},
    {"{user: bob@carbon.super}", {.user = "bob"}, {.user = "alice"}},
    {"{user: bob@acme}", {.path = "/t/acme/box/far", .ed = true, .user = "bob"}, {.user = "bob"}},
    {"{user: bob}", {.path = "/t/acme/box/far", .ed = true, .user = "bob"}, {.user = "alice"}},
    {"{user: bob, invert: true}", {.user = "alice"}, {.user = "bob"}},
    {"{user: bob@carbon.super, invert: true}", {.user = "alice"}, {.user = "bob"}},
    {"{user: anonymous}", {.path = "/pets/1.0/open", .nobody = true}, {.user = NULL}},
    {"{subscription: \"/pets/1.0:1.0:alice-Shop:PRODUCTION\"}", {.user = NULL}, {.key = "slow"}},
    {"{subscription: \"/pets/1.0:1.0:alice-Shop:PRODUCTION\", invert: true}",
     {.key = "slow"},
     {.user = NULL}},
    {"{ip: 192.0.2.9}", {.ip = "192.0.2.9"}, {.ip = "192.0.2.8"}},
    {"{ip: 192.0.2.9}", {.ip = "::ffff:c000:209"}, {.ip = NULL}},
    {"{ip: 192.0.2.9, invert: true}", {.ip = "192.0.2.8"}, {.ip = "192.0.2.9"}},
    {"{ip: 192.0.2.9, invert: true}", {.ip = NULL}, {.ip = "192.0.2.9"}},
    {"{ipRange: 192.0.2.0/24}", {.ip = "192.0.2.0"}, {.ip = "192.0.1.255"}},
    {"{ipRange: 192.0.2.7-192.0.2.9}", {.ip = "192.0.2.9"}, {.ip = "192.0.2.10"}},
    {"{ipRange: \"2001:db8::/32\", invert: true}", {.ip = "192.0.2.9"}, {.ip = "2001:db8::9"}},
    {"{ipRange: 10.0.0.0/8}, {ipRange: 10.1.0.0/16}, {ip: 10.2.0.1}",
     {.ip = "10.9.9.9"},
     {.ip = "11.0.0.0"}},
    {"{ip: 10.0.0.1, from: 2023-11-14T22:13:20Z}", {.ip = "10.0.0.1"}, {.ip = "10.0.0.2"}},
    {"{ip: 10.0.0.1, until: 2023-11-14T22:13:21Z}", {.ip = "10.0.0.1"}, {.ip = "10.0.0.2"}},
    {"{ip: 10.0.0.2}, {ip: 10.0.0.1, until: 2023-11-14T22:13:20Z}",
     {.ip = "10.0.0.2"},
     {.ip = "10.0.0.1"}},
    {"{user: a}, {ip: 10.0.0.1, from: 2023-11-14T22:13:21Z}", {.user = "a"}, {.ip = "10.0.0.1"}},
};

static void test_deny_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(denials); i++) {
        char policies[1024];
        struct world w;

        snprintf(policies, sizeof(policies),
                 NOTHING "advancedPolicies: [{name: OpTier, unlimited: true}]\ndenyRules: [%s]\n",
                 denials[i].rule);
        open_world(&w, policies, "");
        if (strcmp(ask(&w, denials[i].denied), "403 900805") != 0 ||
            strcmp(ask(&w, denials[i].allowed), "200") != 0)
            fail_msg("%s: %s: %.*s", denials[i].rule, ask(&w, denials[i].denied),
                     SLICE_ARG(w.d.reason));
        close_world(&w);
    }
}

/* Many rules, some inside of others: the same as looking at each. */
static void test_many_ranges(void **state)
{
    static struct gw_deny_rule rules[500];
    static char texts[500][64];
    struct arena *arena = arena_new(deny_set_bytes(500) + (1 << 16));
    struct deny_set *set;
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        uint32_t first, last;

        random = random * 1664525 + 1013904223;
        first = random >> 16;
        random = random * 1664525 + 1013904223;
        last = first + (random >> 16) % (i % 7 == 0 ? 9000 : 40);
        snprintf(texts[i], sizeof(texts[i]), "10.%u.%u.0-10.%u.%u.255", first >> 8 & 255,
                 first & 255, (last > 65535 ? 65535 : last) >> 8,
                 (last > 65535 ? 65535 : last) & 255);
        rules[i] = (struct gw_deny_rule){.kind = GW_DENY_ADDRESS, .value = slice_of(texts[i])};
        rules[i].until_s = i % 5 == 0 ? 1 : 0; /* over by now */
    }
    set = deny_set_new(rules, 500, arena);
    assert_non_null(set);
    for (unsigned i = 0; i < 65536; i += 3) {
        char text[32];
        struct gw_address a;
        bool denied = false;

        snprintf(text, sizeof(text), "10.%u.%u.7", i >> 8, i & 255);
        assert_true(gw_address_parse(slice_of(text), &a));
        for (size_t k = 0; k < 500 && !denied; k++) {
            struct gw_address_range range;

            assert_null(gw_address_range_parse(rules[k].value, &range));
            denied = rules[k].until_s == 0 && gw_address_in(&a, &range);
        }
        assert_int_equal(deny_set_find_address(set, &a, 2) != NULL, denied);
    }
    arena_free(&arena);
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
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_refused_for_other_reasons),
        cmocka_unit_test(test_without_credentials),
        cmocka_unit_test(test_that_only_logs),
        cmocka_unit_test(test_unknown_tier),
        cmocka_unit_test(test_off_and_without_counters),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_custom_conditions),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_deny_rules),
        cmocka_unit_test(test_many_ranges),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_claims_and_the_cache),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_default_version),
        cmocka_unit_test(test_no_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
