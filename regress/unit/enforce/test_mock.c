/* Which example a mock API answers with, alone and as a step of a decision. */
#include "alloc_count.h"
#include "enforce/mock.h"
#include "enforce/trace.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct gw_mock_example one[] = {{SLICE_INIT(""), SLICE_INIT("one")}};
static const struct gw_mock_example named[] = {{SLICE_INIT("ref1"), SLICE_INIT("first")},
                                               {SLICE_INIT("Ref1"), SLICE_INIT("upper")},
                                               {SLICE_INIT("a, \"b\""), SLICE_INIT("odd")}};
static const struct gw_mock_example xml[] = {{SLICE_INIT("x"), SLICE_INIT("<a/>")}};
static const struct gw_mock_content json_first[] = {{SLICE_INIT("application/json"), named, 3},
                                                    {SLICE_INIT("application/xml"), xml, 1}};
static const struct gw_mock_content many[] = {
    {SLICE_INIT("text/html"), one, 1},
    {SLICE_INIT("application/json; version=1"), one, 1},
    {SLICE_INIT("application/json; version=2"), one, 1},
    {SLICE_INIT("text/plain; charset=\"UTF-8\""), one, 1},
};
static const struct gw_mock_content html_only[] = {{SLICE_INIT("text/html"), one, 1}};
static const struct gw_mock_header headers[] = {{SLICE_INIT("x-a"), SLICE_INIT("1\"2")}};

static const struct gw_mock_answer answers[] = {
    {.code = SLICE_INIT("404"), .origin = FIXTURE_AT(102)},
    {.code = SLICE_INIT("4xx"),
     .contents = json_first,
     .n_contents = 2,
     .headers = headers,
     .n_headers = 1,
     .origin = FIXTURE_AT(103)},
    {.code = SLICE_INIT("40x"), .contents = html_only, .n_contents = 1},
    {.code = SLICE_INIT("201"), .contents = many, .n_contents = 4},
    {.code = SLICE_INIT("20x"), .contents = html_only, .n_contents = 1},
};
static const struct gw_mock_answer with_default[] = {
    {.code = SLICE_INIT("404"), .contents = html_only, .n_contents = 1},
    {.code = SLICE_INIT("default"), .contents = json_first, .n_contents = 2},
};
static const struct gw_mock_answer empty_default[] = {
    {.code = SLICE_INIT("default")},
    {.code = SLICE_INIT("404"), .contents = html_only, .n_contents = 1},
};
static const struct gw_mock_answer empty_only[] = {{.code = SLICE_INIT("204")},
                                                   {.code = SLICE_INIT("201")}};
static const struct gw_mock_answer several[] = {
    {.code = SLICE_INIT("200"), .contents = many, .n_contents = 4}};

#define OP(list)                                                                       \
    {                                                                                  \
        .method = GW_GET, .answers = list, .n_answers = sizeof(list) / sizeof(list[0]) \
    }
static const struct gw_operation full = OP(answers), defaulted = OP(with_default),
                                 bare_default = OP(empty_default), bare = OP(empty_only),
                                 typed = OP(several), nothing = {.method = GW_GET};

static const struct row {
    const struct gw_operation *op;
    const char *prefer, *accept;
    enum mock_fault fault;
    unsigned status;
    const char *type, *body; /* type NULL: no content */
} rows[] = {
    /* the code */
    {&full, "", "", MOCK_OK, 400, "application/json", "first"},
    {&defaulted, "", "", MOCK_OK, 200, "application/json", "first"},
    {&bare_default, "", "", MOCK_OK, 404, "text/html", "one"},
    {&bare, "", "text/html", MOCK_OK, 204, NULL, NULL},
    {&nothing, "", "", MOCK_NO_ANSWER, 0, NULL, NULL},
    {&nothing, "code=200", "", MOCK_NO_ANSWER, 0, NULL, NULL},
    {&nothing, "code=x", "", MOCK_BAD_CODE, 0, NULL, NULL},
    {&full, "code=404", "", MOCK_OK, 404, NULL, NULL},
    {&full, "code=403", "", MOCK_OK, 403, "text/html", "one"},
    {&full, "code=411", "", MOCK_OK, 411, "application/json", "first"},
    {&full, "code=500", "", MOCK_NO_CODE, 0, NULL, NULL},
    {&full, "code=999", "", MOCK_NO_CODE, 0, NULL, NULL},
    {&defaulted, "code=200", "", MOCK_NO_CODE, 0, NULL, NULL},
    {&defaulted, "code=default", "", MOCK_BAD_CODE, 0, NULL, NULL},
    {&full, "code=20", "", MOCK_BAD_CODE, 0, NULL, NULL},
    {&full, "code=2011", "", MOCK_BAD_CODE, 0, NULL, NULL},
    {&full, "code=4xx", "", MOCK_BAD_CODE, 0, NULL, NULL},
    {&full, "code=99999999999999999999", "", MOCK_BAD_CODE, 0, NULL, NULL},
    {&full, "code=\"403\"", "", MOCK_OK, 403, "text/html", "one"},
    {&full, "code=", "", MOCK_OK, 400, "application/json", "first"},
    {&full, "code", "", MOCK_OK, 400, "application/json", "first"},
    /* no content, whatever the example */
    {&full, "code=204", "image/png", MOCK_OK, 204, NULL, NULL},
    {&full, "code=205", "", MOCK_OK, 205, NULL, NULL},
    {&full, "code=204, example=ref1", "", MOCK_NO_EXAMPLE, 0, NULL, NULL},
    /* what else is in Prefer */
    {&full, "respond-async, wait=10, code=403", "", MOCK_OK, 403, "text/html", "one"},
    {&full, "CODE=403; why=\"a, code=404\"", "", MOCK_OK, 403, "text/html", "one"},
    {&full, "code=403, code=404", "", MOCK_OK, 403, "text/html", "one"},
    {&full, "x; code=404", "", MOCK_OK, 400, "application/json", "first"},
    {&full, "a b, =, \"\", code=403", "", MOCK_OK, 403, "text/html", "one"},
    {&full, "x=\"code=403", "", MOCK_OK, 400, "application/json", "first"},
    {&full, ",,;,", "", MOCK_OK, 400, "application/json", "first"},
    /* the example */
    {&full, "example=ref1", "", MOCK_OK, 400, "application/json", "first"},
    {&full, "example=Ref1", "", MOCK_OK, 400, "application/json", "upper"},
    {&full, "example=REF1", "", MOCK_OK, 400, "application/json", "first"},
    {&full, "example=\"a, \\\"b\\\"\"", "", MOCK_OK, 400, "application/json", "odd"},
    {&full, "example=x", "", MOCK_NO_EXAMPLE, 0, NULL, NULL},
    {&full, "example=x", "application/xml", MOCK_OK, 400, "application/xml", "<a/>"},
    {&full, "code=404, example=ref1", "", MOCK_NO_EXAMPLE, 0, NULL, NULL},
    {&full, "code=403, example=one", "", MOCK_NO_EXAMPLE, 0, NULL, NULL},
    {&full, "code=403, example=", "", MOCK_OK, 403, "text/html", "one"},
    /* Accept */
    {&full, "", "application/xml", MOCK_OK, 400, "application/xml", "<a/>"},
    {&full, "", "APPLICATION/XML", MOCK_OK, 400, "application/xml", "<a/>"},
    {&full, "", "*/*", MOCK_OK, 400, "application/json", "first"},
    {&full, "", "application/*", MOCK_OK, 400, "application/json", "first"},
    {&full, "", "application/xml, */*", MOCK_OK, 400, "application/xml", "<a/>"},
    {&full, "", "*/*, application/xml;q=0.9", MOCK_OK, 400, "application/json", "first"},
    {&full, "", "application/json;q=0.1, application/xml;q=0.2", MOCK_OK, 400, "application/xml",
     "<a/>"},
    {&full, "", "application/json;q=0, */*;q=0.001", MOCK_OK, 400, "application/xml", "<a/>"},
    {&full, "", "application/xml;q=0.5, application/json;q=0.5", MOCK_OK, 400, "application/json",
     "first"},
    {&full, "", "text/html", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "*/*;q=0", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "*/*; Q=0.0, image/png", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "*/json", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application/xml;q=2", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application/xml;q=1.001", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application/xml;q=0.0001", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application/xml;q=\"1\"", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application/xml;q=1.000", MOCK_OK, 400, "application/xml", "<a/>"},
    {&full, "", "application/xml;q=0.", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "text/html, image/gif, *; q=.2, */*; q=.2", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "text/html, *", MOCK_OK, 400, "application/json", "first"},
    {&full, "", " , ,", MOCK_OK, 400, "application/json", "first"},
    {&full, "", "text/html;a=\"x, application/xml", MOCK_NO_TYPE, 0, NULL, NULL},
    {&full, "", "application/json; charset=utf-8", MOCK_OK, 400, "application/json", "first"},
    /* no JSON without parameters, and parameters that tell media types apart */
    {&typed, "", "", MOCK_OK, 200, "application/json; version=1", "one"},
    {&typed, "", "application/json; version=2", MOCK_OK, 200, "application/json; version=2", "one"},
    {&typed, "", "application/json; version=3", MOCK_NO_TYPE, 0, NULL, NULL},
    {&typed, "", "text/*;q=0.1, text/plain;charset=utf-8", MOCK_OK, 200,
     "text/plain; charset=\"UTF-8\"", "one"},
    {&typed, "", "text/*", MOCK_OK, 200, "text/html", "one"},
};

static void choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct mock_choice c;
        enum mock_fault fault = mock_choose(r->op, slice_of(r->prefer), slice_of(r->accept), &c);
        bool good = fault == r->fault;

        if (good && fault == MOCK_OK)
            good = c.status == r->status && (c.content != NULL) == (r->type != NULL) &&
                   (c.example != NULL) == (r->type != NULL);
        if (good && fault == MOCK_OK && r->type != NULL)
            good = slice_is(c.content->media_type, r->type) && slice_is(c.example->body, r->body);
        if (!good)
            fail_msg("row %zu: Prefer <%s> Accept <%s>: fault %d, status %u", i, r->prefer,
                     r->accept, (int)fault, c.status);
    }
}

/* What is beyond the elements that are looked at cannot cost, and does not count. */
static void headers_are_bounded(void **state)
{
    static char long_accept[128 * 4 + 32], long_prefer[128 * 2 + 32];
    struct mock_choice c;

    (void)state;
    for (int i = 0; i < 128; i++) {
        memcpy(long_accept + i * 4, "a/b,", 4);
        memcpy(long_prefer + i * 2, "a,", 2);
    }
    memcpy(long_accept + sizeof(long_accept) - 32, "application/json", 17);
    memcpy(long_prefer + sizeof(long_prefer) - 32, "code=404", 9);
    assert_int_equal(mock_choose(&full, SLICE(""), slice_of(long_accept), &c), MOCK_NO_TYPE);
    assert_int_equal(mock_choose(&full, SLICE(""), slice_of(long_accept + 4), &c), MOCK_OK);
    assert_int_equal(mock_choose(&full, slice_of(long_prefer), SLICE(""), &c), MOCK_OK);
    assert_int_equal(c.status, 400);
    assert_int_equal(mock_choose(&full, slice_of(long_prefer + 2), SLICE(""), &c), MOCK_OK);
    assert_int_equal(c.status, 404);
}

/* --- in a decision --------------------------------------------------------------------------- */

enum { ACCEPT, AUTHORIZATION, PREFER, TOKEN, HEADERS };

static const struct slice header_names[HEADERS] = {
    SLICE_INIT("accept"), SLICE_INIT("authorization"), SLICE_INIT("prefer"), SLICE_INIT("x-token")};
static const struct gw_operation mock_operations[] = {
    {.method = GW_GET, .open = true, .answers = answers, .n_answers = 5, .origin = FIXTURE_AT(101)},
    {.method = GW_POST, .answers = answers, .n_answers = 5, .origin = FIXTURE_AT(111)},
    {.method = GW_PUT, .open = true, .origin = FIXTURE_AT(121)},
};
static const struct gw_resource mock_resources[] = {{.template = SLICE_INIT("/mock"),
                                                     .operations = mock_operations,
                                                     .n_operations = 3,
                                                     .origin = FIXTURE_AT(100)}};

struct bench {
    struct fixture fixture;
    struct gw_api apis[2];
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct clock_fixed clock;
    struct enforce_header headers[HEADERS];
    struct enforce_decision decision;
    struct enforce_trace trace;
};

static int setup(void **state)
{
    static const struct enforce_options options = {16, 65536};
    static struct bench b;

    fixture_init(&b.fixture);
    b.apis[0] = fixture_apis[0];
    b.apis[0].production = NULL;
    b.apis[0].mock = true;
    b.apis[0].resources = mock_resources;
    b.apis[0].n_resources = 1;
    b.apis[1] = fixture_apis[1];
    b.fixture.model.apis = b.apis;
    b.fixture.model.n_apis = 2;
    b.fixture.model.headers = header_names;
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

static const struct enforce_decision *decide(struct bench *b, const char *method,
                                             const char *prefer, const char *accept,
                                             const char *token, bool traced)
{
    struct enforce_request request = {.id = SLICE("id"),
                                      .method = slice_of(method),
                                      .path = SLICE("/pets/1.0/mock"),
                                      .host = SLICE("localhost"),
                                      .headers = b->headers};
    const char *const values[HEADERS] = {accept, token, prefer, NULL};

    for (int i = 0; i < HEADERS; i++)
        b->headers[i] =
            (struct enforce_header){.value = slice_of(values[i]), .count = values[i] != NULL};
    enforce_decide_traced(b->worker, b->rules, NULL, &request, &b->clock.clock, &b->decision,
                          traced ? &b->trace : NULL);
    return &b->decision;
}

static void an_answer(void **state)
{
    struct bench *b = *state;
    const struct enforce_decision *d = decide(b, "GET", "example=ref1", NULL, NULL, true);

    assert_int_equal(d->verdict, ENFORCE_ANSWER);
    assert_int_equal(d->status, 400);
    assert_true(slice_is(d->body, "first"));
    assert_int_equal(d->lines, 1);
    assert_true(slice_is(d->content_type, "application/json"));
    assert_true(slice_is(d->headers, "{\"x-a\":\"1\\\"2\"}"));
    assert_true(d->code.n == 0 && d->challenge.n == 0 && d->backend.n == 0 && d->path.n == 0);
    assert_true(slice_is(d->reason, "mock: the example of 4xx; pets/swagger.yaml:103:7"));
    assert_int_equal(b->trace.steps[b->trace.n - 1].step, ENFORCE_STEP_MOCK);
    assert_false(b->trace.steps[b->trace.n - 1].refused);
    assert_int_equal(b->trace.cause.line, 103);

    d = decide(b, "GET", "code=404", "image/png", NULL, false);
    assert_int_equal(d->verdict, ENFORCE_ANSWER);
    assert_int_equal(d->status, 404);
    assert_true(d->body.n == 0 && d->content_type.n == 0 && d->headers.n == 0);
    assert_int_equal(d->lines, 0);
}

static void no_answer(void **state)
{
    static const struct {
        const char *method, *prefer, *accept;
        int status;
        const char *code, *description;
    } cases[] = {
        {"GET", "code=x", NULL, 400, "900870", "Invalid format for code preference"},
        {"GET", "code=500", NULL, 501, "900871",
         "Preferred code 500 is not supported for this resource."},
        {"GET", NULL, "a/b, \\\"", 501, "900871",
         "Accept type [a/b, \\\\\\\"] is not supported for this resource"},
        {"GET", "example=zzz", NULL, 501, "900871",
         "Example preference zzz is not supported for this resource"},
        {"PUT", NULL, NULL, 501, "900871", "This resource has no example to answer with."},
    };
    struct bench *b = *state;
    char body[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct enforce_decision *d =
            decide(b, cases[i].method, cases[i].prefer, cases[i].accept, NULL, true);

        assert_int_equal(d->verdict, ENFORCE_DENY);
        assert_int_equal(d->status, cases[i].status);
        assert_true(slice_is(d->code, cases[i].code));
        snprintf(body, sizeof(body),
                 "{\"error_message\":\"%s\",\"code\":\"%s\",\"error_description\":\"%s\"}",
                 cases[i].status == 400 ? "Bad Request" : "Not Implemented", cases[i].code,
                 cases[i].description);
        assert_true(slice_is(d->body, body));
        assert_true(d->content_type.n == 0 && d->headers.n == 0);
        assert_true(b->trace.steps[b->trace.n - 1].refused);
        assert_int_equal(b->trace.steps[b->trace.n - 1].step, ENFORCE_STEP_MOCK);
    }
}

/* The client's words are cut, and stay JSON. */
static void long_preferences(void **state)
{
    static char prefer[8 << 10];
    struct bench *b = *state;
    const struct enforce_decision *d;

    memset(prefer, '\\', sizeof(prefer) - 1);
    memcpy(prefer, "example=\"", 9);
    prefer[sizeof(prefer) - 2] = '"';
    prefer[sizeof(prefer) - 3] = 'x';
    d = decide(b, "GET", prefer, NULL, NULL, false);
    assert_int_equal(d->status, 501);
    assert_true(d->body.n < 600);
}

static void authentication_applies(void **state)
{
    static const struct {
        const char *keytype;
        bool good;
    } tokens[] = {{"", true},
                  {",\"keytype\":\"PRODUCTION\"", true},
                  {",\"keytype\":\"SANDBOX\"", true},
                  {",\"keytype\":\"OTHER\"", false}};
    struct bench *b = *state;
    char payload[128], value[4096];

    assert_int_equal(decide(b, "POST", NULL, NULL, NULL, false)->status, 401);
    assert_int_equal(decide(b, "DELETE", NULL, NULL, NULL, false)->status, 405);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        char *token;

        snprintf(payload, sizeof(payload), "{\"iss\":\"https://ed\",\"exp\":1700003600%s}",
                 tokens[i].keytype);
        token = fixture_sign(&b->fixture, FIXTURE_ED, JWT_EdDSA, payload);
        snprintf(value, sizeof(value), "Bearer %s", token);
        free(token);
        assert_int_equal(decide(b, "POST", NULL, NULL, value, false)->status,
                         tokens[i].good ? 400 : 401);
    }
}

static void several_lines(void **state)
{
    struct bench *b = *state;
    struct enforce_request request = {.method = SLICE("GET"),
                                      .path = SLICE("/pets/1.0/mock"),
                                      .host = SLICE("localhost"),
                                      .headers = b->headers};

    for (unsigned which = ACCEPT; which <= PREFER; which += PREFER - ACCEPT) {
        memset(b->headers, 0, sizeof(b->headers));
        b->headers[which] = (struct enforce_header){.value = SLICE("*/*"), .count = 4};
        enforce_decide(b->worker, b->rules, NULL, &request, &b->clock.clock, &b->decision);
        assert_int_equal(b->decision.status, 400);
        assert_true(slice_is(b->decision.code, "900870"));
        assert_true(slice_contains(b->decision.body, SLICE("More than three lines")));
    }
    request.headers = NULL;
    enforce_decide(b->worker, b->rules, NULL, &request, &b->clock.clock, &b->decision);
    assert_int_equal(b->decision.verdict, ENFORCE_ANSWER);
}

static void no_heap(void **state)
{
    struct bench *b = *state;
    size_t before;

    decide(b, "GET", "code=411, example=ref1", "text/html, */*", NULL, false);
    before = alloc_made;
    for (int i = 0; i < 100; i++) {
        decide(b, "GET", "code=411, example=ref1", "text/html, */*", NULL, false);
        decide(b, "GET", "code=500", NULL, NULL, false);
    }
    assert_int_equal(alloc_made, before);
}

/* Both headers must come along. */
static void headers_are_demanded(void **state)
{
    struct bench *b = *state;
    struct fixture f = b->fixture;
    struct diag *diag = diag_new();
    struct slice without[3] = {SLICE("authorization"), SLICE("prefer"), SLICE("x-token")};
    int rc;

    f.model.headers = without;
    f.model.n_headers = 3;
    assert_null(fixture_try_rules(&f, diag, &rc));
    assert_int_equal(rc, CC_EREFUSED);
    diag_free(&diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices),
        cmocka_unit_test(headers_are_bounded),
        cmocka_unit_test(an_answer),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(long_preferences),
        cmocka_unit_test(authentication_applies),
        cmocka_unit_test(several_lines),
        cmocka_unit_test(no_heap),
        cmocka_unit_test(headers_are_demanded),
    };

    alloc_count_start();
    return cmocka_run_group_tests(tests, setup, teardown);
}
