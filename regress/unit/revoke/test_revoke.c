/* The table of revoked tokens: what it finds, what it forgets, when it is full, and that readers on
 * other threads miss nothing while it changes. */
#include "revoke/revoke_internal.h"

#include "crypto/base64url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOW = 1700000000, LATER = NOW + 1000 };

static struct revoked *make(size_t max)
{
    struct revoked *r = NULL;

    assert_int_equal(revoked_new(&r, max), CC_OK);
    return r;
}

static bool has(const struct revoked *r, const char *id)
{
    return revoked_has(r, revoked_key(r, slice_of(id)));
}

static enum revoked_result add(struct revoked *r, const char *id, int64_t until_s)
{
    return revoked_add(r, slice_of(id), until_s, REVOKED_BY_STATE, NOW);
}

static struct revoked_stats stats(const struct revoked *r)
{
    struct revoked_stats s;

    revoked_stats(r, &s);
    return s;
}

static const char *number(size_t n, char room[24])
{
    snprintf(room, 24, "id-%zu", n);
    return room;
}

static void test_add_and_remove(void **state)
{
    struct revoked *r = make(100);
    struct revoked_entry e;

    (void)state;
    assert_false(has(r, "a"));
    assert_int_equal(add(r, "a", LATER), REVOKED_NEW);
    assert_int_equal(add(r, "b", REVOKED_FOREVER), REVOKED_NEW);
    assert_true(has(r, "a") && has(r, "b"));
    assert_false(has(r, "A") || has(r, "a ") || has(r, ""));
    assert_int_equal(add(r, "a", LATER), REVOKED_SAME);
    assert_int_equal(add(r, "a", LATER - 1), REVOKED_SAME);
    assert_int_equal(add(r, "a", LATER + 1), REVOKED_CHANGED);
    assert_true(revoked_find(r, SLICE("a"), &e));
    assert_int_equal(e.until_s, LATER + 1);
    assert_int_equal(stats(r).entries, 2);
    assert_int_equal(revoked_remove(r, SLICE("a"), REVOKED_BY_STATE), CC_OK);
    assert_int_equal(revoked_remove(r, SLICE("a"), REVOKED_BY_STATE), CC_ENOENT);
    assert_false(has(r, "a"));
    assert_true(has(r, "b"));
    assert_false(revoked_find(r, SLICE("a"), &e));
    assert_int_equal(stats(r).entries, 1);
    revoked_free(&r);
}

/* What two say, one cannot take back. */
static void test_sources(void **state)
{
    struct revoked *r = make(100);

    (void)state;
    assert_int_equal(revoked_add(r, SLICE("a"), LATER, REVOKED_BY_FILE, NOW), REVOKED_NEW);
    assert_int_equal(revoked_remove(r, SLICE("a"), REVOKED_BY_STATE), CC_ENOENT);
    assert_int_equal(add(r, "a", LATER), REVOKED_CHANGED);
    assert_int_equal(revoked_remove(r, SLICE("a"), REVOKED_BY_STATE), CC_OK);
    assert_true(has(r, "a"));
    revoked_add(r, SLICE("b"), LATER, REVOKED_BY_FILE, NOW);
    add(r, "c", LATER);
    /* the file again, without a */
    revoked_begin(r, REVOKED_BY_FILE);
    revoked_add(r, SLICE("b"), LATER, REVOKED_BY_FILE, NOW);
    assert_true(has(r, "a"));
    assert_int_equal(revoked_end(r, REVOKED_BY_FILE), 1);
    assert_false(has(r, "a"));
    assert_true(has(r, "b") && has(r, "c"));
    revoked_free(&r);
}

static void test_expiry(void **state)
{
    struct revoked *r = make(100);

    (void)state;
    assert_int_equal(add(r, "old", NOW - REVOKED_GRACE_S), REVOKED_EXPIRED);
    assert_false(has(r, "old"));
    add(r, "a", LATER);
    add(r, "b", LATER + 1);
    add(r, "c", REVOKED_FOREVER);
    /* as long as any leeway may let the token live */
    assert_int_equal(revoked_expire(r, LATER + REVOKED_GRACE_S - 1, 1000), 0);
    assert_int_equal(revoked_expire(r, LATER + REVOKED_GRACE_S, 1000), 1);
    assert_false(has(r, "a"));
    assert_true(has(r, "b") && has(r, "c"));
    /* in parts */
    assert_int_equal(revoked_expire(r, INT64_MAX - 1, 1) + revoked_expire(r, INT64_MAX - 1, 1) +
                         revoked_expire(r, INT64_MAX - 1, 1),
                     1);
    assert_true(has(r, "c"));
    assert_int_equal(stats(r).expired, 2);
    revoked_free(&r);
}

/* Nothing is lost when there is no room. */
static void test_full(void **state)
{
    struct revoked *r = make(1000);
    char room[24];
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(add(r, number(i, room), LATER), REVOKED_NEW);
    for (size_t i = 1000; i < 2000; i++)
        assert_int_equal(add(r, number(i, room), LATER + 5), REVOKED_OVERFLOW);
    assert_int_equal(add(r, number(1000, room), LATER + 5), REVOKED_OVERFLOW);
    for (size_t i = 0; i < 2000; i++)
        assert_true(has(r, number(i, room)));
    for (size_t i = 2000; i < 102000; i++)
        wrong += has(r, number(i, room));
    assert_true(wrong < 100); /* 1 in 100,000 is expected; more than 1 in 1,000 is wrong */
    assert_int_equal(stats(r).entries, 1000);
    assert_int_equal(stats(r).overflow, 1000);
    assert_int_equal(revoked_remove(r, SLICE("id-1000"), REVOKED_BY_STATE), CC_EUNSUPPORTED);
    /* there is room again: those that come now are told apart, those in the filter hold on */
    assert_int_equal(revoked_remove(r, SLICE("id-0"), REVOKED_BY_STATE), CC_OK);
    assert_int_equal(add(r, "new", LATER), REVOKED_NEW);
    assert_true(has(r, "id-1999"));
    revoked_expire(r, LATER + 5 + REVOKED_GRACE_S - 1, 10000);
    assert_int_equal(stats(r).entries, 0);
    assert_true(has(r, "id-1999"));
    revoked_expire(r, LATER + 5 + REVOKED_GRACE_S, 10000);
    assert_false(has(r, "id-1999"));
    assert_int_equal(stats(r).overflow, 0);
    revoked_free(&r);
}

/* What has expired makes room before the filter is used. */
static void test_full_of_expired(void **state)
{
    struct revoked *r = make(16);
    char room[24];

    (void)state;
    for (size_t i = 0; i < 16; i++)
        add(r, number(i, room), NOW - 10);
    assert_int_equal(revoked_add(r, SLICE("a"), INT64_MAX, REVOKED_BY_STATE, NOW + REVOKED_GRACE_S),
                     REVOKED_NEW);
    assert_int_equal(stats(r).entries, 1);
    assert_int_equal(stats(r).expired, 16);
    revoked_free(&r);
}

/* Many changes: the table is written anew, and answers the same. */
static void test_churn(void **state)
{
    enum { MAX = 512, ROUNDS = 40000 };
    struct revoked *r = make(MAX);
    bool *there = calloc(ROUNDS, sizeof *there);
    size_t n = 0;
    uint32_t seed = 1;
    char room[24];

    (void)state;
    assert_non_null(there);
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t gone;

        seed = seed * 1664525 + 1013904223;
        if (n == MAX || (n > 0 && (seed >> 16) % 3 == 0)) {
            do {
                seed = seed * 1664525 + 1013904223;
                gone = (seed >> 8) % i;
            } while (!there[gone]);
            assert_int_equal(revoked_remove(r, slice_of(number(gone, room)), REVOKED_BY_STATE),
                             CC_OK);
            there[gone] = false;
            n--;
        }
        if (n < MAX) {
            assert_int_equal(add(r, number(i, room), LATER), REVOKED_NEW);
            there[i] = true;
            n++;
        }
    }
    for (size_t i = 0; i < ROUNDS; i++)
        assert_int_equal(has(r, number(i, room)), there[i]);
    assert_int_equal(stats(r).entries, n);
    assert_int_equal(stats(r).overflow, 0);
    assert_true(stats(r).rebuilt > 10);
    free(there);
    revoked_free(&r);
}

/* (r, s) and (r, n - s) are signatures of one token: whoever revokes one revokes both. */
static void test_signatures(void **state)
{
    static const size_t sizes[] = {64, 96, 132};
    struct revoked *r = make(100);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        unsigned char bytes[132];
        struct buf a, b, c;

        memset(bytes, (int)(i + 1), sizeof bytes);
        buf_init(&a, 256);
        buf_init(&b, 256);
        buf_init(&c, 256);
        base64url_encode(slice_make(bytes, sizes[i]), &a);
        bytes[sizes[i] - 1] ^= 0x55; /* in s */
        base64url_encode(slice_make(bytes, sizes[i]), &b);
        bytes[0] ^= 0x55; /* in r */
        base64url_encode(slice_make(bytes, sizes[i]), &c);
        assert_int_equal(add(r, a.p, LATER), REVOKED_NEW);
        assert_true(has(r, a.p) && has(r, b.p));
        assert_false(has(r, c.p));
        buf_free(&a);
        buf_free(&b);
        buf_free(&c);
    }
    /* of other sizes, and what is no base64url, all counts */
    assert_int_equal(add(r, "abcd", LATER), REVOKED_NEW);
    assert_false(has(r, "abce"));
    revoked_free(&r);
}

static void test_ids(void **state)
{
    struct revoked *r = make(16);
    char longest[REVOKED_ID_MAX + 10];

    (void)state;
    assert_false(revoked_id_valid(SLICE("")));
    assert_false(revoked_id_valid(SLICE("a\nb")));
    assert_true(revoked_id_valid(SLICE("a b")));
    assert_true(revoked_looks_like_token(SLICE("eyJhbGciOiJ.e30.c2ln")));
    assert_false(revoked_looks_like_token(SLICE("eyJhbGciOiJ")));
    /* longer ones are known by their begin, on both sides */
    memset(longest, 'x', sizeof longest);
    revoked_add(r, slice_make(longest, REVOKED_ID_MAX + 1), LATER, REVOKED_BY_STATE, NOW);
    assert_true(revoked_has(r, revoked_key(r, slice_make(longest, REVOKED_ID_MAX + 9))));
    assert_false(revoked_has(r, revoked_key(r, slice_make(longest, REVOKED_ID_MAX - 1))));
    assert_false(revoked_is_ready(r));
    revoked_set_ready(r, true);
    assert_true(revoked_is_ready(r));
    revoked_free(&r);
    assert_int_equal(revoked_new(&r, 0), CC_EINVAL);
    assert_int_equal(revoked_new(&r, REVOKED_MAX_ENTRIES + 1), CC_EINVAL);
}

/* Threads */

enum { KEPT = 200, OTHERS = 800, READERS = 3, CHANGES = 150000 };

struct stress {
    struct revoked *r;
    struct revoked_key kept[KEPT], never[KEPT];
    atomic_bool stop;
    _Atomic uint64_t looks, missed, imagined;
};

static void *read_on(void *arg)
{
    struct stress *s = arg;
    uint64_t looks = 0;

    while (!atomic_load(&s->stop)) {
        for (size_t i = 0; i < KEPT; i++, looks++) {
            if (!revoked_has(s->r, s->kept[i]))
                atomic_fetch_add(&s->missed, 1);
            if (revoked_has(s->r, s->never[i]))
                atomic_fetch_add(&s->imagined, 1);
        }
    }
    atomic_fetch_add(&s->looks, looks);
    return NULL;
}

/* While one thread adds and removes, the others always find what is always there, never what never
 * was, and whoever is told of a new one finds it. */
static void test_threads(void **state)
{
    struct stress s = {.r = make(KEPT + OTHERS)};
    pthread_t threads[READERS];
    char room[24];

    (void)state;
    for (size_t i = 0; i < KEPT; i++) {
        add(s.r, number(i, room), REVOKED_FOREVER);
        s.kept[i] = revoked_key(s.r, slice_of(number(i, room)));
        s.never[i] = revoked_key(s.r, slice_of(number(i + 5000000, room)));
    }
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &s), 0);
    for (size_t i = 0; i < CHANGES; i++) {
        add(s.r, number(1000 + i, room), LATER);
        if (i >= OTHERS)
            revoked_remove(s.r, slice_of(number(1000 + i - OTHERS, room)), REVOKED_BY_STATE);
    }
    atomic_store(&s.stop, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(s.looks > 0);
    assert_int_equal(s.missed, 0);
    assert_int_equal(s.imagined, 0);
    assert_true(stats(s.r).rebuilt > 10);
    revoked_free(&s.r);
}

struct seen {
    struct revoked *r;
    _Atomic size_t told; /* ids below this have been added */
    _Atomic uint64_t missed;
    size_t n;
};

static void *look_for_new(void *arg)
{
    struct seen *s = arg;
    size_t told;
    char room[24];

    do {
        told = atomic_load_explicit(&s->told, memory_order_acquire);
        if (told > 0 && !has(s->r, number(told - 1, room)))
            atomic_fetch_add(&s->missed, 1);
    } while (told < s->n);
    return NULL;
}

/* Who heard of a revocation finds it; beyond the table's room too. */
static void test_visible(void **state)
{
    struct seen s = {.r = make(20000), .n = 30000};
    pthread_t threads[READERS];
    char room[24];

    (void)state;
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_for_new, &s), 0);
    for (size_t i = 0; i < s.n; i++) {
        add(s.r, number(i, room), LATER);
        atomic_store_explicit(&s.told, i + 1, memory_order_release);
    }
    for (size_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.missed, 0);
    assert_int_equal(stats(s.r).overflow > 0, true);
    revoked_free(&s.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_remove),  cmocka_unit_test(test_sources),
        cmocka_unit_test(test_expiry),          cmocka_unit_test(test_full),
        cmocka_unit_test(test_full_of_expired), cmocka_unit_test(test_churn),
        cmocka_unit_test(test_signatures),      cmocka_unit_test(test_ids),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_visible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
