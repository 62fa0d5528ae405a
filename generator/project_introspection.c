/* project: introspection of a token service (RFC 7662): the server and the gateway's credentials.
 */
#include "generator/project_internal.h"

#include "crypto/crypto.h"

#include <stdlib.h>

enum { SECRET_MAX = 512, SECRET_FILE_MAX = 4096, LITTLE_TIME_MS = 1000 };

static struct diag_item *refuse(struct project_build *build, const struct config_token_service *t,
                                enum diag_code code, const char *text)
{
    return diag_error(build->diag, code, t->origin, "issuer \"%" PRIslice "\": introspection%s",
                      SLICE_ARG(t->name), text);
}

/* The first line of the file. */
static bool read_file(struct project_build *build, const struct config_token_service *t,
                      struct slice *out)
{
    struct slice rest;
    int rc = file_read(build->arena, t->introspection.client_secret_file.p, SECRET_FILE_MAX, &rest);

    if (rc == CC_ENOMEM)
        build->rc = rc;
    if (rc != CC_OK) {
        diag_help(refuse(build, t, CC3052, ".clientSecretFile cannot be read"), "%s: %s",
                  t->introspection.client_secret_file.p, cc_strerror(rc));
        return false;
    }
    slice_split(&rest, '\n', out);
    if (slice_ends(*out, SLICE("\r")))
        out->n--;
    return true;
}

static bool read_variable(struct project_build *build, const struct config_token_service *t,
                          struct slice *out)
{
    const char *value = getenv(t->introspection.client_secret_variable.p);

    if (value == NULL)
        diag_help(refuse(build, t, CC3052, ".clientSecretVariable names no variable that is set"),
                  "set %s for cc-gen", t->introspection.client_secret_variable.p);
    else
        *out = slice_of(value);
    return value != NULL;
}

/* RFC 6749 2.3.1 and appendix B: both are encoded as form values before they become Basic. */
static void add_encoded(struct buf *out, struct slice s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) ||
            slice_find(SLICE("-._*"), s.p[i]) >= 0) {
            buf_add_char(out, s.p[i]);
        } else if (c == ' ') {
            buf_add_char(out, '+');
        } else {
            buf_add_char(out, '%');
            buf_add_char(out, digits[c >> 4]);
            buf_add_char(out, digits[c & 15]);
        }
    }
}

static void make_basic(struct project_build *build, const struct config_token_service *t,
                       struct slice secret, struct gw_issuer *out)
{
    char pair_room[2 * 3 * SECRET_MAX + 2], value_room[GW_IDENTITY_MAX + 1];
    struct buf pair, value;

    buf_init_fixed(&pair, pair_room, sizeof(pair_room));
    buf_init_fixed(&value, value_room, sizeof(value_room));
    add_encoded(&pair, t->introspection.client_id);
    buf_add_char(&pair, ':');
    add_encoded(&pair, secret);
    buf_add_str(&value, "Basic ");
    base64_encode(buf_slice(&pair), &value);
    if (buf_error(&pair) != CC_OK || buf_error(&value) != CC_OK) {
        refuse(build, t, CC3050, " has a clientId and a secret that are too long together");
    } else {
        out->introspection_authorization = arena_dup(build->arena, buf_slice(&value));
        if (out->introspection_authorization.p == NULL)
            build->rc = CC_ENOMEM;
    }
    explicit_bzero(pair_room, sizeof(pair_room));
    explicit_bzero(value_room, sizeof(value_room));
}

static void read_credentials(struct project_build *build, const struct config_token_service *t,
                             struct gw_issuer *out)
{
    bool file = t->introspection.client_secret_file.n > 0;
    bool variable = t->introspection.client_secret_variable.n > 0;
    struct slice secret = SLICE_NONE;

    if (!file && !variable && t->introspection.client_id.n == 0)
        return;
    if (file == variable || t->introspection.client_id.n == 0) {
        diag_help(refuse(build, t, CC3050, " has incomplete credentials"),
                  "give clientId and one of clientSecretFile and clientSecretVariable");
        return;
    }
    if (file ? !read_file(build, t, &secret) : !read_variable(build, t, &secret))
        return;
    if (secret.n == 0 || secret.n > SECRET_MAX || slice_has_control(secret)) {
        diag_help(refuse(build, t, CC3052, ": the secret cannot be used"),
                  "it has 1 to %d bytes and no control characters", SECRET_MAX);
        return;
    }
    make_basic(build, t, secret, out);
}

void project_read_introspection(struct project_build *build, const struct config_token_service *t,
                                struct gw_issuer *out)
{
    const char *fault;

    out->introspection_authorization = SLICE("");
    out->introspection_url = t->introspection.url;
    if (t->introspection.url.n == 0) {
        if (t->introspection.client_id.n + t->introspection.client_secret_file.n +
                t->introspection.client_secret_variable.n >
            0)
            diag_help(refuse(build, t, CC3050, " has credentials and no url"), "give its url");
        return;
    }
    fault = gw_jwks_url_fault(t->introspection.url);
    if (fault != NULL)
        diag_help(refuse(build, t, CC3050, ".url cannot be used"), "%s", fault);
    read_credentials(build, t, out);
}

void project_check_introspection(struct project_build *build, const struct gw_issuer *issuers,
                                 size_t n)
{
    const struct gw_issuer *first = NULL;

    for (size_t i = 0; i < n; i++) {
        if (issuers[i].introspection_url.n == 0)
            continue;
        if (first != NULL)
            diag_help(diag_error(build->diag, CC3051, issuers[i].origin,
                                 "issuers \"%" PRIslice "\" and \"%" PRIslice
                                 "\" both have introspection",
                                 SLICE_ARG(first->name), SLICE_ARG(issuers[i].name)),
                      "keep one: a token that is no JWT does not say whose it is");
        else
            first = &issuers[i];
    }
    if (first != NULL && build->config->agent.processing_timeout_ms < LITTLE_TIME_MS)
        diag_help(
            diag_warning(build->diag, CC3053, first->origin,
                         "a request waits at most %llu ms for the introspection of its token",
                         (unsigned long long)build->config->agent.processing_timeout_ms * 5 / 6),
            "set agent.processingTimeoutInMillis to what the server takes at worst");
}
