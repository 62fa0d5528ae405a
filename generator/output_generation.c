#include "generator/output_generation.h"

#include "crypto/crypto.h"
#include "gateway/snapshot.h"

#include <limits.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 256 << 20 };

static const char *path_in(const struct output_dir *dir, uint64_t n, struct slice name)
{
    return arena_printf(dir->arena, "%s/generations/%llu/%" PRIslice, dir->path,
                        (unsigned long long)n, SLICE_ARG(name))
        .p;
}

int generation_manifest(const struct output_dir *dir, uint64_t n, struct manifest *out)
{
    const char *path = path_in(dir, n, SLICE("manifest.json"));
    int rc;

    *out = (struct manifest){0};
    if (path == NULL)
        return CC_ENOMEM;
    rc = manifest_read_file(out, path, dir->arena);
    if (rc != CC_OK || out->generation != n) {
        *out = (struct manifest){0};
        return rc != CC_OK ? rc : CC_EPARSE;
    }
    return CC_OK;
}

uint64_t generation_uses(const struct output_dir *dir, uint64_t n)
{
    struct manifest m;

    return generation_manifest(dir, n, &m) == CC_OK ? m.haproxy_generation : 0;
}

int generation_render(const struct output_dir *dir, uint64_t n, struct gw_model *model,
                      const struct config *config, const char *templates, struct diag *diag,
                      struct render_output *out)
{
    const char *directory = output_dir_generation(dir, n);
    int rc;

    if (directory == NULL)
        return CC_ENOMEM;
    model->haproxy_generation = n;
    rc = render_haproxy(out, model, config, directory, templates, dir->arena, diag);
    return rc == CC_OK || rc == CC_ENOMEM ? rc : CC_EINVAL;
}

/* Names come from a file: none may lead out of the generation. */
static bool is_haproxy_file(struct slice name)
{
    struct slice rest = name, part;

    if (!slice_starts(name, SLICE("haproxy/")) || slice_find(name, '\0') >= 0)
        return false;
    while (slice_split(&rest, '/', &part)) {
        if (part.n == 0 || slice_is(part, ".") || slice_is(part, ".."))
            return false;
    }
    return true;
}

static size_t count_haproxy_files(const struct manifest *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_files; i++)
        n += slice_starts(m->files[i].name, SLICE("haproxy/"));
    return n;
}

bool generation_same_haproxy(const struct output_dir *dir, const struct manifest *m,
                             const struct render_output *files)
{
    return files->n_files == count_haproxy_files(m) &&
           output_dir_same(dir, m->haproxy_generation, files);
}

bool generation_same_model(const struct output_dir *dir, const struct manifest *m,
                           const char *model_hash)
{
    const char *fault = NULL;
    struct slice text;

    return m->generation != 0 && strcmp(m->model_hash, model_hash) == 0 &&
           generation_read_snapshot(dir, m, &text, &fault) == CC_OK && fault == NULL;
}

/* The text of a file, or where a link leads. */
static int read_entry(const struct output_dir *dir, const char *path, struct render_file *file)
{
    char to[PATH_MAX];
    ssize_t n = readlink(path, to, sizeof(to));

    if (n < 0 || (size_t)n == sizeof(to))
        return file_read(dir->arena, path, FILE_MAX_BYTES, &file->text);
    file->symlink_to = arena_dup(dir->arena, slice_make(to, (size_t)n)).p;
    return file->symlink_to != NULL ? CC_OK : CC_ENOMEM;
}

/* Notes the first fault. */
static int note(const struct output_dir *dir, const char **fault, struct slice name,
                const char *what)
{
    if (*fault == NULL)
        *fault = arena_printf(dir->arena, "%" PRIslice " %s", SLICE_ARG(name), what).p;
    return *fault != NULL ? CC_OK : CC_ENOMEM;
}

static bool has_sum(struct slice text, const char *sum)
{
    char actual[65];

    return crypto_sha256_hex(text, actual) == CC_OK && strcmp(actual, sum) == 0;
}

int generation_read_haproxy(const struct output_dir *dir, const struct manifest *m,
                            struct render_output *out, const char **fault)
{
    int rc = CC_OK;

    *out = (struct render_output){arena_array(dir->arena, m->n_files, sizeof(*out->files)), 0};
    if (out->files == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; rc == CC_OK && i < m->n_files; i++) {
        struct render_file *file = &out->files[out->n_files];
        struct slice name = m->files[i].name, text;
        const char *path = path_in(dir, m->haproxy_generation, name);
        int read;

        if (slice_is(name, "gateway.json"))
            continue;
        if (!is_haproxy_file(name)) {
            rc = note(dir, fault, name, "is no file of a generation");
            continue;
        }
        read = path != NULL ? read_entry(dir, path, file) : CC_ENOMEM;
        if (read != CC_OK) {
            rc = read == CC_ENOMEM ? read : note(dir, fault, name, cc_strerror(read));
            continue;
        }
        file->name = name;
        out->n_files++;
        text = file->symlink_to != NULL ? slice_of(file->symlink_to) : file->text;
        if (!has_sum(text, m->files[i].sha256))
            rc = note(dir, fault, name, "is not what was built: its SHA-256 differs");
    }
    return rc;
}

int generation_read_snapshot(const struct output_dir *dir, const struct manifest *m,
                             struct slice *out, const char **fault)
{
    const struct slice name = SLICE("gateway.json");
    const char *sum = manifest_sum(m, name.p), *path = path_in(dir, m->generation, name);
    int rc = path != NULL ? file_read(dir->arena, path, GW_SNAPSHOT_MAX_BYTES, out) : CC_ENOMEM;

    if (rc == CC_OK && sum != NULL && has_sum(*out, sum))
        return CC_OK;
    *out = SLICE_NONE;
    if (rc == CC_ENOMEM)
        return rc;
    if (rc != CC_OK)
        return note(dir, fault, name, cc_strerror(rc));
    return note(dir, fault, name,
                sum == NULL ? "is not in the manifest"
                            : "is not what was built: its SHA-256 differs");
}
