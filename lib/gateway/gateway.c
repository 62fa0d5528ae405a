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
