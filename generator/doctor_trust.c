/* doctor: what the agent reads and believes: keys, certificates of clients, revocations,
 * extensions. */
#include "generator/doctor.h"

#include "crypto/certificate.h"
#include "crypto/key.h"
#include "enforce/cc_filter.h"
#include "fetch/key_file.h"
#include "gateway/snapshot.h"
#include "generator/doctor_process.h"
#include "revoke/revoke_read.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SAID = 16, EXTENSION_MAX = 64 << 20, DAY_S = 86400 };

/* Can the agent read it, as the user that it runs as? Where none runs, as this user. False after a
 * finding. */
static bool agent_reads(struct doctor *d, enum doctor_check check, const char *what,
                        const char *path)
{
    struct process *agents;
    size_t n = process_find("cc-spoa", d->arena, &agents);
    const char *barrier = NULL;
    struct stat st;

    if (stat(path, &st) != 0 && errno != EACCES) {
        doctor_say(d, DOCTOR_FAIL, check, "put it there, or correct the path", "%s %s: %s", what,
                   path, strerror(errno));
        return false;
    }
    if (n > 0)
        barrier = process_barrier(&agents[0].user, path, MAY_READ, d->arena);
    if (barrier != NULL)
        doctor_say(d, DOCTOR_FAIL, check,
                   "chgrp it to the agent's group, and chmod g+r (g+x on the way)",
                   "%s: the agent (user %u) cannot read %s: it ends at %s", what,
                   (unsigned)agents[0].user.uid, path, barrier);
    else if (access(path, R_OK) != 0)
        doctor_say(d, DOCTOR_WARN, check, "run doctor as root or as the agent's user",
                   "%s %s: this user may not read it, so it was not looked at", what, path);
    return barrier == NULL && access(path, R_OK) == 0;
}

/* --- the JWT for endpoints ---------------------------------------------------------------------
 */

static void judge_key(struct doctor *d, const char *certificate, const char *private)
{
    struct key *public = NULL, *key = NULL;
    struct diag *scratch = diag_new();
    struct diag_view view;
    struct slice pem;

    if (scratch == NULL)
        return;
    if (file_read(d->arena, certificate, KEY_PEM_MAX_BYTES, &pem) != CC_OK ||
        key_public_from_pem(&public, pem) != CC_OK)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_JWT, "it must be PEM, RSA of 2048 bits at least or P-256",
                   "publicCertificatePath %s: it holds no certificate that can be used",
                   certificate);
    else if (!agent_reads(d, DOCTOR_JWT, "privateKeyPath", private))
        ; /* said */
    else if (key_file_read(&key, private, KEY_FILE_GROUP_READS, PLACE_NONE, scratch) != CC_OK)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_JWT,
                   "chmod 640, owned by root or the agent's user; PEM without pass phrase",
                   "privateKeyPath %" PRIslice,
                   SLICE_ARG(diag_get(scratch, 0, &view) ? view.message : slice_of(private)));
    else if (!key_same(key, public))
        doctor_say(d, DOCTOR_FAIL, DOCTOR_JWT, "are both of the same renewal?",
                   "privateKeyPath %s does not belong to %s", private, certificate);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_JWT, NULL, "%s: %s, and the agent may read it", private,
                   key_describe(key));
    key_free(&key);
    key_free(&public);
    diag_free(&scratch);
}

void doctor_check_jwt(struct doctor *d)
{
    const struct config *c = d->config;

    if (!c->jwt_generator.enabled)
        return;
    if (c->jwt_generator.certificate_path.n > 0 && c->jwt_generator.private_key_path.n > 0)
        judge_key(d, c->jwt_generator.certificate_path.p, c->jwt_generator.private_key_path.p);
    for (size_t i = 0; i < c->jwt_generator.n_key_pairs; i++)
        if (c->jwt_generator.key_pairs[i].signs)
            judge_key(d, c->jwt_generator.key_pairs[i].certificate_path.p,
                      c->jwt_generator.key_pairs[i].private_key_path.p);
}

/* --- certificates ------------------------------------------------------------------------------
 */

struct tally {
    size_t all, soon, expired, said;
};

static void count_one(struct doctor *d, struct tally *t, const char *what, int64_t not_after)
{
    int64_t days;
    enum doctor_level level = doctor_judge_expiry(not_after, d->now_s, &days);

    t->all++;
    t->soon += level == DOCTOR_WARN;
    t->expired += level == DOCTOR_FAIL;
    if (level == DOCTOR_OK || t->said++ >= MOST_SAID)
        return;
    /* others than this one may let the client in: nothing is known to be broken */
    if (level == DOCTOR_FAIL)
        doctor_say(d, DOCTOR_WARN, DOCTOR_CERTIFICATE,
                   "put the new one into the project, and build", "%s: it expired %lld days ago",
                   what, (long long)-days);
    else
        doctor_say(d, DOCTOR_WARN, DOCTOR_CERTIFICATE, "get a new one in time",
                   "%s: valid for %lld more days", what, (long long)days);
}

static void say_tally(struct doctor *d, const struct tally *t, const char *what)
{
    if (t->all > 0)
        doctor_say(d, DOCTOR_OK, DOCTOR_CERTIFICATE, NULL,
                   "%s: %zu, of which %zu have expired and %zu expire within %d days", what, t->all,
                   t->expired, t->soon, DOCTOR_EXPIRY_DAYS);
}

/* All certificates of a file of authorities. */
static void check_bundle(struct doctor *d, const char *setting, struct slice path)
{
    struct tally t = {0, 0, 0, 0};
    struct certificates list = {NULL, 0};
    struct slice pem;
    unsigned line = 0;
    int rc;

    if (path.n == 0)
        return;
    rc = file_read(d->arena, path.p, CERTIFICATES_MAX_BYTES, &pem);
    if (rc == CC_OK)
        rc = certificates_from_pem(&list, pem, d->arena, &line);
    if (rc != CC_OK)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_CERTIFICATE, "it must be certificates in PEM",
                   "%s %s: %s", setting, path.p, cc_strerror(rc));
    for (size_t i = 0; rc == CC_OK && i < list.n; i++)
        count_one(d, &t, arena_printf(d->arena, "%s %s:%u", setting, path.p, list.items[i].line).p,
                  list.items[i].not_after);
    if (rc == CC_OK)
        say_tally(d, &t, arena_printf(d->arena, "%s %s", setting, path.p).p);
}

void doctor_check_clients(struct doctor *d)
{
    const struct gw_model *m = d->snapshot != NULL ? gw_snapshot_model(d->snapshot) : NULL;
    struct tally t = {0, 0, 0, 0};

    check_bundle(d, "enforcer.security.jwks.trustedCertPath", d->config->security.jwks.ca_file);
    check_bundle(d, "enforcer.security.introspection.trustedCertPath",
                 d->config->security.introspection.ca_file);
    for (size_t i = 0; m != NULL && i < m->n_apis; i++) {
        const struct gw_api *api = &m->apis[i];

        for (size_t k = 0; k < api->n_clients; k++)
            count_one(d, &t,
                      arena_printf(d->arena,
                                   "certificate \"%" PRIslice "\" of clients of %" PRIslice
                                   " %" PRIslice "%s",
                                   SLICE_ARG(api->clients[k].alias), SLICE_ARG(api->name),
                                   SLICE_ARG(api->version),
                                   api->clients[k].authority ? ", an authority" : "")
                          .p,
                      api->clients[k].not_after);
    }
    say_tally(d, &t, "certificates of clients");
}

/* --- revocations -------------------------------------------------------------------------------
 */

void doctor_check_revoked(struct doctor *d)
{
    struct slice path = d->config->security.revocation.file;
    struct diag *scratch = diag_new();
    struct revoked *table = NULL;
    struct revoked_stats stats;
    struct diag_view view;
    struct stat st;

    if (path.n == 0 || scratch == NULL ||
        !agent_reads(d, DOCTOR_REVOKED, "enforcer.security.revocation.path", path.p))
        goto out;
    if (stat(path.p, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_REVOKED, "chmod o-w", "%s: everybody may write it",
                   path.p);
    if (revoked_new(&table, (size_t)d->config->security.revocation.maximum_entries) != CC_OK)
        goto out;
    if (revoke_read(path.p, table, d->now_s, d->arena, scratch) != CC_OK &&
        diag_get(scratch, 0, &view)) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_REVOKED,
                   "correct the line; the good ones count all the same", "%s:%u: %" PRIslice,
                   path.p, view.place.line, SLICE_ARG(view.message));
        goto out;
    }
    revoked_stats(table, &stats);
    doctor_say(d, DOCTOR_OK, DOCTOR_REVOKED, NULL, "%s: %zu tokens", path.p, stats.entries);
out:
    revoked_free(&table);
    diag_free(&scratch);
}

/* --- extensions --------------------------------------------------------------------------------
 */

static void check_filter(struct doctor *d, const struct config_filter *f)
{
    const char *what = arena_printf(d->arena, "\"%" PRIslice "\"", SLICE_ARG(f->name)).p;
    struct {
        uint32_t abi, size;
    } head;
    struct slice elf;
    struct stat st;
    int rc;

    if (what == NULL || !agent_reads(d, DOCTOR_FILTER, what, f->path.p))
        return;
    if (stat(f->path.p, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_FILTER, "chmod go-w",
                   "%s %s: others than its owner may write it (mode %04o)", what, f->path.p,
                   (unsigned)(st.st_mode & 07777));
        return;
    }
    rc = file_read(d->arena, f->path.p, EXTENSION_MAX, &elf);
    if (rc == CC_OK)
        rc = doctor_read_constant(elf, "cc_extension", &head, sizeof(head));
    if (rc != CC_OK)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_FILTER, "build it as docs/extensions.md says",
                   "%s %s: %s", what, f->path.p,
                   rc == CC_ENOENT   ? "it exports no cc_extension"
                   : rc == CC_EPARSE ? "it is no shared object for this machine"
                                     : cc_strerror(rc));
    else if (head.abi != CC_EXTENSION_ABI)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_FILTER, "build it with the cc_filter.h of this release",
                   "%s %s: it is made for version %u of cc_filter.h, the agent has %u", what,
                   f->path.p, (unsigned)head.abi, CC_EXTENSION_ABI);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_FILTER, NULL, "%s %s: for version %u of cc_filter.h", what,
                   f->path.p, (unsigned)head.abi);
}

void doctor_check_filters(struct doctor *d)
{
    for (size_t i = 0; i < d->config->n_filters; i++)
        check_filter(d, &d->config->filters[i]);
}
