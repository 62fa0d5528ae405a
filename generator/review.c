#include "generator/review.h"

#include <stdarg.h>

static const struct {
    enum diag_code code;
    enum diag_severity severity;
} rules[] = {
#define RULE(code, severity, title, explanation) {code, DIAG_##severity},
#include "base/diag_audit.def"
#include "base/diag_lint.def"
#undef RULE
};

bool review_severity(enum diag_code code, enum diag_severity *out)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].code == code) {
            *out = rules[i].severity;
            return true;
        }
    }
    return false;
}

struct diag_item *review_add(struct review *r, enum diag_code rule, struct place place,
                             const char *fmt, ...)
{
    enum diag_severity severity = DIAG_ERROR;
    bool known = review_severity(rule, &severity);
    char message[1024];
    va_list args;

    CC_ASSERT(known);
    if (r->ignored[rule])
        return NULL;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    return diag_add(r->diag, severity, rule, place, "%s", message);
}

void *review_alloc(struct review *r, size_t count, size_t size)
{
    void *p = arena_array(r->arena, count, size);

    if (p == NULL)
        r->rc = CC_ENOMEM;
    return p;
}
