#include "generator/access.h"

#include <stdlib.h>

enum { ACCESS_MAX_BYTES = 256 << 10 };

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sorts and leaves each once. */
static size_t unique(struct slice *texts, size_t n)
{
    size_t kept = 0;

    if (n > 1)
        qsort(texts, n, sizeof(*texts), by_text);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !slice_eq(texts[kept - 1], texts[i]))
            texts[kept++] = texts[i];
    return kept;
}

/* Texts in one, in the arena; cut where it is too long even to compare: the document's own limits
 * are far below. */
static struct slice join(struct arena *arena, const struct slice *texts, size_t n, const char *by)
{
    struct slice out;
    struct buf b;

    buf_init(&b, ACCESS_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_str(&b, by);
        buf_add(&b, texts[i]);
    }
    out = buf_error(&b) == CC_ENOMEM ? SLICE_NONE : arena_dup(arena, buf_slice(&b));
    buf_free(&b);
    return out;
}

static struct slice need_text(const struct gw_need *need, struct arena *arena)
{
    struct slice *scopes;

    switch (need->kind) {
    case GW_KEY_IN_HEADER:
        return arena_printf(arena, "an API key in the header %" PRIslice, SLICE_ARG(need->name));
    case GW_KEY_IN_QUERY:
        return arena_printf(arena, "an API key in the query parameter %" PRIslice,
                            SLICE_ARG(need->name));
    case GW_CERTIFICATE:
        return SLICE("a client certificate");
    case GW_CONSOLE_KEY:
        return SLICE("an internal key");
    case GW_TOKEN:
    case GW_CREDENTIAL_COUNT:
        break;
    }
    if (need->n_scopes == 0)
        return SLICE("any token");
    scopes = arena_array(arena, need->n_scopes, sizeof(*scopes));
    if (scopes == NULL)
        return SLICE_NONE;
    memcpy(scopes, need->scopes, need->n_scopes * sizeof(*scopes));
    return join(arena, scopes, unique(scopes, need->n_scopes), " or ");
}

/* Several needs at once: "(a client certificate and admin)". */
static struct slice requirement_text(const struct gw_requirement *r, struct arena *arena)
{
    struct slice *needs = arena_array(arena, r->n_needs, sizeof(*needs)), all;

    if (needs == NULL)
        return SLICE_NONE;
    for (size_t i = 0; i < r->n_needs; i++) {
        needs[i] = need_text(&r->needs[i], arena);
        if (needs[i].p == NULL)
            return SLICE_NONE;
    }
    if (r->n_needs == 1)
        return needs[0];
    all = join(arena, needs, unique(needs, r->n_needs), " and ");
    return all.p == NULL ? SLICE_NONE : arena_printf(arena, "(%" PRIslice ")", SLICE_ARG(all));
}

/* One scope of a token is an alternative like any other. */
static bool is_scopes(const struct gw_requirement *r)
{
    return r->n_needs == 1 && r->needs[0].kind == GW_TOKEN;
}

int access_alternatives(const struct gw_operation *op, struct arena *arena, struct slice **out,
                        size_t *n)
{
    size_t all = 0, used = 0;
    struct slice *texts;

    *n = 0;
    *out = NULL;
    for (size_t i = 0; i < op->n_requirements; i++) {
        if (gw_requirement_any_token(&op->requirements[i]))
            return CC_OK;
        all += is_scopes(&op->requirements[i]) ? op->requirements[i].needs[0].n_scopes : 1;
    }
    texts = arena_array(arena, all, sizeof(*texts));
    if (texts == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < op->n_requirements; i++) {
        const struct gw_requirement *r = &op->requirements[i];

        if (is_scopes(r)) {
            memcpy(&texts[used], r->needs[0].scopes, r->needs[0].n_scopes * sizeof(*texts));
            used += r->needs[0].n_scopes;
            continue;
        }
        texts[used] = requirement_text(r, arena);
        if (texts[used++].p == NULL)
            return CC_ENOMEM;
    }
    *out = texts;
    *n = unique(texts, used);
    return CC_OK;
}

struct slice access_text(const struct gw_operation *op, struct arena *arena)
{
    struct slice *texts;
    size_t n;

    if (op->open || op->closed)
        return op->open ? SLICE("open") : SLICE("closed");
    if (access_alternatives(op, arena, &texts, &n) != CC_OK)
        return SLICE_NONE;
    return n == 0 ? SLICE("any token") : join(arena, texts, n, " or ");
}

static bool same_place(struct place a, struct place b)
{
    return (a.source == NULL) == (b.source == NULL) && a.line == b.line && a.col == b.col &&
           (a.source == NULL || strcmp(a.source->name, b.source->name) == 0);
}

static bool same_need(const struct gw_need *a, const struct gw_need *b)
{
    if (a->kind != b->kind || !slice_eq(a->name, b->name) || a->n_scopes != b->n_scopes ||
        !same_place(a->origin, b->origin))
        return false;
    for (size_t i = 0; i < a->n_scopes; i++) {
        if (!slice_eq(a->scopes[i], b->scopes[i]))
            return false;
    }
    return true;
}

bool access_same_requirements(const struct gw_operation *a, const struct gw_operation *b)
{
    if (a->n_requirements != b->n_requirements)
        return false;
    for (size_t i = 0; i < a->n_requirements; i++) {
        const struct gw_requirement *x = &a->requirements[i], *y = &b->requirements[i];

        if (x->n_needs != y->n_needs || !same_place(x->origin, y->origin))
            return false;
        for (size_t k = 0; k < x->n_needs; k++) {
            if (!same_need(&x->needs[k], &y->needs[k]))
                return false;
        }
    }
    return true;
}
