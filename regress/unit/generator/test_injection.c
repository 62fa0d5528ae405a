/* Injection, field by field: hostile texts in every field of a project and in every setting are
 * refused with a precise finding, or stand quoted in the same directives as a harmless text.
 *
 * Nothing can be forgotten in silence: settings come from the table of settings, fields of projects
 * from the documents below (each "@name@" needs a row and the reverse), and
 * test_every_value_is_attacked() looks at the values that the templates are given: each text among
 * them must have been reached by a field or a setting, or be named as made by cc-gen itself. */
#include "injection.h"

#include "config/settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 << 20, REACHED_BYTES = 1 << 16, DOCUMENTS = 4 };

static char root[] = "/tmp/test_injection_XXXXXX";
static char reached_room[REACHED_BYTES];
static struct arena *kept;
static struct config *defaults; /* without token services: their certificates are not there */
static struct buf reached;      /* all values that some harmless text was found in */

static int make_root(void **state)
{
    struct diag *diag = diag_new();
    int rc;

    (void)state;
    buf_init_fixed(&reached, reached_room, sizeof(reached_room));
    kept = arena_new(ARENA_BYTES);
    rc = config_load(&defaults, NULL, NULL, NULL, 0, kept, diag);
    diag_free(&diag);
    return rc == CC_OK && mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    arena_free(&kept);
    return file_remove_tree(root) == CC_OK ? 0 : -1;
}

/* Not file_write_atomic(): it waits for the disk, and there are ten thousand of these. */
static void write_text(const char *path, struct slice text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

/* One attack: what is compared with what. */
struct attack {
    const char *field, *codes; /* that may refuse it */
    struct injection_outcome harmless;
};

static void judge(const struct attack *a, const struct injection_text *t,
                  const struct injection_outcome *o, const struct diag *diag)
{
    char what[256];

    snprintf(what, sizeof(what), "%s with %s", a->field, t->name);
    if (o->refused) {
        injection_check_findings(diag, a->codes, what);
    } else if (slice_is(t->text, "/") && strstr(a->codes, "CC2005") != NULL) {
        return; /* it ends the host of a URL: another endpoint, as it is written */
    } else if (!slice_eq(o->directives, a->harmless.directives) &&
               (slice_find(t->text, '/') < 0 ||
                !injection_same_shape(o->directives, a->harmless.directives))) {
        injection_print_difference(a->harmless.directives, o->directives);
        fail_msg("%s: other directives than with a harmless text", what);
    }
}

/* --- settings ------------------------------------------------------------------------------- */

/* Not UTF-8, no text, out of limits, against the rules of one setting, against those of several; of
 * cors; of the certificates that are named; and the last resort, the quoting. */
#define SETTING_CODES "CC1002 CC1003 CC1004 CC1005 CC3001 CC3002 CC3003 CC3004 CC3005 CC3007 CC5004"

/* Values that must be there for the setting under attack to count. */
static const struct config_override others[] = {
    {SLICE_INIT("router.keystore.certPath"), SLICE_INIT("/gw/tls.pem")},
    {SLICE_INIT("router.keystore.keyPath"), SLICE_INIT("/gw/tls.key")},
    {SLICE_INIT("router.upstream.tls.certPath"), SLICE_INIT("/gw/client.pem")},
    {SLICE_INIT("router.upstream.tls.keyPath"), SLICE_INIT("/gw/client.key")},
    {SLICE_INIT("enforcer.security.tokenService[0].name"), SLICE_INIT("login")},
    {SLICE_INIT("enforcer.security.tokenService[0].issuer"), SLICE_INIT("https://login")},
    {SLICE_INIT("enforcer.security.tokenService[0].certificateFilePath"),
     SLICE_INIT("/gw/login.pem")},
    {SLICE_INIT("enforcer.jwtGenerator.keypair[0].publicCertificatePath"),
     SLICE_INIT("/gw/jwt.pem")},
    {SLICE_INIT("enforcer.filters[0].name"), SLICE_INIT("filter")},
    {SLICE_INIT("enforcer.filters[0].path"), SLICE_INIT("/gw/filter.so")},
    {SLICE_INIT("enforcer.jwtIssuer.jwtUser[0].username"), SLICE_INIT("user")},
    {SLICE_INIT("enforcer.jwtIssuer.jwtUser[0].password"), SLICE_INIT("word")},
    {SLICE_INIT("agent.redis.address"), SLICE_INIT("/run/redis.sock")},
    {SLICE_INIT("agent.redis.servers"), SLICE_INIT("redis.example.com:6380")},
    {SLICE_INIT("agent.redis.password"), SLICE_INIT("word")},
    {SLICE_INIT("agent.redis.certPath"), SLICE_INIT("/gw/redis.pem")},
    {SLICE_INIT("agent.redis.keyPath"), SLICE_INIT("/gw/redis.key")},
};

/* A value with the mark that the setting takes; "" for those that take no text of one's own. */
static const char *harmless_value(const struct setting *s, const char *name)
{
    /* taken only when they are what this machine or OpenSSL has: made_here, below, has their values
     */
    static const char *const checked[] = {
        "router.listenerHost", "router.securedListenerHost", "router.downstream.tls.ciphers",
        "router.upstream.tls.ciphers", "enforcer.security.mutualSSL.trustedProxies",
        "router.trustedProxies"};

    for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
        if (strcmp(name, checked[i]) == 0)
            return "";
    }
    if (strcmp(name, "agent.redis.servers") == 0)
        return "zqz.example.com:6380";
    switch (s->kind) {
    case KIND_SECRET:
    case KIND_TEXT:
        return "/zqz"; /* what stands before is never the name of a function */
    case KIND_CLAIMS:
    case KIND_PROPERTIES:
        return "remote=zqz";
    case KIND_TEXTS:
        return strcmp(name, "router.cors.allowOrigins") == 0 ? "https://zqz.example.com" : "zqz";
    case KIND_HOST:
        return "zqz.example.com";
    case KIND_HEADER:
        return "x-zqz";
    case KIND_PATH:
    case KIND_SOCKET_PATH:
    case KIND_SOCKET:
        return "/run/zqz.sock";
    case KIND_BOOL:
    case KIND_NUMBER:
    case KIND_PORT:
    case KIND_SECONDS:
    case KIND_MILLIS:
    case KIND_BYTES:
    case KIND_MODE:
    case KIND_WORD:
    case KIND_WORDS:
        return "";
    }
    fail_msg("%s: what is harmless in such a setting?", name);
    return NULL;
}

/* "router.a[].b" and a value -> {router: {a: [{b: "value"}]}} */
static void setting_yaml(struct buf *out, const struct setting *s, const char *name,
                         struct slice value)
{
    bool list = setting_is_list(s->kind);
    char closing[64] = "";
    size_t n = sizeof(closing) - 1;

    buf_reset(out);
    buf_add_char(out, '{');
    closing[--n] = '}';
    for (const char *p = name; *p != '\0'; p++) {
        bool item = strncmp(p, "[].", 3) == 0;

        assert_true(n > 4);
        if (item) {
            buf_add_str(out, ": [{");
            closing[--n] = ']';
            closing[--n] = '}';
            p += 2;
        } else if (*p == '.') {
            buf_add_str(out, ": {");
            closing[--n] = '}';
        } else {
            buf_add_char(out, *p);
        }
    }
    buf_add_str(out, list ? ": [\"" : ": \"");
    injection_escape(out, value);
    buf_add_str(out, list ? "\"]" : "\"");
    buf_add_str(out, closing + n);
    assert_int_equal(buf_error(out), CC_OK);
}

/* Is this the setting that stands in `others`, with a number for the "[]"? */
static bool same_setting(const char *name, struct slice other)
{
    size_t element = 0;

    return settings_find(other, &element) == settings_find_row(slice_of(name));
}

/* cc.yaml and the other settings. What HAProxy shall reach must be in its chroot. */
static int load_settings(struct config **config, const char *name, struct slice yaml,
                         struct slice chroot, struct arena *arena, struct diag *diag)
{
    struct config_override rest[sizeof(others) / sizeof(others[0]) + 1];
    char path[64];
    size_t n = 0;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (!same_setting(name, others[i].name))
            rest[n++] = others[i];
    }
    if (chroot.n > 0)
        rest[n++] = (struct config_override){
            SLICE("agent.socket"), arena_printf(arena, "%" PRIslice "/s", SLICE_ARG(chroot))};
    snprintf(path, sizeof(path), "%s/cc.yaml", root);
    write_text(path, yaml);
    return config_load(config, path, NULL, rest, n, arena, diag);
}

/* The directives with this value of the setting. */
static struct injection_outcome try_setting(const char *name, const struct setting *s,
                                            const char *value, struct slice text,
                                            const struct injection_outcome *harmless,
                                            struct arena *arena, struct diag *diag)
{
    struct injection_outcome refused = {.refused = true};
    struct slice whole = injection_value(arena, value, text);
    bool chroot = strcmp(name, "router.haproxy.chroot") == 0;
    struct config *config = NULL;
    struct buf yaml;
    int rc;

    buf_init(&yaml, 16 * INJECTION_LONG);
    setting_yaml(&yaml, s, name, whole);
    rc = load_settings(&config, name, buf_slice(&yaml), chroot ? whole : SLICE_NONE, arena, diag);
    buf_free(&yaml);
    return rc != CC_OK
               ? refused
               : injection_build(config, NULL, INJECTION_DIRECTORY, text, harmless, arena, diag);
}

static void attack_setting(const struct config_setting *row, const struct setting *s)
{
    const char *value = harmless_value(s, row->name);
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diag *diag = diag_new();
    struct attack a = {row->name, SETTING_CODES, {.refused = true}};

    if (*value != '\0') {
        struct injection_outcome o =
            try_setting(row->name, s, value, SLICE(INJECTION_MARK), NULL, arena, diag);

        if (o.refused)
            diag_print(diag, stderr, false);
        assert_false(o.refused);
        buf_add(&reached, o.values);
        a.harmless = o;
    }
    for (size_t i = 0; i < INJECTION_TEXTS * INJECTION_POSITIONS; i++) {
        const struct injection_text *t = &injection_texts[i / INJECTION_POSITIONS];
        struct slice text = injection_bytes(t, i % INJECTION_POSITIONS);
        struct arena *scratch = arena_new(ARENA_BYTES);
        struct diag *findings = diag_new();
        struct injection_outcome o =
            try_setting(row->name, s, value, text, &a.harmless, scratch, findings);

        if (*value == '\0' && !o.refused)
            fail_msg("%s takes %s", row->name, t->name);
        judge(&a, t, &o, findings);
        i += o.refused && i % INJECTION_POSITIONS == 0; /* nor will it be taken at the ends */
        diag_free(&findings);
        arena_free(&scratch);
    }
    diag_free(&diag);
    arena_free(&arena);
}

static void test_settings(void **state)
{
    size_t n;
    const struct config_setting *rows = config_settings(&n);

    (void)state;
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++)
        attack_setting(&rows[i], &settings[i]);
}

/* The output directory is in the configuration, too. */
static void test_directory(void **state)
{
    struct attack a = {"the output directory", "CC5004", {.refused = true}};
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diag *diag = diag_new();
    struct injection_outcome o;

    (void)state;
    o = injection_build(defaults, NULL, "/gw/zqz/7", SLICE(INJECTION_MARK), NULL, arena, diag);
    assert_false(o.refused);
    buf_add(&reached, o.values);
    a.harmless = o;
    for (size_t i = 0; i < INJECTION_TEXTS * INJECTION_POSITIONS; i++) {
        const struct injection_text *t = &injection_texts[i / INJECTION_POSITIONS];
        struct slice text = injection_bytes(t, i % INJECTION_POSITIONS);
        struct arena *scratch = arena_new(ARENA_BYTES);
        struct diag *findings = diag_new();
        struct slice path = arena_dup(scratch, injection_value(scratch, "/gw/zqz/7", text));

        if (slice_find(path, '\0') < 0) { /* which no path can have */
            o = injection_build(defaults, NULL, path.p, text, &a.harmless, scratch, findings);
            judge(&a, t, &o, findings);
        }
        diag_free(&findings);
        arena_free(&scratch);
    }
    diag_free(&diag);
    arena_free(&arena);
}

/* --- projects ------------------------------------------------------------------------------- */

/* "@name@" is where a field's value goes; all of them stand in double quotes. In the first project
 * api.yaml says everything, in the second the extensions of the document, then OpenAPI 2, then
 * `servers`. */
static const struct project_texts {
    const char *api, *openapi, *deployments;
} projects[DOCUMENTS] = {
    {"type: \"@type@\"\n"
     "version: \"@api version@\"\n"
     "data:\n"
     "  id: \"@id@\"\n"
     "  name: \"@name@\"\n"
     "  version: \"@version@\"\n"
     "  context: \"@context@\"\n"
     "  type: \"@kind@\"\n"
     "  description: \"@description@\"\n"
     "  provider: \"@provider@\"\n"
     "  lifeCycleStatus: \"@life cycle@\"\n"
     "  authorizationHeader: \"@auth header@\"\n"
     "  apiThrottlingPolicy: \"@tier@\"\n"
     "  securityScheme: [oauth2, \"@security scheme@\"]\n"
     "  transport: [\"@transport@\"]\n"
     "  endpointImplementationType: \"@implementation@\"\n"
     "  corsConfiguration:\n"
     "    corsConfigurationEnabled: true\n"
     "    accessControlAllowOrigins: [\"@origin@\"]\n"
     "    accessControlAllowHeaders: [\"@cors header@\"]\n"
     "    accessControlAllowMethods: [\"@cors method@\"]\n"
     "    accessControlExposeHeaders: [\"@exposed header@\"]\n"
     "  endpointConfig:\n"
     "    endpoint_type: \"@endpoint type@\"\n"
     "    implementation_status: \"@status@\"\n"
     "    production_endpoints:\n"
     "      url: \"@url host@\"\n"
     "      config: {actionDuration: \"@duration@\", retryTimeOut: \"@retries@\"}\n"
     "    production_failovers: [{url: \"@failover url@\"}]\n"
     "    sandbox_endpoints: {url: \"@url path@\"}\n",
     "openapi: 3.0.3\n"
     "info: {title: \"@title@\", version: \"@info version@\", description: \"@info text@\"}\n"
     "paths:\n"
     "  \"@path@\":\n"
     "    get:\n"
     "      operationId: \"@operation@\"\n"
     "      summary: \"@summary@\"\n"
     "      tags: [\"@tag@\"]\n"
     "      security: [{\"@required scheme@\": [\"@scope@\"]}]\n"
     "components: {securitySchemes: {\"@scheme@\": {type: oauth2, flows: {implicit:\n"
     "  {authorizationUrl: \"@authorization url@\", scopes: {}}}}}}\n",
     "type: deployment_environments\nversion: v4.0.0\ndata:\n"
     "  - deploymentEnvironment: Default\n    deploymentVhost: \"@vhost@\"\n"
     "  - deploymentEnvironment: \"@environment@\"\n"},
    {"type: api\nversion: v4.0.0\ndata: {name: Pets, version: 1.0.0, context: /pets, type: HTTP}\n",
     "openapi: \"@openapi@\"\n"
     "x-wso2-basePath: \"@base path@\"\n"
     "x-wso2-auth-header: \"@document auth header@\"\n"
     "x-wso2-throttling-tier: \"@document tier@\"\n"
     "x-wso2-cors:\n"
     "  accessControlAllowOrigins: [\"@document origin@\"]\n"
     "  accessControlAllowHeaders: [\"@document cors header@\"]\n"
     "  accessControlAllowMethods: [\"@document cors method@\"]\n"
     "  accessControlExposeHeaders: [\"@document exposed header@\"]\n"
     "x-wso2-endpoints:\n"
     "  - \"@endpoint name@\": {urls: [\"http://named\"]}\n"
     "x-wso2-production-endpoints:\n"
     "  urls: [\"@document url@\", \"https://other.example.com/v2\"]\n"
     "  type: \"@document endpoint type@\"\n"
     "  advanceEndpointConfig:\n"
     "    timeoutInMillis: \"@time-out@\"\n"
     "    retryConfig: {count: \"@retry count@\", statusCodes: [\"@retry status@\"]}\n"
     "    circuitBreakers: {maxRequests: \"@max requests@\", maxConnections: \"@max "
     "connections@\"}\n"
     "    healthCheck: {path: \"@health path@\", statusCodes: [\"@health status@\"]}\n"
     "x-wso2-sandbox-endpoints: \"@reference@\"\n"
     "x-wso2-request-interceptor: {serviceURL: \"@interceptor@\"}\n"
     "paths:\n"
     "  /a:\n"
     "    x-wso2-production-endpoints: {urls: [\"@path url@\"]}\n"
     "    x-wso2-throttling-tier: \"@path tier@\"\n"
     "    get: {x-wso2-throttling-tier: \"@operation tier@\", x-auth-type: \"@auth type@\"}\n"
     "    \"@method@\": {}\n",
     NULL},
    {"type: api\nversion: v4.0.0\ndata: {name: Pets, version: 1.0.0, context: /pets, type: HTTP}\n",
     "swagger: \"2.0\"\n"
     "host: \"@host@\"\n"
     "basePath: \"@basePath@\"\n"
     "schemes: [\"@scheme of URLs@\"]\n"
     "securityDefinitions: {a: {type: \"@definition@\", name: \"@key name@\", in: \"@key "
     "place@\"}}\n"
     "paths: {/a: {get: {security: [{a: []}]}}}\n",
     NULL},
    {"type: api\nversion: v4.0.0\ndata: {name: Pets, version: 1.0.0, context: /pets, type: HTTP}\n",
     "openapi: 3.0.3\n"
     "servers: [{url: \"@server@\", variables: {v: {default: \"@variable@\"}}}]\n"
     "paths: {/a: {servers: [{url: \"@path server@\"}], get: {\"$ref\": \"@pointer@\"}}}\n",
     NULL},
};

#define DOC "CC1002 CC1004 CC1005 " /* not UTF-8 or a NUL; too long */

/* Every field of the documents above: a value that builds, and the findings that may refuse another
 * one. */
static const struct field {
    const char *name, *harmless, *codes;
} fields[] = {
#include "injection_fields.h"
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* The document with the values of all fields in it, that of `attacked` being `value`; numbers
 * without their quotes. */
static void fill(struct buf *out, const char *template, const struct field *attacked,
                 struct slice value)
{
    const char *at = template, *end;

    buf_reset(out);
    for (const char *p; (p = strchr(at, '@')) != NULL; at = end + 1) {
        struct slice name, text;
        uint64_t number;
        size_t i = 0;

        buf_add(out, slice_make(at, (size_t)(p - at - 1)));
        end = strchr(p + 1, '@');
        assert_non_null(end);
        name = slice_make(p + 1, (size_t)(end - p - 1));
        while (i < FIELDS && !slice_is(name, fields[i].name))
            i++;
        if (i == FIELDS)
            fail_msg("the field %" PRIslice " has no row", SLICE_ARG(name));
        text = &fields[i] == attacked ? value : slice_of(fields[i].harmless);
        end++; /* the closing quote */
        if (slice_to_u64(text, &number) == CC_OK) {
            buf_add(out, text);
            continue;
        }
        buf_add_char(out, '"');
        injection_escape(out, text);
        buf_add_char(out, '"');
    }
    buf_add_str(out, at);
    assert_int_equal(buf_error(out), CC_OK);
}

/* Is "@name@" in the document? */
static bool has_field(const char *template, const char *name)
{
    char field[64];

    snprintf(field, sizeof(field), "\"@%s@\"", name);
    return template != NULL && strstr(template, field) != NULL;
}

/* `again`: all documents are there, with harmless values; only the one with the field is written.
 */
static void write_document(const char *name, const char *template, const struct field *attacked,
                           struct slice value, bool again)
{
    static struct buf text;
    char path[96];

    if (template == NULL || (again && !has_field(template, attacked->name)))
        return;
    buf_init(&text, 16 * INJECTION_LONG);
    snprintf(path, sizeof(path), "%s/pets/%s", root, name);
    fill(&text, template, attacked, value);
    write_text(path, buf_slice(&text));
    buf_free(&text);
}

static struct injection_outcome try_project(const struct project_texts *p,
                                            const struct field *field, struct slice text,
                                            const struct injection_outcome *harmless,
                                            struct arena *arena, struct diag *diag)
{
    struct slice value = injection_value(arena, field->harmless, text);
    char path[96];

    snprintf(path, sizeof(path), "%s/pets", root);
    write_document("api.yaml", p->api, field, value, harmless != NULL);
    write_document("Definitions/swagger.yaml", p->openapi, field, value, harmless != NULL);
    write_document("deployment_environments.yaml", p->deployments, field, value, harmless != NULL);
    return injection_build(defaults, path, INJECTION_DIRECTORY, text, harmless, arena, diag);
}

static void attack_field(const struct project_texts *p, const struct field *field)
{
    bool marked = strstr(field->harmless, INJECTION_MARK) != NULL;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diag *diag = diag_new();
    struct injection_outcome o =
        try_project(p, field, slice_of(marked ? INJECTION_MARK : ""), NULL, arena, diag);
    struct attack a = {field->name, field->codes, o};

    if (o.refused)
        diag_print(diag, stderr, false);
    assert_false(o.refused);
    if (marked)
        buf_add(&reached, o.values);
    for (size_t i = 0; i < INJECTION_TEXTS * INJECTION_POSITIONS; i++) {
        const struct injection_text *t = &injection_texts[i / INJECTION_POSITIONS];
        struct slice text = injection_bytes(t, i % INJECTION_POSITIONS);
        struct arena *scratch = arena_new(ARENA_BYTES);
        struct diag *findings = diag_new();

        o = try_project(p, field, text, &a.harmless, scratch, findings);
        judge(&a, t, &o, findings);
        i += (o.refused || !marked) && i % INJECTION_POSITIONS == 0; /* nor at the ends */
        diag_free(&findings);
        arena_free(&scratch);
    }
    diag_free(&diag);
    arena_free(&arena);
}

static void attack_project(const struct project_texts *p)
{
    char path[96];
    size_t attacked = 0;

    snprintf(path, sizeof(path), "%s/pets/Definitions", root);
    assert_int_equal(file_mkdirs(path, 0700), CC_OK);
    for (size_t i = 0; i < FIELDS; i++) {
        const char *name = fields[i].name;

        if (has_field(p->api, name) || has_field(p->openapi, name) ||
            has_field(p->deployments, name)) {
            attack_field(p, &fields[i]);
            attacked++;
        }
    }
    assert_true(attacked > 0);
    snprintf(path, sizeof(path), "%s/pets", root);
    assert_int_equal(file_remove_tree(path), CC_OK);
}

static void test_api_yaml(void **state)
{
    (void)state;
    attack_project(&projects[0]);
}

static void test_extensions(void **state)
{
    (void)state;
    attack_project(&projects[1]);
}

static void test_openapi_2(void **state)
{
    (void)state;
    attack_project(&projects[2]);
}

static void test_servers(void **state)
{
    (void)state;
    attack_project(&projects[3]);
}

static void test_every_row_is_a_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIELDS; i++) {
        size_t found = 0;

        for (size_t k = 0; k < DOCUMENTS; k++)
            found += has_field(projects[k].api, fields[i].name) ||
                     has_field(projects[k].openapi, fields[i].name) ||
                     has_field(projects[k].deployments, fields[i].name);
        if (found != 1)
            fail_msg("the field %s is in %zu documents", fields[i].name, found);
    }
}

/* --- nothing is forgotten ------------------------------------------------------------------- */

/* Values for the templates that cc-gen makes itself, of nothing that anybody wrote. */
static const char made_here[] =
    " body_no_decision body_no_backend body_no_server body_unreachable body_overflow "
    "frontend_errors.body upstream_errors.body variables.name "
    "clusters.name "                                                  /* a hash */
    "clusters.retry_statuses.status clusters.health_statuses.status " /* of a table, or a number */
    "jwks "                                                           /* base64url */
    "entry_errors.body proto tls_min tls_max ciphers ciphersuites upstream_tls_min "
    "upstream_tls_max "
    "upstream_ciphers upstream_ciphersuites client_certificate trusted_proxies.address http_bind "
    "https_bind init_addr proxies redis_auth redis_certificate soap_11_type soap_12_type "
    "fault_by_code ";

static void test_every_value_is_attacked(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diag *diag = diag_new();
    struct template_row all;
    struct slice rest;
    struct buf names;

    (void)state;
    assert_int_equal(buf_error(&reached), CC_OK);
    buf_init(&names, 1 << 16);
    for (size_t i = 0; i < 2; i++) {
        struct gw_model *model = NULL;
        char path[96];
        const char *const paths[] = {path};

        snprintf(path, sizeof(path), "%s/pets", root);
        assert_int_equal(file_mkdirs(arena_printf(arena, "%s/Definitions", path).p, 0700), CC_OK);
        write_document("api.yaml", projects[i].api, NULL, SLICE_NONE, false);
        write_document("Definitions/swagger.yaml", projects[i].openapi, NULL, SLICE_NONE, false);
        assert_int_equal(project_build_model(&model, paths, 1, defaults, NULL, arena, diag), CC_OK);
        assert_int_equal(
            render_values(&(struct render_context){model, defaults, INJECTION_DIRECTORY, arena},
                          &all),
            CC_OK);
        injection_find(&all, "", SLICE_NONE, &names);
        assert_int_equal(file_remove_tree(path), CC_OK);
    }
    for (rest = buf_slice(&names); rest.n > 0;) {
        /* " a.b " */
        size_t end = (size_t)slice_find(slice_from(rest, 1), ' ') + 1;
        struct slice name = slice_first(rest, end + 1);

        rest = slice_from(rest, end + 1);
        if (!slice_contains(buf_slice(&reached), name) &&
            !slice_contains(slice_of(made_here), name))
            fail_msg("no field and no setting of this test reaches the value %" PRIslice,
                     SLICE_ARG(name));
    }
    buf_free(&names);
    diag_free(&diag);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_every_row_is_a_field),
        cmocka_unit_test(test_api_yaml),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_openapi_2),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_every_value_is_attacked), /* the last: it sums up */
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
