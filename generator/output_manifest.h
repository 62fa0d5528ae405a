/* output_manifest: manifest.json of a generation, which says what it holds and what it came from.
 *
 * It is written last, after HAProxy agreed: a generation without a manifest is not complete. */
#pragma once

#include "generator/project.h"
#include "generator/render.h"

enum { MANIFEST_SCHEMA = 1, MANIFEST_MAX_BYTES = 16 << 20 };

/* A file of the generation or a file it was made from. */
struct manifest_file {
    struct slice name;
    char sha256[65];
};

/* A setting that reaches HAProxy's files, with the value they were made with. */
struct manifest_setting {
    struct slice name, value;
};

struct manifest {
    uint64_t generation;
    uint64_t haproxy_generation; /* whose haproxy/ directory this generation uses */
    char model_hash[65];
    bool checked;                /* by haproxy -c */
    struct manifest_file *files; /* what was generated */
    size_t n_files;
    struct manifest_file *inputs; /* what was read */
    size_t n_inputs;
    struct manifest_setting *settings; /* in the order of the settings' table */
    size_t n_settings;
    bool has_settings; /* manifests of cc-gen 0.1.0 have none */
};

/* Lists what the model was read from, and cc.yaml. `inputs` and `config_path` may be NULL. Sorted by
 * name, in the arena. */
int manifest_inputs(struct manifest *m, const struct project_inputs *inputs,
                    const char *config_path, struct arena *arena);

/* Lists the settings whose change needs HAProxy to be reloaded, with their effective values.
 * `config` may be NULL: none. In the arena. */
int manifest_settings(struct manifest *m, const struct config *config, struct arena *arena);

int manifest_write(const struct manifest *m, struct buf *out);

/* Reads a manifest; everything in the arena. CC_EPARSE when it is not one. Inputs are not read. */
int manifest_read(struct manifest *m, struct slice text, struct arena *arena);
/* The same of a file, most of which need not be read; and the errors of file_read(). */
int manifest_read_file(struct manifest *m, const char *path, struct arena *arena);

/* The value of setting `name`; p is NULL when it is not listed. */
struct slice manifest_value(const struct manifest *m, struct slice name);

/* The sum of file `name`, or NULL. */
const char *manifest_sum(const struct manifest *m, const char *name);
