/* Internal to the route table: how it lies in memory, and what passes from its builder to its
 * freezer.
 *
 * The table is one block of records, each a node of the trie, in depth-first order: the nodes of
 * one API are neighbours, so a look-up among very many APIs misses the cache a few times, not once
 * a segment. A node refers to others by their offset in words of 8 bytes; 0 is none. A chain of
 * literal segments without branches is one node ("petstore/1.0.0"). */
#pragma once

#include "gateway/route.h"

enum {
    ROUTE_WORD = 8,
    ROUTE_CACHE_LINE = 64,
    ROUTE_PREFETCH = 8 * ROUTE_CACHE_LINE,
    /* Up to so many literal children are compared one by one, one cache line of them; more are
     * hashed. */
    ROUTE_SHORT_LIST = 8,
    /* Stands for a parameter, in shapes and in the labels of mixed nodes. No path contains it. */
    ROUTE_PARAMETER = 2,
    /* Stands for '/' in shapes. Being less than any byte of a segment it makes the order of bytes
     * the order of segments, so that what shares a prefix stands together. */
    ROUTE_SEPARATOR = 1
};

/* A record. Behind it, each aligned to a word:
 *
 *   label     label_n bytes: what the path must have here. Literal: one or more segments. Mixed: a
 *             segment with ROUTE_PARAMETER for its parameters. Below a host set: the host.
 *   literals  struct route_child [n_literals], or [1 << slots_log2] when that is not 0
 *   mixed     uint32_t [n_mixed], in the order they are tried
 *   base      const struct gw_api *, if has_base: an API's base path ends here
 *   matches   struct gw_route_match [n_exact], then [n_wild] of the wildcard below this node */
struct route_node {
    uint32_t n_literals;
    uint32_t n_mixed;
    uint32_t parameter;
    uint16_t label_n;
    uint8_t slots_log2;
    uint8_t has_base : 1, n_exact : 4, n_wild : 4;
};

struct route_child {
    uint32_t tag;  /* route_tag() of its first segment in a short list, else its hash */
    uint32_t node; /* 0: a free slot */
};

struct gw_route_table {
    char *block;
    size_t block_bytes;
    struct hash_key key;      /* of the hashed sets of children */
    uint32_t hosts;           /* set of exact names, or 0 */
    uint32_t suffixes;        /* set of ".example.com", or 0 */
    uint32_t any;             /* root of virtual host "*", or 0 */
    unsigned max_suffix_dots; /* dots in the longest suffix */
};

/* Tells most different segments apart without looking at them. */
static inline uint32_t route_tag(struct slice s)
{
    if (s.n == 0)
        return 0;
    return (uint32_t)(s.n & 0xff) | (uint32_t)(unsigned char)s.p[0] << 8 |
           (uint32_t)(unsigned char)s.p[s.n / 2] << 16 |
           (uint32_t)(unsigned char)s.p[s.n - 1] << 24;
}

static inline size_t route_words(size_t bytes)
{
    return (bytes + ROUTE_WORD - 1) / ROUTE_WORD;
}

static inline size_t route_literal_cells(const struct route_node *n)
{
    return n->slots_log2 > 0 ? (size_t)1 << n->slots_log2 : n->n_literals;
}

/* Where the parts of a record begin, in words from its start. */
static inline size_t route_label_at(void)
{
    return route_words(sizeof(struct route_node));
}

static inline size_t route_literals_at(const struct route_node *n)
{
    return route_label_at() + route_words(n->label_n);
}

static inline size_t route_mixed_at(const struct route_node *n)
{
    return route_literals_at(n) + route_literal_cells(n);
}

static inline size_t route_base_at(const struct route_node *n)
{
    return route_mixed_at(n) + route_words(n->n_mixed * sizeof(uint32_t));
}

static inline size_t route_matches_at(const struct route_node *n)
{
    return route_base_at(n) + n->has_base;
}

static inline size_t route_node_words(const struct route_node *n)
{
    size_t matches = (size_t)n->n_exact + n->n_wild;

    return route_matches_at(n) + route_words(matches * sizeof(struct gw_route_match));
}

/* What the builder collects, one for each base path and each template. Sorted by host, shape and
 * kind, the entries are the trie: a node is a range of entries that share a prefix. */
enum route_kind { ROUTE_BASE, ROUTE_EXACT, ROUTE_WILD };

struct route_entry {
    struct slice host;
    struct slice shape; /* base path and template, with separators and parameters marked */
    enum route_kind kind;
    struct gw_route_match match; /* ROUTE_BASE: without a resource */
};

/* Fills the table from sorted entries without collisions. `scratch` is used and left dirty. */
int route_freeze(struct gw_route_table *t, const struct route_entry *entries, size_t n,
                 struct arena *scratch);
