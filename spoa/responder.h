/* responder: what stands behind a connection and answers NOTIFY frames.
 *
 * The agent's is struct dispatch (dispatch.h); the benchmark's null agent has one that decides
 * nothing, so that comparing the two measures the decision alone. A responder belongs to one
 * worker: its functions are called by that worker's thread only, but `report`.
 *
 * An answer may come later: then the responder has put the frame into its struct defer, and gives
 * the ACK when the connection asks for it, which it does once defer has said that something is
 * ready. */
#pragma once

#include "enforce/enforce.h"
#include "spoa/counters.h"
#include "spoa/defer.h"
#include "spoa/spop.h"

#define RESPONDER_LATER SIZE_MAX

struct responder {
    /* Writes the whole ACK of `notify` into room (at least max_frame + SPOP_LENGTH_SIZE bytes).
     * Returns its size, or 0 when the payload is malformed: then nobody knows what was asked and
     * the connection ends. RESPONDER_LATER: the frame waits, and is one of `line`. */
    size_t (*answer)(struct responder *self, const struct spop_frame *notify,
                     struct defer_line *line, const struct clock *clock, struct counters *counters,
                     void *room, size_t max_frame);

    /* The same for the frame of `line` that has been ready for longest; there is one. Never 0. */
    size_t (*answer_ready)(struct responder *self, struct defer_line *line,
                           const struct clock *clock, struct counters *counters, void *room,
                           size_t max_frame);

    /* What waits. NULL: everything is answered at once, and answer_ready is not called. */
    struct defer *defer;

    /* Takes over the reference to new rules, returns one to rules that it no longer uses; NULL when
     * there are none. NULL: has no rules. */
    struct enforce_rules *(*adopt)(struct responder *self, struct enforce_rules *rules,
                                   const struct clock *clock);

    /* The same for what feeders know. NULL: does not care. */
    struct enforce_live *(*adopt_live)(struct responder *self, struct enforce_live *live);

    /* Adds "name=value ..." to the counters' log line; any thread. NULL: nothing to add. */
    void (*report)(const struct responder *self, struct buf *out);
};
