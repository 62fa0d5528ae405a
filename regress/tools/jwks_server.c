/* jwks_server DIR [PORT]: an issuer's key set for scenarios, by HTTP on a port of 127.0.0.1, any
 * that is free or this one, which is written to DIR/port. Serves the public keys in DIR/keys
 * (x.pem; the file's name is the kid), as DIR/mode says:
 *
 *   ok [CACHE-CONTROL]   the key set, with an ETag; 304 when the client has it already
 *   file                 200 and DIR/set.json, whatever is in it
 *   status N             that status and no body
 *   html                 200 and a page
 *   empty                200 and a key set without keys
 *   huge                 200 and 10 MiB of a key set
 *   slow                 nothing, for longer than anybody waits
 *   drip                 200, then a byte a second
 *   redirect URL         302 to there
 *
 * A POST is an introspection (RFC 7662), for which "ok" means: 401 unless its Authorization is the
 * line in DIR/authorization, where there is such a file; else what DIR/tokens/TOKEN says, or that
 * it is not active.
 *
 * The file is read for each request, and each request appends a line to DIR/requests:
 * "PATH IF-NONE-MATCH", or "PATH TOKEN". A connection is a process of its own. */
#include "crypto/crypto.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 8192, SET_MAX = 1 << 20, HUGE_BYTES = 10 << 20, FOREVER_S = 120 };

static struct arena *arena;
static const char *dir;

static const char *path(const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name).p;
}

static void send_all(int fd, struct slice s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n <= 0)
            exit(0); /* the client had enough */
        s = slice_from(s, (size_t)n);
    }
}

static void answer(int fd, const char *status, const char *headers, struct slice body)
{
    char head[1024];
    struct buf b;

    buf_init_fixed(&b, head, sizeof(head));
    buf_printf(&b, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", status,
               body.n, headers);
    send_all(fd, buf_slice(&b));
    send_all(fd, body);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_pem(const struct dirent *e)
{
    return slice_ends(slice_of(e->d_name), SLICE(".pem"));
}

static void make_set(struct buf *out)
{
    struct dirent **files = NULL;
    int n = scandir(path("keys"), &files, is_pem, by_name);

    buf_add_str(out, "{\"keys\":[");
    for (int i = 0; i < n; i++) {
        struct slice name = slice_of(files[i]->d_name), pem;
        struct key *key = NULL;

        if (file_read(arena, arena_printf(arena, "%s/keys/%s", dir, name.p).p, 65536, &pem) !=
                CC_OK ||
            key_public_from_pem(&key, pem) != CC_OK)
            continue; /* is being exchanged */
        buf_add_str(out, slice_ends(buf_slice(out), SLICE("[")) ? "" : ",");
        jwks_write_key(key, slice_first(name, name.n - 4), JWT_ALG_COUNT, out);
        key_free(&key);
    }
    buf_add_str(out, "]}");
}

static void serve_set(int fd, struct slice if_none_match, struct slice cache_control)
{
    char etag[80], hex[65];
    struct slice headers;
    struct buf set;

    buf_init(&set, SET_MAX);
    make_set(&set);
    if (crypto_sha256_hex(buf_slice(&set), hex) != CC_OK)
        exit(1);
    snprintf(etag, sizeof(etag), "\"%.16s\"", hex);
    headers = arena_printf(arena, "ETag: %s\r\n%s%" PRIslice "%s", etag,
                           cache_control.n > 0 ? "Cache-Control: " : "", SLICE_ARG(cache_control),
                           cache_control.n > 0 ? "\r\n" : "");
    if (slice_is(if_none_match, etag))
        answer(fd, "304 Not Modified", headers.p, SLICE(""));
    else
        answer(fd, "200 OK", headers.p, buf_slice(&set));
    buf_free(&set);
}

/* The token of "token=TOKEN&..."; those of tests have nothing to decode. */
static struct slice form_token(struct slice form)
{
    struct slice pair = SLICE_NONE;

    while (slice_split(&form, '&', &pair))
        if (slice_starts(pair, SLICE("token=")))
            return slice_from(pair, 6);
    return SLICE("");
}

static void serve_introspection(int fd, struct slice form, struct slice authorization)
{
    struct slice token = form_token(form), text, wanted;

    if (file_read(arena, path("authorization"), 4096, &wanted) == CC_OK &&
        !slice_eq(slice_trim(slice_first(wanted, wanted.n - 1)), authorization))
        answer(fd, "401 Unauthorized", "", SLICE("{\"error\":\"invalid_client\"}"));
    else if (slice_find(token, '/') < 0 &&
             file_read(arena, arena_printf(arena, "%s/tokens/%" PRIslice, dir, SLICE_ARG(token)).p,
                       65536, &text) == CC_OK)
        answer(fd, "200 OK", "Content-Type: application/json\r\n", text);
    else
        answer(fd, "200 OK", "Content-Type: application/json\r\n", SLICE("{\"active\":false}"));
}

static void serve_huge(int fd)
{
    char *text = malloc(HUGE_BYTES);

    if (text == NULL)
        exit(1);
    memset(text, ' ', HUGE_BYTES);
    memcpy(text, "{\"keys\":[", 9);
    answer(fd, "200 OK", "", slice_make(text, HUGE_BYTES));
    free(text);
}

struct request {
    struct slice target, if_none_match, authorization, form;
    bool post;
};

static void serve(int fd, const struct request *r)
{
    struct slice rest = SLICE_NONE, mode = SLICE_NONE;

    if (file_read(arena, path("mode"), 1024, &rest) != CC_OK)
        exit(1);
    while (slice_ends(rest, SLICE("\n")))
        rest.n--;
    slice_split(&rest, ' ', &mode);
    if (slice_is(mode, "ok") && r->post)
        serve_introspection(fd, r->form, r->authorization);
    else if (slice_is(mode, "ok"))
        serve_set(fd, r->if_none_match, rest);
    else if (slice_is(mode, "file") && file_read(arena, path("set.json"), SET_MAX, &rest) == CC_OK)
        answer(fd, "200 OK", "", rest);
    else if (slice_is(mode, "status"))
        answer(fd, arena_printf(arena, "%" PRIslice " No", SLICE_ARG(rest)).p, "", SLICE(""));
    else if (slice_is(mode, "html"))
        answer(fd, "200 OK", "Content-Type: text/html\r\n", SLICE("<html>Sign in</html>"));
    else if (slice_is(mode, "empty"))
        answer(fd, "200 OK", "", SLICE("{\"keys\":[]}"));
    else if (slice_is(mode, "huge"))
        serve_huge(fd);
    else if (slice_is(mode, "redirect"))
        answer(fd, "302 Found",
               arena_printf(arena, "Location: %" PRIslice "\r\n", SLICE_ARG(rest)).p, SLICE(""));
    else if (slice_is(mode, "drip"))
        send_all(fd, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    for (int i = 0; i < FOREVER_S && (slice_is(mode, "slow") || slice_is(mode, "drip")); i++) {
        if (slice_is(mode, "drip"))
            send_all(fd, SLICE("{"));
        sleep(1);
    }
}

static bool is_header(struct slice line, struct slice name, struct slice *value)
{
    if (!slice_eq_nocase(slice_first(line, name.n), name))
        return false;
    *value = slice_trim(slice_first(slice_from(line, name.n), line.n - name.n - 1));
    return true;
}

/* False: more of it is to come. */
static bool parse(struct slice all, struct request *r)
{
    struct slice rest = all, line = SLICE_NONE, length = SLICE("0");
    uint64_t n = 0;

    *r = (struct request){.if_none_match = SLICE(""), .authorization = SLICE("")};
    if (!slice_contains(all, SLICE("\r\n\r\n")))
        return false;
    slice_split(&rest, '\n', &line);
    r->post = slice_starts(line, SLICE("POST "));
    slice_split(&line, ' ', &r->target);
    slice_split(&line, ' ', &r->target);
    while (slice_split(&rest, '\n', &line) && line.n > 1)
        if (!is_header(line, SLICE("If-None-Match:"), &r->if_none_match) &&
            !is_header(line, SLICE("Authorization:"), &r->authorization))
            is_header(line, SLICE("Content-Length:"), &length);
    r->form = rest;
    return slice_to_u64(length, &n) == CC_OK && rest.n >= n;
}

static void handle(int fd)
{
    char text[REQUEST_MAX];
    struct request request;
    size_t n = 0;
    FILE *log;

    do {
        ssize_t got = recv(fd, text + n, sizeof(text) - n, 0);

        if (got <= 0)
            exit(0); /* only looked whether somebody listens */
        n += (size_t)got;
    } while (!parse(slice_make(text, n), &request) && n < sizeof(text));
    log = fopen(path("requests"), "a");
    if (log != NULL) {
        fprintf(log, "%" PRIslice " %" PRIslice "\n", SLICE_ARG(request.target),
                SLICE_ARG(request.post ? form_token(request.form) : request.if_none_match));
        fclose(log);
    }
    serve(fd, &request);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t wanted = 0;
    char port[16];
    int on = 1;

    if (argc != 2 &&
        (argc != 3 || slice_to_u64(slice_of(argv[2]), &wanted) != CC_OK || wanted > 65535))
        return 64;
    dir = argv[1];
    address.sin_port = htons((uint16_t)wanted);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    arena = arena_new(64 << 20);
    signal(SIGCHLD, SIG_IGN);
    if (arena == NULL || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 64) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return 1;
    snprintf(port, sizeof(port), "%u\n", ntohs(address.sin_port));
    if (file_write_atomic(path("port"), slice_of(port), 0644) != CC_OK)
        return 1;
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        if (fork() == 0) {
            close(listener); /* a slow answer must not keep the port */
            handle(fd);
            _exit(0);
        }
        close(fd);
    }
}
