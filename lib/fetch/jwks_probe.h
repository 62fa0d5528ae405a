/* jwks_probe: one look at a key set, for people who ask. */
#pragma once

#include "config/config.h"
#include "crypto/jwks.h"
#include "fetch/http.h"

/* What cc.yaml says of fetching key sets; texts stay the config's. */
struct http_limits jwks_limits(const struct config *config);

/* Fetches and parses the key set. *error is why that did not work ("" after CC_OK), cut to its room.
 * Blocks for at most the time-out. */
int jwks_probe(struct slice url, const struct http_limits *limits, struct jwks **out,
               struct jwks_report *report, char error[256]);

/* "not a key set (JSON)", for what jwks_parse() says. */
const char *jwks_parse_fault(int rc);
