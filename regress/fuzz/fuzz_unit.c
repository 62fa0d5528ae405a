/* Units of cc-gen's cache: bytes that have the right sum, and may be anything all the same. */
#include "generator/project_unit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config config;
    char *copy = malloc(size > 0 ? size : 1); /* of this size: what is read behind its end is seen */
    struct gw_model model = {0};
    struct project_build build = {
        .config = &config, .arena = arena_new((size_t)256 << 20), .diag = diag_new()};

    CC_ASSERT(copy != NULL && build.arena != NULL && build.diag != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    build.clusters = project_clusters_new(&build);
    if (project_unit_link(&build, slice_make(copy, size), size % 2 == 0) == CC_OK) {
        model.apis = build.apis.items;
        model.n_apis = build.apis.n;
        project_clusters_finish(&build, &model);
        project_cors_finish(&build, &model);
    }
    diag_free(&build.diag);
    arena_free(&build.arena);
    free(copy);
    return 0;
}
