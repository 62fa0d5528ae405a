/* cc-gen lint, cc-gen audit. */
#include "generator/cmd.h"

#include "generator/review.h"

/* --- options --------------------------------------------------------------------------------- */

static bool take_severity(const char *command, const char *text, enum diag_severity *out)
{
    *out = DIAG_ERROR;
    if (text == NULL)
        return true;
    for (unsigned s = DIAG_ERROR; s <= DIAG_INFO; s++) {
        if (strcmp(text, diag_severity_name((enum diag_severity)s)) == 0) {
            *out = (enum diag_severity)s;
            return true;
        }
    }
    cli_say("%s: --fail-severity takes error, warning or info, not '%s'", command, text);
    return false;
}

static bool ignore_one(struct review *r, const char *command, struct slice id)
{
    enum diag_severity severity;

    for (unsigned code = 0; code < DIAG_CODES; code++) {
        if (slice_eq_nocase(id, slice_of(diag_code_name((enum diag_code)code))) &&
            review_severity((enum diag_code)code, &severity)) {
            r->ignored[code] = true;
            return true;
        }
    }
    cli_say("%s: --ignore takes ids of rules, as CC8001; '%" PRIslice "' is none", command,
            SLICE_ARG(id));
    return false;
}

static bool take_ignored(struct review *r, const struct cli_args *args)
{
    const char *value;
    size_t at = 0;

    while ((value = cli_next(args, "ignore", &at)) != NULL) {
        struct slice list = slice_of(value), id;

        while (slice_split(&list, ',', &id)) {
            if (!ignore_one(r, args->command->name, slice_trim(id)))
                return false;
        }
    }
    return true;
}

/* --- results --------------------------------------------------------------------------------- */

static bool fails(const struct diag *d, enum diag_severity severity)
{
    return diag_errors(d) > 0 || (severity >= DIAG_WARNING && diag_warnings(d) > 0) ||
           (severity >= DIAG_INFO && diag_infos(d) > 0);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static int print_result(const struct review *r, const struct cli_args *args,
                        enum diag_severity severity)
{
    const struct diag *d = r->diag;
    bool failed = fails(d, severity);

    if (cli_has(args, "json")) {
        int rc = cmd_print_findings_json(d, failed);

        return rc != CC_OK ? rc : failed ? CC_EREFUSED : CC_OK;
    }
    diag_print(d, stdout, cli_colour(stdout));
    printf("%zu error%s, %zu warning%s, %zu info%s in %zu project%s\n", diag_errors(d),
           plural(diag_errors(d)), diag_warnings(d), plural(diag_warnings(d)), diag_infos(d),
           plural(diag_infos(d)), args->n_words, plural(args->n_words));
    return failed ? CC_EREFUSED : CC_OK;
}

/* --- the commands ---------------------------------------------------------------------------- */

/* Reads cc.yaml and the projects. What `check` would refuse comes first, on standard error; what
 * can be read is reviewed all the same, so that one run shows everything. */
static int load(struct cmd_work *w, const struct cli_args *args, struct review *r)
{
    struct project_options options = {0};
    int rc;

    r->arena = w->arena;
    options.docs = arena_array(w->arena, args->n_words, sizeof(*options.docs));
    if (options.docs == NULL)
        return CC_ENOMEM;
    rc = cmd_load_config(w, args, NULL, 0);
    if (w->config == NULL)
        return rc;
    r->config = w->config;
    r->projects = options.docs;
    r->n_projects = args->n_words;
    if (cmd_load_model(w, args, &options) == CC_ENOMEM)
        return CC_ENOMEM;
    r->model = w->model;
    return diag_errors(w->diag) > 0 ? CC_EINVAL : CC_OK;
}

typedef void reviewer(struct review *r, const struct cli_args *args);

static int review(const struct cli_args *args, reviewer *look)
{
    struct review r = {.rc = CC_OK, .diag = diag_new()};
    enum diag_severity severity;
    struct cmd_work w;
    int loaded = CC_OK, rc = cmd_work_open(&w);

    if (rc != CC_OK || r.diag == NULL) {
        rc = CC_ENOMEM;
        goto out;
    }
    if (!take_severity(args->command->name, cli_value(args, "fail-severity"), &severity) ||
        !take_ignored(&r, args)) {
        diag_free(&r.diag);
        cmd_work_close(&w);
        return CLI_USAGE;
    }
    loaded = load(&w, args, &r);
    if (loaded != CC_OK)
        cmd_print_findings(&w, stderr);
    if (r.config != NULL && loaded != CC_ENOMEM)
        look(&r, args);
    rc = r.rc != CC_OK ? r.rc : print_result(&r, args, severity);
out:
    diag_free(&r.diag);
    cmd_work_close(&w);
    return cmd_exit_code(loaded != CC_OK ? loaded : rc);
}

static void look_lint(struct review *r, const struct cli_args *args)
{
    (void)args;
    lint_projects(r);
}

static void look_audit(struct review *r, const struct cli_args *args)
{
    const char *output = cli_value(args, "output");

    audit_projects(r);
    audit_settings(r);
    audit_files(r, cli_value(args, "config"), output != NULL ? output : "out");
}

int cmd_lint(const struct cli_args *args)
{
    return review(args, look_lint);
}

int cmd_audit(const struct cli_args *args)
{
    return review(args, look_audit);
}
