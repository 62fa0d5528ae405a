/* spop: the Stream Processing Offload Protocol 2.0, frames in and out.
 *
 * Pure coding over caller's memory: no I/O, no allocation. Readers believe nothing and stop at the
 * first broken byte; writers write into bounded room and say when it is full. Names follow
 * HAProxy's doc/SPOE.txt (sections 3.2 and 3.3). */
#pragma once

#include "base/base.h"

#include <netinet/in.h>

enum {
    SPOP_MIN_FRAME = 7, /* type, flags and two one-byte varints: shorter frames are errors */
    SPOP_MIN_FRAME_SIZE = 256,
    SPOP_MAX_FRAME_SIZE = 65532, /* the largest max-frame-size we agree to */
    SPOP_LENGTH_SIZE = 4
};

enum spop_frame_type {
    SPOP_HAPROXY_HELLO = 1,
    SPOP_HAPROXY_DISCONNECT = 2,
    SPOP_NOTIFY = 3,
    SPOP_AGENT_HELLO = 101,
    SPOP_AGENT_DISCONNECT = 102,
    SPOP_ACK = 103
};

/* Status codes of DISCONNECT frames (SPOE.txt 3.2.9). */
#define SPOP_STATUSES(X)                                             \
    X(SPOP_NORMAL, 0, "normal")                                      \
    X(SPOP_IO, 1, "I/O error")                                       \
    X(SPOP_TIMEOUT, 2, "a timeout occurred")                         \
    X(SPOP_TOO_BIG, 3, "frame is too big")                           \
    X(SPOP_INVALID, 4, "invalid frame received")                     \
    X(SPOP_NO_VERSION, 5, "version value not found")                 \
    X(SPOP_NO_FRAME_SIZE, 6, "max-frame-size value not found")       \
    X(SPOP_NO_CAPABILITIES, 7, "capabilities value not found")       \
    X(SPOP_BAD_VERSION, 8, "unsupported version")                    \
    X(SPOP_BAD_FRAME_SIZE, 9, "max-frame-size too big or too small") \
    X(SPOP_FRAGMENTED, 10, "payload fragmentation is not supported") \
    X(SPOP_INTERLACED, 11, "invalid interlaced frames")              \
    X(SPOP_NO_FRAME_ID, 12, "frame-id not found")                    \
    X(SPOP_RESOURCE, 13, "resource allocation error")                \
    X(SPOP_UNKNOWN, 99, "an unknown error occurred")

enum spop_status {
#define X(name, value, text) name = value,
    SPOP_STATUSES(X)
#undef X
};
const char *spop_status_text(uint64_t status);

/* A reader over bytes that were received; it only moves forward. */
struct spop_reader {
    const uint8_t *p, *end;
};

struct spop_frame {
    uint8_t type;
    uint32_t flags;
    uint64_t stream_id, frame_id;
    struct spop_reader payload;
};

/* Takes the frame body (without the 4 length bytes) apart. SPOP_NORMAL, or the status that the
 * peer must be told before the connection is closed. Frames without FIN, with ABORT, or of type 0
 * are SPOP_FRAGMENTED. */
enum spop_status spop_read_frame(struct slice body, struct spop_frame *out);

/* Varint of at most 10 bytes; false when it is cut, overlong or overflows 64 bits. */
bool spop_read_varint(struct spop_reader *r, uint64_t *out);
/* A name: varint length and bytes, no type byte. */
bool spop_read_name(struct spop_reader *r, struct slice *out);

enum spop_type {
    SPOP_NULL,
    SPOP_BOOL,
    SPOP_INT32,
    SPOP_UINT32,
    SPOP_INT64,
    SPOP_UINT64,
    SPOP_IPV4,
    SPOP_IPV6,
    SPOP_STRING,
    SPOP_BINARY
};

struct spop_value {
    enum spop_type type;
    bool boolean;       /* SPOP_BOOL */
    int64_t integer;    /* the four integer types; UINT64 above INT64_MAX is refused */
    struct slice bytes; /* STRING, BINARY, and the raw 4 or 16 bytes of addresses */
};
bool spop_read_value(struct spop_reader *r, struct spop_value *out);

/* HELLO from HAProxy. */
struct spop_hello {
    bool supports_2_0;
    uint64_t max_frame_size;
    bool pipelining;
    bool healthcheck;
    struct slice engine_id;
};
/* SPOP_NORMAL or the status to disconnect with. Unknown keys are skipped; keys in any order. */
enum spop_status spop_read_hello(const struct spop_frame *f, struct spop_hello *out);

/* A NOTIFY is a list of messages: name, argument count, then (name, value) pairs. */
bool spop_read_message(struct spop_reader *r, struct slice *name, unsigned *n_args);
bool spop_read_arg(struct spop_reader *r, struct slice *name, struct spop_value *out);

/* Writers. A frame is begun, filled and ended; spop_end() fills in the length and returns false
 * when it did not fit (`max_frame` or the room), in which case nothing was added. */
struct spop_writer {
    uint8_t *start, *p, *end; /* the caller's room */
    bool overflow;
};

void spop_begin(struct spop_writer *w, void *room, size_t size, enum spop_frame_type type,
                uint64_t stream_id, uint64_t frame_id);
/* Bytes of the finished frame, length prefix included; 0 when it overflowed or is larger than
 * max_frame (which does not count the prefix). */
size_t spop_end(struct spop_writer *w, size_t max_frame);

void spop_put_varint(struct spop_writer *w, uint64_t v);
void spop_put_name(struct spop_writer *w, struct slice name);
void spop_put_string(struct spop_writer *w, struct slice value); /* with type byte */
void spop_put_int(struct spop_writer *w, int64_t value);         /* INT64 */
void spop_put_uint32(struct spop_writer *w, uint32_t value);
void spop_put_bool(struct spop_writer *w, bool value);

enum spop_scope { SPOP_PROC, SPOP_SESS, SPOP_TXN, SPOP_REQ, SPOP_RES };
/* The ACTION-SET-VAR head; a value follows. */
void spop_put_set_var(struct spop_writer *w, enum spop_scope scope, struct slice name);
/* All of it: the head, and a STRING. */
void spop_put_text_var(struct spop_writer *w, enum spop_scope scope, struct slice name,
                       struct slice value);

/* Whole frames. 0 when the room is too small. */
size_t spop_write_agent_hello(void *room, size_t size, uint32_t max_frame_size, bool pipelining);
size_t spop_write_agent_disconnect(void *room, size_t size, enum spop_status status);
