/* A gateway that sends the JWT for backends: fixture.h with a key pair of its own, and what the
 * tests of the JWT ask it. */
#pragma once

#include "fixture.h"

#include "enforce/live.h"
#include "enforce/trace.h"
#include "subs/subs_read.h"

#include "alloc_count.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TTL = 600, MARGIN = 5 };

struct world {
    struct fixture f;
    struct gw_key_pair pairs[2];
    struct gw_claim_mapping mappings[4];
    struct slice excluded[2];
    struct key *signing;
    struct buf certificate;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct enforce_live *live;
    struct clock_fixed clock;
    struct enforce_decision d;
    struct enforce_trace trace;
    struct arena *arena;
    struct jwt jwt; /* of the last decision, verified */
};

static inline void init(struct world *w, enum key_kind kind)
{
    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    fixture_need(key_generate(&w->signing, kind), "key");
    buf_init(&w->certificate, 1 << 16);
    fixture_need(key_write_certificate(w->signing, "gw.test", 10, &w->certificate), "certificate");
    w->pairs[0] = (struct gw_key_pair){buf_slice(&w->certificate), SLICE("/etc/cc/jwt.key")};
    w->f.model.backend_jwt = (struct gw_backend_jwt){
        .header = SLICE("x-jwt-assertion"),
        .dialect = SLICE("http://wso2.org/claims"),
        .user_claims = true,
        .base64url = true,
        .with_kid = true,
        .old_key_ids = true,
        .ttl_s = TTL,
        .excluded = w->excluded,
        .key_pairs = w->pairs,
        .n_key_pairs = 1,
    };
    w->arena = arena_new(JWT_ARENA_BYTES);
    clock_fixed_init(&w->clock, FIXTURE_NOW, 0);
}

/* The same key again: rules take theirs. */
static inline struct key *copy_key(const struct key *from)
{
    struct key *copy = NULL;
    struct buf pem;

    buf_init(&pem, 1 << 16);
    fixture_need(key_write_private(from, &pem), "pem");
    fixture_need(key_private_from_pem(&copy, buf_slice(&pem)), "private");
    buf_free(&pem);
    return copy;
}

/* Rules of the model as it is now. */
static inline void load(struct world *w)
{
    enforce_rules_unref(&w->rules);
    w->rules = fixture_rules(&w->f);
    if (w->f.model.backend_jwt.header.n > 0)
        assert_int_equal(enforce_rules_set_signing_key(w->rules, copy_key(w->signing)), CC_OK);
}

static inline void start(struct world *w, size_t cache)
{
    const struct enforce_options options = {cache > 0 ? 64 : 0, cache};

    load(w);
    fixture_need(enforce_worker_new(&w->worker, &options), "worker");
}

static inline void open_world(struct world *w)
{
    init(w, KEY_EC_P256);
    start(w, 262144);
}

static inline void close_world(struct world *w)
{
    enforce_live_unref(&w->live);
    enforce_worker_free(&w->worker);
    enforce_rules_unref(&w->rules);
    key_free(&w->signing);
    buf_free(&w->certificate);
    arena_free(&w->arena);
    fixture_free(&w->f);
}

static inline enum enforce_verdict ask(struct world *w, const char *method, const char *path,
                                       const char *token)
{
    struct fixture_request r;
    char value[10000];

    fixture_request_init(&r, method, "h", path);
    if (token != NULL) {
        snprintf(value, sizeof(value), "Bearer %s", token);
        fixture_set_header(&r, 0, value, 1);
    }
    enforce_decide(w->worker, w->rules, w->live, &r.request, &w->clock.clock, &w->d);
    return w->d.verdict;
}

static inline uint64_t signatures(struct world *w)
{
    struct enforce_counters c;

    enforce_worker_counters(w->worker, &c);
    return c.jwts_signed;
}

/* The claims of the JWT, after its signature was found good. The random jti is replaced. */
static inline struct slice claims(struct world *w)
{
    static char text[8192];
    enum jwt_alg alg = key_id_algorithm(key_kind_of(w->signing));
    char *id;

    arena_reset(w->arena);
    assert_int_equal(w->d.verdict, ENFORCE_ALLOW);
    assert_int_equal(jwt_split(w->d.jwt, w->arena, &w->jwt), JWT_OK);
    assert_int_equal(jwt_verify(&w->jwt, 1u << alg, w->signing), JWT_OK);
    snprintf(text, sizeof(text), "%.*s", SLICE_ARG(w->jwt.payload));
    id = strstr(text, "\"jti\":\"");
    assert_non_null(id);
    memmove(id + 8, id + 7 + 36, strlen(id + 7 + 36) + 1);
    id[7] = 'J';
    return slice_of(text);
}

static inline void expect_claims(struct world *w, const char *expected)
{
    struct slice found = claims(w);

    if (!slice_is(found, expected))
        fail_msg("claims\n  %.*s\nare not\n  %s", SLICE_ARG(found), expected);
}

#define D     "http://wso2.org/claims/"
#define TIMES "\"iss\":\"wso2.org/products/am\",\"exp\":1700000600,\"iat\":1700000000,\"jti\":\"J\""

static inline char *make_token(struct world *w, const char *more)
{
    char payload[12000];

    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://ec\",\"sub\":\"ann\",\"exp\":%d,\"scope\":\"read:pets\"%s}",
             FIXTURE_NOW + 3600, more);
    return fixture_sign(&w->f, FIXTURE_EC, JWT_ES256, payload);
}
