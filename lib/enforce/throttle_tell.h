/* throttle_tell: what clients and logs are told about limits (private to enforce). */
#pragma once

#include "enforce/attempt.h"

/* Memory for the texts of one limit. */
enum { THROTTLE_TOLD_BYTES = 512 };

/* The texts of a limit whose rule is set. */
int throttle_tell_prepare(struct throttle_limit *limit, struct arena *arena);

/* Headers about the tightest limit, as the settings say: a->out->limits but `over`. `refused`: it
 * refuses, and the answer says when to come back. */
void throttle_tell(struct attempt *a, const struct throttle_limit *limit,
                   const struct counter_state *state, bool refused, struct buf *texts);
