#include "revoke/revoke_internal.h"

#include <stdlib.h>

#define NO_PLACE UINT32_MAX

enum { FILTER_BITS_PER_SLOT = 16 };

/* Where a test stops a reader that is late, and the writer while a table is half there. */
#ifndef REVOKED_STOP_READER
#define REVOKED_STOP_READER() ((void)0)
#define REVOKED_STOP_WRITER() ((void)0)
#endif

int revoked_new(struct revoked **out, size_t max)
{
    struct revoked *r = NULL;
    size_t n_slots = 16;
    int rc = CC_ENOMEM;

    if (max == 0 || max > REVOKED_MAX_ENTRIES)
        return CC_EINVAL;
    while (n_slots < 2 * max)
        n_slots *= 2;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        goto out;
    hash_key_random(&r->keys[0]);
    hash_key_random(&r->keys[1]);
    r->mask = n_slots - 1;
    r->max = max;
    r->unused = NO_PLACE;
    /* all of it calloc: pages stay untouched until they are needed */
    r->slots[0] = calloc(n_slots, sizeof(struct revoked_slot));
    r->slots[1] = calloc(n_slots, sizeof(struct revoked_slot));
    r->place_of = calloc(n_slots, sizeof(*r->place_of));
    r->places = calloc(max, sizeof(*r->places));
    if (r->slots[0] == NULL || r->slots[1] == NULL || r->place_of == NULL || r->places == NULL)
        goto out;
    rc = revoked_filter_init(&r->filter, FILTER_BITS_PER_SLOT * n_slots);
    if (rc != CC_OK)
        goto out;
    *out = r;
    r = NULL;
out:
    revoked_free(&r);
    return rc;
}

void revoked_free(struct revoked **pr)
{
    struct revoked *r = *pr;

    *pr = NULL;
    if (r == NULL)
        return;
    for (size_t i = 0; r->places != NULL && i < r->n_places; i++)
        free(r->places[i].id);
    revoked_filter_cleanup(&r->filter);
    free(r->places);
    free(r->place_of);
    free(r->slots[0]);
    free(r->slots[1]);
    free(r);
}

/* Readers */

static bool is_in(const struct revoked_slot *slots, size_t mask, struct revoked_key key)
{
    for (size_t i = key.a & mask;; i = (i + 1) & mask) {
        uint64_t a = atomic_load_explicit(&slots[i].a, memory_order_acquire);

        if (a == REVOKED_EMPTY)
            return false;
        if (a == key.a && atomic_load_explicit(&slots[i].b, memory_order_relaxed) == key.b)
            return true;
    }
}

bool revoked_has(const struct revoked *r, struct revoked_key key)
{
    uint64_t turn = atomic_load_explicit(&r->turn, memory_order_acquire), now;

    for (;; turn = now) {
        REVOKED_STOP_READER();
        if (is_in(r->slots[turn & 1], r->mask, key))
            return true;
        /* Was this array cleared meanwhile? Its slots are cleared with release after `turn` was
         * changed: whoever read a cleared one by acquire reads the changed turn here. */
        now = atomic_load_explicit(&r->turn, memory_order_acquire);
        if (now == turn)
            return revoked_filter_has(&r->filter, key);
    }
}

bool revoked_is_ready(const struct revoked *r)
{
    /* acquire: who sees that it is ready also sees what had been loaded by then */
    return atomic_load_explicit(&r->ready, memory_order_acquire);
}

void revoked_set_ready(struct revoked *r, bool ready)
{
    atomic_store_explicit(&r->ready, ready, memory_order_release);
}

/* The writer. It alone changes slots, so it may read them without order. */

static struct revoked_slot *slots_of(const struct revoked *r)
{
    return r->slots[atomic_load_explicit(&r->turn, memory_order_relaxed) & 1];
}

static uint64_t slot_a(const struct revoked_slot *slot)
{
    return atomic_load_explicit(&slot->a, memory_order_relaxed);
}

/* The slot of a key, or where it would go: *found says which. */
static uint32_t find_slot(const struct revoked *r, struct revoked_key key, bool *found)
{
    const struct revoked_slot *slots = slots_of(r);
    size_t i = key.a & r->mask, gone = SIZE_MAX;

    for (;; i = (i + 1) & r->mask) {
        uint64_t a = slot_a(&slots[i]);

        *found = a == key.a && atomic_load_explicit(&slots[i].b, memory_order_relaxed) == key.b;
        if (*found)
            return (uint32_t)i;
        if (a == REVOKED_EMPTY)
            return (uint32_t)(gone != SIZE_MAX ? gone : i);
        if (a == REVOKED_GONE && gone == SIZE_MAX)
            gone = i;
    }
}

static void fill_slot(struct revoked_slot *slot, struct revoked_key key)
{
    atomic_store_explicit(&slot->b, key.b, memory_order_relaxed);
    atomic_store_explicit(&slot->a, key.a, memory_order_release);
}

/* Writes all entries into the array that is not in use, and changes to it. Nobody waits: readers
 * read the other one until then. */
static void rebuild(struct revoked *r)
{
    uint64_t turn = atomic_load_explicit(&r->turn, memory_order_relaxed);
    struct revoked_slot *from = r->slots[turn & 1], *to = r->slots[(turn + 1) & 1];

    for (size_t i = 0; i <= r->mask; i++)
        atomic_store_explicit(&to[i].a, REVOKED_EMPTY, memory_order_release);
    REVOKED_STOP_WRITER();
    for (size_t k = 0; k < r->n_places; k++) {
        struct revoked_place *p = &r->places[k];
        struct revoked_key key;
        size_t i;

        if (p->id == NULL)
            continue;
        key.a = slot_a(&from[p->slot]);
        key.b = atomic_load_explicit(&from[p->slot].b, memory_order_relaxed);
        for (i = key.a & r->mask; slot_a(&to[i]) != REVOKED_EMPTY;)
            i = (i + 1) & r->mask;
        fill_slot(&to[i], key);
        p->slot = (uint32_t)i;
    }
    for (size_t k = 0; k < r->n_places; k++)
        if (r->places[k].id != NULL)
            r->place_of[r->places[k].slot] = (uint32_t)k;
    r->occupied = r->n;
    r->rebuilt++;
    /* release: who sees the turn sees the entries */
    atomic_store_explicit(&r->turn, turn + 1, memory_order_release);
}

static void give_place(struct revoked *r, struct revoked_place *p)
{
    *p = (struct revoked_place){.id = NULL, .slot = r->unused};
    r->unused = (uint32_t)(p - r->places);
}

static void drop(struct revoked *r, struct revoked_place *p)
{
    /* relaxed: a look before it and one after it are both right */
    atomic_store_explicit(&slots_of(r)[p->slot].a, REVOKED_GONE, memory_order_relaxed);
    free(p->id);
    give_place(r, p);
    r->n--;
}

static void expire_place(struct revoked *r, struct revoked_place *p, int64_t now_s)
{
    if (p->id == NULL || p->until_s > now_s - REVOKED_GRACE_S)
        return;
    r->expired++;
    drop(r, p);
}

size_t revoked_expire(struct revoked *r, int64_t now_s, size_t n)
{
    uint64_t before = r->expired;

    revoked_filter_expire(&r->filter, now_s);
    if (n > r->n_places)
        n = r->n_places; /* each once is enough */
    for (; n > 0; n--) {
        if (r->sweep >= r->n_places)
            r->sweep = 0;
        expire_place(r, &r->places[r->sweep++], now_s);
    }
    return (size_t)(r->expired - before);
}

/* A place that is not in use; NULL when there is none. */
static struct revoked_place *take_place(struct revoked *r, int64_t now_s)
{
    struct revoked_place *p;

    if (r->n == r->max && now_s != r->swept_s) {
        r->swept_s = now_s; /* once a second, whatever comes */
        revoked_expire(r, now_s, r->n_places);
    }
    if (r->unused != NO_PLACE) {
        p = &r->places[r->unused];
        r->unused = p->slot;
        return p;
    }
    return r->n_places < r->max ? &r->places[r->n_places++] : NULL;
}

static enum revoked_result overflow(struct revoked *r, struct revoked_key key, int64_t until_s)
{
    revoked_filter_add(&r->filter, key, until_s);
    return REVOKED_OVERFLOW;
}

static void fill_place(struct revoked *r, struct revoked_place *p, struct revoked_key key)
{
    bool found;

    p->slot = find_slot(r, key, &found);
    r->occupied += slot_a(&slots_of(r)[p->slot]) == REVOKED_EMPTY;
    r->place_of[p->slot] = (uint32_t)(p - r->places);
    r->n++;
    fill_slot(&slots_of(r)[p->slot], key);
}

static enum revoked_result insert(struct revoked *r, struct slice id, struct revoked_key key,
                                  int64_t until_s, enum revoked_source source, int64_t now_s)
{
    struct revoked_place *p = take_place(r, now_s);

    if (p == NULL)
        return overflow(r, key, until_s);
    if (r->occupied >= r->mask / 4 * 3)
        rebuild(r); /* while the place counts as not in use */
    p->until_s = until_s;
    p->id_n = (uint16_t)id.n;
    p->sources = p->marks = (uint8_t)source;
    p->id = revoked_copy_id(id);
    if (p->id == NULL) {
        give_place(r, p);
        return overflow(r, key, until_s);
    }
    fill_place(r, p, key);
    return REVOKED_NEW;
}

enum revoked_result revoked_add(struct revoked *r, struct slice id, int64_t until_s,
                                enum revoked_source source, int64_t now_s)
{
    struct slice text = slice_first(id, REVOKED_ID_MAX);
    struct revoked_key key = revoked_key(r, text);
    struct revoked_place *p;
    bool found, same;
    uint32_t slot;

    CC_ASSERT(revoked_id_valid(id));
    if (until_s <= now_s - REVOKED_GRACE_S)
        return REVOKED_EXPIRED;
    slot = find_slot(r, key, &found);
    if (!found)
        return insert(r, text, key, until_s, source, now_s);
    p = &r->places[r->place_of[slot]];
    same = until_s <= p->until_s && (p->sources & source) != 0;
    if (until_s > p->until_s)
        p->until_s = until_s;
    p->sources |= (uint8_t)source;
    p->marks |= (uint8_t)source;
    return same ? REVOKED_SAME : REVOKED_CHANGED;
}

static struct revoked_place *find_place(const struct revoked *r, struct slice id,
                                        struct revoked_key *key)
{
    uint32_t slot;
    bool found;

    *key = revoked_key(r, id);
    slot = find_slot(r, *key, &found);
    return found ? &r->places[r->place_of[slot]] : NULL;
}

int revoked_remove(struct revoked *r, struct slice id, enum revoked_source source)
{
    struct revoked_key key;
    struct revoked_place *p = find_place(r, id, &key);

    if (p == NULL)
        return revoked_filter_has(&r->filter, key) ? CC_EUNSUPPORTED : CC_ENOENT;
    if ((p->sources & source) == 0)
        return CC_ENOENT;
    p->sources &= (uint8_t) ~(unsigned)source;
    if (p->sources == 0)
        drop(r, p);
    return CC_OK;
}

void revoked_begin(struct revoked *r, enum revoked_source source)
{
    for (size_t i = 0; i < r->n_places; i++)
        r->places[i].marks &= (uint8_t) ~(unsigned)source;
}

size_t revoked_end(struct revoked *r, enum revoked_source source)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_places; i++) {
        struct revoked_place *p = &r->places[i];

        if (p->id == NULL || (p->sources & source) == 0 || (p->marks & source) != 0)
            continue;
        n++;
        p->sources &= (uint8_t) ~(unsigned)source;
        if (p->sources == 0)
            drop(r, p);
    }
    return n;
}

/* Looking at it */

size_t revoked_places(const struct revoked *r)
{
    return r->n_places;
}

static void describe(const struct revoked_place *p, struct revoked_entry *out)
{
    *out = (struct revoked_entry){slice_make(p->id, p->id_n), p->until_s, p->sources, p->marks};
}

bool revoked_at(const struct revoked *r, size_t place, struct revoked_entry *out)
{
    CC_ASSERT(place < r->n_places);
    if (r->places[place].id == NULL)
        return false;
    describe(&r->places[place], out);
    return true;
}

bool revoked_find(const struct revoked *r, struct slice id, struct revoked_entry *out)
{
    struct revoked_key key;
    const struct revoked_place *p = find_place(r, id, &key);

    if (p == NULL)
        return false;
    describe(p, out);
    return true;
}

void revoked_stats(const struct revoked *r, struct revoked_stats *out)
{
    size_t n_slots = r->mask + 1;

    *out = (struct revoked_stats){
        .entries = r->n,
        .max = r->max,
        .overflow = r->filter.n,
        .expired = r->expired,
        .rebuilt = r->rebuilt,
        .bytes = n_slots * (2 * sizeof(struct revoked_slot) + sizeof(*r->place_of)) +
                 r->max * sizeof(*r->places) + r->filter.bits / 8,
    };
}
