/* pattern: regular expressions of policies, on PCRE2, bounded.
 *
 * A pattern is written by the operator, the text it is tried on by whoever sends requests. So what
 * can take long is refused when it is written (gw_pattern_fault()), and every try has a budget of
 * steps and memory all the same: one that uses it up is an error, which is neither "matches" nor
 * "does not". Texts are bytes: no Unicode tables, no locale.
 *
 * Compiling allocates. A struct gw_pattern is immutable and may be used from any thread, each with
 * a struct gw_pattern_room of its own. */
#pragma once

#include "base/base.h"

struct gw_pattern;
struct gw_pattern_room;

/* What is wrong with it, or NULL. Written into `room` when it is PCRE2's own words. */
enum { GW_PATTERN_FAULT = 256 };
const char *gw_pattern_fault(struct slice text, char room[GW_PATTERN_FAULT]);

/* Is it plain text, without any character that has a meaning? Then looking for that text does. */
bool gw_pattern_is_literal(struct slice text);

/* CC_EINVAL: it has a fault; CC_ENOMEM. */
int gw_pattern_new(struct gw_pattern **out, struct slice text);
void gw_pattern_free(struct gw_pattern **p);

/* What a thread needs to try patterns; warmed up, so that a try allocates nothing. NULL: no memory.
 */
struct gw_pattern_room *gw_pattern_room_new(void);
void gw_pattern_room_free(struct gw_pattern_room **room);

enum gw_found { GW_FOUND, GW_NOT_FOUND, GW_FOUND_ERROR /* the budget is used up */ };

/* Is there a match anywhere in `text`? */
enum gw_found gw_pattern_find(const struct gw_pattern *p, struct gw_pattern_room *room,
                              struct slice text);
