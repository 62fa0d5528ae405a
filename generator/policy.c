#include "generator/policy_internal.h"

#include "crypto/crypto.h"
#include "generator/templates.h"

#include <errno.h>
#include <stdlib.h>

enum { FILE_MAX_BYTES = 16 << 20, NEAREST_MAX = 256 };

static const char *const lists[] = {
#define X(name, word, list) list,
    GW_LEVELS(X)
#undef X
        "denyRules"};

enum { N_LISTS = sizeof(lists) / sizeof(lists[0]) };

bool policy_is_map(struct policy_reading *r, const struct doc_node *node, const char *what,
                   const char *const *names, size_t n)
{
    if (!doc_is_map(r->doc, node, what, r->build->diag))
        return false;
    for (size_t i = 0; i < node->n; i++) {
        const struct doc_node *key = node->entries[i].key;
        struct diag_item *item;
        const char *near;
        size_t k = 0;

        while (k < n && !slice_is(key->text, names[k]))
            k++;
        if (k < n)
            continue;
        item = policy_error(r, CC3201, key, "%s has no member '%" PRIslice "'", what,
                            SLICE_ARG(key->text));
        near = nearest_word(key->text, names, n);
        if (near != NULL)
            diag_help(item, "did you mean %s?", near);
    }
    return true;
}

bool policy_text(struct policy_reading *r, const struct doc_node *map, const char *key, size_t max,
                 struct slice *out, bool *there)
{
    const struct doc_node *node = doc_get(map, key);
    struct slice text = SLICE_NONE;

    *there = node != NULL;
    if (node == NULL || doc_text(r->doc, node, key, r->build->diag, &text) != CC_OK)
        return false;
    if (text.n == 0 || text.n > max || slice_has_control(text)) {
        policy_error(r, CC3203, node, "%s is %s", key,
                     text.n == 0    ? "empty"
                     : text.n > max ? "too long"
                                    : "text with a control character");
        return false;
    }
    *out = text;
    return true;
}

/* --- files --------------------------------------------------------------------------------------
 */

static void read_list(struct policy_reading *r, size_t list, const struct doc_node *node)
{
    bool levels = list < GW_LEVEL_COUNT;

    if (node->type == DOC_NULL)
        return;
    if (!doc_is_list(r->doc, node, lists[list], r->build->diag)) {
        r->build->policies_missing |= levels;
        return;
    }
    for (size_t i = 0; i < node->n && r->build->rc == CC_OK; i++) {
        size_t before = r->policies.n;

        if (!levels) {
            policy_read_deny(r, node->entries[i].value);
            continue;
        }
        policy_read_item(r, (enum gw_level)list, node->entries[i].value);
        r->build->policies_missing |= r->policies.n == before;
    }
}

static void read_document(struct policy_reading *r, const struct doc *doc)
{
    size_t errors = diag_errors(r->build->diag);
    bool map;

    r->doc = doc;
    if (doc->root->type == DOC_NULL) /* all lines are comments */
        return;
    map = policy_is_map(r, doc->root, "a policy file", lists, N_LISTS);
    r->build->policies_missing |= diag_errors(r->build->diag) > errors; /* a misspelled list */
    if (!map)
        return;
    for (size_t i = 0; i < N_LISTS; i++) {
        const struct doc_node *node = doc_get(doc->root, lists[i]);

        if (node != NULL)
            read_list(r, i, node);
    }
}

static void read_bytes(struct policy_reading *r, struct slice text, const char *name)
{
    struct doc *doc;
    int rc = doc_read(&doc, text, name, r->build->arena, r->build->diag);

    if (rc == CC_ENOMEM)
        r->build->rc = rc;
    else if (rc == CC_OK)
        read_document(r, doc);
    else
        r->build->policies_missing = true;
}

static void add_input(struct project_build *build, const char *name, struct slice text)
{
    struct project_input *input = project_list_add(build, &build->inputs, sizeof(*input));
    char hex[65];

    if (input == NULL || crypto_sha256_hex(text, hex) != CC_OK) {
        build->rc = CC_ENOMEM;
        return;
    }
    input->name = slice_of(name);
    input->sha256 = arena_dup(build->arena, slice_of(hex));
    if (input->sha256.p == NULL)
        build->rc = CC_ENOMEM;
}

static void report_file(struct project_build *build, const char *path, const char *fault)
{
    struct source *source = project_alloc(build, 1, sizeof(*source));

    build->policies_missing = true;
    if (source == NULL)
        return;
    source->name = path;
    diag_help(diag_error(build->diag, CC1001, place_file(source), "%s", fault),
              "the setting `policies` names the directory of throttling policies");
}

static void read_file(struct policy_reading *r, const char *path)
{
    struct slice text = SLICE_NONE;
    int rc = file_read(r->build->arena, path, FILE_MAX_BYTES, &text);

    if (rc == CC_ENOMEM)
        r->build->rc = rc;
    else if (rc != CC_OK)
        report_file(r->build, path, rc == CC_EINVAL ? "it is no regular file" : cc_strerror(rc));
    if (rc != CC_OK)
        return;
    add_input(r->build, path, text);
    read_bytes(r, text, path);
}

static void read_directory(struct policy_reading *r, const char *path)
{
    struct dirent **entries = NULL;
    int n = doc_list(path, &entries);

    if (n < 0) {
        report_file(r->build, path,
                    errno == ENOTDIR ? "it is no directory" : cc_strerror(cc_from_errno(errno)));
        return;
    }
    if (n == 0)
        report_file(r->build, path, "the directory has no *.yaml, *.yml or *.json");
    for (int i = 0; i < n; i++) {
        struct slice name = arena_printf(r->build->arena, "%s/%s", path, entries[i]->d_name);

        if (name.p == NULL)
            r->build->rc = CC_ENOMEM;
        else if (r->build->rc == CC_OK)
            read_file(r, name.p);
        free(entries[i]);
    }
    free(entries);
}

static void read_shipped(struct policy_reading *r)
{
    for (const struct template_file *f = policy_files; f->name != NULL; f++) {
        struct slice name = arena_printf(r->build->arena, "built-in policies/%s", f->name);

        if (name.p == NULL)
            r->build->rc = CC_ENOMEM;
        if (r->build->rc == CC_OK)
            read_bytes(r, slice_of(f->text), name.p);
    }
}

/* --- into the model -----------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    const struct gw_policy *x = a, *y = b;

    return x->level != y->level ? (x->level < y->level ? -1 : 1) : slice_cmp(x->name, y->name);
}

static int by_value(const void *a, const void *b)
{
    const struct gw_deny_rule *x = a, *y = b;
    int order = x->kind != y->kind       ? (x->kind < y->kind ? -1 : 1)
                : x->invert != y->invert ? (y->invert ? -1 : 1)
                                         : slice_cmp(x->value, y->value);

    if (order != 0)
        return order;
    return x->from_s != y->from_s ? (x->from_s < y->from_s ? -1 : 1)
                                  : (x->until_s > y->until_s) - (x->until_s < y->until_s);
}

static bool is_before(struct place a, struct place b)
{
    return source_same(a.source, b.source) ? a.line < b.line || (a.line == b.line && a.col < b.col)
                                           : strcmp(a.source->name, b.source->name) < 0;
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return is_before(*x, *y) ? -1 : is_before(*y, *x);
}

/* Where the first stands that is too many of `n`, whose places are sorted here. */
static void report_too_many(struct project_build *build, struct place *places, size_t n, size_t max,
                            const char *what)
{
    if (n <= max || places == NULL)
        return;
    qsort(places, n, sizeof(*places), by_place);
    diag_help(diag_error(build->diag, CC3210, places[max], "there are more than %zu %s", max, what),
              "this is number %zu of %zu, in the order of files and lines", max + 1, n);
}

static void report_twice(struct project_build *build, struct place place, struct place other,
                         const char *what, struct slice name)
{
    bool first = is_before(place, other);
    struct place earlier = first ? place : other;

    diag_help(diag_error(build->diag, CC3204, first ? other : place,
                         "the %s '%" PRIslice "' is there already", what, SLICE_ARG(name)),
              "at %s:%u:%u; remove one", earlier.source->name, earlier.line, earlier.col);
}

/* Which claims and headers have to be looked at costs every request, wherever they are. */
static void check_names(struct project_build *build, const struct gw_policy *policies, size_t n,
                        enum gw_condition_kind kind, size_t max)
{
    struct slice seen[GW_CLAIMS_MAX > GW_HEADERS_MAX ? GW_CLAIMS_MAX : GW_HEADERS_MAX];
    struct gw_condition_walk walk = {.policies = policies, .n = n};
    const struct gw_condition *c;
    size_t n_seen = 0;

    while ((c = gw_condition_next(&walk)) != NULL) {
        size_t i = 0;

        while (i < n_seen && !slice_eq(seen[i], c->name))
            i++;
        if (c->kind != kind || i < n_seen)
            continue;
        if (n_seen < max) {
            seen[n_seen++] = c->name;
            continue;
        }
        diag_error(build->diag, CC3210, c->origin, "conditions look at more than %zu %s", max,
                   kind == GW_CONDITION_CLAIM ? "claims" : "headers");
        return;
    }
}

static void check_policy_count(struct project_build *build, const struct gw_policy *list, size_t n)
{
    struct place *places = n > GW_CUSTOM_MAX ? project_alloc(build, n, sizeof(*places)) : NULL;
    size_t custom = 0;

    for (size_t i = 0; places != NULL && i < n; i++)
        if (list[i].level == GW_LEVEL_CUSTOM)
            places[custom++] = list[i].origin;
    report_too_many(build, places, custom, GW_CUSTOM_MAX,
                    "custom policies; each request asks for all of them");
    for (size_t i = 0; places != NULL && i < n; i++)
        places[i] = list[i].origin;
    report_too_many(build, places, n, GW_POLICIES_MAX, "policies");
}

static void finish_policies(struct policy_reading *r, struct gw_model *model)
{
    static const char *const words[] = {
#define X(name, word, list) word " policy",
        GW_LEVELS(X)
#undef X
    };
    struct gw_policy *list = r->policies.items;
    size_t n = r->policies.n;

    if (n > 0)
        qsort(list, n, sizeof(*list), by_name);
    for (size_t i = 0; i < n; i++) {
        policy_check_overlap(r->build, &list[i]);
        if (i > 0 && by_name(&list[i - 1], &list[i]) == 0)
            report_twice(r->build, list[i - 1].origin, list[i].origin, words[list[i].level],
                         list[i].name);
    }
    check_policy_count(r->build, list, n);
    check_names(r->build, list, n, GW_CONDITION_CLAIM, GW_CLAIMS_MAX);
    check_names(r->build, list, n, GW_CONDITION_HEADER, GW_HEADERS_MAX);
    model->policies = list;
    model->n_policies = n;
}

static void check_rule_count(struct project_build *build, const struct gw_deny_rule *list, size_t n)
{
    struct place *places = n > GW_DENY_MAX ? project_alloc(build, n, sizeof(*places)) : NULL;

    for (size_t i = 0; places != NULL && i < n; i++)
        places[i] = list[i].origin;
    report_too_many(build, places, n, GW_DENY_MAX, "deny rules");
}

static void finish_rules(struct policy_reading *r, struct gw_model *model)
{
    struct gw_deny_rule *list = r->rules.items;
    size_t n = r->rules.n;

    if (n > 0)
        qsort(list, n, sizeof(*list), by_value);
    for (size_t i = 1; i < n; i++)
        if (by_value(&list[i - 1], &list[i]) == 0)
            report_twice(r->build, list[i - 1].origin, list[i].origin, "deny rule", list[i].value);
    check_rule_count(r->build, list, n);
    model->deny_rules = list;
    model->n_deny_rules = n;
}

/* A tier that a setting names. */
static void check_unauthenticated(struct project_build *build, const struct gw_model *model)
{
    static const char *const setting = "enforcer.throttling.unauthenticatedTier";
    struct slice tier = model->throttling.unauthenticated_tier;
    struct diag_item *item;
    const char *near;

    if (tier.n == 0 || build->policies_missing ||
        gw_policy_find(model, GW_LEVEL_SUBSCRIPTION, tier) != NULL)
        return;
    item = diag_error(build->diag, CC3208, build->config->throttling.tier_place,
                      "%s is '%" PRIslice "', and no subscription policy has this name", setting,
                      SLICE_ARG(tier));
    near = policy_nearest(model, GW_LEVEL_SUBSCRIPTION, tier, build->arena);
    if (near != NULL)
        diag_help(item, "did you mean %s?", near);
    else
        diag_help(item, "add it to subscriptionPolicies, or set Unlimited");
}

static void read_settings(const struct config *config, struct gw_model *model)
{
    struct gw_throttling *t = &model->throttling;

    t->enabled = config->throttling.enabled;
    t->allow_unknown = slice_is(config->throttling.unknown_tier, "allow");
    t->unauthenticated_tier = config->throttling.unauthenticated_tier;
    if (t->unauthenticated_tier.p == NULL || slice_is(t->unauthenticated_tier, "Unlimited"))
        t->unauthenticated_tier = SLICE("");
    t->ipv6_prefix_length = (unsigned)config->throttling.ipv6_prefix_length;
    for (size_t i = 0; i < config->throttling.n_headers; i++) {
        t->standard_headers =
            t->standard_headers || slice_is(config->throttling.headers[i], "RateLimit");
        t->legacy_headers =
            t->legacy_headers || slice_is(config->throttling.headers[i], "X-RateLimit");
    }
}

static void finish(struct policy_reading *r, struct gw_model *model)
{
    if (r->build->rc != CC_OK)
        return;
    read_settings(r->build->config, model);
    finish_policies(r, model);
    finish_rules(r, model);
    check_unauthenticated(r->build, model);
}

void policy_read(struct project_build *build, struct gw_model *model)
{
    struct policy_reading r = {.build = build};

    if (build->config->policies.n > 0)
        read_directory(&r, build->config->policies.p);
    else
        read_shipped(&r);
    finish(&r, model);
}

void policy_read_text(struct project_build *build, struct slice text, const char *name,
                      struct gw_model *model)
{
    struct policy_reading r = {.build = build};

    read_bytes(&r, text, name);
    finish(&r, model);
}

/* --- tiers --------------------------------------------------------------------------------------
 */

const char *policy_nearest(const struct gw_model *model, enum gw_level level, struct slice name,
                           struct arena *arena)
{
    const char *names[NEAREST_MAX] = {"Unlimited"};
    size_t n = 1;

    for (size_t i = 0; i < model->n_policies && n < NEAREST_MAX; i++) {
        struct slice copy;

        if (model->policies[i].level != level)
            continue;
        copy = arena_dup(arena, model->policies[i].name);
        if (copy.p == NULL)
            return NULL;
        names[n++] = copy.p;
    }
    return nearest_word(name, names, n);
}

/* The one advanced policy whose name differs from `name` in letter case only. */
static const struct gw_policy *find_in_other_case(const struct gw_model *model, struct slice name)
{
    const struct gw_policy *found = NULL;

    for (size_t i = 0; i < model->n_policies; i++) {
        const struct gw_policy *p = &model->policies[i];

        if (p->level != GW_LEVEL_API || !slice_eq_nocase(p->name, name))
            continue;
        if (found != NULL)
            return NULL;
        found = p;
    }
    return found;
}

/* The tier that `tier` stands for: itself, or where it is no name of a policy the one that is
 * plainly meant: documents write "10kPerMin" for 10KPerMin, and a limit is better than none. */
static struct slice meant_tier(struct project_build *build, const struct gw_model *model,
                               struct slice tier, struct place place)
{
    const struct gw_policy *meant;
    struct diag_item *item;
    const char *near;

    if (tier.n == 0 || build->policies_missing || gw_policy_find(model, GW_LEVEL_API, tier) != NULL)
        return tier;
    meant = find_in_other_case(model, tier);
    item = diag_add(build->diag, meant != NULL ? DIAG_WARNING : DIAG_ERROR, CC3208, place,
                    "no advanced policy has the name '%" PRIslice "'", SLICE_ARG(tier));
    near = meant == NULL ? policy_nearest(model, GW_LEVEL_API, tier, build->arena) : NULL;
    if (meant != NULL)
        diag_help(item, "%" PRIslice " is taken; write it like this", SLICE_ARG(meant->name));
    else if (near != NULL)
        diag_help(item, "did you mean %s?", near);
    else
        diag_help(item, "`cc-gen show policies` lists those that there are; the setting `policies` "
                        "names the directory of your own");
    return meant != NULL ? meant->name : tier;
}

/* The operations of a resource, copied where a tier has to be spelled otherwise. */
static const struct gw_operation *meant_operations(struct project_build *build,
                                                   const struct gw_model *model,
                                                   const struct gw_resource *r)
{
    struct gw_operation *own = NULL;

    for (size_t i = 0; i < r->n_operations; i++) {
        const struct gw_operation *o = &r->operations[i];
        struct slice meant = meant_tier(build, model, o->tier, o->tier_declared);

        if (slice_eq(meant, o->tier))
            continue;
        if (own == NULL)
            own = project_copy(build, r->operations, r->n_operations, sizeof(*own));
        if (own == NULL)
            break;
        own[i].tier = meant;
    }
    return own != NULL ? own : r->operations;
}

static const struct gw_resource *
meant_resources(struct project_build *build, const struct gw_model *model, const struct gw_api *api)
{
    struct gw_resource *own = NULL;

    for (size_t i = 0; i < api->n_resources; i++) {
        const struct gw_resource *r = &api->resources[i];
        const struct gw_operation *meant = meant_operations(build, model, r);

        if (meant == r->operations)
            continue;
        if (own == NULL)
            own = project_copy(build, api->resources, api->n_resources, sizeof(*own));
        if (own == NULL)
            break;
        own[i].operations = meant;
    }
    return own != NULL ? own : api->resources;
}

/* Tiers of certificates of clients (client_certificates.yaml) are those of subscriptions. */
static void check_clients(struct project_build *build, const struct gw_model *model,
                          const struct gw_api *api)
{
    for (size_t i = 0; i < api->n_clients && !build->policies_missing; i++) {
        const struct gw_client *c = &api->clients[i];
        struct diag_item *item;
        const char *near;

        if (c->tier.n == 0 || slice_is(c->tier, "Unlimited") ||
            gw_policy_find(model, GW_LEVEL_SUBSCRIPTION, c->tier) != NULL)
            continue;
        item = diag_error(build->diag, CC3208, c->origin,
                          "the certificate '%" PRIslice "' has the tierName '%" PRIslice
                          "', and no subscription policy has this name",
                          SLICE_ARG(c->alias), SLICE_ARG(c->tier));
        near = policy_nearest(model, GW_LEVEL_SUBSCRIPTION, c->tier, build->arena);
        if (near != NULL)
            diag_help(item, "did you mean %s?", near);
        else
            diag_help(item, "add it to subscriptionPolicies, or leave it out");
    }
}

void policy_check_tiers(struct project_build *build, const struct gw_model *model)
{
    struct gw_api *apis = build->apis.items;
    const struct gw_resource *before = NULL;

    for (size_t i = 0; i < build->apis.n; i++) {
        struct gw_api *api = &apis[i];

        /* an API on several virtual hosts, or served without its version, is told once */
        if (i > 0 && api->resources == before) {
            api->tier = apis[i - 1].tier;
            api->resources = apis[i - 1].resources;
            continue;
        }
        before = api->resources;
        check_clients(build, model, api);
        api->tier = meant_tier(build, model, api->tier, api->tier_declared);
        api->resources = meant_resources(build, model, api);
    }
}
