/* query: parameters of a query: found, read, and those that hold credentials taken out (private to
 * enforce).
 *
 * A query is what the client sent: `name=value` with '&' between them. Names are compared decoded
 * (WHATWG URL, application/x-www-form-urlencoded), as backends compare them, so that no spelling of
 * a name gets past. What stays is copied byte by byte: nothing is encoded anew or moved. Pure. */
#pragma once

#include "base/base.h"

/* Takes one byte off what is left of a name or value, decoded; a '%' before what is no hex number
 * is itself. */
char query_take_decoded(struct slice *rest);

/* Is the name that was sent this one, once it is decoded? */
bool query_name_is(struct slice sent, struct slice name);

/* How often the parameter is there; *value is what the first one says, as it was sent. */
unsigned query_find(struct slice query, struct slice name, struct slice *value);

/* `query` without the parameters of these names, in `room` of at least query.n bytes. False: there
 * was none of them, and nothing was written. */
bool query_cut(struct slice query, const struct slice *names, size_t n, char *room,
               struct slice *out);
