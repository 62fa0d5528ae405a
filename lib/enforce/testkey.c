#include "enforce/testkey.h"

#include "enforce/testkey_serve.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define AUDIENCE "http://org.wso2.apimgt/gateway"
#define TYPE     "text/plain"

/* Of one character of a text in JSON at most. */
enum { JSON_BYTE_MAX = 6, HEAD_MAX = 512, SECOND_US = 1000000 };

struct user {
    char name[TESTKEY_NAME_MAX];
    size_t n_name;
    uint8_t login[32]; /* SHA-256 of "name:password" */
};

struct enforce_testkey {
    struct key *key;
    struct jwt_signer signer;
    char head[HEAD_MAX];
    char issuer[TESTKEY_TEXT_MAX], dialect[TESTKEY_TEXT_MAX + 1];
    size_t n_issuer, n_dialect;
    int64_t validity_s;
    size_t n_users;
    struct user users[TESTKEY_MAX_USERS];
};

/* --- making ----------------------------------------------------------------------------------- */

static int make_head(struct enforce_testkey *t, const struct testkey_settings *s)
{
    char room[sizeof(struct key_id) + 96];
    struct buf header, head;
    struct key_id id;
    int rc = CC_OK;

    t->signer.alg = key_id_algorithm(key_kind_of(t->key));
    if (t->signer.alg == JWT_ALG_COUNT)
        return CC_EINVAL;
    if (s->certificate.n > 0)
        rc = key_id_from_pem(&id, s->certificate, t->signer.alg, KEY_ID_OLD);
    if (rc != CC_OK)
        return rc;
    buf_init_fixed(&header, room, sizeof(room));
    buf_printf(&header, "{\"typ\":\"JWT\",\"alg\":\"%s\"", jwt_alg_name(t->signer.alg));
    if (s->certificate.n > 0)
        buf_printf(&header, ",\"x5t\":\"%s\",\"kid\":\"%s\"", id.x5t, id.kid);
    buf_add_char(&header, '}');
    buf_init_fixed(&head, t->head, sizeof(t->head));
    if (s->base64url)
        base64url_encode(buf_slice(&header), &head);
    else
        base64_encode_unpadded(buf_slice(&header), &head);
    CC_ASSERT(buf_error(&header) == CC_OK && buf_error(&head) == CC_OK);
    t->signer.key = t->key;
    t->signer.head = buf_slice(&head);
    t->signer.url = s->base64url;
    return CC_OK;
}

static int add_user(struct enforce_testkey *t, const struct testkey_user *from)
{
    char room[TESTKEY_NAME_MAX + 1 + TESTKEY_PASSWORD_MAX];
    struct user *to = &t->users[t->n_users];
    struct buf login;
    int rc;

    if (from->name.n > TESTKEY_NAME_MAX || from->password.n > TESTKEY_PASSWORD_MAX)
        return CC_EINVAL;
    memcpy(to->name, from->name.p, from->name.n);
    to->n_name = from->name.n;
    buf_init_fixed(&login, room, sizeof(room));
    buf_add(&login, from->name);
    buf_add_char(&login, ':');
    buf_add(&login, from->password);
    rc = crypto_sha256(buf_slice(&login), to->login);
    OPENSSL_cleanse(room, sizeof(room));
    t->n_users += rc == CC_OK;
    return rc;
}

static int take_texts(struct enforce_testkey *t, const struct testkey_settings *s)
{
    int rc = CC_OK;

    if (s->issuer.n > sizeof(t->issuer) || s->dialect.n >= sizeof(t->dialect) ||
        s->n_users > TESTKEY_MAX_USERS)
        return CC_EINVAL;
    memcpy(t->issuer, s->issuer.p, s->issuer.n);
    t->n_issuer = s->issuer.n;
    if (s->dialect.n > 0) {
        memcpy(t->dialect, s->dialect.p, s->dialect.n);
        t->n_dialect = s->dialect.n;
        if (t->dialect[t->n_dialect - 1] != '/')
            t->dialect[t->n_dialect++] = '/';
    }
    t->validity_s = s->validity_s;
    for (size_t i = 0; i < s->n_users && rc == CC_OK; i++)
        rc = add_user(t, &s->users[i]);
    return rc;
}

static int check_key(const struct key *key, const struct testkey_settings *s)
{
    struct key *public = NULL;
    int rc = key_is_private(key) ? CC_OK : CC_EINVAL;

    if (rc != CC_OK || s->certificate.n == 0)
        return rc;
    rc = key_public_from_pem(&public, s->certificate);
    if (rc == CC_OK && !key_same(key, public))
        rc = CC_EINVAL;
    key_free(&public);
    return rc;
}

int enforce_testkey_new(struct enforce_testkey **out, const struct testkey_settings *settings,
                        struct key *key)
{
    struct enforce_testkey *t = calloc(1, sizeof(*t));
    int rc = CC_ENOMEM;

    if (t == NULL) {
        key_free(&key);
        return rc;
    }
    t->key = key;
    rc = check_key(key, settings);
    if (rc == CC_OK)
        rc = make_head(t, settings);
    if (rc == CC_OK)
        rc = take_texts(t, settings);
    if (rc != CC_OK)
        enforce_testkey_free(&t);
    *out = t;
    return rc;
}

void enforce_testkey_free(struct enforce_testkey **pt)
{
    struct enforce_testkey *t = *pt;

    if (t == NULL)
        return;
    key_free(&t->key);
    OPENSSL_cleanse(t, sizeof(*t));
    free(t);
    *pt = NULL;
}

/* --- serving ---------------------------------------------------------------------------------- */

static void answer(struct attempt *a, int status, const char *code, struct slice body)
{
    struct enforce_decision *out = a->out;

    refuse(out, REFUSE_BAD_REQUEST); /* nothing of what was set before stays */
    out->status = status;
    out->code = slice_of(code);
    out->body = body;
    out->content_type = SLICE(TYPE);
    if (status == 401)
        out->challenge = SLICE("Basic realm=\"cc-gateway\"");
}

static void refuse_login(struct attempt *a, const char *why, const char *text)
{
    reason_add_str(a->reason, why);
    answer(a, 401, "900901", slice_of(text));
}

/* So that nobody tries many passwords, or has many tokens signed. */
static bool is_too_fast(struct attempt *a)
{
    struct enforce_worker *w = a->w;
    int64_t now_us = clock_mono_us(a->clock);

    if (w->testkey_attempts == 0 || now_us - w->testkey_since_us >= SECOND_US) {
        w->testkey_since_us = now_us;
        w->testkey_attempts = 0;
    }
    if (w->testkey_attempts >= TESTKEY_ATTEMPTS_A_SECOND)
        return true;
    w->testkey_attempts++;
    return false;
}

/* Basic is base64 with padding (RFC 4648 4), which may be missing here. */
static bool decode_login(struct slice text, char room[TESTKEY_LOGIN_MAX], struct slice *out)
{
    char url[TESTKEY_LOGIN_MAX];
    size_t n = 0;
    bool good;

    for (int i = 0; i < 2 && slice_ends(text, SLICE("=")); i++)
        text.n--;
    if (text.n > sizeof(url))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '-' || c == '_')
            return false;
        url[i] = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    good = base64url_decode(slice_make(url, text.n), room, TESTKEY_LOGIN_MAX, &n) == CC_OK;
    OPENSSL_cleanse(url, sizeof(url));
    *out = slice_make(room, n);
    return good && slice_find(*out, ':') >= 0;
}

/* All of them are compared, whichever it is. */
static const struct user *find_user(const struct enforce_testkey *t, struct slice login)
{
    const struct user *found = NULL;
    uint8_t sum[32];

    if (crypto_sha256(login, sum) != CC_OK)
        return NULL;
    for (size_t i = 0; i < t->n_users; i++)
        if (CRYPTO_memcmp(sum, t->users[i].login, sizeof(sum)) == 0)
            found = &t->users[i];
    OPENSSL_cleanse(sum, sizeof(sum));
    return found;
}

/* NULL when it has been answered. */
static const struct user *log_in(struct attempt *a)
{
    struct slice header = slice_trim(a->request->login), scheme, login;
    const struct user *user = NULL;
    char room[TESTKEY_LOGIN_MAX];

    slice_split(&header, ' ', &scheme);
    if (a->request->login.n == 0 || !slice_eq_nocase(scheme, SLICE("Basic"))) {
        refuse_login(a, "no Basic credentials",
                     "No Authorization header provided. Please provide Basic credentials.");
        return NULL;
    }
    if (header.p == NULL || a->request->login.n > TESTKEY_LOGIN_MAX ||
        !decode_login(slice_trim(header), room, &login)) {
        reason_add_str(a->reason, "malformed Basic credentials");
        answer(a, 400, "400", SLICE("The Authorization header is malformed."));
    } else {
        user = find_user(a->w->testkey, login);
        if (user == NULL)
            refuse_login(a, "wrong user name or password",
                         "Wrong username or password. Please provide valid credentials.");
    }
    OPENSSL_cleanse(room, sizeof(room));
    return user;
}

static void add_named(struct buf *b, const struct enforce_testkey *t, const char *name)
{
    char room[sizeof(t->dialect) + 16];
    struct buf whole;

    buf_init_fixed(&whole, room, sizeof(room));
    buf_add(&whole, slice_make(t->dialect, t->n_dialect));
    buf_add_str(&whole, name);
    buf_add_char(b, ',');
    buf_add_json(b, buf_slice(&whole));
    buf_add_char(b, ':');
}

static int write_claims(const struct attempt *a, const struct user *user, struct buf *b)
{
    const struct enforce_testkey *t = a->w->testkey;
    int64_t now_s = clock_wall_s(a->clock), expires_s = now_s + t->validity_s;
    char id[37];

    if (crypto_random_uuid(id) != CC_OK)
        return CC_EREFUSED;
    buf_add_str(b, "{\"iss\":");
    buf_add_json(b, slice_make(t->issuer, t->n_issuer));
    buf_printf(b, ",\"aud\":\"" AUDIENCE "\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"%s\"",
               (long long)now_s, (long long)expires_s, id);
    add_named(b, t, "keytype");
    buf_add_str(b, "\"PRODUCTION\"");
    if (a->request->scope.n > 0) {
        buf_add_str(b, ",\"scope\":");
        buf_add_json(b, a->request->scope);
    }
    add_named(b, t, "sub");
    buf_add_json(b, slice_make(user->name, user->n_name));
    buf_add_char(b, '}');
    return buf_error(b);
}

static void issue(struct attempt *a, const struct user *user)
{
    char room[3 * GW_BACKEND_JWT_MAX / 4];
    struct buf claims, token;
    int rc;

    buf_init_fixed(&claims, room, sizeof(room));
    buf_init_fixed(&token, a->w->jwt, sizeof(a->w->jwt));
    rc = write_claims(a, user, &claims);
    if (rc == CC_OK)
        rc = jwt_sign_as(&a->w->testkey->signer, buf_slice(&claims), &token);
    attempt_count(&a->w->jwts_signed, 1);
    if (rc == CC_OK) {
        reason_add_str(a->reason, "a token for tests");
        answer(a, 200, "", buf_slice(&token));
        a->out->user = slice_make(user->name, user->n_name);
    } else if (rc == CC_EFULL) {
        reason_add_str(a->reason, "the token would be too large");
        answer(a, 400, "400", SLICE("The scope is too long."));
    } else {
        reason_add_str(a->reason, "the token cannot be signed");
        answer(a, 500, "900900", SLICE("The token cannot be signed."));
    }
}

void testkey_serve(struct attempt *a)
{
    const struct user *user;

    if (is_too_fast(a)) {
        reason_add_str(a->reason, "too many attempts in a second");
        answer(a, 429, "429", SLICE("Too many requests. Please try again in a second."));
        return;
    }
    user = log_in(a);
    if (user == NULL)
        return;
    if (a->request->scope.n > TESTKEY_SCOPE_MAX || slice_has_control(a->request->scope)) {
        reason_add_str(a->reason, "a scope that is too long or has control characters");
        answer(a, 400, "400", SLICE("The scope cannot be used."));
        return;
    }
    issue(a, user);
}
