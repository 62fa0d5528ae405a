/* Lists, parameters and quoted strings of headers. */
#include "enforce/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The elements, each in brackets. */
static void expect_elements(const char *header, char separator, const char *expected)
{
    struct slice rest = slice_of(header), element;
    char room[256];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    buf_add_str(&b, "");
    while (list_next(&rest, separator, &element))
        buf_printf(&b, "[%" PRIslice "]", SLICE_ARG(element));
    assert_int_equal(buf_error(&b), CC_OK);
    room[b.n] = '\0';
    assert_string_equal(room, expected);
}

static void elements(void **state)
{
    (void)state;
    expect_elements("", ',', "");
    expect_elements(" , ,\t,", ',', "");
    expect_elements("a", ',', "[a]");
    expect_elements(" a , b\t,,c ", ',', "[a][b][c]");
    expect_elements("a=\"x, y\", b", ',', "[a=\"x, y\"][b]");
    expect_elements("a=\"x\\\", y\", b", ',', "[a=\"x\\\", y\"][b]");
    expect_elements("a=\"x, b", ',', "[a=\"x, b]");
    expect_elements("a=\"x\\", ',', "[a=\"x\\]");
    expect_elements("a;b=\";\";c", ';', "[a][b=\";\"][c]");
    expect_elements("\\,b", ',', "[\\][b]"); /* a quoted-pair only inside of quotes */
}

static const struct {
    const char *element, *name, *value; /* name NULL: no pair */
    bool quoted;
} pairs[] = {
    {"code=200", "code", "200", false},
    {"code = 200", "code", "200", false},
    {"code", "code", "", false},
    {"code=", "code", "", false},
    {"code=\"\"", "code", "", true},
    {"a=\"b\\\"c\"", "a", "b\\\"c", true},
    {"a=\"b=c\"", "a", "b=c", true},
    {"", NULL, NULL, false},
    {"=1", NULL, NULL, false},
    {"a b=1", NULL, NULL, false},
    {"a=b c", NULL, NULL, false},
    {"a=b=c", NULL, NULL, false},
    {"a=\"b", NULL, NULL, false},
    {"a=\"b\\\"", NULL, NULL, false},
    {"a=\"", NULL, NULL, false},
    {"a=\"b\"c", NULL, NULL, false},
    {"a=b\"c\"", NULL, NULL, false},
    {"\"a\"=b", NULL, NULL, false},
};

static void all_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct slice name;
        struct list_word value;
        bool good = list_pair(slice_of(pairs[i].element), &name, &value);

        if (good != (pairs[i].name != NULL))
            fail_msg("<%s>", pairs[i].element);
        if (!good)
            continue;
        assert_true(slice_is(name, pairs[i].name));
        assert_true(slice_is(value.text, pairs[i].value));
        assert_int_equal(value.quoted, pairs[i].quoted);
    }
}

static void words(void **state)
{
    const struct list_word quoted = {SLICE("a\\\"B\\\\"), true};
    const struct list_word token = {SLICE("a\\b"), false};

    (void)state;
    assert_true(list_word_is(quoted, SLICE("a\"B\\"), false));
    assert_false(list_word_is(quoted, SLICE("A\"b\\"), false));
    assert_true(list_word_is(quoted, SLICE("A\"b\\"), true));
    assert_false(list_word_is(quoted, SLICE("a\"B"), true));
    assert_false(list_word_is(quoted, SLICE("a\"B\\x"), true));
    assert_true(list_word_is(token, SLICE("a\\b"), false));
    assert_true(list_word_is((struct list_word){SLICE_NONE, false}, SLICE(""), false));
    assert_false(list_word_is((struct list_word){SLICE_NONE, false}, SLICE("a"), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements),
        cmocka_unit_test(all_pairs),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
