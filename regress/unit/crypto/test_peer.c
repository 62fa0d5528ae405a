/* Certificates of clients: what is read of one, what a proxy writes, and who vouches for whom. */
#include "peers.h"

#include <openssl/err.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define AUTHORITY .constraints = "critical,CA:TRUE", .usage = "critical,keyCertSign"

static struct arena *arena;
static struct peers_cert ca, other, under; /* `under` is signed by ca */

static int set_up(void **state)
{
    (void)state;
    arena = arena_new((size_t)16 << 20);
    ca = peers_make(&(struct peers_spec){.cn = "ca", AUTHORITY}, NULL);
    other = peers_make(&(struct peers_spec){.cn = "ca", AUTHORITY}, NULL); /* the same name */
    under = peers_make(&(struct peers_spec){.cn = "under", AUTHORITY}, &ca);
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    peers_free(&ca);
    peers_free(&other);
    peers_free(&under);
    arena_free(&arena);
    return 0;
}

static enum peer_fault read_of(const struct peers_spec *s, struct peer *out)
{
    struct peers_cert c = peers_make(s, NULL);
    struct slice der = peers_der(&c, arena);
    enum peer_fault fault = peer_read(der, arena, out);
    char hex[65];

    if (fault == PEER_OK)
        assert_int_equal(peer_is_weak(out), s->rsa_bits == 1024);
    peer_free(out);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(crypto_sha256_hex(der, hex), CC_OK);
    if (fault == PEER_OK)
        assert_string_equal(out->fingerprint, hex);
    peers_free(&c);
    return fault;
}

static void test_read(void **state)
{
    struct peer p;

    (void)state;
    assert_int_equal(read_of(&(struct peers_spec){.cn = "client"}, &p), PEER_OK);
    assert_true(slice_is(p.subject, "CN=client, O=Example"));
    assert_int_equal(p.not_before, PEERS_NOW - PEERS_DAY);
    assert_int_equal(p.not_after, PEERS_NOW + PEERS_DAY);
    assert_false(p.authority);
    assert_int_equal(read_of(&(struct peers_spec){.cn = NULL}, &p), PEER_OK);
    assert_int_equal(p.subject.n, 0);
    assert_int_equal(read_of(&(struct peers_spec){.cn = "x", AUTHORITY}, &p), PEER_OK);
    assert_true(p.authority);
    /* what it may be used for, and that its length is none */
    assert_int_equal(
        read_of(
            &(struct peers_spec){.cn = "x", .constraints = "CA:TRUE", .usage = "digitalSignature"},
            &p),
        PEER_OK);
    assert_false(p.authority);
    assert_int_equal(read_of(&(struct peers_spec){.cn = "x", .constraints = "CA:FALSE"}, &p),
                     PEER_OK);
    assert_false(p.authority);
    assert_int_equal(read_of(&(struct peers_spec){.cn = "x", .rsa_bits = 1024}, &p), PEER_OK);
    assert_int_equal(read_of(&(struct peers_spec){.cn = "x", .rsa_bits = 2048}, &p), PEER_OK);
}

/* Nothing of a subject can pass for something else in a log or a header. */
static void test_subject(void **state)
{
    static const struct {
        const char *cn;
        size_t bytes;
        const char *subject;
    } rows[] = {
        {"a\0b", 3, "CN=a\\00b, O=Example"},
        {"a, CN=admin", 0, "CN=a\\, CN=admin, O=Example"},
        {"a\r\nx: y", 0, "CN=a\\0D\\0Ax: y, O=Example"},
        {"M\xc3\xbcller", 0, "CN=M\\C3\\BCller, O=Example"},
        {" \"x\\", 0, "CN=\\ \\\"x\\\\, O=Example"},
    };
    struct peer p;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            read_of(&(struct peers_spec){.cn = rows[i].cn, .cn_bytes = rows[i].bytes}, &p),
            PEER_OK);
        if (!slice_is(p.subject, rows[i].subject))
            fail_msg("%.*s is not %s", SLICE_ARG(p.subject), rows[i].subject);
    }
}

static void expect_broken(struct slice der)
{
    struct peer p;

    assert_int_equal(peer_read(der, arena, &p), PEER_BROKEN);
    peer_free(&p);
}

static void test_broken(void **state)
{
    struct slice der = peers_der(&ca, arena);
    char *copy;

    (void)state;
    expect_broken(SLICE(""));
    expect_broken(SLICE("nonsense"));
    for (size_t n = 0; n < der.n; n++)
        expect_broken(slice_first(der, n));
    copy = arena_alloc(arena, der.n + 1);
    memcpy(copy, der.p, der.n);
    copy[der.n] = 'x';
    expect_broken(slice_make(copy, der.n + 1));
    copy = arena_alloc(arena, PEER_DER_MAX + 1);
    memset(copy, 0x30, PEER_DER_MAX + 1);
    expect_broken(slice_make(copy, PEER_DER_MAX + 1));
    assert_int_equal(ERR_peek_error(), 0);
}

static enum peer_fault verify_der(struct peer_store *store, struct slice der, int64_t now_s,
                                  struct peer_vouched *out)
{
    struct peer p;
    enum peer_fault fault = peer_read(der, arena, &p);

    if (fault == PEER_OK)
        fault = peer_verify(store, &p, now_s, out);
    peer_free(&p);
    return fault;
}

/* of the certificate, which is freed */
static void fingerprint_of(const struct peers_cert *c, struct peer *out)
{
    assert_int_equal(peer_read(peers_der(c, arena), arena, out), PEER_OK);
    peer_free(out);
}

static enum peer_fault verify_at(const struct peers_spec *s, const struct peers_cert *by,
                                 struct peer_store *store, int64_t now_s, struct peer_vouched *out)
{
    struct peers_cert c = peers_make(s, by);
    enum peer_fault fault = verify_der(store, peers_der(&c, arena), now_s, out);

    assert_int_equal(ERR_peek_error(), 0);
    peers_free(&c);
    return fault;
}

static void test_verify(void **state)
{
    static const struct {
        struct peers_spec spec;
        enum peer_fault fault;
    } rows[] = {
        {{.cn = "a"}, PEER_OK},
        {{.cn = "a", .ext_usage = "clientAuth"}, PEER_OK},
        {{.cn = "a", .ext_usage = "serverAuth,clientAuth"}, PEER_OK},
        {{.cn = "a", .ext_usage = "serverAuth"}, PEER_WRONG_USE},
        {{.cn = "a", .usage = "critical,keyCertSign"}, PEER_WRONG_USE},
        {{.cn = "a", .from_s = PEERS_NOW - 9, .to_s = PEERS_NOW - 1}, PEER_EXPIRED},
        {{.cn = "a", .from_s = PEERS_NOW + 1, .to_s = PEERS_NOW + 9}, PEER_NOT_YET_VALID},
        {{.cn = "a", .rsa_bits = 1024}, PEER_WEAK},
    };
    struct peer_store *store = NULL;
    struct peer_vouched v;
    struct peer p;

    (void)state;
    assert_int_equal(peer_store_new(&store), CC_OK);
    assert_int_equal(peer_store_add(store, peers_pem(&ca, arena)), CC_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum peer_fault fault = verify_at(&rows[i].spec, &ca, store, PEERS_NOW, &v);

        if (fault != rows[i].fault)
            fail_msg("row %zu: %s", i, peer_fault_text(fault));
    }
    assert_int_equal(verify_at(&rows[0].spec, &ca, store, PEERS_NOW, &v), PEER_OK);
    fingerprint_of(&ca, &p);
    assert_string_equal(v.by, p.fingerprint);
    assert_int_equal(v.not_after, PEERS_NOW + PEERS_DAY);
    /* another authority of the same name; signed by itself; below an authority that is not listed
     */
    assert_int_equal(verify_at(&rows[0].spec, &other, store, PEERS_NOW, &v), PEER_UNTRUSTED);
    assert_int_equal(verify_at(&rows[0].spec, NULL, store, PEERS_NOW, &v), PEER_UNTRUSTED);
    assert_int_equal(verify_at(&rows[0].spec, &under, store, PEERS_NOW, &v), PEER_UNTRUSTED);
    /* an authority's own certificate vouches for nobody */
    assert_int_not_equal(verify_der(store, peers_der(&ca, arena), PEERS_NOW, &v), PEER_OK);
    assert_int_equal(verify_der(store, SLICE("x"), PEERS_NOW, &v), PEER_BROKEN);
    peer_store_free(&store);
}

/* The authority that signed is enough, without the one above it; with both it is still the one that
 * signed, and the shortest life counts. */
static void test_intermediate(void **state)
{
    struct peers_cert brief = peers_make(
        &(struct peers_spec){
            .cn = "brief", .from_s = PEERS_NOW - 9, .to_s = PEERS_NOW + 9, AUTHORITY},
        &ca);
    struct peer_store *store = NULL;
    struct peer_vouched v;
    struct peer p;

    (void)state;
    assert_int_equal(peer_store_new(&store), CC_OK);
    assert_int_equal(peer_store_add(store, peers_pem(&brief, arena)), CC_OK);
    assert_int_equal(verify_at(&(struct peers_spec){.cn = "a"}, &brief, store, PEERS_NOW, &v),
                     PEER_OK);
    assert_int_equal(v.not_before, PEERS_NOW - 9);
    assert_int_equal(v.not_after, PEERS_NOW + 9);
    assert_int_equal(verify_at(&(struct peers_spec){.cn = "a"}, &brief, store, PEERS_NOW + 10, &v),
                     PEER_EXPIRED);
    assert_int_equal(verify_at(&(struct peers_spec){.cn = "a"}, &ca, store, PEERS_NOW, &v),
                     PEER_UNTRUSTED);
    assert_int_equal(peer_store_add(store, peers_pem(&ca, arena)), CC_OK);
    assert_int_equal(verify_at(&(struct peers_spec){.cn = "a"}, &brief, store, PEERS_NOW, &v),
                     PEER_OK);
    fingerprint_of(&brief, &p);
    assert_string_equal(v.by, p.fingerprint);
    /* an authority that may not sign */
    peers_free(&brief);
    brief = peers_make(&(struct peers_spec){.cn = "brief", .constraints = "CA:FALSE"}, NULL);
    assert_int_equal(peer_store_add(store, peers_pem(&brief, arena)), CC_OK);
    assert_int_not_equal(verify_at(&(struct peers_spec){.cn = "a"}, &brief, store, PEERS_NOW, &v),
                         PEER_OK);
    assert_int_equal(peer_store_add(store, SLICE("nonsense")), CC_EPARSE);
    peers_free(&brief);
    peer_store_free(&store);
}

static void expect_der(struct slice text, int rc)
{
    struct slice der = SLICE_NONE;

    assert_int_equal(peer_der_from_text(text, arena, &der), rc);
    if (rc == CC_OK)
        assert_true(slice_eq(der, peers_der(&ca, arena)));
}

/* `s` with each `from` as `to`. */
static struct slice replaced(struct slice s, char from, const char *to)
{
    struct slice out;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == from)
            buf_add_str(&b, to);
        else
            buf_add_char(&b, s.p[i]);
    }
    out = arena_dup(arena, buf_slice(&b));
    buf_free(&b);
    return out;
}

static void test_text(void **state)
{
    struct slice pem = peers_pem(&ca, arena), line = replaced(pem, '\n', ""), body, encoded;

    (void)state;
    body = slice_make(line.p + 27, line.n - 27 - 25);
    encoded = replaced(replaced(replaced(pem, '+', "%2B"), '\n', "%0A"), ' ', "%20");
    expect_der(pem, CC_OK);
    expect_der(line, CC_OK);
    expect_der(replaced(pem, '\n', " "), CC_OK);
    expect_der(replaced(pem, '\n', "\t"), CC_OK);
    expect_der(encoded, CC_OK);
    expect_der(replaced(encoded, '/', "%2f"), CC_OK);
    expect_der(replaced(replaced(replaced(pem, '+', "%2B"), '\n', "%0A"), ' ', "+"), CC_OK);
    expect_der(body, CC_OK);
    expect_der(arena_printf(arena, ":%" PRIslice ":", SLICE_ARG(body)), CC_OK);

    expect_der(SLICE(""), CC_EPARSE);
    expect_der(SLICE("-----BEGIN CERTIFICATE-----"), CC_EPARSE);
    expect_der(SLICE("-----BEGIN CERTIFICATE----------END CERTIFICATE-----"), CC_EPARSE);
    expect_der(slice_first(line, line.n - 1), CC_EPARSE);
    expect_der(slice_first(encoded, encoded.n - 1), CC_EPARSE);
    expect_der(slice_first(body, body.n - 1), CC_EPARSE);
    expect_der(replaced(body, 'A', "%"), CC_EPARSE);
    expect_der(replaced(body, 'A', "%4"), CC_EPARSE);
    expect_der(replaced(body, 'A', "*"), CC_EPARSE);
    expect_der(arena_printf(arena, ":%" PRIslice, SLICE_ARG(body)), CC_EPARSE);
    expect_der(arena_printf(arena, "%" PRIslice "%" PRIslice, SLICE_ARG(line), SLICE_ARG(line)),
               CC_EPARSE);
}

static void test_large_text(void **state)
{
    static char text[64 << 10];

    (void)state;
    memset(text, 'A', sizeof(text));
    expect_der(slice_make(text, sizeof(text)), CC_ETOOBIG);
    expect_der(slice_make(text, 12000), CC_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),         cmocka_unit_test(test_subject),
        cmocka_unit_test(test_broken),       cmocka_unit_test(test_verify),
        cmocka_unit_test(test_intermediate), cmocka_unit_test(test_text),
        cmocka_unit_test(test_large_text),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
