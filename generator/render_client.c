/* render: who the client is, when it comes through proxies that the operator trusts. Their
 * addresses are a file, not a line: there may be thousands, and HAProxy looks one up in a tree. */
#include "generator/render_row.h"

/* HAProxy reaches back for up to 10 values of a header. */
enum { HOPS = 8 };

static const char file_name[] = "haproxy/trusted-proxies.lst";

static int add_hops(struct row *root, struct arena *arena)
{
    struct template_row *rows = rows_new(arena, HOPS);
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < HOPS; i++) {
        if (!row_new(&row, arena, 3))
            return CC_ENOMEM;
        add_number(&row, "hop", i + 1);
        add_number(&row, "nearer", i); /* 0: the connection itself */
        add_bool(&row, "further", i > 0);
        rows[i] = finished(&row);
    }
    add_list(root, "hops", rows, HOPS);
    return CC_OK;
}

int render_client(struct row *root, const struct render_context *ctx)
{
    struct slice path = SLICE("");

    if (ctx->config->router.n_trusted_proxies > 0) {
        path = arena_printf(ctx->arena, "%s/%s", ctx->directory, file_name);
        if (path.p == NULL)
            return CC_ENOMEM;
    }
    add_word(root, "proxies", path);
    return add_hops(root, ctx->arena);
}

int render_proxy_file(struct render_file *file, const struct config *config, struct arena *arena)
{
    struct buf text;
    int rc;

    *file = (struct render_file){.name = SLICE("")};
    if (config->router.n_trusted_proxies == 0)
        return CC_OK;
    buf_init(&text, config->router.n_trusted_proxies * 80);
    for (size_t i = 0; i < config->router.n_trusted_proxies; i++) {
        buf_add(&text, config->router.trusted_proxies[i]);
        buf_add_char(&text, '\n');
    }
    rc = render_text_file(file, file_name, &text, arena);
    buf_free(&text);
    return rc;
}
