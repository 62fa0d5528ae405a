#include "gateway/cors.h"

static const struct slice separator = SLICE_INIT("://");
static const struct slice wildcard = SLICE_INIT("*.");
static const char other_wildcard[] =
    "a wildcard is \"*\" alone or stands for all names below one: https://*.example.com";

/* What follows "scheme://" in *rest; false, and *rest left as it is, when there is none. RFC 3986
 * 3.1. */
static bool skip_scheme(struct slice origin, struct slice *rest)
{
    ptrdiff_t colon = slice_find(origin, ':');

    if (colon <= 0 || !ascii_is_alpha(origin.p[0]) ||
        !slice_starts(slice_from(origin, (size_t)colon), separator))
        return false;
    for (ptrdiff_t i = 0; i < colon; i++) {
        char c = origin.p[i];

        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '+' && c != '-' && c != '.')
            return false;
    }
    *rest = slice_from(origin, (size_t)colon + separator.n);
    return true;
}

/* Host and port: no user, path or query, and nothing that means something in a header. */
static bool is_authority_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("-._~%:[]", c) != NULL);
}

bool gw_origin_is_sane(struct slice origin)
{
    struct slice rest = origin;

    if (origin.n == 0 || origin.n > GW_ORIGIN_MAX)
        return false;
    skip_scheme(origin, &rest);
    for (size_t i = 0; i < rest.n; i++) {
        if (!is_authority_char(rest.p[i]))
            return false;
    }
    return true;
}

struct slice gw_origin_normalize(struct slice origin, char *room)
{
    struct slice out = {room, origin.n};

    for (size_t i = 0; i < origin.n; i++)
        room[i] = ascii_lower(origin.p[i]);
    if (slice_starts(out, SLICE("https://")) && slice_ends(out, SLICE(":443")))
        out.n -= SLICE(":443").n;
    else if (slice_starts(out, SLICE("http://")) && slice_ends(out, SLICE(":80")))
        out.n -= SLICE(":80").n;
    return out;
}

const char *gw_origin_fault(struct slice origin)
{
    if (origin.n == 0)
        return "it is empty";
    if (origin.n > GW_ORIGIN_MAX)
        return "it is longer than 300 bytes";
    for (size_t i = 0; i < origin.n; i++) {
        /* anything else printable is harmless: it equals no sane origin */
        if (origin.p[i] <= ' ' || origin.p[i] >= 0x7f)
            return "it has a space, a control character or a letter that is not ASCII";
        if (origin.p[i] == '*')
            return other_wildcard;
        if (origin.p[i] != ascii_lower(origin.p[i]))
            return "it is not in lower case";
    }
    return NULL;
}

static bool is_label_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* One or more labels of a DNS name, with single dots between them. */
static bool is_labels(struct slice s)
{
    char before = '.';

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? before == '.' : !is_label_char(s.p[i]))
            return false;
        before = s.p[i];
    }
    return before != '.';
}

/* ":8443", or nothing. */
static bool is_port(struct slice s)
{
    uint64_t port;

    return s.n == 0 || (s.p[0] == ':' && slice_to_u64(slice_from(s, 1), &port) == CC_OK &&
                        port > 0 && port <= 65535);
}

const char *gw_origin_pattern_fault(struct slice pattern)
{
    struct slice rest, name;
    ptrdiff_t colon;

    if (!skip_scheme(pattern, &rest) || !slice_starts(rest, wildcard))
        return other_wildcard;
    name = slice_from(rest, wildcard.n);
    colon = slice_find(name, ':');
    if (colon >= 0 && !is_port(slice_from(name, (size_t)colon)))
        return "its port is not 1 to 65535";
    name = slice_first(name, colon >= 0 ? (size_t)colon : name.n);
    if (slice_find(name, '*') >= 0)
        return other_wildcard;
    if (!is_labels(name))
        return "behind \"*.\" there must be a name, and at most a port";
    if (pattern.n > GW_ORIGIN_MAX)
        return "it is longer than 300 bytes";
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] != ascii_lower(pattern.p[i]))
            return "it is not in lower case";
    }
    return NULL;
}

static bool fits(struct slice pattern, struct slice origin)
{
    size_t head = (size_t)slice_find(pattern, '*');
    struct slice tail = slice_from(pattern, head + 1);

    /* not "<": the labels that the wildcard stands for are at least one byte */
    return origin.n > head + tail.n && slice_starts(origin, slice_first(pattern, head)) &&
           slice_ends(origin, tail) &&
           is_labels(slice_make(origin.p + head, origin.n - head - tail.n));
}

static bool is_listed(const struct gw_cors *cors, struct slice origin)
{
    size_t low = 0, high = cors->n_origins;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_cmp(origin, cors->origins[middle]);

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool gw_cors_allows(const struct gw_cors *cors, struct slice origin)
{
    if (!gw_origin_is_sane(origin))
        return false;
    if (cors->any_origin || is_listed(cors, origin))
        return true;
    for (size_t i = 0; i < cors->n_patterns; i++) {
        if (fits(cors->patterns[i], origin))
            return true;
    }
    return false;
}

static int compare_lists(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b)
{
    int order = (n_a > n_b) - (n_a < n_b);

    for (size_t i = 0; order == 0 && i < n_a; i++)
        order = slice_cmp(a[i], b[i]);
    return order;
}

int gw_cors_cmp(const struct gw_cors *a, const struct gw_cors *b)
{
    int order = (int)a->any_origin - (int)b->any_origin;

    if (order == 0)
        order = (int)a->credentials - (int)b->credentials;
    if (order == 0)
        order = compare_lists(a->origins, a->n_origins, b->origins, b->n_origins);
    if (order == 0)
        order = compare_lists(a->patterns, a->n_patterns, b->patterns, b->n_patterns);
    if (order == 0)
        order = slice_cmp(a->methods, b->methods);
    if (order == 0)
        order = slice_cmp(a->headers, b->headers);
    return order != 0 ? order : slice_cmp(a->expose, b->expose);
}
