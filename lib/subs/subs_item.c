/* The elements of a subscription file. */
#include "subs/subs_item.h"

#include <limits.h>

enum type { TEXT, NUMBER, BOOL, ATTRIBUTES, IGNORED };

/* A member of an element. What is not required has `def` for a default; IGNORED members are those
 * that the control plane sends and nothing here needs. */
struct member {
    const char *name;
    enum type type;
    bool required;
    const char *def;
    const char *const *choices; /* of a TEXT; NULL: any */
};

static const char *const key_types[] = {"PRODUCTION", "SANDBOX", NULL};
static const char *const states[] = {
#define X(name) #name,
    SUBS_STATES(X)
#undef X
        NULL};
static const char *const quota_types[] = {"requestCount", "bandwidthVolume", "eventCount", NULL};
static const char *const statuses[] = {"CREATED",    "PUBLISHED", "PROTOTYPED", "BLOCKED",
                                       "DEPRECATED", "RETIRED",   NULL};

#define END                            \
    {                                  \
        NULL, IGNORED, false, "", NULL \
    }
#define UNUSED(name)                   \
    {                                  \
        name, IGNORED, false, "", NULL \
    }

/* Members that are used stand in the order in which the functions below take them. */
enum { APP_UUID, APP_ID, APP_NAME, APP_OWNER, APP_POLICY, APP_TENANT, APP_ATTRIBUTES };
static const struct member application_members[] = {
    {"uuid", TEXT, true, "", NULL},
    {"id", NUMBER, true, "", NULL},
    {"name", TEXT, true, "", NULL},
    {"subName", TEXT, false, "", NULL},
    {"policy", TEXT, false, "Unlimited", NULL},
    {"tenantDomain", TEXT, false, "", NULL},
    {"attributes", ATTRIBUTES, false, "", NULL},
    UNUSED("tokenType"),
    UNUSED("groupIds"),
    UNUSED("subId"),
    UNUSED("tenantId"),
    UNUSED("organization"),
    END,
};

enum { KEY_CONSUMER, KEY_MANAGER, KEY_APPLICATION, KEY_TYPE };
static const struct member key_members[] = {
    {"consumerKey", TEXT, true, "", NULL},
    {"keyManager", TEXT, true, "", NULL},
    {"applicationUUID", TEXT, true, "", NULL},
    {"keyType", TEXT, false, "PRODUCTION", key_types},
    UNUSED("applicationId"),
    END,
};

enum { SUB_APPLICATION, SUB_API, SUB_POLICY, SUB_STATE };
static const struct member subscription_members[] = {
    {"applicationUUID", TEXT, true, "", NULL},
    {"apiUUID", TEXT, true, "", NULL},
    {"policyId", TEXT, false, "Unlimited", NULL},
    {"subscriptionState", TEXT, false, "UNBLOCKED", states},
    UNUSED("subscriptionId"),
    UNUSED("subscriptionUUID"),
    UNUSED("apiId"),
    UNUSED("appId"),
    UNUSED("timeStamp"),
    END,
};

enum { POLICY_NAME, POLICY_QUOTA, POLICY_STOP };
static const struct member application_policy_members[] = {
    {"name", TEXT, true, "", NULL},
    {"quotaType", TEXT, false, "requestCount", quota_types},
    UNUSED("id"),
    UNUSED("tenantId"),
    UNUSED("tenantDomain"),
    UNUSED("defaultLimit"),
    END,
};
static const struct member subscription_policy_members[] = {
    {"name", TEXT, true, "", NULL},
    {"quotaType", TEXT, false, "requestCount", quota_types},
    {"stopOnQuotaReach", BOOL, false, "true", NULL},
    UNUSED("rateLimitCount"),
    UNUSED("rateLimitTimeUnit"),
    UNUSED("graphQLMaxDepth"),
    UNUSED("graphQLMaxComplexity"),
    UNUSED("id"),
    UNUSED("tenantId"),
    UNUSED("tenantDomain"),
    UNUSED("defaultLimit"),
    END,
};

enum { API_UUID, API_STATUS };
static const struct member api_members[] = {
    {"uuid", TEXT, true, "", NULL},
    {"status", TEXT, false, "", statuses},
    UNUSED("apiId"),
    UNUSED("provider"),
    UNUSED("name"),
    UNUSED("version"),
    UNUSED("context"),
    UNUSED("policy"),
    UNUSED("apiType"),
    UNUSED("isDefaultVersion"),
    UNUSED("urlMappings"),
    UNUSED("organization"),
    END,
};

enum { MEMBERS_MAX = 16 };

struct value {
    struct slice text;
    uint64_t number;
    bool yes;
    const struct doc_node *node; /* NULL: absent */
};

/* An element on its way into the store. */
struct item {
    struct subs_builder *b;
    const struct doc *doc;
    const struct doc_node *node;
    struct diag *diag;
    struct place place;
    struct value values[MEMBERS_MAX];
};

/* --- into the store -----------------------------------------------------------------------------
 */

static size_t take_attributes(const struct doc_node *map, struct subs_attribute *out)
{
    size_t n = 0;

    for (; map != NULL && n < map->n; n++)
        out[n] = (struct subs_attribute){map->entries[n].key->text, map->entries[n].value->text};
    return n;
}

static int take_application(const struct item *it, struct place *earlier)
{
    const struct value *v = it->values;
    struct subs_attribute attributes[SUBS_MAX_ATTRIBUTES];
    struct subs_new_application a = {
        .uuid = v[APP_UUID].text,
        .name = v[APP_NAME].text,
        .owner = v[APP_OWNER].text,
        .tenant = v[APP_TENANT].text,
        .policy = v[APP_POLICY].text,
        .id = (int64_t)v[APP_ID].number,
        .attributes = attributes,
        .n_attributes = take_attributes(v[APP_ATTRIBUTES].node, attributes),
    };

    return subs_add_application(it->b, &a, it->place, earlier);
}

static int take_key(const struct item *it, struct place *earlier)
{
    const struct value *v = it->values;

    return subs_add_key(it->b, v[KEY_CONSUMER].text, v[KEY_MANAGER].text, v[KEY_APPLICATION].text,
                        slice_is(v[KEY_TYPE].text, "SANDBOX"), it->place, earlier);
}

static int take_subscription(const struct item *it, struct place *earlier)
{
    const struct value *v = it->values;

    return subs_add(it->b, v[SUB_APPLICATION].text, v[SUB_API].text, v[SUB_POLICY].text,
                    subs_state_parse(v[SUB_STATE].text), it->place, earlier);
}

static int take_application_policy(const struct item *it, struct place *earlier)
{
    const struct value *v = it->values;
    const struct subs_policy p = {
        .name = v[POLICY_NAME].text,
        .bandwidth = slice_is(v[POLICY_QUOTA].text, "bandwidthVolume"),
        .place = it->place,
    };

    return subs_add_policy(it->b, true, &p, earlier);
}

static int take_subscription_policy(const struct item *it, struct place *earlier)
{
    const struct value *v = it->values;
    const struct subs_policy p = {
        .name = v[POLICY_NAME].text,
        .bandwidth = slice_is(v[POLICY_QUOTA].text, "bandwidthVolume"),
        .stop_on_quota_reach = v[POLICY_STOP].yes,
        .place = it->place,
    };

    return subs_add_policy(it->b, false, &p, earlier);
}

static int take_api(const struct item *it, struct place *earlier)
{
    return subs_add_api(it->b, it->values[API_UUID].text, it->values[API_STATUS].text, it->place,
                        earlier);
}

/* `unique` says what two elements must not share. */
static const struct {
    const char *name;
    const struct member *members;
    int (*take)(const struct item *it, struct place *earlier);
    const char *unique;
} lists[LIST_COUNT] = {
    [LIST_APPLICATIONS] = {"applications", application_members, take_application, "uuid or id"},
    [LIST_KEYS] = {"applicationKeyMappings", key_members, take_key, "consumerKey and keyManager"},
    [LIST_SUBSCRIPTIONS] = {"subscriptions", subscription_members, take_subscription,
                            "applicationUUID and apiUUID"},
    [LIST_APPLICATION_POLICIES] = {"applicationPolicies", application_policy_members,
                                   take_application_policy, "name"},
    [LIST_SUBSCRIPTION_POLICIES] = {"subscriptionPolicies", subscription_policy_members,
                                    take_subscription_policy, "name"},
    [LIST_APIS] = {"apis", api_members, take_api, "uuid"},
};

const char *subs_list_name(enum subs_list list)
{
    return lists[list].name;
}

enum subs_list subs_list_parse(struct slice name)
{
    unsigned list = 0;

    while (list < LIST_COUNT && !slice_is(name, lists[list].name))
        list++;
    return (enum subs_list)list;
}

/* --- out of the document ------------------------------------------------------------------------
 */

static bool check_text(struct item *it, const struct doc_node *node, const char *what,
                       struct slice text)
{
    const char *fault = text.n == 0               ? "is empty"
                        : text.n > SUBS_MAX_TEXT  ? "is longer than 1024 bytes"
                        : slice_has_control(text) ? "has a control character"
                                                  : NULL;

    if (fault != NULL)
        diag_error(it->diag, CC3073, doc_place(it->doc, node), "%s %s", what, fault);
    return fault == NULL;
}

static bool check_choice(struct item *it, const struct doc_node *node, const struct member *m,
                         struct slice text)
{
    struct diag_item *finding;
    const char *near;
    size_t n = 0;

    if (m->choices == NULL)
        return true;
    for (; m->choices[n] != NULL; n++)
        if (slice_is(text, m->choices[n]))
            return true;
    finding = diag_error(it->diag, CC3073, doc_place(it->doc, node), "%s cannot be '%" PRIslice "'",
                         m->name, SLICE_ARG(text));
    near = nearest_word(text, m->choices, n);
    diag_help(finding,
              near != NULL ? "did you mean %s?" : "%s, for example; see docs/subscriptions.md",
              near != NULL ? near : m->choices[0]);
    return false;
}

static bool read_attributes(struct item *it, const struct doc_node *node)
{
    bool good = doc_is_map(it->doc, node, "attributes", it->diag);

    if (good && node->n > SUBS_MAX_ATTRIBUTES) {
        diag_error(it->diag, CC3073, doc_place(it->doc, node),
                   "attributes has %zu members, at most %d"
                   " are taken",
                   node->n, (int)SUBS_MAX_ATTRIBUTES);
        return false;
    }
    for (size_t i = 0; good && i < node->n; i++) {
        const struct doc_entry *e = &node->entries[i];
        struct slice text;

        good = check_text(it, e->key, "the name of an attribute", e->key->text) &&
               doc_text(it->doc, e->value, "an attribute", it->diag, &text) == CC_OK &&
               (text.n == 0 || check_text(it, e->value, "an attribute", text));
    }
    return good;
}

static bool read_member(struct item *it, const struct member *m, const struct doc_node *node,
                        struct value *out)
{
    out->node = node;
    switch (m->type) {
    case TEXT:
        return doc_text(it->doc, node, m->name, it->diag, &out->text) == CC_OK &&
               check_text(it, node, m->name, out->text) && check_choice(it, node, m, out->text);
    case NUMBER:
        return doc_u64(it->doc, node, m->name, 0, INT_MAX, it->diag, &out->number) == CC_OK;
    case BOOL:
        return doc_bool(it->doc, node, m->name, it->diag, &out->yes) == CC_OK;
    case ATTRIBUTES:
        return read_attributes(it, node);
    case IGNORED:
        return true;
    }
    return false;
}

static bool report_unknown(struct item *it, const struct doc_node *key, enum subs_list list)
{
    const struct member *members = lists[list].members;
    const char *names[MEMBERS_MAX], *near;
    struct diag_item *finding;
    size_t n = 0;

    for (; members[n].name != NULL; n++)
        names[n] = members[n].name;
    finding = diag_error(it->diag, CC3070, doc_place(it->doc, key),
                         "an element of %s has no '%" PRIslice "'", lists[list].name,
                         SLICE_ARG(key->text));
    near = nearest_word(key->text, names, n);
    if (near != NULL)
        diag_help(finding, "did you mean %s?", near);
    return false;
}

/* Null is the same as absent: so the control plane writes it. */
static bool read_members(struct item *it, enum subs_list list)
{
    const struct member *members = lists[list].members;
    bool good = true;

    for (size_t i = 0; i < it->node->n; i++) {
        const struct doc_entry *e = &it->node->entries[i];
        size_t m = 0;

        while (members[m].name != NULL && !slice_is(e->key->text, members[m].name))
            m++;
        if (members[m].name == NULL)
            good = report_unknown(it, e->key, list);
        else if (e->value->type != DOC_NULL)
            good = read_member(it, &members[m], e->value, &it->values[m]) && good;
    }
    return good;
}

static bool fill_absent(struct item *it, enum subs_list list)
{
    bool good = true;

    for (size_t m = 0; lists[list].members[m].name != NULL; m++) {
        const struct member *member = &lists[list].members[m];

        if (it->values[m].node != NULL)
            continue;
        it->values[m].text = slice_of(member->def);
        it->values[m].yes = slice_is(it->values[m].text, "true");
        if (member->required) {
            diag_error(it->diag, CC3071, it->place, "an element of %s lacks '%s'", lists[list].name,
                       member->name);
            good = false;
        }
    }
    return good;
}

static void report_duplicate(const struct item *it, enum subs_list list, struct place earlier)
{
    struct diag_item *finding =
        diag_error(it->diag, CC3072, it->place, "another element of %s has the same %s",
                   lists[list].name, lists[list].unique);

    if (earlier.source != NULL)
        diag_help(finding, "it is at %s:%u:%u", earlier.source->name, earlier.line, earlier.col);
}

int subs_item_read(struct subs_builder *b, enum subs_list list, const struct doc *doc,
                   const struct doc_node *node, struct diag *diag)
{
    struct item it = {
        .b = b, .doc = doc, .node = node, .diag = diag, .place = doc_place(doc, node)};
    struct place earlier = PLACE_NONE;
    bool good;
    int rc;

    if (!doc_is_map(doc, node, lists[list].name, diag))
        return CC_OK;
    good = read_members(&it, list);
    if (!fill_absent(&it, list) || !good)
        return CC_OK;
    rc = lists[list].take(&it, &earlier);
    if (rc == CC_EEXIST)
        report_duplicate(&it, list, earlier);
    return rc == CC_EEXIST ? CC_OK : rc;
}
