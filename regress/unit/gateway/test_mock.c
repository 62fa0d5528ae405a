/* What the answers of mock APIs may hold. */
#include "gateway/mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void codes(void **state)
{
    static const char *const good[] = {"200", "599", "204", "20x", "2xx", "50x", "default"};
    static const char *const bad[] = {"",    "20",   "2000", "100", "600",     "2x0", "xxx",
                                      "2XX", "20X",  "-12",  "2 0", "Default", "1xx", "x00",
                                      "200 ", "defaul"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_null(gw_mock_code_fault(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(gw_mock_code_fault(slice_of(bad[i])));
    assert_non_null(gw_mock_code_fault(slice_make("2\0x", 3)));
}

static void statuses_of_a_code(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 1200; s++) {
        assert_int_equal(gw_mock_code_covers(SLICE("404"), s), s == 404);
        assert_int_equal(gw_mock_code_covers(SLICE("40x"), s), s >= 400 && s < 410);
        assert_int_equal(gw_mock_code_covers(SLICE("4xx"), s), s >= 400 && s < 500);
        assert_false(gw_mock_code_covers(SLICE("default"), s));
        assert_int_equal(gw_mock_status_has_content(s), s != 204 && s != 205 && s != 304);
    }
}

static void media_types(void **state)
{
    static const char *const good[] = {"a/b", "application/json", "application/problem+json",
                                       "text/plain; charset=utf-8", "text/plain;charset=\"x\"",
                                       "text/plain ; a=b"};
    static const char *const bad[] = {"",     "json", "/json",   "text/",       "*/*",
                                      "a/*",  "a/b/c", "a/b,c/d", "a /b",        "a/b\r\nx: y",
                                      "a/\t", "a b/c", "a/b;\x7f", "a/b;c=\xc3\xa4", "text/ plain"};
    char large[GW_MOCK_TYPE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_null(gw_mock_media_type_fault(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(gw_mock_media_type_fault(slice_of(bad[i])));
    memset(large, 'a', sizeof(large));
    large[1] = '/';
    assert_null(gw_mock_media_type_fault(slice_make(large, GW_MOCK_TYPE_MAX)));
    assert_non_null(gw_mock_media_type_fault(slice_make(large, GW_MOCK_TYPE_MAX + 1)));
}

static void bodies(void **state)
{
    static char large[GW_MOCK_BODY_MAX + 1];

    (void)state;
    memset(large, '\t', sizeof(large));
    assert_null(gw_mock_body_fault(SLICE("")));
    assert_null(gw_mock_body_fault(slice_make(large, GW_MOCK_BODY_MAX)));
    assert_non_null(gw_mock_body_fault(slice_make(large, GW_MOCK_BODY_MAX + 1)));
    assert_non_null(gw_mock_body_fault(slice_make("a\0b", 3)));
    assert_non_null(gw_mock_body_fault(SLICE("a\r\n")));
    assert_non_null(gw_mock_body_fault(SLICE("\x7f")));
    assert_null(gw_mock_body_fault(SLICE("\n\xc3\xa4\n")));
    assert_int_equal(gw_mock_body_lines(SLICE("")), 1);
    assert_int_equal(gw_mock_body_lines(SLICE("a\n\nb\n")), 4);
    memset(large, '\n', GW_MOCK_LINES_MAX);
    assert_null(gw_mock_body_fault(slice_make(large, GW_MOCK_LINES_MAX - 1)));
    assert_non_null(gw_mock_body_fault(slice_make(large, GW_MOCK_LINES_MAX)));
}

static void headers(void **state)
{
    static const char *const good[] = {"x", "x-wso2-example", "etag", "1_a"};
    static const char *const bad[] = {"",          "X-A",  "a b",  "a.b",        "a'b",
                                      "a)",        "a:b",  "date", "connection", "content-type",
                                      "\xc3\xa4",  "a\n",  "a,b",  "content-length"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_null(gw_mock_header_name_fault(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(gw_mock_header_name_fault(slice_of(bad[i])));
    assert_null(gw_mock_header_value_fault(SLICE("a \"b\" %[src]")));
    assert_non_null(gw_mock_header_value_fault(SLICE("a\r\nb")));
}

static void limits_of_an_answer(void **state)
{
    static char text[GW_MOCK_HEADERS_MAX];
    const struct gw_mock_example example = {SLICE(""), SLICE("")};
    struct gw_mock_header header = {SLICE("x"), {text, GW_MOCK_HEADERS_MAX - 8}};
    struct gw_mock_content contents[GW_MOCK_CONTENTS_MAX + 1];
    struct gw_mock_answer answer = {.code = SLICE("200"), .headers = &header, .n_headers = 1};
    char room[64];
    struct buf b;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_null(gw_mock_answer_fault(&answer)); /* {"x":"..."} is 8 bytes more */
    header.value.n++;
    assert_non_null(gw_mock_answer_fault(&answer));
    header.value.n--;
    text[0] = '"'; /* is two in JSON */
    assert_non_null(gw_mock_answer_fault(&answer));
    header.value = SLICE("a\"");
    buf_init_fixed(&b, room, sizeof(room));
    gw_mock_headers_json(&answer, &b);
    assert_string_equal(room, "{\"x\":\"a\\\"\"}");

    for (size_t i = 0; i <= GW_MOCK_CONTENTS_MAX; i++)
        contents[i] = (struct gw_mock_content){SLICE("a/b"), &example, 1};
    answer.contents = contents;
    answer.n_contents = GW_MOCK_CONTENTS_MAX;
    assert_null(gw_mock_answer_fault(&answer));
    answer.n_contents++;
    assert_non_null(gw_mock_answer_fault(&answer));
    answer.n_contents = 1;
    contents[0].n_examples = 0;
    assert_non_null(gw_mock_answer_fault(&answer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes),   cmocka_unit_test(statuses_of_a_code),
        cmocka_unit_test(media_types), cmocka_unit_test(bodies),
        cmocka_unit_test(headers), cmocka_unit_test(limits_of_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
