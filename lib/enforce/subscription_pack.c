/* What a token says of its subscriptions, as bytes to be remembered. */
#include "enforce/subscription_pack.h"

/* Flags, the application's number in 8 bytes, then texts as grant_pack_scope() packs them; the same
 * without a number for each API. A token has at most JWT_MAX_BYTES, so that every length fits. */
enum { HAS_APPLICATION = 1, BANDWIDTH = 2, STOP = 4, APPLICATION_TEXTS = 4, API_TEXTS = 5 };

static size_t texts_size(const struct slice *texts, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += grant_packed_size(texts[i]);
    return size;
}

static char *put_texts(char *p, const struct slice *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        grant_pack_scope(p, texts[i]);
        p += grant_packed_size(texts[i]);
    }
    return p;
}

static void api_texts(const struct jwt_subscribed_api *api, struct slice texts[API_TEXTS])
{
    texts[0] = api->name;
    texts[1] = api->version;
    texts[2] = api->context;
    texts[3] = api->tier;
    texts[4] = api->tenant;
}

enum jwt_fault subscription_pack(const struct jwt_subscriptions *s, struct arena *arena,
                                 struct slice *out)
{
    const struct slice application[APPLICATION_TEXTS] = {s->uuid, s->name, s->tier, s->owner};
    size_t size = 1 + sizeof(s->id) + texts_size(application, APPLICATION_TEXTS);
    struct slice texts[API_TEXTS];
    char *room, *p;

    *out = SLICE_NONE;
    if (!s->has_apis)
        return JWT_OK;
    for (size_t i = 0; i < s->n_apis; i++) {
        api_texts(&s->apis[i], texts);
        size += 1 + texts_size(texts, API_TEXTS);
    }
    room = p = arena_alloc(arena, size);
    if (room == NULL)
        return JWT_INTERNAL;
    *p++ = (char)((s->has_application ? HAS_APPLICATION : 0) | (s->bandwidth ? BANDWIDTH : 0));
    memcpy(p, &s->id, sizeof(s->id));
    p = put_texts(p + sizeof(s->id), application, APPLICATION_TEXTS);
    for (size_t i = 0; i < s->n_apis; i++) {
        const struct jwt_subscribed_api *api = &s->apis[i];

        api_texts(api, texts);
        *p++ = (char)((api->stop_on_quota_reach ? STOP : 0) | (api->bandwidth ? BANDWIDTH : 0));
        p = put_texts(p, texts, API_TEXTS);
    }
    *out = slice_make(room, size);
    return JWT_OK;
}

static char take_flags(struct slice *rest)
{
    char flags;

    CC_ASSERT(rest->n > 0);
    flags = rest->p[0];
    *rest = slice_from(*rest, 1);
    return flags;
}

static void take_texts(struct slice *rest, struct slice *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool there = grant_next_scope(rest, texts[i]);

        CC_ASSERT(there);
    }
}

void subscription_unpack(struct slice *rest, struct jwt_subscriptions *out)
{
    struct slice *const texts[APPLICATION_TEXTS] = {&out->uuid, &out->name, &out->tier,
                                                    &out->owner};
    char flags = take_flags(rest);

    *out = (struct jwt_subscriptions){
        .has_apis = true,
        .has_application = (flags & HAS_APPLICATION) != 0,
        .bandwidth = (flags & BANDWIDTH) != 0,
    };
    CC_ASSERT(rest->n >= sizeof(out->id));
    memcpy(&out->id, rest->p, sizeof(out->id));
    *rest = slice_from(*rest, sizeof(out->id));
    take_texts(rest, texts, APPLICATION_TEXTS);
}

bool subscription_next_api(struct slice *rest, struct jwt_subscribed_api *api)
{
    struct slice *const texts[API_TEXTS] = {&api->name, &api->version, &api->context, &api->tier,
                                            &api->tenant};
    char flags;

    if (rest->n == 0)
        return false;
    flags = take_flags(rest);
    api->stop_on_quota_reach = (flags & STOP) != 0;
    api->bandwidth = (flags & BANDWIDTH) != 0;
    take_texts(rest, texts, API_TEXTS);
    return true;
}
