/* cli: the command line of cc-gen, from one table.
 *
 * Each command has a row: name, arguments, one-line summary, options, longer help, function. The
 * parser, `--help`, `cc-gen help` and the consistency check of `make check` all come from it.
 * stdout is data, stderr is talk. */
#pragma once

#include "base/base.h"

#include <stdio.h>

/* Exit codes (the numbers of sysexits.h, so that scripts can tell the cases apart). */
#define CLI_EXITS(X)                                                                  \
    X(CLI_OK, 0, "done")                                                              \
    X(CLI_FAILED, 1, "refused, or a check or a started program failed")               \
    X(CLI_DIFFERS, 2, "plan: a build would change something")                         \
    X(CLI_USAGE, 64, "the command line is wrong")                                     \
    X(CLI_DATA, 65, "the input has errors; nothing was written")                      \
    X(CLI_UNAVAILABLE, 69, "a program that is needed is missing, or does not answer") \
    X(CLI_SOFTWARE, 70, "an error inside cc-gen")                                     \
    X(CLI_CANTCREATE, 73, "the output cannot be created")                             \
    X(CLI_IOERR, 74, "reading or writing failed")

enum cli_exit {
#define X(name, value, text) name = value,
    CLI_EXITS(X)
#undef X
};

struct cli_option {
    const char *name;  /* "output" for --output */
    char letter;       /* 'o' for -o, or 0 */
    const char *value; /* "DIR"; NULL = a switch */
    const char *help;
    bool repeat; /* may be given more than once */
};

/* One option as it was given. */
struct cli_given {
    const struct cli_option *option;
    const char *value; /* "" for a switch */
};

/* What was given; everything points into argv. */
struct cli_args {
    const struct cli_command *command;
    struct cli_given *given; /* in the order of the command line */
    size_t n_given;
    const char **words; /* what is not an option */
    size_t n_words;
};

struct cli_command {
    const char *name;
    const char *synopsis; /* "[-c FILE] [-o DIR] DIR..." */
    const char *summary;
    const char *help;                 /* paragraphs */
    const struct cli_option *options; /* ends with a NULL name */
    size_t min_words, max_words;
    int (*run)(const struct cli_args *args); /* returns an enum cli_exit */
};

/* Ends with a NULL name. */
extern const struct cli_command cli_commands[];

/* The row of a command, or NULL. */
const struct cli_command *cli_find_command(const char *name);

/* Takes argv[first..argc) apart by the options of `command`. Options and words may be mixed; "--"
 * ends the options. CC_OK; CC_EINVAL after a line on stderr that says what is wrong. The arrays are
 * freed by cli_args_free(), also after a failure. */
int cli_parse(struct cli_args *args, const struct cli_command *command, int argc, char **argv,
              int first);
void cli_args_free(struct cli_args *args);

/* The last value of option `name`: NULL when it was not given. The command must have the option. */
const char *cli_value(const struct cli_args *args, const char *name);

static inline bool cli_has(const struct cli_args *args, const char *name)
{
    return cli_value(args, name) != NULL;
}

/* The next value of a repeated option: *at starts at 0 and is moved on; NULL at the end. */
const char *cli_next(const struct cli_args *args, const char *name, size_t *at);

/* "cc-gen: " and a line on stderr. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* May text on `stream` be coloured? Only on a terminal, and not when NO_COLOR is set
 * (no-color.org). */
bool cli_colour(FILE *stream);

/* May lines be overwritten there? A terminal that is not dumb. */
bool cli_terminal(FILE *stream);

/* The help texts: of the program, of a command. */
void cli_print_help(FILE *out);
void cli_print_command_help(FILE *out, const struct cli_command *command);

int cli_main(int argc, char **argv);

/* The commands, each in its cmd_*.c. */
int cmd_build(const struct cli_args *args);
int cmd_check(const struct cli_args *args);
int cmd_init(const struct cli_args *args);
int cmd_lint(const struct cli_args *args);
int cmd_audit(const struct cli_args *args);
int cmd_run(const struct cli_args *args);
int cmd_explain(const struct cli_args *args);
int cmd_explain(const struct cli_args *args);
int cmd_show(const struct cli_args *args);
int cmd_token(const struct cli_args *args);
int cmd_version(const struct cli_args *args);
int cmd_help(const struct cli_args *args);
int cmd_plan(const struct cli_args *args);
int cmd_rollback(const struct cli_args *args);
int cmd_completion(const struct cli_args *args);
int cmd_doctor(const struct cli_args *args);
