#include "spoa/spop.h"

enum {
    FLAG_FIN = 0x01,
    ACTION_SET_VAR = 1,
    SET_VAR_ARGS = 3,
    VALUE_TRUE = 0x10,
    VARINT_ONE_BYTE = 240
};

/* n bytes of room, or NULL and the writer has overflowed for good. */
static uint8_t *take(struct spop_writer *w, size_t n)
{
    uint8_t *p = w->p;

    if (w->overflow || n > (size_t)(w->end - p)) {
        w->overflow = true;
        return NULL;
    }
    w->p += n;
    return p;
}

static void put_byte(struct spop_writer *w, unsigned byte)
{
    uint8_t *p = take(w, 1);

    if (p != NULL)
        *p = (uint8_t)byte;
}

static void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

void spop_begin(struct spop_writer *w, void *room, size_t size, enum spop_frame_type type,
                uint64_t stream_id, uint64_t frame_id)
{
    uint8_t *head;

    *w = (struct spop_writer){room, room, (uint8_t *)room + size, false};
    head = take(w, SPOP_LENGTH_SIZE + 1 + 4);
    if (head == NULL)
        return;
    /* the length is known only in spop_end() */
    head[SPOP_LENGTH_SIZE] = (uint8_t)type;
    put_be32(head + SPOP_LENGTH_SIZE + 1, FLAG_FIN);
    spop_put_varint(w, stream_id);
    spop_put_varint(w, frame_id);
}

size_t spop_end(struct spop_writer *w, size_t max_frame)
{
    size_t total = (size_t)(w->p - w->start);

    if (w->overflow || total - SPOP_LENGTH_SIZE > max_frame)
        return 0;
    put_be32(w->start, (uint32_t)(total - SPOP_LENGTH_SIZE));
    return total;
}

void spop_put_varint(struct spop_writer *w, uint64_t v)
{
    if (v < VARINT_ONE_BYTE) {
        put_byte(w, (unsigned)v);
        return;
    }
    put_byte(w, (unsigned)(v & 0xff) | 0xf0);
    v = (v - VARINT_ONE_BYTE) >> 4;
    while (v >= 128) {
        put_byte(w, (unsigned)(v & 0xff) | 0x80);
        v = (v - 128) >> 7;
    }
    put_byte(w, (unsigned)v);
}

void spop_put_name(struct spop_writer *w, struct slice name)
{
    uint8_t *p;

    spop_put_varint(w, name.n);
    p = take(w, name.n);
    if (p != NULL && name.n > 0)
        memcpy(p, name.p, name.n);
}

void spop_put_string(struct spop_writer *w, struct slice value)
{
    put_byte(w, SPOP_STRING);
    spop_put_name(w, value);
}

void spop_put_int(struct spop_writer *w, int64_t value)
{
    put_byte(w, SPOP_INT64);
    spop_put_varint(w, (uint64_t)value);
}

void spop_put_uint32(struct spop_writer *w, uint32_t value)
{
    put_byte(w, SPOP_UINT32);
    spop_put_varint(w, value);
}

void spop_put_bool(struct spop_writer *w, bool value)
{
    put_byte(w, SPOP_BOOL | (value ? VALUE_TRUE : 0u));
}

void spop_put_set_var(struct spop_writer *w, enum spop_scope scope, struct slice name)
{
    uint8_t *p = take(w, 3);

    if (p == NULL)
        return;
    p[0] = ACTION_SET_VAR;
    p[1] = SET_VAR_ARGS;
    p[2] = (uint8_t)scope;
    spop_put_name(w, name);
}

/* Nearly all of a reply is made of these, with short texts: room is asked for once. */
void spop_put_text_var(struct spop_writer *w, enum spop_scope scope, struct slice name,
                       struct slice value)
{
    uint8_t *p;

    if (name.n >= VARINT_ONE_BYTE || value.n >= VARINT_ONE_BYTE) {
        spop_put_set_var(w, scope, name);
        spop_put_string(w, value);
        return;
    }
    p = take(w, 3 + 1 + name.n + 1 + 1 + value.n);
    if (p == NULL)
        return;
    *p++ = ACTION_SET_VAR;
    *p++ = SET_VAR_ARGS;
    *p++ = (uint8_t)scope;
    *p++ = (uint8_t)name.n;
    memcpy(p, name.p, name.n);
    p += name.n;
    *p++ = SPOP_STRING;
    *p++ = (uint8_t)value.n;
    if (value.n > 0)
        memcpy(p, value.p, value.n);
}

size_t spop_write_agent_hello(void *room, size_t size, uint32_t max_frame_size, bool pipelining)
{
    struct spop_writer w;

    spop_begin(&w, room, size, SPOP_AGENT_HELLO, 0, 0);
    spop_put_name(&w, SLICE("version"));
    spop_put_string(&w, SLICE("2.0"));
    spop_put_name(&w, SLICE("max-frame-size"));
    spop_put_uint32(&w, max_frame_size);
    spop_put_name(&w, SLICE("capabilities"));
    spop_put_string(&w, pipelining ? SLICE("pipelining") : SLICE(""));
    return spop_end(&w, max_frame_size);
}

size_t spop_write_agent_disconnect(void *room, size_t size, enum spop_status status)
{
    struct spop_writer w;

    spop_begin(&w, room, size, SPOP_AGENT_DISCONNECT, 0, 0);
    spop_put_name(&w, SLICE("status-code"));
    spop_put_uint32(&w, (uint32_t)status);
    spop_put_name(&w, SLICE("message"));
    spop_put_string(&w, slice_of(spop_status_text((uint64_t)status)));
    return spop_end(&w, SPOP_MAX_FRAME_SIZE);
}
