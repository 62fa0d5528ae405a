/* Every setting of router, adapter, and HAProxy's way to Redis does something: another value of it
 * makes another HAProxy configuration when it says that HAProxy needs a reload, and another build
 * at least. The rows come from the table, so that a new one without effect fails here. */
#include "config/settings.h"
#include "gateway/snapshot.h"
#include "generator/project.h"
#include "generator/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARENA_BYTES = 256 << 20, MAX_OVERRIDES = 32 };

/* What was made with some settings. */
struct outcome {
    int rc;
    struct slice haproxy, snapshot;
};

static char directory[] = "/tmp/test_settings.XXXXXX";

/* A project that asks for more than each limit allows, and leaves to settings what it may. */
static const char api[] =
    "type: api\nversion: v4.0.0\n"
    "data: {name: Pets, type: HTTP, context: /pets, version: '1', endpointConfig: {"
    "production_endpoints: {url: 'https://pets.example.com/v1'}}}\n";
static const char document[] =
    "openapi: 3.0.1\ninfo: {title: Pets, version: '1'}\n"
    "x-wso2-production-endpoints:\n"
    "  urls: ['https://pets.example.com/v1']\n"
    "  advanceEndpointConfig: {timeoutInMillis: 86400000, retryConfig: {count: 100},\n"
    "                          healthCheck: {path: /up}}\n"
    "paths: {/pets: {get: {x-wso2-disable-security: true}}}\n";
static const char deployments[] =
    "type: deployment_environments\nversion: v4.0.0\n"
    "data: [{deploymentEnvironment: Default}, {deploymentEnvironment: Staging}]\n";

/* Settings that only show beside others. */
static const struct config_override context[] = {
    {SLICE_INIT("adapter.vhostMapping[0].environment"), SLICE_INIT("Staging")},
    {SLICE_INIT("adapter.vhostMapping[0].vhost"), SLICE_INIT("stage.example.com")},
    {SLICE_INIT("router.keystore.keyPath"), SLICE_INIT("/etc/cc/key.pem")},
    {SLICE_INIT("router.keystore.certPath"), SLICE_INIT("/etc/cc/cert.pem")},
    {SLICE_INIT("router.upstream.tls.keyPath"), SLICE_INIT("/etc/cc/client.key")},
    {SLICE_INIT("router.upstream.tls.certPath"), SLICE_INIT("/etc/cc/client.pem")},
    {SLICE_INIT("router.filters.compression.enabled"), SLICE_INIT("true")},
    {SLICE_INIT("agent.socket"), SLICE_INIT("/run/cc/x/spoa.sock")},
    {SLICE_INIT("agent.redis.address"), SLICE_INIT("/run/cc/x/redis.sock")},
    {SLICE_INIT("agent.redis.servers"), SLICE_INIT("redis.example.com:6379")},
    {SLICE_INIT("agent.redis.certPath"), SLICE_INIT("/etc/cc/redis.pem")},
    {SLICE_INIT("agent.redis.keyPath"), SLICE_INIT("/etc/cc/redis.key")},
};

/* Values where the kind of a setting does not tell one. */
static const struct {
    const char *name, *value;
} values[] = {
    {"router.listenerHost", "127.0.0.9"},
    {"router.securedListenerHost", "127.0.0.9"},
    {"router.downstream.tls.ciphers", "ECDHE-RSA-AES128-GCM-SHA256, TLS_AES_128_GCM_SHA256"},
    {"router.upstream.tls.ciphers", "ECDHE-RSA-AES128-GCM-SHA256, TLS_AES_128_GCM_SHA256"},
    {"router.cors.allowOrigins", "https://other.example"},
    {"router.trustedProxies", "192.0.2.0/24"},
    {"router.haproxy.chroot", "/run/cc"},
    {"router.haproxy.logTarget", "stdout"},
    {"router.filters.compression.enabled", "false"}, /* it is on in the context */
    {"agent.redis.servers", "other.example.com:6379"},
};

static void put(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(file_write_atomic(path, slice_of(text), 0600), CC_OK);
}

static int make_project(void **state)
{
    char definitions[128];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(definitions, sizeof(definitions), "%s/Definitions", directory);
    assert_int_equal(file_mkdirs(definitions, 0700), CC_OK);
    put("api.yaml", api);
    put("Definitions/swagger.yaml", document);
    put("deployment_environments.yaml", deployments);
    return 0;
}

static int remove_project(void **state)
{
    (void)state;
    return file_remove_tree(directory) == CC_OK ? 0 : -1;
}

/* The first of "a, b, c" that is not `def`. */
static struct slice other_choice(const char *choices, struct slice def)
{
    struct slice rest = slice_of(choices), part;

    while (slice_split(&rest, ',', &part))
        if (!slice_contains(def, slice_trim(part)))
            return slice_trim(part);
    fail_msg("no other choice than '%" PRIslice "'", SLICE_ARG(def));
    return SLICE_NONE;
}

static struct slice other_value(int setting, const struct config_setting *row, struct arena *arena)
{
    const struct setting *s = &settings[setting];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (strcmp(values[i].name, row->name) == 0)
            return slice_of(values[i].value);
    switch (s->kind) {
    case KIND_BOOL:
        return strcmp(row->def, "true") == 0 ? SLICE("false") : SLICE("true");
    case KIND_WORD:
    case KIND_WORDS:
        return other_choice(s->choices, slice_of(row->def));
    case KIND_PATH:
    case KIND_SOCKET_PATH:
    case KIND_SOCKET:
        return SLICE("/run/cc/x/other");
    case KIND_TEXT:
    case KIND_HOST:
    case KIND_TEXTS:
        return SLICE("other");
    default:
        return arena_printf(arena, "%llu", (unsigned long long)s->max - 1);
    }
}

static struct slice all_files(const struct render_output *out, struct arena *arena)
{
    struct slice text = SLICE("");

    for (size_t i = 0; i < out->n_files; i++) {
        const struct render_file *f = &out->files[i];

        text = arena_printf(arena, "%" PRIslice "== %" PRIslice "\n%" PRIslice, SLICE_ARG(text),
                            SLICE_ARG(f->name),
                            SLICE_ARG(f->symlink_to != NULL ? slice_of(f->symlink_to) : f->text));
    }
    assert_non_null(text.p);
    return text;
}

/* Builds with the context and one more setting (name.n == 0: none). */
static struct outcome make(struct slice name, struct slice value, struct arena *arena)
{
    enum { N = sizeof(context) / sizeof(context[0]) };
    struct config_override overrides[N + 1];
    struct project_options options = {0};
    const char *project = directory;
    struct diag *diag = diag_new();
    struct outcome o = {0};
    struct config *config;
    struct render_output out;
    struct gw_model *model;
    struct buf snapshot;

    memcpy(overrides, context, sizeof(context));
    overrides[N] = (struct config_override){name, value};
    o.rc = config_load(&config, NULL, NULL, overrides, name.n > 0 ? N + 1 : N, arena, diag);
    if (o.rc != CC_OK) {
        diag_print(diag, stderr, false);
        fail_msg("%" PRIslice "=%" PRIslice " is refused", SLICE_ARG(name), SLICE_ARG(value));
    }
    o.rc = project_build_model(&model, &project, 1, config, &options, arena, diag);
    if (o.rc == CC_OK && diag_errors(diag) > 0)
        o.rc = CC_EINVAL;
    if (o.rc != CC_OK)
        goto out;
    model->generation = 1;
    model->haproxy_generation = 1;
    assert_int_equal(render_haproxy(&out, model, config, "/gw/1", NULL, arena, diag), CC_OK);
    o.haproxy = all_files(&out, arena);
    buf_init(&snapshot, GW_SNAPSHOT_MAX_BYTES);
    assert_int_equal(gw_snapshot_write(model, &snapshot), CC_OK);
    o.snapshot = arena_dup(arena, buf_slice(&snapshot));
    buf_free(&snapshot);
out:
    diag_free(&diag);
    return o;
}

static void every_setting_has_an_effect(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES), *work = arena_new(ARENA_BYTES);
    struct outcome plain = make(SLICE_NONE, SLICE_NONE, arena);
    size_t n, tried = 0;
    const struct config_setting *rows = config_settings(&n);

    (void)state;
    assert_int_equal(plain.rc, CC_OK);
    for (size_t i = 0; i < n; i++) {
        bool reload = strstr(rows[i].change, "reload HAProxy") != NULL;
        char room[SETTINGS_NAME_MAX];
        struct outcome o;
        struct buf name;

        if (strncmp(rows[i].name, "router.", 7) != 0 && strncmp(rows[i].name, "adapter.", 8) != 0 &&
            !(reload && strncmp(rows[i].name, "agent.redis.", 12) == 0))
            continue;
        assert_non_null(strstr(rows[i].change, "cc-gen build"));
        buf_init_fixed(&name, room, sizeof(room));
        settings_title((int)i, 0, &name);
        o = make(buf_slice(&name), other_value((int)i, &rows[i], work), work);
        if (reload && slice_eq(o.haproxy, plain.haproxy))
            fail_msg("%s does not change HAProxy's configuration", rows[i].name);
        if (o.rc == plain.rc && slice_eq(o.haproxy, plain.haproxy) &&
            slice_eq(o.snapshot, plain.snapshot))
            fail_msg("%s changes nothing", rows[i].name);
        arena_reset(work);
        tried++;
    }
    assert_true(tried > 40);
    arena_free(&work);
    arena_free(&arena);
}

/* What stands where, for those that HAProxy must be told in other words. */
static void expect_line(const char *name, const char *value, const char *line)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct outcome o = make(slice_of(name), slice_of(value), arena);

    if (!slice_contains(o.haproxy, slice_of(line)))
        fail_msg("%s=%s does not make '%s' of %" PRIslice, name, value, line, SLICE_ARG(o.haproxy));
    arena_free(&arena);
}

static void lines_of_settings(void **state)
{
    static const char *const lines[][3] = {
        {"router.listenerCodecType", "AUTO", "    bind 0.0.0.0:9090\n"},
        {"router.listenerCodecType", "AUTO", " alpn h2,http/1.1 ssl-min-ver TLSv1.2 "},
        {"router.listenerCodecType", "HTTP1", "    bind 0.0.0.0:9090 proto h1\n"},
        {"router.listenerCodecType", "HTTP1", " alpn http/1.1 proto h1 "},
        {"router.listenerCodecType", "HTTP2", "    bind 0.0.0.0:9090 proto h2\n"},
        {"router.listenerCodecType", "HTTP2", " alpn h2 proto h2 "},
        {"router.trustedProxies", "10.0.0.0/8,2001:db8::/32", "10.0.0.0/8\n2001:db8::/32\n"},
        {"router.trustedProxies", "10.0.0.0/8",
         " if { src -f /gw/1/haproxy/trusted-proxies.lst } { req.hdr(x-forwarded-for,-1) -m reg "},
        {"router.trustedProxies", "10.0.0.0/8",
         " if { var(txn.ccin.hop7) -m ip -f /gw/1/haproxy/trusted-proxies.lst } "},
        {"router.downstream.tls.minimumProtocolVersion", "TLS1_3", " ssl-min-ver TLSv1.3 "},
        {"router.downstream.tls.maximumProtocolVersion", "TLS1_2", " ssl-max-ver TLSv1.2\n"},
        {"router.downstream.tls.ciphers",
         "TLS_AES_128_GCM_SHA256, ECDHE-RSA-AES128-GCM-SHA256,ECDHE-ECDSA-AES128-GCM-SHA256",
         " ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256 ciphersuites "
         "TLS_AES_128_GCM_SHA256\n"},
        {"router.upstream.tls.minimumProtocolVersion", "TLS1_3",
         "    default-server ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3 crt "
         "/gw/1/haproxy/certs/client.pem\n"},
        {"router.upstream.tls.maximumProtocolVersion", "TLS1_2",
         " ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2 crt"},
        {"router.upstream.tls.ciphers",
         "TLS_AES_256_GCM_SHA384, ECDHE-RSA-AES256-GCM-SHA384,ECDHE-ECDSA-AES256-GCM-SHA384",
         " ciphers ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384 ciphersuites "
         "TLS_AES_256_GCM_SHA384 crt"},
        {"agent.redis.trustedCertPath", "/ca.pem",
         "    default-server ssl verify required ca-file /ca.pem ssl-min-ver TLSv1.2 ssl-max-ver "
         "TLSv1.3 crt /gw/1/haproxy/certs/redis.pem\n"},
        {"agent.redis.keyPath", "/r.key", "== haproxy/certs/redis.pem\n/etc/cc/redis.pem=="},
        {"agent.redis.keyPath", "/r.key", "== haproxy/certs/redis.pem.key\n/r.key"},
        {"router.connection.timeouts.streamIdleTimeoutInSeconds", "7", "    timeout client 7s\n"},
        {"router.connection.timeouts.idleTimeoutInSeconds", "7",
         "    timeout client 300s\n    timeout http-keep-alive 7s\n"},
        {"router.upstream.dns.dNSRefreshRate", "1500", "    hold valid 1500ms\n"},
        {"router.perConnectionBufferLimitBytes", "65536", "    tune.bufsize 65536\n"},
        {"router.filters.compression.responseDirection.contentType", "text/html,a/b",
         "    compression type text/html a/b\n"},
        {"router.filters.compression.responseDirection.minimumContentLength", "99",
         "    compression minsize-res 99\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        expect_line(lines[i][0], lines[i][1], lines[i][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_has_an_effect),
        cmocka_unit_test(lines_of_settings),
    };

    return cmocka_run_group_tests_name("settings of the router", tests, make_project,
                                       remove_project);
}
