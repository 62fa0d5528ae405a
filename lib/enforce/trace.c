#include "enforce/trace.h"

#include "enforce/cache.h"
#include "enforce/reason.h"

#include <stdio.h>

enum {
    STEP_BYTES = 1900, /* of text a step: all steps that a decision can take fit */
    SHOWN = 512        /* bytes of one text from outside */
};

const char *enforce_step_name(enum enforce_step step)
{
    static const char *const names[ENFORCE_STEP_COUNT] = {
#define X(name, text) [ENFORCE_STEP_##name] = text,
        ENFORCE_STEPS(X)
#undef X
    };

    return (unsigned)step < ENFORCE_STEP_COUNT ? names[step] : "?";
}

void trace_open(struct enforce_trace *t, enum enforce_step step, struct place place)
{
    if (t->n == ENFORCE_TRACE_STEPS)
        return;
    t->steps[t->n++] = (struct enforce_trace_step){
        .step = step, .text = slice_make(t->room + t->used, 0), .place = place};
}

void trace_say(struct enforce_trace *t, const char *fmt, ...)
{
    struct enforce_trace_step *s = t->n > 0 ? &t->steps[t->n - 1] : NULL;
    char text[STEP_BYTES];
    size_t n, room;
    va_list args;
    int made;

    if (s == NULL)
        return;
    va_start(args, fmt);
    made = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (made < 0)
        return;
    n = (size_t)made < sizeof(text) ? (size_t)made : sizeof(text) - 1;
    room = sizeof(t->room) - t->used;
    if (room > STEP_BYTES - s->text.n)
        room = STEP_BYTES - s->text.n;
    if (n > room)
        n = room;
    for (size_t i = 0; i < n; i++)
        t->room[t->used++] = ascii_is_control(text[i]) ? '?' : text[i];
    s->text.n += n;
}

/* One text from outside, cut. */
#define SHOW(s) SLICE_ARG(slice_first((s), SHOWN))

void trace_route(struct enforce_trace *t, const struct gw_route *route)
{
    trace_open(t, ENFORCE_STEP_API, route->api != NULL ? route->api->origin : PLACE_NONE);
    if (route->api == NULL)
        return;
    trace_say(t, "%" PRIslice " %" PRIslice ", base path \"%" PRIslice "\" on %" PRIslice,
              SHOW(route->api->name), SHOW(route->api->version), SHOW(route->api->base_path),
              SHOW(route->api->vhost));
    trace_open(t, ENFORCE_STEP_RESOURCE,
               route->resource != NULL ? route->resource->origin : route->api->origin);
    if (route->resource != NULL)
        trace_say(t, "%" PRIslice, SHOW(route->resource->template));
    if (route->n_matches > 1)
        trace_say(t, ", one of %zu templates that match the same requests", route->n_matches);
}

static void say_need(struct enforce_trace *t, const struct gw_need *need)
{
    switch (need->kind) {
    case GW_TOKEN:
        if (need->n_scopes == 0)
            trace_say(t, "any valid token");
        for (size_t i = 0; i < need->n_scopes; i++)
            trace_say(t, "%s%" PRIslice, i > 0 ? " or " : "", SHOW(need->scopes[i]));
        break;
    case GW_KEY_IN_HEADER:
        trace_say(t, "an API key in the header %" PRIslice, SHOW(need->name));
        break;
    case GW_KEY_IN_QUERY:
        trace_say(t, "an API key in the query parameter %" PRIslice, SHOW(need->name));
        break;
    case GW_CERTIFICATE:
        trace_say(t, "a client certificate");
        break;
    case GW_CONSOLE_KEY:
        trace_say(t, "an internal key");
        break;
    case GW_CREDENTIAL_COUNT:
        break;
    }
}

static void say_requirement(struct enforce_trace *t, const struct gw_requirement *r)
{
    for (size_t i = 0; i < r->n_needs; i++) {
        if (i > 0)
            trace_say(t, " and ");
        say_need(t, &r->needs[i]);
    }
}

static void say_requirements(struct enforce_trace *t, const struct gw_operation *op)
{
    if (op->n_requirements == 0)
        trace_say(t, "any valid token");
    for (size_t i = 0; i < op->n_requirements; i++) {
        trace_say(t, "%s", i > 0 ? ", or " : "");
        say_requirement(t, &op->requirements[i]);
    }
}

void trace_operation(struct enforce_trace *t, const struct gw_operation *op)
{
    if (op == NULL)
        return;
    t->steps[t->n - 1].place = op->origin;
    if (op->closed)
        trace_say(t, "; closed: only schemes that are not supported protect it");
    else if (op->open)
        trace_say(t, "; open: no credential is asked for");
    else {
        trace_say(t, "; admits: ");
        say_requirements(t, op);
    }
}

void trace_algorithm(struct enforce_trace *t, const struct gw_issuer *issuer, const struct key *key,
                     enum jwt_alg alg)
{
    const char *comma = "";

    trace_open(t, ENFORCE_STEP_ALGORITHM, issuer->origin);
    trace_say(t, "%s; the issuer allows ", jwt_alg_name(alg));
    for (unsigned i = 0; i < JWT_ALG_COUNT; i++) {
        if ((issuer->algorithms & 1u << i) == 0)
            continue;
        trace_say(t, "%s%s", comma, jwt_alg_name((enum jwt_alg)i));
        comma = ", ";
    }
    trace_say(t, "; its key is %s", key_describe(key));
}

void trace_signature(struct enforce_trace *t, const struct gw_issuer *issuer, enum jwt_fault fault)
{
    if (fault == JWT_BAD_ALG || fault == JWT_ALG_NOT_ALLOWED || fault == JWT_ALG_KEY_MISMATCH)
        return;
    trace_open(t, ENFORCE_STEP_SIGNATURE, issuer->origin);
    if (fault == JWT_OK)
        trace_say(t, "good, by the key of issuer '%" PRIslice "'", SHOW(issuer->name));
}

static void say_list(struct enforce_trace *t, const struct slice *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        trace_say(t, "%s%" PRIslice, i > 0 ? " " : "", SHOW(items[i]));
    if (n == 0)
        trace_say(t, "none");
}

void trace_claims(struct enforce_trace *t, const struct gw_issuer *issuer,
                  const struct jwt_claims *claims)
{
    trace_say(t, "sub '%" PRIslice "', app '%" PRIslice "', keytype '%" PRIslice "', aud ",
              SHOW(claims->sub), SHOW(claims->consumer_key), SHOW(claims->keytype));
    say_list(t, claims->audiences, claims->n_audiences);
    if (issuer->n_audiences == 0) {
        trace_say(t, " (not asked for)");
        return;
    }
    trace_say(t, "; one of these is needed: ");
    say_list(t, issuer->audiences, issuer->n_audiences);
}

void trace_revocation(struct enforce_trace *t, struct slice jti)
{
    trace_open(t, ENFORCE_STEP_REVOCATION, PLACE_NONE);
    if (jti.n > 0)
        trace_say(t, "by its jti '%" PRIslice "'", SHOW(jti));
    else
        trace_say(t, "no jti: by its signature");
}

/* 1700000000 (2023-11-14T22:13:20Z) */
static void say_time(struct enforce_trace *t, const char *name, int64_t at_s)
{
    char text[CLOCK_TEXT];

    trace_say(t, "%s %lld", name, (long long)at_s);
    if (clock_text(at_s, text))
        trace_say(t, " (%s)", text);
}

void trace_times(struct enforce_trace *t, const struct grant *grant, int64_t now_s,
                 int64_t leeway_s)
{
    trace_open(t, ENFORCE_STEP_TIMES, PLACE_NONE);
    say_time(t, "now", now_s);
    if (grant->exp == GRANT_FOREVER)
        trace_say(t, ", no exp");
    else
        say_time(t, ", exp", grant->exp);
    if (grant->nbf > 0)
        say_time(t, ", not before", grant->nbf);
    else
        trace_say(t, ", no nbf and no iat");
    trace_say(t, ", leeway %lld s", (long long)leeway_s);
}

void trace_scopes(struct enforce_trace *t, const struct gw_operation *op, const struct grant *grant)
{
    struct slice rest = grant->scopes, scope;
    const char *blank = "";

    trace_open(t, ENFORCE_STEP_SCOPES,
               op->n_requirements > 0 ? op->requirements[0].origin : op->origin);
    trace_say(t, "required: ");
    say_requirements(t, op);
    trace_say(t, "; present: %s", rest.n == 0 ? "none" : "");
    for (; grant_next_scope(&rest, &scope); blank = " ")
        trace_say(t, "%s%" PRIslice, blank, SHOW(scope));
}

void trace_limit(struct enforce_trace *t, const struct gw_policy *policy,
                 const struct counter_limit *limit)
{
    struct slice key = slice_first(limit->key, sizeof(t->room) - t->used);
    struct enforce_trace_limit *row;

    if (t->n_limits == COUNTER_MAX_LIMITS)
        return;
    row = &t->limits[t->n_limits++];
    *row = (struct enforce_trace_limit){
        .policy = policy, .rule = *limit->rule, .cut = key.n < limit->key.n};
    row->key = slice_make(t->room + t->used, key.n);
    if (key.n > 0)
        memcpy(t->room + t->used, key.p, key.n);
    t->used += key.n;
}

void trace_interceptors(struct enforce_trace *t, const struct gw_operation *op)
{
    trace_open(t, ENFORCE_STEP_INTERCEPTOR, op->interceptors[0].origin);
    for (size_t i = 0; i < op->n_interceptors; i++) {
        const struct gw_interceptor *x = &op->interceptors[i];

        trace_say(t, "%s%s by %" PRIslice, i > 0 ? ", " : "", x->response ? "answers" : "requests",
                  SHOW(x->cluster->name));
    }
}

void trace_mock(struct enforce_trace *t, const struct gw_operation *op, struct slice prefer,
                struct slice accept)
{
    trace_open(t, ENFORCE_STEP_MOCK, op->origin);
    trace_say(t, "Prefer '%" PRIslice "', Accept '%" PRIslice "'; the operation has ", SHOW(prefer),
              SHOW(accept));
    for (size_t i = 0; i < op->n_answers; i++) {
        const struct gw_mock_answer *a = &op->answers[i];

        trace_say(t, "%s%" PRIslice, i > 0 ? ", " : "", SHOW(a->code));
        for (size_t k = 0; k < a->n_contents; k++)
            trace_say(t, " %" PRIslice, SHOW(a->contents[k].media_type));
    }
    if (op->n_answers == 0)
        trace_say(t, "no example");
}

void trace_backend(struct enforce_trace *t, const struct gw_cluster *cluster)
{
    trace_open(t, ENFORCE_STEP_BACKEND, cluster->endpoints[0].origin);
    trace_say(t, "%" PRIslice, SHOW(cluster->name));
}

void trace_backend_jwt(struct enforce_trace *t, const struct gw_backend_jwt *jwt, enum jwt_alg alg,
                       struct slice claims)
{
    trace_say(t, "in the header %" PRIslice ", signed %s, claims of %zu bytes",
              SLICE_ARG(jwt->header), jwt_alg_name(alg), claims.n);
}

void trace_begin(struct enforce_trace *t)
{
    t->n = t->used = t->n_limits = 0;
    t->limit_bytes = 0;
    t->cause = PLACE_NONE;
    t->why = SLICE_NONE;
}

static struct slice words_of(const struct reason *reason)
{
    return reason->place.source != NULL ? slice_first(reason_slice(reason), reason->words)
                                        : reason_slice(reason);
}

void trace_refused(struct enforce_trace *t, const struct reason *reason)
{
    struct slice why = slice_first(words_of(reason), sizeof(t->room) - t->used);
    struct enforce_trace_step *last;

    if (t->n == 0)
        return;
    last = &t->steps[t->n - 1];
    last->refused = true;
    last->why = slice_make(t->room + t->used, why.n); /* the reason itself will be overwritten */
    memcpy(t->room + t->used, why.p, why.n);
    t->used += why.n;
    if (reason->place.source != NULL)
        last->place = reason->place;
}

/* The step that is open when a request is refused is the one that refused it, unless an earlier one
 * counts. */
void trace_end(struct enforce_trace *t, const struct enforce_decision *decision,
               const struct reason *reason)
{
    struct enforce_trace_step *last;

    t->cause = reason->place;
    t->why = words_of(reason);
    /* a preflight has got the answer that it asked for */
    if (decision->verdict != ENFORCE_DENY || decision->cors.preflight || t->n == 0)
        return;
    last = &t->steps[t->n - 1];
    if (last->refused)
        return;
    last->refused = true;
    last->why = t->why;
    if (t->cause.source != NULL)
        last->place = t->cause;
}
