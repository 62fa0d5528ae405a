/* project: where endpoints are declared -> lists of endpoints. Which declaration counts is decided
 * by project_merge.c. */
#include "generator/project_internal.h"

enum { URL_MAX = 8192 };

/* Text of `node` as one more endpoint; false after a finding. */
static bool add_url(struct project *p, struct slice url, struct place place,
                    struct project_list *list)
{
    struct gw_endpoint endpoint, *slot;

    if (!project_parse_url(p, url, place, &endpoint))
        return false;
    slot = project_list_add(p->build, list, sizeof(*slot));
    if (slot == NULL)
        return false;
    *slot = endpoint;
    return true;
}

/* URLs may hold control characters that parse_url() has the better words for: not project_text().
 */
static bool add_url_node(struct project *p, const struct doc *doc, const struct doc_node *node,
                         const char *what, struct project_list *list)
{
    struct slice url = SLICE_NONE;

    return node != NULL && doc_text(doc, node, what, p->build->diag, &url) == CC_OK &&
           add_url(p, url, doc_place(doc, node), list);
}

/* --- x-wso2-production-endpoints, x-wso2-sandbox-endpoints ------------------------------------ */

/* The contract compares by prefix, and takes all else (http, https, loadbalance, ...) for load
 * balancing. */
static void read_type(struct project *p, const struct doc_node *type, struct gw_options *out)
{
    static const char *const failover[] = {"failover"};

    if (type == NULL || type->type == DOC_NULL)
        return;
    out->failover = slice_starts(type->text, SLICE("failover"));
    if (!out->failover && nearest_word(type->text, failover, 1) != NULL)
        diag_help(diag_warning(p->build->diag, CC1203, doc_place(p->openapi, type),
                               "type \"%" PRIslice "\" means load balancing",
                               SLICE_ARG(type->text)),
                  "did you mean failover?");
}

enum project_found project_endpoint_object(struct project *p, const struct doc_node *object,
                                           const char *what, struct project_endpoints *out)
{
    const struct doc *doc = p->openapi;
    const struct doc_node *urls = doc_get(object, "urls");
    const struct doc_node *credentials = doc_get(object, "securityConfig");
    bool good = true;

    if (!doc_is_map(doc, object, what, p->build->diag))
        return PROJECT_BROKEN;
    if (credentials != NULL && credentials->type != DOC_NULL)
        good = project_read_security_config(p, credentials, out);
    read_type(p, doc_get(object, "type"), &out->options);
    good = project_read_advanced(p, doc_get(object, "advanceEndpointConfig"), out) && good;
    if (urls == NULL || urls->type == DOC_NULL || (urls->type == DOC_LIST && urls->n == 0)) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(doc, urls ? urls : object),
                             "%s has no urls", what),
                  "list at least one: urls: [http://host:port/path]");
        return PROJECT_BROKEN;
    }
    if (!doc_is_list(doc, urls, "urls", p->build->diag))
        return PROJECT_BROKEN;
    for (size_t i = 0; i < urls->n; i++)
        good = add_url_node(p, doc, urls->entries[i].value, "urls[]", &out->list) && good;
    return good ? PROJECT_FOUND : PROJECT_BROKEN;
}

enum project_found project_endpoint_extension(struct project *p, enum project_environment env,
                                              const struct doc_node *map,
                                              struct project_endpoints *out)
{
    const char *what =
        env == PROJECT_SANDBOX ? "x-wso2-sandbox-endpoints" : "x-wso2-production-endpoints";
    const struct doc_node *node = doc_get(map, what);

    if (node == NULL || node->type == DOC_NULL)
        return PROJECT_ABSENT;
    out->place = doc_place(p->openapi, node);
    if (node->type == DOC_TEXT)
        return project_named_endpoints(p, node, out);
    return project_endpoint_object(p, node, what, out);
}

/* --- OpenAPI's own -------------------------------------------------------------------------- */

/* The default of server variable `name`; p == NULL after a finding. */
static struct slice variable_default(struct project *p, const struct doc_node *server,
                                     struct slice name, struct place place)
{
    const struct doc_node *variables = doc_get(server, "variables"), *variable = NULL;
    const struct doc_node *value;
    struct slice text = SLICE_NONE;

    for (size_t i = 0; variables != NULL && variables->type == DOC_MAP && i < variables->n; i++) {
        if (slice_eq(variables->entries[i].key->text, name))
            variable = variables->entries[i].value;
    }
    value = doc_get(variable, "default");
    if (value != NULL)
        doc_text(p->openapi, value, "default", p->build->diag, &text);
    else
        diag_help(diag_error(p->build->diag, CC2005, place,
                             "server variable {%" PRIslice "} has no default", SLICE_ARG(name)),
                  "declare it: variables: {%" PRIslice ": {default: ...}}", SLICE_ARG(name));
    return text;
}

/* `url` with its variables at their defaults; p == NULL after a finding. */
static struct slice expand_url(struct project *p, const struct doc_node *server, struct slice url,
                               struct place place)
{
    struct slice result = SLICE_NONE;
    struct buf text;
    bool good = true;

    if (url.p == NULL || slice_find(url, '{') < 0)
        return url;
    buf_init(&text, URL_MAX);
    while (good && url.n > 0) {
        ptrdiff_t open = slice_find(url, '{'), close = slice_find(url, '}');
        struct slice value;

        if (open < 0 || close < open) {
            buf_add(&text, url);
            break;
        }
        buf_add(&text, slice_first(url, (size_t)open));
        value = variable_default(p, server,
                                 slice_make(url.p + open + 1, (size_t)(close - open) - 1), place);
        good = value.p != NULL;
        buf_add(&text, value);
        url = slice_from(url, (size_t)close + 1);
    }
    if (good && buf_error(&text) == CC_EFULL)
        diag_error(p->build->diag, CC2005, place, "the server URL is longer than %d bytes",
                   URL_MAX);
    else if (good) {
        result = arena_dup(p->build->arena, slice_make(text.p, text.n));
        if (result.p == NULL)
            p->build->rc = CC_ENOMEM;
    }
    buf_free(&text);
    return result;
}

/* One entry of `servers`; false after a finding. Relative URLs say nothing about where the backend
 * is, and are passed over. */
static bool read_server(struct project *p, const struct doc_node *server,
                        struct project_endpoints *out)
{
    const struct doc_node *node = doc_get(server, "url");
    struct slice url = SLICE_NONE;

    if (!doc_is_map(p->openapi, server, "servers[]", p->build->diag))
        return false;
    if (node == NULL) {
        diag_error(p->build->diag, CC1202, doc_place(p->openapi, server), "the server has no url");
        return false;
    }
    if (doc_text(p->openapi, node, "url", p->build->diag, &url) != CC_OK)
        return false;
    url = expand_url(p, server, url, doc_place(p->openapi, node));
    if (url.p == NULL)
        return false;
    if (!slice_contains(url, SLICE("://")))
        return true;
    return add_url(p, url, doc_place(p->openapi, node), &out->list);
}

enum project_found project_servers(struct project *p, const struct doc_node *map,
                                   struct project_endpoints *out)
{
    const struct doc_node *servers = doc_get(map, "servers");
    bool good = true;

    if (servers == NULL || servers->type == DOC_NULL)
        return PROJECT_ABSENT;
    if (!doc_is_list(p->openapi, servers, "servers", p->build->diag))
        return PROJECT_BROKEN;
    out->place = doc_place(p->openapi, servers);
    for (size_t i = 0; i < servers->n; i++)
        good = read_server(p, servers->entries[i].value, out) && good;
    if (!good)
        return PROJECT_BROKEN;
    return out->list.n > 0 ? PROJECT_FOUND : PROJECT_ABSENT;
}

/* https when it is listed, else http (the contract's choice); NULL after a finding. */
static const char *choose_scheme(struct project *p)
{
    const struct doc_node *schemes = doc_get(p->openapi->root, "schemes");
    bool http = false;

    if (schemes == NULL || schemes->type == DOC_NULL ||
        (schemes->type == DOC_LIST && schemes->n == 0))
        return "http";
    if (!doc_is_list(p->openapi, schemes, "schemes", p->build->diag))
        return NULL;
    for (size_t i = 0; i < schemes->n; i++) {
        if (slice_eq_nocase(schemes->entries[i].value->text, SLICE("https")))
            return "https";
        http = http || slice_eq_nocase(schemes->entries[i].value->text, SLICE("http"));
    }
    if (!http)
        diag_help(diag_error(p->build->diag, CC1204, doc_place(p->openapi, schemes),
                             "schemes has neither http nor https"),
                  "only HTTP backends are supported by this version");
    return http ? "http" : NULL;
}

enum project_found project_host(struct project *p, struct project_endpoints *out)
{
    const struct doc_node *node = doc_get(p->openapi->root, "host");
    const struct doc_node *path_node = doc_get(p->openapi->root, "basePath");
    struct slice host = SLICE_NONE, path = SLICE_NONE, url;
    const char *scheme;

    if (node == NULL || node->type == DOC_NULL)
        return PROJECT_ABSENT;
    out->place = doc_place(p->openapi, node);
    scheme = choose_scheme(p);
    if (!project_text(p, p->openapi, node, "host", &host) || scheme == NULL ||
        (path_node != NULL && path_node->type != DOC_NULL &&
         !project_text(p, p->openapi, path_node, "basePath", &path)))
        return PROJECT_BROKEN;
    if (slice_find(host, '/') >= 0) {
        diag_help(diag_error(p->build->diag, CC2005, out->place,
                             "host \"%" PRIslice "\" is not a host", SLICE_ARG(host)),
                  "write host[:port] only; schemes and basePath have the rest");
        return PROJECT_BROKEN;
    }
    url = arena_printf(p->build->arena, "%s://%" PRIslice "%s%" PRIslice, scheme, SLICE_ARG(host),
                       path.n > 0 && path.p[0] != '/' ? "/" : "", SLICE_ARG(path));
    if (url.p == NULL) {
        p->build->rc = CC_ENOMEM;
        return PROJECT_BROKEN;
    }
    return add_url(p, url, out->place, &out->list) ? PROJECT_FOUND : PROJECT_BROKEN;
}

/* --- endpointConfig of api.yaml ------------------------------------------------------------- */

/* {url, config} */
static bool read_config_endpoint(struct project *p, const struct doc_node *endpoint,
                                 const char *what, struct project_list *list)
{
    const struct doc_node *url = doc_get_nocase(endpoint, "url");

    if (!doc_is_map(p->api_doc, endpoint, what, p->build->diag))
        return false;
    if (url == NULL || url->type == DOC_NULL) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->api_doc, endpoint),
                             "%s has no url", what),
                  "write url: http://host:port/path");
        return false;
    }
    return add_url_node(p, p->api_doc, url, "url", list);
}

/* One endpoint, or a list of them. */
static bool read_config_endpoints(struct project *p, const struct doc_node *node, const char *what,
                                  struct project_list *list)
{
    bool good = true;

    if (node == NULL || node->type == DOC_NULL)
        return true;
    if (node->type != DOC_LIST)
        return read_config_endpoint(p, node, what, list);
    for (size_t i = 0; i < node->n; i++)
        good = read_config_endpoint(p, node->entries[i].value, what, list) && good;
    return good;
}

enum project_found project_endpoint_config(struct project *p, enum project_environment env,
                                           struct project_endpoints *out)
{
    static const char *const names[][2] = {
        [PROJECT_PRODUCTION] = {"production_endpoints", "production_failovers"},
        [PROJECT_SANDBOX] = {"sandbox_endpoints", "sandbox_failovers"}};
    const struct doc_node *config = p->api.endpoint_config;
    const struct doc_node *first = doc_get_nocase(config, names[env][0]);
    const struct doc_node *failovers = doc_get_nocase(config, names[env][1]);
    bool good;

    if (first == NULL && failovers == NULL)
        return PROJECT_ABSENT;
    out->place = doc_place(p->api_doc, first ? first : failovers);
    good = read_config_endpoints(p, first, names[env][0], &out->list);
    out->options.failover = failovers != NULL && failovers->type == DOC_LIST && failovers->n > 0;
    good = read_config_endpoints(p, failovers, names[env][1], &out->list) && good;
    if (!good)
        return PROJECT_BROKEN;
    return out->list.n > 0 ? PROJECT_FOUND : PROJECT_ABSENT;
}
