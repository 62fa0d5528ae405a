/* A public key as an entry of a key set. */

#include "crypto/base64url.h"
#include "crypto/jwks.h"
#include "crypto/key_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

enum { NUMBER_MAX = 8192 / 8 };

/* ,"n":"..." ; `length` 0: as long as the number is (RFC 7518 2, Base64urlUInt). */
static int add_number(const struct key *k, const char *param, const char *name, size_t length,
                      struct buf *out)
{
    unsigned char bytes[NUMBER_MAX];
    BIGNUM *number = NULL;
    int n = -1;

    if (EVP_PKEY_get_bn_param(k->pkey, param, &number) != 1)
        return CC_ENOMEM;
    if (length == 0)
        length = (size_t)BN_num_bytes(number);
    if (length <= sizeof(bytes))
        n = BN_bn2binpad(number, bytes, (int)length);
    BN_free(number);
    if (n < 0)
        return CC_EINVAL;
    buf_printf(out, ",\"%s\":\"", name);
    base64url_encode(slice_make(bytes, (size_t)n), out);
    buf_add_char(out, '"');
    return CC_OK;
}

static int add_ec(const struct key *k, struct buf *out)
{
    size_t length = k->kind == KEY_EC_P256 ? 32 : k->kind == KEY_EC_P384 ? 48 : 66;
    int rc;

    buf_printf(out, "{\"kty\":\"EC\",\"crv\":\"%s\"", k->description + strlen("EC "));
    rc = add_number(k, OSSL_PKEY_PARAM_EC_PUB_X, "x", length, out);
    return rc == CC_OK ? add_number(k, OSSL_PKEY_PARAM_EC_PUB_Y, "y", length, out) : rc;
}

static int add_okp(const struct key *k, struct buf *out)
{
    unsigned char x[32];
    size_t n = sizeof(x);

    if (EVP_PKEY_get_raw_public_key(k->pkey, x, &n) != 1)
        return CC_ENOMEM;
    buf_add_str(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
    base64url_encode(slice_make(x, n), out);
    buf_add_char(out, '"');
    return CC_OK;
}

int jwks_write_key(const struct key *k, struct slice kid, enum jwt_alg alg, struct buf *out)
{
    int rc;

    if (alg != JWT_ALG_COUNT && !jwt_alg_fits(alg, k->kind))
        return CC_EINVAL;
    if (k->kind == KEY_RSA) {
        buf_add_str(out, "{\"kty\":\"RSA\"");
        rc = add_number(k, OSSL_PKEY_PARAM_RSA_N, "n", 0, out);
        if (rc == CC_OK)
            rc = add_number(k, OSSL_PKEY_PARAM_RSA_E, "e", 0, out);
    } else if (k->kind == KEY_ED25519) {
        rc = add_okp(k, out);
    } else {
        rc = add_ec(k, out);
    }
    ERR_clear_error();
    if (rc != CC_OK)
        return rc;
    buf_add_str(out, ",\"use\":\"sig\"");
    if (alg != JWT_ALG_COUNT)
        buf_printf(out, ",\"alg\":\"%s\"", jwt_alg_name(alg));
    if (kid.n > 0) {
        buf_add_str(out, ",\"kid\":");
        buf_add_json(out, kid);
    }
    buf_add_char(out, '}');
    return buf_error(out);
}
