#include "enforce/cache.h"

#include <stdlib.h>

enum {
    ALIGN = 8, /* of entries; also the size of the smallest filler */
    HASHED_BYTES = 64,
    ENTRY_SHARE = 4 /* no entry is larger than this part of the ring */
};

/* An entry in the ring; the token and the grant's texts follow without gaps. A
 * filler has only the first two members: it covers what is left at the end of the ring when an
 * entry does not fit there, since entries are never split. */
struct entry {
    uint32_t bytes; /* to the next entry; a multiple of ALIGN */
    uint8_t state;  /* enum entry_state */
    uint8_t used;   /* found since it was written */
    uint16_t type;  /* enum gw_token_type */
    uint32_t hash;
    uint32_t token_n;
    uint32_t texts_n[GRANT_TEXT_COUNT];
    uint32_t issuer, rules;
    int64_t exp, nbf, until;
    uint64_t key, number;
    struct revoked_key id;
};

enum entry_state { ENTRY_FILLER, ENTRY_DEAD, ENTRY_LIVE };

_Static_assert(sizeof(struct entry) % ALIGN == 0, "entries stay aligned");

/* A slot of the index: open addressing, linear probing, no tombstones. */
struct slot {
    uint32_t hash;
    uint32_t at; /* 1 + offset in the ring / ALIGN; 0 = empty */
};

/* Two: those in effect, and those of the HAProxy generation before, by turns. */
enum { RULES_KEPT = 2 };

struct cache {
    struct {
        char hash[CACHE_RULES_HASH];
        uint32_t number;
    } rules[RULES_KEPT]; /* those in use first; number 0: none */
    uint32_t rules_numbers;
    struct slot *slots;
    size_t n_slots; /* a power of two, at least twice max_entries */
    char *ring;
    size_t ring_bytes;
    /* Positions count bytes written since the start and never wrap; modulo ring_bytes they are
     * offsets. tail <= head <= tail + ring_bytes. */
    uint64_t head, tail;
    size_t count, max_entries;
    uint64_t evictions;
    uint64_t numbers; /* given to entries so far */
    struct hash_key key;
};

void grant_pack_scope(char *room, struct slice scope)
{
    CC_ASSERT(scope.n <= UINT16_MAX);
    room[0] = (char)(unsigned char)(scope.n >> 8);
    room[1] = (char)(unsigned char)(scope.n & 0xff);
    if (scope.n > 0)
        memcpy(room + 2, scope.p, scope.n);
}

bool grant_next_scope(struct slice *rest, struct slice *scope)
{
    size_t n;

    if (rest->n < 2)
        return false;
    n = (size_t)(unsigned char)rest->p[0] << 8 | (unsigned char)rest->p[1];
    CC_ASSERT(n <= rest->n - 2);
    *scope = slice_make(rest->p + 2, n);
    *rest = slice_from(*rest, 2 + n);
    return true;
}

int cache_new(struct cache **out, size_t entries, size_t bytes)
{
    struct cache *c = NULL;
    size_t index_bytes;
    int rc = CC_ENOMEM;

    if (entries == 0 || bytes < 16 * (size_t)CACHE_ENTRY_BYTES_MIN || bytes > UINT32_MAX)
        return CC_EINVAL;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        goto out;
    /* Slots for more tokens than the ring can hold would only take room from it. */
    c->max_entries =
        entries < bytes / CACHE_ENTRY_BYTES_MIN ? entries : bytes / CACHE_ENTRY_BYTES_MIN;
    for (c->n_slots = 2; c->n_slots < 2 * c->max_entries;)
        c->n_slots *= 2;
    index_bytes = c->n_slots * sizeof(*c->slots);
    c->ring_bytes = (bytes - index_bytes) / ALIGN * ALIGN;
    c->slots = calloc(c->n_slots, sizeof(*c->slots));
    c->ring = malloc(c->ring_bytes); /* pages stay untouched until they are needed */
    if (c->slots == NULL || c->ring == NULL)
        goto out;
    hash_key_random(&c->key);
    *out = c;
    c = NULL;
    rc = CC_OK;
out:
    cache_free(&c);
    return rc;
}

void cache_free(struct cache **c)
{
    if (*c == NULL)
        return;
    cache_clear(*c);
    free((*c)->ring);
    free((*c)->slots);
    free(*c);
    *c = NULL;
}

static void swap_rules(struct cache *c)
{
    char hash[CACHE_RULES_HASH];
    uint32_t number = c->rules[0].number;

    memcpy(hash, c->rules[0].hash, sizeof(hash));
    c->rules[0] = c->rules[1];
    memcpy(c->rules[1].hash, hash, sizeof(hash));
    c->rules[1].number = number;
}

void cache_use_rules(struct cache *c, const char hash[CACHE_RULES_HASH])
{
    if (c->rules[0].number != 0 && memcmp(c->rules[0].hash, hash, CACHE_RULES_HASH) == 0)
        return;
    swap_rules(c);
    if (c->rules[0].number != 0 && memcmp(c->rules[0].hash, hash, CACHE_RULES_HASH) == 0)
        return;
    if (c->rules_numbers == UINT32_MAX) { /* a number that comes again would open old entries */
        cache_clear(c);
        c->rules_numbers = 0;
        c->rules[1].number = 0;
    }
    memcpy(c->rules[0].hash, hash, CACHE_RULES_HASH);
    c->rules[0].number = ++c->rules_numbers;
}

void cache_clear(struct cache *c)
{
    /* Tokens are credentials: what was written is wiped, and only that, so that a page that was
     * never used is not touched now. */
    if (c->ring != NULL)
        explicit_bzero(c->ring, c->head < c->ring_bytes ? (size_t)c->head : c->ring_bytes);
    if (c->slots != NULL)
        memset(c->slots, 0, c->n_slots * sizeof(*c->slots));
    c->head = c->tail = 0;
    c->count = 0;
}

/* The hash covers the rules, and of the token the end only: its signature, which nobody can choose,
 * and which differs between tokens when anything in them does. The comparison covers every byte. */
static uint32_t hash_token(const struct cache *c, struct slice token)
{
    uint64_t hash =
        hash_slice(&c->key, slice_from(token, token.n > HASHED_BYTES ? token.n - HASHED_BYTES : 0));

    return (uint32_t)hash ^ c->rules[0].number * UINT32_C(0x9e3779b9);
}

static struct entry *entry_at(const struct cache *c, uint64_t position)
{
    return (struct entry *)(void *)(c->ring + position % c->ring_bytes);
}

static struct entry *slot_entry(const struct cache *c, const struct slot *s)
{
    return (struct entry *)(void *)(c->ring + (size_t)(s->at - 1) * ALIGN);
}

static uint32_t slot_value(const struct cache *c, const struct entry *e)
{
    return (uint32_t)((size_t)((const char *)e - c->ring) / ALIGN) + 1;
}

static struct slice entry_token(const struct entry *e)
{
    return slice_make((const char *)(e + 1), e->token_n);
}

/* The slot that holds `at`, or that holds `token` when at is 0; NULL when there is none. The index
 * is at most half full, so that there always is an empty slot to stop at. */
static struct slot *find_slot(const struct cache *c, uint32_t hash, uint32_t at, struct slice token)
{
    size_t mask = c->n_slots - 1;

    for (size_t i = hash & mask; c->slots[i].at != 0; i = (i + 1) & mask) {
        struct slot *s = &c->slots[i];

        if (s->hash != hash)
            continue;
        if (at != 0 ? s->at == at
                    : slot_entry(c, s)->rules == c->rules[0].number &&
                          slice_eq(entry_token(slot_entry(c, s)), token))
            return s;
    }
    return NULL;
}

/* Empties a slot and moves later ones of the same run up, so that no search stops too early
 * (Knuth, The Art of Computer Programming 6.4, algorithm R). */
static void remove_slot(struct cache *c, struct slot *gone)
{
    size_t mask = c->n_slots - 1, hole = (size_t)(gone - c->slots);

    for (size_t i = (hole + 1) & mask; c->slots[i].at != 0; i = (i + 1) & mask) {
        size_t home = c->slots[i].hash & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole: it is found from there */
        c->slots[hole] = c->slots[i];
        hole = i;
    }
    c->slots[hole] = (struct slot){0, 0};
    c->count--;
}

bool cache_find(struct cache *c, struct slice token, struct grant *out)
{
    struct slot *s = find_slot(c, hash_token(c, token), 0, token);
    struct entry *e;
    const char *p;

    if (s == NULL)
        return false;
    e = slot_entry(c, s);
    e->used = 1;
    out->exp = e->exp;
    out->nbf = e->nbf;
    out->until = e->until;
    out->key = e->key;
    out->id = e->id;
    out->number = e->number;
    out->issuer = e->issuer;
    out->type = (enum gw_token_type)e->type;
    p = (const char *)(e + 1) + e->token_n;
#define X(name)                                               \
    out->name = slice_make(p, e->texts_n[GRANT_TEXT_##name]); \
    p += e->texts_n[GRANT_TEXT_##name];
    GRANT_TEXTS(X)
#undef X
    return true;
}

void cache_drop(struct cache *c, struct slice token)
{
    struct slot *s = find_slot(c, hash_token(c, token), 0, token);

    if (s == NULL)
        return;
    slot_entry(c, s)->state = ENTRY_DEAD;
    remove_slot(c, s);
}

/* Bytes that an entry of `bytes` takes at the head, filler included. */
static size_t room_needed(const struct cache *c, size_t bytes)
{
    size_t to_end = c->ring_bytes - (size_t)(c->head % c->ring_bytes);

    return bytes <= to_end ? bytes : to_end + bytes;
}

static bool has_room(const struct cache *c, size_t bytes)
{
    return c->head + room_needed(c, bytes) - c->tail <= c->ring_bytes;
}

/* Reserves `bytes` at the head, where there is room for them. */
static struct entry *take_room(struct cache *c, size_t bytes)
{
    size_t filler = room_needed(c, bytes) - bytes;
    struct entry *e;

    if (filler > 0) {
        e = entry_at(c, c->head);
        e->bytes = (uint32_t)filler;
        e->state = ENTRY_FILLER;
        c->head += filler;
    }
    e = entry_at(c, c->head);
    c->head += bytes;
    return e;
}

/* Moves the entry at the tail, which tail has passed already, to the head. It always fits: what is
 * free now ends where the entry ends, and the end of the ring is not inside the entry. */
static void move_to_head(struct cache *c, struct entry *e)
{
    struct slot *s = find_slot(c, e->hash, slot_value(c, e), SLICE_NONE);
    size_t bytes = e->bytes;
    struct entry *to;

    CC_ASSERT(s != NULL && has_room(c, bytes));
    e->used = 0;
    to = take_room(c, bytes);
    memmove(to, e, bytes);
    s->at = slot_value(c, to);
}

/* Frees the oldest entry, or gives it its second chance. */
static void pass_tail(struct cache *c, unsigned *chances, int64_t dead_s)
{
    struct entry *e = entry_at(c, c->tail);

    CC_ASSERT(c->tail < c->head);
    c->tail += e->bytes;
    if (e->state != ENTRY_LIVE)
        return;
    if (e->exp > dead_s && e->used && *chances > 0) {
        --*chances;
        move_to_head(c, e);
        return;
    }
    if (e->exp > dead_s)
        c->evictions++;
    remove_slot(c, find_slot(c, e->hash, slot_value(c, e), SLICE_NONE));
}

static char *put(char *p, struct slice s)
{
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return p + s.n;
}

static void add_slot(struct cache *c, const struct entry *e)
{
    size_t mask = c->n_slots - 1, i = e->hash & mask;

    while (c->slots[i].at != 0)
        i = (i + 1) & mask;
    c->slots[i] = (struct slot){e->hash, slot_value(c, e)};
    c->count++;
}

uint64_t cache_insert(struct cache *c, struct slice token, const struct grant *g, int64_t dead_s)
{
    size_t limit = c->ring_bytes / ENTRY_SHARE, bytes = sizeof(struct entry);
#define X(name) , g->name
    const struct slice parts[] = {token GRANT_TEXTS(X)};
#undef X
    unsigned chances = CACHE_SECOND_CHANCES;
    struct entry *e;
    char *p;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].n > limit)
            return 0;
        bytes += parts[i].n;
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > limit)
        return 0;
    while (c->count >= c->max_entries || !has_room(c, bytes))
        pass_tail(c, &chances, dead_s);

    e = take_room(c, bytes);
    *e = (struct entry){
        .bytes = (uint32_t)bytes,
        .state = ENTRY_LIVE,
        .type = (uint16_t)g->type,
        .hash = hash_token(c, token),
        .token_n = (uint32_t)token.n,
#define X(name) .texts_n[GRANT_TEXT_##name] = (uint32_t)g->name.n,
        GRANT_TEXTS(X)
#undef X
            .issuer = (uint32_t)g->issuer,
        .rules = c->rules[0].number,
        .exp = g->exp,
        .nbf = g->nbf,
        .until = g->until,
        .key = g->key,
        .id = g->id,
        .number = ++c->numbers,
    };
    p = (char *)(e + 1);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        p = put(p, parts[i]);
    add_slot(c, e);
    return e->number;
}

size_t cache_count(const struct cache *c)
{
    return c->count;
}

uint64_t cache_evictions(const struct cache *c)
{
    return c->evictions;
}

size_t cache_bytes(const struct cache *c)
{
    return c->n_slots * sizeof(*c->slots) + c->ring_bytes;
}
