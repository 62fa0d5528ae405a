/* The operator's file of revoked tokens: what counts, and what is said about the rest. */
#include "revoke/revoke_read.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>

enum { NOW = 1700000000 };

static struct revoked *table;
static struct diag *diag;

static int setup(void **state)
{
    (void)state;
    diag = diag_new();
    return diag != NULL && revoked_new(&table, 100) == CC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    diag_free(&diag);
    revoked_free(&table);
    return 0;
}

static const struct source source = {.name = "revoked.txt"};

static bool until(const char *id, int64_t until_s)
{
    struct revoked_entry e;

    return revoked_find(table, slice_of(id), &e) && e.until_s == until_s &&
           e.sources == REVOKED_BY_FILE;
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(
        revoke_parse(SLICE("# a comment\n"
                           "\n"
                           "one\n"
                           "two 1893456000\r\n"
                           "  three\t 2030-01-01T01:00:00+01:00  \n"
                           "{\"jti\": \"with blanks\", \"exp\": 1893456000}\n"
                           "{\"jti\": \"ever\"}\n"
                           "{\"jwt_signature\":\"listed\",\"expiry_time\":1893456000001}\n"
                           "gone 1600000000\n"
                           "last"),
                     &source, table, NOW, diag),
        CC_OK);
    assert_int_equal(diag_errors(diag), 0);
    assert_true(until("one", REVOKED_FOREVER));
    assert_true(until("two", 1893456000));
    assert_true(until("three", 1893456000));
    assert_true(until("with blanks", 1893456000));
    assert_true(until("ever", REVOKED_FOREVER));
    assert_true(until("listed", 1893456001));
    assert_true(until("last", REVOKED_FOREVER));
    assert_false(until("gone", 1600000000));
    assert_false(revoked_has(table, revoked_key(table, SLICE("# a comment"))));
}

static void test_bad(void **state)
{
    static const struct {
        const char *line;
        unsigned col;
        const char *message;
    } cases[] = {
        {"one two", 5, "expected when the token expires"},
        {"one 1893456000 more", 5, "expected when the token expires"},
        {"one -5", 5, "expected when the token expires"},
        {"one 99999999999999999999", 5, "expected when the token expires"},
        {"one 2030-02-31T00:00:00Z", 5, "expected when the token expires"},
        {"eyJhbGciOiJFUzI1NiJ9.e30.c2ln", 1, "this is a token, expected its id"},
        {"{\"jti\": \"eyJhbGciOiJFUzI1NiJ9.e30.c2ln\"}", 1, "this is a token, expected its id"},
        {"a\x01"
         "b",
         1, "the id is empty or has a control character"},
        {"{\"jti\": \"\"}", 1, "the id is empty or has a control character"},
        {"{\"jti\": \"a\\u0001\"}", 1, "the id is empty or has a control character"},
        {"{\"jti\": 1}", 1, "expected the text jti (or jwt_signature), once"},
        {"{\"exp\": 1}", 1, "expected the text jti (or jwt_signature), once"},
        {"{\"jti\": \"a\", \"jwt_signature\": \"b\"}", 1,
         "expected the text jti (or jwt_signature), once"},
        {"{\"jti\": \"a\", \"exp\": \"1893456000\"}", 1,
         "exp (seconds) or expiry_time (milliseconds) is not one whole number"},
        {"{\"jti\": \"a\", \"exp\": -1}", 1,
         "exp (seconds) or expiry_time (milliseconds) is not one whole number"},
        {"{\"jti\": \"a\", \"exp\": 1, \"expiry_time\": 1}", 1,
         "exp (seconds) or expiry_time (milliseconds) is not one whole number"},
        {"{\"jti\": \"a\", \"expires\": 1}", 1, "unknown member"},
        {"{\"jti\": \"a\", \"jti\": \"b\"}", 22, "this is no JSON object"},
        {"{\"jti\": \"a\"", 11, "this is no JSON object"},
        {"{\"jti\": \"a\\u0000b\"}", 1, "this is no JSON object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diag_view v;
        char text[256];
        int n = snprintf(text, sizeof text, "before\n%s\nafter-%zu", cases[i].line, i);
        struct buf shown;

        diag_free(&diag);
        diag = diag_new();
        assert_int_equal(revoke_parse(slice_make(text, (size_t)n), &source, table, NOW, diag),
                         CC_EINVAL);
        assert_int_equal(diag_errors(diag), 1);
        assert_true(diag_get(diag, 0, &v));
        assert_int_equal(v.code, CC3090);
        assert_int_equal(v.place.line, 2);
        if (!slice_is(v.message, cases[i].message) ||
            (v.place.col != cases[i].col && !slice_is(v.message, "this is no JSON object")))
            fail_msg("%s: col %u: %.*s", cases[i].line, v.place.col, SLICE_ARG(v.message));
        /* nothing of the line is shown: it may be a token */
        assert_int_equal(v.place.source->text.n, 0);
        buf_init(&shown, 4096);
        diag_add_json(diag, &shown);
        assert_false(slice_contains(buf_slice(&shown), SLICE("c2ln")));
        buf_free(&shown);
        /* what is good counts all the same */
        snprintf(text, sizeof text, "after-%zu", i);
        assert_true(until("before", REVOKED_FOREVER) && until(text, REVOKED_FOREVER));
    }
}

static void test_no_file(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct diag_view v;

    (void)state;
    assert_int_equal(revoke_read("/nowhere/revoked", table, NOW, arena, diag), CC_ENOENT);
    assert_true(diag_get(diag, 0, &v));
    assert_int_equal(v.code, CC1001);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
