/* conn: one SPOP connection as a state machine over bytes; it knows no socket.
 *
 *     conn_room() -> bytes arrive -> conn_received() -> conn_process() -> conn_output() -> bytes
 *     leave -> conn_sent()
 *
 * The owner (link.c, or a test) moves the bytes. Memory is bounded: a small embedded buffer until
 * HELLO, so that health checks and strangers cost no more; after HELLO one allocation that holds
 * one input frame and two answers of the negotiated size.
 *
 * Protocol: the subset of SPOP 2.0 that all HAProxy versions from 2.6 speak: pipelining, no
 * fragmentation, no async. One thread at a time. */
#pragma once

#include "spoa/responder.h"

enum {
    CONN_HELLO_ROOM = 1024,   /* the largest first frame; HAProxy's has about 150 bytes */
    CONN_GREETING_ROOM = 256, /* AGENT-HELLO or AGENT-DISCONNECT */
};

enum conn_state {
    CONN_NEW,     /* waits for HELLO */
    CONN_OPEN,    /* answers NOTIFY */
    CONN_CHECKED, /* a health check was answered; HAProxy closes */
    CONN_GOODBYE  /* AGENT-DISCONNECT is in the output; input is thrown away */
};

struct conn {
    unsigned magic;
    enum conn_state state;
    enum spop_status status; /* why CONN_GOODBYE */
    bool draining;           /* say goodbye as soon as nothing is half received */
    size_t frame_size;       /* largest frame, without prefix; negotiated by HELLO */
    struct responder *responder;
    const struct clock *clock;
    struct counters *counters;
    struct defer_line line; /* frames that are answered later */
    uint8_t *in, *out;
    size_t in_size, in_start, in_end;
    size_t out_size, out_start, out_end;
    uint8_t *memory; /* both buffers after HELLO; NULL before */
    uint8_t small[CONN_HELLO_ROOM + CONN_GREETING_ROOM];
};

/* The responder, clock and counters must outlive it. `wake` is told, with &c->line, that an answer
 * is ready which was not before: call conn_process() soon, but not from there. NULL where the
 * responder defers nothing. */
void conn_init(struct conn *c, struct responder *responder, const struct clock *clock,
               struct counters *counters, void (*wake)(struct defer_line *line));
void conn_cleanup(struct conn *c);

/* Where received bytes go, and how many at most; 0 when conn_process() must free room first. */
size_t conn_room(struct conn *c, void **p);
/* n bytes were put there. */
void conn_received(struct conn *c, size_t n);

/* Answers what is ready and the whole frames in the input. True: it stopped because the output
 * might not take another answer; send some and call again. */
bool conn_process(struct conn *c);

/* What waits to be sent. */
struct slice conn_output(const struct conn *c);
void conn_sent(struct conn *c, size_t n);

/* The agent goes down: answer what has been received, also what waits, then AGENT-DISCONNECT(0). */
void conn_drain(struct conn *c);
