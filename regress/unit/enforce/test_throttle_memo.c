/* What is remembered of callers may make decisions faster, and nothing else. */
#include "throttle_fixture.h"

#include "enforce/attempt.h"
#include "enforce/deny_list.h"
#include "enforce/throttle_memo.c" /* how many it knows is nobody's business but ours */

/* Each application may send three a minute, and nothing else is limited. */
static void open_three(struct world *w)
{
    open_world(w,
               NO_SUB LEVEL("applicationPolicies", "AppTier",
                            "3") "advancedPolicies: [{name: A, unlimited: true}]\n",
               "A");
}

/* The same world with a worker that remembers nothing. */
static void forget(struct world *w)
{
    const struct enforce_options options = {.cache_entries = 0, .cache_bytes = 0};

    enforce_worker_free(&w->worker);
    fixture_need(enforce_worker_new(&w->worker, &options), "worker");
    enforce_worker_count_in(w->worker, w->counters);
}

static void deny(struct world *w, const struct gw_deny_rule *rule)
{
    struct deny_list *list = NULL;

    if (rule != NULL)
        fixture_need(deny_list_new(&list, rule, 1), "list");
    enforce_live_deny(w->live, list);
}

static unsigned roll(unsigned sides)
{
    static uint64_t state = 42;

    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(state >> 33) % sides;
}

static const char mixed[] =
    "advancedPolicies:\n"
    "  - {name: A, requestCount: 40, timeUnit: minute, conditionGroups: [{requestCount: 3,"
    " timeUnit: minute, conditions: [{header: X-A, value: few}]}]}\n"
    "  - {name: OpTier, requestCount: 30, timeUnit: minute}\n"
    "subscriptionPolicies: [{name: SubTier, requestCount: 25, timeUnit: minute},"
    " {name: Bills, requestCount: 5, timeUnit: minute, window: sliding}]\n"
    "applicationPolicies: [{name: AppTier, requestCount: 9, timeUnit: minute}]\n"
    "customPolicies: [{name: c, keyTemplate: \"$clientIp:$userId\", requestCount: 7,"
    " timeUnit: minute}]\n"
    "denyRules: [{user: mallory}, {subscription: \"/pets/1.0:1.0:bob-Slow:PRODUCTION\"},"
    " {ip: 192.0.2.66}]\n";

static struct question any_question(void)
{
    static const char *const users[] = {"alice", "bob", "carol", "mallory", "a", ""};
    static const char *const ips[] = {NULL,          "192.0.2.1",   "192.0.2.2",   "192.0.2.66",
                                      "2001:db8::1", "2001:db8::2", "2001:db8:1::"};
    static const char *const keys[] = {"key", "slow", "key"};
    struct question q = {.user = users[roll(N(users))], .ip = ips[roll(N(ips))]};

    q.key = keys[roll(N(keys))];
    if (roll(4) == 0)
        q.path = "/pets/1.0/open", q.nobody = roll(2) == 0;
    else if (roll(4) == 0)
        q.path = "/t/acme/box/far", q.ed = true;
    if (roll(5) == 0)
        q.lines[0] = "few";
    if (roll(3) == 0)
        q.claims = "\"keytype\":\"SANDBOX\"";
    return q;
}

static bool same(struct slice a, struct slice b)
{
    return slice_eq(a, b) || (a.n == 0 && b.n == 0);
}

static void test_same_decisions(void **state)
{
    unsigned refused = 0, allowed = 0;
    struct world w, plain;

    (void)state;
    open_world(&w, mixed, "A");
    open_world(&plain, mixed, "A");
    forget(&plain);
    count_networks(&w, 64);
    count_networks(&plain, 64);
    for (unsigned i = 0; i < 6000; i++) {
        struct question q = any_question();
        char said[32];

        snprintf(said, sizeof(said), "%s", ask(&w, q));
        if (strcmp(said, ask(&plain, q)) != 0 || !same(w.d.reason, plain.d.reason) ||
            !same(w.d.limits.state, plain.d.limits.state) ||
            !same(w.d.limits.policy, plain.d.limits.policy))
            fail_msg("%u: %s %.*s, %.*s", i, said, SLICE_ARG(w.d.reason),
                     SLICE_ARG(plain.d.reason));
        refused += w.d.status == 429;
        allowed += w.d.verdict == ENFORCE_ALLOW;
        w.clock.now_mono_us += 100000;
        plain.clock.now_mono_us += 100000;
    }
    assert_true(refused > 500 && allowed > 500);
    close_world(&w);
    close_world(&plain);
}

static const struct enforce_trace_step *step_of(const struct world *w, enum enforce_step step)
{
    size_t i = 0;

    while (i < w->trace.n && w->trace.steps[i].step != step)
        i++;
    fixture_need(i < w->trace.n ? CC_OK : CC_ENOENT, "step");
    return &w->trace.steps[i];
}

/* Two generations are served in turns, as while HAProxy is reloaded, and what is live changes all
 * the time: between any two requests rules, store and deny list may be others. */
struct changing {
    struct world w;
    struct enforce_rules *generations[2];
};

static void open_changing(struct changing *c)
{
    static const char other[] =
        "advancedPolicies: [{name: A, requestCount: 20, timeUnit: minute},"
        " {name: OpTier, unlimited: true}]\n"
        "subscriptionPolicies: [{name: SubTier, requestCount: 40, timeUnit: minute},"
        " {name: Bills, unlimited: true}]\n"
        "applicationPolicies: [{name: AppTier, requestCount: 4, timeUnit: minute}]\n"
        "customPolicies: [{name: c, keyTemplate: \"$clientIp:$apiContext\", requestCount: 12,"
        " timeUnit: minute}, {name: d, keyTemplate: \"$appId\", requestCount: 30,"
        " timeUnit: minute}]\n"
        "denyRules: [{user: carol}, {ip: 192.0.2.2}]\n";

    open_world(&c->w, mixed, "A");
    c->generations[0] = c->w.rules;
    c->w.f.model.policies = NULL;
    c->w.f.model.n_policies = 0;
    read_policies(&c->w, other);
    c->generations[1] = fixture_rules(&c->w.f);
}

static void close_changing(struct changing *c)
{
    c->w.rules = c->generations[0];
    enforce_rules_unref(&c->generations[1]);
    close_world(&c->w);
}

static void change(struct changing *c, unsigned generation, unsigned what, unsigned which)
{
    static const char *const tiers[] = {"AppTier", "Other"}, *const owners[] = {"alice", "eve"};
    static const struct gw_deny_rule rules[] = {
        {.kind = GW_DENY_USER, .value = SLICE_INIT("alice")},
        {.kind = GW_DENY_APPLICATION, .value = SLICE_INIT("eve:Shop")},
        {.kind = GW_DENY_USER, .value = SLICE_INIT("bob"), .invert = true},
        {.kind = GW_DENY_ADDRESS, .value = SLICE_INIT("192.0.2.1")},
    };
    char yaml[1024];

    c->w.rules = c->generations[generation];
    if (what == 0)
        deny(&c->w, which < N(rules) ? &rules[which] : NULL);
    if (what != 1)
        return;
    snprintf(yaml, sizeof(yaml),
             "applications: [{uuid: app, id: 2, name: Shop, subName: %s, policy: %s}]\n"
             "applicationPolicies: [{name: AppTier}, {name: Other}]\n"
             "subscriptionPolicies: [{name: SubTier, stopOnQuotaReach: %s}]\n"
             "applicationKeyMappings: [{consumerKey: key, keyManager: rsa, applicationUUID: app}]\n"
             "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: SubTier}]\n",
             owners[which & 1], tiers[which >> 1 & 1], which & 4 ? "true" : "false");
    fixture_set_store(&c->w.live, which == 7 ? store : yaml);
}

static void test_same_decisions_while_all_changes(void **state)
{
    struct changing c, plain;
    unsigned answers[4] = {0};

    (void)state;
    open_changing(&c);
    open_changing(&plain);
    forget(&plain.w);
    for (unsigned i = 0; i < 2500; i++) {
        unsigned generation = roll(2), what = roll(40), which = roll(8);
        struct question q = any_question();
        char said[32];

        change(&c, generation, what, which);
        change(&plain, generation, what, which);
        snprintf(said, sizeof(said), "%s", ask(&c.w, q));
        if (strcmp(said, ask(&plain.w, q)) != 0 || !same(c.w.d.reason, plain.w.d.reason) ||
            !same(c.w.d.limits.state, plain.w.d.limits.state) ||
            !same(c.w.d.limits.policy, plain.w.d.limits.policy))
            fail_msg("%u: %s %.*s, %.*s", i, said, SLICE_ARG(c.w.d.reason),
                     SLICE_ARG(plain.w.d.reason));
        answers[0] += c.w.d.verdict == ENFORCE_ALLOW;
        answers[1] += c.w.d.status == 429;
        answers[2] += c.w.d.status == 403;
        answers[3] += c.w.d.status == 503; /* a tier that is not there */
        c.w.clock.now_mono_us += 100000;
        plain.w.clock.now_mono_us += 100000;
    }
    for (size_t i = 0; i < N(answers); i++)
        assert_true(answers[i] > 20);
    close_changing(&c);
    close_changing(&plain);
}

/* Two who differ in anything that keys or deny rules are made from are two; also when all that one
 * has is said by the other in another place. */
static void test_each_difference(void **state)
{
    static const struct gw_operation operations[2] = {{.method = GW_GET}};
    static const struct gw_api apis[2] = {{.n_resources = 0}};
    static const struct throttle_caller first = {
        .name = SLICE_INIT("ab"),
        .subscriber = SLICE_INIT("c"),
        .app_name = SLICE_INIT("d"),
        .keytype = SLICE_INIT("e"),
        .certificate = SLICE_INIT("f"),
        .app_tier = SLICE_INIT("g"),
        .subscription_tier = SLICE_INIT("h"),
        .app_id = 7,
        .stop = true,
    };
    struct throttle_caller all[9];
    struct enforce_rules rules[2] = {{.serial = 1}, {.serial = 2}};
    struct enforce_decision out = {.api = &apis[0], .operation = &operations[0]};
    struct enforce_worker worker = {.counters = NULL};
    struct attempt a = {.w = &worker, .rules = &rules[0], .out = &out};
    struct throttle_limits none = {.n = 0};
    struct throttle_memo *memo = NULL;

    (void)state;
    for (size_t i = 0; i < N(all); i++)
        all[i] = first;
    all[0].name = SLICE("a"), all[0].subscriber = SLICE("bc");
    all[1].subscriber = SLICE(""), all[1].app_name = SLICE("cd");
    all[2].subscriber = SLICE("x");
    all[3].keytype = SLICE("x");
    all[4].certificate = SLICE("");
    all[5].app_tier = SLICE("x");
    all[6].subscription_tier = SLICE("hh");
    all[7].app_id = 8;
    all[8].stop = false;
    fixture_need(throttle_memo_new(&memo, 64), "memo");
    assert_non_null(throttle_memo_keep(memo, &a, &first, &none));
    assert_non_null(throttle_memo_find(memo, &a, &first));
    for (size_t i = 0; i < N(all); i++)
        if (throttle_memo_find(memo, &a, &all[i]) != NULL)
            fail_msg("caller %zu is taken for another", i);
    out.operation = &operations[1];
    assert_null(throttle_memo_find(memo, &a, &first));
    out.operation = &operations[0];
    out.api = &apis[1];
    assert_null(throttle_memo_find(memo, &a, &first));
    out.api = &apis[0];
    a.rules = &rules[1];
    assert_null(throttle_memo_find(memo, &a, &first));
    a.rules = &rules[0];
    assert_non_null(throttle_memo_find(memo, &a, &first));
    throttle_memo_clear(memo);
    assert_null(throttle_memo_find(memo, &a, &first));
    throttle_memo_free(&memo);
}

/* That no deny rule was about a caller is not true any more when there are other rules. */
static void test_deny_rules_that_come(void **state)
{
    struct gw_deny_rule rules[] = {
        {.kind = GW_DENY_USER, .value = SLICE("alice")},
        {.kind = GW_DENY_API, .value = SLICE("/pets/1.0")},
        {.kind = GW_DENY_APPLICATION, .value = SLICE("alice:Shop")},
        {.kind = GW_DENY_SUBSCRIPTION, .value = SLICE("/pets/1.0:1.0:alice-Shop:PRODUCTION")},
        {.kind = GW_DENY_USER, .value = SLICE("bob"), .invert = true},
    };
    static const struct gw_deny_rule other = {.kind = GW_DENY_USER, .value = SLICE_INIT("nobody")};
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "100000"), "A");
    for (size_t i = 0; i < N(rules); i++) {
        for (int k = 0; k < 3; k++)
            assert_string_equal(ASK(.claims = "\"keytype\":\"PRODUCTION\""), "200");
        deny(&w, &rules[i]);
        assert_string_equal(ASK(.claims = "\"keytype\":\"PRODUCTION\""), "403 900805");
        deny(&w, &other);
        for (int k = 0; k < 3; k++)
            assert_string_equal(ASK(.claims = "\"keytype\":\"PRODUCTION\""), "200");
        deny(&w, NULL);
    }
    close_world(&w);
}

/* Who asks why learns whether a rule is of a file, which has a place, or came by command. */
static void test_where_deny_rules_are_from(void **state)
{
    static const struct gw_deny_rule other = {.kind = GW_DENY_USER, .value = SLICE_INIT("nobody")},
                                     alice = {.kind = GW_DENY_USER, .value = SLICE_INIT("alice")};
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "100000") "denyRules: [{user: bob}]\n",
               "A");
    deny(&w, &other);
    assert_string_equal(ask_traced(&w, (struct question){.user = NULL}, &w.trace), "200");
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_DENIED)->text,
                         "none of 1, nor of 1 that were added by command"));
    deny(&w, &alice);
    assert_string_equal(ask_traced(&w, (struct question){.user = NULL}, &w.trace), "403 900805");
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_DENIED)->text, "user 'alice'"));
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_DENIED)->why,
                         "a deny rule that was added by command matches"));
    assert_string_equal(ask_traced(&w, (struct question){.user = "bob"}, &w.trace), "403 900805");
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_DENIED)->why, "a deny rule matches"));
    close_world(&w);
}

/* A rule that begins later is about him all the time. */
static void test_deny_rules_in_time(void **state)
{
    struct gw_deny_rule rule = {
        .kind = GW_DENY_USER,
        .value = SLICE("alice"),
        .from_s = FIXTURE_NOW + 5,
        .until_s = FIXTURE_NOW + 8,
    };
    struct world w;

    (void)state;
    open_world(&w, NOTHING LEVEL("advancedPolicies", "A", "100000"), "A");
    deny(&w, &rule);
    for (int i = 0; i < 12; i++) {
        assert_string_equal(ASK(.user = NULL), i >= 5 && i < 8 ? "403 900805" : "200");
        w.clock.now_wall_s++;
    }
    close_world(&w);

    open_world(&w,
               NOTHING LEVEL("advancedPolicies", "A",
                             "100000") "denyRules: [{user: alice, from: 2023-11-14T22:13:25Z}]\n",
               "A");
    for (int i = 0; i < 12; i++) {
        assert_string_equal(ASK(.user = NULL), i >= 5 ? "403 900805" : "200");
        w.clock.now_wall_s++;
    }
    close_world(&w);
}

/* Rules that come in the place of others, even at their address, are not taken for them. */
static void test_other_rules(void **state)
{
    static const char *const quotas[] = {
        NO_SUB LEVEL("applicationPolicies", "AppTier", "2") "advancedPolicies: [{name: A,"
                                                            " unlimited: true}]\n",
        NO_SUB LEVEL("applicationPolicies", "AppTier", "4") "advancedPolicies: [{name: A,"
                                                            " unlimited: true}]\n",
    };
    struct world w;

    (void)state;
    open_world(&w, quotas[0], "A");
    for (int i = 0; i < 20; i++) {
        expect_limit(&w, (struct question){.user = NULL}, i % 2 == 0 ? 2 : 4, "429 900803");
        w.clock.now_mono_us += 61000000;
        enforce_rules_unref(&w.rules);
        w.f.model.policies = NULL;
        w.f.model.n_policies = 0;
        read_policies(&w, quotas[(i + 1) % 2]);
        w.rules = fixture_rules(&w.f);
    }
    close_world(&w);
}

/* The same caller, of whom the store says something else. */
static void test_other_store(void **state)
{
    static const char one[] = "subscriptionPolicies: [{name: SubTier, requestCount: 5, timeUnit:"
                              " minute}, {name: Less, requestCount: 3, timeUnit: minute}]\n"
                              "applicationPolicies: [{name: AppTier, unlimited: true},"
                              " {name: Few, requestCount: 2, timeUnit: minute}]\n"
                              "advancedPolicies: [{name: A, unlimited: true}]\n";
    static const struct {
        const char *application, *subscription, *stop;
        unsigned n;
        const char *refused;
    } all[] = {
        {"AppTier", "SubTier", "true", 5, "429 900804"},
        {"Few", "SubTier", "true", 2, "429 900803"},
        {"AppTier", "Less", "true", 3, "429 900804"},
        {"AppTier", "Less", "false", 9, "200"},
        {"Few", "Less", "true", 2, "429 900803"},
        {"AppTier", "SubTier", "true", 5, "429 900804"},
    };
    struct world w;
    char yaml[1024];

    (void)state;
    open_world(&w, one, "A");
    for (size_t i = 0; i < 3 * N(all); i++) {
        snprintf(yaml, sizeof(yaml),
                 "applications: [{uuid: app, id: 2, name: Shop, subName: alice, policy: %s}]\n"
                 "applicationPolicies: [{name: AppTier}, {name: Few}]\n"
                 "subscriptionPolicies: [{name: SubTier, stopOnQuotaReach: %s},"
                 " {name: Less, stopOnQuotaReach: %s}]\n"
                 "applicationKeyMappings: [{consumerKey: key, keyManager: rsa,"
                 " applicationUUID: app}]\n"
                 "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: %s}]\n",
                 all[i % N(all)].application, all[i % N(all)].stop, all[i % N(all)].stop,
                 all[i % N(all)].subscription);
        fixture_set_store(&w.live, yaml);
        expect_limit(&w, (struct question){.user = NULL}, all[i % N(all)].n,
                     all[i % N(all)].refused);
        w.clock.now_mono_us += 61000000;
    }
    close_world(&w);
}

/* Keys of custom policies by what the store says of the same caller, and by his address. */
static void test_custom_keys(void **state)
{
    static const char *const templates[] = {"$customProperty.team", "$appTenant"};
    char yaml[1024];
    struct world w;

    (void)state;
    for (size_t i = 0; i < N(templates); i++) {
        snprintf(yaml, sizeof(yaml),
                 NOTHING "customPolicies: [{name: c, keyTemplate: \"%s\", requestCount: 3,"
                         " timeUnit: day}]\nadvancedPolicies: [{name: A, unlimited: true}]\n",
                 templates[i]);
        open_world(&w, yaml, "A");
        for (int k = 0; k < 4; k++) {
            snprintf(yaml, sizeof(yaml),
                     "applications: [{uuid: app, id: 2, name: Shop, subName: alice,"
                     " policy: AppTier, tenantDomain: t%d, attributes: {team: t%d}}]\n"
                     "applicationPolicies: [{name: AppTier}]\n"
                     "subscriptionPolicies: [{name: SubTier}]\n"
                     "applicationKeyMappings: [{consumerKey: key, keyManager: rsa,"
                     " applicationUUID: app}]\n"
                     "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: SubTier}]\n",
                     k % 2, k % 2);
            fixture_set_store(&w.live, yaml);
            for (int n = 0; n < 3; n++)
                assert_string_equal(ASK(.ip = "192.0.2.1"), k < 2 ? "200" : "429 900806");
        }
        close_world(&w);
    }
    open_world(&w,
               NOTHING "customPolicies: [{name: c, keyTemplate: \"$clientIp\", requestCount: 3,"
                       " timeUnit: day}]\nadvancedPolicies: [{name: A, unlimited: true}]\n",
               "A");
    for (int k = 0; k < 8; k++) {
        static const char *const ips[] = {"192.0.2.1", "192.0.2.2", NULL, "2001:db8::1"};

        for (int n = 0; n < 3; n++)
            assert_string_equal(ASK(.ip = ips[k % 4]), k < 4 ? "200" : "429 900806");
    }
    close_world(&w);

    open_world(&w,
               NOTHING "customPolicies: [{name: c, keyTemplate: \"$userId\", requestCount: 3,"
                       " timeUnit: day, conditions: [{header: X-A, value: few}]}]\n"
                       "advancedPolicies: [{name: A, unlimited: true}]\n",
               "A");
    for (int k = 0; k < 6; k++) {
        assert_string_equal(ASK(.user = NULL), "200");
        assert_string_equal(ASK(.lines = {"few"}), k < 3 ? "200" : "429 900806");
    }
    close_world(&w);
}

/* Counted elsewhere from now on: under the same keys as ever. */
static void test_other_counters(void **state)
{
    struct counter_table *other = NULL, *first;
    struct world w;

    (void)state;
    open_three(&w);
    expect_limit(&w, (struct question){.user = NULL}, 3, "429 900803");
    fixture_need(counter_table_new(&other, COUNTER_MIN_KEYS), "counters");
    enforce_worker_count_in(w.worker, other);
    expect_limit(&w, (struct question){.user = NULL}, 3, "429 900803");
    first = w.counters;
    w.counters = other;
    assert_int_equal(used_of(&w, "application:AppTier:2:alice@carbon.super"), 3);
    counter_table_free(&first);
    close_world(&w);
}

/* More callers than are remembered, and those with names that do not fit. */
static void test_many_and_long(void **state)
{
    char user[1400];
    struct world w;

    (void)state;
    open_three(&w);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 300; i++) {
            snprintf(user, sizeof(user), "user-%u", i);
            assert_string_equal(ASK(.user = user), "200");
        }
    }
    for (unsigned i = 0; i < 300; i++) {
        snprintf(user, sizeof(user), "user-%u", i);
        assert_string_equal(ASK(.user = user), "429 900803");
    }
    for (size_t n = 60; n < sizeof(user); n += 97) {
        memset(user, 'x', n);
        user[n] = '\0';
        expect_limit(&w, (struct question){.user = user}, 3, "429 900803");
    }
    close_world(&w);
}

/* Names alike at both ends, as those of one domain are, are not all looked for in one place. */
static void test_names_alike(void **state)
{
    const struct enforce_options options = {.cache_entries = 2048, .cache_bytes = 262144};
    char user[64];
    size_t n = 0;
    struct world w;

    (void)state;
    open_three(&w);
    enforce_worker_free(&w.worker);
    fixture_need(enforce_worker_new(&w.worker, &options), "worker");
    enforce_worker_count_in(w.worker, w.counters);
    for (unsigned i = 0; i < 400; i++) {
        snprintf(user, sizeof(user), "customer-%03u@shop.example.com", i);
        assert_string_equal(ASK(.user = user), "200");
    }
    for (size_t i = 0; i < w.worker->memo->n; i++)
        n += w.worker->memo->entries[i].who.mark != 0;
    assert_in_range(n, 380, 400);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_decisions),
        cmocka_unit_test(test_deny_rules_that_come),
        cmocka_unit_test(test_where_deny_rules_are_from),
        cmocka_unit_test(test_deny_rules_in_time),
        cmocka_unit_test(test_other_rules),
        cmocka_unit_test(test_other_store),
        cmocka_unit_test(test_many_and_long),
        cmocka_unit_test(test_custom_keys),
        cmocka_unit_test(test_other_counters),
        cmocka_unit_test(test_names_alike),
        cmocka_unit_test(test_same_decisions_while_all_changes),
        cmocka_unit_test(test_each_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
