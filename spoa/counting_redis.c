#include "spoa/counting_redis.h"

#include "spoa/complaint.h"
#include "spoa/counting_script.h"
#include "spoa/counting_strict_script.h"
#include "throttle/counter_strict.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH = 5,        /* keys in one call of the script: it takes 32 texts */
    ROUND_KEYS = 500, /* told of in one round */
    HEAD = 3,         /* of a reply: epoch, time, gateways */
    NAME_ROOM = 160,
    NUMBER_ROOM = 24,
    IDLE_US = 1000000, /* after so long without a word, it is asked whether it is still the same */
    SETTLE_US = 1000000,
    PATIENCE_MS = 1000 /* of a command of the admin socket */
};

/* A call of the script under way. */
struct telling {
    struct counting_redis *redis;
    struct telling *next; /* free */
    int64_t begun_us;
    size_t n;
    struct counter_report reports[BATCH];
};

struct counting_redis {
    struct counter_table *table;
    struct ev_loop *loop; /* NULL: not started */
    struct redis_link *link;
    struct redis_user user;
    struct redis_script script, clear;
    struct counting_ask *ask; /* NULL: not strict */
    struct counting_errands errands;
    ev_timer timer;
    ev_async hurry;
    _Atomic bool hurried; /* by a worker, since the last round */
    char prefix[96], node[17];
    uint64_t round_ms, hold_ms;
    struct counter_share_options share;
    uint64_t look_ms; /* what comes later would decide nothing */
    struct telling tellings[ROUND_KEYS / BATCH + 1], *free;
    bool up, ever_up;
    struct complaint refusals;
    bool asks_who;      /* it is being asked who it is, because it has forgotten */
    long long epoch;    /* 0: not known */
    long long since_ms; /* in Redis' time: when it was up again; 0: not known */
    int64_t talked_us;
#define X(name, help) uint64_t name;
    COUNTING_REDIS_COUNTERS(X)
#undef X
};

static int64_t now_us(void)
{
    return clock_mono_us(&clock_system);
}

static void set_up(struct counting_redis *r, bool up)
{
    r->up = up;
    counter_share_link(r->table, up);
}

/* What comes in */

static void give_back(struct telling *t, size_t from)
{
    for (size_t i = from; i < t->n; i++)
        counter_share_failed(t->redis->table, &t->reports[i]);
    t->next = t->redis->free;
    t->redis->free = t;
}

static bool all_numbers(const redisReply *reply, size_t n)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (reply->element[i]->type != REDIS_REPLY_INTEGER || reply->element[i]->integer < 0)
            return false;
    return true;
}

/* Others may have been away, as we were, or Redis forgot them: what they have used is not known
 * until all are here again. */
static void notice(struct counting_redis *r, const redisReply *reply)
{
    long long epoch = reply->element[0]->integer, here = reply->element[2]->integer;

    if (epoch != r->epoch) {
        if (r->epoch != 0) {
            r->forgotten++;
            counter_share_again(r->table, counter_now(&clock_system), (int64_t)r->hold_ms * 1000,
                                true);
            r->since_ms = 0;
        }
        r->epoch = epoch;
        if (r->ask != NULL)
            counting_ask_know(r->ask, epoch);
    }
    if (r->since_ms == 0) {
        r->since_ms = reply->element[1]->integer;
        here = 0; /* who was here before does not count */
    } else if (here >= (long long)r->share.gateways && r->gateways_here < r->share.gateways) {
        counter_share_all_here(r->table, counter_now(&clock_system), SETTLE_US);
    }
    r->gateways_here = (uint64_t)here;
}

/* It may refuse some of what is said to it, and take the rest: then it is up in between. */
static void refuse(void *context, const redisReply *reply)
{
    struct counting_redis *r = context;
    uint64_t times = complaint_due(&r->refusals, now_us());
    char often[64] = "";

    r->refused++;
    if (times > 1)
        snprintf(often, sizeof(often), "; %llu times since this was said last",
                 (unsigned long long)times);
    if (times > 0)
        log_error("counters: redis refuses to be %s: %.*s; limits do as "
                  "enforcer.throttling.shared.away says%s",
                  r->ask != NULL ? "asked or told" : "told",
                  (int)(reply->len < 100 ? reply->len : 100), reply->str, often);
    set_up(r, false);
}

static void on_told(void *context, const redisReply *reply)
{
    struct telling *t = context;
    struct counting_redis *r = t->redis;
    struct counter_time now = counter_now(&clock_system);

    r->asks_who = false;
    if (reply == NULL) {
        give_back(t, 0);
        return;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        refuse(r, reply);
        give_back(t, 0);
        return;
    }
    if (!all_numbers(reply, HEAD + 4 * t->n)) {
        give_back(t, 0);
        redis_link_fail(r->link, "it answers what the script for counters does not");
        return;
    }
    if (!r->up) { /* it takes what it is told again */
        counter_share_again(r->table, now, r->ever_up ? (int64_t)r->hold_ms * 1000 : 0, false);
        set_up(r, true);
        r->ever_up = true;
        r->since_ms = 0;
    }
    notice(r, reply);
    for (size_t i = 0; i < t->n; i++) {
        redisReply **four = &reply->element[HEAD + 4 * i];
        struct counter_answer answer = {
            four[0]->integer <= COUNTER_ANSWER_OVER ? (enum counter_answer_kind)four[0]->integer
                                                    : COUNTER_ANSWER_OVER,
            (uint64_t)four[1]->integer, (uint64_t)four[2]->integer, (uint64_t)four[3]->integer};

        counter_share_answer(r->table, &t->reports[i], &answer, now);
    }
    r->keys_told += t->n;
    r->last_us = (uint64_t)(now.mono_us - t->begun_us);
    r->longest_us = r->last_us > r->longest_us ? r->last_us : r->longest_us;
    give_back(t, t->n);
}

/* What goes out */

static struct slice number(char room[NUMBER_ROOM], uint64_t value)
{
    snprintf(room, NUMBER_ROOM, "%llu", (unsigned long long)value);
    return slice_of(room);
}

static struct slice name_key(const struct counting_redis *r, const uint8_t *name, char *room)
{
    struct buf b;

    buf_init_fixed(&b, room, NAME_ROOM);
    buf_printf(&b, "%s{limits}:%s", r->prefix, r->ask != NULL ? "s:" : "");
    buf_add_hex(&b, name, COUNTER_NAME_BYTES);
    return buf_slice(&b);
}

enum { PACKED_ROOM = 4 * NUMBER_ROOM };

/* The arguments of a report; how many they are. */
static size_t add_report(const struct counting_redis *r, const struct counter_report *report,
                         char numbers[3][NUMBER_ROOM], char *packed, struct slice *args)
{
    struct buf b;

    if (r->ask == NULL) {
        args[0] = number(numbers[0], report->window);
        args[1] = number(numbers[1], report->count);
        args[2] = number(numbers[2], report->left_ms);
        args[3] = report->sliding ? SLICE("1") : SLICE("0");
        return 4;
    }
    buf_init_fixed(&b, packed, PACKED_ROOM);
    buf_printf(&b, "%llu %llu %llu %llu %d", (unsigned long long)report->window,
               (unsigned long long)report->count, (unsigned long long)report->left_ms,
               (unsigned long long)report->length_ms, report->sliding);
    args[0] = buf_slice(&b);
    return 1;
}

static void tell(struct counting_redis *r, struct telling *t)
{
    char names[2 + BATCH][NAME_ROOM], since[NUMBER_ROOM], numbers[BATCH][3][NUMBER_ROOM];
    char packed[BATCH][PACKED_ROOM];
    struct slice args[2 + BATCH + 2 + 4 * BATCH];
    size_t n = 0;

    snprintf(names[0], NAME_ROOM, "%s{limits}:epoch", r->prefix);
    snprintf(names[1], NAME_ROOM, "%s{limits}:gateways", r->prefix);
    args[n++] = slice_of(names[0]);
    args[n++] = slice_of(names[1]);
    for (size_t i = 0; i < t->n; i++)
        args[n++] = name_key(r, t->reports[i].name, names[2 + i]);
    args[n++] = slice_of(r->node);
    args[n++] = number(since, (uint64_t)r->since_ms);
    for (size_t i = 0; i < t->n; i++)
        n += add_report(r, &t->reports[i], numbers[i], packed[i], args + n);
    t->begun_us = r->talked_us = now_us();
    if (redis_link_eval(r->link, &r->script, 2 + t->n, args, n, on_told, t) != CC_OK)
        give_back(t, 0);
}

/* Tells of all that is to be told, or as much as there are free places for calls under way. When
 * there is nothing, it still asks now and then: whether Redis is the same, and takes what it is
 * told. */
static void run_round(struct counting_redis *r)
{
    bool told = false;

    atomic_store_explicit(&r->hurried, false, memory_order_relaxed);
    while (redis_link_is_up(r->link) && r->free != NULL) {
        struct telling *t = r->free;

        t->n = r->up
                   ? counter_share_collect(r->table, counter_now(&clock_system), t->reports, BATCH)
                   : 0;
        if (t->n == 0 && now_us() - r->talked_us < IDLE_US)
            break;
        r->free = t->next;
        told = true;
        tell(r, t);
    }
    r->rounds += told;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    run_round(timer->data);
}

static void on_hurry(struct ev_loop *loop, ev_async *hurry, int revents)
{
    (void)loop;
    (void)revents;
    run_round(hurry->data);
}

/* A worker: a lease is half used up. */
static void hurry(void *context)
{
    struct counting_redis *r = context;

    if (r->loop != NULL && !atomic_exchange_explicit(&r->hurried, true, memory_order_relaxed))
        ev_async_send(r->loop, &r->hurry);
}

/* Requests ask for limits of which Redis does not know what we have told: it is told at once. */
static void forgotten(void *context)
{
    struct counting_redis *r = context;

    if (r->asks_who)
        return;
    r->asks_who = true;
    r->talked_us = now_us() - IDLE_US;
    run_round(r);
}

static void on_up(void *context)
{
    struct counting_redis *r = context;

    r->talked_us = now_us() - IDLE_US; /* its first answer tells whether it can be used */
    run_round(r);
}

static void on_down(void *context)
{
    set_up(context, false);
}

static int make_ask(struct counting_redis *r, const struct counting_redis_options *options)
{
    const struct counting_ask_options ask = {
        .prefix = options->prefix,
        .node = r->node,
        .places = options->places < COUNTING_ASK_MAX ? options->places : COUNTING_ASK_MAX,
        .postbox = options->postbox,
        .refused = refuse,
        .forgotten = forgotten,
        .context = r,
    };

    return options->share.strict ? counting_ask_new(&r->ask, &ask) : CC_OK;
}

int counting_redis_new(struct counting_redis **out, struct counter_table *table,
                       const struct counting_redis_options *options)
{
    struct counting_redis *r = calloc(1, sizeof(*r));
    struct counter_share_options share = options->share;
    struct buf prefix;
    int rc;

    if (r == NULL)
        return CC_ENOMEM;
    buf_init_fixed(&prefix, r->prefix, sizeof(r->prefix));
    buf_add_str(&prefix, "");
    buf_add(&prefix, options->prefix);
    share.hurry = hurry;
    share.context = r;
    share.round_us = (int64_t)options->round_ms * 1000;
    rc = buf_error(&prefix);
    if (rc == CC_OK)
        rc = redis_script_init(
            &r->script, slice_of(share.strict ? counting_strict_tell_script : counting_script));
    if (rc == CC_OK)
        rc = redis_script_init(&r->clear, slice_of(share.strict ? counting_strict_clear_script
                                                                : counting_clear_script));
    if (rc == CC_OK)
        rc = make_ask(r, options);
    if (rc == CC_OK)
        rc = counter_share_start(table, &share);
    if (rc != CC_OK) {
        counting_redis_free(&r);
        return rc;
    }
    r->table = table;
    r->round_ms = options->round_ms;
    r->hold_ms = options->hold_ms;
    r->share = share;
    r->look_ms = options->deadline_ms < PATIENCE_MS ? options->deadline_ms : PATIENCE_MS;
    counter_share_node(table, r->node);
    for (size_t i = 0; i < sizeof(r->tellings) / sizeof(r->tellings[0]); i++) {
        r->tellings[i].redis = r;
        give_back(&r->tellings[i], 0);
    }
    *out = r;
    return CC_OK;
}

void counting_redis_start(struct counting_redis *r, struct ev_loop *loop, struct redis_link *link)
{
    ev_tstamp round_s = (ev_tstamp)r->round_ms / 1000;

    r->link = link;
    r->errands.loop = loop;
    r->timer.data = r->hurry.data = r;
    ev_timer_init(&r->timer, on_timer, round_s, round_s);
    ev_timer_start(loop, &r->timer);
    ev_async_init(&r->hurry, on_hurry);
    ev_async_start(loop, &r->hurry);
    r->user = (struct redis_user){.up = on_up, .down = on_down, .context = r};
    redis_link_join(link, &r->user);
    if (r->ask != NULL)
        counting_ask_start(r->ask, loop, link);
    r->loop = loop;
}

void counting_redis_stop(struct counting_redis *r)
{
    if (r->loop == NULL)
        return;
    ev_timer_stop(r->loop, &r->timer);
    ev_async_stop(r->loop, &r->hurry);
    if (r->ask != NULL)
        counting_ask_stop(r->ask);
    r->loop = NULL;
}

void counting_redis_free(struct counting_redis **r)
{
    if (*r != NULL)
        counting_ask_free(&(*r)->ask);
    free(*r);
    *r = NULL;
}

struct oracle *counting_redis_oracle(struct counting_redis *r)
{
    return r->ask != NULL ? counting_ask_oracle(r->ask) : NULL;
}

/* What commands ask */

/* The first step. */
static enum counting_source begin_look(struct counting_redis *r, struct admin_call *call,
                                       struct slice key, const struct counter_rule *rule,
                                       uint64_t bytes)
{
    struct counter_question question;
    struct counting_errand *e;

    switch (
        counter_strict_look(r->table, key, rule, bytes, counter_now(&clock_system), &question)) {
    case COUNTER_ASKS_NOT:
        return COUNTING_BY_AWAY;
    case COUNTER_ASKS_LATER:
        return COUNTING_BY_HELD;
    case COUNTER_ASKS_UNKNOWN:
        return COUNTING_BY_UNKNOWN;
    case COUNTER_ASKS:
        break;
    }
    e = counting_errand_new(&r->errands);
    if (e == NULL)
        return COUNTING_BY_LATE;
    e->question = question;
    if (r->link == NULL || counting_ask_look(r->ask, e) != CC_OK) {
        counting_errand_drop(e);
        return COUNTING_BY_AWAY;
    }
    counting_errand_wait(e, call, r->look_ms);
    return COUNTING_WAITS;
}

enum counting_source counting_redis_look(struct counting_redis *r, struct admin_call *call,
                                         struct slice key, const struct counter_rule *rule,
                                         uint64_t bytes, struct counter_look *out)
{
    struct counting_errand *e = counting_errand_of(call);
    enum counting_source source;

    counter_look(r->table, key, rule, bytes, counter_now(&clock_system), out);
    if (r->ask == NULL)
        return COUNTING_BY_HERE;
    if (e == NULL)
        return begin_look(r, call, key, rule, bytes);
    source = e->state == COUNTING_ERRAND_ANSWERED ? COUNTING_BY_REDIS
             : e->state == COUNTING_ERRAND_LATE   ? COUNTING_BY_LATE
                                                  : COUNTING_BY_AWAY;
    if (source == COUNTING_BY_REDIS)
        counter_strict_seen(&e->question.asks[0], &e->verdict, out);
    counting_errand_end(e);
    return source;
}

static void on_cleared(void *context, const redisReply *reply)
{
    struct counting_errand *e = context;
    bool good = reply != NULL && reply->type == REDIS_REPLY_INTEGER;

    e->number = good ? reply->integer : 0;
    counting_errand_back(e, good);
}

/* The first step. Here first: what is used from now on belongs to the window that begins in Redis.
 * call->cursor: 1 when there was something. */
static enum counting_cleared begin_clear(struct counting_redis *r, struct admin_call *call,
                                         struct slice key)
{
    uint64_t window = counter_share_window(r->table, key, counter_now(&clock_system));
    struct counting_errand *e = r->up ? counting_errand_new(&r->errands) : NULL;
    char room[NAME_ROOM], text[NUMBER_ROOM];
    uint8_t name[COUNTER_NAME_BYTES];
    struct slice args[2];

    call->cursor = counter_clear(r->table, key);
    if (e == NULL)
        return r->up ? COUNTING_CLEARED_LATE : COUNTING_CLEARED_HERE;
    if (counter_share_name(key, name)) {
        args[0] = name_key(r, name, room);
        args[1] = number(text, window);
        if (redis_link_eval(r->link, &r->clear, 1, args, 2, on_cleared, e) == CC_OK) {
            counting_errand_wait(e, call, PATIENCE_MS);
            return COUNTING_CLEARS;
        }
    }
    counting_errand_drop(e);
    return COUNTING_CLEARED_HERE;
}

enum counting_cleared counting_redis_clear(struct counting_redis *r, struct admin_call *call,
                                           struct slice key)
{
    struct counting_errand *e = counting_errand_of(call);
    enum counting_cleared cleared;

    if (e == NULL)
        return begin_clear(r, call, key);
    if (e->state == COUNTING_ERRAND_ANSWERED)
        cleared = e->number > 0 || call->cursor > 0 ? COUNTING_CLEARED : COUNTING_CLEARED_NOT;
    else
        cleared = e->state == COUNTING_ERRAND_LATE ? COUNTING_CLEARED_LATE : COUNTING_CLEARED_HERE;
    counting_errand_end(e);
    return cleared;
}

void counting_redis_report(const struct counting_redis *r, struct buf *out)
{
    const struct counter_share_options *o = &r->share;
    unsigned others = o->strict ? 0 : o->gateways - 1;
    uint64_t least = others * o->lease_least;

    buf_printf(out, " share_up=%d share_holds=%d", r->up,
               counter_share_holds(r->table, counter_now(&clock_system)));
    buf_printf(out, " share_overshoot_percent=%u share_overshoot_least=%llu",
               others * o->lease_percent, (unsigned long long)least);
#define X(name, help) buf_printf(out, " share_" #name "=%llu", (unsigned long long)r->name);
    COUNTING_REDIS_COUNTERS(X)
#undef X
    if (r->ask != NULL)
        counting_ask_report(r->ask, out);
}
