/* Deny rules by the admin socket: what its commands answer, and what is published. */
#include "spoa/denials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct world {
    struct clock_fixed clock;
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

static int open_world(void **state)
{
    static struct world w;

    w = (struct world){.list = NULL};
    clock_fixed_init(&w.clock, 1700000000, 0);
    buf_init(&w.out, ADMIN_OUT_MAX);
    *state = &w;
    return denials_new(&w.denials, &w.clock.clock, on_list, &w);
}

static int close_world(void **state)
{
    struct world *w = *state;

    denials_free(&w->denials);
    deny_list_unref(&w->list);
    buf_free(&w->out);
    return 0;
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

static void test_faults(void **state)
{
    static const char *const wrong[][2] = {
        {"nobody x", "not added: the kind is"},
        {"ip 1.2.3", "not added: it is no IP address"},
        {"ip 10.0.0.1/8", "not added: the address has bits set"},
        {"user bob always", "not added: behind the value"},
        {"user bob for", "not added: behind the value"},
        {"user bob for 0", "not added: behind the value"},
        {"user bob for x", "not added: behind the value"},
        {"user bob for 5 invert", "not added: behind the value"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_non_null(strstr(run(w, "add deny", wrong[i][0]), wrong[i][1]));
    assert_int_equal(w->published, 0);
}

static void test_many(void **state)
{
    struct world *w = *state;
    size_t lines = 0;

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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_add_and_remove, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_faults, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_many, open_world, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
