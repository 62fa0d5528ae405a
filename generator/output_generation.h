/* output_generation: one generation of an output directory, as it stands on the disk. What build,
 * plan and rollback ask about it. Internal to the output module. */
#pragma once

#include "generator/output.h"
#include "generator/output_dir.h"
#include "generator/output_manifest.h"

/* The manifest of generation n; one that cannot be read is as good as none: all zero. */
int generation_manifest(const struct output_dir *dir, uint64_t n, struct manifest *out);

/* For output_dir_prune(). */
uint64_t generation_uses(const struct output_dir *dir, uint64_t n);

/* Renders HAProxy's half as that of generation n, whose number and directory stand in its text.
 * Sets model->haproxy_generation. CC_EINVAL after findings, CC_ENOMEM. */
int generation_render(const struct output_dir *dir, uint64_t n, struct gw_model *model,
                      const struct config *config, const char *templates, struct diag *diag,
                      struct render_output *out);

/* Does generation m->haproxy_generation hold exactly these files on the disk, and no others? */
bool generation_same_haproxy(const struct output_dir *dir, const struct manifest *m,
                             const struct render_output *files);

/* Does generation m->generation hold, on the disk, the snapshot of the model with this hash? */
bool generation_same_model(const struct output_dir *dir, const struct manifest *m,
                           const char *model_hash);

/* Reads HAProxy's half as m lists it. What cannot be read, or has another sum than the manifest
 * says, is named by *fault (in the arena), which is NULL when all is well; the other files are in
 * *out in any case. CC_OK or CC_ENOMEM. */
int generation_read_haproxy(const struct output_dir *dir, const struct manifest *m,
                            struct render_output *out, const char **fault);

/* Reads the snapshot of m->generation. *fault as above; the text is absent then. */
int generation_read_snapshot(const struct output_dir *dir, const struct manifest *m,
                             struct slice *out, const char **fault);
