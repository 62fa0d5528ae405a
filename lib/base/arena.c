#include "base/arena.h"

#include "base/error.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* A model of 10,000 APIs takes 100 MB: in pages of 4 KiB, making them took a tenth of a build. */
enum { BLOCK_MIN = 4096, HUGE_PAGE = 2 << 20, BLOCK_MAX = 4 * HUGE_PAGE };

struct block {
    struct block *next; /* older */
    size_t size;        /* of data */
    size_t used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *head;
    size_t max;
    size_t held; /* sum of the blocks' sizes */
    size_t used;
};

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof(*a));

    if (a != NULL)
        a->max = max_bytes;
    return a;
}

static void free_blocks(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
}

void arena_free(struct arena **a)
{
    if (a == NULL || *a == NULL)
        return;
    free_blocks((*a)->head);
    free(*a);
    *a = NULL;
}

void arena_reset(struct arena *a)
{
    struct block *first = a->head;

    if (first == NULL)
        return;
    while (first->next != NULL) {
        struct block *older = first->next;

        free(first);
        first = older;
    }
    first->used = 0;
    a->head = first;
    a->held = first->size;
    a->used = 0;
}

/* Large blocks ask for large pages; where there are none, they are as any other. */
static struct block *new_block(size_t size)
{
    size_t all;
    void *p;

    if (__builtin_add_overflow(size, sizeof(struct block), &all))
        return NULL;
    if (size < HUGE_PAGE)
        return malloc(all);
    if (posix_memalign(&p, HUGE_PAGE, all) != 0)
        return NULL;
    (void)madvise(p, all, MADV_HUGEPAGE);
    return p;
}

/* A block with room for n bytes. Blocks double, so that a large arena has few of them; the last
 * one is cut to what the maximum leaves. */
static struct block *add_block(struct arena *a, size_t n)
{
    size_t size = a->held < BLOCK_MIN ? BLOCK_MIN : a->held;
    struct block *b;

    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size > a->max - a->held)
        size = a->max - a->held;
    if (size < n)
        size = n;
    if (size > a->max - a->held)
        return NULL;
    b = new_block(size);
    if (b == NULL)
        return NULL;
    b->next = a->head;
    b->size = size;
    b->used = 0;
    a->head = b;
    a->held += size;
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t align = alignof(max_align_t);
    struct block *b = a->head;
    size_t room;
    void *p;

    if (__builtin_add_overflow(n, align - 1, &room))
        return NULL;
    room -= room % align;
    if (b == NULL || b->size - b->used < room)
        b = add_block(a, room);
    if (b == NULL)
        return NULL;
    p = b->data + b->used;
    b->used += room;
    a->used += room;
    return memset(p, 0, room);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;

    return __builtin_mul_overflow(count, size, &n) ? NULL : arena_alloc(a, n);
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *p = s.n == SIZE_MAX ? NULL : arena_alloc(a, s.n + 1);

    if (p == NULL)
        return SLICE_NONE;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return slice_make(p, s.n);
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
    struct slice out = SLICE_NONE;
    va_list args, again;
    int n;
    char *p;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p != NULL) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
        out = slice_make(p, (size_t)n);
    }
    va_end(again);
    va_end(args);
    return out;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
