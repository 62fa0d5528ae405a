#include "generator/view.h"

#include "doc/doc.h"
#include "generator/devkey.h"

#include <sys/stat.h>

/* A source that was looked up, in a list: decisions lead to few of them. */
struct view_source {
    struct source source;
    struct view_source *next;
};

static int read_output(struct view *v, const char *directory)
{
    struct arena *arena = v->work.arena;
    const char *path = arena_printf(arena, "%s/gateway.json", directory).p;
    struct stat st;
    struct slice text;
    int rc;

    if (path == NULL)
        return CC_ENOMEM;
    rc = file_read(arena, path, GW_SNAPSHOT_MAX_BYTES, &text);
    if (rc != CC_OK) {
        diag_help(diag_error(v->work.diag, CC7002, PLACE_NONE, "%s: %s", path, cc_strerror(rc)),
                  "build one with `cc-gen build -o %s PROJECT...`, name another with -o, or name "
                  "project directories",
                  directory);
        return CC_EINVAL;
    }
    v->built_s = stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
    return gw_snapshot_read(&v->snapshot, text, path, v->work.diag);
}

/* --development: what `cc-gen run` trusts, too. */
static int add_development(struct view *v, const struct cli_args *args,
                           struct project_options *options)
{
    struct gw_issuer *issuers = NULL;
    int rc;

    if (!cli_has(args, "development"))
        return CC_OK;
    rc = devkey_issuers(&issuers, v->work.arena, v->work.diag);
    options->development_issuers = issuers;
    options->n_development_issuers = rc == CC_OK ? DEVKEY_KINDS : 0;
    return rc;
}

/* Through the writer and the reader, so that what is looked at is what an agent would get. */
static int read_projects(struct view *v, const struct cli_args *args, const char *const *dirs,
                         size_t n_dirs)
{
    struct project_options options = {0};
    struct buf text;
    int rc = add_development(v, args, &options);
    int model_rc;

    if (rc == CC_OK)
        rc = cmd_load_config(&v->work, args, NULL, 0);

    if (v->work.config == NULL)
        return rc;
    /* also after findings in cc.yaml: one run shows those of the projects as well */
    model_rc = project_build_model(&v->work.model, dirs, n_dirs, v->work.config, &options,
                                   v->work.arena, v->work.diag);
    if (rc != CC_OK || model_rc != CC_OK)
        return rc != CC_OK ? rc : model_rc;
    buf_init(&text, GW_SNAPSHOT_MAX_BYTES);
    rc = gw_snapshot_write(v->work.model, &text);
    if (rc == CC_OK)
        rc = gw_snapshot_read(&v->snapshot, buf_slice(&text), "the projects", v->work.diag);
    else
        diag_error(v->work.diag, CC6001, PLACE_NONE, "the snapshot cannot be made: %s",
                   cc_strerror(rc));
    buf_free(&text);
    return rc;
}

int view_open(struct view *v, const struct cli_args *args, const char *const *dirs, size_t n_dirs)
{
    const char *output = cli_value(args, "output");
    struct slice from;
    int rc;

    *v = (struct view){0};
    rc = cmd_work_open(&v->work);
    if (rc != CC_OK)
        return rc;
    output = output != NULL ? output : "out";
    rc = n_dirs > 0 ? read_projects(v, args, dirs, n_dirs) : read_output(v, output);
    if (rc != CC_OK)
        return rc == CC_ENOMEM ? rc : CC_EINVAL;
    v->model = gw_snapshot_model(v->snapshot);
    from = n_dirs > 0 ? arena_printf(v->work.arena, "%zu project%s", n_dirs, n_dirs == 1 ? "" : "s")
                      : arena_printf(v->work.arena, "%s, generation %llu", output,
                                     (unsigned long long)v->model->generation);
    v->from = from.p;
    return from.p != NULL ? CC_OK : CC_ENOMEM;
}

void view_close(struct view *v)
{
    gw_snapshot_unref(&v->snapshot);
    cmd_work_close(&v->work);
}

struct place view_place(struct view *v, struct place place)
{
    struct view_source *s = v->sources;

    if (place.source == NULL || place.source->text.n > 0)
        return place;
    while (s != NULL && strcmp(s->source.name, place.source->name) != 0)
        s = s->next;
    if (s == NULL) {
        s = arena_alloc(v->work.arena, sizeof(*s));
        if (s == NULL)
            return place;
        s->source.name = place.source->name;
        if (file_read(v->work.arena, s->source.name, DOC_MAX_BYTES, &s->source.text) != CC_OK)
            s->source.text = SLICE_NONE;
        s->next = v->sources;
        v->sources = s;
    }
    place.source = &s->source;
    return place;
}

bool view_is_stale(const struct view *v, struct place place)
{
    struct stat st;

    return v->built_s > 0 && place.source != NULL && stat(place.source->name, &st) == 0 &&
           (int64_t)st.st_mtim.tv_sec > v->built_s;
}

void view_add_place(struct buf *out, struct place place)
{
    if (place.source == NULL || place.source->name == NULL)
        return;
    buf_add_str(out, place.source->name);
    if (place.line > 0)
        buf_printf(out, ":%u:%u", place.line, place.col);
}

void view_add_endpoint(struct buf *out, const struct gw_endpoint *e)
{
    bool ipv6 = slice_find(e->host, ':') >= 0;

    buf_printf(out, "%s://%s%" PRIslice "%s", e->tls ? "https" : "http", ipv6 ? "[" : "",
               SLICE_ARG(e->host), ipv6 ? "]" : "");
    if (e->port != (e->tls ? 443u : 80u))
        buf_printf(out, ":%u", e->port);
    buf_add(out, e->path);
}

void view_print(FILE *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        /* U+0080 to U+009F are control characters too, for a terminal */
        bool c1 = (unsigned char)s.p[i] == 0xc2 && i + 1 < s.n &&
                  (unsigned char)s.p[i + 1] >= 0x80 && (unsigned char)s.p[i + 1] < 0xa0;

        fputc(c1 || ascii_is_control(s.p[i]) ? '?' : s.p[i], out);
    }
}
