/* authorize: requirements over credentials.
 *
 * An operation's requirements are alternatives, tried by rank; the first that is met admits. One
 * that is not met leaves its refusal behind, and the next is tried: a bad credential opens nothing,
 * and closes nothing that another credential of the request opens by itself. When none is met, the
 * client is told the first refusal of a credential that it brought, and only if it brought none
 * that one is missing. */
#include "enforce/authorize.h"

#include "enforce/api_key.h"
#include "enforce/certificate.h"
#include "enforce/credential.h"
#include "enforce/internal_key.h"
#include "enforce/subscription.h"
#include "enforce/token.h"

static const struct credential_kind kinds[GW_CREDENTIAL_COUNT] = {
    [GW_TOKEN] = {.rank = CREDENTIAL_RANK_TOKEN,
                  .has_scopes = true,
                  .find = token_find,
                  .open = token_open,
                  .admit = subscription_check},
    [GW_KEY_IN_HEADER] = {.rank = CREDENTIAL_RANK_API_KEY,
                          .find = api_key_find_in_header,
                          .open = api_key_open,
                          .admit = subscription_check},
    [GW_KEY_IN_QUERY] = {.rank = CREDENTIAL_RANK_API_KEY,
                         .find = api_key_find_in_query,
                         .open = api_key_open,
                         .admit = subscription_check},
    [GW_CERTIFICATE] = {.rank = CREDENTIAL_RANK_CERTIFICATE,
                        .yields = true,
                        .find = certificate_find,
                        .open = certificate_open,
                        .admit = certificate_admit},
    [GW_CONSOLE_KEY] = {.rank = CREDENTIAL_RANK_INTERNAL_KEY,
                        .find = internal_key_find,
                        .open = internal_key_open,
                        .admit = internal_key_admit},
};

/* --- refusals --------------------------------------------------------------------------------- */

/* That a credential is missing matters less than what is wrong with one. */
enum weight { WEIGHT_NONE, WEIGHT_ABSENT, WEIGHT_REFUSED };

struct choice {
    struct credential *latest;    /* credentials that were looked at, the last one first */
    enum weight weight;           /* of the refusal in a->out */
    enum weight kept_weight;      /* of the one that counts so far */
    struct enforce_decision kept; /* its decision, */
    struct reason *kept_reason;   /* its reason */
};

static bool fail_inside(struct attempt *a)
{
    reason_start(a->reason);
    reason_add_str(a->reason, "internal error: no memory for the credentials of the request");
    refuse(a->out, REFUSE_INTERNAL);
    return false;
}

/* Before something else is tried: the refusal in a->out is kept if it is the first of its weight,
 * and forgotten if not. False: no memory. */
static bool put_aside(struct attempt *a, struct choice *choice)
{
    struct subject subject;

    if (choice->weight == WEIGHT_NONE)
        return true;
    TRACE(refused, a->trace, a->reason);
    if (choice->weight > choice->kept_weight) {
        subject_take(a->out, &subject);
        if (!subject_keep(&subject, a->w->arena))
            return fail_inside(a);
        choice->kept = *a->out;
        subject_put(&choice->kept, &subject);
        choice->kept_weight = choice->weight;
        choice->kept_reason = a->reason;
        attempt_use_other_room(a);
    }
    choice->weight = WEIGHT_NONE;
    reason_start(a->reason);
    refuse(a->out, REFUSE_INTERNAL); /* what holds until a step says otherwise */
    return true;
}

/* Nothing is left to try. */
static bool refuse_by_first(struct attempt *a, const struct choice *choice)
{
    uint64_t fetch = a->out->fetch;

    if (choice->kept_weight == WEIGHT_NONE || choice->weight > choice->kept_weight)
        return false;
    if (choice->weight != WEIGHT_NONE)
        TRACE(refused, a->trace, a->reason);
    *a->out = choice->kept;
    a->out->fetch = fetch;
    a->reason = choice->kept_reason;
    return false;
}

/* --- credentials ------------------------------------------------------------------------------ */

static struct credential *find_seen(const struct choice *choice, const struct gw_need *need)
{
    struct credential *c = choice->latest;

    while (c != NULL && (c->need->kind != need->kind || !slice_eq(c->need->name, need->name)))
        c = c->before;
    return c;
}

static enum credential_state examine(struct attempt *a, struct credential *c)
{
    const struct credential_kind *kind = &kinds[c->need->kind];
    enum credential_state state;

    if (kind->find == NULL) {
        token_refuse(a, REFUSE_NO_CREDENTIAL, "closed: a scheme that is not supported protects it");
        return CREDENTIAL_ABSENT;
    }
    state = kind->find(a, c->need, &c->text);
    if (state != CREDENTIAL_GOOD)
        return state;
    return kind->open(a, c->need, c->text, &c->grant) && kind->admit(a, &c->grant)
               ? CREDENTIAL_GOOD
               : CREDENTIAL_REFUSED;
}

/* Before something else is tried: what the last credential said is kept, if it is good. */
static bool keep_latest(struct attempt *a, struct credential *c)
{
    if (c == NULL || c->state != CREDENTIAL_GOOD || c->kept)
        return true;
    c->kept = true;
    subject_take(a->out, &c->subject);
    return (subject_keep(&c->subject, a->w->arena) && grant_keep(&c->grant, a->w->arena)) ||
           fail_inside(a);
}

static bool start_anew(struct attempt *a, struct choice *choice)
{
    static const struct subject nobody = {.user = {NULL, 0}};

    if (choice->latest == NULL)
        return true;
    if (!keep_latest(a, choice->latest) || !put_aside(a, choice))
        return false;
    subject_put(a->out, &nobody);
    return true;
}

/* The credential that `need` asks for, looked at now unless it was before. NULL: no memory, or the
 * decision has to wait. */
static struct credential *look_at(struct attempt *a, struct choice *choice,
                                  const struct gw_need *need)
{
    struct credential *c = find_seen(choice, need);

    if (c != NULL)
        return c;
    if (!start_anew(a, choice))
        return NULL;
    c = arena_alloc(a->w->arena, sizeof(*c));
    if (c == NULL) {
        fail_inside(a);
        return NULL;
    }
    c->before = choice->latest;
    c->need = need;
    c->state = examine(a, c);
    if (a->out->verdict == ENFORCE_PENDING)
        return NULL; /* nothing else is tried before it is known whether this one is good */
    choice->latest = c;
    if (c->state != CREDENTIAL_GOOD)
        choice->weight = c->state == CREDENTIAL_ABSENT ? WEIGHT_ABSENT : WEIGHT_REFUSED;
    return c;
}

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

/* --- requirements ----------------------------------------------------------------------------- */

enum outcome { MET, NOT_MET, NO_SCOPE, BROKEN };

/* The credentials of a requirement whose credentials are all good. */
struct met {
    const struct credential *lead;   /* who calls: of those that do not yield, the least rank */
    const struct credential *scoped; /* whose scopes count; NULL: nobody's */
    bool certificate;                /* one is among them */
};

static enum credential_rank rank_of(const struct gw_need *need)
{
    return kinds[need->kind].rank;
}

static enum credential_rank rank_of_requirement(const struct gw_requirement *r)
{
    enum credential_rank rank = CREDENTIAL_RANKS;

    for (size_t i = 0; i < r->n_needs; i++)
        if (rank_of(&r->needs[i]) < rank)
            rank = rank_of(&r->needs[i]);
    return rank;
}

static bool leads(const struct gw_need *need, const struct credential *lead)
{
    if (lead == NULL)
        return true;
    if (kinds[need->kind].yields != kinds[lead->need->kind].yields)
        return kinds[lead->need->kind].yields;
    return rank_of(need) < rank_of(lead->need);
}

static enum outcome try_requirement(struct attempt *a, struct choice *choice,
                                    const struct gw_requirement *r, struct met *met)
{
    bool scopes_met = true;

    *met = (struct met){NULL, NULL, false};
    for (size_t i = 0; i < r->n_needs; i++) {
        const struct gw_need *need = &r->needs[i];
        const struct credential *c = look_at(a, choice, need);

        if (c == NULL)
            return BROKEN;
        if (c->state != CREDENTIAL_GOOD)
            return NOT_MET;
        if (leads(need, met->lead))
            met->lead = c;
        met->certificate = met->certificate || need->kind == GW_CERTIFICATE;
        if (kinds[need->kind].has_scopes) {
            met->scoped = c;
            scopes_met = scopes_met && has_scope(need, &c->grant);
        }
    }
    if (met->lead == NULL)
        return NOT_MET; /* it demands nothing: the reader of snapshots saw to it */
    return scopes_met ? MET : NO_SCOPE;
}

/* Whose call it is. */
static void stand_for(struct attempt *a, const struct met *met)
{
    if (met->lead->kept)
        subject_put(a->out, &met->lead->subject);
    if (met->scoped != NULL)
        TRACE(scopes, a->trace, a->out->operation, &met->scoped->grant);
}

static bool refuse_scopes(struct attempt *a, struct choice *choice, const struct met *met)
{
    const struct gw_operation *op = a->out->operation;

    if (!start_anew(a, choice))
        return false;
    stand_for(a, met);
    reason_add_str(a->reason, "the token has none of the scopes that are required");
    reason_add_place(a->reason, op->requirements[0].origin);
    refuse_scope(a->out, a->refusal, a->out->resource, op);
    choice->weight = WEIGHT_REFUSED;
    return true;
}

/* Tries the alternatives of one rank. MET or BROKEN end it. */
static enum outcome try_rank(struct attempt *a, struct choice *choice, enum credential_rank rank,
                             const struct gw_requirement *requirements, size_t n, struct place *by)
{
    struct met met, no_scope = {NULL, NULL, false};

    for (size_t i = 0; i < n; i++) {
        const struct gw_requirement *r = &requirements[i];
        enum outcome outcome;

        if (rank_of_requirement(r) != rank)
            continue;
        outcome = try_requirement(a, choice, r, &met);
        if (outcome == BROKEN)
            return BROKEN;
        if (outcome == NO_SCOPE && no_scope.lead == NULL)
            no_scope = met;
        if (outcome != MET)
            continue;
        if (!put_aside(a, choice)) /* of what this one did not need */
            return BROKEN;
        *by = r->origin;
        a->caller = met.lead;
        a->out->certificate =
            met.certificate; /* one that another alternative wanted let nobody in */
        stand_for(a, &met);
        return MET;
    }
    if (no_scope.lead != NULL && !refuse_scopes(a, choice, &no_scope))
        return BROKEN;
    return NOT_MET;
}

static bool meet_requirements(struct attempt *a, struct place *by)
{
    static const struct gw_need any_token = {.kind = GW_TOKEN, .name = SLICE_INIT("")};
    static const struct gw_need internal_key = {.kind = GW_CONSOLE_KEY, .name = SLICE_INIT("")};
    const struct gw_operation *op = a->out->operation;
    const struct gw_requirement any = {&any_token, 1, op->origin};
    const struct gw_requirement internal = {&internal_key, 1, op->origin};
    const struct gw_requirement *requirements = op->n_requirements > 0 ? op->requirements : &any;
    size_t n = op->n_requirements > 0 ? op->n_requirements : 1;
    struct choice choice;

    choice.latest = NULL;
    choice.weight = choice.kept_weight = WEIGHT_NONE;
    for (unsigned rank = 0; rank < CREDENTIAL_RANKS; rank++) {
        bool test = rank == CREDENTIAL_RANK_INTERNAL_KEY && internal_key_is_there(a);

        switch (try_rank(a, &choice, (enum credential_rank)rank, test ? &internal : requirements,
                         test ? 1 : n, by)) {
        case MET:
            return true;
        case BROKEN:
            return false;
        case NOT_MET:
        case NO_SCOPE:
            break;
        }
    }
    return refuse_by_first(a, &choice);
}

bool authorize(struct attempt *a, struct place *by)
{
    const struct gw_operation *op = a->out->operation;

    *by = op->origin;
    if (op->closed)
        return token_refuse(a, REFUSE_NO_CREDENTIAL, "closed: only unsupported schemes protect it");
    if (op->open)
        return subscription_check_status(a);
    return meet_requirements(a, by);
}
