/* project: security schemes and requirements.
 *
 * The rule above all: whatever cannot be enforced as it is written makes an operation stricter,
 * never more open.
 *
 *   no security at all             any valid token
 *   [{oauth: [a, b]}, {oauth: [c]}]  a valid token with one of a, b, or with c
 *   [{oauth: [a], other: [c]}]     a valid token with both
 *   [{key: []}]                    an API key where the scheme `key` says: in a header or in the
 * query
 *   [{oauth: [a]}, {mtls: []}]     ... or a client certificate that the API knows
 *   an alternative that names a scheme of a kind that is not supported, or that is not declared
 *                                  left out (CC2102, CC2101); when none is left, the operation is
 *                                  closed: 401 whatever the token
 *   {} and []                      do not open anything (CC2109): the contract opens operations by
 *                                  x-wso2-disable-security alone
 *
 * Under `securityScheme: [oauth2]` in api.yaml the document's other schemes do not count at all
 * (api-projects 2.3), but scopes of its OAuth 2 schemes are kept, whatever their names: the
 * contract forgets all but those of the one named "default". Under `api_key` an API key in the
 * header or query parameter `apikey` is an alternative to them, or the only way in. */
#include "generator/project_internal.h"

#include <stdlib.h>

enum { CANDIDATES_MAX = 256, REF_DEPTH_MAX = 16, WORK_MAX = 100000000, KEY_NAME_MAX = 256 };

enum scheme_kind {
    SCHEME_UNDECLARED,
    SCHEME_TOKEN, /* oauth2, openIdConnect, http bearer: a JWT in the Authorization header */
    SCHEME_KEY_IN_HEADER,
    SCHEME_KEY_IN_QUERY,
    SCHEME_MUTUAL_TLS,
    SCHEME_KEY_IN_COOKIE, /* this and the rest: not supported */
    SCHEME_KEY_WITHOUT_NAME,
    SCHEME_KEY_WITH_SCOPES,
    SCHEME_BASIC,
    SCHEME_OTHER
};

static const char *const scheme_names[] = {"undeclared",
                                           "a token",
                                           "an API key in a header",
                                           "an API key in the query",
                                           "mutual TLS",
                                           "an API key in a cookie",
                                           "an API key at a place that none can have",
                                           "an API key with scopes",
                                           "HTTP basic authentication",
                                           "an unknown type"};

static bool is_key(enum scheme_kind kind)
{
    return kind == SCHEME_KEY_IN_HEADER || kind == SCHEME_KEY_IN_QUERY;
}

static bool is_supported_kind(enum scheme_kind kind)
{
    return kind == SCHEME_TOKEN || kind == SCHEME_MUTUAL_TLS || is_key(kind);
}

/* The map of declared schemes; NULL when there is none. */
static const struct doc_node *declared_schemes(const struct project *p)
{
    return p->openapi3 ? doc_path(p->openapi->root, "components.securitySchemes")
                       : doc_get(p->openapi->root, "securityDefinitions");
}

/* Is it a map with members to look at? A key without a value is one that is not there. */
static bool is_map(struct project *p, const struct doc_node *node, const char *what)
{
    return node != NULL && node->type != DOC_NULL &&
           doc_is_map(p->openapi, node, what, p->build->diag);
}

/* Flows of an OAuth 2 scheme: name -> scopes -> description. */
static void check_flows(struct project *p, const struct doc_node *flows)
{
    if (!is_map(p, flows, "flows"))
        return;
    for (size_t i = 0; i < flows->n; i++) {
        const struct doc_node *flow = flows->entries[i].value;

        if (slice_starts(flows->entries[i].key->text, SLICE("x-")))
            continue;
        if (is_map(p, flow, "the flow"))
            (void)is_map(p, doc_get(flow, "scopes"), "scopes");
    }
}

void project_check_schemes(struct project *p)
{
    const struct doc_node *schemes = declared_schemes(p);

    if (p->openapi3 && !is_map(p, doc_get(p->openapi->root, "components"), "components"))
        return;
    if (!is_map(p, schemes, p->openapi3 ? "securitySchemes" : "securityDefinitions"))
        return;
    for (size_t i = 0; i < schemes->n; i++) {
        const struct doc_node *scheme = schemes->entries[i].value;

        if (!is_map(p, scheme, "the security scheme"))
            continue;
        scheme = project_follow(p, scheme, "security scheme", DIAG_WARNING);
        check_flows(p, doc_get(scheme, "flows"));
        (void)is_map(p, doc_get(scheme, "scopes"), "scopes");
    }
}

/* The value of a key that need not be NUL-terminated text; NULL when it is not there. What it costs
 * is added up: a document may hold a million requirements that each look through a million scopes,
 * and is refused before that takes minutes. */
static const struct doc_node *find_key(struct project *p, const struct doc_node *map,
                                       struct slice key)
{
    if (map == NULL || map->type != DOC_MAP)
        return NULL;
    if (p->security_work > WORK_MAX)
        return NULL;
    p->security_work += map->n;
    if (p->security_work > WORK_MAX) {
        diag_help(diag_error(p->build->diag, CC1004, doc_place(p->openapi, map),
                             "there are too many security requirements for so many schemes and "
                             "scopes"),
                  "split the API");
        return NULL;
    }
    for (size_t i = 0; i < map->n; i++) {
        if (slice_eq(map->entries[i].key->text, key))
            return map->entries[i].value;
    }
    return NULL;
}

/* The definition of a scheme, references followed; NULL when it is not declared. */
static const struct doc_node *find_scheme(struct project *p, struct slice name)
{
    const struct doc_node *scheme = find_key(p, declared_schemes(p), name);

    for (unsigned depth = 0; doc_get(scheme, "$ref") != NULL; depth++) {
        if (depth == REF_DEPTH_MAX)
            return NULL;
        scheme = doc_pointer(p->openapi, doc_get(scheme, "$ref")->text);
    }
    return scheme;
}

static enum scheme_kind kind_of_key(const struct doc_node *in, const struct doc_node *name)
{
    if (in == NULL || name == NULL || in->type != DOC_TEXT || name->text.n == 0 ||
        name->text.n > KEY_NAME_MAX || slice_has_control(name->text))
        return SCHEME_KEY_WITHOUT_NAME;
    if (slice_is(in->text, "query"))
        return SCHEME_KEY_IN_QUERY;
    if (slice_is(in->text, "cookie"))
        return SCHEME_KEY_IN_COOKIE;
    return slice_is(in->text, "header") && project_header_is_usable(name->text)
               ? SCHEME_KEY_IN_HEADER
               : SCHEME_KEY_WITHOUT_NAME;
}

static enum scheme_kind kind_of(const struct doc_node *scheme)
{
    const struct doc_node *type = doc_get(scheme, "type");
    const struct doc_node *http = doc_get(scheme, "scheme");

    if (scheme == NULL)
        return SCHEME_UNDECLARED;
    if (type == NULL)
        return SCHEME_OTHER;
    if (slice_is(type->text, "oauth2") || slice_is(type->text, "openIdConnect"))
        return SCHEME_TOKEN;
    if (slice_is(type->text, "apiKey"))
        return kind_of_key(doc_get(scheme, "in"), doc_get(scheme, "name"));
    if (slice_is(type->text, "basic"))
        return SCHEME_BASIC;
    if (slice_is(type->text, "mutualTLS"))
        return SCHEME_MUTUAL_TLS;
    if (!slice_is(type->text, "http") || http == NULL)
        return SCHEME_OTHER;
    /* RFC 9110 11.1: scheme names are compared without case */
    if (slice_eq_nocase(http->text, SLICE("bearer")))
        return SCHEME_TOKEN;
    return slice_eq_nocase(http->text, SLICE("basic")) ? SCHEME_BASIC : SCHEME_OTHER;
}

/* The keys of a map, for nearest_word(). */
static size_t add_keys(const struct doc_node *map, const char **names, size_t n)
{
    for (size_t i = 0; map != NULL && map->type == DOC_MAP && i < map->n && n < CANDIDATES_MAX; i++)
        names[n++] = map->entries[i].key->text.p;
    return n;
}

/* --- scopes --------------------------------------------------------------------------------- */

/* Is the scope one that the flows of an OAuth 2 scheme offer? Other schemes declare none. */
static void check_declared(struct project *p, const struct doc_node *scheme, struct slice scope,
                           struct place place)
{
    const struct doc_node *flows = doc_get(scheme, "flows"), *type = doc_get(scheme, "type");
    const char *names[CANDIDATES_MAX], *near;
    struct diag_item *item;
    size_t n = 0;

    if (type == NULL || !slice_is(type->text, "oauth2") ||
        find_key(p, doc_get(scheme, "scopes"), scope) !=
            NULL) /* OpenAPI 2 has one flow, without a map */
        return;
    n = add_keys(doc_get(scheme, "scopes"), names, n);
    for (size_t i = 0; flows != NULL && flows->type == DOC_MAP && i < flows->n; i++) {
        const struct doc_node *scopes = doc_get(flows->entries[i].value, "scopes");

        if (find_key(p, scopes, scope) != NULL)
            return;
        n = add_keys(scopes, names, n);
    }
    near = nearest_word(scope, names, n);
    item = diag_warning(p->build->diag, CC2107, place,
                        "no flow of the scheme declares the scope \"%" PRIslice "\"",
                        SLICE_ARG(scope));
    if (near != NULL)
        diag_help(item, "did you mean %s?", near);
    else
        diag_help(item, "declare it below scopes: of the scheme, or remove it here");
}

/* RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ). What is no such token could neither
 * be in a token nor be named in a challenge. */
static bool scope_is_usable(struct slice scope)
{
    for (size_t i = 0; i < scope.n; i++) {
        if (scope.p[i] < 0x21 || scope.p[i] > 0x7e || scope.p[i] == '"' || scope.p[i] == '\\')
            return false;
    }
    return scope.n > 0;
}

/* The scopes of one scheme in one alternative; false after a finding. */
static bool read_scopes(struct project *p, const struct doc_node *list,
                        const struct doc_node *scheme, struct gw_need *out)
{
    struct slice *scopes;

    out->origin = doc_place(p->openapi, list);
    if (list->type == DOC_NULL)
        return true;
    if (!doc_is_list(p->openapi, list, "the list of scopes", p->build->diag))
        return false;
    scopes = project_alloc(p->build, list->n, sizeof(*scopes));
    if (scopes == NULL)
        return false;
    for (size_t i = 0; i < list->n; i++) {
        const struct doc_node *node = list->entries[i].value;
        struct place place = doc_place(p->openapi, node);

        if (!project_text(p, p->openapi, node, "a scope", &scopes[i]))
            return false;
        if (!scope_is_usable(scopes[i])) {
            diag_help(diag_error(p->build->diag, CC1203, place, "\"%" PRIslice "\" is not a scope",
                                 SLICE_ARG(scopes[i])),
                      "a scope is printable ASCII without spaces, quotes and backslashes; "
                      "several scopes are several list items");
            return false;
        }
        check_declared(p, scheme, scopes[i], place);
    }
    out->scopes = scopes;
    out->n_scopes = list->n;
    return true;
}

/* --- requirements --------------------------------------------------------------------------- */

static bool has_kind(struct project *p, const struct doc_node *object, enum scheme_kind kind)
{
    for (size_t i = 0; i < object->n; i++) {
        if (kind_of(find_scheme(p, object->entries[i].key->text)) == kind)
            return true;
    }
    return false;
}

/* Does api.yaml say that the scheme does not count? A certificate that is demanded beside a token
 * does: without it the alternative would be weaker than it is written. */
static bool is_discarded(struct project *p, const struct doc_node *object, enum scheme_kind kind)
{
    if (!p->api.only_oauth2 || kind == SCHEME_TOKEN || kind == SCHEME_UNDECLARED)
        return false;
    return kind != SCHEME_MUTUAL_TLS || !has_kind(p, object, SCHEME_TOKEN);
}

/* What one alternative comes to. */
struct alternative {
    const struct doc_node *unsupported; /* the name of its first such scheme; NULL: none */
    enum scheme_kind kind;              /* of that one */
    size_t n;                           /* schemes wanted at once, without discarded ones */
};

static struct alternative look_at(struct project *p, const struct doc_node *object)
{
    struct alternative a = {.kind = SCHEME_TOKEN};

    for (size_t i = 0; i < object->n; i++) {
        enum scheme_kind kind = kind_of(find_scheme(p, object->entries[i].key->text));

        if (is_discarded(p, object, kind))
            continue;
        a.n++;
        if (is_key(kind) && object->entries[i].value->n > 0)
            kind = SCHEME_KEY_WITH_SCOPES; /* keys have none, and none would be asked for */
        if (!is_supported_kind(kind) && a.unsupported == NULL) {
            a.unsupported = object->entries[i].key;
            a.kind = kind;
        }
    }
    return a;
}

static bool is_supported(const struct alternative *a)
{
    return a->n > 0 && a->unsupported == NULL;
}

static struct gw_need need_of(struct project *p, enum scheme_kind kind,
                              const struct doc_node *scheme)
{
    if (kind == SCHEME_MUTUAL_TLS)
        return (struct gw_need){.kind = GW_CERTIFICATE, .name = SLICE("")};
    if (!is_key(kind))
        return (struct gw_need){.kind = GW_TOKEN, .name = SLICE("")};
    if (kind == SCHEME_KEY_IN_QUERY)
        return (struct gw_need){.kind = GW_KEY_IN_QUERY, .name = doc_get(scheme, "name")->text};
    return (struct gw_need){.kind = GW_KEY_IN_HEADER,
                            .name = project_lower(p->build, doc_get(scheme, "name")->text)};
}

/* OpenAPI lets roles stand where scopes would, and nothing says who has which. */
static bool check_certificate(struct project *p, const struct gw_need *need)
{
    if (need->kind != GW_CERTIFICATE)
        return true;
    project_want_clients(p, need->origin);
    if (need->n_scopes == 0)
        return true;
    diag_help(diag_error(p->build->diag, CC1203, need->origin, "a certificate has no scopes"),
              "leave the list empty: []");
    return false;
}

/* A supported alternative of n schemes -> *out; false after a finding. */
static bool read_requirement(struct project *p, const struct doc_node *object, size_t n,
                             struct gw_requirement *out)
{
    struct gw_need *needs = project_alloc(p->build, n, sizeof(*needs));

    out->n_needs = 0;
    for (size_t i = 0; needs != NULL && i < object->n; i++) {
        const struct doc_node *scheme = find_scheme(p, object->entries[i].key->text);
        enum scheme_kind kind = kind_of(scheme);

        if (is_discarded(p, object, kind))
            continue;
        needs[out->n_needs] = need_of(p, kind, scheme);
        if (!read_scopes(p, object->entries[i].value, scheme, &needs[out->n_needs]) ||
            !check_certificate(p, &needs[out->n_needs++]))
            return false;
    }
    out->needs = needs;
    out->origin = needs != NULL ? needs[0].origin : PLACE_NONE;
    return needs != NULL;
}

/* The finding for an alternative that is left out. */
static void leave_out(struct project *p, const struct alternative *a, const char *subject,
                      bool closes)
{
    struct place place = doc_place(p->openapi, a->unsupported);
    const char *effect = closes ? "requests are refused with 401 whatever they bring"
                                : "it is left out; the other alternatives hold";
    const char *names[CANDIDATES_MAX], *near;
    struct diag_item *item;

    if (a->kind == SCHEME_UNDECLARED) {
        near = nearest_word(a->unsupported->text, names, add_keys(declared_schemes(p), names, 0));
        item = diag_warning(p->build->diag, CC2101, place,
                            "%s: security scheme \"%" PRIslice "\" is not declared", subject,
                            SLICE_ARG(a->unsupported->text));
        if (near != NULL)
            diag_help(item, "did you mean %s? As it is, %s", near, effect);
        else
            diag_help(item, "%s", effect);
    } else {
        diag_help(diag_warning(p->build->diag, CC2102, place,
                               "%s: security scheme \"%" PRIslice "\" is %s, which is not "
                               "supported",
                               subject, SLICE_ARG(a->unsupported->text), scheme_names[a->kind]),
                  "%s", effect);
    }
}

static void not_opened(struct project *p, const struct doc_node *node, const char *subject)
{
    diag_help(diag_warning(p->build->diag, CC2109, doc_place(p->openapi, node),
                           "%s: this security does not open it, a token is still needed", subject),
              "write x-wso2-disable-security: true to let everybody in");
}

/* Is it [], or [{}], or more of that? It asks for nothing, and replaces nothing. */
static bool demands_nothing(const struct doc_node *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->entries[i].value->type != DOC_MAP || list->entries[i].value->n > 0)
            return false;
    }
    return true;
}

/* Does any alternative survive? False also when the list has other things than mappings. */
static bool any_supported(struct project *p, const struct doc_node *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct doc_node *object = list->entries[i].value;
        struct alternative a;

        if (object->type != DOC_MAP)
            continue;
        a = look_at(p, object);
        if (is_supported(&a))
            return true;
    }
    return false;
}

/* A list that is not empty -> *out. */
static void read_list(struct project *p, const struct doc_node *list, const char *subject,
                      struct project_security *out)
{
    struct gw_requirement *kept = project_alloc(p->build, list->n, sizeof(*kept));
    bool supported = any_supported(p, list), left_out = false, broken = false;
    size_t n = 0;

    for (size_t i = 0; kept != NULL && i < list->n; i++) {
        const struct doc_node *object = list->entries[i].value;
        struct alternative a;

        if (!doc_is_map(p->openapi, object, "security[]", p->build->diag)) {
            broken = true;
            continue;
        }
        a = look_at(p, object);
        if (object->n == 0) {
            not_opened(p, object, subject);
        } else if (a.n > 0 && !is_supported(&a)) {
            leave_out(p, &a, subject, !supported);
            left_out = true;
        } else if (a.n > 0) {
            if (read_requirement(p, object, a.n, &kept[n]))
                n++;
            else
                broken = true;
        }
        /* a.n == 0: api.yaml has put OAuth 2 in its place; any valid token unless others want more
         */
    }
    out->requirements = kept;
    out->n_requirements = n;
    out->closed = broken || kept == NULL || (n == 0 && left_out);
    if (out->closed)
        out->n_requirements = 0;
}

/* The document's own security, read once. */
static const struct project_security *document_security(struct project *p)
{
    const struct doc_node *list = doc_get(p->openapi->root, "security");

    if (p->security_read)
        return &p->security;
    p->security_read = true;
    if (list == NULL || list->type == DOC_NULL)
        return &p->security;
    if (!doc_is_list(p->openapi, list, "security", p->build->diag))
        p->security.closed = true;
    else if (demands_nothing(list))
        not_opened(p, list, "the document");
    else
        read_list(p, list, "the document", &p->security);
    return &p->security;
}

/* securityScheme: [api_key] of api.yaml: an API key is one more way in, where nothing else is said
 * the only one. */
static void add_api_keys(struct project *p, struct project_security *out)
{
    static const enum gw_credential kinds[] = {GW_KEY_IN_HEADER, GW_KEY_IN_QUERY};
    struct place place = p->api.api_key_place;
    struct gw_requirement *list = project_alloc(p->build, out->n_requirements + 3, sizeof(*list));
    struct gw_need *needs = project_alloc(p->build, 3, sizeof(*needs));
    size_t n = out->n_requirements;

    if (list == NULL || needs == NULL)
        return;
    if (n > 0)
        memcpy(list, out->requirements, n * sizeof(*list));
    if (n == 0 && p->api.only_oauth2 && !out->closed) {
        needs[2] = (struct gw_need){.kind = GW_TOKEN, .name = SLICE(""), .origin = place};
        list[n++] = (struct gw_requirement){&needs[2], 1, place};
    }
    for (size_t i = 0; i < 2; i++) {
        needs[i] = (struct gw_need){.kind = kinds[i], .name = SLICE("apikey"), .origin = place};
        list[n++] = (struct gw_requirement){&needs[i], 1, place};
    }
    *out = (struct project_security){.requirements = list, .n_requirements = n};
}

/* --- certificates of clients, by api.yaml ----------------------------------------------------- */

static bool has_certificate(const struct gw_requirement *r)
{
    for (size_t i = 0; i < r->n_needs; i++) {
        if (r->needs[i].kind == GW_CERTIFICATE)
            return true;
    }
    return false;
}

/* A certificate, and then `from`, or any token when there is none. False: no memory. */
static bool with_certificate(struct project *p, const struct gw_requirement *from,
                             struct gw_requirement *out)
{
    const struct place place = p->api.certificate_place;
    const struct gw_need any = {.kind = GW_TOKEN, .name = SLICE(""), .origin = place};
    const struct gw_requirement token = {&any, 1, place};
    struct gw_need *needs;
    size_t n = 0;

    if (from == NULL)
        from = &token;
    needs = project_alloc(p->build, from->n_needs + 1, sizeof(*needs));
    if (needs == NULL)
        return false;
    if (!has_certificate(from))
        needs[n++] = (struct gw_need){.kind = GW_CERTIFICATE, .name = SLICE(""), .origin = place};
    memcpy(needs + n, from->needs, from->n_needs * sizeof(*needs));
    *out = (struct gw_requirement){needs, n + from->n_needs, from->origin};
    return true;
}

static bool only_certificate(struct project *p, struct gw_requirement *out)
{
    struct gw_need *need = project_alloc(p->build, 1, sizeof(*need));

    if (need == NULL)
        return false;
    *need = (struct gw_need){
        .kind = GW_CERTIFICATE, .name = SLICE(""), .origin = p->api.certificate_place};
    *out = (struct gw_requirement){need, 1, need->origin};
    return true;
}

/* mutualssl_mandatory: each alternative needs a certificate, too; and where the application's
 * security is not mandatory, the certificate is an alternative by itself, after those with a
 * credential that says more of who calls. */
static void demand_certificate(struct project *p, struct project_security *out)
{
    bool alone = p->api.certificate_alone;
    size_t n = 0, room = out->n_requirements + 2;
    struct gw_requirement *list;

    if (!p->api.certificate || (out->closed && !alone))
        return;
    project_want_clients(p, p->api.certificate_place);
    list = project_alloc(p->build, room, sizeof(*list));
    if (list == NULL)
        return;
    for (size_t i = 0; i < out->n_requirements && !out->closed; i++) {
        if (!with_certificate(p, &out->requirements[i], &list[n++]))
            return;
    }
    if (out->n_requirements == 0 && !out->closed && (!alone || p->api.only_oauth2) &&
        !with_certificate(p, NULL, &list[n++]))
        return;
    if (alone && !only_certificate(p, &list[n++]))
        return;
    *out = (struct project_security){.requirements = list, .n_requirements = n};
}

/* --- of an operation -------------------------------------------------------------------------- */

static void read_own(struct project *p, const struct doc_node *operation, const char *subject,
                     struct project_security *out)
{
    const struct doc_node *list = doc_get(operation, "security");

    if (list == NULL || list->type == DOC_NULL) {
        *out = *document_security(p);
    } else if (!doc_is_list(p->openapi, list, "security", p->build->diag)) {
        out->closed = true;
    } else if (demands_nothing(list)) {
        /* the contract lets an empty list replace nothing */
        not_opened(p, list, subject);
        *out = *document_security(p);
    } else {
        read_list(p, list, subject, out);
    }
}

void project_read_security(struct project *p, const struct doc_node *operation, const char *subject,
                           struct project_security *out)
{
    *out = (struct project_security){.closed = false};
    if (p->api.only_oauth2 || !p->api.api_key)
        read_own(p, operation, subject, out);
    if (p->api.api_key)
        add_api_keys(p, out);
    demand_certificate(p, out);
}

/* --- where the keys of an API are ------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* The names of all keys of this kind, sorted, unique. */
static struct slice *key_names(struct project *p, const struct gw_api *api, enum gw_credential kind,
                               size_t *n)
{
    struct project_list names = {NULL, 0, 0};
    struct slice *all, *slot;
    size_t kept = 0;

    *n = 0;
    for (size_t i = 0; i < api->n_resources; i++) {
        for (size_t k = 0; k < api->resources[i].n_operations; k++) {
            const struct gw_operation *op = &api->resources[i].operations[k];

            for (size_t r = 0; r < op->n_requirements; r++) {
                for (size_t m = 0; m < op->requirements[r].n_needs; m++) {
                    if (op->requirements[r].needs[m].kind != kind)
                        continue;
                    slot = project_list_add(p->build, &names, sizeof(*slot));
                    if (slot == NULL)
                        return NULL;
                    *slot = op->requirements[r].needs[m].name;
                }
            }
        }
    }
    all = names.items;
    if (names.n > 0)
        qsort(all, names.n, sizeof(*all), compare_names);
    for (size_t i = 0; i < names.n; i++) {
        if (kept == 0 || !slice_eq(all[kept - 1], all[i]))
            all[kept++] = all[i];
    }
    *n = kept;
    return all;
}

static void too_many(struct project *p)
{
    diag_help(diag_error(p->build->diag, CC1004, p->api.place,
                         "the API takes API keys under too many names"),
              "at most %d query parameters, and headers of %d bytes together, are possible",
              GW_KEY_PARAMS_MAX, GW_KEY_HEADERS_MAX);
}

void project_collect_keys(struct project *p, struct gw_api *api)
{
    size_t n_headers, n_params;
    struct slice *headers = key_names(p, api, GW_KEY_IN_HEADER, &n_headers);
    struct slice *params = key_names(p, api, GW_KEY_IN_QUERY, &n_params);
    char room[GW_KEY_HEADERS_MAX];
    struct buf b;

    api->key_params = params;
    api->n_key_params = n_params;
    api->key_headers = SLICE("");
    buf_init_fixed(&b, room, sizeof(room));
    for (size_t i = 0; i < n_headers; i++) {
        buf_add_char(&b, ',');
        buf_add(&b, headers[i]);
    }
    if (n_headers > 0)
        buf_add_char(&b, ',');
    if (buf_error(&b) != CC_OK || n_params > GW_KEY_PARAMS_MAX) {
        too_many(p);
        return;
    }
    if (n_headers == 0)
        return;
    api->key_headers = arena_dup(p->build->arena, buf_slice(&b));
    if (api->key_headers.p == NULL)
        p->build->rc = CC_ENOMEM;
}
