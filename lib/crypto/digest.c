#include "crypto/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static void write_hex(const unsigned char *sum, unsigned n, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < n; i++) {
        *hex++ = digits[sum[i] >> 4];
        *hex++ = digits[sum[i] & 15];
    }
    *hex = '\0';
}

static int digest_hex(const EVP_MD *md, struct slice data, char *hex)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(data.n == 0 ? "" : data.p, data.n, sum, &n, md, NULL) != 1) {
        ERR_clear_error();
        return CC_ENOMEM;
    }
    write_hex(sum, n, hex);
    return CC_OK;
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
    if (EVP_Digest(data.n == 0 ? "" : data.p, data.n, sum, NULL, EVP_sha256(), NULL) == 1)
        return CC_OK;
    ERR_clear_error();
    return CC_ENOMEM;
}

int crypto_sha256_hex(struct slice data, char hex[65])
{
    return digest_hex(EVP_sha256(), data, hex);
}

int crypto_sha1_hex(struct slice data, char hex[41])
{
    return digest_hex(EVP_sha1(), data, hex);
}

/* RFC 9562 5.3, version 3, of the name without a namespace. */
int crypto_name_uuid(struct slice name, char uuid[37])
{
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    static const char variants[] = "89ab";
    int rc = digest_hex(EVP_md5(), name, hex);
    char *p = uuid;

    if (rc != CC_OK)
        return rc;
    hex[12] = '3';
    hex[16] = variants[(hex[16] >= 'a' ? hex[16] - 'a' + 10 : hex[16] - '0') & 3];
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *p++ = '-';
        *p++ = hex[i];
    }
    *p = '\0';
    return CC_OK;
}

int crypto_random_uuid(char uuid[37])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    char *p = uuid;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        ERR_clear_error();
        return CC_EREFUSED;
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
    }
    *p = '\0';
    return CC_OK;
}
