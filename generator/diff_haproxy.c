#include "generator/diff_haproxy.h"

#include "generator/diff_pair.h"

enum { SHOWN_LINES = 3, TEXT_MAX_BYTES = 64 << 10, FIRST_ROOM = 64 };

/* One section of one file, or one file that has none. */
struct section {
    struct slice file; /* "haproxy/cc.cfg" */
    struct slice key;  /* "backend cc_refuse"; empty: the whole file */
    struct slice *lines;
    size_t n, room;
};

struct sections {
    struct section *items;
    size_t n, room;
    struct arena *arena;
};

/* Makes room for one more in an array that grows in the arena. */
static bool grow(struct arena *arena, void **items, size_t n, size_t *room, size_t size)
{
    void *more;

    if (n < *room)
        return true;
    *room = *room == 0 ? FIRST_ROOM : *room * 2;
    more = arena_array(arena, *room, size);
    if (more != NULL && n > 0)
        memcpy(more, *items, n * size);
    *items = more;
    return more != NULL;
}

static struct section *add_section(struct sections *s, struct slice file, struct slice key)
{
    void *items = s->items;

    if (!grow(s->arena, &items, s->n, &s->room, sizeof(*s->items)))
        return NULL;
    s->items = items;
    s->items[s->n] = (struct section){.file = file, .key = key};
    return &s->items[s->n++];
}

static int add_line(struct sections *s, struct section *section, struct slice line)
{
    void *lines = section->lines;

    if (!grow(s->arena, &lines, section->n, &section->room, sizeof(*section->lines)))
        return CC_ENOMEM;
    section->lines = lines;
    section->lines[section->n++] = line;
    return CC_OK;
}

/* "backend cc_refuse from cc_refuse_defaults" -> "backend cc_refuse" */
static struct slice key_of(struct slice line)
{
    ptrdiff_t first = slice_find(line, ' '), second;

    if (first < 0)
        return line;
    second = slice_find(slice_from(line, (size_t)first + 1), ' ');
    return second < 0 ? line : slice_first(line, (size_t)first + 1 + (size_t)second);
}

/* A section begins where a line is not indented; `.if` is HAProxy's, and belongs where it stands.
 */
static bool begins_section(struct slice line)
{
    return line.n > 0 && line.p[0] != ' ' && line.p[0] != '\t' && line.p[0] != '.';
}

static int read_config(struct sections *s, const struct render_file *file)
{
    struct slice rest = file->text, line;
    struct section *section = NULL;
    int rc = CC_OK;

    while (rc == CC_OK && slice_split(&rest, '\n', &line)) {
        struct slice words = slice_trim(line);

        if (words.n == 0 || words.p[0] == '#')
            continue;
        if (section == NULL || begins_section(line)) {
            section = add_section(s, file->name, key_of(words));
            rc = section != NULL ? CC_OK : CC_ENOMEM;
        }
        if (rc == CC_OK)
            rc = add_line(s, section, words);
    }
    return rc;
}

static int read_files(struct sections *s, const struct render_output *files)
{
    int rc = CC_OK;

    for (size_t i = 0; rc == CC_OK && i < files->n_files; i++) {
        const struct render_file *file = &files->files[i];
        struct section *whole;

        if (file->symlink_to == NULL &&
            (slice_ends(file->name, SLICE(".cfg")) || slice_ends(file->name, SLICE(".conf")))) {
            rc = read_config(s, file);
            continue;
        }
        whole = add_section(s, file->name, SLICE_NONE);
        rc = whole == NULL
                 ? CC_ENOMEM
                 : add_line(s, whole,
                            file->symlink_to != NULL ? slice_of(file->symlink_to) : file->text);
    }
    return rc;
}

static int by_key(const void *a, const void *b)
{
    const struct section *x = a, *y = b;
    int order = slice_cmp(x->file, y->file);

    return order != 0 ? order : slice_cmp(x->key, y->key);
}

/* What stands before the number in the templates. */
static const char *const number_marks[] = {"/generations/", "\"haproxy\":", "(txn.cc.hgen) -m int ",
                                           "args hgen=int("};

/* Bytes of the mark and number at the beginning of `s`, the number's in *digits; 0: none. */
static size_t marked_number(struct slice s, struct slice number, size_t *digits)
{
    for (size_t i = 0; i < sizeof(number_marks) / sizeof(number_marks[0]); i++) {
        struct slice mark = slice_of(number_marks[i]);
        struct slice rest = slice_from(s, mark.n);

        if (!slice_starts(s, mark) || !slice_starts(rest, number) ||
            (rest.n > number.n && ascii_is_digit(rest.p[number.n])))
            continue;
        *digits = number.n;
        return mark.n + number.n;
    }
    return 0;
}

static int mask(struct slice *text, struct slice number, struct arena *arena)
{
    struct buf out;
    int rc;

    buf_init(&out, text->n);
    for (size_t i = 0; i < text->n;) {
        size_t digits, n = marked_number(slice_from(*text, i), number, &digits);

        if (n == 0) {
            buf_add_char(&out, text->p[i++]);
            continue;
        }
        buf_add(&out, slice_make(text->p + i, n - digits));
        buf_add_char(&out, 'N');
        i += n;
    }
    rc = buf_error(&out);
    if (rc == CC_OK && text->n > 0) {
        *text = arena_dup(arena, buf_slice(&out));
        rc = text->p != NULL ? CC_OK : CC_ENOMEM;
    }
    buf_free(&out);
    return rc;
}

int diff_haproxy_mask(struct render_output *files, uint64_t generation, struct arena *arena)
{
    struct slice number = arena_printf(arena, "%llu", (unsigned long long)generation);
    int rc = number.p != NULL ? CC_OK : CC_ENOMEM;

    for (size_t i = 0; rc == CC_OK && i < files->n_files; i++)
        if (files->files[i].symlink_to == NULL)
            rc = mask(&files->files[i].text, number, arena);
    return rc;
}

static bool is_cluster(const struct section *s)
{
    return slice_starts(s->key, SLICE("backend cc_b_"));
}

static struct slice subject_of(const struct section *s)
{
    return s->key.n > 0 ? s->key : s->file;
}

static enum diff_kind kind_of(const struct section *s)
{
    return s->key.n > 0 ? DIFF_SECTION : DIFF_FILE;
}

static struct slice count_text(struct arena *arena, size_t n)
{
    return arena_printf(arena, "%zu line%s", n, n == 1 ? "" : "s");
}

/* A few lines as they are, many as their number. A file that is no configuration is not shown. */
static struct slice lines_text(const struct section *s, size_t from, size_t to, struct arena *arena)
{
    struct slice out;
    struct buf text;

    if (s->key.n == 0)
        return SLICE("");
    if (to - from > SHOWN_LINES)
        return count_text(arena, to - from);
    buf_init(&text, TEXT_MAX_BYTES);
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_add_str(&text, "; ");
        buf_add(&text, s->lines[i]);
    }
    if (from == to)
        buf_add_str(&text, "nothing");
    out = buf_error(&text) == CC_OK ? arena_dup(arena, buf_slice(&text))
                                    : count_text(arena, to - from);
    buf_free(&text);
    return out;
}

/* Fills in what differs: the lines between those that both begin and end with. */
static int show_lines(struct diff_change *change, const struct section *before,
                      const struct section *after, struct arena *arena)
{
    size_t first = 0, end_a = before->n, end_b = after->n;

    while (first < end_a && first < end_b && slice_eq(before->lines[first], after->lines[first]))
        first++;
    while (end_a > first && end_b > first &&
           slice_eq(before->lines[end_a - 1], after->lines[end_b - 1])) {
        end_a--;
        end_b--;
    }
    change->before = lines_text(before, first, end_a, arena);
    change->after = lines_text(after, first, end_b, arena);
    return change->before.p != NULL && change->after.p != NULL ? CC_OK : CC_ENOMEM;
}

static bool same_section(const struct section *a, const struct section *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!slice_eq(a->lines[i], b->lines[i]))
            return false;
    return true;
}

/* What is known about the backends of clusters. */
struct clusters {
    bool told[DIFF_CHANGED + 1]; /* by the models: those that are new, those that are gone */
    size_t changed;              /* all told as one, for they have the same cause */
    size_t index;                /* its change */
};

static int add_pair(struct diff *d, const struct diff_pair *pair, struct clusters *clusters)
{
    const struct section *before = pair->before, *after = pair->after;
    const struct section *one = after != NULL ? after : before;
    enum diff_sort sort = before == NULL ? DIFF_ADDED : after == NULL ? DIFF_REMOVED : DIFF_CHANGED;
    struct diff_change *change;

    if (sort == DIFF_CHANGED && same_section(before, after))
        return CC_OK;
    if (is_cluster(one) &&
        (clusters->told[sort] || (sort == DIFF_CHANGED && clusters->changed++ > 0)))
        return CC_OK;
    change = diff_add(d, sort, kind_of(one), subject_of(one));
    if (change == NULL)
        return CC_ENOMEM;
    change->from = one->key.n > 0 ? one->file : SLICE_NONE;
    if (is_cluster(one) && sort == DIFF_CHANGED)
        clusters->index = d->n - 1;
    return sort == DIFF_CHANGED ? show_lines(change, before, after, d->arena) : CC_OK;
}

int diff_haproxy(struct diff *d, const struct render_output *before,
                 const struct render_output *after)
{
    struct sections a = {.arena = d->arena}, b = {.arena = d->arena};
    struct clusters clusters = {
        .told = {[DIFF_ADDED] = diff_count(d, DIFF_ADDED, DIFF_CLUSTER) > 0,
                 [DIFF_REMOVED] = diff_count(d, DIFF_REMOVED, DIFF_CLUSTER) > 0}};
    struct diff_pair *pairs = NULL;
    size_t n = 0;
    int rc = read_files(&a, before);

    if (rc == CC_OK)
        rc = read_files(&b, after);
    if (rc == CC_OK)
        rc = diff_pair_up((struct diff_list){a.items, a.n, sizeof(*a.items)},
                          (struct diff_list){b.items, b.n, sizeof(*b.items)}, by_key, NULL,
                          d->arena, &pairs, &n);
    for (size_t i = 0; rc == CC_OK && i < n; i++)
        rc = add_pair(d, &pairs[i], &clusters);
    if (rc == CC_OK && clusters.changed > 1) {
        struct slice *subject = &d->changes[clusters.index].subject;

        *subject = arena_printf(d->arena, "%" PRIslice " and %zu other clusters",
                                SLICE_ARG(*subject), clusters.changed - 1);
        rc = subject->p != NULL ? CC_OK : CC_ENOMEM;
    }
    return rc;
}

/* --- settings -------------------------------------------------------------------------------- */

int diff_setting_places(struct diff *d, const struct config *config)
{
    int rc = CC_OK;

    for (size_t i = 0; rc == CC_OK && i < d->n; i++) {
        struct diff_change *change = &d->changes[i];
        struct slice name = arena_dup(d->arena, change->subject);
        struct buf from;

        if (change->kind != DIFF_SETTING || change->from.n > 0)
            continue;
        if (name.p == NULL)
            return CC_ENOMEM;
        buf_init(&from, TEXT_MAX_BYTES);
        if (config_origin(config, name.p, &from)) {
            change->from = arena_dup(d->arena, buf_slice(&from));
            rc = change->from.p != NULL ? CC_OK : CC_ENOMEM;
        }
        buf_free(&from);
    }
    return rc;
}

/* One change of a setting; absent values are those of elements that are not there. */
static int add_setting(struct diff *d, struct slice name, struct slice was, struct slice is)
{
    enum diff_sort sort = was.p == NULL ? DIFF_ADDED : is.p == NULL ? DIFF_REMOVED : DIFF_CHANGED;
    struct diff_change *change;

    if (sort == DIFF_CHANGED && slice_eq(was, is))
        return CC_OK;
    for (size_t i = 0; i < d->n; i++)
        if (d->changes[i].kind == DIFF_SETTING && slice_eq(d->changes[i].subject, name))
            return CC_OK; /* told by the models already */
    change = diff_add(d, sort, DIFF_SETTING, name);
    if (change == NULL)
        return CC_ENOMEM;
    change->before = was;
    change->after = is;
    return CC_OK;
}

int diff_settings(struct diff *d, const struct manifest *built, const struct config *config)
{
    struct manifest next = {0};
    int rc = built->has_settings ? manifest_settings(&next, config, d->arena) : CC_OK;

    for (size_t i = 0; rc == CC_OK && i < next.n_settings; i++)
        rc = add_setting(d, next.settings[i].name, manifest_value(built, next.settings[i].name),
                         next.settings[i].value);
    for (size_t i = 0; rc == CC_OK && built->has_settings && i < built->n_settings; i++)
        if (manifest_value(&next, built->settings[i].name).p == NULL)
            rc = add_setting(d, built->settings[i].name, built->settings[i].value, SLICE_NONE);
    return rc == CC_OK ? diff_setting_places(d, config) : rc;
}
