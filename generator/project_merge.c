/* project: the parts of one project -> its APIs, one for each virtual host. Which of several
 * declarations counts is decided here. */
#include "generator/explain_request.h"
#include "generator/project_internal.h"

#include "crypto/crypto.h"
#include "gateway/path.h"

/* --- base path ------------------------------------------------------------------------------- */

/* `path` with each {version} replaced. */
static struct slice with_version(struct project *p, struct slice path)
{
    static const struct slice word = SLICE_INIT("{version}");
    struct slice result;
    struct buf b;

    if (path.p == NULL || !slice_contains(path, word))
        return path;
    buf_init(&b, GW_PATH_MAX);
    for (size_t i = 0; i < path.n;) {
        if (slice_starts(slice_from(path, i), word)) {
            buf_add(&b, p->api.version);
            i += word.n;
        } else {
            buf_add_char(&b, path.p[i++]);
        }
    }
    result = arena_dup(p->build->arena, slice_make(b.p, b.n));
    if (result.p == NULL)
        p->build->rc = CC_ENOMEM;
    buf_free(&b);
    return result;
}

/* context + "/" + version, unless the context has the version already. */
static struct slice context_path(struct project *p)
{
    struct slice context = p->api.context, version = p->api.version, path;

    if (context.n > 0 && context.p[context.n - 1] == '/')
        context.n--;
    if (slice_contains(context, SLICE("{version}")))
        return with_version(p, context);
    if (slice_ends(context, version) && context.n > version.n &&
        context.p[context.n - version.n - 1] == '/')
        return context;
    path = arena_printf(p->build->arena, "%" PRIslice "/%" PRIslice, SLICE_ARG(context),
                        SLICE_ARG(version));
    if (path.p == NULL)
        p->build->rc = CC_ENOMEM;
    return path;
}

/* x-wso2-basePath > OpenAPI 2 basePath > path of the last absolute server > api.yaml. False when
 * it cannot be known; what is missing or wrong has been told then. */
static bool declared_base_path(struct project *p, struct slice *path, struct place *place)
{
    const struct doc_node *root = p->openapi->root;
    const struct doc_node *node = doc_get(root, "x-wso2-basePath");
    const char *what = "x-wso2-basePath";

    if ((node == NULL || node->type == DOC_NULL) && !p->openapi3) {
        node = doc_get(root, "basePath");
        what = "basePath";
    }
    if (node != NULL && node->type != DOC_NULL) {
        *place = doc_place(p->openapi, node);
        if (!project_text(p, p->openapi, node, what, path))
            return false;
        *path = with_version(p, slice_trim(*path));
        if (path->n > 0)
            return true;
    }
    if (p->openapi3 && !p->api.ignore_servers) {
        const struct project_list *list = &p->own.endpoints.list;
        const struct gw_endpoint *servers;

        if (project_own_endpoints(p) == PROJECT_BROKEN)
            return false;
        servers = list->items;
        /* "http://host/" is the same URL as "http://host" (RFC 3986 6.2.3) and names no path */
        if (p->own.found == PROJECT_FOUND && servers[list->n - 1].path.n > 0) {
            *path = servers[list->n - 1].path;
            *place = servers[list->n - 1].origin;
            return true;
        }
    }
    *place = p->api.context_place;
    *path = context_path(p);
    return p->api.context.n > 0 && p->api.version.n > 0 && path->p != NULL;
}

static bool read_base_path(struct project *p, struct slice *out)
{
    struct place place = PLACE_NONE;
    struct slice path = SLICE_NONE;
    const char *fault;

    if (!declared_base_path(p, &path, &place))
        return false;
    if (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    fault = path.n > 0 ? gw_base_path_fault(path) : NULL;
    if (fault != NULL) {
        diag_help(diag_error(p->build->diag, CC2002, place, "base path \"%" PRIslice "\": %s",
                             SLICE_ARG(path), fault),
                  "write it like /petstore/1.0.0");
        return false;
    }
    *out = path;
    return true;
}

/* Where the default version of an API is served besides: its base path without the version,
 * wherever it stands as a segment ("/1.0.0" of "/petstore/1.0.0"). False when there is none, as in
 * what `apictl init` makes of a base path without {version}: then it is served there already. */
static bool default_base_path(struct project *p, struct slice base_path, struct slice *out)
{
    struct slice version = p->api.version, rest;

    if (!p->api.default_version || version.n == 0)
        return false;
    for (size_t i = base_path.n; i-- > 0;) {
        if (base_path.p[i] != '/' || !slice_starts(slice_from(base_path, i + 1), version))
            continue;
        rest = slice_from(base_path, i + 1 + version.n);
        if (rest.n > 0 && rest.p[0] != '/')
            continue;
        *out =
            arena_printf(p->build->arena, "%.*s%" PRIslice, (int)i, base_path.p, SLICE_ARG(rest));
        if (out->p == NULL)
            p->build->rc = CC_ENOMEM;
        return out->p != NULL;
    }
    return false;
}

/* --- the header with the token ---------------------------------------------------------------- */

/* RFC 9110 5.6.2 */
static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
            return false;
    }
    return s.n > 0;
}

/* Headers that frame a message or choose its way; a token there would never arrive. */
static bool is_reserved(struct slice name)
{
    static const char *const names[] = {
        "host",    "content-length", "transfer-encoding", "connection", "te",
        "trailer", "upgrade",        "keep-alive",        "expect",     "origin"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_is(name, names[i]))
            return true;
    }
    return slice_starts(name, SLICE("x-cc-")) || slice_starts(name, SLICE("x-wso2-"));
}

bool project_header_is_usable(struct slice name)
{
    char room[256];

    if (name.n > sizeof(room) || !is_token(name))
        return false;
    for (size_t i = 0; i < name.n; i++)
        room[i] = ascii_lower(name.p[i]);
    name = slice_make(room, name.n);
    return !is_reserved(name) && !explain_is_removed(name);
}

/* x-wso2-auth-header > data.authorizationHeader > cc.yaml */
static struct slice read_auth_header(struct project *p)
{
    const struct doc_node *node = doc_get(p->openapi->root, "x-wso2-auth-header");
    struct slice name = p->api.auth_header;
    struct place place = p->api.auth_header_place;

    if (node != NULL && node->type != DOC_NULL) {
        place = doc_place(p->openapi, node);
        if (!project_text(p, p->openapi, node, "x-wso2-auth-header", &name))
            return SLICE_NONE;
        name = slice_trim(name);
    }
    if (name.n == 0)
        return project_lower(p->build, p->build->config->security.auth_header.authorization_header);
    name = project_lower(p->build, name);
    if (name.n > 256 || !is_token(name))
        diag_help(diag_error(p->build->diag, CC1203, place,
                             "\"%" PRIslice "\" is not the name of a header", SLICE_ARG(name)),
                  "write a name like Authorization");
    else if (is_reserved(name))
        diag_help(diag_error(p->build->diag, CC1203, place,
                             "a token cannot be in the header \"%" PRIslice "\"", SLICE_ARG(name)),
                  "the gateway removes or changes this header before it looks for the token");
    return name;
}

/* --- HTTP/2 to endpoints -----------------------------------------------------------------------
 */

static void read_http2(struct project *p)
{
    const struct doc_node *node = doc_get(p->openapi->root, "x-wso2-http2-backend-enabled");

    if (node != NULL && node->type != DOC_NULL)
        doc_bool(p->openapi, node, "x-wso2-http2-backend-enabled", p->build->diag, &p->http2);
}

/* The document > api.yaml. */
static void read_tier(struct project *p, struct gw_api *api)
{
    struct project_tier tier = {.name = SLICE_NONE};

    if (!project_tier_extension(p, p->openapi->root, &tier))
        project_tier_config(p, p->api.tier, "data.apiThrottlingPolicy", &tier);
    project_set_tier(&tier, &api->tier, &api->tier_declared);
    api->status = p->api.status;
    api->status_declared = p->api.status_declared;
}

/* --- the API --------------------------------------------------------------------------------- */

/* data.id, or what the contract makes of an API without one. */
static struct slice read_id(struct project *p)
{
    struct slice text, id;
    char hex[41];

    if (p->api.id.n > 0)
        return p->api.id;
    text = arena_printf(p->build->arena, "%" PRIslice ":%" PRIslice, SLICE_ARG(p->api.name),
                        SLICE_ARG(p->api.version));
    if (text.p == NULL || crypto_sha1_hex(text, hex) != CC_OK) {
        p->build->rc = CC_ENOMEM;
        return SLICE_NONE;
    }
    id = arena_dup(p->build->arena, slice_of(hex));
    if (id.p == NULL)
        p->build->rc = CC_ENOMEM;
    return id;
}

/* One API as the model has it: on one virtual host, below one base path. */
static void add_api(struct project *p, const struct gw_api *api, struct slice vhost,
                    struct slice base_path, struct place origin)
{
    struct gw_api *slot = project_list_add(p->build, &p->build->apis, sizeof(*slot));

    if (slot == NULL)
        return;
    *slot = *api;
    slot->vhost = vhost;
    slot->base_path = base_path;
    slot->origin = origin;
}

void project_merge(struct project *p)
{
    struct gw_api api = {.name = p->api.name, .version = p->api.version, .origin = p->api.place};
    struct project_list resources = {NULL, 0, 0}, vhosts = {NULL, 0, 0};
    struct slice default_path = SLICE_NONE;
    bool has_path, has_default;

    if (p->api_doc != NULL)
        project_read_vhosts(p, &vhosts);
    if (p->openapi == NULL || !project_read_version(p))
        return;
    project_check_extensions(p, p->openapi->root, PROJECT_DOCUMENT);
    api.auth_header = read_auth_header(p);
    project_check_schemes(p);
    read_http2(p);
    project_read_named(p);
    api.mock = p->api.mock;
    if (p->api.mock)
        project_check_mock_endpoints(p);
    else if (p->api_doc != NULL)
        project_choose_clusters(p, &api); /* before the paths, which inherit options */
    project_read_paths(p, &resources);
    if (p->api_doc == NULL || p->build->rc != CC_OK)
        return; /* the rest needs both documents */
    project_report_operations(p);
    project_set_named(p, &api);
    read_tier(p, &api);
    has_path = read_base_path(p, &api.base_path);
    has_default = has_path && default_base_path(p, api.base_path, &default_path);
    api.id = read_id(p);
    project_read_cors(p, &api);
    project_set_clients(p, &api);
    api.resources = resources.items;
    api.n_resources = resources.n;
    project_collect_keys(p, &api);
    /* an API with other errors still takes part in the search for collisions */
    for (size_t i = 0; has_path && i < vhosts.n && p->build->rc == CC_OK; i++) {
        struct slice vhost = ((struct slice *)vhosts.items)[i];

        add_api(p, &api, vhost, api.base_path, api.origin);
        if (has_default)
            add_api(p, &api, vhost, default_path, p->api.default_place);
    }
}
