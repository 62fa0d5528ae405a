/* spop_load: plays HAProxy toward an agent, as fast as the agent answers.
 *
 *     spop_load [options] SOCKET
 *
 * Keeps D requests in flight on each of C connections, checks each verdict, and prints requests/s,
 * latency and the CPU time that the agent used for a request, from the kernel's accounting of its
 * threads (/proc/PID/task/TID/schedstat, nanoseconds). One thread. */
#include "regress/tools/spop_client.h"

#include <dirent.h>
#include <getopt.h>
#include <poll.h>

enum {
    MAX_CONNECTIONS = 256,
    MAX_DEPTH = 256,
    MAX_ADDRESSES = 65536,
    BUFFER = 1 << 16,
    /* latency histogram: 16 steps in each power of two of microseconds */
    STEPS = 16,
    BUCKETS = 32 * STEPS
};

struct options {
    const char *socket, *method, *path, *host, *expect;
    struct spop_client_header headers[SPOP_CLIENT_HEADERS];
    size_t n_headers;
    uint64_t connections, depth, seconds, requests, warmup, addresses;
};

struct client {
    int fd;
    uint8_t in[BUFFER];
    size_t n_in;
    uint8_t *out; /* depth requests at most */
    size_t out_start, out_end, out_size;
    int64_t sent_us[MAX_DEPTH]; /* by slot; the stream-id is slot + 1 */
};

struct load {
    const struct options *options;
    struct client *clients;
    struct pollfd *fds;
    uint8_t payload[SPOP_CLIENT_FRAME]; /* the message, the same for all */
    size_t n_payload, src_at;           /* where in it the client's address is */
    uint64_t requests;                  /* of this run */
    uint64_t sent, answered, wrong, faults;
    uint64_t histogram[BUCKETS];
    bool stopping;
};

/* The histogram */

static size_t bucket_of(int64_t us)
{
    uint64_t v = us < 0 ? 0 : (uint64_t)us;
    unsigned power = 0;
    size_t i;

    if (v < STEPS)
        return (size_t)v;
    while (v >> (power + 1) >= STEPS)
        power++;
    i = (power + 1) * STEPS + (size_t)(v >> power) - STEPS;
    return i < BUCKETS ? i : BUCKETS - 1;
}

/* The smallest latency of a bucket. */
static uint64_t bucket_us(size_t i)
{
    return i < STEPS ? i : (uint64_t)(STEPS + i % STEPS) << (i / STEPS - 1);
}

static uint64_t percentile(const struct load *l, double fraction)
{
    uint64_t wanted = (uint64_t)((double)l->answered * fraction), seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        seen += l->histogram[i];
        if (seen > wanted)
            return bucket_us(i);
    }
    return 0;
}

/* The agent's CPU time */

static uint64_t thread_ns(pid_t pid, const char *tid)
{
    char path[64 + 256], line[128];
    uint64_t ns = 0;
    struct slice rest, first;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, tid);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fgets(line, sizeof line, f) != NULL) {
        rest = slice_of(line);
        slice_split(&rest, ' ', &first);
        if (slice_to_u64(first, &ns) != CC_OK)
            ns = 0;
    }
    fclose(f);
    return ns;
}

static uint64_t process_ns(pid_t pid)
{
    char path[64];
    struct dirent *entry;
    uint64_t sum = 0;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            sum += thread_ns(pid, entry->d_name);
    }
    closedir(dir);
    return sum;
}

static long resident_kb(pid_t pid)
{
    char path[64], line[128];
    long kb = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    }
    fclose(f);
    return kb;
}

/* Requests */

static void add_request(struct load *l, struct client *c, uint64_t slot)
{
    struct spop_writer w;

    if (c->out_start > 0) {
        memmove(c->out, c->out + c->out_start, c->out_end - c->out_start);
        c->out_end -= c->out_start;
        c->out_start = 0;
    }
    spop_begin(&w, c->out + c->out_end, c->out_size - c->out_end, SPOP_NOTIFY, slot + 1, 1);
    CC_ASSERT(l->n_payload <= (size_t)(w.end - w.p));
    memcpy(w.p, l->payload, l->n_payload);
    if (l->options->addresses > 1) {
        w.p[l->src_at + 2] = (uint8_t)(l->sent % l->options->addresses >> 8);
        w.p[l->src_at + 3] = (uint8_t)(l->sent % l->options->addresses);
    }
    w.p += l->n_payload;
    c->out_end += spop_end(&w, SPOP_MAX_FRAME_SIZE);
    c->sent_us[slot] = clock_mono_us(&clock_system);
    l->sent++;
}

/* Where the four bytes of the client's address are. */
static size_t find_src(const uint8_t *payload, size_t n)
{
    static const uint8_t name[] = {3, 's', 'r', 'c', SPOP_IPV4};
    const uint8_t *p = memmem(payload, n, name, sizeof name);

    CC_ASSERT(p != NULL);
    return (size_t)(p - payload) + sizeof name;
}

static void flush(struct client *c)
{
    while (c->out_start < c->out_end) {
        ssize_t n = send(c->fd, c->out + c->out_start, c->out_end - c->out_start,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            spop_client_die("send");
        c->out_start += (size_t)n;
    }
}

static void on_ack(struct load *l, struct client *c, struct slice body)
{
    struct spop_frame f;
    struct spop_value verdict, status;

    if (spop_read_frame(body, &f) != SPOP_NORMAL || f.type != SPOP_ACK || f.stream_id == 0 ||
        f.stream_id > l->options->depth || f.frame_id != 1) {
        errno = 0;
        spop_client_die("the agent sent something else than the ACK of a request");
    }
    if (!peer_ack_value(body, "verdict", &verdict) || !slice_is(verdict.bytes, l->options->expect))
        l->wrong++;
    if (peer_ack_value(body, "status", &status) && status.integer >= 500)
        l->faults++;
    l->answered++;
    l->histogram[bucket_of(clock_mono_us(&clock_system) - c->sent_us[f.stream_id - 1])]++;
    if (!l->stopping && l->sent < l->requests)
        add_request(l, c, f.stream_id - 1);
}

static void on_readable(struct load *l, struct client *c)
{
    ssize_t got = recv(c->fd, c->in + c->n_in, sizeof c->in - c->n_in, MSG_DONTWAIT);
    struct slice rest;
    size_t n;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        errno = got == 0 ? ECONNRESET : errno;
        spop_client_die("recv");
    }
    c->n_in += (size_t)got;
    rest = slice_make(c->in, c->n_in);
    while ((n = peer_frame_bytes(rest)) > 0) {
        on_ack(l, c, slice_from(slice_first(rest, n), SPOP_LENGTH_SIZE));
        rest = slice_from(rest, n);
    }
    memmove(c->in, rest.p, rest.n);
    c->n_in = rest.n;
}

/* Connections */

static void open_client(struct load *l, struct client *c)
{
    c->fd = spop_client_connect(l->options->socket);
    if (c->fd < 0)
        spop_client_die(l->options->socket);
    c->out_size = l->options->depth * (l->n_payload + 32);
    c->out = malloc(c->out_size);
    if (c->out == NULL)
        spop_client_die("malloc");
}

static pid_t peer_pid(int fd)
{
    struct ucred cred;
    socklen_t n = sizeof cred;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 ? cred.pid : 0;
}

static void turn(struct load *l)
{
    size_t n = (size_t)l->options->connections;

    for (size_t i = 0; i < n; i++)
        l->fds[i].events =
            l->clients[i].out_start < l->clients[i].out_end ? POLLIN | POLLOUT : POLLIN;
    if (poll(l->fds, n, 5000) <= 0) {
        errno = ETIMEDOUT;
        spop_client_die("the agent does not answer");
    }
    for (size_t i = 0; i < n; i++) {
        if (l->fds[i].revents & (POLLIN | POLLHUP | POLLERR))
            on_readable(l, &l->clients[i]);
        flush(&l->clients[i]);
    }
}

static void wait_for_answers(struct load *l)
{
    l->stopping = true;
    while (l->answered < l->sent)
        turn(l);
    l->stopping = false;
}

static void fill(struct load *l)
{
    for (size_t i = 0; i < l->options->connections; i++) {
        for (uint64_t slot = 0; slot < l->options->depth && l->sent < l->requests; slot++)
            add_request(l, &l->clients[i], slot);
        flush(&l->clients[i]);
    }
}

/* Sends for a time or a number of requests, whichever ends first, and takes all answers. */
static void run(struct load *l, uint64_t requests, uint64_t seconds)
{
    int64_t end_us = clock_mono_us(&clock_system) + (int64_t)seconds * 1000000;

    l->requests = requests;
    l->sent = l->answered = l->wrong = l->faults = 0;
    memset(l->histogram, 0, sizeof l->histogram);
    fill(l);
    while (l->sent < requests && clock_mono_us(&clock_system) < end_us)
        turn(l);
    wait_for_answers(l);
}

static int measure(struct load *l)
{
    const struct options *o = l->options;
    pid_t pid;
    int64_t start_us, took_us;
    uint64_t cpu_ns;

    for (size_t i = 0; i < o->connections; i++) {
        open_client(l, &l->clients[i]);
        l->fds[i] = (struct pollfd){.fd = l->clients[i].fd};
    }
    pid = peer_pid(l->clients[0].fd);
    if (o->warmup > 0)
        run(l, o->warmup, 60);
    cpu_ns = process_ns(pid);
    start_us = clock_mono_us(&clock_system);
    run(l, o->requests, o->seconds);
    took_us = clock_mono_us(&clock_system) - start_us;
    cpu_ns = process_ns(pid) - cpu_ns;
    printf("requests       %llu in %.2f s, %llu connections, %llu in flight on each\n"
           "requests/s     %.0f\n"
           "latency        p50 %llu us, p99 %llu us\n"
           "agent CPU      %.3f us a request\n"
           "agent RSS      %ld kB\n"
           "verdicts       %llu not \"%s\", %llu with a status of 500 or more\n",
           (unsigned long long)l->answered, (double)took_us / 1e6,
           (unsigned long long)o->connections, (unsigned long long)o->depth,
           (double)l->answered * 1e6 / (double)took_us, (unsigned long long)percentile(l, 0.5),
           (unsigned long long)percentile(l, 0.99), (double)cpu_ns / 1e3 / (double)l->answered,
           resident_kb(pid), (unsigned long long)l->wrong, o->expect,
           (unsigned long long)l->faults);
    for (size_t i = 0; i < o->connections; i++) {
        close(l->clients[i].fd);
        free(l->clients[i].out);
    }
    return l->wrong == 0 ? EX_OK : 1;
}

/* The command line */

static int usage(void)
{
    fputs("usage: spop_load [options] SOCKET\n"
          "  -c N      connections [4]\n"
          "  -d N      requests in flight on each [20]\n"
          "  -t N      seconds [3]\n"
          "  -n N      or that many requests\n"
          "  -w N      requests before measuring, 0: none [1000]\n"
          "  -m WORD   method [GET]\n"
          "  -p PATH   path [/]\n"
          "  -H HOST   Host [localhost]\n"
          "  -h N:TEXT header N with the value TEXT\n"
          "  -T FILE   header authorization: \"Bearer \" and the first line of FILE\n"
          "  -a N      the requests are of so many addresses in turn [1]\n"
          "  -e WORD   expected verdict [allow]; exit 1 when there was another\n",
          stderr);
    return EX_USAGE;
}

static struct slice read_token(struct arena *arena, const char *path)
{
    struct slice text, line;

    if (file_read(arena, path, SPOP_CLIENT_FRAME, &text) != CC_OK)
        spop_client_die(path);
    slice_split(&text, '\n', &line);
    return arena_printf(arena, "Bearer %" PRIslice, SLICE_ARG(line));
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    return slice_to_u64(slice_of(text), out) == CC_OK && *out >= 1 && *out <= max;
}

static bool add_header(struct options *o, struct slice name, struct slice value)
{
    if (o->n_headers == SPOP_CLIENT_HEADERS || value.p == NULL || name.n > 60)
        return false;
    o->headers[o->n_headers].name = name;
    o->headers[o->n_headers++].value = slice_trim(value);
    return true;
}

/* "name: value" */
static bool add_header_line(struct options *o, struct slice line)
{
    struct slice name;

    return slice_split(&line, ':', &name) && add_header(o, name, line);
}

static bool set_option(struct options *o, int letter, struct arena *arena)
{
    switch (letter) {
    case 'c':
        return number(optarg, MAX_CONNECTIONS, &o->connections);
    case 'd':
        return number(optarg, MAX_DEPTH, &o->depth);
    case 't':
        return number(optarg, 3600, &o->seconds);
    case 'n':
        o->seconds = 3600;
        return number(optarg, UINT32_MAX, &o->requests);
    case 'w':
        o->warmup = 0;
        return slice_is(slice_of(optarg), "0") || number(optarg, UINT32_MAX, &o->warmup);
    case 'm':
        o->method = optarg;
        return true;
    case 'p':
        o->path = optarg;
        return true;
    case 'H':
        o->host = optarg;
        return true;
    case 'h':
        return add_header_line(o, slice_of(optarg));
    case 'T':
        return add_header(o, SLICE("authorization"), read_token(arena, optarg));
    case 'a':
        return number(optarg, MAX_ADDRESSES, &o->addresses);
    case 'e':
        o->expect = optarg;
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options o = {.method = "GET",
                        .path = "/",
                        .host = "localhost",
                        .expect = "allow",
                        .connections = 4,
                        .depth = 20,
                        .seconds = 3,
                        .requests = UINT64_MAX,
                        .warmup = 1000};
    struct arena *arena = arena_new(1 << 20);
    struct load l = {.options = &o};
    int c, code = EX_USAGE;

    if (arena == NULL)
        spop_client_die("arena");
    while ((c = getopt(argc, argv, "c:d:t:n:w:m:p:H:h:T:a:e:")) != -1) {
        if (!set_option(&o, c, arena)) {
            usage();
            goto out;
        }
    }
    if (optind != argc - 1) {
        usage();
        goto out;
    }
    o.socket = argv[optind];
    l.n_payload = spop_client_payload(l.payload, sizeof l.payload, o.method, o.path, o.host,
                                      o.headers, o.n_headers);
    l.src_at = find_src(l.payload, l.n_payload);
    l.clients = calloc((size_t)o.connections, sizeof *l.clients);
    l.fds = calloc((size_t)o.connections, sizeof *l.fds);
    if (l.clients == NULL || l.fds == NULL)
        spop_client_die("calloc");
    code = measure(&l);
out:
    free(l.fds);
    free(l.clients);
    arena_free(&arena);
    return code;
}
