#include "crypto/key_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdlib.h>
#include <time.h>

int key_take(struct key **out, EVP_PKEY *pkey, bool private)
{
    struct key *k = calloc(1, sizeof(*k));
    int rc = CC_ENOMEM;

    if (k == NULL) {
        EVP_PKEY_free(pkey);
        goto out;
    }
    k->pkey = pkey;
    k->private = private;
    rc = key_check(pkey, &k->kind, k->description, sizeof(k->description));
    if (rc != CC_OK)
        goto out;
    *out = k;
    k = NULL;
out:
    key_free(&k);
    return rc;
}

void key_free(struct key **k)
{
    if (*k == NULL)
        return;
    EVP_PKEY_free((*k)->pkey); /* clears what is private */
    free(*k);
    *k = NULL;
}

static int64_t not_after_of(const X509 *certificate)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
        return -1;
    return (int64_t)timegm(&tm);
}

static int from_certificate(struct key **out, const unsigned char *der, long n)
{
    const unsigned char *end = der;
    X509 *certificate = d2i_X509(NULL, &end, n);
    EVP_PKEY *pkey = NULL;
    int64_t not_after;
    int rc = CC_EPARSE;

    if (certificate == NULL || end != der + n)
        goto out;
    not_after = not_after_of(certificate);
    if (not_after <= 0)
        goto out;
    pkey = X509_get_pubkey(certificate);
    rc = CC_EUNSUPPORTED;
    if (pkey == NULL)
        goto out;
    rc = key_take(out, pkey, false);
    if (rc == CC_OK)
        (*out)->not_after = not_after;
out:
    X509_free(certificate);
    return rc;
}

static int from_public_key(struct key **out, const unsigned char *der, long n)
{
    const unsigned char *end = der;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &end, n);

    if (pkey == NULL)
        return CC_EPARSE;
    if (end != der + n) {
        EVP_PKEY_free(pkey);
        return CC_EPARSE;
    }
    return key_take(out, pkey, false);
}

/* The next PEM block that holds a public key, and no further. CC_ENOENT for a block of another
 * sort, CC_EPARSE when there is no more. */
static int next_public(struct key **out, BIO *in)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long n = 0;
    int rc = CC_EPARSE;

    if (PEM_read_bio(in, &name, &header, &der, &n) != 1)
        return CC_EPARSE;
    if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0)
        rc = from_certificate(out, der, n);
    else if (strcmp(name, PEM_STRING_PUBLIC) == 0)
        rc = from_public_key(out, der, n);
    else
        rc = CC_ENOENT;
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return rc;
}

int key_public_from_pem(struct key **out, struct slice pem)
{
    BIO *in = NULL;
    int rc;

    if (pem.n > KEY_PEM_MAX_BYTES)
        return CC_ETOOBIG;
    /* Looked for in the text, not block by block: a private key behind the certificate, or one too
     * damaged to be read, has been put in the wrong place all the same. */
    if (slice_contains(pem, SLICE("PRIVATE KEY-----")))
        return CC_EREFUSED;
    in = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
    if (in == NULL)
        return CC_ENOMEM;
    do
        rc = next_public(out, in);
    while (rc == CC_ENOENT);
    BIO_free(in);
    ERR_clear_error();
    return rc;
}

/* Instead of OpenSSL's own callback, which asks on the terminal. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* Do the halves belong together? Else tokens would be signed that nobody can verify. */
static int check_pair(const struct key *k)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    int rc = CC_ENOMEM;

    if (ctx != NULL)
        rc = EVP_PKEY_pairwise_check(ctx) == 1 ? CC_OK : CC_EWEAK;
    EVP_PKEY_CTX_free(ctx);
    return rc;
}

int key_private_from_pem(struct key **out, struct slice pem)
{
    struct key *k = NULL;
    EVP_PKEY *pkey = NULL;
    BIO *in = NULL;
    int rc;

    if (pem.n > KEY_PEM_MAX_BYTES)
        return CC_ETOOBIG;
    /* "BEGIN ENCRYPTED PRIVATE KEY" (PKCS#8) or "Proc-Type: 4,ENCRYPTED" (RFC 1421). */
    if (slice_contains(pem, SLICE("ENCRYPTED")))
        return CC_EUNSUPPORTED;
    in = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
    rc = CC_ENOMEM;
    if (in == NULL)
        goto out;
    pkey = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
    rc = CC_EPARSE;
    if (pkey == NULL)
        goto out;
    rc = key_take(&k, pkey, true);
    if (rc != CC_OK)
        goto out;
    rc = check_pair(k);
    if (rc != CC_OK)
        goto out;
    *out = k;
    k = NULL;
out:
    key_free(&k);
    BIO_free(in);
    ERR_clear_error();
    return rc;
}

bool key_same(const struct key *a, const struct key *b)
{
    bool same = EVP_PKEY_eq(a->pkey, b->pkey) == 1;

    ERR_clear_error();
    return same;
}

enum key_kind key_kind_of(const struct key *k)
{
    return k->kind;
}

bool key_is_private(const struct key *k)
{
    return k->private;
}

int64_t key_not_after(const struct key *k)
{
    return k->not_after;
}

const char *key_describe(const struct key *k)
{
    return k->description;
}
