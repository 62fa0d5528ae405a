/* What comes again and again is told of now and then, and none of it is lost. */
#include "spoa/complaint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_once_a_minute(void **state)
{
    const int64_t second = 1000000;
    struct complaint c = {0};
    uint64_t told = 0;

    (void)state;
    assert_int_equal(complaint_due(&c, 7 * second), 1);
    for (int64_t i = 1; i < 60; i++)
        assert_int_equal(complaint_due(&c, (7 + i) * second), 0);
    assert_int_equal(complaint_due(&c, 67 * second), 60);
    /* after a pause the first is told of again */
    assert_int_equal(complaint_due(&c, 500 * second), 1);
    for (int64_t i = 1; i <= 6000; i++)
        told += complaint_due(&c, 500 * second + i * second / 10);
    assert_int_equal(told, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_once_a_minute)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
