/* The claims by which a token brings its subscriptions. */

#include "tokens.h"

static enum jwt_fault parse(struct arena *arena, const char *payload, struct jwt_subscriptions *out)
{
    const struct jwt_claim_names names = {
        .consumer_key = SLICE_INIT(""), .scope = SLICE_INIT(""), .subscriptions = true};
    struct jwt jwt = {.payload = slice_of(payload)};
    struct jwt_claims claims;
    enum jwt_fault fault = jwt_claims_parse(&jwt, &names, arena, &claims);

    *out = claims.subscriptions;
    return fault;
}

/* As API Manager writes it. */
static const char full[] =
    "{\"iss\":\"i\",\"application\":{\"owner\":\"alice\",\"tierQuotaType\":\"bandwidthVolume\","
    "\"tier\":\"10PerMin\",\"name\":\"ShopApp\",\"id\":2,\"uuid\":\"a990\"},"
    "\"tierInfo\":{\"Gold\":{\"tierQuotaType\":\"requestCount\",\"graphQLMaxComplexity\":0,"
    "\"stopOnQuotaReach\":false,\"spikeArrestLimit\":0,\"spikeArrestUnit\":null},"
    "\"Bytes\":{\"tierQuotaType\":\"bandwidthVolume\",\"stopOnQuotaReach\":null}},"
    "\"keytype\":\"PRODUCTION\",\"subscribedAPIs\":["
    "{\"subscriberTenantDomain\":\"carbon.super\",\"name\":\"Pizza\",\"context\":\"/pizza/1.0.0\","
    "\"publisher\":\"admin\",\"version\":\"1.0.0\",\"subscriptionTier\":\"Gold\"},"
    "{\"name\":\"Pets\",\"version\":\"2\",\"subscriptionTier\":\"Bytes\"},"
    "{\"context\":\"/c\",\"version\":\"3\",\"name\":null}]}";

static void test_all(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct jwt_subscriptions s;

    (void)state;
    assert_int_equal(parse(arena, full, &s), JWT_OK);
    assert_true(s.has_application && s.id == 2 && s.bandwidth);
    assert_true(slice_is(s.uuid, "a990") && slice_is(s.name, "ShopApp"));
    assert_true(slice_is(s.tier, "10PerMin") && slice_is(s.owner, "alice"));
    assert_true(s.has_apis && s.n_apis == 3);
    assert_true(slice_is(s.apis[0].name, "Pizza") && slice_is(s.apis[0].version, "1.0.0"));
    assert_true(slice_is(s.apis[0].context, "/pizza/1.0.0") && slice_is(s.apis[0].tier, "Gold"));
    assert_true(slice_is(s.apis[0].tenant, "carbon.super"));
    assert_true(!s.apis[0].stop_on_quota_reach && !s.apis[0].bandwidth);
    assert_true(s.apis[1].stop_on_quota_reach && s.apis[1].bandwidth);
    assert_true(s.apis[2].stop_on_quota_reach && !s.apis[2].bandwidth); /* no such tier */
    assert_true(s.apis[2].name.n == 0 && slice_is(s.apis[2].context, "/c"));
    arena_free(&arena);
}

static void test_not_asked_for(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct jwt jwt = {.payload = slice_of(full)};
    struct jwt_claims claims;

    (void)state;
    assert_int_equal(jwt_claims_parse(&jwt, NULL, arena, &claims), JWT_OK);
    assert_true(!claims.subscriptions.has_apis && !claims.subscriptions.has_application);
    arena_free(&arena);
}

static const struct {
    const char *claims;
    enum jwt_fault fault;
    bool has_apis, has_application;
} cases[] = {
    {"\"sub\":\"u\"", JWT_OK, false, false},
    {"\"subscribedAPIs\":[]", JWT_OK, true, false},
    {"\"subscribedAPIs\":null", JWT_BAD_CLAIM, false, false}, /* there, and no list */
    {"\"subscribedAPIs\":{}", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":\"Pizza\"", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[\"Pizza\"]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[null]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[{\"name\":7}]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[{\"name\":\"a\\nb\"}]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[{\"version\":1.0}]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[{\"subscriptionTier\":[]}]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[{\"name\":\"a\",\"name\":\"b\"}]", JWT_BAD_PAYLOAD, false, false},
    {"\"subscribedAPIs\":[{}],\"tierInfo\":[]", JWT_BAD_CLAIM, false, false},
    {"\"subscribedAPIs\":[{}],\"tierInfo\":null", JWT_OK, true, false},
    {"\"subscribedAPIs\":[{\"subscriptionTier\":\"G\"}],\"tierInfo\":{\"G\":1}", JWT_BAD_CLAIM,
     false, false},
    {"\"subscribedAPIs\":[{\"subscriptionTier\":\"G\"}],\"tierInfo\":{\"G\":"
     "{\"stopOnQuotaReach\":\"no\"}}",
     JWT_BAD_CLAIM, false, false},
    {"\"application\":null", JWT_OK, false, false},
    {"\"application\":[]", JWT_BAD_CLAIM, false, false},
    {"\"application\":{}", JWT_BAD_CLAIM, false, false},
    {"\"application\":{\"id\":\"1\"}", JWT_BAD_CLAIM, false, false},
    {"\"application\":{\"id\":1.5}", JWT_BAD_CLAIM, false, false},
    {"\"application\":{\"id\":-1}", JWT_BAD_CLAIM, false, false},
    {"\"application\":{\"id\":9007199254740992}", JWT_BAD_CLAIM, false, false},
    {"\"application\":{\"id\":1,\"name\":7}", JWT_BAD_CLAIM, false, false},
    {"\"application\":{\"id\":1,\"owner\":null}", JWT_OK, false, true},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(1 << 20);
        struct jwt_subscriptions s;
        char payload[512];

        snprintf(payload, sizeof(payload), "{\"iss\":\"i\",%s}", cases[i].claims);
        if (parse(arena, payload, &s) != cases[i].fault)
            fail_msg("%s", payload);
        assert_int_equal(s.has_apis, cases[i].has_apis);
        assert_int_equal(s.has_application, cases[i].has_application);
        arena_free(&arena);
    }
}

static void test_too_many(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct jwt_subscriptions s;
    struct buf b;

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        buf_init(&b, 65536);
        buf_add_str(&b, "{\"iss\":\"i\",\"subscribedAPIs\":[{}");
        for (int i = 1; i < JWT_MAX_LIST + extra; i++)
            buf_add_str(&b, ",{}");
        buf_add_str(&b, "]}");
        assert_int_equal(parse(arena, b.p, &s), extra == 0 ? JWT_OK : JWT_BAD_CLAIM);
        buf_free(&b);
    }
    arena_free(&arena);
}

static void test_name_uuid(void **state)
{
    char uuid[37];

    (void)state;
    /* UUID.nameUUIDFromBytes("anon:rsa".getBytes()), and of "" */
    assert_int_equal(crypto_name_uuid(SLICE(""), uuid), CC_OK);
    assert_string_equal(uuid, "d41d8cd9-8f00-3204-a980-0998ecf8427e");
    assert_int_equal(crypto_name_uuid(SLICE("anon:rsa"), uuid), CC_OK);
    assert_string_equal(uuid, "96df2404-36c0-397b-9781-7a5084c45d62");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),       cmocka_unit_test(test_not_asked_for),
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_name_uuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
