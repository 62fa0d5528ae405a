/* YAML that is written is read back as the same. */
#include "generator/yaml_out.h"

#include "tree_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROOM = 8 << 20 };

struct work {
    struct arena *arena;
    struct diag *diag;
    struct buf text;
};

static void open_work(struct work *w)
{
    w->arena = arena_new(ROOM);
    w->diag = diag_new();
    buf_init(&w->text, ROOM);
}

static void close_work(struct work *w)
{
    buf_free(&w->text);
    diag_free(&w->diag);
    arena_free(&w->arena);
}

static const struct doc_node *read_back(struct work *w)
{
    struct doc *doc = NULL;

    if (doc_read(&doc, buf_slice(&w->text), "written", w->arena, w->diag) != CC_OK) {
        diag_print(w->diag, stderr, false);
        fail_msg("what was written cannot be read:\n%s", w->text.p);
    }
    return doc->root;
}

/* Each stands as a key, as a value and in a list. */
static const struct slice texts[] = {
    SLICE_INIT("plain"),
    SLICE_INIT(""),
    SLICE_INIT(" "),
    SLICE_INIT("two words"),
    SLICE_INIT(" blank first"),
    SLICE_INIT("blank last "),
    SLICE_INIT("a\nb"),
    SLICE_INIT("\n"),
    SLICE_INIT("a\n\n  b\n"),
    SLICE_INIT("\ta\r\nb"),
    SLICE_INIT("a: b"),
    SLICE_INIT("a:"),
    SLICE_INIT(": a"),
    SLICE_INIT("a #b"),
    SLICE_INIT("#a"),
    SLICE_INIT("\"a\" 'b'"),
    SLICE_INIT("a\\nb"),
    SLICE_INIT("'"),
    SLICE_INIT("\""),
    SLICE_INIT("- a"),
    SLICE_INIT("-"),
    SLICE_INIT("---"),
    SLICE_INIT("..."),
    SLICE_INIT("? a"),
    SLICE_INIT("[a, b]"),
    SLICE_INIT("{a: b}"),
    SLICE_INIT("&a"),
    SLICE_INIT("*a"),
    SLICE_INIT("!a"),
    SLICE_INIT("%a"),
    SLICE_INIT("@a"),
    SLICE_INIT("`a"),
    SLICE_INIT("|"),
    SLICE_INIT(">"),
    SLICE_INIT("<<"),
    SLICE_INIT("="),
    SLICE_INIT("~"),
    SLICE_INIT("null"),
    SLICE_INIT("true"),
    SLICE_INIT("Yes"),
    SLICE_INIT("OFF"),
    SLICE_INIT("y"),
    SLICE_INIT("n"),
    SLICE_INIT("1"),
    SLICE_INIT("1.0"),
    SLICE_INIT("1.0.0"),
    SLICE_INIT("-1"),
    SLICE_INIT("0x1F"),
    SLICE_INIT("1e3"),
    SLICE_INIT(".5"),
    SLICE_INIT(".inf"),
    SLICE_INIT("12:30:45"),
    SLICE_INIT("2020-01-01"),
    SLICE_INIT("1_000"),
    SLICE_INIT("/a/{b}"),
    SLICE_INIT("http://a:80/b?c=d#e"),
    SLICE_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
    SLICE_INIT("a\xc2\x85 b"),     /* NEL */
    SLICE_INIT("a\xe2\x80\xa8 b"), /* LS */
    SLICE_INIT("\xef\xbb\xbf a"),  /* BOM */
    SLICE_INIT("a\xef\xbf\xbe"),   /* U+FFFE */
    SLICE_INIT("a\0b"),
    SLICE_INIT("\x01\x1b[31m\x7f"),
    SLICE_INIT("%[env(HOME)]"),
};

enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TEXTS; i++) {
        const struct doc_node *root, *list;
        struct yaml_out *y;
        struct work w;

        open_work(&w);
        y = yaml_out_new(&w.text);
        yaml_out_map(y);
        yaml_out_member(y, "first", SLICE("1st"));
        yaml_out_text(y, texts[i]);
        yaml_out_text(y, texts[i]);
        yaml_out_key(y, "list");
        yaml_out_list(y);
        yaml_out_text(y, texts[i]);
        yaml_out_bool(y, true);
        yaml_out_list_end(y);
        yaml_out_map_end(y);
        assert_int_equal(yaml_out_close(&y), CC_OK);
        root = read_back(&w);
        assert_int_equal(root->type, DOC_MAP);
        if (root->n != 3 || !slice_eq(root->entries[1].key->text, texts[i]) ||
            root->entries[1].value->type != DOC_TEXT ||
            !slice_eq(root->entries[1].value->text, texts[i]))
            fail_msg("text %zu:\n%s", i, w.text.p);
        list = root->entries[2].value;
        assert_int_equal(list->n, 2);
        assert_int_equal(list->entries[0].value->type, DOC_TEXT);
        assert_true(slice_eq(list->entries[0].value->text, texts[i]));
        assert_int_equal(list->entries[1].value->type, DOC_BOOL);
        close_work(&w);
    }
}

/* A text of 64 KiB as a key, which YAML allows in its long form only. */
static void test_long_key(void **state)
{
    char *big = malloc(65536);
    const struct doc_node *root;
    struct yaml_out *y;
    struct work w;

    (void)state;
    assert_non_null(big);
    memset(big, 'k', 65536);
    open_work(&w);
    y = yaml_out_new(&w.text);
    yaml_out_map(y);
    yaml_out_text(y, slice_make(big, 65536));
    yaml_out_text(y, slice_make(big, 65536));
    yaml_out_map_end(y);
    assert_int_equal(yaml_out_close(&y), CC_OK);
    root = read_back(&w);
    assert_int_equal(root->entries[0].key->text.n, 65536);
    assert_int_equal(root->entries[0].value->text.n, 65536);
    close_work(&w);
    free(big);
}

/* Words that need no quotes have none. */
static void test_plain(void **state)
{
    struct yaml_out *y;
    struct work w;

    (void)state;
    open_work(&w);
    y = yaml_out_new(&w.text);
    yaml_out_map(y);
    yaml_out_member(y, "name", SLICE("Pet Store"));
    yaml_out_member(y, "version", SLICE("1.0.0"));
    yaml_out_member(y, "url", SLICE("http://localhost:8080/v2"));
    yaml_out_member(y, "200", SLICE("yes"));
    yaml_out_map_end(y);
    assert_int_equal(yaml_out_close(&y), CC_OK);
    assert_string_equal(w.text.p, "name: Pet Store\nversion: 1.0.0\n"
                                  "url: http://localhost:8080/v2\n\"200\": \"yes\"\n");
    close_work(&w);
}

static const char *const documents[] = {
    "{}",
    "[]",
    "{\"a\": [1, -2.5e10, true, false, null, \"true\", \"\", {}], \"b\": {\"c\": []}}",
    "{\"t\": \"\\u0000\\ud83d\\ude00 \\\" \\\\ \\n\"}",
    "{\"long\": {\"a\": {\"b\": {\"c\": [[[[\"x\"]]]]}}}}",
    "a: &x {k: v}\nb: *x\nc: 12:30\nd: 2020-01-01\ne: |\n  text\n  more\n",
    "- - - a\n    - ~\n-\n",
    "\"\"",
};

static void test_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct doc *doc = NULL;
        struct yaml_out *y;
        struct work w;

        open_work(&w);
        assert_int_equal(doc_read(&doc, slice_of(documents[i]), "d", w.arena, w.diag), CC_OK);
        y = yaml_out_new(&w.text);
        yaml_out_node(y, doc->root);
        assert_int_equal(yaml_out_close(&y), CC_OK);
        if (!tree_equal(doc->root, read_back(&w)))
            fail_msg("%s became\n%s", documents[i], w.text.p);
        close_work(&w);
    }
}

static void test_errors(void **state)
{
    struct yaml_out *y;
    struct buf small;
    struct work w;

    (void)state;
    open_work(&w);
    y = yaml_out_new(&w.text);
    yaml_out_text(y, SLICE("\xff"));
    assert_int_equal(yaml_out_close(&y), CC_EINVAL);
    assert_null(y);
    buf_init(&small, 100);
    y = yaml_out_new(&small);
    yaml_out_list(y);
    for (unsigned i = 0; i < 100000; i++)
        yaml_out_text(y, SLICE("word"));
    yaml_out_list_end(y);
    assert_int_equal(yaml_out_close(&y), CC_EFULL);
    buf_free(&small);
    close_work(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),  cmocka_unit_test(test_long_key),
        cmocka_unit_test(test_plain),  cmocka_unit_test(test_documents),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("yaml_out", tests, NULL, NULL);
}
