/* cors: what a browser is told about an API (private to enforce).
 *
 * The policy of the API holds for whatever is answered, refusals included, so that a page can read
 * why it was refused. A preflight request is answered here, before any authentication: browsers
 * send none with it (WHATWG Fetch, "CORS-preflight fetch"). */
#pragma once

#include "enforce/enforce.h"
#include "enforce/rules.h"

/* Fills out->cors for out->api, which may be NULL. */
void cors_describe(const struct enforce_rules *rules, const struct enforce_request *request,
                   struct enforce_decision *out);

/* Is the request, an OPTIONS for one of the matches of `route`, a preflight whose origin is
 * allowed? Then `route` is settled on the match that the method asked for belongs to. */
bool cors_is_preflight(const struct enforce_rules *rules, const struct enforce_request *request,
                       struct gw_route *route);
