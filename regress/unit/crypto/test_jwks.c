/* Key sets, of good and of hostile issuers. */
#include "tokens.h"

#include <openssl/err.h>

#define RSA_N                                                                                   \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0" \
    "Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXnd" \
    "S5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5Ihl" \
    "JH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RSA_KEY "\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\""
#define EC_X    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_KEY  "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define ED_X    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_KEY  "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\""

static const struct slice url = SLICE_INIT("https://idp/jwks");

static int parse(const char *text, struct jwks **out, struct jwks_report *report)
{
    int rc;

    *out = NULL;
    rc = jwks_parse(out, slice_of(text), url, report);
    assert_int_equal(rc == CC_OK, *out != NULL);
    assert_int_equal(ERR_peek_error(), 0);
    return rc;
}

static struct jwks *good(const char *text)
{
    struct jwks *set;

    assert_int_equal(parse(text, &set, NULL), CC_OK);
    return set;
}

/* RFC 7515 A.2 and A.3, RFC 8037 A.2: keys whose tokens are verified in test_jwt_verify.c. */
static void test_kinds(void **state)
{
    static const char *const described[] = {"RSA 2048 bits", "EC P-256", "Ed25519"};
    static const char *const kids[] = {"r", "", "o"};
    static const unsigned algorithms[] = {
        1u << JWT_RS256 | 1u << JWT_RS384 | 1u << JWT_RS512 | 1u << JWT_PS256 | 1u << JWT_PS384 |
            1u << JWT_PS512,
        1u << JWT_ES256, 1u << JWT_EdDSA};
    struct jwks *set = good("{\"keys\":[{" RSA_KEY ",\"kid\":\"r\"},{" EC_KEY "},{" ED_KEY
                            ",\"kid\":\"o\",\"use\":\"sig\",\"key_ops\":[\"verify\"],"
                            "\"alg\":\"EdDSA\",\"x5c\":[\"not looked at\"]}],\"other\":1}");

    (void)state;
    assert_int_equal(jwks_count(set), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct jwks_key *k = jwks_at(set, i);

        assert_string_equal(key_describe(k->key), described[i]);
        assert_true(slice_is(k->kid, kids[i]));
        assert_int_equal(k->algorithms, algorithms[i]);
        assert_false(key_is_private(k->key));
        assert_true(k->tag != 0);
    }
    jwks_unref(&set);
}

/* Each alone in its set: nothing is left, and this was said. */
static void test_left_out(void **state)
{
    static const struct {
        const char *jwk, *why;
    } cases[] = {
        {"7", "not an object"},
        {"[]", "not an object"},
        {"{}", "kty"},
        {"{\"kty\":7}", "kty"},
        {"{\"kty\":\"rsa\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}", "kty"}, /* case counts */
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "symmetric"},
        {"{" RSA_KEY ",\"k\":\"AAAA\"}", "symmetric"},
        {"{" RSA_KEY ",\"d\":\"AAAA\"}", "private"},
        {"{" RSA_KEY ",\"p\":\"AAAA\"}", "private"},
        {"{" RSA_KEY ",\"qi\":null}", "private"},
        {"{" EC_KEY ",\"d\":\"AAAA\"}", "private"},
        {"{" ED_KEY ",\"d\":\"AAAA\"}", "private"},
        {"{" RSA_KEY ",\"kid\":7}", "kid"},
        {"{" RSA_KEY ",\"kid\":\"\"}", "kid"},
        {"{" RSA_KEY ",\"kid\":\"a\\nb\"}", "kid"},
        {"{" RSA_KEY ",\"alg\":\"RSA-OAEP\"}", "alg"},
        {"{" RSA_KEY ",\"alg\":\"ES256\"}", "alg"},
        {"{" RSA_KEY ",\"alg\":\"HS256\"}", "alg"},
        {"{" RSA_KEY ",\"alg\":\"none\"}", "alg"},
        {"{" RSA_KEY ",\"alg\":7}", "alg"},
        {"{" EC_KEY ",\"alg\":\"ES384\"}", "alg"},
        {"{" RSA_KEY ",\"use\":\"enc\"}", NULL},
        {"{" RSA_KEY ",\"use\":7}", NULL},
        {"{" RSA_KEY ",\"key_ops\":[\"encrypt\"]}", NULL},
        {"{" RSA_KEY ",\"key_ops\":[]}", NULL},
        {"{" RSA_KEY ",\"key_ops\":\"verify\"}", NULL},
        {"{" RSA_KEY ",\"use\":\"enc\",\"key_ops\":[\"verify\"]}", NULL},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}", "n or e"},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "n or e"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "==\",\"e\":\"AQAB\"}", "n or e"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", "weak"},   /* e = 1 */
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Aw\"}", "weak"},   /* e = 3 */
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AAAA\"}", "weak"}, /* e = 0 */
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAAAAAAAAAAAAAB\"}", "weak"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "weak"},
        {"{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", "weak"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N RSA_N RSA_N "\",\"e\":\"AQAB\"}", "4096 bits"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}", "weak"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"" EC_Y "\"}", "weak"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "weak"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "x or y"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "crv"},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}", "crv"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "x is missing"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "weak"},
        /* a point of order 4 */
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         "weak"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct jwks_report report;
        char text[4096];
        struct jwks *set;
        struct buf b;

        buf_init_fixed(&b, text, sizeof(text));
        buf_printf(&b, "{\"keys\":[%s]}", cases[i].jwk);
        if (parse(text, &set, &report) != CC_ENOENT)
            fail_msg("%s was taken", cases[i].jwk);
        assert_int_equal(report.n, cases[i].why != NULL);
        if (cases[i].why != NULL && strstr(report.left_out[0].why, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].jwk, report.left_out[0].why);
    }
}

/* The good key beside a bad one stays, whichever comes first. */
static void test_mixed(void **state)
{
    struct jwks_report report;
    struct jwks *set;

    (void)state;
    assert_int_equal(parse("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\",\"kid\":\"s\"},{" EC_KEY
                           ",\"kid\":\"e\"},{" RSA_KEY ",\"d\":\"AA\",\"kid\":\"p\"}]}",
                           &set, &report),
                     CC_OK);
    assert_int_equal(jwks_count(set), 1);
    assert_true(slice_is(jwks_at(set, 0)->kid, "e"));
    assert_int_equal(report.n, 2);
    assert_string_equal(report.left_out[0].kid, "s");
    assert_string_equal(report.left_out[1].kid, "p");
    jwks_unref(&set);
}

static void test_no_set(void **state)
{
    static const char *const cases[] = {
        "", " ", "{", "[]", "7", "null", "\"keys\"", "<html></html>", "{}", "{\"keys\":{}}",
        "{\"keys\":null}", "{\"keys\":[],\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"oct\",\"kty\":\"RSA\"}]}", /* a member twice */
        "{\"keys\":[{\"kty\":\"a\\u0000b\"}]}", "{\"keys\":[]} {}",
    };
    struct jwks *set;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (parse(cases[i], &set, NULL) != CC_EPARSE)
            fail_msg("%s", cases[i]);
    assert_int_equal(parse("{\"keys\":[]}", &set, NULL), CC_ENOENT);
    /* nested */
    buf_init(&b, 2 * JWKS_MAX_BYTES);
    buf_add_str(&b, "{\"keys\":[{\"x5c\":");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, '[');
    assert_int_equal(parse(b.p, &set, NULL), CC_EPARSE);
    /* large */
    buf_reset(&b);
    buf_add_str(&b, "{\"keys\":[{" EC_KEY "}");
    while (b.n < JWKS_MAX_BYTES)
        buf_add_char(&b, ' ');
    buf_add_str(&b, "]}");
    assert_int_equal(parse(b.p, &set, NULL), CC_ETOOBIG);
    /* many */
    buf_reset(&b);
    buf_add_str(&b, "{\"keys\":[");
    for (int i = 0; i < JWKS_MAX_KEYS; i++)
        buf_add_str(&b, "{\"use\":\"enc\"},");
    buf_add_str(&b, "{" EC_KEY "}]}");
    assert_int_equal(parse(b.p, &set, NULL), CC_ETOOBIG);
    buf_free(&b);
}

/* Appends keys of these kinds, all with kid k; the caller frees them. */
static void add_keys(struct buf *b, const enum key_kind *kinds, struct key **keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (keys[i] == NULL)
            assert_int_equal(key_generate(&keys[i], kinds[i]), CC_OK);
        buf_add_str(b, i == 0 ? "{\"keys\":[" : ",");
        assert_int_equal(jwks_write_key(keys[i], SLICE("k"), JWT_ALG_COUNT, b), CC_OK);
    }
    buf_add_str(b, "]}");
}

static void test_duplicates(void **state)
{
    static const enum key_kind kinds[] = {KEY_EC_P256, KEY_ED25519, KEY_EC_P256, KEY_EC_P256};
    const struct jwks_key *found[JWKS_MAX_TRIES];
    struct key *keys[4] = {NULL};
    struct jwks_report report;
    struct jwks *set;
    struct buf b;
    bool known;

    (void)state;
    buf_init(&b, 65536);
    add_keys(&b, kinds, keys, 4);
    assert_int_equal(parse(b.p, &set, &report), CC_OK);
    assert_int_equal(jwks_count(set), 1); /* the Ed25519 key: one of its kind */
    assert_int_equal(report.n, 3);
    assert_non_null(strstr(report.left_out[0].why, "another key"));
    assert_int_equal(jwks_find(set, SLICE("k"), JWT_ES256, found, &known), 0);
    assert_true(known);
    assert_int_equal(jwks_find(set, SLICE("k"), JWT_EdDSA, found, &known), 1);
    assert_ptr_equal(found[0], jwks_at(set, 0));
    jwks_unref(&set);
    /* the same key twice is one */
    set = good("{\"keys\":[{" EC_KEY ",\"kid\":\"k\"},{" EC_KEY ",\"kid\":\"k\"}]}");
    assert_int_equal(jwks_count(set), 1);
    jwks_unref(&set);
    for (size_t i = 0; i < 4; i++)
        key_free(&keys[i]);
    buf_free(&b);
}

static void test_find(void **state)
{
    static const char *const kids[] = {"a", "b", "", "d", "e"};
    const struct jwks_key *found[JWKS_MAX_TRIES];
    struct jwks *set;
    struct buf b;
    bool known;

    (void)state;
    buf_init(&b, 65536);
    for (size_t i = 0; i < 5; i++) {
        struct key *key = NULL;

        assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
        buf_add_str(&b, i == 0 ? "{\"keys\":[" : ",");
        assert_int_equal(jwks_write_key(key, slice_of(kids[i]), JWT_ES256, &b), CC_OK);
        key_free(&key);
    }
    buf_add_str(&b, ",{" ED_KEY ",\"kid\":\"o\"}]}");
    set = good(b.p);
    assert_int_equal(jwks_count(set), 6);
    assert_int_equal(jwks_find(set, SLICE("b"), JWT_ES256, found, &known), 1);
    assert_true(known && slice_is(found[0]->kid, "b"));
    assert_int_equal(jwks_find(set, SLICE("B"), JWT_ES256, found, &known), 0);
    assert_false(known);
    assert_int_equal(jwks_find(set, SLICE("o"), JWT_ES256, found, &known), 0);
    assert_true(known); /* another kind: no reason to fetch */
    /* without kid: all that fit, here too many */
    assert_int_equal(jwks_find(set, SLICE(""), JWT_ES256, found, &known), 5);
    assert_int_equal(jwks_find(set, SLICE(""), JWT_EdDSA, found, &known), 1);
    assert_int_equal(jwks_find(set, SLICE(""), JWT_RS256, found, &known), 0);
    assert_false(known);
    jwks_unref(&set);
    buf_free(&b);
}

/* What is written reads back as the same key, and verifies what it signed. */
static void test_write(void **state)
{
    static const struct {
        enum key_kind kind;
        enum jwt_alg alg;
    } cases[] = {{KEY_RSA, JWT_PS256},
                 {KEY_EC_P256, JWT_ES256},
                 {KEY_EC_P384, JWT_ES384},
                 {KEY_EC_P521, JWT_ES512},
                 {KEY_ED25519, JWT_EdDSA}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key *key = NULL;
        struct jwks *set;
        struct buf b;

        buf_init(&b, 65536);
        assert_int_equal(key_generate(&key, cases[i].kind), CC_OK);
        buf_add_str(&b, "{\"keys\":[");
        assert_int_equal(jwks_write_key(key, SLICE("\"\\"), cases[i].alg, &b), CC_OK);
        buf_add_str(&b, "]}");
        set = good(b.p);
        assert_int_equal(jwks_count(set), 1);
        assert_true(key_same(jwks_at(set, 0)->key, key));
        assert_true(slice_is(jwks_at(set, 0)->kid, "\"\\"));
        assert_int_equal(jwks_at(set, 0)->algorithms, 1u << cases[i].alg);
        assert_int_equal(jwks_write_key(key, SLICE(""), i == 0 ? JWT_ES256 : JWT_RS256, &b),
                         CC_EINVAL);
        jwks_unref(&set);
        key_free(&key);
        buf_free(&b);
    }
}

static void test_tags(void **state)
{
    static const char text[] = "{\"keys\":[{" EC_KEY "},{" ED_KEY "}]}";
    struct jwks *a = good(text), *b = good("{\"keys\":[{" ED_KEY "},{" EC_KEY "}]}"), *other = NULL,
                *named = good("{\"keys\":[{" EC_KEY ",\"kid\":\"k\"},{" ED_KEY "}]}"),
                *only = good("{\"keys\":[{" EC_KEY "}]}");

    (void)state;
    assert_true(jwks_same(a, b));
    assert_true(jwks_same(NULL, NULL));
    assert_false(jwks_same(a, NULL));
    assert_false(jwks_same(a, named));
    assert_false(jwks_same(a, only));
    /* the same key of another issuer is another key */
    assert_int_equal(jwks_parse(&other, slice_of(text), SLICE("https://other/"), NULL), CC_OK);
    assert_false(jwks_same(a, other));
    assert_true(jwks_at(a, 0)->tag != jwks_at(other, 0)->tag);
    jwks_unref(&other);
    other = jwks_ref(a);
    jwks_unref(&a);
    assert_int_equal(jwks_count(other), 2);
    jwks_unref(&other);
    jwks_unref(&named);
    jwks_unref(&only);
    jwks_unref(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),      cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_mixed),      cmocka_unit_test(test_no_set),
        cmocka_unit_test(test_duplicates), cmocka_unit_test(test_find),
        cmocka_unit_test(test_write),      cmocka_unit_test(test_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
