/* diff_internal: what the files of the diff module share. Not for other modules.
 *
 *   diff.c         the lists of a model, and what all of them need
 *   diff_api.c     an API: resources, operations, who is let in
 *   diff_policy.c  limits and deny rules, in the words of `cc-gen show`
 *   diff_pair.c    which element of one list is which of another
 *   diff_value.c   members compared and shown by the snapshot's schema */
#pragma once

#include "generator/diff.h"
#include "generator/diff_pair.h"
#include "generator/diff_value.h"

/* One comparison under way: where it is, and what sticks. */
struct differ {
    struct diff *out;
    bool moved; /* some place differs */
    int rc;
    const struct gw_api *api; /* NULL: outside of an API */
    struct slice resource;
    const char *method;
};

/* `text`, whose lack (p == NULL) is noted as one of memory. */
struct slice differ_text(struct differ *d, struct slice text);

/* A change at the place where the differ is; NULL, and noted, when memory is short. */
struct diff_change *differ_add(struct differ *d, enum diff_sort sort, enum diff_kind kind,
                               struct slice subject, struct place origin);

void differ_changed(struct differ *d, enum diff_kind kind, struct slice subject, struct slice field,
                    struct slice before, struct slice after, struct place origin);

/* The members of two objects that have no rule of their own, that is, all but those named in
 * `special`. Those that name a cluster become changes of endpoints. */
void differ_members(struct differ *d, const struct snapshot_schema *schema, const void *before,
                    const void *after, const char *const *special, enum diff_kind kind,
                    struct slice subject, struct place origin);

/* Those with words of their own, which differ_throttling() tells of. */
#define DIFF_THROTTLING_SETTINGS                                                            \
    "throttling_allow_unknown", "throttling_standard_headers", "throttling_legacy_headers", \
        "throttling_unauthenticated_tier"

void differ_policies(struct differ *d, const struct gw_model *before, const struct gw_model *after);
void differ_deny_rules(struct differ *d, const struct gw_model *before,
                       const struct gw_model *after);
void differ_throttling(struct differ *d, const struct gw_throttling *before,
                       const struct gw_throttling *after);

void differ_apis(struct differ *d, const struct gw_model *before, const struct gw_model *after);

/* Where a cluster was declared: its first endpoint. */
struct place differ_cluster_origin(const struct gw_cluster *c);
