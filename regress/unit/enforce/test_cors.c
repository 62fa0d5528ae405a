/* What is decided about requests of pages: preflights, and what is told with every other answer. */
#include "alloc_count.h"
#include "enforce/trace.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The fixture's APIs with policies, and headers in the model's order. */
enum { REQUEST_METHOD, AUTHORIZATION, ORIGIN, TOKEN, HEADERS };

static const struct slice cors_headers[HEADERS] = {SLICE_INIT("access-control-request-method"),
                                                   SLICE_INIT("authorization"),
                                                   SLICE_INIT("origin"), SLICE_INIT("x-token")};
static const struct slice cors_origins[] = {SLICE_INIT("https://shop.example")};
static const struct slice other_origins[] = {SLICE_INIT("https://other.example")};
static const struct gw_cors policies[] = {
    {.credentials = true,
     .origins = cors_origins,
     .n_origins = 1,
     .methods = SLICE_INIT("GET, POST"),
     .headers = SLICE_INIT("x-a"),
     .expose = SLICE_INIT("")},
    {.origins = other_origins,
     .n_origins = 1,
     .methods = SLICE_INIT(""),
     .headers = SLICE_INIT(""),
     .expose = SLICE_INIT("x-b")},
};

/* Below another base path, the same requests as the first API's /pets/{id}, by another method. */
static const struct gw_operation put_operation[] = {{.method = GW_PUT, .origin = FIXTURE_AT(95)}};
static const struct gw_resource put_resources[] = {{.template = SLICE_INIT("/1.0/pets/{id}"),
                                                    .operations = put_operation,
                                                    .n_operations = 1,
                                                    .origin = FIXTURE_AT(94)}};

struct bench {
    struct fixture fixture;
    struct gw_api apis[3];
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct clock_fixed clock;
    struct enforce_decision decision;
};

static int setup(void **state)
{
    static const struct enforce_options options = {0, 0};
    static struct bench b;

    fixture_init(&b.fixture);
    b.apis[0] = fixture_apis[0];
    b.apis[0].cors = &policies[0];
    b.apis[0].cors_declared = (struct place)FIXTURE_AT(5);
    b.apis[1] = fixture_apis[0];
    b.apis[1].name = SLICE("Put");
    b.apis[1].base_path = SLICE("/pets");
    b.apis[1].resources = put_resources;
    b.apis[1].n_resources = 1;
    b.apis[1].cors = &policies[1];
    b.apis[2] = fixture_apis[1]; /* has none */
    b.fixture.model.apis = b.apis;
    b.fixture.model.n_apis = 3;
    b.fixture.model.cors = policies;
    b.fixture.model.n_cors = 2;
    b.fixture.model.headers = cors_headers;
    b.fixture.model.n_headers = HEADERS;
    b.rules = fixture_rules(&b.fixture);
    clock_fixed_init(&b.clock, FIXTURE_NOW, 0);
    *state = &b;
    return enforce_worker_new(&b.worker, &options);
}

static int teardown(void **state)
{
    struct bench *b = *state;

    enforce_worker_free(&b->worker);
    enforce_rules_unref(&b->rules);
    fixture_free(&b->fixture);
    return 0;
}

struct row {
    const char *method, *host, *path, *origin, *asked;
    unsigned origins, askeds; /* header lines; 0: as many as there are texts */
    /* expected */
    int status; /* 0: allowed */
    const char *api;
    int policy;          /* -1: none */
    const char *allowed; /* "": not */
    bool preflight;
};

#define SHOP  "https://shop.example"
#define OTHER "https://other.example"

static const struct row rows[] = {
    /* preflights */
    {"OPTIONS", "x", "/pets/1.0/pets", SHOP, "GET", .status = 200, .api = "Pets", .policy = 0,
     .allowed = SHOP, .preflight = true},
    {"OPTIONS", "x", "/pets/1.0/pets", SHOP, "DELETE", .status = 200, .api = "Pets", .policy = 0,
     .allowed = SHOP, .preflight = true},
    {"OPTIONS", "x", "/pets/1.0/closed", SHOP, "NONSENSE", .status = 200, .api = "Pets",
     .policy = 0, .allowed = SHOP, .preflight = true},
    /* also where OPTIONS is declared */
    {"OPTIONS", "x", "/pets/1.0/pets/7", SHOP, "GET", .status = 200, .api = "Pets", .policy = 0,
     .allowed = SHOP, .preflight = true},
    /* the policy is that of the API which the method belongs to */
    {"OPTIONS", "x", "/pets/1.0/pets/7", SHOP, "PUT", .status = 401, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"OPTIONS", "x", "/pets/1.0/pets/7", OTHER, "PUT", .status = 200, .api = "Put", .policy = 1,
     .allowed = OTHER, .preflight = true},
    {"OPTIONS", "x", "/pets/1.0/pets/7", OTHER, "GET", .status = 401, .api = "Pets", .policy = 0,
     .allowed = ""},

    /* no preflights */
    {"OPTIONS", "x", "/pets/1.0/pets", OTHER, "GET", .status = 204, .api = "Pets", .policy = 0,
     .allowed = ""},
    {"OPTIONS", "x", "/pets/1.0/pets", SHOP, NULL, .status = 204, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"OPTIONS", "x", "/pets/1.0/pets", SHOP, "", .status = 204, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"OPTIONS", "x", "/pets/1.0/pets", NULL, "GET", .status = 204, .api = "Pets", .policy = 0,
     .allowed = ""},
    {"OPTIONS", "x", "/pets/1.0/pets", SHOP, "GET", .askeds = 2, .status = 204, .api = "Pets",
     .policy = 0, .allowed = SHOP},
    {"OPTIONS", "x", "/pets/1.0/pets", SHOP, "GET", .origins = 2, .status = 204, .api = "Pets",
     .policy = 0, .allowed = ""},
    {"OPTIONS", "x", "/pets/1.0/none", SHOP, "GET", .status = 404, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"OPTIONS", "x", "/none", SHOP, "GET", .status = 404, .policy = -1, .allowed = ""},
    {"OPTIONS", "api.example.com", "/a", SHOP, "GET", .status = 204, .api = "Root", .policy = -1,
     .allowed = ""},
    {"options", "x", "/pets/1.0/pets", SHOP, "GET", .status = 405, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"GET", "x", "/pets/1.0/open", SHOP, "GET", .api = "Pets", .policy = 0, .allowed = SHOP},

    /* other requests: the policy holds for every answer */
    {"GET", "x", "/pets/1.0/open", SHOP, NULL, .api = "Pets", .policy = 0, .allowed = SHOP},
    {"GET", "x", "/pets/1.0/open", OTHER, NULL, .api = "Pets", .policy = 0, .allowed = ""},
    {"GET", "x", "/pets/1.0/open", NULL, NULL, .api = "Pets", .policy = 0, .allowed = ""},
    {"GET", "x", "/pets/1.0/pets", SHOP, NULL, .status = 401, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"GET", "x", "/pets/1.0/none", SHOP, NULL, .status = 404, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"PUT", "x", "/pets/1.0/pets", SHOP, NULL, .status = 405, .api = "Pets", .policy = 0,
     .allowed = SHOP},
    {"PUT", "x", "/pets/1.0/pets/7", OTHER, NULL, .status = 401, .api = "Put", .policy = 1,
     .allowed = OTHER},
    {"GET", "api.example.com", "/a", SHOP, NULL, .status = 401, .api = "Root", .policy = -1,
     .allowed = ""},
    {"GET", "x", "/pets/../open", SHOP, NULL, .status = 400, .policy = -1, .allowed = ""},
    {"GET", "", "/pets/1.0/open", SHOP, NULL, .status = 400, .policy = -1, .allowed = ""},
};

static void decide(struct bench *b, const struct row *row)
{
    struct enforce_header headers[HEADERS] = {{.count = 0}};
    struct enforce_request request = {.id = SLICE("id"),
                                      .method = slice_of(row->method),
                                      .host = slice_of(row->host),
                                      .path = slice_of(row->path),
                                      .headers = headers};

    if (row->origin != NULL)
        headers[ORIGIN] = (struct enforce_header){.value = slice_of(row->origin),
                                                  .count = row->origins > 0 ? row->origins : 1};
    if (row->asked != NULL)
        headers[REQUEST_METHOD] = (struct enforce_header){
            .value = slice_of(row->asked), .count = row->askeds > 0 ? row->askeds : 1};
    enforce_decide(b->worker, b->rules, NULL, &request, &b->clock.clock, &b->decision);
}

static void decisions(void **state)
{
    struct bench *b = *state;
    const struct gw_cors *cors = enforce_rules_model(b->rules)->cors;
    const struct enforce_decision *d = &b->decision;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];

        decide(b, row);
        if (d->verdict != (row->status == 0 ? ENFORCE_ALLOW : ENFORCE_DENY) ||
            d->status != row->status || (d->api != NULL) != (row->api != NULL) ||
            (d->api != NULL && !slice_is(d->api->name, row->api)) ||
            d->cors.policy != (row->policy < 0 ? NULL : &cors[row->policy]) ||
            !slice_is(d->cors.origin, row->allowed) || d->cors.preflight != row->preflight)
            fail_msg("row %zu: status %d, origin \"%.*s\": %.*s", i, d->status,
                     SLICE_ARG(d->cors.origin), SLICE_ARG(d->reason));
    }
}

static void a_preflight_says_nothing_else(void **state)
{
    struct bench *b = *state;
    const struct enforce_decision *d = &b->decision;

    decide(b, &rows[0]);
    assert_int_equal(d->verdict, ENFORCE_DENY);
    assert_int_equal(d->body.n + d->code.n + d->allow.n + d->challenge.n, 0);
    assert_int_equal(d->backend.n + d->path.n + d->host.n + d->user.n, 0);
    assert_true(
        slice_is(d->reason, "CORS preflight, which is answered here; pets/swagger.yaml:5:7"));
    assert_true(slice_is(d->resource->template, "/pets"));
}

static void a_trace_says_that_it_was_answered(void **state)
{
    static struct enforce_trace trace;
    struct bench *b = *state;
    struct enforce_header headers[HEADERS] = {
        [ORIGIN] = {.value = SLICE(SHOP), .count = 1},
        [REQUEST_METHOD] = {.value = SLICE("GET"), .count = 1}};
    struct enforce_request request = {.method = SLICE("OPTIONS"),
                                      .host = SLICE("x"),
                                      .path = SLICE("/pets/1.0/pets"),
                                      .headers = headers};
    const struct enforce_trace_step *last;

    enforce_decide_traced(b->worker, b->rules, NULL, &request, &b->clock.clock, &b->decision,
                          &trace);
    last = &trace.steps[trace.n - 1];
    assert_int_equal(last->step, ENFORCE_STEP_CORS);
    assert_false(last->refused);
    assert_int_equal(last->place.line, 5);
    assert_int_equal(trace.cause.line, 5);
}

static void nothing_is_allocated(void **state)
{
    struct bench *b = *state;

    size_t before;

    alloc_count_start();
    before = alloc_made;
    decide(b, &rows[0]);
    decide(b, &rows[18]);
    assert_int_equal(alloc_made - before, 0);
}

/* HAProxy must send what policies look at. */
static void rules_need_the_headers(void **state)
{
    struct bench *b = *state;
    struct fixture f = b->fixture;
    struct diag *diag = diag_new();
    int rc;

    f.model.headers = cors_headers + AUTHORIZATION;
    f.model.n_headers = HEADERS - 1;
    assert_null(fixture_try_rules(&f, diag, &rc));
    assert_int_equal(rc, CC_EREFUSED);
    assert_int_equal(diag_errors(diag), 1);
    diag_free(&diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions),
        cmocka_unit_test(a_preflight_says_nothing_else),
        cmocka_unit_test(a_trace_says_that_it_was_answered),
        cmocka_unit_test(nothing_is_allocated),
        cmocka_unit_test(rules_need_the_headers),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
