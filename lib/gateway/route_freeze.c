/* Writes sorted entries as the block of records that route_table.h describes. */
#include "gateway/route_table.h"

#include <stdlib.h>

struct freezer {
    const struct route_entry *entries;
    struct arena *scratch;
    struct hash_key key;
    char *block;
    size_t used, room; /* words */
    int error;         /* sticks */
};

/* Children of a node: ranges of entries that share the next segment (or, in a set, the host). */
enum group_kind { LITERAL, MIXED, PARAMETER }; /* in the order of preference */

struct group {
    struct slice segment;
    enum group_kind kind;
    size_t first, end;
};

struct groups {
    struct group *list;
    size_t n, n_literals, n_mixed;
};

static struct route_node *node_at(struct freezer *f, uint32_t ref)
{
    return (struct route_node *)(void *)(f->block + (size_t)ref * ROUTE_WORD);
}

static char *part_at(struct freezer *f, uint32_t ref, size_t words)
{
    return f->block + ((size_t)ref + words) * ROUTE_WORD;
}

/* Zeroed words at the end of the block; their offset, or 0. The block may move. */
static uint32_t reserve(struct freezer *f, size_t words)
{
    size_t at = f->used;

    if (f->error != CC_OK)
        return 0;
    if (words > UINT32_MAX - at) {
        f->error = CC_ETOOBIG;
        return 0;
    }
    if (at + words > f->room) {
        size_t room = at + words + f->room;
        char *block = realloc(f->block, room * ROUTE_WORD);

        if (block == NULL) {
            f->error = CC_ENOMEM;
            return 0;
        }
        f->block = block;
        f->room = room;
    }
    memset(f->block + at * ROUTE_WORD, 0, words * ROUTE_WORD);
    f->used = at + words;
    return (uint32_t)at;
}

/* The segment behind the separator at `depth`. */
static struct slice segment_at(struct slice shape, size_t depth)
{
    struct slice rest = slice_from(shape, depth + 1);
    ptrdiff_t n = slice_find(rest, ROUTE_SEPARATOR);

    return n >= 0 ? slice_first(rest, (size_t)n) : rest;
}

static enum group_kind kind_of(struct slice segment)
{
    if (slice_find(segment, ROUTE_PARAMETER) < 0)
        return LITERAL;
    return segment.n == 1 ? PARAMETER : MIXED;
}

/* Bytes of a mixed segment that are not parameters. */
static size_t literal_bytes(struct slice segment)
{
    size_t n = 0;

    for (size_t i = 0; i < segment.n; i++)
        n += segment.p[i] != ROUTE_PARAMETER;
    return n;
}

/* Mixed segments: the most literal text first, then the longest text before the first parameter,
 * then any fixed order. */
static int compare_groups(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    size_t x, y;

    if (a->kind != b->kind)
        return (int)a->kind - (int)b->kind;
    if (a->kind == MIXED) {
        x = literal_bytes(a->segment);
        y = literal_bytes(b->segment);
        if (x == y) {
            x = (size_t)slice_find(a->segment, ROUTE_PARAMETER);
            y = (size_t)slice_find(b->segment, ROUTE_PARAMETER);
        }
        if (x != y)
            return x > y ? -1 : 1;
    }
    return slice_cmp(a->segment, b->segment);
}

static bool groups_new(struct freezer *f, struct groups *g, size_t max)
{
    *g = (struct groups){arena_array(f->scratch, max, sizeof(*g->list)), 0, 0, 0};
    if (g->list == NULL)
        f->error = CC_ENOMEM;
    return g->list != NULL;
}

static void add_group(struct groups *g, struct slice segment, enum group_kind kind, size_t at)
{
    g->list[g->n++] = (struct group){segment, kind, at, at + 1};
    g->n_literals += kind == LITERAL;
    g->n_mixed += kind == MIXED;
}

/* The groups of entries [first, end), all of which have more than `depth` bytes of shape. */
static bool find_groups(struct freezer *f, size_t first, size_t end, size_t depth, struct groups *g)
{
    struct slice before = SLICE_NONE;
    size_t n = 0;

    for (size_t i = first; i < end; i++) {
        struct slice segment = segment_at(f->entries[i].shape, depth);

        n += i == first || !slice_eq(segment, before);
        before = segment;
    }
    if (!groups_new(f, g, n))
        return false;
    for (size_t i = first; i < end; i++) {
        struct slice segment = segment_at(f->entries[i].shape, depth);

        if (i > first && slice_eq(segment, before))
            g->list[g->n - 1].end = i + 1;
        else
            add_group(g, segment, kind_of(segment), i);
        before = segment;
    }
    qsort(g->list, g->n, sizeof(*g->list), compare_groups);
    return true;
}

/* The matches of one kind among entries [first, end), which all end at one node. A resource without
 * operations counts only when it is alone. The builder has seen to it that methods are disjoint, so
 * there are at most as many as methods. */
static unsigned select_matches(const struct freezer *f, size_t first, size_t end,
                               enum route_kind kind, struct gw_route_match out[GW_METHOD_COUNT])
{
    unsigned n = 0;

    for (size_t i = first; i < end; i++) {
        const struct route_entry *e = &f->entries[i];

        if (e->kind != kind || (e->match.resource->n_operations == 0 && n > 0))
            continue;
        if (n == 1 && out[0].resource->n_operations == 0)
            n = 0;
        CC_ASSERT(n < GW_METHOD_COUNT);
        out[n++] = e->match;
    }
    return n;
}

static uint8_t slots_for(size_t n_literals)
{
    uint8_t log2 = 0;

    if (n_literals <= ROUTE_SHORT_LIST)
        return 0;
    while ((size_t)1 << log2 < 2 * n_literals)
        log2++;
    return log2;
}

/* The record of a node where entries [first, own_end) end and that has these children, whose places
 * are filled in later by put_child(). */
static uint32_t write_node(struct freezer *f, struct slice label, size_t first, size_t own_end,
                           const struct groups *g)
{
    struct gw_route_match exact[GW_METHOD_COUNT], wild[GW_METHOD_COUNT];
    unsigned n_exact = select_matches(f, first, own_end, ROUTE_EXACT, exact);
    unsigned n_wild = select_matches(f, first, own_end, ROUTE_WILD, wild);
    struct route_node node = {
        .n_literals = (uint32_t)g->n_literals,
        .n_mixed = (uint32_t)g->n_mixed,
        .label_n = (uint16_t)label.n,
        .slots_log2 = slots_for(g->n_literals),
        .has_base = first < own_end && f->entries[first].kind == ROUTE_BASE,
        .n_exact = n_exact & 0xf,
        .n_wild = n_wild & 0xf,
    };
    uint32_t ref = reserve(f, route_node_words(&node));
    char *p;

    if (ref == 0)
        return 0;
    *node_at(f, ref) = node;
    p = part_at(f, ref, route_label_at());
    for (size_t i = 0; i < label.n; i++) {
        p[i] = label.p[i];
        if (p[i] == ROUTE_SEPARATOR)
            p[i] = '/';
    }
    p = part_at(f, ref, route_base_at(&node));
    if (node.has_base)
        memcpy(p, &f->entries[first].match.api, sizeof(f->entries[first].match.api));
    p = part_at(f, ref, route_matches_at(&node));
    memcpy(p, exact, n_exact * sizeof(exact[0]));
    memcpy(p + n_exact * sizeof(exact[0]), wild, n_wild * sizeof(wild[0]));
    return ref;
}

/* Makes `child` the child of `ref` for the group at `index`. */
static void put_child(struct freezer *f, uint32_t ref, const struct groups *g, size_t index,
                      uint32_t child)
{
    struct route_node *node = node_at(f, ref);
    struct route_child *cells =
        (struct route_child *)(void *)part_at(f, ref, route_literals_at(node));
    uint32_t *mixed = (uint32_t *)(void *)part_at(f, ref, route_mixed_at(node));
    const struct group *group = &g->list[index];

    if (group->kind == PARAMETER) {
        node->parameter = child;
    } else if (group->kind == MIXED) {
        mixed[index - g->n_literals] = child;
    } else if (node->slots_log2 == 0) {
        cells[index] = (struct route_child){route_tag(group->segment), child};
    } else {
        uint32_t hash = (uint32_t)hash_slice(&f->key, group->segment);
        uint32_t mask = (1u << node->slots_log2) - 1, at = hash & mask;

        while (cells[at].node != 0)
            at = (at + 1) & mask;
        cells[at] = (struct route_child){hash, child};
    }
}

/* Where the label of a child ends: behind its segment and, when that is literal, behind all literal
 * segments that follow without a branch or an end. Sorted, so the first and last entries tell. */
static size_t label_end(const struct freezer *f, const struct group *group, size_t depth)
{
    struct slice first = f->entries[group->first].shape;
    struct slice last = f->entries[group->end - 1].shape;
    size_t end = depth + 1 + group->segment.n;

    while (group->kind == LITERAL && first.n > end) {
        struct slice next = segment_at(first, end);

        if (!slice_eq(next, segment_at(last, end)) || kind_of(next) != LITERAL)
            break;
        end += 1 + next.n;
    }
    return end;
}

/* The node of entries [first, end), which share the first `depth` bytes of their shapes. As deep as
 * paths have segments, which is bounded. */
static uint32_t freeze_node(struct freezer *f, struct slice label, size_t first, size_t end,
                            size_t depth)
{
    size_t own_end = first;
    struct groups g;
    uint32_t ref;

    while (own_end < end && f->entries[own_end].shape.n == depth)
        own_end++;
    if (!find_groups(f, own_end, end, depth, &g))
        return 0;
    ref = write_node(f, label, first, own_end, &g);
    for (size_t i = 0; i < g.n && f->error == CC_OK; i++) {
        const struct group *group = &g.list[i];
        size_t below = label_end(f, group, depth);
        struct slice shape = f->entries[group->first].shape;
        struct slice text = slice_make(shape.p + depth + 1, below - depth - 1);
        uint32_t child = freeze_node(f, text, group->first, group->end, below);

        if (f->error == CC_OK)
            put_child(f, ref, &g, i, child);
    }
    return ref;
}

/* A set of virtual hosts: a node whose children are the roots of their tries, labelled with the
 * host's name from its byte `skip` on. */
static uint32_t freeze_hosts(struct freezer *f, size_t first, size_t end, size_t skip)
{
    struct groups g;
    uint32_t ref;

    if (first == end || !groups_new(f, &g, end - first))
        return 0;
    for (size_t i = first; i < end; i++) {
        if (i > first && slice_eq(f->entries[i].host, f->entries[i - 1].host))
            g.list[g.n - 1].end = i + 1;
        else
            add_group(&g, slice_from(f->entries[i].host, skip), LITERAL, i);
    }
    ref = write_node(f, SLICE(""), first, first, &g);
    for (size_t i = 0; i < g.n && f->error == CC_OK; i++) {
        const struct group *group = &g.list[i];
        uint32_t root = freeze_node(f, group->segment, group->first, group->end, 0);

        if (f->error == CC_OK)
            put_child(f, ref, &g, i, root);
    }
    return ref;
}

static unsigned count_dots(struct slice s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '.';
    return n;
}

/* In the order of bytes "*" comes before "*.name", and that before names and addresses. */
static void freeze_all(struct freezer *f, struct gw_route_table *t, size_t n)
{
    size_t suffixes = 0, names;

    while (suffixes < n && slice_is(f->entries[suffixes].host, "*"))
        suffixes++;
    names = suffixes;
    while (names < n && slice_starts(f->entries[names].host, SLICE("*."))) {
        unsigned dots = count_dots(f->entries[names].host);

        if (dots > t->max_suffix_dots)
            t->max_suffix_dots = dots;
        names++;
    }
    reserve(f, 1); /* so that no node is at 0 */
    if (suffixes > 0)
        t->any = freeze_node(f, SLICE("*"), 0, suffixes, 0);
    t->suffixes = freeze_hosts(f, suffixes, names, 1);
    t->hosts = freeze_hosts(f, names, n, 0);
    reserve(f, ROUTE_PREFETCH / ROUTE_WORD); /* so that prefetching never leaves the block */
}

int route_freeze(struct gw_route_table *t, const struct route_entry *entries, size_t n,
                 struct arena *scratch)
{
    struct freezer f = {.entries = entries, .scratch = scratch, .key = t->key};
    char *block;

    freeze_all(&f, t, n);
    if (f.error != CC_OK) {
        free(f.block);
        return f.error;
    }
    block = realloc(f.block, f.used * ROUTE_WORD);
    t->block = block != NULL ? block : f.block;
    t->block_bytes = f.used * ROUTE_WORD;
    return CC_OK;
}
