#include "enforce/backend_claims.h"

#include "crypto/jwt_json.h"
#include "enforce/enforce.h"
#include "subs/subs.h"

enum { NAME_MAX_BYTES = 1024 }; /* of a claim with its dialect; a token has at most JWT_MAX_BYTES */

/* The gateway's claims behind the dialect; the contract's names. */
#define DIALECT_CLAIMS(X)                                                                 \
    X(subscriber)                                                                         \
    X(applicationid)                                                                      \
    X(applicationname)                                                                    \
    X(applicationtier) X(apiname) X(apicontext) X(version) X(tier) X(keytype) X(usertype) \
        X(enduser) X(enduserTenantId) X(applicationUUId) X(applicationAttributes)

static const struct slice dialect_claims[] = {
#define X(name) SLICE_INIT(#name),
    DIALECT_CLAIMS(X)
#undef X
};

/* Claims of a token that say something about it, or that the gateway says itself. */
static const struct slice kept_back[] = {
    SLICE_INIT("iss"),
    SLICE_INIT("sub"),
    SLICE_INIT("aud"),
    SLICE_INIT("exp"),
    SLICE_INIT("nbf"),
    SLICE_INIT("iat"),
    SLICE_INIT("jti"),
    SLICE_INIT("aut"),
    SLICE_INIT("application"),
    SLICE_INIT("tierInfo"),
    SLICE_INIT("subscribedAPIs"),
};

static bool is_listed(const struct slice *list, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], name))
            return true;
    return false;
}

/* "http://wso2.org/claims/"; the dialects "" and "/" stand as they are. */
static void add_dialect(struct buf *b, const struct gw_backend_jwt *jwt)
{
    buf_add(b, jwt->dialect);
    if (jwt->dialect.n > 0 && !slice_is(jwt->dialect, "/"))
        buf_add_char(b, '/');
}

/* --- the gateway's ---------------------------------------------------------------------------- */

struct writer {
    const struct backend_claims *in;
    struct buf *out;
};

static void begin_claim(const struct writer *w, const char *name)
{
    char room[NAME_MAX_BYTES];
    struct buf full;

    buf_init_fixed(&full, room, sizeof(room));
    add_dialect(&full, w->in->settings);
    buf_add_str(&full, name);
    CC_ASSERT(buf_error(&full) == CC_OK); /* a dialect has at most 255 bytes */
    buf_add_char(w->out, ',');
    buf_add_json(w->out, buf_slice(&full));
    buf_add_char(w->out, ':');
}

static void add_text(const struct writer *w, const char *name, struct slice value)
{
    if (value.n == 0)
        return;
    begin_claim(w, name);
    buf_add_json(w->out, value);
}

static void add_attributes(const struct writer *w, const struct enforce_application *app)
{
    if (app->n_attributes == 0)
        return;
    begin_claim(w, "applicationAttributes");
    for (size_t i = 0; i < app->n_attributes; i++) {
        buf_add_char(w->out, i > 0 ? ',' : '{');
        buf_add_json(w->out, app->attributes[i].name);
        buf_add_char(w->out, ':');
        buf_add_json(w->out, app->attributes[i].value);
    }
    buf_add_char(w->out, '}');
}

static void add_own(const struct writer *w, struct slice user)
{
    const struct backend_claims *in = w->in;
    const struct enforce_application *app = in->application;
    int64_t expires_s = in->now_s + in->settings->ttl_s;

    buf_printf(w->out, "{\"iss\":\"wso2.org/products/am\",\"exp\":%lld,\"iat\":%lld,\"jti\":\"%s\"",
               (long long)expires_s, (long long)in->now_s, in->id);
    add_text(w, "subscriber", app->owner);
    add_text(w, "applicationid", app->uuid);
    add_text(w, "applicationname", app->name);
    add_text(w, "applicationtier", app->tier);
    add_text(w, "apiname", in->api->name);
    add_text(w, "apicontext", in->api->base_path);
    add_text(w, "version", in->api->version);
    add_text(w, "tier", app->subscription_tier);
    add_text(w, "keytype", in->keytype.n > 0 ? in->keytype : SLICE("PRODUCTION"));
    add_text(w, "usertype", SLICE("Application_User"));
    add_text(w, "enduser", user);
    add_text(w, "enduserTenantId", SLICE("0"));
    add_text(w, "applicationUUId", app->uuid);
    add_attributes(w, app);
}

/* --- the token's ------------------------------------------------------------------------------ */

/* Has the name of one of the gateway's claims? */
static bool is_own(const struct gw_backend_jwt *jwt, struct slice name)
{
    char room[NAME_MAX_BYTES];
    struct buf prefix;

    buf_init_fixed(&prefix, room, sizeof(room));
    add_dialect(&prefix, jwt);
    if (!slice_starts(name, buf_slice(&prefix)))
        return false;
    return is_listed(dialect_claims, sizeof(dialect_claims) / sizeof(dialect_claims[0]),
                     slice_from(name, prefix.n));
}

static const struct gw_claim_mapping *mapping_to(const struct gw_issuer *issuer, struct slice local)
{
    for (size_t i = 0; i < issuer->n_claim_mappings; i++)
        if (slice_eq(issuer->claim_mappings[i].local, local))
            return &issuer->claim_mappings[i];
    return NULL;
}

static const struct gw_claim_mapping *mapping_of(const struct gw_issuer *issuer,
                                                 struct slice remote)
{
    for (size_t i = 0; i < issuer->n_claim_mappings; i++)
        if (slice_eq(issuer->claim_mappings[i].remote, remote))
            return &issuer->claim_mappings[i];
    return NULL;
}

/* What the claim is called here. Empty: it gives way to another one, which is renamed to its name.
 */
static struct slice local_name(const struct backend_claims *in, const json_t *claims,
                               struct slice name)
{
    const struct gw_claim_mapping *own = mapping_of(in->issuer, name);
    const struct gw_claim_mapping *other = mapping_to(in->issuer, name);

    if (own != NULL)
        return own->local;
    if (other != NULL && json_object_getn(claims, other->remote.p, other->remote.n) != NULL)
        return SLICE("");
    return name;
}

/* The full name in room; an empty one when the claim is left out. */
static struct slice full_name(const struct backend_claims *in, const json_t *claims,
                              struct slice claim, struct buf *room)
{
    const struct gw_backend_jwt *jwt = in->settings;
    struct slice name = local_name(in, claims, claim);

    if (name.n == 0 || is_listed(kept_back, sizeof(kept_back) / sizeof(kept_back[0]), name) ||
        is_listed(jwt->excluded, jwt->n_excluded, name))
        return SLICE("");
    buf_reset(room);
    if (jwt->convert_dialect && slice_find(name, ':') < 0)
        add_dialect(room, jwt);
    buf_add(room, name);
    if (buf_error(room) != CC_OK || is_own(jwt, buf_slice(room)))
        return SLICE("");
    return buf_slice(room);
}

static int add_bytes(const char *p, size_t n, void *out)
{
    buf_add(out, slice_make(p, n));
    return buf_error(out) == CC_OK ? 0 : -1;
}

/* Texts that hold an object or a list of texts become that: so some issuers write claims that have
 * parts, and so the contract hands them on. */
static json_t *unfold(const json_t *value)
{
    struct slice text = jwt_json_text(value);
    json_t *object = NULL;
    json_error_t error;

    if (text.n > 0 && text.p[0] == '{' && jwt_json_parse(text, JWT_BAD_CLAIM, &object) == JWT_OK)
        return object;
    if (slice_starts(text, SLICE("[\"")) && slice_ends(text, SLICE("\"]")) &&
        jwt_json_nesting(text) <= JWT_MAX_DEPTH)
        return json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    return NULL;
}

static void add_claim(const struct writer *w, struct slice name, const json_t *value)
{
    json_t *unfolded = unfold(value);

    buf_add_char(w->out, ',');
    buf_add_json(w->out, name);
    buf_add_char(w->out, ':');
    if (json_dump_callback(unfolded != NULL ? unfolded : value, add_bytes, w->out,
                           JSON_ENCODE_ANY | JSON_COMPACT) != 0 &&
        buf_error(w->out) == CC_OK)
        w->out->error = CC_ENOMEM;
    json_decref(unfolded);
}

/* Two claims may come to one name, by a mapping or by the dialect: the first is told, for two
 * members of one name are read by no two programs alike. */
static int add_tokens(const struct writer *w, json_t *claims)
{
    json_t *told = json_object();
    char room[NAME_MAX_BYTES];
    struct buf name;
    const char *key;
    size_t key_n;
    json_t *value;
    int rc = told != NULL ? CC_OK : CC_ENOMEM;

    buf_init_fixed(&name, room, sizeof(room));
    json_object_keylen_foreach(claims, key, key_n, value)
    {
        struct slice full = full_name(w->in, claims, slice_make(key, key_n), &name);

        if (rc != CC_OK || full.n == 0 || json_object_getn(told, full.p, full.n) != NULL)
            continue;
        add_claim(w, full, value);
        if (json_object_setn_new(told, full.p, full.n, json_true()) != 0)
            rc = CC_ENOMEM;
    }
    json_decref(told);
    return rc;
}

/* ---------------------------------------------------------------------------------------------- */

/* The mapping counts for who the user is, too. */
static struct slice end_user(const struct backend_claims *in, const json_t *claims)
{
    const struct gw_claim_mapping *m = mapping_to(in->issuer, SLICE("sub"));
    struct slice mapped = SLICE_NONE;

    if (m != NULL)
        mapped = jwt_json_text(json_object_getn(claims, m->remote.p, m->remote.n));
    return mapped.n > 0 ? mapped : in->user;
}

int backend_claims_write(const struct backend_claims *in, struct buf *out)
{
    const struct writer w = {in, out};
    json_t *claims = NULL;
    int rc = CC_OK;

    if (in->token.n > 0 && jwt_json_parse(in->token, JWT_BAD_PAYLOAD, &claims) != JWT_OK)
        return CC_EPARSE;
    add_own(&w, claims != NULL ? end_user(in, claims) : in->user);
    if (claims != NULL && in->settings->user_claims)
        rc = add_tokens(&w, claims);
    buf_add_char(out, '}');
    if (rc == CC_OK)
        rc = buf_error(out);
    json_decref(claims);
    return rc;
}
