/* defer: NOTIFY frames that are answered later, because a decision waits for something.
 *
 * One a worker, and its thread's alone. All memory is taken at the start: a table of places with a
 * free list, each with room for a copy of one frame's payload. A frame that waits is in three
 * lists: by age, for its deadline; of its connection, which may end; and, by its key, among those
 * that wait for the same thing. It becomes ready by the reply that it waits for, or by its
 * deadline, and then waits for its connection to have room for the answer.
 *
 *     defer_has_room(), defer_add() ... defer_deliver() or defer_expire() ... defer_take() ->
 * defer_done(), or defer_again() when it turns out to wait for something else
 *
 * The number of frames is bounded for the worker and for each connection, so that no one connection
 * takes all places; SPOP allows answers in any order, by stream-id and frame-id (SPOE.txt 3.2.8).
 */
#pragma once

#include "enforce/await.h"
#include "spoa/counters.h"
#include "spoa/spop.h"

enum {
    /* HAProxy lets at most 20 wait on one connection (max-waiting-frames; a constant from 3.1 on)
     */
    DEFER_MAX_PER_LINE = 32,
    DEFER_MAX_FRAMES = 4096
};

#define DEFER_NEVER INT64_MAX

struct defer;
struct deferred;

/* A connection's part: what of its frames waits. Embedded in it; its first bytes zero but for
 * `wake`. */
struct defer_line {
    struct deferred *first; /* all that wait or are ready */
    struct deferred *first_ready, *last_ready;
    size_t n;
    /* Something is ready. Called by defer_deliver() and defer_expire(): must not take it right
     * there. */
    void (*wake)(struct defer_line *line);
};

/* One frame that waits. Who has taken it reads it, no more. */
struct deferred {
    uint64_t stream_id, frame_id;
    struct slice payload;
    bool overdue; /* nothing came in time */
    struct enforce_reply *replies[ENFORCE_WAIT_COUNT];
    /* private */
    enum { DEFERRED_FREE, DEFERRED_WAITING, DEFERRED_READY, DEFERRED_TAKEN } state;
    enum enforce_wait what;
    struct enforce_key key;
    int64_t due_us;
    struct defer_line *line;
    struct deferred *next;          /* free, or ready of the same line */
    struct deferred *older, *newer; /* that wait */
    struct deferred *line_prev, *line_next;
    uint8_t *room;
};

struct defer_options {
    size_t frames;                               /* at once; 1 to DEFER_MAX_FRAMES */
    size_t frame_bytes;                          /* of the largest payload that may wait */
    int64_t patience_us;                         /* from a frame's first look to its refusal */
    int64_t patience_for_us[ENFORCE_WAIT_COUNT]; /* less, for this; 0: as much */
};

int defer_new(struct defer **out, const struct defer_options *options);
/* All lines must be empty. Accepts a pointer to NULL. */
void defer_free(struct defer **d);

/* Does a frame wait for this already? Then it has been asked for. */
bool defer_waits_for(const struct defer *d, const struct enforce_await *await);

/* Is there a place, in the table, for this line, and for a frame of this size? */
bool defer_has_room(const struct defer *d, const struct defer_line *line,
                    const struct spop_frame *frame);

/* Keeps a copy of the frame, for which there is room, until there is a reply. */
void defer_add(struct defer *d, struct defer_line *line, const struct spop_frame *frame,
               const struct enforce_await *await, int64_t now_us);

/* What waits for this reply is ready; takes over the reference. */
void defer_deliver(struct defer *d, struct enforce_reply *reply, struct counters *counters);

/* When the next frame is overdue; DEFER_NEVER: none waits. */
int64_t defer_due(const struct defer *d);
/* What is overdue at now_us is ready. */
void defer_expire(struct defer *d, int64_t now_us, struct counters *counters);

/* The line's next ready frame, in the order in which they became so; NULL: there is none. */
struct deferred *defer_take(struct defer *d, struct defer_line *line);
/* It has been answered: its place is free, and what was in it wiped. */
void defer_done(struct defer *d, struct deferred *f);
/* It waits on, for something else; its deadline does not move away. */
void defer_again(struct defer *d, struct deferred *f, const struct enforce_await *await,
                 int64_t now_us);

/* The connection ends: nothing of it is answered any more. */
void defer_forget(struct defer *d, struct defer_line *line, struct counters *counters);

/* How many wait or are ready. */
size_t defer_count(const struct defer *d);
