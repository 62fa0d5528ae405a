#include "gateway/path.h"

#include <arpa/inet.h>

/* What may stand in a reg-name here: the characters of DNS names, and '_', which internal names
 * have. Percent-escapes and sub-delims (RFC 3986 3.2.2) name no host that can be deployed. */
static bool is_host_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* ":" and digits, or nothing; RFC 3986 3.2.3 lets the digits be absent. */
static bool is_port_suffix(struct slice s)
{
    uint64_t port = 0;

    if (s.n == 0)
        return true;
    if (s.p[0] != ':' || s.n > 6)
        return false;
    for (size_t i = 1; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        port = port * 10 + (uint64_t)(s.p[i] - '0');
    }
    return port <= 65535;
}

/* An IPv6 address has many spellings; the system's printer picks the one of RFC 5952. Zone
 * identifiers (RFC 6874) are refused: they mean something on one machine only. */
static bool normalize_ipv6(struct slice text, char *room, struct slice *out)
{
    char name[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (text.p == NULL || text.n >= sizeof(name) || slice_has_control(text))
        return false;
    memcpy(name, text.p, text.n);
    name[text.n] = '\0';
    if (inet_pton(AF_INET6, name, &address) != 1 ||
        inet_ntop(AF_INET6, &address, room, GW_HOST_MAX) == NULL)
        return false;
    *out = slice_of(room);
    return true;
}

static bool normalize_name(struct slice text, char *room, struct slice *out)
{
    char before = '.'; /* so that a leading dot is an empty label */

    if (slice_ends(text, SLICE(".")))
        text.n--;
    if (text.p == NULL || text.n == 0 || text.n > GW_HOST_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!is_host_char(c) || (c == '.' && before == '.'))
            return false;
        room[i] = ascii_lower(c);
        before = c;
    }
    *out = slice_make(room, text.n);
    return before != '.';
}

bool gw_host_normalize(struct slice raw, char *room, struct slice *out)
{
    ptrdiff_t at;

    *out = SLICE_NONE;
    if (raw.n == 0)
        return false;
    if (raw.p[0] == '[') {
        at = slice_find(raw, ']');
        return at > 0 && is_port_suffix(slice_from(raw, (size_t)at + 1)) &&
               normalize_ipv6(slice_make(raw.p + 1, (size_t)at - 1), room, out);
    }
    at = slice_find(raw, ':');
    if (at >= 0 && !is_port_suffix(slice_from(raw, (size_t)at)))
        return false;
    return normalize_name(at >= 0 ? slice_first(raw, (size_t)at) : raw, room, out);
}

const char *gw_vhost_fault(struct slice vhost)
{
    char room[GW_HOST_MAX];
    struct slice name = vhost, normal = SLICE_NONE;

    if (vhost.p == NULL)
        return "it is absent";
    if (slice_is(vhost, "*"))
        return NULL;
    if (slice_starts(vhost, SLICE("*.")))
        name = slice_from(vhost, 2);
    if (slice_find(name, '*') >= 0)
        return "a wildcard is \"*\" alone or \"*.\" before a name";
    if (slice_find(name, ':') >= 0) {
        if (name.p == vhost.p && normalize_ipv6(name, room, &normal) && slice_eq(name, normal))
            return NULL;
        return "it is neither a name without port nor an IPv6 address in its shortest form";
    }
    if (!normalize_name(name, room, &normal))
        return "it is not a host name of letters, digits, '-', '_' and single dots";
    if (!slice_eq(name, normal))
        return "a virtual host is written in lower case, without a trailing dot";
    return NULL;
}
