/* answers: a bounded memory of replies, by key. One thread at a time.
 *
 * Sets of a few places each: a reply takes the place of one of its own set, the one that ends
 * first. Keys are digests, so that nobody chooses the set. Takes no more than entries *
 * entry_bytes. */
#pragma once

#include "enforce/await.h"

struct answers;

int answers_new(struct answers **out, size_t entries, size_t entry_bytes);
void answers_free(struct answers **a);

/* The reply, borrowed, when it still counts at now_s; else NULL. */
struct enforce_reply *answers_find(struct answers *a, const struct enforce_key *key, int64_t now_s);

/* Takes a reference of its own, unless the reply is too large. */
void answers_put(struct answers *a, struct enforce_reply *reply, int64_t now_s);
