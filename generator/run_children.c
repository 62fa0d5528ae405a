#include "generator/run_children.h"

#include "generator/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the new process: everything here is async-signal-safe or happens before other threads could
 * exist (cc-gen has one thread). Never returns. */
static _Noreturn void become(const struct child *c, pid_t parent)
{
    sigset_t none;
    int null;

    /* The kernel ends us when cc-gen dies, whatever it dies of. It may be dead already. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(126);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0)
        _exit(126);
    execv(c->argv[0], (char *const *)c->argv);
    cli_say("%s cannot be started: %s", c->argv[0], strerror(errno));
    _exit(127);
}

int child_start(struct child *c)
{
    pid_t parent = getpid();

    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0)
        become(c, parent);
    if (c->pid < 0) {
        c->pid = 0;
        cli_say("%s cannot be started: %s", c->name, strerror(errno));
        return CC_ECHILD;
    }
    return CC_OK;
}

struct child *children_ended(struct child *children, size_t n)
{
    struct child *first = NULL;

    for (size_t i = 0; i < n; i++) {
        struct child *c = &children[i];

        if (c->pid == 0 || waitpid(c->pid, &c->status, WNOHANG) != c->pid)
            continue;
        c->pid = 0;
        if (first == NULL)
            first = c;
    }
    return first;
}

static void stop(struct child *c, int grace_ms)
{
    int64_t deadline_us = clock_mono_us(&clock_system) + (int64_t)grace_ms * 1000;
    sigset_t waited;

    children_block_signals(&waited);
    kill(c->pid, SIGTERM);
    while (children_ended(c, 1) == NULL) {
        int64_t left_us = deadline_us - clock_mono_us(&clock_system);
        int sig = left_us > 0 ? children_wait_signal(&waited, (int)(left_us / 1000) + 1) : 0;

        if (sig == SIGCHLD || (sig == 0 && left_us > 0))
            continue;
        cli_say("%s does not end; killing it", c->name);
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
            continue;
        c->pid = 0;
        return;
    }
}

void children_stop(struct child *children, size_t n, int grace_ms)
{
    while (n-- > 0)
        if (children[n].pid != 0)
            stop(&children[n], grace_ms);
}

void children_block_signals(sigset_t *waited)
{
    static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    sigemptyset(waited);
    sigaddset(waited, SIGCHLD);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct sigaction old;

        /* A blocked signal is queued even when it is ignored, so ask first. */
        if (sigaction(endings[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaddset(waited, endings[i]);
    }
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, waited, NULL);
}

int children_wait_signal(const sigset_t *waited, int timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    int sig = sigtimedwait(waited, NULL, &timeout);

    return sig > 0 ? sig : 0;
}
