/* haproxy_check: HAProxy's own opinion about generated configuration. */
#pragma once

#include "generator/render.h"

/* Lets `program` (NULL = "haproxy" from PATH) check directory/haproxy/standalone.cfg, when it was
 * rendered, and cc.cfg with `-c -dW`: warnings refuse too. What it says becomes CC5001 findings
 * that point into `files`. CC_OK, CC_EREFUSED, CC_ECHILD with CC5002 when there is no such program.
 * Blocks while HAProxy works, at most a minute. */
int haproxy_check(const char *program, const char *directory, const struct render_output *files,
                  struct arena *arena, struct diag *diag);

/* The first line of `haproxy -v`, in the arena; NULL when it cannot be run. */
const char *haproxy_version(const char *program, struct arena *arena);
