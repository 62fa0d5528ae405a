/* cc-gen explain: what the gateway would do with a request, and why. */
#include "generator/explain.h"
#include "generator/subscriptions.h"

#include <errno.h>

enum { CERTIFICATE_FILE_MAX = 64 << 10, TOKEN_FILE_MAX = 64 << 10, BATCH_FILE_MAX = 256 << 20 };

/* Reads a file, or standard input for "-", as a stream: `--token <(cc-gen token)` is a pipe. */
static int read_stream(struct arena *arena, const char *path, size_t max, struct slice *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char room[8192];
    struct buf b;
    size_t n;
    int rc;

    if (file == NULL)
        return cc_from_errno(errno);
    buf_init(&b, max);
    while (buf_error(&b) == CC_OK && (n = fread(room, 1, sizeof(room), file)) > 0)
        buf_add(&b, slice_make(room, n)); /* a stream may have no end */
    rc = ferror(file) ? CC_EIO : buf_error(&b) == CC_EFULL ? CC_ETOOBIG : buf_error(&b);
    if (rc == CC_OK) {
        *out = arena_dup(arena, b.p != NULL ? buf_slice(&b) : SLICE(""));
        rc = out->p != NULL ? CC_OK : CC_ENOMEM;
    }
    buf_free(&b);
    if (file != stdin)
        fclose(file);
    return rc;
}

/* --- the command line ------------------------------------------------------------------------- */

struct asked {
    bool batch, json;
    int64_t now_s;
    const char *const *dirs;
    size_t n_dirs;
    struct slice token;       /* absent: none was given */
    struct slice ip;          /* the same */
    struct slice certificate; /* DER; the same */
};

static int usage(const char *text)
{
    cli_say("explain: %s", text);
    fputs("  try: cc-gen help explain\n", stderr);
    return CLI_USAGE;
}

static int read_arguments(const struct cli_args *args, struct asked *out)
{
    const char *at = cli_value(args, "at");
    size_t words;

    *out = (struct asked){.batch = cli_has(args, "batch"), .json = cli_has(args, "json")};
    words = out->batch ? 0 : 2;
    if (args->n_words < words)
        return usage("which request? Give METHOD URL, or --batch FILE");
    if (out->batch && (cli_has(args, "header") || cli_has(args, "token")))
        return usage("the lines of --batch have their own headers: -H and --token do not apply");
    out->dirs = args->words + words;
    out->n_dirs = args->n_words - words;
    if (out->n_dirs > 0 && cli_has(args, "output"))
        return usage("-o and project directories are two places to look at: give one of them");
    if (out->n_dirs == 0 &&
        (cli_has(args, "config") || cli_has(args, "set") || cli_has(args, "development")))
        return usage(
            "-c, --set and --development are for project directories; what was built has its "
            "settings");
    out->now_s = clock_wall_s(&clock_system);
    if (at != NULL && explain_time(slice_of(at), &out->now_s) != CC_OK)
        return usage("--at takes a time like 2026-11-22T21:00:00Z, or seconds since 1970");
    return CLI_OK;
}

/* --- one request ------------------------------------------------------------------------------ */

static const char *read_request(const struct cli_args *args, struct arena *arena,
                                struct explain_request *r)
{
    const char *fault = explain_request_init(r, slice_of(args->words[0]), slice_of(args->words[1]));
    const char *header;
    size_t at = 0;

    while (fault == NULL && (header = cli_next(args, "header", &at)) != NULL)
        fault = explain_request_header(r, slice_of(header), arena);
    return fault != NULL ? fault : explain_request_check(r);
}

/* The token goes where the API that the request leads to looks for it. */
static const char *add_token(struct explainer *e, struct explain_request *r, struct slice token)
{
    struct slice header = explain_token_header(e, r);
    struct slice line = arena_printf(e->view->work.arena, "%" PRIslice ": Bearer %" PRIslice,
                                     SLICE_ARG(header), SLICE_ARG(token));

    return line.p != NULL ? explain_request_header(r, line, e->view->work.arena)
                          : "there is no memory for its headers";
}

static int read_ip(const struct cli_args *args, struct arena *arena, struct slice *out)
{
    const char *text = cli_value(args, "ip");
    int rc = CC_OK;

    *out = SLICE_NONE;
    if (text != NULL)
        rc = explain_ip(slice_of(text), arena, out);
    if (rc == CC_EPARSE)
        usage("--ip takes an address like 192.0.2.7 or 2001:db8::1");
    return rc;
}

static int read_token(const struct cli_args *args, struct arena *arena, struct slice *out)
{
    const char *path = cli_value(args, "token");
    int rc = CC_OK;

    *out = SLICE_NONE;
    if (path == NULL)
        return CC_OK;
    rc = read_stream(arena, path, TOKEN_FILE_MAX, out);
    if (rc != CC_OK) {
        cli_say("explain: the token in %s cannot be read: %s", path, cc_strerror(rc));
        return rc;
    }
    while (out->n > 0 && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
        out->n--;
    *out = slice_trim(*out);
    return CC_OK;
}

/* The first certificate of a PEM text, or DER as it is. */
static int read_der(struct slice text, struct arena *arena, struct slice *out)
{
    struct certificates list;
    unsigned line;
    int rc;

    *out = text;
    if (!slice_contains(text, SLICE("-----BEGIN ")))
        return text.n > 0 ? CC_OK : CC_EPARSE;
    rc = certificates_from_pem(&list, text, arena, &line);
    return rc == CC_OK ? peer_der_from_text(list.items[0].pem, arena, out) : rc;
}

static int read_certificate(const struct cli_args *args, struct arena *arena, struct slice *out)
{
    const char *path = cli_value(args, "cert");
    int rc;

    *out = SLICE_NONE;
    if (path == NULL)
        return CC_OK;
    rc = read_stream(arena, path, CERTIFICATE_FILE_MAX, out);
    if (rc == CC_OK)
        rc = read_der(*out, arena, out);
    if (rc != CC_OK)
        cli_say("explain: the certificate in %s cannot be read: %s", path,
                rc == CC_EREFUSED ? "there is a private key in the file; give the certificate alone"
                                  : cc_strerror(rc));
    return rc;
}

static int exit_of(const struct explanation *x)
{
    return strcmp(x->verdict, "deny") == 0 || strcmp(x->verdict, "ask") == 0 ? CLI_FAILED : CLI_OK;
}

/* What this run cannot know. */
static void hint(const struct explanation *x)
{
    if (x->decision.verdict == ENFORCE_PENDING)
        cli_say("explain: only the agent asks the introspection server; what it would say is "
                "--introspection's to tell");
    if (slice_starts(x->decision.reason, slice_of(jwt_fault_text(JWT_KEYS_UNKNOWN))))
        cli_say("explain: only the agent fetches key sets; what it knows is in its "
                "agent.stateDirectory: name that with --state, as a user who may read it");
}

static int print(struct explainer *e, const struct explanation *x, const struct asked *asked)
{
    int rc = CC_OK;

    hint(x);
    if (asked->json)
        rc = explain_print_json(e, x, stdout);
    else if (asked->batch)
        explain_print_line(x, stdout);
    else
        explain_print_text(e, x, stdout);
    if (rc != CC_OK)
        cli_say("explain: the answer cannot be written: %s", cc_strerror(rc));
    return rc == CC_OK ? exit_of(x) : cmd_exit_code(rc);
}

/* Why it is not known what the agent counted, and whom it denies. */
static int agent_failed(const struct explainer *e, int rc)
{
    const char *why = cc_strerror(rc);

    if (rc == CC_EAGAIN)
        why = "it does not answer in time, or is being given other rules";
    else if (rc == CC_ECLOSED)
        why = "nobody listens there, or who does hangs up";
    else if (rc == CC_EUNSUPPORTED)
        why = "the agent is older than this cc-gen: it does not know what it is asked";
    else if (rc == CC_EPARSE)
        why = "what answers there is not the agent's agent.adminSocket";
    cli_say("explain: the agent at %s cannot be asked: %s", e->agent, why);
    return CLI_UNAVAILABLE;
}

/* Once for each of its rules: the agent may be given others while a batch is explained. */
static void tell_rules(struct explainer *e, const struct agent_limits *agent)
{
    bool same_number = agent->generation == e->view->model->generation;

    if (e->agent_heard && strcmp(agent->content, e->agent_content) == 0)
        return;
    e->agent_heard = true;
    memcpy(e->agent_content, agent->content, sizeof(e->agent_content));
    if (!explain_is_agents(e, agent))
        cli_say("explain: the agent runs %sgeneration %llu%s, and this is %s: what it has counted "
                "is shown, but the verdict is not by it",
                same_number ? "another " : "", (unsigned long long)agent->generation,
                same_number ? ", with other content" : "", e->view->from);
}

/* Nothing is told when the agent was to be asked and cannot be: half an answer would pass for a
 * whole one. */
static int explain_and_print(struct explainer *e, const struct explain_request *request,
                             const struct asked *asked)
{
    struct explanation x;
    int rc = explain(e, request, &x);

    if (rc == CC_ENOMEM)
        return cmd_exit_code(rc);
    if (rc != CC_OK)
        return agent_failed(e, rc);
    if (x.live)
        tell_rules(e, &x.limits);
    return print(e, &x, asked);
}

static int explain_one(struct explainer *e, const struct cli_args *args, const struct asked *asked)
{
    struct explain_request request;
    const char *fault = read_request(args, e->view->work.arena, &request);

    if (fault == NULL && asked->token.p != NULL)
        fault = add_token(e, &request, asked->token);
    if (fault != NULL)
        return usage(fault);
    request.ip = asked->ip;
    request.certificate = asked->certificate;
    return explain_and_print(e, &request, asked);
}

/* --- a file of requests ----------------------------------------------------------------------- */

/* The next line that asks something; false at the end. */
static bool next_line(struct slice *rest, unsigned *number, struct slice *line)
{
    while (slice_split(rest, '\n', line)) {
        ++*number;
        if (slice_ends(*line, SLICE("\r")))
            line->n--;
        if (line->n > 0 && line->p[0] != '#')
            return true;
    }
    return false;
}

/* All that is wrong with all lines, before anything is answered. */
static int check_batch(struct view *v, const struct source *source, struct arena *scratch)
{
    struct slice rest = source->text, line;
    unsigned number = 0;
    struct explain_request request;

    while (next_line(&rest, &number, &line)) {
        const char *fault = explain_request_line(&request, line, scratch);

        arena_reset(scratch);
        if (fault != NULL)
            /* not the text of the line: it may hold a token */
            diag_error(v->work.diag, CC7001, (struct place){source, number, 0}, "%s", fault);
    }
    return diag_errors(v->work.diag) > 0 ? CC_EINVAL : CC_OK;
}

/* The exit code: of a refusal when there was one. */
static int explain_lines(struct explainer *e, const struct asked *asked, struct slice rest,
                         struct arena *scratch)
{
    struct explain_request request;
    struct slice line;
    unsigned number = 0;
    int exit_code = CLI_OK;

    while ((exit_code == CLI_OK || exit_code == CLI_FAILED) && next_line(&rest, &number, &line)) {
        int rc;

        CC_ASSERT(explain_request_line(&request, line, scratch) == NULL); /* it was checked */
        request.ip = asked->ip;
        request.certificate = asked->certificate;
        rc = explain_and_print(e, &request, asked);
        exit_code = rc == CLI_OK ? exit_code : rc;
        arena_reset(scratch);
    }
    return exit_code;
}

static int explain_batch(struct explainer *e, const struct cli_args *args,
                         const struct asked *asked)
{
    const char *path = cli_value(args, "batch");
    struct source *source = arena_alloc(e->view->work.arena, sizeof(*source));
    struct arena *scratch = arena_new((size_t)4 * EXPLAIN_MAX_BYTES);
    int exit_code = CLI_SOFTWARE;
    int rc;

    if (source == NULL || scratch == NULL)
        goto out;
    source->name = strcmp(path, "-") == 0 ? "standard input" : path;
    rc = read_stream(e->view->work.arena, path, BATCH_FILE_MAX, &source->text);
    if (rc != CC_OK) {
        diag_error(e->view->work.diag, CC1001, place_file(source), "%s", cc_strerror(rc));
        exit_code = CLI_DATA;
        goto out;
    }
    rc = check_batch(e->view, source, scratch);
    exit_code = rc == CC_OK ? explain_lines(e, asked, source->text, scratch) : CLI_DATA;
out:
    arena_free(&scratch);
    return exit_code;
}

/* ---------------------------------------------------------------------------------------------- */

/* What the agent knows: by options, or with project directories by what their cc.yaml says. */
static int load_state(struct explainer *e, const struct cli_args *args)
{
    const struct config *config = e->view->work.config;
    const char *directory = cli_value(args, "state"), *revoked = cli_value(args, "revoked");
    int rc;

    if (directory == NULL && config != NULL && config->agent.state_directory.n > 0)
        directory = config->agent.state_directory.p;
    if (revoked == NULL && config != NULL && config->security.revocation.file.n > 0)
        revoked = config->security.revocation.file.p;
    rc = directory != NULL ? explainer_load_keys(e, directory) : CC_OK;
    /* a running agent has them itself, and may have others by now */
    if (rc == CC_OK && directory != NULL && !cli_has(args, "agent"))
        rc = explainer_load_denied(e, directory);
    return rc == CC_OK ? explainer_load_revoked(e, revoked, directory) : rc;
}

/* Those of the option, or of the settings where there are settings. */
static int load_subscriptions(struct explainer *e, const struct cli_args *args)
{
    struct cmd_work *w = &e->view->work;
    struct enforce_live *live = NULL;
    struct subs *subs = NULL;
    int rc =
        subscriptions_read(&subs, cli_value(args, "subscriptions"), w->config, w->arena, w->diag);

    if (rc == CC_OK && subs != NULL) {
        rc = enforce_live_with_subs(&live, e->live, subs);
        if (rc == CC_OK) {
            enforce_live_unref(&e->live);
            e->live = live;
        }
    }
    subs_unref(&subs);
    return rc;
}

static int read_introspection(struct explainer *e, const struct cli_args *args)
{
    const char *path = cli_value(args, "introspection");
    int rc;

    if (path == NULL)
        return CC_OK;
    rc = read_stream(e->view->work.arena, path, TOKEN_FILE_MAX, &e->introspection);
    if (rc != CC_OK)
        diag_error(e->view->work.diag, CC1001, PLACE_NONE, "%s: %s", path, cc_strerror(rc));
    return rc;
}

/* Before the first request: whether an agent is there shall not depend on what is asked. */
static int open_agent(struct explainer *e, const struct cli_args *args)
{
    const char *socket = cli_value(args, "agent");
    struct agent_limits agent;
    int rc;

    if (socket == NULL)
        return CLI_OK;
    rc = explainer_ask_agent(e, socket, &agent);
    if (rc != CC_OK)
        return rc == CC_ENOMEM ? cmd_exit_code(rc) : agent_failed(e, rc);
    tell_rules(e, &agent);
    return CLI_OK;
}

static int explain_all(struct view *v, const struct cli_args *args, struct asked *asked)
{
    struct explainer *e = arena_alloc(v->work.arena, sizeof(*e));
    int exit_code = CLI_DATA;
    int rc = e != NULL ? explainer_open(e, v, asked->now_s) : CC_ENOMEM;
    int ip_rc = read_ip(args, v->work.arena, &asked->ip);

    if (rc == CC_OK)
        rc = load_state(e, args);
    if (rc == CC_OK)
        rc = load_subscriptions(e, args);
    if (rc == CC_OK)
        rc = read_introspection(e, args);
    if (rc == CC_OK && v->model->n_filters > 0)
        cli_say("explain: the %zu extensions (enforcer.filters) are not run here",
                v->model->n_filters);
    if (ip_rc == CC_EPARSE)
        exit_code = CLI_USAGE;
    else if (rc != CC_OK || ip_rc != CC_OK)
        exit_code = cmd_exit_code(rc == CC_ENOMEM || ip_rc != CC_OK ? CC_ENOMEM : CC_EINVAL);
    else if (read_token(args, v->work.arena, &asked->token) != CC_OK ||
             read_certificate(args, v->work.arena, &asked->certificate) != CC_OK)
        exit_code = CLI_DATA;
    else if ((exit_code = open_agent(e, args)) == CLI_OK)
        exit_code = asked->batch ? explain_batch(e, args, asked) : explain_one(e, args, asked);
    if (e != NULL)
        explainer_close(e);
    return exit_code;
}

int cmd_explain(const struct cli_args *args)
{
    struct asked asked;
    struct view v;
    int exit_code = read_arguments(args, &asked);
    int rc;

    if (exit_code != CLI_OK)
        return exit_code;
    rc = view_open(&v, args, asked.dirs, asked.n_dirs);
    exit_code = rc == CC_OK ? explain_all(&v, args, &asked) : cmd_exit_code(rc);
    if (v.work.diag != NULL && diag_errors(v.work.diag) > 0)
        cmd_print_findings(&v.work, stderr);
    view_close(&v);
    return exit_code;
}
