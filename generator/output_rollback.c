#include "generator/output_rollback.h"

#include "generator/haproxy_check.h"
#include "generator/output_generation.h"

#include <sys/stat.h>

/* One generation, read whole. */
struct generation {
    struct manifest manifest;
    struct gw_snapshot *snapshot;
    struct render_output haproxy;
};

static int not_built(const char *directory, struct diag *diag)
{
    diag_help(diag_error(diag, CC7103, PLACE_NONE, "nothing was built in %s", directory),
              "name the directory with -o, or build first");
    return CC_EREFUSED;
}

/* Opens and locks a directory that must be there already. */
static int open_dir(struct output_dir *dir, const char *directory, struct arena *arena,
                    struct diag *diag)
{
    int rc = output_dir_look(dir, directory, arena, diag);

    if (rc == CC_ENOENT || (rc == CC_OK && output_dir_current(dir) == 0))
        return not_built(directory, diag);
    return rc == CC_OK ? output_dir_open(dir, directory, arena, diag) : rc;
}

/* "1, 2 and 5" */
static const char *list_text(const struct output_dir *dir, const uint64_t *list, size_t n)
{
    struct buf text;
    const char *out;

    buf_init(&text, 16 << 10);
    for (size_t i = n; i > 0; i--)
        buf_printf(&text, "%s%llu",
                   i == n   ? ""
                   : i == 1 ? " and "
                            : ", ",
                   (unsigned long long)list[i - 1]);
    out = buf_error(&text) == CC_OK ? arena_dup(dir->arena, buf_slice(&text)).p : "many";
    buf_free(&text);
    return out != NULL ? out : "some";
}

/* Which generation is meant: `wanted`, or the newest complete one below `current`. */
static int choose(const struct output_dir *dir, uint64_t current, uint64_t wanted, uint64_t *out)
{
    uint64_t *list;
    size_t n;
    int rc = output_dir_list(dir, &list, &n);

    if (rc != CC_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (wanted != 0 ? list[i] != wanted
                        : list[i] >= current || generation_uses(dir, list[i]) == 0)
            continue;
        *out = list[i];
        return CC_OK;
    }
    if (wanted != 0)
        diag_help(diag_error(dir->diag, CC7101, PLACE_NONE, "there is no generation %llu in %s",
                             (unsigned long long)wanted, dir->path),
                  "these are kept: %s", list_text(dir, list, n));
    else
        diag_help(diag_error(dir->diag, CC7103, PLACE_NONE,
                             "there is no generation before %llu in %s",
                             (unsigned long long)current, dir->path),
                  "these are kept: %s", list_text(dir, list, n));
    return CC_EREFUSED;
}

static int damaged(const struct output_dir *dir, uint64_t n, const char *what)
{
    diag_help(diag_error(dir->diag, CC7102, PLACE_NONE, "generation %llu is damaged: %s",
                         (unsigned long long)n, what),
              "choose another one (cc-gen rollback --list), or build again");
    return CC_EREFUSED;
}

/* Reads generation n and makes sure that it is what was built. *fault: what is wrong with it. */
static int read_generation(const struct output_dir *dir, uint64_t n, struct generation *g,
                           const char **fault)
{
    struct diag *scratch = diag_new();
    struct slice text = SLICE_NONE;
    const struct gw_model *model;
    struct diag_view view;
    int rc = scratch != NULL ? CC_OK : CC_ENOMEM;

    if (rc == CC_OK && generation_manifest(dir, n, &g->manifest) != CC_OK) {
        *fault = "its manifest cannot be read";
        goto out;
    }
    if (rc == CC_OK)
        rc = generation_read_haproxy(dir, &g->manifest, &g->haproxy, fault);
    if (rc == CC_OK)
        rc = generation_read_snapshot(dir, &g->manifest, &text, fault);
    if (rc != CC_OK || *fault != NULL)
        goto out;
    rc = gw_snapshot_read(&g->snapshot, text, "gateway.json", scratch);
    if (rc != CC_OK) {
        *fault = diag_get(scratch, 0, &view) ? arena_dup(dir->arena, view.message).p
                                             : "gateway.json cannot be read";
        rc = *fault != NULL ? CC_OK : CC_ENOMEM;
        goto out;
    }
    /* /ready compares these numbers; a generation that contradicts itself would never be ready. */
    model = gw_snapshot_model(g->snapshot);
    if (model->generation != n || model->haproxy_generation != g->manifest.haproxy_generation)
        *fault = "gateway.json and manifest.json name different generations";
out:
    diag_free(&scratch);
    return rc;
}

static int check(const struct output_dir *dir, const struct generation *g,
                 const struct output_options *options)
{
    const char *directory = output_dir_generation(dir, g->manifest.haproxy_generation);

    if (options->no_validate)
        return CC_OK;
    if (directory == NULL)
        return CC_ENOMEM;
    return haproxy_check(options->haproxy, directory, &g->haproxy, dir->arena, dir->diag);
}

int output_rollback(struct output_rollback *out, const struct output_options *options,
                    uint64_t wanted, struct arena *arena, struct diag *diag)
{
    struct generation from = {0}, to = {0};
    const char *fault = NULL, *old_fault = NULL;
    struct output_dir dir = {.lock = -1};
    int rc = open_dir(&dir, options->directory, arena, diag);

    *out = (struct output_rollback){.directory = dir.path};
    if (rc != CC_OK)
        goto out;
    out->from = output_dir_current(&dir);
    rc = choose(&dir, out->from, wanted, &out->to);
    if (rc == CC_OK)
        rc = read_generation(&dir, out->to, &to, &fault);
    if (rc == CC_OK && fault != NULL)
        rc = damaged(&dir, out->to, fault);
    if (rc == CC_OK)
        rc = check(&dir, &to, options);
    /* What is left may be damaged: that is a reason to leave it. */
    if (rc == CC_OK)
        rc = read_generation(&dir, out->from, &from, &old_fault);
    if (rc == CC_OK)
        rc = output_dir_switch(&dir, out->to);
    out->haproxy_changed = from.manifest.haproxy_generation != to.manifest.haproxy_generation;
out:
    out->before = from.snapshot;
    out->after = to.snapshot;
    out->haproxy_before = from.haproxy;
    out->haproxy_after = to.haproxy;
    output_dir_close(&dir);
    return rc;
}

void output_rollback_free(struct output_rollback *rollback)
{
    gw_snapshot_unref(&rollback->before);
    gw_snapshot_unref(&rollback->after);
}

int output_list(struct output_kept **out, size_t *n, const char *directory, struct arena *arena,
                struct diag *diag)
{
    struct output_dir dir;
    uint64_t *list = NULL;
    int rc = output_dir_look(&dir, directory, arena, diag);

    *n = 0;
    if (rc == CC_ENOENT)
        return not_built(directory, diag);
    if (rc == CC_OK)
        rc = output_dir_list(&dir, &list, n);
    if (rc != CC_OK)
        return rc;
    *out = arena_array(arena, *n, sizeof(**out));
    for (size_t i = 0; *out != NULL && i < *n; i++) {
        const char *path = output_dir_generation(&dir, list[i]);
        struct stat st = {0};

        (*out)[i] = (struct output_kept){
            .generation = list[i],
            .haproxy_generation = generation_uses(&dir, list[i]),
            .built_s = path != NULL && stat(path, &st) == 0 ? (int64_t)st.st_mtime : 0,
            .current = list[i] == output_dir_current(&dir),
        };
    }
    return *out != NULL ? CC_OK : CC_ENOMEM;
}

int output_inspect(struct output_state *out, const char *directory, struct arena *arena,
                   struct diag *diag)
{
    struct generation g = {0};
    struct output_dir dir;
    int rc = output_dir_look(&dir, directory, arena, diag);

    *out = (struct output_state){.directory = dir.path};
    if (rc != CC_OK)
        return rc;
    out->generation = output_dir_current(&dir);
    if (out->generation == 0)
        return CC_ENOENT;
    rc = read_generation(&dir, out->generation, &g, &out->fault);
    out->haproxy_generation = g.manifest.haproxy_generation;
    out->checked = g.manifest.checked;
    out->snapshot = g.snapshot;
    return rc;
}
