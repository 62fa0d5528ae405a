#include "tokens.h"

#include <openssl/rand.h>

/* RFC 4648 10, without padding, and the two characters in which base64url differs. */
static const struct {
    const char *bytes;
    const char *text;
} PAIRS[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"},
};

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(PAIRS) / sizeof(PAIRS[0]); i++) {
        struct slice bytes = slice_of(PAIRS[i].bytes);
        char room[16];
        size_t n = 99;
        struct buf b;

        buf_init(&b, 64);
        base64url_encode(bytes, &b);
        assert_int_equal(buf_error(&b), CC_OK);
        assert_true(slice_is(buf_slice(&b), PAIRS[i].text));
        buf_free(&b);

        assert_int_equal(base64url_decode(slice_of(PAIRS[i].text), room, sizeof(room), &n), CC_OK);
        assert_true(slice_eq(slice_make(room, n), bytes));
    }
}

/* Field list 27: every text but the one canonical text is refused. */
static void test_not_canonical(void **state)
{
    static const char *const bad[] = {
        "Z",         "Zm9vY",                /* 1 modulo 4: no such length */
        "Zg==",      "Zm8=",     "Zm9vYg==", /* padding */
        "Zm9v=",     "=",        "====",     "+/+/", "Zm+v",
        "Zm/v",                           /* the other alphabet */
        " Zm9v",     "Zm9v ",    "Zm 9v", /* white space */
        "Zm9v\n",    "Zm\r\n9v", "Zm9v\t",   "Zh",   "Zm9",
        "Zm9vYh", /* unused bits that are not zero */
        "Zm9vY\xe4", "Zm9\x7f",  "Zm9.",     "Z!",   "Zm,",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char room[64];
        size_t n;

        if (base64url_decode(slice_of(bad[i]), room, sizeof(room), &n) != CC_EPARSE)
            fail_msg("accepted '%s'", bad[i]);
    }
    {
        char room[8];
        size_t n;

        assert_int_equal(base64url_decode(slice_make("Zm\0v", 4), room, sizeof(room), &n),
                         CC_EPARSE);
    }
}

/* All 256 byte values as the last of two characters: exactly four of them leave zero bits. */
static void test_every_character(void **state)
{
    unsigned good = 0;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[2] = {'A', (char)c}, room[1];
        size_t n;

        good += base64url_decode(slice_make(text, 2), room, sizeof(room), &n) == CC_OK;
    }
    assert_int_equal(good, 4);
}

static void test_room(void **state)
{
    char room[3] = {1, 2, 3};
    size_t n;

    (void)state;
    assert_int_equal(base64url_decode(SLICE("Zm9v"), room, 2, &n), CC_ETOOBIG);
    assert_int_equal(room[0], 1);
    assert_int_equal(base64url_decode(SLICE("Zm9v"), room, 3, &n), CC_OK);
    assert_int_equal(n, 3);
}

/* Random bytes of every length come back; each buffer is exactly as long as it must be, so that
 * the sanitizer sees one byte too many. */
static void test_round_trip(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200; n++) {
        uint8_t *bytes = malloc(n + 1), *back = malloc(n == 0 ? 1 : n);
        size_t got = 0;
        struct buf b;

        assert_non_null(bytes);
        assert_non_null(back);
        assert_int_equal(RAND_bytes(bytes, (int)n), 1);
        buf_init(&b, 1024);
        base64url_encode(slice_make(bytes, n), &b);
        assert_int_equal(base64url_decoded_size(buf_slice(&b).n), n);
        assert_int_equal(base64url_decode(buf_slice(&b), back, n, &got), CC_OK);
        assert_int_equal(got, n);
        assert_memory_equal(back, bytes, n);
        buf_free(&b);
        free(bytes);
        free(back);
    }
}

static void test_encode_into_full_buffer(void **state)
{
    char room[6];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, room, sizeof(room));
    base64url_encode(SLICE("foobar"), &b);
    assert_int_equal(buf_error(&b), CC_EFULL);
}

static void test_digests(void **state)
{
    char sha256[65], sha1[41];

    (void)state;
    assert_int_equal(crypto_sha256_hex(SLICE("abc"), sha256), CC_OK);
    assert_string_equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(crypto_sha256_hex(SLICE_NONE, sha256), CC_OK);
    assert_string_equal(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(crypto_sha1_hex(SLICE("abc"), sha1), CC_OK);
    assert_string_equal(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),         cmocka_unit_test(test_not_canonical),
        cmocka_unit_test(test_every_character), cmocka_unit_test(test_room),
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_encode_into_full_buffer),
        cmocka_unit_test(test_digests),
    };

    return cmocka_run_group_tests_name("base64url", tests, NULL, NULL);
}
