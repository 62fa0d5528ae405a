/* admin: the agent's admin socket, in the manner of HAProxy's stats socket.
 *
 *     echo "show info" | socat stdio unix-connect:/run/cc/admin.sock
 *
 * One line holds commands with ';' between them; each answer ends with an empty line, and then the
 * connection is closed. After the command `prompt` it stays open for further lines.
 *
 * Modules register tables of commands; `help` is made from them. A command runs on the main
 * thread's loop, to its end or, when its answer is long or others have to be asked, in steps: it
 * holds nobody up, and workers never wait for it. All is bounded: connections, the length of a
 * line, what waits to be sent, and the time that a client may take. Who can connect may do
 * anything: the socket's mode is 0600.
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

struct session;

/* What a command waits for, in memory of its own. */
struct admin_wait {
    /* The command is not called again: the client left. admin_wake() must not be called. */
    void (*gone)(struct admin_wait *wait);
    struct session *session; /* the socket's; NULL: woken */
};

struct admin_call {
    void *context;           /* of the table */
    const struct slice *arg; /* the words behind the command's own */
    size_t n_args;
    uint64_t cursor; /* 0 at the first step; the command's own from then on */
    /* NULL at the first step. Of a command that asked others and is to be called again when they
     * have answered, which must be soon: what it waits for. NULL again when it needs it no more. */
    struct admin_wait *wait;
    struct buf *out; /* the answer, lines that end with '\n' */
};

/* One row a command. */
struct admin_command {
    const char *name;      /* its words: "show info" */
    const char *arguments; /* for help: "ID [until TIME]"; "" = none */
    const char *help;
    size_t min_args, max_args;
    /* True: there is more to say; it is called again when this has been sent and, with a wait that
     * it has set in this step, admin_wake() was called. A step adds about ADMIN_STEP_BYTES at most,
     * and takes no time that anybody would notice. */
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

/* Not from within the command: it is called again, in a later turn of the loop. */
void admin_wake(struct admin_wait *wait);

/* No new connections, and the socket's file is gone, so that another agent can start. */
void admin_stop_listening(struct admin *a);

#define ADMIN_COUNTERS(X)                                        \
    X(sessions, "connections to the admin socket")               \
    X(commands, "commands run")                                  \
    X(refused, "connections refused because there are too many") \
    X(timeouts, "connections closed because the client was slow")

/* Adds " admin_sessions=..." to a line of counters. */
void admin_report(const struct admin *a, struct buf *out);
