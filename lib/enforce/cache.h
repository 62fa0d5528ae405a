/* cache: tokens that were verified before, so that a signature is checked once (private to
 * enforce).
 *
 * One worker's own: no locks. All memory is taken at creation: an index of slots and a ring of
 * entries. An entry holds the whole token and what it grants; a token is found only when every byte
 * is equal. New entries go in at the head; room is made at the tail, where an entry that was used
 * since it was written is written once more instead of being dropped (second chance), so that a
 * flood of tokens used once does not push out those in daily use. Only the caller's verified tokens
 * get in: bad tokens cost no room at all.
 *
 * Work of a call is bounded: a look-up by the run of slots it probes, an insertion by the
 * entries that its bytes push out and CACHE_SECOND_CHANCES moves. */
#pragma once

#include "gateway/gateway.h"
#include "revoke/revoke.h"

enum {
    CACHE_SECOND_CHANCES = 8,   /* entries one insertion may save */
    CACHE_ENTRY_BYTES_MIN = 256 /* about the smallest signed token; limits the index to the ring */
};

/* Its texts, in the order in which they are remembered. */
#define GRANT_TEXTS(X)                                                                  \
    X(user)                                                                             \
    X(app)                                                                              \
    X(keytype)                                                                          \
    X(scopes)            /* packed: see grant_next_scope() */                           \
    X(subscriptions)     /* packed: see subscription.h; empty: the token brings none */ \
    X(claims)            /* packed as scopes are: the number of a claim that conditions \
                          * look at, one byte, and a value of it */                     \
    X(application)       /* of a key: UUID of its application */                        \
    X(permitted_ip)      /* of an API key: lists of who may use it, see permitted.h; */ \
    X(permitted_referer) /* empty: anybody */

enum {
#define X(name) GRANT_TEXT_##name,
    GRANT_TEXTS(X)
#undef X
        GRANT_TEXT_COUNT
};

/* The exp of a key that is valid for ever: the first number that is no NumericDate (jwt.h). */
#define GRANT_FOREVER (INT64_C(1) << 53)

/* What a verified token grants: the claims that later decisions need. Slices belong to whoever
 * filled it in: the worker's arena, or the cache until its next call. */
struct grant {
    int64_t exp, nbf; /* nbf: the later one of nbf and iat; 0: none, which no clock is before */
    int64_t until;    /* from then on it must be asked for again, whatever exp says; 0: never */
    uint64_t key;     /* jwks_key.tag of the key that verified it; 0: a key of the rules */
    struct revoked_key id; /* what a revocation names; see revocation.h */
    size_t issuer;         /* in gw_model.issuers */
    enum gw_token_type type;
#define X(name) struct slice name;
    GRANT_TEXTS(X)
#undef X
    /* Which entry of the cache: no other has ever had it, nor will. 0: it is not remembered. Not
     * looked at by cache_insert(). */
    uint64_t number;
};

/* Scopes are packed one after the other, each as two bytes of length, high byte first, and its
 * text. A token has at most JWT_MAX_BYTES, so that every length fits. */
static inline size_t grant_packed_size(struct slice scope)
{
    return 2 + scope.n;
}

void grant_pack_scope(char *room, struct slice scope);

/* Takes the first scope off *rest; false when there is none left. */
bool grant_next_scope(struct slice *rest, struct slice *scope);

struct cache;

/* A cache of at most `entries` tokens in at most `bytes` bytes, index included. CC_EINVAL when
 * `bytes` cannot hold even a few tokens or is beyond 4 GiB. */
int cache_new(struct cache **out, size_t entries, size_t bytes);
void cache_free(struct cache **c);

/* Forgets all tokens. */
void cache_clear(struct cache *c);

/* From here on it is that of the rules with this hash (SHA-256 in hex digits, terminated): what was
 * remembered under others is not found. It comes back with them, as long as no third ones came in
 * between: while HAProxy is reloaded, its processes ask by turns for the rules before and after. */
enum { CACHE_RULES_HASH = 65 };
void cache_use_rules(struct cache *c, const char hash[CACHE_RULES_HASH]);

/* Finds what `token` grants and notes that it was used. */
bool cache_find(struct cache *c, struct slice token, struct grant *out);

/* Forgets one token; nothing happens when it is not there. */
void cache_drop(struct cache *c, struct slice token);

/* Remembers a token that is not in the cache, and returns its number. Entries with exp <= dead_s
 * are dropped without a second chance. A token too large for its share of the ring is not
 * remembered: 0.
 */
uint64_t cache_insert(struct cache *c, struct slice token, const struct grant *grant,
                      int64_t dead_s);

size_t cache_count(const struct cache *c);
/* Live tokens dropped to make room, since creation. */
uint64_t cache_evictions(const struct cache *c);
/* Bytes allocated: never changes. */
size_t cache_bytes(const struct cache *c);
