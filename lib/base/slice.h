/* Text is a slice: a pointer and a length, never NUL-terminated by promise.
 *
 * A slice borrows; whoever made the bytes owns them and says how long they live. A slice with
 * n == 0 is "empty" whatever p is; p == NULL with n == 0 is "absent" where a caller tells them
 * apart. All functions here are pure, allocate nothing and are safe from any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n;
};

/* A slice over a string literal; usable in static initialisers. */
#define SLICE(lit) ((struct slice){"" lit, sizeof("" lit) - 1})
#define SLICE_INIT(lit)            \
    {                              \
        "" lit, sizeof("" lit) - 1 \
    }
#define SLICE_NONE ((struct slice){NULL, 0})

/* printf("%" PRIslice, SLICE_ARG(s)): lengths above INT_MAX are cut, which a log line survives. */
#define PRIslice     ".*s"
#define SLICE_ARG(s) (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), ((s).p ? (s).p : "")

static inline struct slice slice_of(const char *cstr)
{
    return (struct slice){cstr, cstr ? strlen(cstr) : 0};
}

static inline struct slice slice_make(const void *p, size_t n)
{
    return (struct slice){p, n};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *cstr)
{
    return slice_eq(a, slice_of(cstr));
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* Everything from offset `from`; an offset past the end gives an empty slice. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    if (from > s.n)
        from = s.n;
    return (struct slice){s.p ? s.p + from : NULL, s.n - from};
}

/* The first n bytes, or all of them when there are fewer. */
static inline struct slice slice_first(struct slice s, size_t n)
{
    return (struct slice){s.p, n < s.n ? n : s.n};
}

/* ASCII only, on purpose: host names, header names and schemes are ASCII, and a locale must not
 * change what they compare to. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

/* What a hexadecimal digit stands for; -1: it is none. */
static inline int ascii_hex_value(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that must never reach a configuration file, a header or a log line as they are. */
static inline bool ascii_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Equal when ASCII letters are compared without case. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Is it one of these n? */
bool slice_is_among(struct slice s, const struct slice *list, size_t n);

/* Byte-wise order, shorter first when one is a prefix of the other: <0, 0, >0 as memcmp. */
int slice_cmp(struct slice a, struct slice b);

/* Offset of the first `c`, or -1. */
ptrdiff_t slice_find(struct slice s, char c);

/* Is `needle` inside `s`? An empty needle is inside everything. */
bool slice_contains(struct slice s, struct slice needle);

/* Cuts off and returns the part of *rest before the first `sep`; *rest becomes what follows it.
 * Returns false when *rest is absent (p == NULL), which is how a loop ends:
 *     while (slice_split(&rest, ',', &part)) ...
 * "a,,b" gives "a", "", "b"; "" gives one empty part. */
bool slice_split(struct slice *rest, char sep, struct slice *part);

/* Without the spaces and tabs at both ends. */
struct slice slice_trim(struct slice s);

/* Does any byte satisfy ascii_is_control()? */
bool slice_has_control(struct slice s);

/* Strict decimal: digits only, no sign, no leading zeros beyond "0", no overflow.
 * CC_OK, or CC_EPARSE / CC_ERANGE. */
int slice_to_u64(struct slice s, uint64_t *out);

/* The candidate nearest to `word` by edit distance when it is near enough to be a slip of the
 * pen, else NULL. For "did you mean" hints; cost is bounded by 64 characters a word. */
const char *nearest_word(struct slice word, const char *const *candidates, size_t n);
