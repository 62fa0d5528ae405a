/* throttle_tell: what clients and logs are told about limits (private to enforce). */
#pragma once

#include "enforce/attempt.h"

/* Headers about the tightest limit, as the settings say: a->out->limits but `over`. `refused`: it
 * refuses, and the answer says when to come back. */
void throttle_tell(struct attempt *a, const struct gw_policy *p, const struct counter_rule *rule,
                   const struct counter_state *state, bool refused, struct buf *texts);
