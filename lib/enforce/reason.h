/* reason: the compact trace of a decision, for operators (private to enforce).
 *
 * Bounded and cut, never failing: a reason must not decide anything. Control characters, quotes and
 * backslashes become '?', so that it is one line that needs no escapes in whatever log it ends. */
#pragma once

#include "base/base.h"

struct reason {
    char text[512];
    size_t n;
    size_t words;       /* without the place, which comes last */
    struct place place; /* what reason_add_place() was given; source NULL: nothing */
};

static inline void reason_start(struct reason *r)
{
    r->n = r->words = 0;
    r->place = PLACE_NONE;
}

static inline struct slice reason_slice(const struct reason *r)
{
    return slice_make(r->text, r->n);
}

/* Text from outside, made harmless. */
void reason_add(struct reason *r, struct slice s);
/* Our own words: taken as they are. */
void reason_add_str(struct reason *r, const char *s);
void reason_add_int(struct reason *r, int64_t v);

/* "; pets/swagger.yaml:41:9": the place of configuration behind the decision; nothing when it is
 * not known. */
void reason_add_place(struct reason *r, struct place place);
