#include "throttle/counter_strict.h"

#include "throttle/counter_request.h"

bool counter_is_strict(const struct counter_table *t)
{
    return t->sharing != NULL && t->sharing->options.strict;
}

/* Asking */

/* Until others have told again what they have used, LOCAL keeps to its part. When what they had
 * told is lost, the place knows too little for DENY. ALLOW does not mind. */
static bool may_ask(const struct counter_sharing *s, const struct counter_rule *rule, uint64_t used,
                    uint64_t cost, struct counter_time now)
{
    switch (remote_away(s, rule)) {
    case COUNTER_AWAY_ALLOW:
        return true;
    case COUNTER_AWAY_DENY:
        return now.mono_us >= atomic_load_explicit(&s->lost_us, memory_order_relaxed);
    default:
        return now.mono_us >= atomic_load_explicit(&s->hold_us, memory_order_relaxed) ||
               remote_has_part(s, rule, used, cost > 0 ? cost : 1);
    }
}

static struct counter_ask ask_of(const struct counter_rule *rule, uint64_t cost,
                                 struct counter_time now)
{
    return (struct counter_ask){
        .max = rule->max,
        .cost = cost,
        .length_ms = (uint64_t)shape_length_us(shape_of(rule), now.wall_s) / 1000,
        .burst_max = rule->burst_max,
        .burst_ms = rule->burst_ms,
        .sliding = rule->window == COUNTER_SLIDING,
        .enforced = rule->mode == COUNTER_ENFORCE,
    };
}

/* Of a fixed window that is open here. */
static void add_window(struct counter_ask *ask, const struct counter_entry *e,
                       const struct counter_remote *r, int64_t now_us)
{
    if (e->end_us == 0 || ask->sliding)
        return;
    ask->window = r->window;
    ask->count = e->used;
    ask->left_ms = (uint64_t)(e->end_us - now_us + 999) / 1000;
}

static bool fill_ask(const struct request *q, const struct item *item, struct counter_ask *ask)
{
    const struct counter_remote *r = item->entry != NULL ? request_remote(q, item) : NULL;

    *ask = ask_of(item->limit->rule, item->cost, q->now);
    if (r != NULL)
        add_window(ask, item->entry, r, q->now_us);
    if (r == NULL || !r->named)
        return counter_share_name(item->limit->key, ask->name);
    memcpy(ask->name, r->name, sizeof(ask->name));
    return true;
}

/* Of all that does not change from one look to the next. */
static void name_question(const struct counter_table *t, struct counter_question *q)
{
    struct counter_ask asks[COUNTER_MAX_LIMITS];

    memcpy(asks, q->asks, q->n * sizeof(*asks));
    for (size_t i = 0; i < q->n; i++)
        asks[i].window = asks[i].count = asks[i].left_ms = asks[i].length_ms = 0;
    hash_slice128(&t->secret, slice_make(asks, q->n * sizeof(*asks)), q->id);
}

bool counter_strict_ask(struct counter_table *t, const struct counter_limit *limits, size_t n,
                        uint64_t bytes, struct counter_time now, struct counter_question *out)
{
    bool good = atomic_load_explicit(&t->sharing->up, memory_order_relaxed);
    struct request q;

    request_init(&q, t, limits, n, bytes, now);
    out->n = n;
    request_lock(&q);
    request_find(&q);
    for (size_t i = 0; i < n; i++) {
        good = fill_ask(&q, &q.items[i], &out->asks[i]) && good;
        good = good &&
               may_ask(t->sharing, limits[i].rule,
                       q.items[i].entry != NULL ? q.items[i].entry->used : 0, q.items[i].cost, now);
    }
    request_unlock(&q);
    name_question(t, out);
    return good;
}

enum counter_asking counter_strict_look(struct counter_table *t, struct slice key,
                                        const struct counter_rule *rule, uint64_t bytes,
                                        struct counter_time now, struct counter_question *out)
{
    struct counter_ask *ask = &out->asks[0];
    struct counter_entry *e;
    struct counter_shard *s;
    struct counter_rule last;
    uint64_t hash[2], cost = 1;
    bool may = false;

    out->n = 1;
    hash_slice128(&t->secret, key, hash);
    s = shard_of(t, hash);
    shard_lock(s);
    e = shard_find(s, hash);
    if (e != NULL && !entry_is_open(e, inner_us(now)))
        e = NULL;
    if (rule == NULL && e != NULL) {
        last = entry_rule(e, (enum counter_away)remotes_of(t, s)[e - s->entries].away);
        rule = &last;
    }
    if (rule != NULL) {
        cost = rule->unit == COUNTER_BYTES ? bytes : 1;
        *ask = ask_of(rule, cost, now);
        may = may_ask(t->sharing, rule, e != NULL ? e->used : 0, cost, now);
    }
    if (rule != NULL && e != NULL && shape_is_sliding(e->shape) == (bool)ask->sliding) {
        window_expire(e, marks_of(s, e), inner_us(now));
        add_window(ask, e, &remotes_of(t, s)[e - s->entries], inner_us(now));
    }
    shard_unlock(s);
    if (rule == NULL)
        return COUNTER_ASKS_UNKNOWN;
    if (!atomic_load_explicit(&t->sharing->up, memory_order_relaxed) ||
        !counter_share_name(key, ask->name))
        return COUNTER_ASKS_NOT;
    return may ? COUNTER_ASKS : COUNTER_ASKS_LATER;
}

/* What comes of it */

/* The fixed window that the verdict is about. False: a later one has been heard of since. */
static bool enter_window(struct counter_entry *e, struct counter_remote *r,
                         const struct counter_verdict *v, int64_t now_us)
{
    uint64_t others = v->total > v->own ? v->total - v->own : 0;

    if (v->window < r->window)
        return false;
    if (r->window != 0 && v->window != r->window) {
        e->used = 0;
        e->takes = 0;
        remote_new_window(r);
    }
    if (e->end_us == 0) {
        remote_new_window(r);
        e->at_us = now_us;
    }
    r->window = v->window;
    e->end_us = now_us + (int64_t)v->left_ms * 1000;
    r->others = others > r->others ? others : r->others; /* answers may overtake one another */
    return true;
}

static void use(struct request *q, struct item *item, const struct counter_verdict *v)
{
    const struct counter_rule *rule = item->limit->rule;
    struct counter_entry *e = item->entry;
    int64_t end_us = e->end_us;

    window_use(e, marks_of(item->shard, e), rule, item->cost, q->now);
    if (end_us != 0 && rule->window == COUNTER_FIXED)
        e->end_us = end_us;
    if (rule->window == COUNTER_SLIDING)
        request_remote(q, item)->others = v->total > e->used ? v->total - e->used : 0;
}

/* A sliding window here may be fuller than the place's, which marks it otherwise. */
static void note(struct request *q, struct item *item, const struct counter_verdict *v,
                 bool admitted)
{
    const struct counter_rule *rule = item->limit->rule;
    bool uses = admitted && v->fit == COUNTER_FITS;
    struct counter_entry *e = item->entry;

    if (e == NULL && uses) {
        e = item->entry = shard_room(item->shard, item->hash, q->now_us, q->entries, q->n);
        if (e != NULL)
            request_settle(q, item);
    }
    if (e == NULL)
        return;
    q->entries[item - q->items] = e;
    e->over += v->fit != COUNTER_FITS;
    if (e->asked_us < q->now_us)
        e->asked_us = q->now_us;
    request_remote(q, item)->away = (uint8_t)remote_away(q->sharing, rule);
    if (rule->window == COUNTER_FIXED && rule->max != COUNTER_MAX_QUOTA &&
        (v->window == 0 || !enter_window(e, request_remote(q, item), v, q->now_us)))
        return;
    if (uses && item->cost <= e->max - (e->used < e->max ? e->used : e->max))
        use(q, item, v);
}

static void tell(uint64_t max, uint64_t cost, const struct counter_verdict *v,
                 struct counter_state *out)
{
    *out = (struct counter_state){
        .max = max,
        .used = v->total,
        .remaining = v->total < max ? max - v->total : 0,
        .reset_us = v->total > 0 ? (int64_t)v->left_ms * 1000 : 0,
        .retry_us = cost > max || max == 0 ? -1 : (int64_t)v->retry_ms * 1000,
        .burst = v->fit == COUNTER_BURST,
        .known = true,
    };
}

static int tightest(const struct request *q, const struct counter_verdict *verdicts)
{
    uint64_t least = UINT64_MAX;
    int best = -1;

    for (size_t i = 0; i < q->n; i++) {
        const struct counter_rule *rule = q->items[i].limit->rule;
        uint64_t cost = q->items[i].cost > 0 ? q->items[i].cost : 1, total = verdicts[i].total;
        uint64_t left = total < rule->max ? (rule->max - total) / cost : 0;

        if (rule->mode != COUNTER_ENFORCE ||
            (best >= 0 &&
             (left > least || (left == least && verdicts[i].left_ms <= verdicts[best].left_ms))))
            continue;
        best = (int)i;
        least = left;
    }
    return best;
}

void counter_strict_told(struct counter_table *t, const struct counter_limit *limits, size_t n,
                         uint64_t bytes, struct counter_time now,
                         const struct counter_verdict *verdicts, struct counter_result *out)
{
    struct request q;

    *out = (struct counter_result){.refused = -1, .tightest = -1};
    request_init(&q, t, limits, n, bytes, now);
    for (size_t i = 0; i < n; i++) {
        if (verdicts[i].fit == COUNTER_FITS)
            continue;
        out->over |= UINT32_C(1) << i;
        if (out->refused < 0 && limits[i].rule->mode == COUNTER_ENFORCE)
            out->refused = (int)i;
    }
    request_lock(&q);
    request_find(&q);
    for (size_t i = 0; i < n; i++) {
        note(&q, &q.items[i], &verdicts[i], out->refused < 0);
        q.items[i].shard->passed += out->refused < 0 && verdicts[i].fit != COUNTER_FITS;
    }
    if (out->refused < 0)
        q.items[0].shard->admitted++;
    else
        q.items[0].shard->refused++;
    request_unlock(&q);
    out->tightest = out->refused < 0 ? tightest(&q, verdicts) : out->refused;
    if (out->tightest >= 0)
        tell(limits[out->tightest].rule->max, q.items[out->tightest].cost, &verdicts[out->tightest],
             &out->state);
}

/* Of a sliding window the place does not know who used it. */
void counter_strict_seen(const struct counter_ask *ask, const struct counter_verdict *verdict,
                         struct counter_look *look)
{
    uint64_t own = ask->sliding ? look->row.used : verdict->own;
    bool known = look->state.known;

    look->row.others = verdict->total > own ? verdict->total - own : 0;
    look->row.max = ask->max;
    look->row.sliding = ask->sliding;
    tell(ask->max, ask->cost, verdict, &look->state);
    look->state.known = known;
    look->fits = verdict->fit == COUNTER_FITS;
    look->told = true;
}
