#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct slice one, two; /* certificates */
};

static struct slice new_certificate(struct arena *arena, const char *host)
{
    struct key *key = NULL;
    struct slice text;
    struct buf pem;

    buf_init(&pem, KEY_PEM_MAX_BYTES);
    assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
    assert_int_equal(key_write_certificate(key, host, 10, &pem), CC_OK);
    text = arena_dup(arena, buf_slice(&pem));
    buf_free(&pem);
    key_free(&key);
    return text;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->arena = arena_new((size_t)32 << 20);
    assert_non_null(f->arena);
    f->one = new_certificate(f->arena, "one.test");
    f->two = new_certificate(f->arena, "two.test");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    arena_free(&f->arena);
    free(f);
    return 0;
}

static int read_text(struct fixture *f, struct certificates *list, const char *fmt, struct slice a,
                     struct slice b, unsigned *line)
{
    struct buf text;
    struct slice copy;

    buf_init(&text, (size_t)4 << 20);
    for (const char *p = fmt; *p != '\0'; p++) {
        if (*p == '1')
            buf_add(&text, a);
        else if (*p == '2')
            buf_add(&text, b);
        else
            buf_add_char(&text, *p);
    }
    copy = arena_dup(f->arena, buf_slice(&text));
    buf_free(&text);
    return certificates_from_pem(list, copy, f->arena, line);
}

static void test_bundle(void **state)
{
    struct fixture *f = *state;
    struct certificates list;
    unsigned line;

    assert_int_equal(read_text(f, &list, "# ours\n1\nand another:\n2 end", f->one, f->two, &line),
                     CC_OK);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.items[0].line, 2);
    assert_true(list.items[1].line > 4);
    assert_true(slice_eq(list.items[0].pem, f->one));
    assert_true(slice_eq(list.items[1].pem, f->two));
    assert_true(slice_eq(list.items[0].subject, list.items[0].issuer));
    assert_false(slice_eq(list.items[0].subject, list.items[1].subject));
    assert_in_range(list.items[0].not_after - time(NULL), 9 * 86400, 10 * 86400);
}

/* What another tool wrote: ends of lines, the old name. */
static void test_spellings(void **state)
{
    struct fixture *f = *state;
    struct certificates list;
    struct buf text;
    unsigned line;

    buf_init(&text, 100000);
    for (size_t i = 0; i < f->one.n; i++) {
        if (f->one.p[i] == '\n')
            buf_add_char(&text, '\r');
        buf_add_char(&text, f->one.p[i]);
    }
    assert_int_equal(certificates_from_pem(&list, buf_slice(&text), f->arena, &line), CC_OK);
    assert_int_equal(list.n, 1);
    assert_true(slice_eq(list.items[0].pem, f->one));
    buf_free(&text);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        int rc;
        unsigned line;
    } cases[] = {
        {"", CC_ENOENT, 0},
        {"no certificate\n", CC_ENOENT, 0},
        {"1-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", CC_EREFUSED, 0},
        {"1-----BEGIN EC PRIVATE KEY-----\n", CC_EREFUSED, 0},
        {"\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n1", CC_EUNSUPPORTED, 2},
        {"-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
         CC_EUNSUPPORTED, 1},
        {"\n\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", CC_EPARSE, 3},
        {"-----BEGIN CERTIFICATE-----\n", CC_EPARSE, 1},
        {"-----BEGIN CERTIFICATE-----\n1", CC_EPARSE, 1},
    };
    struct fixture *f = *state;
    struct certificates list;
    unsigned line;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].text);
        assert_int_equal(read_text(f, &list, cases[i].text, f->one, f->two, &line), cases[i].rc);
        assert_int_equal(line, cases[i].line);
    }
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    struct certificates list;
    struct buf text;
    unsigned line;

    buf_init(&text, (size_t)8 << 20);
    for (int i = 0; i < CERTIFICATES_MAX; i++)
        buf_add(&text, f->one);
    assert_true(text.n <= CERTIFICATES_MAX_BYTES);
    assert_int_equal(certificates_from_pem(&list, buf_slice(&text), f->arena, &line), CC_OK);
    assert_int_equal(list.n, CERTIFICATES_MAX);
    buf_add(&text, f->one);
    assert_int_equal(certificates_from_pem(&list, buf_slice(&text), f->arena, &line), CC_ETOOBIG);
    buf_reset(&text);
    while (text.n <= CERTIFICATES_MAX_BYTES)
        buf_add_str(&text, "comment\n");
    assert_int_equal(certificates_from_pem(&list, buf_slice(&text), f->arena, &line), CC_ETOOBIG);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
