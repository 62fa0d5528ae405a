/* project: the extensions of cc.yaml: their names and their headers. Their code is the agent's to
 * load. */
#include "generator/project_internal.h"

#include "gateway/mock.h"

/* What the gateway makes or means something by itself: no filter may set or remove it. */
static const char *const own_headers[] = {"host",
                                          "authorization",
                                          "x-forwarded-for",
                                          "x-forwarded-proto",
                                          "x-forwarded-host",
                                          "x-trace-key",
                                          "internal-key",
                                          "internal_key",
                                          "expect",
                                          "proxy-authorization"};

static bool is_own(struct slice name)
{
    for (size_t i = 0; i < sizeof(own_headers) / sizeof(own_headers[0]); i++)
        if (slice_is(name, own_headers[i]))
            return true;
    return slice_starts(name, SLICE("x-cc-")) || slice_starts(name, SLICE("x-wso2")) ||
           slice_starts(name, SLICE("x-envoy"));
}

static const char *name_fault(struct slice name, bool changed)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_digit(name.p[i]) && !(name.p[i] >= 'a' && name.p[i] <= 'z') &&
            name.p[i] != '-' && name.p[i] != '_')
            return "it has other characters than letters, digits, '-' and '_'";
    if (!changed)
        return NULL;
    if (is_own(name))
        return "the gateway makes this header itself";
    return gw_mock_header_name_fault(name);
}

/* A copy in lower case. */
static struct slice lower(struct project_build *build, struct slice name)
{
    char *copy = project_alloc(build, name.n + 1, 1);

    for (size_t i = 0; copy != NULL && i < name.n; i++)
        copy[i] = ascii_lower(name.p[i]);
    return copy != NULL ? slice_make(copy, name.n) : SLICE_NONE;
}

static const struct slice *read_names(struct project_build *build, const struct config_filter *f,
                                      const char *setting, bool changed, const struct slice *names,
                                      size_t n)
{
    struct slice *list = project_alloc(build, n, sizeof(*list));

    for (size_t i = 0; list != NULL && i < n; i++) {
        const char *fault;

        list[i] = lower(build, names[i]);
        if (list[i].p == NULL)
            return NULL;
        fault = name_fault(list[i], changed);
        if (fault != NULL)
            diag_help(diag_error(build->diag, CC3060, f->origin,
                                 "filter \"%" PRIslice "\": %s has \"%" PRIslice "\"",
                                 SLICE_ARG(f->name), setting, SLICE_ARG(names[i])),
                      "%s", fault);
    }
    return list;
}

static void read_filter(struct project_build *build, const struct config_filter *f,
                        struct gw_filter *out)
{
    *out = (struct gw_filter){
        .name = f->name,
        .position = (unsigned)f->position,
        .request_headers =
            read_names(build, f, "requestHeaders", false, f->request_headers, f->n_request_headers),
        .n_request_headers = f->n_request_headers,
        .set_headers = read_names(build, f, "setHeaders", true, f->set_headers, f->n_set_headers),
        .n_set_headers = f->n_set_headers,
        .remove_headers =
            read_names(build, f, "removeHeaders", true, f->remove_headers, f->n_remove_headers),
        .n_remove_headers = f->n_remove_headers,
        .origin = f->origin};
}

/* Names of issuers that are no filters. */
static void check_transformers(struct project_build *build, const struct gw_model *model)
{
    for (size_t i = 0; i < model->n_issuers; i++) {
        struct slice name = model->issuers[i].claim_transformer;
        bool known = name.n == 0;

        for (size_t k = 0; k < model->n_filters; k++)
            known = known || slice_eq(model->filters[k].name, name);
        if (!known)
            diag_help(diag_error(build->diag, CC3060, model->issuers[i].origin,
                                 "issuer \"%" PRIslice "\": claimTransformer \"%" PRIslice
                                 "\" is no name in enforcer.filters",
                                 SLICE_ARG(model->issuers[i].name), SLICE_ARG(name)),
                      "add the extension there");
    }
}

void project_read_filters(struct project_build *build, struct gw_model *model)
{
    const struct config *config = build->config;
    struct gw_filter *filters;

    if (config->n_filters > GW_MAX_FILTERS) {
        diag_error(build->diag, CC3060, config->filters[GW_MAX_FILTERS].origin,
                   "there are %zu filters; at most %d may be", config->n_filters,
                   (int)GW_MAX_FILTERS);
        return;
    }
    filters = project_alloc(build, config->n_filters, sizeof(*filters));
    for (uint64_t position = 1; filters != NULL && position <= 3; position++)
        for (size_t i = 0; i < config->n_filters; i++)
            if (config->filters[i].position == position)
                read_filter(build, &config->filters[i], &filters[model->n_filters++]);
    for (size_t i = 0; i < model->n_filters; i++)
        for (size_t k = 0; k < i; k++)
            if (slice_eq(filters[i].name, filters[k].name))
                diag_error(build->diag, CC3060, filters[i].origin,
                           "two filters are called \"%" PRIslice "\"", SLICE_ARG(filters[i].name));
    model->filters = filters;
    check_transformers(build, model);
}

size_t project_filter_headers(const struct gw_model *model, struct slice *names)
{
    size_t n = 0;

    for (size_t i = 0; i < model->n_filters; i++)
        for (size_t k = 0; k < model->filters[i].n_request_headers; k++, n++)
            if (names != NULL)
                names[n] = model->filters[i].request_headers[k];
    return n;
}
