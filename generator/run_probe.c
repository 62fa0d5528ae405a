#include "generator/run_probe.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct addrinfo *resolve(const char *host, unsigned port, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char service[16];

    snprintf(service, sizeof(service), "%u", port);
    if (host[0] == '\0' || strcmp(host, "*") == 0)
        host = NULL;
    return getaddrinfo(host, service, &hints, &list) == 0 ? list : NULL;
}

int probe_port(const char *host, unsigned port)
{
    struct addrinfo *address = resolve(host, port, AI_PASSIVE);
    int one = 1;
    int errnum = 0;
    int fd;

    if (address == NULL)
        return EADDRNOTAVAIL;
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* SO_REUSEADDR as HAProxy does it, to pass over TIME_WAIT; not SO_REUSEPORT, with which two
     * HAProxy would share the port and each get a part of the requests. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 1) != 0)
        errnum = errno;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return errnum;
}

/* An address that listens nowhere in particular is reached on loopback. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    if (strcmp(host, "::") == 0)
        return "::1";
    return host;
}

static int read_status(int fd)
{
    static const char start[] = "HTTP/1.1 ";
    char head[sizeof(start) + 2];
    size_t n = 0;

    while (n < sizeof(head)) {
        ssize_t got = recv(fd, head + n, sizeof(head) - n, 0);

        if (got <= 0)
            return 0;
        n += (size_t)got;
    }
    if (memcmp(head, start, sizeof(start) - 1) != 0)
        return 0;
    n = 0;
    for (size_t i = sizeof(start) - 1; i < sizeof(head); i++)
        n = n * 10 + (size_t)(head[i] - '0');
    return n >= 100 && n <= 999 ? (int)n : 0;
}

int probe_http(const char *host, unsigned port, const char *host_header, const char *path,
               int timeout_ms)
{
    struct addrinfo *address = resolve(reachable(host), port, 0);
    struct timeval timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000L};
    char request[1024];
    int length, fd;
    int status = 0;

    if (address == NULL)
        return 0;
    length =
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host_header);
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && length > 0 && (size_t)length < sizeof(request) &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
        connect(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        send(fd, request, (size_t)length, MSG_NOSIGNAL) == length)
        status = read_status(fd);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return status;
}
