#include "spoa/counting_ask.h"

#include "enforce/await.h"
#include "spoa/counting_strict_script.h"
#include "throttle/counter_strict.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_ROOM = 160, NUMBERS_ROOM = COUNTING_FIELDS * 21 };

/* A question, from the worker that asks to its verdict. */
struct errand {
    struct counting_ask *ask;
    struct errand *next; /* free, or behind it in the queue */
    size_t worker;
    int64_t begun_us;
    struct enforce_key key;
    struct counter_question question;
};

struct counting_ask {
    struct oracle oracle; /* first: converted back by a cast */
    struct counting_ask_options options;
    struct errand *errands;
    struct redis_script script, look;
    char prefix[96], epoch[24];
    struct ev_loop *loop; /* NULL: not started; written before workers run and after they end */
    struct redis_link *link;
    ev_async wake;
    pthread_mutex_t lock; /* guards the next four */
    struct errand *free, *first, *last;
    bool closed;
    _Atomic uint64_t crowded; /* relaxed: a counter */
    uint64_t asked, failed, longest_us;
};

/* Verdicts */

static void give_back(struct counting_ask *a, struct errand *p)
{
    pthread_mutex_lock(&a->lock);
    p->next = a->free;
    a->free = p;
    pthread_mutex_unlock(&a->lock);
}

/* Without memory for it there is no reply, and the request is decided at its deadline. */
static void answer(struct errand *p, const char *fault, struct slice bytes)
{
    struct counting_ask *a = p->ask;
    struct enforce_reply *reply;

    a->failed += fault != NULL;
    if (enforce_reply_new(&reply, ENFORCE_WAIT_LIMITS, &p->key, fault != NULL, INT64_MAX,
                          fault != NULL ? slice_of(fault) : bytes) == CC_OK)
        postbox_put(a->options.postbox, p->worker, reply);
    give_back(a, p);
}

static bool read_verdicts(const redisReply *reply, size_t n, struct counter_verdict *out)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != COUNTING_ASKED * n)
        return false;
    for (size_t i = 0; i < COUNTING_ASKED * n; i++)
        if (reply->element[i]->type != REDIS_REPLY_INTEGER || reply->element[i]->integer < 0)
            return false;
    for (size_t i = 0; i < n; i++) {
        redisReply **v = &reply->element[COUNTING_ASKED * i];

        if (v[0]->integer > COUNTER_BURST)
            return false;
        out[i] = (struct counter_verdict){(enum counter_fit)v[0]->integer, (uint64_t)v[1]->integer,
                                          (uint64_t)v[2]->integer,         (uint64_t)v[3]->integer,
                                          (uint64_t)v[4]->integer,         (uint64_t)v[5]->integer};
        if (out[i].total > COUNTER_MAX_QUOTA * COUNTER_MAX_GATEWAYS ||
            out[i].left_ms > COUNTER_MAX_WINDOW_MS * 2 ||
            out[i].retry_ms > COUNTER_MAX_WINDOW_MS * 2)
            return false;
    }
    return true;
}

static void on_verdict(void *context, const redisReply *reply)
{
    struct counter_verdict verdicts[COUNTER_MAX_LIMITS];
    struct errand *p = context;
    struct counting_ask *a = p->ask;
    uint64_t took_us = (uint64_t)(clock_mono_us(&clock_system) - p->begun_us);

    if (reply == NULL) {
        answer(p, "it was lost", SLICE_NONE);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        answer(p, "redis refuses", SLICE_NONE);
        a->options.refused(a->options.context, reply);
    } else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 0) {
        answer(p, "redis has forgotten what was counted", SLICE_NONE);
        a->options.forgotten(a->options.context);
    } else if (!read_verdicts(reply, p->question.n, verdicts)) {
        answer(p, "redis answers nonsense", SLICE_NONE);
        redis_link_fail(a->link, "it answers what the script for limits does not");
    } else {
        a->longest_us = took_us > a->longest_us ? took_us : a->longest_us;
        answer(p, NULL, slice_make(verdicts, p->question.n * sizeof(*verdicts)));
    }
}

/* Questions */

static struct slice name_limit(const struct counting_ask *a, const uint8_t *name, char *room)
{
    struct buf b;

    buf_init_fixed(&b, room, NAME_ROOM);
    buf_add_str(&b, a->prefix);
    buf_add_str(&b, "{limits}:s:");
    buf_add_hex(&b, name, COUNTER_NAME_BYTES);
    return buf_slice(&b);
}

static struct slice write_numbers(const struct counter_ask *ask, char *room)
{
    const uint64_t numbers[COUNTING_FIELDS] = {
        ask->max,       ask->cost,    ask->window,   ask->count,     ask->left_ms,
        ask->length_ms, ask->sliding, ask->enforced, ask->burst_max, ask->burst_ms};
    struct buf b;

    buf_init_fixed(&b, room, NUMBERS_ROOM);
    for (size_t i = 0; i < COUNTING_FIELDS; i++) {
        if (i > 0)
            buf_add_char(&b, ' ');
        buf_add_u64(&b, numbers[i]);
    }
    return buf_slice(&b);
}

static int eval(struct counting_ask *a, const struct redis_script *script,
                const struct counter_question *q, redis_done *done, void *context)
{
    char names[1 + COUNTER_MAX_LIMITS][NAME_ROOM], numbers[COUNTER_MAX_LIMITS][NUMBERS_ROOM];
    struct slice args[3 + 2 * COUNTER_MAX_LIMITS];
    size_t n = 0;

    snprintf(names[0], NAME_ROOM, "%s{limits}:epoch", a->prefix);
    args[n++] = slice_of(names[0]);
    for (size_t i = 0; i < q->n; i++)
        args[n++] = name_limit(a, q->asks[i].name, names[1 + i]);
    args[n++] = slice_of(a->options.node);
    args[n++] = slice_of(a->epoch);
    for (size_t i = 0; i < q->n; i++)
        args[n++] = write_numbers(&q->asks[i], numbers[i]);
    return redis_link_eval(a->link, script, 1 + q->n, args, n, done, context);
}

static void send_question(struct counting_ask *a, struct errand *p)
{
    p->begun_us = clock_mono_us(&clock_system);
    a->asked++;
    if (eval(a, &a->script, &p->question, on_verdict, p) != CC_OK)
        answer(p, "redis cannot be asked", SLICE_NONE);
}

/* What is wrong with an answer is seen to when a request gets it. */
static void on_look(void *context, const redisReply *reply)
{
    struct counting_errand *e = context;

    counting_errand_back(e, reply != NULL && read_verdicts(reply, 1, &e->verdict));
}

int counting_ask_look(struct counting_ask *a, struct counting_errand *errand)
{
    return eval(a, &a->look, &errand->question, on_look, errand);
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int revents)
{
    struct counting_ask *a = wake->data;
    struct errand *p, *next;

    (void)loop;
    (void)revents;
    pthread_mutex_lock(&a->lock);
    p = a->first;
    a->first = a->last = NULL;
    pthread_mutex_unlock(&a->lock);
    for (; p != NULL; p = next) {
        next = p->next; /* it may be answered at once */
        send_question(a, p);
    }
}

/* A worker's thread. */
static enum enforce_patience ask(struct oracle *self, const struct enforce_await *await,
                                 struct enforce_rules *rules, size_t worker)
{
    struct counting_ask *a = (struct counting_ask *)self;
    struct errand *p;
    bool first = false;

    (void)rules;
    CC_ASSERT(await->question.n <= sizeof(p->question));
    pthread_mutex_lock(&a->lock);
    p = a->closed ? NULL : a->free;
    if (p != NULL) {
        a->free = p->next;
        memcpy(&p->question, await->question.p, await->question.n);
        p->key = await->key;
        p->worker = worker;
        p->next = NULL;
        first = a->first == NULL;
        if (first)
            a->first = p;
        else
            a->last->next = p;
        a->last = p;
    }
    if (first) /* within the lock: counting_ask_stop() must not take the watcher away meanwhile */
        ev_async_send(a->loop, &a->wake);
    pthread_mutex_unlock(&a->lock);
    if (p == NULL)
        atomic_fetch_add_explicit(&a->crowded, 1, memory_order_relaxed);
    return p != NULL ? ENFORCE_MAY_WAIT : ENFORCE_CROWDED;
}

/* Life */

int counting_ask_new(struct counting_ask **out, const struct counting_ask_options *options)
{
    struct counting_ask *a = calloc(1, sizeof(*a));
    struct buf prefix;
    int rc = CC_ENOMEM;

    if (a == NULL)
        return CC_ENOMEM;
    a->oracle.ask = ask;
    a->options = *options;
    a->closed = true;
    pthread_mutex_init(&a->lock, NULL);
    buf_init_fixed(&prefix, a->prefix, sizeof(a->prefix));
    buf_add_str(&prefix, "");
    buf_add(&prefix, options->prefix);
    a->errands = calloc(options->places, sizeof(*a->errands)); /* untouched until needed */
    if (a->errands == NULL || buf_error(&prefix) != CC_OK)
        goto out;
    for (size_t i = options->places; i-- > 0;) {
        a->errands[i].ask = a;
        a->errands[i].next = a->free;
        a->free = &a->errands[i];
    }
    counting_ask_know(a, 0);
    rc = redis_script_init(&a->script, slice_of(counting_ask_script));
    if (rc == CC_OK)
        rc = redis_script_init(&a->look, slice_of(counting_look_script));
    if (rc != CC_OK)
        goto out;
    *out = a;
    a = NULL;
out:
    counting_ask_free(&a);
    return rc;
}

void counting_ask_free(struct counting_ask **pa)
{
    struct counting_ask *a = *pa;

    *pa = NULL;
    if (a == NULL)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->errands);
    free(a);
}

void counting_ask_start(struct counting_ask *a, struct ev_loop *loop, struct redis_link *link)
{
    a->loop = loop;
    a->link = link;
    a->wake.data = a;
    ev_async_init(&a->wake, on_wake);
    ev_async_start(loop, &a->wake);
    pthread_mutex_lock(&a->lock);
    a->closed = false;
    pthread_mutex_unlock(&a->lock);
}

void counting_ask_stop(struct counting_ask *a)
{
    pthread_mutex_lock(&a->lock);
    a->closed = true;
    pthread_mutex_unlock(&a->lock);
    if (a->loop != NULL)
        ev_async_stop(a->loop, &a->wake);
    a->loop = NULL;
}

void counting_ask_know(struct counting_ask *a, long long epoch)
{
    snprintf(a->epoch, sizeof(a->epoch), "%lld", epoch);
}

struct oracle *counting_ask_oracle(struct counting_ask *a)
{
    return &a->oracle;
}

void counting_ask_report(struct counting_ask *a, struct buf *out)
{
    uint64_t asked = a->asked, failed = a->failed, longest_us = a->longest_us;
    uint64_t crowded = atomic_load_explicit(&a->crowded, memory_order_relaxed);

#define X(name, help) buf_printf(out, " ask_" #name "=%llu", (unsigned long long)name);
    COUNTING_ASK_COUNTERS(X)
#undef X
}
