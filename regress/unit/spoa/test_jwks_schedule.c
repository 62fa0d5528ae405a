/* When key sets are fetched, by a clock of the test. */
#include "spoa/jwks_schedule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { S = 1000000 };

/* 10 s between fetches, ages of 60 s to 900 s, an hour of grace. */
static const struct jwks_times times = {10 * S, 60 * S, 900 * S, 3600LL * S};

static void test_ages(void **state)
{
    static const struct {
        int64_t max_age_s, age_s;
    } cases[] = {{-1, 900}, {0, 60},    {59, 60},       {60, 60},
                 {61, 61},  {900, 900}, {901, 900},     {1 << 30, 900}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(jwks_age_us(&times, cases[i].max_age_s), cases[i].age_s * S);
}

static void test_refresh(void **state)
{
    struct jwks_schedule s = {.in_flight = false};

    (void)state;
    assert_true(jwks_schedule_due(&s, &times) <= 1000LL * S); /* at once */
    jwks_schedule_start(&s, 1000LL * S);
    assert_true(jwks_schedule_due(&s, &times) == JWKS_NEVER); /* one flight */
    jwks_schedule_success(&s, &times, 1001LL * S, 100, 0);
    assert_true(jwks_schedule_due(&s, &times) == 1101LL * S);
    assert_true(s.until_us == (1101LL + 3600) * S);
    /* chance makes it earlier, by a tenth at most */
    jwks_schedule_success(&s, &times, 1001LL * S, 100, 999);
    assert_true(jwks_schedule_due(&s, &times) < 1092LL * S);
    assert_true(jwks_schedule_due(&s, &times) >= 1091LL * S);
    assert_true(s.until_us == (1101LL + 3600) * S);
}

static void test_wanted(void **state)
{
    struct jwks_schedule s = {.in_flight = false};

    (void)state;
    jwks_schedule_start(&s, 1000LL * S);
    jwks_schedule_success(&s, &times, 1001LL * S, 900, 0);
    for (int i = 0; i < 1000; i++)
        jwks_schedule_want(&s);
    /* not before the interval has passed since the last one began */
    assert_true(jwks_schedule_due(&s, &times) == 1010LL * S);
    jwks_schedule_start(&s, 1010LL * S);
    jwks_schedule_want(&s); /* while it flies: once more after it */
    assert_true(jwks_schedule_due(&s, &times) == JWKS_NEVER);
    jwks_schedule_success(&s, &times, 1011LL * S, 900, 0);
    assert_true(jwks_schedule_due(&s, &times) == 1020LL * S);
    jwks_schedule_start(&s, 1500LL * S);
    jwks_schedule_success(&s, &times, 1501LL * S, 900, 0);
    assert_true(jwks_schedule_due(&s, &times) == 2401LL * S); /* it is not wanted any more */
}

static void test_failure(void **state)
{
    struct jwks_schedule s = {.in_flight = false};

    (void)state;
    jwks_schedule_start(&s, 1000LL * S);
    jwks_schedule_failure(&s);
    assert_true(jwks_schedule_due(&s, &times) == 1010LL * S);
    jwks_schedule_start(&s, 1010LL * S);
    jwks_schedule_success(&s, &times, 1010LL * S, 60, 0);
    assert_true(s.until_us == (1070LL + 3600) * S);
    jwks_schedule_start(&s, 1070LL * S);
    jwks_schedule_failure(&s);
    assert_true(jwks_schedule_due(&s, &times) == 1080LL * S);
    assert_true(s.until_us == (1070LL + 3600) * S); /* a failure prolongs nothing */
}

static void test_restore(void **state)
{
    struct jwks_schedule s = {.in_flight = false};

    (void)state;
    assert_true(jwks_schedule_restore(&s, &times, 1000LL * S, 50LL * S, 100));
    assert_true(s.until_us == (1000LL - 50 + 100 + 3600) * S);
    assert_true(jwks_schedule_due(&s, &times) <= 1000LL * S); /* fetched at once all the same */
    assert_true(jwks_schedule_restore(&s, &times, 1000LL * S, 3699LL * S, 100));
    assert_false(jwks_schedule_restore(&s, &times, 1000LL * S, 3700LL * S, 100));
    assert_false(jwks_schedule_restore(&s, &times, 1000LL * S, -1, 100)); /* of the future */
    /* what a file says does not stretch it */
    assert_false(jwks_schedule_restore(&s, &times, 1000LL * S, 4500LL * S, INT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),    cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_wanted),  cmocka_unit_test(test_failure),
        cmocka_unit_test(test_restore),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
