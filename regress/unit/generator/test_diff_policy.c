/* The difference of limits, deny rules and their settings, in the words that `cc-gen show` has. */
#include "generator/diff.h"

#include "generator/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct source file = {.name = "all.yaml"};

/* Two models at a time are compared; each of its parts may be written to. */
struct parts {
    struct gw_condition conditions[2];
    struct gw_group groups[2];
    struct gw_policy policies[2];
    struct gw_deny_rule rules[1];
    struct gw_model model;
};

static void fill(struct parts *p)
{
    *p = (struct parts){
        .conditions =
            {{GW_CONDITION_ADDRESS,
              GW_MATCH_EQUAL,
              false,
              SLICE(""),
              SLICE("10.0.0.0/8"),
              {&file, 5, 9}},
             {GW_CONDITION_HEADER, GW_MATCH_EQUAL, true, SLICE("x-a"), SLICE("b"), {&file, 6, 9}}},
        .rules = {{.kind = GW_DENY_USER, .value = SLICE("bob"), .origin = {&file, 9, 5}}},
    };
    for (size_t i = 0; i < 2; i++)
        p->groups[i] = (struct gw_group){.conditions = &p->conditions[i],
                                         .n_conditions = 1,
                                         .quota = {.count = 5, .period_s = 60},
                                         .origin = {&file, (unsigned)(5 + i), 7}};
    p->policies[0] = (struct gw_policy){.level = GW_LEVEL_API,
                                        .name = SLICE("A"),
                                        .quota = {.count = 50, .period_s = 60},
                                        .stop = true,
                                        .groups = p->groups,
                                        .n_groups = 1,
                                        .key_template = SLICE(""),
                                        .origin = {&file, 2, 5}};
    p->policies[1] = (struct gw_policy){.level = GW_LEVEL_CUSTOM,
                                        .name = SLICE("c"),
                                        .quota = {.count = 1, .period_s = 1},
                                        .stop = true,
                                        .key_template = SLICE("$userId"),
                                        .conditions = &p->conditions[1],
                                        .n_conditions = 1,
                                        .origin = {&file, 8, 5}};
    p->model.policies = p->policies;
    p->model.n_policies = 2;
    p->model.deny_rules = p->rules;
    p->model.n_deny_rules = 1;
    p->model.throttling.unauthenticated_tier = SLICE("");
}

static void nothing(struct parts *p)
{
    (void)p;
}

static void limit(struct parts *p)
{
    p->policies[0].quota = (struct gw_quota){.count = 4096, .months = 1, .bandwidth = true};
    p->policies[0].burst = (struct gw_quota){.count = 9, .period_s = 1};
}

static void manner(struct parts *p)
{
    p->policies[0].sliding = true;
    p->policies[0].stop = false;
    p->policies[0].away = GW_AWAY_DENY;
    p->policies[1].shadow = true;
}

static void group(struct parts *p)
{
    p->conditions[0].value = SLICE("10.0.0.1");
    p->groups[0].burst = (struct gw_quota){.count = 2, .period_s = 1};
}

static void second_group(struct parts *p)
{
    p->policies[0].n_groups = 2;
}

static void no_group(struct parts *p)
{
    p->policies[0].n_groups = 0;
}

static void key(struct parts *p)
{
    p->policies[1].key_template = SLICE("$appId");
    p->policies[1].n_conditions = 0;
}

static void no_policies(struct parts *p)
{
    p->policies[1].stop = false;
    p->model.n_policies = 0;
}

static void rule_times(struct parts *p)
{
    p->rules[0].until_s = 1896048000;
}

static void another_rule(struct parts *p)
{
    p->rules[0].invert = true;
    p->rules[0].from_s = 1896048000;
}

static void settings(struct parts *p)
{
    p->model.throttling.allow_unknown = true;
    p->model.throttling.legacy_headers = true;
    p->model.throttling.unauthenticated_tier = SLICE("Few");
}

static void lines_of_conditions(struct parts *p)
{
    p->conditions[0].origin.line = 99;
}

static const struct {
    const char *name;
    void (*mutate)(struct parts *p);
    const char *lines;
} rows[] = {
    {"nothing", nothing, ""},
    {"a limit and its burst", limit,
     "~ limit advanced policy A: limit: 50 requests a minute -> 4096 bytes a month"
     "  (all.yaml:2:5)\n"
     "~ limit advanced policy A: burst: none -> 9 requests a second  (all.yaml:2:5)\n"},
    {"what becomes of requests above it", manner,
     "~ limit advanced policy A: window: fixed -> sliding  (all.yaml:2:5)\n"
     "~ limit advanced policy A: above it: refused -> logged  (all.yaml:2:5)\n"
     "~ limit advanced policy A: away: as set for all -> deny  (all.yaml:2:5)\n"
     "~ limit custom policy c: above it: refused -> logged (shadow)  (all.yaml:8:5)\n"},
    {"a group", group,
     "~ limit advanced policy A: condition group 1: 5 requests a minute, if ip in 10.0.0.0/8 -> "
     "5 requests a minute, burst 2 requests a second, if ip = 10.0.0.1  (all.yaml:5:7)\n"},
    {"another group", second_group,
     "~ limit advanced policy A: condition group 2: none -> "
     "5 requests a minute, if not header x-a = b  (all.yaml:6:7)\n"},
    {"no group", no_group,
     "~ limit advanced policy A: condition group 1: 5 requests a minute, if ip in 10.0.0.0/8 -> "
     "none  (all.yaml:2:5)\n"},
    {"what a custom policy counts", key,
     "~ limit custom policy c: conditions: not header x-a = b -> none  (all.yaml:8:5)\n"
     "~ limit custom policy c: key_template: $userId -> $appId  (all.yaml:8:5)\n"},
    {"no policies", no_policies,
     "- limit advanced policy A: 50 requests a minute, and 1 condition group  (all.yaml:2:5)\n"
     "- limit custom policy c: 1 request a second, by $userId, if not header x-a = b"
     "  (all.yaml:8:5)\n"},
    {"the end of a deny rule", rule_times,
     "~ deny rule user bob: always -> until 2030-01-31T00:00:00Z  (all.yaml:9:5)\n"},
    {"another deny rule", another_rule,
     "- deny rule user bob  (all.yaml:9:5)\n"
     "+ deny rule all but user bob: from 2030-01-31T00:00:00Z  (all.yaml:9:5)\n"},
    {"settings", settings,
     "~ setting enforcer.throttling.unknownTier: deny -> allow\n"
     "~ setting enforcer.throttling.headers: none -> X-RateLimit\n"
     "~ setting enforcer.throttling.unauthenticatedTier: Unlimited -> Few\n"},
    {"lines", lines_of_conditions, "~ places lines or order in files\n"},
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *arena = arena_new(1 << 24);
        struct plan plan = {.built = 1, .diff = {.arena = arena}};
        struct parts old, new;
        char *text = NULL, *end;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        assert_non_null(out);
        fill(&old);
        fill(&new);
        rows[i].mutate(&new);
        assert_int_equal(diff_models(&plan.diff, &old.model, &new.model), CC_OK);
        plan_print(&plan, out, false);
        fclose(out);
        end = strstr(text, "needs reload: ");
        assert_non_null(end);
        *end = '\0';
        if (strcmp(text, rows[i].lines) != 0)
            fail_msg("%s:\n%s-- expected:\n%s", rows[i].name, text, rows[i].lines);
        free(text);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
