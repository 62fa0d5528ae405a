#include "spoa/counting.h"

/* What fits into one step of an answer. */
enum { ROWS = 64 };

static void add_row(const struct counter_row *row, struct buf *out)
{
    static const char *const modes[] = {
        [COUNTER_ENFORCE] = "enforce", [COUNTER_SHADOW] = "shadow", [COUNTER_NO_STOP] = "no-stop"};
    static const char *const aways[] = {[COUNTER_AWAY_LOCAL] = "local",
                                        [COUNTER_AWAY_DENY] = "deny",
                                        [COUNTER_AWAY_ALLOW] = "allow"};

    buf_printf(out,
               "used=%llu max=%llu unit=%s window=%s mode=%s over=%llu reset_s=%lld idle_s=%lld",
               (unsigned long long)row->used, (unsigned long long)row->max,
               row->bytes ? "bytes" : "requests", row->sliding ? "sliding" : "fixed",
               modes[row->mode], (unsigned long long)row->over,
               (long long)(row->reset_us + 999999) / 1000000, (long long)row->idle_us / 1000000);
    if (row->away != COUNTER_AWAY_UNSET)
        buf_printf(out, " others=%llu away=%s", (unsigned long long)row->others, aways[row->away]);
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

static bool clear_limit(struct admin_call *call)
{
    if (counting_clear(call->context, call->arg[0])) {
        log_warn("counters: cleared by the admin socket: %" PRIslice, SLICE_ARG(call->arg[0]));
        buf_add_str(call->out, "cleared\n");
    } else {
        buf_add_str(call->out, "nothing is counted for this key\n");
    }
    return false;
}

const struct admin_command counting_commands[] = {
    {"show limits", "[TEXT]", "keys that used most of their quota, of those with TEXT in them", 0,
     1, show_limits},
    {"show limit", "KEY", "what one key has used; blanks in it need a backslash", 1, 1, show_limit},
    {"clear limit", "KEY", "give one key its whole quota back", 1, 1, clear_limit},
};
const size_t counting_n_commands = sizeof counting_commands / sizeof *counting_commands;
