/* Making keys and writing them down. */

#include "crypto/key_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

enum { GENERATED_RSA_BITS = 2048, CN_MAX = 64, HOST_MAX = 253, DAYS_MAX = 3650 };

int key_generate(struct key **out, enum key_kind kind)
{
    EVP_PKEY *pkey = NULL;
    int rc;

    if (kind == KEY_RSA)
        pkey = EVP_RSA_gen(GENERATED_RSA_BITS);
    else if (kind == KEY_ED25519)
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    for (size_t i = 0; i < KEY_CURVES; i++)
        if (kind == key_curves[i].kind)
            pkey = EVP_EC_gen(key_curves[i].group);
    rc = pkey == NULL ? CC_ENOMEM : key_take(out, pkey, true);
    ERR_clear_error();
    return rc;
}

/* Moves what a memory BIO holds to `out` and clears it: it may be a private key. */
static int drain(BIO *bio, struct buf *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);

    if (n <= 0)
        return CC_ENOMEM;
    buf_add(out, slice_make(p, (size_t)n));
    OPENSSL_cleanse(p, (size_t)n);
    return buf_error(out);
}

int key_write_private(const struct key *k, struct buf *out)
{
    BIO *bio = NULL;
    int rc = CC_ENOMEM;

    if (!k->private)
        return CC_EINVAL;
    /* A secure-memory BIO clears the smaller blocks it outgrows as well. */
    bio = BIO_new(BIO_s_secmem());
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1)
        rc = drain(bio, out);
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}

int key_write_public(const struct key *k, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int rc = CC_ENOMEM;

    if (bio != NULL && PEM_write_bio_PUBKEY(bio, k->pkey) == 1)
        rc = drain(bio, out);
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_host(const char *host)
{
    size_t n = strlen(host);

    if (n == 0 || n > HOST_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!ascii_is_alpha(host[i]) && !ascii_is_digit(host[i]) && strchr("-._*", host[i]) == NULL)
            return false;
    return true;
}

/* Built by hand instead of from "DNS:...": in OpenSSL's configuration syntax a comma in a name
 * would begin a second one. */
static int add_alt_name(X509 *certificate, const char *host)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = NULL;
    bool address = is_address(host);
    int rc = CC_ENOMEM;

    if (names == NULL || name == NULL)
        goto out;
    if (address) {
        value = a2i_IPADDRESS(host);
    } else {
        value = ASN1_IA5STRING_new();
        if (value != NULL && ASN1_STRING_set(value, host, -1) != 1)
            goto out;
    }
    if (value == NULL)
        goto out;
    GENERAL_NAME_set0_value(name, address ? GEN_IPADD : GEN_DNS, value);
    value = NULL;
    if (sk_GENERAL_NAME_push(names, name) <= 0)
        goto out;
    name = NULL;
    if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1)
        rc = CC_OK;
out:
    ASN1_STRING_free(value);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return rc;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return ok;
}

/* RFC 5280 4.1.2.2: a positive serial number of at most 20 bytes; random, so that two development
 * certificates of one host are never taken for one another. */
static bool set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    BIGNUM *serial = NULL;
    bool ok = false;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    serial = BN_bin2bn(bytes, sizeof(bytes), NULL);
    ok = serial != NULL && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
    BN_free(serial);
    return ok;
}

/* A common name is at most 64 characters long (X.520); a longer host stands in the alternative
 * name alone, where clients look anyway (RFC 6125). The issuer must have some name (RFC 5280
 * 4.1.2.4). */
static bool set_names(X509 *certificate, const char *host)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    const char *cn = strlen(host) <= CN_MAX ? host : "cc-gateway";

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1;
}

int key_write_certificate(const struct key *k, const char *host, unsigned days, struct buf *out)
{
    X509 *certificate = NULL;
    BIO *bio = NULL;
    int rc = CC_ENOMEM;

    if (!k->private || days == 0 || days > DAYS_MAX || (!is_address(host) && !is_host(host)))
        return CC_EINVAL;
    certificate = X509_new();
    bio = BIO_new(BIO_s_mem());
    if (certificate == NULL || bio == NULL || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        !set_serial(certificate) || !set_names(certificate, host) ||
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * 86400) == NULL ||
        X509_set_pubkey(certificate, k->pkey) != 1 ||
        !add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(certificate, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(certificate, NID_ext_key_usage, "serverAuth") ||
        add_alt_name(certificate, host) != CC_OK)
        goto out;
    /* Ed25519 hashes by itself and takes no digest. */
    if (X509_sign(certificate, k->pkey, k->kind == KEY_ED25519 ? NULL : EVP_sha256()) <= 0 ||
        PEM_write_bio_X509(bio, certificate) != 1)
        goto out;
    rc = drain(bio, out);
out:
    BIO_free(bio);
    X509_free(certificate);
    ERR_clear_error();
    return rc;
}
