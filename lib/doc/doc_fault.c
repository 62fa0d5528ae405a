#include "doc/doc_impl.h"

/* libyaml speaks the language of its grammar. Each of its errors that people meet has a row: what
 * went wrong in their words, and what to do. `context` tells rows of one problem apart. */
struct fault {
    const char *problem;
    const char *context; /* NULL = any */
    bool at_context;     /* the place is where the construct began, not where libyaml gave up */
    const char *message;
    const char *help; /* may be NULL */
};

static const struct fault faults[] = {
    {"found unexpected end of stream", "while scanning a quoted scalar", true,
     "the quote that opens here is never closed", "add the closing quote"},
    {"found unexpected document indicator", "while scanning a quoted scalar", true,
     "the quote that opens here is not closed before the document ends", "add the closing quote"},
    {"did not find expected ',' or '}'", NULL, false, "expected ',' or '}' here",
     "a comma, a closing brace or a closing quote is missing before this place"},
    {"did not find expected ',' or ']'", NULL, false, "expected ',' or ']' here",
     "a comma, a closing bracket or a closing quote is missing before this place"},
    {"did not find expected node content", "while parsing a flow node", false,
     "expected a value here", "remove the extra comma, or write the missing value"},
    {"did not find expected node content", NULL, false, "expected a value here", NULL},
    {"did not find expected key", NULL, false, "expected a key here",
     "indent all keys of one mapping alike, and close the quotes of the text before"},
    {"did not find expected '-' indicator", NULL, false, "expected '-' here",
     "indent all elements of one list alike, and put nothing else between them"},
    {"mapping values are not allowed in this context", NULL, false,
     "a ':' that makes a key is not possible here",
     "put text that contains ': ' in quotes, or correct the indentation"},
    {"mapping keys are not allowed in this context", NULL, false, "a key is not possible here",
     "correct the indentation"},
    {"block sequence entries are not allowed in this context", NULL, false,
     "a list element is not possible here",
     "begin the list on a line of its own, or put text that begins with '- ' in quotes"},
    {"could not find expected ':'", "while scanning a simple key", true,
     "expected ':' after this key",
     "write `key: value`; a key stands on one line and has at most 1024 characters"},
    {"found unknown escape character", NULL, false, "this escape is unknown",
     "write a backslash in double quotes as \\\\, or use single quotes"},
    {"did not find expected hexdecimal number", NULL, false, "expected hexadecimal digits here",
     "write a backslash in double quotes as \\\\, or use single quotes"},
    {"found invalid Unicode character escape code", NULL, false,
     "this escape stands for no character: it is above U+10FFFF, or half of a surrogate pair",
     "characters beyond U+FFFF are two escapes in JSON, \\ud83d\\ude00, and one in YAML, "
     "\\U0001F600"},
    {"did not find expected <document start>", NULL, false,
     "there is text after the end of the document", "remove it, or correct its indentation"},
    {"found undefined tag handle", NULL, false, "the handle of this tag is not declared",
     "put text that begins with '!' in quotes"},
    {"did not find expected alphabetic or numeric character", "while scanning an alias", false,
     "expected the name of an anchor after '*'", "put text that begins with '*' in quotes"},
    {"did not find expected alphabetic or numeric character", "while scanning an anchor", false,
     "expected a name after '&'", "put text that begins with '&' in quotes"},
    {"did not find expected comment or line break", "while scanning a block scalar", false,
     "nothing but a comment may follow '|' or '>' on its line",
     "put text that begins with '|' or '>' in quotes"},
    {"found incompatible YAML document", NULL, false, "this version of YAML is not supported",
     "remove the %YAML line"},
};

static const struct fault *find_fault(const char *problem, const char *context)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        const struct fault *f = &faults[i];

        if (strcmp(f->problem, problem) == 0 &&
            (f->context == NULL || (context != NULL && strcmp(f->context, context) == 0)))
            return f;
    }
    return NULL;
}

/* Line `line` (from 1) of the source; empty when there is none. */
static struct slice source_line(const struct doc *doc, unsigned line)
{
    struct slice rest = doc->source.text, row = SLICE_NONE;

    for (unsigned i = 0; i < line; i++)
        if (!slice_split(&rest, '\n', &row))
            return SLICE_NONE;
    return row;
}

static bool is_indented_by_tab(struct slice row)
{
    for (size_t i = 0; i < row.n && (row.p[i] == ' ' || row.p[i] == '\t'); i++)
        if (row.p[i] == '\t')
            return true;
    return false;
}

/* `key:value`, which is one word to YAML. A URL is what people mean by it: not a slip. */
static bool has_glued_colon(struct slice row)
{
    size_t i = 0;

    while (i < row.n && (row.p[i] == ' ' || row.p[i] == '-'))
        i++;
    while (i < row.n && (ascii_is_alpha(row.p[i]) || ascii_is_digit(row.p[i]) || row.p[i] == '_' ||
                         row.p[i] == '-' || row.p[i] == '.'))
        i++;
    return i > 0 && i + 1 < row.n && row.p[i] == ':' && row.p[i + 1] > ' ' && row.p[i + 1] != '/';
}

/* The causes that libyaml cannot name, because to it they are something else. True when one of
 * them explains the error and the finding was added. */
static bool explain_by_lines(struct place problem, struct place context, const struct doc *doc,
                             struct diag *diag)
{
    unsigned before = problem.line - 1;
    unsigned line = context.line < before ? context.line : before;

    if (is_indented_by_tab(source_line(doc, problem.line))) {
        diag_help(diag_error(diag, CC1002, (struct place){&doc->source, problem.line, 1},
                             "a tab is used for indentation"),
                  "indent with spaces; YAML takes no tabs there");
        return true;
    }
    for (; line > 0 && line <= problem.line; line++) {
        if (!has_glued_colon(source_line(doc, line)))
            continue;
        diag_help(diag_error(diag, CC1002, (struct place){&doc->source, line, 1},
                             "a space is missing after ':' in this line"),
                  "write `key: value`; put text that contains ':' in quotes");
        return true;
    }
    return false;
}

static void explain_character(struct place place, const struct doc *doc, struct diag *diag)
{
    struct slice row = source_line(doc, place.line);
    char c = '?';

    for (size_t i = 0, col = 0; i < row.n && col < place.col; i++) {
        col += ((unsigned char)row.p[i] & 0xc0) != 0x80;
        c = row.p[i];
    }
    diag_help(diag_error(diag, CC1002, place, "a value cannot begin with '%c'", c),
              "put the text in quotes");
}

/* Brackets that the end of the text leaves open: libyaml complains about the end, but the place
 * that a person wants is the bracket. `context` is the opening one. */
static bool explain_open_bracket(const char *problem, struct place place, struct place context,
                                 const struct doc *doc, struct diag *diag)
{
    char closing = problem[strlen(problem) - 2]; /* did not find expected ',' or '}' */

    if (strncmp(problem, "did not find expected ','", 25) != 0 ||
        source_line(doc, place.line).n >= place.col || source_line(doc, place.line + 1).n > 0)
        return false;
    diag_help(diag_error(diag, CC1002, context, "the bracket that opens here is never closed"),
              "add the closing '%c'", closing);
    return true;
}

int doc_fault(const yaml_parser_t *parser, const struct doc_input *in, const struct doc *doc,
              struct diag *diag)
{
    const char *problem = parser->problem != NULL ? parser->problem : "unknown error";
    const struct fault *fault = find_fault(problem, parser->context);
    struct place place = doc_input_place(in, doc, parser->problem_mark);
    struct place context = doc_input_place(in, doc, parser->context_mark);

    if (parser->error == YAML_MEMORY_ERROR)
        return CC_ENOMEM;
    if (parser->context == NULL || context.line > place.line)
        context = place;
    if ((fault == NULL || !fault->at_context || strchr(problem, ':') != NULL) &&
        explain_by_lines(place, context, doc, diag))
        return CC_EPARSE;
    if (explain_open_bracket(problem, place, context, doc, diag))
        return CC_EPARSE;
    if (strcmp(problem, "found character that cannot start any token") == 0)
        explain_character(place, doc, diag);
    else if (fault != NULL)
        diag_help(
            diag_error(diag, CC1002, fault->at_context ? context : place, "%s", fault->message),
            "%s", fault->help != NULL ? fault->help : "");
    else
        diag_error(diag, CC1002, place, "%s%s%s", parser->context != NULL ? parser->context : "",
                   parser->context != NULL ? ": " : "", problem);
    return CC_EPARSE;
}
