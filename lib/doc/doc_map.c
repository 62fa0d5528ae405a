#include "doc/doc_impl.h"

#include <stdlib.h>

static int compare_keys(const void *a, const void *b, void *entries)
{
    const struct doc_entry *list = entries;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int d = slice_cmp(list[i].key->text, list[j].key->text);

    return d != 0 ? d : (i > j) - (i < j);
}

void doc_map_sort(const struct doc_entry *entries, uint32_t *by_key, size_t n)
{
    for (size_t i = 0; i < n; i++)
        by_key[i] = (uint32_t)i;
    /* the comparison only reads; qsort_r() has no const for its argument */
    qsort_r(by_key, n, sizeof(*by_key), compare_keys, (void *)entries);
}

static void report_duplicate(const struct doc_node *first, const struct doc_node *again,
                             const struct doc *doc, struct diag *diag)
{
    diag_error(diag, CC1003, doc_place(doc, again),
               "key \"%" PRIslice "\" appears twice; the first one is in line %u",
               SLICE_ARG(again->text), first->line);
}

static void find_duplicates(const struct doc_node *map, const struct doc *doc, struct diag *diag)
{
    const struct doc_entry *e = map->entries;

    if (map->by_key != NULL) {
        for (size_t i = 1; i < map->n; i++) {
            const struct doc_node *a = e[map->by_key[i - 1]].key, *b = e[map->by_key[i]].key;

            if (slice_eq(a->text, b->text))
                report_duplicate(a, b, doc, diag);
        }
        return;
    }
    for (size_t i = 1; i < map->n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (slice_eq(e[i].key->text, e[j].key->text)) {
                report_duplicate(e[j].key, e[i].key, doc, diag);
                break;
            }
        }
    }
}

static bool is_merge_key(const struct doc_node *key)
{
    return key->type == DOC_TEXT && !key->quoted && slice_is(key->text, "<<");
}

static size_t copy_entries(struct doc_entry *to, const struct doc_node *from)
{
    if (to != NULL && from->n > 0)
        memcpy(to, from->entries, from->n * sizeof(*to));
    return from->n;
}

/* https://yaml.org/type/merge.html: the value is a map or a list of maps. Copies their entries to
 * `to`, which may be NULL to count them, and returns their number. */
static size_t merge_entries(struct doc_entry *to, const struct doc_node *value)
{
    size_t n = 0;

    if (value->type == DOC_MAP)
        return copy_entries(to, value);
    for (size_t i = 0; value->type == DOC_LIST && i < value->n; i++)
        if (value->entries[i].value->type == DOC_MAP)
            n += copy_entries(to != NULL ? to + n : NULL, value->entries[i].value);
    return n;
}

static void check_merge(const struct doc_node *value, const struct doc *doc, struct diag *diag)
{
    const struct doc_node *wrong = value->type == DOC_MAP || value->type == DOC_LIST ? NULL : value;

    for (size_t i = 0; value->type == DOC_LIST && i < value->n && wrong == NULL; i++)
        if (value->entries[i].value->type != DOC_MAP)
            wrong = value->entries[i].value;
    if (wrong != NULL)
        diag_error(diag, CC1002, doc_place(doc, wrong),
                   "the merge key << takes a mapping or a list of mappings, this is %s",
                   doc_type_name(wrong->type));
}

/* Of entries with equal keys the first one stays. Reports equal keys among the first n_explicit;
 * those after them were merged and give way in silence. Returns how many are left. */
static size_t drop_overridden(struct doc_entry *entries, uint32_t *by_key, size_t n,
                              size_t n_explicit, const struct doc *doc, struct diag *diag)
{
    const struct doc_node *winner = NULL;
    size_t left = 0;

    doc_map_sort(entries, by_key, n);
    for (size_t i = 0; i < n; i++) {
        struct doc_entry *e = &entries[by_key[i]];

        if (winner == NULL || !slice_eq(winner->text, e->key->text)) {
            winner = e->key;
            continue;
        }
        if (by_key[i] < n_explicit)
            report_duplicate(winner, e->key, doc, diag);
        e->value = NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (entries[i].value != NULL)
            entries[left++] = entries[i];
    return left;
}

/* The number of entries with `<<` carried out, before overridden ones are dropped. */
static size_t count_merged(const struct doc_node *const *pairs, size_t n, const struct doc *doc,
                           struct diag *diag)
{
    const struct doc_node *merge = NULL;
    size_t total = 0;

    for (size_t i = 0; i < n; i++) {
        const struct doc_node *key = pairs[2 * i], *value = pairs[2 * i + 1];

        if (!is_merge_key(key)) {
            total++;
            continue;
        }
        if (merge != NULL)
            report_duplicate(merge, key, doc, diag);
        merge = merge != NULL ? merge : key;
        check_merge(value, doc, diag);
        total += merge_entries(NULL, value);
    }
    return total;
}

static int fill_merged(struct doc_node *map, const struct doc_node *const *pairs, size_t n,
                       const struct doc *doc, struct arena *arena, struct diag *diag)
{
    size_t total = count_merged(pairs, n, doc, diag), n_explicit = 0, used;
    struct doc_entry *entries = arena_array(arena, total, sizeof(*entries));
    uint32_t *by_key = arena_array(arena, total, sizeof(*by_key));

    if (entries == NULL || by_key == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (!is_merge_key(pairs[2 * i]))
            entries[n_explicit++] = (struct doc_entry){pairs[2 * i], pairs[2 * i + 1]};
    used = n_explicit;
    for (size_t i = 0; i < n; i++)
        if (is_merge_key(pairs[2 * i]))
            used += merge_entries(entries + used, pairs[2 * i + 1]);
    map->entries = entries;
    map->n = drop_overridden(entries, by_key, used, n_explicit, doc, diag);
    doc_map_sort(entries, by_key, map->n);
    map->by_key = by_key;
    return CC_OK;
}

int doc_map_fill(struct doc_node *map, const struct doc_node *const *pairs, size_t n,
                 const struct doc *doc, struct arena *arena, struct diag *diag)
{
    struct doc_entry *entries;
    uint32_t *by_key = NULL;

    for (size_t i = 0; i < n; i++)
        if (is_merge_key(pairs[2 * i]))
            return fill_merged(map, pairs, n, doc, arena, diag);
    entries = arena_array(arena, n, sizeof(*entries));
    if (entries == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++)
        entries[i] = (struct doc_entry){pairs[2 * i], pairs[2 * i + 1]};
    if (n > DOC_INDEX_ABOVE) {
        by_key = arena_array(arena, n, sizeof(*by_key));
        if (by_key == NULL)
            return CC_ENOMEM;
        doc_map_sort(entries, by_key, n);
    }
    map->entries = entries;
    map->n = n;
    map->by_key = by_key;
    find_duplicates(map, doc, diag);
    return CC_OK;
}
