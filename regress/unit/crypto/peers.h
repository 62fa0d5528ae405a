/* Certificates for tests of mutual TLS: signed by whom, until when, for what. */
#pragma once

#include "crypto/crypto.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string.h>

enum { PEERS_NOW = 1700000000, PEERS_DAY = 86400 };

struct peers_spec {
    const char *cn;          /* NULL: an empty subject */
    size_t cn_bytes;         /* 0: up to its NUL */
    int64_t from_s, to_s;    /* both 0: a day around PEERS_NOW */
    const char *constraints; /* "critical,CA:TRUE"; NULL: none */
    const char *usage, *ext_usage;
    const EVP_MD *md;  /* NULL: SHA-256 */
    unsigned rsa_bits; /* 0: P-256 */
};

struct peers_cert {
    EVP_PKEY *key;
    X509 *x;
};

static inline void peers_need(bool good)
{
    CC_ASSERT(good);
}

static inline void peers_extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *e;
    X509V3_CTX ctx;

    if (value == NULL)
        return;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    peers_need(e != NULL && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

/* by == NULL: signed by itself. */
static inline struct peers_cert peers_make(const struct peers_spec *s, const struct peers_cert *by)
{
    static long serial = 1;
    struct peers_cert c = {NULL, X509_new()};
    bool dates = s->from_s != 0 || s->to_s != 0;
    X509_NAME *name;

    c.key = s->rsa_bits > 0 ? EVP_RSA_gen(s->rsa_bits) : EVP_EC_gen("P-256");
    peers_need(c.key != NULL && c.x != NULL && X509_set_version(c.x, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(c.x), serial++);
    ASN1_TIME_set(X509_getm_notBefore(c.x), (time_t)(dates ? s->from_s : PEERS_NOW - PEERS_DAY));
    ASN1_TIME_set(X509_getm_notAfter(c.x), (time_t)(dates ? s->to_s : PEERS_NOW + PEERS_DAY));
    name = X509_get_subject_name(c.x);
    if (s->cn != NULL)
        peers_need(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
                                              (const unsigned char *)"Example", -1, -1, 0) == 1 &&
                   X509_NAME_add_entry_by_txt(
                       name, "CN", MBSTRING_UTF8, (const unsigned char *)s->cn,
                       (int)(s->cn_bytes > 0 ? s->cn_bytes : strlen(s->cn)), -1, 0) == 1);
    peers_need(X509_set_issuer_name(c.x, X509_get_subject_name(by != NULL ? by->x : c.x)) == 1 &&
               X509_set_pubkey(c.x, c.key) == 1);
    peers_extend(c.x, by != NULL ? by->x : c.x, NID_basic_constraints, s->constraints);
    peers_extend(c.x, by != NULL ? by->x : c.x, NID_key_usage, s->usage);
    peers_extend(c.x, by != NULL ? by->x : c.x, NID_ext_key_usage, s->ext_usage);
    peers_need(X509_sign(c.x, by != NULL ? by->key : c.key, s->md != NULL ? s->md : EVP_sha256()) >
               0);
    return c;
}

static inline void peers_free(struct peers_cert *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->x);
    *c = (struct peers_cert){NULL, NULL};
}

static inline struct slice peers_der(const struct peers_cert *c, struct arena *arena)
{
    unsigned char *der = NULL;
    int n = i2d_X509(c->x, &der);
    struct slice out;

    peers_need(n > 0);
    out = arena_dup(arena, slice_make((const char *)der, (size_t)n));
    OPENSSL_free(der);
    peers_need(out.p != NULL);
    return out;
}

static inline struct slice peers_pem(const struct peers_cert *c, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    struct slice out;
    long n;

    peers_need(bio != NULL && PEM_write_bio_X509(bio, c->x) == 1);
    n = BIO_get_mem_data(bio, &text);
    out = arena_dup(arena, slice_make(text, (size_t)n));
    BIO_free(bio);
    peers_need(out.p != NULL);
    return out;
}
