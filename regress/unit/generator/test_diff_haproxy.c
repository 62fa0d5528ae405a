/* Differences of HAProxy's files by section, and why HAProxy has to be reloaded. */
#include "generator/plan.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 << 20 };

static const char config[] = "# a comment\n"
                             "\n"
                             "defaults cc_frontend_defaults\n"
                             "    mode http\n"
                             "    .if version_atleast(3.3)\n"
                             "    errorfile 400 /x\n"
                             "    .endif\n"
                             "frontend cc_gateway from cc_frontend_defaults\n"
                             "    bind :9090\n"
                             "backend cc_b_1 from cc_upstream_defaults\n"
                             "    server s1 a:80\n"
                             "backend cc_b_2 from cc_upstream_defaults\n"
                             "    server s1 b:80\n";

static const struct row {
    const char *name;
    const char *from, *to; /* what is replaced in `config`; from == NULL: appended */
    const char *lines;
} rows[] = {
    {"nothing", "", "", "needs reload: no\nagent: nothing to do\n"},
    {"a comment", "# a comment\n", "# another\n\n", "needs reload: no\nagent: nothing to do\n"},
    {"a line", "bind :9090", "bind :9091",
     "~ section frontend cc_gateway: bind :9090 -> bind :9091  (haproxy/cc.cfg)\n"
     "needs reload: yes: section frontend cc_gateway\nagent: SIGHUP\n"},
    {"a line more", "    mode http\n", "    mode http\n    timeout client 1s\n",
     "~ section defaults cc_frontend_defaults: nothing -> timeout client 1s  (haproxy/cc.cfg)\n"
     "needs reload: yes: section defaults cc_frontend_defaults\nagent: SIGHUP\n"},
    {"many lines", "    mode http\n", "    a\n    b\n    c\n    d\n",
     "~ section defaults cc_frontend_defaults: mode http -> 4 lines  (haproxy/cc.cfg)\n"
     "needs reload: yes: section defaults cc_frontend_defaults\nagent: SIGHUP\n"},
    {"a condition", ".if version_atleast(3.3)", ".if version_atleast(3.4)",
     "~ section defaults cc_frontend_defaults: .if version_atleast(3.3) -> "
     ".if version_atleast(3.4)  (haproxy/cc.cfg)\n"
     "needs reload: yes: section defaults cc_frontend_defaults\nagent: SIGHUP\n"},
    {"a new section", NULL, "resolvers cc_dns\n    parse-resolv-conf\n",
     "+ section resolvers cc_dns  (haproxy/cc.cfg)\n"
     "needs reload: yes: section resolvers cc_dns\nagent: SIGHUP\n"},
    {"one cluster", "a:80", "a:81",
     "~ section backend cc_b_1: server s1 a:80 -> server s1 a:81  (haproxy/cc.cfg)\n"
     "needs reload: yes: section backend cc_b_1\nagent: SIGHUP\n"},
    {"all clusters", ":80", ":81",
     "~ section backend cc_b_1 and 1 other clusters: server s1 a:80 -> server s1 a:81"
     "  (haproxy/cc.cfg)\n"
     "needs reload: yes: section backend cc_b_1 and 1 other clusters\nagent: SIGHUP\n"},
};

static struct slice replace(struct arena *arena, const struct row *row)
{
    struct slice rest = slice_of(config), out;
    size_t n = row->from != NULL ? strlen(row->from) : 0;
    struct buf text;

    if (row->from == NULL)
        return arena_printf(arena, "%s%s", config, row->to);
    buf_init(&text, 1 << 16);
    while (rest.n > 0) {
        if (n > 0 && slice_starts(rest, slice_of(row->from))) {
            buf_add_str(&text, row->to);
            rest = slice_from(rest, n);
        } else {
            buf_add_char(&text, rest.p[0]);
            rest = slice_from(rest, 1);
        }
    }
    out = arena_dup(arena, buf_slice(&text));
    buf_free(&text);
    return out;
}

static const char *printed(struct plan *plan, bool changed)
{
    char *text = NULL;
    const char *copy;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    assert_int_equal(plan_conclude(plan, changed), CC_OK);
    plan_print(plan, out, false);
    fclose(out);
    copy = arena_dup(plan->diff.arena, slice_of(text)).p;
    free(text);
    return copy;
}

static struct render_output one_file(struct render_file *file, const char *name, struct slice text)
{
    *file = (struct render_file){.name = slice_of(name), .text = text};
    return (struct render_output){file, 1};
}

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *arena = arena_new(ARENA_BYTES);
        struct plan plan = {.built = 1, .diff = {.arena = arena}};
        struct render_file old, new;
        struct render_output before = one_file(&old, "haproxy/cc.cfg", slice_of(config));
        struct render_output after = one_file(&new, "haproxy/cc.cfg", replace(arena, &rows[i]));
        const char *lines;

        assert_int_equal(diff_haproxy(&plan.diff, &before, &after), CC_OK);
        plan.differs = plan.diff.n > 0;
        lines = printed(&plan, plan.differs);
        if (strcmp(lines, rows[i].lines) != 0)
            fail_msg("%s:\n%s-- expected:\n%s", rows[i].name, lines, rows[i].lines);
        arena_free(&arena);
    }
}

static void other_files_are_told_whole(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct plan plan = {.built = 1, .differs = true, .diff = {.arena = arena}};
    struct render_file old[] = {
        {.name = SLICE("haproxy/errors/400.http"), .text = SLICE("HTTP/1.1 400\n")},
        {.name = SLICE("haproxy/certs/gateway.pem"), .symlink_to = "/a.pem"},
        {.name = SLICE("haproxy/gone.map"), .text = SLICE("x")},
    };
    struct render_file new[] = {
        {.name = SLICE("haproxy/errors/400.http"), .text = SLICE("HTTP/1.1 400 No\n")},
        {.name = SLICE("haproxy/certs/gateway.pem"), .symlink_to = "/b.pem"},
    };
    struct render_output before = {old, 3}, after = {new, 2};

    (void)state;
    assert_int_equal(diff_haproxy(&plan.diff, &before, &after), CC_OK);
    assert_string_equal(printed(&plan, true),
                        "~ file haproxy/certs/gateway.pem\n"
                        "~ file haproxy/errors/400.http\n"
                        "- file haproxy/gone.map\n"
                        "needs reload: yes: file haproxy/certs/gateway.pem, "
                        "file haproxy/errors/400.http, file haproxy/gone.map\n"
                        "agent: SIGHUP\n");
    arena_free(&arena);
}

/* New and removed clusters are told by the models; their backends are not told again. */
static void clusters_are_told_once(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct plan plan = {.built = 1, .differs = true, .diff = {.arena = arena}};
    struct render_file old, new;
    struct render_output before =
        one_file(&old, "haproxy/cc.cfg", SLICE("backend cc_b_1\n    x\nbackend cc_b_2\n"));
    struct render_output after =
        one_file(&new, "haproxy/cc.cfg", SLICE("backend cc_b_1\n    x\nbackend cc_b_3\n"));

    (void)state;
    assert_non_null(diff_add(&plan.diff, DIFF_ADDED, DIFF_CLUSTER, SLICE("cc_b_3")));
    assert_non_null(diff_add(&plan.diff, DIFF_REMOVED, DIFF_CLUSTER, SLICE("cc_b_2")));
    assert_int_equal(diff_haproxy(&plan.diff, &before, &after), CC_OK);
    assert_string_equal(printed(&plan, true),
                        "+ cluster cc_b_3\n- cluster cc_b_2\n"
                        "needs reload: yes: 1 new cluster, 1 removed cluster\nagent: SIGHUP\n");
    arena_free(&arena);
}

static void numbers_of_generations_are_masked(void **state)
{
    static const char text[] =
        "errorfile 400 /o/generations/7/e\n"
        "return '{\"haproxy\":7,\"agent\":7}' if { var(txn.cc.hgen) -m int 7 }\n"
        "    args hgen=int(7) id=unique-id\n"
        "timeout 7s /generations/77/x\n";
    struct arena *arena = arena_new(ARENA_BYTES);
    struct render_file file;
    struct render_output files = one_file(&file, "haproxy/cc.cfg", slice_of(text));

    (void)state;
    assert_int_equal(diff_haproxy_mask(&files, 7, arena), CC_OK);
    assert_string_equal(file.text.p,
                        "errorfile 400 /o/generations/N/e\n"
                        "return '{\"haproxy\":N,\"agent\":7}' if { var(txn.cc.hgen) -m int N }\n"
                        "    args hgen=int(N) id=unique-id\n"
                        "timeout 7s /generations/77/x\n");
    arena_free(&arena);
}

static struct config *load(struct arena *arena, const struct config_override *overrides, size_t n)
{
    struct diag *diag = diag_new();
    struct config *c = NULL;

    assert_int_equal(config_load(&c, NULL, NULL, overrides, n, arena, diag), CC_OK);
    diag_free(&diag);
    return c;
}

static void settings_say_who_must_be_told(void **state)
{
    static const struct config_override other[] = {
        {SLICE_INIT("router.listenerPort"), SLICE_INIT("9191")},
        {SLICE_INIT("agent.socket"), SLICE_INIT("/run/other.sock")},
        {SLICE_INIT("agent.workers"), SLICE_INIT("3")}, /* no business of a build */
    };
    struct arena *arena = arena_new(ARENA_BYTES);
    struct plan plan = {.built = 1, .differs = true, .diff = {.arena = arena}};
    struct plan again = plan;
    struct manifest built = {0}, none = {0};

    (void)state;
    assert_int_equal(manifest_settings(&built, load(arena, NULL, 0), arena), CC_OK);
    assert_true(built.n_settings > 10);
    assert_int_equal(diff_settings(&plan.diff, &built, load(arena, other, 3)), CC_OK);
    assert_string_equal(printed(&plan, true),
                        "~ setting router.listenerPort: 9090 -> 9191"
                        "  (--set router.listenerPort)\n"
                        "~ setting agent.socket: /run/cc/spoa.sock -> /run/other.sock"
                        "  (--set agent.socket)\n"
                        "needs reload: yes: setting router.listenerPort, setting agent.socket\n"
                        "agent: restart it\n");
    assert_int_equal(diff_settings(&again.diff, &built, load(arena, NULL, 0)), CC_OK);
    assert_int_equal(again.diff.n, 0);
    /* A manifest from before settings were kept says nothing. */
    assert_int_equal(diff_settings(&again.diff, &none, load(arena, other, 3)), CC_OK);
    assert_int_equal(again.diff.n, 0);
    arena_free(&arena);
}

static void settings_survive_the_manifest(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct manifest m = {.generation = 1, .haproxy_generation = 1}, read;
    struct buf text;

    (void)state;
    memset(m.model_hash, 'a', 64);
    assert_int_equal(manifest_settings(&m, load(arena, NULL, 0), arena), CC_OK);
    buf_init(&text, 1 << 20);
    assert_int_equal(manifest_write(&m, &text), CC_OK);
    assert_int_equal(manifest_read(&read, buf_slice(&text), arena), CC_OK);
    assert_true(read.has_settings);
    assert_int_equal(read.n_settings, m.n_settings);
    for (size_t i = 0; i < m.n_settings; i++)
        assert_true(slice_eq(manifest_value(&read, m.settings[i].name), m.settings[i].value));
    buf_free(&text);
    arena_free(&arena);
}

static void the_first_build_starts_everything(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct plan plan = {.built = 0, .differs = true, .diff = {.arena = arena}};

    (void)state;
    assert_string_equal(printed(&plan, true),
                        "needs reload: yes: nothing is built yet\nagent: start it\n");
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(other_files_are_told_whole),
        cmocka_unit_test(clusters_are_told_once),
        cmocka_unit_test(numbers_of_generations_are_masked),
        cmocka_unit_test(settings_say_who_must_be_told),
        cmocka_unit_test(settings_survive_the_manifest),
        cmocka_unit_test(the_first_build_starts_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
