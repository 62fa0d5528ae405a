/* listener: the agent's listening socket, a unix path or host:port.
 *
 * An address with a '/' is a path. Opening may block (a look-up of the host name); it happens once
 * at start. A missing directory of the path is created with mode 0750 and the group of the socket,
 * so that HAProxy, and nobody else, can reach what is inside; a directory that exists is left as it
 * is. A socket file that nobody answers on is a leftover and is replaced; one that somebody answers
 * on means another agent, and that is refused. */
#pragma once

#include "base/base.h"

#include <sys/types.h>

struct listener_options {
    struct slice address; /* "/run/cc/agent.sock" or "127.0.0.1:9123" */
    unsigned mode;        /* of the socket file */
    struct slice group;   /* of the socket file; "" = leave */
    const char *setting;  /* what the operator calls it; NULL: agent.socket */
};

struct listener {
    int fd; /* -1: closed */
    bool tcp;
    char path[108]; /* the socket file to remove; "" = none */
    dev_t dev;      /* which file it was, so that only our own is removed */
    ino_t ino;
};

/* Opens, binds and listens. What went wrong has been logged. CC_EEXIST: another agent listens. */
int listener_open(struct listener *l, const struct listener_options *options);

/* Stops listening and removes the socket file. May be called twice. */
void listener_close(struct listener *l);

/* "host:port" or "[v6]:port" -> its parts; false when it is neither. */
bool listener_split_address(struct slice address, char host[256], char port[6]);
