#include "generator/output_plan.h"

#include "generator/output_generation.h"

/* The first finding of `scratch` as text. */
static const char *first_finding(const struct diag *scratch, struct arena *arena)
{
    struct diag_view view;

    return diag_get(scratch, 0, &view) ? arena_dup(arena, view.message).p : "cannot be read";
}

/* Reads the built snapshot. One that cannot be read is no failure: a build would replace it. */
static int read_snapshot(struct output_plan *p, const struct output_dir *dir)
{
    struct diag *scratch = diag_new();
    struct slice text = SLICE_NONE;
    int rc =
        scratch != NULL ? generation_read_snapshot(dir, &p->manifest, &text, &p->fault) : CC_ENOMEM;

    if (rc == CC_OK && p->fault == NULL &&
        gw_snapshot_read(&p->snapshot, text, "gateway.json", scratch) != CC_OK) {
        p->fault = first_finding(scratch, dir->arena);
        rc = p->fault != NULL ? CC_OK : CC_ENOMEM;
    }
    diag_free(&scratch);
    return rc;
}

static int read_built(struct output_plan *p, const struct output_dir *dir)
{
    const char *haproxy_fault = NULL;
    int rc;

    p->built = output_dir_current(dir);
    rc = output_dir_next(dir, &p->next);
    if (rc != CC_OK || p->built == 0)
        return rc;
    if (generation_manifest(dir, p->built, &p->manifest) != CC_OK) {
        p->fault = "its manifest cannot be read";
        return CC_OK;
    }
    rc = read_snapshot(p, dir);
    /* A file that is missing or was changed shows as a difference. */
    return rc == CC_OK ? generation_read_haproxy(dir, &p->manifest, &p->before, &haproxy_fault)
                       : rc;
}

int output_plan(struct output_plan *out, struct gw_model *model, const struct config *config,
                const struct output_options *options, struct arena *arena, struct diag *diag)
{
    struct output_dir dir;
    char hash[65];
    int rc = output_dir_look(&dir, options->directory, arena, diag);
    uint64_t as;

    *out = (struct output_plan){.directory = dir.path, .next = 1};
    if (rc == CC_OK)
        rc = read_built(out, &dir);
    else if (rc == CC_ENOENT)
        rc = CC_OK;
    if (rc != CC_OK)
        return rc;
    /* Its text holds the generation's number and directory: it is compared as that of the old one.
     */
    as = out->manifest.haproxy_generation != 0 ? out->manifest.haproxy_generation : out->next;
    rc = generation_render(&dir, as, model, config, options->templates, diag, &out->after);
    if (rc == CC_OK)
        rc = gw_model_hash(model, hash);
    if (rc != CC_OK)
        return rc;
    out->same_haproxy = out->manifest.haproxy_generation != 0 &&
                        generation_same_haproxy(&dir, &out->manifest, &out->after);
    out->same_model = out->fault == NULL && generation_same_model(&dir, &out->manifest, hash);
    return CC_OK;
}

void output_plan_free(struct output_plan *plan)
{
    gw_snapshot_unref(&plan->snapshot);
}
