/* A Redis server of ours, in the test's own thread: it says what the test tells it to. */
#pragma once

#include "base/base.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEERS = 8, TURNS = 4000 };

/* One connection, as the server sees it. */
struct redis_peer {
    int fd;
    struct buf got; /* all that came since something was last said */
};

struct redis_server {
    char dir[64], path[96];
    struct ev_loop *loop;
    int listener;
    struct redis_peer peers[PEERS];
    size_t n;
};

static inline int server_open(struct redis_server *s)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    snprintf(s->dir, sizeof s->dir, "/tmp/cc-redis-XXXXXX");
    if (mkdtemp(s->dir) == NULL)
        return -1;
    snprintf(s->path, sizeof s->path, "%s/r.sock", s->dir);
    memcpy(sun.sun_path, s->path, strlen(s->path) + 1);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    return bind(s->listener, (const struct sockaddr *)&sun, sizeof sun) == 0 &&
                   listen(s->listener, 16) == 0
               ? 0
               : -1;
}

static inline void server_close(struct redis_server *s)
{
    for (size_t i = 0; i < s->n; i++) {
        close(s->peers[i].fd);
        buf_free(&s->peers[i].got);
    }
    close(s->listener);
    ev_loop_destroy(s->loop);
    file_remove_tree(s->dir);
}

/* One turn of both sides. */
static inline void turn(struct redis_server *s)
{
    char room[65536];
    ssize_t n;
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);

    if (fd >= 0) {
        assert_true(s->n < PEERS);
        s->peers[s->n].fd = fd;
        buf_init(&s->peers[s->n++].got, 64 << 20);
    }
    for (size_t i = 0; i < s->n; i++)
        while ((n = recv(s->peers[i].fd, room, sizeof room, 0)) > 0)
            buf_add(&s->peers[i].got, slice_make(room, (size_t)n));
    ev_run(s->loop, EVRUN_NOWAIT);
}

#define UNTIL(s, condition)                            \
    do {                                               \
        for (int turns_ = 0; !(condition); turns_++) { \
            if (turns_ == TURNS)                       \
                fail_msg("never: %s", #condition);     \
            turn(s);                                   \
            usleep(turns_ < 100 ? 0 : 1000);           \
        }                                              \
    } while (0)

static inline bool got(const struct redis_server *s, size_t peer, const char *text)
{
    return peer < s->n && slice_contains(buf_slice(&s->peers[peer].got), slice_of(text));
}

static inline void say(struct redis_server *s, size_t peer, const char *text)
{
    size_t n = strlen(text);

    buf_reset(&s->peers[peer].got);
    while (n > 0) {
        ssize_t sent = send(s->peers[peer].fd, text, n, MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN)
            return; /* it has hung up */
        if (sent > 0) {
            text += sent;
            n -= (size_t)sent;
        }
        turn(s);
    }
}

/* Which of two connections, from this one on, subscribes is known by what it says. */
static inline void open_both(struct redis_server *s, size_t from, size_t *commands,
                             size_t *messages)
{
    UNTIL(s, (got(s, from, "PING") && got(s, from + 1, "SUBSCRIBE")) ||
                 (got(s, from + 1, "PING") && got(s, from, "SUBSCRIBE")));
    *commands = got(s, from, "PING") ? from : from + 1;
    *messages = *commands == from ? from + 1 : from;
}
