/* Doctor's judgements, each on its own: versions, dates, permissions, answers; and its report. */
#include "generator/doctor.h"

#include "crypto/key.h"
#include "generator/doctor_net.h"
#include "generator/doctor_process.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <netinet/in.h>

enum { ARENA_BYTES = 64 << 20, NOW_S = 1800000000, DAY_S = 86400 };

struct world {
    struct arena *arena;
    struct doctor *d;
    char directory[64];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->arena = arena_new(ARENA_BYTES);
    w->d = arena_alloc(w->arena, sizeof(*w->d));
    *w->d = (struct doctor){.arena = w->arena, .directory = "out", .now_s = NOW_S};
    snprintf(w->directory, sizeof(w->directory), "/tmp/test_doctor.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    doctor_close(w->d);
    file_remove_tree(w->directory);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static const char *path(const struct world *w, const char *name)
{
    return arena_printf(w->arena, "%s/%s", w->directory, name).p;
}

static void put(const struct world *w, const char *name, struct slice text, unsigned mode)
{
    assert_int_equal(file_write_atomic(path(w, name), text, mode), CC_OK);
}

/* The finding number `at` is this one. */
static void assert_item(const struct doctor *d, size_t at, enum doctor_level level,
                        enum doctor_check check, const char *words)
{
    assert_true(at < d->n);
    if (d->items[at].level != level || d->items[at].check != check ||
        !slice_contains(d->items[at].text, slice_of(words))) {
        doctor_print(d, stderr, false);
        fail_msg("finding %zu is not (%d, %d) with '%s'", at, (int)level, (int)check, words);
    }
}

static void versions_of_haproxy(void **state)
{
    static const struct {
        const char *line;
        bool is;
        unsigned major, minor;
    } rows[] = {
        {"HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", true, 2, 6},
        {"HAProxy version 3.3-dev5-abc", true, 3, 3},
        {"HAProxy version 10.0.0", true, 10, 0},
        {"HA-Proxy version 2.2.9-2+deb11u6 2023/12/27", true, 2, 2},
        {"HAProxy version 2", false, 0, 0},
        {"HAProxy version 2.", false, 0, 0},
        {"HAProxy version .6", false, 0, 0},
        {"HAProxy version 99999999999999999999.6", false, 0, 0},
        {"nginx version: 1.22", false, 0, 0},
        {"", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned major = 0, minor = 0;

        assert_int_equal(doctor_haproxy_version(slice_of(rows[i].line), &major, &minor),
                         rows[i].is);
        if (rows[i].is) {
            assert_int_equal(major, rows[i].major);
            assert_int_equal(minor, rows[i].minor);
        }
    }
}

static void features_of_haproxy(void **state)
{
    static const char said[] = "Feature list : -QUIC +OPENSSL +OT\n"
                               "Available filters :\n\t[CACHE] cache\n\t[SPOE] spoe\n";

    (void)state;
    assert_true(doctor_has_feature(slice_of(said), "+OPENSSL"));
    assert_true(doctor_has_feature(slice_of(said), "[SPOE] spoe"));
    assert_true(doctor_has_feature(slice_of(said), "+OT"));
    assert_false(doctor_has_feature(slice_of(said), "+QUIC"));
    assert_false(doctor_has_feature(slice_of(said), "+OPEN"));
    assert_false(doctor_has_feature(slice_of("-OPENSSL"), "+OPENSSL"));
    assert_false(doctor_has_feature(slice_of("x+OPENSSL"), "+OPENSSL"));
    assert_false(doctor_has_feature(SLICE_NONE, "+OPENSSL"));
}

/* A program that says what HAProxy says. */
static const char *fake(const struct world *w, const char *version, const char *features)
{
    put(w, "haproxy",
        arena_printf(w->arena,
                     "#!/bin/sh\ncase $1 in -v) echo '%s' ;; -vv) printf '%s\\n' ;; esac\n",
                     version, features),
        0755);
    return path(w, "haproxy");
}

static void programs(void **state)
{
    static const char good[] = "Feature list : +OPENSSL\\nAvailable filters :\\n\\t[SPOE] spoe";
    static const struct {
        const char *version, *features;
        enum doctor_level level, features_level;
        const char *words, *features_words;
    } rows[] = {
        {"HAProxy version 2.6.0 x", good, DOCTOR_OK, DOCTOR_OK, "2.6.0", "OPENSSL and SPOE"},
        {"HA-Proxy version 2.4.18 x", good, DOCTOR_FAIL, DOCTOR_OK, "older than 2.6", ""},
        {"HAProxy version 1.8 x", good, DOCTOR_FAIL, DOCTOR_OK, "older than 2.6", ""},
        {"HAProxy version 2.8.1 x", "+OPENSSL", DOCTOR_OK, DOCTOR_FAIL, "2.8.1", "without SPOE"},
        {"HAProxy version 2.8.1 x", "x -OPENSSL\\n\\t[SPOE] spoe", DOCTOR_OK, DOCTOR_FAIL, "2.8.1",
         "without OPENSSL"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->d->n = 0;
        w->d->haproxy = fake(w, rows[i].version, rows[i].features);
        doctor_check_programs(w->d);
        assert_item(w->d, 0, rows[i].level, DOCTOR_HAPROXY, rows[i].words);
        assert_item(w->d, 1, rows[i].features_level, DOCTOR_FEATURES, rows[i].features_words);
        assert_item(w->d, 2, DOCTOR_OK, DOCTOR_OPENSSL, "OpenSSL");
    }
    w->d->n = 0;
    w->d->haproxy = path(w, "none");
    w->d->spoa = path(w, "haproxy");
    doctor_check_programs(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_HAPROXY, "there is no program");
    assert_item(w->d, 2, DOCTOR_FAIL, DOCTOR_SPOA, "cc-gen is");
    w->d->n = 0;
    w->d->haproxy = fake(w, "hello", "");
    w->d->spoa = path(w, "none");
    doctor_check_programs(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_HAPROXY, "names no version");
    assert_item(w->d, 2, DOCTOR_FAIL, DOCTOR_SPOA, "there is no program");
}

static void dates(void **state)
{
    static const struct {
        int64_t left_s;
        enum doctor_level level;
        int64_t days;
    } rows[] = {
        {-10 * DAY_S, DOCTOR_FAIL, -10},
        {-1, DOCTOR_FAIL, 0},
        {0, DOCTOR_FAIL, 0},
        {1, DOCTOR_WARN, 0},
        {30 * DAY_S - 1, DOCTOR_WARN, 29},
        {30 * DAY_S, DOCTOR_OK, 30},
        {400 * DAY_S, DOCTOR_OK, 400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t days;

        assert_int_equal(doctor_judge_expiry(NOW_S + rows[i].left_s, NOW_S, &days), rows[i].level);
        assert_int_equal(days, rows[i].days);
    }
}

/* --- redis, buffers, shared objects ---------------------------------------------------------- */

#define REDIS(version, memory, policy)                                                          \
    "# Server\r\nredis_version:" version "\r\nmaxmemory:" memory "\r\nmaxmemory_policy:" policy \
    "\r\n"

static void what_redis_says(void **state)
{
    static const struct {
        const char *info, *mode;
        enum doctor_level version, memory;
        const char *version_words, *memory_words;
    } rows[] = {
        {REDIS("7.0.15", "0", "noeviction"), "async", DOCTOR_OK, DOCTOR_OK, "7.0.15", "no keys"},
        {REDIS("6.2.0", "100", "noeviction"), "local", DOCTOR_OK, DOCTOR_OK, "6.2.0", "no keys"},
        {REDIS("6.2.0", "100", "noeviction"), "async", DOCTOR_FAIL, DOCTOR_OK, "needs 7.0",
         "no keys"},
        {REDIS("6.2.0", "100", "noeviction"), "strict", DOCTOR_FAIL, DOCTOR_OK,
         "enforcer.throttling.shared needs 7.0", "no keys"},
        {REDIS("6.0.16", "100", "noeviction"), "local", DOCTOR_FAIL, DOCTOR_OK, "needs 6.2", "no"},
        {REDIS("10.1", "100", "volatile-ttl"), "async", DOCTOR_OK, DOCTOR_FAIL, "10.1",
         "volatile-ttl: a revoked token"},
        {REDIS("7.0.0", "0", "allkeys-lru"), "async", DOCTOR_OK, DOCTOR_WARN, "7.0.0",
         "once maxmemory is set"},
        {"maxmemory:\r\nxmaxmemory_policy:noeviction\r\n", "local", DOCTOR_WARN, DOCTOR_WARN,
         "does not say its version", "does not say whether"},
        {"", "local", DOCTOR_WARN, DOCTOR_WARN, "", ""},
    };
    struct world *w = *state;
    struct config config = {.policies = SLICE("")};

    w->d->config = &config;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->d->n = 0;
        config.counters.shared.mode = slice_of(rows[i].mode);
        doctor_judge_redis(w->d, slice_of(rows[i].info));
        assert_item(w->d, 0, rows[i].version, DOCTOR_REDIS, rows[i].version_words);
        assert_item(w->d, 1, rows[i].memory, DOCTOR_REDIS, rows[i].memory_words);
    }
    w->d->n = 0;
    doctor_judge_redis_clock(w->d, 1000000);
    doctor_judge_redis_clock(w->d, -1000001);
    doctor_judge_redis_clock(w->d, 3720000);
    assert_item(w->d, 0, DOCTOR_OK, DOCTOR_REDIS, "at most 1000 ms");
    assert_item(w->d, 1, DOCTOR_WARN, DOCTOR_REDIS, "1.0 s behind this one");
    assert_item(w->d, 2, DOCTOR_WARN, DOCTOR_REDIS, "3.7 s ahead of this one");
}

static void buffers_of_haproxy(void **state)
{
    static const struct {
        const char *text;
        uint64_t bufsize, maxrewrite;
    } rows[] = {
        {"", 1, 2},
        {"global\n    tune.bufsize 23552\n\ttune.maxrewrite\t8192 # for the JWT\n", 23552, 8192},
        {"tune.bufsize 16k\ntune.bufsize 32k\n", 32768, 2},
        {"# tune.bufsize 3\n  #tune.maxrewrite 4\n", 1, 2},
        {"tune.bufsize\ntune.maxrewrite x\ntune.maxrewritex 5\ntune.bufsize 99999999999999", 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct doctor_buffers b = {1, 2};

        doctor_read_buffers(slice_of(rows[i].text), &b);
        assert_int_equal(b.bufsize, rows[i].bufsize);
        assert_int_equal(b.maxrewrite, rows[i].maxrewrite);
    }
}

static void room_for_the_jwt(void **state)
{
    static const struct {
        const char *text;
        enum doctor_level level;
        const char *words;
    } rows[] = {
        {"global\n    maxconn 5\n", DOCTOR_FAIL, "keeps 1024 bytes free"},
        {"global\n    tune.maxrewrite 4096\n", DOCTOR_WARN, "keeps 4096 bytes free"},
        {"global\n    tune.maxrewrite 8192\n", DOCTOR_OK, "8192 bytes free, enough"},
        {"global\n    tune.bufsize 8192\n    tune.maxrewrite 8192\n", DOCTOR_WARN, "keeps 4096 "},
    };
    struct world *w = *state;
    struct config config = {.jwt_generator.enabled = true};

    w->d->config = &config;
    w->d->haproxy_config = path(w, "haproxy.cfg");
    doctor_check_buffers(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_BUFFER, "cannot be read");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->d->n = 0;
        put(w, "haproxy.cfg", slice_of(rows[i].text), 0644);
        doctor_check_buffers(w->d);
        assert_item(w->d, 0, rows[i].level, DOCTOR_BUFFER, rows[i].words);
    }
    w->d->n = 0;
    config.jwt_generator.enabled = false;
    doctor_check_buffers(w->d);
    assert_int_equal(w->d->n, 0);
}

/* This program is one, as far as that goes; and then each of its first bytes is another. */
static void shared_objects(void **state)
{
    struct world *w = *state;
    struct slice self = SLICE_NONE;
    uint32_t head[2];
    uint64_t r = 1;
    char *bytes;
    size_t tables;

    assert_int_equal(file_read(w->arena, "/proc/self/exe", 64 << 20, &self), CC_OK);
    assert_int_equal(doctor_read_constant(self, "cc_extension", head, sizeof(head)), CC_ENOENT);
    assert_int_equal(doctor_read_constant(SLICE("text"), "a", head, sizeof(head)), CC_EPARSE);
    assert_int_equal(doctor_read_constant(SLICE_NONE, "a", head, sizeof(head)), CC_EPARSE);
    bytes = malloc(self.n);
    assert_non_null(bytes);
    for (size_t n = 0; n < 128; n++) {
        memcpy(bytes, self.p, n);
        doctor_read_constant(slice_make(bytes, n), "malloc", head, sizeof(head));
    }
    memcpy(bytes, self.p, self.n);
    tables = self.n - (self.n < 4096 ? self.n : 4096); /* the sections are at the end */
    for (int i = 0; i < 4000; i++) {
        size_t at;
        char before;

        r = r * UINT64_C(6364136223846793005) + 1442695040888963407u;
        at = i % 2 == 0 ? (size_t)(r >> 33) % 64 : tables + (size_t)(r >> 33) % (self.n - tables);
        before = bytes[at];
        bytes[at] = (char)(r >> 24);
        doctor_read_constant(slice_make(bytes, self.n), "malloc", head, sizeof(head));
        if (i % 7 == 0)
            bytes[at] = before;
        if (i % 100 == 99)
            memcpy(bytes, self.p, self.n);
    }
    free(bytes);
}

static void clocks(void **state)
{
    struct world *w = *state;

    doctor_check_clock(w->d);
    assert_int_equal(w->d->n, 1); /* synchronised or not: the time itself can be */
    w->d->n = 0;
    w->d->now_s = 0;
    doctor_check_clock(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CLOCK, "cannot be");
    w->d->n = 0;
    w->d->now_s = INT64_C(5000000000);
    doctor_check_clock(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CLOCK, "cannot be");
}

static void answers_of_ready(void **state)
{
    static const struct {
        const char *body;
        bool is, ready;
        uint64_t haproxy, agent;
    } rows[] = {
        {"{\"status\":\"ready\",\"generation\":{\"haproxy\":3,\"agent\":4}}", true, true, 3, 4},
        {"{\"status\":\"not ready\",\"generation\":{\"haproxy\":3,\"agent\":0}}", true, false, 3,
         0},
        {"{\"code\":\"102500\",\"message\":\"x\"}", false, false, 0, 0},
        {"{\"status\":\"ready\",\"generation\":{\"haproxy\":-3,\"agent\":4}}", false, false, 0, 0},
        {"{\"status\":\"ready\",\"generation\":7}", false, false, 0, 0},
        {"[]", false, false, 0, 0},
        {"<html>", false, false, 0, 0},
        {"", false, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t haproxy = 0, agent = 0;
        bool ready;

        assert_int_equal(doctor_read_ready(slice_of(rows[i].body), &ready, &haproxy, &agent),
                         rows[i].is);
        assert_int_equal(ready, rows[i].ready);
        if (rows[i].is) {
            assert_int_equal(haproxy, rows[i].haproxy);
            assert_int_equal(agent, rows[i].agent);
        }
    }
}

/* --- permissions ----------------------------------------------------------------------------- */

static void permission_bits(void **state)
{
    const struct process_user root = {.uid = 0};
    const struct process_user user = {.uid = 10, .groups = {20, 21}, .n_groups = 2};

    (void)state;
    assert_true(process_may(&root, 5, 5, 0, MAY_WRITE | MAY_EXECUTE));
    assert_true(process_may(&user, 10, 5, 0200, MAY_WRITE));
    assert_false(process_may(&user, 10, 5, 0077, MAY_WRITE)); /* the owner's bits count alone */
    assert_true(process_may(&user, 5, 21, 0020, MAY_WRITE));
    assert_false(process_may(&user, 5, 21, 0707, MAY_WRITE)); /* and so do the group's */
    assert_true(process_may(&user, 5, 5, 0002, MAY_WRITE));
    assert_false(process_may(&user, 5, 5, 0770, MAY_WRITE));
    assert_false(process_may(&user, 5, 5, 0002, MAY_WRITE | MAY_READ));
}

static void barriers_on_the_way(void **state)
{
    struct world *w = *state;
    const struct process_user root = {.uid = 0};
    const struct process_user other = {.uid = getuid() + 1000, .groups = {60000}, .n_groups = 1};
    const char *dir = path(w, "a"), *file = path(w, "a/file");

    assert_int_equal(chmod(w->directory, 0755), 0);
    assert_int_equal(mkdir(dir, 0700), 0);
    put(w, "a/file", SLICE("x"), 0666);
    assert_null(process_barrier(&root, file, MAY_WRITE, w->arena));
    assert_string_equal(process_barrier(&other, file, MAY_WRITE, w->arena), dir);
    assert_int_equal(chmod(dir, 0711), 0);
    assert_null(process_barrier(&other, file, MAY_WRITE, w->arena));
    assert_int_equal(chmod(file, 0660), 0);
    assert_string_equal(process_barrier(&other, file, MAY_WRITE, w->arena), file);
    assert_null(process_barrier(&other, file, 0, w->arena)); /* only to its directory */
    assert_string_equal(process_barrier(&root, path(w, "b/file"), 0, w->arena), path(w, "b"));
    assert_string_equal(process_barrier(&root, path(w, "a/none"), MAY_READ, w->arena),
                        path(w, "a/none"));
}

static void processes(void **state)
{
    struct world *w = *state;
    struct process *found = NULL;
    struct process_user user;
    size_t n = process_find("test_doctor", w->arena, &found), self = 0;

    while (self < n && found[self].pid != getpid())
        self++;
    assert_true(self < n);
    assert_int_equal(found[self].user.uid, geteuid());
    assert_int_equal(found[self].user.groups[0], getegid());
    assert_int_equal(found[self].parent, getppid());
    assert_true(found[self].open_files > 0);
    assert_false(found[self].master);
    assert_int_equal(process_find("no such program", w->arena, &found), 0);
    assert_true(process_user("root", &user));
    assert_int_equal(user.uid, 0);
    assert_false(process_user("no such user", &user));
}

static void who_has_a_port(void **state)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(sin);
    char name[32], address[32];
    uint64_t inode;
    pid_t pid = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &size), 0);
    inode = process_listener(ntohs(sin.sin_port));
    assert_true(inode != 0);
    assert_true(process_of_socket(inode, "haproxy", &pid, name));
    assert_int_equal(pid, getpid());
    assert_string_equal(name, "test_doctor");
    snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(sin.sin_port));
    assert_int_equal(net_connect(address, 1000), 0);
    close(fd);
    assert_int_equal(net_connect(address, 1000), ECONNREFUSED);
    assert_int_equal(net_connect("nocolon", 1000), EINVAL);
    assert_int_equal(process_listener(ntohs(sin.sin_port)), 0);
    assert_false(process_of_socket(1, "haproxy", &pid, name));
}

/* --- settings, certificates ------------------------------------------------------------------ */

static void configure(struct world *w, const char *const (*settings)[2], size_t n)
{
    struct config_override overrides[16];
    struct diag *diag = diag_new();
    struct config *config = NULL;

    for (size_t i = 0; i < n; i++)
        overrides[i] = (struct config_override){slice_of(settings[i][0]), slice_of(settings[i][1])};
    if (config_load(&config, NULL, NULL, overrides, n, w->arena, diag) != CC_OK) {
        diag_print(diag, stderr, false);
        fail_msg("settings");
    }
    diag_free(&diag);
    w->d->config = config;
    w->d->n = 0;
}

static void agents_socket(struct world *w, const char *socket)
{
    const char *const settings[][2] = {{"agent.socket", socket}};

    configure(w, settings, 1);
    doctor_check_agent(w->d);
}

static void the_agents_socket(void **state)
{
    struct world *w = *state;
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const char *name = path(w, "s");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    agents_socket(w, name);
    assert_item(w->d, 0, DOCTOR_WARN, DOCTOR_AGENT, "there is no socket");
    w->d->listening = true; /* a gateway without an agent is an outage */
    agents_socket(w, name);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_AGENT, "there is no socket");
    memcpy(sun.sun_path, name, strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    agents_socket(w, name);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_AGENT, "nobody listens");
    assert_int_equal(listen(fd, 0), 0);
    agents_socket(w, name);
    assert_item(w->d, 0, DOCTOR_OK, DOCTOR_AGENT, "takes connections");
    /* a queue that nobody empties: a stopped agent */
    for (int i = 0; i < 4 && w->d->items[0].level == DOCTOR_OK; i++) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

        (void)connect(client, (struct sockaddr *)&sun, sizeof(sun));
        agents_socket(w, name);
    }
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_AGENT, "takes no connections");
    close(fd);
}

static void who_may_connect(void **state)
{
    struct world *w = *state;
    const char *const settings[][2] = {{"agent.socket", path(w, "run/s")}};

    assert_int_equal(chmod(w->directory, 0755), 0);
    assert_int_equal(mkdir(path(w, "run"), 0750), 0);
    put(w, "run/s", SLICE(""), 0660);
    configure(w, settings, 1);
    w->d->haproxy_user = "root";
    doctor_check_permissions(w->d);
    assert_item(w->d, 0, DOCTOR_OK, DOCTOR_PERMISSIONS, "root may connect to");
    w->d->n = 0;
    w->d->haproxy_user = "nobody";
    doctor_check_permissions(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_PERMISSIONS, "nobody cannot reach the agent");
    assert_int_equal(chmod(path(w, "run"), 0777), 0);
    w->d->n = 0;
    doctor_check_permissions(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_PERMISSIONS, "anybody may create files there");
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_PERMISSIONS, "run/s belongs to");
    assert_int_equal(chmod(path(w, "run"), 01777), 0);
    w->d->n = 0;
    doctor_check_permissions(w->d);
    assert_item(w->d, 0, DOCTOR_WARN, DOCTOR_PERMISSIONS, "anybody may create files there");
    w->d->n = 0;
    w->d->haproxy_user = "no such user";
    doctor_check_permissions(w->d);
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_PERMISSIONS, "there is no user");
}

static void chroots(void **state)
{
    struct world *w = *state;
    const char *const none[][2] = {{"router.haproxy.chroot", path(w, "none")},
                                   {"agent.socket", path(w, "none/s")}};

    configure(w, none, 2);
    doctor_check_chroot(w->d);
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CHROOT, "is no directory");
}

static void write_pair(struct world *w, const char *name, unsigned days, unsigned mode)
{
    struct key *key = NULL;
    struct buf text;

    assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
    buf_init(&text, 64 << 10);
    assert_int_equal(key_write_certificate(key, "localhost", days, &text), CC_OK);
    put(w, arena_printf(w->arena, "%s.pem", name).p, buf_slice(&text), 0644);
    buf_reset(&text);
    assert_int_equal(key_write_private(key, &text), CC_OK);
    put(w, arena_printf(w->arena, "%s.key", name).p, buf_slice(&text), mode);
    buf_free(&text);
    key_free(&key);
}

static void check_pair(struct world *w, const char *cert, const char *key)
{
    const char *const settings[][2] = {{"router.keystore.certPath", path(w, cert)},
                                       {"router.keystore.keyPath", path(w, key)}};

    configure(w, settings, 2);
    doctor_check_certificates(w->d);
}

static void certificates(void **state)
{
    struct world *w = *state;

    w->d->now_s = clock_wall_s(&clock_system);
    write_pair(w, "a", 90, 0600);
    write_pair(w, "b", 10, 0640);
    put(w, "junk", SLICE("junk"), 0600);
    check_pair(w, "a.pem", "a.key");
    assert_item(w->d, 0, DOCTOR_OK, DOCTOR_CERTIFICATE, "EC P-256");
    assert_item(w->d, 1, DOCTOR_OK, DOCTOR_CERTIFICATE, "belongs to the certificate");
    check_pair(w, "b.pem", "b.key");
    assert_item(w->d, 0, DOCTOR_WARN, DOCTOR_CERTIFICATE, "more days");
    assert_item(w->d, 1, DOCTOR_WARN, DOCTOR_CERTIFICATE, "others may read it");
    check_pair(w, "a.pem", "b.key");
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "does not belong");
    check_pair(w, "none", "none");
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "no such file");
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "no such file");
    check_pair(w, "junk", "junk");
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "no certificate or public key");
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "keyPath");
    check_pair(w, "a.key", "a.key");
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "holds a private key");
    w->d->now_s += 100 * DAY_S;
    check_pair(w, "a.pem", "a.key");
    assert_item(w->d, 0, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "expired 10 days ago");
}

static void certificates_with_redis(void **state)
{
    struct world *w = *state;
    const char *const settings[][2] = {{"router.securedListenerPort", "0"},
                                       {"agent.redis.address", "/run/redis.sock"},
                                       {"agent.redis.servers", "redis.test:6379"},
                                       {"agent.redis.trustedCertPath", path(w, "d.pem")},
                                       {"agent.redis.certPath", path(w, "c.pem")},
                                       {"agent.redis.keyPath", path(w, "d.key")}};

    w->d->now_s = clock_wall_s(&clock_system);
    write_pair(w, "c", 10, 0600);
    write_pair(w, "d", 11, 0600);
    configure(w, settings, 6);
    doctor_check_certificates(w->d);
    assert_item(w->d, 0, DOCTOR_WARN, DOCTOR_CERTIFICATE, "agent.redis.certPath");
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "agent.redis: the key");
    assert_item(w->d, 2, DOCTOR_WARN, DOCTOR_CERTIFICATE, "agent.redis.trustedCertPath");
}

static void issuers(void **state)
{
    struct world *w = *state;
    const char *const settings[][2] = {
        {"enforcer.security.tokenService[0].name", "login"},
        {"enforcer.security.tokenService[0].issuer", "https://login"},
        {"enforcer.security.tokenService[0].certificateFilePath", path(w, "a.pem")},
        {"enforcer.security.tokenService[1].name", "gone"},
        {"enforcer.security.tokenService[1].issuer", "https://gone"},
        {"enforcer.security.tokenService[1].certificateFilePath", path(w, "gone.pem")},
    };

    w->d->now_s = clock_wall_s(&clock_system);
    write_pair(w, "a", 90, 0600);
    configure(w, settings, 6);
    doctor_check_issuers(w->d);
    assert_item(w->d, 0, DOCTOR_OK, DOCTOR_ISSUER, "login: ");
    assert_item(w->d, 1, DOCTOR_FAIL, DOCTOR_ISSUER, "no such file");
    /* its tokens are still taken: no outage */
    w->d->now_s += 100 * DAY_S;
    w->d->n = 0;
    doctor_check_issuers(w->d);
    assert_item(w->d, 0, DOCTOR_WARN, DOCTOR_ISSUER, "expired 10 days ago");
    configure(w, NULL, 0);
    doctor_check_issuers(w->d);
    assert_item(w->d, 0, DOCTOR_WARN, DOCTOR_ISSUER, "no token service");
}

/* --- the report ------------------------------------------------------------------------------ */

static void the_report(void **state)
{
    struct world *w = *state;
    char *text = NULL;
    size_t n;
    FILE *out;

    doctor_say(w->d, DOCTOR_OK, DOCTOR_HAPROXY, "not shown", "fine");
    doctor_say(w->d, DOCTOR_WARN, DOCTOR_AGENT, "do \"this\"", "odd \033[1m\n%s", "name");
    doctor_say(w->d, DOCTOR_FAIL, DOCTOR_PORT, NULL, "bad");
    assert_int_equal(doctor_count(w->d, DOCTOR_FAIL), 1);
    out = open_memstream(&text, &n);
    doctor_print(w->d, out, false);
    fclose(out);
    assert_string_equal(text, "ok   haproxy: fine\n"
                              "warn agent[CC7119]: odd ?[1m?name\n"
                              "       help: do \"this\"\n"
                              "fail port[CC7115]: bad\n");
    free(text);
    out = open_memstream(&text, &n);
    assert_int_equal(doctor_print_json(w->d, out), CC_OK);
    fclose(out);
    assert_string_equal(
        text, "{\"schema\":1,\"ok\":false,\"checks\":[\n"
              "{\"check\":\"haproxy\",\"level\":\"ok\",\"code\":\"CC7110\",\"text\":\"fine\"},\n"
              "{\"check\":\"agent\",\"level\":\"warn\",\"code\":\"CC7119\","
              "\"text\":\"odd ?[1m?name\",\"help\":\"do \\\"this\\\"\"},\n"
              "{\"check\":\"port\",\"level\":\"fail\",\"code\":\"CC7115\",\"text\":\"bad\"}]}\n");
    free(text);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(versions_of_haproxy),
        CASE(features_of_haproxy),
        CASE(programs),
        CASE(dates),
        CASE(clocks),
        CASE(what_redis_says),
        CASE(buffers_of_haproxy),
        CASE(room_for_the_jwt),
        CASE(shared_objects),
        CASE(answers_of_ready),
        CASE(permission_bits),
        CASE(barriers_on_the_way),
        CASE(processes),
        CASE(who_has_a_port),
        CASE(the_agents_socket),
        CASE(who_may_connect),
        CASE(chroots),
        CASE(certificates),
        CASE(certificates_with_redis),
        CASE(issuers),
        CASE(the_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
