/* attempt: one decision on its way, and the worker that makes it (private to enforce).
 *
 * The steps of a decision are functions over a struct attempt. Each returns true when the decision
 * goes on, and false when it has been made: then a->out holds the refusal and a->reason says why.
 */
#pragma once

#include "enforce/cache.h"
#include "enforce/filter.h"
#include "enforce/reason.h"
#include "enforce/refuse.h"
#include "enforce/rules.h"
#include "enforce/throttle.h"
#include "enforce/trace.h"
#include "gateway/mock.h"

/* A normal path and the endpoint's path before it. */
enum { ATTEMPT_PATH_ROOM = 2 * GW_PATH_MAX };

/* No request line that HAProxy takes and sends on in one frame is longer. */
enum { ATTEMPT_QUERY_ROOM = 64 << 10 };

/* Room for one refusal. A worker has two: a refusal may be kept while something else is tried. */
struct attempt_room {
    struct reason reason;
    struct refuse_room refusal;
};

struct enforce_worker {
    struct arena *arena;
    struct cache *cache;               /* NULL: none */
    struct counter_table *counters;    /* NULL: nobody counts */
    const struct revoked *revocations; /* NULL: there are none */
    struct attempt_room rooms[2];
    char host[GW_HOST_MAX];
    char path[GW_PATH_MAX];
    char backend_path[ATTEMPT_PATH_ROOM];
    char query[ATTEMPT_QUERY_ROOM];
    char mock_headers[GW_MOCK_HEADERS_MAX + 1];
    struct gw_pattern_room *patterns;
    struct throttle_room throttle;
    struct throttle_memo *memo; /* NULL: none */
    struct cache *jwts; /* backend_jwt.c; NULL: none yet, or never */
    size_t jwt_entries, jwt_bytes;
    struct hash_key jwt_key;
    bool jwts_made;      /* as far as there was memory for them */
    int64_t jwt_from_us; /* when this worker may sign again, by the monotonic clock */
    char jwt[GW_BACKEND_JWT_MAX + 1];
    char jwt_claims[GW_BACKEND_JWT_MAX / 4 * 3 + 1];
    const struct enforce_testkey *testkey; /* NULL: there is no such resource */
    int64_t testkey_since_us;              /* of the second in which attempts are counted */
    unsigned testkey_attempts;
    struct enforce_filters filters;
    char set_headers[4096], remove_headers[1024];
    /* Relaxed atomics: written by this worker only, read by whoever shows them. */
#define X(name, help) _Atomic uint64_t name;
    ENFORCE_COUNTERS(X)
#undef X
};

struct credential;

/* What filters want the endpoint to get. */
enum { FILTER_MAX_CHANGES = 16 };

struct filter_changes {
    struct filter_change {
        struct slice name;  /* of the rules */
        struct slice value; /* p NULL: the header goes */
    } items[FILTER_MAX_CHANGES];
    size_t n;
};

struct attempt {
    struct enforce_worker *w;
    const struct enforce_rules *rules;
    const struct enforce_live *live; /* or NULL */
    const struct enforce_request *request;
    const struct clock *clock;
    struct enforce_decision *out;
    struct slice host, path;         /* normal forms */
    const struct credential *caller; /* that let the request in; NULL: none was needed */
    struct reason *reason;           /* this and the next: of one room */
    struct refuse_room *refusal;
    const struct gw_cluster *routed; /* by a filter; NULL: by the key type */
    struct filter_changes changes;   /* only the first n of them have a meaning */
    struct enforce_trace *trace;     /* NULL: nobody asks */
};

static inline void attempt_use_room(struct attempt *a, struct attempt_room *room)
{
    a->reason = &room->reason;
    a->refusal = &room->refusal;
}

/* What was written so far stays where it is. */
static inline void attempt_use_other_room(struct attempt *a)
{
    attempt_use_room(a, &a->w->rooms[a->reason == &a->w->rooms[0].reason]);
}

/* Refuses, with the reason and where it was declared. Returns false. */
static inline bool attempt_refuse(struct attempt *a, enum refusal why, const char *text,
                                  struct place place)
{
    reason_add_str(a->reason, text);
    reason_add_place(a->reason, place);
    refuse(a->out, why);
    return false;
}

static inline void attempt_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
