#include "gateway/gateway.h"

static bool is_own_port(const struct gw_endpoint *e)
{
    return e->port == (e->tls ? 443 : 80);
}

struct slice gw_endpoint_host(struct arena *arena, const struct gw_endpoint *e)
{
    bool ipv6 = slice_find(e->host, ':') >= 0;
    const char *open = ipv6 ? "[" : "", *shut = ipv6 ? "]" : "";

    if (is_own_port(e))
        return arena_printf(arena, "%s%" PRIslice "%s", open, SLICE_ARG(e->host), shut);
    return arena_printf(arena, "%s%" PRIslice "%s:%u", open, SLICE_ARG(e->host), shut, e->port);
}

bool gw_endpoint_same_host(const struct gw_endpoint *a, const struct gw_endpoint *b)
{
    return slice_eq(a->host, b->host) && is_own_port(a) == is_own_port(b) &&
           (is_own_port(a) || a->port == b->port);
}

bool gw_cluster_one_host(const struct gw_cluster *cluster)
{
    for (size_t i = 1; i < cluster->n_endpoints; i++) {
        if (!gw_endpoint_same_host(&cluster->endpoints[0], &cluster->endpoints[i]))
            return false;
    }
    return true;
}
