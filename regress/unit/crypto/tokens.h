/* Tokens for tests: made of any header, payload and signature, right or wrong. Everything lives in
 * the arena given. */
#pragma once

#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>

#define ALL_ALGORITHMS ((1u << JWT_ALG_COUNT) - 1)

static inline struct slice token_text(struct arena *arena, struct buf *b)
{
    struct slice copy;

    assert_int_equal(buf_error(b), CC_OK);
    copy = arena_dup(arena, buf_slice(b));
    assert_non_null(copy.p);
    buf_free(b);
    return copy;
}

/* base64url(header) . base64url(payload) . base64url(signature) */
static inline struct slice token_make(struct arena *arena, struct slice header,
                                      struct slice payload, struct slice signature)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    base64url_encode(header, &b);
    buf_add_char(&b, '.');
    base64url_encode(payload, &b);
    buf_add_char(&b, '.');
    base64url_encode(signature, &b);
    return token_text(arena, &b);
}

/* The same from texts, with a signature that is none. */
static inline struct slice token_unsigned(struct arena *arena, const char *header,
                                          const char *payload)
{
    return token_make(arena, slice_of(header), slice_of(payload), SLICE("signature"));
}

static inline struct slice token_signed(struct arena *arena, enum jwt_alg alg,
                                        const struct key *key, const char *payload)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    assert_int_equal(jwt_sign(alg, key, SLICE("k1"), slice_of(payload), &b), CC_OK);
    return token_text(arena, &b);
}

/* Splits and verifies, as a caller does. */
static inline enum jwt_fault token_check(struct slice token, unsigned allowed,
                                         const struct key *key)
{
    struct arena *arena = arena_new(JWT_ARENA_BYTES);
    struct jwt jwt;
    enum jwt_fault fault;

    assert_non_null(arena);
    fault = jwt_split(token, arena, &jwt);
    if (fault == JWT_OK)
        fault = jwt_verify(&jwt, allowed, key);
    arena_free(&arena);
    return fault;
}

static inline struct key *key_new(enum key_kind kind)
{
    struct key *k = NULL;

    assert_int_equal(key_generate(&k, kind), CC_OK);
    return k;
}

static inline struct key *key_public(const char *pem)
{
    struct key *k = NULL;

    assert_int_equal(key_public_from_pem(&k, slice_of(pem)), CC_OK);
    return k;
}
