/* gateway: the model of everything a gateway serves, as both programs see it.
 *
 * cc-gen fills a struct gw_model from API projects and writes it as a snapshot (gateway.json);
 * cc-spoa and `cc-gen explain` read it back and look requests up in its route table. A model is
 * plain data in one arena: whoever owns the arena owns all of it. After gw_snapshot_read() it is
 * immutable and reference-counted, so that workers share it without locks.
 *
 * `origin` members say where a fact was declared; they are for operators (explain, logs), never for
 * clients. In a model read from a snapshot their sources have names but no text.
 *
 * Parts:  gateway.h  the model     snapshot.h  writer and reader
 *         route.h    route table   path.h      normal form of request paths
 *         cors.h     which web pages may call an API
 *         mock.h     what the answers of mock APIs may hold
 *         policy.h   limits and deny rules; address.h, pattern.h what their conditions are made of
 */
#pragma once

#include "base/base.h"
#include "gateway/policy.h"

/* Methods that OpenAPI can declare. The order is the order of the Allow header. */
#define GW_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(PATCH) X(OPTIONS) X(TRACE)

enum gw_method {
#define X(m) GW_##m,
    GW_METHODS(X)
#undef X
        GW_METHOD_COUNT
};

/* "GET"; and back: exact, upper case (RFC 9110 9.1: methods are case-sensitive). Unknown =
 * GW_METHOD_COUNT. */
const char *gw_method_name(enum gw_method m);
enum gw_method gw_method_parse(struct slice s);

/* What a request can bring to be admitted. */
#define GW_CREDENTIALS(X)                                                                     \
    X(TOKEN, "token")              /* an OAuth 2 access token in the API's auth_header */     \
    X(KEY_IN_HEADER, "api_key")    /* an API key in the header `name` */                      \
    X(KEY_IN_QUERY, "query_key")   /* an API key in the query parameter `name` */             \
    X(CERTIFICATE, "certificate")  /* the client's certificate: mutual TLS */                 \
    X(CONSOLE_KEY, "internal_key") /* in internal_key_header: every operation takes it beside \
                                    * what its requirements say; never in a need */

enum gw_credential {
#define X(name, text) GW_##name,
    GW_CREDENTIALS(X)
#undef X
        GW_CREDENTIAL_COUNT
};

/* "token"; and back. Unknown = GW_CREDENTIAL_COUNT. */
const char *gw_credential_name(enum gw_credential c);
enum gw_credential gw_credential_parse(struct slice s);

/* One credential that is demanded: a security scheme and its list of scopes. */
struct gw_need {
    enum gw_credential kind;
    struct slice name; /* of an API key: header, lower case, or query parameter; else empty */
    const struct slice *scopes; /* of a token: at least one of these; none: any token */
    size_t n_scopes;
    struct place origin;
};

/* One way to be admitted: all needs at once (OpenAPI's Security Requirement Object). An operation's
 * requirements are alternatives. */
struct gw_requirement {
    const struct gw_need *needs; /* at least one */
    size_t n_needs;
    struct place origin;
};

/* Is it content with any token, whatever its scopes? */
bool gw_requirement_any_token(const struct gw_requirement *r);

struct gw_cluster;
struct gw_model;

/* A service that is asked about requests before the backend gets them, or about its answers, and
 * what it is told (docs/interceptors.md). How long it may take is in its cluster's options. */
struct gw_interceptor {
    bool response; /* about answers; else about requests */
    bool request_headers, request_body, request_trailers;
    bool response_headers, response_body, response_trailers, invocation_context;
    const struct gw_cluster *cluster; /* into gw_model.clusters; one endpoint, without a path */
    struct place origin;
};

/* An example of a document: one of the bodies that a mock API answers with. */
struct gw_mock_example {
    struct slice name; /* as in `examples`; "" for the one that `example` is */
    struct slice body;
};

struct gw_mock_content {
    struct slice media_type;                /* the Content-Type: "application/json" */
    const struct gw_mock_example *examples; /* in the order of the document; at least one */
    size_t n_examples;
};

struct gw_mock_header {
    struct slice name, value; /* name: lower case */
};

/* A response of the document as an answer. */
struct gw_mock_answer {
    struct slice code;                      /* "200", "40x", "4xx", "default"; see mock.h */
    const struct gw_mock_content *contents; /* in the order of the document; none: no body */
    size_t n_contents;
    const struct gw_mock_header *headers;
    size_t n_headers;
    struct place origin;
};

struct gw_operation {
    enum gw_method method;
    bool open;   /* x-wso2-disable-security: no authentication */
    bool closed; /* only schemes that are not supported protect it: 401 whatever the token; never
                  * together with open, and without requirements */
    const struct gw_requirement *requirements; /* none: any valid token */
    size_t n_requirements;
    const struct gw_interceptor *interceptors; /* one for requests at most, then one for answers */
    size_t n_interceptors;
    struct slice tier;          /* throttling tier; "": none. Counts where the API has none */
    struct place tier_declared; /* also of "Unlimited", which is none */
    const struct gw_mock_answer
        *answers; /* of a mock API's operation, in the order of the document */
    size_t n_answers;
    struct place origin;
};

/* Who the gateway is to an endpoint: the Authorization header of its requests, in place of the
 * client's. Each declaration is one. The value is a secret: it is in the snapshot and in the
 * agent's answers to HAProxy, and in nothing that somebody reads. */
struct gw_identity {
    struct slice user;          /* for operators */
    struct slice authorization; /* "Basic c3ZjOnNlY3JldA==" */
    struct place origin;
};

/* Bytes of an API's name, version and id; the first two are in each answer of the agent. */
enum { GW_API_TEXT_MAX = 512 };

enum { GW_IDENTITY_MAX = 1400 }; /* bytes of the value; the agent's answers have 16 KiB at most */

struct gw_resource {
    struct slice template; /* as in the document, below the base path: "/pets/{id}" */
    const struct gw_operation
        *operations; /* at most one a method, in the order of enum gw_method */
    size_t n_operations;
    const struct gw_cluster *production, *sandbox; /* into gw_model.clusters; NULL: the API's */
    struct place origin;
    /* into gw_model.identities, for its own two clusters; NULL: none, never the API's */
    const struct gw_identity *production_identity, *sandbox_identity;
};

/* An endpoint of a cluster. */
struct gw_endpoint {
    struct slice host; /* DNS name, IPv4, or IPv6 without brackets; lower case */
    unsigned port;
    bool tls;
    struct slice path; /* "/v2" or "" - no trailing slash */
    struct slice ca;   /* whom its certificate is checked with: the name of one of
                        * gw_model.authorities; "": as cc.yaml says, and without TLS */
    struct place origin;
};

/* Certificates of authorities that a project brings for its endpoints. HAProxy alone reads them:
 * they are in a file beside its configuration, and not in the snapshot. */
struct gw_authorities {
    struct slice name; /* GW_AUTHORITIES_NAME hex digits of the SHA-256 of pem */
    struct slice pem;
};

enum { GW_AUTHORITIES_NAME = 32 };

/* How HAProxy treats the endpoints of a cluster. Decisions do not depend on it; it is in the
 * snapshot for those who look at one. 0, false, "" and none mean: as cc.yaml says, or no limit. */
struct gw_options {
    bool failover;            /* an endpoint gets requests while all before it are down */
    bool http2;               /* HTTP/2 to endpoints */
    bool retry_unsafe;        /* methods that are not idempotent, too */
    unsigned timeout_ms;      /* for an endpoint's answer */
    unsigned connect_ms;      /* for a connection to it */
    unsigned retry_count;     /* attempts after the first; for statuses only when there are some */
    unsigned max_requests;    /* at once, of the whole cluster */
    unsigned max_connections; /* at once, of the whole cluster; others wait */
    unsigned max_pending;     /* that wait */
    const struct slice *retry_statuses; /* "504", ...: sorted, unique, all known to HAProxy */
    size_t n_retry_statuses;
    struct slice health_path;            /* "": only a connection is tried */
    const struct slice *health_statuses; /* as retry_statuses, any; none: 200 to 399 */
    size_t n_health_statuses;
};

/* A set of endpoints that one HAProxy backend balances over. Two APIs with equal endpoints and
 * options share one cluster; its name is derived from its content, so a name can never lead to
 * another place than the one it was decided for. */
struct gw_cluster {
    struct slice name; /* "cc_b_" + 12 hex digits */
    const struct gw_endpoint
        *endpoints; /* all have one path, and Hosts that are equal or distinct */
    size_t n_endpoints;
    struct gw_options options;
};

/* The Host of requests to it: the port is there when it is not the scheme's own (RFC 9110 4.2.3).
 * p == NULL when memory is short. */
struct slice gw_endpoint_host(struct arena *arena, const struct gw_endpoint *e);

/* Do both, or all of a cluster, have the same Host? */
bool gw_endpoint_same_host(const struct gw_endpoint *a, const struct gw_endpoint *b);
bool gw_cluster_one_host(const struct gw_cluster *cluster);

/* Which web pages may call an API, and what their browsers let them see (WHATWG Fetch, "CORS
 * protocol"). Equal policies of a model are one. */
struct gw_cors {
    bool any_origin;
    bool credentials;            /* browsers may send cookies and client certificates */
    const struct slice *origins; /* "https://shop.example.com": sorted, unique; see cors.h */
    size_t n_origins;
    const struct slice *patterns; /* the same with "*." before the name */
    size_t n_patterns;
    struct slice methods, headers, expose; /* lists joined by ", "; empty = none */
};

/* A certificate by which an API knows its clients (mutual TLS): a client's own, or that of an
 * authority, which vouches for those that it has signed. */
struct gw_client {
    struct slice alias;       /* for operators; not empty */
    struct slice fingerprint; /* SHA-256 of its DER, 64 hex digits in lower case */
    struct slice tier;        /* throttling tier; "": none */
    bool authority;
    struct slice pem;  /* of an authority; else "" */
    int64_t not_after; /* seconds since 1970 */
    struct place origin;
};

/* Endpoints with a name, which an interceptor may choose for a request. */
struct gw_named_endpoints {
    struct slice name;
    const struct gw_cluster *cluster; /* into gw_model.clusters */
    struct place origin;
};

struct gw_api {
    struct slice id; /* data.id, or hex SHA-1 of "name:version" */
    struct slice name;
    struct slice version;
    struct slice vhost;       /* lower case: "api.example.com", "*.example.com" or "*" */
    struct slice base_path;   /* "/petstore/1.0.0": leading slash, no trailing slash; "" for "/" */
    struct slice auth_header; /* lower case; where the token is */
    /* Where its operations take API keys, which backends never see: ",apikey,x-key,", each header
     * with a comma before and behind it; and query parameters. Sorted, unique. */
    struct slice key_headers;
    const struct slice *key_params;
    size_t n_key_params;
    const struct gw_client *clients; /* at least one where an operation needs a certificate */
    size_t n_clients;
    struct place clients_declared;
    bool mock; /* answers come from examples: no request reaches a backend */
    /* by key type, into gw_model.clusters; NULL: none, but not both, unless it is a mock API, which
     * has neither */
    const struct gw_cluster *production, *sandbox;
    /* into gw_model.identities: for these two clusters; NULL: none */
    const struct gw_identity *production_identity, *sandbox_identity;
    const struct gw_named_endpoints *named; /* x-wso2-endpoints, sorted, unique; none where no
                                             * interceptor could choose one */
    size_t n_named;
    struct slice tier; /* throttling tier of all operations together; "": none, those of operations
                        * count */
    struct place tier_declared;
    const struct gw_resource *resources;
    size_t n_resources;
    const struct gw_cors *cors; /* into gw_model.cors; NULL: CORS is the backend's affair */
    struct place cors_declared; /* x-wso2-cors, or router.cors of cc.yaml */
    struct slice status; /* lifeCycleStatus in capitals; "": none. BLOCKED is refused with 503 */
    struct place status_declared;
    struct place origin;
};

enum { GW_KEY_HEADERS_MAX = 1024, GW_KEY_PARAMS_MAX = 32 };

/* Is `name` one of key_headers? */
bool gw_api_takes_key_in_header(const struct gw_api *api, struct slice name);
/* Does some operation need the client's certificate? */
bool gw_api_needs_certificate(const struct gw_api *api);
bool gw_model_needs_certificate(const struct gw_model *model);

/* The throttling tier that counts for an operation of the API, and where it was declared: the
 * API's, if it has one, for all its operations together. "": none. */
struct slice gw_tier(const struct gw_api *api, const struct gw_operation *operation,
                     struct place *declared);

/* A claim of an issuer's tokens that is called otherwise here. */
struct gw_claim_mapping {
    struct slice remote, local;
};

/* Tokens by what they are for: none is taken for another. */
enum gw_token_type {
    GW_ACCESS_TOKEN, /* without token_type, or with one that is none of these */
    GW_API_KEY,      /* token_type apiKey */
    GW_INTERNAL_KEY, /* token_type InternalKey: of a test console */
    GW_TOKEN_TYPE_COUNT
};

/* Who may sign tokens. Keys are public and stand in the snapshot as PEM, or are fetched by the
 * agent.
 */
struct gw_issuer {
    struct slice name;
    struct slice issuer; /* compared with `iss`, exactly; "": any, of who signs no access tokens */
    bool access_tokens, api_keys, internal_keys; /* what it may sign; at least one */
    const struct slice *audiences;               /* none: `aud` is not looked at */
    size_t n_audiences;
    unsigned algorithms;   /* bit set, 1u << enum jwt_alg (crypto/jwt.h) */
    struct slice pem;      /* certificate or public key; "" with jwks_url, and when it
                            * has opaque tokens only */
    struct slice jwks_url; /* where its key set is; "" with pem */
    struct slice
        introspection_url; /* where its opaque tokens are asked about (RFC 7662); "" = nowhere */
    struct slice introspection_authorization; /* "Basic ..."; "" = none. A secret */
    struct slice consumer_key_claim;          /* "" = consumerKey, then azp */
    struct slice scope_claim;                 /* "" = scope */
    const struct gw_claim_mapping *claim_mappings;
    size_t n_claim_mappings;
    bool validate_subscription;
    struct slice claim_transformer; /* the filter whose on_claims sees its tokens; "" = none */
    struct place origin;
};

bool gw_issuer_signs(const struct gw_issuer *issuer, enum gw_token_type type);

/* What is wrong with the URL of a key set, or of introspection, or NULL:
 * https://host[:port]/path[?query], or http:// to localhost, 127.0.0.0/8 or [::1], where nobody
 * else can be on the way. */
const char *gw_jwks_url_fault(struct slice url);

/* Of gw_model.headers. A SPOE message carries at most 255 arguments (SPOE.txt 3.2.6: the count is
 * one byte); a header takes two, and a few are other facts. */
enum { GW_MAX_HEADERS = 120 };

/* A key of the JWT for backends. */
struct gw_key_pair {
    struct slice certificate; /* PEM; its first one counts */
    /* path of the private key's file, of the one that signs; else empty. The key itself is never in
     * the model: the agent reads it. */
    struct slice private_key;
};

/* The JWT that tells backends who calls (docs/backend-jwt.md). */
struct gw_backend_jwt {
    struct slice header;  /* lower case; "": no JWT is sent, and all else means nothing */
    struct slice dialect; /* what names of claims begin with; "" = nothing */
    bool convert_dialect; /* the names of the token's claims, too */
    bool user_claims;     /* are there claims of the token in it? */
    bool base64url;       /* else base64 without padding */
    bool with_kid;        /* in its header */
    bool old_key_ids;     /* enum key_id_form (crypto/key_id.h) */
    int64_t ttl_s;
    struct slice generator; /* the filter whose on_backend_claims changes its claims; "" = none */
    const struct slice *excluded; /* claims of the token that are left out */
    size_t n_excluded;
    const struct gw_key_pair *key_pairs; /* one of them signs */
    size_t n_key_pairs;
};

enum {
    GW_BACKEND_JWT_MAX = 6144, /* bytes of a JWT; the agent's answers have 16 KiB at most */
    /* what HAProxy keeps free in a buffer for rules (1024), the JWT and its header */
    GW_BACKEND_JWT_REWRITE = 1024 + GW_BACKEND_JWT_MAX + 1024,
    GW_BACKEND_JWT_TTL_MIN = 10, /* seconds */
    GW_BACKEND_JWT_TTL_MAX = 86400,
    GW_BACKEND_JWT_MARGIN_S = 5,    /* before its end none is used: backends get it later, and have
                                     * clocks of their own */
    GW_BACKEND_JWKS_MAX = 12 << 10, /* bytes of its key set; it must fit into a buffer of HAProxy */
    GW_BACKEND_JWT_HYPHENS = 4      /* in the header's name: HAProxy has a rule for each spelling */
};

/* What is wrong with the name of the header, in lower case, or NULL. */
const char *gw_backend_jwt_header_fault(struct slice name);
/* Is it the same header to a backend that makes no difference between - and _? */
bool gw_backend_jwt_is_header(const struct gw_backend_jwt *jwt, struct slice name);
/* Is it the path of the key set, on the system host? HAProxy answers there. */
bool gw_is_jwks_path(struct slice path);
/* The pair that signs, or NULL. */
const struct gw_key_pair *gw_backend_jwt_signing(const struct gw_backend_jwt *jwt);

/* An extension that looks at each request (enforcer.filters); all header names in lower case. */
struct gw_filter {
    struct slice name;
    unsigned position;                   /* enum enforce_filter_position: 1 to 3 */
    const struct slice *request_headers; /* it may look at, also in gw_model.headers */
    size_t n_request_headers;
    const struct slice *set_headers; /* it alone may set for endpoints: a client's go nowhere */
    size_t n_set_headers;
    const struct slice *remove_headers; /* it may take away */
    size_t n_remove_headers;
    struct place origin; /* of cc-gen's own models */
};

enum { GW_MAX_FILTERS = 16 };

struct gw_model {
    uint64_t generation;         /* counts up with each build into one output directory */
    uint64_t haproxy_generation; /* the generation in which HAProxy's half last changed */
    struct slice system_host;    /* vhost of /health and /ready; "*" = any */
    int64_t leeway_s;            /* clock skew allowed to exp and nbf */
    bool keep_auth_header;       /* enableOutboundAuthHeader */
    struct gw_backend_jwt backend_jwt;
    struct slice internal_key_header; /* lower case; "": nobody signs internal keys */
    const struct slice
        *headers; /* request headers the agent must see; lower case, sorted, unique */
    size_t n_headers;
    const struct gw_filter *filters; /* in the order in which they run */
    size_t n_filters;
    const struct gw_issuer *issuers;
    size_t n_issuers;
    const struct gw_cluster *clusters;
    size_t n_clusters;
    const struct gw_authorities *authorities; /* sorted by name, unique; of cc-gen's own models */
    size_t n_authorities;
    const struct gw_cors *cors;
    size_t n_cors;
    const struct gw_identity *identities; /* none: there is no secret in the model */
    size_t n_identities;
    const struct gw_api *apis;
    size_t n_apis;
    struct gw_throttling throttling;
    const struct gw_policy *policies; /* sorted by level and name, unique */
    size_t n_policies;
    const struct gw_deny_rule *deny_rules; /* sorted by kind and value */
    size_t n_deny_rules;
};
