#include "gateway/gateway.h"

static const struct slice method_names[GW_METHOD_COUNT] = {
#define X(m) [GW_##m] = SLICE_INIT(#m),
    GW_METHODS(X)
#undef X
};

const char *gw_method_name(enum gw_method m)
{
    CC_ASSERT(m < GW_METHOD_COUNT);
    return method_names[m].p;
}

enum gw_method gw_method_parse(struct slice s)
{
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        if (slice_eq(s, method_names[m]))
            return (enum gw_method)m;
    }
    return GW_METHOD_COUNT;
}

struct slice gw_tier(const struct gw_api *api, const struct gw_operation *operation,
                     struct place *declared)
{
    bool own = api->tier.n == 0;

    *declared = own ? operation->tier_declared : api->tier_declared;
    return own ? operation->tier : api->tier;
}

static const struct slice credential_names[] = {
#define X(name, text) SLICE_INIT(text),
    GW_CREDENTIALS(X)
#undef X
};

const char *gw_credential_name(enum gw_credential c)
{
    CC_ASSERT(c < GW_CREDENTIAL_COUNT);
    return credential_names[c].p;
}

enum gw_credential gw_credential_parse(struct slice s)
{
    for (unsigned c = 0; c < GW_CREDENTIAL_COUNT; c++) {
        if (slice_eq(s, credential_names[c]))
            return (enum gw_credential)c;
    }
    return GW_CREDENTIAL_COUNT;
}

bool gw_requirement_any_token(const struct gw_requirement *r)
{
    for (size_t i = 0; i < r->n_needs; i++) {
        if (r->needs[i].kind != GW_TOKEN || r->needs[i].n_scopes > 0)
            return false;
    }
    return true;
}

bool gw_issuer_signs(const struct gw_issuer *issuer, enum gw_token_type type)
{
    switch (type) {
    case GW_ACCESS_TOKEN:
        return issuer->access_tokens;
    case GW_API_KEY:
        return issuer->api_keys;
    case GW_INTERNAL_KEY:
        return issuer->internal_keys;
    case GW_TOKEN_TYPE_COUNT:
        break;
    }
    return false;
}

bool gw_api_takes_key_in_header(const struct gw_api *api, struct slice name)
{
    struct slice rest = api->key_headers, one;

    while (name.n > 0 && slice_split(&rest, ',', &one))
        if (slice_eq(one, name))
            return true;
    return false;
}

static bool needs_certificate(const struct gw_operation *op)
{
    for (size_t i = 0; i < op->n_requirements; i++) {
        for (size_t k = 0; k < op->requirements[i].n_needs; k++) {
            if (op->requirements[i].needs[k].kind == GW_CERTIFICATE)
                return true;
        }
    }
    return false;
}

bool gw_api_needs_certificate(const struct gw_api *api)
{
    for (size_t i = 0; i < api->n_resources; i++) {
        for (size_t k = 0; k < api->resources[i].n_operations; k++) {
            if (needs_certificate(&api->resources[i].operations[k]))
                return true;
        }
    }
    return false;
}

bool gw_model_needs_certificate(const struct gw_model *model)
{
    for (size_t i = 0; i < model->n_apis; i++) {
        if (gw_api_needs_certificate(&model->apis[i]))
            return true;
    }
    return false;
}
