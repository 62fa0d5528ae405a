/* resolver: a host's name -> its address, in a thread of its own: getaddrinfo(3) blocks, and the
 * main loop must not. One look-up each; given up by resolver_free(), which does not wait for it. */
#pragma once

#include "base/base.h"

#include <ev.h>
#include <sys/socket.h>

struct resolver;

struct resolver_result {
    struct sockaddr_storage address;
    socklen_t size;    /* 0: there is none */
    const char *error; /* then: why */
};

/* `done` is called once, from the loop; the resolver is then to be freed. Numeric addresses take
 * the same way. */
int resolver_start(struct resolver **out, struct ev_loop *loop, const char *host, const char *port,
                   void (*done)(void *context, const struct resolver_result *result),
                   void *context);
void resolver_free(struct resolver **r);
