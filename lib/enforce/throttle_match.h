/* throttle_match: does a request meet conditions? (private to enforce) */
#pragma once

#include "enforce/attempt.h"

/* A condition that cannot be decided - a regular expression that used up its steps, a header of
 * more lines than HAProxy sends - is neither met nor not met: who sends such a request shall not
 * choose the limit that counts for him by it. */
enum throttle_met { THROTTLE_MET, THROTTLE_NOT_MET, THROTTLE_UNDECIDED };

enum throttle_met throttle_match(struct attempt *a, const struct throttle_conditions *conditions);

/* The last parameter of the query with this name, decoded (%XX and '+') into `room`. False: there
 * is none; *fits is false for one that is longer than the room. */
bool throttle_query(struct slice query, struct slice name, char *room, size_t size,
                    struct slice *value, bool *fits);
