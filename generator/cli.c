/* The parser of the command line. The table of commands is in cli_commands.c. */
#include "generator/cli.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_NAMES = 32 };

void cli_say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("cc-gen: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

bool cli_terminal(FILE *stream)
{
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

bool cli_colour(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");

    return (no_color == NULL || no_color[0] == '\0') && cli_terminal(stream);
}

const struct cli_command *cli_find_command(const char *name)
{
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static const struct cli_option *find_long(const struct cli_command *command, struct slice name)
{
    for (const struct cli_option *o = command->options; o->name != NULL; o++)
        if (slice_is(name, o->name))
            return o;
    return NULL;
}

static const struct cli_option *find_letter(const struct cli_command *command, char letter)
{
    for (const struct cli_option *o = command->options; o->name != NULL; o++)
        if (o->letter != 0 && o->letter == letter)
            return o;
    return NULL;
}

static int wrong(const struct cli_command *command)
{
    fprintf(stderr, "  try: cc-gen help %s\n", command->name);
    return CC_EINVAL;
}

static int unknown_option(const struct cli_command *command, struct slice name)
{
    const char *names[MAX_NAMES];
    size_t n = 0;
    const char *near;

    for (const struct cli_option *o = command->options; o->name != NULL && n < MAX_NAMES; o++)
        names[n++] = o->name;
    near = nearest_word(name, names, n);
    if (near != NULL)
        cli_say("%s: there is no option --%" PRIslice "; did you mean --%s?", command->name,
                SLICE_ARG(name), near);
    else
        cli_say("%s: there is no option --%" PRIslice, command->name, SLICE_ARG(name));
    return wrong(command);
}

/* Notes one option. `value` is NULL when none was given. */
static int give(struct cli_args *args, const struct cli_option *option, const char *value)
{
    const struct cli_command *command = args->command;

    if (option->value == NULL && value != NULL) {
        cli_say("%s: --%s takes no value", command->name, option->name);
        return wrong(command);
    }
    if (option->value != NULL && value == NULL) {
        cli_say("%s: --%s needs a value: --%s %s", command->name, option->name, option->name,
                option->value);
        return wrong(command);
    }
    if (value != NULL && strchr(option->value, '=') != NULL &&
        (value[0] == '=' || strchr(value, '=') == NULL)) {
        cli_say("%s: --%s takes %s, not '%s'", command->name, option->name, option->value, value);
        return wrong(command);
    }
    if (!option->repeat && option->value != NULL && cli_has(args, option->name)) {
        cli_say("%s: --%s is given twice", command->name, option->name);
        return wrong(command);
    }
    args->given[args->n_given++] = (struct cli_given){option, value != NULL ? value : ""};
    return CC_OK;
}

/* "--name", "--name=value", "--name value". *at is the argument; moved past a value. */
static int parse_long(struct cli_args *args, int argc, char **argv, int *at)
{
    struct slice name = slice_of(argv[*at] + 2);
    ptrdiff_t equals = slice_find(name, '=');
    const char *value = NULL;
    const struct cli_option *option;

    if (equals >= 0) {
        value = name.p + equals + 1;
        name = slice_first(name, (size_t)equals);
    }
    option = find_long(args->command, name);
    if (option == NULL)
        return unknown_option(args->command, name);
    if (option->value != NULL && value == NULL && *at + 1 < argc)
        value = argv[++*at];
    return give(args, option, value);
}

/* "-o value", "-ovalue", "-ab" for switches a and b. */
static int parse_letters(struct cli_args *args, int argc, char **argv, int *at)
{
    for (const char *p = argv[*at] + 1; *p != '\0'; p++) {
        const struct cli_option *option = find_letter(args->command, *p);
        int rc;

        if (option == NULL) {
            cli_say("%s: there is no option -%c", args->command->name, *p);
            return wrong(args->command);
        }
        if (option->value != NULL) {
            const char *value = p[1] != '\0' ? p + 1 : *at + 1 < argc ? argv[++*at] : NULL;

            return give(args, option, value);
        }
        rc = give(args, option, NULL);
        if (rc != CC_OK)
            return rc;
    }
    return CC_OK;
}

static int check_words(const struct cli_args *args)
{
    const struct cli_command *command = args->command;

    if (args->n_words < command->min_words) {
        cli_say("%s: an argument is missing: cc-gen %s %s", command->name, command->name,
                command->synopsis);
        return wrong(command);
    }
    if (args->n_words > command->max_words) {
        cli_say("%s: unexpected argument '%s'", command->name, args->words[command->max_words]);
        return wrong(command);
    }
    return CC_OK;
}

int cli_parse(struct cli_args *args, const struct cli_command *command, int argc, char **argv,
              int first)
{
    /* Letters can be bundled ("-hh"), so that one argument may be many options. */
    size_t room = 1;
    bool options = true;

    for (int i = first; i < argc; i++)
        room += strlen(argv[i]) + 1;
    *args = (struct cli_args){.command = command};
    args->given = calloc(room, sizeof(*args->given));
    args->words = calloc(room, sizeof(*args->words));
    if (args->given == NULL || args->words == NULL)
        return CC_ENOMEM;

    for (int i = first; i < argc; i++) {
        const char *arg = argv[i];
        int rc = CC_OK;

        if (!options || arg[0] != '-' || arg[1] == '\0')
            args->words[args->n_words++] = arg;
        else if (strcmp(arg, "--") == 0)
            options = false;
        else if (arg[1] == '-')
            rc = parse_long(args, argc, argv, &i);
        else
            rc = parse_letters(args, argc, argv, &i);
        if (rc != CC_OK)
            return rc;
    }
    return cli_has(args, "help") ? CC_OK : check_words(args);
}

void cli_args_free(struct cli_args *args)
{
    free(args->given);
    free(args->words);
    *args = (struct cli_args){0};
}

const char *cli_value(const struct cli_args *args, const char *name)
{
    const char *value = NULL;
    size_t at = 0;

    for (const char *v; (v = cli_next(args, name, &at)) != NULL;)
        value = v;
    return value;
}

const char *cli_next(const struct cli_args *args, const char *name, size_t *at)
{
    while (*at < args->n_given) {
        const struct cli_given *given = &args->given[(*at)++];

        if (strcmp(given->option->name, name) == 0)
            return given->value;
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[MAX_NAMES];
    size_t n = 0;
    const char *near;

    for (const struct cli_command *c = cli_commands; c->name != NULL && n < MAX_NAMES; c++)
        names[n++] = c->name;
    near = nearest_word(slice_of(name), names, n);
    if (near != NULL)
        cli_say("there is no command '%s'; did you mean '%s'?", name, near);
    else
        cli_say("there is no command '%s'", name);
    fputs("  try: cc-gen help\n", stderr);
    return CLI_USAGE;
}

/* Does nobody read what is written there any more, as behind `| head`? */
static bool has_no_reader(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/* Data that did not reach its reader (full disk, closed pipe) is neither a success nor an answer. A
 * reader that has seen enough is told nothing. */
static int finish(int exit_code)
{
    bool failed = fflush(stdout) != 0;

    /* what was too much for stdio's buffer failed before */
    if (ferror(stdout) == 0 && !failed)
        return exit_code;
    if (!has_no_reader(STDOUT_FILENO))
        cli_say("standard output cannot be written");
    return exit_code == CLI_OK || exit_code == CLI_FAILED || exit_code == CLI_DIFFERS ? CLI_IOERR
                                                                                      : exit_code;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args;
    int rc = cli_parse(&args, command, argc, argv, 2);
    int exit_code = rc == CC_EINVAL ? CLI_USAGE : CLI_SOFTWARE;

    if (rc != CC_OK)
        goto out;
    if (cli_has(&args, "help")) {
        cli_print_command_help(stdout, command);
        exit_code = CLI_OK;
    } else {
        exit_code = command->run(&args);
    }
    exit_code = finish(exit_code);
out:
    cli_args_free(&args);
    return exit_code;
}

int cli_main(int argc, char **argv)
{
    const struct cli_command *command;
    const char *name = argc > 1 ? argv[1] : NULL;

    /* Both become error values of write(2), which are reported where they happen. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);

    if (name == NULL) {
        cli_print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    command = cli_find_command(name);
    if (command == NULL)
        return unknown_command(name);
    return run_command(command, argc, argv);
}
