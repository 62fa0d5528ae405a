/* diff_value: members of the model compared and shown by the snapshot's schema. Internal to diff.
 */
#pragma once

#include "gateway/snapshot_schema.h"

/* From "the same" to "not the same"; more is worse. */
enum diff_equal { DIFF_SAME, DIFF_MOVED /* but for places */, DIFF_DIFFERENT };

/* One member of two objects. Clusters are compared by name. */
enum diff_equal diff_field_equal(const struct snapshot_field *f, const void *a, const void *b);

/* All members of two objects. */
enum diff_equal diff_object_equal(const struct snapshot_schema *schema, const void *a,
                                  const void *b);

/* The member as text for people, in the arena: "true", "60", "read:pets, write:pets", "none", the
 * URLs of a cluster. CC_ENOMEM. */
int diff_field_text(const struct snapshot_field *f, const void *object, struct arena *arena,
                    struct slice *out);

/* The URLs of a cluster's endpoints, "none" for NULL. p is NULL when memory is short. */
struct slice diff_cluster_text(const struct gw_cluster *cluster, struct arena *arena);
