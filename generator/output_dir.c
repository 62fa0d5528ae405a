#include "generator/output_dir.h"

#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME ".cc-gen.lock"

enum { DIR_MODE = 0755, FILE_MODE = 0644, SECRET_MODE = 0640 };
enum { MAX_GENERATIONS = 4096, FILE_MAX_BYTES = 256 << 20 };

/* A path below the output directory, in the arena; NULL when memory is short. */
static const char *below(const struct output_dir *d, const char *name)
{
    return arena_printf(d->arena, "%s/%s", d->path, name).p;
}

static int fault(const struct output_dir *d, int rc, const char *what, const char *path, int errnum)
{
    diag_error(d->diag, CC5003, PLACE_NONE, "%s %s: %s", path, what, strerror(errnum));
    return rc;
}

/* Is there nothing in it? -1 when it cannot be read. */
static int is_empty(const char *path)
{
    DIR *dir = opendir(path);
    int empty = 1;

    if (dir == NULL)
        return -1;
    for (const struct dirent *e; empty && (e = readdir(dir)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

static int check_ours(const struct output_dir *d)
{
    const char *lock = below(d, LOCK_NAME);
    struct stat st;
    int empty;

    if (lock == NULL)
        return CC_ENOMEM;
    if (lstat(lock, &st) == 0 && S_ISREG(st.st_mode))
        return CC_OK;
    empty = is_empty(d->path);
    if (empty == 1)
        return CC_OK;
    if (empty < 0)
        return fault(d, CC_EACCESS, "cannot be read", d->path, errno);
    diag_help(diag_error(d->diag, CC5003, PLACE_NONE, "%s is not empty and was not made by cc-gen",
                         d->path),
              "give a new or empty directory with -o");
    return CC_EACCESS;
}

static int take_lock(struct output_dir *d)
{
    const char *path = below(d, LOCK_NAME);

    if (path == NULL)
        return CC_ENOMEM;
    d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, SECRET_MODE);
    if (d->lock < 0)
        return fault(d, CC_EACCESS, "cannot be opened", path, errno);
    if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
        return CC_OK;
    if (errno != EWOULDBLOCK)
        return fault(d, CC_EACCESS, "cannot be locked", path, errno);
    diag_help(diag_error(d->diag, CC5003, PLACE_NONE, "%s is locked by another cc-gen", d->path),
              "wait until it has ended, or give another directory with -o");
    return CC_EACCESS;
}

/* Why the directory cannot be made. */
static void refuse_directory(const char *directory, int rc, struct diag *diag)
{
    struct stat st;

    if (stat(directory, &st) == 0 && !S_ISDIR(st.st_mode))
        diag_help(diag_error(diag, CC5003, PLACE_NONE, "%s is a file, not a directory", directory),
                  "give a new or empty directory with -o");
    else
        diag_error(diag, CC5003, PLACE_NONE, "%s cannot be created: %s", directory,
                   cc_strerror(rc));
}

int output_dir_open(struct output_dir *d, const char *directory, struct arena *arena,
                    struct diag *diag)
{
    char real[PATH_MAX];
    struct stat st;
    const char *generations;
    int rc;

    *d = (struct output_dir){.path = directory, .lock = -1, .arena = arena, .diag = diag};
    /* it is written into HAProxy's configuration; said before anything is made */
    if (directory[0] == '\0' || slice_has_control(slice_of(directory)) ||
        utf8_valid_prefix(slice_of(directory)) != strlen(directory)) {
        diag_error(diag, CC5003, PLACE_NONE, "the name of the output directory %s",
                   directory[0] == '\0' ? "is empty" : "has a control character or is not UTF-8");
        return CC_EACCESS;
    }
    d->created = lstat(directory, &st) != 0 && errno == ENOENT;
    rc = file_mkdirs(directory, DIR_MODE);
    if (rc != CC_OK) {
        refuse_directory(directory, rc, diag);
        return CC_EACCESS;
    }
    if (realpath(directory, real) == NULL)
        return fault(d, CC_EACCESS, "cannot be resolved", directory, errno);
    d->path = arena_dup(arena, slice_of(real)).p;
    if (d->path == NULL)
        return CC_ENOMEM;
    rc = check_ours(d);
    if (rc == CC_OK)
        rc = take_lock(d);
    if (rc != CC_OK)
        return rc;
    generations = below(d, "generations");
    if (generations == NULL)
        return CC_ENOMEM;
    if (mkdir(generations, DIR_MODE) == 0)
        return chmod(generations, DIR_MODE) == 0
                   ? CC_OK
                   : fault(d, CC_EACCESS, "cannot be created", generations, errno);
    return errno == EEXIST ? CC_OK : fault(d, CC_EACCESS, "cannot be created", generations, errno);
}

int output_dir_look(struct output_dir *d, const char *directory, struct arena *arena,
                    struct diag *diag)
{
    char real[PATH_MAX];

    *d = (struct output_dir){.path = directory, .lock = -1, .arena = arena, .diag = diag};
    if (realpath(directory, real) == NULL)
        return errno == ENOENT ? CC_ENOENT
                               : fault(d, CC_EACCESS, "cannot be resolved", directory, errno);
    d->path = arena_dup(arena, slice_of(real)).p;
    if (d->path == NULL)
        return CC_ENOMEM;
    return is_empty(d->path) == 1 ? CC_ENOENT : check_ours(d);
}

/* A build that was refused leaves nothing behind: an empty directory would look like a result. What
 * another cc-gen put there in the meantime keeps it. */
static void remove_created(const struct output_dir *d)
{
    const char *generations = below(d, "generations"), *lock = below(d, LOCK_NAME);

    if (generations == NULL || lock == NULL || (rmdir(generations) != 0 && errno != ENOENT))
        return;
    unlink(lock);
    rmdir(d->path);
}

void output_dir_close(struct output_dir *d)
{
    if (d->created && d->lock >= 0 && output_dir_current(d) == 0)
        remove_created(d);
    if (d->lock >= 0)
        close(d->lock);
    d->lock = -1;
}

const char *output_dir_generation(const struct output_dir *d, uint64_t n)
{
    return arena_printf(d->arena, "%s/generations/%llu", d->path, (unsigned long long)n).p;
}

uint64_t output_dir_current(const struct output_dir *d)
{
    const char *link = below(d, "current");
    struct slice prefix = SLICE("generations/");
    char room[64];
    ssize_t n = link != NULL ? readlink(link, room, sizeof(room)) : -1;
    struct slice to = slice_make(room, n > 0 ? (size_t)n : 0);
    uint64_t generation;

    if (!slice_starts(to, prefix) || slice_to_u64(slice_from(to, prefix.n), &generation) != CC_OK)
        return 0;
    return generation;
}

int output_dir_list(const struct output_dir *d, uint64_t **out, size_t *n)
{
    const char *path = below(d, "generations");
    uint64_t *list = arena_array(d->arena, MAX_GENERATIONS, sizeof(*list));
    DIR *dir;

    *n = 0;
    *out = list;
    if (path == NULL || list == NULL)
        return CC_ENOMEM;
    dir = opendir(path);
    if (dir == NULL)
        return fault(d, CC_EACCESS, "cannot be read", path, errno);
    for (const struct dirent *e; *n < MAX_GENERATIONS && (e = readdir(dir)) != NULL;) {
        uint64_t number;
        size_t at = (*n);

        /* The upper bound leaves room for ever more generations: no wrap. */
        if (slice_to_u64(slice_of(e->d_name), &number) != CC_OK || number > INT64_MAX - 1)
            continue;
        for (; at > 0 && list[at - 1] < number; at--)
            list[at] = list[at - 1];
        list[at] = number;
        (*n)++;
    }
    closedir(dir);
    return CC_OK;
}

int output_dir_next(const struct output_dir *d, uint64_t *out)
{
    uint64_t current = output_dir_current(d);
    uint64_t *list;
    size_t n;
    int rc = output_dir_list(d, &list, &n);

    if (rc != CC_OK)
        return rc;
    *out = (n > 0 && list[0] > current ? list[0] : current) + 1;
    return CC_OK;
}

static bool same_link(const char *path, const char *to)
{
    char room[PATH_MAX];
    ssize_t n = readlink(path, room, sizeof(room));

    return n >= 0 && slice_is(slice_make(room, (size_t)n), to);
}

bool output_dir_same(const struct output_dir *d, uint64_t n, const struct render_output *files)
{
    const char *directory = output_dir_generation(d, n);

    for (size_t i = 0; directory != NULL && i < files->n_files; i++) {
        const struct render_file *file = &files->files[i];
        const char *path =
            arena_printf(d->arena, "%s/%" PRIslice, directory, SLICE_ARG(file->name)).p;
        struct slice text;

        if (path == NULL)
            return false;
        if (file->symlink_to != NULL) {
            if (!same_link(path, file->symlink_to))
                return false;
        } else if (file_read(d->arena, path, FILE_MAX_BYTES, &text) != CC_OK ||
                   !slice_eq(text, file->text)) {
            return false;
        }
    }
    return directory != NULL;
}

/* The path of `name` below generation n, with its parents created. */
static int prepare(const struct output_dir *d, uint64_t n, struct slice name, const char **path)
{
    const char *directory = output_dir_generation(d, n);
    struct slice rest = name, part, full;
    char *end;
    int rc;

    while (slice_split(&rest, '/', &part))
        CC_ASSERT(part.n > 0 && !slice_is(part, ".") && !slice_is(part, ".."));
    full = arena_printf(d->arena, "%s/%" PRIslice, directory != NULL ? directory : "",
                        SLICE_ARG(name));
    if (directory == NULL || full.p == NULL)
        return CC_ENOMEM;
    *path = full.p;
    end = strrchr(full.p, '/');
    *end = '\0';
    rc = file_mkdirs(full.p, DIR_MODE);
    if (rc != CC_OK)
        diag_error(d->diag, CC5003, PLACE_NONE, "%s cannot be created: %s", full.p,
                   cc_strerror(rc));
    *end = '/';
    return rc == CC_OK ? CC_OK : CC_EIO;
}

static int write_all(int fd, const struct slice *parts, size_t n_parts)
{
    for (size_t i = 0; i < n_parts; i++) {
        struct slice text = parts[i];

        while (text.n > 0) {
            ssize_t n = write(fd, text.p, text.n);

            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return -1;
            text = slice_from(text, (size_t)n);
        }
    }
    return fsync(fd);
}

/* Whoever may use the directory by its group may read a secret, nobody else: so the agent's group
 * is that of the directory, whoever builds. */
static int close_to_others(const struct output_dir *d, int fd)
{
    struct stat file, directory;

    if (fchmod(fd, SECRET_MODE) != 0 || fstat(fd, &file) != 0 || stat(d->path, &directory) != 0)
        return -1;
    return file.st_gid == directory.st_gid ? 0 : fchown(fd, (uid_t)-1, directory.st_gid);
}

int output_dir_write(const struct output_dir *d, uint64_t n, struct slice name, struct slice text,
                     bool secret)
{
    return output_dir_write_parts(d, n, name, &text, 1, secret);
}

int output_dir_write_parts(const struct output_dir *d, uint64_t n, struct slice name,
                           const struct slice *parts, size_t n_parts, bool secret)
{
    const char *path = NULL;
    int rc = prepare(d, n, name, &path);
    int fd;

    if (rc != CC_OK)
        return rc;
    /* No temporary name: the generation is not current yet, so nobody reads it. */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return fault(d, CC_EIO, "cannot be created", path, errno);
    if (secret && close_to_others(d, fd) != 0)
        rc = fault(d, CC_EIO, "cannot be given to the group of the output directory", path, errno);
    else if ((!secret && fchmod(fd, FILE_MODE) != 0) || write_all(fd, parts, n_parts) != 0)
        rc = fault(d, CC_EIO, "cannot be written", path, errno);
    close(fd);
    return rc;
}

int output_dir_link(const struct output_dir *d, uint64_t n, struct slice name, const char *to)
{
    const char *path = NULL;
    int rc = prepare(d, n, name, &path);

    if (rc == CC_OK && symlink(to, path) != 0)
        rc = fault(d, CC_EIO, "cannot be created", path, errno);
    return rc;
}

/* Syncs a directory and those below it; links are not followed. */
static int sync_tree(const char *path, struct arena *arena, int depth)
{
    DIR *dir = depth > 0 ? opendir(path) : NULL;
    int rc = file_sync_dir(path);

    if (dir == NULL)
        return rc;
    for (const struct dirent *e; rc == CC_OK && (e = readdir(dir)) != NULL;) {
        const char *child;

        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        child = arena_printf(arena, "%s/%s", path, e->d_name).p;
        rc = child != NULL ? sync_tree(child, arena, depth - 1) : CC_ENOMEM;
    }
    closedir(dir);
    return rc;
}

int output_dir_sync(const struct output_dir *d, uint64_t n)
{
    const char *generation = output_dir_generation(d, n);
    const char *generations = below(d, "generations");
    int rc;

    if (generation == NULL || generations == NULL)
        return CC_ENOMEM;
    rc = sync_tree(generation, d->arena, 4);
    if (rc == CC_OK)
        rc = file_sync_dir(generations);
    if (rc != CC_OK)
        diag_error(d->diag, CC5003, PLACE_NONE, "%s cannot be synced: %s", generation,
                   cc_strerror(rc));
    return rc == CC_OK ? CC_OK : CC_EIO;
}

/* Puts a link in place with one rename, unless it is there already. */
static int place_link(const struct output_dir *d, const char *name, const char *to)
{
    const char *path = below(d, name);
    const char *temporary = arena_printf(d->arena, "%s/.%s.new", d->path, name).p;

    if (path == NULL || temporary == NULL)
        return CC_ENOMEM;
    if (same_link(path, to))
        return CC_OK;
    /* Left by a crash; the lock is ours, so nobody else is using it. */
    unlink(temporary);
    if (symlink(to, temporary) != 0 || rename(temporary, path) != 0) {
        int errnum = errno;

        unlink(temporary);
        return fault(d, CC_EIO, "cannot be switched", path, errnum);
    }
    return CC_OK;
}

int output_dir_switch(const struct output_dir *d, uint64_t n)
{
    static const char *const fixed[][2] = {
        {"haproxy", "current/haproxy"},
        {"gateway.json", "current/gateway.json"},
        {"manifest.json", "current/manifest.json"},
    };
    char to[64];
    int rc = CC_OK;

    /* `current` comes last: that rename alone decides which generation the directory shows. */
    for (size_t i = 0; rc == CC_OK && i < sizeof(fixed) / sizeof(fixed[0]); i++)
        rc = place_link(d, fixed[i][0], fixed[i][1]);
    snprintf(to, sizeof(to), "generations/%llu", (unsigned long long)n);
    if (rc == CC_OK)
        rc = place_link(d, "current", to);
    if (rc == CC_OK && file_sync_dir(d->path) != CC_OK)
        rc = fault(d, CC_EIO, "cannot be synced", d->path, EIO);
    return rc;
}

void output_dir_discard(const struct output_dir *d, uint64_t n)
{
    const char *path = output_dir_generation(d, n);

    if (path != NULL && n != output_dir_current(d))
        (void)file_remove_tree(path);
}

void output_dir_prune(const struct output_dir *d, size_t keep, output_dir_uses *uses)
{
    uint64_t current = output_dir_current(d);
    uint64_t *list, *needed;
    size_t n, n_needed = 0;

    if (output_dir_list(d, &list, &n) != CC_OK)
        return;
    needed = arena_array(d->arena, 2 * n + 1, sizeof(*needed));
    if (needed == NULL)
        return;
    for (size_t i = 0, kept = 0; i < n; i++) {
        uint64_t used = uses(d, list[i]);

        if (used == 0 || (kept >= keep && list[i] != current))
            continue;
        kept++;
        needed[n_needed++] = list[i];
        needed[n_needed++] = used;
    }
    for (size_t i = 0; i < n; i++) {
        bool needs = false;

        for (size_t k = 0; k < n_needed && !needs; k++)
            needs = needed[k] == list[i];
        if (!needs)
            output_dir_discard(d, list[i]);
    }
}
