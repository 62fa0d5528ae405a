#include "throttle/counter_state_format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct counter_boot counter_boot_now(void)
{
    struct counter_boot boot = {{0}};
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return boot;
    if (read(fd, boot.id, sizeof(boot.id)) < 36)
        boot = (struct counter_boot){{0}};
    close(fd);
    return boot;
}

static void put(struct buf *b, uint64_t v, size_t bytes)
{
    for (; bytes > 0; bytes--, v >>= 8)
        buf_add_char(b, (char)(unsigned char)(v & 0xff));
}

/* Ends a header or block, which is all there is in the buffer, and writes it. */
static int write_part(struct file_replacement *file, struct buf *b, const struct hash_key *secret)
{
    put(b, hash_slice(secret, buf_slice(b)), STATE_SUM_BYTES);
    return buf_error(b) == CC_OK ? file_replace_add(file, buf_slice(b)) : buf_error(b);
}

static int write_header(struct file_replacement *file, struct buf *b, const struct hash_key *secret,
                        struct counter_time now)
{
    struct counter_boot boot = counter_boot_now();

    buf_reset(b);
    buf_add_str(b, STATE_MAGIC);
    put(b, STATE_VERSION, 4);
    put(b, 0, 4);
    put(b, secret->k0, 8);
    put(b, secret->k1, 8);
    buf_add(b, slice_make(boot.id, sizeof(boot.id)));
    put(b, (uint64_t)now.mono_us, 8);
    put(b, (uint64_t)now.wall_s, 8);
    return write_part(file, b, secret);
}

/* Copies of what is to be written, so that a shard is not locked while it is. */
struct copies {
    struct counter_entry entries[PLACES];
    struct counter_marks marks[PLACES];
    size_t n;
};

static void copy_shard(struct counter_shard *s, struct copies *copies, int64_t now_us)
{
    copies->n = 0;
    shard_lock(s);
    for (size_t i = 0; s->keys > 0 && i < PLACES; i++) {
        const struct counter_entry *e = &s->entries[i];

        if (s->tags[i / WAYS][i % WAYS] == 0 || !entry_is_open(e, now_us))
            continue;
        copies->entries[copies->n] = *e;
        if (shape_is_sliding(e->shape))
            copies->marks[copies->n] = *marks_of(s, e);
        copies->n++;
    }
    shard_unlock(s);
}

static void put_record(struct buf *b, const struct counter_entry *e,
                       const struct counter_marks *marks, int64_t now_us)
{
    uint64_t k = sliding_chunks(e->max);

#define X(size, member) put(b, (uint64_t)e->member, size);
    STATE_FIELDS(X)
#undef X
    buf_add(b, slice_make(e->label, e->label_n));
    for (uint64_t i = 0; i < e->full; i++) {
        uint32_t now = (uint32_t)(uint64_t)(now_us / sliding_tick_us(e->shape));

        put(b, now - marks->tick[(e->head + i) % k], 4);
    }
}

static int write_block(struct file_replacement *file, struct buf *b, const struct hash_key *secret,
                       const struct copies *copies, size_t index, int64_t now_us)
{
    size_t bytes = 0;

    for (size_t i = 0; i < copies->n; i++)
        bytes += (size_t)STATE_RECORD_BYTES + copies->entries[i].label_n +
                 4 * (size_t)copies->entries[i].full;
    buf_reset(b);
    put(b, bytes, 4);
    put(b, copies->n, 4);
    put(b, index, 8);
    for (size_t i = 0; i < copies->n; i++)
        put_record(b, &copies->entries[i], &copies->marks[i], now_us);
    return write_part(file, b, secret);
}

static int write_table(struct counter_table *t, struct file_replacement *file, struct buf *b,
                       struct copies *copies, struct counter_time now)
{
    int rc = write_header(file, b, &t->secret, now);
    size_t index = 0;

    for (size_t i = 0; rc == CC_OK && i < t->n_shards; i++) {
        copy_shard(&t->shards[i], copies, inner_us(now));
        if (copies->n > 0)
            rc = write_block(file, b, &t->secret, copies, index++, inner_us(now));
    }
    copies->n = 0;
    return rc == CC_OK ? write_block(file, b, &t->secret, copies, index, inner_us(now)) : rc;
}

int counter_state_write(struct counter_table *t, const char *path, struct counter_time now)
{
    struct copies *copies = malloc(sizeof(*copies));
    struct file_replacement file;
    struct buf b;
    int rc = CC_ENOMEM;

    buf_init(&b, (size_t)PLACES * STATE_RECORD_MAX + STATE_BLOCK_BYTES + STATE_SUM_BYTES);
    if (copies == NULL)
        goto out;
    rc = file_replace_begin(&file, path);
    if (rc == CC_OK)
        rc = file_replace_end(&file, write_table(t, &file, &b, copies, now), 0600);
    explicit_bzero(copies, sizeof(*copies));
out:
    buf_free(&b);
    free(copies);
    return rc;
}
