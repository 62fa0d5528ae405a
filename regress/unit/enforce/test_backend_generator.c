/* Extensions that make claims of the JWT for backends: what they see, what they may change, for
 * which requests one JWT is used then, and what becomes of those that fail. */
#include "backend_jwt_world.h"

#include "enforce/attempt.h"

enum { LIMIT_US = 100 };

typedef enum cc_result (*behaviour)(struct cc_backend_claims *c);

static struct world w;
static behaviour act; /* of the generator */
static unsigned calls;
static char seen[512];

static enum cc_result behave(void *state, struct cc_backend_claims *c)
{
    (void)state;
    calls++;
    return act(c);
}

static enum cc_result never(void *state, struct cc_request *r)
{
    (void)state, (void)r;
    return CC_CONTINUE;
}

static struct cc_extension generator = {CC_EXTENSION_HEAD, .on_backend_claims = behave};
static const struct cc_extension other = {CC_EXTENSION_HEAD, .on_request = never};
static const struct gw_filter built = {.name = SLICE_INIT("maker"), .position = 3};

static void use(const struct cc_extension *extension, bool absent)
{
    struct enforce_filters filters = {
        .items = {{built.name, extension, NULL, ENFORCE_AFTER_THROTTLING, LIMIT_US}},
        .n = extension != NULL,
        .absent = absent};

    enforce_worker_set_filters(w.worker, &filters);
}

static void begin(behaviour b, uint64_t facts)
{
    init(&w, KEY_EC_P256);
    w.f.model.filters = &built;
    w.f.model.n_filters = 1;
    w.f.model.backend_jwt.generator = built.name;
    start(&w, 262144);
    generator.backend_facts = facts;
    act = b;
    calls = 0;
    use(&generator, false);
}

static struct cc_text text(const char *s)
{
    return (struct cc_text){s, strlen(s)};
}

static enum cc_result change(struct cc_backend_claims *c)
{
    const struct cc_backend_calls *f = c->calls;
    struct cc_text user = f->text(c, CC_USER), token = f->token(c, "secret");
    struct cc_text name = f->get(c, D "apiname"), none = f->get(c, "exp");

    snprintf(seen, sizeof(seen), "%.*s/%.*s/%.*s/%d", (int)user.n, user.p, (int)token.n, token.p,
             (int)name.n, name.p, none.p == NULL);
    assert_true(f->set(c, D "apiname", text("pets \"2\"")));
    assert_true(f->set_json(c, "roles", text("[\"a\",1,{\"b\":true}]")));
    assert_true(f->set_json(c, "level", text("7")));
    assert_true(f->remove(c, D "usertype"));
    assert_false(f->remove(c, D "usertype"));
    return CC_CONTINUE;
}

static void claims_are_changed(void **state)
{
    struct slice found;
    char *token;

    (void)state;
    begin(change, 0);
    w.excluded[0] = SLICE("secret"); /* it is not told, and the generator may know it */
    w.f.model.backend_jwt.n_excluded = 1;
    load(&w);
    token = make_token(&w, ",\"secret\":\"s3\",\"roles\":\"x\"");
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    assert_string_equal(seen, "ann/s3/Pets/1");
    found = claims(&w);
    assert_true(slice_starts(found, SLICE("{" TIMES ",")));
    assert_true(slice_contains(found, SLICE("\"" D "apiname\":\"pets \\\"2\\\"\"")));
    assert_true(slice_contains(found, SLICE("\"roles\":[\"a\",1,{\"b\":true}]")));
    assert_true(slice_contains(found, SLICE("\"level\":7")));
    assert_false(slice_contains(found, SLICE("usertype")));
    assert_false(slice_contains(found, SLICE("s3")));
    /* once for each JWT */
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets/7", token), ENFORCE_ALLOW);
    assert_true(slice_contains(claims(&w), SLICE("\"level\":7")));
    assert_int_equal(calls, 1);
    free(token);
    close_world(&w);
}

static enum cc_result overreach(struct cc_backend_claims *c)
{
    static const char *const kept[] = {"exp", "iat", "nbf", "jti", "", NULL};
    static const char *const no_json[] = {"",    "{",       "[1", "nul", "{\"a\":1,\"a\":2}",
                                          "1 2", "\"\xff\""};
    const struct cc_backend_calls *f = c->calls;
    char large[4097], deep[256];

    memset(large, 'a', sizeof(large));
    memset(deep, '[', sizeof(deep));
    memset(deep + 128, ']', 128);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        assert_false(f->set(c, kept[i], text("1")));
        assert_false(f->set_json(c, kept[i], text("1")));
        assert_false(f->remove(c, kept[i]));
    }
    for (size_t i = 0; i < sizeof(no_json) / sizeof(no_json[0]); i++)
        assert_false(f->set_json(c, "x", text(no_json[i])));
    assert_false(f->set_json(c, "x", (struct cc_text){deep, sizeof(deep)}));
    assert_false(f->set_json(c, "x", (struct cc_text){large, sizeof(large)}));
    assert_false(f->set_json(c, "x", (struct cc_text){NULL, 0}));
    assert_false(f->set(c, "x", (struct cc_text){large, sizeof(large)}));
    assert_false(f->set(c, "x", (struct cc_text){NULL, 0}));
    assert_false(f->set(c, "x", (struct cc_text){"a\0b", 3}));
    assert_false(f->set(c, "x", text("\xff")));
    assert_false(f->set(c, "\xff", text("1")));
    assert_null(f->get(c, "x").p);
    assert_null(f->get(c, NULL).p);
    assert_null(f->token(c, NULL).p);
    /* what was not named is not seen, nor is what is no fact */
    assert_null(f->text(c, CC_ID).p);
    assert_null(f->text(c, CC_METHOD).p);
    assert_null(f->text(c, CC_QUERY).p);
    assert_null(f->text(c, (enum cc_fact)63).p);
    assert_null(f->text(c, (enum cc_fact)1000).p);
    return CC_CONTINUE;
}

static void what_is_not_done(void **state)
{
    char *token, first[4096];

    (void)state;
    /* the id of a request can be named, and says nothing: it would be in no other JWT */
    begin(overreach, CC_FACT(CC_ID) | UINT64_C(1) << 63);
    token = make_token(&w, ",\"x2\":1");
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    assert_int_equal(calls, 1);
    snprintf(first, sizeof(first), "%.*s", SLICE_ARG(claims(&w)));
    w.f.model.backend_jwt.generator = SLICE("");
    load(&w);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    expect_claims(&w, first);
    assert_int_equal(calls, 1);
    assert_int_equal(signatures(&w), 2); /* those of a generator are none of these settings */
    free(token);
    close_world(&w);
}

static enum cc_result tell_method(struct cc_backend_claims *c)
{
    return c->calls->set(c, "method", c->calls->text(c, CC_METHOD)) ? CC_CONTINUE : CC_DENIED;
}

static void expect_method(const char *method, const char *path, const char *token, uint64_t signed_)
{
    char want[64];

    snprintf(want, sizeof(want), "\"method\":\"%s\"", method);
    assert_int_equal(ask(&w, method, path, token), ENFORCE_ALLOW);
    assert_true(slice_contains(claims(&w), slice_of(want)));
    assert_int_equal(signatures(&w), signed_);
}

/* What the claims depend on is what a JWT is remembered by. */
static void it_depends_on_what_it_names(void **state)
{
    char payload[256], *token;

    (void)state;
    begin(tell_method, CC_FACT(CC_METHOD));
    snprintf(
        payload, sizeof(payload),
        "{\"iss\":\"https://ec\",\"sub\":\"ann\",\"exp\":%d,\"scope\":\"read:pets write:pets\"}",
        FIXTURE_NOW + 3600);
    token = fixture_sign(&w.f, FIXTURE_EC, JWT_ES256, payload);
    expect_method("GET", "/pets/1.0/pets", token, 1);
    expect_method("POST", "/pets/1.0/pets", token, 2);
    expect_method("GET", "/pets/1.0/pets/7", token, 2);
    expect_method("POST", "/pets/1.0/pets", token, 2);
    generator.backend_facts |= CC_FACT(CC_PATH);
    cache_clear(w.worker->jwts);
    expect_method("GET", "/pets/1.0/pets", token, 3);
    expect_method("GET", "/pets/1.0/pets/7", token, 4);
    expect_method("GET", "/pets/1.0/pets/8", token, 5);
    expect_method("GET", "/pets/1.0/pets/7", token, 5);
    free(token);
    close_world(&w);
}

static enum cc_result refuse_it(struct cc_backend_claims *c)
{
    (void)c;
    return CC_DENIED;
}

static enum cc_result lose_it(struct cc_backend_claims *c)
{
    (void)c;
    return (enum cc_result)9;
}

static enum cc_result take_long(struct cc_backend_claims *c)
{
    (void)c;
    w.clock.now_mono_us += LIMIT_US + 1;
    return CC_CONTINUE;
}

static enum cc_result just_in_time(struct cc_backend_claims *c)
{
    (void)c;
    w.clock.now_mono_us += LIMIT_US;
    return CC_CONTINUE;
}

static enum cc_result fill(struct cc_backend_claims *c)
{
    char value[4096];

    memset(value, 'a', sizeof(value));
    assert_true(c->calls->set(c, "one", (struct cc_text){value, sizeof(value)}));
    assert_true(c->calls->set(c, "two", (struct cc_text){value, sizeof(value)}));
    return CC_CONTINUE;
}

static void expect_closed(const char *token, const char *reason)
{
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_DENY);
    assert_int_equal(w.d.status, 500);
    assert_true(slice_is(w.d.code, "900900"));
    assert_int_equal(w.d.jwt.n, 0);
    if (!slice_contains(w.d.reason, slice_of(reason)))
        fail_msg("the reason is \"%.*s\", expected \"%s\"", SLICE_ARG(w.d.reason), reason);
}

static void what_fails_is_closed(void **state)
{
    static const struct {
        behaviour b;
        const char *reason;
    } cases[] = {
        {refuse_it, "its generator failed"},
        {lose_it, "its generator failed"},
        {take_long, "its generator took longer than its timeLimitInMicros"},
        {fill, "would be larger than 6144 bytes"},
    };
    struct enforce_counters counters;
    char *token;

    (void)state;
    begin(just_in_time, 0);
    token = make_token(&w, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        act = cases[i].b;
        expect_closed(token, cases[i].reason);
    }
    enforce_worker_counters(w.worker, &counters);
    assert_int_equal(counters.filter_overruns, 1);
    act = just_in_time;
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    cache_clear(w.worker->jwts);
    use(&other, false);
    expect_closed(token, "its generator has no on_backend_claims");
    use(NULL, true); /* cc-gen explain says what would be without it */
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
    free(token);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_changed),
        cmocka_unit_test(what_is_not_done),
        cmocka_unit_test(it_depends_on_what_it_names),
        cmocka_unit_test(what_fails_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
