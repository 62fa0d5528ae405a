/* What the tests of config share: cc.yaml from a string, an environment, and what came of them. */
#pragma once

#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct config_fixture {
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    char directory[32]; /* cc.yaml is in it */
    char path[48];
};

static inline int config_fixture_setup(void **state)
{
    struct config_fixture *f = test_calloc(1, sizeof(*f));
    struct buf b;

    f->arena = arena_new(256 << 20);
    f->diag = diag_new();
    memcpy(f->directory, "/tmp/test_config_XXXXXX", 24);
    if (mkdtemp(f->directory) == NULL)
        return 1;
    buf_init_fixed(&b, f->path, sizeof(f->path));
    buf_printf(&b, "%s/cc.yaml", f->directory);
    *state = f;
    return f->arena == NULL || f->diag == NULL;
}

static inline int config_fixture_teardown(void **state)
{
    struct config_fixture *f = *state;

    unlink(f->path);
    rmdir(f->directory);
    arena_free(&f->arena);
    diag_free(&f->diag);
    test_free(f);
    return 0;
}

/* environ is an array of char * by tradition; nobody writes through it. */
static inline char *const *environ_of(const char *const *variables)
{
    return (char *const *)(uintptr_t)variables;
}

/* yaml and environ_ may be NULL. */
static inline int load(struct config_fixture *f, const char *yaml, const char *const *environ_)
{
    f->config = NULL;
    if (yaml != NULL)
        assert_int_equal(file_write_atomic(f->path, slice_of(yaml), 0600), CC_OK);
    return config_load(&f->config, yaml != NULL ? f->path : NULL, environ_of(environ_), NULL, 0,
                       f->arena, f->diag);
}

static inline void load_ok(struct config_fixture *f, const char *yaml, const char *const *environ_)
{
    int rc = load(f, yaml, environ_);

    if (rc != CC_OK)
        diag_print(f->diag, stderr, false);
    assert_int_equal(rc, CC_OK);
    assert_int_equal(diag_errors(f->diag), 0);
    assert_non_null(f->config);
}

static inline void assert_text(struct slice found, const char *expected)
{
    if (!slice_is(found, expected))
        fail_msg("'%" PRIslice "' is not '%s'", SLICE_ARG(found), expected);
}

static inline void assert_value(const struct config *c, const char *name, const char *expected)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    assert_true(config_value(c, name, &b));
    assert_text(buf_slice(&b), expected);
    buf_free(&b);
}

static inline void assert_origin(const struct config *c, const char *name, const char *expected)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    assert_true(config_origin(c, name, &b));
    assert_text(buf_slice(&b), expected);
    buf_free(&b);
}

/* Finding `index` is of this code, in this line (0 = none), and says these parts. */
static inline void assert_finding(const struct diag *diag, size_t index, enum diag_code code,
                                  unsigned line, const char *message, const char *help)
{
    struct diag_view v;

    if (!diag_get(diag, index, &v) || v.code != code || v.place.line != line ||
        !slice_contains(v.message, slice_of(message)) || !slice_contains(v.help, slice_of(help))) {
        diag_print(diag, stderr, false);
        fail_msg("expected %s in line %u: %s; %s", diag_code_name(code), line, message, help);
    }
}
