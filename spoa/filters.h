/* filters: loads the extensions of cc.yaml (lib/enforce/cc_filter.h), and makes each worker's
 * states.
 *
 * What cannot be loaded is a finding (CC3061), and the agent does not start. The main thread's,
 * before there are workers and after them. */
#pragma once

#include "config/config.h"
#include "enforce/filter.h"

struct filters;

/* CC_EREFUSED after findings; CC_ENOMEM. */
int filters_new(struct filters **out, const struct config *config, size_t n_workers,
                struct diag *diag);
void filters_free(struct filters **f);

/* Those of one worker; they live as long as `f`. */
const struct enforce_filters *filters_of(const struct filters *f, size_t worker);
