/* The claims of a token: types and ranges checked, copied out of the JSON tree. */

#include "crypto/jwt_json.h"

#define TIME_END (INT64_C(1) << 53) /* the first whole number that a JSON reader may round */

enum jwt_fault jwt_read_text(const json_t *value, struct arena *arena, struct slice *out)
{
    struct slice text = jwt_json_text(value);

    if (value == NULL)
        return JWT_OK;
    if (text.p == NULL || slice_has_control(text))
        return JWT_BAD_CLAIM;
    *out = arena_dup(arena, text);
    return out->p == NULL ? JWT_INTERNAL : JWT_OK;
}

static enum jwt_fault read_issuer(const json_t *payload, struct arena *arena, struct slice *out)
{
    const json_t *iss = json_object_get(payload, "iss");

    if (jwt_json_text(iss).n == 0)
        return JWT_BAD_ISSUER;
    return jwt_read_text(iss, arena, out);
}

/* RFC 7519 2 NumericDate, whole seconds only: 1e9 and 1.5 are numbers that two readers may round
 * apart. */
static enum jwt_fault read_time(const json_t *value, bool *has, int64_t *out)
{
    if (value == NULL)
        return JWT_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) >= TIME_END)
        return JWT_BAD_TIMES;
    *has = true;
    *out = json_integer_value(value);
    return JWT_OK;
}

struct list {
    struct slice *items;
    size_t n;
};

static enum jwt_fault list_new(struct arena *arena, size_t n, struct list *out)
{
    if (n > JWT_MAX_LIST)
        return JWT_BAD_CLAIM;
    out->n = 0;
    out->items = arena_array(arena, n, sizeof(*out->items));
    return out->items == NULL ? JWT_INTERNAL : JWT_OK;
}

/* A JSON array of texts, none of them empty. */
static enum jwt_fault read_array(const json_t *array, struct arena *arena, struct list *out)
{
    enum jwt_fault fault = list_new(arena, json_array_size(array), out);

    for (size_t i = 0; fault == JWT_OK && i < json_array_size(array); i++) {
        struct slice *item = &out->items[i];

        fault = jwt_read_text(json_array_get(array, i), arena, item);
        if (fault == JWT_OK && item->n == 0)
            fault = JWT_BAD_CLAIM;
        out->n = i + 1;
    }
    return fault;
}

static size_t count_words(struct slice text)
{
    struct slice word;
    size_t n = 0;

    while (slice_split(&text, ' ', &word))
        n += word.n != 0;
    return n;
}

/* RFC 6749 3.3 and RFC 8693 4.2: scopes are one text, separated by spaces. Lists are what some
 * issuers send all the same. */
static enum jwt_fault read_scopes(const json_t *value, struct arena *arena, struct list *out)
{
    struct slice text = SLICE_NONE, word;
    enum jwt_fault fault;

    if (value == NULL)
        return JWT_OK;
    if (json_is_array(value))
        return read_array(value, arena, out);
    fault = jwt_read_text(value, arena, &text);
    if (fault == JWT_OK)
        fault = list_new(arena, count_words(text), out);
    while (fault == JWT_OK && slice_split(&text, ' ', &word))
        if (word.n != 0)
            out->items[out->n++] = word;
    return fault;
}

/* RFC 7519 4.1.3: a list of texts, or one text when there is only one. */
static enum jwt_fault read_audiences(const json_t *value, struct arena *arena, struct list *out)
{
    enum jwt_fault fault;

    if (value == NULL)
        return JWT_OK;
    if (json_is_array(value))
        return read_array(value, arena, out);
    fault = list_new(arena, 1, out);
    if (fault == JWT_OK)
        fault = jwt_read_text(value, arena, &out->items[0]);
    out->n = 1;
    return fault;
}

/* The member an issuer was configured to use, exactly: no second guess when it is missing. */
static const json_t *renamed(const json_t *payload, struct slice name, const char *standard)
{
    return name.n == 0 ? json_object_get(payload, standard)
                       : json_object_getn(payload, name.p, name.n);
}

static const json_t *consumer_key(const json_t *payload, struct slice name)
{
    const json_t *key = renamed(payload, name, "consumerKey");

    return key == NULL && name.n == 0 ? json_object_get(payload, "azp") : key;
}

static enum jwt_fault read_all_but_issuer(const json_t *payload,
                                          const struct jwt_claim_names *names, struct arena *arena,
                                          struct jwt_claims *c)
{
    const struct {
        const json_t *value;
        struct slice *out;
    } texts[] = {
        {json_object_get(payload, "sub"), &c->sub},
        {json_object_get(payload, "jti"), &c->jti},
        {json_object_get(payload, "keytype"), &c->keytype},
        {json_object_get(payload, "token_type"), &c->token_type},
        {consumer_key(payload, names->consumer_key), &c->consumer_key},
    };
    const struct {
        const json_t *value;
        bool *has;
        int64_t *out;
    } times[] = {
        {json_object_get(payload, "exp"), &c->has_exp, &c->exp},
        {json_object_get(payload, "nbf"), &c->has_nbf, &c->nbf},
        {json_object_get(payload, "iat"), &c->has_iat, &c->iat},
    };
    struct list scopes = {NULL, 0}, audiences = {NULL, 0};
    enum jwt_fault fault = JWT_OK;

    for (size_t i = 0; fault == JWT_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
        fault = jwt_read_text(texts[i].value, arena, texts[i].out);
    for (size_t i = 0; fault == JWT_OK && i < sizeof(times) / sizeof(times[0]); i++)
        fault = read_time(times[i].value, times[i].has, times[i].out);
    if (fault == JWT_OK)
        fault = read_scopes(renamed(payload, names->scope, "scope"), arena, &scopes);
    if (fault == JWT_OK)
        fault = read_audiences(json_object_get(payload, "aud"), arena, &audiences);
    if (fault == JWT_OK && names->restrictions)
        fault = jwt_read_text(json_object_get(payload, "permittedIP"), arena, &c->permitted_ip);
    if (fault == JWT_OK && names->restrictions)
        fault = jwt_read_text(json_object_get(payload, "permittedReferer"), arena,
                              &c->permitted_referer);
    if (fault == JWT_OK && names->subscriptions)
        fault = jwt_read_subscriptions(payload, arena, &c->subscriptions);
    if (fault == JWT_OK && names->n_extra > 0)
        fault = jwt_read_extra(payload, names, arena, c);
    c->scopes = scopes.items;
    c->n_scopes = scopes.n;
    c->audiences = audiences.items;
    c->n_audiences = audiences.n;
    return fault;
}

static enum jwt_fault read_all(const json_t *payload, const struct jwt_claim_names *names,
                               struct arena *arena, struct jwt_claims *c)
{
    enum jwt_fault fault = read_issuer(payload, arena, &c->iss);

    return fault == JWT_OK ? read_all_but_issuer(payload, names, arena, c) : fault;
}

struct slice jwt_tree_text(const struct jwt_claim_tree *tree, const char *name)
{
    return jwt_json_text(json_object_get((const json_t *)(const void *)tree, name));
}

bool jwt_tree_set(struct jwt_claim_tree *tree, const char *name, struct slice text)
{
    return json_object_set_new((json_t *)(void *)tree, name, json_stringn(text.p, text.n)) == 0;
}

bool jwt_tree_remove(struct jwt_claim_tree *tree, const char *name)
{
    return json_object_del((json_t *)(void *)tree, name) == 0;
}

static enum jwt_fault run_hook(const struct jwt_claim_hook *hook, json_t *payload)
{
    return hook != NULL ? hook->change(hook->context, (struct jwt_claim_tree *)(void *)payload)
                        : JWT_OK;
}

enum jwt_fault jwt_claims_parse(const struct jwt *jwt, const struct jwt_claim_names *names,
                                struct arena *arena, struct jwt_claims *out)
{
    return jwt_claims_parse_changed(jwt, names, NULL, arena, out);
}

enum jwt_fault jwt_claims_parse_changed(const struct jwt *jwt, const struct jwt_claim_names *names,
                                        const struct jwt_claim_hook *hook, struct arena *arena,
                                        struct jwt_claims *out)
{
    static const struct jwt_claim_names standard = {SLICE_INIT(""), SLICE_INIT(""), false,
                                                    false,          NULL,           0};
    struct jwt_claims claims = {0};
    json_t *payload = NULL;
    enum jwt_fault fault = jwt_json_parse(jwt->payload, JWT_BAD_PAYLOAD, &payload);

    if (fault == JWT_OK)
        fault = run_hook(hook, payload);
    if (fault == JWT_OK)
        fault = read_all(payload, names == NULL ? &standard : names, arena, &claims);
    json_decref(payload);
    /* Half-read claims are nothing to work with. */
    *out = fault == JWT_OK ? claims : (struct jwt_claims){0};
    return fault;
}

/* --- introspection ------------------------------------------------------------------------------
 */

/* The value also stands under the other name. What was there is replaced: the mapping is the
 * operator's word. */
static enum jwt_fault add_name(json_t *payload, struct slice to, json_t *value)
{
    if (value == NULL)
        return JWT_OK;
    return json_object_setn_nocheck(payload, to.p, to.n, value) == 0 ? JWT_OK : JWT_INTERNAL;
}

/* Where it has no value of its own. */
static enum jwt_fault default_to(json_t *payload, const char *name, const char *other)
{
    return json_object_get(payload, name) != NULL
               ? JWT_OK
               : add_name(payload, slice_of(name), json_object_get(payload, other));
}

/* Servers write null for what they do not know. */
static void remove_nulls(json_t *payload)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(payload, next, name, value) if (json_is_null(value))
        json_object_del(payload, name);
}

static enum jwt_fault rename_members(json_t *payload, const struct jwt_claim_mappings *mappings)
{
    enum jwt_fault fault = JWT_OK;

    for (size_t i = 0; mappings != NULL && fault == JWT_OK && i < mappings->n; i++) {
        const struct jwt_claim_mapping *m = &mappings->items[i];

        fault = add_name(payload, m->local, json_object_getn(payload, m->remote.p, m->remote.n));
    }
    if (fault == JWT_OK)
        fault = default_to(payload, "sub", "username");
    return fault == JWT_OK ? default_to(payload, "consumerKey", "client_id") : fault;
}

static enum jwt_fault read_active(json_t *payload, const struct jwt_claim_names *names,
                                  const struct jwt_claim_mappings *mappings,
                                  const struct jwt_claim_hook *hook, struct arena *arena,
                                  struct jwt_introspection *out)
{
    enum jwt_fault fault;

    remove_nulls(payload);
    fault = jwt_read_text(json_object_get(payload, "token_type"), arena, &out->token_type);
    if (fault == JWT_OK)
        fault = rename_members(payload, mappings);
    if (fault == JWT_OK)
        fault = run_hook(hook, payload);
    if (fault == JWT_OK)
        fault = jwt_read_text(json_object_get(payload, "iss"), arena, &out->claims.iss);
    return fault == JWT_OK ? read_all_but_issuer(payload, names, arena, &out->claims) : fault;
}

enum jwt_fault jwt_introspection_parse(struct slice text, const struct jwt_claim_names *names,
                                       const struct jwt_claim_mappings *mappings,
                                       const struct jwt_claim_hook *hook, struct arena *arena,
                                       struct jwt_introspection *out)
{
    struct jwt_introspection in = {.active = false};
    json_t *payload = NULL;
    enum jwt_fault fault = jwt_json_parse(text, JWT_BAD_INTROSPECTION, &payload);

    if (fault == JWT_OK && !json_is_boolean(json_object_get(payload, "active")))
        fault = JWT_BAD_INTROSPECTION;
    if (fault == JWT_OK && json_is_true(json_object_get(payload, "active"))) {
        in.active = true;
        fault = read_active(payload, names, mappings, hook, arena, &in);
    }
    json_decref(payload);
    *out = fault == JWT_OK ? in : (struct jwt_introspection){.active = false};
    return fault;
}

enum jwt_fault jwt_peek_issuer(const struct jwt *jwt, struct arena *arena, struct slice *iss)
{
    json_t *payload = NULL;
    enum jwt_fault fault = jwt_json_parse(jwt->payload, JWT_BAD_PAYLOAD, &payload);

    *iss = SLICE_NONE;
    if (fault == JWT_OK)
        fault = read_issuer(payload, arena, iss);
    json_decref(payload);
    return fault;
}

/* Differences instead of sums: times are below 2^53, so that no leeway can overflow. */
enum jwt_fault jwt_check_times(const struct jwt_claims *c, int64_t now_s, int64_t leeway_s)
{
    if (!c->has_exp)
        return JWT_BAD_TIMES;
    if (now_s - c->exp >= leeway_s)
        return JWT_EXPIRED;
    if ((c->has_nbf && c->nbf - now_s > leeway_s) || (c->has_iat && c->iat - now_s > leeway_s))
        return JWT_NOT_YET_VALID;
    return JWT_OK;
}
