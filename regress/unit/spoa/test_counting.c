/* The agent's counters: saved now and then and at the end, back at the next start. */
#include "spoa/admin_commands.h"
#include "spoa/counting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct counter_rule rule = {.max = 10, .window_ms = 3600000};

struct place_of_files {
    char directory[64], path[96];
};

static void make_directory(struct place_of_files *f)
{
    snprintf(f->directory, sizeof(f->directory), "/tmp/cc-counting-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/counters.state", f->directory);
}

static struct counting *start(const char *directory)
{
    struct counting_options options = {.keys = 2000, .directory = directory, .interval_s = 1};
    struct counting *c = NULL;

    assert_int_equal(counting_new(&c, &options), CC_OK);
    return c;
}

static uint64_t take(struct counting *c)
{
    const struct counter_limit limit = {&rule, SLICE("app:alice"), NULL};
    struct counter_result r;

    counter_take(counting_table(c), &limit, 1, 0, counter_now(&clock_system), &r);
    return r.state.used;
}

static void back_after_a_restart(void **state)
{
    struct place_of_files f;
    struct counting *c;

    (void)state;
    make_directory(&f);
    c = start(f.directory);
    assert_int_equal(take(c), 1);
    assert_int_equal(take(c), 2);
    counting_free(&c);
    c = start(f.directory);
    assert_int_equal(take(c), 3);
    counting_free(&c);
    assert_int_equal(file_remove_tree(f.directory), CC_OK);
}

static void damaged_or_not_ours(void **state)
{
    struct place_of_files f;
    struct counting *c;

    (void)state;
    make_directory(&f);
    c = start(f.directory);
    take(c);
    counting_free(&c);
    assert_int_equal(truncate(f.path, 200), 0);
    c = start(f.directory);
    assert_int_equal(take(c), 1);
    counting_free(&c);
    assert_int_equal(chmod(f.path, 0666), 0);
    c = start(f.directory);
    assert_int_equal(take(c), 1);
    counting_free(&c); /* replaced by a good one */
    c = start(f.directory);
    assert_int_equal(take(c), 2);
    counting_free(&c);
    assert_int_equal(file_remove_tree(f.directory), CC_OK);
}

static void nothing_is_saved_without_a_directory(void **state)
{
    struct counting *c = start("");
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

    (void)state;
    counting_start(c, loop);
    take(c);
    ev_run(loop, 0); /* nothing is there to wait for */
    counting_free(&c);
    ev_loop_destroy(loop);
}

static void saved_while_it_runs(void **state)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct place_of_files f;
    struct counting *c, *other;
    struct buf report;
    char room[512];

    (void)state;
    make_directory(&f);
    c = start(f.directory);
    counting_start(c, loop);
    take(c);
    while (access(f.path, F_OK) != 0)
        ev_run(loop, EVRUN_ONCE);
    other = start(f.directory); /* as after a kill -9 */
    assert_int_equal(take(other), 2);
    counting_free(&other);
    buf_init_fixed(&report, room, sizeof(room));
    counting_stop(c);
    counting_report(c, &report);
    assert_true(slice_starts(buf_slice(&report), SLICE(" keys=1 admitted=1 refused=0 ")));
    assert_true(slice_ends(buf_slice(&report), SLICE(" saves=1 save_failures=0")));
    counting_free(&c);
    ev_loop_destroy(loop);
    assert_int_equal(file_remove_tree(f.directory), CC_OK);
}

static void a_directory_that_goes_away(void **state)
{
    struct place_of_files f;
    struct counting *c;
    struct buf report;
    char room[512];
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

    (void)state;
    make_directory(&f);
    c = start(f.directory);
    assert_int_equal(file_remove_tree(f.directory), CC_OK);
    counting_start(c, loop);
    take(c);
    do {
        ev_run(loop, EVRUN_ONCE);
        buf_init_fixed(&report, room, sizeof(room));
        counting_report(c, &report);
    } while (!slice_contains(buf_slice(&report), SLICE(" save_failures=1")));
    assert_int_equal(take(c), 2);
    counting_free(&c);
    ev_loop_destroy(loop);
}

/* The answer to one command. */
static const char *ask(struct counting *c, const char *line, char room[4096])
{
    struct admin_commands commands = {.n = 0};
    struct admin_words words;
    struct admin_call call = {.cursor = 0};
    const struct admin_command *command;
    char text[256];
    char *at = text;
    struct buf out;

    snprintf(text, sizeof(text), "%s", line);
    assert_int_equal(admin_line_next(&at, text + strlen(text), &words), ADMIN_LINE_OK);
    admin_commands_add(&commands, counting_commands, counting_n_commands, c);
    buf_init_fixed(&out, room, 4096);
    call.out = &out;
    buf_add_str(&out, "");
    command = admin_commands_find(&commands, &words, &call);
    if (command != NULL)
        assert_false(command->run(&call));
    assert_int_equal(buf_error(&out), CC_OK);
    return room;
}

static void commands(void **state)
{
    struct counting *c = start("");
    char room[4096];

    (void)state;
    assert_string_equal(ask(c, "show limits", room), "");
    for (int i = 0; i < 12; i++)
        take(c);
    assert_string_equal(ask(c, "show limits", room),
                        "used=10 max=10 unit=requests window=fixed mode=enforce over=2 "
                        "reset_s=3600 idle_s=0 key=app:alice\n");
    assert_string_equal(ask(c, "show limits bob", room), "");
    assert_true(strstr(ask(c, "show limit app:alice", room), "used=10 ") != NULL);
    assert_string_equal(ask(c, "show limit app:bob", room), "nothing is counted for this key\n");
    ask(c, "peek limit app:alice", room);
    assert_true(slice_starts(slice_of(room), SLICE("known=1 used=10 max=10 remaining=0 "
                                                   "unit=requests window=fixed mode=enforce "
                                                   "reset_ms=3")));
    assert_true(
        slice_ends(slice_of(room), SLICE(" burst=0 fits=0 others=0 shared=0 counting=local\n")));
    assert_string_equal(ask(c, "peek limit app:bob 7", room), "known=0 shared=0 counting=local\n");
    assert_string_equal(ask(c, "peek limit app:bob x", room), "BYTES is a number\n");
    assert_string_equal(ask(c, "peek limit app:bob 9007199254740993", room), "BYTES is a number\n");
    assert_string_equal(ask(c, "clear limit app:alice", room), "cleared\n");
    assert_string_equal(ask(c, "clear limit app:alice", room), "nothing is counted for this key\n");
    assert_int_equal(take(c), 1);
    counting_free(&c);
}

/* Who asks why somebody is refused of whose quota much is left sees what stops him, and first. */
static void spike_arrest_is_shown(void **state)
{
    const struct counter_rule rules[] = {
        {.max = 100, .window_ms = 3600000, .burst_max = 2, .burst_ms = 600000},
        {.max = COUNTER_MAX_QUOTA,
         .window_ms = COUNTER_MAX_WINDOW_MS,
         .burst_max = 4,
         .burst_ms = 600000},
        {.max = 10, .window_ms = 3600000},
    };
    static const char *const keys[] = {"both", "burst", "quota"};
    struct counting *c = start("");
    struct counter_result r;
    char room[4096];

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        const struct counter_limit limit = {.rule = &rules[i / 3], .key = slice_of(keys[i / 3])};

        counter_take(counting_table(c), &limit, 1, 0, counter_now(&clock_system), &r);
    }
    assert_string_equal(ask(c, "show limits", room),
                        "used=2 max=100 unit=requests window=fixed mode=enforce over=1 "
                        "reset_s=3600 idle_s=0 burst=2/2 key=both\n"
                        "used=3 max=none unit=requests window=fixed mode=enforce over=0 "
                        "reset_s=600 idle_s=0 burst=3/4 key=burst\n"
                        "used=3 max=10 unit=requests window=fixed mode=enforce over=0 "
                        "reset_s=3600 idle_s=0 key=quota\n");
    counting_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(back_after_a_restart),
        cmocka_unit_test(damaged_or_not_ours),
        cmocka_unit_test(nothing_is_saved_without_a_directory),
        cmocka_unit_test(saved_while_it_runs),
        cmocka_unit_test(a_directory_that_goes_away),
        cmocka_unit_test(commands),
        cmocka_unit_test(spike_arrest_is_shown),
    };

    log_setup("test", LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
