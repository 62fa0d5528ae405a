/* Tokens made to deceive: each must be a 401, with and without a cache, and none may get into it.
 */
#include "fixture.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CLAIMS "{\"iss\":\"https://rsa\",\"sub\":\"mallory\",\"exp\":1700003600}"

static struct fixture fixture;
static struct enforce_rules *rules;
static struct clock_fixed clock_at;
static struct enforce_worker *workers[2]; /* without and with a cache */

static int set_up(void **state)
{
    struct enforce_options options[2] = {{0, 0}, {100, 1 << 18}};

    (void)state;
    fixture_init(&fixture);
    rules = fixture_rules(&fixture);
    clock_fixed_init(&clock_at, FIXTURE_NOW, 0);
    for (int i = 0; i < 2; i++)
        fixture_need(enforce_worker_new(&workers[i], &options[i]), "enforce_worker_new");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        enforce_worker_free(&workers[i]);
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    return 0;
}

static enum enforce_verdict decide(int worker, struct slice token, struct enforce_decision *d)
{
    struct fixture_request request;
    struct buf value;

    buf_init(&value, 1 << 20);
    buf_add_str(&value, "Bearer ");
    buf_add(&value, token);
    assert_int_equal(buf_error(&value), CC_OK);
    fixture_request_init(&request, "GET", "shop.example", "/pets/1.0/pets/7");
    request.headers[0] = (struct enforce_header){.value = buf_slice(&value), .count = 1};
    enforce_decide(workers[worker], rules, NULL, &request.request, &clock_at.clock, d);
    buf_free(&value);
    return d->verdict;
}

/* Refused by both workers, more than once, and each time verified anew: never remembered. */
static void expect_refused(const char *what, struct slice token)
{
    struct enforce_decision d;
    struct enforce_counters before, after;

    enforce_worker_counters(workers[1], &before);
    for (int i = 0; i < 4; i++) {
        if (decide(i % 2, token, &d) != ENFORCE_DENY || d.status != 401 ||
            !slice_is(d.code, "900901"))
            fail_msg("%s: verdict %d, status %d", what, (int)d.verdict, d.status);
        assert_true(slice_contains(d.challenge, SLICE("error=\"invalid_token\"")));
        assert_int_equal(d.user.n, 0);
        if (token.n > 20)
            assert_false(slice_contains(d.reason, slice_first(token, 20)) ||
                         slice_contains(d.body, slice_first(token, 20)));
    }
    enforce_worker_counters(workers[1], &after);
    assert_int_equal(after.cache_hits, before.cache_hits);
}

static void expect_allowed(struct slice token)
{
    struct enforce_decision d;

    for (int i = 0; i < 2; i++)
        assert_int_equal(decide(i, token, &d), ENFORCE_ALLOW);
}

/* base64url(header).base64url(payload) and the signature given. */
static void assemble(struct buf *out, const char *header, struct slice payload,
                     struct slice signature)
{
    buf_init(out, 1 << 20);
    base64url_encode(slice_of(header), out);
    buf_add_char(out, '.');
    base64url_encode(payload, out);
    buf_add_char(out, '.');
    base64url_encode(signature, out);
    assert_int_equal(buf_error(out), CC_OK);
}

static void expect_forgery_refused(const char *what, const char *header, const char *payload,
                                   struct slice signature)
{
    struct buf token;

    assemble(&token, header, slice_of(payload), signature);
    expect_refused(what, buf_slice(&token));
    buf_free(&token);
}

static void test_alg_none(void **state)
{
    static const char *const names[] = {"none", "None", "NONE", "nOnE", "", " RS256", "RS256 "};
    char header[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
        expect_forgery_refused(names[i], header, CLAIMS, SLICE(""));
        expect_forgery_refused(names[i], header, CLAIMS, SLICE("signature"));
    }
    expect_forgery_refused("no alg", "{\"typ\":\"JWT\"}", CLAIMS, SLICE(""));
    expect_forgery_refused("alg is a number", "{\"alg\":1}", CLAIMS, SLICE(""));
}

/* RFC 8725 2.1: the public key taken for an HMAC secret. */
static void test_public_key_as_secret(void **state)
{
    struct slice pem = buf_slice(&fixture.pems[FIXTURE_RSA]);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf input;

    (void)state;
    assemble(&input, "{\"alg\":\"HS256\"}", SLICE(CLAIMS), SLICE(""));
    assert_non_null(HMAC(EVP_sha256(), pem.p, (int)pem.n, (const unsigned char *)input.p,
                         input.n - 1, mac, &n));
    buf_free(&input);
    expect_forgery_refused("HS256 with the public key", "{\"alg\":\"HS256\"}", CLAIMS,
                           slice_make(mac, n));
}

/* Properly signed, but the algorithm is not the issuer's, or the key is another's. */
static void test_algorithm_confusion(void **state)
{
    char *token = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS512, CLAIMS);

    (void)state;
    expect_refused("RS512 is not allowed", slice_of(token));
    free(token);
    token = fixture_sign(&fixture, FIXTURE_EC, JWT_ES256, CLAIMS);
    expect_refused("ES256 for an RSA issuer", slice_of(token));
    free(token);
    token = fixture_sign(&fixture, FIXTURE_ED, JWT_EdDSA, CLAIMS);
    expect_refused("EdDSA for an RSA issuer", slice_of(token));
    free(token);
    token = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256,
                         "{\"iss\":\"https://ec\",\"aud\":\"cc\",\"exp\":1700003600}");
    expect_refused("RS256 for an EC issuer", slice_of(token));
    free(token);
}

/* The header of a good token replaced: the signature must cover it. */
static void test_header_games(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"PS256\"}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"RS256\",\"kid\":\"../../../../dev/null\"}",
        "{\"alg\":\"RS256\",\"kid\":\"' OR 1=1 --\"}",
        "{\"alg\":\"RS256\",\"kid\":\"\\u0000\"}",
        "{\"alg\":\"RS256\",\"kid\":\"a\\nb\"}",
        "{\"alg\":\"RS256\",\"kid\":7}",
        "{\"alg\":\"RS256\",\"kid\":[\"a\"]}",
        "{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}}",
        "{\"alg\":\"RS256\",\"jku\":\"https://evil.example/keys\"}",
        "{\"alg\":\"RS256\",\"x5u\":\"https://evil.example/keys\"}",
        "{\"alg\":[\"RS256\"]}",
        "[]",
        "\"RS256\"",
        "null",
        "{",
        "",
        "{\"alg\":\"RS256\"}{}",
        "\xef\xbb\xbf{\"alg\":\"RS256\"}",
        "{\"alg\":\"\xff\"}",
    };
    char *good = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256, CLAIMS);
    const char *rest = strchr(good, '.');
    struct buf token;

    (void)state;
    expect_allowed(slice_of(good));
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        buf_init(&token, 1 << 16);
        base64url_encode(slice_of(headers[i]), &token);
        buf_add_str(&token, rest);
        expect_refused(headers[i], buf_slice(&token));
        buf_free(&token);
    }
    free(good);
}

/* Every single bit of a good token counts; a token in the cache must not answer for its neighbours.
 */
static void test_every_changed_character(void **state)
{
    char *good = fixture_sign(&fixture, FIXTURE_ED, JWT_EdDSA,
                              "{\"iss\":\"https://ed\",\"exp\":1700003600}");
    size_t n = strlen(good);

    (void)state;
    expect_allowed(slice_of(good));
    for (size_t i = 0; i < n; i++) {
        char saved = good[i];

        good[i] = saved == 'A' ? 'B' : 'A';
        expect_refused("a character changed", slice_of(good));
        good[i] = saved;
        expect_refused("cut short", slice_make(good, i == 0 ? 1 : i));
    }
    expect_allowed(slice_of(good));
    free(good);
}

static void test_broken_coding(void **state)
{
    static const char *const appended[] = {"=",   "==",   "A", ".", ".a",
                                           "%3D", "\x80", "+", "/", "\""};
    static const char *const shapes[] = {
        ".",    "..",          "...",         "a",        "a.b",      "a.b.c.d",    "a..b",
        "....", "eyJ9.e30.AA", "e30.e30.e30", "e30.e30.", ".e30.e30", "e31.e30.AA", "!!!.!!!.!!!"};
    char *good = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256, CLAIMS);

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        expect_refused(shapes[i], slice_of(shapes[i]));
    for (size_t i = 0; i < sizeof(appended) / sizeof(appended[0]); i++) {
        struct buf token;

        buf_init(&token, 1 << 16);
        buf_add_str(&token, good);
        buf_add_str(&token, appended[i]);
        expect_refused(appended[i], buf_slice(&token));
        buf_free(&token);
    }
    expect_refused("a NUL inside", slice_make("a\0b.c.d", 7));
    free(good);
}

/* Well signed by the issuer itself, and still not believed. */
static void test_hostile_claims(void **state)
{
    static const char *const payloads[] = {
        "{\"iss\":\"https://rsa\",\"iss\":\"https://rsa\",\"exp\":1700003600}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"exp\":1}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":\"a\",\"scope\":\"b\"}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"\\u0065xp\":1700003600}",
        "{\"iss\":\"https://rsa\",\"exp\":\"1700003600\"}",
        "{\"iss\":\"https://rsa\",\"exp\":1e999}",
        "{\"iss\":\"https://rsa\",\"exp\":1e18}",
        "{\"iss\":\"https://rsa\",\"exp\":99999999999999999999999999}",
        "{\"iss\":\"https://rsa\",\"exp\":9223372036854775807}",
        "{\"iss\":\"https://rsa\",\"exp\":9007199254740992}",
        "{\"iss\":\"https://rsa\",\"exp\":-1700003600}",
        "{\"iss\":\"https://rsa\",\"exp\":true}",
        "{\"iss\":\"https://rsa\",\"exp\":null}",
        "{\"iss\":\"https://rsa\",\"exp\":[1700003600]}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"nbf\":\"0\"}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"nbf\":9007199254740991}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"iat\":-1}",
        "{\"iss\":\"https://rsa\",\"exp\":1}",
        "{\"iss\":\"https://rsa\",\"exp\":0}",
        "{\"iss\":\"https://rsa\"}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":7}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":\"a\\u0000b\"}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":\"a\\r\\nX-Evil: 1\"}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"azp\":{}}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"keytype\":1}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":{\"a\":1}}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":[1]}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":[[\"a\"]]}",
        "{\"iss\":[\"https://rsa\"],\"exp\":1700003600}",
        "{\"iss\":\"https://rsa\\u0000\",\"exp\":1700003600}",
        "{\"iss\":\"HTTPS://RSA\",\"exp\":1700003600}",
        "{\"iss\":\"\",\"exp\":1700003600}",
        "{\"exp\":1700003600}",
        "[]",
        "null",
        "7",
        "\"\"",
        "{",
        "",
        "{}",
        "{\"iss\":\"https://rsa\",\"exp\":1700003600}x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        char *token = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256, payloads[i]);

        expect_refused(payloads[i], slice_of(token));
        free(token);
    }
}

/* Nesting made to exhaust a stack, members made to exhaust memory. */
static void test_bombs(void **state)
{
    static const char *const opening[] = {"[", "{\"a\":", "[[[[{\"a\":"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf payload;
        char *token;

        buf_init(&payload, 8192);
        buf_add_str(&payload, "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"x\":");
        while (payload.n < 5500)
            buf_add_str(&payload, opening[i]);
        token = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256, payload.p);
        expect_refused("nesting", slice_of(token));
        free(token);
        buf_free(&payload);
    }
}

static void test_64_kib(void **state)
{
    enum { BIG = 65536 };
    char *big = malloc(BIG);
    struct buf payload;
    char *token;

    (void)state;
    assert_non_null(big);
    memset(big, 'A', BIG);
    expect_refused("64 KiB of A", slice_make(big, BIG));
    memset(big, '.', BIG);
    expect_refused("64 KiB of dots", slice_make(big, BIG));
    memset(big, 'A', BIG);
    big[100] = big[BIG - 100] = '.';
    expect_refused("64 KiB in three parts", slice_make(big, BIG));
    free(big);

    /* Valid in everything but its size. */
    buf_init(&payload, 1 << 20);
    buf_add_str(&payload, "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"x\":\"");
    while (payload.n < 48000)
        buf_add_str(&payload, "xxxxxxxxxxxxxxxx");
    buf_add_str(&payload, "\"}");
    token = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256, payload.p);
    assert_true(strlen(token) > 60000);
    expect_refused("a good token of 64 KiB", slice_of(token));
    free(token);
    buf_free(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alg_none),
        cmocka_unit_test(test_public_key_as_secret),
        cmocka_unit_test(test_algorithm_confusion),
        cmocka_unit_test(test_header_games),
        cmocka_unit_test(test_every_changed_character),
        cmocka_unit_test(test_broken_coding),
        cmocka_unit_test(test_hostile_claims),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_64_kib),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
