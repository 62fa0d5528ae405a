/* One quota over several gateways: never more than the stated overshoot, whatever happens on the
 * way. The place in the middle is a model of what the script in Redis does. */
#include "regress/unit/throttle/counter_fixture.h"

#include "throttle/counter_share_internal.h"
#include "throttle/counter_strict.h"

enum { GATEWAYS = 3, MAX_WINDOWS = 600 };

struct centre {
    uint64_t end_ms; /* of the window; 0: none */
    uint64_t counts[GATEWAYS], told_ms[GATEWAYS];
    unsigned epoch; /* another one each time that it has forgotten everything */
};

static struct counter_answer centre_told(struct centre *c, unsigned gateway,
                                         const struct counter_report *r, uint64_t now_ms)
{
    struct counter_answer a = {COUNTER_ANSWER_TOLD, 0, 0, 0};

    if (r->sliding) {
        c->counts[gateway] = r->count;
        c->told_ms[gateway] = now_ms;
        for (unsigned i = 0; i < GATEWAYS; i++)
            a.total += now_ms - c->told_ms[i] < r->left_ms ? c->counts[i] : 0;
        a.left_ms = r->left_ms;
        return a;
    }
    if (c->end_ms == 0 || c->end_ms <= now_ms) {
        uint64_t end_ms = r->window > 0 ? r->window : now_ms + r->left_ms;

        if (end_ms <= now_ms) {
            a.kind = COUNTER_ANSWER_OVER;
            a.window = end_ms;
            return a;
        }
        *c = (struct centre){.end_ms = end_ms, .epoch = c->epoch};
    } else if (r->window > 0 && r->window != c->end_ms) {
        a.kind = COUNTER_ANSWER_OTHER;
    }
    if (a.kind == COUNTER_ANSWER_TOLD)
        c->counts[gateway] = r->count;
    for (unsigned i = 0; i < GATEWAYS; i++)
        a.total += c->counts[i];
    a.window = c->end_ms;
    a.left_ms = c->end_ms - now_ms;
    return a;
}

static const struct counter_share_options options = {
    .gateways = GATEWAYS, .lease_percent = 10, .lease_least = 5, .round_us = 100000};

static struct counter_table *gateway_of(const struct counter_share_options *o)
{
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);

    assert_int_equal(counter_share_start(t, o), CC_OK);
    counter_share_link(t, true);
    return t;
}

/* What may go wrong on the way there and back, in percent of the messages. */
struct trouble {
    unsigned lost, answer_lost, flushed;
};

static void round_of(struct counter_table *t, struct centre *c, unsigned gateway, int64_t now_us,
                     const struct trouble *trouble, struct dice *dice)
{
    static unsigned known[GATEWAYS];
    struct counter_report reports[8];
    size_t n;

    if (known[gateway] != c->epoch) {
        counter_share_again(t, at_us(now_us), 2 * SECOND, true);
        known[gateway] = c->epoch;
    }
    n = counter_share_collect(t, at_us(now_us), reports, 8);

    for (size_t i = 0; i < n; i++) {
        struct counter_answer answer;

        if (dice_roll(dice, 100) < trouble->lost) {
            counter_share_failed(t, &reports[i]);
            continue;
        }
        if (dice_roll(dice, 1000) < trouble->flushed)
            *c = (struct centre){.epoch = c->epoch + 1};
        answer = centre_told(c, gateway, &reports[i], (uint64_t)now_us / 1000 + 500000);
        if (dice_roll(dice, 100) < trouble->answer_lost)
            counter_share_failed(t, &reports[i]);
        else
            counter_share_answer(t, &reports[i], &answer, at_us(now_us));
    }
}

/* Times of all that was admitted, by whomever. */
enum { LOG = 200000 };
static int64_t moments[LOG];

struct outcome {
    uint64_t most, total, windows;
};

/* Most in any stretch as long as the window, of admitted requests in the order of their times. */
static uint64_t most_in_window(size_t n, int64_t length_us)
{
    uint64_t most = 0;
    size_t from = 0;

    for (size_t i = 0; i < n; i++) {
        while (moments[i] - moments[from] >= length_us)
            from++;
        most = i - from + 1 > most ? i - from + 1 : most;
    }
    return most;
}

static struct outcome drive(const struct counter_rule *rule, const struct trouble *trouble,
                            uint64_t seed)
{
    int64_t length_us = (int64_t)rule->window_ms * MS, now_us = 0;
    struct counter_table *gateways[GATEWAYS];
    struct centre centre = {0};
    struct dice dice = {seed};
    size_t n = 0;

    for (unsigned i = 0; i < GATEWAYS; i++)
        gateways[i] = gateway_of(&options);
    /* a round each 100 ms or so, requests for 5 times the quota, windows of 10 s */
    while (now_us < 40 * length_us) {
        unsigned gateway = (unsigned)dice_roll(&dice, GATEWAYS);

        now_us += length_us / (int64_t)(5 * rule->max);
        if (admitted(gateways[gateway], rule, "a", now_us)) {
            assert_true(n < LOG);
            moments[n++] = now_us;
        }
        for (unsigned i = 0; i < GATEWAYS; i++)
            if (dice_roll(&dice, 100000) < (uint64_t)(length_us / (int64_t)(5 * rule->max)))
                round_of(gateways[i], &centre, i, now_us, trouble, &dice);
    }
    for (unsigned i = 0; i < GATEWAYS; i++)
        counter_table_free(&gateways[i]);
    return (struct outcome){most_in_window(n, length_us), n, 40};
}

static void bounded(void **state)
{
    static const struct trouble troubles[] = {
        {0, 0, 0}, {30, 0, 0}, {0, 30, 0}, {20, 20, 0}, {10, 10, 50}};
    static const uint64_t quotas[] = {20, 200, 1000};

    (void)state;
    print_message("%d gateways, leases of 10 %%\n%6s %8s %16s %8s %8s %8s\n", GATEWAYS, "limit",
                  "window", "lost/unanswered", "bound", "most", "mean");
    for (size_t q = 0; q < 3; q++) {
        for (size_t i = 0; i < 2 * sizeof(troubles) / sizeof(troubles[0]); i++) {
            const struct counter_rule rule = {.max = quotas[q],
                                              .window_ms = 10000,
                                              .window = i % 2 ? COUNTER_SLIDING : COUNTER_FIXED};
            const struct trouble *trouble = &troubles[i / 2];
            uint64_t window_bound =
                rule.max + counter_share_overshoot(&options, COUNTER_REQUESTS, rule.max);
            /* fixed windows meet: of two, a stretch as long has up to twice as much */
            uint64_t bound = i % 2 ? window_bound : 2 * window_bound;
            struct outcome o = drive(&rule, trouble, i + 1);

            print_message("%6u %8s %8u %%/%3u %% %8u %8u %8.1f\n", (unsigned)rule.max,
                          i % 2 ? "sliding" : "fixed", trouble->lost, trouble->answer_lost,
                          (unsigned)bound, (unsigned)o.most, (double)o.total / 40);
            assert_true(o.most <= bound);
            assert_true(o.total <= 41 * window_bound);
            assert_true(o.total >= 40 * rule.max * (trouble->flushed > 0 ? 8 : 9) / 10);
        }
    }
}

/* Fixed windows, one by one: what pass in each, from its first request on. */
static void fixed_windows_are_bounded(void **state)
{
    static const struct counter_rule rule = {.max = 100, .window_ms = 10000};
    static const struct trouble none = {0, 0, 0};
    struct counter_table *gateways[GATEWAYS];
    struct centre centre = {0};
    struct dice dice = {5};
    uint64_t good = 0, end_ms = 0, windows = 0;

    (void)state;
    for (unsigned i = 0; i < GATEWAYS; i++)
        gateways[i] = gateway_of(&options);
    for (int64_t now_us = 0; now_us < 400 * (int64_t)SECOND; now_us += 10 * MS) {
        good += admitted(gateways[dice_roll(&dice, GATEWAYS)], &rule, "a", now_us);
        for (unsigned i = 0; i < GATEWAYS; i++)
            round_of(gateways[i], &centre, i, now_us, &none, &dice);
        if (centre.end_ms == end_ms)
            continue;
        if (windows++ > 0)
            assert_true(good <= 100 + counter_share_overshoot(&options, COUNTER_REQUESTS, 100));
        good = 1; /* the request that opened this one */
        end_ms = centre.end_ms;
    }
    assert_in_range(windows, 35, 41);
    for (unsigned i = 0; i < GATEWAYS; i++)
        counter_table_free(&gateways[i]);
}

/* While nobody can be asked: a part each, nothing, or all; and then exact again. */
static void away(void **state)
{
    static const struct counter_rule rule = {.max = 90, .window_ms = 60000};
    static const struct {
        enum counter_away away;
        unsigned good;
    } cases[] = {{COUNTER_AWAY_LOCAL, 30}, {COUNTER_AWAY_DENY, 0}, {COUNTER_AWAY_ALLOW, 500}};
    static const struct trouble none = {0, 0, 0};

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        struct counter_share_options o = options;
        struct counter_table *gateways[GATEWAYS];
        struct centre centre = {0};
        struct dice dice = {c};
        struct counter_result r;

        o.away = cases[c].away;
        for (unsigned i = 0; i < GATEWAYS; i++) {
            gateways[i] = gateway_of(&o);
            counter_share_link(gateways[i], false);
            assert_int_equal(admitted_of(gateways[i], &rule, "a", 500, i), cases[c].good);
            r = take(gateways[i], &rule, "a", 0, at_us(i));
            assert_true(r.refused < 0 || r.state.retry_us > 0);
            counter_share_link(gateways[i], true);
        }
        for (unsigned round = 0; round < 2; round++)
            for (unsigned i = 0; i < GATEWAYS; i++)
                round_of(gateways[i], &centre, i, SECOND, &none, &dice);
        for (unsigned i = 0; i < GATEWAYS; i++)
            admitted_of(gateways[i], &rule, "a", 1, SECOND);
        for (unsigned i = 0; i < GATEWAYS; i++)
            round_of(gateways[i], &centre, i, SECOND, &none, &dice);
        if (cases[c].away != COUNTER_AWAY_DENY)
            for (unsigned i = 0; i < GATEWAYS; i++)
                assert_int_equal(admitted_of(gateways[i], &rule, "a", 500, 2 * SECOND), 0);
        for (unsigned i = 0; i < GATEWAYS; i++)
            counter_table_free(&gateways[i]);
    }
}

/* Alone, with what was heard before: what others used of a fixed window stays used; of a sliding
 * one it comes back, nobody here knows when, so that the part counts alone. */
static void away_with_what_was_heard(void **state)
{
    static const struct counter_rule rules[] = {
        {.max = 90, .window_ms = 60000},
        {.max = 90, .window_ms = 60000, .window = COUNTER_SLIDING}};
    static const unsigned heard[] = {0, 40, 75, 85},
                          left[2][4] = {{25, 25, 10, 0}, {25, 25, 25, 25}};

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < 4; i++) {
            struct counter_table *t = gateway_of(&options);
            struct counter_report report;
            struct counter_answer answer = {COUNTER_ANSWER_TOLD, 700000, 0, 60000};

            assert_int_equal(admitted_of(t, &rules[k], "a", 5, SECOND), 5);
            assert_int_equal(counter_share_collect(t, at_us(SECOND), &report, 1), 1);
            answer.total = report.count + heard[i];
            counter_share_answer(t, &report, &answer, at_us(SECOND));
            counter_share_link(t, false);
            assert_int_equal(admitted_of(t, &rules[k], "a", 500, 2 * SECOND), left[k][i]);
            counter_table_free(&t);
        }
    }
}

/* Who runs out of lease has to wait for a round, and says so. */
static void leases(void **state)
{
    static const struct counter_rule rule = {.max = 100, .window_ms = 60000},
                                     bytes = {
                                         .max = 1000, .window_ms = 60000, .unit = COUNTER_BYTES};
    static const struct trouble none = {0, 0, 0};
    struct counter_table *t = gateway_of(&options);
    struct centre centre = {0};
    struct dice dice = {1};
    struct counter_result r;
    struct counter_look look;
    struct counter_row row;

    (void)state;
    assert_int_equal(counter_share_lease(&options, COUNTER_REQUESTS, 1000), 100);
    assert_int_equal(counter_share_lease(&options, COUNTER_REQUESTS, 20), 5);
    assert_int_equal(counter_share_lease(&options, COUNTER_REQUESTS, 3), 3);
    assert_int_equal(counter_share_lease(&options, COUNTER_BYTES, 20), 2);
    assert_int_equal(counter_share_overshoot(&options, COUNTER_REQUESTS, 1000), 200);
    assert_int_equal(admitted_of(t, &rule, "a", 50, 0), 10);
    r = take(t, &rule, "a", 0, at_us(0));
    assert_int_equal(r.refused, 0);
    assert_int_equal(r.state.retry_us, options.round_us);
    assert_int_equal(r.state.remaining, 90);
    round_of(t, &centre, 0, 1, &none, &dice);
    assert_int_equal(admitted_of(t, &rule, "a", 50, 2), 10);
    /* more bytes than a lease: that the others hear of it does not help */
    for (unsigned i = 0; i < 2; i++) {
        r = take(t, &bytes, i == 0 ? "b" : "c", 101, at_us(3));
        assert_int_equal(r.refused, 0);
        assert_int_equal(r.state.retry_us, -1);
        r = take(t, &bytes, "c", 60, at_us(3));
        assert_int_equal(r.state.retry_us, i == 0 ? 0 : options.round_us);
        counter_look(t, SLICE("c"), NULL, i == 0 ? 41 : 101, at_us(3), &look);
        assert_int_equal(look.state.retry_us, i == 0 ? options.round_us : -1);
    }
    assert_int_equal(take(t, &bytes, "b", 100, at_us(3)).refused, -1);
    assert_true(counter_find(t, SLICE("a"), at_us(3), &row));
    assert_int_equal(row.overshoot, 20);
    assert_true(counter_find(t, SLICE("b"), at_us(3), &row));
    assert_int_equal(row.overshoot, 200);
    counter_table_free(&t);
}

static void hurried(void *context)
{
    ++*(unsigned *)context;
}

static void hurries(void **state)
{
    static const struct counter_rule rule = {.max = 100, .window_ms = 60000};
    struct counter_share_options o = options;
    struct counter_table *t;
    unsigned n = 0;

    (void)state;
    o.hurry = hurried;
    o.context = &n;
    t = gateway_of(&o);
    assert_int_equal(admitted_of(t, &rule, "a", 4, 0), 4);
    assert_int_equal(n, 0);
    assert_int_equal(admitted_of(t, &rule, "a", 1, 0), 1);
    assert_int_equal(n, 1);
    counter_table_free(&t);
}

/* A look tells what a request finds, also where it is others that leave no room for it. */
static void looking(void **state)
{
    static const struct counter_rule rules[] = {
        {.max = 30, .window_ms = 60000, .away = COUNTER_AWAY_LOCAL},
        {.max = 30, .window_ms = 60000, .away = COUNTER_AWAY_DENY},
        {.max = 30, .window_ms = 60000, .away = COUNTER_AWAY_ALLOW},
    };
    static const char *const keys[] = {"a", "b", "c"};
    struct counter_table *t = gateway_of(&options);
    struct counter_report reports[8];
    unsigned refused = 0, passed = 0;

    (void)state;
    for (int64_t i = 0; i < 200; i++) {
        const struct counter_rule *rule = &rules[i % 3];
        const char *key = keys[i % 3];
        int64_t us = SECOND + i * MS;
        struct counter_result r;
        struct counter_look look;

        if (i % 20 == 0) {
            size_t n = counter_share_collect(t, at_us(us), reports, 8);

            for (size_t k = 0; k < n; k++) {
                struct counter_answer answer = {COUNTER_ANSWER_TOLD, reports[k].count + 9, 700000,
                                                60000};

                counter_share_answer(t, &reports[k], &answer, at_us(us));
            }
        }
        if (i == 120)
            counter_share_link(t, false);
        counter_look(t, slice_of(key), NULL, 0, at_us(us), &look);
        r = take(t, rule, key, 0, at_us(us));
        assert_true(look.gateways);
        assert_false(look.strict);
        assert_int_equal(look.state.known, i >= 3);
        if (!look.state.known)
            continue;
        assert_int_equal(look.fits, r.refused < 0);
        refused += !look.fits;
        passed += look.fits && look.state.used >= look.state.max;
    }
    assert_true(refused > 20);
    assert_true(passed > 5); /* nobody can be asked, and then there is no limit */
    counter_table_free(&t);
}

/* Where each request asks, a look asks the same, and tells what is decided when it cannot. */
static void strict_looks(void **state)
{
    static const struct counter_rule deny = {.max = 9,
                                             .window_ms = 60000,
                                             .away = COUNTER_AWAY_DENY},
                                     local = {.max = 9,
                                              .window_ms = 60000,
                                              .window = COUNTER_SLIDING,
                                              .away = COUNTER_AWAY_LOCAL},
                                     allow = {.max = 9,
                                              .window_ms = 60000,
                                              .unit = COUNTER_BYTES,
                                              .away = COUNTER_AWAY_ALLOW};
    struct counter_share_options strict = options;
    const struct counter_limit limit = {&deny, SLICE_INIT("a"), NULL};
    struct counter_verdict verdict = {COUNTER_FITS, 777, 5, 1, 40000, 0};
    struct counter_time now = at_us(SECOND);
    struct counter_question q, asked;
    struct counter_result r;
    struct counter_look look;
    struct counter_table *t;

    (void)state;
    strict.strict = true;
    t = gateway_of(&strict);
    assert_int_equal(counter_strict_look(t, SLICE("a"), NULL, 0, now, &q), COUNTER_ASKS_UNKNOWN);
    assert_int_equal(counter_strict_look(t, SLICE("a"), &deny, 0, now, &q), COUNTER_ASKS);
    assert_true(counter_strict_ask(t, &limit, 1, 0, now, &asked));
    assert_memory_equal(&q.asks[0], &asked.asks[0], sizeof(q.asks[0]));
    counter_strict_told(t, &limit, 1, 0, now, &verdict, &r);
    assert_int_equal(counter_strict_look(t, SLICE("a"), NULL, 0, now, &q), COUNTER_ASKS);
    assert_true(counter_strict_ask(t, &limit, 1, 0, now, &asked));
    assert_memory_equal(&q.asks[0], &asked.asks[0], sizeof(q.asks[0]));
    assert_int_equal(q.asks[0].window, 777);
    assert_int_equal(q.asks[0].count, 1);

    verdict = (struct counter_verdict){COUNTER_FULL, 777, 9, 1, 30000, 30000};
    counter_look(t, SLICE("a"), NULL, 0, now, &look);
    counter_strict_seen(&q.asks[0], &verdict, &look);
    assert_true(look.told && look.state.known && !look.fits && look.strict);
    assert_int_equal(look.state.used, 9);
    assert_int_equal(look.row.others, 8);
    assert_int_equal(look.state.retry_us, 30 * SECOND);
    counter_look(t, SLICE("b"), &local, 0, now, &look);
    assert_int_equal(counter_strict_look(t, SLICE("b"), &local, 0, now, &q), COUNTER_ASKS);
    counter_strict_seen(&q.asks[0], &verdict, &look);
    assert_true(look.told && !look.state.known && look.row.sliding);
    assert_int_equal(look.row.others, 9);

    /* what others had told is lost */
    counter_share_again(t, now, SECOND, true);
    assert_int_equal(counter_strict_look(t, SLICE("a"), NULL, 0, now, &q), COUNTER_ASKS_LATER);
    assert_int_equal(counter_strict_look(t, SLICE("c"), &allow, 0, now, &q), COUNTER_ASKS);
    /* nobody can be asked */
    counter_share_link(t, false);
    assert_int_equal(counter_strict_look(t, SLICE("a"), NULL, 0, now, &q), COUNTER_ASKS_NOT);
    counter_look(t, SLICE("a"), NULL, 0, now, &look);
    assert_true(look.told && !look.fits && look.state.away);
    counter_look(t, SLICE("b"), &deny, 0, now, &look);
    assert_true(look.told && !look.fits && look.state.away);
    assert_int_equal(look.row.away, COUNTER_AWAY_DENY);
    counter_look(t, SLICE("b"), &local, 0, now, &look);
    assert_true(look.told && look.fits);
    counter_look(t, SLICE("b"), &allow, 10, now, &look);
    assert_true(look.told && look.fits); /* there is no limit then */
    counter_look(t, SLICE("b"), NULL, 0, now, &look);
    assert_true(!look.told && look.fits);
    counter_table_free(&t);
}

static void wrong_options(void **state)
{
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_share_options o = options;

    (void)state;
    o.gateways = 0;
    assert_int_equal(counter_share_start(t, &o), CC_EINVAL);
    o = options;
    o.lease_percent = 101;
    assert_int_equal(counter_share_start(t, &o), CC_EINVAL);
    counter_table_free(&t);
}

/* Nothing that an answer can say breaks anything. */
static void absurd_answers(void **state)
{
    static const struct counter_rule rules[] = {
        {.max = 100, .window_ms = 60000},
        {.max = 100, .window_ms = 60000, .window = COUNTER_SLIDING}};
    struct dice dice = {9};

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        static const uint64_t numbers[] = {
            0, 1, 99, 100, 101, 60000, UINT64_MAX, INT64_MAX, UINT64_C(1) << 53};
        struct counter_table *t = i % 1000 == 0 ? gateway_of(&options) : NULL;
        static struct counter_table *kept;
        struct counter_report report;
        struct counter_answer answer = {(enum counter_answer_kind)dice_roll(&dice, 3),
                                        numbers[dice_roll(&dice, 9)], numbers[dice_roll(&dice, 9)],
                                        numbers[dice_roll(&dice, 9)]};

        if (t != NULL) {
            counter_table_free(&kept);
            kept = t;
        }
        take(kept, &rules[dice_roll(&dice, 2)], "a", 0, at_us((int64_t)i * 10 * MS));
        if (counter_share_collect(kept, at_us((int64_t)i * 10 * MS), &report, 1) == 1)
            counter_share_answer(kept, &report, &answer, at_us((int64_t)i * 10 * MS));
        if (i == 19999)
            counter_table_free(&kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounded),       cmocka_unit_test(fixed_windows_are_bounded),
        cmocka_unit_test(away),          cmocka_unit_test(away_with_what_was_heard),
        cmocka_unit_test(leases),        cmocka_unit_test(hurries),
        cmocka_unit_test(looking),       cmocka_unit_test(strict_looks),
        cmocka_unit_test(wrong_options), cmocka_unit_test(absurd_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
