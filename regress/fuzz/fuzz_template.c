/* Fuzzes the template engine and the quoting behind it: the first line is the text of all values, the
 * rest is the template. What must hold besides memory safety: a text that is written stays on one
 * line, and a refusal is explained. */
#include "generator/template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines_of(struct slice s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static void render(struct slice text, struct slice template)
{
    const struct template_value inner[] = {
        {.name = "w", .kind = TEMPLATE_WORD, .text = text},
        {.name = "n", .kind = TEMPLATE_NUMBER, .number = text.n},
    };
    const struct template_row rows[] = {{inner, 2}, {inner, 1}};
    const struct template_value outer[] = {
        {.name = "w", .kind = TEMPLATE_WORD, .text = text},
        {.name = "f", .kind = TEMPLATE_FORMAT, .text = text},
        {.name = "a", .kind = TEMPLATE_ARG, .text = text},
        {.name = "n", .kind = TEMPLATE_NUMBER, .number = 0},
        {.name = "b", .kind = TEMPLATE_BOOL, .truth = true},
        {.name = "l", .kind = TEMPLATE_LIST, .rows = rows, .n_rows = 2},
    };
    const struct template_row root = {outer, sizeof(outer) / sizeof(outer[0])};
    const struct source source = {.name = "fuzz.tmpl", .text = template};
    struct arena *arena = arena_new(16 << 20);
    struct diag *diag = diag_new();
    struct buf out;
    int rc;

    buf_init(&out, 1 << 20);
    rc = template_render(&source, &root, &out, arena, diag);
    CC_ASSERT((rc == CC_EINVAL) == (diag_errors(diag) > 0));
    /* lines come from the template only; a list repeats them, so count where there is none */
    if (!slice_contains(template, SLICE("#each")))
        CC_ASSERT(lines_of(buf_slice(&out)) <= lines_of(template));
    buf_free(&out);
    diag_free(&diag);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice template = slice_make(data, size), text;

    if (size == 0 || size > 4096)
        return 0;
    slice_split(&template, '\n', &text);
    if (template.p == NULL)
        template = SLICE("");
    render(text, template);
    return 0;
}
