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
    struct enforce_decision d;

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
    struct enforce_decision d;

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
    struct enforce_decision d;

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

static void test_all_methods_fit(void **state)
{
    struct refuse_room room;
    struct enforce_decision d;

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_and_odd_templates),
        cmocka_unit_test(test_scopes_in_the_challenge),
        cmocka_unit_test(test_path_faults),
        cmocka_unit_test(test_token_faults),
        cmocka_unit_test(test_all_methods_fit),
        cmocka_unit_test(test_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
