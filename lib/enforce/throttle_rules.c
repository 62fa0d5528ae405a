#include "enforce/rules.h"
#include "enforce/throttle_tell.h"

struct reading {
    struct throttle_rules *out;
    const struct gw_model *model;
    struct arena *arena;
    struct diag *diag;
};

static int refuse_model(struct reading *r, struct place place, const char *what)
{
    diag_error(r->diag, CC6001, place, "%s", what);
    return CC_EREFUSED;
}

/* The number of a claim, a new one for a new name; GW_CLAIMS_MAX: there is no room. */
static unsigned claim_number(struct throttle_rules *out, struct slice name)
{
    unsigned i = 0;

    while (i < out->n_claims && !slice_eq(out->claims[i], name))
        i++;
    if (i == out->n_claims && i < GW_CLAIMS_MAX)
        out->claims[out->n_claims++] = name;
    return i;
}

static int read_condition(struct reading *r, const struct gw_condition *from,
                          struct throttle_condition *out)
{
    int rc = CC_OK;

    out->condition = from;
    switch (from->kind) {
    case GW_CONDITION_ADDRESS:
        if (gw_address_range_parse(from->value, &out->range) != NULL)
            return refuse_model(r, from->origin, "a condition has no usable address");
        return CC_OK;
    case GW_CONDITION_HEADER:
        out->header = rules_header_index(r->model, from->name);
        if (out->header == r->model->n_headers)
            return refuse_model(r, from->origin,
                                "a header of a condition is not among those that HAProxy sends");
        break;
    case GW_CONDITION_CLAIM:
        out->claim = claim_number(r->out, from->name);
        if (out->claim == GW_CLAIMS_MAX)
            return refuse_model(r, from->origin, "conditions look at more than 16 claims");
        break;
    case GW_CONDITION_QUERY:
        break;
    case GW_CONDITION_COUNT:
        return refuse_model(r, from->origin, "a condition is of no kind");
    }
    if (from->match == GW_MATCH_PATTERN)
        rc = gw_pattern_new(&out->pattern, from->value);
    return rc == CC_EINVAL
               ? refuse_model(r, from->origin, "a condition has no usable regular expression")
               : rc;
}

static int read_conditions(struct reading *r, const struct gw_condition *from, size_t n,
                           struct throttle_conditions *out)
{
    int rc = CC_OK;

    out->list = arena_array(r->arena, n, sizeof(*out->list));
    if (out->list == NULL)
        return CC_ENOMEM;
    for (; out->n < n && rc == CC_OK; out->n++)
        rc = read_condition(r, &from[out->n], &out->list[out->n]);
    return rc;
}

static enum counter_away away_of(enum gw_away away)
{
    static const enum counter_away all[GW_AWAY_COUNT] = {[GW_AWAY_UNSET] = COUNTER_AWAY_UNSET,
                                                         [GW_AWAY_LOCAL] = COUNTER_AWAY_LOCAL,
                                                         [GW_AWAY_DENY] = COUNTER_AWAY_DENY,
                                                         [GW_AWAY_ALLOW] = COUNTER_AWAY_ALLOW};

    return away < GW_AWAY_COUNT ? all[away] : COUNTER_AWAY_UNSET;
}

/* At most so many pieces has its template: one begins at each '$', and one behind it. */
static size_t template_pieces(const struct gw_policy *p)
{
    size_t n = 1;

    for (size_t i = 0; i < p->key_template.n; i++)
        n += p->key_template.p[i] == '$' ? 2 : 0;
    return n;
}

/* Without a limit but the burst: as much as can be counted, in as long as can be. */
static int set_limit(struct reading *r, const struct gw_policy *p, const struct gw_quota *quota,
                     const struct gw_quota *burst, struct throttle_limit *out)
{
    out->policy = p;
    out->counts = quota->count > 0 || burst->count > 0;
    out->rule = (struct counter_rule){
        .max = quota->count > 0 ? quota->count : COUNTER_MAX_QUOTA,
        .window_ms = quota->count > 0 ? quota->period_s * 1000 : COUNTER_MAX_WINDOW_MS,
        .months = quota->months,
        .burst_max = (uint32_t)burst->count,
        .burst_ms = (uint32_t)burst->period_s * 1000,
        .unit = quota->bandwidth ? COUNTER_BYTES : COUNTER_REQUESTS,
        .window = p->sliding ? COUNTER_SLIDING : COUNTER_FIXED,
        .mode = p->shadow ? COUNTER_SHADOW
                : p->stop ? COUNTER_ENFORCE
                          : COUNTER_NO_STOP,
        .away = away_of(p->away),
    };
    return throttle_tell_prepare(out, r->arena);
}

static int read_template(struct reading *r, const struct gw_policy *from,
                         struct throttle_policy *out)
{
    struct slice rest = from->key_template;
    struct throttle_piece piece;

    out->key_prefix = arena_printf(r->arena, "%s:%" PRIslice ":", gw_level_name(from->level),
                                   SLICE_ARG(from->name));
    out->pieces = arena_array(r->arena, template_pieces(from), sizeof(*out->pieces));
    if (out->key_prefix.p == NULL || out->pieces == NULL)
        return CC_ENOMEM;
    while (gw_key_template_next(&rest, &piece.variable, &piece.text))
        out->pieces[out->n_pieces++] = piece;
    return CC_OK;
}

static int read_policy(struct reading *r, const struct gw_policy *from, struct throttle_policy *out)
{
    int rc;

    out->policy = from;
    rc = set_limit(r, from, &from->quota, &from->burst, &out->limit);
    out->unstopped = out->limit.rule;
    if (out->unstopped.mode == COUNTER_ENFORCE)
        out->unstopped.mode = COUNTER_NO_STOP;
    if (rc == CC_OK)
        rc = read_template(r, from, out);
    out->groups = arena_array(r->arena, from->n_groups, sizeof(*out->groups));
    if (out->groups == NULL)
        return CC_ENOMEM;
    if (rc == CC_OK)
        rc = read_conditions(r, from->conditions, from->n_conditions, &out->conditions);
    for (size_t i = 0; i < from->n_groups && rc == CC_OK; i++) {
        const struct gw_group *g = &from->groups[i];

        rc = set_limit(r, from, &g->quota, &g->burst, &out->groups[i].limit);
        if (rc == CC_OK)
            rc = read_conditions(r, g->conditions, g->n_conditions, &out->groups[i].conditions);
    }
    return rc;
}

/* Application's attributes and tenant are not among what tells callers apart. */
static bool is_of_caller(const struct throttle_policy *p)
{
    for (size_t i = 0; i < p->n_pieces; i++)
        if (p->pieces[i].variable == GW_VARIABLE_PROPERTY ||
            p->pieces[i].variable == GW_VARIABLE_APP_TENANT)
            return false;
    return p->conditions.n == 0;
}

static int read_policies(struct reading *r)
{
    const struct gw_model *m = r->model;
    int rc = CC_OK;

    for (size_t i = 0; i < m->n_policies && rc == CC_OK; i++) {
        struct throttle_policy *p = &r->out->policies[i];

        rc = read_policy(r, &m->policies[i], p);
        if (m->policies[i].level != GW_LEVEL_CUSTOM)
            continue;
        if (r->out->n_custom++ == 0)
            r->out->custom = p;
        r->out->custom_of_caller = r->out->custom_of_caller && rc == CC_OK && is_of_caller(p);
        if (r->out->n_custom > GW_CUSTOM_MAX)
            return refuse_model(r, m->policies[i].origin, "there are more than 8 custom policies");
    }
    return rc;
}

/* "/t/TENANT/..." */
static struct slice tenant_of(struct slice base_path)
{
    struct slice rest, tenant = SLICE_NONE;

    if (!slice_starts(base_path, SLICE("/t/")))
        return SLICE("carbon.super");
    rest = slice_from(base_path, 3);
    slice_split(&rest, '/', &tenant);
    return tenant.n > 0 && rest.p != NULL ? tenant : SLICE("carbon.super");
}

/* An API that is served also without its version in the path has one counter, not two. APIs are
 * sorted by virtual host and base path. */
static struct slice context_of(const struct gw_model *m, size_t number)
{
    const struct gw_api *api = &m->apis[number];
    struct slice context = api->base_path;

    for (size_t i = number + 1; i < m->n_apis; i++) {
        const struct gw_api *other = &m->apis[i];

        if (!slice_eq(other->vhost, api->vhost) || !slice_starts(other->base_path, api->base_path))
            break;
        if (slice_eq(other->id, api->id) && slice_eq(other->version, api->version))
            context = other->base_path;
    }
    return context;
}

static void read_apis(struct reading *r)
{
    const struct gw_model *m = r->model;

    for (size_t i = 0; i < m->n_apis; i++) {
        struct throttle_api *api = &r->out->apis[i];

        api->context = context_of(m, i);
        api->tenant = tenant_of(m->apis[i].base_path);
    }
}

static int read_lengths(struct reading *r)
{
    const struct gw_model *m = r->model;

    r->out->length_header = rules_header_index(m, SLICE("content-length"));
    r->out->encoding_header = rules_header_index(m, SLICE("transfer-encoding"));
    if (r->out->bytes &&
        (r->out->length_header == m->n_headers || r->out->encoding_header == m->n_headers))
        return refuse_model(
            r, PLACE_NONE,
            "there are limits of bytes, but Content-Length and Transfer-Encoding are "
            "not among the headers that HAProxy sends");
    return CC_OK;
}

size_t throttle_rules_bytes(const struct gw_model *m)
{
    struct gw_condition_walk walk = {.policies = m->policies, .n = m->n_policies};
    size_t n = 4096 + m->n_apis * sizeof(struct throttle_api) + deny_set_bytes(m->n_deny_rules);

    for (size_t i = 0; i < m->n_policies; i++)
        n += sizeof(struct throttle_policy) + THROTTLE_TOLD_BYTES + 128 + m->policies[i].name.n +
             template_pieces(&m->policies[i]) * sizeof(struct throttle_piece) +
             m->policies[i].n_groups * (sizeof(struct throttle_group) + THROTTLE_TOLD_BYTES + 32);
    while (gw_condition_next(&walk) != NULL)
        n += sizeof(struct throttle_condition);
    return n;
}

int throttle_rules_read(struct throttle_rules *out, const struct gw_model *m, struct arena *arena,
                        struct diag *diag)
{
    struct reading r = {out, m, arena, diag};
    int rc;

    out->settings = &m->throttling;
    out->bytes = gw_counts_bytes(m->policies, m->n_policies);
    out->custom_of_caller = true;
    out->policies = arena_array(arena, m->n_policies, sizeof(*out->policies));
    out->apis = arena_array(arena, m->n_apis, sizeof(*out->apis));
    if (out->policies == NULL || out->apis == NULL)
        return CC_ENOMEM;
    rc = read_policies(&r);
    if (rc == CC_OK)
        rc = read_lengths(&r);
    if (rc != CC_OK)
        return rc;
    read_apis(&r);
    out->deny = deny_set_new(m->deny_rules, m->n_deny_rules, arena);
    return out->deny != NULL ? CC_OK : refuse_model(&r, PLACE_NONE, "a deny rule cannot be used");
}

static void free_patterns(struct throttle_conditions *c)
{
    for (size_t i = 0; i < c->n; i++)
        gw_pattern_free(&c->list[i].pattern);
}

void throttle_rules_free(struct throttle_rules *r, const struct gw_model *m)
{
    for (size_t i = 0; r->policies != NULL && i < m->n_policies; i++) {
        struct throttle_policy *p = &r->policies[i];

        if (p->policy == NULL)
            continue;
        free_patterns(&p->conditions);
        for (size_t k = 0; p->groups != NULL && k < p->policy->n_groups; k++)
            free_patterns(&p->groups[k].conditions);
    }
}
