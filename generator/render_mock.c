/* render_mock: what HAProxy must know beforehand of the answers of mock APIs. The answers
 * themselves come from the agent; but a status is a literal in every HAProxy, so is the name of a
 * header, and a line break in a variable would be encoded (until 3.2), so that those are literals
 * of a format. So there is a rule for each distinct status, name and number of lines: the
 * configuration grows with those, not with examples. */
#include "generator/render_row.h"

#include "gateway/mock.h"

#include <stdlib.h>

enum { FIRST_STATUS = 200, LAST_STATUS = 599 };

/* What the answers of all mock APIs have. */
struct found {
    bool statuses[LAST_STATUS + 1];
    bool lines[GW_MOCK_LINES_MAX + 1];
    struct slice *headers; /* room for all; sorted and unique in the end */
    size_t n_headers;
    bool any;
};

typedef void (*visit_fn)(struct found *found, const struct gw_mock_answer *answer);

static void visit_answers(const struct gw_model *m, visit_fn visit, struct found *found)
{
    for (size_t i = 0; i < m->n_apis; i++) {
        const struct gw_api *api = &m->apis[i];

        found->any = found->any || api->mock;
        for (size_t r = 0; api->mock && r < api->n_resources; r++)
            for (size_t o = 0; o < api->resources[r].n_operations; o++)
                for (size_t a = 0; a < api->resources[r].operations[o].n_answers; a++)
                    visit(found, &api->resources[r].operations[o].answers[a]);
    }
}

static void count_answer(struct found *found, const struct gw_mock_answer *answer)
{
    found->n_headers += answer->n_headers;
    if (slice_is(answer->code, "default"))
        found->statuses[200] = true;
    for (unsigned s = FIRST_STATUS; s <= LAST_STATUS; s++)
        found->statuses[s] = found->statuses[s] || gw_mock_code_covers(answer->code, s);
    for (size_t i = 0; i < answer->n_contents; i++)
        for (size_t k = 0; k < answer->contents[i].n_examples; k++)
            found->lines[gw_mock_body_lines(answer->contents[i].examples[k].body)] = true;
}

static void take_headers(struct found *found, const struct gw_mock_answer *answer)
{
    for (size_t i = 0; i < answer->n_headers; i++)
        found->headers[found->n_headers++] = answer->headers[i].name;
}

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static int find_all(const struct gw_model *model, struct arena *arena, struct found *found)
{
    size_t n = 0;

    *found = (struct found){.any = false};
    visit_answers(model, count_answer, found);
    found->headers = arena_array(arena, found->n_headers, sizeof(*found->headers));
    if (found->headers == NULL)
        return CC_ENOMEM;
    found->n_headers = 0;
    visit_answers(model, take_headers, found);
    if (found->n_headers > 1)
        qsort(found->headers, found->n_headers, sizeof(*found->headers), by_text);
    for (size_t i = 0; i < found->n_headers; i++) {
        if (n == 0 || !slice_eq(found->headers[n - 1], found->headers[i]))
            found->headers[n++] = found->headers[i];
    }
    found->n_headers = n;
    return CC_OK;
}

static int add_statuses(struct row *root, const struct found *found, struct arena *arena)
{
    struct template_row *rows = rows_new(arena, LAST_STATUS + 1 - FIRST_STATUS);
    struct row row;
    size_t n = 0;

    if (rows == NULL)
        return CC_ENOMEM;
    for (unsigned s = FIRST_STATUS; s <= LAST_STATUS; s++) {
        if (!found->statuses[s])
            continue;
        if (!row_new(&row, arena, 2))
            return CC_ENOMEM;
        add_number(&row, "status", s);
        add_bool(&row, "content", gw_mock_status_has_content(s));
        rows[n++] = finished(&row);
    }
    add_list(root, "mock_statuses", rows, n);
    return CC_OK;
}

/* 1 to n, and whether more follow: the rows of all numbers of lines share the first ones. */
static const struct template_row *numbered_lines(struct arena *arena)
{
    struct template_row *rows = rows_new(arena, GW_MOCK_LINES_MAX);
    struct row row;

    for (size_t i = 0; rows != NULL && i < GW_MOCK_LINES_MAX; i++) {
        if (!row_new(&row, arena, 2))
            return NULL;
        add_number(&row, "line", i + 1);
        add_bool(&row, "follows", i > 0);
        rows[i] = finished(&row);
    }
    return rows;
}

static int add_lines(struct row *root, const struct found *found, struct arena *arena)
{
    const struct template_row *numbers = numbered_lines(arena);
    struct template_row *rows = rows_new(arena, GW_MOCK_LINES_MAX);
    struct row row;
    size_t n = 0;

    if (rows == NULL || numbers == NULL)
        return CC_ENOMEM;
    for (unsigned i = 1; i <= GW_MOCK_LINES_MAX; i++) {
        if (!found->lines[i])
            continue;
        if (!row_new(&row, arena, 2))
            return CC_ENOMEM;
        add_number(&row, "lines", i);
        add_list(&row, "each_line", numbers, i);
        rows[n++] = finished(&row);
    }
    add_list(root, "mock_lines", rows, n);
    return CC_OK;
}

static int add_headers(struct row *root, const struct found *found, struct arena *arena)
{
    struct template_row *rows = rows_new(arena, found->n_headers);
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < found->n_headers; i++) {
        if (!row_new(&row, arena, 2))
            return CC_ENOMEM;
        add_word(&row, "name", found->headers[i]);
        /* a name of gw_mock_header_name_fault() means nothing in a JSON path or an argument */
        add_word(&row, "path", arena_printf(arena, "$.%" PRIslice, SLICE_ARG(found->headers[i])));
        rows[i] = finished(&row);
    }
    add_list(root, "mock_headers", rows, found->n_headers);
    return CC_OK;
}

int render_mock(struct row *root, const struct render_context *ctx)
{
    struct found found;
    int rc = find_all(ctx->model, ctx->arena, &found);

    add_bool(root, "mock", found.any);
    if (rc == CC_OK)
        rc = add_statuses(root, &found, ctx->arena);
    if (rc == CC_OK)
        rc = add_lines(root, &found, ctx->arena);
    return rc == CC_OK ? add_headers(root, &found, ctx->arena) : rc;
}

size_t render_mock_headers(const struct gw_model *model, struct arena *arena)
{
    struct found found;

    return find_all(model, arena, &found) == CC_OK ? found.n_headers : 0;
}
