#include "generator/agent_ask.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A unix socket connects at once or not at all: EAGAIN is a queue that is full. */
static int connect_to(const char *path, int *out)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd, rc;

    if (strlen(path) >= sizeof(sun.sun_path))
        return CC_ETOOBIG;
    memcpy(sun.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return cc_from_errno(errno);
    if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0) {
        *out = fd;
        return CC_OK;
    }
    rc = errno == ECONNREFUSED ? CC_ECLOSED : cc_from_errno(errno);
    close(fd);
    return rc;
}

static int wait_for(int fd, short events, int64_t deadline_us)
{
    for (;;) {
        int64_t left_us = deadline_us - clock_mono_us(&clock_system);
        struct pollfd p = {.fd = fd, .events = events};
        int n = left_us > 0 ? poll(&p, 1, (int)(left_us / 1000) + 1) : 0;

        if (n > 0)
            return CC_OK;
        if (n == 0)
            return CC_EAGAIN;
        if (errno != EINTR)
            return cc_from_errno(errno);
    }
}

static bool again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int send_line(int fd, struct slice line, int64_t deadline_us)
{
    int rc = CC_OK;

    while (rc == CC_OK && line.n > 0) {
        ssize_t n = send(fd, line.p, line.n, MSG_NOSIGNAL);

        if (n >= 0)
            line = slice_from(line, (size_t)n);
        else
            rc = again() ? wait_for(fd, POLLOUT, deadline_us) : cc_from_errno(errno);
    }
    return rc;
}

/* The deadline holds for all of it, so that a byte now and then does not buy more time. */
static int read_answer(int fd, int64_t deadline_us, struct buf *answer)
{
    char chunk[4096];

    for (;;) {
        int rc = wait_for(fd, POLLIN, deadline_us);
        ssize_t n;

        if (rc != CC_OK)
            return rc;
        n = recv(fd, chunk, sizeof(chunk), 0);
        if (n == 0)
            return CC_OK;
        if (n < 0 && !again())
            return cc_from_errno(errno);
        if (n > 0)
            buf_add(answer, slice_make(chunk, (size_t)n));
        if (buf_error(answer) != CC_OK)
            return buf_error(answer) == CC_EFULL ? CC_ETOOBIG : buf_error(answer);
    }
}

int agent_ask(const char *socket, struct slice line, int64_t deadline_us, struct buf *answer)
{
    int fd = -1;
    int rc = connect_to(socket, &fd);

    if (rc != CC_OK)
        return rc;
    rc = send_line(fd, line, deadline_us);
    if (rc == CC_OK)
        rc = read_answer(fd, deadline_us, answer);
    close(fd);
    return rc;
}
