#include "generator/agent_denials.h"

#include <stdlib.h>

enum {
    LIST_LINES = 64 << 10, /* at most, together: one for every 14 kB of rules */
    ANSWER_MAX = DENY_FILE_BYTES + LIST_LINES
};

/* "list 17": of another list than before, its rules do not belong to those that were told. */
static int read_list(struct slice number, bool first, uint64_t *list)
{
    uint64_t value;

    if (slice_to_u64(number, &value) != CC_OK)
        return CC_EPARSE;
    if (!first && value != *list)
        return CC_EAGAIN;
    *list = value;
    return CC_OK;
}

static int read_lines(struct slice text, struct gw_deny_rule *rules, size_t *n)
{
    struct slice line, label = SLICE("list ");
    bool first = true;
    uint64_t list = 0;

    while (text.n > 0 && slice_split(&text, '\n', &line)) {
        if (slice_starts(line, label)) {
            int rc = read_list(slice_from(line, label.n), first, &list);

            if (rc != CC_OK)
                return rc;
            first = false;
        } else if (first || *n == DENY_FILE_RULES || !deny_file_read_rule(line, &rules[*n])) {
            return CC_EPARSE;
        } else {
            ++*n;
        }
    }
    /* a list without rules has no number: of this one they are missing */
    return !first && (list == 0) == (*n == 0) ? CC_OK : CC_EPARSE;
}

int agent_denials_read(struct slice answer, struct deny_list **out)
{
    struct gw_deny_rule *rules;
    size_t n = 0;
    int rc;

    *out = NULL;
    if (slice_starts(answer, SLICE("unknown command")) || slice_starts(answer, SLICE("usage:")))
        return CC_EUNSUPPORTED;
    if (!slice_ends(answer, SLICE("\n\n")))
        return CC_EPARSE; /* it was cut off */
    rules = calloc(DENY_FILE_RULES, sizeof(*rules));
    if (rules == NULL)
        return CC_ENOMEM;
    rc = read_lines(slice_first(answer, answer.n - 1), rules, &n);
    if (rc == CC_OK && n > 0)
        rc = deny_list_new(out, rules, n);
    free(rules);
    return rc;
}

int agent_denials_ask(const char *socket, struct deny_list **out)
{
    int64_t deadline_us = clock_mono_us(&clock_system) + (int64_t)AGENT_ASK_MS * 1000;
    struct buf answer;
    int rc;

    *out = NULL;
    buf_init(&answer, ANSWER_MAX);
    rc = agent_ask(socket, SLICE("show deny raw\n"), deadline_us, &answer);
    if (rc == CC_OK)
        rc = agent_denials_read(answer.p != NULL ? buf_slice(&answer) : SLICE(""), out);
    buf_free(&answer);
    return rc;
}
