/* Exactly so many: four threads on one key; sliding windows wherever they begin; steady overload;
 * months. */
#include "regress/unit/throttle/counter_fixture.h"

#include "throttle/counter_internal.h"

/* Four threads of 64 connections each ask for ten times the limit in each of 20 windows. The
 * threads run freely between two ticks of the clock, and wait for each other at each. */
enum {
    THREADS = 4,
    CONNECTIONS = 64,
    WINDOWS = 20,
    LIMIT = 1000,
    TICKS = 50, /* of a window */
    ROUNDS = 10 * LIMIT / (THREADS * CONNECTIONS) / TICKS + 1,
    WINDOW_MS = 1000
};

static struct {
    struct counter_table *table;
    struct counter_rule rule;
    pthread_barrier_t tick;
    _Atomic unsigned admitted[WINDOWS * TICKS], refused[WINDOWS * TICKS];
} race;

static void *race_thread(void *unused)
{
    const struct counter_limit limit = {&race.rule, SLICE("app:hot"), NULL};

    (void)unused;
    for (unsigned tick = 0; tick < WINDOWS * TICKS; tick++) {
        struct counter_time now = at_us((int64_t)tick * WINDOW_MS * MS / TICKS);

        pthread_barrier_wait(&race.tick);
        for (unsigned i = 0; i < ROUNDS * CONNECTIONS; i++) {
            struct counter_result r;

            counter_take(race.table, &limit, 1, 0, now, &r);
            if (r.refused < 0)
                race.admitted[tick]++;
            else
                race.refused[tick]++;
        }
    }
    return NULL;
}

static void run_race(enum counter_window window)
{
    pthread_t threads[THREADS];

    memset(race.admitted, 0, sizeof(race.admitted));
    memset(race.refused, 0, sizeof(race.refused));
    race.table = table_of(COUNTER_MIN_KEYS);
    race.rule = (struct counter_rule){.max = LIMIT, .window_ms = WINDOW_MS, .window = window};
    assert_int_equal(pthread_barrier_init(&race.tick, NULL, THREADS), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_thread, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&race.tick);
    counter_table_free(&race.table);
}

static void threads_fixed(void **state)
{
    (void)state;
    run_race(COUNTER_FIXED);
    print_message("fixed window, limit %d: %d threads, %d connections each\n", LIMIT, THREADS,
                  CONNECTIONS);
    print_message("%8s %8s %8s\n", "window", "asked", "admitted");
    for (unsigned w = 0; w < WINDOWS; w++) {
        unsigned good = 0, asked = 0;

        for (unsigned i = w * TICKS; i < (w + 1) * TICKS; i++) {
            good += race.admitted[i];
            asked += race.admitted[i] + race.refused[i];
        }
        print_message("%8u %8u %8u\n", w, asked, good);
        assert_true(asked >= 10 * LIMIT);
        assert_int_equal(good, LIMIT);
    }
}

/* Most in any window, wherever it begins. */
static unsigned most_in_window(const _Atomic unsigned *admitted)
{
    unsigned most = 0, sum = 0;

    for (unsigned i = 0; i < WINDOWS * TICKS; i++) {
        sum += admitted[i];
        if (i >= TICKS)
            sum -= admitted[i - TICKS];
        if (sum > most)
            most = sum;
    }
    return most;
}

static void threads_sliding(void **state)
{
    unsigned total = 0;

    (void)state;
    run_race(COUNTER_SLIDING);
    for (unsigned i = 0; i < WINDOWS * TICKS; i++)
        total += race.admitted[i];
    print_message("sliding window, limit %d: at most %u in any window, %u in %d windows\n", LIMIT,
                  most_in_window(race.admitted), total, WINDOWS);
    assert_int_equal(most_in_window(race.admitted), LIMIT);
    assert_in_range(total, WINDOWS * LIMIT * 99 / 100, WINDOWS * LIMIT);
}

/* Twelve levels of which all but one have room for everybody; each thread asks for others of them.
 * What is refused by one must not be missing in another. */
enum { LEVELS = 12, LEVEL_TAKES = 40000 };

static const struct counter_rule level_wide = {.max = 1000000000, .window_ms = 1000},
                                 level_narrow = {
                                     .max = 30000, .window_ms = 1000, .window = COUNTER_SLIDING};
static _Atomic unsigned level_used[LEVELS];

static void *level_thread(void *seed)
{
    struct dice dice = {(uint64_t)(uintptr_t)seed};

    for (unsigned i = 0; i < LEVEL_TAKES; i++) {
        struct counter_limit limits[LEVELS];
        unsigned which[LEVELS], n = 0;
        struct counter_result r;

        for (unsigned k = 0; k < LEVELS; k++) {
            if (dice_roll(&dice, 2) == 0)
                continue;
            which[n] = k;
            limits[n++] = (struct counter_limit){k == 5 ? &level_narrow : &level_wide,
                                                 slice_make(&"abcdefghijkl"[k], 1), NULL};
        }
        counter_take(race.table, limits, n, 0, at_us(i % 997), &r);
        for (unsigned k = 0; r.refused < 0 && k < n; k++)
            level_used[which[k]]++;
    }
    return NULL;
}

static void threads_all_or_none(void **state)
{
    pthread_t threads[THREADS];
    struct counter_row row;

    (void)state;
    race.table = table_of(COUNTER_MIN_KEYS);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, level_thread, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned k = 0; k < LEVELS; k++) {
        assert_true(counter_find(race.table, slice_make(&"abcdefghijkl"[k], 1), at_us(1000), &row));
        assert_int_equal(row.used, level_used[k]);
    }
    assert_int_equal(level_used[5], 30000);
    counter_table_free(&race.table);
}

/* The moments of all that was admitted: what a sliding window of quota `max` may never break. */
enum { LOG = 400000 };
static int64_t moments[LOG];

static void expect_never_more(size_t n, uint64_t max, int64_t length_us)
{
    for (size_t i = max; i < n; i++)
        if (moments[i] - moments[i - max] < length_us)
            fail_msg("%" PRIu64 " and one more from %" PRId64 " to %" PRId64, max, moments[i - max],
                     moments[i]);
}

static void sliding_never_more(void **state)
{
    static const struct {
        uint64_t max, window_ms;
    } cases[] = {{1, 10},       {2, 1000},          {63, 1000},      {64, 1000},
                 {65, 1000},    {127, 60000},       {1000, 1000},    {999, 86400000},
                 {5000, 60000}, {100, 31536000000}, {3, 31536000000}};

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        const struct counter_rule rule = {
            .max = cases[c].max, .window_ms = cases[c].window_ms, .window = COUNTER_SLIDING};
        struct counter_table *t = table_of(COUNTER_MIN_KEYS);
        struct dice dice = {c + 1};
        int64_t length_us = (int64_t)rule.window_ms * MS, now_us = 12345;
        size_t n = 0;

        /* bursts, trickles and pauses of all sizes, each as long as they like */
        for (unsigned phase = 0; phase < 300; phase++) {
            int64_t step = length_us / (int64_t)(1 + dice_roll(&dice, 4 * rule.max)) + 1;
            uint64_t steps = 1 + dice_roll(&dice, 3 * rule.max);

            step = dice_roll(&dice, 3) == 0 ? 0 : (int64_t)dice_roll(&dice, (uint64_t)step) + 1;
            for (uint64_t i = 0; i < steps && n < LOG; i++) {
                now_us += step;
                if (admitted(t, &rule, "a", now_us))
                    moments[n++] = now_us;
            }
            if (dice_roll(&dice, 4) == 0)
                now_us += (int64_t)dice_roll(&dice, 2 * (uint64_t)length_us);
        }
        expect_never_more(n, rule.max, length_us);
        if (n < 10 * rule.max)
            fail_msg("only %zu of %" PRIu64, n, rule.max);
        counter_table_free(&t);
    }
}

/* What a sliding window would admit that remembered each request: the moments of the last `max`. */
struct ideal {
    int64_t at[1000];
    size_t n;
};

static bool ideal_take(struct ideal *log, uint64_t max, int64_t now_us, int64_t length_us)
{
    int64_t *oldest = &log->at[log->n % max];

    if (log->n >= max && now_us - *oldest < length_us)
        return false;
    *oldest = now_us;
    log->n++;
    return true;
}

/* The time until the next request of a stream in which each comes by itself (Poisson), `mean_us` on
 * average. */
static int64_t random_gap(struct dice *dice, int64_t mean_us)
{
    enum { PARTS = 64 };
    int64_t gap = 1;

    while (dice_roll(dice, PARTS) != 0)
        gap++;
    return gap * mean_us / PARTS;
}

struct overload {
    unsigned asked, even, jitter, random, ideal;
};

/* Twice the quota for 300 windows of a minute: evenly, each up to its interval late, and each by
 * itself. */
enum { OVERLOAD_WINDOWS = 300 };

static struct overload overload(const struct counter_rule *rule, uint64_t seed)
{
    int64_t interval_us = MINUTE / (2 * (int64_t)rule->max), random_us = 0;
    struct overload o = {.asked = (unsigned)rule->max * 2 * OVERLOAD_WINDOWS};
    static struct ideal ideal;
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct dice dice = {seed};

    ideal.n = 0;
    for (unsigned i = 0; i < o.asked; i++) {
        int64_t late_us = (int64_t)dice_roll(&dice, (uint64_t)interval_us);

        random_us += random_gap(&dice, interval_us);
        o.even += admitted(t, rule, "even", i * interval_us);
        o.jitter += admitted(t, rule, "jitter", i * interval_us + late_us);
        o.random += admitted(t, rule, "random", random_us);
        o.ideal += ideal_take(&ideal, rule->max, random_us, MINUTE);
    }
    counter_table_free(&t);
    return o;
}

/* Half of it, within 1 %, is admitted of what comes evenly. Of what comes by chance no limit admits
 * half of it where the quota is small: of a quota of 1, the time from the end of a window to the
 * next request is lost. So there we are compared with a window that remembers each request: up to
 * quotas of 64 a sliding one is the same, above it admits 99 % of that or more. */
static void steady_overload(void **state)
{
    static const uint64_t quotas[] = {1, 2, 5, 10, 20, 30, 50, 64, 65, 100, 127, 129, 1000};
    enum { SMALL = 50 };

    (void)state;
    print_message("twice the limit for %d windows of a minute\n", OVERLOAD_WINDOWS);
    print_message("%8s %8s %8s %8s %8s %8s %8s\n", "limit", "window", "asked", "evenly", "jitter",
                  "random", "(ideal)");
    for (size_t c = 0; c < 2 * sizeof(quotas) / sizeof(quotas[0]); c++) {
        const struct counter_rule rule = {.max = quotas[c / 2],
                                          .window_ms = 60000,
                                          .window = c % 2 ? COUNTER_SLIDING : COUNTER_FIXED};
        struct overload o = overload(&rule, c);

        print_message("%8u %8s %8u %7.2f%% %7.2f%% %7.2f%% %7.2f%%\n", (unsigned)rule.max,
                      c % 2 ? "sliding" : "fixed", o.asked, 100.0 * o.even / o.asked,
                      100.0 * o.jitter / o.asked, 100.0 * o.random / o.asked,
                      100.0 * o.ideal / o.asked);
        assert_in_range(o.even, o.asked * 49 / 100, o.asked * 51 / 100);
        assert_in_range(o.jitter, rule.max < SMALL ? 0 : o.asked * 49 / 100, o.asked * 51 / 100);
        assert_in_range(o.random, rule.max < SMALL ? 0 : o.asked * 49 / 100, o.asked * 51 / 100);
        if (c % 2 && rule.max <= 64)
            assert_int_equal(o.random, o.ideal);
        assert_true(o.random >= o.ideal * 99 / 100);
    }
}

static int64_t utc(int year, int month, int day, int seconds)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

    return (int64_t)timegm(&tm) + seconds;
}

static void calendar(void **state)
{
    static const struct {
        int y, m, d, months, y2, m2, d2;
    } cases[] = {
        {2026, 1, 15, 1, 2026, 2, 15},  {2026, 1, 31, 1, 2026, 2, 28},
        {2028, 1, 31, 1, 2028, 2, 29},  {2028, 2, 29, 12, 2029, 2, 28},
        {2026, 12, 31, 2, 2027, 2, 28}, {2000, 1, 30, 1, 2000, 2, 29},
        {2100, 1, 30, 1, 2100, 2, 28},  {1970, 1, 1, 1, 1970, 2, 1},
        {1969, 12, 31, 1, 1970, 1, 31}, {2026, 3, 31, 1, 2026, 4, 30},
        {2026, 6, 1, 7, 2027, 1, 1},    {1999, 12, 1, 3, 2000, 3, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(calendar_add_months(utc(cases[i].y, cases[i].m, cases[i].d, 86399),
                                             (unsigned)cases[i].months),
                         utc(cases[i].y2, cases[i].m2, cases[i].d2, 86399));
    /* against the C library, over 150 years */
    for (int64_t day = -20000; day < 36000; day++) {
        time_t now = (time_t)day * 86400 + 3600;
        struct tm tm;

        gmtime_r(&now, &tm);
        if (tm.tm_mday > 28)
            continue;
        tm.tm_mon++;
        assert_int_equal(calendar_add_months(now, 1), timegm(&tm));
    }
}

/* The wall clock of a machine in a zone with daylight saving is UTC; what people and NTP do to it
 * are steps. A month that has begun ends when it would have, by the clock that nobody sets. */
static void months(void **state)
{
    static const struct counter_rule month = {.max = 3, .months = 1},
                                     rolling = {.max = 3, .months = 1, .window = COUNTER_SLIDING};
    static const int64_t day_us = INT64_C(86400) * SECOND;
    static const int64_t steps_s[] = {0, 1, -1, 3600, -3600, 86400 * 40, -86400 * 40};

    (void)state;
    for (size_t i = 0; i < sizeof(steps_s) / sizeof(steps_s[0]); i++) {
        struct counter_table *t = table_of(COUNTER_MIN_KEYS);
        int64_t start_s =
            utc(2026, 3, 10, 43200); /* the night to 29 March is an hour short in Europe */
        struct counter_time now = {7 * SECOND, start_s};
        struct counter_result r;

        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(take(t, &month, "a", 0, now).refused, -1);
        now.mono_us += 20 * day_us;
        now.wall_s += 20 * 86400 + steps_s[i];
        r = take(t, &month, "a", 0, now);
        assert_int_equal(r.refused, 0);
        assert_int_equal(r.state.retry_us, 11 * day_us);
        now.mono_us += 11 * day_us - 1;
        assert_int_equal(take(t, &month, "a", 0, now).refused, 0);
        now.mono_us++;
        assert_int_equal(take(t, &month, "a", 0, now).refused, -1);
        counter_table_free(&t);
    }
    /* a leap second has no time of its own in POSIX: two moments a second apart say the same */
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);

    for (int k = 0; k < 5; k++)
        assert_int_equal(
            take(t, &rolling, "a", 0, (struct counter_time){k * SECOND, 1483228799 + k / 2})
                .refused,
            k < 3 ? -1 : 0);
    assert_int_equal(take(t, &rolling, "a", 0, (struct counter_time){31 * day_us - 1, 0}).refused,
                     0);
    assert_int_equal(
        take(t, &rolling, "a", 0, (struct counter_time){31 * day_us + 20000, 0}).refused, -1);
    counter_table_free(&t);
}

/* A wall clock that is set while months are counted: daylight saving that somebody believes in, a
 * leap second that is smeared, repeated or jumped, a battery that was empty. */
static const struct {
    int day; /* since the start */
    int64_t by_s;
} clock_steps[] = {
    {18, 3600},       /* to the summer */
    {30, -86400 * 3}, /* on the last day of a window */
    {31, 86400 * 3},     {110, 1},           {110, -1},    {111, -1},
    {200, -86400 * 400}, {201, 86400 * 400}, {228, -3600}, /* to the winter */
    {290, 1700000000},   {290, -1700000000}, {291, 27},    {340, -27},
};

/* Two years of a quota of 100 a calendar month and two others, asked for every 20 minutes: ten
 * times the monthly quota and more. Which month it is that begins, the wall clock says; that it
 * ends when it would have ended by then, no step of it changes. */
static void two_years(void **state)
{
    static const struct counter_rule calendar_month = {.max = 100, .months = 1},
                                     sliding_month = {.max = 100,
                                                      .months = 1,
                                                      .window = COUNTER_SLIDING},
                                     quarter = {.max = 250, .months = 3};
    enum { EVERY_S = 1200, DAYS = 730, DAY_S = 86400 };
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    int64_t wall_s = utc(2026, 3, 11, 600), month_end = 0, quarter_end = 0;
    unsigned in_month = 0, in_quarter = 0, windows = 0, set = 0;
    size_t slid = 0;

    (void)state;
    for (int64_t at_s = 0; at_s < (int64_t)DAYS * DAY_S; at_s += EVERY_S, wall_s += EVERY_S) {
        struct counter_time now;

        for (; set < sizeof(clock_steps) / sizeof(clock_steps[0]) &&
               at_s >= (int64_t)clock_steps[set].day * DAY_S;
             set++)
            wall_s += clock_steps[set].by_s;
        now = (struct counter_time){at_s * SECOND, wall_s};
        if (at_s >= month_end) {
            assert_true(windows == 0 || in_month == 100);
            month_end = at_s + calendar_add_months(wall_s, 1) - wall_s;
            in_month = 0;
            windows++;
        }
        if (at_s >= quarter_end) {
            assert_true(at_s == 0 || in_quarter == 250);
            quarter_end = at_s + calendar_add_months(wall_s, 3) - wall_s;
            in_quarter = 0;
        }
        if (take(t, &calendar_month, "month", 0, now).refused < 0)
            in_month++;
        if (take(t, &quarter, "quarter", 0, now).refused < 0)
            in_quarter++;
        assert_true(in_month <= 100 && in_quarter <= 250);
        if (take(t, &sliding_month, "sliding", 0, now).refused < 0)
            moments[slid++] = now.mono_us;
    }
    assert_int_equal(set, sizeof(clock_steps) / sizeof(clock_steps[0]));
    assert_in_range(windows, 24, 25);
    expect_never_more(slid, 100, INT64_C(31) * DAY_S * SECOND);
    assert_in_range(slid, DAYS / 31 * 100 * 99 / 100, (DAYS / 31 + 1) * 100);
    counter_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_fixed),
        cmocka_unit_test(threads_sliding),
        cmocka_unit_test(threads_all_or_none),
        cmocka_unit_test(sliding_never_more),
        cmocka_unit_test(steady_overload),
        cmocka_unit_test(calendar),
        cmocka_unit_test(months),
        cmocka_unit_test(two_years),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
