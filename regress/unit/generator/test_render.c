/* Unit tests of render: what the templates make of a model, compared with regress/unit/generator/
 * golden/ byte for byte. After a wanted change: UPDATE_GOLDEN=1 build/san/unit/generator/test_render
 * writes the files anew; review the difference before it is committed. */
#include "render_fixture.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* The repository's root is the working directory of all tests. */
#define GOLDEN "regress/unit/generator/golden/"

static void expect_golden(const struct fixture *f, const char *file, const char *golden)
{
    const struct render_file *rendered = fixture_file(f, file);
    struct slice expected;
    char path[256];

    assert_non_null(rendered);
    snprintf(path, sizeof(path), GOLDEN "%s", golden);
    if (getenv("UPDATE_GOLDEN") != NULL)
        assert_int_equal(file_write_atomic(path, rendered->text, 0644), CC_OK);
    assert_int_equal(file_read(f->arena, path, 1 << 20, &expected), CC_OK);
    assert_string_equal(rendered->text.p, expected.p);
    assert_int_equal(rendered->text.n, expected.n);
}

static void small_model_byte_for_byte(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_int_equal(diag_errors(f.diag), 0);
    expect_golden(&f, "haproxy/cc.cfg", "cc.cfg");
    expect_golden(&f, "haproxy/cc-spoe.conf", "cc-spoe.conf");
    expect_golden(&f, "haproxy/standalone.cfg", "standalone.cfg");
    fixture_free(&f);
}

static void same_model_same_bytes(void **state)
{
    struct fixture a, b;

    (void)state;
    fixture_init(&a);
    fixture_init(&b);
    assert_int_equal(fixture_render(&a), CC_OK);
    assert_int_equal(fixture_render(&b), CC_OK);
    assert_int_equal(a.out.n_files, b.out.n_files);
    for (size_t i = 0; i < a.out.n_files; i++) {
        assert_true(slice_eq(a.out.files[i].name, b.out.files[i].name));
        assert_true(slice_eq(a.out.files[i].text, b.out.files[i].text));
    }
    fixture_free(&a);
    fixture_free(&b);
}

/* HAProxy takes an errorfile as it is: status line, length and body must fit together. */
static void error_files_are_whole_answers(void **state)
{
    static const unsigned statuses[] = {400, 408, 413, 414, 422, 431, 500, 501};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(fixture_render(&f), CC_OK);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char name[64], begin[64], length[64], code[64], line[128];
        const struct render_file *file;
        const char *body;

        snprintf(name, sizeof(name), "haproxy/errors/%u.http", statuses[i]);
        file = fixture_file(&f, name);
        assert_non_null(file);
        body = strstr(file->text.p, "\r\n\r\n");
        assert_non_null(body);
        body += 4;
        snprintf(begin, sizeof(begin), "HTTP/1.1 %u ", statuses[i]);
        snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
        snprintf(code, sizeof(code), "{\"code\":\"%u\",\"message\":\"", statuses[i]);
        assert_true(slice_starts(file->text, slice_of(begin)));
        assert_non_null(strstr(file->text.p, length));
        assert_true(slice_starts(slice_of(body), slice_of(code)));
        snprintf(line, sizeof(line), "    errorfile %u " FIXTURE_DIRECTORY "/%s\n", statuses[i], name);
        assert_true(fixture_has(&f, "haproxy/cc.cfg", line));
    }
    fixture_free(&f);
}

/* Before an HAProxy that cannot reach itself, the frontend is the user's and may have no errors. */
static void the_entry_has_errors_of_its_own(void **state)
{
    struct fixture f;
    struct slice text;
    const char *from, *to;

    (void)state;
    fixture_init(&f);
    f.config.router.entry_socket = SLICE("/run/cc/entry.sock");
    assert_int_equal(fixture_render(&f), CC_OK);
    text = fixture_file(&f, "haproxy/cc.cfg")->text;
    from = strstr(text.p, "\ndefaults cc_entry_defaults\n");
    to = strstr(text.p, "\nbackend cc_entry ");
    assert_true(from != NULL && to != NULL && from < to);
    text = slice_make(from, (size_t)(to - from));
    assert_true(slice_contains(text, SLICE("http-error status 502 content-type application/json")));
    assert_true(slice_contains(text, SLICE("http-error status 503 content-type application/json")));
    assert_true(slice_contains(text, SLICE("http-error status 504 content-type application/json")));
    fixture_free(&f);
}

static void unknown_ciphers_are_said(void **state)
{
    struct fixture f;
    struct diag_view v;

    (void)state;
    fixture_init(&f);
    f.config.router.downstream_tls.ciphers =
        SLICE("ECDHE-RSA-AES128-GCM-SHA256, AES-NOT, TLS_NO_SUCH, ALL:!aNULL, TLS_AES_128_GCM_SHA256");
    assert_int_equal(fixture_render(&f), CC_EINVAL);
    assert_int_equal(diag_errors(f.diag), 4);
    assert_true(diag_get(f.diag, 0, &v));
    assert_int_equal(v.code, CC3003);
    assert_true(slice_contains(v.message, SLICE("'AES-NOT', which is no cipher")));
    fixture_free(&f);

    fixture_init(&f);
    f.config.router.upstream.tls.ciphers =
        SLICE("x\nglobal, ' crt /etc/passwd,AES128-SHA ca-file x");
    assert_int_equal(fixture_render(&f), CC_EINVAL);
    assert_int_equal(diag_errors(f.diag), 3);
    assert_true(diag_get(f.diag, 1, &v));
    assert_true(slice_contains(v.message, SLICE("router.upstream.tls.ciphers names '' crt")));
    fixture_free(&f);
}

static void certificate_is_linked_not_copied(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_string_equal(fixture_file(&f, "haproxy/certs/gateway.pem")->symlink_to,
                        "/etc/gw/tls.pem");
    assert_string_equal(fixture_file(&f, "haproxy/certs/gateway.pem.key")->symlink_to,
                        "/etc/gw/tls.key");
    fixture_free(&f);
}

static void no_certificate_no_https(void **state)
{
    struct diag_view view;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.keystore.key_path = SLICE_NONE;
    f.config.router.upstream.verify_host_name = false;
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_int_equal(diag_warnings(f.diag), 1);
    assert_true(diag_get(f.diag, 0, &view));
    assert_int_equal(view.code, CC5006);
    assert_null(fixture_file(&f, "haproxy/certs/gateway.pem"));
    assert_false(fixture_has(&f, "haproxy/cc.cfg", " ssl crt "));
    fixture_free(&f);

    /* port 0 says that this is meant */
    fixture_init(&f);
    f.config.router.secured_listener_port = 0;
    f.config.router.upstream.verify_host_name = false;
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_int_equal(diag_warnings(f.diag), 0);
    assert_null(fixture_file(&f, "haproxy/certs/gateway.pem"));
    fixture_free(&f);
}

/* HAProxy would refuse the usual certificate of an address: said once for each such endpoint. */
static void addresses_cannot_be_checked(void **state)
{
    struct diag_view view;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_int_equal(diag_warnings(f.diag), 1);
    assert_true(diag_get(f.diag, 0, &view));
    assert_int_equal(view.code, CC5007);
    fixture_free(&f);

    fixture_init(&f);
    f.config.router.upstream.verify_host_name = false;
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_int_equal(diag_warnings(f.diag), 0);
    fixture_free(&f);
}

/* Servers and logs are looked up inside the chroot, listening sockets are not. */
static void chroot_is_taken_off_where_haproxy_is_inside(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.chroot = SLICE("/var/lib/haproxy/");
    f.config.agent.socket = SLICE("/var/lib/haproxy/cc/a.sock");
    f.config.router.entry_socket = SLICE("/var/lib/haproxy/cc/e.sock");
    f.config.router.log_target = SLICE("/var/lib/haproxy/cc/log.sock");
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "server agent unix@/cc/a.sock check"));
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "bind unix@/var/lib/haproxy/cc/e.sock name"));
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "server gateway unix@/cc/e.sock send-proxy-v2"));
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "log /cc/log.sock len 8192 format raw"));
    assert_true(fixture_has(&f, "haproxy/standalone.cfg",
                            "stats socket unix@/var/lib/haproxy/cc/haproxy-admin.sock mode 0600"));
    fixture_free(&f);

    /* a directory whose name only begins like the chroot is not in it */
    fixture_init(&f);
    f.config.router.chroot = SLICE("/var/lib/haproxy");
    f.config.agent.socket = SLICE("/var/lib/haproxy2/a.sock");
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "server agent unix@/var/lib/haproxy2/a.sock"));
    fixture_free(&f);
}

static void settings_reach_their_lines(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.agent.socket = SLICE("127.0.0.1:9999");
    f.config.router.upstream.ca_file = SLICE("/etc/my ca.pem");
    f.config.router.upstream.verify_host_name = false;
    f.config.router.upstream.resolve_at_start = true;
    f.config.router.upstream.route_timeout_s = 0;
    f.config.router.request_headers_timeout_s = 10;
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "server agent 127.0.0.1:9999 check"));
    assert_false(fixture_has(&f, "haproxy/standalone.cfg", "stats socket"));
    assert_true(fixture_has(&f, "haproxy/cc.cfg",
                            "server orders.example.com orders.example.com:443 ssl verify required ca-file "
                            "'/etc/my ca.pem' resolvers cc_dns init-addr 'last,libc,none'\n"));
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "timeout server 2147483s\n"));
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "timeout http-request 10s\n"));
    fixture_free(&f);

    fixture_init(&f);
    f.config.router.upstream.disable_ssl_verification = true;
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_true(fixture_has(&f, "haproxy/cc.cfg",
                            "server orders.example.com orders.example.com:443 ssl verify none sni "
                            "str(orders.example.com) resolvers cc_dns init-addr none\n"));
    assert_false(fixture_has(&f, "haproxy/cc.cfg", "verify required"));
    fixture_free(&f);
}

/* Hosts and header names are checked long before; should that fail one day, quoting holds. */
static void hostile_names_stay_words(void **state)
{
    static const struct source api = {.name = "pets/api.yaml", .text = SLICE_INIT("")};
    struct gw_endpoint endpoint = {.host = SLICE_INIT("a b)#'%"), .port = 1, .tls = true};
    struct gw_cluster cluster = {
        .name = SLICE_INIT("cc_b_000000000000"), .endpoints = &endpoint, .n_endpoints = 1};
    struct slice header = SLICE("x,1) http-request");
    struct diag_view view;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.model.clusters = &cluster;
    f.model.n_clusters = 1;
    f.model.headers = &header;
    f.model.n_headers = 1;
    assert_int_equal(fixture_render(&f), CC_OK);
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "server s1 'a b)#'\\''%:1' ssl"));
    assert_true(fixture_has(&f, "haproxy/cc-spoe.conf",
                            "=req.fhdr(''\\''x,1) http-request'\\''',1)"));
    fixture_free(&f);

    fixture_init(&f);
    endpoint.host = SLICE("a\nglobal");
    endpoint.origin = (struct place){&api, 4, 12};
    f.model.clusters = &cluster;
    f.model.n_clusters = 1;
    assert_int_equal(fixture_render(&f), CC_EINVAL);
    assert_true(diag_get(f.diag, 0, &view));
    assert_int_equal(view.code, CC5004);
    assert_string_equal(view.place.source->name, "pets/api.yaml");
    fixture_free(&f);
}

static void too_many_headers_are_refused(void **state)
{
    struct slice headers[GW_MAX_HEADERS + 1];
    struct diag_view view;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.upstream.verify_host_name = false;
    for (size_t i = 0; i <= GW_MAX_HEADERS; i++)
        headers[i] = arena_printf(f.arena, "x-%zu", i);
    f.model.headers = headers;
    f.model.n_headers = GW_MAX_HEADERS;
    assert_int_equal(fixture_render(&f), CC_OK);
    f.model.n_headers = GW_MAX_HEADERS + 1;
    assert_int_equal(fixture_render(&f), CC_EREFUSED);
    assert_true(diag_get(f.diag, 0, &view));
    assert_int_equal(view.code, CC1204);
    fixture_free(&f);
}

/* A SPOE message has no more than 255 arguments, and further lines of a header are two of them. */
static void headers_of_conditions_count_twice(void **state)
{
    struct slice headers[GW_MAX_HEADERS];
    const struct gw_condition condition = {.kind = GW_CONDITION_HEADER, .name = SLICE("x-7")};
    const struct gw_group group = {.conditions = &condition, .n_conditions = 1};
    const struct gw_policy policy = {.level = GW_LEVEL_API,
                                     .name = SLICE("p"),
                                     .groups = &group,
                                     .n_groups = 1};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.config.router.upstream.verify_host_name = false;
    for (size_t i = 0; i < GW_MAX_HEADERS; i++)
        headers[i] = arena_printf(f.arena, "x-%zu", i);
    f.model.headers = headers;
    f.model.policies = &policy;
    f.model.n_policies = 1;
    f.model.n_headers = GW_MAX_HEADERS - 1;
    assert_int_equal(fixture_render(&f), CC_OK);
    f.model.n_headers = GW_MAX_HEADERS;
    assert_int_equal(fixture_render(&f), CC_EREFUSED);
    fixture_free(&f);
}

static void operators_template_replaces_ours(void **state)
{
    char directory[] = "/tmp/cc-test-XXXXXX", path[64];
    struct diag_view view;
    struct fixture f;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/standalone.cfg.tmpl", directory);
    fixture_init(&f);
    f.config.router.upstream.verify_host_name = false;
    assert_int_equal(file_write_atomic(path, SLICE("global\n    # {{generation}}\n"), 0644), CC_OK);
    assert_int_equal(render_haproxy(&f.out, &f.model, &f.config, FIXTURE_DIRECTORY, directory,
                                    f.arena, f.diag),
                     CC_OK);
    assert_string_equal(fixture_file(&f, "haproxy/standalone.cfg")->text.p,
                        "global\n    # 7\n");
    assert_true(fixture_has(&f, "haproxy/cc.cfg", "frontend cc_gateway"));

    assert_int_equal(file_write_atomic(path, SLICE("global\n  {{generatoin}}\n"), 0644), CC_OK);
    assert_int_equal(render_haproxy(&f.out, &f.model, &f.config, FIXTURE_DIRECTORY, directory,
                                    f.arena, f.diag),
                     CC_EINVAL);
    assert_true(diag_get(f.diag, 0, &view));
    assert_int_equal(view.code, CC5005);
    assert_string_equal(view.place.source->name, path);
    assert_int_equal(view.place.line, 2);
    assert_int_equal(view.place.col, 3);
    fixture_free(&f);
    assert_int_equal(file_remove_tree(directory), CC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_model_byte_for_byte),
        cmocka_unit_test(same_model_same_bytes),
        cmocka_unit_test(error_files_are_whole_answers),
        cmocka_unit_test(the_entry_has_errors_of_its_own),
        cmocka_unit_test(unknown_ciphers_are_said),
        cmocka_unit_test(certificate_is_linked_not_copied),
        cmocka_unit_test(no_certificate_no_https),
        cmocka_unit_test(addresses_cannot_be_checked),
        cmocka_unit_test(chroot_is_taken_off_where_haproxy_is_inside),
        cmocka_unit_test(settings_reach_their_lines),
        cmocka_unit_test(hostile_names_stay_words),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(headers_of_conditions_count_twice),
        cmocka_unit_test(operators_template_replaces_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
