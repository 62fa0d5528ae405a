/* The trace of a decision: which steps, what they say, who refused; and that it changes nothing. */
#include "enforce/trace.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct world {
    struct fixture fixture;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct clock_fixed clock;
    struct enforce_trace trace;
    struct enforce_decision decision;
};

static struct world w;

static int set_up(void **state)
{
    const struct enforce_options options = {.cache_entries = 0};

    (void)state;
    fixture_init(&w.fixture);
    w.rules = fixture_rules(&w.fixture);
    fixture_need(enforce_worker_new(&w.worker, &options), "worker");
    clock_fixed_init(&w.clock, FIXTURE_NOW, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enforce_worker_free(&w.worker);
    enforce_rules_unref(&w.rules);
    fixture_free(&w.fixture);
    return 0;
}

static void decide(const char *method, const char *host, const char *path, const char *credential)
{
    struct fixture_request r;
    struct enforce_decision plain;
    char body[4096], reason[512];
    size_t n_body, n_reason;

    fixture_request_init(&r, method, host, path);
    if (credential != NULL)
        fixture_set_header(&r, 0, credential, 1);
    enforce_decide(w.worker, w.rules, NULL, &r.request, &w.clock.clock, &plain);
    n_body = slice_first(plain.body, sizeof(body)).n;
    memcpy(body, plain.body.n > 0 ? plain.body.p : "", n_body);
    n_reason = plain.reason.n;
    memcpy(reason, plain.reason.p, n_reason);
    enforce_decide_traced(w.worker, w.rules, NULL, &r.request, &w.clock.clock, &w.decision,
                          &w.trace);

    /* to look does not change what is seen */
    assert_int_equal(plain.verdict, w.decision.verdict);
    assert_int_equal(plain.status, w.decision.status);
    assert_true(slice_eq(slice_make(body, n_body), w.decision.body));
    assert_true(slice_eq(slice_make(reason, n_reason), w.decision.reason));
}

/* A token of the issuer ec with these claims besides iss, in a header. */
static void decide_with(const char *method, const char *path, const char *claims)
{
    char payload[512], header[4096];
    char *token;

    snprintf(payload, sizeof(payload), "{\"iss\":\"https://ec\",\"aud\":\"cc\",%s}", claims);
    token = fixture_sign(&w.fixture, FIXTURE_EC, JWT_ES256, payload);
    snprintf(header, sizeof(header), "Bearer %s", token);
    decide(method, "a.example", path, header);
    for (size_t i = 0; i < w.trace.n; i++)
        assert_false(slice_contains(w.trace.steps[i].text, slice_make(token + 20, 20)));
    free(token);
}

static const struct enforce_trace_step *last(void)
{
    assert_true(w.trace.n > 0);
    return &w.trace.steps[w.trace.n - 1];
}

static const struct enforce_trace_step *find(enum enforce_step step)
{
    for (size_t i = 0; i < w.trace.n; i++) {
        if (w.trace.steps[i].step == step)
            return &w.trace.steps[i];
    }
    fail_msg("there is no step %s", enforce_step_name(step));
    return NULL;
}

static void says(enum enforce_step step, const char *text)
{
    struct slice said = find(step)->text;

    if (!slice_contains(said, slice_of(text)))
        fail_msg("'%s' is not in: %.*s", text, SLICE_ARG(said));
}

static void an_allowed_request_passes_every_step(void **state)
{
    static const enum enforce_step expected[] = {
        ENFORCE_STEP_HOST,         ENFORCE_STEP_PATH,      ENFORCE_STEP_API,
        ENFORCE_STEP_RESOURCE,     ENFORCE_STEP_OPERATION, ENFORCE_STEP_CREDENTIAL,
        ENFORCE_STEP_TOKEN,        ENFORCE_STEP_ISSUER,    ENFORCE_STEP_ALGORITHM,
        ENFORCE_STEP_SIGNATURE,    ENFORCE_STEP_CLAIMS,    ENFORCE_STEP_TIMES,
        ENFORCE_STEP_SUBSCRIPTION, ENFORCE_STEP_SCOPES,    ENFORCE_STEP_KEY_TYPE,
        ENFORCE_STEP_BACKEND,
    };

    (void)state;
    decide_with("GET", "/pets/1.0/%70ets",
                "\"exp\":1700000100,\"nbf\":1699999900,\"sub\":\"ann\",\"scope\":\"a read:pets\"");
    assert_int_equal(w.decision.verdict, ENFORCE_ALLOW);
    assert_int_equal(w.trace.n, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < w.trace.n; i++) {
        assert_int_equal(w.trace.steps[i].step, expected[i]);
        assert_false(w.trace.steps[i].refused);
        assert_int_equal(w.trace.steps[i].why.n, 0);
    }
    says(ENFORCE_STEP_HOST, "a.example");
    says(ENFORCE_STEP_PATH, "/pets/1.0/pets");
    says(ENFORCE_STEP_API, "Pets 1.0, base path \"/pets/1.0\" on *");
    says(ENFORCE_STEP_OPERATION, "GET; admits: read:pets or admin");
    says(ENFORCE_STEP_TOKEN, "alg ES256");
    says(ENFORCE_STEP_ISSUER, "iss 'https://ec'");
    says(ENFORCE_STEP_ALGORITHM, "ES256; the issuer allows ES256; its key is EC P-256");
    says(ENFORCE_STEP_SIGNATURE, "good, by the key of issuer 'ec'");
    says(ENFORCE_STEP_CLAIMS, "sub 'ann'");
    says(ENFORCE_STEP_CLAIMS, "aud cc; one of these is needed: cc dd");
    says(ENFORCE_STEP_TIMES, "now 1700000000 (2023-11-14T22:13:20Z), exp 1700000100 "
                             "(2023-11-14T22:15:00Z), not before 1699999900");
    says(ENFORCE_STEP_TIMES, "leeway 10 s");
    says(ENFORCE_STEP_SCOPES, "required: read:pets or admin; present: a read:pets");
    says(ENFORCE_STEP_KEY_TYPE, "PRODUCTION");
    says(ENFORCE_STEP_BACKEND, "cc_b_000000000001");
    assert_int_equal(w.trace.cause.line, 13); /* of the requirement that was met */
    assert_true(slice_is(w.trace.why, "allowed"));
}

static void the_open_step_refuses(void **state)
{
    static const struct {
        const char *path, *claims;
        enum enforce_step step;
        const char *why;
    } rows[] = {
        {"/none", "\"exp\":1700000100", ENFORCE_STEP_API, "no API of this host"},
        {"/pets/1.0/none", "\"exp\":1700000100", ENFORCE_STEP_RESOURCE, "no resource of the API"},
        {"/pets/1.0/closed", "\"exp\":1700000100", ENFORCE_STEP_OPERATION, "closed"},
        {"/pets/1.0/../x", "\"exp\":1700000100", ENFORCE_STEP_PATH, "'.' or '..' segment"},
        {"/pets/1.0/pets", "\"x\":1", ENFORCE_STEP_CLAIMS, "exp is missing"},
        {"/pets/1.0/pets", "\"exp\":1699999900", ENFORCE_STEP_TIMES, "has expired, 100 s ago"},
        {"/pets/1.0/pets", "\"exp\":1700000100,\"scope\":\"a\"", ENFORCE_STEP_SCOPES, "none of"},
        {"/pets/1.0/far", "\"exp\":1700000100,\"keytype\":\"ODD\"", ENFORCE_STEP_KEY_TYPE,
         "keytype"},
        {"/pets/1.0/asked", "\"exp\":1700000100", ENFORCE_STEP_INTERCEPTOR, "cannot call any"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        decide_with("GET", rows[i].path, rows[i].claims);
        assert_int_equal(w.decision.verdict, ENFORCE_DENY);
        assert_string_equal(enforce_step_name(last()->step), enforce_step_name(rows[i].step));
        for (size_t k = 0; k < w.trace.n; k++)
            assert_int_equal(w.trace.steps[k].refused, k + 1 == w.trace.n);
        if (!slice_contains(last()->why, slice_of(rows[i].why)))
            fail_msg("'%s' is not in: %.*s", rows[i].why, SLICE_ARG(last()->why));
    }
}

static void what_is_wrong_with_a_token(void **state)
{
    char *token = fixture_sign(&w.fixture, FIXTURE_EC, JWT_ES256,
                               "{\"iss\":\"https://other\",\"exp\":1700000100}");
    char header[4096];

    (void)state;
    snprintf(header, sizeof(header), "Bearer %s", token);
    decide("GET", "h", "/pets/1.0/far", header);
    assert_int_equal(last()->step, ENFORCE_STEP_ISSUER);
    says(ENFORCE_STEP_ISSUER, "iss 'https://other'");
    free(token);

    /* the right issuer, the wrong algorithm for it; then the wrong key */
    token = fixture_sign(&w.fixture, FIXTURE_EC, JWT_ES256, "{\"iss\":\"https://rsa\"}");
    snprintf(header, sizeof(header), "Bearer %s", token);
    decide("GET", "h", "/pets/1.0/far", header);
    assert_int_equal(last()->step, ENFORCE_STEP_ALGORITHM);
    says(ENFORCE_STEP_ALGORITHM, "ES256; the issuer allows RS256, PS256; its key is RSA");
    assert_int_equal(w.trace.cause.line, 11);
    free(token);

    token = fixture_sign(&w.fixture, FIXTURE_EC, JWT_ES256, "{\"iss\":\"https://ec\"}");
    snprintf(header, sizeof(header), "Bearer %s", token);
    header[strlen(header) - 8] = header[strlen(header) - 8] == 'A' ? 'B' : 'A';
    decide("GET", "h", "/pets/1.0/far", header);
    assert_int_equal(last()->step, ENFORCE_STEP_SIGNATURE);
    free(token);

    decide("GET", "h", "/pets/1.0/far", "Bearer nonsense");
    assert_int_equal(last()->step, ENFORCE_STEP_TOKEN);
    assert_int_equal(last()->text.n, 0);
    decide("GET", "h", "/pets/1.0/far", "Basic c2VjcmV0");
    assert_int_equal(last()->step, ENFORCE_STEP_CREDENTIAL);
    assert_int_equal(last()->text.n, 0); /* nothing of the header's value */
}

static void the_first_refusal_and_the_system(void **state)
{
    (void)state;
    decide("GET", "a b", "/", NULL);
    assert_int_equal(w.trace.n, 1);
    assert_int_equal(last()->step, ENFORCE_STEP_HOST);
    assert_true(last()->refused);
    assert_null(w.trace.cause.source);

    decide("GET", "localhost", "/ready", NULL);
    assert_int_equal(w.decision.verdict, ENFORCE_READY);
    assert_int_equal(last()->step, ENFORCE_STEP_SYSTEM);
    assert_false(last()->refused);

    decide("BREW", "h", "/pets/1.0/pets", NULL);
    assert_int_equal(last()->step, ENFORCE_STEP_OPERATION);
    assert_int_equal(w.decision.status, 405);
    assert_int_equal(w.trace.cause.line, 10);
}

static void text_from_outside_is_cut_and_harmless(void **state)
{
    char claims[400];
    static char path[GW_PATH_MAX + 1];

    (void)state;
    snprintf(claims, sizeof(claims), "\"exp\":1700000100,\"sub\":\"%0300d\"", 0);
    decide_with("GET", "/pets/1.0/far", claims);
    assert_int_equal(w.decision.verdict, ENFORCE_ALLOW);

    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    decide("GET\n\033[2J", "h", path, NULL);
    assert_true(find(ENFORCE_STEP_PATH)->text.n < sizeof(path));
    decide("G\n\033[2J", "h", "/pets/1.0/pets", NULL);
    says(ENFORCE_STEP_OPERATION, "G??[2J");

    /* more steps and more text than there is room for: cut, not written past the end */
    w.trace.n = w.trace.used = 0;
    for (int i = 0; i < 2 * ENFORCE_TRACE_STEPS; i++) {
        trace_open(&w.trace, ENFORCE_STEP_HOST, PLACE_NONE);
        for (int k = 0; k < 4; k++)
            trace_say(&w.trace, "%s", path);
    }
    assert_int_equal(w.trace.n, ENFORCE_TRACE_STEPS);
    assert_true(w.trace.used <= sizeof(w.trace.room));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allowed_request_passes_every_step),
        cmocka_unit_test(the_open_step_refuses),
        cmocka_unit_test(what_is_wrong_with_a_token),
        cmocka_unit_test(the_first_refusal_and_the_system),
        cmocka_unit_test(text_from_outside_is_cut_and_harmless),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
