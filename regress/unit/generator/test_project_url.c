/* Endpoint URLs: what is accepted, in which form, and why the rest is not. */
#include "test_project_fixture.h"

#include "generator/project_internal.h"

struct url_case {
    const char *url;
    const char *expect; /* "tls host port path", or the code of the finding */
};

static const struct url_case cases[] = {
    {"http://Backend.Example.com", "0 backend.example.com 80 "},
    {"https://backend.example.com/", "1 backend.example.com 443 "},
    {"HTTPS://backend:8443/v2/", "1 backend 8443 /v2"},
    {"backend:9000/v2", "0 backend 9000 /v2"},
    {"  http://b/v2  ", "0 b 80 /v2"},
    {"http://b/%7euser/%2d", "0 b 80 /~user/-"},
    {"http://127.0.0.1:1", "0 127.0.0.1 1 "},
    {"http://[::1]:8080/a", "0 ::1 8080 /a"},
    {"https://[2001:DB8:0:0::1]", "1 2001:db8::1 443 "},
    {"http://b:65535", "0 b 65535 "},
    {"", "CC2005"},
    {"http://", "CC2005"},
    {"http:///v2", "CC2005"},
    {"/v2", "CC2005"},
    {"ftp://b", "CC2005"},
    {"ws://b", "CC2005"},
    {"http://b:0", "CC2005"},
    {"http://b:65536", "CC2005"},
    {"http://b:", "CC2005"},
    {"http://b:8o80", "CC2005"},
    {"http://b:080", "CC2005"},
    {"http://user:secret@b", "CC2005"},
    {"http://b?x=1", "CC2005"},
    {"http://b/v2?x=1", "CC2005"},
    {"http://b/v2#top", "CC2005"},
    {"http://b/../v2", "CC2005"},
    {"http://b//v2", "CC2005"},
    {"http://b/v2//", "CC2005"},
    {"http://b/%2fv2", "CC2005"},
    {"http://b/a b", "CC2005"},
    {"http://a..b", "CC2005"},
    {"http://.b", "CC2005"},
    {"http://b.", "CC2005"},
    {"http://-b", "CC2005"},
    {"http://b-.c", "CC2005"},
    {"http://a_b", "CC2005"},
    {"http://{host}", "CC2005"},
    {"http://bücher", "CC2005"},
    {"http://1.2.3", "CC2005"},
    {"http://1.2.3.256", "CC2005"},
    {"http://010.0.0.1", "CC2005"},
    {"http://[::1", "CC2005"},
    {"http://[::1]8080", "CC2005"},
    {"http://[fe80::1%25eth0]", "CC2005"},
    {"http://[127.0.0.1]", "CC2005"},
    {"http://[]", "CC2005"},
    {"http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "CC2005"},
    {"http://b\nserver evil 1.2.3.4", "CC1205"},
    {"http://b/\x7f", "CC1205"},
    {"consul(web, http://b)", "CC1204"},
};

static void test_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(1 << 20);
        struct diag *diag = diag_new();
        struct project_build build = {.arena = arena, .diag = diag};
        struct project p = {.build = &build};
        struct gw_endpoint e;
        struct diag_view v;
        char got[512];

        if (project_parse_url(&p, slice_of(cases[i].url), PLACE_NONE, &e)) {
            assert_int_equal(diag_errors(diag), 0);
            snprintf(got, sizeof(got), "%d %.*s %u %.*s", e.tls, SLICE_ARG(e.host), e.port,
                     SLICE_ARG(e.path));
        } else {
            assert_true(diag_get(diag, 0, &v));
            assert_false(diag_get(diag, 1, &v));
            snprintf(got, sizeof(got), "%s", diag_code_name(v.code));
        }
        if (strcmp(got, cases[i].expect) != 0)
            print_error("%s\n", cases[i].url);
        assert_string_equal(got, cases[i].expect);
        diag_free(&diag);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_urls)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
