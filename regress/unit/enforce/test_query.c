/* API keys in the query: found in every spelling of their name, and taken out without a change to
 * anything else. */
#include "enforce/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct find_row {
    const char *query, *name;
    unsigned n;
    const char *value;
};

static const struct find_row finds[] = {
    {"apikey=K", "apikey", 1, "K"},
    {"a=1&apikey=K&b=2", "apikey", 1, "K"},
    {"a=1&apikey=K=L", "apikey", 1, "K=L"},
    {"apikey=", "apikey", 1, ""},
    {"apikey", "apikey", 1, ""},
    {"", "apikey", 0, ""},
    {"&&", "apikey", 0, ""},
    {"APIKEY=K", "apikey", 0, ""},
    {"xapikey=K&apikeyx=K&apike=K", "apikey", 0, ""},
    {"x=apikey=K", "apikey", 0, ""},
    {"apikey=A&apikey=B", "apikey", 2, "A"},
    {"apikey=A&%61pikey=B", "apikey", 2, "A"},
    {"%61%70%69%6b%65%79=K", "apikey", 1, "K"},
    {"%61%70%69%6B%65%79=K", "apikey", 1, "K"},
    {"%2561pikey=K", "apikey", 0, ""}, /* decoded once */
    {"apikey%=K&apikey%6=K&apikey%zz=K", "apikey", 0, ""},
    {"api+key=K", "api key", 1, "K"},
    {"api%20key=K", "api key", 1, "K"},
    {"api%2Bkey=K", "api+key", 1, "K"},
    {"a%26b=K", "a&b", 1, "K"},
    {"a%3Db=K", "a=b", 1, "K"},
    {"%00apikey=K", "apikey", 0, ""},
    {"apikey;b=K", "apikey", 0, ""},
};

static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        struct slice value;
        unsigned n = query_find(slice_of(finds[i].query), slice_of(finds[i].name), &value);

        if (n != finds[i].n || !slice_is(value, finds[i].value))
            fail_msg("%s: %u, '%.*s'", finds[i].query, n, SLICE_ARG(value));
    }
}

static const struct {
    const char *query, *left; /* NULL: nothing was there */
} cuts[] = {
    {"apikey=K", ""},
    {"k=1", ""},
    {"apikey=K&k=2", ""},
    {"a=1&apikey=K", "a=1"},
    {"apikey=K&a=1", "a=1"},
    {"b=2&apikey=K&a=1", "b=2&a=1"},
    {"b=%2f%20+&apikey=K&a={}|\"&b=2", "b=%2f%20+&a={}|\"&b=2"},
    {"a&&apikey=K&&b", "a&&&b"},
    {"&apikey=K", ""},
    {"apikey&%6B=x&z", "z"},
    {"apikey=A&apikey=B&apikeys=C", "apikeys=C"},
    {"a=apikey", NULL},
    {"a=1&b=2", NULL},
    {"", NULL},
};

static void test_cut(void **state)
{
    static const struct slice names[] = {SLICE_INIT("apikey"), SLICE_INIT("k")};

    (void)state;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct slice query = slice_of(cuts[i].query), left = SLICE_NONE, again;
        char *room = malloc(query.n + 1); /* ASan sees one byte too many */
        char *exact = malloc(query.n > 0 ? query.n : 1);
        bool cut = query_cut(query, names, 2, exact, &left);

        assert_non_null(room);
        if (cut != (cuts[i].left != NULL) || (cut && !slice_is(left, cuts[i].left)))
            fail_msg("%s: '%.*s'", cuts[i].query, SLICE_ARG(left));
        if (cut)
            assert_false(query_cut(left, names, 2, room, &again)); /* nothing is left to find */
        free(exact);
        free(room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
