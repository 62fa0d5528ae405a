/* cc-gen rollback. */
#include "generator/cmd.h"

#include "generator/output_rollback.h"
#include "generator/plan.h"

#include <time.h>

static const char *time_text(int64_t seconds, char room[CLOCK_TEXT])
{
    return clock_text(seconds, room) ? room : "?";
}

static void print_list(const struct output_kept *list, size_t n)
{
    char room[CLOCK_TEXT];

    for (size_t i = 0; i < n; i++) {
        printf("%c %llu  %s", list[i].current ? '*' : ' ', (unsigned long long)list[i].generation,
               time_text(list[i].built_s, room));
        if (list[i].haproxy_generation == 0)
            puts("  incomplete");
        else
            printf("  HAProxy %llu\n", (unsigned long long)list[i].haproxy_generation);
    }
}

static void print_list_json(const struct output_kept *list, size_t n)
{
    char room[CLOCK_TEXT];

    printf("{\"schema\":%d,\"generations\":[", PLAN_SCHEMA);
    for (size_t i = 0; i < n; i++)
        printf("%s{\"generation\":%llu,\"haproxyGeneration\":%llu,\"built\":\"%s\","
               "\"complete\":%s,\"current\":%s}",
               i > 0 ? ",\n" : "\n", (unsigned long long)list[i].generation,
               (unsigned long long)list[i].haproxy_generation, time_text(list[i].built_s, room),
               list[i].haproxy_generation != 0 ? "true" : "false",
               list[i].current ? "true" : "false");
    puts("]}");
}

static int list(const struct cmd_work *w, const struct cli_args *args, const char *directory)
{
    struct output_kept *kept = NULL;
    size_t n = 0;
    int rc = output_list(&kept, &n, directory, w->arena, w->diag);

    if (rc == CC_OK && cli_has(args, "json"))
        print_list_json(kept, n);
    else if (rc == CC_OK)
        print_list(kept, n);
    return rc;
}

/* What the switch changed, as plan says it. */
static int print_changes(struct output_rollback *r, const struct cli_args *args,
                         struct arena *arena)
{
    struct plan plan = {
        .built = r->from, .next = r->to, .differs = r->from != r->to, .diff = {.arena = arena}};
    int rc = CC_OK;

    if (r->before != NULL)
        rc = diff_models(&plan.diff, gw_snapshot_model(r->before), gw_snapshot_model(r->after));
    if (rc == CC_OK && r->before != NULL)
        rc = diff_haproxy_mask(&r->haproxy_before, gw_snapshot_model(r->before)->haproxy_generation,
                               arena);
    if (rc == CC_OK)
        rc = diff_haproxy_mask(&r->haproxy_after, gw_snapshot_model(r->after)->haproxy_generation,
                               arena);
    if (rc == CC_OK && r->before != NULL && r->haproxy_changed)
        rc = diff_haproxy(&plan.diff, &r->haproxy_before, &r->haproxy_after);
    if (rc == CC_OK)
        rc = plan_conclude(&plan, r->haproxy_changed);
    if (rc != CC_OK)
        return rc;
    if (cli_has(args, "json"))
        return plan_print_json(&plan, stdout);
    plan_print(&plan, stdout, cli_colour(stdout));
    return CC_OK;
}

static void print_next(const struct output_rollback *r)
{
    if (r->from == r->to) {
        cli_say("%s: generation %llu is the current one already", r->directory,
                (unsigned long long)r->to);
        return;
    }
    cli_say("%s: generation %llu is current, instead of %llu", r->directory,
            (unsigned long long)r->to, (unsigned long long)r->from);
    fputs("next:\n  systemctl reload cc-spoa      (or: kill -HUP its process)\n", stderr);
    if (r->haproxy_changed)
        fputs("  systemctl reload haproxy      (or: kill -USR2 its master process)\n", stderr);
    else
        fputs("  HAProxy needs no reload: its configuration is the same\n", stderr);
}

static int rollback(struct cmd_work *w, const struct cli_args *args, const char *directory,
                    uint64_t wanted)
{
    struct output_options options = {
        .directory = directory,
        .haproxy = cli_value(args, "haproxy"),
        .no_validate = cli_has(args, "no-haproxy-check"),
    };
    struct output_rollback r = {0};
    int rc = output_rollback(&r, &options, wanted, w->arena, w->diag);

    if (rc == CC_OK)
        rc = print_changes(&r, args, w->arena);
    if (rc == CC_OK)
        print_next(&r);
    output_rollback_free(&r);
    return rc;
}

int cmd_rollback(const struct cli_args *args)
{
    const char *directory = cli_value(args, "output");
    uint64_t wanted = 0;
    struct cmd_work w;
    int rc = cmd_work_open(&w);

    if (directory == NULL)
        directory = "out";
    if (args->n_words > 0 &&
        (slice_to_u64(slice_of(args->words[0]), &wanted) != CC_OK || wanted == 0)) {
        cli_say("rollback: '%s' is not the number of a generation", args->words[0]);
        cmd_work_close(&w);
        return CLI_USAGE;
    }
    if (rc == CC_OK)
        rc = cli_has(args, "list") ? list(&w, args, directory)
                                   : rollback(&w, args, directory, wanted);
    if (w.diag != NULL)
        cmd_print_findings(&w, stderr);
    if (w.diag != NULL && rc != CC_OK && cli_has(args, "json"))
        cmd_print_findings_json(w.diag, true);
    cmd_work_close(&w);
    return cmd_exit_code(rc);
}
