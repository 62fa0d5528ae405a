/* Any bytes as the state file of counters; then the table that came of it is used, listed and
 * written. */
#include "throttle/counter_state_format.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct counter_table *t, const struct counter_rule *rule, struct slice key,
                struct counter_time now)
{
    const struct counter_limit limit = {rule, key, NULL};
    struct counter_result r;

    counter_take(t, &limit, 1, 3, now, &r);
    CC_ASSERT(r.refused < 0 ? r.state.used <= rule->max : r.state.retry_us != 0);
}

/* Makes all checksums right that have a place, so that what they cover is looked at too. */
static void seal(char *p, size_t size)
{
    struct hash_key secret;
    size_t n = STATE_HEADER_BYTES;

    if (size < STATE_HEADER_BYTES)
        return;
    memcpy(&secret, p + 16, sizeof(secret));
    while (n <= size && size - n >= STATE_SUM_BYTES) {
        uint64_t sum = hash_slice(&secret, slice_make(p, n));
        uint32_t bytes;

        memcpy(p + n, &sum, STATE_SUM_BYTES);
        p += n + STATE_SUM_BYTES;
        size -= n + STATE_SUM_BYTES;
        if (size < STATE_BLOCK_BYTES)
            return;
        memcpy(&bytes, p, sizeof(bytes));
        n = (size_t)STATE_BLOCK_BYTES + bytes;
    }
}

static void use(struct slice text)
{
    static const struct counter_rule rules[] = {
        {.max = 100, .window_ms = 60000},
        {.max = 100, .window_ms = 60000, .window = COUNTER_SLIDING, .unit = COUNTER_BYTES},
        {.max = 7, .months = 1, .burst_max = 3, .burst_ms = 100},
    };
    struct counter_time now = {INT64_C(1000000000), 1700000000};
    struct counter_boot boot = {"0123"};
    struct counter_state_report report;
    struct counter_table *t = NULL;
    struct counter_row rows[8];
    size_t n;

    CC_ASSERT(counter_table_new(&t, COUNTER_MIN_KEYS) == CC_OK);
    if (counter_state_parse(t, text, boot, now, &report) == CC_OK) {
        n = counter_top(t, SLICE_NONE, now, rows, 8);
        CC_ASSERT(n <= 8 && n <= report.loaded);
        for (unsigned round = 0; round < 3; round++, now.mono_us += 40000000)
            for (size_t i = 0; i < 3; i++)
                for (size_t k = 0; k < n; k++)
                    ask(t, &rules[(i + round) % 3], slice_of(rows[k].label), now);
        counter_top(t, SLICE("a"), now, rows, 8);
    }
    counter_table_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);

    CC_ASSERT(copy != NULL);
    memcpy(copy, data, size);
    use(slice_make(copy, size));
    seal(copy, size);
    use(slice_make(copy, size));
    free(copy);
    return 0;
}
