#include "spoa/vars.h"

struct slice vars_verdict_name(enum vars_verdict verdict)
{
    switch (verdict) {
    case VARS_ALLOW:
        return SLICE("allow");
    case VARS_ANSWER:
        return SLICE("answer");
    case VARS_DENY:
        return SLICE("deny");
    case VARS_READY:
        return SLICE("ready");
    default:
        return SLICE("error");
    }
}

static void put_TEXT(struct spop_writer *w, enum spop_scope scope, struct slice name,
                     struct slice value)
{
    if (value.n == 0)
        return;
    spop_put_text_var(w, scope, name, value);
}

static void put_INT(struct spop_writer *w, enum spop_scope scope, struct slice name, int64_t value)
{
    if (value == 0)
        return;
    spop_put_set_var(w, scope, name);
    spop_put_int(w, value);
}

void vars_put(struct spop_writer *w, struct vars *v, enum vars_verdict verdict)
{
    v->verdict = vars_verdict_name(verdict);
#define X(name, scope, type, when, help) \
    if (VARS_##when & verdict)           \
        put_##type(w, SPOP_##scope, SLICE(#name), v->name);
#include "gateway/vars.def"
#undef X
}
