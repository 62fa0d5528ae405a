/* jwks_wanted: how a worker says that a key set should be fetched again.
 *
 * One bit a key set (enforce_decision.fetch), set by workers without waiting, taken by the main
 * thread. A bit stays set until its fetch begins, so that a flood of tokens with unknown kids costs
 * one relaxed load each, and wakes the main thread once. */
#pragma once

#include <ev.h>
#include <stdatomic.h>
#include <stdint.h>

struct jwks_wanted {
    _Atomic uint64_t bits;
    /* set by the server before it starts workers; NULL: nobody fetches */
    struct ev_loop *loop;
    ev_async *wake;
};

/* Any thread. Relaxed: the bits order nothing, and ev_async_send() has its own barriers. */
static inline void jwks_want(struct jwks_wanted *w, uint64_t bits)
{
    if (bits == 0 || w->loop == NULL ||
        (atomic_load_explicit(&w->bits, memory_order_relaxed) & bits) == bits)
        return;
    atomic_fetch_or_explicit(&w->bits, bits, memory_order_relaxed);
    ev_async_send(w->loop, w->wake);
}
