#include "crypto/jwks.h"

#include "crypto/base64url.h"
#include "crypto/jwt_json.h"
#include "crypto/key_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    ARENA_MAX = JWKS_MAX_KEYS * 512 + 4096, /* the kids */
    NUMBER_MAX = 8192 / 8 + 1,              /* bytes of the longest number of a key */
};

/* An entry on its way in, and what its tag is made of. */
struct entry {
    struct jwks_key key;
    struct key *owned;
    unsigned char raw[2 * NUMBER_MAX]; /* its numbers, one after the other */
    size_t raw_n;
    bool duplicate; /* another key has this kid and kind: neither counts */
};

struct jwks {
    atomic_uint references;
    struct arena *arena; /* kids */
    size_t n;
    struct jwks_key keys[JWKS_MAX_KEYS];
    struct key *owned[JWKS_MAX_KEYS];
};

static const char SILENT[] = ""; /* left out, and nothing to be told about */

/* A number as base64url; false when it is none, or longer than any that a key has. */
static bool read_number(const json_t *jwk, const char *name, struct entry *e, struct slice *out)
{
    struct slice text = jwt_json_text(json_object_get(jwk, name));
    size_t n;

    if (text.n == 0 || base64url_decoded_size(text.n) > NUMBER_MAX ||
        e->raw_n > sizeof(e->raw) - NUMBER_MAX ||
        base64url_decode(text, e->raw + e->raw_n, NUMBER_MAX, &n) != CC_OK)
        return false;
    *out = slice_make(e->raw + e->raw_n, n);
    e->raw_n += n;
    return true;
}

static const char *key_fault(int rc)
{
    switch (rc) {
    case CC_OK:
        return NULL;
    case CC_ENOMEM:
        return "there is no memory for it";
    case CC_EUNSUPPORTED:
        return "its kty or crv is not one of RSA, EC P-256, P-384, P-521 and OKP Ed25519";
    default:
        return "it is weak or broken";
    }
}

/* RFC 7518 6.3.1. Some writers put a zero octet before the modulus; it changes nothing. */
static const char *read_rsa(const json_t *jwk, struct entry *e)
{
    struct slice n, exponent;
    size_t zeros = 0;

    if (!read_number(jwk, "n", e, &n) || !read_number(jwk, "e", e, &exponent))
        return "n or e is missing or not base64url";
    while (zeros < n.n && n.p[zeros] == 0)
        zeros++;
    if (n.n - zeros > JWKS_RSA_MAX_BITS / 8)
        return "its modulus is longer than 4096 bits";
    return key_fault(key_from_rsa(&e->owned, n, exponent));
}

/* RFC 7518 6.2.1. */
static const char *read_ec(const json_t *jwk, struct entry *e)
{
    struct slice crv = jwt_json_text(json_object_get(jwk, "crv")), x, y;

    for (size_t i = 0; i < KEY_CURVES; i++) {
        if (!slice_is(crv, key_curves[i].name))
            continue;
        if (!read_number(jwk, "x", e, &x) || !read_number(jwk, "y", e, &y))
            return "x or y is missing or not base64url";
        return key_fault(key_from_ec(&e->owned, key_curves[i].kind, x, y));
    }
    return key_fault(CC_EUNSUPPORTED);
}

/* RFC 8037 2. */
static const char *read_okp(const json_t *jwk, struct entry *e)
{
    struct slice x;

    if (!slice_is(jwt_json_text(json_object_get(jwk, "crv")), "Ed25519"))
        return key_fault(CC_EUNSUPPORTED);
    if (!read_number(jwk, "x", e, &x))
        return "x is missing or not base64url";
    return key_fault(key_from_ed25519(&e->owned, x));
}

/* Members that only who signs may know (RFC 7518 6.2.2, 6.3.2, 6.4.1; RFC 8037 2). */
static bool is_secret(const json_t *jwk)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (json_object_get(jwk, members[i]) != NULL)
            return true;
    return slice_is(jwt_json_text(json_object_get(jwk, "kty")), "oct");
}

/* RFC 7517 4.2 and 4.3: absent means whatever we like. Both may be there; both must allow it. */
static bool is_for_verification(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use"), *ops = json_object_get(jwk, "key_ops");
    bool verifies = ops == NULL;

    for (size_t i = 0; i < json_array_size(ops) && !verifies; i++)
        verifies = slice_is(jwt_json_text(json_array_get(ops, i)), "verify");
    return verifies && (use == NULL || slice_is(jwt_json_text(use), "sig"));
}

/* RFC 7517 4.4: the one algorithm the key is for; without it, all that its kind has. */
static const char *read_algorithms(const json_t *jwk, struct entry *e)
{
    const json_t *name = json_object_get(jwk, "alg");
    enum key_kind kind = key_kind_of(e->owned);
    enum jwt_alg only = jwt_alg_parse(jwt_json_text(name));

    for (unsigned a = 0; a < JWT_ALG_COUNT; a++)
        if ((name == NULL || a == only) && jwt_alg_fits((enum jwt_alg)a, kind))
            e->key.algorithms |= 1u << a;
    return e->key.algorithms != 0 ? NULL : "its alg is not one that such a key can verify";
}

/* Fills in e; NULL, or why the entry is left out. The cheap questions come first. */
static const char *read_entry(const json_t *jwk, struct arena *arena, struct entry *e)
{
    struct slice kty = jwt_json_text(json_object_get(jwk, "kty"));
    const json_t *kid = json_object_get(jwk, "kid");
    const char *fault;

    if (!json_is_object(jwk))
        return "it is not an object";
    if (kid != NULL) {
        if (!jwt_kid_valid(jwt_json_text(kid)))
            return "its kid is not text of 1 to 256 printable characters";
        e->key.kid = arena_dup(arena, jwt_json_text(kid));
        if (e->key.kid.p == NULL)
            return key_fault(CC_ENOMEM);
    }
    if (is_secret(jwk))
        return "it has private or symmetric members: whoever can fetch it can sign with it";
    if (!is_for_verification(jwk))
        return SILENT;
    if (slice_is(kty, "RSA"))
        fault = read_rsa(jwk, e);
    else if (slice_is(kty, "EC"))
        fault = read_ec(jwk, e);
    else if (slice_is(kty, "OKP"))
        fault = read_okp(jwk, e);
    else
        fault = key_fault(CC_EUNSUPPORTED);
    return fault == NULL ? read_algorithms(jwk, e) : fault;
}

static void leave_out(struct jwks_report *report, struct slice kid, const char *why)
{
    struct buf b;

    if (report == NULL || why == SILENT || report->n == JWKS_MAX_KEYS)
        return;
    buf_init_fixed(&b, report->left_out[report->n].kid, sizeof(report->left_out[0].kid));
    buf_add(&b, slice_first(kid, sizeof(report->left_out[0].kid) - 1)); /* printable: it was checked */
    report->left_out[report->n++].why = why;
}

/* All that makes it this key, of this scope, for these algorithms. */
static int make_tag(struct entry *e, struct slice scope)
{
    char hex[65];
    uint64_t tag = 0;
    struct buf b;
    int rc;

    buf_init(&b, (size_t)2 * JWKS_MAX_BYTES);
    buf_printf(&b, "%zu:", scope.n);
    buf_add(&b, scope);
    buf_printf(&b, "%zu:", e->key.kid.n);
    buf_add(&b, e->key.kid);
    buf_printf(&b, "%d,%u:", (int)key_kind_of(e->owned), e->key.algorithms);
    buf_add(&b, slice_make(e->raw, e->raw_n));
    rc = buf_error(&b);
    if (rc == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&b), hex);
    buf_free(&b);
    for (size_t i = 0; rc == CC_OK && i < 16; i++)
        tag = tag << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    e->key.tag = tag != 0 ? tag : 1;
    return rc;
}

/* Is the key there already, or another one under its name? */
static bool is_new(struct entry *entries, size_t n, struct entry *e)
{
    for (size_t i = 0; i < n; i++) {
        if (entries[i].owned == NULL)
            continue;
        if (entries[i].key.tag == e->key.tag)
            return false;
        if (e->key.kid.n > 0 && slice_eq(entries[i].key.kid, e->key.kid) &&
            key_kind_of(entries[i].owned) == key_kind_of(e->owned))
            entries[i].duplicate = e->duplicate = true;
    }
    return true;
}

static int read_entries(const json_t *array, struct slice scope, struct arena *arena,
                        struct entry *entries, size_t *n, struct jwks_report *report)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct entry *e = &entries[*n];
        const char *fault = read_entry(json_array_get(array, i), arena, e);
        int rc;

        if (fault != NULL) {
            leave_out(report, e->key.kid, fault);
            key_free(&e->owned);
            *e = (struct entry){.raw_n = 0};
            continue;
        }
        e->key.key = e->owned;
        rc = make_tag(e, scope);
        if (rc != CC_OK)
            return rc;
        if (is_new(entries, *n, e)) {
            ++*n;
        } else {
            key_free(&e->owned);
            *e = (struct entry){.raw_n = 0};
        }
    }
    return CC_OK;
}

/* Moves what can be used into the set. */
static void keep(struct jwks *set, struct entry *entries, size_t n, struct jwks_report *report)
{
    for (size_t i = 0; i < n; i++) {
        if (entries[i].duplicate) {
            leave_out(report, entries[i].key.kid, "another key has its kid");
            continue;
        }
        set->keys[set->n] = entries[i].key;
        set->owned[set->n++] = entries[i].owned;
        entries[i].owned = NULL;
    }
}

static int read_set(struct jwks *set, const json_t *document, struct slice scope,
                    struct jwks_report *report)
{
    const json_t *array = json_object_get(document, "keys");
    struct entry *entries;
    size_t n = 0;
    int rc;

    if (!json_is_array(array))
        return CC_EPARSE;
    if (json_array_size(array) > JWKS_MAX_KEYS)
        return CC_ETOOBIG;
    entries = calloc(JWKS_MAX_KEYS, sizeof(*entries));
    if (entries == NULL)
        return CC_ENOMEM;
    rc = read_entries(array, scope, set->arena, entries, &n, report);
    if (rc == CC_OK) {
        keep(set, entries, n, report);
        rc = set->n > 0 ? CC_OK : CC_ENOENT;
    }
    for (size_t i = 0; i < JWKS_MAX_KEYS; i++)
        key_free(&entries[i].owned);
    free(entries);
    return rc;
}

int jwks_parse(struct jwks **out, struct slice text, struct slice scope, struct jwks_report *report)
{
    struct jwks *set = NULL;
    json_t *document = NULL;
    enum jwt_fault fault;
    int rc = CC_ENOMEM;

    if (report != NULL)
        report->n = 0;
    if (text.n > JWKS_MAX_BYTES)
        return CC_ETOOBIG;
    fault = jwt_json_parse(text, JWT_BAD_PAYLOAD, &document);
    if (fault != JWT_OK)
        return fault == JWT_INTERNAL ? CC_ENOMEM : CC_EPARSE;
    set = calloc(1, sizeof(*set));
    if (set == NULL)
        goto out;
    atomic_init(&set->references, 1);
    set->arena = arena_new(ARENA_MAX);
    if (set->arena == NULL)
        goto out;
    rc = read_set(set, document, scope, report);
    if (rc != CC_OK)
        goto out;
    *out = set;
    set = NULL;
out:
    jwks_unref(&set);
    json_decref(document);
    return rc;
}

struct jwks *jwks_ref(struct jwks *set)
{
    /* Relaxed: who takes a reference holds one already, so nothing can be freed meanwhile. */
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void jwks_unref(struct jwks **pset)
{
    struct jwks *set = *pset;

    *pset = NULL;
    /* Release: what this holder did comes before; acquire: the one that frees sees it all. */
    if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->n; i++)
        key_free(&set->owned[i]);
    arena_free(&set->arena);
    free(set);
}

size_t jwks_count(const struct jwks *set)
{
    return set->n;
}

const struct jwks_key *jwks_at(const struct jwks *set, size_t i)
{
    CC_ASSERT(i < set->n);
    return &set->keys[i];
}

static bool has_tag(const struct jwks *set, uint64_t tag)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->keys[i].tag == tag)
            return true;
    return false;
}

bool jwks_same(const struct jwks *a, const struct jwks *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) /* tags of a set differ, so that one direction is enough */
        if (!has_tag(b, a->keys[i].tag))
            return false;
    return true;
}

size_t jwks_find(const struct jwks *set, struct slice kid, enum jwt_alg alg,
                 const struct jwks_key *found[JWKS_MAX_TRIES], bool *kid_known)
{
    size_t n = 0;

    *kid_known = false;
    for (size_t i = 0; i < set->n; i++) {
        const struct jwks_key *k = &set->keys[i];

        if (kid.n > 0 && !slice_eq(k->kid, kid))
            continue;
        *kid_known = *kid_known || kid.n > 0;
        if ((k->algorithms & 1u << alg) == 0)
            continue;
        if (n < JWKS_MAX_TRIES)
            found[n] = k;
        n++;
    }
    return n;
}
