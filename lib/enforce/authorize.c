#include "enforce/authorize.h"

#include "enforce/subscription.h"
#include "enforce/token.h"

/* Is there one scope that both the need and the token have? */
static bool has_scope(const struct gw_need *need, const struct grant *g)
{
    struct slice rest = g->scopes, scope;

    if (need->n_scopes == 0)
        return true;
    while (grant_next_scope(&rest, &scope))
        for (size_t i = 0; i < need->n_scopes; i++)
            if (slice_eq(need->scopes[i], scope))
                return true;
    return false;
}

static bool meets(const struct gw_requirement *requirement, const struct grant *g)
{
    for (size_t i = 0; i < requirement->n_needs; i++) {
        const struct gw_need *need = &requirement->needs[i];

        if (need->kind != GW_TOKEN || !has_scope(need, g))
            return false;
    }
    return true;
}

static bool check_scopes(struct attempt *a, const struct grant *g, struct place *met)
{
    const struct gw_operation *op = a->out->operation;

    *met = op->origin;
    TRACE(scopes, a->trace, op, g);
    if (op->n_requirements == 0)
        return true;
    for (size_t i = 0; i < op->n_requirements; i++) {
        *met = op->requirements[i].origin;
        if (meets(&op->requirements[i], g))
            return true;
    }
    reason_add_str(a->reason, "the token has none of the scopes that are required");
    reason_add_place(a->reason, op->requirements[0].origin);
    refuse_scope(a->out, &a->w->refusal, a->out->resource, op);
    return false;
}

bool authorize(struct attempt *a, struct place *by)
{
    const struct gw_operation *op = a->out->operation;
    struct slice token;
    struct grant grant;

    *by = op->origin;
    if (op->closed)
        return token_refuse(a, REFUSE_NO_CREDENTIAL, "closed: only unsupported schemes protect it");
    if (op->open)
        return subscription_check_status(a);
    return token_find(a, &token) && token_open(a, token, &grant) &&
           subscription_check(a, &grant) && check_scopes(a, &grant, by);
}
