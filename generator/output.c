#include "generator/output.h"

#include "crypto/key.h"
#include "gateway/snapshot.h"
#include "generator/certificate_files.h"
#include "generator/haproxy_check.h"
#include "generator/haproxy_checked.h"
#include "generator/output_generation.h"
#include "generator/render_values.h"

#include <netdb.h>
#include <sys/stat.h>

/* One build under way. */
struct build {
    struct gw_model *model;
    const struct config *config;
    const struct output_options *options;
    struct arena *arena;
    struct diag *diag;
    struct output_dir dir;
    struct manifest current; /* generation 0: there is none */
    struct manifest next;
    struct render_output files; /* HAProxy's half of the next generation */
    struct gw_snapshot_text snapshot;
    struct haproxy_checked checked;
};

/* Renders HAProxy's half as that of generation n. */
static int render_as(const struct build *b, uint64_t n, struct diag *diag,
                     struct render_output *files)
{
    return generation_render(&b->dir, n, b->model, b->config, b->options->templates, diag, files);
}

/* Is HAProxy's half what generation `old` has? Its text holds the generation's number and
 * directory, so that is asked by rendering as the old one. Findings were already made. */
static int compare_haproxy_half(struct build *b, uint64_t old, bool *same)
{
    struct render_output files;
    struct diag *scratch = diag_new();
    int rc = scratch != NULL ? render_as(b, old, scratch, &files) : CC_ENOMEM;

    *same = rc == CC_OK && generation_same_haproxy(&b->dir, &b->current, &files);
    if (*same)
        b->files = files;
    diag_free(&scratch);
    return rc;
}

/* Renders, and decides which generation's haproxy/ directory the next one uses. */
static int render(struct build *b, bool *haproxy_changed)
{
    uint64_t old = b->current.haproxy_generation;
    bool same = false;
    int rc = render_as(b, b->next.generation, b->diag, &b->files);

    if (rc == CC_OK && old != 0)
        rc = compare_haproxy_half(b, old, &same);
    *haproxy_changed = !same;
    b->next.haproxy_generation = same ? old : b->next.generation;
    b->model->haproxy_generation = b->next.haproxy_generation;
    return rc;
}

static int note_file(struct build *b, struct slice name, const struct slice *parts, size_t n)
{
    struct manifest_file *file = &b->next.files[b->next.n_files++];

    file->name = name;
    return crypto_sha256_hex_of(parts, n, file->sha256);
}

static int write_haproxy_half(struct build *b)
{
    uint64_t n = b->next.generation;
    int rc = CC_OK;

    if (b->next.haproxy_generation != n) {
        const char *to = arena_printf(b->arena, "../%llu/haproxy",
                                      (unsigned long long)b->next.haproxy_generation)
                             .p;

        return to != NULL ? output_dir_link(&b->dir, n, SLICE("haproxy"), to) : CC_ENOMEM;
    }
    for (size_t i = 0; rc == CC_OK && i < b->files.n_files; i++) {
        const struct render_file *f = &b->files.files[i];

        rc = f->symlink_to != NULL ? output_dir_link(&b->dir, n, f->name, f->symlink_to)
                                   : output_dir_write(&b->dir, n, f->name, f->text, f->secret);
    }
    return rc;
}

/* The manifest's sums would tell a guessed password from a wrong one, so it is as secret as the
 * snapshot. */
static bool has_secrets(const struct build *b)
{
    for (size_t i = 0; i < b->model->n_issuers; i++)
        if (b->model->issuers[i].introspection_authorization.n > 0)
            return true;
    return b->model->n_identities > 0 || render_needs_redis_map(b->config);
}

static int snapshot_fault(const struct build *b, int rc)
{
    diag_error(b->diag, CC6001, PLACE_NONE, "the snapshot cannot be made: %s", cc_strerror(rc));
    return CC_EINVAL;
}

/* Writes all but the manifest. */
static int write_generation(struct build *b)
{
    struct slice parts[GW_SNAPSHOT_PARTS];
    int rc;

    b->model->generation = b->next.generation;
    rc = gw_snapshot_complete(b->model, &b->snapshot);
    if (rc != CC_OK)
        return snapshot_fault(b, rc);
    gw_snapshot_slices(&b->snapshot, parts);
    rc = output_dir_write_parts(&b->dir, b->next.generation, SLICE("gateway.json"), parts,
                                GW_SNAPSHOT_PARTS, has_secrets(b));
    return rc == CC_OK ? write_haproxy_half(b) : rc;
}

/* HAProxy looks the name up when it starts and would say so of a line of its own file; here it is
 * still known which setting that was. Asks the resolver as HAProxy does. */
static int check_log_target(const struct build *b)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    struct slice name;
    const char *text;
    int error;

    if (!config_log_host(b->config->router.log_target, &name) || name.n == 0)
        return CC_OK;
    text = arena_dup(b->arena, name).p;
    if (text == NULL)
        return CC_ENOMEM;
    error = getaddrinfo(text, NULL, &hints, &found);
    if (error == 0) {
        freeaddrinfo(found);
        return CC_OK;
    }
    diag_help(diag_error(b->diag, CC3003, config_place(b->config, "router.haproxy.logTarget"),
                         "router.haproxy.logTarget names the host '%s', which cannot be looked "
                         "up: %s",
                         text, gai_strerror(error)),
              "HAProxy looks it up when it starts, and does not start without; an address always "
              "works");
    return CC_EREFUSED;
}

/* Unless it agreed to the same before. */
static int ask_haproxy(struct build *b, const char *directory)
{
    const struct output_options *o = b->options;
    int rc = CC_OK;

    if (o->now_ns != 0 && o->templates == NULL)
        rc = haproxy_checked_look(&b->checked, b->dir.path, o->haproxy, b->config, &b->files,
                                  o->now_ns, b->arena);
    if (rc != CC_OK || b->checked.before)
        return rc;
    return haproxy_check(o->haproxy, directory, &b->files, b->arena, b->diag);
}

static int check(struct build *b)
{
    const char *directory = output_dir_generation(&b->dir, b->next.haproxy_generation);
    int rc;

    if (b->options->no_validate)
        return CC_OK;
    if (directory == NULL)
        return CC_ENOMEM;
    rc = check_log_target(b);
    if (rc == CC_OK)
        rc = certificate_files_check(b->config, b->arena, b->diag);
    if (rc != CC_OK)
        return rc;
    return ask_haproxy(b, directory);
}

static int write_manifest(struct build *b)
{
    struct slice parts[GW_SNAPSHOT_PARTS];
    struct buf text;
    int rc;

    b->next.checked = !b->options->no_validate;
    b->next.files = arena_array(b->arena, b->files.n_files + 1, sizeof(*b->next.files));
    if (b->next.files == NULL)
        return CC_ENOMEM;
    gw_snapshot_slices(&b->snapshot, parts);
    rc = note_file(b, SLICE("gateway.json"), parts, GW_SNAPSHOT_PARTS);
    for (size_t i = 0; rc == CC_OK && i < b->files.n_files; i++) {
        const struct render_file *f = &b->files.files[i];
        struct slice what = f->symlink_to != NULL ? slice_of(f->symlink_to) : f->text;

        rc = note_file(b, f->name, &what, 1);
    }
    if (rc == CC_OK)
        rc = manifest_inputs(&b->next, b->options->inputs, b->options->config_path, b->arena);
    if (rc == CC_OK)
        rc = manifest_settings(&b->next, b->config, b->arena);
    if (rc != CC_OK)
        return rc;
    buf_init(&text, MANIFEST_MAX_BYTES);
    rc = manifest_write(&b->next, &text);
    if (rc == CC_OK)
        rc = output_dir_write(&b->dir, b->next.generation, SLICE("manifest.json"), buf_slice(&text),
                              has_secrets(b));
    buf_free(&text);
    return rc;
}

/* Writes, checks, completes and switches to the next generation; removes it when that fails. */
static int make_generation(struct build *b)
{
    int rc = write_generation(b);

    if (rc == CC_OK)
        rc = check(b);
    if (rc == CC_OK)
        rc = output_dir_sync(&b->dir, b->next.generation);
    if (rc == CC_OK)
        rc = write_manifest(b);
    if (rc == CC_OK)
        rc = output_dir_sync(&b->dir, b->next.generation);
    if (rc == CC_OK)
        rc = output_dir_switch(&b->dir, b->next.generation);
    if (rc != CC_OK)
        output_dir_discard(&b->dir, b->next.generation);
    else
        output_dir_prune(&b->dir, OUTPUT_KEEP, generation_uses);
    return rc;
}

static int keep_generation(struct build *b)
{
    int rc;

    b->model->generation = b->current.generation;
    b->next.generation = b->current.generation;
    /* HAProxy or what its files name may have become another since, or it was not asked then. */
    rc = check(b);
    return rc == CC_OK ? output_dir_switch(&b->dir, b->current.generation) : rc;
}

/* Without this a misspelt --templates would quietly mean the built-in ones. */
static int check_templates(const char *path, struct diag *diag)
{
    struct stat st;

    if (path == NULL || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return CC_OK;
    diag_error(diag, CC5005, PLACE_NONE, "there is no directory of templates '%s'", path);
    return CC_EINVAL;
}

int output_build(struct gw_model *model, const struct config *config,
                 const struct output_options *options, struct arena *arena, struct diag *diag,
                 struct output_result *result)
{
    struct build b = {
        .model = model, .config = config, .options = options, .arena = arena, .diag = diag};
    bool haproxy_changed = false;
    bool changed = false;
    int rc = check_templates(options->templates, diag);

    b.dir.lock = -1;
    gw_snapshot_text_init(&b.snapshot);
    if (rc == CC_OK)
        rc = output_dir_open(&b.dir, options->directory, arena, diag);
    if (rc == CC_OK)
        rc = output_dir_next(&b.dir, &b.next.generation);
    if (rc != CC_OK)
        goto out;
    if (output_dir_current(&b.dir) != 0)
        (void)generation_manifest(&b.dir, output_dir_current(&b.dir), &b.current);
    rc = gw_content_write(model, &b.snapshot);
    memcpy(b.next.model_hash, b.snapshot.hash, sizeof(b.next.model_hash));
    if (rc != CC_OK)
        rc = snapshot_fault(&b, rc);
    if (rc == CC_OK)
        rc = render(&b, &haproxy_changed);
    if (rc != CC_OK)
        goto out;
    changed = haproxy_changed || !generation_same_model(&b.dir, &b.current, b.next.model_hash);
    rc = changed ? make_generation(&b) : keep_generation(&b);
    if (rc == CC_OK)
        haproxy_checked_keep(&b.checked);
out:
    *result = (struct output_result){b.dir.path, b.next.generation, changed, haproxy_changed};
    output_dir_close(&b.dir);
    gw_snapshot_text_free(&b.snapshot);
    return rc;
}
