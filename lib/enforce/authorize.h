/* authorize: is the caller entitled to the operation? (private to enforce) */
#pragma once

#include "enforce/attempt.h"

/* Who calls, from the credentials of the request, and may he call a->out->operation? Fills in user,
 * app and keytype as far as they are known. *by is the place in the configuration that says so. */
bool authorize(struct attempt *a, struct place *by);
