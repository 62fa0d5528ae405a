/* Keys: public keys that verify, private keys that sign, parsed once.
 *
 * Only keys that can be trusted get in: RSA of 2048 to 8192 bits with an odd exponent of at least
 * 65537, P-256, P-384, P-521 with the point on the curve, Ed25519. Everything else is CC_EWEAK or CC_EUNSUPPORTED.
 * Private key memory is cleared on free. A key may be used for verification by many threads. */
#pragma once

#include "base/base.h"

enum key_kind { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_ED25519 };

struct key;

/* The public key in a PEM text: a certificate (the first one) or "PUBLIC KEY". Never prompts for a
 * pass phrase. A text that holds a private key is refused: it does not belong there. */
int key_public_from_pem(struct key **out, struct slice pem);

/* A private key, PKCS#8 or traditional, not encrypted. */
int key_private_from_pem(struct key **out, struct slice pem);

/* A new private key. For development and tests. */
int key_generate(struct key **out, enum key_kind kind);

/* PKCS#8 PEM of a private key into buf; PEM of the public half. */
int key_write_private(const struct key *k, struct buf *out);
int key_write_public(const struct key *k, struct buf *out);

/* A self-signed certificate for `host` (subject CN and subjectAltName; an address gets an IP
 * subjectAltName), valid `days`. Development only. */
int key_write_certificate(const struct key *k, const char *host, unsigned days, struct buf *out);

/* Do both hold the same public key? */
bool key_same(const struct key *a, const struct key *b);

enum key_kind key_kind_of(const struct key *k);
bool key_is_private(const struct key *k);
/* "RSA 2048 bits", "EC P-256", "Ed25519". */
const char *key_describe(const struct key *k);

void key_free(struct key **k);

/* Lower-case hex SHA-256 / SHA-1 of data. */
int crypto_sha256_hex(struct slice data, char hex[65]);
int crypto_sha1_hex(struct slice data, char hex[41]);
