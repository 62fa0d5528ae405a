/* project: the files of a project -> its documents.
 *
 * The reference finds files by substring, so that Docs/my-api.yaml could stand in for api.yaml.
 * Here each file has one place, and two files for one purpose are an error. */
#include "generator/project_internal.h"

enum { MAX_ENTRIES = 10000 }; /* of the map of a folder */

struct doc *project_read_one_of(struct project *p, const char *const *names, size_t n,
                                bool *present)
{
    struct project_file *found = NULL;
    struct doc *doc = NULL;
    int rc;

    *present = false;
    for (size_t i = 0; i < n; i++) {
        struct project_file *file = project_source_find(p->source, names[i]);
        struct source *s;

        if (file == NULL)
            continue;
        *present = true;
        if (found == NULL) {
            found = file;
            continue;
        }
        s = project_alloc(p->build, 1, sizeof(*s));
        if (s == NULL)
            return NULL;
        s->name = file->name;
        diag_help(diag_error(p->build->diag, CC1102, place_file(s), "%s and %s are both there",
                             found->name, file->name),
                  "remove one of them");
    }
    if (found == NULL)
        return NULL;
    rc = project_source_read(found, p->build->arena, p->build->diag);
    if (rc == CC_OK)
        rc = doc_read(&doc, found->bytes, found->name, p->build->arena, p->build->diag);
    if (rc == CC_ENOMEM)
        p->build->rc = CC_ENOMEM;
    return doc;
}

static void missing(struct project *p, const char *what, const char *names, const char *help)
{
    struct source *s = project_alloc(p->build, 1, sizeof(*s));

    if (s == NULL)
        return;
    s->name = p->source->path;
    diag_help(diag_error(p->build->diag, CC1101, place_file(s), "%s is missing: there is no %s",
                         what, names),
              "%s", help);
}

/* A document whose root must be a mapping; NULL after a finding. */
static struct doc *require_map(struct project *p, struct doc *doc, const char *what)
{
    if (doc == NULL || doc_is_map(doc, doc->root, what, p->build->diag))
        return doc;
    return NULL;
}

const struct doc_node *project_read_map(struct project *p, const char *const names[3],
                                        const char *what, const struct doc **out, bool *present)
{
    static const char *const keys[] = {"type", "version", "data"};
    const struct doc *doc = project_read_one_of(p, names, 3, present);
    const struct doc_node *data;

    *out = NULL;
    if (doc == NULL || doc->root->type == DOC_NULL ||
        !doc_is_map(doc, doc->root, what, p->build->diag))
        return NULL;
    *out = doc;
    project_check_keys(p, doc, doc->root, what, keys, 3);
    data = doc_get_nocase(doc->root, "data");
    if (data == NULL || data->type == DOC_NULL || !doc_is_list(doc, data, "data", p->build->diag))
        return NULL;
    if (data->n <= MAX_ENTRIES)
        return data;
    diag_error(p->build->diag, CC1004, doc_place(doc, data),
               "data has %zu entries, at most %d can be", data->n, MAX_ENTRIES);
    return NULL;
}

bool project_read_api_file(struct project *p)
{
    static const char *const names[] = {"api.yaml", "api.json"};
    bool present;

    p->api_doc = project_read_one_of(p, names, 2, &present);
    if (p->build->rc != CC_OK)
        return false;
    if (!present) {
        missing(p, "the API definition", "api.yaml or api.json",
                "give the directory of an API project, as `cc-gen init` makes it, or a zip of it");
        return false;
    }
    p->api_doc = require_map(p, p->api_doc, "api.yaml");
    return true;
}

void project_read_documents(struct project *p)
{
    static const char *const openapi_names[] = {
        "Definitions/swagger.yaml", "Definitions/swagger.json", "Definitions/swagger.yml"};
    static const char *const deployment_names[] = {"deployment_environments.yaml"};
    bool present;

    p->openapi = project_read_one_of(p, openapi_names, 3, &present);
    if (p->build->rc != CC_OK)
        return;
    if (!present)
        missing(p, "the OpenAPI document", "Definitions/swagger.yaml or Definitions/swagger.json",
                "put the OpenAPI document of the API there, version 2.0, 3.0 or 3.1");
    p->openapi = require_map(p, p->openapi, "the OpenAPI document");
    p->deployments = project_read_one_of(p, deployment_names, 1, &present);
    p->broken_deployments = present && p->deployments == NULL;
}
