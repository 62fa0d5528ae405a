/* The admin socket: lines, commands, long answers, slow and greedy clients. */
#include "spoa/admin_commands.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROWS = 200000 };

struct fixture {
    char dir[64], path[96];
    struct ev_loop *loop;
    struct admin *admin;
    unsigned echoed, gone;
    struct admin_wait wait;
    ev_timer timer; /* after which the command that waits goes on */
};

static bool echo(struct admin_call *call)
{
    struct fixture *f = call->context;

    f->echoed++;
    for (size_t i = 0; i < call->n_args; i++)
        buf_printf(call->out, "<%" PRIslice ">", SLICE_ARG(call->arg[i]));
    buf_add_char(call->out, '\n');
    return false;
}

static bool count(struct admin_call *call)
{
    while (call->cursor < ROWS && call->out->n < ADMIN_STEP_BYTES)
        buf_printf(call->out, "%llu\n", (unsigned long long)call->cursor++);
    return call->cursor < ROWS;
}

static bool flood(struct admin_call *call)
{
    for (size_t i = 0; i < ADMIN_OUT_MAX; i++)
        buf_add_char(call->out, 'x');
    return false;
}

static void note_gone(struct admin_wait *wait)
{
    struct fixture *f = (struct fixture *)((char *)wait - offsetof(struct fixture, wait));

    ev_timer_stop(f->loop, &f->timer);
    f->gone++;
}

static void wake(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct fixture *f = timer->data;

    (void)loop;
    (void)revents;
    admin_wake(&f->wait);
}

/* Says something, asks others for so many milliseconds, and says what it was asked with. */
static bool ask(struct admin_call *call)
{
    struct fixture *f = call->context;
    uint64_t ms;

    if (call->wait != NULL) {
        buf_printf(call->out, "told %" PRIslice "\n", SLICE_ARG(call->arg[0]));
        call->wait = NULL;
        return false;
    }
    assert_int_equal(slice_to_u64(call->arg[0], &ms), CC_OK);
    ev_timer_init(&f->timer, wake, (double)ms / 1000, 0);
    f->timer.data = f;
    ev_timer_start(f->loop, &f->timer);
    f->wait = (struct admin_wait){.gone = note_gone};
    call->wait = &f->wait;
    buf_add_str(call->out, "asking\n");
    return true;
}

static const struct admin_command rows[] = {
    {"ask", "MS", "waits", 1, 1, ask},
    {"echo", "[WORD...]", "says it", 0, 31, echo},
    {"echo all", "WORD WORD", "says two", 2, 2, echo},
    {"count", "", "is long", 0, 0, count},
    {"flood", "", "is too long", 0, 0, flood},
};

static int setup_idle(void **state, uint64_t idle_ms)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct admin_options options = {.idle_ms = idle_ms};

    if (f == NULL)
        return -1;
    snprintf(f->dir, sizeof f->dir, "/tmp/cc-admin-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    snprintf(f->path, sizeof f->path, "%s/admin.sock", f->dir);
    f->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    options.path = slice_of(f->path);
    if (admin_new(&f->admin, f->loop, &options) != CC_OK)
        return -1;
    admin_register(f->admin, rows, sizeof rows / sizeof *rows, f);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_idle(state, 60000);
}

static int setup_hasty(void **state)
{
    return setup_idle(state, 50);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    admin_free(&f->admin);
    ev_loop_destroy(f->loop);
    file_remove_tree(f->dir);
    free(f);
    return 0;
}

static int dial(const struct fixture *f)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    memcpy(sun.sun_path, f->path, strlen(f->path) + 1);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Runs the loop until the other side closes; what it sent, in `out`. */
static void collect(struct fixture *f, int fd, struct buf *out)
{
    char room[4096];
    ssize_t n;

    while ((n = recv(fd, room, sizeof room, 0)) != 0) {
        if (n > 0)
            buf_add(out, slice_make(room, (size_t)n));
        else if (errno == ECONNRESET) /* what we sent was not read to its end */
            break;
        else
            assert_int_equal(errno, EAGAIN);
        ev_run(f->loop, n > 0 ? EVRUN_NOWAIT : EVRUN_ONCE);
    }
    close(fd);
}

static void expect(struct fixture *f, const char *sent, const char *wanted)
{
    struct buf got;
    int fd = dial(f);

    buf_init(&got, 1 << 20);
    put(fd, sent);
    collect(f, fd, &got);
    assert_string_equal(got.p != NULL ? got.p : "", wanted);
    buf_free(&got);
}

static void test_words(void **state)
{
    struct {
        const char *line, *words[5];
        enum admin_line_fault fault;
        const char *rest;
    } cases[] = {
        {"a  b\tc", {"a", "b", "c"}, ADMIN_LINE_OK, ""},
        {"  a ; b", {"a"}, ADMIN_LINE_OK, " b"},
        {";a", {NULL}, ADMIN_LINE_OK, "a"},
        {"", {NULL}, ADMIN_LINE_OK, ""},
        {"a\\ b\\;c \\\\d", {"a b;c", "\\d"}, ADMIN_LINE_OK, ""},
        {"a\\", {NULL}, ADMIN_LINE_ESCAPE, ""},
        {"a\x1b[0m;b", {NULL}, ADMIN_LINE_CONTROL, ""},
        {"a\\\x01;b", {NULL}, ADMIN_LINE_CONTROL, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char room[64], *at = room;
        struct admin_words words;
        size_t n = 0;

        snprintf(room, sizeof room, "%s", cases[i].line);
        assert_int_equal(admin_line_next(&at, room + strlen(room), &words), cases[i].fault);
        for (; cases[i].words[n] != NULL; n++) {
            assert_true(n < words.n);
            assert_true(slice_is(words.word[n], cases[i].words[n]));
        }
        assert_int_equal(words.n, n);
        assert_string_equal(at, cases[i].rest);
    }
}

static void test_too_many_words(void **state)
{
    char room[4 * ADMIN_WORDS_MAX], *at = room;
    struct admin_words words;

    (void)state;
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = i % 2 ? ' ' : 'x';
    assert_int_equal(admin_line_next(&at, room + 2 * ADMIN_WORDS_MAX, &words), ADMIN_LINE_OK);
    assert_int_equal(words.n, ADMIN_WORDS_MAX);
    at = room;
    assert_int_equal(admin_line_next(&at, room + sizeof room, &words), ADMIN_LINE_WORDS);
    assert_int_equal(words.n, 0);
    assert_ptr_equal(at, room + sizeof room);
}

static void test_one_line(void **state)
{
    struct fixture *f = *state;

    expect(f, "echo a b\\ c\n", "<a><b c>\n\n");
    expect(f, "echo a\r\n", "<a>\n\n");
    expect(f, "echo a; echo;; echo all b c;\n", "<a>\n\n\n\n<b><c>\n\n");
    expect(f, "echo a\necho b\n", "<a>\n\n"); /* as in HAProxy: one line */
    expect(f, "\n", "");
    assert_int_equal(f->echoed, 6);
}

static void test_faults(void **state)
{
    struct fixture *f = *state;
    char room[4096];

    expect(f, "echo all b\n", "usage: echo all WORD WORD\n\n");
    expect(f, "count up\n", "usage: count\n\n");
    /* nothing behind a fault is run */
    expect(f, "echo a\\\n", "there is nothing behind the last '\\'\n\n");
    expect(f, "\x01; echo a\n", "control characters cannot be in a command\n\n");
    expect(f, "flood; echo a\n", "internal error: the answer is too long\n\n<a>\n\n");
    snprintf(room, sizeof room,
             "unknown command: hlep me; these are known:\n%-36s%s\n%-36s%s\n%-36s%s\n%-36s%s\n"
             "%-36s%s\n%-36s%s\n%-36s%s\n%-36s%s\n\n",
             "  help", "this list", "  prompt",
             "keep the connection open for more lines; the second time: no longer", "  quit",
             "close the connection", "  ask MS", "waits", "  echo [WORD...]", "says it",
             "  echo all WORD WORD", "says two", "  count", "is long", "  flood", "is too long");
    expect(f, "hlep me\n", room);
    expect(f, "help\n", strchr(room, '\n') + 1);
}

static void test_no_newline(void **state)
{
    struct fixture *f = *state;
    struct buf got;
    int fd = dial(f);

    buf_init(&got, 1 << 20);
    put(fd, "echo a");
    shutdown(fd, SHUT_WR);
    collect(f, fd, &got);
    assert_string_equal(got.p, "<a>\n\n");
    buf_free(&got);
}

static void test_prompt(void **state)
{
    struct fixture *f = *state;

    expect(f, "prompt\necho a;echo b\necho c\nquit;echo d\necho e\n",
           "> <a>\n\n<b>\n\n> <c>\n\n> ");
    expect(f, "prompt\nprompt\necho a\n", "> ");
}

static void test_long_answer(void **state)
{
    struct fixture *f = *state;
    struct buf got;
    struct slice rest, line;
    size_t n = 0;
    int fd = dial(f);

    buf_init(&got, 8 << 20);
    put(fd, "count; echo end\n");
    collect(f, fd, &got);
    assert_int_equal(buf_error(&got), CC_OK);
    rest = buf_slice(&got);
    while (slice_split(&rest, '\n', &line) && line.n > 0) {
        char number[16];

        snprintf(number, sizeof number, "%zu", n++);
        assert_true(slice_is(line, number));
    }
    assert_int_equal(n, ROWS);
    assert_true(slice_is(rest, "<end>\n\n"));
    buf_free(&got);
}

/* A command that others have to answer first: those behind it wait, other clients do not. */
static void test_waiting(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    struct buf got;

    expect(f, "ask 0; echo a\n", "asking\ntold 0\n\n<a>\n\n");
    expect(f, "prompt; ask 1; ask 2\nask 3\nquit\n",
           "asking\ntold 1\n\nasking\ntold 2\n\n> asking\ntold 3\n\n> ");
    put(fd, "ask 50; echo b\n");
    while (f->wait.session == NULL)
        ev_run(f->loop, EVRUN_ONCE);
    expect(f, "echo c\n", "<c>\n\n");
    assert_non_null(f->wait.session);
    buf_init(&got, 1000);
    collect(f, fd, &got);
    assert_string_equal(got.p, "asking\ntold 50\n\n<b>\n\n");
    buf_free(&got);
    assert_int_equal(f->gone, 0);
}

/* The client's time is over, or the agent ends: the command is told, and is not called again. */
static void test_waiting_in_vain(void **state)
{
    struct fixture *f = *state;
    struct buf got;
    int fd = dial(f);

    put(fd, "ask 100000\n");
    buf_init(&got, 1000);
    collect(f, fd, &got);
    assert_string_equal(got.p, "asking\n");
    assert_int_equal(f->gone, 1);
    buf_free(&got);
    fd = dial(f);
    put(fd, "ask 100000\n");
    f->wait.session = NULL;
    while (f->wait.session == NULL)
        ev_run(f->loop, EVRUN_ONCE);
    admin_free(&f->admin);
    assert_int_equal(f->gone, 2);
    close(fd);
}

static void test_long_line(void **state)
{
    struct fixture *f = *state;
    char *line = malloc(ADMIN_LINE_MAX + 64);

    assert_non_null(line);
    memset(line, ' ', ADMIN_LINE_MAX + 64);
    snprintf(line + ADMIN_LINE_MAX - 7, 64, "echo a\n"); /* the last that fits */
    expect(f, line, "<a>\n\n");
    memset(line, ' ', ADMIN_LINE_MAX);
    snprintf(line + ADMIN_LINE_MAX - 6, 64, "echo a\n");
    expect(f, line, "the line is too long\n\n");
    free(line);
}

/* A client that takes no answer has no more than its part of memory, and does not hold up others.
 */
static void test_greedy(void **state)
{
    struct fixture *f = *state;
    int fds[ADMIN_SESSIONS_MAX];
    struct buf report;
    char room[256];

    for (size_t i = 0; i < ADMIN_SESSIONS_MAX; i++) {
        fds[i] = dial(f);
        put(fds[i], "prompt; count; count; count\n");
        for (int k = 0; k < 8; k++)
            ev_run(f->loop, EVRUN_NOWAIT);
        if (i == 0)
            expect(f, "echo a\n", "<a>\n\n");
    }
    expect(f, "", ""); /* one too many */
    close(fds[0]);
    for (int k = 0; k < 8; k++)
        ev_run(f->loop, EVRUN_NOWAIT);
    expect(f, "echo b\n", "<b>\n\n");
    for (size_t i = 1; i < ADMIN_SESSIONS_MAX; i++)
        close(fds[i]);
    buf_init_fixed(&report, room, sizeof room);
    admin_report(f->admin, &report);
    assert_non_null(strstr(room, " admin_refused=1 "));
}

static void test_hung(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f), slow = dial(f);
    struct buf got;

    put(slow, "count\n");
    put(fd, "ech");
    buf_init(&got, 1024);
    collect(f, fd, &got); /* ends only because of the time */
    assert_int_equal(got.n, 0);
    buf_free(&got);
    buf_init(&got, 8 << 20);
    collect(f, slow, &got); /* what fitted into the socket is there, or all, being read now */
    assert_true(got.n > 0);
    buf_free(&got);
}

static void test_socket_file(void **state)
{
    struct fixture *f = *state;
    struct admin_options options = {slice_of(f->path), 1000};
    struct admin *other = NULL;
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(admin_new(&other, f->loop, &options), CC_EEXIST);
    admin_stop_listening(f->admin);
    assert_int_equal(stat(f->path, &st), -1);
    assert_int_equal(admin_new(&other, f->loop, &options), CC_OK);
    admin_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_too_many_words),
        cmocka_unit_test_setup_teardown(test_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_newline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prompt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waiting_in_vain, setup_hasty, teardown),
        cmocka_unit_test_setup_teardown(test_long_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_greedy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hung, setup_hasty, teardown),
        cmocka_unit_test_setup_teardown(test_socket_file, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
