/* Claims that somebody asked for by name, as texts. */
#include "crypto/jwt_json.h"

#include <stdio.h>

struct extras {
    struct arena *arena;
    struct jwt_extra *list;
    size_t n, max;
};

/* As claims of no type of their own are compared: texts as they are, all else as JSON says it. */
static enum jwt_fault add(struct extras *e, size_t claim, const json_t *value)
{
    struct slice text = SLICE("");
    char number[64];

    if (e->n == e->max)
        return JWT_BAD_CLAIM;
    if (json_is_string(value))
        text = jwt_json_text(value);
    else if (json_is_boolean(value))
        text = json_is_true(value) ? SLICE("true") : SLICE("false");
    else if (json_is_integer(value))
        text = slice_make(number, (size_t)snprintf(number, sizeof(number), "%lld",
                                                   (long long)json_integer_value(value)));
    else if (json_is_real(value))
        text = slice_make(
            number, (size_t)snprintf(number, sizeof(number), "%.17g", json_real_value(value)));
    text = arena_dup(e->arena, text);
    if (text.p == NULL)
        return JWT_INTERNAL;
    e->list[e->n++] = (struct jwt_extra){claim, text};
    return JWT_OK;
}

static enum jwt_fault add_claim(struct extras *e, size_t claim, const json_t *value)
{
    enum jwt_fault fault = JWT_OK;

    if (value == NULL || json_is_null(value))
        return JWT_OK;
    if (!json_is_array(value) || json_array_size(value) == 0)
        return add(e, claim, value);
    for (size_t i = 0; i < json_array_size(value) && fault == JWT_OK; i++)
        fault = add(e, claim, json_array_get(value, i));
    return fault;
}

enum jwt_fault jwt_read_extra(const json_t *payload, const struct jwt_claim_names *names,
                              struct arena *arena, struct jwt_claims *out)
{
    struct extras e = {.arena = arena, .max = JWT_MAX_LIST};
    enum jwt_fault fault = JWT_OK;

    e.list = arena_array(arena, e.max, sizeof(*e.list));
    if (e.list == NULL)
        return JWT_INTERNAL;
    for (size_t i = 0; i < names->n_extra && fault == JWT_OK; i++)
        fault = add_claim(&e, i, json_object_getn(payload, names->extra[i].p, names->extra[i].n));
    out->extra = e.list;
    out->n_extra = e.n;
    return fault;
}
