/* project_unit: what one project comes to, as bytes: its APIs with the clusters and CORS policies
 * they need, the files it was read from, and its findings.
 *
 * A project is compiled by itself, into a unit; the model of all projects is linked from units.
 * That is so whether a unit was just made or comes from the cache (project_cache.h), so that a build
 * from the cache cannot come to anything else. A unit depends on nothing but the files of its
 * project, the name it was called by, and the settings: whatever else a project is read from must
 * become part of the cache's key. Internal to the project module. */
#pragma once

#include "generator/project_internal.h"

enum { PROJECT_UNIT_MAX = 256 << 20 };

/* Adds the unit of a project to `out`: `own` holds what it was read into, `source` is NULL when the
 * project could not be opened. The buffer's error, CC_ENOMEM. */
int project_unit_write(const struct project_build *own, const struct project_source *source,
                       struct buf *out);

/* Adds a unit to `build`: to its APIs, clusters, inputs and findings. Its bytes must live as long as
 * build->arena. `strict`: it is not from here, but said to be of a project without errors. CC_EPARSE: it is no unit, and nothing in it can be used, though parts may
 * have been added. CC_ENOMEM. */
int project_unit_link(struct project_build *build, struct slice unit, bool strict);

/* Has the unit findings that are errors? True also when it is no unit. */
bool project_unit_refused(struct slice unit);
