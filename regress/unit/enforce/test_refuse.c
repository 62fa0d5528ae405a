/* Refusals and reasons at their limits: what projects and requests put into them. */
#include "enforce/reason.h"
#include "enforce/refuse.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The text of member `name` of a body, which must be one JSON object. */
static void expect_member(struct slice body, const char *name, const char *part)
{
    json_error_t error;
    json_t *json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);

    if (json == NULL)
        fail_msg("not JSON: %s", error.text);
    assert_int_equal(json_object_size(json), 3);
    assert_non_null(strstr(json_string_value(json_object_get(json, name)), part));
    json_decref(json);
}

static void test_long_and_odd_templates(void **state)
{
    static char template[5000];
    struct gw_resource resource = {.template = {template, sizeof(template)}};
    struct gw_operation operation = {.method = GW_GET};
    struct refuse_room room;
    struct enforce_decision d = {.verdict = ENFORCE_ALLOW, .backend = SLICE("b")};

    (void)state;
    for (int fill = 1; fill < 256; fill++) { /* each byte, also where six are written for one */
        memset(template, fill, sizeof(template));
        refuse_scope(&d, &room, &resource, &operation);
        assert_int_equal(d.verdict, ENFORCE_DENY);
        assert_int_equal(d.backend.n, 0);
        expect_member(d.body, "error_description", ". Scope validation failed.");
    }
    resource.template = SLICE("/a\"b\\c\"}");
    refuse_scope(&d, &room, &resource, &operation);
    expect_member(d.body, "error_description", "Resource: /a\"b\\c\"}. Scope");
}

static struct slice challenge_of(struct refuse_room *room, const struct slice *scopes, size_t n)
{
    static struct gw_need need;
    static const struct gw_requirement requirement = {.needs = &need, .n_needs = 1};
    struct gw_operation operation = {.requirements = &requirement, .n_requirements = 1};
    struct gw_resource resource = {.template = SLICE("/x")};
    struct enforce_decision d = {.soap = GW_SOAP_NONE};

    need = (struct gw_need){.kind = GW_TOKEN, .scopes = scopes, .n_scopes = n};
    refuse_scope(&d, room, &resource, &operation);
    return d.challenge;
}

static void test_scopes_in_the_challenge(void **state)
{
    static const struct slice odd[] = {SLICE_INIT("a\"b"),     SLICE_INIT(""),
                                       SLICE_INIT("a b"),      SLICE_INIT("a\nb"),
                                       SLICE_INIT("\xc3\xa9"), SLICE_INIT("a\\b")};
    static const struct slice mixed[] = {SLICE_INIT("ok"), SLICE_INIT("a\"b"), SLICE_INIT("ok"),
                                         SLICE_INIT("!#[]~")};
    static struct slice many[300];
    static char names[300][8];
    struct refuse_room room;
    struct slice c;

    (void)state;
    c = challenge_of(&room, odd, 6);
    assert_true(slice_is(c, REFUSE_BARE_CHALLENGE ", error=\"insufficient_scope\""));
    c = challenge_of(&room, mixed, 4);
    assert_true(
        slice_is(c, REFUSE_BARE_CHALLENGE ", error=\"insufficient_scope\", scope=\"ok !#[]~\""));

    for (size_t i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "s:%05zu", i);
        many[i] = slice_of(names[i]);
    }
    c = challenge_of(&room, many, 300);
    assert_true(c.n < sizeof(room.challenge) && c.n > sizeof(room.challenge) - 16);
    assert_true(c.p[c.n - 1] == '"' && c.p[c.n - 9] == ' '); /* the last one is whole */
    many[0] = slice_make(room.body, sizeof(room.body));
    memset(room.body, 'x', sizeof(room.body));
    c = challenge_of(&room, many, 2); /* one that never fits does not keep out the next */
    assert_true(slice_ends(c, SLICE("scope=\"s:00001\"")));
}

static void test_path_faults(void **state)
{
    struct refuse_room room;
    struct enforce_decision d = {.soap = GW_SOAP_NONE};

    (void)state;
#define X(name, text)                                                     \
    if (name != GW_PATH_OK) {                                             \
        refuse_path(&d, &room, name);                                     \
        assert_int_equal(d.status, name == GW_PATH_TOO_LONG ? 414 : 400); \
        expect_member(d.body, "description", text);                       \
    }
    GW_PATH_FAULTS(X)
#undef X
}

static void test_token_faults(void **state)
{
    struct enforce_decision d = {.soap = GW_SOAP_NONE};

    (void)state;
    for (int fault = JWT_TOO_LARGE; fault <= JWT_INTERNAL; fault++) {
        /* says nothing about the token */
        bool unknown = fault == JWT_INTERNAL || fault == JWT_BAD_INTROSPECTION;

        refuse_token(&d, GW_ACCESS_TOKEN, (enum jwt_fault)fault);
        assert_int_equal(d.verdict, ENFORCE_DENY);
        assert_int_equal(d.status, unknown ? 503 : 401);
        assert_string_equal(d.code.p, unknown ? "102500"
                                      : fault >= JWT_NO_KEYS && fault <= JWT_KEYS_UNKNOWN
                                          ? "900900"
                                          : "900901");
        /* Why a token was refused is for operators: the client could probe with it. */
        assert_false(slice_contains(d.body, slice_of(jwt_fault_text((enum jwt_fault)fault))));
    }
}

/* The constants of the table are what would be written of their texts: they need no escapes. */
static void test_soap(void **state)
{
    static const struct {
        const char *message, *code, *description;
    } texts[] = {
#define X(name, status, shape, code, message, description, challenge) {message, code, description},
        REFUSALS(X)
#undef X
    };
    static const enum gw_soap soaps[] = {GW_SOAP_11, GW_SOAP_12};
    static char template[5000];
    struct gw_resource resource = {.template = {template, sizeof(template)}};
    struct gw_operation operation = {.method = GW_GET};
    struct refuse_room room;
    struct enforce_decision d;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t k = 0; k < 2; k++) {
            d = (struct enforce_decision){.soap = soaps[k]};
            refuse(&d, (enum refusal)i);
            buf_init(&b, 4096);
            gw_soap_fault(&b, soaps[k], slice_of(texts[i].message), slice_of(texts[i].code),
                          slice_of(texts[i].description));
            assert_true(slice_eq(d.body, buf_slice(&b)));
            assert_true(slice_eq(d.content_type, gw_soap_type(soaps[k])));
            buf_free(&b);
        }
    }
    for (int fill = 1; fill < 256; fill++) { /* all of them fit */
        memset(template, fill, sizeof(template));
        refuse_scope(&d, &room, &resource, &operation);
        assert_true(slice_ends(d.body, SLICE("</soap:Envelope>")));
    }
    resource.template = SLICE("/a&b<c>");
    refuse_scope(&d, &room, &resource, &operation);
    assert_true(slice_contains(d.body, SLICE("Resource: /a&amp;b&lt;c&gt;. Scope")));
    refuse_as_told(&d, &room, 403, SLICE("7"), SLICE("<no>"), SLICE("]]>"));
    assert_true(slice_contains(d.body, SLICE(">&lt;no&gt;<")));
    assert_true(slice_contains(d.body, SLICE(">7:]]&gt;<")));
    /* what is no error has no fault */
    refuse_with_options(&d, &room, 0);
    assert_int_equal(d.body.n + d.content_type.n, 0);
    refuse_with_preflight(&d);
    assert_int_equal(d.body.n + d.content_type.n, 0);
    d.soap = GW_SOAP_NONE;
    refuse(&d, REFUSE_NOT_FOUND);
    assert_true(d.body.p[0] == '{' && d.content_type.n == 0);
}

static void test_all_methods_fit(void **state)
{
    struct refuse_room room;
    struct enforce_decision d = {.soap = GW_SOAP_NONE};

    (void)state;
    refuse_method(&d, &room, (1u << GW_METHOD_COUNT) - 1);
    assert_true(slice_is(d.allow, "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE"));
    refuse_with_options(&d, &room, 0);
    assert_true(slice_is(d.allow, "OPTIONS"));
    assert_int_equal(d.body.n, 0);
}

static void test_reason(void **state)
{
    static const struct source odd = {.name = "a\nb\"c\\d"};
    struct reason r;

    (void)state;
    reason_start(&r);
    reason_add_str(&r, "x");
    reason_add_int(&r, -12);
    reason_add_int(&r, INT64_MIN);
    reason_add_place(&r, PLACE_NONE);
    reason_add_place(&r, (struct place){&odd, 0, 0});
    reason_add_place(&r, (struct place){&odd, 4, 0});
    reason_add_place(&r, (struct place){&odd, 4, 2});
    assert_true(slice_is(reason_slice(&r), "x-12-9223372036854775808; a?b?c?d; a?b?c?d:4; "
                                           "a?b?c?d:4:2"));
    for (int i = 0; i < 200; i++)
        reason_add_str(&r, "0123456789");
    assert_int_equal(reason_slice(&r).n, sizeof(r.text));
}

/* --- the contract's codes --- */

#define SUFFIX ". Make sure you have provided the correct security credentials"
#define NOT_VALID \
    "User is NOT authorized to access the Resource. API Subscription validation failed."

enum challenged { NOT_CHALLENGED, BARE, INVALID };

static const struct {
    const char *name;
    enum refusal why;
    int status;
    const char *code, *message, *description;
    enum challenged challenge;
} codes[] = {
    {"404", REFUSE_NOT_FOUND, 404, "404", "Not Found", "The requested resource is not available.",
     NOT_CHALLENGED},
    {"700700", REFUSE_API_BLOCKED, 503, "700700", "API blocked",
     "This API has been blocked temporarily. Please try again later or contact the system "
     "administrators.",
     NOT_CHALLENGED},
    {"900800", REFUSE_API_LIMIT, 429, "900800", "Message throttled out",
     "You have exceeded your quota", NOT_CHALLENGED},
    {"900802", REFUSE_RESOURCE_LIMIT, 429, "900802", "Message throttled out",
     "You have exceeded your quota", NOT_CHALLENGED},
    {"900803", REFUSE_APPLICATION_LIMIT, 429, "900803", "Message throttled out",
     "You have exceeded your quota", NOT_CHALLENGED},
    {"900804", REFUSE_SUBSCRIPTION_LIMIT, 429, "900804", "Message throttled out",
     "You have exceeded your quota", NOT_CHALLENGED},
    {"900805", REFUSE_DENIED, 403, "900805", "Message blocked",
     "You have been blocked from accessing the resource", NOT_CHALLENGED},
    {"900806", REFUSE_CUSTOM_LIMIT, 429, "900806", "Message throttled out",
     "You have exceeded your quota", NOT_CHALLENGED},
    {"900900: no keys", REFUSE_NO_KEYS, 401, "900900", "Unclassified Authentication Failure",
     "The keys of the token's issuer are not available", BARE},
    {"900900: no JWT for the endpoint", REFUSE_BACKEND_JWT, 500, "900900",
     "Unclassified Authentication Failure", "The JWT for the backend cannot be made",
     NOT_CHALLENGED},
    {"900901: a bad token", REFUSE_BAD_TOKEN, 401, "900901", "Invalid Credentials",
     "Invalid Credentials" SUFFIX, INVALID},
    {"900901: no JWT", REFUSE_NOT_JWT, 401, "900901", "Invalid Credentials",
     "Not a JWT token. Failed to decode the token header" SUFFIX, INVALID},
    {"900901: no usable credential", REFUSE_NO_CREDENTIAL, 401, "900901", "Invalid Credentials",
     "Make sure you have provided the correct security credentials", BARE},
    {"900901: a bad API key", REFUSE_BAD_API_KEY, 401, "900901", "Invalid Credentials",
     "API key authentication failed" SUFFIX, BARE},
    {"900901: a bad internal key", REFUSE_BAD_INTERNAL_KEY, 401, "900901", "Invalid Credentials",
     "Invalid Credentials" SUFFIX, BARE},
    {"900901: sandbox key", REFUSE_SANDBOX, 401, "900901", "Invalid Credentials",
     "Sandbox key offered to an API with no sandbox endpoint" SUFFIX, INVALID},
    {"900901: production key", REFUSE_PRODUCTION, 401, "900901", "Invalid Credentials",
     "Production key offered to an API with no production endpoint" SUFFIX, INVALID},
    {"900902", REFUSE_NOT_BEARER, 401, "900902", "Missing Credentials",
     "Missing Credentials. Make sure your API invocation call has a header: Authorization: Bearer "
     "ACCESS_TOKEN",
     BARE},
    {"900907", REFUSE_SUBSCRIPTION_BLOCKED, 403, "900907",
     "The requested API is temporarily blocked", NOT_VALID, BARE},
    {"900908: not subscribed", REFUSE_NOT_SUBSCRIBED, 403, "900908", "Resource forbidden ",
     NOT_VALID, BARE},
    {"900908: not in the token", REFUSE_NOT_IN_TOKEN, 403, "900908", "Resource forbidden ",
     "Resource forbidden ", BARE},
    {"900908: not permitted", REFUSE_NOT_PERMITTED, 403, "900908", "Resource forbidden ",
     "Access forbidden for the invocations", BARE},
    {"900909", REFUSE_SUBSCRIPTION_INACTIVE, 403, "900909",
     "The subscription to the API is inactive", NOT_VALID, BARE},
    {"900910", REFUSE_SCOPE, 403, "900910",
     "The access token does not allow you to access the requested resource",
     "User is NOT authorized to access the Resource. Scope validation failed.", NOT_CHALLENGED},
    {"900870", REFUSE_MOCK_REQUEST, 400, "900870", "Bad Request",
     "Invalid format for code preference", NOT_CHALLENGED},
    {"900871", REFUSE_MOCK_ANSWER, 501, "900871", "Not Implemented",
     "This resource has no example to answer with.", NOT_CHALLENGED},
    {"103500", REFUSE_INTERCEPTOR, 500, "103500", "Internal Server Error", "Internal Server Error",
     NOT_CHALLENGED},
};

static void test_codes(void **state)
{
#define REALM "Bearer realm=\"cc-gateway\""
#define WRONG ", error=\"invalid_token\", error_description=\"The provided token is invalid\""
    static const char *const challenges[] = {
        [NOT_CHALLENGED] = "", [BARE] = REALM, [INVALID] = REALM WRONG};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct enforce_decision d = {.verdict = ENFORCE_ALLOW};
        bool router = codes[i].why == REFUSE_NOT_FOUND;
        char body[1024];

        snprintf(body, sizeof(body),
                 router ? "{\"code\":\"%s\",\"message\":\"%s\",\"description\":\"%s\"}"
                        : "{\"error_message\":\"%2$s\",\"code\":\"%1$s\","
                          "\"error_description\":\"%3$s\"}",
                 codes[i].code, codes[i].message, codes[i].description);
        refuse(&d, codes[i].why);
        if (d.status != codes[i].status || !slice_is(d.code, codes[i].code) ||
            !slice_is(d.body, body) || !slice_is(d.challenge, challenges[codes[i].challenge]))
            fail_msg("%s: %d %.*s %.*s", codes[i].name, d.status, SLICE_ARG(d.body),
                     SLICE_ARG(d.challenge));
    }
}

/* Codes of the contract that are never told: it defines them and raises them nowhere, or they are
 * of what this gateway does not do. */
static void codes_that_are_never_told(void **state)
{
    static const char *const never[] = {"900801", "900807", "900903", "900904", "900905", "900906",
                                        "900911", "900912", "901100", "901101", "901102", "901103",
                                        "900422", "900820", "900821", "103501"};
    static const enum refusal all[] = {
#define X(name, ...) REFUSE_##name,
        REFUSALS(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct enforce_decision d;

        refuse(&d, all[i]);
        for (size_t j = 0; j < sizeof(never) / sizeof(never[0]); j++)
            assert_false(slice_is(d.code, never[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_and_odd_templates),
        cmocka_unit_test(test_scopes_in_the_challenge),
        cmocka_unit_test(test_path_faults),
        cmocka_unit_test(test_token_faults),
        cmocka_unit_test(test_soap),
        cmocka_unit_test(test_all_methods_fit),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(codes_that_are_never_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
