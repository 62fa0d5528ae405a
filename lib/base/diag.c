#include "base/diag.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>

enum {
    ITEMS_MAX = 10000, /* of each severity: no warnings hide the error that refuses a build */
    MESSAGE_MAX = 1024,
    TEXT_MAX = 192 << 20, /* all messages together */
    SHOWN_COLUMNS = 160   /* of a source line under a finding */
};

struct code_row {
    const char *name, *title, *explanation;
};

static const struct code_row codes[DIAG_CODES] = {
#define X(code, title, explanation) [code] = {#code, title, explanation},
#include "base/diag_codes.def"
#undef X
};

struct diag_item {
    struct diag_view view;
    struct diag *owner;
    size_t index;
};

struct diag {
    struct arena *arena;
    struct diag_item **items;
    size_t n, cap;
    size_t kept[DIAG_INFO + 1];  /* by severity */
    size_t count[DIAG_INFO + 1]; /* by severity, those that are not kept too */
    bool (*read)(void *context, const struct source *source, struct slice *text);
    void *context;
};

const char *diag_code_name(enum diag_code code)
{
    return codes[code].name;
}

const char *diag_code_title(enum diag_code code)
{
    return codes[code].title;
}

const char *diag_code_explanation(enum diag_code code)
{
    return codes[code].explanation;
}

struct diag *diag_new(void)
{
    struct diag *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return NULL;
    d->arena = arena_new(TEXT_MAX);
    if (d->arena == NULL) {
        free(d);
        return NULL;
    }
    return d;
}

void diag_free(struct diag **d)
{
    if (d == NULL || *d == NULL)
        return;
    arena_free(&(*d)->arena);
    free((*d)->items);
    free(*d);
    *d = NULL;
}

static bool grow(struct diag *d)
{
    size_t cap = d->cap == 0 ? 16 : d->cap * 2;
    struct diag_item **items;

    if (d->n < d->cap)
        return true;
    items = realloc(d->items, cap * sizeof(*items));
    if (items == NULL)
        return false;
    d->items = items;
    d->cap = cap;
    return true;
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The message into `out`. One that is too long keeps its end, where the reason stands, and loses
 * what is quoted in the middle. */
__attribute__((format(printf, 2, 0))) static bool format(char out[MESSAGE_MAX], const char *fmt,
                                                         va_list args)
{
    static const char gap[] = " ... ";
    size_t head = MESSAGE_MAX / 2, tail = MESSAGE_MAX - head - sizeof(gap);
    va_list again;
    char *all = NULL;
    int n;

    va_copy(again, args);
    n = vsnprintf(out, MESSAGE_MAX, fmt, args);
    if (n >= MESSAGE_MAX && vasprintf(&all, fmt, again) == n) {
        while (is_inside_character(all[head]))
            head--;
        while (tail > 0 && is_inside_character(all[(size_t)n - tail]))
            tail--;
        memcpy(out + head, gap, sizeof(gap) - 1);
        memcpy(out + head + sizeof(gap) - 1, all + n - tail, tail + 1);
        free(all);
    }
    va_end(again);
    return n >= 0;
}

/* Messages quote what was found, and that may hold anything: control characters are shown, not
 * sent to the terminal. */
__attribute__((format(printf, 2, 0))) static struct slice printable(struct arena *arena,
                                                                    const char *fmt, va_list args)
{
    char raw[MESSAGE_MAX], room[MESSAGE_MAX * 4];
    struct buf b;
    struct slice s;

    if (!format(raw, fmt, args))
        return SLICE_NONE;
    buf_init_fixed(&b, room, sizeof(room));
    for (s = slice_of(raw); s.n > 0;) {
        size_t n = utf8_length(s);

        if (n == 0 || ascii_is_control(s.p[0])) {
            buf_printf(&b, "\\x%02x", (unsigned char)s.p[0]);
            n = 1;
        } else {
            buf_add(&b, slice_first(s, n));
        }
        s = slice_from(s, n);
    }
    return arena_dup(arena, buf_slice(&b));
}

/* A place in the list; NULL when it is full or memory is short. */
static struct diag_item *new_item(struct diag *d, enum diag_severity severity)
{
    struct diag_item *item;

    if (d->kept[severity] >= ITEMS_MAX || !grow(d))
        return NULL;
    item = arena_alloc(d->arena, sizeof(*item));
    if (item == NULL)
        return NULL;
    item->owner = d;
    item->index = d->n;
    d->items[d->n++] = item;
    d->kept[severity]++;
    return item;
}

void diag_copy(struct diag *d, const struct diag_view *finding)
{
    struct diag_item *item = new_item(d, finding->severity);

    d->count[finding->severity]++;
    if (item == NULL)
        return;
    item->view = *finding;
    item->view.message = arena_dup(d->arena, finding->message);
    item->view.help = finding->help.n > 0 ? arena_dup(d->arena, finding->help) : SLICE_NONE;
}

void diag_count(struct diag *d, enum diag_severity severity, size_t n)
{
    d->count[severity] += n;
}

void diag_move(struct diag *d, const struct diag *from)
{
    size_t left[DIAG_INFO + 1];

    memcpy(left, from->count, sizeof(left));
    for (size_t i = 0; i < from->n; i++) {
        diag_copy(d, &from->items[i]->view);
        left[from->items[i]->view.severity]--;
    }
    for (unsigned s = 0; s <= DIAG_INFO; s++)
        diag_count(d, (enum diag_severity)s, left[s]);
}

void diag_own_places(struct diag *d)
{
    for (size_t i = 0; i < d->n; i++) {
        struct diag_view *view = &d->items[i]->view;
        const struct source *old = view->place.source;
        struct source *own;
        struct slice name;

        if (old == NULL || old->text.p != NULL)
            continue;
        own = arena_alloc(d->arena, sizeof(*own));
        name = arena_dup(d->arena, slice_of(old->name));
        view->place.source = own != NULL && name.p != NULL ? own : NULL;
        if (view->place.source != NULL)
            *own = (struct source){.name = name.p};
    }
}

void diag_set_reader(struct diag *d,
                     bool (*read)(void *context, const struct source *source, struct slice *text),
                     void *context)
{
    d->read = read;
    d->context = context;
}

struct diag_item *diag_add(struct diag *d, enum diag_severity severity, enum diag_code code,
                           struct place place, const char *fmt, ...)
{
    struct diag_item *item;
    va_list args;

    d->count[severity]++;
    item = new_item(d, severity);
    if (item == NULL)
        return NULL;
    va_start(args, fmt);
    item->view =
        (struct diag_view){severity, code, place, printable(d->arena, fmt, args), SLICE_NONE};
    va_end(args);
    return item;
}

void diag_help(struct diag_item *item, const char *fmt, ...)
{
    va_list args;

    if (item == NULL)
        return;
    va_start(args, fmt);
    item->view.help = printable(item->owner->arena, fmt, args);
    va_end(args);
}

size_t diag_errors(const struct diag *d)
{
    return d->count[DIAG_ERROR];
}

size_t diag_warnings(const struct diag *d)
{
    return d->count[DIAG_WARNING];
}

size_t diag_infos(const struct diag *d)
{
    return d->count[DIAG_INFO];
}

const char *diag_severity_name(enum diag_severity severity)
{
    static const char *const names[] = {"error", "warning", "info"};

    return names[severity];
}

bool diag_get(const struct diag *d, size_t index, struct diag_view *out)
{
    if (index >= d->n)
        return false;
    *out = d->items[index]->view;
    return true;
}

static int compare_items(const void *a, const void *b)
{
    const struct diag_item *x = *(struct diag_item *const *)a, *y = *(struct diag_item *const *)b;
    const struct place *p = &x->view.place, *q = &y->view.place;
    int d = slice_cmp(slice_of(p->source ? p->source->name : ""),
                      slice_of(q->source ? q->source->name : ""));

    if (d != 0)
        return d;
    if (p->line != q->line)
        return p->line < q->line ? -1 : 1;
    if (p->col != q->col)
        return p->col < q->col ? -1 : 1;
    return x->index < y->index ? -1 : 1; /* the order they were found in */
}

struct slice source_row(struct slice text, unsigned line)
{
    struct slice row = SLICE_NONE;

    for (unsigned i = 0; i < line; i++)
        if (!slice_split(&text, '\n', &row))
            return SLICE_NONE;
    if (slice_ends(row, SLICE("\r")))
        row.n--;
    return row;
}

static size_t characters(struct slice s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return count;
}

/* Where a secret begins in a row: behind a key with "password" in its name. To the end of the row,
 * because a quote or brace that is missing is what the finding may be about. */
static size_t secret_start(struct slice row)
{
    static const struct slice word = SLICE_INIT("password");

    for (size_t i = 0; i + word.n <= row.n; i++) {
        size_t k = i + word.n;

        if (!slice_eq_nocase(slice_first(slice_from(row, i), word.n), word))
            continue;
        while (k < row.n &&
               (ascii_is_alpha(row.p[k]) || ascii_is_digit(row.p[k]) || row.p[k] == '_' ||
                row.p[k] == '-' || row.p[k] == '"' || row.p[k] == '\'' || row.p[k] == ' '))
            k++;
        if (k < row.n && (row.p[k] == ':' || row.p[k] == '='))
            return k + 1;
    }
    return row.n;
}

/* Columns count characters. */
void place_print(const struct place *p, FILE *out)
{
    struct slice row = source_row(p->source->text, p->line);
    size_t secret;

    if (row.n == 0 || p->col == 0 || characters(row) + 1 < p->col || p->col > SHOWN_COLUMNS ||
        utf8_valid_prefix(row) != row.n)
        return;
    secret = secret_start(row);
    fprintf(out, "%6u | ", p->line);
    for (size_t i = 0, shown = 0; i < row.n && shown <= SHOWN_COLUMNS; i++) {
        shown += ((unsigned char)row.p[i] & 0xc0) != 0x80;
        if (shown <= SHOWN_COLUMNS)
            fputc(ascii_is_control(row.p[i])       ? ' '
                  : i >= secret && row.p[i] != ' ' ? '*'
                                                   : row.p[i],
                  out);
    }
    fprintf(out, "\n       | %*s^\n", (int)p->col - 1, "");
}

/* The line of a place, read again when its text is gone. */
static void print_row(const struct diag *d, const struct place *p, FILE *out)
{
    struct source again = *p->source;
    struct place place = {&again, p->line, p->col};

    if (again.text.p == NULL && again.holder != NULL && d->read != NULL &&
        !d->read(d->context, p->source, &again.text))
        return;
    place_print(&place, out);
}

static void print_item(const struct diag_item *item, FILE *out, bool colour)
{
    const struct diag_view *v = &item->view;
    const struct place *p = &v->place;
    static const char *const paints[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};
    const char *word = diag_severity_name(v->severity);
    const char *paint = paints[v->severity];

    if (p->source != NULL)
        fprintf(out, "%s:", p->source->name);
    if (p->source != NULL && p->line > 0)
        fprintf(out, "%u:%u:", p->line, p->col);
    fprintf(out, "%s%s%s[%s]%s: %" PRIslice "\n", p->source != NULL ? " " : "", colour ? paint : "",
            word, diag_code_name(v->code), colour ? "\033[0m" : "", SLICE_ARG(v->message));
    if (p->source != NULL && p->line > 0)
        print_row(item->owner, p, out);
    if (v->help.n > 0)
        fprintf(out, "  help: %" PRIslice "\n", SLICE_ARG(v->help));
}

/* The findings in the order they are shown in; NULL without memory. The caller frees it. */
static struct diag_item **sort_items(const struct diag *d)
{
    struct diag_item **sorted = calloc(d->n + 1, sizeof(*sorted));

    if (sorted != NULL && d->n > 0) {
        memcpy(sorted, d->items, d->n * sizeof(*sorted));
        qsort(sorted, d->n, sizeof(*sorted), compare_items);
    }
    return sorted;
}

void diag_print(const struct diag *d, FILE *out, bool colour)
{
    struct diag_item **sorted = sort_items(d);
    size_t all = d->count[DIAG_ERROR] + d->count[DIAG_WARNING] + d->count[DIAG_INFO];

    for (size_t i = 0; i < d->n; i++)
        print_item(sorted != NULL ? sorted[i] : d->items[i], out, colour);
    if (all > d->n)
        fprintf(out, "%zu more findings are not shown\n", all - d->n);
    free(sorted);
}

static void add_json_item(const struct diag_item *item, struct buf *out)
{
    const struct diag_view *v = &item->view;
    const struct place *p = &v->place;

    buf_printf(out, "{\"id\":\"%s\",\"severity\":\"%s\",\"file\":", diag_code_name(v->code),
               diag_severity_name(v->severity));
    if (p->source != NULL)
        buf_add_json(out, slice_of(p->source->name));
    else
        buf_add_str(out, "null");
    if (p->source != NULL && p->line > 0)
        buf_printf(out, ",\"line\":%u,\"column\":%u", p->line, p->col);
    else
        buf_add_str(out, ",\"line\":null,\"column\":null");
    buf_add_str(out, ",\"message\":");
    buf_add_json(out, v->message);
    buf_add_str(out, ",\"help\":");
    if (v->help.n > 0)
        buf_add_json(out, v->help);
    else
        buf_add_str(out, "null");
    buf_add_char(out, '}');
}

void diag_add_json(const struct diag *d, struct buf *out)
{
    struct diag_item **sorted = sort_items(d);

    buf_add_char(out, '[');
    for (size_t i = 0; i < d->n; i++) {
        buf_add_str(out, i > 0 ? "," : "");
        add_json_item(sorted != NULL ? sorted[i] : d->items[i], out);
    }
    buf_add_char(out, ']');
    free(sorted);
}

void diag_log(const struct diag *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct diag_view *v = &d->items[i]->view;
        const char *name = v->place.source != NULL ? v->place.source->name : "snapshot";

        log_write(v->severity == DIAG_ERROR ? LOG_ERROR : LOG_WARN, "%s:%u:%u: %s: %" PRIslice,
                  name, v->place.line, v->place.col, diag_code_name(v->code),
                  SLICE_ARG(v->message));
    }
}
