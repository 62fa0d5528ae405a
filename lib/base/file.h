/* Files: read whole with a limit, written so that a crash leaves the old or the new, never half.
 * These calls block; they belong to start-up, reload and the generator, never to a worker. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"

/* The whole regular file `path`, in the arena. CC_ETOOBIG above max_bytes; CC_ENOENT,
 * CC_EACCESS, CC_EIO, CC_EINVAL (not a regular file). */
int file_read(struct arena *a, const char *path, size_t max_bytes, struct slice *out);

/* Writes data to `path` through a temporary file in the same directory, fsync and rename; the
 * directory is synced too. mode as in open(2), not masked by umask. */
int file_write_atomic(const char *path, struct slice data, unsigned mode);

/* Creates `path` and its missing parents (as mkdir -p), with `mode` whatever the umask is. CC_OK also
 * when it exists. */
int file_mkdirs(const char *path, unsigned mode);

/* Removes a file or a directory with all below it, never following symbolic links. */
int file_remove_tree(const char *path);

/* Makes what was renamed or created in directory `path` durable. */
int file_sync_dir(const char *path);
