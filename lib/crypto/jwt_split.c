/* A token taken apart: its three parts and what its header says. */

#include "crypto/base64url.h"
#include "crypto/jwt_json.h"

const char *jwt_fault_text(enum jwt_fault fault)
{
    static const char *const texts[] = {
#define X(name, text) [name] = (text),
        JWT_FAULTS(X)
#undef X
    };

    CC_ASSERT((size_t)fault < sizeof(texts) / sizeof(texts[0]));
    return texts[fault];
}

/* header "." payload "." signature: exactly two dots. */
static bool cut(struct slice token, struct slice part[3])
{
    struct slice rest = token;

    for (int i = 0; i < 3; i++)
        if (!slice_split(&rest, '.', &part[i]))
            return false;
    return rest.p == NULL;
}

static enum jwt_fault decode(struct slice text, struct arena *arena, struct slice *out)
{
    size_t cap = base64url_decoded_size(text.n);
    char *p = arena_alloc(arena, cap);
    size_t n = 0;

    if (p == NULL)
        return JWT_INTERNAL;
    if (base64url_decode(text, p, cap, &n) != CC_OK)
        return JWT_BAD_BASE64;
    *out = slice_make(p, n);
    return JWT_OK;
}

bool jwt_kid_valid(struct slice s)
{
    if (s.n == 0 || s.n > JWT_MAX_KID)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

/* RFC 7515 4.1.9: a media type, compared without case, "application/" may be left out. Other types
 * (an ID token's, a logout token's, dpop+jwt) are made for other readers: RFC 8725 3.11. */
static bool is_token_type(struct slice s)
{
    static const struct slice prefix = SLICE_INIT("application/");

    if (slice_eq_nocase(slice_first(s, prefix.n), prefix))
        s = slice_from(s, prefix.n);
    return slice_eq_nocase(s, SLICE("JWT")) || slice_eq_nocase(s, SLICE("at+jwt"));
}

/* What changes how the rest is to be read, refused whatever its value: we implement no critical
 * extension (RFC 7515 4.1.11), no unencoded payload (RFC 7797), no compression (RFC 8725 3.6). */
static bool demands_extension(const json_t *header)
{
    return json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL ||
           json_object_get(header, "zip") != NULL;
}

/* alg, kid and typ. All other members are left alone: above all jwk, jku, x5c and x5u, by which a
 * token would choose its own key (RFC 8725 3.10). */
static enum jwt_fault read_header(const json_t *header, struct arena *arena, struct jwt *out,
                                  enum jwt_alg *alg)
{
    const json_t *kid = json_object_get(header, "kid");
    const json_t *typ = json_object_get(header, "typ");

    if (demands_extension(header))
        return JWT_CRITICAL;
    *alg = jwt_alg_parse(jwt_json_text(json_object_get(header, "alg")));
    if (*alg == JWT_ALG_COUNT)
        return JWT_BAD_ALG;
    if (typ != NULL && !is_token_type(jwt_json_text(typ)))
        return JWT_BAD_TYPE;
    if (kid == NULL)
        return JWT_OK;
    if (!jwt_kid_valid(jwt_json_text(kid)))
        return JWT_BAD_KID;
    out->kid = arena_dup(arena, jwt_json_text(kid));
    return out->kid.p == NULL ? JWT_INTERNAL : JWT_OK;
}

enum jwt_fault jwt_split(struct slice token, struct arena *arena, struct jwt *out)
{
    struct slice part[3], header;
    enum jwt_alg alg = JWT_ALG_COUNT;
    json_t *json = NULL;
    enum jwt_fault fault;

    *out = (struct jwt){.token = token, .alg = JWT_ALG_COUNT};
    if (token.n > JWT_MAX_BYTES)
        return JWT_TOO_LARGE;
    if (!cut(token, part))
        return JWT_NOT_THREE_PARTS;
    out->signing_input = slice_first(token, part[0].n + 1 + part[1].n);

    fault = decode(part[0], arena, &header);
    if (fault == JWT_OK)
        fault = decode(part[1], arena, &out->payload);
    if (fault == JWT_OK)
        fault = decode(part[2], arena, &out->signature);
    if (fault == JWT_OK)
        fault = jwt_json_parse(header, JWT_BAD_HEADER, &json);
    if (fault == JWT_OK)
        fault = read_header(json, arena, out, &alg);
    json_decref(json);
    if (fault == JWT_OK)
        out->alg = alg;
    return fault;
}
