#include "spoa/conn.h"

#include <stdlib.h>

enum { CONN_MAGIC = 0x53504f43 };

void conn_init(struct conn *c, struct responder *responder, const struct clock *clock,
               struct counters *counters, void (*wake)(struct defer_line *line))
{
    *c = (struct conn){
        .magic = CONN_MAGIC,
        .state = CONN_NEW,
        .frame_size = CONN_HELLO_ROOM - SPOP_LENGTH_SIZE,
        .responder = responder,
        .clock = clock,
        .counters = counters,
        .line = {.wake = wake},
        .in_size = CONN_HELLO_ROOM,
        .out_size = CONN_GREETING_ROOM,
    };
    c->in = c->small;
    c->out = c->small + CONN_HELLO_ROOM;
}

/* No answer can be given any more. */
static void forget_deferred(struct conn *c)
{
    if (c->line.first != NULL)
        defer_forget(c->responder->defer, &c->line, c->counters);
}

void conn_cleanup(struct conn *c)
{
    CC_ASSERT(c->magic == CONN_MAGIC);
    forget_deferred(c);
    free(c->memory);
    c->memory = NULL;
    c->magic = 0;
}

size_t conn_room(struct conn *c, void **p)
{
    CC_ASSERT(c->magic == CONN_MAGIC);
    if (c->state == CONN_GOODBYE || c->state == CONN_CHECKED)
        c->in_start = c->in_end; /* nothing more is believed: throw it away */
    if (c->in_start > 0) {
        memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
        c->in_end -= c->in_start;
        c->in_start = 0;
    }
    *p = c->in + c->in_end;
    return c->in_size - c->in_end;
}

void conn_received(struct conn *c, size_t n)
{
    CC_ASSERT(n <= c->in_size - c->in_end);
    c->in_end += n;
}

struct slice conn_output(const struct conn *c)
{
    return slice_make(c->out + c->out_start, c->out_end - c->out_start);
}

void conn_sent(struct conn *c, size_t n)
{
    CC_ASSERT(n <= c->out_end - c->out_start);
    c->out_start += n;
    if (c->out_start == c->out_end)
        c->out_start = c->out_end = 0;
}

/* Room behind what waits in the output, after moving that to the front. */
static size_t output_room(struct conn *c)
{
    if (c->out_start > 0) {
        memmove(c->out, c->out + c->out_start, c->out_end - c->out_start);
        c->out_end -= c->out_start;
        c->out_start = 0;
    }
    return c->out_size - c->out_end;
}

/* Ends the conversation: no frame of the peer is read after this. Before HELLO the output is empty,
 * and after it conn_process() asks for room for a whole answer first, so the frame always fits. */
static void say_goodbye(struct conn *c, enum spop_status status)
{
    c->out_end += spop_write_agent_disconnect(c->out + c->out_end, output_room(c), status);
    c->state = CONN_GOODBYE;
    c->status = status;
    forget_deferred(c);
    if (status != SPOP_NORMAL)
        counter_bump(&c->counters->protocol_errors);
}

/* The one allocation of a connection: an input frame and two answers. Two, so that there is room
 * for a whole answer while those of the frames before it still wait for one common write. The input
 * also takes what came behind the HELLO in the same read, which may be more than a small frame. */
static bool allocate_buffers(struct conn *c, size_t frame_size)
{
    size_t whole = SPOP_LENGTH_SIZE + frame_size;
    size_t in_size = whole > CONN_HELLO_ROOM ? whole : CONN_HELLO_ROOM;
    size_t left = c->in_end - c->in_start;
    uint8_t *memory = malloc(in_size + 2 * whole);

    if (memory == NULL)
        return false;
    memcpy(memory, c->in + c->in_start, left);
    c->memory = memory;
    c->in = memory;
    c->in_size = in_size;
    c->in_start = 0;
    c->in_end = left;
    c->out = memory + in_size;
    c->out_size = 2 * whole;
    c->frame_size = frame_size;
    return true;
}

static void on_hello(struct conn *c, const struct spop_frame *f)
{
    struct spop_hello hello;
    enum spop_status status = spop_read_hello(f, &hello);
    size_t frame_size;

    if (status != SPOP_NORMAL) {
        say_goodbye(c, status);
        return;
    }
    /* a fixed answer would break as soon as the operator lowers tune.bufsize */
    frame_size = hello.max_frame_size < SPOP_MAX_FRAME_SIZE ? (size_t)hello.max_frame_size
                                                            : SPOP_MAX_FRAME_SIZE;
    if (!hello.healthcheck && !allocate_buffers(c, frame_size)) {
        say_goodbye(c, SPOP_RESOURCE);
        return;
    }
    /* pipelining may only be agreed to when it was offered; health checks offer nothing */
    c->out_end += spop_write_agent_hello(c->out + c->out_end, output_room(c), (uint32_t)frame_size,
                                         hello.pipelining);
    c->state = hello.healthcheck ? CONN_CHECKED : CONN_OPEN;
    counter_bump(hello.healthcheck ? &c->counters->health_checks : &c->counters->hellos);
}

static void add_answer(struct conn *c, size_t n)
{
    if (n == RESPONDER_LATER)
        return;
    CC_ASSERT(n <= c->out_size - c->out_end);
    c->out_end += n;
    counter_bump(&c->counters->notifies);
}

static void on_notify(struct conn *c, const struct spop_frame *f)
{
    size_t n = c->responder->answer(c->responder, f, &c->line, c->clock, c->counters,
                                    c->out + c->out_end, c->frame_size);

    if (n == 0)
        say_goodbye(c, SPOP_INVALID);
    else
        add_answer(c, n);
}

/* What has waited comes before what has not been looked at yet. */
static void on_ready(struct conn *c)
{
    add_answer(c, c->responder->answer_ready(c->responder, &c->line, c->clock, c->counters,
                                             c->out + c->out_end, c->frame_size));
}

static void on_frame(struct conn *c, struct slice body)
{
    struct spop_frame f;
    enum spop_status status = spop_read_frame(body, &f);

    if (status != SPOP_NORMAL)
        say_goodbye(c, status);
    else if (f.type == SPOP_HAPROXY_DISCONNECT)
        say_goodbye(c, SPOP_NORMAL);
    else if (c->state == CONN_NEW && f.type == SPOP_HAPROXY_HELLO)
        on_hello(c, &f);
    else if (c->state == CONN_OPEN && f.type == SPOP_NOTIFY)
        on_notify(c, &f);
    else
        say_goodbye(c, SPOP_INVALID);
}

/* Takes the next whole frame off the input. False: there is none yet, or its length is impossible
 * and the conversation has been ended. */
static bool next_frame(struct conn *c, struct slice *body)
{
    const uint8_t *p = c->in + c->in_start;
    size_t have = c->in_end - c->in_start;
    size_t length;

    if (have < SPOP_LENGTH_SIZE)
        return false;
    length = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (length > c->frame_size) {
        say_goodbye(c, SPOP_TOO_BIG);
        return false;
    }
    if (have - SPOP_LENGTH_SIZE < length)
        return false;
    *body = slice_make(p + SPOP_LENGTH_SIZE, length);
    c->in_start += SPOP_LENGTH_SIZE + length;
    return true;
}

static bool is_talking(const struct conn *c)
{
    return c->state == CONN_NEW || c->state == CONN_OPEN;
}

bool conn_process(struct conn *c)
{
    struct slice body;

    CC_ASSERT(c->magic == CONN_MAGIC);
    while (is_talking(c)) {
        /* before a frame is taken: any answer must fit. Before HELLO nothing is in the output. */
        if (c->state == CONN_OPEN && output_room(c) < SPOP_LENGTH_SIZE + c->frame_size)
            return true;
        if (c->line.first_ready != NULL) {
            on_ready(c);
            continue;
        }
        if (!next_frame(c, &body))
            break;
        on_frame(c, body);
    }
    if (c->draining && c->in_start == c->in_end && c->line.n == 0 && c->state != CONN_GOODBYE)
        say_goodbye(c, SPOP_NORMAL);
    return false;
}

void conn_drain(struct conn *c)
{
    c->draining = true;
}
