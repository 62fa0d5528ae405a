/* The table from inside (private to revoke). */
#pragma once

#include "revoke/revoke_filter.h"

/* What readers see: open addressing with linear probing. A slot is written b first, then a
 * (release), and read a first, then b (acquire): who sees a new `a` sees its `b`. An entry that is
 * removed becomes GONE, so that those behind it are still found; a new one may take its place. */
struct revoked_slot {
    _Atomic uint64_t a, b;
};

enum { REVOKED_EMPTY = 0, REVOKED_GONE = 1, REVOKED_FIRST_HASH = 2 };

/* What only the writer sees. Those that are not in use are a list by `slot`. */
struct revoked_place {
    char *id; /* NULL: not in use */
    int64_t until_s;
    uint32_t slot;
    uint16_t id_n;
    uint8_t sources;
    uint8_t marks; /* sources that have added it since their revoked_begin() */
};

struct revoked {
    struct hash_key keys[2];
    size_t mask; /* slots - 1; there are at least twice as many as entries */
    /* Two arrays, one in use. When GONE slots have filled it, the entries are written into the
     * other one, and `turn` changes. Arrays are never freed: a reader that is late reads good
     * memory, and sees by `turn` that it must look again. */
    struct revoked_slot *slots[2];
    _Atomic uint64_t turn; /* slots[turn & 1] is in use */
    atomic_bool ready;
    struct revoked_filter filter;

    uint32_t *place_of; /* by slot, where it holds an entry */
    struct revoked_place *places;
    size_t n, n_places, max;
    uint32_t unused;
    size_t occupied; /* slots that are not EMPTY */
    size_t sweep;    /* the place where expiring goes on */
    int64_t swept_s; /* when all were looked at because there was no room */
    uint64_t expired, rebuilt;
};

/* For a place; NULL without memory. */
char *revoked_copy_id(struct slice id);
