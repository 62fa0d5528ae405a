/* await_reply: for the steps of a decision that need what only others know (private to enforce). */
#pragma once

#include "enforce/attempt.h"

/* The reply to `await`; NULL: the decision has been made, it is pending or, where it may not wait,
 * a refusal with 503. A reply that failed is the caller's to judge. */
const struct enforce_reply *await_reply(struct attempt *a, const struct enforce_await *await);
