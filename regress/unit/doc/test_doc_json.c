/* A node as JSON. */
#include "doc/doc_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    const char *yaml, *json;
    int rc;
} rows[] = {
    {"a: 1\nb: [x, 'y', \"z\\n\"]\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\\n\"]}", CC_OK},
    {"{\"b\":{\"a\":null},\"a\":[]}", "{\"b\":{\"a\":null},\"a\":[]}", CC_OK},
    {"200: ~\ntrue: {}\n", "{\"200\":null,\"true\":{}}", CC_OK},
    {"[yes, No, 'yes', on]", "[true,false,\"yes\",true]", CC_OK},
    {"[1, -1, +1, 007, -0, 0x1F, 0o17, -0x10, 0]", "[1,-1,1,7,-0,31,15,-16,0]", CC_OK},
    {"[1.5, .5, 5., -.5, 1e5, 5.e3, 00.50, 1.0]", "[1.5,0.5,5.0,-0.5,1e5,5.0e3,0.50,1.0]", CC_OK},
    {"[.inf, -.INF, .nan]", "[null,null,null]", CC_EINVAL},
    {"0xffffffffffffffff", "18446744073709551615", CC_OK},
    {"0x10000000000000000", "0", CC_EINVAL},
    {"[2001-01-01, 1_000, 12:30]", "[\"2001-01-01\",\"1_000\",\"12:30\"]", CC_OK},
    {"\"a\\\"b\\\\c\\u0000d\"", "\"a\\\"b\\\\c\\u0000d\"", CC_OK},
    {"", "null", CC_OK},
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *arena = arena_new(1 << 20);
        struct diag *diag = diag_new();
        struct doc *doc;
        struct buf b;

        assert_int_equal(doc_read(&doc, slice_of(rows[i].yaml), "t", arena, diag), CC_OK);
        buf_init(&b, 4096);
        assert_int_equal(doc_json(doc->root, &b), rows[i].rc);
        assert_string_equal(b.p, rows[i].json);
        buf_free(&b);
        diag_free(&diag);
        arena_free(&arena);
    }
}

static void a_full_buffer_ends_it(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct diag *diag = diag_new();
    struct doc *doc;
    struct buf b;

    (void)state;
    assert_int_equal(doc_read(&doc, SLICE("[abc, .inf, [1, 2, 3]]"), "t", arena, diag), CC_OK);
    for (size_t max = 0; max < 20; max++) {
        buf_init(&b, max);
        assert_int_equal(doc_json(doc->root, &b), CC_EFULL);
        buf_free(&b);
    }
    diag_free(&diag);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(a_full_buffer_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
