#include "throttle/counter_request.h"

/* When there is not even a shared entry, nobody knows when there will be. */
static void add_shard(struct request *q, struct counter_shard *s)
{
    size_t at = q->n_shards;

    while (at > 0 && q->shards[at - 1] > s)
        at--;
    if (at > 0 && q->shards[at - 1] == s)
        return;
    memmove(&q->shards[at + 1], &q->shards[at], (q->n_shards - at) * sizeof(q->shards[0]));
    q->shards[at] = s;
    q->n_shards++;
}

void request_init(struct request *q, const struct counter_table *t,
                  const struct counter_limit *limits, size_t n, uint64_t bytes,
                  struct counter_time now)
{
    CC_ASSERT(n <= COUNTER_MAX_LIMITS);
    q->n = n;
    q->n_shards = 0;
    q->sharing = t->sharing;
    q->table = t;
    q->hurry = false;
    q->now = now;
    q->now_us = inner_us(now);
    for (size_t i = 0; i < n; i++) {
        struct item *item = &q->items[i];

        *item = (struct item){.limit = &limits[i]};
        item->cost = limits[i].rule->unit == COUNTER_REQUESTS ? 1
                     : bytes < COUNTER_MAX_QUOTA              ? bytes
                                                              : COUNTER_MAX_QUOTA + 1;
        if (limits[i].known != NULL)
            memcpy(item->hash, limits[i].known->hash, sizeof(item->hash));
        else
            key_hash(t, limits[i].key, item->hash);
        item->shard = shard_of(t, item->hash);
        add_shard(q, item->shard);
    }
}

struct counter_remote *request_remote(const struct request *q, const struct item *item)
{
    return &remotes_of(q->table, item->shard)[item->entry - item->shard->entries];
}

/* In the order of their addresses, everywhere: no two threads can wait for each other. */
void request_lock(struct request *q)
{
    for (size_t i = 0; i < q->n_shards; i++)
        shard_lock(q->shards[i]);
}

void request_unlock(struct request *q)
{
    for (size_t i = q->n_shards; i > 0; i--)
        shard_unlock(q->shards[i - 1]);
}

void request_find(struct request *q)
{
    for (size_t i = 0; i < q->n; i++) {
        struct item *item = &q->items[i];

        item->entry = item->limit->known != NULL ? shard_find_known(item->shard, item->limit->known)
                                                 : shard_find(item->shard, item->hash);
        if (item->entry != NULL)
            window_refresh(item->entry, marks_of(item->shard, item->entry), item->limit->rule,
                           q->now);
        /* a key of the state file has no name yet */
        if (item->entry != NULL && q->sharing != NULL && !request_remote(q, item)->named)
            remote_settle(request_remote(q, item), item->limit->key);
        q->entries[i] = item->entry;
    }
}

/* Chooses where a newcomer will count, and leaves things as they are until all limits admit. */
static void place(struct request *q, size_t i)
{
    struct item *item = &q->items[i];
    const struct counter_rule *rule = item->limit->rule;
    struct counter_shard *s = item->shard;

    item->entry = shard_room(s, item->hash, q->now_us, q->entries, q->n);
    item->newcomer = item->entry != NULL;
    if (item->newcomer) {
        item->start = shard_shared(s, rule, q->now_us);
        if (item->start != NULL)
            window_refresh(item->start, marks_of(s, item->start), rule, q->now);
    } else {
        item->shared = true;
        item->entry = shard_claim(s, rule, q->now_us, q->entries, q->n);
        if (item->entry != NULL)
            window_refresh(item->entry, marks_of(s, item->entry), rule, q->now);
    }
    q->entries[i] = item->entry;
}

/* The entry whose counts hold for the item; NULL: it has used nothing. */
static const struct counter_entry *standing(const struct item *item)
{
    return item->newcomer ? item->start : item->entry;
}

/* What all gateways together have used. A key that has no window open here is not known to be used
 * by others, either. */
static void judge_remote(struct request *q, struct item *item, uint64_t used, uint64_t need)
{
    const struct counter_entry *e = standing(item);
    const struct counter_remote *r = NULL;

    if (q->sharing == NULL || item->shared)
        return;
    if (e != NULL && !item->newcomer && e->end_us != 0)
        r = request_remote(q, item);
    item->others = r != NULL ? r->others : 0;
    item->remote = remote_judge(q->sharing, item->limit->rule, r, used, need, q->now.mono_us);
    item->passes = item->remote == REMOTE_ALLOWS;
    item->over = item->over || (item->remote != REMOTE_AGREES && !item->passes);
}

/* Does one more request fit? Newcomers may share an entry with others of the same request. */
static void judge(struct request *q, size_t i)
{
    struct item *item = &q->items[i];
    const struct counter_rule *rule = item->limit->rule;
    const struct counter_entry *e = standing(item);
    uint64_t used = e != NULL ? e->used : 0, need = item->cost > 0 ? item->cost : 1;
    uint64_t bursts = e != NULL ? e->burst_used : 0;

    for (size_t j = 0; item->shared && j < i; j++) {
        if (q->items[j].entry == item->entry && !q->items[j].over) {
            used += q->items[j].cost;
            bursts++;
        }
    }
    item->burst = rule->burst_max > 0 && bursts >= rule->burst_max;
    item->over = item->burst || used > rule->max || need > rule->max - used ||
                 (item->shared && item->entry == NULL);
    judge_remote(q, item, used, need);
}

/* Index of the first limit that refuses, -1: none does. */
static int judge_all(struct request *q)
{
    int refused = -1;

    for (size_t i = 0; i < q->n; i++) {
        if (q->items[i].entry == NULL && refused < 0)
            place(q, i);
        judge(q, i);
        if (refused < 0 && q->items[i].over && !q->items[i].passes &&
            q->items[i].limit->rule->mode == COUNTER_ENFORCE)
            refused = (int)i;
    }
    return refused;
}

void request_settle(struct request *q, struct item *item)
{
    struct counter_shard *s = item->shard;
    struct counter_entry *e = item->entry;

    shard_settle(s, e, item->hash, item->limit->key, q->now_us);
    if (item->start != NULL) {
        e->used = item->start->used;
        e->max = item->start->max;
        e->at_us = item->start->at_us;
        e->end_us = item->start->end_us;
        e->shape = item->start->shape;
        e->takes = item->start->takes;
        e->head = item->start->head;
        e->full = item->start->full;
        e->burst_end_us = item->start->burst_end_us;
        e->burst_used = item->start->burst_used;
        if (shape_is_sliding(e->shape))
            *marks_of(s, e) = *marks_of(s, item->start);
    }
    window_refresh(e, marks_of(s, e), item->limit->rule, q->now);
    if (q->sharing != NULL)
        remote_settle(request_remote(q, item), item->limit->key);
    item->newcomer = false;
}

static void use_all(struct request *q)
{
    for (size_t i = 0; i < q->n; i++) {
        struct item *item = &q->items[i];

        item->shard->shared += item->shared;
        item->shard->passed += item->over;
        if (item->over)
            continue;
        if (item->newcomer)
            request_settle(q, item);
        if (q->sharing != NULL && !item->shared && item->entry->end_us == 0)
            remote_next_window(request_remote(q, item),
                               item->limit->rule->window == COUNTER_SLIDING);
        window_use(item->entry, marks_of(item->shard, item->entry), item->limit->rule, item->cost,
                   q->now);
        if (q->sharing != NULL && q->sharing->options.strict && !item->shared)
            request_remote(q, item)->untold += item->cost;
    }
    q->items[0].shard->admitted++;
}

/* What is told of every entry that was asked, admitted or not. */
static void note_all(struct request *q)
{
    for (size_t i = 0; i < q->n; i++) {
        struct item *item = &q->items[i];

        if (item->entry == NULL || item->newcomer)
            continue;
        item->entry->over += item->over;
        if (item->entry->asked_us < q->now_us)
            item->entry->asked_us = q->now_us;
        if (q->sharing == NULL || item->shared)
            continue;
        request_remote(q, item)->away = (uint8_t)remote_away(q->sharing, item->limit->rule);
        remote_mark(item->shard, remotes_of(q->table, item->shard),
                    (uint32_t)(item->entry - item->shard->entries));
        q->hurry = q->hurry || remote_hurries(q->sharing, item->entry, request_remote(q, item),
                                              item->limit->rule->unit);
    }
}

static void tell(const struct request *q, const struct item *item, struct counter_state *out)
{
    const struct counter_rule *rule = item->limit->rule;
    const struct counter_entry *e = standing(item);
    uint64_t used = (e != NULL ? e->used : 0) + item->others;

    *out = (struct counter_state){
        .max = rule->max,
        .used = used,
        .remaining = used < rule->max ? rule->max - used : 0,
        .burst = item->burst,
        .shared = item->shared || item->start != NULL,
        .away = item->over && item->remote == REMOTE_AWAY,
        .known = e != NULL && !item->shared && !item->newcomer,
    };
    if (item->cost > rule->max || rule->max == 0)
        out->retry_us = -1;
    else if ((item->shared && e == NULL) || (item->over && item->remote == REMOTE_AWAY))
        out->retry_us = NO_ROOM_RETRY_US;
    else if (item->over && item->remote == REMOTE_NO_LEASE)
        out->retry_us = remote_lease_us(q->sharing, rule, item->cost);
    if (e == NULL)
        return;
    if (e->end_us > q->now_us)
        out->reset_us = e->end_us - q->now_us;
    out->retry_us =
        window_retry_us(e, marks_of(item->shard, e), item->cost > 0 ? item->cost : 1, q->now_us);
    if (out->retry_us >= 0 && rule->burst_max > 0 && e->burst_used >= rule->burst_max &&
        e->burst_end_us - q->now_us > out->retry_us)
        out->retry_us = e->burst_end_us - q->now_us;
    if (out->retry_us == 0 && item->over && item->remote == REMOTE_NO_LEASE)
        out->retry_us = remote_lease_us(q->sharing, rule, item->cost);
    else if (out->retry_us == 0 && item->over && item->remote != REMOTE_AGREES)
        out->retry_us = out->reset_us > 0 ? out->reset_us : NO_ROOM_RETRY_US;
}

/* How many more requests like this one it has room for. Most cost 1, and division takes long. */
static uint64_t requests_left(const struct item *item)
{
    const struct counter_entry *e = item->entry;
    uint64_t used = e->used + item->others, left = used < e->max ? e->max - used : 0;

    return item->cost <= 1 ? left : left / item->cost;
}

/* Of the limits that enforce, the one that more requests like this one use up first; of equals the
 * one that stays so for longest. */
static int tightest(const struct request *q)
{
    uint64_t least = UINT64_MAX;
    int64_t end_us = 0;
    int best = -1;

    for (size_t i = 0; i < q->n; i++) {
        const struct item *item = &q->items[i];
        const struct counter_entry *e = item->entry;
        uint64_t left;

        if (item->limit->rule->mode != COUNTER_ENFORCE || e == NULL)
            continue;
        left = requests_left(item);
        if (best < 0 || left < least || (left == least && e->end_us > end_us)) {
            best = (int)i;
            least = left;
            end_us = e->end_us;
        }
    }
    return best;
}

void counter_take(struct counter_table *t, const struct counter_limit *limits, size_t n,
                  uint64_t bytes, struct counter_time now, struct counter_result *out)
{
    struct request q;

    *out = (struct counter_result){.refused = -1, .tightest = -1};
    if (n == 0)
        return;
    request_init(&q, t, limits, n, bytes, now);
    request_lock(&q);
    request_find(&q);
    out->refused = judge_all(&q);
    if (out->refused < 0)
        use_all(&q);
    else
        q.items[0].shard->refused++;
    note_all(&q);
    out->tightest = out->refused < 0 ? tightest(&q) : out->refused;
    if (out->tightest >= 0)
        tell(&q, &q.items[out->tightest], &out->state);
    request_unlock(&q);
    if (q.hurry && q.sharing->options.hurry != NULL)
        q.sharing->options.hurry(q.sharing->options.context);
    for (size_t i = 0; i < n; i++)
        out->over |= (uint32_t)q.items[i].over << i;
}

void counter_peek(struct counter_table *t, const struct counter_limit *limits, size_t n,
                  uint64_t bytes, struct counter_time now, struct counter_state *states)
{
    struct request q;

    request_init(&q, t, limits, n, bytes, now);
    request_lock(&q);
    request_find(&q);
    for (size_t i = 0; i < n; i++) {
        if (q.items[i].entry == NULL)
            place(&q, i);
        judge(&q, i);
        tell(&q, &q.items[i], &states[i]);
    }
    request_unlock(&q);
}
