/* Gateways that share counters by a real Redis, and what may become of it meanwhile. Nothing here
 * measures time: each wait is for something to happen. */
#include "regress/unit/spoa/operator.h"

enum { GATEWAYS = 2, QUOTA = 200 };

static const struct counter_rule fixed = {.max = QUOTA, .window_ms = 3600000},
                                 sliding = {
                                     .max = QUOTA, .window_ms = 3600000, .window = COUNTER_SLIDING};

struct gateway {
    struct counter_table *table;
    struct counting_redis *redis;
    struct ev_loop *loop;
    struct redis_link *link;
};

static struct counting_redis_options options_for(enum counter_away away)
{
    return (struct counting_redis_options){
        .prefix = SLICE("cc:"),
        .round_ms = 20,
        .hold_ms = 3000,
        .share = {.gateways = GATEWAYS, .lease_percent = 10, .lease_least = 5, .away = away},
    };
}

static struct redis_link_options link_to(const struct redis *r)
{
    return (struct redis_link_options){
        .address = slice_of(r->socket), .connect_ms = 200, .command_ms = 200};
}

static void gateways_start(struct gateway *g, const struct counting_redis_options *options,
                           const struct redis_link_options *link)
{
    for (unsigned i = 0; i < GATEWAYS; i++) {
        assert_int_equal(counter_table_new(&g[i].table, COUNTER_MIN_KEYS), CC_OK);
        assert_int_equal(counting_redis_new(&g[i].redis, g[i].table, options), CC_OK);
        g[i].loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
        assert_int_equal(redis_link_new(&g[i].link, g[i].loop, link), CC_OK);
        counting_redis_start(g[i].redis, g[i].loop, g[i].link);
        redis_link_start(g[i].link);
    }
}

static void gateways_end(struct gateway *g)
{
    for (unsigned i = 0; i < GATEWAYS; i++) {
        redis_link_free(&g[i].link);
        counting_redis_stop(g[i].redis);
        counting_redis_free(&g[i].redis);
        ev_loop_destroy(g[i].loop);
        counter_table_free(&g[i].table);
    }
}

/* Lets the gateways' loops do what there is to do, and some time pass. */
static void pump(struct gateway *g, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        for (unsigned k = 0; k < GATEWAYS; k++)
            ev_run(g[k].loop, EVRUN_NOWAIT);
        pause_ms(1);
    }
}

static bool is_up(const struct gateway *g)
{
    char room[512];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    counting_redis_report(g->redis, &b);
    return slice_starts(buf_slice(&b), SLICE(" share_up=1 "));
}

static void wait_for(struct gateway *g, bool up)
{
    for (unsigned n = 0; is_up(&g[0]) != up || is_up(&g[1]) != up; n++) {
        if (n > 8000)
            fail_msg("a gateway is not %s", up ? "up" : "down");
        pump(g, 5);
    }
}

static bool take(struct gateway *g, const struct counter_rule *rule, const char *key)
{
    const struct counter_limit limit = {rule, slice_of(key), NULL};
    struct counter_result r;

    counter_take(g->table, &limit, 1, 0, counter_now(&clock_system), &r);
    return r.refused < 0;
}

static unsigned ask_all(struct gateway *g, const struct counter_rule *rule, const char *key,
                        unsigned n)
{
    unsigned good = 0;

    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < GATEWAYS; k++)
            good += take(&g[k], rule, key);
    return good;
}

/* Asks until nothing has been admitted in 60 turns on end. */
static unsigned drain(struct gateway *g, const struct counter_rule *rule, const char *key)
{
    unsigned good = 0, idle = 0;

    while (idle < 60) {
        unsigned n = ask_all(g, rule, key, 1);

        good += n;
        idle = n > 0 ? 0 : idle + 1;
        pump(g, 3);
    }
    return good;
}

static const unsigned overshoot = QUOTA / 10 * (GATEWAYS - 1);

/* A Redis, and gateways that have reached it. */
static void open_world(struct redis *redis, struct gateway *g)
{
    struct counting_redis_options options = options_for(COUNTER_AWAY_LOCAL);
    struct redis_link_options link;

    redis_start(redis);
    link = link_to(redis);
    gateways_start(g, &options, &link);
    wait_for(g, true);
}

static void one_quota(void **state)
{
    struct redis redis = {.pid = 0};
    struct gateway g[GATEWAYS];

    (void)state;
    open_world(&redis, g);
    assert_in_range(drain(g, &fixed, "fixed"), QUOTA, QUOTA + overshoot);
    assert_in_range(drain(g, &sliding, "sliding"), QUOTA, QUOTA + overshoot);
    /* none of its keys is for ever */
    {
        redisContext *c = redisConnectUnix(redis.socket);
        redisReply *keys = redisCommand(c, "KEYS *");

        assert_true(keys->elements >= 3);
        for (size_t i = 0; i < keys->elements; i++) {
            redisReply *ttl = redisCommand(c, "PTTL %s", keys->element[i]->str);

            assert_true(slice_starts(slice_of(keys->element[i]->str), SLICE("cc:{limits}:")));
            assert_true(ttl->integer > 0 || ttl->integer == -2);
            freeReplyObject(ttl);
        }
        freeReplyObject(keys);
        redisFree(c);
    }
    gateways_end(g);
    redis_end(&redis);
}

static void forgotten(void **state)
{
    struct redis redis = {.pid = 0};
    struct gateway g[GATEWAYS];
    unsigned good;

    (void)state;
    open_world(&redis, g);
    for (unsigned i = 0; i < 2 * REDIS_LOSSES; i++) {
        const struct counter_rule *rule = i % 2 ? &sliding : &fixed;
        char key[] = {i % 2 ? 's' : 'f', (char)('0' + i / 2), '\0'};

        good = 0;
        for (unsigned n = 0; n < 40; n++) {
            good += ask_all(g, rule, key, 1);
            pump(g, 3);
        }
        redis_say(&redis, redis_losses[i / 2]);
        good += drain(g, rule, key);
        assert_in_range(good, QUOTA, QUOTA + overshoot);
        redis_say(&redis, "SCRIPT FLUSH");
        assert_int_equal(drain(g, rule, key), 0);
    }
    assert_in_range(drain(g, &fixed, "after the scripts went"), QUOTA, QUOTA + overshoot);
    gateways_end(g);
    redis_end(&redis);
}

/* Killed in the midst: each gateway has its half. Back again: what all have used is one. */
static void killed(void **state)
{
    struct redis redis = {.pid = 0};
    struct gateway g[GATEWAYS];
    unsigned good;

    (void)state;
    open_world(&redis, g);
    good = ask_all(g, &fixed, "a", 10);
    redis_kill(&redis);
    for (unsigned n = 0; is_up(&g[0]) || is_up(&g[1]); n++) {
        assert_true(n < 3000);
        good += ask_all(g, &fixed, "a", 1);
        pump(g, 10);
    }
    good += ask_all(g, &fixed, "a", 500);
    assert_in_range(good, QUOTA / 2, QUOTA);
    assert_int_equal(ask_all(g, &fixed, "new", 500), QUOTA);
    redis_start(&redis);
    wait_for(g, true);
    good += drain(g, &fixed, "a");
    assert_in_range(good, QUOTA, QUOTA + overshoot);
    assert_int_equal(drain(g, &fixed, "new"), 0);
    gateways_end(g);
    redis_end(&redis);
}

/* Stopped, read-only, or full: as if it were not there, and back again when it can. */
static void unusable(void **state)
{
    struct redis redis = {.pid = 0};
    struct gateway g[GATEWAYS];

    (void)state;
    open_world(&redis, g);
    for (size_t i = 0; i < REDIS_SPOILT; i++) {
        unsigned good;

        redis_spoil(&redis, i);
        for (unsigned n = 0; is_up(&g[0]) || is_up(&g[1]); n++) {
            assert_true(n < 3000);
            ask_all(g, &fixed, "probe", 1);
            pump(g, 10);
        }
        good = ask_all(g, &fixed, redis_spoilt[i].name, 500);
        assert_int_equal(good, QUOTA);
        redis_mend(&redis, i);
        wait_for(g, true);
        assert_int_equal(drain(g, &fixed, redis_spoilt[i].name), 0);
    }
    gateways_end(g);
    redis_end(&redis);
}

static void away(void **state)
{
    struct redis redis = {.directory = "/nowhere", .socket = "/nowhere/redis.sock"};
    struct gateway g[GATEWAYS];
    struct counting_redis_options options = options_for(COUNTER_AWAY_DENY);
    struct redis_link_options link = link_to(&redis);

    (void)state;
    gateways_start(g, &options, &link);
    pump(g, 20);
    assert_int_equal(ask_all(g, &fixed, "a", 100), 0);
    gateways_end(g);
    options = options_for(COUNTER_AWAY_ALLOW);
    link = link_to(&redis);
    gateways_start(g, &options, &link);
    assert_int_equal(ask_all(g, &fixed, "a", 1000), 2000);
    gateways_end(g);
}

static void pump_world(void *world)
{
    pump(world, 1);
}

/* What all have used is free again, but for what each admits until its next round: a lease. */
static void cleared(void **state)
{
    struct redis redis = {.pid = 0};
    struct gateway g[GATEWAYS];

    (void)state;
    open_world(&redis, g);
    for (unsigned i = 0; i < 2; i++) {
        const struct counter_rule *rule = i ? &sliding : &fixed;
        const char *key = i ? "sliding" : "fixed";

        assert_int_equal(clear_limit(g[0].redis, g[0].loop, key, pump_world, g),
                         COUNTING_CLEARED_NOT);
        assert_in_range(drain(g, rule, key), QUOTA, QUOTA + overshoot);
        for (unsigned k = 0; k < GATEWAYS; k++) {
            assert_int_equal(clear_limit(g[k].redis, g[k].loop, key, pump_world, g),
                             COUNTING_CLEARED);
            assert_in_range(drain(g, rule, key), QUOTA, QUOTA + (1 + GATEWAYS) * overshoot);
        }
    }
    redis_kill(&redis);
    wait_for(g, false);
    assert_int_equal(clear_limit(g[0].redis, g[0].loop, "fixed", pump_world, g),
                     COUNTING_CLEARED_HERE);
    gateways_end(g);
    redis_end(&redis);
}

/* A password and a database of its own; a wrong password is as no Redis at all. */
static void password(void **state)
{
    struct redis redis = {.pid = 0};
    struct gateway g[GATEWAYS];
    struct counting_redis_options options = options_for(COUNTER_AWAY_DENY);
    struct redis_link_options link;

    (void)state;
    redis_start(&redis);
    redis_say(&redis, "CONFIG SET requirepass s3cret");
    link = link_to(&redis);
    link.password = SLICE("wrong");
    link.database = 3;
    gateways_start(g, &options, &link);
    pump(g, 50);
    assert_int_equal(ask_all(g, &fixed, "a", 10), 0);
    gateways_end(g);
    link.password = SLICE("s3cret");
    gateways_start(g, &options, &link);
    wait_for(g, true);
    assert_in_range(drain(g, &fixed, "a"), QUOTA, QUOTA + overshoot);
    gateways_end(g);
    redis_end(&redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_quota), cmocka_unit_test(forgotten), cmocka_unit_test(killed),
        cmocka_unit_test(unusable),  cmocka_unit_test(away),      cmocka_unit_test(cleared),
        cmocka_unit_test(password),
    };

    signal(SIGPIPE, SIG_IGN);
    log_setup("test", LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
