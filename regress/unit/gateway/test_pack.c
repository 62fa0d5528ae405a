/* Packing: the tables describe the whole of each struct, what is packed comes back, and what is no
 * pack is refused. */
#include "gateway/pack.h"

#include "gateway/snapshot_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OBJECT_MAX = 1024 };

static size_t width(enum snapshot_type type)
{
    switch (type) {
    case SNAPSHOT_TEXT:
        return sizeof(struct slice);
    case SNAPSHOT_BOOL:
        return sizeof(bool);
    case SNAPSHOT_INT:
        return sizeof(uint64_t);
    case SNAPSHOT_UNSIGNED:
    case SNAPSHOT_ENUM:
    case SNAPSHOT_ALGORITHMS:
        return sizeof(unsigned);
    case SNAPSHOT_METHOD:
        return sizeof(enum gw_method);
    case SNAPSHOT_CREDENTIAL:
        return sizeof(enum gw_credential);
    case SNAPSHOT_ORIGIN:
        return sizeof(struct place);
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_LIST:
    case SNAPSHOT_CLUSTER:
    case SNAPSHOT_CORS:
    case SNAPSHOT_IDENTITY:
    case SNAPSHOT_C_STRING:
        return sizeof(void *);
    }
    return 0;
}

static void check_covered(const struct snapshot_schema *s, const char *what)
{
    bool covered[OBJECT_MAX] = {false};
    size_t hole = 0;

    assert_true(s->size <= OBJECT_MAX);
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct snapshot_field *f = &s->fields[i];

        memset(covered + f->offset, true, width(f->type));
        if (f->type == SNAPSHOT_TEXTS || f->type == SNAPSHOT_LIST)
            memset(covered + f->count_offset, true, sizeof(size_t));
        if (f->type == SNAPSHOT_LIST)
            check_covered(f->of, f->name);
    }
    for (size_t i = 0; i < s->size; i++) {
        hole = covered[i] ? 0 : hole + 1;
        if (hole >= sizeof(void *))
            fail_msg("%s: the bytes before %zu of its struct are in no row of the schema", what,
                     i + 1);
    }
}

/* A member without a row would be lost on the way through cc-gen's cache, and so through any build:
 * every project goes that way. (Fewer bytes than a pointer has may be padding.) */
static void tables_describe_everything(void **state)
{
    (void)state;
    check_covered(&snapshot_api, "api");
    check_covered(&snapshot_cluster, "cluster");
    check_covered(&snapshot_cors, "cors");
    check_covered(&snapshot_identity, "identity");
}

static void numbers_come_back(void **state)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    struct buf b;
    struct slice in;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        gw_pack_number(&b, numbers[i]);
    in = buf_slice(&b);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t n = 7;

        assert_int_equal(gw_unpack_number(&in, UINT64_MAX, &n), CC_OK);
        assert_true(n == numbers[i]);
    }
    assert_int_equal(in.n, 0);
    buf_free(&b);
}

static void bad_numbers_are_refused(void **state)
{
    static const struct {
        struct slice bytes;
        uint64_t max;
    } bad[] = {
        {SLICE_INIT(""), UINT64_MAX},
        {SLICE_INIT("\x80"), UINT64_MAX},
        {SLICE_INIT("\x05"), 4},
        {SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), UINT64_MAX},
        {SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slice in = bad[i].bytes;
        uint64_t n;

        assert_int_equal(gw_unpack_number(&in, bad[i].max, &n), CC_EPARSE);
    }
}

static void texts_come_back(void **state)
{
    static const struct slice texts[] = {
        SLICE_INIT("pets"), SLICE_INIT(""), {NULL, 0}, SLICE_INIT("a\0b")};
    struct buf b;
    struct slice in, text;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < 4; i++)
        gw_pack_text(&b, texts[i]);
    in = buf_slice(&b);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(gw_unpack_text(&in, &text), CC_OK);
        assert_true(slice_eq(text, texts[i]));
        assert_int_equal(text.p != NULL, texts[i].p != NULL);
        if (text.p != NULL)
            assert_int_equal(text.p[text.n], '\0');
    }
    buf_free(&b);
    in = SLICE("\x05pets"); /* the NUL of the literal is not part of it */
    assert_int_equal(gw_unpack_text(&in, &text), CC_EPARSE);
    in = SLICE("\x05pets!");
    assert_int_equal(gw_unpack_text(&in, &text), CC_EPARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_describe_everything),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(texts_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
