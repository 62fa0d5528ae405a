/* render: the listeners of the gateway's frontend, and what is done to answers on the way out. */
#include "generator/render_row.h"

/* "" when the port is 0: the listener is off. */
static struct slice bind_address(struct arena *arena, struct slice host, uint64_t port)
{
    return port == 0 ? SLICE_NONE : render_address(arena, host, port);
}

/* HTTP1 and HTTP2 need both: ALPN is what clients choose from, and `proto` keeps those that do not
 * choose from beginning with the other one. */
static void add_codec(struct row *root, struct slice codec)
{
    bool one = slice_is(codec, "HTTP1"), two = slice_is(codec, "HTTP2");

    add_word(root, "proto", one ? SLICE("h1") : two ? SLICE("h2") : SLICE_NONE);
    add_bool(root, "offer_h1", !two);
    add_bool(root, "offer_h2", !one);
}

static int add_compression(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    struct template_row *types = rows_new(ctx->arena, c->router.compression.n_types);
    struct row row;

    if (types == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < c->router.compression.n_types; i++) {
        if (!row_new(&row, ctx->arena, 1))
            return CC_ENOMEM;
        add_word(&row, "type", c->router.compression.types[i]);
        types[i] = finished(&row);
    }
    add_bool(root, "compression",
             c->router.compression.enabled && c->router.compression.responses &&
                 c->router.compression.n_types > 0);
    add_number(root, "compression_min_bytes", c->router.compression.min_bytes);
    add_list(root, "compression_types", types, c->router.compression.n_types);
    return CC_OK;
}

int render_listeners(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    bool tls = c->router.keystore.cert_path.n > 0 && c->router.keystore.key_path.n > 0;

    add_word(root, "http_bind",
             bind_address(ctx->arena, c->router.listener_host, c->router.listener_port));
    add_word(root, "https_bind",
             tls ? bind_address(ctx->arena, c->router.secured_listener_host,
                                c->router.secured_listener_port)
                 : SLICE_NONE);
    add_codec(root, c->router.codec);
    return add_compression(root, ctx);
}
