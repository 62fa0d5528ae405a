/* Each mistake has its code, its place, and words that say what to do. */
#include "doc_fixture.h"

struct mistake {
    const char *text;
    enum diag_code code;
    unsigned line, col;
    const char *message, *help; /* parts of them */
};

static const struct mistake mistakes[] = {
    {"a: 1\nname:pets\nb: 2\n", CC1002, 2, 1, "space is missing after ':'", "key: value"},
    {"name:pets\nb: 2\n", CC1002, 1, 1, "space is missing after ':'", "key: value"},
    {"a:\n\tb: 1\n", CC1002, 2, 1, "tab", "spaces"},
    {"a:\n  b: 1\n\tc: 1\n", CC1002, 3, 1, "tab", "spaces"},
    {"a: \"x\nb: 2\n", CC1002, 1, 4, "quote that opens here is never closed", "closing quote"},
    {"a: 'x\nb: 2\n", CC1002, 1, 4, "quote that opens here is never closed", "closing quote"},
    {"a: \"x\n---\n", CC1002, 1, 4, "not closed before the document ends", "closing quote"},
    {"a: b: c\n", CC1002, 1, 5, "not possible here", "in quotes"},
    {"a: 1\n b: 2\n", CC1002, 2, 3, "not possible here", "indentation"},
    {"a: 1\nb\nc: 1\n", CC1002, 2, 1, "expected ':' after this key", "key: value"},
    {"a: \"x\" y: 1\n", CC1002, 1, 8, "expected a key", "quotes"},
    {"- a\nb: 1\n", CC1002, 2, 1, "expected '-'", "alike"},
    {"a: - b\n", CC1002, 1, 4, "list element is not possible", "line of its own"},
    {"{\"a\": 1,, \"b\": 2}", CC1002, 1, 9, "expected a value", "extra comma"},
    {"b:\n  {\"a\": 1", CC1002, 2, 3, "bracket that opens here is never closed", "closing '}'"},
    {"a: [1,\n  2\n", CC1002, 1, 4, "bracket that opens here is never closed", "closing ']'"},
    {"[1, 2\nb: 3", CC1002, 2, 2, "expected ',' or ']'", "closing bracket"},
    {"a: @x", CC1002, 1, 4, "cannot begin with '@'", "in quotes"},
    {"a: %x", CC1002, 1, 4, "cannot begin with '%'", "in quotes"},
    {"a: *x", CC1002, 1, 4, "no anchor &x", "begins with '*'"},
    {"a: *", CC1002, 1, 5, "name of an anchor", "begins with '*'"},
    {"a: & b", CC1002, 1, 5, "name after '&'", "begins with '&'"},
    {"a: &x [*x]", CC1002, 1, 8, "inside of what it refers to", ""},
    {"a: 1\n---\nb: 2\n", CC1002, 2, 1, "second document", "split the file"},
    {"a: \"\\q\"", CC1002, 1, 5, "escape is unknown", "single quotes"},
    {"a: \"\\xzz\"", CC1002, 1, 7, "hexadecimal", "single quotes"},
    {"{\"a\": \"\\ud83d\\ude00\", \"b\": \"\\ud83d\"}", CC1002, 1, 31, "half of a surrogate",
     "two escapes in JSON"},
    {"{\"b\": \"\\ude00\\ud83d\"}", CC1002, 1, 10, "half of a surrogate", "two escapes in JSON"},
    {"a: \"\\ud83d\\ude00\"", CC1002, 1, 7, "half of a surrogate", "one in YAML"},
    {"a: !foo b", CC1002, 1, 4, "tag !foo", "in quotes"},
    {"a: !x!foo b", CC1002, 1, 4, "handle of this tag", "in quotes"},
    {"a: !!int x", CC1002, 1, 4, "tag tag:yaml.org,2002:int", "remove the tag"},
    {"a: !!set {b}", CC1002, 1, 4, "tag:yaml.org,2002:set", "remove the tag"},
    {"a: |x\n", CC1002, 1, 5, "follow '|'", "in quotes"},
    {"{\"a\": 1} x", CC1002, 1, 10, "after the end", "remove it"},
    {"%YAML 3.0\n--- a", CC1002, 1, 1, "version of YAML", "%YAML"},
    {"[a]: 1", CC1002, 1, 1, "a list cannot be a key", "in quotes"},
    {"{{a: 1}: 1}", CC1002, 1, 2, "a mapping cannot be a key", "in quotes"},
    {"a:\n  <<: 3\n", CC1002, 2, 7, "merge key", ""},
    {"a:\n  <<: [{b: 1}, 3]\n", CC1002, 2, 16, "merge key", ""},
    {"a: 1\nb: 2\na: 3\n", CC1003, 3, 1, "\"a\" appears twice; the first one is in line 1", ""},
    {"{\"a\": 1, a: 3}", CC1003, 1, 10, "\"a\" appears twice", ""},
    {"x: &x {}\ny:\n  <<: *x\n  b: 1\n  b: 1\n", CC1003, 5, 3, "\"b\" appears twice", ""},
    {"x: &x {}\ny:\n  <<: *x\n  <<: *x\n", CC1003, 4, 3, "\"<<\" appears twice", ""},
    {"a: \x01", CC1002, 1, 4, "U+0001", "escape"},
    {"a: \x7f", CC1002, 1, 4, "U+007F", "escape"},
    {"a: \xc2\x80", CC1002, 1, 4, "U+0080", "escape"},
    {"a: x\xef\xbb\xbf", CC1002, 1, 5, "U+FEFF", "very beginning"},
    {"\xff\xfe"
     "a",
     CC1005, 0, 0, "UTF-16", "UTF-8"},
    {"\xfe\xff"
     "a",
     CC1005, 0, 0, "UTF-16", "UTF-8"},
    {"a: \xc3\xa4\nb: \xc3\xa4\xff", CC1005, 2, 5, "0xff", "UTF-8"},
    {"a: \xed\xa0\x80", CC1005, 1, 4, "0xed", "UTF-8"},
};

static void check(const struct mistake *m, struct slice text)
{
    struct arena *arena = arena_new(1 << 20);
    struct diag *diag = diag_new();
    struct doc *doc = NULL;
    struct diag_view v;

    assert_int_equal(doc_read(&doc, text, "t.yaml", arena, diag), CC_EPARSE);
    assert_null(doc);
    assert_finding(diag, m->code, m->line, m->col, m->message);
    assert_true(diag_get(diag, 0, &v));
    assert_true(slice_contains(v.help, slice_of(m->help)));
    assert_string_equal(v.place.source->name, "t.yaml");
    arena_free(&arena);
    diag_free(&diag);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        check(&mistakes[i], slice_of(mistakes[i].text));
}

static void test_nul_byte(void **state)
{
    const struct mistake m = {NULL, CC1002, 1, 2, "U+0000", "UTF-16"};

    (void)state;
    check(&m, slice_make("a\0:\0", 4));
}

static void test_too_large(void **state)
{
    const struct mistake m = {NULL, CC1004, 0, 0, "larger than 64 MiB", ""};

    (void)state;
    check(&m, slice_make("", DOC_MAX_BYTES + 1)); /* refused before a byte is looked at */
}

/* All duplicates are told, in small maps, large maps and merged ones. */
static void test_all_duplicates(void **state)
{
    struct doc_fixture *f = *state;
    struct buf b;

    buf_init(&b, 1 << 16);
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&b, "k%u: 1\n", i % 20);
    assert_int_equal(doc_read(&f->doc, buf_slice(&b), "t.yaml", f->arena, f->diag), CC_EPARSE);
    assert_int_equal(diag_errors(f->diag), 20);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test_setup_teardown(test_all_duplicates, doc_fixture_setup,
                                        doc_fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
