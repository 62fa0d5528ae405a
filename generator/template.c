#include "generator/template.h"

#include "generator/render_quote.h"

enum token_kind { TOKEN_TEXT, TOKEN_VALUE, TOKEN_EACH, TOKEN_IF, TOKEN_ELSE, TOKEN_END };

struct token {
    enum token_kind kind;
    struct slice text; /* TEXT: the text; VALUE, EACH, IF: the name */
    struct place place;
    bool in_quotes;    /* VALUE: the template has a quote open, or a backslash, before it */
    size_t otherwise;  /* IF: its ELSE, or its END */
    size_t end;        /* EACH, IF, ELSE: the END */
};

struct parser {
    const struct source *source;
    struct diag *diag;
    struct token *tokens;
    size_t n_tokens;
    size_t open[TEMPLATE_MAX_DEPTH]; /* blocks that are not closed yet */
    size_t depth;
    size_t pos;
    unsigned line;
    size_t line_start;
    char quote;  /* the quote or remark that is open at pos, or 0 */
    bool escape; /* a backslash stands right before pos */
};

static struct place place_at(const struct parser *p, size_t pos)
{
    return (struct place){p->source, p->line, (unsigned)(pos - p->line_start + 1)};
}

static struct token *add_token(struct parser *p, enum token_kind kind, struct slice text,
                               struct place place)
{
    struct token *t = &p->tokens[p->n_tokens++];

    *t = (struct token){.kind = kind, .text = text, .place = place};
    return t;
}

/* Follows HAProxy's quotes through plain text, so that a value which brings its own quotes is never
 * put between others. Quotes do not reach over a line's end, and none begin in a remark. */
static void follow_text(struct parser *p, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '\n') {
            p->quote = 0;
            p->line++;
            p->line_start = p->pos + i + 1;
        } else if (p->quote == '#') {
            continue;
        } else if (c == '\\' && p->quote != '\'') {
            if (i + 1 == text.n)
                p->escape = true; /* of what the tag after it writes */
            else if (text.p[i + 1] != '\n')
                i++;
        } else if (p->quote == 0 && (c == '\'' || c == '"' || c == '#')) {
            p->quote = c;
        } else if (c == p->quote) {
            p->quote = 0;
        }
    }
    p->pos += text.n;
}

static void add_text(struct parser *p, size_t end)
{
    struct slice text = {p->source->text.p + p->pos, end - p->pos};

    if (text.n > 0) {
        add_token(p, TOKEN_TEXT, text, place_at(p, p->pos));
        follow_text(p, text);
    }
}

static int fault(struct parser *p, struct place place, const char *message, struct slice found)
{
    ptrdiff_t line_end = slice_find(found, '\n');

    if (line_end >= 0)
        found.n = (size_t)line_end;
    diag_error(p->diag, CC5005, place, "%s: {{%" PRIslice "}}", message,
               SLICE_ARG(slice_first(found, 60)));
    return CC_EINVAL;
}

static int open_block(struct parser *p, enum token_kind kind, struct slice name, struct place place)
{
    if (p->depth == TEMPLATE_MAX_DEPTH)
        return fault(p, place, "blocks are nested too deeply", name);
    p->open[p->depth++] = p->n_tokens;
    add_token(p, kind, name, place);
    return CC_OK;
}

static int add_else(struct parser *p, struct place place)
{
    struct token *opener = p->depth > 0 ? &p->tokens[p->open[p->depth - 1]] : NULL;

    if (opener == NULL || opener->kind != TOKEN_IF || opener->otherwise != 0)
        return fault(p, place, "there is no {{#if}} that this belongs to", SLICE("else"));
    opener->otherwise = p->n_tokens;
    add_token(p, TOKEN_ELSE, SLICE_NONE, place);
    return CC_OK;
}

static int close_block(struct parser *p, enum token_kind kind, struct slice tag,
                       struct place place)
{
    struct token *opener = p->depth > 0 ? &p->tokens[p->open[p->depth - 1]] : NULL;

    if (opener == NULL || opener->kind != kind)
        return fault(p, place, "this closes a block that is not open here", tag);
    p->depth--;
    opener->end = p->n_tokens;
    if (kind == TOKEN_IF && opener->otherwise == 0)
        opener->otherwise = p->n_tokens;
    else if (kind == TOKEN_IF)
        p->tokens[opener->otherwise].end = p->n_tokens;
    add_token(p, TOKEN_END, SLICE_NONE, place);
    return CC_OK;
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_alpha(s.p[i]) && !(i > 0 && ascii_is_digit(s.p[i])) && s.p[i] != '_')
            return false;
    }
    return s.n > 0;
}

static int add_tag(struct parser *p, struct slice tag, struct place place)
{
    static const struct slice each = SLICE_INIT("#each "), iff = SLICE_INIT("#if ");
    bool is_each = slice_starts(tag, each), is_if = slice_starts(tag, iff);
    struct slice name = tag;

    if (tag.n > 0 && tag.p[0] == '!')
        return CC_OK;
    if (slice_is(tag, "else"))
        return add_else(p, place);
    if (slice_is(tag, "/each") || slice_is(tag, "/if"))
        return close_block(p, slice_is(tag, "/if") ? TOKEN_IF : TOKEN_EACH, tag, place);
    if (is_each || is_if)
        name = slice_trim(slice_from(tag, is_each ? each.n : iff.n));
    if (!is_name(name))
        return fault(p, place, "this is not a tag", tag);
    if (is_each || is_if)
        return open_block(p, is_each ? TOKEN_EACH : TOKEN_IF, name, place);
    add_token(p, TOKEN_VALUE, name, place)->in_quotes =
        p->escape || p->quote == '\'' || p->quote == '"';
    p->escape = false;
    return CC_OK;
}

static bool is_block(struct slice tag)
{
    return tag.n > 0 && (strchr("#/!", tag.p[0]) != NULL || slice_is(tag, "else"));
}

/* Is the tag text[from..to) alone on its line? Then *start and *end become the line's bounds. */
static bool alone_on_line(struct slice text, size_t from, size_t to, size_t *start, size_t *end)
{
    while (from > 0 && (text.p[from - 1] == ' ' || text.p[from - 1] == '\t'))
        from--;
    while (to < text.n && (text.p[to] == ' ' || text.p[to] == '\t'))
        to++;
    if ((from > 0 && text.p[from - 1] != '\n') || (to < text.n && text.p[to] != '\n'))
        return false;
    *start = from;
    *end = to < text.n ? to + 1 : to;
    return true;
}

/* The offset of `needle` at or after `from`, or text.n. */
static size_t find_pair(struct slice text, size_t from, char c)
{
    for (size_t i = from; i + 1 < text.n; i++) {
        if (text.p[i] == c && text.p[i + 1] == c)
            return i;
    }
    return text.n;
}

/* The next text and the tag after it. *done at the end of the template. */
static int parse_step(struct parser *p, bool *done)
{
    struct slice text = p->source->text;
    size_t open = find_pair(text, p->pos, '{'), close, start, end;
    struct slice tag;
    struct place place;
    int rc;

    *done = open == text.n;
    if (*done) {
        add_text(p, text.n);
        return CC_OK;
    }
    close = find_pair(text, open + 2, '}');
    tag = slice_make(text.p + open + 2, close - open - 2);
    start = open;
    end = close + 2;
    if (close < text.n && is_block(slice_trim(tag)))
        alone_on_line(text, open, end, &start, &end);
    add_text(p, start);
    place = place_at(p, open);
    if (close == text.n || slice_find(tag, '\n') >= 0)
        return fault(p, place, "the tag is not closed on its line", slice_first(tag, 20));
    rc = add_tag(p, slice_trim(tag), place);
    follow_text(p, slice_make(text.p + p->pos, open - p->pos));
    p->pos = end;
    if (end > close + 2) {
        p->line++;
        p->line_start = end;
    }
    return rc;
}

static int parse(struct parser *p, struct arena *arena)
{
    struct slice text = p->source->text;
    size_t tags = 0;
    bool done = false;
    int rc = CC_OK;

    for (size_t i = find_pair(text, 0, '{'); i < text.n; i = find_pair(text, i + 2, '{'))
        tags++;
    /* a text and a token for each tag, a last text, the guard at the end */
    p->tokens = arena_array(arena, 2 * tags + 2, sizeof(*p->tokens));
    if (p->tokens == NULL)
        return CC_ENOMEM;
    while (rc == CC_OK && !done)
        rc = parse_step(p, &done);
    if (rc == CC_OK && p->depth > 0) {
        const struct token *opener = &p->tokens[p->open[p->depth - 1]];

        rc = fault(p, opener->place, "the block is never closed", opener->text);
    }
    return rc;
}

/* What is being rendered: a row and those around it. */
struct scope {
    const struct template_row *row;
    const struct scope *outer;
};

struct renderer {
    const struct token *tokens;
    struct buf *out;
    struct diag *diag;
};

static const struct template_value *look_up(const struct scope *scope, struct slice name)
{
    for (; scope != NULL; scope = scope->outer) {
        for (size_t i = 0; i < scope->row->n_values; i++) {
            if (slice_is(name, scope->row->values[i].name))
                return &scope->row->values[i];
        }
    }
    return NULL;
}

static bool is_true(const struct template_value *v)
{
    switch (v->kind) {
    case TEMPLATE_BOOL:
        return v->truth;
    case TEMPLATE_NUMBER:
        return v->number != 0;
    case TEMPLATE_LIST:
        return v->n_rows > 0;
    case TEMPLATE_WORD:
    case TEMPLATE_FORMAT:
    case TEMPLATE_ARG:
        break;
    }
    return v->text.n > 0;
}

/* Writes a value. CC_EINVAL: it is none that can be written, which is the template's fault. */
static int write_value(struct renderer *r, const struct token *t, const struct template_value *v)
{
    int rc = CC_EINVAL;

    if (v->kind == TEMPLATE_BOOL || v->kind == TEMPLATE_LIST) {
        diag_error(r->diag, CC5005, t->place, "'%s' is for #if and #each only", v->name);
        return CC_EINVAL;
    }
    if (v->kind == TEMPLATE_NUMBER) {
        buf_add_u64(r->out, v->number);
        return buf_error(r->out);
    }
    if (t->in_quotes) {
        diag_help(diag_error(r->diag, CC5005, t->place, "'%s' stands between quotes", v->name),
                  "text values bring their own quotes; write it outside of others");
        return CC_EINVAL;
    }
    if (v->kind == TEMPLATE_WORD)
        rc = haproxy_quote(r->out, v->text);
    else if (v->kind == TEMPLATE_FORMAT)
        rc = haproxy_quote_format(r->out, v->text);
    else if (v->kind == TEMPLATE_ARG)
        rc = haproxy_quote_arg(r->out, v->text);
    if (rc == CC_EINVAL)
        diag_error(r->diag, CC5004, v->origin.source != NULL ? v->origin : t->place,
                   "the text for '%s' has a control character or is not UTF-8", v->name);
    return rc;
}

static int render_range(struct renderer *r, size_t from, size_t to, const struct scope *scope);

static int render_each(struct renderer *r, size_t at, const struct scope *scope,
                       const struct template_value *v)
{
    const struct token *t = &r->tokens[at];
    int rc = CC_OK;

    if (v->kind != TEMPLATE_LIST) {
        diag_error(r->diag, CC5005, t->place, "'%s' is not a list", v->name);
        return CC_EINVAL;
    }
    for (size_t i = 0; i < v->n_rows && rc == CC_OK; i++) {
        struct scope inner = {&v->rows[i], scope};

        rc = render_range(r, at + 1, t->end, &inner);
    }
    return rc;
}

/* Depth is bounded by the parser: TEMPLATE_MAX_DEPTH. */
static int render_range(struct renderer *r, size_t from, size_t to, const struct scope *scope)
{
    const struct template_value *v = NULL;
    int rc = CC_OK;

    for (size_t i = from; i < to && rc == CC_OK; i++) {
        const struct token *t = &r->tokens[i];
        bool named = t->kind == TOKEN_VALUE || t->kind == TOKEN_EACH || t->kind == TOKEN_IF;

        v = named ? look_up(scope, t->text) : NULL;
        if (named && v == NULL) {
            diag_error(r->diag, CC5005, t->place, "there is no value '%" PRIslice "' here",
                       SLICE_ARG(slice_first(t->text, 60)));
            return CC_EINVAL;
        }
        if (t->kind == TOKEN_TEXT) {
            buf_add(r->out, t->text);
        } else if (t->kind == TOKEN_VALUE) {
            rc = write_value(r, t, v);
        } else if (t->kind == TOKEN_EACH) {
            rc = render_each(r, i, scope, v);
            i = t->end;
        } else if (t->kind == TOKEN_IF && !is_true(v)) {
            i = t->otherwise; /* the ELSE, whose part follows, or the END */
        } else if (t->kind == TOKEN_ELSE) {
            i = t->end; /* reached only after the part before it was rendered */
        }
    }
    return rc != CC_OK ? rc : buf_error(r->out);
}

int template_render(const struct source *source, const struct template_row *root, struct buf *out,
                    struct arena *arena, struct diag *diag)
{
    struct parser parser = {.source = source, .diag = diag, .line = 1};
    struct scope scope = {root, NULL};
    struct renderer renderer = {NULL, out, diag};
    int rc;

    if (source->text.n > TEMPLATE_MAX_BYTES) {
        diag_error(diag, CC5005, place_file(source), "the template is larger than %d bytes",
                   TEMPLATE_MAX_BYTES);
        return CC_EINVAL;
    }
    rc = parse(&parser, arena);
    renderer.tokens = parser.tokens;
    if (rc == CC_OK)
        rc = render_range(&renderer, 0, parser.n_tokens, &scope);
    return rc;
}
