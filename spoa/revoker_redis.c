/* The revocations that gateways share by Redis.
 *
 *     PREFIX{revoked}          sorted set: ids, by when the token expires (+inf: never)
 *     PREFIX{revoked}:lifted   sorted set: ids that were taken back, by when
 *     PREFIX{revoked}:changes  channel: lines of revoke_line.h
 *
 * Once connected, and subscribed, both sets are read in pages. What a gateway said while it was
 * alone, and what a server that lost its data does not know any more, is told to the server then.
 * Nothing disappears here because it is not there: only what was lifted does. */
#include "spoa/revoker_redis.h"

#include "revoke/revoke_line.h"
#include "spoa/revoker_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NAME_ROOM = 128,
    PAGE = 500,
    /* pages of one set: what a server says beyond that is not read */
    PAGES_MAX = 4 * (REVOKED_MAX_ENTRIES / PAGE),
    TELL_STEP = 1000, /* entries told in one turn of the loop */
    LIFTED_KEPT_S = 30 * 86400
};

/* KEYS: revoked, lifted. ARGV: id, when it expires, line, channel. GT: the longest counts. */
#define REVOKE_SCRIPT                                 \
    "redis.call('ZREM',KEYS[2],ARGV[1])"              \
    "redis.call('ZADD',KEYS[1],'GT',ARGV[2],ARGV[1])" \
    "return redis.call('PUBLISH',ARGV[4],ARGV[3])"

/* KEYS: revoked, lifted. ARGV: id, now, line, channel. */
#define LIFT_SCRIPT                              \
    "redis.call('ZREM',KEYS[1],ARGV[1])"         \
    "redis.call('ZADD',KEYS[2],ARGV[2],ARGV[1])" \
    "return redis.call('PUBLISH',ARGV[4],ARGV[3])"

/* KEYS: revoked, lifted. ARGV: the end of what has expired, and of what was lifted long ago. */
#define CLEAN_SCRIPT                                        \
    "redis.call('ZREMRANGEBYSCORE',KEYS[1],'-inf',ARGV[1])" \
    "return redis.call('ZREMRANGEBYSCORE',KEYS[2],'-inf',ARGV[2])"

enum phase { AWAY, READING_REVOKED, READING_LIFTED, TELLING, IN_STEP };

struct revoker_redis {
    struct revoker *revoker;
    struct redis_link *link;
    struct redis_user user;
    struct redis_script revoke, lift, clean;
    char revoked[NAME_ROOM], lifted[NAME_ROOM], channel[NAME_ROOM];
    enum phase phase;
    unsigned pages;
    size_t told_at; /* the place where telling goes on */
    size_t n_told;
    bool refused; /* the server refused a command: said once */
    bool alone_said;
    ev_timer tell;
};

static int64_t now_s(const struct revoker_redis *x)
{
    return clock_wall_s(x->revoker->options.clock);
}

/* What goes out */

static void on_told(void *context, const redisReply *reply)
{
    struct revoker_redis *x = context;

    if (reply == NULL || reply->type != REDIS_REPLY_ERROR)
        return;
    if (!x->refused)
        log_warn("revocations: redis refuses to take one: %.*s; other gateways do not hear of it",
                 (int)(reply->len < 100 ? reply->len : 100), reply->str);
    x->refused = true;
}

static int tell(struct revoker_redis *x, struct slice id, int64_t until_s, bool revoked)
{
    const struct revoke_line line = {revoked, revoked ? until_s : REVOKED_FOREVER, id};
    char room[REVOKE_LINE_MAX], score[24];
    struct slice args[] = {
        slice_of(x->revoked), slice_of(x->lifted), slice_first(id, REVOKED_ID_MAX),
        SLICE_NONE,           SLICE_NONE,          slice_of(x->channel)};
    struct buf text;

    buf_init_fixed(&text, room, sizeof(room));
    revoke_line_add(&text, &line);
    if (revoked && until_s == REVOKED_FOREVER)
        snprintf(score, sizeof(score), "+inf");
    else
        snprintf(score, sizeof(score), "%lld", (long long)(revoked ? until_s : now_s(x)));
    args[3] = slice_of(score);
    args[4] = buf_slice(&text);
    return redis_link_eval(x->link, revoked ? &x->revoke : &x->lift, 2, args, 6, on_told, x);
}

void revoker_redis_tell(struct revoker_redis *x, struct slice id, int64_t until_s, bool revoked)
{
    tell(x, id, until_s, revoked); /* while it is away: told when it is back */
}

bool revoker_redis_is_in_step(const struct revoker_redis *x)
{
    return x->phase == IN_STEP;
}

/* What comes in */

static void on_message(void *context, struct slice payload)
{
    struct revoker_redis *x = context;
    struct revoke_line line;

    if (!revoke_line_parse(payload, &line)) {
        x->revoker->bad_messages++;
        return;
    }
    if (line.revoked)
        revoker_add(x->revoker, line.id, line.until_s);
    else
        revoker_remove(x->revoker, line.id);
    revoker_save_soon(x->revoker);
}

/* A member with its score, as a page has them. False: it is none. */
static bool read_member(const redisReply *id, const redisReply *score, struct slice *out,
                        int64_t *until_s)
{
    char *end = NULL;
    double value;

    if (id->type != REDIS_REPLY_STRING || score->type != REDIS_REPLY_STRING || score->len == 0 ||
        score->len > 32)
        return false;
    *out = slice_make(id->str, id->len);
    value = strtod(score->str, &end); /* hiredis ends texts with NUL */
    if (end != score->str + score->len || isnan(value) || value < 0 || !revoked_id_valid(*out) ||
        out->n > REVOKED_ID_MAX)
        return false;
    *until_s = value >= 9e15 ? REVOKED_FOREVER : (int64_t)value + ((double)(int64_t)value < value);
    return true;
}

static void take_member(struct revoker_redis *x, struct slice id, int64_t until_s)
{
    struct revoked_entry e;

    if (x->phase == READING_REVOKED)
        revoker_add(x->revoker, id, until_s);
    /* unless it was revoked again since: by the other set, or by a message */
    else if (revoked_find(x->revoker->table, id, &e) && (e.marks & REVOKED_BY_STATE) == 0)
        revoker_remove(x->revoker, id);
}

static void next_phase(struct revoker_redis *x);
static void read_page(struct revoker_redis *x, struct slice cursor);

/* [cursor, [member, score, ...]] */
static bool is_page(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING && reply->element[0]->len > 0 &&
           reply->element[0]->len <= 20 && reply->element[1]->type == REDIS_REPLY_ARRAY &&
           reply->element[1]->elements % 2 == 0;
}

static void fail_to_read(struct revoker_redis *x, const redisReply *reply)
{
    char why[REDIS_WHY];

    if (reply->type == REDIS_REPLY_ERROR)
        snprintf(why, sizeof(why), "revocations cannot be read: %.*s",
                 (int)(reply->len < 100 ? reply->len : 100), reply->str);
    else
        snprintf(why, sizeof(why), "what it says of revocations is of no known form");
    redis_link_fail(x->link, why);
}

static void on_page(void *context, const redisReply *reply)
{
    struct revoker_redis *x = context;
    const redisReply *list;
    struct slice cursor, id;
    int64_t until_s;

    if (reply == NULL) /* lost: down() says so */
        return;
    if (!is_page(reply)) {
        fail_to_read(x, reply);
        return;
    }
    list = reply->element[1];
    for (size_t i = 0; i < list->elements; i += 2) {
        if (read_member(list->element[i], list->element[i + 1], &id, &until_s))
            take_member(x, id, until_s);
        else
            x->revoker->bad_messages++;
    }
    cursor = slice_make(reply->element[0]->str, reply->element[0]->len);
    if (slice_is(cursor, "0"))
        next_phase(x);
    else if (++x->pages > PAGES_MAX)
        redis_link_fail(x->link, "its revocations have no end");
    else
        read_page(x, cursor);
}

static void read_page(struct revoker_redis *x, struct slice cursor)
{
    char count[16];
    struct slice args[] = {
        SLICE("ZSCAN"), slice_of(x->phase == READING_REVOKED ? x->revoked : x->lifted),
        cursor,         SLICE("COUNT"),
        SLICE_NONE,
    };

    snprintf(count, sizeof(count), "%d", (int)PAGE);
    args[4] = slice_of(count);
    redis_link_send(x->link, args, 5, on_page, x); /* else it is away, and down() comes */
}

static void clean(struct revoker_redis *x)
{
    char expired[24], lifted[24];
    struct slice args[] = {slice_of(x->revoked), slice_of(x->lifted), SLICE_NONE, SLICE_NONE};

    snprintf(expired, sizeof(expired), "%lld", (long long)(now_s(x) - REVOKED_GRACE_S));
    snprintf(lifted, sizeof(lifted), "%lld", (long long)(now_s(x) - LIFTED_KEPT_S));
    args[2] = slice_of(expired);
    args[3] = slice_of(lifted);
    redis_link_eval(x->link, &x->clean, 2, args, 4, on_told, x);
}

static void arrive(struct revoker_redis *x)
{
    struct revoked_stats stats;

    x->phase = IN_STEP;
    clean(x);
    revoked_stats(x->revoker->table, &stats);
    log_info("revocations: in step with redis: %zu tokens, %zu of which it did not know",
             stats.entries, x->n_told);
    if (x->revoker->journal != NULL)
        revoke_journal_set_shared(x->revoker->journal);
    revoker_save_soon(x->revoker);
    revoked_set_ready(x->revoker->table, true);
}

/* In steps: there may be many, and others want the loop, too. */
static void on_tell(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct revoker_redis *x = timer->data;
    struct revoked_entry e;

    (void)revents;
    for (size_t n = 0; n < TELL_STEP; x->told_at++) {
        if (x->told_at >= revoked_places(x->revoker->table)) {
            ev_timer_stop(loop, timer);
            arrive(x);
            return;
        }
        if (!revoked_at(x->revoker->table, x->told_at, &e) || (e.sources & REVOKED_BY_STATE) == 0 ||
            (e.marks & REVOKED_BY_STATE) != 0)
            continue;
        if (tell(x, e.id, e.until_s, true) != CC_OK)
            return; /* too much is under way: this one again, in the next turn */
        x->n_told++;
        n++;
    }
}

static void next_phase(struct revoker_redis *x)
{
    x->phase++;
    x->pages = 0;
    if (x->phase == READING_LIFTED) {
        read_page(x, SLICE("0"));
        return;
    }
    x->told_at = x->n_told = 0;
    ev_timer_again(x->revoker->loop, &x->tell);
}

static void on_up(void *context)
{
    struct revoker_redis *x = context;

    x->phase = READING_REVOKED;
    x->pages = 0;
    x->refused = x->alone_said = false;
    revoked_begin(x->revoker->table, REVOKED_BY_STATE);
    read_page(x, SLICE("0"));
}

static void on_down(void *context)
{
    struct revoker_redis *x = context;
    struct revoker *r = x->revoker;

    x->phase = AWAY;
    ev_timer_stop(r->loop, &x->tell);
    if (x->alone_said)
        return;
    x->alone_said = true;
    if (revoked_is_ready(r->table)) {
        log_warn("revocations: those that are known hold; those of other gateways are heard when "
                 "redis is back");
    } else if (r->saved && r->options.without_redis) {
        log_warn(
            "revocations: going on with those that were saved; those of other gateways since then "
            "are heard when redis is back");
        revoked_set_ready(r->table, true);
    } else {
        log_error("revocations: %s: all tokens are refused until redis can be reached",
                  r->saved ? "enforcer.security.revocation.startWithoutRedis is false"
                           : "what other gateways know was never saved here");
    }
}

int revoker_redis_new(struct revoker_redis **out, struct revoker *revoker, struct redis_link *link,
                      struct slice prefix)
{
    struct revoker_redis *x = calloc(1, sizeof(*x));
    int rc;

    if (x == NULL)
        return CC_ENOMEM;
    x->revoker = revoker;
    x->link = link;
    snprintf(x->revoked, NAME_ROOM, "%" PRIslice "{revoked}", SLICE_ARG(prefix));
    snprintf(x->lifted, NAME_ROOM, "%" PRIslice "{revoked}:lifted", SLICE_ARG(prefix));
    snprintf(x->channel, NAME_ROOM, "%" PRIslice "{revoked}:changes", SLICE_ARG(prefix));
    rc = redis_script_init(&x->revoke, SLICE(REVOKE_SCRIPT));
    if (rc == CC_OK)
        rc = redis_script_init(&x->lift, SLICE(LIFT_SCRIPT));
    if (rc == CC_OK)
        rc = redis_script_init(&x->clean, SLICE(CLEAN_SCRIPT));
    if (rc != CC_OK) {
        free(x);
        return rc;
    }
    x->tell.data = x;
    ev_init(&x->tell, on_tell);
    x->tell.repeat = 0.001;
    x->user = (struct redis_user){
        .channel = slice_of(x->channel),
        .up = on_up,
        .down = on_down,
        .message = on_message,
        .context = x,
    };
    redis_link_join(link, &x->user);
    *out = x;
    return CC_OK;
}

void revoker_redis_free(struct revoker_redis **px)
{
    struct revoker_redis *x = *px;

    *px = NULL;
    if (x == NULL)
        return;
    ev_timer_stop(x->revoker->loop, &x->tell);
    free(x);
}
