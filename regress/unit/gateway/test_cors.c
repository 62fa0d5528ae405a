/* Unit tests of gateway/cors.h: which origins a policy allows. */
#include "gateway/cors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* An exact copy, so that ASan sees one byte more. */
static bool allows(const struct gw_cors *cors, const char *origin)
{
    size_t n = strlen(origin);
    char *copy = malloc(n + (n == 0));
    bool result;

    assert_non_null(copy);
    memcpy(copy, origin, n);
    result = gw_cors_allows(cors, slice_make(copy, n));
    free(copy);
    return result;
}

struct origin_case {
    const char *origin;
    bool allowed;
};

static void expect(const struct gw_cors *cors, const struct origin_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (allows(cors, cases[i].origin) != cases[i].allowed)
            fail_msg("\"%s\" is %s", cases[i].origin, cases[i].allowed ? "refused" : "allowed");
    }
}

static void listed_origins_are_compared_exactly(void **state)
{
    static const struct slice origins[] = {SLICE_INIT("capacitor://localhost"),
                                           SLICE_INIT("http://localhost:3000"),
                                           SLICE_INIT("https://[2001:db8::1]"),
                                           SLICE_INIT("https://a.example"),
                                           SLICE_INIT("https://b.example"),
                                           SLICE_INIT("null"),
                                           SLICE_INIT("test.com")};
    static const struct gw_cors cors = {.origins = origins, .n_origins = N(origins)};
    static const struct origin_case cases[] = {{"capacitor://localhost", true},
                                               {"http://localhost:3000", true},
                                               {"https://[2001:db8::1]", true},
                                               {"https://a.example", true},
                                               {"https://b.example", true},
                                               {"null", true},
                                               {"test.com", true},
                                               {"", false},
                                               {"https://a.example/", false},
                                               {"https://a.example:443", false},
                                               {"https://a.exampl", false},
                                               {"https://a.examples", false},
                                               {"http://a.example", false},
                                               {"https://x.a.example", false},
                                               {"https://A.example", false},
                                               {" https://a.example", false},
                                               {"https://a.example, x", false},
                                               {"NULL", false},
                                               {"https://", false},
                                               {"http://localhost", false},
                                               {"http://localhost:3001", false},
                                               {"zzz", false}};

    (void)state;
    for (size_t i = 1; i < N(origins); i++)
        assert_true(slice_cmp(origins[i - 1], origins[i]) < 0);
    expect(&cors, cases, N(cases));
}

static void any_origin_is_any_sane_one(void **state)
{
    static const struct gw_cors cors = {.any_origin = true};
    static const struct origin_case cases[] = {
        {"https://a.example", true},
        {"null", true},
        {"chrome-extension://abcdef", true},
        {"file://", true},
        {"x", true},
        {"", false},
        {"https://a.example\r\nx: y", false},
        {"https://a.example\x01", false},
        {"https://a b", false},
        {"https://a.example, https://b.example", false},
        {"https://user@a.example", false},
        {"https://a.example/path", false},
        {"https://a.example?x", false},
        {"https://a\"b", false},
        {"https://a;b", false},
        {"https://\xc3\xa4.example", false},
        {"://a", false},
    };
    char longest[GW_ORIGIN_MAX + 2];

    (void)state;
    expect(&cors, cases, N(cases));
    assert_false(gw_cors_allows(&cors, SLICE_NONE));
    memset(longest, 'a', sizeof(longest));
    longest[GW_ORIGIN_MAX + 1] = '\0';
    assert_false(allows(&cors, longest));
    longest[GW_ORIGIN_MAX] = '\0';
    assert_true(allows(&cors, longest));
}

static void wildcards_stand_for_labels(void **state)
{
    static const struct slice patterns[] = {SLICE_INIT("http://*.dev.example:8080"),
                                            SLICE_INIT("https://*.example.com")};
    static const struct gw_cors cors = {.patterns = patterns, .n_patterns = N(patterns)};
    static const struct origin_case cases[] = {
        {"https://a.example.com", true},
        {"https://a.b.c-d.example.com", true},
        {"https://a_b.example.com", true},
        {"https://xn--4ca.example.com", true},
        {"http://a.dev.example:8080", true},
        {"https://example.com", false},
        {"https://.example.com", false},
        {"https://a..example.com", false},
        {"https://.a.example.com", false},
        {"https://a..b.example.com", false},
        {"https://aexample.com", false},
        {"http://a.example.com", false},
        {"https://a.example.com:8443", false},
        {"https://a.example.com.evil.test", false},
        {"https://evil.test/.example.com", false},
        {"https://evil.test:1.example.com", false},
        {"https://evil.test%2f.example.com", false},
        {"https://[.example.com", false},
        {"https://a.example.co", false},
        {"xhttps://a.example.com", false},
        {"http://dev.example:8080", false},
        {"http://a.dev.example", false},
        {"http://a.dev.example:80801", false},
        {"https://*.example.com", false},
    };

    (void)state;
    expect(&cors, cases, N(cases));
}

static void nothing_listed_allows_nothing(void **state)
{
    static const struct gw_cors cors = {.credentials = true};

    (void)state;
    assert_false(allows(&cors, "https://a.example"));
    assert_false(allows(&cors, "null"));
    assert_false(allows(&cors, ""));
}

static void origins_have_one_form(void **state)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"HTTPS://Shop.Example:443", "https://shop.example"},
        {"http://a:80", "http://a"},
        {"http://a:443", "http://a:443"},
        {"https://a:80", "https://a:80"},
        {"https://a:8443", "https://a:8443"},
        {"ftp://a:80", "ftp://a:80"},
        {"https://*.A:443", "https://*.a"},
        {"", ""},
        {"null", "null"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        char room[64];
        struct slice out = gw_origin_normalize(slice_of(cases[i].from), room);

        if (!slice_is(out, cases[i].to))
            fail_msg("%s: %.*s", cases[i].from, SLICE_ARG(out));
    }
}

static void faults_are_told(void **state)
{
    static const struct {
        const char *text, *origin, *pattern; /* parts of the faults; NULL: usable */
    } cases[] = {
        {"https://a.example", NULL, "wildcard"},
        {"", "empty", "wildcard"},
        {"test.com", NULL, "wildcard"},
        {"https://a.example/", NULL, "wildcard"},
        {"https://A", "lower case", "wildcard"},
        {"https://a b", "space", "wildcard"},
        {"https://a\n", "control", "wildcard"},
        {"https://\xc3\xa4", "not ASCII", "wildcard"},
        {"*", "wildcard", "wildcard"},
        {"https://*", "wildcard", "wildcard"},
        {"*.example.com", "wildcard", "wildcard"},
        {"https://*example.com", "wildcard", "wildcard"},
        {"https://a.*.example.com", "wildcard", "wildcard"},
        {"http*://a.example.com", "wildcard", "wildcard"},
        {"https://*.*.example.com", "wildcard", "wildcard"},
        {"https://a.example.com:*", "wildcard", "wildcard"},
        {"https://*.example.com:*", "wildcard", "port"},
        {"https://*.example.com:0", "wildcard", "port"},
        {"https://*.example.com:65536", "wildcard", "port"},
        {"https://*.", "wildcard", "there must be a name"},
        {"https://*.example.com.", "wildcard", "there must be a name"},
        {"https://*..com", "wildcard", "there must be a name"},
        {"https://*.example.com/", "wildcard", "there must be a name"},
        {"https://*.Example.com", "wildcard", "lower case"},
        {"https://*.example.com", "wildcard", NULL},
        {"https://*.example.com:8443", "wildcard", NULL},
        {"https://*.localhost", "wildcard", NULL},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        const char *origin = gw_origin_fault(slice_of(cases[i].text));
        const char *pattern = gw_origin_pattern_fault(slice_of(cases[i].text));

        if ((origin == NULL) != (cases[i].origin == NULL) ||
            (origin != NULL && strstr(origin, cases[i].origin) == NULL))
            fail_msg("as origin \"%s\": %s", cases[i].text, origin ? origin : "usable");
        if ((pattern == NULL) != (cases[i].pattern == NULL) ||
            (pattern != NULL && strstr(pattern, cases[i].pattern) == NULL))
            fail_msg("as pattern \"%s\": %s", cases[i].text, pattern ? pattern : "usable");
    }
}

static void each_part_makes_another_policy(void **state)
{
    static const struct slice a[] = {SLICE_INIT("https://a")}, b[] = {SLICE_INIT("https://b")};
    static const struct gw_cors cors[] = {
        {.any_origin = false},
        {.any_origin = true},
        {.credentials = true},
        {.origins = a, .n_origins = 1},
        {.origins = b, .n_origins = 1},
        {.patterns = a, .n_patterns = 1},
        {.patterns = b, .n_patterns = 1},
        {.methods = SLICE_INIT("GET")},
        {.headers = SLICE_INIT("GET")},
        {.expose = SLICE_INIT("GET")},
    };

    (void)state;
    for (size_t i = 0; i < N(cors); i++) {
        for (size_t k = 0; k < N(cors); k++) {
            int order = gw_cors_cmp(&cors[i], &cors[k]), back = gw_cors_cmp(&cors[k], &cors[i]);

            assert_int_equal(order == 0, i == k);
            assert_true((order < 0 && back > 0) || (order > 0 && back < 0) || i == k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_origins_are_compared_exactly),
        cmocka_unit_test(any_origin_is_any_sane_one),
        cmocka_unit_test(wildcards_stand_for_labels),
        cmocka_unit_test(nothing_listed_allows_nothing),
        cmocka_unit_test(origins_have_one_form),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(each_part_makes_another_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
