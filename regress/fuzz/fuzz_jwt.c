/* Any bytes as a token: split, claims and signature, against keys of RFC 7515 and 8037.
 *
 * Besides not crashing: no token verifies but the three that the RFCs signed, and what a parser
 * accepts keeps the promises of jwt.h. */
#include "crypto/crypto.h"
#include "regress/unit/crypto/vectors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 3 };

static struct {
    const char *pem;
    const char *token; /* the one its owner signed */
    struct key *key;
} known[KEYS] = {
    {RFC7515_A2_KEY, RFC7515_A2_TOKEN, NULL},
    {RFC7515_A3_KEY, RFC7515_A3_TOKEN, NULL},
    {RFC8037_A1_KEY, RFC8037_A4_TOKEN, NULL},
};

static void load_keys(void)
{
    for (int i = 0; i < KEYS; i++)
        if (known[i].key == NULL)
            CC_ASSERT(key_public_from_pem(&known[i].key, slice_of(known[i].pem)) == CC_OK);
}

static void check_signature(const struct jwt *jwt)
{
    for (int i = 0; i < KEYS; i++) {
        struct slice good = slice_of(known[i].token);
        enum jwt_fault fault = jwt_verify(jwt, (1u << JWT_ALG_COUNT) - 1, known[i].key);

        CC_ASSERT(fault == JWT_OK || fault == JWT_BAD_SIGNATURE || fault == JWT_ALG_KEY_MISMATCH);
        if (fault == JWT_OK)
            CC_ASSERT(slice_starts(good, jwt->signing_input) &&
                      good.p[jwt->signing_input.n] == '.');
    }
}

static void check_list(const struct slice *items, size_t n)
{
    CC_ASSERT(n <= JWT_MAX_LIST);
    for (size_t i = 0; i < n; i++)
        CC_ASSERT(items[i].p != NULL && !slice_has_control(items[i]));
}

static void check_claims(const struct jwt *jwt, struct arena *arena)
{
    const struct jwt_claim_names names = {.consumer_key = SLICE_INIT("azp"),
                                          .scope = SLICE_INIT("aud")};
    struct jwt_claims c;
    struct slice iss;
    enum jwt_fault peeked = jwt_peek_issuer(jwt, arena, &iss);
    enum jwt_fault fault = jwt_claims_parse(jwt, NULL, arena, &c);

    CC_ASSERT(fault != JWT_INTERNAL && peeked != JWT_INTERNAL);
    if (fault == JWT_OK) {
        const struct slice texts[] = {c.iss, c.sub, c.jti, c.keytype, c.consumer_key};

        CC_ASSERT(peeked == JWT_OK && iss.n > 0 && slice_eq(iss, c.iss));
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            CC_ASSERT(!slice_has_control(texts[i]));
        CC_ASSERT(c.exp >= 0 && c.nbf >= 0 && c.iat >= 0);
        CC_ASSERT(c.exp < INT64_C(1) << 53 && c.nbf < INT64_C(1) << 53 && c.iat < INT64_C(1) << 53);
        check_list(c.scopes, c.n_scopes);
        check_list(c.audiences, c.n_audiences);
        (void)jwt_check_times(&c, 1700000000, 60);
    }
    CC_ASSERT(jwt_claims_parse(jwt, &names, arena, &c) != JWT_INTERNAL);
}

/* As a token first; then, so that JSON is reached without the luck of good base64, as a payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4 * JWT_ARENA_BYTES);
    struct jwt jwt;
    enum jwt_fault fault;

    CC_ASSERT(arena != NULL);
    load_keys();
    fault = jwt_split(slice_make(data, size), arena, &jwt);
    CC_ASSERT(fault != JWT_INTERNAL);
    CC_ASSERT((jwt.alg == JWT_ALG_COUNT) == (fault != JWT_OK));
    if (fault == JWT_OK) {
        check_signature(&jwt);
        check_claims(&jwt, arena);
    }
    if (size <= JWT_MAX_BYTES * 3 / 4) {
        jwt = (struct jwt){.payload = slice_make(data, size), .alg = JWT_ALG_COUNT};
        check_claims(&jwt, arena);
    }
    arena_free(&arena);
    return 0;
}
