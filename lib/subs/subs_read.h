/* subs_read: the store from files, for a gateway without a control plane (docs/subscriptions.md).
 *
 * A file is a mapping of lists by what they hold: applications, applicationKeyMappings,
 * subscriptions, applicationPolicies, subscriptionPolicies, apis; their members have the names that
 * the control plane's REST API gives them. Files are read one after the other and forgotten, so
 * that memory is needed for the store and the largest file. */
#pragma once

#include "subs/subs.h"

/* Reads `path`: a file, or a directory whose *.yaml, *.yml and *.json count, in the order of their
 * names. All that is wrong in all of them is found in one run. Sources of findings are in `arena`.
 * CC_OK; CC_EINVAL after errors; CC_ENOMEM. Blocks on the files. */
int subs_read(struct subs **out, const char *path, struct arena *arena, struct diag *diag);

/* The same from one text in memory, which must live as long as the arena. */
int subs_read_text(struct subs **out, struct slice text, const char *name, struct arena *arena,
                   struct diag *diag);
