/* Which keys get in, and why the others do not. */

#include "crypto/key_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <stdio.h>

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 8192, RSA_MIN_EXPONENT = 65537, ED25519_BYTES = 32 };

const struct key_curve key_curves[KEY_CURVES] = {
    {KEY_EC_P256, SN_X9_62_prime256v1, "P-256"},
    {KEY_EC_P384, SN_secp384r1, "P-384"},
    {KEY_EC_P521, SN_secp521r1, "P-521"},
};

/* OpenSSL's own test of the public half: RSA modulus composite without small factors (SP 800-56B),
 * EC point on the curve, in the group and not at infinity (SP 800-56A). */
static int check_public(const EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new((EVP_PKEY *)pkey, NULL);
    int rc = CC_ENOMEM;

    if (ctx != NULL)
        rc = EVP_PKEY_public_check(ctx) == 1 ? CC_OK : CC_EWEAK;
    EVP_PKEY_CTX_free(ctx);
    return rc;
}

/* RFC 7518 3.3 and 3.5 ask for 2048 bits. The range of exponents is checked here because OpenSSL
 * accepts any odd one: 1 verifies everything, 3 has a history of forgeries, and one above 64 bits
 * only makes verification slow. */
static int check_rsa(const EVP_PKEY *pkey, char *description, size_t size)
{
    int bits = EVP_PKEY_get_bits(pkey);
    BIGNUM *e = NULL;
    int rc = CC_EWEAK;

    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
        return CC_EWEAK;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
        return CC_ENOMEM;
    if (BN_is_odd(e) && BN_num_bits(e) <= 64 && BN_get_word(e) >= RSA_MIN_EXPONENT)
        rc = check_public(pkey);
    BN_free(e);
    snprintf(description, size, "RSA %d bits", bits);
    return rc;
}

/* Named curves only: parameters written out in the key are how CVE-2020-0601 let a key pass for
 * another one's. */
static int check_ec(const EVP_PKEY *pkey, enum key_kind *kind, char *description, size_t size)
{
    const struct key_curve *curve = NULL;
    char encoding[32], group[32];
    size_t n;

    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding,
                                       sizeof(encoding), &n) != 1 ||
        strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0 ||
        EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) != 1)
        return CC_EUNSUPPORTED;
    for (size_t i = 0; i < KEY_CURVES; i++)
        if (strcmp(group, key_curves[i].group) == 0)
            curve = &key_curves[i];
    if (curve == NULL)
        return CC_EUNSUPPORTED;
    *kind = curve->kind;
    snprintf(description, size, "EC %s", curve->name);
    return check_public(pkey);
}

/* The encodings of the eight points whose order divides 8, without the sign bit. With such a key
 * anyone can make signatures that verify, and neither RFC 8032 nor OpenSSL refuses it. */
static bool ed25519_small_order(const uint8_t y[ED25519_BYTES])
{
    static const uint8_t SMALL[][ED25519_BYTES] = {
        {0x00},
        {0x01},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    uint8_t high = 0xff; /* and of the bytes that are ff in p - 1, p and p + 1 */

    for (size_t i = 0; i < sizeof(SMALL) / sizeof(SMALL[0]); i++)
        if (memcmp(y, SMALL[i], ED25519_BYTES - 1) == 0 &&
            (y[ED25519_BYTES - 1] & 0x7f) == SMALL[i][ED25519_BYTES - 1])
            return true;
    for (size_t i = 1; i < ED25519_BYTES - 1; i++)
        high &= y[i];
    return high == 0xff && (y[ED25519_BYTES - 1] & 0x7f) == 0x7f && y[0] >= 0xec;
}

static int check_ed25519(const EVP_PKEY *pkey, char *description, size_t size)
{
    uint8_t y[ED25519_BYTES];
    size_t n = sizeof(y);

    if (EVP_PKEY_get_raw_public_key(pkey, y, &n) != 1 || n != sizeof(y))
        return CC_EPARSE;
    snprintf(description, size, "Ed25519");
    return ed25519_small_order(y) ? CC_EWEAK : CC_OK;
}

int key_check(const EVP_PKEY *pkey, enum key_kind *kind, char *description, size_t size)
{
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        *kind = KEY_RSA;
        return check_rsa(pkey, description, size);
    }
    if (EVP_PKEY_is_a(pkey, "EC"))
        return check_ec(pkey, kind, description, size);
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        *kind = KEY_ED25519;
        return check_ed25519(pkey, description, size);
    }
    return CC_EUNSUPPORTED;
}
