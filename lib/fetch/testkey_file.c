#include "fetch/testkey_file.h"

#include "fetch/key_file.h"

#define SETTING "enforcer.jwtIssuer."

enum { PEM_MAX_BYTES = 64 << 10 };

static struct place place_of(const struct config *config, const char *setting)
{
    struct place place = config_place(config, setting);

    return place.source != NULL ? place : config_place(config, SETTING "enabled");
}

static int check_settings(const struct config *c, struct diag *diag)
{
    size_t errors = diag_errors(diag);

    if (c->jwt_issuer.private_key_path.n == 0)
        diag_help(diag_error(diag, CC3081, place_of(c, SETTING "enabled"),
                             SETTING "enabled is true, and there is no privateKeyPath"),
                  "no key that signs tokens is built in: make one, and give its certificate to a "
                  "tokenService");
    if (c->jwt_issuer.n_users == 0)
        diag_help(diag_error(diag, CC3081, place_of(c, SETTING "enabled"),
                             SETTING "enabled is true, and there is no jwtUser"),
                  "give one with username and password");
    for (size_t i = 0; i < c->jwt_issuer.n_users; i++) {
        const struct config_jwt_user *u = &c->jwt_issuer.users[i];

        if (slice_find(u->name, ':') >= 0 || slice_has_control(u->name) ||
            slice_has_control(u->password))
            diag_help(diag_error(diag, CC3003, u->origin,
                                 SETTING "jwtUser[%zu] has a name or a password that Basic cannot "
                                         "carry",
                                 i),
                      "a name has no ':', and neither has control characters (RFC 7617)");
        for (size_t k = 0; k < i; k++)
            if (slice_eq(u->name, c->jwt_issuer.users[k].name))
                diag_error(diag, CC3005, u->origin,
                           SETTING "jwtUser has the username '%" PRIslice "' twice",
                           SLICE_ARG(u->name));
    }
    return diag_errors(diag) > errors ? CC_EINVAL : CC_OK;
}

static int read_certificate(const struct config *c, struct arena *arena, struct diag *diag,
                            struct slice *pem)
{
    const char *path = c->jwt_issuer.certificate_path.p;
    int rc;

    *pem = SLICE("");
    if (c->jwt_issuer.certificate_path.n == 0)
        return CC_OK;
    rc = file_read(arena, path, PEM_MAX_BYTES, pem);
    if (rc == CC_OK)
        return rc;
    diag_help(diag_error(diag, CC1001, place_of(c, SETTING "publicCertificatePath"), "%s: %s", path,
                         cc_strerror(rc)),
              "it is the certificate of the key that signs tokens for tests");
    return CC_EINVAL;
}

static int check_algorithm(const struct config *c, const struct key *key, struct diag *diag)
{
    enum jwt_alg alg = key_id_algorithm(key_kind_of(key));
    bool ec = slice_is(c->jwt_issuer.algorithm, "ES256");

    if (alg == (ec ? JWT_ES256 : JWT_RS256))
        return CC_OK;
    diag_help(diag_error(diag, CC4002, place_of(c, SETTING "signingAlgorithm"),
                         SETTING "signingAlgorithm is %" PRIslice
                                 ", and the key in %s is of kind %s",
                         SLICE_ARG(c->jwt_issuer.algorithm), c->jwt_issuer.private_key_path.p,
                         key_describe(key)),
              "keys are RSA (SHA256withRSA) or P-256 (ES256)");
    return CC_EINVAL;
}

static int make(struct enforce_testkey **out, const struct config *c, struct slice pem,
                struct key *key, struct arena *arena, struct diag *diag)
{
    struct testkey_user *users =
        arena_array(arena, c->jwt_issuer.n_users, sizeof(struct testkey_user));
    struct testkey_settings settings = {
        .issuer = c->jwt_issuer.issuer,
        .dialect = c->jwt_issuer.dialect,
        .certificate = pem,
        .base64url = !slice_is(c->jwt_issuer.encoding, "base64"),
        .validity_s = (int64_t)c->jwt_issuer.validity_s,
        .users = users,
        .n_users = c->jwt_issuer.n_users,
    };
    int rc;

    if (users == NULL) {
        key_free(&key);
        return CC_ENOMEM;
    }
    for (size_t i = 0; i < c->jwt_issuer.n_users; i++)
        users[i] =
            (struct testkey_user){c->jwt_issuer.users[i].name, c->jwt_issuer.users[i].password};
    rc = enforce_testkey_new(out, &settings, key);
    if (rc != CC_OK && rc != CC_ENOMEM)
        diag_error(diag, pem.n > 0 ? CC4004 : CC4001, place_of(c, SETTING "privateKeyPath"),
                   "the private key %s %s", c->jwt_issuer.private_key_path.p,
                   pem.n > 0 ? "does not belong to the certificate, or that is none"
                             : "cannot sign tokens");
    return rc;
}

int testkey_load(struct enforce_testkey **out, const struct config *config, struct arena *arena,
                 struct diag *diag)
{
    struct key *key = NULL;
    struct slice pem;
    int rc;

    *out = NULL;
    if (!config->jwt_issuer.enabled)
        return CC_OK;
    rc = check_settings(config, diag);
    if (rc == CC_OK)
        rc = read_certificate(config, arena, diag, &pem);
    if (rc == CC_OK)
        rc = key_file_read(&key, config->jwt_issuer.private_key_path.p, KEY_FILE_GROUP_READS,
                           place_of(config, SETTING "privateKeyPath"), diag);
    if (rc == CC_OK)
        rc = check_algorithm(config, key, diag);
    if (rc != CC_OK) {
        key_free(&key);
        return rc;
    }
    return make(out, config, pem, key, arena, diag);
}
