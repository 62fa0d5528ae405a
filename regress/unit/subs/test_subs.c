/* The store: what was added is found, nothing else is, in bounded memory and without heap. */
#include "subs/subs.h"

#include "../enforce/alloc_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define AT(line) ((struct place){NULL, line, 3})

static struct subs_builder *new_builder(void)
{
    struct subs_builder *b = NULL;

    assert_int_equal(subs_builder_new(&b), CC_OK);
    return b;
}

static int add_application(struct subs_builder *b, const char *uuid, int64_t id, const char *policy,
                           struct place *earlier)
{
    const struct subs_attribute attributes[] = {{SLICE("team"), SLICE("blue")},
                                                {SLICE("empty"), SLICE("")}};
    const struct subs_new_application a = {
        .uuid = slice_of(uuid),
        .name = SLICE("Shop"),
        .owner = SLICE("alice"),
        .tenant = SLICE("carbon.super"),
        .policy = slice_of(policy),
        .id = id,
        .attributes = attributes,
        .n_attributes = 2,
    };

    return subs_add_application(b, &a, AT((unsigned)id), earlier);
}

static int add_key(struct subs_builder *b, const char *key, const char *manager, const char *app,
                   bool sandbox, struct place *earlier)
{
    return subs_add_key(b, slice_of(key), slice_of(manager), slice_of(app), sandbox, AT(20),
                        earlier);
}

static int add(struct subs_builder *b, const char *app, const char *api, const char *policy,
               enum subs_state state, struct place *earlier)
{
    return subs_add(b, slice_of(app), slice_of(api), slice_of(policy), state, AT(30), earlier);
}

static void no_report(void *context, const char *what, struct slice name, struct place place)
{
    (void)context;
    fail_msg("%s '%.*s' at line %u", what, (int)name.n, name.p, place.line);
}

/* Subscriptions and keys come before what they name. */
static struct subs *small_store(void)
{
    const struct subs_policy gold = {
        .name = SLICE("Gold"), .stop_on_quota_reach = true, .place = AT(40)};
    struct subs_builder *b = new_builder();
    struct subs *s = NULL;
    struct place earlier;

    assert_int_equal(subs_add_file(b, "a.yaml"), CC_OK);
    assert_int_equal(add(b, "app-2", "api-1", "Gold", SUBS_ON_HOLD, &earlier), CC_OK);
    assert_int_equal(add(b, "app-1", "api-1", "Unlimited", SUBS_UNBLOCKED, &earlier), CC_OK);
    assert_int_equal(add_key(b, "key", "km", "app-1", false, &earlier), CC_OK);
    assert_int_equal(add_key(b, "key", "other", "app-2", true, &earlier), CC_OK);
    assert_int_equal(add_application(b, "app-2", 2, "Bytes", &earlier), CC_OK);
    assert_int_equal(subs_add_file(b, "b.yaml"), CC_OK);
    assert_int_equal(add_application(b, "app-1", 1, "Unlimited", &earlier), CC_OK);
    assert_int_equal(subs_add_policy(b, false, &gold, &earlier), CC_OK);
    assert_int_equal(
        subs_add_policy(b, true, &(struct subs_policy){.name = SLICE("Bytes"), .bandwidth = true},
                        &earlier),
        CC_OK);
    assert_int_equal(subs_add_api(b, SLICE("api-2"), SLICE("BLOCKED"), AT(50), &earlier), CC_OK);
    assert_int_equal(subs_build(b, &s, no_report, NULL), CC_OK);
    subs_builder_free(&b);
    return s;
}

static void test_found(void **state)
{
    struct subs *s = small_store();
    const struct subs_application *a;
    struct subs_subscription sub;
    struct subs_counts n;
    struct subs_key key;

    (void)state;
    assert_true(subs_find_key(s, SLICE("key"), SLICE("km"), &key));
    a = key.application;
    assert_true(slice_is(a->uuid, "app-1") && slice_is(a->name, "Shop") && a->id == 1);
    assert_true(slice_is(a->owner, "alice") && slice_is(a->tenant, "carbon.super"));
    assert_true(slice_is(a->policy->name, "Unlimited") && !a->policy->bandwidth);
    assert_true(a->n_attributes == 2 && slice_is(a->attributes[0].value, "blue"));
    assert_int_equal(a->attributes[1].value.n, 0);
    assert_false(key.sandbox);
    assert_string_equal(key.place.source->name, "a.yaml");
    assert_true(key.place.line == 20 && key.place.col == 3);
    assert_string_equal(a->place.source->name, "b.yaml");
    assert_ptr_equal(subs_find_application(s, SLICE("app-1")), a);

    assert_true(subs_find_key(s, SLICE("key"), SLICE("other"), &key) && key.sandbox);
    assert_true(key.application->policy->bandwidth);
    assert_true(subs_find(s, key.application, SLICE("api-1"), &sub));
    assert_true(sub.state == SUBS_ON_HOLD && slice_is(sub.policy->name, "Gold"));
    assert_true(sub.policy->stop_on_quota_reach && sub.place.line == 30);
    assert_ptr_equal(sub.application, key.application);
    assert_true(slice_is(subs_find_api(s, SLICE("api-2"))->status, "BLOCKED"));
    assert_int_equal(subs_find_api(s, SLICE("api-1"))->status.n, 0);

    subs_count(s, &n);
    assert_true(n.applications == 2 && n.keys == 2 && n.subscriptions == 2 && n.apis == 2);
    assert_true(n.application_policies == 2 && n.subscription_policies == 2);
    assert_true(slice_is(subs_application_at(s, 0)->uuid, "app-2"));
    subs_unref(&s);
    assert_null(s);
    subs_unref(&s);
}

static void test_not_found(void **state)
{
    struct subs *s = small_store();
    struct subs_subscription sub;
    struct subs_key key;

    (void)state;
    assert_false(subs_find_key(s, SLICE("key"), SLICE("nobody"), &key));
    assert_false(subs_find_key(s, SLICE("Key"), SLICE("km"), &key));
    assert_false(subs_find_key(s, SLICE(""), SLICE(""), &key));
    assert_null(subs_find_application(s, SLICE("app-3")));
    assert_null(subs_find_api(s, SLICE("api-3")));
    assert_false(subs_find(s, subs_find_application(s, SLICE("app-1")), SLICE("api-2"), &sub));
    assert_false(subs_find(s, subs_find_application(s, SLICE("app-1")), SLICE("api-9"), &sub));
    subs_unref(&s);
}

static void test_twice(void **state)
{
    struct subs_builder *b = new_builder();
    struct place earlier = AT(0);
    const struct subs_policy policy = {.name = SLICE("Gold"), .place = AT(40)};
    const struct subs_policy unlimited = {.name = SLICE("Unlimited"), .place = AT(41)};

    (void)state;
    assert_int_equal(add_application(b, "a", 1, "Unlimited", &earlier), CC_OK);
    assert_int_equal(add_application(b, "a", 2, "Unlimited", &earlier), CC_EEXIST);
    assert_int_equal(earlier.line, 1);
    assert_int_equal(add_application(b, "b", 1, "Unlimited", &earlier), CC_EEXIST);
    assert_int_equal(add_key(b, "k", "m", "a", false, &earlier), CC_OK);
    assert_int_equal(add_key(b, "k", "m", "b", true, &earlier), CC_EEXIST);
    assert_int_equal(earlier.line, 20);
    assert_int_equal(add(b, "a", "api", "Gold", SUBS_UNBLOCKED, &earlier), CC_OK);
    assert_int_equal(add(b, "a", "api", "Unlimited", SUBS_BLOCKED, &earlier), CC_EEXIST);
    assert_int_equal(earlier.line, 30);
    assert_int_equal(subs_add_policy(b, false, &policy, &earlier), CC_OK);
    assert_int_equal(subs_add_policy(b, false, &policy, &earlier), CC_EEXIST);
    assert_int_equal(earlier.line, 40);
    assert_int_equal(subs_add_policy(b, false, &unlimited, &earlier),
                     CC_OK); /* once, as one likes */
    assert_int_equal(subs_add_policy(b, false, &unlimited, &earlier), CC_EEXIST);
    assert_int_equal(subs_add_policy(b, true, &policy, &earlier), CC_OK);
    assert_int_equal(subs_add_api(b, SLICE("api"), SLICE(""), AT(50), &earlier), CC_OK);
    assert_int_equal(subs_add_api(b, SLICE("api"), SLICE("BLOCKED"), AT(51), &earlier), CC_EEXIST);
    assert_int_equal(earlier.line, 50);
    subs_builder_free(&b);
}

static void note(void *context, const char *what, struct slice name, struct place place)
{
    buf_printf(context, "%s %.*s %u\n", what, (int)name.n, name.p, place.line);
}

static void test_dangling(void **state)
{
    struct subs_builder *b = new_builder();
    struct subs *s = NULL;
    struct place earlier;
    struct buf notes;

    (void)state;
    buf_init(&notes, 4096);
    assert_int_equal(add_application(b, "a", 1, "Silver", &earlier), CC_OK);
    assert_int_equal(add_key(b, "k", "m", "b", false, &earlier), CC_OK);
    assert_int_equal(add(b, "c", "api", "Gold", SUBS_UNBLOCKED, &earlier), CC_OK);
    assert_int_equal(subs_build(b, &s, note, &notes), CC_EINVAL);
    assert_string_equal(notes.p, "policy of applications Silver 1\napplication b 20\n"
                                 "application c 30\npolicy of subscriptions Gold 30\n");
    assert_null(s);
    subs_builder_free(&b);
    buf_free(&notes);
}

static void test_states(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SUBS_STATE_COUNT; i++)
        assert_int_equal(subs_state_parse(slice_of(subs_state_name((enum subs_state)i))), i);
    assert_int_equal(subs_state_parse(SLICE("blocked")), SUBS_STATE_COUNT);
    assert_int_equal(subs_state_parse(SLICE("")), SUBS_STATE_COUNT);
}

/* As many subscriptions as the header speaks of, a tenth of them: what it says of memory holds, all
 * are found, and to find one costs no heap. */
static void test_many(void **state)
{
    enum { APPLICATIONS = 10000, EACH = 10, APIS = 1000 };
    struct subs_builder *b = new_builder();
    struct subs *s = NULL;
    struct subs_subscription sub;
    struct subs_counts n;
    struct subs_key key;
    struct place earlier;
    char app[40], api[40], consumer[40];
    size_t made;

    (void)state;
    for (int i = 0; i < APPLICATIONS; i++) {
        snprintf(app, sizeof(app), "a9900000-0000-4000-8000-%012d", i);
        snprintf(consumer, sizeof(consumer), "consumer%019d", i);
        assert_int_equal(add_application(b, app, i, "Unlimited", &earlier), CC_OK);
        assert_int_equal(add_key(b, consumer, "km", app, false, &earlier), CC_OK);
        for (int k = 0; k < EACH; k++) {
            snprintf(api, sizeof(api), "3fa1c0de-0000-4000-8000-%012d", (i + 97 * k) % APIS);
            assert_int_equal(add(b, app, api, "Unlimited", SUBS_UNBLOCKED, &earlier), CC_OK);
        }
    }
    assert_int_equal(subs_build(b, &s, no_report, NULL), CC_OK);
    subs_builder_free(&b);
    subs_count(s, &n);
    assert_int_equal(n.subscriptions, APPLICATIONS * EACH);
    print_message("%zu subscriptions of %zu applications: %zu bytes\n", n.subscriptions,
                  n.applications, subs_bytes(s));
    assert_true(subs_bytes(s) < n.subscriptions * 36 + n.applications * 600 + 1000000);

    made = alloc_made;
    for (int i = 0; i < APPLICATIONS; i++) {
        snprintf(consumer, sizeof(consumer), "consumer%019d", i);
        snprintf(api, sizeof(api), "3fa1c0de-0000-4000-8000-%012d", (i + 97) % APIS);
        assert_true(subs_find_key(s, slice_of(consumer), SLICE("km"), &key));
        assert_int_equal(key.application->id, i);
        assert_true(subs_find(s, key.application, slice_of(api), &sub));
        assert_ptr_equal(sub.application, key.application);
    }
    assert_int_equal(alloc_made, made);
    subs_unref(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),  cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_twice),  cmocka_unit_test(test_dangling),
        cmocka_unit_test(test_states), cmocka_unit_test(test_many),
    };

    alloc_count_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
