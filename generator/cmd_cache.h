/* cmd_cache: the cache of `build` and `plan`, in the output directory. */
#pragma once

#include "generator/cmd.h"
#include "generator/project_cache.h"

/* Opens it for these arguments, unless --no-cache is among them: *out is NULL then. CC_ENOMEM. */
int cmd_cache_open(struct cmd_work *w, const struct cli_args *args, const char *directory,
                   struct project_cache **out);

/* Saves it after a build, whose directory exists and is cc-gen's. `cache` may be NULL. A cache that
 * cannot be written costs time and nothing else: it is said, and that is all. */
void cmd_cache_save(struct project_cache *cache);
