/* Windows, modes, bursts, all or none: the counter with one thread. */
#include "regress/unit/throttle/counter_fixture.h"

#include "throttle/counter_internal.h"

static const struct counter_rule ten = {.max = 10, .window_ms = 60000};
static const struct counter_rule ten_sliding = {
    .max = 10, .window_ms = 60000, .window = COUNTER_SLIDING};

static void fixed_window(void **state)
{
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_result r;

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        r = take(t, &ten, "a", 0, at_us(5 * SECOND + i));
        assert_int_equal(r.refused, -1);
        assert_int_equal(r.tightest, 0);
        assert_int_equal(r.over, 0);
        assert_int_equal(r.state.remaining, 9 - i);
        assert_int_equal(r.state.max, 10);
        assert_int_equal(r.state.reset_us, MINUTE - (int64_t)i);
        assert_int_equal(r.state.retry_us, i < 9 ? 0 : r.state.reset_us);
    }
    r = take(t, &ten, "a", 0, at_us(64 * SECOND));
    assert_int_equal(r.refused, 0);
    assert_int_equal(r.over, 1);
    assert_int_equal(r.state.remaining, 0);
    assert_int_equal(r.state.retry_us, SECOND);
    assert_false(admitted(t, &ten, "a", 65 * SECOND - 1));
    assert_true(admitted(t, &ten, "b", 65 * SECOND - 1));
    /* the window is over a minute after it opened; the next opens with the next request */
    assert_int_equal(admitted_of(t, &ten, "a", 20, 100 * SECOND), 10);
    assert_int_equal(admitted_of(t, &ten, "a", 20, 160 * SECOND - 1), 0);
    assert_int_equal(admitted_of(t, &ten, "a", 20, 160 * SECOND), 10);
    counter_table_free(&t);
}

static void sliding_window(void **state)
{
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);

    (void)state;
    /* of small quotas each request has its own mark: the log is exact */
    for (int i = 0; i < 10; i++)
        assert_true(admitted(t, &ten_sliding, "a", i * SECOND));
    assert_false(admitted(t, &ten_sliding, "a", MINUTE - 1));
    assert_int_equal(take(t, &ten_sliding, "a", 0, at_us(MINUTE - 7)).state.retry_us, 7);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(admitted_of(t, &ten_sliding, "a", 3, MINUTE + i * SECOND), 1);
        assert_int_equal(admitted_of(t, &ten_sliding, "a", 3, MINUTE + (i + 1) * SECOND - 1), 0);
    }
    assert_int_equal(admitted_of(t, &ten_sliding, "a", 20, 300 * SECOND), 10);
    counter_table_free(&t);
}

static void no_quota_no_request(void **state)
{
    static const struct counter_rule none[] = {
        {.max = 0, .window_ms = 1000},
        {.max = 0, .window_ms = 1000, .window = COUNTER_SLIDING},
        {.max = 0, .window_ms = 1000, .unit = COUNTER_BYTES},
        {.max = 0, .window_ms = 1000, .unit = COUNTER_BYTES, .window = COUNTER_SLIDING},
    };
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct counter_result r = take(t, &none[i], "a", 0, at_us(0));

        assert_int_equal(r.refused, 0);
        assert_int_equal(r.state.retry_us, -1);
    }
    counter_table_free(&t);
}

static void bytes(void **state)
{
    static const enum counter_window windows[] = {COUNTER_FIXED, COUNTER_SLIDING};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct counter_rule rule = {
            .max = 1000000, .window_ms = 1000, .unit = COUNTER_BYTES, .window = windows[i]};
        struct counter_table *t = table_of(COUNTER_MIN_KEYS);
        struct counter_result r;

        assert_int_equal(take(t, &rule, "a", 999000, at_us(0)).refused, -1);
        r = take(t, &rule, "a", 1001, at_us(1));
        assert_int_equal(r.refused, 0);
        assert_int_equal(r.state.used, 999000);
        assert_int_equal(r.state.retry_us, SECOND - 1);
        assert_int_equal(take(t, &rule, "a", 1000, at_us(2)).refused, -1);
        assert_int_equal(take(t, &rule, "a", 0, at_us(3)).refused, 0); /* no quota is left */
        assert_int_equal(take(t, &rule, "a", 1000001, at_us(5 * SECOND)).state.retry_us, -1);
        assert_int_equal(take(t, &rule, "a", UINT64_MAX, at_us(5 * SECOND)).refused, 0);
        assert_int_equal(take(t, &rule, "a", 0, at_us(5 * SECOND)).refused, -1);
        assert_int_equal(take(t, &rule, "a", 1000000, at_us(5 * SECOND)).refused, -1);
        counter_table_free(&t);
    }
}

static void bursts(void **state)
{
    static const struct counter_rule rule = {
        .max = 100, .window_ms = 60000, .burst_max = 3, .burst_ms = 1000};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_result r;

    (void)state;
    assert_int_equal(admitted_of(t, &rule, "a", 5, 0), 3);
    r = take(t, &rule, "a", 0, at_us(400 * MS));
    assert_int_equal(r.refused, 0);
    assert_true(r.state.burst);
    assert_int_equal(r.state.used, 3); /* what spike arrest refuses uses no quota */
    assert_int_equal(r.state.retry_us, 600 * MS);
    assert_int_equal(admitted_of(t, &rule, "a", 5, SECOND), 3);
    for (int i = 2; i < 50; i++)
        admitted_of(t, &rule, "a", 5, i * SECOND);
    r = take(t, &rule, "a", 0, at_us(50 * SECOND));
    assert_false(r.state.burst);
    assert_int_equal(r.state.used, 100);
    assert_int_equal(r.state.retry_us, 10 * SECOND);
    counter_table_free(&t);
}

/* Limits that do not enforce tell, and count as if they did. */
static void modes(void **state)
{
    static const enum counter_mode quiet[] = {COUNTER_SHADOW, COUNTER_NO_STOP};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct counter_rule rule = {.max = 2, .window_ms = 1000, .mode = quiet[i]};
        const struct counter_limit limits[] = {{&rule, SLICE("quiet"), NULL},
                                               {&ten, SLICE("ten"), NULL}};
        struct counter_table *t = table_of(COUNTER_MIN_KEYS);
        struct counter_result r;
        struct counter_row row;

        for (unsigned n = 1; n <= 10; n++) {
            counter_take(t, limits, 2, 0, at_us(n), &r);
            assert_int_equal(r.refused, -1);
            assert_int_equal(r.over, n > 2 ? 1 : 0);
            assert_int_equal(r.tightest, 1);
            assert_int_equal(r.state.remaining, 10 - n);
        }
        counter_take(t, limits, 2, 0, at_us(11), &r);
        assert_int_equal(r.refused, 1);
        assert_int_equal(r.over, 3);
        assert_true(counter_find(t, SLICE("quiet"), at_us(11), &row));
        assert_int_equal(row.used, 2);
        assert_int_equal(row.over, 9);
        assert_int_equal(row.mode, quiet[i]);
        counter_table_free(&t);
    }
}

static void tightest_limit(void **state)
{
    static const struct counter_rule many = {.max = 1000, .window_ms = 1000},
                                     few = {.max = 5, .window_ms = 1000},
                                     kilo = {
                                         .max = 1000, .window_ms = 60000, .unit = COUNTER_BYTES};
    const struct counter_limit limits[] = {
        {&many, SLICE("many"), NULL}, {&few, SLICE("few"), NULL}, {&kilo, SLICE("kilo"), NULL}};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_result r;

    (void)state;
    counter_take(t, limits, 3, 10, at_us(0), &r);
    assert_int_equal(r.tightest, 1);
    assert_int_equal(r.state.remaining, 4);
    counter_take(t, limits, 3, 300, at_us(0),
                 &r); /* 690 bytes are 2 more like this, 3 requests 3 */
    assert_int_equal(r.tightest, 2);
    assert_int_equal(r.state.remaining, 690);
    counter_take(t, limits, 3, 691, at_us(0), &r);
    assert_int_equal(r.refused, 2);
    assert_int_equal(r.tightest, 2);
    counter_table_free(&t);
}

/* Rules change with a reload; what was used stays used. */
static void changed_rules(void **state)
{
    static const struct counter_rule raised = {.max = 20, .window_ms = 60000},
                                     lowered = {.max = 5, .window_ms = 60000},
                                     shorter = {.max = 10, .window_ms = 1000},
                                     longer = {.max = 10, .window_ms = 120000},
                                     month = {.max = 10, .months = 1},
                                     wide = {
                                         .max = 15, .window_ms = 60000, .window = COUNTER_SLIDING};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);

    (void)state;
    assert_int_equal(admitted_of(t, &ten, "a", 11, 0), 10);
    assert_int_equal(admitted_of(t, &lowered, "a", 11, 0), 0);
    assert_int_equal(admitted_of(t, &raised, "a", 11, 0), 10);
    assert_int_equal(admitted_of(t, &longer, "a", 1, SECOND), 0);
    assert_int_equal(take(t, &longer, "a", 0, at_us(MINUTE)).state.retry_us, MINUTE);
    assert_int_equal(admitted_of(t, &month, "a", 1, MINUTE), 0);
    assert_int_equal(admitted_of(t, &shorter, "a", 11, MINUTE), 10);

    assert_int_equal(admitted_of(t, &ten, "b", 4, 0), 4);
    assert_int_equal(admitted_of(t, &ten, "b", 3, SECOND), 3);
    assert_int_equal(admitted_of(t, &ten_sliding, "b", 9, 2 * SECOND), 3);
    assert_int_equal(admitted_of(t, &wide, "b", 9, 2 * SECOND), 5);
    assert_int_equal(admitted_of(t, &ten_sliding, "b", 9, 3 * SECOND), 0);
    assert_int_equal(admitted_of(t, &ten, "b", 9, 3 * SECOND), 0);
    assert_int_equal(admitted_of(t, &ten, "b", 19, 62 * SECOND), 10);
    counter_table_free(&t);
}

/* While two generations are served, requests come by the larger quota and by the smaller one in
 * turns: what was used of the larger one stays used. */
static void changed_back_and_forth(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const struct counter_rule large = {.max = 100,
                                           .window_ms = 60000,
                                           .window = i & 1 ? COUNTER_SLIDING : COUNTER_FIXED},
                                  small = {.max = 10,
                                           .window_ms = 60000,
                                           .window = i & 2 ? COUNTER_SLIDING : COUNTER_FIXED};
        struct counter_table *t = table_of(COUNTER_MIN_KEYS);
        unsigned good = 0;

        for (unsigned n = 0; n < 20; n++) {
            good += admitted_of(t, &large, "a", 60, n * SECOND);
            good += admitted_of(t, &small, "a", 60, n * SECOND);
        }
        assert_int_equal(good, 100);
        assert_true(admitted(t, &small, "a", 3 * MINUTE));
        counter_table_free(&t);
    }
}

/* From bytes to requests the requests stay used, not as many as there were bytes; and back and
 * forth, as while two generations are served, no request is forgotten. */
static void changed_units(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        enum counter_window window = i ? COUNTER_SLIDING : COUNTER_FIXED;
        const struct counter_rule of_bytes = {.max = 100000,
                                              .window_ms = 60000,
                                              .unit = COUNTER_BYTES,
                                              .window = window},
                                  of_requests = {.max = 10, .window_ms = 60000, .window = window};
        struct counter_table *t = table_of(COUNTER_MIN_KEYS);
        unsigned good = 4;

        for (unsigned n = 0; n < good; n++)
            assert_int_equal(take(t, &of_bytes, "a", 20000, at_us(n)).refused, -1);
        assert_true(admitted(t, &of_requests, "a", SECOND));
        assert_int_equal(take(t, &of_bytes, "a", 20000, at_us(SECOND)).refused, -1);
        assert_int_equal(admitted_of(t, &of_requests, "a", 20, SECOND), 10 - good - 2);
        counter_table_free(&t);
    }
}

/* The simplest thing that could be right: a log of each key's requests. */
enum { MODEL_KEYS = 6, MODEL_LOG = 40000 };

struct model {
    int64_t time[MODEL_LOG];
    uint64_t cost[MODEL_LOG];
    size_t n;
    int64_t opened_us;
};

static uint64_t model_used(const struct model *m, const struct counter_rule *rule, int64_t now_us)
{
    int64_t length = (int64_t)rule->window_ms * 1000, from = now_us - length;
    uint64_t used = 0;

    if (rule->window == COUNTER_FIXED) {
        if (m->n == 0 || now_us >= m->opened_us + length)
            return 0;
        from = m->opened_us - 1;
    }
    for (size_t i = m->n; i > 0 && m->time[i - 1] > from; i--)
        used += m->cost[i - 1];
    return used;
}

static void model_use(struct model *m, const struct counter_rule *rule, uint64_t cost,
                      int64_t now_us)
{
    if (m->n == 0 || now_us >= m->opened_us + (int64_t)rule->window_ms * 1000)
        m->opened_us = now_us;
    assert_true(m->n < MODEL_LOG);
    m->time[m->n] = now_us;
    m->cost[m->n++] = cost;
}

/* Quotas of at most 64 requests, so that sliding windows are exact too. */
static void all_or_none(void **state)
{
    static const struct counter_rule rules[MODEL_KEYS] = {
        {.max = 7, .window_ms = 50},
        {.max = 3, .window_ms = 20, .window = COUNTER_SLIDING},
        {.max = 20, .window_ms = 170},
        {.max = 64, .window_ms = 700, .window = COUNTER_SLIDING},
        {.max = 4000, .window_ms = 300, .unit = COUNTER_BYTES},
        {.max = 5, .window_ms = 90, .mode = COUNTER_SHADOW},
    };
    static struct model models[MODEL_KEYS];
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct dice dice = {42};
    unsigned refusals[MODEL_KEYS] = {0}, good = 0;
    struct counter_known known[MODEL_KEYS];
    int64_t now_us = 0;

    (void)state;
    for (size_t k = 0; k < MODEL_KEYS; k++)
        counter_know(t, slice_make(&"012345"[k], 1), &known[k]);
    for (unsigned step = 0; step < 200000; step++) {
        struct counter_limit limits[MODEL_KEYS];
        size_t which[MODEL_KEYS], n = 0;
        uint64_t size = dice_roll(&dice, 200);
        struct counter_result r;
        int expected = -1;
        uint32_t over = 0;

        now_us += (int64_t)dice_roll(&dice, 2000);
        for (size_t k = 0; k < MODEL_KEYS; k++) {
            if (dice_roll(&dice, 3) > 0)
                continue;
            which[n] = k;
            limits[n++] = (struct counter_limit){&rules[k], slice_make(&"012345"[k], 1),
                                                 step % 2 == 0 ? NULL : &known[k]};
        }
        for (size_t i = 0; i < n; i++) {
            const struct counter_rule *rule = limits[i].rule;
            uint64_t cost = rule->unit == COUNTER_BYTES ? size : 1;

            if (model_used(&models[which[i]], rule, now_us) + (cost > 0 ? cost : 1) <= rule->max)
                continue;
            over |= UINT32_C(1) << i;
            if (expected < 0 && rule->mode == COUNTER_ENFORCE)
                expected = (int)i;
        }
        counter_take(t, limits, n, size, at_us(now_us), &r);
        if (r.refused != expected || r.over != over)
            fail_msg("step %u: %d, over %x; expected %d, %x", step, r.refused, r.over, expected,
                     over);
        if (expected >= 0)
            refusals[which[expected]]++;
        good += expected < 0 && n > 0;
        for (size_t i = 0; expected < 0 && i < n; i++)
            if ((over >> i & 1) == 0)
                model_use(&models[which[i]], limits[i].rule,
                          limits[i].rule->unit == COUNTER_BYTES ? size : 1, now_us);
    }
    for (size_t k = 0; k + 1 < MODEL_KEYS; k++)
        assert_true(refusals[k] > 100); /* all limits were met */
    assert_true(good > 10000);
    counter_table_free(&t);
}

/* A reader's view: keys are listed by what they used, found by their text, and cleared. */
static void insight(void **state)
{
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_row rows[5];
    char key[200];

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "app:10:%u", i);
        admitted_of(t, &ten, key, i < 400 ? 1 : i < 497 ? 5 : i - 487, SECOND);
    }
    assert_int_equal(counter_top(t, SLICE_NONE, at_us(2 * SECOND), rows, 5), 5);
    assert_string_equal(rows[0].label, "app:10:499"); /* 10 of 10, and 2 beyond */
    assert_int_equal(rows[0].used, 10);
    assert_int_equal(rows[0].over, 2);
    assert_int_equal(rows[0].reset_us, MINUTE - SECOND);
    assert_int_equal(rows[0].idle_us, SECOND);
    assert_string_equal(rows[1].label, "app:10:498");
    assert_string_equal(rows[2].label, "app:10:497");
    assert_int_equal(rows[3].used, 5);
    assert_int_equal(counter_top(t, SLICE(":12"), at_us(2 * SECOND), rows, 5), 5);
    assert_int_equal(counter_top(t, SLICE(":123"), at_us(2 * SECOND), rows, 5), 1);
    assert_string_equal(rows[0].label, "app:10:123");
    assert_true(counter_find(t, SLICE("app:10:499"), at_us(2 * SECOND), &rows[0]));
    assert_false(counter_find(t, SLICE("app:10:500"), at_us(2 * SECOND), &rows[0]));
    assert_true(counter_clear(t, SLICE("app:10:499")));
    assert_false(counter_clear(t, SLICE("app:10:499")));
    assert_int_equal(admitted_of(t, &ten, "app:10:499", 20, 2 * SECOND), 10);

    memset(key, 'x', sizeof(key));
    key[3] = '\n';
    key[4] = '\xc3';
    key[sizeof(key) - 1] = '\0';
    assert_true(admitted(t, &ten, key, SECOND));
    assert_int_equal(counter_top(t, SLICE("xxx??xxx"), at_us(2 * SECOND), rows, 5), 1);
    assert_int_equal(strlen(rows[0].label), COUNTER_LABEL_BYTES);
    assert_true(rows[0].cut);
    key[190] = 'y'; /* beyond what is kept, and yet another key */
    assert_int_equal(take(t, &ten, key, 0, at_us(SECOND)).state.remaining, 9);
    assert_int_equal(counter_top(t, SLICE_NONE, at_us(2 * MINUTE), rows, 5), 0);
    counter_table_free(&t);
}

static void peeking_changes_nothing(void **state)
{
    const struct counter_limit limits[] = {{&ten, SLICE("a"), NULL},
                                           {&ten_sliding, SLICE("b"), NULL}};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_state states[2];
    struct counter_result r;
    struct counter_totals totals;

    (void)state;
    counter_peek(t, limits, 2, 0, at_us(0), states);
    assert_false(states[0].known);
    assert_int_equal(states[0].remaining, 10);
    counter_totals(t, &totals);
    assert_int_equal(totals.keys, 0);
    for (int i = 0; i < 10; i++)
        counter_take(t, limits, 2, 0, at_us(i), &r);
    counter_peek(t, limits, 2, 0, at_us(100), states);
    assert_true(states[0].known);
    assert_int_equal(states[0].remaining, 0);
    assert_int_equal(states[0].retry_us, MINUTE - 100);
    assert_int_equal(states[1].retry_us, MINUTE - 100);
    assert_int_equal(states[1].reset_us, MINUTE - 100 + 9);
    counter_totals(t, &totals);
    assert_int_equal(totals.keys, 2);
    assert_int_equal(totals.admitted, 10);
    assert_int_equal(totals.refused, 0);
    counter_table_free(&t);
}

/* Whatever has happened before, a look tells what a request finds that is made at that moment. */
static void looking_tells_what_taking_finds(void **state)
{
    static const struct counter_rule rules[] = {
        {.max = 5, .window_ms = 1000},
        {.max = 7, .window_ms = 1000, .window = COUNTER_SLIDING},
        {.max = 9, .window_ms = 1000, .burst_max = 2, .burst_ms = 100},
        {.max = COUNTER_MAX_QUOTA, .window_ms = 1000, .burst_max = 3, .burst_ms = 200},
        {.max = 100, .window_ms = 1000, .unit = COUNTER_BYTES},
        {.max = 3, .window_ms = 1000, .mode = COUNTER_SHADOW},
    };
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f"};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    unsigned refused = 0, bursts = 0, known = 0;
    struct dice dice = {7};
    int64_t us = SECOND;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t k = dice_roll(&dice, 6);
        uint64_t bytes = dice_roll(&dice, 120);
        struct counter_look look, same;
        struct counter_result r;

        us += (int64_t)dice_roll(&dice, 40) * MS;
        counter_look(t, slice_of(keys[k]), NULL, bytes, at_us(us), &look);
        counter_look(t, slice_of(keys[k]), NULL, bytes, at_us(us), &same);
        assert_int_equal(look.state.used, same.state.used);
        assert_int_equal(look.fits, same.fits);
        r = take(t, &rules[k], keys[k], bytes, at_us(us));
        if (!look.state.known) {
            assert_int_equal(look.state.used, 0);
            continue;
        }
        known++;
        assert_int_equal(look.fits, r.over == 0);
        assert_int_equal(look.state.max, rules[k].max);
        if (look.fits)
            continue;
        refused++;
        bursts += look.state.burst;
        if (r.refused < 0) /* on trial: nothing is told of it */
            continue;
        assert_int_equal(look.state.used, r.state.used);
        assert_int_equal(look.state.remaining, r.state.remaining);
        assert_int_equal(look.state.reset_us, r.state.reset_us);
        assert_int_equal(look.state.retry_us, r.state.retry_us);
        assert_int_equal(look.state.burst, r.state.burst);
    }
    assert_true(known > 10000 && refused > 1000 && bursts > 100);
    counter_table_free(&t);
}

static void sizes(void **state)
{
    struct counter_table *t = NULL;

    (void)state;
    assert_int_equal(counter_table_new(&t, COUNTER_MIN_KEYS - 1), CC_EINVAL);
    assert_int_equal(counter_table_new(&t, (size_t)COUNTER_MAX_KEYS + 1), CC_EINVAL);
    t = table_of(100000);
    assert_true(counter_table_bytes(t) < 100000 * 700u);
    counter_table_free(&t);
    counter_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_window),
        cmocka_unit_test(sliding_window),
        cmocka_unit_test(no_quota_no_request),
        cmocka_unit_test(bytes),
        cmocka_unit_test(bursts),
        cmocka_unit_test(modes),
        cmocka_unit_test(tightest_limit),
        cmocka_unit_test(changed_rules),
        cmocka_unit_test(changed_back_and_forth),
        cmocka_unit_test(changed_units),
        cmocka_unit_test(all_or_none),
        cmocka_unit_test(insight),
        cmocka_unit_test(peeking_changes_nothing),
        cmocka_unit_test(looking_tells_what_taking_finds),
        cmocka_unit_test(sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
