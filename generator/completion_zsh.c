/* The scripts for zsh and fish, whose own completion systems show the help texts too. */
#include "generator/completion.h"

#include "config/config.h"

/* --- zsh ------------------------------------------------------------------------------------- */

/* Text inside single quotes, where _arguments reads '[', ']' and ':' as its own. */
static void add_zsh(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            buf_add_str(out, "'\\''");
            continue;
        }
        if (strchr("[]:\\", *text) != NULL)
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
}

/* The action of _arguments that completes a value. */
static void add_zsh_action(struct buf *out, const struct completion_value *v)
{
    static const char *const actions[] = {
        "", "_files", "_files -/", "_command_names -e", "_cc_gen_settings", ""};

    buf_add_str(out, actions[v->kind]);
    if (v->kind == COMPLETION_CHOICES)
        buf_printf(out, "(%" PRIslice ")", SLICE_ARG(v->choices));
}

static int add_zsh_option(struct arena *arena, struct buf *out, const struct cli_option *o)
{
    struct completion_value v;
    int rc = CC_OK;

    /* '(-o --output)'{-o+,--output=}'[help]:DIR:_files -/' */
    buf_add_str(out, " \\\n            ");
    if (o->repeat)
        buf_add_str(out, "'*'");
    else if (o->letter != 0)
        buf_printf(out, "'(-%c --%s)'", o->letter, o->name);
    if (o->letter != 0)
        buf_printf(out, "{-%c%s,--%s%s}'[", o->letter, o->value != NULL ? "+" : "", o->name,
                   o->value != NULL ? "=" : "");
    else
        buf_printf(out, "'--%s%s[", o->name, o->value != NULL ? "=" : "");
    add_zsh(out, o->help);
    buf_add_char(out, ']');
    if (o->value != NULL) {
        rc = completion_value(slice_of(o->value), arena, &v);
        buf_add_char(out, ':');
        add_zsh(out, o->value);
        buf_add_char(out, ':');
        add_zsh_action(out, &v);
    }
    buf_add_char(out, '\'');
    return rc;
}

static int add_zsh_command(struct arena *arena, struct buf *out, const struct cli_command *c)
{
    struct completion_words words;
    int rc = completion_synopsis(slice_of(c->synopsis), arena, &words);

    buf_printf(out, "        %s)\n            _arguments", c->name);
    for (const struct cli_option *o = c->options; rc == CC_OK && o->name != NULL; o++)
        rc = add_zsh_option(arena, out, o);
    for (size_t i = 0; rc == CC_OK && i < words.n; i++) {
        struct slice name = arena_dup(arena, words.values[i].name);

        if (name.p == NULL)
            return CC_ENOMEM;
        if (i + 1 == words.n && words.repeats)
            buf_add_str(out, " \\\n            '*:");
        else
            buf_printf(out, " \\\n            '%zu:", i + 1);
        add_zsh(out, name.p);
        buf_add_char(out, ':');
        add_zsh_action(out, &words.values[i]);
        buf_add_char(out, '\'');
    }
    buf_add_str(out, "\n            ;;\n");
    return rc;
}

static void add_zsh_settings(struct buf *out)
{
    size_t n;
    const struct config_setting *settings = config_settings(&n);

    buf_add_str(out, "_cc_gen_settings() {\n    local -a names\n    names=(");
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, "\n        '");
        for (const char *p = settings[i].name; *p != '\0'; p++) {
            buf_add_char(out, *p);
            if (*p == '[')
                buf_add_char(out, '0');
        }
        buf_add_char(out, '\'');
    }
    buf_add_str(out, "\n    )\n    if compset -P '*='; then\n        _files\n    else\n"
                     "        compadd -S = -a names\n    fi\n}\n\n");
}

int completion_zsh(struct arena *arena, struct buf *out)
{
    int rc = CC_OK;

    buf_add_str(out, "#compdef cc-gen\n# zsh completion for cc-gen, made by "
                     "`cc-gen completion zsh`\n\n");
    add_zsh_settings(out);
    buf_add_str(out, "_cc_gen() {\n    local context state line\n    typeset -A opt_args\n"
                     "    local -a commands\n    commands=(");
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        buf_printf(out, "\n        '%s:", c->name);
        add_zsh(out, c->summary);
        buf_add_char(out, '\'');
    }
    buf_add_str(out, "\n    )\n    _arguments -C '1: :->command' '*:: :->arguments'\n"
                     "    case $state in\n    command) _describe command commands ;;\n"
                     "    arguments)\n        case $words[1] in\n");
    for (const struct cli_command *c = cli_commands; rc == CC_OK && c->name != NULL; c++)
        rc = add_zsh_command(arena, out, c);
    buf_add_str(out, "        esac\n        ;;\n    esac\n}\n\n"
                     "if [ \"$funcstack[1]\" = _cc_gen ]; then\n    _cc_gen \"$@\"\nelse\n"
                     "    compdef _cc_gen cc-gen\nfi\n");
    return rc == CC_OK ? buf_error(out) : rc;
}

/* --- fish ------------------------------------------------------------------------------------ */

/* Text inside single quotes of fish: only the quote and the backslash are special. */
static void add_fish(struct buf *out, const char *text)
{
    buf_add_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_char(out, '\'');
}

static void add_fish_values(struct buf *out, const struct completion_value *v)
{
    switch (v->kind) {
    case COMPLETION_NONE:
        buf_add_str(out, " -f");
        break;
    case COMPLETION_FILES:
        buf_add_str(out, " -F");
        break;
    case COMPLETION_DIRS:
        buf_add_str(out, " -f -a '(__fish_complete_directories)'");
        break;
    case COMPLETION_PROGRAMS:
        buf_add_str(out, " -F -a '(__fish_complete_command)'");
        break;
    case COMPLETION_SETTINGS:
        buf_add_str(out, " -f -a '(__cc_gen_settings)'");
        break;
    case COMPLETION_CHOICES:
        buf_printf(out, " -f -a '%" PRIslice "'", SLICE_ARG(v->choices));
        break;
    }
}

static int add_fish_command(struct arena *arena, struct buf *out, const struct cli_command *c)
{
    struct completion_words words;
    int rc = completion_synopsis(slice_of(c->synopsis), arena, &words);

    buf_printf(out, "\ncomplete -c cc-gen -n __fish_use_subcommand -f -a %s -d ", c->name);
    add_fish(out, c->summary);
    buf_add_char(out, '\n');
    for (const struct cli_option *o = c->options; rc == CC_OK && o->name != NULL; o++) {
        struct completion_value v;

        buf_printf(out, "complete -c cc-gen -n '__fish_seen_subcommand_from %s'", c->name);
        if (o->letter != 0)
            buf_printf(out, " -s %c", o->letter);
        buf_printf(out, " -l %s", o->name);
        if (o->value != NULL) {
            rc = completion_value(slice_of(o->value), arena, &v);
            buf_add_str(out, " -r");
            add_fish_values(out, &v);
        }
        buf_add_str(out, " -d ");
        add_fish(out, o->help);
        buf_add_char(out, '\n');
    }
    /* fish does not count arguments: what any of them may be */
    for (size_t i = 0; rc == CC_OK && i < words.n; i++) {
        if (words.values[i].kind == COMPLETION_NONE)
            continue;
        buf_printf(out, "complete -c cc-gen -n '__fish_seen_subcommand_from %s'", c->name);
        add_fish_values(out, &words.values[i]);
        buf_add_char(out, '\n');
    }
    return rc;
}

int completion_fish(struct arena *arena, struct buf *out)
{
    size_t n;
    const struct config_setting *settings = config_settings(&n);
    int rc = CC_OK;

    buf_add_str(out, "# fish completion for cc-gen, made by `cc-gen completion fish`\n\n"
                     "function __cc_gen_settings\n    printf '%s=\\n'");
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, " \\\n        '");
        for (const char *p = settings[i].name; *p != '\0'; p++) {
            buf_add_char(out, *p);
            if (*p == '[')
                buf_add_char(out, '0');
        }
        buf_add_char(out, '\'');
    }
    buf_add_str(out, "\nend\n\ncomplete -c cc-gen -f\n");
    for (const struct cli_command *c = cli_commands; rc == CC_OK && c->name != NULL; c++)
        rc = add_fish_command(arena, out, c);
    return rc == CC_OK ? buf_error(out) : rc;
}
