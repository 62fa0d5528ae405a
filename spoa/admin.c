#include "spoa/admin.h"

#include "spoa/admin_commands.h"
#include "spoa/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 32 /* steps of one client in one turn of the loop */ };

static const ev_tstamp ACCEPT_PAUSE_S = 0.1;

struct session {
    struct admin *admin;
    struct session *next, **link;
    int fd;
    ev_io io;
    ev_timer timer;
    bool prompt; /* more lines may come */
    bool ended;  /* the client sends no more */
    bool done;   /* close when all is sent */
    char in[ADMIN_LINE_MAX];
    size_t in_n;    /* bytes in it */
    size_t line_n;  /* of which the first are the line that is run, with its end; 0: none */
    char *at, *end; /* what of that line is still to be run */
    const struct admin_command *command; /* under way; NULL: none */
    struct admin_call call;
    struct admin_words words;
    struct buf out;
    size_t sent;
};

struct admin {
    struct ev_loop *loop;
    struct admin_options options;
    struct listener listener;
    ev_io accept;
    ev_timer pause; /* in accepting */
    struct admin_commands table;
    struct session *first;
    size_t n_sessions;
#define X(name, help) uint64_t name;
    ADMIN_COUNTERS(X)
#undef X
};

static void session_close(struct session *s)
{
    struct admin *a = s->admin;

    if (s->command != NULL && s->call.wait != NULL)
        s->call.wait->gone(s->call.wait);
    ev_io_stop(a->loop, &s->io);
    ev_timer_stop(a->loop, &s->timer);
    close(s->fd);
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    a->n_sessions--;
    buf_free(&s->out);
    free(s);
}

/* The client did something: it has its time again. */
static void touch(struct session *s)
{
    ev_timer_again(s->admin->loop, &s->timer);
}

static void wait_for(struct session *s, int events)
{
    if ((s->io.events & (EV_READ | EV_WRITE)) == events && ev_is_active(&s->io))
        return;
    ev_io_stop(s->admin->loop, &s->io);
    ev_io_set(&s->io, s->fd, events);
    ev_io_start(s->admin->loop, &s->io);
}

/* Bytes in and out. False: nothing more can be done now, or the session is no more. */

static bool flush(struct session *s)
{
    struct slice left = slice_from(buf_slice(&s->out), s->sent);
    ssize_t n = send(s->fd, left.p, left.n, MSG_NOSIGNAL);

    if (n < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
            wait_for(s, EV_WRITE);
        else
            session_close(s);
        return false;
    }
    touch(s);
    s->sent += (size_t)n;
    if (s->sent == s->out.n) {
        buf_reset(&s->out);
        s->sent = 0;
    }
    return true;
}

static bool fill(struct session *s)
{
    ssize_t n = recv(s->fd, s->in + s->in_n, sizeof(s->in) - s->in_n, 0);

    if (n > 0) {
        s->in_n += (size_t)n;
        return true;
    }
    if (n == 0) {
        s->ended = true;
        return true;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        wait_for(s, EV_READ);
    else
        session_close(s);
    return false;
}

/* Commands */

static void say(struct session *s, const char *text)
{
    buf_add_str(&s->out, text);
    buf_add_char(&s->out, '\n');
}

static void end_answer(struct session *s)
{
    s->command = NULL;
    buf_add_char(&s->out, '\n');
    if (buf_error(&s->out) == CC_OK)
        return;
    buf_reset(&s->out);
    s->sent = 0;
    say(s, "internal error: the answer is too long\n");
}

static void step(struct session *s)
{
    struct admin_wait *before = s->call.wait;

    if (!s->command->run(&s->call))
        end_answer(s);
    else if (s->call.wait != before && s->call.wait != NULL)
        s->call.wait->session = s;
}

static bool is_waiting(const struct session *s)
{
    return s->command != NULL && s->call.wait != NULL && s->call.wait->session != NULL;
}

void admin_wake(struct admin_wait *wait)
{
    struct session *s = wait->session;

    CC_ASSERT(s != NULL && is_waiting(s));
    wait->session = NULL;
    touch(s);
    wait_for(s, EV_WRITE); /* it is called at once */
}

/* `prompt` and `quit` are about the connection, not about the agent. */
static bool run_own(struct session *s)
{
    if (s->words.n != 1)
        return false;
    if (slice_is(s->words.word[0], "prompt")) {
        s->prompt = !s->prompt;
        return true;
    }
    if (slice_is(s->words.word[0], "quit")) {
        s->done = true;
        s->at = s->end;
        return true;
    }
    return false;
}

static void next_command(struct session *s)
{
    struct admin_commands *table = &s->admin->table;
    enum admin_line_fault fault = admin_line_next(&s->at, s->end, &s->words);

    if (fault != ADMIN_LINE_OK) {
        say(s, admin_line_fault_text(fault));
        end_answer(s);
        return;
    }
    if (s->words.n == 0 || run_own(s))
        return;
    s->admin->commands++;
    s->call = (struct admin_call){.out = &s->out};
    s->command = admin_commands_find(table, &s->words, &s->call);
    if (s->command == NULL)
        end_answer(s);
    else
        step(s);
}

/* Lines */

static void end_line(struct session *s)
{
    memmove(s->in, s->in + s->line_n, s->in_n - s->line_n);
    s->in_n -= s->line_n;
    s->line_n = 0;
    if (s->prompt)
        buf_add_str(&s->out, "> ");
    else
        s->done = true;
}

/* A line that is there, or what came before the end. */
static bool begin_line(struct session *s)
{
    const char *nl = memchr(s->in, '\n', s->in_n);

    if (nl == NULL && s->in_n == sizeof(s->in)) {
        say(s, "the line is too long");
        buf_add_char(&s->out, '\n');
        s->done = true;
        return true;
    }
    if (nl == NULL && !(s->ended && s->in_n > 0))
        return false;
    s->line_n = nl != NULL ? (size_t)(nl - s->in) + 1 : s->in_n;
    s->at = s->in;
    s->end = s->in + s->line_n - (nl != NULL);
    if (s->end > s->at && s->end[-1] == '\r')
        s->end--;
    touch(s);
    return true;
}

/* One thing that can be done now. False: nothing can, or the session is no more. */
static bool advance(struct session *s)
{
    if (s->out.n > s->sent)
        return flush(s);
    if (is_waiting(s)) { /* nothing is read meanwhile: the client has its time-out */
        ev_io_stop(s->admin->loop, &s->io);
        return false;
    }
    if (s->command != NULL) {
        step(s);
        return true;
    }
    if (s->done) {
        session_close(s);
        return false;
    }
    if (s->line_n > 0) {
        if (s->at < s->end)
            next_command(s);
        else
            end_line(s);
        return true;
    }
    if (begin_line(s))
        return true;
    if (s->ended) {
        session_close(s);
        return false;
    }
    return fill(s);
}

static void on_io(struct ev_loop *loop, ev_io *io, int revents)
{
    struct session *s = io->data;

    (void)loop;
    (void)revents;
    for (int i = 0; i < TURNS; i++)
        if (!advance(s))
            return;
    wait_for(s, EV_WRITE); /* others first; it is called again at once */
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct session *s = timer->data;

    (void)loop;
    (void)revents;
    s->admin->timeouts++;
    session_close(s);
}

static void session_open(struct admin *a, int fd)
{
    struct session *s = a->n_sessions < ADMIN_SESSIONS_MAX ? calloc(1, sizeof(*s)) : NULL;

    if (s == NULL) {
        a->refused++;
        close(fd);
        return;
    }
    a->sessions++;
    a->n_sessions++;
    s->admin = a;
    s->fd = fd;
    s->next = a->first;
    s->link = &a->first;
    if (s->next != NULL)
        s->next->link = &s->next;
    a->first = s;
    buf_init(&s->out, ADMIN_OUT_MAX);
    s->io.data = s->timer.data = s;
    ev_io_init(&s->io, on_io, fd, EV_READ);
    ev_io_start(a->loop, &s->io);
    ev_init(&s->timer, on_timeout);
    s->timer.repeat = (ev_tstamp)a->options.idle_ms / 1000;
    touch(s);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int revents)
{
    struct admin *a = io->data;
    int fd = accept4(a->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)revents;
    if (fd >= 0) {
        session_open(a, fd);
        return;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    /* no descriptor, no memory: the socket stays readable, and watching it would only spin */
    ev_io_stop(loop, &a->accept);
    ev_timer_again(loop, &a->pause);
}

static void on_pause(struct ev_loop *loop, ev_timer *pause, int revents)
{
    struct admin *a = pause->data;

    (void)revents;
    ev_timer_stop(loop, pause);
    ev_io_start(loop, &a->accept);
}

int admin_new(struct admin **out, struct ev_loop *loop, const struct admin_options *options)
{
    const struct listener_options where = {
        .address = options->path, .mode = 0600, .setting = "agent.adminSocket"};
    struct admin *a = calloc(1, sizeof(*a));
    int rc;

    if (a == NULL)
        return CC_ENOMEM;
    a->loop = loop;
    a->options = *options;
    a->accept.data = a->pause.data = a;
    ev_init(&a->pause, on_pause);
    a->pause.repeat = ACCEPT_PAUSE_S;
    rc = listener_open(&a->listener, &where);
    if (rc != CC_OK) {
        free(a);
        return rc;
    }
    ev_io_init(&a->accept, on_accept, a->listener.fd, EV_READ);
    ev_io_start(loop, &a->accept);
    *out = a;
    return CC_OK;
}

void admin_stop_listening(struct admin *a)
{
    ev_io_stop(a->loop, &a->accept);
    ev_timer_stop(a->loop, &a->pause);
    listener_close(&a->listener);
}

void admin_free(struct admin **pa)
{
    struct admin *a = *pa;
    struct session *next;

    *pa = NULL;
    if (a == NULL)
        return;
    for (struct session *s = a->first; s != NULL; s = next) {
        next = s->next;
        session_close(s);
    }
    admin_stop_listening(a);
    free(a);
}

void admin_register(struct admin *a, const struct admin_command *rows, size_t n, void *context)
{
    admin_commands_add(&a->table, rows, n, context);
}

void admin_report(const struct admin *a, struct buf *out)
{
#define X(name, help) buf_printf(out, " admin_" #name "=%llu", (unsigned long long)a->name);
    ADMIN_COUNTERS(X)
#undef X
}
