/* policy: files of throttling policies -> the model (docs/throttling.md).
 *
 * The directory of the setting `policies`, or the policies that are part of cc-gen where there is
 * none. All findings of all files are collected; policies of a build with errors are not used. */
#pragma once

#include "generator/project_internal.h"

/* Policies and deny rules, sorted, and settings, into the model. Blocks on the files, which become
 * inputs of the build. */
void policy_read(struct project_build *build, struct gw_model *model);

/* The tiers of APIs and operations that no policy defines (CC3208). One that differs from one policy's
 * name in letter case only becomes that name, with a warning. Once the APIs are there, and what
 * points into them from elsewhere is gone: their resources may be copied. */
void policy_check_tiers(struct project_build *build, const struct gw_model *model);

/* Reads one text as if it were a file of the directory. For tests. */
void policy_read_text(struct project_build *build, struct slice text, const char *name,
                      struct gw_model *model);

/* The tier that somebody who wrote `name` may have meant; NULL: none is near. */
const char *policy_nearest(const struct gw_model *model, enum gw_level level, struct slice name,
                           struct arena *arena);
