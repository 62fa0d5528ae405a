#include "spoa/revoker.h"

#include "revoke/revoke_read.h"
#include "spoa/revoker_internal.h"

#include <stdlib.h>

enum {
    SWEEP_PART = 64, /* all entries are looked at within about so many seconds */
    SWEEP_LEAST = 4096
};

#define FINDINGS_MAX ((size_t)1 << 30)

static const ev_tstamp SETTLED_S = 1., SWEEP_S = 1., RETRY_S = 10., LOOK_S = 1., SAVE_S = 0.02;

struct revoker_options revoker_settings(const struct config *config)
{
    const struct slice file = config->security.revocation.file;
    const struct slice state = config->agent.state_directory;

    return (struct revoker_options){
        .file = file.n > 0 ? file.p : NULL,
        .state_directory = state.n > 0 ? state.p : NULL,
        .redis = config->agent.redis.address.n > 0,
        .prefix = config->agent.redis.prefix,
        .without_redis = config->security.revocation.without_redis,
        .clock = &clock_system,
    };
}

/* The state file */

static void log_unusable(const char *directory, int rc, const struct revoke_journal_report *report)
{
    if (rc == CC_EPARSE)
        log_error("revocations: line %zu of %s/revoked.journal is damaged, and with it a "
                  "revocation may be missing; put the file right, or remove the line (or the file) "
                  "to go on without",
                  report->broken, directory);
    else if (rc == CC_EREFUSED)
        log_error("revocations: %s/revoked.journal could have been written by others: file and "
                  "directory must belong to this user or root, and nobody else may write them",
                  directory);
    else
        log_error("revocations: %s/revoked.journal cannot be read: %s", directory, cc_strerror(rc));
}

static int restore(struct revoker *r)
{
    const char *directory = r->options.state_directory;
    struct revoke_journal_report report;
    int rc = revoke_journal_open(&r->journal, directory, r->table, clock_wall_s(r->options.clock),
                                 &report);

    if (rc != CC_OK) {
        log_unusable(directory, rc, &report);
        return rc;
    }
    r->saved = report.shared;
    if (report.torn > 0)
        log_warn("revocations: the last %zu bytes of %s/revoked.journal were not written whole, "
                 "and are cut off",
                 report.torn, directory);
    return CC_OK;
}

int revoker_save(struct revoker *r)
{
    int rc = r->journal != NULL ? revoke_journal_commit(r->journal, r->table) : CC_OK;

    if (rc == CC_OK) {
        if (r->behind)
            log_info("revocations: all are saved again");
        r->behind = false;
        return CC_OK;
    }
    r->unsaved++;
    if (!r->behind)
        log_warn("revocations cannot be saved in %s: %s; they hold, but a restart would forget "
                 "those since now; trying again",
                 r->options.state_directory, cc_strerror(rc));
    r->behind = true;
    return rc;
}

void revoker_save_soon(struct revoker *r)
{
    if (!ev_is_active(&r->save))
        ev_timer_start(r->loop, &r->save);
}

static void on_save(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    revoker_save(timer->data);
}

/* What comes in */

enum revoked_result revoker_add(struct revoker *r, struct slice id, int64_t until_s)
{
    enum revoked_result result =
        revoked_add(r->table, id, until_s, REVOKED_BY_STATE, clock_wall_s(r->options.clock));

    if (r->journal != NULL && result != REVOKED_SAME && result != REVOKED_EXPIRED)
        revoke_journal_add(r->journal, id, until_s);
    revoker_look_for_overflow(r);
    return result;
}

int revoker_remove(struct revoker *r, struct slice id)
{
    int rc = revoked_remove(r->table, id, REVOKED_BY_STATE);

    if (rc == CC_OK && r->journal != NULL)
        revoke_journal_remove(r->journal, id);
    return rc;
}

/* Once, when it begins. */
void revoker_look_for_overflow(struct revoker *r)
{
    struct revoked_stats stats;
    bool before = r->overflow;

    revoked_stats(r->table, &stats);
    r->overflow = stats.overflow > 0;
    if (r->overflow && !before)
        log_warn("revocations: there are more than %zu; the others hold too, but now and then a "
                 "token is refused that is not revoked: set "
                 "enforcer.security.revocation.maximumEntries higher",
                 stats.max);
}

/* The file. A first look takes what is new, before somebody has written it to its end; the last
 * look takes away what is gone, and says what is wrong. */
static void read_file(struct revoker *r, bool last)
{
    struct arena *arena = arena_new(FINDINGS_MAX);
    struct diag *diag = diag_new();
    struct revoked_stats stats;
    size_t gone = 0;
    int rc = CC_ENOMEM;

    if (arena != NULL && diag != NULL)
        rc = revoke_read(r->options.file, r->table, clock_wall_s(r->options.clock), arena, diag);
    if (rc == CC_OK && last)
        gone = revoked_end(r->table, REVOKED_BY_FILE);
    if (last) {
        revoked_stats(r->table, &stats);
        diag_log(diag);
        r->reads++;
        r->bad_reads += rc != CC_OK;
        if (rc == CC_OK)
            log_info("revocations: %s was read: %zu are no longer in it, %zu in all",
                     r->options.file, gone, stats.entries);
        else
            log_error(
                "revocations: something is wrong with %s (%s): what is good of it counts, and "
                "so does all that was in it before",
                r->options.file, cc_strerror(rc));
    }
    revoker_look_for_overflow(r);
    diag_free(&diag);
    arena_free(&arena);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void on_stat(struct ev_loop *loop, ev_stat *stat_, int revents)
{
    struct revoker *r = stat_->data;
    const ev_statdata *now = &stat_->attr, *seen = &r->seen;

    (void)revents;
    if (now->st_dev == seen->st_dev && now->st_ino == seen->st_ino &&
        now->st_size == seen->st_size && same_time(now->st_mtim, seen->st_mtim) &&
        same_time(now->st_ctim, seen->st_ctim))
        return; /* somebody, maybe we, has read it */
    r->seen = *now;
    read_file(r, false);
    ev_timer_again(loop, &r->settled);
}

static void on_settled(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)revents;
    ev_timer_stop(loop, timer);
    read_file(timer->data, true);
}

void revoker_reload(struct revoker *r)
{
    if (r->options.file == NULL || r->loop == NULL)
        return;
    read_file(r, false);
    ev_timer_again(r->loop, &r->settled);
}

/* Time */

static void on_sweep(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct revoker *r = timer->data;

    (void)loop;
    (void)revents;
    revoked_expire(r->table, clock_wall_s(r->options.clock),
                   revoked_places(r->table) / SWEEP_PART + SWEEP_LEAST);
    revoker_look_for_overflow(r);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct revoker *r = timer->data;

    (void)loop;
    (void)revents;
    if (r->behind)
        revoker_save(r);
}

bool revoker_is_ready(const struct revoker *r)
{
    return revoked_is_ready(r->table);
}

/* Start and end */

int revoker_new(struct revoker **out, struct revoked *table, const struct revoker_options *options)
{
    struct revoker *r = calloc(1, sizeof(*r));
    struct revoked_stats stats;
    int rc = CC_ENOMEM;

    if (r == NULL)
        goto out;
    r->table = table;
    r->options = *options;
    r->stat.data = r->settled.data = r->sweep.data = r->retry.data = r->save.data = r;
    rc = options->state_directory != NULL ? restore(r) : CC_OK;
    if (rc != CC_OK)
        goto out;
    revoker_save(r); /* says now that it cannot, not when it matters */
    revoker_look_for_overflow(r);
    revoked_stats(table, &stats);
    if (stats.entries > 0)
        log_info("revocations: %zu tokens", stats.entries);
    revoked_set_ready(table, !options->redis);
    *out = r;
    r = NULL;
out:
    revoker_free(&r);
    return rc;
}

int revoker_start(struct revoker *r, struct ev_loop *loop, struct admin *admin,
                  struct redis_link *link)
{
    r->loop = loop;
    ev_timer_init(&r->save, on_save, SAVE_S, 0.);
    ev_init(&r->settled, on_settled);
    r->settled.repeat = SETTLED_S;
    ev_timer_init(&r->sweep, on_sweep, SWEEP_S, SWEEP_S);
    ev_timer_init(&r->retry, on_retry, RETRY_S, RETRY_S);
    ev_timer_start(loop, &r->sweep);
    ev_timer_start(loop, &r->retry);
    if (r->options.file != NULL) {
        ev_stat_init(&r->stat, on_stat, r->options.file, LOOK_S);
        ev_stat_start(loop, &r->stat);
        /* it may have changed since it was read, before anybody watched */
        r->seen = r->options.seen;
        on_stat(loop, &r->stat, 0);
    }
    if (admin != NULL)
        revoker_register(r, admin);
    return link != NULL ? revoker_redis_new(&r->redis, r, link, r->options.prefix) : CC_OK;
}

void revoker_stop(struct revoker *r)
{
    if (r->loop == NULL)
        return;
    if (r->options.file != NULL)
        ev_stat_stop(r->loop, &r->stat);
    ev_timer_stop(r->loop, &r->settled);
    ev_timer_stop(r->loop, &r->sweep);
    ev_timer_stop(r->loop, &r->retry);
    ev_timer_stop(r->loop, &r->save);
    revoker_redis_free(&r->redis);
    r->loop = NULL;
}

void revoker_free(struct revoker **pr)
{
    struct revoker *r = *pr;

    *pr = NULL;
    if (r == NULL)
        return;
    revoker_save(r);
    revoke_journal_close(&r->journal);
    free(r);
}

void revoker_report(const struct revoker *r, struct buf *out)
{
    struct revoked_stats s;

    revoked_stats(r->table, &s);
    buf_printf(out, " revoked_entries=%zu revoked_max=%zu revoked_overflow=%zu", s.entries, s.max,
               s.overflow);
    buf_printf(out, " revoked_expired=%llu revoked_behind=%d", (unsigned long long)s.expired,
               r->behind);
#define X(name, help) buf_printf(out, " revoked_" #name "=%llu", (unsigned long long)r->name);
    REVOKER_COUNTERS(X)
#undef X
}
