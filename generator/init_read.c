/* init: what the document says -> what api.yaml will say. */
#include "generator/init.h"

#include "gateway/path.h"

enum { REF_DEPTH_MAX = 8, URL_MAX = 8192, NAME_MAX_BYTES = 200 };

struct init_reader {
    struct init_project *out;
    const struct doc *doc;
    const struct doc_node *root;
    struct arena *arena;
    struct diag *diag;
    bool openapi3;
    int rc; /* CC_OK or CC_ENOMEM */
};

/* --- texts ----------------------------------------------------------------------------------- */

/* A scalar's text without blanks at its ends; empty when there is none. Versions and titles that
 * YAML takes for numbers are texts here. */
static struct slice text_at(const struct doc_node *map, const char *path)
{
    const struct doc_node *node = doc_path(map, path);

    if (node == NULL || node->type == DOC_NULL || node->type == DOC_LIST || node->type == DOC_MAP)
        return SLICE_NONE;
    return slice_trim(node->text);
}

/* `s` without the bytes that `keep` refuses, in the arena. */
static struct slice filter(struct init_reader *r, struct slice s, bool (*keep)(char c))
{
    char *to = arena_alloc(r->arena, s.n + 1);
    size_t n = 0;

    if (to == NULL) {
        r->rc = CC_ENOMEM;
        return SLICE_NONE;
    }
    for (size_t i = 0; i < s.n; i++)
        if (keep(s.p[i]))
            to[n++] = s.p[i];
    return slice_make(to, n);
}

static bool is_no_blank(char c)
{
    return c != ' ' && !ascii_is_control(c);
}

/* What a base path is made of, without '/'. */
static bool is_path_character(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("~_.-", c) != NULL);
}

static bool is_version_character(char c)
{
    return is_path_character(c);
}

static bool is_base_path_character(char c)
{
    return c == '/' || is_path_character(c);
}

static void changed(struct init_reader *r, const char *path, const char *what, struct slice from,
                    struct slice to)
{
    struct diag_item *item = diag_warning(
        r->diag, CC1311, doc_place(r->doc, doc_path(r->root, path)),
        "%s \"%.*s\" cannot stand in a path", what, (int)(from.n > 200 ? 200 : from.n), from.p);

    diag_help(item, "api.yaml says \"%" PRIslice "\"; change it there when you want another",
              SLICE_ARG(to));
}

/* --- name, version, context ------------------------------------------------------------------ */

static void read_name(struct init_reader *r, struct slice directory)
{
    struct slice title = filter(r, text_at(r->root, "info.title"), is_no_blank);

    title = slice_first(title, utf8_valid_prefix(slice_first(title, NAME_MAX_BYTES)));
    r->out->name = title.n > 0 ? title : filter(r, directory, is_no_blank);
    r->out->description = text_at(r->root, "info.description");
    if (slice_has_control(r->out->name) || r->out->name.n == 0)
        r->out->name = SLICE("API");
}

static bool is_dots(struct slice s)
{
    return slice_is(s, ".") || slice_is(s, "..");
}

static void read_version(struct init_reader *r)
{
    struct slice given = filter(r, text_at(r->root, "info.version"), is_no_blank);
    struct slice version = filter(r, slice_first(given, NAME_MAX_BYTES), is_version_character);

    if (version.n == 0 || is_dots(version))
        version = SLICE("1.0.0");
    if (given.n > 0 && !slice_eq(given, version))
        changed(r, "info.version", "version", given, version);
    r->out->version = version;
}

/* `path` without empty, "." and ".." parts and characters that no base path has; begins with '/'
 * and does not end with it. p == NULL when nothing remains. */
static struct slice clean_path(struct init_reader *r, struct slice path)
{
    struct buf clean;
    struct slice part, result = SLICE_NONE;

    path = filter(r, path, is_base_path_character);
    if (path.p == NULL)
        return SLICE_NONE;
    buf_init(&clean, GW_PATH_MAX);
    while (slice_split(&path, '/', &part)) {
        if (part.n == 0 || is_dots(part))
            continue;
        buf_add_char(&clean, '/');
        buf_add(&clean, part);
    }
    if (clean.n > 0 && buf_error(&clean) == CC_OK && gw_base_path_fault(buf_slice(&clean)) == NULL)
        result = arena_dup(r->arena, buf_slice(&clean));
    buf_free(&clean);
    return result;
}

/* `path` with each {version} replaced, in the arena. */
static struct slice put_version(struct init_reader *r, struct slice path)
{
    static const struct slice word = SLICE_INIT("{version}");
    struct slice result;
    struct buf b;

    buf_init(&b, GW_PATH_MAX);
    while (path.n > 0 && buf_error(&b) == CC_OK) {
        if (slice_starts(path, word)) {
            buf_add(&b, r->out->version);
            path = slice_from(path, word.n);
        } else {
            buf_add_char(&b, path.p[0]);
            path = slice_from(path, 1);
        }
    }
    result = arena_dup(r->arena, buf_error(&b) == CC_OK ? buf_slice(&b) : SLICE(""));
    buf_free(&b);
    return result;
}

/* A declared base path; false when there is none that can be used. */
static bool take_context(struct init_reader *r, const char *key)
{
    struct slice given = text_at(r->root, key), path;

    if (given.n == 0)
        return false;
    path = put_version(r, given);
    r->out->context = clean_path(r, path);
    /* "/" is a base path, but says nothing that could be a context */
    if (r->out->context.p == NULL)
        return false;
    if (!slice_eq(r->out->context,
                  slice_ends(path, SLICE("/")) ? slice_first(path, path.n - 1) : path))
        changed(r, key, key, given, r->out->context);
    return true;
}

/* x-wso2-basePath > basePath > the title > the directory's name. */
static void read_context(struct init_reader *r, struct slice directory)
{
    if (take_context(r, "x-wso2-basePath")) {
        r->out->default_version =
            !slice_contains(text_at(r->root, "x-wso2-basePath"), SLICE("{version}"));
        return;
    }
    if (!r->openapi3 && take_context(r, "basePath"))
        return;
    r->out->context = clean_path(r, filter(r, r->out->name, is_path_character));
    if (r->out->context.p == NULL)
        r->out->context = clean_path(r, filter(r, directory, is_path_character));
    if (r->out->context.p == NULL)
        r->out->context = SLICE("/api");
}

/* --- endpoints ------------------------------------------------------------------------------- */

static void add_url(struct init_reader *r, struct init_endpoints *e, struct slice url,
                    struct place place)
{
    if (e->n < INIT_URLS_MAX)
        e->urls[e->n++] = url;
    else if (e->n == INIT_URLS_MAX)
        diag_help(
            diag_warning(r->diag, CC1311, place, "there are more than %d endpoints", INIT_URLS_MAX),
            "api.yaml has the first ones; add the others there");
}

/* x-wso2-production-endpoints, x-wso2-sandbox-endpoints: an object, or "#/x-wso2-endpoints/NAME".
 */
static bool read_extension(struct init_reader *r, const char *key, struct init_endpoints *e)
{
    static const struct slice prefix = SLICE_INIT("#/x-wso2-endpoints/");
    const struct doc_node *node = doc_get(r->root, key), *named, *urls;

    if (node == NULL || node->type == DOC_NULL)
        return false;
    named = doc_get(r->root, "x-wso2-endpoints");
    if (node->type == DOC_TEXT && slice_starts(node->text, prefix)) {
        const char *name = node->text.p + prefix.n;

        for (size_t i = 0; named != NULL && named->type == DOC_LIST && i < named->n; i++) {
            const struct doc_node *object = doc_get(named->entries[i].value, name);

            node = object != NULL ? object : node;
        }
    }
    urls = doc_get(node, "urls");
    e->failover = slice_starts(text_at(node, "type"), SLICE("failover"));
    for (size_t i = 0; urls != NULL && urls->type == DOC_LIST && i < urls->n; i++) {
        struct slice url = slice_trim(urls->entries[i].value->text);

        if (url.n > 0)
            add_url(r, e, url, doc_place(r->doc, urls->entries[i].value));
    }
    return true;
}

/* The default of server variable `name`; p == NULL when it has none. */
static struct slice variable(const struct doc_node *server, struct slice name)
{
    const struct doc_node *variables = doc_get(server, "variables");

    for (size_t i = 0; variables != NULL && variables->type == DOC_MAP && i < variables->n; i++) {
        if (slice_eq(variables->entries[i].key->text, name))
            return text_at(variables->entries[i].value, "default");
    }
    return SLICE_NONE;
}

/* The server's URL with its variables at their defaults, in the arena; p == NULL when one has none
 * or the URL is no absolute http one. */
static struct slice server_url(struct init_reader *r, const struct doc_node *server)
{
    struct slice url = text_at(server, "url"), result = SLICE_NONE;
    struct buf b;
    bool good = true;

    buf_init(&b, URL_MAX);
    while (good && url.n > 0) {
        ptrdiff_t open = slice_find(url, '{'), close = slice_find(url, '}');

        if (open < 0 || close < open) {
            buf_add(&b, url);
            break;
        }
        buf_add(&b, slice_first(url, (size_t)open));
        good = variable(server, slice_make(url.p + open + 1, (size_t)(close - open) - 1)).p != NULL;
        buf_add(&b, variable(server, slice_make(url.p + open + 1, (size_t)(close - open) - 1)));
        url = slice_from(url, (size_t)close + 1);
    }
    if (good && buf_error(&b) == CC_OK && b.n > 8 &&
        (slice_eq_nocase(slice_first(buf_slice(&b), 7), SLICE("http://")) ||
         slice_eq_nocase(slice_first(buf_slice(&b), 8), SLICE("https://"))))
        result = arena_dup(r->arena, buf_slice(&b));
    buf_free(&b);
    return result;
}

static void read_servers(struct init_reader *r)
{
    const struct doc_node *servers = doc_get(r->root, "servers");

    for (size_t i = 0; servers != NULL && servers->type == DOC_LIST && i < servers->n; i++) {
        const struct doc_node *server = servers->entries[i].value;
        struct slice url = server_url(r, server);

        if (url.p != NULL)
            add_url(r, &r->out->production, url, doc_place(r->doc, server));
    }
}

/* OpenAPI 2: https when it is listed, else http. */
static void read_host(struct init_reader *r)
{
    const struct doc_node *schemes = doc_get(r->root, "schemes");
    struct slice host = text_at(r->root, "host"), path = text_at(r->root, "basePath"), url;
    const char *scheme = "http";

    if (host.n == 0)
        return;
    for (size_t i = 0; schemes != NULL && schemes->type == DOC_LIST && i < schemes->n; i++) {
        if (slice_eq_nocase(schemes->entries[i].value->text, SLICE("https")))
            scheme = "https";
    }
    if (slice_is(path, "/"))
        path = SLICE("");
    url = arena_printf(r->arena, "%s://%" PRIslice "%s%" PRIslice, scheme, SLICE_ARG(host),
                       path.n > 0 && path.p[0] != '/' ? "/" : "", SLICE_ARG(path));
    if (url.p == NULL)
        r->rc = CC_ENOMEM;
    else
        add_url(r, &r->out->production, url, doc_place(r->doc, doc_get(r->root, "host")));
}

/* The extensions replace everything, servers replace the defaults (api-projects 2.4). */
static void read_endpoints(struct init_reader *r)
{
    bool production = read_extension(r, "x-wso2-production-endpoints", &r->out->production);
    bool sandbox = read_extension(r, "x-wso2-sandbox-endpoints", &r->out->sandbox);

    if (production || sandbox)
        return;
    if (r->openapi3)
        read_servers(r);
    else
        read_host(r);
    if (r->out->production.n > 0)
        return;
    if (r->doc != NULL)
        diag_help(diag_warning(r->diag, CC1313, place_file(&r->doc->source),
                               "the document names no backend"),
                  "endpointConfig of api.yaml says http://localhost:8080; write yours there");
    r->out->production.urls[r->out->production.n++] = SLICE("http://localhost:8080");
    r->out->sandbox.urls[r->out->sandbox.n++] = SLICE("http://localhost:8081");
}

/* --- the document ---------------------------------------------------------------------------- */

/* Is it OpenAPI of a version that can be built? Findings when not. */
static bool check_kind(struct init_reader *r)
{
    static const char *const others[] = {"asyncapi", "swaggerVersion", "raml", "arazzo"};
    struct slice openapi = text_at(r->root, "openapi"), swagger = text_at(r->root, "swagger");
    struct diag_item *item;

    if (!doc_is_map(r->doc, r->root, "the document", r->diag))
        return false;
    r->openapi3 = swagger.n == 0;
    if (slice_starts(openapi, SLICE("3.0")) || slice_starts(openapi, SLICE("3.1")) ||
        slice_is(swagger, "2.0") || slice_is(swagger, "2"))
        return true;
    item = diag_error(r->diag, CC1312, place_file(&r->doc->source),
                      "this is no OpenAPI document of version 2.0, 3.0 or 3.1");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (doc_get(r->root, others[i]) != NULL)
            diag_help(item, "it has a key \"%s\": API projects of that kind cannot be made",
                      others[i]);
    }
    if (openapi.n > 0 || swagger.n > 0)
        diag_help(item, "it says version \"%" PRIslice "\"",
                  SLICE_ARG(openapi.n > 0 ? openapi : swagger));
    return false;
}

int init_read(struct init_project *out, const struct doc *doc, struct slice name,
              struct arena *arena, struct diag *diag)
{
    struct init_reader r = {.out = out,
                            .doc = doc,
                            .root = doc != NULL ? doc->root : NULL,
                            .arena = arena,
                            .diag = diag,
                            .rc = CC_OK};

    *out = (struct init_project){.doc = doc};
    if (doc != NULL && !check_kind(&r))
        return CC_EINVAL;
    read_name(&r, name);
    read_version(&r);
    read_context(&r, name);
    read_endpoints(&r);
    out->tags = doc_get(r.root, "tags");
    out->cors = doc_get(r.root, "x-wso2-cors");
    return r.rc;
}
