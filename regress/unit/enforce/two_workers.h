/* A gateway that is asked with a token by a worker without cache and by one with, which must answer
 * the same. Include it in one source of a program. */
#pragma once

#include "fixture.h"

#include "enforce/live.h"
#include "enforce/trace.h"
#include "revoke/revoke.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    struct fixture f;
    struct gw_api apis[3]; /* room for APIs other than the fixture's */
    struct enforce_rules *rules;
    struct enforce_worker *cached, *plain;
    struct revoked *revoked;   /* NULL: none */
    struct enforce_live *live; /* NULL: none */
    struct clock_fixed clock;
    struct enforce_decision d;
    struct enforce_trace trace;
};

/* First world_init(), then what is different in w->f, then world_start(). */
static inline void world_init(struct world *w)
{
    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
}

static inline void world_start(struct world *w)
{
    const struct enforce_options cache = {64, 262144}, none = {0, 0};

    w->rules = fixture_rules(&w->f);
    fixture_need(enforce_worker_new(&w->cached, &cache), "worker");
    fixture_need(enforce_worker_new(&w->plain, &none), "worker");
    clock_fixed_init(&w->clock, FIXTURE_NOW, 0);
}

static inline void close_world(struct world *w)
{
    enforce_live_unref(&w->live);
    enforce_worker_free(&w->cached);
    enforce_worker_free(&w->plain);
    enforce_rules_unref(&w->rules);
    revoked_free(&w->revoked);
    fixture_free(&w->f);
}

/* 200, or the status of the refusal. */
static inline int world_decide(struct world *w, struct enforce_worker *worker,
                               const struct enforce_request *r)
{
    enforce_decide_traced(worker, w->rules, w->live, r, &w->clock.clock, &w->d, &w->trace);
    return w->d.verdict == ENFORCE_ALLOW || w->d.verdict == ENFORCE_READY ? 200 : w->d.status;
}

/* A request with a bearer token; "": without. */
struct bearer_request {
    struct fixture_request r;
    char header[8192];
};

static inline void bearer_request_init(struct bearer_request *b, const char *path,
                                       const char *token)
{
    snprintf(b->header, sizeof(b->header), "Bearer %s", token);
    fixture_request_init(&b->r, "GET", "h", path);
    if (token[0] != '\0')
        fixture_set_header(&b->r, 0, b->header, 1);
}

static inline int ask_bearer(struct world *w, struct enforce_worker *worker, const char *path,
                             const char *token)
{
    struct bearer_request b;

    bearer_request_init(&b, path, token);
    return world_decide(w, worker, &b.r.request);
}

/* The same answer by a worker without cache, one that fills it, and one that finds it there. */
static inline void expect_each(struct world *w, const struct enforce_request *r, const char *what,
                               int status, const char *code, const char *reason)
{
    for (int i = 0; i < 3; i++) {
        int got = world_decide(w, i == 0 ? w->plain : w->cached, r);

        if (got != status || !slice_is(w->d.code, code) ||
            !slice_contains(w->d.reason, slice_of(reason)))
            fail_msg("%s: %d, expected %d: %.*s: %.*s", what, got, status, SLICE_ARG(w->d.code),
                     SLICE_ARG(w->d.reason));
    }
}

/* What the last decision did at this step, which it must have come to. */
static inline const struct enforce_trace_step *step_of(const struct world *w,
                                                       enum enforce_step which)
{
    for (size_t i = 0; i < w->trace.n; i++)
        if (w->trace.steps[i].step == which)
            return &w->trace.steps[i];
    fail_msg("no step %d", (int)which);
    return NULL;
}
