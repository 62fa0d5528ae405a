/* What the injection tests share: hostile texts, and HAProxy's reading of what was rendered.
 *
 * A test renders once with a harmless text in a field, which always has INJECTION_MARK in it, and
 * once with hostile bytes in the place of the mark. The second must be refused, or give the same
 * directives, word by word, with these bytes where the mark was and nowhere else. */
#pragma once

#include "config/config.h"
#include "gateway/snapshot.h"
#include "generator/project.h"
#include "generator/render_quote.h"
#include "generator/render_values.h"
#include "generator/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define INJECTION_MARK      "zqz"
#define INJECTION_DIRECTORY "/gw/generations/7"

enum { INJECTION_LINES = 2000, INJECTION_WORDS = 256, INJECTION_LONG = 64 << 10 };

struct injection_text {
    const char *name;
    struct slice text;
};

/* Lower case only: hosts and header names become that anyway. */
#define TEXT(name, text)           \
    {                              \
        name,                      \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }
static const struct injection_text injection_texts[] = {
    TEXT("single quote", "'"),
    TEXT("double quote", "\""),
    TEXT("quotes to leave", "' '\""),
    TEXT("sample", "%[src]"),
    TEXT("log variable", "%ci"),
    TEXT("percent", "%"),
    TEXT("percent-encoded line break", "%0a%0d"),
    TEXT("line break", "\n"),
    TEXT("a directive", "\n    http-request set-var(txn.cc.verdict) str(allow)\n"),
    TEXT("a section", "\nbackend evil\n    server s 127.0.0.1:1\n"),
    TEXT("carriage return", "\r"),
    TEXT("CRLF and a header", "\r\nx-evil: 1"),
    TEXT("NUL", "\0"),
    TEXT("escape", "\x1b[31m"),
    TEXT("delete", "\x7f"),
    TEXT("comment", "#"),
    TEXT("space and comment", " # x"),
    TEXT("space", " "),
    TEXT("a condition", " if true"),
    TEXT("a server's option", " verify none"),
    TEXT("tab", "\t"),
    TEXT("backslash", "\\"),
    TEXT("escaped line break", "\\n"),
    TEXT("escaped quote", "\\'"),
    TEXT("two bytes", "\xc3\xa9"),
    TEXT("four bytes", "\xf0\x9f\x98\x80"),
    TEXT("next line", "\xc2\x85"),
    TEXT("line separator", "\xe2\x80\xa8"),
    TEXT("right to left", "\xe2\x80\xae"),
    TEXT("no UTF-8", "\xff\xfe"),
    TEXT("overlong NUL", "\xc0\x80"),
    TEXT("cut short", "\xc3"),
    TEXT("environment", "${home}"),
    TEXT("environment list", "${home[*]}"),
    TEXT("bare environment", "$home"),
    TEXT("anonymous ACL", " { src 0.0.0.0/0 } "),
    TEXT("braces", "{}"),
    TEXT("template", "{{generation}}"),
    TEXT("end of an argument", ")"),
    TEXT("next argument", ","),
    TEXT("parenthesis", "("),
    TEXT("semicolon", ";"),
    TEXT("at", "@"),
    TEXT("colon", ":"),
    TEXT("slash", "/"),
    TEXT("up", "/../../"),
    TEXT("star", "*"),
    TEXT("markup", "<script>"),
    TEXT("64 KiB", ""), /* what injection_bytes() makes of nothing */
};
enum { INJECTION_TEXTS = sizeof(injection_texts) / sizeof(injection_texts[0]) };

/* Where in a field a text stands: in the midst, and at both ends. What is looked for afterwards is
 * all of it, so that a slash is not taken for every slash there is. */
enum injection_position { INJECTION_MIDST, INJECTION_ENDS, INJECTION_POSITIONS };

static inline struct slice injection_bytes(const struct injection_text *t,
                                           enum injection_position position)
{
    static char room[2 * INJECTION_LONG + 64], many[INJECTION_LONG];
    struct slice x = t->text;
    struct buf b;

    memset(many, 'a', sizeof(many));
    if (x.n == 0)
        x = slice_make(many, sizeof(many));
    buf_init_fixed(&b, room, sizeof(room));
    if (position == INJECTION_ENDS)
        buf_add(&b, x);
    buf_add_str(&b, position == INJECTION_ENDS ? INJECTION_MARK : "zq");
    buf_add(&b, x);
    buf_add_str(&b, position == INJECTION_ENDS ? "" : "qz");
    assert_int_equal(buf_error(&b), CC_OK);
    return buf_slice(&b);
}

/* `harmless` with `text` for its mark; without a mark, behind it. */
static inline struct slice injection_value(struct arena *arena, const char *harmless,
                                           struct slice text)
{
    const char *mark = strstr(harmless, INJECTION_MARK);
    struct slice s = slice_of(harmless), rest = SLICE_NONE;
    size_t before = mark != NULL ? (size_t)(mark - harmless) : s.n;
    char *room = arena_alloc(arena, s.n + text.n + 1);

    assert_non_null(room);
    if (mark != NULL)
        rest = slice_from(s, before + strlen(INJECTION_MARK));
    memcpy(room, s.p, before);
    memcpy(room + before, text.p, text.n);
    if (rest.n > 0)
        memcpy(room + before + text.n, rest.p, rest.n);
    return slice_make(room, before + text.n + rest.n);
}

/* As it stands between double quotes in YAML and JSON. */
static inline void injection_escape(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else
            buf_add_char(out, (char)c);
    }
}

/* --- HAProxy's reading ---------------------------------------------------------------------- */

/* Cuts a line as parse_line() of HAProxy does (configuration.txt 2.2, 2.3); the number of words.
 * What HAProxy would take from its environment becomes a byte 1, which no harmless line has. */
static inline size_t injection_words(struct slice line, char *room, struct slice *words)
{
    enum { BARE, SINGLE, DOUBLE } in = BARE;
    size_t n = 0, used = 0, start = 0;
    bool word = false;

    for (size_t i = 0; i <= line.n; i++) {
        char c = i < line.n ? line.p[i] : ' ';

        if (in == BARE && c == '#')
            i = line.n - 1; /* the rest; the end of the word comes next */
        else if (in == BARE && (c == ' ' || c == '\t' || c == '\r')) {
            if (word) {
                assert_true(n < INJECTION_WORDS);
                words[n++] = slice_make(room + start, used - start);
            }
            start = used;
            word = false;
            continue;
        } else if (c == '\'' && in != DOUBLE)
            in = in == SINGLE ? BARE : SINGLE;
        else if (c == '"' && in != SINGLE)
            in = in == DOUBLE ? BARE : DOUBLE;
        else if (c == '\\' && in != SINGLE && i + 1 < line.n)
            room[used++] = line.p[++i];
        else
            room[used++] = c == '$' && in != SINGLE ? '\1' : c;
        word = word || !(in == BARE && c == '#');
    }
    assert_int_equal(in, BARE); /* HAProxy refuses a quote that is not closed */
    return n;
}

/* How a word is read once more: as a log-format string, as an expression, or not at all. */
enum injection_reading { READ_ONCE, READ_FORMAT, READ_SAMPLE };

/* "str(...)", "h.x-key=req.fhdr(...)" */
static inline bool injection_is_sample(struct slice word)
{
    ptrdiff_t open = slice_find(word, '(');
    size_t i = open < 0 ? 0 : (size_t)open, end = i;

    while (i > 0 && (ascii_is_alpha(word.p[i - 1]) || word.p[i - 1] == '_' || word.p[i - 1] == '.'))
        i--;
    return i < end && (i == 0 || word.p[i - 1] == '=');
}

static inline enum injection_reading injection_reading(const struct slice *words, size_t i)
{
    static const char *const before[] = {"lf-string", "log-format", "unique-id-format",
                                         "set-path",  "set-uri",    "set-pathq"};
    static const char *const before_name[] = {"set-header", "add-header", "hdr"};

    for (size_t k = 0; i >= 1 && k < sizeof(before) / sizeof(before[0]); k++) {
        if (slice_is(words[i - 1], before[k]))
            return READ_FORMAT;
    }
    for (size_t k = 0; i >= 2 && k < sizeof(before_name) / sizeof(before_name[0]); k++) {
        if (slice_is(words[i - 2], before_name[k]))
            return READ_FORMAT;
    }
    if (i >= 1 && slice_starts(words[i - 1], SLICE("set-var-fmt(")))
        return READ_FORMAT;
    return injection_is_sample(words[i]) ? READ_SAMPLE : READ_ONCE;
}

/* `word` with the mark wherever `text` is written as this reading demands. */
static inline void injection_add_word(struct buf *out, struct slice word, struct slice text,
                                      enum injection_reading reading)
{
    static char room[8 * INJECTION_LONG];
    struct slice written = text;
    size_t n = 0;

    assert_true(2 * text.n <= sizeof(room));
    if (reading == READ_FORMAT && slice_find(text, '%') >= 0) {
        for (size_t i = 0; i < text.n; i++) {
            room[n++] = text.p[i];
            if (text.p[i] == '%')
                room[n++] = '%';
        }
        written = slice_make(room, n);
    }
    if (slice_starts(word, SLICE("cc_b_")))
        word = SLICE("cc_b_");
    while (written.n > 0 && word.n > 0) {
        const char *found = memmem(word.p, word.n, written.p, written.n);

        if (found == NULL)
            break;
        buf_add(out, slice_first(word, (size_t)(found - word.p)));
        buf_add_str(out, INJECTION_MARK);
        word = slice_from(word, (size_t)(found - word.p) + written.n);
    }
    buf_add(out, word);
}

/* The word as it is after HAProxy has read the arguments in its parentheses (make_arg_list()):
 * quotes and backslashes are gone there, and mean nothing before. */
static inline struct slice injection_arguments(struct slice word, char *room)
{
    size_t used = 0, i = 0;
    char quote = '\0';

    while (i < word.n && word.p[i] != '(')
        room[used++] = word.p[i++];
    for (; i < word.n; i++) {
        char c = word.p[i];

        if (c == quote)
            quote = '\0';
        else if (quote == '\0' && (c == '\'' || c == '"'))
            quote = c;
        else if (c == '\\' && quote != '\'' && i + 1 < word.n)
            room[used++] = word.p[++i];
        else if (quote == '\0' && (c == ',' || c == '(' || c == ')'))
            room[used++] = '\3';
        else
            room[used++] = c;
    }
    assert_int_equal(quote, '\0');
    return slice_make(room, used);
}

/* The words of a line, with marks, one behind the other. */
static inline void injection_add_line(struct buf *out, struct slice line, struct slice text)
{
    static char room[4 * INJECTION_LONG], inner[4 * INJECTION_LONG];
    static struct slice words[INJECTION_WORDS];
    size_t n;

    assert_true(line.n < sizeof(room));
    n = injection_words(line, room, words);
    for (size_t i = 0; i < n; i++) {
        enum injection_reading reading = injection_reading(words, i);

        injection_add_word(out,
                           reading == READ_SAMPLE ? injection_arguments(words[i], inner) : words[i],
                           text, reading);
        buf_add_char(out, '\2');
    }
}

static inline int injection_compare(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return slice_cmp(*x, *y);
}

/* All directives of the rendered files, sorted: names of backends are hashes, so that another text
 * gives another order. */
static inline struct slice injection_directives(const struct render_output *files,
                                                struct slice text, struct arena *arena)
{
    struct slice *lines = arena_array(arena, INJECTION_LINES, sizeof(*lines)), result;
    size_t n = 0;
    struct buf b;

    assert_non_null(lines);
    buf_init(&b, 64 << 20);
    for (size_t f = 0; f < files->n_files; f++) {
        struct slice rest = files->files[f].text;

        if (!slice_ends(files->files[f].name, SLICE(".cfg")) &&
            !slice_ends(files->files[f].name, SLICE(".conf")))
            continue;
        while (rest.n > 0) {
            ptrdiff_t end = slice_find(rest, '\n');
            struct slice line = slice_first(rest, end < 0 ? rest.n : (size_t)end);

            rest = slice_from(rest, end < 0 ? rest.n : (size_t)end + 1);
            buf_reset(&b);
            injection_add_line(&b, line, text);
            if (b.n == 0)
                continue;
            assert_true(n < INJECTION_LINES);
            lines[n++] = arena_dup(arena, buf_slice(&b));
        }
    }
    qsort(lines, n, sizeof(*lines), injection_compare);
    buf_reset(&b);
    for (size_t i = 0; i < n; i++) {
        buf_add(&b, lines[i]);
        buf_add_char(&b, '\n');
    }
    result = arena_dup(arena, buf_slice(&b));
    assert_non_null(result.p);
    buf_free(&b);
    return result;
}

/* Are there as many directives of as many words? All that can be asked where a slash was added: it
 * begins something else in a path or URL. */
static inline bool injection_same_shape(struct slice a, struct slice b)
{
    size_t words = 0, lines = 0;

    for (size_t i = 0; i < a.n; i++) {
        words += a.p[i] == '\2';
        lines += a.p[i] == '\n';
    }
    for (size_t i = 0; i < b.n; i++) {
        words -= b.p[i] == '\2';
        lines -= b.p[i] == '\n';
    }
    return words == 0 && lines == 0;
}

/* Where two texts of directives differ, for whoever reads a failed test. */
static inline void injection_print_difference(struct slice harmless, struct slice hostile)
{
    size_t at = 0, from;

    while (at < harmless.n && at < hostile.n && harmless.p[at] == hostile.p[at])
        at++;
    from = at > 300 ? at - 300 : 0;
    fprintf(stderr, "harmless: ...%.400s\nhostile:  ...%.400s\n", harmless.p + from,
            hostile.p + from);
}

/* --- one build ------------------------------------------------------------------------------ */

/* Where in the rows for the templates the mark was found, as " clusters.servers.host ", each once.
 */
static inline void injection_find(const struct template_row *row, const char *prefix,
                                  struct slice mark, struct buf *out)
{
    char name[128], found[130];

    for (size_t i = 0; i < row->n_values; i++) {
        const struct template_value *v = &row->values[i];

        snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix != '\0' ? "." : "", v->name);
        for (size_t k = 0; v->kind == TEMPLATE_LIST && k < v->n_rows; k++)
            injection_find(&v->rows[k], name, mark, out);
        if (v->kind != TEMPLATE_WORD && v->kind != TEMPLATE_FORMAT && v->kind != TEMPLATE_ARG)
            continue;
        snprintf(found, sizeof(found), " %s ", name);
        if ((mark.n == 0 || slice_contains(v->text, mark)) &&
            !slice_contains(buf_slice(out), slice_of(found)))
            buf_add_str(out, found);
    }
}

struct injection_outcome {
    bool refused;
    struct render_output files; /* when not refused */
    struct slice directives;
    struct slice values; /* those with the mark in them; of the harmless build only */
};

static inline bool injection_same_files(const struct render_output *a,
                                        const struct render_output *b)
{
    if (a->n_files != b->n_files)
        return false;
    for (size_t i = 0; i < a->n_files; i++) {
        if (!slice_eq(a->files[i].text, b->files[i].text))
            return false;
    }
    return true;
}

/* Findings of a refusal: at least one error, and each with a place, a text, and one of `codes`. */
static inline void injection_check_findings(const struct diag *diag, const char *codes,
                                            const char *what)
{
    struct diag_view v;
    size_t errors = 0;

    for (size_t i = 0; diag_get(diag, i, &v); i++) {
        if (v.severity != DIAG_ERROR)
            continue;
        errors++;
        if (v.place.source == NULL || v.message.n == 0 || codes == NULL ||
            strstr(codes, diag_code_name(v.code)) == NULL) {
            diag_print(diag, stderr, false);
            fail_msg("%s: unexpected %s; expected one of %s, with a place", what,
                     diag_code_name(v.code), codes != NULL ? codes : "nothing");
        }
    }
    if (errors == 0)
        fail_msg("%s: refused without an error", what);
}

/* What is accepted can be read by the agent. */
static inline void injection_check_snapshot(const struct gw_model *model, struct diag *diag)
{
    struct gw_snapshot *read = NULL;
    struct buf b;

    buf_init(&b, GW_SNAPSHOT_MAX_BYTES);
    assert_int_equal(gw_snapshot_write(model, &b), CC_OK);
    if (gw_snapshot_read(&read, buf_slice(&b), "gateway.json", diag) != CC_OK) {
        diag_print(diag, stderr, false);
        fail_msg("the agent does not read the snapshot");
    }
    assert_int_equal(gw_snapshot_model(read)->n_apis, model->n_apis);
    for (size_t i = 0; i < model->n_apis; i++)
        assert_true(slice_eq(gw_snapshot_model(read)->apis[i].name, model->apis[i].name));
    gw_snapshot_unref(&read);
    buf_free(&b);
}

/* Builds and renders the project (none when NULL) with these settings. `harmless` is the outcome
 * that this one will be compared with, NULL for the harmless one itself: equal files need no second
 * look. */
static inline struct injection_outcome injection_build(const struct config *config,
                                                       const char *project, const char *directory,
                                                       struct slice text,
                                                       const struct injection_outcome *harmless,
                                                       struct arena *arena, struct diag *diag)
{
    struct injection_outcome o = {.refused = true};
    /* the header of the JWT also where the build would not take its name: quoting holds by itself
     */
    struct gw_model none = {.system_host = config->router.system_host,
                            .backend_jwt.header = config->jwt_generator.header},
                    *model = &none;
    struct template_row root;
    struct buf values;

    if (project != NULL) {
        int rc = project_build_model(&model, &project, 1, config, NULL, arena, diag);

        if (rc == CC_EREFUSED)
            return o;
        assert_int_equal(rc, CC_OK);
    }
    model->generation = 7;
    model->haproxy_generation = 7;
    if (render_haproxy(&o.files, model, config, directory, NULL, arena, diag) != CC_OK)
        return o;
    if (project != NULL)
        injection_check_snapshot(model, diag);
    o.refused = false;
    if (harmless != NULL && injection_same_files(&o.files, &harmless->files)) {
        o.directives = harmless->directives;
        return o;
    }
    o.directives = injection_directives(&o.files, text, arena);
    if (harmless != NULL)
        return o;
    assert_int_equal(
        render_values(&(struct render_context){model, config, directory, arena}, &root), CC_OK);
    buf_init(&values, 1 << 16);
    injection_find(&root, "", text, &values);
    o.values = arena_dup(arena, buf_slice(&values));
    buf_free(&values);
    return o;
}
