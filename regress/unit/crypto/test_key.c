/* Keys: which get in, which do not, and that they come back as they were written. */

#include "tokens.h"
#include "vectors.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <time.h>

static int new_arena(void **state)
{
    *state = arena_new(64 << 20);
    return *state == NULL;
}

static int free_arena(void **state)
{
    struct arena *arena = *state;

    arena_free(&arena);
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

/* What a BIO collected, copied to the arena; frees the BIO. */
static struct slice bio_text(struct arena *arena, BIO *bio)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    struct slice text = arena_dup(arena, slice_make(p, (size_t)n));

    assert_true(n > 0 && text.p != NULL);
    BIO_free(bio);
    return text;
}

/* The PEM of a key's public half; frees the key. */
static struct slice public_pem(struct arena *arena, EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(pkey);
    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    EVP_PKEY_free(pkey);
    return bio_text(arena, bio);
}

static struct slice private_pem(struct arena *arena, EVP_PKEY *pkey, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(pkey);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey,
                                                   password == NULL ? NULL : EVP_aes_128_cbc(),
                                                   password, password == NULL ? 0 : 4, NULL, NULL),
                     1);
    EVP_PKEY_free(pkey);
    return bio_text(arena, bio);
}

/* DER between BEGIN and END lines. */
static struct slice pem_block(struct arena *arena, const char *name, const void *der, size_t n)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio(bio, name, "", der, (long)n) > 0);
    return bio_text(arena, bio);
}

static void expect_public(struct slice pem, int expected)
{
    struct key *k = NULL;

    assert_int_equal(key_public_from_pem(&k, pem), expected);
    assert_int_equal(k != NULL, expected == CC_OK);
    assert_int_equal(ERR_peek_error(), 0);
    key_free(&k);
}

static void expect_private(struct slice pem, int expected)
{
    struct key *k = NULL;

    assert_int_equal(key_private_from_pem(&k, pem), expected);
    assert_int_equal(k != NULL, expected == CC_OK);
    assert_int_equal(ERR_peek_error(), 0);
    key_free(&k);
}

static const char *const DESCRIPTIONS[] = {"RSA 2048 bits", "EC P-256", "EC P-384", "EC P-521",
                                           "Ed25519"};

static void test_round_trip(void **state)
{
    (void)state;
    for (int kind = KEY_RSA; kind <= KEY_ED25519; kind++) {
        struct key *made = key_new((enum key_kind)kind), *private = NULL, *public = NULL;
        struct key *other = key_new((enum key_kind)kind);
        struct buf pem;

        assert_int_equal(key_kind_of(made), kind);
        assert_true(key_is_private(made));
        assert_string_equal(key_describe(made), DESCRIPTIONS[kind]);

        buf_init(&pem, 1 << 16);
        assert_int_equal(key_write_private(made, &pem), CC_OK);
        assert_true(slice_starts(buf_slice(&pem), SLICE("-----BEGIN PRIVATE KEY-----\n")));
        assert_int_equal(key_private_from_pem(&private, buf_slice(&pem)), CC_OK);
        expect_public(buf_slice(&pem), CC_EREFUSED);

        buf_reset(&pem);
        assert_int_equal(key_write_public(made, &pem), CC_OK);
        assert_true(slice_starts(buf_slice(&pem), SLICE("-----BEGIN PUBLIC KEY-----\n")));
        assert_int_equal(key_public_from_pem(&public, buf_slice(&pem)), CC_OK);
        expect_private(buf_slice(&pem), CC_EPARSE);

        assert_int_equal(key_kind_of(public), kind);
        assert_false(key_is_private(public));
        assert_int_equal(key_not_after(public), 0);
        assert_true(key_same(made, private) && key_same(private, public));
        assert_false(key_same(other, public));

        buf_reset(&pem);
        assert_int_equal(key_write_private(public, &pem), CC_EINVAL);
        assert_int_equal(key_write_certificate(public, "localhost", 1, &pem), CC_EINVAL);
        assert_int_equal(pem.n, 0);
        buf_free(&pem);
        key_free(&made);
        key_free(&private);
        key_free(&public);
        key_free(&other);
    }
}

static void test_different_kinds_differ(void **state)
{
    struct key *rsa = key_public(RFC7515_A2_KEY), *ec = key_public(RFC7515_A3_KEY);

    (void)state;
    assert_false(key_same(rsa, ec));
    assert_true(key_same(ec, ec));
    key_free(&rsa);
    key_free(&ec);
    key_free(&rsa); /* cleared: nothing to free */
}

/* An RSA public key of any modulus and exponent, sensible or not. */
static struct slice rsa_pem(struct arena *arena, const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params;

    assert_int_equal(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e), 1);
    params = OSSL_PARAM_BLD_to_param(bld);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(ctx);
    return public_pem(arena, pkey);
}

/* Field list 17. The modulus is a good one; the exponents are not. */
static void test_rsa_exponents(void **state)
{
    static const struct {
        const char *hex;
        int expected;
    } rows[] = {
        {"01", CC_EWEAK},
        {"03", CC_EWEAK},
        {"11", CC_EWEAK},
        {"ffff", CC_EWEAK},
        {"010000", CC_EWEAK},
        {"010001", CC_OK},
        {"010002", CC_EWEAK},
        {"010003", CC_OK},
        {"ffffffffffffffff", CC_OK},
        {"010000000000000001", CC_EWEAK},
    };
    EVP_PKEY *good = EVP_RSA_gen(2048);
    BIGNUM *n = NULL;

    assert_non_null(good);
    assert_int_equal(EVP_PKEY_get_bn_param(good, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BIGNUM *e = NULL;

        assert_true(BN_hex2bn(&e, rows[i].hex) > 0);
        expect_public(rsa_pem(*state, n, e), rows[i].expected);
        BN_free(e);
    }
    BN_free(n);
    EVP_PKEY_free(good);
}

/* Field list 17: moduli that are even, prime, or have a small factor. */
static void test_rsa_moduli(void **state)
{
    BIGNUM *n = BN_new(), *e = NULL;

    assert_true(BN_hex2bn(&e, "010001") > 0);
    assert_int_equal(BN_priv_rand(n, 2048, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    assert_int_equal(BN_clear_bit(n, 0), 1);
    expect_public(rsa_pem(*state, n, e), CC_EWEAK); /* even */

    assert_int_equal(BN_priv_rand(n, 2046, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    assert_int_equal(BN_mul_word(n, 3), 1);
    expect_public(rsa_pem(*state, n, e), CC_EWEAK); /* a multiple of three */

    BN_zero(n);
    for (int bit = 0; bit < 2203; bit++)
        assert_int_equal(BN_set_bit(n, bit), 1);
    expect_public(rsa_pem(*state, n, e), CC_EWEAK); /* 2^2203 - 1, a prime */
    BN_free(n);
    BN_free(e);
}

/* Field list 16, RFC 8725 3.5: sizes around the limits. */
static void test_rsa_sizes(void **state)
{
    static const struct {
        unsigned bits;
        int expected;
    } rows[] = {{512, CC_EWEAK}, {1024, CC_EWEAK}, {2040, CC_EWEAK}, {2048, CC_OK}, {3072, CC_OK}};
    BIGNUM *n = BN_new(), *e = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_public(public_pem(*state, EVP_RSA_gen(rows[i].bits)), rows[i].expected);
    assert_true(BN_hex2bn(&e, "010001") > 0);
    assert_int_equal(BN_rand(n, 8200, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    expect_public(rsa_pem(*state, n, e), CC_EWEAK);
    BN_free(n);
    BN_free(e);
    expect_private(private_pem(*state, EVP_RSA_gen(1024), NULL), CC_EWEAK);
}

static void test_unsupported_types(void **state)
{
    static const char *const types[] = {"X25519", "X448", "ED448"};
    static const char *const curves[] = {"secp256k1", "P-224", "P-192", "brainpoolP256r1"};
    EVP_PKEY_CTX *pss = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;

    for (size_t i = 0; i < 3; i++)
        expect_public(public_pem(*state, EVP_PKEY_Q_keygen(NULL, NULL, types[i])), CC_EUNSUPPORTED);
    for (size_t i = 0; i < 4; i++)
        expect_public(public_pem(*state, EVP_EC_gen(curves[i])), CC_EUNSUPPORTED);
    expect_private(private_pem(*state, EVP_EC_gen("secp256k1"), NULL), CC_EUNSUPPORTED);

    assert_int_equal(EVP_PKEY_keygen_init(pss), 1);
    assert_int_equal(EVP_PKEY_generate(pss, &pkey), 1);
    EVP_PKEY_CTX_free(pss);
    expect_public(public_pem(*state, pkey), CC_EUNSUPPORTED);
}

/* CVE-2020-0601: a curve written out in the key, even one with the numbers of P-256. */
static void test_explicit_curve(void **state)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");

    assert_non_null(pkey);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING,
                                                    OSSL_PKEY_EC_ENCODING_EXPLICIT),
                     1);
    expect_public(public_pem(*state, pkey), CC_EUNSUPPORTED);
}

/* A SubjectPublicKeyInfo of P-256 begins with these 26 bytes; the uncompressed point follows. */
static const uint8_t P256_INFO[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/* Field list 18, RFC 8725 3.4. */
static void test_bad_points(void **state)
{
    /* The same with room for a point of one byte: infinity. */
    uint8_t infinity[27], off_curve[91];
    size_t n = 0;
    EVP_PKEY *good = EVP_EC_gen("P-256");

    memcpy(off_curve, P256_INFO, sizeof(P256_INFO));
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(good, OSSL_PKEY_PARAM_PUB_KEY, off_curve + 26, 65, &n), 1);
    assert_int_equal(n, 65);
    EVP_PKEY_free(good);
    expect_public(pem_block(*state, "PUBLIC KEY", off_curve, sizeof(off_curve)), CC_OK);
    off_curve[90] ^= 1;
    expect_public(pem_block(*state, "PUBLIC KEY", off_curve, sizeof(off_curve)), CC_EPARSE);
    memset(off_curve + 27, 0, 64);
    expect_public(pem_block(*state, "PUBLIC KEY", off_curve, sizeof(off_curve)), CC_EPARSE);
    memset(off_curve + 27, 0xff, 64);
    expect_public(pem_block(*state, "PUBLIC KEY", off_curve, sizeof(off_curve)), CC_EPARSE);

    memcpy(infinity, P256_INFO, sizeof(P256_INFO));
    infinity[1] = 0x19;
    infinity[24] = 0x02;
    infinity[26] = 0x00;
    {
        struct key *k = NULL;
        struct slice pem = pem_block(*state, "PUBLIC KEY", infinity, sizeof(infinity));

        assert_int_not_equal(key_public_from_pem(&k, pem), CC_OK);
        assert_null(k);
    }
}

/* With a point of small order as key, R = identity and S = 0 verifies for every eighth message. */
static void test_ed25519_small_order(void **state)
{
    static const uint8_t info[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    static const uint8_t order8[2][32] = {
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    uint8_t points[7][32];
    uint8_t der[sizeof(info) + 32];

    memset(points, 0, sizeof(points));
    points[1][0] = 1;
    memcpy(points[2], order8, sizeof(order8));
    for (uint8_t i = 4; i < 7; i++) {
        memset(points[i], 0xff, 32);
        points[i][0] = (uint8_t)(0xe8 + i); /* p - 1, p, p + 1 */
        points[i][31] = 0x7f;
    }
    memcpy(der, info, sizeof(info));
    for (int i = 0; i < 7; i++)
        for (int sign = 0; sign < 2; sign++) {
            memcpy(der + sizeof(info), points[i], 32);
            der[sizeof(der) - 1] |= (uint8_t)(sign << 7);
            expect_public(pem_block(*state, "PUBLIC KEY", der, sizeof(der)), CC_EWEAK);
        }
}

static void test_not_a_key(void **state)
{
    static const char *const bad[] = {
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
    };
    char *large = arena_alloc(*state, KEY_PEM_MAX_BYTES + 1);
    struct slice pem = slice_of(RFC7515_A3_KEY);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_public(slice_of(bad[i]), CC_EPARSE);
        expect_private(slice_of(bad[i]), CC_EPARSE);
    }
    expect_public(SLICE_NONE, CC_EPARSE);
    expect_private(SLICE_NONE, CC_EPARSE);
    memset(large, '\n', KEY_PEM_MAX_BYTES + 1);
    memcpy(large, pem.p, pem.n);
    expect_public(slice_make(large, KEY_PEM_MAX_BYTES), CC_OK);
    expect_public(slice_make(large, KEY_PEM_MAX_BYTES + 1), CC_ETOOBIG);
    expect_private(slice_make(large, KEY_PEM_MAX_BYTES + 1), CC_ETOOBIG);
    /* Cut anywhere but before the last newline, it is no key. */
    for (size_t n = 0; n + 1 < pem.n; n++) {
        char *exact = malloc(n == 0 ? 1 : n);

        assert_non_null(exact);
        memcpy(exact, pem.p, n);
        expect_public(slice_make(exact, n), CC_EPARSE);
        free(exact);
    }
}

static void test_trailing_der(void **state)
{
    uint8_t der[92] = {0};
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    size_t n = 0;

    memcpy(der, P256_INFO, sizeof(P256_INFO));
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, der + 26, 65, &n), 1);
    EVP_PKEY_free(pkey);
    expect_public(pem_block(*state, "PUBLIC KEY", der, 91), CC_OK);
    expect_public(pem_block(*state, "PUBLIC KEY", der, 92), CC_EPARSE);
}

/* Never a prompt: the test would hang. */
static void test_encrypted(void **state)
{
    static const char traditional[] = "-----BEGIN RSA PRIVATE KEY-----\n"
                                      "Proc-Type: 4,ENCRYPTED\n"
                                      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                                      "AAAA\n-----END RSA PRIVATE KEY-----\n";

    expect_private(private_pem(*state, EVP_EC_gen("P-256"), "abcd"), CC_EUNSUPPORTED);
    expect_private(slice_of(traditional), CC_EUNSUPPORTED);
    expect_public(slice_of(traditional), CC_EREFUSED);
}

/* A private key anywhere in a text for public ones, behind a good certificate or damaged. */
static void test_private_in_public(void **state)
{
    struct slice text = arena_printf(*state, "%s%s", RFC7515_A3_KEY, RFC8037_A1_PRIVATE);

    expect_public(text, CC_EREFUSED);
    expect_public(SLICE("-----BEGIN EC PRIVATE KEY-----\n"), CC_EREFUSED);
}

/* The traditional forms (PKCS#1, SEC 1), as openssl genrsa and ecparam wrote them. */
static void test_traditional_private(void **state)
{
    EVP_PKEY *pkeys[2] = {EVP_RSA_gen(2048), EVP_EC_gen("P-256")};

    for (int i = 0; i < 2; i++) {
        BIO *bio = BIO_new(BIO_s_mem());

        assert_int_equal(
            PEM_write_bio_PrivateKey_traditional(bio, pkeys[i], NULL, NULL, 0, NULL, NULL), 1);
        EVP_PKEY_free(pkeys[i]);
        expect_private(bio_text(*state, bio), CC_OK);
    }
}

/* Halves of two keys in one private key. */
static void test_mismatched_pair(void **state)
{
    EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256");
    uint8_t point[65];
    size_t n = 0;

    assert_int_equal(
        EVP_PKEY_get_octet_string_param(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(a, point, n), 1);
    EVP_PKEY_free(b);
    expect_private(private_pem(*state, a, NULL), CC_EWEAK);
}

static X509 *read_certificate(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

static void test_certificates(void **state)
{
    static const struct {
        const char *host, *wrong;
        bool address;
    } rows[] = {
        {"localhost", "example.com", false},
        {"api.example.com", "example.com", false},
        {"*.example.com", "example.com", false},
        {"127.0.0.1", "127.0.0.2", true},
        {"::1", "::2", true},
        {"a-host-name-of-more-than-sixty-four-characters.which-is-too-long.for-a-cn.example",
         "cc-gateway", false},
    };

    for (int kind = KEY_RSA; kind <= KEY_ED25519; kind++) {
        struct key *k = key_new((enum key_kind)kind);

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct key *public = NULL;
            X509 *certificate;
            struct slice pem;
            struct buf b;
            int64_t left;

            buf_init(&b, 1 << 16);
            assert_int_equal(key_write_certificate(k, rows[i].host, 30, &b), CC_OK);
            pem = token_text(*state, &b);
            assert_int_equal(key_public_from_pem(&public, pem), CC_OK);
            assert_true(key_same(k, public));
            left = key_not_after(public) - (int64_t)time(NULL);
            assert_true(left > 30 * 86400 - 60 && left <= 30 * 86400);

            certificate = read_certificate(pem);
            assert_int_equal(X509_verify(certificate, X509_get0_pubkey(certificate)), 1);
            if (rows[i].address) {
                assert_int_equal(X509_check_ip_asc(certificate, rows[i].host, 0), 1);
                assert_int_equal(X509_check_ip_asc(certificate, rows[i].wrong, 0), 0);
            } else {
                const char *name = rows[i].host[0] == '*' ? "x.example.com" : rows[i].host;

                assert_int_equal(X509_check_host(certificate, name, 0, 0, NULL), 1);
                assert_int_equal(X509_check_host(certificate, rows[i].wrong, 0, 0, NULL), 0);
            }
            assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
            assert_int_equal(X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0), 1);
            X509_free(certificate);
            key_free(&public);
        }
        key_free(&k);
    }
}

static void test_certificate_refusals(void **state)
{
    static const char *const hosts[] = {"",       "a,DNS:b",  "a b",        "a\nb",
                                        "a/CN=b", "\xc3\xa4", "1.2.3.4:80", "[::1]"};
    struct key *k = key_new(KEY_EC_P256);
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        assert_int_equal(key_write_certificate(k, hosts[i], 1, &b), CC_EINVAL);
    assert_int_equal(key_write_certificate(k, "localhost", 0, &b), CC_EINVAL);
    assert_int_equal(key_write_certificate(k, "localhost", 3651, &b), CC_EINVAL);
    assert_int_equal(b.n, 0);
    buf_free(&b);
    key_free(&k);
}

/* The first certificate of a bundle counts, and text around the blocks does not. */
static void test_bundle(void **state)
{
    struct key *first = key_new(KEY_EC_P256), *second = key_new(KEY_ED25519), *k = NULL;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    buf_add_str(&b, "Bag Attributes\n    friendlyName: wso2carbon\n"
                    "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n");
    assert_int_equal(key_write_certificate(first, "first.example", 1, &b), CC_OK);
    assert_int_equal(key_write_certificate(second, "second.example", 1, &b), CC_OK);
    assert_int_equal(key_public_from_pem(&k, buf_slice(&b)), CC_OK);
    assert_true(key_same(k, first));
    buf_free(&b);
    key_free(&first);
    key_free(&second);
    key_free(&k);
}

static void test_full_buffer(void **state)
{
    struct key *k = key_new(KEY_EC_P256);
    char room[40];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, room, sizeof(room));
    assert_int_equal(key_write_private(k, &b), CC_EFULL);
    buf_reset(&b);
    assert_int_equal(key_write_public(k, &b), CC_EFULL);
    buf_reset(&b);
    assert_int_equal(key_write_certificate(k, "localhost", 1, &b), CC_EFULL);
    key_free(&k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_different_kinds_differ),
        TEST(test_rsa_exponents),
        TEST(test_rsa_moduli),
        TEST(test_rsa_sizes),
        TEST(test_unsupported_types),
        TEST(test_explicit_curve),
        TEST(test_bad_points),
        TEST(test_ed25519_small_order),
        TEST(test_not_a_key),
        TEST(test_trailing_der),
        TEST(test_encrypted),
        TEST(test_private_in_public),
        TEST(test_traditional_private),
        TEST(test_mismatched_pair),
        TEST(test_certificates),
        TEST(test_certificate_refusals),
        TEST(test_bundle),
        TEST(test_full_buffer),
    };

    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
