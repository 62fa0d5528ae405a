/* audit: what documents give away, or tell clients to do. */
#include "generator/audit_internal.h"

#include "generator/review_openapi.h"

/* --- passwords ------------------------------------------------------------------------------- */

static bool is_secret_key(struct slice key)
{
    static const char *const names[] = {"password", "clientSecret", "client_secret", "apiKeyValue"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_eq_nocase(key, slice_of(names[i])))
            return true;
    }
    return false;
}

/* Passwords anywhere below a node. A value that names a variable is none. */
static void find_passwords(struct review *r, const struct doc *doc, const struct doc_node *node)
{
    for (size_t i = 0; node != NULL && i < node->n; i++) {
        const struct doc_node *key = node->entries[i].key, *value = node->entries[i].value;

        if (key != NULL && is_secret_key(key->text) && value->type != DOC_MAP &&
            value->type != DOC_LIST && value->type != DOC_NULL && value->text.n > 0 &&
            !slice_starts(value->text, SLICE("$")) && !slice_starts(value->text, SLICE("{{")))
            /* where it is, never what it is */
            diag_help(
                review_add(r, CC9024, doc_place(doc, key), "a %s stands here as plain text",
                           slice_eq_nocase(key->text, SLICE("password")) ? "password" : "secret"),
                "keep it out of the project, and change it: it has been read by others");
        else if (value->type == DOC_MAP || value->type == DOC_LIST)
            find_passwords(r, doc, value);
    }
}

/* Extensions hold credentials; the rest of a document describes fields of that name. */
static void find_in_extensions(struct review *r, const struct doc *doc, const struct doc_node *map)
{
    for (size_t i = 0; map != NULL && map->type == DOC_MAP && i < map->n; i++) {
        if (slice_starts(map->entries[i].key->text, SLICE("x-wso2-")))
            find_passwords(r, doc, map->entries[i].value);
    }
}

static void check_passwords(struct review *r, const struct project_docs *project)
{
    const struct doc *doc = project->openapi;
    const struct doc_node *paths = doc != NULL ? doc_get(doc->root, "paths") : NULL;

    if (project->api != NULL)
        find_passwords(r, project->api, doc_get_nocase(project->api->root, "data"));
    if (doc != NULL)
        find_in_extensions(r, doc, doc->root);
    for (size_t i = 0; paths != NULL && paths->type == DOC_MAP && i < paths->n; i++)
        find_in_extensions(r, doc, paths->entries[i].value);
}

/* --- schemes --------------------------------------------------------------------------------- */

static void check_url(struct review *r, const struct doc *doc, const struct doc_node *map,
                      const char *key)
{
    const struct doc_node *node = doc_get(map, key);
    struct slice host;

    if (node == NULL || !slice_eq_nocase(slice_first(node->text, 7), SLICE("http://")))
        return;
    host = slice_from(node->text, 7);
    for (size_t i = 0; i < host.n; i++) {
        if (strchr(":/?#", host.p[i]) != NULL)
            host.n = i;
    }
    if (!audit_is_local(host))
        diag_help(review_add(r, CC9027, doc_place(doc, node), "%s is not https", key), "use https");
}

static void check_flow(struct review *r, const struct doc *doc, const struct doc_node *key,
                       struct slice name, const struct doc_node *flow)
{
    if (slice_is(name, "implicit") || slice_is(name, "password"))
        diag_help(review_add(r, CC9026, doc_place(doc, key), "the flow \"%.*s\" is unsafe",
                             (int)name.n, name.p),
                  "use authorizationCode with PKCE, or clientCredentials");
    check_url(r, doc, flow, "authorizationUrl");
    check_url(r, doc, flow, "tokenUrl");
}

static void check_scheme(struct review *r, const struct doc *doc, const struct doc_node *scheme)
{
    const struct doc_node *type = doc_get(scheme, "type"), *in = doc_get(scheme, "in");
    const struct doc_node *flows = doc_get(scheme, "flows"), *flow = doc_get(scheme, "flow");

    if (type == NULL)
        return;
    if (slice_is(type->text, "apiKey") && in != NULL && slice_is(in->text, "query"))
        diag_help(review_add(r, CC9025, doc_place(doc, in), "the API key is in the URL"),
                  "use a header");
    check_url(r, doc, scheme, "openIdConnectUrl");
    if (flow != NULL) /* OpenAPI 2 has one flow, without a map */
        check_flow(r, doc, flow, flow->text, scheme);
    for (size_t i = 0; flows != NULL && flows->type == DOC_MAP && i < flows->n; i++)
        check_flow(r, doc, flows->entries[i].key, flows->entries[i].key->text,
                   flows->entries[i].value);
}

void audit_documents(struct review *r, const struct project_docs *project)
{
    const struct doc *doc = project->openapi;
    const struct doc_node *schemes;

    check_passwords(r, project);
    if (doc == NULL)
        return;
    schemes = doc_get(doc->root, "swagger") != NULL
                  ? doc_get(doc->root, "securityDefinitions")
                  : doc_path(doc->root, "components.securitySchemes");
    for (size_t i = 0; schemes != NULL && schemes->type == DOC_MAP && i < schemes->n; i++)
        check_scheme(r, doc, review_follow(doc, schemes->entries[i].value));
}
