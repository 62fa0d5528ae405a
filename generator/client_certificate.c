#include "generator/client_certificate.h"

#include "crypto/key.h"

#include <openssl/crypto.h>

#define CERT "router.upstream.tls.certPath"
#define KEY  "router.upstream.tls.keyPath"

static const char *what_is_wrong(int rc, bool key)
{
    switch (rc) {
    case CC_EREFUSED:
        return "it holds a private key, which belongs into the file of " KEY;
    case CC_EWEAK:
        return key ? "its halves do not belong together, or it is too weak" : "its key is too weak";
    case CC_EUNSUPPORTED:
        return key ? "it is encrypted, or of a kind that is not supported"
                   : "its key is of a kind that is not supported";
    case CC_EPARSE:
        return key ? "it holds no private key in PEM" : "it holds no certificate in PEM";
    default:
        return cc_strerror(rc);
    }
}

/* A file and what it holds; *out stays NULL after a finding. */
static int read_half(const struct config *config, const char *setting, struct slice path,
                     bool is_key, struct key **out, struct arena *arena, struct diag *diag)
{
    struct slice pem = SLICE_NONE, name = arena_dup(arena, path);
    int rc = name.p != NULL ? file_read(arena, name.p, KEY_PEM_MAX_BYTES, &pem) : CC_ENOMEM;

    if (rc == CC_OK)
        rc = is_key ? key_private_from_pem(out, pem) : key_public_from_pem(out, pem);
    if (rc == CC_OK && !is_key && key_not_after(*out) == 0) { /* a bare public key */
        key_free(out);
        rc = CC_EPARSE;
    }
    if (is_key && pem.n > 0)
        OPENSSL_cleanse((void *)(uintptr_t)pem.p, pem.n); /* in our arena */
    if (rc == CC_OK || rc == CC_ENOMEM)
        return rc;
    diag_help(diag_error(diag, CC4001, config_place(config, setting), "%s %s: %s", setting, name.p,
                         what_is_wrong(rc, is_key)),
              "%s",
              is_key ? "it must be PEM without a pass phrase, readable for who starts HAProxy: "
                       "RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519"
                     : "it must be PEM, the gateway's own certificate first");
    return CC_EREFUSED;
}

int client_certificate_check(const struct config *config, struct arena *arena, struct diag *diag)
{
    const struct config_key_pair *pair = &config->router.upstream.keystore;
    struct key *certificate = NULL, *key = NULL;
    int rc, key_rc;

    if (pair->cert_path.n == 0 || pair->key_path.n == 0)
        return CC_OK;
    rc = read_half(config, CERT, pair->cert_path, false, &certificate, arena, diag);
    key_rc = read_half(config, KEY, pair->key_path, true, &key, arena, diag);
    if (rc == CC_OK)
        rc = key_rc;
    if (rc == CC_OK && !key_same(certificate, key)) {
        diag_help(diag_error(diag, CC4004, config_place(config, KEY),
                             KEY ": the key does not belong to the certificate of " CERT
                                 " (%s, %s)",
                             key_describe(key), key_describe(certificate)),
                  "are both of the same renewal?");
        rc = CC_EREFUSED;
    }
    key_free(&certificate);
    key_free(&key);
    return rc;
}
