/* spop_watch: steady load on an agent while something happens to it, and what became of each token.
 *
 *     spop_watch [-r RATE] [-c CONNECTIONS] [-p PATH] SOCKET NAME=FILE... <SCRIPT
 *
 * Sends RATE (1000) requests a second over CONNECTIONS (8), with the token of each FILE in turn,
 * and follows the script, a step a line. A step that does not come out ends it with status 1.
 *
 *     phase LABEL             counts begin anew; prints those of the phase that ends
 *     run N                   until N more requests are answered
 *     do COMMAND              runs it with /bin/sh, under load, until it ends; it must succeed
 *     until NAME VERDICT N    until N answers to NAME in a row have this verdict; at most 30 s
 *     expect NAME VERDICT     all answers of this phase to NAME, at least one, have this verdict
 *     last NAME VERDICT MS    the last answer with this verdict came at most MS after the phase
 * began leave                   all connections are closed join                    and made anew,
 * as soon as somebody listens, at most 10 s later
 *
 * An answer belongs to the phase in which its request was sent; before a phase ends all of its
 * requests must have been answered, which waits at most 10 s for any of them. */
#include "regress/tools/spop_client.h"

#include <getopt.h>
#include <poll.h>
#include <sys/wait.h>

enum {
    MAX_CONNECTIONS = 64,
    MAX_TOKENS = 8,
    DEPTH = 64, /* requests in flight on a connection */
    BUFFER = 1 << 16,
    ANSWER_US = 10000000,
    UNTIL_US = 30000000
};

enum verdict { ALLOW, DENY, OTHER, VERDICTS };
static const char *const verdict_names[VERDICTS] = {"allow", "deny", "other"};

struct token {
    const char *name;
    uint8_t payload[SPOP_CLIENT_FRAME];
    size_t n_payload;
    /* of this phase */
    uint64_t sent, answered[VERDICTS];
    int64_t last_us[VERDICTS]; /* when the last answer of the kind came; 0: none did */
    enum verdict latest;
    uint64_t in_a_row;
};

struct slot {
    struct token *token; /* NULL: free */
    int64_t sent_us;
};

struct client {
    int fd;
    uint8_t in[BUFFER];
    size_t n_in;
    struct slot slots[DEPTH];
};

static struct {
    const char *socket, *path;
    char label[64]; /* of the phase */
    uint64_t rate, n_clients, n_tokens;
    struct client *clients;
    struct token *tokens;
    uint64_t next; /* request: its connection and its token */
    uint64_t in_flight, answered;
    int64_t due_us; /* when the next request is to be sent */
    int64_t phase_us, longest_us;
    int64_t command_us; /* when the last one began */
    bool away;          /* there are no connections */
} w;

static int64_t now_us(void)
{
    return clock_mono_us(&clock_system);
}

_Noreturn static void fail(const char *what)
{
    printf("FAILED in phase %s: %s\n", w.label, what);
    exit(1);
}

static struct token *find_token(struct slice name)
{
    for (uint64_t i = 0; i < w.n_tokens; i++)
        if (slice_is(name, w.tokens[i].name))
            return &w.tokens[i];
    fail("the script names a token that is not there");
}

/* --- requests --------------------------------------------------------------------------------- */

static void send_all(struct client *c, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = send(c->fd, p, n, MSG_NOSIGNAL);

        if (done <= 0)
            spop_client_die("send");
        p += done;
        n -= (size_t)done;
    }
}

/* False: the connection has no place for one more. */
static bool send_one(void)
{
    struct client *c = &w.clients[w.next % w.n_clients];
    struct token *t = &w.tokens[w.next / w.n_clients % w.n_tokens];
    uint8_t frame[SPOP_CLIENT_FRAME + 64];
    struct spop_writer out;
    uint64_t i = 0;

    while (i < DEPTH && c->slots[i].token != NULL)
        i++;
    if (i == DEPTH)
        return false;
    spop_begin(&out, frame, sizeof frame, SPOP_NOTIFY, i + 1, 1);
    CC_ASSERT(t->n_payload <= (size_t)(out.end - out.p));
    memcpy(out.p, t->payload, t->n_payload);
    out.p += t->n_payload;
    c->slots[i] = (struct slot){t, now_us()};
    send_all(c, frame, spop_end(&out, SPOP_MAX_FRAME_SIZE));
    t->sent++;
    w.in_flight++;
    w.next++;
    return true;
}

static void take_answer(struct client *c, struct slice body)
{
    enum verdict verdict = OTHER;
    struct spop_value value;
    struct spop_frame f;
    struct slot *slot;
    int64_t now = now_us();

    if (spop_read_frame(body, &f) != SPOP_NORMAL || f.type != SPOP_ACK || f.stream_id == 0 ||
        f.stream_id > DEPTH || c->slots[f.stream_id - 1].token == NULL)
        fail("the agent sent something else than the ACK of a request");
    slot = &c->slots[f.stream_id - 1];
    if (peer_ack_value(body, "verdict", &value))
        verdict = slice_is(value.bytes, "allow")  ? ALLOW
                  : slice_is(value.bytes, "deny") ? DENY
                                                  : OTHER;
    slot->token->answered[verdict]++;
    slot->token->last_us[verdict] = now;
    slot->token->in_a_row = slot->token->latest == verdict ? slot->token->in_a_row + 1 : 1;
    slot->token->latest = verdict;
    if (now - slot->sent_us > w.longest_us)
        w.longest_us = now - slot->sent_us;
    slot->token = NULL;
    w.in_flight--;
    w.answered++;
}

static void read_answers(struct client *c)
{
    ssize_t got = recv(c->fd, c->in + c->n_in, sizeof c->in - c->n_in, MSG_DONTWAIT);
    struct slice rest;
    size_t n;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("the agent closed a connection");
    c->n_in += (size_t)got;
    rest = slice_make(c->in, c->n_in);
    while ((n = peer_frame_bytes(rest)) > 0) {
        take_answer(c, slice_from(slice_first(rest, n), SPOP_LENGTH_SIZE));
        rest = slice_from(rest, n);
    }
    memmove(c->in, rest.p, rest.n);
    c->n_in = rest.n;
}

static void check_overdue(void)
{
    for (uint64_t i = 0; i < w.n_clients; i++)
        for (uint64_t j = 0; j < DEPTH; j++)
            if (w.clients[i].slots[j].token != NULL &&
                now_us() - w.clients[i].slots[j].sent_us > ANSWER_US)
                fail("a request was not answered in 10 s");
}

/* Sends what is due (`sending`), and takes what comes within a millisecond. */
static void turn(bool sending)
{
    struct pollfd fds[MAX_CONNECTIONS];
    int64_t step = 1000000 / (int64_t)w.rate;

    if (w.away) {
        usleep(1000);
        return;
    }
    if (now_us() - w.due_us > 100000) /* a pause is not made up for by a burst */
        w.due_us = now_us();
    while (sending && w.due_us <= now_us() && send_one())
        w.due_us += step;
    for (uint64_t i = 0; i < w.n_clients; i++)
        fds[i] = (struct pollfd){.fd = w.clients[i].fd, .events = POLLIN};
    if (poll(fds, (nfds_t)w.n_clients, 1) < 0)
        spop_client_die("poll");
    for (uint64_t i = 0; i < w.n_clients; i++)
        if (fds[i].revents != 0)
            read_answers(&w.clients[i]);
    check_overdue();
}

static void drain(void)
{
    while (w.in_flight > 0)
        turn(false);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void join(void)
{
    int64_t end = now_us() + 10000000;

    for (uint64_t i = 0; i < w.n_clients; i++) {
        while ((w.clients[i].fd = spop_client_connect(w.socket)) < 0) {
            if (now_us() > end)
                fail("nobody listens");
            usleep(1000);
        }
        w.clients[i].n_in = 0;
    }
    w.away = false;
}

static void leave(void)
{
    drain();
    for (uint64_t i = 0; i < w.n_clients; i++)
        close(w.clients[i].fd);
    w.away = true;
}

static void begin_phase(struct slice label)
{
    drain();
    for (uint64_t i = 0; i < w.n_tokens; i++) {
        struct token *t = &w.tokens[i];

        if (t->sent > 0)
            printf("%s: %s: %llu allow, %llu deny, %llu other\n", w.label, t->name,
                   (unsigned long long)t->answered[ALLOW], (unsigned long long)t->answered[DENY],
                   (unsigned long long)t->answered[OTHER]);
        t->sent = t->in_a_row = 0;
        memset(t->answered, 0, sizeof t->answered);
        memset(t->last_us, 0, sizeof t->last_us);
    }
    if (w.answered > 0)
        printf("%s: %llu requests in %lld ms, the slowest took %lld us\n", w.label,
               (unsigned long long)w.answered, (long long)(now_us() - w.phase_us) / 1000,
               (long long)w.longest_us);
    fflush(stdout);
    w.answered = 0;
    w.longest_us = 0;
    snprintf(w.label, sizeof w.label, "%" PRIslice, SLICE_ARG(label));
    w.phase_us = now_us();
}

static void run(uint64_t n)
{
    uint64_t end = w.answered + n;

    while (w.answered < end)
        turn(true);
}

static void do_command(struct slice line)
{
    char *command = strndup(line.p, line.n);
    pid_t child;
    int status = 0;

    w.command_us = now_us();
    child = fork();

    if (child < 0 || command == NULL)
        spop_client_die("fork");
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        turn(true);
    if (status != 0) {
        printf("%s\n", command);
        fail("this command failed");
    }
    free(command);
}

static enum verdict verdict_of(struct slice word)
{
    for (int v = 0; v < VERDICTS; v++)
        if (slice_is(word, verdict_names[v]))
            return (enum verdict)v;
    fail("the script has a verdict that is none");
}

static uint64_t number_of(struct slice word)
{
    uint64_t n = 0;

    if (slice_to_u64(word, &n) != CC_OK || n == 0)
        fail("the script has a number that is none");
    return n;
}

static void until(struct token *t, enum verdict verdict, uint64_t n)
{
    int64_t begin = now_us();

    t->in_a_row = 0;
    while (t->latest != verdict || t->in_a_row < n) {
        if (now_us() - begin > UNTIL_US)
            fail("it did not come to that in 30 s");
        turn(true);
    }
    printf("%s: %s: %s after %lld ms\n", w.label, t->name, verdict_names[verdict],
           (long long)(now_us() - begin) / 1000);
}

static void expect(struct token *t, enum verdict verdict)
{
    drain();
    if (t->answered[verdict] == 0 || t->answered[verdict] != t->sent) {
        printf("%s: %llu of %llu answers are %s\n", t->name,
               (unsigned long long)t->answered[verdict], (unsigned long long)t->sent,
               verdict_names[verdict]);
        fail("expected all of them");
    }
}

static void last(struct token *t, enum verdict verdict, uint64_t ms)
{
    int64_t took;

    drain();
    took = t->last_us[verdict] < w.command_us ? 0 : t->last_us[verdict] - w.command_us;
    printf("%s: %s: the last %s came after %.1f ms\n", w.label, t->name, verdict_names[verdict],
           (double)took / 1000);
    if (took > (int64_t)ms * 1000)
        fail("that is too late");
}

static void step(struct slice line)
{
    struct slice rest = line, word = SLICE(""), name = SLICE(""), verdict = SLICE("");

    slice_split(&rest, ' ', &word);
    if (slice_is(word, "phase")) {
        begin_phase(rest);
    } else if (slice_is(word, "run")) {
        run(number_of(rest));
    } else if (slice_is(word, "do")) {
        do_command(rest);
    } else if (slice_is(word, "leave")) {
        leave();
    } else if (slice_is(word, "join")) {
        join();
    } else if (word.n > 0 && word.p[0] != '#') {
        struct token *t;

        slice_split(&rest, ' ', &name);
        slice_split(&rest, ' ', &verdict);
        t = find_token(name);
        if (slice_is(word, "until"))
            until(t, verdict_of(verdict), number_of(rest));
        else if (slice_is(word, "expect"))
            expect(t, verdict_of(verdict));
        else if (slice_is(word, "last"))
            last(t, verdict_of(verdict), number_of(rest));
        else
            fail("the script has a step that is none");
    }
}

/* --- the command line ------------------------------------------------------------------------- */

/* NAME=FILE */
static bool add_token(struct token *t, char *argument, struct arena *arena)
{
    char *file = strchr(argument, '=');
    struct slice text, line = SLICE("");
    struct spop_client_header header;

    if (file == NULL)
        return false;
    *file++ = '\0';
    if (file_read(arena, file, SPOP_CLIENT_FRAME, &text) != CC_OK)
        spop_client_die(file);
    slice_split(&text, '\n', &line);
    header.name = SLICE("authorization");
    header.value = arena_printf(arena, "Bearer %" PRIslice, SLICE_ARG(line));
    t->name = argument;
    t->n_payload =
        spop_client_payload(t->payload, sizeof t->payload, "GET", w.path, "localhost", &header, 1);
    return true;
}

static int usage(void)
{
    fputs("usage: spop_watch [-r RATE] [-c CONNECTIONS] [-p PATH] SOCKET NAME=FILE... <SCRIPT\n",
          stderr);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_new(1 << 20);
    bool good = arena != NULL;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int c;

    w.rate = 1000;
    w.n_clients = 8;
    w.path = "/";
    while ((c = getopt(argc, argv, "r:c:p:")) != -1) {
        if (c == 'p')
            w.path = optarg;
        else
            good =
                good && slice_to_u64(slice_of(optarg), c == 'r' ? &w.rate : &w.n_clients) == CC_OK;
    }
    if (!good || argc - optind < 2 || argc - optind > MAX_TOKENS + 1 || w.n_clients == 0 ||
        w.n_clients > MAX_CONNECTIONS || w.rate == 0 || w.rate > 1000000)
        return usage();
    w.socket = argv[optind++];
    w.clients = calloc(w.n_clients, sizeof *w.clients);
    w.tokens = calloc(MAX_TOKENS, sizeof *w.tokens);
    if (w.clients == NULL || w.tokens == NULL)
        spop_client_die("calloc");
    for (; optind < argc; optind++)
        if (!add_token(&w.tokens[w.n_tokens++], argv[optind], arena))
            return usage();
    snprintf(w.label, sizeof w.label, "start");
    join();
    w.due_us = w.phase_us = now_us();
    while ((n = getline(&line, &size, stdin)) > 0)
        step(slice_trim(slice_make(line, (size_t)n - (line[n - 1] == '\n'))));
    begin_phase(SLICE("end"));
    free(line);
    free(w.clients);
    free(w.tokens);
    arena_free(&arena);
    return 0;
}
