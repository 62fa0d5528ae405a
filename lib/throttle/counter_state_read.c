#include "throttle/counter_state_format.h"

/* Everything in the file is taken for what an enemy wrote: who can write it is checked, but a
 * mistake there must not become one here. First all of it is looked at, then all of it is used. */

enum { DAY_S = 86400, LONGEST_DAYS = 400 };

#define TIME_LIMIT_US  (INT64_C(1) << 53) /* of times in entries */
#define LONGEST_US     (INT64_C(1000000) * DAY_S * LONGEST_DAYS)
#define FILE_MAX_BYTES ((size_t)1 << 31)

struct header {
    struct hash_key secret;
    struct counter_boot boot;
    struct counter_time when;
};

/* How times of the file become ours. */
struct shift {
    int64_t written_us, written_now_us; /* when it was written, by its clock and by ours */
    int64_t now_us;
};

static uint64_t get(struct slice *rest, size_t bytes)
{
    uint64_t v = 0;

    CC_ASSERT(rest->n >= bytes);
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)rest->p[i] << (8 * i);
    *rest = slice_from(*rest, bytes);
    return v;
}

/* Cuts off a part of n bytes and its checksum. */
static bool take_part(struct slice *rest, size_t n, const struct hash_key *secret,
                      struct slice *part)
{
    struct slice sum = slice_from(*rest, n);

    if (rest->n < n || sum.n < STATE_SUM_BYTES)
        return false;
    *part = slice_first(*rest, n);
    *rest = slice_from(sum, STATE_SUM_BYTES);
    return get(&sum, STATE_SUM_BYTES) == hash_slice(secret, *part);
}

static int read_header(struct slice *rest, struct header *h)
{
    struct slice fields, part;

    if (!slice_starts(*rest, SLICE(STATE_MAGIC)) || rest->n < STATE_HEADER_BYTES)
        return CC_EPARSE;
    fields = slice_from(*rest, sizeof(STATE_MAGIC) - 1);
    if (get(&fields, 4) != STATE_VERSION)
        return CC_EVERSION;
    get(&fields, 4);
    h->secret.k0 = get(&fields, 8);
    h->secret.k1 = get(&fields, 8);
    memcpy(h->boot.id, fields.p, sizeof(h->boot.id));
    fields = slice_from(fields, sizeof(h->boot.id));
    h->when.mono_us = (int64_t)get(&fields, 8);
    h->when.wall_s = (int64_t)get(&fields, 8);
    if (!take_part(rest, STATE_HEADER_BYTES, &h->secret, &part))
        return CC_EPARSE;
    return h->when.mono_us >= 0 && h->when.mono_us < EPOCH_US && h->when.wall_s > -TIME_LIMIT_US &&
                   h->when.wall_s < TIME_LIMIT_US
               ? CC_OK
               : CC_EPARSE;
}

static bool label_is_good(const struct counter_entry *e)
{
    for (size_t i = 0; i < e->label_n; i++)
        if (ascii_is_control(e->label[i]) || (e->label[i] & 0x80) != 0)
            return false;
    return true;
}

static bool times_are_good(const struct counter_entry *e, int64_t written_us)
{
    const int64_t times[] = {e->at_us, e->asked_us, e->end_us, e->burst_end_us};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i] < 0 || times[i] > written_us + LONGEST_US)
            return false;
    return e->at_us <= written_us + LONGEST_US && e->end_us - e->at_us <= LONGEST_US;
}

/* What the arithmetic of windows relies on. */
static bool entry_is_good(const struct counter_entry *e, int64_t written_us)
{
    if (e->used > COUNTER_MAX_QUOTA || e->max > COUNTER_MAX_QUOTA || !shape_is_valid(e->shape) ||
        e->mode > COUNTER_NO_STOP || e->bytes > 1 || e->cut > 1 || !label_is_good(e) ||
        !times_are_good(e, written_us))
        return false;
    if (!shape_is_sliding(e->shape))
        return e->head == 0 && e->full == 0;
    return e->full <= sliding_chunks(e->max) &&
           (e->head == 0 || e->head < sliding_chunks(e->max)) &&
           sliding_sum(e->max, e->head, e->full) <= e->used;
}

static bool read_marks(struct slice *records, struct counter_entry *e, struct counter_marks *marks,
                       const struct shift *shift)
{
    int64_t tick = sliding_tick_us(e->shape);
    uint32_t now = (uint32_t)(uint64_t)((shift->written_now_us + tick - 1) / tick);

    if (records->n < 4 * (size_t)e->full)
        return false;
    for (uint64_t i = 0; i < e->full; i++) {
        uint32_t age = (uint32_t)get(records, 4);

        /* one that is not even as old as the file is from a thread that was late */
        if ((int32_t)age > INT32_MAX / 2 || (int32_t)age < -(INT32_MAX / 2))
            return false;
        marks->tick[(e->head + i) % sliding_chunks(e->max)] = now - age;
    }
    return true;
}

/* The next record, with times as they are here. */
static bool read_record(struct slice *records, struct counter_entry *e, struct counter_marks *marks,
                        const struct shift *shift)
{
    int64_t by = shift->written_now_us - shift->written_us;

    if (records->n < STATE_RECORD_BYTES)
        return false;
    *e = (struct counter_entry){0};
#define X(size, member) e->member = (__typeof__(e->member))get(records, size);
    STATE_FIELDS(X)
#undef X
    if (e->label_n > COUNTER_LABEL_BYTES || records->n < e->label_n)
        return false;
    memcpy(e->label, records->p, e->label_n);
    *records = slice_from(*records, e->label_n);
    if (!entry_is_good(e, shift->written_us) || !read_marks(records, e, marks, shift))
        return false;
    e->at_us += by;
    e->asked_us += by;
    e->end_us += e->end_us != 0 ? by : 0;
    e->burst_end_us += e->burst_end_us != 0 ? by : 0;
    return true;
}

static void settle_record(struct counter_table *t, const struct counter_entry *record,
                          const struct counter_marks *marks, int64_t now_us,
                          struct counter_state_report *report)
{
    struct counter_shard *s = shard_of(t, record->hash);
    struct counter_entry *e;

    if (!entry_is_open(record, now_us)) {
        report->over++;
        return;
    }
    shard_lock(s);
    e = shard_find(s, record->hash) == NULL ? shard_room(s, record->hash, now_us, NULL, 0) : NULL;
    if (e == NULL || entry_is_open(e, now_us)) {
        report->left_out++;
    } else {
        shard_settle(s, e, record->hash, SLICE_NONE, now_us);
        *e = *record;
        *marks_of(s, e) = *marks;
        report->loaded++;
    }
    shard_unlock(s);
}

/* Reads all blocks; into the table when there is one. */
static int read_blocks(struct slice rest, const struct header *h, const struct shift *shift,
                       struct counter_table *t, struct counter_state_report *report)
{
    for (uint64_t index = 0;; index++) {
        struct slice block, peek = rest;
        struct counter_marks marks = {{0}};
        struct counter_entry e;
        size_t bytes, n;

        if (rest.n < STATE_BLOCK_BYTES)
            return CC_EPARSE;
        bytes = (size_t)get(&peek, 4);
        n = (size_t)get(&peek, 4);
        if (get(&peek, 8) != index ||
            !take_part(&rest, STATE_BLOCK_BYTES + bytes, &h->secret, &block))
            return CC_EPARSE;
        block = slice_from(block, STATE_BLOCK_BYTES);
        if (n == 0)
            return block.n == 0 && rest.n == 0 ? CC_OK : CC_EPARSE;
        for (; n > 0; n--) {
            if (!read_record(&block, &e, &marks, shift))
                return CC_EPARSE;
            if (t != NULL)
                settle_record(t, &e, &marks, shift->now_us, report);
        }
        if (block.n != 0)
            return CC_EPARSE;
    }
}

/* How long ago it was written. */
static int64_t age_us(const struct header *h, const struct counter_boot *boot,
                      struct counter_time now)
{
    static const struct counter_boot unknown = {{0}};
    int64_t age = now.mono_us - h->when.mono_us, away_s = now.wall_s - h->when.wall_s;

    if (memcmp(&h->boot, boot, sizeof(*boot)) == 0 && memcmp(boot, &unknown, sizeof(*boot)) != 0)
        return age < 0 ? 0 : age < LONGEST_US ? age : LONGEST_US;
    return away_s < 0 ? 0 : away_s < LONGEST_US / 1000000 ? away_s * 1000000 : LONGEST_US;
}

int counter_state_parse(struct counter_table *t, struct slice text, struct counter_boot boot,
                        struct counter_time now, struct counter_state_report *report)
{
    struct shift shift;
    struct header h;
    int rc;

    *report = (struct counter_state_report){0};
    rc = read_header(&text, &h);
    if (rc != CC_OK)
        return rc;
    report->age_s = age_us(&h, &boot, now) / 1000000;
    shift.now_us = inner_us(now);
    shift.written_us = inner_us(h.when);
    shift.written_now_us = shift.now_us - age_us(&h, &boot, now);
    rc = read_blocks(text, &h, &shift, NULL, report);
    if (rc != CC_OK)
        return rc;
    t->secret = h.secret;
    return read_blocks(text, &h, &shift, t, report);
}

int counter_state_read(struct counter_table *t, const char *directory, const char *path,
                       struct counter_time now, struct counter_state_report *report)
{
    struct arena *arena = NULL;
    struct slice text;
    int rc = file_check_ours(directory, path);

    if (rc != CC_OK)
        return rc;
    arena = arena_new(FILE_MAX_BYTES + 4096);
    rc = arena == NULL ? CC_ENOMEM : file_read(arena, path, FILE_MAX_BYTES, &text);
    if (rc == CC_OK)
        rc = counter_state_parse(t, text, counter_boot_now(), now, report);
    arena_free(&arena);
    return rc;
}
