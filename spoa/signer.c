#include "spoa/signer.h"

#include "spoa/thread.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Workers are numbered below the setting's limit, 64: one bit each. */
enum { MAX_WORKERS = 64 };

struct job {
    struct job *next;
    struct enforce_key key;
    struct enforce_rules *rules; /* whose key signs */
    uint64_t workers;            /* that want it */
    int64_t until_s;             /* how long the JWT may be used */
    size_t n;
    char claims[];
};

struct signer {
    struct oracle oracle; /* first: converted back by a cast */
    struct postbox *postbox;
    pthread_mutex_t lock; /* guards what follows, up to the threads */
    pthread_cond_t work;
    struct job *first, **last; /* that wait, the oldest first */
    struct job *signing[SIGNER_MAX_THREADS];
    size_t n_jobs;
    bool stop;
    pthread_t threads[SIGNER_MAX_THREADS];
    size_t n_threads;
    _Atomic uint64_t count; /* relaxed: for who shows it */
};

static void job_free(struct job *job)
{
    if (job == NULL)
        return;
    enforce_rules_unref(&job->rules);
    explicit_bzero(job->claims, job->n);
    free(job);
}

/* The job with this key that nobody has finished yet. */
static struct job *find_job(struct signer *s, const struct enforce_key *key)
{
    for (size_t i = 0; i < s->n_threads; i++)
        if (s->signing[i] != NULL && enforce_key_eq(&s->signing[i]->key, key))
            return s->signing[i];
    for (struct job *job = s->first; job != NULL; job = job->next)
        if (enforce_key_eq(&job->key, key))
            return job;
    return NULL;
}

static struct job *job_new(const struct enforce_await *await, struct enforce_rules *rules)
{
    struct job *job = malloc(sizeof *job + await->question.n);

    if (job == NULL)
        return NULL;
    *job = (struct job){.key = await->key,
                        .rules = enforce_rules_ref(rules),
                        .until_s = await->until_s,
                        .n = await->question.n};
    memcpy(job->claims, await->question.p, await->question.n);
    return job;
}

/* A new job behind those that wait; NULL when there is no room for it. */
static struct job *add_job(struct signer *s, const struct enforce_await *await,
                           struct enforce_rules *rules)
{
    struct job *job = s->n_jobs < SIGNER_MAX_JOBS ? job_new(await, rules) : NULL;

    if (job == NULL)
        return NULL;
    *s->last = job;
    s->last = &job->next;
    s->n_jobs++;
    pthread_cond_signal(&s->work);
    return job;
}

static enum enforce_patience signer_ask(struct oracle *self, const struct enforce_await *await,
                                        struct enforce_rules *rules, size_t worker)
{
    struct signer *s = (struct signer *)self;
    struct job *job;

    CC_ASSERT(worker < MAX_WORKERS && await->what == ENFORCE_WAIT_SIGNATURE);
    pthread_mutex_lock(&s->lock);
    job = find_job(s, &await->key);
    if (job == NULL)
        job = add_job(s, await, rules);
    if (job != NULL)
        job->workers |= UINT64_C(1) << worker;
    pthread_mutex_unlock(&s->lock);
    return job != NULL ? ENFORCE_MAY_WAIT : ENFORCE_CROWDED;
}

/* A reply to all that want it; a failure is one, too. */
static void sign(struct signer *s, const struct job *job, struct enforce_reply **reply)
{
    char room[GW_BACKEND_JWT_MAX + 1];
    struct buf jwt;
    int rc;

    buf_init_fixed(&jwt, room, sizeof room);
    rc = enforce_rules_sign(job->rules, slice_make(job->claims, job->n), &jwt);
    atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
    if (enforce_reply_new(reply, ENFORCE_WAIT_SIGNATURE, &job->key, rc != CC_OK, job->until_s,
                          rc == CC_OK ? buf_slice(&jwt) : slice_of(cc_strerror(rc))) != CC_OK)
        *reply = NULL; /* the requests are refused when their time is over */
    explicit_bzero(room, sizeof room);
}

static void deliver(struct signer *s, uint64_t workers, struct enforce_reply **reply)
{
    for (size_t i = 0; *reply != NULL && i < MAX_WORKERS; i++)
        if ((workers >> i & 1) != 0)
            postbox_put(s->postbox, i, enforce_reply_ref(*reply));
    enforce_reply_unref(reply);
}

static struct job *take_job(struct signer *s, size_t thread)
{
    struct job *job;

    while (s->first == NULL && !s->stop)
        pthread_cond_wait(&s->work, &s->lock);
    if (s->stop)
        return NULL;
    job = s->first;
    s->first = job->next;
    if (s->first == NULL)
        s->last = &s->first;
    s->signing[thread] = job;
    return job;
}

struct start {
    struct signer *signer;
    size_t thread;
};

static void *signer_main(void *arg)
{
    struct start start = *(struct start *)arg;
    struct signer *s = start.signer;
    struct job *job;

    free(arg);
    pthread_mutex_lock(&s->lock);
    while ((job = take_job(s, start.thread)) != NULL) {
        struct enforce_reply *reply = NULL;

        pthread_mutex_unlock(&s->lock);
        sign(s, job, &reply);
        pthread_mutex_lock(&s->lock);
        /* from here on nobody finds the job: who asks now gets one of his own */
        s->signing[start.thread] = NULL;
        s->n_jobs--;
        pthread_mutex_unlock(&s->lock);
        deliver(s, job->workers, &reply);
        job_free(job);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int start_thread(struct signer *s)
{
    struct start *start = malloc(sizeof *start);
    int error;

    if (start == NULL)
        return CC_ENOMEM;
    *start = (struct start){s, s->n_threads};
    error = thread_start(&s->threads[s->n_threads], signer_main, start);
    if (error != 0) {
        free(start);
        return cc_from_errno(error);
    }
    pthread_mutex_lock(&s->lock);
    s->n_threads++;
    pthread_mutex_unlock(&s->lock);
    return CC_OK;
}

int signer_new(struct signer **out, size_t n_threads, struct postbox *postbox)
{
    struct signer *s = calloc(1, sizeof *s);
    int rc = CC_OK;

    CC_ASSERT(n_threads > 0 && n_threads <= SIGNER_MAX_THREADS);
    if (s == NULL)
        return CC_ENOMEM;
    s->oracle.ask = signer_ask;
    s->postbox = postbox;
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    while (rc == CC_OK && s->n_threads < n_threads)
        rc = start_thread(s);
    if (rc != CC_OK)
        signer_free(&s);
    *out = s;
    return rc;
}

void signer_free(struct signer **ps)
{
    struct signer *s = *ps;

    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->n_threads; i++)
        pthread_join(s->threads[i], NULL);
    while (s->first != NULL) {
        struct job *job = s->first;

        s->first = job->next;
        job_free(job);
    }
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *ps = NULL;
}

struct oracle *signer_oracle(struct signer *s)
{
    return &s->oracle;
}

uint64_t signer_count(const struct signer *s)
{
    return atomic_load_explicit(&s->count, memory_order_relaxed);
}
