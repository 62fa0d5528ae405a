#include "enforce/filter.h"

#include "enforce/attempt.h"

enum { VALUE_MAX = 512, CODE_MAX = 16, TEXT_MAX = 256, REASON_MAX = 256 };

/* What the extension holds while it runs. */
struct call {
    struct cc_request head; /* first: converted back by a cast */
    struct attempt *a;
    const struct gw_filter *filter;
    bool denied, said;
    const char *fault; /* of the extension itself: the request is refused with 503 */
};

static struct call *call_of(const struct cc_request *r)
{
    return (struct call *)(uintptr_t)r;
}

static struct cc_text give(struct slice s)
{
    return (struct cc_text){s.p, s.n};
}

struct cc_text filter_fact(const struct attempt *a, enum cc_fact fact)
{
    const struct enforce_decision *d = a->out;

    switch (fact) {
    case CC_ID:
        return give(a->request->id);
    case CC_METHOD:
        return give(a->request->method);
    case CC_PATH:
        return give(a->path);
    case CC_QUERY:
        return give(a->request->query);
    case CC_HOST:
        return give(a->host);
    case CC_API_NAME:
        return give(d->api->name);
    case CC_API_VERSION:
        return give(d->api->version);
    case CC_API_ID:
        return give(d->api->id);
    case CC_API_BASE_PATH:
        return give(d->api->base_path);
    case CC_RESOURCE:
        return give(d->resource->template);
    case CC_USER:
        return give(d->user);
    case CC_APPLICATION:
        return give(d->app);
    case CC_KEY_TYPE:
        return give(d->keytype);
    }
    return (struct cc_text){NULL, 0};
}

static struct cc_text text(const struct cc_request *r, enum cc_fact fact)
{
    return filter_fact(call_of(r)->a, fact);
}

/* The list's own spelling of a name, in lower case; NULL when it is not in there. */
static const struct slice *find_name(const struct slice *names, size_t n, const char *name)
{
    for (size_t i = 0; name != NULL && i < n; i++)
        if (slice_eq_nocase(names[i], slice_of(name)))
            return &names[i];
    return NULL;
}

static struct cc_text header(struct cc_request *r, const char *name, unsigned *count)
{
    struct call *c = call_of(r);
    const struct gw_model *m = c->a->rules->model;
    const struct slice *listed =
        find_name(c->filter->request_headers, c->filter->n_request_headers, name);
    unsigned unseen;
    size_t i = 0;

    if (count == NULL)
        count = &unseen;
    *count = 0;
    while (listed != NULL && i < m->n_headers && !slice_eq(m->headers[i], *listed))
        i++;
    if (listed == NULL || i == m->n_headers) {
        c->fault = "it asks for a header that is not in its requestHeaders";
        return (struct cc_text){NULL, 0};
    }
    if (c->a->request->headers == NULL || c->a->request->headers[i].count == 0)
        return (struct cc_text){NULL, 0};
    *count = c->a->request->headers[i].count;
    return give(c->a->request->headers[i].value);
}

/* The place of a header among the changes, a new one when there is none. NULL: no room. */
static struct filter_change *change(struct attempt *a, struct slice name)
{
    struct filter_changes *all = &a->changes;

    for (size_t i = 0; i < all->n; i++)
        if (slice_eq(all->items[i].name, name))
            return &all->items[i];
    if (all->n == FILTER_MAX_CHANGES)
        return NULL;
    all->items[all->n].name = name;
    return &all->items[all->n++];
}

static bool set_header(struct cc_request *r, const char *name, struct cc_text value)
{
    struct call *c = call_of(r);
    const struct slice *listed = find_name(c->filter->set_headers, c->filter->n_set_headers, name);
    struct slice v = slice_make(value.p, value.n);
    struct filter_change *place;
    struct slice copy;

    if (listed == NULL || value.p == NULL || value.n > VALUE_MAX || slice_has_control(v))
        return false;
    copy = arena_dup(c->a->w->arena, v);
    place = copy.p != NULL ? change(c->a, *listed) : NULL;
    if (place == NULL)
        return false;
    place->value = copy;
    return true;
}

static bool remove_header(struct cc_request *r, const char *name)
{
    struct call *c = call_of(r);
    const struct slice *listed =
        find_name(c->filter->remove_headers, c->filter->n_remove_headers, name);
    struct filter_change *place = listed != NULL ? change(c->a, *listed) : NULL;

    if (place != NULL)
        place->value = SLICE_NONE;
    return place != NULL;
}

static bool route(struct cc_request *r, struct cc_text name)
{
    struct attempt *a = call_of(r)->a;
    const struct gw_api *api = a->out->api;

    for (size_t i = 0; name.p != NULL && i < api->n_named; i++) {
        if (!slice_eq(api->named[i].name, slice_make(name.p, name.n)))
            continue;
        a->routed = api->named[i].cluster;
        return true;
    }
    return false;
}

static bool is_code(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]) && !ascii_is_alpha(s.p[i]))
            return false;
    return s.n > 0 && s.n <= CODE_MAX;
}

static bool is_status(int status)
{
    static const int all[] = {400, 401, 403, 404, 413, 429, 500, 503};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] == status)
            return true;
    return false;
}

static struct slice bounded(const char *s)
{
    return s != NULL ? slice_make(s, strnlen(s, TEXT_MAX)) : SLICE("");
}

static void deny(struct cc_request *r, int status, const char *code, const char *message,
                 const char *description)
{
    struct call *c = call_of(r);
    struct slice code_text =
        code != NULL ? slice_make(code, strnlen(code, CODE_MAX + 1)) : SLICE_NONE;

    if (!is_status(status) || !is_code(code_text)) {
        c->fault = "it denies with a status or a code that it may not use";
        return;
    }
    code_text = arena_dup(c->a->w->arena, code_text);
    if (code_text.p == NULL) {
        c->fault = "no memory for its refusal";
        return;
    }
    c->denied = true;
    refuse_as_told(c->a->out, c->a->refusal, status, code_text, bounded(message),
                   bounded(description));
}

static void reason(struct cc_request *r, const char *words)
{
    struct call *c = call_of(r);

    if (words == NULL)
        return;
    c->said = true;
    reason_start(c->a->reason);
    reason_add(c->a->reason, slice_make(words, strnlen(words, REASON_MAX)));
}

static bool refuse_for(struct attempt *a, const struct gw_filter *filter, const char *fault)
{
    reason_start(a->reason);
    reason_add_str(a->reason, "filter ");
    reason_add(a->reason, filter->name);
    reason_add_str(a->reason, ": ");
    reason_add_str(a->reason, fault);
    refuse(a->out, REFUSE_INTERNAL);
    return false;
}

static bool run_one(struct attempt *a, const struct enforce_filter *f,
                    const struct gw_filter *filter)
{
    static const struct cc_calls calls = {sizeof(calls), text,  header, set_header,
                                          remove_header, route, deny,   reason};
    struct call c = {.head = {&calls}, .a = a, .filter = filter};
    struct reason before = *a->reason;
    int64_t start_us = clock_mono_us(a->clock), took_us;
    enum cc_result result;

    TRACE_STEP(a->trace, FILTER, a->out->operation->origin);
    TRACE_SAY(a->trace, "%" PRIslice, SLICE_ARG(filter->name));
    result = f->extension->on_request(f->state, &c.head);
    took_us = clock_mono_us(a->clock) - start_us;
    if (took_us > f->limit_us) {
        attempt_count(&a->w->filter_overruns, 1);
        return refuse_for(a, filter, "it took longer than its timeLimitInMicros");
    }
    if (c.fault != NULL)
        return refuse_for(a, filter, c.fault);
    if (c.denied) {
        attempt_count(&a->w->filtered, 1);
        if (!c.said) {
            reason_start(a->reason);
            reason_add_str(a->reason, "refused by the filter ");
            reason_add(a->reason, filter->name);
        }
        return false;
    }
    if (result != CC_CONTINUE)
        return refuse_for(a, filter, "it neither continued nor denied");
    *a->reason = before; /* what it said was not for a refusal */
    return true;
}

bool filter_run(struct attempt *a, enum enforce_filter_position position)
{
    const struct enforce_filters *filters = &a->w->filters;

    for (size_t i = 0; i < filters->n; i++)
        if (filters->items[i].position == position &&
            filters->items[i].extension->on_request != NULL &&
            !run_one(a, &filters->items[i], &a->rules->model->filters[i]))
            return false;
    return true;
}

static void add_name(struct buf *why, bool first, struct slice name, unsigned position)
{
    buf_printf(why, "%s%" PRIslice " (position %u)", first ? " " : ", ", SLICE_ARG(name), position);
}

static void say_difference(const struct enforce_filters *f, const struct gw_model *model,
                           struct buf *why)
{
    buf_add_str(why, "the agent has the filters");
    for (size_t i = 0; i < f->n; i++)
        add_name(why, i == 0, f->items[i].name, (unsigned)f->items[i].position);
    buf_add_str(why, f->n == 0 ? " (none), built were" : "; built were");
    for (size_t i = 0; i < model->n_filters; i++)
        add_name(why, i == 0, model->filters[i].name, model->filters[i].position);
    buf_add_str(why, model->n_filters == 0 ? " none" : "");
}

bool enforce_filters_fit(const struct enforce_filters *f, const struct gw_model *model,
                         struct buf *why)
{
    bool same = f->n == model->n_filters;

    if (f->absent)
        return true;
    for (size_t i = 0; same && i < f->n; i++)
        same = slice_eq(f->items[i].name, model->filters[i].name) &&
               (unsigned)f->items[i].position == model->filters[i].position;
    if (!same && why != NULL)
        say_difference(f, model, why);
    return same;
}

bool filter_check(struct attempt *a)
{
    if (enforce_filters_fit(&a->w->filters, a->rules->model, NULL))
        return true;
    reason_add_str(a->reason,
                   "the agent has not the filters (enforcer.filters) that were built: build, "
                   "and restart cc-spoa with the same cc.yaml");
    refuse(a->out, REFUSE_INTERNAL);
    return false;
}

bool filter_finish(struct attempt *a)
{
    struct buf set, gone;
    bool any = false;

    if (a->changes.n == 0)
        return true;
    buf_init_fixed(&set, a->w->set_headers, sizeof(a->w->set_headers));
    buf_init_fixed(&gone, a->w->remove_headers, sizeof(a->w->remove_headers));
    for (size_t i = 0; i < a->changes.n; i++) {
        const struct filter_change *c = &a->changes.items[i];

        if (c->value.p == NULL) {
            buf_printf(&gone, "%s%" PRIslice " ", gone.n == 0 ? " " : "", SLICE_ARG(c->name));
            continue;
        }
        buf_add_str(&set, any ? "," : "{");
        buf_add_json(&set, c->name);
        buf_add_char(&set, ':');
        buf_add_json(&set, c->value);
        any = true;
    }
    if (any)
        buf_add_char(&set, '}');
    if (buf_error(&set) != CC_OK || buf_error(&gone) != CC_OK) {
        reason_start(a->reason);
        reason_add_str(a->reason, "the filters' headers are too long together");
        refuse(a->out, REFUSE_INTERNAL);
        return false;
    }
    a->out->set_headers = buf_slice(&set);
    a->out->remove_headers = buf_slice(&gone);
    return true;
}
