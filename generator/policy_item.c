/* An element of a list of policies. */
#include "generator/policy_internal.h"

static const struct {
    const char *word;
    unsigned months;
    uint64_t seconds;
} units[] = {
    {"second", 0, 1},   {"seconds", 0, 1},  {"sec", 0, 1},     {"minute", 0, 60},
    {"minutes", 0, 60}, {"min", 0, 60},     {"hour", 0, 3600}, {"hours", 0, 3600},
    {"day", 0, 86400},  {"days", 0, 86400}, {"month", 1, 0},   {"months", 1, 0},
};
enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

static void report_unit(struct policy_reading *r, const struct doc_node *node, struct slice word)
{
    const char *words[N_UNITS], *near;
    struct diag_item *item;

    for (size_t i = 0; i < N_UNITS; i++)
        words[i] = units[i].word;
    item = policy_error(r, CC3203, node, "'%" PRIslice "' is no unit of time", SLICE_ARG(word));
    near = nearest_word(word, words, N_UNITS);
    diag_help(item, near != NULL ? "did you mean %s?" : "%s",
              near != NULL ? near : "it is second, minute, hour, day or month");
}

/* unitTime and timeUnit. False after an error. */
static bool read_period(struct policy_reading *r, const struct doc_node *map, const char *what,
                        uint64_t max_s, struct gw_quota *out)
{
    const struct doc_node *unit = doc_get(map, "timeUnit"), *time = doc_get(map, "unitTime");
    struct slice word = SLICE_NONE;
    uint64_t n = 1;
    size_t i = 0;
    bool there;

    if (time != NULL &&
        doc_u64(r->doc, time, "unitTime", 1, GW_PERIOD_MAX_S, r->build->diag, &n) != CC_OK)
        return false;
    if (!policy_text(r, map, "timeUnit", 64, &word, &there)) {
        if (!there)
            policy_error(r, CC3202, map, "%s has no timeUnit", what);
        return false;
    }
    while (i < N_UNITS && !slice_is(word, units[i].word))
        i++;
    if (i == N_UNITS) {
        report_unit(r, unit, word);
        return false;
    }
    if (units[i].months > 0 ? n > GW_MONTHS_MAX || max_s < GW_PERIOD_MAX_S
                            : n > max_s / units[i].seconds) {
        policy_error(r, CC3203, time != NULL ? time : unit, "the time is longer than %s",
                     max_s < GW_PERIOD_MAX_S ? "a day" : "12 months, or 366 days");
        return false;
    }
    out->months = units[i].months * (unsigned)n;
    out->period_s = units[i].seconds * n;
    return true;
}

/* "10MB", "1 GB", 4096: bytes; K, M, G and T are powers of 1024. */
static bool read_bytes(struct policy_reading *r, const struct doc_node *node, uint64_t *out)
{
    static const char letters[] = "KMGT";
    struct slice text = SLICE_NONE, rest;
    uint64_t n = 0, factor = 1;
    size_t digits = 0;

    if (doc_text(r->doc, node, "bandwidth", r->build->diag, &text) != CC_OK)
        return false;
    while (digits < text.n && ascii_is_digit(text.p[digits]))
        digits++;
    rest = slice_trim(slice_from(text, digits));
    if (rest.n > 0 && rest.p[rest.n - 1] == 'B')
        rest.n--;
    if (rest.n == 1 && strchr(letters, rest.p[0]) != NULL) {
        factor = UINT64_C(1) << 10 * (strchr(letters, rest.p[0]) - letters + 1);
        rest.n = 0;
    }
    if (rest.n > 0 || slice_to_u64(slice_first(text, digits), &n) != CC_OK || n == 0 ||
        n > GW_COUNT_MAX / factor) {
        diag_help(
            policy_error(r, CC3203, node, "'%" PRIslice "' is no amount of bytes", SLICE_ARG(text)),
            "for example 4096, 512KB, 10MB or 1GB");
        return false;
    }
    *out = n * factor;
    return true;
}

static void read_burst(struct policy_reading *r, const struct doc_node *node, struct gw_quota *out)
{
    static const char *const names[] = {"requestCount", "unitTime", "timeUnit"};
    struct gw_quota burst = {0};
    int rc;

    if (node == NULL || !policy_is_map(r, node, "burst", names, 3))
        return;
    rc = doc_u64(r->doc, doc_get(node, "requestCount"), "burst.requestCount", 1, UINT32_MAX,
                 r->build->diag, &burst.count);
    if (rc == CC_ENOENT)
        policy_error(r, CC3202, node, "burst has no requestCount");
    if (read_period(r, node, "burst", GW_BURST_PERIOD_MAX_S, &burst) && rc == CC_OK)
        *out = burst;
}

/* Is the limit said once: by requestCount, bandwidth or unlimited? */
static bool is_said_once(struct policy_reading *r, const struct doc_node *map, const char *what)
{
    static const char *const names[] = {"requestCount", "bandwidth", "unlimited"};
    const struct doc_node *said = NULL;

    for (size_t i = 0; i < 3; i++) {
        const struct doc_node *node = doc_get(map, names[i]);

        if (node != NULL && said != NULL) {
            policy_error(r, CC3203, node,
                         "%s says its limit twice: it has requestCount, bandwidth "
                         "or unlimited",
                         what);
            return false;
        }
        said = node != NULL ? node : said;
    }
    if (said != NULL)
        return true;
    diag_help(policy_error(r, CC3202, map, "%s has no limit", what),
              "requestCount: 100, bandwidth: 10MB, or unlimited: true");
    return false;
}

unsigned policy_find_kind(struct policy_reading *r, const struct doc_node *map,
                          const struct policy_kinds *k)
{
    unsigned found = k->n;

    for (unsigned i = 0; i < k->n; i++) {
        struct diag_item *item;

        if (doc_get(map, k->names[i]) == NULL)
            continue;
        if (found == k->n) {
            found = i;
            continue;
        }
        item = policy_error(r, CC3203, map, "%s has both %s and %s", k->what, k->names[found],
                            k->names[i]);
        if (k->several != NULL)
            diag_help(item, "%s", k->several);
        return k->n;
    }
    if (found == k->n)
        diag_help(policy_error(r, CC3202, map, "%s %s", k->what, k->missing), "%s", k->choices);
    return found;
}

void policy_read_quota(struct policy_reading *r, const struct doc_node *map, const char *what,
                       struct gw_quota *quota, struct gw_quota *burst)
{
    const struct doc_node *unlimited = doc_get(map, "unlimited");
    const struct doc_node *bandwidth = doc_get(map, "bandwidth");
    struct gw_quota out = {0};
    bool yes = true, good;

    read_burst(r, doc_get(map, "burst"), burst);
    if (!is_said_once(r, map, what))
        return;
    if (unlimited != NULL) {
        const struct doc_node *time = doc_get(map, "timeUnit");

        if (doc_bool(r->doc, unlimited, "unlimited", r->build->diag, &yes) == CC_OK && !yes)
            policy_error(r, CC3203, unlimited, "unlimited is false: say requestCount or bandwidth");
        if (time != NULL)
            policy_error(r, CC3203, time, "what is unlimited has no timeUnit");
        return;
    }
    out.bandwidth = bandwidth != NULL;
    good = bandwidth != NULL ? read_bytes(r, bandwidth, &out.count)
                             : doc_u64(r->doc, doc_get(map, "requestCount"), "requestCount", 1,
                                       GW_COUNT_MAX, r->build->diag, &out.count) == CC_OK;
    if (read_period(r, map, what, GW_PERIOD_MAX_S, &out) && good)
        *quota = out;
}

/* Does the quota let no more requests through than the burst, in any time as long as the burst's?
 * Those are the requests of all its windows that such a time touches. */
static bool is_idle(const struct policy_reading *r, const struct gw_quota *quota,
                    const struct gw_quota *burst, bool sliding)
{
    /* both begin with the same request, unless other gateways began the quota's */
    bool together = quota->months == 0 && quota->period_s == burst->period_s &&
                    slice_is(r->build->config->counters.shared.mode, "local");
    uint64_t windows = 1; /* of months: no burst is as long as one */

    if (quota->count == 0 || quota->bandwidth || quota->count > burst->count)
        return false;
    if (quota->months == 0)
        windows = (burst->period_s + quota->period_s - 1) / quota->period_s;
    if (!sliding && !together)
        windows++;
    return quota->count * windows <= burst->count; /* each is less than 2^32 */
}

void policy_check_burst(struct policy_reading *r, const struct doc_node *map,
                        const struct gw_quota *quota, const struct gw_quota *burst, bool sliding)
{
    if (burst->count > 0 && is_idle(r, quota, burst, sliding))
        diag_help(diag_warning(r->build->diag, CC3213, doc_place(r->doc, doc_get(map, "burst")),
                               "burst refuses nothing: the limit itself lets no more requests "
                               "through in that time"),
                  "make it a smaller number in a shorter time than the limit's, or remove it");
}

/* -----------------------------------------------------------------------------------------------
 */

static void read_bool(struct policy_reading *r, const struct doc_node *map, const char *key,
                      bool *out)
{
    doc_bool(r->doc, doc_get(map, key), key, r->build->diag, out);
}

static void read_window(struct policy_reading *r, const struct doc_node *map, struct gw_policy *out)
{
    struct slice word = r->build->config->throttling.window;
    bool there;

    policy_text(r, map, "window", 64, &word, &there);
    out->sliding = slice_is(word, "sliding");
    if (there && !out->sliding && !slice_is(word, "fixed"))
        policy_error(r, CC3203, doc_get(map, "window"), "window is fixed or sliding");
}

/* What it does while gateways that share it cannot reach one another. */
static void read_away(struct policy_reading *r, const struct doc_node *map, struct gw_policy *out)
{
    struct slice word;
    bool there;

    if (!policy_text(r, map, "away", 64, &word, &there) || !there)
        return;
    out->away = GW_AWAY_UNSET + 1;
    while (out->away < GW_AWAY_COUNT && !slice_is(word, gw_away_name(out->away)))
        out->away++;
    if (out->away == GW_AWAY_COUNT) {
        policy_error(r, CC3203, doc_get(map, "away"), "away is local, deny or allow");
        out->away = GW_AWAY_UNSET;
    } else if (slice_is(r->build->config->counters.shared.mode, "local")) {
        diag_help(diag_warning(r->build->diag, CC3212, doc_place(r->doc, doc_get(map, "away")),
                               "away has no effect: each gateway counts by itself"),
                  "it is about limits that gateways share: enforcer.throttling.shared.mode");
    }
}

static void read_template(struct policy_reading *r, const struct doc_node *map,
                          struct gw_policy *out)
{
    const char *fault;
    bool there;

    if (!policy_text(r, map, "keyTemplate", GW_TEMPLATE_MAX, &out->key_template, &there)) {
        if (!there)
            policy_error(r, CC3202, map, "a custom policy has no keyTemplate");
        return;
    }
    fault = gw_key_template_fault(out->key_template);
    if (fault != NULL)
        diag_help(policy_error(r, CC3209, doc_get(map, "keyTemplate"), "keyTemplate: %s", fault),
                  "there are $resourceKey, $userId, $apiContext, $apiVersion, $appTenant, "
                  "$apiTenant, $appId, $clientIp and $customProperty.NAME");
}

static bool read_name(struct policy_reading *r, const struct doc_node *map, struct gw_policy *out)
{
    bool there;

    if (!policy_text(r, map, "name", GW_POLICY_NAME_MAX, &out->name, &there)) {
        if (!there)
            policy_error(r, CC3202, map, "a policy has no name");
        return false;
    }
    if (!slice_is(out->name, "Unlimited"))
        return true;
    diag_help(policy_error(r, CC3203, doc_get(map, "name"), "Unlimited is no policy"),
              "it is always there, and is no limit; remove this one");
    return false;
}

void policy_read_item(struct policy_reading *r, enum gw_level level, const struct doc_node *node)
{
    static const char *const names[] = {
        "name",   "description",      POLICY_QUOTA_MEMBERS, "window",      "away",
        "shadow", "stopOnQuotaReach", "conditionGroups",    "keyTemplate", "conditions"};
    enum { ALL = sizeof(names) / sizeof(names[0]) };
    struct gw_policy policy = {.level = level, .stop = true, .key_template = SLICE("")}, *out;
    const char *known[ALL];
    size_t n = 0;

    for (size_t i = 0; i < ALL; i++)
        if ((level == GW_LEVEL_API || strcmp(names[i], "conditionGroups") != 0) &&
            (level == GW_LEVEL_CUSTOM || i < ALL - 2))
            known[n++] = names[i];
    if (!policy_is_map(r, node, "a policy", known, n))
        return;
    policy.origin = doc_place(r->doc, node);
    policy_read_quota(r, node, "a policy", &policy.quota, &policy.burst);
    read_window(r, node, &policy);
    policy_check_burst(r, node, &policy.quota, &policy.burst, policy.sliding);
    read_away(r, node, &policy);
    read_bool(r, node, "shadow", &policy.shadow);
    read_bool(r, node, "stopOnQuotaReach", &policy.stop);
    if (level == GW_LEVEL_API)
        policy_read_groups(r, doc_get(node, "conditionGroups"), &policy);
    if (level == GW_LEVEL_CUSTOM) {
        read_template(r, node, &policy);
        policy_read_conditions(r, doc_get(node, "conditions"), &policy.conditions,
                               &policy.n_conditions);
    }
    if (!read_name(r, node, &policy))
        return;
    out = project_list_add(r->build, &r->policies, sizeof(*out));
    if (out != NULL)
        *out = policy;
}
