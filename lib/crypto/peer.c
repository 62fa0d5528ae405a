#include "crypto/peer.h"

#include "crypto/key_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <time.h>

enum {
    AUTH_LEVEL = 2, /* OpenSSL's: 112 bits, so RSA of 2048, and no SHA-1 */
    DEPTH_MAX = 8
};

struct peer_store {
    X509_STORE *store;
};

const char *peer_fault_text(enum peer_fault fault)
{
    static const char *const texts[PEER_FAULT_COUNT] = {
#define X(name, text) text,
        PEER_FAULTS(X)
#undef X
    };

    return texts[fault];
}

/* --- one certificate -------------------------------------------------------------------------- */

static X509 *parse(struct slice der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    const unsigned char *end = p;
    X509 *x;

    if (der.n == 0 || der.n > PEER_DER_MAX)
        return NULL;
    x = d2i_X509(NULL, &end, (long)der.n);
    if (x != NULL && end != p + der.n) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

static bool fingerprint_of(const X509 *x, char hex[PEER_FINGERPRINT_DIGITS + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf b;

    if (X509_digest(x, EVP_sha256(), sum, &n) != 1 || 2 * n != PEER_FINGERPRINT_DIGITS)
        return false;
    buf_init_fixed(&b, hex, PEER_FINGERPRINT_DIGITS + 1);
    buf_add_hex(&b, sum, n);
    return true;
}

/* RFC 4514, the most specific name first as in the contract, with a blank after each comma; what is
 * not printable ASCII is escaped. */
static int subject_of(const X509 *x, struct arena *arena, struct slice *out)
{
    unsigned long flags =
        (XN_FLAG_RFC2253 & ~(unsigned long)XN_FLAG_SEP_MASK) | XN_FLAG_SEP_CPLUS_SPC;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    int rc = CC_ENOMEM;
    long n;

    if (bio == NULL)
        return CC_ENOMEM;
    n = X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, flags) < 0
            ? -1
            : BIO_get_mem_data(bio, &text);
    rc = CC_EPARSE;
    if (n < 0 || n > PEER_SUBJECT_MAX)
        goto out;
    for (long i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            goto out;
    }
    *out = n > 0 ? arena_dup(arena, slice_make(text, (size_t)n)) : SLICE("");
    rc = out->p != NULL ? CC_OK : CC_ENOMEM;
out:
    BIO_free(bio);
    return rc;
}

static bool is_authority(X509 *x)
{
    uint32_t flags = X509_get_extension_flags(x);

    if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CA) == 0)
        return false;
    return (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) != 0; /* all bits when nothing is said */
}

bool peer_is_weak(const struct peer *p)
{
    const EVP_PKEY *key = X509_get0_pubkey(p->x);
    bool weak = key == NULL || EVP_PKEY_get_security_bits(key) < 112;

    ERR_clear_error();
    return weak;
}

enum peer_fault peer_read(struct slice der, struct arena *arena, struct peer *out)
{
    X509 *x = parse(der);
    enum peer_fault fault = PEER_BROKEN;
    int rc;

    *out = (struct peer){.x = x};
    if (x == NULL || !certificate_time(X509_get0_notBefore(x), &out->not_before) ||
        !certificate_time(X509_get0_notAfter(x), &out->not_after))
        goto out;
    fault = PEER_INTERNAL;
    if (!fingerprint_of(x, out->fingerprint))
        goto out;
    rc = subject_of(x, arena, &out->subject);
    if (rc == CC_ENOMEM)
        goto out;
    fault = rc == CC_OK ? PEER_OK : PEER_BROKEN;
    out->authority = is_authority(x);
out:
    ERR_clear_error();
    return fault;
}

void peer_free(struct peer *p)
{
    X509_free(p->x);
    p->x = NULL;
}

/* --- a header --------------------------------------------------------------------------------- */

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

/* %XX -> a byte; a '+' is a blank, as whoever encodes writes a plus as %2B. In place. */
static bool decode_url(char *text, size_t *n)
{
    size_t to = 0;

    for (size_t i = 0; i < *n; i++) {
        int high, low;

        if (text[i] == '+') {
            text[to++] = ' ';
            continue;
        }
        if (text[i] != '%') {
            text[to++] = text[i];
            continue;
        }
        if (i + 2 >= *n || (high = ascii_hex_value(text[i + 1])) < 0 ||
            (low = ascii_hex_value(text[i + 2])) < 0)
            return false;
        text[to++] = (char)(high << 4 | low);
        i += 2;
    }
    *n = to;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t without_blanks(char *text, size_t n)
{
    size_t to = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_blank(text[i]))
            text[to++] = text[i];
    }
    return to;
}

/* What stands between the two lines of PEM, or between two colons; all of it else. */
static bool take_off_frame(struct slice *s)
{
    struct slice begin = SLICE(BEGIN), end = SLICE(END);

    while (s->n > 0 && is_blank(s->p[0]))
        *s = slice_from(*s, 1);
    while (s->n > 0 && is_blank(s->p[s->n - 1]))
        s->n--;
    if (slice_starts(*s, begin)) {
        if (s->n < begin.n + end.n || !slice_ends(*s, end))
            return false;
        *s = slice_make(s->p + begin.n, s->n - begin.n - end.n);
    } else if (s->n >= 2 && s->p[0] == ':') {
        if (s->p[s->n - 1] != ':')
            return false;
        *s = slice_make(s->p + 1, s->n - 2);
    }
    return true;
}

/* RFC 4648 4, with its padding, strictly. */
static int decode_base64(struct slice s, struct arena *arena, struct slice *out)
{
    size_t padding = 0;
    unsigned char *room;
    int n;

    if (s.n == 0 || s.n % 4 != 0)
        return CC_EPARSE;
    if (s.n / 4 * 3 > PEER_DER_MAX + 2)
        return CC_ETOOBIG;
    while (padding < 2 && s.p[s.n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < s.n - padding; i++) {
        char c = s.p[i];

        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '+' && c != '/')
            return CC_EPARSE;
    }
    room = arena_alloc(arena, s.n / 4 * 3);
    if (room == NULL)
        return CC_ENOMEM;
    n = EVP_DecodeBlock(room, (const unsigned char *)s.p, (int)s.n);
    if (n < 0 || (size_t)n < padding)
        return CC_EPARSE;
    *out = slice_make((const char *)room, (size_t)n - padding);
    return CC_OK;
}

int peer_der_from_text(struct slice text, struct arena *arena, struct slice *der)
{
    bool encoded = slice_find(text, '%') >= 0;
    struct slice body;
    char *copy;
    size_t n = text.n;

    /* each byte of base64 may have become three */
    if (text.n > (size_t)3 * (PEER_DER_MAX / 3 * 4 + 256))
        return CC_ETOOBIG;
    copy = arena_alloc(arena, text.n + 1);
    if (copy == NULL)
        return CC_ENOMEM;
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    if (encoded && !decode_url(copy, &n))
        return CC_EPARSE;
    body = slice_make(copy, n);
    if (!take_off_frame(&body))
        return CC_EPARSE;
    n = without_blanks(copy + (body.p - copy), body.n);
    return decode_base64(slice_make(body.p, n), arena, der);
}

/* --- authorities ------------------------------------------------------------------------------ */

int peer_store_new(struct peer_store **out)
{
    struct peer_store *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return CC_ENOMEM;
    s->store = X509_STORE_new();
    if (s->store == NULL) {
        free(s);
        return CC_ENOMEM;
    }
    *out = s;
    return CC_OK;
}

int peer_store_add(struct peer_store *s, struct slice pem)
{
    BIO *in = pem.n > 0 ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    X509 *x = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    int rc = CC_EPARSE;

    if (x != NULL)
        rc = X509_STORE_add_cert(s->store, x) == 1 ? CC_OK : CC_ENOMEM;
    X509_free(x);
    BIO_free(in);
    ERR_clear_error();
    return rc;
}

void peer_store_free(struct peer_store **s)
{
    if (*s == NULL)
        return;
    X509_STORE_free((*s)->store);
    free(*s);
    *s = NULL;
}

static enum peer_fault fault_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return PEER_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return PEER_NOT_YET_VALID;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_CERT_REJECTED:
        return PEER_WRONG_USE;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return PEER_WEAK;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return PEER_UNTRUSTED;
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_UNSPECIFIED:
        return PEER_INTERNAL;
    default:
        return PEER_REFUSED;
    }
}

/* From the certificate to the authority that vouches for it: the shortest of their lives. */
static bool read_chain(X509_STORE_CTX *ctx, struct peer_vouched *out)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int n = sk_X509_num(chain);

    if (n < 2) /* an authority that shows its own certificate vouches for nobody */
        return false;
    out->not_before = INT64_MIN;
    out->not_after = INT64_MAX;
    for (int i = 0; i < n; i++) {
        const X509 *x = sk_X509_value(chain, i);
        int64_t from, to;

        if (!certificate_time(X509_get0_notBefore(x), &from) ||
            !certificate_time(X509_get0_notAfter(x), &to))
            return false;
        out->not_before = from > out->not_before ? from : out->not_before;
        out->not_after = to < out->not_after ? to : out->not_after;
    }
    return fingerprint_of(sk_X509_value(chain, 1), out->by);
}

static enum peer_fault verify(X509_STORE_CTX *ctx, struct peer_vouched *out)
{
    enum peer_fault fault;

    if (X509_verify_cert(ctx) == 1)
        return read_chain(ctx, out) ? PEER_OK : PEER_UNTRUSTED;
    fault = fault_of(X509_STORE_CTX_get_error(ctx));
    return fault != PEER_OK ? fault : PEER_INTERNAL;
}

enum peer_fault peer_verify(const struct peer_store *s, const struct peer *p, int64_t now_s,
                            struct peer_vouched *out)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;
    enum peer_fault fault = PEER_INTERNAL;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, s->store, p->x, NULL) != 1)
        goto out;
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
    X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
        X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1)
        goto out;
    fault = verify(ctx, out);
out:
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return fault;
}
