/* doctor: the Redis that gateways share. */
#include "generator/doctor.h"

#include <hiredis/hiredis.h>

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum {
    HOST_MAX = 256,
    SKEW_US = 1000000, /* times of tokens and windows have whole seconds */
    REPLY_MAX = 1 << 20
};

/* A line of INFO: "maxmemory:0". Absent when there is none. */
static struct slice field(struct slice info, const char *name)
{
    struct slice label = slice_of(name), line;

    while (slice_split(&info, '\n', &line)) {
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (slice_starts(line, label) && line.n > label.n && line.p[label.n] == ':')
            return slice_from(line, label.n + 1);
    }
    return SLICE_NONE;
}

static bool is_older(struct slice version, uint64_t major, uint64_t minor)
{
    struct slice part;
    uint64_t has[2] = {0, 0};

    for (size_t i = 0; i < 2 && slice_split(&version, '.', &part); i++)
        if (slice_to_u64(part, &has[i]) != CC_OK)
            return false;
    return has[0] < major || (has[0] == major && has[1] < minor);
}

static void judge_version(struct doctor *d, struct slice version)
{
    bool counts = !slice_is(d->config->counters.shared.mode, "local");

    if (version.n == 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_REDIS, "is it a Redis?", "it does not say its version");
    else if (is_older(version, counts ? 7 : 6, counts ? 0 : 2))
        doctor_say(d, DOCTOR_FAIL, DOCTOR_REDIS, "install a newer one",
                   "it is Redis %" PRIslice "; %s needs %s", SLICE_ARG(version),
                   counts ? "enforcer.throttling.shared" : "what is revoked",
                   counts ? "7.0" : "6.2");
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_REDIS, NULL, "Redis %" PRIslice, SLICE_ARG(version));
}

void doctor_judge_redis(struct doctor *d, struct slice info)
{
    struct slice limit = field(info, "maxmemory"), policy = field(info, "maxmemory_policy");

    judge_version(d, field(info, "redis_version"));
    if (policy.n == 0 || limit.n == 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_REDIS, "see maxmemory-policy in its configuration",
                   "it does not say whether it evicts keys");
    else if (slice_is(policy, "noeviction"))
        doctor_say(d, DOCTOR_OK, DOCTOR_REDIS, NULL, "it evicts no keys");
    else
        doctor_say(d, slice_is(limit, "0") ? DOCTOR_WARN : DOCTOR_FAIL, DOCTOR_REDIS,
                   "maxmemory-policy noeviction, and enough maxmemory",
                   "its maxmemory-policy is %" PRIslice
                   "%s: a revoked token that is evicted is no longer revoked for a gateway that "
                   "starts later",
                   SLICE_ARG(policy),
                   slice_is(limit, "0") ? ", which counts once maxmemory is set" : "");
}

void doctor_judge_redis_clock(struct doctor *d, int64_t ahead_us)
{
    int64_t off_us = ahead_us < 0 ? -ahead_us : ahead_us;

    if (off_us > SKEW_US)
        doctor_say(d, DOCTOR_WARN, DOCTOR_REDIS, "run chrony, ntpd or systemd-timesyncd on both",
                   "its clock is %" PRId64 ".%" PRId64 " s %s this one", off_us / 1000000,
                   off_us / 100000 % 10, ahead_us < 0 ? "behind" : "ahead of");
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_REDIS, NULL, "its clock is at most %" PRId64 " ms off",
                   (off_us + 999) / 1000);
}

static int64_t wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct timeval timeout_of(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* A path, or host:port with the host in brackets when it has colons. */
static redisContext *connect_to(const struct doctor *d)
{
    struct slice address = d->config->agent.redis.address, host = address;
    struct timeval timeout = timeout_of(d->config->agent.redis.connect_timeout_ms);
    char name[HOST_MAX];
    uint64_t port;
    size_t at = address.n;

    if (address.p[0] == '/')
        return redisConnectUnixWithTimeout(address.p, timeout);
    while (at > 0 && address.p[at - 1] != ':')
        at--;
    if (at == 0 || slice_to_u64(slice_from(address, at), &port) != CC_OK || port > 65535)
        return NULL;
    host.n = at - 1;
    if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = slice_first(slice_from(host, 1), host.n - 2);
    if (host.n == 0 || host.n >= sizeof(name))
        return NULL;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    return redisConnectWithTimeout(name, (int)port, timeout);
}

/* NULL, after a finding, when it is not what was wanted. */
static redisReply *ask(struct doctor *d, redisContext *c, const char *what, int n,
                       const char *const *words, const char *help)
{
    redisReply *reply = redisCommandArgv(c, n, (const char **)(uintptr_t)words, NULL);

    if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
        return reply;
    doctor_say(d, DOCTOR_FAIL, DOCTOR_REDIS, help, "%s: %.200s", what,
               reply != NULL ? reply->str : c->errstr);
    if (reply != NULL)
        freeReplyObject(reply);
    return NULL;
}

static bool log_in(struct doctor *d, redisContext *c)
{
    const char *user = d->config->agent.redis.user.p, *password = d->config->agent.redis.password.p;
    const char *const with_user[] = {"AUTH", user, password};
    const char *const without[] = {"AUTH", password};
    const char *const ping[] = {"PING"};
    char number[24];
    const char *const select[] = {"SELECT", number};
    redisReply *reply;

    if (d->config->agent.redis.password.n > 0) {
        reply = d->config->agent.redis.user.n > 0
                    ? ask(d, c, "AUTH", 3, with_user, "see agent.redis.user and password")
                    : ask(d, c, "AUTH", 2, without, "see agent.redis.password");
        if (reply == NULL)
            return false;
        freeReplyObject(reply);
    }
    snprintf(number, sizeof(number), "%" PRIu64, d->config->agent.redis.database);
    reply = d->config->agent.redis.database > 0
                ? ask(d, c, "SELECT", 2, select, "see agent.redis.database")
                : ask(d, c, "PING", 1, ping, "set agent.redis.user and password");
    if (reply == NULL)
        return false;
    freeReplyObject(reply);
    return true;
}

static void look(struct doctor *d, redisContext *c)
{
    static const char help[] = "let the agent's user run it, or look by hand";
    const char *const info[] = {"INFO"}, *const time_[] = {"TIME"};
    redisReply *reply = ask(d, c, "INFO", 1, info, help);
    int64_t before_us, after_us;
    uint64_t s, us;

    if (reply != NULL && reply->type == REDIS_REPLY_STRING && reply->len <= REPLY_MAX)
        doctor_judge_redis(d, slice_make(reply->str, reply->len));
    freeReplyObject(reply);
    before_us = wall_us();
    reply = ask(d, c, "TIME", 1, time_, help);
    after_us = wall_us();
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        reply->element[1]->type == REDIS_REPLY_STRING &&
        slice_to_u64(slice_of(reply->element[0]->str), &s) == CC_OK &&
        slice_to_u64(slice_of(reply->element[1]->str), &us) == CC_OK && s < UINT32_MAX * 4ull &&
        us < 1000000)
        doctor_judge_redis_clock(d, (int64_t)(s * 1000000 + us) -
                                        (before_us + (after_us - before_us) / 2));
    freeReplyObject(reply);
}

void doctor_check_redis(struct doctor *d)
{
    struct slice address = d->config->agent.redis.address;
    redisContext *c;

    if (address.n == 0)
        return;
    c = connect_to(d);
    if (c == NULL || c->err != 0) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_REDIS, "start it, or correct agent.redis.address",
                   "%" PRIslice ": %.200s", SLICE_ARG(address),
                   c != NULL ? c->errstr : "it is no address");
    } else {
        redisSetTimeout(c, timeout_of(d->config->agent.redis.command_timeout_ms));
        if (log_in(d, c))
            look(d, c);
    }
    if (c != NULL)
        redisFree(c);
}
