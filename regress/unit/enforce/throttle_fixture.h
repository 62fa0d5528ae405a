/* A gateway with policies, counters and applications, and one request after the other. Include it
 * in one source of a program. */
#pragma once

#include "store_fixture.h"

#include "enforce/throttle_match.h"
#include "enforce/trace.h"
#include "generator/policy.h"
#include "throttle/counter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { AUTHORIZATION, LENGTH, ENCODING, X_A, X_TOKEN, HEADERS };

static const struct slice header_names[] = {
    SLICE_INIT("authorization"), SLICE_INIT("content-length"), SLICE_INIT("transfer-encoding"),
    SLICE_INIT("x-a"), SLICE_INIT("x-token")};

struct world {
    struct fixture f;
    struct gw_api apis[4];
    struct gw_resource resource;
    struct gw_operation operation;
    struct arena *arena;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct counter_table *counters;
    struct enforce_live *live;
    struct clock_fixed clock;
    struct enforce_decision d;
    struct enforce_trace trace;
};

static const char store[] =
    "applications:\n"
    "  - {uuid: app, id: 2, name: Shop, subName: alice, policy: AppTier, tenantDomain: t,"
    " attributes: {team: blue}}\n"
    "  - {uuid: slow, id: 3, name: Slow, subName: bob, policy: AppTier}\n"
    "applicationPolicies: [{name: AppTier}]\n"
    "subscriptionPolicies: [{name: SubTier}, {name: Bills, stopOnQuotaReach: false},"
    " {name: Nowhere}]\n"
    "applicationKeyMappings:\n"
    "  - {consumerKey: key, keyManager: rsa, applicationUUID: app}\n"
    "  - {consumerKey: slow, keyManager: rsa, applicationUUID: slow}\n"
    "subscriptions:\n"
    "  - {applicationUUID: app, apiUUID: pets, policyId: SubTier}\n"
    "  - {applicationUUID: slow, apiUUID: pets, policyId: Bills}\n"
    "  - {applicationUUID: app, apiUUID: box, policyId: Nowhere}\n";

static inline void read_policies(struct world *w, const char *yaml)
{
    struct config config = {.throttling = {.enabled = true}};
    static struct slice both[] = {SLICE_INIT("RateLimit"), SLICE_INIT("X-RateLimit")};
    struct diag *diag = diag_new();
    struct project_build build = {.config = &config, .arena = w->arena, .diag = diag};

    config.throttling.headers = both;
    config.throttling.n_headers = 2;
    config.throttling.unauthenticated_tier =
        strstr(yaml, "Nobody") != NULL ? SLICE("Nobody") : SLICE("Unlimited");
    policy_read_text(&build, slice_of(yaml), "policies.yaml", &w->f.model);
    if (build.rc != CC_OK || diag_errors(diag) > 0) {
        diag_print(diag, stderr, false);
        fail_msg("%s", yaml);
    }
    diag_free(&diag);
}

/* Pets has the tier `tier`; rsa validates subscriptions, ed does not. */
static inline void open_world(struct world *w, const char *policies, const char *tier)
{
    const struct enforce_options options = {.cache_entries = 64, .cache_bytes = 262144};

    *w = (struct world){.arena = arena_new(1 << 24)};
    fixture_same_keys = true;
    fixture_init(&w->f);
    read_policies(w, policies);
    memcpy(w->apis, fixture_apis, 3 * sizeof(w->apis[0]));
    w->apis[0].tier = slice_of(tier);
    /* Box: its only operation has the tier, not the API */
    w->operation = fixture_far[0];
    w->operation.tier = SLICE("OpTier");
    w->resource = fixture_box_resources[0];
    w->resource.operations = &w->operation;
    w->apis[2].resources = &w->resource;
    w->apis[2].n_resources = 1;
    w->apis[2].production = &fixture_clusters[0];
    w->apis[2].base_path = SLICE("/t/acme/box");
    w->f.model.apis = w->apis;
    w->f.model.headers = header_names;
    w->f.model.n_headers = HEADERS;
    w->f.issuers[FIXTURE_RSA].validate_subscription = true;
    w->rules = fixture_rules(&w->f);
    fixture_set_store(&w->live, store);
    fixture_need(counter_table_new(&w->counters, COUNTER_MIN_KEYS), "counters");
    fixture_need(enforce_worker_new(&w->worker, &options), "worker");
    enforce_worker_count_in(w->worker, w->counters);
    clock_fixed_init(&w->clock, FIXTURE_NOW, 1000000);
}

/* Rules as ever, and IPv6 addresses count together by so many bits. */
static inline void count_networks(struct world *w, unsigned bits)
{
    w->f.model.throttling.ipv6_prefix_length = bits;
    enforce_rules_unref(&w->rules);
    w->rules = fixture_rules(&w->f);
}

static inline void close_world(struct world *w)
{
    enforce_live_unref(&w->live);
    enforce_worker_free(&w->worker);
    counter_table_free(&w->counters);
    enforce_rules_unref(&w->rules);
    fixture_free(&w->f);
    arena_free(&w->arena);
}

/* A request; what is not said: GET /pets/1.0/pets/7 of alice by the application Shop. */
struct question {
    const char *path, *query, *ip, *host;
    const char *user, *key;
    const char *claims;   /* further ones: "\"role\":\"a\"" */
    bool ed;              /* of an issuer that does not validate */
    bool nobody;          /* no token */
    const char *lines[4]; /* of X-A */
    unsigned n_lines;     /* when there are more than are sent */
    const char *length, *encoding;
    const struct enforce_reply *told; /* what became of the limits elsewhere */
};

static inline char *token_of(struct world *w, const struct question *q)
{
    char payload[2048];

    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://%s\",\"exp\":1700000100,\"sub\":\"%s\",\"%s\":\"%s\"%s%s}",
             q->ed ? "ed" : "rsa", q->user != NULL ? q->user : "alice", q->ed ? "client" : "azp",
             q->key != NULL ? q->key : "key", q->claims != NULL ? "," : "",
             q->claims != NULL ? q->claims : "");
    return fixture_sign(&w->f, q->ed ? FIXTURE_ED : FIXTURE_RSA, q->ed ? JWT_EdDSA : JWT_RS256,
                        payload);
}

static inline void set_header(struct enforce_header *h, const char *value)
{
    if (value != NULL)
        *h = (struct enforce_header){.value = slice_of(value), .count = 1};
}

/* 200 or the status; "429 900803" as one text in `said`. */
static const char *ask_traced(struct world *w, struct question q, struct enforce_trace *trace)
{
    static char said[32];
    struct enforce_header headers[HEADERS] = {{.count = 0}};
    struct enforce_request r = {.id = SLICE("id"),
                                .method = SLICE("GET"),
                                .path = slice_of(q.path != NULL ? q.path : "/pets/1.0/pets/7"),
                                .query = slice_of(q.query != NULL ? q.query : ""),
                                .host = slice_of(q.host != NULL ? q.host : "h"),
                                .headers = headers};
    char *token = token_of(w, &q), bearer[4096];

    snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    free(token);
    set_header(&headers[AUTHORIZATION], q.nobody ? NULL : bearer);
    set_header(&headers[LENGTH], q.length);
    set_header(&headers[ENCODING], q.encoding);
    for (unsigned i = 0; i < 4 && q.lines[i] != NULL; i++) {
        if (i == 0)
            headers[X_A].value = slice_of(q.lines[i]);
        else if (i <= ENFORCE_MORE_LINES)
            headers[X_A].more[i - 1] = slice_of(q.lines[i]);
        headers[X_A].count++;
    }
    if (q.n_lines > 0)
        headers[X_A].count = q.n_lines;
    if (q.ip != NULL)
        r.has_src = gw_address_parse(slice_of(q.ip), &r.src);
    r.replies[ENFORCE_WAIT_LIMITS] = q.told;
    enforce_decide_traced(w->worker, w->rules, w->live, &r, &w->clock.clock, &w->d, trace);
    snprintf(said, sizeof(said), "%d%s%.*s", w->d.verdict == ENFORCE_ALLOW ? 200 : w->d.status,
             w->d.code.n > 0 ? " " : "", SLICE_ARG(w->d.code));
    return said;
}

static const char *ask(struct world *w, struct question q)
{
    return ask_traced(w, q, NULL);
}

#define ASK(...) ask(&w, (struct question){__VA_ARGS__})

/* How much what has this key has used; it must be counted. */
static inline uint64_t used_of(const struct world *w, const char *key)
{
    struct counter_row row = {.used = 0};

    if (!counter_find(w->counters, slice_of(key), counter_now(&w->clock.clock), &row))
        fail_msg("%s is not counted: %.*s", key, SLICE_ARG(w->d.reason));
    return row.used;
}

/* Is the limit of `n` in force for requests like this: n pass, and no more? */
static inline void expect_limit(struct world *w, struct question q, unsigned n, const char *refused)
{
    for (unsigned i = 0; i < n; i++)
        assert_string_equal(ask(w, q), "200");
    assert_string_equal(ask(w, q), refused);
}

/* Policies that limit nothing. */
#define LEVEL(list, name, n) list ": [{name: " name ", requestCount: " n ", timeUnit: minute}]\n"
#define NO_APP               "applicationPolicies: [{name: AppTier, unlimited: true}]\n"
#define NO_SUB \
    "subscriptionPolicies: [{name: SubTier, unlimited: true}, {name: Bills, unlimited: true}]\n"
#define NOTHING NO_APP NO_SUB
