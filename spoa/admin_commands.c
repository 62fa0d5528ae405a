#include "spoa/admin_commands.h"

enum { HELP_COLUMN = 36 };

void admin_commands_add(struct admin_commands *c, const struct admin_command *rows, size_t n,
                        void *context)
{
    CC_ASSERT(c->n < ADMIN_TABLES_MAX);
    c->tables[c->n].rows = rows;
    c->tables[c->n].n = n;
    c->tables[c->n].context = context;
    c->n++;
}

/* How many of the words are the command's name; 0: they mean another one. */
static size_t match(const struct admin_command *row, const struct admin_words *words)
{
    struct slice rest = slice_of(row->name), part;
    size_t n = 0;

    while (slice_split(&rest, ' ', &part))
        if (n >= words->n || !slice_eq(words->word[n++], part))
            return 0;
    return n;
}

static void add_row(struct buf *out, const char *name, const char *arguments, const char *help)
{
    size_t begin = out->n;

    buf_printf(out, "  %s%s%s", name, arguments[0] != '\0' ? " " : "", arguments);
    do
        buf_add_char(out, ' ');
    while (buf_error(out) == CC_OK && out->n - begin < HELP_COLUMN);
    buf_printf(out, "%s\n", help);
}

static void add_help(const struct admin_commands *c, struct buf *out)
{
    add_row(out, "help", "", "this list");
    add_row(out, "prompt", "",
            "keep the connection open for more lines; the second time: no longer");
    add_row(out, "quit", "", "close the connection");
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->tables[i].n; k++)
            add_row(out, c->tables[i].rows[k].name, c->tables[i].rows[k].arguments,
                    c->tables[i].rows[k].help);
}

static void add_unknown(const struct admin_words *words, struct buf *out)
{
    buf_add_str(out, "unknown command:");
    for (size_t i = 0; i < words->n && i < 2; i++)
        buf_printf(out, " %" PRIslice, SLICE_ARG(slice_first(words->word[i], 64)));
    buf_add_str(out, "; these are known:\n");
}

const struct admin_command *admin_commands_find(const struct admin_commands *c,
                                                const struct admin_words *words,
                                                struct admin_call *call)
{
    const struct admin_command *row = NULL;
    size_t n = 0;

    if (words->n == 1 && slice_is(words->word[0], "help")) {
        add_help(c, call->out);
        return NULL;
    }
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < c->tables[i].n; k++) {
            size_t m = match(&c->tables[i].rows[k], words);

            if (m <= n)
                continue;
            n = m; /* "show x all" is not "show x" with an argument */
            row = &c->tables[i].rows[k];
            call->context = c->tables[i].context;
        }
    }
    if (row == NULL) {
        add_unknown(words, call->out);
        add_help(c, call->out);
        return NULL;
    }
    call->arg = words->word + n;
    call->n_args = words->n - n;
    if (call->n_args < row->min_args || call->n_args > row->max_args) {
        buf_printf(call->out, "usage: %s%s%s\n", row->name, row->arguments[0] != '\0' ? " " : "",
                   row->arguments);
        return NULL;
    }
    return row;
}
