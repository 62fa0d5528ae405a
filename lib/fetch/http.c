#include "fetch/http.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ETAG_MAX = 256,
    HEADER_MAX = 2048,
    MAX_AGE_END = 1 << 30,
    ERROR_ROOM = CURL_ERROR_SIZE + 64
};

struct http_get {
    CURL *curl;
    struct curl_slist *headers;
    struct buf body;
    bool loopback_only, post;
    char curl_error[CURL_ERROR_SIZE], error[ERROR_ROOM];
    char etag[ETAG_MAX];
    int64_t max_age_s;
};

int http_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? CC_OK : CC_ENOMEM;
}

int64_t http_max_age(struct slice value)
{
    struct slice rest = value, part;
    int64_t age = -1;

    while (slice_split(&rest, ',', &part)) {
        static const struct slice name = SLICE_INIT("max-age=");
        uint64_t n;

        part = slice_trim(part);
        if (slice_eq_nocase(part, SLICE("no-store")) || slice_eq_nocase(part, SLICE("no-cache")))
            return 0;
        if (!slice_eq_nocase(slice_first(part, name.n), name))
            continue;
        /* Of two, the first; one that is no number counts as 0, stale (RFC 9111 4.2.1). */
        if (age < 0)
            age = slice_to_u64(slice_from(part, name.n), &n) != CC_OK ? 0
                  : n > MAX_AGE_END                                   ? MAX_AGE_END
                                                                      : (int64_t)n;
    }
    return age;
}

/* RFC 9110 8.8.3: sent back as it came, so only what cannot do harm in a header. */
static bool is_etag(struct slice s)
{
    if (s.n == 0 || s.n >= ETAG_MAX || s.p[s.n - 1] != '"')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
            return false;
    return s.p[0] == '"' || slice_starts(s, SLICE("W/\""));
}

/* The value when the line is of the header `name` (with its colon). */
static bool is_header(struct slice line, struct slice name, struct slice *value)
{
    if (!slice_eq_nocase(slice_first(line, name.n), name))
        return false;
    *value = slice_trim(slice_from(line, name.n));
    return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *context)
{
    struct http_get *g = context;
    struct slice line = slice_make(p, size * n), value;

    while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (slice_starts(line, SLICE("HTTP/"))) { /* a 1xx came before */
        g->etag[0] = '\0';
        g->max_age_s = -1;
    } else if (is_header(line, SLICE("etag:"), &value) && is_etag(value)) {
        memcpy(g->etag, value.p, value.n);
        g->etag[value.n] = '\0';
    } else if (is_header(line, SLICE("cache-control:"), &value)) {
        g->max_age_s = http_max_age(value);
    }
    return size * n;
}

/* Too much ends the transfer: fewer bytes taken than given are an error to curl. */
static size_t on_body(char *p, size_t size, size_t n, void *context)
{
    struct http_get *g = context;

    buf_add(&g->body, slice_make(p, size * n));
    return buf_error(&g->body) == CC_OK ? size * n : 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
               127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_get *g = context;

    (void)purpose;
    if (g->loopback_only && !is_loopback(&address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int add_header(struct http_get *g, const char *name, struct slice value)
{
    char line[HEADER_MAX];
    struct curl_slist *more;
    struct buf b;

    buf_init_fixed(&b, line, sizeof(line));
    buf_add_str(&b, name);
    buf_add(&b, value);
    if (buf_error(&b) != CC_OK)
        return buf_error(&b);
    more = curl_slist_append(g->headers, line);
    explicit_bzero(line, sizeof(line));
    if (more == NULL)
        return CC_ENOMEM;
    g->headers = more;
    return CC_OK;
}

/* All options; false when one is not taken. */
static bool set_options(struct http_get *g, const char *url, const struct http_limits *limits)
{
    CURL *c = g->curl;
    bool ok = true;

#define SET(option, value) ok = curl_easy_setopt(c, option, value) == CURLE_OK && ok
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, g->loopback_only ? "http" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); /* none of the environment either */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_TIMEOUT_MS, limits->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, limits->timeout_ms);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)limits->max_bytes);
    SET(CURLOPT_NOSIGNAL, 1L);
    /* a look-up that does not end must not hold up who waits for nothing else: its thread is left
     * alone when the time is over */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_FORBID_REUSE, g->post ? 0L : 1L); /* minutes lie between two fetches */
    SET(CURLOPT_USERAGENT, "cc-gateway/" CC_VERSION);
    SET(CURLOPT_HTTPHEADER, g->headers);
    SET(CURLOPT_ERRORBUFFER, g->curl_error);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, g);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, g);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, g);
    if (limits->ca_file != NULL) {
        SET(CURLOPT_CAINFO, limits->ca_file);
        SET(CURLOPT_CAPATH, (char *)NULL);
    }
#undef SET
    return ok;
}

static int make(struct http_get **out, struct slice url, bool post,
                const struct http_limits *limits)
{
    struct http_get *g = calloc(1, sizeof(*g));

    *out = g;
    if (g == NULL)
        return CC_ENOMEM;
    buf_init(&g->body, limits->max_bytes);
    g->max_age_s = -1;
    g->post = post;
    g->loopback_only = slice_starts(url, SLICE("http://"));
    g->curl = curl_easy_init();
    return g->curl != NULL ? CC_OK : CC_ENOMEM;
}

/* After all headers. */
static int set_up(struct http_get *g, struct slice url, const struct http_limits *limits)
{
    struct buf text;
    int rc;

    buf_init(&text, 1 << 16);
    buf_add(&text, url);
    rc = buf_error(&text);
    if (rc == CC_OK && !set_options(g, text.p, limits))
        rc = CC_EUNSUPPORTED;
    buf_free(&text);
    return rc;
}

static int finish_new(struct http_get **out, struct http_get *g, int rc)
{
    if (rc == CC_OK)
        *out = g;
    else
        http_get_free(&g);
    return rc;
}

int http_get_new(struct http_get **out, struct slice url, struct slice etag,
                 const struct http_limits *limits)
{
    struct http_get *g;
    int rc = make(&g, url, false, limits);

    if (rc == CC_OK)
        rc = add_header(g, "Accept: ", SLICE("application/jwk-set+json, application/json"));
    if (rc == CC_OK && is_etag(etag))
        rc = add_header(g, "If-None-Match: ", etag);
    if (rc == CC_OK)
        rc = set_up(g, url, limits);
    return finish_new(out, g, rc);
}

int http_post_new(struct http_get **out, struct slice url, struct slice form,
                  struct slice authorization, const struct http_limits *limits)
{
    struct http_get *g;
    int rc = make(&g, url, true, limits);

    if (rc == CC_OK)
        rc = add_header(g, "Accept: ", SLICE("application/json"));
    if (rc == CC_OK && authorization.n > 0)
        rc = add_header(g, "Authorization: ", authorization);
    if (rc == CC_OK)
        rc = set_up(g, url, limits);
    if (rc == CC_OK &&
        (curl_easy_setopt(g->curl, CURLOPT_POSTFIELDSIZE, (long)form.n) != CURLE_OK ||
         curl_easy_setopt(g->curl, CURLOPT_COPYPOSTFIELDS, form.p) != CURLE_OK))
        rc = CC_ENOMEM;
    return finish_new(out, g, rc);
}

void http_get_free(struct http_get **pg)
{
    struct http_get *g = *pg;

    *pg = NULL;
    if (g == NULL)
        return;
    if (g->curl != NULL)
        curl_easy_cleanup(g->curl);
    curl_slist_free_all(g->headers);
    buf_free(&g->body);
    free(g);
}

CURL *http_get_handle(struct http_get *g)
{
    return g->curl;
}

/* What went wrong, in words of ours or of curl. NULL: nothing. */
static const char *explain(struct http_get *g, CURLcode code, int status)
{
    struct buf b;

    buf_init_fixed(&b, g->error, sizeof(g->error));
    if (buf_error(&g->body) == CC_EFULL || code == CURLE_FILESIZE_EXCEEDED) {
        buf_printf(&b, "the answer has more than %zu bytes", g->body.max);
    } else if (code != CURLE_OK) {
        buf_add_str(&b, g->curl_error[0] != '\0' ? g->curl_error : curl_easy_strerror(code));
    } else if (status >= 300 && status < 400 && (g->post || status != 304)) {
        buf_printf(&b, "it redirects (status %d), which is not followed", status);
    } else if (status != 200 && (g->post || status != 304)) {
        buf_printf(&b, "it answers with status %d", status);
    } else {
        return NULL;
    }
    for (size_t i = 0; i < b.n; i++) /* curl's words may quote the server's */
        if (ascii_is_control(g->error[i]))
            g->error[i] = '?';
    return g->error;
}

void http_get_finish(struct http_get *g, CURLcode code, struct http_result *out)
{
    long status = 0;

    curl_easy_getinfo(g->curl, CURLINFO_RESPONSE_CODE, &status);
    *out = (struct http_result){
        .status = (int)status,
        .body = buf_slice(&g->body),
        .etag = slice_of(g->etag),
        .max_age_s = g->max_age_s,
    };
    out->error = explain(g, code, out->status);
}

void http_get_run(struct http_get *g, struct http_result *out)
{
    http_get_finish(g, curl_easy_perform(g->curl), out);
}
