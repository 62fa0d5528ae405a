/* The OpenAPI document and its extensions, as docs/compatibility.md lists them. */
#include "compat_fixture.h"

#define LOCAL          "\tHost: localhost"
#define TOKEN          LOCAL "\tAuthorization: Bearer TOKEN"
#define SAND           LOCAL "\tAuthorization: Bearer SANDBOX"
#define GET            "GET /pets/1.0.0/a" TOKEN
#define GOES           "http://p/v2/a"
#define PROD(more)     COMPAT_DOC "x-wso2-production-endpoints:\n  urls: [\"http://x/v2\"]\n" more
#define ADVANCED(more) PROD("  advanceEndpointConfig: {" more "}\n")
#define ICPT(more)     "x-wso2-request-interceptor: {serviceURL: \"https://i:8443" more "}\n"

static const struct compat_case cases[] = {
    /* 3.1 */
    {"swagger: is OpenAPI 2", NULL, COMPAT_OAS2 COMPAT_PATH, GET, GOES},
    {"openapi: is OpenAPI 3", NULL, "openapi: 3.1.0\n" COMPAT_PATH, GET, GOES},
    {"neither swagger nor openapi", NULL, COMPAT_PATH, NULL, "!CC1202 "},
    {"a version to come", NULL, "openapi: 4.0.0\n" COMPAT_PATH, NULL, "!CC1204 "},
    {"not an OpenAPI document", NULL, "[1, 2]\n", NULL, "!CC1201 "},
    {"$ref of a path item", NULL,
     COMPAT_OAS3 "paths:\n  /a: {$ref: \"#/x-paths/a\"}\nx-paths: {a: {get: {}}}\n", GET, GOES},
    {"$ref into another file", NULL, COMPAT_OAS3 "paths:\n  /a: {$ref: \"other.yaml#/a\"}\n", NULL,
     "!CC1204 "},
    {"basePath of OpenAPI 2", NULL, COMPAT_OAS2 "basePath: /v7\n" COMPAT_PATH, "GET /v7/a" TOKEN,
     GOES},
    {"OpenAPI 2 without basePath", NULL, COMPAT_OAS2 "host: h\n" COMPAT_PATH, GET, "http://h/a"},
    {"base path of servers", NULL, COMPAT_OAS3 "servers: [{url: \"http://d/v9\"}]\n" COMPAT_PATH,
     "GET /v9/a" TOKEN, "http://d/v9/a"},
    {"host and schemes of OpenAPI 2", NULL,
     COMPAT_OAS2 "host: h\nschemes: [http, https]\nbasePath: /v7\n" COMPAT_PATH, "GET /v7/a" TOKEN,
     "https://h/v7/a"},
    {"relative servers", NULL, COMPAT_OAS3 "servers: [{url: /v4}, {url: \"\"}]\n" COMPAT_PATH, GET,
     GOES},
    {"servers of a path", NULL,
     COMPAT_OAS3 "paths:\n  /a:\n    servers: [{url: \"http://q/v8\"}]\n    get: {}\n", GET,
     "http://q/v8/a"},
    {"servers of an operation", NULL,
     COMPAT_OAS3 "paths:\n  /a:\n    get: {servers: [{url: \"http://q/v8\"}]}\n", GET,
     "CC1204 " GOES},
    {"server that cannot be used", NULL,
     COMPAT_OAS3 "servers: [{url: \"http://a b\"}]\n" COMPAT_PATH, NULL, "!CC2005 "},
    {"server variables", NULL,
     COMPAT_OAS3 "servers: [{url: \"http://{h}/v9\", variables: {h: {default: d}}}]\n" COMPAT_PATH,
     "GET /v9/a" TOKEN, "http://d/v9/a"},
    {"methods", NULL, COMPAT_OAS3 "paths:\n  /a: {get: {}, trace: {}, options: {}, patch: {}}\n",
     "OPTIONS /pets/1.0.0/a" TOKEN, GOES},
    {"options of OpenAPI 2", NULL, COMPAT_OAS2 "paths:\n  /a: {options: {}}\n",
     "OPTIONS /pets/1.0.0/a" TOKEN, GOES},
    {"path without operations", NULL, COMPAT_OAS3 "paths:\n  /a: {get: {}}\n  /b: {}\n",
     "GET /pets/1.0.0/b" TOKEN, "CC1202 404 404"},
    {"security schemes of OpenAPI 2", NULL,
     COMPAT_OAS2 "security: [{o: [read]}]\n" COMPAT_PATH
                 "securityDefinitions: {o: {type: oauth2, flow: implicit, scopes: {read: r}}}\n",
     GET, "403 900910"},
    {"security of an operation", NULL,
     COMPAT_OAS3 "security: [{o: [write]}]\npaths:\n  /a: {get: {security: [{o: [read]}]}}\n"
                 "components: {securitySchemes: {o: {type: oauth2, flows: {implicit: {scopes: "
                 "{read: r, write: w}}}}}}\n",
     "GET /pets/1.0.0/a" LOCAL "\tAuthorization: Bearer SCOPED", GOES},
    {"security: [] of an operation", NULL, COMPAT_OAS3 "paths:\n  /a: {get: {security: []}}\n",
     "GET /pets/1.0.0/a" LOCAL, "CC2109 401 900901"},

    /* 3.2 */
    {"x-wso2-basePath", NULL, COMPAT_DOC "x-wso2-basePath: /own\n", "GET /own/a" TOKEN, GOES},
    {"x-wso2-basePath with braces", NULL, COMPAT_DOC "x-wso2-basePath: \"/own/{x}\"\n", NULL,
     "!CC2002 "},
    {"x-wso2-production-endpoints", NULL, PROD(""), GET, "http://x/v2/a"},
    {"x-wso2-production-endpoints of a path", NULL,
     COMPAT_OAS3
     "paths:\n  /a:\n    get: {}\n    x-wso2-production-endpoints: {urls: [\"http://y/v5\"]}\n",
     GET, "http://y/v5/a"},
    {"x-wso2-sandbox-endpoints", COMPAT_BOTH,
     PROD("x-wso2-sandbox-endpoints: {urls: [\"http://z/v6\"]}\n"), "GET /pets/1.0.0/a" SAND,
     "http://z/v6/a"},
    {"x-wso2-sandbox-endpoints of a path", COMPAT_BOTH,
     COMPAT_OAS3
     "paths:\n  /a:\n    get: {}\n    x-wso2-sandbox-endpoints: {urls: [\"http://y/v5\"]}\n",
     "GET /pets/1.0.0/a" SAND, "http://y/v5/a"},
    {"a path's sandbox leaves production", COMPAT_BOTH,
     COMPAT_OAS3
     "paths:\n  /a:\n    get: {}\n    x-wso2-sandbox-endpoints: {urls: [\"http://y/v5\"]}\n",
     GET, GOES},
    {"x-wso2-endpoints by name", NULL,
     COMPAT_DOC "x-wso2-endpoints:\n  - blue: {urls: [\"http://blue/v2\"]}\n"
                "x-wso2-production-endpoints: \"#/x-wso2-endpoints/blue\"\n",
     GET, "http://blue/v2/a"},
    {"x-wso2-endpoints, unknown name", NULL,
     COMPAT_DOC "x-wso2-production-endpoints: \"#/x-wso2-endpoints/red\"\n", NULL, "!CC1203 "},
    {"x-wso2-cors", NULL, COMPAT_DOC "x-wso2-cors: {accessControlAllowOrigins: [\"http://o\"]}\n",
     "OPTIONS /pets/1.0.0/a" LOCAL "\tOrigin: http://o\tAccess-Control-Request-Method: GET", "200"},
    {"x-wso2-cors, another origin", NULL,
     COMPAT_DOC "x-wso2-cors: {accessControlAllowOrigins: [\"http://o\"]}\n",
     "OPTIONS /pets/1.0.0/a" LOCAL "\tOrigin: http://e\tAccess-Control-Request-Method: GET", "204"},
    {"x-wso2-throttling-tier", NULL,
     COMPAT_OAS3 "x-wso2-throttling-tier: 10KPerMin\npaths:\n  /a: {get: {x-wso2-throttling-tier: "
                 "20KPerMin}}\n",
     GET, GOES},
    {"x-throttling-tier", NULL, COMPAT_OAS3 "x-throttling-tier: 10KPerMin\n" COMPAT_PATH, GET,
     GOES},
    {"x-wso2-throttling-tier of a path", NULL,
     COMPAT_OAS3 "paths:\n  /a: {get: {}, x-wso2-throttling-tier: 20KPerMin}\n", GET, GOES},
    {"x-wso2-auth-header", NULL, COMPAT_DOC "x-wso2-auth-header: X-Tok\n",
     "GET /pets/1.0.0/a" LOCAL "\tX-Tok: Bearer TOKEN", GOES},
    {"x-wso2-auth-header before api.yaml", COMPAT_API "  authorizationHeader: X-Api\n",
     COMPAT_DOC "x-wso2-auth-header: X-Tok\n", "GET /pets/1.0.0/a" LOCAL "\tX-Tok: Bearer TOKEN",
     GOES},
    {"x-wso2-disable-security", NULL, COMPAT_DOC "x-wso2-disable-security: true\n",
     "GET /pets/1.0.0/a" LOCAL, GOES},
    {"x-wso2-disable-security of a path", NULL,
     COMPAT_OAS3 "paths:\n  /a: {get: {}, x-wso2-disable-security: true}\n",
     "GET /pets/1.0.0/a" LOCAL, GOES},
    {"x-wso2-disable-security, the nearest counts", NULL,
     COMPAT_OAS3
     "x-wso2-disable-security: true\npaths:\n  /a: {get: {x-wso2-disable-security: false}}\n",
     "GET /pets/1.0.0/a" LOCAL, "401 900901"},
    {"x-auth-type of an operation", NULL, COMPAT_OAS3 "paths:\n  /a: {get: {x-auth-type: None}}\n",
     "GET /pets/1.0.0/a" LOCAL, GOES},
    {"x-auth-type beside x-wso2-disable-security: false", NULL,
     COMPAT_OAS3 "paths:\n  /a: {get: {x-auth-type: None, x-wso2-disable-security: false}}\n",
     "GET /pets/1.0.0/a" LOCAL, GOES},
    {"x-auth-type of the document", NULL, COMPAT_DOC "x-auth-type: None\n",
     "GET /pets/1.0.0/a" LOCAL, "CC1204 401 900901"},
    {"open operations go to production", COMPAT_BOTH, COMPAT_DOC "x-wso2-disable-security: true\n",
     "GET /pets/1.0.0/a" SAND, GOES},
    {"open operations of an API with a sandbox alone", NULL,
     COMPAT_DOC "x-wso2-disable-security: true\n"
                "x-wso2-sandbox-endpoints: {urls: [\"http://z/v6\"]}\n",
     "GET /pets/1.0.0/a" LOCAL, "CC2200 http://z/v6/a"},
    {"x-wso2-label", NULL, COMPAT_DOC "x-wso2-label: [a]\n", GET, "CC2600 " GOES},
    {"x-wso2-http2-backend-enabled", NULL, PROD("x-wso2-http2-backend-enabled: true\n"), GET,
     "http://x/v2/a"},
    {"extensions that nobody reads", NULL,
     COMPAT_DOC "x-wso2-transports: [https]\nx-wso2-application-security: {optional: false}\n"
                "x-wso2-mutual-ssl: Optional\n",
     GET, "CC2600 CC2600 " GOES},
    {"extensions of others", NULL, COMPAT_DOC "x-google-backend: {}\nx-ibm-name: a\n", GET, GOES},

    /* 3.3 */
    {"urls missing", NULL, COMPAT_DOC "x-wso2-production-endpoints: {type: failover}\n", NULL,
     "!CC1202 "},
    {"urls that are no list", NULL,
     COMPAT_DOC "x-wso2-production-endpoints: {urls: \"http://x\"}\n", NULL, "!CC1201 "},
    {"type, anything else", NULL, PROD("  type: load_balance\n"), GET, "http://x/v2/a"},
    {"timeoutInMillis", NULL, ADVANCED("timeoutInMillis: 4500"), GET, "http://x/v2/a"},
    {"timeoutInMillis above the limit", NULL, ADVANCED("timeoutInMillis: 60001"), GET,
     "CC2202 http://x/v2/a"},
    {"retryConfig.count out of range", NULL,
     ADVANCED("retryConfig: {count: 9, statusCodes: [504]}"), GET, "CC2202 http://x/v2/a"},
    {"retryConfig.statusCodes", NULL, ADVANCED("retryConfig: {count: 1, statusCodes: [504, 598]}"),
     GET, "CC2203 http://x/v2/a"},
    {"circuitBreakers", NULL,
     ADVANCED("circuitBreakers: {maxConnections: 9, maxRequests: 9, maxPendingRequests: 9}"), GET,
     "http://x/v2/a"},
    {"circuitBreakers.maxRetries, maxConnectionPools", NULL,
     ADVANCED("circuitBreakers: {maxRetries: 3, maxConnectionPools: 10}"), GET,
     "CC1204 CC1204 http://x/v2/a"},
    {"endpoints whose paths differ", NULL,
     COMPAT_DOC "x-wso2-production-endpoints: {urls: [\"http://x/1\", \"http://y/2\"]}\n", GET,
     "CC2007 http://x/1/a"},

    /* 3.4 */
    {"corsConfigurationEnabled", NULL,
     COMPAT_DOC
     "x-wso2-cors: {corsConfigurationEnabled: false, accessControlAllowOrigins: [\"*\"]}\n",
     "OPTIONS /pets/1.0.0/a" LOCAL "\tOrigin: http://o\tAccess-Control-Request-Method: GET", "204"},
    {"CORS settings of the wrong type", NULL, COMPAT_DOC "x-wso2-cors: [\"*\"]\n", NULL,
     "!CC1201 "},

    /* 3.6 */
    {"no endpoints at all", COMPAT_BARE, NULL, NULL, "!CC2006 "},
    {"endpoints at paths only", COMPAT_BARE,
     COMPAT_OAS3
     "paths:\n  /a:\n    get: {}\n    x-wso2-production-endpoints: {urls: [\"http://y\"]}\n",
     NULL, "!CC2006 "},
    {"base path that no path can have", NULL, COMPAT_DOC "x-wso2-basePath: /a b\n", NULL,
     "!CC2002 "},
};

int main(void)
{
    return compat_main("compat_document", cases, sizeof(cases) / sizeof(cases[0]));
}
