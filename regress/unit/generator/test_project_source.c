/* The files of a project directory. Zips: test_project_zip.c. */
#include "test_project_fixture.h"

#include "generator/project_source.h"

#include <string.h>
#include <sys/stat.h>

static int open_at(struct fixture *f, const char *path, struct project_source **s)
{
    *s = NULL;
    return project_source_open(s, path, f->arena, f->diag);
}

static void test_counts(void **state)
{
    static const char *const good[] = {"api.yaml",
                                       "api.json",
                                       "deployment_environments.yaml",
                                       "Definitions/swagger.yaml",
                                       "Definitions/asyncapi.yaml",
                                       "Endpoint-certificates/endpoint_certificates.yaml",
                                       "Endpoint-certificates/a.crt",
                                       "Endpoint-certificates/interceptors/a.pem",
                                       "Client-certificates/client_certificates.yaml",
                                       "Policies/addHeader_v1.yaml"};
    static const char *const ignored[] = {"api_meta.yaml",
                                          "README.md",
                                          "Docs/api.yaml",
                                          "Image/icon.png",
                                          "Sequences/in/api.xml",
                                          "Interceptors/x",
                                          "libs/x.jar",
                                          "API.yaml",
                                          "api.yaml~",
                                          "Definitions",
                                          "Definitions/a/b",
                                          "Definitions/.hidden",
                                          "xDefinitions/a",
                                          "api.yaml/x",
                                          "Definitions/",
                                          "",
                                          "definitions/a",
                                          "x/Definitions/a.",
                                          "Docs/my-api.yaml/",
                                          "./api.yaml"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!project_source_counts(slice_of(good[i])))
            fail_msg("%s does not count", good[i]);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if (project_source_counts(slice_of(ignored[i])))
            fail_msg("%s counts", ignored[i]);
}

static void test_directory(void **state)
{
    struct fixture f;
    struct project_source *s;
    struct project_file *file;
    char path[64];
    size_t at = 0;

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", "A");
    fixture_file(&f, "README.md", "R");
    fixture_file(&f, "Definitions/swagger.yaml", "");
    fixture_file(&f, "Endpoint-certificates/b.crt", "B");
    fixture_file(&f, "Endpoint-certificates/a.crt", "A");
    fixture_file(&f, "Endpoint-certificates/interceptors/c.crt", "C");
    snprintf(path, sizeof(path), "%s///", f.dirs[0]);
    assert_int_equal(open_at(&f, path, &s), CC_OK);
    assert_string_equal(s->path, f.dirs[0]);
    assert_false(s->is_zip);
    assert_int_equal(s->n_files, 5);
    assert_null(project_source_find(s, "README.md"));
    assert_string_equal(project_source_next(s, "Endpoint-certificates", &at)->path.p,
                        "Endpoint-certificates/a.crt");
    assert_string_equal(project_source_next(s, "Endpoint-certificates", &at)->path.p,
                        "Endpoint-certificates/b.crt");
    assert_null(project_source_next(s, "Endpoint-certificates", &at));
    file = project_source_find(s, "api.yaml");
    assert_null(file->bytes.p);
    assert_int_equal(project_source_read(file, f.arena, f.diag), CC_OK);
    assert_true(slice_is(file->bytes, "A"));
    file = project_source_find(s, "Definitions/swagger.yaml");
    assert_int_equal(project_source_read(file, f.arena, f.diag), CC_OK);
    assert_non_null(file->bytes.p);
    assert_int_equal(file->bytes.n, 0);
    fixture_close(&f);
}

/* A directory's owner may link: configuration that is mounted consists of links. */
static void test_links(void **state)
{
    struct fixture f;
    struct project_source *s;
    char from[64], to[64], findings[400];

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "..data/api.yaml", "A");
    snprintf(from, sizeof(from), "%s/api.yaml", f.dirs[0]);
    assert_int_equal(symlink("..data/api.yaml", from), 0);
    snprintf(to, sizeof(to), "%s/deployment_environments.yaml", f.dirs[0]);
    assert_int_equal(symlink("nowhere", to), 0);
    assert_int_equal(open_at(&f, f.dirs[0], &s), CC_OK);
    assert_int_equal(s->n_files, 2);
    assert_int_equal(project_source_read(&s->files[0], f.arena, f.diag), CC_OK);
    assert_int_equal(project_source_read(&s->files[1], f.arena, f.diag), CC_ENOENT);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)),
                        "error CC1001 0/deployment_environments.yaml:0:0\n");
    fixture_close(&f);
}

/* Things that stand where a file should. */
static void test_no_files(void **state)
{
    struct fixture f;
    struct project_source *s;
    char path[64], findings[400];

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml/x", "A");
    snprintf(path, sizeof(path), "%s/api.json", f.dirs[0]);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(open_at(&f, f.dirs[0], &s), CC_OK);
    assert_int_equal(s->n_files, 2);
    assert_int_equal(project_source_read(&s->files[0], f.arena, f.diag), CC_EINVAL);
    assert_int_equal(project_source_read(&s->files[1], f.arena, f.diag), CC_EINVAL);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)),
                        "error CC1001 0/api.json:0:0\nerror CC1001 0/api.yaml:0:0\n");
    fixture_close(&f);
}

/* Things that are given instead of a project. */
static void test_no_project(void **state)
{
    static const char *const paths[] = {"/dev/null", "/nowhere/at/all", "", "/dev/null/x"};
    struct fixture f;
    struct project_source *s;
    char findings[400];

    (void)state;
    fixture_open(&f);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(open_at(&f, paths[i], &s), CC_EINVAL);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)),
                        "error CC1001 /dev/null:0:0\nerror CC1001 /nowhere/at/all:0:0\n"
                        "error CC1001 :0:0\nerror CC1001 /dev/null/x:0:0\n");
    fixture_close(&f);
}

static void test_too_many_files(void **state)
{
    struct fixture f;
    struct project_source *s;
    char findings[400], name[40];

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "Policies/0", "");
    for (unsigned i = 1; i <= PROJECT_FILES_MAX; i++) {
        char from[64], to[64];

        snprintf(name, sizeof(name), "Policies/%u", i);
        snprintf(from, sizeof(from), "%s/Policies/0", f.dirs[0]);
        snprintf(to, sizeof(to), "%s/%s", f.dirs[0], name);
        assert_int_equal(link(from, to), 0);
    }
    assert_int_equal(open_at(&f, f.dirs[0], &s), CC_EINVAL);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)), "error CC1306 0:0:0\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),     cmocka_unit_test(test_directory),
        cmocka_unit_test(test_links),      cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_no_project), cmocka_unit_test(test_too_many_files),
    };

    return cmocka_run_group_tests_name("project_source", tests, NULL, NULL);
}
