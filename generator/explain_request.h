/* explain_request: the request that `cc-gen explain` is asked about, from a command line or a line
 * of a batch file, and what HAProxy makes of it before it asks the agent.
 *
 *     GET https://api.example.com/pets?limit=3
 *     GET /pets<TAB>Host: api.example.com<TAB>Authorization: Bearer eyJ...
 *
 * Everything is a slice of the caller's text or lives in the arena. */
#pragma once

#include "enforce/enforce.h"

enum {
    EXPLAIN_MAX_HEADERS = 100, /* HAProxy's tune.http.maxhdr is 101, the request line included */
    EXPLAIN_MAX_BYTES = 64 << 10
};

struct explain_header {
    struct slice name; /* lower case */
    struct slice value;
};

struct explain_request {
    struct slice method, url; /* as given */
    struct slice host;        /* of the URL, or of the header Host */
    struct slice path, query;
    struct slice ip; /* of the client; absent: not told. HAProxy sends it on, nothing else asks. */
    struct slice certificate; /* of the client, DER; absent: it shows none */
    bool has_host;            /* by a header: it stands above the URL */
    bool is_absolute;
    struct explain_header headers[EXPLAIN_MAX_HEADERS];
    size_t n_headers;
};

/* Each returns NULL, or what is wrong. */
const char *explain_request_init(struct explain_request *r, struct slice method, struct slice url);
/* "Name: value" */
const char *explain_request_header(struct explain_request *r, struct slice line,
                                   struct arena *arena);
/* To be called last: does it have a host? */
const char *explain_request_check(const struct explain_request *r);
/* All of that for a line of a batch file. */
const char *explain_request_line(struct explain_request *r, struct slice line, struct arena *arena);

/* An IPv4 or IPv6 address, in its usual form in the arena: CC_OK, CC_EPARSE, CC_ENOMEM. */
int explain_ip(struct slice text, struct arena *arena, struct slice *out);

/* Does HAProxy remove this header (in lower case) before anyone sees it? */
bool explain_is_removed(struct slice name);

/* The headers as the agent gets them: `out` has model->n_headers elements. Returns the name of a
 * header that the model asks for and HAProxy removed; empty when there is none. */
struct slice explain_request_headers(const struct explain_request *r, const struct gw_model *model,
                                     struct enforce_header *out);

/* "1700000000" or RFC 3339, "2023-11-14T22:13:20Z"; CC_EPARSE. */
static inline int explain_time(struct slice text, int64_t *out)
{
    return clock_parse(text, out);
}
