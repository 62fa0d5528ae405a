/* Issuers whose keys are fetched: which key of the set counts, what is asked for, and that the
 * token cache follows the keys. */
#include "store_fixture.h"

#include "enforce/trace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct slice url = SLICE_INIT("https://rsa/jwks");

struct world {
    struct fixture f;
    struct enforce_rules *rules;
    struct enforce_worker *cached, *plain;
    struct clock_fixed clock;
    struct enforce_decision d;
    struct key *keys[6];
};

/* An EC issuer by key set; the others keep their keys. */
static void open_world(struct world *w)
{
    const struct enforce_options cache = {16, 65536}, none = {0, 0};

    *w = (struct world){.rules = NULL};
    fixture_init(&w->f);
    w->f.issuers[FIXTURE_EC].pem = SLICE("");
    w->f.issuers[FIXTURE_EC].jwks_url = url;
    w->f.issuers[FIXTURE_EC].n_audiences = 0;
    w->rules = fixture_rules(&w->f);
    fixture_need(enforce_worker_new(&w->cached, &cache), "worker");
    fixture_need(enforce_worker_new(&w->plain, &none), "worker");
    clock_fixed_init(&w->clock, FIXTURE_NOW, 0);
    for (size_t i = 0; i < 6; i++)
        fixture_need(key_generate(&w->keys[i], i == 5 ? KEY_RSA : KEY_EC_P256), "key");
}

static void close_world(struct world *w)
{
    for (size_t i = 0; i < 6; i++)
        key_free(&w->keys[i]);
    enforce_worker_free(&w->cached);
    enforce_worker_free(&w->plain);
    enforce_rules_unref(&w->rules);
    fixture_free(&w->f);
}

/* A set of these keys: "0a 1b 2-" is key 0 as kid a, key 1 as kid b, key 2 without kid. */
static struct jwks *make_set(struct world *w, const char *keys)
{
    struct slice rest = slice_of(keys), part;
    const char *comma = "{\"keys\":[";
    struct jwks *set = NULL;
    struct buf b;

    buf_init(&b, 65536);
    while (slice_split(&rest, ' ', &part)) {
        buf_add_str(&b, comma);
        fixture_need(jwks_write_key(w->keys[part.p[0] - '0'],
                                    part.p[1] == '-' ? SLICE("") : slice_make(part.p + 1, 1),
                                    JWT_ALG_COUNT, &b),
                     "jwks_write_key");
        comma = ",";
    }
    buf_add_str(&b, "]}");
    fixture_need(jwks_parse(&set, buf_slice(&b), url, NULL), "jwks_parse");
    buf_free(&b);
    return set;
}

static struct enforce_live *make_live(struct world *w, const char *keys)
{
    struct live_jwks jwks[] = {
        {SLICE("https://other/jwks"), LIVE_JWKS_FAILED, NULL, 0},
        {url, LIVE_JWKS_USABLE, make_set(w, keys), 3},
    };
    struct enforce_live *live = NULL;

    fixture_need(enforce_live_new(&live, jwks, 2), "live");
    jwks_unref(&jwks[1].set);
    return live;
}

/* A token signed by key `n` with this kid; free() it. */
static char *sign(struct world *w, int n, const char *kid)
{
    struct buf token;
    char *copy;

    buf_init(&token, 65536);
    fixture_need(jwt_sign(n == 5 ? JWT_RS256 : JWT_ES256, w->keys[n], slice_of(kid),
                          SLICE("{\"iss\":\"https://ec\",\"exp\":1700000100}"), &token),
                 "sign");
    copy = strdup(token.p);
    assert_non_null(copy);
    buf_free(&token);
    return copy;
}

static int ask(struct world *w, struct enforce_worker *worker, const struct enforce_live *live,
               const char *token)
{
    struct fixture_request r;
    char header[4096];
    struct buf b;

    buf_init_fixed(&b, header, sizeof(header));
    buf_printf(&b, "Bearer %s", token);
    fixture_request_init(&r, "GET", "h", "/pets/1.0/pets/7");
    fixture_set_header(&r, 0, header, 1);
    enforce_decide(worker, w->rules, live, &r.request, &w->clock.clock, &w->d);
    return w->d.verdict == ENFORCE_ALLOW ? 200 : w->d.status;
}

static void expect(struct world *w, const char *keys, int signer, const char *kid, int status,
                   uint64_t fetch, const char *reason)
{
    struct enforce_live *live = make_live(w, keys);
    char *token = sign(w, signer, kid);

    for (int i = 0; i < 3; i++) { /* the third finds what the second left in the cache */
        if (ask(w, i > 0 ? w->cached : w->plain, live, token) != status)
            fail_msg("%s, %d as '%s': %d", keys, signer, kid, w->d.status);
        assert_int_equal(w->d.fetch, fetch);
        if (!slice_contains(w->d.reason, slice_of(reason)))
            fail_msg("%.*s", (int)w->d.reason.n, w->d.reason.p);
    }
    free(token);
    enforce_live_unref(&live);
}

static void test_choice(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    expect(&w, "0a 1b", 0, "a", 200, 0, "allowed");
    expect(&w, "0a 1b", 1, "b", 200, 0, "allowed");
    expect(&w, "0a 1b", 1, "a", 401, 0, "signature does not match"); /* a kid decides */
    expect(&w, "0a 1b", 0, "c", 401, 8, "no key with this kid");
    expect(&w, "0a 1b", 1, "", 200, 0, "allowed"); /* tried one after the other */
    expect(&w, "0a 1-", 1, "", 200, 0, "allowed");
    expect(&w, "0a 1-", 1, "c", 401, 8, "no key with this kid"); /* not with the nameless one */
    expect(&w, "0a 1b", 2, "", 401, 8, "signature does not match");
    expect(&w, "0a 1b 2c 3d", 3, "", 200, 0, "allowed");
    expect(&w, "0a 1b 2c 3d 4e", 3, "", 401, 0, "too many keys to try");
    expect(&w, "0a 1b 2c 3d 4e", 3, "d", 200, 0, "allowed");
    /* the issuer allows ES256 only, whatever its keys could do */
    expect(&w, "0a 5r", 5, "r", 401, 0, "does not allow this algorithm");
    expect(&w, "0a 5r", 5, "x", 401, 0, "does not allow this algorithm");
    expect(&w, "5a", 0, "a", 401, 0, "not of the kind");
    close_world(&w);
}

static void test_no_set(void **state)
{
    static const struct {
        enum live_jwks_state state;
        const char *reason;
    } cases[] = {
        {LIVE_JWKS_FETCHING, "is being fetched"},
        {LIVE_JWKS_FAILED, "could not be fetched"},
    };
    struct world w;
    char *token;

    (void)state;
    open_world(&w);
    token = sign(&w, 0, "a");
    for (size_t i = 0; i < 2; i++) {
        struct live_jwks jwks = {url, cases[i].state, NULL, 0};
        struct enforce_live *live = NULL;

        fixture_need(enforce_live_new(&live, &jwks, 1), "live");
        assert_int_equal(ask(&w, w.cached, live, token), 401);
        assert_true(slice_is(w.d.code, "900900"));
        assert_true(slice_contains(w.d.reason, slice_of(cases[i].reason)));
        assert_int_equal(w.d.fetch, 0); /* it is, or will be, without asking */
        enforce_live_unref(&live);
    }
    assert_int_equal(ask(&w, w.cached, NULL, token), 401); /* nobody fetches */
    assert_true(slice_is(w.d.code, "900900"));
    assert_true(slice_contains(w.d.reason, SLICE("is not known here")));
    free(token);
    /* the issuers with keys of their own need no live state */
    token =
        fixture_sign(&w.f, FIXTURE_ED, JWT_EdDSA, "{\"iss\":\"https://ed\",\"exp\":1700000100}");
    assert_int_equal(ask(&w, w.cached, NULL, token), 200);
    free(token);
    close_world(&w);
}

static uint64_t hits(const struct world *w)
{
    struct enforce_counters c;

    enforce_worker_counters(w->cached, &c);
    return c.cache_hits;
}

/* A removed key stops counting at once, for remembered tokens too; those of other keys stay. */
static void test_cache(void **state)
{
    struct enforce_live *both, *one, *none;
    struct world w;
    char *a, *b;
    uint64_t before;

    (void)state;
    open_world(&w);
    both = make_live(&w, "0a 1b");
    one = make_live(&w, "1b 2c");
    none = make_live(&w, "2c");
    a = sign(&w, 0, "a");
    b = sign(&w, 1, "b");
    assert_int_equal(ask(&w, w.cached, both, a), 200);
    assert_int_equal(ask(&w, w.cached, both, b), 200);
    before = hits(&w);
    assert_int_equal(ask(&w, w.cached, both, a), 200);
    assert_int_equal(ask(&w, w.cached, one, b), 200); /* a key came, one went: b stays */
    assert_int_equal(hits(&w), before + 2);
    assert_int_equal(ask(&w, w.cached, one, a), 401);
    assert_int_equal(hits(&w), before + 2);
    assert_int_equal(ask(&w, w.cached, none, b), 401);
    assert_int_equal(ask(&w, w.cached, both, a), 200); /* and comes back with the key */
    assert_int_equal(hits(&w), before + 2);
    assert_int_equal(ask(&w, w.cached, NULL, a), 401);
    free(a);
    free(b);
    enforce_live_unref(&both);
    enforce_live_unref(&one);
    enforce_live_unref(&none);
    close_world(&w);
}

/* The same kid with another key is another key. */
static void test_replaced(void **state)
{
    struct enforce_live *before, *after;
    struct world w;
    char *token;

    (void)state;
    open_world(&w);
    before = make_live(&w, "0a");
    after = make_live(&w, "1a");
    token = sign(&w, 0, "a");
    assert_int_equal(ask(&w, w.cached, before, token), 200);
    assert_int_equal(ask(&w, w.cached, after, token), 401);
    free(token);
    enforce_live_unref(&before);
    enforce_live_unref(&after);
    close_world(&w);
}

static void test_references(void **state)
{
    struct enforce_live *live, *other;
    struct world w;

    (void)state;
    open_world(&w);
    live = make_live(&w, "0a");
    other = enforce_live_ref(live);
    enforce_live_unref(&live);
    assert_null(live);
    assert_non_null(enforce_live_find_jwks(other, url));
    assert_null(enforce_live_find_jwks(other, SLICE("https://rsa/jwks2")));
    assert_null(enforce_live_find_jwks(NULL, url));
    assert_false(enforce_live_has_key(other, 1));
    assert_false(enforce_live_has_key(NULL, 1));
    enforce_live_unref(&other);
    close_world(&w);
}

/* Deny rules are others, and what else is known stays. */
static void test_other_deny_rules(void **state)
{
    static const struct gw_deny_rule rule = {.kind = GW_DENY_USER, .value = SLICE_INIT("bob")};
    struct enforce_live *live = NULL, *denying = NULL, *none = NULL;
    struct deny_list *list = NULL;
    struct world w;

    (void)state;
    open_world(&w);
    fixture_set_store(&live, "applications: []\n");
    fixture_need(deny_list_new(&list, &rule, 1), "list");
    assert_int_equal(enforce_live_with_denied(&denying, live, list), CC_OK);
    assert_null(enforce_live_denied(live));
    assert_ptr_equal(enforce_live_denied(denying), list);
    assert_non_null(enforce_live_subs(denying));
    assert_ptr_equal(enforce_live_subs(denying), enforce_live_subs(live));
    assert_int_equal(enforce_live_with_denied(&none, denying, NULL), CC_OK);
    assert_null(enforce_live_denied(none));
    assert_non_null(enforce_live_subs(none));
    enforce_live_unref(&live);
    enforce_live_unref(&none);
    live = make_live(&w, "0a");
    enforce_live_unref(&denying);
    assert_int_equal(enforce_live_with_denied(&denying, live, NULL), CC_OK);
    assert_non_null(enforce_live_find_jwks(denying, url));
    enforce_live_unref(&denying);
    assert_int_equal(enforce_live_with_denied(&denying, NULL, NULL), CC_OK);
    assert_null(enforce_live_subs(denying));
    enforce_live_unref(&denying);
    enforce_live_unref(&live);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),     cmocka_unit_test(test_no_set),
        cmocka_unit_test(test_cache),      cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_references), cmocka_unit_test(test_other_deny_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
