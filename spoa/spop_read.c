#include "spoa/spop.h"

enum { FLAG_FIN = 0x01, FLAG_ABORT = 0x02, TYPE_UNSET = 0, VALUE_TRUE = 0x10 };

/* A varint has one byte with 8 bits and up to nine more that add 7 bits each (SPOE.txt 3.1). The
 * coding is bijective: a value has exactly one form, so there is nothing overlong to detect but an
 * eleventh byte. */
bool spop_read_varint(struct spop_reader *r, uint64_t *out)
{
    const uint8_t *p = r->p;
    uint64_t value;

    if (p == r->end)
        return false;
    value = *p++;
    if (value >= 240) {
        unsigned shift = 4;
        uint8_t byte;

        do {
            if (p == r->end)
                return false;
            byte = *p++;
            /* the tenth byte starts at bit 60: it is the last, and only 4 of its bits exist */
            if (shift == 60 && byte > 0x0f)
                return false;
            if (__builtin_add_overflow(value, (uint64_t)byte << shift, &value))
                return false;
            shift += 7;
        } while (byte >= 128);
    }
    r->p = p;
    *out = value;
    return true;
}

static bool read_bytes(struct spop_reader *r, uint64_t n, struct slice *out)
{
    if (n > (uint64_t)(r->end - r->p))
        return false;
    *out = slice_make(r->p, (size_t)n);
    r->p += n;
    return true;
}

bool spop_read_name(struct spop_reader *r, struct slice *out)
{
    uint64_t n;

    return spop_read_varint(r, &n) && read_bytes(r, n, out);
}

enum spop_status spop_read_frame(struct slice body, struct spop_frame *out)
{
    const uint8_t *p = (const uint8_t *)body.p;
    struct spop_reader r;

    if (body.n < SPOP_MIN_FRAME)
        return SPOP_INVALID;
    out->type = p[0];
    out->flags = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    r = (struct spop_reader){p + 5, p + body.n};
    /* type 0 continues a fragmented frame; we never agree to fragmentation */
    if (out->type == TYPE_UNSET || !(out->flags & FLAG_FIN) || (out->flags & FLAG_ABORT))
        return SPOP_FRAGMENTED;
    if (!spop_read_varint(&r, &out->stream_id) || !spop_read_varint(&r, &out->frame_id))
        return SPOP_INVALID;
    out->payload = r;
    return SPOP_NORMAL;
}

/* Integers travel as the 64-bit two's complement pattern whatever their type says; HAProxy treats
 * the four types alike and so do we. */
static bool read_integer(struct spop_reader *r, struct spop_value *out)
{
    bool is_signed = out->type == SPOP_INT32 || out->type == SPOP_INT64;
    uint64_t pattern;

    if (!spop_read_varint(r, &pattern))
        return false;
    if (!is_signed && pattern > INT64_MAX)
        return false;
    out->integer = (int64_t)pattern;
    return true;
}

bool spop_read_value(struct spop_reader *r, struct spop_value *out)
{
    struct spop_reader start = *r;
    bool ok = false;
    uint8_t head;

    *out = (struct spop_value){.type = SPOP_NULL};
    if (r->p == r->end)
        return false;
    head = *r->p++;
    switch (head & 0x0f) {
    case SPOP_NULL:
        ok = true;
        break;
    case SPOP_BOOL:
        out->type = SPOP_BOOL;
        out->boolean = (head & VALUE_TRUE) != 0;
        ok = true;
        break;
    case SPOP_INT32:
    case SPOP_UINT32:
    case SPOP_INT64:
    case SPOP_UINT64:
        out->type = (enum spop_type)(head & 0x0f);
        ok = read_integer(r, out);
        break;
    case SPOP_IPV4:
        out->type = SPOP_IPV4;
        ok = read_bytes(r, sizeof(struct in_addr), &out->bytes);
        break;
    case SPOP_IPV6:
        out->type = SPOP_IPV6;
        ok = read_bytes(r, sizeof(struct in6_addr), &out->bytes);
        break;
    case SPOP_STRING:
    case SPOP_BINARY:
        out->type = (enum spop_type)(head & 0x0f);
        ok = spop_read_name(r, &out->bytes);
        break;
    }
    if (!ok)
        *r = start;
    return ok;
}

/* Is `word` an element of the comma-separated `list`? */
static bool list_has(struct slice list, struct slice word)
{
    struct slice part;

    while (slice_split(&list, ',', &part)) {
        if (slice_eq(slice_trim(part), word))
            return true;
    }
    return false;
}

/* What a HELLO said so far: a key that is missing is another status than one with a bad value. */
struct hello_seen {
    bool versions, frame_size, capabilities;
};

static enum spop_status hello_item(struct slice key, const struct spop_value *v,
                                   struct spop_hello *out, struct hello_seen *seen)
{
    bool is_text = v->type == SPOP_STRING;

    if (slice_eq(key, SLICE("supported-versions"))) {
        seen->versions = is_text;
        out->supports_2_0 = is_text && list_has(v->bytes, SLICE("2.0"));
    } else if (slice_eq(key, SLICE("max-frame-size"))) {
        if (v->type < SPOP_INT32 || v->type > SPOP_UINT64)
            return SPOP_INVALID;
        if (v->integer < SPOP_MIN_FRAME_SIZE)
            return SPOP_BAD_FRAME_SIZE;
        seen->frame_size = true;
        out->max_frame_size = (uint64_t)v->integer;
    } else if (slice_eq(key, SLICE("capabilities"))) {
        seen->capabilities = is_text;
        out->pipelining = is_text && list_has(v->bytes, SLICE("pipelining"));
    } else if (slice_eq(key, SLICE("healthcheck"))) {
        out->healthcheck = v->type == SPOP_BOOL && v->boolean;
    } else if (slice_eq(key, SLICE("engine-id"))) {
        out->engine_id = is_text ? v->bytes : SLICE_NONE;
    }
    return SPOP_NORMAL;
}

enum spop_status spop_read_hello(const struct spop_frame *f, struct spop_hello *out)
{
    struct spop_reader r = f->payload;
    struct hello_seen seen = {0};

    *out = (struct spop_hello){0};
    while (r.p < r.end) {
        struct slice key;
        struct spop_value value;
        enum spop_status status;

        if (!spop_read_name(&r, &key) || !spop_read_value(&r, &value))
            return SPOP_INVALID;
        status = hello_item(key, &value, out, &seen);
        if (status != SPOP_NORMAL)
            return status;
    }
    if (!seen.versions)
        return SPOP_NO_VERSION;
    if (!out->supports_2_0)
        return SPOP_BAD_VERSION;
    if (!seen.frame_size)
        return SPOP_NO_FRAME_SIZE;
    if (!seen.capabilities)
        return SPOP_NO_CAPABILITIES;
    return SPOP_NORMAL;
}

bool spop_read_message(struct spop_reader *r, struct slice *name, unsigned *n_args)
{
    if (!spop_read_name(r, name) || r->p == r->end)
        return false;
    *n_args = *r->p++;
    return true;
}

bool spop_read_arg(struct spop_reader *r, struct slice *name, struct spop_value *out)
{
    return spop_read_name(r, name) && spop_read_value(r, out);
}

const char *spop_status_text(uint64_t status)
{
    switch (status) {
#define X(name, value, text) \
    case name:               \
        return text;
        SPOP_STATUSES(X)
#undef X
    }
    return "a status of the peer's own";
}
