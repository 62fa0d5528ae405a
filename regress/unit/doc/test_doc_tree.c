/* Looking things up, and reading them with their type. */
#include "doc_fixture.h"

static void test_get(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "Name: x\ninfo:\n  title: t\nlist: [1]\n");

    assert_text(doc_get(root, "Name")->text, "x");
    assert_null(doc_get(root, "name"));
    assert_text(doc_get_nocase(root, "naME")->text, "x");
    assert_null(doc_get_nocase(root, "nam"));
    assert_text(doc_path(root, "info.title")->text, "t");
    assert_ptr_equal(doc_path(root, "info"), doc_get(root, "info"));
    assert_null(doc_path(root, "info.title.x"));
    assert_null(doc_path(root, "nothing.title"));
    assert_null(doc_get(doc_get(root, "list"), "0"));
    assert_null(doc_get(NULL, "a"));
    assert_null(doc_get_nocase(NULL, "a"));
    assert_null(doc_path(NULL, "a"));
}

/* The examples of RFC 6901 sections 5 and 6. */
static void test_pointer(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root =
        read_ok(f, "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3,"
                   "\"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8, \"~1\": 9}");
    static const char *const pointers[] = {"#/",      "#/a~1b",  "#/c%25d", "#/e%5Ef", "#/g%7Ch",
                                           "#/i%5Cj", "#/k%22l", "#/%20",   "#/m~0n",  "#/~01"};
    static const char *const wrong[] = {"",        "/foo",     "foo",      "#foo",   "#/foo/2",
                                        "#/foo/-", "#/foo/01", "#/foo/0/", "#/a~",   "#/a~2b",
                                        "#/c%2",   "#/c%",     "#/c%zz",   "#/none", "#//"};

    assert_ptr_equal(doc_pointer(f->doc, SLICE("#")), root);
    assert_text(doc_pointer(f->doc, SLICE("#/foo/1"))->text, "baz");
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        const struct doc_node *found = doc_pointer(f->doc, slice_of(pointers[i]));

        assert_non_null(found);
        assert_int_equal(found->text.p[0], '0' + (int)i);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(doc_pointer(f->doc, slice_of(wrong[i])));
}

static void test_pointer_part_too_long(void **state)
{
    struct doc_fixture *f = *state;
    char pointer[5000];

    read_ok(f, "a: 1");
    memset(pointer, 'a', sizeof(pointer));
    pointer[0] = '#';
    pointer[1] = '/';
    assert_null(doc_pointer(f->doc, slice_make(pointer, sizeof(pointer))));
}

static void test_text(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "[x, 1.0, 007, \"yes\"]");
    static const char *const expected[] = {"x", "1.0", "007", "yes"};
    struct slice s = SLICE("before");

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(doc_text(f->doc, root->entries[i].value, "x", f->diag, &s), CC_OK);
        assert_text(s, expected[i]);
    }
    s = SLICE("before");
    assert_int_equal(doc_text(f->doc, NULL, "x", f->diag, &s), CC_ENOENT);
    assert_text(s, "before");
    assert_int_equal(diag_errors(f->diag), 0);
}

static void test_bool(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "[true, Yes, ON, false, No, OFF]");
    bool v;

    for (size_t i = 0; i < 6; i++) {
        v = i >= 3;
        assert_int_equal(doc_bool(f->doc, root->entries[i].value, "x", f->diag, &v), CC_OK);
        assert_int_equal(v, i < 3);
    }
    assert_int_equal(doc_bool(f->doc, NULL, "x", f->diag, &v), CC_ENOENT);
}

static void test_u64(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "[5, 10]");
    uint64_t v = 0;

    assert_int_equal(doc_u64(f->doc, root->entries[0].value, "x", 5, 10, f->diag, &v), CC_OK);
    assert_int_equal(v, 5);
    assert_int_equal(doc_u64(f->doc, root->entries[1].value, "x", 5, 10, f->diag, &v), CC_OK);
    assert_int_equal(v, 10);
    assert_int_equal(doc_u64(f->doc, NULL, "x", 5, 10, f->diag, &v), CC_ENOENT);
    assert_int_equal(v, 10);
}

static void test_containers(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "{a: [1], b: {c: 1}}");

    assert_true(doc_is_list(f->doc, doc_get(root, "a"), "a", f->diag));
    assert_true(doc_is_map(f->doc, doc_get(root, "b"), "b", f->diag));
    assert_false(doc_is_list(f->doc, NULL, "x", f->diag));
    assert_false(doc_is_map(f->doc, NULL, "x", f->diag));
    assert_int_equal(diag_errors(f->diag), 0);
}

enum reader { AS_TEXT, AS_BOOL, AS_U64, AS_LIST, AS_MAP };

struct refusal {
    const char *yaml;
    enum reader reader;
    enum diag_code code;
    const char *message, *help;
};

static const struct refusal refusals[] = {
    {"v: [1]", AS_TEXT, CC1201, "data.v is a list, expected text", ""},
    {"v: {}", AS_TEXT, CC1201, "data.v is a mapping, expected text", ""},
    {"v: yes", AS_TEXT, CC1201, "data.v is true or false, expected text", "\"yes\""},
    {"v: !!null", AS_TEXT, CC1201, "data.v is empty (null), expected text", ""},
    {"v: ~", AS_TEXT, CC1201, "data.v is empty (null), expected text", "\"~\""},
    {"v: \"true\"", AS_BOOL, CC1201, "data.v is text, expected true or false", "remove the quotes"},
    {"v: 1", AS_BOOL, CC1201, "data.v is a whole number, expected true or false", ""},
    {"v: \"7\"", AS_U64, CC1201, "data.v is text, expected a whole number", "remove the quotes"},
    {"v: 7.5", AS_U64, CC1201, "data.v is a number, expected a whole number", ""},
    {"v: 4", AS_U64, CC1203, "data.v is 4, expected a number from 5 to 10", ""},
    {"v: 11", AS_U64, CC1203, "data.v is 11, expected a number from 5 to 10", ""},
    {"v: -7", AS_U64, CC1203, "data.v is -7, expected", "decimal digits"},
    {"v: 0x7", AS_U64, CC1203, "data.v is 0x7, expected", "decimal digits"},
    {"v: 99999999999999999999", AS_U64, CC1203, "expected a number from 5 to 10", ""},
    {"v: x", AS_LIST, CC1201, "data.v is text, expected a list", ""},
    {"v: []", AS_MAP, CC1201, "data.v is a list, expected a mapping", ""},
};

static void refuse(struct doc_fixture *f, const struct refusal *r)
{
    const struct doc_node *node = doc_get(read_ok(f, r->yaml), "v");
    struct slice s = SLICE("before");
    uint64_t u = 42;
    bool b = true;

    switch (r->reader) {
    case AS_TEXT:
        assert_int_equal(doc_text(f->doc, node, "data.v", f->diag, &s), CC_EINVAL);
        break;
    case AS_BOOL:
        assert_int_equal(doc_bool(f->doc, node, "data.v", f->diag, &b), CC_EINVAL);
        break;
    case AS_U64:
        assert_int_equal(doc_u64(f->doc, node, "data.v", 5, 10, f->diag, &u), CC_EINVAL);
        break;
    case AS_LIST:
        assert_false(doc_is_list(f->doc, node, "data.v", f->diag));
        break;
    case AS_MAP:
        assert_false(doc_is_map(f->doc, node, "data.v", f->diag));
        break;
    }
    assert_text(s, "before");
    assert_int_equal(u, 42);
    assert_true(b);
}

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct diag_view v;
        void *one;

        assert_int_equal(doc_fixture_setup(&one), 0);
        refuse(one, &refusals[i]);
        assert_finding(((struct doc_fixture *)one)->diag, refusals[i].code, 1, 4,
                       refusals[i].message);
        assert_true(diag_get(((struct doc_fixture *)one)->diag, 0, &v));
        assert_true(slice_contains(v.help, slice_of(refusals[i].help)));
        doc_fixture_teardown(&one);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, doc_fixture_setup, doc_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_get),
        T(test_pointer),
        T(test_pointer_part_too_long),
        T(test_text),
        T(test_bool),
        T(test_u64),
        T(test_containers),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
