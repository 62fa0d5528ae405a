#include "generator/table.h"

#include "generator/view.h"

enum { GAP = 2, CELL_BYTES = 16 << 20 };

void table_init(struct table *t, const struct table_column *columns, struct arena *arena)
{
    *t = (struct table){.columns = columns, .arena = arena};
    while (columns[t->n_columns].name != NULL)
        t->n_columns++;
    CC_ASSERT(t->n_columns <= TABLE_MAX_COLUMNS);
}

struct slice *table_row(struct table *t)
{
    struct slice *row;

    if (t->n_rows == t->max_rows) {
        size_t max = t->max_rows > 0 ? 2 * t->max_rows : 64;
        struct slice *cells = arena_array(t->arena, max, t->n_columns * sizeof(*cells));

        if (cells == NULL) {
            t->error = CC_ENOMEM;
            return NULL;
        }
        if (t->n_rows > 0)
            memcpy(cells, t->cells, t->n_rows * t->n_columns * sizeof(*cells));
        t->cells = cells;
        t->max_rows = max;
    }
    row = t->cells + t->n_rows++ * t->n_columns;
    for (size_t i = 0; i < t->n_columns; i++)
        row[i] = SLICE("");
    return row;
}

/* Columns on a terminal, for text without wide characters. */
static size_t width_of(struct slice s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void print_cells(const struct table *t, const struct slice *cells, const size_t *widths,
                        FILE *out)
{
    size_t last = t->n_columns; /* nothing is padded behind the last cell that has text */

    while (last > 0 && cells[last - 1].n == 0)
        last--;
    for (size_t i = 0; i < last; i++) {
        int pad = (int)(widths[i] - width_of(cells[i]));
        bool right = t->columns[i].kind == TABLE_NUMBER;

        if (right)
            fprintf(out, "%*s", pad, "");
        view_print(out, cells[i]);
        if (i + 1 < last)
            fprintf(out, "%*s", (right ? 0 : pad) + GAP, "");
    }
    fputc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
    size_t widths[TABLE_MAX_COLUMNS] = {0};
    struct slice names[TABLE_MAX_COLUMNS];

    if (t->n_rows == 0)
        return;
    for (size_t i = 0; i < t->n_columns; i++) {
        names[i] = slice_of(t->columns[i].name);
        widths[i] = names[i].n;
        for (size_t row = 0; row < t->n_rows; row++) {
            size_t width = width_of(t->cells[row * t->n_columns + i]);

            if (width > widths[i])
                widths[i] = width;
        }
    }
    print_cells(t, names, widths, out);
    for (size_t row = 0; row < t->n_rows; row++)
        print_cells(t, t->cells + row * t->n_columns, widths, out);
}

static void add_list(struct buf *b, struct slice items)
{
    bool first = true;

    buf_add_char(b, '[');
    while (items.n > 0) {
        size_t n = 0;

        while (n < items.n && !slice_starts(slice_from(items, n), SLICE(", ")))
            n++;
        buf_add_str(b, first ? "" : ",");
        buf_add_json(b, slice_first(items, n));
        items = slice_from(items, n + 2);
        first = false;
    }
    buf_add_char(b, ']');
}

static void add_cell(struct buf *b, const struct table_column *column, struct slice cell)
{
    buf_add_char(b, '"');
    for (const char *p = column->name; *p != '\0'; p++)
        buf_add_char(b, *p == ' ' ? '_' : *p);
    buf_add_str(b, "\":");
    if (column->kind == TABLE_LIST)
        add_list(b, cell);
    else if (column->kind == TABLE_NUMBER)
        buf_add(b, cell.n > 0 ? cell : SLICE("null"));
    else
        buf_add_json(b, cell);
}

int table_print_json(const struct table *t, const char *name, FILE *out)
{
    struct buf b;
    int rc = CC_OK;

    fprintf(out, "{\"schema\":%d,\"show\":\"%s\",\"rows\":[", TABLE_SCHEMA, name);
    buf_init(&b, CELL_BYTES);
    for (size_t row = 0; row < t->n_rows && rc == CC_OK; row++) {
        buf_reset(&b);
        buf_add_str(&b, row > 0 ? ",\n{" : "\n{");
        for (size_t i = 0; i < t->n_columns; i++) {
            buf_add_str(&b, i > 0 ? "," : "");
            add_cell(&b, &t->columns[i], t->cells[row * t->n_columns + i]);
        }
        buf_add_char(&b, '}');
        rc = buf_error(&b);
        if (rc == CC_OK)
            fwrite(b.p, 1, b.n, out);
    }
    buf_free(&b);
    fputs("]}\n", out);
    return rc;
}
