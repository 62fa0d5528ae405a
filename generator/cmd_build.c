/* cc-gen check, cc-gen build. */
#include "generator/cmd.h"

#include "generator/cmd_cache.h"
#include "generator/output.h"
#include "generator/progress.h"
#include "generator/subscriptions.h"
#include "revoke/revoke_read.h"

#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int cmd_work_open(struct cmd_work *w)
{
    *w = (struct cmd_work){.arena = arena_new(CMD_ARENA_BYTES), .diag = diag_new()};
    if (w->arena == NULL || w->diag == NULL)
        return CC_ENOMEM;
    diag_set_reader(w->diag, project_reread, &w->rereader);
    return CC_OK;
}

void cmd_work_close(struct cmd_work *w)
{
    diag_free(&w->diag);
    project_rereader_free(&w->rereader);
    arena_free(&w->arena);
}

int cmd_load_config(struct cmd_work *w, const struct cli_args *args,
                    const struct config_override *first, size_t n_first)
{
    struct config_override *overrides;
    size_t n = 0, at = 0;
    const char *set;

    overrides = arena_array(w->arena, n_first + args->n_given, sizeof(*overrides));
    if (overrides == NULL)
        return CC_ENOMEM;
    for (; n < n_first; n++)
        overrides[n] = first[n];
    while ((set = cli_next(args, "set", &at)) != NULL) {
        struct slice value = slice_of(set), name;

        slice_split(&value, '=', &name); /* cli_parse() saw to it that there is a '=' */
        overrides[n++] = (struct config_override){name, value};
    }
    return config_load(&w->config, cli_value(args, "config"), environ, overrides, n, w->arena,
                       w->diag);
}

int cmd_load_model(struct cmd_work *w, const struct cli_args *args,
                   const struct project_options *options)
{
    return project_build_model(&w->model, args->words, args->n_words, w->config, options, w->arena,
                               w->diag);
}

int cmd_exit_code(int rc)
{
    switch (rc) {
    case CC_OK:
        return CLI_OK;
    case CC_EREFUSED:
        return CLI_FAILED;
    case CC_ECHILD:
        return CLI_UNAVAILABLE;
    case CC_EACCESS:
        return CLI_CANTCREATE;
    case CC_EIO:
        return CLI_IOERR;
    case CC_ENOMEM:
        cli_say("%s", cc_strerror(rc));
        return CLI_SOFTWARE;
    default:
        return CLI_DATA;
    }
}

void cmd_print_findings(const struct cmd_work *w, FILE *out)
{
    diag_print(w->diag, out, cli_colour(out));
}

int cmd_print_findings_json(const struct diag *d, bool failed)
{
    struct buf text;
    int rc;

    buf_init(&text, (size_t)1 << 30);
    buf_add_str(&text, "{\"schema\":1,\"findings\":");
    diag_add_json(d, &text);
    buf_printf(&text, ",\"errors\":%zu,\"warnings\":%zu,\"infos\":%zu,\"failed\":%s}\n",
               diag_errors(d), diag_warnings(d), diag_infos(d), failed ? "true" : "false");
    rc = buf_error(&text);
    if (rc == CC_OK)
        fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
    return rc;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

void cmd_print_summary(const struct cmd_work *w, FILE *out, size_t n_projects)
{
    size_t errors = diag_errors(w->diag), warnings = diag_warnings(w->diag);

    fprintf(out, "%zu error%s, %zu warning%s in %zu project%s\n", errors, plural(errors), warnings,
            plural(warnings), n_projects, plural(n_projects));
}

int cmd_load(struct cmd_work *w, const struct cli_args *args, const struct config_override *first,
             size_t n_first, struct project_options *options)
{
    int rc = cmd_load_config(w, args, first, n_first);

    options->resolve = cli_has(args, "resolve");
    options->inputs = &w->inputs;
    if (w->config != NULL) {
        /* Also after findings in cc.yaml: one run shows those of the projects as well. */
        options->settings_refused = rc != CC_OK;
        int model_rc = cmd_load_model(w, args, options);

        rc = rc != CC_OK ? rc : model_rc;
    }
    if (rc == CC_OK && diag_errors(w->diag) > 0)
        rc = CC_EINVAL;
    return rc == CC_OK || rc == CC_ENOMEM ? rc : CC_EINVAL;
}

/* Not a part of a build: cc-spoa reads them itself, maybe on another machine. */
static int check_subscriptions(struct cmd_work *w, int model_rc)
{
    struct subs *subs;
    int rc = subscriptions_read(&subs, NULL, w->config, w->arena, w->diag);

    if (rc == CC_OK && model_rc == CC_OK)
        rc = subscriptions_check(subs, w->config, w->model, w->arena, w->diag);
    subs_unref(&subs);
    return model_rc != CC_OK ? model_rc : rc;
}

/* The same. */
static int check_revoked(struct cmd_work *w, int before)
{
    const struct slice file = w->config->security.revocation.file;
    struct revoked *table = NULL;
    int rc = CC_OK;

    if (file.n > 0)
        rc = revoked_new(&table, 1);
    if (rc == CC_OK && file.n > 0)
        rc = revoke_read(file.p, table, clock_wall_s(&clock_system), w->arena, w->diag);
    revoked_free(&table);
    return before != CC_OK ? before : rc == CC_OK || rc == CC_ENOMEM ? rc : CC_EINVAL;
}

int cmd_check(const struct cli_args *args)
{
    struct cmd_work w;
    struct project_options options = {0};
    int rc = cmd_work_open(&w);

    if (rc != CC_OK)
        goto out;
    rc = cmd_load(&w, args, NULL, 0, &options);
    if (w.config != NULL && rc != CC_ENOMEM)
        rc = check_revoked(&w, check_subscriptions(&w, rc));
    if (cli_has(args, "json")) {
        int json_rc = cmd_print_findings_json(w.diag, rc != CC_OK);

        rc = rc != CC_OK ? rc : json_rc;
    } else {
        cmd_print_findings(&w, stdout);
        cmd_print_summary(&w, stdout, args->n_words);
    }
out:
    cmd_work_close(&w);
    return cmd_exit_code(rc);
}

static size_t count_resources(const struct gw_model *model)
{
    size_t n = 0;

    for (size_t i = 0; i < model->n_apis; i++)
        n += model->apis[i].n_resources;
    return n;
}

static void print_built(const struct gw_model *model, const struct output_result *result)
{
    size_t resources = count_resources(model);
    const char *dir = result->directory;

    cli_say("%s: generation %llu %s: %zu API%s, %zu resource%s, %zu cluster%s", dir,
            (unsigned long long)result->generation, result->changed ? "built" : "is unchanged",
            model->n_apis, plural(model->n_apis), resources, plural(resources), model->n_clusters,
            plural(model->n_clusters));
    if (!result->changed)
        return;
    if (result->generation == 1) {
        fprintf(stderr,
                "next:\n"
                "  cc-spoa -s %s/gateway.json      start the agent\n"
                "  haproxy -f YOUR.cfg -f %s/haproxy/cc.cfg      add the gateway to your HAProxy\n"
                "or, where nothing else uses HAProxy:\n"
                "  haproxy -f %s/haproxy/standalone.cfg -f %s/haproxy/cc.cfg\n",
                dir, dir, dir, dir);
        return;
    }
    fputs("next:\n"
          "  systemctl reload cc-spoa      (or: kill -HUP its process)\n",
          stderr);
    if (result->haproxy_changed)
        fputs("  systemctl reload haproxy      (or: kill -USR2 its master process)\n", stderr);
    else
        fputs("  HAProxy needs no reload: its configuration is the same\n", stderr);
}

int cmd_build(const struct cli_args *args)
{
    const char *directory = cli_value(args, "output");
    struct output_options output = {
        .directory = directory != NULL ? directory : "out",
        .templates = cli_value(args, "templates"),
        .haproxy = cli_value(args, "haproxy"),
        .now_ns = cli_has(args, "no-cache") ? 0 : clock_wall_s(&clock_system) * 1000000000,
        .no_validate = cli_has(args, "no-haproxy-check"),
        .config_path = cli_value(args, "config"),
    };
    struct progress progress;
    struct project_options options = {.progress = progress_projects, .progress_context = &progress};
    struct output_result result;
    struct cmd_work w;
    int rc = cmd_work_open(&w);

    progress_begin(&progress);
    if (rc == CC_OK)
        rc = cmd_cache_open(&w, args, output.directory, &options.cache);
    if (rc == CC_OK)
        rc = cmd_load(&w, args, NULL, 0, &options);
    progress_step(&progress, "writing and checking the generation");
    output.inputs = &w.inputs;
    if (rc == CC_OK)
        rc = output_build(w.model, w.config, &output, w.arena, w.diag, &result);
    progress_end(&progress);
    if (rc == CC_OK)
        cmd_cache_save(options.cache);
    if (w.diag != NULL)
        cmd_print_findings(&w, stderr);
    if (rc == CC_OK)
        print_built(w.model, &result);
    else if (w.diag != NULL && diag_errors(w.diag) > 0)
        cmd_print_summary(&w, stderr, args->n_words);
    cmd_work_close(&w);
    return cmd_exit_code(rc);
}
