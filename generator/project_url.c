/* project: one endpoint URL.
 *
 * Stricter than the contract (api-projects 2.1), which drops user names, queries and fragments in
 * silence: what cannot be kept is refused. */
#include "generator/project_internal.h"

#include "gateway/path.h"

#include <arpa/inet.h>

/* One label of a DNS name (RFC 1123 2.1): letters, digits and inner hyphens. */
static bool label_is_usable(struct slice label)
{
    if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (!ascii_is_alpha(label.p[i]) && !ascii_is_digit(label.p[i]) && label.p[i] != '-')
            return false;
    }
    return true;
}

/* What is wrong with a host that is not in brackets; NULL when nothing is. */
static const char *host_fault(struct slice host)
{
    struct slice rest = host, label = SLICE_NONE;
    struct in_addr address;
    char text[INET_ADDRSTRLEN];
    bool digits = true;

    if (host.n == 0)
        return "it has no host";
    if (host.n > 253)
        return "its host is longer than 253 bytes";
    while (slice_split(&rest, '.', &label)) {
        if (!label_is_usable(label))
            return "its host is neither a DNS name nor an IP address";
    }
    for (size_t i = 0; i < label.n; i++)
        digits = digits && ascii_is_digit(label.p[i]);
    if (!digits)
        return NULL;
    /* a name that ends in digits can only be an address (RFC 1123 2.1), and what inet_aton(3) would
     * make of 127.1 or 010.0.0.1 is not what it looks like */
    if (host.n >= sizeof(text))
        return "its host is not an IPv4 address";
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 ? NULL : "its host is not an IPv4 address";
}

/* "[...]" -> the address in its shortest form, without brackets. */
static const char *read_ipv6(struct project *p, struct slice inside, struct slice *out)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if (inside.n >= sizeof(text))
        return "its host is not an IPv6 address";
    memcpy(text, inside.p, inside.n);
    text[inside.n] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1 ||
        inet_ntop(AF_INET6, &address, text, sizeof(text)) == NULL)
        return "its host is not an IPv6 address";
    *out = arena_dup(p->build->arena, slice_of(text));
    if (out->p == NULL)
        p->build->rc = CC_ENOMEM;
    return NULL;
}

/* host[:port] -> out->host, out->port. */
static const char *read_authority(struct project *p, struct slice authority,
                                  struct gw_endpoint *out)
{
    struct slice port = SLICE_NONE;
    const char *fault;
    uint64_t number;
    ptrdiff_t end;

    if (slice_find(authority, '@') >= 0)
        return "it has a user name or password";
    if (authority.n > 0 && authority.p[0] == '[') {
        end = slice_find(authority, ']');
        if (end < 0)
            return "its host has no closing bracket";
        fault = read_ipv6(p, slice_first(slice_from(authority, 1), (size_t)end - 1), &out->host);
        port = slice_from(authority, (size_t)end + 1);
        if (port.n > 0 && port.p[0] != ':')
            return "there is text between ']' and the port";
    } else {
        end = slice_find(authority, ':');
        if (end >= 0)
            port = slice_from(authority, (size_t)end);
        out->host =
            project_lower(p->build, end < 0 ? authority : slice_first(authority, (size_t)end));
        fault = host_fault(out->host);
    }
    if (fault != NULL)
        return fault;
    out->port = out->tls ? 443 : 80;
    if (port.n == 0)
        return NULL;
    if (slice_to_u64(slice_from(port, 1), &number) != CC_OK || number < 1 || number > 65535)
        return "its port is not a number from 1 to 65535";
    out->port = (unsigned)number;
    return NULL;
}

/* The path in its one normal form, so that what is decided on is what the endpoint gets. */
static const char *read_path(struct project *p, struct slice raw, struct gw_endpoint *out)
{
    char *room;
    enum gw_path_fault fault;

    if (slice_find(raw, '?') >= 0)
        return "it has a query";
    if (slice_find(raw, '#') >= 0)
        return "it has a fragment";
    if (raw.n > 0 && raw.p[raw.n - 1] == '/')
        raw.n--;
    out->path = SLICE("");
    if (raw.n == 0)
        return NULL;
    if (raw.p[raw.n - 1] == '/')
        return "its path has an empty segment";
    room = project_alloc(p->build, raw.n, 1);
    if (room == NULL)
        return NULL;
    fault = gw_path_normalize(raw, room, &out->path);
    return fault == GW_PATH_OK ? NULL : gw_path_fault_text(fault);
}

/* What is wrong with the URL; NULL when it is in *out. */
static const char *read_url(struct project *p, struct slice url, struct gw_endpoint *out)
{
    struct slice scheme = SLICE("http"), rest = url;
    const char *fault;
    size_t end = 0;

    for (size_t i = 0; i + 3 <= url.n; i++) {
        if (memcmp(url.p + i, "://", 3) == 0) {
            scheme = slice_first(url, i);
            rest = slice_from(url, i + 3);
            break;
        }
    }
    out->tls = slice_eq_nocase(scheme, SLICE("https"));
    if (!out->tls && !slice_eq_nocase(scheme, SLICE("http")))
        return "its scheme is neither http nor https";
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
        end++;
    fault = read_authority(p, slice_first(rest, end), out);
    return fault != NULL ? fault : read_path(p, slice_from(rest, end), out);
}

bool project_parse_url(struct project *p, struct slice url, struct place place,
                       struct gw_endpoint *out)
{
    const char *fault;

    if (slice_has_control(url)) {
        diag_help(diag_error(p->build->diag, CC1205, place,
                             "the endpoint URL contains a line break or another control character"),
                  "write the URL on one line");
        return false;
    }
    url = slice_trim(url);
    *out = (struct gw_endpoint){.origin = place};
    if (slice_starts(url, SLICE("consul(")) || slice_starts(url, SLICE("consul ("))) {
        diag_error(p->build->diag, CC1204, place,
                   "endpoints from Consul are not supported by this version");
        return false;
    }
    fault = read_url(p, url, out);
    if (fault == NULL)
        return p->build->rc == CC_OK;
    diag_help(diag_error(p->build->diag, CC2005, place, "\"%" PRIslice "\" is no endpoint URL: %s",
                         SLICE_ARG(url), fault),
              "write http://host[:port][/path] or https://host[:port][/path]");
    return false;
}
