/* Conditions of policies and deny rules: what they match. */
#include "throttle_fixture.h"

#include <time.h>

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
    {"{ip: \"::ffff:192.0.2.9\"}", {.ip = "192.0.2.9"}, {.ip = "192.0.2.8"}},
    {"{ipRange: \"::ffff:192.0.2.0/120\"}", {.ip = "192.0.2.9"}, {.ip = "2001:db8::c000:209"}},
    {"{ipRange: 192.0.2.0/24}", {.ip = "::ffff:192.0.2.1"}, {.ip = "::192.0.2.1"}},
    {"{ipRange: \"2001:db8::7-2001:db8::9\"}", {.ip = "2001:db8::9"}, {.ip = "2001:db8::a"}},
    {"{ipRange: 192.0.2.0/24, invert: true}", {.ip = "2001:db8::1"}, {.ip = "192.0.2.1"}},
    {"{ipRange: \"2001:db8::/32\", invert: true}", {.ip = "192.0.2.1"}, {.ip = "2001:db8::1"}},
    {"{ipRange: \"2001:db8::/32\"}", {.ip = "2001:db8:ffff::1"}, {.ip = "192.0.2.1"}},
    {"{header: X-A}", {.lines = {""}}, {.ip = NULL}},
    {"{header: x-a, value: b}", {.lines = {"b"}}, {.lines = {"B"}}},
    {"{header: X-A, value: b}", {.lines = {" b\t"}}, {.lines = {"b, c"}}},
    {"{header: X-A, value: b}", {.lines = {"a", "c", "b"}}, {.lines = {"a", "c", "d"}}},
    {"{header: X-A, matches: b}", {.lines = {"abc"}}, {.lines = {"ac"}}},
    {"{header: X-A, matches: \"^a.c$\"}", {.lines = {"x", "abc"}}, {.lines = {"abcd"}}},
    {"{header: X-A, value: b, invert: true}", {.lines = {"a"}}, {.lines = {"a", "b"}}},
    {"{header: X-A, value: b, invert: true}", {.ip = NULL}, {.lines = {"b"}}},
    {"{header: X-A, invert: true}", {.ip = NULL}, {.lines = {"a"}}},
    {"{header: X-A, matches: \"^b\", invert: true}", {.lines = {"a", "ab"}}, {.lines = {"a", "b"}}},
    {"{query: q}", {.query = "a&q"}, {.query = "qq=1"}},
    {"{query: q, value: \"a b&\"}", {.query = "q=a+b%26"}, {.query = "q=a%2bb%26"}},
    {"{query: q, value: b}", {.query = "q=a&%71=b"}, {.query = "q=b&q=a"}},
    {"{query: \"q[]\", value: \"%\"}", {.query = "q%5B%5D=%"}, {.query = "q%5B%5D=%25%"}},
    {"{query: q, matches: \"[0-9]+\"}", {.query = "q=a7"}, {.query = "q=a"}},
    {"{query: q, invert: true}", {.query = "x"}, {.query = "q="}},
    {"{query: q, value: b, invert: true}", {.query = "q=b&q=a"}, {.query = "q=a&q=b"}},
    {"{query: q, matches: \"[0-9]$\", invert: true}", {.query = "p=7"}, {.query = "q=a7"}},
    {"{claim: role}", {.claims = "\"role\":{}"}, {.claims = "\"role\":null"}},
    {"{claim: role, value: admin}", {.claims = "\"role\":\"admin\""}, {.claims = "\"role\":\"a\""}},
    {"{claim: role, value: admin}",
     {.claims = "\"role\":[\"a\",\"admin\"]"},
     {.claims = "\"role\":[\"a\",\"b\"]"}},
    {"{claim: level, value: \"7\"}", {.claims = "\"level\":7"}, {.claims = "\"level\":\"07\""}},
    {"{claim: beta, value: \"true\"}", {.claims = "\"beta\":true"}, {.claims = "\"beta\":false"}},
    {"{claim: role, matches: \"^ad\"}", {.claims = "\"role\":[1,\"admin\"]"}, {.ip = NULL}},
    {"{claim: role, value: admin, invert: true}", {.ip = NULL}, {.claims = "\"role\":\"admin\""}},
    {"{claim: role, value: admin, invert: true}",
     {.claims = "\"role\":[\"a\",\"adm\"]"},
     {.claims = "\"role\":[\"a\",\"admin\"]"}},
    {"{claim: role, matches: \"^ad\", invert: true}",
     {.claims = "\"role\":[]"},
     {.claims = "\"role\":[\"a\",\"ad\"]"}},
    {"{claim: role, invert: true}", {.ip = NULL}, {.claims = "\"role\":[]"}},
    {"{claim: level, value: \"7\"}",
     {.claims = "\"level\":[false,7]"},
     {.claims = "\"level\":[[7]]"}},
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

/* The same conditions of a custom policy: it counts who meets them, and nobody else. */
static void test_custom(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(conditions); i++) {
        char policies[1024];
        struct world w;

        snprintf(policies, sizeof(policies),
                 NOTHING "customPolicies:\n  - name: c\n    keyTemplate: $apiContext\n"
                         "    conditions: [%s]\n    requestCount: 1\n    timeUnit: day\n",
                 conditions[i].conditions);
        open_world(&w, policies, "");
        for (int n = 0; n < 3; n++) {
            const char *in = n < 1 ? "200" : "429 900806";

            if (strcmp(ask(&w, conditions[i].out), "200") != 0)
                fail_msg("%zu: %s: out: %s", i, conditions[i].conditions,
                         ask(&w, conditions[i].out));
            if (strcmp(ask(&w, conditions[i].in), in) != 0)
                fail_msg("%zu: %s: in: %s", i, conditions[i].conditions, ask(&w, conditions[i].in));
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
    {"{ip: \"2001:db8::9\"}", {.ip = "2001:db8:0:0::9"}, {.ip = "192.0.2.9"}},
    {"{ip: \"2001:db8::9\", invert: true}", {.ip = "2001:db8::8"}, {.ip = "2001:db8::9"}},
    {"{ip: \"::ffff:192.0.2.9\"}", {.ip = "192.0.2.9"}, {.ip = "192.0.2.8"}},
    {"{ipRange: \"::ffff:192.0.2.0/120\"}", {.ip = "192.0.2.9"}, {.ip = "192.0.3.9"}},
    {"{ipRange: 192.0.2.0/24}", {.ip = "::ffff:192.0.2.200"}, {.ip = "::192.0.2.200"}},
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

/* Without a token there is no key: of an open operation the type is that of the endpoint which the
 * request goes to. */
static void test_key_type_without_token(void **state)
{
    static const struct {
        bool production, sandbox, own; /* own: a production endpoint of the resource */
        const char *denied, *allowed;
    } rows[] = {
        {true, false, false, "PRODUCTION", "SANDBOX"},
        {true, true, false, "PRODUCTION", "SANDBOX"},
        {false, true, false, "SANDBOX", "PRODUCTION"},
        {false, true, true, "PRODUCTION", "SANDBOX"},
    };
    static const struct gw_cluster *const cluster = fixture_clusters;
    struct world w;

    (void)state;
    for (size_t i = 0; i < 2 * N(rows); i++) {
        bool denied = i % 2 == 0;
        char policies[512];

        snprintf(policies, sizeof(policies),
                 NOTHING "denyRules: [{subscription: \"/pets/1.0:1.0:anonymous-:%s\"}]\n",
                 denied ? rows[i / 2].denied : rows[i / 2].allowed);
        open_world(&w, policies, "");
        w.apis[0].production = rows[i / 2].production ? &cluster[0] : NULL;
        w.apis[0].sandbox = rows[i / 2].sandbox ? &cluster[2] : NULL;
        w.apis[0].production_identity = NULL;
        w.resource = (struct gw_resource){.template = SLICE("/open"),
                                          .operations = fixture_open,
                                          .n_operations = 1,
                                          .production = rows[i / 2].own ? &cluster[1] : NULL};
        w.apis[0].resources = &w.resource;
        w.apis[0].n_resources = 1;
        w.apis[2].resources = fixture_box_resources;
        enforce_rules_unref(&w.rules);
        w.rules = fixture_rules(&w.f);
        if (strcmp(ASK(.path = "/pets/1.0/open", .nobody = true), denied ? "403 900805" : "200") !=
            0)
            fail_msg("row %zu, %s: %.*s", i / 2, policies, SLICE_ARG(w.d.reason));
        close_world(&w);
    }
}

/* Rules that begin and end while the agent knows the caller already. */
static void test_deny_rules_begin_and_end(void **state)
{
    static const char *const rules[] = {
        "user: alice",
        "user: bob, invert: true",
        "application: \"alice:Shop\"",
        "application: \"bob:Slow\", invert: true",
        "api: /pets/1.0",
        "api: /other, invert: true",
        "subscription: \"/pets/1.0:1.0:alice-Shop:PRODUCTION\"",
        "subscription: \"/pets/1.0:1.0:bob-Slow:PRODUCTION\", invert: true",
        "ip: 192.0.2.9",
        "ipRange: 192.0.2.0/24",
        "ip: 192.0.2.8, invert: true",
    };

    (void)state;
    for (size_t i = 0; i < N(rules); i++) {
        char policies[512];
        struct world w;

        snprintf(policies, sizeof(policies),
                 NOTHING "denyRules: [{%s, from: 2023-11-14T22:13:30Z,"
                         " until: 2023-11-14T22:13:40Z}]\n",
                 rules[i]);
        open_world(&w, policies, "");
        for (int64_t s = 0; s < 40; s += s == 8 || s == 18 ? 1 : 2) {
            bool denied = s >= 10 && s < 20;

            w.clock.now_wall_s = FIXTURE_NOW + s;
            if (strcmp(ASK(.ip = "192.0.2.9"), denied ? "403 900805" : "200") != 0)
                fail_msg("%s, after %d s: %.*s", rules[i], (int)s, SLICE_ARG(w.d.reason));
        }
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

/* The least time, of the processor, of several looks at an address behind all others. */
static int64_t cost_of(const struct deny_set *set)
{
    int64_t least = INT64_MAX;
    struct gw_address a;

    assert_true(gw_address_parse(SLICE("192.0.2.7"), &a));
    for (int round = 0; round < 20; round++) {
        struct timespec begun, ended;
        int64_t took;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
        for (int i = 0; i < 100; i++)
            assert_null(deny_set_find_address(set, &a, 2));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
        took = (ended.tv_sec - begun.tv_sec) * 1000000000 + ended.tv_nsec - begun.tv_nsec;
        least = took < least ? took : least;
    }
    return least;
}

/* One wide range, that does not hold now or begins before all others, does not make a look cost as
 * many steps as there are rules: 10,000 times as much, not 100. */
static void test_wide_range(void **state)
{
    enum { MANY = 10000 };
    static struct gw_deny_rule rules[MANY + 1];
    static char texts[MANY][32];
    struct arena *arena = arena_new(2 * deny_set_bytes(MANY + 1) + (1 << 16));
    struct deny_set *narrow, *wide;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "10.%u.%u.9", i >> 8, i & 255);
        rules[i] = (struct gw_deny_rule){.kind = GW_DENY_ADDRESS, .value = slice_of(texts[i])};
    }
    rules[MANY] =
        (struct gw_deny_rule){.kind = GW_DENY_ADDRESS, .value = SLICE("0.0.0.0/0"), .until_s = 1};
    narrow = deny_set_new(rules, MANY, arena);
    wide = deny_set_new(rules, MANY + 1, arena);
    assert_true(narrow != NULL && wide != NULL);
    assert_true(cost_of(wide) < 100 * (cost_of(narrow) + 1000));
    arena_free(&arena);
}

/* All addresses of a network count together, where it is said; conditions and deny rules look at
 * each by itself. */
static void test_ipv6_networks(void **state)
{
    static const char policies[] =
        NOTHING "advancedPolicies: [{name: OpTier, unlimited: true}]\n"
                "customPolicies: [{name: c, keyTemplate: \"$clientIp\", requestCount: 6,"
                " timeUnit: day}, {name: d, keyTemplate: \"here$appId\", requestCount: 2,"
                " timeUnit: day, conditions: [{ip: \"2001:db8:0:9::1\"}]}]\n"
                "denyRules: [{ip: \"2001:db8:0:1::66\"}]\n";
    static const char *const ips[] = {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::1"};
    struct counter_row row;
    struct world w;

    (void)state;
    for (unsigned bits = 0; bits <= GW_IPV6_BITS; bits += 64) { /* 0: of an older snapshot */
        open_world(&w, policies, "");
        count_networks(&w, bits);
        for (size_t i = 0; i < 6; i++)
            assert_string_equal(ASK(.ip = ips[i % N(ips)]), "200");
        assert_string_equal(ASK(.ip = ips[0]), bits == 64 ? "429 900806" : "200");
        assert_string_equal(ASK(.ip = ips[1]), bits == 64 ? "429 900806" : "200");
        assert_string_equal(ASK(.ip = "2001:db8:0:2::1"), "200");
        assert_string_equal(ASK(.ip = "2001:db8:0:1::66"), "403 900805");
        for (int i = 0; i < 3; i++)
            assert_string_equal(ASK(.ip = "2001:db8:0:9::1"), i < 2 ? "200" : "429 900806");
        assert_string_equal(ASK(.ip = "2001:db8:0:9::2"), "200");
        for (int i = 0; i < 6; i++) { /* IPv4 addresses are no networks */
            assert_string_equal(ASK(.ip = "192.0.2.1"), "200");
            assert_string_equal(ASK(.ip = "192.0.2.2"), "200");
        }
        assert_int_equal(counter_find(w.counters,
                                      SLICE("custom:c:42540766411282592875350729025363378176"),
                                      counter_now(&w.clock.clock), &row),
                         bits == 64);
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_custom),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_deny_rules),
        cmocka_unit_test(test_key_type_without_token),
        cmocka_unit_test(test_deny_rules_begin_and_end),
        cmocka_unit_test(test_many_ranges),
        cmocka_unit_test(test_wide_range),
        cmocka_unit_test(test_ipv6_networks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
