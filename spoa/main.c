/* cc-spoa: command line, start-up checks, hardening. */
#include "config/config.h"
#include "fetch/fetch.h"
#include "fetch/testkey_file.h"
#include "revoke/revoke_journal.h"
#include "revoke/revoke_read.h"
#include "spoa/counting.h"
#include "spoa/dispatch.h"
#include "spoa/filters.h"
#include "spoa/introspector.h"
#include "spoa/options.h"
#include "spoa/reload.h"
#include "spoa/server.h"
#include "spoa/signer.h"
#include "subs/subs_read.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

extern char **environ;

enum {
    MAX_SETS = 64,
    MAX_WORKERS = 8,
    MAX_SIGNERS = 4,
    ARENA_BYTES = 1 << 30,
    MIN_CACHE_BYTES = 4096,
    SHARE_HOLD_MS = 60000 /* the longest pause of a link to Redis, twice */
};

struct arguments {
    const char *config, *snapshot;
    struct config_override sets[MAX_SETS];
    size_t n_sets;
    bool test, debug;
};

static void print_help(FILE *out)
{
    fputs("usage: cc-spoa [-c FILE] [-s FILE] [--set NAME=VALUE]... [-t]\n"
          "The gateway's agent: decides for HAProxy, over SPOE, about every request.\n\n",
          out);
#define X(name, letter, value, help)                                                      \
    {                                                                                     \
        const char *value_ = value;                                                       \
        fprintf(out, "  -%c, --%s%s%-*s %s\n", letter, #name, value_ ? " " : "",          \
                (int)(20 - sizeof #name - (value_ ? 1 : 0)), value_ ? value_ : "", help); \
    }
    SPOA_OPTIONS(X)
#undef X
    fputs("\nsignals:\n", out);
#define X(name, text) fprintf(out, "  %-10s %s\n", name, text);
    SPOA_SIGNALS(X)
#undef X
    fputs("\nexit codes:\n", out);
#define X(code, text) fprintf(out, "  %-10d %s\n", code, text);
    SPOA_EXITS(X)
#undef X
}

static bool add_set(struct arguments *a, const char *text)
{
    struct slice value = slice_of(text), name;

    if (a->n_sets == MAX_SETS || slice_find(value, '=') < 1) {
        fprintf(stderr, "cc-spoa: --set %s: expected NAME=VALUE, at most %d times\n", text,
                (int)MAX_SETS);
        return false;
    }
    slice_split(&value, '=', &name);
    a->sets[a->n_sets++] = (struct config_override){name, value};
    return true;
}

/* EX_OK: go on. -1: done, end with success. Else the exit code. */
static int parse_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option longs[] = {
#define X(name, letter, value, help) \
    {#name, (value) != NULL ? required_argument : no_argument, NULL, letter},
        SPOA_OPTIONS(X)
#undef X
            {NULL, 0, NULL, 0}};
    int c;

    *a = (struct arguments){.snapshot = "out/gateway.json"};
    while ((c = getopt_long(argc, argv, "c:s:S:tdVh", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            a->config = optarg;
            break;
        case 's':
            a->snapshot = optarg;
            break;
        case 'S':
            if (!add_set(a, optarg))
                return EX_USAGE;
            break;
        case 't':
            a->test = true;
            break;
        case 'd':
            a->debug = true;
            break;
        case 'V':
            puts("cc-spoa " CC_VERSION);
            return -1;
        case 'h':
            print_help(stdout);
            return -1;
        default:
            fputs("try: cc-spoa --help\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "cc-spoa: unexpected argument: %s\ntry: cc-spoa --help\n", argv[optind]);
        return EX_USAGE;
    }
    return EX_OK;
}

/* The process reads hostile bytes and holds tokens: no way to gain rights, no memory on disk. */
static void harden(bool debug)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warn("cannot give up gaining privileges");
    if (!debug && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        log_warn("cannot switch core dumps off");
}

static size_t worker_count(const struct config *config)
{
    cpu_set_t cpus;
    size_t n;

    if (config->agent.workers > 0)
        return (size_t)config->agent.workers;
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
        return 1;
    n = (size_t)CPU_COUNT(&cpus);
    return n < MAX_WORKERS ? n : MAX_WORKERS;
}

/* A worker's part of the token cache: never so small that it could not exist. */
static struct enforce_options share_of_cache(const struct config *config, size_t n)
{
    size_t entries = (size_t)config->cache.maximum_size / n;
    size_t bytes = (size_t)config->cache.maximum_bytes / n;

    return (struct enforce_options){
        .cache_entries = entries > 0 ? entries : 1,
        .cache_bytes = bytes > MIN_CACHE_BYTES ? bytes : MIN_CACHE_BYTES,
    };
}

/* A decision that waits is made a sixth before HAProxy gives it up, so that there is an answer with
 * its reason, rather than none. */
static struct defer_options patience(const struct config *config)
{
    size_t frame = (size_t)config->router.buffer_bytes;

    return (struct defer_options){
        .frames = (size_t)config->agent.maximum_waiting,
        .frame_bytes = frame < SPOP_MAX_FRAME_SIZE ? frame : SPOP_MAX_FRAME_SIZE,
        .patience_us = (int64_t)config->agent.processing_timeout_ms * 1000 * 5 / 6,
        .patience_for_us = {[ENFORCE_WAIT_LIMITS] =
                                (int64_t)config->counters.shared.deadline_ms * 1000},
    };
}

static void setup_log(const struct config *config, bool debug)
{
    enum log_level level = LOG_INFO;

    /* the config reader has checked the words */
    log_level_parse(config->agent.log_level, &level);
    log_setup("cc-spoa", debug ? LOG_DEBUG : level,
              slice_eq(config->agent.log_format, SLICE("json")) ? LOG_JSON : LOG_TEXT);
}

/* All that the command line leads to. */
struct loaded {
    struct config *config; /* in the arena */
    struct enforce_rules *rules;
    struct subs *subs; /* NULL: none */
    struct filters *filters;
    struct revoked *revoked;
    struct enforce_testkey *testkey; /* NULL: none */
    struct stat revoked_seen; /* the file of revoked tokens, before it was read */
};

static void unload(struct loaded *l)
{
    enforce_testkey_free(&l->testkey);
    filters_free(&l->filters);
    revoked_free(&l->revoked);
    subs_unref(&l->subs);
    enforce_rules_unref(&l->rules);
}

static int load_revoked(struct loaded *l, struct arena *arena, struct diag *diag)
{
    const struct slice file = l->config->security.revocation.file;
    int rc = revoked_new(&l->revoked, (size_t)l->config->security.revocation.maximum_entries);

    if (rc != CC_OK || file.n == 0)
        return rc;
    if (stat(file.p, &l->revoked_seen) != 0)
        l->revoked_seen.st_ino = 0;
    return revoke_read(file.p, l->revoked, clock_wall_s(&clock_system), arena, diag);
}

/* Reads settings, snapshot, subscriptions, extensions and revoked tokens; findings of all go to
 * diag. */
static int load_all(const struct arguments *a, struct arena *arena, struct diag *diag,
                    struct loaded *l)
{
    int rc = config_load(&l->config, a->config, environ, a->sets, a->n_sets, arena, diag);
    int rules_rc = rules_load(&l->rules, a->snapshot, diag);
    int subs_rc = CC_OK, revoked_rc = CC_OK, filters_rc = CC_OK, testkey_rc = CC_OK;

    if (rc == CC_OK)
        filters_rc = filters_new(&l->filters, l->config, worker_count(l->config), diag);
    if (rc == CC_OK)
        testkey_rc = testkey_load(&l->testkey, l->config, arena, diag);
    if (rc == CC_OK && l->config->subscriptions.n > 0)
        subs_rc = subs_read(&l->subs, l->config->subscriptions.p, arena, diag);
    if (rc == CC_OK)
        revoked_rc = load_revoked(l, arena, diag);
    return rc != CC_OK           ? rc
           : rules_rc != CC_OK   ? rules_rc
           : filters_rc != CC_OK ? filters_rc
           : testkey_rc != CC_OK ? testkey_rc
           : subs_rc != CC_OK    ? subs_rc
                                 : revoked_rc;
}

static enum counter_away counter_away(struct slice word)
{
    return slice_is(word, "allow")  ? COUNTER_AWAY_ALLOW
           : slice_is(word, "deny") ? COUNTER_AWAY_DENY
                                    : COUNTER_AWAY_LOCAL;
}

static struct counting_redis_options sharing_settings(const struct config *config,
                                                      struct postbox *postbox)
{
    return (struct counting_redis_options){
        .prefix = config->agent.redis.prefix,
        .round_ms = config->counters.shared.interval_ms,
        .hold_ms = SHARE_HOLD_MS,
        .share = {.gateways = (unsigned)config->counters.shared.gateways,
                  .lease_percent = (unsigned)config->counters.shared.lease_percent,
                  .lease_least = config->counters.shared.lease_minimum,
                  .away = counter_away(config->counters.shared.away),
                  .strict = slice_is(config->counters.shared.mode, "strict")},
        .deadline_ms = config->counters.shared.deadline_ms,
        .places = worker_count(config) * (size_t)config->agent.maximum_waiting,
        .postbox = postbox,
    };
}

static struct counting_options counting_settings(const struct config *config)
{
    return (struct counting_options){
        .keys = (size_t)config->counters.maximum_keys,
        .directory = config->agent.state_directory.p,
        .interval_s = (int64_t)config->counters.save_interval_s,
    };
}

static int exit_code(int rc)
{
    switch (rc) {
    case CC_OK:
        return EX_OK;
    case CC_EEXIST:
        return EX_UNAVAILABLE;
    case CC_EPARSE: /* the state directory's, which the log has named */
    case CC_EREFUSED:
        return EX_DATAERR;
    case CC_ENOMEM:
        return EX_OSERR;
    default:
        return EX_CANTCREAT;
    }
}

/* What stands behind the workers, one of each for each. */
struct crew {
    size_t n;
    struct dispatch **dispatches;
    struct responder **responders;
    struct jwks_wanted wanted;
    struct postbox postbox;
    struct introspector *introspector;
    struct signer *signer;
    struct counting *counting;
};

static void crew_disband(struct crew *crew)
{
    introspector_free(&crew->introspector);
    for (size_t i = 0; crew->dispatches != NULL && i < crew->n; i++)
        dispatch_free(&crew->dispatches[i]);
    signer_free(&crew->signer); /* after the workers, which ask it */
    postbox_cleanup(&crew->postbox);
    counting_free(&crew->counting); /* after the workers, which count */
    free(crew->responders);
    free(crew->dispatches);
}

static int gather_one(struct crew *crew, size_t i, const struct loaded *l,
                      const struct enforce_options *cache, struct dispatch_waiting *waiting)
{
    int rc = dispatch_new(&crew->dispatches[i], cache, enforce_rules_ref(l->rules), &crew->wanted);

    if (rc != CC_OK)
        return rc;
    crew->responders[i] = dispatch_responder(crew->dispatches[i]);
    dispatch_set_revoked(crew->dispatches[i], l->revoked);
    dispatch_set_testkey(crew->dispatches[i], l->testkey);
    dispatch_use_filters(crew->dispatches[i], filters_of(l->filters, i));
    dispatch_count_in(crew->dispatches[i], counting_table(crew->counting));
    waiting->worker = i;
    return dispatch_let_wait(crew->dispatches[i], waiting);
}

static int crew_gather(struct crew *crew, const struct loaded *l)
{
    struct introspector_options introspection = introspector_settings(l->config);
    struct counting_options counted = counting_settings(l->config);
    struct counting_redis_options sharing = sharing_settings(l->config, &crew->postbox);
    struct dispatch_waiting waiting = {.defer = patience(l->config)};
    struct enforce_options cache = {0};
    int rc;

    *crew = (struct crew){.n = worker_count(l->config), .wanted = {.loop = NULL}};
    postbox_init(&crew->postbox);
    crew->dispatches = calloc(crew->n, sizeof *crew->dispatches);
    crew->responders = calloc(crew->n, sizeof *crew->responders);
    rc = crew->dispatches != NULL && crew->responders != NULL ? CC_OK : CC_ENOMEM;
    if (rc == CC_OK)
        rc = introspector_new(&crew->introspector, &introspection, &crew->postbox);
    if (!slice_is(l->config->counters.shared.mode, "local"))
        counted.shared = &sharing;
    if (rc == CC_OK)
        rc = counting_new(&crew->counting, &counted);
    if (rc == CC_OK)
        waiting.oracles[ENFORCE_WAIT_INTROSPECTION] = introspector_oracle(crew->introspector);
    if (rc == CC_OK)
        waiting.oracles[ENFORCE_WAIT_LIMITS] = counting_oracle(crew->counting);
    if (rc == CC_OK)
        rc = signer_new(&crew->signer, crew->n < MAX_SIGNERS ? crew->n : MAX_SIGNERS,
                        &crew->postbox);
    if (rc == CC_OK)
        waiting.oracles[ENFORCE_WAIT_SIGNATURE] = signer_oracle(crew->signer);
    if (l->config->cache.enabled)
        cache = share_of_cache(l->config, crew->n);
    for (size_t i = 0; rc == CC_OK && i < crew->n; i++)
        rc = gather_one(crew, i, l, &cache, &waiting);
    return rc;
}

static int serve(const struct arguments *a, struct loaded *l)
{
    const struct config *config = l->config;
    struct jwks_feeder_options jwks = jwks_feeder_settings(config);
    struct revoker_options revocation = revoker_settings(config);
    struct redis_link_options redis = redis_link_settings(config);
    struct revoker *revoker = NULL;
    struct crew crew;
    int rc = crew_gather(&crew, l);
    struct server_options options = {
        .jwks = &jwks,
        .wanted = &crew.wanted,
        .listener = {.address = config->agent.socket,
                     .mode = (unsigned)config->agent.socket_mode,
                     .group = config->agent.socket_group},
        .responders = crew.responders,
        .n_workers = crew.n,
        .snapshot_path = a->snapshot,
        .rules = l->rules,
        .subs_path = config->subscriptions.n > 0 ? config->subscriptions.p : NULL,
        .subs = l->subs,
        .redis = redis.address.n > 0 ? &redis : NULL,
        .admin_path = config->agent.admin_socket,
        .state_directory =
            config->agent.state_directory.n > 0 ? config->agent.state_directory.p : NULL,
        .postbox = &crew.postbox,
        .introspector = crew.introspector,
        .signer = crew.signer,
        .filters = filters_of(l->filters, 0),
        .counting = crew.counting,
        .drain_timeout_s = config->agent.drain_timeout_s,
    };

    revocation.seen = l->revoked_seen;
    if (rc == CC_OK)
        rc = revoker_new(&revoker, l->revoked, &revocation);
    options.revoker = revoker;
    if (rc == CC_OK)
        rc = server_run(&options);
    else
        log_error("cannot start: %s", cc_strerror(rc));
    revoker_free(&revoker);
    crew_disband(&crew);
    return exit_code(rc);
}

/* What of the key sets can be had now, one line each. That one cannot is no fault of the settings:
 * the agent starts all the same, and refuses the tokens of that issuer. */
static void test_key_sets(const struct config *config, const struct gw_model *model)
{
    struct http_limits limits = jwks_limits(config);

    for (size_t i = 0; i < model->n_issuers; i++) {
        const struct gw_issuer *issuer = &model->issuers[i];
        struct jwks_report report;
        struct jwks *set = NULL;
        char error[256];

        if (issuer->jwks_url.n == 0)
            continue;
        if (jwks_probe(issuer->jwks_url, &limits, &set, &report, error) == CC_OK)
            printf("issuer %" PRIslice ": %zu keys from %" PRIslice "\n", SLICE_ARG(issuer->name),
                   jwks_count(set), SLICE_ARG(issuer->jwks_url));
        else
            printf("issuer %" PRIslice ": %" PRIslice
                   ": %s; its tokens are refused until it can be "
                   "fetched, unless a saved key set still counts\n",
                   SLICE_ARG(issuer->name), SLICE_ARG(issuer->jwks_url), error);
        for (size_t k = 0; k < report.n; k++)
            printf("issuer %" PRIslice ": key '%s' is not used: %s\n", SLICE_ARG(issuer->name),
                   report.left_out[k].kid, report.left_out[k].why);
        jwks_unref(&set);
    }
}

/* What a start would find, for -t. */
static void test(const struct loaded *l)
{
    const struct gw_model *model = enforce_rules_model(l->rules);
    struct revoke_journal_report report;
    struct revoked_stats revoked;
    struct subs_counts counts;

    test_key_sets(l->config, model);
    if (l->config->agent.state_directory.n > 0)
        revoke_journal_read(l->config->agent.state_directory.p, l->revoked,
                            clock_wall_s(&clock_system), &report);
    printf("ok: generation %llu, %zu APIs", (unsigned long long)model->generation, model->n_apis);
    if (l->subs != NULL) {
        subs_count(l->subs, &counts);
        printf(", %zu subscriptions of %zu applications", counts.subscriptions,
               counts.applications);
    }
    revoked_stats(l->revoked, &revoked);
    if (revoked.entries > 0)
        printf(", %zu revoked tokens", revoked.entries);
    putchar('\n');
}

static int run(const struct arguments *a)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diag *diag = diag_new();
    struct loaded l = {.config = NULL};
    int code = EX_OSERR, rc;

    if (arena == NULL || diag == NULL || http_init() != CC_OK)
        goto out;
    rc = load_all(a, arena, diag, &l);
    diag_print(diag, stderr, isatty(STDERR_FILENO));
    if (rc != CC_OK) {
        fprintf(stderr, "cc-spoa: not usable: %s\n", cc_strerror(rc));
        code = EX_DATAERR;
        goto out;
    }
    setup_log(l.config, a->debug);
    if (a->test) {
        test(&l);
        code = EX_OK;
        goto out;
    }
    harden(a->debug);
    server_raise_limits();
    code = serve(a, &l);
out:
    unload(&l);
    diag_free(&diag);
    arena_free(&arena);
    return code;
}

int main(int argc, char **argv)
{
    struct arguments a;
    int code = parse_arguments(argc, argv, &a);

    if (code != EX_OK)
        return code < 0 ? EX_OK : code;
    return run(&a);
}
