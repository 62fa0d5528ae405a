/* The revoker from inside: what its parts share. */
#pragma once

#include "revoke/revoke_journal.h"
#include "spoa/revoker.h"
#include "spoa/revoker_redis.h"

struct revoker {
    struct revoked *table;
    struct revoker_options options;
    struct revoke_journal *journal; /* NULL: nothing is saved */
    struct ev_loop *loop;           /* NULL: not started */
    ev_stat stat;
    ev_statdata seen; /* of the file, when it was last read */
    ev_timer settled, sweep, retry, save;
    struct revoker_redis *redis; /* NULL: none */
    bool saved;                  /* what we start with was in step with other gateways once */
    bool behind;                 /* the disk is; said once */
    bool overflow;               /* the table's; said once */
#define X(name, help) uint64_t name;
    REVOKER_COUNTERS(X)
#undef X
};

/* A revocation that is to be saved, by revoker_save(). */
enum revoked_result revoker_add(struct revoker *r, struct slice id, int64_t until_s);
int revoker_remove(struct revoker *r, struct slice id);
int revoker_save(struct revoker *r);
/* Together with what else comes within a moment. */
void revoker_save_soon(struct revoker *r);
void revoker_look_for_overflow(struct revoker *r);

/* The commands (revoker_commands.c). */
void revoker_register(struct revoker *r, struct admin *admin);
