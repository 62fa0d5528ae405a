#include "generator/show_limits.h"

#include "generator/view.h"

enum { CELL_MAX = 64 << 10 };

const struct table_column limit_columns[] = {
    {"vhost", TABLE_TEXT},    {"method", TABLE_TEXT}, {"path", TABLE_TEXT},
    {"tier", TABLE_TEXT},     {"limit", TABLE_TEXT},  {"counts", TABLE_TEXT},
    {"above it", TABLE_TEXT}, {"origin", TABLE_TEXT}, {NULL, TABLE_TEXT},
};

const struct table_column policy_columns[] = {
    {"level", TABLE_TEXT},  {"name", TABLE_TEXT},   {"requests", TABLE_TEXT}, {"limit", TABLE_TEXT},
    {"burst", TABLE_TEXT},  {"window", TABLE_TEXT}, {"above it", TABLE_TEXT}, {"away", TABLE_TEXT},
    {"origin", TABLE_TEXT}, {NULL, TABLE_TEXT},
};

const struct table_column deny_rule_columns[] = {
    {"denied", TABLE_TEXT}, {"value", TABLE_TEXT},  {"from", TABLE_TEXT},
    {"until", TABLE_TEXT},  {"origin", TABLE_TEXT}, {NULL, TABLE_TEXT},
};

/* A table being filled; texts of cells are made in one buffer and kept in the arena. */
struct filling {
    struct table *table;
    struct arena *arena;
    struct buf cell;
};

static struct slice take(struct filling *f)
{
    struct slice text = SLICE_NONE;

    if (buf_error(&f->cell) == CC_OK)
        text = arena_dup(f->arena, f->cell.n > 0 ? buf_slice(&f->cell) : SLICE(""));
    if (text.p == NULL)
        f->table->error = CC_ENOMEM;
    buf_reset(&f->cell);
    return text;
}

static struct slice quota(struct filling *f, const struct gw_quota *q)
{
    gw_quota_text(q, &f->cell);
    return take(f);
}

static struct slice origin(struct filling *f, struct place place)
{
    view_add_place(&f->cell, place);
    return take(f);
}

/* Nothing is above what has no limit. */
static struct slice above(const struct gw_policy *p, const struct gw_quota *limit,
                          const struct gw_quota *burst)
{
    return limit->count == 0 && burst->count == 0 ? SLICE("") : slice_of(gw_policy_above(p));
}

/* --- limits -------------------------------------------------------------------------------------
 */

static void show_limit(struct filling *f, const struct gw_model *m, const struct gw_api *api,
                       struct slice method, struct slice path, const char *counts,
                       struct slice tier, struct place place)
{
    const struct gw_policy *p = gw_policy_find(m, GW_LEVEL_API, tier);
    struct slice *row = table_row(f->table);

    if (row == NULL)
        return;
    row[0] = api->vhost;
    row[1] = method;
    row[2] = path;
    row[3] = tier;
    if (p != NULL)
        gw_policy_text(p, &f->cell);
    row[4] = take(f);
    row[5] = slice_of(counts);
    if (!m->throttling.enabled)
        row[6] = SLICE("passes: enforcer.throttling.enabled is false");
    else if (p != NULL)
        row[6] = p->n_groups > 0 ? slice_of(gw_policy_above(p)) : above(p, &p->quota, &p->burst);
    else
        row[6] = SLICE("");
    row[7] = origin(f, place);
}

/* Of the tier of an API there is one limit, in whichever way its operations are called. */
static void show_api_limits(struct filling *f, const struct gw_model *m, const struct gw_api *api)
{
    struct place place;

    if (api->tier.n > 0) {
        buf_add(&f->cell, api->base_path);
        buf_add_str(&f->cell, "/*");
        show_limit(f, m, api, SLICE("any"), take(f), "the whole API", api->tier,
                   api->tier_declared);
        return;
    }
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct gw_resource *r = &api->resources[i];

        for (size_t k = 0; k < r->n_operations; k++) {
            struct slice tier = gw_tier(api, &r->operations[k], &place);

            if (tier.n == 0)
                continue;
            buf_add(&f->cell, api->base_path);
            buf_add(&f->cell, r->template);
            show_limit(f, m, api, slice_of(gw_method_name(r->operations[k].method)), take(f),
                       "this operation", tier, place);
        }
    }
}

void show_limits(struct table *table, const struct gw_model *model, struct arena *arena)
{
    struct filling f = {.table = table, .arena = arena};

    buf_init(&f.cell, CELL_MAX);
    for (size_t i = 0; i < model->n_apis; i++)
        show_api_limits(&f, model, &model->apis[i]);
    buf_free(&f.cell);
}

/* --- policies -----------------------------------------------------------------------------------
 */

static struct slice conditions(struct filling *f, const struct gw_condition *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_str(&f->cell, " and ");
        gw_condition_text(&list[i], &f->cell);
    }
    return take(f);
}

static void show_policy(struct filling *f, const struct gw_policy *p, struct slice requests,
                        const struct gw_quota *limit, const struct gw_quota *burst,
                        struct place place)
{
    struct slice *row = table_row(f->table);

    if (row == NULL)
        return;
    row[0] = slice_of(gw_level_name(p->level));
    row[1] = p->name;
    row[2] = requests;
    row[3] = quota(f, limit);
    row[4] = burst->count > 0 ? quota(f, burst) : SLICE("");
    row[5] = p->sliding ? SLICE("sliding") : SLICE("fixed");
    row[6] = above(p, limit, burst);
    row[7] = slice_of(gw_away_name(p->away));
    row[8] = origin(f, place);
}

static struct slice custom_requests(struct filling *f, const struct gw_policy *p)
{
    buf_printf(&f->cell, "by %" PRIslice, SLICE_ARG(p->key_template));
    for (size_t i = 0; i < p->n_conditions; i++) {
        buf_add_str(&f->cell, i == 0 ? ", if " : " and ");
        gw_condition_text(&p->conditions[i], &f->cell);
    }
    return take(f);
}

void show_policies(struct table *table, const struct gw_model *model, struct arena *arena)
{
    struct filling f = {.table = table, .arena = arena};

    buf_init(&f.cell, CELL_MAX);
    for (size_t i = 0; i < model->n_policies; i++) {
        const struct gw_policy *p = &model->policies[i];

        for (size_t k = 0; k < p->n_groups; k++)
            show_policy(&f, p, conditions(&f, p->groups[k].conditions, p->groups[k].n_conditions),
                        &p->groups[k].quota, &p->groups[k].burst, p->groups[k].origin);
        show_policy(&f, p,
                    p->level == GW_LEVEL_CUSTOM ? custom_requests(&f, p)
                    : p->n_groups > 0           ? SLICE("all others")
                                                : SLICE("all"),
                    &p->quota, &p->burst, p->origin);
    }
    buf_free(&f.cell);
}

/* --- deny rules ---------------------------------------------------------------------------------
 */

static struct slice moment(struct filling *f, int64_t seconds)
{
    char text[CLOCK_TEXT];

    if (seconds > 0 && clock_text(seconds, text))
        buf_add_str(&f->cell, text);
    return take(f);
}

void show_deny_rules(struct table *table, const struct gw_model *model, struct arena *arena)
{
    struct filling f = {.table = table, .arena = arena};

    buf_init(&f.cell, CELL_MAX);
    for (size_t i = 0; i < model->n_deny_rules; i++) {
        const struct gw_deny_rule *r = &model->deny_rules[i];
        struct slice *row = table_row(table);

        if (row == NULL)
            break;
        row[0] = slice_of(gw_denial_name(r->kind));
        buf_add_str(&f.cell, r->invert ? "all but " : "");
        buf_add(&f.cell, r->value);
        row[1] = take(&f);
        row[2] = moment(&f, r->from_s);
        row[3] = moment(&f, r->until_s);
        row[4] = origin(&f, r->origin);
    }
    buf_free(&f.cell);
}
