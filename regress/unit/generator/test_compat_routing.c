/* Which request leads where, as docs/compatibility.md lists it. */
#include "compat_fixture.h"

#define TOKEN      "\tHost: localhost\tAuthorization: Bearer TOKEN"
#define DOC(paths) COMPAT_OAS3 "paths:\n" paths
#define GET(path)  "GET /pets/1.0.0" path TOKEN
#define AT(path)   "http://p/v2" path
#define PETS       "  /pet/{id}: {get: {}}\n  /files/*: {get: {}}\n  /img/{id}.api: {get: {}}\n"

static const struct compat_case cases[] = {
    /* 4.2 */
    {"host in any case, with any port", NULL, NULL,
     "GET /pets/1.0.0/a\tHost: LOCALHOST:8443\tAuthorization: Bearer TOKEN", AT("/a")},
    {"unknown host", NULL, NULL, "GET /pets/1.0.0/a\tHost: other\tAuthorization: Bearer TOKEN",
     "404 404"},
    {"vhost with a wildcard",
     COMPAT_API COMPAT_FILE(
         "deployment_environments.yaml") "type: deployment_environments\nversion: v4.0.0\ndata:\n"
                                         "  - {deploymentEnvironment: Default, deploymentVhost: "
                                         "\"*.example.org\"}\n",
     NULL, "GET /pets/1.0.0/a\tHost: a.example.org\tAuthorization: Bearer TOKEN", AT("/a")},
    {"/health", NULL, NULL, "GET /health\tHost: localhost", "200"},
    {"/ready", NULL, NULL, "GET /ready\tHost: localhost", "200"},
    {"/testkey", NULL, NULL, "GET /testkey\tHost: localhost", "404 404"},

    /* 4.3 */
    {"/pet/{id} takes /pet/5", NULL, DOC(PETS), GET("/pet/5"), AT("/pet/5")},
    {"/pet/{id} leaves /pet/5/test", NULL, DOC(PETS), GET("/pet/5/test"), "404 404"},
    {"/pet/{id} takes /pet/5?x=1", NULL, DOC(PETS), GET("/pet/5?x=1"), AT("/pet/5")},
    {"/files/* takes /files", NULL, DOC(PETS), GET("/files"), AT("/files")},
    {"/files/* takes /files/", NULL, DOC(PETS), GET("/files/"), AT("/files/")},
    {"/files/* takes /files/a/b", NULL, DOC(PETS), GET("/files/a/b"), AT("/files/a/b")},
    {"/files/* leaves /files123", NULL, DOC(PETS), GET("/files123"), "404 404"},
    {"/img/{id}.api takes /img/p1.api", NULL, DOC(PETS), GET("/img/p1.api"), AT("/img/p1.api")},
    {"/img/{id}.api leaves /img/p1", NULL, DOC(PETS), GET("/img/p1"), "404 404"},
    {"a dot is a dot", NULL, DOC("  /index.html: {get: {}}\n"), GET("/indexXhtml"), "404 404"},
    {"a trailing slash counts", NULL, DOC("  /a: {get: {}}\n"), GET("/a/"), "404 404"},
    {"paths have a case", NULL, DOC("  /a: {get: {}}\n"), GET("/A"), "404 404"},
    {"* in the midst of a template", NULL, DOC("  /a/*/b: {get: {}}\n"), NULL, "!CC2003 "},
    {"? in a template", NULL, DOC("  \"/a?x={y}\": {get: {}}\n"), NULL, "!CC2003 "},
    {"base path with a slash at its end", NULL, COMPAT_DOC "x-wso2-basePath: /own/\n",
     "GET /own/a" TOKEN, AT("/a")},
    {"encoded characters", NULL, DOC("  /a: {get: {}}\n"), GET("/%61"), AT("/a")},
    {"dot segments", NULL, DOC(PETS), GET("/files/../pet/5"), "400 400"},

    /* 4.4: the path that is declared wins over the one that fits, in either order */
    {"literal before parameter", NULL,
     DOC("  /pet/{id}: {x-wso2-production-endpoints: {urls: [\"http://q\"]}, get: {}}\n  "
         "/pet/find: {get: {}}\n"),
     GET("/pet/find"), AT("/pet/find")},
    {"literal parts before parameter", NULL,
     DOC("  /pet/{id}: {x-wso2-production-endpoints: {urls: [\"http://q\"]}, get: {}}\n  "
         "/pet/{id}.com: {get: {}}\n"),
     GET("/pet/x.com"), AT("/pet/x.com")},
    {"parameter before wildcard", NULL,
     DOC("  /pet/*: {x-wso2-production-endpoints: {urls: [\"http://q\"]}, get: {}}\n  /pet/{id}: "
         "{get: {}}\n"),
     GET("/pet/5"), AT("/pet/5")},
    {"the longer wildcard first", NULL,
     DOC("  /a/*: {x-wso2-production-endpoints: {urls: [\"http://q\"]}, get: {}}\n  /a/b/*: {get: "
         "{}}\n"),
     GET("/a/b/c"), AT("/a/b/c")},

    /* 4.5 */
    {"HEAD is not implied by GET", NULL, NULL, "HEAD /pets/1.0.0/a" TOKEN, "405 405"},
    {"method that is not declared", NULL, NULL, "POST /pets/1.0.0/a" TOKEN, "405 405"},
    {"a method that another template has", NULL,
     DOC("  /pet/find: {get: {}}\n  /pet/{id}: {post: {}}\n"), "POST /pets/1.0.0/pet/find" TOKEN,
     "405 405"},
    {"OPTIONS that is not declared", NULL, NULL, "OPTIONS /pets/1.0.0/a\tHost: localhost", "204"},
    {"OPTIONS that is declared", NULL, DOC("  /a: {options: {}}\n"), "OPTIONS /pets/1.0.0/a" TOKEN,
     AT("/a")},
    {"OPTIONS that is declared needs a token", NULL, DOC("  /a: {options: {}}\n"),
     "OPTIONS /pets/1.0.0/a\tHost: localhost", "401 900901"},

    /* 4.6 */
    {"base path repeated in the path", NULL, DOC("  /*: {get: {}}\n"), GET("/pets/1.0.0/x"),
     AT("/pets/1.0.0/x")},
    {"endpoint with a slash at its end",
     COMPAT_BARE "  endpointConfig: {production_endpoints: {url: \"http://p/v2/\"}}\n", NULL,
     GET("/a"), AT("/a")},

    /* 4.7 */
    {"no key type is production", COMPAT_BOTH, NULL, GET("/a"), AT("/a")},
    {"SANDBOX goes to the sandbox", COMPAT_BOTH, NULL,
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SANDBOX", "http://s/v3/a"},
    {"SANDBOX without sandbox", NULL, NULL,
     "GET /pets/1.0.0/a\tHost: localhost\tAuthorization: Bearer SANDBOX", "401 900901"},
    {"PRODUCTION without production",
     COMPAT_BARE "  endpointConfig: {sandbox_endpoints: {url: \"http://s/v3\"}}\n", NULL, GET("/a"),
     "401 900901"},
    {"x-wso2-cluster-header of a client", COMPAT_BOTH, NULL,
     GET("/a") "\tx-wso2-cluster-header: clusterSand", AT("/a")},
};

int main(void)
{
    return compat_main("compat_routing", cases, sizeof(cases) / sizeof(cases[0]));
}
