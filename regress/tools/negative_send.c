/* negative_send: sends the cases that negative_make wrote to a gateway, and compares what comes
 * back.
 *
 *     negative_send SOCKET TIMES <REQUESTS
 *
 * SOCKET is the gateway's entry socket, which takes the PROXY protocol. Each case goes TIMES times,
 * on a connection of its own, so that no odd request can hide behind another one's answer. The
 * status and the code of the answer must be those that the case expects. The backend counts its
 * requests and says the count in the header got-count: it must never have seen more than the cases
 * that expect a 200.
 *
 * Prints "CASE: STATUS CODE" for each answer, so that two runs can be compared, and on stderr what
 * is wrong. The first case is sent until it is as expected, for at most 10 s: keys may still be on
 * their way. */
#include "http_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { ANSWER_BYTES = 256 << 10, WAIT_S = 10 };

struct answer {
    unsigned status; /* 0: none came */
    char code[32];   /* "-": there is no JSON with a code */
    uint64_t count;  /* of the backend; 0: it says none */
};

static void die(const char *what)
{
    fprintf(stderr, "negative_send: %s\n", what);
    exit(EX_DATAERR);
}

static int connect_to(const char *path, struct slice from)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = WAIT_S};
    char proxy[128];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int n = snprintf(proxy, sizeof(proxy), "PROXY TCP%c %" PRIslice " %s 1234 80\r\n",
                     slice_find(from, ':') >= 0 ? '6' : '4', SLICE_ARG(from),
                     slice_find(from, ':') >= 0 ? "2001:db8::1" : "192.0.2.1");

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("the gateway cannot be reached");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (write(fd, proxy, (size_t)n) != n)
        die("the gateway does not take the PROXY line");
    return fd;
}

/* A gateway that has seen enough may close before it has read all. */
static void send_all(int fd, struct slice s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        s = slice_from(s, (size_t)n);
    }
}

/* The whole answer, as far as its own length says, or to the end of the connection. */
static struct slice receive(int fd, char *room, size_t *headers)
{
    size_t n = 0;
    uint64_t length = 0;

    *headers = 0;
    for (;;) {
        ssize_t got;

        if (*headers == 0) {
            char *end = memmem(room, n, "\r\n\r\n", 4);

            if (end != NULL) {
                *headers = (size_t)(end - room) + 4;
                if (slice_to_u64(http_header(slice_make(room, *headers), "content-length"),
                                 &length) != CC_OK)
                    length = 0;
            }
        }
        if ((*headers > 0 && n >= *headers + length) || n == ANSWER_BYTES)
            break;
        got = read(fd, room + n, ANSWER_BYTES - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return slice_make(room, n);
}

static void read_answer(struct slice all, size_t headers, struct answer *out)
{
    uint64_t status = 0, count = 0;
    json_t *body = NULL;
    const char *code;

    *out = (struct answer){.code = "-"};
    if (slice_to_u64(slice_first(slice_from(all, strlen("HTTP/1.1 ")), 3), &status) != CC_OK)
        return;
    out->status = (unsigned)status;
    if (slice_to_u64(http_header(slice_first(all, headers), "got-count"), &count) == CC_OK)
        out->count = count;
    if (all.n > headers)
        body = json_loadb(all.p + headers, all.n - headers, JSON_DISABLE_EOF_CHECK, NULL);
    code = json_string_value(json_object_get(body, "code"));
    if (code != NULL)
        snprintf(out->code, sizeof(out->code), "%s", code);
    json_decref(body);
}

struct wanted {
    struct slice name, status, code, from, request;
};

static void ask(const char *path, const struct wanted *w, struct answer *out)
{
    static char room[ANSWER_BYTES];
    int fd = connect_to(path, w->from);
    size_t headers = 0;
    struct slice all;

    send_all(fd, w->request);
    all = receive(fd, room, &headers);
    close(fd);
    read_answer(all, headers, out);
}

/* In its place: what print_escaped() of negative_make did. */
static struct slice unescape(char *p, size_t n)
{
    char *to = p;

    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\\') {
            *to++ = p[i];
        } else if (p[i + 1] == 'x') {
            *to++ = (char)(ascii_hex_value(p[i + 2]) << 4 | ascii_hex_value(p[i + 3]));
            i += 3;
        } else {
            *to++ = p[i + 1] == 'r' ? '\r' : '\n';
            i++;
        }
    }
    return slice_make(p, (size_t)(to - p));
}

static bool as_wanted(const struct wanted *w, const struct answer *got)
{
    char status[16];

    snprintf(status, sizeof(status), "%u", got->status);
    return slice_is(w->status, status) && (slice_is(w->code, "?") || slice_is(w->code, got->code));
}

struct tally {
    uint64_t allowed, seen; /* requests that the backend may have seen, and that it says it saw */
    unsigned cases, wrong;
};

static void run(const char *path, const struct wanted *w, unsigned times, struct tally *t)
{
    struct answer got;

    for (unsigned i = 0; i < times; i++) {
        ask(path, w, &got);
        t->allowed += slice_is(w->status, "200");
        t->seen = got.count > t->seen ? got.count : t->seen;
        printf("%" PRIslice ": %u %s\n", SLICE_ARG(w->name), got.status, got.code);
        if (as_wanted(w, &got) && t->seen <= t->allowed)
            continue;
        t->wrong++;
        fprintf(stderr,
                "%" PRIslice " (%u of %u): expected %" PRIslice " %" PRIslice
                ", got %u %s; the backend "
                "may have seen %llu requests and saw %llu\n",
                SLICE_ARG(w->name), i + 1, times, SLICE_ARG(w->status), SLICE_ARG(w->code),
                got.status, got.code, (unsigned long long)t->allowed, (unsigned long long)t->seen);
        t->allowed = t->seen > t->allowed ? t->seen : t->allowed; /* said once */
    }
}

/* Until the gateway can decide: its keys may still be on their way. */
static void await(const char *path, const struct wanted *w, struct tally *t)
{
    struct answer got;

    for (unsigned i = 0; i < 10 * WAIT_S; i++) {
        ask(path, w, &got);
        t->allowed = got.count;
        if (as_wanted(w, &got))
            return;
        usleep(100000);
    }
}

int main(int argc, char **argv)
{
    unsigned times = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
    struct tally t = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (times == 0) {
        fputs("usage: negative_send SOCKET TIMES <REQUESTS\n", stderr);
        return EX_USAGE;
    }
    while ((n = getline(&line, &room, stdin)) > 0) {
        struct slice rest = slice_make(line, (size_t)n - 1);
        struct wanted w;

        slice_split(&rest, '\t', &w.name);
        slice_split(&rest, '\t', &w.status);
        slice_split(&rest, '\t', &w.code);
        slice_split(&rest, '\t', &w.from);
        w.request = unescape(line + (rest.p - line), rest.n);
        if (t.cases++ == 0)
            await(argv[1], &w, &t);
        run(argv[1], &w, times, &t);
    }
    free(line);
    if (t.wrong == 0 && t.seen != t.allowed)
        die("the last case is none that reaches the backend, or the backend saw less than it "
            "should");
    fprintf(stderr, "%u cases, %u times each: %u wrong\n", t.cases, times, t.wrong);
    return t.cases > 0 && t.wrong == 0 ? EX_OK : EX_DATAERR;
}
