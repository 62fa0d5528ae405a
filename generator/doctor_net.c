#include "generator/doctor_net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD_MAX_BYTES = 16 << 10 };

/* How a connection attempt ended: 0, or an errno. */
static int attempt_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* Connects within the time. A descriptor, or -1 and errno. */
static int connect_within(int family, const struct sockaddr *address, socklen_t n, int timeout_ms)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error;

    if (fd < 0)
        return -1;
    if (connect(fd, address, n) == 0)
        return fd;
    /* A unix socket whose queue is full says EAGAIN at once: its program does not accept. */
    error = errno;
    if (error == EINPROGRESS)
        error = poll(&p, 1, timeout_ms) == 1 ? attempt_error(fd) : ETIMEDOUT;
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static int connect_unix(const char *path, int timeout_ms)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(sun.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(sun.sun_path, path, strlen(path));
    return connect_within(AF_UNIX, (const struct sockaddr *)&sun, sizeof(sun), timeout_ms);
}

/* An address that listens nowhere in particular is reached on loopback. */
static const char *reachable(const char *host)
{
    if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "*") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_tcp(const char *host, const char *port, int timeout_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int fd = -1;

    if (getaddrinfo(reachable(host), port, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (const struct addrinfo *a = list; fd < 0 && a != NULL; a = a->ai_next)
        fd = connect_within(a->ai_family, a->ai_addr, a->ai_addrlen, timeout_ms);
    freeaddrinfo(list);
    return fd;
}

int net_connect(const char *address, int timeout_ms)
{
    const char *colon = strrchr(address, ':');
    char host[256];
    int fd, n;

    if (address[0] == '/') {
        fd = connect_unix(address, timeout_ms);
    } else {
        bool brackets = address[0] == '[' && colon != NULL && colon > address && colon[-1] == ']';

        n = colon == NULL
                ? -1
                : snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - (brackets ? 2 : 0),
                           address + (brackets ? 1 : 0));
        if (n < 0 || (size_t)n >= sizeof(host))
            return EINVAL;
        fd = connect_tcp(host, colon + 1, timeout_ms);
    }
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* Reads until the other end closes, the buffer is full or the time is over. */
static void read_answer(int fd, int timeout_ms, struct buf *out)
{
    int64_t deadline_us = clock_mono_us(&clock_system) + (int64_t)timeout_ms * 1000;
    char chunk[4096];

    while (out->n < out->max) {
        int64_t left_us = deadline_us - clock_mono_us(&clock_system);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        size_t room = out->max - out->n;
        ssize_t n;

        if (left_us <= 0 || poll(&p, 1, (int)(left_us / 1000) + 1) <= 0)
            return;
        n = recv(fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk), 0);
        if (n <= 0)
            return;
        buf_add(out, slice_make(chunk, (size_t)n));
    }
}

/* "HTTP/1.1 200 OK" -> 200; 0 when it is no HTTP. */
static int status_of(struct slice answer)
{
    struct slice start = SLICE("HTTP/1.1 ");
    uint64_t status;

    if (!slice_starts(answer, start) ||
        slice_to_u64(slice_first(slice_from(answer, start.n), 3), &status) != CC_OK)
        return 0;
    return status >= 100 && status <= 999 ? (int)status : 0;
}

static void take_body(struct slice answer, struct buf *body)
{
    struct slice end = SLICE("\r\n\r\n");

    for (size_t i = 0; i + end.n <= answer.n; i++) {
        struct slice rest = slice_from(answer, i);

        if (!slice_starts(rest, end))
            continue;
        rest = slice_from(rest, end.n);
        buf_add(body, slice_first(rest, body->max - body->n));
        return;
    }
}

int net_get(const char *host, unsigned port, const char *host_header, const char *path,
            int timeout_ms, struct buf *body)
{
    struct buf answer;
    char request[1024], service[16];
    int n, fd, status = 0;

    snprintf(service, sizeof(service), "%u", port);
    fd = port != 0 ? connect_tcp(host, service, timeout_ms) : connect_unix(host, timeout_ms);
    if (fd < 0)
        return 0;
    /* PROXY protocol, version 1: UNKNOWN stands for a health check of the proxy's own. */
    n = snprintf(request, sizeof(request),
                 "%sGET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 port != 0 ? "" : "PROXY UNKNOWN\r\n", path, host_header);
    buf_init(&answer, HEAD_MAX_BYTES);
    if (n > 0 && (size_t)n < sizeof(request) &&
        send(fd, request, (size_t)n, MSG_NOSIGNAL) == (ssize_t)n) {
        read_answer(fd, timeout_ms, &answer);
        status = status_of(buf_slice(&answer));
        if (status != 0)
            take_body(buf_slice(&answer), body);
    }
    buf_free(&answer);
    close(fd);
    return status;
}
