/* Rendered files before the real judge: `haproxy -c -dW`, where a warning is a failure too. */
#include "render_fixture.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char directory[] = "/tmp/cc-test-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory) == CC_OK ? 0 : -1;
}

static void write_files(const struct fixture *f)
{
    for (size_t i = 0; i < f->out.n_files; i++) {
        const struct render_file *file = &f->out.files[i];
        struct slice path = arena_printf(f->arena, "%s/%s", directory, file->name.p);
        struct slice parent = arena_dup(f->arena, path);

        *strrchr((char *)(uintptr_t)parent.p, '/') = '\0';
        assert_int_equal(file_mkdirs(parent.p, 0755), CC_OK);
        if (file->symlink_to == NULL) {
            assert_int_equal(file_write_atomic(path.p, file->text, 0644), CC_OK);
            continue;
        }
        unlink(path.p);
        assert_int_equal(symlink(file->symlink_to, path.p), 0);
    }
}

static int run(const char *const *argv)
{
    int status = -1;
    pid_t pid;

    assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, (char **)(uintptr_t)argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A certificate for the HTTPS listener; `openssl` is there wherever the library is tested. */
static void make_certificate(struct fixture *f)
{
    struct slice key = arena_printf(f->arena, "%s/tls.key", directory);
    struct slice cert = arena_printf(f->arena, "%s/tls.pem", directory);
    const char *const argv[] = {"openssl",  "req",      "-x509",    "-newkey", "ec",
                                "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch",
                                "-subj",    "/CN=test", "-keyout",  key.p,     "-out",
                                cert.p,     NULL};

    if (access(cert.p, R_OK) != 0)
        assert_int_equal(run(argv), 0);
    f->config.router.keystore.cert_path = cert;
    f->config.router.keystore.key_path = key;
}

/* Both ways to run it: beside a configuration that logs nowhere, and alone. */
static void expect_accepted(struct fixture *f)
{
    struct slice cc = arena_printf(f->arena, "%s/haproxy/cc.cfg", directory);
    struct slice alone = arena_printf(f->arena, "%s/haproxy/standalone.cfg", directory);
    const char *const beside_argv[] = {"haproxy", "-c", "-dW", "-f", cc.p, NULL};
    const char *const alone_argv[] = {"haproxy", "-c", "-dW", "-f", alone.p, "-f", cc.p, NULL};

    assert_int_equal(render_haproxy(&f->out, &f->model, &f->config, directory, NULL, f->arena,
                                    f->diag),
                     CC_OK);
    write_files(f);
    assert_int_equal(run(beside_argv), 0);
    assert_int_equal(run(alone_argv), 0);
}

static void small_model(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    make_certificate(&f);
    expect_accepted(&f);
    fixture_free(&f);
}

/* An API that needs certificates of its clients, and whatever cc.yaml can say about that. */
static void certificates_of_clients(void **state)
{
    static const struct gw_need need = {.kind = GW_CERTIFICATE, .name = SLICE_INIT("")};
    static const struct gw_requirement requirement = {.needs = &need, .n_needs = 1};
    static const struct gw_operation operation = {.requirements = &requirement,
                                                  .n_requirements = 1};
    static const struct gw_resource resource = {.operations = &operation, .n_operations = 1};
    static const struct gw_api api = {.resources = &resource, .n_resources = 1};
    static struct slice proxies[] = {SLICE_INIT("192.0.2.7"), SLICE_INIT("10.0.0.0/8"),
                                     SLICE_INIT("2001:db8::/32"), SLICE_INIT("::1")};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    make_certificate(&f);
    f.model.apis = &api;
    f.model.n_apis = 1;
    expect_accepted(&f);
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "/gateway.pem verify optional ca-file "));
    assert_true(fixture_has(&f, "haproxy/cc.cfg",
                            " no-ca-names crt-ignore-err all ca-ignore-err all alpn "));
    f.config.router.entry_socket = arena_printf(f.arena, "%s/e.sock", directory);
    f.config.security.mutual_ssl.trusted_proxies = proxies;
    f.config.security.mutual_ssl.n_trusted_proxies = 4;
    f.config.security.mutual_ssl.outbound = true;
    expect_accepted(&f);
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "    acl cc_trusted_proxy src 2001:db8::/32\n"));
    f.config.security.mutual_ssl.header = SLICE("!#$%&'*+-.^_`|~");
    expect_accepted(&f);
    f.config.security.mutual_ssl.enabled = false;
    expect_accepted(&f);
    assert_false(fixture_has(&f, "haproxy/cc.cfg", "verify optional ca-file /"));
    assert_false(fixture_has(&f, "haproxy/cc.cfg", "cert) ssl_c_der"));
    f.model.n_apis = 0; /* nobody needs them: nobody is asked, and still no header gets through */
    expect_accepted(&f);
    assert_false(fixture_has(&f, "haproxy/cc.cfg", "ccin.cert"));
    fixture_free(&f);
}

static void no_api_at_all(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.secured_listener_port = 0;
    f.model.n_clusters = 0;
    f.model.n_headers = 0;
    expect_accepted(&f);
    fixture_free(&f);
}

/* All but resolve_at_start, which makes HAProxy ask for names that only production knows. */
static void every_setting(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    make_certificate(&f);
    f.config.router.listener_host = SLICE("::1");
    f.config.router.entry_socket = arena_printf(f.arena, "%s/e.sock", directory);
    f.config.router.log_target = SLICE("127.0.0.1:514");
    f.config.router.request_headers_timeout_s = 10;
    f.config.router.idle_timeout_s = 0;
    f.config.router.upstream.route_timeout_s = UINT64_MAX;
    f.config.agent.socket = SLICE("[::1]:9999");
    expect_accepted(&f);
    f.config.router.upstream.disable_ssl_verification = true;
    f.config.router.log_target = arena_printf(f.arena, "%s/log.sock", directory);
    expect_accepted(&f);
    f.config.router.upstream.disable_ssl_verification = false;
    f.config.router.upstream.verify_host_name = false;
    f.config.router.upstream.ca_file = f.config.router.keystore.cert_path;
    f.config.router.upstream.keystore = f.config.router.keystore;
    f.config.router.upstream.tls.max_version = SLICE("TLS1_2");
    f.config.router.upstream.tls.ciphers =
        SLICE("ECDHE-RSA-AES128-GCM-SHA256, TLS_AES_128_GCM_SHA256");
    expect_accepted(&f);
    fixture_free(&f);
}

/* Characters that RFC 9110 5.6.2 allows in a field name and that mean something to HAProxy. */
static void odd_header_names(void **state)
{
    static const struct slice headers[] = {SLICE_INIT("!#$%&'*+-.^_`|~"), SLICE_INIT("'"),
                                           SLICE_INIT("#x"), SLICE_INIT("$home"),
                                           SLICE_INIT("%[src]")};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.secured_listener_port = 0;
    f.model.headers = headers;
    f.model.n_headers = sizeof(headers) / sizeof(headers[0]);
    expect_accepted(&f);
    fixture_free(&f);
}

static void many_clusters_and_headers(void **state)
{
    enum { CLUSTERS = 1000, HEADERS = GW_MAX_HEADERS };
    static struct gw_endpoint endpoints[CLUSTERS][2];
    static struct gw_cluster clusters[CLUSTERS];
    static struct slice headers[HEADERS];
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.secured_listener_port = 0;
    for (size_t i = 0; i < CLUSTERS; i++) {
        endpoints[i][0] = (struct gw_endpoint){
            .host = arena_printf(f.arena, "s%zu.example.com", i), .port = 443, .tls = true};
        endpoints[i][1] = (struct gw_endpoint){
            .host = arena_printf(f.arena, "10.0.%zu.%zu", i / 250, i % 250), .port = 80};
        clusters[i] = (struct gw_cluster){.name = arena_printf(f.arena, "cc_b_%012zx", i),
                                          .endpoints = endpoints[i],
                                          .n_endpoints = 2};
    }
    for (size_t i = 0; i < HEADERS; i++)
        headers[i] = arena_printf(f.arena, "x-header-%zu", i);
    f.model.clusters = clusters;
    f.model.n_clusters = CLUSTERS;
    f.model.headers = headers;
    f.model.n_headers = HEADERS;
    expect_accepted(&f);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_of_clients), cmocka_unit_test(small_model),
        cmocka_unit_test(no_api_at_all),           cmocka_unit_test(every_setting),
        cmocka_unit_test(odd_header_names),        cmocka_unit_test(many_clusters_and_headers),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
