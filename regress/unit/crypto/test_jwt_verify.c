/* Signatures: who may verify what. Names cite the point of RFC 8725 that a test is for. */

#include "tokens.h"
#include "vectors.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const char PAYLOAD[] = "{\"iss\":\"https://issuer.example\",\"sub\":\"alice\","
                              "\"exp\":2000000000}";

/* One key of each kind, made once: RSA keys take time. */
static struct key *keys[5];

static int make_keys(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        keys[i] = key_new((enum key_kind)i);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        key_free(&keys[i]);
    return 0;
}

static int new_arena(void **state)
{
    *state = arena_new(64 << 20);
    return *state == NULL;
}

static int free_arena(void **state)
{
    struct arena *arena = *state;

    arena_free(&arena);
    assert_int_equal(ERR_peek_error(), 0); /* nothing leaks to the next user of this thread */
    return 0;
}

static enum key_kind kind_for(enum jwt_alg alg)
{
    return alg <= JWT_PS512   ? KEY_RSA
           : alg == JWT_ES256 ? KEY_EC_P256
           : alg == JWT_ES384 ? KEY_EC_P384
           : alg == JWT_ES512 ? KEY_EC_P521
                              : KEY_ED25519;
}

static void test_names(void **state)
{
    (void)state;
    for (int alg = 0; alg < JWT_ALG_COUNT; alg++)
        assert_int_equal(jwt_alg_parse(slice_of(jwt_alg_name((enum jwt_alg)alg))), alg);
    assert_string_equal(jwt_alg_name(JWT_EdDSA), "EdDSA");
    assert_string_equal(jwt_alg_name(JWT_ALG_COUNT), "unknown");
    assert_int_equal(jwt_alg_parse(SLICE_NONE), JWT_ALG_COUNT);
    assert_int_equal(jwt_alg_parse(SLICE("rs256")), JWT_ALG_COUNT);
    assert_int_equal(jwt_alg_parse(SLICE("RS256 ")), JWT_ALG_COUNT);
    assert_int_equal(jwt_alg_parse(slice_make("RS256\0", 6)), JWT_ALG_COUNT);
}

static void test_published_vectors(void **state)
{
    static const struct {
        const char *token, *pem;
        enum jwt_alg alg;
    } vectors[] = {
        {RFC7515_A2_TOKEN, RFC7515_A2_KEY, JWT_RS256},
        {RFC7515_A3_TOKEN, RFC7515_A3_KEY, JWT_ES256},
        {RFC8037_A4_TOKEN, RFC8037_A1_KEY, JWT_EdDSA},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct key *k = key_public(vectors[i].pem);
        struct slice token = slice_of(vectors[i].token);

        assert_int_equal(token_check(token, 1u << vectors[i].alg, k), JWT_OK);
        assert_int_equal(token_check(token, ALL_ALGORITHMS & ~(1u << vectors[i].alg), k),
                         JWT_ALG_NOT_ALLOWED);
        key_free(&k);
    }
}

/* The private half of RFC 8037 A.1 signs what its public half verifies, the same way each time. */
static void test_published_private_key(void **state)
{
    struct key *k = NULL, *public = key_public(RFC8037_A1_KEY);
    struct slice token;

    assert_int_equal(key_private_from_pem(&k, slice_of(RFC8037_A1_PRIVATE)), CC_OK);
    assert_true(key_same(k, public));
    token = token_signed(*state, JWT_EdDSA, k, PAYLOAD);
    assert_int_equal(token_check(token, ALL_ALGORITHMS, public), JWT_OK);
    assert_true(slice_eq(token, token_signed(*state, JWT_EdDSA, k, PAYLOAD)));
    key_free(&k);
    key_free(&public);
}

static void test_round_trip(void **state)
{
    for (int alg = 0; alg < JWT_ALG_COUNT; alg++) {
        const struct key *k = keys[kind_for((enum jwt_alg)alg)];
        struct slice token = token_signed(*state, (enum jwt_alg)alg, k, PAYLOAD);
        struct jwt jwt;

        assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
        assert_int_equal(jwt.alg, alg);
        assert_true(slice_is(jwt.kid, "k1"));
        assert_true(slice_is(jwt.payload, PAYLOAD));
        assert_int_equal(jwt_verify(&jwt, 1u << alg, k), JWT_OK);
    }
}

/* 3.1: an algorithm goes with one kind of key, in both directions, and only when it is allowed. */
static void test_algorithm_and_key(void **state)
{
    for (int alg = 0; alg < JWT_ALG_COUNT; alg++) {
        enum key_kind right = kind_for((enum jwt_alg)alg);
        struct slice token = token_signed(*state, (enum jwt_alg)alg, keys[right], PAYLOAD);

        for (int kind = 0; kind < 5; kind++) {
            enum jwt_fault fault = token_check(token, ALL_ALGORITHMS, keys[kind]);
            bool fits = kind == (int)right;

            assert_int_equal(jwt_alg_fits((enum jwt_alg)alg, (enum key_kind)kind), fits);
            assert_int_equal(fault, fits ? JWT_OK : JWT_ALG_KEY_MISMATCH);
        }
        for (int other = 0; other < JWT_ALG_COUNT; other++)
            assert_int_equal(token_check(token, 1u << other, keys[right]),
                             other == alg ? JWT_OK : JWT_ALG_NOT_ALLOWED);
        assert_int_equal(token_check(token, 0, keys[right]), JWT_ALG_NOT_ALLOWED);
    }
    assert_false(jwt_alg_fits(JWT_ALG_COUNT, KEY_RSA));
}

/* The same RSA key signed with one algorithm, the header claims another: RS256 as PS256, SHA-256 as
 * SHA-512, and so on. The signature cannot be moved over. */
static void test_relabelled(void **state)
{
    for (int made = JWT_RS256; made <= JWT_PS512; made++) {
        struct slice signature;
        struct jwt jwt;

        assert_int_equal(jwt_split(token_signed(*state, (enum jwt_alg)made, keys[KEY_RSA], PAYLOAD),
                                   *state, &jwt),
                         JWT_OK);
        signature = jwt.signature;
        for (int claimed = JWT_RS256; claimed <= JWT_PS512; claimed++) {
            struct jwt other = jwt;

            other.alg = (enum jwt_alg)claimed;
            other.signature = signature;
            assert_int_equal(jwt_verify(&other, ALL_ALGORITHMS, keys[KEY_RSA]),
                             claimed == made ? JWT_OK : JWT_BAD_SIGNATURE);
        }
    }
}

static void test_other_key(void **state)
{
    for (int alg = JWT_ES256; alg < JWT_ALG_COUNT; alg++) {
        enum key_kind kind = kind_for((enum jwt_alg)alg);
        struct key *other = key_new(kind);
        struct slice token = token_signed(*state, (enum jwt_alg)alg, keys[kind], PAYLOAD);

        assert_int_equal(token_check(token, ALL_ALGORITHMS, other), JWT_BAD_SIGNATURE);
        key_free(&other);
    }
}

/* Field list 32: each bit of each byte of a token flipped; nothing verifies any more, and neither
 * does a token with a byte more or less at any end. */
static void test_bit_flips(void **state)
{
    static const enum jwt_alg algs[] = {JWT_RS256, JWT_PS256, JWT_ES256, JWT_EdDSA};

    for (size_t a = 0; a < 4; a++) {
        const struct key *k = keys[kind_for(algs[a])];
        struct slice token = token_signed(*state, algs[a], k, PAYLOAD);
        char *bytes = (char *)(uintptr_t)token.p;
        struct buf longer;

        for (size_t i = 0; i < token.n; i++)
            for (int bit = 0; bit < 8; bit++) {
                bytes[i] = (char)(bytes[i] ^ 1 << bit);
                assert_int_not_equal(token_check(token, ALL_ALGORITHMS, k), JWT_OK);
                bytes[i] = (char)(bytes[i] ^ 1 << bit);
            }
        assert_int_equal(token_check(token, ALL_ALGORITHMS, k), JWT_OK);

        for (size_t n = 0; n < token.n; n++) {
            assert_int_not_equal(token_check(slice_first(token, n), ALL_ALGORITHMS, k), JWT_OK);
            assert_int_not_equal(token_check(slice_from(token, n + 1), ALL_ALGORITHMS, k), JWT_OK);
        }
        for (int c = 0; c < 256; c++) {
            buf_init(&longer, JWT_MAX_BYTES);
            buf_add(&longer, token);
            buf_add_char(&longer, (char)c);
            assert_int_not_equal(token_check(buf_slice(&longer), ALL_ALGORITHMS, k), JWT_OK);
            buf_free(&longer);
        }
    }
}

/* The signature part of `jwt` replaced; checked as it comes from the wire. */
static enum jwt_fault with_signature(struct arena *arena, enum jwt_alg alg, const void *p, size_t n,
                                     const struct key *key)
{
    struct slice header = arena_printf(arena, "{\"alg\":\"%s\"}", jwt_alg_name(alg));

    return token_check(token_make(arena, header, slice_of(PAYLOAD), slice_make(p, n)),
                       ALL_ALGORITHMS, key);
}

/* Field list 13: n and n-1 of P-256, big-endian. */
static const uint8_t P256_ORDER[32] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

/* CVE-2022-21449, "psychic signatures": r or s of zero, or not below the order. */
static void test_ecdsa_range(void **state)
{
    uint8_t zero[32] = {0}, one[32] = {0}, max[32], high[32];
    const uint8_t *values[5] = {zero, one, P256_ORDER, max, high};

    one[31] = 1;
    memset(max, 0xff, sizeof(max));
    memcpy(high, P256_ORDER, sizeof(high));
    high[31]++; /* n + 1, which is 1 modulo n */
    for (int r = 0; r < 5; r++)
        for (int s = 0; s < 5; s++) {
            uint8_t raw[64];

            memcpy(raw, values[r], 32);
            memcpy(raw + 32, values[s], 32);
            assert_int_equal(with_signature(*state, JWT_ES256, raw, sizeof(raw), keys[KEY_EC_P256]),
                             JWT_BAD_SIGNATURE);
        }
}

/* A good signature with the order added to s would be good again if s were taken modulo n; P-521
 * has the room for it in its 66 bytes. */
static void test_ecdsa_s_plus_order(void **state)
{
    struct slice token = token_signed(*state, JWT_ES512, keys[KEY_EC_P521], PAYLOAD);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp521r1);
    uint8_t raw[132];
    struct jwt jwt;
    BIGNUM *s;

    assert_non_null(group);
    assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
    assert_int_equal(jwt.signature.n, sizeof(raw));
    memcpy(raw, jwt.signature.p, sizeof(raw));
    s = BN_bin2bn(raw + 66, 66, NULL);
    assert_non_null(s);
    assert_int_equal(BN_add(s, s, EC_GROUP_get0_order(group)), 1);
    assert_int_equal(BN_bn2binpad(s, raw + 66, 66), 66);
    jwt.signature = slice_make(raw, sizeof(raw));
    assert_int_equal(jwt_verify(&jwt, ALL_ALGORITHMS, keys[KEY_EC_P521]), JWT_BAD_SIGNATURE);
    EC_GROUP_free(group);
    BN_free(s);
}

/* Every length around the right ones, DER instead of R || S, and HAProxy 648b0e7be: a signature of
 * thousands of bytes must be refused by its length before any conversion. */
static void test_signature_lengths(void **state)
{
    static const struct {
        enum jwt_alg alg;
        size_t right;
    } rows[] = {{JWT_RS256, 256}, {JWT_PS512, 256}, {JWT_ES256, 64},
                {JWT_ES384, 96},  {JWT_ES512, 132}, {JWT_EdDSA, 64}};
    static const size_t lengths[] = {0,  1,  2,   3,   31,  32,  33,  63,  64,  65,  95,
                                     96, 97, 131, 132, 133, 255, 256, 257, 512, 5000};
    uint8_t bytes[5000];

    memset(bytes, 0x5a, sizeof(bytes));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct key *k = keys[kind_for(rows[i].alg)];
        struct slice token = token_signed(*state, rows[i].alg, k, PAYLOAD);
        struct jwt jwt;

        assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
        assert_int_equal(jwt.signature.n, rows[i].right);
        for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++)
            assert_int_equal(with_signature(*state, rows[i].alg, bytes, lengths[j], k),
                             JWT_BAD_SIGNATURE);
        /* a good signature with a zero before or behind it */
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes + 1, jwt.signature.p, jwt.signature.n);
        jwt.signature = slice_make(bytes, rows[i].right + 1);
        assert_int_equal(jwt_verify(&jwt, ALL_ALGORITHMS, k), JWT_BAD_SIGNATURE);
        jwt.signature = slice_make(bytes + 1, rows[i].right + 1);
        assert_int_equal(jwt_verify(&jwt, ALL_ALGORITHMS, k), JWT_BAD_SIGNATURE);
        jwt.signature = slice_make(bytes + 1, rows[i].right);
        assert_int_equal(jwt_verify(&jwt, ALL_ALGORITHMS, k), JWT_OK);
    }
}

/* Field list 14. */
static void test_huge_signature(void **state)
{
    char *bytes = arena_alloc(*state, 21830 / 4 * 3);

    assert_non_null(bytes);
    assert_int_equal(with_signature(*state, JWT_ES256, bytes, 21830 / 4 * 3, keys[KEY_EC_P256]),
                     JWT_TOO_LARGE);
}

/* Each form that r and s take in DER: with a leading zero byte to drop, with a high bit that needs
 * one. One signature in 256 has the former, so they are made until one comes. */
static void test_ecdsa_conversion(void **state)
{
    bool zero[2] = {false, false}, high[2] = {false, false};

    (void)state;
    for (int i = 0; !(zero[0] && zero[1] && high[0] && high[1]); i++) {
        struct arena *arena = arena_new(1 << 20);
        struct jwt jwt;

        assert_true(i < 20000);
        assert_int_equal(
            jwt_split(token_signed(arena, JWT_ES256, keys[KEY_EC_P256], PAYLOAD), arena, &jwt),
            JWT_OK);
        for (int half = 0; half < 2; half++) {
            zero[half] |= jwt.signature.p[32 * half] == 0;
            high[half] |= (jwt.signature.p[32 * half] & 0x80) != 0;
        }
        assert_int_equal(jwt_verify(&jwt, ALL_ALGORITHMS, keys[KEY_EC_P256]), JWT_OK);
        arena_free(&arena);
    }
}

/* RFC 7518 3.5: the salt is as long as the digest, and the mask's digest is the same one. */
static void test_pss_parameters(void **state)
{
    static const struct {
        int salt;
        const EVP_MD *(*mask)(void);
        enum jwt_fault expected;
    } rows[] = {
        {32, EVP_sha256, JWT_OK},
        {0, EVP_sha256, JWT_BAD_SIGNATURE},
        {20, EVP_sha256, JWT_BAD_SIGNATURE},
        {RSA_PSS_SALTLEN_MAX, EVP_sha256, JWT_BAD_SIGNATURE},
        {32, EVP_sha1, JWT_BAD_SIGNATURE},
        {32, EVP_sha512, JWT_BAD_SIGNATURE},
    };
    struct slice token = token_signed(*state, JWT_PS256, keys[KEY_RSA], PAYLOAD);
    struct buf pem;
    EVP_PKEY *pkey;
    struct jwt jwt;
    BIO *bio;

    assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
    buf_init(&pem, 8192);
    assert_int_equal(key_write_private(keys[KEY_RSA], &pem), CC_OK);
    bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_non_null(pkey);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pctx;
        uint8_t raw[256];
        size_t n = sizeof(raw);

        assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, pkey), 1);
        assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, rows[i].salt) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, rows[i].mask()) > 0);
        assert_int_equal(
            EVP_DigestSign(ctx, raw, &n, (const uint8_t *)jwt.signing_input.p, jwt.signing_input.n),
            1);
        jwt.signature = slice_make(raw, n);
        assert_int_equal(jwt_verify(&jwt, ALL_ALGORITHMS, keys[KEY_RSA]), rows[i].expected);
        EVP_MD_CTX_free(ctx);
    }
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    buf_free(&pem);
}

/* 3.1, field list 8 and 9: an HMAC under what everybody knows, the public key, or under nothing.
 * There is no HMAC here to be fooled: HS256 is not an algorithm. */
static void test_hmac_confusion(void **state)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    struct buf pem, input;
    const struct slice secrets[2] = {SLICE_INIT("<pem>"), SLICE_INIT("")};

    buf_init(&pem, 8192);
    assert_int_equal(key_write_public(keys[KEY_RSA], &pem), CC_OK);
    buf_init(&input, 8192);
    base64url_encode(slice_of(header), &input);
    buf_add_char(&input, '.');
    base64url_encode(slice_of(PAYLOAD), &input);
    for (int i = 0; i < 2; i++) {
        struct slice secret = i == 0 ? buf_slice(&pem) : secrets[i];
        uint8_t mac[32];
        unsigned n = 0;
        struct slice token;

        assert_non_null(
            HMAC(EVP_sha256(), secret.p, (int)secret.n, (uint8_t *)input.p, input.n, mac, &n));
        token = token_make(*state, slice_of(header), slice_of(PAYLOAD), slice_make(mac, n));
        assert_int_equal(token_check(token, ALL_ALGORITHMS, keys[KEY_RSA]), JWT_BAD_ALG);
        assert_int_equal(token_check(token, ~0u, keys[KEY_RSA]), JWT_BAD_ALG);
    }
    buf_free(&input);
    buf_free(&pem);
}

/* A header re-encoded with the same meaning is another signing input. */
static void test_reencoded_header(void **state)
{
    struct slice token = token_signed(*state, JWT_ES256, keys[KEY_EC_P256], PAYLOAD);
    struct slice other;
    struct jwt jwt;

    assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
    other = token_make(*state, SLICE("{\"kid\":\"k1\", \"alg\":\"ES256\",\"typ\":\"JWT\"}"),
                       jwt.payload, jwt.signature);
    assert_int_equal(token_check(other, ALL_ALGORITHMS, keys[KEY_EC_P256]), JWT_BAD_SIGNATURE);
}

/* 3.10, field list 19 to 21: a token signed by a key that it brings along or points to. The header
 * is in order, the key is not believed. */
static void test_key_in_header(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}}",
        "{\"alg\":\"ES256\",\"jku\":\"https://attacker.example/keys\"}",
        "{\"alg\":\"ES256\",\"x5u\":\"https://attacker.example/cert\"}",
        "{\"alg\":\"ES256\",\"x5c\":[\"MIIB\"]}",
    };
    struct key *attacker = key_new(KEY_EC_P256);
    struct jwt jwt;

    for (size_t i = 0; i < 4; i++) {
        struct slice token = token_signed(*state, JWT_ES256, attacker, PAYLOAD);

        assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
        token = token_make(*state, slice_of(headers[i]), jwt.payload, jwt.signature);
        assert_int_equal(token_check(token, ALL_ALGORITHMS, keys[KEY_EC_P256]), JWT_BAD_SIGNATURE);
    }
    key_free(&attacker);
}

static void test_unsplit_token_never_verifies(void **state)
{
    struct jwt jwt;

    assert_int_equal(jwt_split(token_unsigned(*state, "{\"alg\":\"none\"}", "{}"), *state, &jwt),
                     JWT_BAD_ALG);
    assert_int_equal(jwt_verify(&jwt, ~0u, keys[KEY_RSA]), JWT_BAD_ALG);
}

static void test_sign_refuses(void **state)
{
    struct buf out, small;
    char room[64];
    struct key *public = key_public(RFC7515_A2_KEY);

    (void)state;
    buf_init(&out, 1 << 16);
    assert_int_equal(jwt_sign(JWT_RS256, public, SLICE(""), SLICE("{}"), &out), CC_EINVAL);
    assert_int_equal(jwt_sign(JWT_ES256, keys[KEY_RSA], SLICE(""), SLICE("{}"), &out), CC_EINVAL);
    assert_int_equal(jwt_sign(JWT_ES256, keys[KEY_EC_P384], SLICE(""), SLICE("{}"), &out),
                     CC_EINVAL);
    assert_int_equal(jwt_sign(JWT_ALG_COUNT, keys[KEY_RSA], SLICE(""), SLICE("{}"), &out),
                     CC_EINVAL);
    assert_int_equal(jwt_sign(JWT_RS256, keys[KEY_RSA], SLICE("a\nb"), SLICE("{}"), &out),
                     CC_EINVAL);
    assert_int_equal(out.n, 0);
    buf_init_fixed(&small, room, sizeof(room));
    assert_int_equal(jwt_sign(JWT_RS256, keys[KEY_RSA], SLICE(""), SLICE("{}"), &small), CC_EFULL);
    buf_free(&out);
    key_free(&public);
}

/* The longest kid with nothing but characters that JSON escapes comes back as it was; the token is
 * appended to what is in the buffer. */
static void test_sign_kid(void **state)
{
    char kid[JWT_MAX_KID];
    struct buf out;
    struct jwt jwt;

    memset(kid, '"', sizeof(kid));
    kid[7] = '\\';
    buf_init(&out, 1 << 16);
    buf_add_str(&out, "Bearer ");
    assert_int_equal(
        jwt_sign(JWT_EdDSA, keys[KEY_ED25519], slice_make(kid, sizeof(kid)), SLICE("{}"), &out),
        CC_OK);
    assert_true(slice_starts(buf_slice(&out), SLICE("Bearer ")));
    assert_int_equal(jwt_split(slice_from(buf_slice(&out), 7), *state, &jwt), JWT_OK);
    assert_true(slice_eq(jwt.kid, slice_make(kid, sizeof(kid))));
    assert_int_equal(jwt_verify(&jwt, 1u << JWT_EdDSA, keys[KEY_ED25519]), JWT_OK);
    buf_reset(&out);
    assert_int_equal(jwt_sign(JWT_EdDSA, keys[KEY_ED25519], SLICE(""), SLICE("{}"), &out), CC_OK);
    assert_int_equal(jwt_split(buf_slice(&out), *state, &jwt), JWT_OK);
    assert_null(jwt.kid.p);
    buf_free(&out);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_published_vectors),
        TEST(test_published_private_key),
        TEST(test_round_trip),
        TEST(test_algorithm_and_key),
        TEST(test_relabelled),
        TEST(test_other_key),
        TEST(test_bit_flips),
        TEST(test_ecdsa_range),
        TEST(test_ecdsa_s_plus_order),
        TEST(test_signature_lengths),
        TEST(test_huge_signature),
        TEST(test_ecdsa_conversion),
        TEST(test_pss_parameters),
        TEST(test_hmac_confusion),
        TEST(test_reencoded_header),
        TEST(test_key_in_header),
        TEST(test_unsplit_token_never_verifies),
        TEST(test_sign_refuses),
        TEST(test_sign_kid),
    };

    return cmocka_run_group_tests_name("jwt_verify", tests, make_keys, free_keys);
}
