/* redis_link: the agent's one link to Redis, for all that share something through it.
 *
 *     users join -> the link connects, logs in, subscribes -> up() -> commands, messages -> down()
 * -> ...
 *
 * It is up when everything is: a connection for commands, and, when a user has a channel, a second
 * one that is subscribed to it, so that nothing is missed between up() and what the user reads
 * then. When either is lost, both are closed; it connects again after a while that doubles up to
 * half a minute, by chance longer or shorter, so that gateways do not all come at once. A change of
 * state is one line in the log. Nothing here waits: names are looked up elsewhere, and a server
 * that does not answer in time is lost.
 *
 * All calls and callbacks are the main thread's. */
#pragma once

#include "config/config.h"
#include "spoa/redis_conn.h"

struct redis_link;

struct redis_link_options {
    struct slice address;        /* a path, or host:port */
    struct slice user, password; /* empty: none */
    uint64_t database;
    uint64_t connect_ms, command_ms;
};

/* From cc.yaml; texts stay the config's. */
struct redis_link_options redis_link_settings(const struct config *config);

/* Does nothing before redis_link_start(). The options' texts outlive it. */
int redis_link_new(struct redis_link **out, struct ev_loop *loop,
                   const struct redis_link_options *options);
void redis_link_free(struct redis_link **l);

/* A user, who outlives the link. Callbacks may send, but not free the link. */
struct redis_user {
    struct slice channel; /* to be subscribed to; empty: none */
    void (*up)(void *context);
    /* It was lost, or the first attempt to connect failed. Commands under way have got their NULL.
     */
    void (*down)(void *context);
    void (*message)(void *context, struct slice payload);
    void *context;
    struct redis_user *next; /* the link's */
};
/* Before redis_link_start(). */
void redis_link_join(struct redis_link *l, struct redis_user *user);
void redis_link_start(struct redis_link *l);

bool redis_link_is_up(const struct redis_link *l);

/* As redis_conn_send(); CC_EAGAIN when it is not up. */
int redis_link_send(struct redis_link *l, const struct slice *args, size_t n, redis_done *done,
                    void *context);

/* A script, known to the server by its SHA-1; sent whole when the server says that it does not know
 * it. */
struct redis_script {
    struct slice text;
    char sha[41]; /* filled in by redis_script_init() */
};
int redis_script_init(struct redis_script *script, struct slice text);
/* `args` are n_keys keys and then arguments, at most 40; copied as long as they may be needed
 * again. */
int redis_link_eval(struct redis_link *l, const struct redis_script *script, size_t n_keys,
                    const struct slice *args, size_t n, redis_done *done, void *context);

/* Something that it answers makes no sense: gives it up, and tries again later. Not from up(). */
void redis_link_fail(struct redis_link *l, const char *why);

/* Adds " redis_up=1 redis_connects=..." to a line of counters. */
void redis_link_report(const struct redis_link *l, struct buf *out);
