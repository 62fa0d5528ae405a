/* The commands of the admin socket about revoked tokens. */
#include "spoa/revoker_internal.h"

enum { PLACES_PER_STEP = 65536 };

static void add_time(struct buf *out, int64_t until_s)
{
    if (until_s == REVOKED_FOREVER)
        buf_add_str(out, "for ever");
    else
        buf_printf(out, "until %lld", (long long)until_s);
}

/* An id as an argument; what is wrong with it is the answer. Never its text: it may be a token. */
static bool check_id(struct admin_call *call, struct slice id)
{
    if (revoked_looks_like_token(id)) {
        buf_add_str(call->out,
                    "this is a token: give its jti, or the part behind its last dot when "
                    "it has none\n");
        return false;
    }
    if (!revoked_id_valid(id)) {
        buf_add_str(call->out, "the id is empty\n");
        return false;
    }
    return true;
}

/* Behind "revoke token ID". */
static bool read_until(struct admin_call *call, int64_t *until_s)
{
    *until_s = REVOKED_FOREVER;
    if (call->n_args == 1)
        return true;
    if (call->n_args == 3 && slice_is(call->arg[1], "until") &&
        clock_parse(call->arg[2], until_s) == CC_OK)
        return true;
    buf_add_str(call->out,
                "usage: revoke token ID [until TIME]; TIME is seconds since 1970, or a time "
                "like 2030-01-01T00:00:00Z\n");
    return false;
}

/* What was done, and whether a restart would know. */
static void answer(struct revoker *r, struct admin_call *call, const char *what)
{
    int rc = revoker_save(r);

    r->commands++;
    buf_add_str(call->out, what);
    if (rc != CC_OK)
        buf_printf(call->out, ", but not saved: %s", cc_strerror(rc));
    else if (r->journal == NULL && r->redis == NULL)
        buf_add_str(call->out, ", until the next restart: there is no agent.stateDirectory");
    if (r->redis != NULL && !revoker_redis_is_in_step(r->redis))
        buf_add_str(call->out, "; other gateways hear of it when redis is back");
    buf_add_char(call->out, '\n');
}

static bool revoke_token(struct admin_call *call)
{
    struct revoker *r = call->context;
    enum revoked_result result;
    int64_t until_s;

    if (!check_id(call, call->arg[0]) || !read_until(call, &until_s))
        return false;
    result = revoker_add(r, call->arg[0], until_s);
    if (r->redis != NULL && result != REVOKED_EXPIRED)
        revoker_redis_tell(r->redis, call->arg[0], until_s, true);
    switch (result) {
    case REVOKED_NEW:
    case REVOKED_CHANGED:
        answer(r, call, "revoked");
        break;
    case REVOKED_OVERFLOW:
        answer(r, call, "revoked, beyond enforcer.security.revocation.maximumEntries");
        break;
    case REVOKED_SAME:
        answer(r, call, "revoked already");
        break;
    case REVOKED_EXPIRED:
        buf_add_str(call->out, "not needed: such a token has expired\n");
        break;
    }
    return false;
}

static bool unrevoke_token(struct admin_call *call)
{
    struct revoker *r = call->context;
    struct revoked_entry e;

    if (!check_id(call, call->arg[0]))
        return false;
    if (r->redis != NULL && !revoker_redis_is_in_step(r->redis)) {
        buf_add_str(call->out,
                    "not taken back: redis is away, and would say that it is revoked when "
                    "it is back; try again then\n");
        return false;
    }
    switch (revoker_remove(r, call->arg[0])) {
    case CC_OK:
        if (r->redis != NULL)
            revoker_redis_tell(r->redis, call->arg[0], 0, false);
        answer(r, call,
               revoked_find(r->table, call->arg[0], &e)
                   ? "taken back, but still revoked by enforcer.security.revocation.path"
                   : "taken back");
        break;
    case CC_EUNSUPPORTED:
        buf_add_str(call->out, "cannot be taken back: there are more revocations than "
                               "enforcer.security.revocation.maximumEntries\n");
        break;
    default:
        buf_add_str(call->out,
                    revoked_find(r->table, call->arg[0], &e)
                        ? "it is revoked by enforcer.security.revocation.path: remove it there\n"
                        : "it is not revoked\n");
    }
    return false;
}

static void add_entry(struct buf *out, const struct revoked_entry *e)
{
    buf_add(out, e->id);
    buf_add_char(out, '\t');
    add_time(out, e->until_s);
    buf_printf(out, "\tby%s%s\n", (e->sources & REVOKED_BY_FILE) != 0 ? " file" : "",
               (e->sources & REVOKED_BY_STATE) != 0 ? " command" : "");
}

static bool show_one(struct revoker *r, struct admin_call *call)
{
    struct revoked_entry e;

    if (!check_id(call, call->arg[0]))
        return false;
    if (revoked_find(r->table, call->arg[0], &e))
        add_entry(call->out, &e);
    else if (revoked_has(r->table, revoked_key(r->table, call->arg[0])))
        buf_add_str(call->out, "refused, as one of more than "
                               "enforcer.security.revocation.maximumEntries\n");
    else
        buf_add_str(call->out, "it is not revoked\n");
    return false;
}

static bool show_revoked(struct admin_call *call)
{
    struct revoker *r = call->context;
    struct revoked_entry e;
    struct revoked_stats s;

    if (call->n_args == 1)
        return show_one(r, call);
    if (call->cursor == 0) {
        revoked_stats(r->table, &s);
        buf_printf(call->out, "# %zu of at most %zu", s.entries, s.max);
        if (s.overflow > 0)
            buf_printf(call->out, ", and %zu more that cannot be shown", s.overflow);
        buf_add_char(call->out, '\n');
    }
    for (size_t n = 0; n < PLACES_PER_STEP && call->out->n < ADMIN_STEP_BYTES; n++) {
        if (call->cursor >= revoked_places(r->table))
            return false;
        if (revoked_at(r->table, (size_t)call->cursor++, &e))
            add_entry(call->out, &e);
    }
    return true;
}

static const struct admin_command commands[] = {
    {"revoke token", "ID [until TIME]", "refuse the token with this jti from now on", 1, 3,
     revoke_token},
    {"unrevoke token", "ID", "take that back", 1, 1, unrevoke_token},
    {"show revoked", "[ID]", "revoked tokens, or what is known of one", 0, 1, show_revoked},
};

void revoker_register(struct revoker *r, struct admin *admin)
{
    admin_register(admin, commands, sizeof(commands) / sizeof(*commands), r);
}
