#include "doc/doc.h"

static int is_document(const struct dirent *entry)
{
    struct slice name = slice_of(entry->d_name);

    return name.p[0] != '.' &&
           (slice_ends(name, SLICE(".yaml")) || slice_ends(name, SLICE(".yml")) ||
            slice_ends(name, SLICE(".json")));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int doc_list(const char *directory, struct dirent ***entries)
{
    *entries = NULL;
    return scandir(directory, entries, is_document, by_name);
}
