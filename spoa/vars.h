/* vars: the variables of an ACK, from the one table gateway/vars.def.
 *
 * Fill a struct vars, then vars_put() writes those that belong to the verdict and have a value. */
#pragma once

#include "spoa/spop.h"

enum vars_verdict {
    VARS_ALLOW = 1 << 0,
    VARS_DENY = 1 << 1,
    VARS_READY = 1 << 2,
    VARS_ERROR = 1 << 3, /* the agent could not decide: refused with 503 */
    VARS_ANSWER = 1 << 4, /* a mock API: HAProxy sends what the variables say */

    /* the groups of vars.def */
    VARS_SERVED = VARS_ALLOW | VARS_ANSWER,
    VARS_FACT = VARS_SERVED | VARS_DENY,
    VARS_REFUSAL = VARS_DENY | VARS_ERROR,
    VARS_REPLY = VARS_REFUSAL | VARS_ANSWER,
    VARS_ALWAYS = VARS_FACT | VARS_READY | VARS_ERROR
};

struct vars {
#define VARS_MEMBER_TEXT                 struct slice
#define VARS_MEMBER_INT                  int64_t
#define X(name, scope, type, when, help) VARS_MEMBER_##type name;
#include "gateway/vars.def"
#undef X
#undef VARS_MEMBER_TEXT
#undef VARS_MEMBER_INT
};

/* "allow", "answer", "deny", "ready", "error" */
struct slice vars_verdict_name(enum vars_verdict verdict);

/* Adds the actions to the frame that w has begun. Sets v->verdict itself. */
void vars_put(struct spop_writer *w, struct vars *v, enum vars_verdict verdict);
