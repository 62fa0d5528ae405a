/* Any bytes as a key set. Besides not crashing: what gets in is public, of a known kind, found by
 * its kid, and what is written of it reads back as the same set. */
#include "crypto/crypto.h"

#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct slice scope = SLICE_INIT("https://idp/jwks");

static void check_key(const struct jwks *set, const struct jwks_key *k)
{
    const struct jwks_key *found[JWKS_MAX_TRIES];
    bool known;

    CC_ASSERT(!key_is_private(k->key) && k->tag != 0 && k->algorithms != 0);
    for (unsigned a = 0; a < JWT_ALG_COUNT; a++) {
        size_t n = jwks_find(set, k->kid, (enum jwt_alg)a, found, &known);

        if ((k->algorithms & 1u << a) == 0)
            continue;
        CC_ASSERT(jwt_alg_fits((enum jwt_alg)a, key_kind_of(k->key)) && n >= 1);
        CC_ASSERT(k->kid.n == 0 || (n == 1 && found[0] == k && known));
    }
}

/* Keys that are for one algorithm or for all of their kind, as the set said. */
static enum jwt_alg alg_of(const struct jwks_key *k)
{
    if (key_kind_of(k->key) != KEY_RSA || (k->algorithms & (k->algorithms - 1)) == 0)
        for (unsigned a = 0; a < JWT_ALG_COUNT; a++)
            if ((k->algorithms & 1u << a) != 0)
                return (enum jwt_alg)a;
    return JWT_ALG_COUNT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwks_report report;
    struct jwks *set = NULL, *again = NULL;
    struct buf b;
    int rc = jwks_parse(&set, slice_make(data, size), scope, &report);

    CC_ASSERT((rc == CC_OK) == (set != NULL) && report.n <= JWKS_MAX_KEYS);
    CC_ASSERT(ERR_peek_error() == 0);
    if (rc != CC_OK)
        return 0;
    buf_init(&b, JWKS_MAX_BYTES);
    buf_add_str(&b, "{\"keys\":[");
    for (size_t i = 0; i < jwks_count(set); i++) {
        const struct jwks_key *k = jwks_at(set, i);

        check_key(set, k);
        buf_add_str(&b, i > 0 ? "," : "");
        CC_ASSERT(jwks_write_key(k->key, k->kid, alg_of(k), &b) == CC_OK);
    }
    buf_add_str(&b, "]}");
    rc = jwks_parse(&again, buf_slice(&b), scope, NULL);
    /* A modulus with factors of middle size is found weak by luck (fuzz_key.c). */
    if (rc == CC_OK && jwks_count(again) == jwks_count(set))
        for (size_t i = 0; i < jwks_count(set); i++)
            CC_ASSERT(key_same(jwks_at(set, i)->key, jwks_at(again, i)->key));
    jwks_unref(&again);
    jwks_unref(&set);
    buf_free(&b);
    CC_ASSERT(ERR_peek_error() == 0);
    return 0;
}
