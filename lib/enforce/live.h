/* live: what changes by itself while rules stay: what feeders know.
 *
 *     (rules, live, request, clock) -> decision
 *
 * A struct enforce_live is immutable and shared by reference count, as rules are: a feeder that
 * learns something makes a new one and publishes it to the workers. It holds the key sets of
 * issuers that have a jwks_url, and who is subscribed to what. NULL stands for knowing nothing,
 * which lets nobody in. */
#pragma once

#include "crypto/jwks.h"
#include "enforce/deny_list.h"
#include "subs/subs.h"

enum { LIVE_MAX_JWKS = 64 };

/* What is known of one key set. */
enum live_jwks_state {
    LIVE_JWKS_FETCHING, /* not fetched yet, and being fetched now */
    LIVE_JWKS_FAILED,   /* cannot be fetched, and there is no earlier one that may be used */
    LIVE_JWKS_USABLE
};

struct live_jwks {
    struct slice url;
    enum live_jwks_state state;
    struct jwks *set; /* NULL unless it is usable */
    unsigned feed;    /* the feeder's number for it, below LIVE_MAX_JWKS */
};

struct enforce_live;

/* Copies `jwks` (at most LIVE_MAX_JWKS, sets by reference). One reference is the caller's. */
int enforce_live_new(struct enforce_live **out, const struct live_jwks *jwks, size_t n);
/* A copy of `base`, which may be NULL, its deny rules too, with these subscriptions, which may be
 * NULL; all by reference. */
int enforce_live_with_subs(struct enforce_live **out, const struct enforce_live *base,
                           struct subs *subs);

/* A copy of `base`, which may be NULL, its subscriptions too, with these deny rules in place of its
 * own; NULL: none. Takes over the reference to them in any case. */
int enforce_live_with_denied(struct enforce_live **out, const struct enforce_live *base,
                             struct deny_list *list);

/* Adds deny rules to a state that nobody else has yet; NULL: none. Takes over the reference. */
void enforce_live_deny(struct enforce_live *l, struct deny_list *list);

struct enforce_live *enforce_live_ref(struct enforce_live *l);
void enforce_live_unref(struct enforce_live **l);

/* The key set of this URL; NULL when nobody follows it. `l` may be NULL. */
const struct live_jwks *enforce_live_find_jwks(const struct enforce_live *l, struct slice url);

/* Is a key with this tag in one of the sets? `l` may be NULL. */
bool enforce_live_has_key(const struct enforce_live *l, uint64_t tag);

/* NULL: nothing is known of subscriptions. `l` may be NULL. */
const struct subs *enforce_live_subs(const struct enforce_live *l);

/* Deny rules besides those of the snapshot; NULL: none. `l` may be NULL. */
const struct deny_list *enforce_live_denied(const struct enforce_live *l);
