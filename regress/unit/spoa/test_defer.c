/* Frames that are answered later: the table, and connections over it. */
#include "regress/tools/spop_peer.h"
#include "spoa/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FRAMES = 40, FRAME_BYTES = 512, PATIENCE_US = 1000, LINKS = 3, MAX_SAID = 64 };

/* Defers each frame under the key that its stream-id says, and answers with "late" or "overdue". */
struct slow {
    struct responder responder;
    bool again;  /* what is ready waits once more, for key + 1 */
    size_t text; /* bytes of an answer */
};

struct desk {
    struct slow slow;
    struct counters counters;
    struct clock_fixed clock;
    struct conn conns[LINKS];
    unsigned woken[LINKS];
    struct {
        uint64_t stream;
        bool overdue;
    } said[MAX_SAID];
    size_t n_said;
    bool goodbye;
};

static struct desk *desk; /* of the test that runs */

static struct enforce_await await_of(uint64_t number)
{
    struct enforce_await await = {.what = ENFORCE_WAIT_INTROSPECTION};

    memcpy(await.key.bytes, &number, sizeof number);
    return await;
}

static size_t slow_answer(struct responder *self, const struct spop_frame *notify,
                          struct defer_line *line, const struct clock *clock,
                          struct counters *counters, void *room, size_t max_frame)
{
    struct enforce_await await = await_of(notify->stream_id / 100);
    struct spop_writer w;

    (void)counters;
    if (defer_has_room(self->defer, line, notify)) {
        defer_add(self->defer, line, notify, &await, clock_mono_us(clock));
        return RESPONDER_LATER;
    }
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, notify->stream_id, 1);
    spop_put_set_var(&w, SPOP_TXN, SLICE("crowded"));
    spop_put_bool(&w, true);
    return spop_end(&w, max_frame);
}

static size_t slow_answer_ready(struct responder *self, struct defer_line *line,
                                const struct clock *clock, struct counters *counters, void *room,
                                size_t max_frame)
{
    struct slow *s = (struct slow *)self;
    struct deferred *f = defer_take(self->defer, line);
    static char text[4096];
    struct spop_writer w;
    size_t n;

    (void)clock;
    (void)counters;
    assert_non_null(f);
    if (s->again && !f->overdue) {
        struct enforce_await await = await_of(f->stream_id / 100 + 1);

        defer_again(self->defer, f, &await, clock_mono_us(clock));
        return RESPONDER_LATER;
    }
    assert_true(f->overdue || f->replies[ENFORCE_WAIT_INTROSPECTION] != NULL);
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, f->stream_id, f->frame_id);
    spop_put_set_var(&w, SPOP_TXN, f->overdue ? SLICE("overdue") : SLICE("late"));
    spop_put_string(&w, slice_make(text, s->text));
    n = spop_end(&w, max_frame);
    defer_done(self->defer, f);
    return n;
}

static void on_wake(struct defer_line *line)
{
    for (size_t i = 0; i < LINKS; i++)
        if (line == &desk->conns[i].line)
            desk->woken[i]++;
}

static void read_frame(struct slice body)
{
    struct spop_frame f;
    unsigned scope;
    struct slice name;
    struct spop_value v;

    assert_int_equal(spop_read_frame(body, &f), SPOP_NORMAL);
    if (f.type == SPOP_AGENT_DISCONNECT)
        desk->goodbye = true;
    if (f.type != SPOP_ACK)
        return;
    assert_false(desk->goodbye);
    assert_true(peer_read_set_var(&f.payload, &scope, &name, &v));
    assert_int_equal(f.frame_id, slice_is(name, "crowded") ? 1 : f.stream_id + 7);
    desk->said[desk->n_said].stream = f.stream_id;
    desk->said[desk->n_said++].overdue = slice_is(name, "overdue");
}

/* Takes what a connection says, and lets it go on until it has no more to say. */
static void collect(size_t i)
{
    struct conn *c = &desk->conns[i];
    bool more;

    do {
        struct slice out;
        size_t n;

        more = conn_process(c);
        for (out = conn_output(c); (n = peer_frame_bytes(out)) > 0; out = slice_from(out, n))
            read_frame(slice_from(slice_first(out, n), SPOP_LENGTH_SIZE));
        conn_sent(c, conn_output(c).n);
    } while (more);
}

static void feed(size_t i, const void *data, size_t n)
{
    void *room;

    assert_true(conn_room(&desk->conns[i], &room) >= n);
    memcpy(room, data, n);
    conn_received(&desk->conns[i], n);
    collect(i);
}

static void ask(size_t i, uint64_t stream)
{
    uint8_t data[1024];
    struct spop_writer w;

    peer_begin_notify(&w, data, sizeof data, stream, stream + 7, "cc-request", 1);
    peer_put_text(&w, "path", SLICE("/secret"));
    feed(i, data, spop_end(&w, sizeof data));
}

static void open_conn(size_t i)
{
    struct peer_hello h = peer_hello_usual();
    uint8_t data[512];

    conn_init(&desk->conns[i], &desk->slow.responder, &desk->clock.clock, &desk->counters, on_wake);
    feed(i, data, peer_write_hello(data, sizeof data, &h));
}

static struct enforce_reply *make_reply(uint64_t number)
{
    struct enforce_await await = await_of(number);
    struct enforce_reply *reply;

    assert_int_equal(enforce_reply_new(&reply, await.what, &await.key, false, 1, SLICE("yes")),
                     CC_OK);
    return reply;
}

static void deliver(uint64_t number)
{
    defer_deliver(desk->slow.responder.defer, make_reply(number), &desk->counters);
}

static void pass(int64_t us)
{
    desk->clock.now_mono_us += us;
    defer_expire(desk->slow.responder.defer, desk->clock.now_mono_us, &desk->counters);
}

static size_t waiting(void)
{
    return defer_count(desk->slow.responder.defer);
}

static int setup(void **state)
{
    static const struct defer_options options = {
        .frames = FRAMES, .frame_bytes = FRAME_BYTES, .patience_us = PATIENCE_US};

    desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return -1;
    clock_fixed_init(&desk->clock, 0, 5000);
    desk->slow.responder.answer = slow_answer;
    desk->slow.responder.answer_ready = slow_answer_ready;
    desk->slow.text = 10;
    if (defer_new(&desk->slow.responder.defer, &options) != CC_OK)
        return -1;
    for (size_t i = 0; i < LINKS; i++)
        open_conn(i);
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINKS; i++)
        if (desk->conns[i].magic != 0)
            conn_cleanup(&desk->conns[i]);
    defer_free(&desk->slow.responder.defer);
    free(desk);
    return 0;
}

static void expect(size_t at, uint64_t stream, bool overdue)
{
    assert_true(at < desk->n_said);
    assert_int_equal(desk->said[at].stream, stream);
    assert_int_equal(desk->said[at].overdue, overdue);
}

static void answers_come_in_the_order_of_replies(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 4; i++)
        ask(0, i * 100);
    assert_int_equal(desk->n_said, 0);
    deliver(3);
    deliver(1);
    assert_int_equal(desk->woken[0], 2);
    assert_int_equal(desk->n_said, 0); /* nothing is taken from inside of wake */
    collect(0);
    expect(0, 300, false);
    expect(1, 100, false);
    assert_int_equal(desk->n_said, 2);
    assert_int_equal(waiting(), 2);
    deliver(4);
    deliver(2);
    collect(0);
    expect(2, 400, false);
    expect(3, 200, false);
    assert_int_equal(waiting(), 0);
    assert_int_equal(counter_get(&desk->counters.notifies), 4);
    assert_int_equal(counter_get(&desk->counters.replies), 4);
}

/* One reply serves all that wait for it, on each connection its own. */
static void one_reply_is_for_all_that_wait_for_it(void **state)
{
    struct enforce_await one = await_of(1), two = await_of(2);

    (void)state;
    assert_false(defer_waits_for(desk->slow.responder.defer, &one));
    ask(0, 101);
    ask(1, 102);
    ask(1, 200);
    ask(2, 103);
    assert_true(defer_waits_for(desk->slow.responder.defer, &one));
    deliver(1);
    assert_false(defer_waits_for(desk->slow.responder.defer, &one));
    assert_true(defer_waits_for(desk->slow.responder.defer, &two));
    collect(1);
    expect(0, 102, false);
    assert_int_equal(desk->n_said, 1);
    collect(2);
    collect(0);
    expect(1, 103, false);
    expect(2, 101, false);
    assert_int_equal(waiting(), 1);
}

static void a_closed_connection_is_not_answered(void **state)
{
    (void)state;
    ask(0, 100);
    ask(0, 200);
    ask(1, 101);
    deliver(2); /* ready, but not taken yet */
    conn_cleanup(&desk->conns[0]);
    assert_int_equal(counter_get(&desk->counters.deferred_lost), 2);
    assert_int_equal(waiting(), 1);
    deliver(1);
    collect(1);
    expect(0, 101, false);
    assert_int_equal(desk->n_said, 1);
    /* the same memory is another connection now: it has nothing to do with what was asked before */
    open_conn(0);
    deliver(1);
    collect(0);
    assert_int_equal(desk->n_said, 1);
    assert_int_equal(counter_get(&desk->counters.replies_late), 1);
}

static void after_a_disconnect_nothing_is_answered(void **state)
{
    uint8_t data[512];

    (void)state;
    ask(0, 100);
    feed(0, data, peer_write_disconnect(data, sizeof data));
    assert_true(desk->goodbye);
    assert_int_equal(waiting(), 0);
    deliver(1);
    collect(0);
    assert_int_equal(desk->n_said, 0);
}

static void a_frame_is_overdue_in_time(void **state)
{
    (void)state;
    assert_true(defer_due(desk->slow.responder.defer) == DEFER_NEVER);
    ask(0, 100);
    assert_true(defer_due(desk->slow.responder.defer) == 6000);
    pass(400);
    ask(1, 200);
    ask(0, 300);
    pass(599);
    assert_int_equal(desk->woken[0], 0);
    pass(1);
    assert_int_equal(desk->woken[0], 1);
    collect(0);
    expect(0, 100, true);
    assert_int_equal(desk->n_said, 1);
    assert_true(defer_due(desk->slow.responder.defer) == 6400);
    deliver(2);
    pass(10000);
    collect(0);
    collect(1);
    expect(1, 300, true);
    expect(2, 200, false); /* its reply came before its time was over */
    assert_int_equal(counter_get(&desk->counters.deferred_overdue), 2);
    deliver(1);
    assert_int_equal(counter_get(&desk->counters.replies_late), 1);
    assert_true(defer_due(desk->slow.responder.defer) == DEFER_NEVER);
}

/* Waiting for a second thing gives no more time than there was for the first. */
static void waiting_again_keeps_the_deadline(void **state)
{
    (void)state;
    desk->slow.again = true;
    ask(0, 100);
    pass(300);
    ask(0, 500);
    pass(300);
    deliver(1);
    collect(0);
    assert_int_equal(desk->n_said, 0);
    assert_int_equal(waiting(), 2);
    assert_true(defer_due(desk->slow.responder.defer) == 6000);
    deliver(1); /* nobody waits for that any more */
    assert_int_equal(counter_get(&desk->counters.replies_late), 1);
    pass(400);
    collect(0);
    expect(0, 100, true);
    assert_int_equal(desk->n_said, 1);
    desk->slow.again = false;
    deliver(5);
    collect(0);
    expect(1, 500, false);
}

static void no_connection_takes_all_places(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < DEFER_MAX_PER_LINE; i++)
        ask(0, 100 + i);
    assert_int_equal(desk->n_said, 0);
    ask(0, 199);
    expect(0, 199, false); /* refused at once */
    for (uint64_t i = 0; i < FRAMES - DEFER_MAX_PER_LINE; i++)
        ask(1, 200 + i);
    assert_int_equal(waiting(), FRAMES);
    ask(1, 299); /* and now the table is full, for all */
    ask(2, 399);
    expect(1, 299, false);
    expect(2, 399, false);
    deliver(2);
    collect(1);
    assert_int_equal(waiting(), DEFER_MAX_PER_LINE);
    ask(2, 300); /* places come back */
    assert_int_equal(waiting(), DEFER_MAX_PER_LINE + 1);
}

static void a_frame_that_is_too_large_does_not_wait(void **state)
{
    static char filler[FRAME_BYTES];
    uint8_t data[1024];
    struct spop_writer w;

    (void)state;
    peer_begin_notify(&w, data, sizeof data, 100, 107, "cc-request", 1);
    peer_put_text(&w, "path", slice_make(filler, sizeof filler));
    feed(0, data, spop_end(&w, sizeof data));
    expect(0, 100, false);
    assert_int_equal(waiting(), 0);
}

/* A peer that does not take its answers keeps them in the table, and gets them all when it does. */
static void ready_answers_wait_for_room(void **state)
{
    struct conn *c = &desk->conns[0];

    (void)state;
    desk->slow.text = 4000;
    for (uint64_t i = 0; i < 20; i++)
        ask(0, 100 + i);
    deliver(1);
    assert_true(conn_process(c)); /* 20 answers of 4000 bytes do not fit into two frames */
    assert_true(waiting() > 10);
    assert_int_equal(desk->n_said, 0);
    collect(0);
    assert_int_equal(desk->n_said, 20);
    assert_int_equal(waiting(), 0);
}

static void draining_waits_for_what_waits(void **state)
{
    (void)state;
    ask(0, 100);
    ask(0, 200);
    conn_drain(&desk->conns[0]);
    collect(0);
    assert_false(desk->goodbye);
    deliver(2);
    collect(0);
    expect(0, 200, false);
    assert_false(desk->goodbye);
    pass(PATIENCE_US);
    collect(0);
    expect(1, 100, true);
    assert_true(desk->goodbye);
}

static void what_waited_is_wiped(void **state)
{
    struct defer_options options = {
        .frames = 1, .frame_bytes = FRAME_BYTES, .patience_us = PATIENCE_US};
    struct enforce_await await = await_of(1);
    struct defer_line line = {.wake = on_wake};
    struct spop_frame frame = {
        .payload = {(const uint8_t *)"secret", (const uint8_t *)"secret" + 6}};
    struct defer *d;
    struct deferred *f;

    (void)state;
    assert_int_equal(defer_new(&d, &options), CC_OK);
    defer_add(d, &line, &frame, &await, 0);
    assert_null(defer_take(d, &line));
    defer_expire(d, PATIENCE_US, &desk->counters);
    f = defer_take(d, &line);
    assert_memory_equal(f->payload.p, "secret", 6);
    defer_done(d, f);
    assert_memory_equal(f->room, "\0\0\0\0\0\0", 6);
    assert_int_equal(defer_count(d), 0);
    defer_free(&d);
}

static void impossible_tables_are_refused(void **state)
{
    static const struct defer_options bad[] = {
        {.frames = 0, .frame_bytes = 1},
        {.frames = DEFER_MAX_FRAMES + 1, .frame_bytes = 1},
        {.frames = 1, .frame_bytes = 0},
        {.frames = 1, .frame_bytes = SPOP_MAX_FRAME_SIZE + 1}};
    struct defer *d = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(defer_new(&d, &bad[i]), CC_EINVAL);
    assert_null(d);
}

/* Whatever happens in whatever order: each frame gets exactly one answer, or its connection ends.
 */
static void no_frame_is_lost_or_answered_twice(void **state)
{
    uint64_t asked = 0, next = 0;
    uint32_t chance = 1;

    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        size_t i;

        chance = chance * 1664525 + 1013904223;
        i = chance >> 20 & 1;
        desk->slow.again = (chance >> 16 & 7) == 0;
        switch (chance >> 24 & 7) {
        case 0:
        case 1:
        case 2:
            ask(i, (chance >> 10 & 7) * 100 + next++ % 100);
            asked++;
            break;
        case 3:
        case 4:
            deliver(chance >> 10 & 7);
            break;
        case 5:
            pass(chance >> 10 & 255);
            break;
        case 6:
            if ((chance >> 10 & 15) != 0)
                break;
            conn_cleanup(&desk->conns[i]);
            open_conn(i);
            break;
        default:
            collect(i);
        }
        desk->n_said = 0;
        assert_int_equal(asked, counter_get(&desk->counters.notifies) +
                                    counter_get(&desk->counters.deferred_lost) + waiting());
    }
    assert_true(counter_get(&desk->counters.deferred_lost) > 0);
    assert_true(counter_get(&desk->counters.deferred_overdue) > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answers_come_in_the_order_of_replies),
        TEST(one_reply_is_for_all_that_wait_for_it),
        TEST(a_closed_connection_is_not_answered),
        TEST(after_a_disconnect_nothing_is_answered),
        TEST(a_frame_is_overdue_in_time),
        TEST(waiting_again_keeps_the_deadline),
        TEST(no_connection_takes_all_places),
        TEST(a_frame_that_is_too_large_does_not_wait),
        TEST(ready_answers_wait_for_room),
        TEST(draining_waits_for_what_waits),
        TEST(what_waited_is_wiped),
        TEST(impossible_tables_are_refused),
        TEST(no_frame_is_lost_or_answered_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
