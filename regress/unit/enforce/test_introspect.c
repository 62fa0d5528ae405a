/* Opaque tokens: what the engine waits for, and what it makes of the server's word. */
#include "regress/unit/enforce/fixture.h"
#include "revoke/revoke.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { AGE_S = 100 };

static struct {
    struct fixture fixture;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct clock_fixed clock;
    struct enforce_reply *reply;
    struct enforce_decision d;
} t;

static void start(size_t entries)
{
    const struct enforce_options options = {entries, 1 << 16};

    t.rules = fixture_rules(&t.fixture);
    assert_int_equal(enforce_worker_new(&t.worker, &options), CC_OK);
}

static void stop(void)
{
    enforce_worker_free(&t.worker);
    enforce_rules_unref(&t.rules);
}

static int setup(void **state)
{
    static const struct slice audiences[] = {SLICE_INIT("pets"), SLICE_INIT("cats")};
    static const struct gw_claim_mapping mappings[] = {{SLICE_INIT("login"), SLICE_INIT("sub")}};
    struct gw_issuer *issuer;

    (void)state;
    memset(&t, 0, sizeof t);
    fixture_init(&t.fixture);
    clock_fixed_init(&t.clock, FIXTURE_NOW, 0);
    issuer = &t.fixture.issuers[FIXTURE_RSA];
    issuer->introspection_url = SLICE("https://idp.test/introspect");
    issuer->introspection_authorization = SLICE("Basic eA==");
    issuer->audiences = audiences;
    issuer->n_audiences = 2;
    issuer->claim_mappings = mappings;
    issuer->n_claim_mappings = 1;
    start(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    enforce_reply_unref(&t.reply);
    stop();
    fixture_free(&t.fixture);
    return 0;
}

static enum enforce_verdict ask(const char *token, enum enforce_patience patience)
{
    char value[8192];
    struct enforce_header headers[2] = {{.count = 1}, {.count = 0}};
    struct enforce_request request = {.method = SLICE("GET"),
                                      .path = SLICE("/pets/1.0/pets/7"),
                                      .host = SLICE("x"),
                                      .headers = headers,
                                      .patience = patience,
                                      .replies = {t.reply}};

    snprintf(value, sizeof value, "Bearer %s", token);
    headers[0].value = slice_of(value);
    enforce_decide(t.worker, t.rules, NULL, &request, &t.clock.clock, &t.d);
    return t.d.verdict;
}

/* The request once more, with this word of the server about what was awaited. */
static enum enforce_verdict answer(const char *token, bool failed, const char *text)
{
    enum enforce_verdict verdict;

    assert_int_equal(ask(token, ENFORCE_MAY_WAIT), ENFORCE_PENDING);
    assert_int_equal(enforce_reply_new(&t.reply, t.d.await.what, &t.d.await.key, failed,
                                       FIXTURE_NOW + AGE_S, slice_of(text)),
                     CC_OK);
    verdict = ask(token, ENFORCE_MAY_WAIT);
    enforce_reply_unref(&t.reply);
    return verdict;
}

static void expect_refused(int status, const char *code, const char *reason)
{
    assert_int_equal(t.d.verdict, ENFORCE_DENY);
    assert_int_equal(t.d.status, status);
    assert_true(slice_is(t.d.code, code));
    if (!slice_contains(t.d.reason, slice_of(reason)))
        fail_msg("the reason is \"%.*s\", expected \"%s\"", SLICE_ARG(t.d.reason), reason);
}

#define ACTIVE(more) "{\"active\":true,\"aud\":\"pets\"" more "}"

static void an_active_token_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(ask("opaque-1", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
    assert_int_equal(t.d.await.what, ENFORCE_WAIT_INTROSPECTION);
    assert_int_equal(t.d.await.subject, FIXTURE_RSA);
    assert_true(slice_is(t.d.await.question, "opaque-1"));
    assert_int_equal(
        answer("opaque-1", false,
               ACTIVE(",\"sub\":\"alice\",\"client_id\":\"app7\",\"token_type\":\"bearer\","
                      "\"iss\":\"https://rsa\",\"keytype\":\"PRODUCTION\"")),
        ENFORCE_ALLOW);
    assert_true(slice_is(t.d.user, "alice"));
    assert_true(slice_is(t.d.app, "app7"));
}

static void members_come_as_servers_have_them(void **state)
{
    static const struct {
        const char *answer, *user, *app;
    } cases[] = {
        {ACTIVE(",\"username\":\"bob\""), "bob", ""},
        {ACTIVE(",\"sub\":\"7\",\"username\":\"bob\""), "7", ""},
        {ACTIVE(",\"login\":\"carol\",\"sub\":\"7\""), "carol", ""}, /* claimMapping */
        {ACTIVE(",\"sub\":null,\"username\":\"bob\",\"exp\":null"), "bob", ""},
        {ACTIVE(",\"client_id\":\"a\",\"consumerKey\":\"b\""), "", "b"},
        {"{\"active\":true,\"aud\":[\"x\",\"cats\"],\"azp\":\"c\"}", "", "c"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (answer("opaque", false, cases[i].answer) != ENFORCE_ALLOW)
            fail_msg("%s: %.*s", cases[i].answer, SLICE_ARG(t.d.reason));
        assert_true(slice_is(t.d.user, cases[i].user));
        assert_true(slice_is(t.d.app, cases[i].app));
    }
}

/* The token may be bad: 401. Nobody knows whether it is: 503. */
static void what_is_refused_and_how(void **state)
{
    static const struct {
        bool failed;
        const char *answer;
        int status;
        const char *code, *reason;
    } cases[] = {
        {false, "{\"active\":false}", 401, "900901", "not active"},
        {false, "{\"active\":false,\"exp\":9999999999,\"aud\":\"pets\"}", 401, "900901",
         "not active"},
        {false, ACTIVE(",\"token_type\":\"DPoP\""), 401, "900901", "token_type"},
        {false, ACTIVE(",\"token_type\":\"refresh_token\""), 401, "900901", "token_type"},
        {false, ACTIVE(",\"iss\":\"https://other\""), 401, "900901", "iss"},
        {false, "{\"active\":true}", 401, "900901", "aud"},
        {false, "{\"active\":true,\"aud\":\"dogs\"}", 401, "900901", "aud"},
        {false, ACTIVE(",\"exp\":1699999000"), 401, "900901", "expired"},
        {false, ACTIVE(",\"nbf\":1700001000"), 401, "900901", "not valid yet"},
        {false, ACTIVE(",\"exp\":\"soon\""), 401, "900901", "exp"},
        {false, ACTIVE(",\"scope\":7"), 401, "900901", "wrong type"},
        {false, ACTIVE(",\"sub\":\"a\\nb\""), 401, "900901", "control character"},
        {false, "{\"active\":\"true\",\"aud\":\"pets\"}", 503, "102500", "RFC 7662"},
        {false, "{\"active\":1}", 503, "102500", "RFC 7662"},
        {false, "{}", 503, "102500", "RFC 7662"},
        {false, "[true]", 503, "102500", "RFC 7662"},
        {false, "<html>Sign in</html>", 503, "102500", "RFC 7662"},
        {false, "", 503, "102500", "RFC 7662"},
        {false, "{\"active\":false,\"active\":true}", 503, "102500", "RFC 7662"},
        {true, "it answers with status 500", 503, "102500", "status 500"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answer("opaque", cases[i].failed, cases[i].answer);
        expect_refused(cases[i].status, cases[i].code, cases[i].reason);
    }
}

static void it_may_not_wait_everywhere(void **state)
{
    (void)state;
    ask("opaque", ENFORCE_ALONE);
    expect_refused(503, "102500", "cannot be asked for");
    ask("opaque", ENFORCE_OVERDUE);
    expect_refused(503, "102500", "did not come in time");
    ask("opaque", ENFORCE_CROWDED);
    expect_refused(503, "102500", "too many requests wait");
}

/* What cannot be a token is nobody's business; a JWT is never shown to the server. */
static void nobody_is_asked_without_need(void **state)
{
    char large[INTROSPECT_MAX_TOKEN + 2];

    (void)state;
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_int_equal(ask(large, ENFORCE_MAY_WAIT), ENFORCE_DENY);
    large[sizeof large - 2] = '\0';
    assert_int_equal(ask(large, ENFORCE_MAY_WAIT), ENFORCE_PENDING);
    assert_int_equal(ask("a\"b", ENFORCE_MAY_WAIT), ENFORCE_DENY);
    expect_refused(401, "900901", "");
    assert_int_equal(ask("a&token=b", ENFORCE_MAY_WAIT), ENFORCE_DENY);
    assert_int_equal(ask("==", ENFORCE_MAY_WAIT), ENFORCE_DENY);
    assert_int_equal(ask("a.b.c", ENFORCE_MAY_WAIT), ENFORCE_DENY);
    assert_int_equal(ask("a.b.c.d", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
    assert_int_equal(ask("a+/~-._==", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
}

static void each_token_has_a_key_of_its_own(void **state)
{
    struct enforce_key first;

    (void)state;
    ask("one", ENFORCE_MAY_WAIT);
    first = t.d.await.key;
    ask("two", ENFORCE_MAY_WAIT);
    assert_false(enforce_key_eq(&first, &t.d.await.key));
    ask("one", ENFORCE_MAY_WAIT);
    assert_true(enforce_key_eq(&first, &t.d.await.key));
    /* a reply to another question is none */
    assert_int_equal(enforce_reply_new(&t.reply, t.d.await.what, &first, false, FIXTURE_NOW + 9,
                                       SLICE(ACTIVE(""))),
                     CC_OK);
    assert_int_equal(ask("two", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
    assert_int_equal(ask("one", ENFORCE_MAY_WAIT), ENFORCE_ALLOW);
    /* and the same token is another question for another server */
    stop();
    t.fixture.issuers[FIXTURE_RSA].introspection_url = SLICE("https://other.test/introspect");
    start(0);
    ask("one", ENFORCE_MAY_WAIT);
    assert_false(enforce_key_eq(&first, &t.d.await.key));
}

static void it_is_remembered_until_the_answer_is_too_old(void **state)
{
    (void)state;
    stop();
    start(100);
    assert_int_equal(answer("opaque", false, ACTIVE(",\"exp\":1700000500,\"sub\":\"alice\"")),
                     ENFORCE_ALLOW);
    assert_int_equal(ask("opaque", ENFORCE_MAY_WAIT), ENFORCE_ALLOW);
    assert_true(slice_is(t.d.user, "alice"));
    t.clock.now_wall_s = FIXTURE_NOW + AGE_S - 1;
    assert_int_equal(ask("opaque", ENFORCE_ALONE), ENFORCE_ALLOW);
    t.clock.now_wall_s = FIXTURE_NOW + AGE_S;
    assert_int_equal(ask("opaque", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
    /* what was not active is asked about each time: it takes no room */
    t.clock.now_wall_s = FIXTURE_NOW;
    answer("bad", false, "{\"active\":false}");
    assert_int_equal(ask("bad", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
}

/* An answer without exp lets a token in for as long as the answer counts. */
static void without_exp_the_answer_ends_it(void **state)
{
    (void)state;
    stop();
    start(100);
    assert_int_equal(answer("opaque", false, ACTIVE("")), ENFORCE_ALLOW);
    t.clock.now_wall_s = FIXTURE_NOW + AGE_S;
    assert_int_equal(ask("opaque", ENFORCE_MAY_WAIT), ENFORCE_PENDING);
}

static void without_introspection_an_opaque_token_is_refused(void **state)
{
    (void)state;
    stop();
    t.fixture.issuers[FIXTURE_RSA].introspection_url = SLICE("");
    t.fixture.issuers[FIXTURE_RSA].introspection_authorization = SLICE("");
    start(0);
    ask("opaque", ENFORCE_MAY_WAIT);
    expect_refused(401, "900901", "");
}

static void scopes_count_as_those_of_a_jwt(void **state)
{
    char value[] = "Bearer opaque";
    struct enforce_header headers[2] = {{.value = slice_of(value), .count = 1}, {.count = 0}};
    struct enforce_request request = {.method = SLICE("GET"),
                                      .path = SLICE("/pets/1.0/pets"),
                                      .host = SLICE("x"),
                                      .headers = headers,
                                      .patience = ENFORCE_MAY_WAIT};
    static const struct {
        const char *answer;
        enum enforce_verdict verdict;
    } cases[] = {{ACTIVE(",\"scope\":\"a read:pets b\""), ENFORCE_ALLOW},
                 {ACTIVE(",\"scope\":[\"read:pets\"]"), ENFORCE_ALLOW},
                 {ACTIVE(",\"scope\":\"read\""), ENFORCE_DENY},
                 {ACTIVE(""), ENFORCE_DENY}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        request.replies[0] = NULL;
        enforce_decide(t.worker, t.rules, NULL, &request, &t.clock.clock, &t.d);
        assert_int_equal(t.d.verdict, ENFORCE_PENDING);
        assert_int_equal(enforce_reply_new(&t.reply, t.d.await.what, &t.d.await.key, false,
                                           FIXTURE_NOW + 9, slice_of(cases[i].answer)),
                         CC_OK);
        request.replies[0] = t.reply;
        enforce_decide(t.worker, t.rules, NULL, &request, &t.clock.clock, &t.d);
        assert_int_equal(t.d.verdict, cases[i].verdict);
        if (cases[i].verdict == ENFORCE_DENY)
            assert_int_equal(t.d.status, 403);
        enforce_reply_unref(&t.reply);
    }
}

static void two_servers_are_refused(void **state)
{
    struct diag *diag = diag_new();
    struct gw_snapshot *snapshot = NULL;
    struct enforce_rules *rules = NULL;
    struct buf text;

    (void)state;
    t.fixture.issuers[FIXTURE_EC].introspection_url = SLICE("https://ec.test/introspect");
    buf_init(&text, 1 << 20);
    assert_int_equal(gw_snapshot_write(&t.fixture.model, &text), CC_OK);
    assert_int_equal(gw_snapshot_read(&snapshot, buf_slice(&text), "test", diag), CC_OK);
    assert_int_equal(enforce_rules_new(&rules, snapshot, diag), CC_EREFUSED);
    assert_int_equal(diag_errors(diag), 1);
    gw_snapshot_unref(&snapshot);
    buf_free(&text);
    diag_free(&diag);
}

/* By its jti, where the server says one, else by itself; remembered or not. */
static void a_revoked_token_is_refused(void **state)
{
    struct revoked *revoked = NULL;

    (void)state;
    stop();
    start(16);
    assert_int_equal(revoked_new(&revoked, 16), CC_OK);
    revoked_set_ready(revoked, true);
    enforce_worker_set_revoked(t.worker, revoked);
    assert_int_equal(answer("opaque.1", false, ACTIVE("")), ENFORCE_ALLOW);
    assert_int_equal(answer("opaque.2", false, ACTIVE(",\"jti\":\"two\"")), ENFORCE_ALLOW);
    assert_int_equal(ask("opaque.1", ENFORCE_MAY_WAIT), ENFORCE_ALLOW); /* remembered */
    revoked_add(revoked, SLICE("opaque.1"), REVOKED_FOREVER, REVOKED_BY_STATE, FIXTURE_NOW);
    revoked_add(revoked, SLICE("two"), REVOKED_FOREVER, REVOKED_BY_STATE, FIXTURE_NOW);
    ask("opaque.1", ENFORCE_MAY_WAIT);
    expect_refused(401, "900901", "the token is revoked");
    ask("opaque.2", ENFORCE_MAY_WAIT);
    expect_refused(401, "900901", "the token is revoked");
    answer("opaque.3", false, ACTIVE(",\"jti\":\"two\""));
    expect_refused(401, "900901", "the token is revoked");
    assert_int_equal(answer("1", false, ACTIVE("")), ENFORCE_ALLOW); /* not by its end alone */
    stop();
    revoked_free(&revoked);
    start(0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_active_token_is_allowed),
        TEST(a_revoked_token_is_refused),
        TEST(members_come_as_servers_have_them),
        TEST(what_is_refused_and_how),
        TEST(it_may_not_wait_everywhere),
        TEST(nobody_is_asked_without_need),
        TEST(each_token_has_a_key_of_its_own),
        TEST(it_is_remembered_until_the_answer_is_too_old),
        TEST(without_exp_the_answer_ends_it),
        TEST(without_introspection_an_opaque_token_is_refused),
        TEST(scopes_count_as_those_of_a_jwt),
        TEST(two_servers_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
