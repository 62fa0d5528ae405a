/* Gateways that ask a real Redis for each request: to the request as much as the quota, whatever
 * becomes of Redis meanwhile. Nothing here measures time: each wait is for something to happen. */
#include "regress/unit/spoa/kept_log.h"
#include "regress/unit/spoa/redis_process.h"

#include "enforce/await.h"

static void keep_reply(struct enforce_reply *reply);
#define postbox_put(postbox, worker, reply) keep_reply(reply)
#include "spoa/counting_ask.c"

#include "regress/unit/spoa/operator.h"
#include "throttle/counter_share_internal.h"

enum { GATEWAYS = 3, QUOTA = 300, FLIGHT = 16 };

static const struct counter_rule fixed = {.max = QUOTA, .window_ms = 3600000},
                                 sliding = {.max = QUOTA,
                                            .window_ms = 3600000,
                                            .window = COUNTER_SLIDING},
                                 burst = {.max = COUNTER_MAX_QUOTA,
                                          .window_ms = COUNTER_MAX_WINDOW_MS,
                                          .burst_max = QUOTA,
                                          .burst_ms = 3600000};

struct gateway {
    struct counter_table *table;
    struct counting_redis *redis;
    struct ev_loop *loop;
    struct redis_link *link;
};

struct world {
    struct redis redis;
    struct gateway gateways[GATEWAYS];
};

/* A request, from its question to what came of it. */
struct
try {
    struct gateway *gateway;
    const struct counter_limit *limits;
    size_t n;
    uint64_t bytes;
    struct counter_question question;
    struct enforce_reply *reply;
};

/* After which Redis is lost. */
static uint64_t command_ms = 300;

static struct try tries[FLIGHT];
static size_t n_tries;

/* The key is the number of the request. */
static void keep_reply(struct enforce_reply *reply)
{
    size_t number;

    memcpy(&number, reply->key.bytes, sizeof(number));
    assert_true(number < n_tries && tries[number].reply == NULL);
    tries[number].reply = reply;
}

static void open_gateway(struct world *w, struct gateway *g, enum counter_away away)
{
    const struct counting_redis_options options = {
        .prefix = SLICE("cc:"),
        .round_ms = 20,
        .hold_ms = 60000,
        .places = FLIGHT,
        .deadline_ms = 100,
        .share = {.gateways = GATEWAYS,
                  .lease_percent = 10,
                  .lease_least = 5,
                  .away = away,
                  .strict = true},
    };
    const struct redis_link_options link = {
        .address = slice_of(w->redis.socket), .connect_ms = 200, .command_ms = command_ms};

    assert_int_equal(counter_table_new(&g->table, COUNTER_MIN_KEYS), CC_OK);
    assert_int_equal(counting_redis_new(&g->redis, g->table, &options), CC_OK);
    g->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    assert_int_equal(redis_link_new(&g->link, g->loop, &link), CC_OK);
    counting_redis_start(g->redis, g->loop, g->link);
    redis_link_start(g->link);
}

static void close_gateway(struct gateway *g)
{
    redis_link_free(&g->link);
    counting_redis_stop(g->redis);
    counting_redis_free(&g->redis);
    ev_loop_destroy(g->loop);
    counter_table_free(&g->table);
}

static void pump(struct world *w)
{
    for (unsigned i = 0; i < GATEWAYS; i++)
        ev_run(w->gateways[i].loop, EVRUN_NOWAIT);
    pause_ms(1);
}

static uint64_t reported(const struct gateway *g, const char *name)
{
    char room[1024];
    struct buf b;
    uint64_t value = 0;
    struct slice rest, word;

    buf_init_fixed(&b, room, sizeof(room));
    counting_redis_report(g->redis, &b);
    rest = buf_slice(&b);
    while (slice_split(&rest, ' ', &word) || rest.n > 0) {
        struct slice before;

        if (word.n == 0 && rest.n == 0)
            break;
        if (slice_split(&word, '=', &before) && slice_is(before, name))
            assert_int_equal(slice_to_u64(word, &value), CC_OK);
        if (rest.n == 0)
            break;
    }
    return value;
}

static void wait_until(struct world *w, const char *name, uint64_t value)
{
    for (unsigned n = 0, good = 0; good < GATEWAYS; n++) {
        assert_true(n < 40000);
        pump(w);
        good = 0;
        for (unsigned i = 0; i < GATEWAYS; i++)
            good += reported(&w->gateways[i], name) == value;
    }
}

/* It has noticed that Redis lost everything; all have told it again, and know it of one another. */
static bool settled(const struct gateway *g)
{
    const struct counter_sharing *s = g->table->sharing;
    int64_t now_us = clock_mono_us(&clock_system);

    return reported(g, "share_up") == 1 && s->lost_us != 0 && now_us >= s->lost_us &&
           now_us >= s->hold_us;
}

static void wait_settled(struct world *w)
{
    for (unsigned n = 0, good = 0; good < GATEWAYS; n++) {
        assert_true(n < 40000);
        pump(w);
        good = 0;
        for (unsigned i = 0; i < GATEWAYS; i++)
            good += settled(&w->gateways[i]);
    }
}

/* Nothing is held back any more. */
static void wait_hold(struct world *w)
{
    for (unsigned i = 0; i < GATEWAYS; i++) {
        for (unsigned n = 0; clock_mono_us(&clock_system) < w->gateways[i].table->sharing->hold_us;
             n++) {
            assert_true(n < 40000);
            pump(w);
        }
    }
}

static void open_world(struct world *w, enum counter_away away)
{
    *w = (struct world){.redis = {.pid = 0}};
    redis_start(&w->redis);
    for (unsigned i = 0; i < GATEWAYS; i++)
        open_gateway(w, &w->gateways[i], away);
    wait_until(w, "share_up", 1);
}

static void close_world(struct world *w)
{
    for (unsigned i = 0; i < GATEWAYS; i++)
        close_gateway(&w->gateways[i]);
    redis_end(&w->redis);
}

/* Requests */

static void begin(struct gateway *g, const struct counter_limit *limits, size_t n, uint64_t bytes)
{
    struct try *t = &tries[n_tries];
    struct oracle *oracle = counting_redis_oracle(g->redis);
    struct enforce_await await = {.what = ENFORCE_WAIT_LIMITS};

    *t = (struct try){.gateway = g, .limits = limits, .n = n, .bytes = bytes};
    memcpy(await.key.bytes, &n_tries, sizeof(n_tries));
    await.question = slice_make(&t->question, sizeof(t->question));
    n_tries++;
    if (!counter_strict_ask(g->table, limits, n, bytes, counter_now(&clock_system), &t->question) ||
        oracle->ask(oracle, &await, NULL, 0) != ENFORCE_MAY_WAIT)
        t->reply = NULL;
    else
        t->bytes |= UINT64_C(1) << 63; /* it waits */
}

static bool waits(const struct try *t)
{
    return (t->bytes >> 63) != 0 && t->reply == NULL;
}

static struct counter_result finish(struct try *t)
{
    struct counter_verdict verdicts[COUNTER_MAX_LIMITS];
    struct counter_time now = counter_now(&clock_system);
    struct counter_result result;

    t->bytes &= INT64_MAX;
    if (t->reply == NULL || t->reply->failed) {
        counter_take(t->gateway->table, t->limits, t->n, t->bytes, now, &result);
    } else {
        assert_int_equal(t->reply->bytes.n, t->n * sizeof(*verdicts));
        memcpy(verdicts, t->reply->bytes.p, t->reply->bytes.n);
        counter_strict_told(t->gateway->table, t->limits, t->n, t->bytes, now, verdicts, &result);
    }
    enforce_reply_unref(&t->reply);
    return result;
}

/* All that has begun; how much was admitted. */
static unsigned finish_all(struct world *w)
{
    unsigned good = 0;

    for (unsigned n = 0; n < 20000; n++) {
        size_t waiting = 0;

        for (size_t i = 0; i < n_tries; i++)
            waiting += waits(&tries[i]);
        if (waiting == 0)
            break;
        pump(w);
    }
    for (size_t i = 0; i < n_tries; i++) {
        assert_false(waits(&tries[i]));
        good += finish(&tries[i]).refused < 0;
    }
    n_tries = 0;
    return good;
}

/* n requests, by turns to all gateways, with many in flight. */
static unsigned ask_n(struct world *w, const struct counter_rule *rule, const char *key, unsigned n)
{
    const struct counter_limit limit = {rule, slice_of(key), NULL};
    unsigned good = 0;

    for (unsigned i = 0; i < n; i++) {
        begin(&w->gateways[i % GATEWAYS], &limit, 1, 0);
        if (n_tries == FLIGHT)
            good += finish_all(w);
    }
    return good + finish_all(w);
}

/* Tests */

static void exactly_the_quota(void **state)
{
    const struct counter_rule *rules[] = {&fixed, &sliding, &burst};
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    for (size_t i = 0; i < 3; i++) {
        char key[] = {(char)('a' + i), '\0'};

        assert_int_equal(ask_n(&w, rules[i], key, 2 * QUOTA), QUOTA);
        assert_int_equal(ask_n(&w, rules[i], key, 2 * FLIGHT), 0);
    }
    for (unsigned i = 0; i < GATEWAYS; i++)
        assert_int_equal(reported(&w.gateways[i], "ask_failed"), 0);
    close_world(&w);
}

/* A request was counted after it began and before it was finished: if more than the quota began and
 * were finished within the window, too many were admitted. */
static void never_more_in_any_stretch(void **state)
{
    enum { MAX = 20, WINDOW_MS = 250, ADMITTED = 200 };
    static const struct counter_rule rule = {
        .max = MAX, .window_ms = WINDOW_MS, .window = COUNTER_SLIDING};
    static int64_t begun_us[ADMITTED + FLIGHT], done_us[ADMITTED + FLIGHT];
    const struct counter_limit limit = {&rule, SLICE("a"), NULL};
    size_t n = 0;
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_DENY);
    while (n < ADMITTED) {
        int64_t from_us = clock_mono_us(&clock_system), to_us;
        unsigned good;

        for (unsigned i = 0; i < FLIGHT; i++)
            begin(&w.gateways[i % GATEWAYS], &limit, 1, 0);
        good = finish_all(&w);
        to_us = clock_mono_us(&clock_system);
        for (; good > 0; good--, n++) {
            begun_us[n] = from_us;
            done_us[n] = to_us;
        }
    }
    for (size_t i = 0; i + MAX < n; i++)
        assert_true(done_us[i + MAX] - begun_us[i] >= WINDOW_MS * 1000);
    close_world(&w);
}

/* All limits of a request or none; the first that refuses is told; what only logs refuses nothing.
 */
static void all_or_nothing(void **state)
{
    static const struct counter_rule ten = {.max = 10, .window_ms = 3600000},
                                     trial = {.max = 3,
                                              .window_ms = 3600000,
                                              .mode = COUNTER_SHADOW},
                                     bytes = {
                                         .max = 100, .window_ms = 3600000, .unit = COUNTER_BYTES};
    const struct counter_limit limits[] = {{&fixed, SLICE("wide"), NULL},
                                           {&trial, SLICE("trial"), NULL},
                                           {&ten, SLICE("narrow"), NULL},
                                           {&bytes, SLICE("bytes"), NULL}};
    struct counter_result r;
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    for (unsigned i = 0; i < 20; i++) {
        begin(&w.gateways[i % GATEWAYS], limits, 3, 0);
        while (waits(&tries[0]))
            pump(&w);
        r = finish(&tries[0]);
        n_tries = 0;
        assert_int_equal(r.refused, i < 10 ? -1 : 2);
        assert_int_equal(r.over, (i >= 3 ? 2 : 0) | (i >= 10 ? 4 : 0));
        assert_int_equal(r.tightest, 2);
        assert_int_equal(r.state.used, i < 10 ? i + 1 : 10);
        assert_int_equal(r.state.remaining, i < 10 ? 9 - i : 0);
        assert_true(r.state.reset_us > 0);
        assert_true((r.state.retry_us > 0) == (i >= 10));
    }
    assert_int_equal(ask_n(&w, &fixed, "wide", 2 * QUOTA), QUOTA - 10);
    /* what is larger than what is left is refused, and takes nothing */
    for (unsigned i = 0; i < 4; i++) {
        static const uint64_t sizes[] = {60, 41, 40, 0};
        static const uint64_t used[] = {60, 60, 100, 100};

        begin(&w.gateways[i % GATEWAYS], &limits[3], 1, sizes[i]);
        while (waits(&tries[0]))
            pump(&w);
        r = finish(&tries[0]);
        n_tries = 0;
        assert_int_equal(r.refused, i == 0 || i == 2 ? -1 : 0);
        assert_int_equal(r.state.used, used[i]);
    }
    close_world(&w);
}

/* Emptied in the midst: what was used stays used. */
static void forgotten_by_redis(void **state)
{
    const struct counter_rule *rules[] = {&fixed, &sliding};
    struct world w;

    (void)state;
    for (size_t i = 0; i < 2 * REDIS_LOSSES; i++) {
        const struct counter_rule *rule = rules[i % 2];
        unsigned good;

        open_world(&w, COUNTER_AWAY_DENY);
        good = ask_n(&w, rule, "a", QUOTA / 2);
        assert_int_equal(good, QUOTA / 2);
        redis_say(&w.redis, redis_losses[i / 2]);
        /* it knows too little: nothing is admitted before all have told it */
        assert_int_equal(ask_n(&w, rule, "a", FLIGHT), 0);
        wait_settled(&w);
        assert_int_equal(ask_n(&w, rule, "a", 2 * QUOTA), QUOTA / 2);
        close_world(&w);
    }
}

/* Without its scripts it gets them again; no request notices. */
static void without_scripts(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_DENY);
    assert_int_equal(ask_n(&w, &fixed, "a", QUOTA / 2), QUOTA / 2);
    redis_say(&w.redis, "SCRIPT FLUSH");
    assert_int_equal(ask_n(&w, &fixed, "a", QUOTA), QUOTA - QUOTA / 2);
    for (unsigned i = 0; i < GATEWAYS; i++)
        assert_int_equal(reported(&w.gateways[i], "ask_failed"), 0);
    close_world(&w);
}

/* Killed, and another one starts: each limit does as it says, and all is exact again. */
static void killed(void **state)
{
    const struct counter_rule deny = {.max = QUOTA,
                                      .window_ms = 3600000,
                                      .away = COUNTER_AWAY_DENY},
                              allow = {
                                  .max = QUOTA, .window_ms = 3600000, .away = COUNTER_AWAY_ALLOW};
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    assert_int_equal(ask_n(&w, &fixed, "a", 30), 30);
    assert_int_equal(ask_n(&w, &deny, "d", 30), 30);
    assert_int_equal(ask_n(&w, &allow, "l", 30), 30);
    redis_kill(&w.redis);
    wait_until(&w, "share_up", 0);
    assert_int_equal(ask_n(&w, &deny, "d", 90), 0);
    assert_int_equal(ask_n(&w, &allow, "l", 3 * QUOTA), 3 * QUOTA);
    /* a third for each, with what it has used before */
    assert_int_equal(ask_n(&w, &fixed, "a", 3 * QUOTA), QUOTA - 30);
    assert_int_equal(ask_n(&w, &fixed, "new", 60), 60);
    assert_int_equal(ask_n(&w, &sliding, "slides", 90), 90);
    redis_start(&w.redis);
    wait_until(&w, "share_up", 1);
    wait_settled(&w);
    assert_int_equal(ask_n(&w, &fixed, "a", 60), 0);
    assert_int_equal(ask_n(&w, &fixed, "new", 2 * QUOTA), QUOTA - 60);
    assert_int_equal(ask_n(&w, &sliding, "slides", 2 * QUOTA), QUOTA - 90);
    assert_int_equal(ask_n(&w, &deny, "d", 2 * QUOTA), QUOTA - 30);
    assert_int_equal(ask_n(&w, &allow, "l", 2 * QUOTA), 0); /* what passed then counts now */
    close_world(&w);
}

/* Stopped, read-only or full: as if it were not there; and back again when it can. */
static void unusable(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    for (size_t i = 0; i < REDIS_SPOILT; i++) {
        redis_spoil(&w.redis, i);
        assert_int_equal(ask_n(&w, &fixed, redis_spoilt[i].name, FLIGHT), FLIGHT);
        wait_until(&w, "share_up", 0);
        assert_int_equal(ask_n(&w, &fixed, redis_spoilt[i].name, 3 * QUOTA), QUOTA - FLIGHT);
        redis_mend(&w.redis, i);
        wait_until(&w, "share_up", 1);
        assert_int_equal(ask_n(&w, &fixed, redis_spoilt[i].name, FLIGHT), 0);
        wait_until(&w, "share_gateways_here", GATEWAYS);
        wait_hold(&w);
        assert_int_equal(ask_n(&w, &sliding, redis_spoilt[i].name + 1, 2 * QUOTA), QUOTA);
    }
    close_world(&w);
}

/* Redis takes what it is told, and not what it is asked: it is up in between, and each time asked
 * again. The log has it once. */
static void refused_again_and_again(void **state)
{
    const struct counter_limit limit = {&fixed, SLICE("a"), NULL};
    struct kept_log log;
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_ALLOW);
    redis_say(&w.redis, "ACL SETUSER default resetkeys ~cc:{limits}:epoch ~cc:{limits}:gateways");
    log = kept_log_begin();
    for (unsigned n = 0; reported(&w.gateways[0], "share_refused") < 3; n++) {
        assert_true(n < 40000);
        begin(&w.gateways[0], &limit, 1, 0);
        assert_int_equal(finish_all(&w), 1);
        pump(&w);
    }
    assert_int_equal(kept_log_end(&log, "redis refuses to be asked or told: NOPERM"), 1);
    redis_say(&w.redis, "ACL SETUSER default allkeys");
    wait_until(&w, "share_up", 1);
    close_world(&w);
}

/* No more questions than there is room for. */
static void crowded(void **state)
{
    const struct counter_limit limit = {&fixed, SLICE("a"), NULL};
    struct enforce_await await = {.what = ENFORCE_WAIT_LIMITS};
    struct counter_question q;
    struct oracle *oracle;
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    oracle = counting_redis_oracle(w.gateways[0].redis);
    for (unsigned i = 0; i < FLIGHT; i++)
        begin(&w.gateways[0], &limit, 1, 0);
    assert_true(
        counter_strict_ask(w.gateways[0].table, &limit, 1, 0, counter_now(&clock_system), &q));
    await.question = slice_make(&q, sizeof(q));
    assert_int_equal(oracle->ask(oracle, &await, NULL, 0), ENFORCE_CROWDED);
    assert_int_equal(finish_all(&w), FLIGHT);
    begin(&w.gateways[0], &limit, 1, 0);
    assert_int_equal(finish_all(&w), 1);
    close_world(&w);
}

static void pump_world(void *world)
{
    pump(world);
}

static enum counting_cleared clear(struct world *w, unsigned gateway, const char *key)
{
    return clear_limit(w->gateways[gateway].redis, w->gateways[gateway].loop, key, pump_world, w);
}

/* What all have used is free again, exactly: also what those have used who do not know of it. */
static void cleared(void **state)
{
    static const struct counter_rule *const rules[] = {&fixed, &sliding, &burst};
    static const char *const keys[] = {"fixed", "sliding", "burst"};
    struct counter_row row;
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(clear(&w, 0, keys[i]), COUNTING_CLEARED_NOT);
        for (unsigned round = 0; round < 3; round++) {
            assert_int_equal(ask_n(&w, rules[i], keys[i], 2 * QUOTA), QUOTA);
            assert_int_equal(clear(&w, round, keys[i]), COUNTING_CLEARED);
            assert_false(counter_find(w.gateways[round].table, slice_of(keys[i]),
                                      counter_now(&clock_system), &row));
        }
        assert_int_equal(ask_n(&w, rules[i], keys[i], 2 * QUOTA), QUOTA);
    }
    /* by one that has never seen it, and with requests under way */
    for (unsigned i = 0; i < FLIGHT; i++) {
        static struct counter_limit limit;

        limit = (struct counter_limit){&fixed, SLICE("seldom"), NULL};
        begin(&w.gateways[0], &limit, 1, 0);
    }
    assert_int_equal(clear(&w, 2, "seldom"), COUNTING_CLEARED);
    assert_int_equal(finish_all(&w), FLIGHT);
    assert_in_range(ask_n(&w, &fixed, "seldom", 2 * QUOTA), QUOTA - FLIGHT, QUOTA);
    close_world(&w);
}

/* Without Redis only what is here is cleared, and that is told. */
static void cleared_without_redis(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_LOCAL);
    assert_int_equal(ask_n(&w, &fixed, "a", 2 * QUOTA), QUOTA);
    kill(w.redis.pid, SIGSTOP);
    assert_int_equal(clear(&w, 0, "a"), COUNTING_CLEARED_HERE); /* it is lost meanwhile */
    kill(w.redis.pid, SIGCONT);
    wait_until(&w, "share_up", 1);
    redis_kill(&w.redis);
    wait_until(&w, "share_up", 0);
    assert_int_equal(clear(&w, 1, "a"), COUNTING_CLEARED_HERE);
    close_world(&w);
}

struct looking {
    struct counting_redis *redis;
    const struct counter_rule *rule;
    bool waits;
    unsigned busy_ms; /* what else the main thread has to do in the same turn */
    enum counting_source source;
    struct counter_look look;
};

static bool looking_step(struct admin_call *call)
{
    struct looking *l = call->context;

    pause_ms(l->busy_ms);
    l->busy_ms = 0;
    l->source = counting_redis_look(l->redis, call, SLICE("a"), l->rule, 0, &l->look);
    l->waits = l->source == COUNTING_WAITS;
    return l->waits;
}

/* By an operator who has so many turns of time. */
static struct looking look(struct world *w, unsigned gateway, const struct counter_rule *rule,
                           unsigned turns)
{
    static const struct admin_command row = {"go", "", "", 0, 0, looking_step};
    struct looking l = {.redis = w->gateways[gateway].redis, .rule = rule, .waits = true};

    run_command(w->gateways[gateway].loop, &row, &l, &l.waits, turns, pump_world, w);
    return l;
}

/* Another command of the same line took long, one that waits for the disk, say: that is not taken
 * off the time in which Redis may answer. */
static void looked_at_while_busy(void **state)
{
    static const struct admin_command row = {"go", "", "", 0, 0, looking_step};
    struct looking l = {.rule = &fixed, .waits = true, .busy_ms = 300};
    struct world w;

    (void)state;
    command_ms = 60000;
    open_world(&w, COUNTER_AWAY_DENY);
    l.redis = w.gateways[0].redis;
    run_command(w.gateways[0].loop, &row, &l, &l.waits, 40000, pump_world, &w);
    assert_int_equal(l.source, COUNTING_BY_REDIS);
    close_world(&w);
    command_ms = 300;
}

/* What Redis has, of a key that only others have used; nothing is used by looking. */
static void looked_at(void **state)
{
    static const struct counter_rule *const rules[] = {&fixed, &sliding};
    const struct counter_limit limit = {&fixed, SLICE("a"), NULL};
    struct looking l;
    struct world w;

    (void)state;
    open_world(&w, COUNTER_AWAY_DENY);
    assert_int_equal(look(&w, 1, NULL, 40000).source, COUNTING_BY_UNKNOWN);
    for (unsigned i = 0; i < 7; i++) {
        l = look(&w, 1, &fixed, 40000);
        assert_int_equal(l.source, COUNTING_BY_REDIS);
        assert_true(l.look.told && l.look.fits && !l.look.state.known);
        assert_int_equal(l.look.state.used, i);
        assert_int_equal(l.look.row.others, i);
        begin(&w.gateways[0], &limit, 1, 0);
        assert_int_equal(finish_all(&w), 1);
    }
    l = look(&w, 0, NULL, 40000);
    assert_int_equal(l.source, COUNTING_BY_REDIS);
    assert_int_equal(l.look.state.used, 7);
    assert_int_equal(l.look.row.others, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(clear(&w, 0, "a"), COUNTING_CLEARED);
        assert_int_equal(ask_n(&w, rules[i], "a", 2 * QUOTA), QUOTA);
        l = look(&w, 1, rules[i], 40000);
        assert_int_equal(l.source, COUNTING_BY_REDIS);
        assert_int_equal(l.look.state.used, QUOTA);
        assert_false(l.look.fits);
        assert_true(l.look.state.retry_us > 0 && l.look.state.reset_us > 0);
    }
    close_world(&w);
}

/* Redis hangs: the first waits for a while, the next one not at all; of another gateway one leaves
 * meanwhile. */
static void looked_at_late(void **state)
{
    struct looking l;
    struct world w;

    (void)state;
    command_ms = 60000;
    open_world(&w, COUNTER_AWAY_DENY);
    kill(w.redis.pid, SIGSTOP);
    l = look(&w, 0, &fixed, 40000);
    assert_int_equal(l.source, COUNTING_BY_LATE);
    assert_true(l.look.told && l.look.state.away && !l.look.fits);
    assert_int_equal(look(&w, 0, &fixed, 40000).source, COUNTING_BY_LATE);
    look(&w, 1, &fixed, 30);
    kill(w.redis.pid, SIGCONT);
    do
        l = look(&w, 0, &fixed, 40000);
    while (l.source != COUNTING_BY_REDIS);
    assert_int_equal(l.look.state.used, 0);
    redis_kill(&w.redis);
    wait_until(&w, "share_up", 0);
    l = look(&w, 0, &fixed, 40000);
    assert_int_equal(l.source, COUNTING_BY_AWAY);
    assert_false(l.look.fits);
    close_world(&w);
    command_ms = 300;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_quota),
        cmocka_unit_test(never_more_in_any_stretch),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(forgotten_by_redis),
        cmocka_unit_test(without_scripts),
        cmocka_unit_test(killed),
        cmocka_unit_test(unusable),
        cmocka_unit_test(crowded),
        cmocka_unit_test(cleared),
        cmocka_unit_test(cleared_without_redis),
        cmocka_unit_test(looked_at),
        cmocka_unit_test(looked_at_late),
        cmocka_unit_test(refused_again_and_again),
        cmocka_unit_test(looked_at_while_busy),
    };

    signal(SIGPIPE, SIG_IGN);
    log_setup("test", LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
