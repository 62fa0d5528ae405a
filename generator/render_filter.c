/* render_filter: the headers that filters change. Names are literals in every HAProxy, hence a rule
 * for each; values come from the agent. */
#include "generator/render_row.h"

static size_t count_all(const struct gw_model *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_filters; i++)
        n += m->filters[i].n_set_headers + m->filters[i].n_remove_headers;
    return n;
}

/* Each name once. */
static size_t collect(const struct gw_model *m, bool set, struct slice *names)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_filters; i++) {
        const struct gw_filter *f = &m->filters[i];
        const struct slice *list = set ? f->set_headers : f->remove_headers;

        for (size_t k = 0; k < (set ? f->n_set_headers : f->n_remove_headers); k++)
            if (!slice_is_among(list[k], names, n))
                names[n++] = list[k];
    }
    return n;
}

static int add_names(struct row *root, const char *list, const struct slice *names, size_t n,
                     struct arena *arena)
{
    struct template_row *rows = rows_new(arena, n);
    struct row row;

    for (size_t i = 0; rows != NULL && i < n; i++) {
        if (!row_new(&row, arena, 3))
            return CC_ENOMEM;
        add_word(&row, "name", names[i]);
        /* a name of gw_mock_header_name_fault() means nothing in a JSON path or an argument */
        add_word(&row, "path", arena_printf(arena, "$.%" PRIslice, SLICE_ARG(names[i])));
        add_word(&row, "word", arena_printf(arena, " %" PRIslice " ", SLICE_ARG(names[i])));
        rows[i] = finished(&row);
    }
    if (rows == NULL)
        return CC_ENOMEM;
    add_list(root, list, rows, n);
    return CC_OK;
}

int render_filters(struct row *root, const struct render_context *ctx)
{
    const struct gw_model *m = ctx->model;
    struct slice *names = arena_array(ctx->arena, count_all(m), sizeof(*names));
    size_t n;
    int rc;

    if (names == NULL)
        return CC_ENOMEM;
    add_bool(root, "filters", count_all(m) > 0);
    rc = add_names(root, "filter_removes", names, collect(m, false, names), ctx->arena);
    if (rc != CC_OK)
        return rc;
    n = collect(m, true, names);
    rc = add_names(root, "filter_sets", names, n, ctx->arena);
    return rc == CC_OK ? add_spellings(root, "filter_spellings", names, n, ctx->arena) : rc;
}
