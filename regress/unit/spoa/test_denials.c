/* Deny rules by the admin socket: what its commands answer, what is published, and what is there
 * after a restart. */
#include "regress/unit/spoa/kept_log.h"

#include "spoa/denials.h"

#include "base/file.h"
#include "crypto/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char directory[32];
    struct clock_fixed clock;
    struct ev_loop *loop;
    struct denials *denials;
    struct deny_list *list; /* published last */
    unsigned published;
    struct buf out;
};

static void on_list(void *context, struct deny_list *list)
{
    struct world *w = context;

    deny_list_unref(&w->list);
    w->list = list;
    w->published++;
}

/* The agent starts, for the first time or again. */
static int start(struct world *w, const char *directory)
{
    const struct denials_options options = {
        .clock = &w->clock.clock,
        .directory = directory,
        .loop = w->loop,
        .retry_ms = 10,
        .publish = on_list,
        .context = w,
    };

    denials_free(&w->denials);
    deny_list_unref(&w->list);
    assert_int_equal(denials_new(&w->denials, &options), CC_OK);
    return denials_restore(w->denials);
}

static int open_world(void **state)
{
    static struct world w;

    w = (struct world){.directory = "/tmp/test_denials.XXXXXX"};
    clock_fixed_init(&w.clock, 1700000000, 0);
    buf_init(&w.out, ADMIN_OUT_MAX);
    *state = &w;
    w.loop = ev_loop_new(EVFLAG_AUTO);
    assert_non_null(w.loop);
    assert_non_null(mkdtemp(w.directory));
    return start(&w, NULL);
}

static int close_world(void **state)
{
    struct world *w = *state;

    denials_free(&w->denials);
    deny_list_unref(&w->list);
    buf_free(&w->out);
    ev_loop_destroy(w->loop);
    return file_remove_tree(w->directory);
}

/* What the command answers; words with blanks between them. */
static const char *run(struct world *w, const char *name, const char *words)
{
    struct slice arg[8], rest = slice_of(words), word;
    struct admin_call call = {.context = w->denials, .arg = arg, .out = &w->out};
    size_t i = 0;

    while (rest.n > 0 && slice_split(&rest, ' ', &word))
        arg[call.n_args++] = word;
    while (i < denials_n_commands && strcmp(denials_commands[i].name, name) != 0)
        i++;
    assert_true(i < denials_n_commands);
    assert_in_range(call.n_args, denials_commands[i].min_args, denials_commands[i].max_args);
    buf_reset(&w->out);
    while (denials_commands[i].run(&call))
        ;
    return w->out.p != NULL ? w->out.p : "";
}

static bool denies(struct world *w, enum gw_denial kind, const char *text)
{
    return w->list != NULL &&
           deny_set_find(deny_list_set(w->list), kind, slice_of(text), w->clock.now_wall_s) != NULL;
}

static void test_add_and_remove(void **state)
{
    struct world *w = *state;

    assert_string_equal(run(w, "add deny", "user bob"), "added\n");
    assert_string_equal(run(w, "add deny", "api /pets invert for 60"), "added\n");
    assert_true(denies(w, GW_DENY_USER, "bob") && !denies(w, GW_DENY_USER, "alice"));
    assert_true(denies(w, GW_DENY_API, "/other") && !denies(w, GW_DENY_API, "/pets"));
    assert_string_equal(run(w, "show deny", ""), "user bob\napi /pets invert for 60\n");
    /* the same again has another end, and is no second rule */
    assert_string_equal(run(w, "add deny", "user bob for 5"), "replaced\n");
    assert_string_equal(run(w, "show deny", ""), "api /pets invert for 60\nuser bob for 5\n");
    w->clock.now_wall_s += 5;
    assert_false(denies(w, GW_DENY_USER, "bob"));
    assert_string_equal(run(w, "show deny", ""), "api /pets invert for 55\n");
    assert_string_equal(run(w, "del deny", "api /pets"),
                        "there is no such rule; those of policy files end with a build\n");
    assert_string_equal(run(w, "del deny", "api /pets invert"), "removed\n");
    assert_null(w->list);
    assert_string_equal(run(w, "show deny", ""), "");
}

/* For programs: exact, and so that parts of two lists are told from one. */
static void test_raw(void **state)
{
    unsigned long long list, other;
    struct world *w = *state;
    const char *text;

    assert_string_equal(run(w, "show deny", "raw"), "list 0\n");
    assert_string_equal(run(w, "add deny", "user bob for 5"), "added\n");
    assert_string_equal(run(w, "add deny", "api /a invert from 1700000040 for 5"), "added\n");
    w->clock.now_wall_s += 7; /* one that is over is told, too, until another change */
    assert_int_equal(sscanf(run(w, "show deny", "raw"), "list %llu\n", &list), 1);
    text = strchr(w->out.p, '\n');
    assert_string_equal(text, "\n1700000005 - user bob\n1700000040-1700000045 invert api /a\n");
    assert_string_equal(run(w, "add deny", "user eve"), "added\n");
    assert_int_equal(sscanf(run(w, "show deny", "raw"), "list %llu\n", &other), 1);
    assert_true(list > 0 && other > 0 && list != other);
    assert_string_equal(run(w, "show deny", "all"), "usage: show deny [raw]\n");
}

/* Rules that begin later; and that outlive a restart before they do. */
static void test_times(void **state)
{
    struct world *w = *state;

    assert_int_equal(start(w, w->directory), CC_OK);
    assert_string_equal(run(w, "add deny", "user bob from 2023-11-14T22:14:00Z"), "added\n");
    assert_string_equal(run(w, "add deny", "user eve from 1700000040 until 1700000050"), "added\n");
    assert_string_equal(run(w, "add deny", "api /a invert from 1700000040 for 5"), "added\n");
    assert_string_equal(run(w, "add deny", "api /b from 2001-01-01T00:00:00Z"), "added\n");
    assert_string_equal(run(w, "add deny", "api /c until 2023-11-14T22:13:50Z"), "added\n");
    assert_int_equal(start(w, w->directory), CC_OK);
    assert_string_equal(run(w, "show deny", ""), "user bob from 2023-11-14T22:14:00Z\n"
                                                 "user eve from 2023-11-14T22:14:00Z for 10\n"
                                                 "api /a invert from 2023-11-14T22:14:00Z for 5\n"
                                                 "api /b\napi /c for 30\n");
    assert_true(denies(w, GW_DENY_API, "/b") && denies(w, GW_DENY_API, "/c"));
    assert_false(denies(w, GW_DENY_USER, "bob") || denies(w, GW_DENY_USER, "eve") ||
                 denies(w, GW_DENY_API, "/x"));
    w->clock.now_wall_s = 1700000040;
    assert_true(denies(w, GW_DENY_USER, "bob") && denies(w, GW_DENY_USER, "eve") &&
                denies(w, GW_DENY_API, "/x"));
    assert_string_equal(run(w, "show deny", ""),
                        "user bob\nuser eve for 10\napi /a invert for 5\napi /b\n");
    w->clock.now_wall_s = 1700000045;
    assert_true(denies(w, GW_DENY_USER, "eve") && !denies(w, GW_DENY_API, "/x"));
    w->clock.now_wall_s = 1700000050;
    assert_true(denies(w, GW_DENY_USER, "bob") && !denies(w, GW_DENY_USER, "eve"));
}

static void test_faults(void **state)
{
    static const char *const wrong[][2] = {
        {"nobody x", "not added: the kind is"},
        {"ip 1.2.3", "not added: it is no IP address"},
        {"ip 10.0.0.1/8", "not added: the address has bits set"},
        {"user bob always", "not added: behind the value"},
        {"user bob for", "not added: behind the value"},
        {"user bob for 0", "not added: SECONDS is a number from 1 to"},
        {"user bob for x", "not added: SECONDS is a number from 1 to"},
        {"user bob for -1", "not added: SECONDS is a number from 1 to"},
        {"user bob for 4294967296", "not added: SECONDS is a number from 1 to"},
        /* what no request is ever equal to would be believed to hold */
        {"api pets", "not added: a base path begins with '/'"},
        {"application Shop", "not added: it is SUBSCRIBER:APPLICATION"},
        {"subscription /pets", "not added: it is BASEPATH:VERSION:"},
        {"user bob for 5 invert", "not added: behind the value"},
        {"user bob from", "not added: behind the value"},
        {"user bob from tomorrow", "not added: behind the value"},
        {"user bob until", "not added: behind the value"},
        {"user bob until 2030-02-30T00:00:00Z", "not added: behind the value"},
        {"user bob until 1800000000 for 5", "not added: behind the value"},
        {"user bob until 1800000000 from 5", "not added: behind the value"},
        {"user bob until 1700000000", "not added: that time is over"},
        {"user bob from 1700000009 until 1700000009", "not added: that time is over"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_non_null(strstr(run(w, "add deny", wrong[i][0]), wrong[i][1]));
    assert_int_equal(w->published, 0);
}

static void test_many(void **state)
{
    struct world *w = *state;
    size_t lines = 0, parts = 0;

    for (unsigned i = 0; i < DENIALS_MAX; i++) {
        char words[64];

        snprintf(words, sizeof(words), "ip 10.0.%u.%u", i >> 8, i & 255);
        assert_string_equal(run(w, "add deny", words), "added\n");
    }
    assert_non_null(strstr(run(w, "add deny", "user one"), "not added: "));
    assert_false(denies(w, GW_DENY_USER, "one"));
    for (const char *p = run(w, "show deny", ""); *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, DENIALS_MAX);
    lines = 0;
    for (const char *p = run(w, "show deny", "raw"); *p != '\0'; p = strchr(p, '\n') + 1) {
        lines += strncmp(p, "0 - ip 10.0.", 12) == 0;
        parts += strncmp(p, "list ", 5) == 0;
    }
    assert_int_equal(lines, DENIALS_MAX);
    assert_true(parts > 1);
}

static void test_restart(void **state)
{
    struct world *w = *state;

    assert_int_equal(start(w, w->directory), CC_OK);
    assert_null(w->list);
    assert_string_equal(run(w, "add deny", "user bob"), "added\n");
    assert_string_equal(run(w, "add deny", "ip 2001:db8::/32 invert for 60"), "added\n");
    assert_string_equal(run(w, "add deny", "api /pets for 5"), "added\n");
    w->clock.now_wall_s += 10;
    assert_int_equal(start(w, w->directory), CC_OK);
    assert_true(denies(w, GW_DENY_USER, "bob"));
    assert_false(denies(w, GW_DENY_API, "/pets"));
    assert_string_equal(run(w, "show deny", ""), "user bob\nip 2001:db8::/32 invert for 50\n");
    assert_string_equal(run(w, "del deny", "user bob"), "removed\n");
    assert_string_equal(run(w, "del deny", "ip 2001:db8::/32 invert"), "removed\n");
    assert_int_equal(start(w, w->directory), CC_OK);
    assert_null(w->list);
}

/* A value with blanks, and one as long as can be. */
static void test_restart_of_any_value(void **state)
{
    static const char shown[] = "application \\ alice:\\ My\\;\\\\Shop\\ \nuser xxx";
    struct gw_deny_rule rules[2] = {
        {.kind = GW_DENY_APPLICATION, .value = SLICE(" alice: My;\\Shop ")},
        {.kind = GW_DENY_USER}};
    char text[DENY_FILE_VALUE_BYTES];
    struct deny_list *list = NULL;
    struct world *w = *state;

    memset(text, 'x', sizeof(text));
    rules[1].value = slice_make(text, sizeof(text));
    assert_int_equal(deny_list_new(&list, rules, 2), CC_OK);
    assert_int_equal(deny_file_write(w->directory, list), CC_OK);
    deny_list_unref(&list);
    assert_int_equal(start(w, w->directory), CC_OK);
    assert_true(denies(w, GW_DENY_APPLICATION, " alice: My;\\Shop "));
    assert_int_equal(deny_list_count(w->list), 2);
    assert_true(slice_eq(deny_list_at(w->list, 1)->value, rules[1].value));
    /* shown as it can be given in a command */
    assert_int_equal(strncmp(run(w, "show deny", ""), shown, strlen(shown)), 0);
}

/* A file where the directory should be. */
static void put_in_the_way(struct world *w, char path[64])
{
    snprintf(path, 64, "%s/x", w->directory);
    assert_int_equal(file_write_atomic(path, SLICE("a file"), 0600), CC_OK);
}

/* Lines of the log with this in them, of `tries` tries. */
static unsigned count_in_log(struct world *w, int tries, const char *text)
{
    struct kept_log log = kept_log_begin();

    for (int i = 0; i < tries; i++)
        ev_run(w->loop, EVRUN_ONCE);
    return kept_log_end(&log, text);
}

/* As soon as it can be it is, without another command. */
static void test_cannot_be_saved(void **state)
{
    char path[64], said[160];
    struct world *w = *state;

    put_in_the_way(w, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(start(w, path), CC_OK);
    put_in_the_way(w, path);
    snprintf(said, sizeof(said), "added\nbut not saved: %s/denied.rules: ", path);
    assert_int_equal(strncmp(run(w, "add deny", "user bob"), said, strlen(said)), 0);
    assert_int_equal(strncmp(run(w, "add deny", "user eve"), said, strlen(said)), 0);
    assert_true(denies(w, GW_DENY_USER, "bob")); /* it holds nevertheless */
    assert_int_equal(count_in_log(w, 3, ""), 0); /* that it cannot be was said */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(count_in_log(w, 1, "saved again"), 1);
    assert_int_equal(ev_run(w->loop, EVRUN_NOWAIT), 0); /* nothing is left to be tried */
    snprintf(said, sizeof(said), "%s/" DENY_FILE_NAME, path);
    assert_int_equal(access(said, R_OK), 0);
    assert_int_equal(start(w, path), CC_OK);
    assert_string_equal(run(w, "show deny", ""), "user bob\nuser eve\n");
}

/* The end of the agent is one more try. */
static void test_saved_at_the_end(void **state)
{
    struct world *w = *state;
    char path[64];

    put_in_the_way(w, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(start(w, path), CC_OK);
    assert_string_equal(run(w, "add deny", "user bob"), "added\n");
    assert_int_equal(file_remove_tree(path), CC_OK);
    put_in_the_way(w, path);
    assert_non_null(strstr(run(w, "del deny", "user bob"), "removed\nbut not saved: "));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(start(w, path), CC_OK);
    assert_null(w->list);
    assert_string_equal(run(w, "add deny", "user eve"), "added\n");
    assert_int_equal(start(w, path), CC_OK);
    assert_true(denies(w, GW_DENY_USER, "eve"));
}

/* `lines` as a file whose sum is right, or one that is not. */
static int read_lines(struct world *w, const char *magic, const char *lines, bool sum)
{
    char path[64], hex[65], text[512];

    assert_int_equal(crypto_sha256_hex(slice_of(lines), hex), CC_OK);
    if (!sum)
        hex[0] = hex[0] == '0' ? '1' : '0';
    snprintf(path, sizeof(path), "%s/" DENY_FILE_NAME, w->directory);
    snprintf(text, sizeof(text), "%s%s\n%s", magic, hex, lines);
    assert_int_equal(file_write_atomic(path, slice_of(text), 0600), CC_OK);
    return start(w, w->directory);
}

static void test_damaged(void **state)
{
    static const char *const wrong[] = {
        "0 - user bob\n\n",   "0 - user\n",       "0 user bob\n",
        "-1 - user bob\n",    "0 yes user bob\n", "0 - nobody bob\n",
        "0 - user \n",        "0 - ip 1.2.3\n",   "99999999999999999999 - user bob\n",
        "0 - user bob\x01\n", "0-5 - user bob\n", "-5 - user bob\n",
        "5- - user bob\n",    "5-5 - user bob\n", "5-6-7 - user bob\n",
    };
    static const char magic[] = "cc deny rules 1 ";
    struct world *w = *state;
    char path[64];

    assert_int_equal(read_lines(w, magic, "0 - user bob\n", true), CC_OK);
    assert_true(denies(w, GW_DENY_USER, "bob"));
    assert_int_equal(read_lines(w, magic, "0 - user bob\n", false), CC_EPARSE);
    assert_null(w->list);
    assert_int_equal(read_lines(w, "cc deny rules 2 ", "", true), CC_EVERSION);
    assert_int_equal(read_lines(w, "cc counters 1 ", "", true), CC_EPARSE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (read_lines(w, magic, wrong[i], true) != CC_EPARSE)
            fail_msg("not refused: %s", wrong[i]);
    assert_int_equal(read_lines(w, magic, "0 - user bob\n", true), CC_OK);
    snprintf(path, sizeof(path), "%s/" DENY_FILE_NAME, w->directory);
    assert_int_equal(chmod(path, 0622), 0);
    assert_int_equal(start(w, w->directory), CC_EREFUSED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(w->directory, 0777), 0);
    assert_int_equal(start(w, w->directory), CC_EREFUSED);
    assert_int_equal(chmod(w->directory, 0700), 0);
    assert_int_equal(start(w, w->directory), CC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_add_and_remove, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_raw, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_times, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_faults, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_many, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_restart, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_restart_of_any_value, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_cannot_be_saved, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_saved_at_the_end, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_damaged, open_world, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
