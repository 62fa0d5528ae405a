#include "generator/explain.h"

enum { JSON_BYTES = 1 << 20, NAME_WIDTH = 10 };

/* --- text ------------------------------------------------------------------------------------ */

static void print_time(FILE *out, int64_t at_s)
{
    char text[CLOCK_TEXT];

    clock_text(at_s, text);
    fputs(text, out);
}

static void print_row(FILE *out, const char *name, struct slice value)
{
    if (value.n == 0)
        return;
    fprintf(out, "%-*s ", NAME_WIDTH, name);
    view_print(out, value);
    fputc('\n', out);
}

static void print_step(FILE *out, const struct enforce_trace_step *s, bool colour)
{
    const char *paint = s->refused ? "\033[1;31m" : "\033[32m";

    fprintf(out, "  %s%s%s %-*s ", colour ? paint : "", s->refused ? "NO" : "ok",
            colour ? "\033[0m" : "", NAME_WIDTH, enforce_step_name(s->step));
    view_print(out, s->text);
    if (s->text.n > 0 && s->why.n > 0)
        fputs(": ", out);
    view_print(out, s->why);
    fputc('\n', out);
}

/* Is Host known only when HAProxy has chosen an endpoint? */
static bool has_own_hosts(const struct explanation *x)
{
    return x->cluster != NULL && !gw_cluster_one_host(x->cluster);
}

static void print_endpoints(FILE *out, const struct gw_cluster *cluster)
{
    char room[1024];
    struct buf b;

    for (size_t i = 0; cluster != NULL && i < cluster->n_endpoints; i++) {
        buf_init_fixed(&b, room, sizeof(room));
        view_add_endpoint(&b, &cluster->endpoints[i]);
        print_row(out,
                  i == 0                      ? "endpoint"
                  : cluster->options.failover ? "then"
                                              : "or",
                  buf_slice(&b));
    }
}

/* The line of configuration that caused it. */
static void print_cause(struct explainer *e, FILE *out)
{
    struct place place = view_place(e->view, e->trace.cause);
    char room[4200];
    struct buf b;

    if (place.source == NULL)
        return;
    buf_init_fixed(&b, room, sizeof(room));
    view_add_place(&b, place);
    print_row(out, "declared", buf_slice(&b));
    place_print(&place, out);
    if (view_is_stale(e->view, place))
        fprintf(out, "%-*s the file has changed since the build: the line may be another now\n",
                NAME_WIDTH, "");
}

/* What a page of another origin is told; nothing when the request is not of one. */
static struct slice cors_text(const struct explainer *e, const struct enforce_decision *d)
{
    const struct gw_model *m = e->view->model;

    for (size_t i = 0; d->cors.policy != NULL && i < m->n_headers; i++) {
        if (slice_is(m->headers[i], "origin") && e->headers[i].count > 0)
            return d->cors.preflight      ? SLICE("the origin is allowed; preflight answered")
                   : d->cors.origin.n > 0 ? SLICE("the origin is allowed")
                                          : SLICE("the origin is not allowed");
    }
    return SLICE_NONE;
}

/* "10kPerMin, pets/Definitions/swagger.yaml:3:25"; nothing where there is none. */
static void print_tier(FILE *out, const struct enforce_decision *d)
{
    struct place declared;
    struct slice tier;
    char room[4600];
    struct buf b;

    if (d->operation == NULL || (tier = gw_tier(d->api, d->operation, &declared)).n == 0)
        return;
    buf_init_fixed(&b, room, sizeof(room));
    buf_printf(&b, "%" PRIslice ", ", SLICE_ARG(tier));
    view_add_place(&b, declared);
    print_row(out, "tier", buf_slice(&b));
}

/* Who the gateway is to the endpoint: never the password. */
static void print_credential(FILE *out, const struct gw_identity *credential)
{
    char room[4200];
    struct buf b;

    if (credential == NULL)
        return;
    buf_init_fixed(&b, room, sizeof(room));
    buf_printf(&b, "user %" PRIslice ", password (hidden), ", SLICE_ARG(credential->user));
    view_add_place(&b, credential->origin);
    print_row(out, "credential", buf_slice(&b));
}

/* "authorization, x-key": headers of the request that the backend does not see. */
static void print_removed(FILE *out, const struct enforce_decision *d)
{
    struct slice rest = d->strip_keys, name;
    char room[GW_KEY_HEADERS_MAX * 2 + 512];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    buf_add(&b, d->strip_header);
    while (slice_split(&rest, ',', &name)) {
        if (name.n == 0 || slice_eq(name, d->strip_header))
            continue;
        if (b.n > 0)
            buf_add_str(&b, ", ");
        buf_add(&b, name);
    }
    print_row(out, "removed", buf_slice(&b));
}

static void print_outcome(struct explainer *e, const struct explanation *x, FILE *out, bool colour)
{
    const struct enforce_decision *d = &x->decision;
    bool denied = (d->verdict == ENFORCE_DENY && x->status != 200) || d->verdict == ENFORCE_PENDING;

    fprintf(out, "%-*s %s%s%s\n", NAME_WIDTH, "verdict",
            !colour  ? ""
            : denied ? "\033[1;31m"
                     : "\033[1;32m",
            x->verdict, colour ? "\033[0m" : "");
    if (x->status != 0)
        fprintf(out, "%-*s %d\n", NAME_WIDTH, "status", x->status);
    if (e->trace.n == 0) {
        print_row(out, "because", SLICE("HAProxy answers this path on the system host itself"));
        return;
    }
    print_row(out, "code", d->code);
    print_row(out, "type", d->content_type);
    print_row(out, "headers", d->headers);
    print_row(out, "body", d->body);
    print_row(out, "challenge", d->challenge);
    print_row(out, "allow", d->allow);
    print_row(out, "cors", cors_text(e, d));
    print_row(out, "backend", d->backend);
    print_endpoints(out, x->cluster);
    print_row(out, "path", d->path);
    if (d->backend.n > 0 && x->request->ip.n > 0)
        fprintf(out, "%-*s %" PRIslice ", which the endpoint is told as x-forwarded-for\n",
                NAME_WIDTH, "client", SLICE_ARG(x->request->ip));
    print_row(out, "host",
              has_own_hosts(x) ? SLICE("that of the endpoint that gets the request") : d->host);
    print_removed(out, d);
    if (d->query_cut)
        print_row(out, "query", d->query.n > 0 ? d->query : SLICE("none"));
    print_tier(out, d);
    explain_print_limits(e, x, out);
    print_credential(out, d->identity);
    print_row(out, "jwt", d->verdict == ENFORCE_ALLOW ? d->jwt_claims : SLICE_NONE);
    print_row(out, "because", e->trace.why);
    print_cause(e, out);
}

void explain_print_text(struct explainer *e, const struct explanation *x, FILE *out)
{
    const struct explain_request *r = x->request;
    bool colour = cli_colour(out);

    view_print(out, r->method);
    fputc(' ', out);
    view_print(out, r->is_absolute ? r->url : r->path);
    fputs("\n  at ", out);
    print_time(out, e->clock.now_wall_s);
    fputs(", by ", out);
    view_print(out, slice_of(e->view->from));
    fputs("\n\n", out);
    if (x->removed.n > 0) {
        fputs("  -- HAProxy removes the header ", out);
        view_print(out, x->removed);
        fputs(" from every request\n", out);
    }
    for (size_t i = 0; i < e->trace.n; i++)
        print_step(out, &e->trace.steps[i], colour);
    fputs(e->trace.n > 0 ? "\n" : "", out);
    print_outcome(e, x, out, colour);
}

void explain_print_line(const struct explanation *x, FILE *out)
{
    const struct enforce_decision *d = &x->decision;

    fprintf(out, "%-6s ", x->verdict);
    if (x->status != 0)
        fprintf(out, "%d ", x->status);
    view_print(out, d->code.n > 0 ? d->code : SLICE("-"));
    fputc(' ', out);
    view_print(out, x->request->method);
    fputc(' ', out);
    view_print(out, x->request->is_absolute ? x->request->url : x->request->path);
    if (d->backend.n > 0) {
        fputs(" -> ", out);
        view_print(out, d->backend);
        fputc(' ', out);
        view_print(out, d->path);
    }
    fputc('\n', out);
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* Begins a member: a comma when another one stands before. */
static void name_member(struct buf *b, const char *name)
{
    char last = b->n > 0 ? b->p[b->n - 1] : '{';

    if (last != '{' && last != '[')
        buf_add_char(b, ',');
    buf_printf(b, "\"%s\":", name);
}

/* null where there is no such thing. */
static void add_text(struct buf *b, const char *name, struct slice value)
{
    name_member(b, name);
    if (value.p == NULL)
        buf_add_str(b, "null");
    else
        buf_add_json(b, value);
}

static void add_filled(struct buf *b, const char *name, struct slice value)
{
    add_text(b, name, value.n > 0 ? value : SLICE_NONE);
}

static void add_origin(struct buf *b, const char *name, struct place place)
{
    char room[4200];
    struct buf text;

    buf_init_fixed(&text, room, sizeof(room));
    view_add_place(&text, place);
    add_filled(b, name, buf_slice(&text));
}

static void add_steps(struct buf *b, const struct enforce_trace *t)
{
    name_member(b, "steps");
    buf_add_char(b, '[');
    for (size_t i = 0; i < t->n; i++) {
        const struct enforce_trace_step *s = &t->steps[i];

        buf_add_str(b, i > 0 ? ",{" : "{");
        add_text(b, "step", slice_of(enforce_step_name(s->step)));
        name_member(b, "passed");
        buf_add_str(b, s->refused ? "false" : "true");
        add_text(b, "text", s->text);
        add_filled(b, "why", s->why);
        add_origin(b, "origin", s->place);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void add_cause(struct buf *b, struct explainer *e)
{
    struct place place = view_place(e->view, e->trace.cause);
    struct slice line = SLICE_NONE;

    name_member(b, "cause");
    if (e->trace.n == 0 || place.source == NULL) {
        buf_add_str(b, "null");
        return;
    }
    if (place.line > 0)
        line = source_row(place.source->text, place.line);
    buf_add_char(b, '{');
    add_text(b, "file", slice_of(place.source->name));
    buf_printf(b, ",\"line\":%u,\"column\":%u", place.line, place.col);
    add_filled(b, "text", slice_first(line, 4096));
    buf_printf(b, ",\"changed_since_build\":%s}", view_is_stale(e->view, place) ? "true" : "false");
}

static void add_endpoints(struct buf *b, const struct gw_cluster *cluster)
{
    char room[1024];
    struct buf url;

    name_member(b, "failover");
    buf_add_str(b, cluster != NULL && cluster->options.failover ? "true" : "false");
    name_member(b, "endpoints");
    buf_add_char(b, '[');
    for (size_t i = 0; cluster != NULL && i < cluster->n_endpoints; i++) {
        buf_init_fixed(&url, room, sizeof(room));
        view_add_endpoint(&url, &cluster->endpoints[i]);
        buf_add_str(b, i > 0 ? "," : "");
        buf_add_json(b, buf_slice(&url));
    }
    buf_add_char(b, ']');
}

static void add_facts(struct buf *b, const struct enforce_decision *d)
{
    struct place declared;

    name_member(b, "api");
    if (d->api != NULL) {
        buf_add_char(b, '{');
        add_text(b, "name", d->api->name);
        add_text(b, "version", d->api->version);
        add_text(b, "vhost", d->api->vhost);
        add_text(b, "base_path", d->api->base_path);
        buf_add_char(b, '}');
    } else {
        buf_add_str(b, "null");
    }
    add_text(b, "resource", d->resource != NULL ? d->resource->template : SLICE_NONE);
    add_text(b, "operation",
             d->operation != NULL ? slice_of(gw_method_name(d->operation->method)) : SLICE_NONE);
    add_filled(b, "tier",
               d->operation != NULL ? gw_tier(d->api, d->operation, &declared) : SLICE_NONE);
    add_filled(b, "user", d->user);
    add_filled(b, "app", d->app);
    add_filled(b, "keytype", d->keytype);
}

static void add_request(struct buf *b, const struct explanation *x, int64_t now_s)
{
    name_member(b, "request");
    buf_add_char(b, '{');
    add_text(b, "method", x->request->method);
    add_text(b, "host", x->request->host);
    add_text(b, "path", x->request->path);
    add_filled(b, "ip", x->request->ip);
    buf_printf(b, ",\"time\":%lld}", (long long)now_s);
}

static void add_object(struct buf *b, struct explainer *e, const struct explanation *x)
{
    const struct enforce_decision *d = &x->decision;

    buf_printf(b, "{\"schema\":%d", EXPLAIN_SCHEMA);
    add_request(b, x, e->clock.now_wall_s);
    buf_printf(b, ",\"generation\":%llu", (unsigned long long)e->view->model->generation);
    add_text(b, "verdict", slice_of(x->verdict));
    if (x->status != 0)
        buf_printf(b, ",\"status\":%d", x->status);
    else
        buf_add_str(b, ",\"status\":null");
    add_filled(b, "code", d->code);
    add_filled(b, "type", d->content_type);
    add_filled(b, "headers", d->headers);
    add_filled(b, "body", d->body);
    add_filled(b, "challenge", d->challenge);
    add_filled(b, "allow", d->allow);
    add_filled(b, "cors_origin", d->cors.origin);
    add_filled(b, "backend", d->backend);
    add_endpoints(b, x->cluster);
    add_filled(b, "path", d->path);
    add_filled(b, "host", has_own_hosts(x) ? SLICE_NONE : d->host);
    add_filled(b, "removed_header", d->strip_header);
    add_filled(b, "removed_key_headers", d->strip_keys);
    if (d->query_cut) {
        name_member(b, "query_left");
        buf_add_json(b, d->query);
    }
    add_filled(b, "credential_user", d->identity != NULL ? d->identity->user : SLICE_NONE);
    name_member(b, "backend_jwt"); /* it is JSON already */
    buf_add(b, d->verdict == ENFORCE_ALLOW && d->jwt_claims.n > 0 ? d->jwt_claims : SLICE("null"));
    add_facts(b, d);
    add_filled(b, "because", e->trace.n > 0 ? e->trace.why : SLICE_NONE);
    add_cause(b, e);
    add_steps(b, &e->trace);
    explain_add_limits(b, e, x);
    buf_add_str(b, "}\n");
}

int explain_print_json(struct explainer *e, const struct explanation *x, FILE *out)
{
    struct buf b;
    int rc;

    buf_init(&b, JSON_BYTES);
    add_object(&b, e, x);
    rc = buf_error(&b);
    if (rc == CC_OK)
        fwrite(b.p, 1, b.n, out);
    buf_free(&b);
    return rc;
}
