/* project: how the endpoints of a cluster are to be treated: advanceEndpointConfig of the document
 * (api-projects 3.3) and config of api.yaml (2). What HAProxy cannot do is told, not passed over.
 */
#include "generator/project_internal.h"

#include <limits.h>
#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum {
    CONNECTIONS_DEFAULT = 1024, /* the contract's, where only the queue has a limit */
    STATUSES_MAX = 500
};

/* Statuses that `retry-on` of HAProxy takes (configuration manual; 429 from 3.1 on). */
static const char *const retryable[] = {"401", "403", "404", "408", "425", "429",
                                        "500", "501", "502", "503", "504"};

static bool is_retryable(struct slice s)
{
    for (size_t i = 0; i < N(retryable); i++) {
        if (slice_is(s, retryable[i]))
            return true;
    }
    return false;
}

static bool is_set(const struct doc_node *node)
{
    return node != NULL && node->type != DOC_NULL;
}

/* A number at `key`, 0 when it is absent; false after a finding. */
static bool read_number(struct project *p, const struct doc_node *map, const char *key,
                        const char *what, unsigned *out)
{
    const struct doc_node *node = doc_get(map, key);
    uint64_t v = 0;

    *out = 0;
    if (!is_set(node))
        return true;
    if (doc_u64(p->openapi, node, what, 0, INT_MAX, p->build->diag, &v) != CC_OK)
        return false;
    *out = (unsigned)v;
    return true;
}

/* The same where the contract takes 0 and less for "not set". */
static bool read_limit(struct project *p, const struct doc_node *map, const char *key,
                       const char *what, unsigned *out)
{
    const struct doc_node *node = doc_get(map, key);

    *out = 0;
    return (node != NULL && node->type == DOC_INT && slice_starts(node->text, SLICE("-"))) ||
           read_number(p, map, key, what, out);
}

/* --- limits of cc.yaml ----------------------------------------------------------------------- */

static void cut(struct project *p, struct place place, const char *what, uint64_t found,
                const char *setting, uint64_t limit)
{
    diag_help(diag_warning(p->build->diag, CC2202, place, "%s is %llu; at most %llu is possible",
                           what, (unsigned long long)found, (unsigned long long)limit),
              "%llu is taken; %s is the limit", (unsigned long long)limit, setting);
}

static unsigned limit_timeout(struct project *p, struct place place, const char *what, uint64_t ms)
{
    uint64_t max = p->build->config->router.upstream.max_route_timeout_s * 1000;

    if (ms <= max)
        return (unsigned)ms;
    cut(p, place, what, ms, "router.upstream.timeouts.maxRouteTimeoutInSeconds", max);
    return (unsigned)max;
}

static unsigned limit_count(struct project *p, struct place place, const char *what, uint64_t count)
{
    uint64_t max = p->build->config->router.upstream.max_retries;

    if (count <= max)
        return (unsigned)count;
    cut(p, place, what, count, "router.upstream.retry.maxRetryCount", max);
    return (unsigned)max;
}

/* --- lists of statuses ------------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static size_t sort_unique(struct slice *list, size_t n)
{
    size_t kept = 0;

    if (n > 0)
        qsort(list, n, sizeof(*list), compare_texts);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !slice_eq(list[kept - 1], list[i]))
            list[kept++] = list[i];
    }
    return kept;
}

/* The statuses in `list` from min to max, as texts; NULL after a finding. */
static struct slice *read_statuses(struct project *p, const struct doc_node *list, const char *what,
                                   uint64_t min, uint64_t max, size_t *n)
{
    struct slice *texts;
    bool good = true;

    *n = 0;
    if (!doc_is_list(p->openapi, list, what, p->build->diag))
        return NULL;
    if (list->n > STATUSES_MAX) {
        diag_error(p->build->diag, CC1004, doc_place(p->openapi, list),
                   "%s has %zu elements, at most %d can be", what, list->n, STATUSES_MAX);
        return NULL;
    }
    texts = project_alloc(p->build, list->n + 1, sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < list->n; i++) {
        uint64_t status = 0;

        if (doc_u64(p->openapi, list->entries[i].value, what, min, max, p->build->diag, &status) !=
            CC_OK) {
            good = false;
            continue;
        }
        texts[*n] = arena_printf(p->build->arena, "%u", (unsigned)status);
        if (texts[(*n)++].p == NULL) {
            p->build->rc = CC_ENOMEM;
            return NULL;
        }
    }
    return good ? texts : NULL;
}

/* Those of the setting, when the project names none that can be retried. */
static bool default_statuses(struct project *p, struct gw_options *out)
{
    const struct config *c = p->build->config;
    size_t n = c->router.upstream.n_retry_statuses;
    struct slice *texts = project_alloc(p->build, n + 1, sizeof(*texts));

    if (texts == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        texts[i] = c->router.upstream.retry_statuses[i];
    out->retry_statuses = texts;
    out->n_retry_statuses = sort_unique(texts, n);
    return true;
}

/* retryConfig.statusCodes: HAProxy retries on some statuses only. */
static bool read_retry_statuses(struct project *p, const struct doc_node *list,
                                struct gw_options *out)
{
    struct slice *texts;
    size_t n = 0, kept = 0;

    if (!is_set(list))
        return default_statuses(p, out);
    texts = read_statuses(p, list, "retryConfig.statusCodes", 100, 599, &n);
    if (texts == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_retryable(texts[i])) {
            texts[kept++] = texts[i];
            continue;
        }
        diag_help(
            diag_warning(p->build->diag, CC2203, doc_place(p->openapi, list->entries[i].value),
                         "HAProxy cannot retry after the status %" PRIslice, SLICE_ARG(texts[i])),
            "it can after 401, 403, 404, 408, 425, 429 (HAProxy 3.1), 500, 501, 502, 503, "
            "504");
    }
    if (kept == 0)
        return default_statuses(p, out);
    out->retry_statuses = texts;
    out->n_retry_statuses = sort_unique(texts, kept);
    return true;
}

/* --- advanceEndpointConfig ------------------------------------------------------------------- */

static bool read_retry(struct project *p, const struct doc_node *map, struct project_endpoints *out)
{
    static const char *const known[] = {"count", "statusCodes", "nonIdempotentMethods"};
    const struct doc_node *count = doc_get(map, "count"), *unsafe;
    unsigned number = 0;

    if (!is_set(map))
        return true;
    if (!doc_is_map(p->openapi, map, "retryConfig", p->build->diag))
        return false;
    project_check_members(p, map, "retryConfig", known, N(known));
    if (!read_number(p, map, "count", "retryConfig.count", &number))
        return false;
    unsafe = doc_get(map, "nonIdempotentMethods");
    if (is_set(unsafe) && doc_bool(p->openapi, unsafe, "retryConfig.nonIdempotentMethods",
                                   p->build->diag, &out->options.retry_unsafe) != CC_OK)
        return false;
    out->has_retry = true;
    out->options.retry_count =
        limit_count(p, doc_place(p->openapi, count), "retryConfig.count", number);
    return read_retry_statuses(p, doc_get(map, "statusCodes"), &out->options);
}

static bool read_breakers(struct project *p, const struct doc_node *map, struct gw_options *out)
{
    static const char *const known[] = {"maxConnections", "maxRequests", "maxPendingRequests",
                                        "maxRetries", "maxConnectionPools"};
    unsigned retries = 0, pools = 0;

    if (!is_set(map))
        return true;
    if (!doc_is_map(p->openapi, map, "circuitBreakers", p->build->diag))
        return false;
    project_check_members(p, map, "circuitBreakers", known, N(known));
    if (!read_limit(p, map, known[0], "circuitBreakers.maxConnections", &out->max_connections) ||
        !read_limit(p, map, known[1], "circuitBreakers.maxRequests", &out->max_requests) ||
        !read_limit(p, map, known[2], "circuitBreakers.maxPendingRequests", &out->max_pending) ||
        !read_limit(p, map, known[3], "circuitBreakers.maxRetries", &retries) ||
        !read_limit(p, map, known[4], "circuitBreakers.maxConnectionPools", &pools))
        return false;
    if (retries > 0)
        project_ignore(p, PROJECT_IGNORED_MAX_RETRIES,
                       doc_place(p->openapi, doc_get(map, known[3])));
    if (pools > 0)
        project_ignore(p, PROJECT_IGNORED_MAX_POOLS, doc_place(p->openapi, doc_get(map, known[4])));
    if (out->max_pending > 0 && out->max_connections == 0)
        out->max_connections = CONNECTIONS_DEFAULT; /* nothing would ever wait otherwise */
    return true;
}

static bool is_request_path(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    }
    return s.n > 0 && s.n <= 1024 && s.p[0] == '/';
}

/* Ours: a request as health check. */
static bool read_health(struct project *p, const struct doc_node *map, struct gw_options *out)
{
    static const char *const known[] = {"path", "statusCodes"};
    const struct doc_node *path = doc_get(map, "path"), *list = doc_get(map, "statusCodes");
    struct slice *statuses = NULL;
    size_t n = 0;

    if (!is_set(map))
        return true;
    if (!doc_is_map(p->openapi, map, "healthCheck", p->build->diag))
        return false;
    project_check_members(p, map, "healthCheck", known, N(known));
    if (!is_set(path)) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->openapi, map),
                             "healthCheck has no path"),
                  "write path: /health");
        return false;
    }
    if (!project_text(p, p->openapi, path, "healthCheck.path", &out->health_path))
        return false;
    if (!is_request_path(out->health_path)) {
        diag_help(diag_error(p->build->diag, CC1203, doc_place(p->openapi, path),
                             "healthCheck.path \"%" PRIslice "\" is not a path",
                             SLICE_ARG(out->health_path)),
                  "it begins with '/'; spaces and other special characters are written %%XX");
        return false;
    }
    if (is_set(list)) {
        statuses = read_statuses(p, list, "healthCheck.statusCodes", 100, 599, &n);
        if (statuses == NULL)
            return false;
    }
    out->health_statuses = statuses;
    out->n_health_statuses = sort_unique(statuses, n);
    return true;
}

bool project_read_advanced(struct project *p, const struct doc_node *map,
                           struct project_endpoints *out)
{
    static const char *const known[] = {"timeoutInMillis", "retryConfig", "circuitBreakers",
                                        "healthCheck"};
    const struct doc_node *timeout = doc_get(map, "timeoutInMillis");
    unsigned ms = 0;
    bool good;

    if (!is_set(map))
        return true;
    if (!doc_is_map(p->openapi, map, "advanceEndpointConfig", p->build->diag))
        return false;
    project_check_members(p, map, "advanceEndpointConfig", known, N(known));
    good = read_number(p, map, "timeoutInMillis", "timeoutInMillis", &ms);
    if (good)
        out->options.timeout_ms =
            limit_timeout(p, doc_place(p->openapi, timeout), "timeoutInMillis", ms);
    good = read_retry(p, doc_get(map, "retryConfig"), out) && good;
    good = read_breakers(p, doc_get(map, "circuitBreakers"), &out->options) && good;
    return read_health(p, doc_get(map, "healthCheck"), &out->options) && good;
}

/* --- config of api.yaml ---------------------------------------------------------------------- */

/* A number that is written as text, as API Manager does; false when there is none. */
static bool config_number(struct project *p, const struct doc_node *config, const char *key,
                          uint64_t *out)
{
    const struct doc_node *node = doc_get_nocase(config, key);
    struct slice text = SLICE_NONE;

    if (!is_set(node) || doc_text(p->api_doc, node, key, p->build->diag, &text) != CC_OK ||
        (text = slice_trim(text)).n == 0)
        return false;
    if (slice_to_u64(text, out) == CC_OK && *out <= INT_MAX)
        return true;
    diag_help(diag_error(p->build->diag, CC1203, doc_place(p->api_doc, node),
                         "%s is \"%" PRIslice "\", expected a whole number", key, SLICE_ARG(text)),
              "remove it when the gateway's own value shall hold");
    return false;
}

void project_read_config_options(struct project *p, enum project_environment env,
                                 struct project_endpoints *out)
{
    const struct doc_node *first =
        doc_get_nocase(p->api.endpoint_config,
                       env == PROJECT_SANDBOX ? "sandbox_endpoints" : "production_endpoints");
    const struct doc_node *config;
    uint64_t number;

    if (first != NULL && first->type == DOC_LIST)
        first = first->n > 0 ? first->entries[0].value : NULL;
    config = doc_get_nocase(first, "config");
    if (out->options.timeout_ms == 0 && config_number(p, config, "actionDuration", &number))
        out->options.timeout_ms =
            limit_timeout(p, doc_place(p->api_doc, doc_get_nocase(config, "actionDuration")),
                          "actionDuration", number);
    /* a count, whatever its name says (the contract's reading) */
    if (!out->has_retry && config_number(p, config, "retryTimeOut", &number)) {
        out->has_retry = true;
        out->options.retry_count =
            limit_count(p, doc_place(p->api_doc, doc_get_nocase(config, "retryTimeOut")),
                        "retryTimeOut", number);
        default_statuses(p, &out->options);
    }
}

void project_inherit_options(struct project_endpoints *e, const struct project_endpoints *above)
{
    if (e->options.timeout_ms == 0)
        e->options.timeout_ms = above->options.timeout_ms;
    if (e->has_retry || !above->has_retry)
        return;
    e->has_retry = true;
    e->options.retry_count = above->options.retry_count;
    e->options.retry_unsafe = above->options.retry_unsafe;
    e->options.retry_statuses = above->options.retry_statuses;
    e->options.n_retry_statuses = above->options.n_retry_statuses;
}
