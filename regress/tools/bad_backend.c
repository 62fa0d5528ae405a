/* A backend that misbehaves: bad_backend FILE listens on two ports of 127.0.0.1, writes them into FILE
 * ("PORT FULL\n"), and goes wrong as the last segment of a request's path says:
 *
 *   reset     resets the connection instead of answering    half-reset   in the midst of its headers
 *   close     closes it                                     half-close   in the midst of its headers
 *   garbage   answers what is no HTTP                       huge         has 64 KiB of headers
 *   stall     never answers                                 half-stall   never ends its headers
 *   unhappy   answers 504 with a body of its own            read         reads to the end of a body
 *
 * all else gets 200. FULL has a queue that is full already: connections to it are never accepted. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINGER_S = 20, FILLERS = 8, HUGE_LINES = 64 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bad_backend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(int backlog, struct sockaddr_in *address)
{
    socklen_t n = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && bind(fd, (struct sockaddr *)address, n) == 0 && listen(fd, backlog) == 0 &&
             getsockname(fd, (struct sockaddr *)address, &n) == 0,
         "listen");
    return fd;
}

/* Connections that nobody accepts; the kernel drops what comes after them. They stay open. */
static void fill(const struct sockaddr_in *address)
{
    for (int i = 0; i < FILLERS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        must(fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                         errno == EINPROGRESS),
             "connect");
    }
}

static void say(int fd, const char *text)
{
    must(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write");
}

/* RFC 9293 3.10.4: with no time to linger, close() sends RST. */
static void reset(int fd)
{
    struct linger now = {1, 0};

    must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0, "SO_LINGER");
    close(fd);
}

/* Reads the headers of a request; its path's last segment goes to `name`. */
static void read_request(int fd, char *name, size_t room)
{
    char text[8192];
    size_t n = 0;
    char *end, *slash;

    do {
        ssize_t got = read(fd, text + n, sizeof(text) - 1 - n);

        if (got <= 0)
            exit(0);
        n += (size_t)got;
        text[n] = '\0';
    } while (strstr(text, "\r\n\r\n") == NULL && n < sizeof(text) - 1);
    end = strstr(text, " HTTP/");
    must(end != NULL, "no request");
    *end = '\0';
    slash = strrchr(text, '/');
    snprintf(name, room, "%s", slash != NULL ? slash + 1 : "");
}

static void serve(int fd)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nx-begun: y";
    char name[64], rest[512];

    read_request(fd, name, sizeof(name));
    if (strncmp(name, "half-", 5) == 0)
        say(fd, half);
    if (strcmp(name, "half-reset") == 0 || strcmp(name, "half-close") == 0)
        usleep(300000); /* so that what was said is read before the end of it */
    if (strcmp(name, "reset") == 0 || strcmp(name, "half-reset") == 0) {
        reset(fd);
        return;
    }
    if (strcmp(name, "close") == 0 || strcmp(name, "half-close") == 0)
        return;
    if (strcmp(name, "stall") == 0 || strcmp(name, "half-stall") == 0)
        sleep(LINGER_S);
    else if (strcmp(name, "garbage") == 0)
        say(fd, "what is this\r\n\r\n");
    else if (strcmp(name, "unhappy") == 0)
        say(fd, "HTTP/1.1 504 Mine\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nmine\n");
    else if (strcmp(name, "huge") != 0 && strcmp(name, "read") != 0)
        say(fd, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nfine\n");
    if (strcmp(name, "huge") == 0) {
        char line[1024];

        signal(SIGPIPE, SIG_DFL); /* HAProxy need not read all of it */
        memset(line, 'y', sizeof(line));
        memcpy(line, "x-y: ", 5);
        memcpy(line + sizeof(line) - 2, "\r\n", 2);
        say(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < HUGE_LINES; i++)
            if (write(fd, line, sizeof(line)) < 0)
                return;
    }
    /* the end is the client's to make */
    while (read(fd, rest, sizeof(rest)) > 0)
        ;
}

int main(int argc, char **argv)
{
    struct sockaddr_in good, full;
    char draft[512];
    FILE *ports;
    int fd;

    must(argc == 2 && snprintf(draft, sizeof(draft), "%s.new", argv[1]) < (int)sizeof(draft),
         "bad_backend FILE");
    fd = listen_on(64, &good);
    listen_on(0, &full);
    fill(&full);
    signal(SIGCHLD, SIG_IGN);
    ports = fopen(draft, "w");
    must(ports != NULL && fprintf(ports, "%d %d\n", ntohs(good.sin_port), ntohs(full.sin_port)) > 0 &&
             fclose(ports) == 0 && rename(draft, argv[1]) == 0,
         argv[1]);
    for (;;) {
        int client = accept(fd, NULL, NULL);

        must(client >= 0 || errno == EINTR, "accept");
        if (client < 0)
            continue;
        if (fork() == 0) {
            close(fd);
            serve(client);
            _exit(0);
        }
        close(client);
    }
}
