/* explain: the limits of a request. What is known of their counters comes from a running agent. */
#include "generator/explain.h"

#include "throttle/counter_words.h"

enum { TEXT_ROOM = 4800, NAME_SHOWN = 255 };

bool explain_is_agents(const struct explainer *e, const struct agent_limits *agent)
{
    return agent->content[0] != '\0' &&
           strcmp(agent->content, gw_snapshot_hash(e->view->snapshot)) == 0;
}

/* What this request takes of the limit. */
static uint64_t need_of(const struct enforce_trace *trace, size_t i)
{
    return trace->limits[i].rule.unit == COUNTER_BYTES ? trace->limit_bytes : 1;
}

/* A key that the agent does not know has its whole quota. */
static struct agent_limit state_of(const struct enforce_trace *trace, size_t i,
                                   const struct agent_limits *limits)
{
    const struct counter_rule *rule = &trace->limits[i].rule;
    struct agent_limit state = limits->limits[i];

    if (state.told || !state.asked)
        return state;
    state.max = state.remaining = rule->max;
    state.fits = rule->max > 0 && need_of(trace, i) <= rule->max;
    state.retry_ms = state.fits ? 0 : -1;
    return state;
}

void explain_judge_limits(const struct enforce_trace *trace, const struct agent_limits *limits,
                          struct counter_result *out)
{
    uint64_t least = UINT64_MAX;

    *out = (struct counter_result){.refused = -1, .tightest = -1};
    for (size_t i = 0; i < trace->n_limits; i++) {
        bool enforced = trace->limits[i].rule.mode == COUNTER_ENFORCE;
        struct agent_limit state = state_of(trace, i, limits);

        if (!state.asked)
            continue;
        out->over |= state.fits ? 0 : UINT32_C(1) << i;
        if (out->refused >= 0 || !enforced || (state.fits && state.remaining >= least))
            continue;
        least = state.remaining;
        out->tightest = (int)i;
        out->refused = state.fits ? -1 : (int)i;
        out->state =
            (struct counter_state){.max = state.max,
                                   .used = state.used,
                                   .remaining = state.remaining,
                                   .reset_us = state.reset_ms * 1000,
                                   .retry_us = state.retry_ms < 0 ? -1 : state.retry_ms * 1000,
                                   .burst = state.burst,
                                   .shared = state.shared,
                                   .away = state.source > AGENT_BY_REDIS,
                                   .known = state.known};
    }
}

/* --- text ------------------------------------------------------------------------------------ */

static void add_quota(struct buf *b, const struct counter_rule *rule)
{
    const struct gw_quota quota = {.count = rule->max,
                                   .period_s = rule->window_ms / 1000,
                                   .months = rule->months,
                                   .bandwidth = rule->unit == COUNTER_BYTES};
    const struct gw_quota burst = {.count = rule->burst_max, .period_s = rule->burst_ms / 1000};

    if (rule->max != COUNTER_MAX_QUOTA)
        gw_quota_text(&quota, b);
    if (rule->burst_max == 0)
        return;
    buf_add_str(b, rule->max != COUNTER_MAX_QUOTA ? ", of which " : "");
    gw_quota_text(&burst, b);
}

static unsigned long long seconds_up(int64_t ms)
{
    return ms > 0 ? ((unsigned long long)ms + 999) / 1000 : 0;
}

/* The numbers are not those that would decide if Redis could be asked. */
static void add_source(struct buf *b, const struct agent_limit *state)
{
    if (state->source <= AGENT_BY_REDIS)
        return;
    buf_printf(b, "; %s", agent_source_text(state->source));
    if (state->away != COUNTER_AWAY_UNSET)
        buf_printf(b, ": away: %s", counter_aways[state->away]);
}

/* Of a limit that this request is not within: why, and how long. */
static void add_refusal(struct buf *b, const struct agent_limit *state, uint64_t need)
{
    if (state->source > AGENT_BY_REDIS && state->away == COUNTER_AWAY_DENY)
        buf_add_str(b, "; refused");
    else if (state->retry_ms < 0)
        buf_add_str(b, "; this request is larger than the quota");
    else if (state->burst)
        buf_printf(b, "; too many at once, free again in %llu s", seconds_up(state->retry_ms));
    else if (state->remaining > 0 &&
             state->remaining >= need) /* there is some, and others may have it */
        buf_printf(b, "; this gateway's part of it is used up, free again in %llu s",
                   seconds_up(state->retry_ms));
    else if (state->remaining > 0)
        buf_printf(b, "; does not fit: %llu left, %llu asked; fits in %llu s",
                   (unsigned long long)state->remaining, (unsigned long long)need,
                   seconds_up(state->retry_ms));
    else
        buf_printf(b, "; used up, free again in %llu s", seconds_up(state->retry_ms));
}

static void add_state(struct buf *b, const struct counter_rule *rule,
                      const struct agent_limit *state, uint64_t need)
{
    if (rule->max != COUNTER_MAX_QUOTA)
        buf_printf(b, "%llu of ", (unsigned long long)state->used);
    add_quota(b, rule);
    buf_add_str(b, rule->max != COUNTER_MAX_QUOTA ? " used" : "");
    if (state->others > 0)
        buf_printf(b, ", %llu by other gateways", (unsigned long long)state->others);
    add_source(b, state);
    if (!state->fits)
        add_refusal(b, state, need);
    else if (state->reset_ms > 0)
        buf_printf(b, "; free again in %llu s", seconds_up(state->reset_ms));
    if (state->shared)
        buf_add_str(b, "; for want of room counted together with others, who are not shown");
}

static void add_limit(struct buf *b, const struct enforce_trace *trace, size_t i,
                      const struct explanation *x)
{
    const struct enforce_trace_limit *limit = &trace->limits[i];
    struct agent_limit state = state_of(trace, i, &x->limits);

    buf_printf(b, "%s %" PRIslice ": ", gw_level_name(limit->policy->level),
               SLICE_ARG(slice_first(limit->policy->name, NAME_SHOWN)));
    if (x->live && state.asked)
        add_state(b, &limit->rule, &state, need_of(trace, i));
    else
        add_quota(b, &limit->rule);
    if (x->live && !state.asked)
        buf_add_str(b, "; its key cannot be asked for");
    if (limit->rule.mode != COUNTER_ENFORCE)
        buf_add_str(b, ", not refused");
    buf_add_str(b, ", ");
    view_add_place(b, limit->policy->origin);
}

static void print_row(FILE *out, const char *name, const struct buf *b)
{
    fprintf(out, "%-10s ", name);
    view_print(out, buf_slice(b));
    fputc('\n', out);
}

static bool is_by_redis(const struct explainer *e, const struct explanation *x)
{
    for (size_t i = 0; i < e->trace.n_limits; i++)
        if (x->limits.limits[i].asked && x->limits.limits[i].source != AGENT_BY_REDIS)
            return false;
    return true;
}

void explain_print_limits(struct explainer *e, const struct explanation *x, FILE *out)
{
    char room[TEXT_ROOM];
    struct buf b;

    for (size_t i = 0; i < e->trace.n_limits; i++) {
        buf_init_fixed(&b, room, sizeof(room));
        add_limit(&b, &e->trace, i, x);
        print_row(out, "limit", &b);
    }
    if (!x->live)
        return;
    buf_init_fixed(&b, room, sizeof(room));
    buf_printf(&b, "generation %llu, counts %s", (unsigned long long)x->limits.generation,
               agent_counting_name(x->limits.counting));
    if (x->limits.counting == AGENT_COUNTS_STRICT)
        buf_add_str(&b, is_by_redis(e, x) ? ": the values are those of Redis"
                                          : ": Redis is away, the values are the agent's own");
    if (!x->judged)
        buf_add_str(&b, "; it has other rules: the verdict is not by its counters");
    print_row(out, "agent", &b);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void add_u64(struct buf *b, const char *name, uint64_t value)
{
    buf_printf(b, ",\"%s\":", name);
    buf_add_u64(b, value);
}

static void add_ms(struct buf *b, const char *name, int64_t ms)
{
    if (ms < 0)
        buf_printf(b, ",\"%s\":null", name);
    else
        add_u64(b, name, (uint64_t)ms);
}

static void add_policy(struct buf *b, const struct enforce_trace_limit *limit)
{
    const struct counter_rule *rule = &limit->rule;
    char room[TEXT_ROOM];
    struct buf place;

    buf_init_fixed(&place, room, sizeof(room));
    view_add_place(&place, limit->policy->origin);
    buf_printf(b, "{\"level\":\"%s\",\"policy\":", gw_level_name(limit->policy->level));
    buf_add_json(b, limit->policy->name);
    buf_add_str(b, ",\"origin\":");
    buf_add_json(b, buf_slice(&place));
    buf_add_str(b, ",\"key\":");
    buf_add_json(b, limit->key);
    buf_printf(b, ",\"unit\":\"%s\",\"window\":\"%s\",\"mode\":\"%s\"", counter_units[rule->unit],
               counter_windows[rule->window], counter_modes[rule->mode]);
    if (rule->max == COUNTER_MAX_QUOTA)
        buf_add_str(b, ",\"max\":null");
    else
        add_u64(b, "max", rule->max);
    add_u64(b, "window_ms", rule->months > 0 ? 0 : rule->window_ms);
    add_u64(b, "months", rule->months);
    add_u64(b, "burst_max", rule->burst_max);
    add_u64(b, "burst_ms", rule->burst_max > 0 ? rule->burst_ms : 0);
}

static void add_values(struct buf *b, const struct agent_limit *state)
{
    add_u64(b, "used", state->used);
    add_u64(b, "remaining", state->remaining);
    add_u64(b, "others", state->others);
    add_ms(b, "reset_ms", state->reset_ms);
    add_ms(b, "retry_ms", state->retry_ms);
    buf_printf(b, ",\"known\":%s,\"shared\":%s,\"burst\":%s,\"fits\":%s", truth(state->known),
               truth(state->shared), truth(state->burst), truth(state->fits));
    if (state->source == AGENT_BY_HERE)
        buf_add_str(b, ",\"redis\":null");
    else
        buf_printf(b, ",\"redis\":\"%s\"", agent_source_name(state->source));
    if (state->away == COUNTER_AWAY_UNSET)
        buf_add_str(b, ",\"away\":null");
    else
        buf_printf(b, ",\"away\":\"%s\"", counter_aways[state->away]);
}

void explain_add_limits(struct buf *b, struct explainer *e, const struct explanation *x)
{
    if (x->live)
        buf_printf(b,
                   ",\"agent\":{\"generation\":%llu,\"content\":\"%s\",\"counting\":\"%s\","
                   "\"judged\":%s}",
                   (unsigned long long)x->limits.generation, x->limits.content,
                   agent_counting_name(x->limits.counting), truth(x->judged));
    else
        buf_add_str(b, ",\"agent\":null");
    buf_add_str(b, ",\"limits\":[");
    for (size_t i = 0; i < e->trace.n_limits; i++) {
        struct agent_limit state = state_of(&e->trace, i, &x->limits);

        buf_add_str(b, i > 0 ? "," : "");
        add_policy(b, &e->trace.limits[i]);
        if (x->live && state.asked)
            add_values(b, &state);
        else
            buf_add_str(b, ",\"used\":null,\"remaining\":null,\"others\":null,\"reset_ms\":null,"
                           "\"retry_ms\":null,\"known\":null,\"shared\":null,\"burst\":null,"
                           "\"fits\":null,\"redis\":null,\"away\":null");
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}
