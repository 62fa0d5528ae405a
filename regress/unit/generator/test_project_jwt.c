/* enforcer.jwtGenerator of cc.yaml -> the model, with a finding for each way in which it cannot
 * work; and what of it HAProxy gets. */
#include "test_project_fixture.h"

#include "crypto/crypto.h"
#include "generator/render.h"

#include <string.h>
#include <sys/stat.h>

struct world {
    struct fixture f;
    struct config *config;
};

/* NAME.key and NAME.pem in the fixture's directory. */
static void write_pair(struct world *w, enum key_kind kind, const char *name)
{
    struct slice path = arena_printf(w->f.arena, "%s/%s.key", w->f.root, name);
    struct key *key = NULL;
    struct buf pem;

    buf_init(&pem, 1 << 16);
    assert_int_equal(key_generate(&key, kind), CC_OK);
    assert_int_equal(key_write_private(key, &pem), CC_OK);
    assert_int_equal(file_write_atomic(path.p, buf_slice(&pem), 0640), CC_OK);
    buf_reset(&pem);
    assert_int_equal(key_write_certificate(key, name, 10, &pem), CC_OK);
    path = arena_printf(w->f.arena, "%s/%s.pem", w->f.root, name);
    assert_int_equal(file_write_atomic(path.p, buf_slice(&pem), 0644), CC_OK);
    buf_reset(&pem);
    assert_int_equal(key_write_public(key, &pem), CC_OK);
    path = arena_printf(w->f.arena, "%s/%s.pub", w->f.root, name);
    assert_int_equal(file_write_atomic(path.p, buf_slice(&pem), 0644), CC_OK);
    buf_free(&pem);
    key_free(&key);
}

static void open_world(struct world *w)
{
    fixture_open(&w->f);
    write_pair(w, KEY_EC_P256, "ec");
    write_pair(w, KEY_EC_P256, "next");
    write_pair(w, KEY_EC_P384, "p384");
    write_pair(w, KEY_RSA, "rsa");
}

/* Reads the lines below jwtGenerator, which begin at line 3 and column 5, and builds. */
static int build(struct world *w, const char *jwt)
{
    struct slice path = arena_printf(w->f.arena, "%s/cc.yaml", w->f.root);
    struct buf yaml;
    int rc;

    diag_free(&w->f.diag);
    w->f.diag = diag_new();
    buf_init(&yaml, 1 << 16);
    buf_printf(&yaml, "enforcer:\n  jwtGenerator:\n%s", jwt);
    assert_int_equal(file_write_atomic(path.p, buf_slice(&yaml), 0600), CC_OK);
    buf_free(&yaml);
    rc = config_load(&w->config, path.p, NULL, NULL, 0, w->f.arena, w->f.diag);
    if (rc == CC_OK)
        rc = project_build_model(&w->f.model, w->f.dirs, w->f.n, w->config, &w->f.options,
                                 w->f.arena, w->f.diag);
    return rc;
}

/* Refused, and one of the findings is this one; the only error. */
static void expect_error(struct world *w, const char *jwt, enum diag_code code, unsigned line,
                         const char *text)
{
    struct diag_view v;
    bool found = false;

    assert_int_not_equal(build(w, jwt), CC_OK);
    for (size_t i = 0; diag_get(w->f.diag, i, &v); i++)
        if (v.code == code && v.place.line == line && slice_contains(v.message, slice_of(text)))
            found = true;
    if (!found || diag_errors(w->f.diag) != 1) {
        diag_print(w->f.diag, stderr, false);
        fail_msg("no %s at line %u with '%s', or others: %s", diag_code_name(code), line, text,
                 jwt);
    }
}

static void one_pair(void **state)
{
    const struct gw_backend_jwt *jwt;
    struct world w;

    (void)state;
    open_world(&w);
    assert_int_equal(build(&w, "    enabled: true\n    publicCertificatePath: rsa.pem\n"
                               "    privateKeyPath: rsa.key\n"),
                     CC_OK);
    jwt = &w.f.model->backend_jwt;
    assert_true(slice_is(jwt->header, "x-jwt-assertion"));
    assert_true(slice_is(jwt->dialect, "http://wso2.org/claims"));
    assert_true(jwt->user_claims && jwt->base64url && jwt->with_kid && jwt->old_key_ids);
    assert_false(jwt->convert_dialect);
    assert_int_equal(jwt->ttl_s, 3600);
    assert_int_equal(jwt->n_key_pairs, 1);
    assert_true(slice_ends(jwt->key_pairs[0].private_key, SLICE("/rsa.key")));
    assert_true(slice_starts(jwt->key_pairs[0].certificate, SLICE("-----BEGIN CERTIFICATE")));
    fixture_close(&w.f);
}

static void several_pairs_and_all_settings(void **state)
{
    const struct gw_backend_jwt *jwt;
    struct world w;

    (void)state;
    open_world(&w);
    assert_int_equal(
        build(&w,
              "    enabled: true\n    header: X-Who\n    encoding: base64\n    claimDialect: \"\"\n"
              "    convertDialect: true\n    enableUserClaims: false\n    tokenTTL: 60\n"
              "    useKidProperty: false\n    keyIdForm: rfc7515\n    excludedClaims: [a, b]\n"
              "    signingAlgorithm: ES256\n    keypair:\n"
              "      - {publicCertificatePath: rsa.pem, privateKeyPath: /nowhere}\n"
              "      - {publicCertificatePath: ec.pem, privateKeyPath: ec.key, useForSigning: "
              "true}\n"),
        CC_OK);
    jwt = &w.f.model->backend_jwt;
    assert_true(slice_is(jwt->header, "x-who"));
    assert_int_equal(jwt->dialect.n, 0);
    assert_false(jwt->user_claims || jwt->base64url || jwt->with_kid || jwt->old_key_ids);
    assert_true(jwt->convert_dialect);
    assert_int_equal(jwt->ttl_s, 60);
    assert_int_equal(jwt->n_excluded, 2);
    assert_int_equal(jwt->n_key_pairs, 2);
    assert_int_equal(jwt->key_pairs[0].private_key.n, 0); /* nobody needs to know where it is */
    assert_ptr_equal(gw_backend_jwt_signing(jwt), &jwt->key_pairs[1]);
    fixture_close(&w.f);
}

static void off_nothing_is_looked_at(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    assert_int_equal(build(&w, "    publicCertificatePath: nowhere.pem\n    header: host\n"),
                     CC_OK);
    assert_int_equal(w.f.model->backend_jwt.header.n, 0);
    assert_int_equal(w.f.model->backend_jwt.n_key_pairs, 0);
    fixture_close(&w.f);
}

#define ON  "    enabled: true\n"
#define RSA "    publicCertificatePath: rsa.pem\n    privateKeyPath: rsa.key\n"
#define PAIR(name, signs)                                                 \
    "      - {publicCertificatePath: " name ".pem, privateKeyPath: " name \
    ".key, useForSigning: " signs "}\n"

static void faults(void **state)
{
    struct diag_view v;
    struct world w;
    char *key;

    (void)state;
    open_world(&w);
    expect_error(&w, ON, CC3081, 3, "no key pair signs");
    expect_error(&w, ON "    publicCertificatePath: rsa.pem\n", CC3081, 3, "no privateKeyPath");
    expect_error(&w, ON "    privateKeyPath: rsa.key\n", CC3081, 4, "no publicCertificatePath");
    expect_error(&w, ON "    keypair:\n" PAIR("rsa", "false"), CC3081, 3, "no key pair signs");
    expect_error(&w,
                 ON "    keypair:\n" PAIR("rsa", "true") PAIR("ec", "false") PAIR("rsa", "true"),
                 CC3081, 7, "a second key pair");
    expect_error(&w, ON "    keypair:\n      - {useForSigning: false}\n" PAIR("rsa", "true"),
                 CC3007, 5, "publicCertificatePath is missing");
    assert_int_not_equal(build(&w, ON RSA "    keypair:\n" PAIR("rsa", "true")), CC_OK); /* both */
    expect_error(&w, ON "    publicCertificatePath: none.pem\n    privateKeyPath: rsa.key\n",
                 CC1001, 5, "none.pem");
    expect_error(&w, ON "    publicCertificatePath: rsa.pub\n    privateKeyPath: rsa.key\n", CC4001,
                 5, "not a certificate");
    expect_error(&w, ON "    publicCertificatePath: rsa.key\n    privateKeyPath: rsa.key\n", CC4001,
                 5, "not a certificate");
    expect_error(&w, ON "    publicCertificatePath: rsa.pem\n    privateKeyPath: ec.key\n", CC4004,
                 5, "does not belong");
    expect_error(&w, ON "    publicCertificatePath: rsa.pem\n    privateKeyPath: rsa.pem\n", CC4003,
                 5, "mode 644");
    expect_error(&w, ON "    publicCertificatePath: ec.pem\n    privateKeyPath: ec.key\n", CC4002,
                 5, "signingAlgorithm is SHA256withRSA");
    expect_error(&w, ON "    keypair:\n" PAIR("rsa", "true") PAIR("p384", "false"), CC4002, 6,
                 "EC P-384");
    expect_error(&w, ON RSA "    signingAlgorithm: ES256\n", CC4002, 5,
                 "signingAlgorithm is ES256");
    expect_error(&w, ON RSA "    signingAlgorithm: NONE\n", CC3003, 6, "NONE");
    expect_error(&w, ON RSA "    header: Host\n", CC3080, 6, "has a meaning already");
    expect_error(&w, ON RSA "    header: x_jwt\n", CC3080, 6, "letters, digits");
    expect_error(&w, ON RSA "    tokenTTL: 9\n", CC3003, 6, "10 to 86400");
    key = strdup(arena_printf(w.f.arena, "%s/rsa.key", w.f.root).p);
    assert_int_equal(chmod(key, 0644), 0);
    expect_error(&w, ON RSA, CC4003, 5, "mode 644");
    assert_int_equal(chmod(key, 0660), 0);
    expect_error(&w, ON RSA, CC4003, 5, "mode 660");
    assert_int_equal(truncate(key, 100), 0);
    assert_int_equal(chmod(key, 0600), 0);
    expect_error(&w, ON RSA, CC4001, 5, "not a private key");
    /* on a machine that only builds there is none */
    assert_int_equal(unlink(key), 0);
    assert_int_equal(build(&w, ON RSA), CC_OK);
    assert_true(diag_get(w.f.diag, 0, &v));
    assert_int_equal(v.code, CC3082);
    free(key);
    fixture_close(&w.f);
}

/* An API cannot expect its token where nothing that clients send arrives. */
static void the_header_of_an_api(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    fixture_project(&w.f);
    fixture_file(
        &w.f, "api.yaml",
        "type: api\nversion: v4.0.0\ndata: {name: A, type: HTTP, version: '1', context: /a}\n");
    fixture_file(&w.f, "Definitions/swagger.yaml",
                 "openapi: 3.0.1\ninfo: {title: A, version: '1'}\nx-wso2-auth-header: x_Who\n"
                 "x-wso2-production-endpoints: {urls: ['http://127.0.0.1']}\n"
                 "paths: {/a: {get: {}}}\n");
    expect_error(&w, ON RSA "    header: X-Who\n", CC3080, 6, "in which an API expects");
    assert_int_equal(build(&w, ON RSA "    header: X-Whom\n"), CC_OK);
    fixture_close(&w.f);
}

static bool has(const struct render_output *out, const char *file, const char *text)
{
    for (size_t i = 0; i < out->n_files; i++)
        if (slice_is(out->files[i].name, file))
            return slice_contains(out->files[i].text, slice_of(text));
    fail_msg("there is no file %s", file);
    return false;
}

/* Every spelling of the header goes, the key set is there with all keys, buffers have room. */
static void what_haproxy_gets(void **state)
{
    struct render_output out;
    struct world w;

    (void)state;
    open_world(&w);
    assert_int_equal(
        build(&w, ON "    header: X-A-B\n    keypair:\n" PAIR("rsa", "true") PAIR("ec", "false")),
        CC_OK);
    assert_int_equal(render_haproxy(&out, w.f.model, w.config, "/gen", NULL, w.f.arena, w.f.diag),
                     CC_OK);
    assert_true(has(&out, "haproxy/cc.cfg",
                    "    http-request del-header x-a-b\n"
                    "    http-request del-header x_a-b\n"
                    "    http-request del-header x-a_b\n"
                    "    http-request del-header x_a_b\n"));
    assert_true(has(&out, "haproxy/cc.cfg",
                    "    http-request set-header x-a-b %[var(txn.cc.jwt)] if { var(txn.cc.jwt) -m "
                    "found }\n"));
    assert_true(has(&out, "haproxy/cc.cfg", "string '{\"keys\":[{\"kty\":\"RSA\","));
    assert_true(has(&out, "haproxy/cc.cfg", "},{\"kty\":\"EC\",\"crv\":\"P-256\","));
    assert_true(has(&out, "haproxy/standalone.cfg", "tune.bufsize 23552\n"));
    assert_true(has(&out, "haproxy/standalone.cfg", "tune.maxrewrite 8192\n"));
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pair),
        cmocka_unit_test(several_pairs_and_all_settings),
        cmocka_unit_test(off_nothing_is_looked_at),
        cmocka_unit_test(faults),
        cmocka_unit_test(the_header_of_an_api),
        cmocka_unit_test(what_haproxy_gets),
    };

    return cmocka_run_group_tests_name("generator/project_jwt", tests, NULL, NULL);
}
