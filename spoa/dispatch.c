#include "spoa/dispatch.h"

#include "spoa/vars.h"

#include <stdlib.h>

/* Bytes of a path template in the log: the path that is sent must fit into the answer as well. */
enum { RESOURCE_SHOWN = 1024 };

struct dispatch {
    struct responder responder; /* first: a responder is converted back by a cast */
    struct enforce_worker *enforce;
    struct enforce_rules *rules;
    struct enforce_rules *earlier; /* of another HAProxy generation before them; may be NULL */
    int64_t earlier_end_us;        /* not used from then on */
    struct enforce_rules *chosen;  /* of the two, those for the request at hand */
    struct enforce_live *live;     /* NULL: nothing is known yet */
    struct jwks_wanted *wanted;
    size_t worker;
    struct oracle *oracles[ENFORCE_WAIT_COUNT]; /* NULL: nobody knows */
    struct enforce_header headers[GW_MAX_HEADERS];
};

/* The fixed arguments, in the order in which HAProxy sends them. `hgen` is read by choose_rules();
 * `src` and `soap` are no text; `tls` is sent for the features that need it and not looked at by
 * the engine yet: they have no place here. */
#define ARGS(X)                            \
    X(hgen, NULL)                          \
    X(id, &request->id)                    \
    X(src, NULL)                           \
    X(method, &request->method)            \
    X(path, &request->path)                \
    X(query, &request->query)              \
    X(host, &request->host)                \
    X(tls, NULL)                           \
    X(cert, &request->certificate)         \
    X(certhdr, &request->certificate_text) \
    X(soap, NULL)                          \
    X(login, &request->login)              \
    X(scope, &request->scope)

enum {
#define X(name, place) ARG_##name,
    ARGS(X)
#undef X
        N_ARGS
};

static const struct slice arg_names[N_ARGS] = {
#define X(name, place) SLICE_INIT(#name),
    ARGS(X)
#undef X
};

/* Index of the fixed argument `name`, or N_ARGS. Normally `hint`, its place in the message. */
static unsigned find_arg(struct slice name, unsigned hint)
{
    if (hint < N_ARGS && slice_eq(name, arg_names[hint]))
        return hint;
    for (unsigned i = 0; i < N_ARGS; i++) {
        if (slice_eq(name, arg_names[i]))
            return i;
    }
    return N_ARGS;
}

static void set_src(struct enforce_request *request, const struct spop_value *v)
{
    if (v->type == SPOP_IPV4 || v->type == SPOP_IPV6)
        request->has_src = gw_address_from(v->bytes, &request->src);
}

/* Anything else than the two that there are is no SOAP. */
static void set_soap(struct enforce_request *request, const struct spop_value *v)
{
    if (v->type < SPOP_INT32 || v->type > SPOP_UINT64)
        return;
    if (v->integer == GW_SOAP_11)
        request->soap = GW_SOAP_11;
    else if (v->integer == GW_SOAP_12)
        request->soap = GW_SOAP_12;
}

static void set_fixed(struct enforce_request *request, unsigned arg, const struct spop_value *v)
{
    struct slice *const places[N_ARGS] = {
#define X(name, place) place,
        ARGS(X)
#undef X
    };

    if (arg == ARG_src)
        set_src(request, v);
    if (arg == ARG_soap)
        set_soap(request, v);
    /* any other type than text stays absent, and than bytes where bytes are sent */
    if (arg < N_ARGS && places[arg] != NULL &&
        v->type == (arg == ARG_cert ? SPOP_BINARY : SPOP_STRING))
        *places[arg] = v->bytes;
}

/* Index of the model's header `name`, or n_headers. Normally `hint`. */
static size_t find_header(const struct gw_model *model, struct slice name, size_t hint)
{
    if (hint < model->n_headers && slice_eq(name, model->headers[hint]))
        return hint;
    for (size_t i = 0; i < model->n_headers; i++) {
        if (slice_eq(name, model->headers[i]))
            return i;
    }
    return model->n_headers;
}

/* "h.NAME" is the value of the first line of header NAME, "i.NAME" and "j.NAME" are those of the
 * next ones, "n.NAME" is how many lines there are. By name, not by number: while
 * HAProxy and the snapshot are a generation apart, their lists of headers may differ. True when the
 * argument is of that form; a header that the model does not know is ignored. */
static bool set_header(struct dispatch *d, struct slice arg, const struct spop_value *v,
                       const struct gw_model *model, size_t hint)
{
    static const char letters[] = {'h', 'i', 'j', 'n'};
    const char *letter =
        arg.n > 2 && arg.p[1] == '.' ? memchr(letters, arg.p[0], sizeof(letters)) : NULL;
    struct enforce_header *h;
    size_t i;

    if (letter == NULL)
        return false;
    i = find_header(model, slice_from(arg, 2), hint);
    if (i == model->n_headers)
        return true;
    h = &d->headers[i];
    if (*letter != 'n') {
        if (v->type == SPOP_STRING)
            *(*letter == 'h' ? &h->value : &h->more[*letter - 'i']) = v->bytes;
    } else if (v->type >= SPOP_INT32 && v->type <= SPOP_UINT64) {
        /* a count that cannot be true is taken as "several", which is refused where it matters */
        h->count =
            v->integer < 0 || v->integer > INT32_MAX ? (unsigned)INT32_MAX : (unsigned)v->integer;
    }
    return true;
}

static bool read_args(struct dispatch *d, struct spop_reader *r, unsigned n_args,
                      const struct gw_model *model, struct enforce_request *request)
{
    for (unsigned i = 0; i < n_args; i++) {
        struct slice name;
        struct spop_value value;

        if (!spop_read_arg(r, &name, &value))
            return false;
        if (!set_header(d, name, &value, model, i < N_ARGS ? 0 : (i - N_ARGS) / 2))
            set_fixed(request, find_arg(name, i), &value);
    }
    return true;
}

/* The rules that belong to the configuration of the HAProxy that asks, which says so in its first
 * argument; the current ones when it does not, or when these are neither. */
static struct enforce_rules *find_rules(const struct dispatch *d, const struct spop_frame *notify,
                                        const struct clock *clock)
{
    struct spop_reader r = notify->payload;
    struct spop_value value;
    struct slice name;
    unsigned n_args;
    uint64_t asks;

    if (d->earlier == NULL || !spop_read_message(&r, &name, &n_args) || n_args == 0 ||
        !spop_read_arg(&r, &name, &value) || !slice_eq(name, arg_names[ARG_hgen]) ||
        value.type < SPOP_INT32 || value.type > SPOP_UINT64)
        return d->rules;
    asks = (uint64_t)value.integer;
    if (asks != enforce_rules_model(d->earlier)->haproxy_generation ||
        asks == enforce_rules_model(d->rules)->haproxy_generation ||
        clock_mono_us(clock) >= d->earlier_end_us)
        return d->rules;
    return d->earlier;
}

/* Also when a frame has waited: the HAProxy that sent it is what it was. */
static const struct gw_model *choose_rules(struct dispatch *d, const struct spop_frame *notify,
                                           const struct clock *clock)
{
    d->chosen = find_rules(d, notify, clock);
    return enforce_rules_model(d->chosen);
}

/* Reads the one message of a NOTIFY. False: malformed. *known is false when it is not exactly one
 * message of ours; such a frame is well-formed but must not be decided on. */
static bool read_request(struct dispatch *d, const struct spop_frame *notify,
                         const struct gw_model *model, struct enforce_request *request, bool *known)
{
    struct spop_reader r = notify->payload;
    unsigned n_messages = 0;

    memset(d->headers, 0, model->n_headers * sizeof *d->headers);
    *request = (struct enforce_request){.headers = d->headers};
    *known = true;
    while (r.p < r.end) {
        struct slice name;
        unsigned n_args;

        if (!spop_read_message(&r, &name, &n_args) || !read_args(d, &r, n_args, model, request))
            return false;
        if (!slice_eq(name, SLICE("cc-request")))
            *known = false;
        n_messages++;
    }
    if (n_messages != 1)
        *known = false;
    return true;
}

static void set_cors(struct vars *v, const struct enforce_cors *cors)
{
    if (cors->policy == NULL)
        return;
    v->cors = 1;
    if (cors->origin.n == 0)
        return;
    v->cors_origin = cors->origin;
    v->cors_expose = cors->policy->expose;
    if (cors->policy->credentials)
        v->cors_credentials = SLICE("true");
    if (cors->preflight) {
        v->cors_methods = cors->policy->methods;
        v->cors_headers = cors->policy->headers;
    }
}

static void set_limits(struct vars *v, const struct enforce_limits *limits)
{
    v->rl_policy = limits->policy;
    v->rl_state = limits->state;
    v->rl_limit = limits->limit;
    v->rl_remaining = limits->remaining;
    v->rl_reset = limits->reset;
    v->retry_after = limits->retry_after;
    v->over = limits->over;
}

static void set_facts(struct vars *v, const struct enforce_decision *d)
{
    if (d->api != NULL) {
        v->api = d->api->name;
        v->apiver = d->api->version;
    }
    if (d->resource != NULL)
        v->resource = slice_first(d->resource->template, RESOURCE_SHOWN);
    v->user = d->user;
    v->app = d->app;
    v->keytype = d->keytype;
    v->reason = d->reason;
    set_cors(v, &d->cors);
    set_limits(v, &d->limits);
}

static enum vars_verdict set_decision(struct vars *v, const struct enforce_decision *d,
                                      const struct gw_model *current)
{
    set_facts(v, d);
    switch (d->verdict) {
    case ENFORCE_ALLOW:
        v->backend = d->backend;
        v->path = d->path;
        v->host = d->host;
        if (d->identity != NULL)
            v->set_auth = d->identity->authorization;
        v->jwt = d->jwt;
        v->strip = d->strip_header;
        v->strip_keys = d->strip_keys;
        v->query_cut = d->query_cut;
        v->query = d->query;
        v->cert = d->certificate;
        v->fset = d->set_headers;
        v->fdel = d->remove_headers;
        return VARS_ALLOW;
    case ENFORCE_ANSWER:
        v->status = d->status;
        v->body = d->body;
        v->type = d->content_type;
        v->lines = d->lines;
        v->headers = d->headers;
        return VARS_ANSWER;
    case ENFORCE_READY: /* whoever decides: is what was loaded last in effect? */
        v->gen = (int64_t)current->generation;
        v->hgen = (int64_t)current->haproxy_generation;
        return VARS_READY;
    case ENFORCE_DENY:
        v->status = d->status;
        v->code = d->code;
        v->body = d->body;
        v->type = d->content_type;
        v->challenge = d->challenge;
        v->allow = d->allow;
        return VARS_DENY;
    case ENFORCE_PENDING: /* is no answer: such a frame waits */
        break;
    }
    v->status = 503;
    return VARS_ERROR;
}

/* The answer when there is no decision to give. Fits into the smallest frame. */
static size_t answer_error(const struct spop_frame *notify, const struct gw_model *model,
                           struct counters *counters, const char *reason, void *room,
                           size_t max_frame)
{
    struct vars v = {.status = 503, .gen = (int64_t)model->generation, .reason = slice_of(reason)};
    struct spop_writer w;

    counter_bump(&counters->errors);
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, notify->stream_id,
               notify->frame_id);
    vars_put(&w, &v, VARS_ERROR);
    return spop_end(&w, max_frame);
}

static void decide(struct dispatch *d, const struct enforce_request *request,
                   const struct clock *clock, struct enforce_decision *decision)
{
    enforce_decide(d->enforce, d->chosen, d->live, request, clock, decision);
    jwks_want(d->wanted, decision->fetch);
}

static size_t answer_decision(const struct dispatch *d, const struct spop_frame *notify,
                              const struct enforce_decision *decision, struct counters *counters,
                              void *room, size_t max_frame)
{
    const struct gw_model *model = enforce_rules_model(d->chosen);
    struct vars v = {.gen = (int64_t)model->generation};
    enum vars_verdict verdict = set_decision(&v, decision, enforce_rules_model(d->rules));
    struct spop_writer w;
    size_t n;

    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, notify->stream_id,
               notify->frame_id);
    vars_put(&w, &v, verdict);
    n = spop_end(&w, max_frame);
    if (n == 0)
        n = answer_error(notify, model, counters, "the answer does not fit into a SPOP frame", room,
                         max_frame);
    return n;
}

/* What is missing is being found out: for a frame that waits already, or from now on. Else why the
 * request cannot wait. */
static enum enforce_patience ask(struct dispatch *d, const struct enforce_await *await)
{
    struct oracle *oracle = d->oracles[await->what];

    if (oracle == NULL)
        return ENFORCE_ALONE;
    if (defer_waits_for(d->responder.defer, await))
        return ENFORCE_MAY_WAIT;
    return oracle->ask(oracle, await, d->chosen, d->worker);
}

static void decide_now(struct dispatch *d, struct enforce_request *request,
                       enum enforce_patience why, const struct clock *clock,
                       struct counters *counters, struct enforce_decision *decision)
{
    if (why == ENFORCE_CROWDED)
        counter_bump(&counters->crowded);
    request->patience = why;
    decide(d, request, clock, decision);
    CC_ASSERT(decision->verdict != ENFORCE_PENDING);
}

static size_t dispatch_answer(struct responder *self, const struct spop_frame *notify,
                              struct defer_line *line, const struct clock *clock,
                              struct counters *counters, void *room, size_t max_frame)
{
    struct dispatch *d = (struct dispatch *)self;
    const struct gw_model *model = choose_rules(d, notify, clock);
    struct enforce_request request;
    struct enforce_decision decision;
    bool known;

    if (!read_request(d, notify, model, &request, &known))
        return 0;
    if (!known)
        return answer_error(notify, model, counters, "the NOTIFY is not one cc-request message",
                            room, max_frame);
    if (d->chosen != d->rules)
        counter_bump(&counters->earlier);
    request.patience = self->defer != NULL ? ENFORCE_MAY_WAIT : ENFORCE_ALONE;
    decide(d, &request, clock, &decision);
    if (decision.verdict == ENFORCE_PENDING) {
        enum enforce_patience patience = ENFORCE_CROWDED;

        if (defer_has_room(self->defer, line, notify))
            patience = ask(d, &decision.await);
        if (patience == ENFORCE_MAY_WAIT) {
            defer_add(self->defer, line, notify, &decision.await, clock_mono_us(clock));
            counter_bump(&counters->deferred);
            return RESPONDER_LATER;
        }
        decide_now(d, &request, patience, clock, counters, &decision);
    }
    return answer_decision(d, notify, &decision, counters, room, max_frame);
}

/* The request once more, from its first byte: rules, live state and time may be others now. */
static size_t dispatch_answer_ready(struct responder *self, struct defer_line *line,
                                    const struct clock *clock, struct counters *counters,
                                    void *room, size_t max_frame)
{
    struct dispatch *d = (struct dispatch *)self;
    struct deferred *f = defer_take(self->defer, line);
    struct spop_frame notify = {
        .type = SPOP_NOTIFY,
        .stream_id = f->stream_id,
        .frame_id = f->frame_id,
        .payload = {(const uint8_t *)f->payload.p, (const uint8_t *)f->payload.p + f->payload.n}};
    struct enforce_request request;
    struct enforce_decision decision;
    const struct gw_model *model = choose_rules(d, &notify, clock);
    bool known, read = read_request(d, &notify, model, &request, &known);
    size_t n;

    CC_ASSERT(read && known); /* it was, when it came */
    request.patience = f->overdue ? ENFORCE_OVERDUE : ENFORCE_MAY_WAIT;
    memcpy(request.replies, f->replies, sizeof request.replies);
    decide(d, &request, clock, &decision);
    if (decision.verdict == ENFORCE_PENDING) {
        enum enforce_patience patience = ask(d, &decision.await);

        if (patience == ENFORCE_MAY_WAIT) {
            defer_again(self->defer, f, &decision.await, clock_mono_us(clock));
            return RESPONDER_LATER;
        }
        decide_now(d, &request, patience, clock, counters, &decision);
    }
    n = answer_decision(d, &notify, &decision, counters, room, max_frame);
    defer_done(self->defer, f);
    return n;
}

/* Rules of the same HAProxy generation follow one another at once; and when what is decided changes
 * again, nobody is served any longer by rules that are two changes old. */
static struct enforce_rules *dispatch_adopt(struct responder *self, struct enforce_rules *rules,
                                            const struct clock *clock)
{
    struct dispatch *d = (struct dispatch *)self;
    struct enforce_rules *old = d->rules, *unused = old;
    const struct gw_model *before = enforce_rules_model(old), *after = enforce_rules_model(rules);

    d->rules = rules;
    if (before->haproxy_generation != after->haproxy_generation) {
        unused = d->earlier;
        d->earlier = old;
        d->earlier_end_us = clock_mono_us(clock) + DISPATCH_EARLIER_US;
    } else if (before->generation != after->generation) {
        d->earlier_end_us = INT64_MIN;
    }
    return unused;
}

static struct enforce_live *dispatch_adopt_live(struct responder *self, struct enforce_live *live)
{
    struct dispatch *d = (struct dispatch *)self;
    struct enforce_live *old = d->live;

    d->live = live;
    return old;
}

static void dispatch_report(const struct responder *self, struct buf *out)
{
    const struct dispatch *d = (const struct dispatch *)self;
    struct enforce_counters c;

    enforce_worker_counters(d->enforce, &c);
#define X(name, help) buf_printf(out, " " #name "=%llu", (unsigned long long)c.name);
    ENFORCE_COUNTERS(X)
#undef X
}

int dispatch_new(struct dispatch **out, const struct enforce_options *options,
                 struct enforce_rules *rules, struct jwks_wanted *wanted)
{
    struct dispatch *d = calloc(1, sizeof *d);
    int rc = CC_ENOMEM;

    if (d == NULL)
        goto out;
    CC_ASSERT(enforce_rules_model(rules)->n_headers <= GW_MAX_HEADERS);
    d->responder = (struct responder){.answer = dispatch_answer,
                                      .answer_ready = dispatch_answer_ready,
                                      .adopt = dispatch_adopt,
                                      .adopt_live = dispatch_adopt_live,
                                      .report = dispatch_report};
    d->wanted = wanted;
    rc = enforce_worker_new(&d->enforce, options);
    if (rc != CC_OK)
        goto out;
    d->rules = rules;
    rules = NULL;
    *out = d;
    d = NULL;
out:
    enforce_rules_unref(&rules);
    free(d);
    return rc;
}

void dispatch_set_testkey(struct dispatch *d, const struct enforce_testkey *testkey)
{
    enforce_worker_set_testkey(d->enforce, testkey);
}

void dispatch_use_filters(struct dispatch *d, const struct enforce_filters *filters)
{
    enforce_worker_set_filters(d->enforce, filters);
}

int dispatch_let_wait(struct dispatch *d, const struct dispatch_waiting *waiting)
{
    int rc;

    CC_ASSERT(d->responder.defer == NULL);
    rc = defer_new(&d->responder.defer, &waiting->defer);
    if (rc != CC_OK)
        return rc;
    d->worker = waiting->worker;
    memcpy(d->oracles, waiting->oracles, sizeof d->oracles);
    return CC_OK;
}

void dispatch_free(struct dispatch **pd)
{
    struct dispatch *d = *pd;

    if (d == NULL)
        return;
    defer_free(&d->responder.defer);
    enforce_worker_free(&d->enforce);
    enforce_live_unref(&d->live);
    enforce_rules_unref(&d->earlier);
    enforce_rules_unref(&d->rules);
    free(d);
    *pd = NULL;
}

void dispatch_count_in(struct dispatch *d, struct counter_table *counters)
{
    enforce_worker_count_in(d->enforce, counters);
}

void dispatch_set_revoked(struct dispatch *d, const struct revoked *revoked)
{
    enforce_worker_set_revoked(d->enforce, revoked);
}

struct responder *dispatch_responder(struct dispatch *d)
{
    return &d->responder;
}
