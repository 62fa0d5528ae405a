/* Projects as zips: what is taken, what is refused, and where findings point. */
#include "test_project_fixture.h"
#include "zip_fixture.h"

#include "generator/project_source.h"

#include <string.h>

#define API                                                                        \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n"          \
    "  type: HTTP\n  context: /pets\n  endpointConfig:\n    production_endpoints:" \
    "\n      url: http://backend:8080/v2\n"
#define OAS "openapi: 3.1.0\npaths:\n  /a:\n    get: {}\n"

/* Opens the zip; the findings as fixture_findings() writes them go to `findings`. */
static struct project_source *open_zip(struct fixture *f, struct slice zip, char *findings,
                                       size_t size)
{
    struct project_source *source = NULL;
    int rc = project_source_from_zip(&source, zip, "pets.zip", f->arena, f->diag);

    fixture_findings(f, findings, size);
    if (rc != CC_OK && findings[0] == '\0')
        fail_msg("%s without a finding", cc_strerror(rc));
    assert_int_equal(rc, source != NULL ? CC_OK : CC_EINVAL);
    assert_int_equal(source != NULL, diag_errors(f->diag) == 0);
    return source;
}

static const char *text_of(const struct project_source *s, const char *path, struct fixture *f)
{
    struct project_file *file = project_source_find(s, path);

    if (file == NULL)
        return NULL;
    assert_int_equal(project_source_read(file, f->arena, f->diag), CC_OK);
    assert_int_equal(file->bytes.n, strlen(file->bytes.p));
    return file->bytes.p;
}

/* --- good ones ------------------------------------------------------------------------------- */

static void test_files(void **state)
{
    static const struct zip_item items[] = {
        {"Definitions/swagger.yaml", OAS, 0, 0},
        {"api.yaml", API, 0, 0},
        {"./deployment_environments.yaml", "x", 0, 0},
        {"Endpoint-certificates//a.crt", "A", 0, 0},
        {"Endpoint-certificates/interceptors/b.crt", "B", 0, 0},
        {"Endpoint-certificates/deeper/c.crt", "C", 0, 0},
        {"README.md", "not read", 0, 0},
        {"api_meta.yaml", "not read", 0, 0},
        {"Docs/api.yaml", "not read", 0, 0},
        {"Definitions/.swagger.yaml.swp", "not read", 0, 0},
        {"Image/", "", AE_IFDIR, 0},
        {NULL, NULL, 0, 0},
    };
    struct fixture f;
    struct project_source *s;
    char findings[1000];
    size_t at = 0;
    struct project_file *file;

    (void)state;
    fixture_open(&f);
    s = open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings));
    assert_string_equal(findings, "");
    assert_true(s->is_zip);
    assert_int_equal(s->n_files, 5);
    assert_string_equal(text_of(s, "api.yaml", &f), API);
    assert_string_equal(text_of(s, "Definitions/swagger.yaml", &f), OAS);
    assert_null(project_source_find(s, "README.md"));
    assert_null(project_source_find(s, "Docs/api.yaml"));
    file = project_source_next(s, "Endpoint-certificates", &at);
    assert_string_equal(file->path.p, "Endpoint-certificates/a.crt");
    assert_string_equal(file->name, "pets.zip:Endpoint-certificates/a.crt");
    assert_null(project_source_next(s, "Endpoint-certificates", &at));
    fixture_close(&f);
}

static void test_wrapped(void **state)
{
    static const struct zip_item items[] = {
        {"pets-1.0/", "", AE_IFDIR, 0},
        {"pets-1.0/Definitions/swagger.yaml", OAS, 0, 0},
        {"pets-1.0/api.yaml", API, 0, 0},
        {"pets-1.0/Docs/api.yaml", "not read", 0, 0},
        {"__MACOSX/pets-1.0/._api.yaml", "not read", 0, 0},
        {".DS_Store", "not read", 0, 0},
        {NULL, NULL, 0, 0},
    };
    struct fixture f;
    struct project_source *s;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    s = open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings));
    assert_string_equal(findings, "");
    assert_int_equal(s->n_files, 2);
    assert_string_equal(project_source_find(s, "api.yaml")->name, "pets.zip:api.yaml");
    fixture_close(&f);
}

/* An api.yaml at the top makes the top the project, whatever sorts before it. */
static void test_top_wins(void **state)
{
    static const struct zip_item items[] = {
        {"Docs/api.yaml", "not read", 0, 0},
        {"Sequences/api.json", "not read", 0, 0},
        {"api.yaml", API, 0, 0},
        {NULL, NULL, 0, 0},
    };
    struct fixture f;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    assert_int_equal(
        open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings))->n_files, 1);
    assert_string_equal(findings, "");
    fixture_close(&f);
}

/* Names that are not ASCII mean the same in every locale, and two of them are two. */
static void test_utf8_names(void **state)
{
    static const struct zip_item items[] = {
        {"api.yaml", API, 0, 0},
        {"Docs/\xc3\xa4.md", "", 0, 0},
        {"Docs/\xc3\xb6.md", "", 0, 0},
        {"Docs/\xe4.md", "", 0, 0}, /* Latin-1 */
        {"Endpoint-certificates/\xc3\xa4.crt", "A", 0, 0},
        {NULL, NULL, 0, 0},
    };
    struct fixture f;
    struct project_source *s;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    s = open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings));
    assert_string_equal(findings, "");
    assert_non_null(project_source_find(s, "Endpoint-certificates/\xc3\xa4.crt"));
    fixture_close(&f);
}

/* --- the same model, and places in a zip ----------------------------------------------------- */

static void write_zip(struct fixture *f, const char *name, const struct zip_item *items)
{
    const char *path = arena_printf(f->arena, "%s/%s", f->root, name).p;

    assert_non_null(path);
    assert_int_equal(file_write_atomic(path, zip_make(f->arena, items, NULL, NULL), 0600), CC_OK);
    f->dirs[f->n++] = path;
}

static void test_model(void **state)
{
    static const struct zip_item items[] = {
        {"pets/api.yaml", API, 0, 0},
        {"pets/Definitions/swagger.yaml", OAS, 0, 0},
        {NULL, NULL, 0, 0},
    };
    struct fixture f;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    write_zip(&f, "pets.zip", items);
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)), "");
    assert_int_equal(f.model->n_apis, 1);
    assert_true(slice_is(f.model->apis[0].base_path, "/pets/1.0.0"));
    assert_int_equal(f.model->apis[0].n_resources, 1);
    fixture_close(&f);
}

static void test_places(void **state)
{
    static const struct zip_item items[] = {
        {"pets/api.yaml", API, 0, 0},
        {"pets/Definitions/swagger.yaml", "openapi: 3.1.0\npaths:\n  pets:\n    get: {}\n", 0, 0},
        {NULL, NULL, 0, 0},
    };
    static const struct zip_item nothing[] = {{"readme", "x", 0, 0}, {NULL, NULL, 0, 0}};
    struct fixture f;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    write_zip(&f, "pets.zip", items);
    write_zip(&f, "empty.zip", nothing);
    assert_int_equal(fixture_build(&f), CC_EREFUSED);
    assert_string_equal(fixture_findings(&f, findings, sizeof(findings)),
                        "error CC1101 empty.zip:0:0\n"
                        "error CC2003 pets.zip:Definitions/swagger.yaml:3:3\n");
    fixture_close(&f);
}

/* --- bad ones -------------------------------------------------------------------------------- */

struct bad_case {
    const char *what;
    struct zip_item item; /* beside a good api.yaml */
    const char *code;
    const char *words; /* in the message */
};

static const struct bad_case bad[] = {
    {"leads out", {"../api.yaml", API, 0, 0}, "CC1302", "leads out"},
    {"leads out further down", {"Docs/../../x", "", 0, 0}, "CC1302", "leads out"},
    {"leads out as a directory", {"a/../", "", AE_IFDIR, 0}, "CC1302", "leads out"},
    {"absolute", {"/etc/passwd", "", 0, 0}, "CC1302", "absolute"},
    {"drive letter", {"c:/x", "", 0, 0}, "CC1302", "drive letter"},
    {"backslash", {"Docs/a\\..\\x", "", 0, 0}, "CC1302", "backslash"},
    {"control character", {"Docs/\033[2Jx", "", 0, 0}, "CC1302", "control character"},
    {"line break", {"Docs/a\nb", "", 0, 0}, "CC1302", "control character"},
    {"no name", {".", "", 0, 0}, "CC1302", "no name"},
    {"symbolic link", {"Definitions/swagger.yaml", "/etc/passwd", AE_IFLNK, 0}, "CC1303", "link"},
    {"symbolic link that is not needed", {"Docs/x", "y", AE_IFLNK, 0}, "CC1303", "link"},
    {"twice", {"api.yaml", "type: api\n", 0, 0}, "CC1304", "twice"},
    {"twice in another spelling", {".//api.yaml", "type: api\n", 0, 0}, "CC1304", "twice"},
    {"bomb", {"Definitions/swagger.yaml", "", 0, 40 << 20}, "CC1306", "too much"},
    {"large file", {"Definitions/swagger.yaml", "", 0, (64 << 20) + 1}, "CC1306", "too much"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct zip_item items[] = {{"api.yaml", API, 0, 0}, bad[i].item, {NULL, NULL, 0, 0}};
        struct fixture f;
        struct diag_view v;
        char findings[1000];

        fixture_open(&f);
        open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings));
        if (!diag_get(f.diag, 0, &v) || strcmp(diag_code_name(v.code), bad[i].code) != 0 ||
            !slice_contains(v.message, slice_of(bad[i].words)))
            fail_msg("%s: %s%.*s", bad[i].what, findings, (int)v.message.n, v.message.p);
        assert_int_equal(diag_errors(f.diag), 1);
        assert_string_equal(v.place.source->name, "pets.zip");
        fixture_close(&f);
    }
}

/* What does not count is not unpacked: it may be as large as it likes. */
static void test_ignored_is_not_unpacked(void **state)
{
    static const struct zip_item items[] = {
        {"api.yaml", API, 0, 0}, {"Docs/movie", "", 0, 40 << 20}, {NULL, NULL, 0, 0}};
    struct fixture f;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    assert_non_null(open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings)));
    assert_true(arena_used(f.arena) < ZIP_ROOM + (1 << 20));
    fixture_close(&f);
}

static void test_encrypted(void **state)
{
    static const struct zip_item items[] = {{"api.yaml", API, 0, 0}, {NULL, NULL, 0, 0}};
    struct fixture f;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    open_zip(&f, zip_make(f.arena, items, "zip:encryption=traditional", "secret"), findings,
             sizeof(findings));
    assert_string_equal(findings, "error CC1305 pets.zip:0:0\n");
    fixture_close(&f);
}

static void test_many_entries(void **state)
{
    struct zip_item *items = calloc(PROJECT_FILES_MAX + 2, sizeof(*items));
    struct fixture f;
    char findings[1000];

    (void)state;
    assert_non_null(items);
    fixture_open(&f);
    for (size_t i = 0; i <= PROJECT_FILES_MAX; i++)
        items[i] = (struct zip_item){arena_printf(f.arena, "Docs/%zu", i).p, "", 0, 0};
    open_zip(&f, zip_make(f.arena, items, NULL, NULL), findings, sizeof(findings));
    assert_string_equal(findings, "error CC1306 pets.zip:0:0\n");
    free(items);
    fixture_close(&f);
}

static void test_folders(void **state)
{
    static const struct zip_item two[] = {
        {"a/api.yaml", API, 0, 0}, {"b/api.json", "{}", 0, 0}, {NULL, NULL, 0, 0}};
    static const struct zip_item outside[] = {
        {"a/api.yaml", API, 0, 0}, {"Definitions/swagger.yaml", OAS, 0, 0}, {NULL, NULL, 0, 0}};
    struct fixture f;
    struct project_source *s;
    char findings[1000];

    (void)state;
    fixture_open(&f);
    s = open_zip(&f, zip_make(f.arena, outside, NULL, NULL), findings, sizeof(findings));
    assert_string_equal(findings, "warning CC1308 pets.zip:0:0\n");
    assert_int_equal(s->n_files, 1);
    fixture_close(&f);
    fixture_open(&f);
    open_zip(&f, zip_make(f.arena, two, NULL, NULL), findings, sizeof(findings));
    assert_string_equal(findings, "error CC1309 pets.zip:0:0\n");
    fixture_close(&f);
}

/* --- damaged ones ---------------------------------------------------------------------------- */

/* Where the n-th header with this signature begins. */
static size_t find_header(struct slice zip, const char *signature)
{
    for (size_t i = 0; i + 4 <= zip.n; i++)
        if (memcmp(zip.p + i, signature, 4) == 0)
            return i;
    fail_msg("there is no such header");
    return 0;
}

static const struct zip_item good[] = {
    {"api.yaml", API, 0, 0}, {"Definitions/swagger.yaml", OAS, 0, 0}, {NULL, NULL, 0, 0}};

/* Types that no writer makes: the mode is the upper half of the external attributes, at 38
 * (APPNOTE 4.3.12). A pipe counts as a file, because zip makes one of what it is piped. */
static void test_special_files(void **state)
{
    static const unsigned types[] = {AE_IFCHR, AE_IFBLK, AE_IFSOCK, AE_IFLNK};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct fixture f;
        struct slice zip;
        char findings[1000], *bytes;

        fixture_open(&f);
        zip = zip_make(f.arena, good, NULL, NULL);
        bytes = (char *)(uintptr_t)zip.p;
        bytes[find_header(zip, "PK\001\002") + 41] = (char)((types[i] | 0644) >> 8);
        open_zip(&f, zip, findings, sizeof(findings));
        assert_string_equal(findings, "error CC1303 pets.zip:0:0\n");
        fixture_close(&f);
    }
}

static void test_method(void **state)
{
    struct fixture f;
    struct slice zip;
    char findings[1000], *bytes;

    (void)state;
    fixture_open(&f);
    zip = zip_make(f.arena, good, NULL, NULL);
    bytes = (char *)(uintptr_t)zip.p;
    /* APPNOTE 4.3.7 and 4.3.12: the method is at 8 resp. 10; 12 is bzip2 */
    bytes[find_header(zip, "PK\003\004") + 8] = 12;
    bytes[find_header(zip, "PK\001\002") + 10] = 12;
    open_zip(&f, zip, findings, sizeof(findings));
    assert_string_equal(findings, "error CC1307 pets.zip:0:0\n");
    fixture_close(&f);
}

static void test_contradicting_headers(void **state)
{
    struct fixture f;
    struct slice zip;
    char findings[1000], *bytes;

    (void)state;
    fixture_open(&f);
    zip = zip_make(f.arena, good, NULL, NULL);
    bytes = (char *)(uintptr_t)zip.p;
    bytes[find_header(zip, "PK\001\002") + 16] ^= 1; /* the CRC */
    open_zip(&f, zip, findings, sizeof(findings));
    assert_string_equal(findings, "error CC1301 pets.zip:0:0\n");
    fixture_close(&f);
}

/* Cut short anywhere, or with any one byte changed, it is a project or a finding. */
static void test_damage(void **state)
{
    struct fixture f;
    struct slice zip;

    (void)state;
    fixture_open(&f);
    zip = zip_make(f.arena, good, NULL, NULL);
    for (size_t i = 0; i < zip.n * 2; i++) {
        struct arena *arena = arena_new(FIXTURE_ARENA);
        struct diag *diag = diag_new();
        struct slice damaged = arena_dup(arena, zip);
        struct project_source *s = NULL;
        int rc;

        if (i < zip.n)
            damaged.n = i;
        else
            ((char *)(uintptr_t)damaged.p)[i - zip.n] ^= (char)(1 + i % 255);
        rc = project_source_from_zip(&s, damaged, "pets.zip", arena, diag);
        assert_int_equal(rc == CC_OK, s != NULL);
        assert_int_equal(rc == CC_EINVAL, diag_errors(diag) > 0);
        if (i < zip.n)
            assert_int_equal(rc, CC_EINVAL);
        diag_free(&diag);
        arena_free(&arena);
    }
    fixture_close(&f);
}

static void test_no_zip(void **state)
{
    struct fixture f;
    char findings[1000];
    struct diag_view v;

    (void)state;
    fixture_open(&f);
    open_zip(&f, SLICE("type: api\n"), findings, sizeof(findings));
    assert_string_equal(findings, "error CC1301 pets.zip:0:0\n");
    assert_true(diag_get(f.diag, 0, &v));
    assert_true(slice_contains(v.help, SLICE("cc-gen init")));
    fixture_close(&f);
    fixture_open(&f);
    open_zip(&f, SLICE(""), findings, sizeof(findings));
    assert_string_equal(findings, "error CC1301 pets.zip:0:0\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),     cmocka_unit_test(test_wrapped),
        cmocka_unit_test(test_top_wins),  cmocka_unit_test(test_utf8_names),
        cmocka_unit_test(test_model),     cmocka_unit_test(test_places),
        cmocka_unit_test(test_bad),       cmocka_unit_test(test_ignored_is_not_unpacked),
        cmocka_unit_test(test_encrypted), cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_folders),   cmocka_unit_test(test_special_files),
        cmocka_unit_test(test_method),    cmocka_unit_test(test_contradicting_headers),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_no_zip),
    };

    return cmocka_run_group_tests_name("project_zip", tests, NULL, NULL);
}
