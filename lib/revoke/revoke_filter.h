/* revoke_filter: a Bloom filter for the revocations that the table has no room for (private to
 * revoke). Finds all that was added, and now and then what was not. One writer, any number of
 * readers. */
#pragma once

#include "revoke/revoke.h"

#include <stdatomic.h>

struct revoked_filter {
    _Atomic uint64_t *words;
    size_t bits;        /* a power of two */
    atomic_bool in_use; /* false: nothing is in it, and readers need not look */
    size_t n;           /* added since it was last empty */
    int64_t until_s;    /* when the last of them is of no use any more */
};

int revoked_filter_init(struct revoked_filter *f, size_t bits);
void revoked_filter_cleanup(struct revoked_filter *f);

void revoked_filter_add(struct revoked_filter *f, struct revoked_key key, int64_t until_s);
bool revoked_filter_has(const struct revoked_filter *f, struct revoked_key key);

/* Empties it when everything in it has expired. */
void revoked_filter_expire(struct revoked_filter *f, int64_t now_s);
