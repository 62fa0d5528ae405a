/* project: x-wso2-endpoints, a list of maps from names to endpoint objects. They are read once,
 * whoever refers to them, so that a fault in them is told whether or not somebody does. */
#include "generator/project_internal.h"

#include <stdlib.h>

enum { NAMES_MAX = 64 };

static int compare_entries(const void *a, const void *b)
{
    const struct project_named_entry *x = a, *y = b;
    int order = slice_cmp(x->name, y->name);

    if (order == 0)
        order = (x->place.line > y->place.line) - (x->place.line < y->place.line);
    return order != 0 ? order : (x->place.col > y->place.col) - (x->place.col < y->place.col);
}

static void read_entry(struct project *p, const struct doc_entry *entry, struct project_list *list)
{
    struct project_named_entry *slot = project_list_add(p->build, list, sizeof(*slot));
    struct slice what;

    if (slot == NULL)
        return;
    *slot = (struct project_named_entry){.found = PROJECT_BROKEN,
                                         .place = doc_place(p->openapi, entry->key)};
    if (!project_text(p, p->openapi, entry->key, "a name in x-wso2-endpoints", &slot->name))
        return;
    if (slot->name.n == 0) {
        diag_error(p->build->diag, CC1202, slot->place, "a name in x-wso2-endpoints is empty");
        return;
    }
    what = arena_printf(p->build->arena, "x-wso2-endpoints[].%.*s",
                        (int)(slot->name.n > 100 ? 100 : slot->name.n), slot->name.p);
    if (what.p == NULL) {
        p->build->rc = CC_ENOMEM;
        return;
    }
    slot->endpoints.place = doc_place(p->openapi, entry->value);
    slot->found = project_endpoint_object(p, entry->value, what.p, &slot->endpoints);
}

static void refuse_duplicates(struct project *p)
{
    const struct project_named_entry *all = p->named.items;

    for (size_t i = 1; i < p->named.n; i++) {
        if (slice_eq(all[i - 1].name, all[i].name))
            diag_help(diag_error(p->build->diag, CC1003, all[i].place,
                                 "x-wso2-endpoints has \"%" PRIslice "\" twice",
                                 SLICE_ARG(all[i].name)),
                      "give one of them another name");
    }
}

void project_read_named(struct project *p)
{
    const struct doc_node *list = doc_get(p->openapi->root, "x-wso2-endpoints");

    if (list == NULL || list->type == DOC_NULL ||
        !doc_is_list(p->openapi, list, "x-wso2-endpoints", p->build->diag))
        return;
    for (size_t i = 0; i < list->n; i++) {
        const struct doc_node *map = list->entries[i].value;

        if (!doc_is_map(p->openapi, map, "x-wso2-endpoints[]", p->build->diag))
            continue;
        for (size_t k = 0; k < map->n; k++)
            read_entry(p, &map->entries[k], &p->named);
    }
    if (p->named.n > 0)
        qsort(p->named.items, p->named.n, sizeof(struct project_named_entry), compare_entries);
    refuse_duplicates(p);
}

static void not_there(struct project *p, struct place place, struct slice name)
{
    const struct project_named_entry *all = p->named.items;
    const char *names[NAMES_MAX], *near;
    struct diag_item *item;
    size_t n = 0;

    for (size_t i = 0; i < p->named.n && n < NAMES_MAX; i++) {
        if (all[i].name.p != NULL)
            names[n++] = all[i].name.p;
    }
    near = nearest_word(name, names, n);
    item = diag_error(p->build->diag, CC1203, place, "x-wso2-endpoints has no \"%" PRIslice "\"",
                      SLICE_ARG(name));
    if (near != NULL)
        diag_help(item, "did you mean #/x-wso2-endpoints/%s?", near);
    else
        diag_help(item, "declare it there: - %" PRIslice ": {urls: [...]}", SLICE_ARG(name));
}

enum project_found project_named_endpoints(struct project *p, const struct doc_node *ref,
                                           struct project_endpoints *out)
{
    static const struct slice prefix = SLICE_INIT("#/x-wso2-endpoints/");
    struct project_named_entry key = {.name = slice_from(ref->text, prefix.n)};
    const struct project_named_entry *all = p->named.items;
    struct place place = doc_place(p->openapi, ref);
    size_t low = 0, high = p->named.n;

    if (!slice_starts(ref->text, prefix)) {
        diag_help(diag_error(p->build->diag, CC1203, place,
                             "\"%" PRIslice "\" refers to no named endpoints",
                             SLICE_ARG(ref->text)),
                  "write urls: below the extension, or \"#/x-wso2-endpoints/NAME\"");
        return PROJECT_BROKEN;
    }
    while (low < high) { /* the first that is not before the name: of equal ones the first */
        size_t middle = low + (high - low) / 2;

        if (slice_cmp(all[middle].name, key.name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == p->named.n || !slice_eq(all[low].name, key.name)) {
        not_there(p, place, key.name);
        return PROJECT_BROKEN;
    }
    *out = all[low].endpoints;
    out->place = place;
    return all[low].found;
}

void project_set_named(struct project *p, struct gw_api *api)
{
    const struct project_named_entry *all = p->named.items;
    struct gw_named_endpoints *named;

    if (p->named.n == 0 || (p->shared.n == 0 && p->build->config->n_filters == 0))
        return; /* nobody could choose one: neither an interceptor nor a filter */
    named = project_alloc(p->build, p->named.n, sizeof(*named));
    for (size_t i = 0; named != NULL && i < p->named.n; i++) {
        const struct gw_cluster *cluster =
            all[i].found == PROJECT_FOUND ? project_cluster(p, &all[i].endpoints, false) : NULL;

        if (cluster != NULL)
            named[api->n_named++] = (struct gw_named_endpoints){all[i].name, cluster, all[i].place};
    }
    api->named = named;
}
