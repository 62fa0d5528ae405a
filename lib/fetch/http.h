/* http: one GET or POST, by libcurl.
 *
 * Bounded in time and bytes. Never followed: redirects (a server could send us to an address that
 * only we can reach), proxies of the environment, credentials of files. https checks certificate
 * and name; http is spoken to loopback addresses alone, and that is checked for the address that is
 * connected to, whatever its name says. Answers are not decompressed.
 *
 * http_get_run() blocks for at most the time-out; for an event loop, give http_get_handle() to a
 * curl multi handle and call http_get_finish() when it is done. */
#pragma once

#include "base/base.h"

#include <curl/curl.h>

struct http_limits {
    const char *ca_file; /* NULL: the system's authorities */
    long timeout_ms;     /* from the look-up of the name to the last byte */
    size_t max_bytes;    /* of the body */
};

/* What came back; slices and texts live until http_get_free(). */
struct http_result {
    const char *error; /* NULL: status is 200, or 304 to a GET; else why there is nothing to use */
    int status;        /* 0: no answer */
    struct slice body;
    struct slice etag; /* "" = none */
    int64_t max_age_s; /* of Cache-Control; 0 when it forbids keeping; -1: it does not say */
};

struct http_get;

/* Once a process, before any thread is started. CC_ENOMEM. */
int http_init(void);

/* A GET of `url`; `etag` (or "") becomes If-None-Match. */
int http_get_new(struct http_get **out, struct slice url, struct slice etag,
                 const struct http_limits *limits);

/* A POST of `form` (application/x-www-form-urlencoded) that wants JSON back. `authorization` is the
 * value of that header, or "". Connections are kept for the next one to the same server. */
int http_post_new(struct http_get **out, struct slice url, struct slice form,
                  struct slice authorization, const struct http_limits *limits);
void http_get_free(struct http_get **g);

CURL *http_get_handle(struct http_get *g);
void http_get_finish(struct http_get *g, CURLcode code, struct http_result *out);
void http_get_run(struct http_get *g, struct http_result *out);

/* max-age of a Cache-Control value (RFC 9111 5.2.2), as in struct http_result. */
int64_t http_max_age(struct slice value);
