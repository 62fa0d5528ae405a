/* trace: the steps of one decision, for whoever asks why (`cc-gen explain`).
 *
 * enforce_decide_traced() is enforce_decide() that writes down what it looked at. Each step is
 * opened before its question is asked; the step that is open when the decision falls is the one
 * that refused. Without a trace, as in the agent, each call is one test of a pointer that is NULL,
 * and its arguments are not even computed.
 *
 * Tokens, signatures and the values of headers never get into a trace; claims do, as soon as they
 * can be read: a step that comes before "signature" shows what nobody vouches for yet. Text from
 * outside is cut to a length and has no control characters.
 *
 * The trace's owner provides all memory (some 70 KiB: not for a small stack); its texts and places
 * live as long as it and the rules do. */
#pragma once

#include "enforce/enforce.h"
#include "gateway/route.h"
#include "throttle/counter.h"

#define ENFORCE_STEPS(X)                                                       \
    X(HOST, "host")                   /* the Host header in its normal form */ \
    X(PATH, "path")                   /* the path in its normal form */        \
    X(SYSTEM, "system")               /* the gateway's own resources */        \
    X(API, "api")                     /* which API is there */                 \
    X(RESOURCE, "resource")           /* which of its templates */             \
    X(CORS, "cors")                   /* a preflight request is answered */    \
    X(OPERATION, "operation")         /* the method */                         \
    X(CREDENTIAL, "credential")       /* where the token is */                 \
    X(CERTIFICATE, "certificate")     /* the client's */                       \
    X(TOKEN, "token")                 /* its three parts and its header */     \
    X(INTROSPECTION, "introspection") /* a token without parts */              \
    X(ISSUER, "issuer")               /* whose keys count */                   \
    X(KEY, "key")                     /* in its key set */                     \
    X(ALGORITHM, "algorithm")                                                  \
    X(SIGNATURE, "signature")                                                  \
    X(CLAIMS, "claims")                                                        \
    X(REVOCATION, "revocation") /* is its id among those that are revoked? */  \
    X(TIMES, "times")                                                          \
    X(PERMITTED, "permitted")       /* where an API key may come from */       \
    X(SUBSCRIPTION, "subscription") /* of the token's application */           \
    X(STATUS, "life cycle")         /* a state of the API that matters */      \
    X(SCOPES, "scopes")                                                        \
    X(KEY_TYPE, "key type")                                                    \
    X(DENIED, "deny rules")       /* whether one of them matches */            \
    X(LIMITS, "limits")           /* the counters that are asked */            \
    X(FILTER, "filter")           /* an extension */                           \
    X(INTERCEPTOR, "interceptor") /* services that change the request */       \
    X(MOCK, "mock")               /* which example is the answer */            \
    X(BACKEND, "backend")         /* where it goes, and as what */             \
    X(BACKEND_JWT, "backend jwt") /* what the backend is told of the caller */

enum enforce_step {
#define X(name, text) ENFORCE_STEP_##name,
    ENFORCE_STEPS(X)
#undef X
        ENFORCE_STEP_COUNT
};

/* "key type" */
const char *enforce_step_name(enum enforce_step step);

enum { ENFORCE_TRACE_STEPS = 64, ENFORCE_TRACE_BYTES = 64 << 10 };

struct enforce_trace_step {
    enum enforce_step step;
    /* the last step of a denial, or of a credential beside which another one was tried; all others
     * were passed */
    bool refused;
    struct slice text;  /* what was seen */
    struct slice why;   /* of a step that refused */
    struct place place; /* the configuration that the step asked; source may be NULL */
};

/* A limit that was asked, and whose requests it counts. */
struct enforce_trace_limit {
    const struct gw_policy *policy;
    struct counter_rule rule; /* of the policy, or of its condition group that the request is in */
    struct slice key;
    bool cut; /* the key is longer than there was room for */
};

struct enforce_trace {
    struct enforce_trace_step steps[ENFORCE_TRACE_STEPS];
    size_t n;
    struct enforce_trace_limit limits[COUNTER_MAX_LIMITS]; /* in the order of their refusals */
    size_t n_limits;
    uint64_t limit_bytes; /* what those use of it that count bytes */
    struct place cause; /* the configuration behind the decision; source may be NULL */
    struct slice why;   /* enforce_decision.reason without the place */
    char room[ENFORCE_TRACE_BYTES];
    size_t used;
};

/* As enforce_decide(). Forgets what was in `trace`; NULL: no trace.
 *
 * A worker without counters asks no limit, but lists those it would ask. When a reply to
 * ENFORCE_WAIT_LIMITS comes with the request, a struct counter_result, that is what became of them:
 * so whoever knows the counters of an agent is told what it would decide. */
void enforce_decide_traced(struct enforce_worker *w, struct enforce_rules *rules,
                           const struct enforce_live *live, const struct enforce_request *request,
                           const struct clock *clock, struct enforce_decision *out,
                           struct enforce_trace *trace);

/* For the engine: TRACE(route, trace, x) calls trace_route(trace, x) when there is a trace. That is
 * the rare case: the functions are cold, which keeps all that leads to them out of the way of an
 * ordinary decision. */
#define TRACE(name, trace, ...) ((trace) != NULL ? trace_##name((trace), __VA_ARGS__) : (void)0)

/* Opens a step; adds to the text of the open one. What does not fit is cut. */
#define TRACE_STEP(trace, step, place) TRACE(open, trace, ENFORCE_STEP_##step, (place))
#define TRACE_SAY(trace, ...)          TRACE(say, trace, __VA_ARGS__)

#define TRACE_COLD __attribute__((cold))
TRACE_COLD void trace_open(struct enforce_trace *t, enum enforce_step step, struct place place);
TRACE_COLD void trace_say(struct enforce_trace *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Steps that have more to say. */
struct grant;
TRACE_COLD void trace_route(struct enforce_trace *t, const struct gw_route *route);
TRACE_COLD void trace_operation(struct enforce_trace *t, const struct gw_operation *op);
TRACE_COLD void trace_algorithm(struct enforce_trace *t, const struct gw_issuer *issuer,
                                const struct key *key, enum jwt_alg alg);
/* After jwt_verify(): the signature was looked at, unless the algorithm was refused before. */
TRACE_COLD void trace_signature(struct enforce_trace *t, const struct gw_issuer *issuer,
                                enum jwt_fault fault);
TRACE_COLD void trace_claims(struct enforce_trace *t, const struct gw_issuer *issuer,
                             const struct jwt_claims *claims);
TRACE_COLD void trace_revocation(struct enforce_trace *t, struct slice jti);
TRACE_COLD void trace_times(struct enforce_trace *t, const struct grant *grant, int64_t now_s,
                            int64_t leeway_s);
TRACE_COLD void trace_scopes(struct enforce_trace *t, const struct gw_operation *op,
                             const struct grant *grant);
TRACE_COLD void trace_limit(struct enforce_trace *t, const struct gw_policy *policy,
                            const struct counter_limit *limit);
TRACE_COLD void trace_interceptors(struct enforce_trace *t, const struct gw_operation *op);
TRACE_COLD void trace_mock(struct enforce_trace *t, const struct gw_operation *op,
                           struct slice prefer, struct slice accept);
TRACE_COLD void trace_backend(struct enforce_trace *t, const struct gw_cluster *cluster);
TRACE_COLD void trace_backend_jwt(struct enforce_trace *t, const struct gw_backend_jwt *jwt,
                                  enum jwt_alg alg, struct slice claims);

/* The open step has refused a credential, and another one is tried. */
struct reason;
TRACE_COLD void trace_refused(struct enforce_trace *t, const struct reason *reason);

/* Before the first step, after the last one. */
TRACE_COLD void trace_begin(struct enforce_trace *t);
TRACE_COLD void trace_end(struct enforce_trace *t, const struct enforce_decision *decision,
                          const struct reason *reason);
