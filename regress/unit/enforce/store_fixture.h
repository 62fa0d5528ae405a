/* Subscriptions for tests of decisions. */
#pragma once

#include "fixture.h"

#include "subs/subs_read.h"

/* Live state that knows these subscription files and nothing else; NULL: there are none. */
static inline void fixture_set_store(struct enforce_live **live, const char *yaml)
{
    struct arena *arena = arena_new(1 << 24);
    struct diag *diag = diag_new();
    struct subs *store = NULL;

    if (yaml != NULL)
        fixture_need(subs_read_text(&store, slice_of(yaml), "subs.yaml", arena, diag), "store");
    enforce_live_unref(live);
    fixture_need(enforce_live_with_subs(live, NULL, store), "live");
    subs_unref(&store);
    diag_free(&diag);
    arena_free(&arena);
}
