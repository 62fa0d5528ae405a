/* Requests as people write them, times, and what HAProxy removes before the agent is asked. */
#include "generator/explain_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct explain_request r;

static void urls(void **state)
{
    static const struct {
        const char *url, *host, *path, *query;
    } rows[] = {
        {"http://h/a?b=c?d#e", "h", "/a", "b=c?d"},
        {"HTTPS://Api.Example.com:8443", "Api.Example.com:8443", "/", ""},
        {"http://h?q", "h", "/", "q"},
        {"http://[::1]:80/#x", "[::1]:80", "/", ""},
        {"/a//b?c#d", "", "/a//b", "c"},
        {"*", "", "*", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(explain_request_init(&r, SLICE("GET"), slice_of(rows[i].url)));
        assert_true(slice_is(r.host, rows[i].host));
        assert_true(slice_is(r.path, rows[i].path));
        assert_true(slice_is(r.query, rows[i].query));
    }
}

static void refused_urls(void **state)
{
    static const char *const rows[] = {"",           "localhost/a",  "ftp://h/a", "http:///a",
                                       "http://u@h", "http://h/a b", "/a\nb"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_non_null(explain_request_init(&r, SLICE("GET"), slice_of(rows[i])));
    assert_non_null(explain_request_init(&r, SLICE(""), SLICE("/")));
    assert_non_null(explain_request_init(&r, SLICE("A B"), SLICE("/")));
}

static void lines(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct buf many;

    (void)state;
    assert_null(explain_request_line(
        &r, SLICE("PUT http://url/x\tX-Token:  a b \tHost: header\tx-token:"), arena));
    assert_true(slice_is(r.method, "PUT"));
    assert_true(slice_is(r.host, "header")); /* as with curl: the header counts */
    assert_int_equal(r.n_headers, 3);
    assert_true(slice_is(r.headers[0].name, "x-token"));
    assert_true(slice_is(r.headers[0].value, "a b"));
    assert_int_equal(r.headers[2].value.n, 0);

    assert_non_null(explain_request_line(&r, SLICE("GET"), arena));
    assert_non_null(explain_request_line(&r, SLICE("GET /x"), arena));
    assert_non_null(explain_request_line(&r, SLICE("GET /x\tHost: a\thost: b"), arena));
    assert_non_null(explain_request_line(&r, SLICE("GET /x\tHost: a\tno colon"), arena));
    assert_non_null(explain_request_line(&r, SLICE("GET /x\tHost: a\tbad name: b"), arena));
    assert_non_null(explain_request_line(&r, SLICE("GET /x\tHost: a\t: b"), arena));
    assert_non_null(explain_request_line(&r, SLICE("GET /x\tHost: a\tb: \x01"), arena));

    buf_init(&many, 1 << 20);
    buf_add_str(&many, "GET /x\tHost: a");
    for (int i = 1; i < EXPLAIN_MAX_HEADERS; i++)
        buf_add_str(&many, "\ta: b");
    assert_null(explain_request_line(&r, buf_slice(&many), arena));
    buf_add_str(&many, "\ta: b");
    assert_non_null(explain_request_line(&r, buf_slice(&many), arena));
    while (many.n <= EXPLAIN_MAX_BYTES)
        buf_add_str(&many, "x");
    assert_non_null(explain_request_line(&r, buf_slice(&many), arena));
    buf_free(&many);
    arena_free(&arena);
}

static void headers_for_the_agent(void **state)
{
    static const struct slice asked[] = {SLICE_INIT("authorization"), SLICE_INIT("x-jwt-key"),
                                         SLICE_INIT("x-token")};
    const struct gw_model model = {.headers = asked, .n_headers = 3};
    struct enforce_header out[3];
    struct arena *arena = arena_new(1 << 20);

    (void)state;
    assert_null(explain_request_line(
        &r, SLICE("GET http://h/\tx-token: 1\tAuthorization: 2\tX-TOKEN: 3\tother: 4"), arena));
    assert_int_equal(explain_request_headers(&r, &model, out).n, 0);
    assert_true(slice_is(out[0].value, "2"));
    assert_int_equal(out[0].count, 1);
    assert_int_equal(out[1].count, 0);
    assert_true(slice_is(out[2].value, "1")); /* the first of two */
    assert_int_equal(out[2].count, 2);

    assert_null(explain_request_line(&r, SLICE("GET http://h/\tX-JWT-Key: 1"), arena));
    assert_true(slice_is(explain_request_headers(&r, &model, out), "x-jwt-key"));
    assert_int_equal(out[1].count, 0);
    arena_free(&arena);
}

static bool template_removes(struct slice line)
{
    struct slice rest = slice_trim(line), word, name;

    if (!slice_starts(rest, SLICE("http-request del-header ")))
        return false;
    rest = slice_from(rest, strlen("http-request del-header "));
    slice_split(&rest, ' ', &name);
    if (slice_starts(name,
                     SLICE("{{"))) /* a setting says which: it holds a certificate, or the JWT */
        return false;
    if (!explain_is_removed(name))
        fail_msg("HAProxy removes %.*s, explain does not", SLICE_ARG(name));
    if (rest.p != NULL) {
        char longer[128];

        assert_true(slice_split(&rest, ' ', &word) && slice_is(word, "-m"));
        assert_true(slice_is(rest, "beg"));
        snprintf(longer, sizeof(longer), "%.*s-y", SLICE_ARG(name));
        assert_true(explain_is_removed(slice_of(longer)));
    }
    return true;
}

/* The frontend's rules before the question to the agent, and explain's list, are the same. */
static void the_template_removes_the_same(void **state)
{
    const char *top = getenv("CC_TEST_TOP");
    struct arena *arena = arena_new(1 << 20);
    struct slice text, line;
    char path[4096];
    bool in_frontend = false;
    int removed = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/haproxy-templates/cc.cfg.tmpl", top != NULL ? top : ".");
    assert_int_equal(file_read(arena, path, 1 << 19, &text), CC_OK);
    while (slice_split(&text, '\n', &line)) {
        if (slice_starts(line, SLICE("frontend cc_gateway")))
            in_frontend = true;
        if (slice_starts(slice_trim(line), SLICE("http-request send-spoe-group")))
            break;
        removed += in_frontend && template_removes(line);
    }
    assert_true(text.p != NULL); /* the question was found */
    assert_int_equal(removed, 16);
    assert_false(explain_is_removed(SLICE("authorization")));
    assert_false(explain_is_removed(SLICE("forwarded-by")));
    arena_free(&arena);
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *usual; /* NULL: none */
    } cases[] = {
        {"192.0.2.7", "192.0.2.7"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"::ffff:192.0.2.7", "::ffff:192.0.2.7"},
        {"", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.7:80", NULL},
        {"[::1]", NULL},
        {"fe80::1%eth0", NULL},
        {"localhost", NULL},
        {"1.2.3.4\n", NULL},
        {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL},
    };
    struct arena *arena = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice ip = SLICE_NONE;
        int rc = explain_ip(slice_of(cases[i].text), arena, &ip);

        assert_int_equal(rc, cases[i].usual != NULL ? CC_OK : CC_EPARSE);
        if (cases[i].usual != NULL)
            assert_true(slice_is(ip, cases[i].usual));
    }
    arena_free(&arena);
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t at_s;
    } good[] = {
        {"0", 0},
        {"1700000000", 1700000000},
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14t22:13:20.999z", 1700000000},
        {"2023-11-15 00:13:20+02:00", 1700000000},
        {"2023-11-14T16:43:20-05:30", 1700000000},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2016-12-31T23:59:60Z", 1483228800},
    };
    static const char *const bad[] = {"",
                                      "-1",
                                      "253402300800",
                                      "2023-11-14",
                                      "2023-11-14T22:13:20",
                                      "2023-02-30T00:00:00Z",
                                      "x",
                                      "2023-13-01T00:00:00Z",
                                      "2023-11-14T24:00:00Z",
                                      "2023-11-14T22:13:20.Z",
                                      "2023-11-14T22:13:20Zx",
                                      "2023-11-14T22:13:20+0200",
                                      "1969-12-31T23:59:59Z",
                                      "1970-01-01T00:00:00+01:00"};
    int64_t at_s;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(explain_time(slice_of(good[i].text), &at_s), CC_OK);
        assert_int_equal(at_s, good[i].at_s);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (explain_time(slice_of(bad[i]), &at_s) == CC_OK)
            fail_msg("'%s' is no time", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(refused_urls),
        cmocka_unit_test(lines),
        cmocka_unit_test(headers_for_the_agent),
        cmocka_unit_test(the_template_removes_the_same),
        cmocka_unit_test(addresses),
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
