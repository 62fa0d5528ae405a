/* Seals the content of a snapshot as the writer would: for tests that must get past the hashes. */
#pragma once

#include "crypto/crypto.h"
#include "gateway/snapshot.h"

/* `generations` is the line of generation numbers, `content` all behind the content hash. */
static inline void seal_snapshot(struct buf *out, struct slice generations, struct slice content)
{
    char hex[65];
    struct buf head;

    CC_ASSERT(crypto_sha256_hex(content, hex) == CC_OK);
    buf_init(&head, GW_SNAPSHOT_MAX_BYTES);
    buf_add(&head, generations);
    buf_printf(&head, "\n\"content\":\"%s\",\n", hex);
    CC_ASSERT(crypto_sha256_hex(buf_slice(&head), hex) == CC_OK);
    buf_printf(out, "{\"schema\":%d,\n\"hash\":\"%s\",\n", GW_SCHEMA, hex);
    buf_add(out, buf_slice(&head));
    buf_add(out, content);
    buf_free(&head);
}

/* Everything behind the first n lines. */
static inline struct slice seal_skip_lines(struct slice text, unsigned n)
{
    for (; n > 0; n--)
        text = slice_from(text, (size_t)slice_find(text, '\n') + 1);
    return text;
}

enum { SEAL_CONTENT_LINE = 4 }; /* lines before the content */
