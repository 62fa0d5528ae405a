/* The names of a signing key in the headers of the tokens that it signs and in key sets, made from
 * its certificate.
 *
 * Two forms. RFC 7515 4.1.7: x5t is the SHA-1 of the DER certificate in base64url. The old form,
 * which backends of the contract look keys up by: base64url of that SHA-1 *in hex digits*, and kid
 * is the same with "_" and the algorithm behind it. kid is for the issuer to choose (RFC
 * 7515 4.1.4): in the first form it is the SHA-256 of the certificate. SHA-1 only names a
 * certificate here; nothing is believed because of it. */
#pragma once

#include "crypto/jwt.h"

enum key_id_form { KEY_ID_OLD, KEY_ID_RFC7515 };

struct key_id {
    char x5t[56];      /* 54 characters, or 27 */
    char x5t_s256[44]; /* SHA-256 of the certificate in base64url (RFC 7515 4.1.8), in both forms */
    char kid[64];
};

/* The algorithm of tokens for backends that a key of this kind signs: RS256, ES256, or
 * JWT_ALG_COUNT when it is neither RSA nor P-256. */
enum jwt_alg key_id_algorithm(enum key_kind kind);

/* The names of the key of the first certificate in a PEM text. CC_ENOENT without a certificate,
 * CC_EINVAL for an algorithm that there is not. */
int key_id_from_pem(struct key_id *out, struct slice pem, enum jwt_alg alg, enum key_id_form form);

/* Appends the key as an entry of a key set, as jwks_write_key() does, with its kid and with x5t and
 * x5t#S256 besides. x5t is the one of the token's header. */
int key_id_write_jwk(const struct key *k, const struct key_id *id, enum jwt_alg alg,
                     struct buf *out);
