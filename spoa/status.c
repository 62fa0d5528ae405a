#include "spoa/status.h"

#include <unistd.h>

static void add_number(struct buf *out, const char *name, uint64_t value)
{
    buf_printf(out, "%s: %llu\n", name, (unsigned long long)value);
}

bool status_filters_differ(const struct enforce_filters *filters, const struct enforce_rules *rules,
                           struct buf *why)
{
    return filters != NULL && rules != NULL &&
           !enforce_filters_fit(filters, enforce_rules_model(rules), why);
}

static void add_ready(const struct status *s, struct buf *out)
{
    char room[STATUS_WHY_MAX];
    struct buf why;

    buf_init_fixed(&why, room, sizeof room);
    if (status_filters_differ(s->filters, s->rules, &why))
        buf_printf(out, "Ready: no: %" PRIslice "; restart cc-spoa\n", SLICE_ARG(buf_slice(&why)));
    else if (s->revoker != NULL && !revoker_is_ready(s->revoker))
        buf_add_str(out, "Ready: no: what is revoked is not known yet\n");
    else
        buf_add_str(out, "Ready: yes\n");
}

void status_info(const struct status *s, struct buf *out)
{
    buf_add_str(out, "Name: cc-spoa\nVersion: " CC_VERSION "\n");
    add_number(out, "Pid", (uint64_t)getpid());
    add_number(out, "Uptime_sec", (uint64_t)(s->uptime_us / 1000000));
    add_number(out, "Workers", s->n_workers);
    add_number(out, "Connections", s->connections);
    add_number(out, "Max_connections", s->max_connections);
    buf_printf(out, "Draining: %s\n", s->draining ? "yes" : "no");
    if (s->rules != NULL) {
        const struct gw_model *model = enforce_rules_model(s->rules);

        add_number(out, "Generation", model->generation);
        buf_printf(out, "Content: %s\n", enforce_rules_content(s->rules));
        add_number(out, "HAProxy_generation", model->haproxy_generation);
        add_number(out, "APIs", model->n_apis);
        add_ready(s, out);
    }
}

static void add_worker(const struct status *s, size_t i, struct buf *out)
{
    const struct counters *c = worker_counters(s->workers[i]);
    const struct responder *r = s->responders[i];

    buf_printf(out, "worker %zu:", i);
#define X(name, help) buf_printf(out, " " #name "=%llu", (unsigned long long)counter_get(&c->name));
    COUNTERS(X)
#undef X
    if (r->report != NULL)
        r->report(r, out);
}

void status_counters(const struct status *s, struct buf *out)
{
    for (size_t i = 0; i < s->n_workers; i++) {
        add_worker(s, i, out);
        buf_add_char(out, '\n');
    }
    if (s->feeder != NULL) {
        buf_add_str(out, "key sets:");
        jwks_feeder_report(s->feeder, out);
        buf_add_char(out, '\n');
    }
    if (s->introspector != NULL) {
        buf_add_str(out, "introspection:");
        introspector_report(s->introspector, out);
        buf_add_char(out, '\n');
    }
    if (s->signer != NULL)
        buf_printf(out, "signing pool: jwts_signed=%llu\n",
                   (unsigned long long)signer_count(s->signer));
    if (s->counting != NULL) {
        buf_add_str(out, "limits:");
        counting_report(s->counting, out);
        buf_add_char(out, '\n');
    }
    if (s->revoker != NULL) {
        buf_add_str(out, "revocations:");
        revoker_report(s->revoker, out);
        buf_add_char(out, '\n');
    }
    if (s->redis != NULL) {
        buf_add_str(out, "redis:");
        redis_link_report(s->redis, out);
        buf_add_char(out, '\n');
    }
    if (s->admin != NULL) {
        buf_add_str(out, "admin socket:");
        admin_report(s->admin, out);
        buf_add_char(out, '\n');
    }
}

void status_log(const struct status *s)
{
    struct buf lines;
    struct slice rest, line;

    buf_init(&lines, ADMIN_OUT_MAX);
    status_counters(s, &lines);
    rest = buf_slice(&lines);
    while (slice_split(&rest, '\n', &line))
        if (line.n > 0)
            log_info("%" PRIslice, SLICE_ARG(line));
    buf_free(&lines);
}
