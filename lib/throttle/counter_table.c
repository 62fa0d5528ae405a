#include "throttle/counter_share_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Pages that are zero, and take memory when they are first written. */
static void *map_pages(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* A thread that spins for a lock whose holder is not running would spin for milliseconds: adaptive
 * mutexes spin for a moment, then sleep. */
static int shard_init(struct counter_shard *s)
{
    pthread_mutexattr_t attributes;
    int rc;

    if (pthread_mutexattr_init(&attributes) != 0)
        return CC_ENOMEM;
    rc = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    if (rc == 0)
        rc = pthread_mutex_init(&s->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return rc == 0 ? CC_OK : CC_ENOMEM;
}

int counter_table_new(struct counter_table **out, size_t keys)
{
    struct counter_table *t;
    int rc = CC_ENOMEM;

    if (keys < COUNTER_MIN_KEYS || keys > COUNTER_MAX_KEYS)
        return CC_EINVAL;
    t = calloc(1, sizeof(*t));
    if (t == NULL)
        return CC_ENOMEM;
    t->n_shards = (keys + KEYS_PER_SHARD - 1) / KEYS_PER_SHARD;
    t->entry_bytes = t->n_shards * ENTRIES * sizeof(struct counter_entry);
    t->mark_bytes = t->n_shards * ENTRIES * sizeof(struct counter_marks);
    t->entries = map_pages(t->entry_bytes);
    t->marks = map_pages(t->mark_bytes);
    t->shards = aligned_alloc(_Alignof(struct counter_shard), t->n_shards * sizeof(*t->shards));
    if (t->entries == NULL || t->marks == NULL || t->shards == NULL)
        goto out;
    hash_key_random(&t->secret);
    memset(t->shards, 0, t->n_shards * sizeof(*t->shards));
    for (size_t i = 0; i < t->n_shards; i++) {
        t->shards[i].entries = t->entries + i * ENTRIES;
        t->shards[i].marks = t->marks + i * ENTRIES;
        rc = shard_init(&t->shards[i]);
        if (rc != CC_OK) {
            t->n_shards = i;
            goto out;
        }
    }
    rc = CC_OK;
    *out = t;
    t = NULL;
out:
    counter_table_free(&t);
    return rc;
}

void counter_table_free(struct counter_table **table)
{
    struct counter_table *t = *table;

    if (t == NULL)
        return;
    for (size_t i = 0; t->shards != NULL && i < t->n_shards; i++)
        pthread_mutex_destroy(&t->shards[i].lock);
    if (t->entries != NULL)
        munmap(t->entries, t->entry_bytes);
    if (t->marks != NULL)
        munmap(t->marks, t->mark_bytes);
    sharing_free(&t->sharing);
    free(t->shards);
    explicit_bzero(&t->secret, sizeof(t->secret));
    free(t);
    *table = NULL;
}

size_t counter_table_bytes(const struct counter_table *t)
{
    return sizeof(*t) + t->n_shards * sizeof(*t->shards) + t->entry_bytes + t->mark_bytes +
           (t->sharing != NULL ? sizeof(*t->sharing) + t->sharing->bytes : 0);
}

void shard_lock(struct counter_shard *s)
{
    int rc = pthread_mutex_lock(&s->lock);

    CC_ASSERT(rc == 0);
}

void shard_unlock(struct counter_shard *s)
{
    int rc = pthread_mutex_unlock(&s->lock);

    CC_ASSERT(rc == 0);
}

void key_hash(const struct counter_table *t, struct slice key, uint64_t hash[2])
{
    hash_slice128(&t->secret, key, hash);
}

void counter_know(const struct counter_table *t, struct slice key, struct counter_known *out)
{
    key_hash(t, key, out->hash);
    out->place = PLACES; /* nowhere */
}

/* The first word of the hash tells buckets and tag, the second one the shard. */

struct counter_shard *shard_of(const struct counter_table *t, const uint64_t hash[2])
{
    return &t->shards[(hash[1] >> 32) * t->n_shards >> 32];
}

static uint16_t tag_of(const uint64_t hash[2])
{
    uint16_t tag = (uint16_t)(hash[0] >> 48);

    return tag != 0 ? tag : 1;
}

static void buckets_of(const uint64_t hash[2], size_t buckets[2])
{
    buckets[0] = hash[0] % BUCKETS;
    buckets[1] = hash[0] / BUCKETS % BUCKETS;
    if (buckets[1] == buckets[0])
        buckets[1] = (buckets[0] + 1) % BUCKETS;
}

/* Compared eight at a time; then LANES of them are looked at as one word. */
enum { LANES = 4 };
typedef uint16_t tag_row __attribute__((vector_size(WAYS / 2 * sizeof(uint16_t))));

/* 0xffff in the place of each tag that is this one, 0 in that of others. */
static void compare_tags(const uint16_t tags[WAYS], uint16_t tag, uint64_t equal[WAYS / LANES])
{
    tag_row row[2];

    memcpy(row, tags, sizeof(row));
    row[0] = (tag_row)(row[0] == tag);
    row[1] = (tag_row)(row[1] == tag);
    memcpy(equal, row, sizeof(row));
}

/* Takes one out of a word that is not 0: its place. */
static size_t next_lane(uint64_t *word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    size_t lane = (size_t)__builtin_ctzll(*word) / 16;

    *word &= ~(UINT64_C(0xffff) << 16 * lane);
#else
    size_t lane = (size_t)__builtin_clzll(*word) / 16;

    *word &= ~(UINT64_C(0xffff) << 16 * (LANES - 1 - lane));
#endif
    return lane;
}

struct counter_entry *shard_find(struct counter_shard *s, const uint64_t hash[2])
{
    uint64_t equal[WAYS / LANES];
    uint16_t tag = tag_of(hash);
    size_t buckets[2];

    buckets_of(hash, buckets);
    for (size_t b = 0; b < 2; b++) {
        compare_tags(s->tags[buckets[b]], tag, equal);
        for (size_t i = 0; i < WAYS / LANES; i++) {
            while (equal[i] != 0) {
                size_t way = i * LANES + next_lane(&equal[i]);
                struct counter_entry *e = &s->entries[buckets[b] * WAYS + way];

                if (e->hash[0] == hash[0] && e->hash[1] == hash[1])
                    return e;
            }
        }
    }
    return NULL;
}

struct counter_entry *shard_find_known(struct counter_shard *s, struct counter_known *known)
{
    struct counter_entry *e;

    if (known->place < PLACES) {
        e = &s->entries[known->place];
        if (s->tags[known->place / WAYS][known->place % WAYS] == tag_of(known->hash) &&
            e->hash[0] == known->hash[0] && e->hash[1] == known->hash[1])
            return e;
    }
    e = shard_find(s, known->hash);
    known->place = e != NULL ? (uint32_t)(e - s->entries) : PLACES;
    return e;
}

/* Whose place may be taken, the least first. */
enum rank { RANK_FREE, RANK_ONCE, RANK_SMALL, RANK_IN_USE };

static enum rank rank_of(const struct counter_entry *e, int64_t now_us)
{
    if (!entry_is_open(e, now_us))
        return RANK_FREE;
    if (e->used >= e->max ||
        (e->burst_max > 0 && now_us < e->burst_end_us && e->burst_used >= e->burst_max))
        return RANK_IN_USE;
    if (e->takes <= 1)
        return RANK_ONCE;
    return e->used <= e->max / SMALL_SHARE ? RANK_SMALL : RANK_IN_USE;
}

static bool is_among(const struct counter_entry *e, struct counter_entry *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == e)
            return true;
    return false;
}

/* The place of a bucket that may go first, and how many are free in it. */
struct choice {
    struct counter_entry *entry;
    enum rank rank;
    size_t n_free;
};

static struct choice choose_place(struct counter_shard *s, size_t bucket, int64_t now_us,
                                  struct counter_entry *const *keep, size_t n)
{
    struct choice best = {NULL, RANK_IN_USE, 0};

    for (size_t w = 0; w < WAYS; w++) {
        struct counter_entry *e = &s->entries[bucket * WAYS + w];
        bool vacant = s->tags[bucket][w] == 0;
        enum rank rank = vacant ? RANK_FREE : rank_of(e, now_us);

        if (rank == RANK_IN_USE || rank > best.rank ||
            (rank == RANK_ONCE && rank == best.rank && e->asked_us >= best.entry->asked_us) ||
            (rank == RANK_SMALL && rank == best.rank && e->asked_us >= best.entry->asked_us) ||
            is_among(e, keep, n))
            continue;
        best.n_free += rank == RANK_FREE;
        best.entry = e;
        best.rank = rank;
    }
    return best;
}

struct counter_entry *shard_room(struct counter_shard *s, const uint64_t hash[2], int64_t now_us,
                                 struct counter_entry *const *keep, size_t n)
{
    size_t buckets[2];
    struct choice a, b;

    buckets_of(hash, buckets);
    a = choose_place(s, buckets[0], now_us, keep, n);
    b = choose_place(s, buckets[1], now_us, keep, n);
    if (a.entry == NULL || b.entry == NULL)
        return a.entry != NULL ? a.entry : b.entry;
    if (a.rank != b.rank)
        return a.rank < b.rank ? a.entry : b.entry;
    if (a.rank == RANK_FREE)
        return a.n_free >= b.n_free ? a.entry : b.entry;
    return a.entry->asked_us <= b.entry->asked_us ? a.entry : b.entry;
}

static uint16_t *tag_at(struct counter_shard *s, const struct counter_entry *e)
{
    size_t place = (size_t)(e - s->entries);

    CC_ASSERT(place < PLACES);
    return &s->tags[place / WAYS][place % WAYS];
}

/* The text is for people, and goes to terminals and logs. */
static void entry_label(struct counter_entry *e, struct slice text)
{
    struct slice kept = slice_first(text, COUNTER_LABEL_BYTES);

    e->cut = kept.n < text.n;
    e->label_n = (uint8_t)kept.n;
    for (size_t i = 0; i < kept.n; i++)
        e->label[i] = ascii_is_control(kept.p[i]) || (kept.p[i] & 0x80) != 0 ? '?' : kept.p[i];
}

void shard_settle(struct counter_shard *s, struct counter_entry *e, const uint64_t hash[2],
                  struct slice key, int64_t now_us)
{
    uint16_t *tag = tag_at(s, e);

    if (*tag == 0)
        s->keys++;
    else if (entry_is_open(e, now_us))
        s->forgotten++;
    *tag = tag_of(hash);
    *e = (struct counter_entry){.hash = {hash[0], hash[1]}};
    entry_label(e, key);
}

void shard_remove(struct counter_shard *s, struct counter_entry *e)
{
    *tag_at(s, e) = 0;
    s->keys--;
    explicit_bzero(e->label, sizeof(e->label)); /* personal data */
}

/* What rules have in common whose newcomers share an entry: all that matters to it. */
#define SHARED_HASH(rule)                                                      \
    {                                                                          \
        shape_of(rule) ^ (uint64_t)(rule)->unit << 62,                         \
            (rule)->max ^ (uint64_t)(rule)->burst_max << 32 ^ (rule)->burst_ms \
    }

struct counter_entry *shard_shared(struct counter_shard *s, const struct counter_rule *rule,
                                   int64_t now_us)
{
    const uint64_t hash[2] = SHARED_HASH(rule);

    for (size_t i = PLACES; i < PLACES + s->n_shared; i++) {
        struct counter_entry *e = &s->entries[i];

        if (e->hash[0] == hash[0] && e->hash[1] == hash[1])
            return entry_is_open(e, now_us) ? e : NULL;
    }
    return NULL;
}

struct counter_entry *shard_claim(struct counter_shard *s, const struct counter_rule *rule,
                                  int64_t now_us, struct counter_entry *const *keep, size_t n)
{
    const uint64_t hash[2] = SHARED_HASH(rule);
    struct counter_entry *room = NULL;

    for (size_t i = PLACES; i < PLACES + s->n_shared; i++) {
        struct counter_entry *e = &s->entries[i];

        if (e->hash[0] == hash[0] && e->hash[1] == hash[1])
            return e;
        if (!entry_is_open(e, now_us) && !is_among(e, keep, n))
            room = e;
    }
    if (room == NULL && s->n_shared < SHARED)
        room = &s->entries[PLACES + s->n_shared++];
    if (room != NULL) {
        *room = (struct counter_entry){.hash = {hash[0], hash[1]}};
        entry_label(room, SLICE("(newcomers without room)"));
    }
    return room;
}
