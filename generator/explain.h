/* explain: one request, decided offline by the engine that the agent runs, and told in words.
 *
 *   explain_request.h   what is asked       view.h   about which snapshot
 *   explain.c           the decision        explain_print.c   text and JSON
 *   explain_keys.c      fetched keys       explain_revoked.c   revoked tokens, deny rules */
#pragma once

#include "enforce/trace.h"
#include "generator/explain_request.h"
#include "generator/view.h"

enum { EXPLAIN_SCHEMA = 1 }; /* of the JSON; counts up when a member changes its meaning */

struct explainer {
    struct view *view;
    struct enforce_rules *rules;
    struct enforce_live *live;  /* what the agent has saved; or NULL */
    struct slice introspection; /* what the introspection server answers; absent: nobody knows */
    struct revoked *revoked;    /* NULL: nothing is known of revoked tokens */
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
};

/* Findings go to the view's diag. `e` may be closed in any case. */
int explainer_open(struct explainer *e, struct view *view, int64_t now_s);
/* From now on, tokens are looked at with the key sets that the agent saved in this directory. Those
 * that are not there stay unknown. */
int explainer_load_keys(struct explainer *e, const char *directory);
/* From now on, the tokens that this file says are revoked (NULL: none), and those that the agent
 * saved in the directory (NULL: none), are refused. */
int explainer_load_revoked(struct explainer *e, const char *file, const char *directory);
/* From now on, the deny rules that the agent saved in this directory hold, too. Before
 * subscriptions are loaded. */
int explainer_load_denied(struct explainer *e, const char *directory);
void explainer_close(struct explainer *e);

void explain(struct explainer *e, const struct explain_request *request, struct explanation *out);

/* The header in which the API that this request leads to looks for its token. */
struct slice explain_token_header(const struct explainer *e, const struct explain_request *request);

void explain_print_text(struct explainer *e, const struct explanation *x, FILE *out);
/* One line: "GET http://... deny 401 900901" */
void explain_print_line(const struct explanation *x, FILE *out);
/* One object on one line. CC_OK or the buffer's error. */
int explain_print_json(struct explainer *e, const struct explanation *x, FILE *out);
