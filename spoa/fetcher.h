/* fetcher: GETs of lib/fetch on an event loop.
 *
 * libcurl's multi interface tells which sockets to watch and when to wake; libev does. Names are
 * looked up in threads of libcurl. Nothing blocks. All calls and callbacks are the loop's thread's. */
#pragma once

#include "fetch/http.h"

#include <ev.h>

struct fetcher;
struct flight;

int fetcher_new(struct fetcher **out, struct ev_loop *loop);
/* Ends all flights without telling anybody. Accepts a pointer to NULL. */
void fetcher_free(struct fetcher **f);

/* Takes over `get`, also on failure. `done` is called once, from the loop, unless the flight is
 * cancelled; the result lives until it returns, and *out is of no use from then on. */
int fetcher_start(struct fetcher *f, struct http_get *get,
                  void (*done)(void *context, const struct http_result *result), void *context,
                  struct flight **out);
void fetcher_cancel(struct fetcher *f, struct flight **flight);
