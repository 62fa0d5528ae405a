/* throttle_deny: is the request refused by a deny rule? (private to enforce) */
#pragma once

#include "enforce/throttle_key.h"

struct throttle_memo_entry;

/* False after a refusal (403, 900805). `known` is what is remembered of the caller, or NULL: it may
 * learn that no rule is about him. Texts that rules are compared with are appended to `keys`. */
bool throttle_deny_check(struct attempt *a, const struct throttle_caller *c,
                         struct throttle_memo_entry *known, struct buf *keys);
