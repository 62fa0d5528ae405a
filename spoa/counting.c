#include "spoa/counting.h"

#include "spoa/thread.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

struct counting {
    struct counter_table *table;
    struct counting_redis *redis;             /* NULL: it counts alone */
    char directory[PATH_MAX], path[PATH_MAX]; /* "" when nothing is saved */
    struct ev_loop *loop;                     /* NULL: not started */
    ev_timer timer;
    ev_async done;
    ev_tstamp interval_s;
    pthread_t thread;
    bool running, failing; /* the main thread's */
    uint64_t saved;        /* admitted requests, when it was written last */
    uint64_t writing;      /* the same of the write under way */
    uint64_t writes, failures;
    int rc; /* the writer's until it sends `done`; pthread_join() makes it visible */
};

static int make_paths(struct counting *c, const char *directory)
{
    struct buf b;

    if (directory == NULL || directory[0] == '\0')
        return CC_OK;
    buf_init_fixed(&b, c->directory, sizeof(c->directory));
    buf_add_str(&b, directory);
    if (buf_error(&b) != CC_OK)
        return CC_ETOOBIG;
    buf_init_fixed(&b, c->path, sizeof(c->path));
    buf_printf(&b, "%s/counters.state", directory);
    return buf_error(&b);
}

static void read_file(struct counting *c)
{
    struct counter_state_report report;
    int rc =
        counter_state_read(c->table, c->directory, c->path, counter_now(&clock_system), &report);

    if (rc == CC_OK)
        log_info("counters: %zu keys of %lld s ago from %s; of %zu the window is over%s",
                 report.loaded, (long long)report.age_s, c->path, report.over,
                 report.left_out > 0 ? "; some are left out, the table is too small" : "");
    else if (rc != CC_ENOENT)
        log_error("counters: %s is not used: %s; every key begins with its whole quota", c->path,
                  rc == CC_EREFUSED ? "others than this user can write it or its directory"
                                    : cc_strerror(rc));
}

int counting_new(struct counting **out, const struct counting_options *options)
{
    struct counting *c = calloc(1, sizeof(*c));
    int rc = CC_ENOMEM;

    if (c == NULL)
        goto out;
    rc = make_paths(c, options->directory);
    if (rc == CC_OK)
        rc = counter_table_new(&c->table, options->keys);
    if (rc != CC_OK)
        goto out;
    c->interval_s = (ev_tstamp)options->interval_s;
    if (c->path[0] != '\0')
        read_file(c);
    if (options->shared != NULL)
        rc = counting_redis_new(&c->redis, c->table, options->shared);
    if (rc != CC_OK)
        goto out;
    *out = c;
    c = NULL;
out:
    if (c != NULL)
        counter_table_free(&c->table);
    free(c);
    return rc;
}

static uint64_t admitted(struct counting *c)
{
    struct counter_totals totals;

    counter_totals(c->table, &totals);
    return totals.admitted;
}

static void note_result(struct counting *c, int rc)
{
    c->writes++;
    if (rc == CC_OK) {
        c->saved = c->writing;
        if (c->failing)
            log_info("counters: saved again");
    } else {
        c->failures++;
        if (!c->failing)
            log_error("counters: cannot write %s: %s; a restart would forget what is counted",
                      c->path, cc_strerror(rc));
    }
    c->failing = rc != CC_OK;
}

static void *write_thread(void *arg)
{
    struct counting *c = arg;

    c->rc = counter_state_write(c->table, c->path, counter_now(&clock_system));
    ev_async_send(c->loop, &c->done);
    return NULL;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct counting *c = timer->data;

    (void)loop;
    (void)revents;
    c->writing = admitted(c);
    if (c->running || c->writing == c->saved)
        return;
    c->running = thread_start(&c->thread, write_thread, c) == 0;
    if (!c->running)
        note_result(c, CC_EAGAIN);
}

static void on_done(struct ev_loop *loop, ev_async *done, int revents)
{
    struct counting *c = done->data;

    (void)loop;
    (void)revents;
    if (!c->running)
        return;
    pthread_join(c->thread, NULL);
    c->running = false;
    note_result(c, c->rc);
}

void counting_start(struct counting *c, struct ev_loop *loop)
{
    if (c->path[0] == '\0')
        return;
    c->loop = loop;
    c->done.data = c->timer.data = c;
    ev_async_init(&c->done, on_done);
    ev_async_start(loop, &c->done);
    ev_timer_init(&c->timer, on_timer, c->interval_s, c->interval_s);
    ev_timer_start(loop, &c->timer);
}

void counting_join(struct counting *c, struct ev_loop *loop, struct redis_link *link)
{
    if (c->redis != NULL)
        counting_redis_start(c->redis, loop, link);
}

void counting_stop(struct counting *c)
{
    if (c->redis != NULL)
        counting_redis_stop(c->redis);
    if (c->loop == NULL)
        return;
    ev_timer_stop(c->loop, &c->timer);
    if (c->running) {
        pthread_join(c->thread, NULL);
        c->running = false;
        note_result(c, c->rc);
    }
    ev_async_stop(c->loop, &c->done);
    c->loop = NULL;
}

void counting_free(struct counting **counting)
{
    struct counting *c = *counting;

    if (c == NULL)
        return;
    counting_stop(c);
    c->writing = admitted(c);
    if (c->path[0] != '\0' && c->writing != c->saved)
        note_result(c, counter_state_write(c->table, c->path, counter_now(&clock_system)));
    counting_redis_free(&c->redis);
    counter_table_free(&c->table);
    free(c);
    *counting = NULL;
}

struct counter_table *counting_table(struct counting *c)
{
    return c->table;
}

struct counting_redis *counting_sharing(struct counting *c)
{
    return c->redis;
}

struct oracle *counting_oracle(struct counting *c)
{
    return c->redis != NULL ? counting_redis_oracle(c->redis) : NULL;
}

void counting_report(struct counting *c, struct buf *out)
{
    struct counter_totals totals;

    counter_totals(c->table, &totals);
#define X(name, help) buf_printf(out, " " #name "=%llu", (unsigned long long)totals.name);
    COUNTER_TOTALS(X)
#undef X
    buf_printf(out, " saves=%llu save_failures=%llu", (unsigned long long)c->writes,
               (unsigned long long)c->failures);
    if (c->redis != NULL)
        counting_redis_report(c->redis, out);
}
