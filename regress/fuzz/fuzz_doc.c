/* Bytes as a YAML or JSON document. Whatever they are: no crash, bounded memory, and either a tree
 * that can be walked to its end or at least one finding. */
#include "doc/doc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
    const struct doc *doc;
    unsigned depth;
    size_t nodes;
};

/* Recursive on purpose: a tree promises to be no deeper than DOC_MAX_DEPTH for such a walk. */
static void walk(struct walk *w, const struct doc_node *node)
{
    CC_ASSERT(w->depth <= DOC_MAX_DEPTH);
    CC_ASSERT(++w->nodes <= DOC_MAX_NODES + 1);
    CC_ASSERT(node->line > 0 && node->col > 0);
    if (node->type != DOC_LIST && node->type != DOC_MAP) {
        CC_ASSERT(node->text.p[node->text.n] == '\0');
        return;
    }
    w->depth++;
    for (size_t i = 0; i < node->n && w->nodes < 100000; i++) {
        const struct doc_entry *e = &node->entries[i];

        CC_ASSERT((e->key != NULL) == (node->type == DOC_MAP));
        if (e->key != NULL && strlen(e->key->text.p) == e->key->text.n)
            CC_ASSERT(doc_get(node, e->key->text.p) == e->value);
        walk(w, e->value);
    }
    w->depth--;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(256 << 20);
    struct diag *diag = diag_new();
    struct doc *doc = NULL;
    int rc;

    CC_ASSERT(arena != NULL && diag != NULL);
    rc = doc_read(&doc, slice_make(data, size), "fuzz", arena, diag);
    CC_ASSERT((rc == CC_OK) == (diag_errors(diag) == 0));
    if (rc == CC_OK) {
        struct walk w = {doc, 0, 0};

        walk(&w, doc->root);
        doc_pointer(doc, slice_make(data, size < 64 ? size : 64));
    }
    diag_free(&diag);
    arena_free(&arena);
    return 0;
}
