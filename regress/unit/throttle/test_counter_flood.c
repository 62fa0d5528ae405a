/* More keys than there is room for: what is in use stays, memory does not grow. */
#include "regress/unit/throttle/counter_fixture.h"

#include "throttle/counter_internal.h"

#include <unistd.h>

enum { FLOOD = 10000000, FLOOD_TABLE = 16384, KNOWN = 1000 };

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static const char *key_of(const char *kind, unsigned i, char key[64])
{
    size_t n = strlen(kind);

    memcpy(key, kind, n); /* printf() would take most of the time */
    for (key[n++] = ':'; i >= 10 || n == strlen(kind) + 1; i /= 10)
        key[n++] = (char)('0' + i % 10);
    key[n++] = (char)('0' + i);
    key[n] = '\0';
    return key;
}

/* The stated number of keys finds room, all of them in use. */
static void stated_room(void **state)
{
    static const struct counter_rule rule = {.max = 4, .window_ms = 60000};
    static const size_t sizes[] = {COUNTER_MIN_KEYS, 10000, 100000};
    struct counter_totals totals;
    char key[64];

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct counter_table *t = table_of(sizes[s]);

        for (unsigned i = 0; i < sizes[s]; i++)
            assert_int_equal(admitted_of(t, &rule, key_of("k", i, key), 2, 0), 2);
        counter_totals(t, &totals);
        assert_int_equal(totals.keys, sizes[s]);
        assert_int_equal(totals.forgotten, 0);
        assert_int_equal(totals.shared, 0);
        for (unsigned i = 0; i < sizes[s]; i++)
            assert_int_equal(take(t, &rule, key_of("k", i, key), 0, at_us(1)).state.remaining, 1);
        counter_table_free(&t);
    }
}

/* 10^7 keys that each ask once, beside a thousand known ones: some at their limit, some on their
 * way, some that come back now and then. */
static void flood(void **state)
{
    static const struct counter_rule rule = {.max = 20, .window_ms = 3600000},
                                     sliding = {.max = 20,
                                                .window_ms = 3600000,
                                                .window = COUNTER_SLIDING};
    long start_kb = resident_kb(), before_kb = 0, bound_kb;
    struct counter_table *t = table_of(FLOOD_TABLE);
    size_t table_bytes = counter_table_bytes(t);
    unsigned used[KNOWN] = {0};
    struct counter_totals totals;
    char key[64];

    (void)state;
    for (unsigned i = 0; i < KNOWN; i++) {
        used[i] = 2 + i % 19;
        assert_int_equal(
            admitted_of(t, i % 2 ? &sliding : &rule, key_of("known", i, key), used[i], 0), used[i]);
    }
    for (unsigned i = 0; i < FLOOD; i++) {
        if (i == FLOOD / 10)
            before_kb = resident_kb();
        assert_true(admitted(t, i % 2 ? &sliding : &rule, key_of("flood", i, key), 1 + i / 4));
        if (i % (FLOOD / 5000) == 0) {
            unsigned k = i / (FLOOD / 5000) % KNOWN;

            assert_int_equal(
                admitted(t, k % 2 ? &sliding : &rule, key_of("known", k, key), 1 + i / 4),
                used[k] < 20);
            used[k] += used[k] < 20;
        }
    }
    counter_totals(t, &totals);
    print_message("%d keys through a table for %d: %zu KiB, %llu forgotten; resident %ld KiB, of "
                  "which after the first tenth %ld\n",
                  FLOOD, FLOOD_TABLE, table_bytes / 1024, (unsigned long long)totals.forgotten,
                  resident_kb() - start_kb, resident_kb() - before_kb);
    assert_true(totals.forgotten > FLOOD / 2);
    assert_int_equal(counter_table_bytes(t), table_bytes);
    bound_kb = (long)table_bytes / 1024;
    bound_kb += bound_kb / 8; /* the shadow of it, where a sanitizer looks on */
    assert_true(resident_kb() - start_kb < bound_kb + 2048);
    assert_true(resident_kb() - before_kb < 2048);
    for (unsigned i = 0; i < KNOWN; i++) {
        struct counter_row row;

        assert_true(counter_find(t, slice_of(key_of("known", i, key)), at_us(FLOOD), &row));
        assert_int_equal(row.used, used[i]);
    }
    counter_table_free(&t);
}

/* Attackers who use each of their keys until it must be kept: then there is no room for newcomers,
 * who get together what one of them would have; those who were there before notice nothing. */
static void stubborn_flood(void **state)
{
    static const struct counter_rule rule = {.max = 8, .window_ms = 60000};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    size_t n_shards = 2; /* of COUNTER_MIN_KEYS */
    struct counter_totals totals;
    struct counter_result r;
    unsigned good = 0;
    char key[64];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(admitted_of(t, &rule, key_of("known", i, key), 5, 0), 5);
    for (unsigned i = 0; i < 20000; i++)
        for (unsigned k = 0; k < 3; k++)
            admitted(t, &rule, key_of("flood", i, key), 1 + i);
    counter_totals(t, &totals);
    assert_true(totals.shared > 0);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(admitted_of(t, &rule, key_of("known", i, key), 5, SECOND), 3);
    for (unsigned i = 0; i < 1000; i++)
        good += admitted(t, &rule, key_of("new", i, key), SECOND);
    assert_true(good <= n_shards * rule.max);
    r = take(t, &rule, "new:0", 0, at_us(SECOND));
    assert_int_equal(r.refused, 0);
    assert_true(r.state.shared);
    assert_false(r.state.known);
    assert_in_range(r.state.retry_us, 1, MINUTE);
    /* all windows are over: there is room again */
    for (unsigned i = 0; i < 700; i++)
        assert_int_equal(admitted_of(t, &rule, key_of("late", i, key), 9, 5 * MINUTE), 8);
    counter_table_free(&t);
}

/* A key that was counted with others does not begin anew when it finds room: none gets more than
 * one quota in one window, wherever it was counted. */
static void sharing_is_remembered(void **state)
{
    static const struct counter_rule rule = {.max = 8, .window_ms = 60000},
                                     brief = {.max = 8, .window_ms = 1000};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    unsigned got[200] = {0}, shared = 0;
    char key[64];

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        for (unsigned k = 0; k < 3; k++)
            admitted(t, &brief, key_of("flood", i, key), 0);
    for (int64_t at = 0; at < 4 * SECOND; at += SECOND / 4) {
        for (unsigned i = 0; i < 200; i++) {
            struct counter_result r = take(t, &rule, key_of("new", i, key), 0, at_us(at));

            got[i] += r.refused < 0;
            shared += r.state.shared;
        }
    }
    assert_true(shared > 200);
    for (unsigned i = 0; i < 200; i++)
        assert_true(got[i] <= rule.max);
    counter_table_free(&t);
}

/* Rules of more shapes than can be shared: refused, not let in uncounted. */
static void too_many_shapes(void **state)
{
    static const struct counter_rule filler = {.max = 8, .window_ms = 60000};
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    unsigned good = 0, refused = 0;
    char key[64];

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        for (unsigned k = 0; k < 3; k++)
            admitted(t, &filler, key_of("flood", i, key), 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct counter_rule rule = {.max = 8, .window_ms = 100000 + i};
        struct counter_result r = take(t, &rule, key_of("new", i, key), 0, at_us(0));

        good += r.refused < 0 && r.state.shared;
        refused += r.refused == 0;
        assert_true(r.refused < 0 || (r.state.shared && r.state.retry_us > 0));
        rule.mode = COUNTER_SHADOW;
        assert_int_equal(take(t, &rule, key_of("new", i, key), 0, at_us(0)).refused, -1);
    }
    assert_in_range(good, 1, 2 * SHARED);
    assert_true(refused > 500);
    counter_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stated_room),     cmocka_unit_test(flood),
        cmocka_unit_test(stubborn_flood),  cmocka_unit_test(sharing_is_remembered),
        cmocka_unit_test(too_many_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
