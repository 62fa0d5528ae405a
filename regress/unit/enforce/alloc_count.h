/* Counts heap allocations of the whole program, so that a test can say "none". Under ASan by its
 * hooks, else by standing in front of glibc's allocator. Include it in one source of a program. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/* Volatile: the compiler knows malloc() and takes it for granted that it changes no variable. */
static volatile size_t alloc_made, alloc_freed;

#if defined(__SANITIZE_ADDRESS__)
#define ALLOC_COUNT_BY_HOOKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOC_COUNT_BY_HOOKS 1
#endif
#endif

#ifdef ALLOC_COUNT_BY_HOOKS

/* From sanitizer/allocator_interface.h, which gcc's packages do not bring along. */
extern int __sanitizer_install_malloc_and_free_hooks(void (*made)(const volatile void *, size_t),
                                                     void (*freed)(const volatile void *));

static void alloc_note(const volatile void *p, size_t n)
{
    (void)n;
    alloc_made = alloc_made + (p != NULL);
}

static void free_note(const volatile void *p)
{
    alloc_freed = alloc_freed + (p != NULL);
}

static inline void alloc_count_start(void)
{
    if (__sanitizer_install_malloc_and_free_hooks(alloc_note, free_note) == 0)
        abort();
}

#else

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

void *malloc(size_t n)
{
    alloc_made = alloc_made + 1;
    return __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    alloc_made = alloc_made + 1;
    return __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
    alloc_made = alloc_made + 1;
    alloc_freed = alloc_freed + (p != NULL);
    return __libc_realloc(p, n);
}

void free(void *p)
{
    alloc_freed = alloc_freed + (p != NULL);
    __libc_free(p);
}

static inline void alloc_count_start(void)
{
}

#endif
