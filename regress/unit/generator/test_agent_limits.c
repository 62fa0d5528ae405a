/* What a running agent is asked about limits, and what is believed of what answers. */
#include "generator/agent_limits.h"
#include "generator/explain.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "spoa/admin_line.h"

#define SHA     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define INFO    "Name: cc-spoa\nGeneration: 7\nContent: " SHA "\nAPIs: 1\n\n"
#define UNKNOWN "known=0 shared=0 counting=local\n\n"
#define USED                                                                                   \
    "known=1 used=2 max=2 remaining=0 unit=requests window=fixed mode=enforce reset_ms=41000 " \
    "retry_ms=40001 burst=0 fits=0 others=1 shared=0 counting=strict\n\n"

static struct enforce_trace trace;
static struct agent_limits limits;

static void limits_of(const char *const *keys, size_t n)
{
    trace.n_limits = n;
    trace.limit_bytes = 5;
    limits = (struct agent_limits){.n = n};
    for (size_t i = 0; i < n; i++) {
        trace.limits[i] = (struct enforce_trace_limit){.key = slice_of(keys[i])};
        limits.limits[i].asked = true;
    }
}

/* Whatever a key is, the agent takes it for the one word that it is. */
static void keys_are_words(void **state)
{
    static const char *const keys[] = {"app:a b;clear limit x", "\\\\ \\;\"'", "\xc3\xa9\xff",
                                       "x\nclear limit y", ""};
    static const bool asked[] = {true, true, true, false, false};
    struct admin_words words;
    char room[AGENT_LINE_MAX], *at = room, *end;
    struct buf line;

    (void)state;
    limits_of(keys, 5);
    buf_init_fixed(&line, room, sizeof(room));
    assert_int_equal(agent_limits_line(&trace, 0, &limits, &line), 5);
    assert_int_equal(buf_error(&line), CC_OK);
    assert_int_equal(room[line.n - 1], '\n');
    end = room + line.n - 1;
    assert_int_equal(admin_line_next(&at, end, &words), ADMIN_LINE_OK);
    assert_int_equal(words.n, 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(limits.limits[i].asked, asked[i]);
        if (!asked[i])
            continue;
        assert_int_equal(admin_line_next(&at, end, &words), ADMIN_LINE_OK);
        assert_int_equal(words.n, 5);
        assert_true(slice_is(words.word[0], "peek"));
        assert_true(slice_is(words.word[2], keys[i]));
        assert_true(slice_is(words.word[3], "5"));
        assert_true(slice_is(words.word[4], "requests,fixed,enforce,default,0,0,0"));
    }
    assert_ptr_equal(at, end);
}

/* No line is longer than the agent reads, and no limit is left out for it. */
static void long_keys_need_more_lines(void **state)
{
    static char text[AGENT_KEY_MAX + 2];
    const char *keys[COUNTER_MAX_LIMITS];
    unsigned lines = 0;
    size_t at = 0;

    (void)state;
    memset(text, ':', sizeof(text) - 2);
    for (size_t i = 0; i < COUNTER_MAX_LIMITS; i++)
        keys[i] = text;
    limits_of(keys, COUNTER_MAX_LIMITS);
    while (at < trace.n_limits) {
        char room[AGENT_LINE_MAX + 1];
        struct buf line;
        size_t from = at;

        buf_init_fixed(&line, room, sizeof(room));
        at = agent_limits_line(&trace, from, &limits, &line);
        assert_int_equal(buf_error(&line), CC_OK);
        assert_true(at > from);
        lines++;
    }
    assert_int_equal(lines, COUNTER_MAX_LIMITS);
    for (size_t i = 0; i < COUNTER_MAX_LIMITS; i++)
        assert_true(limits.limits[i].asked);
    text[AGENT_KEY_MAX] = ':';
    limits_of((const char *const[]){text}, 1);
    trace.limits[0].key.n = AGENT_KEY_MAX + 1;
    struct buf line;

    buf_init(&line, AGENT_LINE_MAX);
    assert_int_equal(agent_limits_line(&trace, 0, &limits, &line), 1);
    assert_false(limits.limits[0].asked);
    buf_free(&line);
}

#define LIMIT(rest)   INFO "known=1 used=2 max=2 remaining=0 others=0 " rest
#define LIMIT_ENDS    " burst=0 fits=0 shared=0 counting=local\n\n"
#define LIMIT_NUMBERS "reset_ms=1 retry_ms=1"

static void answers(void **state)
{
    static const char *const keys[] = {"a", "b", "c"};
    const struct agent_limit *l = limits.limits;

    (void)state;
    limits_of(keys, 3);
    limits.limits[1].asked = false;
    assert_int_equal(agent_limits_read(SLICE(INFO USED UNKNOWN), 0, 3, &limits), CC_OK);
    assert_int_equal(limits.generation, 7);
    assert_string_equal(limits.content, SHA);
    assert_int_equal(limits.counting, AGENT_COUNTS_LOCAL);
    assert_true(l[0].known && !l[0].fits);
    assert_int_equal(l[0].used, 2);
    assert_int_equal(l[0].others, 1);
    assert_int_equal(l[0].reset_ms, 41000);
    assert_int_equal(l[0].retry_ms, 40001);
    assert_true(!l[2].known && !l[2].told && l[2].fits);
    assert_int_equal(l[0].source, AGENT_BY_HERE);
    assert_int_equal(l[0].away, COUNTER_AWAY_UNSET);
    /* what Redis has of a key that the agent has not seen */
    limits_of(keys, 1);
    assert_int_equal(
        agent_limits_read(SLICE(INFO "known=0 used=3 max=9 remaining=6 others=3 " LIMIT_NUMBERS
                                     " burst=0 fits=1 shared=0 counting=strict away=deny "
                                     "redis=decides\n\n"),
                          0, 1, &limits),
        CC_OK);
    assert_true(!l[0].known && l[0].told && l[0].fits);
    assert_int_equal(l[0].used, 3);
    assert_int_equal(l[0].source, AGENT_BY_REDIS);
    assert_int_equal(l[0].away, COUNTER_AWAY_DENY);
    /* an agent that has no rules yet */
    assert_int_equal(agent_limits_read(SLICE("Name: cc-spoa\n\n"), 0, 0, &limits), CC_OK);
    assert_int_equal(limits.generation, 0);
    assert_string_equal(limits.content, "");
}

static void answers_that_are_none(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } rows[] = {
        {LIMIT(LIMIT_NUMBERS LIMIT_ENDS), CC_OK},
        {"", CC_EPARSE},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", CC_EPARSE},
        {"Generation: 7\n\n" UNKNOWN, CC_EPARSE}, /* not of an agent */
        {"Name: cc-spoa\nGeneration: -7\n\n" UNKNOWN, CC_EPARSE},
        {"Name: cc-spoa\nGeneration: 99999999999999999999\n\n" UNKNOWN, CC_EPARSE},
        {"Name: cc-spoa\nGeneration: 7\nContent: \n\n" UNKNOWN, CC_EPARSE},
        {"Name: cc-spoa\nGeneration: 7\nContent: " SHA "0\n\n" UNKNOWN, CC_EPARSE},
        {"Name: cc-spoa\nGeneration: 7\nContent: \"123456789abcdef0123456789abcdef0123456789abcdef"
         "0123456789abcdef\n\n" UNKNOWN,
         CC_EPARSE},
        {INFO, CC_EPARSE},
        {INFO "known=0 shared=0 counting=local\n", CC_EPARSE}, /* cut */
        {INFO UNKNOWN UNKNOWN, CC_EPARSE},                     /* one too many */
        {INFO UNKNOWN "x", CC_EPARSE},
        {INFO "unknown command: peek limit; these are known:\n  help\n\n", CC_EUNSUPPORTED},
        {INFO "known=2 shared=0 counting=local\n\n", CC_EPARSE},
        {INFO "known=0 counting=local\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=here\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=local\nmore\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=local \033[2J\n\n", CC_EPARSE},
        {INFO "known=0 used=2 shared=0 counting=local\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=strict redis=not-asked\n\n", CC_OK},
        {INFO "known=0 shared=0 counting=strict redis=\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=strict redis=perhaps\n\n", CC_EPARSE},
        {INFO "known=0 shared=0 counting=strict redis=away away=often\n\n", CC_EPARSE},
        {LIMIT("retry_ms=1" LIMIT_ENDS), CC_EPARSE},
        {LIMIT("reset_ms=-1 retry_ms=1" LIMIT_ENDS), CC_EPARSE},
        {LIMIT("reset_ms=1 retry_ms=-2" LIMIT_ENDS), CC_EPARSE},
        {LIMIT("reset_ms=1 retry_ms=-1" LIMIT_ENDS), CC_OK},
        {LIMIT("reset_ms=18446744073709551615 retry_ms=1" LIMIT_ENDS), CC_EPARSE},
        {LIMIT("reset_ms=0x1 retry_ms=1" LIMIT_ENDS), CC_EPARSE},
        {INFO "known=1 used=18014398509481985 max=2 remaining=0 others=0 " LIMIT_NUMBERS LIMIT_ENDS,
         CC_EPARSE},
    };
    static const char *const keys[] = {"a"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        limits_of(keys, 1);
        if (agent_limits_read(slice_of(rows[i].text), 0, 1, &limits) != rows[i].rc)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
}

/* What would become of a request: the first limit that enforces and is used up refuses it. */
static void verdicts(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    static const struct counter_rule wide = {.max = 9}, none = {.max = 0},
                                     trial = {.max = 9, .mode = COUNTER_SHADOW},
                                     small = {.max = 4, .unit = COUNTER_BYTES};
    struct agent_limit *l = limits.limits;
    struct counter_result r;

    (void)state;
    limits_of(keys, 5);
    trace.limits[0].rule = trial;
    for (size_t i = 1; i < 5; i++)
        trace.limits[i].rule = wide;
    l[0] = (struct agent_limit){.asked = true, .told = true, .max = 9, .used = 9, .retry_ms = 5};
    l[1] = (struct agent_limit){.asked = true, .told = true, .fits = true, .remaining = 7};
    l[2] = (struct agent_limit){.asked = true, .told = true, .fits = true, .remaining = 3};
    l[3] = (struct agent_limit){.asked = true, .fits = true};
    l[4] = (struct agent_limit){.asked = false}; /* nothing is known of it */
    explain_judge_limits(&trace, &limits, &r);
    assert_int_equal(r.refused, -1);
    assert_int_equal(r.tightest, 2);
    assert_int_equal(r.over, 1);
    assert_int_equal(r.state.remaining, 3);

    l[1].fits = false;
    l[1].burst = true;
    l[1].retry_ms = 1500;
    l[2].fits = false;
    explain_judge_limits(&trace, &limits, &r);
    assert_int_equal(r.refused, 1);
    assert_int_equal(r.tightest, 1);
    assert_int_equal(r.over, 7);
    assert_true(r.state.burst);
    assert_int_equal(r.state.retry_us, 1500000);

    /* of a key that the agent does not know nothing is used, and that may be too little */
    limits_of(keys, 2);
    trace.limits[0].rule = small;
    trace.limits[1].rule = none;
    explain_judge_limits(&trace, &limits, &r);
    assert_int_equal(r.refused, 0);
    assert_int_equal(r.over, 3);
    assert_int_equal(r.state.retry_us, -1);
    trace.limit_bytes = 4;
    explain_judge_limits(&trace, &limits, &r);
    assert_int_equal(r.refused, 1);

    /* while Redis is away it is not the quota that refuses */
    limits_of(keys, 1);
    trace.limits[0].rule = wide;
    l[0] = (struct agent_limit){.asked = true,
                                .told = true,
                                .max = 9,
                                .retry_ms = 1000,
                                .source = AGENT_BY_AWAY,
                                .away = COUNTER_AWAY_DENY};
    explain_judge_limits(&trace, &limits, &r);
    assert_int_equal(r.refused, 0);
    assert_true(r.state.away);
}

/* What an operator reads of one limit that is asked by a request of `bytes`. */
static const char *line_of(const struct counter_rule *rule, const struct agent_limit *state,
                           uint64_t bytes)
{
    static const struct gw_policy policy = {.name = SLICE_INIT("P")};
    static char text[512];
    static struct explainer e;
    struct explanation x = {.live = true, .judged = true};
    FILE *out = fmemopen(text, sizeof(text), "w");

    e.trace.n_limits = 1;
    e.trace.limit_bytes = bytes;
    e.trace.limits[0] = (struct enforce_trace_limit){.policy = &policy, .rule = *rule};
    x.limits.n = 1;
    x.limits.limits[0] = *state;
    assert_non_null(out);
    explain_print_limits(&e, &x, out);
    fclose(out);
    *strchr(text, '\n') = '\0';
    return text;
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in: %s", part, text);
}

/* "used up" is said of what is used up. */
static void lines(void **state)
{
    static const struct counter_rule bytes = {.max = 100,
                                              .unit = COUNTER_BYTES,
                                              .window_ms = 60000},
                                     calls = {.max = 9, .window_ms = 60000, .burst_max = 2};
    struct agent_limit l = {
        .asked = true, .told = true, .used = 80, .max = 100, .remaining = 20, .retry_ms = 40001};

    (void)state;
    assert_says(line_of(&bytes, &l, 40),
                ": 80 of 100 bytes a minute used; does not fit: 20 left, 40 asked; fits in 41 s, ");
    l.retry_ms = -1;
    assert_says(line_of(&bytes, &l, 101), " used; this request is larger than the quota, ");
    l.retry_ms = 1000;
    l.used = 100;
    l.remaining = 0;
    assert_says(line_of(&bytes, &l, 0),
                ": 100 of 100 bytes a minute used; used up, free again in 1 s,");
    l.used = 3;
    l.remaining = 6;
    l.burst = true;
    assert_says(line_of(&calls, &l, 0), " used; too many at once, free again in 1 s,");
    l.fits = true;
    l.burst = false;
    assert_says(line_of(&calls, &l, 0), " used, ");
}

/* --- whoever listens ------------------------------------------------------------------------- */

enum manner { ANSWERS, SILENT, DRIPS, FLOODS, CLOSES };

struct listener {
    enum manner manner;
    const char *text;
    int listening;
    char directory[64], path[96];
    pthread_t thread;
};

static void serve(const struct listener *p, int fd)
{
    char line[4096];
    ssize_t n = p->manner == CLOSES ? 0 : recv(fd, line, sizeof(line), 0);

    if (p->manner == ANSWERS)
        (void)!send(fd, p->text, strlen(p->text), MSG_NOSIGNAL);
    if (p->manner == SILENT)
        while (n > 0)
            n = recv(fd, line, sizeof(line), 0);
    while (p->manner == DRIPS && send(fd, "x", 1, MSG_NOSIGNAL) == 1)
        usleep(1000);
    while (p->manner == FLOODS && send(fd, line, sizeof(line), MSG_NOSIGNAL) > 0)
        continue;
    close(fd);
}

static void *peer_main(void *arg)
{
    struct listener *p = arg;
    int fd = accept(p->listening, NULL, NULL);

    if (fd >= 0)
        serve(p, fd);
    return NULL;
}

static void open_peer(struct listener *p, enum manner manner, const char *text)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    *p = (struct listener){.manner = manner, .text = text};
    snprintf(p->directory, sizeof(p->directory), "/tmp/cc-agent-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof(p->path), "%s/admin.sock", p->directory);
    memcpy(sun.sun_path, p->path, strlen(p->path));
    p->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->listening >= 0);
    assert_int_equal(bind(p->listening, (const struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(listen(p->listening, 4), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

static void close_peer(struct listener *p)
{
    pthread_join(p->thread, NULL);
    close(p->listening);
    assert_int_equal(file_remove_tree(p->directory), CC_OK);
}

static void peers(void **state)
{
    static const struct {
        enum manner manner;
        int rc;
        int64_t patience_us; /* where it is all used, little */
    } rows[] = {
        {ANSWERS, CC_OK, INT64_C(60000000)},
        {SILENT, CC_EAGAIN, 50000},
        {DRIPS, CC_EAGAIN, 50000},
        {FLOODS, CC_ETOOBIG, INT64_C(60000000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf answer;
        struct listener p;

        open_peer(&p, rows[i].manner, "hello");
        buf_init(&answer, AGENT_ANSWER_MAX);
        assert_int_equal(agent_ask(p.path, SLICE("show info\n"),
                                   clock_mono_us(&clock_system) + rows[i].patience_us, &answer),
                         rows[i].rc);
        if (rows[i].rc == CC_OK)
            assert_true(slice_is(buf_slice(&answer), "hello"));
        buf_free(&answer);
        close_peer(&p);
    }
}

static void agents(void **state)
{
    static const char *const keys[] = {"a"};
    static char path[200];
    struct listener p;

    (void)state;
    limits_of(keys, 1);
    open_peer(&p, ANSWERS, INFO USED);
    assert_int_equal(agent_limits_ask(p.path, &trace, &limits), CC_OK);
    assert_int_equal(limits.limits[0].used, 2);
    assert_int_equal(limits.counting, AGENT_COUNTS_STRICT);
    close_peer(&p);
    open_peer(&p, CLOSES, "");
    assert_int_not_equal(agent_limits_ask(p.path, &trace, &limits), CC_OK);
    pthread_join(p.thread, NULL);
    close(p.listening); /* its file is still there */
    assert_int_equal(agent_limits_ask(p.path, &trace, &limits), CC_ECLOSED);
    assert_int_equal(file_remove_tree(p.directory), CC_OK);
    assert_int_equal(agent_limits_ask(p.path, &trace, &limits), CC_ENOENT);
    memset(path, 'x', sizeof(path) - 1);
    assert_int_equal(agent_limits_ask(path, &trace, &limits), CC_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_words), cmocka_unit_test(long_keys_need_more_lines),
        cmocka_unit_test(answers),        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(verdicts),       cmocka_unit_test(lines),
        cmocka_unit_test(peers),          cmocka_unit_test(agents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
