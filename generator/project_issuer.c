/* project: cc.yaml's token services -> the issuers of the model. */
#include "generator/project_internal.h"

#include "crypto/crypto.h"
#include "generator/issuer_file.h"

enum { PEM_MAX = 64 << 10 };

static struct diag_item *refuse(struct project_build *build, const struct config_token_service *t,
                                enum diag_code code, const char *text)
{
    return diag_error(build->diag, code, t->origin, "issuer \"%" PRIslice "\" %s",
                      SLICE_ARG(t->name), text);
}

/* Is there exactly one place from which its keys come? */
static bool check_source(struct project_build *build, const struct config_token_service *t)
{
    size_t n = (size_t)(t->certificate_file_path.n > 0) + (size_t)(t->certificate_alias.n > 0) +
               (size_t)(t->jwks_url.n > 0);
    const char *fault;

    if (n > 1)
        diag_help(refuse(build, t, CC3020, "has more than one source of keys"),
                  "keep one of certificateFilePath, certificateAlias and jwksURL");
    else if (n == 0 && t->introspection.url.n == 0)
        diag_help(refuse(build, t, CC3021, "has no source of keys"),
                  "give certificateFilePath, certificateAlias or jwksURL, or introspection");
    if (n != 1 || t->jwks_url.n == 0)
        return n == 1;
    fault = gw_jwks_url_fault(t->jwks_url);
    if (fault != NULL)
        diag_help(refuse(build, t, CC3022, "has a jwksURL that cannot be used"), "%s", fault);
    return fault == NULL;
}

static struct slice read_pem(struct project_build *build, const struct config_token_service *t,
                             struct slice *path)
{
    const char *fault = issuer_file(build->config, t, build->arena, path);
    struct slice pem = SLICE("");
    int rc;

    if (path->p == NULL)
        build->rc = CC_ENOMEM;
    if (fault != NULL)
        diag_help(diag_error(build->diag, CC3023, t->origin,
                             "issuer \"%" PRIslice "\": certificateAlias %" PRIslice ": %s",
                             SLICE_ARG(t->name), SLICE_ARG(t->certificate_alias), fault),
                  "put the certificate there, or name its file in certificateFilePath");
    if (path->p == NULL || path->n == 0)
        return pem;
    rc = file_read(build->arena, path->p, PEM_MAX, &pem);
    if (rc == CC_OK)
        return pem;
    if (rc == CC_ENOMEM)
        build->rc = rc;
    diag_help(diag_error(build->diag, CC1001, t->origin, "%s: %s", path->p, cc_strerror(rc)),
              "it is the certificate of issuer \"%" PRIslice "\"", SLICE_ARG(t->name));
    return SLICE("");
}

/* Claims by which a token is judged valid; to rename another one to it would have no effect. */
static bool is_judged(struct slice claim)
{
    static const char *const names[] = {"iss", "aud", "exp", "nbf", "iat", "jti"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(claim, names[i]))
            return true;
    return false;
}

static void read_mappings(struct project_build *build, const struct config_token_service *t,
                          struct gw_issuer *out)
{
    struct gw_claim_mapping *list = project_alloc(build, t->n_claim_mapping, sizeof(*list));
    struct slice rest;

    for (size_t i = 0; list != NULL && i < t->n_claim_mapping; i++) {
        rest = t->claim_mapping[i];
        slice_split(&rest, '=', &list[i].remote);
        list[i].local = rest;
        if (is_judged(list[i].local))
            diag_error(build->diag, CC3024, t->origin,
                       "issuer \"%" PRIslice "\": claimMapping renames %" PRIslice " to %" PRIslice
                       ", which decides whether a token is valid",
                       SLICE_ARG(t->name), SLICE_ARG(list[i].remote), SLICE_ARG(list[i].local));
        for (size_t k = 0; k < i; k++)
            if (slice_eq(list[i].remote, list[k].remote) || slice_eq(list[i].local, list[k].local))
                diag_error(build->diag, CC3024, t->origin,
                           "issuer \"%" PRIslice "\": claimMapping has %" PRIslice " twice",
                           SLICE_ARG(t->name),
                           SLICE_ARG(slice_eq(list[i].remote, list[k].remote) ? list[i].remote
                                                                              : list[i].local));
    }
    out->claim_mappings = list;
    out->n_claim_mappings = list != NULL ? t->n_claim_mapping : 0;
}

/* Names -> bits; a name that is no algorithm is a finding. */
static unsigned read_algorithms(struct project_build *build, const struct config_token_service *t)
{
    const char *names[JWT_ALG_COUNT], *near;
    struct diag_item *item;
    unsigned bits = 0;

    for (unsigned i = 0; i < JWT_ALG_COUNT; i++)
        names[i] = jwt_alg_name((enum jwt_alg)i);
    for (size_t i = 0; i < t->n_algorithms; i++) {
        enum jwt_alg alg = jwt_alg_parse(t->algorithms[i]);

        if (alg != JWT_ALG_COUNT) {
            bits |= 1u << alg;
            continue;
        }
        item = diag_error(build->diag, CC3003, t->origin,
                          "issuer \"%" PRIslice "\": \"%" PRIslice "\" is not an algorithm",
                          SLICE_ARG(t->name), SLICE_ARG(t->algorithms[i]));
        near = nearest_word(t->algorithms[i], names, JWT_ALG_COUNT);
        if (near != NULL)
            diag_help(item, "did you mean %s?", near);
        else
            diag_help(item, "those of public keys are supported: RS256 to RS512, PS256 to PS512, "
                            "ES256 to ES512, EdDSA");
    }
    return bits;
}

/* Can the key verify any of the algorithms? */
static void check_key(struct project_build *build, const struct config_token_service *t,
                      struct slice path, const struct gw_issuer *issuer)
{
    struct key *key = NULL;
    bool fits = false;
    int rc = key_public_from_pem(&key, issuer->pem);

    if (rc != CC_OK) {
        diag_help(diag_error(build->diag, CC4001, t->origin, "%" PRIslice ": %s", SLICE_ARG(path),
                             rc == CC_EWEAK ? "the key is too weak to be trusted"
                                            : "not a certificate or public key that can be used"),
                  "it must be PEM, with RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519");
        return;
    }
    for (unsigned i = 0; i < JWT_ALG_COUNT; i++)
        fits = fits || ((issuer->algorithms & (1u << i)) != 0 &&
                        jwt_alg_fits((enum jwt_alg)i, key_kind_of(key)));
    if (!fits)
        diag_help(diag_error(build->diag, CC4002, t->origin,
                             "issuer \"%" PRIslice "\" allows no algorithm that its key (%s) can "
                             "verify",
                             SLICE_ARG(t->name), key_describe(key)),
                  "add one to its algorithms, or give the right key");
    key_free(&key);
}

static bool signs(const struct config_token_service *t, const char *what)
{
    for (size_t i = 0; i < t->n_signs; i++)
        if (slice_is(t->signs[i], what))
            return true;
    return false;
}

static void read_issuer(struct project_build *build, const struct config_token_service *t,
                        struct gw_issuer *out)
{
    size_t errors = diag_errors(build->diag);
    struct slice path = SLICE_NONE;

    *out = (struct gw_issuer){.name = t->name,
                              .issuer = t->issuer,
                              .access_tokens = signs(t, "access_token"),
                              .api_keys = signs(t, "api_key"),
                              .internal_keys = signs(t, "internal_key"),
                              .audiences = t->audiences,
                              .n_audiences = t->n_audiences,
                              .algorithms = read_algorithms(build, t),
                              .pem = SLICE(""),
                              .jwks_url = t->jwks_url,
                              .consumer_key_claim = t->consumer_key_claim,
                              .scope_claim = t->scope_claim,
                              .validate_subscription = t->validate_subscription,
                              .claim_transformer = t->claim_transformer,
                              .origin = t->origin};
    if (out->access_tokens && t->issuer.n == 0)
        diag_help(refuse(build, t, CC3007, "has an empty issuer"),
                  "write the iss claim of its access tokens; an issuer of keys alone "
                  "(signs: [api_key]) needs none");
    read_mappings(build, t, out);
    project_read_introspection(build, t, out);
    if (check_source(build, t) && t->jwks_url.n == 0)
        out->pem = read_pem(build, t, &path);
    if (diag_errors(build->diag) == errors && build->rc == CC_OK && out->pem.n > 0)
        check_key(build, t, path, out);
}

/* Would it be open whose key counts? */
static bool sign_the_same(const struct gw_issuer *a, const struct gw_issuer *b)
{
    bool same = false;

    for (unsigned type = 0; type < GW_TOKEN_TYPE_COUNT; type++)
        same = same || (gw_issuer_signs(a, (enum gw_token_type)type) &&
                        gw_issuer_signs(b, (enum gw_token_type)type));
    return same && slice_eq(a->issuer, b->issuer);
}

void project_read_issuers(struct project_build *build, struct gw_model *model)
{
    const struct config *config = build->config;
    const struct project_options *options = build->options;
    size_t n = config->security.n_token_service;
    bool refused = options != NULL && options->settings_refused;
    size_t n_development = options != NULL ? options->n_development_issuers : 0;
    struct gw_issuer *issuers = project_alloc(build, n + n_development, sizeof(*issuers));

    if (issuers == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct config_token_service *t = &config->security.token_service[i];

        /* what an incomplete one lacks was told with its settings (CC3007) */
        if (!refused || t->issuer.n > 0 || !signs(t, "access_token"))
            read_issuer(build, t, &issuers[i]);
    }
    for (size_t i = 0; i < n_development; i++)
        issuers[n++] = options->development_issuers[i];
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (sign_the_same(&issuers[i], &issuers[k]))
                diag_help(diag_error(build->diag, CC3005, issuers[i].origin,
                                     "issuers \"%" PRIslice "\" and \"%" PRIslice
                                     "\" have the same issuer text",
                                     SLICE_ARG(issuers[k].name), SLICE_ARG(issuers[i].name)),
                          "the iss of a token must name one of those that sign such tokens");
        }
    }
    project_check_introspection(build, issuers, n);
    if (n == 0 && !refused)
        diag_help(diag_warning(build->diag, CC3006, PLACE_NONE,
                               "no token service is configured: nobody can have a valid token"),
                  "add one to enforcer.security.tokenService of cc.yaml");
    model->issuers = issuers;
    model->n_issuers = n;
}
