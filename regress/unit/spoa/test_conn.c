/* The connection as a state machine: bytes in, bytes out, no socket. */
#include "regress/tools/spop_peer.h"
#include "spoa/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OUT_ROOM = 1 << 16 };

/* Answers each NOTIFY with its own ids and as much text as the first argument count says. */
struct echo {
    struct responder responder;
    unsigned answered;
    size_t text; /* bytes of text in each answer */
    bool refuse;
};

static size_t echo_answer(struct responder *self, const struct spop_frame *notify,
                          struct defer_line *line, const struct clock *clock,
                          struct counters *counters, void *room, size_t max_frame)
{
    struct echo *e = (struct echo *)self;
    static char text[4096];
    struct spop_writer w;

    (void)line;
    (void)clock;
    (void)counters;
    if (e->refuse)
        return 0;
    e->answered++;
    memset(text, 'x', sizeof text);
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, notify->stream_id,
               notify->frame_id);
    spop_put_set_var(&w, SPOP_TXN, SLICE("text"));
    spop_put_string(&w, slice_make(text, e->text));
    return spop_end(&w, max_frame);
}

/* A conversation: what the agent has said so far. */
struct talk {
    struct echo echo;
    struct counters counters;
    struct conn conn;
    uint8_t said[OUT_ROOM];
    size_t n_said;
};

static int setup(void **state)
{
    struct talk *t = calloc(1, sizeof *t);

    if (t == NULL)
        return -1;
    t->echo.responder.answer = echo_answer;
    t->echo.text = 10;
    conn_init(&t->conn, &t->echo.responder, &clock_system, &t->counters, NULL);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct talk *t = *state;

    conn_cleanup(&t->conn);
    free(t);
    return 0;
}

/* Takes the output away in pieces of at most `piece` bytes. */
static void collect(struct talk *t, size_t piece)
{
    struct slice out;

    while ((out = conn_output(&t->conn)).n > 0) {
        out = slice_first(out, piece);
        assert_true(t->n_said + out.n <= sizeof t->said);
        memcpy(t->said + t->n_said, out.p, out.n);
        t->n_said += out.n;
        conn_sent(&t->conn, out.n);
    }
}

/* Hands over `data` in pieces of at most `piece` bytes, as a socket would. */
static void feed(struct talk *t, const void *data, size_t n, size_t piece)
{
    const uint8_t *p = data;

    while (n > 0) {
        void *room;
        size_t size = conn_room(&t->conn, &room);

        assert_true(size > 0);
        size = size < piece ? size : piece;
        size = size < n ? size : n;
        memcpy(room, p, size);
        conn_received(&t->conn, size);
        p += size;
        n -= size;
        while (conn_process(&t->conn))
            collect(t, piece);
        collect(t, piece);
    }
}

static size_t make_hello(uint8_t *room, size_t size)
{
    struct peer_hello h = peer_hello_usual();

    return peer_write_hello(room, size, &h);
}

static size_t make_notify(uint8_t *room, size_t size, uint64_t stream, size_t text)
{
    static char filler[SPOP_MAX_FRAME_SIZE];
    struct spop_writer w;

    memset(filler, 'p', sizeof filler);
    peer_begin_notify(&w, room, size, stream, 1, "cc-request", 1);
    peer_put_text(&w, "path", slice_make(filler, text));
    return spop_end(&w, SPOP_MAX_FRAME_SIZE);
}

/* Takes the next frame off what was said. */
static bool next_said(struct talk *t, size_t *at, struct spop_frame *f)
{
    struct slice rest = slice_make(t->said + *at, t->n_said - *at);
    size_t n = peer_frame_bytes(rest);

    if (n == 0)
        return false;
    assert_int_equal(spop_read_frame(slice_from(slice_first(rest, n), SPOP_LENGTH_SIZE), f),
                     SPOP_NORMAL);
    *at += n;
    return true;
}

/* The status of the one AGENT-DISCONNECT that must be all that is left. */
static int64_t goodbye_status(struct talk *t, size_t at)
{
    struct slice rest = slice_make(t->said + at, t->n_said - at);
    size_t n = peer_frame_bytes(rest);

    assert_int_equal(n, rest.n);
    return peer_disconnect_status(slice_from(rest, SPOP_LENGTH_SIZE));
}

static void check_conversation(struct talk *t, uint64_t n_requests)
{
    struct spop_frame f;
    size_t at = 0;

    assert_true(next_said(t, &at, &f));
    assert_int_equal(f.type, SPOP_AGENT_HELLO);
    for (uint64_t i = 0; i < n_requests; i++) {
        assert_true(next_said(t, &at, &f));
        assert_int_equal(f.type, SPOP_ACK);
        assert_int_equal(f.stream_id, i * 1000);
        assert_int_equal(f.frame_id, 1);
    }
    assert_int_equal(at, t->n_said);
}

static void no_frame_is_lost_in_pieces_of_any_size(void **state)
{
    uint8_t data[2048];
    size_t n = make_hello(data, sizeof data);

    for (uint64_t i = 0; i < 5; i++)
        n += make_notify(data + n, sizeof data - n, i * 1000, (size_t)i * 20);
    teardown(state);
    for (size_t piece = 1; piece <= n; piece++) {
        struct talk *t;

        assert_int_equal(setup(state), 0);
        t = *state;
        feed(t, data, n, piece);
        check_conversation(t, 5);
        assert_int_equal(t->echo.answered, 5);
        teardown(state);
    }
    assert_int_equal(setup(state), 0);
}

static void no_frame_is_lost_when_split_in_two_anywhere(void **state)
{
    uint8_t data[1024];
    size_t n = make_hello(data, sizeof data);

    n += make_notify(data + n, sizeof data - n, 0, 100);
    n += make_notify(data + n, sizeof data - n, 1000, 3);
    teardown(state);
    for (size_t split = 1; split < n; split++) {
        struct talk *t;

        assert_int_equal(setup(state), 0);
        t = *state;
        feed(t, data, split, split);
        feed(t, data + split, n - split, n);
        check_conversation(t, 2);
        teardown(state);
    }
    assert_int_equal(setup(state), 0);
}

/* Answers of one read leave in one write, and no answer is made that has no room. */
static void answers_wait_for_room(void **state)
{
    struct talk *t = *state;
    uint8_t data[4096];
    struct peer_hello h = peer_hello_usual();
    size_t n, taken = 0;
    void *room;

    h.max_frame_size = 256;
    t->echo.text = 200;
    n = peer_write_hello(data, sizeof data, &h);
    feed(t, data, n, n);
    t->n_said = 0;
    n = 0;
    for (uint64_t i = 0; i < 4; i++)
        n += make_notify(data + n, sizeof data - n, i, 1);
    assert_true(conn_room(&t->conn, &room) >= n);
    memcpy(room, data, n);
    conn_received(&t->conn, n);
    while (conn_process(&t->conn)) {
        struct slice out = conn_output(&t->conn);

        taken++;
        assert_true(out.n >= 200);
        conn_sent(&t->conn, 1); /* a peer that takes a byte at a time */
        assert_true(taken < 2000);
    }
    assert_true(taken > 200);
    assert_int_equal(t->echo.answered, 4);
}

static void hello_takes_the_smaller_frame_size(void **state)
{
    static const struct {
        int64_t offered, agreed;
    } cases[] = {{16380, 16380}, {256, 256}, {65532, 65532}, {1 << 20, SPOP_MAX_FRAME_SIZE}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer_hello h = peer_hello_usual();
        uint8_t data[512];
        struct spop_reader r;
        struct spop_frame f;
        struct slice key;
        struct spop_value v;
        struct talk *t;
        size_t n, at = 0;
        int64_t agreed = 0;

        teardown(state);
        assert_int_equal(setup(state), 0);
        t = *state;
        h.max_frame_size = cases[i].offered;
        n = peer_write_hello(data, sizeof data, &h);
        feed(t, data, n, n);
        assert_true(next_said(t, &at, &f));
        assert_int_equal(f.stream_id, 0);
        assert_int_equal(f.frame_id, 0);
        r = f.payload;
        while (spop_read_arg(&r, &key, &v)) {
            if (slice_is(key, "max-frame-size"))
                agreed = v.integer;
            if (slice_is(key, "capabilities"))
                assert_true(slice_is(v.bytes, "pipelining"));
        }
        assert_int_equal(agreed, cases[i].agreed);
    }
}

static void a_health_check_costs_no_memory(void **state)
{
    struct talk *t = *state;
    struct peer_hello h = {"2.0", "", 16380, NULL, true};
    uint8_t data[512];
    struct spop_frame f;
    size_t n = peer_write_hello(data, sizeof data, &h), at = 0;

    feed(t, data, n, n);
    assert_true(next_said(t, &at, &f));
    assert_int_equal(f.type, SPOP_AGENT_HELLO);
    assert_int_equal(t->conn.state, CONN_CHECKED);
    assert_null(t->conn.memory);
    assert_int_equal(counter_get(&t->counters.health_checks), 1);
    /* whatever comes now is not answered */
    n = make_notify(data, sizeof data, 1, 1);
    feed(t, data, n, n);
    assert_int_equal(at, t->n_said);
    assert_int_equal(t->echo.answered, 0);
}

static void the_peers_disconnect_is_answered(void **state)
{
    struct talk *t = *state;
    uint8_t data[512];
    size_t n = make_hello(data, sizeof data), at;

    feed(t, data, n, n);
    at = t->n_said;
    n = peer_write_disconnect(data, sizeof data);
    feed(t, data, n, n);
    assert_int_equal(goodbye_status(t, at), SPOP_NORMAL);
    assert_int_equal(t->conn.state, CONN_GOODBYE);
    assert_int_equal(counter_get(&t->counters.protocol_errors), 0);
}

/* What ends a conversation, each time with its status and without an answer. */
static void faults_end_the_conversation(void **state)
{
    static const struct {
        bool after_hello;
        size_t n;
        const char *bytes;
        enum spop_status status;
    } cases[] = {
        {false, 4, "\x00\x00\x00\x00", SPOP_INVALID},
        {false, 7, "\x00\x00\x00\x03\x01\x00\x00", SPOP_INVALID},
        {false, 4, "\x00\x00\x03\xfd", SPOP_TOO_BIG}, /* one byte above the HELLO's room */
        {false, 4, "\xff\xff\xff\xff", SPOP_TOO_BIG},
        {false, 11, "\x00\x00\x00\x07\x03\x00\x00\x00\x01\x00\x01", SPOP_INVALID}, /* NOTIFY */
        {true, 4, "\x00\x00\x00\x00", SPOP_INVALID},
        {true, 4, "\x00\x00\x3f\xfd", SPOP_TOO_BIG},                              /* 16381 */
        {true, 11, "\x00\x00\x00\x07\x01\x00\x00\x00\x01\x00\x00", SPOP_INVALID}, /* HELLO again */
        {true, 11, "\x00\x00\x00\x07\x67\x00\x00\x00\x01\x00\x01", SPOP_INVALID}, /* our own ACK */
        {true, 11, "\x00\x00\x00\x07\x2a\x00\x00\x00\x01\x00\x01", SPOP_INVALID}, /* unknown type */
        {true, 11, "\x00\x00\x00\x07\x03\x00\x00\x00\x00\x00\x01", SPOP_FRAGMENTED},
        {true, 11, "\x00\x00\x00\x07\x00\x00\x00\x00\x01\x00\x01", SPOP_FRAGMENTED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk *t;
        uint8_t data[512];
        size_t n = make_hello(data, sizeof data), at = 0;

        teardown(state);
        assert_int_equal(setup(state), 0);
        t = *state;
        if (cases[i].after_hello) {
            feed(t, data, n, n);
            at = t->n_said;
        }
        feed(t, cases[i].bytes, cases[i].n, cases[i].n);
        assert_int_equal(goodbye_status(t, at), cases[i].status);
        assert_int_equal(t->echo.answered, 0);
        assert_int_equal(counter_get(&t->counters.protocol_errors), 1);
        /* and nothing is said after a goodbye */
        at = t->n_said;
        feed(t, data, n, n);
        assert_int_equal(t->n_said, at);
    }
}

static void a_malformed_payload_ends_the_conversation(void **state)
{
    struct talk *t = *state;
    uint8_t data[512];
    size_t n = make_hello(data, sizeof data), at;

    feed(t, data, n, n);
    at = t->n_said;
    t->echo.refuse = true;
    n = make_notify(data, sizeof data, 1, 1);
    feed(t, data, n, n);
    assert_int_equal(goodbye_status(t, at), SPOP_INVALID);
}

static void the_largest_frame_is_taken(void **state)
{
    struct talk *t = *state;
    static uint8_t data[20000];
    struct spop_frame f;
    size_t n = make_hello(data, sizeof data), text = 16380, at = 0;

    feed(t, data, n, n);
    do
        n = make_notify(data, sizeof data, 7, text--);
    while (n > SPOP_LENGTH_SIZE + 16380);
    assert_int_equal(n, SPOP_LENGTH_SIZE + 16380);
    feed(t, data, n, 5000);
    assert_true(next_said(t, &at, &f));
    assert_true(next_said(t, &at, &f));
    assert_int_equal(f.stream_id, 7);
}

static void draining_waits_for_the_rest_of_a_frame(void **state)
{
    struct talk *t = *state;
    uint8_t data[512];
    struct spop_frame f;
    size_t n = make_hello(data, sizeof data), at;

    feed(t, data, n, n);
    at = t->n_said;
    n = make_notify(data, sizeof data, 9, 50);
    feed(t, data, n / 2, n);
    conn_drain(&t->conn);
    assert_false(conn_process(&t->conn));
    assert_int_equal(conn_output(&t->conn).n, 0);
    feed(t, data + n / 2, n - n / 2, n);
    assert_true(next_said(t, &at, &f));
    assert_int_equal(f.type, SPOP_ACK);
    assert_int_equal(f.stream_id, 9);
    assert_int_equal(goodbye_status(t, at), SPOP_NORMAL);
}

static void draining_an_idle_connection_says_goodbye(void **state)
{
    struct talk *t = *state;
    uint8_t data[512];
    size_t n = make_hello(data, sizeof data), at;

    feed(t, data, n, n);
    at = t->n_said;
    conn_drain(&t->conn);
    assert_false(conn_process(&t->conn));
    collect(t, OUT_ROOM);
    assert_int_equal(goodbye_status(t, at), SPOP_NORMAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_frame_is_lost_in_pieces_of_any_size),
        TEST(no_frame_is_lost_when_split_in_two_anywhere),
        TEST(answers_wait_for_room),
        TEST(hello_takes_the_smaller_frame_size),
        TEST(a_health_check_costs_no_memory),
        TEST(the_peers_disconnect_is_answered),
        TEST(faults_end_the_conversation),
        TEST(a_malformed_payload_ends_the_conversation),
        TEST(the_largest_frame_is_taken),
        TEST(draining_waits_for_the_rest_of_a_frame),
        TEST(draining_an_idle_connection_says_goodbye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
