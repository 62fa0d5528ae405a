/* The inside of a key, for the files of this folder only. */
#pragma once

#include "crypto/key.h"

#include <openssl/evp.h>

struct key {
    EVP_PKEY *pkey;
    enum key_kind kind;
    bool private;
    int64_t not_after; /* 0: not from a certificate */
    char description[24];
};

/* Seconds since 1970. False: it is no time. */
bool certificate_time(const ASN1_TIME *time, int64_t *out);

/* Checks pkey (key_check.c) and makes a key of it. Takes pkey in every case. */
int key_take(struct key **out, EVP_PKEY *pkey, bool private);

/* Is this key good enough? Tells its kind and describes it. */
int key_check(const EVP_PKEY *pkey, enum key_kind *kind, char *description, size_t size);

/* The same curve under its three names: OpenSSL's, ours, and the kind. */
struct key_curve {
    enum key_kind kind;
    const char *group; /* as OpenSSL calls it */
    const char *name;  /* as we describe it */
};

enum { KEY_CURVES = 3 };
extern const struct key_curve key_curves[KEY_CURVES];

/* A public key from its numbers, big-endian (key_raw.c); checked as any other. CC_EWEAK also when
 * the numbers make no key. */
int key_from_rsa(struct key **out, struct slice modulus, struct slice exponent);
int key_from_ec(struct key **out, enum key_kind kind, struct slice x, struct slice y);
int key_from_ed25519(struct key **out, struct slice x);
