/* output_plan: what a build into an output directory would find there. Nothing is written. */
#pragma once

#include "gateway/snapshot.h"
#include "generator/output.h"
#include "generator/output_manifest.h"

struct output_plan {
    const char *directory;              /* absolute, in the arena, when there is one */
    uint64_t built, next;               /* generations; built == 0: there is none */
    struct gw_snapshot *snapshot;       /* of what is built; NULL: nothing, or it cannot be read */
    const char *fault;                  /* why what is built cannot be compared, or NULL */
    struct manifest manifest;           /* of what is built */
    bool same_model, same_haproxy;      /* both: the build would change nothing */
    struct render_output before, after; /* HAProxy's half: as built, and as it would be */
};

/* Compares. CC_OK, or as output_build(), with the reason in `diag`. Free it in any case. */
int output_plan(struct output_plan *out, struct gw_model *model, const struct config *config,
                const struct output_options *options, struct arena *arena, struct diag *diag);
void output_plan_free(struct output_plan *plan);
