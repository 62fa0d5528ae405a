/* cc_filter: extensions of cc-gateway's agent, in C. This file is all that one needs.
 *
 * An extension is a shared object that exports one constant, `cc_extension`:
 *
 *     #include <cc_filter.h>
 *
 *     static enum cc_result on_request(void *state, struct cc_request *r)
 *     {
 *         struct cc_text who = CC_CALLS(r)->text(r, CC_USER);
 *         ...
 *         return CC_CONTINUE;
 *     }
 *
 *     CC_EXPORT const struct cc_extension cc_extension = {
 *         CC_EXTENSION_HEAD, .name = "mine", .on_request = on_request};
 *
 *     cc -std=c11 -shared -fPIC -o mine.so mine.c
 *
 * and cc.yaml names it in enforcer.filters. Threads: `init` is called once for each worker, before
 * any request; what it makes belongs to that worker, whose thread alone calls the other functions
 * with it. Nothing else is shared, unless the extension does so.
 *
 * A worker decides about all its requests on one thread: a function must not wait for anything, and
 * has microseconds, not milliseconds (timeLimitInMicros). One that took longer has its request
 * refused. It may be called more than once for a request, when the decision had to wait for
 * something that others know; only the last time counts.
 *
 * All texts that functions get are not terminated, may hold any bytes that HTTP lets through, and
 * live until the function returns. Texts that are handed over are copied.
 *
 * Stability: CC_EXTENSION_ABI counts up when something changes for extensions that were compiled
 * before; members and functions that are added at the ends do not count. */
#ifndef CC_FILTER_H
#define CC_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CC_EXTENSION_ABI 1u

#if defined(__GNUC__)
#define CC_EXPORT __attribute__((visibility("default")))
#else
#define CC_EXPORT
#endif

/* A piece of text. p is NULL when there is none; "" is there and empty. */
struct cc_text {
    const char *p;
    size_t n;
};

enum cc_result {
    CC_CONTINUE = 0, /* go on with the next step */
    CC_DENIED = 1,   /* deny() was called; anything else than these two refuses with 503 */
};

/* What is known of a request. Before authentication there is no user, application and key type. */
enum cc_fact {
    CC_ID,     /* the request's id, as in X-Trace-Key and the access log */
    CC_METHOD, /* as the client wrote it */
    CC_PATH,   /* in normal form, with the base path, without query */
    CC_QUERY,  /* as the client wrote it, without '?' */
    CC_HOST,   /* in normal form, without port */
    CC_API_NAME,
    CC_API_VERSION,
    CC_API_ID,
    CC_API_BASE_PATH,
    CC_RESOURCE, /* the template, "/pets/{id}" */
    CC_USER,
    CC_APPLICATION, /* consumer key */
    CC_KEY_TYPE,    /* PRODUCTION or SANDBOX */
};

struct cc_request;

/* What a function may do with the request that it was given. */
struct cc_calls {
    size_t size; /* of this struct, in the agent that calls */

    struct cc_text (*text)(const struct cc_request *r, enum cc_fact fact);

    /* The first line of a header that is in requestHeaders, and how many lines of it came (`count`
     * may be NULL). One that is not listed there cannot be seen: then the request is refused. */
    struct cc_text (*header)(struct cc_request *r, const char *name, unsigned *count);

    /* A header of setHeaders for the endpoint. What the client sent in such a header never gets
     * there, set or not. At most 512 bytes without control characters. False: it is not done. */
    bool (*set_header)(struct cc_request *r, const char *name, struct cc_text value);

    /* Takes a header of removeHeaders away from what the endpoint gets. */
    bool (*remove_header)(struct cc_request *r, const char *name);

    /* Sends the request to endpoints that the API declares by this name in x-wso2-endpoints. False:
     * it has none of that name. */
    bool (*route)(struct cc_request *r, struct cc_text name);

    /* Refuses: status 400, 401, 403, 404, 413, 429, 500 or 503; a code of 1 to 16 letters and
     * digits; two texts for the client. The function then returns CC_DENIED. */
    void (*deny)(struct cc_request *r, int status, const char *code, const char *message,
                 const char *description);

    /* One line for the operator, in the access log's `reason`; for a refusal. */
    void (*reason)(struct cc_request *r, const char *text);
};

/* The head of a request is the same for all versions of the ABI. */
struct cc_request {
    const struct cc_calls *calls;
};
#define CC_CALLS(r) ((r)->calls)

struct cc_claims;

/* Claims of a verified token, or of what introspection says, before they are read. */
struct cc_claim_calls {
    size_t size;
    /* Of the issuer. */
    struct cc_text (*issuer)(const struct cc_claims *c);
    /* A claim that is a text; else none. */
    struct cc_text (*get)(const struct cc_claims *c, const char *name);
    /* Puts a text in its place; at most 4096 bytes. False for claims that decide whether a token is
     * valid: iss, aud, exp, nbf, iat, jti, active, token_type. */
    bool (*set)(struct cc_claims *c, const char *name, struct cc_text value);
    bool (*remove)(struct cc_claims *c, const char *name);
};

struct cc_claims {
    const struct cc_claim_calls *calls;
};

struct cc_backend_claims;

/* The claims of the JWT for an endpoint, as the gateway made them, before they are signed; their
 * names are whole, with the dialect. One JWT serves many requests, of one token (or key) to one
 * API: what the claims are made of may be nothing else than claims(), get(), the configuration, and
 * those facts that do not change between such requests (CC_API_..., CC_USER, CC_APPLICATION,
 * CC_KEY_TYPE). Other facts must be named in backend_facts; what depends on the time, or on
 * anything outside, is in JWTs for as long as they live (tokenTTL). */
struct cc_backend_calls {
    size_t size;
    /* A fact of the request; none when it is neither one of the above nor in backend_facts. Facts
     * that are none here: CC_ID. */
    struct cc_text (*text)(const struct cc_backend_claims *c, enum cc_fact fact);
    /* A text among the claims of the caller's verified token, as its issuer wrote it, be it told or
     * not; none for opaque tokens, keys and certificates. */
    struct cc_text (*token)(const struct cc_backend_claims *c, const char *name);
    /* A claim of the JWT that is a text; else none. */
    struct cc_text (*get)(const struct cc_backend_claims *c, const char *name);
    /* Puts a text in its place, or adds it; at most 4096 bytes of UTF-8. False: it is not done.
     * exp, iat, nbf and jti are the gateway's. */
    bool (*set)(struct cc_backend_claims *c, const char *name, struct cc_text value);
    /* The same with any JSON value: a number, true, an object, a list; up to 16 deep. */
    bool (*set_json)(struct cc_backend_claims *c, const char *name, struct cc_text json);
    /* False: there is none, or it is one of the four. */
    bool (*remove)(struct cc_backend_claims *c, const char *name);
};

struct cc_backend_claims {
    const struct cc_backend_calls *calls;
};

/* What cc.yaml says for this extension: its configProperties. */
struct cc_settings {
    size_t size;
    const char *name; /* in enforcer.filters */
    size_t n;
    const char *const *keys, *const *values;
};

struct cc_extension {
    uint32_t abi;  /* CC_EXTENSION_ABI */
    uint32_t size; /* of this struct */
    const char *name;

    /* May be NULL. 0, or anything else after having said why in `error` (a terminated text): then
     * the agent does not start. */
    int (*init)(void **state, const struct cc_settings *settings, char *error, size_t error_size);
    void (*free)(void *state); /* may be NULL */

    /* NULL: it is no filter. */
    enum cc_result (*on_request)(void *state, struct cc_request *r);

    /* NULL: it transforms no claims. CC_CONTINUE, or the token is refused. For the issuers that
     * name it in claimTransformer, once for each token: results are remembered with it. */
    enum cc_result (*on_claims)(void *state, struct cc_claims *c);

    /* NULL: it makes no claims for endpoints. CC_CONTINUE, or the request is refused with 500. For
     * the extension that enforcer.jwtGenerator.gatewayGeneratorImpl names; once for each JWT. */
    enum cc_result (*on_backend_claims)(void *state, struct cc_backend_claims *c);
    /* What else of a request its claims depend on: CC_FACT(CC_METHOD) | CC_FACT(CC_PATH) ...; of
     * CC_METHOD, CC_PATH, CC_QUERY, CC_HOST and CC_RESOURCE. A JWT is then used for requests alone
     * that agree in these; each other one has to be signed. */
    uint64_t backend_facts;
};
#define CC_FACT(fact) (UINT64_C(1) << (fact))

#define CC_EXTENSION_HEAD .abi = CC_EXTENSION_ABI, .size = sizeof(struct cc_extension)

#endif
