/* project: enforcer.jwtGenerator of cc.yaml -> the JWT for backends. */
#include "generator/project_internal.h"

#include "crypto/crypto.h"
#include "fetch/key_file.h"

#include <errno.h>
#include <unistd.h>

#define SETTING "enforcer.jwtGenerator."

enum { PEM_MAX = 64 << 10, SET_FRAME = 64 };

/* A pair as it is in cc.yaml, whichever way. */
struct pair {
    struct slice certificate, private_key;
    bool signs;
    struct place place;
};

static struct place place_of(const struct project_build *build, const char *setting)
{
    struct place place = config_place(build->config, setting);

    return place.source != NULL ? place : config_place(build->config, SETTING "enabled");
}

static struct slice read_certificate(struct project_build *build, const struct pair *pair)
{
    struct slice pem = SLICE("");
    int rc = file_read(build->arena, pair->certificate.p, PEM_MAX, &pem);

    if (rc == CC_OK)
        return pem;
    if (rc == CC_ENOMEM)
        build->rc = rc;
    diag_help(diag_error(build->diag, CC1001, pair->place, "%s: %s", pair->certificate.p,
                         cc_strerror(rc)),
              "it is a certificate of the JWT for endpoints");
    return SLICE("");
}

/* The private key is the agent's to read: where it may be read here, it is looked at, too. */
static void check_private_key(struct project_build *build, const struct pair *pair,
                              const struct key *public)
{
    struct key *key = NULL;

    if (access(pair->private_key.p, R_OK) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            diag_help(diag_warning(build->diag, CC3082, pair->place, "%s is not there",
                                   pair->private_key.p),
                      "the agent does not start without it");
        return;
    }
    if (key_file_read(&key, pair->private_key.p, KEY_FILE_GROUP_READS, pair->place, build->diag) !=
        CC_OK)
        return;
    if (!key_same(key, public))
        diag_error(build->diag, CC4004, pair->place,
                   "the private key %s does not belong to the certificate %s", pair->private_key.p,
                   pair->certificate.p);
    key_free(&key);
}

static void check_algorithm(struct project_build *build, const struct pair *pair,
                            const struct key *key)
{
    struct slice asked = build->config->jwt_generator.algorithm;
    enum jwt_alg alg = key_id_algorithm(key_kind_of(key));

    if (alg == JWT_ALG_COUNT)
        diag_help(diag_error(build->diag, CC4002, pair->place, "%s has a key of kind %s",
                             pair->certificate.p, key_describe(key)),
                  "keys of the JWT for endpoints are RSA (RS256) or P-256 (ES256)");
    else if (pair->signs && alg != (slice_is(asked, "ES256") ? JWT_ES256 : JWT_RS256))
        diag_help(diag_error(build->diag, CC4002, pair->place,
                             SETTING "signingAlgorithm is %" PRIslice
                                     ", and %s has a key of kind %s",
                             SLICE_ARG(asked), pair->certificate.p, key_describe(key)),
                  "it would sign %s", jwt_alg_name(alg));
}

/* Reads one pair. What it takes in a key set is added to *bytes. */
static void read_pair(struct project_build *build, const struct pair *pair, struct gw_key_pair *out,
                      struct buf *set)
{
    size_t errors = diag_errors(build->diag);
    struct key *key = NULL;
    struct key_id id;
    enum jwt_alg alg;
    int rc = CC_OK;

    *out = (struct gw_key_pair){SLICE(""), SLICE("")};
    if (pair->certificate.n == 0)
        return; /* said with the settings: CC3007 */
    out->certificate = read_certificate(build, pair);
    if (out->certificate.n == 0)
        return;
    rc = key_public_from_pem(&key, out->certificate);
    if (rc == CC_OK && key_not_after(key) == 0)
        rc = CC_ENOENT; /* a bare public key */
    if (rc == CC_OK)
        rc = key_id_from_pem(&id, out->certificate, JWT_RS256, KEY_ID_OLD);
    if (rc != CC_OK) {
        diag_help(diag_error(build->diag, CC4001, pair->place, "%s: %s", pair->certificate.p,
                             rc == CC_EWEAK ? "the key is too weak to be trusted"
                                            : "not a certificate that can be used"),
                  "it must be a certificate in PEM, of RSA with 2048 to 8192 bits or of P-256");
        goto out;
    }
    check_algorithm(build, pair, key);
    if (pair->signs) {
        out->private_key = pair->private_key;
        check_private_key(build, pair, key);
    }
    alg = key_id_algorithm(key_kind_of(key));
    if (diag_errors(build->diag) == errors && key_id_write_jwk(key, &id, alg, set) != CC_OK)
        diag_help(diag_error(build->diag, CC3003, pair->place,
                             SETTING "keypair: the keys are more than 12 KiB as a key set"),
                  "keep the one that signs, the next, and the last");
out:
    key_free(&key);
}

/* Which pairs there are: of the list, or the one beside it. */
static struct pair *collect_pairs(struct project_build *build, size_t *n)
{
    const struct config *c = build->config;
    bool single =
        c->jwt_generator.certificate_path.n > 0 || c->jwt_generator.private_key_path.n > 0;
    struct pair *pairs = project_alloc(build, c->jwt_generator.n_key_pairs + 1, sizeof(*pairs));

    *n = 0;
    if (pairs == NULL)
        return NULL;
    if (single && c->jwt_generator.n_key_pairs > 0)
        diag_help(diag_error(build->diag, CC3005, c->jwt_generator.key_pairs[0].origin,
                             SETTING
                             "publicCertificatePath or privateKeyPath is set beside " SETTING
                             "keypair"),
                  "move it into the list");
    if (single)
        pairs[(*n)++] =
            (struct pair){c->jwt_generator.certificate_path, c->jwt_generator.private_key_path,
                          true, place_of(build, SETTING "privateKeyPath")};
    for (size_t i = 0; i < c->jwt_generator.n_key_pairs; i++) {
        const struct config_jwt_key *from = &c->jwt_generator.key_pairs[i];

        pairs[(*n)++] = (struct pair){from->certificate_path, from->private_key_path, from->signs,
                                      from->origin};
    }
    return pairs;
}

static void check_signing(struct project_build *build, const struct pair *pairs, size_t n)
{
    const struct pair *signing = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!pairs[i].signs)
            continue;
        if (signing != NULL)
            diag_help(diag_error(build->diag, CC3081, pairs[i].place,
                                 "a second key pair has useForSigning: true"),
                      "exactly one signs; the others are published");
        signing = &pairs[i];
    }
    if (signing == NULL)
        diag_help(diag_error(build->diag, CC3081, place_of(build, SETTING "enabled"),
                             SETTING "enabled is true, and no key pair signs"),
                  "give publicCertificatePath and privateKeyPath, or a keypair with "
                  "useForSigning: true");
    else if (signing->private_key.n == 0 || signing->certificate.n == 0)
        diag_help(
            diag_error(build->diag, CC3081, signing->place, "the key pair that signs has no %s",
                       signing->private_key.n == 0 ? "privateKeyPath" : "publicCertificatePath"),
            "it needs both");
}

static void read_pairs(struct project_build *build, struct gw_backend_jwt *out)
{
    size_t errors = diag_errors(build->diag), n;
    struct pair *pairs = collect_pairs(build, &n);
    struct gw_key_pair *list = project_alloc(build, n, sizeof(*list));
    struct buf set;

    if (pairs == NULL || list == NULL)
        return;
    check_signing(build, pairs, n);
    buf_init(&set, GW_BACKEND_JWKS_MAX - SET_FRAME - n); /* brackets and commas */
    for (size_t i = 0; i < n; i++)
        read_pair(build, &pairs[i], &list[i], &set);
    buf_free(&set);
    if (diag_errors(build->diag) > errors)
        return;
    out->key_pairs = list;
    out->n_key_pairs = n;
}

/* The header is the gateway's alone: what clients send in it never reaches the agent. */
static void check_header(struct project_build *build, const struct gw_model *model)
{
    const struct gw_backend_jwt *jwt = &model->backend_jwt;
    struct place place = place_of(build, SETTING "header");
    const char *fault = gw_backend_jwt_header_fault(jwt->header);

    if (fault != NULL)
        diag_help(diag_error(build->diag, CC3080, place, SETTING "header is '%" PRIslice "': %s",
                             SLICE_ARG(jwt->header), fault),
                  "for example X-JWT-Assertion");
    for (size_t i = 0; i < model->n_headers; i++)
        if (gw_backend_jwt_is_header(jwt, model->headers[i]))
            diag_help(diag_error(build->diag, CC3080, place,
                                 SETTING "header is '%" PRIslice
                                         "', in which an API expects a credential of its clients",
                                 SLICE_ARG(jwt->header)),
                      "give one of the two another name");
}

static void check_generator(struct project_build *build, const struct gw_model *model)
{
    struct slice name = model->backend_jwt.generator;
    bool known = name.n == 0;

    for (size_t i = 0; i < model->n_filters; i++)
        known = known || slice_eq(model->filters[i].name, name);
    if (!known)
        diag_help(
            diag_error(build->diag, CC3060, place_of(build, SETTING "gatewayGeneratorImpl"),
                       SETTING "gatewayGeneratorImpl \"%" PRIslice
                               "\" is no name in enforcer.filters",
                       SLICE_ARG(name)),
            "Java classes cannot be used: add an extension in C there, or leave it out for the "
            "claims of docs/backend-jwt.md");
}

void project_read_backend_jwt(struct project_build *build, struct gw_model *model)
{
    const struct config *c = build->config;
    struct gw_backend_jwt *out = &model->backend_jwt;

    if (!c->jwt_generator.enabled)
        return;
    *out = (struct gw_backend_jwt){
        .header = c->jwt_generator.header,
        .dialect = c->jwt_generator.dialect,
        .convert_dialect = c->jwt_generator.convert_dialect,
        .user_claims = c->jwt_generator.user_claims,
        .base64url = !slice_is(c->jwt_generator.encoding, "base64"),
        .with_kid = c->jwt_generator.with_kid,
        .old_key_ids = !slice_is(c->jwt_generator.key_id_form, "rfc7515"),
        .ttl_s = (int64_t)c->jwt_generator.ttl_s,
        .generator = c->jwt_generator.generator,
        .excluded = c->jwt_generator.excluded,
        .n_excluded = c->jwt_generator.n_excluded,
    };
    check_header(build, model);
    check_generator(build, model);
    read_pairs(build, out);
}
