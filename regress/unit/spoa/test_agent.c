/* The program cc-spoa from outside: processes, sockets, signals, exit codes.
 *
 * CC_SPOA names the program; without it the one of the same build is taken. The agent runs with
 * --debug, because the leak checker cannot look into a process that is not dumpable. */
#include "regress/tools/spop_peer.h"
#include "regress/unit/enforce/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_MS = 10000, MAX_ARGS = 16 };

struct agent {
    struct fixture fixture;
    char program[PATH_MAX];
    char dir[64], socket[96], snapshot[96], log[96];
    pid_t pid;
};

static void find_program(char *out, size_t size)
{
    const char *named = getenv("CC_SPOA");
    char self[PATH_MAX] = "";

    if (named == NULL) {
        /* build/san/unit/spoa/test_agent -> build/san/bin/cc-spoa */
        assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
        for (int i = 0; i < 3; i++)
            *strrchr(self, '/') = '\0';
    }
    snprintf(out, size, "%.*s", PATH_MAX - 20, named != NULL ? named : self);
    if (named == NULL)
        strncat(out, "/bin/cc-spoa", size - strlen(out) - 1);
    if (access(out, X_OK) != 0)
        fail_msg("%s is not there: build the programs first, or set CC_SPOA", out);
}

static void write_snapshot(struct agent *a, uint64_t generation)
{
    struct buf text;

    a->fixture.model.generation = generation;
    buf_init(&text, 1 << 20);
    assert_int_equal(gw_snapshot_write(&a->fixture.model, &text), CC_OK);
    assert_int_equal(file_write_atomic(a->snapshot, buf_slice(&text), 0640), CC_OK);
    buf_free(&text);
}

static int setup(void **state)
{
    struct agent *a = calloc(1, sizeof *a);

    if (a == NULL)
        return -1;
    find_program(a->program, sizeof a->program);
    fixture_init(&a->fixture);
    snprintf(a->dir, sizeof a->dir, "/tmp/cc-agent-XXXXXX");
    if (mkdtemp(a->dir) == NULL)
        return -1;
    snprintf(a->socket, sizeof a->socket, "%s/a.sock", a->dir);
    snprintf(a->snapshot, sizeof a->snapshot, "%s/gateway.json", a->dir);
    snprintf(a->log, sizeof a->log, "%s/log", a->dir);
    write_snapshot(a, 7);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct agent *a = *state;

    if (a->pid > 0) { /* a test that failed left it behind */
        kill(a->pid, SIGKILL);
        waitpid(a->pid, NULL, 0);
    }
    fixture_free(&a->fixture);
    file_remove_tree(a->dir);
    free(a);
    return 0;
}

/* Starts the program; more arguments end with NULL. files: RLIMIT_NOFILE, 0 = leave. */
static pid_t spawn(struct agent *a, rlim_t files, const char *const *more)
{
    char socket[128];
    const char *argv[MAX_ARGS + 8] = {a->program,        "-d",    "-s",  a->snapshot, "--set",
                                      "agent.workers=2", "--set", socket};
    size_t n = 8;
    pid_t pid;

    snprintf(socket, sizeof socket, "agent.socket=%s", a->socket);
    while (*more != NULL && n < MAX_ARGS + 7)
        argv[n++] = *more++;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int log = open(a->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        struct rlimit limit = {files, files};

        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        if (files > 0)
            setrlimit(RLIMIT_NOFILE, &limit);
        execv(a->program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static int exit_status(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A line with these words in the log; waits for it. */
static void expect_log(struct agent *a, const char *words)
{
    struct arena *arena = arena_new(1 << 20);

    for (int waited = 0;; waited += 10) {
        struct slice text;

        arena_reset(arena);
        if (file_read(arena, a->log, 1 << 19, &text) == CC_OK &&
            slice_contains(text, slice_of(words)))
            break;
        if (waited > WAIT_MS)
            fail_msg("not in the log: %s", words);
        usleep(10000);
    }
    arena_free(&arena);
}

static void start_with(struct agent *a, rlim_t files, const char *const *more)
{
    a->pid = spawn(a, files, more);
    expect_log(a, "listening on");
}

static void start(struct agent *a)
{
    start_with(a, 0, (const char *const[]){NULL});
}

/* It must end well, which includes that it leaks nothing. */
static void expect_end(struct agent *a)
{
    pid_t pid = a->pid;

    a->pid = 0;
    assert_int_equal(exit_status(pid), EX_OK);
}

/* Stops it as an operator would. */
static void stop(struct agent *a)
{
    kill(a->pid, SIGTERM);
    expect_end(a);
}

/* A connection to it */

struct talk {
    int fd;
    uint8_t in[1 << 16];
    size_t n, taken;
};

static int try_connect(const struct agent *a)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(sun.sun_path, a->socket, strlen(a->socket) + 1);
    if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0)
        return fd;
    close(fd);
    return -1;
}

static void send_all(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

/* The next frame's body; empty when the agent closed. */
static struct slice receive(struct talk *t)
{
    size_t n;

    memmove(t->in, t->in + t->taken, t->n - t->taken);
    t->n -= t->taken;
    t->taken = 0;
    while ((n = peer_frame_bytes(slice_make(t->in, t->n))) == 0) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        ssize_t got;

        assert_int_equal(poll(&p, 1, WAIT_MS), 1);
        got = recv(t->fd, t->in + t->n, sizeof t->in - t->n, 0);
        if (got <= 0)
            return SLICE_NONE;
        t->n += (size_t)got;
    }
    t->taken = n;
    return slice_make(t->in + SPOP_LENGTH_SIZE, n - SPOP_LENGTH_SIZE);
}

static void say_hello(struct talk *t, int fd)
{
    struct peer_hello h = peer_hello_usual();
    uint8_t room[512];
    struct spop_frame f;

    assert_true(fd >= 0);
    *t = (struct talk){.fd = fd};
    send_all(fd, room, peer_write_hello(room, sizeof room, &h));
    assert_int_equal(spop_read_frame(receive(t), &f), SPOP_NORMAL);
    assert_int_equal(f.type, SPOP_AGENT_HELLO);
}

static size_t make_notify(uint8_t *room, size_t size, uint64_t stream)
{
    struct spop_writer w;

    peer_begin_notify(&w, room, size, stream, 1, "cc-request", 3);
    peer_put_text(&w, "method", SLICE("GET"));
    peer_put_text(&w, "path", SLICE("/pets/1.0/open"));
    peer_put_text(&w, "host", SLICE("example.com"));
    return spop_end(&w, SPOP_MAX_FRAME_SIZE);
}

static void expect_allow(struct slice body, uint64_t stream)
{
    struct spop_frame f;
    struct spop_value v;

    assert_int_equal(spop_read_frame(body, &f), SPOP_NORMAL);
    assert_int_equal(f.stream_id, stream);
    assert_true(peer_ack_value(body, "verdict", &v));
    assert_true(slice_is(v.bytes, "allow"));
}

/* Asks once, expects an allow, returns the generation that decided. */
static int64_t ask(struct talk *t)
{
    uint8_t room[256];
    struct spop_value v;
    struct slice body;

    send_all(t->fd, room, make_notify(room, sizeof room, 5));
    body = receive(t);
    expect_allow(body, 5);
    assert_true(peer_ack_value(body, "gen", &v));
    return v.integer;
}

static void expect_goodbye(struct talk *t)
{
    assert_int_equal(peer_disconnect_status(receive(t)), SPOP_NORMAL);
    assert_int_equal(receive(t).n, 0);
    close(t->fd);
}

/* The tests */

static void it_decides_and_drains(void **state)
{
    struct agent *a = *state;
    struct talk t, idle;
    struct stat st;

    start(a);
    assert_int_equal(stat(a->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    say_hello(&t, try_connect(a));
    say_hello(&idle, try_connect(a));
    assert_int_equal(ask(&t), 7);
    kill(a->pid, SIGTERM);
    expect_goodbye(&t);
    expect_goodbye(&idle);
    expect_end(a);
    assert_int_equal(stat(a->socket, &st), -1);
    expect_log(a, "ended, all drained");
}

static void it_answers_everything_that_is_pipelined(void **state)
{
    enum { TALKS = 3, REQUESTS = 2000, BATCH = 20 };
    struct agent *a = *state;
    static struct talk t[TALKS];
    static uint8_t room[BATCH * 128];

    start(a);
    for (int i = 0; i < TALKS; i++)
        say_hello(&t[i], try_connect(a));
    for (uint64_t r = 0; r < REQUESTS; r += BATCH) {
        for (int i = 0; i < TALKS; i++) {
            size_t n = 0;

            for (uint64_t k = 0; k < BATCH; k++)
                n += make_notify(room + n, sizeof room - n, r + k);
            send_all(t[i].fd, room, n);
        }
        for (int i = 0; i < TALKS; i++) {
            for (uint64_t k = 0; k < BATCH; k++)
                expect_allow(receive(&t[i]), r + k);
        }
    }
    kill(a->pid, SIGUSR1);
    expect_log(a, " allowed=");
    for (int i = 0; i < TALKS; i++)
        close(t[i].fd);
    stop(a);
}

/* A peer that sends and does not read: the agent stops reading instead of growing, serves others,
 * and loses nothing. */
static void a_peer_that_does_not_read_is_not_read_from(void **state)
{
    struct agent *a = *state;
    static struct talk t, other;
    uint8_t room[256];
    uint64_t sent = 0;
    size_t n, part = 0;

    start(a);
    say_hello(&t, try_connect(a));
    say_hello(&other, try_connect(a));
    for (;;) {
        ssize_t done;

        n = make_notify(room, sizeof room, sent);
        done = send(t.fd, room + part, n - part, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0) {
            struct pollfd p = {.fd = t.fd, .events = POLLOUT};

            assert_int_equal(errno, EAGAIN);
            if (poll(&p, 1, 300) == 0)
                break; /* full for good: the agent has stopped reading */
            continue;
        }
        part += (size_t)done;
        if (part == n) {
            sent++;
            part = 0;
        }
        assert_true(sent < 1000000);
    }
    assert_int_equal(ask(&other), 7);
    for (uint64_t i = 0; i < sent; i++)
        expect_allow(receive(&t), i);
    close(t.fd);
    close(other.fd);
    stop(a);
}

static void hangup_exchanges_the_snapshot(void **state)
{
    struct agent *a = *state;
    struct talk t;

    start(a);
    say_hello(&t, try_connect(a));
    assert_int_equal(ask(&t), 7);
    write_snapshot(a, 8);
    kill(a->pid, SIGHUP);
    expect_log(a, "reloaded: generation 7 -> 8, 3 APIs");
    for (int waited = 0; ask(&t) != 8; waited++) {
        assert_true(waited < WAIT_MS / 10);
        usleep(10000);
    }

    assert_int_equal(file_write_atomic(a->snapshot, SLICE("{\"schema\":1,"), 0640), CC_OK);
    kill(a->pid, SIGHUP);
    expect_log(a, "refused");
    expect_log(a, "CC6001");
    assert_int_equal(ask(&t), 8);

    write_snapshot(a, 9);
    for (int i = 0; i < 20; i++) /* while one load is under way, too */
        kill(a->pid, SIGHUP);
    expect_log(a, "reloaded: generation 8 -> 9");
    assert_int_equal(unlink(a->snapshot), 0);
    kill(a->pid, SIGHUP);
    assert_true(ask(&t) >= 8);
    close(t.fd);
    stop(a);
}

static void draining_answers_what_is_half_received(void **state)
{
    struct agent *a = *state;
    struct talk t;
    uint8_t room[256];
    size_t n = make_notify(room, sizeof room, 77);

    start(a);
    say_hello(&t, try_connect(a));
    send_all(t.fd, room, n / 2);
    usleep(50000);
    kill(a->pid, SIGTERM);
    expect_log(a, "draining 1 connections");
    assert_int_equal(try_connect(a), -1);
    send_all(t.fd, room + n / 2, n - n / 2);
    expect_allow(receive(&t), 77);
    expect_goodbye(&t);
    expect_end(a);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    struct agent *a = *state;
    struct talk t;
    uint8_t room[256];
    int64_t start_us;

    start_with(a, 0, (const char *const[]){"--set", "agent.drainTimeoutInSeconds=60", NULL});
    say_hello(&t, try_connect(a));
    send_all(t.fd, room, make_notify(room, sizeof room, 1) - 1);
    usleep(50000);
    kill(a->pid, SIGTERM);
    expect_log(a, "draining");
    start_us = clock_mono_us(&clock_system);
    stop(a);
    assert_true(clock_mono_us(&clock_system) - start_us < 5000000);
    expect_log(a, "second signal");
    close(t.fd);
}

static void draining_ends_after_its_time(void **state)
{
    struct agent *a = *state;
    struct talk t;
    uint8_t room[256];

    start_with(a, 0, (const char *const[]){"--set", "agent.drainTimeoutInSeconds=1", NULL});
    say_hello(&t, try_connect(a));
    send_all(t.fd, room, make_notify(room, sizeof room, 1) - 1);
    usleep(50000);
    kill(a->pid, SIGTERM);
    expect_end(a);
    expect_log(a, "drain time is over");
    close(t.fd);
}

static void a_silent_connection_is_closed(void **state)
{
    struct agent *a = *state;
    struct talk t = {0};
    int64_t start_us = clock_mono_us(&clock_system);

    start(a);
    t.fd = try_connect(a);
    assert_int_equal(receive(&t).n, 0);
    assert_in_range(clock_mono_us(&clock_system) - start_us, 4500000, 9000000);
    close(t.fd);
    stop(a);
}

static void a_health_check_is_answered(void **state)
{
    struct agent *a = *state;
    struct peer_hello h = {"2.0", "", 16380, NULL, true};
    struct talk t = {0};
    struct spop_frame f;
    uint8_t room[256];

    start(a);
    t.fd = try_connect(a);
    send_all(t.fd, room, peer_write_hello(room, sizeof room, &h));
    assert_int_equal(spop_read_frame(receive(&t), &f), SPOP_NORMAL);
    assert_int_equal(f.type, SPOP_AGENT_HELLO);
    close(t.fd);
    stop(a);
}

static void garbage_ends_only_its_own_connection(void **state)
{
    struct agent *a = *state;
    struct talk t, bad = {0};

    start(a);
    say_hello(&t, try_connect(a));
    bad.fd = try_connect(a);
    send_all(bad.fd, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_int_equal(peer_disconnect_status(receive(&bad)), SPOP_TOO_BIG);
    assert_int_equal(receive(&bad).n, 0);
    close(bad.fd);
    assert_int_equal(ask(&t), 7);
    expect_log(a, "frame is too big");
    close(t.fd);
    stop(a);
}

static void one_socket_one_agent(void **state)
{
    struct agent *a = *state;
    struct talk t;

    start(a);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){NULL})), EX_UNAVAILABLE);
    expect_log(a, "another agent listens");
    say_hello(&t, try_connect(a)); /* the first is unharmed */
    close(t.fd);

    kill(a->pid, SIGKILL);
    assert_int_equal(exit_status(a->pid), -SIGKILL);
    assert_int_equal(access(a->socket, F_OK), 0);
    assert_int_equal(unlink(a->log), 0);
    start(a);
    expect_log(a, "removed the stale socket");
    say_hello(&t, try_connect(a));
    assert_int_equal(ask(&t), 7);
    close(t.fd);
    stop(a);
}

static void a_file_in_the_way_is_not_removed(void **state)
{
    struct agent *a = *state;

    assert_int_equal(file_write_atomic(a->socket, SLICE("precious"), 0640), CC_OK);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){NULL})), EX_UNAVAILABLE);
    expect_log(a, "is not a socket");
    assert_int_equal(access(a->socket, F_OK), 0);
}

/* The directory is made for the socket, and closed to others. */
static void a_missing_directory_is_created(void **state)
{
    struct agent *a = *state;
    struct talk t;
    struct stat st;
    char dir[96];

    snprintf(dir, sizeof dir, "%s/run", a->dir);
    snprintf(a->socket, sizeof a->socket, "%s/run/a.sock", a->dir);
    start_with(a, 0, (const char *const[]){"--set", "agent.socketMode=0600", NULL});
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(stat(a->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    say_hello(&t, try_connect(a));
    close(t.fd);
    stop(a);
}

static void it_listens_on_tcp(void **state)
{
    struct agent *a = *state;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof sin;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char address[64];
    struct talk t;

    /* a port that was free a moment ago */
    assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
    close(fd);
    snprintf(address, sizeof address, "agent.socket=127.0.0.1:%d", ntohs(sin.sin_port));
    start_with(a, 0, (const char *const[]){"--set", address, NULL});
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    say_hello(&t, fd);
    assert_int_equal(ask(&t), 7);
    close(fd);
    stop(a);
}

static long cpu_ticks(pid_t pid)
{
    char path[64], line[1024] = "";
    struct slice rest, part;
    uint64_t ticks = 0, sum = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    rest = slice_of(strrchr(line, ')') + 2);
    for (int i = 3; slice_split(&rest, ' ', &part) && i <= 15; i++) {
        if (i >= 14 && slice_to_u64(part, &ticks) == CC_OK) /* utime, stime */
            sum += ticks;
    }
    return (long)sum;
}

/* No file descriptors left: those who are connected are served, and the agent does not spin. */
static void a_full_table_of_files_is_survived(void **state)
{
    enum { MANY = 60 };
    struct agent *a = *state;
    struct talk t;
    int fds[MANY];
    long ticks;

    start_with(a, 40, (const char *const[]){NULL});
    say_hello(&t, try_connect(a));
    for (int i = 0; i < MANY; i++)
        fds[i] = try_connect(a);
    expect_log(a, "not accepting for 100 ms");
    ticks = cpu_ticks(a->pid);
    usleep(500000);
    assert_true(cpu_ticks(a->pid) - ticks < sysconf(_SC_CLK_TCK) / 5);
    assert_int_equal(ask(&t), 7);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    close(t.fd);
    say_hello(&t, try_connect(a));
    assert_int_equal(ask(&t), 7);
    close(t.fd);
    stop(a);
}

static void it_cannot_gain_privileges(void **state)
{
    struct agent *a = *state;
    char path[64], line[256];
    bool found = false;
    FILE *f;

    start(a);
    snprintf(path, sizeof path, "/proc/%d/status", (int)a->pid);
    f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        found = found || strcmp(line, "NoNewPrivs:\t1\n") == 0;
    fclose(f);
    assert_true(found);
    stop(a);
}

static void the_command_line(void **state)
{
    struct agent *a = *state;

    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"-t", NULL})), EX_OK);
    expect_log(a, "ok: generation 7, 3 APIs");
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"--version", NULL})), EX_OK);
    expect_log(a, "cc-spoa " CC_VERSION);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"--help", NULL})), EX_OK);
    expect_log(a, "--snapshot FILE");
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"--nonsense", NULL})), EX_USAGE);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"word", NULL})), EX_USAGE);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"--set", "=x", NULL})),
                     EX_USAGE);
    assert_int_equal(
        exit_status(spawn(a, 0, (const char *const[]){"--set", "agent.wrokers=1", NULL})),
        EX_DATAERR);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"-c", "/nonexistent", NULL})),
                     EX_DATAERR);
}

static void an_unusable_snapshot_is_refused_at_start(void **state)
{
    struct agent *a = *state;

    assert_int_equal(file_write_atomic(a->snapshot, SLICE("[]"), 0640), CC_OK);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){"-t", NULL})), EX_DATAERR);
    expect_log(a, "CC6001");
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){NULL})), EX_DATAERR);
    assert_int_equal(unlink(a->snapshot), 0);
    assert_int_equal(exit_status(spawn(a, 0, (const char *const[]){NULL})), EX_DATAERR);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_command_line),
        TEST(an_unusable_snapshot_is_refused_at_start),
        TEST(it_decides_and_drains),
        TEST(it_answers_everything_that_is_pipelined),
        TEST(a_peer_that_does_not_read_is_not_read_from),
        TEST(hangup_exchanges_the_snapshot),
        TEST(draining_answers_what_is_half_received),
        TEST(a_second_signal_ends_it_at_once),
        TEST(draining_ends_after_its_time),
        TEST(a_silent_connection_is_closed),
        TEST(a_health_check_is_answered),
        TEST(garbage_ends_only_its_own_connection),
        TEST(one_socket_one_agent),
        TEST(a_file_in_the_way_is_not_removed),
        TEST(a_missing_directory_is_created),
        TEST(it_listens_on_tcp),
        TEST(a_full_table_of_files_is_survived),
        TEST(it_cannot_gain_privileges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
