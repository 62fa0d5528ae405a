/* answer: the last step for a request to a mock API, instead of the way to a backend (private to
 * enforce). */
#pragma once

#include "enforce/attempt.h"

/* Sets the example that a->out->operation has for the request; a refusal when there is none. */
bool answer_by_example(struct attempt *a);
