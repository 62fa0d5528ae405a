/* The state file: what comes back, after how long, and what damaged files do. */
#include "regress/unit/throttle/counter_fixture.h"

#include "throttle/counter_state_format.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct counter_rule hour = {.max = 10,
                                         .window_ms = 3600000,
                                         .burst_max = 8,
                                         .burst_ms = 500000},
                                 sliding = {.max = 1000,
                                            .window_ms = 3600000,
                                            .window = COUNTER_SLIDING},
                                 month = {.max = 3, .months = 1};

struct files {
    char directory[64], path[96];
    struct arena *arena;
    struct slice text;
};

/* A file of a thousand keys of each kind, written at `now`. */
static void write_file(struct files *f, struct counter_time now)
{
    struct counter_table *t = table_of(5000);
    char key[64];

    snprintf(f->directory, sizeof(f->directory), "/tmp/cc-state-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/counters.state", f->directory);
    f->arena = arena_new(64 << 20);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "hour:%u", i);
        for (unsigned k = 0; k <= i % 8; k++)
            take(t, &hour, key, 0, now);
        snprintf(key, sizeof(key), "month:%u", i);
        take(t, &month, key, 0, now);
    }
    for (unsigned i = 0; i < 1300; i++) {
        struct counter_time then = now;

        then.mono_us -= (int64_t)(1300 - i) * SECOND;
        take(t, &sliding, "sliding", 0, then);
    }
    assert_int_equal(counter_state_write(t, f->path, now), CC_OK);
    assert_int_equal(file_read(f->arena, f->path, 64 << 20, &f->text), CC_OK);
    counter_table_free(&t);
}

static void remove_file(struct files *f)
{
    arena_free(&f->arena);
    assert_int_equal(file_remove_tree(f->directory), CC_OK);
}

static unsigned used_of(struct counter_table *t, const char *key, struct counter_time now)
{
    struct counter_row row;

    return counter_find(t, slice_of(key), now, &row) ? (unsigned)row.used : 0;
}

static void expect_counts(struct counter_table *t, struct counter_time now)
{
    char key[64];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "hour:%u", i);
        assert_int_equal(used_of(t, key, now), i % 8 + 1);
        snprintf(key, sizeof(key), "month:%u", i);
        assert_int_equal(used_of(t, key, now), 1);
    }
}

static void same_boot(void **state)
{
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000}, later;
    struct counter_state_report report;
    struct counter_table *t = table_of(5000);
    struct files f;
    struct stat st;

    (void)state;
    write_file(&f, now);
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    later = (struct counter_time){now.mono_us + 60 * (int64_t)SECOND,
                                  3}; /* the wall clock is not asked */
    assert_int_equal(counter_state_read(t, f.directory, f.path, later, &report), CC_OK);
    assert_int_equal(report.loaded, 2001);
    assert_int_equal(report.over, 0);
    assert_int_equal(report.age_s, 60);
    expect_counts(t, later);
    assert_int_equal(take(t, &hour, "hour:7", 0, later).refused,
                     0); /* the burst is remembered too */
    assert_true(take(t, &hour, "hour:7", 0, later).state.burst);
    /* the sliding window goes on: the first chunk of 15 requests is free an hour after its last one
     */
    assert_int_equal(take(t, &sliding, "sliding", 0, later).refused, 0);
    later.mono_us = now.mono_us - 1300 * (int64_t)SECOND + 3614 * (int64_t)SECOND;
    assert_int_equal(take(t, &sliding, "sliding", 0, later).refused, 0);
    later.mono_us += SECOND;
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(take(t, &sliding, "sliding", 0, later).refused, -1);
    assert_int_equal(take(t, &sliding, "sliding", 0, later).refused, 0);
    counter_table_free(&t);
    remove_file(&f);
}

/* More used than the quota is now: it was larger. */
static void lowered(void **state)
{
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000};
    const struct counter_rule low = {.max = 3, .window_ms = 3600000, .window = COUNTER_SLIDING},
                              high = {.max = 50, .window_ms = 3600000, .window = COUNTER_SLIDING};
    struct counter_state_report report;
    struct counter_table *t = table_of(5000), *next = table_of(5000);
    struct files f;

    (void)state;
    write_file(&f, now);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(take(t, &high, "low", 0, now).refused, -1);
    assert_int_equal(take(t, &low, "low", 0, now).refused, 0);
    assert_int_equal(counter_state_write(t, f.path, now), CC_OK);
    assert_int_equal(counter_state_read(next, f.directory, f.path, now, &report), CC_OK);
    assert_int_equal(report.loaded, 1);
    assert_int_equal(used_of(next, "low", now), 40);
    assert_int_equal(take(next, &low, "low", 0, now).refused, 0);
    counter_table_free(&t);
    counter_table_free(&next);
    remove_file(&f);
}

/* The monotonic clock begins anew: the wall clock tells how long the machine was away. */
static void other_boot(void **state)
{
    static const struct {
        int64_t away_s, age_s;
        unsigned loaded;
    } cases[] = {{60, 60, 2001},
                 {-86400, 0, 2001},
                 {3600, 3600, 1000},
                 {86400 * 31, 86400 * 31, 0},
                 {INT64_C(86400) * 100000, 86400 * 400, 0}};
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000};
    struct counter_boot boot = {"another"};
    struct files f;

    (void)state;
    write_file(&f, now);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct counter_time then = {7 * SECOND, now.wall_s + cases[i].away_s};
        struct counter_state_report report;
        struct counter_table *t = table_of(5000);

        assert_int_equal(counter_state_parse(t, f.text, boot, then, &report), CC_OK);
        assert_int_equal(report.age_s, cases[i].age_s);
        assert_int_equal(report.loaded, cases[i].loaded);
        assert_int_equal(report.loaded + report.over, 2001);
        if (cases[i].age_s < 3600)
            expect_counts(t, then);
        counter_table_free(&t);
    }
    remove_file(&f);
}

static void smaller_table(void **state)
{
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000};
    struct counter_state_report report;
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);
    struct counter_totals totals;
    struct files f;

    (void)state;
    write_file(&f, now);
    assert_int_equal(counter_state_read(t, f.directory, f.path, now, &report), CC_OK);
    counter_totals(t, &totals);
    assert_int_equal(report.loaded, totals.keys);
    assert_int_equal(report.loaded + report.left_out, 2001);
    assert_true(report.loaded >= COUNTER_MIN_KEYS);
    counter_table_free(&t);
    remove_file(&f);
}

static void expect_untouched(struct counter_table *t, int64_t us)
{
    struct counter_totals totals;

    counter_totals(t, &totals);
    assert_int_equal(totals.keys, 0);
    assert_true(admitted(t, &hour, "hour:1", us));
    assert_true(counter_clear(t, SLICE("hour:1")));
}

/* Cut anywhere, or with a bit turned anywhere, it is refused as a whole. */
static void torn(void **state)
{
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000};
    struct counter_boot boot = counter_boot_now();
    struct counter_state_report report;
    struct counter_table *t = table_of(5000);
    struct dice dice = {7};
    struct files f;
    char *copy;

    (void)state;
    write_file(&f, now);
    copy = malloc(f.text.n);
    assert_non_null(copy);
    for (unsigned i = 0; i < 300; i++) {
        size_t n = i < 150 ? i : (size_t)dice_roll(&dice, f.text.n);

        assert_int_not_equal(counter_state_parse(t, slice_first(f.text, n), boot, now, &report),
                             CC_OK);
        memcpy(copy, f.text.p, f.text.n);
        n = i < 150 ? i : (size_t)dice_roll(&dice, f.text.n);
        copy[n] ^= (char)(1 << i % 8);
        assert_int_not_equal(counter_state_parse(t, slice_make(copy, f.text.n), boot, now, &report),
                             CC_OK);
    }
    expect_untouched(t, now.mono_us);
    memcpy(copy, f.text.p, f.text.n);
    copy[8] = STATE_VERSION + 1;
    assert_int_equal(counter_state_parse(t, slice_make(copy, f.text.n), boot, now, &report),
                     CC_EVERSION);
    free(copy);
    counter_table_free(&t);
    remove_file(&f);
}

/* With right checksums, but values that nobody has written: whoever has the secret can do that. */
static void forged(void **state)
{
    static const struct {
        size_t at; /* in the first record */
        unsigned char bytes[8];
        size_t n;
    } cases[] = {
        {16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8}, /* used */
        {24, "\xff\xff\xff\xff\xff\xff\xff\xff", 8}, /* max */
        {32, "\0\0\0\0\0\0\0", 8},                   /* shape */
        {32, "\xff\xff\xff\xff\xff\xff\xff\xff", 8},
        {40, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8}, /* at */
        {40, "\0\0\0\0\0\0\0\x80", 8},
        {48, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8}, /* end */
        {56, "\0\0\0\0\0\0\0\x80", 8},               /* asked */
        {72, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8}, /* burst */
        {92, "\xff", 1},                             /* head */
        {93, "\xff", 1},                             /* full */
        {94, "\x03", 1},                             /* mode */
        {95, "\x02", 1},                             /* bytes */
        {97, "\xff", 1},                             /* label */
        {98, "\x1b", 1},                             /* text */
    };
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000};
    struct counter_boot boot = counter_boot_now();
    size_t record = STATE_HEADER_BYTES + STATE_SUM_BYTES + STATE_BLOCK_BYTES;
    struct counter_state_report report;
    struct counter_table *t = table_of(5000);
    struct hash_key secret;
    struct files f;
    char *copy;

    (void)state;
    assert_int_equal(STATE_RECORD_BYTES, 98);
    write_file(&f, now);
    copy = malloc(f.text.n);
    assert_non_null(copy);
    memcpy(&secret, f.text.p + 16, sizeof(secret));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t bytes;
        uint64_t sum;
        size_t block = record - STATE_BLOCK_BYTES;

        memcpy(copy, f.text.p, f.text.n);
        memcpy(copy + record + cases[i].at, cases[i].bytes, cases[i].n);
        memcpy(&bytes, copy + block, 4);
        sum = hash_slice(&secret, slice_make(copy + block, STATE_BLOCK_BYTES + bytes));
        memcpy(copy + block + STATE_BLOCK_BYTES + bytes, &sum, 8);
        if (counter_state_parse(t, slice_make(copy, f.text.n), boot, now, &report) != CC_EPARSE)
            fail_msg("case %zu was read", i);
    }
    expect_untouched(t, now.mono_us);
    free(copy);
    counter_table_free(&t);
    remove_file(&f);
}

static void others_may_not_write(void **state)
{
    struct counter_time now = {5000 * (int64_t)SECOND, 1700000000};
    struct counter_state_report report;
    struct counter_table *t = table_of(5000);
    struct files f;

    (void)state;
    write_file(&f, now);
    assert_int_equal(chmod(f.path, 0620), 0);
    assert_int_equal(counter_state_read(t, f.directory, f.path, now, &report), CC_EREFUSED);
    assert_int_equal(chmod(f.path, 0600), 0);
    assert_int_equal(chmod(f.directory, 0777), 0);
    assert_int_equal(counter_state_read(t, f.directory, f.path, now, &report), CC_EREFUSED);
    assert_int_equal(chmod(f.directory, 0700), 0);
    assert_int_equal(unlink(f.path), 0);
    assert_int_equal(counter_state_read(t, f.directory, f.path, now, &report), CC_ENOENT);
    assert_int_equal(symlink("/etc/passwd", f.path), 0);
    assert_int_equal(counter_state_read(t, f.directory, f.path, now, &report), CC_EREFUSED);
    counter_table_free(&t);
    assert_int_equal(file_remove_tree(f.directory), CC_OK);
    arena_free(&f.arena);
}

static void cannot_be_written(void **state)
{
    struct counter_table *t = table_of(COUNTER_MIN_KEYS);

    (void)state;
    assert_int_equal(counter_state_write(t, "/nowhere/at/all", at_us(0)), CC_ENOENT);
    counter_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_boot),
        cmocka_unit_test(lowered),
        cmocka_unit_test(other_boot),
        cmocka_unit_test(smaller_table),
        cmocka_unit_test(torn),
        cmocka_unit_test(forged),
        cmocka_unit_test(others_may_not_write),
        cmocka_unit_test(cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
