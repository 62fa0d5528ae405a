/* What is wrong in cc.yaml or the environment is said with its place and what to do. */
#include "config_fixture.h"

struct mistake {
    const char *yaml;
    enum diag_code code;
    unsigned line;
    const char *message, *help; /* parts of them */
};

static const struct mistake mistakes[] = {
    {"router: {listnerPort: 1}", CC3001, 1, "no setting router.listnerPort",
     "did you mean router.listenerPort?"},
    {"router:\n  ListenerPort: 1\n", CC3001, 2, "no setting router.ListenerPort",
     "did you mean router.listenerPort?"},
    {"listenerPort: 1", CC3001, 1, "no setting listenerPort", "did you mean router.listenerPort?"},
    {"rooter: {}", CC3001, 1, "no setting rooter", "did you mean router?"},
    {"router: {upstreem: {}}", CC3001, 1, "no setting router.upstreem",
     "did you mean router.upstream?"},
    {"qqqqqqqq: 1", CC3001, 1, "no setting qqqqqqqq", "help settings"},
    {"router.listenerPort: 1", CC3001, 1, "no setting router.listenerPort", "not joined"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, certificateFilePath: c,"
     " audience: x}]}}",
     CC3001, 1, "tokenService[].audience",
     "did you mean enforcer.security.tokenService[].audiences?"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, introspection: {uri: x}}]}}",
     CC3001, 1, "tokenService[].introspection.uri", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, introspection: x}]}}", CC3002, 1,
     "introspection is text, expected a mapping", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, introspection.url: x}]}}", CC3001,
     1, "introspection.url", ""},
    {"controlPlane: {enabled: true}", CC3001, 1, "does not have the setting controlPlane",
     "control plane"},
    {"enforcer:\n  throttling:\n    publisher: {username: x}\n", CC3001, 3,
     "does not have the setting enforcer.throttling.publisher", "traffic manager"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b,"
     " claimMapping: [{remoteClaim: x}]}]}}",
     CC3007, 1, "localClaim of enforcer.security.tokenService[0].claimMapping is missing", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b,"
     " claimMapping: [{remoteClaim: x, locale: y}]}]}}",
     CC3001, 1, "claimMapping has no locale", "remoteClaim and localClaim"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b,"
     " claimMapping: [{remoteClaim: x, localClaim: [y]}]}]}}",
     CC3002, 1, "claimMapping is a list", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b,"
     " claimMapping: [{remoteClaim: x=y, localClaim: z}]}]}}",
     CC3003, 1, "claimMapping is 'x=y=z', expected a list of {remoteClaim", "called otherwise"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, claimMapping: [x]}]}}", CC3003, 1,
     "claimMapping is 'x', expected a list of {remoteClaim", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, claimMapping: x=y}]}}", CC3002, 1,
     "claimMapping is text, expected a list of {remoteClaim", ""},
    {"enforcer: {security: {jwks: {minimumAgeInSeconds: 901}}}", CC3025, 1,
     "minimumAgeInSeconds is 901, above maximumAgeInSeconds, 900", ""},
    {"router: {listenerPort: x}", CC3002, 1, "router.listenerPort is text, expected a whole number",
     ""},
    {"router: {listenerPort: \"80\"}", CC3002, 1, "router.listenerPort is text",
     "remove the quotes"},
    {"router: {listenerPort: 65536}", CC3003, 1,
     "router.listenerPort is '65536', expected a whole number (port), 0 to 65535", "0 = no such"},
    {"router: {listenerPort: -1}", CC3003, 1, "router.listenerPort is '-1'", ""},
    {"router: {listenerPort: 0x50}", CC3003, 1, "router.listenerPort is '0x50'", ""},
    {"router: {listenerPort: 1.5}", CC3002, 1, "router.listenerPort is a number", ""},
    {"router: {listenerPort: [1]}", CC3002, 1, "router.listenerPort is a list", ""},
    {"router: {listenerPort: }", CC3002, 1, "router.listenerPort is empty (null)",
     "remove the line for the default, 9090"},
    {"router: {listenerHost: yes}", CC3002, 1, "router.listenerHost is true or false", "\"yes\""},
    {"router: {listenerHost: \"\"}", CC3003, 1, "router.listenerHost is ''", ""},
    {"router: {listenerHost: \"a b\"}", CC3003, 1, "router.listenerHost is 'a b'", ""},
    {"router: {listenerHost: 999.1.1.1}", CC3003, 1, "expected an address of this machine", "IPv4"},
    {"router:\n  listenerHost: gw.example.com\n", CC3003, 2,
     "'gw.example.com', expected an address", "localhost"},
    {"router: {securedListenerHost: \"[::1\"}", CC3003, 1, "router.securedListenerHost is '[::1'",
     ""},
    {"router: {haproxy: {logTarget: \"a\\nb\"}}", CC3003, 1, "router.haproxy.logTarget", ""},
    {"router:\n  haproxy:\n    logTarget: 127.0.0.1:65536\n", CC3003, 3,
     "nothing that HAProxy logs to", "HOST:PORT"},
    {"router: {haproxy: {logTarget: a b}}", CC3003, 1, "nothing that HAProxy logs to", "stdout"},
    {"router: {haproxy: {logTarget: log/sock}}", CC3003, 1, "nothing that HAProxy logs to",
     "absolute path"},
    {"router: {haproxy: {logTarget: \"::1:514\"}}", CC3003, 1, "nothing that HAProxy logs to",
     "brackets"},
    {"router: {haproxy: {logTarget: \"ring@\"}}", CC3003, 1, "nothing that HAProxy logs to",
     "ring"},
    {"router: {haproxy: {logTarget: 999.1.1.1}}", CC3003, 1, "nothing that HAProxy logs to", ""},
    {"router: {connection: {timeouts: {requestHeadersTimeoutInSeconds: 0}}}", CC3003, 1,
     "requestHeadersTimeoutInSeconds is '0'", "cannot be turned off"},
    {"router: {upstream: {tls: {verifyHostName: \"true\"}}}", CC3002, 1,
     "verifyHostName is text, expected true or false", "remove the quotes"},
    {"router: {upstream: {tls: {verifyHostName: 1}}}", CC3002, 1,
     "verifyHostName is a whole number", ""},
    {"router: {entrySocket: run/x}", CC3003, 1, "router.entrySocket is 'run/x', expected absolute",
     ""},
    {"router: 5", CC3002, 1, "router is a whole number, expected a mapping", ""},
    {"- a", CC3002, 1, "the document is a list, expected a mapping", ""},
    {"adapter: {vhostMapping: {environment: x}}", CC3002, 1,
     "adapter.vhostMapping is a mapping, expected a list", ""},
    {"adapter: {vhostMapping: [x]}", CC3002, 1, "adapter.vhostMapping is text, expected a list",
     ""},
    {"adapter: {vhostMapping: [{environment: a, vhost: b}, {environment: a, vhost: c}]}", CC3005, 1,
     "the environment 'a' twice", ""},
    {"enforcer: {security: {leewayInSeconds: 301}}", CC3003, 1, "leewayInSeconds is '301'", ""},
    {"enforcer: {security: {authHeader: {authorizationHeader: \"x y\"}}}", CC3003, 1,
     "authorizationHeader is 'x y'", ""},
    {"enforcer:\n  security:\n    tokenService:\n    - {name: a, certificateFilePath: c}\n", CC3007,
     4, "enforcer.security.tokenService[0].issuer is missing", "iss claim"},
    {"enforcer: {security: {tokenService: [{name: a, signs: [api_key, access_token]}]}}", CC3007, 1,
     "enforcer.security.tokenService[0].issuer is missing", "signs: [api_key]"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, signs: [api_keys]}]}}", CC3003, 1,
     "enforcer.security.tokenService[0].signs", "internal keys"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: [], certificateFilePath: c}]}}",
     CC3002, 1, "enforcer.security.tokenService[0].issuer is a list", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, certificateFilePath: c,"
     " algorithms: [RS256, none]}]}}",
     CC3003, 1, "algorithms is 'none', expected a list of RS256", "never chooses"},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, certificateFilePath: c,"
     " algorithms: []}]}}",
     CC3003, 1, "algorithms is '[]'", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, certificateFilePath: c,"
     " algorithms: RS256}]}}",
     CC3002, 1, "algorithms is text, expected a list", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, certificateFilePath: c,"
     " audiences: [[]]}]}}",
     CC3002, 1, "audiences is a list, expected a list of text, each", ""},
    {"enforcer: {security: {tokenService: [{name: a, issuer: b, certificateFilePath: c},"
     " {name: a, issuer: d, certificateFilePath: c}]}}",
     CC3005, 1, "the name 'a' twice", ""},
    {"agent: {socket: spoa.sock}", CC3003, 1, "agent.socket is 'spoa.sock'", ""},
    {"agent: {socket: \"host:0\"}", CC3003, 1, "agent.socket is 'host:0'", ""},
    {"agent: {socketMode: 0680}", CC3003, 1, "agent.socketMode is '0680'", ""},
    {"agent: {socketMode: rw}", CC3002, 1, "agent.socketMode is 'rw'", ""},
    {"agent: {socketMode: \"1777\"}", CC3003, 1, "agent.socketMode is '1777'", ""},
    {"agent: {logLevel: verbose}", CC3003, 1, "agent.logLevel is 'verbose', expected one of error",
     ""},
    {"router: {systemHost: \"$env{NOT_SET}\"}", CC3004, 1, "NOT_SET is not set", ""},
    {"router: {systemHost: \"$env{NOT\"}", CC3004, 1, "$env{ without", "write $env{NAME}"},
    {"router: {systemHost: \"$env{}\"}", CC3004, 1, "$env{ without", "write $env{NAME}"},
    {"router: {systemHost: \"*.example.com\"}", CC3003, 1, "systemHost is '*.example.com'",
     "any host"},
    {"router: {systemHost: a.}", CC3003, 1, "expected one host", "final dot"},
    {"router: {systemHost: a..b}", CC3003, 1, "expected one host", ""},
    {"router: {systemHost: \"a:80\"}", CC3003, 1, "expected one host", ""},
    {"router: {systemHost: \"[::1]\"}", CC3003, 1, "expected one host", "brackets"},
    {"router: {systemHost: \"0::1\"}", CC3003, 1, "expected one host", "shortest"},
    {"router:\n  listenerPort: 0\n  securedListenerPort: 0\n", CC3005, 3, "are both 0",
     "one of them"},
    {"enforcer: {throttling: {shared: {mode: async}}}", CC3005, 1, "no agent.redis.address",
     "through Redis"},
    {"router: {listenerPort: 9095}", CC3005, 1, "are both 9095", "different ports"},
    {"router: {listenerPort: 1, listenerHost: 127.0.0.1, securedListenerPort: 1}", CC3005, 1,
     "are both 1", ""},
    {"router:\n  downstream:\n    tls: {minimumProtocolVersion: TLS1_3, maximumProtocolVersion: "
     "TLS1_2}",
     CC3005, 3, "minimumProtocolVersion is later than", ""},
    {"router: {downstream: {tls: {minimumProtocolVersion: TLS1_1}}}", CC3003, 1,
     "'TLS1_1', expected one of TLS1_2, TLS1_3", "RFC 8996"},
    {"router:\n  upstream:\n    tls:\n      minimumProtocolVersion: TLS1_3\n"
     "      maximumProtocolVersion: TLS1_2",
     CC3005, 4, "minimumProtocolVersion is later than", ""},
    {"router: {upstream: {tls: {minimumProtocolVersion: TLS1_1}}}", CC3003, 1,
     "'TLS1_1', expected one of TLS1_2, TLS1_3", "RFC 8996"},
    {"router: {upstream: {tls: {maximumProtocolVersion: TLS1_4}}}", CC3003, 1,
     "'TLS1_4', expected one of TLS1_2, TLS1_3", ""},
    {"router: {upstream: {tls: {certPath: x}}}", CC3005, 1,
     "certPath is set and router.upstream.tls.keyPath is not", "its key"},
    {"router: {upstream: {tls: {keyPath: x}}}", CC3005, 1,
     "keyPath is set and router.upstream.tls.certPath is not", "its key"},
    {"enforcer: {security: {mutualSSL: {trustedProxies: [10.0.0.0/8, 10.0.0.0/33]}}}", CC3003, 1,
     "'10.0.0.0/33', expected an address", "192.0.2.7"},
    {"enforcer: {security: {mutualSSL: {trustedProxies: [\"::/0\"]}}}", CC3003, 1, "'::/0'",
     "anybody could claim"},
    {"enforcer: {security: {mutualSSL: {trustedProxies: [proxy.example.com]}}}", CC3003, 1,
     "'proxy.example.com', expected an address", ""},
    {"enforcer: {security: {mutualSSL: {trustedProxies: [\"2001:db8::/64x\"]}}}", CC3003, 1,
     "expected an address", ""},
    {"router:\n  trustedProxies:\n    - 10.0.0.0/8\n    - 10.0.0.0/33", CC3003, 3,
     "router.trustedProxies has '10.0.0.0/33', expected an address", "2001:db8::/64"},
    {"router: {trustedProxies: [\"2001:db8::/129\"]}", CC3003, 1, "'2001:db8::/129'", "192.0.2.7"},
    {"router: {trustedProxies: [proxy.example.com]}", CC3003, 1, "'proxy.example.com'", ""},
    {"enforcer: {security: {mutualSSL: {certificateHeader: Authorization}}}", CC3003, 1,
     "'authorization', which cannot hold", "X-SSL-Cert"},
    {"enforcer: {security: {mutualSSL: {certificateHeader: x-cc-cert}}}", CC3003, 1,
     "'x-cc-cert', which cannot hold", ""},
    {"enforcer: {security: {mutualSSL: {clientCertificateEncode: true}}}", CC3001, 1,
     "does not have the setting", "seen by itself"},
    {"router: {downstream: {tls: {mTLSAPIsEnabled: true}}}", CC3001, 1, "does not have the setting",
     "as soon as an API needs one"},
    {"enforcer: {jwtGenerator: {claimsExtractorImpl: a.B}}", CC3001, 1, "does not have the setting",
     "from the token alone"},
    {"enforcer: {cache: {expiryTime: 15m}}", CC3001, 1, "does not have the setting",
     "remembered until it expires"},
    {"router: {useRemoteAddress: false}", CC3001, 1, "does not have the setting", "PROXY protocol"},
    {"router: {connectionTimeout: {requestTimeoutInSeconds: 1}}", CC3001, 1,
     "does not have the setting", "router.connection.timeouts"},
    {"router: {upstream: {http2: {hpackTableSize: 1}}}", CC3001, 1, "does not have the setting",
     "tune.h2"},
    {"router: {filters: {compression: {library: gzip}}}", CC3001, 1, "does not have the setting",
     "gzip"},
    {"accessLogs: {enable: true}", CC3001, 1, "does not have the setting accessLogs", "logTarget"},
    {"router:\n  keystore:\n    certPath: x\n", CC3005, 3,
     "certPath is set and router.keystore.keyPath", "needs both"},
    {"router:\n  keystore:\n    keyPath: x\n", CC3005, 3,
     "keyPath is set and router.keystore.certPath", "needs both"},
    {"enforcer: {throttling: {shared: {mode: strict}}}", CC3005, 1, "is strict and there is no",
     "through Redis"},
    {"agent: {redis: {address: /s}}\n"
     "enforcer: {throttling: {shared: {mode: strict, deadlineInMillis: 167}}}",
     CC3005, 2, "deadlineInMillis is 167, more than five sixths", "longer than 166 ms"},
    {"agent: {redis: {servers: [\"a:1\"]}}", CC3005, 1, "not a place of this machine", "127.0.0.1"},
    {"agent: {redis: {address: \"b:1\", servers: [\"a:1\"]}}", CC3005, 1,
     "not a place of this machine", "unix socket"},
    {"agent: {redis: {address: /s, servers: [\"rediss://a:1\"]}}", CC3003, 1,
     "has 'rediss://a:1', which is not host:port", "no scheme"},
    {"agent: {redis: {address: /s, servers: [\"[::1]:0\"]}}", CC3003, 1, "which is not host:port",
     ""},
    {"agent: {redis: {address: \"127.0.0.1:1\", servers: [\"10.0.0.1:1\"]}}", CC3005, 1,
     "cannot find the address 10.0.0.1 in a certificate", "agent.redis.serverName"},
    {"agent: {redis: {address: /s, servers: [\"a:1\", \"a:2\", \"a:3\", \"a:4\", \"a:5\","
     " \"a:6\", \"a:7\", \"a:8\", \"a:9\"]}}",
     CC3003, 1, "has 9 servers; there can be 8", ""},
    {"agent:\n  redis:\n    address: /s\n    servers: [\"a:1\"]\n    certPath: c\n", CC3005, 5,
     "agent.redis.certPath is set and agent.redis.keyPath is not", "its key"},
    {"agent:\n  redis:\n    address: /s\n    servers: [\"a:1\"]\n    keyPath: k\n", CC3005, 5,
     "agent.redis.keyPath is set and agent.redis.certPath is not", "its key"},
    {"agent:\n  redis:\n    address: /s\n    certPath: c\n    keyPath: k\n", CC3005, 4,
     "agent.redis.certPath is set and there are no agent.redis.servers", "in TLS"},
    {"router: {haproxy: {chroot: /var/lib/haproxy}}", CC3005, 1, "not inside of",
     "below the chroot"},
    {"router: {haproxy: {chroot: /c}}\nagent: {socket: /c/../s}", CC3005, 2, "not inside of", ""},
    {"router: {haproxy: {chroot: /c}}\nagent: {socket: /cc/s}", CC3005, 2, "not inside of", ""},
    {"router: {listenerPort: 1, listenerPort: 2}", CC1003, 1, "appears twice", ""},
    {"router: [1", CC1002, 1, "never closed", ""},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct mistake *m = &mistakes[i];
        struct config_fixture *f;
        void *one;

        assert_int_equal(config_fixture_setup(&one), 0);
        f = one;
        if (load(f, m->yaml, NULL) != CC_EINVAL)
            fail_msg("taken: %s", m->yaml);
        assert_non_null(f->config); /* to look for more faults with */
        assert_finding(f->diag, 0, m->code, m->line, m->message, m->help);
        if (diag_errors(f->diag) != 1) {
            diag_print(f->diag, stderr, false);
            fail_msg("%zu findings for: %s", diag_errors(f->diag), m->yaml);
        }
        config_fixture_teardown(&one);
    }
}

static void test_all_findings_at_once(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {"CC_ROUTER_X=1", NULL};

    assert_int_equal(load(f,
                          "router:\n  listenerPort: x\n  foo: 1\nagent:\n  socket: s\n"
                          "enforcer: {security: {tokenService: [{name: a}]}}\n",
                          environment),
                     CC_EINVAL);
    assert_int_equal(diag_errors(f->diag), 5);
    assert_finding(f->diag, 0, CC3002, 2, "router.listenerPort", "");
    assert_finding(f->diag, 1, CC3001, 3, "router.foo", "");
    assert_finding(f->diag, 2, CC3003, 5, "agent.socket", "");
    assert_finding(f->diag, 3, CC3001, 0, "names no setting", "");
    assert_finding(f->diag, 4, CC3007, 6, "issuer is missing", "");
}

static void test_environment(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {"CC_ROUTER_LISTNERPORT=1",
                                       "CC_ROUTER_LISTENERPORT=no",
                                       "CC_ENFORCER_THROTTLING_PUBLISHER_USERNAME=x",
                                       "CC_ADAPTER_VHOSTMAPPING_7_VHOST=x",
                                       "CC_AGENT_SOCKET=",
                                       "CC_ADAPTER_CONSUL_URL=x",
                                       "CC_ROUTER_=x",
                                       "CC_AGENT_WORKERS",
                                       NULL};
    struct diag_view v;

    assert_int_equal(load(f, NULL, environment), CC_EINVAL);
    assert_int_equal(diag_errors(f->diag), 7);
    assert_finding(f->diag, 0, CC3001, 0, "names no setting",
                   "did you mean CC_ROUTER_LISTENERPORT?");
    assert_finding(f->diag, 1, CC3002, 0, "router.listenerPort is 'no'", "");
    assert_finding(f->diag, 2, CC3001, 0, "does not have the setting enforcer.throttling", "");
    assert_finding(f->diag, 3, CC3001, 0, "adapter.vhostMapping has 1 elements", "from 0");
    assert_finding(f->diag, 4, CC3003, 0, "agent.socket is ''", "");
    assert_finding(f->diag, 5, CC3001, 0, "does not have the setting adapter.consul", "Consul");
    assert_finding(f->diag, 6, CC3001, 0, "names no setting", "");
    assert_true(diag_get(f->diag, 0, &v));
    assert_string_equal(v.place.source->name, "CC_ROUTER_LISTNERPORT");
}

static void test_overrides(void **state)
{
    struct config_fixture *f = *state;
    const struct config_override overrides[] = {
        {SLICE_INIT("router.listnerPort"), SLICE_INIT("1")},
        {SLICE_INIT("agent.workers"), SLICE_INIT("65")},
        {SLICE_INIT("controlPlane.enabled"), SLICE_INIT("true")},
    };
    struct diag_view v;

    assert_int_equal(config_load(&f->config, NULL, NULL, overrides, 3, f->arena, f->diag),
                     CC_EINVAL);
    assert_int_equal(diag_errors(f->diag), 3);
    assert_finding(f->diag, 0, CC3001, 0, "no such setting", "did you mean router.listenerPort?");
    assert_finding(f->diag, 1, CC3003, 0, "agent.workers is '65'", "");
    assert_finding(f->diag, 2, CC3001, 0, "does not have the setting controlPlane", "");
    assert_true(diag_get(f->diag, 1, &v));
    assert_string_equal(v.place.source->name, "--set agent.workers");
}

static void test_no_file(void **state)
{
    struct config_fixture *f = *state;
    const char *const environment[] = {"CC_ROUTER_X=1", NULL};

    assert_int_equal(
        config_load(&f->config, f->path, environ_of(environment), NULL, 0, f->arena, f->diag),
        CC_EINVAL);
    assert_int_equal(diag_errors(f->diag), 2);
    assert_finding(f->diag, 0, CC1001, 0, "no such file", "");
    assert_finding(f->diag, 1, CC3001, 0, "names no setting", "");
}

static void test_too_many_elements(void **state)
{
    struct config_fixture *f = *state;
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_add_str(&b, "adapter:\n  vhostMapping:\n");
    for (unsigned i = 0; i < 65; i++)
        buf_printf(&b, "    - {environment: e%u, vhost: h}\n", i);
    assert_int_equal(load(f, buf_slice(&b).p, NULL), CC_EINVAL);
    assert_finding(f->diag, 0, CC3003, 67, "more than 64 elements", "");
    buf_free(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, config_fixture_setup, config_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        T(test_all_findings_at_once),
        T(test_environment),
        T(test_overrides),
        T(test_no_file),
        T(test_too_many_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
