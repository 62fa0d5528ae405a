/* Policy files: what they come to in the model, and what is wrong with them. */
#include "regress/unit/generator/test_project_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define PROJECT                                                                                   \
    "type: api\nversion: v4\ndata:\n  name: Pets\n  version: 1\n  context: /pets\n  type: HTTP\n" \
    "  endpointConfig: {production_endpoints: {url: \"http://p\"}}\n"
#define OAS "openapi: 3.0.3\ninfo: {title: t, version: v}\n"

#define ADV(rest) "advancedPolicies:\n  - {name: A, " rest "}\n"
#define UN        "subscriptionPolicies: [{name: Unauthenticated, unlimited: true}]\n"
#define GROUPS(rest) \
    UN "advancedPolicies:\n  - name: A\n    unlimited: true\n    conditionGroups:\n" rest
#define GROUP(list) "      - {conditions: [" list "], unlimited: true}\n"

static int build_again(struct fixture *f)
{
    return project_build_model(&f->model, &f->dirs[1], 1, &f->config, &f->options, f->arena,
                               f->diag);
}

/* A build of one project with these policies. */
static int build(struct fixture *f, const char *policies, const char *openapi)
{
    fixture_open(f);
    fixture_project(f); /* the directory of policies: 0 */
    fixture_file(f, "a.yaml", policies);
    fixture_project(f);
    fixture_file(f, "api.yaml", PROJECT);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
    f->config.policies = slice_of(f->dirs[0]);
    f->config.throttling.enabled = true;
    f->config.counters.shared.mode = SLICE("local");
    f->config.throttling.unauthenticated_tier = SLICE("Unauthenticated");
    return build_again(f);
}

static const struct {
    const char *what, *policies, *findings;
} mistakes[] = {
    {"no policy of the tier of requests without credentials", ADV("unlimited: true"),
     "error CC3208 :0:0\n"},
    /* where a policy cannot be read, it is no finding that a tier has none */
    {"no list of the tier's policies", "subscriptionPolicies: {}\n",
     "error CC1201 0/a.yaml:1:23\n"},
    {"a misspelled list of the tier's policies",
     "subscriptionPolicy: [{name: Unauthenticated, unlimited: true}]\n",
     "error CC3201 0/a.yaml:1:1\n"},
    {"a policy without a name", "subscriptionPolicies: [{unlimited: true}]\n",
     "error CC3202 0/a.yaml:1:24\n"},
    {"a policy that has another fault",
     "subscriptionPolicies: [{name: a, unlimited: true, b: 1}]\n",
     "error CC3201 0/a.yaml:1:51\nerror CC3208 :0:0\n"},
    {"a list that is none", UN "advancedPolicy: []\n", "error CC3201 0/a.yaml:2:1\n"},
    {"a member that is none", UN ADV("unlimited: true, shdow: true"),
     "error CC3201 0/a.yaml:3:32\n"},
    {"condition groups of another level",
     "subscriptionPolicies:\n  - {name: Unauthenticated, unlimited: true, conditionGroups: []}\n",
     "error CC3201 0/a.yaml:2:46\n"},
    {"no list", UN "advancedPolicies: {}\n", "error CC1201 0/a.yaml:2:19\n"},
    {"no name", UN "advancedPolicies: [{unlimited: true}]\n", "error CC3202 0/a.yaml:2:20\n"},
    {"no limit", UN ADV("shadow: true"), "error CC3202 0/a.yaml:3:5\n"},
    {"no time", UN ADV("requestCount: 1"), "error CC3202 0/a.yaml:3:5\n"},
    {"a negative limit", UN ADV("requestCount: -1, timeUnit: day"), "error CC1203 0/a.yaml:3:29\n"},
    {"a negative amount of bytes", UN ADV("bandwidth: -1KB, timeUnit: day"),
     "error CC3203 0/a.yaml:3:26\n"},
    {"a negative time", UN ADV("requestCount: 1, timeUnit: day, unitTime: -1"),
     "error CC1203 0/a.yaml:3:57\n"},
    {"a negative burst",
     UN ADV("requestCount: 1, timeUnit: day, burst: {requestCount: -1, timeUnit: second}"),
     "error CC1203 0/a.yaml:3:69\n"},
    {"an unknown unit of a burst",
     UN ADV("requestCount: 1, timeUnit: day, burst: {requestCount: 1, timeUnit: sceond}"),
     "error CC3203 0/a.yaml:3:82\n"},
    {"a negative limit of a group",
     GROUPS("      - {conditions: [{query: a}], requestCount: -5, timeUnit: day}\n"),
     "error CC1203 0/a.yaml:6:50\n"},
    {"a limit of nothing", UN ADV("requestCount: 0, timeUnit: day"),
     "error CC1203 0/a.yaml:3:29\n"},
    {"a limit that is too large", UN ADV("requestCount: 9007199254740992, timeUnit: day"),
     "error CC1203 0/a.yaml:3:29\n"},
    {"an unknown unit", UN ADV("requestCount: 1, timeUnit: minuet"),
     "error CC3203 0/a.yaml:3:42\n"},
    {"without Redis: something else", UN ADV("unlimited: true, away: maybe"),
     "error CC3203 0/a.yaml:3:38\n"},
    {"without Redis, when there is none anyway", UN ADV("unlimited: true, away: deny"),
     "warning CC3212 0/a.yaml:3:38\n"},
    {"a burst that is the limit again",
     UN ADV("requestCount: 5, timeUnit: minute, burst: {requestCount: 5, timeUnit: minute}"),
     "warning CC3213 0/a.yaml:3:57\n"},
    {"a burst of less than two windows that follow each other",
     UN ADV("requestCount: 5, timeUnit: minute, burst: {requestCount: 9, timeUnit: second}"), ""},
    {"a burst of two windows",
     UN ADV("requestCount: 5, timeUnit: minute, burst: {requestCount: 10, timeUnit: second}"),
     "warning CC3213 0/a.yaml:3:57\n"},
    {"a burst of a sliding window",
     UN ADV("requestCount: 5, timeUnit: minute, window: sliding,"
            " burst: {requestCount: 5, timeUnit: second}"),
     "warning CC3213 0/a.yaml:3:74\n"},
    {"a burst that is less than a sliding window",
     UN ADV("requestCount: 5, timeUnit: minute, window: sliding,"
            " burst: {requestCount: 4, timeUnit: second}"),
     ""},
    {"a burst that is longer than the window",
     UN ADV("requestCount: 5, timeUnit: minute, burst: {requestCount: 304, timeUnit: hour}"), ""},
    {"one that all windows of its time do not reach",
     UN ADV("requestCount: 5, timeUnit: minute, burst: {requestCount: 305, timeUnit: hour}"),
     "warning CC3213 0/a.yaml:3:57\n"},
    {"a burst of months",
     UN ADV("requestCount: 5, timeUnit: month, burst: {requestCount: 10, "
            "timeUnit: day}"),
     "warning CC3213 0/a.yaml:3:56\n"},
    {"a burst of bytes, and of no limit",
     UN ADV(
         "bandwidth: 5B, timeUnit: minute, burst: {requestCount: 5, timeUnit: minute}") "  - "
                                                                                        "{name: B, "
                                                                                        "unlimited:"
                                                                                        " true, "
                                                                                        "burst: "
                                                                                        "{requestCo"
                                                                                        "unt: 5, "
                                                                                        "timeUnit: "
                                                                                        "minute}}"
                                                                                        "\n",
     ""},
    {"a burst of a group",
     GROUPS("      - {conditions: [{query: a}], requestCount: 5, timeUnit: day,"
            " burst: {requestCount: 5, timeUnit: day}}\n"),
     "warning CC3213 0/a.yaml:6:75\n"},
    {"a time that is too long", UN ADV("requestCount: 1, timeUnit: month, unitTime: 13"),
     "error CC3203 0/a.yaml:3:59\n"},
    {"a burst that is too long",
     UN ADV("requestCount: 1, timeUnit: day, burst: {requestCount: 1, timeUnit: month}"),
     "error CC3203 0/a.yaml:3:82\n"},
    {"two limits", UN ADV("requestCount: 1, bandwidth: 1KB, timeUnit: day"),
     "error CC3203 0/a.yaml:3:43\n"},
    {"no amount of bytes", UN ADV("bandwidth: 10XB, timeUnit: day"),
     "error CC3203 0/a.yaml:3:26\n"},
    {"bytes that are too many", UN ADV("bandwidth: 9000TB, timeUnit: day"),
     "error CC3203 0/a.yaml:3:26\n"},
    {"Unlimited is always there", UN "advancedPolicies: [{name: Unlimited, unlimited: true}]\n",
     "error CC3203 0/a.yaml:2:27\n"},
    {"no window", UN ADV("unlimited: true, window: round"), "error CC3203 0/a.yaml:3:40\n"},
    {"one name twice", UN ADV("unlimited: true") "  - {name: A, unlimited: true}\n",
     "error CC3204 0/a.yaml:4:5\n"},
    {"no CIDR", GROUPS(GROUP("{ipRange: 10.0.0.1/8}")), "error CC3205 0/a.yaml:6:33\n"},
    {"a prefix that is too long", GROUPS(GROUP("{ipRange: 10.0.0.0/33}")),
     "error CC3205 0/a.yaml:6:33\n"},
    {"a prefix of IPv6 that is too long", GROUPS(GROUP("{ipRange: \"2001:db8::/129\"}")),
     "error CC3205 0/a.yaml:6:33\n"},
    {"no prefix", GROUPS(GROUP("{ipRange: 10.0.0.0/}")), "error CC3205 0/a.yaml:6:33\n"},
    {"a range that ends before it begins", GROUPS(GROUP("{ipRange: 10.0.0.9-10.0.0.1}")),
     "error CC3205 0/a.yaml:6:33\n"},
    {"a range of two kinds", GROUPS(GROUP("{ipRange: \"10.0.0.1-2001:db8::1\"}")),
     "error CC3205 0/a.yaml:6:33\n"},
    {"an address that is none", GROUPS(GROUP("{ip: 10.0.0.256}")), "error CC3205 0/a.yaml:6:28\n"},
    {"a range as an address", GROUPS(GROUP("{ip: 10.0.0.0/8}")), "error CC3205 0/a.yaml:6:28\n"},
    {"a regular expression that takes for ever", GROUPS(GROUP("{header: a, matches: \"(a+)+$\"}")),
     "error CC3206 0/a.yaml:6:44\n"},
    {"alternatives that repeat", GROUPS(GROUP("{claim: a, matches: \"^(a|aa)*$\"}")),
     "error CC3206 0/a.yaml:6:43\n"},
    {"a repetition of counts", GROUPS(GROUP("{query: a, matches: \"(x{1,50}){1,50}y\"}")),
     "error CC3206 0/a.yaml:6:43\n"},
    {"a back reference", GROUPS(GROUP("{header: a, matches: \"(.*)\\\\1x\"}")),
     "error CC3206 0/a.yaml:6:44\n"},
    {"no regular expression", GROUPS(GROUP("{query: a, matches: \"(a\"}")),
     "error CC3206 0/a.yaml:6:43\n"},
    {"no header", GROUPS(GROUP("{header: \"a b\"}")), "error CC3203 0/a.yaml:6:32\n"},
    {"two kinds in one condition", GROUPS(GROUP("{header: a, query: b}")),
     "error CC3203 0/a.yaml:6:23\n"},
    {"no kind", GROUPS(GROUP("{invert: true}")), "error CC3202 0/a.yaml:6:23\n"},
    {"value and pattern", GROUPS(GROUP("{header: a, value: b, matches: c}")),
     "error CC3203 0/a.yaml:6:54\n"},
    {"no conditions", GROUPS(GROUP("")), "error CC3202 0/a.yaml:6:9\n"},
    {"groups that are the same",
     GROUPS(GROUP("{header: a, value: b}") GROUP("{header: A, value: b}")),
     "error CC3207 0/a.yaml:7:9\n"},
    {"a group inside of an earlier one",
     GROUPS(GROUP("{ipRange: 10.0.0.0/8}") GROUP("{query: a}, {ip: 10.1.2.3}")),
     "error CC3207 0/a.yaml:7:9\n"},
    {"a value of what is there", GROUPS(GROUP("{claim: a}") GROUP("{claim: a, value: b}")),
     "error CC3207 0/a.yaml:7:9\n"},
    {"an address outside of another",
     GROUPS(GROUP("{ip: 10.0.0.1, invert: true}") GROUP("{ip: 10.0.0.2}")),
     "error CC3207 0/a.yaml:7:9\n"},
    {"groups that overlap",
     GROUPS(GROUP("{ipRange: 10.0.0.0/8}") GROUP("{ipRange: 9.0.0.0-10.0.0.9}")),
     "warning CC3211 0/a.yaml:7:9\n"},
    {"the narrower group first", GROUPS(GROUP("{ip: 10.0.0.1}") GROUP("{ipRange: 10.0.0.0/8}")),
     ""},
    {"conditions that exclude each other", GROUPS(GROUP("{ip: 10.0.0.1}, {ip: 10.0.0.2}")),
     "error CC3207 0/a.yaml:6:39\n"},
    {"no variable", UN "customPolicies: [{name: c, keyTemplate: a, unlimited: true}]\n",
     "error CC3209 0/a.yaml:2:41\n"},
    {"an unknown variable",
     UN "customPolicies: [{name: c, keyTemplate: $userid, unlimited: true}]\n",
     "error CC3209 0/a.yaml:2:41\n"},
    {"no key", UN "customPolicies: [{name: c, unlimited: true}]\n", "error CC3202 0/a.yaml:2:18\n"},
    {"deny rules",
     UN "denyRules:\n  - {}\n  - {ip: 1.2.3}\n  - {api: pets}\n  - {application: bob}\n"
        "  - {subscription: \"/a:1:b-c\"}\n  - {user: bob, until: tomorrow}\n"
        "  - {user: eve, from: 2030-02-30T00:00:00Z}\n  - {user: a, ip: 1.2.3.4}\n"
        "  - {user: c, from: 2030-01-02T00:00:00Z, until: 2030-01-01T00:00:00Z}\n"
        "  - {user: d}\n  - {user: d}\n",
     "error CC3202 0/a.yaml:3:5\nerror CC3205 0/a.yaml:4:10\nerror CC3203 0/a.yaml:5:11\n"
     "error CC3203 0/a.yaml:6:19\nerror CC3203 0/a.yaml:7:20\nerror CC3203 0/a.yaml:8:24\n"
     "error CC3203 0/a.yaml:9:23\nerror CC3203 0/a.yaml:10:5\nerror CC3203 0/a.yaml:11:50\n"
     "error CC3204 0/a.yaml:13:5\n"},
};

static void test_mistakes(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < N(mistakes); i++) {
        char room[4096];
        struct fixture f;
        int rc = build(&f, mistakes[i].policies, OAS "paths: {/a: {get: {}}}\n");
        const char *found = fixture_findings(&f, room, sizeof(room));

        if (strcmp(found, mistakes[i].findings) != 0) {
            print_error("%s:\n%s", mistakes[i].what, found);
            wrong++;
        }
        /* nothing is half used */
        assert_int_equal(rc, strstr(found, "error") != NULL ? CC_EREFUSED : CC_OK);
        assert_true((f.model == NULL) == (rc != CC_OK));
        fixture_close(&f);
    }
    assert_int_equal(wrong, 0);
}

/* One name in two files: the second in the order of their names is said, and the first shown. */
static void test_twice_in_two_files(void **state)
{
    struct diag_view v;
    struct fixture f;
    char room[512];

    (void)state;
    assert_int_equal(build(&f, UN ADV("unlimited: true"), OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    snprintf(room, sizeof(room), "%s/b.yaml", f.dirs[0]);
    assert_int_equal(file_write_atomic(room,
                                       SLICE("# further ones\nadvancedPolicies:\n  - name: B\n"
                                             "    unlimited: true\n"
                                             "  - {name: A, unlimited: true}\n"),
                                       0600),
                     CC_OK);
    assert_int_equal(build_again(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "error CC3204 0/b.yaml:5:5\n");
    assert_true(diag_get(f.diag, 0, &v));
    assert_true(slice_contains(v.help, SLICE("a.yaml:3:5; remove one")));
    fixture_close(&f);
}

static void test_model(void **state)
{
    static const char policies[] =
        "advancedPolicies:\n"
        "  - name: A\n"
        "    requestCount: 100\n    timeUnit: minute\n    away: deny\n"
        "    conditionGroups:\n"
        "      - conditions:\n"
        "          - {ipRange: 10.0.0.0/8}\n"
        "          - {header: X-Client, matches: '^mob', invert: true}\n"
        "          - {query: q, matches: lit}\n"
        "          - {claim: c, value: v}\n"
        "        bandwidth: 10 MB\n"
        "        timeUnit: months\n"
        "        unitTime: 3\n"
        "        burst: {requestCount: 5, timeUnit: sec, unitTime: 2}\n"
        "customPolicies:\n"
        "  - {name: c, keyTemplate: \"$userId\", requestCount: 1, timeUnit: day, shadow: true,\n"
        "     stopOnQuotaReach: false, window: sliding, conditions: [{header: X-B}]}\n"
        "subscriptionPolicies: [{name: Unauthenticated, unlimited: true}]\n"
        "denyRules:\n"
        "  - {user: bob, from: '2030-01-31T01:00:00+01:00', until: '2031-01-01T00:00:00Z'}\n"
        "  - {api: /pets, invert: true}\n";
    const struct gw_policy *a, *c;
    struct fixture f;

    (void)state;
    assert_int_equal(build(&f, policies, OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    assert_int_equal(f.model->n_policies, 3);
    a = gw_policy_find(f.model, GW_LEVEL_API, SLICE("A"));
    c = gw_policy_find(f.model, GW_LEVEL_CUSTOM, SLICE("c"));
    assert_non_null(a);
    assert_non_null(c);
    assert_null(gw_policy_find(f.model, GW_LEVEL_APPLICATION, SLICE("A")));
    assert_null(gw_policy_find(f.model, GW_LEVEL_API, SLICE("Unlimited")));
    assert_true(a->quota.count == 100 && a->quota.period_s == 60 && !a->quota.bandwidth);
    assert_true(a->stop && !a->shadow && !a->sliding && a->n_groups == 1);
    assert_true(a->groups[0].quota.count == 10 << 20 && a->groups[0].quota.bandwidth);
    assert_true(a->groups[0].quota.months == 3 && a->groups[0].quota.period_s == 0);
    assert_true(a->groups[0].burst.count == 5 && a->groups[0].burst.period_s == 2);
    assert_int_equal(a->groups[0].n_conditions, 4);
    assert_true(slice_is(a->groups[0].conditions[1].name, "x-client"));
    assert_int_equal(a->groups[0].conditions[1].match, GW_MATCH_PATTERN);
    assert_true(a->groups[0].conditions[1].invert);
    assert_int_equal(a->groups[0].conditions[2].match, GW_MATCH_CONTAINS);
    assert_int_equal(a->groups[0].conditions[3].kind, GW_CONDITION_CLAIM);
    assert_int_equal(a->groups[0].conditions[3].match, GW_MATCH_EQUAL);
    assert_int_equal(a->groups[0].origin.line, 7);
    assert_true(a->away == GW_AWAY_DENY && c->away == GW_AWAY_UNSET);
    assert_true(c->shadow && !c->stop && c->sliding && c->n_conditions == 1);
    assert_int_equal(f.model->n_deny_rules, 2);
    assert_int_equal(f.model->deny_rules[0].kind, GW_DENY_API);
    assert_true(f.model->deny_rules[0].invert);
    assert_int_equal(f.model->deny_rules[1].from_s, 1896048000);
    assert_int_equal(f.model->deny_rules[1].until_s, 1924992000);
    /* HAProxy must send what conditions look at */
    assert_int_equal(f.model->n_headers, 5);
    assert_true(slice_is(f.model->headers[3], "x-b") && slice_is(f.model->headers[4], "x-client"));
    /* and how long bodies are, where bytes count */
    assert_true(slice_is(f.model->headers[1], "content-length"));
    assert_true(slice_is(f.model->headers[2], "transfer-encoding"));
    fixture_close(&f);
}

/* Each unit of time and of bytes, in files of each kind; what a policy does not say of its window
 * is what the setting says. */
static void test_units(void **state)
{
    static const char tail[] = OAS "paths: {/a: {get: {}}}\n";
    static const struct {
        const char *unit;
        uint64_t seconds;
        unsigned months;
    } times[] = {{"second", 1, 0},  {"sec", 1, 0},      {"seconds", 1, 0}, {"minute", 60, 0},
                 {"min", 60, 0},    {"minutes", 60, 0}, {"hour", 3600, 0}, {"hours", 3600, 0},
                 {"day", 86400, 0}, {"days", 86400, 0}, {"month", 0, 1},   {"months", 0, 1}};
    static const struct {
        const char *bandwidth;
        uint64_t bytes;
    } amounts[] = {{"4096", 4096},
                   {"7B", 7},
                   {"512KB", 512 << 10},
                   {"3K", 3 << 10},
                   {"10MB", 10 << 20},
                   {"10 MB", 10 << 20},
                   {"2GB", UINT64_C(2) << 30},
                   {"1TB", UINT64_C(1) << 40}};
    const struct gw_policy *p;
    char policies[512], path[512];
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < N(times); i++) {
        snprintf(policies, sizeof(policies), UN ADV("requestCount: 1, unitTime: 2, timeUnit: %s"),
                 times[i].unit);
        assert_int_equal(build(&f, policies, tail), CC_OK);
        p = gw_policy_find(f.model, GW_LEVEL_API, SLICE("A"));
        assert_int_equal(p->quota.period_s, 2 * times[i].seconds);
        assert_int_equal(p->quota.months, 2 * times[i].months);
        assert_false(p->sliding);
        fixture_close(&f);
    }
    for (size_t i = 0; i < N(amounts); i++) {
        snprintf(policies, sizeof(policies), UN ADV("bandwidth: %s, timeUnit: day"),
                 amounts[i].bandwidth);
        assert_int_equal(build(&f, policies, tail), CC_OK);
        p = gw_policy_find(f.model, GW_LEVEL_API, SLICE("A"));
        assert_true(p->quota.bandwidth && p->quota.count == amounts[i].bytes);
        fixture_close(&f);
    }
    assert_int_equal(build(&f, UN ADV("requestCount: 1, timeUnit: day"), tail), CC_OK);
    snprintf(path, sizeof(path), "%s/b.json", f.dirs[0]);
    assert_int_equal(file_write_atomic(path,
                                       SLICE("{\"applicationPolicies\": [{\"name\": \"J\", "
                                             "\"requestCount\": 5, \"timeUnit\": \"day\"}]}"),
                                       0600),
                     CC_OK);
    snprintf(path, sizeof(path), "%s/c.yml", f.dirs[0]);
    assert_int_equal(file_write_atomic(path,
                                       SLICE("customPolicies: [{name: Y, keyTemplate: $userId, "
                                             "requestCount: 6, timeUnit: day, window: fixed}]\n"),
                                       0600),
                     CC_OK);
    f.config.throttling.window = SLICE("sliding");
    assert_int_equal(build_again(&f), CC_OK);
    p = gw_policy_find(f.model, GW_LEVEL_API, SLICE("A"));
    assert_true(p != NULL && p->sliding);
    p = gw_policy_find(f.model, GW_LEVEL_APPLICATION, SLICE("J"));
    assert_true(p != NULL && p->sliding && p->quota.count == 5);
    p = gw_policy_find(f.model, GW_LEVEL_CUSTOM, SLICE("Y"));
    assert_true(p != NULL && !p->sliding && p->quota.count == 6);
    fixture_close(&f);
}

static void test_shipped(void **state)
{
    static const struct {
        enum gw_level level;
        const char *name;
        uint64_t count;
    } shipped[] = {
        {GW_LEVEL_API, "10KPerMin", 10000},
        {GW_LEVEL_API, "20KPerMin", 20000},
        {GW_LEVEL_API, "50KPerMin", 50000},
        {GW_LEVEL_SUBSCRIPTION, "Bronze", 1000},
        {GW_LEVEL_SUBSCRIPTION, "Gold", 5000},
        {GW_LEVEL_SUBSCRIPTION, "Silver", 2000},
        {GW_LEVEL_SUBSCRIPTION, "Unauthenticated", 500},
        {GW_LEVEL_APPLICATION, "10PerMin", 10},
        {GW_LEVEL_APPLICATION, "20PerMin", 20},
        {GW_LEVEL_APPLICATION, "50PerMin", 50},
    };
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", PROJECT);
    fixture_file(&f, "Definitions/swagger.yaml", OAS "paths: {/a: {get: {}}}\n");
    f.config.throttling.unauthenticated_tier = SLICE("Unauthenticated");
    f.config.throttling.ipv6_prefix_length = 64;
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->throttling.ipv6_prefix_length, 64);
    assert_int_equal(f.model->n_policies, N(shipped));
    for (size_t i = 0; i < N(shipped); i++) {
        const struct gw_policy *p = &f.model->policies[i];

        assert_int_equal(p->level, shipped[i].level);
        assert_true(slice_is(p->name, shipped[i].name));
        assert_true(p->quota.count == shipped[i].count && p->quota.period_s == 60 && p->stop);
    }
    assert_int_equal(f.model->n_deny_rules, 0);
    fixture_close(&f);
}

static void test_tiers(void **state)
{
    static const char openapi[] =
        OAS "x-wso2-throttling-tier: B\npaths:\n"
            "  /a: {get: {x-wso2-throttling-tier: A}, put: {x-throttling-tier: 10KPerMn}}\n";
    char room[512];
    struct fixture f;
    struct diag_view v;

    (void)state;
    assert_int_equal(
        build(&f, UN ADV("unlimited: true") "  - {name: 10KPerMin, unlimited: true}\n", openapi),
        CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)),
                        "error CC3208 1/Definitions/swagger.yaml:3:25\n"
                        "error CC3208 1/Definitions/swagger.yaml:5:67\n");
    assert_true(diag_get(f.diag, 1, &v));
    assert_true(slice_is(v.help, "did you mean 10KPerMin?"));
    fixture_close(&f);
}

/* "10kperMin" is 10KPerMin where no other policy could be meant. */
static void test_tiers_in_another_case(void **state)
{
    static const char openapi[] = OAS "x-wso2-throttling-tier: a\npaths:\n"
                                      "  /a: {get: {x-wso2-throttling-tier: 10kperMin}}\n";
    const struct gw_api *api;
    char room[512];
    struct fixture f;
    struct diag_view v;

    (void)state;
    assert_int_equal(
        build(&f, UN ADV("unlimited: true") "  - {name: 10KPerMin, unlimited: true}\n", openapi),
        CC_OK);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)),
                        "warning CC3208 1/Definitions/swagger.yaml:3:25\n"
                        "warning CC3208 1/Definitions/swagger.yaml:5:38\n");
    assert_true(diag_get(f.diag, 1, &v));
    assert_true(slice_is(v.help, "10KPerMin is taken; write it like this"));
    api = &f.model->apis[0];
    assert_true(slice_is(api->tier, "A"));
    assert_true(slice_is(api->resources[0].operations[0].tier, "10KPerMin"));
    fixture_close(&f);
    assert_int_equal(build(&f,
                           UN ADV("unlimited: true") "  - {name: 10KPerMin, unlimited: true}\n  - "
                                                     "{name: 10KpERMin, unlimited: true}\n",
                           openapi),
                     CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)),
                        "warning CC3208 1/Definitions/swagger.yaml:3:25\n"
                        "error CC3208 1/Definitions/swagger.yaml:5:38\n");
    fixture_close(&f);
}

/* What stands in place of the directory, or of a file, is said. */
static void test_not_files(void **state)
{
    struct diag_view v;
    char room[512];
    struct fixture f;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(build(&f, UN, OAS "paths: {/a: {get: {}}}\n"), CC_OK);
        snprintf(room, sizeof(room), "%s/%s.yaml", f.dirs[0], i == 0 ? "a" : "b");
        if (i == 0)
            f.config.policies = slice_of(room);
        else
            assert_int_equal(file_mkdirs(room, 0700), CC_OK);
        assert_int_equal(build_again(&f), CC_EREFUSED);
        for (size_t k = 0; diag_get(f.diag, k, &v) && v.code != CC1001; k++)
            ;
        assert_true(slice_is(v.message, i == 0 ? "it is no directory" : "it is no regular file"));
        fixture_close(&f);
    }
}

/* The window of a quota that gateways share can have begun before this one's burst. */
static void test_burst_of_shared_limit(void **state)
{
    static const char policies[] =
        UN ADV("requestCount: 5, timeUnit: minute, burst: {requestCount: 5, timeUnit: minute}");
    char room[512];
    struct fixture f;

    (void)state;
    assert_int_equal(build(&f, policies, OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    f.config.counters.shared.mode = SLICE("async");
    diag_free(&f.diag);
    f.diag = diag_new();
    assert_int_equal(
        project_build_model(&f.model, &f.dirs[1], 1, &f.config, &f.options, f.arena, f.diag),
        CC_OK);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "");
    fixture_close(&f);
}

/* Neither of the tiers of APIs, and certificates, is it a finding that policies are not there. */
static void test_missing_file(void **state)
{
    static const char openapi[] = OAS "x-wso2-throttling-tier: B\npaths:\n"
                                      "  /a: {get: {x-wso2-throttling-tier: a}}\n";
    char room[512];
    struct fixture f;

    (void)state;
    assert_int_equal(build(&f, UN ADV("unlimited: true"), openapi), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)),
                        "error CC3208 1/Definitions/swagger.yaml:3:25\n"
                        "warning CC3208 1/Definitions/swagger.yaml:5:38\n");
    fixture_close(&f);
    assert_int_equal(build(&f, UN ADV("unlimited: true"), OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    fixture_file(&f, "Definitions/swagger.yaml", openapi);
    snprintf(room, sizeof(room), "%s/b.yaml", f.dirs[0]);
    assert_int_equal(file_write_atomic(room, SLICE("advancedPolicies: [\n"), 0600), CC_OK);
    assert_int_equal(build_again(&f), CC_EREFUSED);
    fixture_findings(&f, room, sizeof(room));
    assert_int_equal(strncmp(room, "error CC1", 9), 0);
    assert_null(strstr(room, "CC3208"));
    fixture_close(&f);
}

/* The first that is too many, in the order of files and lines, is named. */
static void expect_too_many(const char *list, const char *before, const char *behind, unsigned n,
                            const char *finding)
{
    char room[512];
    struct fixture f;
    struct buf text;

    buf_init(&text, 16 << 20);
    buf_printf(&text, UN "%s:\n", list);
    for (unsigned i = n; i > 0; i--) /* names in the other order than lines */
        buf_printf(&text, " - {%s10.%u.%u.%u%s}\n", before, i >> 16, i >> 8 & 255, i & 255, behind);
    buf_add_char(&text, '\0');
    assert_int_equal(buf_error(&text), CC_OK);
    assert_int_equal(build(&f, text.p, OAS "paths: {/a: {get: {}}}\n"),
                     finding[0] != '\0' ? CC_EREFUSED : CC_OK);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), finding);
    fixture_close(&f);
    buf_free(&text);
}

static void test_too_many(void **state)
{
    static const char custom[] = ", keyTemplate: $userId, unlimited: true";

    (void)state;
    expect_too_many("customPolicies", "name: ", custom, GW_CUSTOM_MAX, "");
    expect_too_many("customPolicies", "name: ", custom, GW_CUSTOM_MAX + 2,
                    "error CC3210 0/a.yaml:11:4\n");
    /* besides that of line 1 */
    expect_too_many("applicationPolicies", "name: ", ", unlimited: true", GW_POLICIES_MAX - 1, "");
    expect_too_many("applicationPolicies", "name: ", ", unlimited: true", GW_POLICIES_MAX + 3,
                    "error CC3210 0/a.yaml:10002:4\n");
    expect_too_many("denyRules", "ip: ", "", GW_DENY_MAX, "");
    expect_too_many("denyRules", "ip: ", "", GW_DENY_MAX + 2, "error CC3210 0/a.yaml:100003:4\n");
}

static void test_directory(void **state)
{
    char room[512];
    struct fixture f;

    (void)state;
    assert_int_equal(build(&f, UN, OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    f.config.policies = SLICE("/none");
    assert_int_equal(build_again(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "error CC1001 /none:0:0\n");
    fixture_close(&f);
    /* one without policies: a wrong path, more likely than a wish for none */
    assert_int_equal(build(&f, UN, OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    snprintf(room, sizeof(room), "%s/a.yaml", f.dirs[0]);
    assert_int_equal(unlink(room), 0);
    assert_int_equal(build_again(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, room, sizeof(room)), "error CC1001 0:0:0\n");
    fixture_close(&f);
    /* a file that is no YAML at all, beside a good one: nothing of the good one is used */
    assert_int_equal(build(&f, UN, OAS "paths: {/a: {get: {}}}\n"), CC_OK);
    snprintf(room, sizeof(room), "%s/b.yaml", f.dirs[0]);
    assert_int_equal(file_write_atomic(room, SLICE("advancedPolicies: [\n"), 0600), CC_OK);
    f.model = NULL;
    assert_int_equal(build_again(&f), CC_EREFUSED);
    assert_null(f.model);
    fixture_findings(&f, room, sizeof(room));
    assert_int_equal(strncmp(room, "error CC1", 9), 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_burst_of_shared_limit),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_twice_in_two_files),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_tiers_in_another_case),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_not_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
