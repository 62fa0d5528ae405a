/* Limits that are asked for elsewhere, for each request: what waits, for what, and what becomes of it. */
#include "throttle_fixture.h"

#include "enforce/await.h"
#include "throttle/counter_strict.h"

static const char policies[] =
    NO_SUB "applicationPolicies: [{name: AppTier, requestCount: 9, timeUnit: day, away: allow}]\n"
           "advancedPolicies: [{name: A, requestCount: 4, timeUnit: day, away: deny},\n"
           " {name: B, requestCount: 4, timeUnit: day}]\n";

static void open_strict(struct world *w, const char *tier)
{
    static const struct counter_share_options options = {
        .gateways = 2, .lease_percent = 10, .lease_least = 1, .strict = true};

    open_world(w, policies, tier);
    assert_int_equal(counter_share_start(w->counters, &options), CC_OK);
    counter_share_link(w->counters, true);
}

/* The same request each time, with what is known of it. */
static enum enforce_verdict decide(struct world *w, enum enforce_patience patience,
                                   const struct enforce_reply *reply)
{
    static char bearer[4096];
    struct enforce_header headers[HEADERS] = {{.count = 0}};
    struct enforce_request r = {.id = SLICE("id"),
                                .method = SLICE("GET"),
                                .path = SLICE("/pets/1.0/pets/7"),
                                .query = SLICE(""),
                                .host = SLICE("h"),
                                .headers = headers,
                                .patience = patience};
    const struct question q = {.user = NULL};
    char *token = token_of(w, &q);

    snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    free(token);
    set_header(&headers[AUTHORIZATION], bearer);
    r.replies[ENFORCE_WAIT_LIMITS] = reply;
    enforce_decide(w->worker, w->rules, w->live, &r, &w->clock.clock, &w->d);
    return w->d.verdict;
}

static struct counter_question asked(const struct world *w)
{
    struct counter_question q;

    assert_int_equal(w->d.await.what, ENFORCE_WAIT_LIMITS);
    assert_true(w->d.await.question.n <= sizeof(q));
    memcpy(&q, w->d.await.question.p, w->d.await.question.n);
    return q;
}

/* What is said to the question that waits. */
static struct enforce_reply *reply_to(const struct world *w, bool failed,
                                      const struct counter_verdict *verdicts, size_t n)
{
    struct enforce_reply *reply = NULL;

    assert_int_equal(enforce_reply_new(&reply, ENFORCE_WAIT_LIMITS, &w->d.await.key, failed,
                                       INT64_MAX, slice_make(verdicts, n * sizeof(*verdicts))),
                     CC_OK);
    return reply;
}

static enum enforce_verdict decide_by(struct world *w, const struct counter_verdict *verdicts,
                                      size_t n)
{
    enum enforce_verdict verdict;
    struct enforce_reply *reply;

    assert_int_equal(decide(w, ENFORCE_MAY_WAIT, NULL), ENFORCE_PENDING);
    reply = reply_to(w, verdicts == NULL, verdicts, n);
    verdict = decide(w, ENFORCE_MAY_WAIT, reply);
    enforce_reply_unref(&reply);
    return verdict;
}

static void test_asks_and_obeys(void **state)
{
    const struct counter_verdict good[] = {{COUNTER_FITS, 5000, 3, 1, 60000, 0},
                                           {COUNTER_FITS, 7000, 5, 5, 90000, 0}},
                                 bad[] = {{COUNTER_FITS, 5000, 3, 1, 60000, 0},
                                          {COUNTER_FULL, 7000, 9, 5, 90000, 90000}};
    struct counter_question q;
    struct enforce_key key;
    struct world w;

    (void)state;
    open_strict(&w, "A");
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_PENDING);
    q = asked(&w);
    assert_int_equal(q.n, 2);
    assert_true(q.asks[0].max == 4 && q.asks[0].cost == 1 && q.asks[0].enforced);
    assert_true(q.asks[0].length_ms == 86400000 && q.asks[0].window == 0 && q.asks[0].count == 0);
    assert_int_equal(q.asks[1].max, 9);
    assert_memory_not_equal(q.asks[0].name, q.asks[1].name, COUNTER_NAME_BYTES);
    /* each request asks by itself */
    key = w.d.await.key;
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_PENDING);
    assert_false(enforce_key_eq(&key, &w.d.await.key));

    assert_int_equal(decide_by(&w, good, 2), ENFORCE_ALLOW);
    assert_true(slice_is(w.d.limits.state, "\"A\";r=1;t=60"));
    assert_int_equal(decide_by(&w, bad, 2), ENFORCE_DENY);
    assert_true(w.d.status == 429 && slice_is(w.d.code, "900803"));
    assert_true(w.d.limits.retry_after.n > 0);
    /* what is known here goes with the next question */
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_PENDING);
    q = asked(&w);
    assert_true(q.asks[0].window == 5000 && q.asks[0].count == 1 && q.asks[0].left_ms == 60000);
    assert_true(q.asks[1].window == 7000 && q.asks[1].count == 1);
    close_world(&w);
}

/* A verdict about other limits than the request has now is none. */
static void test_other_limits(void **state)
{
    const struct counter_verdict good[] = {{COUNTER_FITS, 1, 1, 1, 1000, 0},
                                           {COUNTER_FITS, 1, 1, 1, 1000, 0}};
    struct enforce_reply *reply;
    struct world w, other;

    (void)state;
    open_strict(&w, "A");
    open_strict(&other, "B");
    assert_int_equal(decide(&other, ENFORCE_MAY_WAIT, NULL), ENFORCE_PENDING);
    reply = reply_to(&other, false, good, 2);
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, reply), ENFORCE_PENDING);
    assert_int_equal(decide(&w, ENFORCE_OVERDUE, reply), ENFORCE_DENY);
    enforce_reply_unref(&reply);
    /* nor is one of another length */
    assert_int_equal(decide_by(&w, good, 1), ENFORCE_DENY);
    close_world(&other);
    close_world(&w);
}

/* Late, not asked, failed, not reached: each limit as its policy says, and no 5xx. */
static void test_away(void **state)
{
    static const enum enforce_patience patience[] = {ENFORCE_OVERDUE, ENFORCE_CROWDED,
                                                     ENFORCE_ALONE};
    struct world w;

    (void)state;
    open_strict(&w, "A");
    for (size_t i = 0; i < N(patience); i++) {
        assert_int_equal(decide(&w, patience[i], NULL), ENFORCE_DENY);
        assert_true(w.d.status == 429 && slice_is(w.d.code, "900800"));
        assert_true(slice_contains(w.d.reason, SLICE("redis cannot be asked")));
    }
    assert_int_equal(decide_by(&w, NULL, 0), ENFORCE_DENY);
    counter_share_link(w.counters, false);
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_DENY);
    assert_int_equal(w.d.status, 429);
    close_world(&w);

    /* half of four; what the others have used by then is not there any more either */
    open_strict(&w, "B");
    counter_share_link(w.counters, false);
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_ALLOW);
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_ALLOW);
    assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_DENY);
    assert_true(slice_is(w.d.code, "900800"));
    close_world(&w);

    open_strict(&w, "Unlimited");
    counter_share_link(w.counters, false);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(decide(&w, ENFORCE_MAY_WAIT, NULL), ENFORCE_ALLOW);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_and_obeys),
        cmocka_unit_test(test_other_limits),
        cmocka_unit_test(test_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
