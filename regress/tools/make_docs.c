/* make_docs: the pages of the manual that come from the tables of the programs.
 *
 *     make_docs configuration.md|findings.md|cc-gen.1|cc-spoa.8
 *
 * prints one of them. `make docs` writes them all, regress/run-docs.sh checks that they are those
 * of the present tables. */
#include "config/config.h"
#include "generator/cli.h"
#include "spoa/options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* --- Markdown -------------------------------------------------------------------------------- */

/* Text of a table's cell or a paragraph. Signs with a meaning stand for themselves; what is in
 * backquotes stays as it is. */
static void print_markdown(const char *text)
{
    bool code = false;

    for (; *text != '\0'; text++) {
        if (*text == '`')
            code = !code;
        if (*text == '|' || (!code && strchr("*_<>[]\\", *text) != NULL))
            putchar('\\');
        putchar(*text);
    }
}

/* The part of a name above its last dot: "router.upstream". */
static struct slice section_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    return slice_make(name, dot != NULL ? (size_t)(dot - name) : 0);
}

static void print_setting_row(const struct config_setting *s)
{
    const char *dot = strrchr(s->name, '.');

    printf("| `%s` | %s", dot != NULL ? dot + 1 : s->name, s->type);
    if (s->limits[0] != '\0')
        printf(", %s", s->limits);
    fputs(" | ", stdout);
    if (s->def[0] != '\0')
        printf("`%s`", s->def);
    fputs(" | ", stdout);
    print_markdown(s->help);
    printf(" | %s |\n", s->change);
}

static void print_configuration(void)
{
    size_t n;
    const struct config_setting *settings = config_settings(&n);
    struct slice section = SLICE_NONE;

    puts("# Settings of cc.yaml\n\n"
         "<!-- made by `make docs` from lib/config/settings.def: change it there -->\n\n"
         "A dot is a level of nesting, `[]` an element of a list:\n\n"
         "```yaml\n"
         "router:\n"
         "  listenerPort: 9090            # router.listenerPort\n"
         "enforcer:\n"
         "  security:\n"
         "    tokenService:\n"
         "      - name: login             # enforcer.security.tokenService[].name\n"
         "```\n\n"
         "The last that gives a value counts: the default, `cc.yaml`, the environment "
         "(`CC_ROUTER_LISTENERPORT`,\n"
         "`CC_ENFORCER_SECURITY_TOKENSERVICE_0_NAME`), `--set router.listenerPort=9090`. "
         "`$env{NAME}` in a value of `cc.yaml`\n"
         "stands for a variable of the environment. An unknown setting is an error. Relative "
         "paths in `cc.yaml` begin at its\n"
         "directory. `cc-gen help settings` prints this page.");
    for (size_t i = 0; i < n; i++) {
        struct slice of = section_of(settings[i].name);

        if (!slice_eq(of, section)) {
            printf("\n## %" PRIslice "\n\n", SLICE_ARG(of.n > 0 ? of : SLICE("At the top")));
            puts("| setting | value | default | | a change needs |\n|---|---|---|---|---|");
            section = of;
        }
        print_setting_row(&settings[i]);
    }
}

static const char *group_of(char digit)
{
    static const char *const groups[] = {"Projects and documents",
                                         "Meaning of an API",
                                         "cc.yaml",
                                         "Keys and certificates",
                                         "Output and HAProxy",
                                         "Snapshot",
                                         "Commands",
                                         "Lint",
                                         "Audit"};

    CC_ASSERT(digit >= '1' && digit <= '9');
    return groups[digit - '1'];
}

static void print_findings(void)
{
    char group = '\0';

    puts("# Findings\n\n"
         "<!-- made by `make docs` from lib/base/diag_codes.def: change it there -->\n\n"
         "What cc-gen and cc-spoa find wrong is printed as `file:line:column: error[CODE]: ...` or "
         "`warning[CODE]`, all of it in one\n"
         "run. With an error nothing is built. `cc-gen help CODE` prints one of these texts.");
    for (int i = 0; i < DIAG_CODES; i++) {
        enum diag_code code = (enum diag_code)i;

        if (diag_code_name(code)[2] != group) {
            group = diag_code_name(code)[2];
            printf("\n## %s\n", group_of(group));
        }
        printf("\n### %s: ", diag_code_name(code));
        print_markdown(diag_code_title(code));
        fputs("\n\n", stdout);
        print_markdown(diag_code_explanation(code));
        putchar('\n');
    }
}

/* --- man(7) ---------------------------------------------------------------------------------- */

/* Text whose backslashes, hyphens and leading dots stand for themselves. */
static void print_roff(const char *text)
{
    bool begin = true;

    for (; *text != '\0'; text++) {
        if (begin && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        begin = *text == '\n';
    }
}

static void print_title(const char *name, const char *section, const char *summary)
{
    printf(".\\\" made by `make docs` from the tables of the program\n"
           ".TH %s %s \"\" \"cc-gateway " CC_VERSION "\" \"cc-gateway\"\n.SH NAME\n%s \\- %s\n",
           name, section, name, summary);
}

static void print_man_option(char letter, const char *name, const char *value, const char *help)
{
    puts(".TP");
    fputs(".B ", stdout);
    if (letter != '\0')
        printf("\\-%c, ", letter);
    fputs("\\-\\-", stdout);
    print_roff(name);
    if (value != NULL)
        printf(" \\fI%s\\fP", value);
    putchar('\n');
    print_roff(help);
    putchar('\n');
}

static void print_man_exit(int code, const char *text)
{
    printf(".TP\n.B %d\n", code);
    print_roff(text);
    putchar('\n');
}

static void print_command(const struct cli_command *c)
{
    printf(".SS cc\\-gen %s ", c->name);
    print_roff(c->synopsis);
    putchar('\n');
    print_roff(c->summary);
    puts(".");
    for (const struct cli_option *o = c->options; o->name != NULL; o++) {
        print_man_option(o->letter, o->name, o->value, o->help);
        if (o->repeat)
            puts("(may be repeated)");
    }
    if (c->help[0] == '\0')
        return;
    /* the texts have their own lines and indented examples */
    puts(".PP\n.nf");
    print_roff(c->help);
    puts(".fi");
}

static void print_cc_gen(void)
{
    print_title("cc-gen", "1", "turn API projects into a gateway made of HAProxy and cc\\-spoa");
    puts(".SH SYNOPSIS\n.B cc\\-gen\n.I COMMAND\n[options]\n.SH COMMANDS");
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        print_command(c);
    puts(".SH EXIT STATUS");
#define X(name, value, text) print_man_exit(value, text);
    CLI_EXITS(X)
#undef X
    puts(".SH ENVIRONMENT\n.TP\n.B CC_<SECTION>_<KEY>\na setting, above cc.yaml: "
         "CC_ROUTER_LISTENERPORT\n.TP\n.B NO_COLOR\nno colours, also on a terminal\n.TP\n"
         ".B XDG_STATE_HOME\\fR, \\fPHOME\nwhere the development keys are\n.SH SEE ALSO\n"
         ".BR cc\\-spoa (8),\n.BR haproxy (1)");
}

static void print_cc_spoa(void)
{
    print_title("cc-spoa", "8", "the gateway's agent: decides for HAProxy about every request");
    puts(
        ".SH SYNOPSIS\n.B cc\\-spoa\n[\\-c \\fIFILE\\fP] [\\-s \\fIFILE\\fP] [\\-\\-set "
        "\\fINAME=VALUE\\fP]... [\\-t]\n.SH DESCRIPTION\n"
        "Listens on agent.socket for HAProxy, finds the API and resource of each request, verifies "
        "its token and scopes, and says\nwhere the request goes or how it is refused. When it is "
        "not there, HAProxy refuses all requests.\n.SH OPTIONS");
#define X(name, letter, value, help) print_man_option(letter, #name, value, help);
    SPOA_OPTIONS(X)
#undef X
    puts(".SH SIGNALS");
#define X(name, text) printf(".TP\n.B %s\n%s\n", name, text);
    SPOA_SIGNALS(X)
#undef X
    puts(".SH EXIT STATUS");
#define X(code, text) print_man_exit(code, text);
    SPOA_EXITS(X)
#undef X
    puts(".SH SEE ALSO\n.BR cc\\-gen (1),\n.BR haproxy (1)");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } pages[] = {{"configuration.md", print_configuration},
                 {"findings.md", print_findings},
                 {"cc-gen.1", print_cc_gen},
                 {"cc-spoa.8", print_cc_spoa}};

    for (size_t i = 0; argc == 2 && i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(argv[1], pages[i].name) != 0)
            continue;
        pages[i].print();
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    fputs("usage: make_docs configuration.md|findings.md|cc-gen.1|cc-spoa.8\n", stderr);
    return EX_USAGE;
}
