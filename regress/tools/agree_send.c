/* agree_send: sends each line of a batch file to a gateway, one after the other, and says what came
 * back, one JSON object a line.
 *
 *     agree_send SOCKET <BATCH
 *
 * A line is METHOD PATH and headers, separated by tabs, as for `cc-gen explain --batch`. SOCKET is
 * the gateway's entry socket, which takes the PROXY protocol. What the backend saw, it tells in the
 * headers got-path, got-host, got-port, got-id, got-authorization, got-authorizations (how many)
 * and got-x-token of its answer. */
#include "http_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { ANSWER_BYTES = 64 << 10, REQUEST_BYTES = 64 << 10 };

struct client {
    const char *path;
    int fd; /* -1: not connected */
    char room[ANSWER_BYTES];
    size_t n; /* bytes in room */
};

static void die(const char *what)
{
    fprintf(stderr, "agree_send: %s\n", what);
    exit(EX_UNAVAILABLE);
}

static void send_all(struct client *c, struct slice s)
{
    while (s.n > 0) {
        ssize_t n = write(c->fd, s.p, s.n);

        if (n <= 0)
            die("the gateway does not take the request");
        s = slice_from(s, (size_t)n);
    }
}

static void connect_to(struct client *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 10};

    if (c->fd >= 0)
        return;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", c->path);
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("the gateway cannot be reached");
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    c->n = 0;
    send_all(c, SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n"));
}

/* Reads until there are `want` bytes; with 0, until the end of the headers. Their length. */
static size_t receive(struct client *c, size_t want)
{
    for (;;) {
        char *end = want == 0 ? memmem(c->room, c->n, "\r\n\r\n", 4) : NULL;
        ssize_t n;

        if (end != NULL)
            return (size_t)(end - c->room) + 4;
        if (want > 0 && c->n >= want)
            return want;
        n = c->n < sizeof(c->room) ? read(c->fd, c->room + c->n, sizeof(c->room) - c->n) : 0;
        if (n <= 0)
            die("an answer is cut short or too large");
        c->n += (size_t)n;
    }
}

static void set(json_t *object, const char *name, struct slice value)
{
    json_object_set_new(object, name,
                        value.p == NULL ? json_null() : json_stringn(value.p, value.n));
}

static void print_answer(struct slice headers, struct slice body)
{
    struct slice id = http_header(headers, "got-id");
    json_t *answer = json_object(), *parsed;
    json_error_t error;
    uint64_t status = 0;

    if (slice_to_u64(slice_first(slice_from(headers, strlen("HTTP/1.1 ")), 3), &status) != CC_OK)
        die("an answer has no status");
    json_object_set_new(answer, "status", json_integer((json_int_t)status));
    parsed = body.n > 0 ? json_loadb(body.p, body.n, 0, &error) : NULL;
    if (json_object_get(parsed, "code") != NULL)
        json_object_set(answer, "code", json_object_get(parsed, "code"));
    else
        json_object_set_new(answer, "code", json_null());
    json_decref(parsed);
    set(answer, "type", http_header(headers, "content-type"));
    set(answer, "x-at", http_header(headers, "x-at"));
    set(answer, "body", body.n > 0 ? body : SLICE_NONE);
    set(answer, "id", id.p != NULL ? id : http_header(headers, "x-trace-key"));
    set(answer, "path", http_header(headers, "got-path"));
    set(answer, "host", http_header(headers, "got-host"));
    set(answer, "port", http_header(headers, "got-port"));
    set(answer, "cors_origin", http_header(headers, "access-control-allow-origin"));
    set(answer, "authorization", http_header(headers, "got-authorization"));
    set(answer, "authorizations", http_header(headers, "got-authorizations"));
    set(answer, "x-token", http_header(headers, "got-x-token"));
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(answer);
}

static void ask(struct client *c, struct slice line)
{
    struct slice rest = line, start, field, headers, length;
    bool head = slice_starts(line, SLICE("HEAD ")), closing;
    uint64_t n = 0;
    struct buf b;
    size_t end;

    connect_to(c);
    buf_init(&b, REQUEST_BYTES);
    slice_split(&rest, '\t', &start);
    buf_printf(&b, "%" PRIslice " HTTP/1.1\r\n", SLICE_ARG(start));
    while (slice_split(&rest, '\t', &field)) {
        buf_add(&b, field);
        buf_add_str(&b, "\r\n");
    }
    buf_add_str(&b, "\r\n");
    if (buf_error(&b) != CC_OK)
        die("a request is too large");
    send_all(c, buf_slice(&b));
    buf_free(&b);

    end = receive(c, 0);
    headers = slice_make(c->room, end);
    closing = slice_eq_nocase(http_header(headers, "connection"), SLICE("close"));
    length = http_header(headers, "content-length");
    if (!head && length.p != NULL && slice_to_u64(length, &n) != CC_OK)
        die("an answer has an odd length");
    if (n > sizeof(c->room) - end)
        die("an answer is too large");
    if (n > 0)
        receive(c, end + (size_t)n);
    print_answer(headers, slice_make(c->room + end, (size_t)n));
    c->n -= end + (size_t)n;
    memmove(c->room, c->room + end + n, c->n);
    if (closing) {
        close(c->fd);
        c->fd = -1;
    }
}

int main(int argc, char **argv)
{
    static struct client c;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (argc != 2) {
        fputs("usage: agree_send SOCKET <BATCH\n", stderr);
        return EX_USAGE;
    }
    c.path = argv[1];
    c.fd = -1;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* others look at it meanwhile */
    while ((n = getline(&line, &room, stdin)) > 0) {
        if (line[n - 1] == '\n')
            n--;
        ask(&c, slice_make(line, (size_t)n));
        if (c.n > 0) {
            fprintf(stderr, "%.*s\n%.*s\n", (int)n, line, (int)c.n, c.room);
            die("there is more than one answer to a request");
        }
    }
    free(line);
    if (c.fd >= 0)
        close(c.fd);
    return EX_OK;
}
