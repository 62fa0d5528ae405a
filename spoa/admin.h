/* admin: the agent's admin socket, in the manner of HAProxy's stats socket.
 *
 *     echo "show info" | socat stdio unix-connect:/run/cc/admin.sock
 *
 * One line holds commands with ';' between them; each answer ends with an empty line, and then the
 * connection is closed. After the command `prompt` it stays open for further lines.
 *
 * Modules register tables of commands; `help` is made from them. A command runs on the main
 * thread's loop, to its end or, when its answer is long, in steps: it never waits, and workers
 * never wait for it. All is bounded: connections, the length of a line, what waits to be sent, and
 * the time that a client may take. Who can connect may do anything: the socket's mode is 0600.
 *
 * All calls are the main thread's. */
#pragma once

#include "spoa/admin_line.h"

#include <ev.h>

enum {
    ADMIN_LINE_MAX = 8192,
    ADMIN_SESSIONS_MAX = 16,
    ADMIN_OUT_MAX = 64 << 10, /* what waits to be sent to one client */
    ADMIN_STEP_BYTES = 16 << 10,
    ADMIN_TABLES_MAX = 16
};

struct admin_call {
    void *context;           /* of the table */
    const struct slice *arg; /* the words behind the command's own */
    size_t n_args;
    uint64_t cursor; /* 0 at the first step; the command's own from then on */
    struct buf *out; /* the answer, lines that end with '\n' */
};

/* One row a command. */
struct admin_command {
    const char *name;      /* its words: "show info" */
    const char *arguments; /* for help: "ID [until TIME]"; "" = none */
    const char *help;
    size_t min_args, max_args;
    /* True: there is more to say; it is called again when this has been sent. A step adds about
     * ADMIN_STEP_BYTES at most, and takes no time that anybody would notice. */
    bool (*run)(struct admin_call *call);
};

struct admin_options {
    struct slice path;
    uint64_t idle_ms; /* how long a client may take to send a line or to take an answer */
};

struct admin;

/* Listens. What went wrong has been logged. */
int admin_new(struct admin **out, struct ev_loop *loop, const struct admin_options *options);
void admin_free(struct admin **a);

/* The rows and the context outlive it. */
void admin_register(struct admin *a, const struct admin_command *rows, size_t n, void *context);

/* No new connections, and the socket's file is gone, so that another agent can start. */
void admin_stop_listening(struct admin *a);

#define ADMIN_COUNTERS(X)                                        \
    X(sessions, "connections to the admin socket")               \
    X(commands, "commands run")                                  \
    X(refused, "connections refused because there are too many") \
    X(timeouts, "connections closed because the client was slow")

/* Adds " admin_sessions=..." to a line of counters. */
void admin_report(const struct admin *a, struct buf *out);
