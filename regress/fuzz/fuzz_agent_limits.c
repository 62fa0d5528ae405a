/* Fuzz target: what a socket that `cc-gen explain --agent` was pointed at answers, and the keys
 * that it is asked for. An answer is refused or in bounds; no key becomes another command. */
#include "generator/agent_limits.h"

#include "spoa/admin_line.h"

#include <stdlib.h>

static struct enforce_trace trace;

static void check_limit(const struct agent_limit *l)
{
    CC_ASSERT(l->used <= 2 * COUNTER_MAX_QUOTA && l->max <= 2 * COUNTER_MAX_QUOTA);
    CC_ASSERT(l->remaining <= 2 * COUNTER_MAX_QUOTA && l->others <= 2 * COUNTER_MAX_QUOTA);
    CC_ASSERT(l->reset_ms >= 0 && l->reset_ms <= INT64_MAX / 1000);
    CC_ASSERT(l->source < AGENT_SOURCE_COUNT && l->away <= COUNTER_AWAY_ALLOW);
    CC_ASSERT(l->retry_ms >= -1 && l->retry_ms <= INT64_MAX / 1000);
}

static void check_line(struct slice key)
{
    char room[AGENT_LINE_MAX + 1], *at = room, *end;
    struct agent_limits limits = {.n = 1};
    struct admin_words words;
    struct buf line;

    trace.n_limits = 1;
    trace.limits[0] = (struct enforce_trace_limit){.key = key};
    buf_init_fixed(&line, room, sizeof(room));
    CC_ASSERT(agent_limits_line(&trace, 0, &limits, &line) == 1);
    CC_ASSERT(buf_error(&line) == CC_OK && room[line.n - 1] == '\n');
    CC_ASSERT(slice_find(slice_make(room, line.n - 1), '\n') < 0);
    end = room + line.n - 1;
    CC_ASSERT(admin_line_next(&at, end, &words) == ADMIN_LINE_OK && words.n == 2);
    if (limits.limits[0].asked) {
        CC_ASSERT(admin_line_next(&at, end, &words) == ADMIN_LINE_OK && words.n == 5);
        CC_ASSERT(slice_is(words.word[0], "peek") && slice_eq(words.word[2], key));
    }
    CC_ASSERT(at == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_limits limits = {.n = 3};
    struct slice text = slice_make(data, size);

    limits.limits[0].asked = limits.limits[2].asked = true;
    if (agent_limits_read(text, 0, 3, &limits) == CC_OK) {
        CC_ASSERT(limits.counting < AGENT_COUNTING_COUNT && !limits.limits[1].asked);
        CC_ASSERT(strspn(limits.content, "0123456789abcdef") == strlen(limits.content));
        check_limit(&limits.limits[0]);
        check_limit(&limits.limits[2]);
    }
    check_line(text);
    return 0;
}
