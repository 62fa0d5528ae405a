/* A model with something in every member, for the tests of snapshots. */
#pragma once

#include "crypto/crypto.h"
#include "gateway/gateway.h"

static const struct source api_file = {.name = "pets/api.yaml",
                                       .text = SLICE_INIT("text that is not kept")};
static const struct source oas_file = {.name = "pets/\"swagger\".yaml"};
static const struct source cc_file = {.name = "cc.yaml"};

static const struct gw_endpoint endpoints[] = {
    {.host = SLICE_INIT("pets.internal"),
     .port = 443,
     .tls = true,
     .path = SLICE_INIT("/v2"),
     .origin = {&oas_file, 7, 9}},
    {.host = SLICE_INIT("2001:db8::1"), .port = 65535, .path = SLICE_INIT("")},
};
static const struct slice statuses[] = {SLICE_INIT("502"), SLICE_INIT("504")};
static const struct gw_cluster clusters[] = {
    {.name = SLICE_INIT("cc_b_0123456789ab"),
     .endpoints = endpoints,
     .n_endpoints = 2,
     .options = {.failover = true,
                 .http2 = true,
                 .retry_unsafe = true,
                 .timeout_ms = 1500,
                 .retry_count = 2,
                 .max_requests = 3,
                 .max_connections = 4,
                 .max_pending = 5,
                 .retry_statuses = statuses,
                 .n_retry_statuses = 2,
                 .health_path = SLICE_INIT("/health"),
                 .health_statuses = &statuses[1],
                 .n_health_statuses = 1}},
    {.name = SLICE_INIT("cc_b_ffffffffffff"), .endpoints = &endpoints[1], .n_endpoints = 1},
};
static const struct slice scopes[] = {SLICE_INIT("read:pets"), SLICE_INIT("admin")};
static const struct gw_need needs[] = {
    {GW_TOKEN, SLICE_INIT(""), scopes, 2, {&oas_file, 31, 13}},
    {GW_KEY_IN_HEADER, SLICE_INIT("x-api-key"), NULL, 0, {&oas_file, 31, 30}},
    {GW_TOKEN, SLICE_INIT(""), NULL, 0, {&oas_file, 32, 13}},
};
static const struct gw_requirement requirements[] = {
    {&needs[0], 2, {&oas_file, 31, 11}},
    {&needs[2], 1, {&oas_file, 32, 11}},
};
static const struct gw_interceptor interceptors[] = {
    {.request_body = true, .cluster = &clusters[1], .origin = {&oas_file, 33, 11}},
    {.response = true, .invocation_context = true, .cluster = &clusters[1]},
};
static const struct gw_named_endpoints named[] = {
    {SLICE_INIT("blue"), &clusters[0], {&oas_file, 7, 5}},
    {SLICE_INIT("green"), &clusters[1], {&oas_file, 8, 5}},
};
static const struct gw_operation operations[] = {
    {.method = GW_GET,
     .requirements = requirements,
     .n_requirements = 2,
     .interceptors = interceptors,
     .n_interceptors = 2,
     .tier = SLICE_INIT("Gold"),
     .tier_declared = {&oas_file, 34, 11},
     .origin = {&oas_file, 30, 5}},
    {.method = GW_DELETE, .open = true, .origin = {&oas_file, 40, 5}},
    {.method = GW_TRACE, .closed = true, .origin = {&oas_file, 50, 5}},
};
static const struct gw_identity identities[] = {
    {.user = SLICE_INIT("svc"),
     .authorization = SLICE_INIT("Basic c3ZjOmE="),
     .origin = {&api_file, 9, 9}},
    {.user = SLICE_INIT("files"),
     .authorization = SLICE_INIT("Basic ZmlsZXM6Yg=="),
     .origin = {&oas_file, 61, 5}},
};
static const struct gw_resource resources[] = {
    {.template = SLICE_INIT("/pets/{id}"),
     .operations = operations,
     .n_operations = 3,
     .origin = {&oas_file, 29, 3}},
    {.template = SLICE_INIT("/files/*"),
     .operations = operations,
     .n_operations = 1,
     .production = &clusters[1],
     .sandbox = &clusters[0],
     .origin = {&oas_file, 60, 3},
     .production_identity = &identities[1]},
    {.template = SLICE_INIT("/none")},
};
static const struct gw_mock_example examples[] = {
    {SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("Two \""), SLICE_INIT("line\n\t \xf0\x9f\x90\x88")},
};
static const struct gw_mock_content contents[] = {
    {SLICE_INIT("application/json"), examples, 1},
    {SLICE_INIT("text/plain; charset=utf-8"), examples, 2},
};
static const struct gw_mock_header mock_headers[] = {{SLICE_INIT("x-a"), SLICE_INIT("1 \"2\"")}};
static const struct gw_mock_answer answers[] = {
    {.code = SLICE_INIT("default"),
     .contents = contents,
     .n_contents = 2,
     .headers = mock_headers,
     .n_headers = 1,
     .origin = {&oas_file, 71, 9}},
    {.code = SLICE_INIT("40x"), .origin = {&oas_file, 81, 9}},
};
static const struct gw_operation mock_operations[] = {
    {.method = GW_GET, .answers = answers, .n_answers = 2, .origin = {&oas_file, 70, 5}},
    {.method = GW_PUT, .origin = {&oas_file, 90, 5}},
};
static const struct gw_resource mock_resources[] = {
    {.template = SLICE_INIT("/m"), .operations = mock_operations, .n_operations = 2},
};
static const struct slice origins[] = {SLICE_INIT("https://a.example"),
                                       SLICE_INIT("https://b.example")};
static const struct slice patterns[] = {SLICE_INIT("https://*.c.example")};
static const struct gw_cors cors[] = {
    {.any_origin = true,
     .methods = SLICE_INIT(""),
     .headers = SLICE_INIT(""),
     .expose = SLICE_INIT("")},
    {.credentials = true,
     .origins = origins,
     .n_origins = 2,
     .patterns = patterns,
     .n_patterns = 1,
     .methods = SLICE_INIT("GET, POST"),
     .headers = SLICE_INIT("x-a, x-b"),
     .expose = SLICE_INIT("x-page")},
};
static const struct slice key_params[] = {SLICE_INIT("api key"), SLICE_INIT("k")};
static const struct gw_api apis[] = {
    {.id = SLICE_INIT("42"),
     .name = SLICE_INIT("Pets \"\\ \xf0\x9f\x90\x88"),
     .version = SLICE_INIT("1.0"),
     .vhost = SLICE_INIT("*.example.com"),
     .base_path = SLICE_INIT("/pets/1.0"),
     .auth_header = SLICE_INIT("authorization"),
     .key_headers = SLICE_INIT(",x-api-key,"),
     .key_params = key_params,
     .n_key_params = 2,
     .production = &clusters[0],
     .resources = resources,
     .n_resources = 3,
     .cors = &cors[1],
     .cors_declared = {&oas_file, 9, 3},
     .named = named,
     .n_named = 2,
     .tier = SLICE_INIT("Silver"),
     .tier_declared = {&oas_file, 6, 3},
     .status = SLICE_INIT("BLOCKED"),
     .status_declared = {&api_file, 9, 20},
     .origin = {&api_file, 1, 1},
     .production_identity = &identities[0]},
    {.id = SLICE_INIT("43"),
     .name = SLICE_INIT("Root"),
     .version = SLICE_INIT("2"),
     .vhost = SLICE_INIT("*"),
     .base_path = SLICE_INIT(""),
     .auth_header = SLICE_INIT("x-token"),
     .production = &clusters[1],
     .origin = {&api_file, 4294967295u, 2}},
};
static const struct slice audiences[] = {SLICE_INIT("gateway")};
static const struct gw_claim_mapping claim_mappings[] = {
    {SLICE_INIT("groups"), SLICE_INIT("roles")},
};
static const struct gw_issuer issuers[] = {
    {.name = SLICE_INIT("main"),
     .issuer = SLICE_INIT("https://issuer"),
     .access_tokens = true,
     .audiences = audiences,
     .n_audiences = 1,
     .algorithms = 1u << JWT_RS256 | 1u << JWT_EdDSA,
     .pem = SLICE_INIT("-----BEGIN X-----\nAAAA\n-----END X-----\n"),
     .consumer_key_claim = SLICE_INIT("azp"),
     .scope_claim = SLICE_INIT(""),
     .jwks_url = SLICE_INIT(""),
     .origin = {&cc_file, 12, 3}},
    {.name = SLICE_INIT("set"),
     .issuer = SLICE_INIT("https://other"),
     .access_tokens = true,
     .api_keys = true,
     .algorithms = 1u << JWT_ES256,
     .pem = SLICE_INIT(""),
     .consumer_key_claim = SLICE_INIT(""),
     .scope_claim = SLICE_INIT(""),
     .jwks_url = SLICE_INIT("https://other/jwks"),
     .claim_mappings = claim_mappings,
     .n_claim_mappings = 1,
     .validate_subscription = true,
     .origin = {&cc_file, 16, 3}},
};
static const struct gw_condition conditions[] = {
    {GW_CONDITION_ADDRESS,
     GW_MATCH_EQUAL,
     true,
     SLICE_INIT(""),
     SLICE_INIT("10.0.0.0/8"),
     {&cc_file, 22, 9}},
    {GW_CONDITION_HEADER,
     GW_MATCH_PATTERN,
     false,
     SLICE_INIT("x-token"),
     SLICE_INIT("^a.*\"$"),
     {&cc_file, 23, 9}},
    {GW_CONDITION_CLAIM,
     GW_MATCH_PRESENT,
     false,
     SLICE_INIT("role"),
     SLICE_INIT(""),
     {&cc_file, 24, 9}},
};
static const struct gw_group groups[] = {
    {.conditions = conditions,
     .n_conditions = 2,
     .quota = {.count = 5, .period_s = 60},
     .burst = {.count = 2, .period_s = 1},
     .origin = {&cc_file, 21, 7}},
};
static const struct gw_policy policies[] = {
    {.level = GW_LEVEL_API,
     .name = SLICE_INIT("Gold"),
     .quota = {.count = 9007199254740991, .months = 12, .bandwidth = true},
     .sliding = true,
     .groups = groups,
     .n_groups = 1,
     .key_template = SLICE_INIT(""),
     .origin = {&cc_file, 20, 5}},
    {.level = GW_LEVEL_SUBSCRIPTION,
     .name = SLICE_INIT("Gold"),
     .stop = true,
     .key_template = SLICE_INIT("")},
    {.level = GW_LEVEL_CUSTOM,
     .name = SLICE_INIT("c"),
     .shadow = true,
     .quota = {.count = 1, .period_s = 31622400},
     .key_template = SLICE_INIT("$userId:$clientIp"),
     .conditions = &conditions[2],
     .n_conditions = 1},
};
static const struct gw_deny_rule deny_rules[] = {
    {.kind = GW_DENY_USER, .value = SLICE_INIT("bob"), .origin = {&cc_file, 30, 5}},
    {.kind = GW_DENY_ADDRESS,
     .value = SLICE_INIT("::1-::9"),
     .invert = true,
     .from_s = 1,
     .until_s = 2},
};
static const struct slice headers[] = {SLICE_INIT("authorization"), SLICE_INIT("x-token")};

static const struct gw_api mock_api = {.id = SLICE_INIT("44"),
                                       .name = SLICE_INIT("Mock"),
                                       .version = SLICE_INIT("1"),
                                       .vhost = SLICE_INIT("m.test"),
                                       .base_path = SLICE_INIT("/m"),
                                       .auth_header = SLICE_INIT("x-token"),
                                       .mock = true,
                                       .resources = mock_resources,
                                       .n_resources = 1};

static const struct gw_model model = {
    .generation = 7,
    .haproxy_generation = 6,
    .system_host = SLICE_INIT("localhost"),
    .leeway_s = 5,
    .keep_auth_header = true,
    .headers = headers,
    .n_headers = 2,
    .issuers = issuers,
    .n_issuers = 2,
    .clusters = clusters,
    .n_clusters = 2,
    .cors = cors,
    .n_cors = 2,
    .identities = identities,
    .n_identities = 2,
    .apis = apis,
    .n_apis = 2,
    .throttling = {.enabled = true,
                   .allow_unknown = true,
                   .standard_headers = true,
                   .legacy_headers = true,
                   .unauthenticated_tier = SLICE_INIT("Gold"),
                   .ipv6_prefix_length = 64},
    .policies = policies,
    .n_policies = 3,
    .deny_rules = deny_rules,
    .n_deny_rules = 2,
};
