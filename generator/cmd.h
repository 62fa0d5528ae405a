/* cmd: what the commands of cc-gen share: memory, findings, loading of cc.yaml and projects. */
#pragma once

#include "config/config.h"
#include "generator/cli.h"
#include "generator/project.h"
#include "generator/project_source.h"

/* The bound is for a thousand large API projects; memory is taken only as it is needed. */
#define CMD_ARENA_BYTES ((size_t)2 << 30)

/* What one command works on. All of it lives until cmd_work_close(). */
struct cmd_work {
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    struct gw_model *model;
    struct project_inputs inputs; /* what the model was made from */
    struct project_rereader rereader;
};

/* `w` may be closed in any case. */
int cmd_work_open(struct cmd_work *w);
void cmd_work_close(struct cmd_work *w);

/* Loads cc.yaml (-c) under the overrides `first`, then --set; then the projects that the words of
 * the command line name (options->resolve is set from --resolve). CC_EINVAL after findings. */
int cmd_load(struct cmd_work *w, const struct cli_args *args, const struct config_override *first,
             size_t n_first, struct project_options *options);

/* Its two halves. */
int cmd_load_config(struct cmd_work *w, const struct cli_args *args,
                    const struct config_override *first, size_t n_first);
int cmd_load_model(struct cmd_work *w, const struct cli_args *args,
                   const struct project_options *options);

void cmd_print_findings(const struct cmd_work *w, FILE *out);
/* {"schema":1,"findings":[...],"errors":..,"warnings":..,"infos":..,"failed":BOOL} on standard output;
 * CC_ENOMEM, CC_EFULL. */
int cmd_print_findings_json(const struct diag *d, bool failed);
/* "2 errors, 1 warning in 3 projects" */
void cmd_print_summary(const struct cmd_work *w, FILE *out, size_t n_projects);

/* The enum cli_exit for an enum cc_error. */
int cmd_exit_code(int rc);
