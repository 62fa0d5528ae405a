/* What project_source.c (directories) and project_zip.c share. */
#pragma once

#include "generator/project_source.h"

/* Adds a file to a list of *room, growing it; the path is copied. CC_ENOMEM. */
int project_source_add(struct project_source *s, size_t *room, struct slice path, const char *name,
                       struct slice bytes, struct arena *arena);

/* Sorts the files by path. */
void project_source_sort(struct project_source *s);

/* A finding's place: a whole file, called `name` (copied). NULL source without memory. */
struct place project_source_place(const char *name, struct arena *arena);
