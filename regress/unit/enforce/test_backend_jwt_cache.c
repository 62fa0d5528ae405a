/* The JWT for backends is remembered, and in a burst signed by others: one that was made for one
 * token, API and application is used for nothing else, and no longer than it may. */
#include "backend_jwt_world.h"

/* --- remembering --------------------------------------------------------------------------------
 */

static struct slice keep(struct world *w, char room[8192])
{
    assert_true(w->d.jwt.n > 0 && w->d.jwt.n < 8192);
    memcpy(room, w->d.jwt.p, w->d.jwt.n);
    return slice_make(room, w->d.jwt.n);
}

static void one_serves_a_token_and_an_api(void **state)
{
    struct world w;
    char *token, *other, *sandbox, room[8192];
    struct slice first;

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    other = make_token(&w, ",\"x\":1");
    sandbox = make_token(&w, ",\"keytype\":\"SANDBOX\"");
    ask(&w, "GET", "/pets/1.0/pets", token);
    first = keep(&w, room);
    /* warm: the same, and no heap */
    {
        size_t before = alloc_made;

        ask(&w, "GET", "/pets/1.0/pets/7", token);
        assert_int_equal(alloc_made, before);
    }
    assert_true(slice_eq(w.d.jwt, first));
    assert_int_equal(signatures(&w), 1);
    ask(&w, "GET", "/pets/1.0/pets", other);
    assert_false(slice_eq(w.d.jwt, first));
    assert_int_equal(signatures(&w), 2);
    ask(&w, "GET", "/box/far", sandbox); /* another API */
    ask(&w, "GET", "/pets/1.0/far", sandbox);
    assert_int_equal(signatures(&w), 4);
    ask(&w, "GET", "/box/far", sandbox);
    assert_true(slice_contains(claims(&w), SLICE("apiname\":\"Box\"")));
    ask(&w, "GET", "/pets/1.0/far", sandbox);
    assert_true(slice_contains(claims(&w), SLICE("apiname\":\"Pets\"")));
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_true(slice_eq(w.d.jwt, first));
    assert_int_equal(signatures(&w), 4);
    free(sandbox);
    free(other);
    free(token);
    close_world(&w);
}

/* Until shortly before its end; after that a new one, with new times. */
static void it_is_used_until_shortly_before_its_end(void **state)
{
    struct world w;
    char *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, "");
    ask(&w, "GET", "/pets/1.0/pets", token);
    clock_fixed_init(&w.clock, FIXTURE_NOW + TTL - MARGIN - 1, 0);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    clock_fixed_init(&w.clock, FIXTURE_NOW + TTL - MARGIN, 0);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 2);
    assert_true(slice_contains(claims(&w), SLICE("\"exp\":1700001195,\"iat\":1700000595,")));
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 2);
    free(token);
    close_world(&w);
}

/* A token that was forgotten, for it was not valid any more, is another one when it comes again. */
static void it_goes_with_its_token(void **state)
{
    struct world w;
    char payload[256], *token;

    (void)state;
    open_world(&w);
    snprintf(payload, sizeof(payload),
             "{\"iss\":\"https://ec\",\"sub\":\"ann\",\"exp\":%d,\"scope\":\"read:pets\"}",
             FIXTURE_NOW + 20);
    token = fixture_sign(&w.f, FIXTURE_EC, JWT_ES256, payload);
    ask(&w, "GET", "/pets/1.0/pets", token);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    clock_fixed_init(&w.clock, FIXTURE_NOW + 20 + FIXTURE_LEEWAY, 0);
    assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_DENY);
    assert_int_equal(w.d.jwt.n, 0);
    clock_fixed_init(&w.clock, FIXTURE_NOW, 0); /* a clock that was set back */
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 2);
    free(token);
    close_world(&w);
}

/* Other settings or another key: nothing of before is used; the same ones loaded again: all of it.
 */
static void it_follows_the_rules(void **state)
{
    struct world w;
    struct key *old;
    char *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, ",\"x\":1");
    ask(&w, "GET", "/pets/1.0/pets", token);
    load(&w);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_int_equal(signatures(&w), 1);
    w.f.model.backend_jwt.user_claims = false;
    load(&w);
    ask(&w, "GET", "/pets/1.0/pets", token);
    assert_false(slice_contains(claims(&w), SLICE("\"x\":1")));
    assert_int_equal(signatures(&w), 2);
    old = w.signing;
    w.signing = NULL;
    fixture_need(key_generate(&w.signing, KEY_EC_P256), "key");
    buf_reset(&w.certificate);
    fixture_need(key_write_certificate(w.signing, "gw.test", 10, &w.certificate), "certificate");
    w.pairs[0].certificate = buf_slice(&w.certificate);
    load(&w);
    ask(&w, "GET", "/pets/1.0/pets", token);
    claims(&w); /* verified by the new key */
    assert_int_equal(jwt_verify(&w.jwt, 1u << JWT_ES256, old), JWT_BAD_SIGNATURE);
    assert_int_equal(signatures(&w), 3);
    key_free(&old);
    free(token);
    close_world(&w);
}

/* Two generations by turns, as while HAProxy is reloaded: one signature for each, not for each
 * turn.
 */
static void generations_by_turns(void **state)
{
    struct world w;
    struct enforce_rules *both[2];
    char *token;

    (void)state;
    open_world(&w);
    token = make_token(&w, ",\"x\":1");
    both[0] = enforce_rules_ref(w.rules);
    w.f.model.backend_jwt.user_claims = false;
    load(&w);
    both[1] = w.rules;
    for (int i = 0; i < 20; i++) {
        w.rules = both[i % 2];
        ask(&w, "GET", "/pets/1.0/pets", token);
        assert_int_equal(slice_contains(claims(&w), SLICE("\"x\":1")), i % 2 == 0);
    }
    assert_int_equal(signatures(&w), 2);
    enforce_rules_unref(&both[0]);
    free(token);
    close_world(&w);
}

/* With the token cache off, nothing is remembered. */
static void without_cache(void **state)
{
    struct world w;
    char *token;

    (void)state;
    init(&w, KEY_EC_P256);
    start(&w, 0);
    token = make_token(&w, "");
    for (uint64_t i = 1; i < 4; i++) {
        assert_int_equal(ask(&w, "GET", "/pets/1.0/pets", token), ENFORCE_ALLOW);
        assert_int_equal(signatures(&w), i);
    }
    free(token);
    close_world(&w);
}

/* A ring of few JWTs under many tokens: each request gets its own. */
static void a_small_cache_mixes_nothing_up(void **state)
{
    enum { TOKENS = 24 };
    struct world w;
    char *tokens[TOKENS];

    (void)state;
    init(&w, KEY_EC_P256);
    start(&w, 16384);
    for (int i = 0; i < TOKENS; i++) {
        char more[32];

        snprintf(more, sizeof(more), ",\"who\":\"u%d.\"", i);
        tokens[i] = make_token(&w, more);
    }
    for (unsigned i = 0; i < 20 * TOKENS; i++) {
        unsigned which = i * i * 7 % TOKENS;
        char want[32];

        snprintf(want, sizeof(want), "\"who\":\"u%u.\"", which);
        ask(&w, "GET", "/pets/1.0/pets", tokens[which]);
        assert_true(slice_contains(claims(&w), slice_of(want)));
    }
    assert_true(signatures(&w) < 20 * TOKENS);
    for (int i = 0; i < TOKENS; i++)
        free(tokens[i]);
    close_world(&w);
}

/* --- bursts -------------------------------------------------------------------------------------
 */

/* Each look at it takes a while, as a signature does. */
struct slow_clock {
    struct clock clock;
    int64_t mono_us, step_us;
};

static int64_t slow_wall_s(const struct clock *self)
{
    (void)self;
    return FIXTURE_NOW;
}

static int64_t slow_mono_us(const struct clock *self)
{
    struct slow_clock *c = (struct slow_clock *)(void *)(uintptr_t)self;

    return c->mono_us += c->step_us;
}

static enum enforce_verdict look(struct world *w, const struct slow_clock *clock,
                                 enum enforce_patience patience, const char *token,
                                 const struct enforce_reply *reply)
{
    struct fixture_request r;
    char value[10000];

    snprintf(value, sizeof(value), "Bearer %s", token);
    fixture_request_init(&r, "GET", "h", "/pets/1.0/pets");
    fixture_set_header(&r, 0, value, 1);
    r.request.patience = patience;
    r.request.replies[ENFORCE_WAIT_SIGNATURE] = reply;
    enforce_decide(w->worker, w->rules, NULL, &r.request, &clock->clock, &w->d);
    return w->d.verdict;
}

/* A worker signs one, and the next not before it has done other things for a while: that is for
 * others to sign, and is remembered like its own. */
static void of_a_burst_others_sign(void **state)
{
    struct slow_clock clock = {{slow_wall_s, slow_mono_us}, 1000000, 500};
    struct enforce_reply *reply = NULL, *failed = NULL;
    struct enforce_await await;
    struct world w;
    char *one, *two, *three, room[8192], claims_room[8192];
    struct buf jwt;

    (void)state;
    open_world(&w);
    one = make_token(&w, ",\"x\":1");
    two = make_token(&w, ",\"x\":2");
    three = make_token(&w, ",\"x\":3");
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, one, NULL), ENFORCE_ALLOW);
    assert_int_equal(signatures(&w), 1);
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, two, NULL), ENFORCE_PENDING);
    await = w.d.await;
    assert_int_equal(await.what, ENFORCE_WAIT_SIGNATURE);
    assert_true(slice_ends(await.question, SLICE("\"x\":2}")));
    assert_int_equal(await.until_s, FIXTURE_NOW + TTL - MARGIN);
    memcpy(claims_room, await.question.p, await.question.n);
    await.question.p = claims_room;
    assert_int_equal(w.d.jwt.n, 0);
    /* who has one needs no other */
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, one, NULL), ENFORCE_ALLOW);
    /* the same question has the same key, another one has another */
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, two, NULL), ENFORCE_PENDING);
    assert_true(enforce_key_eq(&w.d.await.key, &await.key));
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, three, NULL), ENFORCE_PENDING);
    assert_false(enforce_key_eq(&w.d.await.key, &await.key));
    assert_int_equal(signatures(&w), 1);

    buf_init_fixed(&jwt, room, sizeof(room));
    assert_int_equal(enforce_rules_sign(w.rules, await.question, &jwt), CC_OK);
    fixture_need(enforce_reply_new(&reply, ENFORCE_WAIT_SIGNATURE, &await.key, false,
                                   await.until_s, buf_slice(&jwt)),
                 "reply");
    /* a reply to another question is none */
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, three, reply), ENFORCE_PENDING);
    assert_int_equal(look(&w, &clock, ENFORCE_OVERDUE, three, reply), ENFORCE_DENY);
    assert_int_equal(w.d.status, 503);
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, two, reply), ENFORCE_ALLOW);
    assert_true(slice_eq(w.d.jwt, buf_slice(&jwt)));
    assert_true(slice_contains(claims(&w), SLICE("\"x\":2}")));
    /* and from now on it is known */
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, two, NULL), ENFORCE_ALLOW);
    assert_true(slice_eq(w.d.jwt, buf_slice(&jwt)));
    assert_int_equal(signatures(&w), 1);

    /* nobody signs, in time or at all */
    assert_int_equal(look(&w, &clock, ENFORCE_OVERDUE, three, NULL), ENFORCE_DENY);
    assert_int_equal(w.d.status, 503);
    assert_int_equal(look(&w, &clock, ENFORCE_CROWDED, three, NULL), ENFORCE_DENY);
    assert_int_equal(w.d.status, 503);
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, three, NULL), ENFORCE_PENDING);
    fixture_need(enforce_reply_new(&failed, ENFORCE_WAIT_SIGNATURE, &w.d.await.key, true,
                                   FIXTURE_NOW, SLICE("why")),
                 "reply");
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, three, failed), ENFORCE_DENY);
    assert_int_equal(w.d.status, 500);
    assert_int_equal(w.d.jwt.n, 0);

    /* where nobody can be asked it signs by itself, and so it does after a while */
    assert_int_equal(look(&w, &clock, ENFORCE_ALONE, three, NULL), ENFORCE_ALLOW);
    assert_int_equal(signatures(&w), 2);
    free(three);
    three = make_token(&w, ",\"x\":4");
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, three, NULL), ENFORCE_PENDING);
    clock.mono_us += 8 * 500;
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, three, NULL), ENFORCE_ALLOW);
    assert_int_equal(signatures(&w), 3);
    enforce_reply_unref(&reply);
    enforce_reply_unref(&failed);
    free(one);
    free(two);
    free(three);
    close_world(&w);
}

/* What was asked under other rules is asked again. */
static void a_reply_counts_under_its_rules(void **state)
{
    struct slow_clock clock = {{slow_wall_s, slow_mono_us}, 1000000, 500};
    struct enforce_reply *reply = NULL;
    struct world w;
    char *one, *two;

    (void)state;
    open_world(&w);
    one = make_token(&w, ",\"x\":1");
    two = make_token(&w, ",\"x\":2");
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, one, NULL), ENFORCE_ALLOW);
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, two, NULL), ENFORCE_PENDING);
    fixture_need(enforce_reply_new(&reply, ENFORCE_WAIT_SIGNATURE, &w.d.await.key, false,
                                   FIXTURE_NOW, SLICE("a.b.c")),
                 "reply");
    w.f.model.backend_jwt.ttl_s = TTL + 1;
    load(&w);
    assert_int_equal(look(&w, &clock, ENFORCE_MAY_WAIT, two, reply), ENFORCE_PENDING);
    assert_false(enforce_key_eq(&w.d.await.key, &reply->key));
    enforce_reply_unref(&reply);
    free(one);
    free(two);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_serves_a_token_and_an_api),
        cmocka_unit_test(it_is_used_until_shortly_before_its_end),
        cmocka_unit_test(it_goes_with_its_token),
        cmocka_unit_test(it_follows_the_rules),
        cmocka_unit_test(generations_by_turns),
        cmocka_unit_test(without_cache),
        cmocka_unit_test(a_small_cache_mixes_nothing_up),
        cmocka_unit_test(of_a_burst_others_sign),
        cmocka_unit_test(a_reply_counts_under_its_rules),
    };

    alloc_count_start();
    return cmocka_run_group_tests_name("enforce/backend_jwt_cache", tests, NULL, NULL);
}
