/* Many decisions by one worker: the cache may make them faster, and nothing else. */
#include "alloc_count.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fixture fixture;
static struct enforce_rules *rules;
static struct clock_fixed clock_at;

static int set_up(void **state)
{
    (void)state;
    alloc_count_start();
    fixture_init(&fixture);
    rules = fixture_rules(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    return 0;
}

static int each_set_up(void **state)
{
    (void)state;
    clock_fixed_init(&clock_at, FIXTURE_NOW, 0);
    return 0;
}

static struct enforce_worker *new_worker(size_t entries, size_t bytes)
{
    struct enforce_options options = {entries, bytes};
    struct enforce_worker *w = NULL;

    assert_int_equal(enforce_worker_new(&w, &options), CC_OK);
    return w;
}

/* A short token of its own for each n; Ed25519 signs fast. */
static char *token_for(unsigned n, long exp)
{
    char payload[200];

    snprintf(payload, sizeof(payload), "{\"iss\":\"https://ed\",\"sub\":\"user-%u\",\"exp\":%ld}",
             n, exp);
    return fixture_sign(&fixture, FIXTURE_ED, JWT_EdDSA, payload);
}

static void decide_by(struct enforce_worker *w, struct enforce_rules *by, const char *method,
                      const char *path, const char *token, struct enforce_decision *d)
{
    static char value[9000];
    struct fixture_request request;

    fixture_request_init(&request, method, "shop.example", path);
    if (token != NULL) {
        snprintf(value, sizeof(value), "Bearer %s", token);
        fixture_set_header(&request, 0, value, 1);
    }
    enforce_decide(w, by, NULL, &request.request, &clock_at.clock, d);
}

static bool allows(struct enforce_worker *w, const char *token)
{
    struct enforce_decision d;

    decide_by(w, rules, "GET", "/pets/1.0/pets/7", token, &d);
    return d.verdict == ENFORCE_ALLOW;
}

static struct enforce_counters counters_of(const struct enforce_worker *w)
{
    struct enforce_counters c;

    enforce_worker_counters(w, &c);
    return c;
}

static void test_worker_options(void **state)
{
    struct enforce_worker *w = NULL;
    struct enforce_options tiny = {100, 1000}, none = {0, 0};

    (void)state;
    assert_int_equal(enforce_worker_new(&w, &tiny), CC_EINVAL);
    assert_null(w);
    assert_int_equal(enforce_worker_new(&w, &none), CC_OK);
    enforce_worker_free(&w);
    enforce_worker_free(&w); /* nothing to free is fine */
}

static void test_expires_in_the_cache(void **state)
{
    struct enforce_worker *w = new_worker(100, 1 << 16);
    char *token = token_for(1, FIXTURE_NOW + 100);

    (void)state;
    assert_true(allows(w, token));
    clock_at.now_wall_s = FIXTURE_NOW + 100 + FIXTURE_LEEWAY - 1;
    assert_true(allows(w, token));
    assert_int_equal(counters_of(w).cache_hits, 1);
    clock_at.now_wall_s++;
    assert_false(allows(w, token)); /* found, and too old */
    assert_int_equal(counters_of(w).cache_hits, 2);
    assert_false(allows(w, token)); /* forgotten, verified again, still too old */
    assert_int_equal(counters_of(w).cache_hits, 2);
    clock_at.now_wall_s = FIXTURE_NOW; /* the clock was set back */
    assert_true(allows(w, token));
    free(token);
    enforce_worker_free(&w);
}

static void test_not_before_in_the_cache(void **state)
{
    struct enforce_worker *w = new_worker(100, 1 << 16);
    char *token = fixture_sign(&fixture, FIXTURE_ED, JWT_EdDSA,
                               "{\"iss\":\"https://ed\",\"nbf\":1700000000,\"exp\":1700003600}");

    (void)state;
    assert_true(allows(w, token));
    clock_at.now_wall_s = FIXTURE_NOW - FIXTURE_LEEWAY - 1;
    assert_false(allows(w, token));
    assert_int_equal(counters_of(w).cache_hits, 1);
    clock_at.now_wall_s++;
    assert_true(allows(w, token));
    free(token);
    enforce_worker_free(&w);
}

static void test_flood_of_good_tokens_keeps_a_hot_one(void **state)
{
    struct enforce_worker *w = new_worker(32, 1 << 16);
    char *hot = token_for(0, FIXTURE_NOW + 1000);

    (void)state;
    assert_true(allows(w, hot));
    for (unsigned n = 1; n <= 640; n++) {
        char *token = token_for(n, FIXTURE_NOW + 1000);

        assert_true(allows(w, token));
        free(token);
        if (n % 16 == 0)
            assert_true(allows(w, hot));
    }
    assert_int_equal(counters_of(w).cache_hits, 40); /* each time it was asked for */
    assert_true(counters_of(w).cache_evictions >= 600);
    free(hot);
    enforce_worker_free(&w);
}

static void test_bad_tokens_push_nothing_out(void **state)
{
    enum { KEPT = 16 };
    struct enforce_worker *w = new_worker(KEPT, 1 << 16);
    char *kept[KEPT];

    (void)state;
    for (unsigned n = 0; n < KEPT; n++) {
        kept[n] = token_for(n, FIXTURE_NOW + 1000);
        assert_true(allows(w, kept[n]));
    }
    for (unsigned n = 0; n < 200; n++) {
        char *token = token_for(1000 + n, FIXTURE_NOW - 1000); /* expired */

        assert_false(allows(w, token));
        free(token);
        token = token_for(1000 + n, FIXTURE_NOW + 1000);
        token[strlen(token) - 10] ^= 1; /* forged */
        assert_false(allows(w, token));
        free(token);
    }
    assert_int_equal(counters_of(w).cache_evictions, 0);
    for (unsigned n = 0; n < KEPT; n++) {
        assert_true(allows(w, kept[n]));
        free(kept[n]);
    }
    assert_int_equal(counters_of(w).cache_hits, KEPT);
    enforce_worker_free(&w);
}

/* One token is let in under the first rules; what happens to it under the next? */
static void change_rules(struct enforce_rules *next, bool still_allowed, bool still_cached)
{
    struct enforce_worker *w = new_worker(10, 1 << 16);
    char *token = token_for(1, FIXTURE_NOW + 1000);
    struct enforce_decision d;

    decide_by(w, rules, "GET", "/pets/1.0/pets/7", token, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    decide_by(w, next, "GET", "/pets/1.0/pets/7", token, &d);
    assert_int_equal(d.verdict == ENFORCE_ALLOW, still_allowed);
    assert_int_equal(counters_of(w).cache_hits, still_cached);
    /* And back: what was taken in under the other rules does not count here, what was here does. */
    decide_by(w, rules, "GET", "/pets/1.0/pets/7", token, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_int_equal(counters_of(w).cache_hits, still_cached ? 2 : 1);
    enforce_rules_unref(&next);
    free(token);
    enforce_worker_free(&w);
}

/* A copy of the fixture with issuers of its own. */
static struct fixture *changed(struct fixture *f)
{
    *f = fixture;
    f->model.issuers = f->issuers;
    return f;
}

static void test_same_issuers_keep_the_cache(void **state)
{
    struct fixture f;

    (void)state;
    changed(&f)->model.generation++;
    f.model.leeway_s++;
    f.issuers[FIXTURE_ED].name = SLICE("another name");
    f.issuers[FIXTURE_ED].origin.line++;
    change_rules(fixture_rules(&f), true, true);
}

static void test_new_issuers_find_nothing(void **state)
{
    static const struct slice audience[] = {SLICE_INIT("elsewhere")};
    struct fixture f, other;

    (void)state;
    changed(&f)->issuers[FIXTURE_ED].algorithms |= 1u << JWT_ES256;
    change_rules(fixture_rules(&f), true, false);

    changed(&f)->issuers[FIXTURE_ED].scope_claim = SLICE("scope");
    change_rules(fixture_rules(&f), true, false);

    changed(&f)->issuers[FIXTURE_ED].consumer_key_claim = SLICE("azp");
    change_rules(fixture_rules(&f), true, false);

    changed(&f)->issuers[FIXTURE_ED].audiences = audience;
    f.issuers[FIXTURE_ED].n_audiences = 1;
    change_rules(fixture_rules(&f), false, false);

    changed(&f)->issuers[FIXTURE_ED].issuer = SLICE("https://ed2");
    change_rules(fixture_rules(&f), false, false);

    changed(&f)->model.n_issuers = FIXTURE_ED; /* without the last */
    change_rules(fixture_rules(&f), false, false);

    fixture_init(&other); /* the same names, other keys */
    change_rules(fixture_rules(&other), false, false);
    fixture_free(&other);
}

/* While HAProxy is reloaded, its old and new processes ask by turns for the rules before and after:
 * a token is verified once for each, not once for each turn. Third rules end what the first had. */
static void test_rules_by_turns(void **state)
{
    struct enforce_rules *next[2];
    struct enforce_worker *w = new_worker(10, 1 << 16);
    char *token = token_for(1, FIXTURE_NOW + 1000);
    struct enforce_decision d;
    struct fixture f;

    (void)state;
    changed(&f)->issuers[FIXTURE_ED].scope_claim = SLICE("scope");
    next[0] = fixture_rules(&f);
    changed(&f)->issuers[FIXTURE_ED].consumer_key_claim = SLICE("azp");
    next[1] = fixture_rules(&f);
    for (int i = 0; i < 20; i++) {
        decide_by(w, i % 2 == 0 ? rules : next[0], "GET", "/pets/1.0/pets/7", token, &d);
        assert_int_equal(d.verdict, ENFORCE_ALLOW);
    }
    assert_int_equal(counters_of(w).cache_misses, 2);
    assert_int_equal(counters_of(w).cache_hits, 18);
    decide_by(w, next[1], "GET", "/pets/1.0/pets/7", token, &d);
    decide_by(w, next[0], "GET", "/pets/1.0/pets/7", token, &d);
    assert_int_equal(counters_of(w).cache_misses, 3);
    decide_by(w, rules, "GET", "/pets/1.0/pets/7", token, &d);
    assert_int_equal(counters_of(w).cache_misses, 4);
    enforce_rules_unref(&next[0]);
    enforce_rules_unref(&next[1]);
    free(token);
    enforce_worker_free(&w);
}

/* --- a cache decides nothing: the same requests with no, a tiny and a large one ------------- */

enum { POOL_TOKENS = 60, STEPS = 4000 };

static uint64_t random_state = 7;

static unsigned next_random(unsigned below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((random_state >> 33) % below);
}

/* Good, expired, not yet valid, forged, of other issuers, with this and that scope and keytype. */
static char *random_token(void)
{
    static const char *const issuers[] = {"https://rsa", "https://ec", "https://ed", "https://x"};
    static const char *const scopes[] = {"", "read:pets", "write:pets x", "admin", "nothing"};
    static const char *const extra[] = {"",
                                        ",\"aud\":\"cc\"",
                                        ",\"aud\":\"no\"",
                                        ",\"keytype\":\"SANDBOX\"",
                                        ",\"keytype\":\"PRODUCTION\"",
                                        ",\"sub\":\"u\",\"azp\":\"a\"",
                                        ",\"nbf\":1700000030"};
    static const enum jwt_alg algs[] = {JWT_RS256, JWT_ES256, JWT_EdDSA};
    unsigned issuer = next_random(4), signer = next_random(8) == 0 ? next_random(3) : issuer % 3;
    char payload[300], *token;

    snprintf(payload, sizeof(payload), "{\"iss\":\"%s\",\"exp\":%u,\"%s\":\"%s\"%s}",
             issuers[issuer], FIXTURE_NOW - 10 + next_random(60), issuer == 2 ? "scp" : "scope",
             scopes[next_random(5)], extra[next_random(7)]);
    token = fixture_sign(&fixture, (enum fixture_signer)signer, algs[signer], payload);
    if (next_random(8) == 0)
        token[strlen(token) / 2] ^= 1;
    return token;
}

/* All of a decision as text, so that one comparison covers it. */
static void print_decision(const struct enforce_decision *d, char *room, size_t size)
{
    snprintf(room, size,
             "%d %d [%" PRIslice "] [%" PRIslice "] [%" PRIslice "] [%" PRIslice "] [%" PRIslice
             "] [%" PRIslice "] [%" PRIslice "] [%" PRIslice "] [%" PRIslice "] [%" PRIslice
             "] [%" PRIslice "] [%" PRIslice "]",
             (int)d->verdict, d->status, SLICE_ARG(d->code), SLICE_ARG(d->body),
             SLICE_ARG(d->challenge), SLICE_ARG(d->allow), SLICE_ARG(d->backend),
             SLICE_ARG(d->path), SLICE_ARG(d->host), SLICE_ARG(d->strip_header), SLICE_ARG(d->user),
             SLICE_ARG(d->app), SLICE_ARG(d->keytype), SLICE_ARG(d->reason));
}

static void test_a_cache_decides_nothing(void **state)
{
    static const char *const methods[] = {"GET", "GET", "POST", "DELETE", "OPTIONS", "PUT"};
    static const char *const paths[] = {"/pets/1.0/pets",   "/pets/1.0/pets/7", "/pets/1.0/open",
                                        "/pets/1.0/closed", "/pets/1.0/far",    "/nowhere"};
    struct enforce_worker *none = new_worker(0, 0), *tiny = new_worker(3, 1 << 14),
                          *large = new_worker(1000, 1 << 18);
    static char want[8192], got[8192];
    char *pool[POOL_TOKENS];
    struct enforce_decision d;

    (void)state;
    for (size_t i = 0; i < POOL_TOKENS; i++)
        pool[i] = random_token();
    for (unsigned step = 0; step < STEPS; step++) {
        const char *method = methods[next_random(6)], *path = paths[next_random(6)];
        const char *token = pool[next_random(POOL_TOKENS)];

        clock_at.now_wall_s = FIXTURE_NOW - 20 + step * 80 / STEPS;
        decide_by(none, rules, method, path, token, &d);
        print_decision(&d, want, sizeof(want));
        decide_by(tiny, rules, method, path, token, &d);
        print_decision(&d, got, sizeof(got));
        assert_string_equal(got, want);
        decide_by(large, rules, method, path, token, &d);
        print_decision(&d, got, sizeof(got));
        assert_string_equal(got, want);
    }
    assert_true(counters_of(none).allowed > STEPS / 10);
    assert_int_equal(counters_of(none).cache_hits, 0);
    assert_true(counters_of(tiny).cache_evictions > 100);
    assert_true(counters_of(large).cache_hits > STEPS / 20);
    for (size_t i = 0; i < POOL_TOKENS; i++)
        free(pool[i]);
    enforce_worker_free(&none);
    enforce_worker_free(&tiny);
    enforce_worker_free(&large);
}

/* --- memory ------------------------------------------------------------------------------- */

static void test_warm_decisions_allocate_nothing(void **state)
{
    struct enforce_worker *w = new_worker(100, 1 << 16);
    char *good = token_for(1, FIXTURE_NOW + 1000), *old = token_for(2, FIXTURE_NOW + 5);
    char *scoped = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256,
                                "{\"iss\":\"https://rsa\",\"scope\":\"a read:pets\","
                                "\"exp\":1700003600,\"keytype\":\"SANDBOX\"}");
    const struct {
        const char *method, *path, *token;
        int status;
    } rows[] = {
        {"GET", "/pets/1.0/pets/7", good, 0},   {"GET", "/pets/1.0/pets/%41", good, 0},
        {"GET", "/pets/1.0/open", NULL, 0},     {"GET", "/pets/1.0/far", good, 0},
        {"GET", "/pets/1.0/pets", scoped, 401}, {"POST", "/pets/1.0/pets", scoped, 403},
        {"PUT", "/pets/1.0/pets", good, 405},   {"OPTIONS", "/pets/1.0/pets", NULL, 204},
        {"GET", "/nowhere", good, 404},         {"GET", "/pets/../x", good, 400},
        {"GET", "/pets/1.0/pets/7", NULL, 401}, {"GET", "/pets/1.0/closed", good, 401},
        {"GET", "/pets/1.0/pets/7", old, 401},
    };
    struct enforce_decision d;
    void *volatile probe;
    size_t made;

    (void)state;
    made = alloc_made;
    probe = malloc(1); /* volatile, so that the pair is not optimised away */
    free(probe);
    assert_int_equal(alloc_made, made + 1); /* the counter counts */

    assert_true(allows(w, good) && allows(w, old));
    decide_by(w, rules, "GET", "/pets/1.0/pets", scoped, &d);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].token == old) /* valid when it was remembered, expired when found */
            clock_at.now_wall_s = FIXTURE_NOW + 5 + FIXTURE_LEEWAY;
        made = alloc_made;
        decide_by(w, rules, rows[i].method, rows[i].path, rows[i].token, &d);
        if (alloc_made != made || d.status != rows[i].status)
            fail_msg("%s %s: %zu allocations, status %d", rows[i].method, rows[i].path,
                     alloc_made - made, d.status);
    }
    free(good);
    free(old);
    free(scoped);
    enforce_worker_free(&w);
}

static void test_memory_stays_the_same(void **state)
{
    struct enforce_worker *w = new_worker(1000, 1 << 15);
    size_t live = 0;

    (void)state;
    for (unsigned n = 0; n < 300; n++) {
        char *token = token_for(n, FIXTURE_NOW + 1000);

        assert_true(allows(w, token));
        token[strlen(token) - 10] ^= 1;
        assert_false(allows(w, token));
        free(token);
        if (n == 20)
            live = alloc_made - alloc_freed;
    }
    assert_true(counters_of(w).cache_evictions > 100);
    assert_int_equal(alloc_made - alloc_freed, live);
    enforce_worker_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_worker_options, each_set_up),
        cmocka_unit_test_setup(test_expires_in_the_cache, each_set_up),
        cmocka_unit_test_setup(test_not_before_in_the_cache, each_set_up),
        cmocka_unit_test_setup(test_flood_of_good_tokens_keeps_a_hot_one, each_set_up),
        cmocka_unit_test_setup(test_bad_tokens_push_nothing_out, each_set_up),
        cmocka_unit_test_setup(test_same_issuers_keep_the_cache, each_set_up),
        cmocka_unit_test_setup(test_new_issuers_find_nothing, each_set_up),
        cmocka_unit_test_setup(test_rules_by_turns, each_set_up),
        cmocka_unit_test_setup(test_a_cache_decides_nothing, each_set_up),
        cmocka_unit_test_setup(test_warm_decisions_allocate_nothing, each_set_up),
        cmocka_unit_test_setup(test_memory_stays_the_same, each_set_up),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
