#include "spoa/redis_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 << 10,
    READS_PER_TURN = 8,
    ARGS_MAX = 64,
    ELEMENT_COST = 64, /* about what an element of a reply takes in memory */
    /* What may be unparsed: a part of one reply. */
    UNPARSED_MAX = REDIS_REPLY_BYTES
};

static const ev_tstamp TICK_S = 0.1;

struct waiting {
    redis_done *done;
    void *context;
    ev_tstamp sent;
};

struct redis_conn {
    struct ev_loop *loop;
    struct redis_conn_options options;
    int fd;
    ev_io read, write;
    ev_timer tick;
    bool open, dead; /* dead: only freeing is left */
    ev_tstamp begun, heard;
    struct buf out;
    size_t sent;
    redisReader *reader;
    const redisReplyObjectFunctions *objects; /* hiredis' own, behind ours */
    size_t reply_bytes;                       /* of the reply that is being read */
    struct waiting *waiting;                  /* a ring */
    size_t first, n;
    bool *gone; /* while callbacks run: set when one of them freed the connection */
};

/* Replies in the making. hiredis asks for each element; saying no ends it. */

static struct redis_conn *conn_of(const redisReadTask *task)
{
    return task->privdata;
}

static bool affordable(const redisReadTask *task, size_t bytes)
{
    struct redis_conn *c = conn_of(task);

    if (bytes > REDIS_REPLY_BYTES || c->reply_bytes + ELEMENT_COST + bytes > REDIS_REPLY_BYTES)
        return false;
    c->reply_bytes += ELEMENT_COST + bytes;
    return true;
}

static void *create_string(const redisReadTask *task, char *text, size_t n)
{
    return affordable(task, n) ? conn_of(task)->objects->createString(task, text, n) : NULL;
}

static void *create_array(const redisReadTask *task, int n)
{
    if (n < 0 || n > REDIS_REPLY_ELEMENTS || !affordable(task, (size_t)n * sizeof(void *)))
        return NULL;
    return conn_of(task)->objects->createArray(task, n);
}

static void *create_integer(const redisReadTask *task, long long value)
{
    return affordable(task, 0) ? conn_of(task)->objects->createInteger(task, value) : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    return affordable(task, 0) ? conn_of(task)->objects->createNil(task) : NULL;
}

static redisReplyObjectFunctions bounded = {create_string, create_array, create_integer, create_nil,
                                            freeReplyObject};

/* The end */

static void finish(struct redis_conn *c, const char *why)
{
    if (c->dead)
        return;
    c->dead = true;
    ev_io_stop(c->loop, &c->read);
    ev_io_stop(c->loop, &c->write);
    ev_timer_stop(c->loop, &c->tick);
    c->options.closed(c->options.context, why); /* frees it */
}

static void finish_errno(struct redis_conn *c, const char *what, int error)
{
    char why[REDIS_WHY];

    snprintf(why, sizeof(why), "%s: %s", what, strerror(error));
    finish(c, why);
}

/* Commands */

/* What has been sent makes room. It may have been a password. */
static void forget_sent(struct redis_conn *c)
{
    size_t left = c->out.n - c->sent;

    if (c->sent == 0)
        return;
    memmove(c->out.p, c->out.p + c->sent, left);
    explicit_bzero(c->out.p + left, c->sent);
    c->out.n = left;
    c->sent = 0;
}

/* All of it or nothing: half a command must never be sent. */
static int add_command(struct redis_conn *c, struct slice text)
{
    if (text.n > REDIS_OUT_BYTES - c->out.n)
        forget_sent(c);
    if (text.n > REDIS_OUT_BYTES - c->out.n)
        return CC_EFULL;
    buf_add(&c->out, text);
    return buf_error(&c->out);
}

int redis_conn_send(struct redis_conn *c, const struct slice *args, size_t n, redis_done *done,
                    void *context)
{
    const char *argv[ARGS_MAX];
    size_t argl[ARGS_MAX];
    char *text = NULL;
    int length, rc;

    CC_ASSERT(n > 0 && n <= ARGS_MAX);
    if (c->dead || c->n == REDIS_UNDER_WAY)
        return CC_EFULL;
    for (size_t i = 0; i < n; i++) {
        argv[i] = args[i].p != NULL ? args[i].p : "";
        argl[i] = args[i].n;
    }
    length = redisFormatCommandArgv(&text, (int)n, argv, argl);
    if (length < 0)
        return CC_ENOMEM;
    rc = add_command(c, slice_make(text, (size_t)length));
    redisFreeCommand(text);
    if (rc != CC_OK)
        return rc;
    c->waiting[(c->first + c->n) % REDIS_UNDER_WAY] =
        (struct waiting){done, context, ev_now(c->loop)};
    c->n++;
    c->options.counters->commands++;
    if (c->open)
        ev_io_start(c->loop, &c->write);
    return CC_OK;
}

int redis_conn_send_pushed(struct redis_conn *c, const struct slice *args, size_t n)
{
    int rc = redis_conn_send(c, args, n, NULL, NULL);

    if (rc == CC_OK)
        c->n--; /* no command waits for the answer */
    return rc;
}

static void drop_waiting(struct redis_conn *c)
{
    while (c->n > 0) {
        struct waiting w = c->waiting[c->first];

        c->first = (c->first + 1) % REDIS_UNDER_WAY;
        c->n--;
        c->options.counters->lost++;
        if (w.done != NULL)
            w.done(w.context, NULL);
    }
}

/* Replies */

/* False: the connection is gone. */
static bool take_reply(struct redis_conn *c, redisReply *reply)
{
    bool gone = false;

    c->reply_bytes = 0;
    c->gone = &gone;
    c->options.counters->errors += reply->type == REDIS_REPLY_ERROR;
    if (c->n > 0) {
        struct waiting w = c->waiting[c->first];

        c->first = (c->first + 1) % REDIS_UNDER_WAY;
        c->n--;
        if (w.done != NULL)
            w.done(w.context, reply);
    } else if (c->options.pushed != NULL) {
        c->options.pushed(c->options.context, reply);
    } else {
        finish(c, "it answers what nobody asked");
    }
    freeReplyObject(reply);
    if (!gone)
        c->gone = NULL;
    return !gone;
}

/* All replies that are there. False: the connection is gone. */
static bool parse(struct redis_conn *c)
{
    void *reply;

    for (;;) {
        if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
            finish(c, c->reader->err == REDIS_ERR_OOM ? "a reply is too large"
                                                      : "a reply is not of its protocol");
            return false;
        }
        if (reply == NULL)
            break;
        if (!take_reply(c, reply))
            return false;
    }
    if (c->reader->len <= UNPARSED_MAX)
        return true;
    finish(c, "a reply is too large");
    return false;
}

static void on_read(struct ev_loop *loop, ev_io *io, int revents)
{
    struct redis_conn *c = io->data;
    char room[READ_BYTES];

    (void)revents;
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = recv(c->fd, room, sizeof(room), 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            finish_errno(c, "reading", errno);
            return;
        }
        if (n == 0) {
            finish(c, "it closed the connection");
            return;
        }
        c->heard = ev_now(loop);
        if (redisReaderFeed(c->reader, room, (size_t)n) != REDIS_OK) {
            finish(c, "there is no memory for a reply");
            return;
        }
        if (!parse(c))
            return;
    }
}

/* Time, and the beginning */

static void on_tick(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct redis_conn *c = timer->data;
    char why[REDIS_WHY];

    (void)revents;
    if (!c->open && ev_now(loop) - c->begun > (ev_tstamp)c->options.connect_ms / 1000) {
        finish(c, "connecting takes too long");
    } else if (c->n > 0 &&
               ev_now(loop) - c->waiting[c->first].sent > (ev_tstamp)c->options.command_ms / 1000) {
        snprintf(why, sizeof(why), "no answer within %llu ms",
                 (unsigned long long)c->options.command_ms);
        finish(c, why);
    }
}

static bool finish_connect(struct redis_conn *c)
{
    int error = 0, on = 1;
    socklen_t size = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        finish_errno(c, "connecting", error);
        return false;
    }
    if (c->options.address.ss_family != AF_UNIX &&
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        log_debug("redis: cannot set TCP_NODELAY: %s", strerror(errno));
    c->open = true;
    c->heard = ev_now(c->loop);
    ev_io_start(c->loop, &c->read);
    return true;
}

static void on_write(struct ev_loop *loop, ev_io *io, int revents)
{
    struct redis_conn *c = io->data;
    bool gone = false;
    ssize_t n;

    (void)revents;
    if (!c->open) {
        if (!finish_connect(c))
            return;
        c->gone = &gone;
        c->options.opened(c->options.context);
        if (gone)
            return;
        c->gone = NULL;
    }
    if (c->sent < c->out.n) {
        n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            finish_errno(c, "writing", errno);
            return;
        }
        c->sent += n > 0 ? (size_t)n : 0;
    }
    if (c->sent < c->out.n)
        return;
    forget_sent(c);
    ev_io_stop(loop, &c->write);
}

static int start(struct redis_conn *c)
{
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&c->options.address;

    c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return cc_from_errno(errno);
    if (connect(c->fd, address, c->options.address_size) != 0 && errno != EINPROGRESS)
        return cc_from_errno(errno);
    ev_io_init(&c->read, on_read, c->fd, EV_READ);
    ev_io_init(&c->write, on_write, c->fd, EV_WRITE);
    ev_io_start(c->loop, &c->write);
    ev_timer_init(&c->tick, on_tick, TICK_S, TICK_S);
    ev_timer_start(c->loop, &c->tick);
    return CC_OK;
}

int redis_conn_new(struct redis_conn **out, struct ev_loop *loop,
                   const struct redis_conn_options *options)
{
    struct redis_conn *c = calloc(1, sizeof(*c));
    int rc = CC_ENOMEM;

    if (c == NULL)
        return CC_ENOMEM;
    c->loop = loop;
    c->options = *options;
    c->fd = -1;
    c->begun = ev_now(loop);
    c->read.data = c->write.data = c->tick.data = c;
    ev_init(&c->read, on_read);
    ev_init(&c->write, on_write);
    ev_init(&c->tick, on_tick);
    buf_init(&c->out, REDIS_OUT_BYTES);
    c->waiting = calloc(REDIS_UNDER_WAY, sizeof(*c->waiting));
    c->reader = redisReaderCreate();
    if (c->waiting == NULL || c->reader == NULL)
        goto out;
    c->objects = c->reader->fn;
    c->reader->fn = &bounded;
    c->reader->privdata = c;
    rc = start(c);
    if (rc != CC_OK)
        goto out;
    *out = c;
    c = NULL;
out:
    redis_conn_free(&c);
    return rc;
}

void redis_conn_free(struct redis_conn **pc)
{
    struct redis_conn *c = *pc;

    *pc = NULL;
    if (c == NULL)
        return;
    c->dead = true;
    if (c->gone != NULL)
        *c->gone = true;
    ev_io_stop(c->loop, &c->read);
    ev_io_stop(c->loop, &c->write);
    ev_timer_stop(c->loop, &c->tick);
    if (c->fd >= 0)
        close(c->fd);
    if (c->waiting != NULL)
        drop_waiting(c);
    if (c->reader != NULL)
        redisReaderFree(c->reader);
    if (c->out.p != NULL)
        explicit_bzero(c->out.p, c->out.n); /* AUTH may be in it */
    buf_free(&c->out);
    free(c->waiting);
    free(c);
}

ev_tstamp redis_conn_heard(const struct redis_conn *c)
{
    return c->heard;
}
