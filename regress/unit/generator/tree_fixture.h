/* Compares trees of lib/doc by what they say, not by where it stands. */
#pragma once

#include "doc/doc.h"

static inline bool tree_equal(const struct doc_node *a, const struct doc_node *b)
{
    if (a->type != b->type || a->n != b->n)
        return false;
    if (a->type == DOC_NULL)
        return true;
    if (a->type != DOC_MAP && a->type != DOC_LIST)
        return slice_eq(a->text, b->text);
    for (size_t i = 0; i < a->n; i++) {
        if (a->type == DOC_MAP && !tree_equal(a->entries[i].key, b->entries[i].key))
            return false;
        if (!tree_equal(a->entries[i].value, b->entries[i].value))
            return false;
    }
    return true;
}
