#include "generator/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The first "dir/name" of the colon-separated list that is an executable file. */
static const char *find_in(struct slice dirs, const char *name, struct arena *arena)
{
    struct slice dir;

    while (slice_split(&dirs, ':', &dir)) {
        struct slice path;

        if (dir.n == 0) /* POSIX: the working directory; never what is meant here */
            continue;
        path = arena_printf(arena, "%" PRIslice "/%s", SLICE_ARG(dir), name);
        if (path.p != NULL && is_executable(path.p))
            return path.p;
    }
    return NULL;
}

const char *program_find(const char *name, struct arena *arena)
{
    const char *found;

    if (strchr(name, '/') != NULL)
        return is_executable(name) ? name : NULL;
    found = find_in(slice_of(getenv("PATH")), name, arena);
    if (found == NULL)
        found = find_in(SLICE("/usr/local/sbin:/usr/sbin:/sbin"), name, arena);
    return found;
}

const char *program_beside(const char *name, struct arena *arena)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

    if (n <= 0 || (size_t)n == sizeof(self))
        return NULL;
    while (n > 0 && self[n - 1] != '/')
        n--;
    return find_in(slice_make(self, n > 1 ? (size_t)n - 1 : 1), name, arena);
}

/* Starts argv with stdin from /dev/null, stdout and stderr into `fd`. */
static int spawn_into(const char *const *argv, int fd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t defaults, none;
    int rc = CC_ENOMEM;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return rc;
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return rc;
    }
    /* cc-gen ignores these two and `run` blocks others; a child must not inherit that. */
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    if (posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, fd, 1) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, fd, 2) == 0 &&
        posix_spawnattr_setsigdefault(&attr, &defaults) == 0 &&
        posix_spawnattr_setsigmask(&attr, &none) == 0 &&
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) == 0)
        rc = posix_spawn(pid, argv[0], &actions, &attr, (char *const *)argv, environ) == 0
                 ? CC_OK
                 : CC_ECHILD;
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Reads until the other end closes. CC_EAGAIN when that takes longer than `deadline`. What does
 * not fit into `out` is read and dropped, so that the child never blocks on a full pipe. */
static int drain(int fd, int64_t deadline_us, struct buf *out)
{
    char chunk[4096];

    for (;;) {
        int64_t left_us = deadline_us - clock_mono_us(&clock_system);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        size_t room;
        ssize_t n;

        if (left_us <= 0)
            return CC_EAGAIN;
        if (poll(&p, 1, (int)(left_us / 1000) + 1) <= 0)
            continue;
        n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return CC_OK;
        room = out->max - out->n;
        buf_add(out, slice_make(chunk, (size_t)n < room ? (size_t)n : room));
    }
}

static void reap(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
}

int program_output(const char *const *argv, int timeout_ms, struct buf *out, int *status)
{
    int64_t deadline_us = clock_mono_us(&clock_system) + (int64_t)timeout_ms * 1000;
    int ends[2];
    pid_t pid;
    int rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return cc_from_errno(errno);
    rc = spawn_into(argv, ends[1], &pid);
    close(ends[1]);
    if (rc == CC_OK) {
        rc = drain(ends[0], deadline_us, out);
        if (rc != CC_OK)
            kill(pid, SIGKILL);
        reap(pid, status);
    }
    close(ends[0]);
    return rc;
}

const char *program_status_text(int status, char room[64])
{
    if (WIFSIGNALED(status))
        snprintf(room, 64, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(room, 64, "exit status %d", WEXITSTATUS(status));
    return room;
}
