/* What a self-contained token says of its application and its subscriptions. */

#include "crypto/jwt_json.h"

#define ID_END (INT64_C(1) << 53) /* the first whole number that a JSON reader may round */

/* Of an object; null, which the control plane writes for what it does not know, is absent. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static enum jwt_fault read_texts(const json_t *object, struct arena *arena,
                                 const char *const *names, struct slice *const *out, size_t n)
{
    enum jwt_fault fault = JWT_OK;

    for (size_t i = 0; i < n && fault == JWT_OK; i++) {
        *out[i] = SLICE("");
        fault = jwt_read_text(member(object, names[i]), arena, out[i]);
    }
    return fault;
}

static bool is_bandwidth(const json_t *object)
{
    return slice_is(jwt_json_text(json_object_get(object, "tierQuotaType")), "bandwidthVolume");
}

static enum jwt_fault read_application(const json_t *object, struct arena *arena,
                                       struct jwt_subscriptions *out)
{
    static const char *const names[] = {"uuid", "name", "tier", "owner"};
    struct slice *const texts[] = {&out->uuid, &out->name, &out->tier, &out->owner};
    const json_t *id = json_object_get(object, "id");

    if (object == NULL)
        return JWT_OK;
    if (!json_is_object(object) || !json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) >= ID_END)
        return JWT_BAD_CLAIM;
    out->has_application = true;
    out->id = json_integer_value(id);
    out->bandwidth = is_bandwidth(object);
    return read_texts(object, arena, names, texts, sizeof(names) / sizeof(names[0]));
}

/* stopOnQuotaReach is true where the token is silent: the stricter of the two. */
static enum jwt_fault read_tier(const json_t *tiers, struct jwt_subscribed_api *api)
{
    const json_t *tier = json_object_getn(tiers, api->tier.p, api->tier.n), *stop;

    api->stop_on_quota_reach = true;
    if (tier == NULL)
        return JWT_OK;
    if (!json_is_object(tier))
        return JWT_BAD_CLAIM;
    stop = member(tier, "stopOnQuotaReach");
    if (stop != NULL && !json_is_boolean(stop))
        return JWT_BAD_CLAIM;
    api->stop_on_quota_reach = stop == NULL || json_is_true(stop);
    api->bandwidth = is_bandwidth(tier);
    return JWT_OK;
}

static enum jwt_fault read_api(const json_t *object, const json_t *tiers, struct arena *arena,
                               struct jwt_subscribed_api *api)
{
    static const char *const names[] = {"name", "version", "context", "subscriptionTier",
                                        "subscriberTenantDomain"};
    struct slice *const texts[] = {&api->name, &api->version, &api->context, &api->tier,
                                   &api->tenant};
    enum jwt_fault fault = JWT_BAD_CLAIM;

    if (json_is_object(object))
        fault = read_texts(object, arena, names, texts, sizeof(names) / sizeof(names[0]));
    return fault == JWT_OK ? read_tier(tiers, api) : fault;
}

enum jwt_fault jwt_read_subscriptions(const json_t *payload, struct arena *arena,
                                      struct jwt_subscriptions *out)
{
    const json_t *array = json_object_get(payload, "subscribedAPIs");
    const json_t *tiers = member(payload, "tierInfo");
    struct jwt_subscribed_api *apis;
    enum jwt_fault fault = read_application(member(payload, "application"), arena, out);

    if (fault != JWT_OK || array == NULL)
        return fault;
    out->has_apis = true;
    if (!json_is_array(array) || json_array_size(array) > JWT_MAX_LIST ||
        (tiers != NULL && !json_is_object(tiers)))
        return JWT_BAD_CLAIM;
    out->n_apis = json_array_size(array);
    apis = arena_array(arena, out->n_apis, sizeof(*apis));
    if (apis == NULL)
        return JWT_INTERNAL;
    out->apis = apis;
    for (size_t i = 0; i < out->n_apis && fault == JWT_OK; i++)
        fault = read_api(json_array_get(array, i), tiers, arena, &apis[i]);
    return fault;
}
