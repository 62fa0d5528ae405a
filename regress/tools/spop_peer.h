/* The other end of SPOP, HAProxy's, for tests and tools: what the agent itself never needs. */
#pragma once

#include "spoa/spop.h"

enum { PEER_ACTION_SET_VAR = 1, PEER_ACTION_UNSET_VAR = 2 };

struct peer_hello {
    const char *versions; /* NULL leaves the key out, in all three */
    const char *capabilities;
    int64_t max_frame_size; /* 0 = leave out */
    const char *engine_id;
    bool healthcheck;
};

/* What HAProxy 2.6 sends on a fresh connection. */
static inline struct peer_hello peer_hello_usual(void)
{
    return (struct peer_hello){"2.0", "pipelining,async", 16380, "6ba7b810-9dad-11d1", false};
}

static inline size_t peer_write_hello(void *room, size_t size, const struct peer_hello *h)
{
    struct spop_writer w;

    spop_begin(&w, room, size, SPOP_HAPROXY_HELLO, 0, 0);
    if (h->versions != NULL) {
        spop_put_name(&w, SLICE("supported-versions"));
        spop_put_string(&w, slice_of(h->versions));
    }
    if (h->max_frame_size != 0) {
        spop_put_name(&w, SLICE("max-frame-size"));
        if (h->max_frame_size > 0 && h->max_frame_size <= UINT32_MAX)
            spop_put_uint32(&w, (uint32_t)h->max_frame_size);
        else
            spop_put_int(&w, h->max_frame_size);
    }
    if (h->capabilities != NULL) {
        spop_put_name(&w, SLICE("capabilities"));
        spop_put_string(&w, slice_of(h->capabilities));
    }
    if (h->engine_id != NULL) {
        spop_put_name(&w, SLICE("engine-id"));
        spop_put_string(&w, slice_of(h->engine_id));
    }
    if (h->healthcheck) {
        spop_put_name(&w, SLICE("healthcheck"));
        spop_put_bool(&w, true);
    }
    return spop_end(&w, SPOP_MAX_FRAME_SIZE);
}

static inline size_t peer_write_disconnect(void *room, size_t size)
{
    struct spop_writer w;

    spop_begin(&w, room, size, SPOP_HAPROXY_DISCONNECT, 0, 0);
    spop_put_name(&w, SLICE("status-code"));
    spop_put_uint32(&w, SPOP_NORMAL);
    spop_put_name(&w, SLICE("message"));
    spop_put_string(&w, SLICE("normal"));
    return spop_end(&w, SPOP_MAX_FRAME_SIZE);
}

/* A NOTIFY with one message. The caller adds n_args pairs and calls spop_end(). */
static inline void peer_begin_notify(struct spop_writer *w, void *room, size_t size,
                                     uint64_t stream, uint64_t frame, const char *message,
                                     uint8_t n_args)
{
    spop_begin(w, room, size, SPOP_NOTIFY, stream, frame);
    spop_put_name(w, slice_of(message));
    spop_put_varint(w, n_args); /* one byte below 240, which is as many as we send */
}

static inline void peer_put_text(struct spop_writer *w, const char *name, struct slice value)
{
    spop_put_name(w, slice_of(name));
    spop_put_string(w, value);
}

static inline void peer_put_int(struct spop_writer *w, const char *name, int64_t value)
{
    spop_put_name(w, slice_of(name));
    spop_put_int(w, value);
}

static inline void peer_put_null(struct spop_writer *w, const char *name)
{
    spop_put_name(w, slice_of(name));
    spop_put_varint(w, SPOP_NULL);
}

/* Bytes of the first whole frame in `data`, prefix included; 0 when there is none. */
static inline size_t peer_frame_bytes(struct slice data)
{
    const uint8_t *p = (const uint8_t *)data.p;
    size_t n;

    if (data.n < SPOP_LENGTH_SIZE)
        return 0;
    n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    return n <= data.n - SPOP_LENGTH_SIZE ? n + SPOP_LENGTH_SIZE : 0;
}

/* The next SET-VAR action; false at the end or on anything else. */
static inline bool peer_read_set_var(struct spop_reader *r, unsigned *scope, struct slice *name,
                                     struct spop_value *value)
{
    if (r->end - r->p < 3 || r->p[0] != PEER_ACTION_SET_VAR || r->p[1] != 3)
        return false;
    *scope = r->p[2];
    r->p += 3;
    return spop_read_arg(r, name, value);
}

/* The value that an ACK gives to `name`; false when it does not set it. */
static inline bool peer_ack_value(struct slice frame_body, const char *name,
                                  struct spop_value *value)
{
    struct spop_frame f;
    struct slice found;
    unsigned scope;

    if (spop_read_frame(frame_body, &f) != SPOP_NORMAL || f.type != SPOP_ACK)
        return false;
    while (peer_read_set_var(&f.payload, &scope, &found, value)) {
        if (slice_is(found, name))
            return true;
    }
    return false;
}

/* The status-code of an AGENT-DISCONNECT, or -1. */
static inline int64_t peer_disconnect_status(struct slice frame_body)
{
    struct spop_frame f;
    struct slice key;
    struct spop_value value;

    if (spop_read_frame(frame_body, &f) != SPOP_NORMAL || f.type != SPOP_AGENT_DISCONNECT)
        return -1;
    while (spop_read_arg(&f.payload, &key, &value)) {
        if (slice_is(key, "status-code"))
            return value.integer;
    }
    return -1;
}
