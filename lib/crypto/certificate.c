#include "crypto/certificate.h"

#include "crypto/key_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <time.h>

#define BEGIN  "-----BEGIN "
#define DASHES "-----"

/* The line at `from` without its end and blanks before that, as OpenSSL takes it; *next is where
 * the following one starts. */
static struct slice line_at(struct slice text, size_t from, size_t *next)
{
    struct slice line = slice_from(text, from);
    ptrdiff_t end = slice_find(line, '\n');

    *next = end < 0 ? text.n : from + (size_t)end + 1;
    if (end >= 0)
        line = slice_first(line, (size_t)end);
    while (line.n > 0 && (unsigned char)line.p[line.n - 1] <= ' ')
        line.n--;
    return line;
}

/* "CERTIFICATE" of "-----BEGIN CERTIFICATE-----"; p == NULL for any other line. */
static struct slice label_of(struct slice line)
{
    struct slice begin = SLICE(BEGIN), dashes = SLICE(DASHES);

    if (line.n < begin.n + dashes.n || !slice_starts(line, begin) || !slice_ends(line, dashes))
        return SLICE_NONE;
    return slice_make(line.p + begin.n, line.n - begin.n - dashes.n);
}

static bool is_certificate(struct slice label)
{
    return slice_is(label, PEM_STRING_X509) || slice_is(label, PEM_STRING_X509_OLD);
}

bool certificate_time(const ASN1_TIME *time, int64_t *out)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

static int copy_name(const X509_NAME *name, struct arena *arena, struct slice *out)
{
    unsigned char *der = NULL;
    int n = i2d_X509_NAME(name, &der);

    if (n < 0)
        return CC_EPARSE;
    *out = arena_dup(arena, slice_make(der, (size_t)n));
    OPENSSL_free(der);
    return out->p != NULL ? CC_OK : CC_ENOMEM;
}

static int write_pem(X509 *x, struct arena *arena, struct slice *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n;
    int rc = CC_ENOMEM;

    if (bio == NULL || PEM_write_bio_X509(bio, x) != 1)
        goto out;
    n = BIO_get_mem_data(bio, &text);
    *out = arena_dup(arena, slice_make(text, (size_t)n));
    rc = out->p != NULL ? CC_OK : CC_ENOMEM;
out:
    BIO_free(bio);
    return rc;
}

static int describe(struct certificate *c, X509 *x, struct arena *arena)
{
    int rc;

    if (!certificate_time(X509_get0_notAfter(x), &c->not_after))
        return CC_EPARSE;
    if (X509_get0_pubkey(x) == NULL)
        return CC_EPARSE;
    rc = copy_name(X509_get_subject_name(x), arena, &c->subject);
    if (rc == CC_OK)
        rc = copy_name(X509_get_issuer_name(x), arena, &c->issuer);
    return rc == CC_OK ? write_pem(x, arena, &c->pem) : rc;
}

/* The block that `text` begins with. */
static int read_block(struct certificate *c, struct slice text, struct arena *arena)
{
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    const unsigned char *end;
    X509 *x = NULL;
    long n = 0;
    int rc = CC_ENOMEM;

    if (in == NULL)
        goto out;
    rc = CC_EPARSE;
    if (PEM_read_bio(in, &name, &header, &der, &n) != 1 || !is_certificate(slice_of(name)))
        goto out;
    end = der;
    x = d2i_X509(NULL, &end, n);
    if (x != NULL && end == der + n)
        rc = describe(c, x, arena);
out:
    X509_free(x);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    ERR_clear_error();
    return rc;
}

static size_t count_blocks(struct slice text)
{
    size_t n = 0;

    for (size_t at = 0, next; at < text.n; at = next)
        n += label_of(line_at(text, at, &next)).p != NULL;
    return n;
}

int certificates_from_pem(struct certificates *out, struct slice pem, struct arena *arena,
                          unsigned *line)
{
    size_t n = pem.n <= CERTIFICATES_MAX_BYTES ? count_blocks(pem) : 0;
    unsigned number = 0;

    *line = 0;
    *out = (struct certificates){NULL, 0};
    if (pem.n > CERTIFICATES_MAX_BYTES || n > CERTIFICATES_MAX)
        return CC_ETOOBIG;
    /* in the text, not block by block, as key_public_from_pem() does it */
    if (slice_contains(pem, SLICE("PRIVATE KEY" DASHES)))
        return CC_EREFUSED;
    out->items = arena_array(arena, n, sizeof(*out->items));
    if (out->items == NULL)
        return CC_ENOMEM;
    for (size_t at = 0, next; at < pem.n; at = next) {
        struct slice label = label_of(line_at(pem, at, &next));
        struct certificate *c = &out->items[out->n];
        int rc;

        number++;
        if (label.p == NULL)
            continue;
        rc = is_certificate(label) ? read_block(c, slice_from(pem, at), arena) : CC_EUNSUPPORTED;
        if (rc != CC_OK) {
            *line = number;
            return rc;
        }
        c->line = number;
        out->n++;
    }
    return out->n > 0 ? CC_OK : CC_ENOENT;
}
