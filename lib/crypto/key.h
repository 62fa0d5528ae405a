/* Keys: public keys that verify, private keys that sign, parsed once.
 *
 * Only keys that can be trusted get in: RSA of 2048 to 8192 bits with an odd exponent of at least
 * 65537 and at most 64 bits (above that, OpenSSL refuses to verify with most sizes and a hostile
 * key makes every verification slow), P-256, P-384 and P-521 as named curves with the point on the
 * curve, Ed25519 with a point of large order. A key of another type or curve is CC_EUNSUPPORTED, a
 * weak or inconsistent one CC_EWEAK, a text that holds no key CC_EPARSE.
 *
 * A key is immutable: any number of threads may verify and sign with it. Private key memory is
 * cleared on free. Calls leave OpenSSL's error queue of the thread empty. */
#pragma once

#include "base/base.h"

enum key_kind { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_ED25519 };

/* A PEM text is at most this long: room for a bundle, no room for mistakes. */
enum { KEY_PEM_MAX_BYTES = 256 << 10 };

struct key;

/* The public key in a PEM text: of its first block that is a certificate or a "PUBLIC KEY". Whether
 * a certificate is valid today is not asked here (see key_not_after()). Never prompts for a pass
 * phrase. A text that holds a private key is CC_EREFUSED: it does not belong there. */
int key_public_from_pem(struct key **out, struct slice pem);

/* A private key, PKCS#8 or traditional. An encrypted one is CC_EUNSUPPORTED; nothing prompts. */
int key_private_from_pem(struct key **out, struct slice pem);

/* A new private key. For development and tests. */
int key_generate(struct key **out, enum key_kind kind);

/* PKCS#8 PEM of a private key into buf; PEM of the public half. CC_EINVAL when k is not private.
 * The buffer then holds a secret: its owner clears it. */
int key_write_private(const struct key *k, struct buf *out);
int key_write_public(const struct key *k, struct buf *out);

/* A self-signed certificate for `host` (subject CN and subjectAltName; an address gets an IP
 * subjectAltName), valid from now for 1 to 3650 `days`. CC_EINVAL for anything else, and for a host
 * with characters that no host has. Development only. */
int key_write_certificate(const struct key *k, const char *host, unsigned days, struct buf *out);

/* Do both hold the same public key? */
bool key_same(const struct key *a, const struct key *b);

enum key_kind key_kind_of(const struct key *k);
bool key_is_private(const struct key *k);

/* The end of validity of the certificate it came from, in seconds since 1970; 0 when it came from
 * no certificate. */
int64_t key_not_after(const struct key *k);

/* "RSA 2048 bits", "EC P-256", "Ed25519". Lives as long as the key. */
const char *key_describe(const struct key *k);

void key_free(struct key **k);

/* SHA-256 of data; CC_ENOMEM. */
int crypto_sha256(struct slice data, uint8_t sum[32]);

/* Lower-case hex SHA-256 / SHA-1 of data. */
int crypto_sha256_hex(struct slice data, char hex[65]);
/* The same of texts one behind the other. */
int crypto_sha256_hex_of(const struct slice *parts, size_t n, char hex[65]);
int crypto_sha1_hex(struct slice data, char hex[41]);

/* The UUID that Java's UUID.nameUUIDFromBytes() gives a name: for identifiers that the contract
 * makes from names, not for secrets. */
int crypto_name_uuid(struct slice name, char uuid[37]);
/* A random UUID (RFC 9562 5.4). CC_EREFUSED: there are no random numbers. */
int crypto_random_uuid(char uuid[37]);
