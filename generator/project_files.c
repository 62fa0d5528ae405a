/* project: a directory -> its documents.
 *
 * The reference finds files by substring, so that Docs/my-api.yaml could stand in for api.yaml.
 * Here each file has one place, and two files for one purpose are an error. */
#include "generator/project_internal.h"

#include <errno.h>
#include <sys/stat.h>

/* The path `name` below the project; NULL without memory. */
static const char *path_of(struct project *p, const char *name)
{
    struct slice path = arena_printf(p->build->arena, "%s/%s", p->dir, name);

    if (path.p == NULL)
        p->build->rc = CC_ENOMEM;
    return path.p;
}

/* Is there something of that name? What cannot be looked at counts: reading it tells why. */
static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Reads the one of `names` that is there. *present says that one was, readable or not. */
static struct doc *read_one_of(struct project *p, const char *const *names, size_t n, bool *present)
{
    const char *found = NULL;
    struct doc *doc = NULL;

    *present = false;
    for (size_t i = 0; i < n; i++) {
        const char *path = path_of(p, names[i]);

        if (path == NULL)
            return NULL;
        if (!exists(path))
            continue;
        *present = true;
        if (found != NULL) {
            struct source *s = project_alloc(p->build, 1, sizeof(*s));

            if (s == NULL)
                return NULL;
            s->name = path;
            diag_help(diag_error(p->build->diag, CC1102, place_file(s), "%s and %s are both there",
                                 found, path),
                      "remove one of them");
            continue;
        }
        found = path;
    }
    if (found == NULL)
        return NULL;
    if (doc_read_file(&doc, found, found, p->build->arena, p->build->diag) == CC_ENOMEM)
        p->build->rc = CC_ENOMEM;
    return doc;
}

static void missing(struct project *p, const char *what, const char *names, const char *help)
{
    struct source *s = project_alloc(p->build, 1, sizeof(*s));

    if (s == NULL)
        return;
    s->name = p->dir;
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

bool project_read_api_file(struct project *p)
{
    static const char *const names[] = {"api.yaml", "api.json"};
    bool present;

    p->api_doc = read_one_of(p, names, 2, &present);
    if (p->build->rc != CC_OK)
        return false;
    if (!present) {
        missing(p, "the API definition", "api.yaml or api.json",
                "give the directory of an API project, as `apictl init` makes it");
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
    const char *certificates = path_of(p, "Endpoint-certificates");
    bool present;

    p->openapi = read_one_of(p, openapi_names, 3, &present);
    if (p->build->rc != CC_OK)
        return;
    if (!present)
        missing(p, "the OpenAPI document", "Definitions/swagger.yaml or Definitions/swagger.json",
                "put the OpenAPI document of the API there, version 2.0, 3.0 or 3.1");
    p->openapi = require_map(p, p->openapi, "the OpenAPI document");
    p->deployments = read_one_of(p, deployment_names, 1, &present);
    p->broken_deployments = present && p->deployments == NULL;
    if (certificates != NULL && exists(certificates)) {
        struct source *s = project_alloc(p->build, 1, sizeof(*s));

        if (s == NULL)
            return;
        s->name = certificates;
        project_ignore(p, PROJECT_IGNORED_CERTIFICATES, place_file(s));
    }
}
