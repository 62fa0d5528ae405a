/* throttle_memo: what throttling found out about a caller, so that it is found out once (private to
 * enforce).
 *
 * Of each caller and operation: the limits that depend on nothing else, with the hashes of their
 * keys, and whether deny rules can be about them at all. One worker's own: no locks. An entry is
 * only found when everything that it was made from is the same, byte by byte: the rules, the API
 * and operation, and all that the keys and deny rules are made from. What depends on the request,
 * such as conditions, is not in it, nor is anything that depends on the time. Custom policies often
 * count by the client's address: those of the address that came last are in it too.
 *
 * All memory is taken at the start, and touched as callers come: at most THROTTLE_MEMO_ENTRIES of
 * about 1 KiB. A caller whose texts are too long for an entry is described anew each time. */
#pragma once

#include "enforce/throttle_limits.h"

enum {
    THROTTLE_MEMO_ENTRIES = 2048, /* at most; a power of two */
    THROTTLE_MEMO_LIMITS = 3,     /* that do not depend on the request */
    THROTTLE_MEMO_CUSTOM = 2,
    THROTTLE_MEMO_TEXT = 640,
    THROTTLE_MEMO_WHO = 7
};

/* What it was made from. */
struct throttle_memo_who {
    uint64_t mark; /* of all of it; 0: there is no entry */
    uint64_t rules;
    const struct gw_api *api;
    const struct gw_operation *operation;
    int64_t app_id;
    uint32_t stop;
    uint32_t texts_n[THROTTLE_MEMO_WHO];
};

struct throttle_memo_entry {
    struct throttle_memo_who who;
    const struct throttle_policy *grouped; /* of its groups the request chooses; may be NULL */
    /* no deny rule is about the caller: of the snapshot; and of the live list with this number, of
     * none if that is 0 */
    bool free_of_rules;
    uint64_t free_of_list;
    struct slice user;
    size_t n;
    struct throttle_memo_limit {
        const struct throttle_limit *limit;
        const struct counter_rule *rule;
        struct slice key; /* this and user: in `text` */
        struct counter_known known;
        enum refusal why;
    } limits[THROTTLE_MEMO_LIMITS + THROTTLE_MEMO_CUSTOM];
    /* of custom policies, behind the others: with the address that was asked for last */
    size_t n_custom; /* 0: not known */
    bool has_src;
    struct gw_address src;
    size_t used; /* of the text, without that of custom policies */
    char text[THROTTLE_MEMO_TEXT];
};

struct throttle_memo;

/* Of at most `entries` entries. CC_ENOMEM. */
int throttle_memo_new(struct throttle_memo **out, size_t entries);
void throttle_memo_free(struct throttle_memo **m);

/* Forgets all: where keys are is true of one table of counters. `m` may be NULL. */
void throttle_memo_clear(struct throttle_memo *m);

/* What is known of this caller, all of whom but `user` is described; or NULL. Valid until
 * the next call that keeps. */
struct throttle_memo_entry *throttle_memo_find(struct throttle_memo *m, const struct attempt *a,
                                               const struct throttle_caller *c);

/* Remembers what throttle_limits_of_caller() found, and nothing else has added to. NULL: it does
 * not fit. */
struct throttle_memo_entry *throttle_memo_keep(struct throttle_memo *m, const struct attempt *a,
                                               const struct throttle_caller *c,
                                               const struct throttle_limits *l);

/* Appends the remembered limits. */
void throttle_memo_limits(struct throttle_memo_entry *e, struct throttle_limits *l);

/* The same of custom policies, where throttle_rules.custom_of_caller. False: they are not known, or
 * were for another address. */
bool throttle_memo_custom(struct throttle_memo_entry *e, const struct attempt *a,
                          struct throttle_limits *l);
/* Remembers those from number `first` on, which throttle_limits_custom() has added. */
void throttle_memo_keep_custom(struct throttle_memo_entry *e, const struct attempt *a,
                               struct throttle_limits *l, size_t first);
