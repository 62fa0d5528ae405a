/* testkey_serve: the step that answers /testkey (private to enforce). */
#pragma once

#include "enforce/attempt.h"
#include "enforce/testkey.h"

/* The worker has a struct enforce_testkey, and the request is to its path on the system host. */
void testkey_serve(struct attempt *a);
