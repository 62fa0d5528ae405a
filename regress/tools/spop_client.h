/* A connection to an agent as HAProxy makes one, and the request of the generated SPOE section; for
 * tools that put load on an agent. They end when something is not as it must be. */
#pragma once

#include "regress/tools/spop_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { SPOP_CLIENT_FRAME = 16380, SPOP_CLIENT_HEADERS = 8 };

struct spop_client_header {
    struct slice name, value;
};

_Noreturn static inline void spop_client_die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
            errno ? strerror(errno) : "failed");
    exit(EX_UNAVAILABLE);
}

/* The arguments, as the generated SPOE section names and orders them. Returns their length. */
static inline size_t spop_client_payload(uint8_t *room, size_t size, const char *method,
                                         const char *path, const char *host,
                                         const struct spop_client_header *headers, size_t n)
{
    struct spop_writer w = {room, room, room + size, false};
    char name[64];

    spop_put_name(&w, SLICE("cc-request"));
    spop_put_varint(&w, 8 + 2 * n);
    peer_put_int(&w, "hgen", 1);
    peer_put_text(&w, "id", SLICE("6ba7b810-9dad-11d1-80b4-00c04fd430c8"));
    spop_put_name(&w, SLICE("src"));
    spop_put_varint(&w, SPOP_IPV4);
    for (int i = 0; i < 4; i++)
        spop_put_varint(&w, 127);
    peer_put_text(&w, "method", slice_of(method));
    peer_put_text(&w, "path", slice_of(path));
    peer_put_null(&w, "query");
    peer_put_text(&w, "host", slice_of(host));
    spop_put_name(&w, SLICE("tls"));
    spop_put_bool(&w, false);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "h.%" PRIslice, SLICE_ARG(headers[i].name));
        peer_put_text(&w, name, headers[i].value);
        name[0] = 'n';
        peer_put_int(&w, name, 1);
    }
    if (w.overflow) {
        errno = EMSGSIZE;
        spop_client_die("the request");
    }
    return (size_t)(w.p - w.start);
}

/* A socket on which HELLO has been said and answered; -1 when nobody is there. */
static inline int spop_client_connect(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct peer_hello hello = peer_hello_usual();
    uint8_t room[1024];
    size_t n = strlen(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (n >= sizeof sun.sun_path) {
        errno = ENAMETOOLONG;
        spop_client_die(path);
    }
    memcpy(sun.sun_path, path, n);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof sun) != 0)
        goto gone;
    n = peer_write_hello(room, sizeof room, &hello);
    if (send(fd, room, n, MSG_NOSIGNAL) != (ssize_t)n)
        goto gone;
    n = 0;
    do {
        ssize_t got = recv(fd, room + n, sizeof room - n, 0);

        if (got <= 0)
            goto gone;
        n += (size_t)got;
    } while (peer_frame_bytes(slice_make(room, n)) == 0);
    if (room[SPOP_LENGTH_SIZE] != SPOP_AGENT_HELLO) {
        errno = 0;
        spop_client_die("HELLO was refused");
    }
    return fd;
gone:
    close(fd);
    return -1;
}
