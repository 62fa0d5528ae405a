/* spop_quota: asks an agent for more than a limit allows, over many windows, and checks how much of
 * it was admitted.
 *
 *     spop_quota [options] SOCKET
 *
 * Sends TIMES the quota evenly over CONNECTIONS, one request in flight on each, and prints a table.
 * Exit 0 when the limit held, 1 when it did not, 75 when that could not be told because the machine
 * was too busy to keep the pace: then try again.
 *
 * Nothing here believes what the agent says of its windows: a request was decided on between when
 * it was sent and when it was answered, and that tells of a fixed window    that each has exactly
 * the quota, and none opens before the one before it is over. One ends where more requests in a row
 * were refused than can be in flight at once; of a sliding one     that no stretch as long as it
 * has more than the quota: of each quota + 1 admitted requests, the last answer came a window after
 * the first was sent; of steady load (-s)  that the quota's share of it was admitted, within 1 % of
 * the load. */
#include "regress/tools/spop_client.h"

#include <getopt.h>
#include <poll.h>

enum { MAX_CONNECTIONS = 256, MAX_LOG = 4000000, BUFFER = 4096, ANSWER_MS = 10000 };

struct answer {
    int64_t sent_us, got_us;
    bool allow;
};

struct client {
    int fd;
    uint8_t in[BUFFER];
    size_t n_in;
    int64_t sent_us; /* 0: nothing is in flight */
};

/* One fixed window, as it looks from here. */
struct row {
    uint64_t asked, admitted;
    int64_t sent_us, got_us; /* the earliest of those that were admitted */
    int64_t end_us;          /* the latest answer */
};

static struct {
    const char *path, *header;
    uint64_t connections, quota, times, windows, window_us;
    bool sliding, steady;
    struct client clients[MAX_CONNECTIONS];
    uint8_t payload[SPOP_CLIENT_FRAME];
    size_t n_payload;
    struct answer *log; /* in the order of the answers */
    size_t n_log;
    int64_t latest_us; /* by how much a request was sent or answered too late, at most */
} q = {.connections = 64, .quota = 100, .times = 10, .windows = 21, .window_us = 1000000};

static int64_t now_us(void)
{
    return clock_mono_us(&clock_system);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- load -------------------------------------------------------------------------------------
 */

static void send_one(struct client *c)
{
    uint8_t frame[SPOP_CLIENT_FRAME + 64];
    struct spop_writer w;
    size_t n;

    spop_begin(&w, frame, sizeof(frame), SPOP_NOTIFY, 1, 1);
    CC_ASSERT(q.n_payload <= (size_t)(w.end - w.p));
    memcpy(w.p, q.payload, q.n_payload);
    w.p += q.n_payload;
    n = spop_end(&w, SPOP_MAX_FRAME_SIZE);
    c->sent_us = now_us();
    if (send(c->fd, frame, n, MSG_NOSIGNAL) != (ssize_t)n)
        spop_client_die("send");
}

static void take_answer(struct client *c, struct slice body)
{
    struct spop_value verdict, status;
    struct answer *a = &q.log[q.n_log++];

    if (c->sent_us == 0 || !peer_ack_value(body, "verdict", &verdict)) {
        errno = 0;
        spop_client_die("the agent sent something else than the ACK of a request");
    }
    *a = (struct answer){c->sent_us, now_us(), slice_is(verdict.bytes, "allow")};
    if (!a->allow && (!peer_ack_value(body, "status", &status) || status.integer != 429)) {
        errno = 0;
        spop_client_die("refused for another reason than a limit");
    }
    q.latest_us = larger(q.latest_us, a->got_us - a->sent_us);
    c->sent_us = 0;
}

static void read_answer(struct client *c)
{
    ssize_t got = recv(c->fd, c->in + c->n_in, sizeof(c->in) - c->n_in, MSG_DONTWAIT);
    size_t n;

    if (got <= 0)
        spop_client_die("the agent closed a connection");
    c->n_in += (size_t)got;
    n = peer_frame_bytes(slice_make(c->in, c->n_in));
    if (n == 0)
        return;
    take_answer(c, slice_from(slice_make(c->in, n), SPOP_LENGTH_SIZE));
    memmove(c->in, c->in + n, c->n_in - n);
    c->n_in -= n;
}

/* Takes what comes within a millisecond; at most ANSWER_MS when `all` are waited for. */
static size_t take_answers(bool all)
{
    struct pollfd fds[MAX_CONNECTIONS];
    size_t waiting = 0;

    for (uint64_t i = 0; i < q.connections; i++) {
        fds[i] = (struct pollfd){.fd = q.clients[i].fd, .events = POLLIN};
        waiting += q.clients[i].sent_us != 0;
    }
    if (waiting == 0 && all)
        return 0;
    if (poll(fds, (nfds_t)q.connections, all ? ANSWER_MS : 1) <= 0 && all)
        spop_client_die("the agent does not answer");
    for (uint64_t i = 0; i < q.connections; i++)
        if (fds[i].revents != 0)
            read_answer(&q.clients[i]);
    return waiting;
}

/* Request i is due at i parts of the time. What is late is made up for, up to a twentieth of a
 * window; what is later than that is left out. */
static void load(void)
{
    uint64_t asked = q.windows * q.quota * q.times, next = 0;
    int64_t start = now_us(), late;

    for (uint64_t i = 0; i < asked;) {
        struct client *c = &q.clients[next++ % q.connections];

        late = now_us() - start - (int64_t)(i * q.window_us / (q.quota * q.times));
        if (late < 0 || c->sent_us != 0) {
            take_answers(false);
            next -= late < 0;
            continue;
        }
        q.latest_us = larger(q.latest_us, late);
        if (!q.steady && late > (int64_t)q.window_us / 20)
            start += late;
        send_one(c);
        i++;
    }
    while (take_answers(true) > 0)
        ;
}

/* --- what came of it --------------------------------------------------------------------------
 */

static int failed(const char *what)
{
    printf("FAILED: %s\n", what);
    return 1;
}

static int busy(void)
{
    printf("no telling: the machine was too busy to keep the pace (%lld ms late)\n",
           (long long)q.latest_us / 1000);
    return EX_TEMPFAIL;
}

/* The next window of the log from *at on. */
static struct row next_row(size_t *at)
{
    struct row row = {.sent_us = INT64_MAX, .got_us = INT64_MAX};
    uint64_t refused = 0;

    for (; *at < q.n_log; ++*at) {
        const struct answer *a = &q.log[*at];

        if (a->allow && refused > 2 * q.connections)
            break;
        refused = a->allow ? 0 : refused + 1;
        row.asked++;
        row.end_us = larger(row.end_us, a->got_us);
        if (!a->allow)
            continue;
        row.admitted++;
        row.sent_us = smaller(row.sent_us, a->sent_us);
        row.got_us = smaller(row.got_us, a->got_us);
    }
    return row;
}

static int judge_fixed(void)
{
    uint64_t usual = q.quota * q.times, good = 0;
    struct row before = {.sent_us = INT64_MIN / 2};
    size_t at = 0;
    int rc = 0;

    printf("%8s %8s %8s %14s\n", "window", "asked", "admitted", "after ms");
    for (uint64_t i = 1; at < q.n_log; i++) {
        struct row row = next_row(&at);
        /* of a pause, two windows may look like one, and one may not be used up */
        bool kept_pace = row.asked >= usual / 2 && row.asked <= usual + usual / 10 &&
                         row.end_us - row.got_us <= (int64_t)(q.window_us + q.window_us / 10);

        printf("%8llu %8llu %8llu", (unsigned long long)i, (unsigned long long)row.asked,
               (unsigned long long)row.admitted);
        if (i > 1)
            printf(" %14.1f", (double)(row.got_us - before.sent_us) / 1000);
        puts(kept_pace ? "" : "   (not at the pace: not judged)");
        if (i > 1 && row.got_us - before.sent_us < (int64_t)q.window_us)
            rc = failed("a window opened before the one before it was over");
        if (kept_pace && row.admitted != q.quota)
            rc = failed("not exactly the quota");
        good += kept_pace;
        before = row;
    }
    if (rc == 0 && good < q.windows)
        return busy();
    return rc;
}

static int by_got(const void *a, const void *b)
{
    int64_t x = ((const struct answer *)a)->got_us, y = ((const struct answer *)b)->got_us;

    return x < y ? -1 : x > y;
}

/* The shortest time in which one more than the quota was admitted, seen from outside: at least as
 * long as it was for the agent. */
static int64_t shortest_us(uint64_t *admitted)
{
    struct answer *allowed = malloc(q.n_log * sizeof(*allowed));
    int64_t shortest = INT64_MAX;
    size_t n = 0;

    if (allowed == NULL)
        spop_client_die("malloc");
    for (size_t i = 0; i < q.n_log; i++)
        if (q.log[i].allow)
            allowed[n++] = q.log[i];
    qsort(allowed, n, sizeof(*allowed), by_got);
    for (size_t i = q.quota; i < n; i++) {
        int64_t first = allowed[i].sent_us;

        for (size_t k = i - q.quota; k < i; k++)
            first = smaller(first, allowed[k].sent_us);
        shortest = smaller(shortest, allowed[i].got_us - first);
    }
    free(allowed);
    *admitted = n;
    return shortest;
}

static int judge_sliding(void)
{
    uint64_t admitted;
    int64_t shortest = shortest_us(&admitted);
    double windows = (double)(q.log[q.n_log - 1].got_us - q.log[0].sent_us) / (double)q.window_us;

    printf("%8s %8s %8s %28s\n", "windows", "asked", "admitted", "quota + 1 took at least, ms");
    printf("%8.2f %8zu %8llu %28.1f\n", windows, q.n_log, (unsigned long long)admitted,
           (double)shortest / 1000);
    if (shortest < (int64_t)q.window_us)
        return failed("more than the quota within a window");
    if (q.latest_us > (int64_t)q.window_us / 5)
        return busy();
    if ((double)admitted < windows * (double)q.quota * 0.98)
        return failed("less than 98 % of the quota");
    return 0;
}

static int judge_steady(void)
{
    double share, wanted = 1 / (double)q.times;
    uint64_t admitted = 0;

    for (size_t i = 0; i < q.n_log; i++)
        admitted += q.log[i].allow;
    share = (double)admitted / (double)q.n_log;
    printf("%8s %8s %8s %8s\n", "windows", "asked", "admitted", "share");
    printf("%8llu %8zu %8llu %7.2f%%\n", (unsigned long long)q.windows, q.n_log,
           (unsigned long long)admitted, 100 * share);
    if (q.latest_us > (int64_t)q.window_us / 5)
        return busy();
    return share < wanted - 0.01 || share > wanted + 0.01
               ? failed("the share is not the quota's, within 1 %")
               : 0;
}

/* --- the command line -------------------------------------------------------------------------
 */

static int usage(void)
{
    fputs("usage: spop_quota [options] SOCKET\n"
          "  -c N      connections [64]\n"
          "  -q N      the quota, requests [100]\n"
          "  -x N      ask for so many times the quota [10]\n"
          "  -n N      windows [21]\n"
          "  -w MS     how long a window is [1000]\n"
          "  -l        it is a sliding window\n"
          "  -s        look at the share that is admitted only\n"
          "  -p PATH   path [/]\n"
          "  -h TEXT   value of the header x-limit\n",
          stderr);
    return EX_USAGE;
}

static bool number(uint64_t min, uint64_t max, uint64_t *out)
{
    return slice_to_u64(slice_of(optarg), out) == CC_OK && *out >= min && *out <= max;
}

static bool set_option(int letter)
{
    switch (letter) {
    case 'c':
        return number(1, MAX_CONNECTIONS, &q.connections);
    case 'q':
        return number(1, 100000, &q.quota);
    case 'x':
        return number(2, 100, &q.times);
    case 'n':
        return number(1, 1000, &q.windows);
    case 'w':
        if (!number(10, 60000, &q.window_us))
            return false;
        q.window_us *= 1000;
        return true;
    case 'l':
        q.sliding = true;
        return true;
    case 's':
        q.steady = true;
        return true;
    case 'p':
        q.path = optarg;
        return true;
    case 'h':
        q.header = optarg;
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct spop_client_header header = {SLICE("x-limit"), SLICE("")};
    int letter;

    q.path = "/";
    while ((letter = getopt(argc, argv, "c:q:x:n:w:lsp:h:")) != -1)
        if (!set_option(letter))
            return usage();
    if (argc - optind != 1 || q.quota * q.times * q.windows > MAX_LOG)
        return usage();
    if (q.header != NULL)
        header.value = slice_of(q.header);
    q.n_payload = spop_client_payload(q.payload, sizeof(q.payload), "GET", q.path, "localhost",
                                      &header, q.header != NULL);
    q.log = calloc(q.quota * q.times * q.windows, sizeof(*q.log));
    if (q.log == NULL)
        spop_client_die("calloc");
    for (uint64_t i = 0; i < q.connections; i++)
        if ((q.clients[i].fd = spop_client_connect(argv[optind])) < 0)
            spop_client_die(argv[optind]);
    printf("%s window of %llu ms, quota %llu, %llu times as many asked for over %llu connections\n",
           q.sliding ? "sliding" : "fixed", (unsigned long long)q.window_us / 1000,
           (unsigned long long)q.quota, (unsigned long long)q.times,
           (unsigned long long)q.connections);
    load();
    letter = q.steady ? judge_steady() : q.sliding ? judge_sliding() : judge_fixed();
    free(q.log);
    return letter;
}
