#include "generator/doctor_process.h"

#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROC_MAX_BYTES = 16 << 10, TABLE_MAX_BYTES = 32 << 20, NAME_BYTES = 32 };

/* Files of /proc have no size: they are read until their end. Cut at the size of `room`. */
static struct slice read_proc(const char *path, char *room, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n = 0;

    if (f != NULL) {
        n = fread(room, 1, size, f);
        fclose(f);
    }
    return slice_make(room, n);
}

/* What follows `label` in a file of lines; absent when no line begins with it. */
static struct slice field(struct slice text, struct slice label)
{
    struct slice line;

    while (slice_split(&text, '\n', &line))
        if (slice_starts(line, label))
            return slice_trim(slice_from(line, label.n));
    return SLICE_NONE;
}

/* The next number of a list that blanks separate. */
static bool next_number(struct slice *rest, uint64_t *out)
{
    size_t n = 0;

    while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = slice_from(*rest, 1);
    while (n < rest->n && ascii_is_digit(rest->p[n]))
        n++;
    if (n == 0 || slice_to_u64(slice_first(*rest, n), out) != CC_OK)
        return false;
    *rest = slice_from(*rest, n);
    return true;
}

/* proc(5): "Uid:\treal effective saved filesystem". The effective one counts. */
static bool effective(struct slice ids, uint64_t *out)
{
    uint64_t real;

    return next_number(&ids, &real) && next_number(&ids, out);
}

/* proc(5): "PPid:\tparent". */
static void read_status(struct slice status, struct process *p)
{
    struct process_user *user = &p->user;
    struct slice parent = field(status, SLICE("PPid:"));
    struct slice uids = field(status, SLICE("Uid:")), gids = field(status, SLICE("Gid:"));
    struct slice groups = field(status, SLICE("Groups:"));
    uint64_t v = 0;

    if (next_number(&parent, &v))
        p->parent = (pid_t)v;
    if (effective(uids, &v))
        user->uid = (uid_t)v;
    if (effective(gids, &v))
        user->groups[user->n_groups++] = (gid_t)v;
    while (user->n_groups < PROCESS_MAX_GROUPS && next_number(&groups, &v))
        user->groups[user->n_groups++] = (gid_t)v;
}

static uint64_t read_open_files(const char *directory)
{
    char path[64], room[PROC_MAX_BYTES];
    struct slice limits;
    uint64_t v;

    snprintf(path, sizeof(path), "%s/limits", directory);
    limits = field(read_proc(path, room, sizeof(room)), SLICE("Max open files"));
    if (slice_starts(limits, SLICE("unlimited")))
        return UINT64_MAX;
    return next_number(&limits, &v) ? v : 0;
}

static struct slice read_root(const char *directory, struct arena *arena)
{
    char path[64], to[PATH_MAX];
    ssize_t n;

    snprintf(path, sizeof(path), "%s/root", directory);
    n = readlink(path, to, sizeof(to));
    return n > 0 ? arena_dup(arena, slice_make(to, (size_t)n)) : SLICE_NONE;
}

static bool is_called(const char *directory, const char *name)
{
    char path[64], room[64];
    struct slice comm;

    snprintf(path, sizeof(path), "%s/comm", directory);
    comm = read_proc(path, room, sizeof(room));
    while (comm.n > 0 && comm.p[comm.n - 1] == '\n')
        comm.n--;
    return slice_is(comm, name);
}

/* The next directory of a process: "/proc/123". */
static bool next_process(DIR *proc, char directory[32], pid_t *pid)
{
    for (const struct dirent *e; (e = readdir(proc)) != NULL;) {
        uint64_t number;

        if (slice_to_u64(slice_of(e->d_name), &number) != CC_OK || number > INT_MAX)
            continue;
        *pid = (pid_t)number;
        snprintf(directory, 32, "/proc/%d", *pid);
        return true;
    }
    return false;
}

size_t process_find(const char *name, struct arena *arena, struct process **out)
{
    DIR *proc = opendir("/proc");
    char directory[32], path[64], room[PROC_MAX_BYTES];
    size_t n = 0;
    pid_t pid;

    *out = arena_array(arena, PROCESS_MAX, sizeof(**out));
    if (proc == NULL)
        return 0;
    while (*out != NULL && n < PROCESS_MAX && next_process(proc, directory, &pid)) {
        struct process *p = &(*out)[n];

        if (!is_called(directory, name))
            continue;
        n++;
        p->pid = pid;
        snprintf(path, sizeof(path), "%s/status", directory);
        read_status(read_proc(path, room, sizeof(room)), p);
        p->root = read_root(directory, arena);
        p->open_files = read_open_files(directory);
    }
    closedir(proc);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            (*out)[i].master = (*out)[i].master || (*out)[k].parent == (*out)[i].pid;
    return n;
}

/* Does a descriptor of the process lead to `target` ("socket:[123]")? */
static bool has_open(const char *directory, struct slice target)
{
    char path[64], to[64];
    bool found = false;
    DIR *fds;

    snprintf(path, sizeof(path), "%s/fd", directory);
    fds = opendir(path);
    if (fds == NULL)
        return false;
    for (const struct dirent *e; !found && (e = readdir(fds)) != NULL;) {
        ssize_t n = readlinkat(dirfd(fds), e->d_name, to, sizeof(to));

        found = n > 0 && slice_eq(slice_make(to, (size_t)n), target);
    }
    closedir(fds);
    return found;
}

bool process_of_socket(uint64_t inode, const char *preferred, pid_t *pid, char name[NAME_BYTES])
{
    DIR *proc = opendir("/proc");
    char directory[32], path[64], target[40], room[NAME_BYTES - 1];
    bool found = false, best = false;
    pid_t one;

    if (proc == NULL)
        return false;
    snprintf(target, sizeof(target), "socket:[%llu]", (unsigned long long)inode);
    while (!best && next_process(proc, directory, &one)) {
        struct slice comm;

        if (!has_open(directory, slice_of(target)))
            continue;
        best = is_called(directory, preferred);
        if (found && !best)
            continue;
        found = true;
        *pid = one;
        snprintf(path, sizeof(path), "%s/comm", directory);
        comm = read_proc(path, room, sizeof(room));
        while (comm.n > 0 && comm.p[comm.n - 1] == '\n')
            comm.n--;
        memcpy(name, room, comm.n);
        name[comm.n] = '\0';
    }
    closedir(proc);
    return found;
}

/* A line of /proc/net/tcp: "  0: 00000000:2382 00000000:0000 0A ... uid timeout inode". State 0A is
 * TCP_LISTEN; the inode is the tenth field. */
static uint64_t listener_of(struct slice line, unsigned port)
{
    struct slice part, fields[10];
    uint64_t inode;
    char text[8];
    size_t n = 0;

    while (n < 10 && slice_split(&line, ' ', &part))
        if (part.n > 0)
            fields[n++] = part;
    snprintf(text, sizeof(text), ":%04X", port & 0xffff);
    if (n < 10 || !slice_ends(fields[1], slice_of(text)) || !slice_is(fields[3], "0A") ||
        slice_to_u64(fields[9], &inode) != CC_OK)
        return 0;
    return inode;
}

uint64_t process_listener(unsigned port)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    uint64_t inode = 0;

    for (size_t i = 0; inode == 0 && i < 2; i++) {
        FILE *f = fopen(tables[i], "re");
        char line[512];

        while (inode == 0 && f != NULL && fgets(line, sizeof(line), f) != NULL)
            inode = listener_of(slice_of(line), port);
        if (f != NULL)
            fclose(f);
    }
    return inode;
}

bool process_user(const char *name, struct process_user *out)
{
    char text[16384];
    struct passwd entry, *found = NULL;
    int n = PROCESS_MAX_GROUPS;

    *out = (struct process_user){0};
    if (getpwnam_r(name, &entry, text, sizeof(text), &found) != 0 || found == NULL)
        return false;
    out->uid = found->pw_uid;
    /* More groups than there is room for: the first ones are kept. */
    if (getgrouplist(name, found->pw_gid, out->groups, &n) < 0)
        n = PROCESS_MAX_GROUPS;
    out->n_groups = (size_t)n;
    return true;
}

bool process_may(const struct process_user *user, uid_t owner, gid_t group, mode_t mode,
                 unsigned what)
{
    unsigned bits = mode & 7u;

    if (user->uid == 0)
        return true;
    if (user->uid == owner)
        return ((mode >> 6) & what) == what;
    for (size_t i = 0; i < user->n_groups; i++)
        if (user->groups[i] == group)
            bits = (mode >> 3) & 7u;
    return (bits & what) == what;
}

const char *process_barrier(const struct process_user *user, const char *path, unsigned what,
                            struct arena *arena)
{
    char *part = arena_alloc(arena, strlen(path) + 1);
    struct stat st;

    if (part == NULL)
        return path;
    for (size_t i = 0; path[i] != '\0'; i++) {
        if (i > 0 && path[i] == '/') {
            if (stat(part, &st) != 0 ||
                !process_may(user, st.st_uid, st.st_gid, st.st_mode, MAY_EXECUTE))
                return part;
        }
        part[i] = path[i];
    }
    if (what != 0 &&
        (stat(path, &st) != 0 || !process_may(user, st.st_uid, st.st_gid, st.st_mode, what)))
        return path;
    return NULL;
}
