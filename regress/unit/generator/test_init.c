/* What cc-gen init makes of documents, and that it builds. */
#include "test_project_fixture.h"
#include "tree_fixture.h"

#include "generator/init.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A project made in memory, and its api.yaml read back. */
struct made {
    struct init_project project;
    struct init_files files;
    struct doc *api;
};

static struct slice file_text(const struct init_files *files, const char *path)
{
    for (size_t i = 0; i < files->n; i++)
        if (strcmp(files->list[i].path, path) == 0)
            return files->list[i].text;
    fail_msg("there is no %s", path);
    return SLICE_NONE;
}

/* NULL as document: none. */
static int make(struct fixture *f, const char *document, const char *name, struct made *m)
{
    struct doc *doc = NULL;
    int rc;

    if (document != NULL)
        assert_int_equal(doc_read(&doc, slice_of(document), "petstore", f->arena, f->diag), CC_OK);
    rc = init_read(&m->project, doc, slice_of(name), f->arena, f->diag);
    if (rc != CC_OK)
        return rc;
    assert_int_equal(init_make_files(&m->files, &m->project, f->arena), CC_OK);
    assert_int_equal(
        doc_read(&m->api, file_text(&m->files, "api.yaml"), "api.yaml", f->arena, f->diag), CC_OK);
    return CC_OK;
}

/* The text at a path of api.yaml; a number is an index. "" when there is nothing. */
static struct slice at(const struct made *m, const char *path)
{
    const struct doc_node *node = m->api->root;
    struct slice rest = slice_of(path), part;

    while (node != NULL && slice_split(&rest, '.', &part)) {
        char key[64];

        snprintf(key, sizeof(key), "%.*s", (int)part.n, part.p);
        if (node->type == DOC_LIST && ascii_is_digit(key[0]))
            node = (size_t)(key[0] - '0') < node->n ? node->entries[key[0] - '0'].value : NULL;
        else
            node = doc_get(node, key);
    }
    return node != NULL ? node->text : SLICE_NONE;
}

struct fact {
    const char *path, *value; /* "" = not there */
};

static void check_facts(struct fixture *f, const char *document, const char *name,
                        const struct fact *facts, const char *findings)
{
    struct made m;
    char room[4000];

    if (make(f, document, name, &m) != CC_OK) {
        diag_print(f->diag, stderr, false);
        fail_msg("refused: %s", document);
    }
    for (; facts->path != NULL; facts++) {
        struct slice value = at(&m, facts->path);

        if (!slice_is(value, facts->value))
            fail_msg("%s is '%.*s', not '%s', from %s", facts->path, (int)value.n, value.p,
                     facts->value, document);
    }
    assert_string_equal(fixture_findings(f, room, sizeof(room)), findings);
}

#define FACTS(document, name, findings, ...)                            \
    do {                                                                \
        static const struct fact facts[] = {__VA_ARGS__, {NULL, NULL}}; \
        struct fixture f;                                               \
        fixture_open(&f);                                               \
        check_facts(&f, document, name, facts, findings);               \
        fixture_close(&f);                                              \
    } while (0)

#define OAS3  "openapi: 3.0.3\n"
#define OAS2  "swagger: '2.0'\n"
#define INFO  "info: {title: Pet Store, version: 1.0.6}\n"
#define PATHS "paths: {/a: {get: {responses: {'200': {description: OK}}}}}\n"
#define HOST  "x-wso2-production-endpoints: {urls: ['http://a:1/v']}\n"

/* api-projects 1.7: the defaults. */
static void test_nothing(void **state)
{
    (void)state;
    FACTS(NULL, "my pets", "", {"type", "api"}, {"version", "v4.0.0"}, {"data.name", "mypets"},
          {"data.context", "/mypets"}, {"data.version", "1.0.0"}, {"data.provider", "admin"},
          {"data.lifeCycleStatus", "CREATED"}, {"data.type", "HTTP"}, {"data.transport.0", "http"},
          {"data.transport.1", "https"}, {"data.policies.0", "Unlimited"},
          {"data.visibility", "PUBLIC"}, {"data.endpointConfig.endpoint_type", "http"},
          {"data.endpointConfig.production_endpoints.url", "http://localhost:8080"},
          {"data.endpointConfig.sandbox_endpoints.url", "http://localhost:8081"},
          {"data.endpointImplementationType", "ENDPOINT"}, {"data.isDefaultVersion", ""});
}

static void test_info(void **state)
{
    (void)state;
    FACTS(OAS3 INFO HOST PATHS "tags: [{name: a b}, {name: '1'}]\n", "x", "",
          {"data.name", "PetStore"}, {"data.version", "1.0.6"}, {"data.context", "/PetStore"},
          {"data.tags.0", "a b"}, {"data.tags.1", "1"});
    FACTS(OAS3 "info: {title: A, version: 1.0, description: 'a: \"b\"'}\n" HOST PATHS, "x", "",
          {"data.version", "1.0"}, {"data.description", "a: \"b\""});
    FACTS(OAS3 "info: {}\n" HOST PATHS, "x", "", {"data.name", "x"}, {"data.version", "1.0.0"},
          {"data.context", "/x"});
    FACTS(OAS3 "info: {title: A, version: v 1 0}\n" HOST PATHS, "x", "", {"data.version", "v10"});
}

/* What could break api.yaml, a path or HAProxy's configuration. */
static void test_hostile_info(void **state)
{
    (void)state;
    FACTS("{\"openapi\": \"3.0.0\", \"info\": {\"title\": \"A: \\\"b\\\"\\n#'c' %[x]\", "
          "\"version\": \"1\"}, \"x-wso2-production-endpoints\": {\"urls\": [\"http://a\"]}}",
          "x", "", {"data.name", "A:\"b\"#'c'%[x]"}, {"data.context", "/Abcx"});
    FACTS(OAS3 "info: {title: 宠物, version: 1.0.0 (beta)}\n" HOST PATHS, "pets",
          "warning CC1311 petstore:2:28\n", {"data.name", "宠物"}, {"data.context", "/pets"},
          {"data.version", "1.0.0beta"});
    FACTS(OAS3 "info: {title: 宠物, version: ..}\n" HOST PATHS, "宠",
          "warning CC1311 petstore:2:28\n", {"data.context", "/api"}, {"data.version", "1.0.0"});
    FACTS(OAS3 "info: {title: [a], version: {b: c}}\n" HOST PATHS, "x", "", {"data.name", "x"},
          {"data.version", "1.0.0"});
    FACTS(OAS3 "info: {title: 'yes', version: '1'}\n" HOST PATHS, "x", "", {"data.name", "yes"},
          {"data.version", "1"});
}

static void test_context(void **state)
{
    (void)state;
    FACTS(OAS2 INFO "basePath: /v2/\n" HOST PATHS, "x", "", {"data.context", "/v2"},
          {"data.isDefaultVersion", ""});
    FACTS(OAS2 INFO "basePath: /\n" HOST PATHS, "x", "", {"data.context", "/PetStore"});
    FACTS(OAS3 INFO "basePath: /v2\n" HOST PATHS, "x", "", {"data.context", "/PetStore"});
    FACTS(OAS2 INFO "basePath: /v2\nx-wso2-basePath: /pets/v1\n" HOST PATHS, "x", "",
          {"data.context", "/pets/v1"}, {"data.isDefaultVersion", "true"});
    FACTS(OAS3 INFO "x-wso2-basePath: '/pets/{version}'\n" HOST PATHS, "x", "",
          {"data.context", "/pets/1.0.6"}, {"data.isDefaultVersion", ""});
    FACTS(OAS3 INFO "x-wso2-basePath: '/p q//../%41'\n" HOST PATHS, "x",
          "warning CC1311 petstore:3:18\n", {"data.context", "/pq/41"});
}

static void test_endpoints(void **state)
{
    (void)state;
    FACTS(OAS3 INFO PATHS "x-wso2-production-endpoints:\n  urls: [http://a, http://b]\n"
                          "x-wso2-sandbox-endpoints:\n  urls: [http://s]\n",
          "x", "", {"data.endpointConfig.endpoint_type", "load_balance"},
          {"data.endpointConfig.algoCombo", "org.apache.synapse.endpoints.algorithms.RoundRobin"},
          {"data.endpointConfig.production_endpoints.0.url", "http://a"},
          {"data.endpointConfig.production_endpoints.1.url", "http://b"},
          {"data.endpointConfig.sandbox_endpoints.0.url", "http://s"});
    FACTS(OAS3 INFO PATHS "x-wso2-production-endpoints:\n  urls: [http://a, http://b, http://c]\n"
                          "  type: failover\n",
          "x", "", {"data.endpointConfig.endpoint_type", "failover"},
          {"data.endpointConfig.failOver", "True"},
          {"data.endpointConfig.production_endpoints.url", "http://a"},
          {"data.endpointConfig.production_failovers.0.url", "http://b"},
          {"data.endpointConfig.production_failovers.1.url", "http://c"});
    FACTS(OAS3 INFO PATHS "x-wso2-sandbox-endpoints:\n  urls: [http://s]\n", "x", "",
          {"data.endpointConfig.endpoint_type", "http"},
          {"data.endpointConfig.production_endpoints.url", ""},
          {"data.endpointConfig.sandbox_endpoints.url", "http://s"});
    FACTS(OAS3 INFO PATHS "x-wso2-endpoints:\n  - other: {urls: [http://o]}\n"
                          "  - mine: {urls: [http://m]}\n"
                          "x-wso2-production-endpoints: '#/x-wso2-endpoints/mine'\n",
          "x", "", {"data.endpointConfig.production_endpoints.url", "http://m"});
}

/* What apictl forgets. */
static void test_servers(void **state)
{
    (void)state;
    FACTS(OAS3 INFO PATHS "servers:\n  - url: 'https://{h}.test:{p}/v1'\n    variables:\n"
                          "      h: {default: eu}\n      p: {default: 8443}\n"
                          "  - url: /relative\n  - url: ws://a\n  - url: 'http://{none}'\n",
          "x", "", {"data.endpointConfig.endpoint_type", "http"},
          {"data.endpointConfig.production_endpoints.url", "https://eu.test:8443/v1"},
          {"data.endpointConfig.sandbox_endpoints.url", ""});
    FACTS(OAS3 INFO PATHS "servers: [{url: http://a/v}, {url: http://b/v}]\n", "x", "",
          {"data.endpointConfig.endpoint_type", "load_balance"},
          {"data.endpointConfig.production_endpoints.1.url", "http://b/v"});
    FACTS(OAS2 INFO PATHS "host: a.test:81\nbasePath: /v2\nschemes: [http, https]\n", "x", "",
          {"data.endpointConfig.production_endpoints.url", "https://a.test:81/v2"});
    FACTS(OAS3 INFO PATHS "servers: [{url: /}]\n", "x", "warning CC1313 petstore:0:0\n",
          {"data.endpointConfig.production_endpoints.url", "http://localhost:8080"});
}

static void test_cors(void **state)
{
    (void)state;
    FACTS(OAS3 INFO PATHS HOST "x-wso2-cors:\n  accessControlAllowOrigins: ['*']\n",
          "x", "", {"data.corsConfiguration.corsConfigurationEnabled", "true"},
          {"data.corsConfiguration.accessControlAllowOrigins.0", "*"});
    FACTS(OAS3 INFO PATHS HOST "x-wso2-cors:\n  corsConfigurationEnabled: false\n"
                               "  accessControlAllowOrigins: ['*']\n",
          "x", "", {"data.corsConfiguration.corsConfigurationEnabled", ""});
    FACTS(OAS3 INFO PATHS HOST "x-wso2-cors: []\n", "x", "",
          {"data.corsConfiguration.corsConfigurationEnabled", ""});
}

static void test_other_kinds(void **state)
{
    static const char *const documents[] = {
        "asyncapi: 2.0.0\n", "{}", "[]", "text", "swagger: '1.2'\n", "openapi: 4.0.0\n",
        "openapi: 3.2.0\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct fixture f;
        struct made m;

        fixture_open(&f);
        assert_int_equal(make(&f, documents[i], "x", &m), CC_EINVAL);
        assert_int_equal(diag_errors(f.diag), 1);
        fixture_close(&f);
    }
}

static void test_many_endpoints(void **state)
{
    struct fixture f;
    struct made m;
    struct buf text;

    (void)state;
    fixture_open(&f);
    buf_init(&text, 100000);
    buf_add_str(&text, OAS3 INFO "x-wso2-production-endpoints:\n  urls:\n");
    for (unsigned i = 0; i < 100; i++)
        buf_printf(&text, "    - http://a%u\n", i);
    assert_int_equal(make(&f, text.p, "x", &m), CC_OK);
    assert_int_equal(m.project.production.n, INIT_URLS_MAX);
    assert_true(diag_warnings(f.diag) > 0);
    buf_free(&text);
    fixture_close(&f);
}

/* --- the document, and the other files ------------------------------------------------------- */

static void test_document(void **state)
{
    static const char yaml[] = "# kept\n" OAS3 INFO PATHS HOST;
    static const char json[] =
        " {\"openapi\": \"3.0.0\", \"info\": {\"title\": \"T\", \"version\": "
        "\"1\"}, \"x\": [1.0, true, null, \"\\ud83d\\ude00\\n\"]}";
    struct fixture f;
    struct made m;
    struct doc *doc = NULL;

    (void)state;
    fixture_open(&f);
    assert_int_equal(make(&f, yaml, "x", &m), CC_OK);
    assert_true(slice_is(file_text(&m.files, "Definitions/swagger.yaml"), yaml));
    assert_int_equal(make(&f, json, "x", &m), CC_OK);
    assert_true(slice_starts(file_text(&m.files, "Definitions/swagger.yaml"), SLICE("openapi: ")));
    assert_int_equal(
        doc_read(&doc, file_text(&m.files, "Definitions/swagger.yaml"), "x", f.arena, f.diag),
        CC_OK);
    assert_true(tree_equal(doc->root, m.project.doc->root));
    assert_true(slice_is(file_text(&m.files, "api_meta.yaml"),
                         "name: T\nversion: \"1\"\ndeploy:\n  import:\n    update: true\n"
                         "    preserveProvider: true\n"));
    assert_true(slice_is(file_text(&m.files, "deployment_environments.yaml"),
                         "type: deployment_environments\nversion: v4.0.0\ndata:\n"
                         "- displayOnDevportal: true\n  deploymentEnvironment: Default\n"));
    assert_int_equal(m.files.n, 5);
    fixture_close(&f);
}

/* --- directories ----------------------------------------------------------------------------- */

static const char *below(struct fixture *f, const char *name)
{
    const char *path = arena_printf(f->arena, "%s/%s", f->root, name).p;

    assert_non_null(path);
    return path;
}

static void test_write(void **state)
{
    struct fixture f;
    struct made m;
    struct stat st;
    mode_t mask = umask(027);

    (void)state;
    fixture_open(&f);
    f.dirs[f.n++] = below(&f, "new/pets");
    assert_int_equal(make(&f, OAS3 INFO PATHS HOST, "pets", &m), CC_OK);
    assert_int_equal(init_write(f.dirs[0], &m.files, false, f.arena, f.diag), CC_OK);
    for (size_t i = 0; init_directories[i] != NULL; i++) {
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", f.dirs[0], init_directories[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_int_equal(st.st_mode & 0777, 0750);
    }
    assert_int_equal(stat(below(&f, "new/pets"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(stat(below(&f, "new/pets/api.yaml"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    umask(mask);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_true(slice_is(f.model->apis[0].base_path, "/PetStore/1.0.6"));
    assert_int_equal(diag_warnings(f.diag), 0);
    fixture_close(&f);
}

/* Nothing that is there is touched, unless it must be. */
static void test_never_overwrites(void **state)
{
    struct fixture f;
    struct made m;
    struct slice text;
    char findings[400];

    (void)state;
    fixture_open(&f);
    assert_int_equal(make(&f, OAS3 INFO PATHS HOST, "pets", &m), CC_OK);
    fixture_project(&f); /* "0", empty: may be used */
    assert_int_equal(init_write(f.dirs[0], &m.files, false, f.arena, f.diag), CC_OK);
    assert_int_equal(file_write_atomic(below(&f, "0/api.yaml"), SLICE("mine"), 0600), CC_OK);
    assert_int_equal(file_write_atomic(below(&f, "0/Docs/a"), SLICE("mine"), 0600), CC_OK);
    assert_int_equal(file_write_atomic(below(&f, "file"), SLICE("mine"), 0600), CC_OK);
    assert_int_equal(symlink("0", below(&f, "link")), 0);
    assert_int_equal(init_write(f.dirs[0], &m.files, false, f.arena, f.diag), CC_EINVAL);
    assert_int_equal(init_write(below(&f, "file"), &m.files, false, f.arena, f.diag), CC_EINVAL);
    assert_int_equal(init_write(below(&f, "file"), &m.files, true, f.arena, f.diag), CC_EINVAL);
    assert_int_equal(init_write(below(&f, "link"), &m.files, true, f.arena, f.diag), CC_EINVAL);
    assert_int_equal(init_write(below(&f, "file/x"), &m.files, false, f.arena, f.diag), CC_EINVAL);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)),
                        "error CC1310 0:0:0\nerror CC1310 file:0:0\nerror CC1310 file:0:0\n"
                        "error CC1310 link:0:0\nerror CC1310 file/x:0:0\n");
    assert_int_equal(file_read(f.arena, below(&f, "0/api.yaml"), 1000, &text), CC_OK);
    assert_true(slice_is(text, "mine"));
    /* --force */
    assert_int_equal(init_write(f.dirs[0], &m.files, true, f.arena, f.diag), CC_OK);
    assert_int_equal(file_read(f.arena, below(&f, "0/api.yaml"), 10000, &text), CC_OK);
    assert_true(slice_starts(text, SLICE("type: api\n")));
    assert_int_equal(file_read(f.arena, below(&f, "0/Docs/a"), 1000, &text), CC_OK);
    assert_true(slice_is(text, "mine"));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),        cmocka_unit_test(test_info),
        cmocka_unit_test(test_hostile_info),   cmocka_unit_test(test_context),
        cmocka_unit_test(test_endpoints),      cmocka_unit_test(test_servers),
        cmocka_unit_test(test_cors),           cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_many_endpoints), cmocka_unit_test(test_document),
        cmocka_unit_test(test_write),          cmocka_unit_test(test_never_overwrites),
    };

    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
