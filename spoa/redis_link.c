#include "spoa/redis_link.h"

#include "spoa/listener.h"
#include "spoa/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

static const ev_tstamp FIRST_DELAY_S = 0.2, LONGEST_DELAY_S = 30., BEAT_S = 5., SILENCE_S = 15.,
                       GOOD_S = 10.;

enum state { WAITING, RESOLVING, CONNECTING, UP };

struct redis_link {
    struct ev_loop *loop;
    struct redis_link_options options;
    enum state state;
    struct redis_user *users, **last_user;
    size_t n_channels;
    struct resolver *resolver;
    struct redis_conn *commands, *messages;
    bool logged_in;      /* of `commands`: all that precedes is done */
    size_t n_subscribed; /* of `messages` */
    ev_timer retry, beat;
    ev_tstamp delay;
    ev_tstamp since; /* when it was connected last */
    struct hash_key chance;
    bool told;   /* the log knows that it is away */
    bool failed; /* users know */
    struct redis_counters counters;
};

struct redis_link_options redis_link_settings(const struct config *config)
{
    return (struct redis_link_options){
        .address = config->agent.redis.address,
        .user = config->agent.redis.user,
        .password = config->agent.redis.password,
        .database = config->agent.redis.database,
        .connect_ms = config->agent.redis.connect_timeout_ms,
        .command_ms = config->agent.redis.command_timeout_ms,
    };
}

bool redis_link_is_up(const struct redis_link *l)
{
    return l->state == UP;
}

/* Down */

static void tell_down(struct redis_link *l)
{
    if (l->failed)
        return;
    l->failed = true;
    for (struct redis_user *u = l->users; u != NULL; u = u->next)
        u->down(u->context);
}

/* Between half and one and a half of the delay: gateways that lost one server come back one by one.
 */
static ev_tstamp by_chance(struct redis_link *l)
{
    uint64_t now = (uint64_t)(ev_now(l->loop) * 1000000);
    uint64_t chance = hash_slice(&l->chance, slice_make(&now, sizeof(now))) % 1000;

    return l->delay * (0.5 + (ev_tstamp)chance / 1000);
}

void redis_link_fail(struct redis_link *l, const char *why)
{
    bool was_up = l->state == UP;
    struct redis_conn *commands = l->commands, *messages = l->messages;

    if (l->state == WAITING)
        return;
    l->state = WAITING; /* before callbacks, which may want to send */
    l->commands = l->messages = NULL;
    l->counters.failures++;
    if (was_up && ev_now(l->loop) - l->since > GOOD_S)
        l->delay =
            FIRST_DELAY_S; /* not after each connect: what fails at once would flood the log */
    resolver_free(&l->resolver);
    redis_conn_free(&commands);
    redis_conn_free(&messages);
    if (was_up)
        log_warn("redis %" PRIslice ": lost: %s; trying again", SLICE_ARG(l->options.address), why);
    else if (!l->told)
        log_warn("redis %" PRIslice ": cannot be reached: %s; trying again",
                 SLICE_ARG(l->options.address), why);
    l->told = true;
    ev_timer_stop(l->loop, &l->beat);
    ev_timer_stop(l->loop, &l->retry);
    ev_timer_set(&l->retry, by_chance(l), 0.);
    ev_timer_start(l->loop, &l->retry);
    l->delay = l->delay * 2 < LONGEST_DELAY_S ? l->delay * 2 : LONGEST_DELAY_S;
    tell_down(l);
}

static void on_closed(void *context, const char *why)
{
    char copy[REDIS_WHY]; /* the text may be the connection's */

    snprintf(copy, sizeof(copy), "%s", why);
    redis_link_fail(context, copy);
}

/* Up */

static void check_up(struct redis_link *l)
{
    if (l->state != CONNECTING || !l->logged_in || l->n_subscribed < l->n_channels)
        return;
    l->state = UP;
    l->counters.connects++;
    l->since = ev_now(l->loop);
    l->told = l->failed = false;
    log_info("redis %" PRIslice ": connected", SLICE_ARG(l->options.address));
    ev_timer_again(l->loop, &l->beat);
    for (struct redis_user *u = l->users; u != NULL && l->state == UP; u = u->next)
        u->up(u->context);
}

/* What the server says when it refuses; never what was sent to it. */
static void fail_by_reply(struct redis_link *l, const char *what, const redisReply *reply)
{
    char why[REDIS_WHY];

    snprintf(why, sizeof(why), "%s: %.*s", what,
             (int)(reply->type == REDIS_REPLY_ERROR && reply->len < 100 ? reply->len : 0),
             reply->str != NULL ? reply->str : "");
    redis_link_fail(l, why);
}

static void on_login(void *context, const redisReply *reply)
{
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        fail_by_reply(context, "it does not let us in", reply);
}

static void on_select(void *context, const redisReply *reply)
{
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        fail_by_reply(context, "it has no such database", reply);
}

/* The last answer before it can be used. */
static void on_ready(void *context, const redisReply *reply)
{
    struct redis_link *l = context;

    if (reply == NULL)
        return;
    if (reply->type != REDIS_REPLY_STATUS) {
        fail_by_reply(l, "it is not ready", reply);
        return;
    }
    l->logged_in = true;
    check_up(l);
}

static int log_in(struct redis_link *l, struct redis_conn *c)
{
    const struct slice auth[] = {SLICE("AUTH"), l->options.user, l->options.password};
    const struct slice auth_default[] = {SLICE("AUTH"), l->options.password};

    if (l->options.password.n == 0)
        return CC_OK;
    return l->options.user.n > 0 ? redis_conn_send(c, auth, 3, on_login, l)
                                 : redis_conn_send(c, auth_default, 2, on_login, l);
}

static void on_commands_opened(void *context)
{
    struct redis_link *l = context;
    char number[24];
    struct slice select[] = {SLICE("SELECT"), SLICE_NONE};
    const struct slice ping[] = {SLICE("PING")};
    int rc = log_in(l, l->commands);

    snprintf(number, sizeof(number), "%llu", (unsigned long long)l->options.database);
    select[1] = slice_of(number);
    if (rc == CC_OK && l->options.database > 0)
        rc = redis_conn_send(l->commands, select, 2, on_select, l);
    if (rc == CC_OK)
        rc = redis_conn_send(l->commands, ping, 1, on_ready, l);
    if (rc != CC_OK)
        redis_link_fail(l, cc_strerror(rc));
}

static void on_messages_opened(void *context)
{
    struct redis_link *l = context;
    int rc = log_in(l, l->messages);

    for (struct redis_user *u = l->users; u != NULL && rc == CC_OK; u = u->next) {
        const struct slice subscribe[] = {SLICE("SUBSCRIBE"), u->channel};

        if (u->channel.n > 0)
            rc = redis_conn_send_pushed(l->messages, subscribe, 2);
    }
    if (rc != CC_OK)
        redis_link_fail(l, cc_strerror(rc));
}

static struct slice text_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? slice_make(reply->str, reply->len) : SLICE("");
}

static struct redis_user *find_user(struct redis_link *l, struct slice channel)
{
    struct redis_user *u = l->users;

    while (u != NULL && (u->channel.n == 0 || !slice_eq(u->channel, channel)))
        u = u->next;
    return u;
}

/* ["message", channel, payload], ["subscribe", channel, n], ["pong", ""], or an error. */
static void on_pushed(void *context, const redisReply *reply)
{
    struct redis_link *l = context;
    struct redis_user *u;

    if (reply->type == REDIS_REPLY_ERROR) {
        fail_by_reply(l, "it does not let us subscribe", reply);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2) {
        redis_link_fail(l, "a message is not of its protocol");
        return;
    }
    u = find_user(l, text_of(reply->element[1]));
    if (slice_is(text_of(reply->element[0]), "message") && reply->elements == 3 && u != NULL) {
        l->counters.messages++;
        u->message(u->context, text_of(reply->element[2]));
    } else if (slice_is(text_of(reply->element[0]), "subscribe") && u != NULL) {
        l->n_subscribed++;
        check_up(l);
    }
}

/* Connecting */

static int open_conn(struct redis_link *l, const struct sockaddr_storage *address, socklen_t size,
                     bool for_messages, struct redis_conn **out)
{
    const struct redis_conn_options options = {
        .address = *address,
        .address_size = size,
        .connect_ms = l->options.connect_ms,
        .command_ms = l->options.command_ms,
        .counters = &l->counters,
        .opened = for_messages ? on_messages_opened : on_commands_opened,
        .pushed = for_messages ? on_pushed : NULL,
        .closed = on_closed,
        .context = l,
    };

    return redis_conn_new(out, l->loop, &options);
}

static void connect_to(struct redis_link *l, const struct sockaddr_storage *address, socklen_t size)
{
    int rc;

    l->state = CONNECTING;
    l->logged_in = false;
    l->n_subscribed = 0;
    rc = open_conn(l, address, size, false, &l->commands);
    if (rc == CC_OK && l->n_channels > 0)
        rc = open_conn(l, address, size, true, &l->messages);
    if (rc != CC_OK)
        redis_link_fail(l, cc_strerror(rc));
}

static void on_resolved(void *context, const struct resolver_result *result)
{
    struct redis_link *l = context;

    resolver_free(&l->resolver);
    if (result->size == 0)
        redis_link_fail(l, result->error);
    else
        connect_to(l, &result->address, result->size);
}

static void begin(struct redis_link *l)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct sockaddr_un *sun = (struct sockaddr_un *)(void *)&address;
    const struct slice text = l->options.address;
    char host[256], port[6];
    int rc;

    l->state = RESOLVING;
    if (text.p[0] == '/') { /* the settings see to it that it is short enough */
        memcpy(sun->sun_path, text.p,
               text.n < sizeof(sun->sun_path) ? text.n : sizeof(sun->sun_path) - 1);
        connect_to(l, &address, sizeof(*sun));
        return;
    }
    rc = listener_split_address(text, host, port) ? CC_OK : CC_EINVAL;
    if (rc == CC_OK)
        rc = resolver_start(&l->resolver, l->loop, host, port, on_resolved, l);
    if (rc != CC_OK)
        redis_link_fail(l, cc_strerror(rc));
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    begin(timer->data);
}

/* A connection on which nobody says anything may be dead without anybody knowing. */
static void on_beat(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct redis_link *l = timer->data;
    const struct slice ping[] = {SLICE("PING")};
    int rc;

    (void)revents;
    if (l->messages != NULL && ev_now(loop) - redis_conn_heard(l->messages) > SILENCE_S) {
        redis_link_fail(l, "no answer on the connection for messages");
        return;
    }
    rc = redis_conn_send(l->commands, ping, 1, NULL, NULL);
    if (rc == CC_OK && l->messages != NULL)
        rc = redis_conn_send_pushed(l->messages, ping, 1);
    if (rc != CC_OK)
        redis_link_fail(l, cc_strerror(rc));
}

/* For users */

int redis_link_send(struct redis_link *l, const struct slice *args, size_t n, redis_done *done,
                    void *context)
{
    return l->state == UP ? redis_conn_send(l->commands, args, n, done, context) : CC_EAGAIN;
}

void redis_link_join(struct redis_link *l, struct redis_user *user)
{
    user->next = NULL;
    *l->last_user = user;
    l->last_user = &user->next;
    l->n_channels += user->channel.n > 0;
}

void redis_link_start(struct redis_link *l)
{
    begin(l);
}

int redis_link_new(struct redis_link **out, struct ev_loop *loop,
                   const struct redis_link_options *options)
{
    struct redis_link *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return CC_ENOMEM;
    l->loop = loop;
    l->options = *options;
    l->last_user = &l->users;
    l->delay = FIRST_DELAY_S;
    hash_key_random(&l->chance);
    l->retry.data = l->beat.data = l;
    ev_init(&l->retry, on_retry);
    ev_init(&l->beat, on_beat);
    l->beat.repeat = BEAT_S;
    *out = l;
    return CC_OK;
}

void redis_link_free(struct redis_link **pl)
{
    struct redis_link *l = *pl;

    *pl = NULL;
    if (l == NULL)
        return;
    l->state = WAITING;
    ev_timer_stop(l->loop, &l->retry);
    ev_timer_stop(l->loop, &l->beat);
    resolver_free(&l->resolver);
    redis_conn_free(&l->commands);
    redis_conn_free(&l->messages);
    free(l);
}

void redis_link_report(const struct redis_link *l, struct buf *out)
{
    buf_printf(out, " redis_up=%d", l->state == UP);
#define X(name, help) \
    buf_printf(out, " redis_" #name "=%llu", (unsigned long long)l->counters.name);
    REDIS_COUNTERS(X)
#undef X
}
