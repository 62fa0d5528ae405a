/* What is decided about a request: one row, one request. */
#include "fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BARE "Bearer realm=\"cc-gateway\""
#define INVALID \
    BARE ", error=\"invalid_token\", error_description=\"The provided token is invalid\""
#define SCOPE BARE ", error=\"insufficient_scope\", scope="

#define SUFFIX "Make sure you have provided the correct security credentials"
#define ENFORCER(m, c, d) \
    "{\"error_message\":\"" m "\",\"code\":\"" c "\",\"error_description\":\"" d "\"}"
#define ROUTER(c, m, d) "{\"code\":\"" c "\",\"message\":\"" m "\",\"description\":\"" d "\"}"
#define NO_CREDENTIAL   ENFORCER("Invalid Credentials", "900901", SUFFIX)
#define BAD_TOKEN       ENFORCER("Invalid Credentials", "900901", "Invalid Credentials. " SUFFIX)
#define NOT_BEARER                                                                    \
    ENFORCER("Missing Credentials", "900902",                                         \
             "Missing Credentials. Make sure your API invocation call has a header: " \
             "Authorization: Bearer ACCESS_TOKEN")
#define NO_SCOPE(template)                                                                \
    ENFORCER(                                                                             \
        "The access token does not allow you to access the requested resource", "900910", \
        "User is NOT authorized to access the Resource: " template ". Scope validation failed.")
#define NOT_FOUND ROUTER("404", "Not Found", "The requested resource is not available.")
#define NO_METHOD \
    ROUTER("405", "Method Not Allowed", "The requested resource does not support this method.")

/* name, signer, algorithm, claims besides iss */
#define ISS(name) "{\"iss\":\"https://" name "\",\"exp\":1700003600,"
#define TOKENS(X)                                                                          \
    X(PLAIN, RSA, RS256, ISS("rsa") "\"sub\":\"alice\",\"azp\":\"app-1\"}")                \
    X(PSS, RSA, PS256, ISS("rsa") "\"sub\":\"alice\"}")                                    \
    X(READ, RSA, RS256, ISS("rsa") "\"scope\":\"openid read:pets\"}")                      \
    X(WRITE, RSA, RS256, ISS("rsa") "\"scope\":\"write:pets\"}")                           \
    X(ADMIN_LIST, RSA, RS256, ISS("rsa") "\"scope\":[\"x\",\"admin\"]}")                   \
    X(NEAR_SCOPE, RSA, RS256, ISS("rsa") "\"scope\":\"read:pet read:petss READ:PETS\"}")   \
    X(PRODUCTION, RSA, RS256, ISS("rsa") "\"keytype\":\"PRODUCTION\"}")                    \
    X(SANDBOX, RSA, RS256, ISS("rsa") "\"keytype\":\"SANDBOX\"}")                          \
    X(ODD_KEYTYPE, RSA, RS256, ISS("rsa") "\"keytype\":\"production\"}")                   \
    X(SANDBOX_READ, RSA, RS256, ISS("rsa") "\"keytype\":\"SANDBOX\",\"scope\":\"admin\"}") \
    X(SANDBOX_BOTH, RSA, RS256,                                                            \
      ISS("rsa") "\"keytype\":\"SANDBOX\",\"scope\":\"x write:pets read:pets\"}")         \
    X(EC, EC, ES256, ISS("ec") "\"aud\":\"cc\"}")                                          \
    X(EC_LIST, EC, ES256, ISS("ec") "\"aud\":[\"x\",\"dd\"]}")                             \
    X(EC_OTHER, EC, ES256, ISS("ec") "\"aud\":\"ccc\"}")                                   \
    X(EC_NONE, EC, ES256, ISS("ec") "\"sub\":\"bob\"}")                                    \
    X(ED, ED, EdDSA, ISS("ed") "\"scp\":\"admin\",\"client\":\"app-2\",\"sub\":\"eve\"}")  \
    X(ED_WRONG_CLAIM, ED, EdDSA, ISS("ed") "\"scope\":\"admin\"}")                         \
    X(EXPIRED, RSA, RS256, "{\"iss\":\"https://rsa\",\"exp\":1699999990}")                 \
    X(IN_LEEWAY, RSA, RS256, "{\"iss\":\"https://rsa\",\"exp\":1699999991}")               \
    X(EARLY, RSA, RS256, ISS("rsa") "\"nbf\":1700000011}")                                 \
    X(EARLY_IN_LEEWAY, RSA, RS256, ISS("rsa") "\"nbf\":1700000010}")                       \
    X(NO_EXP, RSA, RS256, "{\"iss\":\"https://rsa\"}")                                     \
    X(STRANGER, RSA, RS256, "{\"iss\":\"https://rsa/\",\"exp\":1700003600}")               \
    X(BORROWED, RSA, RS256, "{\"iss\":\"https://ed\",\"exp\":1700003600}")

enum token {
    NO_TOKEN,
#define X(name, ...) name,
    TOKENS(X)
#undef X
        TOKEN_COUNT
};

static char *tokens[TOKEN_COUNT];

/* Defaults: GET, host "shop.example", Authorization, "Bearer " before the token, one line. */
struct row {
    int line;
    const char *method, *host, *path;
    enum token token;
    const char *scheme; /* what stands before the token; alone when there is no token */
    const char *after;  /* what stands behind it */
    unsigned header, count;
    /* expected */
    int status; /* 0: allowed; 1: ready */
    const char *code, *body, *challenge, *allow;
    const char *backend, *to_path, *to_host;
    const char *reason; /* a part of it */
};

#define ROW     .line = __LINE__
#define TO_PETS .backend = "cc_b_000000000001", .to_host = "pets.internal"
#define TO_FAR  .backend = "cc_b_000000000002", .to_host = "[2001:db8::1]:8080"
#define TO_LAST .backend = "cc_b_000000000003", .to_host = "10.0.0.7"
#define TO_ROOT .backend = "cc_b_000000000003", .to_host = "10.0.0.7"
#define IS_401  .status = 401, .code = "900901", .challenge = INVALID
#define IS_404  .status = 404, .code = "404", .body = NOT_FOUND
#define IS_405  .status = 405, .code = "405", .body = NO_METHOD

static const struct row rows[] = {
    /* system resources */
    {ROW, .path = "/ready", .host = "localhost", .status = 1, .reason = "/ready"},
    {ROW, .path = "/ready", .host = "LOCALHOST:9090", .method = "HEAD", .status = 1},
    {ROW, .path = "/re%61dy", .host = "localhost", .status = 1},
    {ROW, .path = "/ready", .host = "localhost", .method = "POST", IS_405, .allow = "GET, HEAD"},
    {ROW, .path = "/ready", .host = "localhost", .method = "OPTIONS", IS_405, .allow = "GET, HEAD"},
    {ROW, .path = "/ready", IS_404},
    {ROW, .path = "/health", .host = "localhost", .method = "POST", IS_405, .allow = "GET, HEAD"},
    {ROW, .path = "/he%61lth", .host = "localhost", IS_404, .reason = "/health"},
    {ROW, .path = "/health", IS_404, .reason = "no API"},
    {ROW, .path = "/ready/", .host = "localhost", IS_404},

    /* hosts and paths */
    {ROW, .path = "/pets/1.0/open", .host = "", .status = 400, .code = "400",
     .body = ROUTER("400", "Bad Request", "The Host header is missing or malformed."),
     .reason = "Host"},
    {ROW, .path = "/pets/1.0/open", .host = "a b", .status = 400, .code = "400"},
    {ROW, .path = "pets", .status = 400, .code = "400",
     .body = ROUTER("400", "Bad Request", "the path does not begin with '/'")},
    {ROW, .path = "/pets/1.0/pets/../open", .status = 400, .code = "400",
     .body = ROUTER("400", "Bad Request", "the path has a '.' or '..' segment")},
    {ROW, .path = "/pets/1.0//open", .status = 400, .code = "400"},
    {ROW, .path = "/pets/1.0/a%2fb", .status = 400, .code = "400"},
    {ROW, .path = "/pets/1.0/a%00", .status = 400, .code = "400"},
    {ROW, .path = "/pets/1.0/open;x=1", .status = 400, .code = "400"},
    {ROW, .path = "/pets/1.0/nothing", IS_404, .reason = "pets/swagger.yaml:1:7"},
    {ROW, .path = "/pets/1.00/open", IS_404},
    {ROW, .path = "/PETS/1.0/open", IS_404},
    {ROW, .path = "/pets/1.0/open/", IS_404},
    {ROW, .path = "/other", IS_404, .reason = "no API of this host"},

    /* methods */
    {ROW, .path = "/pets/1.0/pets", .method = "PUT", IS_405, .allow = "GET, POST",
     .reason = "pets/swagger.yaml:10:7"},
    {ROW, .path = "/pets/1.0/pets", .method = "HEAD", IS_405, .allow = "GET, POST"},
    {ROW, .path = "/pets/1.0/pets", .method = "get", IS_405, .allow = "GET, POST"},
    {ROW, .path = "/pets/1.0/pets", .method = "BREW", IS_405, .allow = "GET, POST"},
    {ROW, .path = "/pets/1.0/pets", .method = "", IS_405, .allow = "GET, POST"},
    {ROW, .path = "/pets/1.0/pets", .method = "OPTIONS", .status = 204, .code = "", .body = "",
     .allow = "OPTIONS, GET, POST"},
    {ROW, .path = "/pets/1.0/pets/7", .method = "PUT", IS_405,
     .allow = "GET, DELETE, PATCH, OPTIONS"},
    {ROW, .path = "/pets/1.0/pets/7", .method = "PATCH", .token = PLAIN, TO_PETS,
     .to_path = "/v2/pets/7", .reason = "pets/swagger.yaml:56:7"},
    {ROW, .path = "/pets/1.0/pets/7", .method = "OPTIONS", .status = 401, .code = "900901",
     .challenge = BARE}, /* declared: then it is protected like any other */
    {ROW, .path = "/pets/1.0/pets/7", .method = "OPTIONS", .token = PLAIN, TO_PETS,
     .to_path = "/v2/pets/7"},

    /* open and closed operations */
    {ROW, .path = "/pets/1.0/open", TO_PETS, .to_path = "/v2/open",
     .reason = "pets/swagger.yaml:61:7"},
    {ROW, .path = "/pets/1.0/open", .token = EXPIRED, TO_PETS, .to_path = "/v2/open"},
    {ROW, .path = "/pets/1.0/%6Fpen", TO_PETS, .to_path = "/v2/open"},
    {ROW, .path = "/pets/1.0/closed", .token = PLAIN, .status = 401, .code = "900901",
     .challenge = BARE, .body = NO_CREDENTIAL, .reason = "pets/swagger.yaml:71:7"},

    /* the header */
    {ROW, .path = "/pets/1.0/pets/7", .status = 401, .code = "900901", .challenge = BARE,
     .body = NO_CREDENTIAL,
     .reason = "authorization: the header is missing; "
               "pets/swagger.yaml:31:7"},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = " ", .status = 401, .code = "900901",
     .challenge = BARE, .body = NO_CREDENTIAL},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "Basic YTpi", .status = 401, .code = "900902",
     .challenge = BARE, .body = NOT_BEARER},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "", .token = PLAIN, .status = 401, .code = "900902",
     .challenge = BARE, .body = NOT_BEARER},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "Bearer", .token = PLAIN, .status = 401,
     .code = "900902", .challenge = BARE},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "XBearer ", .token = PLAIN, .status = 401,
     .code = "900902", .challenge = BARE},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "Bearer", IS_401, .body = NO_CREDENTIAL},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "Bearer \t ", IS_401},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "Bearer x.y", IS_401, .body = NO_CREDENTIAL},
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "Bearer aaa.bbb.ccc", IS_401,
     .body = ENFORCER("Invalid Credentials", "900901",
                      "Not a JWT token. Failed to decode the token header. " SUFFIX)},
    {ROW, .path = "/pets/1.0/pets/7", .token = PLAIN, .count = 2, IS_401, .body = NO_CREDENTIAL,
     .reason = "more than once"},
    {ROW, .path = "/pets/1.0/pets/7", .token = PLAIN, .after = " x", IS_401},
    {ROW, .path = "/pets/1.0/pets/7", .token = PLAIN, .after = ",Bearer x", IS_401},
    {ROW, .path = "/pets/1.0/pets/7", .token = PLAIN, .header = 1, .status = 401, .code = "900901",
     .challenge = BARE}, /* not this API's header */
    {ROW, .path = "/pets/1.0/pets/7", .scheme = "bEARER\t  ", .token = PLAIN, .after = " ", TO_PETS,
     .to_path = "/v2/pets/7"},

    /* tokens */
    {ROW, .path = "/pets/1.0/pets/7", .token = PLAIN, TO_PETS, .to_path = "/v2/pets/7",
     .reason = "allowed; pets/swagger.yaml:31:7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = PSS, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EC, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EC_LIST, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EC_OTHER, IS_401, .body = BAD_TOKEN,
     .reason = "aud does not name this gateway; cc.yaml:21:5"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EC_NONE, IS_401},
    {ROW, .path = "/pets/1.0/pets/7", .token = ED, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EXPIRED, IS_401, .body = BAD_TOKEN,
     .reason = "the token has expired, 10 s ago; pets/swagger.yaml:31:7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = IN_LEEWAY, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EARLY, IS_401, .body = BAD_TOKEN,
     .reason = "the token is not valid yet, but in 11 s"},
    {ROW, .path = "/pets/1.0/pets/7", .token = EARLY_IN_LEEWAY, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = NO_EXP, IS_401, .body = BAD_TOKEN},
    {ROW, .path = "/pets/1.0/pets/7", .token = STRANGER, IS_401, .body = BAD_TOKEN,
     .reason = "no configured issuer"},
    {ROW, .path = "/pets/1.0/pets/7", .token = BORROWED, IS_401, .body = BAD_TOKEN,
     .reason = "; cc.yaml:31:5"},

    /* scopes */
    {ROW, .path = "/pets/1.0/pets", .token = READ, TO_PETS, .to_path = "/v2/pets",
     .reason = "allowed; pets/swagger.yaml:13:7"},
    {ROW, .path = "/pets/1.0/pets", .token = ADMIN_LIST, TO_PETS, .to_path = "/v2/pets"},
    {ROW, .path = "/pets/1.0/pets", .token = ED, TO_PETS, .to_path = "/v2/pets"},
    {ROW, .path = "/pets/1.0/pets", .token = PLAIN, .status = 403, .code = "900910",
     .body = NO_SCOPE("/pets"), .challenge = SCOPE "\"read:pets admin\"",
     .reason = "pets/swagger.yaml:13:7"},
    {ROW, .path = "/pets/1.0/pets", .token = NEAR_SCOPE, .status = 403, .code = "900910",
     .challenge = SCOPE "\"read:pets admin\""},
    {ROW, .path = "/pets/1.0/pets", .token = ED_WRONG_CLAIM, .status = 403, .code = "900910",
     .challenge = SCOPE "\"read:pets admin\""},
    {ROW, .path = "/pets/1.0/pets", .method = "POST", .token = WRITE, TO_PETS,
     .to_path = "/v2/pets", .reason = "allowed; pets/swagger.yaml:23:7"},
    {ROW, .path = "/pets/1.0/pets", .method = "POST", .token = ADMIN_LIST, TO_PETS,
     .to_path = "/v2/pets", .reason = "allowed; pets/swagger.yaml:24:7"},
    {ROW, .path = "/pets/1.0/pets", .method = "POST", .token = READ, .status = 403,
     .code = "900910", .challenge = SCOPE "\"write:pets admin\""},
    {ROW, .path = "/pets/1.0/pets/7", .method = "DELETE", .token = PLAIN, TO_PETS,
     .to_path = "/v2/pets/7", .reason = "allowed; pets/swagger.yaml:44:7"},
    {ROW, .path = "/pets/1.0/pets/7", .method = "DELETE", .status = 401, .code = "900901",
     .challenge = BARE}, /* no scopes demanded is not: no token demanded */

    /* two schemes at once: each with a scope of its own */
    {ROW, .path = "/box/both", .token = SANDBOX_BOTH, TO_PETS, .to_path = "/v2/both",
     .reason = "allowed; pets/swagger.yaml:47:7"},
    {ROW, .path = "/box/both", .token = READ, .status = 403, .code = "900910",
     .challenge = SCOPE "\"read:pets write:pets\""},
    {ROW, .path = "/box/both", .token = WRITE, .status = 403, .code = "900910",
     .challenge = SCOPE "\"read:pets write:pets\""},
    {ROW, .path = "/box/both", .token = SANDBOX, .status = 403, .code = "900910",
     .challenge = SCOPE "\"read:pets write:pets\""},

    /* key types; scopes are looked at first */
    {ROW, .path = "/pets/1.0/pets/7", .token = PRODUCTION, TO_PETS, .to_path = "/v2/pets/7"},
    {ROW, .path = "/pets/1.0/pets/7", .token = SANDBOX, IS_401,
     .body = ENFORCER("Invalid Credentials", "900901",
                      "Sandbox key offered to an API with no sandbox endpoint. " SUFFIX)},
    {ROW, .path = "/pets/1.0/far", .token = SANDBOX, TO_LAST, .to_path = "/far"},
    {ROW, .path = "/box/far", .token = SANDBOX, TO_PETS, .to_path = "/v2/far"},
    {ROW, .path = "/box/far", .token = PLAIN, IS_401,
     .body = ENFORCER("Invalid Credentials", "900901",
                      "Production key offered to an API with no production endpoint. " SUFFIX),
     .reason = "a PRODUCTION token for an API without production endpoint; pets/swagger.yaml:3:7"},
    {ROW, .path = "/box/open", TO_PETS, .to_path = "/v2/open"}, /* it has nothing else */
    {ROW, .path = "/pets/1.0/pets/7", .token = ODD_KEYTYPE, IS_401,
     .body = ENFORCER("Invalid Credentials", "900901", "Invalid key type. " SUFFIX)},
    {ROW, .path = "/pets/1.0/pets", .token = SANDBOX, .status = 403, .code = "900910",
     .challenge = SCOPE "\"read:pets admin\""},
    {ROW, .path = "/pets/1.0/pets", .token = SANDBOX_READ, IS_401},

    /* where it goes */
    {ROW, .path = "/pets/1.0/far", .token = PLAIN, TO_FAR, .to_path = "/far"},

    /* interceptors, which cannot be called: nobody gets past, and nobody without a token learns of
     * them */
    {ROW, .path = "/pets/1.0/asked", .token = PLAIN, .status = 500, .code = "103500",
     .body = "{\"error_message\":\"Internal Server Error\",\"code\":\"103500\","
             "\"error_description\":\"Internal Server Error\"}",
     .reason = "it has an interceptor, and this version cannot call any; pets/swagger.yaml:76:7"},
    {ROW, .path = "/pets/1.0/asked", .method = "PUT", .status = 500, .code = "103500"},
    {ROW, .path = "/pets/1.0/asked", .status = 401, .code = "900901", .challenge = BARE},
    {ROW, .path = "/", .host = "api.example.com", .token = PLAIN, .header = 1, TO_ROOT,
     .to_path = "/"},
    {ROW, .path = "/a/b%20c", .host = "Api.Example.Com:9090", .token = PLAIN, .header = 1, TO_ROOT,
     .to_path = "/a/b%20c"},
    {ROW, .path = "/a", .host = "api.example.com", .token = PLAIN, .status = 401, .code = "900901",
     .challenge = BARE},
};

static struct fixture fixture;
static struct enforce_rules *rules;
static struct clock_fixed clock_at;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture);
    rules = fixture_rules(&fixture);
    clock_fixed_init(&clock_at, FIXTURE_NOW, 0);
#define X(name, signer, alg, payload) \
    tokens[name] = fixture_sign(&fixture, FIXTURE_##signer, JWT_##alg, payload);
    TOKENS(X)
#undef X
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOKEN_COUNT; i++)
        free(tokens[i]);
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    return 0;
}

static struct enforce_worker *new_worker(size_t cache_entries)
{
    struct enforce_options options = {cache_entries, 1 << 18};
    struct enforce_worker *w = NULL;

    assert_int_equal(enforce_worker_new(&w, &options), CC_OK);
    return w;
}

/* The bytes, NUL-terminated in one of a few rooms, so that a failure prints them. */
static const char *text_of(struct slice s)
{
    static char rooms[4][8192];
    static unsigned next;
    char *room = rooms[next++ % 4];

    snprintf(room, sizeof(rooms[0]), "%" PRIslice, SLICE_ARG(s));
    return room;
}

static void expect(struct slice got, const char *want, const char *what, const struct row *row)
{
    if (slice_is(got, want == NULL ? "" : want))
        return;
    fail_msg("row at line %d: %s is '%s', expected '%s'", row->line, what, text_of(got),
             want == NULL ? "" : want);
}

static void expect_json(struct slice body, const struct row *row)
{
    json_error_t error;
    json_t *json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);

    if (json == NULL)
        fail_msg("row at line %d: the body is not JSON: %s", row->line, error.text);
    json_decref(json);
}

/* What must hold of every decision, whatever was asked. */
static void expect_consistent(const struct enforce_decision *d, const struct row *row)
{
    bool allowed = d->verdict == ENFORCE_ALLOW;

    assert_int_equal(allowed, d->backend.n > 0);
    assert_int_equal(allowed, d->path.n > 0);
    assert_int_equal(allowed, d->host.n > 0);
    assert_int_equal(d->verdict == ENFORCE_DENY, d->status != 0);
    assert_true(d->reason.n > 0 && !slice_has_control(d->reason));
    if (d->status == 405 || d->status == 204)
        assert_true(d->allow.n > 0);
    if (d->status != 0 && d->status != 204)
        expect_json(d->body, row);
    if (d->status == 401)
        assert_true(d->challenge.n > 0); /* RFC 9110 15.5.2 */
    if (row->token == NO_TOKEN)
        return;
    for (size_t part = 0; part < 3; part++) { /* no part of the token in what is told anyone */
        struct slice rest = slice_of(tokens[row->token]), piece = SLICE_NONE;

        for (size_t i = 0; i <= part; i++)
            slice_split(&rest, '.', &piece);
        assert_false(slice_contains(d->body, piece) || slice_contains(d->reason, piece) ||
                     slice_contains(d->challenge, piece));
    }
}

static void check_row(struct enforce_worker *w, const struct row *row)
{
    static char value[9000];
    struct fixture_request request;
    struct enforce_decision d;
    const char *scheme = row->scheme != NULL ? row->scheme : row->token ? "Bearer " : NULL;

    fixture_request_init(&request, row->method ? row->method : "GET",
                         row->host ? row->host : "shop.example", row->path);
    if (scheme != NULL) {
        snprintf(value, sizeof(value), "%s%s%s", scheme, row->token ? tokens[row->token] : "",
                 row->after ? row->after : "");
        fixture_set_header(&request, row->header, value, row->count ? row->count : 1);
    }
    enforce_decide(w, rules, NULL, &request.request, &clock_at.clock, &d);

    if (d.verdict != (row->status == 0   ? ENFORCE_ALLOW
                      : row->status == 1 ? ENFORCE_READY
                                         : ENFORCE_DENY) ||
        (row->status > 1 && d.status != row->status))
        fail_msg("row at line %d: verdict %d, status %d; %s", row->line, (int)d.verdict, d.status,
                 text_of(d.reason));
    expect(d.code, row->code, "code", row);
    expect(d.challenge, row->challenge, "challenge", row);
    expect(d.allow, row->allow, "allow", row);
    expect(d.backend, row->backend, "backend", row);
    expect(d.path, row->to_path, "path", row);
    expect(d.host, row->to_host, "host", row);
    if (row->body != NULL)
        expect(d.body, row->body, "body", row);
    if (row->reason != NULL && !slice_contains(d.reason, slice_of(row->reason)))
        expect(d.reason, row->reason, "reason", row);
    expect_consistent(&d, row);
}

/* The table without a cache, then twice with one: a hit must decide as a miss does. */
static void test_table(void **state)
{
    struct enforce_worker *cold = new_worker(0), *warm = new_worker(100);
    struct enforce_counters counters;

    (void)state;
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            check_row(cold, &rows[i]);
            check_row(warm, &rows[i]);
        }
    enforce_worker_counters(cold, &counters);
    assert_int_equal(counters.cache_hits, 0);
    enforce_worker_counters(warm, &counters);
    assert_true(counters.cache_hits > sizeof(rows) / sizeof(rows[0]) / 3);
    enforce_worker_free(&cold);
    enforce_worker_free(&warm);
}

static void decide(struct enforce_worker *w, const char *method, const char *path, enum token token,
                   struct enforce_decision *d)
{
    struct fixture_request request;
    char value[4096];

    fixture_request_init(&request, method, "shop.example", path);
    snprintf(value, sizeof(value), "Bearer %s", tokens[token]);
    fixture_set_header(&request, 0, value, 1);
    enforce_decide(w, rules, NULL, &request.request, &clock_at.clock, d);
}

static void test_facts(void **state)
{
    struct enforce_worker *w = new_worker(10);
    struct enforce_decision d;

    (void)state;
    for (int i = 0; i < 2; i++) { /* verified, then from the cache */
        decide(w, "GET", "/pets/1.0/pets/7", PLAIN, &d);
        assert_string_equal(text_of(d.user), "alice");
        assert_string_equal(text_of(d.app), "app-1");
        assert_string_equal(text_of(d.keytype), "PRODUCTION");
        assert_string_equal(text_of(d.api->name), "Pets");
        assert_string_equal(text_of(d.resource->template), "/pets/{id}");
        assert_int_equal(d.operation->method, GW_GET);
        assert_string_equal(text_of(d.strip_header), "authorization");
    }
    decide(w, "GET", "/pets/1.0/pets/7", ED, &d);
    assert_string_equal(text_of(d.app), "app-2");
    decide(w, "GET", "/pets/1.0/pets/7", SANDBOX, &d); /* known although refused */
    assert_string_equal(text_of(d.keytype), "SANDBOX");
    decide(w, "GET", "/pets/1.0/pets/7", BORROWED, &d); /* not verified: not a fact */
    assert_int_equal(d.user.n + d.app.n + d.keytype.n, 0);
    enforce_worker_free(&w);
}

/* Each cluster gets the identity that was declared for it and for the key type, or none. */
static void test_identities(void **state)
{
    struct enforce_worker *w = new_worker(10);
    struct enforce_decision d;

    (void)state;
    decide(w, "GET", "/pets/1.0/pets/7", PLAIN, &d);
    assert_string_equal(text_of(d.identity->authorization), "Basic cGV0czo=");
    decide(w, "GET", "/pets/1.0/open", NO_TOKEN, &d);
    assert_string_equal(text_of(d.identity->user), "pets");
    decide(w, "GET", "/pets/1.0/far", PLAIN, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_null(d.identity);
    decide(w, "GET", "/pets/1.0/far", SANDBOX, &d);
    assert_string_equal(text_of(d.identity->user), "far");
    decide(w, "GET", "/box/far", SANDBOX, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_null(d.identity);
    enforce_worker_free(&w);
}

static void test_ready_on_any_host(void **state)
{
    struct enforce_worker *w = new_worker(10);
    struct enforce_rules *saved = rules;
    struct slice host = fixture.model.system_host;
    struct enforce_decision d;

    (void)state;
    fixture.model.system_host = SLICE("*");
    rules = fixture_rules(&fixture);
    decide(w, "GET", "/ready", PLAIN, &d);
    assert_int_equal(d.verdict, ENFORCE_READY);
    enforce_rules_unref(&rules);
    fixture.model.system_host = host;
    rules = saved;
    enforce_worker_free(&w);
}

static void test_outbound_header_may_stay(void **state)
{
    struct enforce_worker *w = new_worker(10);
    struct enforce_rules *saved = rules;
    struct enforce_decision d;

    (void)state;
    fixture.model.keep_auth_header = true;
    rules = fixture_rules(&fixture);
    decide(w, "GET", "/pets/1.0/pets/7", PLAIN, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_int_equal(d.strip_header.n, 0);
    enforce_rules_unref(&rules);
    fixture.model.keep_auth_header = false;
    rules = saved;
    enforce_worker_free(&w);
}

static void test_long_paths(void **state)
{
    static char path[3 * GW_PATH_MAX];
    struct enforce_worker *w = new_worker(0);
    struct enforce_decision d;

    (void)state;
    memset(path, 'a', sizeof(path) - 1);
    memcpy(path, "/pets/1.0/pets/", 15);
    decide(w, "GET", path, PLAIN, &d);
    assert_int_equal(d.status, 414);
    assert_string_equal(text_of(d.code), "414");
    assert_true(slice_contains(d.body, SLICE("\"message\":\"URI Too Long\"")));
    path[GW_PATH_MAX + 1] = '\0';
    decide(w, "GET", path, PLAIN, &d);
    assert_int_equal(d.status, 414);
    path[GW_PATH_MAX] = '\0'; /* the longest */
    decide(w, "GET", path, PLAIN, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_int_equal(d.path.n, GW_PATH_MAX - strlen("/pets/1.0") + strlen("/v2"));
    enforce_worker_free(&w);
}

static void test_no_headers_at_all(void **state)
{
    struct enforce_worker *w = new_worker(0);
    struct enforce_decision d;
    struct enforce_request request = {
        .method = SLICE("GET"), .host = SLICE("h"), .path = SLICE("/pets/1.0/pets/7")};

    (void)state;
    enforce_decide(w, rules, NULL, &request, &clock_at.clock, &d);
    assert_int_equal(d.status, 401);
    request = (struct enforce_request){.id = SLICE_NONE};
    enforce_decide(w, rules, NULL, &request, &clock_at.clock, &d);
    assert_int_equal(d.status, 400);
    enforce_worker_free(&w);
}

static void test_counters(void **state)
{
    struct enforce_worker *w = new_worker(10);
    struct enforce_counters c;
    struct enforce_decision d;

    (void)state;
    decide(w, "GET", "/pets/1.0/pets/7", PLAIN, &d);
    decide(w, "GET", "/pets/1.0/pets/7", PLAIN, &d);
    decide(w, "GET", "/pets/1.0/pets/7", EXPIRED, &d);
    decide(w, "GET", "/pets/1.0/open", EXPIRED, &d);
    decide(w, "GET", "/nowhere", PLAIN, &d);
    enforce_worker_counters(w, &c);
    assert_int_equal(c.decisions, 5);
    assert_int_equal(c.allowed, 3);
    assert_int_equal(c.denied, 2);
    assert_int_equal(c.cache_hits, 1);
    assert_int_equal(c.cache_misses, 2);
    assert_int_equal(c.cache_evictions, 0);
    enforce_worker_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_ready_on_any_host),
        cmocka_unit_test(test_outbound_header_may_stay),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_no_headers_at_all),
        cmocka_unit_test(test_counters),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
