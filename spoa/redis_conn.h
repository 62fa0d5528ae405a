/* redis_conn: one connection to a Redis server on the main loop: commands out, replies in, in
 * order.
 *
 * hiredis formats the commands and parses the replies (RESP2). Its asynchronous half is not used:
 * it looks names up with the loop standing still, has no time-outs in Debian 12, and aborts the
 * program on replies that a server in its senses does not send. Here a server is not trusted: the
 * size of a reply, its elements and what waits to be read or sent are bounded, and what is over
 * ends the connection.
 *
 * A command is answered within its time or the connection ends; then all commands under way are
 * told so by a NULL reply. All calls and callbacks are the loop's thread's; nothing blocks. */
#pragma once

#include "base/base.h"

#include <ev.h>
#include <hiredis/hiredis.h>
#include <sys/socket.h>

enum {
    REDIS_REPLY_BYTES = 16 << 20, /* of one reply, with what holds it in memory */
    REDIS_REPLY_ELEMENTS = 1 << 16,
    REDIS_OUT_BYTES = 8 << 20, /* commands that wait to be sent */
    REDIS_UNDER_WAY = 1 << 14, /* commands that wait for their replies */
    REDIS_WHY = 160
};

#define REDIS_COUNTERS(X)                                                \
    X(connects, "times that it was connected")                           \
    X(failures, "times that connecting failed or a connection was lost") \
    X(commands, "commands sent")                                         \
    X(errors, "of which the server refused")                             \
    X(lost, "of which no answer came")                                   \
    X(messages, "messages of channels")

struct redis_counters {
#define X(name, help) uint64_t name;
    REDIS_COUNTERS(X)
#undef X
};

struct redis_conn;

struct redis_conn_options {
    struct sockaddr_storage address;
    socklen_t address_size;
    uint64_t connect_ms, command_ms;
    struct redis_counters *counters;
    /* It can be written to. */
    void (*opened)(void *context);
    /* A reply that no command waits for. NULL: there must be none. */
    void (*pushed)(void *context, const redisReply *reply);
    /* The end, and why; the connection is to be freed. Not called by redis_conn_free(). */
    void (*closed)(void *context, const char *why);
    void *context;
};

int redis_conn_new(struct redis_conn **out, struct ev_loop *loop,
                   const struct redis_conn_options *options);
/* Commands under way get NULL. May be called from callbacks. */
void redis_conn_free(struct redis_conn **c);

/* The reply lives until `done` returns. */
typedef void redis_done(void *context, const redisReply *reply);

/* Sends it with whatever else is sent in this turn of the loop. `done` may be NULL: the reply does
 * not matter. CC_EFULL: too much is waiting already; `done` is not called then. */
int redis_conn_send(struct redis_conn *c, const struct slice *args, size_t n, redis_done *done,
                    void *context);
/* The same for what is answered by pushes: SUBSCRIBE, and all after it. */
int redis_conn_send_pushed(struct redis_conn *c, const struct slice *args, size_t n);

/* When bytes last came, by the loop's clock. */
ev_tstamp redis_conn_heard(const struct redis_conn *c);
