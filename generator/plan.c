#include "generator/plan.h"

enum { REASON_MAX_BYTES = 256, JSON_MAX_BYTES = 256 << 20, SHOWN_BYTES = 160, MAX_NAMED = 8 };

static const char *const agent_words[] = {"nothing to do", "start it", "SIGHUP", "restart it"};
static const char *const agent_actions[] = {"none", "start", "SIGHUP", "restart"};

/* --- reasons --------------------------------------------------------------------------------- */

/* The row of a setting, also of "a.b[2].c". */
static const struct config_setting *find_setting(struct slice name)
{
    size_t n;
    const struct config_setting *rows = config_settings(&n);

    for (size_t i = 0; i < n; i++) {
        struct slice row = slice_of(rows[i].name), rest = name;
        ptrdiff_t bracket = slice_find(row, '['), end;

        if (slice_eq(row, name))
            return &rows[i];
        if (bracket < 0 || !slice_starts(name, slice_first(row, (size_t)bracket + 1)))
            continue;
        end = slice_find(rest, ']');
        if (end > bracket &&
            slice_eq(slice_from(row, (size_t)bracket + 1), slice_from(name, (size_t)end)))
            return &rows[i];
    }
    return NULL;
}

static bool setting_needs(const struct diff_change *change, const char *what)
{
    const struct config_setting *row =
        change->kind == DIFF_SETTING ? find_setting(change->subject) : NULL;

    return row != NULL && strstr(row->change, what) != NULL;
}

static int add_why(struct plan *p, struct slice text)
{
    if (text.p == NULL)
        return CC_ENOMEM;
    p->why[p->n_why++] = text;
    return CC_OK;
}

/* "2 new clusters" */
static int why_clusters(struct plan *p, enum diff_sort sort, const char *what)
{
    size_t n = diff_count(&p->diff, sort, DIFF_CLUSTER);

    if (n == 0)
        return CC_OK;
    return add_why(p, arena_printf(p->diff.arena, "%zu %s cluster%s", n, what, n == 1 ? "" : "s"));
}

/* What a change of kind header, setting, section or file says as a reason; empty: nothing. */
static struct slice reason_of(const struct diff_change *c, struct arena *arena)
{
    switch (c->kind) {
    case DIFF_HEADER:
        return arena_printf(arena, "header %" PRIslice " %s", SLICE_ARG(c->subject),
                            c->sort == DIFF_ADDED ? "must be seen" : "need not be seen any more");
    case DIFF_SETTING:
        if (!setting_needs(c, "reload HAProxy"))
            return SLICE("");
        return arena_printf(arena, "setting %" PRIslice, SLICE_ARG(c->subject));
    case DIFF_SECTION:
        return arena_printf(arena, "section %" PRIslice, SLICE_ARG(c->subject));
    case DIFF_FILE:
        return arena_printf(arena, "file %" PRIslice, SLICE_ARG(c->subject));
    default:
        return SLICE("");
    }
}

/* The reasons of changes of the kinds from..to, by name as far as they are few. */
static int why_changes(struct plan *p, enum diff_kind from, enum diff_kind to)
{
    size_t more = 0, named = 0;
    int rc = CC_OK;

    for (size_t i = 0; rc == CC_OK && i < p->diff.n; i++) {
        const struct diff_change *c = &p->diff.changes[i];
        struct slice reason;

        if (c->kind < from || c->kind > to)
            continue;
        reason = reason_of(c, p->diff.arena);
        if (reason.p != NULL && reason.n == 0)
            continue;
        if (named < MAX_NAMED)
            rc = add_why(p, reason);
        else
            more++;
        named++;
    }
    if (rc == CC_OK && more > 0)
        rc = add_why(p, arena_printf(p->diff.arena, "%zu more", more));
    return rc;
}

static int find_reasons(struct plan *p)
{
    int rc = why_clusters(p, DIFF_ADDED, "new");

    if (rc == CC_OK)
        rc = why_clusters(p, DIFF_REMOVED, "removed");
    if (rc == CC_OK)
        rc = why_clusters(p, DIFF_CHANGED, "changed");
    if (rc == CC_OK)
        rc = why_changes(p, DIFF_HEADER, DIFF_SETTING);
    /* What differs without such a cause: another cc-gen, other templates, files that were edited.
     */
    if (rc == CC_OK && p->n_why == 0)
        rc = why_changes(p, DIFF_SECTION, DIFF_FILE);
    if (rc == CC_OK && p->n_why == 0)
        rc = add_why(p, SLICE("HAProxy's files are not those that were built"));
    return rc;
}

int plan_conclude(struct plan *p, bool haproxy_changed)
{
    /* clusters, headers or settings, sections or files; each with its "N more" */
    p->why = arena_array(p->diff.arena, 3 + 3 * (MAX_NAMED + 1), sizeof(*p->why));
    if (p->why == NULL)
        return CC_ENOMEM;
    p->reload = haproxy_changed;
    p->agent = p->built == 0 ? PLAN_AGENT_START
               : p->differs  ? PLAN_AGENT_SIGHUP
                             : PLAN_AGENT_NOTHING;
    if (p->built == 0)
        return add_why(p, SLICE("nothing is built yet"));
    for (size_t i = 0; i < p->diff.n; i++)
        if (setting_needs(&p->diff.changes[i], "restart cc-spoa"))
            p->agent = PLAN_AGENT_RESTART;
    return haproxy_changed ? find_reasons(p) : CC_OK;
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_value(FILE *out, struct slice value)
{
    bool cut = value.n > SHOWN_BYTES;
    size_t n = cut ? SHOWN_BYTES : value.n;

    while (cut && n > 0 && ((unsigned char)value.p[n] & 0xc0) == 0x80)
        n--; /* not in the middle of a character */
    fprintf(out, "%" PRIslice "%s", SLICE_ARG(slice_first(value, n)), cut ? "..." : "");
}

static void print_change(const struct diff_change *c, FILE *out, bool colour)
{
    static const char signs[] = "+-~";
    static const char *const paints[] = {"\033[32m", "\033[31m", "\033[33m"};

    fprintf(out, "%s%c %s %" PRIslice "%s", colour ? paints[c->sort] : "", signs[c->sort],
            diff_kind_word(c->kind), SLICE_ARG(c->subject), colour ? "\033[0m" : "");
    /* What is called "scope" says that it is about security. */
    if (c->field.n > 0 && c->kind != DIFF_SCOPE && c->kind != DIFF_ACCESS)
        fprintf(out, ": %" PRIslice, SLICE_ARG(c->field));
    if (c->before.n > 0 || c->after.n > 0)
        fputs(": ", out);
    print_value(out, c->before);
    if (c->before.n > 0 && c->after.n > 0)
        fputs(" -> ", out);
    print_value(out, c->after);
    if (c->from.n > 0)
        fprintf(out, "  (%" PRIslice ")", SLICE_ARG(c->from));
    fputc('\n', out);
}

void plan_print(const struct plan *p, FILE *out, bool colour)
{
    for (size_t i = 0; i < p->diff.n; i++)
        print_change(&p->diff.changes[i], out, colour);
    fprintf(out, "needs reload: %s", p->reload ? "yes" : "no");
    for (size_t i = 0; i < p->n_why; i++)
        fprintf(out, "%s%" PRIslice, i == 0 ? ": " : ", ", SLICE_ARG(p->why[i]));
    fprintf(out, "\nagent: %s\n", agent_words[p->agent]);
}

/* --- for programs ---------------------------------------------------------------------------- */

static void add_member(struct buf *out, const char *name, struct slice value)
{
    if (value.n == 0)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_add_json(out, value);
}

static void add_change(struct buf *out, const struct diff_change *c)
{
    static const char *const sorts[] = {"add", "remove", "change"};

    buf_printf(out, "{\"change\":\"%s\",\"kind\":\"%s\",\"subject\":", sorts[c->sort],
               diff_kind_word(c->kind));
    buf_add_json(out, c->subject);
    if (c->api != NULL) {
        buf_add_str(out, ",\"api\":{\"name\":");
        buf_add_json(out, c->api->name);
        add_member(out, "version", c->api->version);
        add_member(out, "vhost", c->api->vhost);
        buf_add_str(out, ",\"basePath\":");
        buf_add_json(out, c->api->base_path);
        buf_add_char(out, '}');
    }
    add_member(out, "resource", c->resource);
    add_member(out, "method", slice_of(c->method));
    add_member(out, "field", c->field);
    add_member(out, "before", c->before);
    add_member(out, "after", c->after);
    add_member(out, "from", c->from);
    buf_add_char(out, '}');
}

static void add_json(struct buf *out, const struct plan *p)
{
    buf_printf(out, "{\"schema\":%d,\"generation\":{\"built\":%llu,\"next\":%llu},", PLAN_SCHEMA,
               (unsigned long long)p->built, (unsigned long long)p->next);
    buf_printf(out, "\"rebuild\":%s,\"differs\":%s,\"changes\":[", p->rebuild ? "true" : "false",
               p->differs ? "true" : "false");
    for (size_t i = 0; i < p->diff.n; i++) {
        buf_add_str(out, i > 0 ? ",\n" : "\n");
        add_change(out, &p->diff.changes[i]);
    }
    buf_printf(out, "],\n\"haproxy\":{\"reload\":%s,\"why\":[", p->reload ? "true" : "false");
    for (size_t i = 0; i < p->n_why; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_json(out, p->why[i]);
    }
    buf_printf(out, "]},\"agent\":\"%s\"}\n", agent_actions[p->agent]);
}

int plan_print_json(const struct plan *p, FILE *out)
{
    struct buf text;
    int rc;

    buf_init(&text, JSON_MAX_BYTES);
    add_json(&text, p);
    rc = buf_error(&text);
    if (rc == CC_OK)
        fwrite(text.p, 1, text.n, out);
    buf_free(&text);
    return rc;
}
