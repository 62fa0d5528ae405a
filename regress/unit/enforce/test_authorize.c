/* Requirements over credentials: alternatives and all at once, which refusal the client is told,
 * and on whose behalf a request comes. */
#include "fixture.h"

#include "enforce/trace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NEED(kind, scopes, n, line)                       \
    {                                                     \
        kind, SLICE_INIT(""), scopes, n, FIXTURE_AT(line) \
    }

static const struct slice scope_a[] = {SLICE_INIT("a")};
static const struct gw_need token_need = NEED(GW_TOKEN, NULL, 0, 101);
static const struct gw_need scope_need = NEED(GW_TOKEN, scope_a, 1, 102);
static const struct gw_need certificate_need = NEED(GW_CERTIFICATE, NULL, 0, 103);
static const struct gw_need token_and_certificate[] = {
    NEED(GW_TOKEN, NULL, 0, 104),
    NEED(GW_CERTIFICATE, NULL, 0, 105),
};
static const struct gw_need two_scopes[] = {
    NEED(GW_TOKEN, scope_a, 1, 106),
    NEED(GW_TOKEN, fixture_read, 1, 107),
};

#define ONE(need, line)              \
    {                                \
        &(need), 1, FIXTURE_AT(line) \
    }
static const struct gw_requirement either[] = {ONE(certificate_need, 201), ONE(token_need, 202)};
static const struct gw_requirement both[] = {{token_and_certificate, 2, FIXTURE_AT(203)}};
static const struct gw_requirement both_or_scope[] = {
    {token_and_certificate, 2, FIXTURE_AT(204)},
    ONE(scope_need, 205),
};
static const struct gw_requirement two[] = {{two_scopes, 2, FIXTURE_AT(206)}};
static const struct gw_requirement certificate[] = {ONE(certificate_need, 207)};

#define OPERATION(m, list)                                                                     \
    {                                                                                          \
        .method = m, .requirements = list, .n_requirements = sizeof(list) / sizeof((list)[0]), \
        .origin = FIXTURE_AT(99)                                                               \
    }
static const struct gw_operation operations[] = {
    OPERATION(GW_GET, either), OPERATION(GW_POST, both),         OPERATION(GW_PUT, both_or_scope),
    OPERATION(GW_DELETE, two), OPERATION(GW_PATCH, certificate),
};
static const struct gw_resource resources[] = {
    {.template = SLICE_INIT("/x"),
     .operations = operations,
     .n_operations = sizeof(operations) / sizeof(operations[0]),
     .origin = FIXTURE_AT(98)},
};
static const struct gw_api api = {.id = SLICE_INIT("keys"),
                                  .name = SLICE_INIT("Keys"),
                                  .version = SLICE_INIT("1"),
                                  .vhost = SLICE_INIT("*"),
                                  .base_path = SLICE_INIT("/k"),
                                  .auth_header = SLICE_INIT("authorization"),
                                  .production = &fixture_clusters[0],
                                  .resources = resources,
                                  .n_resources = 1,
                                  .origin = FIXTURE_AT(97)};

static struct fixture fixture;
static struct enforce_rules *rules;
static struct enforce_worker *worker;
static struct enforce_trace trace;
static struct clock_fixed now;

static int set_up(void **state)
{
    const struct enforce_options options = {.cache_entries = 16, .cache_bytes = 64 << 10};

    (void)state;
    fixture_init(&fixture);
    fixture.model.apis = &api;
    fixture.model.n_apis = 1;
    rules = fixture_rules(&fixture);
    fixture_need(enforce_worker_new(&worker, &options), "worker");
    clock_fixed_init(&now, FIXTURE_NOW, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enforce_worker_free(&worker);
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    return 0;
}

enum token { NONE, PLAIN, SCOPED, BOTH_SCOPES, EXPIRED, N_TOKENS };

static const char *const claims[N_TOKENS] = {
    [PLAIN] = "\"exp\":1700003600,\"sub\":\"ann\",\"azp\":\"app\"",
    [SCOPED] = "\"exp\":1700003600,\"sub\":\"ann\",\"scope\":\"b a\"",
    [BOTH_SCOPES] = "\"exp\":1700003600,\"scope\":\"read:pets a\"",
    [EXPIRED] = "\"exp\":1600003600,\"sub\":\"ann\"",
};

static void decide(const char *method, enum token which, struct enforce_decision *out)
{
    struct fixture_request r;
    char payload[512], header[4096];
    char *token = NULL;

    fixture_request_init(&r, method, "a.example", "/k/x");
    if (which != NONE) {
        snprintf(payload, sizeof(payload), "{\"iss\":\"https://rsa\",%s}", claims[which]);
        token = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256, payload);
        snprintf(header, sizeof(header), "Bearer %s", token);
        fixture_set_header(&r, 0, header, 1);
    }
    enforce_decide_traced(worker, rules, NULL, &r.request, &now.clock, out, &trace);
    free(token);
}

struct row {
    int line;
    const char *method;
    enum token token;
    int status; /* 0: allowed */
    const char *code, *reason;
    unsigned by; /* the line behind the decision */
};

#define ROW .line = __LINE__

static const struct row rows[] = {
    /* an alternative that cannot be met is as if it were not there, in whatever order */
    {ROW, "GET", PLAIN, 0, "", "allowed", 202},
    {ROW, "GET", NONE, 401, "900901", "closed", 99},
    {ROW, "GET", EXPIRED, 401, "900901", "the token has expired", 99},
    /* all at once: a good token alone is not enough */
    {ROW, "POST", PLAIN, 401, "900901", "closed", 99},
    {ROW, "POST", SCOPED, 401, "900901", "closed", 99},
    {ROW, "POST", EXPIRED, 401, "900901", "the token has expired", 99},
    {ROW, "POST", NONE, 401, "900901", "the header is missing", 99},
    /* the same token is asked for again, and not verified again */
    {ROW, "PUT", SCOPED, 0, "", "allowed", 205},
    {ROW, "PUT", PLAIN, 403, "900910", "none of the scopes", 204},
    {ROW, "PUT", EXPIRED, 401, "900901", "the token has expired", 99},
    {ROW, "PUT", NONE, 401, "900901", "the header is missing", 99},
    /* two schemes of tokens: one token with a scope of each */
    {ROW, "DELETE", BOTH_SCOPES, 0, "", "allowed", 206},
    {ROW, "DELETE", SCOPED, 403, "900910", "none of the scopes", 206},
    {ROW, "DELETE", NONE, 401, "900901", "the header is missing", 99},
    /* a kind that is not supported */
    {ROW, "PATCH", PLAIN, 401, "900901", "closed", 99},
    {ROW, "PATCH", NONE, 401, "900901", "closed", 99},
};

static void one_row(const struct row *row)
{
    struct enforce_decision d;

    decide(row->method, row->token, &d);
    if (d.status != row->status || !slice_eq(d.code, slice_of(row->code)) ||
        !slice_contains(d.reason, slice_of(row->reason)) || trace.cause.line != row->by)
        fail_msg("row at line %d: %d %.*s, \"%.*s\", by line %u", row->line, d.status,
                 SLICE_ARG(d.code), SLICE_ARG(d.reason), trace.cause.line);
    assert_int_equal(d.verdict, row->status == 0 ? ENFORCE_ALLOW : ENFORCE_DENY);
    assert_int_equal(d.backend.n > 0, row->status == 0);
}

static void test_requirements(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) /* a token of the second round is in the cache */
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            one_row(&rows[i]);
}

/* Each credential is looked at once: the counters of the cache say how often. */
static void test_once(void **state)
{
    struct enforce_counters before, after;
    struct enforce_decision d;

    (void)state;
    enforce_worker_counters(worker, &before);
    decide("PUT", EXPIRED, &d);
    enforce_worker_counters(worker, &after);
    assert_int_equal(after.cache_misses + after.cache_hits,
                     before.cache_misses + before.cache_hits + 1);
}

/* The steps show what was tried, and which refusal is the one of the decision. */
static void test_trace(void **state)
{
    struct enforce_decision d;
    size_t refused = 0;

    (void)state;
    decide("PUT", PLAIN, &d);
    for (size_t i = 0; i < trace.n; i++)
        refused += trace.steps[i].refused;
    assert_int_equal(refused, 2); /* there is no certificate; the scope */
    assert_int_equal(trace.steps[trace.n - 1].step, ENFORCE_STEP_SCOPES);
    assert_true(slice_is(d.user, "ann")); /* whose token lacks the scope */
    assert_true(slice_is(d.app, "app"));

    decide("GET", PLAIN, &d);
    refused = 0;
    for (size_t i = 0; i < trace.n; i++)
        refused += trace.steps[i].refused;
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_int_equal(refused, 1);
    assert_true(slice_is(d.user, "ann"));
    assert_true(slice_is(trace.why, "allowed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requirements),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_trace),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
