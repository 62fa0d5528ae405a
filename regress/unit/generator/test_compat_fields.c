/* The fields of api.yaml, as docs/compatibility.md lists them. */
#include "compat_fixture.h"

#define GET         "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer TOKEN"
#define SANDBOX_GET "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SANDBOX"
#define ANON        "GET /pets/1.0.0/a\tHost: localhost"
#define HEADER_KEY  "GET /pets/1.0.0/a\tHost: localhost\tapikey: APIKEY"
#define QUERY_KEY   "GET /pets/1.0.0/a?apikey=APIKEY\tHost: localhost"
#define GOES        "http://p/v2/a"
#define CONFIG      COMPAT_BARE "  endpointConfig:\n"
#define SERVERS     "servers: [{url: \"http://d/v9\"}]\n"
#define SCHEMES                                                             \
    "components:\n  securitySchemes:\n"                                     \
    "    default: {type: oauth2, flows: {implicit: {scopes: {read: r}}}}\n" \
    "    other: {type: oauth2, flows: {implicit: {scopes: {write: w}}}}\n"  \
    "    key: {type: apiKey, in: header, name: k}\n"
#define SECURED(list) COMPAT_OAS3 "security: " list "\n" COMPAT_PATH SCHEMES

static const struct compat_case cases[] = {
    {"type", "data:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n  type: HTTP\n", NULL, NULL,
     "!CC1202 !CC2006 "},
    {"version",
     "type: api\nversion: v9\n"
     "data:\n  name: Pets\n  version: 1.0.0\n"
     "  context: /pets\n  type: HTTP\n  endpointConfig: {production_endpoints: {url: "
     "\"http://p/v2\"}}\n",
     NULL, GET, GOES},
    {"data.id", COMPAT_API "  id: 0d4b7f8e-1c2d\n", NULL, GET, GOES},
    {"data.name",
     "type: api\ndata:\n  version: 1.0.0\n  context: /pets\n  type: HTTP\n"
     "  endpointConfig: {production_endpoints: {url: \"http://p\"}}\n",
     NULL, NULL, "!CC1202 "},
    {"data.version",
     "type: api\ndata:\n  name: Pets\n  version: 2\n  context: /pets\n  type: HTTP\n"
     "  endpointConfig: {production_endpoints: {url: \"http://p/v2\"}}\n",
     NULL, "GET /pets/2/a\tHost: localhost\tAuthorization: Bearer TOKEN", GOES},
    {"data.context",
     "type: api\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /t/{version}/x\n"
     "  type: HTTP\n  endpointConfig: {production_endpoints: {url: \"http://p/v2\"}}\n",
     NULL, "GET /t/1.0.0/x/a\tHost: localhost\tAuthorization: Bearer TOKEN", GOES},
    {"data.revisionId", COMPAT_API "  revisionId: 3\n", NULL, GET, GOES},
    {"data.type HTTP",
     COMPAT_DATA "  type: http\n  endpointConfig: {production_endpoints: "
                 "{url: \"http://p/v2\"}}\n",
     NULL, GET, GOES},
    {"data.type WS", COMPAT_DATA "  type: WS\n", NULL, NULL, "!CC1204 "},
    {"data.type WEBHOOK",
     COMPAT_DATA "  type: WEBHOOK\n"
                 "  endpointConfig: {production_endpoints: {url: \"http://p/v2\"}}\n",
     NULL, GET, GOES},
    {"data.type GRAPHQL", COMPAT_DATA "  type: GRAPHQL\n", NULL, NULL, "!CC1204 "},
    {"data.type others", COMPAT_DATA "  type: SSE\n", NULL, NULL, "!CC1204 "},
    {"lifeCycleStatus PROTOTYPED", COMPAT_BOTH "  lifeCycleStatus: prototyped\n", NULL, ANON,
     "CC2110 " GOES},
    {"lifeCycleStatus BLOCKED", COMPAT_API "  lifeCycleStatus: blocked\n", NULL, GET, "503 700700"},
    {"lifeCycleStatus others", COMPAT_API "  lifeCycleStatus: CREATED\n", NULL, ANON, "401 900901"},
    {"endpointImplementationType INLINE", COMPAT_API "  endpointImplementationType: INLINE\n", NULL,
     NULL, "!CC1204 "},
    {"endpointImplementationType ENDPOINT", COMPAT_API "  endpointImplementationType: ENDPOINT\n",
     NULL, GET, GOES},
    {"authorizationHeader", COMPAT_API "  authorizationHeader: X-Pets\n", NULL,
     "GET /pets/1.0.0/a\tHost: localhost\tX-Pets: Bearer TOKEN", GOES},
    {"organizationId", COMPAT_API "  organizationId: org\n", NULL, GET, GOES},
    {"endpoint_type",
     CONFIG "    endpoint_type: failover\n    production_endpoints: "
            "[{url: \"http://p/v2\"}, {url: \"http://q/v2\"}]\n",
     NULL, GET, GOES},
    {"algoCombo, sessionManagement, sessionTimeOut",
     COMPAT_API "    algoCombo: a\n    sessionManagement: b\n    sessionTimeOut: \"1\"\n", NULL,
     GET, "CC2600 CC2600 " GOES},
    {"production_endpoints, an object", COMPAT_API, NULL, GET, GOES},
    {"production_endpoints, a list",
     CONFIG "    production_endpoints: [{url: \"http://p/v2\"}, {url: \"http://q/v2\"}]\n", NULL,
     GET, GOES},
    {"sandbox_endpoints", COMPAT_BOTH, NULL, SANDBOX_GET, "http://s/v3/a"},
    {"url", CONFIG "    production_endpoints: {url: \" p:81/v2/\"}\n", NULL, GET,
     "http://p:81/v2/a"},
    {"actionSelect, retryDelay, retryErroCode, suspend*, factor",
     CONFIG "    production_endpoints: {url: \"http://p/v2\", config: {actionSelect: fault, "
            "retryDelay: "
            "\"1\", "
            "retryErroCode: [], suspendErrorCode: [], suspendDuration: \"1\", "
            "suspendMaxDuration: \"1\", "
            "factor: \"1\"}}\n",
     NULL, GET, GOES},
    {"implementation_status", COMPAT_API "    implementation_status: prototyped\n",
     COMPAT_OAS3 SERVERS COMPAT_PATH,
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer TOKEN", GOES},
    {"fields that only API Manager reads",
     COMPAT_API "  policies: [Unlimited]\n  mediationPolicies: []\n  transport: [http]\n  "
                "provider: admin\n"
                "  visibility: PUBLIC\n  scopes: []\n  keyManagers: [all]\n  maxTps: {}\n"
                "  additionalProperties: []\n  gatewayEnvironments: []\n  vhost: v\n",
     NULL, GET, GOES},
    {"corsConfiguration",
     COMPAT_API "  corsConfiguration: {corsConfigurationEnabled: true, accessControlAllowOrigins: "
                "[\"http://o\"]}\n",
     NULL,
     "OPTIONS /pets/1.0.0/a\tHost: localhost\tOrigin: "
     "http://o\tAccess-Control-Request-Method: GET",
     "200"},
    {"isDefaultVersion", COMPAT_API "  isDefaultVersion: true\n", NULL,
     "GET /pets/a\tHost: localhost\tAuthorization: Bearer TOKEN", GOES},
    {"apiThrottlingPolicy", COMPAT_API "  apiThrottlingPolicy: 10KPerMin\n", NULL, GET, GOES},
    {"operations[].throttlingPolicy",
     COMPAT_API "  operations: [{target: /a, verb: GET, throttlingPolicy: Unlimited}]\n", NULL, GET,
     GOES},
    {"operations[].operationPolicies",
     COMPAT_API "  operations: [{target: /a, verb: GET, operationPolicies: {request: "
                "[{policyName: x}]}}]\n",
     NULL, NULL, "!CC1204 "},
    {"member names in any case",
     "type: api\nDATA:\n  NAME: Pets\n  Version: 1.0.0\n  conTEXT: /pets\n"
     "  Type: HTTP\n  EndpointConfig: {Production_Endpoints: {URL: \"http://p/v2\"}}\n",
     NULL, GET, GOES},
    {"unknown members", COMPAT_API "  lifecycleStatu: PROTOTYPED\n  mine: 1\n", NULL, ANON,
     "CC1206 401 900901"},

    /* 2.1 */
    {"URL without scheme", CONFIG "    production_endpoints: {url: p/v2}\n", NULL, GET, GOES},
    {"URL with a host of one character",
     CONFIG "    production_endpoints: {url: \"http://p/v2\"}\n", NULL, GET, GOES},
    {"URL with an IPv6 address", CONFIG "    production_endpoints: {url: \"http://[::1]:81/v2\"}\n",
     NULL, GET, "http://[::1]:81/v2/a"},
    {"URL without port", CONFIG "    production_endpoints: {url: \"https://p/v2\"}\n", NULL, GET,
     "https://p/v2/a"},
    {"URL with a port that is none", CONFIG "    production_endpoints: {url: \"http://p:0\"}\n",
     NULL, NULL, "!CC2005 "},
    {"URL with another scheme", CONFIG "    production_endpoints: {url: \"ftp://p/v2\"}\n", NULL,
     NULL, "!CC2005 "},
    {"URL with user, query or fragment",
     CONFIG "    production_endpoints: "
            "[{url: \"http://u:x@p\"}, {url: \"http://p?q\"}, {url: \"http://p#f\"}]\n",
     NULL, NULL, "!CC2005 !CC2005 !CC2005 "},
    {"URL with consul()", CONFIG "    production_endpoints: {url: \"consul(web, http://p)\"}\n",
     NULL, NULL, "!CC1204 "},

    /* 2.3 */
    {"securityScheme absent", NULL, SECURED("[{default: [read]}]"), GET, "403 900910"},
    {"securityScheme absent, scheme not defined", NULL, SECURED("[{none: []}]"), GET,
     "CC2101 401 900901"},
    {"securityScheme oauth2", COMPAT_API "  securityScheme: [oauth2]\n",
     SECURED("[{other: [write]}]"), GET, "403 900910"},
    {"securityScheme oauth2, good scope", COMPAT_API "  securityScheme: [oauth2]\n",
     SECURED("[{default: [read]}]"),
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SCOPED", GOES},
    {"securityScheme api_key", COMPAT_API "  securityScheme: [api_key]\n", NULL, HEADER_KEY, GOES},
    {"securityScheme api_key, in the query", COMPAT_API "  securityScheme: [api_key]\n", NULL,
     QUERY_KEY, GOES},
    {"securityScheme api_key, and a token", COMPAT_API "  securityScheme: [api_key]\n", NULL, GET,
     "401 900901"},
    {"securityScheme oauth2 and api_key", COMPAT_API "  securityScheme: [oauth2, api_key]\n", NULL,
     GET, GOES},
    {"securityScheme oauth2 and api_key, and a key",
     COMPAT_API "  securityScheme: [oauth2, api_key]\n", SECURED("[{default: [read]}]"), HEADER_KEY,
     GOES},
    {"securityScheme oauth2, and a key", COMPAT_API "  securityScheme: [oauth2]\n",
     SECURED("[{key: []}]"), "GET /pets/1.0.0/a\tHost: localhost\tK: APIKEY", "401 900901"},
    {"securityScheme others",
     COMPAT_API "  securityScheme: [oauth2, oauth_basic_auth_api_key_mandatory]\n", NULL, GET,
     GOES},
    {"securityScheme mutualssl_mandatory",
     COMPAT_API "  securityScheme: [oauth2, mutualssl_mandatory]\n", NULL, NULL, "!CC2411 "},
    {"securityScheme mutualssl", COMPAT_API "  securityScheme: [oauth2, mutualssl]\n", NULL, GET,
     "CC2113 http://p/v2/a"},
    {"requirement of two schemes", NULL, SECURED("[{default: [read], key: []}]"),
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SCOPED", "401 900901"},
    {"requirement of two schemes, both met", NULL, SECURED("[{default: [read], key: []}]"),
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SCOPED\tK: APIKEY", GOES},
    {"requirement of an API key", NULL, SECURED("[{key: []}]"),
     "GET /pets/1.0.0/a\tHost: localhost\tK: APIKEY", GOES},
    {"requirement of an API key, and a token", NULL, SECURED("[{key: []}]"),
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SCOPED", "401 900901"},
    {"requirement of two tokens", NULL, SECURED("[{default: [read], other: [write]}]"),
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SCOPED", "403 900910"},

    /* 2.4 */
    {"servers before api.yaml", NULL, COMPAT_OAS3 SERVERS COMPAT_PATH,
     "GET /v9/a\tHost: localhost\tAuthorization: Bearer TOKEN", "http://d/v9/a"},
    {"extensions before servers", NULL,
     COMPAT_OAS3 SERVERS COMPAT_PATH "x-wso2-production-endpoints: {urls: [\"http://x\"]}\n",
     "GET /v9/a\tHost: localhost\tAuthorization: Bearer TOKEN", "http://x/a"},
    {"servers take the sandbox of api.yaml away", COMPAT_BOTH, COMPAT_OAS3 SERVERS COMPAT_PATH,
     "GET /v9/a\tHost: localhost\tAuthorization: Bearer SANDBOX", "401 900901"},
    {"sandbox extension alone takes production away", NULL,
     COMPAT_DOC "x-wso2-sandbox-endpoints: {urls: [\"http://x\"]}\n", GET, "CC2200 401 900901"},

    /* 1.6 */
    {"deployment_environments.yaml",
     COMPAT_API COMPAT_FILE(
         "deployment_environments.yaml") "type: deployment_environments\nversion: "
                                         "v4.0.0\ndata:\n"
                                         "  - {deploymentEnvironment: Default, "
                                         "deploymentVhost: "
                                         "shop.example.org}\n",
     NULL, "GET /pets/1.0.0/a\tHost: shop.example.org\tAuthorization: Bearer TOKEN", GOES},
    {"environment without vhost",
     COMPAT_API COMPAT_FILE(
         "deployment_environments.yaml") "type: deployment_environments\nversion: "
                                         "v4.0.0\ndata:\n"
                                         "  - {deploymentEnvironment: Staging}\n",
     NULL, "GET /pets/1.0.0/a\tHost: stage.example.com\tAuthorization: Bearer TOKEN", GOES},
    {"unknown environment",
     COMPAT_API COMPAT_FILE(
         "deployment_environments.yaml") "type: deployment_environments\nversion: "
                                         "v4.0.0\ndata:\n  "
                                         "- {deploymentEnvironment: Moon}\n",
     NULL, NULL, "!CC1203 "},
    {"files of API Manager", COMPAT_API COMPAT_FILE("Docs/my-api.yaml") "type: other\n", NULL, GET,
     GOES},
};

int main(void)
{
    return compat_main("compat_fields", cases, sizeof(cases) / sizeof(cases[0]));
}
