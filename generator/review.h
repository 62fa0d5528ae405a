/* review: what lint and audit share.
 *
 * Both look at projects that can be read, and add findings that are no faults of the build: rules
 * in two tables (lib/base/diag_lint.def, diag_audit.def), each with an id that is stable, a
 * severity, a title and a page (`cc-gen help CC8001`). A finding has a place and says what to do.
 */
#pragma once

#include "config/config.h"
#include "doc/doc.h"
#include "gateway/gateway.h"
#include "generator/project.h"

struct review {
    const struct config *config;
    const struct gw_model *model; /* NULL: there were errors */
    const struct project_docs *projects;
    size_t n_projects;
    struct arena *arena;
    struct diag *diag;
    bool ignored[DIAG_CODES]; /* --ignore */
    int rc;                   /* CC_OK, or CC_ENOMEM for good */
};

/* A finding of a rule, in its severity, or NULL when it is ignored. */
struct diag_item *review_add(struct review *r, enum diag_code rule, struct place place,
                             const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Array memory; NULL and r->rc set without. */
void *review_alloc(struct review *r, size_t count, size_t size);

/* The severity of a rule; false when the code is no rule. */
bool review_severity(enum diag_code code, enum diag_severity *out);

/* The rules of lint and audit over everything in `r`. */
void lint_projects(struct review *r);
void audit_projects(struct review *r);
/* What audit finds in cc.yaml, and in the files that it and the gateway depend on. */
void audit_settings(struct review *r);
void audit_files(struct review *r, const char *config_path, const char *output);
