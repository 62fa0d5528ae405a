/* enforce: the decision engine. Pure: no I/O, no system clock, no globals.
 *
 *     (rules, live, cache, request, clock) -> decision
 *
 * The agent answers production requests with it and `cc-gen explain` runs it offline: the same
 * code.
 *
 * A struct enforce_rules is a snapshot with its issuers' keys parsed: immutable, shared by
 * reference count, read by all workers; a struct enforce_live (live.h) is what changes by itself,
 * such as fetched keys, and is shared in the same way. A struct enforce_worker is one thread's
 * private part: scratch memory and its token cache; nothing in it is shared, so nothing is locked.
 * A warm decision (token in the cache) allocates no heap memory. Anything unclear denies: there is
 * no path to ENFORCE_ALLOW but the one that passed every check. */
#pragma once

#include "crypto/crypto.h"
#include "enforce/await.h"
#include "enforce/filter.h"
#include "enforce/live.h"
#include "gateway/address.h"
#include "gateway/gateway.h"
#include "gateway/path.h"
#include "gateway/snapshot.h"
#include "gateway/soap.h"

struct enforce_rules;

/* Parses the keys of `snapshot`'s issuers and takes a reference to it. A key that cannot be used is
 * a CC4001/CC4002 finding, two issuers with one `iss` are CC3005, and the whole set is refused. One
 * reference is the caller's. */
int enforce_rules_new(struct enforce_rules **out, struct gw_snapshot *snapshot, struct diag *diag);
struct enforce_rules *enforce_rules_ref(struct enforce_rules *r);
void enforce_rules_unref(struct enforce_rules **r);
const struct gw_model *enforce_rules_model(const struct enforce_rules *r);
/* What the rules are, whatever their number: gw_snapshot_hash(). */
const char *enforce_rules_content(const struct enforce_rules *r);

/* The private key of the JWT for backends, for rules whose model has one
 * (gw_backend_jwt_signing()), before anybody decides by them. Takes the key in any case; CC_EINVAL:
 * it is not the certificate's. Without it every request that must bring a JWT to its backend is
 * refused. */
int enforce_rules_set_signing_key(struct enforce_rules *r, struct key *key);
/* Signs claims as the rules say, into a JWT for a backend. Any thread. CC_EFULL when it is larger
 * than the buffer. */
int enforce_rules_sign(const struct enforce_rules *r, struct slice claims, struct buf *out);
/* For those who only want to know: decisions come without the JWT, and say what it would claim. */
void enforce_rules_leave_unsigned(struct enforce_rules *r);

/* One header that the model asks for (gw_model.headers), in the model's order. */
enum { ENFORCE_MORE_LINES = 2 };

struct enforce_header {
    struct slice value;                    /* the first value when there are several */
    unsigned count;                        /* header lines with this name */
    struct slice more[ENFORCE_MORE_LINES]; /* the next lines, of headers that conditions look at */
};

struct enforce_request {
    struct slice id; /* the request's unique id; only echoed */
    struct slice method;
    struct slice path;                    /* as received, without query */
    struct slice query;                   /* without '?' */
    struct slice host;                    /* Host header or :authority */
    const struct enforce_header *headers; /* model->n_headers of them; NULL = none present */
    bool has_src;                         /* is it known */
    struct gw_address src;                /* who the client is? */
    /* the client's certificate, of which at most one is there: as DER, when the client has shown
     * in this connection that it has the key; or as a proxy wrote it that is trusted with that */
    struct slice certificate, certificate_text;
    struct slice login, scope; /* of /testkey: Authorization, and what the body asks for */
    enum gw_soap soap;         /* a refusal is told as a fault of this SOAP */
    enum enforce_patience patience;
    /* what earlier looks at this request waited for; NULL: nothing yet */
    const struct enforce_reply *replies[ENFORCE_WAIT_COUNT];
};

enum enforce_verdict {
    ENFORCE_DENY,   /* status, code, body and the rest of the refusal are set */
    ENFORCE_ALLOW,  /* backend, path and host are set */
    ENFORCE_ANSWER, /* a mock API: status, body, content_type and headers are the answer */
    ENFORCE_READY,  /* the system resource /ready: HAProxy answers with the generations */
    ENFORCE_PENDING /* no decision yet: `await` says what is missing (await.h) */
};

/* What the browser of a page of another origin is told. */
struct enforce_cors {
    /* of the API; NULL: none, what the backend says stays as it is */
    const struct gw_cors *policy;
    struct slice origin; /* the request's, when the policy allows it, else empty: nothing is told,
                          * except by `Vary` that another origin may get another answer */
    bool preflight; /* the answer is to a preflight: it names methods and request headers too */
};

/* On whose behalf a request comes, when it comes with a token: for throttling, backends, events. */
struct enforce_application {
    int64_t id; /* -1: subscriptions are not looked at, or the token does not say */
    struct slice uuid, name, tier, owner, tenant;
    struct slice certificate; /* alias of the certificate that takes the application's place */
    const struct subs_attribute *attributes; /* that the store has; else none */
    size_t n_attributes;
    struct slice subscription_tier; /* empty: none */
    bool stop_on_quota_reach;       /* refuse when the tier is used up, rather than let pass */
    bool bandwidth;                 /* one of the tiers counts bytes */
    struct slice claims;            /* of the token, that conditions look at; packed, see token.c */
};

/* What clients are told about the tightest of their limits; all may be empty. */
struct enforce_limits {
    struct slice policy, state;           /* RateLimit-Policy, RateLimit (IETF draft) */
    struct slice limit, remaining, reset; /* X-RateLimit-... */
    struct slice retry_after;             /* an HTTP date, when a limit refused */
    struct slice over;                    /* limits that are exceeded and do not refuse; for logs */
};

/* All slices live until the next enforce_decide() on the same worker (or as long as the rules). */
struct enforce_decision {
    enum enforce_verdict verdict;
    /* facts, as far as they are known; for logs and events */
    const struct gw_api *api;
    const struct gw_resource *resource;
    const struct gw_operation *operation;
    struct slice user, app, keytype;
    struct enforce_application application;
    struct enforce_cors cors;
    struct enforce_limits limits;
    /* allow */
    struct slice backend, path, host;   /* host: what the backend sees as Host */
    const struct gw_identity *identity; /* who the gateway is to the backend; may be NULL */
    struct slice strip_header; /* request header to remove before the backend; may be empty */
    struct slice strip_keys;   /* and those of API keys, ",apikey,x-key,"; may be empty */
    bool query_cut;            /* an API key was in the query: */
    struct slice query;        /* this is what the backend gets in its place; may be empty */
    bool certificate;          /* the client's counted: the API knows it */
    struct slice jwt;          /* tells the backend who calls; a secret; may be empty */
    struct slice jwt_claims;   /* what it says, JSON; only when a trace is asked for */
    /* of filters: headers to set, as a JSON object of texts, and names to remove, " a b "; may be
     * empty */
    struct slice set_headers, remove_headers;
    /* deny */
    int status;             /* 200 (a CORS preflight) 204 (OPTIONS that the resource does not
                             * declare) 400 401 403 404 405 411 414 429 503 */
    struct slice code;      /* "900901"; empty for 200 and 204 */
    struct slice body;      /* JSON, or a SOAP fault; empty for 200 and 204 */
    enum gw_soap soap;      /* of the request; content_type is set where the body is a fault */
    struct slice challenge; /* WWW-Authenticate, RFC 6750 3; may be empty */
    struct slice allow;     /* Allow header of a 405 or 204; may be empty */
    /* answer: status and body are set too, from 200 to 599 */
    struct slice content_type; /* empty: there is no body */
    unsigned lines;            /* of the body; 0: there is none */
    struct slice headers;      /* further ones, as a JSON object of texts; may be empty */
    /* pending */
    struct enforce_await await;
    /* always: bit set, 1 << live_jwks.feed of the key sets that should be fetched again */
    uint64_t fetch;
    /* always: compact trace for operators, "the token has expired, 12 s ago;
     * pets/swagger.yaml:41:9"; one line of at most 512 bytes without control characters, quotes and
     * backslashes */
    struct slice reason;
};

struct enforce_worker;
struct counter_table; /* throttle/counter.h */
struct revoked;
struct enforce_testkey; /* testkey.h */

struct enforce_options {
    size_t cache_entries; /* tokens remembered by this worker; 0 = none */
    size_t cache_bytes;   /* memory for them and their index, all of it allocated at the start;
                           * 4 KiB to 4 GiB. The same again for JWTs for backends, when the first
                           * rules come that have one; and about 1 KiB for each of so many callers,
                           * at most 2,048, whose limits are remembered */
};

/* CC_ENOMEM, or CC_EINVAL for cache_bytes out of range. */
int enforce_worker_new(struct enforce_worker **out, const struct enforce_options *options);
void enforce_worker_free(struct enforce_worker **w);
/* Before the first decision. Copies; without it there are none. */
void enforce_worker_set_filters(struct enforce_worker *w, const struct enforce_filters *filters);

/* From here on its requests are counted in this table, which all workers share and which outlives
 * them. Without one, nothing is counted. */
void enforce_worker_count_in(struct enforce_worker *w, struct counter_table *counters);

/* From now on, tokens in this table are refused, and all of them while it is not ready; before the
 * first decision. It outlives the worker. */
void enforce_worker_set_revoked(struct enforce_worker *w, const struct revoked *revoked);

/* From now on it answers /testkey; NULL: it does not. Before the first decision; it outlives the
 * worker. */
void enforce_worker_set_testkey(struct enforce_worker *w, const struct enforce_testkey *testkey);

/* Decides one request. Never fails: what goes wrong inside is a denial with status 503. Called by
 * the worker's own thread only. What was remembered under rules with other issuers is not
 * used. A remembered token counts as long as the key that verified it is in
 * `live` (which may be NULL) or in the rules. */
void enforce_decide(struct enforce_worker *w, struct enforce_rules *rules,
                    const struct enforce_live *live, const struct enforce_request *request,
                    const struct clock *clock, struct enforce_decision *out);

/* Counters of this worker; plain reads by another thread may be one behind (relaxed atomics). */
#define ENFORCE_COUNTERS(X)                                               \
    X(decisions, "requests decided")                                      \
    X(allowed, "requests allowed")                                        \
    X(answered, "requests answered by mock APIs")                         \
    X(denied, "requests refused")                                         \
    X(pending, "looks at requests that had to wait")                      \
    X(revoked, "requests refused because their token is revoked")         \
    X(throttled, "requests refused by a limit")                           \
    X(blocked, "requests refused by a deny rule")                         \
    X(over, "requests above a limit that does not refuse")                \
    X(filtered, "requests refused by filters")                            \
    X(filter_overruns, "requests refused because a filter took too long") \
    X(cache_hits, "tokens found in the cache")                            \
    X(cache_misses, "tokens that had to be verified")                     \
    X(cache_evictions, "tokens dropped to make room")                     \
    X(jwts_signed, "JWTs signed for backends")

struct enforce_counters {
#define X(name, help) uint64_t name;
    ENFORCE_COUNTERS(X)
#undef X
};
void enforce_worker_counters(const struct enforce_worker *w, struct enforce_counters *out);
