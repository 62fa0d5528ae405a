/* render: clusters -> HAProxy backends. */
#include "generator/render_row.h"

#include <arpa/inet.h>

/* Attempts to connect after the first. HAProxy waits a second before it tries a server again, so a
 * single server is tried once more; the next of several is tried at once. */
enum { RETRIES_SINGLE = 1, RETRIES_MAX = 3 };

enum render_host_kind render_host_kind(struct slice host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];

    if (host.n == 0 || host.n >= sizeof(text) || slice_find(host, '\0') >= 0)
        return RENDER_HOST_NAME;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (inet_pton(AF_INET, text, address) == 1)
        return RENDER_HOST_IPV4;
    return inet_pton(AF_INET6, text, address) == 1 ? RENDER_HOST_IPV6 : RENDER_HOST_NAME;
}

/* HAProxy asks name servers, which need not know "localhost", and never reads /etc/hosts. */
static bool is_localhost(struct slice host)
{
    return slice_eq_nocase(host, SLICE("localhost"));
}

bool render_needs_dns(struct slice host)
{
    return render_host_kind(host) == RENDER_HOST_NAME && !is_localhost(host);
}

struct slice render_address(struct arena *arena, struct slice host, uint64_t port)
{
    if (is_localhost(host))
        host = SLICE("127.0.0.1");
    return arena_printf(arena,
                        render_host_kind(host) == RENDER_HOST_IPV6 ? "[%" PRIslice "]:%llu"
                                                                   : "%" PRIslice ":%llu",
                        SLICE_ARG(host), (unsigned long long)port);
}

uint64_t render_retries(const struct gw_cluster *cluster)
{
    if (cluster->options.retry_count > 0)
        return cluster->options.retry_count;
    if (cluster->n_endpoints <= 1)
        return RETRIES_SINGLE;
    return cluster->n_endpoints < RETRIES_MAX ? cluster->n_endpoints : RETRIES_MAX;
}

/* Endpoints that get requests at the same time. */
static uint64_t active_endpoints(const struct gw_cluster *cluster)
{
    CC_ASSERT(cluster->n_endpoints > 0); /* no cluster without is ever made or read */
    return cluster->options.failover ? 1 : cluster->n_endpoints;
}

/* HAProxy counts connections for each server: each gets its part, so that all together never have
 * more than the cluster may. Not less than one, though. */
static uint64_t connections_each(const struct gw_cluster *cluster)
{
    uint64_t each = cluster->options.max_connections / active_endpoints(cluster);

    return cluster->options.max_connections > 0 && each == 0 ? 1 : each;
}

/* The name of a server: the Host that it shall see, where that must be chosen with the server. The
 * projects module lets no other Hosts get here than such that are names; "s1" else. */
static struct slice server_name(const struct render_context *ctx, const struct gw_cluster *cluster,
                                size_t index)
{
    if (gw_cluster_one_host(cluster))
        return arena_printf(ctx->arena, "s%zu", index + 1);
    CC_ASSERT(render_host_kind(cluster->endpoints[index].host) != RENDER_HOST_IPV6);
    return gw_endpoint_host(ctx->arena, &cluster->endpoints[index]);
}

struct slice render_authorities_name(struct arena *arena, struct slice name)
{
    return arena_printf(arena, "haproxy/certs/%" PRIslice ".pem", SLICE_ARG(name));
}

static int server_row(struct template_row *out, const struct render_context *ctx,
                      const struct gw_cluster *cluster, size_t index)
{
    const struct gw_endpoint *e = &cluster->endpoints[index];
    const struct gw_options *o = &cluster->options;
    struct slice address = render_address(ctx->arena, e->host, e->port);
    struct slice name = server_name(ctx, cluster, index);
    struct row row;

    if (!row_new(&row, ctx->arena, 14) || address.p == NULL || name.p == NULL)
        return CC_ENOMEM;
    add_text(&row, "server", TEMPLATE_WORD, name, e->origin);
    add_text(&row, "address", TEMPLATE_WORD, address, e->origin);
    add_text(&row, "host", TEMPLATE_WORD, e->host, e->origin);
    add_text(&row, "host_arg", TEMPLATE_ARG, e->host, e->origin);
    add_bool(&row, "tls", e->tls);
    add_bool(&row, "by_name", render_host_kind(e->host) == RENDER_HOST_NAME);
    add_bool(&row, "dns", render_needs_dns(e->host));
    add_bool(&row, "http2", o->http2);
    add_bool(&row, "http_check", o->health_path.n > 0);
    add_bool(&row, "backup", o->failover && index > 0);
    /* the last one has nobody to hand over to */
    add_bool(&row, "fail_fast", o->failover && index + 1 < cluster->n_endpoints);
    add_number(&row, "connections", connections_each(cluster));
    if (e->ca.n > 0) { /* else cc.yaml's, which the template finds further out */
        struct slice file = render_authorities_name(ctx->arena, e->ca);
        struct slice path =
            arena_printf(ctx->arena, "%s/%" PRIslice, ctx->directory, SLICE_ARG(file));

        if (file.p == NULL || path.p == NULL)
            return CC_ENOMEM;
        add_word(&row, "ca_file", path);
    }
    *out = finished(&row);
    return CC_OK;
}

/* {{#each name}}{{status}}{{/each}} without that of `except`. */
static int add_statuses(struct row *to, const char *name, const struct render_context *ctx,
                        const struct slice *texts, size_t n, struct slice except)
{
    struct template_row *rows = rows_new(ctx->arena, n);
    size_t kept = 0;
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(texts[i], except))
            continue;
        if (!row_new(&row, ctx->arena, 2))
            return CC_ENOMEM;
        add_word(&row, "status", texts[i]);
        add_bool(&row, "more", kept > 0);
        rows[kept++] = finished(&row);
    }
    add_list(to, name, rows, kept);
    return CC_OK;
}

static int add_retries(struct row *row, const struct render_context *ctx,
                       const struct gw_cluster *cluster)
{
    const struct gw_options *o = &cluster->options;
    bool has_429 = false;

    for (size_t i = 0; i < o->n_retry_statuses; i++)
        has_429 = has_429 || slice_is(o->retry_statuses[i], "429");
    add_number(row, "retries", render_retries(cluster));
    add_bool(row, "retry", o->n_retry_statuses > 0);
    add_bool(row, "retry_429", has_429);
    add_bool(row, "retry_unsafe", o->retry_unsafe);
    return add_statuses(row, "retry_statuses", ctx, o->retry_statuses, o->n_retry_statuses,
                        SLICE("429"));
}

static int add_health(struct row *row, const struct render_context *ctx,
                      const struct gw_cluster *cluster)
{
    const struct gw_options *o = &cluster->options;
    struct place origin = cluster->endpoints[0].origin;
    struct slice host = gw_endpoint_host(ctx->arena, &cluster->endpoints[0]);

    if (host.p == NULL)
        return CC_ENOMEM;
    add_text(row, "health_path", TEMPLATE_WORD, o->health_path, origin);
    add_text(row, "health_host", TEMPLATE_FORMAT, host, origin);
    return add_statuses(row, "health_statuses", ctx, o->health_statuses, o->n_health_statuses,
                        SLICE_NONE);
}

static int cluster_row(struct template_row *out, const struct render_context *ctx,
                       const struct gw_cluster *cluster)
{
    struct template_row *servers = rows_new(ctx->arena, cluster->n_endpoints);
    const struct gw_options *o = &cluster->options;
    struct row row;
    int rc = CC_OK;

    if (servers == NULL || !row_new(&row, ctx->arena, 19))
        return CC_ENOMEM;
    for (size_t i = 0; i < cluster->n_endpoints && rc == CC_OK; i++)
        rc = server_row(&servers[i], ctx, cluster, i);
    add_word(&row, "name", cluster->name);
    add_bool(&row, "own_hosts", !gw_cluster_one_host(cluster));
    add_number(&row, "timeout", o->timeout_ms);
    add_number(&row, "connect", o->connect_ms);
    /* who waits for an endpoint waits no longer than for its answer */
    add_bool(&row, "short_queue", o->timeout_ms < ctx->config->router.cluster_timeout_s * 1000);
    add_number(&row, "max_requests", o->max_requests);
    add_number(&row, "max_pending", o->max_pending);
    add_number(&row, "connections", connections_each(cluster) * active_endpoints(cluster));
    add_list(&row, "servers", servers, cluster->n_endpoints);
    if (rc == CC_OK)
        rc = add_retries(&row, ctx, cluster);
    if (rc == CC_OK)
        rc = add_health(&row, ctx, cluster);
    *out = finished(&row);
    return rc;
}

int render_clusters(struct row *root, const struct render_context *ctx)
{
    const struct gw_model *model = ctx->model;
    struct template_row *rows = rows_new(ctx->arena, model->n_clusters);
    bool dns = render_redis_dns(ctx->config);
    int rc = rows != NULL ? CC_OK : CC_ENOMEM;

    for (size_t i = 0; i < model->n_clusters && rc == CC_OK; i++) {
        rc = cluster_row(&rows[i], ctx, &model->clusters[i]);
        for (size_t k = 0; k < model->clusters[i].n_endpoints; k++)
            dns = dns || render_needs_dns(model->clusters[i].endpoints[k].host);
    }
    add_list(root, "clusters", rows, model->n_clusters);
    add_bool(root, "dns", dns);
    return rc;
}
