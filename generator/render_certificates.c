/* render: certificates of clients, from where they are believed to the agent and to endpoints. */
#include "crypto/peer.h"
#include "generator/render_row.h"

/* One byte more than the agent takes: it shall see that a certificate is too large, not a part. */
enum {
    CERTIFICATE_BYTES = PEER_DER_MAX + 1,
    TEXT_BYTES = 12 << 10 /* beside the other facts in one SPOP frame */
};

static int add_proxies(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    size_t n = c->security.mutual_ssl.n_trusted_proxies;
    struct template_row *rows = rows_new(ctx->arena, n);
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!row_new(&row, ctx->arena, 1))
            return CC_ENOMEM;
        add_word(&row, "address", c->security.mutual_ssl.trusted_proxies[i]);
        rows[i] = finished(&row);
    }
    add_list(root, "trusted_proxies", rows, n);
    add_bool(root, "trust_proxies", n > 0);
    return CC_OK;
}

int render_certificates(struct row *root, const struct render_context *ctx)
{
    const struct config *c = ctx->config;
    struct slice header = c->security.mutual_ssl.header;
    bool needed = gw_model_needs_certificate(ctx->model);
    int rc;

    add_bool(root, "needs_certificates", needed);
    add_bool(root, "ask_certificates", needed && c->security.mutual_ssl.enabled);
    add_bool(root, "outbound_certificate", needed && c->security.mutual_ssl.outbound);
    add_word(root, "certificate_header", header);
    add_text(root, "certificate_header_arg", TEMPLATE_ARG, header, PLACE_NONE);
    add_number(root, "max_certificate", CERTIFICATE_BYTES);
    add_number(root, "max_certificate_text", TEXT_BYTES);
    /* x-wso2... goes by a rule for all that begin so */
    rc = add_spellings(root, "certificate_spellings", &header,
                       slice_starts(header, SLICE("x-wso2")) ? 0 : 1, ctx->arena);
    return rc == CC_OK ? add_proxies(root, ctx) : rc;
}
