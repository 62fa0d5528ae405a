/* The certificate of a client: what it says, and whether an authority vouches for it (RFC 5280).
 *
 * Whoever shows it has proved to have its key: that is TLS's part, not asked again here. All bytes
 * are hostile. A store of authorities is immutable once made: any number of threads may verify with
 * it at the same time. Calls leave OpenSSL's error queue of the thread empty. */
#pragma once

#include "base/base.h"

enum {
    PEER_DER_MAX = 8 << 10,      /* bytes of a certificate */
    PEER_SUBJECT_MAX = 512,      /* bytes of its subject in text */
    PEER_FINGERPRINT_DIGITS = 64 /* hex digits of a SHA-256 */
};

/* X(name, "what an operator is told") */
#define PEER_FAULTS(X)                                                            \
    X(OK, "it counts")                                                            \
    X(BROKEN, "it is no certificate")                                             \
    X(UNTRUSTED, "no authority of the API has signed it")                         \
    X(EXPIRED, "it, or an authority above it, has expired")                       \
    X(NOT_YET_VALID, "it, or an authority above it, is not valid yet")            \
    X(WRONG_USE, "it is not meant for clients, or its authority not for signing") \
    X(WEAK, "its key or a signature above it is too weak")                        \
    X(REFUSED, "OpenSSL does not accept its chain")                               \
    X(INTERNAL, "internal error")

enum peer_fault {
#define X(name, text) PEER_##name,
    PEER_FAULTS(X)
#undef X
        PEER_FAULT_COUNT
};
const char *peer_fault_text(enum peer_fault fault);

struct x509_st;

struct peer {
    struct x509_st *x;
    char fingerprint[PEER_FINGERPRINT_DIGITS + 1]; /* lower-case hex SHA-256 of its DER */
    struct slice subject;          /* "CN=client, O=Example": printable ASCII; may be empty */
    int64_t not_before, not_after; /* seconds since 1970, both included */
    bool authority;                /* it may sign certificates: CA:TRUE, and keyCertSign if said */
};

/* Reads one certificate, all bytes of `der`. PEER_OK, PEER_BROKEN or PEER_INTERNAL. Texts are in
 * the arena; what OpenSSL made of it, which is most of the work, is kept for peer_verify() and
 * peer_is_weak() until peer_free(). A subject that is longer than PEER_SUBJECT_MAX makes it broken.
 */
enum peer_fault peer_read(struct slice der, struct arena *arena, struct peer *out);
void peer_free(struct peer *p); /* also after a fault */

/* Is its key one that nobody should trust: RSA below 2048 bits, or of an unknown kind? */
bool peer_is_weak(const struct peer *p);

/* What a proxy writes into a header -> DER in the arena: PEM on one line, with blanks or nothing in
 * the place of its line breaks; the same URL-encoded; or base64 alone, which may stand between
 * colons (RFC 9440). CC_EPARSE, CC_ETOOBIG, CC_ENOMEM. */
int peer_der_from_text(struct slice text, struct arena *arena, struct slice *der);

/* Authorities. */
struct peer_store;

int peer_store_new(struct peer_store **out);
/* Adds the certificate of an authority, PEM. CC_EPARSE, CC_ENOMEM. */
int peer_store_add(struct peer_store *s, struct slice pem);
void peer_store_free(struct peer_store **s);

/* Has one of the authorities signed it, directly, and is it a client's, now? The authorities need
 * not be signed by themselves. In *by: which one, by its fingerprint; in *not_before and
 * *not_after: how long that stays true. */
struct peer_vouched {
    char by[PEER_FINGERPRINT_DIGITS + 1];
    int64_t not_before, not_after;
};
enum peer_fault peer_verify(const struct peer_store *s, const struct peer *p, int64_t now_s,
                            struct peer_vouched *out);
