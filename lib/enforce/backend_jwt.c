#include "enforce/backend_jwt.h"

#include "enforce/await_reply.h"
#include "enforce/backend_claims.h"
#include "enforce/credential.h"

enum {
    BREAK = 8, /* times as long as a signature took, before a worker makes the next one */
    HASH_TEXT_MAX = 1 << 20,
    FACTS_MAX = ATTEMPT_QUERY_ROOM + 2 * GW_PATH_MAX + GW_HOST_MAX /* of a request */
};

/* --- rules ------------------------------------------------------------------------------------ */

/* {"typ":"JWT","alg":"RS256","x5t":"...","kid":"..."}, encoded. */
static int make_head(struct rules_jwt *jwt, const struct key_id *id)
{
    char room[sizeof(struct key_id) + 96];
    struct buf header, head;

    buf_init_fixed(&header, room, sizeof(room));
    buf_printf(&header, "{\"typ\":\"JWT\",\"alg\":\"%s\",\"x5t\":\"%s\"",
               jwt_alg_name(jwt->signer.alg), id->x5t);
    if (jwt->settings->with_kid)
        buf_printf(&header, ",\"kid\":\"%s\"", id->kid);
    buf_add_char(&header, '}');
    buf_init_fixed(&head, jwt->head, sizeof(jwt->head));
    if (jwt->settings->base64url)
        base64url_encode(buf_slice(&header), &head);
    else
        base64_encode_unpadded(buf_slice(&header), &head);
    CC_ASSERT(buf_error(&header) == CC_OK && buf_error(&head) == CC_OK);
    jwt->signer.head = buf_slice(&head);
    jwt->signer.url = jwt->settings->base64url;
    return CC_OK;
}

/* All of the settings that a JWT depends on; what depends on the request is in its fingerprint. */
static int hash_settings(struct enforce_rules *r, const struct gw_key_pair *pair)
{
    const struct gw_backend_jwt *s = r->jwt.settings;
    struct buf b;
    int rc;

    buf_init(&b, HASH_TEXT_MAX);
    rules_hash_text(&b, r->jwt.signer.head);
    rules_hash_text(&b, pair->certificate);
    rules_hash_text(&b, s->dialect);
    rules_hash_text(&b, s->generator);
    buf_printf(&b, "%d%d%d;%lld;", s->convert_dialect, s->user_claims, s->base64url,
               (long long)s->ttl_s);
    for (size_t i = 0; i < s->n_excluded; i++)
        rules_hash_text(&b, s->excluded[i]);
    for (size_t i = 0; i < r->model->n_issuers; i++) {
        const struct gw_issuer *issuer = &r->model->issuers[i];

        rules_hash_text(&b, issuer->issuer);
        for (size_t k = 0; k < issuer->n_claim_mappings; k++) {
            rules_hash_text(&b, issuer->claim_mappings[k].remote);
            rules_hash_text(&b, issuer->claim_mappings[k].local);
        }
    }
    rc = buf_error(&b);
    if (rc == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&b), r->jwt.hash);
    buf_free(&b);
    return rc;
}

int backend_jwt_prepare(struct enforce_rules *r, struct diag *diag)
{
    struct rules_jwt *jwt = &r->jwt;
    const struct gw_key_pair *pair = gw_backend_jwt_signing(&r->model->backend_jwt);
    struct key_id id;
    int rc;

    if (pair == NULL)
        return CC_OK;
    rc = key_public_from_pem(&jwt->public, pair->certificate);
    if (rc == CC_OK) {
        jwt->signer.alg = key_id_algorithm(key_kind_of(jwt->public));
        rc = key_id_from_pem(&id, pair->certificate, jwt->signer.alg,
                             r->model->backend_jwt.old_key_ids ? KEY_ID_OLD : KEY_ID_RFC7515);
    }
    if (rc != CC_OK) {
        diag_error(diag, CC4001, PLACE_NONE, "the certificate of the JWT for endpoints: %s",
                   cc_strerror(rc));
        return rc == CC_ENOMEM ? rc : CC_EREFUSED;
    }
    jwt->settings = &r->model->backend_jwt;
    make_head(jwt, &id);
    return hash_settings(r, pair);
}

int enforce_rules_set_signing_key(struct enforce_rules *r, struct key *key)
{
    CC_ASSERT(r->jwt.settings != NULL && r->jwt.signing == NULL);
    if (!key_is_private(key) || !key_same(key, r->jwt.public)) {
        key_free(&key);
        return CC_EINVAL;
    }
    r->jwt.signing = key;
    r->jwt.signer.key = key;
    return CC_OK;
}

void enforce_rules_leave_unsigned(struct enforce_rules *r)
{
    r->jwt.unsigned_ = true;
}

/* --- the worker's ----------------------------------------------------------------------------- */

void backend_jwt_free(struct enforce_worker *w)
{
    cache_free(&w->jwts);
}

/* The JWTs of other settings, or of another key, are none of these rules. */
static void follow_settings(struct attempt *a)
{
    struct enforce_worker *w = a->w;

    /* without memory for it each request is signed for: slow, and right */
    if (!w->jwts_made && w->jwt_entries > 0 &&
        cache_new(&w->jwts, w->jwt_entries, w->jwt_bytes) == CC_OK)
        hash_key_random(&w->jwt_key);
    w->jwts_made = true;
    if (w->jwts != NULL)
        cache_use_rules(w->jwts, a->rules->jwt.hash);
}

static void add_part(struct buf *b, struct slice s)
{
    char size[4];

    for (size_t i = 0; i < sizeof(size); i++)
        size[i] = (char)(unsigned char)(s.n >> (8 * i) & 0xff);
    buf_add(b, slice_make(size, sizeof(size)));
    buf_add(b, s);
}

/* All that the claims are made of besides the token and the settings. False: it has no room. */
static bool add_parts(struct attempt *a, struct buf *b)
{
    const struct enforce_application *app = &a->out->application;
    const struct gw_api *api = a->out->api;
    uint64_t facts = filter_backend_facts(a); /* that are few, and below CC_KEY_TYPE */
    const struct slice parts[] = {
        api->id,   api->name, api->version, api->base_path, a->out->keytype,
        app->uuid, app->name, app->tier,    app->owner,     app->subscription_tier,
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add_part(b, parts[i]);
    for (size_t i = 0; i < app->n_attributes; i++) {
        add_part(b, app->attributes[i].name);
        add_part(b, app->attributes[i].value);
    }
    for (unsigned fact = 0; facts >> fact != 0; fact++) {
        struct cc_text text = {NULL, 0};

        if ((facts >> fact & 1) != 0)
            text = filter_fact(a, (enum cc_fact)fact);
        add_part(b, slice_make(text.p, text.n));
    }
    return buf_error(b) == CC_OK;
}

/* The JWTs are in a cache of tokens: its "token" is this key, and its "scopes" are the JWT. */
struct jwt_key {
    uint64_t token, rest;
};

static bool make_key(struct attempt *a, struct jwt_key *key)
{
    struct buf b;

    key->token = a->caller->grant.number;
    if (a->w->jwts == NULL || key->token == 0)
        return false;
    buf_init_fixed(&b, a->w->jwt_claims, sizeof(a->w->jwt_claims));
    if (!add_parts(a, &b))
        return false;
    key->rest = hash_slice(&a->w->jwt_key, buf_slice(&b));
    return true;
}

static struct slice key_slice(const struct jwt_key *key)
{
    return slice_make(key, sizeof(*key));
}

static bool recall(struct attempt *a, const struct jwt_key *key, int64_t now_s)
{
    struct grant found;

    if (!cache_find(a->w->jwts, key_slice(key), &found))
        return false;
    if (now_s < found.exp) {
        a->out->jwt = found.scopes;
        return true;
    }
    cache_drop(a->w->jwts, key_slice(key));
    return false;
}

/* A JWT that is made now. */
static int64_t usable_until(const struct attempt *a, int64_t now_s)
{
    return now_s + a->rules->jwt.settings->ttl_s - GW_BACKEND_JWT_MARGIN_S;
}

/* For as long as it may be used: not beyond what it says, nor beyond the token. */
static void remember(struct attempt *a, const struct jwt_key *key, int64_t end)
{
    int64_t token_end = a->caller->grant.exp + a->rules->model->leeway_s;
    struct grant grant = {.exp = end < token_end ? end : token_end, .scopes = a->out->jwt};

    cache_insert(a->w->jwts, key_slice(key), &grant, clock_wall_s(a->clock));
}

/* --- making one ------------------------------------------------------------------------------- */

static bool refuse_jwt(struct attempt *a, const char *why)
{
    reason_add_str(a->reason, "the JWT for the endpoint ");
    reason_add_str(a->reason, why);
    reason_add_place(a->reason, a->out->api->origin);
    a->out->jwt = SLICE_NONE;
    refuse(a->out, REFUSE_BACKEND_JWT);
    return false;
}

/* The payload, in the worker's room. NULL, or why there is none. */
static const char *write_claims(struct attempt *a, int64_t now_s, struct slice *out)
{
    char id[37];
    const char *fault;
    struct jwt jwt;
    struct buf b;
    struct backend_claims in = {
        .settings = a->rules->jwt.settings,
        .api = a->out->api,
        .application = &a->out->application,
        .user = a->out->user,
        .keytype = a->out->keytype,
        .id = id,
        .now_s = now_s,
    };
    int rc;

    /* Keys have no claims that are told; nor have opaque tokens, and tokens that were
     * believed because their issuer said so: what looks like claims of theirs nobody has verified.
     */
    if (a->caller->need->kind == GW_TOKEN && a->caller->grant.type == GW_ACCESS_TOKEN &&
        a->caller->grant.until == 0) {
        /* It was verified, by this decision or by one before: only its text is needed again. */
        if (jwt_split(a->caller->text, a->w->arena, &jwt) != JWT_OK)
            return "cannot be made: the token cannot be read again";
        in.token = jwt.payload;
        in.issuer = a->rules->issuers[a->caller->grant.issuer].issuer;
    }
    if (crypto_random_uuid(id) != CC_OK)
        return "cannot be made: there are no random numbers";
    buf_init_fixed(&b, a->w->jwt_claims, sizeof(a->w->jwt_claims));
    rc = backend_claims_write(&in, &b);
    if (rc != CC_OK)
        return rc == CC_EFULL ? "would be larger than 6144 bytes" : "cannot be made";
    fault = filter_backend_claims(a, in.token, &b);
    *out = buf_slice(&b);
    return fault;
}

int enforce_rules_sign(const struct enforce_rules *r, struct slice claims, struct buf *out)
{
    return r->jwt.signing == NULL ? CC_EREFUSED : jwt_sign_as(&r->jwt.signer, claims, out);
}

static const char *sign(struct attempt *a, struct slice claims)
{
    int64_t start_us = clock_mono_us(a->clock), end_us;
    struct buf b;
    int rc;

    if (a->rules->jwt.signing == NULL)
        return "cannot be signed: there is no key";
    buf_init_fixed(&b, a->w->jwt, sizeof(a->w->jwt));
    rc = enforce_rules_sign(a->rules, claims, &b);
    attempt_count(&a->w->jwts_signed, 1);
    end_us = clock_mono_us(a->clock);
    a->w->jwt_from_us = end_us + BREAK * (end_us - start_us);
    if (rc != CC_OK)
        return rc == CC_EFULL ? "would be larger than 6144 bytes" : "cannot be signed";
    a->out->jwt = buf_slice(&b);
    return NULL;
}

/* --- letting others sign ---------------------------------------------------------------------- */

/* A worker that signed one JWT after the other would have no time for requests that need none. */
static bool signs_itself(const struct attempt *a)
{
    switch (a->request->patience) {
    case ENFORCE_ALONE:
        return true;
    case ENFORCE_MAY_WAIT:
        return a->request->replies[ENFORCE_WAIT_SIGNATURE] == NULL &&
               clock_mono_us(a->clock) >= a->w->jwt_from_us;
    default:
        return false; /* it has waited, or too many do */
    }
}

/* The same for all requests that the same JWT is good for, in whatever worker: nobody else's may be
 * taken for it, so it is SHA-256. */
static bool make_wait_key(struct attempt *a, struct enforce_key *key)
{
    struct buf b;
    bool ok;

    buf_init(&b, (size_t)2 * JWT_MAX_BYTES + sizeof(a->w->jwt_claims) + FACTS_MAX);
    add_part(&b, slice_of(a->rules->jwt.hash));
    add_part(&b, a->caller->text);
    ok = add_parts(a, &b) && crypto_sha256(buf_slice(&b), key->bytes) == CC_OK;
    buf_free(&b);
    return ok;
}

/* The claims are made once: the reply has their JWT. */
static bool let_sign(struct attempt *a, int64_t now_s, const struct jwt_key *known)
{
    struct enforce_await await = {.what = ENFORCE_WAIT_SIGNATURE, .question = SLICE("")};
    const struct enforce_reply *reply = a->request->replies[ENFORCE_WAIT_SIGNATURE];
    const char *fault = NULL;

    if (!make_wait_key(a, &await.key))
        return refuse_jwt(a, "cannot be made: there is no memory");
    if (reply == NULL || !enforce_key_eq(&reply->key, &await.key))
        fault = write_claims(a, now_s, &await.question);
    if (fault != NULL)
        return refuse_jwt(a, fault);
    await.until_s = usable_until(a, now_s);
    reply = await_reply(a, &await);
    if (reply == NULL)
        return false;
    if (reply->failed || reply->bytes.n > GW_BACKEND_JWT_MAX)
        return refuse_jwt(a, "cannot be signed, or would be larger than 6144 bytes");
    a->out->jwt = reply->bytes;
    if (known != NULL)
        remember(a, known, reply->until_s);
    return true;
}

bool backend_jwt_add(struct attempt *a)
{
    int64_t now_s = clock_wall_s(a->clock);
    struct slice claims;
    struct jwt_key key;
    const char *fault;
    bool known;

    if (a->rules->jwt.settings == NULL || a->caller == NULL)
        return true;
    TRACE_STEP(a->trace, BACKEND_JWT, PLACE_NONE);
    follow_settings(a);
    known = make_key(a, &key);
    if (known && recall(a, &key, now_s))
        return true;
    if (!signs_itself(a))
        return let_sign(a, now_s, known ? &key : NULL);
    fault = write_claims(a, now_s, &claims);
    if (fault == NULL && a->trace != NULL) {
        trace_backend_jwt(a->trace, a->rules->jwt.settings, a->rules->jwt.signer.alg, claims);
        a->out->jwt_claims = claims;
    }
    if (fault == NULL && !a->rules->jwt.unsigned_)
        fault = sign(a, claims);
    if (fault != NULL)
        return refuse_jwt(a, fault);
    if (known && a->out->jwt.n > 0)
        remember(a, &key, usable_until(a, now_s));
    return true;
}
