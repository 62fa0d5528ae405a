#include "crypto/key_id.h"

#include "crypto/base64url.h"
#include "crypto/jwks.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <string.h>

enum jwt_alg key_id_algorithm(enum key_kind kind)
{
    return kind == KEY_RSA ? JWT_RS256 : kind == KEY_EC_P256 ? JWT_ES256 : JWT_ALG_COUNT;
}

/* The first block that is a certificate, as DER. OpenSSL's memory. */
static int first_certificate(struct slice pem, unsigned char **der, long *n)
{
    BIO *in = NULL;
    int rc = CC_ENOENT;

    if (pem.n > KEY_PEM_MAX_BYTES)
        return CC_ETOOBIG;
    in = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
    if (in == NULL)
        return CC_ENOMEM;
    while (rc == CC_ENOENT) {
        char *name = NULL, *header = NULL;

        if (PEM_read_bio(in, &name, &header, der, n) != 1)
            break;
        if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0)
            rc = CC_OK;
        else
            OPENSSL_free(*der);
        OPENSSL_free(name);
        OPENSSL_free(header);
    }
    BIO_free(in);
    ERR_clear_error();
    return rc;
}

static void encode(struct slice bytes, char *room, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, room, size);
    base64url_encode(bytes, &b);
    CC_ASSERT(buf_error(&b) == CC_OK); /* digests have one length each */
}

static int name_key(struct key_id *out, struct slice der, enum jwt_alg alg, enum key_id_form form)
{
    unsigned char sha1[SHA_DIGEST_LENGTH], sha256[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA_DIGEST_LENGTH + 1];
    struct buf kid;

    if (EVP_Digest(der.p, der.n, sha1, NULL, EVP_sha1(), NULL) != 1 ||
        EVP_Digest(der.p, der.n, sha256, NULL, EVP_sha256(), NULL) != 1 ||
        crypto_sha1_hex(der, hex) != CC_OK) {
        ERR_clear_error();
        return CC_ENOMEM;
    }
    encode(slice_make(sha256, sizeof(sha256)), out->x5t_s256, sizeof(out->x5t_s256));
    buf_init_fixed(&kid, out->kid, sizeof(out->kid));
    if (form == KEY_ID_OLD) {
        encode(slice_of(hex), out->x5t, sizeof(out->x5t));
        buf_printf(&kid, "%s_%s", out->x5t, jwt_alg_name(alg));
    } else {
        encode(slice_make(sha1, sizeof(sha1)), out->x5t, sizeof(out->x5t));
        buf_add_str(&kid, out->x5t_s256);
    }
    CC_ASSERT(buf_error(&kid) == CC_OK);
    return CC_OK;
}

int key_id_from_pem(struct key_id *out, struct slice pem, enum jwt_alg alg, enum key_id_form form)
{
    unsigned char *der = NULL;
    long n = 0;
    int rc;

    if ((unsigned)alg >= JWT_ALG_COUNT)
        return CC_EINVAL;
    rc = first_certificate(pem, &der, &n);
    if (rc != CC_OK)
        return rc;
    rc = name_key(out, slice_make(der, (size_t)n), alg, form);
    OPENSSL_free(der);
    return rc;
}

int key_id_write_jwk(const struct key *k, const struct key_id *id, enum jwt_alg alg,
                     struct buf *out)
{
    int rc = jwks_write_key(k, slice_of(id->kid), alg, out);

    if (rc != CC_OK)
        return rc;
    CC_ASSERT(out->n > 0 && out->p[out->n - 1] == '}');
    out->n--; /* the object goes on */
    buf_printf(out, ",\"x5t\":\"%s\",\"x5t#S256\":\"%s\"}", id->x5t, id->x5t_s256);
    return buf_error(out);
}
