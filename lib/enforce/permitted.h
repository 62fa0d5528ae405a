/* permitted: who may use an API key (private to enforce).
 *
 * Both are lists with commas that the issuer of a key signed with it; empty ones permit anybody.
 * What cannot be read permits nobody: a list that is not empty and has no usable item refuses.
 * Pure, and bounded: the time is that of the list's length times the text's, both limited. */
#pragma once

#include "gateway/address.h"

enum { PERMITTED_REFERER_MAX = 2048 /* bytes of a Referer that is looked at */ };

/* Items are addresses and networks of both families: "10.0.0.0/8, 2001:db8::1". IPv4 and
 * IPv4-mapped IPv6 are one. */
bool permitted_address(struct slice list, const struct gw_address *client);

/* Items are whole values, in which '*' is any text without spaces: "*.example.com". */
bool permitted_referer(struct slice list, struct slice referer);
