#include "gateway/snapshot_schema_rows.h"

#include "gateway/address.h"
#include "gateway/cors.h"
#include "gateway/mock.h"
#include "gateway/path.h"

#include <limits.h>

/* What holds for texts, whoever wrote them: they get into logs, headers, variables of HAProxy. */

const char *snapshot_optional_text(struct slice s)
{
    return slice_has_control(s) ? "it has a control character" : NULL;
}

const char *snapshot_required_text(struct slice s)
{
    return s.n == 0 ? "it is empty" : snapshot_optional_text(s);
}

/* The value of an Authorization header, or none. */
static const char *authorization_text(struct slice s)
{
    return s.n > GW_IDENTITY_MAX ? "it is longer than 1400 bytes" : snapshot_optional_text(s);
}

static const char *pem_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '\t' && ascii_is_control(s.p[i]))
            return "it has a control character";
    }
    return NULL;
}

static const char *jwks_url(struct slice s)
{
    return s.n == 0 ? NULL : gw_jwks_url_fault(s);
}

/* token = 1*tchar (RFC 9110 5.6.2), here in lower case. */
const char *snapshot_header_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') &&
            (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return "it is not a header name in lower case";
    }
    return s.n == 0 ? "it is empty" : NULL;
}

static const char *internal_key_header(struct slice s)
{
    return s.n == 0 ? NULL : snapshot_header_name(s);
}

/* ",apikey,x-key," */
static const char *key_headers(struct slice s)
{
    struct slice rest = slice_from(s, 1), name, before = SLICE("");

    if (s.n == 0)
        return NULL;
    if (s.n > GW_KEY_HEADERS_MAX || s.p[0] != ',' || s.p[s.n - 1] != ',' || s.n < 3)
        return "it is no list with a comma before and behind each name";
    rest.n--;
    for (; slice_split(&rest, ',', &name); before = name) {
        if (snapshot_header_name(name) != NULL)
            return snapshot_header_name(name);
        if (slice_cmp(before, name) >= 0)
            return "names are not in order or not unique";
    }
    return NULL;
}

static const char *scope_text(struct slice s)
{
    return slice_find(s, ' ') >= 0 ? "it has a space" : snapshot_required_text(s);
}

static const char *host_text(struct slice s)
{
    return slice_find(s, '*') >= 0 ? "it has a wildcard" : gw_vhost_fault(s);
}

static const char *system_host(struct slice s)
{
    return s.n == 0 || slice_is(s, "*") ? NULL : host_text(s);
}

static const char *endpoint_path(struct slice s)
{
    if (s.n > 0 && (s.p[0] != '/' || s.p[s.n - 1] == '/'))
        return "it must begin with '/' and not end with it";
    return snapshot_optional_text(s);
}

static bool is_hex(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
            return false;
    }
    return true;
}

static const char *fingerprint(struct slice s)
{
    return s.n == 64 && is_hex(s) ? NULL : "it is not 64 hex digits";
}

/* Part of a file's name. */
static const char *authorities_name(struct slice s)
{
    return s.n == 0 || (s.n == GW_AUTHORITIES_NAME && is_hex(s)) ? NULL : "it is not 32 hex digits";
}

/* Names of HAProxy backends: nothing but what cc-gen makes, so that a snapshot cannot send requests
 * to another backend of the same HAProxy. */
static const char *cluster_name(struct slice s)
{
    const struct slice prefix = SLICE("cc_b_");

    return s.n == prefix.n + 12 && slice_starts(s, prefix) && is_hex(slice_from(s, prefix.n))
               ? NULL
               : "it is not \"cc_b_\" and 12 hex digits";
}

/* Lists as they stand in headers of answers. */
static const char *header_list(struct slice s)
{
    return s.n > GW_CORS_LIST_MAX ? "it is longer than 2048 bytes" : snapshot_optional_text(s);
}

static const char *exposed_headers(struct slice s)
{
    return s.n > GW_CORS_EXPOSE_MAX ? "it is longer than 512 bytes" : snapshot_optional_text(s);
}

/* Text of HAProxy's set-header: one value of one header. */
static const char *identity_value(struct slice s)
{
    return s.n > GW_IDENTITY_MAX ? "it is longer than 1400 bytes" : snapshot_required_text(s);
}

static const char *jwt_header(struct slice s)
{
    return s.n == 0 ? NULL : gw_backend_jwt_header_fault(s);
}

/* A path, which programs open. */
static const char *file_path(struct slice s)
{
    return s.n > 0 && s.p[0] != '/' ? "it is not an absolute path" : snapshot_optional_text(s);
}

/* What holds for objects. */

static bool is_sorted(const struct slice *texts, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (slice_cmp(texts[i - 1], texts[i]) >= 0)
            return false;
    }
    return true;
}

static const char *need_fault(const void *object)
{
    const struct gw_need *need = object;
    bool is_key = need->kind == GW_KEY_IN_HEADER || need->kind == GW_KEY_IN_QUERY;

    if (need->kind == GW_CONSOLE_KEY)
        return "every operation takes an internal key";
    if (is_key != (need->name.n > 0))
        return "an API key has a name, other credentials have none";
    if (need->n_scopes > 0 && need->kind != GW_TOKEN)
        return "only a token has scopes";
    return need->kind == GW_KEY_IN_HEADER ? snapshot_header_name(need->name) : NULL;
}

/* Without needs it would let everybody in. */
static const char *requirement_fault(const void *object)
{
    return ((const struct gw_requirement *)object)->n_needs == 0 ? "it demands nothing" : NULL;
}

static const char *operation_fault(const void *object)
{
    const struct gw_operation *op = object;

    if (op->closed && (op->open || op->n_requirements > 0))
        return "a closed operation cannot be open or have requirements";
    if (op->n_interceptors > 2 || (op->n_interceptors == 2 && !(!op->interceptors[0].response &&
                                                                op->interceptors[1].response)))
        return "its interceptors are not in order or not unique";
    return NULL;
}

static const char *interceptor_fault(const void *object)
{
    return ((const struct gw_interceptor *)object)->cluster == NULL ? "it has no service" : NULL;
}

static const char *named_fault(const void *object)
{
    return ((const struct gw_named_endpoints *)object)->cluster == NULL ? "it has no endpoints"
                                                                        : NULL;
}

static const char *resource_fault(const void *object)
{
    const struct gw_resource *r = object;

    for (size_t i = 1; i < r->n_operations; i++) {
        if (r->operations[i].method <= r->operations[i - 1].method)
            return "its methods are not in order or not unique";
    }
    return NULL;
}

/* A status, three digits (RFC 9110 15). */
static const char *status_text(struct slice s)
{
    if (s.n != 3 || s.p[0] < '1' || s.p[0] > '5' || !ascii_is_digit(s.p[1]) ||
        !ascii_is_digit(s.p[2]))
        return "it is no status";
    return NULL;
}

static const char *cluster_fault(const void *object)
{
    return ((const struct gw_cluster *)object)->n_endpoints == 0 ? "it has no endpoint" : NULL;
}

static const char *client_fault(const void *object)
{
    const struct gw_client *c = object;

    return c->authority == (c->pem.n > 0) ? NULL : "an authority has a certificate, others none";
}

static const char *answer_fault(const void *object)
{
    return gw_mock_answer_fault(object);
}

/* Is what the need takes among what is removed before backends? */
static bool is_removed(const struct gw_api *api, const struct gw_need *need)
{
    if (need->kind == GW_KEY_IN_HEADER)
        return gw_api_takes_key_in_header(api, need->name);
    for (size_t i = 0; need->kind == GW_KEY_IN_QUERY && i < api->n_key_params; i++) {
        if (slice_eq(api->key_params[i], need->name))
            return true;
    }
    return need->kind != GW_KEY_IN_QUERY;
}

static bool operation_is_removed(const struct gw_api *api, const struct gw_operation *op)
{
    for (size_t i = 0; i < op->n_requirements; i++) {
        for (size_t k = 0; k < op->requirements[i].n_needs; k++) {
            if (!is_removed(api, &op->requirements[i].needs[k]))
                return false;
        }
    }
    return true;
}

static bool keys_are_removed(const struct gw_api *api)
{
    for (size_t i = 0; i < api->n_resources; i++) {
        for (size_t k = 0; k < api->resources[i].n_operations; k++) {
            if (!operation_is_removed(api, &api->resources[i].operations[k]))
                return false;
        }
    }
    return true;
}

/* Either it has endpoints or it answers by itself. */
static const char *api_fault(const void *object)
{
    const struct gw_api *api = object;
    bool called = api->production != NULL || api->sandbox != NULL;

    if (api->mock && called)
        return "a mock API cannot have endpoints";
    if (!api->mock && !called)
        return "it has no endpoints";
    if (!is_sorted(api->key_params, api->n_key_params))
        return "its parameters with keys are not in order or not unique";
    if (!keys_are_removed(api))
        return "an API key would be seen by backends";
    if (api->n_clients == 0 && gw_api_needs_certificate(api))
        return "it needs certificates of its clients and knows none";
    for (size_t i = 1; i < api->n_named; i++) { /* looked up by halving */
        if (slice_cmp(api->named[i - 1].name, api->named[i].name) >= 0)
            return "its named endpoints are not in order or not unique";
    }
    return NULL;
}

static const char *issuer_fault(const void *object)
{
    const struct gw_issuer *issuer = object;

    if (issuer->pem.n > 0 && issuer->jwks_url.n > 0)
        return "it has both a key and the URL of a key set";
    if (issuer->pem.n + issuer->jwks_url.n + issuer->introspection_url.n == 0)
        return "it must have a key, the URL of a key set, or that of introspection";
    if (issuer->introspection_authorization.n > 0 && issuer->introspection_url.n == 0)
        return "it has credentials for no introspection";
    if (!issuer->access_tokens && !issuer->api_keys && !issuer->internal_keys)
        return "it may sign nothing";
    if (issuer->access_tokens && issuer->issuer.n == 0)
        return "an issuer of access tokens has an iss";
    return issuer->algorithms == 0 ? "it allows no algorithm" : NULL;
}

/* A JWT that is sent has one key that signs it. */
static const char *backend_jwt_fault(const struct gw_backend_jwt *jwt)
{
    size_t n = 0;

    for (size_t i = 0; i < jwt->n_key_pairs; i++)
        n += jwt->key_pairs[i].private_key.n > 0;
    if (jwt->header.n == 0)
        return NULL;
    return n != 1 ? "not exactly one key pair signs the JWT of backends"
           : jwt->ttl_s < GW_BACKEND_JWT_TTL_MIN
               ? "the JWT of backends is valid for too short a time"
               : NULL;
}

static const char *settings_fault(const void *object)
{
    const struct gw_model *m = object;
    const char *fault = backend_jwt_fault(&m->backend_jwt);

    if (fault != NULL)
        return fault;
    return is_sorted(m->headers, m->n_headers) ? NULL : "headers are not in order or not unique";
}

/* Origins are looked up by halving. */
static const char *cors_fault(const void *object)
{
    const struct gw_cors *c = object;

    return is_sorted(c->origins, c->n_origins) && is_sorted(c->patterns, c->n_patterns)
               ? NULL
               : "origins are not in order or not unique";
}

static const char *generations_fault(const void *object)
{
    const struct gw_model *m = object;

    return m->haproxy_generation > m->generation ? "haproxy_generation is above generation" : NULL;
}

/* The tables. */

static const struct snapshot_field need_fields[] = {
    {AT(struct gw_need, kind), .type = SNAPSHOT_CREDENTIAL},
    {AT(struct gw_need, name), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {TEXTS(struct gw_need, scopes, scope_text)},
    {AT(struct gw_need, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema need = SCHEMA(need_fields, struct gw_need, need_fault);

static const struct snapshot_field requirement_fields[] = {
    {LIST(struct gw_requirement, needs, &need)},
    {AT(struct gw_requirement, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema requirement =
    SCHEMA(requirement_fields, struct gw_requirement, requirement_fault);

static const struct snapshot_field interceptor_fields[] = {
    {AT(struct gw_interceptor, response), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, request_headers), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, request_body), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, request_trailers), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, response_headers), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, response_body), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, response_trailers), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, invocation_context), .type = SNAPSHOT_BOOL},
    {AT(struct gw_interceptor, cluster), .type = SNAPSHOT_CLUSTER},
    {AT(struct gw_interceptor, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema interceptor =
    SCHEMA(interceptor_fields, struct gw_interceptor, interceptor_fault);

static const struct snapshot_field example_fields[] = {
    {AT(struct gw_mock_example, name), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_mock_example, body), .type = SNAPSHOT_TEXT, .fault = gw_mock_body_fault},
};
static const struct snapshot_schema example = SCHEMA(example_fields, struct gw_mock_example, NULL);

static const struct snapshot_field content_fields[] = {
    {AT(struct gw_mock_content, media_type), .type = SNAPSHOT_TEXT,
     .fault = gw_mock_media_type_fault},
    {LIST(struct gw_mock_content, examples, &example)},
};
static const struct snapshot_schema content = SCHEMA(content_fields, struct gw_mock_content, NULL);

static const struct snapshot_field header_fields[] = {
    {AT(struct gw_mock_header, name), .type = SNAPSHOT_TEXT, .fault = gw_mock_header_name_fault},
    {AT(struct gw_mock_header, value), .type = SNAPSHOT_TEXT, .fault = gw_mock_header_value_fault},
};
static const struct snapshot_schema header = SCHEMA(header_fields, struct gw_mock_header, NULL);

static const struct snapshot_field answer_fields[] = {
    {AT(struct gw_mock_answer, code), .type = SNAPSHOT_TEXT, .fault = gw_mock_code_fault},
    {LIST(struct gw_mock_answer, contents, &content)},
    {LIST(struct gw_mock_answer, headers, &header)},
    {AT(struct gw_mock_answer, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema answer =
    SCHEMA(answer_fields, struct gw_mock_answer, answer_fault);

static const struct snapshot_field operation_fields[] = {
    {AT(struct gw_operation, method), .type = SNAPSHOT_METHOD},
    {AT(struct gw_operation, open), .type = SNAPSHOT_BOOL},
    {AT(struct gw_operation, closed), .type = SNAPSHOT_BOOL},
    {LIST(struct gw_operation, requirements, &requirement)},
    {LIST(struct gw_operation, interceptors, &interceptor)},
    {AT(struct gw_operation, tier), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_operation, tier_declared), .type = SNAPSHOT_ORIGIN},
    {LIST(struct gw_operation, answers, &answer)},
    {AT(struct gw_operation, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema operation =
    SCHEMA(operation_fields, struct gw_operation, operation_fault);

static const struct snapshot_field resource_fields[] = {
    {AT(struct gw_resource, template), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {LIST(struct gw_resource, operations, &operation)},
    {AT(struct gw_resource, production), .type = SNAPSHOT_CLUSTER},
    {AT(struct gw_resource, sandbox), .type = SNAPSHOT_CLUSTER},
    {AT(struct gw_resource, production_identity), .type = SNAPSHOT_IDENTITY},
    {AT(struct gw_resource, sandbox_identity), .type = SNAPSHOT_IDENTITY},
    {AT(struct gw_resource, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema resource =
    SCHEMA(resource_fields, struct gw_resource, resource_fault);

static const struct snapshot_field named_fields[] = {
    {AT(struct gw_named_endpoints, name), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_named_endpoints, cluster), .type = SNAPSHOT_CLUSTER},
    {AT(struct gw_named_endpoints, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema named =
    SCHEMA(named_fields, struct gw_named_endpoints, named_fault);

static const struct snapshot_field client_fields[] = {
    {AT(struct gw_client, alias), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_client, fingerprint), .type = SNAPSHOT_TEXT, .fault = fingerprint},
    {AT(struct gw_client, tier), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_client, authority), .type = SNAPSHOT_BOOL},
    {AT(struct gw_client, pem), .type = SNAPSHOT_TEXT, .fault = pem_text},
    {AT(struct gw_client, not_after), .type = SNAPSHOT_INT, .max = MAX_EXACT},
    {AT(struct gw_client, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema client = SCHEMA(client_fields, struct gw_client, client_fault);

static const struct snapshot_field api_fields[] = {
    {AT(struct gw_api, id), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_api, name), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_api, version), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_api, vhost), .type = SNAPSHOT_TEXT, .fault = gw_vhost_fault},
    {AT(struct gw_api, base_path), .type = SNAPSHOT_TEXT, .fault = gw_base_path_fault},
    {AT(struct gw_api, auth_header), .type = SNAPSHOT_TEXT, .fault = snapshot_header_name},
    {AT(struct gw_api, key_headers), .type = SNAPSHOT_TEXT, .fault = key_headers},
    {TEXTS(struct gw_api, key_params, snapshot_required_text)},
    {LIST(struct gw_api, clients, &client)},
    {AT(struct gw_api, clients_declared), .type = SNAPSHOT_ORIGIN},
    {AT(struct gw_api, mock), .type = SNAPSHOT_BOOL},
    {AT(struct gw_api, production), .type = SNAPSHOT_CLUSTER},
    {AT(struct gw_api, sandbox), .type = SNAPSHOT_CLUSTER},
    {AT(struct gw_api, production_identity), .type = SNAPSHOT_IDENTITY},
    {AT(struct gw_api, sandbox_identity), .type = SNAPSHOT_IDENTITY},
    {AT(struct gw_api, origin), .type = SNAPSHOT_ORIGIN},
    {AT(struct gw_api, cors), .type = SNAPSHOT_CORS},
    {AT(struct gw_api, cors_declared), .type = SNAPSHOT_ORIGIN},
    {LIST(struct gw_api, named, &named)},
    {AT(struct gw_api, tier), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_api, tier_declared), .type = SNAPSHOT_ORIGIN},
    {AT(struct gw_api, status), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_api, status_declared), .type = SNAPSHOT_ORIGIN},
    {LIST(struct gw_api, resources, &resource)},
};
const struct snapshot_schema snapshot_api = SCHEMA(api_fields, struct gw_api, api_fault);

static const struct snapshot_field endpoint_fields[] = {
    {AT(struct gw_endpoint, host), .type = SNAPSHOT_TEXT, .fault = host_text},
    {AT(struct gw_endpoint, port), .type = SNAPSHOT_UNSIGNED, .min = 1, .max = 65535},
    {AT(struct gw_endpoint, tls), .type = SNAPSHOT_BOOL},
    {AT(struct gw_endpoint, path), .type = SNAPSHOT_TEXT, .fault = endpoint_path},
    {AT(struct gw_endpoint, ca), .type = SNAPSHOT_TEXT, .fault = authorities_name},
    {AT(struct gw_endpoint, origin), .type = SNAPSHOT_ORIGIN},
};
static const struct snapshot_schema endpoint = SCHEMA(endpoint_fields, struct gw_endpoint, NULL);

/* Members of struct gw_options are members of the cluster. */
#define OPTION(member) .name = #member, .offset = offsetof(struct gw_cluster, options.member)
#define OPTION_STATUSES(member)                                                      \
    OPTION(member), .type = SNAPSHOT_TEXTS,                                          \
                    .count_offset = offsetof(struct gw_cluster, options.n_##member), \
                    .fault = status_text

static const struct snapshot_field cluster_fields[] = {
    {AT(struct gw_cluster, name), .type = SNAPSHOT_TEXT, .fault = cluster_name},
    {OPTION(failover), .type = SNAPSHOT_BOOL},
    {OPTION(http2), .type = SNAPSHOT_BOOL},
    {OPTION(timeout_ms), .type = SNAPSHOT_UNSIGNED, .max = INT_MAX},
    {OPTION(connect_ms), .type = SNAPSHOT_UNSIGNED, .max = INT_MAX},
    {OPTION(retry_count), .type = SNAPSHOT_UNSIGNED, .max = INT_MAX},
    {OPTION_STATUSES(retry_statuses)},
    {OPTION(retry_unsafe), .type = SNAPSHOT_BOOL},
    {OPTION(max_requests), .type = SNAPSHOT_UNSIGNED, .max = INT_MAX},
    {OPTION(max_connections), .type = SNAPSHOT_UNSIGNED, .max = INT_MAX},
    {OPTION(max_pending), .type = SNAPSHOT_UNSIGNED, .max = INT_MAX},
    {OPTION(health_path), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {OPTION_STATUSES(health_statuses)},
    {LIST(struct gw_cluster, endpoints, &endpoint)},
};
const struct snapshot_schema snapshot_cluster =
    SCHEMA(cluster_fields, struct gw_cluster, cluster_fault);

static const struct snapshot_field cors_fields[] = {
    {AT(struct gw_cors, any_origin), .type = SNAPSHOT_BOOL},
    {AT(struct gw_cors, credentials), .type = SNAPSHOT_BOOL},
    {TEXTS(struct gw_cors, origins, gw_origin_fault)},
    {TEXTS(struct gw_cors, patterns, gw_origin_pattern_fault)},
    {AT(struct gw_cors, methods), .type = SNAPSHOT_TEXT, .fault = header_list},
    {AT(struct gw_cors, headers), .type = SNAPSHOT_TEXT, .fault = header_list},
    {AT(struct gw_cors, expose), .type = SNAPSHOT_TEXT, .fault = exposed_headers},
};
const struct snapshot_schema snapshot_cors = SCHEMA(cors_fields, struct gw_cors, cors_fault);

static const struct snapshot_field identity_fields[] = {
    {AT(struct gw_identity, user), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_identity, authorization), .type = SNAPSHOT_TEXT, .fault = identity_value,
     .secret = true},
    {AT(struct gw_identity, origin), .type = SNAPSHOT_ORIGIN},
};
const struct snapshot_schema snapshot_identity = SCHEMA(identity_fields, struct gw_identity, NULL);

static const struct snapshot_field claim_mapping_fields[] = {
    {AT(struct gw_claim_mapping, remote), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_claim_mapping, local), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
};
static const struct snapshot_schema claim_mapping =
    SCHEMA(claim_mapping_fields, struct gw_claim_mapping, NULL);

static const struct snapshot_field issuer_fields[] = {
    {AT(struct gw_issuer, name), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_issuer, issuer), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_issuer, access_tokens), .type = SNAPSHOT_BOOL},
    {AT(struct gw_issuer, api_keys), .type = SNAPSHOT_BOOL},
    {AT(struct gw_issuer, internal_keys), .type = SNAPSHOT_BOOL},
    {TEXTS(struct gw_issuer, audiences, snapshot_required_text)},
    {AT(struct gw_issuer, algorithms), .type = SNAPSHOT_ALGORITHMS},
    {AT(struct gw_issuer, pem), .type = SNAPSHOT_TEXT, .fault = pem_text},
    {AT(struct gw_issuer, consumer_key_claim), .type = SNAPSHOT_TEXT,
     .fault = snapshot_optional_text},
    {AT(struct gw_issuer, scope_claim), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {AT(struct gw_issuer, jwks_url), .type = SNAPSHOT_TEXT, .fault = jwks_url},
    {AT(struct gw_issuer, introspection_url), .type = SNAPSHOT_TEXT, .fault = jwks_url},
    {AT(struct gw_issuer, introspection_authorization), .type = SNAPSHOT_TEXT,
     .fault = authorization_text, .secret = true},
    {LIST(struct gw_issuer, claim_mappings, &claim_mapping)},
    {AT(struct gw_issuer, validate_subscription), .type = SNAPSHOT_BOOL},
    {AT(struct gw_issuer, claim_transformer), .type = SNAPSHOT_TEXT,
     .fault = snapshot_optional_text},
    {AT(struct gw_issuer, origin), .type = SNAPSHOT_ORIGIN},
};
const struct snapshot_schema snapshot_issuer =
    SCHEMA(issuer_fields, struct gw_issuer, issuer_fault);

unsigned snapshot_enum_parse(const struct snapshot_field *f, struct slice name)
{
    unsigned i = 0;

    while (i <= f->max && !slice_is(name, f->names[i]))
        i++;
    return i;
}

static const struct snapshot_field file_fields[] = {
    {AT(struct source, name), .type = SNAPSHOT_C_STRING, .fault = snapshot_required_text},
};
const struct snapshot_schema snapshot_file = SCHEMA(file_fields, struct source, NULL);

#define THROTTLING(member) \
    .name = "throttling_" #member, .offset = offsetof(struct gw_model, throttling.member)

static const struct snapshot_field key_pair_fields[] = {
    {AT(struct gw_key_pair, certificate), .type = SNAPSHOT_TEXT, .fault = pem_text},
    {AT(struct gw_key_pair, private_key), .type = SNAPSHOT_TEXT, .fault = file_path},
};
static const struct snapshot_schema key_pair = SCHEMA(key_pair_fields, struct gw_key_pair, NULL);

/* Members of struct gw_backend_jwt are members of the settings. */
#define JWT(member) \
    .name = "backend_jwt_" #member, .offset = offsetof(struct gw_model, backend_jwt.member)
#define JWT_COUNT(member) .count_offset = offsetof(struct gw_model, backend_jwt.n_##member)

static const struct snapshot_field filter_fields[] = {
    {AT(struct gw_filter, name), .type = SNAPSHOT_TEXT, .fault = snapshot_required_text},
    {AT(struct gw_filter, position), .type = SNAPSHOT_UNSIGNED, .min = 1, .max = 3},
    {TEXTS(struct gw_filter, request_headers, snapshot_header_name)},
    {TEXTS(struct gw_filter, set_headers, snapshot_header_name)},
    {TEXTS(struct gw_filter, remove_headers, snapshot_header_name)},
};
static const struct snapshot_schema filter_schema = SCHEMA(filter_fields, struct gw_filter, NULL);

static const struct snapshot_field settings_fields[] = {
    {AT(struct gw_model, system_host), .type = SNAPSHOT_TEXT, .fault = system_host},
    {AT(struct gw_model, leeway_s), .type = SNAPSHOT_INT, .max = INT_MAX},
    {AT(struct gw_model, keep_auth_header), .type = SNAPSHOT_BOOL},
    {AT(struct gw_model, internal_key_header), .type = SNAPSHOT_TEXT, .fault = internal_key_header},
    {TEXTS(struct gw_model, headers, snapshot_header_name)},
    {LIST(struct gw_model, filters, &filter_schema)},
    {THROTTLING(enabled), .type = SNAPSHOT_BOOL},
    {THROTTLING(allow_unknown), .type = SNAPSHOT_BOOL},
    {THROTTLING(standard_headers), .type = SNAPSHOT_BOOL},
    {THROTTLING(legacy_headers), .type = SNAPSHOT_BOOL},
    {THROTTLING(unauthenticated_tier), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {THROTTLING(ipv6_prefix_length), .type = SNAPSHOT_UNSIGNED, .max = GW_IPV6_BITS},
    {JWT(header), .type = SNAPSHOT_TEXT, .fault = jwt_header},
    {JWT(dialect), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {JWT(convert_dialect), .type = SNAPSHOT_BOOL},
    {JWT(user_claims), .type = SNAPSHOT_BOOL},
    {JWT(base64url), .type = SNAPSHOT_BOOL},
    {JWT(with_kid), .type = SNAPSHOT_BOOL},
    {JWT(old_key_ids), .type = SNAPSHOT_BOOL},
    {JWT(ttl_s), .type = SNAPSHOT_INT, .max = GW_BACKEND_JWT_TTL_MAX},
    {JWT(generator), .type = SNAPSHOT_TEXT, .fault = snapshot_optional_text},
    {JWT(excluded), .type = SNAPSHOT_TEXTS, JWT_COUNT(excluded), .fault = snapshot_required_text},
    {JWT(key_pairs), .type = SNAPSHOT_LIST, JWT_COUNT(key_pairs), .of = &key_pair},
};
const struct snapshot_schema snapshot_settings =
    SCHEMA_WHOLE(settings_fields, struct gw_model, settings_fault);

static const struct snapshot_field generations_fields[] = {
    {AT(struct gw_model, generation), .type = SNAPSHOT_INT, .max = MAX_EXACT},
    {AT(struct gw_model, haproxy_generation), .type = SNAPSHOT_INT, .max = MAX_EXACT},
};
const struct snapshot_schema snapshot_generations =
    SCHEMA_WHOLE(generations_fields, struct gw_model, generations_fault);

bool snapshot_may_be_absent(const struct snapshot_field *f)
{
    switch (f->type) {
    case SNAPSHOT_TEXT:
        return f->fault == NULL || f->fault(SLICE("")) == NULL;
    case SNAPSHOT_INT:
    case SNAPSHOT_UNSIGNED:
        return f->min == 0;
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_BOOL:
    case SNAPSHOT_ORIGIN:
    case SNAPSHOT_CLUSTER:
    case SNAPSHOT_CORS:
    case SNAPSHOT_IDENTITY:
    case SNAPSHOT_LIST:
        return true;
    case SNAPSHOT_METHOD:
    case SNAPSHOT_CREDENTIAL:
    case SNAPSHOT_ENUM:
    case SNAPSHOT_ALGORITHMS:
    case SNAPSHOT_C_STRING:
        return false;
    }
    return false;
}
