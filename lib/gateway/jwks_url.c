/* Which URLs a key set may be fetched from. */
#include "gateway/gateway.h"

#include <arpa/inet.h>

static bool parse_address(int family, struct slice host, void *out)
{
    char text[INET6_ADDRSTRLEN];

    if (host.n == 0 || host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(family, text, out) == 1;
}

/* RFC 6761 6.3: localhost is loopback; the agent checks the address it connects to besides. */
static bool is_loopback(struct slice host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (slice_eq_nocase(host, SLICE("localhost")))
        return true;
    if (parse_address(AF_INET, host, &v4))
        return (ntohl(v4.s_addr) >> 24) == 127;
    return host.n > 2 && host.p[0] == '[' &&
           parse_address(AF_INET6, slice_make(host.p + 1, host.n - 2), &v6) &&
           IN6_IS_ADDR_LOOPBACK(&v6);
}

/* A DNS name, an IPv4 address, or an IPv6 address in brackets (RFC 3986 3.2.2). */
static bool is_host(struct slice s)
{
    struct in6_addr v6;

    if (s.n > 2 && s.p[0] == '[')
        return s.p[s.n - 1] == ']' && parse_address(AF_INET6, slice_make(s.p + 1, s.n - 2), &v6);
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '.')
            return false;
    return s.n > 0 && s.p[0] != '.' && s.p[0] != '-';
}

/* host[:port] */
static bool split_authority(struct slice authority, struct slice *host)
{
    size_t colon = authority.n;
    uint64_t port;

    *host = authority;
    while (colon > 0 && authority.p[colon - 1] != ':' && authority.p[colon - 1] != ']')
        colon--;
    if (colon == 0 || authority.p[colon - 1] == ']')
        return is_host(*host);
    *host = slice_first(authority, colon - 1);
    return is_host(*host) && slice_to_u64(slice_from(authority, colon), &port) == CC_OK &&
           port >= 1 && port <= 65535;
}

const char *gw_jwks_url_fault(struct slice url)
{
    static const struct slice https = SLICE_INIT("https://"), http = SLICE_INIT("http://");
    bool tls = slice_starts(url, https);
    struct slice rest, host;
    size_t end = 0;

    if (!tls && !slice_starts(url, http))
        return "it does not begin with https:// (or http:// for a loopback address)";
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= 0x20 || url.p[i] >= 0x7f || slice_find(SLICE("\"<>\\^`{|}#"), url.p[i]) >= 0)
            return "it has a character that URLs do not have, or a fragment";
    rest = slice_from(url, tls ? https.n : http.n);
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    if (!split_authority(slice_first(rest, end), &host))
        return "its host is not host[:port]";
    if (end == rest.n || rest.p[end] != '/')
        return "it has no path";
    return tls || is_loopback(host) ? NULL : "http:// is for loopback addresses only; use https://";
}
