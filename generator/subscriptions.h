/* subscriptions: the files of enforcer.subscriptions.path, as check, explain and show look at them.
 */
#pragma once

#include "config/config.h"
#include "gateway/gateway.h"
#include "subs/subs.h"

/* The store of `path`, or where that is NULL of the setting; NULL when there is none. CC_EINVAL
 * after findings; CC_ENOMEM. Blocks on the files. */
int subscriptions_read(struct subs **out, const char *path, const struct config *config,
                       struct arena *arena, struct diag *diag);

/* What reads well and yet has no effect: warnings; and tiers that no policy defines: errors, when
 * the agent refuses their requests. They outlive the store. `store` may be NULL.
 * CC_ENOMEM. Blocks on the files, whose lines findings show. */
int subscriptions_check(const struct subs *store, const struct config *config,
                        const struct gw_model *model, struct arena *arena, struct diag *diag);
