#include "gateway/snapshot_json.h"

#include "base/utf8.h"

#include <stdlib.h>

void snapshot_json_init(struct snapshot_json *j, size_t max)
{
    *j = (struct snapshot_json){.rest = SLICE_NONE};
    buf_init(&j->text, max);
}

void snapshot_json_free(struct snapshot_json *j)
{
    free(j->counts);
    buf_free(&j->text);
    *j = (struct snapshot_json){.rest = SLICE_NONE};
}

/* --- looking a line over --------------------------------------------------------------------- */

/* A bracket that is open. */
struct level {
    bool list;
    bool filled;  /* something stands in it */
    size_t count; /* of a list: its place in counts */
};

static bool add_count(struct snapshot_json *j)
{
    size_t room = j->room == 0 ? 1024 : j->room * 2;
    uint32_t *counts;

    if (j->n_counts == j->room) {
        counts = realloc(j->counts, room * sizeof(*counts));
        if (counts == NULL)
            return false;
        j->counts = counts;
        j->room = room;
    }
    j->counts[j->n_counts++] = 0;
    return true;
}

/* Behind the quote that ends the text which begins behind the one at p[-1]; NULL: there is none. */
static const char *end_of_text(const char *p, const char *end)
{
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *back = quote;

        if (quote == NULL)
            return NULL;
        while (back > p && back[-1] == '\\')
            back--;
        /* backslashes before p belong to no text or were passed over in pairs */
        if ((quote - back) % 2 == 0)
            return quote + 1;
        p = quote + 1;
    }
    return NULL;
}

static void fill(struct snapshot_json *j, struct level *level)
{
    if (level->list && !level->filled)
        j->counts[level->count] = 1;
    level->filled = true;
}

static int open_level(struct snapshot_json *j, struct level *levels, size_t *depth, bool list)
{
    if (*depth == SNAPSHOT_JSON_DEPTH)
        return CC_EPARSE;
    if (*depth > 0)
        fill(j, &levels[*depth - 1]);
    if (list && !add_count(j))
        return CC_ENOMEM;
    levels[(*depth)++] = (struct level){.list = list, .count = list ? j->n_counts - 1 : 0};
    return CC_OK;
}

/* One byte outside of texts. */
static int look_at(struct snapshot_json *j, struct level *levels, size_t *depth, char c)
{
    struct level *inner = *depth > 0 ? &levels[*depth - 1] : NULL;

    switch (c) {
    case '[':
    case '{':
        return open_level(j, levels, depth, c == '[');
    case ']':
    case '}':
        if (inner == NULL || inner->list != (c == ']'))
            return CC_EPARSE;
        (*depth)--;
        return CC_OK;
    case ',':
        if (inner != NULL && inner->list)
            j->counts[inner->count]++;
        return CC_OK;
    default:
        if (inner != NULL)
            fill(j, inner);
        return CC_OK;
    }
}

int snapshot_json_begin(struct snapshot_json *j, struct slice line)
{
    struct level levels[SNAPSHOT_JSON_DEPTH];
    const char *p = line.p, *end = line.p + line.n;
    size_t depth = 0;
    int rc = CC_OK;

    j->rest = line;
    j->n_counts = j->next = 0;
    while (rc == CC_OK && p < end) {
        char c = *p++;

        rc = look_at(j, levels, &depth, c);
        if (c == '"' && (p = end_of_text(p, end)) == NULL)
            return CC_EPARSE;
    }
    return rc == CC_OK && depth > 0 ? CC_EPARSE : rc;
}

/* --- values ---------------------------------------------------------------------------------- */

bool snapshot_json_word(struct snapshot_json *j, struct slice word)
{
    if (!slice_starts(j->rest, word))
        return false;
    j->rest = slice_from(j->rest, word.n);
    return true;
}

/* Four hex digits off *rest. */
static bool take_unit(struct slice *rest, uint32_t *unit)
{
    *unit = 0;
    if (rest->n < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char c = ascii_lower(rest->p[i]);

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        *unit = *unit << 4 | (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *rest = slice_from(*rest, 4);
    return true;
}

static void add_code_point(struct buf *out, uint32_t c)
{
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n; i > 1; i--, c >>= 6)
        bytes[i - 1] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[n] | c);
    buf_add(out, slice_make(bytes, n));
}

/* Behind "\u": a character of the basic plane, or two that make one (RFC 8259 7). */
static bool take_escaped(struct slice *rest, struct buf *out)
{
    uint32_t c, low;

    if (!take_unit(rest, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
        return false;
    if (c >= 0xd800 && c <= 0xdbff) {
        if (!slice_starts(*rest, SLICE("\\u")))
            return false;
        *rest = slice_from(*rest, 2);
        if (!take_unit(rest, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    add_code_point(out, c);
    return true;
}

/* Undoes the escapes of `raw`, which has some. */
static int unescape(struct buf *out, struct slice raw)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";

    buf_reset(out);
    while (raw.n > 0) {
        ptrdiff_t plain = slice_find(raw, '\\');
        const char *name;

        buf_add(out, slice_first(raw, plain < 0 ? raw.n : (size_t)plain));
        if (plain < 0)
            break;
        raw = slice_from(raw, (size_t)plain + 1);
        if (raw.n == 0)
            return CC_EPARSE;
        name = raw.p[0] != '\0' ? strchr(names, raw.p[0]) : NULL;
        if (name == NULL && raw.p[0] != 'u')
            return CC_EPARSE;
        raw = slice_from(raw, 1);
        if (name != NULL)
            buf_add_char(out, bytes[name - names]);
        else if (!take_escaped(&raw, out))
            return CC_EPARSE;
    }
    return buf_error(out) == CC_OK ? CC_OK : CC_ENOMEM;
}

/* Is it UTF-8 without control characters (RFC 8259 7), and has it escapes? */
static bool is_plain(struct slice raw, bool *escapes)
{
    *escapes = false;
    for (size_t i = 0; i < raw.n;) {
        unsigned char c = (unsigned char)raw.p[i];
        size_t n = c < 0x80 ? 1 : utf8_length(slice_from(raw, i));

        if (c < 0x20 || n == 0)
            return false;
        *escapes = *escapes || c == '\\';
        i += n;
    }
    return true;
}

int snapshot_json_text(struct snapshot_json *j, struct slice *out)
{
    const char *begin, *behind;
    struct slice raw;
    bool escapes;
    int rc;

    if (snapshot_json_peek(j) != '"')
        return CC_ENOENT;
    begin = j->rest.p + 1;
    behind = end_of_text(begin, j->rest.p + j->rest.n);
    if (behind == NULL)
        return CC_EPARSE;
    raw = slice_make(begin, (size_t)(behind - 1 - begin));
    j->rest = slice_from(j->rest, raw.n + 2);
    if (!is_plain(raw, &escapes))
        return CC_EPARSE;
    *out = raw;
    if (!escapes)
        return CC_OK;
    rc = unescape(&j->text, raw);
    *out = buf_slice(&j->text);
    return rc;
}

int snapshot_json_number(struct snapshot_json *j, uint64_t *out)
{
    struct slice rest = j->rest;
    bool negative = rest.n > 1 && rest.p[0] == '-', large = false;
    size_t n = 0;

    *out = 0;
    if (negative)
        rest = slice_from(rest, 1);
    while (n < rest.n && ascii_is_digit(rest.p[n])) {
        unsigned digit = (unsigned)(rest.p[n++] - '0');

        large = large || *out > (UINT64_MAX - digit) / 10;
        *out = *out * 10 + digit;
    }
    if (n == 0 || (n > 1 && rest.p[0] == '0') ||
        (n < rest.n && (rest.p[n] == '.' || rest.p[n] == 'e' || rest.p[n] == 'E')))
        return CC_ENOENT;
    j->rest = slice_from(rest, n);
    return negative || large ? CC_ETOOBIG : CC_OK;
}

bool snapshot_json_list(struct snapshot_json *j, size_t *n)
{
    if (!snapshot_json_take(j, '['))
        return false;
    CC_ASSERT(j->next < j->n_counts);
    *n = j->counts[j->next++];
    return true;
}
