/* Revoked tokens: by jti, by signature, remembered or not, and while nobody knows what is revoked.
 */
#include "two_workers.h"

#include "alloc_count.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

static void open_world(struct world *w)
{
    world_init(w);
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    w->f.model.system_host = SLICE("*");
    world_start(w);
    fixture_need(revoked_new(&w->revoked, 16), "table");
    enforce_worker_set_revoked(w->cached, w->revoked);
    enforce_worker_set_revoked(w->plain, w->revoked);
    revoked_set_ready(w->revoked, true);
}

static void expect(struct world *w, const char *token, int status, const char *code,
                   const char *reason)
{
    struct bearer_request b;

    bearer_request_init(&b, "/pets/1.0/pets/7", token);
    expect_each(w, &b.r.request, "token", status, code, reason);
}

static void revoke(struct world *w, const char *id)
{
    revoked_add(w->revoked, slice_of(id), FIXTURE_NOW + 1000, REVOKED_BY_STATE, FIXTURE_NOW);
}

static void test_by_jti(void **state)
{
    struct world w;
    char *one, *other;
    struct enforce_counters c;

    (void)state;
    open_world(&w);
    one = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", ",\"jti\":\"one\"");
    other = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", ",\"jti\":\"other\"");
    expect(&w, one, 200, "", "allowed");
    revoke(&w, "one"); /* remembered or not */
    expect(&w, one, 401, "900901", "the token is revoked");
    assert_true(slice_contains(w.d.challenge, SLICE("error=\"invalid_token\"")));
    assert_false(slice_contains(w.d.body, SLICE("revoked")));
    assert_true(slice_is(w.d.user, "alice")); /* the log says whose it was */
    expect(&w, other, 200, "", "allowed");
    assert_int_equal(revoked_remove(w.revoked, SLICE("one"), REVOKED_BY_STATE), CC_OK);
    expect(&w, one, 200, "", "allowed");
    enforce_worker_counters(w.cached, &c);
    assert_int_equal(c.revoked, 2);
    free(one);
    free(other);
    close_world(&w);
}

static void test_by_signature(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    for (int signer = 0; signer < FIXTURE_SIGNERS; signer++) {
        char *bare = fixture_sign_claims(&w.f, (enum fixture_signer)signer, "alice", ",\"n\":1");
        char *empty =
            fixture_sign_claims(&w.f, (enum fixture_signer)signer, "alice", ",\"jti\":\"\"");
        char *named =
            fixture_sign_claims(&w.f, (enum fixture_signer)signer, "alice", ",\"jti\":\"x\"");

        revoke(&w, strrchr(bare, '.') + 1);
        expect(&w, bare, 401, "900901", "the token is revoked");
        expect(&w, empty, 200, "", "allowed");
        revoke(&w, strrchr(empty, '.') + 1);
        expect(&w, empty, 401, "900901", "the token is revoked");
        /* one that has a jti is known by it alone */
        revoke(&w, strrchr(named, '.') + 1);
        expect(&w, named, 200, "", "allowed");
        free(bare);
        free(empty);
        free(named);
    }
    close_world(&w);
}

/* The other signature (r, n - s) that anybody can make of an ES256 one. */
static char *twist(const char *token)
{
    const char *text = strrchr(token, '.') + 1;
    unsigned char raw[64];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *s = BN_new();
    struct buf out;
    size_t n;
    char *copy;

    fixture_need(base64url_decode(slice_of(text), raw, sizeof(raw), &n), "signature");
    BN_bin2bn(raw + 32, 32, s);
    BN_sub(s, EC_GROUP_get0_order(group), s);
    BN_bn2binpad(s, raw + 32, 32);
    buf_init(&out, 8192);
    buf_add(&out, slice_make(token, (size_t)(text - token)));
    base64url_encode(slice_make(raw, sizeof(raw)), &out);
    copy = strdup(out.p);
    buf_free(&out);
    BN_free(s);
    EC_GROUP_free(group);
    return copy;
}

static void test_twisted_signature(void **state)
{
    struct world w;
    char *token, *twisted;

    (void)state;
    open_world(&w);
    token = fixture_sign_claims(&w.f, FIXTURE_EC, "alice", "");
    twisted = twist(token);
    assert_string_not_equal(token, twisted);
    expect(&w, twisted, 200, "", "allowed"); /* a good signature it is */
    revoke(&w, strrchr(token, '.') + 1);
    expect(&w, token, 401, "900901", "the token is revoked");
    expect(&w, twisted, 401, "900901", "the token is revoked");
    free(token);
    free(twisted);
    close_world(&w);
}

/* Nobody is let in by a token until it is known what is revoked, and the gateway is not ready. */
static void test_not_ready(void **state)
{
    struct world w;
    char *token;

    (void)state;
    open_world(&w);
    token = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", "");
    expect(&w, token, 200, "", "allowed");
    assert_int_equal(ask_bearer(&w, w.plain, "/ready", ""), 200);
    revoked_set_ready(w.revoked, false);
    expect(&w, token, 503, "102500", "what is revoked is not known yet");
    assert_int_equal(ask_bearer(&w, w.plain, "/ready", ""), 503);
    assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/open", ""), 200); /* needs no token */
    assert_int_equal(ask_bearer(&w, w.plain, "/pets/1.0/pets/7", "nonsense"), 401);
    revoked_set_ready(w.revoked, true);
    expect(&w, token, 200, "", "allowed");
    free(token);
    close_world(&w);
}

static void test_traced(void **state)
{
    struct world w;
    char *token, *bare;

    (void)state;
    open_world(&w);
    token = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", ",\"jti\":\"one\"");
    bare = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", "");
    ask_bearer(&w, w.plain, "/pets/1.0/pets/7", token);
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_REVOCATION)->text, "by its jti 'one'"));
    assert_false(step_of(&w, ENFORCE_STEP_REVOCATION)->refused);
    revoke(&w, "one");
    ask_bearer(&w, w.plain, "/pets/1.0/pets/7", token);
    assert_true(step_of(&w, ENFORCE_STEP_REVOCATION)->refused);
    ask_bearer(&w, w.plain, "/pets/1.0/pets/7", bare);
    assert_true(slice_is(step_of(&w, ENFORCE_STEP_REVOCATION)->text, "no jti: by its signature"));
    free(token);
    free(bare);
    close_world(&w);
}

static void test_no_heap(void **state)
{
    struct world w;
    struct bearer_request b;
    char *token;

    (void)state;
    open_world(&w);
    token = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", ",\"jti\":\"one\"");
    bearer_request_init(&b, "/pets/1.0/pets/7", token);
    revoke(&w, "two");
    enforce_decide(w.cached, w.rules, NULL, &b.r.request, &w.clock.clock, &w.d);
    alloc_count_start();
    alloc_made = 0;
    enforce_decide(w.cached, w.rules, NULL, &b.r.request, &w.clock.clock, &w.d);
    assert_int_equal(w.d.verdict, ENFORCE_ALLOW);
    assert_int_equal(alloc_made, 0);
    free(token);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_jti),
        cmocka_unit_test(test_by_signature),
        cmocka_unit_test(test_twisted_signature),
        cmocka_unit_test(test_not_ready),
        cmocka_unit_test(test_traced),
        cmocka_unit_test(test_no_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
