/* JSON Web Key Sets: the public keys of a token issuer (RFC 7517; RSA and EC of RFC 7518, Ed25519 of
 * RFC 8037).
 *
 * The text comes from a server that may be broken or hostile, so little of it is believed. A text
 * that is no key set, is too large or too deep, or has more than JWKS_MAX_KEYS entries is refused as
 * a whole. In a key set, an entry that cannot be used is left out, as RFC 7517 5 asks, and said why:
 * a key that is weak or broken by the rules of key.h, one with private or symmetric members (whoever
 * can fetch the set can sign with it), one whose alg is unknown or of another kind. What is made for
 * encryption (use, key_ops) is left out without a word. x5c, x5t, x5u are not looked at: the
 * members of the key itself count.
 *
 * Two entries with one kid and one kind: the same key is taken once; of different keys, none is
 * taken, since it would depend on their order which counts. RSA and EC under one kid are fine (RFC
 * 7517 4.5); `alg` of the token tells them apart.
 *
 * A set is immutable and shared by reference count. Nothing here blocks, but parsing is work: up to
 * some milliseconds a key, and so nothing for a worker. */
#pragma once

#include "crypto/jwt.h"

enum {
    JWKS_MAX_BYTES = 1 << 20,
    JWKS_MAX_KEYS = 32,   /* entries, usable or not */
    JWKS_MAX_TRIES = 4,   /* keys tried for a token without kid */
    JWKS_RSA_MAX_BITS = 4096 /* less than key.h's: checking larger ones takes too long */
};

struct jwks;

struct jwks_key {
    struct slice kid;    /* empty: none */
    unsigned algorithms; /* bit set of 1u << enum jwt_alg: those of its kind, or its `alg` alone */
    const struct key *key;
    /* Tells this key from all others, of other scopes too: never 0. 64 bits of a SHA-256. */
    uint64_t tag;
};

/* Entries that were left out, for a log. */
struct jwks_report {
    size_t n;
    struct {
        char kid[64]; /* cut, without control characters; "" = it has none */
        const char *why;
    } left_out[JWKS_MAX_KEYS];
};

/* Parses a key set. `scope` (its URL) becomes part of the keys' tags. *report (may be NULL) is
 * filled in any case. One reference is the caller's. CC_ETOOBIG; CC_EPARSE when it is no key set;
 * CC_ENOENT when there is no usable key in it; CC_ENOMEM. */
int jwks_parse(struct jwks **out, struct slice text, struct slice scope,
               struct jwks_report *report);
struct jwks *jwks_ref(struct jwks *set);
void jwks_unref(struct jwks **set);

size_t jwks_count(const struct jwks *set);
const struct jwks_key *jwks_at(const struct jwks *set, size_t i);

/* Do both hold the same keys, whatever their order? Either may be NULL. */
bool jwks_same(const struct jwks *a, const struct jwks *b);

/* The keys that may verify a token with this kid and algorithm. With a kid: the one that has it.
 * Without: all that fit, when they are at most JWKS_MAX_TRIES. Returns how many; more than
 * JWKS_MAX_TRIES means that there are too many to try. *kid_known: is there such a kid, of
 * whatever kind? */
size_t jwks_find(const struct jwks *set, struct slice kid, enum jwt_alg alg,
                 const struct jwks_key *found[JWKS_MAX_TRIES], bool *kid_known);

/* Appends the public half of a key as an entry of a key set: {"kty":...,"kid":...}. An empty kid
 * and JWT_ALG_COUNT are left out. CC_EINVAL when the key does not fit the algorithm. */
int jwks_write_key(const struct key *k, struct slice kid, enum jwt_alg alg, struct buf *out);
