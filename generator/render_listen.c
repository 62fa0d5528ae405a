/* render: the listeners of the gateway's frontend, and what is done to answers on the way out. */
#include "generator/render_row.h"

#include <openssl/ssl.h>

enum { MAX_CIPHER_NAME = 64 };

/* "" when the port is 0: the listener is off. */
static struct slice bind_address(struct arena *arena, struct slice host, uint64_t port)
{
    return port == 0 ? SLICE_NONE : render_address(arena, host, port);
}

/* "TLS1_2" -> "TLSv1.2": the reference has Envoy's names, minus the 'v'. */
static struct slice haproxy_version(struct slice setting)
{
    return slice_is(setting, "TLS1_3") ? SLICE("TLSv1.3") : SLICE("TLSv1.2");
}

/* OpenSSL, and so HAProxy, sets those of TLS 1.3 apart; RFC 8446 B.4 has all their names begin so. */
static bool is_tls13(struct slice cipher)
{
    return slice_starts(cipher, SLICE("TLS_"));
}

/* The next name of a list with commas; HAProxy's colons are taken too. */
static bool next_cipher(struct slice *rest, struct slice *cipher)
{
    size_t n = 0;

    while (rest->n > 0) {
        for (n = 0; n < rest->n && rest->p[n] != ',' && rest->p[n] != ':'; n++)
            ;
        *cipher = slice_trim(slice_first(*rest, n));
        *rest = slice_from(*rest, n < rest->n ? n + 1 : n);
        if (cipher->n > 0)
            return true;
    }
    return false;
}

/* Those of one kind, joined by colons. */
static int add_ciphers(struct row *root, const char *name, const struct render_context *ctx,
                       bool tls13)
{
    struct slice rest = ctx->config->router.downstream_tls.ciphers, cipher, copy;
    struct buf list;
    int rc;

    buf_init(&list, rest.n + 1);
    while (next_cipher(&rest, &cipher)) {
        if (is_tls13(cipher) != tls13)
            continue;
        if (buf_slice(&list).n > 0)
            buf_add_char(&list, ':');
        buf_add(&list, cipher);
    }
    rc = buf_error(&list);
    copy = arena_dup(ctx->arena, buf_slice(&list));
    buf_free(&list);
    add_word(root, name, copy);
    return rc != CC_OK ? rc : copy.p != NULL ? CC_OK : CC_ENOMEM;
}

/* OpenSSL's own language has words for groups and operators; names alone mean the same in each
 * version. */
static bool is_known(SSL_CTX *tls, struct slice cipher)
{
    char name[MAX_CIPHER_NAME + 1];
    const STACK_OF(SSL_CIPHER) *ciphers;

    if (cipher.n > MAX_CIPHER_NAME || slice_find(cipher, '\0') >= 0)
        return false;
    memcpy(name, cipher.p, cipher.n);
    name[cipher.n] = '\0';
    if ((is_tls13(cipher) ? SSL_CTX_set_ciphersuites(tls, name)
                          : SSL_CTX_set_cipher_list(tls, name)) != 1)
        return false;
    ciphers = SSL_CTX_get_ciphers(tls);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
        if (slice_is(cipher, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i))))
            return true;
    return false;
}

int render_check_ciphers(const struct config *config, struct diag *diag)
{
    static const char setting[] = "router.downstream.tls.ciphers";
    struct slice rest = config->router.downstream_tls.ciphers, cipher;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    int rc = tls != NULL ? CC_OK : CC_ENOMEM;

    while (tls != NULL && next_cipher(&rest, &cipher)) {
        if (is_known(tls, cipher))
            continue;
        diag_help(diag_error(diag, CC3003, config_place(config, setting),
                             "%s names '%" PRIslice "', which is no cipher that OpenSSL has",
                             setting, SLICE_ARG(slice_first(cipher, MAX_CIPHER_NAME))),
                  "`openssl ciphers -v` lists them");
        rc = CC_EINVAL;
    }
    SSL_CTX_free(tls);
    return rc;
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
    int rc;

    add_word(root, "http_bind",
             bind_address(ctx->arena, c->router.listener_host, c->router.listener_port));
    add_word(root, "https_bind", tls ? bind_address(ctx->arena, c->router.secured_listener_host,
                                                    c->router.secured_listener_port)
                                     : SLICE_NONE);
    add_codec(root, c->router.codec);
    add_word(root, "tls_min", haproxy_version(c->router.downstream_tls.min_version));
    add_word(root, "tls_max", haproxy_version(c->router.downstream_tls.max_version));
    rc = add_ciphers(root, "ciphers", ctx, false);
    if (rc == CC_OK)
        rc = add_ciphers(root, "ciphersuites", ctx, true);
    return rc == CC_OK ? add_compression(root, ctx) : rc;
}
