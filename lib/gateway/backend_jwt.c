#include "gateway/gateway.h"

/* What HTTP or the gateway itself uses: a backend would take the JWT for something else, or
 * something else for the JWT. */
static bool is_taken(struct slice name)
{
    static const char *const names[] = {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "internal-key",
        "keep-alive",
        "max-forwards",
        "origin",
        "prefer",
        "proxy-connection",
        "range",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "proxy-authorization",
    };
    static const char *const prefixes[] = {
        "access-control-", "if-",     "sec-",    "x-cc-",   "x-envoy-",
        "x-forwarded",     "x-real-", "x-trace", "x-wso2-",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(name, names[i]))
            return true;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (slice_starts(name, slice_of(prefixes[i])))
            return true;
    return false;
}

const char *gw_backend_jwt_header_fault(struct slice name)
{
    size_t hyphens = 0;

    if (name.n == 0 || name.n > 64)
        return "it must have 1 to 64 characters";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-')
            return "it must be of letters, digits and -";
        hyphens += c == '-';
    }
    if (hyphens > GW_BACKEND_JWT_HYPHENS)
        return "it has more than 4 hyphens";
    return is_taken(name) ? "that header has a meaning already" : NULL;
}

bool gw_backend_jwt_is_header(const struct gw_backend_jwt *jwt, struct slice name)
{
    if (jwt->header.n == 0 || jwt->header.n != name.n)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i] == '_' ? '-' : name.p[i];

        if (c != jwt->header.p[i])
            return false;
    }
    return true;
}

const struct gw_key_pair *gw_backend_jwt_signing(const struct gw_backend_jwt *jwt)
{
    for (size_t i = 0; jwt->header.n > 0 && i < jwt->n_key_pairs; i++)
        if (jwt->key_pairs[i].private_key.n > 0)
            return &jwt->key_pairs[i];
    return NULL;
}

bool gw_is_jwks_path(struct slice path)
{
    return slice_is(path, "/.well-known/jwks") || slice_is(path, "/.wellknown/jwks");
}
