/* counting: the agent's table of counters, and its state file.
 *
 * The table is made at the start from the settings, filled from the file in the state directory,
 * and outlives every snapshot. A timer on the main thread starts a thread that writes the file,
 * when something was counted since; the end of the agent writes it once more. What went wrong is in
 * the log, once for each time that it begins. */
#pragma once

#include "spoa/admin.h"
#include "spoa/counting_redis.h"
#include "throttle/counter_state.h"

#include <ev.h>

struct counting;

struct counting_options {
    size_t keys;
    const char *directory;                       /* for the file; NULL or "": nothing is saved */
    int64_t interval_s;                          /* between two writes */
    const struct counting_redis_options *shared; /* NULL: this gateway counts alone */
};

/* Blocks on the disk. CC_ENOMEM, CC_EINVAL as counter_table_new(); a file that cannot be read is in
 * the log and no error: everybody begins with a whole quota then. */
int counting_new(struct counting **out, const struct counting_options *options);

/* Waits for a write under way, writes a last time, frees. No other thread uses the table any more.
 */
void counting_free(struct counting **c);

/* Writes now and then from here on; the loop must outlive the counting, or counting_stop() be
 * called. */
void counting_start(struct counting *c, struct ev_loop *loop);

/* Before the link is started and the first request comes; nothing happens when it counts alone. */
void counting_join(struct counting *c, struct ev_loop *loop, struct redis_link *link);

void counting_stop(struct counting *c);

struct counter_table *counting_table(struct counting *c);

/* Whom decisions ask for their limits; NULL: nobody, the table alone decides. */
struct oracle *counting_oracle(struct counting *c);

/* With whom it counts; NULL: alone. */
struct counting_redis *counting_sharing(struct counting *c);

/* Of the admin socket; their context is the counting. */
extern const struct admin_command counting_commands[];
extern const size_t counting_n_commands;

/* Appends what was counted, " name=value" each. */
void counting_report(struct counting *c, struct buf *out);
