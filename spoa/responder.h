/* responder: what stands behind a connection and answers NOTIFY frames.
 *
 * The agent's is struct dispatch (dispatch.h); the benchmark's null agent has one that decides
 * nothing, so that comparing the two measures the decision alone. A responder belongs to one
 * worker: its functions are called by that worker's thread only, but `report`. */
#pragma once

#include "enforce/enforce.h"
#include "spoa/counters.h"
#include "spoa/spop.h"

struct responder {
    /* Writes the whole ACK of `notify` into room (at least max_frame + SPOP_LENGTH_SIZE bytes).
     * Returns its size, or 0 when the payload is malformed: then nobody knows what was asked and
     * the connection ends. */
    size_t (*answer)(struct responder *self, const struct spop_frame *notify,
                     const struct clock *clock, struct counters *counters, void *room,
                     size_t max_frame);

    /* Takes over the reference to new rules, returns that to the old ones. NULL: has no rules. */
    struct enforce_rules *(*adopt)(struct responder *self, struct enforce_rules *rules);

    /* The same for what feeders know. NULL: does not care. */
    struct enforce_live *(*adopt_live)(struct responder *self, struct enforce_live *live);

    /* Adds "name=value ..." to the counters' log line; any thread. NULL: nothing to add. */
    void (*report)(const struct responder *self, struct buf *out);
};
