/* project: the paths of an OpenAPI document -> resources and operations. */
#include "generator/project_internal.h"

#include "gateway/path.h"

/* Fixed members of a path item that are no operations (OpenAPI 3.1, 4.8.9), and `query` and
 * `additionalOperations` of 3.2, which have no place in the versions read here. */
static const char *const path_members[] = {"$ref", "summary", "description", "servers",
                                           "parameters"};

bool project_read_version(struct project *p)
{
    const struct doc_node *root = p->openapi->root;
    const struct doc_node *node = doc_get(root, "swagger");
    struct slice version = SLICE_NONE;
    bool good;

    p->openapi3 = node == NULL;
    if (node == NULL)
        node = doc_get(root, "openapi");
    if (node == NULL) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->openapi, root),
                             "the document does not say which version of OpenAPI it is"),
                  "write swagger: \"2.0\" or openapi: 3.0.3 at its top");
        return false;
    }
    if (!project_text(p, p->openapi, node, p->openapi3 ? "openapi" : "swagger", &version))
        return false;
    if (p->openapi3)
        good = slice_is(version, "3.0") || slice_is(version, "3.1") ||
               slice_starts(version, SLICE("3.0.")) || slice_starts(version, SLICE("3.1."));
    else
        good = slice_is(version, "2.0") || slice_is(version, "2");
    if (!good)
        diag_help(diag_error(p->build->diag, CC1204, doc_place(p->openapi, node),
                             "OpenAPI \"%" PRIslice "\" is not supported", SLICE_ARG(version)),
                  "the versions are 2.0, 3.0.x and 3.1.x");
    return good;
}

/* --- x-wso2-disable-security and x-auth-type ------------------------------------------------- */

/* The value at this level, or what the level above says. */
static bool inherit_open(struct project *p, const struct doc_node *map, bool above)
{
    const struct doc_node *node = doc_get(map, "x-wso2-disable-security");
    bool open = false; /* what cannot be read opens nothing */

    if (node == NULL || node->type == DOC_NULL)
        return above;
    doc_bool(p->openapi, node, "x-wso2-disable-security", p->build->diag, &open);
    return open;
}

static bool is_open(struct project *p, const struct doc_node *operation, bool path_open)
{
    const struct doc_node *type = doc_get(operation, "x-auth-type");
    bool open = inherit_open(p, operation, path_open);

    /* exactly "None", and on the operation only (api-projects 3.2) */
    return open || (type != NULL && slice_is(type->text, "None")) || p->api.prototype;
}

/* --- operations ------------------------------------------------------------------------------ */

/* A path while its operations are read. */
struct path_context {
    const struct doc_node *key;  /* the template, where it stands below `paths` */
    const struct doc_node *item; /* the path item, references followed */
    bool open;
    bool has_tier;
    struct project_tier tier;
    struct project_flows flows;
};

/* An operation's own tier > its path's > that of api.yaml. */
static void read_tier(struct project *p, const struct path_context *path,
                      const struct doc_node *operation, struct gw_operation *out)
{
    struct project_tier tier = {.name = SLICE_NONE};

    project_operation_tier(p, path->key->text, out->method, &tier);
    if (path->has_tier)
        tier = path->tier;
    project_tier_extension(p, operation, &tier);
    project_set_tier(&tier, &out->tier, &out->tier_declared);
}

static void read_operation(struct project *p, const struct path_context *path,
                           const struct doc_entry *entry, enum gw_method method,
                           struct gw_operation *out)
{
    const struct doc_node *operation = entry->value;
    struct project_security security = {.closed = false};
    struct project_flows flows;
    struct buf subject;

    out->method = method;
    out->origin = doc_place(p->openapi, entry->key);
    project_check_extensions(p, operation, PROJECT_OPERATION);
    project_check_parameters(p, operation);
    if (doc_get(operation, "servers") != NULL)
        project_ignore(p, PROJECT_IGNORED_OPERATION_SERVERS,
                       doc_place(p->openapi, doc_get(operation, "servers")));
    read_tier(p, path, operation, out);
    project_read_interceptors(p, operation, &path->flows, &flows);
    project_set_interceptors(p, &flows, out);
    buf_init(&subject, 400); /* names the operation in findings; longer ones are cut */
    buf_printf(&subject, "%s %.*s", gw_method_name(method),
               (int)(path->key->text.n > 300 ? 300 : path->key->text.n), path->key->text.p);
    out->open = is_open(p, operation, path->open);
    if (!out->open)
        project_read_security(p, operation, subject.p ? subject.p : "", &security);
    if (p->api.mock)
        project_read_answers(p, operation, subject.p ? subject.p : "", out);
    buf_free(&subject);
    out->closed = security.closed;
    out->requirements = security.requirements;
    out->n_requirements = security.n_requirements;
}

/* A member of a path item that is neither an operation nor a fixed one. */
static void check_member(struct project *p, const struct doc_node *key)
{
    struct diag_item *item;
    char lower[8];

    if (slice_starts(key->text, SLICE("x-")))
        return;
    for (size_t i = 0; i < sizeof(path_members) / sizeof(path_members[0]); i++) {
        if (slice_is(key->text, path_members[i]))
            return;
    }
    if (slice_is(key->text, "connect")) {
        diag_help(diag_warning(p->build->diag, CC1204, doc_place(p->openapi, key),
                               "CONNECT cannot be served"),
                  "it asks for a tunnel, in which nobody could decide about requests; they are "
                  "refused");
        return;
    }
    item =
        diag_warning(p->build->diag, CC1206, doc_place(p->openapi, key),
                     "a path has no member \"%" PRIslice "\"; it is ignored", SLICE_ARG(key->text));
    for (size_t i = 0; i < key->text.n && key->text.n < sizeof(lower); i++) {
        lower[i] = ascii_lower(key->text.p[i]);
        lower[i + 1] = '\0';
    }
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        if (slice_eq_nocase(key->text, slice_of(gw_method_name(m))))
            diag_help(item, "methods are written in lower case: %s", lower);
    }
}

/* The method that a member of a path item declares, or GW_METHOD_COUNT. */
static enum gw_method method_of(const struct project *p, struct slice key)
{
    char upper[8];

    if (key.n >= sizeof(upper))
        return GW_METHOD_COUNT;
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] < 'a' || key.p[i] > 'z')
            return GW_METHOD_COUNT;
        upper[i] = (char)(key.p[i] - ('a' - 'A'));
    }
    if (slice_is(key, "trace") && !p->openapi3)
        return GW_METHOD_COUNT; /* OpenAPI 2 has none */
    return gw_method_parse(slice_make(upper, key.n));
}

/* The operations, in the order of enum gw_method. */
static void read_operations(struct project *p, const struct path_context *path,
                            struct gw_resource *out)
{
    const struct doc_entry *found[GW_METHOD_COUNT] = {NULL};
    struct gw_operation *operations;
    size_t n = 0;

    for (size_t i = 0; i < path->item->n; i++) {
        const struct doc_entry *entry = &path->item->entries[i];
        enum gw_method method = method_of(p, entry->key->text);

        if (method == GW_METHOD_COUNT)
            check_member(p, entry->key);
        else if (doc_is_map(p->openapi, entry->value, gw_method_name(method), p->build->diag))
            found[method] = entry; /* keys are unique */
    }
    operations = project_alloc(p->build, GW_METHOD_COUNT, sizeof(*operations));
    for (unsigned m = 0; operations != NULL && m < GW_METHOD_COUNT; m++) {
        if (found[m] != NULL)
            read_operation(p, path, found[m], (enum gw_method)m, &operations[n++]);
    }
    out->operations = operations;
    out->n_operations = n;
}

/* --- paths ----------------------------------------------------------------------------------- */

/* What members beside $ref mean is undefined (OpenAPI 3.1, 4.8.9.1): false after a finding. */
static bool stands_alone(struct project *p, const struct doc_node *item)
{
    if (doc_get(item, "$ref") == NULL)
        return true;
    for (size_t i = 0; i < item->n; i++) {
        const struct doc_node *key = item->entries[i].key;

        if (slice_is(key->text, "$ref") || slice_is(key->text, "summary") ||
            slice_is(key->text, "description"))
            continue;
        diag_help(diag_error(p->build->diag, CC1203, doc_place(p->openapi, key),
                             "\"%" PRIslice "\" stands beside $ref", SLICE_ARG(key->text)),
                  "move it to where $ref leads, or copy that here");
        return false;
    }
    return true;
}

static void read_path(struct project *p, const struct doc_entry *entry,
                      struct project_list *resources)
{
    struct path_context path = {.key = entry->key, .item = entry->value};
    struct place place = doc_place(p->openapi, entry->key);
    struct gw_resource resource = {.template = entry->key->text, .origin = place}, *slot;
    const char *fault = gw_template_fault(entry->key->text);

    if (fault != NULL)
        diag_error(p->build->diag, CC2003, place, "path \"%" PRIslice "\": %s",
                   SLICE_ARG(entry->key->text), fault);
    if (!doc_is_map(p->openapi, path.item, "the path", p->build->diag))
        return;
    if (!stands_alone(p, path.item))
        return;
    path.item = project_follow(p, path.item, "path item", DIAG_ERROR);
    if (path.item == NULL)
        return;
    project_check_parameters(p, path.item);
    project_check_extensions(p, path.item, PROJECT_PATH);
    path.open = inherit_open(p, path.item, p->open);
    path.has_tier = project_tier_extension(p, path.item, &path.tier);
    project_read_interceptors(p, path.item, &p->flows, &path.flows);
    if (!p->api.mock)
        project_choose_path_clusters(p, path.item, &resource);
    read_operations(p, &path, &resource);
    if (resource.n_operations == 0) {
        diag_help(diag_warning(p->build->diag, CC1202, place,
                               "path \"%" PRIslice "\" has no operation",
                               SLICE_ARG(entry->key->text)),
                  "requests to it are answered with 404");
        return;
    }
    if (fault != NULL)
        return;
    slot = project_list_add(p->build, resources, sizeof(*slot));
    if (slot != NULL)
        *slot = resource;
}

void project_read_paths(struct project *p, struct project_list *resources)
{
    const struct doc_node *paths = doc_get(p->openapi->root, "paths");
    size_t errors = diag_errors(p->build->diag);

    if (!doc_is_map(p->openapi, paths, "paths", p->build->diag) && paths != NULL)
        return;
    p->open = inherit_open(p, p->openapi->root, false);
    project_read_interceptors(p, p->openapi->root, &(struct project_flows){{NULL, NULL}},
                              &p->flows);
    for (size_t i = 0; paths != NULL && i < paths->n && p->build->rc == CC_OK; i++) {
        if (!slice_starts(paths->entries[i].key->text, SLICE("x-")))
            read_path(p, &paths->entries[i], resources);
    }
    if (resources->n == 0 && diag_errors(p->build->diag) == errors)
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->openapi, paths),
                             "the document has no operations: no request could be served"),
                  doc_get(p->openapi->root, "webhooks") != NULL
                      ? "webhooks are requests that the API sends; declare paths that it serves"
                      : "declare at least one path with an operation");
}
