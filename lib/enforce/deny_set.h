/* deny_set: deny rules made ready to be asked (private to enforce).
 *
 * Texts are found by halving, addresses by halving and a walk over the ranges that may still reach
 * so far; inverted rules are tried one by one. Immutable: any thread. */
#pragma once

#include "gateway/address.h"
#include "gateway/policy.h"

struct deny_set;

/* Copies pointers, not rules: these must live as long. Memory is the caller's arena, of which it
 * takes deny_set_bytes(). NULL: none, or a rule that no reader of snapshots would take. */
size_t deny_set_bytes(size_t n);
struct deny_set *deny_set_new(const struct gw_deny_rule *rules, size_t n, struct arena *arena);

/* Are there rules of this kind? Then it is worth making the text that they are compared with. */
bool deny_set_has(const struct deny_set *s, enum gw_denial kind);

/* The rule that denies the text, or NULL. */
const struct gw_deny_rule *deny_set_find(const struct deny_set *s, enum gw_denial kind,
                                         struct slice text, int64_t now_s);

/* Could that ever be another rule than NULL, at whatever time? */
bool deny_set_touches(const struct deny_set *s, enum gw_denial kind, struct slice text);

/* The same for an address. NULL: it is not known, and so in no range. */
const struct gw_deny_rule *deny_set_find_address(const struct deny_set *s,
                                                 const struct gw_address *address, int64_t now_s);
