/* init: a new project's files -> a directory. */
#include "generator/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0755, FILE_MODE = 0644 };

static int refuse(const char *path, int error, struct arena *arena, struct diag *diag)
{
    struct source *source = arena_alloc(arena, sizeof(*source));

    if (source == NULL || error == CC_ENOMEM)
        return CC_ENOMEM;
    source->name = path;
    if (error == CC_EEXIST)
        diag_help(diag_error(diag, CC1310, place_file(source), "this exists already"),
                  "give another name, or --force to replace the files that init writes");
    else
        diag_error(diag, CC1310, place_file(source), "%s", cc_strerror(error));
    return error == CC_EEXIST ? CC_EINVAL : error;
}

/* 0777 and 0666 less the umask, whatever mkdtemp() and the writer of files do. */
static unsigned masked(unsigned mode)
{
    mode_t mask = umask(0);

    umask(mask);
    return mode & ~(unsigned)mask;
}

static int write_file(const char *directory, const struct init_file *file, struct arena *arena,
                      const char **failed)
{
    struct slice path = arena_printf(arena, "%s/%s", directory, file->path), above;
    const char *slash = strrchr(file->path, '/');
    int rc = CC_OK;

    if (path.p == NULL)
        return CC_ENOMEM;
    *failed = path.p;
    if (slash != NULL) {
        above = arena_printf(arena, "%s/%.*s", directory, (int)(slash - file->path), file->path);
        rc = above.p != NULL ? file_mkdirs(above.p, masked(DIRECTORY_MODE)) : CC_ENOMEM;
    }
    return rc == CC_OK ? file_write_atomic(path.p, file->text, masked(FILE_MODE)) : rc;
}

static int write_all(const char *directory, const struct init_files *files, struct arena *arena,
                     const char **failed)
{
    int rc = CC_OK;

    for (size_t i = 0; rc == CC_OK && i < files->n; i++)
        rc = write_file(directory, &files->list[i], arena, failed);
    for (size_t i = 0; rc == CC_OK && init_directories[i] != NULL; i++) {
        struct slice path = arena_printf(arena, "%s/%s", directory, init_directories[i]);

        *failed = path.p;
        rc = path.p != NULL ? file_mkdirs(path.p, masked(DIRECTORY_MODE)) : CC_ENOMEM;
    }
    return rc;
}

/* The directory that `path` is in. */
static struct slice parent_of(const char *path, struct arena *arena)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return SLICE(".");
    return slash == path ? SLICE("/") : arena_dup(arena, slice_make(path, (size_t)(slash - path)));
}

/* Whole or not at all: made under another name beside it, then renamed. rename(2) replaces an empty
 * directory and nothing else. */
static int write_new(const char *directory, const struct init_files *files, struct arena *arena,
                     const char **failed)
{
    struct slice parent = parent_of(directory, arena);
    struct slice temporary = arena_printf(arena, "%s.XXXXXX", directory);
    struct stat st;
    char *made;
    int rc;

    if (parent.p == NULL || temporary.p == NULL)
        return CC_ENOMEM;
    *failed = directory;
    if (lstat(directory, &st) == 0 && !S_ISDIR(st.st_mode))
        return CC_EEXIST;
    rc = file_mkdirs(parent.p, masked(DIRECTORY_MODE));
    if (rc != CC_OK)
        return rc;
    made = mkdtemp((char *)(uintptr_t)temporary.p);
    if (made == NULL)
        return cc_from_errno(errno);
    rc = write_all(made, files, arena, failed);
    if (rc == CC_OK && chmod(made, masked(DIRECTORY_MODE)) != 0)
        rc = cc_from_errno(errno);
    if (rc == CC_OK && rename(made, directory) != 0) {
        *failed = directory;
        rc = errno == ENOTEMPTY || errno == ENOTDIR ? CC_EEXIST : cc_from_errno(errno);
    }
    if (rc == CC_OK)
        return file_sync_dir(parent.p);
    file_remove_tree(made);
    return rc;
}

int init_write(const char *directory, const struct init_files *files, bool force,
               struct arena *arena, struct diag *diag)
{
    const char *failed = directory;
    struct stat st;
    int rc;

    if (force && lstat(directory, &st) == 0)
        rc = S_ISDIR(st.st_mode) ? write_all(directory, files, arena, &failed) : CC_EEXIST;
    else
        rc = write_new(directory, files, arena, &failed);
    return rc == CC_OK ? rc : refuse(failed, rc, arena, diag);
}
