/* Completion scripts and the table they come from: nothing is missing, placeholders mean something.
 */
#include "generator/completion.h"

#include "base/base.h"
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_BYTES = 16 << 20, SCRIPT_MAX_BYTES = 4 << 20 };

static const char *const shells[] = {"bash", "zsh", "fish"};

struct world {
    struct arena *arena;
    struct buf scripts[3];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->arena = arena_new(ARENA_BYTES);
    for (size_t i = 0; i < 3; i++) {
        buf_init(&w->scripts[i], SCRIPT_MAX_BYTES);
        assert_int_equal(completion_write(shells[i], w->arena, &w->scripts[i]), CC_OK);
    }
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < 3; i++)
        buf_free(&w->scripts[i]);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static void assert_in(const struct world *w, size_t shell, const char *text)
{
    if (!slice_contains(buf_slice(&w->scripts[shell]), slice_of(text)))
        fail_msg("the script for %s does not have: %s", shells[shell], text);
}

/* The part of a script that is about one command, from `first` to `end`. */
static struct slice part(const struct world *w, size_t shell, const char *first, const char *end)
{
    const char *p = strstr(w->scripts[shell].p, first), *q;

    if (p == NULL)
        fail_msg("the script for %s does not have: %s", shells[shell], first);
    q = strstr(p, end);
    assert_non_null(q);
    return slice_make(p, (size_t)(q - p));
}

static const char *text(const struct world *w, const char *fmt, const char *a, const char *b)
{
    struct buf out;
    const char *copy;

    buf_init(&out, 4096);
    for (; *fmt != '\0'; fmt++) {
        if (*fmt == '1')
            buf_add_str(&out, a);
        else if (*fmt == '2')
            buf_add_str(&out, b);
        else
            buf_add_char(&out, *fmt);
    }
    copy = arena_dup(w->arena, buf_slice(&out)).p;
    buf_free(&out);
    return copy;
}

static void every_command_occurs(void **state)
{
    const struct world *w = *state;

    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        assert_in(w, 0, text(w, "    1) _cc_gen_reply words '", c->name, ""));
        assert_in(w, 1, text(w, "\n        '1:", c->name, ""));
        assert_in(w, 1, text(w, "\n        1)\n            _arguments", c->name, ""));
        assert_in(w, 2, text(w, "__fish_use_subcommand -f -a 1 -d '", c->name, ""));
    }
}

static void every_option_occurs_at_its_command(void **state)
{
    const struct world *w = *state;

    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        struct slice bash =
            part(w, 0, text(w, "    1) _cc_gen_reply words '", c->name, ""), ";;\n");
        struct slice zsh =
            part(w, 1, text(w, "        1)\n            _arguments", c->name, ""), ";;");

        for (const struct cli_option *o = c->options; o->name != NULL; o++) {
            const char *name = text(w, "--1", o->name, "");
            char letter[2] = {o->letter, '\0'};

            assert_true(slice_contains(bash, slice_of(name)));
            assert_true(slice_contains(zsh, slice_of(name)));
            assert_in(
                w, 2,
                text(w, o->letter != 0 ? "from 1' -s 2 -l " : "from 1' -l ", c->name, letter));
            assert_in(w, 2, text(w, "-l 1 ", o->name, ""));
            if (o->letter == 0)
                continue;
            assert_true(slice_contains(bash, slice_of(text(w, "-1 ", letter, ""))));
            assert_true(slice_contains(zsh, slice_of(text(w, "{-1", letter, ""))));
        }
    }
}

static void every_option_with_a_value_says_so(void **state)
{
    const struct world *w = *state;

    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        for (const struct cli_option *o = c->options; o->name != NULL; o++) {
            const char *row = text(w, "    1:--2", c->name, o->name);
            bool has = strstr(w->scripts[0].p, text(w, "1)", row, "")) != NULL ||
                       strstr(w->scripts[0].p, text(w, "1 | ", row, "")) != NULL;

            assert_int_equal(has, o->value != NULL);
        }
    }
}

static void settings_and_codes_occur(void **state)
{
    const struct world *w = *state;
    size_t n;
    const struct config_setting *settings = config_settings(&n);

    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        const char *name = settings[i].name;
        const char *bracket = strstr(name, "[]");

        if (bracket != NULL)
            name = arena_printf(w->arena, "%.*s[0]%s", (int)(bracket - name), name, bracket + 2).p;
        for (size_t shell = 0; shell < 3; shell++)
            assert_in(w, shell, name);
    }
    for (int i = 0; i < DIAG_CODES; i++)
        for (size_t shell = 0; shell < 3; shell++)
            assert_in(w, shell, diag_code_name((enum diag_code)i));
}

/* A line break in a help text would cut a line of the script in two; whether the quotes are right
 * is for the shells themselves to say, in cli-completion.vtc. */
static void no_script_has_control_characters(void **state)
{
    const struct world *w = *state;

    for (size_t shell = 0; shell < 3; shell++) {
        struct slice s = buf_slice(&w->scripts[shell]);

        for (size_t i = 0; i < s.n; i++)
            assert_true(!ascii_is_control(s.p[i]) || s.p[i] == '\n');
    }
}

static void placeholders(void **state)
{
    static const struct {
        const char *placeholder;
        enum completion_kind kind;
        const char *choices;
    } rows[] = {
        {"FILE", COMPLETION_FILES, ""},
        {"FILE|-", COMPLETION_FILES, "-"},
        {"DIR", COMPLETION_DIRS, ""},
        {"SOCKET", COMPLETION_FILES, ""},
        {"PROJECT...", COMPLETION_FILES, ""},
        {"PROG", COMPLETION_PROGRAMS, ""},
        {"NAME=VALUE", COMPLETION_SETTINGS, ""},
        {"NAME=JSON", COMPLETION_NONE, ""},
        {"SCOPE", COMPLETION_NONE, ""},
        {"TYPE", COMPLETION_CHOICES, "PRODUCTION SANDBOX"},
        {"bash|zsh|fish", COMPLETION_CHOICES, "bash zsh fish"},
        {"text | json", COMPLETION_CHOICES, "text json"},
        {"", COMPLETION_NONE, ""},
    };
    const struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct completion_value v;

        assert_int_equal(completion_value(slice_of(rows[i].placeholder), w->arena, &v), CC_OK);
        if (v.kind != rows[i].kind || !slice_is(v.choices, rows[i].choices))
            fail_msg("%s: kind %d, choices '%.*s'", rows[i].placeholder, (int)v.kind,
                     SLICE_ARG(v.choices));
    }
}

static void synopses(void **state)
{
    static const struct {
        const char *synopsis;
        size_t n;
        bool repeats;
        const char *names[4];
    } rows[] = {
        {"", 0, false, {0}},
        {"[-c FILE] [-o DIR] [options] PROJECT...", 1, true, {"PROJECT..."}},
        {"NAME [--oas FILE|-] [--force]", 1, false, {"NAME"}},
        {"METHOD URL [-H HEADER]... [--at TIME] [-o DIR | PROJECT...]",
         3,
         true,
         {"METHOD", "URL", "PROJECT..."}},
        {"[-o DIR] [options] [GENERATION]", 1, false, {"GENERATION"}},
        {"[COMMAND | settings | CODE]", 1, false, {"COMMAND | settings | CODE"}},
        {"[-s SCOPE]... [options]", 0, false, {0}},
        {"a|b [", 2, false, {"a|b", "["}},
    };
    const struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct completion_words words;

        assert_int_equal(completion_synopsis(slice_of(rows[i].synopsis), w->arena, &words), CC_OK);
        if (words.n != rows[i].n || words.repeats != rows[i].repeats)
            fail_msg("%s: %zu words", rows[i].synopsis, words.n);
        for (size_t k = 0; k < words.n; k++)
            assert_true(slice_is(words.values[k].name, rows[i].names[k]));
    }
}

/* What the synopsis promises, the parser takes: at least and at most as many arguments. */
static void synopses_agree_with_the_parser(void **state)
{
    const struct world *w = *state;

    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        struct completion_words words;

        assert_int_equal(completion_synopsis(slice_of(c->synopsis), w->arena, &words), CC_OK);
        if (words.repeats ? c->max_words < words.n : c->max_words != words.n)
            fail_msg("%s %s takes up to %zu arguments, its synopsis names %zu", c->name,
                     c->synopsis, c->max_words, words.n);
        assert_true(c->min_words <= words.n);
    }
}

static void an_unknown_shell_is_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(completion_write("tcsh", w->arena, &w->scripts[0]), CC_ENOENT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_command_occurs),
        CASE(every_option_occurs_at_its_command),
        CASE(every_option_with_a_value_says_so),
        CASE(settings_and_codes_occur),
        CASE(no_script_has_control_characters),
        CASE(placeholders),
        CASE(synopses),
        CASE(synopses_agree_with_the_parser),
        CASE(an_unknown_shell_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
