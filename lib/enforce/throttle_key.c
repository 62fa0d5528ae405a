#include "enforce/throttle_key.h"

static struct slice since(const struct buf *b, size_t start)
{
    return slice_from(buf_slice(b), start);
}

static void add_int(struct buf *b, int64_t n)
{
    if (n < 0)
        buf_add_char(b, '-');
    buf_add_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

/* The user with the API's tenant, unless it is there already. */
static struct slice user_of(struct slice name, struct slice tenant, struct buf *keys)
{
    size_t start = keys->n;

    if (slice_contains(name, tenant))
        return name;
    buf_add(keys, name);
    buf_add_char(keys, '@');
    buf_add(keys, tenant);
    return since(keys, start);
}

void throttle_name_user(struct throttle_caller *c, struct buf *keys)
{
    c->user = user_of(c->name, c->api->tenant, keys);
}

void throttle_describe(const struct attempt *a, struct throttle_caller *out)
{
    const struct throttle_rules *t = &a->rules->throttle;
    const struct gw_api *api = a->out->api;
    const struct enforce_application *app = &a->out->application;

    *out = (struct throttle_caller){
        .api = &t->apis[api - a->rules->model->apis],
        .version = api->version,
        .name = a->out->user,
        .app_tenant = app->tenant.n > 0 ? app->tenant : SLICE("carbon.super"),
        .subscriber = app->owner,
        .app_name = app->name,
        .keytype = a->out->keytype,
        .app_id = app->id,
        .certificate = app->certificate,
        .app_tier = app->tier,
        .subscription_tier = app->subscription_tier,
        .stop = app->stop_on_quota_reach,
    };
    if (a->out->operation->open) {
        out->name = out->subscriber = SLICE("anonymous");
        out->app_id = 0;
        out->app_tier = out->certificate = SLICE("");
        out->subscription_tier = t->settings->unauthenticated_tier;
        out->stop = true;
        out->keytype = a->out->resource->production != NULL || api->production != NULL || api->mock
                           ? SLICE("PRODUCTION")
                           : SLICE("SANDBOX"); /* as choose_cluster() takes them */
    }
}

/* --- keys ---------------------------------------------------------------------------------------
 */

static size_t begin(struct buf *keys, const struct throttle_policy *p)
{
    size_t start = keys->n;

    buf_add(keys, p->key_prefix);
    return start;
}

/* "C:V" */
static void add_api(struct buf *keys, const struct throttle_caller *c)
{
    buf_add(keys, c->api->context);
    if (c->version.n == 0)
        return;
    buf_add_char(keys, ':');
    buf_add(keys, c->version);
}

/* "C/V/template:METHOD" */
static void add_resource(struct buf *keys, const struct attempt *a, const struct throttle_caller *c)
{
    buf_add(keys, c->api->context);
    if (c->version.n > 0) {
        buf_add_char(keys, '/');
        buf_add(keys, c->version);
    }
    buf_add(keys, a->out->resource->template);
    buf_add_char(keys, ':');
    buf_add_str(keys, gw_method_name(a->out->operation->method));
}

static void add_group(struct buf *keys, size_t group)
{
    if (group == SIZE_MAX) {
        buf_add_str(keys, "_default");
        return;
    }
    buf_add_str(keys, "_condition_");
    buf_add_u64(keys, group);
}

struct slice throttle_api_key(const struct throttle_caller *c, const struct throttle_policy *p,
                              size_t group, struct buf *keys)
{
    size_t start = begin(keys, p);

    add_api(keys, c);
    add_group(keys, group);
    return since(keys, start);
}

struct slice throttle_resource_key(const struct attempt *a, const struct throttle_caller *c,
                                   const struct throttle_policy *p, size_t group, struct buf *keys)
{
    size_t start = begin(keys, p);

    add_resource(keys, a, c);
    add_group(keys, group);
    return since(keys, start);
}

struct slice throttle_subscription_key(const struct throttle_caller *c,
                                       const struct throttle_policy *p, struct buf *keys)
{
    size_t start = begin(keys, p);

    add_int(keys, c->app_id);
    buf_add_char(keys, ':');
    add_api(keys, c);
    if (c->certificate.n > 0) { /* each of those that one authority vouches for by itself */
        buf_add_char(keys, ':');
        add_int(keys, (int64_t)c->certificate.n);
        buf_add_char(keys, ':');
        buf_add(keys, c->certificate);
        buf_add(keys, c->name);
    }
    return since(keys, start);
}

struct slice throttle_application_key(const struct throttle_caller *c,
                                      const struct throttle_policy *p, struct buf *keys)
{
    size_t start = begin(keys, p);

    add_int(keys, c->app_id);
    buf_add_char(keys, ':');
    buf_add(keys, c->user);
    return since(keys, start);
}

static bool add_property(struct buf *keys, const struct attempt *a, struct slice name)
{
    const struct enforce_application *app = &a->out->application;

    for (size_t i = 0; i < app->n_attributes; i++) {
        if (slice_eq(app->attributes[i].name, name)) {
            buf_add(keys, app->attributes[i].value);
            return true;
        }
    }
    return false;
}

/* Who has an IPv6 network has all of its addresses, and takes a new one for each request. */
static void add_address(struct buf *keys, const struct attempt *a)
{
    unsigned bits = a->rules->throttle.settings->ipv6_prefix_length;
    char decimal[GW_ADDRESS_DECIMAL];
    struct gw_address network;

    if (!a->request->has_src)
        return;
    network = gw_address_network(&a->request->src, bits > 0 ? bits : GW_IPV6_BITS);
    buf_add(keys, gw_address_decimal(&network, decimal));
}

static void add_variable(struct buf *keys, const struct attempt *a, const struct throttle_caller *c,
                         enum gw_variable variable)
{
    switch (variable) {
    case GW_VARIABLE_RESOURCE_KEY:
        if (a->out->api->tier.n > 0)
            add_api(keys, c);
        else
            add_resource(keys, a, c);
        break;
    case GW_VARIABLE_USER_ID:
        buf_add(keys, c->user);
        break;
    case GW_VARIABLE_API_CONTEXT:
        buf_add(keys, c->api->context);
        break;
    case GW_VARIABLE_API_VERSION:
        buf_add(keys, c->version);
        break;
    case GW_VARIABLE_APP_TENANT:
        buf_add(keys, c->app_tenant);
        break;
    case GW_VARIABLE_API_TENANT:
        buf_add(keys, c->api->tenant);
        break;
    case GW_VARIABLE_APP_ID:
        add_int(keys, c->app_id);
        break;
    case GW_VARIABLE_CLIENT_IP:
        add_address(keys, a);
        break;
    case GW_VARIABLE_PROPERTY:
    case GW_VARIABLE_NONE:
        break;
    }
}

bool throttle_custom_key(const struct attempt *a, const struct throttle_caller *c,
                         const struct throttle_policy *p, struct buf *keys, struct slice *key)
{
    size_t start = begin(keys, p);

    for (size_t i = 0; i < p->n_pieces; i++) {
        const struct throttle_piece *piece = &p->pieces[i];

        if (piece->variable == GW_VARIABLE_NONE)
            buf_add(keys, piece->text);
        else if (piece->variable != GW_VARIABLE_PROPERTY)
            add_variable(keys, a, c, piece->variable);
        else if (!add_property(keys, a, piece->text))
            return false;
    }
    *key = since(keys, start);
    return true;
}

/* --- deny rules ---------------------------------------------------------------------------------
 */

struct slice throttle_denied_application(const struct throttle_caller *c, struct buf *keys)
{
    size_t start = keys->n;

    buf_add(keys, c->subscriber);
    buf_add_char(keys, ':');
    buf_add(keys, c->app_name);
    return since(keys, start);
}

struct slice throttle_denied_subscription(const struct throttle_caller *c, struct buf *keys)
{
    size_t start = keys->n;

    add_api(keys, c);
    buf_add_char(keys, ':');
    buf_add(keys, c->subscriber);
    buf_add_char(keys, '-');
    buf_add(keys, c->app_name);
    buf_add_char(keys, ':');
    buf_add(keys, c->keytype);
    return since(keys, start);
}
