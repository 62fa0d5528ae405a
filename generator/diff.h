/* diff: what differs between two models, as a list that people and programs can read.
 *
 * Pure: two models in, a list of changes in the caller's arena out. Lists are matched by what makes
 * their elements the same to a client (an API by virtual host and base path, else by name and
 * version; a resource by its template; an operation by its method; an issuer by its `iss`; a
 * cluster by its name, which is a hash of its content) by merging sorted lists, so that 10,000 APIs
 * take a fraction of a second. What has no rule of its own is compared by the snapshot's schema,
 * member for member: a new member of the model cannot be overlooked here.
 *
 * Places (file, line, column) are not compared. When they are all that differs, one change of kind
 * "places" says so, because a build then makes a new generation although nothing is decided
 * differently. */
#pragma once

#include "gateway/gateway.h"

enum diff_sort { DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED };

/* X(name, word) - the word stands in plan's lines and in its JSON. */
#define DIFF_KINDS(X)                  \
    X(DIFF_API, "api")                 \
    X(DIFF_RESOURCE, "resource")       \
    X(DIFF_OPERATION, "operation")     \
    X(DIFF_SCOPE, "scope")             \
    X(DIFF_ACCESS, "access")           \
    X(DIFF_LIMIT, "limit")             \
    X(DIFF_DENIAL, "deny rule")        \
    X(DIFF_INTERCEPTOR, "interceptor") \
    X(DIFF_ENDPOINT, "endpoint")       \
    X(DIFF_CORS, "cors")               \
    X(DIFF_CLUSTER, "cluster")         \
    X(DIFF_ISSUER, "issuer")           \
    X(DIFF_HEADER, "header")           \
    X(DIFF_SETTING, "setting")         \
    X(DIFF_SECTION, "section")         \
    X(DIFF_FILE, "file")               \
    X(DIFF_PLACES, "places")

enum diff_kind {
#define X(name, word) name,
    DIFF_KINDS(X)
#undef X
        DIFF_KIND_COUNT
};

/* "api" */
const char *diff_kind_word(enum diff_kind kind);

struct diff_change {
    enum diff_sort sort;
    enum diff_kind kind;
    struct slice subject;       /* "Petstore 1.0.0 /petstore/1.0.0 on localhost" */
    const struct gw_api *api;   /* the API it is in, as it is now (as it was, when it is gone) */
    struct slice resource;      /* template of the resource; absent: not in one */
    const char *method;         /* of the operation, or NULL */
    struct slice field;         /* the member that changed; empty: none of its own */
    struct slice before, after; /* values as text; of what is new or gone, one of them is absent */
    struct slice from;          /* where it comes from: "pets/api.yaml:4:3"; may be empty */
};

struct diff {
    struct diff_change *changes;
    size_t n, room;
    struct arena *arena;
};

/* The changes that lead from `old` (NULL: nothing) to `new`, appended to *out, which begins zeroed
 * but for its arena. CC_ENOMEM when that is full. */
int diff_models(struct diff *out, const struct gw_model *old, const struct gw_model *new);

/* Appends a change; its texts must live as long as the arena. NULL when that is full. */
struct diff_change *diff_add(struct diff *d, enum diff_sort sort, enum diff_kind kind,
                             struct slice subject);

/* How many changes are of this sort and kind (DIFF_KIND_COUNT: of any kind). */
size_t diff_count(const struct diff *d, enum diff_sort sort, enum diff_kind kind);

/* Does a change concern more than places? */
bool diff_is_semantic(const struct diff *d);
