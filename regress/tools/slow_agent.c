/* slow_agent: an agent whose decisions wait for a dependency that is as slow as a scenario wants.
 *
 * It is cc-spoa with another responder: same protocol code, same workers, same table of frames that
 * wait. A request whose path ends in /wait-NAME waits for a file NAME to appear in DIR, for which
 * one thread looks; all others are allowed at once. Each question that the thread gets is a line in
 * DIR/asked.
 *
 *     slow_agent SOCKET BACKEND DIR PATIENCE_MS MAXIMUM */
#include "spoa/server.h"
#include "spoa/vars.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAX_QUESTIONS = 64, NAME_ROOM = 32, LOOK_MS = 10 };

struct question {
    struct enforce_key key;
    char name[NAME_ROOM];
    size_t worker;
    bool noted;
};

static struct dependency {
    struct oracle oracle;
    struct postbox postbox;
    const char *dir;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    struct question questions[MAX_QUESTIONS];
    size_t n;
    bool stop;
} dependency = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct slow_responder {
    struct responder responder;
    size_t worker;
    struct slice backend;
};

static enum enforce_patience ask(struct oracle *self, const struct enforce_await *await,
                                 struct enforce_rules *rules, size_t worker)
{
    struct dependency *d = (struct dependency *)self;
    enum enforce_patience patience = ENFORCE_CROWDED;

    (void)rules;
    pthread_mutex_lock(&d->lock);
    if (d->n < MAX_QUESTIONS && await->question.n < NAME_ROOM) {
        struct question *q = &d->questions[d->n++];

        *q = (struct question){.key = await->key, .worker = worker};
        memcpy(q->name, await->question.p, await->question.n);
        patience = ENFORCE_MAY_WAIT;
    }
    pthread_mutex_unlock(&d->lock);
    return patience;
}

static void note(const struct dependency *d, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/asked", d->dir);
    file = fopen(path, "ae");
    if (file == NULL)
        return;
    fprintf(file, "%s\n", name);
    fclose(file);
}

/* Replies to what can be replied to. */
static void look(struct dependency *d)
{
    for (size_t i = 0; i < d->n;) {
        struct question *q = &d->questions[i];
        struct enforce_reply *reply;
        char path[4096];

        if (!q->noted)
            note(d, q->name);
        q->noted = true;
        snprintf(path, sizeof path, "%s/%s", d->dir, q->name);
        if (access(path, F_OK) != 0) {
            i++;
            continue;
        }
        if (enforce_reply_new(&reply, ENFORCE_WAIT_INTROSPECTION, &q->key, false, 0,
                              SLICE("yes")) == CC_OK)
            postbox_put(&d->postbox, q->worker, reply);
        *q = d->questions[--d->n];
    }
}

static void *run(void *context)
{
    struct dependency *d = context;
    bool stop = false;

    while (!stop) {
        pthread_mutex_lock(&d->lock);
        look(d);
        stop = d->stop;
        pthread_mutex_unlock(&d->lock);
        usleep(LOOK_MS * 1000);
    }
    return NULL;
}

/* The NAME of a path .../wait-NAME in the frame; empty: it does not wait. */
static struct slice awaited(const struct spop_frame *frame)
{
    struct spop_reader r = frame->payload;
    struct slice message, name;
    struct spop_value v;
    unsigned n;

    if (!spop_read_message(&r, &message, &n))
        return SLICE_NONE;
    while (n-- > 0 && spop_read_arg(&r, &name, &v)) {
        if (!slice_is(name, "path") || v.type != SPOP_STRING)
            continue;
        for (size_t i = 0; i < v.bytes.n; i++)
            if (slice_starts(slice_from(v.bytes, i), SLICE("/wait-")))
                return slice_from(v.bytes, i + 6);
    }
    return SLICE_NONE;
}

static size_t write_answer(const struct slow_responder *s, uint64_t stream, uint64_t frame,
                           bool allow, const char *reason, void *room, size_t max_frame)
{
    struct vars v = {.path = SLICE("/"), .host = SLICE("localhost"), .gen = 1};
    struct spop_writer w;

    v.backend = s->backend;
    if (!allow) {
        v.status = 503;
        v.code = SLICE("102500");
        v.body = SLICE("{\"code\":\"102500\"}");
        v.reason = slice_of(reason);
        log_info("refused: %s", reason);
    }
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, stream, frame);
    vars_put(&w, &v, allow ? VARS_ALLOW : VARS_DENY);
    return spop_end(&w, max_frame);
}

static size_t slow_answer(struct responder *self, const struct spop_frame *notify,
                          struct defer_line *line, const struct clock *clock,
                          struct counters *counters, void *room, size_t max_frame)
{
    struct slow_responder *s = (struct slow_responder *)self;
    struct enforce_await await = {.what = ENFORCE_WAIT_INTROSPECTION, .question = awaited(notify)};

    if (await.question.n == 0)
        return write_answer(s, notify->stream_id, notify->frame_id, true, NULL, room, max_frame);
    memcpy(await.key.bytes, await.question.p,
           await.question.n < ENFORCE_KEY_BYTES ? await.question.n : ENFORCE_KEY_BYTES);
    if (!defer_has_room(self->defer, line, notify) ||
        (!defer_waits_for(self->defer, &await) &&
         ask(&dependency.oracle, &await, NULL, s->worker) != ENFORCE_MAY_WAIT)) {
        counter_bump(&counters->crowded);
        return write_answer(s, notify->stream_id, notify->frame_id, false, "crowded", room,
                            max_frame);
    }
    defer_add(self->defer, line, notify, &await, clock_mono_us(clock));
    counter_bump(&counters->deferred);
    return RESPONDER_LATER;
}

static size_t slow_answer_ready(struct responder *self, struct defer_line *line,
                                const struct clock *clock, struct counters *counters, void *room,
                                size_t max_frame)
{
    struct deferred *f = defer_take(self->defer, line);
    size_t n =
        write_answer((struct slow_responder *)self, f->stream_id, f->frame_id,
                     f->replies[ENFORCE_WAIT_INTROSPECTION] != NULL, "overdue", room, max_frame);

    (void)clock;
    (void)counters;
    defer_done(self->defer, f);
    return n;
}

static size_t number(const char *text)
{
    uint64_t n = 0;

    return slice_to_u64(slice_of(text), &n) == CC_OK ? (size_t)n : 0;
}

int main(int argc, char **argv)
{
    struct slow_responder slow[2] = {{.worker = 0}, {.worker = 1}};
    struct responder *responders[2] = {&slow[0].responder, &slow[1].responder};
    struct server_options options = {.responders = responders,
                                     .n_workers = 2,
                                     .postbox = &dependency.postbox,
                                     .drain_timeout_s = 10};
    struct defer_options waiting;
    int rc = CC_OK;

    if (argc != 6) {
        fprintf(stderr, "usage: %s SOCKET BACKEND DIR PATIENCE_MS MAXIMUM\n", argv[0]);
        return EX_USAGE;
    }
    log_setup("slow_agent", LOG_INFO, LOG_TEXT);
    options.listener = (struct listener_options){.address = slice_of(argv[1]), .mode = 0666};
    waiting = (struct defer_options){.frames = number(argv[5]),
                                     .frame_bytes = 16384,
                                     .patience_us = (int64_t)number(argv[4]) * 1000};
    dependency.dir = argv[3];
    dependency.oracle.ask = ask;
    postbox_init(&dependency.postbox);
    for (size_t i = 0; rc == CC_OK && i < 2; i++) {
        slow[i].responder.answer = slow_answer;
        slow[i].responder.answer_ready = slow_answer_ready;
        slow[i].backend = slice_of(argv[2]);
        rc = defer_new(&slow[i].responder.defer, &waiting);
    }
    if (rc != CC_OK || pthread_create(&dependency.thread, NULL, run, &dependency) != 0)
        return EX_OSERR;
    rc = server_run(&options);
    pthread_mutex_lock(&dependency.lock);
    dependency.stop = true;
    pthread_mutex_unlock(&dependency.lock);
    pthread_join(dependency.thread, NULL);
    for (size_t i = 0; i < 2; i++)
        defer_free(&slow[i].responder.defer);
    postbox_cleanup(&dependency.postbox);
    return rc == CC_OK ? EX_OK : EX_UNAVAILABLE;
}
