#include "spoa/jwks_feeder.h"

#include "fetch/fetch.h"
#include "spoa/fetcher.h"

#include <stdlib.h>

enum { ARENA_MAX = 32 << 20, ETAG_ROOM = 257 };

/* One key set that is followed. */
struct feed {
    char *url; /* NULL: the place is free */
    struct jwks_feeder *feeder;
    struct jwks_schedule schedule;
    struct flight *flight;
    struct jwks *set;   /* NULL: none that counts */
    char body_hash[65]; /* of what `set` was made from */
    char told_hash[65]; /* of what was last reported about */
    char etag[ETAG_ROOM];
    bool failing; /* the last fetch failed: said once */
};

struct jwks_feeder {
    struct ev_loop *loop;
    struct jwks_feeder_options options;
    struct fetcher *fetcher;
    struct jwks_wanted *wanted;
    void (*publish)(void *context, struct enforce_live *live);
    void *context;
    ev_async wake;
    ev_timer timer;
    struct feed feeds[LIVE_MAX_JWKS];
    struct hash_key chance; /* where chance comes from */
#define X(name, help) uint64_t name;
    JWKS_COUNTERS(X)
#undef X
};

struct jwks_feeder_options jwks_feeder_settings(const struct config *config)
{
    return (struct jwks_feeder_options){
        .limits = jwks_limits(config),
        .times = {(int64_t)config->security.jwks.interval_s * 1000000,
                  (int64_t)config->security.jwks.minimum_age_s * 1000000,
                  (int64_t)config->security.jwks.maximum_age_s * 1000000,
                  (int64_t)config->security.jwks.stale_s * 1000000},
        .state_directory =
            config->agent.state_directory.n > 0 ? config->agent.state_directory.p : NULL,
        .clock = &clock_system,
    };
}

static int64_t now_us(const struct jwks_feeder *f)
{
    return clock_mono_us(f->options.clock);
}

/* Publishing */

static enum live_jwks_state state_of(const struct feed *feed)
{
    if (feed->set != NULL)
        return LIVE_JWKS_USABLE;
    return feed->failing ? LIVE_JWKS_FAILED : LIVE_JWKS_FETCHING;
}

static void publish(struct jwks_feeder *f)
{
    struct live_jwks jwks[LIVE_MAX_JWKS];
    struct enforce_live *live = NULL;
    size_t n = 0;

    for (unsigned i = 0; i < LIVE_MAX_JWKS; i++) {
        const struct feed *feed = &f->feeds[i];

        if (feed->url != NULL)
            jwks[n++] =
                (struct live_jwks){slice_of(feed->url), state_of(feed), feed->set, i};
    }
    if (enforce_live_new(&live, jwks, n) == CC_OK)
        f->publish(f->context, live);
    else
        log_error("key sets: no memory; the workers keep what they know");
}

/* What is left out of a set, once for each text. */
static void log_report(const struct feed *feed, const struct jwks_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        log_warn("key set %s: key '%s' is not used: %s", feed->url, report->left_out[i].kid,
                 report->left_out[i].why);
}

/* Saving */

static void save(struct feed *feed, struct slice body, int64_t max_age_s)
{
    struct jwks_feeder *f = feed->feeder;
    struct jwks_saved saved = {slice_of(feed->etag), body, clock_wall_s(f->options.clock),
                               max_age_s};
    int rc;

    if (f->options.state_directory == NULL)
        return;
    rc = jwks_saved_write(f->options.state_directory, slice_of(feed->url), &saved);
    if (rc == CC_OK)
        return;
    if (f->unsaved++ == 0)
        log_warn("key set %s cannot be saved in %s: %s", feed->url, f->options.state_directory,
                 cc_strerror(rc));
}

/* The same set holds on: only the time in the file changes. */
static void save_again(struct feed *feed, int64_t max_age_s)
{
    struct jwks_feeder *f = feed->feeder;
    struct arena *arena = f->options.state_directory != NULL ? arena_new(ARENA_MAX) : NULL;
    struct jwks_saved saved;

    if (arena != NULL && jwks_saved_read(f->options.state_directory, slice_of(feed->url), arena,
                                         &saved) == CC_OK)
        save(feed, saved.body, max_age_s);
    arena_free(&arena);
}

static void set_etag(struct feed *feed, struct slice etag)
{
    struct buf b;

    buf_init_fixed(&b, feed->etag, sizeof feed->etag);
    buf_add(&b, etag);
    if (buf_error(&b) != CC_OK)
        feed->etag[0] = '\0';
}

/* What was saved before the restart, when it still counts. */
static void restore(struct feed *feed)
{
    struct jwks_feeder *f = feed->feeder;
    struct slice url = slice_of(feed->url);
    struct arena *arena = arena_new(ARENA_MAX);
    struct jwks_saved saved;
    struct jwks *set = NULL;
    int64_t ago_s;
    int rc = CC_ENOMEM;

    if (arena == NULL)
        goto out;
    rc = jwks_saved_read(f->options.state_directory, url, arena, &saved);
    if (rc != CC_OK)
        goto out;
    rc = jwks_parse(&set, saved.body, url, NULL);
    if (rc != CC_OK)
        goto out;
    ago_s = clock_wall_s(f->options.clock) - saved.fetched_s;
    if (!jwks_schedule_restore(&feed->schedule, &f->options.times, now_us(f), ago_s * 1000000,
                               saved.max_age_s)) {
        log_warn("key set %s: what is saved is too old to be used", feed->url);
        goto out;
    }
    if (crypto_sha256_hex(saved.body, feed->body_hash) != CC_OK)
        goto out;
    set_etag(feed, saved.etag);
    feed->set = set;
    set = NULL;
    log_info("key set %s: %zu keys, saved %lld s ago", feed->url, jwks_count(feed->set),
             (long long)ago_s);
out:
    if (rc != CC_OK && rc != CC_ENOENT)
        log_warn("key set %s: what is saved in %s is not used: %s", feed->url,
                 f->options.state_directory, cc_strerror(rc));
    jwks_unref(&set);
    arena_free(&arena);
}

/* What came back */

static void fail(struct feed *feed, const char *why)
{
    struct jwks_feeder *f = feed->feeder;
    bool first = !feed->failing;

    f->failures++;
    feed->failing = true;
    jwks_schedule_failure(&feed->schedule);
    if (!first)
        return;
    if (feed->set != NULL) {
        log_warn("key set %s: %s; its %zu keys are used for at most %lld s more", feed->url, why,
                 jwks_count(feed->set),
                 (long long)((feed->schedule.until_us - now_us(f)) / 1000000));
        return;
    }
    log_error("key set %s: %s; the tokens of its issuer are refused until it can be fetched",
              feed->url, why);
    publish(f);
}

/* The server says that the set holds, the same or a new one. */
static void hold(struct feed *feed, int64_t max_age_s)
{
    struct jwks_feeder *f = feed->feeder;
    struct slice url = slice_of(feed->url);
    uint32_t chance;

    /* differs by URL, process and time; it need not be unpredictable */
    chance = (uint32_t)(hash_slice(&f->chance, url) + (uint64_t)now_us(f));
    jwks_schedule_success(&feed->schedule, &f->options.times, now_us(f), max_age_s, chance);
    if (feed->failing)
        log_info("key set %s: can be fetched again", feed->url);
    feed->failing = false;
}

/* A body that differs from the one before. */
static void take(struct feed *feed, const struct http_result *result, const char hash[65])
{
    struct jwks_feeder *f = feed->feeder;
    struct jwks_report report;
    struct jwks *set = NULL;
    bool changed, told = memcmp(feed->told_hash, hash, sizeof feed->told_hash) == 0;
    int rc = jwks_parse(&set, result->body, slice_of(feed->url), &report);

    if (!told)
        log_report(feed, &report);
    memcpy(feed->told_hash, hash, sizeof feed->told_hash);
    if (rc != CC_OK) {
        fail(feed, jwks_parse_fault(rc));
        return;
    }
    memcpy(feed->body_hash, hash, sizeof feed->body_hash);
    changed = !jwks_same(feed->set, set);
    jwks_unref(&feed->set);
    feed->set = set;
    set_etag(feed, result->etag);
    hold(feed, result->max_age_s);
    save(feed, result->body, result->max_age_s);
    if (!changed)
        return;
    f->changes++;
    log_info("key set %s: %zu keys", feed->url, jwks_count(set));
    publish(f);
}

static void on_done(void *context, const struct http_result *result)
{
    struct feed *feed = context;
    struct jwks_feeder *f = feed->feeder;
    char hash[65];

    feed->flight = NULL;
    if (result->error != NULL) {
        fail(feed, result->error);
    } else if (result->status == 304) {
        if (feed->set == NULL) {
            fail(feed, "it answers with status 304 to nothing");
        } else {
            f->unchanged++;
            hold(feed, result->max_age_s);
            save_again(feed, result->max_age_s);
        }
    } else if (crypto_sha256_hex(result->body, hash) != CC_OK) {
        fail(feed, cc_strerror(CC_ENOMEM));
    } else if (feed->set != NULL && memcmp(hash, feed->body_hash, sizeof hash) == 0) {
        set_etag(feed, result->etag);
        hold(feed, result->max_age_s);
        save(feed, result->body, result->max_age_s);
    } else {
        take(feed, result, hash);
    }
    ev_feed_event(f->loop, &f->timer, EV_TIMER);
}

/* Time */

static void start(struct feed *feed)
{
    struct jwks_feeder *f = feed->feeder;
    unsigned number = (unsigned)(feed - f->feeds);
    struct slice etag = feed->set != NULL ? slice_of(feed->etag) : SLICE("");
    struct http_get *get = NULL;
    int rc;

    f->fetches++;
    jwks_schedule_start(&feed->schedule, now_us(f));
    atomic_fetch_and_explicit(&f->wanted->bits, ~(UINT64_C(1) << number), memory_order_relaxed);
    rc = http_get_new(&get, slice_of(feed->url), etag, &f->options.limits);
    if (rc == CC_OK)
        rc = fetcher_start(f->fetcher, get, on_done, feed, &feed->flight);
    if (rc != CC_OK)
        fail(feed, cc_strerror(rc));
}

/* A set that could not be fetched again in time. */
static bool expire(struct feed *feed, int64_t now)
{
    if (feed->set == NULL || now < feed->schedule.until_us)
        return false;
    feed->feeder->expired++;
    jwks_unref(&feed->set);
    feed->etag[0] = '\0';
    log_error("key set %s: not fetched for too long; the tokens of its issuer are refused until it "
              "can be fetched",
              feed->url);
    return true;
}

/* Does what is due, and sleeps until the next thing is. */
static void look(struct jwks_feeder *f)
{
    int64_t next_us = JWKS_NEVER;
    bool expired = false;

    for (size_t i = 0; i < LIVE_MAX_JWKS; i++) {
        struct feed *feed = &f->feeds[i];
        int64_t due_us;

        if (feed->url == NULL)
            continue;
        expired = expire(feed, now_us(f)) || expired;
        if (jwks_schedule_due(&feed->schedule, &f->options.times) <= now_us(f))
            start(feed);
        due_us = jwks_schedule_due(&feed->schedule, &f->options.times);
        if (feed->set != NULL && feed->schedule.until_us < due_us)
            due_us = feed->schedule.until_us;
        next_us = due_us < next_us ? due_us : next_us;
    }
    if (expired)
        publish(f);
    ev_timer_stop(f->loop, &f->timer);
    if (next_us == JWKS_NEVER)
        return;
    next_us -= now_us(f);
    ev_timer_set(&f->timer, next_us > 0 ? (double)next_us / 1000000 : 0., 0.);
    ev_timer_start(f->loop, &f->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    look(timer->data);
}

/* A worker wants something. */
static void on_wake(struct ev_loop *loop, ev_async *wake, int revents)
{
    struct jwks_feeder *f = wake->data;
    uint64_t bits = atomic_load_explicit(&f->wanted->bits, memory_order_relaxed);

    (void)loop;
    (void)revents;
    for (size_t i = 0; i < LIVE_MAX_JWKS; i++)
        if ((bits & UINT64_C(1) << i) != 0 && f->feeds[i].url != NULL)
            jwks_schedule_want(&f->feeds[i].schedule);
    look(f);
}

/* Which sets */

static void drop(struct feed *feed)
{
    fetcher_cancel(feed->feeder->fetcher, &feed->flight);
    jwks_unref(&feed->set);
    free(feed->url);
    *feed = (struct feed){.url = NULL};
}

static struct feed *find(struct jwks_feeder *f, struct slice url)
{
    for (size_t i = 0; i < LIVE_MAX_JWKS; i++)
        if (f->feeds[i].url != NULL && slice_is(url, f->feeds[i].url))
            return &f->feeds[i];
    return NULL;
}

static bool is_named(const struct gw_model *model, const char *url)
{
    for (size_t i = 0; i < model->n_issuers; i++)
        if (slice_is(model->issuers[i].jwks_url, url))
            return true;
    return false;
}

static int add(struct jwks_feeder *f, struct slice url)
{
    struct feed *feed;
    size_t i = 0;

    while (i < LIVE_MAX_JWKS && f->feeds[i].url != NULL)
        i++;
    CC_ASSERT(i < LIVE_MAX_JWKS); /* rules have no more; others were dropped */
    feed = &f->feeds[i];
    feed->feeder = f; /* all else was cleared when the place became free */
    feed->url = strndup(url.p, url.n);
    if (feed->url == NULL)
        return CC_ENOMEM;
    if (f->options.state_directory != NULL)
        restore(feed);
    return CC_OK;
}

int jwks_feeder_follow(struct jwks_feeder *f, const struct gw_model *model)
{
    int rc = CC_OK;

    for (size_t i = 0; i < LIVE_MAX_JWKS; i++)
        if (f->feeds[i].url != NULL && !is_named(model, f->feeds[i].url))
            drop(&f->feeds[i]);
    for (size_t i = 0; rc == CC_OK && i < model->n_issuers; i++)
        if (model->issuers[i].jwks_url.n > 0 && find(f, model->issuers[i].jwks_url) == NULL)
            rc = add(f, model->issuers[i].jwks_url);
    publish(f);
    look(f);
    return rc;
}

int jwks_feeder_new(struct jwks_feeder **out, struct ev_loop *loop,
                    const struct jwks_feeder_options *options, struct jwks_wanted *wanted,
                    void (*publish_)(void *context, struct enforce_live *live), void *context)
{
    struct jwks_feeder *f = calloc(1, sizeof *f);
    int rc;

    if (f == NULL)
        return CC_ENOMEM;
    f->loop = loop;
    f->options = *options;
    f->wanted = wanted;
    f->publish = publish_;
    f->context = context;
    hash_key_random(&f->chance);
    f->wake.data = f->timer.data = f;
    ev_init(&f->timer, on_timer);
    ev_async_init(&f->wake, on_wake);
    if (options->state_directory != NULL) /* when that fails, saving says why */
        file_mkdirs(options->state_directory, 0700);
    rc = fetcher_new(&f->fetcher, loop);
    if (rc != CC_OK) {
        free(f);
        return rc;
    }
    ev_async_start(loop, &f->wake);
    wanted->loop = loop;
    wanted->wake = &f->wake;
    *out = f;
    return CC_OK;
}

void jwks_feeder_free(struct jwks_feeder **pf)
{
    struct jwks_feeder *f = *pf;

    *pf = NULL;
    if (f == NULL)
        return;
    for (size_t i = 0; i < LIVE_MAX_JWKS; i++)
        if (f->feeds[i].url != NULL)
            drop(&f->feeds[i]);
    fetcher_free(&f->fetcher);
    ev_timer_stop(f->loop, &f->timer);
    ev_async_stop(f->loop, &f->wake);
    free(f);
}

void jwks_feeder_report(const struct jwks_feeder *f, struct buf *out)
{
    size_t n = 0, usable = 0, stale = 0;

    for (size_t i = 0; i < LIVE_MAX_JWKS; i++) {
        n += f->feeds[i].url != NULL;
        usable += f->feeds[i].set != NULL;
        stale += f->feeds[i].set != NULL && f->feeds[i].failing;
    }
    buf_printf(out, " jwks_sets=%zu jwks_usable=%zu jwks_stale=%zu", n, usable, stale);
#define X(name, help) buf_printf(out, " jwks_" #name "=%llu", (unsigned long long)f->name);
    JWKS_COUNTERS(X)
#undef X
}
