/* output: the directory that cc-gen writes and that HAProxy and the agent read.
 *
 *     out/generations/7/haproxy/cc.cfg ...   one directory a generation, never changed later
 *     out/generations/7/gateway.json, manifest.json
 *     out/current -> generations/7           the switch: one rename(2)
 *     out/haproxy -> current/haproxy, out/gateway.json -> current/..., out/manifest.json -> ...
 *     out/.cc-gen.lock                       one cc-gen at a time; also says that out/ is ours
 *     out/.cc-gen.checked                    what HAProxy agreed to last (haproxy_checked.h)
 *
 * A build that would change nothing keeps the current generation. When only the agent's half
 * changes, the new generation's haproxy/ is a link to the older generation that holds the same
 * files, and haproxy_generation stays that one's: HAProxy needs no reload.
 *
 * A generation is written whole and synced, checked by `haproxy -c -dW`, completed by its manifest,
 * and only then made current; a crash at any moment leaves the old one. What a crash left behind is
 * removed by the next build. The last OUTPUT_KEEP generations stay for a rollback, and those whose
 * haproxy/ they use.
 *
 * Files are 0644 and directories 0755 whatever the umask is: HAProxy and the agent read them as
 * other users, and there is no secret in them (private keys are only linked to). With credentials
 * of endpoints there is one in gateway.json: it and the manifest are then 0640, of the group of the
 * output directory, in which the agent's user must be. Whoever wants less gives a directory that is
 * closed itself.
 *
 * All calls block on the disk and on HAProxy's check. */
#pragma once

#include "config/config.h"
#include "gateway/gateway.h"
#include "generator/project.h"

enum { OUTPUT_KEEP = 5 };

struct output_options {
    const char *directory;   /* -o */
    const char *templates;   /* --templates, or NULL */
    const char *haproxy;     /* --haproxy, the program; NULL = "haproxy" from PATH */
    int64_t now_ns; /* wall clock: HAProxy is not asked what haproxy_checked.h knows; 0: it is */
    bool no_validate;        /* only for machines without HAProxy: --no-haproxy-check */
    const char *config_path; /* cc.yaml, or NULL; for the manifest */
    const struct project_inputs *inputs; /* what the model was read from, or NULL; for the manifest */
};

struct output_result {
    const char *directory; /* absolute, in the arena */
    uint64_t generation;
    bool changed;
    bool haproxy_changed; /* HAProxy must be reloaded */
};

/* Renders, writes, validates and switches. Sets model->generation and haproxy_generation.
 *
 * CC_OK; otherwise the reason is in `diag` and nothing was switched: CC_EREFUSED HAProxy refused
 * (CC5001), CC_ECHILD no HAProxy (CC5002), CC_EACCESS the directory cannot be used (CC5003), CC_EIO
 * it cannot be written (CC5003), CC_EINVAL the model cannot be rendered (CC5004 ...), CC_ENOMEM. */
int output_build(struct gw_model *model, const struct config *config,
                 const struct output_options *options, struct arena *arena, struct diag *diag,
                 struct output_result *result);
