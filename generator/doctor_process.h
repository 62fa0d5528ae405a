/* doctor_process: running processes and what a user may do, as far as this user can see. Internal
 * to doctor. */
#pragma once

#include "base/base.h"

#include <sys/types.h>

enum { PROCESS_MAX = 64, PROCESS_MAX_GROUPS = 64 };

/* Who somebody is to the kernel. */
struct process_user {
    uid_t uid;
    gid_t groups[PROCESS_MAX_GROUPS];
    size_t n_groups;
};

struct process {
    pid_t pid, parent;
    bool master; /* the parent of another one of the same name */
    struct process_user user;
    struct slice root;   /* its root directory; absent: not ours to see */
    uint64_t open_files; /* soft limit; 0: not ours to see, UINT64_MAX: none */
};

/* The processes that are called `name`, at most PROCESS_MAX, in the arena. 0 when there are none.
 */
size_t process_find(const char *name, struct arena *arena, struct process **out);

/* A process that has the socket `inode` open, one called `preferred` when there is such (whoever
 * started it may have the socket open too); false when none is seen. `name` takes 32 bytes. */
bool process_of_socket(uint64_t inode, const char *preferred, pid_t *pid, char name[32]);

/* The inode of the TCP socket that listens on `port`; 0: none. */
uint64_t process_listener(unsigned port);

/* The user called `name` with all groups; false when there is none. */
bool process_user(const char *name, struct process_user *out);

enum { MAY_EXECUTE = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* May `user` do `what` (bits above) with the file, by its permission bits? */
bool process_may(const struct process_user *user, uid_t owner, gid_t group, mode_t mode,
                 unsigned what);

/* May `user` reach `path`, whose directories are all searched, and do `what` with it (0: only reach
 * its directory)? NULL: yes; else the first path where it ends, in the arena. */
const char *process_barrier(const struct process_user *user, const char *path, unsigned what,
                            struct arena *arena);
