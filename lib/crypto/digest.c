#include "crypto/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static int digest_hex(const EVP_MD *md, struct slice data, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(data.n == 0 ? "" : data.p, data.n, sum, &n, md, NULL) != 1) {
        ERR_clear_error();
        return CC_ENOMEM;
    }
    for (unsigned i = 0; i < n; i++) {
        *hex++ = digits[sum[i] >> 4];
        *hex++ = digits[sum[i] & 15];
    }
    *hex = '\0';
    return CC_OK;
}

int crypto_sha256_hex(struct slice data, char hex[65])
{
    return digest_hex(EVP_sha256(), data, hex);
}

int crypto_sha1_hex(struct slice data, char hex[41])
{
    return digest_hex(EVP_sha1(), data, hex);
}
