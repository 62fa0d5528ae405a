/* cc-gen token: signs a token for tests. */
#include "generator/cmd.h"

#include "generator/devkey.h"

#include <jansson.h>
#include <openssl/rand.h>

enum { TOKEN_MAX_BYTES = 64 << 10, DEFAULT_EXPIRES_S = 3600 };

/* "-60" or "60", within a century, so that adding it to the time never overflows. */
static int parse_seconds(const struct cli_args *args, const char *option, int64_t *out)
{
    struct slice text = slice_of(cli_value(args, option));
    bool negative = text.n > 0 && text.p[0] == '-';
    uint64_t n;

    if (slice_to_u64(slice_from(text, negative ? 1 : 0), &n) != CC_OK || n > 3155760000u) {
        cli_say("token: --%s takes a number of seconds, not '%s'", option, text.p);
        return CC_EINVAL;
    }
    *out = negative ? -(int64_t)n : (int64_t)n;
    return CC_OK;
}

/* Sets a member and gives the value up. jansson makes no value of text that is not UTF-8. */
static int set(json_t *claims, const char *name, json_t *value)
{
    if (json_object_set_new(claims, name, value) == 0)
        return CC_OK;
    cli_say("token: the value of %s is not UTF-8", name);
    return CC_EINVAL;
}

/* "scope": "a b", as RFC 8693 4.2 writes it. */
static int set_scope(json_t *claims, const struct cli_args *args)
{
    struct buf scope;
    size_t at = 0;
    const char *one;
    int rc;

    buf_init(&scope, TOKEN_MAX_BYTES);
    while ((one = cli_next(args, "scope", &at)) != NULL) {
        if (scope.n > 0)
            buf_add_char(&scope, ' ');
        buf_add_str(&scope, one);
    }
    rc = buf_error(&scope);
    if (rc == CC_OK && scope.n > 0)
        rc = set(claims, "scope", json_stringn(scope.p, scope.n));
    buf_free(&scope);
    return rc;
}

/* "aud": text for one, a list for several (RFC 7519 4.1.3). */
static int set_audience(json_t *claims, const struct cli_args *args)
{
    json_t *list = json_array();
    size_t at = 0;
    const char *one;
    int rc = list != NULL ? CC_OK : CC_ENOMEM;

    while (rc == CC_OK && (one = cli_next(args, "audience", &at)) != NULL)
        if (json_array_append_new(list, json_string(one)) != 0) {
            cli_say("token: the value of aud is not UTF-8");
            rc = CC_EINVAL;
        }
    if (rc == CC_OK && json_array_size(list) == 1)
        rc = json_object_set(claims, "aud", json_array_get(list, 0)) == 0 ? CC_OK : CC_ENOMEM;
    else if (rc == CC_OK && json_array_size(list) > 1)
        rc = json_object_set(claims, "aud", list) == 0 ? CC_OK : CC_ENOMEM;
    json_decref(list);
    return rc;
}

/* --claim NAME=JSON, after all others so that it can replace and remove them. */
static int set_claims(json_t *claims, const struct cli_args *args)
{
    size_t at = 0;
    const char *claim;

    while ((claim = cli_next(args, "claim", &at)) != NULL) {
        struct slice text = slice_of(claim), name;
        json_error_t error;
        json_t *value;

        slice_split(&text, '=', &name);
        value = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
        if (value == NULL) {
            cli_say("token: --claim %s: the value is not JSON (%s); text needs quotes: "
                    "--claim '%" PRIslice "=\"...\"'",
                    claim, error.text, SLICE_ARG(name));
            return CC_EINVAL;
        }
        if (json_is_null(value)) {
            json_decref(value);
            json_object_deln(claims, name.p, name.n);
        } else if (json_object_setn_new(claims, name.p, name.n, value) != 0) {
            cli_say("token: --claim %s: the name is not UTF-8", claim);
            return CC_EINVAL;
        }
    }
    return CC_OK;
}

/* A token id that no other token has. */
static int set_id(json_t *claims)
{
    unsigned char random[16];
    char hex[2 * sizeof(random) + 1];
    struct buf b;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return CC_EIO;
    buf_init_fixed(&b, hex, sizeof(hex));
    buf_add_hex(&b, random, sizeof(random));
    return set(claims, "jti", json_string(hex));
}

static int set_times(json_t *claims, const struct cli_args *args)
{
    int64_t now = clock_wall_s(&clock_system);
    int64_t expires = DEFAULT_EXPIRES_S, not_before = 0;
    int rc = CC_OK;

    if (cli_has(args, "expires"))
        rc = parse_seconds(args, "expires", &expires);
    if (rc == CC_OK && cli_has(args, "not-before"))
        rc = parse_seconds(args, "not-before", &not_before);
    if (rc == CC_OK)
        rc = set(claims, "iat", json_integer(now));
    if (rc == CC_OK && cli_has(args, "not-before"))
        rc = set(claims, "nbf", json_integer(now + not_before));
    if (rc == CC_OK)
        rc = set(claims, "exp", json_integer(now + expires));
    return rc;
}

/* The whole payload. CC_EINVAL after a line on stderr. */
static int make_payload(json_t *claims, const struct cli_args *args, const char *issuer)
{
    const char *subject = cli_value(args, "subject");
    const char *key_type = cli_value(args, "key-type");
    int rc;

    if (key_type == NULL)
        key_type = "PRODUCTION";
    if (strcmp(key_type, "PRODUCTION") != 0 && strcmp(key_type, "SANDBOX") != 0) {
        cli_say("token: --key-type is PRODUCTION or SANDBOX, not '%s'", key_type);
        return CC_EINVAL;
    }
    rc = set(claims, "iss", json_string(issuer));
    if (rc == CC_OK)
        rc = set(claims, "sub", json_string(subject != NULL ? subject : "developer"));
    if (rc == CC_OK)
        rc = set_audience(claims, args);
    if (rc == CC_OK)
        rc = set_times(claims, args);
    if (rc == CC_OK)
        rc = set_id(claims);
    if (rc == CC_OK)
        rc = set(claims, "keytype", json_string(key_type));
    if (rc == CC_OK)
        rc = set(claims, "azp", json_string("cc-gen"));
    if (rc == CC_OK)
        rc = set_scope(claims, args);
    return rc == CC_OK ? set_claims(claims, args) : rc;
}

/* The key that signs, and who signs with it. */
static int load_key(struct cmd_work *w, const struct cli_args *args, enum jwt_alg alg,
                    struct key **key, const char **issuer)
{
    const char *file = cli_value(args, "key");
    int rc;

    *issuer = cli_value(args, "issuer");
    if (file == NULL) {
        if (*issuer == NULL)
            *issuer = devkey_issuer(devkey_kind(alg));
        return devkey_load(key, devkey_kind(alg), w->arena, w->diag);
    }
    if (*issuer == NULL) {
        cli_say("token: --key needs --issuer: the development issuers have other keys");
        return CC_ERANGE;
    }
    rc = devkey_load_file(key, file, w->diag);
    if (rc == CC_OK && !jwt_alg_fits(alg, key_kind_of(*key))) {
        diag_error(w->diag, CC4002, PLACE_NONE, "%s is a key of kind %s, which cannot sign %s",
                   file, key_describe(*key), jwt_alg_name(alg));
        rc = CC_EINVAL;
    }
    return rc;
}

static int sign(const struct key *key, enum jwt_alg alg, const char *kid, const json_t *claims)
{
    char *payload = json_dumps(claims, JSON_COMPACT);
    struct buf token;
    int rc = CC_ENOMEM;

    buf_init(&token, TOKEN_MAX_BYTES);
    if (payload != NULL)
        rc = jwt_sign(alg, key, slice_of(kid != NULL ? kid : ""), slice_of(payload), &token);
    if (rc == CC_OK)
        printf("%" PRIslice "\n", SLICE_ARG(buf_slice(&token)));
    else
        cli_say("token: cannot be signed: %s", cc_strerror(rc));
    buf_free(&token);
    free(payload);
    return rc;
}

static void refuse_algorithm(const char *found)
{
    const char *names[JWT_ALG_COUNT], *near;

    for (enum jwt_alg a = 0; a < JWT_ALG_COUNT; a++)
        names[a] = jwt_alg_name(a);
    near = nearest_word(slice_of(found), names, JWT_ALG_COUNT);
    cli_say("token: --alg %s is not an algorithm that the gateway accepts%s%s%s", found,
            near != NULL ? "; did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?" : "");
    fputs("  try: cc-gen help token\n", stderr);
}

int cmd_token(const struct cli_args *args)
{
    const char *alg_name = cli_value(args, "alg");
    enum jwt_alg alg = alg_name != NULL ? jwt_alg_parse(slice_of(alg_name)) : JWT_RS256;
    const char *issuer = NULL;
    struct key *key = NULL;
    json_t *claims = json_object();
    struct cmd_work w;
    int exit_code = CLI_USAGE;
    int rc = cmd_work_open(&w);

    if (rc != CC_OK || claims == NULL) {
        exit_code = cmd_exit_code(CC_ENOMEM);
        goto out;
    }
    if (alg == JWT_ALG_COUNT) {
        refuse_algorithm(alg_name);
        goto out;
    }
    rc = load_key(&w, args, alg, &key, &issuer);
    cmd_print_findings(&w, stderr);
    if (rc != CC_OK) {
        exit_code = rc == CC_ERANGE ? CLI_USAGE : CLI_DATA;
        goto out;
    }
    if (make_payload(claims, args, issuer) == CC_OK)
        exit_code = cmd_exit_code(sign(key, alg, cli_value(args, "kid"), claims));
out:
    json_decref(claims);
    key_free(&key);
    cmd_work_close(&w);
    return exit_code;
}
