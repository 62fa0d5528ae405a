#include "base/buf.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_init_fixed(struct buf *b, char *array, size_t size)
{
    CC_ASSERT(size > 0);
    *b = (struct buf){.p = array, .cap = size, .max = size - 1, .fixed = true};
    array[0] = '\0';
}

void buf_free(struct buf *b)
{
    if (!b->fixed)
        free(b->p);
    *b = (struct buf){.max = 0};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->error = CC_OK;
    if (b->p != NULL)
        b->p[0] = '\0';
}

bool buf_grow(struct buf *b, size_t more)
{
    size_t cap;
    char *p;

    if (b->error != CC_OK)
        return false;
    if (more > b->max - b->n) {
        b->error = CC_EFULL;
        return false;
    }
    if (b->n + more < b->cap)
        return true;
    cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap * 2;
    if (cap < b->n + more + 1)
        cap = b->n + more + 1;
    p = b->fixed ? NULL : realloc(b->p, cap);
    if (p == NULL) {
        b->error = b->fixed ? CC_EFULL : CC_ENOMEM;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, struct slice s)
{
    if (!buf_room(b, s.n))
        return;
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = '\0';
}

void buf_add_str(struct buf *b, const char *cstr)
{
    buf_add(b, slice_of(cstr));
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char digits[20];
    size_t n = sizeof(digits);

    for (; v >= 10; v /= 100) {
        n -= 2;
        memcpy(digits + n, &pairs[2 * (v % 100)], 2);
    }
    if (v > 0 || n == sizeof(digits))
        digits[--n] = (char)('0' + v);
    buf_add(b, slice_make(digits + n, sizeof(digits) - n));
}

void buf_add_hex(struct buf *b, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;

    if (n > SIZE_MAX / 2 || !buf_room(b, 2 * n))
        return;
    for (size_t i = 0; i < n; i++) {
        b->p[b->n++] = digits[p[i] >> 4];
        b->p[b->n++] = digits[p[i] & 15];
    }
    b->p[b->n] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 || !buf_grow(b, (size_t)n))
        return;
    va_start(args, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, args);
    va_end(args);
    b->n += (size_t)n;
}

static void add_json_char(struct buf *b, struct slice s, size_t n)
{
    unsigned char c = (unsigned char)s.p[0];

    if (n == 0)
        buf_add_str(b, "\\ufffd");
    else if (c == '"' || c == '\\')
        buf_printf(b, "\\%c", c);
    else if (c == '\n')
        buf_add_str(b, "\\n");
    else if (c == '\t')
        buf_add_str(b, "\\t");
    else if (c < 0x20 || c == 0x7f)
        buf_printf(b, "\\u%04x", c);
    else
        buf_add(b, slice_first(s, n));
}

/* How many bytes at the beginning stand for themselves: nearly always all of them. */
static size_t plain_ascii(struct slice s)
{
    size_t n = 0;

    for (; n < s.n; n++) {
        unsigned char c = (unsigned char)s.p[n];

        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            break;
    }
    return n;
}

static void add_quoted(struct buf *b, struct slice plain)
{
    char *p;

    if (plain.n > SIZE_MAX - 2 || !buf_room(b, plain.n + 2))
        return;
    p = b->p + b->n;
    *p++ = '"';
    if (plain.n > 0)
        memcpy(p, plain.p, plain.n);
    p[plain.n] = '"';
    p[plain.n + 1] = '\0';
    b->n += plain.n + 2;
}

void buf_add_json(struct buf *b, struct slice s)
{
    size_t plain = plain_ascii(s);

    if (plain == s.n) {
        add_quoted(b, s);
        return;
    }
    buf_add_char(b, '"');
    while (s.n > 0) {
        plain = plain_ascii(s);
        buf_add(b, slice_first(s, plain));
        s = slice_from(s, plain);
        if (s.n > 0) {
            size_t n = utf8_length(s);

            add_json_char(b, s, n);
            s = slice_from(s, n == 0 ? 1 : n);
        }
    }
    buf_add_char(b, '"');
}

int buf_error(const struct buf *b)
{
    return b->error;
}

struct slice buf_slice(const struct buf *b)
{
    return slice_make(b->p, b->n);
}
