#include "base/serial.h"

#include <stdatomic.h>

uint64_t serial_next(void)
{
    static _Atomic uint64_t last;

    /* Relaxed: each caller gets another number, and nothing is ordered by it. */
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}
