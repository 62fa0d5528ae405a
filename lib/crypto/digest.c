#include "crypto/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static void write_hex(const unsigned char *sum, unsigned n, char *hex)
{
    struct buf b;

    buf_init_fixed(&b, hex, 2 * (size_t)n + 1);
    buf_add_hex(&b, sum, n);
}

static int digest(const EVP_MD *md, struct slice data, unsigned char *sum, unsigned *n)
{
    if (EVP_Digest(data.n == 0 ? "" : data.p, data.n, sum, n, md, NULL) == 1)
        return CC_OK;
    ERR_clear_error();
    return CC_ENOMEM;
}

static int digest_hex(const EVP_MD *md, struct slice data, char *hex)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int rc = digest(md, data, sum, &n);

    if (rc == CC_OK)
        write_hex(sum, n, hex);
    return rc;
}

int crypto_sha256_hex_of(const struct slice *parts, size_t n, char hex[65])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; good && i < n; i++)
        good = parts[i].n == 0 || EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
    good = good && EVP_DigestFinal_ex(ctx, sum, &size) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good) {
        ERR_clear_error();
        return CC_ENOMEM;
    }
    write_hex(sum, size, hex);
    return CC_OK;
}

int crypto_sha256(struct slice data, uint8_t sum[32])
{
    return digest(EVP_sha256(), data, sum, NULL);
}

int crypto_sha256_hex(struct slice data, char hex[65])
{
    return digest_hex(EVP_sha256(), data, hex);
}

int crypto_sha1_hex(struct slice data, char hex[41])
{
    return digest_hex(EVP_sha1(), data, hex);
}

/* RFC 9562 4: what of the bytes is not its version and variant. */
static void write_uuid(unsigned char bytes[16], unsigned version, char uuid[37])
{
    struct buf b;

    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    buf_init_fixed(&b, uuid, 37);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_add_char(&b, '-');
        buf_add_hex(&b, bytes + i, 1);
    }
}

/* RFC 9562 5.3, version 3, of the name without a namespace. */
int crypto_name_uuid(struct slice name, char uuid[37])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    int rc = digest(EVP_md5(), name, sum, NULL);

    if (rc == CC_OK)
        write_uuid(sum, 3, uuid);
    return rc;
}

int crypto_random_uuid(char uuid[37])
{
    unsigned char bytes[16];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        ERR_clear_error();
        return CC_EREFUSED;
    }
    write_uuid(bytes, 4, uuid);
    return CC_OK;
}
