#include "base/slice.h"

#include "base/error.h"

bool slice_is_among(struct slice s, const struct slice *list, size_t n)
{
    while (n > 0 && !slice_eq(list[n - 1], s))
        n--;
    return n > 0;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n == 0 ? 0 : memcmp(a.p, b.p, n);

    return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

ptrdiff_t slice_find(struct slice s, char c)
{
    const char *hit = s.n == 0 ? NULL : memchr(s.p, c, s.n);

    return hit == NULL ? -1 : hit - s.p;
}

bool slice_contains(struct slice s, struct slice needle)
{
    return needle.n == 0 || (s.n >= needle.n && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

bool slice_split(struct slice *rest, char sep, struct slice *part)
{
    ptrdiff_t at;

    if (rest->p == NULL)
        return false;
    at = slice_find(*rest, sep);
    if (at < 0) {
        *part = *rest;
        *rest = SLICE_NONE;
    } else {
        *part = slice_first(*rest, (size_t)at);
        *rest = slice_from(*rest, (size_t)at + 1);
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = slice_from(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool slice_has_control(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (ascii_is_control(s.p[i]))
            return true;
    return false;
}

int slice_to_u64(struct slice s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
        return CC_EPARSE;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return CC_EPARSE;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return CC_ERANGE;
    }
    *out = v;
    return CC_OK;
}

enum { WORD_MAX = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein distance without case, one row at a time. */
static unsigned edit_distance(struct slice a, struct slice b)
{
    unsigned row[WORD_MAX + 1];

    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned cost = ascii_lower(a.p[i - 1]) != ascii_lower(b.p[j - 1]);
            unsigned next = min3(row[j] + 1, row[j - 1] + 1, diagonal + cost);

            diagonal = row[j];
            row[j] = next;
        }
    }
    return row[b.n];
}

const char *nearest_word(struct slice word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)-1;

    if (word.n == 0 || word.n > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct slice c = slice_of(candidates[i]);
        unsigned d;

        if (c.n == 0 || c.n > WORD_MAX)
            continue;
        d = edit_distance(word, c);
        if (d < best_distance) {
            best_distance = d;
            best = candidates[i];
        }
    }
    /* A slip of the pen changes about a third of a word at most. */
    return best != NULL && best_distance <= (word.n + 2) / 3 ? best : NULL;
}
