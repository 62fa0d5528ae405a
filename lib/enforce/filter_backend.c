/* filter: extensions that make claims of the JWT for backends. */
#include "crypto/jwt_json.h"
#include "enforce/attempt.h"
#include "enforce/filter.h"

enum { VALUE_MAX = 4096, NAME_MAX_BYTES = 1024 };

#define ALWAYS                                                                \
    (CC_FACT(CC_API_NAME) | CC_FACT(CC_API_VERSION) | CC_FACT(CC_API_ID) |    \
     CC_FACT(CC_API_BASE_PATH) | CC_FACT(CC_USER) | CC_FACT(CC_APPLICATION) | \
     CC_FACT(CC_KEY_TYPE))
#define ON_DEMAND                                                                   \
    (CC_FACT(CC_METHOD) | CC_FACT(CC_PATH) | CC_FACT(CC_QUERY) | CC_FACT(CC_HOST) | \
     CC_FACT(CC_RESOURCE))

struct backend_call {
    struct cc_backend_claims head; /* first: converted back by a cast */
    const struct attempt *a;
    json_t *claims;
    json_t *token; /* NULL: there is none */
    uint64_t facts;
};

static struct backend_call *call_of(const struct cc_backend_claims *c)
{
    return (struct backend_call *)(uintptr_t)c;
}

static struct cc_text text(const struct cc_backend_claims *c, enum cc_fact fact)
{
    const struct backend_call *call = call_of(c);

    /* one that it does not name is not in the key under which the JWT is remembered */
    if ((unsigned)fact >= 64 || (call->facts & CC_FACT(fact)) == 0)
        return (struct cc_text){NULL, 0};
    return filter_fact(call->a, fact);
}

static bool is_name(const char *name)
{
    return name != NULL && strnlen(name, NAME_MAX_BYTES) < NAME_MAX_BYTES;
}

static struct cc_text text_of(const json_t *object, const char *name)
{
    struct slice s = SLICE_NONE;

    if (object != NULL && is_name(name))
        s = jwt_json_text(json_object_get(object, name));
    return (struct cc_text){s.p, s.n};
}

static struct cc_text token(const struct cc_backend_claims *c, const char *name)
{
    return text_of(call_of(c)->token, name);
}

static struct cc_text get(const struct cc_backend_claims *c, const char *name)
{
    return text_of(call_of(c)->claims, name);
}

/* May it be changed? Not how long the JWT is valid, and which it is: for that long it is
 * remembered. */
static bool is_free(const char *name)
{
    static const char *const own[] = {"exp", "iat", "nbf", "jti"};

    if (!is_name(name) || name[0] == '\0')
        return false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(name, own[i]) == 0)
            return false;
    return true;
}

static bool set(struct cc_backend_claims *c, const char *name, struct cc_text value)
{
    return is_free(name) && value.p != NULL && value.n <= VALUE_MAX &&
           memchr(value.p, '\0', value.n) == NULL &&
           json_object_set_new(call_of(c)->claims, name, json_stringn(value.p, value.n)) == 0;
}

static bool set_json(struct cc_backend_claims *c, const char *name, struct cc_text json)
{
    json_error_t error;

    if (!is_free(name) || json.p == NULL || json.n > VALUE_MAX ||
        jwt_json_nesting(slice_make(json.p, json.n)) > JWT_MAX_DEPTH)
        return false;
    /* without a value, which includes NULL for no memory, nothing is set */
    return json_object_set_new(
               call_of(c)->claims, name,
               json_loadb(json.p, json.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error)) == 0;
}

static bool remove_claim(struct cc_backend_claims *c, const char *name)
{
    return is_free(name) && json_object_del(call_of(c)->claims, name) == 0;
}

static struct slice generator_of(const struct attempt *a)
{
    return a->rules->jwt.settings->generator;
}

static const struct enforce_filter *find(const struct attempt *a)
{
    const struct enforce_filters *all = &a->w->filters;
    struct slice name = generator_of(a);

    for (size_t i = 0; name.n > 0 && i < all->n; i++)
        if (slice_eq(all->items[i].name, name) &&
            all->items[i].extension->on_backend_claims != NULL)
            return &all->items[i];
    return NULL;
}

uint64_t filter_backend_facts(const struct attempt *a)
{
    const struct enforce_filter *f = find(a);

    return f != NULL ? f->extension->backend_facts & ON_DEMAND : 0;
}

static const char *run(const struct attempt *a, const struct enforce_filter *f,
                       struct backend_call *call)
{
    int64_t start_us = clock_mono_us(a->clock);
    enum cc_result result = f->extension->on_backend_claims(f->state, &call->head);

    if (clock_mono_us(a->clock) - start_us > f->limit_us) {
        attempt_count(&a->w->filter_overruns, 1);
        return "cannot be made: its generator took longer than its timeLimitInMicros";
    }
    return result == CC_CONTINUE ? NULL : "cannot be made: its generator failed";
}

static int add_bytes(const char *p, size_t n, void *out)
{
    buf_add(out, slice_make(p, n));
    return buf_error(out) == CC_OK ? 0 : -1;
}

const char *filter_backend_claims(struct attempt *a, struct slice payload, struct buf *claims)
{
    static const struct cc_backend_calls calls = {sizeof(calls), text,     token,       get,
                                                  set,           set_json, remove_claim};
    const struct enforce_filter *f = find(a);
    struct backend_call call = {.head = {&calls}, .a = a};
    const char *fault = "cannot be made: there is no memory";
    json_error_t error;

    if (generator_of(a).n == 0 || (f == NULL && a->w->filters.absent))
        return NULL;
    if (f == NULL)
        return "cannot be made: its generator has no on_backend_claims";
    call.facts = ALWAYS | (f->extension->backend_facts & ON_DEMAND);
    call.claims = json_loadb(claims->p, claims->n, JSON_REJECT_DUPLICATES, &error);
    if (call.claims == NULL)
        goto out;
    if (payload.n > 0 && jwt_json_parse(payload, JWT_BAD_PAYLOAD, &call.token) != JWT_OK)
        goto out;
    fault = run(a, f, &call);
    if (fault != NULL)
        goto out;
    buf_reset(claims);
    if (json_dump_callback(call.claims, add_bytes, claims, JSON_COMPACT) != 0)
        fault = buf_error(claims) == CC_EFULL ? "would be larger than 6144 bytes"
                                              : "cannot be made: there is no memory";
out:
    json_decref(call.claims);
    json_decref(call.token);
    return fault;
}
