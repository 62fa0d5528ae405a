/* Inside of doc: what its files share and nobody else includes.
 *
 *   doc_input.c   bytes -> text that libyaml may read (UTF-8, JSON's escapes)
 *   doc_read.c    libyaml's events -> tree
 *   doc_map.c     entries of a map: duplicate keys, merge keys, index
 *   doc_scalar.c  type of a scalar                doc_fault.c  libyaml's errors -> findings
 *   doc_anchor.c  names of anchors -> nodes       doc_tree.c   the public accessors            */
#pragma once

#include "doc/doc.h"

#include <yaml.h>

/* Maps with more entries than this are searched by their sorted index. */
enum { DOC_INDEX_ABOVE = 16 };

/* From this character of a rewritten line on, the original stands `by` columns further right. */
struct doc_shift {
    size_t line, col; /* from 0, as libyaml counts */
    long by;
};

/* The text as libyaml gets it. Owned by the reader; freed by doc_input_free(). */
struct doc_input {
    struct slice text;
    char *rewritten; /* holds `text` when it is not the source itself */
    struct doc_shift *shifts;
    size_t n_shifts, cap_shifts;
};

/* Cuts off a byte order mark (in doc->source.text too), checks UTF-8 and control characters, and
 * rewrites what JSON may contain and YAML may not. CC_EPARSE after a finding. */
int doc_input_init(struct doc_input *in, struct doc *doc, struct diag *diag);
void doc_input_free(struct doc_input *in);

/* The place in the source of a place in the rewritten text. */
struct place doc_input_place(const struct doc_input *in, const struct doc *doc, yaml_mark_t mark);

/* Adds the finding for the error that stopped libyaml. CC_EPARSE, or CC_ENOMEM. */
int doc_fault(const yaml_parser_t *parser, const struct doc_input *in, const struct doc *doc,
              struct diag *diag);

/* What an anchor stands for. */
struct doc_anchor {
    struct slice name;           /* in the arena */
    const struct doc_node *node; /* NULL while it is being read: an alias to it would be a cycle */
    uint64_t expanded;           /* nodes in it, aliases followed */
    unsigned height;             /* containers nested in it, itself included */
};

struct doc_anchors {
    struct doc_anchor *list; /* in the order of definition; a name may come again */
    size_t n, cap;
    uint32_t *slots; /* hash table of 1 + index into list; 0 = free. n_slots is a power of two */
    size_t n_slots;
    struct hash_key key;
};

/* Defines a name (again); *index says which anchor it became. CC_ENOMEM. */
int doc_anchors_add(struct doc_anchors *a, struct slice name, size_t *index);
/* The last definition of a name; NULL when there is none. */
const struct doc_anchor *doc_anchors_find(const struct doc_anchors *a, struct slice name);
void doc_anchors_free(struct doc_anchors *a);

/* Turns the 2 * n nodes at `pairs` (key, value, ...) into the entries of `map`: merges `<<`,
 * reports duplicate keys, builds the index. CC_ENOMEM when the arena is full; findings do not stop
 * it. */
int doc_map_fill(struct doc_node *map, const struct doc_node *const *pairs, size_t n,
                 const struct doc *doc, struct arena *arena, struct diag *diag);

/* Sorts the index of a map with entries; equal keys stay in the order of the document. */
void doc_map_sort(const struct doc_entry *entries, uint32_t *by_key, size_t n);
