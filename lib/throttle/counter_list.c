#include "throttle/counter_share_internal.h"

/* Of a key that gateways share. */
static void fill_shared(const struct counter_table *t, const struct counter_shard *s,
                        const struct counter_entry *e, struct counter_row *row)
{
    const struct counter_remote *r = &remotes_of(t, s)[e - s->entries];

    row->others = e->end_us != 0 ? r->others : 0;
    row->away = r->named ? (enum counter_away)r->away : COUNTER_AWAY_UNSET;
    row->overshoot = counter_share_overshoot(&t->sharing->options,
                                             e->bytes ? COUNTER_BYTES : COUNTER_REQUESTS, e->max);
}

static void fill_row(const struct counter_table *t, const struct counter_shard *s,
                     const struct counter_entry *e, int64_t now_us, struct counter_row *row)
{
    *row = (struct counter_row){
        .cut = e->cut,
        .sliding = shape_is_sliding(e->shape),
        .bytes = e->bytes,
        .shared = entry_is_shared(s, e),
        .mode = (enum counter_mode)e->mode,
        .max = e->max,
        .used = e->used,
        .over = e->over,
        .burst_max = e->burst_max,
        .burst_used = now_us < e->burst_end_us ? e->burst_used : 0,
        .burst_us = e->burst_end_us > now_us ? e->burst_end_us - now_us : 0,
        .reset_us = e->end_us > now_us ? e->end_us - now_us : 0,
        .idle_us = now_us > e->asked_us ? now_us - e->asked_us : 0,
    };
    memcpy(row->label, e->label, e->label_n);
    if (t->sharing != NULL && !row->shared)
        fill_shared(t, s, e, row);
}

/* Rows are in the order of the part of their quota that is used, then of what was beyond it. */
static double share_of(const struct counter_row *row)
{
    double quota = row->max == 0 ? 1 : (double)row->used / (double)row->max;
    double burst = row->burst_max == 0 ? 0 : (double)row->burst_used / (double)row->burst_max;

    return quota > burst ? quota : burst;
}

static bool row_is_before(const struct counter_row *a, const struct counter_row *b)
{
    double x = share_of(a), y = share_of(b);

    return x > y || (x >= y && a->over > b->over);
}

/* A heap with the last row of the order on top: the one that goes when a better one comes. */
static void sift_down(struct counter_row *rows, size_t n, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        struct counter_row swap;

        if (child >= n)
            return;
        if (child + 1 < n && row_is_before(&rows[child], &rows[child + 1]))
            child++;
        if (!row_is_before(&rows[at], &rows[child]))
            return;
        swap = rows[at];
        rows[at] = rows[child];
        rows[child] = swap;
        at = child;
    }
}

static void sift_up(struct counter_row *rows, size_t at)
{
    while (at > 0 && row_is_before(&rows[(at - 1) / 2], &rows[at])) {
        struct counter_row swap = rows[at];

        rows[at] = rows[(at - 1) / 2];
        rows[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

struct top {
    const struct counter_table *table;
    struct counter_row *rows;
    size_t n, max;
    struct slice part;
    int64_t now_us;
};

static void consider(struct top *top, struct counter_shard *s, struct counter_entry *e)
{
    struct counter_row row;

    window_expire(e, marks_of(s, e), top->now_us);
    if (!entry_is_open(e, top->now_us) ||
        !slice_contains(slice_make(e->label, e->label_n), top->part))
        return;
    fill_row(top->table, s, e, top->now_us, &row);
    if (top->n < top->max) {
        top->rows[top->n++] = row;
        sift_up(top->rows, top->n - 1);
    } else if (row_is_before(&row, &top->rows[0])) {
        top->rows[0] = row;
        sift_down(top->rows, top->n, 0);
    }
}

size_t counter_top(struct counter_table *t, struct slice part, struct counter_time now,
                   struct counter_row *rows, size_t n)
{
    struct top top = {t, rows, 0, n, part, inner_us(now)};

    for (size_t i = 0; i < t->n_shards && n > 0; i++) {
        struct counter_shard *s = &t->shards[i];

        shard_lock(s);
        for (size_t k = 0; s->keys > 0 && k < PLACES; k++)
            if (s->tags[k / WAYS][k % WAYS] != 0)
                consider(&top, s, &s->entries[k]);
        for (size_t k = 0; k < s->n_shared; k++)
            consider(&top, s, &s->entries[PLACES + k]);
        shard_unlock(s);
    }
    for (size_t left = top.n; left > 1;) {
        struct counter_row last = rows[0];

        rows[0] = rows[--left];
        rows[left] = last;
        sift_down(rows, left, 0);
    }
    return top.n;
}

bool counter_find(struct counter_table *t, struct slice key, struct counter_time now,
                  struct counter_row *row)
{
    struct counter_shard *s;
    struct counter_entry *e;
    uint64_t hash[2];
    bool found;

    key_hash(t, key, hash);
    s = shard_of(t, hash);
    shard_lock(s);
    e = shard_find(s, hash);
    found = e != NULL && entry_is_open(e, inner_us(now));
    if (found) {
        window_expire(e, marks_of(s, e), inner_us(now));
        fill_row(t, s, e, inner_us(now), row);
    }
    shard_unlock(s);
    return found;
}

/* Its length as that of a window which opens now; what spike arrest has for a time is not kept. */
struct counter_rule entry_rule(const struct counter_entry *e, enum counter_away away)
{
    return (struct counter_rule){
        .max = e->max,
        .window_ms = (uint64_t)shape_length_us(e->shape, 0) / 1000,
        .burst_max = e->burst_max,
        .unit = e->bytes ? COUNTER_BYTES : COUNTER_REQUESTS,
        .window = shape_is_sliding(e->shape) ? COUNTER_SLIDING : COUNTER_FIXED,
        .mode = (enum counter_mode)e->mode,
        .away = away,
    };
}

/* Do all gateways together leave room? */
static enum remote_verdict judge_remote(const struct counter_table *t,
                                        const struct counter_shard *s,
                                        const struct counter_entry *e,
                                        const struct counter_rule *rule, uint64_t need,
                                        const struct counter_look *look, struct counter_time now)
{
    const struct counter_remote *r;

    if (t->sharing == NULL || look->row.shared)
        return REMOTE_AGREES;
    r = e->end_us != 0 ? &remotes_of(t, s)[e - s->entries] : NULL;
    return remote_judge(t->sharing, rule, r, e->used, need, now.mono_us);
}

/* What the others say, and what it means for a limit that has room as far as is known here. */
static void settle_look(const struct counter_table *t, const struct counter_rule *rule,
                        uint64_t cost, enum remote_verdict remote, struct counter_look *out)
{
    struct counter_state *state = &out->state;

    state->away = remote == REMOTE_AWAY;
    if (remote == REMOTE_NO_LEASE && state->retry_us == 0)
        state->retry_us = remote_lease_us(t->sharing, rule, cost);
    else if (remote != REMOTE_AGREES && remote != REMOTE_ALLOWS && state->retry_us == 0)
        state->retry_us = state->reset_us > 0 ? state->reset_us : NO_ROOM_RETRY_US;
    out->fits = state->retry_us == 0 || remote == REMOTE_ALLOWS;
}

static void look_at(const struct counter_table *t, struct counter_shard *s,
                    const struct counter_entry *e, uint64_t bytes, struct counter_time now,
                    struct counter_look *out)
{
    uint64_t cost = e->bytes ? bytes : 1, need = cost > 0 ? cost : 1;
    struct counter_state *state = &out->state;
    int64_t now_us = inner_us(now), burst_us = e->burst_end_us - now_us;
    struct counter_rule rule;

    fill_row(t, s, e, now_us, &out->row);
    rule = entry_rule(e, out->row.away);
    *state = (struct counter_state){
        .max = e->max,
        .used = e->used + out->row.others,
        .reset_us = out->row.reset_us,
        .retry_us = window_retry_us(e, marks_of(s, e), need, now_us),
        .burst = e->burst_max > 0 && burst_us > 0 && e->burst_used >= e->burst_max,
        .known = true,
    };
    state->remaining = state->used < state->max ? state->max - state->used : 0;
    if (state->burst && state->retry_us >= 0 && burst_us > state->retry_us)
        state->retry_us = burst_us;
    settle_look(t, &rule, cost, judge_remote(t, s, e, &rule, need, out, now), out);
}

/* A key of which nothing is counted here. */
static void look_at_rule(const struct counter_table *t, const struct counter_rule *rule,
                         uint64_t bytes, struct counter_time now, struct counter_look *out)
{
    uint64_t cost = rule->unit == COUNTER_BYTES ? bytes : 1, need = cost > 0 ? cost : 1;
    enum remote_verdict remote = REMOTE_AGREES;

    out->row = (struct counter_row){
        .sliding = rule->window == COUNTER_SLIDING,
        .bytes = rule->unit == COUNTER_BYTES,
        .mode = rule->mode,
        .max = rule->max,
    };
    out->state.max = out->state.remaining = rule->max;
    out->state.retry_us = need > rule->max ? -1 : 0;
    if (t->sharing != NULL) {
        out->row.away = remote_away(t->sharing, rule);
        remote = remote_judge(t->sharing, rule, NULL, 0, need, now.mono_us);
    }
    settle_look(t, rule, cost, remote, out);
}

void counter_look(struct counter_table *t, struct slice key, const struct counter_rule *rule,
                  uint64_t bytes, struct counter_time now, struct counter_look *out)
{
    struct counter_shard *s;
    struct counter_entry *e;
    uint64_t hash[2];

    *out = (struct counter_look){.fits = true, .gateways = t->sharing != NULL};
    out->strict = out->gateways && t->sharing->options.strict;
    key_hash(t, key, hash);
    s = shard_of(t, hash);
    shard_lock(s);
    e = shard_find(s, hash);
    if (e != NULL && entry_is_open(e, inner_us(now))) {
        window_expire(e, marks_of(s, e), inner_us(now));
        look_at(t, s, e, bytes, now, out);
    } else if (rule != NULL) {
        look_at_rule(t, rule, bytes, now, out);
    }
    out->told = out->state.known || rule != NULL;
    for (size_t k = 0; !out->state.known && k < s->n_shared; k++)
        out->state.shared =
            out->state.shared || entry_is_open(&s->entries[PLACES + k], inner_us(now));
    shard_unlock(s);
}

bool counter_clear(struct counter_table *t, struct slice key)
{
    struct counter_shard *s;
    struct counter_entry *e;
    uint64_t hash[2];

    key_hash(t, key, hash);
    s = shard_of(t, hash);
    shard_lock(s);
    e = shard_find(s, hash);
    if (e != NULL)
        shard_remove(s, e);
    shard_unlock(s);
    return e != NULL;
}

void counter_totals(struct counter_table *t, struct counter_totals *out)
{
    *out = (struct counter_totals){0};
    for (size_t i = 0; i < t->n_shards; i++) {
        struct counter_shard *s = &t->shards[i];

        shard_lock(s);
#define X(name, help) out->name += s->name;
        COUNTER_TOTALS(X)
#undef X
        shard_unlock(s);
    }
}
