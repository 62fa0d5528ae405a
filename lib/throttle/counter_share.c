#include "throttle/counter_share_internal.h"

#include "crypto/key.h"

#include <stdlib.h>
#include <sys/mman.h>

int counter_share_start(struct counter_table *t, const struct counter_share_options *options)
{
    struct counter_sharing *s;

    if (options->gateways < 1 || options->gateways > COUNTER_MAX_GATEWAYS ||
        options->lease_percent < 1 || options->lease_percent > 100 || options->lease_least < 1)
        return CC_EINVAL;
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        return CC_ENOMEM;
    s->options = *options;
    s->bytes = t->n_shards * ENTRIES * sizeof(struct counter_remote);
    s->remotes = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->remotes == MAP_FAILED) {
        free(s);
        return CC_ENOMEM;
    }
    t->sharing = s;
    return CC_OK;
}

void sharing_free(struct counter_sharing **sharing)
{
    struct counter_sharing *s = *sharing;

    if (s == NULL)
        return;
    munmap(s->remotes, s->bytes);
    free(s);
    *sharing = NULL;
}

uint64_t counter_share_lease(const struct counter_share_options *o, enum counter_unit unit,
                             uint64_t max)
{
    uint64_t lease = max / 100 * o->lease_percent + max % 100 * o->lease_percent / 100;

    if (unit == COUNTER_REQUESTS && lease < o->lease_least)
        lease = o->lease_least;
    return lease < max ? lease : max;
}

uint64_t counter_share_overshoot(const struct counter_share_options *o, enum counter_unit unit,
                                 uint64_t max)
{
    return o->strict ? 0 : (o->gateways - 1) * counter_share_lease(o, unit, max);
}

void counter_share_node(const struct counter_table *t, char name[17])
{
    snprintf(name, 17, "%016llx",
             (unsigned long long)hash_slice(&t->secret, SLICE("the name of this gateway")));
}

void counter_share_link(struct counter_table *t, bool up)
{
    /* Only a hint of what the next decisions do: nothing is ordered by it. */
    atomic_store_explicit(&t->sharing->up, up, memory_order_relaxed);
}

/* The counting side. The shard's lock is held. */

bool counter_share_name(struct slice key, uint8_t name[COUNTER_NAME_BYTES])
{
    char hex[65];

    if (crypto_sha256_hex(key, hex) != CC_OK)
        return false;
    for (size_t i = 0; i < COUNTER_NAME_BYTES; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        name[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return true;
}

void remote_settle(struct counter_remote *r, struct slice key)
{
    r->named = counter_share_name(key, r->name);
    remote_new_window(r);
}

void remote_new_window(struct counter_remote *r)
{
    r->window = r->others = r->told = r->untold = 0;
    r->turn++;
}

void remote_next_window(struct counter_remote *r, bool sliding)
{
    uint64_t cleared = sliding ? r->window : 0;

    remote_new_window(r);
    r->window = cleared;
}

bool remote_has_part(const struct counter_sharing *s, const struct counter_rule *rule,
                     uint64_t used, uint64_t need)
{
    uint64_t part = (rule->max + s->options.gateways - 1) / s->options.gateways;

    return used <= part && need <= part - used;
}

static bool fits(const struct counter_rule *rule, uint64_t others, uint64_t used, uint64_t need)
{
    return others <= rule->max && used <= rule->max - others && need <= rule->max - others - used;
}

/* Nobody can be asked. What others had used of a fixed window stays used; a sliding one gives it
 * back, nobody here knows when. */
static enum remote_verdict judge_alone(const struct counter_sharing *s,
                                       const struct counter_rule *rule, uint64_t others,
                                       uint64_t used, uint64_t need)
{
    enum counter_away away = remote_away(s, rule);

    if (away == COUNTER_AWAY_ALLOW)
        return REMOTE_ALLOWS;
    if (away == COUNTER_AWAY_DENY || !remote_has_part(s, rule, used, need))
        return REMOTE_AWAY;
    return rule->window == COUNTER_SLIDING || fits(rule, others, used, need) ? REMOTE_AGREES
                                                                             : REMOTE_USED_UP;
}

enum remote_verdict remote_judge(const struct counter_sharing *s, const struct counter_rule *rule,
                                 const struct counter_remote *r, uint64_t used, uint64_t need,
                                 int64_t mono_us)
{
    uint64_t others = r != NULL ? r->others : 0, told = r != NULL ? r->told : 0;

    if (s->options.strict || !atomic_load_explicit(&s->up, memory_order_relaxed))
        return judge_alone(s, rule, others, used, need);
    if (!fits(rule, others, used, need))
        return REMOTE_USED_UP;
    if (used + need > told + counter_share_lease(&s->options, rule->unit, rule->max))
        return REMOTE_NO_LEASE;
    if (remote_away(s, rule) == COUNTER_AWAY_LOCAL &&
        mono_us < atomic_load_explicit(&s->hold_us, memory_order_relaxed) &&
        !remote_has_part(s, rule, used, need))
        return REMOTE_NO_LEASE;
    return REMOTE_AGREES;
}

int64_t remote_lease_us(const struct counter_sharing *s, const struct counter_rule *rule,
                        uint64_t cost)
{
    uint64_t lease = counter_share_lease(&s->options, rule->unit, rule->max);

    return cost > lease ? -1 : s->options.round_us;
}

bool remote_hurries(const struct counter_sharing *s, const struct counter_entry *e,
                    const struct counter_remote *r, enum counter_unit unit)
{
    uint64_t lease = counter_share_lease(&s->options, unit, e->max);

    return e->used > r->told && (e->used - r->told) * 2 >= lease;
}

/* Keys that wait to be told: a list through the places of a shard. */

void remote_mark(struct counter_shard *s, struct counter_remote *remotes, uint32_t entry)
{
    struct counter_remote *r = &remotes[entry];

    if (r->marked)
        return;
    r->marked = true;
    r->next = s->first_marked; /* 1 + the place; 0: the end */
    s->first_marked = entry + 1;
}

/* The side that tells. */

static bool make_report(struct counter_table *t, struct counter_shard *s, uint32_t entry,
                        struct counter_time now, struct counter_report *out)
{
    struct counter_entry *e = &s->entries[entry];
    struct counter_remote *r = &remotes_of(t, s)[entry];

    if (s->tags[entry / WAYS][entry % WAYS] == 0 || !r->named)
        return false;
    window_expire(e, marks_of(s, e), inner_us(now));
    if (e->end_us == 0)
        return false;
    if (t->sharing->options.strict && shape_is_sliding(e->shape) && r->untold == 0)
        return false;
    *out = (struct counter_report){
        .sliding = shape_is_sliding(e->shape),
        .window = r->window,
        .count = e->used,
        .shard = (size_t)(s - t->shards),
        .entry = entry,
        .turn = r->turn,
    };
    memcpy(out->name, r->name, sizeof(out->name));
    out->length_ms = (uint64_t)shape_length_us(e->shape, now.wall_s) / 1000;
    out->left_ms =
        out->sliding ? out->length_ms : (uint64_t)(e->end_us - inner_us(now) + 999) / 1000;
    if (t->sharing->options.strict && out->sliding)
        out->count = r->untold;
    return true;
}

size_t counter_share_collect(struct counter_table *t, struct counter_time now,
                             struct counter_report *reports, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < t->n_shards && found < n; i++) {
        struct counter_shard *s = &t->shards[i];

        shard_lock(s);
        while (s->first_marked != 0 && found < n) {
            uint32_t entry = s->first_marked - 1;
            struct counter_remote *r = &remotes_of(t, s)[entry];

            s->first_marked = r->next;
            r->marked = false;
            found += make_report(t, s, entry, now, &reports[found]);
        }
        shard_unlock(s);
    }
    return found;
}

/* With the lock held. */
static void tell_again(struct counter_table *t, struct counter_shard *s, uint32_t entry, bool lost)
{
    struct counter_remote *r = &remotes_of(t, s)[entry];

    if (lost && t->sharing->options.strict)
        r->untold = s->entries[entry].used;
    remote_mark(s, remotes_of(t, s), entry);
}

void counter_share_again(struct counter_table *t, struct counter_time now, int64_t hold_us,
                         bool lost)
{
    int64_t until_us = now.mono_us + hold_us;

    atomic_store_explicit(&t->sharing->hold_us, until_us, memory_order_relaxed);
    if (lost)
        atomic_store_explicit(&t->sharing->lost_us, until_us, memory_order_relaxed);
    for (size_t i = 0; i < t->n_shards; i++) {
        struct counter_shard *s = &t->shards[i];

        shard_lock(s);
        for (uint32_t k = 0; s->keys > 0 && k < PLACES; k++)
            if (s->tags[k / WAYS][k % WAYS] != 0 && remotes_of(t, s)[k].named &&
                inner_us(now) < s->entries[k].end_us)
                tell_again(t, s, k, lost);
        shard_unlock(s);
    }
}

static void shorten(_Atomic int64_t *until_us, int64_t to_us)
{
    if (to_us < atomic_load_explicit(until_us, memory_order_relaxed))
        atomic_store_explicit(until_us, to_us, memory_order_relaxed);
}

void counter_share_all_here(struct counter_table *t, struct counter_time now, int64_t settle_us)
{
    shorten(&t->sharing->hold_us, now.mono_us + settle_us);
    shorten(&t->sharing->lost_us, now.mono_us + settle_us);
}

bool counter_share_holds(const struct counter_table *t, struct counter_time now)
{
    return now.mono_us < atomic_load_explicit(&t->sharing->hold_us, memory_order_relaxed);
}

/* Within a fixed window nobody's count becomes less: if it seems so, the other side has lost it. In
 * a sliding one it may, but not while everybody tells everything again. */
static void hear_others(struct counter_table *t, struct counter_remote *r,
                        const struct counter_report *report, uint64_t total,
                        struct counter_time now)
{
    int64_t hold_us = atomic_load_explicit(&t->sharing->hold_us, memory_order_relaxed);
    uint64_t others = total > report->count ? total - report->count : 0;

    r->told = report->count;
    if (r->others < others || (report->sliding && now.mono_us >= hold_us))
        r->others = others;
}

/* What was reported belongs to a window that is over: what is left was admitted since. */
static void leave_window(struct counter_entry *e, struct counter_remote *r, uint64_t reported)
{
    e->used = e->used > reported ? e->used - reported : 0;
    e->takes = e->used > 0 ? e->takes : 0;
    remote_new_window(r);
}

static void apply_fixed(struct counter_table *t, struct counter_entry *e, struct counter_remote *r,
                        const struct counter_report *report, const struct counter_answer *answer,
                        struct counter_time now)
{
    int64_t end_us = inner_us(now) + (int64_t)answer->left_ms * 1000;

    switch (answer->kind) {
    case COUNTER_ANSWER_TOLD:
        if (r->window != answer->window)
            e->end_us = end_us;
        hear_others(t, r, report, answer->total, now);
        break;
    case COUNTER_ANSWER_OTHER:
        if (answer->window > report->window)
            leave_window(e, r, report->count);
        r->told = 0;
        r->others = answer->total;
        e->end_us = end_us;
        break;
    case COUNTER_ANSWER_OVER:
        leave_window(e, r, report->count);
        if (e->used == 0)
            e->end_us = 0;
        return;
    }
    r->window = answer->window;
}

/* It was cleared there. */
static void forget_sliding(struct counter_entry *e, struct counter_remote *r,
                           const struct counter_answer *answer)
{
    window_close(e);
    remote_new_window(r);
    r->window = answer->window;
}

uint64_t counter_share_window(struct counter_table *t, struct slice key, struct counter_time now)
{
    struct counter_shard *s;
    struct counter_entry *e;
    uint64_t hash[2], window = 0;

    key_hash(t, key, hash);
    s = shard_of(t, hash);
    shard_lock(s);
    e = shard_find(s, hash);
    if (e != NULL && inner_us(now) < e->end_us && !shape_is_sliding(e->shape))
        window = remotes_of(t, s)[e - s->entries].window;
    shard_unlock(s);
    return window;
}

void counter_share_answer(struct counter_table *t, const struct counter_report *report,
                          const struct counter_answer *answer, struct counter_time now)
{
    struct counter_shard *s = &t->shards[report->shard];
    struct counter_entry *e = &s->entries[report->entry];
    struct counter_remote *r = &remotes_of(t, s)[report->entry];

    if (answer->total > COUNTER_MAX_QUOTA * COUNTER_MAX_GATEWAYS ||
        answer->left_ms > COUNTER_MAX_WINDOW_MS * 2) {
        counter_share_failed(t, report);
        return;
    }
    shard_lock(s);
    window_expire(e, marks_of(s, e), inner_us(now));
    if (r->turn == report->turn && e->end_us != 0) {
        if (report->sliding && t->sharing->options.strict)
            r->untold -= report->count < r->untold ? report->count : r->untold;
        else if (report->sliding && answer->kind != COUNTER_ANSWER_TOLD)
            forget_sliding(e, r, answer);
        else if (report->sliding)
            hear_others(t, r, report, answer->total, now);
        else
            apply_fixed(t, e, r, report, answer, now);
        if (answer->kind != COUNTER_ANSWER_TOLD)
            remote_mark(s, remotes_of(t, s), report->entry);
    }
    shard_unlock(s);
}

void counter_share_failed(struct counter_table *t, const struct counter_report *report)
{
    struct counter_shard *s = &t->shards[report->shard];

    shard_lock(s);
    if (s->tags[report->entry / WAYS][report->entry % WAYS] != 0)
        remote_mark(s, remotes_of(t, s), report->entry);
    shard_unlock(s);
}
