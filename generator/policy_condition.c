/* Conditions and their groups. */
#include "generator/policy_internal.h"

static const char *const kinds[] = {"ip", "ipRange", "header", "query", "claim"};
enum { KIND_IP, KIND_RANGE, KIND_HEADER, KIND_QUERY, KIND_CLAIM, KINDS };

/* token (RFC 9110 5.6.2). */
static bool is_header_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
            return false;
    return s.n > 0 && s.n <= 128;
}

static bool read_address(struct policy_reading *r, const struct doc_node *map, unsigned kind,
                         struct gw_condition *out)
{
    struct gw_address_range range;
    struct gw_address address;
    const char *fault;
    bool there;

    if (!policy_text(r, map, kinds[kind], 128, &out->value, &there))
        return false;
    out->match = GW_MATCH_EQUAL;
    if (doc_get(map, "value") != NULL || doc_get(map, "matches") != NULL) {
        policy_error(r, CC3203, map, "a condition on addresses has neither value nor matches");
        return false;
    }
    if (kind == KIND_IP)
        fault = gw_address_parse(out->value, &address) ? NULL : "it is no IP address";
    else
        fault = gw_address_range_parse(out->value, &range);
    if (fault == NULL)
        return true;
    diag_help(policy_error(r, CC3205, doc_get(map, kinds[kind]), "%s '%" PRIslice "': %s",
                           kinds[kind], SLICE_ARG(out->value), fault),
              kind == KIND_IP ? "for example 203.0.113.9 or 2001:db8::9; a range is ipRange"
                              : "for example 10.0.0.0/8, 2001:db8::/32 or 10.0.0.1-10.0.0.9");
    return false;
}

/* matches: a regular expression, or plain text, which is looked for without one. */
static bool read_pattern(struct policy_reading *r, const struct doc_node *map,
                         struct gw_condition *out)
{
    char room[GW_PATTERN_FAULT];
    const char *fault;
    bool there;

    if (!policy_text(r, map, "matches", GW_PATTERN_MAX, &out->value, &there))
        return false;
    out->match = GW_MATCH_CONTAINS;
    if (gw_pattern_is_literal(out->value))
        return true;
    out->match = GW_MATCH_PATTERN;
    fault = gw_pattern_fault(out->value, room);
    if (fault == NULL)
        return true;
    diag_help(policy_error(r, CC3206, doc_get(map, "matches"), "matches '%" PRIslice "': %s",
                           SLICE_ARG(out->value), fault),
              "`value` compares the whole text; most needs are met without repeating a group");
    return false;
}

static bool read_named(struct policy_reading *r, const struct doc_node *map, unsigned kind,
                       struct gw_condition *out)
{
    const struct doc_node *value = doc_get(map, "value"), *matches = doc_get(map, "matches");
    bool there;

    if (!policy_text(r, map, kinds[kind], 255, &out->name, &there))
        return false;
    if (kind == KIND_HEADER) {
        if (!is_header_name(out->name)) {
            policy_error(r, CC3203, doc_get(map, kinds[kind]),
                         "'%" PRIslice "' is no name of a header", SLICE_ARG(out->name));
            return false;
        }
        out->name = project_lower(r->build, out->name);
    }
    if (value != NULL && matches != NULL) {
        policy_error(r, CC3203, matches, "a condition has value or matches, not both");
        return false;
    }
    if (matches != NULL)
        return read_pattern(r, map, out);
    out->match = value != NULL ? GW_MATCH_EQUAL : GW_MATCH_PRESENT;
    return value == NULL || policy_text(r, map, "value", GW_PATTERN_MAX, &out->value, &there);
}

static const struct policy_kinds condition_kinds = {
    .names = kinds,
    .n = KINDS,
    .what = "a condition",
    .missing = "says nothing that it looks at",
    .choices = "one of ip, ipRange, header, query, claim",
    .several = "write two conditions: all of a list must be met",
};

static bool read_condition(struct policy_reading *r, const struct doc_node *node,
                           struct gw_condition *out)
{
    static const char *const names[] = {"ip",    "ipRange", "header",  "query",
                                        "claim", "value",   "matches", "invert"};
    static const enum gw_condition_kind of[KINDS] = {GW_CONDITION_ADDRESS, GW_CONDITION_ADDRESS,
                                                     GW_CONDITION_HEADER, GW_CONDITION_QUERY,
                                                     GW_CONDITION_CLAIM};
    unsigned kind;

    if (!policy_is_map(r, node, "a condition", names, sizeof(names) / sizeof(names[0])))
        return false;
    kind = policy_find_kind(r, node, &condition_kinds);
    if (kind == KINDS)
        return false;
    *out = (struct gw_condition){
        .kind = of[kind], .name = SLICE(""), .value = SLICE(""), .origin = doc_place(r->doc, node)};
    doc_bool(r->doc, doc_get(node, "invert"), "invert", r->build->diag, &out->invert);
    return of[kind] == GW_CONDITION_ADDRESS ? read_address(r, node, kind, out)
                                            : read_named(r, node, kind, out);
}

void policy_read_conditions(struct policy_reading *r, const struct doc_node *list,
                            const struct gw_condition **out, size_t *n)
{
    struct gw_condition *conditions;

    *n = 0;
    if (list == NULL || !doc_is_list(r->doc, list, "conditions", r->build->diag))
        return;
    if (list->n > GW_CONDITIONS_MAX) {
        policy_error(r, CC3210, list, "there are more than %d conditions", (int)GW_CONDITIONS_MAX);
        return;
    }
    conditions = project_alloc(r->build, list->n, sizeof(*conditions));
    for (size_t i = 0; conditions != NULL && i < list->n; i++)
        *n += read_condition(r, list->entries[i].value, &conditions[*n]);
    *out = conditions;
}

static void read_group(struct policy_reading *r, const struct doc_node *node, bool sliding,
                       struct gw_group *out)
{
    static const char *const names[] = {"description", "conditions", POLICY_QUOTA_MEMBERS};
    const struct doc_node *conditions = doc_get(node, "conditions");

    if (!policy_is_map(r, node, "a condition group", names, sizeof(names) / sizeof(names[0])))
        return;
    out->origin = doc_place(r->doc, node);
    policy_read_quota(r, node, "a condition group", &out->quota, &out->burst);
    policy_check_burst(r, node, &out->quota, &out->burst, sliding);
    if (conditions == NULL || (conditions->type == DOC_LIST && conditions->n == 0))
        diag_help(policy_error(r, CC3202, node, "a condition group has no conditions"),
                  "the limit for all other requests is the policy's own");
    else
        policy_read_conditions(r, conditions, &out->conditions, &out->n_conditions);
}

void policy_read_groups(struct policy_reading *r, const struct doc_node *list,
                        struct gw_policy *out)
{
    struct gw_group *groups;

    if (list == NULL || !doc_is_list(r->doc, list, "conditionGroups", r->build->diag))
        return;
    if (list->n > GW_GROUPS_MAX) {
        policy_error(r, CC3210, list, "there are more than %d condition groups",
                     (int)GW_GROUPS_MAX);
        return;
    }
    groups = project_alloc(r->build, list->n, sizeof(*groups));
    for (size_t i = 0; groups != NULL && i < list->n; i++)
        read_group(r, list->entries[i].value, out->sliding, &groups[i]);
    out->groups = groups;
    out->n_groups = groups != NULL ? list->n : 0;
}
