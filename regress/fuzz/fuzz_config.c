/* Bytes as a cc.yaml, and their lines as the environment. Whatever they are: no crash, and either a
 * config whose values can all be printed or at least one finding. */
#include "config/config.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VARIABLES_MAX = 64 };

static void print_all(const struct config *c)
{
    size_t n;
    const struct config_setting *rows = config_settings(&n);
    struct buf b;

    buf_init(&b, 64 << 20);
    for (size_t i = 0; i < n; i++) {
        bool plain = strchr(rows[i].name, '[') == NULL;

        CC_ASSERT(config_value(c, rows[i].name, &b) == plain);
        CC_ASSERT(config_origin(c, rows[i].name, &b) == plain);
    }
    CC_ASSERT(config_value(c, "adapter.vhostMapping[0].vhost", &b));
    CC_ASSERT(buf_error(&b) == CC_OK);
    buf_free(&b);
}

/* The lines of the text as NUL-terminated strings. */
static void split_lines(struct arena *arena, struct slice text, char *out[VARIABLES_MAX + 1])
{
    struct slice line;
    size_t n = 0;

    while (n < VARIABLES_MAX && slice_split(&text, '\n', &line))
        out[n++] = (char *)(uintptr_t)arena_dup(arena, line).p;
    out[n] = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct arena *arena = arena_new(256 << 20);
    struct diag *diag = diag_new();
    struct config *config = NULL;
    char *variables[VARIABLES_MAX + 1];
    struct buf b;
    FILE *file;
    int rc;

    CC_ASSERT(arena != NULL && diag != NULL);
    buf_init_fixed(&b, path, sizeof(path));
    buf_printf(&b, "/tmp/fuzz_config_%ld.yaml", (long)getpid());
    file = fopen(path, "wb");
    CC_ASSERT(file != NULL);
    fwrite(data, 1, size, file);
    fclose(file);
    split_lines(arena, slice_make(data, size), variables);
    rc = config_load(&config, path, variables, NULL, 0, arena, diag);
    CC_ASSERT((rc == CC_OK) == (diag_errors(diag) == 0));
    if (rc == CC_OK)
        print_all(config);
    unlink(path);
    diag_free(&diag);
    arena_free(&arena);
    return 0;
}
