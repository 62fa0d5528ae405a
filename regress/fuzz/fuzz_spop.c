/* SPOP frames from a hostile peer: the reader of every value, and a whole connection fed in pieces.
 *
 * Input: one byte that sets the size of the pieces, then what the peer sends. */
#include "regress/tools/spop_peer.h"
#include "spoa/conn.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all arguments of all messages, as the agent does, and answers with a fixed verdict. */
static size_t fuzz_answer(struct responder *self, const struct spop_frame *notify,
                          struct defer_line *line, const struct clock *clock,
                          struct counters *counters, void *room, size_t max_frame)
{
    struct spop_reader r = notify->payload;
    struct spop_writer w;
    struct slice name;
    struct spop_value v;
    unsigned n_args;

    (void)self;
    (void)line;
    (void)clock;
    (void)counters;
    while (r.p < r.end) {
        if (!spop_read_message(&r, &name, &n_args))
            return 0;
        while (n_args-- > 0) {
            if (!spop_read_arg(&r, &name, &v))
                return 0;
        }
    }
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, notify->stream_id,
               notify->frame_id);
    spop_put_set_var(&w, SPOP_TXN, SLICE("verdict"));
    spop_put_string(&w, SLICE("deny"));
    return spop_end(&w, max_frame);
}

/* All that the agent says must be whole frames that its peer can read. */
static void check_output(struct slice out)
{
    while (out.n > 0) {
        size_t n = peer_frame_bytes(out);
        struct spop_frame f;

        CC_ASSERT(n > SPOP_LENGTH_SIZE);
        CC_ASSERT(spop_read_frame(slice_from(slice_first(out, n), SPOP_LENGTH_SIZE), &f) ==
                  SPOP_NORMAL);
        out = slice_from(out, n);
    }
}

static void run_connection(const uint8_t *data, size_t size, size_t piece)
{
    struct responder responder = {.answer = fuzz_answer};
    struct counters counters = {0};
    struct conn conn;

    conn_init(&conn, &responder, &clock_system, &counters, NULL);
    while (size > 0) {
        void *room;
        size_t n = conn_room(&conn, &room);
        bool more;

        CC_ASSERT(n > 0);
        n = n < piece ? n : piece;
        n = n < size ? n : size;
        memcpy(room, data, n);
        conn_received(&conn, n);
        data += n;
        size -= n;
        do {
            more = conn_process(&conn);
            check_output(conn_output(&conn));
            conn_sent(&conn, conn_output(&conn).n);
        } while (more);
    }
    conn_drain(&conn);
    conn_process(&conn);
    check_output(conn_output(&conn));
    conn_cleanup(&conn);
}

/* What was read as a varint is written back as the same bytes: the coding has one form a value. */
static void check_varint(const uint8_t *data, size_t size)
{
    struct spop_reader r = {data, data + size};
    uint8_t room[16];
    struct spop_writer w = {room, room, room + sizeof room, false};
    uint64_t v;

    if (!spop_read_varint(&r, &v))
        return;
    spop_put_varint(&w, v);
    CC_ASSERT(w.p - w.start == r.p - data && memcmp(room, data, (size_t)(w.p - w.start)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    check_varint(data + 1, size - 1);
    run_connection(data + 1, size - 1, data[0] == 0 ? 1 << 20 : data[0]);
    return 0;
}
