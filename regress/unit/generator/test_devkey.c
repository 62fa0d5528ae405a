/* Development keys: made once, private, one issuer for each kind. */
#include "generator/devkey.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct arena *arena;
    struct diag *diag;
    char home[64];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->arena = arena_new(16 << 20);
    w->diag = diag_new();
    snprintf(w->home, sizeof(w->home), "/tmp/test_devkey.XXXXXX");
    assert_non_null(mkdtemp(w->home));
    setenv("XDG_STATE_HOME", w->home, 1);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    file_remove_tree(w->home);
    diag_free(&w->diag);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static const char *in_home(const struct world *w, const char *name)
{
    return arena_printf(w->arena, "%s/cc-gen/%s", w->home, name).p;
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_key_is_made_once_and_private(void **state)
{
    struct world *w = *state;
    struct key *first = NULL, *second = NULL;

    umask(0); /* the worst that a user can have */
    assert_int_equal(devkey_load(&first, KEY_EC_P256, w->arena, w->diag), CC_OK);
    assert_int_equal(devkey_load(&second, KEY_EC_P256, w->arena, w->diag), CC_OK);
    umask(022);
    assert_true(key_same(first, second));
    assert_int_equal(mode_of(in_home(w, "dev-p256.pem")), 0600);
    assert_int_equal(mode_of(in_home(w, "")), 0700);
    key_free(&first);
    key_free(&second);
}

/* Refused with this code. */
static void assert_refused(struct world *w, enum diag_code code)
{
    struct diag_view view;
    struct key *key = NULL;

    assert_int_equal(devkey_load(&key, KEY_EC_P256, w->arena, w->diag), CC_EINVAL);
    assert_null(key);
    assert_true(diag_get(w->diag, 0, &view));
    assert_int_equal(view.code, code);
}

static void make_key(struct world *w)
{
    struct key *key = NULL;

    assert_int_equal(devkey_load(&key, KEY_EC_P256, w->arena, w->diag), CC_OK);
    key_free(&key);
}

static void a_key_that_others_read_is_refused(void **state)
{
    struct world *w = *state;

    make_key(w);
    assert_int_equal(chmod(in_home(w, "dev-p256.pem"), 0640), 0);
    assert_refused(w, CC4003);
}

static void a_directory_that_others_write_is_refused(void **state)
{
    struct world *w = *state;

    make_key(w);
    assert_int_equal(chmod(in_home(w, ""), 0770), 0);
    assert_refused(w, CC4003);
}

static void a_broken_key_is_refused(void **state)
{
    struct world *w = *state;

    make_key(w);
    assert_int_equal(truncate(in_home(w, "dev-p256.pem"), 60), 0);
    assert_refused(w, CC4001);
}

static void a_key_of_another_kind_is_refused(void **state)
{
    struct world *w = *state;
    struct key *key = NULL;

    assert_int_equal(devkey_load(&key, KEY_ED25519, w->arena, w->diag), CC_OK);
    key_free(&key);
    assert_int_equal(rename(in_home(w, "dev-ed25519.pem"), in_home(w, "dev-p256.pem")), 0);
    assert_refused(w, CC4001);
}

static void without_a_home_there_is_no_key(void **state)
{
    struct world *w = *state;

    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "not/absolute", 1);
    assert_refused(w, CC4001);
}

/* Two first uses at once must end with one key: else a token is signed by a key that is gone. */
static void first_uses_at_once_agree(void **state)
{
    struct world *w = *state;
    struct key *keys[2] = {NULL, NULL};
    pid_t pids[4];

    for (size_t i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct key *key = NULL;
            int rc = devkey_load(&key, KEY_EC_P384, w->arena, w->diag);
            struct buf pem;
            char path[128];

            buf_init(&pem, 65536);
            if (rc == CC_OK)
                rc = key_write_public(key, &pem);
            snprintf(path, sizeof(path), "%s/public.%zu", w->home, i);
            if (rc == CC_OK)
                rc = file_write_atomic(path, buf_slice(&pem), 0600);
            _exit(rc == CC_OK ? 0 : 1);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < 4; i++) {
        struct slice pem;

        assert_int_equal(
            file_read(w->arena, arena_printf(w->arena, "%s/public.%d", w->home, i).p, 65536, &pem),
            CC_OK);
        assert_int_equal(key_public_from_pem(&keys[i > 0], pem), CC_OK);
        if (i > 0) {
            assert_true(key_same(keys[0], keys[1]));
            key_free(&keys[1]);
        }
    }
    key_free(&keys[0]);
}

static void each_algorithm_has_its_issuer(void **state)
{
    struct world *w = *state;
    struct gw_issuer *issuers = NULL;
    unsigned all = 0;

    assert_int_equal(devkey_issuers(&issuers, w->arena, w->diag), CC_OK);
    for (int kind = 0; kind < DEVKEY_KINDS; kind++) {
        struct key *key = NULL;

        assert_int_equal(all & issuers[kind].algorithms, 0);
        all |= issuers[kind].algorithms;
        assert_int_equal(key_public_from_pem(&key, issuers[kind].pem), CC_OK);
        assert_int_equal(key_kind_of(key), kind);
        assert_true(slice_is(issuers[kind].issuer, devkey_issuer((enum key_kind)kind)));
        key_free(&key);
    }
    assert_int_equal(all, (1u << JWT_ALG_COUNT) - 1);
    for (int alg = 0; alg < JWT_ALG_COUNT; alg++)
        assert_true(issuers[devkey_kind((enum jwt_alg)alg)].algorithms & (1u << alg));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_made_once_and_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_others_read_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_that_others_write_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_broken_key_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_of_another_kind_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_home_there_is_no_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_uses_at_once_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_algorithm_has_its_issuer, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("devkey", tests, NULL, NULL);
}
