/* The JWT for backends: what it says, byte for byte; whose key signs it; who gets one, and who
 * none. */
#include "backend_jwt_world.h"
#include "store_fixture.h"

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
    fixture_set_store(&w.live, STORE("Gold"));
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
    fixture_set_store(&w.live, STORE("Silver"));
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

/* An internal key says who calls, and nothing else of it is passed on. */
static void keys_bring_no_claims(void **state)
{
    struct fixture_request r;
    struct world w;
    char *key;

    (void)state;
    init(&w, KEY_EC_P256);
    w.f.issuers[FIXTURE_EC].internal_keys = true;
    w.f.model.internal_key_header = SLICE("x-token");
    start(&w, 0);
    key = fixture_sign_claims(
        &w.f, FIXTURE_EC, "ann",
        ",\"token_type\":\"InternalKey\",\"email\":\"ann@x\",\"scope\":\"a\",\"subscribedAPIs\":["
        "{\"context\":\"/pets/1.0\",\"version\":\"1.0\"}]");
    fixture_request_init(&r, "GET", "h", "/pets/1.0/pets/7");
    fixture_set_header(&r, 1, key, 1);
    enforce_decide(w.worker, w.rules, NULL, &r.request, &w.clock.clock, &w.d);
    assert_int_equal(w.d.verdict, ENFORCE_ALLOW);
    assert_true(slice_contains(claims(&w), SLICE("enduser\":\"ann\"")));
    assert_true(slice_contains(claims(&w), SLICE("applicationname\":\"internal-key-app\"")));
    assert_false(slice_contains(claims(&w), SLICE("email")));
    assert_false(slice_contains(claims(&w), SLICE("scope")));
    assert_false(slice_contains(claims(&w), SLICE("token_type")));
    free(key);
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
    char more[8000] = ",\"x\":\"", *token;

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
        cmocka_unit_test(keys_bring_no_claims),
        cmocka_unit_test(what_cannot_be_made),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(what_explain_shows),
        cmocka_unit_test(the_key_set_is_a_system_resource),
        cmocka_unit_test(names_of_the_header),
    };

    alloc_count_start();
    return cmocka_run_group_tests_name("enforce/backend_jwt", tests, NULL, NULL);
}
