#include "spoa/introspector.h"

#include "spoa/answers.h"
#include "spoa/fetcher.h"
#include "spoa/thread.h"

#include <stdlib.h>

enum {
    ARENA_MAX = 1 << 20,
    REMEMBERED = 4096, /* answers of each kind */
    REMEMBERED_BYTES = 4096,
    FAILING_AFTER = 3, /* calls in a row of which nothing came */
    MAX_WORKERS = 64,
    FORM_MAX = 3 * INTROSPECT_MAX_TOKEN + 64
};

/* A token that somebody wants to know about. */
struct question {
    enum { FREE, QUEUED, CALLED } state;
    struct enforce_key key;
    uint64_t workers; /* a bit for each that waits */
    size_t token_n;
    char token[INTROSPECT_MAX_TOKEN];
    struct enforce_rules *rules; /* under which it was asked: whose server */
    size_t issuer;
    struct question *next; /* free, or in the queue */
    struct flight *flight;
    struct introspector *of;
};

struct introspector {
    struct oracle oracle; /* first: converted back by a cast */
    struct introspector_options options;
    struct postbox *postbox;
    pthread_t thread;
    /* the thread's alone */
    struct ev_loop *loop;
    ev_async wake;
    struct fetcher *fetcher;
    struct arena *arena;
    /* everybody's */
    pthread_mutex_t lock; /* guards the rest */
    struct question *questions;
    size_t n_questions, n_called;
    struct question *free, *first, *last;
    struct answers *active, *inactive;
    unsigned failed; /* calls in a row that showed an ill server, up to FAILING_AFTER */
    bool complained; /* in the log, since the last good answer */
    bool stop;
    struct {
#define X(name, help) uint64_t name;
        INTROSPECTOR_COUNTERS(X)
#undef X
    } counters;
};

struct introspector_options introspector_settings(const struct config *config)
{
    struct slice ca_file = config->security.introspection.ca_file;

    return (struct introspector_options){
        .limits = {.ca_file = ca_file.n > 0 ? ca_file.p : NULL,
                   .timeout_ms = (long)config->security.introspection.timeout_ms,
                   .max_bytes = (size_t)config->security.introspection.maximum_bytes},
        .active_s = (int64_t)config->security.introspection.maximum_age_s,
        .inactive_s = (int64_t)config->security.introspection.negative_age_s,
        .calls = (size_t)config->security.introspection.maximum_calls,
        .queued = (size_t)config->security.introspection.maximum_queued,
        .clock = &clock_system,
    };
}

/* --- any thread ----------------------------------------------------------------------------- */

static struct question *find_question(struct introspector *i, const struct enforce_key *key)
{
    for (size_t k = 0; k < i->n_questions; k++)
        if (i->questions[k].state != FREE && enforce_key_eq(&i->questions[k].key, key))
            return &i->questions[k];
    return NULL;
}

static bool is_failing(const struct introspector *i)
{
    return i->failed >= FAILING_AFTER;
}

static void enqueue(struct introspector *i, const struct enforce_await *await,
                    struct enforce_rules *rules, uint64_t worker)
{
    struct question *q = i->free;

    i->free = q->next;
    q->state = QUEUED;
    q->key = await->key;
    q->workers = worker;
    q->token_n = await->question.n;
    memcpy(q->token, await->question.p, await->question.n);
    q->rules = enforce_rules_ref(rules);
    q->issuer = await->subject;
    q->next = NULL;
    if (i->last != NULL)
        i->last->next = q;
    else
        i->first = q;
    i->last = q;
}

/* Under the lock. *known: what is remembered. */
static enum enforce_patience take(struct introspector *i, const struct enforce_await *await,
                                  struct enforce_rules *rules, size_t worker,
                                  struct enforce_reply **known)
{
    int64_t now_s = clock_wall_s(i->options.clock);
    struct enforce_reply *reply = answers_find(i->active, &await->key, now_s);
    struct question *q;

    i->counters.questions++;
    if (reply == NULL)
        reply = answers_find(i->inactive, &await->key, now_s);
    if (reply != NULL) {
        i->counters.remembered++;
        *known = enforce_reply_ref(reply);
        return ENFORCE_MAY_WAIT;
    }
    q = find_question(i, &await->key);
    if (q != NULL) {
        i->counters.joined++;
        q->workers |= UINT64_C(1) << worker;
        return ENFORCE_MAY_WAIT;
    }
    if (i->free == NULL || (is_failing(i) && (i->n_called > 0 || i->first != NULL))) {
        i->counters.unasked++;
        return is_failing(i) ? ENFORCE_ALONE : ENFORCE_CROWDED;
    }
    enqueue(i, await, rules, UINT64_C(1) << worker);
    return ENFORCE_MAY_WAIT;
}

static enum enforce_patience ask(struct oracle *self, const struct enforce_await *await,
                                 struct enforce_rules *rules, size_t worker)
{
    struct introspector *i = (struct introspector *)self;
    struct enforce_reply *known = NULL;
    enum enforce_patience patience;

    CC_ASSERT(worker < MAX_WORKERS && await->question.n <= INTROSPECT_MAX_TOKEN);
    pthread_mutex_lock(&i->lock);
    patience = take(i, await, rules, worker, &known);
    pthread_mutex_unlock(&i->lock);
    if (known != NULL)
        postbox_put(i->postbox, worker, known);
    else if (patience == ENFORCE_MAY_WAIT)
        ev_async_send(i->loop, &i->wake);
    return patience;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void release(struct introspector *i, struct question *q)
{
    explicit_bzero(q->token, q->token_n);
    q->state = FREE;
    q->flight = NULL;
    q->next = i->free;
    i->free = q;
}

/* Tells all that wait, and remembers what holds. */
static void reply(struct question *q, struct enforce_reply *r, struct answers *memory)
{
    struct introspector *i = q->of;
    struct enforce_rules *rules = q->rules;
    uint64_t workers;

    pthread_mutex_lock(&i->lock);
    workers = q->workers;
    i->n_called -= q->state == CALLED;
    if (memory != NULL && r != NULL)
        answers_put(memory, r, clock_wall_s(i->options.clock));
    release(i, q);
    pthread_mutex_unlock(&i->lock);
    enforce_rules_unref(&rules);
    for (size_t w = 0; r != NULL && w < MAX_WORKERS; w++)
        if ((workers & UINT64_C(1) << w) != 0)
            postbox_put(i->postbox, w, enforce_reply_ref(r));
    enforce_reply_unref(&r);
}

/* Without memory for a reply there is none, and who waits is refused at the deadline. */
static struct enforce_reply *make_reply(const struct question *q, bool failed, int64_t until_s,
                                        struct slice bytes)
{
    struct enforce_reply *r = NULL;

    if (enforce_reply_new(&r, ENFORCE_WAIT_INTROSPECTION, &q->key, failed, until_s, bytes) != CC_OK)
        return NULL;
    return r;
}

static const struct gw_issuer *issuer_of(const struct question *q)
{
    return &enforce_rules_model(q->rules)->issuers[q->issuer];
}

/* Does an answer with this status (0: there was none) say that the server is ill? Another one may
 * be about this token alone, and who chooses tokens must not be able to shut out those of others.
 */
static bool is_ill(int status)
{
    return status == 0 || status >= 500 || status == 401 || status == 403 || status == 408 ||
           status == 429;
}

static void fail(struct question *q, const char *why, bool ill)
{
    struct introspector *i = q->of;
    bool first, given_up;

    pthread_mutex_lock(&i->lock);
    i->counters.failures++;
    first = !i->complained;
    i->complained = true;
    given_up = ill && !is_failing(i) && ++i->failed == FAILING_AFTER;
    pthread_mutex_unlock(&i->lock);
    if (first)
        log_warn("introspection at %" PRIslice ": %s; the request is refused with 503",
                 SLICE_ARG(issuer_of(q)->introspection_url), why);
    if (given_up)
        log_error("introspection at %" PRIslice ": %s; nothing usable came %d times: opaque tokens "
                  "that are not remembered are refused with 503, and asked about one at a time",
                  SLICE_ARG(issuer_of(q)->introspection_url), why, (int)FAILING_AFTER);
    reply(q, make_reply(q, true, 0, slice_of(why)), NULL);
}

static void succeed(struct question *q)
{
    struct introspector *i = q->of;
    bool complained;

    pthread_mutex_lock(&i->lock);
    complained = i->complained;
    i->failed = 0;
    i->complained = false;
    pthread_mutex_unlock(&i->lock);
    if (complained)
        log_info("introspection at %" PRIslice ": answers again",
                 SLICE_ARG(issuer_of(q)->introspection_url));
}

static void count(struct introspector *i, bool active)
{
    pthread_mutex_lock(&i->lock);
    if (active)
        i->counters.active++;
    else
        i->counters.inactive++;
    pthread_mutex_unlock(&i->lock);
}

/* The engine reads the answer; here only what says for how long it counts. */
static void take_answer(struct question *q, struct slice body)
{
    static const struct jwt_claim_names standard = {.consumer_key = SLICE_INIT(""),
                                                    .scope = SLICE_INIT("")};
    struct introspector *i = q->of;
    int64_t now_s = clock_wall_s(i->options.clock), until_s;
    struct jwt_introspection in;
    enum jwt_fault fault;

    arena_reset(i->arena);
    fault = jwt_introspection_parse(body, &standard, NULL, NULL, i->arena, &in);
    if (fault == JWT_BAD_INTROSPECTION || fault == JWT_INTERNAL) {
        fail(q, jwt_fault_text(fault), false);
        return;
    }
    succeed(q);
    count(i, in.active);
    if (fault == JWT_OK && !in.active)
        body = SLICE("{\"active\":false}"); /* the rest means nothing (RFC 7662 2.2) */
    until_s = now_s + (in.active ? i->options.active_s : i->options.inactive_s);
    if (in.active && in.claims.has_exp && in.claims.exp < until_s)
        until_s = in.claims.exp > now_s ? in.claims.exp : now_s;
    reply(q, make_reply(q, false, until_s, body), in.active ? i->active : i->inactive);
}

static void on_done(void *context, const struct http_result *result)
{
    struct question *q = context;
    struct introspector *i = q->of;

    q->flight = NULL;
    if (result->error != NULL)
        fail(q, result->error, is_ill(result->status));
    else
        take_answer(q, result->body);
    ev_async_send(i->loop,
                  &i->wake); /* there is room for another call, but not inside of libcurl */
}

/* token and token_type_hint (RFC 7662 2.1); of token68, what means something in a form. */
static void make_form(const struct question *q, struct buf *form)
{
    buf_add_str(form, "token=");
    for (size_t k = 0; k < q->token_n; k++) {
        char c = q->token[k];

        if (c == '+' || c == '/' || c == '=')
            buf_add_str(form, c == '+' ? "%2B" : c == '/' ? "%2F" : "%3D");
        else
            buf_add_char(form, c);
    }
    buf_add_str(form, "&token_type_hint=access_token");
}

static void call(struct question *q)
{
    struct introspector *i = q->of;
    const struct gw_issuer *issuer = issuer_of(q);
    struct http_get *post = NULL;
    char room[FORM_MAX];
    struct buf form;
    int rc;

    buf_init_fixed(&form, room, sizeof room);
    make_form(q, &form);
    rc = buf_error(&form);
    if (rc == CC_OK)
        rc = http_post_new(&post, issuer->introspection_url, buf_slice(&form),
                           issuer->introspection_authorization, &i->options.limits);
    if (rc == CC_OK)
        rc = fetcher_start(i->fetcher, post, on_done, q, &q->flight);
    explicit_bzero(room, sizeof room);
    if (rc != CC_OK)
        fail(q, cc_strerror(rc), true);
}

/* The next question that may be asked now, if there is one. */
static struct question *next_call(struct introspector *i)
{
    struct question *q;

    pthread_mutex_lock(&i->lock);
    q = i->n_called < (is_failing(i) ? 1 : i->options.calls) ? i->first : NULL;
    if (q != NULL) {
        i->first = q->next;
        if (i->first == NULL)
            i->last = NULL;
        q->state = CALLED;
        i->n_called++;
        i->counters.calls++;
    }
    pthread_mutex_unlock(&i->lock);
    return q;
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int revents)
{
    struct introspector *i = wake->data;
    struct question *q;
    bool stop;

    (void)revents;
    pthread_mutex_lock(&i->lock);
    stop = i->stop;
    pthread_mutex_unlock(&i->lock);
    if (stop)
        ev_break(loop, EVBREAK_ALL);
    while (!stop && (q = next_call(i)) != NULL)
        call(q);
}

static void *run(void *context)
{
    ev_run(((struct introspector *)context)->loop, 0);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------- */

static int make_tables(struct introspector *i)
{
    int rc = answers_new(&i->active, REMEMBERED, REMEMBERED_BYTES);

    if (rc == CC_OK)
        rc = answers_new(&i->inactive, REMEMBERED, REMEMBERED_BYTES);
    i->n_questions = i->options.calls + i->options.queued;
    i->questions = calloc(i->n_questions, sizeof *i->questions);
    if (rc != CC_OK || i->questions == NULL)
        return CC_ENOMEM;
    for (size_t k = i->n_questions; k-- > 0;) {
        i->questions[k].of = i;
        i->questions[k].next = i->free;
        i->free = &i->questions[k];
    }
    return CC_OK;
}

static void destroy(struct introspector *i)
{
    fetcher_free(&i->fetcher);
    for (size_t k = 0; i->questions != NULL && k < i->n_questions; k++) {
        if (i->questions[k].state == FREE)
            continue;
        explicit_bzero(i->questions[k].token, i->questions[k].token_n);
        enforce_rules_unref(&i->questions[k].rules);
    }
    answers_free(&i->active);
    answers_free(&i->inactive);
    arena_free(&i->arena);
    if (i->loop != NULL)
        ev_loop_destroy(i->loop);
    pthread_mutex_destroy(&i->lock);
    free(i->questions);
    free(i);
}

int introspector_new(struct introspector **out, const struct introspector_options *options,
                     struct postbox *postbox)
{
    struct introspector *i = calloc(1, sizeof *i);
    int rc = CC_ENOMEM;

    if (i == NULL)
        return rc;
    pthread_mutex_init(&i->lock, NULL);
    i->oracle.ask = ask;
    i->options = *options;
    i->postbox = postbox;
    i->arena = arena_new(ARENA_MAX);
    i->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (i->arena == NULL || i->loop == NULL)
        goto out;
    i->wake.data = i;
    ev_async_init(&i->wake, on_wake);
    ev_async_start(i->loop, &i->wake);
    rc = make_tables(i);
    if (rc == CC_OK)
        rc = fetcher_new(&i->fetcher, i->loop);
    if (rc == CC_OK)
        rc = cc_from_errno(thread_start(&i->thread, run, i));
    if (rc != CC_OK)
        goto out;
    *out = i;
    i = NULL;
out:
    if (i != NULL)
        destroy(i);
    return rc;
}

void introspector_free(struct introspector **pi)
{
    struct introspector *i = *pi;

    *pi = NULL;
    if (i == NULL)
        return;
    pthread_mutex_lock(&i->lock);
    i->stop = true;
    pthread_mutex_unlock(&i->lock);
    ev_async_send(i->loop, &i->wake);
    pthread_join(i->thread, NULL);
    destroy(i);
}

struct oracle *introspector_oracle(struct introspector *i)
{
    return &i->oracle;
}

void introspector_report(struct introspector *i, struct buf *out)
{
    pthread_mutex_lock(&i->lock);
#define X(name, help) \
    buf_printf(out, " introspection_" #name "=%llu", (unsigned long long)i->counters.name);
    INTROSPECTOR_COUNTERS(X)
#undef X
    pthread_mutex_unlock(&i->lock);
}
