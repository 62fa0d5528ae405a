/* The help texts, all made from tables: commands, settings, finding codes. */
#include "generator/cli.h"

#include "config/config.h"

enum { HELP_COLUMNS = 96, OPTION_WIDTH = 26 };

void cli_print_help(FILE *out)
{
    fputs("cc-gen turns API projects into a gateway made of HAProxy and cc-spoa.\n\n"
          "usage: cc-gen COMMAND [options]\n\n",
          out);
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    fputs("\nexit codes:\n", out);
#define X(name, value, text) fprintf(out, "  %-10d %s\n", value, text);
    CLI_EXITS(X)
#undef X
    fputs("\n`cc-gen help COMMAND` says more; `cc-gen run examples/petstore` shows it working.\n",
          out);
}

static void print_option(FILE *out, const struct cli_option *o)
{
    char letter[8] = "    ";
    char name[64];

    if (o->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    snprintf(name, sizeof(name), "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "",
             o->value != NULL ? o->value : "");
    fprintf(out, "  %-*s %s%s\n", OPTION_WIDTH, name, o->help,
            o->repeat ? " (may be repeated)" : "");
}

void cli_print_command_help(FILE *out, const struct cli_command *command)
{
    fprintf(out, "cc-gen %s: %s\n\nusage: cc-gen %s%s%s\n\n", command->name, command->summary,
            command->name, command->synopsis[0] != '\0' ? " " : "", command->synopsis);
    for (const struct cli_option *o = command->options; o->name != NULL; o++)
        print_option(out, o);
    if (command->help[0] != '\0')
        fprintf(out, "\n%s", command->help);
}

/* Text in lines of at most HELP_COLUMNS, broken at spaces, indented. */
static void print_wrapped(FILE *out, const char *indent, struct slice text)
{
    size_t width = HELP_COLUMNS - strlen(indent);

    while (text.n > width) {
        size_t cut = width;

        while (cut > 0 && text.p[cut] != ' ')
            cut--;
        if (cut == 0)
            cut = width;
        fprintf(out, "%s%" PRIslice "\n", indent, SLICE_ARG(slice_first(text, cut)));
        text = slice_from(text, text.p[cut] == ' ' ? cut + 1 : cut);
    }
    fprintf(out, "%s%" PRIslice "\n", indent, SLICE_ARG(text));
}

static void print_setting(FILE *out, const struct config_setting *s)
{
    fprintf(out, "%s\n    %s", s->name, s->type);
    if (s->limits[0] != '\0')
        fprintf(out, ", %s", s->limits);
    if (s->def[0] != '\0')
        fprintf(out, "; default %s", s->def);
    fprintf(out, "; a change needs: %s\n", s->change);
    print_wrapped(out, "    ", slice_of(s->help));
    fputc('\n', out);
}

static void print_settings(FILE *out)
{
    size_t n;
    const struct config_setting *settings = config_settings(&n);

    fputs("Settings of cc.yaml. A dot is a level of nesting, [] an element of a list. Each can be\n"
          "set by an environment variable (CC_ROUTER_LISTENERPORT) and by --set NAME=VALUE.\n\n",
          out);
    for (size_t i = 0; i < n; i++)
        print_setting(out, &settings[i]);
}

/* The page of a finding; false when there is no such code. */
static bool print_code(FILE *out, const char *name)
{
    for (int i = 0; i < DIAG_CODES; i++) {
        enum diag_code code = (enum diag_code)i;

        if (!slice_eq_nocase(slice_of(name), slice_of(diag_code_name(code))))
            continue;
        fprintf(out, "%s: %s\n\n", diag_code_name(code), diag_code_title(code));
        print_wrapped(out, "", slice_of(diag_code_explanation(code)));
        return true;
    }
    return false;
}

static int unknown_topic(const char *topic)
{
    const char *names[32] = {"settings"};
    size_t n = 1;
    const char *near;

    for (const struct cli_command *c = cli_commands; c->name != NULL && n < 32; c++)
        names[n++] = c->name;
    near = nearest_word(slice_of(topic), names, n);
    if (near != NULL)
        cli_say("help: '%s' is no command and no finding code; did you mean '%s'?", topic, near);
    else
        cli_say("help: '%s' is no command and no finding code", topic);
    return CLI_USAGE;
}

int cmd_help(const struct cli_args *args)
{
    const char *topic = args->n_words > 0 ? args->words[0] : NULL;
    const struct cli_command *command;

    if (topic == NULL) {
        cli_print_help(stdout);
        return CLI_OK;
    }
    command = cli_find_command(topic);
    if (command != NULL)
        cli_print_command_help(stdout, command);
    else if (strcmp(topic, "settings") == 0)
        print_settings(stdout);
    else if (!print_code(stdout, topic))
        return unknown_topic(topic);
    return CLI_OK;
}
