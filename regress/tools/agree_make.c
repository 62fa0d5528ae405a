/* agree_make: projects and requests that are made up, the same for the same SEED (but for keys and
 * signatures), for the test that `cc-gen explain` and a running gateway agree.
 *
 *     agree_make DIR SEED PROJECTS REQUESTS PORT...
 *
 * Writes DIR/cc.yaml, public keys, DIR/projects/pNN and DIR/requests, a batch for `cc-gen explain`
 * and agree_send. Endpoints are on the PORTs of 127.0.0.1; of those with credentials the password
 * of NAME is secret-of-NAME, which agree_compare counts on. Some projects are mock APIs, each of
 * whose answers says where it stands. The requests take all turns of a decision: hosts, odd paths,
 * methods, each fault of a credential, scopes, key types, what they prefer and accept. */
#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { TEMPLATES = 8, MAX_PROJECTS = 100, MAX_PORTS = 8, TEXT_BYTES = 16 << 20 };

struct project {
    unsigned number;
    unsigned host; /* into hosts */
    char base[64];
    const char *header; /* with the token */
    bool served[TEMPLATES];
    bool is_default; /* also served without the version */
    bool openapi3, mock;
};

struct maker {
    uint64_t state;
    const char *dir;
    const char *ports[MAX_PORTS];
    unsigned n_ports;
    struct key *keys[3];
    struct project projects[MAX_PROJECTS];
    unsigned n_projects;
    unsigned n_users; /* of endpoints, so far */
};

/* Each environment, its virtual host, and hosts that requests name to reach it. */
static const struct {
    const char *environment, *vhost, *asked[4];
} hosts[] = {
    {"Default", "localhost", {"localhost", "LocalHost:9090", "localhost.", "localhost:80"}},
    {"Shop",
     "shop.example.com",
     {"shop.example.com", "SHOP.example.com", "shop.example.com.:443", "shop.example.com:1"}},
    {"Wild",
     "*.example.com",
     {"a.example.com", "b.c.example.com", "A.Example.Com", "x.example.com:8080"}},
    {"Any", "*", {"other.test", "192.0.2.1", "[2001:DB8::1]:80", "example.com"}},
};

static const struct {
    const char *template, *paths[3];
} templates[TEMPLATES] = {
    {"/items", {"/items", "/%69tems", "/items?a=b&c=%2e%2e"}},
    {"/items/{id}", {"/items/7", "/items/%7Ea%2Cb", "/items/special.txt?x&y"}},
    {"/items/{id}.json", {"/items/7.json", "/items/a.b.json", "/items/%37.json"}},
    {"/items/special", {"/items/special", "/items/speci%61l", "/items/special?"}},
    {"/files/*", {"/files", "/files/", "/files/a/b%3Ac/"}},
    {"/a/{b}/c", {"/a/1/c", "/a/x/c", "/a/%25/c"}},
    {"/a/x/{y}", {"/a/x/y", "/a/x/d", "/%61/x/%3f"}},
    {"/open", {"/open", "/op%65n", "/open?access_token=x"}},
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static unsigned pick(struct maker *m, unsigned n)
{
    uint64_t z = (m->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % n);
}

#define PICK(m, array) ((array)[pick((m), sizeof(array) / sizeof((array)[0]))])

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "agree_make: %s\n", what);
    exit(EX_SOFTWARE);
}

static void write_file(const struct maker *m, const char *name, struct buf *text)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", m->dir, name);
    need(buf_error(text) == CC_OK, "a text is too long");
    need(file_write_atomic(path, buf_slice(text), 0644) == CC_OK, path);
    buf_free(text);
    buf_init(text, TEXT_BYTES);
}

/* --- settings and keys -------------------------------------------------------------------------
 */

static void make_settings(struct maker *m)
{
    static const enum key_kind kinds[] = {KEY_EC_P256, KEY_RSA, KEY_ED25519};
    static const char *const names[] = {"ec.pem", "rsa.pem", "ed.pem"};
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    for (unsigned i = 0; i < 3; i++) {
        need(key_generate(&m->keys[i], kinds[i]) == CC_OK, "a key cannot be made");
        need(key_write_public(m->keys[i], &b) == CC_OK, "a key cannot be written");
        write_file(m, names[i], &b);
    }
    buf_add_str(&b, "adapter:\n  vhostMapping:\n");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        buf_printf(&b, "    - {environment: %s, vhost: \"%s\"}\n", hosts[i].environment,
                   hosts[i].vhost);
    buf_printf(&b,
               "router:\n  listenerPort: 0\n  securedListenerPort: 0\n  entrySocket: %s/gw.sock\n"
               "  haproxy: {logTarget: stdout}\n"
               "enforcer:\n  security:\n    tokenService:\n"
               "      - {name: ec, issuer: \"https://ec\", certificateFilePath: ec.pem, "
               "algorithms: [ES256]}\n"
               "      - {name: rsa, issuer: \"https://rsa\", certificateFilePath: rsa.pem, "
               "algorithms: [RS256, PS256], audiences: [pets, cc]}\n"
               "      - {name: ed, issuer: \"https://ed\", certificateFilePath: ed.pem, "
               "algorithms: [EdDSA], consumerKeyClaim: client, scopesClaim: scp}\n"
               "agent: {socket: %s/spoa.sock, processingTimeoutInMillis: 5000}\n",
               m->dir, m->dir);
    write_file(m, "cc.yaml", &b);
}

/* --- projects ----------------------------------------------------------------------------------
 */

/* "type: BASIC, ...": a user of its own, so that the credentials of another endpoint show. */
static void add_user(struct maker *m, struct buf *b)
{
    unsigned n = m->n_users++;

    buf_printf(b, "{enabled: true, type: BASIC, username: u%u, password: secret-of-u%u}\n", n, n);
}

static void add_endpoints(struct maker *m, struct buf *b, const char *indent, const char *kind)
{
    static const char *const paths[] = {"", "/v2", "/deep/er", "/items"};
    const char *path = PICK(m, paths);
    unsigned first = pick(m, m->n_ports), n = 1 + (pick(m, 3) == 0);

    buf_printf(b, "%sx-wso2-%s-endpoints:\n%s  type: %s\n%s  urls:\n", indent, kind, indent,
               pick(m, 2) == 0 ? "failover" : "loadbalance", indent);
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%s    - http://127.0.0.1:%s%s\n", indent, m->ports[(first + i) % m->n_ports],
                   path);
    if (pick(m, 3) == 0) {
        buf_printf(b, "%s  securityConfig: ", indent);
        add_user(m, b);
    } else if (pick(m, 4) == 0) { /* not even those of api.yaml */
        buf_printf(b, "%s  securityConfig: {enabled: false}\n", indent);
    }
}

/* Of endpoints that the document gives no credentials. */
static void add_api_credentials(struct maker *m, struct buf *b)
{
    buf_add_str(b, "  endpointConfig:\n    endpoint_security:\n      production: ");
    add_user(m, b);
    buf_add_str(b, "      sandbox: ");
    add_user(m, b);
}

/* --- answers of mock APIs: what each says is its place, so that no two are the same ---------- */

/* A response of an OpenAPI 3 document, with one of the shapes that content can have. */
static void add_answer3(struct maker *m, struct buf *b, const char *code, const char *place)
{
    buf_printf(b, "        \"%s\":\n          description: x\n", code);
    if (pick(m, 3) == 0)
        buf_printf(b, "          headers: {X-At: {example: \"%s %s\"}}\n", place, code);
    if (strcmp(code, "204") == 0)
        return;
    switch (pick(m, 4)) {
    case 0:
        buf_printf(b,
                   "          content: {application/json: {examples: {one: {value: {at: \"%s %s "
                   "one\"}}, two: {value: {at: \"%s %s two\"}}}}}\n",
                   place, code, place, code);
        break;
    case 1:
        buf_printf(b,
                   "          content: {application/xml: {example: \"<at>%s %s</at>\"}, "
                   "application/json: {example: [\"%s %s %%[src]\"]}}\n",
                   place, code, place, code);
        break;
    case 2:
        buf_printf(b, "          content: {text/plain: {example: \"%s\\n%s \\\"x\\\"\\n\"}}\n",
                   place, code);
        break;
    default: /* no body */
        break;
    }
}

static void add_answer2(struct maker *m, struct buf *b, const char *code, const char *place)
{
    buf_printf(b, "        \"%s\":\n          description: x\n", code);
    if (strcmp(code, "204") != 0 && pick(m, 4) > 0)
        buf_printf(b,
                   "          examples: {application/json: {at: \"%s %s\"}, text/plain: \"%s "
                   "%s\"}\n",
                   place, code, place, code);
}

static void add_answers(struct maker *m, const struct project *p, struct buf *b, const char *method,
                        const char *template)
{
    static const char *const codes[] = {"200", "204", "404", "4XX", "default"};
    char place[128];
    size_t before = b->n;

    snprintf(place, sizeof(place), "P%u %s %s", p->number, method, template);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (pick(m, 3) == 0 || (codes[i][1] == 'X' && !p->openapi3))
            continue;
        if (p->openapi3)
            add_answer3(m, b, codes[i], place);
        else
            add_answer2(m, b, codes[i], place);
    }
    if (b->n == before) /* nothing to answer with: 501 */
        buf_printf(b, "        \"201\":\n          description: x\n%s",
                   p->openapi3 ? "          content: {a/b: {}}\n" : "");
}

/* --- documents ------------------------------------------------------------------------------- */

static void add_operation(struct maker *m, const struct project *p, struct buf *b,
                          const char *method, const char *template)
{
    static const char *const security[] = {
        "",
        "      security: [{default: [read]}]\n",
        "      security: [{default: [write]}]\n",
        "      security: [{default: [read, write]}]\n",
        "      security: [{default: [write]}, {default: [admin]}]\n",
        "      security: [{default: []}]\n",
        "      security: [{key: []}]\n",
        "      x-wso2-disable-security: true\n",
    };
    const char *demand = PICK(m, security);

    /* what a mock API answers matters more than whom */
    if (p->mock && pick(m, 3) > 0)
        demand = "      x-wso2-disable-security: true\n";
    buf_printf(b, "    %s:\n%s      responses:\n", method, demand);
    if (p->mock)
        add_answers(m, p, b, method, template);
    else
        buf_add_str(b, "        \"200\": {description: ok}\n");
}

static void add_paths(struct maker *m, struct project *p, struct buf *b)
{
    static const char *const methods[] = {"get", "post", "put", "delete", "head", "options"};

    buf_add_str(b, "paths:\n");
    for (unsigned i = 0; i < TEMPLATES; i++) {
        unsigned first = pick(m, 6), n = 2 + pick(m, 3);

        p->served[i] = i == 0 || pick(m, 4) > 0;
        if (!p->served[i])
            continue;
        buf_printf(b, "  %s:\n", templates[i].template);
        if (pick(m, 5) == 0)
            add_endpoints(m, b, "    ", "production");
        if (pick(m, 5) == 0)
            add_endpoints(m, b, "    ", "sandbox");
        for (unsigned k = 0; k < n; k++)
            add_operation(m, p, b, k == 0 ? "get" : methods[1 + (first + k) % 5],
                          templates[i].template);
    }
}

static void make_document(struct maker *m, struct project *p, struct buf *b)
{
    bool openapi3 = p->openapi3;

    buf_printf(b, "%s\ninfo: {title: P%u, version: 1.0.0}\nx-wso2-basePath: \"%s\"\n",
               openapi3 ? "openapi: 3.0.1" : "swagger: \"2.0\"", p->number, p->base);
    if (strcmp(p->header, "authorization") != 0)
        buf_printf(b, "x-wso2-auth-header: %s\n", p->header);
    /* both, mostly; else the one or the other */
    if (p->number % 8 != 4)
        add_endpoints(m, b, "", "production");
    if (p->number % 8 != 2)
        add_endpoints(m, b, "", "sandbox");
    if (pick(m, 2) == 0)
        buf_printf(b,
                   "x-wso2-cors:\n  accessControlAllowOrigins: [\"https://shop.test\", "
                   "\"https://*.pages.test\"]\n  accessControlAllowMethods: [GET]\n"
                   "  accessControlAllowCredentials: %s\n",
                   pick(m, 2) == 0 ? "true" : "false");
    if (pick(m, 2) == 0)
        buf_add_str(b, "security:\n  - default: [read]\n");
    add_paths(m, p, b);
    buf_add_str(b, openapi3 ? "components:\n  securitySchemes:\n" : "securityDefinitions:\n");
    buf_add_str(b, "    key: {type: apiKey, in: header, name: x-key}\n    default:\n"
                   "      type: oauth2\n");
    buf_add_str(b, openapi3 ? "      flows:\n        implicit:\n" : "      flow: implicit\n");
    buf_printf(b,
               "%sauthorizationUrl: https://idp.test/\n"
               "%sscopes: {read: r, write: w, admin: a}\n",
               openapi3 ? "          " : "      ", openapi3 ? "          " : "      ");
}

static void make_project(struct maker *m, unsigned number)
{
    struct project *p = &m->projects[number];
    char name[64];
    struct buf b;

    *p = (struct project){.number = number,
                          .header = number % 6 == 5 ? "x-token" : "authorization",
                          .openapi3 = number % 4 != 3,
                          .mock = number % 5 == 3 || number % 10 == 6};
    p->host = pick(m, sizeof(hosts) / sizeof(hosts[0]));
    /* every seventh lies inside the one before, on the same host */
    if (number % 7 == 6) {
        p->host = p[-1].host;
        snprintf(p->base, sizeof(p->base), "%.40s/items/deep%u", p[-1].base, number);
    } else {
        snprintf(p->base, sizeof(p->base), "/p%u/1.0.0", number);
        p->is_default = number % 3 == 1;
    }
    buf_init(&b, TEXT_BYTES);
    snprintf(name, sizeof(name), "%s/projects/p%02u/Definitions", m->dir, number);
    need(file_mkdirs(name, 0755) == CC_OK, name);
    buf_printf(&b,
               "type: api\nversion: v4.0.0\ndata:\n  name: P%u\n  context: /p%u\n  version: 1.0.0\n"
               "  type: HTTP\n  securityScheme: [oauth2]\n%s",
               number, number, p->is_default ? "  isDefaultVersion: true\n" : "");
    if (p->mock)
        buf_add_str(&b, "  endpointImplementationType: MOCKED_OAS\n");
    if (number % 4 == 1)
        add_api_credentials(m, &b);
    snprintf(name, sizeof(name), "projects/p%02u/api.yaml", number);
    write_file(m, name, &b);
    buf_printf(&b,
               "type: deployment_environments\nversion: v4.0.0\ndata:\n"
               "  - {displayOnDevportal: true, deploymentEnvironment: %s}\n",
               hosts[p->host].environment);
    snprintf(name, sizeof(name), "projects/p%02u/deployment_environments.yaml", number);
    write_file(m, name, &b);
    make_document(m, p, &b);
    snprintf(name, sizeof(name), "projects/p%02u/Definitions/swagger.yaml", number);
    write_file(m, name, &b);
    buf_free(&b);
}

/* --- requests ----------------------------------------------------------------------------------
 */

/* 2100 and 2001: far enough from now that seconds do not matter. */
#define LATER "\"exp\":4102444800"
#define PAST  "\"exp\":1000000000"

static void add_token(struct maker *m, struct buf *b)
{
    static const struct {
        unsigned key;
        enum jwt_alg alg;
        const char *claims;
    } kinds[] = {
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"scope\":\"read\""},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"scope\":\"x write read\""},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"scope\":\"admin\",\"sub\":\"ann\""},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"scope\":\"read write admin\""},
        {0, JWT_ES256,
         "\"iss\":\"https://ec\"," LATER ",\"scope\":\"read write\",\"keytype\":\"SANDBOX\""},
        {1, JWT_RS256, "\"iss\":\"https://rsa\"," LATER ",\"aud\":\"cc\",\"scope\":\"read\""},
        {1, JWT_PS256, "\"iss\":\"https://rsa\"," LATER ",\"aud\":[\"a\",\"pets\"]"},
        {1, JWT_RS256, "\"iss\":\"https://rsa\"," LATER ",\"aud\":\"other\""},
        {1, JWT_RS384, "\"iss\":\"https://rsa\"," LATER ",\"aud\":\"cc\""},
        {2, JWT_EdDSA, "\"iss\":\"https://ed\"," LATER ",\"scp\":[\"write\"],\"scope\":\"no\""},
        {2, JWT_EdDSA, "\"iss\":\"https://ec\"," LATER},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," PAST},
        {0, JWT_ES256, "\"iss\":\"https://ec\""},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"nbf\":4102444000"},
        {0, JWT_ES256, "\"iss\":\"https://other\"," LATER},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"keytype\":\"SANDBOX\""},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"keytype\":\"ODD\""},
        {0, JWT_ES256, "\"iss\":\"https://ec\"," LATER ",\"scope\":7"},
    };
    /* half of all tokens are one of the first six, which are good ones */
    unsigned which = pick(m, 2) == 0 ? pick(m, 6) : pick(m, sizeof(kinds) / sizeof(kinds[0]));
    char payload[512];
    size_t end;

    snprintf(payload, sizeof(payload), "{%s}", kinds[which].claims);
    need(jwt_sign(kinds[which].alg, m->keys[kinds[which].key], SLICE_NONE, slice_of(payload), b) ==
             CC_OK,
         "a token cannot be signed");
    end = b->n - 10; /* a character of the signature, now and then */
    if (pick(m, 12) == 0)
        b->p[end] = b->p[end] == 'A' ? 'B' : 'A';
}

static void add_credential(struct maker *m, const struct project *p, struct buf *b)
{
    static const char *const odd[] = {
        "Basic YTpi", "Digest a=b",   "Basic a.b.c",     "JWT a.b.c", "bearers x",      "Bearer",
        "bearer a b", "Bearer a.b.c", "Bearer e30.e30.", "",          "Bearer e30=.x.y"};
    const char *header = pick(m, 12) == 0 ? "X-Token" : p->header;
    unsigned lines = 1 + (pick(m, 20) == 0);

    /* where that is not the token's header, it is the backend's affair, or gives way to its own */
    if (strcmp(p->header, "authorization") != 0 && pick(m, 2) == 0)
        buf_add_str(b, "\tAuthorization: Basic Y2xpZW50OnB3");
    if (pick(m, 7) == 0)
        return;
    for (unsigned i = 0; i < lines; i++) {
        buf_printf(b, "\t%s: ", header);
        if (pick(m, 6) == 0) {
            buf_add_str(b, PICK(m, odd));
            continue;
        }
        buf_add_str(b, pick(m, 5) == 0 ? "bEARER  " : "Bearer ");
        add_token(m, b);
    }
}

static void add_path(struct maker *m, const struct project *p, struct buf *b)
{
    static const char *const odd[] = {
        "/items/../open", "/items//7",  "/items/%2F", "/items/a;b", "/items/%00",
        "/none",          "/items/7/8", "/items/",    "/items/%zz", "/./items",
        "/items/%2e.",    "",           "/",          "/ITEMS",     "/items/a\\b",
        "/a/x/c/d"};
    unsigned which = pick(m, TEMPLATES);

    if (pick(m, 40) == 0) {
        buf_add_str(b, pick(m, 2) == 0 ? "/ready" : "/health");
        return;
    }
    if (pick(m, 30) != 0) { /* now and then a path below no API */
        bool without = p->is_default && pick(m, 2) == 0;

        buf_add(b,
                slice_first(slice_of(p->base), strlen(p->base) - (without ? strlen("/1.0.0") : 0)));
    }
    if (pick(m, 6) == 0) {
        buf_add_str(b, PICK(m, odd));
        return;
    }
    /* mostly what the project serves */
    for (unsigned i = 0; i < TEMPLATES && !p->served[which]; i++)
        which = pick(m, TEMPLATES);
    buf_add_str(b, PICK(m, templates[which].paths));
}

/* What a browser adds for the page of another origin; `preflight`: before it asks. */
static void add_origin(struct maker *m, struct buf *b, bool preflight)
{
    static const char *const origins[] = {
        "https://shop.test",      "https://shop.test",      "https://a.pages.test",
        "https://b.a.pages.test", "https://shop.test:8443", "http://shop.test",
        "https://pages.test",     "https://evil.test",      "null"};

    buf_printf(b, "\tOrigin: %s", PICK(m, origins));
    if (preflight)
        buf_add_str(b, "\tAccess-Control-Request-Method: GET");
}

/* What a client of a mock API may ask for. */
static void add_preferences(struct maker *m, struct buf *b)
{
    static const char *const prefer[] = {"code=200",
                                         "code=204",
                                         "code=404",
                                         "code=404, example=two",
                                         "code=418",
                                         "example=one",
                                         "code=204",
                                         "example=\"TWO\"",
                                         "respond-async, code=\"404\"",
                                         "code=503",
                                         "code=20",
                                         "Example=none",
                                         "code=2001",
                                         "wait=10",
                                         "code=404;a=b, code=200"};
    static const char *const accept[] = {"application/json",
                                         "application/xml, */*;q=0.1",
                                         "text/*, application/json;q=0.5",
                                         "*/*",
                                         "text/html",
                                         "application/*;q=0.2, text/plain;q=0.1",
                                         "application/xml;q=0"};
    unsigned lines = pick(m, 12) == 0 ? 4 : 1 + (pick(m, 6) == 0);
    bool asked = pick(m, 2) == 0, accepts = pick(m, 2) == 0;

    for (unsigned i = 0; asked && i < lines; i++)
        buf_printf(b, "\tPrefer: %s", PICK(m, prefer));
    for (unsigned i = 0; accepts && i < lines; i++)
        buf_printf(b, "\tAccept: %s", PICK(m, accept));
}

static void add_request(struct maker *m, struct buf *b)
{
    static const char *const methods[] = {
        "GET", "GET", "GET", "GET",    "GET",  "GET",     "GET",     "GET",   "GET",  "GET",
        "GET", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "OPTIONS", "PATCH", "BREW", "POST"};
    const struct project *p = &m->projects[pick(m, m->n_projects)];
    const char *method = PICK(m, methods);
    unsigned host = pick(m, 15) == 0 ? pick(m, sizeof(hosts) / sizeof(hosts[0])) : p->host;

    buf_printf(b, "%s ", method);
    add_path(m, p, b);
    if (b->p[b->n - 1] == ' ')
        buf_add_char(b, '/');
    buf_printf(b, "\tHost: %s", PICK(m, hosts[host].asked));
    if (pick(m, 3) == 0)
        add_origin(m, b, strcmp(method, "OPTIONS") == 0);
    add_credential(m, p, b);
    if (p->mock)
        add_preferences(m, b);
    buf_add_char(b, '\n');
}

int main(int argc, char **argv)
{
    struct maker m = {.state = 0};
    uint64_t seed, projects, requests;
    struct buf b;

    if (argc < 6 || argc > 5 + MAX_PORTS || slice_to_u64(slice_of(argv[2]), &seed) != CC_OK ||
        slice_to_u64(slice_of(argv[3]), &projects) != CC_OK || projects == 0 ||
        projects > MAX_PROJECTS || slice_to_u64(slice_of(argv[4]), &requests) != CC_OK) {
        fputs("usage: agree_make DIR SEED PROJECTS REQUESTS PORT...\n", stderr);
        return EX_USAGE;
    }
    m.dir = argv[1];
    m.state = seed;
    while ((int)m.n_ports + 5 < argc) {
        m.ports[m.n_ports] = argv[5 + m.n_ports];
        m.n_ports++;
    }
    make_settings(&m);
    for (m.n_projects = 0; m.n_projects < projects; m.n_projects++)
        make_project(&m, m.n_projects);
    buf_init(&b, TEXT_BYTES);
    for (uint64_t i = 0; i < requests; i++)
        add_request(&m, &b);
    write_file(&m, "requests", &b);
    buf_free(&b);
    for (unsigned i = 0; i < 3; i++)
        key_free(&m.keys[i]);
    return EX_OK;
}
