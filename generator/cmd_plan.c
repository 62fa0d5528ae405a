/* cc-gen plan. */
#include "generator/cmd.h"
#include "generator/cmd_cache.h"

#include "generator/output_plan.h"
#include "generator/plan.h"
#include "generator/plan_shared.h"

/* What is built cannot be compared: say so instead of calling everything new. */
static int add_fault(struct plan *plan, const struct output_plan *found)
{
    struct diff_change *change =
        diff_add(&plan->diff, DIFF_CHANGED, DIFF_FILE, SLICE("gateway.json"));

    if (change == NULL)
        return CC_ENOMEM;
    change->before = slice_of(found->fault);
    change->after = SLICE("a new one; what changes in it cannot be told");
    return CC_OK;
}

static int compare(struct plan *plan, const struct output_plan *found, const struct cmd_work *w)
{
    const struct gw_model *built =
        found->snapshot != NULL ? gw_snapshot_model(found->snapshot) : NULL;
    int rc = CC_OK;

    plan->built = found->built;
    plan->rebuild = !found->same_model || !found->same_haproxy;
    plan->next = plan->rebuild ? found->next : found->built;
    plan->diff.arena = w->arena;
    if (!plan->rebuild)
        return plan_conclude(plan, false);
    if (found->fault != NULL)
        rc = add_fault(plan, found);
    else
        rc = diff_models(&plan->diff, built, w->model);
    if (rc == CC_OK && found->built != 0 && !found->same_haproxy)
        rc = diff_settings(&plan->diff, &found->manifest, w->config);
    if (rc == CC_OK && found->built != 0 && !found->same_haproxy)
        rc = diff_haproxy(&plan->diff, &found->before, &found->after);
    /* Nothing that has a meaning, and yet a build would make other bytes of it. */
    if (rc == CC_OK && plan->diff.n == 0 &&
        diff_add(&plan->diff, DIFF_CHANGED, DIFF_PLACES, SLICE("lines or order in files")) == NULL)
        rc = CC_ENOMEM;
    if (rc == CC_OK)
        rc = diff_setting_places(&plan->diff, w->config);
    plan->differs = diff_is_semantic(&plan->diff) || !found->same_haproxy;
    return rc == CC_OK ? plan_conclude(plan, !found->same_haproxy) : rc;
}

static void print_sum(const struct plan *plan, const char *directory)
{
    unsigned long long next = plan->next;

    if (!plan->rebuild)
        cli_say("%s: generation %llu is what would be built", directory, next);
    else if (!plan->differs)
        cli_say("%s: generation %llu would be built, but nothing is decided differently: only "
                "places in files, which its messages name, are others",
                directory, next);
    else
        cli_say("%s: generation %llu would be built: %zu added, %zu changed, %zu removed",
                directory, next, diff_count(&plan->diff, DIFF_ADDED, DIFF_KIND_COUNT),
                diff_count(&plan->diff, DIFF_CHANGED, DIFF_KIND_COUNT),
                diff_count(&plan->diff, DIFF_REMOVED, DIFF_KIND_COUNT));
}

int cmd_plan(const struct cli_args *args)
{
    const char *directory = cli_value(args, "output");
    struct output_options output = {
        .directory = directory != NULL ? directory : "out",
        .templates = cli_value(args, "templates"),
        .config_path = cli_value(args, "config"),
    };
    struct project_options options = {0};
    struct output_plan found = {0};
    struct plan plan = {0};
    struct cmd_work w;
    int rc = cmd_work_open(&w);

    if (rc == CC_OK)
        rc = cmd_cache_open(&w, args, output.directory, &options.cache);
    if (rc == CC_OK)
        rc = cmd_load(&w, args, NULL, 0, &options);
    if (rc == CC_OK)
        rc = output_plan(&found, w.model, w.config, &output, w.arena, w.diag);
    if (rc == CC_OK)
        rc = compare(&plan, &found, &w);
    if (w.diag != NULL)
        cmd_print_findings(&w, stderr);
    if (rc == CC_OK && cli_has(args, "json")) {
        rc = plan_print_json(&plan, stdout);
    } else if (w.diag != NULL && cli_has(args, "json")) {
        cmd_print_findings_json(w.diag, true); /* rc says already that it failed */
    } else if (rc == CC_OK) {
        plan_print(&plan, stdout, cli_colour(stdout));
        plan_print_shared(w.model, w.config, stdout);
        print_sum(&plan, found.directory);
    } else if (w.diag != NULL && diag_errors(w.diag) > 0) {
        cmd_print_summary(&w, stderr, args->n_words);
    }
    output_plan_free(&found);
    cmd_work_close(&w);
    if (rc != CC_OK)
        return rc == CC_ENOMEM ? cmd_exit_code(rc) : CLI_FAILED;
    return plan.differs ? CLI_DIFFERS : CLI_OK;
}
