/* Arenas: memory that is given back all at once.
 *
 * An arena grows in blocks up to a maximum that its creator names; reaching it is an error (NULL),
 * not more memory. What comes from an arena lives until arena_reset() or arena_free(); nothing is
 * freed alone. Not thread-safe: one owner at a time. */
#pragma once

#include "base/slice.h"

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new arena that never holds more than max_bytes. NULL when there is no memory. */
struct arena *arena_new(size_t max_bytes);

/* Frees the arena and all that came from it; sets *a to NULL. Accepts a pointer to NULL. */
void arena_free(struct arena **a);

/* Forgets all allocations but keeps the first block, so that a warm arena does not call malloc. */
void arena_reset(struct arena *a);

/* n zeroed bytes aligned for any type; NULL when the maximum or memory is exhausted. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);

/* An array of `count` zeroed elements; NULL also when count * size overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of s, NUL-terminated after its n bytes. p is NULL when it does not fit. */
struct slice arena_dup(struct arena *a, struct slice s);

/* Formatted text, NUL-terminated. p is NULL when it does not fit. */
struct slice arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out since creation or reset, padding included. */
size_t arena_used(const struct arena *a);
