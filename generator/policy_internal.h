/* policy_internal: what the files of the policy module share. Not for other modules.
 *
 *   policy.c            files -> lists -> the model; tiers that nothing defines
 *   policy_item.c       an element of a list: names, limits, key templates
 *   policy_condition.c  conditions and their groups
 *   policy_deny.c       deny rules
 *   policy_overlap.c    groups that no request, or some request too many, reaches */
#pragma once

#include "gateway/address.h"
#include "gateway/pattern.h"
#include "generator/policy.h"

struct policy_reading {
    struct project_build *build;
    const struct doc *doc;
    struct project_list policies; /* struct gw_policy */
    struct project_list rules;    /* struct gw_deny_rule */
};

/* An error at a node. */
#define policy_error(r, code, node, ...) \
    diag_error((r)->build->diag, code, doc_place((r)->doc, node), __VA_ARGS__)

/* Is it a mapping? Its members that are not in `names` become errors. */
bool policy_is_map(struct policy_reading *r, const struct doc_node *node, const char *what,
                   const char *const *names, size_t n);

/* Member `key`, a text that is neither empty nor has control characters. False: there is none, or
 * after an error; *there tells which. */
bool policy_text(struct policy_reading *r, const struct doc_node *map, const char *key, size_t max,
                 struct slice *out, bool *there);

/* Members of which a map has exactly one, which says what it is about. */
struct policy_kinds {
    const char *const *names;
    unsigned n;
    const char *what;    /* "a deny rule" */
    const char *missing; /* "does not say what it denies" */
    const char *choices; /* help: "one of ..." */
    const char *several; /* help for who wants two; or NULL */
};

/* The one that is there; k->n after an error. */
unsigned policy_find_kind(struct policy_reading *r, const struct doc_node *map,
                          const struct policy_kinds *k);

/* requestCount or bandwidth, unitTime, timeUnit and burst of a map -> quota, burst. `optional`: no
 * limit is as good. */
void policy_read_quota(struct policy_reading *r, const struct doc_node *map, const char *what,
                       struct gw_quota *quota, struct gw_quota *burst);

/* Warns of a burst that the quota of the same map leaves nothing to do. */
void policy_check_burst(struct policy_reading *r, const struct doc_node *map,
                        const struct gw_quota *quota, const struct gw_quota *burst, bool sliding);

/* An element of one of the lists of policies. */
void policy_read_item(struct policy_reading *r, enum gw_level level, const struct doc_node *node);

/* A list of conditions. */
void policy_read_conditions(struct policy_reading *r, const struct doc_node *list,
                            const struct gw_condition **out, size_t *n);

/* conditionGroups of a policy. */
void policy_read_groups(struct policy_reading *r, const struct doc_node *list,
                        struct gw_policy *out);

/* Members that say a limit, which maps of several kinds have. */
#define POLICY_QUOTA_MEMBERS \
    "requestCount", "bandwidth", "unitTime", "timeUnit", "burst", "unlimited"

void policy_read_deny(struct policy_reading *r, const struct doc_node *node);

/* Errors and warnings about groups of one policy that are in each other's way. */
void policy_check_overlap(struct project_build *build, const struct gw_policy *p);
