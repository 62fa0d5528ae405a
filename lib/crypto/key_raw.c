/* Public keys from their numbers, as key sets have them. */

#include "crypto/key_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

enum { MODULUS_MAX = 8192 / 8 + 1, EXPONENT_MAX = 8 + 1, COORDINATE_MAX = 66, ED25519_BYTES = 32 };

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* What OpenSSL cannot make a key of is no key. */
static int take(struct key **out, EVP_PKEY *pkey)
{
    int rc = pkey == NULL ? CC_EWEAK : key_take(out, pkey, false);

    ERR_clear_error();
    return rc;
}

int key_from_rsa(struct key **out, struct slice modulus, struct slice exponent)
{
    OSSL_PARAM_BLD *builder = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *n = NULL, *e = NULL;
    int rc = CC_ENOMEM;

    /* Too long to be a good one; before anything is computed with it. */
    if (modulus.n > MODULUS_MAX || exponent.n > EXPONENT_MAX)
        return CC_EWEAK;
    builder = OSSL_PARAM_BLD_new();
    n = BN_bin2bn((const unsigned char *)modulus.p, (int)modulus.n, NULL);
    e = BN_bin2bn((const unsigned char *)exponent.p, (int)exponent.n, NULL);
    if (builder == NULL || n == NULL || e == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        goto out;
    params = OSSL_PARAM_BLD_to_param(builder);
    rc = take(out, from_params("RSA", params));
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return rc;
}

/* The uncompressed point (SEC 1 2.3.3). RFC 7518 6.2.1.2: coordinates have the full length of the
 * curve's field. */
int key_from_ec(struct key **out, enum key_kind kind, struct slice x, struct slice y)
{
    static const size_t lengths[KEY_CURVES] = {32, 48, 66};
    unsigned char point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM params[3];
    size_t curve = 0;

    while (curve < KEY_CURVES && key_curves[curve].kind != kind)
        curve++;
    if (curve == KEY_CURVES)
        return CC_EUNSUPPORTED;
    if (x.n != lengths[curve] || y.n != lengths[curve])
        return CC_EWEAK;
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                 (char *)key_curves[curve].group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x.n + y.n);
    params[2] = OSSL_PARAM_construct_end();
    return take(out, from_params("EC", params));
}

int key_from_ed25519(struct key **out, struct slice x)
{
    if (x.n != ED25519_BYTES)
        return CC_EWEAK;
    return take(out, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.p,
                                                 x.n));
}
