/* explain: one request, decided offline by the engine that the agent runs, and told in words.
 *
 *   explain_request.h   what is asked       view.h   about which snapshot
 *   explain.c           the decision        explain_print.c   text and JSON
 *   explain_keys.c      fetched keys       explain_revoked.c   revoked tokens, deny rules
 *   explain_limits.c    what counters of a running agent say, and how that is printed */
#pragma once

#include "enforce/trace.h"
#include "generator/agent_limits.h"
#include "generator/explain_request.h"
#include "generator/view.h"

enum { EXPLAIN_SCHEMA = 1 }; /* of the JSON; counts up when a member changes its meaning */

struct explainer {
    struct view *view;
    struct enforce_rules *rules;
    struct enforce_live *live;  /* what the agent has saved; or NULL */
    struct slice introspection; /* what the introspection server answers; absent: nobody knows */
    struct revoked *revoked;    /* NULL: nothing is known of revoked tokens */
    const char *agent;          /* admin socket of a running agent; NULL: none is asked */
    /* what it was last heard to run, and whether it was heard at all */
    char agent_content[AGENT_CONTENT_HEX + 1];
    bool agent_heard;
    struct enforce_reply *replies[ENFORCE_WAIT_COUNT]; /* while a request is decided */
    struct enforce_worker *worker;
    struct enforce_header *headers; /* view->model->n_headers */
    struct clock_fixed clock;
    struct enforce_trace trace;
};

/* What was asked and what came of it; valid until the next explain(). */
struct explanation {
    const struct explain_request *request;
    const char *verdict; /* "allow", "answer", "deny", "ready", "health", "ask" */
    struct enforce_decision decision;
    int status;                       /* 0: the backend's to choose */
    const struct gw_cluster *cluster; /* of an allowed request */
    struct slice removed; /* a header that was needed and that HAProxy removes; or empty */
    bool live;            /* the agent was asked: `limits` is what it says of those in the trace */
    bool judged; /* and has the rules that were explained: the verdict is by its counters */
    struct agent_limits limits;
};

/* Findings go to the view's diag. `e` may be closed in any case. */
int explainer_open(struct explainer *e, struct view *view, int64_t now_s);
/* From now on, tokens are looked at with the key sets that the agent saved in this directory. Those
 * that are not there stay unknown. */
int explainer_load_keys(struct explainer *e, const char *directory);
/* From now on, the tokens that this file says are revoked (NULL: none), and those that the agent
 * saved in the directory (NULL: none), are refused. */
int explainer_load_revoked(struct explainer *e, const char *file, const char *directory);
/* From now on, the deny rules that the agent saved in this directory hold, too. */
int explainer_load_denied(struct explainer *e, const char *directory);
/* From now on, these hold besides those of the snapshot; NULL: none. Takes over the reference. */
int explainer_set_denied(struct explainer *e, struct deny_list *list);
void explainer_close(struct explainer *e);

/* From now on, the agent with this admin socket is asked for its counters, and the deny rules that
 * it was given by command until now hold, and no saved ones. CC_OK, or as agent_limits_ask() and
 * agent_denials_ask() when it cannot be; *limits tells which rules it has. */
int explainer_ask_agent(struct explainer *e, const char *socket, struct agent_limits *limits);

/* CC_OK, or as agent_limits_ask(): then `out` is what can be said without the agent. */
int explain(struct explainer *e, const struct explain_request *request, struct explanation *out);

/* Are the agent's rules those that are explained? By what they are: two builds may have the same
 * number. */
bool explain_is_agents(const struct explainer *e, const struct agent_limits *agent);

/* What would become of the limits of the trace, by what the agent said of them. */
void explain_judge_limits(const struct enforce_trace *trace, const struct agent_limits *limits,
                          struct counter_result *out);

void explain_print_limits(struct explainer *e, const struct explanation *x, FILE *out);
/* ,"agent":{...},"limits":[...] */
void explain_add_limits(struct buf *b, struct explainer *e, const struct explanation *x);

/* The header in which the API that this request leads to looks for its token. */
struct slice explain_token_header(const struct explainer *e, const struct explain_request *request);

void explain_print_text(struct explainer *e, const struct explanation *x, FILE *out);
/* One line: "GET http://... deny 401 900901" */
void explain_print_line(const struct explanation *x, FILE *out);
/* One object on one line. CC_OK or the buffer's error. */
int explain_print_json(struct explainer *e, const struct explanation *x, FILE *out);
