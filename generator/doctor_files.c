/* doctor: the output directory and what is current in it; certificates and keys. */
#include "generator/doctor.h"

#include "crypto/key.h"
#include "gateway/snapshot.h"
#include "generator/doctor_process.h"
#include "generator/output_rollback.h"

#include "fetch/jwks_probe.h"
#include "generator/issuer_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY_S = 86400, BUNDLE_MAX_BYTES = 16 << 20 };

/* --- output ---------------------------------------------------------------------------------- */

/* The first finding of `scratch`, or `other`. */
static struct slice reason(const struct diag *scratch, const char *other)
{
    struct diag_view view;

    return diag_get(scratch, 0, &view) ? view.message : slice_of(other);
}

/* Who may write the directory decides who gets in. */
static void check_owner(struct doctor *d, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return;
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_OUTPUT, "chmod go-w",
                   "%s may be written by others than its owner (mode %04o)", path,
                   (unsigned)(st.st_mode & 07777));
    else if (access(path, W_OK) != 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_OUTPUT, "build as its owner",
                   "%s belongs to user %u; this user cannot build there", path,
                   (unsigned)st.st_uid);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_OUTPUT, NULL, "%s: cc-gen's, and this user can build there",
                   path);
}

/* The agent takes a snapshot of root or of its own user, and reads it through the links. */
static void check_reader(struct doctor *d, const char *path)
{
    struct process *agents;
    size_t n = process_find("cc-spoa", d->arena, &agents);
    const char *barrier;
    struct stat st;

    if (n == 0 || stat(path, &st) != 0)
        return;
    barrier = process_barrier(&agents[0].user, path, MAY_READ, d->arena);
    if (barrier != NULL)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_GENERATION, "let the agent's user read it",
                   "the agent (user %u) cannot read %s: it ends at %s",
                   (unsigned)agents[0].user.uid, path, barrier);
    else if (st.st_uid != 0 && st.st_uid != agents[0].user.uid)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_GENERATION, "build as root or as the agent's user",
                   "%s belongs to user %u; the agent (user %u) takes only root's or its own", path,
                   (unsigned)st.st_uid, (unsigned)agents[0].user.uid);
}

static void judge_generation(struct doctor *d, struct output_state *state)
{
    const char *path = arena_printf(d->arena, "%s/gateway.json", state->directory).p;
    struct gw_snapshot *as_agent = NULL;
    struct diag *scratch = diag_new();

    if (state->fault != NULL) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_GENERATION, "build again, or cc-gen rollback",
                   "generation %llu is damaged: %s", (unsigned long long)state->generation,
                   state->fault);
    } else if (path == NULL || scratch == NULL ||
               gw_snapshot_read_file(&as_agent, path, scratch) != CC_OK) {
        struct slice why = reason(scratch, "out of memory");

        doctor_say(d, DOCTOR_FAIL, DOCTOR_GENERATION, "build again as root or as the agent's user",
                   "the agent would refuse it: %" PRIslice, SLICE_ARG(why));
    } else {
        d->generation = state->generation;
        d->haproxy_generation = state->haproxy_generation;
        d->snapshot = gw_snapshot_ref(as_agent);
        doctor_say(d, state->checked ? DOCTOR_OK : DOCTOR_WARN, DOCTOR_GENERATION,
                   "build where HAProxy is, without --no-haproxy-check",
                   "generation %llu is whole%s", (unsigned long long)state->generation,
                   state->checked ? "" : ", but HAProxy never checked it");
        check_reader(d, path);
    }
    gw_snapshot_unref(&as_agent);
    diag_free(&scratch);
}

void doctor_check_output(struct doctor *d)
{
    struct diag *scratch = diag_new();
    struct output_state state = {0};
    int rc = scratch != NULL ? output_inspect(&state, d->directory, d->arena, scratch) : CC_ENOMEM;

    if (rc == CC_ENOENT) {
        doctor_say(d, DOCTOR_WARN, DOCTOR_OUTPUT, "build, or name the directory with -o",
                   "nothing was built in %s", d->directory);
    } else if (rc != CC_OK) {
        struct slice why = reason(scratch, cc_strerror(rc));

        doctor_say(d, DOCTOR_FAIL, DOCTOR_OUTPUT, "name the directory with -o", "%" PRIslice,
                   SLICE_ARG(why));
    } else {
        check_owner(d, state.directory);
        judge_generation(d, &state);
    }
    gw_snapshot_unref(&state.snapshot);
    diag_free(&scratch);
}

/* --- certificates ---------------------------------------------------------------------------- */

enum doctor_level doctor_judge_expiry(int64_t not_after_s, int64_t now_s, int64_t *days)
{
    *days = (not_after_s - now_s) / DAY_S;
    if (not_after_s <= now_s)
        return DOCTOR_FAIL;
    return not_after_s - now_s < (int64_t)DOCTOR_EXPIRY_DAYS * DAY_S ? DOCTOR_WARN : DOCTOR_OK;
}

/* Reads a PEM file and its first public key. False after a finding. */
static bool read_certificate(struct doctor *d, enum doctor_check check, const char *what,
                             const char *path, struct slice *pem, struct key **key)
{
    int rc = file_read(d->arena, path, BUNDLE_MAX_BYTES, pem);

    if (rc != CC_OK) {
        doctor_say(d, DOCTOR_FAIL, check, "see the path and the permissions of the file",
                   "%s %s: %s", what, path, cc_strerror(rc));
        return false;
    }
    rc = key_public_from_pem(key, slice_first(*pem, KEY_PEM_MAX_BYTES));
    if (rc == CC_OK)
        return true;
    doctor_say(d, DOCTOR_FAIL, check, "it must be PEM, with a key that can be trusted", "%s %s: %s",
               what, path,
               rc == CC_EREFUSED       ? "it holds a private key"
               : rc == CC_EWEAK        ? "its key is too weak"
               : rc == CC_EUNSUPPORTED ? "its key is of a kind that is not supported"
                                       : "it holds no certificate or public key");
    return false;
}

static void say_expiry(struct doctor *d, enum doctor_check check, enum doctor_level expired,
                       const char *what, const char *path, const struct key *key)
{
    int64_t days, not_after = key_not_after(key);
    enum doctor_level level = DOCTOR_OK;

    if (not_after == 0) {
        doctor_say(d, DOCTOR_OK, check, NULL, "%s %s: %s, a key without dates", what, path,
                   key_describe(key));
        return;
    }
    level = doctor_judge_expiry(not_after, d->now_s, &days);
    if (level == DOCTOR_FAIL)
        doctor_say(d, expired, check, "get a new one", "%s %s: it expired %lld days ago", what,
                   path, (long long)-days);
    else
        doctor_say(d, level, check, "get a new one in time", "%s %s: %s, valid for %lld more days",
                   what, path, key_describe(key), (long long)days);
}

/* The private key of a certificate; `section` is what its settings are below. */
static void check_private(struct doctor *d, const char *section, const char *path,
                          const struct key *public)
{
    struct slice pem = SLICE_NONE;
    struct key *private = NULL;
    struct stat st;
    int rc = file_read(d->arena, path, KEY_PEM_MAX_BYTES, &pem);

    if (rc == CC_OK)
        rc = key_private_from_pem(&private, pem);
    if (rc != CC_OK)
        doctor_say(d, rc == CC_EACCESS ? DOCTOR_WARN : DOCTOR_FAIL, DOCTOR_CERTIFICATE,
                   rc == CC_EACCESS ? "run doctor as the user that starts HAProxy"
                                    : "it must be a private key in PEM, without a pass phrase",
                   "%s.keyPath %s: %s", section, path, cc_strerror(rc));
    else if (public != NULL && !key_same(private, public))
        doctor_say(d, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "are both of the same renewal?",
                   "%s: the key does not belong to the certificate", section);
    else if (stat(path, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)) != 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_CERTIFICATE, "chmod go-r",
                   "%s.keyPath %s: others may read it (mode %04o)", section, path,
                   (unsigned)(st.st_mode & 07777));
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_CERTIFICATE, NULL,
                   "%s.keyPath %s: it belongs to the certificate", section, path);
    key_free(&private);
}

static void check_pair(struct doctor *d, const char *section, const struct config_key_pair *pair)
{
    const char *cert = arena_printf(d->arena, "%s.certPath", section).p;
    struct key *public = NULL;
    struct slice pem;

    if (cert == NULL || pair->cert_path.n == 0 || pair->key_path.n == 0)
        return;
    if (read_certificate(d, DOCTOR_CERTIFICATE, cert, pair->cert_path.p, &pem, &public))
        say_expiry(d, DOCTOR_CERTIFICATE, DOCTOR_FAIL, cert, pair->cert_path.p, public);
    check_private(d, section, pair->key_path.p, public);
    key_free(&public);
}

static void check_authorities(struct doctor *d, const char *setting, struct slice path)
{
    struct key *public = NULL;
    struct slice pem;

    if (path.n > 0 && read_certificate(d, DOCTOR_CERTIFICATE, setting, path.p, &pem, &public))
        say_expiry(d, DOCTOR_CERTIFICATE, DOCTOR_WARN, setting, path.p, public);
    key_free(&public);
}

void doctor_check_certificates(struct doctor *d)
{
    const struct config *c = d->config;

    if (c->router.secured_listener_port != 0)
        check_pair(d, "router.keystore", &c->router.keystore);
    check_pair(d, "router.upstream.tls", &c->router.upstream.keystore);
    check_authorities(d, "router.upstream.tls.trustedCertPath", c->router.upstream.ca_file);
    check_pair(d, "agent.redis", &c->agent.redis.keystore);
    check_authorities(d, "agent.redis.trustedCertPath", c->agent.redis.ca_file);
}

/* The key that is built in for this `iss`; absent when there is none. */
static struct slice built_pem(const struct doctor *d, struct slice issuer)
{
    const struct gw_model *m = d->snapshot != NULL ? gw_snapshot_model(d->snapshot) : NULL;

    for (size_t i = 0; m != NULL && i < m->n_issuers; i++)
        if (slice_eq(m->issuers[i].issuer, issuer))
            return m->issuers[i].pem;
    return SLICE_NONE;
}

/* The keys of an issuer that are fetched: can they be, from here and now? */
static void check_key_set(struct doctor *d, const struct config_token_service *t, const char *what)
{
    struct http_limits limits = jwks_limits(d->config);
    struct jwks_report report;
    struct jwks *set = NULL;
    char error[256];

    if (gw_jwks_url_fault(t->jwks_url) != NULL)
        return; /* told by the build */
    if (jwks_probe(t->jwks_url, &limits, &set, &report, error) == CC_OK)
        doctor_say(d, DOCTOR_OK, DOCTOR_ISSUER, NULL, "%s %zu keys from %" PRIslice, what,
                   jwks_count(set), SLICE_ARG(t->jwks_url));
    else
        doctor_say(
            d, DOCTOR_FAIL, DOCTOR_ISSUER,
            "without its key set all tokens of the issuer are refused, once the last one that "
            "was fetched is too old",
            "%s %" PRIslice ": %s", what, SLICE_ARG(t->jwks_url), error);
    for (size_t i = 0; i < report.n && i < 4; i++)
        doctor_say(d, DOCTOR_WARN, DOCTOR_ISSUER, "tell who runs the issuer",
                   "%s key '%s' is not used: %s", what, report.left_out[i].kid,
                   report.left_out[i].why);
    jwks_unref(&set);
}

/* Where fetched keys outlive a restart. */
static void check_state(struct doctor *d)
{
    const struct config *c = d->config;
    const char *directory = c->agent.state_directory.p;
    struct stat st;
    bool fetched = false;

    for (size_t i = 0; i < c->security.n_token_service; i++)
        fetched = fetched || c->security.token_service[i].jwks_url.n > 0;
    if (!fetched)
        return;
    if (c->agent.state_directory.n == 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_ISSUER, "set it to a directory of cc-spoa's user alone",
                   "agent.stateDirectory is not set: fetched keys are lost with each restart");
    else if (stat(directory, &st) != 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_ISSUER, "install -d -m 700 -o USER, the user of cc-spoa",
                   "agent.stateDirectory %s: %s", directory, strerror(errno));
    else if (!S_ISDIR(st.st_mode) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        doctor_say(
            d, DOCTOR_WARN, DOCTOR_ISSUER, "it must be writable by cc-spoa's user alone",
            "agent.stateDirectory %s is not used: it is no directory, or others may write it",
            directory);
}

static void check_issuer(struct doctor *d, const struct config_token_service *t)
{
    const char *what = arena_printf(d->arena, "%" PRIslice ":", SLICE_ARG(t->name)).p;
    struct slice path, pem = SLICE_NONE, built = built_pem(d, t->issuer);
    struct key *key = NULL;

    if (what == NULL)
        return;
    if (t->jwks_url.n > 0) {
        check_key_set(d, t, what);
        return;
    }
    if (issuer_file(d->config, t, d->arena, &path) != NULL || path.n == 0 ||
        !read_certificate(d, DOCTOR_ISSUER, what, path.p, &pem, &key))
        return;
    /* The gateway trusts the key, whatever the dates of its certificate: that is not an outage. */
    say_expiry(d, DOCTOR_ISSUER, DOCTOR_WARN, what, path.p, key);
    if (d->snapshot != NULL && built.p == NULL)
        doctor_say(d, DOCTOR_WARN, DOCTOR_ISSUER, "build", "%s it is not in generation %llu", what,
                   (unsigned long long)d->generation);
    else if (built.p != NULL && !slice_eq(built, pem))
        doctor_say(d, DOCTOR_WARN, DOCTOR_ISSUER, "build",
                   "%s %s is another one than in generation %llu", what, path.p,
                   (unsigned long long)d->generation);
    key_free(&key);
}

void doctor_check_issuers(struct doctor *d)
{
    const struct config *c = d->config;

    if (c->security.n_token_service == 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_ISSUER, "add one to enforcer.security.tokenService",
                   "no token service is configured: nobody can have a valid token");
    for (size_t i = 0; i < c->security.n_token_service; i++)
        check_issuer(d, &c->security.token_service[i]);
    check_state(d);
}
