/* subs: who is subscribed to which API: applications, their keys, subscriptions and policies.
 *
 * A store is built once, from files (subs_read.h) or by whoever else knows (a control plane), and
 * immutable from then on: workers share it by reference count and look things up without locks and
 * without heap memory. A look-up is one SipHash and, on the average, less than two comparisons.
 *
 * Memory is bounded: SUBS_MAX_RECORDS of each kind, SUBS_MAX_BYTES of texts. A subscription takes
 * 20 bytes and 8 to 16 of an index, because texts that repeat (UUIDs, names of policies) are kept
 * once: 1,000,000 subscriptions of 100,000 applications to 1,000 APIs take 80 MB.
 *
 * All slices and pointers that a store gives out live as long as the store. */
#pragma once

#include "base/base.h"

#define SUBS_MAX_BYTES ((size_t)2 << 30)
enum {
    SUBS_MAX_RECORDS = 20000000,
    SUBS_MAX_POLICIES = 65535, /* also of files */
    SUBS_MAX_TEXT = 1024,      /* bytes of a name, a key, an identifier */
    SUBS_MAX_ATTRIBUTES = 64   /* of an application */
};

/* States of a subscription, by the names that the control plane uses. */
#define SUBS_STATES(X)     \
    X(UNBLOCKED)           \
    X(TIER_UPDATE_PENDING) \
    X(BLOCKED)             \
    X(PROD_ONLY_BLOCKED)   \
    X(ON_HOLD)             \
    X(REJECTED)

enum subs_state {
#define X(name) SUBS_##name,
    SUBS_STATES(X)
#undef X
        SUBS_STATE_COUNT
};
const char *subs_state_name(enum subs_state state);
/* Exact; SUBS_STATE_COUNT: unknown. */
enum subs_state subs_state_parse(struct slice text);

struct subs_attribute {
    struct slice name, value;
};

/* A throttling policy: of subscriptions or of applications. */
struct subs_policy {
    struct slice name;
    bool bandwidth;           /* quotaType: bandwidthVolume */
    bool stop_on_quota_reach; /* of subscriptions: refuse when it is used up */
    struct place place;
};

struct subs_application {
    struct slice uuid, name;
    struct slice owner; /* the subscriber */
    struct slice tenant;
    int64_t id; /* in the keys of throttling */
    const struct subs_policy *policy;
    const struct subs_attribute *attributes;
    size_t n_attributes;
    struct place place;
};

/* Which application a token belongs to. */
struct subs_key {
    const struct subs_application *application;
    struct slice consumer_key, key_manager;
    bool sandbox; /* its tokens are for SANDBOX endpoints */
    struct place place;
};

struct subs_subscription {
    const struct subs_application *application;
    struct slice api_uuid;
    const struct subs_policy *policy;
    enum subs_state state;
    struct place place;
};

/* What the store says of an API; place: there, or where it is named first. */
struct subs_api {
    struct slice uuid;
    struct slice status; /* life-cycle state: "BLOCKED"; "": the store does not say */
    struct place place;
};

struct subs;

struct subs *subs_ref(struct subs *s);
void subs_unref(struct subs **s);
/* Does the caller hold the only reference? True stays true. */
bool subs_is_last(const struct subs *s);

/* Look-ups. False, or NULL: there is none. */
bool subs_find_key(const struct subs *s, struct slice consumer_key, struct slice key_manager,
                   struct subs_key *out);
const struct subs_application *subs_find_application(const struct subs *s, struct slice uuid);
bool subs_find(const struct subs *s, const struct subs_application *application,
               struct slice api_uuid, struct subs_subscription *out);
const struct subs_api *subs_find_api(const struct subs *s, struct slice uuid);

/* All of them, in the order in which they were added; for those who show them. */
struct subs_counts {
    size_t applications, keys, subscriptions, apis, application_policies, subscription_policies;
};
void subs_count(const struct subs *s, struct subs_counts *out);
const struct subs_application *subs_application_at(const struct subs *s, size_t i);
void subs_key_at(const struct subs *s, size_t i, struct subs_key *out);
void subs_at(const struct subs *s, size_t i, struct subs_subscription *out);
const struct subs_api *subs_api_at(const struct subs *s, size_t i);
/* Bytes that it takes. */
size_t subs_bytes(const struct subs *s);

/* Building. Entries may come in any order: a subscription may be added before its application. The
 * policy Unlimited is there from the start.
 *
 * Places refer to files by number, so that a record stays small; names of files are copied. */
struct subs_builder;

int subs_builder_new(struct subs_builder **out);
void subs_builder_free(struct subs_builder **b);

/* The file that all following places are in. CC_EFULL: too many. */
int subs_add_file(struct subs_builder *b, const char *name);

/* Each: CC_OK; CC_EEXIST: there is one with this key, *earlier is its place; CC_EFULL, CC_ENOMEM.
 * `place` counts by its line and column, in the file of subs_add_file(). Texts are copied. */
struct subs_new_application {
    struct slice uuid, name, owner, tenant, policy;
    int64_t id;
    const struct subs_attribute *attributes;
    size_t n_attributes;
};
int subs_add_application(struct subs_builder *b, const struct subs_new_application *a,
                         struct place place, struct place *earlier);
int subs_add_key(struct subs_builder *b, struct slice consumer_key, struct slice key_manager,
                 struct slice application_uuid, bool sandbox, struct place place,
                 struct place *earlier);
int subs_add(struct subs_builder *b, struct slice application_uuid, struct slice api_uuid,
             struct slice policy, enum subs_state state, struct place place, struct place *earlier);
int subs_add_api(struct subs_builder *b, struct slice uuid, struct slice status, struct place place,
                 struct place *earlier);
/* p->place counts as above. */
int subs_add_policy(struct subs_builder *b, bool of_applications, const struct subs_policy *p,
                    struct place *earlier);

/* What is named and not there; `what` is "application" or "policy of subscriptions". */
typedef void subs_dangling(void *context, const char *what, struct slice name, struct place place);

/* The store, with one reference, which is the caller's; the builder is empty afterwards. CC_EINVAL
 * after `report` was called, once for each entry that names what is not there. */
int subs_build(struct subs_builder *b, struct subs **out, subs_dangling *report, void *context);
