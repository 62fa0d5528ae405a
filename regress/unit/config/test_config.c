/* From cc.yaml, environment and overrides to one struct config: who wins, and where it came from.
 */
#include "config_fixture.h"

static void test_defaults_without_a_file(void **state)
{
    struct config_fixture *f = *state;
    const struct config *c;

    load_ok(f, NULL, NULL);
    c = f->config;
    assert_int_equal(c->adapter.n_vhost_mapping, 1);
    assert_text(c->adapter.vhost_mapping[0].environment, "Default");
    assert_text(c->adapter.vhost_mapping[0].vhost, "localhost");
    assert_text(c->router.listener_host, "0.0.0.0");
    assert_int_equal(c->router.listener_port, 9090);
    assert_int_equal(c->router.secured_listener_port, 9095);
    assert_int_equal(c->router.keystore.cert_path.n, 0);
    assert_true(c->router.upstream.verify_host_name);
    assert_false(c->router.upstream.disable_ssl_verification);
    assert_int_equal(c->security.leeway_s, 60);
    assert_int_equal(c->security.n_token_service, 0);
    assert_int_equal(c->agent.socket_mode, 0660);
    assert_text(c->agent.socket, "/run/cc/spoa.sock");
    assert_origin(c, "router.listenerPort", "default");
    assert_origin(c, "adapter.vhostMapping[0].vhost", "default");
}

static void test_empty_sections_are_fine(void **state)
{
    struct config_fixture *f = *state;

    load_ok(f, "", NULL);
    load_ok(f, "router:\nagent:\n  # socket: /x\n", NULL);
    assert_int_equal(f->config->router.listener_port, 9090);
}

static const char full[] = "router:\n"
                           "  listenerPort: 8080\n"
                           "  keystore:\n"
                           "    keyPath: tls/gw.key\n"
                           "    certPath: /etc/gw.pem\n"
                           "adapter:\n"
                           "  vhostMapping:\n"
                           "    - {environment: Prod, vhost: api.example.com}\n"
                           "enforcer:\n"
                           "  security:\n"
                           "    authHeader: {authorizationHeader: X-Token}\n"
                           "    tokenService:\n"
                           "      - name: main\n"
                           "        issuer: https://idp.example.com\n"
                           "        certificateFilePath: ./keys/idp.pem\n"
                           "        algorithms: [ES256, EdDSA]\n"
                           "        audiences: [a, 7]\n"
                           "      - {name: two, issuer: x, certificateFilePath: /k}\n"
                           "agent: {socketMode: 0600, logLevel: debug}\n";

/* An element has sections as well. */
static void test_sections_of_elements(void **state)
{
    struct config_fixture *f = *state;

    load_ok(f,
            "enforcer: {security: {tokenService: [{name: a, issuer: b},\n"
            "  {name: c, issuer: d, introspection: {url: 'https://x/y', clientId: z}}]}}",
            NULL);
    assert_int_equal(f->config->security.token_service[0].introspection.url.n, 0);
    assert_text(f->config->security.token_service[1].introspection.url, "https://x/y");
    assert_text(f->config->security.token_service[1].introspection.client_id, "z");
}

static void test_properties(void **state)
{
    struct config_fixture *f = *state;
    const struct config_filter *filter;

    load_ok(f,
            "enforcer: {filters: [{name: a, path: b.so, configProperties: {x: '', y: 7, z: a=b}},\n"
            "  {name: c, path: /d.so, position: 1, configProperties: ['x=1']}]}",
            NULL);
    assert_int_equal(f->config->n_filters, 2);
    filter = &f->config->filters[0];
    assert_int_equal(filter->position, 3);
    assert_int_equal(filter->n_properties, 3);
    assert_text(filter->properties[0], "x=");
    assert_text(filter->properties[1], "y=7");
    assert_text(filter->properties[2], "z=a=b");
    assert_text(f->config->filters[1].properties[0], "x=1");
}

static void test_file(void **state)
{
    struct config_fixture *f = *state;
    const struct config_token_service *t;
    char expected[96];
    struct buf b;

    load_ok(f, full, NULL);
    t = f->config->security.token_service;
    assert_int_equal(f->config->router.listener_port, 8080);
    assert_int_equal(f->config->agent.socket_mode, 0600);
    assert_text(f->config->security.auth_header.authorization_header, "x-token");
    assert_int_equal(f->config->security.n_token_service, 2);
    assert_int_equal(t[0].n_algorithms, 2);
    assert_text(t[0].algorithms[1], "EdDSA");
    assert_int_equal(t[0].n_audiences, 2);
    assert_text(t[0].audiences[1], "7");
    assert_int_equal(t[0].origin.line, 13);
    assert_int_equal(t[1].n_algorithms, 1);
    assert_text(t[1].algorithms[0], "RS256");
    assert_int_equal(t[1].n_audiences, 0);
    assert_value(f->config, "enforcer.security.tokenService[0].algorithms", "[ES256, EdDSA]");
    buf_init_fixed(&b, expected, sizeof(expected));
    buf_printf(&b, "%s/keys/idp.pem", f->directory);
    assert_text(t[0].certificate_file_path, expected);
    assert_text(f->config->router.keystore.cert_path, "/etc/gw.pem");
    buf_reset(&b);
    buf_printf(&b, "%s:2:17", f->path);
    assert_origin(f->config, "router.listenerPort", expected);
}

static void test_default_environment_is_always_there(void **state)
{
    struct config_fixture *f = *state;

    load_ok(f, full, NULL);
    assert_int_equal(f->config->adapter.n_vhost_mapping, 2);
    assert_text(f->config->adapter.vhost_mapping[0].environment, "Prod");
    assert_text(f->config->adapter.vhost_mapping[1].environment, "Default");
    load_ok(f, "adapter: {vhostMapping: [{environment: Default, vhost: x}]}", NULL);
    assert_int_equal(f->config->adapter.n_vhost_mapping, 1);
    assert_text(f->config->adapter.vhost_mapping[0].vhost, "x");
    assert_null(f->config->adapter.vhost_mapping[1].environment.p);
}

/* Relative paths mean a place beside cc.yaml, however cc.yaml itself was named. */
static void test_relative_path_of_the_file(void **state)
{
    struct config_fixture *f = *state;
    char expected[96], *before = getcwd(NULL, 0);
    struct buf b;

    assert_int_equal(file_write_atomic(f->path, slice_of(full), 0600), CC_OK);
    buf_init_fixed(&b, expected, sizeof(expected));
    buf_printf(&b, "%s/tls/gw.key", f->directory);
    assert_int_equal(chdir(f->directory), 0);
    assert_int_equal(config_load(&f->config, "cc.yaml", NULL, NULL, 0, f->arena, f->diag), CC_OK);
    assert_text(f->config->router.keystore.key_path, expected);
    assert_int_equal(chdir("/tmp"), 0);
    assert_int_equal(config_load(&f->config, f->path + 5, NULL, NULL, 0, f->arena, f->diag), CC_OK);
    assert_text(f->config->router.keystore.key_path, expected);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void test_precedence(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {"CC_ROUTER_LISTENERPORT=1111",
                                       "CC_AGENT_LOGLEVEL=warn",
                                       "CC_HOME=/x",
                                       "CC=gcc",
                                       "CC_ROUTERS=1",
                                       NULL};
    const struct config_override overrides[] = {
        {SLICE_INIT("agent.logLevel"), SLICE_INIT("error")},
        {SLICE_INIT("adapter.vhostMapping[0].vhost"), SLICE_INIT("h")},
        {SLICE_INIT("adapter.vhostMapping[2].vhost"), SLICE_INIT("h2")},
        {SLICE_INIT("adapter.vhostMapping[2].environment"), SLICE_INIT("e2")},
        {SLICE_INIT("adapter.vhostMapping[1].environment"), SLICE_INIT("e1")},
    };

    assert_int_equal(file_write_atomic(f->path, slice_of(full), 0600), CC_OK);
    assert_int_equal(
        config_load(&f->config, f->path, environ_of(environment), overrides, 5, f->arena, f->diag),
        CC_OK);
    assert_int_equal(f->config->router.listener_port, 1111);
    assert_origin(f->config, "router.listenerPort", "environment CC_ROUTER_LISTENERPORT");
    assert_text(f->config->agent.log_level, "error");
    assert_origin(f->config, "agent.logLevel", "--set agent.logLevel");
    assert_value(f->config, "adapter.vhostMapping[0].environment", "Prod");
    assert_value(f->config, "adapter.vhostMapping[0].vhost", "h");
    assert_value(f->config, "adapter.vhostMapping[1].environment", "e1");
    assert_value(f->config, "adapter.vhostMapping[1].vhost", "localhost");
    assert_value(f->config, "adapter.vhostMapping[2].environment", "e2");
    assert_value(f->config, "adapter.vhostMapping[3].environment", "Default");
}

static void test_list_from_the_environment_alone(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {
        "CC_ENFORCER_SECURITY_TOKENSERVICE_1_NAME=b",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_1_ISSUER=ib",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_1_CERTIFICATEFILEPATH=/b",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_0_NAME=a",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_0_ISSUER=i=a",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_0_CERTIFICATEFILEPATH=/a",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_0_ALGORITHMS=PS256, ES512",
        "CC_ENFORCER_SECURITY_TOKENSERVICE_0_AUDIENCES=x,y",
        NULL};
    const struct config_token_service *t;

    load_ok(f, NULL, environment);
    t = f->config->security.token_service;
    assert_int_equal(f->config->security.n_token_service, 2);
    assert_text(t[0].issuer, "i=a");
    assert_text(t[1].name, "b");
    assert_value(f->config, "enforcer.security.tokenService[0].algorithms", "[PS256, ES512]");
    assert_value(f->config, "enforcer.security.tokenService[0].audiences", "[x, y]");
    assert_origin(f->config, "enforcer.security.tokenService[0].audiences",
                  "environment CC_ENFORCER_SECURITY_TOKENSERVICE_0_AUDIENCES");
    assert_origin(f->config, "enforcer.security.tokenService[1].audiences", "default");
}

static void test_env_substitution(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {
        "PORT=8081", "HOST=api", "EMPTY=", "ON=yes", "PORTX=1", NULL};

    load_ok(f,
            "router:\n"
            "  listenerPort: $env{PORT}\n"
            "  systemHost: $env{HOST}.$env{HOST}-x\n"
            "  entrySocket: \"$env{EMPTY}\"\n"
            "  upstream: {tls: {disableSslVerification: \"$env{ON}\"}}\n"
            "agent: {socketGroup: '$ENV{x} $ {'}\n",
            environment);
    assert_int_equal(f->config->router.listener_port, 8081);
    assert_text(f->config->router.system_host, "api.api-x");
    assert_int_equal(f->config->router.entry_socket.n, 0);
    assert_text(f->config->agent.socket_group, "$ENV{x} $ {");
    assert_true(f->config->router.upstream.disable_ssl_verification);
}

static void test_unknown_names_have_no_value(void **state)
{
    struct config_fixture *f = *state;
    static const char *const names[] = {"router",
                                        "router.listenerport",
                                        "",
                                        "adapter.vhostMapping",
                                        "adapter.vhostMapping[].vhost",
                                        "adapter.vhostMapping[1].vhost",
                                        "adapter.vhostMapping[x].vhost",
                                        "adapter.vhostMapping[00].vhost",
                                        "adapter.vhostMapping[99999999999].vhost",
                                        "enforcer.security.tokenService[0].name"};
    struct buf b;

    load_ok(f, NULL, NULL);
    buf_init(&b, 64);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_false(config_value(f->config, names[i], &b));
        assert_false(config_origin(f->config, names[i], &b));
    }
    assert_int_equal(buf_slice(&b).n, 0);
    buf_free(&b);
}

static void test_one_listener_is_enough(void **state)
{
    static const char *const hosts[] = {"*", "localhost", "::", "[::]", "::1", "10.0.0.1"};
    struct config_fixture *f = *state;

    load_ok(f, "router: {listenerPort: 0}", NULL);
    load_ok(f, "router: {securedListenerPort: 0}", NULL);
    load_ok(f, "router: {listenerPort: 0, securedListenerPort: 0, entrySocket: /s}", NULL);
    load_ok(f,
            "router: {listenerPort: 1, listenerHost: 127.0.0.1, securedListenerPort: 1,"
            " securedListenerHost: 127.0.0.2}",
            NULL);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct slice yaml = arena_printf(f->arena, "router: {listenerHost: \"%s\"}", hosts[i]);

        load_ok(f, yaml.p, NULL);
        assert_text(f->config->router.listener_host, hosts[i]);
    }
}

/* What HAProxy logs to, and the name that it looks up for that. */
static void test_log_targets(void **state)
{
    static const char *const targets[][2] = {
        {"", ""},
        {"stdout", ""},
        {"stderr", ""},
        {"/dev/log", ""},
        {"ring@my-ring", ""},
        {"127.0.0.1", ""},
        {"127.0.0.1:514", ""},
        {"udp6@[::1]:514", ""},
        {"[::1]", ""},
        {"logs", "logs"},
        {"logs.example.com:514", "logs.example.com"},
        {"udp4@logs.example.com:514", "logs.example.com"},
    };
    struct config_fixture *f = *state;
    struct slice name;

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        load_ok(f,
                arena_printf(f->arena, "router: {haproxy: {logTarget: \"%s\"}}", targets[i][0]).p,
                NULL);
        assert_true(config_log_host(f->config->router.log_target, &name));
        assert_text(name, targets[i][1]);
    }
}

static void test_chroot(void **state)
{
    struct config_fixture *f = *state;

    load_ok(f,
            "router: {haproxy: {chroot: /var/lib/haproxy}}\n"
            "agent: {socket: /var/lib/haproxy/cc/spoa.sock}",
            NULL);
    load_ok(f,
            "router: {haproxy: {chroot: /var/lib/haproxy/}}\n"
            "agent: {socket: 127.0.0.1:9000}",
            NULL);
    load_ok(f, "router: {haproxy: {chroot: /}}", NULL);
}

static void test_out_of_arena(void **state)
{
    struct config_fixture *f = *state;

    for (size_t size = 0; size < 64 << 10; size += 512) {
        struct arena *small = arena_new(size);
        struct config *config = NULL;
        int rc = config_load(&config, NULL, NULL, NULL, 0, small, f->diag);

        assert_true(rc == CC_OK || rc == CC_ENOMEM);
        assert_int_equal(rc == CC_OK, config != NULL);
        arena_free(&small);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, config_fixture_setup, config_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_defaults_without_a_file),
        T(test_empty_sections_are_fine),
        T(test_sections_of_elements),
        T(test_properties),
        T(test_file),
        T(test_default_environment_is_always_there),
        T(test_relative_path_of_the_file),
        T(test_precedence),
        T(test_list_from_the_environment_alone),
        T(test_env_substitution),
        T(test_unknown_names_have_no_value),
        T(test_one_listener_is_enough),
        T(test_log_targets),
        T(test_chroot),
        T(test_out_of_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
