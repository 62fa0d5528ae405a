/* output: the directory that cc-gen writes and that HAProxy and the agent read.
 *
 *     out/generations/7/haproxy/cc.cfg ...   one directory a generation, never changed later
 *     out/generations/7/gateway.json, manifest.json
 *     out/current -> generations/7           the switch: one rename(2)
 *     out/haproxy -> current/haproxy, out/gateway.json -> current/..., out/manifest.json -> ...
 *
 * A build that would change nothing keeps the current generation. A generation is written whole and
 * synced, validated by `haproxy -c -dW`, and only then made current; a crash at any moment leaves the
 * old one. The last OUTPUT_KEEP generations stay for a rollback. One cc-gen at a time: the directory is locked.
 * All calls block on the disk. */
#pragma once

#include "config/config.h"
#include "gateway/gateway.h"

enum { OUTPUT_KEEP = 5 };

struct output_options {
    const char *directory; /* -o */
    const char *templates; /* --templates, or NULL */
    const char *haproxy;   /* --haproxy, the program; NULL = "haproxy" from PATH */
    bool no_validate;      /* only for machines without HAProxy: --no-haproxy-check */
    const char *const *projects;
    size_t n_projects;
    const char *config_path; /* cc.yaml, or NULL; for the manifest */
};

struct output_result {
    uint64_t generation;
    bool changed;
    bool haproxy_changed; /* HAProxy must be reloaded */
};

/* Renders, writes, validates and switches. Sets model->generation and haproxy_generation. */
int output_build(struct gw_model *model, const struct config *config,
                 const struct output_options *options, struct arena *arena, struct diag *diag,
                 struct output_result *result);
