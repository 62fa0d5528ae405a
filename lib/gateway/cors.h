/* Origins of web pages, and which of them a CORS policy allows (WHATWG Fetch, "CORS protocol"; an
 * origin is written as in RFC 6454 6.2: scheme://host, the port only when it is not the scheme's
 * own, or "null").
 *
 * A policy names origins exactly, allows all ("*"), or has patterns: "*.example.com" behind a
 * scheme stands for every name below example.com, however deep, but not for example.com itself.
 * There are no other wildcards and no regular expressions: one that also fits example.com.evil.test
 * is how APIs get opened.
 *
 * All functions are pure, allocate nothing and are safe from any thread. */
#pragma once

#include "gateway/gateway.h"

enum {
    /* A DNS name with scheme and port fits. Bounded because it is sent back in every response. */
    GW_ORIGIN_MAX = 300,
    /* Lists that responses carry, joined. Exposed headers stand in answers of backends, for whose
     * changes HAProxy keeps tune.maxrewrite bytes, by default 1024; the others in answers without
     * a body. */
    GW_CORS_EXPOSE_MAX = 512,
    GW_CORS_LIST_MAX = 2048
};

/* Can this stand in a response? What cannot is allowed by no policy, "*" included, so that nothing
 * strange is ever sent back. It need not be what a browser sends: "example.com" is sane. */
bool gw_origin_is_sane(struct slice origin);

/* The form in which a policy keeps an origin: scheme and host in lower case, no port that is the
 * scheme's own. `room` takes origin.n bytes. */
struct slice gw_origin_normalize(struct slice origin, char *room);

/* Is this usable as one of gw_cors.origins (resp. gw_cors.patterns)? NULL when it is, else what is
 * wrong with it, for a finding. */
const char *gw_origin_fault(struct slice origin);
const char *gw_origin_pattern_fault(struct slice pattern);

bool gw_cors_allows(const struct gw_cors *cors, struct slice origin);

/* The order of policies by their content; 0: they are equal. */
int gw_cors_cmp(const struct gw_cors *a, const struct gw_cors *b);
