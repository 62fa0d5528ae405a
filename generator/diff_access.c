#include "generator/diff_internal.h"

#include <stdlib.h>

enum { ACCESS_MAX_BYTES = 256 << 10 };

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Requirements are alternatives and so are the scopes of each: what lets in is their union. Returns
 * false when memory is short. *any: some requirement is content with any token. */
static bool union_of_scopes(const struct gw_operation *op, struct arena *arena,
                            struct slice **scopes, size_t *n, bool *any)
{
    size_t all = 0, kept = 0;

    *any = op->n_requirements == 0;
    for (size_t i = 0; i < op->n_requirements; i++) {
        *any = *any || op->requirements[i].n_scopes == 0;
        all += op->requirements[i].n_scopes;
    }
    *scopes = arena_array(arena, all, sizeof(**scopes));
    *n = 0;
    if (*scopes == NULL)
        return false;
    for (size_t i = 0; i < op->n_requirements; i++)
        for (size_t k = 0; k < op->requirements[i].n_scopes; k++)
            (*scopes)[(*n)++] = op->requirements[i].scopes[k];
    if (*n > 1)
        qsort(*scopes, *n, sizeof(**scopes), by_text);
    for (size_t i = 0; i < *n; i++)
        if (kept == 0 || !slice_eq((*scopes)[kept - 1], (*scopes)[i]))
            (*scopes)[kept++] = (*scopes)[i];
    *n = kept;
    return true;
}

struct slice diff_access_text(const struct gw_operation *op, struct arena *arena)
{
    struct slice *scopes, out;
    struct buf text;
    bool any;
    size_t n;

    if (op->open || op->closed)
        return op->open ? SLICE("open") : SLICE("closed");
    if (!union_of_scopes(op, arena, &scopes, &n, &any))
        return SLICE_NONE;
    if (any)
        return SLICE("any token");
    buf_init(&text, ACCESS_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_str(&text, " or ");
        buf_add(&text, scopes[i]);
    }
    /* Cut where it is too long even to compare: the document's own limits are far below. */
    out = buf_error(&text) == CC_ENOMEM ? SLICE_NONE : arena_dup(arena, buf_slice(&text));
    buf_free(&text);
    return out;
}

static bool same_place(struct place a, struct place b)
{
    return (a.source == NULL) == (b.source == NULL) && a.line == b.line && a.col == b.col &&
           (a.source == NULL || strcmp(a.source->name, b.source->name) == 0);
}

bool diff_same_requirements(const struct gw_operation *a, const struct gw_operation *b)
{
    if (a->n_requirements != b->n_requirements)
        return false;
    for (size_t i = 0; i < a->n_requirements; i++) {
        const struct gw_requirement *x = &a->requirements[i], *y = &b->requirements[i];

        if (x->n_scopes != y->n_scopes || !same_place(x->origin, y->origin))
            return false;
        for (size_t k = 0; k < x->n_scopes; k++)
            if (!slice_eq(x->scopes[k], y->scopes[k]))
                return false;
    }
    return true;
}
