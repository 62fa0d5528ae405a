/* The type of an unquoted scalar. */
#include "doc/doc_impl.h"

#include "doc_fixture.h"

static void assert_types(enum doc_type type, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        if (doc_scalar_type(slice_of(*texts)) != type)
            fail_msg("'%s' is %s, expected %s", *texts,
                     doc_type_name(doc_scalar_type(slice_of(*texts))), doc_type_name(type));
}

static void test_types(void **state)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true", "True", "TRUE", "false", "yes", "Yes", "YES",
                                        "no",   "No",   "on",   "On",    "OFF", NULL};
    static const char *const ints[] = {"0",     "7",    "-7",   "+7", "007", "12345678901234567890",
                                       "0x1fA", "-0x1", "0o17", NULL};
    static const char *const reals[] = {"1.0",  "-1.5",  ".5",    "5.",   "1e5",  "1E+5", "1.5e-3",
                                        ".inf", "-.Inf", "+.INF", ".nan", ".NaN", NULL};
    static const char *const texts[] = {
        "x",   "nULL", "tRUE",  "y",      "n",        "truE", "nul",   "-",          "+",
        ".",   "-.",   "1.0.0", "1_000",  "12:30",    "0x",   "0xg",   "0o8",        "1e",
        "1e+", "e5",   "1.5e",  "1a",     ".e5",      "..",   ".nanx", "2001-12-14", "1.2.3-rc",
        "--1", "nope", "-.nan", "falsee", "\xc3\xa4", NULL};

    (void)state;
    assert_types(DOC_NULL, nulls);
    assert_types(DOC_BOOL, bools);
    assert_types(DOC_INT, ints);
    assert_types(DOC_REAL, reals);
    assert_types(DOC_TEXT, texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
