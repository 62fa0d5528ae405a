/* project: x-wso2-request-interceptor and x-wso2-response-interceptor -> what stands in the model
 * (api-projects 3.5, interceptors 2).
 *
 * A declaration replaces the one of the level above as a whole, separately for requests and for
 * answers: operation > path > document. What cannot be read is an error: the contract would leave
 * the interceptor out, and requests that its author wanted changed or refused would pass. */
#include "generator/project_internal.h"

#include <stddef.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { SECONDS_MAX = 3600 };

/* Words of `includes`. */
static const struct {
    const char *word;
    size_t member;
    bool of_response; /* an interceptor of requests cannot be told */
} includes[] = {
    {"request_headers", offsetof(struct gw_interceptor, request_headers), false},
    {"request_body", offsetof(struct gw_interceptor, request_body), false},
    {"request_trailers", offsetof(struct gw_interceptor, request_trailers), false},
    {"response_headers", offsetof(struct gw_interceptor, response_headers), true},
    {"response_body", offsetof(struct gw_interceptor, response_body), true},
    {"response_trailers", offsetof(struct gw_interceptor, response_trailers), true},
    {"invocation_context", offsetof(struct gw_interceptor, invocation_context), false},
};

static const char *const members[] = {"serviceURL", "clusterTimeout", "requestTimeout", "includes"};

/* One word of `includes`; false after an error. */
static bool read_include(struct project *p, const struct doc_node *node, struct gw_interceptor *out)
{
    struct slice word = SLICE_NONE;
    const char *names[N(includes)], *near;
    struct place place = doc_place(p->openapi, node);
    struct diag_item *item;

    if (!project_text(p, p->openapi, node, "includes[]", &word))
        return false;
    for (size_t i = 0; i < N(includes); i++) {
        names[i] = includes[i].word;
        if (!slice_is(word, includes[i].word))
            continue;
        if (includes[i].of_response && !out->response)
            diag_help(diag_warning(p->build->diag, CC2601, place,
                                   "there is no %s yet when requests are intercepted", names[i]),
                      "it has no effect; x-wso2-response-interceptor can be told");
        else
            *(bool *)(void *)((char *)out + includes[i].member) = true;
        return true;
    }
    item =
        diag_error(p->build->diag, CC2601, place,
                   "\"%" PRIslice "\" is nothing that an interceptor can be told", SLICE_ARG(word));
    near = nearest_word(word, names, N(includes));
    if (near != NULL)
        diag_help(item, "did you mean %s?", near);
    else
        diag_help(item, "it can be told request_headers, request_body, request_trailers, "
                        "response_headers, response_body, response_trailers, invocation_context");
    return false;
}

static bool read_includes(struct project *p, const struct doc_node *list,
                          struct gw_interceptor *out)
{
    bool good = true;

    if (list == NULL || list->type == DOC_NULL)
        return true;
    if (!doc_is_list(p->openapi, list, "includes", p->build->diag))
        return false;
    for (size_t i = 0; i < list->n; i++)
        good = read_include(p, list->entries[i].value, out) && good;
    return good;
}

/* A time-out in seconds; that of cc.yaml when there is none. */
static bool read_seconds(struct project *p, const struct doc_node *map, const char *key,
                         unsigned *out_ms)
{
    const struct doc_node *node = doc_get(map, key);
    uint64_t seconds = p->build->config->router.cluster_timeout_s;

    if (node != NULL && node->type != DOC_NULL &&
        doc_u64(p->openapi, node, key, 1, SECONDS_MAX, p->build->diag, &seconds) != CC_OK)
        return false;
    *out_ms = (unsigned)seconds * 1000;
    return true;
}

/* serviceURL: which service. Its path does not count, as the contract names the paths. */
static bool read_service(struct project *p, const struct doc_node *map, const char *what,
                         struct project_endpoints *out)
{
    const struct doc_node *node = doc_get(map, "serviceURL");
    struct gw_endpoint *endpoint;
    struct slice url = SLICE_NONE;

    if (node == NULL || node->type == DOC_NULL) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->openapi, map),
                             "%s has no serviceURL", what),
                  "name the service: serviceURL: https://host:port");
        return false;
    }
    out->place = doc_place(p->openapi, node);
    if (doc_text(p->openapi, node, "serviceURL", p->build->diag, &url) != CC_OK)
        return false;
    endpoint = project_list_add(p->build, &out->list, sizeof(*endpoint));
    if (endpoint == NULL || !project_parse_url(p, url, out->place, endpoint))
        return false;
    if (endpoint->path.n > 0)
        diag_help(diag_warning(p->build->diag, CC2601, out->place,
                               "the path \"%" PRIslice "\" of serviceURL does not count",
                               SLICE_ARG(endpoint->path)),
                  "interceptors are called at /api/v1/handle-request and /api/v1/handle-response");
    endpoint->path = SLICE("");
    return true;
}

/* The interceptor that `node` declares; NULL after an error. */
static const struct project_interceptor *
read_interceptor(struct project *p, const struct doc_node *node, const char *what, bool response)
{
    struct project_interceptor *out = project_alloc(p->build, 1, sizeof(*out));
    struct gw_options *options;
    bool good;

    if (out == NULL || !doc_is_map(p->openapi, node, what, p->build->diag))
        return NULL;
    out->interceptor.response = response;
    out->interceptor.origin = doc_place(p->openapi, node);
    out->service.service = true;
    options = &out->service.options;
    project_check_members(p, node, what, members, N(members));
    good = read_service(p, node, what, &out->service);
    good = read_seconds(p, node, "clusterTimeout", &options->connect_ms) && good;
    good = read_seconds(p, node, "requestTimeout", &options->timeout_ms) && good;
    good = read_includes(p, doc_get(node, "includes"), &out->interceptor) && good;
    if (options->connect_ms == p->build->config->router.cluster_timeout_s * 1000)
        options->connect_ms = 0; /* that of all clusters */
    return good ? out : NULL;
}

void project_read_interceptors(struct project *p, const struct doc_node *map,
                               const struct project_flows *above, struct project_flows *out)
{
    static const char *const names[] = {"x-wso2-request-interceptor",
                                        "x-wso2-response-interceptor"};

    *out = *above;
    for (unsigned i = 0; i < 2; i++) {
        const struct doc_node *node = doc_get(map, names[i]);

        if (node != NULL && node->type != DOC_NULL)
            out->flow[i] = read_interceptor(p, node, names[i], i == 1);
    }
}

/* The set of both, in the order of the model. Clusters are made here and not before, so that a
 * service that every path replaces by its own has none. */
static struct project_interceptors *new_set(struct project *p, const struct project_flows *flows)
{
    struct project_interceptors *set = project_alloc(p->build, 1, sizeof(*set));

    if (set == NULL)
        return NULL;
    *set = (struct project_interceptors){project_alloc(p->build, 2, sizeof(*set->items)), 0};
    for (unsigned i = 0; set->items != NULL && i < 2; i++) {
        const struct gw_cluster *cluster;

        if (flows->flow[i] == NULL)
            continue;
        cluster = project_cluster(p, &flows->flow[i]->service, false);
        if (cluster == NULL)
            continue; /* told */
        set->items[set->n] = flows->flow[i]->interceptor;
        set->items[set->n++].cluster = cluster;
    }
    return set->n > 0 ? set : NULL;
}

void project_set_interceptors(struct project *p, const struct project_flows *flows,
                              struct gw_operation *out)
{
    const struct project_interceptors *set;

    if (flows->flow[0] == NULL && flows->flow[1] == NULL)
        return;
    /* operations in a row mostly have the same ones */
    if (p->shared.n == 0 || flows->flow[0] != p->shared_flows.flow[0] ||
        flows->flow[1] != p->shared_flows.flow[1]) {
        set = new_set(p, flows);
        if (set == NULL)
            return;
        p->shared = *set;
        p->shared_flows = *flows;
        project_ignore(p, PROJECT_IGNORED_INTERCEPTOR, set->items[0].origin);
    }
    out->interceptors = p->shared.items;
    out->n_interceptors = p->shared.n;
}
