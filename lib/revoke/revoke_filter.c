#include "revoke/revoke_filter.h"

#include <stdlib.h>

enum { HASHES = 7 };

int revoked_filter_init(struct revoked_filter *f, size_t bits)
{
    f->words =
        calloc(bits / 64, sizeof(*f->words)); /* pages stay untouched until they are needed */
    f->bits = bits;
    return f->words != NULL ? CC_OK : CC_ENOMEM;
}

void revoked_filter_cleanup(struct revoked_filter *f)
{
    free(f->words);
}

/* The i-th bit of a key: double hashing (Kirsch and Mitzenmacher 2006). */
static size_t bit_of(const struct revoked_filter *f, struct revoked_key key, unsigned i)
{
    return (size_t)(key.a + i * (key.b | 1)) & (f->bits - 1);
}

void revoked_filter_add(struct revoked_filter *f, struct revoked_key key, int64_t until_s)
{
    if (until_s > f->until_s)
        f->until_s = until_s;
    if (revoked_filter_has(f, key)) /* be it by chance: readers find it */
        return;
    for (unsigned i = 0; i < HASHES; i++) {
        size_t bit = bit_of(f, key, i);

        atomic_fetch_or_explicit(&f->words[bit / 64], UINT64_C(1) << bit % 64,
                                 memory_order_relaxed);
    }
    f->n++;
    /* release: who sees that it is in use also sees the bits */
    atomic_store_explicit(&f->in_use, true, memory_order_release);
}

bool revoked_filter_has(const struct revoked_filter *f, struct revoked_key key)
{
    if (!atomic_load_explicit(&f->in_use, memory_order_acquire))
        return false;
    for (unsigned i = 0; i < HASHES; i++) {
        size_t bit = bit_of(f, key, i);

        if ((atomic_load_explicit(&f->words[bit / 64], memory_order_relaxed) &
             UINT64_C(1) << bit % 64) == 0)
            return false;
    }
    return true;
}

void revoked_filter_expire(struct revoked_filter *f, int64_t now_s)
{
    if (f->n == 0 || f->until_s > now_s - REVOKED_GRACE_S)
        return;
    atomic_store_explicit(&f->in_use, false, memory_order_relaxed);
    for (size_t i = 0; i < f->bits / 64; i++)
        atomic_store_explicit(&f->words[i], 0, memory_order_relaxed);
    f->n = 0;
    f->until_s = 0;
}
