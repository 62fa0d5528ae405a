/* bench_run COMMAND...: runs it, and prints what it took: wall time and processor time in
 * milliseconds, and the peak of resident memory in KiB, of it and all that it waited for. What the
 * command says goes to stderr. Ends as it does. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long milliseconds(struct timeval t)
{
    return t.tv_sec * 1000 + t.tv_usec / 1000;
}

int main(int argc, char **argv)
{
    long begun = now_ms();
    struct rusage used;
    int status = 0;
    pid_t child = argc > 1 ? fork() : -1;

    if (child < 0) {
        fputs("usage: bench_run COMMAND...\n", stderr);
        return EX_USAGE;
    }
    if (child == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (wait4(child, &status, 0, &used) != child)
        return EX_OSERR;
    printf("%ld %ld %ld\n", now_ms() - begun, milliseconds(used.ru_utime) + milliseconds(used.ru_stime),
           used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}
