/* Internal to the snapshot: JSON as the writer writes it, read in the order of its bytes, without a
 * tree. A line is looked over once (snapshot_json_begin), so that brackets and quotes are known to
 * fit together and each list's number of elements before it is read; then values are taken off the
 * front. Without white space: the writer has none.
 *
 * What is taken is checked again where it is taken: whole JSON text (RFC 8259) or a fault, UTF-8
 * without NUL and surrogates that stand alone, whole numbers. Depth, and memory besides the line's
 * own size, are bounded. */
#pragma once

#include "base/base.h"

enum { SNAPSHOT_JSON_DEPTH = 32 };

struct snapshot_json {
    struct slice rest;
    uint32_t *counts; /* elements of each list, in the order of their '[' */
    size_t n_counts, room, next;
    struct buf text; /* with its escapes undone */
};

/* `max`: bytes of the longest line. */
void snapshot_json_init(struct snapshot_json *j, size_t max);
void snapshot_json_free(struct snapshot_json *j);

/* Begins with a line. CC_OK, CC_EPARSE, CC_ENOMEM. */
int snapshot_json_begin(struct snapshot_json *j, struct slice line);

/* Takes one byte off, if it is `c`. */
static inline bool snapshot_json_take(struct snapshot_json *j, char c)
{
    if (j->rest.n == 0 || j->rest.p[0] != c)
        return false;
    j->rest = slice_from(j->rest, 1);
    return true;
}

/* What begins here? */
static inline char snapshot_json_peek(const struct snapshot_json *j)
{
    return j->rest.n > 0 ? j->rest.p[0] : '\0';
}

/* Takes a word off: true, false, null. */
bool snapshot_json_word(struct snapshot_json *j, struct slice word);

/* A text; it lives until the next one is taken, or in the line. CC_OK, CC_ENOENT (it is not text),
 * CC_EPARSE (it is, and not valid), CC_ENOMEM. */
int snapshot_json_text(struct snapshot_json *j, struct slice *out);

/* A whole number. CC_OK, CC_ENOENT (it is none), CC_ETOOBIG (it is negative or above 64 bits). */
int snapshot_json_number(struct snapshot_json *j, uint64_t *out);

/* The '[' of a list and how many elements follow; false: it is not a list. */
bool snapshot_json_list(struct snapshot_json *j, size_t *n);
