#include "spoa/worker.h"

#include "spoa/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* As many replies as frames may wait: where each has one of its own, none is lost for want of room.
 */
enum { WORKER_INBOX = 256, WORKER_REPLIES = DEFER_MAX_FRAMES, WORKER_TAKES = 64 };

struct mail {
    int fds[WORKER_INBOX];
    size_t n_fds;
    struct enforce_rules *rules; /* not yet adopted; NULL = nothing new */
    struct enforce_live *live;   /* the same */
    bool drain, stop;
};

/* Wall time as of the loop turn: no system call for each decision. */
struct loop_clock {
    struct clock clock;
    struct ev_loop *loop;
};

struct worker {
    pthread_t thread;
    struct worker_options options;
    struct ev_loop *loop;
    ev_async wake;
    ev_prepare prepare; /* these two only where answers may be deferred */
    ev_timer overdue;
    int64_t overdue_us; /* what the timer is set to; DEFER_NEVER: it is not */
    struct loop_clock clock;
    struct link_set links;
    pthread_mutex_t lock; /* guards mail, replies and retired */
    struct mail mail;
    struct enforce_reply *replies[WORKER_REPLIES]; /* a ring */
    size_t first_reply, n_replies;
    struct enforce_rules *retired[4]; /* on their way back to the main thread */
    atomic_bool finished;
    /* its own cache line: the worker writes it all the time, the main thread reads it seldom */
    _Alignas(64) struct counters counters;
};

static int64_t loop_wall_s(const struct clock *self)
{
    return (int64_t)ev_now(((const struct loop_clock *)self)->loop);
}

static int64_t loop_mono_us(const struct clock *self)
{
    (void)self;
    return clock_mono_us(&clock_system);
}

/* Gives rules back to the main thread. Four places are free again after one turn of the main loop;
 * a fifth reload within it is freed here, late rather than lost. */
static void retire(struct worker *w, struct enforce_rules *rules)
{
    if (rules == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < sizeof w->retired / sizeof *w->retired && rules != NULL; i++) {
        if (w->retired[i] == NULL) {
            w->retired[i] = rules;
            rules = NULL;
        }
    }
    pthread_mutex_unlock(&w->lock);
    enforce_rules_unref(&rules);
    ev_async_send(w->options.home, w->options.home_wake);
}

static size_t take_replies(struct worker *w, struct enforce_reply **out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    for (; n < max && w->n_replies > 0; w->n_replies--) {
        out[n++] = w->replies[w->first_reply];
        w->first_reply = (w->first_reply + 1) % WORKER_REPLIES;
    }
    pthread_mutex_unlock(&w->lock);
    return n;
}

/* A part at a time: who puts replies in does not wait for long. */
static void deliver_replies(struct worker *w)
{
    struct enforce_reply *replies[WORKER_TAKES];
    size_t n;

    do {
        n = take_replies(w, replies, WORKER_TAKES);
        for (size_t i = 0; i < n; i++)
            defer_deliver(w->options.responder->defer, replies[i], &w->counters);
    } while (n == WORKER_TAKES);
}

static void on_mail(struct ev_loop *loop, ev_async *wake, int revents)
{
    struct worker *w = wake->data;
    struct mail mail;

    (void)revents;
    pthread_mutex_lock(&w->lock);
    mail = w->mail;
    w->mail.n_fds = 0;
    w->mail.rules = NULL;
    w->mail.live = NULL;
    w->mail.drain = false;
    pthread_mutex_unlock(&w->lock);

    if (mail.rules != NULL)
        retire(w, w->options.responder->adopt(w->options.responder, mail.rules, &w->clock.clock));
    if (mail.live != NULL) {
        mail.live = w->options.responder->adopt_live(w->options.responder, mail.live);
        enforce_live_unref(&mail.live);
        ev_async_send(w->options.home, w->options.home_wake); /* what was in it is free now */
    }
    deliver_replies(w);
    for (size_t i = 0; i < mail.n_fds; i++)
        link_set_add(&w->links, mail.fds[i]);
    if (mail.drain)
        link_set_drain(&w->links);
    if (mail.stop)
        ev_break(loop, EVBREAK_ALL);
}

static void on_overdue(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)revents;
    w->overdue_us = DEFER_NEVER; /* on_prepare() sets it again */
    defer_expire(w->options.responder->defer, clock_mono_us(&w->clock.clock), &w->counters);
}

/* Before each sleep: wake up when the next frame is overdue. */
static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int revents)
{
    struct worker *w = prepare->data;
    int64_t due_us = defer_due(w->options.responder->defer);

    (void)revents;
    if (due_us == w->overdue_us)
        return;
    w->overdue_us = due_us;
    ev_timer_stop(loop, &w->overdue);
    if (due_us == DEFER_NEVER)
        return;
    due_us -= clock_mono_us(&w->clock.clock);
    ev_now_update(loop);
    ev_timer_set(&w->overdue, due_us > 0 ? (double)due_us / 1e6 : 0., 0.);
    ev_timer_start(loop, &w->overdue);
}

static void watch_deferred(struct worker *w)
{
    w->overdue_us = DEFER_NEVER;
    if (w->options.responder->defer == NULL)
        return;
    w->prepare.data = w->overdue.data = w;
    ev_init(&w->overdue, on_overdue);
    ev_prepare_init(&w->prepare, on_prepare);
    ev_prepare_start(w->loop, &w->prepare);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    ev_run(w->loop, 0);
    link_set_close(&w->links);
    /* release: who sees true also sees the links closed and the counters final */
    atomic_store_explicit(&w->finished, true, memory_order_release);
    ev_async_send(w->options.home, w->options.home_wake);
    return NULL;
}

static void free_worker(struct worker *w)
{
    for (size_t i = 0; i < w->mail.n_fds; i++) {
        close(w->mail.fds[i]);
        atomic_fetch_sub_explicit(w->options.connections, 1, memory_order_relaxed);
    }
    enforce_rules_unref(&w->mail.rules);
    enforce_live_unref(&w->mail.live);
    for (; w->n_replies > 0; w->n_replies--) {
        enforce_reply_unref(&w->replies[w->first_reply]);
        w->first_reply = (w->first_reply + 1) % WORKER_REPLIES;
    }
    for (size_t i = 0; i < sizeof w->retired / sizeof *w->retired; i++)
        enforce_rules_unref(&w->retired[i]);
    if (w->loop != NULL)
        ev_loop_destroy(w->loop);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int worker_start(struct worker **out, const struct worker_options *options)
{
    struct worker *w = aligned_alloc(_Alignof(struct worker), sizeof *w);
    int rc = CC_ENOMEM;

    if (w == NULL)
        return CC_ENOMEM;
    *w = (struct worker){.options = *options};
    pthread_mutex_init(&w->lock, NULL);
    w->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (w->loop == NULL)
        goto out;
    w->clock = (struct loop_clock){{loop_wall_s, loop_mono_us}, w->loop};
    w->links = (struct link_set){
        .loop = w->loop,
        .responder = options->responder,
        .clock = &w->clock.clock,
        .counters = &w->counters,
        .total = options->connections,
    };
    w->wake.data = w;
    ev_async_init(&w->wake, on_mail);
    ev_async_start(w->loop, &w->wake);
    watch_deferred(w);
    rc = cc_from_errno(thread_start(&w->thread, worker_main, w));
    if (rc != CC_OK)
        goto out;
    *out = w;
    w = NULL;
out:
    if (w != NULL)
        free_worker(w);
    return rc;
}

bool worker_give(struct worker *w, int fd)
{
    bool taken = false;

    pthread_mutex_lock(&w->lock);
    if (w->mail.n_fds < WORKER_INBOX) {
        w->mail.fds[w->mail.n_fds++] = fd;
        taken = true;
    }
    pthread_mutex_unlock(&w->lock);
    ev_async_send(w->loop, &w->wake);
    return taken;
}

void worker_publish(struct worker *w, struct enforce_rules *rules)
{
    struct enforce_rules *overtaken;

    CC_ASSERT(w->options.responder->adopt != NULL);
    pthread_mutex_lock(&w->lock);
    overtaken = w->mail.rules;
    w->mail.rules = rules;
    pthread_mutex_unlock(&w->lock);
    ev_async_send(w->loop, &w->wake);
    enforce_rules_unref(&overtaken);
}

void worker_publish_live(struct worker *w, struct enforce_live *live)
{
    struct enforce_live *overtaken;

    CC_ASSERT(w->options.responder->adopt_live != NULL);
    pthread_mutex_lock(&w->lock);
    overtaken = w->mail.live;
    w->mail.live = live;
    pthread_mutex_unlock(&w->lock);
    ev_async_send(w->loop, &w->wake);
    enforce_live_unref(&overtaken);
}

void worker_deliver(struct worker *w, struct enforce_reply *reply)
{
    CC_ASSERT(w->options.responder->defer != NULL);
    pthread_mutex_lock(&w->lock);
    if (w->n_replies < WORKER_REPLIES) {
        w->replies[(w->first_reply + w->n_replies++) % WORKER_REPLIES] = reply;
        reply = NULL;
    }
    pthread_mutex_unlock(&w->lock);
    ev_async_send(w->loop, &w->wake);
    enforce_reply_unref(&reply);
}

struct enforce_rules *worker_collect(struct worker *w)
{
    struct enforce_rules *rules = NULL;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < sizeof w->retired / sizeof *w->retired && rules == NULL; i++) {
        rules = w->retired[i];
        w->retired[i] = NULL;
    }
    pthread_mutex_unlock(&w->lock);
    return rules;
}

void worker_drain(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->mail.drain = true;
    pthread_mutex_unlock(&w->lock);
    ev_async_send(w->loop, &w->wake);
}

void worker_stop(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->mail.stop = true;
    pthread_mutex_unlock(&w->lock);
    ev_async_send(w->loop, &w->wake);
}

bool worker_finished(const struct worker *w)
{
    return atomic_load_explicit(&w->finished, memory_order_acquire);
}

void worker_join(struct worker **pw)
{
    struct worker *w = *pw;

    if (w == NULL)
        return;
    pthread_join(w->thread, NULL);
    free_worker(w);
    *pw = NULL;
}

const struct counters *worker_counters(const struct worker *w)
{
    return &w->counters;
}
