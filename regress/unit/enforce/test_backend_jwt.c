/* The JWT for backends: what it says, byte for byte; whose key signs it; and that one that was made
 * for one token, API and application is used for nothing else, and no longer than it may. */
#include "fixture.h"

#include "enforce/live.h"
#include "enforce/trace.h"
#include "subs/subs_read.h"

#include "alloc_count.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TTL = 600, MARGIN = 5 };

struct world {
    struct fixture f;
    struct gw_key_pair pairs[2];
    struct gw_claim_mapping mappings[4];
    struct slice excluded[2];
    struct key *signing;
    struct buf certificate;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct enforce_live *live;
    struct clock_fixed clock;
    struct enforce_decision d;
    struct enforce_trace trace;
    struct arena *arena;
    struct jwt jwt; /* of the last decision, verified */
};

static void init(struct world *w, enum key_kind kind)
{
    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    fixture_need(key_generate(&w->signing, kind), "key");
    buf_init(&w->certificate, 1 << 16);
    fixture_need(key_write_certificate(w->signing, "gw.test", 10, &w->certificate), "certificate");
    w->pairs[0] = (struct gw_key_pair){buf_slice(&w->certificate), SLICE("/etc/cc/jwt.key")};
    w->f.model.backend_jwt = (struct gw_backend_jwt){
        .header = SLICE("x-jwt-assertion"),
        .dialect = SLICE("http://wso2.org/claims"),
        .user_claims = true,
        .base64url = true,
        .with_kid = true,
        .old_key_ids = true,
        .ttl_s = TTL,
        .excluded = w->excluded,
        .key_pairs = w->pairs,
        .n_key_pairs = 1,
    };
    w->arena = arena_new(JWT_ARENA_BYTES);
    clock_fixed_init(&w->clock, FIXTURE_NOW, 0);
}

/* The same key again: rules take theirs. */
static struct key *copy_key(const struct key *from)
{
    struct key *copy = NULL;
    struct buf pem;

    buf_init(&pem, 1 << 16);
    fixture_need(key_write_private(from, &pem), "pem");
    fixture_need(key_private_from_pem(&copy, buf_slice(&pem)), "private");
    buf_free(&pem);
    return copy;
}

/* Rules of the model as it is now. */
static void load(struct world *w)
{
    enforce_rules_unref(&w->rules);
    w->rules = fixture_rules(&w->f);
    if (w->f.model.backend_jwt.header.n > 0)
        assert_int_equal(enforce_rules_set_signing_key(w->rules, copy_key(w->signing)), CC_OK);
}

static void start(struct world *w, size_t cache)
{
    const struct enforce_options options = {cache > 0 ? 64 : 0, cache};

    load(w);
    fixture_need(enforce_worker_new(&w->worker, &options), "worker");
}

static void open_world(struct world *w)
{
    init(w, KEY_EC_P256);
    start(w, 262144);
}

static void close_world(struct world *w)
{
    enforce_live_unref(&w->live);
    enforce_worker_free(&w->worker);
    enforce_rules_unref(&w->rules);
    key_free(&w->signing);
    buf_free(&w->certificate);
    arena_free(&w->arena);
    fixture_free(&w->f);
}

static enum enforce_verdict ask(struct world *w, const char *method, const char *path,
                                const char *token)
{
    struct fixture_request r;
    char value[10000];

    fixture_request_init(&r, method, "h", path);
    if (token != NULL) {
        snprintf(value, sizeof(value), "Bearer %s", token);
        fixture_set_header(&r, 0, value, 1);
    }
    enforce_decide(w->worker, w->rules, w->live, &r.request, &w->clock.clock, &w->d);
    return w->d.verdict;
}

static uint64_t signatures(struct world *w)
{
    struct enforce_counters c;

    enforce_worker_counters(w->worker, &c);
    return c.jwts_signed;
}

/* The claims of the JWT, after its signature was found good. The random jti is replaced. */
static struct slice claims(struct world *w)
{
    static char text[8192];
    enum jwt_alg alg = key_id_algorithm(key_kind_of(w->signing));
    char *id;

    arena_reset(w->arena);
    assert_int_equal(w->d.verdict, ENFORCE_ALLOW);
    assert_int_equal(jwt_split(w->d.jwt, w->arena, &w->jwt), JWT_OK);
    assert_int_equal(jwt_verify(&w->jwt, 1u << alg, w->signing), JWT_OK);
    snprintf(text, sizeof(text), "%.*s", SLICE_ARG(w->jwt.payload));
    id = strstr(text, "\"jti\":\"");
    assert_non_null(id);
    memmove(id + 8, id + 7 + 36, strlen(id + 7 + 36) + 1);
    id[7] = 'J';
    return slice_of(text);
}

static void expect_claims(struct world *w, const char *expected)
{
    struct slice found = claims(w);

    if (!slice_is(found, expected))
        fail_msg("claims\n  %.*s\nare not\n  %s", SLICE_ARG(found), expected);
}

#define D     "http://wso2.org/claims/"
#define TIMES "\"iss\":\"wso2.org/products/am\",\"exp\":1700000600,\"iat\":1700000000,\"jti\":\"J\""

static char *make_token(struct world *w, const char *more)
{
    char payload[12000];

    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://ec\",\"sub\":\"ann\",\"exp\":%d,\"scope\":\"read:pets\"%s}",
             FIXTURE_NOW + 3600, more);
    return fixture_sign(&w->f, FIXTURE_EC, JWT_ES256, payload);
}

/* Of an issuer whose subscriptions are not looked at. */
static void the_claims_byte_for_byte(void **state)
{
    struct world w;
    char *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, ",\"aud\":\"x\",\"nbf\":1,\"iat\":2,\"jti\":\"t\",\"email\":\"ann@x\"");
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_true(slice_contains(claims(&w), SLICE("{" TIMES ",\"" D "applicationid\":\"")));
    {
        struct slice uuid = w.d.application.uuid;
        char expected[4096];

        snprintf(expected, sizeof(expected),
                 "{" TIMES ",\"" D "applicationid\":\"%.*s\",\"" D
                 "applicationname\":\"anon:ec\",\"" D "applicationtier\":\"Unlimited\",\"" D
                 "apiname\":\"Pets\",\"" D "apicontext\":\"/pets/1.0\",\"" D
                 "version\":\"1.0\",\"" D "keytype\":\"PRODUCTION\",\"" D
                 "usertype\":\"Application_User\",\"" D "enduser\":\"ann\",\"" D
                 "enduserTenantId\":\"0\",\"" D
                 "applicationUUId\":\"%.*s\",\"scope\":\"read:pets\",\"email\":\"ann@x\"}",
                 SLICE_ARG(uuid), SLICE_ARG(uuid));
        expect_claims(&w, expected);
    }
    assert_int_equal(w.jwt.alg, JWT_ES256);
    assert_int_equal(w.jwt.signature.n, 64);
    free(token);
    close_world(&w);
}

static void set_store(struct world *w, const char *yaml)
{
    struct arena *arena = arena_new(1 << 24);
    struct diag *diag = diag_new();
    struct subs *store = NULL;

    fixture_need(subs_read_text(&store, slice_of(yaml), "subs.yaml", arena, diag), "store");
    enforce_live_unref(&w->live);
    fixture_need(enforce_live_with_subs(&w->live, NULL, store), "live");
    subs_unref(&store);
    diag_free(&diag);
    arena_free(&arena);
}

#define STORE(tier)                                                                  \
    "applications:\n"                                                                \
    "  - {uuid: app, id: 2, name: Shop, subName: bob, policy: Big, tenantDomain: t," \
    " attributes: {color: 're\"d', size: L}}\n"                                      \
    "applicationPolicies: [{name: Big}]\n"                                           \
    "subscriptionPolicies: [{name: Gold}, {name: Silver}]\n"                         \
    "applicationKeyMappings:\n"                                                      \
    "  - {consumerKey: key, keyManager: ec, applicationUUID: app}\n"                 \
    "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: " tier "}]\n"

/* What changes in the store counts at once, also for a token whose JWT is remembered. */
static void the_application_of_the_store(void **state)
{
    struct world w;
    char *token;

    (void)state;
    init(&w, KEY_EC_P256);
    w.f.issuers[FIXTURE_EC].validate_subscription = true;
    start(&w, 262144);
    token = make_token(&w, ",\"azp\":\"key\"");
    set_store(&w, STORE("Gold"));
    ask(&w, "GET", "/pets/1.0/pets", token);
    expect_claims(&w,
                  "{" TIMES ",\"" D "subscriber\":\"bob\",\"" D "applicationid\":\"app\",\"" D
                  "applicationname\":\"Shop\",\"" D "applicationtier\":\"Big\",\"" D
                  "apiname\":\"Pets\",\"" D "apicontext\":\"/pets/1.0\",\"" D
                  "version\":\"1.0\",\"" D "tier\":\"Gold\",\"" D "keytype\":\"PRODUCTION\",\"" D
                  "usertype\":\"Application_User\",\"" D "enduser\":\"ann\",\"" D
                  "enduserTenantId\":\"0\",\"" D "applicationUUId\":\"app\",\"" D
                  "applicationAttributes\":{\"color\":\"re\\\"d\",\"size\":\"L\"},"
                  "\"scope\":\"read:pets\",\"azp\":\"key\"}");
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    set_store(&w, STORE("Silver"));
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_true(slice_contains(claims(&w), SLICE("tier\":\"Silver\"")));
    assert_int_equal(signatures(&w), 2);
    free(token);
    close_world(&w);
}

/* A claim of the token never stands for one of the gateway's, said or not; some are never told. */
static void claims_of_the_token(void **state)
{
    struct world w;
    struct slice found;
    char *token;

    (void)state;
    init(&w, KEY_EC_P256);
    w.excluded[0] = SLICE("secret");
    w.excluded[1] = SLICE("here");
    w.f.model.backend_jwt.n_excluded = 2;
    w.mappings[0] = (struct gw_claim_mapping){SLICE("there"), SLICE("here")};
    w.mappings[1] = (struct gw_claim_mapping){SLICE("mail"), SLICE("email")};
    w.mappings[2] = (struct gw_claim_mapping){SLICE("login"), SLICE("sub")};
    w.mappings[3] = (struct gw_claim_mapping){SLICE("absent"), SLICE("phone")};
    w.f.issuers[FIXTURE_EC].claim_mappings = w.mappings;
    w.f.issuers[FIXTURE_EC].n_claim_mappings = 4;
    start(&w, 0);
    token = make_token(
        &w,
        ",\"" D "subscriber\":\"root\",\"" D "tier\":\"Gold\",\"" D "enduser\":\"root\",\"" D
        "other\":1,\"secret\":1,\"there\":1,\"email\":\"a\",\"mail\":\"b\",\"login\":\"eve\","
        "\"phone\":\"1\",\"application\":{\"id\":1,\"name\":\"x\"},\"tierInfo\":{},\"aut\":\"U\","
        "\"subscribedAPIs\":[],\"exp2\":7,\"list\":[1,\"a\\u00e9\"],\"none\":null,\"yes\":true");
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    found = claims(&w);
    if (!slice_ends(found, SLICE("\"scope\":\"read:pets\",\"" D "other\":1,\"email\":\"b\","
                                 "\"phone\":\"1\",\"exp2\":7,\"list\":[1,\"a\xc3\xa9\"],"
                                 "\"none\":null,\"yes\":true}")))
        fail_msg("%.*s", SLICE_ARG(found));
    assert_true(slice_contains(found, SLICE("enduser\":\"eve\"")));
    assert_false(slice_contains(found, SLICE("root")));
    assert_true(slice_is(w.d.user, "ann")); /* in the log he is who the issuer says */
    w.f.model.backend_jwt.user_claims = false;
    load(&w);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    assert_true(slice_contains(claims(&w), SLICE("enduser\":\"eve\"")));
    assert_false(slice_contains(claims(&w), SLICE("scope")));
    free(token);
    close_world(&w);
}

static void expect_end(const char *dialect, bool convert, const char *more, const char *end,
                       const char *in_it)
{
    struct world w;
    struct slice found;
    char *token;

    init(&w, KEY_EC_P256);
    w.f.model.backend_jwt.dialect = slice_of(dialect);
    w.f.model.backend_jwt.convert_dialect = convert;
    start(&w, 0);
    token = make_token(&w, more);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    found = claims(&w);
    if (!slice_ends(found, slice_of(end)) || !slice_contains(found, slice_of(in_it)))
        fail_msg("%.*s does not end with %s or lacks %s", SLICE_ARG(found), end, in_it);
    free(token);
    close_world(&w);
}

static void dialects(void **state)
{
    (void)state;
    expect_end("", false, ",\"apiname\":\"x\",\"a\":1", "\",\"scope\":\"read:pets\",\"a\":1}",
               "\"apiname\":\"Pets\"");
    expect_end("/", false, ",\"/apiname\":\"x\",\"apiname\":1", "\",\"apiname\":1}",
               "\"/apiname\":\"Pets\"");
    expect_end("urn:x/", false, ",\"a\":1", ",\"a\":1}", "\"urn:x//apiname\":\"Pets\"");
    /* with the dialect of the gateway a name may be the gateway's, or another claim's, too */
    expect_end("urn:x", true, ",\"a\":1,\"urn:x/a\":2,\"tier\":\"Gold\",\"http://y\":3",
               "\",\"urn:x/scope\":\"read:pets\",\"urn:x/a\":1,\"http://y\":3}",
               "\"urn:x/apiname\":\"Pets\"");
}

/* Texts that hold an object or a list; those that only look so stay texts. */
static void texts_with_parts(void **state)
{
    (void)state;
    expect_end(
        "", false,
        ",\"o\":\"{\\\"a\\\":[1]}\",\"l\":\"[\\\"x\\\",\\\"y\\\"]\",\"t\":\"{no\",\"u\":\"[1]\","
        "\"d\":\"{\\\"a\\\":1,\\\"a\\\":2}\",\"v\":\"[\\\"x\\\",\\\"\"",
        ",\"o\":{\"a\":[1]},\"l\":[\"x\",\"y\"],\"t\":\"{no\",\"u\":\"[1]\","
        "\"d\":\"{\\\"a\\\":1,\\\"a\\\":2}\",\"v\":\"[\\\"x\\\",\\\"\"}",
        "");
}

static struct slice first_part(struct world *w)
{
    static char room[1024];
    struct slice rest = w->d.jwt, head;
    size_t n;

    slice_split(&rest, '.', &head);
    assert_int_equal(base64url_decode(head, room, sizeof(room), &n), CC_OK);
    return slice_make(room, n);
}

static void expect_head(enum key_kind kind, bool old, bool with_kid)
{
    struct key_id id;
    struct world w;
    char expected[512];
    enum jwt_alg alg = key_id_algorithm(kind);
    char *token;

    init(&w, kind);
    w.f.model.backend_jwt.old_key_ids = old;
    w.f.model.backend_jwt.with_kid = with_kid;
    start(&w, 0);
    token = make_token(&w, "");
    ask(&w, "GET", "/pets/1.0/pets", token);
    claims(&w); /* the signature */
    assert_int_equal(
        key_id_from_pem(&id, buf_slice(&w.certificate), alg, old ? KEY_ID_OLD : KEY_ID_RFC7515),
        CC_OK);
    snprintf(expected, sizeof(expected), "{\"typ\":\"JWT\",\"alg\":\"%s\",\"x5t\":\"%s\"%s%s%s}",
             jwt_alg_name(alg), id.x5t, with_kid ? ",\"kid\":\"" : "", with_kid ? id.kid : "",
             with_kid ? "\"" : "");
    assert_true(slice_is(first_part(&w), expected));
    free(token);
    close_world(&w);
}

static void headers_of_the_jwt(void **state)
{
    (void)state;
    expect_head(KEY_EC_P256, true, true);
    expect_head(KEY_EC_P256, false, true);
    expect_head(KEY_RSA, true, false);
}

/* base64 with + and /: the same bytes, another alphabet. */
static void the_other_alphabet(void **state)
{
    struct world w;
    char *token;
    char *text;

    (void)state;
    init(&w, KEY_EC_P256);
    w.f.model.backend_jwt.base64url = false;
    start(&w, 0);
    token = make_token(&w, ",\"x\":\"?~?>>>?~?>>>?~?>>>\"");
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(w.d.verdict, ENFORCE_ALLOW);
    assert_true(slice_find(w.d.jwt, '/') > 0 || slice_find(w.d.jwt, '+') > 0);
    assert_true(slice_find(w.d.jwt, '-') < 0 && slice_find(w.d.jwt, '_') < 0 &&
                slice_find(w.d.jwt, '=') < 0);
    /* what was signed is what was sent, so that only the alphabet of the signature is to be changed
     */
    text = strndup(w.d.jwt.p, w.d.jwt.n);
    for (char *p = strrchr(text, '.'); *p != '\0'; p++)
        *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
    {
        struct slice all = slice_of(text);
        char raw[64];
        size_t n, at = (size_t)(strrchr(text, '.') - text);
        struct jwt jwt = {.alg = JWT_ES256, .signing_input = slice_first(all, at)};

        assert_int_equal(base64url_decode(slice_from(all, at + 1), raw, sizeof(raw), &n), CC_OK);
        jwt.signature = slice_make(raw, n);
        assert_int_equal(jwt_verify(&jwt, 1u << JWT_ES256, w.signing), JWT_OK);
    }
    free(text);
    free(token);
    close_world(&w);
}

/* --- when there is one, and when none -----------------------------------------------------------
 */

static void only_with_a_credential_that_is_accepted(void **state)
{
    struct world w;
    char *token, *other;

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    other = make_token(&w, ",\"keytype\":\"SANDBOX\"");
    assert_int_equal(ask(&w, "GET", "/pets/1.0/open", NULL), ENFORCE_ALLOW);
    assert_int_equal(w.d.jwt.n, 0);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/open", token), ENFORCE_ALLOW);
    assert_int_equal(w.d.jwt.n, 0);
    assert_int_equal(ask(&w, "POST", "/pets/1.0/pets", token), ENFORCE_DENY); /* no scope */
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", other), ENFORCE_DENY);  /* no endpoint */
    assert_int_equal(ask(&w, "GET", "/pets/1.0/asked", token), ENFORCE_DENY);
    assert_int_equal(w.d.jwt.n, 0);
    assert_int_equal(signatures(&w), 0);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    assert_true(w.d.jwt.n > 0);
    assert_int_equal(signatures(&w), 1);
    w.f.model.backend_jwt = (struct gw_backend_jwt){.header = SLICE("")};
    load(&w);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    assert_int_equal(w.d.jwt.n, 0);
    free(other);
    free(token);
    close_world(&w);
}

static void expect_refused(struct world *w, const char *token, const char *why)
{
    assert_int_equal(ask(w, "GET", "/pets/1.0/pets", token), ENFORCE_DENY);
    assert_int_equal(w->d.status, 500);
    assert_true(slice_is(w->d.code, "900900"));
    assert_int_equal(w->d.jwt.n, 0);
    assert_int_equal(w->d.backend.n, 0);
    if (!slice_contains(w->d.reason, slice_of(why)))
        fail_msg("%.*s", SLICE_ARG(w->d.reason));
}

/* A closed door wherever it cannot be made. */
static void what_cannot_be_made(void **state)
{
    struct world w;
    char more[12000] = ",\"x\":\"", *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f); /* no key */
    expect_refused(&w, token, "there is no key");
    assert_int_equal(enforce_rules_set_signing_key(w.rules, copy_key(w.f.keys[FIXTURE_EC])),
                     CC_EINVAL);
    expect_refused(&w, token, "there is no key");
    assert_int_equal(enforce_rules_set_signing_key(w.rules, copy_key(w.signing)), CC_OK);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    free(token);

    /* 6144 bytes, and one claim more */
    memset(more + strlen(more), 'y', 4500);
    strcat(more, "\"");
    token = make_token(&w, more);
    expect_refused(&w, token, "larger than 6144 bytes");
    free(token);
    close_world(&w);
}

/* The largest that is sent, and one byte more. */
static void the_limit_is_exact(void **state)
{
    struct world w;
    bool refused = false;
    size_t largest = 0;

    (void)state;
    init(&w, KEY_EC_P256);
    start(&w, 0);
    for (int n = 3400; n < 4200 && !refused; n++) {
        char more[8192];
        char *token;

        snprintf(more, sizeof(more), ",\"x\":\"%0*d\"", n, 0);
        token = make_token(&w, more);
        refused = ask(&w, "GET", "/pets/1.0/pets", token) == ENFORCE_DENY;
        if (!refused)
            largest = w.d.jwt.n;
        free(token);
    }
    assert_true(refused);
    assert_in_range(largest, GW_BACKEND_JWT_MAX - 3, GW_BACKEND_JWT_MAX);
    close_world(&w);
}

/* cc-gen explain: what it would say, without a key. */
static void what_explain_shows(void **state)
{
    struct fixture_request r;
    struct world w;
    char *token;
    char value[4096];

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    enforce_rules_unref(&w.rules);
    w.rules = fixture_rules(&w.f);
    enforce_rules_leave_unsigned(w.rules);
    snprintf(value, sizeof(value), "Bearer %s", token);
    fixture_request_init(&r, "GET", "h", "/pets/1.0/pets");
    fixture_set_header(&r, 0, value, 1);
    for (int i = 0; i < 2; i++) {
        enforce_decide_traced(w.worker, w.rules, NULL, &r.request, &w.clock.clock, &w.d, &w.trace);
        assert_int_equal(w.d.verdict, ENFORCE_ALLOW);
        assert_int_equal(w.d.jwt.n, 0);
        assert_true(slice_starts(w.d.jwt_claims, SLICE("{\"iss\":\"wso2.org/products/am\"")));
        assert_int_equal(w.trace.steps[w.trace.n - 1].step, ENFORCE_STEP_BACKEND_JWT);
        assert_true(slice_starts(w.trace.steps[w.trace.n - 1].text,
                                 SLICE("in the header x-jwt-assertion, signed ES256")));
    }
    free(token);
    close_world(&w);
}

/* --- remembering --------------------------------------------------------------------------------
 */

static struct slice keep(struct world *w, char room[8192])
{
    assert_true(w->d.jwt.n > 0 && w->d.jwt.n < 8192);
    memcpy(room, w->d.jwt.p, w->d.jwt.n);
    return slice_make(room, w->d.jwt.n);
}

static void one_serves_a_token_and_an_api(void **state)
{
    struct world w;
    char *token, *other, *sandbox, room[8192];
    struct slice first;

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    other = make_token(&w, ",\"x\":1");
    sandbox = make_token(&w, ",\"keytype\":\"SANDBOX\"");
    ask(&w, "GET", "/pets/1.0/pets", token);
    first = keep(&w, room);
    /* warm: the same, and no heap */
    {
        size_t before = alloc_made;

        ask(&w, "GET", "/pets/1.0/pets/7", token);
        assert_int_equal(alloc_made, before);
    }
    assert_true(slice_eq(w.d.jwt, first));
    assert_int_equal(signatures(&w), 1);
    ask(&w, "GET", "/pets/1.0/pets", other);
    assert_false(slice_eq(w.d.jwt, first));
    assert_int_equal(signatures(&w), 2);
    ask(&w, "GET", "/box/far", sandbox); /* another API */
    ask(&w, "GET", "/pets/1.0/far", sandbox);
    assert_int_equal(signatures(&w), 4);
    ask(&w, "GET", "/box/far", sandbox);
    assert_true(slice_contains(claims(&w), SLICE("apiname\":\"Box\"")));
    ask(&w, "GET", "/pets/1.0/far", sandbox);
    assert_true(slice_contains(claims(&w), SLICE("apiname\":\"Pets\"")));
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_true(slice_eq(w.d.jwt, first));
    assert_int_equal(signatures(&w), 4);
    free(sandbox);
    free(other);
    free(token);
    close_world(&w);
}

/* Until shortly before its end; after that a new one, with new times. */
static void it_is_used_until_shortly_before_its_end(void **state)
{
    struct world w;
    char *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    ask(&w, "GET", "/pets/1.0/pets", token);
    clock_fixed_init(&w.clock, FIXTURE_NOW + TTL - MARGIN - 1, 0);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    clock_fixed_init(&w.clock, FIXTURE_NOW + TTL - MARGIN, 0);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 2);
    assert_true(slice_contains(claims(&w), SLICE("\"exp\":1700001195,\"iat\":1700000595,")));
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 2);
    free(token);
    close_world(&w);
}

/* A token that was forgotten, for it was not valid any more, is another one when it comes again. */
static void it_goes_with_its_token(void **state)
{
    struct world w;
    char payload[256], *token;

    (void)state;
    open_world(&w);
    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://ec\",\"sub\":\"ann\",\"exp\":%d,\"scope\":\"read:pets\"}",
             FIXTURE_NOW + 20);
    token = fixture_sign(&w.f, FIXTURE_EC, JWT_ES256, payload);
    ask(&w, "GET", "/pets/1.0/pets", token);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    clock_fixed_init(&w.clock, FIXTURE_NOW + 20 + FIXTURE_LEEWAY, 0);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_DENY);
    assert_int_equal(w.d.jwt.n, 0);
    clock_fixed_init(&w.clock, FIXTURE_NOW, 0); /* a clock that was set back */
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 2);
    free(token);
    close_world(&w);
}

/* Other settings or another key: nothing of before is used; the same ones loaded again: all of it.
 */
static void it_follows_the_rules(void **state)
{
    struct world w;
    struct key *old;
    char *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, ",\"x\":1");
    ask(&w, "GET", "/pets/1.0/pets", token);
    load(&w);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    w.f.model.backend_jwt.user_claims = false;
    load(&w);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_false(slice_contains(claims(&w), SLICE("\"x\":1")));
    assert_int_equal(signatures(&w), 2);
    old = w.signing;
    w.signing = NULL;
    fixture_need(key_generate(&w.signing, KEY_EC_P256), "key");
    buf_reset(&w.certificate);
    fixture_need(key_write_certificate(w.signing, "gw.test", 10, &w.certificate), "certificate");
    w.pairs[0].certificate = buf_slice(&w.certificate);
    load(&w);
    ask(&w, "GET", "/pets/1.0/pets", token);
    claims(&w); /* verified by the new key */
    assert_int_equal(jwt_verify(&w.jwt, 1u << JWT_ES256, old), JWT_BAD_SIGNATURE);
    assert_int_equal(signatures(&w), 3);
    key_free(&old);
    free(token);
    close_world(&w);
}

/* With the token cache off, nothing is remembered. */
static void without_cache(void **state)
{
    struct world w;
    char *token;

    (void)state;
    init(&w, KEY_EC_P256);
    start(&w, 0);
    token = make_token(&w, "");
    for (uint64_t i = 1; i < 4; i++) {
        assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
        assert_int_equal(signatures(&w), i);
    }
    free(token);
    close_world(&w);
}

/* A ring of few JWTs under many tokens: each request gets its own. */
static void a_small_cache_mixes_nothing_up(void **state)
{
    enum { TOKENS = 24 };
    struct world w;
    char *tokens[TOKENS];

    (void)state;
    init(&w, KEY_EC_P256);
    start(&w, 16384);
    for (int i = 0; i < TOKENS; i++) {
        char more[32];

        snprintf(more, sizeof(more), ",\"who\":\"u%d.\"", i);
        tokens[i] = make_token(&w, more);
    }
    for (unsigned i = 0; i < 20 * TOKENS; i++) {
        unsigned which = i * i * 7 % TOKENS;
        char want[32];

        snprintf(want, sizeof(want), "\"who\":\"u%u.\"", which);
        ask(&w, "GET", "/pets/1.0/pets", tokens[which]);
        assert_true(slice_contains(claims(&w), slice_of(want)));
    }
    assert_true(signatures(&w) < 20 * TOKENS);
    for (int i = 0; i < TOKENS; i++)
        free(tokens[i]);
    close_world(&w);
}

/* The gateway's own path: HAProxy serves it, the agent says no to other methods. */
static void the_key_set_is_a_system_resource(void **state)
{
    static const char *const paths[] = {"/.well-known/jwks", "/.wellknown/jwks"};
    struct fixture_request r;
    struct world w;

    (void)state;
    open_world(&w);
    for (int on = 1; on >= 0; on--) {
        for (size_t i = 0; i < 2; i++) {
            fixture_request_init(&r, "POST", "localhost", paths[i]);
            enforce_decide(w.worker, w.rules, NULL, &r.request, &w.clock.clock, &w.d);
            assert_int_equal(w.d.status, on ? 405 : 404);
            assert_true(slice_is(w.d.allow, on ? "GET, HEAD" : ""));
            fixture_request_init(&r, "GET", "localhost", paths[i]);
            enforce_decide(w.worker, w.rules, NULL, &r.request, &w.clock.clock, &w.d);
            assert_int_equal(w.d.status, 404);
        }
        w.f.model.backend_jwt = (struct gw_backend_jwt){.header = SLICE("")};
        load(&w);
    }
    close_world(&w);
}

static void names_of_the_header(void **state)
{
    static const char *const good[] = {"x-jwt-assertion", "assertion", "a-b-c-d-e", "x-9"};
    static const char *const bad[] = {"",
                                      "X-Jwt",
                                      "a_b",
                                      "a-b-c-d-e-f",
                                      "host",
                                      "a b",
                                      "cookie",
                                      "x-cc-id",
                                      "x-forwarded-x",
                                      "a\r\nb",
                                      "authorization",
                                      "sec-x",
                                      "content-length",
                                      "if-match"};
    const struct gw_backend_jwt jwt = {.header = SLICE("x-jwt-assertion")};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_null(gw_backend_jwt_header_fault(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (gw_backend_jwt_header_fault(slice_of(bad[i])) == NULL)
            fail_msg("%s is taken", bad[i]);
    assert_true(gw_backend_jwt_is_header(&jwt, SLICE("x_jwt-assertion")));
    assert_false(gw_backend_jwt_is_header(&jwt, SLICE("x-jwt-assertions")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claims_byte_for_byte),
        cmocka_unit_test(the_application_of_the_store),
        cmocka_unit_test(claims_of_the_token),
        cmocka_unit_test(dialects),
        cmocka_unit_test(texts_with_parts),
        cmocka_unit_test(headers_of_the_jwt),
        cmocka_unit_test(the_other_alphabet),
        cmocka_unit_test(only_with_a_credential_that_is_accepted),
        cmocka_unit_test(what_cannot_be_made),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(what_explain_shows),
        cmocka_unit_test(one_serves_a_token_and_an_api),
        cmocka_unit_test(it_is_used_until_shortly_before_its_end),
        cmocka_unit_test(it_goes_with_its_token),
        cmocka_unit_test(it_follows_the_rules),
        cmocka_unit_test(without_cache),
        cmocka_unit_test(a_small_cache_mixes_nothing_up),
        cmocka_unit_test(the_key_set_is_a_system_resource),
        cmocka_unit_test(names_of_the_header),
    };

    alloc_count_start();
    return cmocka_run_group_tests_name("enforce/backend_jwt", tests, NULL, NULL);
}
