/* doctor: ports, /ready, the agent's socket and who may use it. */
#include "generator/doctor.h"

#include "generator/doctor_net.h"
#include "generator/doctor_process.h"
#include "generator/run_probe.h"

#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>

enum { NET_TIMEOUT_MS = 2000, BODY_MAX_BYTES = 4096 };

#define NUMBER(n) ((unsigned long long)(n))

/* --- ports ----------------------------------------------------------------------------------- */

static bool is_healthy(const struct doctor *d, const char *host, unsigned port)
{
    char room[BODY_MAX_BYTES];
    struct buf body;
    int status;

    buf_init_fixed(&body, room, sizeof(room));
    status = net_get(host, port, d->config->router.system_host.p, "/health", NET_TIMEOUT_MS, &body);
    return status == 200 && slice_contains(buf_slice(&body), SLICE("healthy"));
}

/* Somebody has the port: is it the gateway? */
static void judge_holder(struct doctor *d, const char *setting, const char *host, unsigned port,
                         bool tls)
{
    char name[32] = "";
    uint64_t inode = process_listener(port);
    pid_t pid = 0;
    bool seen = inode != 0 && process_of_socket(inode, "haproxy", &pid, name);
    bool haproxy = seen && strcmp(name, "haproxy") == 0;

    if (!tls && is_healthy(d, host, port)) {
        d->listening = true;
        d->port = port;
        doctor_say(d, DOCTOR_OK, DOCTOR_PORT, NULL, "%s %u: the gateway answers", setting, port);
    } else if (haproxy && tls) {
        doctor_say(d, DOCTOR_OK, DOCTOR_PORT, NULL, "%s %u: held by haproxy", setting, port);
    } else if (haproxy) {
        doctor_say(d, DOCTOR_WARN, DOCTOR_PORT,
                   "reload HAProxy with -f cc.cfg, or see what else listens there",
                   "%s %u: held by haproxy (process %d), which does not answer /health", setting,
                   port, (int)pid);
    } else if (seen) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_PORT, "stop it, or set another port",
                   "%s %u: held by %s (process %d)", setting, port, name, (int)pid);
    } else {
        doctor_say(d, tls ? DOCTOR_WARN : DOCTOR_FAIL, DOCTOR_PORT,
                   "run doctor as root to see which one it is, or set another port",
                   "%s %u: held by a program that is not this user's%s", setting, port,
                   tls ? "" : " and does not answer /health");
    }
}

static void check_port(struct doctor *d, const char *setting, struct slice host, uint64_t number,
                       bool tls)
{
    unsigned port = (unsigned)number;
    const char *address = host.p != NULL ? host.p : "";
    int errnum;

    if (port == 0)
        return;
    errnum = probe_port(address, port);
    if (errnum == EADDRINUSE)
        judge_holder(d, setting, address, port, tls);
    else if (errnum == 0)
        doctor_say(d, DOCTOR_OK, DOCTOR_PORT, NULL, "%s %u: free; the gateway does not run",
                   setting, port);
    else if (errnum == EACCES)
        doctor_say(d, DOCTOR_WARN, DOCTOR_PORT, "HAProxy that is started as root may",
                   "%s %u: this user may not listen there", setting, port);
    else
        doctor_say(d, DOCTOR_FAIL, DOCTOR_PORT, "is the address one of this machine?",
                   "%s %u: %s: %s", setting, port, address, strerror(errnum));
}

void doctor_check_ports(struct doctor *d)
{
    const struct config *c = d->config;
    struct slice entry = c->router.entry_socket;
    bool tls = c->router.keystore.cert_path.n > 0;

    check_port(d, "router.listenerPort", c->router.listener_host, c->router.listener_port, false);
    if (tls)
        check_port(d, "router.securedListenerPort", c->router.secured_listener_host,
                   c->router.secured_listener_port, true);
    if (entry.n == 0)
        return;
    if (is_healthy(d, entry.p, 0)) {
        d->listening = true;
        d->port = 0;
        doctor_say(d, DOCTOR_OK, DOCTOR_PORT, NULL, "router.entrySocket %s: the gateway answers",
                   entry.p);
    } else {
        int errnum = net_connect(entry.p, NET_TIMEOUT_MS);

        doctor_say(d, errnum == 0 ? DOCTOR_FAIL : DOCTOR_OK, DOCTOR_PORT,
                   "see what listens there, or set another path", "router.entrySocket %s: %s",
                   entry.p,
                   errnum == 0 ? "somebody listens and does not answer /health"
                               : "nobody listens; the gateway does not run");
    }
}

/* --- /ready ---------------------------------------------------------------------------------- */

static bool take_number(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

bool doctor_read_ready(struct slice body, bool *ready, uint64_t *haproxy, uint64_t *agent)
{
    json_t *root = json_loadb(body.p != NULL ? body.p : "", body.n, 0, NULL);
    json_t *generation = json_object_get(root, "generation");
    const char *status = json_string_value(json_object_get(root, "status"));
    bool is = status != NULL && take_number(json_object_get(generation, "haproxy"), haproxy) &&
              take_number(json_object_get(generation, "agent"), agent);

    *ready = is && strcmp(status, "ready") == 0;
    json_decref(root);
    return is;
}

static void judge_ready(struct doctor *d, bool ready, uint64_t haproxy, uint64_t agent)
{
    if (d->generation != 0 && agent != d->generation)
        doctor_say(d, ready ? DOCTOR_WARN : DOCTOR_FAIL, DOCTOR_READY,
                   "kill -HUP cc-spoa; its log says what it reads, and why when it does not",
                   "the agent runs generation %llu, %s has %llu", NUMBER(agent), d->directory,
                   NUMBER(d->generation));
    if (d->haproxy_generation != 0 && haproxy != d->haproxy_generation)
        doctor_say(d, ready ? DOCTOR_WARN : DOCTOR_FAIL, DOCTOR_READY, "reload HAProxy",
                   "HAProxy runs generation %llu, %s has %llu", NUMBER(haproxy), d->directory,
                   NUMBER(d->haproxy_generation));
    if (!ready &&
        (d->generation == 0 || (agent == d->generation && haproxy == d->haproxy_generation)))
        doctor_say(d, DOCTOR_FAIL, DOCTOR_READY,
                   "do HAProxy and the agent read the same directory?",
                   "HAProxy runs generation %llu and the agent %llu, which do not fit",
                   NUMBER(haproxy), NUMBER(agent));
    if (ready &&
        (d->generation == 0 || (agent == d->generation && haproxy == d->haproxy_generation)))
        doctor_say(d, DOCTOR_OK, DOCTOR_READY, NULL,
                   "ready: HAProxy runs generation %llu, the agent %llu", NUMBER(haproxy),
                   NUMBER(agent));
}

void doctor_check_ready(struct doctor *d)
{
    const struct config *c = d->config;
    char room[BODY_MAX_BYTES];
    uint64_t haproxy = 0, agent = 0;
    struct buf body;
    bool ready;
    int status;

    if (!d->listening) {
        doctor_say(d, DOCTOR_OK, DOCTOR_READY, NULL, "not asked: the gateway does not run here");
        return;
    }
    buf_init_fixed(&body, room, sizeof(room));
    status = net_get(d->port != 0 ? c->router.listener_host.p : c->router.entry_socket.p, d->port,
                     c->router.system_host.p, "/ready", NET_TIMEOUT_MS, &body);
    if (doctor_read_ready(buf_slice(&body), &ready, &haproxy, &agent))
        judge_ready(d, ready && status == 200, haproxy, agent);
    else
        doctor_say(d, DOCTOR_FAIL, DOCTOR_READY, "start the agent; see the line about it below",
                   "/ready on %s is answered with %d: there is no decision",
                   c->router.system_host.p, status);
}

/* --- the agent's socket ---------------------------------------------------------------------- */

void doctor_check_agent(struct doctor *d)
{
    const char *socket = d->config->agent.socket.p;
    int errnum = net_connect(socket, NET_TIMEOUT_MS);
    enum doctor_level level = d->listening ? DOCTOR_FAIL : DOCTOR_WARN;

    if (errnum == 0)
        doctor_say(d, DOCTOR_OK, DOCTOR_AGENT, NULL, "%s: it takes connections", socket);
    else if (errnum == ENOENT)
        doctor_say(d, level, DOCTOR_AGENT, "start cc-spoa, with the same cc.yaml",
                   "%s: there is no socket; the agent does not run", socket);
    else if (errnum == ECONNREFUSED)
        doctor_say(d, level, DOCTOR_AGENT, "start cc-spoa, with the same cc.yaml",
                   "%s: nobody listens; the agent does not run", socket);
    else if (errnum == EAGAIN || errnum == ETIMEDOUT)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_AGENT, "is it stopped? restart it",
                   "%s: the agent takes no connections", socket);
    else if (errnum == EACCES)
        doctor_say(d, DOCTOR_WARN, DOCTOR_AGENT, "run doctor as root",
                   "%s: this user may not connect, so it was not tried", socket);
    else
        doctor_say(d, DOCTOR_FAIL, DOCTOR_AGENT, "see agent.socket of cc.yaml", "%s: %s", socket,
                   strerror(errnum));
}

/* --- who may use it -------------------------------------------------------------------------- */

/* Could others than root and the owner put another socket in place? Sticky directories like /tmp
 * let nobody replace what is another's, but anybody may be there first. */
static void check_directory(struct doctor *d, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *directory =
        arena_printf(d->arena, "%.*s", slash > path ? (int)(slash - path) : 1, path).p;
    struct stat st;

    if (directory == NULL || stat(directory, &st) != 0)
        return;
    if ((st.st_mode & S_IWOTH) != 0)
        doctor_say(d, st.st_mode & S_ISVTX ? DOCTOR_WARN : DOCTOR_FAIL, DOCTOR_PERMISSIONS,
                   "give the socket a directory of its own, such as /run/cc",
                   "%s: anybody may create files there, also a socket of theirs called %s",
                   directory, slash + 1);
}

/* Who HAProxy may be: the users of the running ones, else the one that is named or usual. */
static size_t haproxy_users(struct doctor *d, struct process_user *users, const char **who)
{
    struct process *processes;
    size_t n = 0, found = 0;

    if (d->haproxy_user == NULL)
        found = process_find("haproxy", d->arena, &processes);
    *who = "HAProxy's process";
    /* A master stays root and asks nobody. */
    for (size_t i = 0; i < found; i++)
        if (!processes[i].master)
            users[n++] = processes[i].user;
    if (n > 0)
        return n;
    *who = d->haproxy_user != NULL ? d->haproxy_user : "haproxy";
    return process_user(*who, &users[0]) ? 1 : 0;
}

void doctor_check_permissions(struct doctor *d)
{
    const char *socket = d->config->agent.socket.p, *who = NULL, *barrier = NULL;
    struct process_user *users = arena_array(d->arena, PROCESS_MAX, sizeof(*users));
    struct stat st;
    bool exists;
    size_t n;

    if (socket[0] != '/' || users == NULL)
        return;
    check_directory(d, socket);
    n = haproxy_users(d, users, &who);
    if (n == 0) {
        doctor_say(d, d->haproxy_user != NULL ? DOCTOR_FAIL : DOCTOR_OK, DOCTOR_PERMISSIONS,
                   "name HAProxy's user with --haproxy-user",
                   "there is no user '%s'; who may connect was not looked at", who);
        return;
    }
    exists = lstat(socket, &st) == 0;
    /* Several HAProxy run here? One that gets through is the gateway's. */
    for (size_t i = 0; i < n; i++) {
        barrier = process_barrier(&users[i], socket, exists ? MAY_WRITE : 0, d->arena);
        if (barrier == NULL)
            break;
    }
    if (barrier == NULL)
        doctor_say(d, DOCTOR_OK, DOCTOR_PERMISSIONS, NULL, "%s may %s %s", who,
                   exists ? "connect to" : "reach the directory of", socket);
    else if (stat(barrier, &st) != 0)
        doctor_say(d, d->listening ? DOCTOR_FAIL : DOCTOR_WARN, DOCTOR_PERMISSIONS,
                   "the agent creates it when it starts", "%s: %s", barrier, strerror(errno));
    else
        doctor_say(
            d, DOCTOR_FAIL, DOCTOR_PERMISSIONS,
            "set agent.socketGroup to HAProxy's group, and let that group into the directory",
            "%s cannot reach the agent: %s belongs to %u:%u with mode %04o", who, barrier,
            (unsigned)st.st_uid, (unsigned)st.st_gid, (unsigned)(st.st_mode & 07777));
}

/* --- chroot ---------------------------------------------------------------------------------- */

static struct slice without_slash(struct slice path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

void doctor_check_chroot(struct doctor *d)
{
    struct slice wanted = without_slash(d->config->router.chroot), other = SLICE_NONE;
    struct process *processes;
    size_t n = process_find("haproxy", d->arena, &processes), seen = 0, fits = 0;
    struct stat st;

    if (wanted.n > 0 && (stat(wanted.p, &st) != 0 || !S_ISDIR(st.st_mode))) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_CHROOT, "name HAProxy's chroot directory, or \"\"",
                   "router.haproxy.chroot %" PRIslice " is no directory", SLICE_ARG(wanted));
        return;
    }
    if (wanted.n == 0)
        wanted = SLICE("/");
    for (size_t i = 0; i < n; i++) {
        /* A master keeps the root of the system. */
        if (processes[i].root.p == NULL || processes[i].master)
            continue;
        seen++;
        fits += slice_eq(processes[i].root, wanted);
        other = slice_eq(processes[i].root, wanted) ? other : processes[i].root;
    }
    if (seen > 0 && fits == 0)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_CHROOT,
                   "set router.haproxy.chroot to it, with agent.socket below, and build",
                   "HAProxy runs in %" PRIslice ", router.haproxy.chroot is %" PRIslice,
                   SLICE_ARG(other), SLICE_ARG(wanted));
    else if (d->config->router.chroot.n == 0)
        doctor_say(d, DOCTOR_OK, DOCTOR_CHROOT, NULL, "none%s",
                   seen > 0 ? ", and HAProxy runs in none" : "");
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_CHROOT, NULL, "%" PRIslice "%s", SLICE_ARG(wanted),
                   seen > 0 ? ", where HAProxy runs" : "");
}
