/* The algorithms: one row each, used to verify, to sign, and to tell which keys fit. */

#include "crypto/base64url.h"
#include "crypto/jwt.h"
#include "crypto/key_internal.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

enum {
    ECDSA_MAX_HALF = 66, /* bytes of r or s on P-521 */
    ECDSA_MAX_DER = 3 + 2 * (2 + 1 + ECDSA_MAX_HALF),
    SIGNATURE_MAX = 8192 / 8 /* RSA, the largest key */
};

struct algorithm {
    const char *name;
    const EVP_MD *(*digest)(void); /* NULL: the algorithm hashes by itself */
    size_t signature_bytes;        /* 0: as long as the modulus */
    enum key_kind kind;
    int padding; /* RSA only */
};

/* RFC 7518 3.3 to 3.5; RFC 8037 3.1 of which Ed25519 alone. ES256 is P-256 and nothing else, and so
 * on: RFC 7518 3.4. */
static const struct algorithm algorithms[JWT_ALG_COUNT] = {
    [JWT_RS256] = {"RS256", EVP_sha256, 0, KEY_RSA, RSA_PKCS1_PADDING},
    [JWT_RS384] = {"RS384", EVP_sha384, 0, KEY_RSA, RSA_PKCS1_PADDING},
    [JWT_RS512] = {"RS512", EVP_sha512, 0, KEY_RSA, RSA_PKCS1_PADDING},
    [JWT_PS256] = {"PS256", EVP_sha256, 0, KEY_RSA, RSA_PKCS1_PSS_PADDING},
    [JWT_PS384] = {"PS384", EVP_sha384, 0, KEY_RSA, RSA_PKCS1_PSS_PADDING},
    [JWT_PS512] = {"PS512", EVP_sha512, 0, KEY_RSA, RSA_PKCS1_PSS_PADDING},
    [JWT_ES256] = {"ES256", EVP_sha256, 64, KEY_EC_P256, 0},
    [JWT_ES384] = {"ES384", EVP_sha384, 96, KEY_EC_P384, 0},
    [JWT_ES512] = {"ES512", EVP_sha512, 132, KEY_EC_P521, 0},
    [JWT_EdDSA] = {"EdDSA", NULL, 64, KEY_ED25519, 0},
};

static const EVP_MD *digest_of(const struct algorithm *a)
{
    return a->digest == NULL ? NULL : a->digest();
}

static bool is_known(enum jwt_alg alg)
{
    return (unsigned)alg < JWT_ALG_COUNT;
}

static bool is_ecdsa(const struct algorithm *a)
{
    return a->kind == KEY_EC_P256 || a->kind == KEY_EC_P384 || a->kind == KEY_EC_P521;
}

const char *jwt_alg_name(enum jwt_alg alg)
{
    return is_known(alg) ? algorithms[alg].name : "unknown";
}

enum jwt_alg jwt_alg_parse(struct slice s)
{
    unsigned i = 0;

    while (i < JWT_ALG_COUNT && !slice_is(s, algorithms[i].name))
        i++;
    return (enum jwt_alg)i;
}

bool jwt_alg_fits(enum jwt_alg alg, enum key_kind kind)
{
    return is_known(alg) && algorithms[alg].kind == kind;
}

/* PKCS#1 v1.5, or PSS with MGF1 on the same digest and a salt as long as the digest: RFC 7518 3.5
 * allows no other, so neither do we. */
static bool set_padding(EVP_PKEY_CTX *ctx, const struct algorithm *a)
{
    if (a->padding == 0)
        return true;
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, a->padding) <= 0)
        return false;
    return a->padding != RSA_PKCS1_PSS_PADDING ||
           (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest_of(a)) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

/* DER INTEGER of an unsigned big-endian number: without leading zeros but the one that keeps the
 * sign bit clear (X.690 8.3). */
static uint8_t *put_integer(uint8_t *to, const uint8_t *p, size_t n)
{
    size_t pad;

    while (n > 1 && p[0] == 0) {
        p++;
        n--;
    }
    pad = p[0] >> 7;
    *to++ = 0x02;
    *to++ = (uint8_t)(n + pad);
    if (pad != 0)
        *to++ = 0;
    memcpy(to, p, n);
    return to + n;
}

/* RFC 7518 3.4 signs with R || S, OpenSSL reads the SEQUENCE of RFC 3279 2.2.3. The caller has
 * checked the length: that is what bounds all writing here. Zeros and numbers above the group's
 * order pass through and are refused by OpenSSL. */
static size_t ecdsa_to_der(struct slice raw, uint8_t der[ECDSA_MAX_DER])
{
    const uint8_t *p = (const uint8_t *)raw.p;
    size_t half = raw.n / 2, body, head;
    uint8_t numbers[ECDSA_MAX_DER], *end;

    CC_ASSERT(half <= ECDSA_MAX_HALF);
    end = put_integer(numbers, p, half);
    end = put_integer(end, p + half, half);
    body = (size_t)(end - numbers);
    head = body < 0x80 ? 2 : 3;
    der[0] = 0x30;
    der[1] = 0x81;
    der[head - 1] = (uint8_t)body;
    memcpy(der + head, numbers, body);
    return head + body;
}

static bool ecdsa_from_der(const uint8_t *der, size_t n, uint8_t *raw, size_t raw_n)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    int half = (int)(raw_n / 2);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half) == half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half) == half;

    ECDSA_SIG_free(sig);
    return ok;
}

static enum jwt_fault verify(const struct algorithm *a, EVP_PKEY *pkey, struct slice input,
                             struct slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    enum jwt_fault fault = JWT_INTERNAL;

    if (ctx == NULL)
        goto out;
    if (EVP_DigestVerifyInit(ctx, &pctx, digest_of(a), NULL, pkey) != 1 || !set_padding(pctx, a))
        goto out;
    /* 1 is yes; 0 is no and negative is "this cannot even be a signature", which is no as well. */
    fault = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                             (const unsigned char *)input.p, input.n) == 1
                ? JWT_OK
                : JWT_BAD_SIGNATURE;
out:
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return fault;
}

enum jwt_fault jwt_verify(const struct jwt *jwt, unsigned allowed, const struct key *key)
{
    const struct algorithm *a;
    uint8_t der[ECDSA_MAX_DER];
    struct slice signature = jwt->signature;
    size_t expected;

    if (!is_known(jwt->alg))
        return JWT_BAD_ALG;
    a = &algorithms[jwt->alg];
    if ((allowed & 1u << jwt->alg) == 0)
        return JWT_ALG_NOT_ALLOWED;
    if (a->kind != key->kind)
        return JWT_ALG_KEY_MISMATCH;
    /* Before anything touches the signature: a wrong length ends here. RFC 8017 8.1.2 and 8.2.2
     * step 1 for RSA, RFC 7518 3.4 for ECDSA, RFC 8032 5.1.7 for EdDSA. */
    expected = a->signature_bytes != 0 ? a->signature_bytes : (size_t)EVP_PKEY_get_size(key->pkey);
    if (signature.n != expected)
        return JWT_BAD_SIGNATURE;
    if (is_ecdsa(a))
        signature = slice_make(der, ecdsa_to_der(signature, der));
    return verify(a, key->pkey, jwt->signing_input, signature);
}

/* Signs `input` into raw (SIGNATURE_MAX bytes), in the form that tokens use. */
static int sign(const struct algorithm *a, EVP_PKEY *pkey, struct slice input, uint8_t *raw,
                size_t *n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    uint8_t made[SIGNATURE_MAX];
    size_t made_n = sizeof(made);
    int rc = CC_ENOMEM;

    if (ctx == NULL)
        goto out;
    if (EVP_DigestSignInit(ctx, &pctx, digest_of(a), NULL, pkey) != 1 || !set_padding(pctx, a) ||
        EVP_DigestSign(ctx, made, &made_n, (const unsigned char *)input.p, input.n) != 1)
        goto out;
    if (is_ecdsa(a)) {
        if (!ecdsa_from_der(made, made_n, raw, a->signature_bytes))
            goto out;
        *n = a->signature_bytes;
    } else {
        memcpy(raw, made, made_n);
        *n = made_n;
    }
    rc = CC_OK;
out:
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

static void encode(struct slice bytes, bool url, struct buf *out)
{
    if (url)
        base64url_encode(bytes, out);
    else
        base64_encode_unpadded(bytes, out);
}

int jwt_sign_as(const struct jwt_signer *by, struct slice payload, struct buf *out)
{
    size_t start = out->n, n = 0;
    uint8_t signature[SIGNATURE_MAX];
    int rc;

    if (!is_known(by->alg) || !by->key->private || algorithms[by->alg].kind != by->key->kind)
        return CC_EINVAL;
    buf_add(out, by->head);
    buf_add_char(out, '.');
    encode(payload, by->url, out);
    rc = buf_error(out);
    if (rc == CC_OK)
        rc = sign(&algorithms[by->alg], by->key->pkey, slice_from(buf_slice(out), start), signature,
                  &n);
    if (rc != CC_OK)
        return rc;
    buf_add_char(out, '.');
    encode(slice_make(signature, n), by->url, out);
    return buf_error(out);
}

int jwt_sign(enum jwt_alg alg, const struct key *key, struct slice kid, struct slice payload,
             struct buf *out)
{
    char header_room[2 * JWT_MAX_KID + 64]; /* every character of kid may need a backslash */
    char head_room[3 * JWT_MAX_KID + 128];
    struct jwt_signer by = {.alg = alg, .key = key, .url = true};
    struct buf header, head;

    if (!is_known(alg) || (kid.n != 0 && !jwt_kid_valid(kid)))
        return CC_EINVAL;
    buf_init_fixed(&header, header_room, sizeof(header_room));
    buf_printf(&header, "{\"alg\":\"%s\",", algorithms[alg].name);
    if (kid.n != 0) {
        buf_add_str(&header, "\"kid\":");
        buf_add_json(&header, kid);
        buf_add_char(&header, ',');
    }
    buf_add_str(&header, "\"typ\":\"JWT\"}");
    buf_init_fixed(&head, head_room, sizeof(head_room));
    base64url_encode(buf_slice(&header), &head);
    CC_ASSERT(buf_error(&header) == CC_OK && buf_error(&head) == CC_OK);
    by.head = buf_slice(&head);
    return jwt_sign_as(&by, payload, out);
}
