/* Unit tests of path.h: the normal form of paths and hosts, usable base paths and templates. */
#include "gateway/gateway.h"
#include "gateway/path.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct path_case {
    struct slice raw;
    enum gw_path_fault fault;
    struct slice normal; /* absent: the same as raw */
};

#define SAME(text)                    \
    {                                 \
        SLICE_INIT(text), GW_PATH_OK, \
        {                             \
            NULL, 0                   \
        }                             \
    }
#define GIVES(text, normal)                              \
    {                                                    \
        SLICE_INIT(text), GW_PATH_OK, SLICE_INIT(normal) \
    }
#define REFUSED(text, fault)     \
    {                            \
        SLICE_INIT(text), fault, \
        {                        \
            NULL, 0              \
        }                        \
    }

static const struct path_case path_cases[] = {
    /* normal already */
    SAME("/"),
    SAME("/a"),
    SAME("/a/"),
    SAME("/pets/1/orders"),
    SAME("/PETS/Fido"),
    SAME("/petstore/1.0.0/pets"),
    SAME("/a-b_c.d~e"),
    SAME("/!$&'()*+,="),
    SAME("/:@/a:b/@me"),
    SAME("/..."),
    SAME("/a/.../b"),
    SAME("/.well-known/jwks.json"),
    SAME("/..a"),
    SAME("/a.."),
    SAME("/a../b"),
    SAME("/.a/..b/c."),
    SAME("/a/.b"),
    SAME("/%20"),
    SAME("/caf%C3%A9"),
    SAME("/%3B"),
    SAME("/a%3Bb=c"),
    SAME("/%25"),
    SAME("/100%25"),
    SAME("/%FF"),
    SAME("/%80"),
    SAME("/%23%3F"),
    SAME("/%7B%7D"),
    /* escapes of unreserved characters are decoded, the others get upper-case digits */
    GIVES("/%61", "/a"),
    GIVES("/%41%5a%5A", "/AZZ"),
    GIVES("/%30%39", "/09"),
    GIVES("/%2d%5f%7e", "/-_~"),
    GIVES("/a%2eb", "/a.b"),
    GIVES("/%2e%2e%2e", "/..."),
    GIVES("/%2E%2Ea", "/..a"),
    GIVES("/caf%c3%a9", "/caf%C3%A9"),
    GIVES("/%3b", "/%3B"),
    GIVES("/%2a", "/%2A"),
    GIVES("/%2b%40%3a", "/%2B%40%3A"),
    GIVES("/%70ets/%7e/", "/pets/~/"),
    /* nothing is decoded twice */
    SAME("/%2561"),
    GIVES("/%252f", "/%252f"),
    GIVES("/%252e%252e", "/%252e%252e"),
    GIVES("/%2525", "/%2525"),
    GIVES("/%25%36%31", "/%2561"),
    /* dot segments, in every spelling */
    REFUSED("/.", GW_PATH_DOT_SEGMENT),
    REFUSED("/..", GW_PATH_DOT_SEGMENT),
    REFUSED("/./", GW_PATH_DOT_SEGMENT),
    REFUSED("/../", GW_PATH_DOT_SEGMENT),
    REFUSED("/a/./b", GW_PATH_DOT_SEGMENT),
    REFUSED("/a/../b", GW_PATH_DOT_SEGMENT),
    REFUSED("/a/..", GW_PATH_DOT_SEGMENT),
    REFUSED("/a/.", GW_PATH_DOT_SEGMENT),
    REFUSED("/%2e", GW_PATH_DOT_SEGMENT),
    REFUSED("/%2e%2e", GW_PATH_DOT_SEGMENT),
    REFUSED("/%2E%2e/", GW_PATH_DOT_SEGMENT),
    REFUSED("/.%2e", GW_PATH_DOT_SEGMENT),
    REFUSED("/%2e.", GW_PATH_DOT_SEGMENT),
    REFUSED("/a/%2e%2e/%2e%2e/b", GW_PATH_DOT_SEGMENT),
    REFUSED("/a/.%2E/b", GW_PATH_DOT_SEGMENT),
    /* empty segments; a trailing slash is none */
    REFUSED("//", GW_PATH_EMPTY_SEGMENT),
    REFUSED("//a", GW_PATH_EMPTY_SEGMENT),
    REFUSED("/a//b", GW_PATH_EMPTY_SEGMENT),
    REFUSED("/a//", GW_PATH_EMPTY_SEGMENT),
    REFUSED("///", GW_PATH_EMPTY_SEGMENT),
    REFUSED("/%61//", GW_PATH_EMPTY_SEGMENT),
    /* what a backend could take for a separator */
    REFUSED("/a%2fb", GW_PATH_ENCODED_SEPARATOR),
    REFUSED("/a%2Fb", GW_PATH_ENCODED_SEPARATOR),
    REFUSED("/..%2f", GW_PATH_ENCODED_SEPARATOR),
    REFUSED("/a%5cb", GW_PATH_ENCODED_SEPARATOR),
    REFUSED("/a%5Cb", GW_PATH_ENCODED_SEPARATOR),
    REFUSED("/a\\b", GW_PATH_ENCODED_SEPARATOR),
    REFUSED("/..\\", GW_PATH_ENCODED_SEPARATOR),
    /* control characters */
    REFUSED("/a\0b", GW_PATH_CONTROL),
    REFUSED("/%00", GW_PATH_CONTROL),
    REFUSED("/a%0d%0ab", GW_PATH_CONTROL),
    REFUSED("/%1f", GW_PATH_CONTROL),
    REFUSED("/%1F", GW_PATH_CONTROL),
    REFUSED("/%7f", GW_PATH_CONTROL),
    REFUSED("/\x7f", GW_PATH_CONTROL),
    REFUSED("/a\tb", GW_PATH_CONTROL),
    REFUSED("/a\nb", GW_PATH_CONTROL),
    /* parameters */
    REFUSED("/;", GW_PATH_PARAMETER),
    REFUSED("/%c0%af", GW_PATH_OVERLONG),
    REFUSED("/a%C1%9Cb", GW_PATH_OVERLONG),
    REFUSED("/%e0%80%af", GW_PATH_OVERLONG),
    REFUSED("/%E0%9F%BF", GW_PATH_OVERLONG),
    REFUSED("/%f0%80%80%af", GW_PATH_OVERLONG),
    REFUSED("/%F0%8f%bf%bf", GW_PATH_OVERLONG),
    REFUSED("/a;jsessionid=1", GW_PATH_PARAMETER),
    REFUSED("/..;/a", GW_PATH_PARAMETER),
    /* broken escapes */
    REFUSED("/%", GW_PATH_BAD_ESCAPE),
    REFUSED("/%4", GW_PATH_BAD_ESCAPE),
    REFUSED("/a%", GW_PATH_BAD_ESCAPE),
    REFUSED("/%zz", GW_PATH_BAD_ESCAPE),
    REFUSED("/%4g", GW_PATH_BAD_ESCAPE),
    REFUSED("/%g4", GW_PATH_BAD_ESCAPE),
    REFUSED("/%%41", GW_PATH_BAD_ESCAPE),
    REFUSED("/%u0041", GW_PATH_BAD_ESCAPE),
    REFUSED("/%+1", GW_PATH_BAD_ESCAPE),
    REFUSED("/%-1a", GW_PATH_BAD_ESCAPE),
    /* characters that must be escaped */
    REFUSED("/a b", GW_PATH_BAD_CHARACTER),
    REFUSED("/a#b", GW_PATH_BAD_CHARACTER),
    REFUSED("/a?b", GW_PATH_BAD_CHARACTER),
    REFUSED("/\"", GW_PATH_BAD_CHARACTER),
    REFUSED("/<x>", GW_PATH_BAD_CHARACTER),
    REFUSED("/[1]", GW_PATH_BAD_CHARACTER),
    REFUSED("/{id}", GW_PATH_BAD_CHARACTER),
    REFUSED("/a|b", GW_PATH_BAD_CHARACTER),
    REFUSED("/^", GW_PATH_BAD_CHARACTER),
    REFUSED("/`", GW_PATH_BAD_CHARACTER),
    REFUSED("/caf\xc3\xa9", GW_PATH_BAD_CHARACTER),
    REFUSED("/\x80", GW_PATH_BAD_CHARACTER),
    REFUSED("/\xff", GW_PATH_BAD_CHARACTER),
    REFUSED("/\xc0\xaf", GW_PATH_BAD_CHARACTER),
    /* not absolute */
    REFUSED("", GW_PATH_NOT_ABSOLUTE),
    REFUSED("a", GW_PATH_NOT_ABSOLUTE),
    REFUSED("*", GW_PATH_NOT_ABSOLUTE),
    REFUSED("%2f", GW_PATH_NOT_ABSOLUTE),
    REFUSED("http://x/", GW_PATH_NOT_ABSOLUTE),
    /* the first fault counts */
    REFUSED("/a;/../", GW_PATH_PARAMETER),
    REFUSED("/../;", GW_PATH_DOT_SEGMENT),
};

/* Normalises a copy with exactly as much room as promised, so that ASan sees one byte more. */
static enum gw_path_fault normalize(struct slice raw, char **room, struct slice *out)
{
    char *copy = malloc(raw.n + (raw.n == 0));
    enum gw_path_fault fault;

    *room = malloc(raw.n + (raw.n == 0));
    assert_non_null(copy);
    assert_non_null(*room);
    memcpy(copy, raw.p, raw.n);
    fault = gw_path_normalize(slice_make(copy, raw.n), *room, out);
    if (out->p == copy) { /* normal already: let the caller look at `raw` itself */
        assert_int_equal(out->n, raw.n);
        out->p = raw.p;
    }
    free(copy);
    return fault;
}

static void paths_get_their_normal_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(path_cases); i++) {
        const struct path_case *c = &path_cases[i];
        struct slice want = c->normal.p != NULL ? c->normal : c->raw;
        struct slice out;
        enum gw_path_fault fault;
        char *room;

        fault = normalize(c->raw, &room, &out);
        if (fault != c->fault || (fault == GW_PATH_OK && !slice_eq(out, want)))
            fail_msg("\"%.*s\": fault \"%s\", normal form \"%.*s\"", SLICE_ARG(c->raw),
                     gw_path_fault_text(fault), SLICE_ARG(out));
        if (fault == GW_PATH_OK && slice_eq(c->raw, want))
            assert_ptr_equal(out.p, c->raw.p); /* not copied */
        free(room);
    }
}

static void normal_forms_are_stable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(path_cases); i++) {
        struct slice once, twice;
        char *room, *room_again;

        if (normalize(path_cases[i].raw, &room, &once) == GW_PATH_OK) {
            assert_int_equal(normalize(once, &room_again, &twice), GW_PATH_OK);
            assert_true(slice_eq(once, twice));
            free(room_again);
        }
        free(room);
    }
}

/* "/a/a/a...": segments of one letter. */
static struct slice many_segments(char *text, size_t segments)
{
    for (size_t i = 0; i < segments; i++)
        memcpy(text + 2 * i, "/a", 2);
    return slice_make(text, 2 * segments);
}

static void paths_are_bounded(void **state)
{
    static char text[GW_PATH_MAX + 1];
    struct slice out;
    char *room;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    assert_int_equal(normalize(slice_make(text, GW_PATH_MAX), &room, &out), GW_PATH_OK);
    assert_ptr_equal(out.p, text);
    free(room);
    assert_int_equal(normalize(slice_make(text, GW_PATH_MAX + 1), &room, &out), GW_PATH_TOO_LONG);
    free(room);
    assert_int_equal(normalize(many_segments(text, GW_PATH_MAX_SEGMENTS), &room, &out), GW_PATH_OK);
    free(room);
    assert_int_equal(normalize(many_segments(text, GW_PATH_MAX_SEGMENTS + 1), &room, &out),
                     GW_PATH_TOO_LONG);
    free(room);
}

/* Every byte, raw and escaped, is either refused or becomes what the header promises. */
static void each_byte_has_a_rule(void **state)
{
    static const char pchar[] = "-._~!$&'()*+,=:@/";

    (void)state;
    for (int b = 0; b < 256; b++) {
        const char c = (char)b;
        bool word = ascii_is_alpha(c) || ascii_is_digit(c);
        bool unreserved = word || (c != '\0' && strchr("-._~", c) != NULL);
        bool separator = c == '/' || c == '\\';
        char raw[4] = {'/', 'x', c, 'x'}, escaped[16], room[8];
        struct slice out;
        enum gw_path_fault fault = gw_path_normalize(slice_make(raw, 4), room, &out);

        assert_int_equal(fault == GW_PATH_OK, word || (c != '\0' && strchr(pchar, c) != NULL));
        snprintf(escaped, sizeof(escaped), "/x%%%02X", (unsigned)b);
        fault = gw_path_normalize(slice_make(escaped, 5), room, &out);
        assert_int_equal(fault == GW_PATH_OK, !separator && !ascii_is_control(c));
        if (fault == GW_PATH_OK)
            assert_int_equal(out.n, unreserved ? 3 : 5);
    }
}

static void faults_have_texts(void **state)
{
    (void)state;
    assert_string_equal(gw_path_fault_text(GW_PATH_OK), "");
    assert_string_equal(gw_path_fault_text(GW_PATH_PARAMETER), "the path has a ';' parameter");
}

static void hosts_get_their_normal_form(void **state)
{
    static const struct {
        struct slice raw;
        const char *normal; /* NULL: refused */
    } cases[] = {
        {SLICE_INIT("example.com"), "example.com"},
        {SLICE_INIT("EXAMPLE.Com"), "example.com"},
        {SLICE_INIT("example.com:8080"), "example.com"},
        {SLICE_INIT("example.com:"), "example.com"},
        {SLICE_INIT("example.com."), "example.com"},
        {SLICE_INIT("example.com.:443"), "example.com"},
        {SLICE_INIT("localhost"), "localhost"},
        {SLICE_INIT("a_b-c.internal"), "a_b-c.internal"},
        {SLICE_INIT("10.0.0.1:80"), "10.0.0.1"},
        {SLICE_INIT("[::1]"), "::1"},
        {SLICE_INIT("[::1]:9090"), "::1"},
        {SLICE_INIT("[2001:DB8:0:0::1]"), "2001:db8::1"},
        {SLICE_INIT("[::ffff:1.2.3.4]"), "::ffff:1.2.3.4"},
        {SLICE_INIT(""), NULL},
        {SLICE_INIT("."), NULL},
        {SLICE_INIT(":80"), NULL},
        {SLICE_INIT(".example.com"), NULL},
        {SLICE_INIT("example..com"), NULL},
        {SLICE_INIT("example.com.."), NULL},
        {SLICE_INIT("example.com:65536"), NULL},
        {SLICE_INIT("example.com:8x"), NULL},
        {SLICE_INIT("example.com:000080"), NULL},
        {SLICE_INIT("a:80:80"), NULL},
        {SLICE_INIT("user@example.com"), NULL},
        {SLICE_INIT("example.com/x"), NULL},
        {SLICE_INIT("exa mple.com"), NULL},
        {SLICE_INIT("ex\0ample.com"), NULL},
        {SLICE_INIT("caf\xc3\xa9.com"), NULL},
        {SLICE_INIT("%65xample.com"), NULL},
        {SLICE_INIT("*.example.com"), NULL},
        {SLICE_INIT("::1"), NULL},
        {SLICE_INIT("[::1"), NULL},
        {SLICE_INIT("[]"), NULL},
        {SLICE_INIT("[::1]x"), NULL},
        {SLICE_INIT("[::1%25eth0]"), NULL},
        {SLICE_INIT("[::1\0]"), NULL},
        {SLICE_INIT("[example.com]"), NULL},
        {SLICE_INIT("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"), NULL},
    };
    char room[GW_HOST_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice out;
        bool ok = gw_host_normalize(cases[i].raw, room, &out);

        if (ok != (cases[i].normal != NULL) || (ok && !slice_is(out, cases[i].normal)))
            fail_msg("\"%.*s\" gives \"%.*s\"", SLICE_ARG(cases[i].raw), SLICE_ARG(out));
    }
}

static void hosts_are_bounded(void **state)
{
    char text[GW_HOST_MAX + 8], room[GW_HOST_MAX];
    struct slice out;

    (void)state;
    memset(text, 'A', sizeof(text));
    assert_true(gw_host_normalize(slice_make(text, GW_HOST_MAX), room, &out));
    assert_int_equal(out.n, GW_HOST_MAX);
    assert_false(gw_host_normalize(slice_make(text, GW_HOST_MAX + 1), room, &out));
    memcpy(text + GW_HOST_MAX, ".:8080", 6); /* these do not count */
    assert_true(gw_host_normalize(slice_make(text, GW_HOST_MAX + 6), room, &out));
}

struct fault_case {
    const char *text;
    const char *says; /* part of the message; NULL: usable */
};

static void check_faults(const struct fault_case *cases, size_t n,
                         const char *(*fault)(struct slice))
{
    for (size_t i = 0; i < n; i++) {
        const char *said = fault(slice_of(cases[i].text));

        if ((said == NULL) != (cases[i].says == NULL) ||
            (said != NULL && strstr(said, cases[i].says) == NULL))
            fail_msg("\"%s\": %s", cases[i].text, said != NULL ? said : "usable");
    }
}

static void base_paths_are_checked(void **state)
{
    static const struct fault_case cases[] = {
        {"", NULL},
        {"/petstore/1.0.0", NULL},
        {"/a~b_c-d.e", NULL},
        {"/", "ends with '/'"},
        {"/a/", "ends with '/'"},
        {"a", "begin with '/'"},
        {"/a//b", "empty segment"},
        {"/a/../b", "'..' segment"},
        {"/a b", "other than letters"},
        {"/{version}", "other than letters"},
        {"/%41", "other than letters"},
        {"/(a+)+$", "other than letters"},
        {"/a\nb", "other than letters"},
    };

    (void)state;
    check_faults(cases, ARRAY_SIZE(cases), gw_base_path_fault);
}

static void templates_are_checked(void **state)
{
    static const struct fault_case cases[] = {
        {"/", NULL},
        {"/*", NULL},
        {"/pets/{id}", NULL},
        {"/pets/{id}/", NULL},
        {"/pets/*", NULL},
        {"/pets/{id}/*", NULL},
        {"/pets/{id}.json", NULL},
        {"/pets/pet{id}", NULL},
        {"/{a}-{b}", NULL},
        {"/{a}{b}", NULL},
        {"/{lat},{lon}:search", NULL},
        {"/compare/{base}...{head}", NULL},
        {"/.{ext}", NULL},
        {"/{filter[name]}", NULL},
        {"/caf%C3%A9", NULL},
        {"", "begin with '/'"},
        {"pets", "begin with '/'"},
        {"*", "final \"/*\""},
        {"/*/a", "final \"/*\""},
        {"/a*", "final \"/*\""},
        {"/a//*", "empty segment"},
        {"//*", "empty segment"},
        {"/a//b", "empty segment"},
        {"/{a}//{b}", "empty segment"},
        {"/a/../b", "'..' segment"},
        {"/.", "'..' segment"},
        {"/{}", "no name"},
        {"/{a", "not closed"},
        {"/{a/b}", "not closed before"},
        {"/{a{b}}", "inside a parameter"},
        {"/a}", "closes nothing"},
        {"/{path+}", "operators"},
        {"/{path*}", "operators"},
        {"/{+path}", "operators"},
        {"/{/path}", "operators"},
        {"/{?q}", "operators"},
        {"/a?b={c}", "query"},
        {"/a#b", "fragment"},
        {"/a;v=1", "';'"},
        {"/a%2Fb", "encoded slash"},
        {"/a%zz", "broken"},
        {"/caf%c3%a9", "normal form"},
        {"/%61", "normal form"},
        {"/caf\xc3\xa9", "percent-encoded"},
        {"/a b", "percent-encoded"},
        {"/a\nb", "control character"},
        {"/{a\nb}", "control character"},
    };

    (void)state;
    check_faults(cases, ARRAY_SIZE(cases), gw_template_fault);
}

static void virtual_hosts_are_checked(void **state)
{
    static const struct fault_case cases[] = {
        {"*", NULL},
        {"*.example.com", NULL},
        {"api.example.com", NULL},
        {"localhost", NULL},
        {"::1", NULL},
        {"", "not a host name"},
        {"*.", "not a host name"},
        {"a..b", "not a host name"},
        {"a b", "not a host name"},
        {"API.example.com", "lower case"},
        {"example.com.", "lower case"},
        {"*.*.com", "wildcard"},
        {"*example.com", "wildcard"},
        {"api.*", "wildcard"},
        {"example.com:80", "without port"},
        {"0:0::1", "shortest form"},
    };

    (void)state;
    check_faults(cases, ARRAY_SIZE(cases), gw_vhost_fault);
}

static void methods_have_names(void **state)
{
    (void)state;
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++)
        assert_int_equal(gw_method_parse(slice_of(gw_method_name((enum gw_method)m))), m);
    assert_string_equal(gw_method_name(GW_PATCH), "PATCH");
    assert_int_equal(gw_method_parse(SLICE("get")), GW_METHOD_COUNT);
    assert_int_equal(gw_method_parse(SLICE("")), GW_METHOD_COUNT);
    assert_int_equal(gw_method_parse(SLICE("GETX")), GW_METHOD_COUNT);
    assert_int_equal(gw_method_parse(SLICE("CONNECT")), GW_METHOD_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_get_their_normal_form),
        cmocka_unit_test(normal_forms_are_stable),
        cmocka_unit_test(paths_are_bounded),
        cmocka_unit_test(each_byte_has_a_rule),
        cmocka_unit_test(faults_have_texts),
        cmocka_unit_test(hosts_get_their_normal_form),
        cmocka_unit_test(hosts_are_bounded),
        cmocka_unit_test(base_paths_are_checked),
        cmocka_unit_test(templates_are_checked),
        cmocka_unit_test(virtual_hosts_are_checked),
        cmocka_unit_test(methods_have_names),
    };

    return cmocka_run_group_tests_name("gateway/path", tests, NULL, NULL);
}
