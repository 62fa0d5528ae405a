/* deny_list: deny rules that change while a snapshot stays: part of the live state. Immutable and
 * shared by reference count. */
#pragma once

#include "enforce/deny_set.h"

struct deny_list;

/* Copies the rules with their values; their places are left out. CC_EINVAL: one is not usable. */
int deny_list_new(struct deny_list **out, const struct gw_deny_rule *rules, size_t n);
struct deny_list *deny_list_ref(struct deny_list *l);
void deny_list_unref(struct deny_list **l);

/* No other list has ever had it (base/serial.h). */
uint64_t deny_list_serial(const struct deny_list *l);

const struct deny_set *deny_list_set(const struct deny_list *l);
size_t deny_list_count(const struct deny_list *l);
const struct gw_deny_rule *deny_list_at(const struct deny_list *l, size_t i);
