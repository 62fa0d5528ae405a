/* cc-gen doctor. */
#include "generator/cmd.h"

#include "generator/doctor.h"

static const char *or_else(const char *value, const char *other)
{
    return value != NULL ? value : other;
}

/* Settings that cannot be read are a finding of their own, and end what depends on them. */
static int load(struct cmd_work *w, const struct cli_args *args, struct doctor *d)
{
    int rc = cmd_load_config(w, args, NULL, 0);

    if (rc == CC_ENOMEM)
        return rc;
    if (rc == CC_OK && diag_errors(w->diag) == 0) {
        d->config = w->config;
        doctor_say(d, DOCTOR_OK, DOCTOR_SETTINGS, NULL, "%s",
                   or_else(cli_value(args, "config"), "the defaults; there is no -c"));
    } else {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_SETTINGS, "correct them; the findings say where",
                   "%s has %zu error%s; what depends on settings was not looked at",
                   or_else(cli_value(args, "config"), "the environment or --set"),
                   diag_errors(w->diag), diag_errors(w->diag) == 1 ? "" : "s");
    }
    return CC_OK;
}

static int report(const struct doctor *d, const struct cli_args *args)
{
    int rc = CC_OK;

    if (cli_has(args, "json"))
        rc = doctor_print_json(d, stdout);
    else
        doctor_print(d, stdout, cli_colour(stdout));
    cli_say("doctor: %zu ok, %zu to look at, %zu wrong", doctor_count(d, DOCTOR_OK),
            doctor_count(d, DOCTOR_WARN), doctor_count(d, DOCTOR_FAIL));
    return rc;
}

int cmd_doctor(const struct cli_args *args)
{
    struct cmd_work w;
    int rc = cmd_work_open(&w);
    struct doctor *d = rc == CC_OK ? arena_alloc(w.arena, sizeof(*d)) : NULL;

    if (d == NULL) {
        cmd_work_close(&w);
        return cmd_exit_code(CC_ENOMEM);
    }
    *d = (struct doctor){
        .arena = w.arena,
        .directory = or_else(cli_value(args, "output"), "out"),
        .haproxy = cli_value(args, "haproxy"),
        .spoa = cli_value(args, "spoa"),
        .haproxy_user = cli_value(args, "haproxy-user"),
        .haproxy_config = cli_value(args, "haproxy-config"),
        .now_s = clock_wall_s(&clock_system),
    };
    rc = load(&w, args, d);
    cmd_print_findings(&w, stderr);
    if (rc == CC_OK) {
        doctor_run(d);
        rc = report(d, args);
    }
    if (rc == CC_OK && doctor_count(d, DOCTOR_FAIL) > 0)
        rc = CC_EREFUSED;
    doctor_close(d);
    cmd_work_close(&w);
    return cmd_exit_code(rc);
}
