/* Where APIs are served: default versions below two base paths, and one base path on several
 * virtual hosts. */
#include "test_project_fixture.h"

#include "gateway/route.h"

#include <string.h>

#define API(name, version, more)                                        \
    "type: api\ndata:\n  name: " name "\n  version: " version "\n" more \
    "  type: HTTP\n  endpointConfig:\n    production_endpoints: {url: http://b:80/v2}\n"
#define CONTEXT "  context: /pets\n"                 /* line 5 */
#define DEFAULT CONTEXT "  isDefaultVersion: true\n" /* line 6 */
#define OAS     "openapi: 3.0.3\npaths: {/a: {get: {}}, \"/b/{x}\": {get: {}}}\n"

static void add_project(struct fixture *f, const char *api, const char *openapi,
                        const char *deployments)
{
    fixture_project(f);
    fixture_file(f, "api.yaml", api);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
    if (deployments != NULL)
        fixture_file(f, "deployment_environments.yaml", deployments);
}

/* "vhost/base vhost/base": all that is served. */
static const char *places_text(const struct gw_model *m, char *room, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, room, size);
    buf_add_str(&b, "");
    for (size_t i = 0; i < m->n_apis; i++)
        buf_printf(&b, "%s%" PRIslice "%" PRIslice, i > 0 ? " " : "", SLICE_ARG(m->apis[i].vhost),
                   SLICE_ARG(m->apis[i].base_path.n > 0 ? m->apis[i].base_path : SLICE("/")));
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

/* --- isDefaultVersion ------------------------------------------------------------------------- */

static const struct {
    const char *name, *api, *openapi, *places;
} defaults[] = {
    {"not", API("Pets", "1.0.0", CONTEXT), OAS, "localhost/pets/1.0.0"},
    {"said to be none", API("Pets", "1.0.0", CONTEXT "  isDefaultVersion: false\n"), OAS,
     "localhost/pets/1.0.0"},
    {"no value", API("Pets", "1.0.0", CONTEXT "  isDefaultVersion:\n"), OAS,
     "localhost/pets/1.0.0"},
    {"case does not count", API("Pets", "1.0.0", CONTEXT "  ISDEFAULTVERSION: TRUE\n"), OAS,
     "localhost/pets localhost/pets/1.0.0"},
    {"default", API("Pets", "1.0.0", DEFAULT), OAS, "localhost/pets localhost/pets/1.0.0"},
    {"the version in front",
     API("Pets", "v1", "  context: /{version}/pets\n  isDefaultVersion: true\n"), OAS,
     "localhost/pets localhost/v1/pets"},
    {"the last one goes", API("Pets", "v1", "  context: /v1/pets\n  isDefaultVersion: true\n"), OAS,
     "localhost/v1/pets localhost/v1/pets/v1"},
    {"a part of a segment is no version",
     API("Pets", "1", "  context: /x1\n  isDefaultVersion: true\n"),
     OAS "x-wso2-basePath: /x1/1a/b1\n", "localhost/x1/1a/b1"},
    {"at the root", API("Pets", "v1", "  context: /\n  isDefaultVersion: true\n"), OAS,
     "localhost/ localhost/v1"},
    /* what apictl init makes of x-wso2-basePath without {version} */
    {"the base path has no version", API("Pets", "1.0.0", DEFAULT), OAS "x-wso2-basePath: /pets\n",
     "localhost/pets"},
    {"the base path of the document", API("Pets", "1.0.0", DEFAULT),
     OAS "x-wso2-basePath: /shop/{version}\n", "localhost/shop localhost/shop/1.0.0"},
};

static void default_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        struct fixture f;
        char room[512];

        fixture_open(&f);
        add_project(&f, defaults[i].api, defaults[i].openapi, NULL);
        if (fixture_build(&f) != CC_OK ||
            strcmp(places_text(f.model, room, sizeof(room)), defaults[i].places) != 0) {
            diag_print(f.diag, stderr, false);
            fail_msg("%s: %s", defaults[i].name, room);
        }
        fixture_close(&f);
    }
}

static void both_paths_are_one_api(void **state)
{
    struct fixture f;
    struct gw_route_table *routes = NULL;
    struct gw_route route;

    (void)state;
    fixture_open(&f);
    add_project(&f, API("Pets", "1.0.0", DEFAULT), OAS, NULL);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_apis, 2);
    assert_ptr_equal(f.model->apis[0].resources, f.model->apis[1].resources);
    assert_ptr_equal(f.model->apis[0].production, f.model->apis[1].production);
    assert_true(slice_eq(f.model->apis[0].id, f.model->apis[1].id));
    assert_int_equal(f.model->apis[0].origin.line, 6); /* isDefaultVersion */
    assert_int_equal(gw_route_table_new(&routes, f.model, f.diag), CC_OK);
    assert_true(gw_route_find(routes, SLICE("localhost"), SLICE("/pets/b/7"), &route));
    assert_ptr_equal(route.api, &f.model->apis[0]);
    assert_true(gw_route_find(routes, SLICE("localhost"), SLICE("/pets/1.0.0/b/7"), &route));
    assert_ptr_equal(route.api, &f.model->apis[1]);
    gw_route_table_free(&routes);
    fixture_close(&f);
}

static void expect_findings(struct fixture *f, const char *findings)
{
    char room[512];

    assert_int_equal(fixture_build(f), CC_EREFUSED);
    if (strcmp(fixture_findings(f, room, sizeof(room)), findings) != 0) {
        diag_print(f->diag, stderr, false);
        fail_msg("%s", room);
    }
    fixture_close(f);
}

static void default_versions_collide(void **state)
{
    struct fixture f;

    (void)state;
    /* two versions cannot both be the default */
    fixture_open(&f);
    add_project(&f, API("Pets", "1.0.0", DEFAULT), OAS, NULL);
    add_project(&f, API("Pets", "2.0.0", DEFAULT), OAS, NULL);
    expect_findings(&f, "error CC2001 1/api.yaml:6:21\n");

    /* nor can a default version take the place of another API */
    fixture_open(&f);
    add_project(&f, API("Other", "1", CONTEXT), OAS "x-wso2-basePath: /pets\n", NULL);
    add_project(&f, API("Pets", "2.0.0", DEFAULT), OAS, NULL);
    expect_findings(&f, "error CC2001 1/api.yaml:6:21\n");

    /* a path of the API itself that is the other base path's */
    fixture_open(&f);
    add_project(&f, API("Pets", "1", DEFAULT),
                "openapi: 3.0.3\npaths:\n  /a: {get: {}}\n  /1/a: {get: {}}\n", NULL);
    expect_findings(&f, "error CC2004 0/Definitions/swagger.yaml:3:8\n");

    fixture_open(&f);
    add_project(&f, API("Pets", "1", CONTEXT "  isDefaultVersion: maybe\n"), OAS, NULL);
    expect_findings(&f, "error CC1201 0/api.yaml:6:21\n");
}

static void two_versions_and_one_default(void **state)
{
    struct fixture f;
    char room[512];

    (void)state;
    fixture_open(&f);
    add_project(&f, API("Pets", "1.0.0", CONTEXT), OAS, NULL);
    add_project(&f, API("Pets", "2.0.0", DEFAULT), OAS, NULL);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_string_equal(places_text(f.model, room, sizeof(room)),
                        "localhost/pets localhost/pets/1.0.0 localhost/pets/2.0.0");
    fixture_close(&f);
}

/* --- virtual hosts ---------------------------------------------------------------------------- */

#define ON(vhost)                                                                \
    "type: deployment_environments\ndata:\n  - deploymentEnvironment: Default\n" \
    "    deploymentVhost: " vhost "\n"

static void one_base_path_on_several_hosts(void **state)
{
    struct fixture f;
    char room[512];

    (void)state;
    fixture_open(&f);
    add_project(&f, API("Pets", "1", CONTEXT), OAS, ON("us.example.com"));
    add_project(&f, API("Pets", "1", CONTEXT), OAS, ON("eu.example.com"));
    add_project(&f, API("Pets", "1", DEFAULT), OAS,
                ON("asia.example.com") "  - deploymentEnvironment: Staging\n");
    add_project(&f, API("Pets", "1", CONTEXT), OAS, NULL);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_string_equal(
        places_text(f.model, room, sizeof(room)),
        "asia.example.com/pets asia.example.com/pets/1 eu.example.com/pets/1 localhost/pets/1 "
        "stage.example.com/pets stage.example.com/pets/1 us.example.com/pets/1");
    fixture_close(&f);
}

static void one_host_is_taken_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    add_project(&f, API("Pets", "1", CONTEXT), OAS, ON("us.example.com"));
    add_project(&f, API("Dogs", "1", CONTEXT), OAS,
                ON("eu.example.com") "  - deploymentEnvironment: Default\n"
                                     "    deploymentVhost: US.example.com\n");
    expect_findings(&f, "error CC2001 1/api.yaml:3:3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_versions),
        cmocka_unit_test(both_paths_are_one_api),
        cmocka_unit_test(default_versions_collide),
        cmocka_unit_test(two_versions_and_one_default),
        cmocka_unit_test(one_base_path_on_several_hosts),
        cmocka_unit_test(one_host_is_taken_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
