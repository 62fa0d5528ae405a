/* counter_state: counters on disk, so that a restart of the agent gives nobody a new quota.
 *
 * One file, 0600: the secret that keys are hashed with, and each key with an open window, with its
 * text (which may name users: personal data). It is written beside the old one and renamed, in
 * blocks with a checksum each; one that is cut, torn, changed or of another version is refused as a
 * whole. What it cannot know is lost: what was counted since it was written, and what newcomers
 * without room shared.
 *
 * Times are monotonic. After a restart of the machine, whose monotonic clock starts anew, the wall
 * clock says how long it was away; one that went back says 0. */
#pragma once

#include "throttle/counter.h"

enum { COUNTER_BOOT_BYTES = 40 };

/* Which run of the machine a monotonic time is of. All zero: not known, never the same as another.
 */
struct counter_boot {
    char id[COUNTER_BOOT_BYTES];
};

struct counter_boot counter_boot_now(void);

/* Writes the table to `path` while others use it; holds each shard's lock for as long as copying
 * takes. */
int counter_state_write(struct counter_table *t, const char *path, struct counter_time now);

struct counter_state_report {
    size_t loaded;   /* keys */
    size_t over;     /* keys whose window is over by now */
    size_t left_out; /* keys for which the table has no room */
    int64_t age_s;   /* since it was written */
};

/* Fills a table that nobody has used yet from the file `path` in `directory`. CC_ENOENT: there is
 * none. CC_EREFUSED: others than we and root can write it or the directory. CC_EPARSE: damaged.
 * CC_EVERSION: of another version. The table then is as it was. */
int counter_state_read(struct counter_table *t, const char *directory, const char *path,
                       struct counter_time now, struct counter_state_report *report);

/* The content of such a file; for counter_state_read() and the fuzz target. */
int counter_state_parse(struct counter_table *t, struct slice text, struct counter_boot boot,
                        struct counter_time now, struct counter_state_report *report);
