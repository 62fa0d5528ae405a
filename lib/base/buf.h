/* Bounded buffers: text or bytes that grow up to a maximum named at the start.
 *
 * Errors stick: after one failed add the buffer stays failed, later adds do nothing, and the
 * caller checks once at the end with buf_error(). The content is NUL-terminated at all times. */
#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <stddef.h>

struct buf {
    char *p;      /* NULL until the first byte */
    size_t n;     /* bytes in use, without the NUL */
    size_t cap;   /* bytes allocated */
    size_t max;   /* never more than this many bytes of content */
    int error;    /* CC_OK, CC_EFULL or CC_ENOMEM; sticks */
    bool fixed;   /* p is the caller's array: never reallocated, never freed */
};

/* An empty buffer of at most max bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);

/* A buffer over the caller's array of `size` bytes (content at most size - 1). Never allocates. */
void buf_init_fixed(struct buf *b, char *array, size_t size);

/* Frees what the buffer owns; it may be used again after buf_init(). */
void buf_free(struct buf *b);

/* Empties it and forgets the error; keeps the memory. */
void buf_reset(struct buf *b);

/* Makes room for `more` bytes and the NUL; false: the error that sticks. */
bool buf_grow(struct buf *b, size_t more);

/* The same. Its usual case takes no call, for snapshots are made of millions of small pieces. */
static inline bool buf_room(struct buf *b, size_t more)
{
    return (b->error == CC_OK && more <= b->max - b->n && b->n + more < b->cap) ||
           buf_grow(b, more);
}

void buf_add(struct buf *b, struct slice s);
void buf_add_str(struct buf *b, const char *cstr);
void buf_add_u64(struct buf *b, uint64_t v);

/* Each of the n bytes as two lower-case hexadecimal digits. */
void buf_add_hex(struct buf *b, const void *bytes, size_t n);

static inline void buf_add_char(struct buf *b, char c)
{
    if (!buf_room(b, 1))
        return;
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* s as a JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD, so the output
 * is always valid JSON (RFC 8259). */
void buf_add_json(struct buf *b, struct slice s);

/* CC_OK when every add since the last reset fitted. */
int buf_error(const struct buf *b);

/* What is in it; valid until the next add. */
struct slice buf_slice(const struct buf *b);
