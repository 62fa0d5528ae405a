#include "spoa/denials.h"

#include <stdlib.h>

struct denials {
    struct denials_options options;
    struct deny_list *list; /* NULL: no rules */
    ev_timer retry;
    bool unsaved; /* the file has not what the list has */
};

static void on_retry(struct ev_loop *loop, ev_timer *timer, int revents);

int denials_new(struct denials **out, const struct denials_options *options)
{
    struct denials *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return CC_ENOMEM;
    d->options = *options;
    d->retry.data = d;
    ev_init(&d->retry, on_retry);
    d->retry.repeat = (ev_tstamp)options->retry_ms / 1000;
    *out = d;
    return CC_OK;
}

/* What is wrong is in the log once, until it works again. */
static int save(struct denials *d)
{
    const char *directory = d->options.directory;
    int rc = directory != NULL ? deny_file_write(directory, d->list) : CC_OK;

    if (rc == CC_OK) {
        ev_timer_stop(d->options.loop, &d->retry);
        if (d->unsaved)
            log_info("deny rules: saved again, in %s/" DENY_FILE_NAME, directory);
    } else {
        ev_timer_again(d->options.loop, &d->retry);
        if (!d->unsaved)
            log_error("deny rules cannot be saved in %s: %s; they hold until the agent ends, and "
                      "it is tried again",
                      directory, cc_strerror(rc));
    }
    d->unsaved = rc != CC_OK;
    return rc;
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    save(timer->data);
}

void denials_free(struct denials **d)
{
    if (*d == NULL)
        return;
    if ((*d)->unsaved && save(*d) != CC_OK)
        log_error("deny rules: the last changes are not in %s/" DENY_FILE_NAME
                  ": a restarted agent does not know of them",
                  (*d)->options.directory);
    ev_timer_stop((*d)->options.loop, &(*d)->retry);
    deny_list_unref(&(*d)->list);
    free(*d);
    *d = NULL;
}

static void publish(struct denials *d)
{
    d->options.publish(d->options.context, d->list != NULL ? deny_list_ref(d->list) : NULL);
}

static int64_t now(const struct denials *d)
{
    return clock_wall_s(d->options.clock);
}

static size_t count(const struct denials *d)
{
    return d->list != NULL ? deny_list_count(d->list) : 0;
}

static bool same(const struct gw_deny_rule *a, const struct gw_deny_rule *b)
{
    return a->kind == b->kind && a->invert == b->invert && slice_eq(a->value, b->value);
}

int denials_restore(struct denials *d)
{
    const char *directory = d->options.directory;
    int rc = directory != NULL ? deny_file_read(&d->list, directory) : CC_OK;

    if (rc == CC_OK) {
        if (d->list == NULL)
            return CC_OK;
        log_info("deny rules: %zu, saved in %s/" DENY_FILE_NAME, count(d), directory);
        publish(d);
    } else if (rc == CC_EPARSE || rc == CC_EVERSION) {
        log_error("deny rules: %s/" DENY_FILE_NAME " is %s, and with it a rule may be missing; put "
                  "it right, or remove it to go on without those that were added by command",
                  directory, rc == CC_EPARSE ? "damaged" : "of another version");
    } else if (rc == CC_EREFUSED) {
        log_error("deny rules: %s/" DENY_FILE_NAME " could have been written by others: file and "
                  "directory must belong to this user or root, and nobody else may write them",
                  directory);
    } else {
        log_error("deny rules: %s/" DENY_FILE_NAME " cannot be read: %s", directory,
                  cc_strerror(rc));
    }
    return rc;
}

/* A rule that cannot be saved holds nevertheless; who gave it is told. */
static void save_and_tell(struct denials *d, struct buf *out)
{
    int rc = save(d);

    if (rc != CC_OK)
        buf_printf(out, "but not saved: %s/" DENY_FILE_NAME ": %s; it is tried again\n",
                   d->options.directory, cc_strerror(rc));
}

/* The rules that still hold, without `but`, and with `add` (each may be NULL), in place of the
 * list. *left_out: how many equal `but`. */
static int replace(struct denials *d, const struct gw_deny_rule *but,
                   const struct gw_deny_rule *add, size_t *left_out)
{
    struct gw_deny_rule *rules = calloc(count(d) + 1, sizeof(*rules));
    int64_t now_s = now(d);
    struct deny_list *list = NULL;
    size_t n = 0;
    int rc = rules != NULL ? CC_OK : CC_ENOMEM;

    *left_out = 0;
    for (size_t i = 0; rc == CC_OK && i < count(d); i++) {
        const struct gw_deny_rule *r = deny_list_at(d->list, i);

        if (but != NULL && same(r, but))
            (*left_out)++;
        else if (r->until_s == 0 || r->until_s > now_s)
            rules[n++] = *r;
    }
    if (rc == CC_OK && add != NULL)
        rules[n++] = *add;
    if (rc == CC_OK && n > DENIALS_MAX)
        rc = CC_EFULL;
    if (rc == CC_OK && n > 0)
        rc = deny_list_new(&list, rules, n);
    free(rules);
    if (rc != CC_OK)
        return rc;
    deny_list_unref(&d->list);
    d->list = list;
    publish(d);
    return CC_OK;
}

/* --- commands -----------------------------------------------------------------------------------
 */

/* WORD VALUE, the last word of which *i is behind then. */
static bool take_pair(const struct admin_call *call, size_t *i, const char *word, struct slice *out)
{
    if (*i + 2 > call->n_args || !slice_is(call->arg[*i], word))
        return false;
    *out = call->arg[*i + 1];
    *i += 2;
    return true;
}

/* [from TIME] [until TIME | for SECONDS]; without `from`, the seconds begin now. */
static bool parse_times(const struct admin_call *call, size_t i, int64_t now_s,
                        struct gw_deny_rule *out, const char **said)
{
    struct slice text;
    uint64_t seconds;

    *said = "behind the value there can be: invert, from TIME, and until TIME or for SECONDS; TIME "
            "is like 2030-01-31T00:00:00Z";
    if (take_pair(call, &i, "from", &text) && clock_parse(text, &out->from_s) != CC_OK)
        return false;
    if (out->from_s <= now_s)
        out->from_s = 0; /* it has begun */
    if (take_pair(call, &i, "until", &text)) {
        if (clock_parse(text, &out->until_s) != CC_OK || i != call->n_args)
            return false;
        *said = "that time is over before it begins";
        return out->until_s > (out->from_s > 0 ? out->from_s : now_s);
    }
    if (take_pair(call, &i, "for", &text)) {
        if (slice_to_u64(text, &seconds) != CC_OK || seconds == 0 || seconds > UINT32_MAX) {
            *said = "SECONDS is a number from 1 to 4294967295";
            return false;
        }
        out->until_s = (out->from_s > 0 ? out->from_s : now_s) + (int64_t)seconds;
    }
    return i == call->n_args;
}

/* KIND VALUE [invert] and times. False: *said is what is wrong. */
static bool parse(const struct admin_call *call, int64_t now_s, struct gw_deny_rule *out,
                  const char **said)
{
    size_t i = 2;

    *out = (struct gw_deny_rule){.value = call->arg[1]};
    *said = "the kind is api, application, user, subscription or ip";
    if (!gw_denial_find(call->arg[0], &out->kind))
        return false;
    *said = deny_file_fault(out);
    if (*said != NULL)
        return false;
    if (i < call->n_args && slice_is(call->arg[i], "invert")) {
        out->invert = true;
        i++;
    }
    return parse_times(call, i, now_s, out, said);
}

/* As it is written in a command. */
static void add_text(const struct gw_deny_rule *r, struct buf *out)
{
    buf_printf(out, "%s ", gw_denial_name(r->kind));
    for (size_t i = 0; i < r->value.n; i++) {
        if (slice_find(SLICE(" \t;\\"), r->value.p[i]) >= 0)
            buf_add_char(out, '\\');
        buf_add_char(out, r->value.p[i]);
    }
    buf_add_str(out, r->invert ? " invert" : "");
}

static void add_time(const char *word, int64_t at_s, struct buf *out)
{
    char text[CLOCK_TEXT];

    clock_text(at_s, text);
    buf_printf(out, " %s %s", word, text);
}

/* What is left of its times, so that it can be added elsewhere. */
static void add_times(const struct gw_deny_rule *r, int64_t now_s, struct buf *out)
{
    bool begun = r->from_s <= now_s;

    if (!begun)
        add_time("from", r->from_s, out);
    if (r->until_s > 0)
        buf_printf(out, " for %lld", (long long)(r->until_s - (begun ? now_s : r->from_s)));
}

static bool add_deny(struct admin_call *call)
{
    struct denials *d = call->context;
    struct gw_deny_rule rule;
    const char *said;
    size_t left_out;
    int rc;

    if (!parse(call, now(d), &rule, &said) ||
        (said = gw_denial_fault(rule.kind, rule.value)) != NULL) {
        buf_printf(call->out, "not added: %s\n", said);
        return false;
    }
    rc = replace(d, &rule, &rule, &left_out);
    if (rc != CC_OK) {
        buf_printf(call->out, "not added: %s\n", cc_strerror(rc));
        return false;
    }
    log_warn("deny rule added by the admin socket: %s %" PRIslice "%s", gw_denial_name(rule.kind),
             SLICE_ARG(rule.value), rule.invert ? " invert" : "");
    buf_add_str(call->out, left_out > 0 ? "replaced\n" : "added\n");
    save_and_tell(d, call->out);
    return false;
}

static bool del_deny(struct admin_call *call)
{
    struct denials *d = call->context;
    struct gw_deny_rule rule;
    const char *said;
    size_t left_out = 0;
    int rc = CC_OK;

    if (!parse(call, now(d), &rule, &said)) {
        buf_printf(call->out, "not removed: %s\n", said);
        return false;
    }
    rc = replace(d, &rule, NULL, &left_out);
    if (rc != CC_OK) {
        buf_printf(call->out, "not removed: %s\n", cc_strerror(rc));
    } else if (left_out == 0) {
        buf_add_str(call->out, "there is no such rule; those of policy files end with a build\n");
    } else {
        log_warn("deny rule removed by the admin socket: %s %" PRIslice "%s",
                 gw_denial_name(rule.kind), SLICE_ARG(rule.value), rule.invert ? " invert" : "");
        buf_add_str(call->out, "removed\n");
        save_and_tell(d, call->out);
    }
    return false;
}

/* For people: those that are not over, as they could be added elsewhere. */
static void show_rule(const struct gw_deny_rule *r, int64_t now_s, struct buf *out)
{
    if (r->until_s > 0 && r->until_s <= now_s)
        return;
    add_text(r, out);
    add_times(r, now_s, out);
    buf_add_char(out, '\n');
}

/* In steps; a list that changed meanwhile is shown from the same number on. For programs, who shall
 * not take two halves for a whole, each step begins with the number of its list. */
static bool show_deny(struct admin_call *call)
{
    const struct denials *d = call->context;
    bool raw = call->n_args > 0;
    size_t start = call->out->n;

    if (raw && !slice_is(call->arg[0], "raw")) {
        buf_add_str(call->out, "usage: show deny [raw]\n");
        return false;
    }
    if (raw) {
        buf_add_str(call->out, "list ");
        buf_add_u64(call->out, d->list != NULL ? deny_list_serial(d->list) : 0);
        buf_add_char(call->out, '\n');
    }
    for (; call->cursor < count(d); call->cursor++) {
        const struct gw_deny_rule *r = deny_list_at(d->list, (size_t)call->cursor);

        if (call->out->n - start > ADMIN_STEP_BYTES - 3 * DENY_FILE_VALUE_BYTES)
            return true;
        if (raw)
            deny_file_add_rule(call->out, r);
        else
            show_rule(r, now(d), call->out);
    }
    return false;
}

const struct admin_command denials_commands[] = {
    {"show deny", "[raw]", "deny rules that were added here, not those of policy files", 0, 1,
     show_deny},
    {"add deny", "KIND VALUE [invert] [from TIME] [until TIME | for SECONDS]",
     "deny api, application, user, subscription or ip", 2, 7, add_deny},
    {"del deny", "KIND VALUE [invert]", "remove a deny rule that was added here", 2, 3, del_deny},
};
const size_t denials_n_commands = sizeof denials_commands / sizeof *denials_commands;
