#include "enforce/internal_key.h"

#include "enforce/subscription.h"
#include "enforce/subscription_pack.h"
#include "enforce/token.h"

static const struct enforce_header *header_of(const struct attempt *a)
{
    struct slice name = a->rules->model->internal_key_header;
    const struct enforce_header *h =
        name.n > 0 ? rules_find_header(a->rules, a->request, name) : NULL;

    return h != NULL && slice_trim(h->value).n > 0 ? h : NULL;
}

bool internal_key_is_there(const struct attempt *a)
{
    return header_of(a) != NULL;
}

enum credential_state internal_key_find(struct attempt *a, const struct gw_need *need,
                                        struct slice *text)
{
    struct slice name = a->rules->model->internal_key_header;
    const struct enforce_header *h = header_of(a);

    (void)need;
    TRACE_STEP(a->trace, CREDENTIAL, a->out->operation->origin);
    if (h == NULL) {
        token_refuse_at(a, REFUSE_NO_CREDENTIAL, name, "the header is missing");
        return CREDENTIAL_ABSENT;
    }
    if (h->count > 1) {
        token_refuse_at(a, REFUSE_BAD_INTERNAL_KEY, name, "the header is there more than once");
        return CREDENTIAL_REFUSED;
    }
    *text = slice_trim(h->value);
    TRACE_SAY(a->trace, "an internal key, in the header %" PRIslice, SLICE_ARG(name));
    return CREDENTIAL_GOOD;
}

bool internal_key_open(struct attempt *a, const struct gw_need *need, struct slice text,
                       struct grant *out)
{
    (void)need;
    return token_open_as(a, GW_INTERNAL_KEY, text, out);
}

/* Is the API among those that the key is for? */
static bool is_for(const struct attempt *a, struct slice packed)
{
    struct jwt_subscriptions s;
    struct jwt_subscribed_api api;

    if (packed.n == 0)
        return false;
    subscription_unpack(&packed, &s);
    while (subscription_next_api(&packed, &api))
        if (slice_eq(api.context, a->out->api->base_path) &&
            slice_eq(api.version, a->out->api->version))
            return true;
    return false;
}

bool internal_key_admit(struct attempt *a, const struct grant *grant)
{
    static const struct slice name = SLICE_INIT("internal-key-app"), tier = SLICE_INIT("Unlimited");

    TRACE_STEP(a->trace, SUBSCRIPTION, a->out->api->origin);
    TRACE_SAY(a->trace, "by context and version in the key's subscribedAPIs");
    if (!is_for(a, grant->subscriptions)) {
        return attempt_refuse(a, REFUSE_NOT_IN_TOKEN, "the internal key is not for this API",
                              a->out->api->origin);
    }
    a->out->application = (struct enforce_application){
        .id = 0,
        .uuid = a->rules->internal_key_uuid,
        .name = name,
        .tier = tier,
        .owner = name,
        .subscription_tier = tier,
    };
    return subscription_check_status(a);
}
