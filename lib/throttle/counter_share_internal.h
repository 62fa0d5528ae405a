/* What counting asks of sharing (private to throttle). The lock of the key's shard is held. */
#pragma once

#include "throttle/counter_internal.h"
#include "throttle/counter_share.h"

#include <stdatomic.h>

/* What a key's entry has besides, when keys are shared. */
struct counter_remote {
    uint8_t name[COUNTER_NAME_BYTES];
    uint64_t window; /* as struct counter_report has it */
    uint64_t others; /* used by other gateways, as of the last answer */
    uint64_t told;   /* used by this one, as of the last answer */
    uint64_t untold; /* strict, sliding: used by this one without asking, and not told of yet */
    uint32_t turn;   /* another one with each window of the entry, and with each key of the place */
    uint32_t next;
    bool marked, named;
    uint8_t away; /* of the rule it was asked for by last */
};

struct counter_sharing {
    struct counter_share_options options;
    struct counter_remote *remotes; /* one for each entry */
    size_t bytes;
    _Atomic bool up;
    _Atomic int64_t hold_us; /* until then, others may not have told everything again */
    _Atomic int64_t lost_us; /* the same, when what they told before is lost too */
};

static inline struct counter_remote *remotes_of(const struct counter_table *t,
                                                const struct counter_shard *s)
{
    return t->sharing->remotes + (s - t->shards) * ENTRIES;
}

enum remote_verdict {
    REMOTE_AGREES,
    REMOTE_USED_UP,  /* by all together */
    REMOTE_NO_LEASE, /* there is quota, but too much of it is not told yet */
    REMOTE_AWAY,     /* nobody can be asked, and this gateway's part is used up */
    REMOTE_ALLOWS    /* nobody can be asked, and then there is no limit */
};

static inline enum counter_away remote_away(const struct counter_sharing *s,
                                            const struct counter_rule *rule)
{
    enum counter_away away = rule->away != COUNTER_AWAY_UNSET ? rule->away : s->options.away;

    return away != COUNTER_AWAY_UNSET ? away : COUNTER_AWAY_LOCAL;
}

/* Has this gateway some of its part of a quota left? */
bool remote_has_part(const struct counter_sharing *s, const struct counter_rule *rule,
                     uint64_t used, uint64_t need);

/* May `need` more be used than the `used` of this gateway? r is NULL for a key that is not known.
 */
enum remote_verdict remote_judge(const struct counter_sharing *s, const struct counter_rule *rule,
                                 const struct counter_remote *r, uint64_t used, uint64_t need,
                                 int64_t mono_us);

/* The rule that an entry was asked by last. */
struct counter_rule entry_rule(const struct counter_entry *e, enum counter_away away);

void remote_settle(struct counter_remote *r, struct slice key);
void remote_new_window(struct counter_remote *r);
/* The same for a window that opens after the last one was over, not for one that was cleared. */
void remote_next_window(struct counter_remote *r, bool sliding);
void remote_mark(struct counter_shard *s, struct counter_remote *remotes, uint32_t entry);

/* Is half of the lease used up? */
bool remote_hurries(const struct counter_sharing *s, const struct counter_entry *e,
                    const struct counter_remote *r, enum counter_unit unit);

/* REMOTE_NO_LEASE: when a request of this cost fits; -1: it is larger than the lease, so never. */
int64_t remote_lease_us(const struct counter_sharing *s, const struct counter_rule *rule,
                        uint64_t cost);

void sharing_free(struct counter_sharing **s);
