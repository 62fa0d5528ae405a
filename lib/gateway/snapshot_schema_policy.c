/* The schema of throttling policies and deny rules. */
#include "gateway/snapshot_schema_rows.h"

#include "gateway/address.h"

/* A quota is a count with a time, or no limit at all. */
static const char *quota_fault(const struct gw_quota *q, bool requests_only)
{
    if ((q->count == 0) != (q->period_s == 0 && q->months == 0))
        return "a limit has a time, and what has no limit has none";
    if (q->period_s > 0 && q->months > 0)
        return "its time is both months and seconds";
    if (requests_only &&
        (q->months > 0 || q->period_s > GW_BURST_PERIOD_MAX_S || q->count > UINT32_MAX))
        return "a burst has at most a day, and 2^32 requests";
    if (q->bandwidth && (q->count == 0 || requests_only))
        return "only a limit counts bytes, and a burst counts requests";
    return NULL;
}

static const char *condition_fault(const void *object)
{
    const struct gw_condition *c = object;
    struct gw_address_range range;

    if (c->kind == GW_CONDITION_ADDRESS)
        return c->name.n > 0 || c->match != GW_MATCH_EQUAL
                   ? "a condition on addresses has no name, and no other way to look"
                   : gw_address_range_parse(c->value, &range);
    if (c->name.n == 0)
        return "it has no name";
    if ((c->match == GW_MATCH_PRESENT) && c->value.n > 0)
        return "it has a value, and does not look at it";
    if (c->value.n > GW_PATTERN_MAX)
        return "its value is longer than 512 bytes";
    return c->kind == GW_CONDITION_HEADER ? snapshot_header_name(c->name) : NULL;
}

static const char *group_fault(const void *object)
{
    const struct gw_group *g = object;

    if (g->n_conditions == 0 || g->n_conditions > GW_CONDITIONS_MAX)
        return "it has no condition, or too many";
    return quota_fault(&g->quota, false) != NULL ? quota_fault(&g->quota, false)
                                                 : quota_fault(&g->burst, true);
}

static const char *policy_fault(const void *object)
{
    const struct gw_policy *p = object;
    bool custom = p->level == GW_LEVEL_CUSTOM;

    if (p->n_groups > GW_GROUPS_MAX || p->n_conditions > GW_CONDITIONS_MAX)
        return "it has too many groups or conditions";
    if ((p->n_groups > 0 && p->level != GW_LEVEL_API) || (p->n_conditions > 0 && !custom))
        return "policies of its level have no such conditions";
    if (custom ? gw_key_template_fault(p->key_template) != NULL : p->key_template.n > 0)
        return custom ? gw_key_template_fault(p->key_template) : "only a custom policy has a key";
    return quota_fault(&p->quota, false) != NULL ? quota_fault(&p->quota, false)
                                                 : quota_fault(&p->burst, true);
}

static const char *deny_rule_fault(const void *object)
{
    const struct gw_deny_rule *r = object;
    struct gw_address_range range;

    if (r->from_s > 0 && r->until_s > 0 && r->from_s >= r->until_s)
        return "it ends before it begins";
    return r->kind == GW_DENY_ADDRESS ? gw_address_range_parse(r->value, &range) : NULL;
}

#define WORD(name, word, ...) word,
static const char *const level_names[] = {GW_LEVELS(WORD)};
static const char *const condition_names[] = {GW_CONDITIONS(WORD)};
static const char *const match_names[] = {GW_MATCHES(WORD)};
static const char *const denial_names[] = {GW_DENIALS(WORD)};
static const char *const away_names[] = {GW_AWAYS(WORD)};
#undef WORD

#define ENUM(owner, member, words, count) \
    AT(owner, member), .type = SNAPSHOT_ENUM, .names = (words), .max = (count)-1
/* The members of a quota are members of what has it. */
#define QUOTA(owner, prefix, member)                                             \
    {.name = prefix "count",                                                     \
     .offset = offsetof(owner, member.count),                                    \
     .type = SNAPSHOT_INT,                                                       \
     .max = GW_COUNT_MAX},                                                       \
        {.name = prefix "period_s",                                              \
         .offset = offsetof(owner, member.period_s),                             \
         .type = SNAPSHOT_INT,                                                   \
         .max = GW_PERIOD_MAX_S},                                                \
        {.name = prefix "months",                                                \
         .offset = offsetof(owner, member.months),                               \
         .type = SNAPSHOT_UNSIGNED,                                              \
         .max = GW_MONTHS_MAX},                                                  \
    {                                                                            \
        .name = prefix "bandwidth", .offset = offsetof(owner, member.bandwidth), \
        .type = SNAPSHOT_BOOL                                                    \
    }

static const struct snapshot_field condition_fields[] = {
    {ENUM(struct gw_condition, kind, condition_names, GW_CONDITION_COUNT)},
    {ENUM(struct gw_condition, match, match_names, GW_MATCH_COUNT)},
    {AT(struct gw_condition, invert), .type = SNAPSHOT_BOOL},
    {AT(struct gw_condition, name), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_condition, value), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_condition, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema condition =
    SCHEMA(condition_fields, struct gw_condition, condition_fault);

static const struct snapshot_field group_fields[] = {
    {LIST(struct gw_group, conditions, &condition)},
    QUOTA(struct gw_group, "", quota),
    QUOTA(struct gw_group, "burst_", burst),
    {AT(struct gw_group, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema group = SCHEMA(group_fields, struct gw_group, group_fault);

static const struct snapshot_field policy_fields[] = {
    {ENUM(struct gw_policy, level, level_names, GW_LEVEL_COUNT)},
    {AT(struct gw_policy, name), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    QUOTA(struct gw_policy, "", quota),
    QUOTA(struct gw_policy, "burst_", burst),
    {AT(struct gw_policy, sliding), .type = SNAPSHOT_BOOL},
    {AT(struct gw_policy, stop), .type = SNAPSHOT_BOOL},
    {AT(struct gw_policy, shadow), .type = SNAPSHOT_BOOL},
    {ENUM(struct gw_policy, away, away_names, GW_AWAY_COUNT)},
    {LIST(struct gw_policy, groups, &group)},
    {AT(struct gw_policy, key_template), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {LIST(struct gw_policy, conditions, &condition)},
    {AT(struct gw_policy, origin), .type = SNAPSHOT_ORIGIN},
};
const struct snapshot_schema snapshot_policy =
    SCHEMA(policy_fields, struct gw_policy, policy_fault);

static const struct snapshot_field deny_rule_fields[] = {
    {ENUM(struct gw_deny_rule, kind, denial_names, GW_DENY_COUNT)},
    {AT(struct gw_deny_rule, value), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_deny_rule, invert), .type = SNAPSHOT_BOOL},
    {AT(struct gw_deny_rule, from_s), .type = SNAPSHOT_INT, .max = MAX_EXACT},
    {AT(struct gw_deny_rule, until_s), .type = SNAPSHOT_INT, .max = MAX_EXACT},
    {AT(struct gw_deny_rule, origin), .type = SNAPSHOT_ORIGIN},
};
const struct snapshot_schema snapshot_deny_rule =
    SCHEMA(deny_rule_fields, struct gw_deny_rule, deny_rule_fault);
