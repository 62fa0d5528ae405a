/* JSON Web Tokens in compact form: split, verify, read claims, sign (RFC 7515, 7518, 7519, 8037,
 * 8725).
 *
 * Verification on OpenSSL EVP. The algorithm is never chosen by the token: the caller says which
 * algorithms the issuer allows, the token's `alg` must be one of them, and the key must be of the
 * kind that algorithm takes. There is no "none" and no HMAC: a public key can never be mistaken for
 * a shared secret. Keys and addresses in a header (jwk, jku, x5c, x5u) are never looked at.
 *
 * Steps of a caller: jwt_split() -> find the issuer by jwt_peek_issuer() -> jwt_verify() ->
 * jwt_claims_parse(). The claims of a token must not be used before jwt_verify() said JWT_OK.
 *
 * All results live in the caller's arena or in the token. One of JWT_ARENA_BYTES is enough for any
 * token; a smaller one may end in JWT_INTERNAL. No state: any thread, any number at a time. */
#pragma once

#include "crypto/key.h"

#define JWT_ALGORITHMS(X) \
    X(RS256) X(RS384) X(RS512) X(PS256) X(PS384) X(PS512) X(ES256) X(ES384) X(ES512) X(EdDSA)

enum jwt_alg {
#define X(a) JWT_##a,
    JWT_ALGORITHMS(X)
#undef X
        JWT_ALG_COUNT
};

enum {
    JWT_MAX_BYTES = 8192,
    JWT_MAX_DEPTH = 32, /* nesting of its JSON texts */
    JWT_MAX_KID = 256,
    JWT_MAX_LIST = 256, /* scopes, audiences */
    JWT_ARENA_BYTES = 128 << 10
};

/* "RS256"; and back, exact. Unknown = JWT_ALG_COUNT. */
const char *jwt_alg_name(enum jwt_alg alg);
enum jwt_alg jwt_alg_parse(struct slice s);

/* Can a key of this kind verify or sign this algorithm? */
bool jwt_alg_fits(enum jwt_alg alg, enum key_kind kind);

/* Why a token was refused: for logs and explain, never for clients. */
#define JWT_FAULTS(X)                                                                          \
    X(JWT_OK, "ok")                                                                            \
    X(JWT_TOO_LARGE, "the token is larger than 8192 bytes")                                    \
    X(JWT_NOT_THREE_PARTS, "the token does not have three parts")                              \
    X(JWT_BAD_BASE64, "a part is not canonical base64url")                                     \
    X(JWT_BAD_HEADER, "the header is not a JSON object with unique members")                   \
    X(JWT_BAD_ALG, "alg is missing or not a supported algorithm")                              \
    X(JWT_CRITICAL, "the header demands an extension (crit, b64 or zip)")                      \
    X(JWT_BAD_KID, "kid is not text of 1 to 256 printable characters")                         \
    X(JWT_BAD_TYPE, "typ is not JWT or at+jwt")                                                \
    X(JWT_BAD_PAYLOAD, "the payload is not a JSON object with unique members")                 \
    X(JWT_BAD_ISSUER, "iss is missing, empty or not text")                                     \
    X(JWT_UNKNOWN_ISSUER, "no configured issuer has this iss")                                 \
    X(JWT_ALG_NOT_ALLOWED, "the issuer does not allow this algorithm")                         \
    X(JWT_ALG_KEY_MISMATCH, "the issuer's key is not of the kind this algorithm takes")        \
    X(JWT_NO_KEYS, "the issuer's key set could not be fetched")                                \
    X(JWT_KEYS_FETCHING, "the issuer's key set is being fetched")                              \
    X(JWT_KEYS_UNKNOWN, "the issuer's key set is not known here")                              \
    X(JWT_UNKNOWN_KEY, "the issuer's key set has no key with this kid; it is asked for again") \
    X(JWT_KEY_NOT_NAMED, "no kid, and the issuer's key set has too many keys to try")          \
    X(JWT_BAD_SIGNATURE, "the signature does not match")                                       \
    X(JWT_BAD_TIMES, "exp, nbf or iat is not a whole number of seconds, or exp is missing")    \
    X(JWT_EXPIRED, "the token has expired")                                                    \
    X(JWT_NOT_YET_VALID, "the token is not valid yet")                                         \
    X(JWT_BAD_CLAIM, "a claim has the wrong type or a control character")                      \
    X(JWT_BAD_AUDIENCE, "aud does not name this gateway")                                      \
    X(JWT_OPAQUE_ONLY, "the issuer's tokens are no JWTs: they are introspected")               \
    X(JWT_BAD_INTROSPECTION, "the introspection server's answer is not what RFC 7662 says")    \
    X(JWT_NOT_ACTIVE, "the introspection server says that the token is not active")            \
    X(JWT_REVOKED, "the token is revoked")                                                     \
    X(JWT_BAD_TOKEN_TYPE, "token_type is not Bearer")                                          \
    X(JWT_OTHER_TYPE, "token_type is not the one of such a credential")                        \
    X(JWT_TRANSFORMER, "the claim transformer refused it")                                     \
    X(JWT_INTERNAL, "internal error")

enum jwt_fault {
#define X(name, text) name,
    JWT_FAULTS(X)
#undef X
};
const char *jwt_fault_text(enum jwt_fault fault);

/* A token taken apart but not believed. Slices point into the token or into the arena. */
struct jwt {
    struct slice token;
    struct slice signing_input; /* "header.payload" as sent */
    struct slice signature;     /* decoded */
    enum jwt_alg alg;
    struct slice kid;     /* empty when there is none */
    struct slice payload; /* decoded, not yet parsed */
};

/* Is s good for a kid: 1 to JWT_MAX_KID printable ASCII characters? */
bool jwt_kid_valid(struct slice s);

/* Splits, decodes and checks the header. Everything decoded goes into the arena. On a fault `out`
 * holds no algorithm, so that it cannot be verified by mistake. */
enum jwt_fault jwt_split(struct slice token, struct arena *arena, struct jwt *out);

/* The signature, against a key the caller chose. `allowed` is a bit set of 1u << enum jwt_alg. */
enum jwt_fault jwt_verify(const struct jwt *jwt, unsigned allowed, const struct key *key);

/* An API that a token says its application is subscribed to. */
struct jwt_subscribed_api {
    struct slice name, version, context;
    struct slice tier, tenant; /* of the subscription; of the subscriber */
    bool stop_on_quota_reach;  /* tierInfo of the tier; true when it does not say */
    bool bandwidth;            /* the same: its quota counts bytes */
};

/* What a self-contained token brings of its application and its subscriptions, so that nobody has
 * to be asked. Claims: subscribedAPIs, application, tierInfo. Texts that are absent are empty. */
struct jwt_subscriptions {
    bool has_apis; /* the claim is there, be it an empty list */
    const struct jwt_subscribed_api *apis;
    size_t n_apis;
    bool has_application;
    int64_t id;
    struct slice uuid, name, tier, owner;
    bool bandwidth;
};

/* The claims this gateway knows. Slices live in the arena. Absent: p == NULL, or has_x false. */
struct jwt_claims {
    struct slice iss, sub, jti, keytype, consumer_key;
    struct slice token_type;                      /* "apiKey", "InternalKey" */
    struct slice permitted_ip, permitted_referer; /* of an API key */
    bool has_exp, has_nbf, has_iat;
    int64_t exp, nbf, iat;      /* seconds since 1970; 0 <= x < 2^53 */
    const struct slice *scopes; /* from text split at spaces, or a list of text */
    size_t n_scopes;
    const struct slice *audiences;
    size_t n_audiences;
    struct jwt_subscriptions subscriptions; /* when they were asked for */
    const struct jwt_extra *extra;
    size_t n_extra;
};

/* A value of a claim that somebody asked for; a claim that is a list of texts has several. */
struct jwt_extra {
    size_t claim;      /* its index in jwt_claim_names.extra */
    struct slice text; /* numbers and booleans as JSON; of an object or an empty list "" */
};

/* Claim names that an issuer may rename; empty = the standard one. */
struct jwt_claim_names {
    struct slice consumer_key; /* default: consumerKey, then azp */
    struct slice scope;        /* default: scope */
    bool subscriptions;        /* read the claims of struct jwt_subscriptions, too, */
    bool restrictions;         /* and permittedIP and permittedReferer */
    const struct slice *extra; /* claims that are to be read, too */
    size_t n_extra;
};

/* `iss` alone, before verification, to find the issuer. */
enum jwt_fault jwt_peek_issuer(const struct jwt *jwt, struct arena *arena, struct slice *iss);

/* The claims of a verified token on their way, for a hook that changes some before they are read.
 * Texts live until the hook returns; those that are set are copied. */
struct jwt_claim_tree;
struct slice jwt_tree_text(const struct jwt_claim_tree *tree,
                           const char *name); /* absent: no text */
bool jwt_tree_set(struct jwt_claim_tree *tree, const char *name, struct slice text);
bool jwt_tree_remove(struct jwt_claim_tree *tree, const char *name);

/* JWT_OK, or why the token is refused. */
struct jwt_claim_hook {
    enum jwt_fault (*change)(void *context, struct jwt_claim_tree *tree);
    void *context;
};

/* As jwt_claims_parse(), with a hook, which may be NULL. */
enum jwt_fault jwt_claims_parse_changed(const struct jwt *jwt, const struct jwt_claim_names *names,
                                        const struct jwt_claim_hook *hook, struct arena *arena,
                                        struct jwt_claims *out);

/* All claims; names may be NULL. Duplicate members, wrong types, nesting bombs and over-large
 * numbers are faults, and so are control characters in any text read here. An escaped NUL anywhere
 * is JWT_BAD_PAYLOAD. */
enum jwt_fault jwt_claims_parse(const struct jwt *jwt, const struct jwt_claim_names *names,
                                struct arena *arena, struct jwt_claims *out);

/* A member that also counts under another name. */
struct jwt_claim_mapping {
    struct slice remote, local;
};

struct jwt_claim_mappings {
    const struct jwt_claim_mapping *items;
    size_t n;
};

/* What an introspection server says of a token (RFC 7662 2.2). */
struct jwt_introspection {
    bool active;              /* false: nothing else is set */
    struct slice token_type;  /* empty: it does not say */
    struct jwt_claims claims; /* iss may be empty; consumer_key is client_id where it has no other
                               * name; sub is username where there is none */
};

/* Reads it with the same care as claims; `mappings`, and what the hook changes after them, which
 * both may be NULL, count before anything but active and token_type is read. JWT_BAD_INTROSPECTION:
 * it is no JSON object with `active`. */
enum jwt_fault jwt_introspection_parse(struct slice text, const struct jwt_claim_names *names,
                                       const struct jwt_claim_mappings *mappings,
                                       const struct jwt_claim_hook *hook, struct arena *arena,
                                       struct jwt_introspection *out);

/* The times against now, with `leeway_s` of clock skew. exp is required: now < exp + leeway, else
 * JWT_EXPIRED. nbf and iat, when present: at most now + leeway, else JWT_NOT_YET_VALID. */
enum jwt_fault jwt_check_times(const struct jwt_claims *c, int64_t now_s, int64_t leeway_s);

/* Signs `payload` (JSON text): {"alg":..,"kid":..,"typ":"JWT"} . payload . signature, appended to
 * out; on an error what was appended is of no use. kid may be empty, else it must be valid.
 * CC_EINVAL when the key is not private or does not fit the algorithm. For development
 * tokens and backend JWTs; libjwt 1.10 has neither PS* nor EdDSA, so one code path over EVP serves
 * them all. */
int jwt_sign(enum jwt_alg alg, const struct key *key, struct slice kid, struct slice payload,
             struct buf *out);

/* Who signs, and how: for headers that jwt_sign() does not make. */
struct jwt_signer {
    enum jwt_alg alg;
    const struct key *key;
    struct slice head; /* the header, encoded; it must name the algorithm */
    bool url;          /* base64url, as RFC 7515 says; else base64 without padding */
};

/* Appends head . payload . signature, as jwt_sign() does. */
int jwt_sign_as(const struct jwt_signer *by, struct slice payload, struct buf *out);
