#include "enforce/query.h"

char query_take_decoded(struct slice *rest)
{
    char c = rest->p[0];
    int high, low;

    if (c == '%' && rest->n > 2 && (high = ascii_hex_value(rest->p[1])) >= 0 &&
        (low = ascii_hex_value(rest->p[2])) >= 0) {
        *rest = slice_from(*rest, 3);
        return (char)(high * 16 + low);
    }
    *rest = slice_from(*rest, 1);
    return c == '+' ? ' ' : c;
}

bool query_name_is(struct slice sent, struct slice name)
{
    size_t i = 0;

    for (; sent.n > 0 && i < name.n; i++)
        if (query_take_decoded(&sent) != name.p[i])
            return false;
    return sent.n == 0 && i == name.n;
}

/* What stands before the first '='. */
static struct slice name_of(struct slice parameter)
{
    ptrdiff_t at = slice_find(parameter, '=');

    return at >= 0 ? slice_first(parameter, (size_t)at) : parameter;
}

unsigned query_find(struct slice query, struct slice name, struct slice *value)
{
    struct slice one, sent;
    unsigned n = 0;

    *value = SLICE("");
    while (slice_split(&query, '&', &one)) {
        sent = name_of(one);
        if (!query_name_is(sent, name))
            continue;
        if (n++ == 0 && sent.n < one.n)
            *value = slice_from(one, sent.n + 1);
    }
    return n;
}

static bool is_one_of(struct slice sent, const struct slice *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (query_name_is(sent, names[i]))
            return true;
    return false;
}

bool query_cut(struct slice query, const struct slice *names, size_t n, char *room,
               struct slice *out)
{
    struct slice rest = query, one, ignored;
    bool found = false, first = true;
    size_t length = 0;

    for (size_t i = 0; i < n && !found; i++)
        found = query_find(query, names[i], &ignored) > 0;
    if (!found)
        return false;
    while (slice_split(&rest, '&', &one)) {
        if (is_one_of(name_of(one), names, n))
            continue;
        if (!first)
            room[length++] = '&';
        first = false;
        if (one.n > 0)
            memcpy(room + length, one.p, one.n);
        length += one.n;
    }
    *out = slice_make(room, length);
    return true;
}
