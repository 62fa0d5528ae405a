/* Each rule of cc-gen audit: what breaks it, and what does not. */
#include "test_project_fixture.h"

#include "crypto/key.h"
#include "generator/review.h"

#include <string.h>
#include <sys/stat.h>

#define DATA(more, endpoint)                                              \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n" \
    "  type: HTTP\n  context: /pets\n" more                               \
    "  endpointConfig:\n    production_endpoints: {url: '" endpoint "'}\n"
#define API DATA("", "https://b:8443/v")

#define HEAD                                                             \
    "openapi: 3.0.3\ninfo: {title: Pets, version: 1.0.0}\nx-wso2-cors: " \
    "{accessControlAllowOrigins: ['https://a.test']}\n"
#define SCHEMES                                                                                    \
    "components: {securitySchemes: {o: {type: oauth2, flows: {clientCredentials: {scopes: {r: R, " \
    "w: W}}}}}}\n"
#define SAFE HEAD SCHEMES "security: [{o: [r]}]\npaths: {/a: {get: {}}}\n"

struct audit_case {
    enum diag_code rule;
    const char *bad_api, *bad; /* NULL: the safe ones */
    const char *good_api, *good;
};

static const struct audit_case projects[] = {
    {CC9001, NULL, SAFE "x-wso2-disable-security: true\n", NULL, SAFE},
    {CC9001, NULL, HEAD "paths: {/a: {get: {x-auth-type: None}}}\n", NULL,
     HEAD "paths: {/a: {get: {x-auth-type: Application}}}\n"},
    {CC9002, NULL, HEAD "paths: {/a: {put: {x-wso2-disable-security: true}}}\n", NULL,
     HEAD "paths: {/a: {get: {x-wso2-disable-security: true}}}\n"},
    {CC9003, NULL, HEAD "security: [{none: []}]\npaths: {/a: {get: {}}}\n", NULL, SAFE},
    {CC9004, DATA("  lifeCycleStatus: PROTOTYPED\n", "https://b/v"), SAFE,
     DATA("  lifeCycleStatus: PUBLISHED\n", "https://b/v"), SAFE},
    {CC9006, NULL,
     "openapi: 3.0.3\nx-wso2-cors: {accessControlAllowOrigins: ['*']}\npaths: {/a: {get: {}}}\n",
     NULL, SAFE},
    {CC9007, DATA("", "http://b:8080/v"), SAFE, DATA("", "http://127.0.0.1:8080/v"), SAFE},
    {CC9016, NULL, HEAD "paths: {/*: {get: {}}}\n", NULL, HEAD "paths: {/files/*: {get: {}}}\n"},
    {CC9017, NULL, HEAD SCHEMES "paths: {/a: {post: {security: [{o: [w]}, {o: []}]}}}\n", NULL,
     HEAD SCHEMES "paths: {/a: {post: {security: [{o: [w]}, {o: [r]}]}, get: {}}}\n"},
    {CC9024, DATA("  x: {y: [{Password: s3cret}]}\n", "https://b/v"), SAFE,
     DATA("  x: {y: [{password: '', pass: x}, {password: $env}]}\n", "https://b/v"), SAFE},
    {CC9024, NULL, SAFE "x-wso2-x: {securityConfig: {password: p}}\n", NULL,
     SAFE "x-other: {password: p}\n"},
    {CC9028, NULL, HEAD "paths: {/a: {get: {}}}\n", NULL, SAFE},
};

/* Rules about schemes, each as the scheme "s". */
static const struct {
    enum diag_code rule;
    const char *bad, *good;
} schemes[] = {
    {CC9025, "{type: apiKey, in: query, name: k}", "{type: apiKey, in: header, name: k}"},
    {CC9026, "{type: oauth2, flows: {implicit: {scopes: {}}}}",
     "{type: oauth2, flows: {authorizationCode: {scopes: {}}}}"},
    {CC9026, "{type: oauth2, flow: password, scopes: {}}",
     "{type: oauth2, flow: application, scopes: {}}"},
    {CC9027, "{type: oauth2, flows: {clientCredentials: {tokenUrl: 'HTTP://idp.test/t'}}}",
     "{type: oauth2, flows: {clientCredentials: {tokenUrl: 'http://localhost:9443/t'}}}"},
    {CC9027, "{type: openIdConnect, openIdConnectUrl: 'http://idp.test'}",
     "{type: openIdConnect, openIdConnectUrl: 'https://idp.test'}"},
};

/* Settings: NAME=VALUE as --set takes them, beside a good issuer. */
static const struct {
    enum diag_code rule;
    const char *bad[3], *good[3];
} settings[] = {
    {CC9005,
     {"router.cors.allowCredentials=true", "router.cors.allowOrigins=*"},
     {"router.cors.allowCredentials=true", "router.cors.allowOrigins=https://a.test"}},
    {CC9006, {"router.cors.allowOrigins=*"}, {"router.cors.allowOrigins=https://a.test"}},
    {CC9008, {"router.upstream.tls.disableSslVerification=true"}, {NULL}},
    {CC9009, {"router.upstream.tls.verifyHostName=false"}, {NULL}},
    {CC9010,
     {"enforcer.security.tokenService[0].algorithms=RS256"},
     {"enforcer.security.tokenService[0].algorithms=ES256"}},
    {CC9011,
     {"enforcer.security.tokenService[0].algorithms=ES256,PS256,EdDSA"},
     {"enforcer.security.tokenService[0].algorithms=ES256,PS256"}},
    {CC9012, {"enforcer.security.tokenService[0].audiences="}, {NULL}},
    {CC9013, {"enforcer.security.leewayInSeconds=61"}, {"enforcer.security.leewayInSeconds=60"}},
    {CC9014, {"enforcer.security.authHeader.enableOutboundAuthHeader=true"}, {NULL}},
    {CC9015,
     {"router.listenerPort=9090", "router.listenerHost=0.0.0.0"},
     {"router.listenerPort=9090", "router.listenerHost=127.0.0.1"}},
    {CC9018,
     {"adapter.vhostMapping[0].environment=Default", "adapter.vhostMapping[0].vhost=*"},
     {"adapter.vhostMapping[0].environment=Default", "adapter.vhostMapping[0].vhost=a.test"}},
    {CC9020, {"agent.socketMode=0666"}, {"agent.socketMode=0660"}},
    {CC9021, {"agent.socket=0.0.0.0:9999"}, {"agent.socket=127.0.0.1:9999"}},
    {CC9021, {"agent.socket=[::]:9999"}, {"agent.socket=[::1]:9999"}},
    {CC9030, {"router.trustedProxies=10.0.0.0/8,0.0.0.0/0"}, {"router.trustedProxies=0.0.0.0/1"}},
    {CC9031, {"enforcer.jwtIssuer.enabled=true"}, {"enforcer.jwtIssuer.enabled=false"}},
    {CC9032,
     {"agent.redis.address=redis.test:6379", "agent.redis.password=word"},
     {"agent.redis.address=redis.test:6379"}},
    {CC9032,
     {"agent.redis.address=[2001:db8::1]:6379", "agent.redis.password=word"},
     {"agent.redis.address=[::1]:6379", "agent.redis.password=word"}},
    {CC9032,
     {"agent.redis.address=127.redis.test:6379", "agent.redis.password=word"},
     {"agent.redis.address=127.0.0.1:6379", "agent.redis.password=word"}},
    {CC9032,
     {"agent.redis.address=10.0.0.5:6379", "agent.redis.password=word"},
     {"agent.redis.address=localhost:6379", "agent.redis.password=word"}},
    {CC9032,
     {"agent.redis.address=10.0.0.5:6379", "agent.redis.password=word"},
     {"agent.redis.address=/run/redis.sock", "agent.redis.password=word"}},
    {CC9032,
     {"agent.redis.address=10.0.0.5:6379", "agent.redis.password=word"},
     {"agent.redis.address=127.0.0.1:6379", "agent.redis.servers=redis.test:6379",
      "agent.redis.password=word"}},
    {CC9033,
     {"agent.redis.address=/run/redis.sock", "agent.redis.servers=redis.test:6379",
      "agent.redis.verifyHostName=false"},
     {"agent.redis.address=/run/redis.sock", "agent.redis.servers=redis.test:6379"}},
    {CC9033,
     {"agent.redis.address=/run/redis.sock", "agent.redis.servers=redis.test:6379",
      "agent.redis.verifyHostName=false"},
     {"agent.redis.address=/run/redis.sock", "agent.redis.verifyHostName=false"}},
    {CC9030, {"router.trustedProxies=::/0"}, {"router.trustedProxies=::/128"}},
};

/* Rules about files: see the tests below. */
static const enum diag_code files[] = {CC9019, CC9022, CC9023, CC9029, CC9034};

/* --- helpers --------------------------------------------------------------------------------- */

static size_t count_of(const struct diag *d, enum diag_code rule, struct diag_view *found)
{
    struct diag_view v;
    size_t n = 0;

    for (size_t i = 0; diag_get(d, i, &v); i++) {
        if (v.code == rule) {
            *found = v;
            n++;
        }
    }
    return n;
}

static const char *below(struct fixture *f, const char *name)
{
    const char *path = arena_printf(f->arena, "%s/%s", f->root, name).p;

    assert_non_null(path);
    return path;
}

/* A certificate for `days` in idp.pem, and settings that give no finding of their own. */
static struct config *load_config(struct fixture *f, const char *const *sets, unsigned days)
{
    const char *base[] = {"enforcer.security.tokenService[0].name=idp",
                          "enforcer.security.tokenService[0].issuer=https://idp.test",
                          "enforcer.security.tokenService[0].algorithms=ES256",
                          "enforcer.security.tokenService[0].audiences=pets",
                          "router.listenerPort=0",
                          "router.cors.allowOrigins=https://a.test"};
    struct config_override overrides[16];
    struct config *config = NULL;
    struct key *key = NULL;
    struct buf pem;
    size_t n = 0;

    buf_init(&pem, 10000);
    assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
    assert_int_equal(key_write_certificate(key, "idp.test", days, &pem), CC_OK);
    assert_int_equal(file_write_atomic(below(f, "idp.pem"), buf_slice(&pem), 0644), CC_OK);
    key_free(&key);
    buf_free(&pem);
    for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++) {
        struct slice value = slice_of(base[i]), name;

        slice_split(&value, '=', &name);
        overrides[n++] = (struct config_override){name, value};
    }
    overrides[n++] =
        (struct config_override){SLICE("enforcer.security.tokenService[0].certificateFilePath"),
                                 slice_of(below(f, "idp.pem"))};
    for (; sets != NULL && *sets != NULL; sets++) {
        struct slice value = slice_of(*sets), name;

        slice_split(&value, '=', &name);
        overrides[n++] = (struct config_override){name, value};
    }
    if (config_load(&config, NULL, NULL, overrides, n, f->arena, f->diag) != CC_OK) {
        diag_print(f->diag, stderr, false);
        fail_msg("the settings are wrong");
    }
    return config;
}

/* The findings about one project, the settings and the files, into r->diag. A project that does not
 * build is audited all the same. */
static void audit(struct fixture *f, const char *api, const char *openapi, const char *const *sets,
                  struct review *r)
{
    struct project_docs *docs = arena_array(f->arena, 1, sizeof(*docs));
    struct config *config = load_config(f, sets, 365);
    struct gw_model *model = NULL;

    assert_non_null(docs);
    fixture_project(f);
    fixture_file(f, "api.yaml", api != NULL ? api : API);
    fixture_file(f, "Definitions/swagger.yaml", openapi != NULL ? openapi : SAFE);
    f->options.docs = docs;
    f->options.n_development_issuers = 0;
    project_build_model(&model, f->dirs, 1, config, &f->options, f->arena, f->diag);
    *r = (struct review){config, model, docs, 1, f->arena, diag_new(), {false}, CC_OK};
    audit_projects(r);
    audit_settings(r);
    assert_int_equal(r->rc, CC_OK);
}

static unsigned wrong;

/* Is the rule found (in its severity, with help, at a place when there can be one), or not? */
static void expect(enum diag_code rule, bool found, const char *api, const char *openapi,
                   const char *const *sets)
{
    struct diag_view v = {.severity = DIAG_INFO};
    enum diag_severity severity;
    struct review r;
    struct fixture f;
    size_t n;

    fixture_open(&f);
    audit(&f, api, openapi, sets, &r);
    n = count_of(r.diag, rule, &v);
    if (n != (found ? 1 : 0)) {
        diag_print(f.diag, stderr, false);
        diag_print(r.diag, stderr, false);
        print_error("%s: %zu findings, not %d, in\n%s\n%s\n%s\n", diag_code_name(rule), n, found,
                    api ? api : "", openapi ? openapi : "", sets && sets[0] ? sets[0] : "");
        wrong++;
    }
    if (n > 0) {
        assert_true(review_severity(rule, &severity));
        assert_int_equal(v.severity, severity);
        assert_true(v.help.n > 0);
        assert_non_null(v.place.source);
        assert_true(sets != NULL || v.place.line > 0);
    }
    diag_free(&r.diag);
    fixture_close(&f);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void test_projects(void **state)
{
    (void)state;
    wrong = 0;
    for (size_t i = 0; i < sizeof(projects) / sizeof(projects[0]); i++) {
        const struct audit_case *c = &projects[i];

        expect(c->rule, true, c->bad_api, c->bad, NULL);
        expect(c->rule, false, c->good_api, c->good, NULL);
    }
    assert_int_equal(wrong, 0);
}

static void test_schemes(void **state)
{
    char text[1000];

    (void)state;
    wrong = 0;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        for (unsigned found = 0; found < 2; found++) {
            const char *scheme = found ? schemes[i].bad : schemes[i].good;

            snprintf(text, sizeof(text),
                     HEAD "components: {securitySchemes: {s: %s}}\npaths: {/a: {get: {}}}\n",
                     scheme);
            expect(schemes[i].rule, found != 0, NULL, text, NULL);
            if (strstr(scheme, "flows") != NULL || strstr(scheme, "flow") == NULL)
                continue;
            snprintf(text, sizeof(text),
                     "swagger: '2.0'\nsecurityDefinitions: {s: %s}\npaths: {/a: {get: {}}}\n",
                     scheme);
            expect(schemes[i].rule, found != 0, NULL, text, NULL);
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_settings(void **state)
{
    static const char open[] = "openapi: 3.0.3\npaths: {/a: {get: {}}}\n"; /* cc.yaml's CORS */

    (void)state;
    wrong = 0;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const char *bad[4] = {settings[i].bad[0], settings[i].bad[1], settings[i].bad[2], NULL};
        const char *good[4] = {settings[i].good[0], settings[i].good[1], settings[i].good[2], NULL};

        expect(settings[i].rule, true, NULL, open, bad);
        expect(settings[i].rule, false, NULL, open, good);
    }
    assert_int_equal(wrong, 0);
}

/* A project and settings without any finding. */
static void test_safe(void **state)
{
    struct review r;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    audit(&f, NULL, NULL, NULL, &r);
    diag_print(r.diag, stderr, false);
    assert_int_equal(diag_errors(r.diag) + diag_warnings(r.diag) + diag_infos(r.diag), 0);
    diag_free(&r.diag);
    fixture_close(&f);
}

static void test_never_shows_passwords(void **state)
{
    struct review r;
    struct diag_view v;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    audit(&f, DATA("  x: {password: s3cret}\n", "https://b/v"), NULL, NULL, &r);
    for (size_t i = 0; diag_get(r.diag, i, &v); i++) {
        assert_false(slice_contains(v.message, SLICE("s3cret")));
        assert_false(slice_contains(v.help, SLICE("s3cret")));
    }
    assert_int_equal(count_of(r.diag, CC9024, &v), 1);
    diag_free(&r.diag);
    fixture_close(&f);
}

/* Counts the findings of one rule about files. */
static size_t file_findings(struct fixture *f, struct config *config, enum diag_code rule)
{
    struct review r = {config, NULL, NULL, 0, f->arena, diag_new(), {false}, CC_OK};
    struct diag_view v;
    size_t n;

    audit_files(&r, below(f, "cc.yaml"), below(f, "out"));
    n = count_of(r.diag, rule, &v);
    diag_free(&r.diag);
    return n;
}

static void test_files(void **state)
{
    struct fixture f;
    struct config *config;
    const char *sets[2] = {NULL, NULL};

    (void)state;
    fixture_open(&f);
    sets[0] = arena_printf(f.arena, "router.keystore.keyPath=%s", below(&f, "tls.key")).p;
    assert_int_equal(file_write_atomic(below(&f, "cc.yaml"), SLICE(""), 0644), CC_OK);
    assert_int_equal(file_write_atomic(below(&f, "tls.key"), SLICE(""), 0640), CC_OK);
    assert_int_equal(file_mkdirs(below(&f, "out/generations/1"), 0755), CC_OK);
    assert_int_equal(symlink("generations/1", below(&f, "out/current")), 0);
    assert_int_equal(chmod(below(&f, "out/generations"), 0755), 0);
    assert_int_equal(
        file_write_atomic(below(&f, "out/generations/1/gateway.json"), SLICE("{}"), 0644), CC_OK);
    config = load_config(&f, NULL, 365);
    config->router.keystore.key_path = slice_of(sets[0] + strlen("router.keystore.keyPath="));
    assert_int_equal(file_findings(&f, config, CC9019), 0);
    assert_int_equal(file_findings(&f, config, CC9022), 0);
    assert_int_equal(file_findings(&f, config, CC9023), 0);

    assert_int_equal(chmod(below(&f, "out/generations/1/gateway.json"), 0664), 0);
    assert_int_equal(file_findings(&f, config, CC9019), 1);
    assert_int_equal(chmod(below(&f, "out/generations"), 0777), 0);
    assert_int_equal(file_findings(&f, config, CC9019), 2);
    assert_int_equal(chmod(below(&f, "cc.yaml"), 0646), 0);
    assert_int_equal(file_findings(&f, config, CC9022), 1);
    assert_int_equal(chmod(below(&f, "idp.pem"), 0664), 0);
    assert_int_equal(file_findings(&f, config, CC9022), 2);
    assert_int_equal(chmod(below(&f, "tls.key"), 0644), 0);
    assert_int_equal(file_findings(&f, config, CC9023), 1);
    config->agent.redis.keystore.key_path = config->router.keystore.key_path;
    assert_int_equal(file_findings(&f, config, CC9023), 2);
    fixture_close(&f);
}

static void test_expiry(void **state)
{
    (void)state;
    for (unsigned bad = 0; bad < 2; bad++) {
        struct review r;
        struct diag_view v;
        struct fixture f;

        fixture_open(&f);
        r = (struct review){load_config(&f, NULL, bad ? 10 : 60),
                            NULL,
                            NULL,
                            0,
                            f.arena,
                            diag_new(),
                            {false},
                            CC_OK};
        audit_settings(&r);
        assert_int_equal(count_of(r.diag, CC9029, &v), bad);
        diag_free(&r.diag);
        fixture_close(&f);
    }
}

/* A deny rule that is over is told by the audit, and by no build. */
static void test_over(void **state)
{
    struct diag_view v;
    struct fixture f;
    struct review r;
    const char *sets[2] = {NULL};

    (void)state;
    fixture_open(&f);
    assert_int_equal(file_mkdirs(below(&f, "policies"), 0700), CC_OK);
    assert_int_equal(
        file_write_atomic(below(&f, "policies/a.yaml"),
                          SLICE("subscriptionPolicies: [{name: Unauthenticated, unlimited: true}]\n"
                                "denyRules:\n"
                                "  - {user: bob, until: 2020-01-31T00:00:00Z}\n"
                                "  - {user: eve, until: 2120-01-31T00:00:00Z}\n"
                                "  - {user: joe, from: 2020-01-31T00:00:00Z}\n"
                                "  - {user: ann}\n"),
                          0600),
        CC_OK);
    sets[0] = arena_printf(f.arena, "policies=%s", below(&f, "policies")).p;
    audit(&f, NULL, NULL, sets, &r);
    assert_int_equal(count_of(f.diag, CC9034, &v), 0);
    assert_int_equal(diag_errors(f.diag), 0);
    assert_int_equal(count_of(r.diag, CC9034, &v), 1);
    assert_int_equal(v.severity, DIAG_WARNING);
    assert_int_equal(v.place.line, 3);
    assert_true(slice_is(v.message, "the deny rule is over: user \"bob\" may come again"));
    diag_free(&r.diag);
    fixture_close(&f);
}

/* Each rule of the table has a case above. */
static void test_all_rules_have_cases(void **state)
{
    static const enum diag_code rules[] = {
#define RULE(code, severity, title, explanation) code,
#include "base/diag_audit.def"
#undef RULE
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        bool found = false;

        for (size_t k = 0; k < sizeof(projects) / sizeof(projects[0]); k++)
            found = found || projects[k].rule == rules[i];
        for (size_t k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++)
            found = found || schemes[k].rule == rules[i];
        for (size_t k = 0; k < sizeof(settings) / sizeof(settings[0]); k++)
            found = found || settings[k].rule == rules[i];
        for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++)
            found = found || files[k] == rules[i];
        if (!found)
            fail_msg("%s has no case", diag_code_name(rules[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projects),
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_never_shows_passwords),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_over),
        cmocka_unit_test(test_all_rules_have_cases),
    };

    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
