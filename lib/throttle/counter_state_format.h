/* What the state file looks like (private to throttle). All numbers are little-endian.
 *
 *     header   magic, version (4), 0 (4), secret (16), boot (40), monotonic (8), wall (8), checksum
 *     block    bytes of its records (4), how many they are (4), its index (8); the records;
 * checksum
 *     ...
 *     block    the last one has no records
 *
 * A checksum is SipHash under the header's secret of all bytes of the header or block before it. */
#pragma once

#include "throttle/counter_internal.h"
#include "throttle/counter_state.h"

/* What a record begins with: bytes, member of struct counter_entry. The label follows, and of
 * sliding windows the marks of all full chunks, oldest first, as their ages in ticks at the
 * header's time. */
#define STATE_FIELDS(X) \
    X(8, hash[0])       \
    X(8, hash[1])       \
    X(8, used)          \
    X(8, max)           \
    X(8, shape)         \
    X(8, at_us)         \
    X(8, end_us)        \
    X(8, asked_us)      \
    X(8, over)          \
    X(8, burst_end_us)  \
    X(4, burst_used)    \
    X(4, burst_max)     \
    X(4, takes)         \
    X(1, head)          \
    X(1, full)          \
    X(1, mode)          \
    X(1, bytes)         \
    X(1, cut)           \
    X(1, label_n)

enum {
    STATE_VERSION = 1,
    STATE_SUM_BYTES = 8,
    STATE_HEADER_BYTES = 8 + 4 + 4 + 16 + COUNTER_BOOT_BYTES + 8 + 8,
    STATE_BLOCK_BYTES = 4 + 4 + 8,
#define X(size, member) +size
    STATE_RECORD_BYTES = STATE_FIELDS(X),
#undef X
    STATE_RECORD_MAX = STATE_RECORD_BYTES + COUNTER_LABEL_BYTES + 4 * CHUNKS
};

#define STATE_MAGIC "cc-count"
