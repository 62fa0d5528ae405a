/* bad_agent: a SPOE agent that misbehaves in one chosen way, to prove that HAProxy fails closed.
 *
 *     bad_agent SOCKET MODE [MILLISECONDS]
 *
 * It says HELLO and answers health checks properly, so that HAProxy believes it is up, unless the
 * mode is about that. One thread, one poll(2) loop; simple on purpose. */
#include "regress/tools/spop_peer.h"
#include "spoa/listener.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define MODES(X)                                                                      \
    X(SILENT, "silent", "says HELLO, never answers a NOTIFY")                         \
    X(MUTE, "mute", "accepts and says nothing at all, not even HELLO")                \
    X(GARBAGE, "garbage", "answers a NOTIFY with random bytes")                       \
    X(GARBAGE_HELLO, "garbage-hello", "answers HELLO with random bytes")              \
    X(HANGUP, "hangup", "closes the connection on a NOTIFY")                          \
    X(EMPTY_ACK, "empty-ack", "an ACK without any action")                            \
    X(NO_VERDICT, "no-verdict", "sets backend, path and host, but no verdict")        \
    X(WRONG_VERDICT, "wrong-verdict", "sets a verdict that is none: \"Allow\"")       \
    X(INT_VERDICT, "int-verdict", "sets the verdict as the number 1")                 \
    X(BROKEN_VERDICT, "broken-verdict", "the last action, the verdict, is cut short") \
    X(WRONG_SCOPE, "wrong-scope", "sets verdict allow in scope sess instead of txn")  \
    X(HALF_FRAME, "half-frame", "half of a good ACK, then nothing")                   \
    X(LATE, "late", "a good ACK after MILLISECONDS")                                  \
    X(BAD_IDS, "bad-ids", "a good ACK for another stream and frame")                  \
    X(TOO_BIG, "too-big", "an ACK larger than the negotiated frame size")             \
    X(GOOD, "good", "a good ACK: allows everything; to test the tests")

enum mode {
#define X(name, word, help) MODE_##name,
    MODES(X)
#undef X
        N_MODES
};

static const struct {
    const char *word, *help;
} modes[N_MODES] = {
#define X(name, word, help) {word, help},
    MODES(X)
#undef X
};

enum { MAX_PEERS = 256, FRAME_SIZE = 16380, MAX_LATE = 1024 };

struct peer {
    uint8_t in[SPOP_LENGTH_SIZE + FRAME_SIZE];
    size_t n;
    bool stalled; /* half-frame: says nothing more */
};

/* An answer that waits for its time. */
struct late {
    int fd; /* -1: forget it, the connection is gone */
    int64_t due_us;
    uint8_t frame[512];
    size_t n;
};

struct agent {
    enum mode mode;
    int64_t delay_us;
    struct pollfd fds[1 + MAX_PEERS]; /* the first is the listener */
    struct peer *peers[1 + MAX_PEERS];
    size_t n_fds;
    struct late late[MAX_LATE];
    size_t n_late;
};

static volatile sig_atomic_t ended;

static void on_signal(int signum)
{
    (void)signum;
    ended = 1;
}

static bool say(int fd, const void *p, size_t n)
{
    /* blocking sockets, small answers: all or an error */
    return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool say_garbage(int fd)
{
    uint8_t noise[200];

    return getrandom(noise, sizeof noise, 0) == (ssize_t)sizeof noise &&
           say(fd, noise, sizeof noise);
}

static void put_text(struct spop_writer *w, enum spop_scope scope, const char *name,
                     const char *value)
{
    spop_put_set_var(w, scope, slice_of(name));
    spop_put_string(w, slice_of(value));
}

static void put_target(struct spop_writer *w)
{
    put_text(w, SPOP_TXN, "backend", "cc_b_bad_agent");
    put_text(w, SPOP_TXN, "path", "/");
    put_text(w, SPOP_TXN, "host", "localhost");
}

static void put_actions(struct spop_writer *w, enum mode mode)
{
    if (mode == MODE_EMPTY_ACK)
        return;
    put_target(w);
    if (mode == MODE_NO_VERDICT)
        return;
    if (mode == MODE_INT_VERDICT) {
        spop_put_set_var(w, SPOP_TXN, SLICE("verdict"));
        spop_put_int(w, 1);
    } else if (mode == MODE_BROKEN_VERDICT) {
        spop_put_set_var(w, SPOP_TXN, SLICE("verdict"));
        spop_put_varint(w, SPOP_STRING);
        spop_put_varint(w, 5); /* and no text */
    } else {
        put_text(w, mode == MODE_WRONG_SCOPE ? SPOP_SESS : SPOP_TXN, "verdict",
                 mode == MODE_WRONG_VERDICT ? "Allow" : "allow");
    }
}

static size_t make_ack(uint8_t *room, size_t size, const struct spop_frame *f, enum mode mode)
{
    static char filler[FRAME_SIZE];
    uint64_t wrong = mode == MODE_BAD_IDS ? 1000003 : 0;
    struct spop_writer w;

    spop_begin(&w, room, size, SPOP_ACK, f->stream_id + wrong, f->frame_id + wrong);
    if (mode == MODE_TOO_BIG) {
        memset(filler, 'x', sizeof filler);
        spop_put_set_var(&w, SPOP_TXN, SLICE("body"));
        spop_put_string(&w, slice_make(filler, sizeof filler));
    }
    put_actions(&w, mode);
    return spop_end(&w, SPOP_MAX_FRAME_SIZE);
}

static bool answer_later(struct agent *a, int fd, const uint8_t *frame, size_t n)
{
    struct late *l = &a->late[a->n_late];

    if (a->n_late == MAX_LATE || n > sizeof l->frame)
        return false;
    *l = (struct late){.fd = fd, .due_us = clock_mono_us(&clock_system) + a->delay_us, .n = n};
    memcpy(l->frame, frame, n);
    a->n_late++;
    return true;
}

/* False: close the connection. */
static bool on_notify(struct agent *a, int fd, struct peer *p, const struct spop_frame *f)
{
    static uint8_t ack[2 * FRAME_SIZE];
    size_t n = make_ack(ack, sizeof ack, f, a->mode);

    switch (a->mode) {
    case MODE_SILENT:
    case MODE_MUTE:
        return true;
    case MODE_GARBAGE:
        return say_garbage(fd);
    case MODE_HANGUP:
        return false;
    case MODE_HALF_FRAME:
        p->stalled = true;
        return say(fd, ack, n / 2);
    case MODE_LATE:
        return answer_later(a, fd, ack, n);
    default:
        return say(fd, ack, n);
    }
}

static bool on_hello(struct agent *a, int fd, const struct spop_frame *f)
{
    struct spop_hello hello;
    uint8_t room[256];
    size_t n;

    if (spop_read_hello(f, &hello) != SPOP_NORMAL)
        return false;
    if (a->mode == MODE_MUTE)
        return true;
    if (a->mode == MODE_GARBAGE_HELLO)
        return say_garbage(fd);
    n = spop_write_agent_hello(room, sizeof room,
                               hello.max_frame_size < FRAME_SIZE ? (uint32_t)hello.max_frame_size
                                                                 : (uint32_t)FRAME_SIZE,
                               hello.pipelining);
    return say(fd, room, n);
}

static bool on_frame(struct agent *a, int fd, struct peer *p, struct slice body)
{
    struct spop_frame f;

    if (spop_read_frame(body, &f) != SPOP_NORMAL)
        return false;
    if (f.type == SPOP_HAPROXY_HELLO)
        return on_hello(a, fd, &f);
    if (f.type == SPOP_NOTIFY)
        return p->stalled || on_notify(a, fd, p, &f);
    return false;
}

/* False: close the connection. */
static bool on_readable(struct agent *a, int fd, struct peer *p)
{
    ssize_t got = recv(fd, p->in + p->n, sizeof p->in - p->n, MSG_DONTWAIT);
    size_t n;

    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    p->n += (size_t)got;
    while ((n = peer_frame_bytes(slice_make(p->in, p->n))) > 0) {
        if (!on_frame(a, fd, p, slice_make(p->in + SPOP_LENGTH_SIZE, n - SPOP_LENGTH_SIZE)))
            return false;
        memmove(p->in, p->in + n, p->n - n);
        p->n -= n;
    }
    return p->n < sizeof p->in;
}

static void accept_peer(struct agent *a)
{
    int fd = accept4(a->fds[0].fd, NULL, NULL, SOCK_CLOEXEC);
    struct peer *p = fd >= 0 && a->n_fds <= MAX_PEERS ? calloc(1, sizeof *p) : NULL;

    if (p == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    a->fds[a->n_fds] = (struct pollfd){.fd = fd, .events = POLLIN};
    a->peers[a->n_fds] = p;
    a->n_fds++;
}

static void close_peer(struct agent *a, size_t i)
{
    for (size_t k = 0; k < a->n_late; k++) {
        if (a->late[k].fd == a->fds[i].fd)
            a->late[k].fd = -1;
    }
    close(a->fds[i].fd);
    free(a->peers[i]);
    a->n_fds--;
    a->fds[i] = a->fds[a->n_fds];
    a->peers[i] = a->peers[a->n_fds];
}

/* Sends what is due; returns how long to sleep, in ms, -1 = for ever. */
static int send_late(struct agent *a)
{
    int64_t now_us = clock_mono_us(&clock_system);
    size_t i = 0;

    /* all have the same delay, so they are due in the order in which they came */
    while (i < a->n_late && a->late[i].due_us <= now_us) {
        if (a->late[i].fd >= 0)
            say(a->late[i].fd, a->late[i].frame, a->late[i].n);
        i++;
    }
    memmove(a->late, a->late + i, (a->n_late - i) * sizeof *a->late);
    a->n_late -= i;
    return a->n_late == 0 ? -1 : (int)((a->late[0].due_us - now_us) / 1000) + 1;
}

static void serve(struct agent *a)
{
    while (!ended) {
        if (poll(a->fds, a->n_fds, send_late(a)) < 0)
            continue;
        /* from the end: closing moves the last one, which has been served, into the gap */
        for (size_t i = a->n_fds - 1; i > 0; i--) {
            if (a->fds[i].revents != 0 && !on_readable(a, a->fds[i].fd, a->peers[i]))
                close_peer(a, i);
        }
        if (a->fds[0].revents != 0)
            accept_peer(a);
    }
    while (a->n_fds > 1)
        close_peer(a, a->n_fds - 1);
}

static int usage(void)
{
    fputs("usage: bad_agent SOCKET MODE [MILLISECONDS]\n", stderr);
    for (size_t i = 0; i < N_MODES; i++)
        fprintf(stderr, "  %-15s %s\n", modes[i].word, modes[i].help);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    static struct agent a;
    struct sigaction action = {.sa_handler = on_signal};
    struct listener listener;
    uint64_t delay_ms = 1000;

    if (argc < 3 || argc > 4)
        return usage();
    while (a.mode < N_MODES && strcmp(argv[2], modes[a.mode].word) != 0)
        a.mode++;
    if (a.mode == N_MODES ||
        (argc == 4 && (slice_to_u64(slice_of(argv[3]), &delay_ms) != CC_OK || delay_ms > 60000)))
        return usage();
    a.delay_us = (int64_t)delay_ms * 1000;
    log_setup("bad_agent", LOG_INFO, LOG_TEXT);
    if (listener_open(&listener, &(struct listener_options){slice_of(argv[1]), 0666, SLICE_NONE,
                                                            NULL}) != CC_OK)
        return EX_UNAVAILABLE;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    a.fds[0] = (struct pollfd){.fd = listener.fd, .events = POLLIN};
    a.n_fds = 1;
    serve(&a);
    listener_close(&listener);
    return EX_OK;
}
