#include "spoa/defer.h"

#include <stdlib.h>

struct defer {
    struct defer_options options;
    struct deferred *frames;
    uint8_t *rooms;
    struct deferred *free;
    struct deferred *oldest, *newest; /* of those that wait, by their deadlines */
    size_t n;
};

int defer_new(struct defer **out, const struct defer_options *options)
{
    struct defer *d = NULL;
    int rc = CC_ENOMEM;

    if (options->frames == 0 || options->frames > DEFER_MAX_FRAMES || options->frame_bytes == 0 ||
        options->frame_bytes > SPOP_MAX_FRAME_SIZE)
        return CC_EINVAL;
    d = calloc(1, sizeof *d);
    if (d == NULL)
        goto out;
    d->options = *options;
    d->frames = calloc(options->frames, sizeof *d->frames);
    d->rooms = malloc(options->frames * options->frame_bytes); /* untouched until needed */
    if (d->frames == NULL || d->rooms == NULL)
        goto out;
    for (size_t i = options->frames; i-- > 0;) {
        d->frames[i].room = d->rooms + i * options->frame_bytes;
        d->frames[i].next = d->free;
        d->free = &d->frames[i];
    }
    *out = d;
    d = NULL;
    rc = CC_OK;
out:
    defer_free(&d);
    return rc;
}

void defer_free(struct defer **pd)
{
    struct defer *d = *pd;

    *pd = NULL;
    if (d == NULL)
        return;
    CC_ASSERT(d->n == 0);
    free(d->rooms);
    free(d->frames);
    free(d);
}

/* Those that wait, by their deadlines. A frame that waits again is before those behind it. */

static void wait_for(struct defer *d, struct deferred *f, const struct enforce_await *await,
                     int64_t now_us)
{
    int64_t patience_us = d->options.patience_for_us[await->what];
    struct deferred *older = d->newest;

    if (patience_us > 0 && now_us + patience_us < f->due_us)
        f->due_us = now_us + patience_us;
    while (older != NULL && older->due_us > f->due_us)
        older = older->older;
    f->state = DEFERRED_WAITING;
    f->what = await->what;
    f->key = await->key;
    f->older = older;
    f->newer = older != NULL ? older->newer : d->oldest;
    if (f->older != NULL)
        f->older->newer = f;
    else
        d->oldest = f;
    if (f->newer != NULL)
        f->newer->older = f;
    else
        d->newest = f;
}

static void wait_no_more(struct defer *d, struct deferred *f)
{
    if (f->older != NULL)
        f->older->newer = f->newer;
    else
        d->oldest = f->newer;
    if (f->newer != NULL)
        f->newer->older = f->older;
    else
        d->newest = f->older;
}

static void make_ready(struct defer *d, struct deferred *f)
{
    struct defer_line *line = f->line;

    wait_no_more(d, f);
    f->state = DEFERRED_READY;
    f->next = NULL;
    if (line->last_ready != NULL)
        line->last_ready->next = f;
    else
        line->first_ready = f;
    line->last_ready = f;
    line->wake(line);
}

bool defer_waits_for(const struct defer *d, const struct enforce_await *await)
{
    if (enforce_wait_is_single(await->what))
        return false;
    for (const struct deferred *f = d->oldest; f != NULL; f = f->newer)
        if (f->what == await->what && enforce_key_eq(&f->key, &await->key))
            return true;
    return false;
}

static size_t payload_bytes(const struct spop_frame *frame)
{
    return (size_t)(frame->payload.end - frame->payload.p);
}

bool defer_has_room(const struct defer *d, const struct defer_line *line,
                    const struct spop_frame *frame)
{
    return d->free != NULL && line->n < DEFER_MAX_PER_LINE &&
           payload_bytes(frame) <= d->options.frame_bytes;
}

void defer_add(struct defer *d, struct defer_line *line, const struct spop_frame *frame,
               const struct enforce_await *await, int64_t now_us)
{
    struct deferred *f = d->free;
    size_t n = payload_bytes(frame);

    CC_ASSERT(defer_has_room(d, line, frame));
    d->free = f->next;
    d->n++;
    memcpy(f->room, frame->payload.p, n);
    f->stream_id = frame->stream_id;
    f->frame_id = frame->frame_id;
    f->payload = slice_make(f->room, n);
    f->overdue = false;
    f->due_us = now_us + d->options.patience_us;
    f->line = line;
    f->line_prev = NULL;
    f->line_next = line->first;
    if (line->first != NULL)
        line->first->line_prev = f;
    line->first = f;
    line->n++;
    wait_for(d, f, await, now_us);
}

void defer_deliver(struct defer *d, struct enforce_reply *reply, struct counters *counters)
{
    bool wanted = false;
    struct deferred *next;

    for (struct deferred *f = d->oldest; f != NULL; f = next) {
        next = f->newer;
        if (f->what != reply->what || !enforce_key_eq(&f->key, &reply->key))
            continue;
        enforce_reply_unref(&f->replies[reply->what]);
        f->replies[reply->what] = enforce_reply_ref(reply);
        make_ready(d, f);
        wanted = true;
        if (enforce_wait_is_single(reply->what))
            break;
    }
    counter_bump(wanted ? &counters->replies : &counters->replies_late);
    enforce_reply_unref(&reply);
}

int64_t defer_due(const struct defer *d)
{
    return d->oldest != NULL ? d->oldest->due_us : DEFER_NEVER;
}

void defer_expire(struct defer *d, int64_t now_us, struct counters *counters)
{
    while (d->oldest != NULL && d->oldest->due_us <= now_us) {
        d->oldest->overdue = true;
        counter_bump(&counters->deferred_overdue);
        make_ready(d, d->oldest);
    }
}

struct deferred *defer_take(struct defer *d, struct defer_line *line)
{
    struct deferred *f = line->first_ready;

    (void)d;
    if (f == NULL)
        return NULL;
    line->first_ready = f->next;
    if (line->first_ready == NULL)
        line->last_ready = NULL;
    f->state = DEFERRED_TAKEN;
    return f;
}

static void release(struct defer *d, struct deferred *f)
{
    struct defer_line *line = f->line;

    if (f->line_prev != NULL)
        f->line_prev->line_next = f->line_next;
    else
        line->first = f->line_next;
    if (f->line_next != NULL)
        f->line_next->line_prev = f->line_prev;
    line->n--;
    for (size_t i = 0; i < ENFORCE_WAIT_COUNT; i++)
        enforce_reply_unref(&f->replies[i]);
    explicit_bzero(f->room, f->payload.n); /* it has credentials in it */
    f->state = DEFERRED_FREE;
    f->next = d->free;
    d->free = f;
    d->n--;
}

void defer_done(struct defer *d, struct deferred *f)
{
    CC_ASSERT(f->state == DEFERRED_TAKEN);
    release(d, f);
}

void defer_again(struct defer *d, struct deferred *f, const struct enforce_await *await,
                 int64_t now_us)
{
    CC_ASSERT(f->state == DEFERRED_TAKEN);
    wait_for(d, f, await, now_us);
}

void defer_forget(struct defer *d, struct defer_line *line, struct counters *counters)
{
    while (line->first != NULL) {
        struct deferred *f = line->first;

        CC_ASSERT(f->state == DEFERRED_WAITING || f->state == DEFERRED_READY);
        if (f->state == DEFERRED_WAITING)
            wait_no_more(d, f);
        counter_bump(&counters->deferred_lost);
        release(d, f);
    }
    line->first_ready = line->last_ready = NULL;
}

size_t defer_count(const struct defer *d)
{
    return d->n;
}
