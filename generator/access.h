/* access: who may call an operation, as text for people. */
#pragma once

#include "gateway/gateway.h"

/* The alternatives of an operation that is neither open nor closed, sorted, each once: a scope, "an
 * API key in the header x", "a client certificate", or several at once in brackets, "(admin and a
 * client certificate)". None: any token will do. In the arena. CC_OK or CC_ENOMEM. */
int access_alternatives(const struct gw_operation *operation, struct arena *arena,
                        struct slice **out, size_t *n);

/* "open", "closed", "any token", or the alternatives joined by " or ". In the arena; p is NULL when
 * memory is short. */
struct slice access_text(const struct gw_operation *operation, struct arena *arena);

/* Are the requirements the same, one by one and with their places? */
bool access_same_requirements(const struct gw_operation *a, const struct gw_operation *b);
