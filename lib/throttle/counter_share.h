/* counter_share: one quota over several gateways, which tell each other what they have admitted.
 *
 * Each gateway decides by its own table, at once. Now and then it tells a place that all can reach
 * how much of each key's quota it has used itself in the open window, and hears how much all have.
 * What it tells is always the whole count, not what came since: a message that is lost, repeated or
 * answered late does no harm, and a place that has forgotten everything knows it again after one
 * round.
 *
 * Between two rounds a gateway may admit what is left as far as it knows, but no more than a
 * *lease* that it has not told of. So no more than max + (gateways - 1) x lease pass in one window:
 * take the gateway that heard of the others last before it admitted something. What it heard and
 * has admitted since is at most max; each other one has admitted at most a lease that was not in
 * it.
 *
 * A window begins with the first request that any gateway tells of; the others adopt its end. Spike
 * arrest and newcomers that share an entry for want of room are counted by each gateway alone.
 *
 * Who clears a key opens another window for it at the place: a fixed one with a later end, so that
 * the others take the one that they know for over; a sliding one is cleared at a time, which is
 * then what it is called. What a gateway admits until it hears of that, at most a lease, is
 * forgotten.
 *
 * While the place cannot be reached (counter_share_link()), the limits do as `away` says.
 *
 * This module does no I/O. One thread collects reports and hands in answers; others may count
 * meanwhile. */
#pragma once

#include "throttle/counter.h"

enum { COUNTER_NAME_BYTES = 16, COUNTER_MAX_GATEWAYS = 64 };

struct counter_share_options {
    unsigned gateways;      /* 1 to COUNTER_MAX_GATEWAYS: how many there are, this one with them */
    unsigned lease_percent; /* of a quota, 1 to 100 */
    uint64_t lease_least;   /* but so many requests, if the quota has so many */
    int64_t round_us;       /* how long until the next round: for who runs out of lease */
    enum counter_away away; /* of limits that do not say; UNSET: LOCAL */
    bool strict;            /* counter_strict.h: there are no leases, each request asks */
    /* A lease is half used up: a round should not wait. Any thread, no lock held; may be NULL. */
    void (*hurry)(void *context);
    void *context;
};

/* From now on keys are shared. Before the first request; the table of a state file may have keys
 * already. */
int counter_share_start(struct counter_table *t, const struct counter_share_options *options);

/* A quota's lease, and by how much at most all gateways together exceed it. */
uint64_t counter_share_lease(const struct counter_share_options *o, enum counter_unit unit,
                             uint64_t max);
uint64_t counter_share_overshoot(const struct counter_share_options *o, enum counter_unit unit,
                                 uint64_t max);

/* The name of this gateway, which its state file keeps: 16 hexadecimal digits. */
void counter_share_node(const struct counter_table *t, char name[17]);

/* What a key is called elsewhere. False: there is no memory. */
bool counter_share_name(struct slice key, uint8_t name[COUNTER_NAME_BYTES]);

/* Which fixed window of a key is open here, as struct counter_report has it; 0: none is known. */
uint64_t counter_share_window(struct counter_table *t, struct slice key, struct counter_time now);

/* Can the others be reached? False at the start. */
void counter_share_link(struct counter_table *t, bool up);

struct counter_report {
    uint8_t name[COUNTER_NAME_BYTES]; /* of the key: the beginning of its SHA-256 */
    bool sliding;
    uint64_t window;    /* fixed: which one, by its end in the other side's time; 0: not known yet.
                           Sliding: when it was last cleared, by that time, as far as is known */
    uint64_t count;     /* what this gateway has used of it */
    uint64_t left_ms;   /* fixed: of the window; sliding: its length */
    uint64_t length_ms; /* of a window that opens now */
    /* private: where it came from */
    size_t shard;
    uint32_t entry, turn;
};

/* The keys that were asked for since they were last collected, at most n. */
size_t counter_share_collect(struct counter_table *t, struct counter_time now,
                             struct counter_report *reports, size_t n);

enum counter_answer_kind {
    COUNTER_ANSWER_TOLD,  /* taken; `total` has it */
    COUNTER_ANSWER_OTHER, /* not taken: another window is open there, or it was cleared */
    COUNTER_ANSWER_OVER   /* not taken: this window is over there, and none is open */
};

struct counter_answer {
    enum counter_answer_kind kind;
    uint64_t window, total, left_ms; /* of the window that is open there */
};

void counter_share_answer(struct counter_table *t, const struct counter_report *report,
                          const struct counter_answer *answer, struct counter_time now);

/* The other side may have forgotten what it was told, or could not be reached: all that is open
 * here is told again. For hold_us, in which the other gateways have time to do so too,
 * COUNTER_AWAY_LOCAL still counts besides: what they have used alone is not known yet. `lost`: it
 * has forgotten everything. */
void counter_share_again(struct counter_table *t, struct counter_time now, int64_t hold_us,
                         bool lost);

/* All gateways are there: settle_us from now, they have told everything. */
void counter_share_all_here(struct counter_table *t, struct counter_time now, int64_t settle_us);

/* Is it still unknown what others have used? */
bool counter_share_holds(const struct counter_table *t, struct counter_time now);

/* There was no answer: it will be collected again. */
void counter_share_failed(struct counter_table *t, const struct counter_report *report);
