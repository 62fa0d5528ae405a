#include "generator/cmd_cache.h"

#include <stdlib.h>

extern char **environ;

enum { KEY_MAX_BYTES = 64 << 20 };

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Settings, and what projects may name ($env{API_...}). */
static bool counts(const char *variable)
{
    return strncmp(variable, "CC_", 3) == 0 ||
           slice_eq_nocase(slice_first(slice_of(variable), 4), SLICE("api_"));
}

/* In an order of their own. */
static int add_environment(struct buf *key, struct arena *arena)
{
    const char **list;
    size_t all = 0, n = 0;

    while (environ[all] != NULL)
        all++;
    list = arena_array(arena, all, sizeof(*list));
    if (list == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < all; i++) {
        if (counts(environ[i]))
            list[n++] = environ[i];
    }
    if (n > 0)
        qsort(list, n, sizeof(*list), compare_texts);
    for (size_t i = 0; i < n; i++)
        buf_printf(key, "env %zu %s\n", strlen(list[i]), list[i]);
    return CC_OK;
}

/* Everything that units depend on beside their projects: cc.yaml by name and bytes, the environment,
 * --set. */
static int make_key(struct cmd_work *w, const struct cli_args *args, struct buf *key)
{
    const char *config = cli_value(args, "config"), *set;
    struct slice text = SLICE_NONE;
    size_t at = 0;
    int rc = CC_OK;

    if (config != NULL)
        rc = file_read(w->arena, config, KEY_MAX_BYTES, &text);
    if (rc != CC_OK)
        return rc;
    buf_printf(key, "config %zu %s %zu ", config != NULL ? strlen(config) : 0,
               config != NULL ? config : "", text.n);
    buf_add(key, text);
    while ((set = cli_next(args, "set", &at)) != NULL)
        buf_printf(key, "set %zu %s\n", strlen(set), set);
    rc = add_environment(key, w->arena);
    return rc == CC_OK ? buf_error(key) : rc;
}

int cmd_cache_open(struct cmd_work *w, const struct cli_args *args, const char *directory,
                   struct project_cache **out)
{
    struct slice path = arena_printf(w->arena, "%s/.cc-gen.cache", directory);
    struct buf key;
    int rc;

    *out = NULL;
    if (cli_has(args, "no-cache"))
        return CC_OK;
    buf_init(&key, KEY_MAX_BYTES);
    rc = path.p != NULL ? make_key(w, args, &key) : CC_ENOMEM;
    if (rc == CC_OK)
        rc = project_cache_open(out, path.p, buf_slice(&key),
                                clock_wall_s(&clock_system) * 1000000000, w->arena);
    buf_free(&key);
    if (rc == CC_OK && project_cache_fault(*out) != NULL)
        cli_say("%s is not used: %s", path.p, project_cache_fault(*out));
    /* what is wrong with cc.yaml is told by who loads it */
    return rc == CC_ENOMEM ? rc : CC_OK;
}

void cmd_cache_save(struct project_cache *cache)
{
    int rc = cache != NULL ? project_cache_save(cache) : CC_OK;

    if (rc != CC_OK)
        cli_say("the cache cannot be written, so that the next build takes as long as this one: %s",
                cc_strerror(rc));
}
