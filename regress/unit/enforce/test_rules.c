/* Rules that cannot be trusted are refused whole, with a finding; those in use live as long as
 * somebody holds them. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_free(&fixture);
    return 0;
}

static void expect_finding(struct fixture *f, enum diag_code code, const char *part)
{
    struct diag *diag = diag_new();
    struct diag_view finding = {.code = code};
    struct enforce_rules *rules;
    int rc = CC_OK;

    f->model.issuers = f->issuers;
    rules = fixture_try_rules(f, diag, &rc);
    assert_null(rules);
    assert_int_equal(rc, CC_EREFUSED);
    assert_true(diag_get(diag, 0, &finding));
    assert_string_equal(diag_code_name(finding.code), diag_code_name(code));
    if (!slice_contains(finding.message, slice_of(part)))
        fail_msg("'%s' is not in '%" PRIslice "'", part, SLICE_ARG(finding.message));
    /* the snapshot is gone, its place is not */
    if (finding.place.source != NULL)
        assert_true(slice_ends(slice_of(finding.place.source->name), SLICE(".yaml")));
    diag_free(&diag);
}

static void test_unusable_key(void **state)
{
    struct fixture f = fixture;
    struct buf private_pem;

    (void)state;
    f.issuers[FIXTURE_EC].pem = SLICE("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----");
    expect_finding(&f, CC4001, "issuer 'ec'");

    buf_init(&private_pem, 1 << 16);
    assert_int_equal(key_write_private(fixture.keys[FIXTURE_EC], &private_pem), CC_OK);
    f.issuers[FIXTURE_EC].pem = buf_slice(&private_pem);
    expect_finding(&f, CC4001, "issuer 'ec'");
    buf_free(&private_pem);
}

static void test_algorithm_that_no_key_takes(void **state)
{
    struct fixture f = fixture;

    (void)state;
    f.issuers[FIXTURE_EC].algorithms = 1u << JWT_RS256 | 1u << JWT_ES384;
    expect_finding(&f, CC4002, "EC P-256");
}

static void test_two_issuers_of_one_name(void **state)
{
    struct fixture f = fixture;
    struct diag *diag = diag_new();
    int rc;

    (void)state;
    f.model.issuers = f.issuers;
    f.issuers[FIXTURE_ED].issuer = f.issuers[FIXTURE_EC].issuer;
    assert_null(fixture_try_rules(&f, diag, &rc));
    assert_int_equal(rc, CC_EREFUSED);
    assert_true(diag_errors(diag) > 0);
    diag_free(&diag);
}

static void test_all_findings_are_told(void **state)
{
    struct fixture f = fixture;
    struct diag *diag = diag_new();
    int rc;

    (void)state;
    f.model.issuers = f.issuers;
    f.issuers[FIXTURE_RSA].algorithms = 1u << JWT_ES256;
    f.issuers[FIXTURE_EC].pem = SLICE("no key");
    assert_null(fixture_try_rules(&f, diag, &rc));
    assert_int_equal(rc, CC_EREFUSED);
    assert_int_equal(diag_errors(diag), 2);
    diag_free(&diag);
}

static void test_references(void **state)
{
    struct enforce_rules *rules = fixture_rules(&fixture), *other = enforce_rules_ref(rules);

    (void)state;
    assert_int_equal(enforce_rules_model(rules)->generation, 7);
    enforce_rules_unref(&rules);
    assert_null(rules);
    assert_int_equal(enforce_rules_model(other)->n_apis, 3); /* ASan would see a freed one */
    enforce_rules_unref(&other);
    enforce_rules_unref(&other);
}

/* Without issuers there is nothing to trust: open resources work, every token is refused. */
static void test_no_issuers(void **state)
{
    struct fixture f = fixture;
    struct enforce_options options = {10, 1 << 16};
    struct enforce_worker *w = NULL;
    struct enforce_rules *rules;
    struct enforce_decision d;
    struct fixture_request request;
    struct clock_fixed clock_at;
    char *token = fixture_sign(&fixture, FIXTURE_ED, JWT_EdDSA,
                               "{\"iss\":\"https://ed\",\"exp\":1700003600}");
    char value[1000];

    (void)state;
    f.model.n_issuers = 0;
    rules = fixture_rules(&f);
    clock_fixed_init(&clock_at, FIXTURE_NOW, 0);
    assert_int_equal(enforce_worker_new(&w, &options), CC_OK);
    snprintf(value, sizeof(value), "Bearer %s", token);
    fixture_request_init(&request, "GET", "h", "/pets/1.0/pets/7");
    fixture_set_header(&request, 0, value, 1);
    enforce_decide(w, rules, NULL, &request.request, &clock_at.clock, &d);
    assert_int_equal(d.status, 401);
    request.request.path = SLICE("/pets/1.0/open");
    enforce_decide(w, rules, NULL, &request.request, &clock_at.clock, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    free(token);
    enforce_worker_free(&w);
    enforce_rules_unref(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unusable_key),
        cmocka_unit_test(test_algorithm_that_no_key_takes),
        cmocka_unit_test(test_two_issuers_of_one_name),
        cmocka_unit_test(test_all_findings_are_told),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_no_issuers),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
