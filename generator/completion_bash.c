/* The script for bash: one function that works without the bash-completion package. */
#include "generator/completion.h"

#include "config/config.h"

static const char prologue[] =
    "# bash completion for cc-gen, made by `cc-gen completion bash`\n"
    "\n"
    "# _cc_gen_reply KIND [WORDS]: what may stand at the cursor.\n"
    "_cc_gen_reply()\n"
    "{\n"
    "    case $1 in\n"
    "    files) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); compopt -o filenames 2>/dev/null "
    ";;\n"
    "    dirs) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); compopt -o filenames 2>/dev/null "
    ";;\n"
    "    programs) mapfile -t COMPREPLY < <(compgen -c -- \"$cur\") ;;\n"
    "    settings) mapfile -t COMPREPLY < <(compgen -W \"$settings\" -- \"$cur\")\n"
    "        compopt -o nospace 2>/dev/null ;;\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$2\" -- \"$cur\") ;;\n"
    "    esac\n"
    "}\n"
    "\n";

static const char body[] =
    "    COMPREPLY=()\n"
    "    cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        _cc_gen_reply words \"$commands --help --version\"\n"
    "        return\n"
    "    fi\n"
    "    command=${COMP_WORDS[1]}\n"
    "    # bash cuts words at '=': \"--set\" \"NAME\" \"=\" \"VALUE\", \"--alg\" \"=\" \"VALUE\".\n"
    "    if [ \"$cur\" = = ]; then\n"
    "        cur=\n"
    "        prev='='\n"
    "        i=$((COMP_CWORD - 1))\n"
    "    else\n"
    "        i=$((COMP_CWORD - 2))\n"
    "    fi\n"
    "    if [ \"$prev\" = = ]; then\n"
    "        prev=${COMP_WORDS[i]}\n"
    "        case $prev in\n"
    "        --*) ;;\n"
    "        *) _cc_gen_setting \"$prev\"; return ;;\n"
    "        esac\n"
    "    fi\n"
    "    _cc_gen_option \"$command\" \"$prev\" && return\n"
    "    if [[ $cur == -* ]]; then\n"
    "        _cc_gen_options \"$command\"\n"
    "        return\n"
    "    fi\n"
    "    # Which argument is it? Options, their values and what follows '=' do not count.\n"
    "    n=0\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        if [ \"${COMP_WORDS[i + 1]}\" = = ]; then\n"
    "            ((i += 2))\n"
    "        elif _cc_gen_option \"$command\" \"${COMP_WORDS[i]}\"; then\n"
    "            ((i++))\n"
    "            [ \"${COMP_WORDS[i + 1]}\" = = ] && ((i += 2))\n"
    "        elif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
    "            ((n++))\n"
    "        fi\n"
    "    done\n"
    "    COMPREPLY=()\n"
    "    _cc_gen_argument \"$command\" \"$n\"\n"
    "}\n"
    "\n"
    "complete -F _cc_gen cc-gen\n";

/* A call of _cc_gen_reply for the value. Choices are words of tables: no quote is among them. */
static void add_reply(struct buf *out, const struct completion_value *v)
{
    static const char *const kinds[] = {":",
                                        "_cc_gen_reply files",
                                        "_cc_gen_reply dirs",
                                        "_cc_gen_reply programs",
                                        "_cc_gen_reply settings",
                                        "_cc_gen_reply words"};

    buf_add_str(out, kinds[v->kind]);
    if (v->kind == COMPLETION_CHOICES)
        buf_printf(out, " '%" PRIslice "'", SLICE_ARG(v->choices));
    buf_add_str(out, " ;;\n");
}

/* _cc_gen_option COMMAND OPTION: the values of an option; false when it takes none, whatever
 * compgen and compopt say. */
static int add_options_values(struct arena *arena, struct buf *out)
{
    int rc = CC_OK;

    buf_add_str(out, "_cc_gen_option()\n{\n    case $1:$2 in\n");
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        for (const struct cli_option *o = c->options; rc == CC_OK && o->name != NULL; o++) {
            struct completion_value v;

            if (o->value == NULL)
                continue;
            rc = completion_value(slice_of(o->value), arena, &v);
            buf_printf(out, "    %s:--%s", c->name, o->name);
            if (o->letter != 0)
                buf_printf(out, " | %s:-%c", c->name, o->letter);
            buf_add_str(out, ") ");
            add_reply(out, &v);
        }
    }
    buf_add_str(out, "    *) return 1 ;;\n    esac\n    return 0\n}\n\n");
    return rc;
}

/* _cc_gen_options COMMAND: the options themselves. */
static void add_options(struct buf *out)
{
    buf_add_str(out, "_cc_gen_options()\n{\n    case $1 in\n");
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        buf_printf(out, "    %s) _cc_gen_reply words '", c->name);
        for (const struct cli_option *o = c->options; o->name != NULL; o++) {
            if (o->letter != 0)
                buf_printf(out, "-%c ", o->letter);
            buf_printf(out, "--%s%s", o->name, o[1].name != NULL ? " " : "");
        }
        buf_add_str(out, "' ;;\n");
    }
    buf_add_str(out, "    esac\n}\n\n");
}

/* _cc_gen_argument COMMAND NUMBER: what stands after the options. */
static int add_arguments(struct arena *arena, struct buf *out)
{
    int rc = CC_OK;

    buf_add_str(out, "_cc_gen_argument()\n{\n    case $1:$2 in\n");
    for (const struct cli_command *c = cli_commands; rc == CC_OK && c->name != NULL; c++) {
        struct completion_words words;

        rc = completion_synopsis(slice_of(c->synopsis), arena, &words);
        for (size_t i = 0; i < words.n; i++) {
            if (i + 1 == words.n && words.repeats)
                buf_printf(out, "    %s:*) ", c->name);
            else
                buf_printf(out, "    %s:%zu) ", c->name, i);
            add_reply(out, &words.values[i]);
        }
    }
    buf_add_str(out, "    esac\n}\n\n");
    return rc;
}

/* "a.b[].c" -> "a.b[0].c": the first element is as good an example as any. */
static void add_setting_name(struct buf *out, const char *name)
{
    for (; *name != '\0'; name++) {
        buf_add_char(out, *name);
        if (*name == '[')
            buf_add_char(out, '0');
    }
}

static int add_settings(struct arena *arena, struct buf *out)
{
    size_t n;
    const struct config_setting *settings = config_settings(&n);
    int rc = CC_OK;

    buf_add_str(out, "# _cc_gen_setting NAME: its values.\n_cc_gen_setting()\n{\n    case $1 in\n");
    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        struct slice choices = SLICE("");

        rc = completion_setting(settings[i].type, settings[i].limits, arena, &choices);
        if (choices.n == 0)
            continue;
        buf_add_str(out, "    '");
        add_setting_name(out, settings[i].name);
        buf_printf(out, "') _cc_gen_reply words '%" PRIslice "' ;;\n", SLICE_ARG(choices));
    }
    buf_add_str(out, "    *) _cc_gen_reply files ;;\n    esac\n}\n\n");
    buf_add_str(out, "_cc_gen()\n{\n    local cur prev command i n\n    local commands='");
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        buf_printf(out, "%s%s", c->name, c[1].name != NULL ? " " : "'\n");
    buf_add_str(out, "    local settings='");
    for (size_t i = 0; i < n; i++) {
        add_setting_name(out, settings[i].name);
        buf_add_str(out, i + 1 < n ? "= " : "='\n");
    }
    return rc;
}

int completion_bash(struct arena *arena, struct buf *out)
{
    int rc;

    buf_add_str(out, prologue);
    rc = add_options_values(arena, out);
    add_options(out);
    if (rc == CC_OK)
        rc = add_arguments(arena, out);
    if (rc == CC_OK)
        rc = add_settings(arena, out);
    buf_add_str(out, body);
    return rc == CC_OK ? buf_error(out) : rc;
}
