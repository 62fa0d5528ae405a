/* project: CORS settings -> policies that equal settings share.
 *
 * x-wso2-cors of the document > corsConfiguration of api.yaml > router.cors of cc.yaml. Settings
 * that are not enabled leave the word to cc.yaml, they do not turn CORS off (the contract's rule,
 * api-projects 3.4); within settings nothing is inherited: what is not listed is not allowed. */
#include "generator/project_internal.h"

#include "gateway/cors.h"

#include <stdlib.h>

enum { MAX_ORIGINS = 1000, MAX_PATTERNS = 100 };

enum cors_list { LIST_ORIGINS, LIST_METHODS, LIST_HEADERS, LIST_EXPOSE, LISTS };

/* A text of a list, with its place for findings. */
struct cors_item {
    struct slice text;
    struct place place;
};

/* Settings as they were read, from wherever. */
struct cors_settings {
    bool enabled, credentials;
    struct place place; /* of all of them */
    struct {
        struct cors_item *items;
        size_t n;
    } lists[LISTS];
};

static const char *const list_titles[LISTS] = {"origin", "method", "request header",
                                               "exposed header"};

/* --- settings -> policy ----------------------------------------------------------------------- */

/* RFC 9110 5.6.2: what methods and names of headers are. */
static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
            return false;
    }
    return s.n > 0;
}

/* Methods are compared with case (RFC 9110 9.1), and what browsers send is in upper case. */
static struct slice as_method(struct slice text)
{
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        struct slice name = slice_of(gw_method_name(m));

        if (slice_eq_nocase(text, name))
            return name;
    }
    return text;
}

/* The list as it stands in a header of an answer. */
static struct slice join(struct project_build *build, const struct cors_settings *s,
                         enum cors_list list, size_t max)
{
    struct slice out = SLICE_NONE;
    struct buf b;

    buf_init(&b, max);
    for (size_t i = 0; i < s->lists[list].n; i++) {
        const struct cors_item *item = &s->lists[list].items[i];

        if (!is_token(item->text)) {
            diag_help(diag_error(build->diag, CC2303, item->place,
                                 "\"%" PRIslice "\" is not the name of a %s",
                                 SLICE_ARG(slice_first(item->text, 200)),
                                 list == LIST_METHODS ? "method" : "header"),
                      "several names are several list items");
            continue;
        }
        buf_add_str(&b, b.n > 0 ? ", " : "");
        buf_add(&b, list == LIST_METHODS ? as_method(item->text) : item->text);
    }
    if (buf_error(&b) == CC_EFULL)
        diag_help(diag_error(build->diag, CC2303, s->place,
                             "the %ss of these CORS settings together take more than %zu bytes",
                             list_titles[list], max),
                  "list only what pages need");
    else if (b.n > 0)
        out = arena_dup(build->arena, buf_slice(&b));
    if (buf_error(&b) == CC_ENOMEM || (b.n > 0 && buf_error(&b) == CC_OK && out.p == NULL))
        build->rc = CC_ENOMEM;
    buf_free(&b);
    return out;
}

/* Is it what browsers send: "null", or scheme, name and port, and nothing behind? */
static bool is_sent_by_browsers(struct slice origin)
{
    return slice_is(origin, "null") ||
           (slice_contains(origin, SLICE("://")) && gw_origin_is_sane(origin));
}

static void never_sent(struct project_build *build, const struct cors_item *item)
{
    struct slice text = slice_first(item->text, 200);
    struct diag_item *finding =
        diag_warning(build->diag, CC2301, item->place,
                     "no browser sends the origin \"%" PRIslice "\"", SLICE_ARG(text));

    if (!slice_contains(text, SLICE("://")))
        diag_help(finding, "an origin has a scheme: https://%" PRIslice, SLICE_ARG(text));
    else
        diag_help(finding, "an origin is scheme://name, :port if it is not the usual one, and "
                           "nothing behind, not even a '/'");
}

/* The origin in the form that policies keep; false after a finding. */
static bool read_origin(struct project_build *build, const struct cors_item *item,
                        struct slice *out, bool *pattern)
{
    char *room = project_alloc(build, item->text.n + 1, 1);
    const char *fault;

    if (room == NULL)
        return false;
    *out = gw_origin_normalize(item->text, room);
    *pattern = slice_find(*out, '*') >= 0;
    fault = *pattern ? gw_origin_pattern_fault(*out) : gw_origin_fault(*out);
    if (fault != NULL) {
        diag_help(diag_error(build->diag, CC2301, item->place, "origin \"%" PRIslice "\": %s",
                             SLICE_ARG(slice_first(item->text, 200)), fault),
                  "write it like https://shop.example.com, https://*.example.com or *");
        return false;
    }
    if (!*pattern && !is_sent_by_browsers(*out))
        never_sent(build, item);
    return true;
}

static int compare_slices(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return slice_cmp(*x, *y);
}

static size_t sort_unique(struct slice *texts, size_t n)
{
    size_t kept = 0;

    if (n > 0)
        qsort(texts, n, sizeof(*texts), compare_slices);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !slice_eq(texts[kept - 1], texts[i]))
            texts[kept++] = texts[i];
    }
    return kept;
}

static void read_origins(struct project_build *build, const struct cors_settings *s,
                         struct gw_cors *out)
{
    size_t n = s->lists[LIST_ORIGINS].n;
    struct slice *origins, *patterns, origin;
    bool pattern;

    if (n > MAX_ORIGINS) {
        diag_error(build->diag, CC2303, s->place, "%zu origins are listed, at most %d can be", n,
                   MAX_ORIGINS);
        return;
    }
    origins = project_alloc(build, n, sizeof(*origins));
    patterns = project_alloc(build, n, sizeof(*patterns));
    for (size_t i = 0; origins != NULL && patterns != NULL && i < n; i++) {
        const struct cors_item *item = &s->lists[LIST_ORIGINS].items[i];

        if (slice_is(item->text, "*"))
            out->any_origin = true;
        else if (!read_origin(build, item, &origin, &pattern))
            continue;
        else if (pattern)
            patterns[out->n_patterns++] = origin;
        else
            origins[out->n_origins++] = origin;
    }
    if (out->n_patterns > MAX_PATTERNS)
        diag_help(diag_error(build->diag, CC2303, s->place,
                             "%zu origins have wildcards, at most %d can have", out->n_patterns,
                             MAX_PATTERNS),
                  "each request would be compared with all of them");
    if (out->any_origin) /* nothing more to say */
        out->n_origins = out->n_patterns = 0;
    out->n_origins = sort_unique(origins, out->n_origins);
    out->n_patterns = sort_unique(patterns, out->n_patterns);
    out->origins = origins;
    out->patterns = patterns;
}

static void check_credentials(struct project_build *build, const struct cors_settings *s,
                              const struct gw_cors *cors)
{
    static const struct slice null = SLICE_INIT("null");
    bool sandboxed = cors->n_origins > 0 && bsearch(&null, cors->origins, cors->n_origins,
                                                    sizeof(null), compare_slices) != NULL;

    if (cors->credentials && (cors->any_origin || sandboxed))
        diag_help(diag_warning(build->diag, CC2302, s->place,
                               "pages of any origin may call this API with the cookies and client "
                               "certificates of whoever opens them"),
                  cors->any_origin ? "list the origins instead of *, or do not allow credentials"
                                   : "any page can send the origin null; list others, or do not "
                                     "allow credentials");
}

static const struct gw_cors *make_policy(struct project_build *build, const struct cors_settings *s)
{
    struct gw_cors *cors = project_alloc(build, 1, sizeof(*cors));

    if (cors == NULL)
        return NULL;
    cors->credentials = s->credentials;
    read_origins(build, s, cors);
    cors->methods = join(build, s, LIST_METHODS, GW_CORS_LIST_MAX);
    cors->headers = join(build, s, LIST_HEADERS, GW_CORS_LIST_MAX);
    cors->expose = join(build, s, LIST_EXPOSE, GW_CORS_EXPOSE_MAX);
    check_credentials(build, s, cors);
    return cors;
}

/* --- settings of a project -------------------------------------------------------------------- */

/* The members of a CORS object, in both spellings that documents have. */
enum { MEMBER_ENABLED = LISTS, MEMBER_CREDENTIALS, MEMBERS };

static const char *const spellings[][2] = {
    [LIST_ORIGINS] = {"accessControlAllowOrigins", "access-control-allow-origins"},
    [LIST_METHODS] = {"accessControlAllowMethods", "access-control-allow-methods"},
    [LIST_HEADERS] = {"accessControlAllowHeaders", "access-control-allow-headers"},
    [LIST_EXPOSE] = {"accessControlExposeHeaders", "access-control-expose-headers"},
    [MEMBER_ENABLED] = {"corsConfigurationEnabled", "cors-configuration-enabled"},
    [MEMBER_CREDENTIALS] = {"accessControlAllowCredentials", "access-control-allow-credentials"},
};

/* The contract reads it with Go's JSON decoder, which does not look at case. */
static unsigned find_member(struct slice key)
{
    unsigned m = 0;

    while (m < MEMBERS && !slice_eq_nocase(key, slice_of(spellings[m][0])) &&
           !slice_eq_nocase(key, slice_of(spellings[m][1])))
        m++;
    return m;
}

static void unknown_member(struct project *p, const struct doc *doc, const struct doc_node *key)
{
    const char *names[MEMBERS * 2], *near;
    struct diag_item *item =
        diag_warning(p->build->diag, CC1206, doc_place(doc, key),
                     "CORS settings have no member \"%" PRIslice "\"; it is ignored",
                     SLICE_ARG(slice_first(key->text, 200)));

    for (size_t i = 0; i < MEMBERS; i++) {
        names[i] = spellings[i][0];
        names[MEMBERS + i] = spellings[i][1];
    }
    near = nearest_word(key->text, names, sizeof(names) / sizeof(names[0]));
    if (near != NULL)
        diag_help(item, "did you mean %s?", near);
}

static void read_list(struct project *p, const struct doc *doc, const struct doc_node *node,
                      unsigned list, struct cors_settings *out)
{
    struct cors_item *items;

    if (!doc_is_list(doc, node, spellings[list][0], p->build->diag))
        return;
    items = project_alloc(p->build, node->n, sizeof(*items));
    for (size_t i = 0; items != NULL && i < node->n; i++) {
        struct cors_item *item = &items[out->lists[list].n];

        if (!project_text(p, doc, node->entries[i].value, spellings[list][0], &item->text))
            continue;
        item->text = slice_trim(item->text);
        item->place = doc_place(doc, node->entries[i].value);
        out->lists[list].n++;
    }
    out->lists[list].items = items;
}

static void read_members(struct project *p, const struct doc *doc,
                         const struct doc_node *const *members, struct cors_settings *out)
{
    doc_bool(doc, members[MEMBER_ENABLED], spellings[MEMBER_ENABLED][0], p->build->diag,
             &out->enabled);
    if (!out->enabled)
        return;
    doc_bool(doc, members[MEMBER_CREDENTIALS], spellings[MEMBER_CREDENTIALS][0], p->build->diag,
             &out->credentials);
    for (unsigned i = 0; i < LISTS; i++) {
        if (members[i] != NULL)
            read_list(p, doc, members[i], i, out);
    }
    if (out->lists[LIST_ORIGINS].n == 0)
        diag_help(diag_warning(p->build->diag, CC2304, out->place,
                               "these CORS settings allow no origin: no page of another origin can "
                               "call the API"),
                  "list the origins in accessControlAllowOrigins, [\"*\"] for any");
}

/* One CORS object; false when there is none. */
static bool read_object(struct project *p, const struct doc *doc, const struct doc_node *object,
                        const char *what, struct cors_settings *out)
{
    const struct doc_node *members[MEMBERS] = {NULL}, *keys[MEMBERS] = {NULL};

    *out = (struct cors_settings){.enabled = true, .place = doc_place(doc, object)};
    if (object == NULL || object->type == DOC_NULL)
        return false;
    if (!doc_is_map(doc, object, what, p->build->diag))
        return true;
    for (size_t i = 0; i < object->n; i++) {
        const struct doc_entry *e = &object->entries[i];
        unsigned m = find_member(e->key->text);

        if (m == MEMBERS) {
            unknown_member(p, doc, e->key);
        } else if (keys[m] != NULL) {
            diag_help(diag_error(p->build->diag, CC1003, doc_place(doc, e->key),
                                 "%s has \"%" PRIslice "\" and \"%" PRIslice "\"", what,
                                 SLICE_ARG(keys[m]->text), SLICE_ARG(e->key->text)),
                      "they mean the same; remove one of them");
        } else {
            keys[m] = e->key;
            members[m] = e->value->type != DOC_NULL ? e->value : NULL;
        }
    }
    read_members(p, doc, members, out);
    return true;
}

/* --- router.cors of cc.yaml ------------------------------------------------------------------- */

static void take_list(struct project_build *build, const struct slice *texts, size_t n,
                      enum cors_list list, struct cors_settings *out)
{
    struct cors_item *items = project_alloc(build, n, sizeof(*items));

    for (size_t i = 0; items != NULL && i < n; i++)
        items[i] = (struct cors_item){texts[i], out->place};
    out->lists[list].items = items;
    out->lists[list].n = items != NULL ? n : 0;
}

/* The policy of APIs that have none of their own. */
void project_read_global_cors(struct project_build *build)
{
    const struct config *c = build->config;
    struct cors_settings s = {.enabled = c->router.cors.enabled,
                              .credentials = c->router.cors.allow_credentials,
                              .place = c->router.cors.place};

    if (!s.enabled)
        return;
    take_list(build, c->router.cors.allow_origins, c->router.cors.n_allow_origins, LIST_ORIGINS,
              &s);
    take_list(build, c->router.cors.allow_methods, c->router.cors.n_allow_methods, LIST_METHODS,
              &s);
    take_list(build, c->router.cors.allow_headers, c->router.cors.n_allow_headers, LIST_HEADERS,
              &s);
    take_list(build, c->router.cors.expose_headers, c->router.cors.n_expose_headers, LIST_EXPOSE,
              &s);
    build->global_cors = make_policy(build, &s);
}

/* --- the API ---------------------------------------------------------------------------------- */

void project_read_cors(struct project *p, struct gw_api *api)
{
    const struct doc_node *data = doc_get_nocase(p->api_doc->root, "data");
    struct cors_settings s = {.enabled = false};

    if (!read_object(p, p->openapi, doc_get(p->openapi->root, "x-wso2-cors"), "x-wso2-cors", &s) &&
        !read_object(p, p->api_doc, doc_get_nocase(data, "corsConfiguration"),
                     "data.corsConfiguration", &s))
        s.enabled = false;
    if (s.enabled) {
        api->cors = make_policy(p->build, &s);
        api->cors_declared = s.place;
    } else {
        api->cors = p->build->global_cors;
        api->cors_declared = p->build->config->router.cors.place;
    }
}

static int compare_policies(const void *a, const void *b)
{
    return gw_cors_cmp(a, b);
}

void project_cors_finish(struct project_build *build, struct gw_model *model)
{
    struct gw_api *apis = build->apis.items;
    struct gw_cors *all = project_alloc(build, build->apis.n, sizeof(*all));
    size_t n = 0, kept = 0;

    if (all == NULL)
        return;
    for (size_t i = 0; i < build->apis.n; i++) {
        if (apis[i].cors != NULL)
            all[n++] = *apis[i].cors;
    }
    if (n > 0)
        qsort(all, n, sizeof(*all), compare_policies);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || gw_cors_cmp(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    }
    for (size_t i = 0; i < build->apis.n; i++) {
        if (apis[i].cors != NULL)
            apis[i].cors = bsearch(apis[i].cors, all, kept, sizeof(*all), compare_policies);
    }
    model->cors = all;
    model->n_cors = kept;
}
