/* Files: read whole with a limit, written so that a crash leaves the old or the new, never half.
 * These calls block; they belong to start-up, reload and the generator, never to a worker. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"

#include <limits.h>

/* The whole regular file `path`, in the arena. CC_ETOOBIG above max_bytes; CC_ENOENT,
 * CC_EACCESS, CC_EIO, CC_EINVAL (not a regular file). */
int file_read(struct arena *a, const char *path, size_t max_bytes, struct slice *out);

/* The same of its first and last n bytes, for files of which little is wanted. A file of no more
 * than 2 n bytes is whole in *head, and *tail is empty. */
int file_read_ends(struct arena *a, const char *path, size_t max_bytes, size_t n,
                   struct slice *head, struct slice *tail);

/* Writes data to `path` through a temporary file in the same directory, fsync and rename; the
 * directory is synced too. mode as in open(2), not masked by umask. */
int file_write_atomic(const char *path, struct slice data, unsigned mode);

/* The same in pieces: begin, add as often as you like, end. Until the end, `path` is as it was. */
struct file_replacement {
    char temporary[PATH_MAX];
    const char *path; /* the caller's */
    int fd;
};

int file_replace_begin(struct file_replacement *r, const char *path);
int file_replace_add(struct file_replacement *r, struct slice data);

/* Makes it the new content when `rc`, what came of the pieces, is CC_OK; else throws it away.
 * Returns what came of all. */
int file_replace_end(struct file_replacement *r, int rc, unsigned mode);

/* May what is in `path`, in `directory`, be believed? CC_EREFUSED when others than root and this
 * user own or may write one of the two, or it is no regular file. Once the directory is ours alone,
 * nobody can exchange the file between this look and the next. */
int file_check_ours(const char *directory, const char *path);

/* Creates `path` and its missing parents (as mkdir -p), with `mode` whatever the umask is. CC_OK
 * also when it exists. */
int file_mkdirs(const char *path, unsigned mode);

/* Removes a file or a directory with all below it, never following symbolic links. */
int file_remove_tree(const char *path);

/* Makes what was renamed or created in directory `path` durable. */
int file_sync_dir(const char *path);
