#include "enforce/throttle_memo.h"

#include <stdlib.h>

enum { WAYS = 4 };

/* docs/counting.md says so to operators. */
_Static_assert(sizeof(struct throttle_memo_entry) <= 1126, "at most 1.1 KiB for each caller");

struct throttle_memo {
    size_t n;      /* a power of two, at least WAYS */
    unsigned next; /* place in its row that is taken next when none is vacant */
    struct throttle_memo_entry entries[];
};

int throttle_memo_new(struct throttle_memo **out, size_t entries)
{
    size_t n = WAYS;

    while (n < entries && n < THROTTLE_MEMO_ENTRIES)
        n *= 2;
    *out = calloc(1, sizeof(**out) + n * sizeof((*out)->entries[0]));
    if (*out == NULL)
        return CC_ENOMEM;
    (*out)->n = n;
    return CC_OK;
}

void throttle_memo_free(struct throttle_memo **m)
{
    free(*m);
    *m = NULL;
}

void throttle_memo_clear(struct throttle_memo *m)
{
    for (size_t i = 0; m != NULL && i < m->n; i++)
        if (m->entries[i].who.mark != 0) /* pages that were never used stay so */
            m->entries[i].who.mark = 0;
}

static void list_texts(const struct throttle_caller *c, struct slice texts[THROTTLE_MEMO_WHO])
{
    texts[0] = c->name;
    texts[1] = c->subscriber;
    texts[2] = c->app_name;
    texts[3] = c->keytype;
    texts[4] = c->certificate;
    texts[5] = c->app_tier;
    texts[6] = c->subscription_tier;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* All of a text: users of one domain, and certificates of one authority, have both ends in common.
 */
static uint64_t mix_text(uint64_t hash, struct slice s)
{
    uint64_t word;

    hash = mix(hash, s.n);
    for (; s.n > 0; s = slice_from(s, sizeof(word) < s.n ? sizeof(word) : s.n)) {
        word = 0;
        memcpy(&word, s.p, s.n < sizeof(word) ? s.n : sizeof(word));
        hash = mix(hash, word);
    }
    return hash;
}

/* Only tells where to look: who makes marks collide makes his own requests take longer. */
static uint64_t mark_of(const struct throttle_memo_who *who, struct slice name)
{
    uint64_t hash = mix(who->rules, (uint64_t)(uintptr_t)who->operation);

    hash = mix_text(mix(hash, (uint64_t)who->app_id), name);
    return hash != 0 ? hash : 1;
}

/* False: its texts are too long to be remembered. */
static bool describe(const struct attempt *a, const struct throttle_caller *c,
                     const struct slice texts[THROTTLE_MEMO_WHO], struct throttle_memo_who *out)
{
    size_t n = 0;

    memset(out, 0, sizeof(*out)); /* its padding too: it is compared as bytes */
    out->rules = a->rules->serial;
    out->api = a->out->api;
    out->operation = a->out->operation;
    out->app_id = c->app_id;
    out->stop = c->stop;
    for (size_t i = 0; i < THROTTLE_MEMO_WHO; i++) {
        if (texts[i].n > THROTTLE_MEMO_TEXT)
            return false;
        out->texts_n[i] = (uint32_t)texts[i].n;
        n += texts[i].n;
    }
    out->mark = mark_of(out, c->name);
    return n <= THROTTLE_MEMO_TEXT;
}

static struct throttle_memo_entry *row_of(struct throttle_memo *m, uint64_t mark)
{
    return &m->entries[(mark & (m->n - 1)) / WAYS * WAYS];
}

static bool is(const struct throttle_memo_entry *e, const struct throttle_memo_who *who,
               const struct slice texts[THROTTLE_MEMO_WHO])
{
    const char *p = e->text;

    if (memcmp(&e->who, who, sizeof(*who)) != 0)
        return false;
    for (size_t i = 0; i < THROTTLE_MEMO_WHO; i++) {
        if (texts[i].n > 0 && memcmp(p, texts[i].p, texts[i].n) != 0)
            return false;
        p += texts[i].n;
    }
    return true;
}

struct throttle_memo_entry *throttle_memo_find(struct throttle_memo *m, const struct attempt *a,
                                               const struct throttle_caller *c)
{
    struct slice texts[THROTTLE_MEMO_WHO];
    struct throttle_memo_who who;
    struct throttle_memo_entry *row;

    if (m == NULL)
        return NULL;
    list_texts(c, texts);
    if (!describe(a, c, texts, &who))
        return NULL;
    row = row_of(m, who.mark);
    for (size_t i = 0; i < WAYS; i++)
        if (row[i].who.mark == who.mark && is(&row[i], &who, texts))
            return &row[i];
    return NULL;
}

/* A vacant one, or the next by turns. */
static struct throttle_memo_entry *take_place(struct throttle_memo *m, uint64_t mark)
{
    struct throttle_memo_entry *row = row_of(m, mark);

    for (size_t i = 0; i < WAYS; i++)
        if (row[i].who.mark == 0)
            return &row[i];
    return &row[m->next++ % WAYS];
}

/* A copy of s in the entry; false: there is no room for it. */
static bool copy(struct throttle_memo_entry *e, size_t *used, struct slice s, struct slice *out)
{
    if (s.n > sizeof(e->text) - *used)
        return false;
    if (s.n > 0)
        memcpy(e->text + *used, s.p, s.n);
    *out = slice_make(e->text + *used, s.n);
    *used += s.n;
    return true;
}

/* Limit number `at` of the entry. */
static bool keep_limit(struct throttle_memo_entry *e, size_t at, size_t *used,
                       const struct attempt *a, const struct throttle_limits *l, size_t i)
{
    struct throttle_memo_limit *to = &e->limits[at];

    to->limit = l->limits[i];
    to->rule = l->list[i].rule;
    to->why = l->refusals[i];
    if (!copy(e, used, l->list[i].key, &to->key))
        return false;
    counter_know(a->w->counters, to->key, &to->known);
    return true;
}

static bool fill(struct throttle_memo_entry *e, const struct attempt *a,
                 const struct throttle_caller *c, const struct throttle_limits *l,
                 const struct slice texts[THROTTLE_MEMO_WHO])
{
    struct slice text;

    for (size_t i = 0; i < THROTTLE_MEMO_WHO; i++)
        if (!copy(e, &e->used, texts[i], &text))
            return false;
    if (!copy(e, &e->used, c->user, &e->user))
        return false;
    for (size_t i = l->n_grouped; i < l->n; i++)
        if (!keep_limit(e, e->n++, &e->used, a, l, i))
            return false;
    return true;
}

struct throttle_memo_entry *throttle_memo_keep(struct throttle_memo *m, const struct attempt *a,
                                               const struct throttle_caller *c,
                                               const struct throttle_limits *l)
{
    struct slice texts[THROTTLE_MEMO_WHO];
    struct throttle_memo_who who;
    struct throttle_memo_entry *e;

    CC_ASSERT(l->n - l->n_grouped <= THROTTLE_MEMO_LIMITS);
    list_texts(c, texts);
    if (!describe(a, c, texts, &who))
        return NULL;
    e = take_place(m, who.mark);
    e->who.mark = 0; /* nobody's until it is whole */
    e->n = e->n_custom = e->used = 0;
    e->grouped = l->grouped;
    e->free_of_rules = false;
    e->free_of_list = 0;
    if (!fill(e, a, c, l, texts))
        return NULL;
    e->who = who;
    return e;
}

static void append(struct throttle_memo_limit *from, size_t n, struct throttle_limits *l)
{
    for (size_t i = 0; i < n; i++)
        throttle_limits_add(l, from[i].limit, from[i].rule, from[i].key, &from[i].known,
                            from[i].why);
}

void throttle_memo_limits(struct throttle_memo_entry *e, struct throttle_limits *l)
{
    append(e->limits, e->n, l);
}

bool throttle_memo_custom(struct throttle_memo_entry *e, const struct attempt *a,
                          struct throttle_limits *l)
{
    if (e->n_custom == 0 || e->has_src != a->request->has_src ||
        (e->has_src && memcmp(&e->src, &a->request->src, sizeof(e->src)) != 0))
        return false;
    append(&e->limits[e->n], e->n_custom, l);
    return true;
}

void throttle_memo_keep_custom(struct throttle_memo_entry *e, const struct attempt *a,
                               struct throttle_limits *l, size_t first)
{
    size_t used = e->used, n = l->n - first;

    e->n_custom = 0;
    if (n > THROTTLE_MEMO_CUSTOM)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!keep_limit(e, e->n + i, &used, a, l, first + i))
            return;
        l->list[first + i].known = &e->limits[e->n + i].known;
    }
    e->n_custom = n;
    e->has_src = a->request->has_src;
    if (e->has_src)
        e->src = a->request->src;
}
