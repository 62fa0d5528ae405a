/* doctor: is everything here that a gateway needs, and if not, what is to be done?
 *
 * Each check adds what it found: ok, warn or fail, with a text and, unless it is ok, what to do. A
 * check never ends the run. All look only: they open, connect and ask, and change nothing. They
 * block on files, on programs and on the network, each for a bounded time. */
#pragma once

#include "config/config.h"

#include <stdio.h>
#include <sys/types.h>

/* X(name, word, finding code that `cc-gen help` explains) */
#define DOCTOR_CHECKS(X)                           \
    X(DOCTOR_HAPROXY, "haproxy", CC7110)           \
    X(DOCTOR_FEATURES, "haproxy-features", CC7111) \
    X(DOCTOR_OPENSSL, "openssl", CC7112)           \
    X(DOCTOR_SPOA, "cc-spoa", CC7113)              \
    X(DOCTOR_SETTINGS, "settings", CC7114)         \
    X(DOCTOR_PORT, "port", CC7115)                 \
    X(DOCTOR_OUTPUT, "output", CC7116)             \
    X(DOCTOR_GENERATION, "generation", CC7117)     \
    X(DOCTOR_READY, "ready", CC7118)               \
    X(DOCTOR_AGENT, "agent", CC7119)               \
    X(DOCTOR_PERMISSIONS, "permissions", CC7120)   \
    X(DOCTOR_CHROOT, "chroot", CC7121)             \
    X(DOCTOR_CERTIFICATE, "certificate", CC7122)   \
    X(DOCTOR_ISSUER, "issuer", CC7123)             \
    X(DOCTOR_CLOCK, "clock", CC7124)               \
    X(DOCTOR_FILES, "files", CC7125)               \
    X(DOCTOR_REDIS, "redis", CC7126)               \
    X(DOCTOR_JWT, "jwt-key", CC7127)               \
    X(DOCTOR_REVOKED, "revocations", CC7128)       \
    X(DOCTOR_FILTER, "filter", CC7129)             \
    X(DOCTOR_BUFFER, "buffers", CC7130)

enum doctor_check {
#define X(name, word, code) name,
    DOCTOR_CHECKS(X)
#undef X
        DOCTOR_CHECK_COUNT
};

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_item {
    enum doctor_check check;
    enum doctor_level level;
    struct slice text;
    const char *help; /* what to do; NULL: nothing */
};

enum { DOCTOR_MAX_ITEMS = 512, DOCTOR_SCHEMA = 1, DOCTOR_EXPIRY_DAYS = 30 };

struct gw_snapshot;

struct doctor {
    struct arena *arena;
    const struct config *config; /* NULL: cannot be loaded */
    const char *directory;       /* -o */
    const char *haproxy;         /* --haproxy, or NULL */
    const char *spoa;            /* --spoa, or NULL */
    const char *haproxy_user;    /* --haproxy-user, or NULL */
    const char *haproxy_config;  /* --haproxy-config, or NULL: what the running ones were given */
    int64_t now_s;
    /* what earlier checks found out for later ones */
    bool listening;      /* the gateway answers, */
    unsigned port;       /* on this port; 0: on router.entrySocket */
    uint64_t generation; /* what is current in the directory; 0: nothing usable */
    uint64_t haproxy_generation;
    struct gw_snapshot *snapshot; /* of it, or NULL */
    struct doctor_item items[DOCTOR_MAX_ITEMS];
    size_t n;
};

/* Adds a finding. `help` must outlive the doctor, and is not shown when the level is ok. */
void doctor_say(struct doctor *d, enum doctor_level level, enum doctor_check check,
                const char *help, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* All checks, in an order that a reader can follow. */
void doctor_run(struct doctor *d);
void doctor_close(struct doctor *d);

size_t doctor_count(const struct doctor *d, enum doctor_level level);
void doctor_print(const struct doctor *d, FILE *out, bool colour);
/* {"schema":1,"ok":BOOL,"checks":[{"check":..,"level":..,"code":..,"text":..,"help":..}]} */
int doctor_print_json(const struct doctor *d, FILE *out);

/* The checks, each in its file. */
void doctor_check_programs(struct doctor *d);
void doctor_check_output(struct doctor *d);
void doctor_check_ports(struct doctor *d);
void doctor_check_ready(struct doctor *d);
void doctor_check_agent(struct doctor *d);
void doctor_check_permissions(struct doctor *d);
void doctor_check_chroot(struct doctor *d);
void doctor_check_certificates(struct doctor *d);
void doctor_check_issuers(struct doctor *d);
void doctor_check_clock(struct doctor *d);
void doctor_check_files(struct doctor *d);
void doctor_check_redis(struct doctor *d);
void doctor_check_jwt(struct doctor *d);
void doctor_check_clients(struct doctor *d);
void doctor_check_revoked(struct doctor *d);
void doctor_check_filters(struct doctor *d);
void doctor_check_buffers(struct doctor *d);

/* --- parts that tests look at ---------------------------------------------------------------- */

/* "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://..." -> 2, 6. */
bool doctor_haproxy_version(struct slice line, unsigned *major, unsigned *minor);

/* Is `word` in the lists of `haproxy -vv`: "+OPENSSL" of the features, "[SPOE] spoe" of the
 * filters?
 */
bool doctor_has_feature(struct slice said, const char *word);

/* What an end of validity means. *days: how many are left, or have passed (negative). */
enum doctor_level doctor_judge_expiry(int64_t not_after_s, int64_t now_s, int64_t *days);

/* What INFO of a Redis says, and how far its clock is off. */
void doctor_judge_redis(struct doctor *d, struct slice info);
void doctor_judge_redis_clock(struct doctor *d, int64_t ahead_us);

/* The tune.bufsize and tune.maxrewrite of HAProxy configurations, the last of each; what none of
 * them says stays as it is. */
struct doctor_buffers {
    uint64_t bufsize, maxrewrite;
};
void doctor_read_buffers(struct slice text, struct doctor_buffers *out);

/* The first bytes of the constant `name` of a shared object for this machine, which is not run.
 * CC_ENOENT: it exports none. CC_EPARSE: it is no such shared object. */
int doctor_read_constant(struct slice elf, const char *name, void *out, size_t n);

/* The numbers in the body of /ready; false when it is none. */
bool doctor_read_ready(struct slice body, bool *ready, uint64_t *haproxy, uint64_t *agent);
