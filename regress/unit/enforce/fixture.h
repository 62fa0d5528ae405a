/* A small gateway for tests of the decision engine: model -> snapshot text -> reader -> rules, so
 * that what is tested is what the agent runs. Included by unit tests, the fuzz target and the
 * bench.
 *
 *   host *                /pets/1.0   authorization   https://pets.internal/v2
 *     /pets      GET  read:pets or admin; POST {write:pets} or {admin, write:pets}
 *     /pets/{id} GET  any token; DELETE {admin} or {} ; OPTIONS any token
 *     /pets/{name} PATCH any token: the same requests under another name
 *     /open      GET  open
 *     /closed    GET  closed
 *     /asked     GET  any token, with an interceptor; PUT open, with another
 *     /far       GET  any token, cluster of its own: http://[2001:db8::1]:8080
 *   host api.example.com  (root)      x-token         http://10.0.0.7:80
 *     all below  GET  any token
 *   identities: "pets" for what has the clusters of /pets/1.0, "far" for the sandbox of its /far
 *   issuers: https://rsa RS256 PS256; https://ec ES256, aud cc or dd; https://ed EdDSA, claims
 * renamed */
#pragma once

#include "enforce/enforce.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIXTURE_NOW = 1700000000, FIXTURE_LEEWAY = 10 };

enum fixture_signer { FIXTURE_RSA, FIXTURE_EC, FIXTURE_ED, FIXTURE_SIGNERS };

struct fixture {
    struct key *keys[FIXTURE_SIGNERS];
    struct buf pems[FIXTURE_SIGNERS];
    /* what a test may change before fixture_rules() */
    struct gw_issuer issuers[FIXTURE_SIGNERS];
    struct gw_model model;
};

#define FIXTURE_AT(line)         \
    {                            \
        &fixture_source, line, 7 \
    }

static const struct source fixture_source = {.name = "pets/swagger.yaml"};
static const struct source fixture_config = {.name = "cc.yaml"};

static const struct slice fixture_headers[] = {SLICE_INIT("authorization"), SLICE_INIT("x-token")};

static const struct gw_endpoint fixture_endpoints[] = {
    {.host = SLICE_INIT("pets.internal"), .port = 443, .tls = true, .path = SLICE_INIT("/v2")},
    {.host = SLICE_INIT("2001:db8::1"), .port = 8080, .path = SLICE_INIT("")},
    {.host = SLICE_INIT("10.0.0.7"), .port = 80, .path = SLICE_INIT("")},
};

static const struct gw_cluster fixture_clusters[] = {
    {.name = SLICE_INIT("cc_b_000000000001"), .endpoints = &fixture_endpoints[0], .n_endpoints = 1},
    {.name = SLICE_INIT("cc_b_000000000002"), .endpoints = &fixture_endpoints[1], .n_endpoints = 1},
    {.name = SLICE_INIT("cc_b_000000000003"), .endpoints = &fixture_endpoints[2], .n_endpoints = 1},
};

static const struct slice fixture_read[] = {SLICE_INIT("read:pets"), SLICE_INIT("admin")};
static const struct slice fixture_write[] = {SLICE_INIT("write:pets")};
static const struct slice fixture_admin[] = {SLICE_INIT("admin"), SLICE_INIT("write:pets")};

#define FIXTURE_SCOPES(list, n, line)                       \
    {                                                       \
        GW_TOKEN, SLICE_INIT(""), list, n, FIXTURE_AT(line) \
    }
static const struct gw_need fixture_needs[] = {
    FIXTURE_SCOPES(fixture_read, 2, 13),  FIXTURE_SCOPES(fixture_write, 1, 23),
    FIXTURE_SCOPES(fixture_admin, 2, 24), FIXTURE_SCOPES(fixture_admin, 1, 43),
    FIXTURE_SCOPES(NULL, 0, 44),          FIXTURE_SCOPES(fixture_read, 1, 47),
    FIXTURE_SCOPES(fixture_write, 1, 48),
};
static const struct gw_requirement fixture_need_read[] = {
    {&fixture_needs[0], 1, FIXTURE_AT(13)},
};
static const struct gw_requirement fixture_need_write[] = {
    {&fixture_needs[1], 1, FIXTURE_AT(23)},
    {&fixture_needs[2], 1, FIXTURE_AT(24)},
};
static const struct gw_requirement fixture_need_admin_or_any[] = {
    {&fixture_needs[3], 1, FIXTURE_AT(43)},
    {&fixture_needs[4], 1, FIXTURE_AT(44)},
};
/* read:pets and write:pets, both */
static const struct gw_requirement fixture_need_both[] = {
    {&fixture_needs[5], 2, FIXTURE_AT(47)},
};

static const struct gw_operation fixture_pets[] = {
    {.method = GW_GET,
     .requirements = fixture_need_read,
     .n_requirements = 1,
     .origin = FIXTURE_AT(11)},
    {.method = GW_POST,
     .requirements = fixture_need_write,
     .n_requirements = 2,
     .origin = FIXTURE_AT(21)},
};
static const struct gw_operation fixture_pet[] = {
    {.method = GW_GET, .origin = FIXTURE_AT(31)},
    {.method = GW_DELETE,
     .requirements = fixture_need_admin_or_any,
     .n_requirements = 2,
     .origin = FIXTURE_AT(41)},
    {.method = GW_OPTIONS, .origin = FIXTURE_AT(51)},
};
static const struct gw_operation fixture_pet_by_name[] = {
    {.method = GW_PATCH, .origin = FIXTURE_AT(56)},
};
static const struct gw_operation fixture_open[] = {
    {.method = GW_GET, .open = true, .origin = FIXTURE_AT(61)},
};
static const struct gw_operation fixture_closed[] = {
    {.method = GW_GET, .closed = true, .origin = FIXTURE_AT(71)},
};
static const struct gw_interceptor fixture_interceptors[] = {
    {.request_body = true, .cluster = &fixture_clusters[2], .origin = FIXTURE_AT(76)},
    {.response = true, .cluster = &fixture_clusters[2], .origin = FIXTURE_AT(77)},
};
static const struct gw_operation fixture_asked[] = {
    {.method = GW_GET,
     .interceptors = fixture_interceptors,
     .n_interceptors = 2,
     .origin = FIXTURE_AT(75)},
    {.method = GW_PUT,
     .open = true,
     .interceptors = &fixture_interceptors[1],
     .n_interceptors = 1,
     .origin = FIXTURE_AT(78)},
};
static const struct gw_operation fixture_far[] = {
    {.method = GW_GET, .origin = FIXTURE_AT(81)},
};

static const struct gw_identity fixture_identities[] = {
    {.user = SLICE_INIT("pets"),
     .authorization = SLICE_INIT("Basic cGV0czo="),
     .origin = FIXTURE_AT(5)},
    {.user = SLICE_INIT("far"),
     .authorization = SLICE_INIT("Basic ZmFyOg=="),
     .origin = FIXTURE_AT(82)},
};

static const struct gw_resource fixture_pets_resources[] = {
    {.template = SLICE_INIT("/asked"),
     .operations = fixture_asked,
     .n_operations = 2,
     .origin = FIXTURE_AT(74)},
    {.template = SLICE_INIT("/closed"),
     .operations = fixture_closed,
     .n_operations = 1,
     .origin = FIXTURE_AT(70)},
    {.template = SLICE_INIT("/far"),
     .operations = fixture_far,
     .n_operations = 1,
     .production = &fixture_clusters[1],
     .sandbox = &fixture_clusters[2],
     .sandbox_identity = &fixture_identities[1],
     .origin = FIXTURE_AT(80)},
    {.template = SLICE_INIT("/open"),
     .operations = fixture_open,
     .n_operations = 1,
     .origin = FIXTURE_AT(60)},
    {.template = SLICE_INIT("/pets"),
     .operations = fixture_pets,
     .n_operations = 2,
     .origin = FIXTURE_AT(10)},
    {.template = SLICE_INIT("/pets/{id}"),
     .operations = fixture_pet,
     .n_operations = 3,
     .origin = FIXTURE_AT(30)},
    {.template = SLICE_INIT("/pets/{name}"),
     .operations = fixture_pet_by_name,
     .n_operations = 1,
     .origin = FIXTURE_AT(55)},
};
static const struct gw_resource fixture_root_resources[] = {
    {.template = SLICE_INIT("/*"),
     .operations = fixture_far,
     .n_operations = 1,
     .origin = FIXTURE_AT(90)},
};

static const struct gw_operation fixture_both[] = {
    {.method = GW_GET,
     .requirements = fixture_need_both,
     .n_requirements = 1,
     .origin = FIXTURE_AT(97)},
};

static const struct gw_resource fixture_box_resources[] = {
    {.template = SLICE_INIT("/far"),
     .operations = fixture_far,
     .n_operations = 1,
     .origin = FIXTURE_AT(95)},
    {.template = SLICE_INIT("/open"),
     .operations = fixture_open,
     .n_operations = 1,
     .origin = FIXTURE_AT(96)},
    {.template = SLICE_INIT("/both"),
     .operations = fixture_both,
     .n_operations = 1,
     .origin = FIXTURE_AT(98)},
};

static const struct gw_api fixture_apis[] = {
    {.id = SLICE_INIT("pets"),
     .name = SLICE_INIT("Pets"),
     .version = SLICE_INIT("1.0"),
     .vhost = SLICE_INIT("*"),
     .base_path = SLICE_INIT("/pets/1.0"),
     .auth_header = SLICE_INIT("authorization"),
     .production = &fixture_clusters[0],
     .production_identity = &fixture_identities[0],
     .resources = fixture_pets_resources,
     .n_resources = 7,
     .origin = FIXTURE_AT(1)},
    {.id = SLICE_INIT("root"),
     .name = SLICE_INIT("Root"),
     .version = SLICE_INIT("2"),
     .vhost = SLICE_INIT("api.example.com"),
     .base_path = SLICE_INIT(""),
     .auth_header = SLICE_INIT("x-token"),
     .production = &fixture_clusters[2],
     .resources = fixture_root_resources,
     .n_resources = 1,
     .origin = FIXTURE_AT(2)},
    {.id = SLICE_INIT("box"),
     .name = SLICE_INIT("Box"),
     .version = SLICE_INIT("1"),
     .vhost = SLICE_INIT("*"),
     .base_path = SLICE_INIT("/box"),
     .auth_header = SLICE_INIT("authorization"),
     .sandbox = &fixture_clusters[0],
     .resources = fixture_box_resources,
     .n_resources = 3,
     .origin = FIXTURE_AT(3)},
};

static const struct slice fixture_audiences[] = {SLICE_INIT("cc"), SLICE_INIT("dd")};

/* What must not fail in a test program stops it. */
static inline void fixture_need(int rc, const char *what)
{
    if (rc == CC_OK)
        return;
    fprintf(stderr, "fixture: %s: %s\n", what, cc_strerror(rc));
    abort();
}

/* Set: all fixtures of this program have the same keys. To make new ones takes most of the time of
 * a program with many fixtures. */
static bool fixture_same_keys;

static inline struct key *fixture_key(int i, enum key_kind kind)
{
    static struct key *kept[FIXTURE_SIGNERS];
    struct key *key = NULL;

    if (!fixture_same_keys || kept[i] == NULL)
        fixture_need(key_generate(&key, kind), "key_generate");
    if (!fixture_same_keys)
        return key;
    if (kept[i] == NULL)
        kept[i] = key;
    return kept[i];
}

static inline void fixture_init(struct fixture *f)
{
    static const enum key_kind kinds[] = {KEY_RSA, KEY_EC_P256, KEY_ED25519};

    *f = (struct fixture){.model = {
                              .generation = 7,
                              .haproxy_generation = 6,
                              .system_host = SLICE("localhost"),
                              .leeway_s = FIXTURE_LEEWAY,
                              .headers = fixture_headers,
                              .n_headers = 2,
                              .issuers = f->issuers,
                              .n_issuers = FIXTURE_SIGNERS,
                              .clusters = fixture_clusters,
                              .n_clusters = 3,
                              .identities = fixture_identities,
                              .n_identities = 2,
                              .apis = fixture_apis,
                              .n_apis = 3,
                          }};
    for (int i = 0; i < FIXTURE_SIGNERS; i++) {
        f->keys[i] = fixture_key(i, kinds[i]);
        buf_init(&f->pems[i], 65536);
        fixture_need(key_write_public(f->keys[i], &f->pems[i]), "key_write_public");
    }
    f->issuers[FIXTURE_RSA] = (struct gw_issuer){.name = SLICE("rsa"),
                                                 .access_tokens = true,
                                                 .issuer = SLICE("https://rsa"),
                                                 .algorithms = 1u << JWT_RS256 | 1u << JWT_PS256,
                                                 .pem = buf_slice(&f->pems[FIXTURE_RSA]),
                                                 .origin = {&fixture_config, 11, 5}};
    f->issuers[FIXTURE_EC] = (struct gw_issuer){.name = SLICE("ec"),
                                                .access_tokens = true,
                                                .issuer = SLICE("https://ec"),
                                                .algorithms = 1u << JWT_ES256,
                                                .audiences = fixture_audiences,
                                                .n_audiences = 2,
                                                .pem = buf_slice(&f->pems[FIXTURE_EC]),
                                                .origin = {&fixture_config, 21, 5}};
    f->issuers[FIXTURE_ED] = (struct gw_issuer){.name = SLICE("ed"),
                                                .access_tokens = true,
                                                .issuer = SLICE("https://ed"),
                                                .algorithms = 1u << JWT_EdDSA,
                                                .consumer_key_claim = SLICE("client"),
                                                .scope_claim = SLICE("scp"),
                                                .pem = buf_slice(&f->pems[FIXTURE_ED]),
                                                .origin = {&fixture_config, 31, 5}};
}

static inline void fixture_free(struct fixture *f)
{
    for (int i = 0; i < FIXTURE_SIGNERS; i++) {
        if (!fixture_same_keys)
            key_free(&f->keys[i]);
        buf_free(&f->pems[i]);
    }
}

/* The rules of the fixture's model, through the writer and the reader; or the reason in *rc. */
static inline struct enforce_rules *fixture_try_rules(const struct fixture *f, struct diag *diag,
                                                      int *rc)
{
    struct gw_snapshot *snapshot = NULL;
    struct enforce_rules *rules = NULL;
    struct buf text;

    buf_init(&text, 1 << 20);
    fixture_need(gw_snapshot_write(&f->model, &text), "gw_snapshot_write");
    *rc = gw_snapshot_read(&snapshot, buf_slice(&text), "gateway.json", diag);
    if (*rc == CC_OK)
        *rc = enforce_rules_new(&rules, snapshot, diag);
    gw_snapshot_unref(&snapshot);
    buf_free(&text);
    return rules;
}

static inline struct enforce_rules *fixture_rules(const struct fixture *f)
{
    struct diag *diag = diag_new();
    struct enforce_rules *rules;
    int rc;

    rules = fixture_try_rules(f, diag, &rc);
    diag_print(diag, stderr, false);
    fixture_need(rc, "rules");
    diag_free(&diag);
    return rules;
}

/* A token over `payload`, signed by `signer`; free() it. */
static inline char *fixture_sign(const struct fixture *f, enum fixture_signer signer,
                                 enum jwt_alg alg, const char *payload)
{
    struct buf token;
    char *copy;

    buf_init(&token, 1 << 20);
    fixture_need(jwt_sign(alg, f->keys[signer], SLICE_NONE, slice_of(payload), &token), "jwt_sign");
    copy = strdup(token.p);
    if (copy == NULL)
        abort();
    buf_free(&token);
    return copy;
}

/* A token of the signer's own issuer for `sub`, with further claims (",..."); free() it. */
static inline char *fixture_sign_claims(const struct fixture *f, enum fixture_signer signer,
                                        const char *sub, const char *claims)
{
    static const enum jwt_alg algs[] = {JWT_RS256, JWT_ES256, JWT_EdDSA};
    static const char *const issuers[] = {"https://rsa", "https://ec", "https://ed"};
    char payload[8192];

    snprintf(payload, sizeof(payload), "{\"iss\":\"%s\",\"exp\":1700000100,\"sub\":\"%s\"%s}",
             issuers[signer], sub, claims);
    return fixture_sign(f, signer, algs[signer], payload);
}

/* A request with a token in one of the fixture's headers. */
struct fixture_request {
    struct enforce_request request;
    struct enforce_header headers[2];
};

static inline void fixture_request_init(struct fixture_request *r, const char *method,
                                        const char *host, const char *path)
{
    *r = (struct fixture_request){.request = {.id = SLICE("id"),
                                              .method = slice_of(method),
                                              .path = slice_of(path),
                                              .host = slice_of(host)}};
    r->request.headers = r->headers;
}

static inline void fixture_set_header(struct fixture_request *r, unsigned which, const char *value,
                                      unsigned count)
{
    r->headers[which] = (struct enforce_header){.value = slice_of(value), .count = count};
}
