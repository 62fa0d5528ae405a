#include "enforce/cors.h"

#include "gateway/cors.h"

/* The value of a header that is there exactly once, else nothing: of two, a page could have added
 * one. `at` is its place in the model's headers, or n_headers. */
static struct slice single_header(const struct enforce_rules *rules,
                                  const struct enforce_request *request, size_t at)
{
    if (request->headers == NULL || at == rules->model->n_headers ||
        request->headers[at].count != 1)
        return SLICE_NONE;
    return request->headers[at].value;
}

/* The origin, when the policy allows it; else nothing. */
static struct slice allowed_origin(const struct enforce_rules *rules,
                                   const struct enforce_request *request,
                                   const struct gw_cors *policy)
{
    struct slice origin = single_header(rules, request, rules->origin_header);

    return policy != NULL && gw_cors_allows(policy, origin) ? origin : SLICE_NONE;
}

void cors_describe(const struct enforce_rules *rules, const struct enforce_request *request,
                   struct enforce_decision *out)
{
    out->cors.policy = out->api != NULL ? out->api->cors : NULL;
    out->cors.origin = allowed_origin(rules, request, out->cors.policy);
}

bool cors_is_preflight(const struct enforce_rules *rules, const struct enforce_request *request,
                       struct gw_route *route)
{
    struct slice method = single_header(rules, request, rules->preflight_header);
    struct gw_route settled = *route;

    if (method.n == 0)
        return false;
    gw_route_operation(&settled, gw_method_parse(method));
    if (allowed_origin(rules, request, settled.api->cors).n == 0)
        return false;
    *route = settled;
    return true;
}
