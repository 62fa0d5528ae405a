#include "generator/review_openapi.h"

const struct doc_node *review_follow(const struct doc *doc, const struct doc_node *node)
{
    for (unsigned depth = 0; node != NULL; depth++) {
        const struct doc_node *ref = doc_get(node, "$ref");

        if (ref == NULL || ref->type != DOC_TEXT)
            return node;
        node = depth < REVIEW_REF_DEPTH ? doc_pointer(doc, ref->text) : NULL;
    }
    return NULL;
}

/* The method that a member of a path item declares, or GW_METHOD_COUNT. */
static enum gw_method method_of(struct slice key)
{
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        const char *name = gw_method_name((enum gw_method)m);
        size_t i = 0;

        while (i < key.n && name[i] != '\0' && key.p[i] == ascii_lower(name[i]))
            i++;
        if (i == key.n && name[i] == '\0')
            return (enum gw_method)m;
    }
    return GW_METHOD_COUNT;
}

static const struct doc_node *path_item(const struct doc *doc, const struct doc_entry *entry)
{
    const struct doc_node *item = review_follow(doc, entry->value);

    return item != NULL && item->type == DOC_MAP && slice_starts(entry->key->text, SLICE("/"))
               ? item
               : NULL;
}

void review_list_operations(struct review *r, const struct doc *doc, struct review_operations *out)
{
    const struct doc_node *paths = doc_get(doc->root, "paths");
    size_t count = 0;

    *out = (struct review_operations){.doc = doc};
    if (paths == NULL || paths->type != DOC_MAP)
        return;
    for (size_t i = 0; i < paths->n; i++) {
        const struct doc_node *item = path_item(doc, &paths->entries[i]);

        count += item != NULL ? item->n : 0;
    }
    out->list = review_alloc(r, count, sizeof(*out->list));
    for (size_t i = 0; out->list != NULL && i < paths->n; i++) {
        const struct doc_node *item = path_item(doc, &paths->entries[i]);

        for (size_t k = 0; item != NULL && k < item->n; k++) {
            const struct doc_entry *e = &item->entries[k];
            enum gw_method method = method_of(e->key->text);

            if (method != GW_METHOD_COUNT && e->value->type == DOC_MAP)
                out->list[out->n++] = (struct review_operation){paths->entries[i].key, item, e->key,
                                                                e->value, method};
        }
    }
}

bool review_next_parameter(struct slice *rest, struct slice *name)
{
    ptrdiff_t open = slice_find(*rest, '{'), close;

    if (open < 0)
        return false;
    *rest = slice_from(*rest, (size_t)open + 1);
    close = slice_find(*rest, '}');
    if (close < 0)
        return false;
    *name = slice_first(*rest, (size_t)close);
    *rest = slice_from(*rest, (size_t)close + 1);
    return true;
}
