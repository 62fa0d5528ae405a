#include "generator/certificate_files.h"

#include "crypto/key.h"

#include <openssl/crypto.h>

#include <sys/stat.h>

enum { AUTHORITIES_MAX_BYTES = 16 << 20 };

/* A pair of settings, and their values. */
struct pair {
    const char *cert, *key;
    const struct config_key_pair *paths;
};

static const char *what_is_wrong(int rc, bool key)
{
    switch (rc) {
    case CC_EREFUSED:
        return "it holds a private key, which belongs into the file of keyPath";
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

static int check_pair(const struct pair *pair, const struct config *config, struct arena *arena,
                      struct diag *diag)
{
    struct key *certificate = NULL, *key = NULL;
    int rc, key_rc;

    if (pair->paths->cert_path.n == 0 || pair->paths->key_path.n == 0)
        return CC_OK;
    rc = read_half(config, pair->cert, pair->paths->cert_path, false, &certificate, arena, diag);
    key_rc = read_half(config, pair->key, pair->paths->key_path, true, &key, arena, diag);
    if (rc == CC_OK)
        rc = key_rc;
    if (rc == CC_OK && !key_same(certificate, key)) {
        diag_help(diag_error(diag, CC4004, config_place(config, pair->key),
                             "%s: the key does not belong to the certificate of %s (%s, %s)",
                             pair->key, pair->cert, key_describe(key), key_describe(certificate)),
                  "are both of the same renewal?");
        rc = CC_EREFUSED;
    }
    key_free(&certificate);
    key_free(&key);
    return rc;
}

/* Whom others are checked with. HAProxy takes a directory as well, and looks into it itself. */
static int check_authorities(const struct config *config, const char *setting, struct slice file,
                             const char *without, struct arena *arena, struct diag *diag)
{
    struct slice path = arena_dup(arena, file), pem = SLICE_NONE;
    struct stat st;
    int rc;

    if (path.p == NULL)
        return CC_ENOMEM;
    if (path.n == 0 || (stat(path.p, &st) == 0 && S_ISDIR(st.st_mode)))
        return CC_OK;
    rc = file_read(arena, path.p, AUTHORITIES_MAX_BYTES, &pem);
    if (rc == CC_OK && !slice_contains(pem, SLICE("-----BEGIN CERTIFICATE-----")) &&
        !slice_contains(pem, SLICE("-----BEGIN TRUSTED CERTIFICATE-----")))
        rc = CC_EPARSE;
    if (rc == CC_OK || rc == CC_ENOMEM)
        return rc;
    diag_help(diag_error(diag, CC4001, config_place(config, setting), "%s %s: %s", setting, path.p,
                         what_is_wrong(rc, false)),
              "it must be the certificates of authorities in PEM; without it %s count", without);
    return CC_EREFUSED;
}

static int first_of(int rc, int next)
{
    return rc != CC_OK ? rc : next;
}

int certificate_files_check(const struct config *config, struct arena *arena, struct diag *diag)
{
    const struct pair server = {"router.keystore.certPath", "router.keystore.keyPath",
                                &config->router.keystore};
    const struct pair client = {"router.upstream.tls.certPath", "router.upstream.tls.keyPath",
                                &config->router.upstream.keystore};
    const struct pair redis = {"agent.redis.certPath", "agent.redis.keyPath",
                               &config->agent.redis.keystore};
    /* all of them, one after the other, for all findings at once */
    int rc = CC_OK;

    if (config->router.secured_listener_port != 0)
        rc = first_of(rc, check_pair(&server, config, arena, diag));
    rc = first_of(rc, check_pair(&client, config, arena, diag));
    rc = first_of(rc, check_authorities(config, "router.upstream.tls.trustedCertPath",
                                        config->router.upstream.ca_file, "those of the system",
                                        arena, diag));
    rc = first_of(rc, check_pair(&redis, config, arena, diag));
    return first_of(rc, check_authorities(config, "agent.redis.trustedCertPath",
                                          config->agent.redis.ca_file, "those for endpoints", arena,
                                          diag));
}
