/* The memory of replies: what it finds, what it forgets, what it holds at most. */
#include "spoa/answers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ENTRIES = 64 };

static struct enforce_key key_of(uint64_t number)
{
    struct hash_key k = {1, 2};
    struct enforce_key key = {{0}};
    uint64_t hash = hash_slice(&k, slice_make(&number, sizeof number));

    memcpy(key.bytes, &hash, sizeof hash);
    memcpy(key.bytes + 8, &number, sizeof number);
    return key;
}

static void put(struct answers *a, uint64_t number, int64_t until_s, struct slice bytes)
{
    struct enforce_key key = key_of(number);
    struct enforce_reply *reply;

    assert_int_equal(
        enforce_reply_new(&reply, ENFORCE_WAIT_INTROSPECTION, &key, false, until_s, bytes), CC_OK);
    answers_put(a, reply, 100);
    enforce_reply_unref(&reply);
}

static struct enforce_reply *find(struct answers *a, uint64_t number, int64_t now_s)
{
    struct enforce_key key = key_of(number);

    return answers_find(a, &key, now_s);
}

static void what_counts_is_found(void **state)
{
    struct answers *a;

    (void)state;
    assert_int_equal(answers_new(&a, ENTRIES, 10), CC_OK);
    put(a, 1, 110, SLICE("one"));
    put(a, 2, 120, SLICE("two"));
    assert_true(slice_is(find(a, 1, 109)->bytes, "one"));
    assert_true(slice_is(find(a, 2, 109)->bytes, "two"));
    assert_null(find(a, 3, 100));
    assert_null(find(a, 1, 110));
    assert_null(find(a, 1, 100)); /* it is gone */
    put(a, 2, 130, SLICE("new"));
    assert_true(slice_is(find(a, 2, 129)->bytes, "new"));
    put(a, 4, 100, SLICE("over"));
    assert_null(find(a, 4, 99));
    put(a, 5, 200, SLICE("too large by one"));
    assert_null(find(a, 5, 100));
    answers_free(&a);
    assert_null(a);
}

/* A flood takes the places of those that end first, and no more memory. */
static void a_flood_finds_no_more_room(void **state)
{
    struct answers *a;
    size_t found = 0, kept = 0;

    (void)state;
    assert_int_equal(answers_new(&a, ENTRIES, 10), CC_OK);
    for (uint64_t i = 0; i < 16; i++)
        put(a, i, 1000, SLICE("warm"));
    for (uint64_t i = 1000; i < 9000; i++)
        put(a, i, 110, SLICE("flood"));
    for (uint64_t i = 0; i < 16; i++)
        kept += find(a, i, 105) != NULL;
    for (uint64_t i = 1000; i < 9000; i++)
        found += find(a, i, 105) != NULL;
    assert_int_equal(kept, 16);
    assert_int_equal(found, ENTRIES - 16);
    answers_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_counts_is_found),
        cmocka_unit_test(a_flood_finds_no_more_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
