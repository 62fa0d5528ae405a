#include "spoa/counting.h"

#include "throttle/counter_words.h"

#include <stdio.h>

/* What fits into one step of an answer. */
enum { ROWS = 64 };

static void add_row(const struct counter_row *row, struct buf *out)
{
    int64_t reset_us = row->max != COUNTER_MAX_QUOTA ? row->reset_us : row->burst_us;
    char max[24] = "none";

    if (row->max != COUNTER_MAX_QUOTA)
        snprintf(max, sizeof(max), "%llu", (unsigned long long)row->max);
    buf_printf(out, "used=%llu max=%s unit=%s window=%s mode=%s over=%llu reset_s=%lld idle_s=%lld",
               (unsigned long long)row->used, max, row->bytes ? "bytes" : "requests",
               row->sliding ? "sliding" : "fixed", counter_modes[row->mode],
               (unsigned long long)row->over, (long long)(reset_us + 999999) / 1000000,
               (long long)row->idle_us / 1000000);
    if (row->away != COUNTER_AWAY_UNSET)
        buf_printf(out, " overshoot=%llu others=%llu away=%s", (unsigned long long)row->overshoot,
                   (unsigned long long)row->others, counter_aways[row->away]);
    if (row->burst_max > 0)
        buf_printf(out, " burst=%u/%u", row->burst_used, row->burst_max);
    buf_printf(out, " key=%s%s\n", row->label, row->cut ? "..." : "");
}

static bool show_limits(struct admin_call *call)
{
    struct counter_table *table = counting_table(call->context);
    struct slice part = call->n_args > 0 ? call->arg[0] : SLICE_NONE;
    struct counter_row rows[ROWS];
    size_t n = counter_top(table, part, counter_now(&clock_system), rows, ROWS);

    for (size_t i = 0; i < n; i++)
        add_row(&rows[i], call->out);
    if (n == ROWS)
        buf_printf(call->out,
                   "(the first %d; show limits TEXT shows keys that have TEXT in them)\n",
                   (int)ROWS);
    return false;
}

static bool show_limit(struct admin_call *call)
{
    struct counter_table *table = counting_table(call->context);
    struct counter_row row;

    if (counter_find(table, call->arg[0], counter_now(&clock_system), &row))
        add_row(&row, call->out);
    else
        buf_add_str(call->out, "nothing is counted for this key\n");
    return false;
}

/* So that who waits as long is not too early; -1 stays. */
static long long ms_up(int64_t us)
{
    return us > 0 ? (long long)(us + 999) / 1000 : us < 0 ? -1 : 0;
}

/* Of numbers and names, for programs: generator/agent_limits.c reads it. */
static void add_look(const struct counter_look *look, enum counting_source source, struct buf *out)
{
    static const char *const sources[] = {
#define X(name, word) [COUNTING_BY_##name] = word,
        COUNTING_SOURCES(X)
#undef X
    };
    const struct counter_state *state = &look->state;
    const struct counter_row *row = &look->row;

    buf_printf(out, "known=%d", state->known);
    if (look->told)
        buf_printf(out,
                   " used=%llu max=%llu remaining=%llu unit=%s window=%s mode=%s reset_ms=%lld "
                   "retry_ms=%lld burst=%d fits=%d others=%llu",
                   (unsigned long long)state->used, (unsigned long long)state->max,
                   (unsigned long long)state->remaining, row->bytes ? "bytes" : "requests",
                   row->sliding ? "sliding" : "fixed", counter_modes[row->mode],
                   ms_up(state->reset_us), ms_up(state->retry_us), state->burst, look->fits,
                   (unsigned long long)row->others);
    buf_printf(out, " shared=%d counting=%s", state->shared,
               look->strict     ? "strict"
               : look->gateways ? "async"
                                : "local");
    if (look->told && row->away != COUNTER_AWAY_UNSET)
        buf_printf(out, " away=%s", counter_aways[row->away]);
    if (look->strict)
        buf_printf(out, " redis=%s", sources[source]);
    buf_add_char(out, '\n');
}

static bool read_word(struct slice *rest, const char *const *words, size_t n, size_t *out)
{
    struct slice word;

    if (!slice_split(rest, ',', &word))
        return false;
    for (*out = 0; *out < n; ++*out)
        if (words[*out] != NULL && slice_is(word, words[*out]))
            return true;
    return false;
}

static bool read_upto(struct slice word, uint64_t least, uint64_t most, uint64_t *out)
{
    return slice_to_u64(word, out) == CC_OK && *out >= least && *out <= most;
}

/* "60000", or "3m" for months. */
static bool read_length(struct slice *rest, struct counter_rule *rule)
{
    struct slice word;
    uint64_t months;

    if (!slice_split(rest, ',', &word) || word.n == 0)
        return false;
    if (word.p[word.n - 1] != 'm')
        return read_upto(word, 1, COUNTER_MAX_WINDOW_MS, &rule->window_ms);
    if (!read_upto(slice_first(word, word.n - 1), 1, COUNTER_MAX_MONTHS, &months))
        return false;
    rule->months = (uint32_t)months;
    return true;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* UNIT,WINDOW,MODE,AWAY,MAX,LENGTH,BURST. How long spike arrest is does not matter to who looks. */
static bool read_rule(struct slice rest, struct counter_rule *out)
{
    size_t unit, window, mode, away;
    struct slice word;
    uint64_t burst;

    *out = (struct counter_rule){.burst_ms = 1};
    if (!read_word(&rest, counter_units, COUNT(counter_units), &unit) ||
        !read_word(&rest, counter_windows, COUNT(counter_windows), &window) ||
        !read_word(&rest, counter_modes, COUNT(counter_modes), &mode) ||
        !read_word(&rest, counter_aways, COUNT(counter_aways), &away) ||
        !slice_split(&rest, ',', &word) || !read_upto(word, 0, COUNTER_MAX_QUOTA, &out->max) ||
        !read_length(&rest, out) || !slice_split(&rest, ',', &word) ||
        !read_upto(word, 0, UINT32_MAX, &burst) || slice_split(&rest, ',', &word))
        return false;
    out->unit = (enum counter_unit)unit;
    out->window = (enum counter_window)window;
    out->mode = (enum counter_mode)mode;
    out->away = (enum counter_away)away;
    out->burst_max = (uint32_t)burst;
    return true;
}

static bool peek_limit(struct admin_call *call)
{
    struct counting_redis *sharing = counting_sharing(call->context);
    enum counting_source source = COUNTING_BY_HERE;
    bool has_rule = call->n_args > 2;
    struct counter_rule rule;
    struct counter_look look;
    uint64_t bytes = 0;

    if (call->n_args > 1 &&
        (slice_to_u64(call->arg[1], &bytes) != CC_OK || bytes > COUNTER_MAX_QUOTA)) {
        buf_add_str(call->out, "BYTES is a number\n");
        return false;
    }
    if (has_rule && !read_rule(call->arg[2], &rule)) {
        buf_add_str(call->out, "RULE is UNIT,WINDOW,MODE,AWAY,MAX,LENGTH,BURST\n");
        return false;
    }
    if (sharing != NULL)
        source =
            counting_redis_look(sharing, call, call->arg[0], has_rule ? &rule : NULL, bytes, &look);
    else
        counter_look(counting_table(call->context), call->arg[0], has_rule ? &rule : NULL, bytes,
                     counter_now(&clock_system), &look);
    if (source == COUNTING_WAITS)
        return true;
    add_look(&look, source, call->out);
    return false;
}

static bool clear_limit(struct admin_call *call)
{
    static const char *const answers[] = {
        [COUNTING_CLEARED] = "cleared",
        [COUNTING_CLEARED_NOT] = "nothing is counted for this key",
        [COUNTING_CLEARED_HERE] =
            "cleared here alone: redis cannot be used, and still has what all "
            "gateways used; clear it again when it is back",
        [COUNTING_CLEARED_LATE] =
            "cleared here, and perhaps in redis, which does not answer in time; "
            "clear it again when it does",
    };
    struct counting_redis *sharing = counting_sharing(call->context);
    enum counting_cleared cleared;

    if (sharing != NULL)
        cleared = counting_redis_clear(sharing, call, call->arg[0]);
    else
        cleared = counter_clear(counting_table(call->context), call->arg[0]) ? COUNTING_CLEARED
                                                                             : COUNTING_CLEARED_NOT;
    if (cleared == COUNTING_CLEARS)
        return true;
    if (cleared != COUNTING_CLEARED_NOT)
        log_warn("counters: by the admin socket: %" PRIslice ": %s", SLICE_ARG(call->arg[0]),
                 answers[cleared]);
    buf_printf(call->out, "%s\n", answers[cleared]);
    return false;
}

const struct admin_command counting_commands[] = {
    {"show limits", "[TEXT]", "keys that used most of their quota, of those with TEXT in them", 0,
     1, show_limits},
    {"show limit", "KEY", "what one key has used; blanks in it need a backslash", 1, 1, show_limit},
    {"peek limit", "KEY [BYTES [RULE]]",
     "for programs: would a request of this key be within its limit?", 1, 3, peek_limit},
    {"clear limit", "KEY", "give one key its whole quota back, at all gateways that share it", 1, 1,
     clear_limit},
};
const size_t counting_n_commands = sizeof counting_commands / sizeof *counting_commands;
