/* What a document becomes: types, places, aliases, merge keys, JSON, limits. */
#include "doc_fixture.h"

#include <stdlib.h>
#include <unistd.h>

static void test_places_and_order(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "b: 1\na:\n  - x\n  - \"y\"\n");
    const struct doc_node *list = doc_get(root, "a");

    assert_int_equal(root->type, DOC_MAP);
    assert_int_equal(root->n, 2);
    assert_text(root->entries[0].key->text, "b");
    assert_text(root->entries[1].key->text, "a");
    assert_int_equal(list->type, DOC_LIST);
    assert_int_equal(list->n, 2);
    assert_null(list->entries[0].key);
    assert_int_equal(list->entries[1].value->line, 4);
    assert_int_equal(list->entries[1].value->col, 5);
    assert_true(list->entries[1].value->quoted);
    assert_false(list->entries[0].value->quoted);
    assert_int_equal(list->entries[0].value->text.p[1], '\0');
}

static void test_columns_count_characters(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "{\"\xc3\xa4\xe2\x82\xac\": 1, b: 2}");

    assert_int_equal(doc_get(root, "b")->col, 14);
}

static void test_empty_documents(void **state)
{
    struct doc_fixture *f = *state;
    static const char *const texts[] = {"", "\n", "# nothing\n", "---\n", "\xef\xbb\xbf"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_ok(f, texts[i])->type, DOC_NULL);
    assert_int_equal(read_ok(f, "{}")->n, 0);
    assert_int_equal(read_ok(f, "[]")->n, 0);
}

static void test_byte_order_mark_moves_nothing(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "\xef\xbb\xbf"
                                             "a: 1\n");

    assert_int_equal(doc_get(root, "a")->col, 4);
    assert_text(f->doc->source.text, "a: 1\n");
}

static void test_quoted_and_tagged_are_text(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root =
        read_ok(f, "- \"1\"\n- 'true'\n- |\n  5\n- !!str 7\n- ! 8\n- !!float 9\n- !!int 10\n");
    static const enum doc_type types[] = {DOC_TEXT, DOC_TEXT, DOC_TEXT, DOC_TEXT,
                                          DOC_TEXT, DOC_REAL, DOC_INT};

    for (size_t i = 0; i < root->n; i++)
        assert_int_equal(root->entries[i].value->type, types[i]);
}

static void test_json_escapes(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root =
        read_ok(f, "{\"a\": \"\\u00e4\\/\\n\\t\\\"\\\\ud83d\",\t\"b\":-1.5e3,\"n\":null}");

    assert_text(doc_get(root, "a")->text, "\xc3\xa4/\n\t\"\\ud83d");
    assert_int_equal(doc_get(root, "b")->type, DOC_REAL);
    assert_int_equal(doc_get(root, "n")->type, DOC_NULL);
}

/* RFC 8259 section 7; the places after a rewritten pair must be those of the file. */
static void test_json_surrogate_pairs(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root =
        read_ok(f, "{\"a\": \"\\ud83d\\ude00\\uD834\\uDD1E!\", \"b\": 1,\n \"c\": 2}");

    assert_text(doc_get(root, "a")->text, "\xf0\x9f\x98\x80\xf0\x9d\x84\x9e!");
    assert_int_equal(doc_get(root, "b")->line, 1);
    assert_int_equal(doc_get(root, "b")->col, 41);
    assert_int_equal(doc_get(root, "c")->line, 2);
    assert_int_equal(doc_get(root, "c")->col, 7);
}

static void test_json_line_separators_are_ordinary(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root =
        read_ok(f, "[\"a \xe2\x80\xa8 b\", \"c\xc2\x85\xe2\x80\xa9\", 3]");

    assert_text(root->entries[0].value->text, "a \xe2\x80\xa8 b");
    assert_text(root->entries[1].value->text, "c\xc2\x85\xe2\x80\xa9");
    assert_int_equal(root->entries[2].value->line, 1);
    assert_int_equal(root->entries[2].value->col, 18);
}

/* In YAML outside of double quotes a backslash is a backslash. */
static void test_yaml_backslashes_stay(void **state)
{
    struct doc_fixture *f = *state;

    assert_text(doc_get(read_ok(f, "a: \\ud83d\\ude00\n"), "a")->text, "\\ud83d\\ude00");
    assert_text(doc_get(read_ok(f, "{a: '\\ud83d\\ude00'}"), "a")->text, "\\ud83d\\ude00");
    assert_text(doc_get(read_ok(f, "{ # \"\n a: '\\ud83d\\ude00'}"), "a")->text, "\\ud83d\\ude00");
}

static void test_embedded_nul(void **state)
{
    struct doc_fixture *f = *state;
    struct slice s = doc_get(read_ok(f, "{\"a\": \"x\\u0000y\"}"), "a")->text;

    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "x\0y", 4);
}

static void test_aliases_share_the_node(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n");

    assert_ptr_equal(doc_get(root, "a"), doc_get(root, "b"));
    assert_ptr_equal(doc_get(root, "c"), doc_get(root, "d"));
}

static void test_many_anchors(void **state)
{
    struct doc_fixture *f = *state;
    struct buf b;
    const struct doc_node *root;

    buf_init(&b, 1 << 20);
    for (unsigned i = 0; i < 500; i++)
        buf_printf(&b, "- &n%u v%u\n", i, i);
    for (unsigned i = 0; i < 500; i++)
        buf_printf(&b, "- *n%u\n", i);
    root = read_ok(f, buf_slice(&b).p);
    for (size_t i = 0; i < 500; i++)
        assert_ptr_equal(root->entries[i].value, root->entries[i + 500].value);
    buf_free(&b);
}

static void test_merge_keys(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root = read_ok(f, "base: &b {x: 1, y: 1}\n"
                                             "more: &m {y: 2, z: 2}\n"
                                             "one: {<<: *b, y: 9}\n"
                                             "two: {<<: [*b, *m], w: 0}\n"
                                             "text: {\"<<\": 1}\n");
    const struct doc_node *one = doc_get(root, "one"), *two = doc_get(root, "two");

    assert_int_equal(one->n, 2);
    assert_text(doc_get(one, "x")->text, "1");
    assert_text(doc_get(one, "y")->text, "9");
    assert_int_equal(two->n, 4);
    assert_text(two->entries[0].key->text, "w");
    assert_text(doc_get(two, "y")->text, "1");
    assert_text(doc_get(two, "z")->text, "2");
    assert_text(doc_get(doc_get(root, "text"), "<<")->text, "1");
}

static void test_large_map_is_found_and_ordered(void **state)
{
    struct doc_fixture *f = *state;
    const struct doc_node *root;
    struct buf b;
    char key[16];

    buf_init(&b, 1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&b, "k%u: %u\n", (i * 7) % 1000, i);
    root = read_ok(f, buf_slice(&b).p);
    for (unsigned i = 0; i < 1000; i++) {
        struct buf k;

        buf_init_fixed(&k, key, sizeof(key));
        buf_printf(&k, "k%u", (i * 7) % 1000);
        assert_ptr_equal(doc_get(root, key), root->entries[i].value);
        assert_int_equal(root->entries[i].value->line, i + 1);
    }
    assert_null(doc_get(root, "k1000"));
    assert_null(doc_get(root, ""));
    buf_free(&b);
}

static int read_buf(struct doc_fixture *f, struct buf *b)
{
    struct slice text = arena_dup(f->arena, buf_slice(b)); /* findings show it later */

    assert_int_equal(buf_error(b), CC_OK);
    buf_free(b);
    return doc_read(&f->doc, text, "t.yaml", f->arena, f->diag);
}

static void nest(struct buf *b, unsigned levels, const char *inner)
{
    for (unsigned i = 0; i < levels; i++)
        buf_add_char(b, '[');
    buf_add_str(b, inner);
    for (unsigned i = 0; i < levels; i++)
        buf_add_char(b, ']');
}

static void test_depth_limit(void **state)
{
    struct doc_fixture *f = *state;
    struct buf b;

    buf_init(&b, 1 << 20);
    nest(&b, DOC_MAX_DEPTH, "x");
    assert_int_equal(read_buf(f, &b), CC_OK);
    buf_init(&b, 1 << 20);
    nest(&b, DOC_MAX_DEPTH + 1, "x");
    assert_int_equal(read_buf(f, &b), CC_EPARSE);
    assert_finding(f->diag, CC1004, 1, DOC_MAX_DEPTH + 1, "nested too deeply");
}

/* A walk over the tree follows aliases, so the depth that it meets is what counts. */
static void test_depth_limit_follows_aliases(void **state)
{
    struct doc_fixture *f = *state;
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_add_str(&b, "a: &a ");
    nest(&b, 200, "x");
    buf_add_str(&b, "\nb: ");
    nest(&b, 55, "*a");
    assert_int_equal(read_buf(f, &b), CC_OK);
    buf_init(&b, 1 << 20);
    buf_add_str(&b, "a: &a ");
    nest(&b, 200, "x");
    buf_add_str(&b, "\nb: ");
    nest(&b, 56, "*a");
    assert_int_equal(read_buf(f, &b), CC_EPARSE);
    assert_finding(f->diag, CC1004, 2, 60, "nested too deeply");
}

/* The "billion laughs": 30 levels of doubling. */
static void test_expansion_limit(void **state)
{
    struct doc_fixture *f = *state;
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_add_str(&b, "- &a0 x\n");
    for (unsigned i = 1; i <= 30; i++)
        buf_printf(&b, "- &a%u [*a%u, *a%u]\n", i, i - 1, i - 1);
    assert_int_equal(read_buf(f, &b), CC_EPARSE);
    assert_finding(f->diag, CC1004, 22, 3, "too many values");
    assert_true(arena_used(f->arena) < 1 << 20);
}

static void test_arena_too_small(void **state)
{
    struct doc_fixture *f = *state;
    struct arena *small = arena_new(4096);
    struct buf b;

    buf_init(&b, 1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&b, "- value %u\n", i);
    assert_int_equal(doc_read(&f->doc, buf_slice(&b), "t.yaml", small, f->diag), CC_ENOMEM);
    assert_finding(f->diag, CC1004, 0, 0, "more memory than there is");
    buf_free(&b);
    arena_free(&small);
}

static void test_file(void **state)
{
    struct doc_fixture *f = *state;
    char path[] = "/tmp/test_doc_XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: 1\n", 5), 5);
    close(fd);
    assert_int_equal(doc_read_file(&f->doc, path, NULL, f->arena, f->diag), CC_OK);
    assert_string_equal(f->doc->source.name, path);
    assert_text(doc_get(f->doc->root, "a")->text, "1");
    unlink(path);
    assert_int_equal(doc_read_file(&f->doc, path, "pets/api.yaml", f->arena, f->diag), CC_ENOENT);
    assert_finding(f->diag, CC1001, 0, 0, "no such file");
}

static void test_directory_is_no_file(void **state)
{
    struct doc_fixture *f = *state;

    assert_int_equal(doc_read_file(&f->doc, "/tmp", NULL, f->arena, f->diag), CC_EINVAL);
    assert_finding(f->diag, CC1001, 0, 0, "not a regular file");
}

#define T(name) cmocka_unit_test_setup_teardown(name, doc_fixture_setup, doc_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_places_and_order),
        T(test_columns_count_characters),
        T(test_empty_documents),
        T(test_byte_order_mark_moves_nothing),
        T(test_quoted_and_tagged_are_text),
        T(test_json_escapes),
        T(test_json_surrogate_pairs),
        T(test_json_line_separators_are_ordinary),
        T(test_yaml_backslashes_stay),
        T(test_embedded_nul),
        T(test_aliases_share_the_node),
        T(test_many_anchors),
        T(test_merge_keys),
        T(test_large_map_is_found_and_ordered),
        T(test_depth_limit),
        T(test_depth_limit_follows_aliases),
        T(test_expansion_limit),
        T(test_arena_too_small),
        T(test_file),
        T(test_directory_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
