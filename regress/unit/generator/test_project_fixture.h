/* Builds models from projects given as texts: each gets a directory of its own below a temporary
 * one, which goes away with the fixture. */
#pragma once

#include "generator/project.h"
#include "generator/project_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIXTURE_PROJECTS = 8, FIXTURE_ARENA = 64 << 20 };

struct fixture {
    char root[32];
    const char *dirs[FIXTURE_PROJECTS];
    size_t n;
    struct config config;
    struct project_options options;
    struct gw_issuer issuer; /* so that no test has the warning about having none */
    struct arena *arena;
    struct diag *diag;
    struct project_rereader rereader; /* for the lines of findings that are printed */
    struct gw_model *model;
};

static inline void fixture_open(struct fixture *f)
{
    static struct config_vhost_mapping vhosts[] = {
        {SLICE_INIT("Default"), SLICE_INIT("localhost")},
        {SLICE_INIT("Staging"), SLICE_INIT("Stage.Example.com")}};

    static struct slice retry_statuses[] = {SLICE_INIT("504")};

    *f = (struct fixture){.root = "/tmp/test_project.XXXXXX",
                          .issuer = {.name = SLICE("test"),
                                     .issuer = SLICE("https://test"),
                                     .access_tokens = true,
                                     .api_keys = true},
                          .arena = arena_new(FIXTURE_ARENA),
                          .diag = diag_new()};
    assert_non_null(mkdtemp(f->root));
    diag_set_reader(f->diag, project_reread, &f->rereader);
    f->options.development_issuers = &f->issuer;
    f->options.n_development_issuers = 1;
    f->config.router.system_host = SLICE("localhost");
    f->config.security.auth_header.authorization_header = SLICE("Authorization");
    f->config.router.upstream.max_route_timeout_s = 60;
    f->config.router.upstream.max_retries = 5;
    f->config.router.upstream.retry_statuses = retry_statuses;
    f->config.router.upstream.n_retry_statuses = 1;
    f->config.adapter.vhost_mapping = vhosts;
    f->config.adapter.n_vhost_mapping = 2;
}

static inline void fixture_close(struct fixture *f)
{
    assert_int_equal(file_remove_tree(f->root), CC_OK);
    diag_free(&f->diag);
    project_rereader_free(&f->rereader);
    arena_free(&f->arena);
}

/* Writes `text` as `name` below the last project. */
static inline void fixture_file(struct fixture *f, const char *name, const char *text)
{
    const char *slash = strrchr(name, '/');
    char path[128];

    if (slash != NULL) {
        snprintf(path, sizeof(path), "%s/%.*s", f->dirs[f->n - 1], (int)(slash - name), name);
        assert_int_equal(file_mkdirs(path, 0700), CC_OK);
    }
    snprintf(path, sizeof(path), "%s/%s", f->dirs[f->n - 1], name);
    assert_int_equal(file_write_atomic(path, slice_of(text), 0600), CC_OK);
}

/* A new, empty project, called "0", "1", ... */
static inline void fixture_project(struct fixture *f)
{
    assert_true(f->n < FIXTURE_PROJECTS);
    f->dirs[f->n] = arena_printf(f->arena, "%s/%zu", f->root, f->n).p;
    assert_non_null(f->dirs[f->n]);
    assert_int_equal(file_mkdirs(f->dirs[f->n], 0700), CC_OK);
    f->n++;
}

static inline int fixture_build(struct fixture *f)
{
    return project_build_model(&f->model, f->dirs, f->n, &f->config, &f->options, f->arena,
                               f->diag);
}

/* The line of what follows a certificate in `file` ("x.crt:") differs from run to run: not its place
 * is tested. Of a finding on one of the first nine lines nothing follows a certificate. */
static inline void fixture_forget_line(char *text, const char *file)
{
    char *at = strstr(text, file), *line = at != NULL ? at + strlen(file) : NULL;
    char *end = line != NULL ? strstr(line, ":1\n") : NULL;

    if (end == NULL || end == line + 1)
        return;
    memmove(line + 2, end, strlen(end) + 1);
    memcpy(line, "NN", 2);
}

/* All findings as lines "error CC1203 0/api.yaml:4:12", in the order of diag_get(). */
static inline const char *fixture_findings(struct fixture *f, char *room, size_t size)
{
    struct diag_view v;
    struct buf b;

    buf_init_fixed(&b, room, size);
    for (size_t i = 0; diag_get(f->diag, i, &v); i++) {
        struct slice name = slice_of(v.place.source ? v.place.source->name : NULL);

        if (slice_starts(name, slice_of(f->root)))
            name = slice_from(name, strlen(f->root) + 1);
        buf_printf(&b, "%s %s %" PRIslice ":%u:%u\n",
                   v.severity == DIAG_ERROR ? "error" : "warning", diag_code_name(v.code),
                   SLICE_ARG(name), v.place.line, v.place.col);
    }
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}
