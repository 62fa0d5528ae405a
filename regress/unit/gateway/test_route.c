/* Unit tests of route.h. The last one compares the table with the contract's own rule, a regular
 * expression for each template, over many random sets of templates. */
#include "gateway/path.h"
#include "gateway/route.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { MAX_APIS = 200, MAX_RESOURCES = 64, MAX_OPERATIONS = 4096 };

/* A model under construction. Everything is fixed in place, so that places and pointers hold. */
struct world {
    struct gw_model model;
    struct gw_api apis[MAX_APIS];
    struct gw_resource resources[MAX_APIS][MAX_RESOURCES];
    struct gw_operation operations[MAX_OPERATIONS];
    size_t n_operations;
    struct source source;
    struct diag *diag;
    struct gw_route_table *table;
};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->source = (struct source){.name = "api.yaml"};
    w->model.apis = w->apis;
    w->diag = diag_new();
    assert_non_null(w->diag);
    return w;
}

static void world_free(struct world *w)
{
    gw_route_table_free(&w->table);
    diag_free(&w->diag);
    free(w);
}

static struct gw_api *add_api(struct world *w, const char *vhost, const char *base_path)
{
    size_t i = w->model.n_apis++;
    struct gw_api *api = &w->apis[i];

    assert_true(i < MAX_APIS);
    api->name = SLICE("API");
    api->version = SLICE("1");
    api->vhost = slice_of(vhost);
    api->base_path = slice_of(base_path);
    api->resources = w->resources[i];
    api->origin = (struct place){&w->source, (unsigned)i + 1, 1};
    return api;
}

/* Adds a resource with these methods (a bit set); line 100 + its number is its origin. */
static const struct gw_resource *add_resource(struct world *w, struct gw_api *api,
                                              const char *template, unsigned methods)
{
    struct gw_resource *r = &w->resources[api - w->apis][api->n_resources++];

    assert_true(api->n_resources <= MAX_RESOURCES);
    r->template = slice_of(template);
    r->operations = &w->operations[w->n_operations];
    r->origin = (struct place){&w->source, 100 + (unsigned)api->n_resources, 5};
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        if (!(methods >> m & 1))
            continue;
        assert_true(w->n_operations < MAX_OPERATIONS);
        w->operations[w->n_operations++] =
            (struct gw_operation){.method = (enum gw_method)m, .origin = r->origin};
        r->n_operations++;
    }
    return r;
}

enum { GET = 1u << GW_GET, POST = 1u << GW_POST, PUT = 1u << GW_PUT };

static void build(struct world *w)
{
    int rc = gw_route_table_new(&w->table, &w->model, w->diag);

    assert_int_equal(gw_route_check(&w->model, w->diag), rc);
    if (rc != CC_OK) {
        diag_print(w->diag, stderr, false);
        fail_msg("%s", cc_strerror(rc));
    }
}

/* The template that a request finds; NULL when none. */
static const char *find_on(const struct world *w, const char *host, const char *path)
{
    struct gw_route route;
    bool found = gw_route_find(w->table, slice_of(host), slice_of(path), &route);

    assert_int_equal(found, route.resource != NULL);
    if (found) {
        assert_non_null(route.api);
        assert_true(route.host_known);
        assert_true(route.n_matches > 0);
    }
    return found ? route.resource->template.p : NULL;
}

struct lookup {
    const char *path;
    const char *template; /* NULL: nothing there */
};

static void check_lookups(const struct world *w, const struct lookup *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *found = find_on(w, "any.host", cases[i].path);

        if ((found == NULL) != (cases[i].template == NULL) ||
            (found != NULL && strcmp(found, cases[i].template) != 0))
            fail_msg("%s finds %s", cases[i].path, found != NULL ? found : "nothing");
    }
}

/* One API on "*" with these templates, all of them GET. */
static struct world *one_api(const char *base_path, const char *const *templates, size_t n)
{
    struct world *w = world_new();
    struct gw_api *api = add_api(w, "*", base_path);

    for (size_t i = 0; i < n; i++)
        add_resource(w, api, templates[i], GET);
    build(w);
    return w;
}

/* The vectors of Choreo Connect's TestGenerateRegex. */
static void templates_match_as_in_the_contract(void **state)
{
    static const char *const templates[] = {"/pet/{id}", "/dog/*", "/cat/{id}.api", "/pet{id}"};
    static const struct lookup cases[] = {
        {"/v2/pet/5", "/pet/{id}"},
        {"/v2/pet/5/test", NULL},
        {"/v2/pet/5/", NULL},
        {"/v2/pet/", NULL},
        {"/v2/pet", NULL},
        {"/v2/dog", "/dog/*"},
        {"/v2/dog/", "/dog/*"},
        {"/v2/dog/a/b", "/dog/*"},
        {"/v2/dog/a/b/", "/dog/*"},
        {"/v2/dog123", NULL},
        {"/v2/cat/p1.api", "/cat/{id}.api"},
        {"/v2/cat/p1", NULL},
        {"/v2/cat/.api", NULL},
        {"/v2/petx", "/pet{id}"},
        {"/v2/Pet/5", NULL},
        {"/v2", NULL},
        {"/v2/", NULL},
        {"/v", NULL},
        {"/v22/pet/5", NULL},
        {"/", NULL},
    };
    struct world *w = one_api("/v2", templates, ARRAY_SIZE(templates));

    (void)state;
    check_lookups(w, cases, ARRAY_SIZE(cases));
    world_free(w);
}

static void more_literal_text_wins(void **state)
{
    static const char *const templates[] = {
        "/pet/index.html", "/pet/pet.{anc}", "/pet/{petId}.com", "/pet/{pet}.{anc}", "/pet",
        "/pet/{id}",       "/pet/{id}/price", "/pet/{id}/{price}", "/pet/*",         "/pet/a/b/c",
    };
    static const struct lookup cases[] = {
        {"/pet/index.html", "/pet/index.html"},
        {"/pet/pet.x", "/pet/pet.{anc}"},
        {"/pet/pet.com", "/pet/pet.{anc}"},
        {"/pet/x.com", "/pet/{petId}.com"},
        {"/pet/x.org", "/pet/{pet}.{anc}"},
        {"/pet", "/pet"},
        {"/pet/7", "/pet/{id}"},
        {"/pet/7/price", "/pet/{id}/price"},
        {"/pet/7/tag", "/pet/{id}/{price}"},
        {"/pet/7/tag/x", "/pet/*"},
        {"/pet/", "/pet/*"},
        /* literal "a" leads nowhere: the parameter is tried, then the wildcard */
        {"/pet/a", "/pet/{id}"},
        {"/pet/a/b", "/pet/{id}/{price}"},
        {"/pet/a/b/c", "/pet/a/b/c"},
        {"/pet/a/b/d", "/pet/*"},
    };
    struct world *w = one_api("", templates, ARRAY_SIZE(templates));

    (void)state;
    check_lookups(w, cases, ARRAY_SIZE(cases));
    world_free(w);
}

static void mixed_segments_match_whole_segments(void **state)
{
    static const char *const templates[] = {
        "/r/{a}-{b}",     "/r/{a}-{b}-{c}", "/compare/{base}...{head}", "/two/{a}{b}",
        "/x/a{m}b{n}c",   "/x/{m}.json",    "/x/{m}.json/raw",          "/y/{a}--{b}",
    };
    static const struct lookup cases[] = {
        {"/r/1-2", "/r/{a}-{b}"},
        {"/r/1-2-3", "/r/{a}-{b}-{c}"},
        {"/r/1--3", "/r/{a}-{b}"},
        {"/r/-2", NULL},
        {"/r/1-", NULL},
        {"/r/-", NULL},
        {"/r/---", "/r/{a}-{b}"},
        {"/r/-----", "/r/{a}-{b}-{c}"},
        {"/compare/v1...v2", "/compare/{base}...{head}"},
        {"/compare/v1..v2", NULL},
        {"/compare/v1....v2", "/compare/{base}...{head}"},
        {"/two/ab", "/two/{a}{b}"},
        {"/two/a", NULL},
        {"/x/a1b2c", "/x/a{m}b{n}c"},
        {"/x/abbbc", "/x/a{m}b{n}c"},
        {"/x/abbc", NULL},
        {"/x/abc", NULL},
        {"/x/y.json", "/x/{m}.json"},
        {"/x/.json", NULL},
        {"/x/y.json/raw", "/x/{m}.json/raw"},
        {"/x/y.jsonx", NULL},
        {"/y/a---b", "/y/{a}--{b}"},
    };
    struct world *w = one_api("", templates, ARRAY_SIZE(templates));

    (void)state;
    check_lookups(w, cases, ARRAY_SIZE(cases));
    world_free(w);
}

static void trailing_slashes_are_significant(void **state)
{
    static const char *const templates[] = {"/", "/pets", "/pets/{id}/", "/dogs/", "/all/*"};
    static const struct lookup cases[] = {
        {"/b/", "/"},           {"/b", NULL},        {"/b/pets", "/pets"},
        {"/b/pets/", NULL},     {"/b/pets/1", NULL}, {"/b/pets/1/", "/pets/{id}/"},
        {"/b/dogs/", "/dogs/"}, {"/b/dogs", NULL},   {"/b/all", "/all/*"},
        {"/b/all/", "/all/*"},
    };
    struct world *w = one_api("/b", templates, ARRAY_SIZE(templates));

    (void)state;
    check_lookups(w, cases, ARRAY_SIZE(cases));
    world_free(w);
}

static void a_lone_wildcard_takes_the_base_path_too(void **state)
{
    static const char *const templates[] = {"/*", "/"};
    static const struct lookup below[] = {
        {"/b", "/*"}, {"/b/", "/"}, {"/b/x", "/*"}, {"/b/x/y/", "/*"}, {"/bx", NULL}, {"/", NULL}};
    static const struct lookup at_root[] = {{"/", "/"}, {"/x", "/*"}, {"/x/y/", "/*"}};
    struct world *w = one_api("/b", templates, ARRAY_SIZE(templates));

    (void)state;
    check_lookups(w, below, ARRAY_SIZE(below));
    world_free(w);
    w = one_api("", templates, ARRAY_SIZE(templates));
    check_lookups(w, at_root, ARRAY_SIZE(at_root));
    world_free(w);
}

static void hosts_are_chosen_first(void **state)
{
    static const struct {
        const char *host, *path, *template;
        bool known;
    } cases[] = {
        {"api.example.com", "/exact", "/exact", true},
        {"api.example.com", "/suffix", NULL, true}, /* no falling back to *.example.com */
        {"www.example.com", "/suffix", "/suffix", true},
        {"a.b.example.com", "/suffix", "/suffix", true},
        {"x.eu.example.com", "/longer", "/longer", true},
        {"a.b.eu.example.com", "/longer", "/longer", true},
        {"eu.example.com", "/suffix", "/suffix", true},
        {"example.com", "/any", "/any", true}, /* the suffix needs a label before it */
        {"badexample.com", "/any", "/any", true},
        {"::1", "/v6", "/v6", true},
        {"", "/any", "/any", true},
    };
    struct world *w = world_new();

    (void)state;
    add_resource(w, add_api(w, "api.example.com", ""), "/exact", GET);
    add_resource(w, add_api(w, "*.example.com", ""), "/suffix", GET);
    add_resource(w, add_api(w, "*.eu.example.com", ""), "/longer", GET);
    add_resource(w, add_api(w, "::1", ""), "/v6", GET);
    add_resource(w, add_api(w, "*", ""), "/any", GET);
    build(w);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *found = find_on(w, cases[i].host, cases[i].path);

        if ((found == NULL) != (cases[i].template == NULL) ||
            (found != NULL && strcmp(found, cases[i].template) != 0))
            fail_msg("%s%s finds %s", cases[i].host, cases[i].path, found ? found : "nothing");
    }
    world_free(w);
}

static void unknown_hosts_are_told(void **state)
{
    struct world *w = world_new();
    struct gw_route route;

    (void)state;
    add_resource(w, add_api(w, "a.example", ""), "/x", GET);
    build(w);
    assert_false(gw_route_find(w->table, SLICE("b.example"), SLICE("/x"), &route));
    assert_false(route.host_known);
    assert_null(route.api);
    assert_false(gw_route_find(w->table, SLICE("a.example"), SLICE("/y"), &route));
    assert_true(route.host_known);
    assert_ptr_equal(route.api, &w->apis[0]);
    assert_false(gw_route_find(w->table, SLICE("a.example"), SLICE(""), &route));
    assert_false(gw_route_find(w->table, SLICE("a.example"), SLICE("x"), &route));
    world_free(w);
}

/* More than a short list: the sets of hosts are hashed. */
static void many_hosts_are_found(void **state)
{
    static char names[MAX_APIS][32];
    struct world *w = world_new();

    (void)state;
    for (unsigned i = 0; i < MAX_APIS; i++) {
        snprintf(names[i], sizeof(names[i]), "%sh%u.example", i % 2 ? "*." : "", i);
        add_resource(w, add_api(w, names[i], ""), "/x", GET);
    }
    build(w);
    for (unsigned i = 0; i < MAX_APIS; i++) {
        struct gw_route route;
        char host[40];

        snprintf(host, sizeof(host), "%sh%u.example", i % 2 ? "a.b." : "", i);
        assert_true(gw_route_find(w->table, slice_of(host), SLICE("/x"), &route));
        assert_ptr_equal(route.api, &w->apis[i]);
    }
    assert_null(find_on(w, "h1.example", "/x"));
    world_free(w);
}

/* The same for segments, and what only resembles one of them is not found. */
static void many_siblings_are_found(void **state)
{
    static char templates[MAX_RESOURCES][32];
    struct world *w = world_new();
    struct gw_api *api = add_api(w, "*", "/b");

    (void)state;
    for (unsigned i = 0; i < MAX_RESOURCES; i++) {
        snprintf(templates[i], sizeof(templates[i]), "/segment%u/x/{y}", i);
        add_resource(w, api, templates[i], GET);
    }
    build(w);
    for (unsigned i = 0; i < MAX_RESOURCES; i++) {
        char path[40];

        snprintf(path, sizeof(path), "/b/segment%u/x/1", i);
        assert_ptr_equal(find_on(w, "h", path), templates[i]);
        snprintf(path, sizeof(path), "/b/segment%u/xx/1", i);
        assert_null(find_on(w, "h", path));
        snprintf(path, sizeof(path), "/b/segment%u/x", i);
        assert_null(find_on(w, "h", path));
        snprintf(path, sizeof(path), "/b/segment0%u/x/1", i);
        assert_null(find_on(w, "h", path));
    }
    world_free(w);
}

static void overlapping_base_paths_prefer_the_longer(void **state)
{
    struct world *w = world_new();
    struct gw_api *outer = add_api(w, "*", "/a"), *inner = add_api(w, "*", "/a/b");
    struct gw_route route;

    (void)state;
    add_resource(w, outer, "/*", GET);
    add_resource(w, inner, "/x", GET);
    build(w);
    assert_true(gw_route_find(w->table, SLICE("h"), SLICE("/a/b/x"), &route));
    assert_ptr_equal(route.api, inner);
    assert_true(gw_route_find(w->table, SLICE("h"), SLICE("/a/b/y"), &route));
    assert_ptr_equal(route.api, outer); /* what the inner one does not have */
    assert_true(gw_route_find(w->table, SLICE("h"), SLICE("/a/bx"), &route));
    assert_ptr_equal(route.api, outer);
    world_free(w);
}

static void without_a_resource_the_deepest_api_is_told(void **state)
{
    struct world *w = world_new();
    struct gw_api *root = add_api(w, "*", ""), *outer = add_api(w, "*", "/a");
    struct gw_api *inner = add_api(w, "*", "/a/b");
    struct gw_route route;

    (void)state;
    add_resource(w, root, "/{x}/{y}/none", GET);
    add_resource(w, outer, "/{x}/y", GET);
    add_resource(w, inner, "/x", GET);
    build(w);
    assert_false(gw_route_find(w->table, SLICE("h"), SLICE("/a/b/c"), &route));
    assert_ptr_equal(route.api, inner);
    assert_false(gw_route_find(w->table, SLICE("h"), SLICE("/a/b"), &route));
    assert_ptr_equal(route.api, inner);
    assert_false(gw_route_find(w->table, SLICE("h"), SLICE("/a/c"), &route));
    assert_ptr_equal(route.api, outer);
    assert_false(gw_route_find(w->table, SLICE("h"), SLICE("/ab"), &route));
    assert_ptr_equal(route.api, root);
    world_free(w);
}

static void same_shapes_share_their_methods(void **state)
{
    struct world *w = world_new();
    struct gw_api *api = add_api(w, "*", "/v1");
    const struct gw_resource *by_id = add_resource(w, api, "/pets/{id}", GET | PUT);
    const struct gw_resource *by_name = add_resource(w, api, "/pets/{name}", POST);
    struct gw_route route;

    (void)state;
    add_resource(w, api, "/pets/{none}", 0);
    build(w);
    assert_true(gw_route_find(w->table, SLICE("h"), SLICE("/v1/pets/1"), &route));
    assert_int_equal(route.n_matches, 2);
    assert_ptr_equal(route.resource, by_id);
    assert_int_equal(gw_route_methods(&route), GET | PUT | POST);
    assert_ptr_equal(gw_route_operation(&route, GW_POST), &by_name->operations[0]);
    assert_ptr_equal(route.resource, by_name);
    assert_ptr_equal(gw_route_operation(&route, GW_PUT), &by_id->operations[1]);
    assert_ptr_equal(route.resource, by_id);
    assert_null(gw_route_operation(&route, GW_DELETE));
    assert_null(gw_resource_operation(by_id, GW_POST));
    assert_ptr_equal(gw_resource_operation(by_id, GW_GET), &by_id->operations[0]);
    world_free(w);
}

static void resources_without_operations_count_when_alone(void **state)
{
    struct world *w = world_new();
    struct gw_api *api = add_api(w, "*", "");
    const struct gw_resource *second;
    struct gw_route route;

    (void)state;
    add_resource(w, api, "/{a}", 0);
    second = add_resource(w, api, "/{b}", GET);
    add_resource(w, api, "/x/{c}", 0);
    build(w);
    assert_true(gw_route_find(w->table, SLICE("h"), SLICE("/1"), &route));
    assert_int_equal(route.n_matches, 1);
    assert_ptr_equal(route.resource, second);
    assert_string_equal(find_on(w, "h", "/x/1"), "/x/{c}");
    world_free(w);
}

/* Builds and expects one finding: its code, its line, and a part of its text. */
static void check_refused(struct world *w, enum diag_code code, unsigned line, const char *text)
{
    struct diag_view view, checked;

    assert_int_equal(gw_route_table_new(&w->table, &w->model, w->diag), CC_EREFUSED);
    assert_null(w->table);
    assert_int_equal(diag_errors(w->diag), 1);
    assert_true(diag_get(w->diag, 0, &view));
    assert_int_equal(view.code, code);
    assert_int_equal(view.place.line, line);
    if (!slice_contains(view.message, slice_of(text)))
        fail_msg("%.*s", SLICE_ARG(view.message));
    assert_int_equal(gw_route_check(&w->model, w->diag), CC_EREFUSED);
    assert_true(diag_errors(w->diag) == 2 && diag_get(w->diag, 1, &checked));
    assert_true(checked.code == code && slice_eq(checked.message, view.message));
    world_free(w);
}

static void collisions_name_both_sides(void **state)
{
    struct world *w = world_new();
    struct gw_api *api, *other;

    (void)state;
    api = add_api(w, "*", "/same");
    other = add_api(w, "*", "/same");
    add_resource(w, api, "/x", GET); /* collides too, which would only repeat the finding */
    add_resource(w, other, "/x", GET);
    check_refused(w, CC2001, 2, "has base path /same on virtual host *, which API \"API\" version "
                                "1 has already (api.yaml:1:1)");

    w = world_new();
    api = add_api(w, "*", "/v1");
    add_resource(w, api, "/pets/{id}", GET);
    add_resource(w, api, "/pets/{name}", GET | POST);
    check_refused(w, CC2004, 102, "GET /v1/pets/{name} matches the same requests as GET "
                                  "/v1/pets/{id} (api.yaml:101:5)");

    w = world_new();
    add_resource(w, add_api(w, "*", "/a"), "/b/{c}/*", POST);
    add_resource(w, add_api(w, "*", "/a/b"), "/{d}/*", POST);
    check_refused(w, CC2004, 101, "POST /a/b/{d}/* matches the same requests as POST /a/b/{c}/*");
}

static void unusable_parts_are_refused(void **state)
{
    static char longest[GW_PATH_MAX + 1];
    struct world *w = world_new();

    (void)state;
    add_resource(w, add_api(w, "*", "/v1"), "/a//b", GET);
    check_refused(w, CC2003, 101, "\"/a//b\" cannot be served: it has an empty segment");
    w = world_new();
    add_resource(w, add_api(w, "*", "/v1/"), "/a", GET);
    check_refused(w, CC2002, 1, "\"/v1/\": it ends with '/'");
    w = world_new();
    add_resource(w, add_api(w, "UPPER", "/v1"), "/a", GET);
    check_refused(w, CC2108, 1, "\"UPPER\": a virtual host is written in lower case");
    w = world_new();
    memset(longest, 'a', GW_PATH_MAX);
    longest[0] = '/';
    add_resource(w, add_api(w, "*", "/v1"), longest, GET);
    check_refused(w, CC2003, 101, "longer than a request path can be");
}

static void an_empty_model_finds_nothing(void **state)
{
    struct world *w = world_new();
    struct gw_route route;

    (void)state;
    build(w);
    assert_false(gw_route_find(w->table, SLICE("h"), SLICE("/"), &route));
    assert_false(route.host_known);
    assert_true(gw_route_table_bytes(w->table) > 0);
    world_free(w);
}

/* The deepest recursion that a path can cause. */
static void deep_tries_backtrack(void **state)
{
    static char template[GW_PATH_MAX_SEGMENTS * 4 + 4], path[GW_PATH_MAX_SEGMENTS * 2 + 2];
    struct world *w = world_new();
    struct gw_api *api = add_api(w, "*", "");
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < GW_PATH_MAX_SEGMENTS; i++)
        n += (size_t)snprintf(template + n, sizeof(template) - n, "/{x}");
    add_resource(w, api, template, GET);
    add_resource(w, api, "/*", GET);
    add_resource(w, api, "/a/*", GET);
    add_resource(w, api, "/a/{x}/a/{x}/b", GET);
    build(w);
    for (size_t i = 0; i < GW_PATH_MAX_SEGMENTS; i++)
        memcpy(path + 2 * i, "/a", 3);
    assert_string_equal(find_on(w, "h", path), "/a/*");
    path[1] = 'b';
    assert_string_equal(find_on(w, "h", path), template);
    path[2 * GW_PATH_MAX_SEGMENTS - 2] = '\0';
    assert_string_equal(find_on(w, "h", path), "/*");
    world_free(w);
}

/* The reference: each template as the regular expression that the contract gives it; of those that
 * match, the best one segment by segment. Nothing is shared with the table's code. */

static void template_regex(const char *template, char *out, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, out, size);
    buf_add_char(&b, '^');
    for (const char *p = template; *p != '\0'; p++) {
        if (strcmp(p, "/*") == 0) {
            buf_add_str(&b, "(/.*)?");
            break;
        }
        if (*p == '{') {
            buf_add_str(&b, "[^/]+");
            p += strcspn(p, "}");
        } else if (*p == '.') {
            buf_add_str(&b, "[.]");
        } else {
            buf_add_char(&b, *p);
        }
    }
    buf_add_char(&b, '$');
    assert_int_equal(buf_error(&b), CC_OK);
}

/* How good a segment of a template is; less is better. */
static unsigned segment_rank(const char *segment, size_t n)
{
    unsigned parameters = 0, literal = 0;
    size_t before = 0;

    if (n == 1 && segment[0] == '*')
        return 1000000;
    for (size_t i = 0; i < n; i++) {
        if (segment[i] == '{') {
            if (parameters++ == 0)
                before = i;
            while (segment[i] != '}')
                i++;
        } else {
            literal++;
        }
    }
    if (parameters == 0)
        return 0;
    if (parameters == 1 && literal == 0)
        return 999999;
    return 900000 - literal * 1000 - (unsigned)before;
}

/* Mixed segments that the rules so far hold equal: the order of bytes, parameters first. */
static int compare_texts(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t i = 0, k = 0;

    while (i < a_n && k < b_n) {
        if (a[i] != b[k])
            return a[i] == '{' ? -1 : b[k] == '{' ? 1 : a[i] - b[k];
        i += a[i] == '{' ? strcspn(a + i, "}") + 1 : 1;
        k += b[k] == '{' ? strcspn(b + k, "}") + 1 : 1;
    }
    return (i < a_n) - (k < b_n);
}

/* <0: a is better. 0: both are of one shape. */
static int compare_templates(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        size_t x = strcspn(a + 1, "/"), y = strcspn(b + 1, "/");
        unsigned rank_a = segment_rank(a + 1, x), rank_b = segment_rank(b + 1, y);

        if (rank_a != rank_b)
            return rank_a < rank_b ? -1 : 1;
        if (rank_a > 0 && compare_texts(a + 1, x, b + 1, y) != 0)
            return compare_texts(a + 1, x, b + 1, y);
        a += 1 + x;
        b += 1 + y;
    }
    /* the path ends here: an exact end is better than a wildcard that takes nothing */
    if (*a == '\0' && *b == '\0')
        return 0;
    return *a == '\0' ? -1 : 1;
}

static uint32_t next_random(void)
{
    static uint32_t x = 88675123u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

/* Few words, so that templates and paths meet often. */
static void random_template(char *out, size_t size)
{
    static const char *const words[] = {"a",   "b",     "ab",  "{x}",   "{y}",    "a{x}",
                                        "{x}b", "{x}.{y}", "{x}a{y}", "a.b", "{x}{y}", "b{x}a"};
    unsigned segments = next_random() % 4;
    struct buf b;

    buf_init_fixed(&b, out, size);
    for (unsigned i = 0; i < segments; i++)
        buf_printf(&b, "/%s", words[next_random() % ARRAY_SIZE(words)]);
    switch (next_random() % 5) {
    case 0:
        buf_add_str(&b, "/*");
        break;
    case 1:
        buf_add_str(&b, "/");
        break;
    default:
        buf_add_str(&b, segments == 0 ? "/" : "");
    }
    assert_int_equal(buf_error(&b), CC_OK);
}

static void random_path(char *out, size_t size)
{
    static const char *const words[] = {"a", "b", "ab", "aab", "abb", "a.b", "b.a", "bba", "c"};
    unsigned segments = 1 + next_random() % 4;
    struct buf b;

    buf_init_fixed(&b, out, size);
    for (unsigned i = 0; i < segments; i++)
        buf_printf(&b, "/%s", words[next_random() % ARRAY_SIZE(words)]);
    if (next_random() % 4 == 0)
        buf_add_char(&b, '/');
    assert_int_equal(buf_error(&b), CC_OK);
}

enum { SETS = 1500, SET_TEMPLATES = 14, SET_PATHS = 25, TEXT = 128 };

struct reference {
    char template[SET_TEMPLATES][TEXT];
    regex_t regex[SET_TEMPLATES];
    size_t n;
};

static void check_path(const struct world *w, const struct reference *ref, const char *path)
{
    const char *found = find_on(w, "h", path), *best = NULL;
    bool found_matches = false;

    for (size_t i = 0; i < ref->n; i++) {
        if (regexec(&ref->regex[i], path, 0, NULL, 0) != 0)
            continue;
        found_matches |= found == ref->template[i];
        if (best == NULL || compare_templates(ref->template[i], best) < 0)
            best = ref->template[i];
    }
    if ((best == NULL) != (found == NULL) ||
        (best != NULL && (!found_matches || compare_templates(best, found) != 0)))
        fail_msg("%s finds %s, not %s", path, found ? found : "nothing", best ? best : "nothing");
}

static void check_random_set(void)
{
    static struct reference ref;
    struct world *w = world_new();
    struct gw_api *api = add_api(w, "*", "");
    char text[TEXT];

    ref.n = 1 + next_random() % SET_TEMPLATES;
    for (size_t i = 0; i < ref.n; i++) {
        random_template(ref.template[i], TEXT);
        template_regex(ref.template[i], text, TEXT);
        assert_int_equal(regcomp(&ref.regex[i], text, REG_EXTENDED | REG_NOSUB), 0);
        add_resource(w, api, ref.template[i], 0); /* no methods: same shapes do not collide */
    }
    build(w);
    for (size_t i = 0; i < SET_PATHS; i++) {
        random_path(text, TEXT);
        check_path(w, &ref, text);
    }
    for (size_t i = 0; i < ref.n; i++)
        regfree(&ref.regex[i]);
    world_free(w);
}

static void random_sets_match_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETS; i++)
        check_random_set();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_match_as_in_the_contract),
        cmocka_unit_test(more_literal_text_wins),
        cmocka_unit_test(mixed_segments_match_whole_segments),
        cmocka_unit_test(trailing_slashes_are_significant),
        cmocka_unit_test(a_lone_wildcard_takes_the_base_path_too),
        cmocka_unit_test(hosts_are_chosen_first),
        cmocka_unit_test(unknown_hosts_are_told),
        cmocka_unit_test(many_hosts_are_found),
        cmocka_unit_test(many_siblings_are_found),
        cmocka_unit_test(overlapping_base_paths_prefer_the_longer),
        cmocka_unit_test(without_a_resource_the_deepest_api_is_told),
        cmocka_unit_test(same_shapes_share_their_methods),
        cmocka_unit_test(resources_without_operations_count_when_alone),
        cmocka_unit_test(collisions_name_both_sides),
        cmocka_unit_test(unusable_parts_are_refused),
        cmocka_unit_test(an_empty_model_finds_nothing),
        cmocka_unit_test(deep_tries_backtrack),
        cmocka_unit_test(random_sets_match_the_reference),
    };

    return cmocka_run_group_tests_name("gateway/route", tests, NULL, NULL);
}
