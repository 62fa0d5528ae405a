/* The SPOP codec: check values of SPOE.txt and of frames captured from HAProxy. */
#include "regress/tools/spop_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct spop_reader reader(const void *p, size_t n)
{
    return (struct spop_reader){p, (const uint8_t *)p + n};
}

struct varint_case {
    uint64_t value;
    size_t n;
    uint8_t bytes[10];
};

static const struct varint_case varints[] = {
    {0, 1, {0x00}},
    {239, 1, {0xef}},
    {240, 2, {0xf0, 0x00}},
    {255, 2, {0xff, 0x00}},
    {2287, 2, {0xff, 0x7f}},
    {2288, 3, {0xf0, 0x80, 0x00}},
    {16380, 3, {0xfc, 0xf0, 0x06}},
    {(uint64_t)INT64_C(-3), 10, {0xfd, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0e}},
    {UINT64_MAX, 10, {0xff, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0e}},
};

static void varint_check_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof varints / sizeof *varints; i++) {
        const struct varint_case *c = &varints[i];
        struct spop_reader r = reader(c->bytes, c->n);
        uint8_t room[16];
        struct spop_writer w = {room, room, room + sizeof room, false};
        uint64_t v = 1;

        assert_true(spop_read_varint(&r, &v));
        assert_int_equal(v, c->value);
        assert_ptr_equal(r.p, r.end);
        spop_put_varint(&w, c->value);
        assert_int_equal(w.p - w.start, c->n);
        assert_memory_equal(room, c->bytes, c->n);
        for (size_t cut = 0; cut < c->n; cut++) {
            r = reader(c->bytes, cut);
            assert_false(spop_read_varint(&r, &v));
            assert_ptr_equal(r.p, c->bytes); /* a failed read does not move */
        }
    }
}

static void varint_round_trip_at_each_size(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int64_t d = -300; d <= 300; d += 7) {
            uint64_t value = (UINT64_C(1) << shift) + (uint64_t)d, back = 0;
            uint8_t room[16];
            struct spop_writer w = {room, room, room + sizeof room, false};
            struct spop_reader r;

            spop_put_varint(&w, value);
            r = reader(room, (size_t)(w.p - w.start));
            assert_true(spop_read_varint(&r, &back));
            assert_int_equal(back, value);
            assert_ptr_equal(r.p, r.end);
        }
    }
}

static void varint_refuses_what_does_not_fit(void **state)
{
    /* an eleventh byte, the top bits beyond 64, and a sum that overflows */
    static const uint8_t eleven[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0x00};
    static const uint8_t high[] = {0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10};
    static const uint8_t sum[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f};
    struct spop_reader r;
    uint64_t v;

    (void)state;
    r = reader(eleven, sizeof eleven);
    assert_false(spop_read_varint(&r, &v));
    r = reader(high, sizeof high);
    assert_false(spop_read_varint(&r, &v));
    r = reader(sum, sizeof sum);
    assert_false(spop_read_varint(&r, &v));
}

static void values_of_each_type(void **state)
{
    static const uint8_t bytes[] = {
        0x00,                                                             /* NULL */
        0x11,                                                             /* true */
        0x01,                                                             /* false */
        0x02, 0xfd, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0e, /* INT32 -3 */
        0x03, 0xfc, 0xf0, 0x06,                                           /* UINT32 16380 */
        0x04, 0x2a,                                                       /* INT64 42 */
        0x05, 0xef,                                                       /* UINT64 239 */
        0x06, 127,  0,    0,    1,                                        /* IPV4 */
        0x07, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0,    1, /* IPV6 */
        0x08, 0x03, 'G',  'E',  'T',     /* STRING */
        0x09, 0x00,                      /* BINARY, empty */
    };
    static const enum spop_type types[] = {SPOP_NULL,   SPOP_BOOL,   SPOP_BOOL,   SPOP_INT32,
                                           SPOP_UINT32, SPOP_INT64,  SPOP_UINT64, SPOP_IPV4,
                                           SPOP_IPV6,   SPOP_STRING, SPOP_BINARY};
    static const int64_t integers[] = {0, 0, 0, -3, 16380, 42, 239, 0, 0, 0, 0};
    static const size_t sizes[] = {0, 0, 0, 0, 0, 0, 0, 4, 16, 3, 0};
    struct spop_reader r = reader(bytes, sizeof bytes);

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct spop_value v;

        assert_true(spop_read_value(&r, &v));
        assert_int_equal(v.type, types[i]);
        assert_int_equal(v.integer, integers[i]);
        assert_int_equal(v.boolean, i == 1);
        assert_int_equal(v.bytes.n, sizes[i]);
    }
    assert_ptr_equal(r.p, r.end);
}

static void values_that_are_refused(void **state)
{
    static const struct {
        size_t n;
        uint8_t bytes[12];
    } bad[] = {
        {0, {0}},                                                                 /* nothing */
        {2, {0x0a, 0x00}},                                                        /* unknown type */
        {1, {0x04}},                                                              /* no integer */
        {3, {0x08, 0x03, 'a'}},                                                   /* cut text */
        {4, {0x06, 1, 2, 3}},                                                     /* cut address */
        {11, {0x05, 0xff, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0e}}, /* 2^64 - 1 */
        {11, {0x08, 0xff, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0e}}, /* its length */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct spop_reader r = reader(bad[i].bytes, bad[i].n);
        struct spop_value v;

        assert_false(spop_read_value(&r, &v));
        assert_ptr_equal(r.p, bad[i].bytes);
    }
}

static struct slice body_of(const uint8_t *frame, size_t n)
{
    return slice_make(frame + SPOP_LENGTH_SIZE, n - SPOP_LENGTH_SIZE);
}

/* Captured from HAProxy 2.6.12: the first NOTIFY of a process; stream 0, frame 1, nine arguments.
 */
static const uint8_t notify[] = "\x03\x00\x00\x00\x01\x00\x01"
                                "\x0a"
                                "cc-request\x09"
                                "\x02id\x08$be9fa7b2-67ef-430c-9bc0-e2bdc4530459"
                                "\x03src\x06\x7f\x00\x00\x01"
                                "\x06method\x08\x03GET"
                                "\x04path\x08\x07/pets/7"
                                "\x05query\x08\x03x=1"
                                "\x04host\x08\x0f"
                                "api.example.com"
                                "\x03tls\x01"
                                "\x02h0\x08\x0c"
                                "Bearer a.b.c"
                                "\x02n0\x04\x01";

enum { NOTIFY_BYTES = sizeof notify - 1 };

/* How many arguments can be read before the message breaks; -1 when the head is broken. */
static int read_whole(struct slice body)
{
    struct spop_frame f;
    struct slice name;
    struct spop_value v;
    unsigned n_args;

    if (spop_read_frame(body, &f) != SPOP_NORMAL || !spop_read_message(&f.payload, &name, &n_args))
        return -1;
    for (unsigned i = 0; i < n_args; i++) {
        if (!spop_read_arg(&f.payload, &name, &v))
            return (int)i;
    }
    return (int)n_args;
}

static void a_frame_cut_at_each_byte(void **state)
{
    (void)state;
    assert_int_equal(read_whole(slice_make(notify, NOTIFY_BYTES)), 9);
    for (size_t cut = 0; cut < NOTIFY_BYTES; cut++) {
        /* an exact copy, so that the address sanitizer sees a read of one byte too many */
        uint8_t *copy = malloc(cut + 1);

        assert_non_null(copy);
        memcpy(copy + 1, notify, cut);
        assert_true(read_whole(slice_make(copy + 1, cut)) < 9);
        free(copy);
    }
}

static void frame_heads(void **state)
{
    uint8_t frame[] = {3, 0, 0, 0, 1, 0, 1};
    struct spop_frame f;

    (void)state;
    assert_int_equal(spop_read_frame(slice_make(frame, 7), &f), SPOP_NORMAL);
    assert_int_equal(f.type, SPOP_NOTIFY);
    assert_int_equal(f.stream_id, 0);
    assert_int_equal(f.frame_id, 1);
    assert_int_equal(spop_read_frame(slice_make(frame, 6), &f), SPOP_INVALID);
    assert_int_equal(spop_read_frame(SLICE_NONE, &f), SPOP_INVALID);
    frame[4] = 0; /* no FIN */
    assert_int_equal(spop_read_frame(slice_make(frame, 7), &f), SPOP_FRAGMENTED);
    frame[4] = 3; /* ABORT */
    assert_int_equal(spop_read_frame(slice_make(frame, 7), &f), SPOP_FRAGMENTED);
    frame[4] = 1;
    frame[0] = 0; /* a continuation */
    assert_int_equal(spop_read_frame(slice_make(frame, 7), &f), SPOP_FRAGMENTED);
    frame[0] = 3;
    frame[6] = 0xf0; /* the frame-id is cut */
    assert_int_equal(spop_read_frame(slice_make(frame, 7), &f), SPOP_INVALID);
}

static enum spop_status hello_status(const struct peer_hello *h, struct spop_hello *out)
{
    static uint8_t room[512];
    size_t n = peer_write_hello(room, sizeof room, h);
    struct spop_frame f;

    assert_true(n > 0);
    assert_int_equal(spop_read_frame(body_of(room, n), &f), SPOP_NORMAL);
    return spop_read_hello(&f, out);
}

static void hello_variations(void **state)
{
    struct peer_hello h = peer_hello_usual();
    struct spop_hello out;

    (void)state;
    assert_int_equal(hello_status(&h, &out), SPOP_NORMAL);
    assert_true(out.supports_2_0 && out.pipelining && !out.healthcheck);
    assert_int_equal(out.max_frame_size, 16380);
    assert_true(slice_is(out.engine_id, "6ba7b810-9dad-11d1"));

    h.engine_id = NULL;
    h.versions = "1.0, 2.0,3.0";
    h.capabilities = "async , pipelining";
    assert_int_equal(hello_status(&h, &out), SPOP_NORMAL);
    assert_true(out.pipelining);

    h.capabilities = "pipelining-not"; /* whole words only */
    h.max_frame_size = SPOP_MIN_FRAME_SIZE;
    assert_int_equal(hello_status(&h, &out), SPOP_NORMAL);
    assert_false(out.pipelining);

    /* the health check of all versions: no engine-id, no capabilities */
    h = (struct peer_hello){"2.0", "", 16380, NULL, true};
    assert_int_equal(hello_status(&h, &out), SPOP_NORMAL);
    assert_true(out.healthcheck && !out.pipelining);
}

static void hello_faults(void **state)
{
    const struct {
        struct peer_hello hello;
        enum spop_status status;
    } cases[] = {
        {{NULL, "pipelining", 16380, NULL, false}, SPOP_NO_VERSION},
        {{"1.0,20", "pipelining", 16380, NULL, false}, SPOP_BAD_VERSION},
        {{"2.0", "pipelining", 0, NULL, false}, SPOP_NO_FRAME_SIZE},
        {{"2.0", NULL, 16380, NULL, false}, SPOP_NO_CAPABILITIES},
        {{"2.0", "pipelining", 255, NULL, false}, SPOP_BAD_FRAME_SIZE},
        {{"2.0", "pipelining", -1, NULL, false}, SPOP_BAD_FRAME_SIZE},
    };
    struct spop_hello out;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hello_status(&cases[i].hello, &out), cases[i].status);
}

static void hello_skips_unknown_keys_and_refuses_broken_ones(void **state)
{
    uint8_t room[256];
    struct spop_writer w;
    struct spop_frame f;
    struct spop_hello out;
    size_t n;

    (void)state;
    spop_begin(&w, room, sizeof room, SPOP_HAPROXY_HELLO, 0, 0);
    peer_put_null(&w, "future");
    peer_put_text(&w, "capabilities", SLICE(""));
    peer_put_int(&w, "max-frame-size", 1000); /* any integer type */
    peer_put_text(&w, "supported-versions", SLICE("2.0"));
    n = spop_end(&w, sizeof room);
    assert_int_equal(spop_read_frame(body_of(room, n), &f), SPOP_NORMAL);
    assert_int_equal(spop_read_hello(&f, &out), SPOP_NORMAL);
    assert_int_equal(out.max_frame_size, 1000);

    assert_int_equal(spop_read_frame(body_of(room, n - 1), &f), SPOP_NORMAL);
    assert_int_equal(spop_read_hello(&f, &out), SPOP_INVALID);

    spop_begin(&w, room, sizeof room, SPOP_HAPROXY_HELLO, 0, 0);
    peer_put_text(&w, "max-frame-size", SLICE("16380"));
    n = spop_end(&w, sizeof room);
    assert_int_equal(spop_read_frame(body_of(room, n), &f), SPOP_NORMAL);
    assert_int_equal(spop_read_hello(&f, &out), SPOP_INVALID);
}

static void writers_say_when_it_does_not_fit(void **state)
{
    uint8_t room[128];
    struct spop_writer w;
    size_t whole;

    (void)state;
    whole = spop_write_agent_hello(room, sizeof room, 16380, true);
    assert_true(whole > 0);
    for (size_t size = 0; size < whole; size++)
        assert_int_equal(spop_write_agent_hello(room, size, 16380, true), 0);
    assert_int_equal(spop_write_agent_hello(room, whole, 16380, true), whole);

    /* room enough, but more than the peer's limit */
    spop_begin(&w, room, sizeof room, SPOP_ACK, 1, 1);
    spop_put_string(&w, SLICE("0123456789"));
    assert_int_equal(spop_end(&w, 18), 0);
    assert_int_equal(spop_end(&w, 19), 23);
}

static void agent_hello_bytes(void **state)
{
    static const uint8_t expected[] = "\x00\x00\x00\x40\x65\x00\x00\x00\x01\x00\x00"
                                      "\x07version\x08\x03"
                                      "2.0"
                                      "\x0emax-frame-size\x03\xfc\xf0\x06"
                                      "\x0c"
                                      "capabilities\x08\x0apipelining";
    uint8_t room[128];
    size_t n = spop_write_agent_hello(room, sizeof room, 16380, true);

    (void)state;
    assert_int_equal(n, sizeof expected - 1);
    assert_memory_equal(room, expected, n);
}

static void each_status_is_told(void **state)
{
    static const enum spop_status all[] = {
#define X(name, value, text) name,
        SPOP_STATUSES(X)
#undef X
    };
    uint8_t room[256];

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t n = spop_write_agent_disconnect(room, sizeof room, all[i]);

        assert_true(n > 0);
        assert_int_equal(peer_disconnect_status(body_of(room, n)), all[i]);
    }
    assert_string_equal(spop_status_text(3), "frame is too big");
    assert_string_equal(spop_status_text(4711), "a status of the peer's own");
}

static void set_var_bytes(void **state)
{
    static const uint8_t expected[] = "\x01\x03\x02\x07verdict\x08\x05"
                                      "allow";
    uint8_t room[64];
    struct spop_writer w = {room, room, room + sizeof room, false};

    (void)state;
    spop_put_set_var(&w, SPOP_TXN, SLICE("verdict"));
    spop_put_string(&w, SLICE("allow"));
    assert_int_equal(w.p - w.start, sizeof expected - 1);
    assert_memory_equal(room, expected, sizeof expected - 1);
}

/* In one step the same bytes as in two, around the lengths that take more than a byte; and nothing
 * behind the end of the room. */
static void text_var_bytes(void **state)
{
    static const char text[300] = "a value";
    uint8_t one[2 * sizeof(text) + 16], two[sizeof(one)];
    struct spop_writer w;
    size_t size;

    (void)state;
    for (size_t name_n = 1; name_n < sizeof(text); name_n += name_n == 1 ? 237 : 1) {
        for (size_t n = 0; n < sizeof(text); n += n == 0 ? 237 : 1) {
            struct slice name = slice_make(text, name_n), value = slice_make(text, n);

            w = (struct spop_writer){two, two, two + sizeof(two), false};
            spop_put_set_var(&w, SPOP_SESS, name);
            spop_put_string(&w, value);
            assert_false(w.overflow);
            size = (size_t)(w.p - w.start);
            w = (struct spop_writer){one, one, one + size, false};
            spop_put_text_var(&w, SPOP_SESS, name, value);
            assert_false(w.overflow);
            assert_memory_equal(one, two, size);
            one[size - 1] = 0xee;
            w = (struct spop_writer){one, one, one + size - 1, false};
            spop_put_text_var(&w, SPOP_SESS, name, value);
            assert_true(w.overflow);
            assert_int_equal(one[size - 1], 0xee);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varint_check_values),
        cmocka_unit_test(varint_round_trip_at_each_size),
        cmocka_unit_test(varint_refuses_what_does_not_fit),
        cmocka_unit_test(values_of_each_type),
        cmocka_unit_test(values_that_are_refused),
        cmocka_unit_test(a_frame_cut_at_each_byte),
        cmocka_unit_test(frame_heads),
        cmocka_unit_test(hello_variations),
        cmocka_unit_test(hello_faults),
        cmocka_unit_test(hello_skips_unknown_keys_and_refuses_broken_ones),
        cmocka_unit_test(writers_say_when_it_does_not_fit),
        cmocka_unit_test(agent_hello_bytes),
        cmocka_unit_test(each_status_is_told),
        cmocka_unit_test(set_var_bytes),
        cmocka_unit_test(text_var_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
