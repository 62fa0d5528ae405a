/* jwks_feeder: follows the key sets of the rules' issuers and publishes what it knows as a struct
 * enforce_live.
 *
 * One flight a URL, however many issuers name it. When to fetch is jwks_schedule.h's; what comes is
 * checked by crypto/jwks.h; what was good is saved in the state directory and read back at the next
 * start. A state that changes is a line in the log, a failure that goes on is a counter.
 *
 * All calls are the main thread's. Saving blocks on the disk, and so nothing here is for a worker. */
#pragma once

#include "config/config.h"
#include "enforce/enforce.h"
#include "fetch/http.h"
#include "spoa/jwks_schedule.h"
#include "spoa/jwks_wanted.h"

struct jwks_feeder;

struct jwks_feeder_options {
    struct http_limits limits;
    struct jwks_times times;
    const char *state_directory; /* NULL: nothing is saved */
    const struct clock *clock;
};

/* From cc.yaml; texts stay the config's. */
struct jwks_feeder_options jwks_feeder_settings(const struct config *config);

/* `publish` gets a reference to each new state, also from inside of jwks_feeder_follow(). */
int jwks_feeder_new(struct jwks_feeder **out, struct ev_loop *loop,
                    const struct jwks_feeder_options *options, struct jwks_wanted *wanted,
                    void (*publish)(void *context, struct enforce_live *live), void *context);
void jwks_feeder_free(struct jwks_feeder **f);

/* Follows the key sets of this model, and no others any more. */
int jwks_feeder_follow(struct jwks_feeder *f, const struct gw_model *model);

#define JWKS_COUNTERS(X)                                               \
    X(fetches, "key sets asked for")                                   \
    X(failures, "of which nothing usable came back")                   \
    X(unchanged, "of which the server said: not modified")             \
    X(changes, "key sets that came with other keys")                   \
    X(expired, "key sets given up because they could not be fetched") \
    X(unsaved, "key sets that could not be saved")

/* Adds "jwks_fetches=... jwks_stale=..." to a log line. */
void jwks_feeder_report(const struct jwks_feeder *f, struct buf *out);
