/* The decision engine with requests of any bytes.
 *
 * Input: method, host, path, Authorization, X-Token, Origin and Access-Control-Request-Method, one
 * a line. "@0" to "@9" in a header becomes a token from the list below, so that the fuzzer reaches
 * what lies behind a good signature and can put anything around it. Each request is decided without
 * a cache, with a tiny one and again with the tiny one; all must agree, and what is allowed must be
 * entitled to it. */
#include "regress/unit/enforce/fixture.h"

enum { LINES = 7, TOKENS = 10, ROOM = 20000 };

/* The model's headers, and the line of the input that is the value of each. */
enum { REQUEST_METHOD, AUTHORIZATION, ORIGIN, X_TOKEN, HEADERS };

static const struct slice header_names[HEADERS] = {SLICE_INIT("access-control-request-method"),
                                                   SLICE_INIT("authorization"),
                                                   SLICE_INIT("origin"), SLICE_INIT("x-token")};
static const int header_lines[HEADERS] = {6, 3, 5, 4};

/* The fixture's first API has a policy. */
static const struct slice cors_origins[] = {SLICE_INIT("https://shop.example")};
static const struct slice cors_patterns[] = {SLICE_INIT("https://*.shop.example")};
static const struct gw_cors cors = {.credentials = true,
                                    .origins = cors_origins,
                                    .n_origins = 1,
                                    .patterns = cors_patterns,
                                    .n_patterns = 1,
                                    .methods = SLICE_INIT("GET"),
                                    .headers = SLICE_INIT(""),
                                    .expose = SLICE_INIT("")};

static const struct {
    enum fixture_signer signer;
    enum jwt_alg alg;
    const char *payload;
    enum { BAD, PRODUCTION, SANDBOX } use;
} made[TOKENS] = {
    {FIXTURE_RSA, JWT_RS256, "{\"iss\":\"https://rsa\",\"exp\":1700003600}", PRODUCTION},
    {FIXTURE_RSA, JWT_PS256, "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"scope\":\"admin\"}",
     PRODUCTION},
    {FIXTURE_EC, JWT_ES256, "{\"iss\":\"https://ec\",\"exp\":1700003600,\"aud\":\"cc\"}",
     PRODUCTION},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1700003600,\"scp\":[\"read:pets\"]}",
     PRODUCTION},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1700003600,\"keytype\":\"SANDBOX\"}",
     SANDBOX},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1600000000}", BAD},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1800000000,\"nbf\":1790000000}", BAD},
    {FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://rsa\",\"exp\":1700003600}", BAD},
    {FIXTURE_EC, JWT_ES256, "{\"iss\":\"https://ec\",\"exp\":1700003600}", BAD},
    {FIXTURE_RSA, JWT_RS512, "{\"iss\":\"https://rsa\",\"exp\":1700003600}", BAD},
};

static struct {
    struct fixture fixture;
    struct gw_api apis[sizeof(fixture_apis) / sizeof(fixture_apis[0])];
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
    memcpy(engine.apis, fixture_apis, sizeof(engine.apis));
    engine.apis[0].cors = &cors;
    engine.fixture.model.apis = engine.apis;
    engine.fixture.model.cors = &cors;
    engine.fixture.model.n_cors = 1;
    engine.fixture.model.headers = header_names;
    engine.fixture.model.n_headers = HEADERS;
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

/* Is `value` "Bearer" and one of the tokens made for `use`, and nothing else? Written without the
 * engine. */
static bool is_credential(struct slice value, int use)
{
    value = slice_trim(value);
    if (value.n < 8 || !slice_eq_nocase(slice_first(value, 6), SLICE("bearer")) ||
        (value.p[6] != ' ' && value.p[6] != '\t'))
        return false;
    value = slice_trim(slice_from(value, 7));
    for (int i = 0; i < TOKENS; i++)
        if ((int)made[i].use == use && slice_is(value, engine.tokens[i]))
            return true;
    return false;
}

/* Only origins of the policy are told anything, and only for their own API. */
static void check_cors(const struct enforce_request *request, const struct enforce_decision *d)
{
    const struct slice origin = d->cors.origin;

    CC_ASSERT((d->cors.policy != NULL) == (d->api != NULL && slice_is(d->api->name, "Pets")));
    CC_ASSERT(!d->cors.preflight || (origin.n > 0 && slice_is(request->method, "OPTIONS") &&
                                     request->headers[REQUEST_METHOD].value.n > 0));
    if (origin.n == 0)
        return;
    CC_ASSERT(d->cors.policy != NULL && slice_eq(origin, request->headers[ORIGIN].value));
    CC_ASSERT(slice_is(origin, "https://shop.example") ||
              (slice_starts(origin, SLICE("https://")) && slice_find(origin, '/') == 6 &&
               slice_find(slice_from(origin, 8), '/') < 0 &&
               slice_ends(origin, SLICE(".shop.example"))));
}

static void check(const struct enforce_request *request, const struct enforce_decision *d)
{
    if (d->verdict == ENFORCE_ALLOW) {
        const struct enforce_header *h =
            &request->headers[slice_is(d->api->auth_header, "x-token") ? X_TOKEN : AUTHORIZATION];

        bool sandbox = h->count == 1 && is_credential(h->value, SANDBOX);
        const struct gw_cluster *api = sandbox ? d->api->sandbox : d->api->production;
        const struct gw_cluster *own = sandbox ? d->resource->sandbox : d->resource->production;

        CC_ASSERT(!d->operation->closed);
        CC_ASSERT(d->operation->open || sandbox ||
                  (h->count == 1 && is_credential(h->value, PRODUCTION)));
        if (!d->operation->open)
            CC_ASSERT(slice_eq(d->backend, (own != NULL ? own : api)->name));
        CC_ASSERT(slice_starts(d->backend, SLICE("cc_b_")) && d->host.n > 0);
        CC_ASSERT(d->path.n > 0 && d->path.p[0] == '/' && !slice_has_control(d->path));
        CC_ASSERT(!slice_contains(d->path, SLICE("/../")) && !slice_contains(d->path, SLICE("//")));
        CC_ASSERT(d->status == 0 && d->body.n == 0);
    } else if (d->verdict == ENFORCE_DENY) {
        CC_ASSERT(d->backend.n == 0 && d->path.n == 0 && d->host.n == 0);
        CC_ASSERT(d->status == 200 || d->status == 204 || d->status == 400 || d->status == 401 ||
                  d->status == 403 || d->status == 404 || d->status == 405 || d->status == 414);
        CC_ASSERT((d->status == 200) == d->cors.preflight);
        CC_ASSERT(d->status == 200 || d->status == 204 || d->body.n > 2);
    }
    check_cors(request, d);
    CC_ASSERT(d->reason.n > 0 && !slice_has_control(d->reason));
}

static bool same(const struct enforce_decision *a, const struct enforce_decision *b)
{
    return a->verdict == b->verdict && a->status == b->status && a->operation == b->operation &&
           slice_eq(a->code, b->code) && slice_eq(a->body, b->body) &&
           slice_eq(a->challenge, b->challenge) && slice_eq(a->allow, b->allow) &&
           slice_eq(a->backend, b->backend) && slice_eq(a->path, b->path) &&
           slice_eq(a->host, b->host) && slice_eq(a->user, b->user) && slice_eq(a->app, b->app) &&
           slice_eq(a->keytype, b->keytype) && slice_eq(a->reason, b->reason) &&
           a->cors.policy == b->cors.policy && slice_eq(a->cors.origin, b->cors.origin) &&
           a->cors.preflight == b->cors.preflight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char rooms[HEADERS][ROOM];
    struct slice rest = slice_make(data, size), lines[LINES] = {{NULL, 0}};
    struct enforce_header headers[HEADERS] = {{.count = 0}};
    struct enforce_request r = {.id = SLICE_NONE, .headers = headers};
    struct enforce_decision plain, cached;

    if (!engine.ready)
        start();
    for (int i = 0; i < LINES; i++)
        if (!slice_split(&rest, '\n', &lines[i]))
            break;
    r.method = lines[0];
    r.host = lines[1];
    r.path = lines[2];
    for (int i = 0; i < HEADERS; i++)
        if (lines[header_lines[i]].p != NULL)
            headers[i] = (struct enforce_header){.value = expand(lines[header_lines[i]], rooms[i]),
                                                 .count = 1};

    enforce_decide(engine.plain, engine.rules, NULL, &r, &engine.clock.clock, &plain);
    check(&r, &plain);
    for (int i = 0; i < 2; i++) {
        enforce_decide(engine.cached, engine.rules, NULL, &r, &engine.clock.clock, &cached);
        CC_ASSERT(same(&plain, &cached));
    }
    return 0;
}
