/* /testkey: who gets a token, what is in it, and that the gateway believes it. */
#include "enforce/testkey.h"
#include "fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct testkey_user users[] = {
    {SLICE_INIT("admin"), SLICE_INIT("geheim")},
    {SLICE_INIT("second"), SLICE_INIT("a:b \xc3\xa4")},
    {SLICE_INIT("third"), SLICE_INIT("geheim")},
};

static struct fixture fixture;
static struct enforce_rules *rules;
static struct enforce_testkey *testkey;
static struct enforce_worker *worker;
static struct clock_fixed clock_at;
static struct enforce_decision decision;

static struct key *copy_of(enum fixture_signer signer)
{
    struct key *key = NULL;
    struct buf pem;

    buf_init(&pem, 1 << 16);
    assert_int_equal(key_write_private(fixture.keys[signer], &pem), CC_OK);
    assert_int_equal(key_private_from_pem(&key, buf_slice(&pem)), CC_OK);
    buf_free(&pem);
    return key;
}

static struct testkey_settings settings_of(const char *dialect)
{
    return (struct testkey_settings){
        .issuer = SLICE("https://rsa"),
        .dialect = slice_of(dialect),
        .certificate = SLICE(""),
        .base64url = true,
        .validity_s = 600,
        .users = users,
        .n_users = 3,
    };
}

static int set_up(void **state)
{
    struct testkey_settings settings = settings_of("");
    struct enforce_options options = {16, 1 << 16};

    (void)state;
    fixture_init(&fixture);
    rules = fixture_rules(&fixture);
    clock_fixed_init(&clock_at, FIXTURE_NOW, 0);
    assert_int_equal(enforce_testkey_new(&testkey, &settings, copy_of(FIXTURE_RSA)), CC_OK);
    assert_int_equal(enforce_worker_new(&worker, &options), CC_OK);
    enforce_worker_set_testkey(worker, testkey);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enforce_worker_free(&worker);
    enforce_testkey_free(&testkey);
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    return 0;
}

/* Asks, a second after the last time. */
static const struct enforce_decision *ask_as(struct slice login, struct slice scope,
                                             const char *method, const char *host)
{
    struct enforce_request request = {
        .method = slice_of(method),
        .path = SLICE("/testkey"),
        .host = slice_of(host),
        .login = login,
        .scope = scope,
    };

    clock_at.now_mono_us += 1000000;
    enforce_decide(worker, rules, NULL, &request, &clock_at.clock, &decision);
    return &decision;
}

static const struct enforce_decision *ask(const char *login, struct slice scope)
{
    return ask_as(slice_of(login), scope, "POST", "localhost");
}

/* "Basic " and the base64 of "name:password". */
static struct slice basic(const char *login)
{
    static char room[4096];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    buf_add_str(&b, "Basic ");
    base64_encode(slice_of(login), &b);
    assert_int_equal(buf_error(&b), CC_OK);
    return buf_slice(&b);
}

static void expect(int status, const char *body)
{
    assert_int_equal(decision.verdict, ENFORCE_DENY);
    assert_int_equal(decision.status, status);
    assert_true(slice_is(decision.content_type, "text/plain"));
    if (body != NULL && !slice_is(decision.body, body))
        fail_msg("%" PRIslice " is not %s", SLICE_ARG(decision.body), body);
    assert_int_equal(decision.challenge.n > 0, status == 401);
    assert_int_equal(decision.backend.n, 0);
}

/* The payload of the token in the decision. */
static json_t *claims_of(struct slice token)
{
    struct arena *arena = arena_new(1 << 20);
    struct jwt jwt;
    json_t *claims;

    assert_int_equal(jwt_split(token, arena, &jwt), JWT_OK);
    claims = json_loadb(jwt.payload.p, jwt.payload.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(claims);
    arena_free(&arena);
    return claims;
}

static void expect_text(const json_t *claims, const char *name, const char *value)
{
    assert_string_equal(json_string_value(json_object_get(claims, name)), value);
}

static void test_claims(void **state)
{
    json_t *claims;

    (void)state;
    ask_as(basic("admin:geheim"), SLICE("read:pets \"x\\"), "POST", "localhost");
    expect(200, NULL);
    assert_true(slice_is(decision.user, "admin"));
    claims = claims_of(decision.body);
    assert_int_equal(json_object_size(claims), 8);
    expect_text(claims, "iss", "https://rsa");
    expect_text(claims, "aud", "http://org.wso2.apimgt/gateway");
    expect_text(claims, "keytype", "PRODUCTION");
    expect_text(claims, "sub", "admin");
    expect_text(claims, "scope", "read:pets \"x\\");
    assert_int_equal(json_integer_value(json_object_get(claims, "iat")), FIXTURE_NOW);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), FIXTURE_NOW + 600);
    assert_int_equal(strlen(json_string_value(json_object_get(claims, "jti"))), 36);
    json_decref(claims);
    /* no scope was asked for */
    ask_as(basic("admin:geheim"), SLICE_NONE, "GET", "localhost");
    claims = claims_of(decision.body);
    assert_null(json_object_get(claims, "scope"));
    json_decref(claims);
}

static void test_dialect_and_names(void **state)
{
    struct testkey_settings settings = settings_of("http://wso2.org/claims");
    struct enforce_testkey *other = NULL;
    struct buf pem;
    json_t *claims;

    (void)state;
    buf_init(&pem, 1 << 16);
    assert_int_equal(key_write_certificate(fixture.keys[FIXTURE_RSA], "issuer", 1, &pem), CC_OK);
    settings.certificate = buf_slice(&pem);
    /* a key that is another's, or only public, signs nothing */
    assert_int_equal(enforce_testkey_new(&other, &settings, copy_of(FIXTURE_EC)), CC_EINVAL);
    assert_null(other);
    settings.certificate = SLICE("");
    assert_int_equal(enforce_testkey_new(&other, &settings, copy_of(FIXTURE_ED)), CC_EINVAL);
    settings.certificate = buf_slice(&pem);
    assert_int_equal(enforce_testkey_new(&other, &settings, copy_of(FIXTURE_RSA)), CC_OK);
    enforce_worker_set_testkey(worker, other);
    ask_as(basic("third:geheim"), SLICE_NONE, "PUT", "localhost");
    expect(200, NULL);
    claims = claims_of(decision.body);
    expect_text(claims, "http://wso2.org/claims/sub", "third");
    expect_text(claims, "http://wso2.org/claims/keytype", "PRODUCTION");
    json_decref(claims);
    enforce_worker_set_testkey(worker, testkey);
    enforce_testkey_free(&other);
    buf_free(&pem);
}

static void test_the_gateway_believes_it(void **state)
{
    char token[GW_BACKEND_JWT_MAX + 8];
    struct enforce_header headers[2] = {{.count = 1}};
    struct enforce_request request = {.method = SLICE("GET"),
                                      .path = SLICE("/pets/1.0/pets"),
                                      .host = SLICE("localhost"),
                                      .headers = headers};
    struct buf b;

    (void)state;
    ask_as(basic("second:a:b \xc3\xa4"), SLICE("read:pets"), "POST", "localhost");
    expect(200, NULL);
    buf_init_fixed(&b, token, sizeof(token));
    buf_add_str(&b, "Bearer ");
    buf_add(&b, decision.body);
    headers[0].value = buf_slice(&b);
    enforce_decide(worker, rules, NULL, &request, &clock_at.clock, &decision);
    assert_int_equal(decision.verdict, ENFORCE_ALLOW);
    assert_true(slice_is(decision.user, "second"));
    clock_at.now_wall_s += 700; /* it has expired */
    enforce_decide(worker, rules, NULL, &request, &clock_at.clock, &decision);
    assert_int_equal(decision.status, 401);
    clock_at.now_wall_s = FIXTURE_NOW;
}

static void test_who_gets_none(void **state)
{
    static const char wrong[] = "Wrong username or password. Please provide valid credentials.";
    static const char *const logins[] = {"admin:geheim ", "admin:geheimX", "admin:", "Admin:geheim",
                                         ":geheim",       "second:geheim", ":",      "admin:gehei",
                                         "second:a:b"};
    static const char *const malformed[] = {"Basic", "Basic ", "Basic YQ==", "Basic !!!!",
                                            "Basic YWRtaW46Z2VoZWlt====", "Basic YW-_aW46",
                                            "Basic YWRtaW46Z2VoZWlt YQ"};
    static char many[3000];

    (void)state;
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        ask_as(basic(logins[i]), SLICE_NONE, "POST", "localhost");
        expect(401, wrong);
        assert_int_equal(decision.user.n, 0);
    }
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        ask(malformed[i], SLICE_NONE);
        expect(400, "The Authorization header is malformed.");
    }
    ask("", SLICE_NONE);
    expect(401, NULL);
    ask("Bearer YWRtaW46Z2VoZWlt", SLICE_NONE);
    expect(401, NULL);
    memset(many, 'a', sizeof(many) - 1);
    memcpy(many, "Basic ", 6);
    ask(many, SLICE_NONE);
    expect(400, NULL);
    /* scopes that cannot be */
    ask_as(basic("admin:geheim"), slice_make(many, TESTKEY_SCOPE_MAX + 1), "POST", "localhost");
    expect(400, "The scope cannot be used.");
    ask_as(basic("admin:geheim"), SLICE("a\nb"), "POST", "localhost");
    expect(400, "The scope cannot be used.");
    ask_as(basic("admin:geheim"), slice_make(many, TESTKEY_SCOPE_MAX), "POST", "localhost");
    expect(200, NULL);
    /* all of it escaped is more than there is room for, or is not: never a part of it */
    memset(many, '"', sizeof(many));
    ask_as(basic("admin:geheim"), slice_make(many, TESTKEY_SCOPE_MAX), "POST", "localhost");
    expect(200, NULL);
    memset(many, 0xff, sizeof(many));
    ask_as(basic("admin:geheim"), slice_make(many, TESTKEY_SCOPE_MAX), "POST", "localhost");
    assert_true(decision.status == 200 || decision.status == 400);
}

static void test_only_there(void **state)
{
    (void)state;
    ask_as(basic("admin:geheim"), SLICE_NONE, "POST", "any.example.com");
    assert_int_equal(decision.status, 404);
    enforce_worker_set_testkey(worker, NULL);
    ask_as(basic("admin:geheim"), SLICE_NONE, "POST", "localhost");
    assert_int_equal(decision.status, 404);
    enforce_worker_set_testkey(worker, testkey);
}

/* In one second so many, right or wrong; then again. */
static void test_attempts_are_bounded(void **state)
{
    (void)state;
    ask_as(basic("admin:x"), SLICE_NONE, "POST", "localhost");
    for (int i = 1; i < TESTKEY_ATTEMPTS_A_SECOND; i++) {
        clock_at.now_mono_us -= 1000000 - 1000;
        ask_as(basic("admin:x"), SLICE_NONE, "POST", "localhost");
        expect(401, NULL);
    }
    clock_at.now_mono_us -= 1000000;
    ask_as(basic("admin:geheim"), SLICE_NONE, "POST", "localhost");
    expect(429, NULL);
    ask_as(basic("admin:geheim"), SLICE_NONE, "POST", "localhost");
    expect(200, NULL);
}

/* Nothing of a client gets into the reason but what it is about. */
static void test_no_secret_in_the_reason(void **state)
{
    (void)state;
    ask_as(basic("admin:falsch"), SLICE("geheimer scope"), "POST", "localhost");
    assert_false(slice_contains(decision.reason, SLICE("falsch")));
    assert_false(slice_contains(decision.reason, SLICE("scope")));
    ask_as(basic("admin:geheim"), SLICE_NONE, "POST", "localhost");
    assert_false(slice_contains(decision.reason, SLICE("geheim")));
    assert_false(slice_contains(decision.reason, slice_first(decision.body, 20)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_dialect_and_names),
        cmocka_unit_test(test_the_gateway_believes_it),
        cmocka_unit_test(test_who_gets_none),
        cmocka_unit_test(test_only_there),
        cmocka_unit_test(test_attempts_are_bounded),
        cmocka_unit_test(test_no_secret_in_the_reason),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
