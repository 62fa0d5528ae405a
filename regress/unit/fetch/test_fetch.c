/* What is believed of headers, and of key sets on disk. Real transfers are in the scenarios. */
#include "fetch/fetch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct slice url = SLICE_INIT("https://idp/jwks");

static void test_max_age(void **state)
{
    static const struct {
        const char *value;
        int64_t age;
    } cases[] = {
        {"", -1},
        {"public", -1},
        {"max-age=60", 60},
        {"public, Max-Age=60 , must-revalidate", 60},
        {"max-age=0", 0},
        {"max-age=60, no-store", 0},
        {"no-cache", 0},
        {"max-age=", 0},
        {"max-age=-1", 0},
        {"max-age=\"60\"", 0},
        {"max-age=6 0", 0},
        {"max-age=99999999999", 1 << 30},
        {"max-age=99999999999999999999999", 0},
        {"max-age=1, max-age=2", 1},
        {"s-maxage=60", -1},
        {"xmax-age=60", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (http_max_age(slice_of(cases[i].value)) != cases[i].age)
            fail_msg("%s: %lld", cases[i].value, (long long)http_max_age(slice_of(cases[i].value)));
}

struct world {
    char directory[32];
    struct arena *arena;
    struct jwks_saved saved;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return -1;
    strncpy(w->directory, "/tmp/cc-fetch.XXXXXX", sizeof(w->directory) - 1);
    w->arena = arena_new(32 << 20);
    *state = w;
    return w->arena == NULL || mkdtemp(w->directory) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    file_remove_tree(w->directory);
    arena_free(&w->arena);
    free(w);
    return 0;
}

/* The only file in the directory. */
static const char *file(struct world *w)
{
    char hex[65];

    assert_int_equal(crypto_sha256_hex(url, hex), CC_OK);
    return arena_printf(w->arena, "%s/jwks-%.32s.json", w->directory, hex).p;
}

static void save(struct world *w)
{
    const struct jwks_saved saved = {SLICE("\"e\""), SLICE("{\"keys\":[\"\\\"\n\"]}"), 1700000000,
                                     -1};

    assert_int_equal(jwks_saved_write(w->directory, url, &saved), CC_OK);
}

static int load(struct world *w)
{
    return jwks_saved_read(w->directory, url, w->arena, &w->saved);
}

static void test_saved(void **state)
{
    struct world *w = *state;
    struct stat st;

    assert_int_equal(load(w), CC_ENOENT);
    save(w);
    assert_int_equal(load(w), CC_OK);
    assert_true(slice_is(w->saved.etag, "\"e\""));
    assert_true(slice_is(w->saved.body, "{\"keys\":[\"\\\"\n\"]}"));
    assert_int_equal(w->saved.fetched_s, 1700000000);
    assert_int_equal(w->saved.max_age_s, -1);
    assert_int_equal(stat(file(w), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(jwks_saved_read(w->directory, SLICE("https://idp/jwks2"), w->arena, &w->saved),
                     CC_ENOENT);
    assert_int_equal(jwks_saved_read("/nonexistent", url, w->arena, &w->saved), CC_ENOENT);
    assert_int_equal(jwks_saved_write("/nonexistent", url, &w->saved), CC_ENOENT);
}

static void test_others_may_write(void **state)
{
    struct world *w = *state;
    const char *elsewhere;

    save(w);
    assert_int_equal(chmod(file(w), 0620), 0);
    assert_int_equal(load(w), CC_EREFUSED);
    assert_int_equal(chmod(file(w), 0600), 0);
    assert_int_equal(chmod(w->directory, 0777), 0);
    assert_int_equal(load(w), CC_EREFUSED);
    assert_int_equal(chmod(w->directory, 0700), 0);
    assert_int_equal(load(w), CC_OK);
    elsewhere = arena_printf(w->arena, "%s/x", w->directory).p;
    assert_int_equal(rename(file(w), elsewhere), 0);
    assert_int_equal(symlink(elsewhere, file(w)), 0);
    assert_int_equal(load(w), CC_EREFUSED);
}

static void test_not_what_was_written(void **state)
{
#define URL "\"url\":\"https://idp/jwks\""
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"schema\":1,",
        "{\"schema\":2," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":1,\"max_age\":1}",
        "{\"schema\":1,\"url\":\"https://x\",\"etag\":\"\",\"keys\":\"\",\"fetched\":1,\"max_age\":1}",
        "{\"schema\":1," URL ",\"etag\":1,\"keys\":\"\",\"fetched\":1,\"max_age\":1}",
        "{\"schema\":1," URL ",\"etag\":\"\",\"keys\":{},\"fetched\":1,\"max_age\":1}",
        "{\"schema\":1," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":-1,\"max_age\":1}",
        "{\"schema\":1," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":1e9,\"max_age\":1}",
        "{\"schema\":1," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":1,\"max_age\":-2}",
        "{\"schema\":1," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":1,\"max_age\":9999999999999}",
        "{\"schema\":1," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":1}",
        "{\"schema\":1," URL "," URL ",\"etag\":\"\",\"keys\":\"\",\"fetched\":1,\"max_age\":1}",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (jwks_saved_parse(slice_of(texts[i]), url, w->arena, &w->saved) != CC_EPARSE)
            fail_msg("%s", texts[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_age),
        T(test_saved),
        T(test_others_may_write),
        T(test_not_what_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
