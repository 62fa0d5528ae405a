#include "generator/render_values.h"

#include "enforce/testkey.h"
#include "generator/render_row.h"

/* HAProxy has no "never" for the timeouts it insists on: the longest its timers can hold, 24 days.
 */
enum { TIMEOUT_NEVER_S = 2147483 };

/* tune.bufsize of a HAProxy that is not told another. */
enum { DEFAULT_BUFFER_BYTES = 16384 };

/* The statuses that the agent may choose for a refusal. */
static const unsigned refusals[] = {400, 401, 403, 404, 405, 411, 413,
                                    414, 429, 500, 501, 502, 503, 504};

/* The variables that the agent sets. HAProxy keeps the whole name, txn.cc.NAME, in 64 bytes and up
 * to 3.5 reads past them when it is longer. */
static const char *const variables[] = {
#define X(name, scope, type, when, help) #name,
#include "gateway/vars.def"
#undef X
};
#define X(name, scope, type, when, help) \
    _Static_assert(sizeof("txn.cc." #name) <= 60, "the variable's name is too long: " #name);
#include "gateway/vars.def"
#undef X

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_refusals(struct row *root, struct arena *arena)
{
    struct template_row *rows = rows_new(arena, COUNT(refusals));
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        if (!row_new(&row, arena, 1))
            return CC_ENOMEM;
        add_number(&row, "status", refusals[i]);
        rows[i] = finished(&row);
    }
    add_list(root, "refusals", rows, COUNT(refusals));
    return CC_OK;
}

static int add_variables(struct row *root, struct arena *arena)
{
    struct template_row *rows = rows_new(arena, COUNT(variables));
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < COUNT(variables); i++) {
        if (!row_new(&row, arena, 1))
            return CC_ENOMEM;
        add_word(&row, "name", slice_of(variables[i]));
        rows[i] = finished(&row);
    }
    add_list(root, "variables", rows, COUNT(variables));
    return CC_OK;
}

/* Is there an API that takes API keys in this header? */
static bool has_key(const struct gw_model *model, struct slice header)
{
    for (size_t i = 0; i < model->n_apis; i++)
        if (gw_api_takes_key_in_header(&model->apis[i], header))
            return true;
    return false;
}

bool render_shows_lines(const struct gw_model *model, struct slice header)
{
    struct gw_condition_walk walk = {.policies = model->policies, .n = model->n_policies};
    const struct gw_condition *c;

    while ((c = gw_condition_next(&walk)) != NULL)
        if (c->kind == GW_CONDITION_HEADER && slice_eq(c->name, header))
            return true;
    return false;
}

static int add_headers(struct row *root, const struct render_context *ctx)
{
    const struct gw_model *model = ctx->model;
    struct template_row *rows = rows_new(ctx->arena, model->n_headers);
    bool bytes = gw_counts_bytes(model->policies, model->n_policies);
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < model->n_headers; i++) {
        bool framing = bytes && slice_is(model->headers[i], "transfer-encoding");

        if (!row_new(&row, ctx->arena, 7))
            return CC_ENOMEM;
        add_number(&row, "index", i);
        add_bool(&row, "framing", framing); /* cc.cfg says whether there is a body besides */
        add_bool(&row, "counted", !framing);
        add_bool(&row, "key", has_key(model, model->headers[i]));
        add_bool(&row, "lines", render_shows_lines(model, model->headers[i]));
        add_word(&row, "name", model->headers[i]);
        add_text(&row, "name_arg", TEMPLATE_ARG, model->headers[i], PLACE_NONE);
        rows[i] = finished(&row);
    }
    add_list(root, "headers", rows, model->n_headers);
    return CC_OK;
}

/* A path as HAProxy sees it once it is running: servers and log sockets are looked up inside the
 * chroot, listening sockets and files are opened before it. */
static struct slice inside_chroot(const struct config *config, struct slice path)
{
    struct slice root = config->router.chroot;

    while (slice_ends(root, SLICE("/")))
        root.n--;
    if (root.n > 0 && path.n > root.n && slice_starts(path, root) && path.p[root.n] == '/')
        return slice_from(path, root.n);
    return path;
}

static bool is_path(struct slice s)
{
    return s.n > 0 && s.p[0] == '/';
}

static int add_sockets(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    struct slice agent = inside_chroot(c, c->agent.socket), entry = c->router.entry_socket;
    struct slice admin = SLICE_NONE, dir = c->agent.socket;

    if (is_path(agent)) {
        agent = arena_printf(ctx->arena, "unix@%" PRIslice, SLICE_ARG(agent));
        while (!slice_ends(dir, SLICE("/")))
            dir.n--;
        admin = arena_printf(ctx->arena, "unix@%" PRIslice "haproxy-admin.sock", SLICE_ARG(dir));
        if (agent.p == NULL || admin.p == NULL)
            return CC_ENOMEM;
    }
    add_word(root, "agent_address", agent);
    add_word(root, "stats_socket", admin);
    if (entry.n > 0) {
        add_word(root, "entry_socket",
                 arena_printf(ctx->arena, "unix@%" PRIslice, SLICE_ARG(entry)));
        add_word(root, "entry_server",
                 arena_printf(ctx->arena, "unix@%" PRIslice, SLICE_ARG(inside_chroot(c, entry))));
    } else {
        add_word(root, "entry_socket", SLICE_NONE);
        add_word(root, "entry_server", SLICE_NONE);
    }
    add_word(root, "log_target", inside_chroot(c, c->router.log_target));
    add_word(root, "chroot", c->router.chroot);
    return CC_OK;
}

static int add_files(struct row *root, const struct render_context *ctx)
{
    bool identified = ctx->config->router.upstream.keystore.cert_path.n > 0;
    bool known_to_redis = ctx->config->agent.redis.keystore.cert_path.n > 0;
    const struct {
        const char *name, *file;
        bool present;
    } files[] = {
        {"self", "cc.cfg", true},
        {"spoe_config", "cc-spoe.conf", true},
        {"certificate", "certs/gateway.pem", true},
        {"client_certificate", "certs/client.pem", identified},
        {"redis_certificate", "certs/redis.pem", known_to_redis},
    };

    for (size_t i = 0; i < COUNT(files); i++) {
        struct slice path =
            arena_printf(ctx->arena, "%s/haproxy/%s", ctx->directory, files[i].file);

        if (path.p == NULL)
            return CC_ENOMEM;
        add_word(root, files[i].name, files[i].present ? path : SLICE_NONE);
    }
    return CC_OK;
}

static uint64_t seconds(uint64_t s)
{
    return s == 0 || s > TIMEOUT_NEVER_S ? TIMEOUT_NEVER_S : s;
}

/* The host of /health as requests may spell it, with and without the dot at the end; HAProxy's
 * host_only leaves brackets around an IPv6 address. "" = any host. */
static int add_system_host(struct row *root, const struct render_context *ctx)
{
    struct slice host = ctx->model->system_host, dot;

    if (slice_is(host, "*"))
        host = SLICE_NONE;
    else if (render_host_kind(host) == RENDER_HOST_IPV6)
        host = arena_printf(ctx->arena, "[%" PRIslice "]", SLICE_ARG(host));
    dot = arena_printf(ctx->arena, "%" PRIslice ".", SLICE_ARG(host));
    add_word(root, "system_host", host);
    add_word(root, "system_host_dot", dot);
    return dot.p != NULL ? CC_OK : CC_ENOMEM;
}

/* The hop of an entry socket must outlive what happens behind it: waiting in a queue, and each
 * attempt of a request. */
static uint64_t entry_timeout(const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    uint64_t connect = seconds(c->router.cluster_timeout_s);
    uint64_t longest = seconds(c->router.upstream.route_timeout_s);
    uint64_t attempts = 1;

    for (size_t i = 0; i < ctx->model->n_clusters; i++) {
        const struct gw_cluster *cluster = &ctx->model->clusters[i];
        uint64_t own = ((uint64_t)cluster->options.timeout_ms + 999) / 1000;

        longest = own > longest ? own : longest;
        if (render_retries(cluster) + 1 > attempts)
            attempts = render_retries(cluster) + 1;
    }
    return seconds(connect + attempts * (connect + longest + 1) + 5);
}

static void add_settings(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    struct slice internal_key = c->security.auth_header.test_console_header_name;

    add_number(root, "generation", ctx->model->haproxy_generation);
    add_number(root, "stream_idle_timeout", seconds(c->router.stream_idle_timeout_s));
    add_number(root, "idle_timeout", seconds(c->router.idle_timeout_s));
    add_number(root, "request_headers_timeout", c->router.request_headers_timeout_s);
    add_number(root, "connect_timeout", seconds(c->router.cluster_timeout_s));
    add_number(root, "server_timeout", seconds(c->router.upstream.route_timeout_s));
    add_number(root, "tunnel_timeout", seconds(c->router.upstream.route_idle_timeout_s));
    add_number(root, "entry_timeout", entry_timeout(ctx));
    add_number(root, "health_interval", c->router.upstream.health_interval_s);
    add_number(root, "health_timeout", c->router.upstream.health_timeout_s);
    add_number(root, "unhealthy", c->router.upstream.unhealthy_threshold);
    add_number(root, "healthy", c->router.upstream.healthy_threshold);
    add_bool(root, "cors", ctx->model->n_cors > 0);
    add_bool(root, "bytes", gw_counts_bytes(ctx->model->policies, ctx->model->n_policies));
    add_bool(root, "ratelimit",
             ctx->model->throttling.enabled && ctx->model->throttling.standard_headers);
    add_bool(root, "x_ratelimit",
             ctx->model->throttling.enabled && ctx->model->throttling.legacy_headers);
    add_bool(root, "renamed_internal_key",
             internal_key.n > 0 && !slice_is(internal_key, "internal-key"));
    add_bool(root, "testkey", c->jwt_issuer.enabled);
    add_bool(root, "typed", c->jwt_issuer.enabled || c->adapter.soap_errors);
    add_number(root, "max_scope", TESTKEY_SCOPE_MAX + 1); /* the agent shall see that it is more */
    add_number(root, "processing_timeout", c->agent.processing_timeout_ms);
    add_bool(root, "verify", !c->router.upstream.disable_ssl_verification);
    add_bool(root, "verify_host_name", c->router.upstream.verify_host_name);
    add_word(root, "ca_file",
             c->router.upstream.ca_file.n > 0 ? c->router.upstream.ca_file : SLICE("@system-ca"));
    add_number(root, "dns_refresh", c->router.upstream.dns_refresh_ms);
    add_number(root, "buffer_bytes",
               render_buffer_bytes(ctx) != DEFAULT_BUFFER_BYTES ? render_buffer_bytes(ctx) : 0);
    add_word(root, "init_addr",
             c->router.upstream.resolve_at_start ? SLICE("last,libc,none") : SLICE("none"));
}

int render_values(const struct render_context *ctx, struct template_row *out)
{
    struct row root;
    int rc = CC_ENOMEM;

    if (!row_new(&root, ctx->arena, 144))
        return CC_ENOMEM;
    add_settings(&root, ctx);
    rc = add_spellings(&root, "internal_key_spellings",
                       &ctx->config->security.auth_header.test_console_header_name, 1, ctx->arena);
    if (rc != CC_OK)
        return rc;
    if ((rc = render_errors(&root, ctx)) != CC_OK ||
        (rc = add_refusals(&root, ctx->arena)) != CC_OK ||
        (rc = add_variables(&root, ctx->arena)) != CC_OK || (rc = add_files(&root, ctx)) != CC_OK ||
        (rc = add_system_host(&root, ctx)) != CC_OK ||
        (rc = render_listeners(&root, ctx)) != CC_OK || (rc = render_tls(&root, ctx)) != CC_OK ||
        (rc = render_certificates(&root, ctx)) != CC_OK ||
        (rc = render_client(&root, ctx)) != CC_OK || (rc = add_sockets(&root, ctx)) != CC_OK ||
        (rc = add_headers(&root, ctx)) != CC_OK || (rc = render_mock(&root, ctx)) != CC_OK ||
        (rc = render_jwt(&root, ctx)) != CC_OK || (rc = render_filters(&root, ctx)) != CC_OK ||
        (rc = render_redis(&root, ctx)) != CC_OK || (rc = render_clusters(&root, ctx)) != CC_OK)
        return rc;
    *out = finished(&root);
    return CC_OK;
}
