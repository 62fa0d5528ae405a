/* Names of signing keys: both forms against values that openssl(1) and basenc(1) computed. */

#include "tokens.h"

static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBizCCATGgAwIBAgIUN8ZnptNYBuhs8sGWoiOjljGcA+EwCgYIKoZIzj0EAwIw\n"
    "GzEZMBcGA1UEAwwQYmFja2VuZC1qd3QudGVzdDAeFw0yNjExMjkwNzE0MzdaFw0z\n"
    "NjExMjYwNzE0MzdaMBsxGTAXBgNVBAMMEGJhY2tlbmQtand0LnRlc3QwWTATBgcq\n"
    "hkjOPQIBBggqhkjOPQMBBwNCAATuvkD9znqxQuAY04+/ZRHkPB7nU8LYuwHzGDci\n"
    "je374npJPyIhRV7UJ6SDa9GbOmc+urFTgOiqETV3ToenMO1Ko1MwUTAdBgNVHQ4E\n"
    "FgQUSgYjzd92YdbJDb1usiiMQHgay5gwHwYDVR0jBBgwFoAUSgYjzd92YdbJDb1u\n"
    "siiMQHgay5gwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBXsiUk\n"
    "tXUYWcQkYg3g/Y3HKQRZHOAjgMUFCPnPtcg9sQIhAPxQbMISjteWj32qtsndOl02\n"
    "HZ2+SacSElS+UDPjnBZ5\n"
    "-----END CERTIFICATE-----\n";

#define X5T_OLD  "NjBjZGNhMmFkYTA3NmQyOWU3MTg2NzNkNmQxMmEyZTliMjEwODE3Mg"
#define X5T_RFC  "YM3KKtoHbSnnGGc9bRKi6bIQgXI"
#define X5T_S256 "wu4IZT5Hi36ajgj5pUW2sXACnUt5NNfjH4zWs9B8MSI"

static void test_forms(void **state)
{
    struct key_id id;

    (void)state;
    assert_int_equal(key_id_from_pem(&id, slice_of(certificate), JWT_ES256, KEY_ID_OLD), CC_OK);
    assert_string_equal(id.x5t, X5T_OLD);
    assert_string_equal(id.kid, X5T_OLD "_ES256");
    assert_string_equal(id.x5t_s256, X5T_S256);
    assert_int_equal(key_id_from_pem(&id, slice_of(certificate), JWT_RS256, KEY_ID_OLD), CC_OK);
    assert_string_equal(id.kid, X5T_OLD "_RS256");
    assert_int_equal(key_id_from_pem(&id, slice_of(certificate), JWT_ES256, KEY_ID_RFC7515), CC_OK);
    assert_string_equal(id.x5t, X5T_RFC);
    assert_string_equal(id.kid, X5T_S256);
    assert_string_equal(id.x5t_s256, X5T_S256);
}

/* Of a chain the first; of a text without certificate none. */
static void test_texts(void **state)
{
    struct key_id id;
    struct key *key = NULL;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
    assert_int_equal(key_write_public(key, &b), CC_OK);
    assert_int_equal(key_id_from_pem(&id, buf_slice(&b), JWT_ES256, KEY_ID_OLD), CC_ENOENT);
    buf_add_str(&b, certificate);
    assert_int_equal(key_write_certificate(key, "other.test", 1, &b), CC_OK);
    assert_int_equal(key_id_from_pem(&id, buf_slice(&b), JWT_ES256, KEY_ID_OLD), CC_OK);
    assert_string_equal(id.x5t, X5T_OLD);
    assert_int_equal(key_id_from_pem(&id, SLICE(""), JWT_ES256, KEY_ID_OLD), CC_ENOENT);
    assert_int_equal(
        key_id_from_pem(&id, SLICE("-----BEGIN CERTIFICATE-----\nAA"), JWT_ES256, KEY_ID_OLD),
        CC_ENOENT);
    assert_int_equal(key_id_from_pem(&id, slice_make(certificate, (size_t)KEY_PEM_MAX_BYTES + 1),
                                     JWT_ES256, KEY_ID_OLD),
                     CC_ETOOBIG);
    assert_int_equal(key_id_from_pem(&id, slice_of(certificate), JWT_ALG_COUNT, KEY_ID_OLD),
                     CC_EINVAL);
    key_free(&key);
    buf_free(&b);
}

static void test_algorithms(void **state)
{
    (void)state;
    assert_int_equal(key_id_algorithm(KEY_RSA), JWT_RS256);
    assert_int_equal(key_id_algorithm(KEY_EC_P256), JWT_ES256);
    assert_int_equal(key_id_algorithm(KEY_EC_P384), JWT_ALG_COUNT);
    assert_int_equal(key_id_algorithm(KEY_ED25519), JWT_ALG_COUNT);
}

/* What is written is a key set that our own reader takes, and it holds the certificate's key. */
static void test_jwk(void **state)
{
    struct key *key = NULL;
    struct jwks *set = NULL;
    struct key_id id;
    char small[64];
    struct buf b;

    (void)state;
    assert_int_equal(key_public_from_pem(&key, slice_of(certificate)), CC_OK);
    assert_int_equal(key_id_from_pem(&id, slice_of(certificate), JWT_ES256, KEY_ID_OLD), CC_OK);
    buf_init(&b, 1 << 16);
    buf_add_str(&b, "{\"keys\":[");
    assert_int_equal(key_id_write_jwk(key, &id, JWT_ES256, &b), CC_OK);
    buf_add_str(&b, "]}");
    assert_true(slice_contains(buf_slice(&b), SLICE("\"use\":\"sig\",\"alg\":\"ES256\"")));
    assert_true(
        slice_contains(buf_slice(&b), SLICE("\"kid\":\"" X5T_OLD "_ES256\",\"x5t\":\"" X5T_OLD
                                            "\",\"x5t#S256\":\"" X5T_S256 "\"}")));
    assert_int_equal(jwks_parse(&set, buf_slice(&b), SLICE("https://gw"), NULL), CC_OK);
    assert_int_equal(jwks_count(set), 1);
    assert_true(key_same(jwks_at(set, 0)->key, key));
    assert_int_equal(key_id_write_jwk(key, &id, JWT_RS256, &b), CC_EINVAL);
    buf_free(&b);
    buf_init_fixed(&b, small, sizeof(small));
    assert_int_equal(key_id_write_jwk(key, &id, JWT_ES256, &b), CC_EFULL);
    jwks_unref(&set);
    key_free(&key);
}

/* A header of the caller's, in the alphabet that it asks for; the signature covers what is sent. */
static void test_sign_as(void **state)
{
    struct jwt_signer by = {.alg = JWT_ES256, .head = SLICE("eyJhbGciOiJFUzI1NiJ9"), .url = true};
    struct arena *arena = arena_new(JWT_ARENA_BYTES);
    struct slice rest, head, payload;
    struct key *key = NULL;
    struct buf b;
    struct jwt jwt;

    (void)state;
    buf_init(&b, 1 << 16);
    assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
    by.key = key;
    assert_int_equal(jwt_sign_as(&by, SLICE("{\"a\":\"?~?>>>\"}"), &b), CC_OK);
    assert_int_equal(jwt_split(buf_slice(&b), arena, &jwt), JWT_OK);
    assert_int_equal(jwt_verify(&jwt, 1u << JWT_ES256, key), JWT_OK);
    assert_int_equal(jwt.signature.n, 64); /* RFC 7518 3.4: R and S, not DER */
    buf_reset(&b);
    by.url = false;
    assert_int_equal(jwt_sign_as(&by, SLICE("{\"a\":\"?~?>>>\"}"), &b), CC_OK);
    rest = buf_slice(&b);
    slice_split(&rest, '.', &head);
    slice_split(&rest, '.', &payload);
    assert_true(slice_eq(head, by.head));
    assert_true(slice_is(payload, "eyJhIjoiP34/Pj4+In0"));
    assert_int_equal(rest.n, 86);
    assert_true(slice_find(rest, '-') < 0 && slice_find(rest, '_') < 0 &&
                slice_find(rest, '=') < 0);
    by.alg = JWT_RS256;
    assert_int_equal(jwt_sign_as(&by, SLICE("{}"), &b), CC_EINVAL);
    key_free(&key);
    buf_free(&b);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),      cmocka_unit_test(test_texts),
        cmocka_unit_test(test_algorithms), cmocka_unit_test(test_jwk),
        cmocka_unit_test(test_sign_as),
    };

    return cmocka_run_group_tests_name("key_id", tests, NULL, NULL);
}
