/* render: the way to Redis servers that speak TLS, for the agent, which does not. */
#include "generator/render_row.h"

static void add_hex_word(struct buf *out, struct slice word)
{
    char head[32];
    int n = snprintf(head, sizeof(head), "$%zu\r\n", word.n);

    buf_add_hex(out, head, (size_t)n);
    buf_add_hex(out, word.p, word.n);
    buf_add_hex(out, "\r\n", 2);
}

/* A command as Redis takes it whatever bytes are in it (RESP), in hexadecimal digits. */
int render_redis_map(const struct config *config, struct arena *arena, struct render_file *file)
{
    struct slice user = config->agent.redis.user, password = config->agent.redis.password;
    struct buf text;
    int rc;

    buf_init(&text, 8192);
    buf_add_str(&text, "auth ");
    buf_add_hex(&text, user.n > 0 ? "*3\r\n" : "*2\r\n", 4);
    add_hex_word(&text, SLICE("AUTH"));
    if (user.n > 0)
        add_hex_word(&text, user);
    add_hex_word(&text, password);
    buf_add_char(&text, '\n');
    rc = render_text_file(file, "haproxy/redis.map", &text, arena);
    file->secret = true;
    if (text.p != NULL)
        explicit_bzero(text.p, text.n);
    buf_free(&text);
    return rc;
}

bool render_needs_redis_map(const struct config *config)
{
    return config->agent.redis.n_servers > 0 && config->agent.redis.password.n > 0;
}

static int server_row(struct template_row *out, const struct render_context *ctx, size_t i)
{
    const struct config *c = ctx->config;
    struct slice host = SLICE(""), name = c->agent.redis.server_name;
    uint64_t port = 0;
    struct row row;

    CC_ASSERT(config_split_address(c->agent.redis.servers[i], &host, &port)); /* it was checked */
    if (!row_new(&row, ctx->arena, 7))
        return CC_ENOMEM;
    if (name.n == 0)
        name = host;
    add_number(&row, "number", i + 1);
    add_word(&row, "address", render_address(ctx->arena, host, port));
    add_word(&row, "host", name);
    add_text(&row, "host_arg", TEMPLATE_ARG, name, PLACE_NONE);
    add_bool(&row, "by_name", render_host_kind(name) == RENDER_HOST_NAME);
    add_bool(&row, "dns", render_needs_dns(host));
    add_bool(&row, "backup", i > 0);
    *out = finished(&row);
    return CC_OK;
}

bool render_redis_dns(const struct config *c)
{
    struct slice host;
    uint64_t port;

    for (size_t i = 0; i < c->agent.redis.n_servers; i++)
        if (config_split_address(c->agent.redis.servers[i], &host, &port) && render_needs_dns(host))
            return true;
    return false;
}

int render_redis(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    struct template_row *rows = rows_new(ctx->arena, c->agent.redis.n_servers);
    struct slice bind = c->agent.redis.address, ca = c->agent.redis.ca_file;
    struct slice map = arena_printf(ctx->arena, "%s/haproxy/redis.map", ctx->directory);
    bool local = bind.n > 0 && bind.p[0] == '/';
    int rc = rows != NULL && map.p != NULL ? CC_OK : CC_ENOMEM;

    if (local)
        bind = arena_printf(ctx->arena, "unix@%" PRIslice, SLICE_ARG(bind));
    for (size_t i = 0; i < c->agent.redis.n_servers && rc == CC_OK; i++)
        rc = server_row(&rows[i], ctx, i);
    if (ca.n == 0)
        ca = c->router.upstream.ca_file;
    add_bool(root, "redis", c->agent.redis.n_servers > 0);
    add_bool(root, "redis_local", local);
    add_word(root, "redis_bind", bind);
    add_word(root, "redis_auth", render_needs_redis_map(c) ? map : SLICE_NONE);
    add_word(root, "redis_ca_file", ca.n > 0 ? ca : SLICE("@system-ca"));
    add_bool(root, "redis_verify_host", c->agent.redis.verify_host_name);
    add_list(root, "redis_servers", rows, c->agent.redis.n_servers);
    return rc;
}
