/* table: rows with named columns, as aligned text for people or as JSON for machines.
 *
 * Cells are texts in the caller's memory. All text is printed on one line without control
 * characters. */
#pragma once

#include "base/base.h"

#include <stdio.h>

enum { TABLE_MAX_COLUMNS = 10, TABLE_SCHEMA = 1 };

enum table_kind {
    TABLE_TEXT,
    TABLE_NUMBER, /* digits; to the right */
    TABLE_LIST    /* items separated by ", "; a list in JSON */
};

struct table_column {
    const char *name; /* "base path": in JSON base_path; NULL ends the columns */
    enum table_kind kind;
};

struct table {
    const struct table_column *columns;
    size_t n_columns;
    struct slice *cells; /* row after row */
    size_t n_rows, max_rows;
    struct arena *arena;
    int error; /* sticks: CC_ENOMEM */
};

void table_init(struct table *t, const struct table_column *columns, struct arena *arena);

/* A new row of empty cells; NULL when memory is short. */
struct slice *table_row(struct table *t);

/* One column after the other, two blanks between them; the names above, without rows nothing. */
void table_print(const struct table *t, FILE *out);

/* {"schema":1,"show":NAME,"rows":[...]}. CC_OK or the error of a row that is too large. */
int table_print_json(const struct table *t, const char *name, FILE *out);
