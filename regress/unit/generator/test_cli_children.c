/* What `cc-gen run` stands on: programs that are found, heard, started and ended. */
#include "generator/program.h"
#include "generator/run_children.h"
#include "generator/run_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void programs_are_found(void **state)
{
    struct arena *arena = arena_new(1 << 20);

    (void)state;
    setenv("PATH", "/nonexistent::/bin", 1);
    assert_string_equal(program_find("sh", arena), "/bin/sh");
    assert_string_equal(program_find("/bin/sh", arena), "/bin/sh");
    assert_null(program_find("no-such-program", arena));
    assert_null(program_find("/etc/passwd", arena)); /* a file, but not a program */
    assert_null(program_find("/bin", arena));
    assert_non_null(program_beside("test_cli_children", arena));
    assert_null(program_beside("sh", arena));
    /* Not in an ordinary user's PATH on Debian, found all the same. */
    assert_string_equal(program_find("haproxy", arena), "/usr/sbin/haproxy");
    arena_free(&arena);
}

static int output_of(const char *script, size_t max, int timeout_ms, struct buf *out, int *status)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};

    buf_init(out, max);
    return program_output(argv, timeout_ms, out, status);
}

static void output_is_collected_and_bounded(void **state)
{
    struct buf out;
    int status = 0;
    char room[64];

    (void)state;
    assert_int_equal(output_of("echo a; echo b >&2; exit 3", 100, 5000, &out, &status), CC_OK);
    assert_string_equal(out.p, "a\nb\n");
    assert_string_equal(program_status_text(status, room), "exit status 3");
    buf_free(&out);
    /* More than a pipe holds: the rest is dropped, and the program still ends. */
    assert_int_equal(output_of("head -c 1000000 /dev/zero | tr '\\0' x", 10, 5000, &out, &status),
                     CC_OK);
    assert_string_equal(out.p, "xxxxxxxxxx");
    assert_int_equal(status, 0);
    buf_free(&out);
}

static void a_program_that_hangs_is_killed(void **state)
{
    int64_t begun = clock_mono_us(&clock_system);
    struct buf out;
    int status = 0;
    char room[64];

    (void)state;
    assert_int_equal(output_of("echo a; exec sleep 60", 100, 200, &out, &status), CC_EAGAIN);
    assert_true(clock_mono_us(&clock_system) - begun < 5000000);
    assert_string_equal(program_status_text(status, room), "signal 9 (Killed)");
    buf_free(&out);
}

static struct child sleeper(const char *script)
{
    static const char *argv[4] = {"/bin/sh", "-c", NULL, NULL};

    argv[2] = script;
    return (struct child){.name = "sleeper", .argv = argv};
}

/* Waits until the process has ended by itself or was reaped; its wait status. */
static int reap(pid_t pid)
{
    int status = 0;

    for (int i = 0; i < 500; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        usleep(10000);
    }
    kill(pid, SIGKILL);
    fail_msg("process %d lives on", (int)pid);
    return 0;
}

/* Reads "up" and a process id, in any order. */
static void read_both(int fd, pid_t *pid)
{
    char room[sizeof(*pid) + 3];
    size_t n = 0;

    while (n < sizeof(room)) {
        ssize_t got = read(fd, room + n, sizeof(room) - n);

        assert_true(got > 0);
        n += (size_t)got;
    }
    memcpy(pid, memcmp(room, "up\n", 3) == 0 ? room + 3 : room, sizeof(*pid));
}

static void children_die_with_a_killed_parent(void **state)
{
    int ends[2];
    pid_t supervisor, child = 0;

    (void)state;
    /* The orphan becomes ours, so that its end can be seen. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(ends), 0);
    supervisor = fork();
    if (supervisor == 0) {
        struct child c = sleeper("echo up >&9; exec sleep 60");

        dup2(ends[1], 9);
        if (child_start(&c) != CC_OK || write(ends[1], &c.pid, sizeof(c.pid)) != sizeof(c.pid))
            _exit(1);
        pause();
        _exit(1);
    }
    /* Either may write first; both have before the supervisor dies. */
    read_both(ends[0], &child);
    kill(supervisor, SIGKILL);
    assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
    assert_int_equal(WTERMSIG(reap(child)), SIGKILL);
    close(ends[0]);
    close(ends[1]);
}

static void a_child_that_ends_is_noticed(void **state)
{
    struct child children[2] = {sleeper("exec sleep 60"), sleeper("exec sleep 60")};
    sigset_t waited;
    char room[64];

    (void)state;
    children_block_signals(&waited);
    assert_int_equal(child_start(&children[0]), CC_OK);
    assert_int_equal(child_start(&children[1]), CC_OK);
    assert_null(children_ended(children, 2));
    kill(children[1].pid, SIGKILL);
    assert_int_equal(children_wait_signal(&waited, 5000), SIGCHLD);
    assert_ptr_equal(children_ended(children, 2), &children[1]);
    assert_string_equal(program_status_text(children[1].status, room), "signal 9 (Killed)");
    assert_int_equal(children[1].pid, 0);
    children_stop(children, 2, 5000);
    assert_int_equal(children[0].pid, 0);
    assert_int_equal(WTERMSIG(children[0].status), SIGTERM);
}

static void a_child_that_will_not_end_is_killed(void **state)
{
    struct child c = sleeper("trap '' TERM; echo ready >&2; while :; do sleep 1; done");
    sigset_t waited;

    (void)state;
    children_block_signals(&waited);
    assert_int_equal(child_start(&c), CC_OK);
    usleep(300000); /* until its trap is set */
    children_stop(&c, 1, 300);
    assert_int_equal(c.pid, 0);
    assert_int_equal(WTERMSIG(c.status), SIGKILL);
}

static void ports_are_probed(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    unsigned port;

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    port = ntohs(address.sin_port);
    assert_int_equal(probe_port("127.0.0.1", port), EADDRINUSE);
    assert_int_equal(probe_port("", port), EADDRINUSE);
    /* Nobody accepts: the time is bounded. */
    assert_int_equal(probe_http("127.0.0.1", port, "localhost", "/ready", 200), 0);
    close(fd);
    assert_int_equal(probe_port("127.0.0.1", port), 0);
    assert_int_equal(probe_http("127.0.0.1", port, "localhost", "/ready", 200), 0);
    assert_int_equal(probe_port("not an address", port), EADDRNOTAVAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_found),
        cmocka_unit_test(output_is_collected_and_bounded),
        cmocka_unit_test(a_program_that_hangs_is_killed),
        cmocka_unit_test(children_die_with_a_killed_parent),
        cmocka_unit_test(a_child_that_ends_is_noticed),
        cmocka_unit_test(a_child_that_will_not_end_is_killed),
        cmocka_unit_test(ports_are_probed),
    };

    return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
