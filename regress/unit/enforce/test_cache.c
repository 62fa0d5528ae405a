/* The token cache by itself. Includes the source to look at the ring and the index from inside. */
#include "enforce/cache.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { TAIL = 80, TEXT = 4096 };

/* Deterministic, so that a failure comes back. */
static uint64_t random_state = 1;

static unsigned next_random(unsigned below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((random_state >> 33) % below);
}

/* Token number n: `size` bytes, all with the same last TAIL bytes, so that all have the same hash
 * and only the comparison tells them apart. */
static struct slice same_hash_token(char room[TEXT], unsigned n, size_t size)
{
    memset(room, 'x', size);
    snprintf(room, 16, "%010u", n);
    room[10] = '.';
    return slice_make(room, size);
}

/* Token number n, different at its end too. */
static struct slice token_of(char room[TEXT], unsigned n, size_t size)
{
    char end[12];

    same_hash_token(room, n, size);
    snprintf(end, sizeof(end), "%010u", n);
    memcpy(room + size - 10, end, 10);
    return slice_make(room, size);
}

/* A grant that can be told from every other token's. */
static struct grant grant_of(char room[64], unsigned n)
{
    int used = snprintf(room, 64, "user-%uapp-%u", n, n);
    struct slice all = slice_make(room, (size_t)used);
    size_t half = (size_t)used / 2;

    return (struct grant){.exp = 1000 + n,
                          .nbf = n,
                          .user = slice_first(all, half),
                          .app = slice_from(all, half),
                          .keytype = SLICE("PRODUCTION"),
                          .scopes = SLICE("\0\1a\0\0")};
}

static bool is_grant_of(const struct grant *g, unsigned n)
{
    char room[64];
    struct grant want = grant_of(room, n);

    return g->exp == want.exp && g->nbf == want.nbf && slice_eq(g->user, want.user) &&
           slice_eq(g->app, want.app) && slice_eq(g->keytype, want.keytype) &&
           slice_eq(g->scopes, want.scopes);
}

static void insert(struct cache *c, struct slice token, unsigned n)
{
    char room[64];
    struct grant g = grant_of(room, n);

    cache_insert(c, token, &g, 0);
}

static bool finds(struct cache *c, struct slice token, unsigned n)
{
    struct grant g;

    if (!cache_find(c, token, &g))
        return false;
    assert_true(is_grant_of(&g, n));
    return true;
}

/* The ring from tail to head is whole entries; the live ones are exactly those in the index. */
static void check_invariants(struct cache *c)
{
    size_t live = 0, in_index = 0;

    assert_true(c->tail <= c->head && c->head - c->tail <= c->ring_bytes);
    for (uint64_t at = c->tail; at < c->head;) {
        struct entry *e = entry_at(c, at);

        assert_true(e->bytes >= ALIGN && e->bytes % ALIGN == 0);
        assert_true(at % c->ring_bytes + e->bytes <= c->ring_bytes);
        if (e->state == ENTRY_LIVE) {
            live++;
            assert_non_null(find_slot(c, e->hash, slot_value(c, e), SLICE_NONE));
        }
        at += e->bytes;
        assert_true(at <= c->head);
    }
    for (size_t i = 0; i < c->n_slots; i++)
        in_index += c->slots[i].at != 0;
    assert_int_equal(live, c->count);
    assert_int_equal(in_index, c->count);
    assert_true(c->count <= c->max_entries);
}

static struct cache *new_cache(size_t entries, size_t bytes)
{
    struct cache *c = NULL;

    assert_int_equal(cache_new(&c, entries, bytes), CC_OK);
    assert_true(cache_bytes(c) <= bytes);
    return c;
}

static void test_sizes(void **state)
{
    struct cache *c = NULL;

    (void)state;
    assert_int_equal(cache_new(&c, 0, 1 << 20), CC_EINVAL);
    assert_int_equal(cache_new(&c, 10, 1024), CC_EINVAL);
    assert_int_equal(cache_new(&c, 10, (size_t)5 << 30), CC_EINVAL);
    assert_null(c);
    for (size_t bytes = 4096; bytes < 1 << 20; bytes = bytes * 3 / 2 + 1) {
        for (size_t entries = 1; entries < 1 << 20; entries *= 4) {
            c = new_cache(entries, bytes);
            assert_true(c->max_entries <= entries && c->n_slots >= 2 * c->max_entries);
            assert_true(c->ring_bytes >= bytes / 2);
            cache_free(&c);
            assert_null(c);
        }
    }
    cache_free(&c);
}

static void test_finds_only_the_same_bytes(void **state)
{
    struct cache *c = new_cache(100, 1 << 16);
    char room[TEXT];
    struct slice token = token_of(room, 7, 300);
    struct grant g;

    (void)state;
    assert_false(cache_find(c, token, &g));
    insert(c, token, 7);
    assert_true(finds(c, token, 7));
    for (size_t i = 0; i < token.n; i++) {
        room[i] ^= 1;
        assert_false(cache_find(c, token, &g));
        room[i] ^= 1;
        assert_false(cache_find(c, slice_first(token, i), &g));
        if (i > 0)
            assert_false(cache_find(c, slice_from(token, i), &g));
    }
    assert_true(finds(c, token, 7));
    cache_clear(c);
    assert_false(cache_find(c, token, &g));
    assert_int_equal(cache_count(c), 0);
    cache_free(&c);
}

static void test_equal_hashes_do_not_mix(void **state)
{
    struct cache *c = new_cache(200, 1 << 20);
    char room[TEXT];
    struct grant g;

    (void)state;
    for (unsigned n = 0; n < 150; n++)
        insert(c, same_hash_token(room, n, 200), n);
    for (unsigned n = 0; n < 150; n++)
        assert_true(finds(c, same_hash_token(room, n, 200), n));
    for (unsigned n = 0; n < 150; n += 3)
        cache_drop(c, same_hash_token(room, n, 200));
    check_invariants(c);
    for (unsigned n = 0; n < 150; n++)
        assert_int_equal(finds(c, same_hash_token(room, n, 200), n), n % 3 != 0);
    assert_false(cache_find(c, same_hash_token(room, 150, 200), &g));
    cache_free(&c);
}

static void test_flood_keeps_what_is_used(void **state)
{
    struct cache *c = new_cache(1000, 1 << 16);
    char hot[TEXT], room[TEXT];
    struct slice hot_token = token_of(hot, 1, 500);

    (void)state;
    insert(c, hot_token, 1);
    insert(c, token_of(room, 2, 500), 2);
    for (unsigned n = 10; n < 5000; n++) {
        insert(c, token_of(room, n, 300 + n % 200), n);
        if (n % 20 == 0)
            assert_true(finds(c, hot_token, 1));
    }
    assert_true(finds(c, hot_token, 1));
    assert_false(finds(c, token_of(room, 2, 500), 2)); /* never used: gone */
    assert_true(cache_evictions(c) > 4000);
    check_invariants(c);
    /* No longer used, it has one more chance and then goes. */
    for (unsigned n = 5000; n < 6000; n++)
        insert(c, token_of(room, n, 400), n);
    assert_false(finds(c, hot_token, 1));
    cache_free(&c);
}

static void test_all_in_use_still_makes_room(void **state)
{
    struct cache *c = new_cache(50, 1 << 16);
    char room[TEXT];

    (void)state;
    for (unsigned n = 0; n < 1000; n++) {
        insert(c, token_of(room, n, 300), n);
        assert_true(cache_count(c) <= 50);
        for (unsigned k = 0; k <= n; k++) /* whatever is left is in use */
            finds(c, token_of(room, k, 300), k);
        assert_true(finds(c, token_of(room, n, 300), n));
    }
    assert_int_equal(cache_count(c), 50);
    assert_int_equal(cache_evictions(c), 950);
    check_invariants(c);
    cache_free(&c);
}

/* With a large cache all in use, one insertion must not rewrite it all. */
static void test_work_of_an_insertion_is_bounded(void **state)
{
    enum { COUNT = 100, FIRST = 100 }; /* numbers of three digits: entries of one size */
    struct cache *c = new_cache(COUNT, 1 << 20);
    char room[TEXT];
    uint64_t head;

    (void)state;
    for (unsigned n = FIRST; n < FIRST + COUNT; n++)
        insert(c, token_of(room, n, 300), n);
    for (unsigned n = FIRST; n < FIRST + COUNT; n++)
        assert_true(finds(c, token_of(room, n, 300), n));
    head = c->head;
    insert(c, token_of(room, FIRST + COUNT, 300), FIRST + COUNT);
    assert_int_equal(c->head - head, head / COUNT * (CACHE_SECOND_CHANCES + 1));
    assert_int_equal(cache_count(c), COUNT);
    cache_free(&c);
}

static void test_expired_have_no_second_chance(void **state)
{
    struct cache *c = new_cache(4, 1 << 16);
    char room[TEXT], text[64];
    struct grant g;
    uint64_t head;

    (void)state;
    for (unsigned n = 0; n < 4; n++)
        insert(c, token_of(room, n, 300), n);
    for (unsigned n = 0; n < 4; n++)
        assert_true(finds(c, token_of(room, n, 300), n));
    g = grant_of(text, 9);
    head = c->head;
    cache_insert(c, token_of(room, 9, 300), &g, 1000); /* token 0 expires at 1000 */
    assert_int_equal(c->head - head, head / 4);        /* written: the new one and nothing else */
    assert_false(finds(c, token_of(room, 0, 300), 0));
    for (unsigned n = 1; n < 4; n++)
        assert_true(finds(c, token_of(room, n, 300), n));
    assert_int_equal(cache_evictions(c), 0); /* an expired token is no loss */
    cache_free(&c);
}

static void test_oversized_push_nothing_out(void **state)
{
    struct cache *c = new_cache(16, 4096);
    char room[TEXT];

    (void)state;
    insert(c, token_of(room, 1, 300), 1);
    insert(c, token_of(room, 2, 2000), 2);
    insert(c, token_of(room, 3, TEXT), 3);
    assert_int_equal(cache_count(c), 1);
    assert_true(finds(c, token_of(room, 1, 300), 1));
    assert_false(finds(c, token_of(room, 2, 2000), 2));
    cache_free(&c);
}

/* Against a plain list of what was put in: never a wrong answer, whatever the order of calls. */
static void test_random_calls(void **state)
{
    enum { UNIVERSE = 200, CALLS = 60000 };
    static bool inserted[UNIVERSE];
    char room[TEXT];

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct cache *c = new_cache(8u << (2 * round), 6000 + 9000 * round);

        memset(inserted, 0, sizeof(inserted));
        for (unsigned call = 0; call < CALLS; call++) {
            unsigned n = next_random(UNIVERSE), what = next_random(100);
            size_t size = 100 + n * 7;
            struct slice token =
                n % 2 == 0 ? token_of(room, n, size) : same_hash_token(room, n, size);
            bool found = finds(c, token, n);

            assert_true(inserted[n] || !found);
            if (what < 50 && !found) {
                insert(c, token, n);
                inserted[n] = true;
            } else if (what < 55) {
                cache_drop(c, token);
                inserted[n] = false;
            } else if (call % 20011 == 0) {
                cache_clear(c);
                memset(inserted, 0, sizeof(inserted));
            }
            if (call % 64 == 0)
                check_invariants(c);
        }
        assert_true(cache_evictions(c) > 0);
        cache_free(&c);
    }
}

static void test_packed_scopes(void **state)
{
    static const struct slice scopes[] = {SLICE_INIT("read"), SLICE_INIT(""), SLICE_INIT("a b"),
                                          SLICE_INIT("x")};
    char room[600], long_scope[300];
    struct slice rest, scope;
    size_t n = 0;

    (void)state;
    memset(long_scope, 'l', sizeof(long_scope));
    for (size_t i = 0; i < 4; i++) {
        grant_pack_scope(room + n, scopes[i]);
        n += grant_packed_size(scopes[i]);
    }
    grant_pack_scope(room + n, slice_make(long_scope, sizeof(long_scope)));
    n += grant_packed_size(slice_make(long_scope, sizeof(long_scope)));

    rest = slice_make(room, n);
    for (size_t i = 0; i < 4; i++) {
        assert_true(grant_next_scope(&rest, &scope));
        assert_true(slice_eq(scope, scopes[i]));
    }
    assert_true(grant_next_scope(&rest, &scope));
    assert_true(slice_eq(scope, slice_make(long_scope, sizeof(long_scope))));
    assert_false(grant_next_scope(&rest, &scope));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_finds_only_the_same_bytes),
        cmocka_unit_test(test_equal_hashes_do_not_mix),
        cmocka_unit_test(test_flood_keeps_what_is_used),
        cmocka_unit_test(test_all_in_use_still_makes_room),
        cmocka_unit_test(test_work_of_an_insertion_is_bounded),
        cmocka_unit_test(test_expired_have_no_second_chance),
        cmocka_unit_test(test_oversized_push_nothing_out),
        cmocka_unit_test(test_random_calls),
        cmocka_unit_test(test_packed_scopes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
