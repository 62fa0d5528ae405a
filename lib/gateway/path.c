#include "gateway/path.h"

const char *gw_path_fault_text(enum gw_path_fault fault)
{
    static const char *const texts[] = {
#define X(name, text) [name] = (text),
        GW_PATH_FAULTS(X)
#undef X
    };

    CC_ASSERT(fault < sizeof(texts) / sizeof(texts[0]));
    return texts[fault];
}

/* Classes of bytes. SLASH and DOT are the two lowest bits because is_plainly_normal() computes with
 * them. A byte without a class may not stand raw in a path. */
enum { SLASH = 1, DOT = 2, NORMAL = 4, UNRESERVED = 8 };

#define WORD (NORMAL | UNRESERVED)
/* pchar = unreserved / pct-encoded / sub-delims / ":" / "@" (RFC 3986 3.3), here without ';'. */
static const unsigned char byte_class[256] = {
    ['a' ... 'z'] = WORD, ['A' ... 'Z'] = WORD, ['0' ... '9'] = WORD, ['-'] = WORD,
    ['_'] = WORD,         ['~'] = WORD,         ['.'] = WORD | DOT,   ['/'] = NORMAL | SLASH,
    ['!'] = NORMAL,       ['$'] = NORMAL,       ['&'] = NORMAL,       ['\''] = NORMAL,
    ['('] = NORMAL,       [')'] = NORMAL,       ['*'] = NORMAL,       ['+'] = NORMAL,
    [','] = NORMAL,       ['='] = NORMAL,       [':'] = NORMAL,       ['@'] = NORMAL,
};
#undef WORD

static unsigned class_of(char c)
{
    return byte_class[(unsigned char)c];
}

/* True only for paths in normal form; false says nothing. Nearly all paths end here, so there is no
 * branch a byte: "every byte is normal" and "a slash was followed by a slash or a dot" are
 * accumulated and looked at once. */
static bool is_plainly_normal(struct slice raw)
{
    unsigned all = NORMAL, pairs = 0, before = 0;

    for (size_t i = 0; i < raw.n; i++) {
        unsigned here = class_of(raw.p[i]);

        all &= here;
        pairs |= here & (before & SLASH) * (SLASH | DOT);
        before = here;
    }
    return all != 0 && pairs == 0;
}

static enum gw_path_fault raw_byte_fault(char c)
{
    if (class_of(c) & NORMAL)
        return GW_PATH_OK;
    if (ascii_is_control(c))
        return GW_PATH_CONTROL;
    if (c == '\\')
        return GW_PATH_ENCODED_SEPARATOR;
    return c == ';' ? GW_PATH_PARAMETER : GW_PATH_BAD_CHARACTER;
}

/* The byte that the escape at p stands for, or -1 when there is none. */
static int escaped_byte(const char *p, size_t left)
{
    int high = left > 2 && p[0] == '%' ? ascii_hex_value(p[1]) : -1;
    int low = high >= 0 ? ascii_hex_value(p[2]) : -1;

    return low < 0 ? -1 : high << 4 | low;
}

/* Do these two bytes begin a longer UTF-8 form than the character needs (RFC 3629 3: never valid)?
 * Lax decoders take "%C0%AF" for a slash. */
static bool is_overlong(int first, int second)
{
    return second >= 0x80 && second <= 0xbf &&
           ((first == 0xc0 || first == 0xc1) || (first == 0xe0 && second < 0xa0) ||
            (first == 0xf0 && second < 0x90));
}

/* An escape at p (a '%'): appended to room[*n] decoded or with upper-case digits. */
static enum gw_path_fault normalize_escape(const char *p, size_t left, char *room, size_t *n)
{
    static const char digits[] = "0123456789ABCDEF";
    int byte = escaped_byte(p, left);
    char c = (char)byte;

    if (byte < 0)
        return GW_PATH_BAD_ESCAPE;
    if (byte >= 0xc0 && left > 3 && is_overlong(byte, escaped_byte(p + 3, left - 3)))
        return GW_PATH_OVERLONG;
    if (c == '/' || c == '\\')
        return GW_PATH_ENCODED_SEPARATOR;
    if (ascii_is_control(c))
        return GW_PATH_CONTROL;
    if (class_of(c) & UNRESERVED) {
        room[(*n)++] = c;
    } else {
        room[(*n)++] = '%';
        room[(*n)++] = digits[byte >> 4];
        room[(*n)++] = digits[byte & 15];
    }
    return GW_PATH_OK;
}

/* A segment in its decoded form: "%2e%2e" is a dot segment (RFC 3986 6.2.2.3 after 6.2.2.2). */
static bool is_dot_segment(const char *p, size_t n)
{
    return (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
}

static enum gw_path_fault normalize_slowly(struct slice raw, char *room, size_t *length)
{
    size_t n = 0, segment = 1, segments = 0;
    enum gw_path_fault fault = GW_PATH_OK;

    for (size_t i = 0; i < raw.n && fault == GW_PATH_OK;) {
        char c = raw.p[i];

        if (c == '%') {
            fault = normalize_escape(raw.p + i, raw.n - i, room, &n);
            i += 3;
            continue;
        }
        if (c == '/') {
            if (i > 0 && n == segment)
                return GW_PATH_EMPTY_SEGMENT;
            if (i > 0 && is_dot_segment(room + segment, n - segment))
                return GW_PATH_DOT_SEGMENT;
            if (++segments > GW_PATH_MAX_SEGMENTS)
                return GW_PATH_TOO_LONG;
            segment = n + 1;
        }
        fault = raw_byte_fault(c);
        room[n++] = c;
        i++;
    }
    if (fault == GW_PATH_OK && is_dot_segment(room + segment, n - segment))
        fault = GW_PATH_DOT_SEGMENT;
    *length = n;
    return fault;
}

enum gw_path_fault gw_path_normalize(struct slice raw, char *room, struct slice *out)
{
    enum gw_path_fault fault;
    size_t n = 0;

    *out = SLICE_NONE;
    if (raw.n == 0 || raw.p[0] != '/')
        return GW_PATH_NOT_ABSOLUTE;
    if (raw.n > GW_PATH_MAX)
        return GW_PATH_TOO_LONG;
    /* n bytes have at most n segments, so that a short path needs no count. */
    if (raw.n <= GW_PATH_MAX_SEGMENTS && is_plainly_normal(raw)) {
        *out = raw;
        return GW_PATH_OK;
    }
    fault = normalize_slowly(raw, room, &n);
    if (fault == GW_PATH_OK)
        *out = slice_eq(raw, slice_make(room, n)) ? raw : slice_make(room, n);
    return fault;
}
