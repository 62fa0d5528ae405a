/* The decision engine with requests of any bytes.
 *
 * Input: method, host, path, Authorization and X-Token, one a line. "@0" to "@9" in a header
 * becomes a token from the list below, so that the fuzzer reaches what lies behind a good signature
 * and can put anything around it. Each request is decided without a cache, with a tiny one and
 * again with the tiny one; all must agree, and what is allowed must be entitled to it. */
#include "regress/unit/enforce/fixture.h"

enum { LINES = 5, TOKENS = 10, ROOM = 20000 };

static const struct {
    enum fixture_signer signer;
    enum jwt_alg alg;
    const char *payload;
    bool good;
} made[TOKENS] = {
    {FIXTURE_RSA, JWT_RS256, "{\"iss\":\"https://rsa\",\"exp\":1700003600}", true},
    {FIXTURE_RSA, JWT_PS256, "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":\"admin\"}",
     true},
    {FIXTURE_EC, JWT_ES256, "{\"iss\":\"https://ec\",\"exp\":1700003600,\"aud\":\"cc\"}", true},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1700003600,\"scp\":[\"read:pets\"]}",
     true},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1700003600,\"keytype\":\"SANDBOX\"}",
     false},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1600000000}", false},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1800000000,\"nbf\":1790000000}",
     false},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://rsa\",\"exp\":1700003600}", false},
    {FIXTURE_EC, JWT_ES256, "{\"iss\":\"https://ec\",\"exp\":1700003600}", false},
    {FIXTURE_RSA, JWT_RS512, "{\"iss\":\"https://rsa\",\"exp\":1700003600}", false},
};

static struct {
    struct fixture fixture;
    struct enforce_rules *rules;
    struct enforce_worker *plain, *cached;
    struct clock_fixed clock;
    char *tokens[TOKENS];
    bool ready;
} engine;

static void start(void)
{
    struct enforce_options none = {0, 0}, tiny = {3, 8192};

    fixture_init(&engine.fixture);
    engine.rules = fixture_rules(&engine.fixture);
    fixture_need(enforce_worker_new(&engine.plain, &none), "enforce_worker_new");
    fixture_need(enforce_worker_new(&engine.cached, &tiny), "enforce_worker_new");
    clock_fixed_init(&engine.clock, FIXTURE_NOW, 0);
    for (int i = 0; i < TOKENS; i++)
        engine.tokens[i] =
            fixture_sign(&engine.fixture, made[i].signer, made[i].alg, made[i].payload);
    engine.ready = true;
}

/* The line with its first "@digit" replaced. */
static struct slice expand(struct slice line, char room[ROOM])
{
    struct buf b;
    ptrdiff_t at = slice_find(line, '@');

    buf_init_fixed(&b, room, ROOM);
    if (at >= 0 && (size_t)at + 1 < line.n && ascii_is_digit(line.p[at + 1])) {
        buf_add(&b, slice_first(line, (size_t)at));
        buf_add_str(&b, engine.tokens[line.p[at + 1] - '0']);
        line = slice_from(line, (size_t)at + 2);
    }
    buf_add(&b, line);
    return buf_slice(&b);
}

/* Is `value` "Bearer" and one of the good tokens, and nothing else? Written without the engine. */
static bool is_good_credential(struct slice value)
{
    value = slice_trim(value);
    if (value.n < 8 || !slice_eq_nocase(slice_first(value, 6), SLICE("bearer")) ||
        (value.p[6] != ' ' && value.p[6] != '\t'))
        return false;
    value = slice_trim(slice_from(value, 7));
    for (int i = 0; i < TOKENS; i++)
        if (made[i].good && slice_is(value, engine.tokens[i]))
            return true;
    return false;
}

static void check(const struct enforce_request *request, const struct enforce_decision *d)
{
    if (d->verdict == ENFORCE_ALLOW) {
        const struct enforce_header *h =
            &request->headers[slice_is(d->api->auth_header, "x-token") ? 1 : 0];

        CC_ASSERT(!d->operation->closed);
        CC_ASSERT(d->operation->open || (h->count == 1 && is_good_credential(h->value)));
        CC_ASSERT(slice_starts(d->backend, SLICE("cc_b_")) && d->host.n > 0);
        CC_ASSERT(d->path.n > 0 && d->path.p[0] == '/' && !slice_has_control(d->path));
        CC_ASSERT(!slice_contains(d->path, SLICE("/../")) && !slice_contains(d->path, SLICE("//")));
        CC_ASSERT(d->status == 0 && d->body.n == 0);
    } else if (d->verdict == ENFORCE_DENY) {
        CC_ASSERT(d->backend.n == 0 && d->path.n == 0 && d->host.n == 0);
        CC_ASSERT(d->status == 204 || d->status == 400 || d->status == 401 || d->status == 403 ||
                  d->status == 404 || d->status == 405 || d->status == 414);
        CC_ASSERT(d->status == 204 || d->body.n > 2);
    }
    CC_ASSERT(d->reason.n > 0 && !slice_has_control(d->reason));
}

static bool same(const struct enforce_decision *a, const struct enforce_decision *b)
{
    return a->verdict == b->verdict && a->status == b->status && a->operation == b->operation &&
           slice_eq(a->code, b->code) && slice_eq(a->body, b->body) &&
           slice_eq(a->challenge, b->challenge) && slice_eq(a->allow, b->allow) &&
           slice_eq(a->backend, b->backend) && slice_eq(a->path, b->path) &&
           slice_eq(a->host, b->host) && slice_eq(a->user, b->user) && slice_eq(a->app, b->app) &&
           slice_eq(a->keytype, b->keytype) && slice_eq(a->reason, b->reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char rooms[2][ROOM];
    struct slice rest = slice_make(data, size), lines[LINES] = {{NULL, 0}};
    struct fixture_request r = {.request = {.id = SLICE_NONE}};
    struct enforce_decision plain, cached;

    if (!engine.ready)
        start();
    for (int i = 0; i < LINES; i++)
        if (!slice_split(&rest, '\n', &lines[i]))
            break;
    r.request.method = lines[0];
    r.request.host = lines[1];
    r.request.path = lines[2];
    r.request.headers = r.headers;
    for (int i = 0; i < 2; i++)
        if (lines[3 + i].p != NULL)
            r.headers[i] = (struct enforce_header){expand(lines[3 + i], rooms[i]), 1};

    enforce_decide(engine.plain, engine.rules, &r.request, &engine.clock.clock, &plain);
    check(&r.request, &plain);
    for (int i = 0; i < 2; i++) {
        enforce_decide(engine.cached, engine.rules, &r.request, &engine.clock.clock, &cached);
        CC_ASSERT(same(&plain, &cached));
    }
    return 0;
}
