/* Unit tests of the quoting functions, against an independent reader of HAProxy's words written
 * after configuration.txt 2.2 ("Quoting and escaping"). */
#include "generator/render_quote.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

/* Reads `line` as HAProxy cuts a line into words. Returns their number; the first is in `word`. */
static size_t read_words(struct slice line, char *word, size_t *n)
{
    size_t words = 0, i = 0;

    *n = 0;
    while (i < line.n) {
        char quote = 0;

        while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
            i++;
        if (i == line.n || line.p[i] == '#' || line.p[i] == '\n')
            break;
        words++;
        for (; i < line.n && (quote != 0 || (line.p[i] != ' ' && line.p[i] != '\t')); i++) {
            char c = line.p[i];

            assert_true(c != '\n' && c != '\r' && c != '\0');
            assert_false(quote == '"' && c == '$'); /* an environment variable */
            assert_false(quote == 0 && c == '#');   /* a remark */
            if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
                continue;
            } else if (c == quote) {
                quote = 0;
                continue;
            } else if (c == '\\' && quote != '\'') {
                assert_true(i + 1 < line.n);
                c = line.p[++i];
                assert_non_null(strchr("\\ #'\"", c)); /* \n and \xNN are never written */
            }
            if (words == 1)
                word[(*n)++] = c;
        }
        assert_int_equal(quote, 0); /* nothing is left open */
    }
    return words;
}

typedef int (*quote_fn)(struct buf *out, struct slice s);

/* Quotes s and reads it back as one word. */
static void round_trip(quote_fn quote, struct slice s, char *word, size_t *n)
{
    struct buf out;

    buf_init(&out, 1 << 16);
    assert_int_equal(quote(&out, s), CC_OK);
    assert_int_equal(read_words(buf_slice(&out), word, n), 1);
    buf_free(&out);
}

static bool refused(quote_fn quote, struct slice s)
{
    struct buf out;
    int rc;

    buf_init(&out, 1 << 16);
    rc = quote(&out, s);
    assert_int_equal(buf_slice(&out).n == 0, rc == CC_EINVAL);
    buf_free(&out);
    return rc == CC_EINVAL;
}

/* Every byte alone, at the ends and in the middle of a text, beside a quote and a backslash. */
static void each_byte_is_kept_or_refused(void **state)
{
    static const char *const around[] = {"", "a", "'", "\\", "' http-request allow #", "\"$X"};

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
            char text[64], word[256];
            size_t k = strlen(around[i]), n;
            struct slice s = {text, 2 * k + 1};

            memcpy(text, around[i], k);
            text[k] = (char)c;
            memcpy(text + k + 1, around[i], k);
            if (c < 0x20 || c >= 0x7f) {
                assert_true(refused(haproxy_quote, s));
                assert_true(refused(haproxy_quote_format, s));
                assert_true(refused(haproxy_quote_arg, s));
                continue;
            }
            round_trip(haproxy_quote, s, word, &n);
            assert_true(slice_eq(slice_make(word, n), s));
        }
    }
}

static void plain_words_stay_readable(void **state)
{
    static const char *const plain[] = {"a", "api.example.com:443", "/etc/ssl/a-b_c.pem",
                                        "@system-ca", "unix@/run/a.sock"};
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        buf_init(&out, 256);
        assert_int_equal(haproxy_quote(&out, slice_of(plain[i])), CC_OK);
        assert_string_equal(out.p, plain[i]);
        buf_free(&out);
    }
    buf_init(&out, 256);
    assert_int_equal(haproxy_quote(&out, SLICE("")), CC_OK);
    assert_string_equal(out.p, "''");
    buf_reset(&out);
    assert_int_equal(haproxy_quote(&out, SLICE("it's #1")), CC_OK);
    assert_string_equal(out.p, "'it'\\''s #1'");
    buf_free(&out);
}

static void utf8_is_kept_and_broken_utf8_refused(void **state)
{
    struct slice s = SLICE("gr\xc3\xbc\xc3\x9f");
    char word[64];
    size_t n;

    (void)state;
    round_trip(haproxy_quote, s, word, &n);
    assert_true(slice_eq(slice_make(word, n), s));
    assert_true(refused(haproxy_quote, SLICE("gr\xc3")));
    assert_true(refused(haproxy_quote_format, SLICE("\xed\xa0\x80")));
    assert_true(refused(haproxy_quote_arg, SLICE("\xc0\xaf")));
}

static void formats_have_no_live_percent(void **state)
{
    char word[64];
    size_t n;

    (void)state;
    round_trip(haproxy_quote_format, SLICE("100%[src]% it's"), word, &n);
    assert_true(slice_is(slice_make(word, n), "100%%[src]%% it's"));
}

/* An argument is read twice: as part of a word, then as part of an argument list. */
static void arguments_survive_both_readings(void **state)
{
    static const char *const texts[] = {"a", "", "a,b", "a)b", "a b", "it's", "'", "\\", "a\\,b",
                                        "),deny(", "\"x\"", "%[src]", "$HOME", "#"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char once[256], twice[256];
        size_t n, m;

        round_trip(haproxy_quote_arg, slice_of(texts[i]), once, &n);
        assert_int_equal(read_words(slice_make(once, n), twice, &m), 1);
        assert_true(slice_eq(slice_make(twice, m), slice_of(texts[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_kept_or_refused),
        cmocka_unit_test(plain_words_stay_readable),
        cmocka_unit_test(utf8_is_kept_and_broken_utf8_refused),
        cmocka_unit_test(formats_have_no_live_percent),
        cmocka_unit_test(arguments_survive_both_readings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
