/* policy: how many requests of whom the gateway lets through, and whom it never lets in (the
 * throttling half of the model; docs/throttling.md).
 *
 * A policy is a limit with a name. A tier is that name where it is used: an API, an operation, an
 * application or a subscription says its tier, and the policy of that level and name counts. The
 * tier Unlimited is always there and has no policy. A custom policy is used by no name: it counts
 * every request, by a key that its template makes of it.
 *
 * A deny rule refuses what it matches, whatever the limits are. */
#pragma once

#include "base/base.h"

/* X(name, word, list in policy files) */
#define GW_LEVELS(X)                                        \
    X(API, "advanced", "advancedPolicies")                  \
    X(SUBSCRIPTION, "subscription", "subscriptionPolicies") \
    X(APPLICATION, "application", "applicationPolicies")    \
    X(CUSTOM, "custom", "customPolicies")

enum gw_level {
#define X(name, word, list) GW_LEVEL_##name,
    GW_LEVELS(X)
#undef X
        GW_LEVEL_COUNT
};

/* "advanced": the tiers of APIs and operations. */
const char *gw_level_name(enum gw_level level);

/* So much in so much time. */
struct gw_quota {
    uint64_t count;    /* requests, or bytes; 0: no limit */
    uint64_t period_s; /* the time is this, or */
    unsigned months;   /* so many calendar months */
    bool bandwidth;    /* it counts bytes of requests */
};

enum {
    GW_PERIOD_MAX_S = 366 * 86400,
    GW_MONTHS_MAX = 12,
    GW_BURST_PERIOD_MAX_S = 86400,
    GW_POLICY_NAME_MAX = 255,
    GW_PATTERN_MAX = 512, /* bytes of a regular expression, and of a literal */
    GW_TEMPLATE_MAX = 512,
    GW_GROUPS_MAX = 64,     /* of a policy */
    GW_CONDITIONS_MAX = 16, /* of a group */
    GW_CUSTOM_MAX = 8,      /* policies; every request asks for each of them */
    GW_POLICIES_MAX = 10000,
    GW_DENY_MAX = 100000,
    GW_CLAIMS_MAX = 16, /* different claims that conditions look at */
    GW_HEADERS_MAX = 16 /* the same of headers */
};
#define GW_COUNT_MAX ((UINT64_C(1) << 53) - 1) /* what any JSON reader keeps exact */

/* "5000 requests a minute", "10 requests in 5 seconds", "1048576 bytes a day", "unlimited". */
void gw_quota_text(const struct gw_quota *q, struct buf *out);

/* What a condition looks at. */
#define GW_CONDITIONS(X)                                                          \
    X(ADDRESS, "ip")    /* of the client; `value` is an address or a range */     \
    X(HEADER, "header") /* of the request; some line of it */                     \
    X(QUERY, "query")   /* parameter of the request's query, the last so named */ \
    X(CLAIM, "claim")   /* of the token, by its local name; some element of a list */

enum gw_condition_kind {
#define X(name, word) GW_CONDITION_##name,
    GW_CONDITIONS(X)
#undef X
        GW_CONDITION_COUNT
};

/* How it looks at it. */
#define GW_MATCHES(X)       \
    X(PRESENT, "present")   \
    X(EQUAL, "equal")       \
    X(CONTAINS, "contains") \
    X(PATTERN, "pattern") /* PCRE2, found anywhere in the text (pattern.h) */

enum gw_match {
#define X(name, word) GW_MATCH_##name,
    GW_MATCHES(X)
#undef X
        GW_MATCH_COUNT
};

struct gw_condition {
    enum gw_condition_kind kind;
    enum gw_match match; /* of an address: GW_MATCH_EQUAL */
    bool invert;
    struct slice name;  /* header (lower case), parameter, claim; of an address "" */
    struct slice value; /* text, pattern, address or range (address.h); "" with PRESENT */
    struct place origin;
};

/* "not header x-client = mobile" */
void gw_condition_text(const struct gw_condition *c, struct buf *out);

/* Requests that meet all conditions have a limit of their own, counted by itself. */
struct gw_group {
    const struct gw_condition *conditions; /* at least one */
    size_t n_conditions;
    struct gw_quota quota, burst;
    struct place origin;
};

/* X(name, word): what a limit that gateways share does while they cannot reach one another. */
#define GW_AWAYS(X)   \
    X(UNSET, "")      \
    X(LOCAL, "local") \
    X(DENY, "deny")   \
    X(ALLOW, "allow")

enum gw_away {
#define X(name, word) GW_AWAY_##name,
    GW_AWAYS(X)
#undef X
        GW_AWAY_COUNT
};

/* "" for UNSET: as enforcer.throttling.shared.away says. */
const char *gw_away_name(enum gw_away away);

struct gw_policy {
    enum gw_level level;
    struct slice name;
    struct gw_quota quota; /* with groups: of requests that are in none of them */
    struct gw_quota burst; /* spike arrest: a second limit, of requests in a short time */
    bool sliding;          /* its windows slide, else they are fixed */
    bool stop;             /* refuse what is above the limit; else it is logged */
    bool shadow;           /* for trial: counts and logs, never refuses */
    enum gw_away away;
    const struct gw_group *groups; /* the first that a request is in counts; level API only */
    size_t n_groups;
    struct slice key_template; /* level CUSTOM; else "" */
    const struct gw_condition
        *conditions; /* level CUSTOM: only requests that meet all; may be none */
    size_t n_conditions;
    struct place origin;
};

/* Walks all conditions of policies, those of their groups too. NULL at the end. */
struct gw_condition_walk {
    const struct gw_policy *policies;
    size_t n;
    size_t policy, group, condition; /* 0 */
};
const struct gw_condition *gw_condition_next(struct gw_condition_walk *w);

/* What becomes of a request above the limit: "refused", "logged", "logged (shadow)". */
const char *gw_policy_above(const struct gw_policy *p);

/* "100 requests an hour, burst 5 requests a second, and 2 condition groups" */
void gw_policy_text(const struct gw_policy *p, struct buf *out);

/* Does some policy, or group of one, count bytes? */
bool gw_counts_bytes(const struct gw_policy *policies, size_t n);

/* X(name, word in policy files) */
#define GW_DENIALS(X)                                                                     \
    X(API, "api")                   /* base path */                                       \
    X(APPLICATION, "application")   /* SUBSCRIBER:NAME */                                 \
    X(USER, "user")                 /* NAME@TENANT, or a NAME of any tenant */            \
    X(SUBSCRIPTION, "subscription") /* BASEPATH:VERSION:SUBSCRIBER-APPLICATION:KEYTYPE */ \
    X(ADDRESS, "ip")                /* of the client: an address or a range (address.h) */

enum gw_denial {
#define X(name, word) GW_DENY_##name,
    GW_DENIALS(X)
#undef X
        GW_DENY_COUNT
};

struct gw_deny_rule {
    enum gw_denial kind;
    struct slice value;
    bool invert;             /* all others are refused */
    int64_t from_s, until_s; /* seconds since 1970, from <= now < until; 0: no such end */
    struct place origin;
};

const char *gw_denial_name(enum gw_denial kind);
/* The kind of this name; false: there is none. */
bool gw_denial_find(struct slice name, enum gw_denial *out);
/* Why this value, which is not empty, can never be equal to what rules of its kind are compared
 * with; NULL: it can. Addresses are looked at elsewhere (address.h). */
const char *gw_denial_fault(enum gw_denial kind, struct slice value);

/* Variables of key templates. $customProperty.NAME stands beside them. */
#define GW_VARIABLES(X)                                                                        \
    X(RESOURCE_KEY, "$resourceKey") /* BASEPATH/VERSION/TEMPLATE:METHOD or BASEPATH:VERSION */ \
    X(USER_ID, "$userId")           /* NAME@TENANT */                                          \
    X(API_CONTEXT, "$apiContext")   /* base path */                                            \
    X(API_VERSION, "$apiVersion")                                                              \
    X(APP_TENANT, "$appTenant")                                                                \
    X(API_TENANT, "$apiTenant")                                                                \
    X(APP_ID, "$appId")                                                                        \
    X(CLIENT_IP, "$clientIp") /* as a decimal number */

enum gw_variable {
#define X(name, text) GW_VARIABLE_##name,
    GW_VARIABLES(X)
#undef X
        GW_VARIABLE_COUNT,
    GW_VARIABLE_PROPERTY = GW_VARIABLE_COUNT, /* $customProperty.NAME */
    GW_VARIABLE_NONE                          /* text that is no variable */
};

/* Takes the next part off *rest: text, or a variable; of a property, *text is its name. False at
 * the end. A '$' that begins no variable is text for whoever reads, and a fault for who checks. */
bool gw_key_template_next(struct slice *rest, enum gw_variable *variable, struct slice *text);

/* What is wrong with it, or NULL. */
const char *gw_key_template_fault(struct slice key_template);

/* How the gateway throttles. */
struct gw_throttling {
    bool enabled;
    bool allow_unknown;    /* a tier that no policy defines is no limit, else it refuses */
    bool standard_headers; /* RateLimit, RateLimit-Policy */
    bool legacy_headers;   /* X-RateLimit-... */
    struct slice unauthenticated_tier; /* of subscriptions, for requests without credentials */
    unsigned
        ipv6_prefix_length; /* of addresses in keys; 0, as older snapshots have it: all of it */
};

struct gw_model;

/* The policy of this level and name, or NULL. "Unlimited" and "" have none. */
const struct gw_policy *gw_policy_find(const struct gw_model *m, enum gw_level level,
                                       struct slice name);
