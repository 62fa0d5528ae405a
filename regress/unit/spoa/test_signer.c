/* The pool that signs: each JWT once, for all that want it, and no more jobs than it may have. */
#include "spoa/signer.c"

#include "../enforce/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { REPLIES = 4096, UNTIL_S = 1000000 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t come;
    size_t n;
    struct {
        size_t worker;
        struct enforce_reply *reply;
    } got[REPLIES];
    bool held; /* nobody gets anything, so that jobs pile up */
} box = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, {{0, NULL}}, false};

/* In place of the workers' mailboxes. */
void postbox_put(struct postbox *p, size_t worker, struct enforce_reply *reply)
{
    (void)p;
    pthread_mutex_lock(&box.lock);
    while (box.held)
        pthread_cond_wait(&box.come, &box.lock);
    assert_true(box.n < REPLIES);
    box.got[box.n].worker = worker;
    box.got[box.n++].reply = reply;
    pthread_cond_broadcast(&box.come);
    pthread_mutex_unlock(&box.lock);
}

static void hold(bool held)
{
    pthread_mutex_lock(&box.lock);
    box.held = held;
    pthread_cond_broadcast(&box.come);
    pthread_mutex_unlock(&box.lock);
}

static void await_replies(size_t n)
{
    pthread_mutex_lock(&box.lock);
    while (box.n < n)
        pthread_cond_wait(&box.come, &box.lock);
    pthread_mutex_unlock(&box.lock);
}

static void empty_box(void)
{
    for (size_t i = 0; i < box.n; i++)
        enforce_reply_unref(&box.got[i].reply);
    box.n = 0;
}

struct world {
    struct fixture f;
    struct gw_key_pair pair;
    struct key *key;
    struct buf pem;
    struct enforce_rules *rules;
    struct signer *signer;
    struct postbox postbox;
};

static void open_world(struct world *w, size_t threads, bool with_key)
{
    struct key *copy = NULL;
    struct buf private;

    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
    fixture_need(key_generate(&w->key, KEY_EC_P256), "key");
    buf_init(&w->pem, 1 << 16);
    buf_init(&private, 1 << 16);
    fixture_need(key_write_certificate(w->key, "gw.test", 10, &w->pem), "certificate");
    fixture_need(key_write_private(w->key, &private), "pem");
    fixture_need(key_private_from_pem(&copy, buf_slice(&private)), "private");
    buf_free(&private);
    w->pair = (struct gw_key_pair){buf_slice(&w->pem), SLICE("/k")};
    w->f.model.backend_jwt = (struct gw_backend_jwt){.header = SLICE("x-jwt-assertion"),
                                                     .dialect = SLICE(""),
                                                     .base64url = true,
                                                     .ttl_s = 60,
                                                     .key_pairs = &w->pair,
                                                     .n_key_pairs = 1};
    w->rules = fixture_rules(&w->f);
    if (with_key)
        fixture_need(enforce_rules_set_signing_key(w->rules, copy), "set");
    else
        key_free(&copy);
    fixture_need(signer_new(&w->signer, threads, &w->postbox), "signer");
}

static void close_world(struct world *w)
{
    signer_free(&w->signer);
    empty_box();
    enforce_rules_unref(&w->rules);
    key_free(&w->key);
    buf_free(&w->pem);
    fixture_free(&w->f);
}

static bool ask(struct world *w, unsigned number, size_t worker)
{
    struct enforce_await await = {.what = ENFORCE_WAIT_SIGNATURE, .until_s = UNTIL_S + number};
    struct oracle *oracle = signer_oracle(w->signer);
    char claims[64];

    memset(&await.key, 0, sizeof(await.key));
    memcpy(await.key.bytes, &number, sizeof(number));
    snprintf(claims, sizeof(claims), "{\"n\":%u}", number);
    await.question = slice_of(claims);
    return oracle->ask(oracle, &await, w->rules, worker) == ENFORCE_MAY_WAIT;
}

/* Every reply is the JWT of its question, and every worker that asked gets one. */
static void each_gets_its_own(void **state)
{
    enum { QUESTIONS = 200 };
    bool seen[QUESTIONS] = {false};
    struct world w;

    (void)state;
    open_world(&w, 3, true);
    for (unsigned i = 0; i < QUESTIONS; i++)
        assert_true(ask(&w, i, i % 5));
    await_replies(QUESTIONS);
    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct enforce_reply *reply = box.got[i].reply;
        struct arena *arena = arena_new(JWT_ARENA_BYTES);
        char expected[64];
        unsigned number;
        struct jwt jwt;

        memcpy(&number, reply->key.bytes, sizeof(number));
        assert_true(number < QUESTIONS && !seen[number]);
        seen[number] = true;
        assert_int_equal(box.got[i].worker, number % 5);
        assert_false(reply->failed);
        assert_int_equal(reply->until_s, UNTIL_S + number); /* else nobody would remember it */
        assert_int_equal(reply->what, ENFORCE_WAIT_SIGNATURE);
        assert_int_equal(jwt_split(reply->bytes, arena, &jwt), JWT_OK);
        assert_int_equal(jwt_verify(&jwt, 1u << JWT_ES256, w.key), JWT_OK);
        snprintf(expected, sizeof(expected), "{\"n\":%u}", number);
        assert_true(slice_is(jwt.payload, expected));
        arena_free(&arena);
    }
    assert_int_equal(signer_count(w.signer), QUESTIONS);
    close_world(&w);
}

/* While the only thread is held up, the same question of three workers is one job; jobs are
 * bounded; and what still waits at the end is thrown away. */
static void jobs_are_merged_and_bounded(void **state)
{
    struct world w;
    unsigned taken = 0;
    unsigned workers = 0;

    (void)state;
    open_world(&w, 1, true);
    hold(true);
    assert_true(ask(&w, 1, 0)); /* keeps the thread busy: its reply cannot be given */
    while (signer_count(w.signer) == 0)
        sched_yield();
    for (size_t worker = 0; worker < 3; worker++)
        assert_true(ask(&w, 7, worker));
    for (unsigned i = 100; i < 100 + 2 * SIGNER_MAX_JOBS; i++)
        taken += ask(&w, i, 0);
    assert_in_range(taken, SIGNER_MAX_JOBS - 2, SIGNER_MAX_JOBS - 1);
    assert_true(ask(&w, 7, 5)); /* it is there already */
    hold(false);
    await_replies(1 + 4);
    for (size_t i = 1; i < 5; i++) {
        assert_int_equal(box.got[i].reply->key.bytes[0], 7);
        workers |= 1u << box.got[i].worker;
    }
    assert_int_equal(workers, 1u << 0 | 1u << 1 | 1u << 2 | 1u << 5);
    close_world(&w);
}

static void a_failure_is_a_reply(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, 1, false);
    assert_true(ask(&w, 1, 2));
    await_replies(1);
    assert_true(box.got[0].reply->failed);
    assert_true(box.got[0].reply->bytes.n > 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_own),
        cmocka_unit_test(jobs_are_merged_and_bounded),
        cmocka_unit_test(a_failure_is_a_reply),
    };

    return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
