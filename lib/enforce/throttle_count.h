/* throttle_count: asks for what the limits of a request allow: the table, or, where gateways share
 * them exactly, the place that all ask (private to enforce). */
#pragma once

#include "throttle/counter.h"

struct attempt;

/* False: the decision waits for the answer (ENFORCE_WAIT_LIMITS). */
bool throttle_count(struct attempt *a, const struct counter_limit *limits, size_t n, uint64_t bytes,
                    struct counter_result *result);
