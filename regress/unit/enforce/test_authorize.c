/* Requirements over credentials: alternatives and all at once, which refusal the client is told,
 * and on whose behalf a request comes. */
#include "fixture.h"

#include "enforce/trace.h"

#include "revoke/revoke.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NEED(kind, scopes, n, line)                       \
    {                                                     \
        kind, SLICE_INIT(""), scopes, n, FIXTURE_AT(line) \
    }

static const struct slice scope_a[] = {SLICE_INIT("a")};
static const struct gw_need token_need = NEED(GW_TOKEN, NULL, 0, 101);
static const struct gw_need scope_need = NEED(GW_TOKEN, scope_a, 1, 102);
static const struct gw_need certificate_need = NEED(GW_CERTIFICATE, NULL, 0, 103);
static const struct gw_need token_and_certificate[] = {
    NEED(GW_TOKEN, NULL, 0, 104),
    NEED(GW_CERTIFICATE, NULL, 0, 105),
};
static const struct gw_need two_scopes[] = {
    NEED(GW_TOKEN, scope_a, 1, 106),
    NEED(GW_TOKEN, fixture_read, 1, 107),
};

#define ONE(need, line)              \
    {                                \
        &(need), 1, FIXTURE_AT(line) \
    }
static const struct gw_requirement either[] = {ONE(certificate_need, 201), ONE(token_need, 202)};
static const struct gw_requirement both[] = {{token_and_certificate, 2, FIXTURE_AT(203)}};
static const struct gw_requirement both_or_scope[] = {
    {token_and_certificate, 2, FIXTURE_AT(204)},
    ONE(scope_need, 205),
};
static const struct gw_requirement two[] = {{two_scopes, 2, FIXTURE_AT(206)}};
#define KEY(kind, text, line)                             \
    {                                                     \
        kind, SLICE_INIT(text), NULL, 0, FIXTURE_AT(line) \
    }
static const struct gw_need header_need = KEY(GW_KEY_IN_HEADER, "x-key", 108);
static const struct gw_need query_need = KEY(GW_KEY_IN_QUERY, "k", 109);
static const struct gw_need token_and_key[] = {KEY(GW_KEY_IN_HEADER, "x-key", 110),
                                               NEED(GW_TOKEN, scope_a, 1, 111)};
static const struct gw_requirement key_or_token[] = {ONE(header_need, 208), ONE(query_need, 209),
                                                     ONE(scope_need, 210)};
static const struct gw_requirement key_and_token[] = {{token_and_key, 2, FIXTURE_AT(211)}};
static const struct gw_requirement key[] = {ONE(header_need, 212)};
static const struct gw_requirement certificate[] = {ONE(certificate_need, 207)};

#define OPERATION(m, list)                                                                     \
    {                                                                                          \
        .method = m, .requirements = list, .n_requirements = sizeof(list) / sizeof((list)[0]), \
        .origin = FIXTURE_AT(99)                                                               \
    }
static const struct gw_operation operations[] = {
    OPERATION(GW_GET, either), OPERATION(GW_POST, both),         OPERATION(GW_PUT, both_or_scope),
    OPERATION(GW_DELETE, two), OPERATION(GW_PATCH, certificate),
};
static const struct gw_operation key_operations[] = {
    OPERATION(GW_GET, key),
    OPERATION(GW_POST, key_or_token),
    OPERATION(GW_PUT, key_and_token),
};
static const struct gw_resource resources[] = {
    {.template = SLICE_INIT("/x"),
     .operations = operations,
     .n_operations = sizeof(operations) / sizeof(operations[0]),
     .origin = FIXTURE_AT(98)},
    {.template = SLICE_INIT("/key"),
     .operations = key_operations,
     .n_operations = sizeof(key_operations) / sizeof(key_operations[0]),
     .origin = FIXTURE_AT(96)},
};
static const struct slice headers[] = {SLICE_INIT("authorization"), SLICE_INIT("referer"),
                                       SLICE_INIT("x-key"), SLICE_INIT("z-console")};
static const struct slice params[] = {SLICE_INIT("k")};
/* what is compared with the request's certificate, of which there is none in these tests */
static const struct gw_client client = {
    .alias = SLICE_INIT("c"),
    .fingerprint = SLICE_INIT("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    .tier = SLICE_INIT(""),
    .pem = SLICE_INIT(""),
};
static const struct gw_api api = {.clients = &client,
                                  .n_clients = 1,
                                  .id = SLICE_INIT("keys"),
                                  .name = SLICE_INIT("Keys"),
                                  .version = SLICE_INIT("1"),
                                  .vhost = SLICE_INIT("*"),
                                  .base_path = SLICE_INIT("/k"),
                                  .auth_header = SLICE_INIT("authorization"),
                                  .production = &fixture_clusters[0],
                                  .key_headers = SLICE_INIT(",x-key,"),
                                  .key_params = params,
                                  .n_key_params = 1,
                                  .resources = resources,
                                  .n_resources = 2,
                                  .origin = FIXTURE_AT(97)};

static struct fixture fixture;
static struct enforce_rules *rules;
static struct enforce_worker *worker;
static struct enforce_trace trace;
static struct clock_fixed now;

static int set_up(void **state)
{
    const struct enforce_options options = {.cache_entries = 16, .cache_bytes = 64 << 10};

    (void)state;
    fixture_init(&fixture);
    fixture.model.apis = &api;
    fixture.model.n_apis = 1;
    fixture.model.headers = headers;
    fixture.model.n_headers = 4;
    fixture.model.internal_key_header = SLICE("z-console");
    fixture.issuers[FIXTURE_EC].internal_keys = true;
    /* ed signs API keys alone, whatever their iss; rsa signs tokens and API keys */
    fixture.issuers[FIXTURE_ED].access_tokens = false;
    fixture.issuers[FIXTURE_ED].api_keys = true;
    fixture.issuers[FIXTURE_ED].issuer = SLICE("");
    fixture.issuers[FIXTURE_RSA].api_keys = true;
    rules = fixture_rules(&fixture);
    fixture_need(enforce_worker_new(&worker, &options), "worker");
    clock_fixed_init(&now, FIXTURE_NOW, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enforce_worker_free(&worker);
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    return 0;
}

enum token { NONE, PLAIN, SCOPED, BOTH_SCOPES, EXPIRED, N_TOKENS };

static const char *const claims[N_TOKENS] = {
    [PLAIN] = "\"exp\":1700003600,\"sub\":\"ann\",\"azp\":\"app\"",
    [SCOPED] = "\"exp\":1700003600,\"sub\":\"ann\",\"scope\":\"b a\"",
    [BOTH_SCOPES] = "\"exp\":1700003600,\"scope\":\"read:pets a\"",
    [EXPIRED] = "\"exp\":1600003600,\"sub\":\"ann\"",
};

struct request {
    struct enforce_request request;
    struct enforce_header headers[4];
    char texts[4][4096];
};

static void request_init(struct request *r, const char *method, const char *path)
{
    *r = (struct request){.request = {.id = SLICE("id"),
                                      .method = slice_of(method),
                                      .path = slice_of(path),
                                      .host = SLICE("a.example")}};
    r->request.headers = r->headers;
}

static void set_token(struct request *r, size_t header, enum fixture_signer signer,
                      enum jwt_alg alg, const char *before, const char *payload)
{
    char *token = fixture_sign(&fixture, signer, alg, payload);

    snprintf(r->texts[header], sizeof(r->texts[0]), "%s%s", before, token);
    r->headers[header] = (struct enforce_header){.value = slice_of(r->texts[header]), .count = 1};
    free(token);
}

static void decide(const char *method, enum token which, struct enforce_decision *out)
{
    struct request r;
    char payload[512];

    request_init(&r, method, "/k/x");
    snprintf(payload, sizeof(payload), "{\"iss\":\"https://rsa\",%s}",
             which != NONE ? claims[which] : "");
    if (which != NONE)
        set_token(&r, 0, FIXTURE_RSA, JWT_RS256, "Bearer ", payload);
    enforce_decide_traced(worker, rules, NULL, &r.request, &now.clock, out, &trace);
}

struct row {
    int line;
    const char *method;
    enum token token;
    int status; /* 0: allowed */
    const char *code, *reason;
    unsigned by; /* the line behind the decision */
};

#define ROW .line = __LINE__

static const struct row rows[] = {
    /* an alternative that cannot be met is as if it were not there, in whatever order */
    {ROW, "GET", PLAIN, 0, "", "allowed", 202},
    {ROW, "GET", NONE, 401, "900901", "none was shown", 103},
    {ROW, "GET", EXPIRED, 401, "900901", "the token has expired", 99},
    /* all at once: a good token alone is not enough */
    {ROW, "POST", PLAIN, 401, "900901", "none was shown", 105},
    {ROW, "POST", SCOPED, 401, "900901", "none was shown", 105},
    {ROW, "POST", EXPIRED, 401, "900901", "the token has expired", 99},
    {ROW, "POST", NONE, 401, "900901", "the header is missing", 99},
    /* the same token is asked for again, and not verified again */
    {ROW, "PUT", SCOPED, 0, "", "allowed", 205},
    {ROW, "PUT", PLAIN, 403, "900910", "none of the scopes", 204},
    {ROW, "PUT", EXPIRED, 401, "900901", "the token has expired", 99},
    {ROW, "PUT", NONE, 401, "900901", "the header is missing", 99},
    /* two schemes of tokens: one token with a scope of each */
    {ROW, "DELETE", BOTH_SCOPES, 0, "", "allowed", 206},
    {ROW, "DELETE", SCOPED, 403, "900910", "none of the scopes", 206},
    {ROW, "DELETE", NONE, 401, "900901", "the header is missing", 99},
    /* a kind that is not supported */
    {ROW, "PATCH", PLAIN, 401, "900901", "none was shown", 103},
    {ROW, "PATCH", NONE, 401, "900901", "none was shown", 103},
};

static void one_row(const struct row *row)
{
    struct enforce_decision d;

    decide(row->method, row->token, &d);
    if (d.status != row->status || !slice_eq(d.code, slice_of(row->code)) ||
        !slice_contains(d.reason, slice_of(row->reason)) || trace.cause.line != row->by)
        fail_msg("row at line %d: %d %.*s, \"%.*s\", by line %u", row->line, d.status,
                 SLICE_ARG(d.code), SLICE_ARG(d.reason), trace.cause.line);
    assert_int_equal(d.verdict, row->status == 0 ? ENFORCE_ALLOW : ENFORCE_DENY);
    assert_int_equal(d.backend.n > 0, row->status == 0);
}

static void test_requirements(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) /* a token of the second round is in the cache */
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            one_row(&rows[i]);
}

#define APIKEY  "\"token_type\":\"apiKey\",\"sub\":\"kim\",\"exp\":1700003600"
#define FOREVER "\"token_type\":\"apiKey\""
#define ANY_KEY "{\"iss\":\"https://whoever\"," APIKEY "}"
#define GOOD    "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":\"ann\",\"scope\":\"a\"}"
#define POOR    "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":\"ann\"}"
#define OLD     "{\"iss\":\"https://rsa\",\"exp\":1600003600,\"sub\":\"ann\"}"

struct key_row {
    int line;
    const char *method;
    const char *key;   /* its payload, signed by ed; NULL: none */
    const char *token; /* the same of a token, signed by rsa */
    bool in_query, by_rsa;
    int status;
    const char *code, *reason, *user;
};

static const struct key_row key_rows[] = {
    {ROW, "GET", ANY_KEY, NULL, false, false, 0, "", "allowed", "kim"},
    {ROW, "GET", "{\"iss\":\"x\"," FOREVER "}", NULL, false, false, 0, "", "allowed", ""},
    {ROW, "GET", NULL, NULL, false, false, 401, "900901", "x-key: the header is missing", ""},
    {ROW, "GET", NULL, GOOD, false, false, 401, "900901", "x-key: the header is missing", ""},
    {ROW, "GET", ANY_KEY, NULL, true, false, 401, "900901", "x-key: the header is missing", ""},
    /* types: no token is a key, no key a token, and the case counts */
    {ROW, "GET", "{\"iss\":\"x\",\"exp\":1700003600}", NULL, false, false, 401, "900901",
     "token_type", ""},
    {ROW, "GET", "{\"iss\":\"x\",\"exp\":1700003600,\"token_type\":\"apikey\"}", NULL, false, false,
     401, "900901", "token_type", ""},
    {ROW, "GET", "{\"iss\":\"x\",\"exp\":1700003600,\"token_type\":\"InternalKey\"}", NULL, false,
     false, 401, "900901", "token_type", ""},
    {ROW, "GET", "{\"iss\":\"x\",\"exp\":1700003600,\"token_type\":[\"apiKey\"]}", NULL, false,
     false, 401, "900901", "wrong type", ""},
    {ROW, "POST", NULL, "{\"iss\":\"https://rsa\"," APIKEY ",\"scope\":\"a\"}", false, false, 401,
     "900901", "token_type", ""},
    {ROW, "POST", NULL,
     "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":\"a\",\"token_type\":\"APIKEY\"}",
     false, false, 401, "900901", "token_type", ""},
    /* who may sign them: ed no tokens, rsa keys with its iss only */
    {ROW, "GET", "{\"iss\":\"https://rsa\"," APIKEY "}", NULL, false, true, 0, "", "allowed",
     "kim"},
    {ROW, "GET", "{\"iss\":\"https://rsa\"," APIKEY "}", NULL, false, false, 401, "900901",
     "does not allow this algorithm", ""},
    {ROW, "GET", ANY_KEY, NULL, false, true, 401, "900901", "does not allow this algorithm", ""},
    {ROW, "GET", "{\"iss\":\"x\",\"token_type\":\"apiKey\",\"exp\":1600000000}", NULL, false, false,
     401, "900901", "expired", "x"},
    /* alternatives: the token's rank is first, a bad one spoils nothing */
    {ROW, "POST", ANY_KEY, NULL, true, false, 0, "", "allowed", "kim"},
    {ROW, "POST", ANY_KEY, GOOD, false, false, 0, "", "allowed", "ann"},
    {ROW, "POST", ANY_KEY, POOR, false, false, 0, "", "allowed", "kim"},
    {ROW, "POST", ANY_KEY, OLD, true, false, 0, "", "allowed", "kim"},
    {ROW, "POST", "{}", POOR, true, false, 403, "900910", "none of the scopes", "ann"},
    {ROW, "POST", "{}", OLD, false, false, 401, "900901", "expired", "ann"},
    {ROW, "POST", "{}", NULL, true, false, 401, "900901", "iss is missing", ""},
    {ROW, "POST", NULL, NULL, true, false, 401, "900901", "authorization: the header is missing",
     ""},
    /* both at once: the token says who calls */
    {ROW, "PUT", ANY_KEY, GOOD, false, false, 0, "", "allowed", "ann"},
    {ROW, "PUT", ANY_KEY, POOR, false, false, 403, "900910", "none of the scopes", "ann"},
    {ROW, "PUT", ANY_KEY, NULL, false, false, 401, "900901", "header is missing", ""},
    {ROW, "PUT", NULL, GOOD, false, false, 401, "900901", "header is missing", ""},
    {ROW, "PUT", "{}", GOOD, false, false, 401, "900901", "iss is missing", ""},
    {ROW, "PUT", ANY_KEY, GOOD, true, false, 401, "900901", "header is missing", ""},
    /* what it is subscribed to counts, whether or not the issuer validates */
    {ROW, "GET",
     "{\"iss\":\"x\"," APIKEY ",\"subscribedAPIs\":[{\"name\":\"Keys\",\"version\":\"1\"}]}", NULL,
     false, false, 0, "", "allowed", "kim"},
    {ROW, "GET",
     "{\"iss\":\"x\"," APIKEY ",\"subscribedAPIs\":[{\"name\":\"Keys\",\"version\":\"2\"}]}", NULL,
     false, false, 403, "900908", "do not name the API", "kim"},
    {ROW, "GET", "{\"iss\":\"x\"," APIKEY ",\"subscribedAPIs\":[]}", NULL, false, false, 403,
     "900908", "do not name the API", "kim"},
    /* permitted is nobody that is not known */
    {ROW, "GET", "{\"iss\":\"x\"," APIKEY ",\"permittedIP\":\"0.0.0.0/0\"}", NULL, false, false,
     403, "900908", "address is not known", "kim"},
    {ROW, "GET", "{\"iss\":\"x\"," APIKEY ",\"permittedReferer\":\"*\"}", NULL, false, false, 403,
     "900908", "permittedReferer", "kim"},
    {ROW, "GET", "{\"iss\":\"x\"," APIKEY ",\"permittedIP\":[\"0.0.0.0/0\"]}", NULL, false, false,
     401, "900901", "wrong type", ""},
};

static void one_key(const struct key_row *row)
{
    struct enforce_decision d;
    struct request r;
    char query[4200];

    request_init(&r, row->method, "/k/key");
    if (row->token != NULL)
        set_token(&r, 0, FIXTURE_RSA, JWT_RS256, "Bearer ", row->token);
    if (row->key != NULL)
        set_token(&r, 2, row->by_rsa ? FIXTURE_RSA : FIXTURE_ED,
                  row->by_rsa ? JWT_RS256 : JWT_EdDSA, "", row->key);
    snprintf(query, sizeof(query), "a=1&k=%s", r.texts[2]);
    if (row->in_query) {
        r.request.query = slice_of(query);
        r.headers[2].count = 0;
    }
    enforce_decide_traced(worker, rules, NULL, &r.request, &now.clock, &d, &trace);
    if (d.status != row->status || !slice_eq(d.code, slice_of(row->code)) ||
        !slice_contains(d.reason, slice_of(row->reason)) ||
        (row->status == 0 && !slice_eq(d.user, slice_of(row->user))))
        fail_msg("row at line %d: %d %.*s, \"%.*s\", user '%.*s'", row->line, d.status,
                 SLICE_ARG(d.code), SLICE_ARG(d.reason), SLICE_ARG(d.user));
    assert_int_equal(d.verdict, row->status == 0 ? ENFORCE_ALLOW : ENFORCE_DENY);
    if (d.verdict != ENFORCE_ALLOW)
        return;
    assert_true(slice_is(d.strip_keys, ",x-key,"));
    assert_int_equal(d.query_cut, row->in_query);
    if (row->in_query)
        assert_true(slice_is(d.query, "a=1"));
}

static void test_keys(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) /* from the second round on from the cache */
        for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++)
            one_key(&key_rows[i]);
}

/* A key is revoked as a token is, and told so as a key. */
static void test_revoked_key(void **state)
{
    struct revoked *revoked = NULL;
    struct enforce_decision d;
    struct request r;

    (void)state;
    tear_down(state);
    set_up(state);
    fixture_need(revoked_new(&revoked, 16), "table");
    revoked_set_ready(revoked, true);
    enforce_worker_set_revoked(worker, revoked);
    request_init(&r, "GET", "/k/key");
    set_token(&r, 2, FIXTURE_ED, JWT_EdDSA, "", "{\"iss\":\"x\"," APIKEY ",\"jti\":\"one\"}");
    enforce_decide(worker, rules, NULL, &r.request, &now.clock, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    revoked_add(revoked, SLICE("one"), REVOKED_FOREVER, REVOKED_BY_STATE, FIXTURE_NOW);
    for (int round = 0; round < 2;
         round++) { /* remembered, and by a worker that does not know it */
        enforce_decide(worker, rules, NULL, &r.request, &now.clock, &d);
        assert_int_equal(d.status, 401);
        assert_true(slice_contains(d.reason, SLICE("the token is revoked")));
        assert_true(slice_contains(d.body, SLICE("API key authentication failed")));
        enforce_worker_free(&worker);
        fixture_need(enforce_worker_new(&worker, &(struct enforce_options){.cache_entries = 0}),
                     "worker");
        enforce_worker_set_revoked(worker, revoked);
    }
    tear_down(state);
    set_up(state);
    revoked_free(&revoked);
}

/* Where from, for each request anew, whether or not the key is remembered. */
static void test_permitted(void **state)
{
    static const struct {
        const char *from, *referer;
        unsigned lines;
        bool permitted;
    } cases[] = {
        {"10.1.2.3", "https://a.test/", 1, true},
        {"11.1.2.3", "https://a.test/", 1, false},
        {"10.1.2.3", "https://b.test/", 1, false},
        {"10.1.2.3", "", 0, false},
        {"10.1.2.3", "https://a.test/", 2, false},
        {"::ffff:10.9.9.9", "https://a.test/x", 1, true},
        {"2001:db8::1", "https://a.test/x", 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct enforce_decision d;
        struct request r;

        request_init(&r, "GET", "/k/key");
        set_token(&r, 2, FIXTURE_ED, JWT_EdDSA, "",
                  "{\"iss\":\"x\"," APIKEY ",\"permittedIP\":\"10.0.0.0/8\","
                  "\"permittedReferer\":\"https://a.test/*\"}");
        r.headers[1] =
            (struct enforce_header){.value = slice_of(cases[i].referer), .count = cases[i].lines};
        r.request.has_src = gw_address_parse(slice_of(cases[i].from), &r.request.src);
        assert_true(r.request.has_src);
        enforce_decide(worker, rules, NULL, &r.request, &now.clock, &d);
        if ((d.verdict == ENFORCE_ALLOW) != cases[i].permitted)
            fail_msg("%s, %s: %.*s", cases[i].from, cases[i].referer, SLICE_ARG(d.reason));
        assert_int_equal(d.status, cases[i].permitted ? 0 : 403);
    }
}

#define CONSOLE "\"token_type\":\"InternalKey\",\"sub\":\"pat\",\"exp\":1700003600"
#define FOR(context, version)                                          \
    ",\"subscribedAPIs\":[{\"context\":\"/other\",\"version\":\"1\"}," \
    "{\"name\":\"X\",\"context\":\"" context "\",\"version\":\"" version "\"}]}"

/* Every operation takes an internal key that is for its API, whatever else it wants. */
static void test_internal_keys(void **state)
{
    static const struct {
        int line;
        const char *method, *path;
        const char *key, *token;
        unsigned lines;
        int status;
        const char *code, *reason;
    } cases[] = {
        {ROW, "GET", "/k/key", CONSOLE FOR("/k", "1"), NULL, 1, 0, "", "allowed"},
        {ROW, "PUT", "/k/key", CONSOLE FOR("/k", "1"), NULL, 1, 0, "", "allowed"},
        {ROW, "POST", "/k/x", CONSOLE FOR("/k", "1"), NULL, 1, 0, "", "allowed"},
        {ROW, "GET", "/k/key", CONSOLE FOR("/k", "2"), NULL, 1, 403, "900908", "not for this API"},
        {ROW, "GET", "/k/key", CONSOLE FOR("/kk", "1"), NULL, 1, 403, "900908", "not for this"},
        {ROW, "GET", "/k/key", CONSOLE "}", NULL, 1, 403, "900908", "not for this API"},
        {ROW, "GET", "/k/key", CONSOLE FOR("/k", "1"), NULL, 2, 401, "900901", "more than once"},
        {ROW, "GET", "/k/key", APIKEY FOR("/k", "1"), NULL, 1, 401, "900901", "token_type"},
        {ROW, "GET", "/k/key", "\"exp\":1700003600" FOR("/k", "1"), NULL, 1, 401, "900901",
         "token_type"},
        {ROW, "GET", "/k/key", "\"token_type\":\"InternalKey\"" FOR("/k", "1"), NULL, 1, 401,
         "900901", "exp"},
        {ROW, "GET", "/k/key", "\"token_type\":\"InternalKey\",\"exp\":1600000000" FOR("/k", "1"),
         NULL, 1, 401, "900901", "expired"},
        /* its refusal is the first; what else the request brings counts all the same */
        {ROW, "POST", "/k/key", "\"exp\":1700003600}", GOOD, 1, 0, "", "allowed"},
        {ROW, "POST", "/k/key", "\"exp\":1700003600}", OLD, 1, 401, "900901", "token_type"},
        {ROW, "POST", "/k/key", CONSOLE FOR("/k", "1"), OLD, 1, 0, "", "allowed"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        size_t at = i % (sizeof(cases) / sizeof(cases[0]));
        struct enforce_decision d;
        struct request r;
        char payload[1024];

        snprintf(payload, sizeof(payload), "{\"iss\":\"https://ec\",\"aud\":\"cc\",%s",
                 cases[at].key);
        request_init(&r, cases[at].method, cases[at].path);
        set_token(&r, 3, FIXTURE_EC, JWT_ES256, "", payload);
        r.headers[3].count = cases[at].lines;
        if (cases[at].token != NULL)
            set_token(&r, 0, FIXTURE_RSA, JWT_RS256, "Bearer ", cases[at].token);
        enforce_decide_traced(worker, rules, NULL, &r.request, &now.clock, &d, &trace);
        if (d.status != cases[at].status || !slice_eq(d.code, slice_of(cases[at].code)) ||
            !slice_contains(d.reason, slice_of(cases[at].reason)))
            fail_msg("row at line %d: %d %.*s, \"%.*s\"", cases[at].line, d.status,
                     SLICE_ARG(d.code), SLICE_ARG(d.reason));
        if (at == 0) {
            assert_true(slice_is(d.user, "pat"));
            assert_true(slice_is(d.keytype, "PRODUCTION"));
            assert_true(slice_is(d.application.name, "internal-key-app"));
            assert_true(slice_is(d.application.tier, "Unlimited"));
            assert_int_equal(d.application.id, 0);
            assert_int_equal(d.application.uuid.n, 36);
        }
    }
}

/* Each credential is looked at once: the counters of the cache say how often. */
static void test_once(void **state)
{
    struct enforce_counters before, after;
    struct enforce_decision d;

    (void)state;
    enforce_worker_counters(worker, &before);
    decide("PUT", EXPIRED, &d);
    enforce_worker_counters(worker, &after);
    assert_int_equal(after.cache_misses + after.cache_hits,
                     before.cache_misses + before.cache_hits + 1);
}

/* The steps show what was tried, and which refusal is the one of the decision. */
static void test_trace(void **state)
{
    struct enforce_decision d;
    size_t refused = 0;

    (void)state;
    decide("PUT", PLAIN, &d);
    for (size_t i = 0; i < trace.n; i++)
        refused += trace.steps[i].refused;
    assert_int_equal(refused, 2); /* there is no certificate; the scope */
    assert_int_equal(trace.steps[trace.n - 1].step, ENFORCE_STEP_SCOPES);
    assert_true(slice_is(d.user, "ann")); /* whose token lacks the scope */
    assert_true(slice_is(d.app, "app"));

    decide("GET", PLAIN, &d);
    refused = 0;
    for (size_t i = 0; i < trace.n; i++)
        refused += trace.steps[i].refused;
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_int_equal(refused, 1);
    assert_true(slice_is(d.user, "ann"));
    assert_true(slice_is(trace.why, "allowed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requirements), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_revoked_key),  cmocka_unit_test(test_internal_keys),
        cmocka_unit_test(test_permitted),    cmocka_unit_test(test_once),
        cmocka_unit_test(test_trace),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
