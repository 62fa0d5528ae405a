/* Deny rules. */
#include "generator/policy_internal.h"

static const char *const kinds[] = {"api", "application", "user", "subscription", "ip", "ipRange"};
enum { KIND_RANGE = GW_DENY_ADDRESS + 1, KINDS };

static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    /* years begin in March, so that the odd day comes last (Howard Hinnant, days_from_civil) */
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool digits(struct slice s, size_t at, size_t n, int64_t *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || !ascii_is_digit(s.p[i]))
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return true;
}

/* "2030-01-31T00:00:00Z" or with an offset, "+01:00" (RFC 3339 5.6); seconds since 1970. */
static bool parse_time(struct slice s, int64_t *out)
{
    static const unsigned char lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day, hour, minute, second, off_hour = 0, off_minute = 0;
    bool leap;

    if (s.n < 20 || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != ' ') ||
        s.p[13] != ':' || s.p[16] != ':' || !digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) ||
        !digits(s, 8, 2, &day) || !digits(s, 11, 2, &hour) || !digits(s, 14, 2, &minute) ||
        !digits(s, 17, 2, &second))
        return false;
    if (s.n == 25 && (s.p[19] == '+' || s.p[19] == '-') && s.p[22] == ':') {
        if (!digits(s, 20, 2, &off_hour) || !digits(s, 23, 2, &off_minute) || off_hour > 23 ||
            off_minute > 59)
            return false;
    } else if (s.n != 20 || s.p[19] != 'Z') {
        return false;
    }
    leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
        (month == 2 && day == 29 && !leap) || hour > 23 || minute > 59 || second > 59)
        return false;
    *out = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out -= (s.n == 25 && s.p[19] == '-' ? -1 : 1) * (off_hour * 3600 + off_minute * 60);
    return *out > 0;
}

static void read_time(struct policy_reading *r, const struct doc_node *map, const char *key,
                      int64_t *out)
{
    struct slice text;
    bool there;

    if (policy_text(r, map, key, 64, &text, &there) && !parse_time(text, out))
        diag_help(policy_error(r, CC3203, doc_get(map, key), "%s is '%" PRIslice "', no time", key,
                               SLICE_ARG(text)),
                  "for example 2030-01-31T00:00:00Z, or with +01:00 in place of Z");
}

static bool check_address(struct policy_reading *r, const struct doc_node *map, unsigned kind,
                          struct slice value)
{
    struct gw_address_range range;
    struct gw_address address;
    const char *fault;

    if (kind == GW_DENY_ADDRESS)
        fault = gw_address_parse(value, &address) ? NULL : "it is no IP address";
    else
        fault = gw_address_range_parse(value, &range);
    if (fault == NULL)
        return true;
    diag_help(policy_error(r, CC3205, doc_get(map, kinds[kind]), "%s '%" PRIslice "': %s",
                           kinds[kind], SLICE_ARG(value), fault),
              kind == GW_DENY_ADDRESS
                  ? "for example 203.0.113.9 or 2001:db8::9; a range is ipRange"
                  : "for example 10.0.0.0/8, 2001:db8::/32 or 10.0.0.1-10.0.0.9");
    return false;
}

/* What can never be equal to what it is compared with. */
static bool check_value(struct policy_reading *r, const struct doc_node *map, unsigned kind,
                        struct slice value)
{
    const char *fault;

    if (kind >= GW_DENY_ADDRESS)
        return check_address(r, map, kind, value);
    fault = gw_denial_fault((enum gw_denial)kind, value);
    if (fault != NULL)
        policy_error(r, CC3203, doc_get(map, kinds[kind]), "%s '%" PRIslice "': %s", kinds[kind],
                     SLICE_ARG(value), fault);
    return fault == NULL;
}

static const struct policy_kinds deny_kinds = {
    .names = kinds,
    .n = KINDS,
    .what = "a deny rule",
    .missing = "does not say what it denies",
    .choices = "one of api, application, user, subscription, ip, ipRange",
};

void policy_read_deny(struct policy_reading *r, const struct doc_node *node)
{
    static const char *const names[] = {"api",  "application", "user",        "subscription",
                                        "ip",   "ipRange",     "description", "invert",
                                        "from", "until"};
    struct gw_deny_rule rule = {.kind = GW_DENY_ADDRESS}, *out;
    unsigned kind;
    bool there;

    if (!policy_is_map(r, node, "a deny rule", names, sizeof(names) / sizeof(names[0])))
        return;
    doc_bool(r->doc, doc_get(node, "invert"), "invert", r->build->diag, &rule.invert);
    read_time(r, node, "from", &rule.from_s);
    read_time(r, node, "until", &rule.until_s);
    if (rule.from_s > 0 && rule.until_s > 0 && rule.from_s >= rule.until_s)
        policy_error(r, CC3203, doc_get(node, "until"), "it ends before it begins");
    kind = policy_find_kind(r, node, &deny_kinds);
    if (kind == KINDS || !policy_text(r, node, kinds[kind], 1024, &rule.value, &there) ||
        !check_value(r, node, kind, rule.value))
        return;
    if (kind < KIND_RANGE)
        rule.kind = (enum gw_denial)kind;
    rule.origin = doc_place(r->doc, node);
    out = project_list_add(r->build, &r->rules, sizeof(*out));
    if (out != NULL)
        *out = rule;
}
