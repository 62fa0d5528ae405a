/* Claims: types, ranges, times. The tokens are unsigned: jwt_claims_parse() does not ask. */

#include "tokens.h"

#include <time.h>

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

static enum jwt_fault parse_named(struct arena *arena, const char *payload,
                                  const struct jwt_claim_names *names, struct jwt_claims *out)
{
    struct jwt jwt = {.payload = slice_of(payload)};

    return jwt_claims_parse(&jwt, names, arena, out);
}

static enum jwt_fault parse(struct arena *arena, const char *payload, struct jwt_claims *out)
{
    return parse_named(arena, payload, NULL, out);
}

struct row {
    const char *payload;
    enum jwt_fault expected;
};

static void check_payloads(struct arena *arena, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct jwt_claims c;
        enum jwt_fault fault = parse(arena, rows[i].payload, &c);

        if (fault != rows[i].expected)
            fail_msg("%.80s: '%s' instead of '%s'", rows[i].payload, jwt_fault_text(fault),
                     jwt_fault_text(rows[i].expected));
        if (fault != JWT_OK)
            assert_true(c.iss.p == NULL && !c.has_exp && c.n_scopes == 0);
    }
}

#define CHECK_PAYLOADS(state, rows) check_payloads(*(state), rows, sizeof(rows) / sizeof((rows)[0]))

static void test_all_claims(void **state)
{
    struct jwt_claims c;

    assert_int_equal(
        parse(
            *state,
            "{\"iss\":\"https://issuer.example\",\"sub\":\"alice\",\"jti\":\"42\",\"exp\":30,"
            "\"nbf\":10,\"iat\":20,\"keytype\":\"SANDBOX\",\"consumerKey\":\"app\",\"azp\":\"no\","
            "\"scope\":\"read write\",\"aud\":[\"a\",\"b\"],\"subscribedAPIs\":[{\"name\":\"x\"}]}",
            &c),
        JWT_OK);
    assert_true(slice_is(c.iss, "https://issuer.example"));
    assert_true(slice_is(c.sub, "alice"));
    assert_true(slice_is(c.jti, "42"));
    assert_true(slice_is(c.keytype, "SANDBOX"));
    assert_true(slice_is(c.consumer_key, "app"));
    assert_true(c.has_exp && c.has_nbf && c.has_iat);
    assert_int_equal(c.exp, 30);
    assert_int_equal(c.nbf, 10);
    assert_int_equal(c.iat, 20);
    assert_int_equal(c.n_scopes, 2);
    assert_true(slice_is(c.scopes[0], "read") && slice_is(c.scopes[1], "write"));
    assert_int_equal(c.n_audiences, 2);
    assert_true(slice_is(c.audiences[0], "a") && slice_is(c.audiences[1], "b"));
}

static void test_absent(void **state)
{
    struct jwt_claims c;

    assert_int_equal(parse(*state, "{\"iss\":\"i\"}", &c), JWT_OK);
    assert_null(c.sub.p);
    assert_null(c.jti.p);
    assert_null(c.keytype.p);
    assert_null(c.consumer_key.p);
    assert_false(c.has_exp || c.has_nbf || c.has_iat);
    assert_int_equal(c.n_scopes + c.n_audiences, 0);
}

/* Field list 28 to 30; RFC 8725 3.7 (UTF-8), 2.4 and RFC 7519 4 (unique names). */
static void test_json(void **state)
{
    static const struct row rows[] = {
        {"", JWT_BAD_PAYLOAD},
        {"payload", JWT_BAD_PAYLOAD},
        {"[]", JWT_BAD_PAYLOAD},
        {"null", JWT_BAD_PAYLOAD},
        {"\"{}\"", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\"", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\"}}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"exp\":1,\"exp\":2}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"exp\":1,\"e\\u0078p\":2}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"x\":{\"y\":1,\"y\":1}}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"x\":1e999999}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"x\":-1e999999}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"x\":99999999999999999999}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"x\":NaN}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"x\":01}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\\u0000\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"scope\":\"a\\u0000b\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"i\",\"other\":\"a\\u0000b\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\\u0000\":\"i\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"\xff\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"\xc0\x80\"}", JWT_BAD_PAYLOAD},     /* overlong NUL */
        {"{\"iss\":\"\xed\xa0\x80\"}", JWT_BAD_PAYLOAD}, /* raw surrogate */
        {"{\"iss\":\"\\ud800\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"\\udc00\\ud800\"}", JWT_BAD_PAYLOAD},
        {"{\"iss\":\"\xf4\x90\x80\x80\"}", JWT_BAD_PAYLOAD}, /* above U+10FFFF */
        {"{\"iss\":\"a\nb\"}", JWT_BAD_PAYLOAD},             /* raw newline: not JSON */
        {"{\"iss\":\"i\",\"x\":-0}", JWT_OK},
        {"{\"iss\":\"i\",\"x\":[1.5,true,null,{}]}", JWT_OK},
    };

    CHECK_PAYLOADS(state, rows);
}

/* The processor time of this thread: a busy machine must not fail the test. */
static int64_t cpu_us(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Field list 29: answers within a millisecond each, by not recursing and not computing. */
static void test_bombs(void **state)
{
    static const struct {
        const char *before, *unit, *after;
        size_t times;
    } bombs[] = {
        {"{\"iss\":\"i\",\"x\":", "[", "", 6000},    {"{\"iss\":\"i\",\"x\":", "{\"a\":", "", 1000},
        {"{\"iss\":\"i\",\"x\":1", "0", "}", 400},   {"{\"iss\":\"i\",\"exp\":1", "0", "}", 6000},
        {"{\"iss\":\"i\",\"x\":1e", "9", "}", 6000},
    };
    static const size_t n = sizeof(bombs) / sizeof(bombs[0]);
    const int rounds = 20;

    for (size_t i = 0; i < n; i++) {
        struct jwt_claims c;
        int64_t begin;
        struct buf b;

        buf_init(&b, JWT_MAX_BYTES);
        buf_add_str(&b, bombs[i].before);
        for (size_t j = 0; j < bombs[i].times; j++)
            buf_add_str(&b, bombs[i].unit);
        buf_add_str(&b, bombs[i].after);
        assert_int_equal(buf_error(&b), CC_OK);
        begin = cpu_us();
        for (int j = 0; j < rounds; j++)
            assert_int_equal(parse(*state, b.p, &c), JWT_BAD_PAYLOAD);
        assert_true(cpu_us() - begin < 1000 * rounds);
        buf_free(&b);
    }
}

/* RFC 8725 3.8, field list 36. */
static void test_issuer(void **state)
{
    static const struct row rows[] = {
        {"{}", JWT_BAD_ISSUER},
        {"{\"iss\":null}", JWT_BAD_ISSUER},
        {"{\"iss\":\"\"}", JWT_BAD_ISSUER},
        {"{\"iss\":1}", JWT_BAD_ISSUER},
        {"{\"iss\":[\"i\"]}", JWT_BAD_ISSUER},
        {"{\"ISS\":\"i\"}", JWT_BAD_ISSUER},
        {"{\"iss\":\"a\\nb\"}", JWT_BAD_CLAIM},
        {"{\"iss\":\"a\\u007f\"}", JWT_BAD_CLAIM},
        {"{\"iss\":\"https://i.example/\"}", JWT_OK},
    };

    CHECK_PAYLOADS(state, rows);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct jwt jwt = {.payload = slice_of(rows[i].payload)};
        struct slice iss;

        assert_int_equal(jwt_peek_issuer(&jwt, *state, &iss), rows[i].expected);
        if (rows[i].expected == JWT_OK)
            assert_true(slice_is(iss, "https://i.example/")); /* as it is: nothing normalised */
        else
            assert_null(iss.p);
    }
}

/* Field list 34: whole seconds from 0 to below 2^53, for all three. */
static void test_time_values(void **state)
{
    static const struct {
        const char *value;
        enum jwt_fault expected;
        int64_t time;
    } rows[] = {
        {"0", JWT_OK, 0},
        {"-0", JWT_OK, 0},
        {"1700000000", JWT_OK, 1700000000},
        {"9007199254740991", JWT_OK, 9007199254740991},
        {"9007199254740992", JWT_BAD_TIMES, 0},
        {"9223372036854775807", JWT_BAD_TIMES, 0},
        {"9223372036854775808", JWT_BAD_PAYLOAD, 0},
        {"-1", JWT_BAD_TIMES, 0},
        {"-9223372036854775808", JWT_BAD_TIMES, 0},
        {"1e9", JWT_BAD_TIMES, 0},
        {"1700000000.0", JWT_BAD_TIMES, 0},
        {"0.5", JWT_BAD_TIMES, 0},
        {"\"1700000000\"", JWT_BAD_TIMES, 0},
        {"null", JWT_BAD_TIMES, 0},
        {"true", JWT_BAD_TIMES, 0},
        {"[1700000000]", JWT_BAD_TIMES, 0},
        {"{}", JWT_BAD_TIMES, 0},
    };
    static const char *const names[] = {"exp", "nbf", "iat"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t j = 0; j < 3; j++) {
            struct jwt_claims c;
            struct slice payload =
                arena_printf(*state, "{\"iss\":\"i\",\"%s\":%s}", names[j], rows[i].value);

            assert_int_equal(parse(*state, payload.p, &c), rows[i].expected);
            if (rows[i].expected != JWT_OK)
                continue;
            assert_true(c.has_exp == (j == 0) && c.has_nbf == (j == 1) && c.has_iat == (j == 2));
            assert_int_equal(j == 0 ? c.exp : j == 1 ? c.nbf : c.iat, rows[i].time);
        }
}

static void test_text_claims(void **state)
{
    static const char *const names[] = {"sub", "jti",   "keytype", "consumerKey",
                                        "azp", "scope", "aud"};
    static const char *const bad[] = {"7",         "null",       "true",           "{}",
                                      "\"a\\nb\"", "1.5",        "\"\\u001b[2J\"", "\"\\r\"",
                                      "\"a\\tb\"", "\"\\u007f\""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct jwt_claims c;

        for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
            struct slice payload =
                arena_printf(*state, "{\"iss\":\"i\",\"%s\":%s}", names[i], bad[j]);

            if (parse(*state, payload.p, &c) != JWT_BAD_CLAIM)
                fail_msg("accepted %s", payload.p);
        }
        assert_int_equal(
            parse(*state,
                  arena_printf(*state, "{\"iss\":\"i\",\"%s\":\"\xc3\xa4 \\\"x\\\"\"}", names[i]).p,
                  &c),
            JWT_OK);
    }
}

/* Field list 38: words, whatever their number of spaces; nothing but spaces separates. */
static void test_scopes(void **state)
{
    static const struct {
        const char *value;
        size_t n;
        const char *last;
    } rows[] = {
        {"\"\"", 0, NULL},
        {"\"   \"", 0, NULL},
        {"\"read\"", 1, "read"},
        {"\" read  write \"", 2, "write"},
        {"\"read,write\"", 1, "read,write"},
        {"\"a:b a b\"", 3, "b"},
        {"[]", 0, NULL},
        {"[\"read\",\"write\"]", 2, "write"},
        {"[\"read write\"]", 1, "read write"}, /* one scope that no resource can ask for */
    };
    static const struct row bad[] = {
        {"{\"iss\":\"i\",\"scope\":[1]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"scope\":[\"a\",null]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"scope\":[[\"a\"]]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"scope\":[\"\"]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"scope\":[\"a\\nb\"]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"scope\":{\"a\":true}}", JWT_BAD_CLAIM},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice payload = arena_printf(*state, "{\"iss\":\"i\",\"scope\":%s}", rows[i].value);
        struct jwt_claims c;

        assert_int_equal(parse(*state, payload.p, &c), JWT_OK);
        assert_int_equal(c.n_scopes, rows[i].n);
        if (rows[i].n > 0)
            assert_true(slice_is(c.scopes[rows[i].n - 1], rows[i].last));
    }
    CHECK_PAYLOADS(state, bad);
}

/* RFC 8725 3.9, field list 37: what is compared is exactly what stands there. */
static void test_audiences(void **state)
{
    static const struct {
        const char *value;
        size_t n;
    } rows[] = {{"\"a b\"", 1}, {"[]", 0}, {"[\"a\"]", 1}, {"[\"a\",\"b\",\"a\"]", 3}};
    static const struct row bad[] = {
        {"{\"iss\":\"i\",\"aud\":null}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"aud\":[1]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"aud\":[\"\"]}", JWT_BAD_CLAIM},
        {"{\"iss\":\"i\",\"aud\":{}}", JWT_BAD_CLAIM},
    };
    struct jwt_claims c;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice payload = arena_printf(*state, "{\"iss\":\"i\",\"aud\":%s}", rows[i].value);

        assert_int_equal(parse(*state, payload.p, &c), JWT_OK);
        assert_int_equal(c.n_audiences, rows[i].n);
    }
    assert_int_equal(parse(*state, "{\"iss\":\"i\",\"aud\":\"a b\"}", &c), JWT_OK);
    assert_true(slice_is(c.audiences[0], "a b"));
    CHECK_PAYLOADS(state, bad);
}

/* 256 are taken, 257 are not: as words, as a list, as audiences. */
static void test_list_limits(void **state)
{
    static const struct {
        const char *open, *item, *between, *close;
    } forms[] = {
        {"{\"iss\":\"i\",\"scope\":\"", "s", " ", "\"}"},
        {"{\"iss\":\"i\",\"scope\":[", "\"s\"", ",", "]}"},
        {"{\"iss\":\"i\",\"aud\":[", "\"s\"", ",", "]}"},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        for (size_t n = JWT_MAX_LIST; n <= JWT_MAX_LIST + 1; n++) {
            struct jwt_claims c;
            struct buf b;

            buf_init(&b, JWT_MAX_BYTES);
            buf_add_str(&b, forms[i].open);
            for (size_t j = 0; j < n; j++) {
                buf_add_str(&b, j == 0 ? "" : forms[i].between);
                buf_add_str(&b, forms[i].item);
            }
            buf_add_str(&b, forms[i].close);
            assert_int_equal(parse(*state, b.p, &c), n == JWT_MAX_LIST ? JWT_OK : JWT_BAD_CLAIM);
            if (n == JWT_MAX_LIST)
                assert_int_equal(i == 2 ? c.n_audiences : c.n_scopes, n);
            buf_free(&b);
        }
}

static void test_renamed(void **state)
{
    static const char payload[] = "{\"iss\":\"i\",\"consumerKey\":\"ck\",\"azp\":\"azp\","
                                  "\"client_id\":\"cid\",\"scope\":\"s\",\"scp\":[\"p\",\"q\"]}";
    struct jwt_claim_names names = {.consumer_key = SLICE("client_id"), .scope = SLICE("scp")};
    struct jwt_claims c;

    assert_int_equal(parse_named(*state, payload, &names, &c), JWT_OK);
    assert_true(slice_is(c.consumer_key, "cid"));
    assert_int_equal(c.n_scopes, 2);

    /* A name is a slice: no NUL behind it is needed, or read. */
    names = (struct jwt_claim_names){.consumer_key = slice_make("azp!", 3),
                                     .scope = slice_make("scope!", 5)};
    assert_int_equal(parse_named(*state, payload, &names, &c), JWT_OK);
    assert_true(slice_is(c.consumer_key, "azp"));
    assert_true(c.n_scopes == 1 && slice_is(c.scopes[0], "s"));

    /* A configured claim that is missing has no stand-in. */
    names = (struct jwt_claim_names){.consumer_key = SLICE("appid"), .scope = SLICE("roles")};
    assert_int_equal(parse_named(*state, payload, &names, &c), JWT_OK);
    assert_null(c.consumer_key.p);
    assert_int_equal(c.n_scopes, 0);

    assert_int_equal(parse(*state, "{\"iss\":\"i\",\"azp\":\"azp\"}", &c), JWT_OK);
    assert_true(slice_is(c.consumer_key, "azp"));
}

/* Field list 33 to 35, second by second around each edge. */
static void test_times(void **state)
{
    static const int64_t never = -1;
    static const struct {
        int64_t exp, nbf, iat, now, leeway;
        enum jwt_fault expected;
    } rows[] = {
        {-1, -1, -1, 0, 0, JWT_BAD_TIMES},
        {-1, 5, 5, 10, 1000, JWT_BAD_TIMES},
        {100, -1, -1, 99, 0, JWT_OK},
        {100, -1, -1, 100, 0, JWT_EXPIRED},
        {100, -1, -1, 109, 10, JWT_OK},
        {100, -1, -1, 110, 10, JWT_EXPIRED},
        {100, -1, -1, 111, 10, JWT_EXPIRED},
        {0, -1, -1, 1700000000, 60, JWT_EXPIRED},
        {1000, 100, -1, 99, 0, JWT_NOT_YET_VALID},
        {1000, 100, -1, 100, 0, JWT_OK},
        {1000, 100, -1, 89, 10, JWT_NOT_YET_VALID},
        {1000, 100, -1, 90, 10, JWT_OK},
        {1000, -1, 100, 99, 0, JWT_NOT_YET_VALID},
        {1000, -1, 100, 100, 0, JWT_OK},
        {1000, -1, 100, 89, 10, JWT_NOT_YET_VALID},
        {1000, -1, 100, 90, 10, JWT_OK},
        {9007199254740991, 9007199254740991, 0, 100, 60, JWT_NOT_YET_VALID},
        {9007199254740991, 0, 0, 100, INT64_MAX, JWT_OK},
        {9007199254740991, 9007199254740991, 9007199254740991, 0, INT64_MAX, JWT_OK},
        {0, 0, 0, 1700000000, INT64_MAX, JWT_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct jwt_claims c = {
            .has_exp = rows[i].exp != never,
            .exp = rows[i].exp,
            .has_nbf = rows[i].nbf != never,
            .nbf = rows[i].nbf,
            .has_iat = rows[i].iat != never,
            .iat = rows[i].iat,
        };

        if (jwt_check_times(&c, rows[i].now, rows[i].leeway) != rows[i].expected)
            fail_msg("row %zu: %s", i,
                     jwt_fault_text(jwt_check_times(&c, rows[i].now, rows[i].leeway)));
    }
}

/* JWT_ARENA_BYTES is what it says: tokens of the maximum size that are as costly as we can make
 * them, from splitting to claims, end in something else than JWT_INTERNAL. */
static void test_arena_is_enough(void **state)
{
    static const struct {
        const char *open, *item, *close;
    } forms[] = {
        {"{\"iss\":\"i\",\"scope\":\"", "ssssssssssss ", "\"}"},
        {"{\"iss\":\"i\",\"aud\":[\"a\"", ",\"aaaaaaaaaaaaaaa\"", "]}"},
        {"{\"scope\":\"s\",\"aud\":[\"a\"", ",\"a\"", "],\"iss\":\"i\"}"},
        {"{\"iss\":\"", "i", "\"}"},
        {"{\"iss\":\"i\",\"azp\":\"", "i", "\"}"},
    };
    const struct jwt_claim_names names = {.consumer_key = SLICE_INIT("azp"),
                                          .scope = SLICE_INIT("azp")};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct arena *arena = arena_new(JWT_ARENA_BYTES);
        struct jwt_claims c;
        struct slice token, iss;
        struct buf payload;
        struct jwt jwt;

        buf_init(&payload, JWT_MAX_BYTES);
        buf_add_str(&payload, forms[i].open);
        for (int j = 0; j < 250 || i > 2; j++) {
            if (payload.n + 40 > JWT_MAX_BYTES * 3 / 4)
                break;
            buf_add_str(&payload, forms[i].item);
        }
        buf_add_str(&payload, forms[i].close);
        token = token_unsigned(*state, "{\"alg\":\"ES256\"}", payload.p);
        if (token.n > JWT_MAX_BYTES)
            fail_msg("form %zu: %zu bytes", i, token.n);
        assert_int_equal(jwt_split(token, arena, &jwt), JWT_OK);
        assert_int_equal(jwt_peek_issuer(&jwt, arena, &iss), JWT_OK);
        assert_int_equal(jwt_claims_parse(&jwt, &names, arena, &c), JWT_OK);
        arena_free(&arena);
        buf_free(&payload);
    }
}

static void test_no_memory(void **state)
{
    static const char payload[] = "{\"iss\":\"i\",\"sub\":\"s\",\"jti\":\"j\",\"scope\":\"a b\","
                                  "\"aud\":[\"a\",\"b\"],\"exp\":1}";
    bool failed = false, passed = false;

    (void)state;
    for (size_t room = 0; room < 512; room += 8) {
        struct arena *small = arena_new(room);
        struct jwt_claims c;
        enum jwt_fault fault;

        assert_non_null(small);
        fault = parse(small, payload, &c);
        assert_true(fault == JWT_OK || fault == JWT_INTERNAL);
        if (fault == JWT_INTERNAL)
            assert_true(c.iss.p == NULL && !c.has_exp && c.scopes == NULL);
        failed |= fault == JWT_INTERNAL;
        passed |= fault == JWT_OK;
        arena_free(&small);
    }
    assert_true(failed && passed);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_claims),      TEST(test_absent),    TEST(test_json),
        TEST(test_bombs),           TEST(test_issuer),    TEST(test_time_values),
        TEST(test_text_claims),     TEST(test_scopes),    TEST(test_audiences),
        TEST(test_list_limits),     TEST(test_renamed),   TEST(test_times),
        TEST(test_arena_is_enough), TEST(test_no_memory),
    };

    return cmocka_run_group_tests_name("jwt_claims", tests, NULL, NULL);
}
