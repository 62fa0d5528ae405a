/* The structure of a token and its header: everything that is refused before a key is looked at. */

#include "tokens.h"

static int new_arena(void **state)
{
    *state = arena_new(64 << 20);
    return *state == NULL;
}

static int free_arena(void **state)
{
    struct arena *arena = *state;

    arena_free(&arena);
    return 0;
}

struct row {
    const char *header;
    enum jwt_fault expected;
};

static void check_headers(struct arena *arena, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct jwt jwt;
        enum jwt_fault fault = jwt_split(token_unsigned(arena, rows[i].header, "{}"), arena, &jwt);

        if (fault != rows[i].expected)
            fail_msg("%s: '%s' instead of '%s'", rows[i].header, jwt_fault_text(fault),
                     jwt_fault_text(rows[i].expected));
        assert_int_equal(jwt.alg == JWT_ALG_COUNT, fault != JWT_OK);
    }
}

#define CHECK_HEADERS(state, rows) check_headers(*(state), rows, sizeof(rows) / sizeof((rows)[0]))

static void test_good_token(void **state)
{
    struct slice token = token_unsigned(*state, "{\"alg\":\"RS256\",\"kid\":\"a b\"}", "payload");
    struct jwt jwt;

    assert_int_equal(jwt_split(token, *state, &jwt), JWT_OK);
    assert_int_equal(jwt.alg, JWT_RS256);
    assert_true(slice_is(jwt.kid, "a b"));
    assert_true(slice_is(jwt.payload, "payload"));
    assert_true(slice_is(jwt.signature, "signature"));
    assert_true(slice_eq(jwt.token, token));
    assert_ptr_equal(jwt.signing_input.p, token.p);
    assert_int_equal(jwt.signing_input.p[jwt.signing_input.n], '.');
    assert_int_equal(slice_find(slice_from(token, jwt.signing_input.n + 1), '.'), -1);
}

/* Field list 2, 6: not three parts, or parts of nothing. */
static void test_parts(void **state)
{
    static const struct {
        const char *token;
        enum jwt_fault expected;
    } rows[] = {
        {"", JWT_NOT_THREE_PARTS},
        {"e30", JWT_NOT_THREE_PARTS},
        {"e30.e30", JWT_NOT_THREE_PARTS},
        {"e30.e30.e30.e30", JWT_NOT_THREE_PARTS},
        {"e30.e30.e30.e30.e30", JWT_NOT_THREE_PARTS}, /* a JWE */
        {"....", JWT_NOT_THREE_PARTS},
        {"..", JWT_BAD_HEADER},
        {".e30.e30", JWT_BAD_HEADER},
        {"aaa.bbb.ccc", JWT_BAD_BASE64},
        {"e30.e30.e30", JWT_BAD_ALG},
    };
    struct jwt jwt;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(jwt_split(slice_of(rows[i].token), *state, &jwt), rows[i].expected);
    assert_int_equal(jwt_split(SLICE_NONE, *state, &jwt), JWT_NOT_THREE_PARTS);
}

/* Field list 27, in each of the three parts. */
static void test_base64(void **state)
{
    static const char good[] = "eyJhbGciOiJSUzI1NiJ9";
    static const char *const bad[] = {"e30=", "e3+/", "e3 0", "e30\n", " e30", "e31", "e3", "e"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (int part = 0; part < 3; part++) {
            struct slice token =
                arena_printf(*state, "%s.%s.%s", part == 0 ? bad[i] : good,
                             part == 1 ? bad[i] : "e30", part == 2 ? bad[i] : "e30");
            struct jwt jwt;

            assert_int_equal(jwt_split(token, *state, &jwt), JWT_BAD_BASE64);
        }
}

/* Field list 31: the limit and one byte to each side. 64 KiB as well. */
static void test_size(void **state)
{
    static const struct {
        size_t bytes;
        enum jwt_fault expected;
    } rows[] = {{JWT_MAX_BYTES - 1, JWT_OK},
                {JWT_MAX_BYTES, JWT_OK},
                {JWT_MAX_BYTES + 1, JWT_TOO_LARGE},
                {64 << 10, JWT_TOO_LARGE}};
    static const char start[] = "eyJhbGciOiJSUzI1NiJ9.e30.";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* on the heap and exactly as long, so that the sanitizer sees a read behind it */
        char *token = malloc(rows[i].bytes);
        struct jwt jwt;

        assert_non_null(token);
        memset(token, 'A', rows[i].bytes);
        memcpy(token, start, sizeof(start) - 1);
        assert_int_not_equal((rows[i].bytes - sizeof(start) + 1) % 4, 1);
        assert_int_equal(jwt_split(slice_make(token, rows[i].bytes), *state, &jwt),
                         rows[i].expected);
        free(token);
    }
}

/* RFC 8725 3.1, field list 7: only the names of the table, exactly. */
static void test_alg(void **state)
{
    static const struct row rows[] = {
        {"{\"alg\":\"RS256\"}", JWT_OK},
        {"{\"alg\":\"EdDSA\"}", JWT_OK},
        {"{\"alg\":\"RS\\u0032\\u003556\"}", JWT_BAD_ALG},
        {"{\"alg\":\"RS\\u003256\"}", JWT_OK}, /* the same name, written another way */
        {"{}", JWT_BAD_ALG},
        {"{\"ALG\":\"RS256\"}", JWT_BAD_ALG},
        {"{\"alg\":\"none\"}", JWT_BAD_ALG},
        {"{\"alg\":\"None\"}", JWT_BAD_ALG},
        {"{\"alg\":\"NONE\"}", JWT_BAD_ALG},
        {"{\"alg\":\"nOnE\"}", JWT_BAD_ALG},
        {"{\"alg\":\"\"}", JWT_BAD_ALG},
        {"{\"alg\":null}", JWT_BAD_ALG},
        {"{\"alg\":256}", JWT_BAD_ALG},
        {"{\"alg\":true}", JWT_BAD_ALG},
        {"{\"alg\":[\"RS256\"]}", JWT_BAD_ALG},
        {"{\"alg\":{\"RS256\":1}}", JWT_BAD_ALG},
        {"{\"alg\":\"rs256\"}", JWT_BAD_ALG},
        {"{\"alg\":\"RS256 \"}", JWT_BAD_ALG},
        {"{\"alg\":\"RS1\"}", JWT_BAD_ALG},
        {"{\"alg\":\"HS256\"}", JWT_BAD_ALG},
        {"{\"alg\":\"HS512\"}", JWT_BAD_ALG},
        {"{\"alg\":\"ES256K\"}", JWT_BAD_ALG},
        {"{\"alg\":\"Ed448\"}", JWT_BAD_ALG},
        {"{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}", JWT_BAD_ALG},
    };

    CHECK_HEADERS(state, rows);
}

/* Field list 28 to 30, for the header. */
static void test_header_json(void **state)
{
    static const struct row rows[] = {
        {"", JWT_BAD_HEADER},
        {"x", JWT_BAD_HEADER},
        {"null", JWT_BAD_HEADER},
        {"\"RS256\"", JWT_BAD_HEADER},
        {"[]", JWT_BAD_HEADER},
        {"[{\"alg\":\"RS256\"}]", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\"", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\"} {}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\"}x", JWT_BAD_HEADER},
        {"{'alg':'RS256'}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\"/**/}", JWT_BAD_HEADER},
        {"\xef\xbb\xbf{\"alg\":\"RS256\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"none\",\"alg\":\"RS256\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"\\u0061lg\":\"RS256\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\":{\"a\":1,\"a\":1}}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\":1e999999}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\":\"\xff\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\":\"\xc0\xaf\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\":\"\\ud800\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\":\"\\u0000\"}", JWT_BAD_HEADER},
        {"{\"alg\":\"RS256\",\"x\\u0000\":1}", JWT_BAD_HEADER},
        {" {\"alg\" : \"RS256\"}\r\n", JWT_OK},
        {"{\"alg\":\"RS256\",\"x\":\"\\ud83d\\ude00\"}", JWT_OK},
    };
    struct jwt jwt;
    struct slice token =
        token_make(*state, slice_make("{\"alg\":\"RS256\"}\0", 16), SLICE("{}"), SLICE(""));

    CHECK_HEADERS(state, rows);
    assert_int_equal(jwt_split(token, *state, &jwt), JWT_BAD_HEADER);
}

/* RFC 7515 4.1.11, RFC 7797, RFC 8725 3.6; field list 22. Whatever the value: even one that asks
 * for nothing was put there by someone who expects it to be understood. */
static void test_extensions(void **state)
{
    static const struct row rows[] = {
        {"{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"crit\":[]}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"crit\":null}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"crit\":\"b64\"}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"b64\":false,\"crit\":[\"b64\"]}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"b64\":false}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"b64\":true}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"zip\":\"DEF\"}", JWT_CRITICAL},
        {"{\"alg\":\"RS256\",\"Crit\":[\"exp\"]}", JWT_OK}, /* an unknown member: ignored */
        {"{\"alg\":\"RS256\",\"x\":[\"crit\"]}", JWT_OK},
    };

    CHECK_HEADERS(state, rows);
}

/* RFC 7515 4.1.9, RFC 9068 2.1, RFC 8725 3.11. */
static void test_type(void **state)
{
    static const struct row rows[] = {
        {"{\"alg\":\"RS256\",\"typ\":\"JWT\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"typ\":\"jwt\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"typ\":\"AT+JWT\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"typ\":\"application/jwt\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"typ\":\"Application/at+jwt\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"typ\":\"\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":null}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":1}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":[\"JWT\"]}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"JOSE\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"application/\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"application/application/jwt\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"text/jwt\"}", JWT_BAD_TYPE},
        {"{\"alg\":\"RS256\",\"typ\":\"JWT \"}", JWT_BAD_TYPE},
    };

    CHECK_HEADERS(state, rows);
}

/* RFC 8725 3.10, field list 23: a kid is text to compare and to log, so it is printable. What it
 * would do in a path or a query is nothing: it is never used for one. */
static void test_kid(void **state)
{
    static const struct row rows[] = {
        {"{\"alg\":\"RS256\",\"kid\":\"../../../dev/null\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"kid\":\"x' OR '1'='1\"}", JWT_OK},
        {"{\"alg\":\"RS256\",\"kid\":\"\"}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":7}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":null}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":[\"a\"]}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":\"a\\nb\"}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":\"a\\u001b[2J\"}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":\"a\\u007f\"}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":\"\xc3\xa4\"}", JWT_BAD_KID},
        {"{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}", JWT_BAD_HEADER},
    };
    struct row lengths[2];
    char kid[JWT_MAX_KID + 2];

    CHECK_HEADERS(state, rows);
    memset(kid, 'k', sizeof(kid));
    kid[JWT_MAX_KID + 1] = '\0';
    lengths[0] = (struct row){arena_printf(*state, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid).p,
                              JWT_BAD_KID};
    lengths[1] =
        (struct row){arena_printf(*state, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid + 1).p, JWT_OK};
    CHECK_HEADERS(state, lengths);
}

/* Field list 29: nesting is bounded before the recursive parser sees it. */
static void test_depth(void **state)
{
    static const struct {
        size_t depth;
        enum jwt_fault expected;
    } rows[] = {
        {JWT_MAX_DEPTH - 1, JWT_OK}, {JWT_MAX_DEPTH, JWT_BAD_HEADER}, {2900, JWT_BAD_HEADER}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf header;
        struct jwt jwt;

        buf_init(&header, JWT_MAX_BYTES);
        buf_add_str(
            &header,
            "{\"alg\":\"RS256\",\"y\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\",\"x\":");
        for (size_t j = 0; j < rows[i].depth; j++)
            buf_add_char(&header, '[');
        for (size_t j = 0; j < rows[i].depth; j++)
            buf_add_char(&header, ']');
        buf_add_char(&header, '}');
        assert_int_equal(buf_error(&header), CC_OK);
        assert_int_equal(
            jwt_split(token_make(*state, buf_slice(&header), SLICE("{}"), SLICE("")), *state, &jwt),
            rows[i].expected);
        buf_free(&header);
    }
}

/* A small arena ends in a fault, wherever it runs out. */
static void test_no_memory(void **state)
{
    struct slice token = token_unsigned(*state, "{\"alg\":\"RS256\",\"kid\":\"abc\"}", "{}");
    bool failed = false, passed = false;

    for (size_t room = 0; room < 256; room += 8) {
        struct arena *small = arena_new(room);
        struct jwt jwt;
        enum jwt_fault fault;

        assert_non_null(small);
        fault = jwt_split(token, small, &jwt);
        assert_true(fault == JWT_OK || fault == JWT_INTERNAL);
        assert_false(passed && fault != JWT_OK);
        failed |= fault == JWT_INTERNAL;
        passed |= fault == JWT_OK;
        arena_free(&small);
    }
    assert_true(failed && passed);
}

static void test_fault_texts(void **state)
{
    (void)state;
    assert_string_equal(jwt_fault_text(JWT_OK), "ok");
    assert_string_equal(jwt_fault_text(JWT_INTERNAL), "internal error");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_good_token), TEST(test_parts),     TEST(test_base64),
        TEST(test_size),       TEST(test_alg),       TEST(test_header_json),
        TEST(test_extensions), TEST(test_type),      TEST(test_kid),
        TEST(test_depth),      TEST(test_no_memory), TEST(test_fault_texts),
    };

    return cmocka_run_group_tests_name("jwt_split", tests, NULL, NULL);
}
