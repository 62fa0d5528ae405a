#include "spoa/server.h"

#include "spoa/admin.h"
#include "spoa/denials.h"
#include "spoa/dispatch.h"
#include "spoa/live_hub.h"
#include "spoa/reload.h"
#include "spoa/status.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64,
    RESERVED_FDS = 64,       /* loops, log, listener, snapshot */
    MIN_CONNECTIONS = 64,    /* tried even where the limit of files may not allow it */
    MAX_CONNECTIONS = 16384, /* about 50 KB each */
    ADMIN_IDLE_MS = 10000    /* as HAProxy's `stats timeout` */
};

static const ev_tstamp ACCEPT_PAUSE_S = 0.1;

struct server {
    const struct server_options *options;
    struct ev_loop *loop;
    struct listener listener;
    ev_io accept;
    ev_timer accept_pause, drain_timer;
    ev_signal hangup, terminate, interrupt, user1;
    ev_async wake; /* a worker has something for us */
    struct worker **workers;
    size_t n_started, next;
    struct reload *reload;
    struct jwks_feeder *feeder; /* NULL: nothing is fetched */
    struct admin *admin;        /* NULL: no socket */
    struct redis_link *redis;   /* NULL: none */
    struct denials *denials;
    struct enforce_rules *rules; /* what the workers have, or will have once they read their mail */
    struct live_hub hub;         /* the same */
    _Atomic size_t connections;
    size_t max_connections;
    int64_t start_us;
    bool draining, cut; /* cut: not all connections ended by themselves */
};

void server_raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("cannot raise the limit of open files: %s", strerror(errno));
}

static size_t connection_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > MAX_CONNECTIONS + RESERVED_FDS)
        return MAX_CONNECTIONS;
    if (limit.rlim_cur < RESERVED_FDS + MIN_CONNECTIONS)
        return MIN_CONNECTIONS;
    return (size_t)limit.rlim_cur - RESERVED_FDS;
}

/* Accepting */

/* The listener stays readable while the table is full: watching it would only spin. */
static void pause_accepting(struct server *s, const char *why)
{
    log_warn("not accepting for %d ms: %s (%zu connections)", (int)(ACCEPT_PAUSE_S * 1000), why,
             atomic_load_explicit(&s->connections, memory_order_relaxed));
    ev_io_stop(s->loop, &s->accept);
    ev_timer_set(&s->accept_pause, ACCEPT_PAUSE_S, 0.);
    ev_timer_start(s->loop, &s->accept_pause);
}

static void on_accept_pause(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct server *s = timer->data;

    (void)revents;
    if (!s->draining)
        ev_io_start(loop, &s->accept);
}

/* Round robin; a worker whose mailbox is full is passed over. */
static bool deal(struct server *s, int fd)
{
    for (size_t i = 0; i < s->n_started; i++) {
        struct worker *w = s->workers[s->next];

        s->next = (s->next + 1) % s->n_started;
        if (worker_give(w, fd))
            return true;
    }
    return false;
}

static void set_tcp_options(int fd)
{
    int on = 1;

    /* answers do not wait for TCP's ACKs; a vanished peer does not hold its place for ever */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0)
        log_debug("cannot set TCP options: %s", strerror(errno));
}

static void on_accept(struct ev_loop *loop, ev_io *io, int revents)
{
    struct server *s = io->data;

    (void)loop;
    (void)revents;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd;

        if (atomic_load_explicit(&s->connections, memory_order_relaxed) >= s->max_connections) {
            pause_accepting(s, "the limit of connections is reached");
            return;
        }
        fd = accept4(s->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(s, strerror(errno));
            else if (errno == EINTR || errno == ECONNABORTED)
                continue;
            return;
        }
        if (s->listener.tcp)
            set_tcp_options(fd);
        atomic_fetch_add_explicit(&s->connections, 1, memory_order_relaxed);
        if (!deal(s, fd)) {
            close(fd);
            atomic_fetch_sub_explicit(&s->connections, 1, memory_order_relaxed);
            pause_accepting(s, "all workers are busy");
            return;
        }
    }
}

/* Rules */

/* HAProxy is reloaded after the agent: see dispatch.h. */
static void log_reloaded(const struct enforce_rules *old, const struct enforce_rules *new,
                         int64_t took_ms)
{
    const struct gw_model *before = enforce_rules_model(old), *after = enforce_rules_model(new);

    log_info("reloaded: generation %llu -> %llu, %zu APIs, %lld ms",
             (unsigned long long)before->generation, (unsigned long long)after->generation,
             after->n_apis, (long long)took_ms);
    if (before->haproxy_generation != after->haproxy_generation)
        log_info("generation %llu is in effect once HAProxy is reloaded; until then, but for %d "
                 "minutes at most, generation %llu decides",
                 (unsigned long long)after->generation, (int)(DISPATCH_EARLIER_US / 60000000),
                 (unsigned long long)before->generation);
}

/* Extensions are loaded at the start alone; a snapshot may have been built with others. */
static void check_filters(const struct server *s)
{
    char room[STATUS_WHY_MAX];
    struct buf why;

    buf_init_fixed(&why, room, sizeof room);
    if (status_filters_differ(s->options->filters, s->rules, &why))
        log_error("not ready, all requests are refused until cc-spoa is restarted with the cc.yaml "
                  "that was built: %" PRIslice,
                  SLICE_ARG(buf_slice(&why)));
}

static void publish_live(struct server *s)
{
    struct enforce_live *live = NULL;
    int rc = live_hub_make(&s->hub, &live);

    if (rc != CC_OK) {
        log_error("new key sets, subscriptions and deny rules are not taken: %s", cc_strerror(rc));
        return;
    }
    for (size_t i = 0; i < s->n_started; i++)
        worker_publish_live(s->workers[i], enforce_live_ref(live));
    enforce_live_unref(&live);
}

static void on_live(void *context, struct enforce_live *live)
{
    struct server *s = context;

    live_hub_set_keys(&s->hub, live);
    publish_live(s);
}

static void on_denied(void *context, struct deny_list *list)
{
    struct server *s = context;

    live_hub_set_denied(&s->hub, list);
    publish_live(s);
}

static void follow_key_sets(struct server *s)
{
    int rc = jwks_feeder_follow(s->feeder, enforce_rules_model(s->rules));

    if (rc != CC_OK)
        log_error("key sets: %s; some are not fetched", cc_strerror(rc));
}

static void take_subs(struct server *s, struct subs *subs)
{
    struct subs_counts n;

    subs_count(subs, &n);
    log_info("subscriptions: %zu of %zu applications, %zu bytes", n.subscriptions, n.applications,
             subs_bytes(subs));
    live_hub_set_subs(&s->hub, subs);
    publish_live(s);
}

static void on_reloaded(void *context, struct reload_result result)
{
    struct server *s = context;
    struct enforce_rules *old = s->rules;

    if (result.subs != NULL)
        take_subs(s, result.subs);
    if (result.rules == NULL)
        return;
    for (size_t i = 0; i < s->n_started; i++)
        worker_publish(s->workers[i], enforce_rules_ref(result.rules));
    s->rules = result.rules;
    log_reloaded(old, s->rules, result.took_ms);
    check_filters(s);
    if (s->feeder != NULL)
        follow_key_sets(s);
    enforce_rules_unref(&old); /* the workers still have theirs until they read their mail */
}

static void on_hangup(struct ev_loop *loop, ev_signal *signal_, int revents)
{
    struct server *s = signal_->data;

    (void)loop;
    (void)revents;
    if (s->draining)
        return;
    if (s->reload != NULL)
        reload_start(s->reload);
    if (s->options->revoker != NULL)
        revoker_reload(s->options->revoker);
}

/* Counters */

static struct status status_of(const struct server *s)
{
    return (struct status){
        .workers = s->workers,
        .responders = s->options->responders,
        .n_workers = s->n_started,
        .feeder = s->feeder,
        .introspector = s->options->introspector,
        .signer = s->options->signer,
        .filters = s->options->filters,
        .admin = s->admin,
        .counting = s->options->counting,
        .revoker = s->options->revoker,
        .redis = s->redis,
        .rules = s->rules,
        .connections = atomic_load_explicit(&s->connections, memory_order_relaxed),
        .max_connections = s->max_connections,
        .uptime_us = clock_mono_us(&clock_system) - s->start_us,
        .draining = s->draining,
    };
}

static void on_user1(struct ev_loop *loop, ev_signal *signal_, int revents)
{
    struct status status = status_of(signal_->data);

    (void)loop;
    (void)revents;
    status_log(&status);
}

static bool show_info(struct admin_call *call)
{
    struct status status = status_of(call->context);

    status_info(&status, call->out);
    return false;
}

static bool show_counters(struct admin_call *call)
{
    struct status status = status_of(call->context);

    status_counters(&status, call->out);
    return false;
}

static const struct admin_command commands[] = {
    {"show info", "", "version, generation, workers, connections", 0, 0, show_info},
    {"show counters", "", "what SIGUSR1 writes to the log", 0, 0, show_counters},
};

static int open_denials(struct server *s)
{
    const struct denials_options options = {
        .clock = &clock_system,
        .directory = s->options->state_directory,
        .loop = s->loop,
        .retry_ms = DENIALS_RETRY_MS,
        .publish = on_denied,
        .context = s,
    };

    return denials_new(&s->denials, &options);
}

static int open_admin(struct server *s)
{
    const struct admin_options options = {s->options->admin_path, ADMIN_IDLE_MS};
    int rc;

    if (options.path.n == 0)
        return CC_OK;
    rc = admin_new(&s->admin, s->loop, &options);
    if (rc == CC_OK)
        admin_register(s->admin, commands, sizeof commands / sizeof *commands, s);
    if (rc == CC_OK && s->options->counting != NULL)
        admin_register(s->admin, counting_commands, counting_n_commands, s->options->counting);
    if (rc == CC_OK)
        admin_register(s->admin, denials_commands, denials_n_commands, s->denials);
    return rc;
}

/* The end */

static void stop_workers(struct server *s, const char *why)
{
    s->cut = true;
    log_warn("%s: closing %zu connections at once", why,
             atomic_load_explicit(&s->connections, memory_order_relaxed));
    for (size_t i = 0; i < s->n_started; i++)
        worker_stop(s->workers[i]);
}

static void on_drain_timeout(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    stop_workers(timer->data, "drain time is over");
}

static void on_terminate(struct ev_loop *loop, ev_signal *signal_, int revents)
{
    struct server *s = signal_->data;

    (void)revents;
    if (s->draining) {
        stop_workers(s, "second signal");
        return;
    }
    s->draining = true;
    ev_io_stop(loop, &s->accept);
    ev_timer_stop(loop, &s->accept_pause);
    listener_close(&s->listener);
    if (s->admin != NULL)
        admin_stop_listening(s->admin);
    log_info("draining %zu connections",
             atomic_load_explicit(&s->connections, memory_order_relaxed));
    for (size_t i = 0; i < s->n_started; i++)
        worker_drain(s->workers[i]);
    ev_timer_set(&s->drain_timer, (ev_tstamp)s->options->drain_timeout_s, 0.);
    ev_timer_start(loop, &s->drain_timer);
}

/* A worker gave old rules back, or has ended. */
static void on_wake(struct ev_loop *loop, ev_async *wake, int revents)
{
    struct server *s = wake->data;
    size_t n_finished = 0;

    (void)revents;
    for (size_t i = 0; i < s->n_started; i++) {
        struct enforce_rules *rules;

        while ((rules = worker_collect(s->workers[i])) != NULL)
            enforce_rules_unref(&rules);
        n_finished += worker_finished(s->workers[i]);
    }
    live_hub_sweep(&s->hub);
    if (n_finished == s->n_started)
        ev_break(loop, EVBREAK_ALL);
}

/* Start */

static void start_signal(struct server *s, ev_signal *watcher, int signum,
                         void (*callback)(struct ev_loop *, ev_signal *, int))
{
    watcher->data = s;
    ev_signal_init(watcher, callback, signum);
    ev_signal_start(s->loop, watcher);
}

static void start_watchers(struct server *s)
{
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of send(2), not the end of us */
    start_signal(s, &s->hangup, SIGHUP, on_hangup);
    start_signal(s, &s->terminate, SIGTERM, on_terminate);
    start_signal(s, &s->interrupt, SIGINT, on_terminate);
    start_signal(s, &s->user1, SIGUSR1, on_user1);
    s->wake.data = s->accept.data = s->accept_pause.data = s->drain_timer.data = s;
    ev_async_init(&s->wake, on_wake);
    ev_async_start(s->loop, &s->wake);
    ev_timer_init(&s->accept_pause, on_accept_pause, ACCEPT_PAUSE_S, 0.);
    ev_timer_init(&s->drain_timer, on_drain_timeout, 0., 0.);
}

static int start_workers(struct server *s)
{
    struct worker_options options = {
        .connections = &s->connections, .home = s->loop, .home_wake = &s->wake};
    int rc = CC_OK;

    s->workers = calloc(s->options->n_workers, sizeof *s->workers);
    if (s->workers == NULL)
        return CC_ENOMEM;
    while (rc == CC_OK && s->n_started < s->options->n_workers) {
        options.responder = s->options->responders[s->n_started];
        rc = worker_start(&s->workers[s->n_started], &options);
        if (rc == CC_OK)
            s->n_started++;
    }
    if (rc != CC_OK)
        log_error("cannot start worker %zu: %s", s->n_started, cc_strerror(rc));
    return rc;
}

/* What changes by itself, and who tells us. */
static int start_live(struct server *s)
{
    int rc = CC_OK;

    if (s->options->redis != NULL)
        rc = redis_link_new(&s->redis, s->loop, s->options->redis);
    if (rc == CC_OK && s->options->revoker != NULL)
        rc = revoker_start(s->options->revoker, s->loop, s->admin, s->redis);
    if (rc == CC_OK && s->options->counting != NULL && s->redis != NULL)
        counting_join(s->options->counting, s->loop, s->redis);
    if (rc == CC_OK)
        rc = denials_restore(s->denials);
    if (rc == CC_OK && s->redis != NULL)
        redis_link_start(s->redis);
    return rc;
}

static int start(struct server *s)
{
    int rc;

    s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (s->loop == NULL)
        return CC_ENOMEM;
    start_watchers(s);
    if (s->options->snapshot_path != NULL) {
        rc = reload_new(&s->reload, s->loop, s->options->snapshot_path, s->options->subs_path,
                        on_reloaded, s);
        if (rc != CC_OK)
            return rc;
    }
    if (s->options->jwks != NULL) {
        rc = jwks_feeder_new(&s->feeder, s->loop, s->options->jwks, s->options->wanted, on_live, s);
        if (rc != CC_OK)
            return rc;
    }
    rc = open_denials(s);
    if (rc == CC_OK)
        rc = listener_open(&s->listener, &s->options->listener);
    if (rc == CC_OK)
        rc = open_admin(s);
    if (rc == CC_OK)
        rc = start_workers(s);
    if (rc != CC_OK)
        return rc;
    if (s->options->postbox != NULL) /* before a connection comes, and with it a question */
        postbox_open(s->options->postbox, s->workers, s->n_started);
    rc = start_live(s);
    if (rc != CC_OK)
        return rc;
    if (s->options->subs != NULL)
        take_subs(s, subs_ref(s->options->subs));
    if (s->feeder != NULL)
        follow_key_sets(s);
    if (s->options->counting != NULL)
        counting_start(s->options->counting, s->loop);
    ev_io_init(&s->accept, on_accept, s->listener.fd, EV_READ);
    ev_io_start(s->loop, &s->accept);
    return CC_OK;
}

static void stop(struct server *s)
{
    reload_free(&s->reload);
    admin_free(&s->admin);
    redis_link_free(&s->redis); /* before its users */
    if (s->options->revoker != NULL)
        revoker_stop(s->options->revoker);
    denials_free(&s->denials);
    listener_close(&s->listener);
    if (s->options->postbox != NULL)
        postbox_close(s->options->postbox);
    for (size_t i = 0; i < s->n_started; i++) {
        worker_stop(s->workers[i]);
        worker_join(&s->workers[i]);
    }
    free(s->workers);
    if (s->options->counting != NULL)
        counting_stop(s->options->counting);
    jwks_feeder_free(&s->feeder); /* after the workers, which wake it */
    enforce_rules_unref(&s->rules);
    live_hub_free(&s->hub);
    if (s->loop != NULL)
        ev_loop_destroy(s->loop);
}

int server_run(const struct server_options *options)
{
    struct server s = {
        .options = options,
        .listener = {.fd = -1},
        .max_connections = connection_limit(),
        .start_us = clock_mono_us(&clock_system),
    };
    int rc;

    if (options->rules != NULL)
        s.rules = enforce_rules_ref(options->rules);
    rc = start(&s);
    if (rc == CC_OK) {
        check_filters(&s);
        log_info("listening on %" PRIslice ", %zu workers, at most %zu connections",
                 SLICE_ARG(options->listener.address), s.n_started, s.max_connections);
        ev_run(s.loop, 0);
        log_info(s.cut ? "ended, not all connections were drained" : "ended, all drained");
    }
    stop(&s);
    return rc;
}
