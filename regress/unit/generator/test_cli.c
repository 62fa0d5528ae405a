/* The command line: parsing by the table, what is said about mistakes, help. */
#include "generator/cli.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "", false}, {"set", 0, "NAME=VALUE", "", true},
    {"resolve", 'r', NULL, "", false}, {"verbose", 'v', NULL, "", true},
    {"help", 'h', NULL, "", false},    {NULL, 0, NULL, NULL, false},
};
static const struct cli_command command = {
    "build", "DIR...", "", "", options, 1, 2, NULL,
};

/* What `body` printed on stderr while it ran cli_parse. */
static char said[4096];

static int parse(struct cli_args *args, const char *const *words)
{
    char *argv[16] = {(char *)"cc-gen", (char *)"build"};
    int argc = 2;
    int saved, rc;
    FILE *file = tmpfile();
    size_t n;

    assert_non_null(file);
    for (; words[argc - 2] != NULL; argc++)
        argv[argc] = (char *)words[argc - 2];
    fflush(stderr);
    saved = dup(2);
    dup2(fileno(file), 2);
    rc = cli_parse(args, &command, argc, argv, 2);
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    rewind(file);
    n = fread(said, 1, sizeof(said) - 1, file);
    said[n] = '\0';
    fclose(file);
    return rc;
}

#define PARSE(args, ...) parse(args, (const char *const[]){__VA_ARGS__, NULL})

/* Parses what must be refused with a message that contains `words`. */
#define REFUSED(words, ...)                                        \
    do {                                                           \
        struct cli_args refused;                                   \
        assert_int_equal(PARSE(&refused, __VA_ARGS__), CC_EINVAL); \
        if (strstr(said, words) == NULL)                           \
            fail_msg("'%s' is not in: %s", words, said);           \
        cli_args_free(&refused);                                   \
    } while (0)

static void spellings_of_options(void **state)
{
    static const char *const spellings[][4] = {
        {"-o", "out", "p", NULL},    {"-oout", "p", NULL},        {"--output", "out", "p", NULL},
        {"--output=out", "p", NULL}, {"p", "--output=out", NULL}, {"-ro", "out", "p", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        struct cli_args args;

        assert_int_equal(parse(&args, spellings[i]), CC_OK);
        assert_string_equal(cli_value(&args, "output"), "out");
        assert_int_equal(args.n_words, 1);
        assert_string_equal(args.words[0], "p");
        cli_args_free(&args);
    }
}

static void switches_and_absent_options(void **state)
{
    struct cli_args args;

    (void)state;
    assert_int_equal(PARSE(&args, "-rvv", "p"), CC_OK);
    assert_true(cli_has(&args, "resolve"));
    assert_true(cli_has(&args, "verbose"));
    assert_false(cli_has(&args, "output"));
    assert_null(cli_value(&args, "output"));
    cli_args_free(&args);
}

static void repeated_options_keep_their_order(void **state)
{
    struct cli_args args;
    size_t at = 0;

    (void)state;
    assert_int_equal(PARSE(&args, "--set", "a=1", "p", "--set=b=2=3", "--set", "c="), CC_OK);
    assert_string_equal(cli_next(&args, "set", &at), "a=1");
    assert_string_equal(cli_next(&args, "set", &at), "b=2=3");
    assert_string_equal(cli_next(&args, "set", &at), "c=");
    assert_null(cli_next(&args, "set", &at));
    cli_args_free(&args);
}

static void two_dashes_end_the_options(void **state)
{
    struct cli_args args;

    (void)state;
    assert_int_equal(PARSE(&args, "--", "--output"), CC_OK);
    assert_int_equal(args.n_words, 1);
    assert_string_equal(args.words[0], "--output");
    cli_args_free(&args);
    /* A single dash is a word. */
    assert_int_equal(PARSE(&args, "-"), CC_OK);
    assert_string_equal(args.words[0], "-");
    cli_args_free(&args);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    REFUSED("did you mean --output?", "--ouput", "x", "p");
    REFUSED("no option --zzzzzzzz\n", "--zzzzzzzz", "p");
    REFUSED("no option -x", "-x", "p");
    REFUSED("--output needs a value: --output DIR", "p", "--output");
    REFUSED("--output needs a value", "p", "-o");
    REFUSED("--resolve takes no value", "--resolve=yes", "p");
    REFUSED("--output is given twice", "-o", "a", "--output", "b", "p");
    REFUSED("--set takes NAME=VALUE, not 'a'", "--set", "a", "p");
    REFUSED("--set takes NAME=VALUE, not '=a'", "--set", "=a", "p");
    REFUSED("an argument is missing", "-o", "a");
    REFUSED("unexpected argument 'c'", "a", "b", "c");
    REFUSED("try: cc-gen help build", "--nothing");
}

static void help_needs_no_arguments(void **state)
{
    struct cli_args args;

    (void)state;
    assert_int_equal(PARSE(&args, "--help"), CC_OK);
    assert_true(cli_has(&args, "help"));
    cli_args_free(&args);
}

/* What must hold for every row of the real table. */
static void the_table_is_sound(void **state)
{
    (void)state;
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        bool help = false;

        assert_ptr_equal(cli_find_command(c->name), c);
        assert_non_null(c->run);
        assert_true(c->summary[0] != '\0');
        for (const struct cli_option *o = c->options; o->name != NULL; o++) {
            help = help || strcmp(o->name, "help") == 0;
            assert_true(o->help[0] != '\0');
            for (const struct cli_option *other = c->options; other != o; other++) {
                assert_string_not_equal(o->name, other->name);
                assert_true(o->letter == 0 || o->letter != other->letter);
            }
        }
        assert_true(help);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_options),
        cmocka_unit_test(switches_and_absent_options),
        cmocka_unit_test(repeated_options_keep_their_order),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(the_table_is_sound),
    };

    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
