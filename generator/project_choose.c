/* project: which of several declarations of endpoints counts (api-projects 2.4), for production and
 * for sandbox, for an API and for its paths. */
#include "generator/project_internal.h"

/* The document's own endpoints, read at most once: they are asked for as endpoints and for the base
 * path. */
enum project_found project_own_endpoints(struct project *p)
{
    struct project_own_endpoints *own = &p->own;

    if (!own->read) {
        own->read = true;
        own->found = p->openapi3 ? project_servers(p, p->openapi->root, &own->endpoints)
                                 : project_host(p, &own->endpoints);
    }
    return own->found;
}

static void no_endpoint(struct project *p)
{
    diag_help(
        diag_error(p->build->diag, CC2006, p->api.place, "the API has no endpoint"),
        "add endpointConfig to api.yaml, or %s or x-wso2-production-endpoints to the document",
        p->openapi3 ? "an absolute URL in servers" : "host");
}

/* Sandbox endpoints of the document alone take the production endpoints away, wherever they came
 * from: the contract's rule. */
static enum project_found take_production_away(struct project *p, enum project_found own)
{
    const struct doc_node *sandbox = doc_get(p->openapi->root, "x-wso2-sandbox-endpoints");
    const struct doc_node *config = doc_get_nocase(p->api.endpoint_config, "production_endpoints");
    const char *lost = own == PROJECT_FOUND ? (p->openapi3 ? "servers" : "host")
                       : config != NULL     ? "endpointConfig of api.yaml"
                                            : NULL;

    if (lost != NULL)
        diag_help(diag_warning(p->build->diag, CC2200, doc_place(p->openapi, sandbox),
                               "x-wso2-sandbox-endpoints without x-wso2-production-endpoints: the "
                               "production endpoints of %s do not count",
                               lost),
                  "requests with PRODUCTION tokens are refused with 401; add "
                  "x-wso2-production-endpoints to serve them");
    return PROJECT_ABSENT;
}

static bool has_sandbox_config(const struct project *p)
{
    return doc_get_nocase(p->api.endpoint_config, "sandbox_endpoints") != NULL ||
           doc_get_nocase(p->api.endpoint_config, "sandbox_failovers") != NULL;
}

/* x-wso2-production-endpoints > servers or host > api.yaml; the same for sandbox, which no server
 * can be, and which the document's own servers take away from api.yaml. */
static enum project_found find_endpoints(struct project *p, enum project_environment env,
                                         struct project_endpoints *e)
{
    const struct doc_node *root = p->openapi->root;
    const struct doc_node *sandbox = doc_get(root, "x-wso2-sandbox-endpoints");
    enum project_found found = project_endpoint_extension(p, env, root, e), own = PROJECT_ABSENT;

    if (found != PROJECT_ABSENT)
        return found;
    *e = (struct project_endpoints){.place = PLACE_NONE};
    if (env == PROJECT_SANDBOX && !has_sandbox_config(p))
        return PROJECT_ABSENT;
    if (!p->api.ignore_servers)
        own = project_own_endpoints(p);
    if (env == PROJECT_SANDBOX)
        return own == PROJECT_ABSENT ? project_endpoint_config(p, env, e) : PROJECT_ABSENT;
    if (sandbox != NULL && sandbox->type != DOC_NULL)
        return take_production_away(p, own);
    if (own != PROJECT_ABSENT) {
        *e = p->own.endpoints;
        return own;
    }
    return project_endpoint_config(p, env, e);
}

void project_choose_clusters(struct project *p, struct gw_api *api)
{
    const struct gw_cluster **out[] = {&api->production, &api->sandbox};
    const struct gw_identity **credentials[] = {&api->production_identity, &api->sandbox_identity};
    bool any = false;

    for (enum project_environment env = PROJECT_PRODUCTION; env <= PROJECT_SANDBOX; env++) {
        struct project_endpoints *e = &p->defaults[env];
        enum project_found found = find_endpoints(p, env, e);

        any = any || found != PROJECT_ABSENT;
        if (found != PROJECT_ABSENT) {
            *credentials[env] = project_credential(p, env, e);
            project_read_config_options(p, env, e);
        }
        if (found == PROJECT_FOUND)
            *out[env] = project_cluster(p, e, false);
        p->clusters[env] = *out[env];
        project_check_credential(p, *credentials[env], *out[env], NULL);
    }
    if (!any && !p->api.unknown_endpoints)
        no_endpoint(p);
}

void project_choose_path_clusters(struct project *p, const struct doc_node *item,
                                  struct gw_resource *resource)
{
    const struct gw_cluster **out[] = {&resource->production, &resource->sandbox};
    const struct gw_identity **credentials[] = {&resource->production_identity,
                                                &resource->sandbox_identity};

    for (enum project_environment env = PROJECT_PRODUCTION; env <= PROJECT_SANDBOX; env++) {
        struct project_endpoints e = {.place = PLACE_NONE};
        enum project_found found = project_endpoint_extension(p, env, item, &e);

        if (found == PROJECT_ABSENT && env == PROJECT_PRODUCTION && p->openapi3 &&
            !p->api.ignore_servers)
            found = project_servers(p, item, &e);
        if (found != PROJECT_FOUND)
            continue;
        project_inherit_options(&e, &p->defaults[env]);
        /* The contract falls back to the API's cluster when the endpoints of a path do not agree
         * (api-projects 4.6), and its own petstore sample counts on it: all or nothing. */
        *out[env] = project_cluster(p, &e, true);
        if (*out[env] == NULL)
            continue;
        *credentials[env] = project_credential(p, env, &e);
        project_check_credential(p, *credentials[env], *out[env],
                                 e.has_credential ? NULL : p->clusters[env]);
    }
}
