/* plan: what a build (or a rollback) would change, who has to be told, and why; as lines for people
 * and as JSON for programs. Pure but for the printing. */
#pragma once

#include "generator/diff_haproxy.h"

#include <stdio.h>

enum { PLAN_SCHEMA = 1 };

enum plan_agent { PLAN_AGENT_NOTHING, PLAN_AGENT_START, PLAN_AGENT_SIGHUP, PLAN_AGENT_RESTART };

struct plan {
    uint64_t built, next; /* generations; built == 0: nothing is built */
    bool rebuild; /* a build would make a new generation, */
    bool differs; /* in which more than places in files differs */
    struct diff diff;
    bool reload;       /* HAProxy must be reloaded */
    struct slice *why; /* the reasons */
    size_t n_why;
    enum plan_agent agent;
};

/* Fills in `why` and `agent` from the rest. `haproxy_changed`: HAProxy's half is another. In
 * plan->diff.arena; CC_ENOMEM. */
int plan_conclude(struct plan *plan, bool haproxy_changed);

/* One line a change and two at the end, "needs reload: ..." and "agent: ...". */
void plan_print(const struct plan *plan, FILE *out, bool colour);

/* One JSON object. The schema is in docs/cli.md. CC_ENOMEM, CC_EFULL. */
int plan_print_json(const struct plan *plan, FILE *out);
