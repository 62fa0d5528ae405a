/* Requests that are decided more than once: what dispatch does with an engine that waits.
 *
 * The engine is replaced by one that waits for what the path says, so that its replies, and how
 * often it is asked, can be told apart. */
#include "enforce/enforce.h"

struct enforce_trace;
static void fake_decide(struct enforce_worker *w, struct enforce_rules *rules,
                        const struct enforce_live *live, const struct enforce_request *request,
                        const struct clock *clock, struct enforce_decision *out);
#define enforce_decide fake_decide
#include "spoa/dispatch.c"
#undef enforce_decide

#include "regress/tools/spop_peer.h"
#include "regress/unit/enforce/fixture.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAX_FRAME = 16380, NOW_US = 1000, PATIENCE_US = 100 };

static struct {
    struct fixture fixture;
    struct dispatch *dispatch;
    struct responder *responder;
    struct jwks_wanted wanted;
    struct counters counters;
    struct clock_fixed clock;
    struct defer_line line;
    struct oracle oracle;
    int64_t hgen; /* of the HAProxy that asks */
    unsigned looks, asked, woken;
    bool deaf;                 /* the oracle takes no question */
    unsigned stubborn;         /* so many looks wait for yet another key */
    struct enforce_await last; /* that was asked for */
    char question[64];
    uint8_t notify[1024], ack[SPOP_LENGTH_SIZE + MAX_FRAME];
    size_t n_ack;
} t;

static void fake_decide(struct enforce_worker *w, struct enforce_rules *rules,
                        const struct enforce_live *live, const struct enforce_request *request,
                        const struct clock *clock, struct enforce_decision *out)
{
    static const char *const impatience[] = {"alone", "", "overdue", "crowded"};
    const struct enforce_reply *reply = request->replies[ENFORCE_WAIT_INTROSPECTION];
    struct enforce_await await = {.what = ENFORCE_WAIT_INTROSPECTION, .question = request->path};

    (void)w;
    (void)rules;
    (void)live;
    (void)clock;
    t.looks++;
    memcpy(await.key.bytes, request->path.p, request->path.n < 32 ? request->path.n : 32);
    *out = (struct enforce_decision){.verdict = ENFORCE_DENY, .status = 503};
    if (t.stubborn > 0) {
        t.stubborn--;
        await.key.bytes[31] = (uint8_t)t.looks;
    } else if (reply != NULL) {
        out->verdict = ENFORCE_ALLOW;
        out->backend = reply->bytes;
        out->path = request->path;
        return;
    }
    if (request->patience == ENFORCE_MAY_WAIT) {
        out->verdict = ENFORCE_PENDING;
        out->await = await;
    } else {
        out->reason = slice_of(impatience[request->patience]);
    }
}

static enum enforce_patience fake_ask(struct oracle *self, const struct enforce_await *await,
                                      struct enforce_rules *rules, size_t worker)
{
    assert_ptr_equal(self, &t.oracle);
    assert_non_null(rules);
    assert_int_equal(worker, 3);
    if (t.deaf)
        return ENFORCE_CROWDED;
    t.asked++;
    t.last = *await;
    snprintf(t.question, sizeof t.question, "%.*s", SLICE_ARG(await->question));
    return ENFORCE_MAY_WAIT;
}

static void on_wake(struct defer_line *line)
{
    assert_ptr_equal(line, &t.line);
    t.woken++;
}

static int start(bool waits, struct oracle *oracle)
{
    static const struct enforce_options options = {0, 0};
    struct dispatch_waiting waiting = {
        .defer = {.frames = 4, .frame_bytes = 256, .patience_us = PATIENCE_US},
        .worker = 3,
        .oracles = {oracle}};

    memset(&t, 0, sizeof t);
    fixture_init(&t.fixture);
    clock_fixed_init(&t.clock, FIXTURE_NOW, NOW_US);
    t.oracle.ask = fake_ask;
    t.line.wake = on_wake;
    if (dispatch_new(&t.dispatch, &options, fixture_rules(&t.fixture), &t.wanted) != CC_OK)
        return -1;
    t.responder = dispatch_responder(t.dispatch);
    return waits ? dispatch_let_wait(t.dispatch, &waiting) : CC_OK;
}

static int setup(void **state)
{
    (void)state;
    return start(true, &t.oracle);
}

static int teardown(void **state)
{
    (void)state;
    if (t.responder->defer != NULL)
        defer_forget(t.responder->defer, &t.line, &t.counters);
    dispatch_free(&t.dispatch);
    fixture_free(&t.fixture);
    return 0;
}

/* True: it was answered at once. */
static bool ask_for(const char *path, uint64_t stream)
{
    struct spop_writer w;
    struct spop_frame f;
    size_t n;

    peer_begin_notify(&w, t.notify, sizeof t.notify, stream, 9, "cc-request", 2);
    peer_put_int(&w, "hgen", t.hgen);
    peer_put_text(&w, "path", slice_of(path));
    n = spop_end(&w, sizeof t.notify);
    spop_read_frame(slice_make(t.notify + SPOP_LENGTH_SIZE, n - SPOP_LENGTH_SIZE), &f);
    t.n_ack = t.responder->answer(t.responder, &f, &t.line, &t.clock.clock, &t.counters, t.ack,
                                  MAX_FRAME);
    memset(t.notify, 'x', sizeof t.notify); /* the connection's buffer is used for the next frame */
    return t.n_ack != RESPONDER_LATER;
}

static bool answer_ready(void)
{
    assert_non_null(t.line.first_ready);
    t.n_ack = t.responder->answer_ready(t.responder, &t.line, &t.clock.clock, &t.counters, t.ack,
                                        MAX_FRAME);
    assert_int_not_equal(t.n_ack, 0);
    return t.n_ack != RESPONDER_LATER;
}

static void deliver(const char *text)
{
    struct enforce_reply *reply;

    assert_int_equal(enforce_reply_new(&reply, t.last.what, &t.last.key, false, 1, slice_of(text)),
                     CC_OK);
    defer_deliver(t.responder->defer, reply, &t.counters);
}

static void expect_ack(uint64_t stream, const char *name, const char *value)
{
    struct slice body = slice_make(t.ack + SPOP_LENGTH_SIZE, t.n_ack - SPOP_LENGTH_SIZE);
    struct spop_frame f;
    struct spop_value v;

    assert_int_equal(spop_read_frame(body, &f), SPOP_NORMAL);
    assert_int_equal(f.stream_id, stream);
    assert_int_equal(f.frame_id, 9);
    assert_true(peer_ack_value(body, name, &v));
    if (!slice_is(v.bytes, value))
        fail_msg("%s is \"%.*s\", expected \"%s\"", name, SLICE_ARG(v.bytes), value);
}

static void it_is_decided_again_with_the_reply(void **state)
{
    (void)state;
    assert_false(ask_for("/a", 1));
    assert_string_equal(t.question, "/a");
    assert_int_equal(t.asked, 1);
    assert_int_equal(counter_get(&t.counters.deferred), 1);
    deliver("cc_b_1");
    assert_int_equal(t.woken, 1);
    assert_true(answer_ready());
    expect_ack(1, "verdict", "allow");
    expect_ack(1, "backend", "cc_b_1");
    expect_ack(1, "path", "/a");
    assert_int_equal(t.looks, 2);
    assert_int_equal(defer_count(t.responder->defer), 0);
}

static void what_is_being_found_out_is_not_asked_again(void **state)
{
    (void)state;
    assert_false(ask_for("/a", 1));
    assert_false(ask_for("/a", 2));
    assert_int_equal(t.asked, 1);
    deliver("cc_b_1");
    assert_true(answer_ready());
    expect_ack(1, "verdict", "allow");
    assert_true(answer_ready());
    expect_ack(2, "verdict", "allow");
    /* it is up to the engine to remember: here it does not, and so it is asked again */
    assert_false(ask_for("/a", 3));
    assert_false(ask_for("/b", 4));
    assert_int_equal(t.asked, 3);
}

static void overdue_is_refused_with_its_reason(void **state)
{
    (void)state;
    assert_false(ask_for("/a", 1));
    defer_expire(t.responder->defer, NOW_US + PATIENCE_US, &t.counters);
    assert_true(answer_ready());
    expect_ack(1, "verdict", "deny");
    expect_ack(1, "reason", "overdue");
}

static void a_full_table_refuses_and_asks_nobody(void **state)
{
    char path[8];

    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "/%d", (int)i);
        assert_false(ask_for(path, i));
    }
    assert_true(ask_for("/4", 4));
    expect_ack(4, "reason", "crowded");
    assert_int_equal(t.asked, 4);
    assert_int_equal(counter_get(&t.counters.crowded), 1);
}

static void an_oracle_that_takes_nothing_refuses(void **state)
{
    (void)state;
    t.deaf = true;
    assert_true(ask_for("/a", 1));
    expect_ack(1, "verdict", "deny");
    expect_ack(1, "reason", "crowded");
    assert_int_equal(defer_count(t.responder->defer), 0);
    /* the same at a second look */
    t.deaf = false;
    t.stubborn = 3;
    assert_false(ask_for("/a", 1));
    deliver("x");
    t.deaf = true;
    assert_true(answer_ready());
    expect_ack(1, "reason", "crowded");
    assert_int_equal(defer_count(t.responder->defer), 0);
}

static void it_may_wait_for_one_thing_after_another(void **state)
{
    (void)state;
    t.stubborn = 3;
    assert_false(ask_for("/a", 1));
    for (int i = 0; i < 2; i++) {
        deliver("x");
        assert_false(answer_ready());
    }
    assert_int_equal(t.asked, 3);
    deliver("cc_b_1");
    assert_true(answer_ready());
    expect_ack(1, "verdict", "allow");
}

/* However often it waits again: its time does not begin again. */
static void an_engine_that_never_has_enough_comes_to_an_end(void **state)
{
    (void)state;
    t.stubborn = UINT_MAX;
    assert_false(ask_for("/a", 1));
    for (int i = 0; i < 10; i++) {
        deliver("x");
        assert_false(answer_ready());
    }
    defer_expire(t.responder->defer, NOW_US + PATIENCE_US, &t.counters);
    assert_true(answer_ready());
    expect_ack(1, "reason", "overdue");
}

static void without_oracle_or_table_it_is_refused_at_once(void **state)
{
    for (int i = 0; i < 2; i++) {
        teardown(state);
        assert_int_equal(start(i == 0, NULL), CC_OK);
        assert_true(ask_for("/a", 1));
        expect_ack(1, "verdict", "deny");
        expect_ack(1, "reason", "alone");
        assert_int_equal(counter_get(&t.counters.crowded), 0);
    }
}

static void expect_generation(int64_t generation)
{
    struct spop_value v;

    assert_true(peer_ack_value(slice_make(t.ack + SPOP_LENGTH_SIZE, t.n_ack - SPOP_LENGTH_SIZE),
                               "gen", &v));
    assert_int_equal(v.integer, generation);
}

static void new_rules_count_at_the_second_look(void **state)
{
    struct enforce_rules *old;

    (void)state;
    assert_false(ask_for("/a", 1));
    t.fixture.model.generation = 77;
    old = t.responder->adopt(t.responder, fixture_rules(&t.fixture), &t.clock.clock);
    enforce_rules_unref(&old);
    deliver("cc_b_1");
    assert_true(answer_ready());
    assert_int_equal(enforce_rules_model(t.dispatch->rules)->generation, 77);
    expect_generation(77);
}

/* As at the first look, in both directions: the HAProxy that asked is not another one. */
static void a_haproxy_that_is_not_reloaded_keeps_its_rules_meanwhile(void **state)
{
    (void)state;
    t.hgen = (int64_t)t.fixture.model.haproxy_generation;
    assert_false(ask_for("/a", 1));
    t.fixture.model.generation = 77;
    t.fixture.model.haproxy_generation = 77;
    assert_null(t.responder->adopt(t.responder, fixture_rules(&t.fixture), &t.clock.clock));
    deliver("cc_b_1");
    assert_true(answer_ready());
    expect_generation(7);
    assert_false(ask_for("/b", 2));
    deliver("cc_b_1");
    assert_true(answer_ready());
    expect_generation(7);
    t.hgen = 77;
    assert_false(ask_for("/c", 3));
    deliver("cc_b_2");
    assert_true(answer_ready());
    expect_generation(77);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_decided_again_with_the_reply),
        TEST(what_is_being_found_out_is_not_asked_again),
        TEST(overdue_is_refused_with_its_reason),
        TEST(a_full_table_refuses_and_asks_nobody),
        TEST(an_oracle_that_takes_nothing_refuses),
        TEST(it_may_wait_for_one_thing_after_another),
        TEST(an_engine_that_never_has_enough_comes_to_an_end),
        TEST(without_oracle_or_table_it_is_refused_at_once),
        TEST(new_rules_count_at_the_second_look),
        TEST(a_haproxy_that_is_not_reloaded_keeps_its_rules_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
