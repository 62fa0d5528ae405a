/* project_cache: the units of an earlier build, for projects that did not change since.
 *
 * One file, beside what the build makes. It is believed only when it is a regular file that this
 * user owns and nobody else may write, of this very cc-gen with these very settings, and undamaged
 * (SHA-256 over all of it); else it is as if there were none. A project is taken from it
 *
 *   at once    when device, inode, size, mtime and ctime of each of its files and folders are what
 *              they were. Of the five, ctime is the one that counts: every write, rename, chmod and
 *              utimes(2) sets it, and nobody can set it back. What changed less than two seconds
 *              before it was looked at could change again within one tick of a coarse clock; its
 *              times are not kept, so that the next build looks at its bytes.
 *   by bytes   when the times differ, but the names of all files and the SHA-256 of those that
 *              were read do not: after `git checkout`, `touch`, `cp -a`.
 *
 * Projects with errors are not kept. All calls block on the disk. */
#pragma once

#include "generator/project_source.h"

struct project_cache;

/* Opens the cache at `path`, which need not exist. `key` is everything but the program that units depend
 * on, `now_ns` the wall clock, by which the age of files is told. It all lives in the arena,
 * *out too. CC_ENOMEM. */
int project_cache_open(struct project_cache **out, const char *path, struct slice key,
                       int64_t now_ns, struct arena *arena);

/* Why the file that is there is not used, for people; NULL: it is, or there is none, or it is of
 * another cc-gen or other settings, which is nothing to talk about. */
const char *project_cache_fault(const struct project_cache *c);

/* The unit of the project at `path`, when nothing of it changed. `scratch` is for what it takes to
 * find out. */
bool project_cache_find(struct project_cache *c, const char *path, struct arena *scratch,
                        struct slice *unit);

/* Keeps a unit that was just made; both must live as long as the cache. `source` may be NULL:
 * nothing is kept then. CC_ENOMEM. */
int project_cache_put(struct project_cache *c, const char *path,
                      const struct project_source *source, struct slice unit);

/* Drops everything, found or put: a unit was none. `c` may be NULL. */
void project_cache_forget(struct project_cache *c);

/* How many projects were taken from it. */
size_t project_cache_hits(const struct project_cache *c);

/* Writes what was found and put since it was opened, in place of the file, if that makes a
 * difference. */
int project_cache_save(struct project_cache *c);
