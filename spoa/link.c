#include "spoa/link.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINK_READS_PER_TURN = 4 };

static const ev_tstamp HELLO_TIMEOUT_S = 5.;  /* from accept to HELLO, or a health check's end */
static const ev_tstamp LEAVE_TIMEOUT_S = 5.;  /* for the peer to take its last answers */
static const ev_tstamp LINGER_TIMEOUT_S = 1.; /* from our goodbye to the peer's close */

struct link {
    struct link_set *set;
    struct link *prev, *next;
    int fd;
    bool leaving; /* the goodbye is in the output */
    bool shut;    /* and it was sent; the sending side is shut down */
    ev_io io;
    ev_timer timer;
    struct conn conn;
};

static void close_link(struct link *link)
{
    struct link_set *set = link->set;

    ev_io_stop(set->loop, &link->io);
    ev_timer_stop(set->loop, &link->timer);
    close(link->fd);
    if (link->prev != NULL)
        link->prev->next = link->next;
    else
        set->first = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev;
    conn_cleanup(&link->conn);
    free(link);
    set->n--;
    counter_bump(&set->counters->closed);
    /* relaxed: a number for the listener's limit, nothing is ordered by it */
    atomic_fetch_sub_explicit(set->total, 1, memory_order_relaxed);
    if (set->draining && set->n == 0)
        ev_break(set->loop, EVBREAK_ALL);
}

/* CC_OK: bytes came. CC_EAGAIN: none now. CC_ECLOSED: none ever. *drained: the socket is empty. */
static int receive(struct link *link, bool *drained)
{
    void *room;
    size_t size = conn_room(&link->conn, &room);
    ssize_t n;

    /* a frame that does not fit is refused by its length, so there is room for the rest of one */
    CC_ASSERT(size > 0);
    do
        n = read(link->fd, room, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? CC_EAGAIN : CC_ECLOSED;
    if (n == 0)
        return CC_ECLOSED;
    conn_received(&link->conn, (size_t)n);
    *drained = (size_t)n < size; /* spares the read that would say EAGAIN */
    return CC_OK;
}

/* CC_OK: all is sent. CC_EAGAIN: the socket is full. CC_ECLOSED: the peer is gone. */
static int send_output(struct link *link)
{
    for (;;) {
        struct slice out = conn_output(&link->conn);
        ssize_t n;

        if (out.n == 0)
            return CC_OK;
        n = send(link->fd, out.p, out.n, MSG_NOSIGNAL);
        if (n >= 0)
            conn_sent(&link->conn, (size_t)n);
        else if (errno == EAGAIN)
            return CC_EAGAIN;
        else if (errno != EINTR)
            return CC_ECLOSED;
    }
}

/* Answers all whole frames that were received; those of one read leave in one write. */
static int answer(struct link *link)
{
    bool more;
    int rc;

    do {
        more = conn_process(&link->conn);
        rc = send_output(link);
    } while (more && rc == CC_OK);
    return rc;
}

static void log_fault(struct link *link)
{
    struct link_set *set = link->set;

    if (link->conn.status == SPOP_NORMAL || ev_now(set->loop) - set->logged < 1.)
        return;
    set->logged = ev_now(set->loop);
    log_warn("connection ended with SPOP status %d: %s", (int)link->conn.status,
             spop_status_text(link->conn.status));
}

static void start_timer(struct link *link, ev_tstamp seconds)
{
    ev_timer_stop(link->set->loop, &link->timer);
    ev_timer_set(&link->timer, seconds, 0.);
    ev_timer_start(link->set->loop, &link->timer);
}

static void leave(struct link *link, bool pending)
{
    if (!link->leaving) {
        link->leaving = true;
        log_fault(link);
        start_timer(link, LEAVE_TIMEOUT_S);
    }
    if (!pending && !link->shut) {
        /* Half-close, then read away what is still coming: closing with unread input would reset
         * the connection and could destroy the goodbye before the peer has read it. */
        link->shut = true;
        shutdown(link->fd, SHUT_WR);
        start_timer(link, LINGER_TIMEOUT_S);
    }
}

/* After a turn: what to wait for next, and until when. */
static void watch(struct link *link)
{
    bool pending = conn_output(&link->conn).n > 0;
    int events = pending ? EV_WRITE : EV_READ;

    if (link->conn.state == CONN_GOODBYE)
        leave(link, pending);
    else if (link->conn.state == CONN_OPEN && ev_is_active(&link->timer))
        ev_timer_stop(link->set->loop, &link->timer);
    /* back-pressure: no reading while answers wait */
    if ((link->io.events & (EV_READ | EV_WRITE)) != events) {
        ev_io_stop(link->set->loop, &link->io);
        ev_io_set(&link->io, link->fd, events);
        ev_io_start(link->set->loop, &link->io);
    }
}

/* One turn: send, receive, answer. False: the link was closed and is gone. */
static bool run(struct link *link)
{
    bool drained = false;
    int rc = answer(link);

    for (int i = 0; i < LINK_READS_PER_TURN && rc == CC_OK && !drained; i++) {
        rc = receive(link, &drained);
        if (rc == CC_OK)
            rc = answer(link);
    }
    if (rc == CC_ECLOSED) {
        close_link(link);
        return false;
    }
    watch(link);
    return true;
}

static void on_io(struct ev_loop *loop, ev_io *io, int revents)
{
    (void)loop;
    (void)revents;
    run(io->data);
}

/* Something that waited can be answered: as soon as the loop is back at its events. The watcher is
 * active, for a link always waits for its socket. */
static void on_ready(struct defer_line *line)
{
    struct link *link = (struct link *)(void *)((char *)line - offsetof(struct link, conn.line));

    ev_feed_event(link->set->loop, &link->io, EV_CUSTOM);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct link *link = timer->data;

    (void)loop;
    (void)revents;
    if (link->conn.state == CONN_NEW)
        counter_bump(&link->set->counters->timeouts);
    close_link(link);
}

void link_set_add(struct link_set *set, int fd)
{
    struct link *link = calloc(1, sizeof *link);

    if (link == NULL) {
        close(fd);
        atomic_fetch_sub_explicit(set->total, 1, memory_order_relaxed);
        return;
    }
    link->set = set;
    link->fd = fd;
    conn_init(&link->conn, set->responder, set->clock, set->counters, on_ready);
    link->next = set->first;
    if (set->first != NULL)
        set->first->prev = link;
    set->first = link;
    set->n++;
    counter_bump(&set->counters->connections);
    link->io.data = link;
    link->timer.data = link;
    ev_io_init(&link->io, on_io, fd, EV_READ);
    ev_timer_init(&link->timer, on_timer, HELLO_TIMEOUT_S, 0.);
    ev_io_start(set->loop, &link->io);
    ev_timer_start(set->loop, &link->timer);
}

void link_set_drain(struct link_set *set)
{
    struct link *next;

    set->draining = true;
    for (struct link *link = set->first; link != NULL; link = next) {
        next = link->next;
        /* first what is in the socket already, then the goodbye */
        if (!run(link))
            continue;
        conn_drain(&link->conn);
        run(link);
    }
    if (set->n == 0)
        ev_break(set->loop, EVBREAK_ALL);
}

void link_set_close(struct link_set *set)
{
    struct link *next;

    for (struct link *link = set->first; link != NULL; link = next) {
        next = link->next;
        close_link(link);
    }
}
