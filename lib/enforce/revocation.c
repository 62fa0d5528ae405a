#include "enforce/revocation.h"

void revocation_note(struct attempt *a, struct slice jti, struct slice otherwise, struct grant *g)
{
    if (a->w->revocations == NULL)
        return;
    g->id = revoked_key(a->w->revocations, jti.n > 0 ? jti : otherwise);
    TRACE(revocation, a->trace, jti);
}

bool revocation_is_ready(struct attempt *a)
{
    if (a->w->revocations == NULL || revoked_is_ready(a->w->revocations))
        return true;
    reason_add_str(a->reason, "what is revoked is not known yet");
    refuse(a->out, REFUSE_INTERNAL);
    return false;
}

bool revocation_check(struct attempt *a, const struct grant *g)
{
    if (!revocation_is_ready(a))
        return false;
    if (a->w->revocations == NULL || !revoked_has(a->w->revocations, g->id))
        return true;
    attempt_count(&a->w->revoked, 1);
    reason_add_str(a->reason, jwt_fault_text(JWT_REVOKED));
    reason_add_place(a->reason, a->out->operation->origin);
    refuse_token(a->out, g->type, JWT_REVOKED);
    return false;
}
