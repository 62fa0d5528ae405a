/* Hostile zips: what comes out is a finding, or files that count, each once, within the limits. */
#include "generator/project_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_source(const struct project_source *s)
{
    size_t total = 0;

    CC_ASSERT(s->is_zip && s->n_files <= PROJECT_FILES_MAX);
    for (size_t i = 0; i < s->n_files; i++) {
        const struct project_file *f = &s->files[i];

        CC_ASSERT(project_source_counts(f->path));
        CC_ASSERT(!slice_has_control(f->path));
        CC_ASSERT(slice_starts(slice_of(f->name), SLICE("fuzz.zip:")));
        CC_ASSERT(i == 0 || slice_cmp(s->files[i - 1].path, f->path) < 0);
        CC_ASSERT(project_source_find(s, f->path.p) == f);
        CC_ASSERT(f->bytes.p != NULL && f->bytes.n <= PROJECT_FILE_MAX_BYTES);
        total += f->bytes.n;
    }
    CC_ASSERT(total <= PROJECT_UNPACKED_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(512 << 20);
    struct diag *diag = diag_new();
    struct project_source *source = NULL;
    int rc = CC_ENOMEM;

    if (arena != NULL && diag != NULL)
        rc = project_source_from_zip(&source, slice_make(data, size), "fuzz.zip", arena, diag);
    if (rc == CC_OK)
        check_source(source);
    else if (rc == CC_EINVAL)
        CC_ASSERT(diag_errors(diag) > 0);
    diag_free(&diag);
    arena_free(&arena);
    return 0;
}
