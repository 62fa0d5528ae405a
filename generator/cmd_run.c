/* cc-gen run: the gateway for development, with one command. */
#include "generator/cmd.h"

#include "crypto/crypto.h"
#include "generator/devkey.h"
#include "generator/output.h"
#include "generator/program.h"
#include "generator/run_children.h"
#include "generator/run_probe.h"
#include "generator/run_talk.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READY_TIMEOUT_MS = 15000,
    PROBE_TIMEOUT_MS = 1000,
    PROBE_PAUSE_MS = 50,
    STOP_GRACE_MS = 5000,
    CERTIFICATE_DAYS = 30,
    PEM_MAX_BYTES = 64 << 10,
    MAX_OVERRIDES = 16,
    PASSWORD_BYTES = 15 /* 20 characters */
};

/* Children in the order of their start; they are ended in the reverse order, HAProxy first, so that
 * no request meets a gateway without an agent. */
enum { AGENT, HAPROXY, CHILDREN };

struct run {
    struct cmd_work w;
    const struct cli_args *args;
    char directory[64];         /* private; "" = not made yet */
    const char *haproxy, *spoa; /* programs */
    struct config_override overrides[MAX_OVERRIDES];
    size_t n_overrides;
    bool self_signed;
    char password[PASSWORD_BYTES / 3 * 4 + 1]; /* of /testkey; "": not made by us */
    struct child children[CHILDREN];
    sigset_t waited;
};

static int find_programs(struct run *r)
{
    const char *haproxy = cli_value(r->args, "haproxy");
    const char *spoa = cli_value(r->args, "spoa");

    r->haproxy = program_find(haproxy != NULL ? haproxy : "haproxy", r->w.arena);
    if (r->haproxy == NULL) {
        cli_say("run: there is no program '%s'; install it (apt-get install haproxy) or name it "
                "with --haproxy",
                haproxy != NULL ? haproxy : "haproxy");
        return CC_ECHILD;
    }
    if (spoa == NULL)
        r->spoa = program_beside("cc-spoa", r->w.arena);
    if (r->spoa == NULL)
        r->spoa = program_find(spoa != NULL ? spoa : "cc-spoa", r->w.arena);
    if (r->spoa == NULL) {
        cli_say("run: there is no program '%s'; name it with --spoa",
                spoa != NULL ? spoa : "cc-spoa");
        return CC_ECHILD;
    }
    return CC_OK;
}

/* A private directory (mkdtemp: 0700) whose name leaves room for a socket's: unix socket paths end
 * at 107 bytes, and HAProxy adds a suffix while it binds. */
static int make_directory(struct run *r)
{
    static const char name[] = "cc-gen.XXXXXX";
    const char *parent = getenv("TMPDIR");
    int n;

    if (parent == NULL || parent[0] != '/' || strlen(parent) + sizeof(name) >= sizeof(r->directory))
        parent = "/tmp";
    n = snprintf(r->directory, sizeof(r->directory), "%s/%s", parent, name);
    CC_ASSERT(n > 0 && (size_t)n < sizeof(r->directory));
    if (mkdtemp(r->directory) != NULL)
        return CC_OK;
    cli_say("run: no private directory can be made in %s: %s", parent, strerror(errno));
    r->directory[0] = '\0';
    return CC_EACCESS;
}

/* The path of `name` in the private directory. */
static struct slice private_path(struct run *r, const char *name)
{
    return arena_printf(r->w.arena, "%s/%s", r->directory, name);
}

static void override(struct run *r, const char *name, struct slice value)
{
    CC_ASSERT(r->n_overrides < MAX_OVERRIDES);
    r->overrides[r->n_overrides++] = (struct config_override){slice_of(name), value};
}

static int write_certificate(struct run *r, struct slice cert_path, struct slice key_path)
{
    struct key *key = NULL;
    struct buf text;
    int rc = key_generate(&key, KEY_EC_P256);

    buf_init(&text, PEM_MAX_BYTES);
    if (rc == CC_OK)
        rc = key_write_certificate(key, "localhost", CERTIFICATE_DAYS, &text);
    if (rc == CC_OK)
        rc = file_write_atomic(cert_path.p, buf_slice(&text), 0600);
    buf_reset(&text);
    if (rc == CC_OK)
        rc = key_write_private(key, &text);
    if (rc == CC_OK)
        rc = file_write_atomic(key_path.p, buf_slice(&text), 0600);
    buf_free(&text);
    key_free(&key);
    if (rc != CC_OK)
        cli_say("run: the development certificate cannot be made: %s", cc_strerror(rc));
    r->self_signed = rc == CC_OK;
    return rc;
}

static bool is_default(const struct config *config, const char *name)
{
    struct buf origin;
    bool is;

    buf_init(&origin, 4096);
    is = config_origin(config, name, &origin) && slice_is(buf_slice(&origin), "default");
    buf_free(&origin);
    return is;
}

/* /testkey with the development key, and a password that is new each time: it goes to the agent in
 * the environment, since everybody may look at command lines. */
static int choose_testkey(struct run *r, const struct config *config)
{
    const char *key = devkey_path(KEY_RSA, r->w.arena, r->w.diag);
    unsigned char bytes[PASSWORD_BYTES];
    struct buf password;

    if (key == NULL)
        return CC_EINVAL;
    override(r, "enforcer.jwtIssuer.enabled", SLICE("true"));
    override(r, "enforcer.jwtIssuer.issuer", slice_of(devkey_issuer(KEY_RSA)));
    override(r, "enforcer.jwtIssuer.privateKeyPath", slice_of(key));
    override(r, "enforcer.jwtIssuer.publicCertificatePath", SLICE(""));
    override(r, "enforcer.jwtIssuer.signingAlgorithm", SLICE("RS256"));
    if (config->jwt_issuer.n_users > 0)
        return CC_OK;
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return CC_EREFUSED;
    buf_init_fixed(&password, r->password, sizeof(r->password));
    base64url_encode(slice_make((const char *)bytes, sizeof(bytes)), &password);
    CC_ASSERT(buf_error(&password) == CC_OK);
    if (setenv("CC_ENFORCER_JWTISSUER_JWTUSER_0_USERNAME", "admin", 1) != 0 ||
        setenv("CC_ENFORCER_JWTISSUER_JWTUSER_0_PASSWORD", r->password, 1) != 0)
        return CC_ENOMEM;
    return CC_OK;
}

/* What differs from a production configuration, as settings. `config` is that of the user alone. */
static int choose_overrides(struct run *r, const struct config *config)
{
    struct slice socket = private_path(r, "agent.sock");
    struct slice cert = private_path(r, "tls.pem");
    struct slice key = private_path(r, "tls.key");

    if (socket.p == NULL || cert.p == NULL || key.p == NULL)
        return CC_ENOMEM;
    override(r, "agent.socket", socket);
    override(r, "router.haproxy.chroot", SLICE(""));
    override(r, "agent.socketGroup", SLICE(""));
    /* Tokens that a development key signed open this gateway: keep it on this machine. */
    if (is_default(config, "router.listenerHost"))
        override(r, "router.listenerHost", SLICE("127.0.0.1"));
    if (is_default(config, "router.securedListenerHost"))
        override(r, "router.securedListenerHost", SLICE("127.0.0.1"));
    if (config->router.keystore.cert_path.n > 0 || config->router.secured_listener_port == 0)
        return CC_OK;
    override(r, "router.keystore.certPath", cert);
    override(r, "router.keystore.keyPath", key);
    return write_certificate(r, cert, key);
}

/* Loads cc.yaml once to see what the user chose, then again with our overrides. */
static int load(struct run *r)
{
    struct project_options options = {0};
    struct gw_issuer *issuers = NULL;
    struct cmd_work first;
    int rc = cmd_work_open(&first);

    if (rc == CC_OK && cmd_load_config(&first, r->args, NULL, 0) == CC_OK) {
        rc = choose_overrides(r, first.config);
        if (rc == CC_OK && is_default(first.config, "enforcer.jwtIssuer.enabled"))
            rc = choose_testkey(r, first.config);
    }
    /* Findings are shown once, by the load below. */
    cmd_work_close(&first);
    if (rc == CC_OK)
        rc = devkey_issuers(&issuers, r->w.arena, r->w.diag);
    if (rc != CC_OK)
        return rc;
    options.development_issuers = issuers;
    options.n_development_issuers = DEVKEY_KINDS;
    return cmd_load(&r->w, r->args, r->overrides, r->n_overrides, &options);
}

static int check_port(const char *setting, struct slice host, uint64_t port)
{
    int errnum = port != 0 ? probe_port(host.p != NULL ? host.p : "", (unsigned)port) : 0;

    if (errnum == 0)
        return CC_OK;
    cli_say("run: port %llu of %" PRIslice " cannot be used: %s", (unsigned long long)port,
            SLICE_ARG(host), strerror(errnum));
    fprintf(stderr, "  another one: --set %s=%llu\n", setting,
            (unsigned long long)(port < 50000 ? port + 10000 : port - 10000));
    return CC_EREFUSED;
}

static int check_ports(const struct config *c)
{
    int http = check_port("router.listenerPort", c->router.listener_host, c->router.listener_port);
    int https = check_port("router.securedListenerPort", c->router.secured_listener_host,
                           c->router.secured_listener_port);

    return http != CC_OK ? http : https;
}

static int build(struct run *r)
{
    struct slice out = private_path(r, "out");
    struct output_result result;
    struct output_options options = {
        .directory = out.p,
        .templates = cli_value(r->args, "templates"),
        .haproxy = r->haproxy,
        .config_path = cli_value(r->args, "config"),
        .inputs = &r->w.inputs,
    };

    return out.p != NULL
               ? output_build(r->w.model, r->w.config, &options, r->w.arena, r->w.diag, &result)
               : CC_ENOMEM;
}

/* The agent's command line: the same settings that the build had. NULL when memory is short. */
static const char *const *agent_argv(struct run *r)
{
    const char **argv =
        arena_array(r->w.arena, 6 + 2 * (r->n_overrides + r->args->n_given), sizeof(*argv));
    const char *config = cli_value(r->args, "config");
    const char *set;
    size_t n = 0, at = 0;

    if (argv == NULL)
        return NULL;
    argv[n++] = r->spoa;
    argv[n++] = "-s";
    argv[n++] = private_path(r, "out/gateway.json").p;
    if (config != NULL) {
        argv[n++] = "-c";
        argv[n++] = config;
    }
    for (size_t i = 0; i < r->n_overrides; i++) {
        argv[n++] = "--set";
        argv[n++] = arena_printf(r->w.arena, "%" PRIslice "=%" PRIslice,
                                 SLICE_ARG(r->overrides[i].name), SLICE_ARG(r->overrides[i].value))
                        .p;
    }
    while ((set = cli_next(r->args, "set", &at)) != NULL) {
        argv[n++] = "--set";
        argv[n++] = set;
    }
    for (size_t i = 0; i < n; i++)
        if (argv[i] == NULL)
            return NULL;
    return argv;
}

static const char *const *haproxy_argv(struct run *r)
{
    const char **argv = arena_array(r->w.arena, 7, sizeof(*argv));

    if (argv == NULL)
        return NULL;
    argv[0] = r->haproxy;
    argv[1] = "-db"; /* in the foreground, one process */
    argv[2] = "-f";
    argv[3] = private_path(r, "out/haproxy/standalone.cfg").p;
    argv[4] = "-f";
    argv[5] = private_path(r, "out/haproxy/cc.cfg").p;
    return argv[3] != NULL && argv[5] != NULL ? argv : NULL;
}

static int start(struct run *r)
{
    const char *const *agent = agent_argv(r);
    const char *const *haproxy = haproxy_argv(r);
    int rc;

    if (agent == NULL || haproxy == NULL)
        return CC_ENOMEM;
    r->children[AGENT] = (struct child){.name = "cc-spoa", .argv = agent};
    r->children[HAPROXY] = (struct child){.name = "haproxy", .argv = haproxy};
    rc = child_start(&r->children[AGENT]);
    if (rc == CC_OK)
        rc = child_start(&r->children[HAPROXY]);
    return rc == CC_OK ? CC_OK : CC_EREFUSED;
}

/* Waits for a signal at most timeout_ms. CC_OK nothing of importance; CC_ECLOSED: end, as asked;
 * CC_EREFUSED: a child has ended by itself, and that was said. */
static int watch(struct run *r, int timeout_ms)
{
    int sig = children_wait_signal(&r->waited, timeout_ms);
    const struct child *ended;
    char room[64];

    if (sig != 0 && sig != SIGCHLD)
        return CC_ECLOSED;
    ended = children_ended(r->children, CHILDREN);
    if (ended == NULL)
        return CC_OK;
    cli_say("run: %s has ended with %s; stopping the rest", ended->name,
            program_status_text(ended->status, room));
    return CC_EREFUSED;
}

static int wait_ready(struct run *r)
{
    const struct config *c = r->w.config;
    int64_t deadline_us = clock_mono_us(&clock_system) + (int64_t)READY_TIMEOUT_MS * 1000;
    int status = 0;

    while (clock_mono_us(&clock_system) < deadline_us) {
        int rc = watch(r, PROBE_PAUSE_MS);

        if (rc != CC_OK)
            return rc;
        status = probe_http(c->router.listener_host.p, (unsigned)c->router.listener_port,
                            slice_is(c->router.system_host, "*") ? "localhost"
                                                                 : c->router.system_host.p,
                            "/ready", PROBE_TIMEOUT_MS);
        if (status == 200)
            return CC_OK;
    }
    if (status == 0)
        cli_say("run: the gateway does not answer after %d s", READY_TIMEOUT_MS / 1000);
    else
        cli_say("run: the gateway is not ready after %d s: /ready answers with status %d",
                READY_TIMEOUT_MS / 1000, status);
    return CC_EREFUSED;
}

/* Everything from the command line to running children and back. */
static int run(struct run *r)
{
    int rc = find_programs(r);

    if (rc == CC_OK)
        rc = make_directory(r);
    if (rc == CC_OK)
        rc = load(r);
    if (rc == CC_OK)
        rc = check_ports(r->w.config);
    if (rc == CC_OK)
        rc = build(r);
    cmd_print_findings(&r->w, stderr);
    if (rc != CC_OK) {
        if (diag_errors(r->w.diag) > 0)
            cmd_print_summary(&r->w, stderr, r->args->n_words);
        return rc;
    }
    rc = start(r);
    if (rc == CC_OK)
        rc = wait_ready(r);
    if (rc == CC_OK)
        run_talk_ready(r->w.model, r->w.config, r->self_signed, r->password);
    while (rc == CC_OK)
        rc = watch(r, 3600 * 1000);
    children_stop(r->children, CHILDREN, STOP_GRACE_MS);
    return rc;
}

int cmd_run(const struct cli_args *args)
{
    struct run r = {.args = args};
    int rc = cmd_work_open(&r.w);

    /* From here on: a signal never leaves children or the private directory behind. */
    children_block_signals(&r.waited);
    if (rc == CC_OK)
        rc = run(&r);
    if (r.directory[0] != '\0')
        (void)file_remove_tree(r.directory);
    cmd_work_close(&r.w);
    if (rc == CC_ECLOSED) {
        cli_say("run: stopped");
        return CLI_OK;
    }
    return cmd_exit_code(rc);
}
