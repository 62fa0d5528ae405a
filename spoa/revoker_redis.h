/* The revoker's part in Redis (private to it): hears of the revocations of other gateways, and
 * tells them its own. */
#pragma once

#include "spoa/redis_link.h"
#include "spoa/revoker.h"

struct revoker_redis;

/* Joins the link. The revoker is not ready before it is in step, or that cannot be for now. */
int revoker_redis_new(struct revoker_redis **out, struct revoker *revoker, struct redis_link *link,
                      struct slice prefix);
/* Before the loop goes; after the link was freed. */
void revoker_redis_free(struct revoker_redis **x);

/* A change that was made here. */
void revoker_redis_tell(struct revoker_redis *x, struct slice id, int64_t until_s, bool revoked);
bool revoker_redis_is_in_step(const struct revoker_redis *x);
