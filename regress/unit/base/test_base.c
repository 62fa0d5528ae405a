/* Unit tests of lib/base. */
#include "base/base.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void slices_compare_and_split(void **state)
{
    struct slice rest = SLICE("a,,b"), part;

    (void)state;
    assert_true(slice_eq(SLICE(""), SLICE_NONE));
    assert_false(slice_eq(SLICE("a"), SLICE("b")));
    assert_true(slice_eq_nocase(SLICE("HoSt"), SLICE("host")));
    assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
    assert_true(slice_split(&rest, ',', &part) && slice_is(part, "a"));
    assert_true(slice_split(&rest, ',', &part) && part.n == 0);
    assert_true(slice_split(&rest, ',', &part) && slice_is(part, "b"));
    assert_false(slice_split(&rest, ',', &part));
    assert_true(slice_is(slice_trim(SLICE(" \t x y\t ")), "x y"));
    assert_true(slice_is(slice_from(SLICE("abc"), 9), ""));
    assert_true(slice_contains(SLICE("abc"), SLICE("bc")));
    assert_false(slice_contains(SLICE("abc"), SLICE("bd")));
}

static void numbers_are_strict(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } rows[] = {
        {"0", CC_OK, 0},
        {"18446744073709551615", CC_OK, UINT64_MAX},
        {"18446744073709551616", CC_ERANGE, 0},
        {"99999999999999999999999", CC_ERANGE, 0},
        {"", CC_EPARSE, 0},
        {"01", CC_EPARSE, 0},
        {"-1", CC_EPARSE, 0},
        {"+1", CC_EPARSE, 0},
        {"1 ", CC_EPARSE, 0},
        {"0x1", CC_EPARSE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t v = 0;

        assert_int_equal(slice_to_u64(slice_of(rows[i].text), &v), rows[i].rc);
        assert_true(v == rows[i].value);
    }
}

static void a_near_word_is_found(void **state)
{
    static const char *const words[] = {"listenerPort", "listenerHost", "systemHost"};

    (void)state;
    assert_string_equal(nearest_word(SLICE("listnerPort"), words, 3), "listenerPort");
    assert_string_equal(nearest_word(SLICE("LISTENERHOST"), words, 3), "listenerHost");
    assert_null(nearest_word(SLICE("cors"), words, 3));
    assert_null(nearest_word(SLICE(""), words, 3));
}

static void an_arena_keeps_its_maximum(void **state)
{
    struct arena *a = arena_new(10000);
    struct slice s;

    (void)state;
    assert_non_null(arena_alloc(a, 6000));
    assert_null(arena_alloc(a, 6000));
    assert_non_null(arena_alloc(a, 1000));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_array(a, SIZE_MAX / 2, 3));
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    s = arena_dup(a, SLICE("x"));
    assert_string_equal(s.p, "x");
    s = arena_printf(a, "%d-%s", 7, "y");
    assert_string_equal(s.p, "7-y");
    arena_free(&a);
    assert_null(a);
    arena_free(&a);
}

/* Also in large pages: all of it, zeroed and aligned, to the last byte of the maximum. */
static void a_large_arena_keeps_its_maximum(void **state)
{
    enum { MAX = 40 << 20, PIECE = 48 << 10 };
    struct arena *a = arena_new(MAX);
    size_t n = 0;
    char *p;

    (void)state;
    assert_non_null(a);
    while ((p = arena_alloc(a, PIECE)) != NULL) {
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        assert_true(p[0] == 0 && memcmp(p, p + 1, PIECE - 1) == 0);
        memset(p, 0xff, PIECE);
        n += PIECE;
    }
    assert_true(n <= MAX && n > MAX / 10 * 9);
    arena_reset(a);
    p = arena_alloc(a, 3 << 20);
    assert_true(p != NULL && p[0] == 0 && p[(3 << 20) - 1] == 0);
    arena_free(&a);
}

static void a_buffer_remembers_that_it_was_full(void **state)
{
    char room[4];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, room, sizeof(room));
    buf_add_str(&b, "abc");
    assert_int_equal(buf_error(&b), CC_OK);
    buf_add_char(&b, 'd');
    assert_int_equal(buf_error(&b), CC_EFULL);
    assert_string_equal(room, "abc");
    buf_reset(&b);
    buf_add_str(&b, "z");
    assert_int_equal(buf_error(&b), CC_OK);

    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        buf_add_char(&b, 'x');
    assert_int_equal(buf_error(&b), CC_OK);
    buf_add_u64(&b, UINT64_MAX);
    assert_int_equal(buf_error(&b), CC_EFULL);
    assert_int_equal(buf_slice(&b).n, 1000);
    buf_free(&b);
}

static void a_byte_is_two_hexadecimal_digits(void **state)
{
    char room[7];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, room, sizeof(room));
    buf_add_hex(&b, "\x00\x9a\xff", 3);
    buf_add_hex(&b, NULL, 0);
    assert_int_equal(buf_error(&b), CC_OK);
    assert_string_equal(room, "009aff");
    buf_add_hex(&b, "x", 1);
    assert_int_equal(buf_error(&b), CC_EFULL);
    assert_string_equal(room, "009aff");
}

static void json_text_is_always_valid(void **state)
{
    static const struct {
        struct slice in;
        const char *out;
    } rows[] = {
        {SLICE_INIT("plain"), "\"plain\""},
        {SLICE_INIT("a\"b\\c"), "\"a\\\"b\\\\c\""},
        {SLICE_INIT("\n\t\x01\x7f"), "\"\\n\\t\\u0001\\u007f\""},
        {SLICE_INIT("\0"), "\"\\u0000\""},
        {SLICE_INIT("\xc3\xa9"), "\"\xc3\xa9\""},
        {SLICE_INIT("\xc3"), "\"\\ufffd\""},
        {SLICE_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
        {SLICE_INIT("\xf0\x9f\x98\x80!"), "\"\xf0\x9f\x98\x80!\""},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        buf_reset(&b);
        buf_add_json(&b, rows[i].in);
        assert_string_equal(buf_slice(&b).p, rows[i].out);
    }
    buf_free(&b);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    assert_int_equal(utf8_valid_prefix(SLICE("a\xc3\xa9z")), 4);
    assert_int_equal(utf8_valid_prefix(SLICE("a\xc0\x80")), 1);         /* overlong NUL */
    assert_int_equal(utf8_valid_prefix(SLICE("\xe0\x80\xaf")), 0);      /* overlong slash */
    assert_int_equal(utf8_valid_prefix(SLICE("\xed\xa0\x80")), 0);      /* surrogate */
    assert_int_equal(utf8_valid_prefix(SLICE("\xf4\x90\x80\x80")), 0);  /* above U+10FFFF */
    assert_int_equal(utf8_valid_prefix(SLICE("\xf0\x9f\x98")), 0);      /* cut */
    assert_int_equal(utf8_valid_prefix(SLICE("\xf0\x9f\x98\x80")), 4);
}

static void clock_text_is_what_clock_parse_reads(void **state)
{
    static const int64_t all[] = {0, 1700000000, INT64_C(253402300799)};
    char text[CLOCK_TEXT];
    int64_t back;

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_true(clock_text(all[i], text));
        assert_int_equal(clock_parse(slice_of(text), &back), CC_OK);
        assert_int_equal(back, all[i]);
    }
    assert_true(clock_text(1700000000, text));
    assert_string_equal(text, "2023-11-14T22:13:20Z");
    assert_false(clock_text(INT64_MAX, text));
    assert_string_equal(text, "9223372036854775807");
}

/* The 15-byte vector of the SipHash paper, appendix A. */
static void siphash_matches_its_paper(void **state)
{
    struct hash_key key;
    unsigned char k[16], in[15];

    (void)state;
    for (unsigned i = 0; i < 16; i++)
        k[i] = (unsigned char)i;
    for (unsigned i = 0; i < 15; i++)
        in[i] = (unsigned char)i;
    memcpy(&key, k, sizeof(key));
    assert_true(hash_slice(&key, slice_make(in, 15)) == 0xa129ca6149be45e5u);
    assert_true(hash_slice(&key, SLICE("a")) != hash_slice(&key, SLICE("b")));
}

/* The first two vectors of the authors' vectors.h, read as little-endian words. */
static void siphash_128_matches_its_authors(void **state)
{
    struct hash_key key;
    unsigned char k[16];
    uint64_t out[2];

    (void)state;
    for (unsigned i = 0; i < 16; i++)
        k[i] = (unsigned char)i;
    memcpy(&key, k, sizeof(key));
    hash_slice128(&key, SLICE(""), out);
    assert_true(out[0] == 0xe6a825ba047f81a3u && out[1] == 0x930255c71472f66du);
    hash_slice128(&key, SLICE("\0"), out);
    assert_true(out[0] == 0x44af996bd8c187dau && out[1] == 0x45fc229b11597634u);
}

static void a_fixed_clock_stands_still(void **state)
{
    struct clock_fixed f;

    (void)state;
    clock_fixed_init(&f, 1000, 5);
    assert_int_equal(clock_wall_s(&f.clock), 1000);
    f.now_mono_us = 9;
    assert_int_equal(clock_mono_us(&f.clock), 9);
    assert_true(clock_wall_s(&clock_system) > 1600000000);
}

static void secrets_are_masked(void **state)
{
    char out[16];

    (void)state;
    assert_string_equal(log_mask(SLICE("short"), out), "XXXXX");
    assert_string_equal(log_mask(SLICE("0123456789abcdef"), out), "XXXXXcdef");
    assert_string_equal(log_mask(SLICE("0123456789abcde\n"), out), "XXXXXcde?");
}

static char *printed(const struct diag *d)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    diag_print(d, f, false);
    fclose(f);
    return text;
}

static void findings_are_sorted_and_show_the_line(void **state)
{
    struct source src = {.name = "api.yaml", .text = SLICE_INIT("type: api\ndata:\n  version: [1]\n")};
    struct diag *d = diag_new();
    char *text;

    (void)state;
    diag_help(diag_error(d, CC1201, ((struct place){&src, 3, 12}), "data.version is %s", "a list"),
              "write \"1.0\"");
    diag_warning(d, CC1202, ((struct place){&src, 1, 1}), "bad\nnews\x1b");
    diag_error(d, CC1001, PLACE_NONE, "no place");
    assert_int_equal(diag_errors(d), 2);
    assert_int_equal(diag_warnings(d), 1);
    text = printed(d);
    assert_string_equal(text, "error[CC1001]: no place\n"
                              "api.yaml:1:1: warning[CC1202]: bad\\x0anews\\x1b\n"
                              "     1 | type: api\n"
                              "       | ^\n"
                              "api.yaml:3:12: error[CC1201]: data.version is a list\n"
                              "     3 |   version: [1]\n"
                              "       |            ^\n"
                              "  help: write \"1.0\"\n");
    free(text);
    diag_free(&d);
}

/* What is quoted may be longer than anybody reads: the reason behind it is not lost, and no character
 * is cut in two. */
static void long_findings_keep_their_reason(void **state)
{
    (void)state;
    for (size_t before = 0; before < 3; before++) {
        struct diag *d = diag_new();
        struct buf quoted;
        char *text;

        buf_init(&quoted, 1 << 20);
        buf_add(&quoted, slice_first(SLICE("xx"), before));
        for (size_t i = 0; i < 20000; i++)
            buf_add_str(&quoted, "\xe2\x82\xac");
        assert_int_equal(buf_error(&quoted), CC_OK);
        diag_error(d, CC1202, PLACE_NONE, "\"%" PRIslice "\": it is too long",
                   SLICE_ARG(buf_slice(&quoted)));
        text = printed(d);
        assert_in_range(strlen(text), 1000, 1100);
        assert_non_null(strstr(text, "\xe2\x82\xac ... \xe2\x82\xac"));
        assert_non_null(strstr(text, "\xe2\x82\xac\": it is too long\n"));
        assert_null(strstr(text, "\\x"));
        free(text);
        buf_free(&quoted);
        diag_free(&d);
    }
}

static void findings_beyond_the_limit_are_counted(void **state)
{
    struct diag *d = diag_new();
    char *text;

    (void)state;
    for (int i = 0; i < 10003; i++)
        diag_error(d, CC1202, PLACE_NONE, "x");
    assert_int_equal(diag_errors(d), 10003);
    text = printed(d);
    assert_non_null(strstr(text, "3 more findings are not shown\n"));
    free(text);
    diag_free(&d);
}

static void warnings_hide_no_error(void **state)
{
    struct diag *d = diag_new();
    char *text;

    (void)state;
    for (int i = 0; i < 10003; i++)
        diag_warning(d, CC1202, PLACE_NONE, "x");
    assert_non_null(diag_error(d, CC1201, PLACE_NONE, "the one that refuses the build"));
    text = printed(d);
    assert_non_null(strstr(text, "the one that refuses the build\n"));
    assert_non_null(strstr(text, "3 more findings are not shown\n"));
    free(text);
    diag_free(&d);
}

static void every_code_has_a_page(void **state)
{
    (void)state;
    for (int c = 0; c < DIAG_CODES; c++) {
        assert_true(strncmp(diag_code_name((enum diag_code)c), "CC", 2) == 0);
        assert_true(strlen(diag_code_title((enum diag_code)c)) > 3);
        assert_true(strlen(diag_code_explanation((enum diag_code)c)) > 40);
    }
}

/* Of a file that holds "hello2". */
static void check_ends(struct arena *a, const char *path)
{
    struct slice head, tail;

    assert_int_equal(file_read_ends(a, path, 6, 2, &head, &tail), CC_OK);
    assert_true(slice_is(head, "he") && slice_is(tail, "o2"));
    for (size_t n = 3; n < 8; n++) {
        assert_int_equal(file_read_ends(a, path, 6, n, &head, &tail), CC_OK);
        assert_true(slice_is(head, "hello2") && tail.n == 0);
    }
    assert_int_equal(file_read_ends(a, path, 6, SIZE_MAX, &head, &tail), CC_OK);
    assert_true(slice_is(head, "hello2") && tail.n == 0);
    assert_int_equal(file_read_ends(a, path, 5, 2, &head, &tail), CC_ETOOBIG);
    assert_int_equal(file_read_ends(a, "/tmp", 6, 2, &head, &tail), CC_EINVAL);
    assert_int_equal(file_read_ends(a, "/nonexistent", 6, 2, &head, &tail), CC_ENOENT);
}

static void files_are_read_and_replaced_whole(void **state)
{
    char dir[] = "/tmp/cc-base-XXXXXX", path[64], sub[64];
    struct arena *a = arena_new(1 << 20);
    struct slice text;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/f", dir);
    assert_int_equal(file_read(a, path, 10, &text), CC_ENOENT);
    assert_int_equal(file_write_atomic(path, SLICE("hello"), 0600), CC_OK);
    assert_int_equal(file_write_atomic(path, SLICE("hello2"), 0640), CC_OK);
    assert_int_equal(file_read(a, path, 6, &text), CC_OK);
    assert_true(slice_is(text, "hello2"));
    assert_int_equal(file_read(a, path, 5, &text), CC_ETOOBIG);
    check_ends(a, path);
    assert_int_equal(file_read(a, dir, 5, &text), CC_EINVAL);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    snprintf(sub, sizeof(sub), "%s/a/b/c", dir);
    assert_int_equal(file_mkdirs(sub, 0755), CC_OK);
    assert_int_equal(file_mkdirs(sub, 0755), CC_OK);
    snprintf(sub, sizeof(sub), "%s/f/x", dir);
    assert_int_not_equal(file_mkdirs(sub, 0755), CC_OK);
    snprintf(sub, sizeof(sub), "%s/a/b/outside", dir);
    assert_int_equal(symlink("/etc", sub), 0);
    assert_int_equal(file_remove_tree(dir), CC_OK);
    assert_int_equal(access(dir, F_OK), -1);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    arena_free(&a);
}

/* A FIFO must not hang the reader. */
static void a_fifo_is_not_a_file(void **state)
{
    char dir[] = "/tmp/cc-base-XXXXXX", path[64];
    struct arena *a = arena_new(1 << 20);
    struct slice text;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read(a, path, 100, &text), CC_EINVAL);
    assert_int_equal(file_remove_tree(dir), CC_OK);
    arena_free(&a);
}

static void every_error_has_a_text(void **state)
{
    (void)state;
    assert_string_equal(cc_strerror(CC_OK), "success");
    assert_string_equal(cc_strerror(CC_EWEAK), "key too weak");
    assert_string_equal(cc_strerror(-9999), "unknown error");
    assert_int_equal(cc_from_errno(ENOENT), CC_ENOENT);
    assert_int_equal(cc_from_errno(ENOSPC), CC_EFULL);
    assert_int_equal(cc_from_errno(EXDEV), CC_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_and_split),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(a_near_word_is_found),
        cmocka_unit_test(an_arena_keeps_its_maximum),
        cmocka_unit_test(a_large_arena_keeps_its_maximum),
        cmocka_unit_test(a_buffer_remembers_that_it_was_full),
        cmocka_unit_test(a_byte_is_two_hexadecimal_digits),
        cmocka_unit_test(json_text_is_always_valid),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(clock_text_is_what_clock_parse_reads),
        cmocka_unit_test(siphash_matches_its_paper),
        cmocka_unit_test(siphash_128_matches_its_authors),
        cmocka_unit_test(a_fixed_clock_stands_still),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(findings_are_sorted_and_show_the_line),
        cmocka_unit_test(long_findings_keep_their_reason),
        cmocka_unit_test(findings_beyond_the_limit_are_counted),
        cmocka_unit_test(warnings_hide_no_error),
        cmocka_unit_test(every_code_has_a_page),
        cmocka_unit_test(files_are_read_and_replaced_whole),
        cmocka_unit_test(a_fifo_is_not_a_file),
        cmocka_unit_test(every_error_has_a_text),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
