/* await: what a decision may have to wait for, and what came of it.
 *
 * The engine asks nobody. A decision that lacks something others know is ENFORCE_PENDING: it names
 * what it waits for and is forgotten. When the reply is there, the same request is decided again
 * from the start, with the reply in its hands and under the rules and the live state of that
 * moment; so there is no half decision to keep, and nothing that was true at the first look is
 * believed at the second.
 *
 * A struct enforce_reply is immutable and shared by reference count: whoever was asked makes one,
 * on its own thread, for all that wait for the same key. */
#pragma once

#include "base/base.h"

/* X(name, "what refused requests are told in the log when nobody answers") */
#define ENFORCE_WAITS(X)                                      \
    X(INTROSPECTION, "the token's introspection")             \
    X(SIGNATURE, "the signature of the JWT for the endpoint") \
    X(LIMITS, "the limits that gateways share")

enum enforce_wait {
#define X(name, text) ENFORCE_WAIT_##name,
    ENFORCE_WAITS(X)
#undef X
        ENFORCE_WAIT_COUNT
};

const char *enforce_wait_text(enum enforce_wait what);

/* Is it asked for each request by itself? Then no two wait for the same key. */
static inline bool enforce_wait_is_single(enum enforce_wait what)
{
    return what == ENFORCE_WAIT_LIMITS;
}

enum {
    ENFORCE_KEY_BYTES = 32,
    INTROSPECT_MAX_TOKEN = 4096 /* bytes of a token that somebody is asked about */
};

/* Requests that wait for the same thing with the same key get the same reply, and it is asked for
 * once. What must be asked for each request has a key of its own. */
struct enforce_key {
    uint8_t bytes[ENFORCE_KEY_BYTES];
};

bool enforce_key_eq(const struct enforce_key *a, const struct enforce_key *b);

/* What is missing. The slice lives as long as the decision that it is in. */
struct enforce_await {
    enum enforce_wait what;
    struct enforce_key key;
    size_t subject;        /* INTROSPECTION: the issuer, in gw_model.issuers */
    struct slice question; /* INTROSPECTION: the token; SIGNATURE: the claims; LIMITS: a struct
                              counter_question */
    int64_t until_s;       /* SIGNATURE: how long what is signed may be used, as its reply says */
};

struct enforce_reply {
    enum enforce_wait what;
    struct enforce_key key;
    bool failed;     /* nobody knows, and `bytes` say why, for the log */
    int64_t until_s; /* wall clock: from then on it must be asked for again */
    struct slice bytes;
};

/* Copies `bytes`. One reference is the caller's. */
int enforce_reply_new(struct enforce_reply **out, enum enforce_wait what,
                      const struct enforce_key *key, bool failed, int64_t until_s,
                      struct slice bytes);
struct enforce_reply *enforce_reply_ref(struct enforce_reply *r);
/* Accepts a pointer to NULL. What was in it is wiped: replies hold secrets. */
void enforce_reply_unref(struct enforce_reply **r);

/* May the decision wait? What may not is refused with 503 where it would have to. */
enum enforce_patience {
    ENFORCE_ALONE,    /* nobody can be asked */
    ENFORCE_MAY_WAIT, /* it may become ENFORCE_PENDING */
    ENFORCE_OVERDUE,  /* it has waited for as long as it may */
    ENFORCE_CROWDED   /* too many wait already */
};
