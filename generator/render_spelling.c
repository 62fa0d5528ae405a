/* render_spelling: what a header may be called on its way to a CGI-like backend, for which '-' and
 * '_' are one character. Who may not write the header may not write any of these. */
#include "generator/render_row.h"

/* Those after this many change together: rules are to stay countable. */
enum { HYPHENS_MAX = 8 };

static unsigned count_hyphens(struct slice name)
{
    unsigned n = 0;

    for (size_t i = 0; i < name.n; i++)
        n += name.p[i] == '-';
    return n < HYPHENS_MAX ? n : HYPHENS_MAX;
}

static unsigned count_spellings(struct slice name)
{
    return name.n > 0 ? 1u << count_hyphens(name) : 0;
}

/* Bit i of `which`: the hyphen i is a '_'. */
static struct slice spell(struct slice name, unsigned which, struct arena *arena)
{
    char *room = arena_alloc(arena, name.n);
    unsigned at = 0;

    if (room == NULL)
        return SLICE_NONE;
    for (size_t i = 0; i < name.n; i++) {
        room[i] = name.p[i] == '-' && (which >> at & 1) != 0 ? '_' : name.p[i];
        at += name.p[i] == '-' && at < HYPHENS_MAX - 1;
    }
    return slice_make(room, name.n);
}

int add_spellings(struct row *root, const char *list, const struct slice *names, size_t n,
                  struct arena *arena)
{
    size_t all = 0, at = 0;
    struct template_row *rows;

    for (size_t i = 0; i < n; i++)
        all += count_spellings(names[i]);
    rows = rows_new(arena, all);
    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++)
        for (unsigned which = 0; which < count_spellings(names[i]); which++) {
            struct slice spelling = spell(names[i], which, arena);
            struct row row;

            if (spelling.p == NULL || !row_new(&row, arena, 1))
                return CC_ENOMEM;
            add_word(&row, "spelling", spelling);
            rows[at++] = finished(&row);
        }
    add_list(root, list, rows, all);
    return CC_OK;
}
