/* cli: the command line of cc-gen, from one table.
 *
 * Each command has a row: name, arguments, one-line summary, options, longer help, function. The
 * parser, `--help`, `cc-gen help`, man pages and completions all come from it. stdout is data, stderr is talk.
 * Exit codes: 0 fine, 1 refused or failed check, 64 usage, 65 bad input, 69 dependency missing,
 * 70 bug, 73 cannot create output, 74 I/O (sysexits.h). */
#pragma once

#include "base/base.h"

struct cli_option {
    const char *name;  /* "output" for --output */
    char letter;       /* 'o' for -o, or 0 */
    const char *value; /* "DIR"; NULL = a switch */
    const char *help;
};

/* What was given. */
struct cli_args {
    const struct cli_command *command;
    const char **values;     /* one a row of command->options: the value, "" for a switch, NULL */
    const char **words;      /* what is not an option */
    size_t n_words;
    const char **sets;       /* each --set NAME=VALUE */
    size_t n_sets;
};

struct cli_command {
    const char *name;
    const char *synopsis; /* "[-c FILE] [-o DIR] DIR..." */
    const char *summary;
    const char *help;     /* paragraphs */
    const struct cli_option *options; /* ends with a NULL name */
    int (*run)(const struct cli_args *args); /* returns the exit code */
};

/* Ends with a NULL name. */
extern const struct cli_command cli_commands[];

/* The value of option `name`: NULL when not given. */
const char *cli_value(const struct cli_args *args, const char *name);

int cli_main(int argc, char **argv);
