/* Revoked tokens: by jti, by signature, remembered or not, and while nobody knows what is revoked.
 */
#include "fixture.h"

#include "enforce/trace.h"
#include "revoke/revoke.h"

#include "alloc_count.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

struct world {
    struct fixture f;
    struct enforce_rules *rules;
    struct enforce_worker *cached, *plain;
    struct revoked *revoked;
    struct clock_fixed clock;
    struct enforce_decision d;
    struct enforce_trace trace;
};

static void open_world(struct world *w)
{
    const struct enforce_options cache = {64, 262144}, none = {0, 0};

    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    w->f.model.system_host = SLICE("*");
    w->rules = fixture_rules(&w->f);
    fixture_need(enforce_worker_new(&w->cached, &cache), "worker");
    fixture_need(enforce_worker_new(&w->plain, &none), "worker");
    fixture_need(revoked_new(&w->revoked, 16), "table");
    enforce_worker_set_revoked(w->cached, w->revoked);
    enforce_worker_set_revoked(w->plain, w->revoked);
    revoked_set_ready(w->revoked, true);
    clock_fixed_init(&w->clock, FIXTURE_NOW, 0);
}

static void close_world(struct world *w)
{
    enforce_worker_free(&w->cached);
    enforce_worker_free(&w->plain);
    enforce_rules_unref(&w->rules);
    revoked_free(&w->revoked);
    fixture_free(&w->f);
}

static int ask(struct world *w, struct enforce_worker *worker, const char *path, const char *token)
{
    struct fixture_request r;
    char header[8192];

    snprintf(header, sizeof(header), "Bearer %s", token);
    fixture_request_init(&r, "GET", "h", path);
    if (token[0] != '\0')
        fixture_set_header(&r, 0, header, 1);
    enforce_decide_traced(worker, w->rules, NULL, &r.request, &w->clock.clock, &w->d, &w->trace);
    return w->d.verdict == ENFORCE_ALLOW || w->d.verdict == ENFORCE_READY ? 200 : w->d.status;
}

/* The same answer without cache, and twice with one. */
static void expect(struct world *w, const char *token, int status, const char *reason)
{
    for (int i = 0; i < 3; i++) {
        int got = ask(w, i == 0 ? w->plain : w->cached, "/pets/1.0/pets/7", token);

        if (got != status || !slice_contains(w->d.reason, slice_of(reason)))
            fail_msg("%d, expected %d: %.*s", got, status, SLICE_ARG(w->d.reason));
    }
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
    expect(&w, one, 200, "allowed");
    revoke(&w, "one"); /* remembered or not */
    expect(&w, one, 401, "the token is revoked");
    assert_true(slice_is(w.d.code, "900901"));
    assert_true(slice_contains(w.d.challenge, SLICE("error=\"invalid_token\"")));
    assert_false(slice_contains(w.d.body, SLICE("revoked")));
    assert_true(slice_is(w.d.user, "alice")); /* the log says whose it was */
    expect(&w, other, 200, "allowed");
    assert_int_equal(revoked_remove(w.revoked, SLICE("one"), REVOKED_BY_STATE), CC_OK);
    expect(&w, one, 200, "allowed");
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
        expect(&w, bare, 401, "the token is revoked");
        expect(&w, empty, 200, "allowed");
        revoke(&w, strrchr(empty, '.') + 1);
        expect(&w, empty, 401, "the token is revoked");
        /* one that has a jti is known by it alone */
        revoke(&w, strrchr(named, '.') + 1);
        expect(&w, named, 200, "allowed");
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
    expect(&w, twisted, 200, "allowed"); /* a good signature it is */
    revoke(&w, strrchr(token, '.') + 1);
    expect(&w, token, 401, "the token is revoked");
    expect(&w, twisted, 401, "the token is revoked");
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
    expect(&w, token, 200, "allowed");
    assert_int_equal(ask(&w, w.plain, "/ready", ""), 200);
    revoked_set_ready(w.revoked, false);
    expect(&w, token, 503, "what is revoked is not known yet");
    assert_true(slice_is(w.d.code, "102500"));
    assert_int_equal(ask(&w, w.plain, "/ready", ""), 503);
    assert_int_equal(ask(&w, w.plain, "/pets/1.0/open", ""), 200); /* needs no token */
    assert_int_equal(ask(&w, w.plain, "/pets/1.0/pets/7", "nonsense"), 401);
    revoked_set_ready(w.revoked, true);
    expect(&w, token, 200, "allowed");
    free(token);
    close_world(&w);
}

static const struct enforce_trace_step *find_step(const struct world *w)
{
    for (size_t i = 0; i < w->trace.n; i++)
        if (w->trace.steps[i].step == ENFORCE_STEP_REVOCATION)
            return &w->trace.steps[i];
    return NULL;
}

static void test_traced(void **state)
{
    struct world w;
    char *token, *bare;

    (void)state;
    open_world(&w);
    token = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", ",\"jti\":\"one\"");
    bare = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", "");
    ask(&w, w.plain, "/pets/1.0/pets/7", token);
    assert_non_null(find_step(&w));
    assert_true(slice_is(find_step(&w)->text, "by its jti 'one'"));
    assert_false(find_step(&w)->refused);
    revoke(&w, "one");
    ask(&w, w.plain, "/pets/1.0/pets/7", token);
    assert_true(find_step(&w)->refused);
    ask(&w, w.plain, "/pets/1.0/pets/7", bare);
    assert_true(slice_is(find_step(&w)->text, "no jti: by its signature"));
    free(token);
    free(bare);
    close_world(&w);
}

static void test_no_heap(void **state)
{
    struct world w;
    struct fixture_request r;
    char header[8192];
    char *token;

    (void)state;
    open_world(&w);
    token = fixture_sign_claims(&w.f, FIXTURE_RSA, "alice", ",\"jti\":\"one\"");
    snprintf(header, sizeof(header), "Bearer %s", token);
    fixture_request_init(&r, "GET", "h", "/pets/1.0/pets/7");
    fixture_set_header(&r, 0, header, 1);
    revoke(&w, "two");
    enforce_decide(w.cached, w.rules, NULL, &r.request, &w.clock.clock, &w.d);
    alloc_count_start();
    alloc_made = 0;
    enforce_decide(w.cached, w.rules, NULL, &r.request, &w.clock.clock, &w.d);
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
