/* Unit tests of the template engine. */
#include "generator/template.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

static const struct template_value pets[] = {
    {.name = "name", .kind = TEMPLATE_WORD, .text = SLICE_INIT("pets")},
    {.name = "port", .kind = TEMPLATE_NUMBER, .number = 8080},
};
static const struct template_value orders[] = {
    {.name = "name", .kind = TEMPLATE_WORD, .text = SLICE_INIT("my orders")},
    {.name = "port", .kind = TEMPLATE_NUMBER, .number = 0},
};
static const struct template_row apis[] = {{pets, 2}, {orders, 2}};
static const struct source values_source = {.name = "pets/api.yaml", .text = SLICE_INIT("")};

static const struct template_value root_values[] = {
    {.name = "title", .kind = TEMPLATE_WORD, .text = SLICE_INIT("it's")},
    {.name = "nothing", .kind = TEMPLATE_WORD, .text = SLICE_INIT("")},
    {.name = "body", .kind = TEMPLATE_FORMAT, .text = SLICE_INIT("100%")},
    {.name = "arg", .kind = TEMPLATE_ARG, .text = SLICE_INIT("a,b")},
    {.name = "count", .kind = TEMPLATE_NUMBER, .number = 18446744073709551615u},
    {.name = "yes", .kind = TEMPLATE_BOOL, .truth = true},
    {.name = "no", .kind = TEMPLATE_BOOL, .truth = false},
    {.name = "evil", .kind = TEMPLATE_WORD, .text = SLICE_INIT("a\nglobal"),
     .origin = {&values_source, 4, 12}},
    {.name = "apis", .kind = TEMPLATE_LIST, .rows = apis, .n_rows = 2},
    {.name = "none", .kind = TEMPLATE_LIST, .rows = NULL, .n_rows = 0},
};
static const struct template_row root = {root_values, sizeof(root_values) / sizeof(root_values[0])};

/* Renders `text`; the result is in `out`, the first finding as "line:col: message" in `finding`. */
static int render(const char *text, struct buf *out, char *finding, size_t size,
                  enum diag_code *code)
{
    struct source source = {.name = "t.tmpl", .text = slice_of(text)};
    struct arena *arena = arena_new(1 << 20);
    struct diag *diag = diag_new();
    struct diag_view view = {.place = PLACE_NONE};
    int rc = template_render(&source, &root, out, arena, diag);

    finding[0] = '\0';
    if (diag_get(diag, 0, &view)) {
        snprintf(finding, size, "%s:%u:%u: %" PRIslice, view.place.source->name, view.place.line,
                 view.place.col, SLICE_ARG(view.message));
        *code = view.code;
    }
    assert_int_equal(rc == CC_EINVAL, diag_errors(diag) > 0);
    diag_free(&diag);
    arena_free(&arena);
    return rc;
}

static void texts_and_blocks(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"plain { braces } '{\"a\":{\"b\":1}}'\n", "plain { braces } '{\"a\":{\"b\":1}}'\n"},
        {"a {{title}} b\n", "a 'it'\\''s' b\n"},
        {"{{ title }}", "'it'\\''s'"},
        {"{{title}}{{title}}", "'it'\\''s''it'\\''s'"},
        {"lf-string {{body}}", "lf-string '100%%'"},
        {"str({{arg}})", "str(''\\''a,b'\\''')"},
        {"n {{count}}", "n 18446744073709551615"},
        {"'n {{count}}'", "'n 18446744073709551615'"},
        {"a{{! remark }}b", "ab"},
        {"a\n  {{! remark }}  \nb\n", "a\nb\n"},
        {"a\n{{#if yes}}\nb\n{{/if}}\nc\n", "a\nb\nc\n"},
        {"a\n{{#if no}}\nb\n{{/if}}\nc", "a\nc"},
        {"{{#if no}}\na\n{{else}}\nb\n{{/if}}\n", "b\n"},
        {"{{#if yes}}\na\n{{else}}\nb\n{{/if}}\n", "a\n"},
        {"x{{#if nothing}} a{{else}} b{{/if}}\n", "x b\n"},
        {"x{{#if title}} a{{/if}}\n", "x a\n"},
        {"{{#if none}}a{{else}}b{{/if}}{{#if apis}}c{{/if}}", "bc"},
        {"{{#each none}}\nx\n{{/each}}\n", ""},
        {"{{#each apis}}\n{{name}} {{#if port}}{{port}}{{else}}-{{/if}} {{count}}\n{{/each}}\nend",
         "pets 8080 18446744073709551615\n'my orders' - 18446744073709551615\nend"},
        {"l{{#each apis}} {{name}}{{/each}}.", "l pets 'my orders'."},
        {"{{#each apis}}{{#each apis}}{{name}} {{/each}}{{/each}}",
         "pets 'my orders' pets 'my orders' "},
        {"# it's {{title}}\n{{title}}", "# it's 'it'\\''s'\n'it'\\''s'"},
        {"a\\' {{title}}", "a\\' 'it'\\''s'"},
        {"'\\' {{title}}", "'\\' 'it'\\''s'"},
        {"{{#if yes}}", NULL},
    };

    (void)state;
    for (size_t i = 0; rows[i].expected != NULL; i++) {
        char finding[256];
        enum diag_code code;
        struct buf out;

        buf_init(&out, 1 << 16);
        assert_int_equal(render(rows[i].text, &out, finding, sizeof(finding), &code), CC_OK);
        assert_string_equal(out.p != NULL ? out.p : "", rows[i].expected);
        buf_free(&out);
    }
}

static void faults_have_a_place(void **state)
{
    static const struct {
        const char *text, *finding;
    } rows[] = {
        {"a\n b {{titel}}\n", "t.tmpl:2:4: there is no value 'titel' here"},
        {"{{#if no}}{{titel}}{{/if}}{{#each titel}}{{/each}}",
         "t.tmpl:1:27: there is no value 'titel' here"},
        {"x {{title", "t.tmpl:1:3: the tag is not closed on its line: {{title}}"},
        {"x {{title\n}}", "t.tmpl:1:3: the tag is not closed on its line: {{title}}"},
        {"\n\n{{#if yes}}\n", "t.tmpl:3:1: the block is never closed: {{yes}}"},
        {"{{/if}}", "t.tmpl:1:1: this closes a block that is not open here: {{/if}}"},
        {"{{#if yes}}\n  {{/each}}\n",
         "t.tmpl:2:3: this closes a block that is not open here: {{/each}}"},
        {"{{#each apis}}{{else}}{{/each}}",
         "t.tmpl:1:15: there is no {{#if}} that this belongs to: {{else}}"},
        {"{{#if yes}}{{else}}{{else}}{{/if}}",
         "t.tmpl:1:20: there is no {{#if}} that this belongs to: {{else}}"},
        {"{{}}", "t.tmpl:1:1: this is not a tag: {{}}"},
        {"{{#unless no}}", "t.tmpl:1:1: this is not a tag: {{#unless no}}"},
        {"{{a b}}", "t.tmpl:1:1: this is not a tag: {{a b}}"},
        {"{{#each title}}{{/each}}", "t.tmpl:1:1: 'title' is not a list"},
        {"{{yes}}", "t.tmpl:1:1: 'yes' is for #if and #each only"},
        {"{{apis}}", "t.tmpl:1:1: 'apis' is for #if and #each only"},
        {"a '{{title}}'", "t.tmpl:1:4: 'title' stands between quotes"},
        {"a \"x {{title}}\"", "t.tmpl:1:6: 'title' stands between quotes"},
        {"a \\{{title}}", "t.tmpl:1:4: 'title' stands between quotes"},
        {"'{{#if yes}}{{title}}{{/if}}'", "t.tmpl:1:13: 'title' stands between quotes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char finding[256];
        enum diag_code code = DIAG_CODES;
        struct buf out;

        buf_init(&out, 1 << 16);
        assert_int_equal(render(rows[i].text, &out, finding, sizeof(finding), &code), CC_EINVAL);
        assert_string_equal(finding, rows[i].finding);
        assert_int_equal(code, CC5005);
        buf_free(&out);
    }
}

/* The finding leads to the text's origin, not to the template. */
static void hostile_text_is_refused(void **state)
{
    char finding[256];
    enum diag_code code = DIAG_CODES;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    assert_int_equal(render("server s1 {{evil}}", &out, finding, sizeof(finding), &code),
                     CC_EINVAL);
    assert_string_equal(finding, "pets/api.yaml:4:12: the text for 'evil' has a control character "
                                 "or is not UTF-8");
    assert_int_equal(code, CC5004);
    buf_free(&out);
}

static void depth_and_size_are_bounded(void **state)
{
    char text[TEMPLATE_MAX_DEPTH * 32 + 64] = "", finding[256];
    enum diag_code code;
    struct buf out;
    size_t n = 0;

    (void)state;
    for (int i = 0; i <= TEMPLATE_MAX_DEPTH; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "{{#if yes}}");
    buf_init(&out, 1 << 16);
    assert_int_equal(render(text, &out, finding, sizeof(finding), &code), CC_EINVAL);
    assert_non_null(strstr(finding, "nested too deeply"));
    buf_free(&out);
    buf_init(&out, 10);
    assert_int_equal(render("12345678901", &out, finding, sizeof(finding), &code), CC_EFULL);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_blocks),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(hostile_text_is_refused),
        cmocka_unit_test(depth_and_size_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
