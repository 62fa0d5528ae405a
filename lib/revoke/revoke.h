/* revoke: which tokens are revoked.
 *
 *   revoke.h          the table: one writer, any number of readers that never wait
 *   revoke_read.h     the operator's file of revoked tokens
 *   revoke_journal.h  the state file, in which revocations outlive a restart
 *
 * A token's id is its jti, or the text of its signature when it has none. The table knows an id by
 * 128 bits of a keyed hash, so that nobody can choose ids that meet. A reader looks at a few words
 * of memory: no lock, no reference, no copy of the table however often it changes. What the writer
 * has returned from, every reader sees.
 *
 * A revocation is never lost while the token could be used. Memory is taken at the start and
 * bounded: when there are more revocations than the table was made for, the rest goes to a Bloom
 * filter. It finds all of them, and with growing numbers now and then a token that was not revoked:
 * too many revocations refuse too much, never too little.
 *
 * The writer's calls are one thread's, the readers' any thread's. */
#pragma once

#include "base/base.h"

enum {
    REVOKED_ID_MAX = 1024, /* ids are told apart by their first so many bytes */
    /* a revocation stays for so long after its token has expired: longer than any leeway */
    REVOKED_GRACE_S = 3600
};

#define REVOKED_MAX_ENTRIES 10000000

/* No time: until somebody takes it back. */
#define REVOKED_FOREVER INT64_MAX

struct revoked;

/* A token's id, hashed; good for the table that made it. */
struct revoked_key {
    uint64_t a, b;
};

/* A table of at most `max` (up to REVOKED_MAX_ENTRIES) revocations, not ready yet. */
int revoked_new(struct revoked **out, size_t max);
void revoked_free(struct revoked **r);

/* Readers */

/* Of any text. Of an ECDSA signature anybody can make a second good one for the same token, which
 * has the same first half: so signatures of the sizes of ES256, EdDSA, ES384 and ES512 are known by
 * that. */
struct revoked_key revoked_key(const struct revoked *r, struct slice id);
bool revoked_has(const struct revoked *r, struct revoked_key key);

/* False: what is revoked is not known yet, and so nobody may be let in by a token. */
bool revoked_is_ready(const struct revoked *r);

/* The writer */

void revoked_set_ready(struct revoked *r, bool ready);

/* Who says so. A revocation stays as long as one of them does. */
enum revoked_source {
    REVOKED_BY_FILE = 1,  /* the operator's file */
    REVOKED_BY_STATE = 2, /* everybody else; what is saved */
};

/* Can it be an id: 1 or more bytes, no control characters? */
bool revoked_id_valid(struct slice id);
/* Is it a whole token by mistake? As an id it would never be found, and it must not be shown. */
bool revoked_looks_like_token(struct slice id);

enum revoked_result {
    REVOKED_NEW,
    REVOKED_CHANGED,  /* it was there; holds longer now, or by another source too */
    REVOKED_SAME,     /* it was there, and nothing changed */
    REVOKED_EXPIRED,  /* the token is of no use any more: not taken */
    REVOKED_OVERFLOW, /* it is in the filter: the table is full, or there is no memory for the id */
};

/* Copies the first REVOKED_ID_MAX bytes of a valid id. `until_s`: when the token expires. */
enum revoked_result revoked_add(struct revoked *r, struct slice id, int64_t until_s,
                                enum revoked_source source, int64_t now_s);

/* CC_OK; CC_ENOENT: it is not there, or not by this source alone and stays; CC_EUNSUPPORTED: it may
 * be in the filter, which forgets nothing. */
int revoked_remove(struct revoked *r, struct slice id, enum revoked_source source);

/* All that a source says, anew: what it does not add between the two is no longer its own. The end
 * returns how many that were. */
void revoked_begin(struct revoked *r, enum revoked_source source);
size_t revoked_end(struct revoked *r, enum revoked_source source);

/* Looks at the next `n` entries and drops what has expired; returns how many that were. */
size_t revoked_expire(struct revoked *r, int64_t now_s, size_t n);

/* The entries: for (i = 0; i < revoked_places(r); i++) if (revoked_at(r, i, &e)) ... A place keeps
 * its entry until that is removed. */
struct revoked_entry {
    struct slice id;
    int64_t until_s;
    unsigned sources;
    unsigned marks; /* sources that have added it since their revoked_begin() */
};
size_t revoked_places(const struct revoked *r);
bool revoked_at(const struct revoked *r, size_t place, struct revoked_entry *out);
/* The entry of this id; false when there is none, also when the filter has it. */
bool revoked_find(const struct revoked *r, struct slice id, struct revoked_entry *out);

struct revoked_stats {
    size_t entries, max;
    size_t overflow;  /* in the filter */
    uint64_t expired; /* dropped because the token had expired */
    uint64_t rebuilt; /* how often the table was written anew */
    size_t bytes;     /* of the table; ids come on top */
};
void revoked_stats(const struct revoked *r, struct revoked_stats *out);
