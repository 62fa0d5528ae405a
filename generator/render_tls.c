/* render: TLS versions and ciphers, of the listeners and with endpoints. */
#include "generator/render_row.h"

#include <openssl/ssl.h>

enum { MAX_CIPHER_NAME = 64 };

/* "TLS1_2" -> "TLSv1.2": the reference has Envoy's names, minus the 'v'. */
static struct slice haproxy_version(struct slice setting)
{
    return slice_is(setting, "TLS1_3") ? SLICE("TLSv1.3") : SLICE("TLSv1.2");
}

/* OpenSSL, and so HAProxy, sets those of TLS 1.3 apart; RFC 8446 B.4 has all their names begin so.
 */
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
                       struct slice rest, bool tls13)
{
    struct slice cipher, copy;
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
    const STACK_OF(SSL_CIPHER) * ciphers;

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

/* Each name of a setting that OpenSSL does not have is a finding. */
static int check_ciphers(const struct config *config, const char *setting, struct slice rest,
                         SSL_CTX *tls, struct diag *diag)
{
    struct slice cipher;
    int rc = CC_OK;

    while (next_cipher(&rest, &cipher)) {
        if (is_known(tls, cipher))
            continue;
        diag_help(diag_error(diag, CC3003, config_place(config, setting),
                             "%s names '%" PRIslice "', which is no cipher that OpenSSL has",
                             setting, SLICE_ARG(slice_first(cipher, MAX_CIPHER_NAME))),
                  "`openssl ciphers -v` lists them");
        rc = CC_EINVAL;
    }
    return rc;
}

int render_check_ciphers(const struct config *config, struct diag *diag)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    int down, up;

    if (tls == NULL)
        return CC_ENOMEM;
    down = check_ciphers(config, "router.downstream.tls.ciphers",
                         config->router.downstream_tls.ciphers, tls, diag);
    up = check_ciphers(config, "router.upstream.tls.ciphers", config->router.upstream.tls.ciphers,
                       tls, diag);
    SSL_CTX_free(tls);
    return down != CC_OK ? down : up;
}

int render_tls(struct row *root, const struct render_context *ctx)
{
    const struct config_tls *down = &ctx->config->router.downstream_tls;
    const struct config_tls *up = &ctx->config->router.upstream.tls;
    int rc;

    add_word(root, "tls_min", haproxy_version(down->min_version));
    add_word(root, "tls_max", haproxy_version(down->max_version));
    add_word(root, "upstream_tls_min", haproxy_version(up->min_version));
    add_word(root, "upstream_tls_max", haproxy_version(up->max_version));
    if ((rc = add_ciphers(root, "ciphers", ctx, down->ciphers, false)) != CC_OK ||
        (rc = add_ciphers(root, "ciphersuites", ctx, down->ciphers, true)) != CC_OK ||
        (rc = add_ciphers(root, "upstream_ciphers", ctx, up->ciphers, false)) != CC_OK)
        return rc;
    return add_ciphers(root, "upstream_ciphersuites", ctx, up->ciphers, true);
}
