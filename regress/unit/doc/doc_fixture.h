/* What the tests of doc share: an arena, findings, and a document read from a string. */
#pragma once

#include "doc/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct doc_fixture {
    struct arena *arena;
    struct diag *diag;
    struct doc *doc;
};

static inline int doc_fixture_setup(void **state)
{
    struct doc_fixture *f = test_calloc(1, sizeof(*f));

    f->arena = arena_new(64 << 20);
    f->diag = diag_new();
    *state = f;
    return f->arena == NULL || f->diag == NULL;
}

static inline int doc_fixture_teardown(void **state)
{
    struct doc_fixture *f = *state;

    arena_free(&f->arena);
    diag_free(&f->diag);
    test_free(f);
    return 0;
}

static inline const struct doc_node *read_ok(struct doc_fixture *f, const char *text)
{
    int rc = doc_read(&f->doc, slice_of(text), "t.yaml", f->arena, f->diag);

    if (rc != CC_OK)
        diag_print(f->diag, stderr, false);
    assert_int_equal(rc, CC_OK);
    assert_int_equal(diag_errors(f->diag), 0);
    return f->doc->root;
}

static inline void assert_text(struct slice found, const char *expected)
{
    assert_int_equal(found.n, strlen(expected));
    assert_memory_equal(found.p, expected, found.n);
}

/* The only finding is of this code, at this place, and says this (as a part of its message). */
static inline void assert_finding(const struct diag *diag, enum diag_code code, unsigned line,
                                  unsigned col, const char *part)
{
    struct diag_view v, more;

    assert_true(diag_get(diag, 0, &v));
    if (v.code != code || v.place.line != line || v.place.col != col ||
        !slice_contains(v.message, slice_of(part)) || diag_get(diag, 1, &more)) {
        diag_print(diag, stderr, false);
        fail_msg("expected only %s at %u:%u: %s", diag_code_name(code), line, col, part);
    }
}
