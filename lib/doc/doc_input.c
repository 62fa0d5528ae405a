#include "doc/doc_impl.h"

#include "base/utf8.h"

#include <stdlib.h>

/* Where byte `offset` of the source stands. */
static struct place place_at(const struct doc *doc, size_t offset)
{
    struct place place = {&doc->source, 1, 1};

    for (size_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)doc->source.text.p[i];

        if (c == '\n') {
            place.line++;
            place.col = 1;
        } else if ((c & 0xc0) != 0x80) {
            place.col++;
        }
    }
    return place;
}

/* YAML 1.1, 5.1: tab and line breaks are the only C0 controls; DEL, C1 (but NEL), U+FEFF inside the
 * text and the non-characters U+FFFE, U+FFFF are out too. Bytes of a character of n bytes. */
static bool is_allowed(const unsigned char *c, size_t n)
{
    if (n == 1)
        return (c[0] >= 0x20 && c[0] != 0x7f) || c[0] == '\t' || c[0] == '\n' || c[0] == '\r';
    if (n == 2)
        return c[0] != 0xc2 || c[1] >= 0xa0 || c[1] == 0x85;
    if (n == 3 && c[0] == 0xef)
        return !(c[1] == 0xbb && c[2] == 0xbf) && !(c[1] == 0xbf && c[2] >= 0xbe);
    return true;
}

static int refuse_character(const struct doc *doc, size_t offset, size_t n, struct diag *diag)
{
    const unsigned char *c = (const unsigned char *)doc->source.text.p + offset;
    struct place place = place_at(doc, offset);
    unsigned code = n == 1   ? c[0]
                    : n == 2 ? ((c[0] & 0x1fu) << 6) | (c[1] & 0x3fu)
                             : ((c[0] & 0x0fu) << 12) | ((c[1] & 0x3fu) << 6) | (c[2] & 0x3fu);
    struct diag_item *item =
        diag_error(diag, CC1002, place, "character U+%04X is not allowed here", code);

    if (code == 0)
        diag_help(item, "is it UTF-16, or no text file at all? Save it as UTF-8");
    else if (code == 0xfeff)
        diag_help(item, "a byte order mark may stand at the very beginning only; remove it");
    else
        diag_help(item, "remove it, or write it as an escape in double quotes: \"\\u%04x\"", code);
    return CC_EPARSE;
}

static int check_characters(const struct doc *doc, struct diag *diag)
{
    struct slice text = doc->source.text;

    for (size_t i = 0; i < text.n;) {
        const unsigned char *c = (const unsigned char *)text.p + i;
        size_t n = *c < 0x80 ? 1 : utf8_length(slice_make(c, text.n - i));

        if (n == 0) {
            diag_help(diag_error(diag, CC1005, place_at(doc, i), "byte 0x%02x is not UTF-8", *c),
                      "save the file as UTF-8");
            return CC_EPARSE;
        }
        if (!is_allowed(c, n))
            return refuse_character(doc, i, n, diag);
        i += n;
    }
    return CC_OK;
}

static int check_byte_order_mark(struct doc *doc, struct diag *diag)
{
    struct slice text = doc->source.text;

    if (slice_starts(text, SLICE("\xef\xbb\xbf"))) {
        doc->source.text = slice_make(text.p + 3, text.n - 3);
        return CC_OK;
    }
    if (!slice_starts(text, SLICE("\xff\xfe")) && !slice_starts(text, SLICE("\xfe\xff")))
        return CC_OK;
    diag_help(diag_error(diag, CC1005, place_file(&doc->source), "the file is UTF-16"),
              "save it as UTF-8");
    return CC_EPARSE;
}

/* The value of \uXXXX at the beginning of s, or 0. */
static unsigned escape_value(struct slice s)
{
    unsigned v = 0;

    if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
        return 0;
    for (size_t i = 2; i < 6; i++) {
        char c = ascii_lower(s.p[i]);

        if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
            return 0;
        v = v << 4 | (unsigned)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return v;
}

/* What JSON text has and YAML reads in another way, or not at all. */
struct rewrite {
    size_t eaten;  /* bytes of the source */
    char text[11]; /* what to write instead */
    long shift;    /* characters that the source is longer */
};

/* At a place inside a JSON string: is there something to rewrite? RFC 8259 section 7 writes
 * characters beyond U+FFFF as a pair of surrogates, YAML as \UXXXXXXXX; and NEL, LS and PS are
 * ordinary characters to JSON but line breaks, to be folded, to YAML. */
static bool needs_rewrite(struct slice s, struct rewrite *out)
{
    unsigned high = escape_value(s);
    unsigned low = high >= 0xd800 && high <= 0xdbff ? escape_value(slice_from(s, 6)) : 0;
    const char *escape = slice_starts(s, SLICE("\xc2\x85"))       ? "\\N"
                         : slice_starts(s, SLICE("\xe2\x80\xa8")) ? "\\L"
                         : slice_starts(s, SLICE("\xe2\x80\xa9")) ? "\\P"
                                                                  : NULL;

    if (low >= 0xdc00 && low <= 0xdfff) {
        unsigned code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);

        *out = (struct rewrite){12, "", 2};
        snprintf(out->text, sizeof(out->text), "\\U%08X", code);
        return true;
    }
    if (escape == NULL)
        return false;
    *out = (struct rewrite){s.p[0] == '\xc2' ? 2 : 3, {escape[0], escape[1]}, -1};
    return true;
}

static int add_shift(struct doc_input *in, size_t line, size_t col, long by)
{
    if (in->n_shifts == in->cap_shifts) {
        size_t cap = in->cap_shifts == 0 ? 64 : in->cap_shifts * 2;
        struct doc_shift *shifts = reallocarray(in->shifts, cap, sizeof(*shifts));

        if (shifts == NULL)
            return CC_ENOMEM;
        in->shifts = shifts;
        in->cap_shifts = cap;
    }
    if (in->n_shifts > 0 && in->shifts[in->n_shifts - 1].line == line)
        by += in->shifts[in->n_shifts - 1].by;
    in->shifts[in->n_shifts++] = (struct doc_shift){line, col, by};
    return CC_OK;
}

/* Copies `source` with all rewrites. It follows strings as JSON has them; at the first sign that
 * the text is no JSON but YAML in braces (a comment, a single quote) the rest is copied as it is. A
 * rewrite is never longer than what it replaces. */
static int rewrite_json(struct doc_input *in, struct slice source)
{
    char *to = in->rewritten;
    size_t line = 0, col = 0;
    bool in_string = false;
    struct rewrite r;

    for (size_t i = 0; i < source.n;) {
        struct slice rest = slice_make(source.p + i, source.n - i);
        char c = rest.p[0];
        size_t n = in_string && c == '\\' && rest.n > 1 ? 2 : 1;

        if (!in_string && (c == '\'' || c == '#')) {
            memcpy(to, rest.p, rest.n);
            to += rest.n;
            break;
        }
        if (in_string && needs_rewrite(rest, &r)) {
            size_t written = strlen(r.text);

            memcpy(to, r.text, written);
            to += written;
            i += r.eaten;
            col += written;
            if (add_shift(in, line, col, r.shift) != CC_OK)
                return CC_ENOMEM;
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        for (size_t k = 0; k < n; k++) {
            col += ((unsigned char)rest.p[k] & 0xc0) != 0x80;
            if (rest.p[k] == '\n') {
                line++;
                col = 0;
            }
            *to++ = rest.p[k];
        }
        i += n;
    }
    in->text = slice_make(in->rewritten, (size_t)(to - in->rewritten));
    return CC_OK;
}

static bool may_need_rewrite(struct slice text)
{
    size_t i = 0;

    while (i < text.n &&
           (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\n' || text.p[i] == '\r'))
        i++;
    if (i == text.n || (text.p[i] != '{' && text.p[i] != '['))
        return false;
    return slice_contains(text, SLICE("\\ud")) || slice_contains(text, SLICE("\\uD")) ||
           slice_contains(text, SLICE("\xc2\x85")) || slice_contains(text, SLICE("\xe2\x80\xa8")) ||
           slice_contains(text, SLICE("\xe2\x80\xa9"));
}

int doc_input_init(struct doc_input *in, struct doc *doc, struct diag *diag)
{
    int rc;

    *in = (struct doc_input){0};
    if (doc->source.text.n > DOC_MAX_BYTES) {
        diag_error(diag, CC1004, place_file(&doc->source), "the text is larger than %d MiB",
                   DOC_MAX_BYTES >> 20);
        return CC_EPARSE;
    }
    rc = check_byte_order_mark(doc, diag);
    if (rc == CC_OK)
        rc = check_characters(doc, diag);
    in->text = doc->source.text;
    if (rc != CC_OK || !may_need_rewrite(in->text))
        return rc;
    in->rewritten = malloc(in->text.n);
    return in->rewritten == NULL ? CC_ENOMEM : rewrite_json(in, doc->source.text);
}

void doc_input_free(struct doc_input *in)
{
    free(in->rewritten);
    free(in->shifts);
    *in = (struct doc_input){0};
}

struct place doc_input_place(const struct doc_input *in, const struct doc *doc, yaml_mark_t mark)
{
    size_t low = 0, high = in->n_shifts;
    long by = 0;

    while (low < high) { /* the last shift that is not after the mark */
        size_t mid = low + (high - low) / 2;
        const struct doc_shift *s = &in->shifts[mid];

        if (s->line < mark.line || (s->line == mark.line && s->col <= mark.column))
            low = mid + 1;
        else
            high = mid;
    }
    if (low > 0 && in->shifts[low - 1].line == mark.line)
        by = in->shifts[low - 1].by;
    return (struct place){&doc->source, (unsigned)mark.line + 1,
                          (unsigned)((long)mark.column + by) + 1};
}
