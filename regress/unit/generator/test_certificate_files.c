/* Files that HAProxy could not use are said by setting: who the gateway is to clients and
 * endpoints, and whom it believes. */
#include "generator/certificate_files.h"

#include "crypto/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_BYTES = 16 << 10 };

static char directory[] = "/tmp/test_certificate_files.XXXXXX";
static struct arena *arena;
static struct slice certificate, key, other_key, public_key; /* texts */

static struct slice copy(struct buf *b)
{
    struct slice s = arena_dup(arena, buf_slice(b));

    assert_non_null(s.p);
    buf_free(b);
    return s;
}

static struct slice private_of(const struct key *k)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    assert_int_equal(key_write_private(k, &text), CC_OK);
    return copy(&text);
}

static int make_texts(void **state)
{
    struct key *k = NULL, *other = NULL;
    struct buf text;

    (void)state;
    arena = arena_new(128 << 20);
    if (mkdtemp(directory) == NULL || key_generate(&k, KEY_EC_P256) != CC_OK ||
        key_generate(&other, KEY_EC_P256) != CC_OK)
        return -1;
    buf_init(&text, TEXT_BYTES);
    if (key_write_certificate(k, "gateway.test", 30, &text) != CC_OK)
        return -1;
    certificate = copy(&text);
    buf_init(&text, TEXT_BYTES);
    if (key_write_public(k, &text) != CC_OK)
        return -1;
    public_key = copy(&text);
    key = private_of(k);
    other_key = private_of(other);
    key_free(&k);
    key_free(&other);
    return 0;
}

static int remove_texts(void **state)
{
    (void)state;
    arena_free(&arena);
    return file_remove_tree(directory) == CC_OK ? 0 : -1;
}

static struct slice put(const char *name, struct slice text)
{
    struct slice path = arena_printf(arena, "%s/%s", directory, name);

    assert_int_equal(file_write_atomic(path.p, text, 0600), CC_OK);
    return path;
}

/* Loads this cc.yaml, so that findings have places, and checks its files. */
static void expect_of(struct slice text, enum diag_code code, unsigned line, const char *message)
{
    struct slice yaml = put("cc.yaml", text);
    struct diag *diag = diag_new();
    struct config *config;
    struct diag_view v;

    assert_int_equal(config_load(&config, yaml.p, NULL, NULL, 0, arena, diag), CC_OK);
    assert_int_equal(certificate_files_check(config, arena, diag),
                     message == NULL ? CC_OK : CC_EREFUSED);
    if (message == NULL) {
        assert_int_equal(diag_errors(diag), 0);
        diag_free(&diag);
        return;
    }
    assert_int_equal(diag_errors(diag), 1);
    assert_true(diag_get(diag, 0, &v));
    assert_int_equal(v.code, code);
    assert_string_equal(v.place.source->name, yaml.p);
    assert_int_equal(v.place.line, line);
    if (!slice_contains(v.message, slice_of(message)))
        fail_msg("'%" PRIslice "' does not say '%s'", SLICE_ARG(v.message), message);
    assert_false(slice_contains(v.message, SLICE("BEGIN")));
    diag_free(&diag);
}

/* The pair for endpoints. */
static void expect(struct slice cert_path, struct slice key_path, enum diag_code code,
                   unsigned line, const char *message)
{
    expect_of(arena_printf(arena,
                           "router:\n  upstream:\n    tls:\n"
                           "      certPath: '%" PRIslice "'\n"
                           "      keyPath: '%" PRIslice "'\n",
                           SLICE_ARG(cert_path), SLICE_ARG(key_path)),
              code, line, message);
}

/* The pair for clients, with another line of router. */
static void expect_server(struct slice cert_path, struct slice key_path, const char *more,
                          enum diag_code code, unsigned line, const char *message)
{
    expect_of(arena_printf(arena,
                           "router:\n  keystore:\n"
                           "    certPath: '%" PRIslice "'\n"
                           "    keyPath: '%" PRIslice "'\n%s",
                           SLICE_ARG(cert_path), SLICE_ARG(key_path), more),
              code, line, message);
}

/* The pair for Redis. */
static void expect_redis(struct slice cert_path, struct slice key_path, enum diag_code code,
                         unsigned line, const char *message)
{
    expect_of(arena_printf(arena,
                           "agent:\n  redis:\n    address: /run/redis.sock\n"
                           "    servers: ['redis.test:6379']\n"
                           "    certPath: '%" PRIslice "'\n"
                           "    keyPath: '%" PRIslice "'\n",
                           SLICE_ARG(cert_path), SLICE_ARG(key_path)),
              code, line, message);
}

static void expect_redis_authorities(struct slice path, const char *message)
{
    expect_of(arena_printf(arena,
                           "agent:\n  redis:\n    address: /run/redis.sock\n"
                           "    trustedCertPath: '%" PRIslice "'\n",
                           SLICE_ARG(path)),
              CC4001, 4, message);
}

static void expect_authorities(struct slice path, const char *message)
{
    expect_of(arena_printf(arena,
                           "router:\n  upstream:\n    tls:\n"
                           "      trustedCertPath: '%" PRIslice "'\n",
                           SLICE_ARG(path)),
              CC4001, 4, message);
}

static void a_good_pair_and_none(void **state)
{
    (void)state;
    expect(put("c.pem", certificate), put("k.pem", key), CC4001, 0, NULL);
    expect(SLICE(""), SLICE(""), CC4001, 0, NULL);
}

static void files_that_are_none(void **state)
{
    struct slice cert = put("c.pem", certificate), private = put("k.pem", key);
    struct slice nowhere = arena_printf(arena, "%s/nowhere.pem", directory);

    (void)state;
    expect(nowhere, private, CC4001, 4, "router.upstream.tls.certPath ");
    expect(cert, nowhere, CC4001, 5, "router.upstream.tls.keyPath ");
    expect(slice_of(directory), private, CC4001, 4, "certPath ");
    expect(put("e.pem", SLICE("")), private, CC4001, 4, "no certificate in PEM");
    expect(put("p.pem", public_key), private, CC4001, 4, "no certificate in PEM");
    expect(cert, put("e.pem", SLICE("")), CC4001, 5, "no private key in PEM");
    expect(cert, cert, CC4001, 5, "no private key in PEM");
}

static void an_unreadable_key(void **state)
{
    struct slice cert = put("c.pem", certificate), private = put("secret.pem", key);

    (void)state;
    if (geteuid() == 0)
        skip(); /* root reads everything */
    assert_int_equal(chmod(private.p, 0), 0);
    expect(cert, private, CC4001, 5, "keyPath ");
}

static void both_in_one_file(void **state)
{
    struct slice both =
        arena_printf(arena, "%" PRIslice "%" PRIslice, SLICE_ARG(certificate), SLICE_ARG(key));

    (void)state;
    expect(put("both.pem", both), put("k.pem", key), CC4001, 4, "it holds a private key");
}

static void an_encrypted_key(void **state)
{
    static const char encrypted[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGHMA==\n"
                                    "-----END ENCRYPTED PRIVATE KEY-----\n";

    (void)state;
    expect(put("c.pem", certificate), put("x.pem", slice_of(encrypted)), CC4001, 5, "encrypted");
}

static void the_key_of_another(void **state)
{
    (void)state;
    expect(put("c.pem", certificate), put("o.pem", other_key), CC4004, 5,
           "does not belong to the certificate");
}

static void the_listener(void **state)
{
    struct slice cert = put("c.pem", certificate), private = put("k.pem", key);
    struct slice nowhere = arena_printf(arena, "%s/nowhere.pem", directory);

    (void)state;
    expect_server(cert, private, "", CC4001, 0, NULL);
    expect_server(nowhere, private, "", CC4001, 3, "router.keystore.certPath ");
    expect_server(cert, nowhere, "", CC4001, 4, "router.keystore.keyPath ");
    expect_server(private, private, "", CC4001, 3, "belongs into the file of keyPath");
    expect_server(cert, put("o.pem", other_key), "", CC4004, 4,
                  "the certificate of router.keystore");
    expect_server(nowhere, nowhere, "  securedListenerPort: 0\n", CC4001, 0, NULL);
}

static void of_redis(void **state)
{
    struct slice cert = put("c.pem", certificate), private = put("k.pem", key);
    struct slice nowhere = arena_printf(arena, "%s/nowhere.pem", directory);

    (void)state;
    expect_redis(cert, private, CC4001, 0, NULL);
    expect_redis(nowhere, private, CC4001, 5, "agent.redis.certPath ");
    expect_redis(cert, nowhere, CC4001, 6, "agent.redis.keyPath ");
    expect_redis(cert, put("o.pem", other_key), CC4004, 6, "the certificate of agent.redis");
    expect_redis_authorities(cert, NULL);
    expect_redis_authorities(nowhere, "agent.redis.trustedCertPath ");
    expect_redis_authorities(private, "no certificate in PEM");
}

static void authorities(void **state)
{
    struct slice nowhere = arena_printf(arena, "%s/nowhere.pem", directory);

    (void)state;
    expect_authorities(put("c.pem", certificate), NULL);
    expect_authorities(slice_of(directory), NULL);
    expect_authorities(SLICE(""), NULL);
    expect_authorities(nowhere, "trustedCertPath ");
    expect_authorities(put("e.pem", SLICE("")), "no certificate in PEM");
    expect_authorities(put("k.pem", key), "no certificate in PEM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_pair_and_none),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(an_unreadable_key),
        cmocka_unit_test(both_in_one_file),
        cmocka_unit_test(an_encrypted_key),
        cmocka_unit_test(the_key_of_another),
        cmocka_unit_test(the_listener),
        cmocka_unit_test(authorities),
        cmocka_unit_test(of_redis),
    };

    return cmocka_run_group_tests_name("files with certificates", tests, make_texts, remove_texts);
}
