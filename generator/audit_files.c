/* audit: permissions of the files that decide who gets in. */
#include "generator/audit_internal.h"
#include "generator/issuer_file.h"

#include <sys/stat.h>

static struct place file_place(struct review *r, const char *path)
{
    struct source *source = review_alloc(r, 1, sizeof(*source));

    if (source == NULL)
        return PLACE_NONE;
    source->name = path;
    return place_file(source);
}

/* Is something there that group or others may write? A sticky directory lets nobody replace what is
 * another's. */
static bool is_writable(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || (S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0))
        return false;
    return (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static void check_writable(struct review *r, enum diag_code rule, const char *path)
{
    if (path != NULL && is_writable(path))
        diag_help(review_add(r, rule, file_place(r, path), "others than its owner may write this"),
                  "chmod go-w '%s'", path);
}

static void check_snapshot(struct review *r, const char *output)
{
    static const char *const below[] = {"", "/generations", "/current", "/current/gateway.json"};

    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        struct slice path = arena_printf(r->arena, "%s%s", output, below[i]);

        if (path.p == NULL)
            r->rc = CC_ENOMEM;
        check_writable(r, CC9019, path.p);
    }
}

static void check_key(struct review *r, struct slice key)
{
    struct slice path = arena_dup(r->arena, key);
    struct stat st;

    if (path.n == 0 || stat(path.p, &st) != 0)
        return;
    if ((st.st_mode & (S_IROTH | S_IWOTH)) != 0)
        diag_help(review_add(r, CC9023, file_place(r, path.p), "every user may read this key"),
                  "chmod o-rwx '%s', and replace the key when others have been here", path.p);
}

void audit_files(struct review *r, const char *config_path, const char *output)
{
    check_writable(r, CC9022, config_path);
    for (size_t i = 0; i < r->config->security.n_token_service; i++) {
        struct slice path;

        issuer_file(r->config, &r->config->security.token_service[i], r->arena, &path);
        if (path.n > 0)
            check_writable(r, CC9022, path.p);
    }
    check_key(r, r->config->router.keystore.key_path);
    check_key(r, r->config->router.upstream.keystore.key_path);
    check_key(r, r->config->agent.redis.keystore.key_path);
    if (output != NULL)
        check_snapshot(r, output);
}
