/* A real redis-server on a unix socket, for tests: what can become of it. */
#pragma once

#include "base/base.h"

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct redis {
    char directory[64], socket[96];
    pid_t pid;
};

static inline void pause_ms(unsigned ms)
{
    usleep(ms * 1000);
}

static inline void redis_start(struct redis *r)
{
    if (r->directory[0] == '\0') {
        snprintf(r->directory, sizeof(r->directory), "/tmp/cc-redis-XXXXXX");
        assert_non_null(mkdtemp(r->directory));
        snprintf(r->socket, sizeof(r->socket), "%s/redis.sock", r->directory);
    }
    unlink(r->socket);
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a test fails */
        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(127);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", r->socket, "--save",
               "", "--dir", r->directory, "--loglevel", "warning", "--logfile", "log",
               (char *)NULL);
        _exit(127);
    }
    for (unsigned i = 0; access(r->socket, F_OK) != 0; i++) {
        if (i > 2000)
            fail_msg("redis-server does not start");
        pause_ms(10);
    }
}

static inline void redis_kill(struct redis *r)
{
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
}

static inline void redis_end(struct redis *r)
{
    redis_kill(r);
    assert_int_equal(file_remove_tree(r->directory), CC_OK);
}

static inline void redis_say(const struct redis *r, const char *line)
{
    redisContext *c = redisConnectUnix(r->socket);
    redisReply *reply;

    assert_true(c != NULL && c->err == 0);
    reply = redisCommand(c, line);
    assert_true(reply != NULL && reply->type == REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    redisFree(c);
}

/* Ways of losing what was counted: somebody else writes where it is. */
enum { REDIS_LOSSES = 4 };
static const char *const redis_losses[REDIS_LOSSES] = {
    "FLUSHALL",
    /* lists at all keys; redisCommand() splits at blanks only */
    "EVAL for\t_,k\tin\tipairs(redis.call('KEYS','*'))do\tredis.call('DEL',k)redis.call('RPUSH',k,'x')"
    "end\treturn{ok='OK'} 0",
    /* texts at all keys but the epoch */
    "EVAL for\t_,k\tin\tipairs(redis.call('KEYS','*'))do\tif\tnot\tstring.find(k,'epoch')then\t"
    "redis.call('SET',k,'x')end\tend\treturn{ok='OK'} 0",
    "SET cc:{limits}:epoch x",
};

/* Ways of not being usable while it runs. */
enum { REDIS_SPOILT = 3 };
static const struct {
    const char *name, *begin, *end; /* begin == NULL: its process is stopped */
} redis_spoilt[REDIS_SPOILT] = {
    {"stopped", NULL, NULL},
    {"read-only", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
    {"full", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
};

static inline void redis_spoil(const struct redis *r, size_t i)
{
    if (redis_spoilt[i].begin == NULL)
        kill(r->pid, SIGSTOP);
    else
        redis_say(r, redis_spoilt[i].begin);
}

static inline void redis_mend(const struct redis *r, size_t i)
{
    if (redis_spoilt[i].begin == NULL)
        kill(r->pid, SIGCONT);
    else
        redis_say(r, redis_spoilt[i].end);
}
